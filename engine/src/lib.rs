//! The sound of gainstage.
pub mod denormals;
#[cfg(feature = "devices")]
pub mod device;
pub mod diagnostic;
pub mod effects;
pub mod kernel;
pub mod math;
pub mod media;
pub mod parameter;
pub mod playback;
pub mod resampled;
pub mod session;
pub mod silent;
pub mod sources;
pub mod units;
pub mod words;

#[cfg(test)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
