//! Floor 1: text in, text out. Truncation, time stamps, templates, front matter, redaction, waiting times.

pub mod backoff;
pub mod frontmatter;
pub mod redact;
pub mod template;
pub mod time;
pub mod truncate;
