//! Which mechanisms work on this machine: a ladder, the best on top. Every step down is explained.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::spec::{Mode, SandboxSpec};

/// Something that can enforce a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Mounts and namespaces by `bwrap`, with a filter of system calls.
    Bubblewrap,
    /// Landlock, with a filter of system calls.
    Landlock,
    /// `sandbox-exec` of macOS.
    Seatbelt,
}

impl Mechanism {
    /// Its name, as people type it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bubblewrap => "bubblewrap",
            Self::Landlock => "landlock",
            Self::Seatbelt => "seatbelt",
        }
    }

    /// What it does not hold, in sentences. `docs/sandbox.md` says more.
    #[must_use]
    pub fn weaknesses(self, landlock: Option<i32>) -> Vec<&'static str> {
        let version = landlock.unwrap_or(0);
        match self {
            Self::Bubblewrap if version >= 6 => vec![],
            Self::Bubblewrap => vec!["with the network on, abstract sockets of other programs can be reached"],
            Self::Landlock => [
                Some(
                    "in a folder that holds .git, .codex or .agents, commands can change what is there but not add, \
                     rename or remove entries of the folder itself; in one that holds none, they can create them",
                ),
                Some("names in folders that may not be read can still be listed"),
                (version < 6).then_some("processes outside can be sent signals (needs Linux 6.12)"),
                (version < 2).then_some("files cannot be moved between folders (needs Linux 5.19)"),
            ]
            .into_iter()
            .flatten()
            .collect(),
            Self::Seatbelt => vec!["what it does was never tried by Hone's own tests"],
        }
    }
}

/// A mechanism, and whether it works here.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which one.
    pub mechanism: Mechanism,
    /// What was found, or why it does not work.
    pub state: Result<String, String>,
}

/// What was found on this machine.
#[derive(Clone, Debug)]
pub struct Ladder {
    /// The best first.
    pub steps: Vec<Step>,
    /// Where `bwrap` is.
    pub bubblewrap: Option<PathBuf>,
    /// The version of Landlock.
    pub landlock: Option<i32>,
}

impl Ladder {
    /// The best that works.
    #[must_use]
    pub fn best(&self) -> Option<Mechanism> {
        self.steps.iter().find(|step| step.state.is_ok()).map(|step| step.mechanism)
    }

    /// Why `mechanism` does not work; `None` when it does.
    #[must_use]
    pub fn why_not(&self, mechanism: Mechanism) -> Option<String> {
        match self.steps.iter().find(|step| step.mechanism == mechanism) {
            Some(step) => step.state.clone().err(),
            None => Some("it is not for this operating system".to_owned()),
        }
    }

    /// Why nothing works.
    #[must_use]
    pub fn why_nothing(&self) -> String {
        let told: Vec<String> = self
            .steps
            .iter()
            .filter_map(|step| Some(format!("{}: {}", step.mechanism.name(), step.state.as_ref().err()?)))
            .collect();
        if told.is_empty() { "there is no sandbox for this operating system".to_owned() } else { told.join("; ") }
    }
}

/// Runs a program with arguments to its end; the error is what it printed, or why it could not be started.
pub type Run<'a> = &'a dyn Fn(&Path, &[OsString]) -> Result<(), String>;

/// Looks at the machine. `run` starts the one program that has to be tried.
#[cfg(target_os = "linux")]
#[must_use]
pub fn probe(run: Run<'_>) -> Ladder {
    use super::{landlock, seccomp};
    let filter = seccomp::filter(false, false).map_err(|error| error.to_string()).and_then(|_| {
        seccomp::is_supported().then_some(()).ok_or_else(|| "the kernel has no filters of system calls".to_owned())
    });
    let version = landlock::version();
    let by_landlock = filter.clone().and(match version {
        Ok(version) => Ok(format!("version {version} of the kernel's Landlock, filter of system calls")),
        Err(reason) => Err(reason.to_owned()),
    });
    let bubblewrap = BWRAPS.iter().map(PathBuf::from).find(|path| path.is_file());
    let by_bubblewrap = filter.and_then(|()| try_bubblewrap(bubblewrap.as_deref(), run));
    Ladder {
        steps: vec![
            Step { mechanism: Mechanism::Bubblewrap, state: by_bubblewrap },
            Step { mechanism: Mechanism::Landlock, state: by_landlock },
        ],
        bubblewrap,
        landlock: version.ok(),
    }
}

/// Looks at the machine.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn probe(_run: Run<'_>) -> Ladder {
    let there = Path::new(super::seatbelt::PROGRAM).is_file();
    let state =
        if there { Ok("sandbox-exec".to_owned()) } else { Err(format!("{} is not there", super::seatbelt::PROGRAM)) };
    Ladder { steps: vec![Step { mechanism: Mechanism::Seatbelt, state }], bubblewrap: None, landlock: None }
}

/// Where `bwrap` is looked for. Not in `PATH`: a project could put one of its own there.
#[cfg(target_os = "linux")]
const BWRAPS: &[&str] = &["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap", "/run/current-system/sw/bin/bwrap"];

/// Whether it is there says little: what it needs is forbidden on many machines. So it is tried.
#[cfg(target_os = "linux")]
fn try_bubblewrap(bubblewrap: Option<&Path>, run: Run<'_>) -> Result<String, String> {
    let Some(program) = bubblewrap else {
        return Err("the program bwrap is not installed (package `bubblewrap`)".to_owned());
    };
    let mut arguments = super::bubblewrap::arguments(&SandboxSpec::new(Mode::ReadOnly), Path::new("/"));
    arguments.extend(["--", "/bin/sh", "-c", ":"].map(OsString::from));
    match run(program, &arguments) {
        Ok(()) => Ok(format!("{}, filter of system calls", program.display())),
        Err(said) => Err(format!("{} does not work here: {}{}", program.display(), said.trim(), advice(&said))),
    }
}

#[cfg(target_os = "linux")]
fn advice(said: &str) -> &'static str {
    if said.contains("uid map") || said.contains("user namespace") || said.contains("loopback") {
        " (the machine forbids user namespaces: on Ubuntu see `kernel.apparmor_restrict_unprivileged_userns`, elsewhere \
         `user.max_user_namespaces` and `kernel.unprivileged_userns_clone`)"
    } else if said.contains("proc") {
        " (a container that hides parts of /proc does not allow a new one)"
    } else {
        ""
    }
}
