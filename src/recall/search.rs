//! Finding: which passages answer a question, and whether any does.
//!
//! Candidates come from the index by BM25. How well a passage does counts together with how well its session does
//! (reciprocal-rank fusion), and with names that are in it just as the question has them. What covers too little of what the question is
//! about is no answer: a question about something else finds nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::params;

use super::snippet::snippet;
use super::words::{self, Term};
use super::{Index, RecallError};

/// How many passages are looked at closely.
const CANDIDATES: usize = 48;
/// Of how many words a question is asked; the rarest tell the most.
const TERMS: usize = 12;
/// What reciprocal-rank fusion adds to every rank, as everybody does.
const FUSION: f64 = 60.0;
/// The longest snippet, in characters.
const SNIPPET: usize = 320;

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// In words.
    pub text: &'a str,
    /// Of this repository alone.
    pub project: Option<&'a str>,
    /// Not of this conversation, which knows what was said in it.
    pub except: Option<&'a str>,
    /// Nothing older, in milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// The most answers.
    pub limit: usize,
    /// How much of what the question is about an answer must cover, from 0 to 1.
    pub coverage: f64,
}

/// What a question that a person or a model asks must be covered by.
pub const ASKED: f64 = 0.45;
/// What must be covered by what nobody asked for: a message that merely begins a turn.
pub const UNASKED: f64 = 0.62;

/// An answer.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Hit {
    /// The conversation's id.
    pub session: String,
    /// The turn, from 1.
    pub turn: u32,
    /// Who said it: `user`, `assistant` or `tool`.
    pub role: String,
    /// When, in milliseconds since the Unix epoch; 0 when nobody knows.
    pub at_ms: u64,
    /// Where the session worked.
    pub folder: String,
    /// The session's file.
    pub file: String,
    /// The part of the text that answers.
    pub text: String,
    /// What the model answered in the turn, when the text is what the person asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// How well it does, for comparison with the other answers alone.
    pub score: f64,
}

struct Candidate {
    hit: Hit,
    /// As the index ranks them: lower is better.
    rank: f64,
    coverage: f64,
    exact: usize,
}

impl Index {
    /// The answers to a question, best first; none when nothing clearly answers it.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn search(&self, question: &Question<'_>) -> Result<Vec<Hit>, RecallError> {
        let terms = words::of_question(question.text);
        let weights = self.weights(&terms)?;
        let known: Vec<(&Term, f64)> = terms
            .iter()
            .zip(&weights)
            .filter(|(_, weight)| weight.found)
            .map(|(term, weight)| (term, weight.of))
            .collect();
        if known.is_empty() {
            return Ok(Vec::new());
        }
        // A word that is nowhere tells as much as the rarest that is somewhere.
        let rarest = known.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
        let all: f64 = weights.iter().map(|weight| if weight.found { weight.of } else { rarest }).sum();
        let mut telling = known.clone();
        telling.sort_by(|a, b| b.1.total_cmp(&a.1));
        telling.truncate(TERMS);
        let mut candidates = self.candidates(question, &telling.iter().map(|(term, _)| *term).collect::<Vec<_>>())?;
        let names = names(question.text);
        for candidate in &mut candidates {
            candidate.coverage = covered(&candidate.hit.text, &known) / all;
            candidate.exact = names.iter().filter(|name| candidate.hit.text.contains(**name)).count();
        }
        // One rare word is enough of a short question; of a longer one two have to be there.
        let least = if terms.len() >= 3 { 2 } else { 1 };
        candidates.retain(|candidate| {
            candidate.exact > 0
                || candidate.coverage >= question.coverage && shared(&candidate.hit.text, &known) >= least
        });
        let terms: Vec<&Term> = known.iter().map(|(term, _)| *term).collect();
        let mut hits = fuse(candidates, &terms, question.limit);
        for hit in hits.iter_mut().filter(|hit| hit.role == "user") {
            hit.answer = self.answer(hit, &terms)?;
        }
        Ok(hits)
    }

    /// What the model answered last in a turn: a question that was asked before is worth its answer.
    fn answer(&self, hit: &Hit, terms: &[&Term]) -> Result<Option<String>, RecallError> {
        let mut statement = self.connection.prepare(
            "SELECT p.text FROM passages AS p JOIN files AS f ON f.id = p.file
             WHERE f.path = ?1 AND p.turn = ?2 AND p.role = 'assistant' ORDER BY p.id DESC LIMIT 1",
        )?;
        let text: Option<String> =
            statement.query_map(params![hit.file, hit.turn], |row| row.get(0))?.next().transpose()?;
        Ok(text.map(|text| snippet(&text, terms, SNIPPET)))
    }

    /// How much each word of a question tells: the rarer, the more.
    fn weights(&self, terms: &[Term]) -> Result<Vec<Weight>, RecallError> {
        let passages: i64 = self
            .connection
            .prepare("SELECT max(id) FROM passages")?
            .query_row([], |row| Ok(row.get::<_, Option<i64>>(0)?.unwrap_or_default()))?;
        let mut statement = self.connection.prepare("SELECT doc FROM vocabulary WHERE term = ?1")?;
        let mut weights = Vec::with_capacity(terms.len());
        for Term(word) in terms {
            let count: i64 = statement.query_map([word], |row| row.get(0))?.next().transpose()?.unwrap_or_default();
            #[allow(clippy::cast_precision_loss, reason = "no index holds 2^52 passages")]
            let rarity = ((passages as f64 + 1.0) / (count as f64 + 0.5)).ln().max(0.05);
            weights.push(Weight { of: rarity, found: count > 0 });
        }
        Ok(weights)
    }

    fn candidates(&self, question: &Question<'_>, terms: &[&Term]) -> Result<Vec<Candidate>, RecallError> {
        let mut statement = self.connection.prepare(
            "SELECT f.thread, p.turn, p.role, p.at_ms, f.cwd, f.path, p.text, best.rank
             FROM (SELECT rowid AS id, bm25(found, 1.0, 0.25, 0.0) AS rank FROM found WHERE found MATCH ?1 ORDER BY rank LIMIT ?2) AS best
             JOIN passages AS p ON p.id = best.id JOIN files AS f ON f.id = p.file
             WHERE f.thread <> ?3 AND (p.at_ms >= ?4 OR p.at_ms = 0) ORDER BY best.rank, p.id",
        )?;
        let expression = words::expression(terms, question.project);
        let most = i64::try_from(CANDIDATES).unwrap_or(i64::MAX);
        let since = i64::try_from(question.since_ms).unwrap_or(i64::MAX);
        let except = question.except.unwrap_or_default();
        let rows = statement.query_map(params![expression, most, except, since], |row| {
            Ok(Candidate {
                hit: Hit {
                    session: row.get(0)?,
                    turn: row.get(1)?,
                    role: row.get(2)?,
                    at_ms: row.get::<_, i64>(3)?.unsigned_abs(),
                    folder: row.get(4)?,
                    file: row.get(5)?,
                    text: row.get(6)?,
                    answer: None,
                    score: 0.0,
                },
                rank: row.get(7)?,
                coverage: 0.0,
                exact: 0,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[derive(Clone, Copy)]
struct Weight {
    of: f64,
    found: bool,
}

/// Joins the ranks of passages and of their sessions, and cuts texts to what answers. Of a turn, and of equal texts, the best is
/// enough.
fn fuse(candidates: Vec<Candidate>, terms: &[&Term], limit: usize) -> Vec<Hit> {
    let mut sessions: HashMap<String, f64> = HashMap::new();
    for candidate in &candidates {
        *sessions.entry(candidate.hit.session.clone()).or_default() += candidate.coverage;
    }
    let by_rank = order(&candidates, |candidate| -candidate.rank);
    let by_coverage = order(&candidates, |candidate| candidate.coverage);
    let by_session = order(&candidates, |candidate| sessions[&candidate.hit.session]);
    let reciprocal = |position: usize| 1.0 / (FUSION + u32::try_from(position).map_or(f64::MAX, f64::from));
    let mut hits: Vec<Hit> = Vec::with_capacity(candidates.len());
    for (number, candidate) in candidates.into_iter().enumerate() {
        let exact = if candidate.exact > 0 { 2.0 * reciprocal(0) } else { 0.0 };
        let score = reciprocal(by_rank[number])
            + reciprocal(by_coverage[number])
            + 0.5 * reciprocal(by_session[number])
            + exact;
        hits.push(Hit { score, ..candidate.hit });
    }
    // The newer of equals is the better answer.
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.at_ms.cmp(&a.at_ms)));
    let (mut turns, mut texts) = (HashSet::new(), HashSet::new());
    hits.retain(|hit| turns.insert((hit.session.clone(), hit.turn)) && texts.insert(hit.text.clone()));
    hits.truncate(limit);
    for hit in &mut hits {
        hit.text = snippet(&hit.text, terms, SNIPPET);
    }
    hits
}

/// The position of each by a measure, the highest first; equals have equal positions.
fn order(candidates: &[Candidate], measure: impl Fn(&Candidate) -> f64) -> Vec<usize> {
    let values: Vec<f64> = candidates.iter().map(measure).collect();
    values.iter().map(|value| values.iter().filter(|other| *other > value).count()).collect()
}

/// The weight of the words of a question that a text holds.
fn covered(text: &str, terms: &[(&Term, f64)]) -> f64 {
    let wanted: BTreeMap<&str, f64> = terms.iter().map(|(term, weight)| (term.0.as_str(), *weight)).collect();
    let mut seen = HashSet::new();
    let mut sum = 0.0;
    words::visit(text, |word| {
        if let Some((word, weight)) = wanted.get_key_value(word)
            && seen.insert(*word)
        {
            sum += weight;
        }
    });
    sum
}

/// How many words of a question a text holds.
fn shared(text: &str, terms: &[(&Term, f64)]) -> usize {
    let ones: Vec<(&Term, f64)> = terms.iter().map(|(term, _)| (*term, 1.0)).collect();
    let count = covered(text, &ones);
    (0..=terms.len())
        .rev()
        .find(|number| u32::try_from(*number).is_ok_and(|number| f64::from(number) <= count))
        .unwrap_or(0)
}

/// The paths, commands' names and error codes of a question, just as they stand in it: what is worth being found letter by letter.
fn names(question: &str) -> Vec<&str> {
    let is_name = |word: &&str| {
        let letters = word.chars().any(char::is_alphabetic);
        let odd = word.trim_end_matches('.').contains(['/', '_', '.', ':']) || word.chars().any(|c| c.is_ascii_digit());
        word.len() >= 4 && letters && odd && !word.contains("://")
    };
    question.split_whitespace().map(tidy).filter(is_name).collect()
}

/// A word of a question without what stands around it.
fn tidy(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '/' | '_' | '-' | '.')).trim_end_matches('.')
}
