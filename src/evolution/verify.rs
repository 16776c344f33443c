//! Whether a candidate may be learned. Code decides, and the default is no.
//!
//! What is looked at here is the candidate and the turns it was learned from; what is known already comes in `settle`. The
//! point of it: where words come from decides what they may teach. Words of tools, files and pages never become a rule, a
//! preference or a skill, whoever repeats them, because every word of such an entry has to be covered by what the person
//! said in their own words.

use super::mentions::Mentions;
use super::outcomes;
use super::stage::{Pass, Ports, Report, Stage, Verified};
use super::statements::FOR_ONCE;
use super::words::{self, holds_any};
use crate::agent::ports::BoxFuture;
use crate::protocol::learned::{
    Author, Authority, Candidate, Discard, Evidence, MemoryKind, Scope, Source, TurnRecord, Work,
};
use crate::text::redact::{MARK, redact};
use crate::text::similar::support;

/// The share of a text's words that the evidence it rests on has to hold.
const SUPPORT: f64 = 0.6;
/// The tool whose answers are what was learned or recalled before.
const RECALL_TOOL: &str = "recall";

/// Whether words are looked at for what they sound like: orders, secrets, task talk. What may be learned from whom does not hang
/// on it, and the tests that say so switch it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanners {
    /// They are.
    On,
    /// They are not.
    Off,
}

/// The stage.
pub struct VerifyStage;

impl Stage for VerifyStage {
    fn name(&self) -> &'static str {
        "verify"
    }

    fn run<'a>(&'a self, pass: &'a mut Pass, _ports: &'a Ports<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            let mut report = Report::default();
            for candidate in std::mem::take(&mut pass.candidates) {
                match verify(candidate.clone(), &pass.turns, &pass.fresh, Scanners::On) {
                    Ok(verified) => pass.verified.push(verified),
                    Err(why) => {
                        report.dropped.push((candidate.text.clone(), format!("{why:?}")));
                        pass.discard(&candidate, why);
                    }
                }
            }
            report.did = format!("{} of {} stand", pass.verified.len(), pass.verified.len() + report.dropped.len());
            report
        })
    }
}

/// Looks at one candidate.
///
/// # Errors
/// Why it is dropped.
pub fn verify(
    mut candidate: Candidate,
    turns: &[TurnRecord],
    fresh: &[usize],
    scanners: Scanners,
) -> Result<Verified, Discard> {
    candidate.text = candidate.text.trim().to_owned();
    check_text(&candidate, scanners)?;
    let mut cited = Vec::new();
    for evidence in &mut candidate.evidence {
        let turn = fresh.iter().filter_map(|index| turns.get(*index)).find(|turn| turn.turn == evidence.turn);
        // What failed in a turn may be answered in the next one, which alone is under review.
        let turn =
            turn.or_else(|| turns.iter().find(|turn| turn.turn == evidence.turn && evidence.source == Source::Exit));
        let turn = turn.ok_or(Discard::QuoteNotFound)?;
        evidence.source = found_in(evidence, turn).ok_or(Discard::QuoteNotFound)?;
        evidence.thread = turn.thread;
        cited.push(turn);
    }
    let last = cited.iter().max_by_key(|turn| turn.started_ms).ok_or(Discard::WeakEvidence)?;
    let (of_ms, thread) = (last.started_ms, last.thread);
    if candidate.evidence.iter().any(|evidence| evidence.source == Source::Injected) {
        return Err(Discard::Injected);
    }
    let authority = authority(&candidate, scanners)?;
    if scanners == Scanners::On {
        check_moment(&candidate.text)?;
    }
    if candidate.kind == MemoryKind::Pitfall {
        check_pitfall(&candidate, &cited)?;
    }
    if candidate.scope == Scope::User && authority < Authority::Said && authority != Authority::Imported {
        return Err(Discard::NotAllowed);
    }
    Ok(Verified { candidate, authority, of_ms, thread })
}

fn check_text(candidate: &Candidate, scanners: Scanners) -> Result<(), Discard> {
    let secret = |text: &str| scanners == Scanners::On && (redact(text, &[]) != text || text.contains(MARK));
    let pitfall =
        candidate.pitfall.iter().flat_map(|pitfall| [Some(&pitfall.tried), pitfall.instead.as_ref()]).flatten();
    let quotes = candidate.evidence.iter().map(|evidence| &evidence.quote);
    if std::iter::once(&candidate.text).chain(quotes).chain(pitfall).any(|text| secret(text)) {
        return Err(Discard::Secret);
    }
    let length = candidate.text.chars().count();
    let fits = (6..=400).contains(&length) && !candidate.text.contains('\n');
    if fits { Ok(()) } else { Err(Discard::Size) }
}

/// Where in the turn a quotation really stands; `None` when nowhere. What the person pasted is no word of theirs.
fn found_in(evidence: &Evidence, turn: &TurnRecord) -> Option<Source> {
    let quote = evidence.quote.trim();
    if quote.chars().count() < 4 {
        return None;
    }
    match evidence.source {
        Source::Said => {
            let own = |said: &String| words::own(said).iter().any(|sentence| sentence.text.contains(quote));
            let anywhere = || turn.said.iter().any(|said| said.contains(quote)).then_some(Source::File);
            turn.said.iter().any(own).then_some(Source::Said).or_else(anywhere)
        }
        Source::Exit => {
            let (code, line) = quote.strip_prefix("exit ")?.split_once(": ")?;
            let code: i32 = code.parse().ok()?;
            let ran = |work: &Work| matches!(work, Work::Command { line: ran, .. } if ran.trim() == line);
            turn.calls.iter().any(|call| call.exit_code == Some(code) && ran(&call.work)).then_some(Source::Exit)
        }
        Source::Answer => turn.answer.as_ref().is_some_and(|answer| answer.contains(quote)).then_some(Source::Answer),
        Source::Output | Source::File | Source::Web | Source::Mcp => {
            let call = turn.calls.iter().find(|call| call.output.contains(quote))?;
            Some(match &call.work {
                Work::Other { .. } if call.tool == RECALL_TOOL => Source::Injected,
                Work::Other { .. } if evidence.source == Source::Output => Source::File,
                _ => evidence.source,
            })
        }
        Source::Injected => Some(Source::Injected),
        // Imported memory does not come through reviews.
        Source::Import => None,
    }
}

/// What a candidate rests on, if that is enough for its kind.
fn authority(candidate: &Candidate, scanners: Scanners) -> Result<Authority, Discard> {
    let quotes = |source: Source| {
        let of = candidate.evidence.iter().filter(|evidence| evidence.source == source);
        of.map(|evidence| evidence.quote.as_str()).collect::<Vec<_>>().join("\n")
    };
    let (said, exits) = (quotes(Source::Said), quotes(Source::Exit));
    let covers = |evidence: &str| {
        let named = Mentions::of(&candidate.text);
        let holds = |name: &String| evidence.contains(name.as_str());
        !evidence.is_empty()
            && support(&candidate.text, evidence) >= SUPPORT
            && named.for_.iter().chain(&named.against).all(holds)
    };
    let is_order = |text: &str| scanners == Scanners::On && is_order(text);
    let may_order = matches!(candidate.kind, MemoryKind::Rule | MemoryKind::Preference);
    if covers(&said) {
        return Ok(Authority::Said);
    }
    if may_order {
        return Err(Discard::NoAuthority);
    }
    // A pitfall or a fact of an exit status says no more than which commands ran and how they ended.
    let commands_ran = || {
        let ran = |command: &String| exits.contains(command.trim_end_matches('…'));
        candidate.about.commands.iter().all(ran) && !candidate.about.commands.is_empty()
    };
    if !exits.is_empty() && commands_ran() {
        // The program's own sentence, or one that says little beside the commands. A model's explanation waits for approval.
        let plain = candidate.author == Author::Rules || support(&candidate.text, &exits) >= SUPPORT;
        return match is_order(&candidate.text) {
            true => Err(Discard::NoAuthority),
            false if plain => Ok(Authority::Outcome),
            false => Ok(Authority::Text),
        };
    }
    // What somebody else wrote may be a fact or a reference, waiting for approval; never an order in a fact's clothes.
    let text = candidate.evidence.iter().any(|evidence| support(&candidate.text, &evidence.quote) >= SUPPORT);
    match (candidate.kind, text) {
        (MemoryKind::Pitfall, _) | (_, false) => Err(Discard::WeakEvidence),
        _ if is_order(&candidate.text) => Err(Discard::NoAuthority),
        _ => Ok(Authority::Text),
    }
}

/// Whether a text tells its reader to do or not to do something.
fn is_order(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "always",
        "never",
        "must",
        "should",
        "do not",
        "don't",
        "ignore",
        "you",
        "please",
        "run",
        "use",
        "execute",
        "install",
        "download",
        "instead",
        "ensure",
        "make sure",
        "remember",
    ];
    const CHINESE: &[&str] =
        &["必须", "不要", "请", "务必", "应当", "应该", "禁止", "以后", "一律", "忽略", "执行", "安装"];
    // "Tests are run with …" tells how things are.
    let bare = words::bare(text).replace("are run ", "").replace("is run ", "");
    holds_any(&bare, WORDS) || CHINESE.iter().any(|word| bare.contains(word))
}

/// Whether a text is about the task at hand.
fn check_moment(text: &str) -> Result<(), Discard> {
    const STATE: &[&str] = &[
        "currently",
        "in progress",
        "was fixed",
        "is fixed",
        "has been fixed",
        "was merged",
        "todo",
        "wip",
        "this session",
        "this task",
        "so far",
        "is failing",
        "are failing",
        "目前",
        "正在",
        "已修复",
        "已完成",
        "进行中",
        "待办",
    ];
    const PLAN: &[&str] = &["next step", "next, we", "plan to", "going to", "will then", "下一步", "接下来", "打算"];
    let bare = words::bare(text);
    if holds_any(&bare, STATE) {
        return Err(Discard::TaskState);
    }
    if holds_any(&bare, PLAN) || holds_any(&bare, FOR_ONCE) { Err(Discard::OneOffPlan) } else { Ok(()) }
}

/// A pitfall needs an attempt that failed, and not for a passing reason.
fn check_pitfall(candidate: &Candidate, cited: &[&TurnRecord]) -> Result<(), Discard> {
    let tried = candidate.pitfall.as_ref().map(|pitfall| pitfall.tried.trim()).ok_or(Discard::Malformed)?;
    let failed = |call: &crate::protocol::learned::CallRecord| {
        let Work::Command { line, .. } = &call.work else { return false };
        let Some(exit) = call.exit_code.filter(|exit| *exit != 0) else { return false };
        let ran = outcomes::Ran { turn: 0, line, exit, output: &call.output };
        line.trim() == tried && !outcomes::is_transient(&ran)
    };
    let quoted = candidate
        .evidence
        .iter()
        .any(|evidence| evidence.source == Source::Exit && !evidence.quote.starts_with("exit 0:"));
    let really = cited.iter().flat_map(|turn| &turn.calls).any(failed);
    if quoted && really { Ok(()) } else { Err(Discard::WeakEvidence) }
}
