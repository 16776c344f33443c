//! What the person's next words say about the turn before them. Signals that need no language come first.

use super::statements::corrects;
use super::words::own;
use crate::protocol::learned::{TurnRecord, TurnStatus};
use crate::text::terms::overlap;

/// How the person took a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// They said that something was wrong.
    Correction,
    /// They asked for the same again.
    Repeat,
    /// They were content.
    Thanks,
    /// They went on, or said nothing more.
    None,
}

/// How alike two requests are that ask for the same.
const SAME_REQUEST: f64 = 0.6;

const THANKS: &[&str] = &[
    "thanks",
    "thank you",
    "thx",
    "great",
    "perfect",
    "nice",
    "good",
    "lgtm",
    "well done",
    "谢谢",
    "很好",
    "太好了",
    "好的",
];

/// How the person took `turn`, going by the first words of the `next` one.
#[must_use]
pub fn reaction(turn: &TurnRecord, next: Option<&TurnRecord>) -> Reaction {
    let Some(words) = next.and_then(|next| next.said.first()) else { return Reaction::None };
    let said = words.trim().to_lowercase();
    let begins = |list: &[&str]| list.iter().any(|begin| said.starts_with(begin));
    if own(words).first().is_some_and(corrects) {
        return Reaction::Correction;
    }
    if turn.said.iter().any(|earlier| overlap(earlier, words) >= SAME_REQUEST) {
        return Reaction::Repeat;
    }
    if begins(THANKS) { Reaction::Thanks } else { Reaction::None }
}

/// How a turn went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What was checked passed, or the person was content.
    Good,
    /// The person had to step in, or the last check failed.
    Bad,
    /// Nothing says.
    Unknown,
}

/// How `turn` went, going by exit statuses and by what the person did next. A turn that failed for the network's or the
/// provider's sake says nothing of what it was shown.
#[must_use]
pub fn outcome(turn: &TurnRecord, next: Option<&TurnRecord>) -> Outcome {
    match (&turn.status, reaction(turn, next)) {
        (TurnStatus::Interrupted, _) | (_, Reaction::Correction | Reaction::Repeat) => return Outcome::Bad,
        (TurnStatus::Failed(_), _) => return Outcome::Unknown,
        (TurnStatus::Completed, Reaction::Thanks) => return Outcome::Good,
        (TurnStatus::Completed, Reaction::None) => {}
    }
    match turn.calls.iter().filter_map(|call| call.exit_code).next_back() {
        Some(0) => Outcome::Good,
        Some(_) => Outcome::Bad,
        None => Outcome::Unknown,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::protocol::learned::{CallRecord, TurnKind, Work};
    use crate::protocol::{ThreadId, TurnId};

    pub fn turn(thread: ThreadId, said: &str, runs: &[(&str, i32)]) -> TurnRecord {
        let call = |(line, exit): &(&str, i32)| CallRecord {
            tool: "shell".to_owned(),
            work: Work::Command { line: (*line).to_owned(), cwd: "/r".into() },
            ok: *exit == 0,
            exit_code: Some(*exit),
            output: String::new(),
            duration_ms: 1,
            files: Vec::new(),
        };
        TurnRecord {
            turn: TurnId::new(),
            thread,
            kind: TurnKind::Person,
            started_ms: 0,
            ended_ms: 0,
            cwd: "/r".into(),
            model: "m".to_owned(),
            rollout: None,
            said: vec![said.to_owned()],
            answer: None,
            status: TurnStatus::Completed,
            calls: runs.iter().map(call).collect(),
            skills: Vec::new(),
        }
    }

    #[test]
    fn turns_are_judged_by_what_followed() {
        let thread = ThreadId::new();
        let fix = |runs: &[(&str, i32)]| turn(thread, "fix the parser tests", runs);
        for (this, next, expected) in [
            (fix(&[]), None, Outcome::Unknown),
            (fix(&[("t", 1), ("t", 0)]), None, Outcome::Good),
            (fix(&[("t", 0), ("t", 1)]), None, Outcome::Bad),
            (fix(&[("t", 0)]), Some("No, not like that"), Outcome::Bad),
            (fix(&[("t", 0)]), Some("不对,重来"), Outcome::Bad),
            (fix(&[("t", 0)]), Some("please fix the parser tests"), Outcome::Bad),
            (fix(&[("t", 1)]), Some("Thanks! Now the docs"), Outcome::Good),
            (fix(&[("t", 0)]), Some("now the docs"), Outcome::Good),
        ] {
            let next = next.map(|said| turn(thread, said, &[]));
            assert_eq!(outcome(&this, next.as_ref()), expected, "{this:?} {next:?}");
        }
        let interrupted = TurnRecord { status: TurnStatus::Interrupted, ..fix(&[("t", 0)]) };
        assert_eq!(outcome(&interrupted, None), Outcome::Bad);
        let offline = TurnRecord { status: TurnStatus::Failed("no network".to_owned()), ..fix(&[("t", 1)]) };
        assert_eq!(outcome(&offline, None), Outcome::Unknown);
    }
}
