//! `crush`: fewer bits and fewer frames, and everything that comes of it: the error of rounding, and the images of what is
//! held. No filter stands before or behind; what is above half the new rate folds back, which is what it is for.

use super::{no_latency, no_tail, same_channels};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::motion::Rate;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::units::Unit;
use crate::wheel::Wheel;

const BITS: usize = 0;
const RATE: usize = 1;

/// Stands for no other rate: a frequency that can be glided to, above any session's.
const NO_RATE: f64 = 768_000.0;

/// `crush(bits)`.
pub static CRUSH: Table = Table {
    word: "crush",
    summary: "Rounds to few bits and holds frames: the sound of early samplers, aliases and all.",
    example: "x >> crush(6).rate(8.kHz)",
    arguments: &["bits"],
    parameters: &[
        Parameter::number(
            "bits",
            Unit::Plain,
            8.0,
            1.0,
            24.0,
            "full scale in steps of 2 to the power of 1 - bits; parts too",
        ),
        Parameter::number("rate", Unit::Hertz, 0.0, 100.0, 48_000.0, "frames a second, each held for the next")
            .or("off", NO_RATE)
            .special_by_default(),
    ],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe: &Recipe| Box::new(Crush { wheel: Wheel::default(), held: vec![0.0; recipe.channels] }),
};

struct Crush {
    /// Takes a frame each time that it comes round.
    wheel: Wheel,
    /// The frame that is held.
    held: Vec<f64>,
}

keep!(Crush: wheel, held);

impl Kernel for Crush {
    fn process(&mut self, io: &mut Io<'_>) {
        let count = io.frames.len();
        for (n, i) in io.frames.clone().enumerate() {
            let rate = Rate::Hertz(io.values[RATE].at(n, count));
            let frame = io.frame(i) as i64;
            let (last, phase) = self.wheel.step_from(rate, frame, io.rolling, io.tempo);
            let takes = last.is_none_or(|last| phase < last) || rate.cycles_a_frame(frame, io.tempo) >= 1.0;
            let step = math::exp((1.0 - io.values[BITS].at(n, count)) * std::f64::consts::LN_2);
            for (held, buffer) in self.held.iter_mut().zip(io.audio.iter_mut()) {
                if takes {
                    *held = buffer[i];
                }
                buffer[i] = (*held / step).round() * step;
            }
        }
    }

    fn wheels(&mut self) -> &mut [Wheel] {
        std::slice::from_mut(&mut self.wheel)
    }

    fn reset(&mut self) {
        self.wheel.reset();
        self.held.fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, noise, sine, spectrum};
    use crate::test_signals::{RATE as FRAMES, db_of_power, rms};

    #[test]
    fn rounding_leaves_an_even_error_of_a_step() {
        for bits in [4.0, 8.0, 12.0, 6.5, 16.0] {
            let input = noise(1, 48_000);
            let output = Bench::new(&CRUSH, 1).set("bits", bits).run_mono(&input);
            let error: Vec<f64> = output.iter().zip(&input).map(|(y, x)| y - x).collect();
            let step = 2.0f64.powf(1.0 - bits);
            assert!(error.iter().all(|e| e.abs() <= step / 2.0 + 1e-12), "{bits} bits");
            // The power of an even spread over a step.
            let expected = db_of_power(step * step / 12.0);
            assert!((rms(&error) - expected).abs() < 0.1, "{bits} bits: {} dB, not {expected}", rms(&error));
        }
    }

    #[test]
    fn a_few_bits_leave_a_few_levels() {
        let output = Bench::new(&CRUSH, 1).set("bits", 2.0).run_mono(&sine(997.0, 0.0, FRAMES, 4800));
        assert!(output.iter().all(|y| [-1.0, -0.5, 0.0, 0.5, 1.0].contains(y)));
    }

    #[test]
    fn held_frames_have_the_images_of_a_hold() {
        // Every eighth frame is held: a tone and its images about multiples of 6 kHz, by sin(8 w/2) / 8 sin(w/2).
        let mut bench = Bench::new(&CRUSH, 1).set("bits", 24.0).set("rate", 6000.0);
        let bins = spectrum(&bench.run_mono(&sine(1000.0, 0.0, FRAMES, 48_000)));
        for freq in [1000.0, 5000.0, 7000.0, 11_000.0, 13_000.0, 19_000.0, 23_000.0] {
            let half = std::f64::consts::PI * freq / FRAMES;
            let expected = (math::sin(8.0 * half) / (8.0 * math::sin(half))).abs();
            let found = math::sqrt(bins[freq as usize]);
            assert!((found - expected).abs() < 1e-5, "{freq} Hz: {found}, not {expected}");
        }
        assert!(db_of_power(bins[3000]) < -120.0);
    }

    #[test]
    fn what_is_above_half_the_rate_folds_back() {
        let mut bench = Bench::new(&CRUSH, 1).set("bits", 24.0).set("rate", 6000.0);
        let bins = spectrum(&bench.run_mono(&sine(5000.0, 0.0, FRAMES, 48_000)));
        let loudest = (1..24_000).max_by(|a, b| bins[*a].total_cmp(&bins[*b]));
        assert_eq!(loudest, Some(1000));
    }

    #[test]
    fn frames_are_taken_where_the_transport_has_them() {
        for rate in [7000.0, 11_025.0] {
            let bench = || Bench::new(&CRUSH, 1).set("rate", rate).set("bits", 24.0);
            let input = noise(1, 6400);
            let (ran, cold) = (bench().run_mono(&input), bench().from(1280).run_mono(&input[1280..]));
            assert_eq!(ran[1280 + 7..], cold[7..], "from the first that is taken");
        }
    }

    #[test]
    fn many_bits_at_the_full_rate_are_all_but_the_input() {
        for rate in [48_000.0, NO_RATE] {
            let input = noise(1, 4800);
            let index = |name| CRUSH.index(name).unwrap();
            let mut bench = Bench::new(&CRUSH, 1).set("bits", 24.0);
            bench.edit(index("rate"), rate);
            let output = bench.run_mono(&input);
            assert!(output.iter().zip(&input).all(|(y, x)| (y - x).abs() <= 2.0f64.powi(-24)), "{rate}");
        }
    }
}
