//! `gate`: turns down what is quieter than a threshold.

use super::{no_latency, no_tail, same_channels};
use crate::dynamics::Ear;
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
