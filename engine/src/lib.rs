//! The sound of gainstage.
//!
pub mod amend;
pub mod audible;
pub mod bank;
pub mod check;
pub mod compile;
pub mod delay_line;
pub mod delivery;
pub mod denormals;
pub mod desk;
#[cfg(feature = "devices")]
pub mod device;
pub mod diagnostic;
pub mod diff;
pub mod dynamics;
pub mod effects;
pub mod fade;
pub mod filters;
pub mod graph;
pub mod kernel;
pub mod live;
pub mod math;
pub mod media;
pub mod mesh;
pub mod names;
pub mod offline;
pub mod one_pole;
pub mod oversample;
pub mod parameter;
pub mod plan;
pub mod playback;
pub mod random;
pub mod render;
pub mod resample;
pub mod resampled;
pub mod session;
pub mod silent;
pub mod sources;
#[cfg(test)]
mod test_signals;
pub mod true_peak;
pub mod units;
pub mod verify;
pub mod words;

#[cfg(test)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
