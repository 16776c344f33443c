//! A search of the web that the provider ran by itself.

use serde_json::{Value, json};

use super::item::{Item, ItemKind};

/// What was searched, as the provider tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct WebSearch {
    /// The item's id.
    pub id: String,
    /// What was looked for, in one line.
    pub query: String,
    /// `search`, `open_page` or `find_in_page` with what belongs to it.
    pub action: Value,
}

impl WebSearch {
    /// The search an item tells of, if it does.
    #[must_use]
    pub fn of(item: &Item) -> Option<Self> {
        if *item.kind() != ItemKind::Hosted {
            return None;
        }
        let mut item = item.to_value();
        if item["type"] != "web_search_call" {
            return None;
        }
        let id = item["id"].as_str().unwrap_or_default().to_owned();
        let action = match item["action"].take() {
            Value::Object(action) => Value::Object(action),
            _ => json!({"type": "other"}),
        };
        Some(Self { id, query: query(&action), action })
    }
}

/// An action in one line, in Codex's words.
fn query(action: &Value) -> String {
    let text = |key: &str| action[key].as_str().filter(|text| !text.is_empty());
    let first_of_several = || {
        let queries = action["queries"].as_array()?;
        let first = queries.first()?.as_str()?;
        Some(if queries.len() > 1 { format!("{first} ...") } else { first.to_owned() })
    };
    match (text("pattern"), text("url")) {
        (Some(pattern), Some(url)) => format!("'{pattern}' in {url}"),
        (Some(pattern), None) => format!("'{pattern}'"),
        (None, Some(url)) => url.to_owned(),
        (None, None) => text("query").map(str::to_owned).or_else(first_of_several).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_told_in_one_line() {
        for (action, expected) in [
            (json!({"type": "search", "query": "rust"}), "rust"),
            (json!({"type": "search", "queries": ["a"]}), "a"),
            (json!({"type": "search", "query": "", "queries": ["a", "b"]}), "a ..."),
            (json!({"type": "open_page", "url": "https://x.y"}), "https://x.y"),
            (json!({"type": "find_in_page", "url": "https://x.y", "pattern": "z"}), "'z' in https://x.y"),
            (json!({"type": "find_in_page", "pattern": "z"}), "'z'"),
            (json!({"type": "new"}), ""),
        ] {
            assert_eq!(query(&action), expected, "{action}");
        }
    }

    #[test]
    fn only_searches_are_searches() {
        let of = |item: Value| WebSearch::of(&Item::parse(item.to_string()).unwrap());
        let search = of(json!({"type": "web_search_call", "id": "ws_1", "status": "completed"})).unwrap();
        assert_eq!((search.id.as_str(), search.action), ("ws_1", json!({"type": "other"})));
        assert_eq!(of(json!({"type": "message", "role": "user", "content": []})), None);
        assert_eq!(of(json!({"type": "image_generation_call", "id": "ig_1"})), None);
    }
}
