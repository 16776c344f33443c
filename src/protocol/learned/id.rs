//! Ids of what is learned and of the changes to it.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The id of an entry: twelve lower-case hexadecimal digits. People may write the begin of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub String);

/// The id of an operation: like an entry's, with `op-` before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpId(pub String);

/// Ids depend on what they name alone, so that the same turns always teach the same bytes.
const NAMESPACE: Uuid = Uuid::from_u128(0x6e1b_52c8_0a4d_4c0e_9a57_3d0b_9f51_77aa);

fn digits(of: &[&str]) -> String {
    let name = of.join("\u{1f}");
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).simple().to_string()[..12].to_owned()
}

impl EntryId {
    /// The id of an entry of `scope`, by its name, that says `text` and was made at `at_ms`.
    #[must_use]
    pub fn of(scope: &str, text: &str, at_ms: u64) -> Self {
        Self(digits(&[scope, text, &at_ms.to_string()]))
    }
}

impl OpId {
    /// The id of the `sequence`th change of the journal of `scope`, by its name, made at `at_ms`.
    #[must_use]
    pub fn of(scope: &str, sequence: u64, at_ms: u64) -> Self {
        Self(format!("op-{}", digits(&["op", scope, &sequence.to_string(), &at_ms.to_string()])))
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
