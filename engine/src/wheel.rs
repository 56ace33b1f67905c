//! Wheels: what goes round in an effect, such as the LFO of a chorus, kept to where the transport has it.
//!
//! Where a wheel belongs is a function of the transport and of its rate alone, so that a desk that has played for an hour and
//! one that was just started there agree. A changed rate moves that place, and the wheel must not jump: it goes on from where
//! it is, as fast as it is asked to, and once the rate has held for 50 ms it makes good what it is off by, at most
//! one cycle a second, which is done within half a second. A transport that went elsewhere is followed in the same
//! way. While the transport stands still a wheel turns on freely: what is played live is heard through it.
//!
//! What rests is passed by (see [`crate::rest`]): of a wheel in its place it is then enough to know where the transport was.

use crate::keep::{Keep, Ledger};
use crate::kernel::{Buffer, Io, QUANTUM};
use crate::math;
use crate::motion::Rate;
use crate::tempo::Tempo;

/// How long a rate has to hold before a wheel makes for its place.
const HOLDS_MS: f64 = 50.0;

/// By how many cycles a second it is faster or slower on the way.
const CATCH_UP: f64 = 1.0;

/// Something that goes round.
#[derive(Clone, Copy, Debug)]
pub struct Wheel {
    /// In cycles, from 0 to 1; none before its first frame.
    phase: Option<f64>,
    rate: Rate,
    /// Frames for which the rate has held, while it is not in its place; infinite in its place.
    held: f64,
    /// The frame of the transport that comes next, if it was passed by until there, in its place all the while.
    passed: Option<i64>,
}

impl Default for Wheel {
    fn default() -> Self {
        Wheel { phase: None, rate: Rate::Hertz(1.0), held: f64::INFINITY, passed: None }
    }
}

impl Wheel {
    /// Steps on to a frame of the transport and gives the phase there, in cycles from 0 to 1. RT.
    pub fn step(&mut self, rate: Rate, frame: i64, rolling: bool, tempo: &Tempo) -> f64 {
        self.step_from(rate, frame, rolling, tempo).1
    }

    /// The same, with the phase at the frame before; there is none before the first. RT.
    pub fn step_from(&mut self, rate: Rate, frame: i64, rolling: bool, tempo: &Tempo) -> (Option<f64>, f64) {
        let place_at = |rate: Rate, frame: i64| {
            let place = rate.cycles_at(frame, tempo);
            place - place.floor()
        };
        let place = place_at(rate, frame);
        if let Some(next) = self.passed.take() {
            self.phase = Some(place_at(self.rate, next - 1));
        }
        let last = self.phase;
        let phase = match last {
            None => place,
            Some(phase) => {
                // As far as from the frame before, which a change of tempo may lie behind.
                let before = if rolling { frame - 1 } else { frame };
                let on = phase + rate.cycles_a_frame(before, tempo);
                if rate != self.rate {
                    self.held = 0.0;
                }
                // It may be infinite, and is out of its place wherever it turns on freely.
                self.held = (self.held + 1.0).min(f64::MAX);
                if rolling && self.held > HOLDS_MS / 1000.0 * tempo.rate() {
                    let away = place - on - (place - on).round();
                    let pull = CATCH_UP / tempo.rate();
                    if away.abs() <= pull {
                        self.held = f64::INFINITY;
                        place
                    } else {
                        on + pull.copysign(away)
                    }
                } else {
                    on
                }
            }
        };
        let phase = phase - phase.floor();
        (self.phase, self.rate) = (Some(phase), rate);
        (last, phase)
    }

    /// It was passed by, in its place, while the transport went on until this frame comes next. RT.
    pub fn pass(&mut self, next: i64) {
        self.passed = Some(next);
    }

    /// Its phase at each frame of `io.frames`, by the number that stands for its rate ([`Rate::number`]). RT.
    pub fn turn(&mut self, io: &Io<'_>, number: f64) -> Buffer {
        let rate = Rate::of_number(number);
        let mut phases = [0.0; QUANTUM];
        for i in io.frames.clone() {
            phases[i] = self.step(rate, io.frame(i) as i64, io.rolling, io.tempo);
        }
        phases
    }

    /// As if new: at its next frame it is in its place. RT.
    pub fn reset(&mut self) {
        *self = Wheel::default();
    }
}

impl Keep for Wheel {
    fn keep(&mut self, ledger: &mut Ledger) {
        let mut rate = self.rate.number();
        rate.keep(ledger);
        if ledger.is_noting() {
            // In its place it will be wherever the transport has it; otherwise it is on its way there.
            if self.held.is_finite() {
                ledger.fail();
            }
            return;
        }
        self.phase.keep(ledger);
        self.held.keep(ledger);
        self.passed.keep(ledger);
        self.rate = Rate::of_number(rate);
    }
}

/// What a wheel moves by as it goes round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wave {
    /// A sine.
    Sine,
    /// Straight up and down.
    Triangle,
    /// From end to end and back, in a time that makes no click.
    Square,
}

/// How steep the edges of a square are: those of a sine times this, bent by tanh.
const STEEP: f64 = 6.0;

impl Wave {
    /// The words for them.
    pub const WORDS: &'static [&'static str] = &["sine", "triangle", "square"];

    /// The one of a number in [`Wave::WORDS`].
    pub fn of_choice(index: f64) -> Self {
        match index as usize {
            0 => Wave::Sine,
            1 => Wave::Triangle,
            _ => Wave::Square,
        }
    }

    /// From -1 to 1 at a phase in cycles, any number; 0 and rising at 0. RT.
    pub fn at(self, phase: f64) -> f64 {
        match self {
            Wave::Sine => sine(phase),
            Wave::Triangle => {
                let part = phase + 0.25;
                1.0 - 4.0 * (part - part.floor() - 0.5).abs()
            }
            Wave::Square => math::tanh(STEEP * sine(phase)) / math::tanh(STEEP),
        }
    }
}

/// A sine at a phase in cycles, any number. RT.
pub fn sine(phase: f64) -> f64 {
    math::sin(std::f64::consts::TAU * (phase - phase.floor()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::RATE;
    use crate::units::Clock;

    fn tempo() -> Tempo {
        Tempo::new(Clock { rate: RATE, tempo: 120.0, beats_per_bar: 4.0 })
    }

    /// How far apart two phases are, in cycles, the short way round.
    fn apart(a: f64, b: f64) -> f64 {
        (a - b - (a - b).round()).abs()
    }

    #[test]
    fn a_wheel_is_where_the_transport_has_it_whenever_it_was_started() {
        let tempo = tempo();
        for rate in [Rate::Hertz(0.37), Rate::Beats(0.5), Rate::Bars(3.0), Rate::Hertz(2000.0)] {
            let mut old = Wheel::default();
            (0..20_000).for_each(|frame| {
                old.step(rate, frame, true, &tempo);
            });
            let mut new = Wheel::default();
            for frame in 20_000..20_100 {
                assert_eq!(old.step(rate, frame, true, &tempo), new.step(rate, frame, true, &tempo), "{rate:?}");
            }
        }
    }

    #[test]
    fn a_length_in_music_begins_with_its_beats_and_bars_through_a_change_of_tempo() {
        let mut tempo = tempo();
        tempo.change(96_000, Clock { tempo: 60.0, ..tempo.clock() });
        let (mut beats, mut bars) = (Wheel::default(), Wheel::default());
        for frame in 0..400_000 {
            let phase = beats.step(Rate::Beats(0.5), frame, true, &tempo);
            let expected = tempo.beat_at(frame) * 2.0;
            assert!(apart(phase, expected) < 1e-9, "{frame}");
            assert!(apart(bars.step(Rate::Bars(1.0), frame, true, &tempo), tempo.bar_at(frame)) < 1e-9);
        }
    }

    #[test]
    fn a_changed_rate_never_jumps_and_is_in_its_place_within_half_a_second() {
        let tempo = tempo();
        for (before, after) in [
            (Rate::Hertz(1.0), Rate::Hertz(3.3)),
            (Rate::Hertz(5.0), Rate::Beats(1.5)),
            (Rate::Bars(1.0), Rate::Hertz(0.1)),
        ] {
            let mut wheel = Wheel::default();
            let mut last = (0..1_234_567).fold(0.0, |_, frame| wheel.step(before, frame, true, &tempo));
            for frame in 1_234_567..1_234_567 + 26_500 {
                let phase = wheel.step(after, frame, true, &tempo);
                let most = after.cycles_a_frame(frame, &tempo) + CATCH_UP / RATE + 1e-9;
                assert!(apart(phase, last) < most, "{before:?} to {after:?} at {frame}");
                last = phase;
            }
            let frame = 1_234_567 + 26_500;
            assert_eq!(wheel.step(after, frame, true, &tempo), Wheel::default().step(after, frame, true, &tempo));
        }
    }

    #[test]
    fn at_a_standing_transport_it_turns_on_and_comes_back_to_its_place_afterwards() {
        let (tempo, rate) = (tempo(), Rate::Hertz(2.0));
        let mut wheel = Wheel::default();
        (0..48_000).for_each(|frame| {
            wheel.step(rate, frame, true, &tempo);
        });
        let still: Vec<f64> = (0..6000).map(|_| wheel.step(rate, 48_000, false, &tempo)).collect();
        assert!(apart(still[5999], 2.0 * 53_999.0 / RATE) < 1e-9, "{}", still[5999]);
        let mut last = still[5999];
        for frame in 48_000..48_000 + 24_000 {
            let phase = wheel.step(rate, frame, true, &tempo);
            assert!(apart(phase, last) <= (2.0 + CATCH_UP) / RATE + 1e-12);
            last = phase;
        }
        assert_eq!(last, Wheel::default().step(rate, 71_999, true, &tempo));
    }

    #[test]
    fn waves_rise_through_0_at_0_and_go_from_end_to_end() {
        for wave in [Wave::Sine, Wave::Triangle, Wave::Square] {
            for (phase, expected) in [(0.0, 0.0), (0.25, 1.0), (0.5, 0.0), (-0.25, -1.0), (7.25, 1.0)] {
                assert!((wave.at(phase) - expected).abs() < 1e-12, "{wave:?} at {phase}: {}", wave.at(phase));
            }
        }
        assert!((Wave::Triangle.at(0.125) - 0.5).abs() < 1e-12);
        assert!(Wave::Square.at(0.125) > 0.999);
    }

    #[test]
    fn what_is_passed_by_in_its_place_goes_on_to_the_last_bit() {
        let tempo = tempo();
        for (rate, after, rolling) in [
            (Rate::Hertz(0.37), Rate::Hertz(0.37), true),
            (Rate::Hertz(5.0), Rate::Beats(1.5), true),
            (Rate::Bars(1.0), Rate::Bars(1.0), false),
        ] {
            let (mut worked, mut passed) = (Wheel::default(), Wheel::default());
            for frame in 0..20_000 {
                worked.step(rate, frame, true, &tempo);
                if frame < 1000 {
                    passed.step(rate, frame, true, &tempo);
                }
            }
            passed.pass(20_000);
            for frame in 20_000..60_000 {
                let frame = if rolling { frame } else { 20_000 };
                let (a, b) = (worked.step(after, frame, rolling, &tempo), passed.step(after, frame, rolling, &tempo));
                assert_eq!(a.to_bits(), b.to_bits(), "{rate:?} to {after:?} at {frame}");
            }
        }
    }
}
