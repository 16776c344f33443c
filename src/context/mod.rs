//! Floor 2: what the model is shown.
