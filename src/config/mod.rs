//! Floor 3: the configuration, the home folder and the environment; nothing else reads them.
//!
//! [`load()`] reads every layer once, at start: each value keeps the file, line and column it came from, what is wrong is an
//! error with that place, and what is unknown is a warning. The result is plain data; the process's own environment is
//! never changed. [`explain`](explain::explain) tells people where a value comes from. [`KEYS`](keys::KEYS) is the one list
//! of keys: checking, explaining and the table in `docs/configuration.md` all come from it.

pub mod auth;
pub mod clock;
pub mod disk;
pub mod dotenv;
pub mod environment;
pub mod error;
pub mod explain;
pub mod git;
pub mod home;
pub mod keys;
pub mod layer;
pub mod provider;
pub mod repo;
pub mod rules;
pub mod schema;
pub mod secret;
pub mod trust;
pub mod value;

mod check;
mod load;
mod path;

pub use environment::Environment;
pub use error::ConfigError;
pub use home::Home;
pub use load::{LoadRequest, Loaded, load};
pub use schema::Config;
