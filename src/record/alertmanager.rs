//! Reads the snapshot files that Alertmanager leaves in its data directory.
