//! What every call passes before it runs: the policy judges it, the person is asked where the policy says so, and what is not
//! allowed is answered in words the model can act on.
//!
//! Invariants: no call runs that was not judged; one question is open at a time; whoever is interrupted while a question is
//! open leaves it unanswered, which is no yes. A sandbox that fails does so while a command starts, behind the gate, and never
//! becomes a question.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::grants::{Given, Grants};
use super::ports::{Access, Approver, BoxFuture, Output, Permit, Tool, ToolCx};
use crate::context::wording::fill;
use crate::policy::{self, Escalation, Judgement, Request, Settings, Verdict, judge};
use crate::protocol::event::Activity;
use crate::protocol::{Always, Answer, Question, Wish};

/// How the answer to a call begins whose question was left open. A session that is resumed finds it by this.
pub const UNANSWERED: &str = "Not answered: ";

/// Judges the calls of a session.
pub struct Gate {
    settings: Settings,
    hidden: Arc<[PathBuf]>,
    grants: Arc<Grants>,
    approver: Arc<dyn Approver>,
    /// Held while a question is open.
    asking: tokio::sync::Mutex<()>,
}

/// What became of a call at the gate.
pub enum Passed {
    /// It runs.
    Go(Go),
    /// It does not, and this is its answer.
    Stop(Output),
    /// The turn was interrupted before anything was decided.
    Aborted,
}

/// How a call runs.
pub struct Go {
    /// Its input, in place of the model's when the person changed the command.
    pub input: String,
    /// What it touches.
    pub access: Option<Access>,
    /// How far it may go.
    pub permit: Permit,
    /// What the model is told ahead of its output.
    pub note: Option<String>,
}

/// A call as the gate sees it.
struct Call<'a> {
    tool: &'a dyn Tool,
    input: &'a str,
    activity: &'a Activity,
    cx: &'a ToolCx,
}

/// Answers for someone who is not there.
pub struct Nobody;

impl Approver for Nobody {
    fn ask<'a>(&'a self, _: &'a Question) -> BoxFuture<'a, Answer> {
        Box::pin(std::future::ready(Answer::Nobody))
    }
}

impl Gate {
    /// A gate that goes by these settings and what was granted, and asks there.
    #[must_use]
    pub fn new(settings: Settings, grants: Arc<Grants>, approver: Arc<dyn Approver>) -> Self {
        let hidden = settings.hidden.as_slice().into();
        Self { settings, hidden, grants, approver, asking: tokio::sync::Mutex::default() }
    }

    /// What it goes by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A turn begins.
    pub fn turn_begins(&self) {
        self.grants.turn_begins();
    }

    /// Decides on a call, asking the person if need be. Nothing is asked before `earlier`, the calls in front of it, are
    /// decided on: questions come in the order of the calls.
    pub async fn pass(
        &self,
        tool: &dyn Tool,
        input: String,
        activity: &Activity,
        cx: &ToolCx,
        earlier: &[CancellationToken],
    ) -> Passed {
        let call = Call { tool, input: &input, activity, cx };
        let Some(access) = tool.access(&input, &cx.cwd) else {
            // It cannot be read, so the tool will say what is wrong with it and do nothing.
            return Passed::Go(Go { input, access: None, permit: Permit::default(), note: None });
        };
        let wish = tool.wish(&input, &cx.cwd);
        let mut judgement = self.judge(&call, &access, wish.as_ref());
        if judgement.verdict == Verdict::Ask {
            let its_turn = async {
                for decided in earlier {
                    decided.cancelled().await;
                }
                self.asking.lock().await
            };
            let _turn = tokio::select! {
                biased;
                () = cx.cancel.cancelled() => return Passed::Aborted,
                turn = its_turn => turn,
            };
            // What was asked meanwhile may have settled this one too.
            judgement = self.judge(&call, &access, wish.as_ref());
            if judgement.verdict == Verdict::Ask {
                return self.ask(&call, access, wish, &judgement).await;
            }
        }
        match judgement.verdict {
            Verdict::Refuse => Passed::Stop(refused(&judgement, &self.settings)),
            _ => Passed::Go(self.go(input, access, wish.as_ref(), judgement.contained)),
        }
    }

    fn judge(&self, call: &Call<'_>, access: &Access, wish: Option<&Wish>) -> Judgement {
        let given = self.grants.look();
        let cwd = match call.activity {
            Activity::Exec { cwd, .. } => cwd,
            _ => &call.cx.cwd,
        };
        let mut settings = Cow::Borrowed(&self.settings);
        if !given.rules.is_empty() {
            settings.to_mut().rules.extend(given.rules.iter().cloned());
        }
        let open: Vec<PathBuf>;
        let access = match access {
            Access::None => policy::Access::None,
            Access::Read => policy::Access::Read,
            Access::Exec(argv) => policy::Access::Exec(argv),
            Access::Write(files) => {
                open = files.iter().filter(|file| !given.covers(file)).cloned().collect();
                if open.is_empty() && !files.is_empty() { policy::Access::Read } else { policy::Access::Write(&open) }
            }
        };
        let within = wish.and_then(|wish| match (&wish.extra, wish.typing) {
            (Some(extra), _) => Some(extra.in_words()),
            (None, Some(_)) => Some("type into a command that no sandbox holds".to_owned()),
            (None, None) => None,
        });
        let escalation = wish.filter(|wish| !is_granted(wish, &given)).map(|wish| Escalation {
            within: within.as_deref(),
            justification: None,
            prefix_rule: wish.prefix_rule.as_deref(),
        });
        judge(&Request { access, cwd, escalation }, &settings)
    }

    async fn ask(&self, call: &Call<'_>, access: Access, wish: Option<Wish>, judgement: &Judgement) -> Passed {
        let always = always(&access, wish.as_ref(), judgement, &self.settings);
        let contained = judgement.contained;
        if self.grants.take_once(call.activity) {
            return Passed::Go(self.go(call.input.to_owned(), access, wish.as_ref(), contained));
        }
        let question = Question {
            call_id: call.cx.call_id.clone(),
            activity: call.activity.clone(),
            details: call.tool.details(call.input),
            reason: judgement.reason.clone(),
            justification: wish.as_ref().and_then(|wish| wish.justification.clone()),
            contained,
            always: always.clone(),
            editable: matches!(access, Access::Exec(_)) && call.tool.with_command(call.input, "true").is_some(),
        };
        let answer = tokio::select! {
            biased;
            answer = self.approver.ask(&question) => answer,
            () = call.cx.cancel.cancelled() => Answer::Unanswered,
        };
        if matches!(answer, Answer::NoAndStop | Answer::Unanswered) {
            // Answered any earlier, the turn would ask the model once more before it ends.
            call.cx.cancel.cancelled().await;
        }
        match answer {
            Answer::Once | Answer::Always => {
                if let (Answer::Always, Some(always)) = (&answer, &always) {
                    self.grants.add(always);
                }
                if let (Access::None, Some(extra)) = (&access, wish.as_ref().and_then(|wish| wish.extra.as_ref())) {
                    self.grants.add_for_turn(extra);
                }
                Passed::Go(self.go(call.input.to_owned(), access, wish.as_ref(), contained))
            }
            Answer::Edited(command) => self.edited(call, &command, contained),
            Answer::NoAndStop => stop(fill(include_str!("../../prompts/approval/no.md"), &[("words", "")])),
            Answer::No(words) => {
                let words = words.map(|words| format!(" They said: {words}")).unwrap_or_default();
                stop(fill(include_str!("../../prompts/approval/no.md"), &[("words", &words)]))
            }
            Answer::Unanswered => stop(include_str!("../../prompts/approval/unanswered.md").trim_end()),
            Answer::Nobody => {
                stop(fill(include_str!("../../prompts/approval/nobody.md"), &[("reason", &judgement.reason)]))
            }
        }
    }

    /// The person's own command, which nobody asks them about; only what a rule of theirs forbids is still refused.
    fn edited(&self, call: &Call<'_>, command: &str, contained: bool) -> Passed {
        let input = call.tool.with_command(call.input, command).unwrap_or_default();
        let Some(access) = call.tool.access(&input, &call.cx.cwd) else {
            return stop("The person's command could not be read; nothing was run.");
        };
        let judgement = self.judge(call, &access, None);
        if judgement.verdict == Verdict::Refuse {
            return Passed::Stop(refused(&judgement, &self.settings));
        }
        let wish = call.tool.wish(&input, &call.cx.cwd);
        let mut go = self.go(input, access, wish.as_ref(), contained);
        go.note = Some(fill(include_str!("../../prompts/approval/edited.md"), &[("command", command)]) + "\n");
        Passed::Go(go)
    }

    fn go(&self, input: String, access: Access, wish: Option<&Wish>, contained: bool) -> Go {
        let given = self.grants.look();
        let mut extra = given.extra();
        let wished = wish.and_then(|wish| wish.extra.as_ref());
        let lasting = wished.is_some_and(|wished| given.extra.has(wished));
        wished.into_iter().for_each(|wished| extra.add(wished));
        Go {
            input,
            access: Some(access),
            permit: Permit { contained, extra, lasting, hidden: Arc::clone(&self.hidden) },
            note: None,
        }
    }
}

fn stop(text: impl Into<String>) -> Passed {
    Passed::Stop(Output::failed(text))
}

/// Whether the person gave before what a call asks for.
fn is_granted(wish: &Wish, given: &Given) -> bool {
    match (&wish.extra, wish.typing) {
        (Some(extra), _) => given.extra().has(extra),
        (None, Some(id)) => given.typing.contains(&id),
        (None, None) => false,
    }
}

/// What "always" would mean.
fn always(access: &Access, wish: Option<&Wish>, judgement: &Judgement, settings: &Settings) -> Option<Always> {
    if judgement.danger.is_some() {
        return None;
    }
    match (access, wish.and_then(|wish| wish.extra.as_ref())) {
        (_, Some(extra)) => Some(Always::Extra(extra.clone())),
        (Access::Exec(_), None) => judgement.always.clone().map(Always::Prefix),
        (Access::Write(files), None) => {
            // A call that leaves the workspace is asked for what is outside; with `untrusted`, for every file.
            let asked = |file: &&PathBuf| judgement.contained || !policy::places::is_writable(file, settings);
            Some(Always::Files(files.iter().filter(asked).cloned().collect()))
        }
        (Access::None | Access::Read, None) => wish.and_then(|wish| wish.typing).map(Always::Typing),
    }
}

/// The answer to a call that the policy refuses.
fn refused(judgement: &Judgement, settings: &Settings) -> Output {
    let instead = match judgement {
        Judgement { rule: Some(_), .. } => include_str!("../../prompts/approval/instead_rule.md"),
        _ if !settings.available => include_str!("../../prompts/approval/instead_sandbox.md"),
        _ => include_str!("../../prompts/approval/instead_policy.md"),
    };
    let rule = judgement.rule.as_ref().map(|rule| format!(" The rule: {rule}.")).unwrap_or_default();
    let values = [("reason", judgement.reason.as_str()), ("rule", &rule), ("instead", instead.trim_end())];
    Output::failed(fill(include_str!("../../prompts/approval/refused.md"), &values))
}
