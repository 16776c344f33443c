//! The environment commands run in.
//!
//! Three layers: what the policy lets through of this program's own environment, what a login shell makes of that
//! ([`super::login`], once per shell and only when asked for), and the variables every command gets. Secrets the model's
//! provider is paid with never pass. This program's environment is handed in; nothing here reads it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;

use super::env::{EnvPolicy, Vars};
use super::login::{Login, capture};
use super::process::lock;
use super::sessions::Sessions;
use super::shell;

/// The environment of commands, for the life of the program.
pub struct CommandEnv {
    plain: Arc<Vars>,
    /// Names that never pass, however they come back.
    withheld: Vec<String>,
    user_shell: PathBuf,
    login_allowed: bool,
    /// What login shells made of `plain`, by shell.
    logins: Mutex<HashMap<PathBuf, Arc<OnceCell<Login>>>>,
}

impl CommandEnv {
    /// From this program's environment. `withheld` are the names that hold the keys of the model's providers; only the
    /// policy's own `set` can bring one of them back. `login_allowed` is `allow_login_shell` of the configuration.
    #[must_use]
    pub fn new(
        vars: impl IntoIterator<Item = (OsString, OsString)>,
        policy: &EnvPolicy,
        withheld: &[String],
        login_allowed: bool,
    ) -> Self {
        let withheld: Vec<String> = withheld.iter().filter(|name| !policy.set.contains_key(*name)).cloned().collect();
        let vars: Vars = vars.into_iter().collect();
        let user_shell = shell::of_user(vars.get(OsStr::new("SHELL")).map(Path::new));
        let mut plain = policy.apply(vars);
        withhold(&mut plain, &withheld);
        Self { plain: Arc::new(plain), withheld, user_shell, login_allowed, logins: Mutex::default() }
    }

    /// The shell to run a command with: the one asked for, if it is one we know, else the user's.
    #[must_use]
    pub fn shell(&self, asked: Option<&str>) -> PathBuf {
        match asked.filter(|asked| !asked.is_empty()) {
            Some(asked) => shell::named(asked, self.plain.get(OsStr::new("PATH")).map(|path| &**path)),
            None => self.user_shell.clone(),
        }
    }

    /// Whether a command asked to run in a login shell (`None`: not said) does.
    #[must_use]
    pub fn wants_login(&self, asked: Option<bool>) -> bool {
        self.login_allowed && asked.unwrap_or(true)
    }

    /// The environment without the user's profile.
    #[must_use]
    pub fn plain(&self) -> Arc<Vars> {
        Arc::clone(&self.plain)
    }

    /// The environment `shell` has as a login shell. The first call for a shell runs it, which takes as long as the user's
    /// profile takes; all others get what it found. With it comes, once, what the person should know about it. When the
    /// profile is no use it is the plain environment.
    pub async fn login(&self, shell: &Path, sessions: &Sessions) -> (Arc<Vars>, Option<String>) {
        let cell = Arc::clone(lock(&self.logins).entry(shell.to_owned()).or_default());
        let login = cell.get_or_init(|| self.log_in(shell, sessions)).await;
        (Arc::clone(&login.vars), lock(&login.warning).take())
    }

    async fn log_in(&self, shell: &Path, sessions: &Sessions) -> Login {
        match capture(shell, &self.plain, sessions).await {
            Ok(mut vars) => {
                withhold(&mut vars, &self.withheld);
                Login { vars: Arc::new(vars), warning: Mutex::default() }
            }
            Err(error) => {
                let warning = format!("{error}; commands run without what your profile sets");
                Login { vars: self.plain(), warning: Mutex::new(Some(warning)) }
            }
        }
    }
}

fn withhold(vars: &mut Vars, names: &[String]) {
    for name in names {
        vars.remove(OsStr::new(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_keys_do_not_pass_unless_the_policy_sets_them() {
        let vars = || [("KEY_A".into(), "a".into()), ("KEY_B".into(), "b".into()), ("C".into(), "c".into())];
        let withheld = ["KEY_A".to_owned(), "KEY_B".to_owned()];
        let policy = EnvPolicy { set: [("KEY_B".into(), "mine".into())].into(), ..EnvPolicy::default() };
        let env = CommandEnv::new(vars(), &policy, &withheld, true);
        let plain = env.plain();
        assert_eq!(plain.len(), 2);
        assert_eq!(plain[OsStr::new("KEY_B")], "mine");
    }
}
