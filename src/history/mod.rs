//! Floor 1: what the conversation is: folding rollout lines into items, pairing calls with outputs, estimating tokens.
