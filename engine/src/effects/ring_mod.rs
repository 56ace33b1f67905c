//! `ring_mod`: the sound times a sine, which leaves sums and differences of their frequencies and neither of them.
//!
//! It is multiplied at twice the rate: sums that the rate cannot carry are gone rather than folded back.

use super::{no_tail, same_channels};
use crate::keep::keep;
use crate::kernel::{Io, Kernel, QUANTUM};
use crate::motion::Rate;
use crate::oversample::{self, Oversampler};
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::rest::spent;
use crate::units::Unit;
use crate::wheel::{self, Wheel};

/// Times the sample rate: enough for any sum.
const TIMES: usize = 2;

/// `ring_mod(freq)`.
pub static RING_MOD: Table = Table {
    word: "ring_mod",
    summary: "Multiplies by a sine: every frequency becomes its sum and its difference with that of the sine.",
    example: "x >> ring_mod(220).mix(50)",
    arguments: &["freq"],
    parameters: &[Parameter::number("freq", Unit::Hertz, 440.0, 0.5, 10_000.0, "of the sine; also a note, \"a3\"")],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: |_| oversample::latency(TIMES),
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe: &Recipe| {
        Box::new(RingMod {
            wheel: Wheel::default(),
            channels: (0..recipe.channels).map(|_| Oversampler::new(TIMES)).collect(),
        })
    },
};

struct RingMod {
    wheel: Wheel,
    channels: Vec<Oversampler>,
}

keep!(RingMod: wheel, channels);

impl Kernel for RingMod {
    fn process(&mut self, io: &mut Io<'_>) {
        let count = io.frames.len();
        let mut carrier = [0.0; TIMES * QUANTUM];
        let frames = carrier.chunks_exact_mut(TIMES).zip(io.frames.clone()).enumerate();
        for (n, (parts, i)) in frames {
            let rate = Rate::Hertz(io.values[0].at(n, count));
            let frame = io.frame(i) as i64;
            let phase = self.wheel.step(rate, frame, io.rolling, io.tempo);
            let on = rate.cycles_a_frame(frame, io.tempo) / TIMES as f64;
            parts.iter_mut().enumerate().for_each(|(part, x)| *x = wheel::sine(phase + on * part as f64));
        }
        for (oversampler, channel) in self.channels.iter_mut().zip(io.audio.iter_mut()) {
            oversampler.process(&mut channel[io.frames.clone()], |high| {
                // Silence has no sign, or it would never rest.
                high.iter_mut().zip(&carrier).for_each(|(x, carrier)| *x = spent(*x * carrier));
            });
        }
    }

    fn wheels(&mut self) -> &mut [Wheel] {
        std::slice::from_mut(&mut self.wheel)
    }

    fn reset(&mut self) {
        self.wheel.reset();
        self.channels.iter_mut().for_each(Oversampler::reset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, db_of_power, sine, spectrum};

    /// The levels, a bin a hertz, of a tone at full scale.
    fn levels(tone: f64, carrier: f64) -> Vec<f64> {
        let output = Bench::new(&RING_MOD, 1).set("freq", carrier).run_mono(&sine(tone, 0.0, RATE, 96_000));
        spectrum(&output[48_000..]).into_iter().map(db_of_power).collect()
    }

    #[test]
    fn a_tone_becomes_its_sum_and_its_difference_6_db_down_and_nothing_else() {
        for (tone, carrier) in [(1000.0, 440.0), (3000.0, 7000.0), (12_000.0, 5000.0)] {
            let bins = levels(tone, carrier);
            let sides = [(tone - carrier).abs() as usize, (tone + carrier) as usize];
            for side in sides {
                assert!((bins[side] + 20.0 * 2.0f64.log10()).abs() < 1e-3, "{tone}, {carrier}: {} dB", bins[side]);
            }
            for (bin, level) in bins.iter().enumerate().filter(|(bin, _)| !sides.contains(bin)) {
                assert!(*level < -110.0, "{tone}, {carrier}: {level} dB at {bin} Hz");
            }
            assert!(bins[carrier as usize].max(bins[tone as usize]) < -110.0, "neither is left");
        }
    }

    #[test]
    fn a_sum_that_the_rate_cannot_carry_does_not_fold_back() {
        let bins = levels(18_000.0, 10_000.0);
        assert!((bins[8000] + 6.0206).abs() < 1e-3 && bins[20_000] < -105.0, "{} {}", bins[8000], bins[20_000]);
    }

    #[test]
    fn a_cold_start_at_a_frame_is_what_ran_there() {
        let input = sine(997.0, -6.0, RATE, 12_800);
        let ran = Bench::new(&RING_MOD, 1).run_mono(&input);
        let cold = Bench::new(&RING_MOD, 1).from(6400).run_mono(&input[6400..]);
        let lag = 2 * oversample::latency(TIMES);
        assert!(ran[6400 + lag..] == cold[lag..], "once the filters are filled");
    }

    #[test]
    fn an_edit_does_not_click() {
        for to in [0.5, 100.0, 2000.0] {
            let mut bench = Bench::new(&RING_MOD, 2).set("freq", 300.0);
            let click = click_of_edit(&mut bench, |bench| bench.edit(0, to));
            assert!(click < -80.0, "to {to}: {click} dBFS");
        }
    }
}
