//! `gate`: turns down what is quieter than a threshold.

use super::{no_latency, no_tail, same_channels};
use crate::dynamics::Ear;
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::one_pole::pole;
use crate::parameter::{Parameter, Recipe, Table};
use crate::units::Unit;

/// `gate(threshold)`.
pub static GATE: Table = Table {
    word: "gate",
    summary: "Turns the signal down while it is quieter than a threshold; all channels together.",
    example: "x >> gate(-40).release(200.ms)",
    arguments: &["threshold"],
    parameters: &[
        Parameter::number("threshold", Unit::Decibels, -40.0, -90.0, 0.0, "the level at which it opens"),
        Parameter::number("range", Unit::Decibels, 80.0, 0.0, 120.0, "how much quieter a closed gate is"),
        Parameter::number("attack", Unit::Milliseconds, 0.5, 0.01, 1000.0, "to 63.2 % of the way open, in dB"),
        Parameter::number("hold", Unit::Milliseconds, 50.0, 0.0, 5000.0, "how long it stays open below the threshold"),
        Parameter::number("release", Unit::Milliseconds, 150.0, 1.0, 5000.0, "to 63.2 % of the way closed, in dB"),
        Parameter::number("hysteresis", Unit::Decibels, 4.0, 0.0, 24.0, "how far below the threshold it closes"),
        Parameter::signal("key", "what is listened to instead of the input"),
    ],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: no_tail,
    echoes: false,
    kernel: |recipe| Box::new(Gate::new(recipe)),
};

/// The level falls no faster than with this constant, so that it bridges the zero crossings of low notes.
const FALL_MS: f64 = 10.0;

/// Nearer to the goal than this many dB is there.
const THERE: f64 = 1e-9;

struct Gate {
    ear: Ear,
    /// The level of each channel listened to.
    levels: Vec<f64>,
    fall: f64,
    rate: f64,
    open: bool,
    /// Frames since the level was last loud enough to stay open.
    quiet_for: u64,
    /// By how many dB it is turned down now; `None` before the first frame, when it is closed at any range.
    down: Option<f64>,
}

impl Gate {
    fn new(recipe: &Recipe) -> Self {
        let ear = Ear::new(recipe);
        Gate {
            levels: vec![0.0; ear.heard()],
            ear,
            fall: pole(FALL_MS, recipe.rate()),
            rate: recipe.rate(),
            open: false,
            quiet_for: 0,
            down: None,
        }
    }
}

keep!(Gate: levels, open, quiet_for, down);

impl Kernel for Gate {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[threshold, range, attack, hold, release, hysteresis, _] = io.values else { return };
        let (levels, fall) = (&mut self.levels, self.fall);
        self.ear.listen(io, |channel, frames| {
            let Some(level) = levels.get_mut(channel) else { return };
            for x in frames {
                *level = x.abs().max(fall * *level);
                *x = *level;
            }
        });
        let count = io.frames.len();
        let (attack, release) = (pole(attack.to, self.rate), pole(release.to, self.rate));
        let hold = (hold.to * self.rate / 1000.0) as u64;
        // A threshold decides, it is not heard: one value for the stretch will do.
        let opens = math::gain_from_db(threshold.to);
        let closes = math::gain_from_db(threshold.to - hysteresis.to);
        for (n, i) in io.frames.clone().enumerate() {
            let level = self.ear.loudest()[i];
            if level >= opens {
                self.open = true;
            }
            self.quiet_for = if level >= closes { 0 } else { self.quiet_for.saturating_add(1) };
            if self.quiet_for > hold {
                self.open = false;
            }
            let range = range.at(n, count);
            let (goal, smooth) = if self.open { (0.0, attack) } else { (range, release) };
            let mut down = goal + smooth * (self.down.unwrap_or(range) - goal);
            if (down - goal).abs() < THERE {
                down = goal;
            }
            self.down = Some(down);
            if down != 0.0 {
                let gain = math::gain_from_db(-down);
                io.audio.iter_mut().for_each(|channel| channel[i] *= gain);
            }
        }
    }

    fn reset(&mut self) {
        self.levels.fill(0.0);
        self.open = false;
        self.quiet_for = 0;
        self.down = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, noise, peak, sine};

    /// Ten seconds of a 1 kHz tone whose level sways by 1.5 dB round -40 dBFS, and how often a gate goes through half.
    fn transitions(hysteresis: f64) -> usize {
        let wobble = |i: usize| -40.0 + 1.5 * math::sin(std::f64::consts::TAU * 0.7 * i as f64 / RATE);
        let tone = sine(1000.0, 0.0, RATE, 480_000);
        let input: Vec<f64> = tone.iter().enumerate().map(|(i, x)| x * math::gain_from_db(wobble(i))).collect();
        let mut bench = Bench::new(&GATE, 1).set("hysteresis", hysteresis).set("hold", 0.0).set("release", 10.0);
        let output = bench.run_mono(&input);
        // The crest of each period shows the gain.
        let open = (0..10_000).map(|period| output[period * 48 + 12].abs() > 0.5 * input[period * 48 + 12].abs());
        let open: Vec<bool> = open.collect();
        open.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    #[test]
    fn hysteresis_keeps_a_wobbling_tone_from_chattering() {
        assert!(transitions(3.0) <= 2, "{}", transitions(3.0));
        assert!(transitions(0.0) >= 10);
    }

    #[test]
    fn an_open_gate_passes_its_input_exactly() {
        let input = sine(200.0, -20.0, RATE, 48_000);
        let output = Bench::new(&GATE, 1).run_mono(&input);
        assert!(output[4800..] == input[4800..]);
    }

    #[test]
    fn a_closed_gate_is_quieter_by_its_range() {
        let input = noise(1, 48_000).iter().map(|x| x * 0.001).collect::<Vec<_>>();
        let output = Bench::new(&GATE, 1).set("range", 30.0).run_mono(&input);
        assert!((peak(&output) - (peak(&input) - 30.0)).abs() < 1e-9);
    }

    #[test]
    fn it_opens_and_closes_in_its_times() {
        let mut bench = Bench::new(&GATE, 1).key(1).set("attack", 10.0).set("hold", 20.0).set("release", 100.0);
        let mut key = vec![1.0; 9600];
        key.resize(96_000, 0.0);
        let gain = bench.run_keyed(&[vec![1.0; 96_000]], &[key]).remove(0);
        let down = |frame: usize| -math::db_from_gain(gain[frame]);
        // 36.8 % of 80 dB are left after 10 ms.
        assert!((down(479) - 80.0 * math::exp(-1.0)).abs() < 0.01, "{}", down(479));
        // The level falls from 0 to -44 dB in 5.07 constants of 10 ms; 20 ms later it closes.
        let closes = 9600 + (50.66 * 48.0) as usize + 960;
        assert_eq!(gain[closes - 10], 1.0);
        let closed = down(closes + 4800) / 80.0;
        assert!((closed - (1.0 - math::exp(-1.0))).abs() < 0.005, "{closed}");
    }

    #[test]
    fn both_channels_open_together() {
        let input = [vec![0.5; 4800], vec![0.0001; 4800]];
        let output = Bench::new(&GATE, 2).run(&input);
        assert_eq!((output[0][4799], output[1][4799]), (0.5, 0.0001));
    }

    #[test]
    fn it_has_no_latency() {
        let output = Bench::new(&GATE, 1).run_mono(&crate::test_signals::impulse(100));
        assert_eq!((Bench::new(&GATE, 1).latency(), output.iter().position(|x| *x != 0.0)), (0, Some(0)));
    }

    #[test]
    fn edits_leave_no_click() {
        for (name, to) in [("range", 20.0), ("hold", 10.0), ("hysteresis", 0.0), ("attack", 5.0), ("release", 20.0)] {
            let index = GATE.index(name).unwrap();
            // Closed, and so far closed that it is heard.
            let mut bench = Bench::new(&GATE, 1).set("threshold", 0.0).set("range", 6.0);
            let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
            assert!(click < -80.0, "{name}: {click}");
        }
    }
}
