//! The sound of gainstage.
pub mod delay_line;
pub mod diagnostic;
pub mod dynamics;
pub mod effects;
pub mod filters;
pub mod kernel;
pub mod math;
pub mod media;
pub mod one_pole;
pub mod oversample;
pub mod parameter;
pub mod session;
pub mod sources;
#[cfg(test)]
mod test_signals;
pub mod true_peak;
pub mod units;
pub mod words;
