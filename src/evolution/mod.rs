//! Floor 2: how the runtime learns from its turns.
//!
//! Nothing here touches a file or a clock: what is learned goes through [`ports::Store`], models are asked through the agent's
//! own port. A [`Pass`](stage::Pass) goes through [`STAGES`] in order; each stage adds to it and says what it did and what
//! it dropped. `docs/evolution.md` has the picture and follows one lesson from a turn to the next prompt.

pub mod account;
pub mod advise;
pub mod apply;
pub mod ask;
pub mod budget;
pub mod digest;
pub mod due;
pub mod leads;
pub mod lifecycle;
pub mod measure;
pub mod mentions;
pub mod model_review;
pub mod observe;
pub mod outcomes;
pub mod ports;
pub mod reaction;
pub mod relation;
pub mod rules;
pub mod run;
pub mod select;
pub mod settings;
pub mod settle;
pub mod skills;
pub mod stage;
pub mod statements;
pub mod verify;
pub mod words;

pub use settings::{EvolutionSettings, Mode};

use stage::Stage;

/// What a pass goes through, in order. A new stage is a file and a line here.
pub const STAGES: &[&dyn Stage] = &[
    &due::DueStage,
    &rules::RulesStage,
    &model_review::ModelStage,
    &verify::VerifyStage,
    &skills::stage::SkillsStage,
    &apply::ApplyStage,
    &lifecycle::LifecycleStage,
];
