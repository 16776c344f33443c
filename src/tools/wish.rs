//! What a call asks for over what it may do anyway: the arguments that tools which run commands share.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::path::{Path, PathBuf};

use crate::exec::containment::real;
use crate::protocol::{Extra, Wish};

/// The arguments, as models know them. What cannot be read as meant asks for nothing.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default, deserialize_with = "lenient")]
    sandbox_permissions: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    justification: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    prefix_rule: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    additional_permissions: Option<Permissions>,
}

/// What a call wants to touch besides, as models write it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Permissions {
    network: Option<Network>,
    file_system: Option<FileSystem>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Network {
    enabled: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct FileSystem {
    write: Option<Vec<PathBuf>>,
}

/// A value of another type than meant is none.
fn lenient<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(Value::deserialize(deserializer)?).ok())
}

impl Asked {
    /// The wish, for a call that works in `cwd`; `None` when the call wants nothing more.
    #[must_use]
    pub fn wish(self, cwd: &Path) -> Option<Wish> {
        let extra = match self.sandbox_permissions.as_deref() {
            Some("require_escalated") => None,
            Some("with_additional_permissions") => {
                Some(self.additional_permissions?.extra(cwd)).filter(|extra| !extra.is_empty()).map(Some)?
            }
            _ => return None,
        };
        let justification = self.justification.filter(|text| !text.trim().is_empty());
        Some(Wish { extra, justification, prefix_rule: self.prefix_rule, typing: None })
    }
}

impl Permissions {
    /// The same in our words. Everything can be read anyway, so what is to be read is left out. Links are followed: the
    /// person is asked for what would really be written.
    #[must_use]
    pub fn extra(self, cwd: &Path) -> Extra {
        let writable = self.file_system.and_then(|files| files.write).unwrap_or_default();
        Extra {
            writable: writable.iter().map(|path| real(&cwd.join(path))).collect(),
            network: self.network.and_then(|network| network.enabled).unwrap_or(false),
        }
    }
}

/// A call's arguments with another value for `field`.
pub fn replace(input: &str, field: &str, value: impl Into<Value>) -> Option<String> {
    let mut arguments: Value = serde_json::from_str(input).ok()?;
    *arguments.get_mut(field)? = value.into();
    Some(arguments.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(json: &str) -> Option<Wish> {
        serde_json::from_str::<Asked>(json).unwrap().wish(Path::new("/w"))
    }

    #[test]
    fn only_what_is_asked_for_in_the_known_words_is_a_wish() {
        assert_eq!(wish("{}"), None);
        assert_eq!(wish(r#"{"sandbox_permissions":"use_default","justification":"x"}"#), None);
        assert_eq!(wish(r#"{"sandbox_permissions":7,"prefix_rule":"git"}"#), None);
        let escalated =
            wish(r#"{"sandbox_permissions":"require_escalated","justification":"ok?","prefix_rule":["a"]}"#);
        let expected =
            Wish { extra: None, justification: Some("ok?".into()), prefix_rule: Some(vec!["a".into()]), typing: None };
        assert_eq!(escalated, Some(expected));
        let more = r#"{"sandbox_permissions":"with_additional_permissions","additional_permissions":
            {"network":{"enabled":true},"file_system":{"read":["/r"],"write":["out","/srv"]}}}"#;
        let extra = Extra { writable: vec!["/w/out".into(), "/srv".into()], network: true };
        assert_eq!(wish(more).unwrap().extra, Some(extra));
        assert_eq!(wish(r#"{"sandbox_permissions":"with_additional_permissions"}"#), None, "nothing is named");
    }
}
