//! Which pitfall a call that is about to run would step into.

use std::path::Path;

use crate::protocol::event::Activity;
use crate::protocol::learned::{Memory, Pitfall};
use crate::text::command_line::{commands, runs};

/// What a pitfall that is not a command begins with: `edit PATH`, a file or a folder.
const EDIT: &str = "edit ";

/// The pitfall a call fits, newest first. `root` is the folder its paths start at.
#[must_use]
pub fn pitfall<'a>(
    memories: impl Iterator<Item = &'a Memory>,
    activity: &Activity,
    root: &Path,
    now_ms: u64,
) -> Option<&'a Memory> {
    let stands = |pitfall: &Pitfall| pitfall.expires_ms > now_ms && fits(pitfall, activity, root);
    let fitting = memories.filter(|memory| memory.pitfall.as_ref().is_some_and(stands));
    fitting.max_by(|a, b| a.updated_ms.cmp(&b.updated_ms).then(a.id.cmp(&b.id)))
}

fn fits(pitfall: &Pitfall, activity: &Activity, root: &Path) -> bool {
    match activity {
        Activity::Exec { command, .. } => runs(command, &pitfall.tried),
        Activity::Patch { paths } => pitfall.tried.strip_prefix(EDIT).is_some_and(|place| {
            let place = root.join(place.trim());
            paths.iter().any(|path| root.join(path).starts_with(&place))
        }),
        Activity::Other { .. } => false,
    }
}

/// What the note on a pitfall says beside the memory's own text: the way that worked, unless the text names it.
#[must_use]
pub fn words(memory: &Memory) -> String {
    let instead = memory.pitfall.as_ref().and_then(|pitfall| pitfall.instead.as_deref());
    match instead.filter(|instead| !memory.text.contains(instead)) {
        Some(instead) => format!("{} Instead: {}", memory.text, commands_as_typed(instead)),
        None => memory.text.clone(),
    }
}

fn commands_as_typed(instead: &str) -> String {
    if commands(instead).is_empty() { instead.to_owned() } else { format!("`{instead}`") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::memory;

    #[test]
    fn a_call_meets_the_pitfall_it_fits() {
        let trap = |text: &str, tried: &str, expires_ms| {
            let mut memory = memory(text);
            let instead = Some("just t".to_owned());
            memory.pitfall = Some(Pitfall { tried: tried.to_owned(), instead, expires_ms });
            memory
        };
        let traps = [
            trap("old", "cargo test", 5),
            trap("now", "cargo test", 50),
            trap("vendor", "edit vendor", 50),
            memory("m"),
        ];
        let exec = |command: &str| Activity::Exec { command: command.to_owned(), argv: Vec::new(), cwd: "/r".into() };
        let patch = |path: &str| Activity::Patch { paths: vec![path.into()] };
        let other = Activity::Other { tool: "x".to_owned(), summary: "cargo test".to_owned() };
        for (activity, expected) in [
            (exec("cd sub && cargo test 2>&1"), Some("now")),
            (exec("cargo test --lib"), None),
            (patch("/r/vendor/a.rs"), Some("vendor")),
            (patch("vendor/a.rs"), Some("vendor")),
            (patch("/r/vendored.rs"), None),
            (exec("edit vendor"), Some("vendor")),
            (other, None),
        ] {
            let found = pitfall(traps.iter(), &activity, Path::new("/r"), 10);
            assert_eq!(found.map(|memory| memory.text.as_str()), expected, "{activity:?}");
        }
        assert_eq!(words(&traps[1]), "now Instead: `just t`");
    }
}
