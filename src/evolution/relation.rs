//! How a candidate stands to an entry: whether it says the same, the same in other words, or the contrary. Pure.

use std::collections::BTreeSet;

use super::mentions::Mentions;
use super::words;
use crate::protocol::learned::{Candidate, Memory, MemoryKind, Pitfall, Source};
use crate::text::similar::similarity;

/// From here on two texts say the same.
pub const SAME: f64 = 0.85;
/// From here on they speak of the same.
const NEAR: f64 = 0.6;

/// How a candidate stands to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// They have nothing to do with each other.
    None,
    /// It says the same, or less.
    Same,
    /// It says it in other words.
    Near,
    /// They cannot both hold.
    Contrary,
}

/// How `new` stands to `old`.
#[must_use]
pub fn relation(new: &Candidate, old: &Memory) -> Relation {
    match (&new.pitfall, &old.pitfall) {
        (Some(new), Some(old)) => return pitfalls(new, old),
        (None, None) => {}
        // That a command failed and that it is to be used are different things.
        _ => return Relation::None,
    }
    let (for_new, for_old) = (Mentions::of(&new.text), Mentions::of(&old.text));
    if for_new.contradict(&for_old) {
        return Relation::Contrary;
    }
    let alike = similarity(&new.text, &old.text);
    if alike >= SAME && for_new == for_old {
        return if polarity(&new.text) == polarity(&old.text) { Relation::Same } else { Relation::Contrary };
    }
    // The same sentence with another name in it.
    let differ = !for_new.for_.is_empty() && !for_old.for_.is_empty() && for_new.for_.is_disjoint(&for_old.for_);
    if differ {
        let frames = similarity(&frame(&new.text), &frame(&old.text));
        return if frames >= SAME { Relation::Contrary } else { Relation::None };
    }
    if for_new.is_empty() && for_old.is_empty() {
        let opposite = polarity(&new.text) != polarity(&old.text);
        return match alike {
            alike if alike >= NEAR && opposite => Relation::Contrary,
            alike if alike >= NEAR + 0.1 => Relation::Near,
            _ => Relation::None,
        };
    }
    let told = for_new.against.is_empty() && !for_new.for_.is_empty() && for_new.for_.is_subset(&for_old.for_);
    match alike {
        _ if told && new.kind == MemoryKind::Fact && is_of_outcome(new) => Relation::Same,
        alike if alike >= NEAR && (told || for_new == for_old) => Relation::Near,
        _ => Relation::None,
    }
}

fn is_of_outcome(candidate: &Candidate) -> bool {
    candidate.evidence.iter().all(|evidence| evidence.source == Source::Exit)
}

fn pitfalls(new: &Pitfall, old: &Pitfall) -> Relation {
    let answers = |a: &Option<String>, tried: &str| a.as_deref() == Some(tried);
    if answers(&old.instead, &new.tried) || answers(&new.instead, &old.tried) {
        return Relation::Contrary;
    }
    match new.tried == old.tried {
        true if new.instead == old.instead => Relation::Same,
        true => Relation::Near,
        false => Relation::None,
    }
}

/// A text without the names in it.
fn frame(text: &str) -> String {
    let names: BTreeSet<String> = {
        let found = Mentions::of(text);
        found.for_.into_iter().chain(found.against).collect()
    };
    let bare = words::bare(text);
    names.iter().fold(bare, |text, name| text.replace(name.as_str(), "x"))
}

/// Whether a text refuses something.
fn polarity(text: &str) -> bool {
    const NO: &[&str] = &["never", "not", "don't", "dont", "no", "avoid", "stop", "without"];
    const CHINESE: &[&str] = &["不", "别", "禁止", "切勿"];
    let bare = words::bare(text);
    words::holds_any(&bare, NO) || CHINESE.iter().any(|word| bare.contains(word))
}
