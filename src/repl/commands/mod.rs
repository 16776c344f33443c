//! What the person can ask for besides talking to the model: one file per command, all of them in [`COMMANDS`].
//!
//! A command is a first word that begins with `/`, is longer than that, and has no second `/`. A path such as `/data/x` is a
//! message, and so is everything that begins with a space.

pub mod budget;
pub mod cd;
pub mod compact;
pub mod context;
pub mod copy;
pub mod diff;
pub mod effort;
pub mod evolve;
pub mod exit;
pub mod export;
pub mod fork;
pub mod help;
pub mod history;
pub mod init;
pub mod memory;
pub mod model;
pub mod new;
pub mod permissions;
pub mod ps;
pub mod queue;
pub mod resume;
pub mod show;
pub mod skills;
pub mod status;
pub mod stop;
pub mod title;
pub mod undo;

use super::console::Console;
use crate::agent::ports::BoxFuture;

/// Something the person can ask for.
pub struct Command {
    /// Its name, with the slash.
    pub name: &'static str,
    /// Further names.
    pub aliases: &'static [&'static str],
    /// What may follow the name; empty when nothing may.
    pub argument: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// What of it can be had while something runs.
    pub while_busy: WhileBusy,
    /// Does it.
    pub run: for<'a> fn(&'a mut Console, &'a str) -> BoxFuture<'a, ()>,
}

/// What of a command can be had while something runs. The words fit into `Cannot … while work is running or queued.`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhileBusy {
    /// All of it.
    Runs,
    /// Only what it does without an argument, which is to show something.
    Shows(&'static str),
    /// Nothing.
    Refuses(&'static str),
}

/// All commands, in the order in which `/help` shows them.
pub const COMMANDS: &[Command] = &[
    help::COMMAND,
    status::COMMAND,
    model::COMMAND,
    effort::COMMAND,
    budget::COMMAND,
    new::COMMAND,
    resume::COMMAND,
    fork::COMMAND,
    compact::COMMAND,
    context::COMMAND,
    history::COMMAND,
    title::COMMAND,
    queue::COMMAND,
    permissions::COMMAND,
    cd::COMMAND,
    diff::COMMAND,
    undo::COMMAND,
    show::COMMAND,
    copy::COMMAND,
    export::COMMAND,
    memory::COMMAND,
    skills::COMMAND,
    evolve::COMMAND,
    init::COMMAND,
    ps::COMMAND,
    stop::COMMAND,
    exit::COMMAND,
];

/// The command and argument of a text; `None` when it is a message.
#[must_use]
pub fn parse(text: &str) -> Option<(&str, &str)> {
    let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = name.strip_prefix('/')?;
    (!rest.is_empty() && !rest.contains('/')).then_some((name, argument.trim()))
}

/// Whether a text ends the program.
#[must_use]
pub fn leaves(text: &str) -> bool {
    parse(text).and_then(|(name, _)| find(name)).is_some_and(|command| command.name == "/exit")
}

/// All names there are.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> =
        COMMANDS.iter().flat_map(|command| command.aliases.iter().copied().chain([command.name])).collect();
    names.sort_unstable();
    names
}

/// Runs a command.
pub async fn run(console: &mut Console, name: &str, argument: &str) {
    let Some(command) = find(name) else {
        let hint = closest(name).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        return console.say(&format!("Unknown command: {name}.{hint} A space in front sends it as a message."));
    };
    if command.argument.is_empty() && !argument.is_empty() {
        return console.say(&format!("Usage: {}", command.name));
    }
    match command.while_busy {
        WhileBusy::Shows(what) if console.is_busy() && !argument.is_empty() => console.refuse(what),
        WhileBusy::Refuses(what) if console.is_busy() => console.refuse(what),
        _ => (command.run)(console, argument).await,
    }
}

fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name || command.aliases.contains(&name))
}

fn closest(name: &str) -> Option<&'static str> {
    let near = names().into_iter().map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    near.filter(|(distance, _)| *distance <= 2).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_texts_are_messages() {
        for (text, expected) in [
            ("/help", Some(("/help", ""))),
            ("/model gpt-5.5 ", Some(("/model", "gpt-5.5"))),
            ("/modle", Some(("/modle", ""))),
            ("/data/x", None),
            ("/tmp/", None),
            ("/", None),
            (" /model", None),
            ("model", None),
            ("/queue two\nlines", Some(("/queue", "two\nlines"))),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_unique_and_typos_find_the_near_one() {
        let names = names();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        assert_eq!(closest("/modle"), Some("/model"));
        assert_eq!(closest("/hepl"), Some("/help"));
        assert_eq!(closest("/whatever"), None);
        assert!(leaves("/quit") && leaves("/exit") && !leaves("exit"));
        assert!(COMMANDS.iter().all(|command| !command.help.is_empty()));
    }
}
