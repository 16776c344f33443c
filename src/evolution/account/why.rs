//! Where an entry comes from, what it brought, and who may change it.

use std::fmt::Write as _;

use super::list::short;
use super::{Account, count, kind, place, rests_on, state, title, told, who};
use crate::evolution::measure::{Usefulness, measure};
use crate::protocol::UserError;
use crate::protocol::learned::{Entry, Evidence, Operation, Scope, TurnRecord};
use crate::text::time;

/// The longest words of a turn that are told of.
const LONGEST: usize = 160;

/// The account of the entry that `words` name.
///
/// # Errors
/// There is none, or records cannot be read.
pub fn why(account: &Account<'_>, words: &str) -> Result<String, UserError> {
    let (scope, entry) = account.find(words)?;
    let turns = account.store.turns().map_err(told)?;
    let exposures = account.store.exposures().map_err(told)?;
    let usefulness = measure(std::iter::once(entry), &exposures, &turns)[entry.id()];
    let mut text = format!("{}\n{}, {}, {}\n", title(entry), entry.id(), kind(entry), state(entry));
    text += "\nLearned from\n";
    text += &evidence(entry, &turns);
    text += "\nWhat it brought\n";
    text += &brought(usefulness);
    text += "\nChanges\n";
    let ledger = account.ledger(scope);
    let touches = |operation: &&Operation| {
        operation.edits.iter().filter_map(|edit| edit.entry()).any(|edited| edited.id() == entry.id())
    };
    for operation in ledger.operations().iter().filter(touches) {
        let undone = if ledger.is_undone(&operation.id) { ", taken back" } else { "" };
        let (date, verb) = (time::date(operation.at_ms), super::log::verb(&operation.verb));
        let (by, why) = (who(&operation.by), &operation.why);
        _ = writeln!(text, "  {}  {date}  {verb} by {by}: {why}{undone}", operation.id);
    }
    text += "\nWho may change it\n";
    _ = writeln!(text, "  {}", who_may_change(scope, entry));
    Ok(text)
}

fn evidence(entry: &Entry, turns: &[TurnRecord]) -> String {
    let (evidence, authority) = match entry {
        Entry::Memory(memory) => (&memory.evidence, rests_on(memory.authority)),
        Entry::Skill(skill) => (&skill.evidence, "turns that went well"),
    };
    let mut text = format!("  It rests on {authority}.\n");
    let mut last = None;
    for Evidence { thread, turn, source, quote } in evidence {
        if last != Some(*turn) {
            let record = turns.iter().find(|record| record.turn == *turn);
            let when = record.map_or_else(
                || "a turn that is no longer kept".to_owned(),
                |record| {
                    let said = record.said.first().map(|said| shortened(said)).unwrap_or_default();
                    format!("{}: \"{said}\"", time::rfc3339(record.started_ms))
                },
            );
            _ = writeln!(text, "  session {thread}\n    turn {turn}, {when}");
            last = Some(*turn);
        }
        _ = writeln!(text, "      {}: {}", place(*source), shortened(quote));
    }
    text
}

fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn brought(usefulness: Usefulness) -> String {
    let Usefulness { eligible, injected, used, helped, hurt, shown, withheld, score } = usefulness;
    if eligible == 0 {
        return "  It was not shown to a model yet.\n".to_owned();
    }
    let conversations = count(eligible as usize, "conversation");
    let withheld_from = eligible - injected;
    let mut text = format!(
        "  It could be shown in {conversations}, was in {injected}, and was withheld from {withheld_from} by chance.\n"
    );
    _ = writeln!(text, "  {} did what it says: {helped} went well, {hurt} badly.", count(used as usize, "turn"));
    _ = writeln!(
        text,
        "  All turns with it: {} well, {} badly; without it: {} well, {} badly. Score {score:+.2}.",
        shown.good, shown.bad, withheld.good, withheld.bad
    );
    text
}

fn who_may_change(scope: Scope, entry: &Entry) -> String {
    let pinned = match entry {
        Entry::Memory(memory) => memory.pinned,
        Entry::Skill(skill) => skill.pinned,
    };
    let id = short(&entry.id().0);
    let yours = format!("You: `hone evolve edit|pin|forget {id}`.");
    match (pinned, scope) {
        (true, _) => format!("{yours} It is pinned, so nothing else does."),
        (false, Scope::Repo) => format!("{yours} What you say, and what exit statuses tell, may replace or retire it."),
        (false, Scope::User) => format!("{yours} What you say may replace it, once you approve."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evolution::account::tests::Shelf;
    use crate::evolution::stage::tests::{run, turn};
    use crate::ledger::tests::{add, memory};
    use crate::protocol::learned::{Exposure, Place, Source};

    #[test]
    fn the_turns_the_uses_and_the_changes_are_told() {
        let record = turn(1, "We run tests with `just t`", vec![run("just t", 0, "")]);
        let mut rule = memory("We run tests with `just t`");
        rule.about.commands = vec!["just t".to_owned()];
        let quote = "We run tests with `just t`".to_owned();
        rule.evidence = vec![Evidence { thread: record.thread, turn: record.turn, source: Source::Said, quote }];
        let mut store = Shelf::of([add(0, rule.clone())]);
        let text = why(&Account::read(&store).unwrap(), &rule.id.0[..5]).unwrap();
        assert!(text.contains("no longer kept") && text.contains("not shown to a model yet"), "{text}");
        store.turns = vec![record.clone()];
        store.exposures = vec![Exposure {
            at_ms: 1,
            thread: record.thread,
            turn: record.turn,
            entry: rule.id.clone(),
            place: Place::Start,
            tokens: 9,
            withheld: false,
        }];
        let text = why(&Account::read(&store).unwrap(), &rule.id.0).unwrap();
        for part in [
            "could be shown in 1 conversation",
            "you said: We run tests",
            &record.turn.to_string(),
            "1 turn did what it says",
            "added by",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
