//! What the errors of other formats are called in the Responses API.

use serde_json::Value;

use super::words::Said;

/// What an `error` within a stream means. `error` is an object, or the text some servers put in its place.
#[must_use]
pub fn failed(error: &Value) -> Said {
    let message = error["message"].as_str().or_else(|| error.as_str());
    let message = message.map_or_else(|| format!("the server reports an error: {error}"), str::to_owned);
    Said::Failed { code: code(error, &message), message }
}

fn code(error: &Value, message: &str) -> &'static str {
    if is_window_overflow(message) {
        return "context_length_exceeded";
    }
    let name = |key: &str| match &error[key] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    for name in [name("code"), name("type")] {
        match name.as_str() {
            "context_length_exceeded" => return "context_length_exceeded",
            "insufficient_quota" | "billing_error" | "402" => return "insufficient_quota",
            "rate_limit_exceeded" | "rate_limit_error" | "429" => return "rate_limit_exceeded",
            // Servers say so when they are busy for a moment: another attempt is worth it.
            "overloaded_error" | "529" | "503" => return "slow_down",
            "invalid_request_error" | "400" => return "invalid_prompt",
            _ => {}
        }
    }
    "server_error"
}

/// Whether these are words for a conversation that does not fit the model's window. Servers have no common code for it.
#[must_use]
pub fn is_window_overflow(message: &str) -> bool {
    const WORDS: &[&str] = &[
        "maximum context length",
        "prompt is too long",
        "exceeds the available context size",
        "exceed context limit",
        "context window of this model",
    ];
    let message = message.to_ascii_lowercase();
    WORDS.iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_get_the_code_clients_act_on() {
        for (error, code) in [
            (json!({"message": "m", "code": 429}), "rate_limit_exceeded"),
            (json!({"message": "m", "type": "rate_limit_error"}), "rate_limit_exceeded"),
            (json!({"message": "m", "type": "overloaded_error"}), "slow_down"),
            (json!({"message": "m", "code": "insufficient_quota"}), "insufficient_quota"),
            (json!({"message": "m", "code": null, "type": "invalid_request_error"}), "invalid_prompt"),
            (json!({"message": "This model's maximum context length is 8"}), "context_length_exceeded"),
            (
                json!({"message": "prompt is too long: 9 > 8", "type": "invalid_request_error"}),
                "context_length_exceeded",
            ),
            (json!("plain words"), "server_error"),
            (json!({"odd": true}), "server_error"),
        ] {
            let Said::Failed { code: found, message } = failed(&error) else { panic!("{error}") };
            assert_eq!(found, code, "{error}");
            assert!(!message.is_empty());
        }
    }
}
