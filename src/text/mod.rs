//! Floor 1: text in, text out. Truncation, time stamps, templates, front matter, redaction, waiting times, terms and
//! relevance, command lines, marks of what is shown again, and what a terminal shows: widths, looks.

pub mod backoff;
pub mod command_line;
pub mod frontmatter;
pub mod injected;
pub mod redact;
pub mod relevance;
pub mod similar;
pub mod style;
pub mod styled;
pub mod template;
pub mod terms;
pub mod time;
pub mod truncate;
pub mod width;
