//! Floor 3: the configuration, the home folder and the environment; nothing else reads them.
