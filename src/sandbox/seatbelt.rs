//! The sandbox of macOS, as a profile for `sandbox-exec`.
//!
//! Later rules win over earlier ones. Paths are literal strings of the profile's language, which is Scheme's.

use std::fmt::Write;
use std::path::Path;

use super::spec::{Mode, SandboxSpec};

/// The program that takes the profile.
pub const PROGRAM: &str = "/usr/bin/sandbox-exec";

/// What every command may do: run, look, talk to its own kind, and write where nothing is kept.
const BASE: &str = r#"(version 1)
(deny default)
(allow process-exec)
(allow process-fork)
(allow signal (target same-sandbox))
(allow process-info* (target same-sandbox))
(allow sysctl-read)
(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))
(allow mach-lookup (global-name "com.apple.PowerManagement.control"))
(allow ipc-posix-sem)
(allow pseudo-tty)
(allow file-read*)
(allow file-ioctl (regex #"^/dev/tty.*"))
(allow file-write* (literal "/dev/null") (literal "/dev/zero") (regex #"^/dev/tty.*") (regex #"^/dev/fd/.*"))
"#;

/// The profile that enforces `spec`. Its paths have to be real ones: the system follows links before it asks.
#[must_use]
pub fn profile(spec: &SandboxSpec) -> String {
    let mut profile = BASE.to_owned();
    let mut rule = |rule: &str, path: &Path| {
        // Writing to a text cannot fail.
        let _infallible = writeln!(profile, "({rule} (subpath {}))", literal(path));
    };
    if spec.mode == Mode::WorkspaceWrite {
        spec.writable.iter().for_each(|root| rule("allow file-write*", root));
        spec.read_only.iter().for_each(|path| rule("deny file-write*", path));
    }
    spec.denied_reads.iter().for_each(|path| rule("deny file-read* file-write*", path));
    if spec.network {
        profile.push_str("(allow network*)\n(allow system-socket)\n(allow mach-lookup)\n");
    }
    profile
}

fn literal(path: &Path) -> String {
    let mut literal = String::from("\"");
    for character in path.to_string_lossy().chars() {
        if matches!(character, '"' | '\\') {
            literal.push('\\');
        }
        literal.push(character);
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_a_profile_go_from_wide_to_narrow() {
        let mut spec = SandboxSpec::new(Mode::ReadOnly);
        assert_eq!(profile(&spec), BASE);
        spec.mode = Mode::WorkspaceWrite;
        spec.writable = vec!["/Users/me/p".into()];
        spec.read_only = vec!["/Users/me/p/.git".into()];
        spec.denied_reads = vec!["/Users/me/.ssh".into()];
        let rules = profile(&spec);
        let rules = rules.strip_prefix(BASE).unwrap();
        assert_eq!(
            rules,
            "(allow file-write* (subpath \"/Users/me/p\"))\n(deny file-write* (subpath \"/Users/me/p/.git\"))\n\
             (deny file-read* file-write* (subpath \"/Users/me/.ssh\"))\n"
        );
        spec.network = true;
        assert!(profile(&spec).ends_with("(allow network*)\n(allow system-socket)\n(allow mach-lookup)\n"));
    }

    #[test]
    fn no_path_ends_the_text_it_is_in() {
        assert_eq!(literal(Path::new("/a\")) (allow default) \\")), r#""/a\")) (allow default) \\""#);
    }
}
