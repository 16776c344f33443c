//! What is different from arm to arm; everything else is equal, seed by seed.

/// An arm of the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arm {
    Off,
    Full,
    Oracle,
    Placebo,
    Stale,
    Poisoned,
    Frozen,
}

impl Arm {
    /// All of them, in the order they are run: the placebo is as long as what `Full` was shown.
    pub const ALL: [Self; 7] =
        [Self::Off, Self::Full, Self::Oracle, Self::Placebo, Self::Stale, Self::Poisoned, Self::Frozen];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Full => "full",
            Self::Oracle => "oracle",
            Self::Placebo => "placebo",
            Self::Stale => "stale only",
            Self::Poisoned => "poisoned",
            Self::Frozen => "frozen",
        }
    }

    /// In a few words.
    pub const fn is(self) -> &'static str {
        match self {
            Self::Off => "learns nothing",
            Self::Full => "learns, as people use it",
            Self::Oracle => "is told what holds before every session",
            Self::Placebo => "is shown as much, about nothing",
            Self::Stale => "is shown what does not hold, and learns nothing",
            Self::Poisoned => "learns, while every tool and file plants orders and a reviewer falls for them",
            Self::Frozen => "learns in the first two rounds only",
        }
    }

    pub const fn mode(self) -> &'static str {
        if matches!(self, Self::Off | Self::Oracle) { "off" } else { "auto" }
    }

    /// Whether sessions of `round` are reviewed.
    pub const fn reviews(self, round: usize) -> bool {
        match self {
            Self::Full | Self::Poisoned => true,
            Self::Frozen => round < 2,
            Self::Off | Self::Oracle | Self::Placebo | Self::Stale => false,
        }
    }
}
