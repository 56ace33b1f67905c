//! `width`: how far apart left and right are, and a frequency below which they are one.

use super::{no_latency, no_tail, stereo};
use crate::filters::Section;
use crate::filters::cascade::Cascade;
use crate::keep::keep;
use crate::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::units::Unit;

const AMOUNT: usize = 0;
const MONO_BELOW: usize = 1;

/// The lowest corner of `mono_below`. Between it and `off`, where only a glide comes by, the filtered side signal fades
/// into the unfiltered one.
const LOWEST: f64 = 20.0;

/// `width(amount)`.
pub static WIDTH: Table = Table {
    word: "width",
    summary: "The level of the side signal: 0 % is mono, 100 % as it was, 200 % twice as wide.",
    example: "x >> width(140).mono_below(120)",
    arguments: &["amount"],
    parameters: &[
        Parameter::number("amount", Unit::Percent, 100.0, 0.0, 200.0, "level of the side signal"),
        Parameter::number(
            "mono_below",
            Unit::Hertz,
            120.0,
            LOWEST,
            500.0,
            "below it the side signal falls by 12 dB an octave, from 3 dB there",
        )
        .or("off", 0.0)
        .special_by_default()
        .law(Law::Linear),
    ],
    parts: &[],
    mix: 100.0,
    channels: |recipe| stereo(recipe, "width"),
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel,
};

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let design = |values: &[f64], rate: f64, sections: &mut [Section]| {
        sections.fill(Section::high_pass(values[0], std::f64::consts::FRAC_1_SQRT_2, rate));
    };
    let corner = recipe.values[MONO_BELOW].max(LOWEST);
    Box::new(Width { high_pass: Cascade::new(design, &[corner], 1, 1, recipe.rate()), side: [[0.0; QUANTUM]] })
}

struct Width {
    high_pass: Cascade,
    /// The side signal without its bass.
    side: [Buffer; 1],
}

keep!(Width: high_pass);

impl Kernel for Width {
    fn process(&mut self, io: &mut Io<'_>) {
        let (frames, amount, below) = (io.frames.clone(), io.values[AMOUNT], io.values[MONO_BELOW]);
        let [left, right] = io.audio else { return };
        if io.channels_in == 1 {
            // There is no side signal to scale.
            right[frames.clone()].copy_from_slice(&left[frames]);
            return;
        }
        let [side] = &mut self.side;
        for i in frames.clone() {
            side[i] = 0.5 * (left[i] - right[i]);
        }
        let corner = Glide { from: below.from.max(LOWEST), to: below.to.max(LOWEST) };
        let part = Glide { from: (below.from / LOWEST).min(1.0), to: (below.to / LOWEST).min(1.0) };
        self.high_pass.process(&[corner], &mut self.side, frames.clone());
        let [filtered] = &self.side;
        let count = frames.len();
        for (n, i) in frames.enumerate() {
            let side = 0.5 * (left[i] - right[i]);
            let wanted = (side + part.at(n, count) * (filtered[i] - side)) * (amount.at(n, count) / 100.0);
            // What is added is exactly nothing while nothing is asked for.
            left[i] += wanted - side;
            right[i] -= wanted - side;
        }
    }

    fn reset(&mut self) {
        self.high_pass.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, level_at, noise, sine};

    fn stereo() -> Vec<Vec<f64>> {
        vec![noise(1, 1000), noise(2, 1000)]
    }

    #[test]
    fn at_100_percent_the_signal_passes_exactly() {
        assert_eq!(Bench::new(&WIDTH, 2).run(&stereo()), stereo());
    }

    #[test]
    fn at_0_percent_both_sides_are_the_mean() {
        let (input, out) = (stereo(), Bench::new(&WIDTH, 2).set("amount", 0.0).run(&stereo()));
        for i in 0..1000 {
            let mean = 0.5 * (input[0][i] + input[1][i]);
            assert!((out[0][i] - mean).abs() < 1e-15 && (out[1][i] - mean).abs() < 1e-15);
        }
    }

    #[test]
    fn at_200_percent_the_side_is_doubled_and_the_middle_kept() {
        let (input, out) = (stereo(), Bench::new(&WIDTH, 2).set("amount", 200.0).run(&stereo()));
        for i in 0..1000 {
            assert!((out[0][i] + out[1][i] - input[0][i] - input[1][i]).abs() < 1e-14);
            assert!((out[0][i] - out[1][i] - 2.0 * (input[0][i] - input[1][i])).abs() < 1e-14);
        }
    }

    #[test]
    fn a_side_signal_an_octave_and_two_below_mono_below_is_12_and_24_db_down() {
        for (freq, expected) in [(200.0, -12.3), (100.0, -24.1), (4000.0, 0.0)] {
            let left = sine(freq, -6.0, RATE, 48_000);
            let right = left.iter().map(|x| -x).collect();
            let out = Bench::new(&WIDTH, 2).set("mono_below", 400.0).run(&[left, right]);
            let level = level_at(&out[0][24_000..], freq, RATE) + 6.0;
            assert!((level - expected).abs() < 0.05, "{freq} Hz: {level} dB");
        }
    }

    #[test]
    fn mono_becomes_two_equal_channels() {
        let input = noise(1, 300);
        let out = Bench::new(&WIDTH, 1).set("amount", 200.0).set("mono_below", 100.0).run(std::slice::from_ref(&input));
        assert_eq!(out, vec![input.clone(), input]);
    }

    #[test]
    fn an_edit_of_either_parameter_does_not_click() {
        for (index, from, to) in
            [(AMOUNT, 0.0, 0.0), (AMOUNT, 0.0, 200.0), (MONO_BELOW, 0.0, 150.0), (MONO_BELOW, 300.0, 0.0)]
        {
            let mut bench = Bench::new(&WIDTH, 2);
            if index == MONO_BELOW && from > 0.0 {
                bench = bench.set("mono_below", from);
            }
            let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
            assert!(click < -80.0, "value {index} from {from} to {to}: {click} dBFS");
        }
    }
}
