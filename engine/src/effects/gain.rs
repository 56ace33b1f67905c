//! `fader` and `gain`: a level, glided per sample.

use super::{no_latency, no_tail, same_channels};
use crate::abreast::{Abreast, Shape};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
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
    memory: Memory::Brief,
    kernel,
};

/// `gain(gain)`.
pub static GAIN: Table =
    Table { word: "gain", summary: "A level inside a chain.", example: "x >> gain(3.dB)", ..FADER };

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    Box::new(Gain { channels: recipe.channels })
}

/// What may go abreast: all of it.
pub(super) fn shape(recipe: &Recipe) -> Shape {
    Shape::Levels { channels: recipe.channels }
}

struct Gain {
    channels: usize,
}

keep!(Gain);

impl Kernel for Gain {
    fn process(&mut self, io: &mut Io<'_>) {
        for channel in io.audio.iter_mut() {
            io.values[0].scale(&mut channel[io.frames.clone()]);
        }
    }

    fn fall_in(&mut self, io: &Io<'_>, abreast: &mut Abreast, lane: usize) -> bool {
        let gain = io.values[0].to;
        (lane..lane + self.channels).for_each(|lane| abreast.put_levels(lane, gain, gain));
        true
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, level_at, noise, sine};

    #[test]
    fn a_gain_changes_the_level_by_its_decibels() {
        for gain in [-120.0, -6.0, 0.1, 24.0] {
            let out = Bench::new(&FADER, 1).set("gain", gain).run_mono(&sine(997.0, -30.0, RATE, 4800));
            assert!((level_at(&out, 997.0, RATE) - (gain - 30.0)).abs() < 1e-9, "{gain} dB");
        }
    }

    #[test]
    fn no_gain_passes_the_input_on_exactly() {
        let input = vec![noise(1, 1000), noise(2, 1000)];
        assert_eq!(Bench::new(&GAIN, 2).run(&input), input);
    }

    #[test]
    fn off_is_silence() {
        assert!(Bench::new(&FADER, 1).special("gain").run_mono(&noise(1, 1000)).iter().all(|x| *x == 0.0));
    }

    #[test]
    fn an_edit_of_the_gain_does_not_click() {
        for to in [-120.0, -12.0, 12.0] {
            let click = click_of_edit(&mut Bench::new(&FADER, 1), |bench| bench.edit(0, to));
            assert!(click < -80.0, "to {to} dB: {click} dBFS");
        }
    }
}
