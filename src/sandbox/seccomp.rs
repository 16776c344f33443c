//! Network and dangerous system calls, by a filter the kernel asks at every call.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use seccompiler::SeccompCmpArgLen::Dword;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{SeccompAction, SeccompCondition, SeccompFilter, SeccompRule, sock_filter};

use super::error::SandboxError;

/// The first version of Landlock that can keep a file from being emptied.
pub const KNOWS_TRUNCATION: i32 = 3;

/// System calls no command needs: they look into other processes, change what a sandbox is made of, or reach the kernel by a
/// way that no filter sees.
const DANGEROUS: &[libc::c_long] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_fanotify_init,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_lookup_dcookie,
    libc::SYS_vhangup,
];

/// The filter, made once for each answer to what it depends on: the network, and whether emptying files is its business.
pub fn filter(network: bool, truncation: bool) -> Result<Arc<[sock_filter]>, SandboxError> {
    static MADE: [OnceLock<Arc<[sock_filter]>>; 4] = [const { OnceLock::new() }; 4];
    let made = &MADE[usize::from(network) * 2 + usize::from(truncation)];
    if let Some(filter) = made.get() {
        return Ok(Arc::clone(filter));
    }
    let filter = build(network, truncation).map_err(|error| SandboxError::setup("seccomp", error))?;
    Ok(Arc::clone(made.get_or_init(|| filter)))
}

fn build(network: bool, truncation: bool) -> Result<Arc<[sock_filter]>, seccompiler::BackendError> {
    let mut rules: BTreeMap<libc::c_long, Vec<SeccompRule>> =
        DANGEROUS.iter().map(|number| (*number, Vec::new())).collect();
    let namespaces = vec![all(&[(0, MaskedEq(flag(libc::CLONE_NEWUSER)), flag(libc::CLONE_NEWUSER))])?];
    rules.insert(libc::SYS_unshare, namespaces.clone());
    rules.insert(libc::SYS_clone, namespaces);
    // What is typed into a terminal this way runs outside the sandbox.
    let typing = [libc::TIOCSTI, libc::TIOCLINUX].map(|request| all(&[(1, Eq, request)]));
    rules.insert(libc::SYS_ioctl, typing.into_iter().collect::<Result<_, _>>()?);
    if !network {
        rules.append(&mut network_rules()?);
    }
    if truncation {
        rules.append(&mut truncation_rules()?);
    }
    let deny = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules.into_iter().collect(), SeccompAction::Allow, deny, arch)?;
    let filter: seccompiler::BpfProgram = filter.try_into()?;
    Ok(unreadable(truncation).into_iter().chain(filter).collect())
}

/// Sockets of any kind: those of the internet, and those of other programs on this machine, which may do what the command
/// may not. A pair of sockets that are connected to each other is fine, as long as they cannot be made to send elsewhere.
fn network_rules() -> Result<BTreeMap<libc::c_long, Vec<SeccompRule>>, seccompiler::BackendError> {
    let kind = |kind: libc::c_int| (1, MaskedEq(0xF), flag(kind));
    let pairs =
        vec![all(&[(0, Ne, flag(libc::AF_UNIX))])?, all(&[kind(libc::SOCK_DGRAM)])?, all(&[kind(libc::SOCK_RAW)])?];
    Ok(BTreeMap::from([(libc::SYS_socket, Vec::new()), (libc::SYS_socketpair, pairs)]))
}

/// What empties a file without opening it for writing: an old Landlock lets it pass.
fn truncation_rules() -> Result<BTreeMap<libc::c_long, Vec<SeccompRule>>, seccompiler::BackendError> {
    let emptied = |argument| {
        let bits = flag(libc::O_TRUNC | libc::O_ACCMODE);
        all(&[(argument, MaskedEq(bits), flag(libc::O_TRUNC | libc::O_RDONLY))])
    };
    let mut rules = BTreeMap::from([(libc::SYS_truncate, Vec::new()), (libc::SYS_openat, vec![emptied(2)?])]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, vec![emptied(1)?]);
    Ok(rules)
}

/// Calls whose arguments or number the filter cannot read are answered as if the kernel did not have them; programs then
/// take the older way, which can be read. Goes in front of the rest.
fn unreadable(truncation: bool) -> Vec<sock_filter> {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const IF_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    // Numbers of the x32 form of x86-64, a second way to every call.
    const X32: u32 = 0x4000_0000;
    let absent = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    let mut program = vec![sock_filter { code: LOAD, jt: 0, jf: 0, k: 0 }];
    let mut refuse = |code, k| {
        program.push(sock_filter { code, jt: 0, jf: 1, k });
        program.push(sock_filter { code: RETURN, jt: 0, jf: 0, k: absent });
    };
    let number = |call: libc::c_long| u32::try_from(call).unwrap_or(u32::MAX);
    refuse(IF_AT_LEAST, X32);
    refuse(IF_EQUAL, number(libc::SYS_clone3));
    if truncation {
        refuse(IF_EQUAL, number(libc::SYS_openat2));
    }
    program
}

fn flag(bits: libc::c_int) -> u64 {
    u64::from(bits.cast_unsigned())
}

/// A rule that asks all of this of a call: argument, comparison, value.
fn all(conditions: &[(u8, seccompiler::SeccompCmpOp, u64)]) -> Result<SeccompRule, seccompiler::BackendError> {
    let conditions = conditions
        .iter()
        .map(|(argument, comparison, value)| SeccompCondition::new(*argument, Dword, comparison.clone(), *value));
    SeccompRule::new(conditions.collect::<Result<_, _>>()?)
}

/// Whether this kernel takes filters.
#[allow(unsafe_code)]
pub fn is_supported() -> bool {
    let action: u32 = libc::SECCOMP_RET_ERRNO;
    // SAFETY: reads the four bytes of `action`, which outlives the call.
    unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) == 0 }
}

/// The filter as the kernel holds it in memory, which is how bubblewrap takes it.
pub fn bytes(filter: &[sock_filter]) -> Vec<u8> {
    let one = |line: &sock_filter| {
        let [code_0, code_1] = line.code.to_ne_bytes();
        let [k_0, k_1, k_2, k_3] = line.k.to_ne_bytes();
        [code_0, code_1, line.jt, line.jf, k_0, k_1, k_2, k_3]
    };
    filter.iter().flat_map(one).collect()
}
