//! What a front end asks for, and the configuration that comes of it.

use std::path::{Path, PathBuf};

use super::{containment, provider};
use crate::config::schema::{ApprovalPolicy, SandboxMode};
use crate::config::trust::Trust;
use crate::config::{self, Environment, LoadRequest, Loaded};
use crate::exec::Containment;
use crate::model::Spare;
use crate::model::catalogue::{self, ModelInfo};
use crate::model::provider::Provider;
use crate::policy::Approval;
use crate::protocol::{ErrorKind, UserError};

/// The model to ask when the person named none and the provider is OpenAI.
const DEFAULT_MODEL: &str = "gpt-5.5";

/// How to run sessions: what came from the command line.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The folder to work in. Absolute.
    pub cwd: PathBuf,
    /// A profile of the configuration.
    pub profile: Option<String>,
    /// `KEY=VALUE` texts of `-c`.
    pub overrides: Vec<String>,
    /// Keys set by flags of their own: key, value, flag.
    pub flags: Vec<(&'static str, String, &'static str)>,
    /// More folders that commands may write in a sandbox. Absolute.
    pub add_dirs: Vec<PathBuf>,
    /// Record nothing.
    pub ephemeral: bool,
    /// Record the model's side of the conversation here.
    pub record: Option<PathBuf>,
    /// Let a tape speak for the model.
    pub replay: Option<Replay>,
    /// The environment to read, in place of the process's own.
    pub environment: Option<Environment>,
    /// How sessions are begun, as recorded: `exec` or `cli`.
    pub source: &'static str,
    /// The person named the folder.
    pub cwd_named: bool,
    /// A provider of the person's own is asked for the usual model when none is named, as Codex does.
    pub assumes_model: bool,
    /// A resumed session brings its folder, model and effort along.
    pub restores: bool,
}

/// A tape that speaks for the model.
#[derive(Clone, Debug)]
pub enum Replay {
    /// A file.
    File(PathBuf),
    /// A text, played at a pace a person can watch.
    Watched(&'static str),
}

/// A setup whose configuration was read and checked. Nothing has started yet.
pub struct Prepared {
    pub(super) setup: Setup,
    pub(super) loaded: Loaded,
    pub(super) provider: Provider,
    pub(super) spares: Vec<Spare>,
    pub(super) slug: String,
    pub(super) model_info: ModelInfo,
    pub(super) containment: Option<Containment>,
}

impl Setup {
    /// The folder to work in, and those that may be written besides.
    pub fn roots(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.cwd).chain(&self.add_dirs)
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// It cannot be read, or says something that cannot be.
    pub fn load(&self) -> Result<Loaded, UserError> {
        let flags = self.flags.iter().map(|(key, value, flag)| ((*key).to_owned(), value.as_str().into(), *flag));
        Ok(config::load(LoadRequest {
            profile: self.profile.clone(),
            overrides: self.overrides.clone(),
            flags: flags.collect(),
            ..LoadRequest::new(&self.cwd, self.environment.clone().unwrap_or_else(Environment::capture))
        })?)
    }

    /// Reads the configuration and checks that a turn can be run with it, so that what is wrong is said before anything is
    /// started or waited for.
    ///
    /// # Errors
    /// The configuration cannot be used, asks for what cannot be had, or names no model to talk to.
    pub fn prepare(self) -> Result<Prepared, UserError> {
        let mut loaded = self.load()?;
        let containment = containment::prepare(self.roots(), &loaded)?;
        let provider = match self.replay {
            Some(_) => Provider::new("tape", "Tape", ""),
            None => provider::resolve(&loaded)?,
        };
        let mut warnings = Vec::new();
        let spares = match self.replay {
            Some(_) => Vec::new(),
            None => provider::spares(&loaded, &mut warnings)?,
        };
        loaded.warnings.extend(warnings);
        let slug = match &loaded.config.model {
            Some(slug) => slug.clone(),
            None if self.assumes_model || matches!(provider.id.as_str(), "openai" | "tape") => DEFAULT_MODEL.to_owned(),
            None => {
                let message = format!("no model is named for the provider {}", provider.id);
                return Err(UserError::new(ErrorKind::Usage, message)
                    .hint("name one with -m MODEL, or with model = \"…\" in config.toml"));
            }
        };
        let model_info = catalogue::lookup(&slug);
        Ok(Prepared { setup: self, loaded, provider, spares, slug, model_info, containment })
    }
}

/// What a person allows while the program runs.
#[derive(Clone, Copy, Debug)]
pub enum Allowed {
    /// Commands may touch this much.
    Sandbox(SandboxMode),
    /// They are asked then.
    Approval(Approval),
    /// They trust the project, or do not.
    Project(bool),
}

impl Prepared {
    /// Takes over what the person allows. The configuration of a project that is trusted now is read at the next start.
    pub(super) fn allow(&mut self, allowed: Allowed) -> Result<(), UserError> {
        let mut loaded = self.loaded.clone();
        match allowed {
            Allowed::Sandbox(mode) => loaded.config.sandbox_mode = Some(mode),
            Allowed::Approval(policy) => {
                loaded.config.approval_policy = Some(match policy {
                    Approval::Untrusted => ApprovalPolicy::Untrusted,
                    Approval::Never => ApprovalPolicy::Never,
                    _ => ApprovalPolicy::OnRequest,
                });
            }
            Allowed::Project(true) => loaded.project.trust = Trust::Trusted,
            Allowed::Project(false) => loaded.project.trust = Trust::Untrusted,
        }
        self.containment = containment::prepare(self.setup.roots(), &loaded)?;
        self.loaded = loaded;
        Ok(())
    }

    /// What contains commands where they work by now.
    pub(super) fn sandbox(&self) -> Option<Containment> {
        let containment = self.containment.as_ref()?;
        let mode = containment.sandbox().spec().mode;
        Some(containment.with(containment::spec(self.setup.roots(), &self.loaded, mode)))
    }

    /// What contains commands, for people.
    pub(super) fn sandbox_name(&self) -> Option<String> {
        let sandbox = self.containment.as_ref()?.sandbox();
        let mode = sandbox.spec().mode.name();
        match sandbox.mechanism() {
            Some(mechanism) => {
                // A session asks what is thought of the project; a run of one turn can only say how to go on.
                let by_default =
                    self.loaded.config.sandbox_mode.is_none() && self.loaded.project.trust == Trust::Unknown;
                let hint =
                    if by_default && self.setup.source == "exec" { "; -s workspace-write lets it write" } else { "" };
                Some(format!("{mode}, by {}{hint}", mechanism.name()))
            }
            None if sandbox.spec().contains() => {
                Some(format!("{mode}, which cannot be had here: commands are refused"))
            }
            None => None,
        }
    }

    /// The configuration.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// The folder to work in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.setup.cwd
    }

    /// The model's slug.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.slug
    }

    /// Whether nothing is recorded.
    #[must_use]
    pub fn is_ephemeral(&self) -> bool {
        self.setup.ephemeral
    }

    /// Chooses another model.
    pub(super) fn choose_model(&mut self, slug: &str) {
        slug.clone_into(&mut self.slug);
        self.model_info = catalogue::lookup(slug);
    }
}
