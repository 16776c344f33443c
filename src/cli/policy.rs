//! `hone policy check`: what would be decided on a command, by which rule, and why.

use serde_json::json;

use super::args::{Options, PolicyCheck};
use super::terminal;
use crate::policy::{Access, Judgement, Request, judge};
use crate::protocol::{ErrorKind, UserError};
use crate::runtime::permissions;

/// Judges the command as a session in this folder would. The exit code is 0 for every verdict.
///
/// # Errors
/// There is no command, the configuration cannot be used, or a named file of rules cannot.
pub fn check(options: &Options, asked: &PolicyCheck) -> Result<u8, UserError> {
    if asked.command.is_empty() {
        return Err(UserError::new(ErrorKind::Usage, "there is no command to judge")
            .hint("put it after two dashes: hone policy check -- git push"));
    }
    let mut setup = options.setup()?;
    setup.flags.extend(asked.approval.iter().map(|policy| ("approval_policy", policy.clone(), "--approval")));
    let loaded = setup.load()?;
    let (settings, mut errors) = permissions::settings(&setup, &loaded, &asked.rules);
    if !asked.rules.is_empty() && !errors.is_empty() {
        return Err(UserError::new(ErrorKind::Usage, errors.remove(0)).hint("mend that line; nothing was changed"));
    }
    for error in &errors {
        terminal::print_error(&format!("warning: {error}; this file of rules does not count\n"));
    }
    // One word is a script, as the model writes it; several are a program and its arguments.
    let command = match asked.command.as_slice() {
        [script] => ["bash", "-lc", script].map(str::to_owned).to_vec(),
        words => words.to_vec(),
    };
    let request = Request { access: Access::Exec(&command), cwd: &setup.cwd, escalation: None };
    let judgement = judge(&request, &settings);
    terminal::print(&if asked.json { as_json(&judgement) } else { as_text(&judgement) });
    Ok(0)
}

fn as_text(judgement: &Judgement) -> String {
    let mut text = format!("{}: {}\n", judgement.verdict.name(), terminal::escape(&judgement.reason));
    if let Some(rule) = &judgement.rule {
        text.push_str(&format!("rule: {}\n", terminal::escape(rule)));
    }
    if let Some(always) = &judgement.always {
        text.push_str(&format!("always: {}", terminal::escape(crate::policy::rules::render(always).trim_end())));
        text.push('\n');
    }
    text
}

fn as_json(judgement: &Judgement) -> String {
    let Judgement { verdict, reason, rule, contained, danger, always } = judgement;
    let value = json!({
        "verdict": verdict.name(), "reason": reason, "rule": rule, "contained": contained, "danger": danger,
        "always": always,
    });
    format!("{value}\n")
}
