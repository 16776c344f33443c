//! How well each of a few short texts fits a question: BM25 over their terms, which are looked up once.

use std::collections::{BTreeMap, HashMap};

use super::terms::{count, terms};

/// How soon more of the same word counts no more.
const K1: f64 = 1.2;
/// How much longer texts are held back.
const B: f64 = 0.5;

/// Texts and their terms.
pub struct Corpus {
    /// The number of each term.
    numbers: HashMap<String, usize>,
    /// For each text how often it has which term.
    texts: Vec<BTreeMap<usize, usize>>,
    /// For each term which texts have it.
    holders: Vec<Vec<usize>>,
}

/// How well a text fits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fit {
    /// BM25's score; 0 when nothing is shared.
    pub score: f64,
    /// How many terms of the question it has.
    pub shared: usize,
}

impl Corpus {
    /// Looks up the terms of `texts`.
    #[must_use]
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut corpus = Self { numbers: HashMap::new(), texts: Vec::new(), holders: Vec::new() };
        for (index, text) in texts.into_iter().enumerate() {
            let mut times: BTreeMap<usize, usize> = BTreeMap::new();
            for term in terms(text) {
                let next = corpus.numbers.len();
                *times.entry(*corpus.numbers.entry(term).or_insert(next)).or_default() += 1;
            }
            corpus.holders.resize(corpus.numbers.len(), Vec::new());
            times.keys().for_each(|term| corpus.holders[*term].push(index));
            corpus.texts.push(times);
        }
        corpus
    }

    /// How well each text fits `question`, in their order.
    #[must_use]
    pub fn fits(&self, question: &str) -> Vec<Fit> {
        let mut fits = vec![Fit::default(); self.texts.len()];
        let length = |text: &BTreeMap<usize, usize>| count(text.values().sum());
        let mean = self.texts.iter().map(length).sum::<f64>() / count(self.texts.len().max(1));
        let mut question = terms(question);
        question.sort_unstable();
        question.dedup();
        for number in question.iter().filter_map(|term| self.numbers.get(term)) {
            let holders = &self.holders[*number];
            let with = count(holders.len());
            let rarity = (1.0 + (count(self.texts.len()) - with + 0.5) / (with + 0.5)).ln();
            for index in holders {
                let text = &self.texts[*index];
                let times = count(text[number]);
                let held_back = 1.0 - B + B * length(text) / mean.max(1.0);
                fits[*index].score += rarity * times * (K1 + 1.0) / (times + K1 * held_back);
                fits[*index].shared += 1;
            }
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_weigh_more_than_common_ones() {
        let corpus = Corpus::new([
            "tests run with just",
            "tests of the parser are slow",
            "the release needs a tag",
            "发布需要标签",
        ]);
        let best = |question| {
            let fits = corpus.fits(question);
            let best = (0..fits.len()).max_by(|a, b| fits[*a].score.total_cmp(&fits[*b].score)).unwrap();
            (best, fits[best].shared)
        };
        assert_eq!(best("fix the parser tests"), (1, 2));
        assert_eq!(best("tag the release"), (2, 2));
        assert_eq!(best("请发布"), (3, 1));
        assert!(corpus.fits("what is it?").iter().all(|fit| *fit == Fit::default()));
        assert!(corpus.fits("quantum").iter().all(|fit| fit.shared == 0));
        assert!(Corpus::new([]).fits("quantum").is_empty());
    }
}
