//! The fragments in the order they are sent. A new one is a file and a line here; see `docs/adding-a-fragment.md`.

use super::fragment::Fragment;
use super::{agents_md, developer, environment, learned, permissions, skills};

/// Everything injected, in order. Fragments of one place become parts of one message, the developer message first.
pub const FRAGMENTS: &[Fragment] = &[
    developer::FRAGMENT,
    skills::fragment::FRAGMENT,
    permissions::FRAGMENT,
    agents_md::FRAGMENT,
    environment::FRAGMENT,
    learned::FRAGMENT,
];
