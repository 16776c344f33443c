//! Commands that are known to write nothing, start nothing of their own and send nothing: they never ask.
//!
//! The list is short on purpose, and looks at options: `sort` reads, `sort -o` writes. Long options are compared as GNU
//! programs do, which take any beginning of a name.

use super::git;
use super::options::is_option_of;
use super::scripts;
use super::shell::{Redirect, Simple, Word};
use super::through::{self, Command, Found, Role};

/// Programs that write nothing whatever they are given.
const PLAIN: &[&str] = &[
    ":",
    "[",
    "[[",
    "b2sum",
    "basename",
    "break",
    "cat",
    "cd",
    "cksum",
    "cmp",
    "comm",
    "continue",
    "cut",
    "df",
    "diff",
    "dirname",
    "du",
    "echo",
    "egrep",
    "exit",
    "expand",
    "expr",
    "false",
    "fgrep",
    "fmt",
    "fold",
    "free",
    "grep",
    "groups",
    "head",
    "id",
    "join",
    "jq",
    "ls",
    "md5sum",
    "nl",
    "nproc",
    "numfmt",
    "od",
    "paste",
    "pgrep",
    "popd",
    "printf",
    "ps",
    "pushd",
    "pwd",
    "readlink",
    "realpath",
    "rev",
    "seq",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "sleep",
    "stat",
    "strings",
    "sum",
    "tac",
    "tail",
    "test",
    "tr",
    "true",
    "tsort",
    "type",
    "uname",
    "unexpand",
    "uptime",
    "wait",
    "wc",
    "whereis",
    "which",
    "whoami",
];

/// Programs that are harmless without these options. Short options stand behind one dash each, long ones behind two.
const WITHOUT: &[(&str, &[&str])] = &[
    ("base64", &["-o", "--output", "-D"]),
    ("date", &["-s", "--set", "-f", "-j"]),
    ("fd", &["-x", "-X", "--exec", "--exec-batch"]),
    ("fdfind", &["-x", "-X", "--exec", "--exec-batch"]),
    ("file", &["-C", "--compile", "-S", "-z", "-Z", "--uncompress", "--uncompress-noreport"]),
    ("rg", &["-z", "--pre", "--hostname-bin", "--search-zip"]),
    ("sort", &["-o", "--output", "--compress-program", "-T", "--temporary-directory", "-S"]),
    ("tree", &["-o", "-R", "--output"]),
];

/// Programs whose second name of a file is one they write.
const READS_ONE: &[&str] = &["uniq", "xxd"];

/// Programs that may be asked for their version.
const VERSIONED: &[&str] = &[
    "bash", "bun", "cargo", "clang", "cmake", "deno", "docker", "gcc", "gh", "git", "go", "java", "make", "node",
    "npm", "php", "pip", "pip3", "pnpm", "python", "python3", "ruby", "rustc", "rustup", "tsc", "uv", "yarn", "zsh",
];

/// What `find` does besides finding.
const FIND_ACTS: &[&str] = &["-delete", "-ok", "-okdir", "-fls", "-fprint", "-fprint0", "-fprintf"];

/// Where programs are that are what their name says.
const FOLDERS: &[&str] = &["/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/"];

/// Why not all of `found` is known to read only; `None` when it is.
#[must_use]
pub fn objection(found: &Found) -> Option<String> {
    if let Some(reason) = found.unknown {
        return Some(format!("not all of it is understood: {reason}"));
    }
    if found.commands.is_empty() {
        return Some("there is no command".into());
    }
    // A repository's own configuration can make git run programs: only the one at hand is known.
    let elsewhere = found.commands.iter().any(|command| goes_elsewhere(&command.simple));
    found.commands.iter().find_map(|command| objection_to(command, elsewhere))
}

/// Whether a single command, apart from what it runs, is known to read only.
#[must_use]
pub fn is_read_only(command: &Command) -> bool {
    objection_to(command, false).is_none()
}

fn goes_elsewhere(simple: &Simple) -> bool {
    let moves = simple.words.first().is_some_and(|word| matches!(&*word.text, "cd" | "pushd" | "popd"));
    moves
        && simple
            .words
            .iter()
            .skip(1)
            .any(|word| !word.fixed || word.text.starts_with(['/', '~', '-']) || word.text.contains(".."))
}

fn objection_to(command: &Command, elsewhere: bool) -> Option<String> {
    let simple = &command.simple;
    if let Some(redirect) = simple.redirects.iter().find_map(objection_to_redirect) {
        return Some(redirect);
    }
    if let Some(assign) = simple.assigns.iter().find(|assign| !through::is_harmless(assign)) {
        let name = assign.text.split('=').next().unwrap_or_default();
        return Some(format!("the variable {name} may change what it does"));
    }
    let Some((program, args)) = simple.words.split_first() else {
        return (!simple.redirects.is_empty() || simple.assigns.is_empty()).then(|| "it has no program".into());
    };
    let shown = shown(&program.text);
    match command.role {
        Role::Wrapper => return None,
        Role::Changer => return Some(format!("`{shown}` changes how it runs")),
        Role::Work => {}
    }
    let name = FOLDERS.iter().find_map(|folder| program.text.strip_prefix(folder)).unwrap_or(&program.text);
    if name == "git" && elsewhere {
        return Some("`git` runs in another folder, whose own configuration is not known".into());
    }
    let known = is_known(name, args);
    (!known).then(|| match is_listed(name) {
        true => format!("`{shown}` is not known to read only when called like this"),
        false => format!("`{shown}` is not known to read only"),
    })
}

fn shown(program: &str) -> String {
    let plain: String = program.chars().filter(|c| !c.is_control()).take(40).collect();
    plain
}

fn objection_to_redirect(redirect: &Redirect) -> Option<String> {
    const NOWHERE: &[&str] = &["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"];
    match redirect {
        Redirect::Text(_) => None,
        Redirect::Read(word)
            if word.fixed && !word.text.starts_with("/dev/tcp") && !word.text.starts_with("/dev/udp") =>
        {
            None
        }
        Redirect::Read(_) => Some("where its input comes from is only known when it runs".into()),
        Redirect::Write(word) if word.fixed && NOWHERE.contains(&&*word.text) => None,
        Redirect::Write(word) => Some(format!("it writes to {}", shown(&word.text))),
    }
}

fn is_listed(name: &str) -> bool {
    matches!(name, "git" | "sed" | "awk" | "gawk" | "mawk" | "find" | "set" | "command" | "uniq" | "xxd")
        || WITHOUT.iter().any(|(listed, _)| *listed == name)
}

fn is_known(name: &str, args: &[Word]) -> bool {
    if PLAIN.contains(&name) {
        return name != "printf" || args.first().is_none_or(|word| word.fixed && !word.text.starts_with("-v"));
    }
    if VERSIONED.contains(&name) && matches!(args, [only] if only.fixed && only.text == "--version") {
        return true;
    }
    if let Some((_, options)) = WITHOUT.iter().find(|(listed, _)| *listed == name) {
        return !args.iter().any(|word| is_option_of(word, options)) && (name != "date" || only_formats(args));
    }
    match name {
        "git" => git::is_read_only(args),
        "sed" => scripts::sed_reads_only(args),
        "awk" | "gawk" | "mawk" => scripts::awk_reads_only(args),
        "find" => !args.iter().any(|word| word.may_be_option || FIND_ACTS.contains(&&*word.text)),
        "command" => args.first().is_some_and(|word| matches!(&*word.text, "-v" | "-V")),
        "set" => args.iter().all(|word| {
            let letters = word.text.trim_start_matches(['-', '+']);
            word.fixed && (letters == "pipefail" || letters.chars().all(|c| matches!(c, 'e' | 'u' | 'o' | 'x')))
        }),
        _ if READS_ONE.contains(&name) => {
            args.iter().all(|word| word.fixed && !word.text.starts_with("-r"))
                && args.iter().filter(|word| !word.text.starts_with('-')).count() <= 1
        }
        _ => false,
    }
}

/// `date` sets the clock from what does not begin with a plus sign.
fn only_formats(args: &[Word]) -> bool {
    args.iter().all(|word| {
        word.text.starts_with(['-', '+']) && word.fixed || word.text.starts_with('+') && !word.may_be_option
    })
}

/// Whether a command is no more than its words: nothing set for it, nothing written by a redirection.
#[must_use]
pub fn is_plain(simple: &Simple) -> bool {
    simple.assigns.iter().all(through::is_harmless)
        && simple.redirects.iter().all(|one| objection_to_redirect(one).is_none())
}
