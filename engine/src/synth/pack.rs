//! Some voices side by side: the machine that runs them, their amplitude, and where they lie between left and right.

use std::ops::Range;

use super::{ATTACK, DECAY, LANES, RELEASE, SUSTAIN, UNITY};
use crate::circuit::machine::{Around, Bench, Block, Slot, States, slot};
use crate::circuit::{Envelope, Times, functions};
use crate::keep::{Keep, Ledger};
use crate::kernel::{Buffer, Glide, QUANTUM};
use crate::math;
use crate::wide::wide;

/// How fast a voice's gain follows, each frame: 2 ms at 48 kHz.
const FOLLOWS: f64 = 0.01;

/// What all packs are given for the frames of a quantum that are worked on.
pub(super) struct Given<'a> {
    /// The transport frame at index 0.
    pub transport: u64,
    /// The instrument's own count of frames there.
    pub clock: u64,
    /// The circuit's parameters, frame by frame.
    pub knobs: &'a [Buffer],
    /// The instrument's settings over all of the frames.
    pub values: &'a [Glide],
    /// All of the frames.
    pub all: &'a Range<usize>,
    /// Whether what leaves has two sides.
    pub stereo: bool,
}

/// [`LANES`] voices.
pub(super) struct Pack {
    states: States<LANES>,
    envelope: Envelope<LANES>,
    freq: Slot<LANES>,
    pitch: Slot<LANES>,
    /// The pitch with which the whole quantum is filled.
    stays: [Option<f64>; LANES],
    used: [bool; LANES],
    gate: [bool; LANES],
    velocity: [f64; LANES],
    seed: [u64; LANES],
    /// The frame at which each began.
    born: [u64; LANES],
    /// The gain of its velocity, and the one it goes to.
    gain: [f64; LANES],
    goal: [f64; LANES],
    /// Of one that was taken: what is left of it, and by how much that falls each frame.
    fade: [f64; LANES],
    fall: [f64; LANES],
    left: [f64; LANES],
    right: [f64; LANES],
}

impl Pack {
    /// Not RT.
    pub fn new(states: States<LANES>, rate: f64) -> Self {
        Pack {
            states,
            envelope: Envelope::new(rate),
            freq: slot(),
            pitch: slot(),
            stays: [None; LANES],
            used: [false; LANES],
            gate: [false; LANES],
            velocity: [0.0; LANES],
            seed: [0; LANES],
            born: [0; LANES],
            gain: [0.0; LANES],
            goal: [0.0; LANES],
            fade: [1.0; LANES],
            fall: [0.0; LANES],
            left: [1.0; LANES],
            right: [1.0; LANES],
        }
    }

    /// Whether any voice sounds. RT.
    pub fn is_used(&self) -> bool {
        self.used.contains(&true)
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        (0..LANES).for_each(|lane| self.free(lane));
        self.states.reset();
    }

    /// Begins a note; `place` lies from -1, left, to 1, right. RT.
    pub fn begin(&mut self, lane: usize, now: u64, seed: u64, velocity: f64, gain: f64, place: f64) {
        self.states.begin(lane);
        self.envelope.reset(lane);
        // What rests is as old as what begins last: then all may be.
        (0..LANES).filter(|lane| !self.used[*lane]).for_each(|lane| self.born[lane] = now);
        (self.used[lane], self.gate[lane], self.velocity[lane]) = (true, true, velocity);
        (self.seed[lane], self.born[lane]) = (seed, now);
        (self.gain[lane], self.goal[lane], self.fade[lane], self.fall[lane]) = (gain, gain, 1.0, 0.0);
        // As loud wherever it lies, and 1 on both sides in the middle.
        let angle = (place + 1.0) * std::f64::consts::FRAC_PI_4;
        let side = |x: f64| if place == 0.0 { 1.0 } else { std::f64::consts::SQRT_2 * x };
        (self.left[lane], self.right[lane]) = (side(math::cos(angle)), side(math::sin(angle)));
    }

    /// Begins a note in a voice that sounds. RT.
    pub fn again(&mut self, lane: usize, velocity: f64, gain: f64) {
        self.states.again(lane);
        self.envelope.again(lane);
        (self.gate[lane], self.velocity[lane], self.goal[lane]) = (true, velocity, gain);
    }

    /// Its key is up. RT.
    pub fn release(&mut self, lane: usize) {
        self.gate[lane] = false;
    }

    /// Its place was taken: it falls by so much each frame. RT.
    pub fn fade(&mut self, lane: usize, fall: f64) {
        self.fall[lane] = fall;
    }

    /// It is silent. RT.
    pub fn free(&mut self, lane: usize) {
        (self.used[lane], self.gate[lane]) = (false, false);
        self.envelope.reset(lane);
    }

    /// Whether it has fallen silent. RT.
    pub fn is_over(&self, lane: usize) -> bool {
        self.envelope.is_done(lane) || self.fade[lane] == 0.0
    }

    /// How loud it is. RT.
    pub fn loudness(&self, lane: usize) -> f64 {
        self.envelope.level(lane) * self.gain[lane] * self.fade[lane]
    }

    /// Sets a pitch that stays. RT.
    pub fn stay(&mut self, lane: usize, pitch: f64) {
        if self.stays[lane] != Some(pitch) {
            self.tune(lane, 0..QUANTUM, pitch);
            self.stays[lane] = Some(pitch);
        }
    }

    /// Sets a pitch for some frames. RT.
    pub fn tune(&mut self, lane: usize, frames: Range<usize>, pitch: f64) {
        self.stays[lane] = None;
        let freq = 440.0 * functions::exp((pitch - 69.0) * (std::f64::consts::LN_2 / 12.0));
        self.freq[frames.clone()].iter_mut().for_each(|frame| frame[lane] = freq);
        self.pitch[frames].iter_mut().for_each(|frame| frame[lane] = pitch);
    }

    /// Works on a stretch of the frames. RT.
    pub fn run(&mut self, stretch: &Range<usize>, bench: &mut Bench<LANES>, given: &Given<'_>, shared: &mut Shared) {
        let Given { transport, clock, knobs, values, all, stereo } = *given;
        let around = Around {
            transport,
            knobs,
            pitch: Some((&self.freq, &self.pitch)),
            velocity: self.velocity,
            gate: self.gate,
            seed: self.seed,
            age: self.born.map(|born| clock.wrapping_sub(born)),
            still: (0..LANES).all(|lane| !self.used[lane] || self.stays[lane].is_some()),
        };
        bench.run(&mut self.states, stretch, &around);
        let value = |index: usize, i: usize| values[index].at(stretch.start - all.start + i, all.len());
        let moves = self.gain != self.goal || self.fall != [0.0; LANES];
        let scale = if moves { [1.0; LANES] } else { self.gain };
        let Shared { left, right, level, side } = shared;
        self.envelope.run(&mut level[stretch.clone()], &self.gate, &scale, |i, _| Times {
            attack: value(ATTACK, i),
            decay: value(DECAY, i),
            sustain: value(SUSTAIN, i) / 100.0,
            release: value(RELEASE, i),
        });
        wide(
            #[inline(always)]
            || {
                if moves {
                    self.glide(&mut level[stretch.clone()]);
                }
                let sound = |channel: usize| bench.output(channel)[stretch.clone()].as_flattened();
                let (one, other) = (sound(0), sound(bench.outputs() - 1));
                let [left, right, level] = [left, right, level].map(|block| block[stretch.clone()].as_flattened_mut());
                if !stereo {
                    add(left, one, level, self.left, side);
                } else if [self.left, self.right] == [[1.0; LANES]; 2] {
                    add_both([left, right], [one, other], level);
                } else {
                    add(left, one, level, self.left, side);
                    add(right, other, level, self.right, side);
                }
            },
        );
    }

    /// Takes the gain of each voice and what is left of it into its level, while they move. RT.
    #[inline(always)]
    fn glide(&mut self, level: &mut [[f64; LANES]]) {
        let (mut gain, mut fade) = (self.gain, self.fade);
        for level in level {
            for lane in 0..LANES {
                level[lane] = level[lane] * gain[lane] * fade[lane];
                gain[lane] += FOLLOWS * (self.goal[lane] - gain[lane]);
                let rest = fade[lane] - self.fall[lane];
                fade[lane] = if rest > 0.0 { rest } else { 0.0 };
            }
        }
        (self.gain, self.fade) = (gain, fade);
    }
}

/// Adds a stretch of a channel, as loud as it is and as much of it as lies on that side. RT.
#[inline(always)]
fn add(to: &mut [f64], sound: &[f64], level: &[f64], share: [f64; LANES], side: &mut Block<LANES>) {
    side.fill(share);
    for (((to, x), level), share) in to.iter_mut().zip(sound).zip(level).zip(side.as_flattened()) {
        *to += heard(*x, *level) * share;
    }
}

/// The same of both, all of them on both sides. RT.
#[inline(always)]
fn add_both([left, right]: [&mut [f64]; 2], [one, other]: [&[f64]; 2], level: &[f64]) {
    for ((((left, right), one), other), level) in left.iter_mut().zip(right).zip(one).zip(other).zip(level) {
        *left += heard(*one, *level);
        *right += heard(*other, *level);
    }
}

/// What goes on in lanes that are silent is nobody's business. RT.
#[inline(always)]
fn heard(x: f64, level: f64) -> f64 {
    if level == 0.0 { 0.0 } else { x * level }
}

impl Keep for Pack {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.states.keep(ledger);
        self.envelope.keep(ledger);
        self.used.keep(ledger);
        self.gate.keep(ledger);
        self.velocity.keep(ledger);
        self.seed.keep(ledger);
        self.born.keep(ledger);
        self.gain.keep(ledger);
        self.goal.keep(ledger);
        self.fade.keep(ledger);
        self.fall.keep(ledger);
        self.left.keep(ledger);
        self.right.keep(ledger);
    }
}

/// The sum of all packs, lane by lane.
pub(super) struct Shared {
    left: Slot<LANES>,
    right: Slot<LANES>,
    /// How loud the voices of the pack at hand are.
    level: Slot<LANES>,
    /// How much of each lies on one side.
    side: Slot<LANES>,
}

impl Shared {
    /// Not RT.
    pub fn new() -> Self {
        Shared { left: slot(), right: slot(), level: slot(), side: slot() }
    }

    /// RT.
    pub fn clear(&mut self, frames: &Range<usize>) {
        self.left[frames.clone()].fill([0.0; LANES]);
        self.right[frames.clone()].fill([0.0; LANES]);
    }

    /// Adds all lanes to what leaves. RT.
    pub fn give(&self, frames: &Range<usize>, level: Glide, stereo: bool, out: &mut [Buffer]) {
        let count = frames.len();
        for (channel, sum) in out.iter_mut().zip([&self.left, &self.right]).take(if stereo { 2 } else { 1 }) {
            for (k, i) in frames.clone().enumerate() {
                channel[i] += sum[i].iter().sum::<f64>() * (level.at(k, count) * UNITY);
            }
        }
    }
}
