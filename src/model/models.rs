//! Which models a provider offers, by its own word.

use serde_json::Value;

use super::http::Transport;
use super::provider::Provider;
use crate::protocol::ModelError;

/// The models' slugs, sorted.
///
/// # Errors
/// The provider does not say, or not in the usual form.
pub async fn list(provider: &Provider) -> Result<Vec<String>, ModelError> {
    Ok(slugs(&Transport::new(provider)?.get(provider, "models").await?))
}

/// `data[].id` as most servers have it, or `models[].slug` as OpenAI's own for Codex has.
fn slugs(answer: &Value) -> Vec<String> {
    let rows = answer["data"].as_array().or_else(|| answer["models"].as_array());
    let name = |row: &Value| row["id"].as_str().or_else(|| row["slug"].as_str()).map(str::to_owned);
    let mut slugs: Vec<String> = rows.into_iter().flatten().filter_map(name).collect();
    slugs.sort_unstable();
    slugs
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms_are_read() {
        assert_eq!(slugs(&json!({"data": [{"id": "b"}, {"id": "a"}, {}]})), ["a", "b"]);
        assert_eq!(slugs(&json!({"models": [{"slug": "x"}]})), ["x"]);
        assert!(slugs(&json!("nothing")).is_empty());
    }
}
