//! Envelopes: segments that bend as a capacitor's charge does, begin where the last one was left and arrive to the bit.
//!
//! Each segment aims beyond its end, so that it passes its end after exactly the time that was asked for.

use crate::keep::{Keep, Ledger};
use crate::math;
use crate::wide::{each, wide};

/// How far a rise is bent, in time constants: it aims at 1.29.
const RISE: f64 = 1.5;

/// How far a fall is bent.
const FALL: f64 = 5.0;

/// Where what is added up is cut off, so that ends are met exactly.
const GRAIN: f64 = 1_099_511_627_776.0;

/// What comes next in an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has not begun.
    Idle = 0,
    Attack = 1,
    Decay = 2,
    /// Until the gate closes.
    Sustain = 3,
    Release = 4,
    /// At 0 for good.
    Done = 5,
}

/// Times in milliseconds and the sustain, 0 to 1: taken up as each segment begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Times {
    pub attack: f64,
    pub decay: f64,
    pub sustain: f64,
    pub release: f64,
}

/// One envelope in each of `L` lanes.
#[derive(Clone)]
pub(crate) struct Envelope<const L: usize> {
    /// Frames in a millisecond.
    frames: f64,
    stage: [Stage; L],
    /// The level is the sum of what stays and what falls away.
    stays: [f64; L],
    falls: [f64; L],
    factor: [f64; L],
    /// Frames until the segment ends, and the level there.
    left: [u64; L],
    end: [f64; L],
}

impl<const L: usize> Envelope<L> {
    /// Not RT.
    pub fn new(rate: f64) -> Self {
        Envelope {
            frames: rate / 1000.0,
            stage: [Stage::Idle; L],
            stays: [0.0; L],
            falls: [0.0; L],
            factor: [1.0; L],
            left: [u64::MAX; L],
            end: [0.0; L],
        }
    }

    /// Begins a note at 0. RT.
    pub fn reset(&mut self, lane: usize) {
        self.rest(lane, 0.0);
        self.stage[lane] = Stage::Idle;
    }

    /// Begins again from where it is. RT.
    pub fn again(&mut self, lane: usize) {
        self.stage[lane] = Stage::Idle;
    }

    /// The level at the frame that comes next. RT.
    pub fn level(&self, lane: usize) -> f64 {
        self.stays[lane] + self.falls[lane]
    }

    /// Whether it has fallen to 0 for good. RT.
    pub fn is_done(&self, lane: usize) -> bool {
        // At the end of a stretch the next segment has not begun.
        let falls = matches!(self.stage[lane], Stage::Decay | Stage::Release) && self.end[lane] == 0.0;
        self.stage[lane] == Stage::Done || falls && self.left[lane] == 0
    }

    /// A stretch of frames, over which the gates stay as they are, multiplied by a scale. RT.
    pub fn run(
        &mut self,
        out: &mut [[f64; L]],
        gate: &[bool; L],
        scale: &[f64; L],
        times: impl Fn(usize, usize) -> Times,
    ) {
        let mut at = 0;
        while at < out.len() {
            let mut stretch = (out.len() - at) as u64;
            for lane in 0..L {
                self.follow(lane, gate[lane], || times(at, lane));
                stretch = stretch.min(self.left[lane]);
            }
            let next = at + stretch as usize;
            let (out, stays, falls, factor) = (&mut out[at..next], self.stays, self.falls, self.factor);
            self.falls = wide(
                #[inline(always)]
                move || fall(out, stays, falls, factor, scale),
            );
            self.left.iter_mut().filter(|left| **left < u64::MAX).for_each(|left| *left -= stretch);
            at = next;
        }
    }

    /// Goes on to the segment that the next frame belongs to. RT.
    fn follow(&mut self, lane: usize, gate: bool, times: impl Fn() -> Times) {
        if gate && self.stage[lane] == Stage::Idle {
            self.stage[lane] = Stage::Attack;
            self.bend(lane, 1.0, times().attack, RISE);
        } else if !gate && matches!(self.stage[lane], Stage::Attack | Stage::Decay | Stage::Sustain) {
            self.stage[lane] = Stage::Release;
            self.bend(lane, 0.0, times().release, FALL);
        }
        while self.left[lane] == 0 {
            let end = self.end[lane];
            self.rest(lane, end);
            match self.stage[lane] {
                Stage::Attack => {
                    self.stage[lane] = Stage::Decay;
                    let Times { decay, sustain, .. } = times();
                    self.bend(lane, sustain.clamp(0.0, 1.0), decay, FALL);
                }
                Stage::Decay => self.stage[lane] = if end == 0.0 { Stage::Done } else { Stage::Sustain },
                _ => self.stage[lane] = Stage::Done,
            }
        }
    }

    /// Stays at a level. RT.
    fn rest(&mut self, lane: usize, level: f64) {
        (self.stays[lane], self.falls[lane], self.factor[lane], self.left[lane]) = (level, 0.0, 1.0, u64::MAX);
    }

    /// Sets out from where it is. RT.
    fn bend(&mut self, lane: usize, end: f64, ms: f64, bend: f64) {
        let count = (ms * self.frames + 0.5).floor();
        let (left, from) = (count as u64, self.level(lane));
        (self.left[lane], self.end[lane]) = (left, end);
        let remains = math::exp(-bend);
        let aim = end - (from - end) * (remains / (1.0 - remains));
        self.stays[lane] = (aim * GRAIN).round() / GRAIN;
        self.falls[lane] = from - self.stays[lane];
        self.factor[lane] = math::exp(-bend / count.max(1.0));
    }
}

/// Writes what stays and what falls away, of which `factor` remains each frame; gives what has remained. RT.
#[inline(always)]
fn fall<const L: usize>(
    out: &mut [[f64; L]],
    stays: [f64; L],
    mut falls: [f64; L],
    factor: [f64; L],
    scale: &[f64; L],
) -> [f64; L] {
    if falls == [0.0; L] {
        out.fill(each(|lane| (stays[lane] + falls[lane]) * scale[lane]));
        return falls;
    }
    for out in out {
        for lane in 0..L {
            out[lane] = (stays[lane] + falls[lane]) * scale[lane];
            falls[lane] *= factor[lane];
        }
    }
    falls
}

impl<const L: usize> Keep for Envelope<L> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.stage.keep(ledger);
        self.stays.keep(ledger);
        self.falls.keep(ledger);
        self.factor.keep(ledger);
        self.left.keep(ledger);
        self.end.keep(ledger);
    }
}

impl Keep for Stage {
    fn keep(&mut self, ledger: &mut Ledger) {
        let mut byte = *self as u8;
        byte.keep(ledger);
        let all = [Stage::Idle, Stage::Attack, Stage::Decay, Stage::Sustain, Stage::Release, Stage::Done];
        match all.get(usize::from(byte)) {
            Some(stage) => *self = *stage,
            None => ledger.fail(),
        }
    }
}
