//! What commands may touch, from the configuration and the command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::Loaded;
use crate::config::schema::{SandboxLimits, SandboxMode};
use crate::config::trust::Trust;
use crate::exec::Containment;
use crate::exec::containment::ladder;
use crate::protocol::{ErrorKind, UserError};
use crate::sandbox::{Limits, Mechanism, Mode, Sandbox, SandboxError, SandboxSpec};

const MEGABYTE: u64 = 1024 * 1024;

/// The mode in force. Where none is named, it is enough to work in folders the person has spoken about, and to read in others:
/// Codex's defaults.
#[must_use]
pub fn mode(loaded: &Loaded) -> Mode {
    match (loaded.config.sandbox_mode, loaded.project.trust) {
        (Some(SandboxMode::ReadOnly), _) | (None, Trust::Unknown) => Mode::ReadOnly,
        (Some(SandboxMode::WorkspaceWrite), _) | (None, Trust::Trusted | Trust::Untrusted) => Mode::WorkspaceWrite,
        (Some(SandboxMode::DangerFullAccess), _) => Mode::DangerFullAccess,
    }
}

/// What is allowed in `mode`. `roots` are the folder of the session and those named beside it.
#[must_use]
pub fn spec<'a>(roots: impl IntoIterator<Item = &'a PathBuf>, loaded: &'a Loaded, mode: Mode) -> SandboxSpec {
    let config = &loaded.config;
    let mut spec = match mode {
        Mode::DangerFullAccess => SandboxSpec::unrestricted(),
        Mode::ReadOnly | Mode::WorkspaceWrite => SandboxSpec::new(mode),
    };
    spec.limits = limits(&config.sandbox_limits);
    if !spec.contains() {
        return spec;
    }
    spec.denied_reads.clone_from(&config.sandbox_denied_reads);
    if mode == Mode::WorkspaceWrite {
        let details = &config.sandbox_workspace_write;
        spec.network = details.network_access;
        for root in roots.into_iter().chain(&details.writable_roots) {
            spec.allow(root, details.protect_metadata);
        }
        if !details.exclude_slash_tmp {
            spec.allow(Path::new("/tmp"), false);
            // Semaphores and memory that processes share are files here on Linux.
            spec.allow(Path::new("/dev/shm"), false);
        }
        let temporary = loaded.env.get_os("TMPDIR").map(Path::new).filter(|folder| folder.is_absolute());
        if let Some(folder) = temporary.filter(|_| !details.exclude_tmpdir_env_var) {
            spec.allow(folder, false);
        }
        // What this program goes by is not for commands to change, wherever it is.
        spec.read_only.push(crate::sandbox::spec::real(loaded.home.dir()));
    }
    spec
}

/// What contains the commands of a session; `None` when nothing is contained or limited.
///
/// # Errors
/// The sandbox that is asked for cannot be had here: it must not look as if it were there.
pub fn prepare<'a>(
    roots: impl IntoIterator<Item = &'a PathBuf>,
    loaded: &'a Loaded,
) -> Result<Option<Containment>, UserError> {
    let spec = spec(roots, loaded, mode(loaded));
    if !spec.contains() && spec.limits == Limits::default() {
        return Ok(None);
    }
    let origin = loaded.origin(&["sandbox_mode"]).map(|origin| format!(" ({origin})")).unwrap_or_default();
    if loaded.config.sandbox_mode.is_none() && ladder().best().is_none() && spec.contains() {
        // Nobody asked for it by name, so what needs no sandbox still works; what needs one is refused.
        return Ok(Some(Sandbox::unenforced(spec).into()));
    }
    new(spec, None).map(Some).map_err(|error| UserError { message: format!("{}{origin}", error.message), ..error })
}

/// A containment by the best mechanism, or by the one asked for.
///
/// # Errors
/// It cannot be had here.
pub fn new(spec: SandboxSpec, mechanism: Option<Mechanism>) -> Result<Containment, UserError> {
    Containment::new(spec, mechanism).map_err(|error| refusal(&error))
}

/// A failure of the sandbox, for people.
#[must_use]
pub fn refusal(error: &SandboxError) -> UserError {
    UserError::new(ErrorKind::Usage, error.to_string()).hint(
        "`hone sandbox --probe` shows what this machine can do; to run commands with your own permissions and no sandbox, \
         add -s danger-full-access",
    )
}

fn limits(limits: &SandboxLimits) -> Limits {
    Limits {
        memory: limits.memory_mb.map(|size| size.saturating_mul(MEGABYTE)),
        processes: limits.processes,
        file_size: limits.file_size_mb.map(|size| size.saturating_mul(MEGABYTE)),
        wall_time: limits.wall_time_sec.map(Duration::from_secs),
    }
}
