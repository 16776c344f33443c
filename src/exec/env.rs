//! The environment commands run in.
//!
//! Three layers: what the policy lets through of this program's own environment, what a login shell makes of that
//! ([`super::login`], once per shell and only when asked for), and the variables every command gets. Secrets the model's
//! provider is paid with never pass. This program's environment is handed in; nothing here reads it.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;

use super::login::{Login, capture};
use super::process::lock;
use super::sessions::Sessions;
use super::shell;

/// Environment variables by name.
pub type Vars = BTreeMap<OsString, OsString>;

/// What every command gets, whatever else it gets: output without colours, paging or surprises of a language.
pub const FIXED: &[(&str, &str)] = &[
    ("NO_COLOR", "1"),
    ("TERM", "dumb"),
    ("LANG", "C.UTF-8"),
    ("LC_CTYPE", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("COLORTERM", ""),
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    ("GH_PAGER", "cat"),
    ("CODEX_CI", "1"),
];

/// What [`Inherit::Core`] lets through.
const CORE: &[&str] = &["HOME", "LOGNAME", "PATH", "SHELL", "USER", "USERNAME", "TMPDIR", "TEMP", "TMP"];

/// What the default excludes match.
const LIKELY_SECRETS: &[&str] = &["*KEY*", "*SECRET*", "*TOKEN*"];

/// Which variables commands inherit: `shell_environment_policy` of the configuration. Patterns know `*` and `?` and take
/// capitals and small letters for the same.
#[derive(Clone, Debug)]
pub struct EnvPolicy {
    /// What to start from.
    pub inherit: Inherit,
    /// `false` drops what looks like a secret by its name.
    pub ignore_default_excludes: bool,
    /// Patterns of names to drop.
    pub exclude: Vec<String>,
    /// Variables to set.
    pub set: BTreeMap<String, String>,
    /// When not empty: patterns of the only names to keep, those of `set` included.
    pub include_only: Vec<String>,
}

/// What a command's environment starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inherit {
    /// This program's environment.
    #[default]
    All,
    /// What programs need to find their way around.
    Core,
    /// Nothing.
    None,
}

impl Default for EnvPolicy {
    fn default() -> Self {
        Self {
            inherit: Inherit::All,
            ignore_default_excludes: true,
            exclude: Vec::new(),
            set: BTreeMap::new(),
            include_only: Vec::new(),
        }
    }
}

impl EnvPolicy {
    /// What the policy makes of an environment.
    #[must_use]
    pub fn apply(&self, vars: impl IntoIterator<Item = (OsString, OsString)>) -> Vars {
        let default_excludes = if self.ignore_default_excludes { &[] } else { LIKELY_SECRETS };
        let inherited = vars.into_iter().filter(|(name, _)| {
            self.inherits(name) && !matches_any(default_excludes, name) && !matches_any(&self.exclude, name)
        });
        let set = self.set.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let mut vars: Vars = inherited.chain(set).collect();
        if !self.include_only.is_empty() {
            vars.retain(|name, _| matches_any(&self.include_only, name));
        }
        vars
    }

    fn inherits(&self, name: &OsStr) -> bool {
        match self.inherit {
            Inherit::All => true,
            Inherit::Core => matches_any(CORE, name),
            Inherit::None => false,
        }
    }
}

fn matches_any(patterns: &[impl AsRef<str>], name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    patterns.iter().any(|pattern| matches(pattern.as_ref(), &name))
}

/// Whether a name matches a pattern. When a character fails to match, the last `*` takes one character more.
fn matches(pattern: &str, name: &str) -> bool {
    let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (pattern, name) = (lower(pattern), lower(name));
    let (mut p, mut n, mut last_star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                last_star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((star, taken)) = last_star else { return false };
                last_star = Some((star, taken + 1));
                (p, n) = (star + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

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

    fn names(policy: &EnvPolicy) -> String {
        let own = ["HOME", "PATH", "MY_SECRET_KEY", "My_Token", "PASSWORD_X", "EDITOR"];
        let vars = policy.apply(own.map(|name| (name.into(), "own".into())));
        vars.keys().map(|name| name.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_policy_works_in_its_order() {
        let all = EnvPolicy::default();
        assert_eq!(names(&all), "EDITOR HOME MY_SECRET_KEY My_Token PASSWORD_X PATH");
        let careful = EnvPolicy { ignore_default_excludes: false, ..all.clone() };
        assert_eq!(names(&careful), "EDITOR HOME PASSWORD_X PATH");
        let core = EnvPolicy { inherit: Inherit::Core, ..all.clone() };
        assert_eq!(names(&core), "HOME PATH");
        let none = EnvPolicy { inherit: Inherit::None, set: [("A_TOKEN".into(), "1".into())].into(), ..all.clone() };
        assert_eq!(names(&none), "A_TOKEN");
        let only = EnvPolicy { include_only: vec!["p*".into(), "a*".into()], set: none.set.clone(), ..all.clone() };
        assert_eq!(names(&only), "A_TOKEN PASSWORD_X PATH");
        let set_wins =
            EnvPolicy { exclude: vec!["edit?r".into()], set: [("EDITOR".into(), "set".into())].into(), ..all };
        assert_eq!(set_wins.apply([("EDITOR".into(), "own".into())])[OsStr::new("EDITOR")], "set");
    }

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a", "A", true),
            ("*b*c", "abbbcbc", true),
            ("*b*c", "abbbcb", false),
            ("?", "", false),
            ("a**?", "ab", true),
            ("É*", "éa", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

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
