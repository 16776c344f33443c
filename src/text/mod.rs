//! Floor 1: text in, text out. Truncation, time stamps, templates, front matter, redaction, waiting times, and what a
//! terminal shows: widths, looks.

pub mod backoff;
pub mod frontmatter;
pub mod redact;
pub mod similar;
pub mod style;
pub mod styled;
pub mod template;
pub mod time;
pub mod truncate;
pub mod width;
