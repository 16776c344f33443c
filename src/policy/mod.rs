//! Floor 1: may this be done? Pure: it touches nothing and starts nothing; the caller does the asking and the containing.
//!
//! There is one entry, [`judge`]. It takes what a tool declares to touch and what the person allows in general, and says
//! allow, ask or refuse, always with a reason in one line:
//!
//! ```
//! use hone::policy::{Access, Approval, Request, Sandbox, Settings, Verdict, judge};
//! use std::path::Path;
//!
//! let settings = Settings { writable: vec!["/repo".into()], ..Settings::new(Approval::Untrusted, Sandbox::WorkspaceWrite) };
//! let verdict = |script: &str| {
//!     let command = ["bash", "-lc", script].map(str::to_owned);
//!     let request = Request { access: Access::Exec(&command), cwd: Path::new("/repo"), escalation: None };
//!     judge(&request, &settings).verdict
//! };
//! assert_eq!(verdict("git log | head -5"), Verdict::Allow); // Reads only: nobody is asked.
//! assert_eq!(verdict("git log > log.txt"), Verdict::Ask); // Writes a file.
//! assert_eq!(verdict("rm -rf ~"), Verdict::Ask); // `danger` says what would be lost.
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | [`request`] | what is asked of the policy, and its answer |
//! | [`settings`] | what a person allows in general |
//! | [`decide`] | the order in which things count |
//! | [`shell`] | a command as the simple commands it runs |
//! | [`through`] | programs that run other programs: `env`, `sudo`, `xargs`, `bash -c` |
//! | [`readonly`], [`git`], [`scripts`], [`options`] | what is known to write nothing |
//! | [`danger`], [`places`] | what is called out |
//! | [`rules`] | `.rules` files |
//!
//! The invariant: what is not understood is unknown, and unknown is never "known to read only". `docs/policy.md` tells
//! people what comes of it.

pub mod danger;
pub mod decide;
pub mod git;
pub mod options;
pub mod places;
pub mod readonly;
pub mod request;
pub mod rules;
pub mod scripts;
pub mod settings;
pub mod shell;
pub mod through;

pub use decide::judge;
pub use request::{Access, Escalation, Judgement, Request, Verdict};
pub use settings::{Approval, Sandbox, Settings, Switches};
