//! Floor 3: starts processes; nothing else does.
