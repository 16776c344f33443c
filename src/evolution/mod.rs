//! Floor 2: how the runtime learns from its turns.
//!
//! Nothing here touches a file or a clock: what is learned goes through [`ports::Store`], models are asked through the agent's
//! own port. A [`Pass`](stage::Pass) goes through [`STAGES`] in order; each stage adds to it and says what it did and what
//! it dropped. `docs/evolution.md` has the picture and follows one lesson from a turn to the next prompt.

pub mod ports;
pub mod settings;
pub mod stage;

pub use settings::{EvolutionSettings, Mode};

use stage::Stage;

/// What a pass goes through, in order. A new stage is a file and a line here.
pub const STAGES: &[&dyn Stage] = &[];
