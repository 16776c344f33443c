//! Floor 1: text in, text out. Truncation, time stamps, front matter, redaction.

pub mod backoff;
pub mod redact;
pub mod time;
pub mod truncate;
pub mod frontmatter;
pub mod template;
