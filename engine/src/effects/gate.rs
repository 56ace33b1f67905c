//! `gate` and `expander`: turn down what is quieter than a threshold, all the way or in proportion.

use super::{no_latency, no_tail, same_channels};
use crate::dynamics::Ear;
use crate::keep::keep;
use crate::kernel::{Glide, Io, Kernel};
use crate::math;
use crate::one_pole::pole;
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::rest::spent;
use crate::units::Unit;

const THRESHOLD: Parameter =
    Parameter::number("threshold", Unit::Decibels, -40.0, -90.0, 0.0, "the level at which it opens");
const RANGE: Parameter = Parameter::number("range", Unit::Decibels, 80.0, 0.0, 120.0, "the most it turns down");
const ATTACK: Parameter =
    Parameter::number("attack", Unit::Milliseconds, 0.5, 0.01, 1000.0, "to 63.2 % of the way open, in dB");
const HOLD: Parameter =
    Parameter::number("hold", Unit::Milliseconds, 50.0, 0.0, 5000.0, "how long it stays open below the threshold");
const RELEASE: Parameter =
    Parameter::number("release", Unit::Milliseconds, 150.0, 1.0, 5000.0, "to 63.2 % of the way closed, in dB");
const HYSTERESIS: Parameter =
    Parameter::number("hysteresis", Unit::Decibels, 4.0, 0.0, 24.0, "how far below the threshold it closes");
const KEY: Parameter = Parameter::signal("key", "what is listened to instead of the input");

/// `gate(threshold)`.
pub static GATE: Table = Table {
    word: "gate",
    summary: "Turns the signal down while it is quieter than a threshold; all channels together.",
    example: "x >> gate(-40).release(200.ms)",
    arguments: &["threshold"],
    parameters: &[THRESHOLD, RANGE, ATTACK, HOLD, RELEASE, HYSTERESIS, KEY],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe| Box::new(Gate::new(recipe)),
};

/// `expander(threshold, ratio)`.
pub static EXPANDER: Table = Table {
    word: "expander",
    summary: "Turns the signal down the more the further it is below a threshold; all channels together.",
    example: "x >> expander(-40, 2).range(30)",
    arguments: &["threshold", "ratio"],
    parameters: &[
        THRESHOLD,
        Parameter::number(
            "ratio",
            Unit::Plain,
            2.0,
            1.0,
            100.0,
            "dB of output for one dB of input, below the threshold",
        ),
        RANGE,
        ATTACK,
        HOLD,
        RELEASE,
        HYSTERESIS,
        KEY,
    ],
    ..GATE
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
    /// By how many dB it is turned down now; `None` before the first frame, when it is as closed as it gets.
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
        let (ratio, [threshold, range, attack, hold, release, hysteresis]) = match *io.values {
            [threshold, range, attack, hold, release, hysteresis, _] => {
                (None, [threshold, range, attack, hold, release, hysteresis])
            }
            [threshold, ratio, range, attack, hold, release, hysteresis, _] => {
                (Some(ratio), [threshold, range, attack, hold, release, hysteresis])
            }
            _ => return,
        };
        let (levels, fall) = (&mut self.levels, self.fall);
        self.ear.listen(io, |channel, frames| {
            let Some(level) = levels.get_mut(channel) else { return };
            for x in frames {
                *level = x.abs().max(spent(fall * *level));
                *x = *level;
            }
        });
        let count = io.frames.len();
        let (attack, release) = (pole(attack.to, self.rate), pole(release.to, self.rate));
        let hold = (hold.to * self.rate / 1000.0) as u64;
        // Whether it is open is not heard by itself: one value for the stretch will do.
        let opens = math::gain_from_db(threshold.to);
        let closes = math::gain_from_db(threshold.to - hysteresis.to);
        for (n, i) in io.frames.clone().enumerate() {
            let level = self.ear.loudest()[i];
            if level >= opens {
                self.open = true;
            }
            self.quiet_for = if self.open && level < closes { self.quiet_for.saturating_add(1) } else { 0 };
            if self.quiet_for > hold {
                self.open = false;
                self.quiet_for = 0;
            }
            let closed = |level: f64| closed(ratio, threshold, level, n, count).min(range.at(n, count));
            let goal = if self.open { 0.0 } else { closed(level) };
            let from = self.down.unwrap_or_else(|| closed(0.0));
            let mut down = goal + if goal < from { attack } else { release } * (from - goal);
            if (down - goal).abs() < THERE {
                down = goal;
            }
            self.down = Some(down);
            if down != 0.0 {
                io.reduced = io.reduced.max(down);
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

/// By how many dB a closed one turns a level down at frame `n` of `count`, before its range: a gate, which has no ratio,
/// without end. RT.
fn closed(ratio: Option<Glide>, threshold: Glide, level: f64, n: usize, count: usize) -> f64 {
    // Silence has a level here, so that a ratio of 1 leaves it alone.
    let below = || threshold.at(n, count) - math::db_from_gain(level.max(f64::MIN_POSITIVE));
    ratio.map_or(f64::INFINITY, |ratio| (ratio.at(n, count) - 1.0) * below().max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, level_at, noise, peak, sine};

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

    /// What an expander makes of a level that lasts, in dB.
    fn expanded(bench: Bench, level: f64) -> f64 {
        let mut bench = bench;
        let output = bench.run_mono(&vec![math::gain_from_db(level); 96_000]);
        math::db_from_gain(output[95_999])
    }

    #[test]
    fn an_expander_follows_its_static_curve() {
        for (ratio, level, out) in
            [(2.0, -39.9, -39.9), (2.0, -50.0, -60.0), (2.0, -60.0, -80.0), (1.5, -60.0, -70.0), (1.0, -70.0, -70.0)]
        {
            let got = expanded(Bench::new(&EXPANDER, 1).set("ratio", ratio), level);
            assert!((got - out).abs() < 0.01, "{ratio}:1 took {level} to {got}, not {out}");
        }
        let least = expanded(Bench::new(&EXPANDER, 1).set("range", 15.0), -70.0);
        assert!((least + 85.0).abs() < 0.01, "{least}");
    }

    #[test]
    fn an_expander_of_a_very_high_ratio_is_a_gate() {
        let level = |i: usize| if (i / 6000).is_multiple_of(2) { 0.1 } else { 0.001 };
        let input: Vec<f64> = noise(3, 24_000).iter().enumerate().map(|(i, x)| x * level(i)).collect();
        let expanded = Bench::new(&EXPANDER, 1).set("ratio", 100.0).set("range", 20.0).run_mono(&input);
        let gated = Bench::new(&GATE, 1).set("range", 20.0).run_mono(&input);
        let off = expanded.iter().zip(&gated).map(|(a, b)| a - b).collect::<Vec<_>>();
        assert!(peak(&off) < -120.0, "{}", peak(&off));
    }

    #[test]
    fn an_expander_that_has_opened_passes_its_input_down_to_its_hysteresis() {
        // Opened at -30 dBFS; -43 is above -44, where it closes.
        let level = |i: usize| math::gain_from_db(if i < 4800 { -30.0 } else { -43.0 });
        let input: Vec<f64> = (0..96_000).map(level).collect();
        let output = Bench::new(&EXPANDER, 1).run_mono(&input);
        assert!(output[4700..] == input[4700..]);
        let output = Bench::new(&EXPANDER, 1).set("hysteresis", 0.0).run_mono(&input);
        assert!((math::db_from_gain(output[95_999]) + 46.0).abs() < 0.01);
    }

    #[test]
    fn an_expander_hardly_distorts_a_low_tone() {
        let output = Bench::new(&EXPANDER, 1).run_mono(&sine(100.0, -50.0, RATE, 144_000));
        let steady = &output[96_000..];
        let tone = level_at(steady, 100.0, RATE);
        assert!((tone + 60.0).abs() < 0.3, "{tone}");
        let third = level_at(steady, 300.0, RATE);
        assert!(third < tone - 40.0, "{third}");
    }

    #[test]
    fn edits_of_an_expander_leave_no_click() {
        for (name, to) in [("threshold", -10.0), ("ratio", 4.0), ("range", 3.0), ("attack", 5.0), ("release", 20.0)] {
            let index = EXPANDER.index(name).unwrap();
            let mut bench = Bench::new(&EXPANDER, 1).set("threshold", -4.0);
            let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
            assert!(click < -80.0, "{name}: {click}");
        }
    }
}
