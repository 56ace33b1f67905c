//! `device`: what comes in live.

use crate::effects::{no_latency, no_tail};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table, Value};
use crate::session::Setting;
use crate::units::Unit;

/// `device(channels)`.
pub static DEVICE: Table = Table {
    word: "device",
    summary: "Channels of the input device; one that it does not have is silent.",
    example: "device(1)",
    arguments: &["channels"],
    parameters: &[
        Parameter::channels("channels", "which of the device's inputs, from 1; the first if none is given"),
        Parameter::number("gain", Unit::Decibels, 0.0, -120.0, 24.0, "level; off is silence")
            .or("off", 0.0)
            .law(Law::Amplitude),
        Parameter::flag("polarity", false, "inverts it"),
    ],
    parts: &[],
    mix: 100.0,
    channels: |recipe| Ok(inputs(recipe).len()),
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel,
};

/// The channels that the settings of one hear, counted from 1; the first unless they say.
pub fn channels(settings: &[Setting]) -> Vec<u16> {
    list(settings.first().map(|setting| &setting.value))
}

fn list(value: Option<&Value>) -> Vec<u16> {
    match value {
        Some(Value::Channels(list)) if !list.is_empty() => list.clone(),
        _ => vec![1],
    }
}

/// The inputs, counted from 0.
fn inputs(recipe: &Recipe) -> Vec<usize> {
    list(recipe.settings.first()).into_iter().map(|channel| usize::from(channel).saturating_sub(1)).collect()
}

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    Box::new(Device { inputs: inputs(recipe), sign: if recipe.values[2] == 0.0 { 1.0 } else { -1.0 } })
}

struct Device {
    inputs: Vec<usize>,
    sign: f64,
}

keep!(Device);

impl Kernel for Device {
    fn process(&mut self, io: &mut Io<'_>) {
        for (channel, &input) in io.audio.iter_mut().zip(&self.inputs) {
            let Some(live) = io.live.get(input) else { continue };
            let frames = &mut channel[io.frames.clone()];
            frames.iter_mut().zip(&live[io.frames.clone()]).for_each(|(x, live)| *x = self.sign * live);
            io.values[1].scale(frames);
        }
    }

    fn reset(&mut self) {}
}
