//! Takes secrets out of text before it is kept or leaves the program: records of turns, what is learned, indexes, tapes.
//!
//! Two nets: secrets the program knows word for word, and shapes. The second is a net with holes by nature, so whoever shares a
//! text should still read it. Every shape is found in one walk over the text, which takes time in proportion to its length, however
//! hostile it is. What was redacted once stays as it is.
//!
//! | file | what it finds |
//! |---|---|
//! | `keys` | keys that services mark by how they begin; JSON web tokens |
//! | `named` | what stands behind a name that says it is a secret: in JSON, code, an environment, a header, a command line |
//! | `value` | whether what stands there is a secret at all |
//! | `urls` | passwords within addresses |
//! | `pem` | private keys of several lines |

mod keys;
mod named;
mod pem;
mod scan;
mod urls;
mod value;

use std::borrow::Cow;
use std::ops::Range;

pub use scan::MARK;

/// A known secret of a few letters would black out half the text and is no secret anyway.
const KNOWN_BYTES: usize = 6;

/// `text` without `known` secrets and without anything that has the shape of one.
#[must_use]
pub fn redact<'a>(text: &'a str, known: &[&str]) -> Cow<'a, str> {
    let spans = spans(text, known);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(cover(&[text], &spans).concat())
}

/// The same for a text that came in pieces, which a secret may be spread over: each piece without what is in it of any. `None` when
/// there is nothing to take out.
#[must_use]
pub fn redact_pieces(pieces: &[&str], known: &[&str]) -> Option<Vec<String>> {
    let spans = spans(&pieces.concat(), known);
    (!spans.is_empty()).then(|| cover(pieces, &spans))
}

/// Where the secrets are, in order, none touching another.
fn spans(text: &str, known: &[&str]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for secret in known.iter().filter(|secret| secret.len() >= KNOWN_BYTES) {
        found.extend(text.match_indices(secret).map(|(start, _)| start..start + secret.len()));
        // The same within a text of JSON.
        let quoted = serde_json::Value::from(*secret).to_string();
        let quoted = &quoted[1..quoted.len() - 1];
        if quoted != *secret {
            found.extend(text.match_indices(quoted).map(|(start, _)| start..start + quoted.len()));
        }
    }
    keys::find(text, &mut found);
    named::find(text, &mut found);
    urls::find(text, &mut found);
    pem::find(text, &mut found);
    found.sort_unstable_by_key(|span| (span.start, span.end));
    let mut spans: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for span in found {
        match spans.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => spans.push(span),
        }
    }
    spans
}

/// The pieces without the spans of the whole. The mark stands where a span begins.
fn cover(pieces: &[&str], spans: &[Range<usize>]) -> Vec<String> {
    let (mut from, mut next) = (0, 0);
    let mut covered = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let to = from + piece.len();
        let mut out = String::with_capacity(piece.len());
        let mut at = from;
        while let Some(span) = spans.get(next).filter(|span| span.start < to) {
            if span.start >= from {
                out.push_str(&piece[at - from..span.start - from]);
                out.push_str(MARK);
            }
            at = span.end.min(to);
            if span.end > to {
                break;
            }
            next += 1;
        }
        out.push_str(&piece[at.max(from) - from..]);
        covered.push(out);
        from = to;
    }
    covered
}

#[cfg(test)]
mod tests;
