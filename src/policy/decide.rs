//! In which order things count.
//!
//! 1. What a rule forbids is refused; what a rule asks for is asked.
//! 2. What is dangerous is asked, unless a rule allows exactly this.
//! 3. What rules allow, all of it, runs, and outside the sandbox.
//! 4. What is known to read only runs.
//! 5. The approval policy and the sandbox have the last word.
//!
//! Where nobody is to be asked, a question becomes a refusal.

use std::path::PathBuf;

use super::danger;
use super::places;
use super::readonly;
use super::request::{Access, Escalation, Judgement, Request, Verdict};
use super::rules::{Decision, Rule, always, matching};
use super::settings::{Approval, Sandbox, Settings};
use super::through::{self, Found, Role};

/// Whether a request may be carried out, and why.
#[must_use]
pub fn judge(request: &Request, settings: &Settings) -> Judgement {
    match request.access {
        Access::None => match request.escalation {
            Some(escalation) => by_wish(escalation, settings),
            None => allow("it touches nothing outside the program", settings),
        },
        Access::Read => allow("it only reads", settings),
        Access::Write(files) => judge_files(files, request, settings),
        Access::Exec(argv) => judge_command(argv, request, settings),
    }
}

fn told(verdict: Verdict, reason: impl Into<String>, settings: &Settings) -> Judgement {
    Judgement {
        verdict,
        reason: reason.into(),
        rule: None,
        contained: settings.sandbox != Sandbox::DangerFullAccess,
        danger: None,
        always: None,
    }
}

fn allow(reason: impl Into<String>, settings: &Settings) -> Judgement {
    told(Verdict::Allow, reason, settings)
}

/// A question, or a refusal where it cannot be asked.
fn ask(reason: String, settings: &Settings) -> Judgement {
    match settings.approval.asks_about_sandbox() {
        true => told(Verdict::Ask, reason, settings),
        false => told(Verdict::Refuse, format!("{reason}; the approval policy lets nobody be asked"), settings),
    }
}

fn judge_files(files: &[PathBuf], request: &Request, settings: &Settings) -> Judgement {
    let files: Vec<PathBuf> = files.iter().map(|file| request.cwd.join(file)).collect();
    if settings.sandbox == Sandbox::DangerFullAccess && settings.approval == Approval::Never {
        return allow("there is no sandbox and nobody is asked", settings);
    }
    let sensitive = files.iter().find_map(|file| Some((file, places::sensitive(&file.to_string_lossy())?)));
    if let Some((file, what)) = sensitive {
        let danger = format!("it writes {what}, {}", file.display());
        let judgement = ask(format!("dangerous: {danger}"), settings);
        return Judgement { danger: Some(danger), contained: false, ..judgement };
    }
    let outside = files.iter().find(|file| !places::is_writable(file, settings));
    if settings.approval == Approval::Untrusted {
        let contained = settings.sandbox == Sandbox::WorkspaceWrite && outside.is_none();
        let judgement = ask("it writes files, and every change is asked for".into(), settings);
        return Judgement { contained, ..judgement };
    }
    let leaves = |reason: String| Judgement { contained: false, ..ask(reason, settings) };
    match (settings.sandbox, outside) {
        (Sandbox::DangerFullAccess, _) => allow("there is no sandbox", settings),
        (Sandbox::ReadOnly, _) => leaves("the sandbox is read-only".into()),
        (Sandbox::WorkspaceWrite, None) => allow("it writes in the workspace only", settings),
        (Sandbox::WorkspaceWrite, Some(file)) => {
            leaves(format!("{} is outside the folders that may be written", file.display()))
        }
    }
}

fn judge_command(argv: &[String], request: &Request, settings: &Settings) -> Judgement {
    let found = through::find(argv);
    let danger = danger::find(argv, &found, request.cwd, settings);
    let by_rule = by_rules(&found, settings, danger.is_some());
    let prefix_rule = request.escalation.and_then(|escalation| escalation.prefix_rule);
    let mut judgement = match by_rule {
        Some(judgement) => judgement,
        None => match &danger {
            Some(danger) => ask(format!("dangerous: {danger}"), settings),
            None => by_settings(&found, request.escalation, settings),
        },
    };
    if judgement.verdict == Verdict::Ask && danger.is_none() && judgement.rule.is_none() {
        judgement.always = always(&found, prefix_rule);
    }
    judgement.contained &= request.escalation.is_none_or(|escalation| escalation.within.is_some());
    Judgement { danger, ..judgement }
}

/// What rules say, when they say it of all there is.
fn by_rules(found: &Found, settings: &Settings, dangerous: bool) -> Option<Judgement> {
    let matches: Vec<&Rule> =
        found.commands.iter().flat_map(|command| matching(&settings.rules, &command.simple.words)).collect();
    let with = |rule: &Rule, judgement: Judgement| Judgement { rule: Some(rule.to_string()), ..judgement };
    let because = |rule: &Rule| rule.justification.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    if let Some(rule) = matches.iter().find(|rule| rule.decision == Decision::Forbidden) {
        return Some(with(rule, told(Verdict::Refuse, format!("a rule forbids it{}", because(rule)), settings)));
    }
    if let Some(rule) = matches.iter().find(|rule| rule.decision == Decision::Prompt) {
        let reason = format!("a rule asks for it{}", because(rule));
        return Some(with(
            rule,
            match settings.approval.asks_about_rules() {
                true => told(Verdict::Ask, reason, settings),
                false => told(Verdict::Refuse, format!("{reason}; the approval policy lets nobody be asked"), settings),
            },
        ));
    }
    let allowed = found.unknown.is_none()
        && found.commands.iter().all(|command| {
            let simple = &command.simple;
            command.role == Role::Wrapper && simple.assigns.iter().all(through::is_harmless)
                || readonly::is_plain(simple)
                    && matching(&settings.rules, &simple.words).any(|rule| !dangerous || rule.is_exactly(&simple.words))
        });
    let rule = matches.first().filter(|_| allowed)?;
    Some(Judgement { contained: false, ..with(rule, allow(format!("a rule allows it{}", because(rule)), settings)) })
}

/// What is asked for over what may be done anyway is for the person to give.
fn by_wish(escalation: Escalation, settings: &Settings) -> Judgement {
    if settings.sandbox == Sandbox::DangerFullAccess {
        return allow("there is no sandbox", settings);
    }
    let why = escalation.justification.map(|why| format!(": {why}")).unwrap_or_default();
    match escalation.within {
        Some(within) => ask(format!("it asks to {within}{why}"), settings),
        None => ask(format!("it asks to run outside the sandbox{why}"), settings),
    }
}

fn by_settings(found: &Found, escalation: Option<Escalation>, settings: &Settings) -> Judgement {
    let restricted = settings.sandbox != Sandbox::DangerFullAccess;
    if let Some(escalation) = escalation.filter(|_| restricted) {
        return by_wish(escalation, settings);
    }
    if restricted && !settings.available {
        let reason = format!("the sandbox {} cannot be had on this machine", settings.sandbox.name());
        return told(Verdict::Refuse, reason, settings);
    }
    let Some(objection) = readonly::objection(found) else { return allow("it is known to read only", settings) };
    if settings.approval == Approval::Untrusted {
        return ask(objection, settings);
    }
    let network = if settings.network { "" } else { ", without network" };
    match restricted {
        true => allow(format!("the sandbox {} holds it{network}", settings.sandbox.name()), settings),
        false => allow("there is no sandbox, and nothing in it is dangerous", settings),
    }
}
