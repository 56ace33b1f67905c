//! Lanes: the way of one number, to goals that the text gives or along with a control. Whatever changes its mind, the text or
//! the control, the lane goes on from where it is.

use crate::fade::Ramp;
use crate::keep::{Keep, Ledger};
use crate::kernel::{Buffer, Glide, QUANTUM};
use crate::math;
use crate::motion::{Motion, State};
use crate::parameter::{Kind, Law, Parameter};
use crate::plan::{PlanControl, PlanMotion};
use crate::tempo::Tempo;

/// How the value of a control becomes the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// As it is.
    Plain,
    /// From dB to a linear gain.
    Gain,
    /// From percent to a share.
    Share,
}

/// One number on its way.
#[derive(Clone, Copy, Debug)]
pub struct Lane {
    law: Law,
    scale: Scale,
    /// In the form that glides evenly.
    ramp: Ramp,
    goal: f64,
    /// At the last frame.
    last: f64,
    /// The version of the control that moves it.
    control: Option<u64>,
    /// What it was when the control came, or jumped.
    held: f64,
    /// How much of the control it has, rather than of what was.
    share: Ramp,
    /// Nothing has been heard of it: it comes from nowhere.
    begins: bool,
    /// What it goes over to in a while: from a control, or to one.
    turn: Option<Turn>,
}

/// A change that waits for its frame.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    /// The version of a control that the number goes over to.
    control: Option<u64>,
    /// What the text says, where no control does.
    goal: f64,
    wait: u32,
    fade: u32,
}

impl Keep for Lane {
    fn keep(&mut self, ledger: &mut Ledger) {
        // What waits still goes along with what the text has no more, and that cannot be taken up.
        match self.turn {
            Some(_) if !ledger.is_reading() => ledger.fail(),
            _ => self.turn = None,
        }
        self.ramp.keep(ledger);
        self.goal.keep(ledger);
        self.last.keep(ledger);
        self.control.keep(ledger);
        self.held.keep(ledger);
        self.share.keep(ledger);
        self.begins.keep(ledger);
    }
}

/// What controls know while a quantum is computed.
#[derive(Clone, Copy)]
pub struct Steering<'a> {
    /// What moves.
    pub motions: &'a [PlanMotion],
    /// Where each of them is.
    pub states: &'a [State],
    /// Which of them has just been told another value.
    pub heard: &'a [bool],
    /// Where beats and bars lie.
    pub tempo: &'a Tempo,
    /// The transport frame of the quantum's first frame, where the sound is.
    pub frame: i64,
    /// Whether the transport goes on.
    pub rolling: bool,
    /// Whether the transport has come here from elsewhere.
    pub moved: bool,
    /// Frames that a jump is stretched to, if it is not soon followed by the next.
    pub fade: u32,
}

impl<'a> Steering<'a> {
    /// The same where what flows is late by so many frames. RT.
    pub fn later(&self, frames: usize) -> Steering<'a> {
        Steering { frame: self.frame - frames as i64, ..*self }
    }

    /// What moves a number that goes along with this version. RT.
    fn find(&self, control: &PlanControl, version: u64) -> Option<Found<'a>> {
        let known = |n: &usize| self.motions.get(*n).is_some_and(|motion| motion.version == version);
        let n = control.motion.into_iter().chain(control.before).find(known)?;
        let heard = self.heard.get(n).copied().unwrap_or(false);
        Some(Found { motion: &self.motions.get(n)?.motion, state: self.states.get(n)?, heard })
    }

    /// Where the stretch that begins at frame `at` of the quantum has to end for a control, and the frames that it takes if the
    /// control jumps at its beginning. RT.
    fn stretch(&self, Found { motion, state, heard }: Found<'_>, at: usize) -> (usize, Option<u32>) {
        let heard = (at == 0 && (self.moved || heard)).then_some(self.fade);
        if !self.rolling {
            return (QUANTUM, heard);
        }
        let (now, last) = (self.frame + at as i64, self.frame + QUANTUM as i64 - 1);
        let first = motion.corner(state, self.tempo, now - 1, last);
        let (jumps, next) = match first {
            Some(corner) if corner.frame == now => (corner.jumps, motion.corner(state, self.tempo, now, last)),
            other => (false, other),
        };
        let straight = at + motion.grain(state, self.tempo, now).clamp(1, QUANTUM);
        let corner = next.map_or(QUANTUM, |corner| (corner.frame - self.frame) as usize);
        let jump = jumps.then(|| motion.jump(state, self.tempo, now, self.fade));
        (straight.min(corner).min(QUANTUM), jump.or(heard))
    }

    /// The control's value at frame `i` of the quantum; `followed` is what it follows, if it follows anything that is heard.
    /// RT.
    fn value(&self, Found { motion, state, .. }: Found<'_>, i: usize, followed: Option<&Buffer>) -> Option<f64> {
        if let Motion::Follow { range } = motion {
            return Some(range.at(*followed?.get(i)?));
        }
        let frame = if self.rolling { self.frame + i as i64 } else { self.frame };
        Some(motion.value(state, self.tempo, frame))
    }
}

/// A control at work.
#[derive(Clone, Copy)]
struct Found<'a> {
    motion: &'a Motion,
    state: &'a State,
    /// Whether it has just been told another value.
    heard: bool,
}

impl Lane {
    /// A number of a kernel, at rest.
    pub fn new(parameter: &Parameter, value: f64) -> Self {
        let law = match parameter.kind {
            Kind::Number { .. } if !parameter.moves => Law::Own,
            Kind::Number { law, .. } => law,
            // As between two paces there is nothing between on and off.
            Kind::Flag { .. } => Law::Pace,
            _ => Law::Own,
        };
        Lane::at(law, if law == Law::Amplitude { Scale::Gain } else { Scale::Plain }, value)
    }

    /// A share of wet against dry, at rest.
    pub fn share(value: f64) -> Self {
        Lane::at(Law::Linear, Scale::Share, value)
    }

    /// A gain at unity, that a control may move.
    pub fn unity() -> Self {
        Lane::at(Law::Amplitude, Scale::Gain, 1.0)
    }

    fn at(law: Law, scale: Scale, value: f64) -> Self {
        let ramp = Ramp::still(bend(law, value));
        Lane {
            law,
            scale,
            ramp,
            goal: value,
            last: value,
            control: None,
            held: value,
            share: Ramp::still(1.0),
            begins: false,
            turn: None,
        }
    }

    /// Sets out for what the text says, after `wait` frames, to arrive in `fade` more. A control, if it has one, is left where
    /// it is then. RT.
    pub fn aim(&mut self, goal: f64, wait: u32, fade: u32) {
        if self.control.is_some() || self.turn.is_some() {
            self.turn_to(Turn { control: None, goal, wait, fade });
        } else {
            self.set_out(goal, wait, fade);
        }
    }

    fn set_out(&mut self, goal: f64, wait: u32, fade: u32) {
        if goal != self.goal {
            let (wait, fade) = if self.steps() { (wait, 0) } else { (wait, fade) };
            self.ramp.aim(bend(self.law, goal), wait, fade);
            self.goal = goal;
        }
    }

    /// Goes along with a version of a control from `wait` frames on, and is wholly with it `fade` later. One that is new has
    /// nothing to leave. RT.
    pub fn join(&mut self, version: u64, is_new: bool, wait: u32, fade: u32) {
        if is_new {
            self.control = Some(version);
            self.begins = true;
        } else if self.control != Some(version) || self.turn.is_some() {
            self.turn_to(Turn { control: Some(version), goal: self.goal, wait, fade });
        }
    }

    /// What was waiting gives up what it was to go over to, but not its place in time.
    fn turn_to(&mut self, turn: Turn) {
        let wait = self.turn.map_or(turn.wait, |before| before.wait.min(turn.wait));
        self.turn = Some(Turn { wait, ..turn });
        self.turn_if_due();
    }

    fn turn_if_due(&mut self) {
        let Some(Turn { control, goal, wait: 0, fade }) = self.turn else { return };
        self.turn = None;
        match control {
            Some(_) if self.control == control => {}
            Some(_) => {
                self.control = control;
                self.leave_for_control(fade);
            }
            None => {
                if self.control.take().is_some() {
                    self.ramp = Ramp::still(bend(self.law, self.last));
                    self.goal = self.last;
                }
                self.set_out(goal, 0, fade);
            }
        }
    }

    /// From where it is, over to the control.
    fn leave_for_control(&mut self, fade: u32) {
        self.held = self.last;
        self.share = Ramp::still(0.0);
        self.share.aim(1.0, 0, fade);
    }

    /// Whether the kernel does the gliding. RT.
    fn steps(&self) -> bool {
        matches!(self.law, Law::Own | Law::Pace)
    }

    /// Whether there is nothing to compute. RT.
    pub fn is_still(&self) -> bool {
        self.control.is_none() && self.turn.is_none() && self.ramp.is_still()
    }

    /// The value it had at the last frame. RT.
    pub fn value(&self) -> f64 {
        self.last
    }

    /// Where a stretch from frame `at` of the quantum may go, in one straight line. What the control does at its beginning is
    /// taken note of. RT.
    pub fn stretch(&mut self, at: usize, control: Option<&PlanControl>, steering: &Steering<'_>) -> usize {
        let (end, straight) = match (self.control, self.found(control, steering)) {
            (None, _) => (QUANTUM, self.ramp.straight()),
            (Some(_), None) => (QUANTUM, usize::MAX),
            (Some(_), Some(found)) => {
                let (end, jump) = steering.stretch(found, at);
                if let Some(fade) = jump {
                    self.leave_for_control(fade);
                }
                (end, self.share.straight())
            }
        };
        let waits = self.turn.map_or(usize::MAX, |turn| turn.wait as usize);
        // What gave no room would stop time.
        end.min(at.saturating_add(straight.min(waits))).clamp(at + 1, QUANTUM)
    }

    fn found<'a>(&self, control: Option<&PlanControl>, steering: &Steering<'a>) -> Option<Found<'a>> {
        steering.find(control?, self.control?)
    }

    /// Goes the stretch. RT.
    pub fn advance(
        &mut self,
        stretch: std::ops::Range<usize>,
        control: Option<(&PlanControl, Option<&[f64; QUANTUM]>)>,
        steering: &Steering<'_>,
    ) -> Glide {
        let from = self.last;
        let frames = stretch.len();
        let found = self.found(control.map(|(control, _)| control), steering);
        let to = match (self.control, found) {
            (None, _) if self.ramp.is_still() => self.goal,
            (None, _) => {
                let way = self.ramp.advance(frames);
                // Arrived, it is the goal to the last bit, which a way through logarithms would miss.
                if self.ramp.is_still() { self.goal } else { unbend(self.law, way.to) }
            }
            (Some(_), None) => self.last,
            (Some(_), Some(found)) => {
                let share = self.share.advance(frames).to;
                let followed = control.and_then(|(_, followed)| followed);
                let value = steering.value(found, stretch.end - 1, followed).map(|value| scaled(self.scale, value));
                match value {
                    // Between a pace and another there is none.
                    Some(value) if share == 1.0 || self.law == Law::Pace => value,
                    Some(value) => {
                        let (held, value) = (bend(self.law, self.held), bend(self.law, value));
                        unbend(self.law, held + (value - held) * share)
                    }
                    None => self.last,
                }
            }
        };
        self.last = to;
        if let Some(turn) = &mut self.turn {
            turn.wait = turn.wait.saturating_sub(frames as u32);
            self.turn_if_due();
        }
        let jumps = std::mem::replace(&mut self.begins, false) || self.steps();
        Glide { from: if jumps { to } else { from }, to }
    }
}

fn scaled(scale: Scale, value: f64) -> f64 {
    match scale {
        Scale::Plain => value,
        Scale::Gain => math::gain_from_db(value),
        Scale::Share => value / 100.0,
    }
}

/// The value as it glides evenly. Off is no frequency: it is taken as 0 octaves and jumps.
fn bend(law: Law, value: f64) -> f64 {
    match law {
        Law::Octaves if value > 0.0 => math::ln(value),
        _ => value,
    }
}

fn unbend(law: Law, bent: f64) -> f64 {
    match law {
        Law::Octaves => math::exp(bent),
        _ => bent,
    }
}
