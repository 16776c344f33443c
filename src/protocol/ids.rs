//! Identifiers. Threads, turns and client-made items use UUID version 7, which sorts by time of creation.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id, later than every id made before it on this machine.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "a new id is never a default value")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// A conversation. The same id names its rollout file, its prompt cache key and `resume ID`.
    ThreadId
}

uuid_id! {
    /// One turn of a thread: from a user's message to the end of the answer.
    TurnId
}

/// An id for an item this client makes, such as `msg_…` or `fco_…`. Servers echo ids of the form `prefix_rest` only.
#[must_use]
pub fn new_item_id(prefix: &str) -> String {
    format!("{prefix}_{}", Uuid::now_v7())
}

/// The id of an output made up for a call that never got one. It depends on the call alone, so that the same history
/// always renders to the same bytes and the provider's prompt cache stays warm. The namespace is Codex's.
#[must_use]
pub fn synthetic_output_id(prefix: &str, call_item_id: &str) -> String {
    const NAMESPACE: Uuid = Uuid::from_u128(0x90d3_8d3e_6a5b_4d52_bfe2_2f1e_634b_fac4);
    let name = format!("{prefix}:{call_item_id}");
    format!("{prefix}_{}", Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}
