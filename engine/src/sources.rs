//! The list of sources, and what they are made of: generators, clips, device inputs. Each is one file.
//!
//! What a source gives at a transport frame is a function of that frame alone (and, for a device, of what came in): one
//! that is built, or located, in the middle of a piece gives the bits of one that has run from the beginning.

use std::f64::consts::PI;
use std::sync::LazyLock;

use crate::form::Placed;
use crate::kernel::{Glide, Io, Kernel};
use crate::math;
use crate::media::Library;
use crate::motion::EventSource;
use crate::parameter::{ANY_CHANNEL, Kind, Law, Parameter, Recipe, Table, Value};
use crate::score::Reads;
use crate::tempo::Tempo;
use crate::units::Unit;

pub mod clip;
pub mod device;
pub mod folder;
pub mod gate;
pub mod impulse;
mod instrument;
pub mod kit;
pub mod midi_out;
pub mod noise;
mod oscillator;
pub mod slices;
pub(crate) mod step;
pub mod sweep;
pub mod synth;
pub mod waves;

use gate::Gate;

/// Every source, in the order in which the reference shows them.
pub static SOURCES: LazyLock<Vec<&'static Table>> = LazyLock::new(|| {
    let mut all = FIRST.to_vec();
    all.extend(synth::PRESETS.iter());
    all
});

/// Those that are known beforehand.
const FIRST: &[&Table] = &[
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
    &kit::KIT,
    &midi_out::MIDI_OUT,
    &slices::SLICES,
];

/// What an instrument makes of the values of a pattern.
pub fn reads(table: &Table, recipe: &Recipe) -> Reads {
    match table.word {
        "kit" => kit::reads(recipe),
        "slices" => slices::reads(recipe),
        _ => Reads::Notes,
    }
}

/// The source of a name.
pub fn find(word: &str) -> Option<&'static Table> {
    SOURCES.iter().copied().find(|table| table.word == word)
}

/// Gives a recipe what is to be made of its files, for the source of a table: what has to be warped before it is heard.
///
/// # Errors
/// Why it cannot be made, in words.
pub fn make_media(table: &Table, recipe: &mut Recipe, tempo: &Tempo, library: &Library) -> Result<(), String> {
    match table.word {
        "clip" => clip::make_media(recipe, tempo, library),
        "slices" => slices::make_media(recipe, tempo, library),
        _ => Ok(()),
    }
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

/// When the source of a table and a recipe sounds: from which frame of the transport to which, the last one for ever if it has no
/// second. In order.
pub fn stretches(table: &Table, recipe: &Recipe) -> Vec<(u64, Option<u64>)> {
    let (start, length) = match table.word {
        "clip" => clip::extent(recipe),
        "sweep" => sweep::extent(recipe),
        _ => (0, None),
    };
    let within = |span: &Placed| {
        let begin = span.begin + start;
        let end = length.map_or(span.end, |length| span.end.min(begin + length));
        (begin < end).then_some((begin, Some(end)))
    };
    match &recipe.spans {
        None => vec![(start, length.map(|length| start + length))],
        Some(spans) => spans.iter().filter_map(within).collect(),
    }
}

/// When the source of a table and a recipe ends, for renders without a length.
pub fn end(table: &Table, recipe: &Recipe) -> End {
    if is_live(table) && recipe.spans.is_none() {
        return End::Live;
    }
    let ends: Option<Vec<u64>> = stretches(table, recipe).into_iter().map(|(_, end)| end).collect();
    ends.map_or(End::Never, |ends| End::At(ends.into_iter().max().unwrap_or(0)))
}

/// Whether the source of a table has a beginning, and so begins anew in each of its spans; all else goes on all the time and is
/// heard in its spans alone.
pub fn begins(table: &Table) -> bool {
    matches!(table.word, "clip" | "sweep") || table.plays()
}

/// What does the work of an effect or a source; a source that does not look to its spans itself is gated.
pub fn kernel(table: &Table, recipe: &Recipe) -> Box<dyn Kernel> {
    let kernel = (table.kernel)(recipe);
    match &recipe.spans {
        Some(spans) if table.word != "clip" && !table.plays() => {
            Box::new(Gate::new(kernel, spans.clone(), &recipe.clock, begins(table)))
        }
        _ => kernel,
    }
}

/// Half a cosine up: from silence at 0 frames to all of the sound at `over`. RT.
fn rise(gone: u64, over: u64) -> f64 {
    if gone >= over { 1.0 } else { 0.5 - 0.5 * math::cos(PI * (gone as f64 / over as f64)) }
}

/// The keyboard that plays the source of a table, given its settings by their index.
pub fn keyboard<'a>(table: &Table, setting: impl FnOnce(usize) -> Option<&'a Value>) -> Option<EventSource> {
    let index = table.parameters.iter().position(|parameter| matches!(parameter.kind, Kind::Keyboard))?;
    let Value::Number(channel) = setting(index)? else { return None };
    Some(EventSource::Notes { channel: (*channel != ANY_CHANNEL).then_some(*channel as u8) })
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
