//! Floor 4: builds the ports from the configuration; owns sessions, the submission queue and shutdown.
