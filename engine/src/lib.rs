//! The sound of gainstage.
pub mod delivery;
pub mod diagnostic;
pub mod effects;
pub mod filters;
pub mod kernel;
pub mod math;
pub mod media;
pub mod oversample;
pub mod parameter;
pub mod random;
pub mod resample;
pub mod session;
pub mod sources;
#[cfg(test)]
mod test_signals;
pub mod units;
pub mod words;
