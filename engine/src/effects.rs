//! The list of effects. Each is one file: its table, its kernel, its tests. To add one is to add a file and a line here.

use crate::parameter::{Recipe, Table};

pub mod compressor;
#[cfg(test)]
mod contract;
pub mod delay;
pub mod gain;
pub mod gate;
pub mod limiter;
pub mod reverb;

/// Every effect, in the order in which the reference shows them.
pub static EFFECTS: &[&Table] = &[
    &gain::FADER,
    &gain::GAIN,
    &compressor::COMPRESSOR,
    &gate::GATE,
    &limiter::LIMITER,
    &delay::DELAY,
    &reverb::REVERB,
];

/// The effect of a name.
pub fn find(word: &str) -> Option<&'static Table> {
    EFFECTS.iter().copied().find(|table| table.word == word)
}

/// For [`Table::channels`]: as many leave as come in.
pub(crate) fn same_channels(recipe: &Recipe) -> Result<usize, String> {
    Ok(recipe.channels)
}

/// For [`Table::latency`]: none.
pub(crate) fn no_latency(_: &Recipe) -> usize {
    0
}

/// For [`Table::tail`]: none worth hearing out.
pub(crate) fn no_tail(_: &Recipe) -> u64 {
    0
}

/// A stereo frame with its picture as wide as said, in percent: 100 leaves it as it is, 0 makes it mono. RT.
pub(crate) fn widened(left: f64, right: f64, width: f64) -> (f64, f64) {
    let across = (1.0 - width / 100.0) / 2.0 * (right - left);
    (left + across, right - across)
}
