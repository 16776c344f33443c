//! Floor 5: the interactive session.

pub mod render;
