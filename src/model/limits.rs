//! Rate limits and remarks a provider puts into the headers of its answers.

use http::HeaderMap;
use serde_json::{Value, json};

/// The rate limits in `headers`, in the form rollouts record them; `None` when there are none.
#[must_use]
pub fn from_headers(headers: &HeaderMap) -> Option<Value> {
    let text = |name: &str| headers.get(format!("x-codex-{name}")).and_then(|value| value.to_str().ok());
    let flag = |name: &str| text(name).map(|value| matches!(value, "true" | "True" | "1"));
    let (primary, secondary) = (window(headers, "primary"), window(headers, "secondary"));
    let credits = flag("credits-has-credits").map(|has_credits| {
        let unlimited = flag("credits-unlimited").unwrap_or(false);
        json!({"has_credits": has_credits, "unlimited": unlimited, "balance": text("credits-balance")})
    });
    if primary.is_none() && secondary.is_none() && credits.is_none() {
        return None;
    }
    let reached = text("rate-limit-reached-type");
    Some(snapshot(text("limit-name"), primary, secondary, credits, None, reached))
}

/// The rate limits of a `codex.rate_limits` event.
#[must_use]
pub fn from_event(event: &Value) -> Option<Value> {
    let limits = event.get("rate_limits").filter(|limits| limits.is_object())?;
    let window = |name: &str| {
        let window = limits.get(name).filter(|window| window.is_object())?;
        let field = |name: &str| window.get(name).cloned().unwrap_or(Value::Null);
        Some(
            json!({"used_percent": field("used_percent"), "window_minutes": field("window_minutes"), "resets_at": field("reset_at")}),
        )
    };
    let credits = event.get("credits").filter(|credits| credits.is_object()).cloned();
    let plan = event.get("plan_type").and_then(Value::as_str);
    Some(snapshot(None, window("primary"), window("secondary"), credits, plan, None))
}

fn snapshot(
    limit_name: Option<&str>,
    primary: Option<Value>,
    secondary: Option<Value>,
    credits: Option<Value>,
    plan_type: Option<&str>,
    reached: Option<&str>,
) -> Value {
    json!({
        "limit_id": "codex", "limit_name": limit_name, "primary": primary, "secondary": secondary, "credits": credits,
        "individual_limit": null, "spend_control_reached": null, "plan_type": plan_type, "rate_limit_reached_type": reached,
    })
}

/// One window, unless its headers say nothing: no use at all, and neither a length nor an end.
fn window(headers: &HeaderMap, name: &str) -> Option<Value> {
    let text = |field: &str| headers.get(format!("x-codex-{name}-{field}")).and_then(|value| value.to_str().ok());
    let used: f64 = text("used-percent")?.trim().parse().ok().filter(|used: &f64| used.is_finite())?;
    let minutes: Option<i64> = text("window-minutes").and_then(|value| value.trim().parse().ok());
    let resets_at: Option<i64> = text("reset-at").and_then(|value| value.trim().parse().ok());
    let says_something = used != 0.0 || minutes.is_some_and(|minutes| minutes != 0) || resets_at.is_some();
    says_something.then(|| json!({"used_percent": used, "window_minutes": minutes, "resets_at": resets_at}))
}

/// What a person should know of the answer's headers: that another model answers than was asked for.
#[must_use]
pub fn rerouted(headers: &HeaderMap, asked: &str) -> Option<String> {
    let model = headers.get("openai-model")?.to_str().ok()?.trim();
    (!model.is_empty() && !model.eq_ignore_ascii_case(asked))
        .then(|| format!("The provider answers with {model} instead of {asked}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn windows_come_from_headers() {
        let limits = from_headers(&headers(&[
            ("x-codex-primary-used-percent", "12.5"),
            ("x-codex-primary-window-minutes", "300"),
            ("x-codex-primary-reset-at", "1795202047"),
            ("x-codex-secondary-used-percent", "0"),
        ]));
        let limits = limits.unwrap();
        assert_eq!(limits["primary"], json!({"used_percent": 12.5, "window_minutes": 300, "resets_at": 1_795_202_047}));
        assert_eq!(limits["secondary"], Value::Null);
        assert_eq!(from_headers(&headers(&[("x-codex-primary-used-percent", "0")])), None);
        assert_eq!(from_headers(&HeaderMap::new()), None);
    }

    #[test]
    fn another_model_is_told() {
        assert_eq!(rerouted(&headers(&[("openai-model", "gpt-5.5")]), "GPT-5.5"), None);
        assert!(rerouted(&headers(&[("openai-model", "gpt-mini")]), "gpt-5.5").unwrap().contains("gpt-mini"));
    }
}
