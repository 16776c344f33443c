//! A question about a call: how it reaches the main loop, what it looks like, what an answer means. Pure but for the channel.

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::render::width;
use crate::agent::grants;
use crate::agent::ports::{Approver, BoxFuture};
use crate::protocol::event::Activity;
use crate::protocol::{Always, Answer, Question};
use crate::text::style::Style;

/// Takes questions to the main loop.
pub struct Asker(pub UnboundedSender<Asked>);

impl Approver for Asker {
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            // A main loop that is gone, or drops the question, leaves it unanswered.
            self.0.send(Asked { question: question.clone(), reply, stage: Stage::Whether }).unwrap_or_default();
            answer.await.unwrap_or(Answer::Unanswered)
        })
    }
}

/// A question that is open.
pub struct Asked {
    /// What is asked.
    pub question: Question,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Answer>,
    /// How far the person is.
    pub stage: Stage,
}

/// How far the person is with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Whether it may be done.
    Whether,
    /// For how long, after "always".
    HowLong,
    /// Which command instead.
    Edit,
}

/// What a line means as an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// This is the answer.
    Answer(Answer),
    /// The prefix is allowed in this project from now on; it has to be written down first.
    InProject(Vec<String>),
    /// It goes on with this.
    Next(Stage),
    /// It is not one of those there are, and why.
    Not(&'static str),
}

/// Whether a line is one of the short answers, at whatever stage.
#[must_use]
pub fn is_short(line: &str) -> bool {
    matches!(
        line.trim().to_lowercase().as_str(),
        "y" | "yes" | "a" | "always" | "n" | "no" | "e" | "edit" | "s" | "p" | ""
    )
}

impl Asked {
    /// What a line means now.
    #[must_use]
    pub fn hear(&self, line: &str) -> Heard {
        let (text, word) = (line.trim(), line.trim().to_lowercase());
        let prefix = match &self.question.always {
            Some(Always::Prefix(prefix)) => Some(prefix),
            _ => None,
        };
        match (self.stage, word.as_str()) {
            (Stage::Edit, "") => Heard::Next(Stage::Whether),
            (Stage::Edit, _) => Heard::Answer(Answer::Edited(text.to_owned())),
            (Stage::HowLong, "s" | "session") => Heard::Answer(Answer::Always),
            (Stage::HowLong, "p" | "project") => {
                prefix.map_or(Heard::Next(Stage::Whether), |prefix| Heard::InProject(prefix.clone()))
            }
            (Stage::HowLong, _) => Heard::Next(Stage::Whether),
            (Stage::Whether, "y" | "yes") => Heard::Answer(Answer::Once),
            (Stage::Whether, "" | "n" | "no") => Heard::Answer(Answer::No(None)),
            (Stage::Whether, "a" | "always") if self.question.always.is_none() => {
                Heard::Not("This cannot be allowed for good; y allows it this time.")
            }
            (Stage::Whether, "a" | "always") => Heard::Next(Stage::HowLong),
            (Stage::Whether, "e" | "edit") if !self.question.editable => Heard::Not("There is no command to edit."),
            (Stage::Whether, "e" | "edit") => Heard::Next(Stage::Edit),
            (Stage::Whether, _) => Heard::Answer(Answer::No(Some(text.to_owned()))),
        }
    }

    /// The command, when the person can edit it.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        match &self.question.activity {
            Activity::Exec { command, .. } if self.question.editable => Some(command),
            _ => None,
        }
    }

    /// The question as it is shown at this stage. `until` is how long a rule of the project counts.
    #[must_use]
    pub fn text(&self, style: Style, until: &str) -> String {
        match self.stage {
            Stage::Whether => self.whether(style),
            Stage::HowLong => self.how_long(style, until),
            Stage::Edit => style.bold("The command to run instead, and Enter; an empty line goes back."),
        }
    }

    fn whether(&self, style: Style) -> String {
        let question = &self.question;
        let mut rows = vec![style.bold("May this be done?")];
        // All of it is shown, line by line: what is hidden cannot be allowed.
        rows.extend(
            grants::what(&question.activity)
                .lines()
                .map(|line| format!("  {}", width::exact(&line.replace('\t', "    ")))),
        );
        rows.extend(question.details.iter().flat_map(|details| patch(details, style)));
        let mut fact = |name: &str, text: &str| {
            rows.push(format!("  {} {}", style.dim(&format!("{name:<6}")), width::exact(text)));
        };
        if let Activity::Exec { cwd, .. } = &question.activity {
            fact("in", &cwd.display().to_string());
        }
        fact("why", &question.reason);
        if let Some(words) = &question.justification {
            fact("model", words);
        }
        if matches!(question.activity, Activity::Exec { .. }) {
            fact(
                "runs",
                if question.contained { "in the sandbox" } else { "outside the sandbox, with your permissions" },
            );
        }
        if let Some(always) = &question.always {
            fact("always", &in_words(always));
        }
        let given =
            matches!(question.always, Some(Always::Extra(_))) && !matches!(question.activity, Activity::Exec { .. });
        let mut keys = vec![if given { "y yes, until the turn ends" } else { "y yes, this time" }];
        keys.extend(question.always.is_some().then_some("a always"));
        keys.extend(question.editable.then_some("e edit"));
        rows.push(format!("  {} · N no, or say what to do instead", keys.join(" · ")));
        rows.join("\n")
    }

    fn how_long(&self, style: Style, until: &str) -> String {
        let Some(always) = &self.question.always else { return String::new() };
        let mut rows = vec![style.bold("Allow for how long?"), format!("  {}", width::exact(&in_words(always)))];
        rows.push("  s this session, until you leave it".to_owned());
        if let Always::Prefix(_) = always {
            rows.push(format!("  p this project, until {until}"));
        }
        rows.push("  Enter goes back; /permissions lists and takes back".to_owned());
        rows.join("\n")
    }
}

/// The lines of a patch, all of them, without those that only frame it.
fn patch(text: &str, style: Style) -> impl Iterator<Item = String> {
    let frame = |line: &&str| !line.starts_with("*** Begin Patch") && !line.starts_with("*** End Patch");
    text.trim().lines().filter(frame).map(move |line| {
        let clean = format!("  {}", width::exact(&line.replace('\t', "    ")));
        match line.chars().next() {
            Some('+') => style.green(&clean),
            Some('-') => style.red(&clean),
            _ => clean,
        }
    })
}

/// What "always" allows, for people.
fn in_words(always: &Always) -> String {
    match always {
        Always::Prefix(prefix) => {
            let words: Vec<String> = prefix.iter().map(|word| shown(word)).collect();
            format!("commands that begin with `{}`, outside the sandbox", words.join(" "))
        }
        Always::Files(files) => {
            let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
            format!("to change {}", files.join(", "))
        }
        Always::Extra(extra) => format!("any command to {}", extra.in_words()),
        Always::Typing(id) => format!("to type into session {id}"),
    }
}

/// A word such that its borders can be seen.
fn shown(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./=:@,+%".contains(c));
    if plain { word.to_owned() } else { format!("'{word}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(always: Option<Always>, stage: Stage) -> Asked {
        let question = Question {
            call_id: "c".into(),
            activity: Activity::Exec {
                command: "cargo publish\n\u{1b}[2Jrm x".into(),
                cwd: "/repo".into(),
                argv: Vec::new(),
            },
            details: None,
            reason: "it asks to run outside the sandbox".into(),
            justification: Some("May I publish?".into()),
            contained: false,
            always,
            editable: true,
        };
        Asked { question, reply: oneshot::channel().0, stage }
    }

    fn prefix() -> Option<Always> {
        Some(Always::Prefix(vec!["cargo".into(), "publish".into(), "a b".into()]))
    }

    #[test]
    fn everything_is_shown_and_nothing_of_it_steers_the_terminal() {
        insta::assert_snapshot!(asked(prefix(), Stage::Whether).text(Style::PLAIN, "2026-12-20"), @r"
        May this be done?
          cargo publish
          ␛[2Jrm x
          in     /repo
          why    it asks to run outside the sandbox
          model  May I publish?
          runs   outside the sandbox, with your permissions
          always commands that begin with `cargo publish 'a b'`, outside the sandbox
          y yes, this time · a always · e edit · N no, or say what to do instead
        ");
        insta::assert_snapshot!(asked(prefix(), Stage::HowLong).text(Style::PLAIN, "2026-12-20"), @r"
        Allow for how long?
          commands that begin with `cargo publish 'a b'`, outside the sandbox
          s this session, until you leave it
          p this project, until 2026-12-20
          Enter goes back; /permissions lists and takes back
        ");
    }

    #[test]
    fn a_patch_is_shown_whole() {
        let details = "*** Begin Patch\n*** Update File: /etc/motd\n@@\n-old\n+new\u{7}\n*** End Patch\n";
        let mut asked = asked(Some(Always::Files(vec!["/etc/motd".into()])), Stage::Whether);
        asked.question.activity = Activity::Patch { paths: vec!["/etc/motd".into()] };
        asked.question.details = Some(details.into());
        asked.question.reason = "/etc/motd is outside the folders that may be written".into();
        (asked.question.justification, asked.question.editable) = (None, false);
        insta::assert_snapshot!(asked.text(Style::PLAIN, "2026-12-20"), @r"
        May this be done?
          change /etc/motd
          *** Update File: /etc/motd
          @@
          -old
          +new␇
          why    /etc/motd is outside the folders that may be written
          always to change /etc/motd
          y yes, this time · a always · N no, or say what to do instead
        ");
    }

    #[test]
    fn only_a_clear_yes_allows_anything() {
        let (once, always) = (Heard::Answer(Answer::Once), Heard::Answer(Answer::Always));
        let no = |text: Option<&str>| Heard::Answer(Answer::No(text.map(str::to_owned)));
        let files = || Some(Always::Files(vec!["/x".into()]));
        for (allowed, stage, line, heard) in [
            (prefix(), Stage::Whether, "y", once.clone()),
            (prefix(), Stage::Whether, " YES ", once),
            (prefix(), Stage::Whether, "", no(None)),
            (prefix(), Stage::Whether, "n", no(None)),
            (prefix(), Stage::Whether, "yy", no(Some("yy"))),
            (prefix(), Stage::Whether, "use make", no(Some("use make"))),
            (prefix(), Stage::Whether, "a", Heard::Next(Stage::HowLong)),
            (prefix(), Stage::Whether, "e", Heard::Next(Stage::Edit)),
            (prefix(), Stage::HowLong, "s", always.clone()),
            (prefix(), Stage::HowLong, "y", Heard::Next(Stage::Whether)),
            (prefix(), Stage::HowLong, "", Heard::Next(Stage::Whether)),
            (files(), Stage::HowLong, "s", always),
            (files(), Stage::HowLong, "p", Heard::Next(Stage::Whether)),
            (prefix(), Stage::Edit, "ls", Heard::Answer(Answer::Edited("ls".into()))),
            (prefix(), Stage::Edit, " ", Heard::Next(Stage::Whether)),
        ] {
            assert_eq!(asked(allowed, stage).hear(line), heard, "{line:?} at {stage:?}");
        }
        assert!(matches!(asked(None, Stage::Whether).hear("a"), Heard::Not(_)));
        assert!(matches!(asked(prefix(), Stage::HowLong).hear("p"), Heard::InProject(_)));
    }
}
