//! How many tokens items take, estimated without a tokenizer: a quarter of the bytes a server reads.

use memchr::memmem;
use serde::Deserialize;
use std::borrow::Cow;

use crate::protocol::item::{Item, ItemKind};
use crate::text::truncate::estimate_tokens;

/// What an image counts for, whatever its size: providers scale images down, and its base64 says nothing of its tokens.
pub const IMAGE_BYTES: usize = 7373;

/// What encrypted content carries besides the reasoning itself.
const ENCRYPTION_OVERHEAD: usize = 650;

/// The estimate for one item. Codex counts alike, so that both compact at the same point.
#[must_use]
pub fn item_tokens(item: &Item) -> usize {
    estimate_tokens(counted_bytes(item))
}

fn counted_bytes(item: &Item) -> usize {
    let whole = item.json().len();
    match item.kind() {
        ItemKind::Reasoning | ItemKind::Compaction => encrypted_bytes(item).unwrap_or(whole),
        ItemKind::Message(_) | ItemKind::Output { .. } => without_images(item.json()),
        _ => whole,
    }
}

/// The size of what is encrypted: base64 is a third longer than what it holds.
fn encrypted_bytes(item: &Item) -> Option<usize> {
    #[derive(Deserialize)]
    struct Encrypted<'a> {
        #[serde(borrow, default)]
        encrypted_content: Option<Cow<'a, str>>,
    }
    let content = serde_json::from_slice::<Encrypted<'_>>(item.json()).ok()?.encrypted_content?;
    Some((content.len() / 4 * 3 + content.len() % 4 * 3 / 4).saturating_sub(ENCRYPTION_OVERHEAD))
}

/// The size of the JSON with every image's data counted as [`IMAGE_BYTES`]. A data URL begins right after its unescaped
/// opening quote, which text inside a JSON string cannot imitate, and holds no quote itself.
fn without_images(json: &[u8]) -> usize {
    const OPENING: &[u8] = b"\"data:image/";
    let mut bytes = json.len();
    for start in memmem::find_iter(json, OPENING) {
        let url = &json[start + 1..];
        let url = &url[..memchr::memchr(b'"', url).unwrap_or(url.len())];
        if let Some(comma) = memchr::memchr(b',', url) {
            bytes = bytes - (url.len() - comma - 1) + IMAGE_BYTES;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(json: &str) -> usize {
        counted_bytes(&Item::parse(json.to_owned()).unwrap())
    }

    #[test]
    fn text_counts_as_it_is() {
        let json = r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"say data:image/png;base64,AAAA"}]}"#;
        assert_eq!(bytes(json), json.len());
        assert_eq!(item_tokens(&Item::parse(json).unwrap()), json.len().div_ceil(4));
    }

    #[test]
    fn encrypted_reasoning_counts_by_what_it_holds() {
        let reasoning = |len: usize| {
            format!(r#"{{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"{}"}}"#, "A".repeat(len))
        };
        assert_eq!(bytes(&reasoning(4000)), 3000 - 650);
        assert_eq!(bytes(&reasoning(100)), 0);
        let plain = r#"{"type":"reasoning","summary":[{"type":"summary_text","text":"x"}],"encrypted_content":null}"#;
        assert_eq!(bytes(plain), plain.len());
    }

    #[test]
    fn an_image_counts_the_same_whatever_its_size() {
        let message = |len: usize| {
            let url = format!("data:image/png;base64,{}", "A".repeat(len));
            format!(
                r#"{{"type":"message","role":"user","content":[{{"type":"input_image","image_url":"{url}"}},{{"type":"input_image","image_url":"{url}"}}]}}"#
            )
        };
        assert_eq!(bytes(&message(10)), bytes(&message(1_000_000)));
        assert_eq!(bytes(&message(0)), message(0).len() + 2 * IMAGE_BYTES);
        let output = format!(
            r#"{{"type":"function_call_output","call_id":"c","output":[{{"type":"input_image","image_url":"data:image/png;base64,{}"}}]}}"#,
            "A".repeat(1000)
        );
        assert_eq!(bytes(&output), output.len() - 1000 + IMAGE_BYTES);
    }
}
