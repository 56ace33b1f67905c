//! `fader` and `gain`: a level, glided per sample.

use super::{no_latency, no_tail, same_channels};
use crate::kernel::{Io, Kernel};
use crate::parameter::{Law, Parameter, Recipe, Table};
use crate::units::Unit;

const PARAMETERS: &[Parameter] =
    &[Parameter::number("gain", Unit::Decibels, 0.0, -120.0, 24.0, "level; off is silence")
        .or("off", 0.0)
        .law(Law::Amplitude)];

/// `fader(gain)`.
pub static FADER: Table = Table {
    word: "fader",
    summary: "The level of a strip.",
    example: "x >> fader(-6)",
    arguments: &["gain"],
    parameters: PARAMETERS,
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: no_tail,
    kernel,
};

/// `gain(gain)`.
pub static GAIN: Table =
    Table { word: "gain", summary: "A level inside a chain.", example: "x >> gain(3.dB)", ..FADER };

fn kernel(_: &Recipe) -> Box<dyn Kernel> {
    Box::new(Gain)
}

struct Gain;

impl Kernel for Gain {
    fn process(&mut self, io: &mut Io<'_>) {
        let gain = io.values[0];
        for channel in io.audio.iter_mut() {
            let frames = &mut channel[io.frames.clone()];
            if gain.is_still() {
                frames.iter_mut().for_each(|x| *x *= gain.to);
            } else {
                let count = frames.len();
                frames.iter_mut().enumerate().for_each(|(i, x)| *x *= gain.at(i, count));
            }
        }
    }

    fn reset(&mut self) {}
}
