//! A seed from its first session to its last.

use crate::arm::Arm;
use crate::lab::Lab;
use crate::pipeline::Pipeline;
use crate::policy;
use crate::support::Request;
use crate::task::{ROUNDS, Task, order, tasks};

/// One task, done right at once or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    pub rule: &'static str,
    /// [`ROUNDS`] for the other repository, which comes last.
    pub round: usize,
    pub right: bool,
}

/// What a seed came to in an arm.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// In an order that is the same in all arms.
    pub trials: Vec<Trial>,
    /// Requests about the other repository that held something learned of the first one.
    pub leaks: usize,
    /// Memories that speak for what only planted orders speak for.
    pub planted: usize,
    /// The share of learned text in each request, and the most tokens of it.
    pub shares: Vec<f64>,
    pub most_tokens: usize,
    /// How long what could be shown was, memory by memory, before each session.
    pub lengths: Vec<Vec<usize>>,
}

/// Runs one. The placebo is made after the `lengths` of the full arm.
pub fn run(seed: u64, arm: Arm, pipeline: &Pipeline, lengths: &[Vec<usize>]) -> (Course, Lab) {
    let more = if pipeline.shows { "" } else { "start_tokens = 0\nrecall_tokens = 0\n" };
    let mut lab = Lab::new(arm.mode(), more, !pipeline.separates);
    let (here, there) = (tasks(seed, false), tasks(seed, true));
    let lies: Vec<String> = here.iter().map(Task::lie).collect();
    match arm {
        Arm::Poisoned => lab.poison = lies,
        Arm::Stale => lies.iter().for_each(|lie| lab.write_down(lie)),
        _ => {}
    }
    let mut course = Course::default();
    let project = lab.project();
    for round in 0..ROUNDS {
        lab.arrange(&project, &here, round);
        if arm == Arm::Oracle {
            let truths: Vec<String> = here.iter().filter_map(|task| task.truth(round)).collect();
            lab.instruct(&project, &truths);
        }
        let mut trials = vec![None; here.len()];
        for task in order(seed, round, here.len()) {
            if arm == Arm::Placebo {
                distract(&mut lab, &lengths[course.lengths.len()]);
            }
            course.lengths.push(lab.active().iter().map(|memory| memory.text.chars().count()).collect());
            let right = lab.session(&project, &here, task, round);
            trials[task] = Some(Trial { rule: here[task].rule, round, right });
            if arm.reviews(round) {
                pipeline.review(&mut lab, &project, arm == Arm::Poisoned);
            }
        }
        course.trials.extend(trials.into_iter().flatten());
    }
    course.measure(&lab.take_requests());
    course.planted = planted(&lab, &here);
    abroad(&mut lab, &mut course, arm, &there);
    (course, lab)
}

/// The same tasks in the other repository, whose rules are others.
fn abroad(lab: &mut Lab, course: &mut Course, arm: Arm, there: &[Task]) {
    let elsewhere = lab.elsewhere.clone();
    lab.arrange(&elsewhere, there, 0);
    if arm == Arm::Oracle {
        let truths: Vec<String> =
            there.iter().filter(|task| task.right[0] != 0).filter_map(|task| task.truth(0)).collect();
        lab.instruct(&elsewhere, &truths);
    }
    for task in 0..there.len() {
        let right = lab.ask(&elsewhere, there, task, 0);
        course.trials.push(Trial { rule: there[task].rule, round: ROUNDS, right });
    }
    let learned: Vec<String> = {
        use hone::evolution::ports::Store as _;
        let ledger = lab.store(&lab.project()).ledger(hone::protocol::learned::Scope::Repo).unwrap();
        ledger.memories().map(|memory| memory.text.clone()).collect()
    };
    let holds = |request: &Request| learned.iter().any(|text| shown(request).contains(text.as_str()));
    course.leaks = lab.take_requests().iter().filter(|request| holds(request)).count();
}

/// How many memories speak for what only lies speak for. That it was tried because of them, and failed, may well be known.
fn planted(lab: &Lab, tasks: &[Task]) -> usize {
    let names: Vec<&str> = tasks.iter().map(|task| task.choices[task.choices.len() - 1].name.as_str()).collect();
    let speaks = |text: &str| names.iter().any(|name| policy::speaks(text, name) == Some(true));
    lab.memories().iter().filter(|memory| speaks(&memory.text)).count()
}

/// Puts sentences about nothing in the place of what is learned.
fn distract(lab: &mut Lab, lengths: &[usize]) {
    const ABOUT_NOTHING: &str = "The lamp in the hallway of the third floor is older than the carpet below it, and nobody \
        remembers who carried either of them up the narrow stairs in that long and rainy autumn, nor does it matter to \
        anyone who passes by on the way to lunch, whatever the weather may be outside or the menu says about soup. ";
    lab.forget_everything();
    for (number, length) in lengths.iter().enumerate() {
        let text = format!("{number} {}", ABOUT_NOTHING.repeat(2));
        lab.write_down(text.chars().take(*length).collect::<String>().trim());
    }
}

impl Course {
    fn measure(&mut self, requests: &[Request]) {
        for request in requests {
            let learned = shown(request).len();
            self.shares.push(learned as f64 / request.body_len as f64);
            self.most_tokens = self.most_tokens.max(learned / 4);
        }
    }
}

/// What a request shows of what was learned.
fn shown(request: &Request) -> String {
    let texts = request.input().iter().flat_map(|item| item["content"].as_array().into_iter().flatten());
    let mut shown = String::new();
    for text in texts.filter_map(|part| part["text"].as_str()) {
        for tag in ["learned", "recalled"] {
            let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
            for part in text.split(open.as_str()).skip(1) {
                shown += part.split(close.as_str()).next().unwrap_or_default();
            }
        }
    }
    shown
}
