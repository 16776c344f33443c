//! Floor 1: text in, text out. Truncation, time stamps, front matter, templates, redaction.

pub mod frontmatter;
pub mod template;
pub mod time;
pub mod truncate;
pub mod frontmatter;
pub mod template;
