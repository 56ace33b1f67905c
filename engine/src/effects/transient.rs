//! `transient`: more or less of how sounds begin, and of how they last, at any level.
//!
//! The difference of two envelopes tells what is a beginning and what is an end (the differential envelope of SPL's
//! Transient Designer, 1998): one follows the sound at once, the other rises slowly, or falls slowly. What they differ by,
//! in dB, is added to the level or taken from it. A tone that lasts keeps its level, and passes exactly.

use super::{no_latency, no_tail, same_channels};
use crate::dynamics::SlidingMinimum;
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::one_pole::pole;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::units::Unit;

/// `transient(attack, sustain)`.
pub static TRANSIENT: Table = Table {
    word: "transient",
    summary: "Brings out or softens how sounds begin and how they last, at any level; all channels together.",
    example: "x >> transient(40, -20)",
    arguments: &["attack", "sustain"],
    parameters: &[
        Parameter::number("attack", Unit::Percent, 0.0, -100.0, 100.0, "how much more of beginnings, up to 15 dB"),
        Parameter::number("sustain", Unit::Percent, 0.0, -100.0, 100.0, "how much more of what lasts, up to 24 dB"),
    ],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe| Box::new(Transient::new(recipe)),
};

/// The most that is made of a beginning and of what lasts, in dB.
const MOST_ATTACK: f64 = 15.0;
const MOST_SUSTAIN: f64 = 24.0;

/// A peak is heard for half a period of the lowest note, so that the envelope of a tone is flat.
const HELD_MS: f64 = 12.0;

/// What is quieter is silence: -90 dBFS.
const FLOOR: f64 = 3.162_277_660_168_379e-5;

/// How slowly the slow envelopes rise and fall.
const RISE_MS: f64 = 20.0;
const FALL_MS: f64 = 400.0;

/// The gain follows this much later, so that it does not step.
const SMOOTH_MS: f64 = 1.0;

/// Nearer to the goal than this many dB is there.
const THERE: f64 = 1e-9;

struct Transient {
    /// Of the peaks, upside down.
    peaks: SlidingMinimum,
    rises: f64,
    falls: f64,
    /// What is added to the level now, in dB.
    gain: f64,
    rise: f64,
    fall: f64,
    smooth: f64,
}

keep!(Transient: peaks, rises, falls, gain);

impl Transient {
    fn new(recipe: &Recipe) -> Self {
        let rate = recipe.rate();
        Transient {
            peaks: SlidingMinimum::new(((HELD_MS * rate / 1000.0) as usize).max(1)),
            rises: FLOOR,
            falls: FLOOR,
            gain: 0.0,
            rise: pole(RISE_MS, rate),
            fall: pole(FALL_MS, rate),
            smooth: pole(SMOOTH_MS, rate),
        }
    }

    /// By how many dB a peak begins something, and by how many it has faded. RT.
    #[inline]
    fn listen(&mut self, peak: f64) -> (f64, f64) {
        let level = (-self.peaks.step(-peak)).max(FLOOR);
        self.rises = level.min(level - self.rise * (level - self.rises));
        self.falls = level.max(self.fall * self.falls);
        let apart = |more: f64, less: f64, most: f64| {
            if more == less { 0.0 } else { math::db_from_gain(more / less).min(most) }
        };
        (apart(level, self.rises, MOST_ATTACK), apart(self.falls, level, MOST_SUSTAIN))
    }
}

impl Kernel for Transient {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[attack, sustain] = io.values else { return };
        let count = io.frames.len();
        for (n, i) in io.frames.clone().enumerate() {
            let peak = io.audio.iter().fold(0.0_f64, |most, channel| most.max(channel[i].abs()));
            let (begins, lasts) = self.listen(peak);
            let goal = (attack.at(n, count) * begins + sustain.at(n, count) * lasts) / 100.0;
            self.gain = goal + self.smooth * (self.gain - goal);
            if self.gain.abs() < THERE {
                self.gain = 0.0;
            } else {
                let gain = math::gain_from_db(self.gain);
                io.audio.iter_mut().for_each(|channel| channel[i] *= gain);
            }
        }
    }

    fn reset(&mut self) {
        self.peaks.reset();
        (self.rises, self.falls, self.gain) = (FLOOR, FLOOR, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, level_above, noise, sine};

    /// Silence, then a level that lasts 300 ms, then a fall of 120 dB a second.
    fn note(level: f64) -> Vec<f64> {
        let note = |i: usize| match i {
            0..4800 => 0.0,
            4800..19_200 => level,
            _ => level * math::gain_from_db(-(i as f64 - 19_200.0) * 120.0 / RATE),
        };
        (0..96_000).map(note).collect()
    }

    /// What is added to a note's level, in dB, by the frame.
    fn added(attack: f64, sustain: f64, level: f64) -> impl Fn(usize) -> f64 {
        let input = note(level);
        let output = Bench::new(&TRANSIENT, 1).set("attack", attack).set("sustain", sustain).run_mono(&input);
        move |frame| math::db_from_gain(output[frame] / input[frame])
    }

    #[test]
    fn a_beginning_is_brought_out_or_softened_by_what_a_slow_envelope_misses_of_it() {
        for level in [1.0, 0.01] {
            for (attack, sign) in [(100.0, 1.0), (50.0, 0.5), (-100.0, -1.0)] {
                let added = added(attack, 0.0, level);
                for ms in [20.0, 40.0, 60.0] {
                    // The gain lags by a millisecond.
                    let missed = -math::db_from_gain(1.0 - math::exp(-(ms - SMOOTH_MS) / RISE_MS));
                    let got = added(4800 + (ms * 48.0) as usize);
                    assert!((got - sign * missed).abs() < 0.05, "{attack} % at {ms} ms: {got}, not {missed}");
                }
                let most = (4800..5800).map(|i| added(i) / sign).fold(0.0, f64::max);
                assert!((10.0..=MOST_ATTACK).contains(&most), "{attack} %: {most}");
                assert!(added(19_000).abs() < 0.01 && added(24_000).abs() < 0.01, "what lasts is left alone");
            }
        }
    }

    #[test]
    fn what_lasts_is_lengthened_or_shortened_by_how_much_faster_it_falls_than_a_slow_envelope() {
        // 120 dB a second against 21.7: held by 12 ms each, of which the gain sees 1 ms less.
        let slow = 20.0 / std::f64::consts::LN_10 * 1000.0 / FALL_MS;
        for level in [1.0, 0.1] {
            for (sustain, sign) in [(100.0, 1.0), (-50.0, -0.5)] {
                let added = added(0.0, sustain, level);
                for ms in [50.0, 100.0, 200.0] {
                    let apart = (120.0 - slow) * (ms - HELD_MS - SMOOTH_MS) / 1000.0;
                    let got = added(19_200 + (ms * 48.0) as usize);
                    assert!((got - sign * apart).abs() < 0.05, "{sustain} % at {ms} ms: {got}, not {apart}");
                }
                let most = (19_200..60_000).map(|i| added(i) / sign).fold(0.0, f64::max);
                assert!((most - MOST_SUSTAIN).abs() < 0.01, "{sustain} %: {most}");
                assert!(added(19_000) == 0.0, "what begins is left alone");
            }
        }
    }

    #[test]
    fn a_tone_that_lasts_passes_exactly() {
        for freq in [50.0, 1000.0] {
            let input = sine(freq, -12.0, RATE, 96_000);
            let output = Bench::new(&TRANSIENT, 1).set("attack", 100.0).set("sustain", -100.0).run_mono(&input);
            assert!(output[72_000..] == input[72_000..], "{freq} Hz");
        }
    }

    #[test]
    fn at_nothing_it_passes_everything_exactly() {
        let input: Vec<f64> = noise(1, 24_000).iter().zip(note(1.0)).map(|(a, b)| a * b).collect();
        assert!(Bench::new(&TRANSIENT, 1).run_mono(&input) == input);
    }

    #[test]
    fn both_channels_go_together() {
        let output = Bench::new(&TRANSIENT, 2).set("attack", 100.0).run(&[note(1.0), vec![0.25; 96_000]]);
        let gain = |channel: usize, of: f64| output[channel][5000] / of;
        assert!(gain(0, 1.0) > 1.5 && (gain(0, 1.0) - gain(1, 0.25)).abs() < 1e-12);
    }

    #[test]
    fn edits_leave_no_click() {
        // 30 Hz is too low to be taken for a tone: it works on it all the time.
        let input = sine(30.0, -12.0, RATE, 48_000);
        for (index, to) in [(0, 100.0), (0, -100.0), (1, 100.0), (1, -100.0)] {
            let mut bench = Bench::new(&TRANSIENT, 1);
            let mut output = bench.run_mono(&input[..24_000]);
            bench.edit(index, to);
            output.extend(bench.run_mono(&input[24_000..]));
            assert!(output[26_000..] != input[26_000..]);
            let click = level_above(&output, 5000.0, RATE);
            assert!(click < -80.0, "value {index} to {to}: {click}");
        }
    }
}
