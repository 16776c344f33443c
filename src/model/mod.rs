//! Floor 3: talks to models.
