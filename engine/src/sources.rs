//! The list of sources, and what they are made of: generators, clips, device inputs. Each is one file.
//!
//! What a source gives at a transport frame is a function of that frame alone (and, for a device, of what came in): one
//! that is built, or located, in the middle of a piece gives the bits of one that has run from the beginning.

use crate::kernel::{Glide, Io};
use crate::parameter::{Law, Parameter, Recipe, Table};
use crate::units::Unit;

pub mod clip;
pub mod device;
pub mod impulse;
pub mod noise;
mod oscillator;
mod step;
pub mod sweep;
pub mod waves;

/// Every source, in the order in which the reference shows them.
pub static SOURCES: &[&Table] = &[
    &device::DEVICE,
    &clip::CLIP,
    &waves::SINE,
    &waves::SAW,
    &waves::SQUARE,
    &waves::TRIANGLE,
    &waves::PULSE,
    &noise::NOISE,
    &impulse::IMPULSE,
    &sweep::SWEEP,
];

/// The source of a name.
pub fn find(word: &str) -> Option<&'static Table> {
    SOURCES.iter().copied().find(|table| table.word == word)
}

/// When a source ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It goes on for ever: a generator, a looped clip.
    Never,
    /// It goes on as long as somebody plays: a device.
    Live,
    /// It is silent from this transport frame on.
    At(u64),
}

/// When the source of a table and a recipe ends, for renders without a length.
pub fn end(table: &Table, recipe: &Recipe) -> End {
    match table.word {
        "device" => End::Live,
        "clip" => clip::end(recipe),
        "sweep" => End::At(sweep::end(recipe)),
        _ => End::Never,
    }
}

/// Whether the source of a table is somebody who plays, and so goes on while the transport stands still.
pub fn is_live(table: &Table) -> bool {
    table.word == "device"
}

/// The level of a generator.
const fn level(default: f64, help: &'static str) -> Parameter {
    Parameter::number("level", Unit::DecibelsFullScale, default, -120.0, 0.0, help).or("off", 0.0).law(Law::Amplitude)
}

/// Fills every channel with what `at` gives for each transport frame and its index in the stretch, at a level. RT.
fn generate(io: &mut Io<'_>, level: Glide, mut at: impl FnMut(u64, usize) -> f64) {
    let first = io.frame(io.frames.start);
    for channel in io.audio.iter_mut() {
        let frames = &mut channel[io.frames.clone()];
        frames.iter_mut().enumerate().for_each(|(i, x)| *x = at(first + i as u64, i));
        level.scale(frames);
    }
}

/// For [`Table::channels`]: one.
fn mono(_: &Recipe) -> Result<usize, String> {
    Ok(1)
}

/// Refuses a frequency that the sample rate has no room for.
fn below_half_rate(recipe: &Recipe, name: &str, freq: f64) -> Result<(), String> {
    if freq < recipe.rate() / 2.0 {
        return Ok(());
    }
    Err(format!("`{name}` is {freq} Hz; at {} Hz it must be below half of that", recipe.rate()))
}

#[cfg(test)]
mod tests;
