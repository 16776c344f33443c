//! Floor 5: the interactive session.
//!
//! Three threads: the main loop, which alone decides; the keyboard ([`input`]), which stays in the line editor; the screen
//! ([`screen`]), which alone writes. They talk through channels, so none ever waits for another, but for one: Esc waits for
//! the main loop to say what goes back into the editor.
//!
//! | file | what it holds |
//! |---|---|
//! | [`run`](mod@run) | start, main loop, end |
//! | [`console`] | the session and what can be done with it |
//! | [`approval`] | a question about a call, and what an answer means |
//! | [`asking`] | how the person is asked it |
//! | [`commands`] | `/help` and its kin, one file each |
//! | [`input`] | the keyboard; the only file that names the line editor |
//! | [`complete`] | what Tab offers |
//! | [`recall`] | what was typed before |
//! | [`screen`] | all output, above a live prompt |
//! | [`status`] | what the prompt shows and the keyboard must know |
//! | [`unheard`] | which message would be lost if its turn failed now |
//! | [`render`] | Markdown, diffs, tool calls as rows of a terminal; pure |
//! | [`present`] | what an event looks like, given those before it |
//! | [`scroll`] | what is to be shown: finished rows and the message that grows |

pub mod approval;
pub mod asking;
pub mod commands;
pub mod complete;
pub mod console;
pub mod input;
pub mod present;
pub mod recall;
pub mod render;
pub mod run;
pub mod screen;
pub mod scroll;
pub mod status;
pub mod unheard;

pub use run::{is_possible, run};
