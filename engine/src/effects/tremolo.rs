//! `tremolo`: loudness that goes up and down.

use super::{apart, no_latency, no_tail, pace, same_channels, spread};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::units::Unit;
use crate::wheel::{Wave, Wheel};

const PACE: usize = 0;
const DEPTH: usize = 1;
const SHAPE: usize = 2;
const STEREO: usize = 3;

/// `tremolo(rate)`.
pub static TREMOLO: Table = Table {
    word: "tremolo",
    summary: "Loudness goes down and comes back; loudest where a cycle begins, so on the beat.",
    example: "x >> tremolo(\"1/8\").depth(60)",
    arguments: &["rate"],
    parameters: &[
        pace(5.0, 0.01, 40.0),
        Parameter::number(
            "depth",
            Unit::Percent,
            50.0,
            0.0,
            100.0,
            "of the gain that is taken away: 100 is to silence",
        ),
        Parameter::choice("shape", Wave::WORDS, "the way down and back; a square's edges are rounded"),
        spread(0.0),
    ],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe: &Recipe| {
        Box::new(Tremolo { wheel: Wheel::default(), wave: Wave::of_choice(recipe.values[SHAPE]) })
    },
};

struct Tremolo {
    wheel: Wheel,
    wave: Wave,
}

keep!(Tremolo: wheel);

impl Kernel for Tremolo {
    fn process(&mut self, io: &mut Io<'_>) {
        let phases = self.wheel.turn(io, io.values[PACE].to);
        let (count, channels) = (io.frames.len(), io.audio.len());
        for (channel, buffer) in io.audio.iter_mut().enumerate() {
            for (n, i) in io.frames.clone().enumerate() {
                let ahead = apart(channel, channels, io.values[STEREO].at(n, count));
                // A quarter on a wave is at its top.
                let below = 0.5 - 0.5 * self.wave.at(phases[i] + 0.25 + ahead);
                buffer[i] *= 1.0 - io.values[DEPTH].at(n, count) / 100.0 * below;
            }
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
    use crate::math;
    use crate::test_signals::{Bench, RATE, click_of_edit, noise};

    static ONES: [f64; 24_000] = [1.0; 24_000];

    #[test]
    fn the_gain_follows_the_wave_from_1_down_by_the_depth() {
        for (depth, least) in [(100.0, 0.0), (50.0, 0.5), (12.5, 0.875)] {
            for (shape, wave) in [Wave::Sine, Wave::Triangle, Wave::Square].into_iter().enumerate() {
                let bench = Bench::new(&TREMOLO, 1).set("rate", 4.0).set("depth", depth).set("shape", shape as f64);
                let gains = { bench }.run_mono(&ONES);
                for (i, gain) in gains.iter().enumerate() {
                    let expected = 1.0 - depth / 100.0 * (1.0 - wave.at(4.0 * i as f64 / RATE + 0.25)) / 2.0;
                    assert!((gain - expected).abs() < 1e-9, "{wave:?} at {i}: {gain}");
                }
                assert!((gains[0] - 1.0).abs() < 1e-12 && (gains[6000] - least).abs() < 1e-12, "{wave:?}");
            }
        }
    }

    #[test]
    fn a_sine_is_two_side_tones_of_half_the_depth() {
        // Modulation by m about 1 - m is 1 - d/2 of the tone and d/4 of each side tone.
        let tone = crate::test_signals::sine(1000.0, 0.0, RATE, 48_000);
        let bins = crate::test_signals::spectrum(&Bench::new(&TREMOLO, 1).set("depth", 60.0).run_mono(&tone));
        for (bin, expected) in [(1000, 0.7), (995, 0.15), (1005, 0.15), (990, 0.0)] {
            assert!((math::sqrt(bins[bin]) - expected).abs() < 1e-9, "{bin} Hz: {}", math::sqrt(bins[bin]));
        }
    }

    #[test]
    fn eighths_at_120_bpm_are_loudest_on_every_eighth() {
        let gains = Bench::new(&TREMOLO, 1).beats("rate", 0.5).set("depth", 100.0).run_mono(&[1.0; 48_000]);
        for eighth in 0..4 {
            assert!((gains[eighth * 12_000] - 1.0).abs() < 1e-12 && gains[eighth * 12_000 + 6000] < 1e-12);
        }
    }

    #[test]
    fn sides_may_be_opposite_and_add_up_to_the_same() {
        let bench = Bench::new(&TREMOLO, 2).set("depth", 100.0).set("stereo", 100.0);
        let output = { bench }.run(&[ONES.to_vec(), ONES.to_vec()]);
        assert!(output[0].iter().zip(&output[1]).all(|(left, right)| (left + right - 1.0).abs() < 1e-9));
    }

    #[test]
    fn without_depth_it_passes_everything_on_exactly() {
        let input = noise(1, 4800);
        assert_eq!(Bench::new(&TREMOLO, 1).set("depth", 0.0).run_mono(&input), input);
    }

    #[test]
    fn a_cold_start_at_a_frame_is_what_ran_there() {
        for beats in [0.5, 3.0] {
            let bench = || Bench::new(&TREMOLO, 1).beats("rate", beats);
            let input = noise(1, 20_000);
            assert!(bench().run_mono(&input)[6400..] == bench().from(6400).run_mono(&input[6400..]));
        }
    }

    #[test]
    fn an_edit_does_not_click() {
        for shape in 0..3 {
            for (index, to) in [(PACE, 0.5), (PACE, 20.0), (DEPTH, 100.0), (DEPTH, 0.0), (STEREO, 100.0)] {
                let mut bench = Bench::new(&TREMOLO, 2).set("shape", f64::from(shape));
                let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
                assert!(click < -80.0, "shape {shape}, value {index} to {to}: {click} dBFS");
            }
        }
    }
}
