//! Which variables commands inherit, and which they get whatever they inherit. Pure: this program's environment is handed
//! in.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

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
}
