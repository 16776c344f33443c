//! Floor 3: session files: recording, reading, finding, locking.
