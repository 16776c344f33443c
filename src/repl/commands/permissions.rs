//! `/permissions`.

use super::{Command, WhileBusy};
use crate::config::rules;
use crate::config::schema::SandboxMode;
use crate::config::trust::{self, Trust};
use crate::policy::rules::Rule;
use crate::policy::{Approval, Settings};
use crate::protocol::{ErrorKind, UserError};
use crate::repl::console::Console;
use crate::runtime::{Allowed, Change};
use crate::text::width;

/// The command.
pub const COMMAND: Command = Command {
    name: "/permissions",
    aliases: &["/approvals"],
    argument: "[mode M|ask P|revoke N|trust|distrust]",
    help: "show what may be done without asking, and change it",
    while_busy: WhileBusy::Shows("change permissions"),
    run: |console, argument| Box::pin(permissions(console, argument)),
};

const USAGE: &str = "Usage: /permissions · /permissions mode read-only|workspace-write|danger-full-access · \
                     /permissions ask untrusted|on-request|never · /permissions revoke N · /permissions trust|distrust";

async fn permissions(console: &mut Console, argument: &str) {
    let (what, value) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    let done = match (what, value.trim()) {
        ("", "") => return console.say(&listed(console)),
        ("mode", name) => match mode(name) {
            Some(mode) => allow(console, Allowed::Sandbox(mode)).await,
            None => return console.say(USAGE),
        },
        ("ask", name) => match Approval::named(name) {
            Some(policy) => allow(console, Allowed::Approval(policy)).await,
            None => return console.say(USAGE),
        },
        ("revoke", number) => match number.parse::<usize>() {
            Ok(number) => revoke(console, number).await,
            Err(_) => return console.say(USAGE),
        },
        ("trust", "") => speak(console, true).await,
        ("distrust", "") => speak(console, false).await,
        _ => return console.say(USAGE),
    };
    match done {
        Ok(said) => console.say(&said),
        Err(error) => console.complain(&error),
    }
}

fn mode(name: &str) -> Option<SandboxMode> {
    Some(match name {
        "read-only" => SandboxMode::ReadOnly,
        "workspace-write" => SandboxMode::WorkspaceWrite,
        "danger-full-access" => SandboxMode::DangerFullAccess,
        _ => return None,
    })
}

/// Takes it over for the session that runs.
async fn allow(console: &mut Console, allowed: Allowed) -> Result<String, UserError> {
    console.runtime.allow(allowed)?;
    console.change(Change::Permissions).await;
    Ok(format!("{} For this session; config.toml says it for all.", in_force(console)))
}

/// Mode, policy and trust in a line.
fn in_force(console: &Console) -> String {
    let settings = console.runtime.policy();
    let sandbox = console.runtime.sandbox_name().unwrap_or_else(|| settings.sandbox.name().to_owned());
    let trust = match console.runtime.loaded().project.trust {
        Trust::Trusted => "trusted",
        Trust::Untrusted => "not trusted",
        Trust::Unknown => "not spoken about",
    };
    format!("Sandbox: {sandbox} · asked: {} · project: {trust}.", settings.approval.name())
}

fn listed(console: &Console) -> String {
    let settings = console.runtime.policy();
    let mut rows = vec![in_force(console)];
    rows.extend(writable(&settings));
    let given = console.runtime.grants().look();
    let here = {
        let loaded = console.runtime.loaded();
        rules::project_file(&loaded.home, loaded.project.named(&console.folder())).display().to_string()
    };
    let rules = settings.rules.iter().map(|rule| rule_row(rule, &here));
    let session = given.rows().into_iter().map(|row| format!("{row}  (this session)"));
    let numbered: Vec<String> =
        rules.chain(session).enumerate().map(|(at, row)| format!("{:>3}  {}", at + 1, width::one_line(&row))).collect();
    match numbered.is_empty() {
        true => rows.push("No rules; nothing was allowed in this session.".to_owned()),
        false => rows.extend(numbered),
    }
    rows.push(console.page.style().dim("/permissions revoke N takes one back · mode M · ask P · trust · distrust"));
    rows.join("\n")
}

fn writable(settings: &Settings) -> Option<String> {
    let folders: Vec<String> = settings.writable.iter().map(|folder| folder.display().to_string()).collect();
    let contained = settings.sandbox == crate::policy::Sandbox::WorkspaceWrite;
    contained.then(|| format!("May be written: {}", folders.join(", ")))
}

fn rule_row(rule: &Rule, here: &str) -> String {
    let words: Vec<String> = rule.pattern.iter().map(|words| words.join("|")).collect();
    let until = rule.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
    let place = if rule.file == here { "this project".to_owned() } else { format!("{}:{}", rule.file, rule.line) };
    format!("{} {}  ({place}{until})", rule.decision.name(), words.join(" "))
}

/// Takes back the rule or the grant of this number.
async fn revoke(console: &mut Console, number: usize) -> Result<String, UserError> {
    let none =
        || UserError::new(ErrorKind::Usage, format!("there is no {number} in the list")).hint("/permissions shows it");
    let index = number.checked_sub(1).ok_or_else(none)?;
    let rules = console.runtime.policy().rules;
    let Some(rule) = rules.get(index) else {
        let revoked = console.runtime.grants().revoke(index - rules.len());
        return revoked.then(|| "Taken back.".to_owned()).ok_or_else(none);
    };
    let place = format!("{}:{}", rule.file, rule.line);
    match rules::revoke(rule) {
        Ok(true) => {}
        Ok(false) => {
            return Err(UserError::new(ErrorKind::Usage, format!("{place} was not written by this program"))
                .hint("take it out with an editor; then /permissions shows what is left"));
        }
        Err(error) => {
            return Err(UserError::new(ErrorKind::Storage, format!("{place} cannot be changed: {error}"))
                .hint("nothing was taken back"));
        }
    }
    console.runtime.grants().forget(rule);
    console.change(Change::Permissions).await;
    Ok(format!("Taken out of {}.", rule.file))
}

/// Asks, once for each project, what the person thinks of it.
pub fn ask_for_trust(console: &mut Console) {
    let loaded = console.runtime.loaded();
    let config = &loaded.config;
    // Whoever says what may be touched and when to ask has said all that this would decide.
    let said = config.sandbox_mode.is_some() && config.approval_policy.is_some();
    if loaded.project.trust != Trust::Unknown || said {
        return;
    }
    let folder = console.folder();
    let project = loaded.project.named(&folder).display().to_string();
    console.say(&format!(
        "{project} is new here.\n  y  commands may write in it, in a sandbox, and its own configuration counts\n  \
         n  the same sandbox, but you are asked before each command and change\n  Until you say so, commands may only read."
    ));
    console.ask_either(
        "Do you trust this project?",
        |console| Box::pin(answer_trust(console, true)),
        |console| Box::pin(answer_trust(console, false)),
    );
}

async fn answer_trust(console: &mut Console, trusted: bool) {
    match speak(console, trusted).await {
        Ok(said) => console.say(&said),
        Err(error) => console.complain(&error),
    }
}

/// Writes down what the person thinks of the project, and goes by it.
async fn speak(console: &mut Console, trusted: bool) -> Result<String, UserError> {
    let loaded = console.runtime.loaded();
    let (file, folder) = (loaded.home.join("config.toml"), console.folder());
    let project = loaded.project.named(&folder).to_owned();
    let level = if trusted { "trusted" } else { "untrusted" };
    trust::record(&file, &project, trusted).map_err(|error| {
        UserError::new(ErrorKind::Storage, format!("{} cannot be changed: {error}", file.display())).hint(format!(
            "write it there yourself: [projects.\"{}\"] with trust_level = \"{level}\"",
            project.display()
        ))
    })?;
    console.runtime.allow(Allowed::Project(trusted))?;
    console.change(Change::Permissions).await;
    Ok(format!("Written to {}. {}", file.display(), in_force(console)))
}
