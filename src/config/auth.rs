//! What `codex login` left behind: `$CODEX_HOME/auth.json`.

use serde::Deserialize;
use serde_json::Value;

use super::home::Home;
use super::secret::Secret;

/// A login of Codex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// With an API key, which works here too.
    Key(Secret),
    /// With a ChatGPT account, whose tokens are Codex's own to use and to renew.
    ChatGpt,
}

#[derive(Deserialize)]
struct AuthFile {
    #[serde(rename = "OPENAI_API_KEY", default)]
    key: Option<String>,
    #[serde(default)]
    tokens: Option<Value>,
}

/// The login in `home`, if there is one. A file that cannot be read counts as none: only Codex can mend it.
#[must_use]
pub fn login(home: &Home) -> Option<Login> {
    let file: AuthFile = serde_json::from_slice(&std::fs::read(home.join("auth.json")).ok()?).ok()?;
    match file.key.filter(|key| !key.trim().is_empty()) {
        Some(key) => Some(Login::Key(Secret::new(key))),
        None => file.tokens.filter(|tokens| !tokens.is_null()).map(|_| Login::ChatGpt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn a_key_counts_and_a_chatgpt_login_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let env: Environment = [("CODEX_HOME", folder.path().to_str().unwrap())].into_iter().collect();
        let home = Home::find(&env).unwrap();
        assert_eq!(login(&home), None);
        for (text, expected) in [
            (r#"{"OPENAI_API_KEY":"sk-1","tokens":null}"#, Some(Login::Key(Secret::new("sk-1")))),
            (r#"{"OPENAI_API_KEY":null,"tokens":{"access_token":"x"}}"#, Some(Login::ChatGpt)),
            (r#"{"OPENAI_API_KEY":" ","tokens":null}"#, None),
            ("{", None),
        ] {
            std::fs::write(folder.path().join("auth.json"), text).unwrap();
            assert_eq!(login(&home), expected, "{text}");
        }
    }
}
