//! Names of session files: `rollout-2026-11-20T19-14-07-<uuid>.jsonl`, in a folder for each day.

use std::path::{Path, PathBuf};

use crate::protocol::ThreadId;

/// Folder of the sessions in use, below `$CODEX_HOME`.
pub(super) const SESSIONS: &str = "sessions";
/// Folder of the sessions put away.
pub(super) const ARCHIVED: &str = "archived_sessions";

const STEM: &str = "rollout-";
const EXTENSION: &str = ".jsonl";
const UUID_LEN: usize = 36;

/// What the name of a session file says. Sorts by time, then id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionName {
    /// When the session began where the person was, `YYYY-MM-DDTHH-MM-SS`.
    pub local_time: String,
    /// The conversation. The file's first line may name another one, which then counts.
    pub id: ThreadId,
}

impl SessionName {
    /// Reads a file's name; `None` when it is no session's.
    #[must_use]
    pub fn parse(file_name: &str) -> Option<Self> {
        let inner = file_name.strip_prefix(STEM)?.strip_suffix(EXTENSION)?;
        let (time, id) = inner.split_at_checked(inner.len().checked_sub(UUID_LEN)?)?;
        Some(Self { local_time: time.strip_suffix('-')?.to_owned(), id: id.parse().ok()? })
    }

    /// Where a session of this name lives.
    #[must_use]
    pub fn path(&self, home: &Path) -> PathBuf {
        let mut path = home.join(SESSIONS);
        let date = self.local_time.split('T').next().unwrap_or_default();
        path.extend(date.split('-'));
        path.join(format!("{STEM}{}-{}{EXTENSION}", self.local_time, self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01a1fca9-d543-7ab3-bf63-8f9139ad288a";

    #[test]
    fn names_go_there_and_back() {
        let name = SessionName { local_time: "2026-11-21T05-52-31".into(), id: ID.parse().unwrap() };
        let path = name.path(Path::new("/h"));
        let file = format!("rollout-2026-11-21T05-52-31-{ID}.jsonl");
        assert_eq!(path, Path::new("/h/sessions/2026/11/21").join(&file));
        assert_eq!(SessionName::parse(&file), Some(name));
    }

    #[test]
    fn other_files_are_no_sessions() {
        for name in [
            "",
            "rollout-.jsonl",
            "notes.jsonl",
            "rollout-2026-x.jsonl",
            "rollout-é1fca9-d543-7ab3-bf63-8f9139ad288a.jsonl",
        ] {
            assert_eq!(SessionName::parse(name), None, "{name}");
        }
        assert_eq!(SessionName::parse(&format!("rollout-2026-11-21T05-52-31-{ID}.jsonl.tmp")), None);
    }
}
