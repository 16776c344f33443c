//! Whether a turn goes on after a response. Pure, so that every case is one row of a table.

/// What a response and the world say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// The response asked for at least one tool, known or not.
    pub called_tools: bool,
    /// The server's own word on whether the turn is over.
    pub end_turn: Option<bool>,
    /// The person said something meanwhile.
    pub steer_waiting: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask the model again.
    Again,
    /// The answer stands.
    Done,
}

/// A turn has no step limit: it ends when nothing follows up.
#[must_use]
pub fn next(facts: Facts) -> Next {
    if facts.called_tools || facts.steer_waiting || facts.end_turn == Some(false) { Next::Again } else { Next::Done }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_goes_on_while_anything_follows_up() {
        for (called_tools, end_turn, steer_waiting, expected) in [
            (false, None, false, Next::Done),
            (false, Some(true), false, Next::Done),
            (true, None, false, Next::Again),
            (true, Some(true), false, Next::Again),
            (false, Some(false), false, Next::Again),
            (false, Some(true), true, Next::Again),
        ] {
            let facts = Facts { called_tools, end_turn, steer_waiting };
            assert_eq!(next(facts), expected, "{facts:?}");
        }
    }
}
