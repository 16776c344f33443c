//! Programs that run other programs, and what they run.

use super::shell::{self, Redirect, Script, Simple, Word};

/// So deep may programs run each other.
const DEPTH: u8 = 8;

/// So many commands are told apart.
const MOST: usize = 2000;

/// A command, and whether it is one that runs another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The command.
    pub simple: Simple,
    /// What it does beside running others.
    pub role: Role,
}

/// What a command does beside running others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It does its own work.
    Work,
    /// Nothing: what it runs is in the list too. `env`, `timeout`, `bash -c`, `xargs`.
    Wrapper,
    /// It gives more rights or a life beyond this command, or changes how what it runs works: `sudo`, `env PATH=…`.
    Changer,
}

/// All commands that come of an `argv`, and why there may be more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The commands, those that run others before what they run.
    pub commands: Vec<Command>,
    /// Why there may be more.
    pub unknown: Option<&'static str>,
}

/// What `argv` runs.
#[must_use]
pub fn find(argv: &[String]) -> Found {
    let words = argv.iter().map(Word::fixed).collect();
    let mut found = Found::default();
    found.add(Simple { words, ..Simple::default() }, DEPTH);
    found
}

/// What a program runs.
enum Inside {
    Nothing,
    Words(Vec<Word>, Role),
    Several(Vec<Vec<Word>>),
    Text(String, Role),
    Unknown(&'static str),
}

impl Found {
    fn script(&mut self, script: Script, depth: u8) {
        if let Some(reason) = script.unknown {
            self.unknown.get_or_insert(reason);
        }
        for simple in script.commands {
            self.add(simple, depth);
        }
    }

    fn add(&mut self, simple: Simple, depth: u8) {
        if depth == 0 || self.commands.len() > MOST {
            self.unknown.get_or_insert("commands lie too deep in each other");
            return;
        }
        let inside = inside(&simple);
        let role = match &inside {
            Inside::Words(_, role) | Inside::Text(_, role) => *role,
            Inside::Nothing | Inside::Several(_) | Inside::Unknown(_) => Role::Work,
        };
        let piped = simple.piped;
        // What a wrapper is told in front holds for what it runs as well.
        let assigns = simple.assigns.clone();
        self.commands.push(Command { simple, role });
        match inside {
            Inside::Nothing => {}
            Inside::Words(words, _) => self.add(Simple { words, assigns, piped, ..Simple::default() }, depth - 1),
            Inside::Several(several) => {
                for words in several {
                    self.add(Simple { words, ..Simple::default() }, depth - 1);
                }
            }
            Inside::Text(text, _) => self.script(shell::parse(&text), depth - 1),
            Inside::Unknown(reason) => {
                self.unknown.get_or_insert(reason);
            }
        }
    }
}

/// A program's name without its folder.
#[must_use]
pub fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Whether `name` is a shell whose language is read here.
#[must_use]
pub fn is_shell(name: &str) -> bool {
    matches!(name, "bash" | "sh" | "zsh" | "dash" | "ksh" | "ash" | "mksh")
}

fn inside(simple: &Simple) -> Inside {
    let Some((program, args)) = simple.words.split_first() else { return Inside::Nothing };
    if !program.fixed {
        return Inside::Unknown("what it runs is only known when it runs");
    }
    let after = |taking: &str, role| skip(args, taking, &[], role);
    match base(&program.text) {
        name if is_shell(name) => of_shell(args, &simple.redirects),
        "fish" | "csh" | "tcsh" | "pwsh" | "powershell" | "nu" => Inside::Unknown("that shell's language is not read"),
        "env" => of_env(args),
        "sudo" | "doas" => {
            match skip(args, "ughpCDRTUrt", &["user", "group", "host", "prompt", "chdir"], Role::Changer) {
                Inside::Words(words, role) => Inside::Words(without_assignments(words), role),
                other => other,
            }
        }
        "nohup" | "setsid" | "disown" => after("", Role::Changer),
        "nice" => after("n", Role::Wrapper),
        "ionice" => after("cnpPu", Role::Wrapper),
        "stdbuf" => after("ioe", Role::Wrapper),
        "time" => match args.iter().take_while(|word| word.text.starts_with('-')).all(|word| word.text == "-p") {
            true => after("", Role::Wrapper),
            false => after("of", Role::Changer),
        },
        "timeout" => match after("sk", Role::Wrapper) {
            Inside::Words(words, role) if words.len() > 1 && words[0].fixed => Inside::Words(words[1..].to_vec(), role),
            Inside::Nothing => Inside::Nothing,
            _ => Inside::Unknown("what `timeout` runs cannot be told"),
        },
        "command" if args.iter().any(|word| matches!(&*word.text, "-v" | "-V")) => Inside::Nothing,
        "command" | "builtin" | "noglob" | "nocorrect" => after("", Role::Wrapper),
        "exec" => after("a", Role::Wrapper),
        "busybox" | "toybox" => after("", Role::Wrapper),
        "xargs" => of_xargs(args),
        "find" | "gfind" => of_find(args),
        "eval" => match args.iter().all(|word| word.fixed) {
            true => Inside::Text(joined(args), Role::Wrapper),
            false => Inside::Unknown("what `eval` runs is only known when it runs"),
        },
        "trap" | "watch" => match args.iter().find(|word| !word.text.starts_with('-')) {
            Some(word) if word.fixed => Inside::Text(word.text.clone(), Role::Changer),
            _ => Inside::Nothing,
        },
        "su" | "script" | "flock" => match args.iter().skip_while(|word| word.text != "-c").nth(1) {
            Some(word) if word.fixed => Inside::Text(word.text.clone(), Role::Changer),
            _ => Inside::Nothing,
        },
        _ => Inside::Nothing,
    }
}

fn joined(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// The words behind a wrapper's options. `taking` are its short options with a value, `long` its long ones with a value of
/// their own.
fn skip(args: &[Word], taking: &str, long: &[&str], role: Role) -> Inside {
    let mut rest = args.iter();
    let mut at = 0;
    while let Some(word) = rest.next() {
        if word.may_be_option {
            return Inside::Unknown("what it runs is only known when it runs");
        }
        at += 1;
        if word.text == "--" {
            break;
        }
        let Some(option) = word.text.strip_prefix('-').filter(|option| !option.is_empty()) else {
            at -= 1;
            break;
        };
        let takes = match option.strip_prefix('-') {
            Some(name) => long.contains(&name),
            // A value may be joined to its option.
            None => option.chars().position(|c| taking.contains(c)) == Some(option.chars().count() - 1),
        };
        if takes {
            at += 1;
            rest.next();
        }
    }
    match args.get(at..) {
        Some(words) if !words.is_empty() => Inside::Words(words.to_vec(), role),
        _ => Inside::Nothing,
    }
}

fn is_assignment(word: &Word) -> bool {
    word.text.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.starts_with('-') && !name.contains('/'))
}

fn without_assignments(words: Vec<Word>) -> Vec<Word> {
    words.into_iter().skip_while(is_assignment).collect()
}

fn of_env(args: &[Word]) -> Inside {
    if args.iter().any(|word| word.text.starts_with("-S") || word.text.starts_with("--split")) {
        return Inside::Unknown("`env -S` takes words apart in its own way");
    }
    match skip(args, "uC", &["unset", "chdir"], Role::Wrapper) {
        Inside::Words(words, _) => {
            let (set, rest): (Vec<&Word>, Vec<&Word>) = {
                let count = words.iter().take_while(|word| is_assignment(word)).count();
                (words[..count].iter().collect(), words[count..].iter().collect())
            };
            let harmless = set.iter().all(|word| is_harmless(word)) && !has_folder(args);
            match rest.is_empty() {
                true => Inside::Nothing,
                false => Inside::Words(
                    rest.into_iter().cloned().collect(),
                    if harmless { Role::Wrapper } else { Role::Changer },
                ),
            }
        }
        other => other,
    }
}

fn has_folder(args: &[Word]) -> bool {
    args.iter().take_while(|word| word.text.starts_with('-')).any(|word| word.text != "-i" && word.text != "-u")
}

/// Whether a variable changes no more than how something looks.
#[must_use]
pub fn is_harmless(assignment: &Word) -> bool {
    const HARMLESS: &[&str] =
        &["LC_ALL", "LC_COLLATE", "LC_CTYPE", "LANG", "TZ", "NO_COLOR", "TERM", "COLUMNS", "LINES", "CLICOLOR", "CI"];
    assignment.text.split_once('=').is_some_and(|(name, _)| HARMLESS.contains(&name))
}

fn of_shell(args: &[Word], redirects: &[Redirect]) -> Inside {
    let mut role = Role::Wrapper;
    let mut script = false;
    let mut at = 0;
    while let Some(word) = args.get(at) {
        if word.may_be_option || !word.fixed && word.text.starts_with(['-', '+']) {
            return Inside::Unknown("what it runs is only known when it runs");
        }
        let text = word.text.as_str();
        match text {
            "--" | "-" => {
                at += 1;
                break;
            }
            "--login" | "--norc" | "--noprofile" | "--posix" | "--verbose" => {}
            "--rcfile" | "--init-file" => {
                role = Role::Changer;
                at += 1;
            }
            _ if text.starts_with("--") => return Inside::Unknown("an option of the shell is not known"),
            _ if text.len() > 1 && text.starts_with(['-', '+']) => {
                script |= text.starts_with('-') && text.contains('c');
                at += text.matches(['o', 'O']).count();
                // Otherwise the script would be read from the input, or in another way.
                if text.contains('s') {
                    role = Role::Changer;
                }
            }
            _ => break,
        }
        at += 1;
    }
    match args.get(at) {
        Some(word) if script && word.fixed => Inside::Text(word.text.clone(), role),
        Some(_) if script => Inside::Unknown("what the shell runs is only known when it runs"),
        // A script in a file, or arguments of one that comes from the input.
        Some(_) if role == Role::Wrapper => Inside::Nothing,
        _ => match redirects {
            [Redirect::Text(word)] if word.fixed => Inside::Text(word.text.clone(), role),
            _ => Inside::Unknown("what the shell runs comes from its input"),
        },
    }
}

fn of_xargs(args: &[Word]) -> Inside {
    let found =
        skip(args, "nILPEsdaR", &["max-args", "max-procs", "delimiter", "arg-file", "max-chars"], Role::Wrapper);
    let Inside::Words(mut words, role) = found else { return found };
    let options = &args[..args.len() - words.len()];
    let Some(place) = placeholder(options) else { return Inside::Unknown("what `xargs` replaces cannot be told") };
    for word in words.iter_mut().filter(|word| place.is_some_and(|place| word.text.contains(place))) {
        word.fixed = false;
        word.may_be_option |= place.is_some_and(|place| word.text.starts_with(place)) || word.text.starts_with('-');
    }
    words.push(Word { text: "$input".into(), fixed: false, may_be_option: true });
    Inside::Words(words, role)
}

/// What `xargs -I` replaces: `Some(None)` for nothing, `None` when it cannot be told.
fn placeholder(options: &[Word]) -> Option<Option<&str>> {
    const KNOWN: &[&str] = &["{}", "%", "@", "_"];
    let mut place = None;
    let mut rest = options.iter().map(|word| word.text.as_str());
    while let Some(option) = rest.next() {
        let Some(value) = option.strip_prefix("-I") else {
            let short = option.starts_with('-') && !option.starts_with("--");
            if short && option.contains(['I', 'i']) || option.starts_with("--rep") {
                return None;
            }
            continue;
        };
        let value = if value.is_empty() { rest.next()? } else { value };
        place = Some(*KNOWN.iter().find(|known| **known == value)?);
    }
    Some(place)
}

fn of_find(args: &[Word]) -> Inside {
    let mut several = Vec::new();
    let mut rest = args;
    while let Some(at) = rest.iter().position(|word| matches!(&*word.text, "-exec" | "-execdir" | "-ok" | "-okdir")) {
        let from = &rest[at + 1..];
        let end = from
            .iter()
            .enumerate()
            .position(|(at, word)| word.text == ";" || word.text == "+" && at > 0 && from[at - 1].text == "{}");
        let Some(end) = end else { return Inside::Unknown("what `find` runs does not end") };
        let words = from[..end].iter().map(|word| match word.text.contains("{}") {
            // Names found begin with the folder searched, so that they are no options.
            true => Word { text: word.text.replace("{}", "$found"), fixed: false, may_be_option: false },
            false => word.clone(),
        });
        several.push(words.collect());
        rest = &from[end + 1..];
    }
    if several.is_empty() { Inside::Nothing } else { Inside::Several(several) }
}
