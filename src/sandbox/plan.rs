//! A command's start under a mechanism: what is really started, and what the child binds itself to.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::enter::Restrictions;
use super::error::SandboxError;
use super::ladder::{Ladder, Mechanism};
use super::limits::Limits;
use super::mask::Masks;
use super::spec::SandboxSpec;

/// What is allowed, with the mechanism that sees to it.
#[derive(Clone, Debug)]
pub struct Sandbox {
    spec: SandboxSpec,
    /// `None` contains nothing.
    mechanism: Option<Mechanism>,
    bubblewrap: PathBuf,
    landlock: Option<i32>,
}

/// A program to start.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// Its file.
    pub program: &'a Path,
    /// Its arguments, its own name first.
    pub argv: &'a [String],
    /// Where it runs.
    pub cwd: &'a Path,
}

/// A start that is ready.
#[derive(Debug, Default)]
pub struct Prepared {
    /// What to start in the command's place, and with which arguments; `None` starts the command itself.
    pub wrapper: Option<(PathBuf, Vec<OsString>)>,
    /// What the child binds itself to.
    pub restrictions: Restrictions,
    /// To be kept until nothing of the command runs any more.
    pub masks: Masks,
    /// Whether the command ever began, when a wrapper was to start it.
    pub receipt: Option<Receipt>,
}

impl Sandbox {
    /// The best mechanism of `ladder` for `spec`, or the one asked for.
    ///
    /// # Errors
    /// None works, or not the one asked for.
    pub fn new(spec: SandboxSpec, ladder: &Ladder, asked: Option<Mechanism>) -> Result<Self, SandboxError> {
        let mechanism = match asked {
            _ if !spec.contains() => None,
            Some(asked) => match ladder.why_not(asked) {
                Some(reason) => return Err(SandboxError::NotThisOne { mechanism: asked.name(), reason }),
                None => Some(asked),
            },
            None => Some(ladder.best().ok_or_else(|| SandboxError::Unavailable(ladder.why_nothing()))?),
        };
        let bubblewrap = ladder.bubblewrap.clone().unwrap_or_default();
        Ok(Self { spec, mechanism, bubblewrap, landlock: ladder.landlock })
    }

    /// A sandbox that nothing enforces, on a machine that has no mechanism: no command starts in it, but patches can be
    /// checked against it.
    #[must_use]
    pub fn unenforced(spec: SandboxSpec) -> Self {
        Self { spec, mechanism: None, bubblewrap: PathBuf::new(), landlock: None }
    }

    /// The same mechanism for something else that is allowed. A mode that contains something keeps it from being none.
    #[must_use]
    pub fn with(&self, spec: SandboxSpec) -> Self {
        debug_assert_eq!(spec.contains(), self.spec.contains(), "a mechanism is chosen for a mode");
        Self { spec, ..self.clone() }
    }

    /// What is allowed.
    #[must_use]
    pub fn spec(&self) -> &SandboxSpec {
        &self.spec
    }

    /// What enforces it; `None` when nothing is contained.
    #[must_use]
    pub fn mechanism(&self) -> Option<Mechanism> {
        self.mechanism
    }

    /// Whether starting a command as it is would do: nothing is contained, nothing limited.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.spec.contains() && self.spec.limits == Limits::default()
    }

    /// Prepares a start. Every start needs its own.
    ///
    /// # Errors
    /// The operating system refuses something.
    pub fn prepare(&self, command: Command<'_>) -> Result<Prepared, SandboxError> {
        let mut prepared = match self.mechanism {
            None if self.spec.contains() => {
                let reason = "no mechanism works on this machine".to_owned();
                return Err(SandboxError::Unavailable(reason));
            }
            None => Prepared::default(),
            Some(Mechanism::Landlock) => self.by_landlock()?,
            Some(Mechanism::Bubblewrap) => self.by_bubblewrap(command)?,
            Some(Mechanism::Seatbelt) => self.by_seatbelt(command),
        };
        prepared.restrictions.resources = self.spec.limits.resources();
        Ok(prepared)
    }

    fn by_seatbelt(&self, command: Command<'_>) -> Prepared {
        let mut arguments = vec!["-p".into(), super::seatbelt::profile(&self.spec).into(), "--".into()];
        arguments.extend(command.words());
        Prepared { wrapper: Some((super::seatbelt::PROGRAM.into(), arguments)), ..Prepared::default() }
    }

    #[cfg(target_os = "linux")]
    fn by_landlock(&self) -> Result<Prepared, SandboxError> {
        use super::{landlock, seccomp};
        let version = self.landlock.unwrap_or_default();
        let restrictions = Restrictions {
            landlock: Some(landlock::rules(&self.spec, version)?),
            disarm: true,
            seccomp: Some(seccomp::filter(self.spec.network, version < seccomp::KNOWS_TRUNCATION)?),
            ..Restrictions::default()
        };
        Ok(Prepared { restrictions, ..Prepared::default() })
    }

    /// Bubblewrap has to mount, so that of Landlock it can bear only what leaves files alone, and the filter comes after it.
    #[cfg(target_os = "linux")]
    fn by_bubblewrap(&self, command: Command<'_>) -> Result<Prepared, SandboxError> {
        use super::{bubblewrap, landlock, seccomp};
        use std::os::fd::{AsRawFd, OwnedFd};
        let pipe = || io::pipe().map_err(|source| SandboxError::Setup { step: "pipe", source });
        let ((filter, to_filter), (receipt, to_receipt)) = (pipe()?, pipe()?);
        // A filter is far smaller than what a pipe holds, so that nobody has to read meanwhile.
        io::Write::write_all(&mut { to_filter }, &seccomp::bytes(&seccomp::filter(self.spec.network, false)?))
            .map_err(|source| SandboxError::Setup { step: "filter", source })?;
        let masks = Masks::put(bubblewrap::to_mask(&self.spec));
        let mut arguments = vec!["--seccomp".into(), filter.as_raw_fd().to_string().into()];
        arguments.extend(["--json-status-fd".into(), to_receipt.as_raw_fd().to_string().into()]);
        arguments.extend(bubblewrap::arguments(&self.spec, command.cwd));
        arguments.push("--".into());
        arguments.extend(command.words());
        let handed = vec![File::from(OwnedFd::from(filter)), File::from(OwnedFd::from(to_receipt))];
        let landlock = self.landlock.map(|version| landlock::scopes(&self.spec, version)).transpose()?.flatten();
        Ok(Prepared {
            wrapper: Some((self.bubblewrap.clone(), arguments)),
            restrictions: Restrictions { handed, landlock, ..Restrictions::default() },
            masks,
            receipt: Some(Receipt(File::from(OwnedFd::from(receipt)))),
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn by_landlock(&self) -> Result<Prepared, SandboxError> {
        Err(SandboxError::setup("landlock", "it is not for this operating system"))
    }

    #[cfg(not(target_os = "linux"))]
    fn by_bubblewrap(&self, _: Command<'_>) -> Result<Prepared, SandboxError> {
        Err(SandboxError::setup("bubblewrap", "it is not for this operating system"))
    }
}

impl<'a> Command<'a> {
    /// Its words, the file in place of its own name: wrappers know no other name for it.
    fn words(self) -> impl Iterator<Item = OsString> + 'a {
        let arguments = self.argv.iter().skip(1).map(OsString::from);
        std::iter::once(self.program.as_os_str().to_owned()).chain(arguments)
    }
}

/// Tells whether a wrapper got as far as the command.
#[derive(Debug)]
pub struct Receipt(File);

impl Receipt {
    /// Reads it, after the wrapper has ended by itself.
    #[must_use]
    pub fn command_began(mut self) -> bool {
        let mut text = String::new();
        // Bubblewrap tells the command's exit code, and only if it was executed.
        self.0.read_to_string(&mut text).is_ok() && text.contains("\"exit-code\"")
    }
}
