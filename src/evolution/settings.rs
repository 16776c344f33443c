//! How much is learned, and what it may cost: `[evolution]` of the configuration.

/// The settings of learning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvolutionSettings {
    /// How much happens by itself.
    pub mode: Mode,
    /// When reviews run.
    pub trigger: Trigger,
    /// Whether a model may be asked; the program's own rules always review.
    pub model_reviewer: bool,
    /// The model to ask; the session's when left out.
    pub review_model: Option<String>,
    /// Tokens, sent and received, that reviews may use in a day.
    pub daily_tokens: u64,
    /// Requests a review may make.
    pub review_requests: u32,
    /// Tokens, sent and received, that one review may use.
    pub review_tokens: u64,
    /// How long a review may wait for its model, in milliseconds.
    pub review_ms: u64,
    /// After how many turns without a signal a review is due all the same.
    pub review_turns: u32,
    /// Tokens of learned text a session may begin with.
    pub start_tokens: u32,
    /// Tokens of recalled text a message may bring.
    pub recall_tokens: u32,
    /// How many of a hundred eligible exposures are withheld, to measure what they do.
    pub withhold_percent: u8,
}

impl Default for EvolutionSettings {
    fn default() -> Self {
        Self {
            mode: Mode::Auto,
            trigger: Trigger::AfterTurn,
            model_reviewer: true,
            review_model: None,
            daily_tokens: 20_000,
            review_requests: 2,
            review_tokens: 8_000,
            review_ms: 60_000,
            review_turns: 3,
            start_tokens: 800,
            recall_tokens: 600,
            withhold_percent: 5,
        }
    }
}

/// How much happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Nothing is read or written.
    Off,
    /// Turns are recorded, and that is all.
    Observe,
    /// What is found waits for approval.
    Suggest,
    /// Facts and pitfalls of the repository and what the person said outright come into use by themselves; skills and what
    /// concerns the person everywhere wait for approval.
    Auto,
}

/// When reviews run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// While the person is idle after a turn, when one is due.
    AfterTurn,
    /// When a timer runs `hone evolve run`.
    Scheduled,
    /// When the person runs `hone evolve run`.
    Manual,
}
