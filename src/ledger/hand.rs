//! The operations that a person's edit of the view amounts to.
//!
//! An edit is compared with the view it was made on, not with what is learned now: a line that came later was never there to be
//! deleted.

use super::Ledger;
use super::view::{SECTIONS, one_line, split, sum};
use crate::protocol::learned::{
    About, Author, Authority, Edit, Entry, EntryId, Memory, MemoryKind, MemoryState, OpId, Operation, Scope, Verb,
};
use crate::text::redact::redact;

/// One line of the view.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    id: Option<EntryId>,
    kind: MemoryKind,
    text: String,
}

impl Line {
    /// Whether it is another line whose note the person took away.
    fn is_without_note(&self, other: &Self) -> bool {
        self.id.is_none() && self.kind == other.kind && self.text == other.text
    }
}

impl Ledger {
    /// The operation that takes over what the person changed in `view`, a text read from the view's file; `None` when
    /// it is a view of this ledger, or of this ledger at an earlier time, as it was written.
    #[must_use]
    pub fn by_hand(&self, scope: Scope, view: &str, at_ms: u64) -> Option<Operation> {
        let (told, body) = split(view).map_or((None, view), |(sum, body)| (Some(sum), body));
        if told == Some(sum(body)) {
            return None;
        }
        let base = told.and_then(|told| self.with_view(scope, told));
        let base = base.as_ref().unwrap_or(self);
        let (was, is) = (read(&base.view(scope).unwrap_or_default()), read(body));
        let once = is.iter().enumerate().filter(|(at, line)| line.id.is_some() || !is[..*at].contains(line));
        let changed = once.filter_map(|(_, line)| self.taken_over(scope, line, &was, at_ms));
        let gone = was.iter().filter(|line| !is.iter().any(|other| other.id == line.id || other.is_without_note(line)));
        let gone = gone.filter_map(|line| self.removed(line.id.as_ref()?));
        let edits: Vec<Edit> = changed.chain(gone).collect();
        (!edits.is_empty()).then(|| Operation {
            id: OpId::of(scope.name(), self.sequence(), at_ms),
            at_ms,
            by: Author::Person,
            session: None,
            verb: Verb::Edit,
            why: "edited by hand".to_owned(),
            edits,
        })
    }

    /// This ledger at the time its view had this checksum. Goes back from now, since most edits are of the last view.
    fn with_view(&self, scope: Scope, told: u64) -> Option<Self> {
        let mut ledger = self.clone();
        loop {
            if ledger.view(scope).as_deref().and_then(split).is_some_and(|(sum, _)| sum == told) {
                return Some(ledger);
            }
            ledger.step_back()?;
        }
    }

    fn taken_over(&self, scope: Scope, line: &Line, was: &[Line], at_ms: u64) -> Option<Edit> {
        if line.text.is_empty() || was.contains(line) {
            return None;
        }
        // It may have been taken over already by a process that died before it could write the view. A time tells nothing then.
        let is_known = |memory: &Memory| memory.kind == line.kind && one_line(&memory.text) == line.text;
        let known = line.id.as_ref().and_then(|id| self.get(id));
        let Some(Entry::Memory(memory)) = known else {
            let new = written(scope, line.kind, &line.text, at_ms);
            let is_there = self.active_memories().any(is_known) || self.get(&new.id).is_some();
            return (!is_there).then_some(Edit { before: None, after: Some(Entry::Memory(new)) });
        };
        if memory.state == MemoryState::Active && is_known(memory) {
            return None;
        }
        let mut after = memory.clone();
        (after.text, after.kind, after.updated_ms) = (line.text.clone(), line.kind, at_ms);
        (after.state, after.authority, after.author) = (MemoryState::Active, Authority::Written, Author::Person);
        Some(Edit { before: Some(Entry::Memory(memory.clone())), after: Some(Entry::Memory(after)) })
    }

    fn removed(&self, id: &EntryId) -> Option<Edit> {
        let Some(Entry::Memory(memory)) = self.get(id) else { return None };
        if memory.state != MemoryState::Active {
            return None;
        }
        let mut after = memory.clone();
        after.state = MemoryState::Retired("you deleted its line".to_owned());
        Some(Edit { before: Some(Entry::Memory(memory.clone())), after: Some(Entry::Memory(after)) })
    }
}

/// An entry the person wrote.
#[must_use]
pub fn written(scope: Scope, kind: MemoryKind, text: &str, at_ms: u64) -> Memory {
    Memory {
        id: EntryId::of(scope.name(), text, at_ms),
        kind,
        scope,
        text: text.to_owned(),
        state: MemoryState::Active,
        pinned: false,
        authority: Authority::Written,
        author: Author::Person,
        created_ms: at_ms,
        updated_ms: at_ms,
        evidence: Vec::new(),
        about: About::default(),
        pitfall: None,
    }
}

/// What a Markdown text says, item by item, with the kind that its heading names; what is no item of a view is one all the same.
#[must_use]
pub fn items(text: &str) -> Vec<(MemoryKind, String)> {
    read(text).into_iter().map(|line| (line.kind, line.text)).collect()
}

/// The entries of a view: list items below the headings it knows, and paragraphs a person wrote between them, so that nothing they
/// wrote is lost. What stands before any heading is a fact.
///
/// A secret that stands there is not taken over with the rest.
fn read(view: &str) -> Vec<Line> {
    let view = redact(view, &[]);
    let mut kind = MemoryKind::Fact;
    let mut lines: Vec<Line> = Vec::new();
    // Whether the next line may go on with the last entry, and need not be indented to do so.
    let (mut open, mut paragraph) = (false, false);
    for line in view.lines() {
        let text = line.trim();
        if text.is_empty() || (text.starts_with("<!--") && text.ends_with("-->")) {
            (open, paragraph) = (false, false);
        } else if let Some(heading) = text.strip_prefix('#') {
            let heading = heading.trim_start_matches('#').trim();
            let known = SECTIONS.iter().find(|(_, name)| name.eq_ignore_ascii_case(heading));
            kind = known.map_or(kind, |(kind, _)| *kind);
            (open, paragraph) = (false, false);
        } else if let Some(item) = text.strip_prefix("- ").or_else(|| text.strip_prefix("* ")) {
            let (text, id) = take_note(item);
            lines.push(Line { id, kind, text });
            (open, paragraph) = (true, false);
        } else if let Some(last) = lines.last_mut().filter(|_| paragraph || (open && line.starts_with(' '))) {
            // An entry that the person broke into several lines.
            let (more, id) = take_note(text);
            last.text = one_line(&format!("{} {more}", last.text));
            last.id = last.id.take().or(id);
        } else {
            let (text, id) = take_note(text);
            lines.push(Line { id, kind, text });
            (open, paragraph) = (true, true);
        }
    }
    lines
}

fn take_note(item: &str) -> (String, Option<EntryId>) {
    let Some((text, note)) = item.rsplit_once("<!--") else { return (one_line(item), None) };
    let id = note.trim().split([',', ' ']).next().unwrap_or_default();
    let is_id = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (one_line(text), is_id.then(|| EntryId(id.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{add, memory};

    fn ledger(texts: &[&str]) -> Ledger {
        Ledger::fold(texts.iter().enumerate().map(|(at, text)| add(at as u64, memory(text)))).0
    }

    fn shown(ledger: &Ledger) -> String {
        ledger.view(Scope::Repo).unwrap()
    }

    fn texts(ledger: &Ledger) -> Vec<(&str, Authority)> {
        let mut texts: Vec<_> =
            ledger.active_memories().map(|memory| (memory.text.as_str(), memory.authority)).collect();
        texts.sort();
        texts
    }

    #[test]
    fn a_view_as_it_was_written_is_no_edit() {
        let ledger = ledger(&["one", "two"]);
        assert_eq!(ledger.by_hand(Scope::Repo, &shown(&ledger), 9), None);
        // One that is behind neither.
        assert_eq!(ledger.by_hand(Scope::Repo, &shown(&ledger.at(1)), 9), None);
    }

    #[test]
    fn changed_new_and_deleted_lines_are_taken_over() {
        let mut ledger = ledger(&["use just t", "keep me", "drop me"]);
        let view = shown(&ledger);
        let edited: String = view
            .lines()
            .filter(|line| !line.contains("drop me"))
            .fold(String::new(), |all, line| all + &line.replace("use just t", "use just test,\n  always") + "\n");
        let edited = edited + "\n## Preferences\n- short answers\n\n## Facts\nThe docs are\nin `book/`.\n";
        let operation = ledger.by_hand(Scope::Repo, &edited, 9).unwrap();
        ledger.apply(operation).unwrap();
        let expected = [
            ("The docs are in `book/`.", Authority::Written),
            ("keep me", Authority::Said),
            ("short answers", Authority::Written),
            ("use just test, always", Authority::Written),
        ];
        assert_eq!(texts(&ledger), expected);
        let preference = ledger.active_memories().find(|memory| memory.text == "short answers").unwrap();
        assert_eq!(preference.kind, MemoryKind::Preference);
        assert_eq!(ledger.by_hand(Scope::Repo, &shown(&ledger), 9), None);
    }

    #[test]
    fn an_edit_of_a_view_that_is_behind_deletes_nothing_newer() {
        let mut ledger = ledger(&["one", "two"]);
        let old = shown(&ledger);
        ledger.apply(add(2, memory("three"))).unwrap();
        let edited: String =
            old.lines().filter(|line| !line.starts_with("- one")).map(|line| format!("{line}\n")).collect();
        ledger.apply(ledger.by_hand(Scope::Repo, &edited, 9).unwrap()).unwrap();
        assert_eq!(texts(&ledger), [("three", Authority::Said), ("two", Authority::Said)]);
    }

    #[test]
    fn what_was_taken_over_already_is_not_taken_over_again() {
        let mut ledger = ledger(&["one", "two", "three"]);
        let view = shown(&ledger);
        let edited: String = view
            .lines()
            .filter(|line| !line.starts_with("- three"))
            .map(|line| line.replace("- two", "- two, mostly") + "\n")
            .collect();
        let edited = edited + "- four\n- four\n";
        ledger.apply(ledger.by_hand(Scope::Repo, &edited, 9).unwrap()).unwrap();
        assert_eq!(ledger.active_memories().count(), 3);
        // The view was not written, for whatever reason, and it is later now.
        assert_eq!(ledger.by_hand(Scope::Repo, &edited, 10), None);
    }

    #[test]
    fn a_line_whose_note_was_taken_away_is_the_same_line() {
        let ledger = ledger(&["one", "two"]);
        let bare = |line: &str| line.split(" <!--").next().unwrap_or_default().to_owned() + "\n";
        let edited: String = shown(&ledger).lines().skip(1).map(bare).collect();
        assert_eq!(ledger.by_hand(Scope::Repo, &edited, 9), None);
    }

    #[test]
    fn a_view_without_its_first_line_still_counts() {
        let mut ledger = ledger(&["one"]);
        let view = shown(&ledger);
        let edited = view.split_once('\n').unwrap().1.to_owned() + "- two\n";
        ledger.apply(ledger.by_hand(Scope::Repo, &edited, 9).unwrap()).unwrap();
        assert_eq!(texts(&ledger), [("one", Authority::Said), ("two", Authority::Written)]);
    }
}
