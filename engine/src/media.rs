//! Sound files: opened, decoded, resampled to the session's rate, kept in memory or streamed from disk.

/// A sound file at the session's rate.
#[derive(Debug)]
pub struct Media {}
