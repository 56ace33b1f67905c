//! The list of effects. Each is one file: its table, its kernel, its tests. To add one is to add a file and a line here.

use crate::parameter::{Recipe, Table};

pub mod compressor;
#[cfg(test)]
mod contract;
pub mod dc_block;
pub mod delay;
pub mod eq;
pub mod filter;
pub mod gain;
pub mod gate;
pub mod limiter;
pub mod mono;
pub mod pan;
pub mod polarity;
pub mod saturate;
pub mod width;

/// Every effect, in the order in which the reference shows them.
pub static EFFECTS: &[&Table] = &[
    &gain::FADER,
    &gain::GAIN,
    &pan::PAN,
    &width::WIDTH,
    &polarity::POLARITY,
    &mono::MONO,
    &eq::EQ,
    &filter::HIGH_PASS,
    &filter::LOW_PASS,
    &filter::BAND_PASS,
    &filter::NOTCH,
    &compressor::COMPRESSOR,
    &gate::GATE,
    &limiter::LIMITER,
    &saturate::SATURATE,
    &delay::DELAY,
    &dc_block::DC_BLOCK,
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
