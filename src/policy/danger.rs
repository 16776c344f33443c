//! What is called out, whatever else allows it: losses beyond the work at hand, and ways to be had by a stranger's text.

use std::path::Path;

use super::places;
use super::readonly;
use super::settings::Settings;
use super::shell::{Redirect, Simple, Word};
use super::through::{self, Command, Found, base};

/// Programs that fetch what others wrote.
const FETCHERS: &[&str] = &["curl", "wget", "fetch", "aria2c", "http", "https"];

/// Programs that make text of what cannot be read.
const DECODERS: &[&str] = &["base64", "base32", "xxd", "openssl", "gunzip", "zcat", "rev", "tr"];

const INTERPRETERS: &[&str] = &["python", "python3", "perl", "ruby", "node", "php", "bun", "deno"];

/// Programs that change disks or the machine as a whole.
const OF_THE_MACHINE: &[(&str, &str)] = &[
    ("blkdiscard", "it erases a disk"),
    ("cfdisk", "it changes a disk's partitions"),
    ("fdisk", "it changes a disk's partitions"),
    ("halt", "it stops the machine"),
    ("parted", "it changes a disk's partitions"),
    ("poweroff", "it stops the machine"),
    ("reboot", "it stops the machine"),
    ("sfdisk", "it changes a disk's partitions"),
    ("shutdown", "it stops the machine"),
    ("visudo", "it changes who may act as root"),
    ("wipefs", "it erases a disk"),
];

/// git's keys whose values are programs.
const GIT_RUNS: &[&str] = &[
    "core.hookspath",
    "core.fsmonitor",
    "core.sshcommand",
    "core.pager",
    "core.editor",
    "core.gitproxy",
    "diff.external",
    "credential.helper",
    "sequence.editor",
    "gpg.program",
];

/// What is dangerous in a command, in words that follow "dangerous: ".
#[must_use]
pub fn find(argv: &[String], found: &Found, cwd: &Path, settings: &Settings) -> Option<String> {
    if argv.iter().any(|word| is_fork_bomb(word)) {
        return Some("it starts copies of itself without end".into());
    }
    let fetched = found.commands.iter().any(|command| FETCHERS.contains(&program(command)));
    let decoded = found.commands.iter().any(|command| DECODERS.contains(&program(command)));
    if let Some(danger) = found.commands.iter().find_map(|command| of_command(command, cwd, settings)) {
        return Some(danger);
    }
    found.commands.iter().filter(|command| runs_its_input(&command.simple)).find_map(|_| match (fetched, decoded) {
        (true, _) => Some("it runs what it fetches from the network".to_owned()),
        (_, true) => Some("it runs text that cannot be read here".to_owned()),
        _ => None,
    })
}

fn program(command: &Command) -> &str {
    command.simple.words.first().map_or("", |word| base(&word.text))
}

fn is_fork_bomb(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).take(4096).collect();
    plain.match_indices("(){").any(|(at, _)| {
        // Without blanks, a word before the name is joined to it.
        let before: Vec<char> = plain[..at].chars().rev().take_while(|c| !";&|{}()'\"".contains(*c)).take(20).collect();
        (1..=before.len()).any(|length| {
            let name: String = before[..length].iter().rev().collect();
            plain[at..].contains(&format!("{name}|{name}&"))
        })
    })
}

/// Whether it is an interpreter whose program comes from its input or from what was substituted.
fn runs_its_input(simple: &Simple) -> bool {
    let Some((program, args)) = simple.words.split_first() else { return false };
    let name = base(&program.text);
    let substituted = args.iter().any(|word| word.text.contains("(…)"));
    if matches!(name, "eval" | "source" | ".") {
        return substituted;
    }
    let interprets = through::is_shell(name) || INTERPRETERS.contains(&name);
    let takes_input =
        args.iter().all(|word| word.text.starts_with('-') && !word.text.contains('c') || word.text == "/dev/stdin")
            || args.iter().any(|word| word.text == "-s");
    interprets && (substituted || simple.piped && takes_input)
}

fn of_command(command: &Command, cwd: &Path, settings: &Settings) -> Option<String> {
    let simple = &command.simple;
    for redirect in &simple.redirects {
        if let Redirect::Write(word) = redirect
            && let Some(danger) = of_target(&word.text)
        {
            return Some(danger);
        }
        if let Redirect::Write(word) | Redirect::Read(word) = redirect
            && (word.text.starts_with("/dev/tcp/") || word.text.starts_with("/dev/udp/"))
        {
            return Some("it joins a program to the network".into());
        }
    }
    let (program, args) = simple.words.split_first()?;
    let name = base(&program.text);
    let has = |letter: char, long: &str| args.iter().any(|word| is_flag(word, letter, long));
    let told = match name {
        "rm" if has('r', "recursive") || has('R', "recursive") || has('f', "force") => removes(args, cwd, settings),
        "find" | "gfind" if args.iter().any(|word| word.text == "-delete") => {
            args.first().filter(|word| !word.text.starts_with('-')).and_then(|word| {
                places::loss(&word.text, cwd, settings)
                    .filter(|what| *what != "the whole workspace")
                    .map(|what| format!("it deletes in {what}"))
            })
        }
        "chmod" | "chown" | "chgrp" => changes_rights(name, args, cwd, settings),
        "dd" => args.iter().find_map(|word| of_target(word.text.strip_prefix("of=")?)),
        "git" => of_git(args),
        "kill" | "pkill" | "killall"
            if args.iter().any(|word| word.text == "-1") && args.len() > 1 && name == "kill" =>
        {
            Some("it ends every program of the person".into())
        }
        "init" | "telinit" if args.iter().any(|word| matches!(&*word.text, "0" | "6")) => {
            Some("it stops the machine".into())
        }
        "crontab" if !has('l', "list") => Some("it changes what runs by itself".into()),
        "docker" | "podman" if args.iter().any(|word| word.text == "--privileged" || word.text.starts_with("/:")) => {
            Some("it gives a container the whole machine".into())
        }
        "nc" | "ncat" | "netcat" if has('e', "exec") || has('c', "sh-exec") => {
            Some("it joins a program to the network".into())
        }
        _ if name.starts_with("mkfs") || name == "mke2fs" || name == "mkswap" => Some("it erases a disk".into()),
        _ => OF_THE_MACHINE.iter().find(|(listed, _)| *listed == name).map(|(_, what)| (*what).to_owned()),
    };
    told.or_else(|| writes_sensitive(command, name, args))
}

fn is_flag(word: &Word, letter: char, long: &str) -> bool {
    match word.text.strip_prefix("--") {
        Some(name) => !name.is_empty() && long.starts_with(name),
        None => word.text.strip_prefix('-').is_some_and(|letters| letters.contains(letter)),
    }
}

fn removes(args: &[Word], cwd: &Path, settings: &Settings) -> Option<String> {
    args.iter().filter(|word| !word.text.starts_with('-')).find_map(|word| {
        places::loss(&word.text, cwd, settings).map(|what| format!("it deletes {what} without a question"))
    })
}

fn changes_rights(name: &str, args: &[Word], cwd: &Path, settings: &Settings) -> Option<String> {
    let deep = args.iter().any(|word| is_flag(word, 'R', "recursive"));
    let mut rest = args.iter().filter(|word| !word.text.starts_with('-'));
    let mode = rest.next()?.text.as_str();
    if name == "chmod" && (mode.contains("+s") || mode.len() == 4 && mode.starts_with(['2', '4', '6'])) {
        return Some("it lets others act with the owner's rights".into());
    }
    rest.filter(|_| deep).find_map(|word| {
        places::loss(&word.text, cwd, settings)
            .filter(|what| *what != "the whole workspace" || mode == "777")
            .map(|what| format!("it changes the rights of {what}"))
    })
}

fn of_git(args: &[Word]) -> Option<String> {
    let words: Vec<String> = args.iter().map(|word| word.text.to_lowercase()).collect();
    let runs = |word: &String| {
        let key = word.split('=').next().unwrap_or_default();
        GIT_RUNS.contains(&key)
            || key.starts_with("alias.")
            || [".textconv", ".clean", ".smudge", ".process"].iter().any(|end| key.ends_with(end)) && key.contains('.')
    };
    let sets = words.iter().any(|word| word == "config") && !words.iter().any(|word| word.starts_with("--get"));
    if (sets || words.iter().any(|word| word == "-c")) && words.iter().any(runs) {
        return Some("it tells git which programs to run".into());
    }
    let push = words.iter().position(|word| word == "push")?;
    let forced = args[push..].iter().any(|word| {
        let text = word.text.as_str();
        is_flag(word, 'f', "force")
            || text.starts_with("--force")
            || text.starts_with("--mirror")
            || text.starts_with("--delete")
            || text == "-d"
            || text.starts_with('+')
            || text.starts_with(':') && text.len() > 1
    });
    forced.then(|| "it overwrites or deletes what others have in the remote repository".into())
}

/// A place no command should write to.
fn of_target(text: &str) -> Option<String> {
    const DEVICES: &[&str] = &["sd", "hd", "vd", "nvme", "disk", "mmcblk", "xvd", "mem", "kmem", "mapper"];
    let device = text.strip_prefix("/dev/").is_some_and(|device| DEVICES.iter().any(|kind| device.starts_with(kind)));
    match device {
        true => Some("it writes to a disk itself".into()),
        false => places::sensitive(text).map(|what| format!("it may write {what}")),
    }
}

/// Whether a command that may write names what nobody but the person should.
fn writes_sensitive(command: &Command, name: &str, args: &[Word]) -> Option<String> {
    let reads =
        matches!(name, "source" | "." | "git" | "rg" | "find" | "gfind" | "awk" | "gawk" | "less" | "more" | "vimdiff");
    // What a wrapper is told is looked at in what it runs.
    if reads || through::is_shell(name) || command.role != through::Role::Work || readonly::is_read_only(command) {
        return None;
    }
    let args = match name {
        // What is copied from is only read.
        "cp" | "scp" | "rsync" if args.len() > 1 => &args[args.len() - 1..],
        _ => args,
    };
    args.iter().find_map(|word| of_target(&word.text))
}
