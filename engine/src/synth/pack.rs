//! Some voices side by side: the machine that runs them, their amplitude, and where they lie between left and right.

use std::ops::Range;

use super::{ATTACK, DECAY, LANES, RELEASE, SUSTAIN, UNITY};
use crate::circuit::machine::{Around, Block, Machine};
use crate::circuit::{Circuit, Envelope, Times, functions};
use crate::keep::{Keep, Ledger};
use crate::kernel::{Buffer, Glide, QUANTUM};
use crate::math;
use crate::wide::wide;

/// How fast a voice's gain follows, each frame: 2 ms at 48 kHz.
const FOLLOWS: f64 = 0.01;

/// [`LANES`] voices.
pub(super) struct Pack {
    machine: Machine<LANES>,
    envelope: Envelope<LANES>,
    freq: Box<Block<LANES>>,
    pitch: Box<Block<LANES>>,
    /// The pitch with which the whole quantum is filled.
    stays: [Option<f64>; LANES],
    amplitude: Box<Block<LANES>>,
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
    pub fn new(circuit: &Circuit, rate: f64) -> Self {
        let block = || Box::new([[0.0; LANES]; QUANTUM]);
        Pack {
            machine: Machine::new(circuit, rate),
            envelope: Envelope::new(rate),
            freq: block(),
            pitch: block(),
            stays: [None; LANES],
            amplitude: block(),
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
        self.machine.reset();
    }

    /// Begins a note; `place` lies from -1, left, to 1, right. RT.
    pub fn begin(&mut self, lane: usize, now: u64, seed: u64, velocity: f64, gain: f64, place: f64) {
        self.machine.begin(lane);
        self.envelope.reset(lane);
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
        self.machine.again(lane);
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

    /// Works on a stretch of all frames for which there are values. RT.
    #[allow(clippy::too_many_arguments, reason = "what all packs are given")]
    pub fn run(
        &mut self,
        stretch: &Range<usize>,
        transport: u64,
        clock: u64,
        knobs: &[Buffer],
        values: &[Glide],
        all: &Range<usize>,
        stereo: bool,
        shared: &mut Shared,
    ) {
        let around = Around {
            transport,
            knobs,
            pitch: Some((&*self.freq, &*self.pitch)),
            velocity: self.velocity,
            gate: self.gate,
            seed: self.seed,
            age: self.born.map(|born| clock.wrapping_sub(born)),
        };
        self.machine.run(stretch.clone(), &around);
        let value = |index: usize, i: usize| values[index].at(stretch.start - all.start + i, all.len());
        self.envelope.run(&mut self.amplitude[stretch.clone()], &self.gate, |i, _| Times {
            attack: value(ATTACK, i),
            decay: value(DECAY, i),
            sustain: value(SUSTAIN, i) / 100.0,
            release: value(RELEASE, i),
        });
        wide(
            #[inline(always)]
            || self.mix(stretch, stereo, shared),
        );
    }

    /// Adds a stretch to the sums, as loud as each voice is and where it lies. RT.
    #[inline(always)]
    fn mix(&mut self, stretch: &Range<usize>, stereo: bool, shared: &mut Shared) {
        let one = self.machine.output(0);
        let other = self.machine.output(self.machine.outputs() - 1);
        let moves = self.gain != self.goal || self.fall != [0.0; LANES];
        let (mut gain, mut fade) = (self.gain, self.fade);
        let (left, right) = (self.left, self.right);
        let sounds = one[stretch.clone()].iter().zip(&other[stretch.clone()]).zip(&self.amplitude[stretch.clone()]);
        let sums = shared.left[stretch.clone()].iter_mut().zip(&mut shared.right[stretch.clone()]);
        // What goes on in lanes that are silent is nobody's business.
        let of = |x: f64, amplitude: f64| if amplitude == 0.0 { 0.0 } else { x * amplitude };
        if !moves && !stereo && fade == [1.0; LANES] && left == [1.0; LANES] {
            // The same with what is 1 left out.
            for (((one, _), amplitude), (to_left, _)) in sounds.zip(sums) {
                for lane in 0..LANES {
                    to_left[lane] += of(one[lane], amplitude[lane] * gain[lane]);
                }
            }
            return;
        }
        for (((one, other), amplitude), (to_left, to_right)) in sounds.zip(sums) {
            for lane in 0..LANES {
                let amplitude = amplitude[lane] * gain[lane] * fade[lane];
                to_left[lane] += of(one[lane], amplitude) * left[lane];
                if stereo {
                    to_right[lane] += of(other[lane], amplitude) * right[lane];
                }
            }
            if moves {
                for lane in 0..LANES {
                    gain[lane] += FOLLOWS * (self.goal[lane] - gain[lane]);
                    let rest = fade[lane] - self.fall[lane];
                    fade[lane] = if rest > 0.0 { rest } else { 0.0 };
                }
            }
        }
        (self.gain, self.fade) = (gain, fade);
    }
}

impl Keep for Pack {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.machine.keep(ledger);
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
    left: Box<Block<LANES>>,
    right: Box<Block<LANES>>,
}

impl Shared {
    /// Not RT.
    pub fn new() -> Self {
        Shared { left: Box::new([[0.0; LANES]; QUANTUM]), right: Box::new([[0.0; LANES]; QUANTUM]) }
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
