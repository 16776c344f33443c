//! Files by Landlock: a set of rules the child binds itself to. Rules can only grant, and a grant covers all that is below.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, Scope,
};

use super::carve::around;
use super::error::SandboxError;
use super::spec::{Mode, SandboxSpec, real};

/// What programs open for writing that keeps nothing.
const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// The version of Landlock this kernel has.
///
/// # Errors
/// Why it has none.
#[allow(unsafe_code)]
pub fn version() -> Result<i32, &'static str> {
    const ASK_FOR_VERSION: libc::c_uint = 1;
    // SAFETY: with this flag the call takes no memory.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0_usize, ASK_FOR_VERSION)
    };
    if version > 0 {
        return Ok(i32::try_from(version).unwrap_or(i32::MAX));
    }
    Err(match io::Error::last_os_error().raw_os_error() {
        Some(libc::EOPNOTSUPP) => {
            "the kernel has Landlock but it is switched off (`lsm=` of the kernel's command line)"
        }
        Some(libc::ENOSYS) => "the kernel has no Landlock (it came with Linux 5.13)",
        _ => "the kernel does not let this program use Landlock",
    })
}

/// The rules for files, network and signals: all of the sandbox that Landlock can do.
pub fn rules(spec: &SandboxSpec, version: i32) -> Result<OwnedFd, SandboxError> {
    let abi = ABI::from(version);
    let mut rules = scoped(Ruleset::default().set_compatibility(CompatLevel::HardRequirement), spec, abi)
        .and_then(|rules| rules.handle_access(handled(abi)))
        .and_then(Ruleset::create)
        .map_err(|error| SandboxError::setup("landlock", error))?;
    let holes: Vec<PathBuf> = spec.denied_reads.iter().map(|path| real(path)).collect();
    let reads = AccessFs::from_read(abi);
    for path in around(Path::new("/"), &holes) {
        rules = grant(rules, &path, reads)?;
    }
    if !holes.is_empty() {
        // Names may be seen, even those of what may not be read: otherwise no folder on the way could be listed.
        rules = grant(rules, Path::new("/"), AccessFs::ReadDir.into())?;
    }
    for device in DEVICES {
        rules = grant(rules, Path::new(device), AccessFs::from_file(abi))?;
    }
    for path in writable(spec, holes) {
        rules = grant(rules, &path, handled(abi) & !(AccessFs::MakeChar | AccessFs::MakeBlock))?;
    }
    finish(rules)
}

/// Only what holds signals and sockets back, for use together with a mechanism that has to mount.
pub fn scopes(spec: &SandboxSpec, version: i32) -> Result<Option<OwnedFd>, SandboxError> {
    let abi = ABI::from(version);
    if Scope::from_all(abi).is_empty() {
        return Ok(None);
    }
    let rules = scoped(Ruleset::default().set_compatibility(CompatLevel::HardRequirement), spec, abi)
        .and_then(Ruleset::create)
        .map_err(|error| SandboxError::setup("landlock", error))?;
    finish(rules).map(Some)
}

/// Signals and abstract sockets of others are out of reach; without network, TCP is too.
fn scoped(rules: Ruleset, spec: &SandboxSpec, abi: ABI) -> Result<Ruleset, landlock::RulesetError> {
    let (scopes, net) = (Scope::from_all(abi), AccessNet::from_all(abi));
    let rules = if scopes.is_empty() { rules } else { rules.scope(scopes)? };
    if spec.network || net.is_empty() { Ok(rules) } else { rules.handle_access(net) }
}

/// What Landlock decides. Sockets that are files are left to the filter of system calls, which holds back all of them.
fn handled(abi: ABI) -> BitFlags<AccessFs> {
    AccessFs::from_all(abi) & !AccessFs::ResolveUnix
}

/// What may be written: the roots without what is kept as it is.
fn writable(spec: &SandboxSpec, mut holes: Vec<PathBuf>) -> Vec<PathBuf> {
    if spec.mode != Mode::WorkspaceWrite {
        return Vec::new();
    }
    // A hole counts as it is written and where it leads.
    holes.extend(spec.read_only.iter().flat_map(|path| [path.clone(), real(path)]));
    // What does not exist needs no hole where nothing else does: there is no rule that keeps it from coming into being.
    holes.retain(|hole| hole.symlink_metadata().is_ok());
    spec.writable.iter().flat_map(|root| around(&real(root), &holes)).collect()
}

fn grant(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, SandboxError> {
    // A link that took the entry's place since it was listed is not followed. What is not there, or may not even be looked
    // at, needs no grant.
    let Ok(file) = OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_NOFOLLOW).open(path) else {
        return Ok(rules);
    };
    let kind = file.metadata().map_err(|error| SandboxError::setup("landlock", error))?.file_type();
    // All there is for what is no folder; each kernel knows a part of it.
    let access = if kind.is_dir() { access } else { access & AccessFs::from_file(ABI::V10) };
    if kind.is_symlink() || access.is_empty() {
        return Ok(rules);
    }
    rules.add_rule(PathBeneath::new(file, access)).map_err(|error| SandboxError::setup("landlock", error))
}

fn finish(rules: RulesetCreated) -> Result<OwnedFd, SandboxError> {
    let rules: Option<OwnedFd> = rules.into();
    rules.ok_or_else(|| SandboxError::setup("landlock", "the kernel took no rules"))
}
