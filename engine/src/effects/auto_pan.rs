//! `auto_pan`: a place that wanders between left and right, with the same power wherever it is.

use std::f64::consts::{FRAC_PI_4, SQRT_2};

use super::{no_latency, no_tail, pace, stereo};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::units::Unit;
use crate::wheel::{Wave, Wheel};

const PACE: usize = 0;
const DEPTH: usize = 1;
const SHAPE: usize = 2;

/// `auto_pan(rate)`.
pub static AUTO_PAN: Table = Table {
    word: "auto_pan",
    summary: "Wanders from the centre to the right, to the left and back, with the same power everywhere; makes stereo.",
    example: "x >> auto_pan(2.bars).depth(70)",
    arguments: &["rate"],
    parameters: &[
        pace(0.5, 0.01, 40.0),
        Parameter::number("depth", Unit::Percent, 100.0, 0.0, 100.0, "how far from the centre it goes"),
        Parameter::choice("shape", Wave::WORDS, "the way it goes; a square's edges are rounded"),
    ],
    parts: &[],
    mix: 100.0,
    channels: |recipe| stereo(recipe, "auto_pan"),
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe: &Recipe| {
        Box::new(AutoPan { wheel: Wheel::default(), wave: Wave::of_choice(recipe.values[SHAPE]) })
    },
};

struct AutoPan {
    wheel: Wheel,
    wave: Wave,
}

keep!(AutoPan: wheel);

impl Kernel for AutoPan {
    fn process(&mut self, io: &mut Io<'_>) {
        let phases = self.wheel.turn(io, io.values[PACE].to);
        let (count, mono) = (io.frames.len(), io.channels_in == 1);
        let [left, right] = &mut *io.audio else { return };
        // Stereo is at 0 dB on both sides in the centre, mono shared out between them.
        let whole = if mono { 1.0 } else { SQRT_2 };
        for (n, i) in io.frames.clone().enumerate() {
            let depth = io.values[DEPTH].at(n, count) / 100.0;
            let angle = FRAC_PI_4 * (1.0 + depth * self.wave.at(phases[i]));
            let other = if mono { left[i] } else { right[i] };
            left[i] *= whole * math::cos(angle);
            right[i] = other * (whole * math::sin(angle));
        }
    }

    fn wheels(&mut self) -> &mut [Wheel] {
        std::slice::from_mut(&mut self.wheel)
    }

    fn reset(&mut self) {
        self.wheel.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit};

    fn gains(channels: usize, depth: f64, shape: usize) -> Vec<Vec<f64>> {
        let bench = Bench::new(&AUTO_PAN, channels).set("rate", 2.0).set("depth", depth).set("shape", shape as f64);
        { bench }.run(&vec![vec![1.0; 24_000]; channels])
    }

    #[test]
    fn the_power_is_the_same_everywhere() {
        for (channels, power) in [(1, 1.0), (2, 2.0)] {
            for (depth, shape) in [(100.0, 0), (60.0, 1), (100.0, 2)] {
                let output = gains(channels, depth, shape);
                for (left, right) in output[0].iter().zip(&output[1]) {
                    assert!((left * left + right * right - power).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn it_goes_from_the_centre_to_the_right_to_the_left_and_back() {
        let output = gains(1, 100.0, 0);
        for (frame, left, right) in [(0, 0.5, 0.5), (6000, 0.0, 1.0), (12_000, 0.5, 0.5), (18_000, 1.0, 0.0)] {
            let found = (output[0][frame] * output[0][frame], output[1][frame] * output[1][frame]);
            assert!((found.0 - left).abs() < 1e-12 && (found.1 - right).abs() < 1e-12, "{frame}: {found:?}");
        }
        for (i, (left, right)) in output[0].iter().zip(&output[1]).enumerate() {
            let angle = FRAC_PI_4 * (1.0 + Wave::Sine.at(2.0 * i as f64 / RATE));
            assert!((left - math::cos(angle)).abs() < 1e-9 && (right - math::sin(angle)).abs() < 1e-9);
        }
    }

    #[test]
    fn without_depth_mono_is_in_the_centre_and_stereo_as_it_came() {
        for (channels, expected) in [(1, std::f64::consts::FRAC_1_SQRT_2), (2, 1.0)] {
            for side in gains(channels, 0.0, 0) {
                assert!(side.iter().all(|gain| (gain - expected).abs() < 1e-12));
            }
        }
    }

    #[test]
    fn more_than_two_channels_are_refused() {
        let bench = Bench::new(&AUTO_PAN, 3);
        assert!((AUTO_PAN.channels)(bench.recipe()).unwrap_err().contains("auto_pan"));
    }

    #[test]
    fn an_edit_does_not_click() {
        for (channels, index, to) in [(1, PACE, 20.0), (2, PACE, 0.1), (1, DEPTH, 0.0), (2, DEPTH, 0.0)] {
            let click = click_of_edit(&mut Bench::new(&AUTO_PAN, channels), |bench| bench.edit(index, to));
            assert!(click < -80.0, "value {index} to {to}: {click} dBFS");
        }
    }
}
