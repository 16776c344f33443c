//! The sandbox as those know it who start processes: something to attach to a [`Launch`](super::Launch).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use crate::agent::ports::Permit;
use crate::sandbox::spec::{self, WriteDenied};
use crate::sandbox::{Ladder, Mechanism, Mode, Sandbox, SandboxError, SandboxSpec, ladder};

/// What a command may touch, and the mechanism that sees to it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Containment(Arc<Sandbox>);

impl From<Sandbox> for Containment {
    fn from(sandbox: Sandbox) -> Self {
        Self(Arc::new(sandbox))
    }
}

impl Containment {
    /// By the best mechanism this machine has, or the one asked for. The first one looks for mechanisms, which takes as
    /// long as starting a small program.
    ///
    /// # Errors
    /// None works, or not the one asked for.
    pub fn new(spec: SandboxSpec, asked: Option<Mechanism>) -> Result<Self, SandboxError> {
        if spec.contains() {
            return Ok(Self(Arc::new(Sandbox::new(spec, ladder(), asked)?)));
        }
        let nothing = Ladder { steps: Vec::new(), bubblewrap: None, landlock: None };
        Ok(Self(Arc::new(Sandbox::new(spec, &nothing, asked)?)))
    }

    /// The same mechanism for something else that is allowed in the same mode.
    #[must_use]
    pub fn with(&self, spec: SandboxSpec) -> Self {
        Self(Arc::new(self.0.with(spec)))
    }

    /// The sandbox.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.0
    }

    /// Whether the file at `path` may be written on a command's behalf: see [`SandboxSpec::check_write`].
    ///
    /// # Errors
    /// Why not.
    pub fn check_write(&self, path: &Path) -> Result<(), WriteDenied> {
        self.0.spec().check_write(path)
    }
}

/// Where a path really leads, links followed; what does not exist is taken as written.
#[must_use]
pub fn real(path: &Path) -> PathBuf {
    spec::real(path)
}

/// What holds a call with this permit, where `sandbox` holds those of the session.
///
/// Outside the sandbox the limits still hold. With more than a mode that writes nothing allows, there is something to write.
#[must_use]
pub fn for_call(sandbox: Option<&Containment>, permit: &Permit) -> Option<Containment> {
    let sandbox = sandbox?;
    let spec = sandbox.sandbox().spec();
    if !spec.contains() || (permit.contained && permit.extra.is_empty()) {
        return Some(sandbox.clone());
    }
    if !permit.contained {
        let limits = SandboxSpec { limits: spec.limits, ..SandboxSpec::unrestricted() };
        return Containment::new(limits, None).ok().filter(|outside| !outside.sandbox().is_idle());
    }
    let mut spec = spec.clone();
    spec.network |= permit.extra.network;
    if !permit.extra.writable.is_empty() {
        spec.mode = Mode::WorkspaceWrite;
        // A place is given as where it led to when the person was asked: a link put there since gives nothing.
        let as_given = permit.extra.writable.iter().filter(|place| real(place) == **place);
        as_given.for_each(|place| spec.allow(place, false));
    }
    Some(sandbox.with(spec))
}

/// What this machine can enforce. Looked for once.
pub fn ladder() -> &'static Ladder {
    static LADDER: OnceLock<Ladder> = OnceLock::new();
    LADDER.get_or_init(|| ladder::probe(&run))
}

/// Runs a program to its end, for the probe.
fn run(program: &Path, arguments: &[OsString]) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().current_dir("/").stdin(Stdio::null());
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
