//! Joins a session with what is learned: which store, under which settings, and who keeps the turns.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::provider;
use super::recall::PastSessions;
use super::setup::Prepared;
use crate::agent::ports::{Clock, Observer};
use crate::config::Loaded;
use crate::config::repo::Project;
use crate::config::schema::{self, Config};
use crate::evolution::observe::{Surroundings, record};
use crate::evolution::ports::Store;
use crate::evolution::settings::{EvolutionSettings, Mode, Trigger};
use crate::protocol::learned::TurnKind;
use crate::protocol::trace::TurnTrace;
use crate::store::DiskStore;

/// What is learned in one folder.
#[derive(Clone)]
pub struct Learning {
    /// Where it is kept.
    pub store: Arc<DiskStore>,
    /// How much of it there may be.
    pub settings: EvolutionSettings,
    /// The folder that paths are relative to.
    pub root: PathBuf,
    project: String,
    user_home: Option<PathBuf>,
    clock: Arc<dyn Clock>,
    secrets: Arc<[String]>,
}

impl Learning {
    /// What is learned where a session works; `None` when nothing is.
    #[must_use]
    pub fn of(prepared: &Prepared, clock: Arc<dyn Clock>) -> Option<Self> {
        Self::at(&prepared.loaded, &prepared.setup.cwd, clock)
    }

    /// What is learned in a folder, for whoever keeps no turns of it; `None` when nothing is.
    #[must_use]
    pub fn at(loaded: &Loaded, folder: &Path, clock: Arc<dyn Clock>) -> Option<Self> {
        Some(Self::told(loaded, folder, clock)).filter(|learning| learning.settings.mode != Mode::Off)
    }

    /// What is learned in a folder, whatever the mode: for the person who asks.
    #[must_use]
    pub fn told(loaded: &Loaded, folder: &Path, clock: Arc<dyn Clock>) -> Self {
        let settings = settings(&loaded.config);
        let Project { id, root } = Project::of(folder);
        let store = Arc::new(DiskStore::new(loaded.home.dir(), &id, Arc::clone(&clock)));
        let user_home = loaded.home.user().map(Path::to_owned);
        Self { store, settings, root, project: id, user_home, clock, secrets: provider::secrets(loaded).into() }
    }

    /// The same for every project that something is known of, by their ids. One whose folder is not there any more, or is another
    /// project's now, has a root that is no folder.
    #[must_use]
    pub fn all_projects(&self) -> Vec<Self> {
        let folder = self.store.home().join("hone/projects");
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut ids: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        ids.sort_unstable();
        let of = |id: String| {
            let store = Arc::new(DiskStore::new(self.store.home(), &id, Arc::clone(&self.clock)));
            let root = if id == self.project { self.root.clone() } else { root_of(&id, store.as_ref()) };
            Self { store, root, project: id, ..self.clone() }
        };
        ids.into_iter().map(of).collect()
    }

    /// What was said and done in past sessions.
    #[must_use]
    pub fn past_sessions(&self) -> PastSessions {
        PastSessions::new(self.store.home(), &self.project, Arc::clone(&self.secrets))
    }

    /// Where loaders look for skills, those of other programs included.
    #[must_use]
    pub fn skill_roots(&self) -> Vec<PathBuf> {
        let home = self.store.home();
        let of_project = [".codex/skills", ".agents/skills"].map(|folder| self.root.join(folder));
        let mut roots = vec![home.join("skills"), home.join("skills/.system")];
        roots.extend(of_project);
        roots.extend(self.user_home.as_ref().map(|user| user.join(".agents/skills")));
        roots
    }

    /// The project's id.
    #[must_use]
    pub fn name(&self) -> String {
        self.project.clone()
    }

    /// Who keeps the turns of a session that is recorded at `rollout`.
    #[must_use]
    pub fn observer(&self, rollout: PathBuf) -> Arc<dyn Observer> {
        Arc::new(TurnKeeper { learning: self.clone(), rollout, told: Mutex::default() })
    }
}

/// The folder of a project, by where its newest turns were; a path that is nowhere when it is not there.
fn root_of(id: &str, store: &dyn Store) -> PathBuf {
    let turns = store.turns().unwrap_or_default();
    let mut folders: Vec<&Path> = turns.iter().rev().map(|turn| turn.cwd.as_path()).collect();
    folders.dedup();
    let there = folders.into_iter().filter(|folder| folder.is_dir()).map(Project::of);
    there.into_iter().find(|project| project.id == id).map(|project| project.root).unwrap_or_default()
}

/// The settings of learning in a configuration.
#[must_use]
pub fn settings(config: &Config) -> EvolutionSettings {
    let evolution = &config.evolution;
    EvolutionSettings {
        mode: match evolution.mode {
            schema::EvolutionMode::Off => Mode::Off,
            schema::EvolutionMode::Observe => Mode::Observe,
            schema::EvolutionMode::Suggest => Mode::Suggest,
            schema::EvolutionMode::Auto => Mode::Auto,
        },
        trigger: match evolution.trigger {
            schema::EvolutionTrigger::AfterTurn => Trigger::AfterTurn,
            schema::EvolutionTrigger::Scheduled => Trigger::Scheduled,
            schema::EvolutionTrigger::Manual => Trigger::Manual,
        },
        model_reviewer: evolution.reviewer == schema::Reviewer::Model,
        review_model: evolution.review_model.clone(),
        daily_tokens: evolution.daily_tokens,
        review_requests: evolution.review_requests,
        review_tokens: evolution.review_tokens,
        review_ms: evolution.review_ms,
        review_turns: evolution.review_turns,
        start_tokens: evolution.start_tokens,
        recall_tokens: evolution.recall_tokens,
        withhold_percent: evolution.withhold_percent.min(100),
    }
}

/// Keeps the turns of one session.
struct TurnKeeper {
    learning: Learning,
    rollout: PathBuf,
    /// What the person was told of trouble already.
    told: Mutex<Option<String>>,
}

impl Observer for TurnKeeper {
    fn turn_ended(&self, trace: TurnTrace) -> Option<String> {
        let secrets: Vec<&str> = self.learning.secrets.iter().map(String::as_str).collect();
        let around = Surroundings {
            kind: TurnKind::Person,
            rollout: Some(self.rollout.clone()),
            root: &self.learning.root,
            secrets: &secrets,
        };
        let error = self.learning.store.append_turn(&record(trace, &around)).err()?;
        let message = format!("nothing is learned from this turn: {error}");
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        (told.as_ref() != Some(&message)).then(|| told.insert(message).clone())
    }
}
