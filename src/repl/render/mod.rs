//! What the interactive session shows: events and Markdown become rows of text.
//!
//! Pure: no terminal, no clock, no files. Every function takes the columns there are and a [`Style`], and answers rows
//! that are at most that wide, end without a line feed and hold no control character but the colours put in here.
//!
//! | file | what it renders |
//! |---|---|
//! | [`markdown`] | a streamed answer, row by row, as soon as a row can no longer change |
//! | [`block`], [`inline`], [`table`] | the parts of Markdown: lines, text within them, tables |
//! | [`highlight`] | code |
//! | [`diff`] | changes of files, down to the changed words |
//! | [`lines`] | everything else that happens in a turn, one event at a time |
//! | [`fold`] | outputs kept aside for `/show N` |

pub mod block;
pub mod diff;
pub mod fold;
pub mod highlight;
pub mod inline;
pub mod languages;
pub mod lines;
pub mod markdown;
pub mod table;

pub use crate::text::style::Style;
pub use crate::text::width;
