//! Breaking out: each way is tried in each mode and by each mechanism that works here; without a sandbox, each must
//! succeed. The attacker is this program itself, started by `hone sandbox`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]
#![allow(unsafe_code, reason = "some attacks are system calls")]
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/deps.rs"]
mod deps;

mod attacks;
mod field;
mod limits;
mod session;

use attacks::{ATTACKS, Needs};
use field::Field;
use hone::exec::containment::ladder;
use hone::sandbox::Mechanism;

/// The mechanisms that work here. Of the others it is said why they are not tried.
fn mechanisms() -> Vec<Mechanism> {
    let works = |mechanism: &Mechanism| match ladder().why_not(*mechanism) {
        None => true,
        Some(reason) => {
            println!("skipped: nothing is tried under {}: {reason}", mechanism.name());
            false
        }
    };
    [Mechanism::Landlock, Mechanism::Bubblewrap].into_iter().filter(works).collect()
}

/// What the attacker does when it is the one that was started. Not a test.
#[test]
#[ignore = "it is the attacker, started by the other tests"]
fn attacker() {
    let Ok(name) = std::env::var("ATTACK") else { return };
    attacks::run(&name);
}

#[test]
fn nothing_breaks_out() {
    for mechanism in mechanisms() {
        for mode in ["read-only", "workspace-write"] {
            for attack in ATTACKS {
                let field = Field::new();
                let told = field.attack(attack.name, &["--mode", mode, "--with", mechanism.name()]);
                let place = format!("{} in {mode} by {}", attack.name, mechanism.name());
                assert!(told.contains("CONTAINED"), "{place}: {told}");
                field.assert_untouched(&place);
            }
        }
    }
}

#[test]
fn without_a_sandbox_every_attack_succeeds() {
    for attack in ATTACKS.iter().filter(|attack| attack.needs == Needs::Nothing) {
        let told = Field::new().attack(attack.name, &["--mode", "danger-full-access"]);
        assert!(told.contains("ESCAPED"), "{} proves nothing: {told}", attack.name);
    }
}

#[test]
fn what_is_allowed_works() {
    for mechanism in mechanisms() {
        for work in attacks::WORK {
            let field = Field::new();
            let told = field.attack(work.name, &["--mode", "workspace-write", "--with", mechanism.name()]);
            assert!(told.contains("ESCAPED"), "{} by {}: {told}", work.name, mechanism.name());
        }
    }
}

/// What `docs/sandbox.md` says Landlock alone does less well, and bubblewrap does.
#[test]
fn entries_beside_metadata_are_fixed_under_landlock_alone() {
    for mechanism in mechanisms() {
        let field = Field::new();
        let told = field.attack("top", &["--mode", "workspace-write", "--with", mechanism.name()]);
        let expected = if mechanism == Mechanism::Landlock { "CONTAINED" } else { "ESCAPED" };
        assert!(told.contains(expected), "{}: {told}", mechanism.name());
        // Nothing is left of what bubblewrap puts in the place of missing folders.
        assert!(!field.workspace().join(".codex").exists() && !field.workspace().join(".agents").exists());
    }
}

#[test]
fn a_folder_without_metadata_may_get_it_under_landlock_alone_only() {
    for mechanism in mechanisms() {
        let field = Field::new();
        std::fs::remove_dir_all(field.workspace().join(".git")).unwrap();
        let told = field.attack("new-metadata", &["--mode", "workspace-write", "--with", mechanism.name()]);
        let expected = if mechanism == Mechanism::Landlock { "ESCAPED" } else { "CONTAINED" };
        assert!(told.contains(expected), "{}: {told}", mechanism.name());
    }
}
