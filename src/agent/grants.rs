//! What the person allowed while a session went on. It outlives the agent that asked: the model or the folder may change.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::policy::rules::{Decision, Rule};
use crate::protocol::event::Activity;
use crate::protocol::{Always, Extra};

/// Where a rule of this kind is said to stand.
const FILE: &str = "this session";

/// What was allowed in a session.
#[derive(Debug, Default)]
pub struct Grants(Mutex<Given>);

/// The same, to look at.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Commands that need no question, by how they begin.
    pub rules: Vec<Rule>,
    /// Files that may be written.
    pub files: Vec<PathBuf>,
    /// What calls may touch besides in the sandbox.
    pub extra: Extra,
    /// Running commands that may be typed into.
    pub typing: Vec<i32>,
    /// Like `extra`, until the turn ends.
    pub this_turn: Extra,
    /// Calls that may run once, as [`what`] names them.
    once: Vec<String>,
}

impl Grants {
    fn given(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was allowed so far.
    #[must_use]
    pub fn look(&self) -> Given {
        self.given().clone()
    }

    /// From now on.
    pub fn add(&self, always: &Always) {
        let mut given = self.given();
        match always {
            Always::Prefix(prefix) if given.rules.iter().any(|rule| words(rule).eq(prefix)) => {}
            Always::Prefix(prefix) => {
                let line = given.rules.len() + 1;
                let pattern = prefix.iter().map(|word| vec![word.clone()]).collect();
                let file = FILE.to_owned();
                given.rules.push(Rule {
                    pattern,
                    decision: Decision::Allow,
                    justification: None,
                    file,
                    line,
                    until: None,
                });
            }
            Always::Files(files) => given.files.extend(files.iter().cloned()),
            Always::Extra(extra) => given.extra.add(extra),
            Always::Typing(id) => given.typing.push(*id),
        }
    }

    /// Until the turn ends.
    pub fn add_for_turn(&self, extra: &Extra) {
        self.given().this_turn.add(extra);
    }

    /// Lets a call that does just this run once without a question.
    pub fn add_once(&self, activity: &Activity) {
        self.given().once.push(what(activity));
    }

    /// Uses up the leave to do this once.
    pub fn take_once(&self, activity: &Activity) -> bool {
        let (mut given, what) = (self.given(), what(activity));
        let found = given.once.iter().position(|known| *known == what);
        found.map(|at| given.once.swap_remove(at)).is_some()
    }

    /// A turn begins: what was for the one before is over.
    pub fn turn_begins(&self) {
        self.given().this_turn = Extra::default();
    }

    /// Takes back the `index`th of what [`Given::rows`] lists; `false` when there is none.
    pub fn revoke(&self, index: usize) -> bool {
        let mut given = self.given();
        let (rules, files) = (given.rules.len(), given.files.len());
        let places = given.extra.writable.len();
        if index < rules {
            given.rules.remove(index);
        } else if index < rules + files {
            given.files.remove(index - rules);
        } else if index < rules + files + places {
            given.extra.writable.remove(index - rules - files);
        } else if index == rules + files + places && given.extra.network {
            given.extra.network = false;
        } else {
            let at = index - rules - files - places - usize::from(given.extra.network);
            if at >= given.typing.len() {
                return false;
            }
            given.typing.remove(at);
        }
        true
    }

    /// A rule that was written down was taken back; what the session remembers of it goes, too.
    pub fn forget(&self, rule: &Rule) {
        self.given().rules.retain(|known| known.pattern != rule.pattern);
    }

    /// Forgets everything: another session begins.
    pub fn clear(&self) {
        *self.given() = Given::default();
    }
}

impl Given {
    /// Each thing that was allowed for the session, in words.
    #[must_use]
    pub fn rows(&self) -> Vec<String> {
        let rules = self.rules.iter().map(|rule| {
            let prefix: Vec<&String> = words(rule).collect();
            format!("run {}", prefix.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" "))
        });
        let write = |path: &PathBuf| format!("write {}", path.display());
        let files = self.files.iter().chain(&self.extra.writable).map(write);
        let network = self.extra.network.then(|| "use the network".to_owned());
        let typing = self.typing.iter().map(|id| format!("type into session {id}"));
        rules.chain(files).chain(network).chain(typing).collect()
    }

    /// What calls may touch besides.
    #[must_use]
    pub fn extra(&self) -> Extra {
        let mut extra = self.extra.clone();
        extra.add(&self.this_turn);
        extra.writable.extend(self.files.iter().cloned());
        extra
    }

    /// Whether the person said that this file may be written.
    #[must_use]
    pub fn covers(&self, file: &Path) -> bool {
        self.extra().has(&Extra { writable: vec![file.to_owned()], network: false })
    }
}

/// What a call does, in words that tell it from another.
#[must_use]
pub fn what(activity: &Activity) -> String {
    match activity {
        Activity::Exec { command, .. } => command.clone(),
        Activity::Patch { paths } => {
            let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            format!("change {}", paths.join(", "))
        }
        Activity::Other { tool, summary } => format!("{tool} {summary}"),
    }
}

fn words(rule: &Rule) -> impl Iterator<Item = &String> {
    rule.pattern.iter().filter_map(|words| words.first())
}
