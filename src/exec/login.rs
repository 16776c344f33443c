//! What a login shell makes of the environment.
//!
//! Models expect commands to run in a login shell, where the user's profile has set up version managers and the like. To
//! run the profile for every command would cost more than most commands, so it runs once and what it exported is kept.
//! Aliases and functions of a profile are lost that way; scripts cannot rely on them anyhow.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::env::Vars;
use super::sessions::Sessions;
use super::shell;
use super::spawn::{Launch, SpawnError};

/// How long a profile may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells the environment from what the profile printed before it. No variable can hold the zero bytes around it.
const MARK: &[u8] = b"\0hone login environment\0";

/// Prints the mark and the environment, each variable ended by a zero byte.
const SCRIPT: &str = r"printf '\0hone login environment\0'; exec env -0 2>/dev/null";

/// Variables that are about the shell that was asked, not about the user.
const OWN: &[&str] = &["_", "PWD", "OLDPWD", "SHLVL"];

/// What came of logging in.
pub struct Login {
    /// The environment of commands.
    pub vars: Arc<Vars>,
    /// What the person should know about it.
    pub warning: Mutex<Option<String>>,
}

/// Why there is no login environment.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The shell did not start.
    #[error("the login shell did not start: {0}")]
    Spawn(#[from] SpawnError),
    /// The profile did not come to its end in time.
    #[error("the profile of the login shell {} took more than {} s", .0.display(), PATIENCE.as_secs())]
    Late(PathBuf),
    /// The shell ended without saying what its environment is, as when a profile replaces it by another.
    #[error("the login shell {} ended without telling its environment", .0.display())]
    Silent(PathBuf),
}

/// Runs `shell` as a login shell in the environment `plain` and returns the environment it ends up with. Folders of
/// `plain`'s `PATH` that the profile dropped come last in the new one: `/etc/profile` often sets `PATH` anew, and what was
/// on the caller's must still be found.
///
/// # Errors
/// The profile is no use, see [`LoginError`].
pub async fn capture(shell: &Path, plain: &Arc<Vars>, sessions: &Sessions) -> Result<Vars, LoginError> {
    let home = plain.get(OsStr::new("HOME")).map(PathBuf::from).filter(|home| home.is_dir());
    let launch = Launch {
        argv: shell::argv(shell, true, SCRIPT),
        cwd: home.unwrap_or_else(|| PathBuf::from("/")),
        vars: Arc::clone(plain),
        thread_id: String::new(),
        call_id: String::new(),
        tty: false,
        sandbox: None,
    };
    let running = sessions.start(&launch)?;
    let ended = tokio::time::timeout(PATIENCE, running.process().ended()).await;
    ended.map_err(|_elapsed| LoginError::Late(shell.to_owned()))?;
    let (printed, _exit) = running.process().take();
    if printed.omitted > 0 {
        return Err(LoginError::Silent(shell.to_owned()));
    }
    let printed = [printed.head, printed.tail].concat();
    parse(&printed, plain).ok_or_else(|| LoginError::Silent(shell.to_owned()))
}

/// Reads what the script printed.
fn parse(printed: &[u8], plain: &Vars) -> Option<Vars> {
    let at = printed.windows(MARK.len()).rposition(|window| window == MARK)?;
    let mut vars: Vars = printed[at + MARK.len()..].split(|byte| *byte == 0).filter_map(variable).collect();
    if vars.is_empty() {
        return None;
    }
    for name in OWN {
        vars.remove(OsStr::new(name));
    }
    let path = OsStr::new("PATH");
    if let Some(ours) = plain.get(path) {
        let joined = vars.get(path).map_or_else(|| ours.clone(), |theirs| join_paths(theirs, ours));
        vars.insert(path.to_owned(), joined);
    }
    Some(vars)
}

fn variable(bytes: &[u8]) -> Option<(OsString, OsString)> {
    let equals = bytes.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
    Some((OsString::from_vec(bytes[..equals].to_vec()), OsString::from_vec(bytes[equals + 1..].to_vec())))
}

/// The folders of `first`, then those of `second` that are not among them.
fn join_paths(first: &OsStr, second: &OsStr) -> OsString {
    let known: Vec<&[u8]> = first.as_bytes().split(|byte| *byte == b':').collect();
    let more = second.as_bytes().split(|byte| *byte == b':').filter(|folder| !known.contains(folder));
    OsString::from_vec(known.iter().copied().chain(more).collect::<Vec<_>>().join(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_before_the_environment_is_no_part_of_it() {
        let plain: Vars = [("PATH".into(), "/a:/b".into())].into();
        let printed = b"Welcome\nX=no\n\0hone login environment\0A=1\n2\0B==\0PATH=/c:/a\0_=/usr/bin/env\0PWD=/\0\0";
        let vars = parse(printed, &plain).unwrap();
        let read = |name: &str| vars.get(OsStr::new(name)).map(|value| value.to_str().unwrap());
        assert_eq!((read("A"), read("B"), read("PATH")), (Some("1\n2"), Some("="), Some("/c:/a:/b")));
        assert_eq!(vars.len(), 3);
        assert!(parse(b"Welcome\n", &plain).is_none());
        assert!(parse(MARK, &plain).is_none());
    }
}
