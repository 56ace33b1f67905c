//! Runs a circuit, in `L` lanes side by side: as many voices, or channels, of the same circuit.
//!
//! Lanes lie next to each other in memory, so that the compiler makes one instruction of several of them. Nothing passes
//! from lane to lane, and what a lane gives depends neither on its place nor on the stretches in which it is asked for.

use std::ops::Range;

use super::delay::Delay;
use super::envelope::{Envelope, Times};
use super::filter::Filter;
use super::functions::{self, cos, exp, floor, sin, tanh, truth, with_binary, with_pair, with_unary};
use super::noise::Noise;
use super::oscillator::Oscillator;
use super::pass::Pass;
use super::plan::{Arg, Memory, Op, Plan, Step};
use super::round::Chain;
use super::slow::{Cell, lfo};
use super::{Binary, Circuit, Clock, Figure, Node, Unary, Wave};
use crate::keep::{Keep, Ledger};
use crate::kernel::{Buffer, QUANTUM};
use crate::math;
use crate::one_pole;
use crate::wide::{self, wide};

/// One number in each lane, for each frame of a quantum.
pub type Block<const L: usize> = [[f64; L]; QUANTUM];

/// What a circuit may ask for, over one quantum.
pub struct Around<'a, const L: usize> {
    /// The transport frame at index 0.
    pub transport: u64,
    /// The parameters, frame by frame.
    pub knobs: &'a [Buffer],
    /// The note's frequency in Hz and the number of its pitch, frame by frame.
    pub pitch: Option<(&'a Block<L>, &'a Block<L>)>,
    /// Of each note, from 0 to 1.
    pub velocity: [f64; L],
    /// Whether each note goes on; over the whole stretch.
    pub gate: [bool; L],
    /// What is random in each note is made of this.
    pub seed: [u64; L],
    /// The age of each note at index 0, in frames; one that begins later counts up to 0, round the largest number.
    pub age: [u64; L],
}

impl<'a, const L: usize> Around<'a, L> {
    /// For an effect, whose noise goes by the transport.
    pub fn effect(transport: u64, knobs: &'a [Buffer], seed: u64) -> Self {
        Around {
            transport,
            knobs,
            pitch: None,
            velocity: [1.0; L],
            gate: [true; L],
            seed: std::array::from_fn(|lane| seed.wrapping_add(lane as u64)),
            age: [transport; L],
        }
    }
}

/// A circuit that runs, in `L` lanes.
#[derive(Clone)]
pub struct Machine<const L: usize> {
    plan: Plan,
    bank: Bank<L>,
}

impl Machine<1> {
    /// Runs some frames of a quantum of one channel, in place. RT.
    pub fn work(&mut self, sound: &mut [f64], frames: &Range<usize>, around: &Around<'_, 1>) {
        self.input(0)[frames.clone()].as_flattened_mut().copy_from_slice(sound);
        let Machine { plan, bank } = self;
        // What comes last is written where it goes.
        if let Some((Step::Op { pass: Some(pass), to, .. }, steps)) = plan.steps.split_last()
            && *to == plan.outputs[0]
        {
            bank.run(steps, frames, around);
            bank.give(pass, sound, frames);
        } else {
            bank.run(&plan.steps, frames, around);
            sound.copy_from_slice(self.output(0)[frames.clone()].as_flattened());
        }
    }
}

/// What a machine works on.
#[derive(Clone)]
struct Bank<const L: usize> {
    rate: f64,
    slots: Vec<Vec<[f64; L]>>,
    /// One slot more, to be changed for another.
    spare: Vec<[f64; L]>,
    states: Vec<State<L>>,
}

/// What goes on from frame to frame.
#[derive(Clone)]
pub(super) enum State<const L: usize> {
    Delay1(Cell<L>),
    Loop(Cell<L>),
    Smooth(Cell<L>, f64),
    Hold(Cell<L>),
    Decay(Cell<L>),
    Delay(Delay<L>),
    Oscillator(Oscillator<L>),
    Noise(Noise<L>),
    Filter(Filter<L>),
    Envelope(Envelope<L>),
    Lfo { step: f64, wave: Wave, clock: Clock },
}

impl<const L: usize> Machine<L> {
    /// At `rate` frames a second. Not RT.
    pub fn new(circuit: &Circuit, rate: f64) -> Self {
        wide::prepare();
        let plan = Plan::new(circuit);
        let mut slots = vec![vec![[0.0; L]; QUANTUM]; plan.slots];
        for (slot, value) in &plan.numbers {
            slots[*slot].fill([*value; L]);
        }
        let states = plan.memories.iter().map(|memory| State::new(memory, rate)).collect();
        Machine { plan, bank: Bank { rate, slots, spare: vec![[0.0; L]; QUANTUM], states } }
    }

    /// Where a channel of what comes in is to be written, frame by frame of a quantum. RT.
    pub fn input(&mut self, channel: usize) -> &mut [[f64; L]] {
        &mut self.bank.slots[self.plan.inputs[channel]]
    }

    /// What leaves by a channel, for the frames that were run last. RT.
    pub fn output(&self, channel: usize) -> &[[f64; L]] {
        &self.bank.slots[self.plan.outputs[channel]]
    }

    /// How many channels leave. RT.
    pub fn outputs(&self) -> usize {
        self.plan.outputs.len()
    }

    /// Begins a note in a lane: forgets all that was. RT.
    pub fn begin(&mut self, lane: usize) {
        self.bank.states.iter_mut().for_each(|state| state.begin(lane));
    }

    /// Begins a note in a lane that goes on sounding: envelopes rise from where they are. RT.
    pub fn again(&mut self, lane: usize) {
        for state in &mut self.bank.states {
            match state {
                State::Envelope(envelope) => envelope.again(lane),
                State::Decay(cell) => cell.again(lane),
                _ => {}
            }
        }
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        (0..L).for_each(|lane| self.begin(lane));
    }

    /// Runs some frames of a quantum. RT.
    pub fn run(&mut self, frames: Range<usize>, around: &Around<'_, L>) {
        self.bank.run(&self.plan.steps, &frames, around);
    }
}

// What is called is not drawn into what calls it: the compiler would do the beginning of each kind of step before every step.
impl<const L: usize> Bank<L> {
    /// RT.
    fn run(&mut self, steps: &[Step], frames: &Range<usize>, around: &Around<'_, L>) {
        for step in steps {
            match step {
                Step::Op { pass: Some(pass), to, .. } => self.pass(pass, *to, frames),
                Step::Op { op, to, .. } => self.op(op, *to, frames, around),
                Step::Loop { state, back, result, body, chain } => {
                    let mut given = self.held(*state);
                    if let Some(chain) = chain {
                        self.go_round(chain, *result, &mut given, frames);
                    } else {
                        for i in frames.clone() {
                            self.slots[*back][i] = given;
                            self.tick(body, i, around);
                            given = self.slots[*result][i];
                        }
                    }
                    self.hold(*state, given);
                }
            }
        }
    }

    /// What the state of a loop, or of a frame before, holds. RT.
    fn held(&self, state: usize) -> [f64; L] {
        match &self.states[state] {
            State::Loop(cell) | State::Delay1(cell) => cell.held(),
            _ => [0.0; L],
        }
    }

    /// RT.
    fn hold(&mut self, state: usize, x: [f64; L]) {
        if let State::Loop(cell) | State::Delay1(cell) = &mut self.states[state] {
            cell.hold(x);
        }
    }

    /// A loop that is a chain. RT.
    #[inline(never)]
    fn go_round(&mut self, chain: &Chain, result: usize, given: &mut [f64; L], frames: &Range<usize>) {
        let mut before = chain.memory.map_or([0.0; L], |state| self.held(state));
        chain.run(&mut self.spare[frames.clone()], &self.slots, frames.start, given, &mut before);
        // The result's slot may be among those that were read.
        std::mem::swap(&mut self.spare, &mut self.slots[result]);
        if let Some(state) = chain.memory {
            self.hold(state, before);
        }
    }

    /// One frame of a loop. RT.
    #[inline(never)]
    fn tick(&mut self, body: &[Step], i: usize, around: &Around<'_, L>) {
        for step in body {
            let Step::Op { op, to, .. } = step else {
                self.run(std::slice::from_ref(step), &(i..i + 1), around);
                continue;
            };
            match *op {
                Op::Binary(function, a, b) => {
                    let (a, b) = (self.at(a, i), self.at(b, i));
                    let out = &mut self.slots[*to][i];
                    with_binary!(function, f => (0..L).for_each(|lane| out[lane] = f(a[lane], b[lane])));
                }
                Op::Pair { first, second, turned, slots } => {
                    let [a, b, c] = slots.map(|slot| self.slots[slot][i]);
                    let out = &mut self.slots[*to][i];
                    with_pair!(first, second, turned, f => (0..L).for_each(|lane| out[lane] = f(a[lane], b[lane], c[lane])));
                }
                Op::Unary(function, a) => {
                    let a = self.slots[a][i];
                    let out = &mut self.slots[*to][i];
                    with_unary!(function, f => (0..L).for_each(|lane| out[lane] = f(a[lane])));
                }
                Op::State(state, [a, ..]) if let State::Delay1(cell) = &mut self.states[state] => {
                    let before = cell.held();
                    cell.hold(self.slots[a][i]);
                    self.slots[*to][i] = before;
                }
                _ => self.run(std::slice::from_ref(step), &(i..i + 1), around),
            }
        }
    }

    /// RT.
    #[inline(always)]
    fn at(&self, arg: Arg, i: usize) -> [f64; L] {
        match arg {
            Arg::Slot(slot) => self.slots[slot][i],
            Arg::Number(number) => [number; L],
        }
    }

    /// One step without a state over a stretch of frames. RT.
    fn pass(&mut self, pass: &Pass, to: usize, frames: &Range<usize>) {
        let mut slot = std::mem::take(&mut self.slots[to]);
        self.give(pass, slot[frames.clone()].as_flattened_mut(), frames);
        self.slots[to] = slot;
    }

    /// The same, written to somewhere else. RT.
    #[inline(always)]
    fn give(&self, pass: &Pass, out: &mut [f64], frames: &Range<usize>) {
        pass.run(out, |slot| self.slots[slot][frames.clone()].as_flattened());
    }

    /// One step over a stretch of frames. RT.
    #[inline(never)]
    fn op(&mut self, op: &Op, to: usize, frames: &Range<usize>, around: &Around<'_, L>) {
        let mut slot = std::mem::take(&mut self.slots[to]);
        let out = &mut slot[frames.clone()];
        let slots = &self.slots;
        match *op {
            Op::Note(figure) => note(figure, out, frames.start, around, self.rate),
            Op::Parameter(index) => {
                for (out, x) in out.iter_mut().zip(&around.knobs[index][frames.clone()]) {
                    *out = [*x; L];
                }
            }
            Op::State(state, args) => {
                // There are fewer than four of most.
                let args = args.map(|slot| slots.get(slot).map_or(&[][..], |slot| &slot[frames.clone()]));
                with_state(&mut self.states[state], out, args, frames.start, around, self.rate);
            }
            // What has no state is a pass.
            _ => {}
        }
        self.slots[to] = slot;
    }
}

/// What has a state, over a stretch from `start` on. RT.
pub(super) fn with_state<const L: usize>(
    state: &mut State<L>,
    out: &mut [[f64; L]],
    [a, b, c, d]: [&[[f64; L]]; 4],
    start: usize,
    around: &Around<'_, L>,
    rate: f64,
) {
    match state {
        State::Delay1(cell) => cell.delay1(out, a),
        State::Smooth(cell, share) => cell.smooth(out, a, *share),
        State::Hold(cell) => cell.sample(out, a, b),
        State::Decay(cell) => cell.decay(out, a, rate),
        State::Delay(delay) => delay.run(out, a, b),
        State::Oscillator(oscillator) => wide(
            #[inline(always)]
            || oscillator.run(out, a, b, c),
        ),
        State::Noise(noise) => {
            noise.run(out, &around.seed, &around.age.map(|age| age.wrapping_add(start as u64)));
        }
        State::Filter(filter) => wide(
            #[inline(always)]
            || filter.run(out, a, b, c),
        ),
        State::Envelope(envelope) => envelope.run(out, &around.gate, |i, lane| Times {
            attack: a[i][lane],
            decay: b[i][lane],
            sustain: c[i][lane] / 100.0,
            release: d[i][lane],
        }),
        State::Lfo { step, wave, clock } => sway(out, *wave, *clock, *step, start, around),
        // Its frames are run one by one.
        State::Loop(_) => {}
    }
}

/// What is known of the notes. RT.
#[inline(never)]
pub(super) fn note<const L: usize>(
    figure: Figure,
    out: &mut [[f64; L]],
    start: usize,
    around: &Around<'_, L>,
    rate: f64,
) {
    let frames = start..start + out.len();
    match (figure, around.pitch) {
        (Figure::Freq, Some((freq, _))) => out.copy_from_slice(&freq[frames]),
        (Figure::Pitch, Some((_, pitch))) => out.copy_from_slice(&pitch[frames]),
        (Figure::Freq | Figure::Pitch, None) => out.fill([0.0; L]),
        (Figure::Velocity, _) => out.fill(around.velocity),
        (Figure::Gate, _) => out.fill(around.gate.map(functions::truth)),
        (Figure::Random, _) => out.fill(around.seed.map(|seed| crate::random::even(seed, 0) + 0.5)),
        (Figure::Age, _) => {
            for (i, out) in frames.zip(out) {
                *out = around.age.map(|age| age.wrapping_add(i as u64) as i64 as f64 / rate);
            }
        }
    }
}

/// An LFO. RT.
#[inline(never)]
fn sway<const L: usize>(
    out: &mut [[f64; L]],
    wave: Wave,
    clock: Clock,
    step: f64,
    start: usize,
    around: &Around<'_, L>,
) {
    let after = |frame: u64, i: usize| ((frame as i64 as f64) + (start + i) as f64) * step;
    match clock {
        // The same in all lanes.
        Clock::Transport => {
            let mut once = [0.0; QUANTUM];
            let once = &mut once[..out.len()];
            once.iter_mut().enumerate().for_each(|(i, cycles)| *cycles = after(around.transport, i));
            lfo(wave, once);
            out.iter_mut().zip(once).for_each(|(out, x)| *out = [*x; L]);
        }
        Clock::Age => {
            out.iter_mut().enumerate().for_each(|(i, out)| *out = around.age.map(|age| after(age, i)));
            lfo(wave, out.as_flattened_mut());
        }
    }
}

impl<const L: usize> State<L> {
    /// Not RT.
    pub(super) fn new(memory: &Memory, rate: f64) -> Self {
        match memory.node {
            Node::Loop { .. } => State::Loop(Cell::new()),
            Node::Smooth(_, ms) => State::Smooth(Cell::new(), 1.0 - one_pole::pole(ms, rate)),
            Node::Hold(..) => State::Hold(Cell::new()),
            Node::Decay(_) => State::Decay(Cell::new()),
            Node::Delay { most, .. } => State::Delay(Delay::new(most)),
            Node::Oscillator { wave, .. } => State::Oscillator(Oscillator::new(wave, rate)),
            Node::Noise(colour, number) => State::Noise(Noise::new(colour, number, rate)),
            Node::Filter { pass, .. } => State::Filter(Filter::new(pass, memory.moves, rate)),
            Node::Envelope { .. } => State::Envelope(Envelope::new(rate)),
            Node::Lfo { rate: freq, wave, clock } => State::Lfo { step: freq / rate, wave, clock },
            // All that is left, of what has a memory.
            _ => State::Delay1(Cell::new()),
        }
    }

    /// RT.
    fn begin(&mut self, lane: usize) {
        match self {
            State::Delay1(cell) | State::Loop(cell) | State::Smooth(cell, _) => cell.reset(lane),
            State::Hold(cell) | State::Decay(cell) => cell.reset(lane),
            State::Delay(delay) => delay.reset(lane),
            State::Oscillator(oscillator) => oscillator.reset(lane),
            State::Noise(noise) => noise.reset(lane),
            State::Filter(filter) => filter.reset(lane),
            State::Envelope(envelope) => envelope.reset(lane),
            State::Lfo { .. } => {}
        }
    }
}

impl<const L: usize> Keep for State<L> {
    fn keep(&mut self, ledger: &mut Ledger) {
        match self {
            State::Delay1(cell) | State::Loop(cell) | State::Smooth(cell, _) => cell.keep(ledger),
            State::Hold(cell) | State::Decay(cell) => cell.keep(ledger),
            State::Delay(delay) => delay.keep(ledger),
            State::Oscillator(oscillator) => oscillator.keep(ledger),
            State::Noise(noise) => noise.keep(ledger),
            State::Filter(filter) => filter.keep(ledger),
            State::Envelope(envelope) => envelope.keep(ledger),
            State::Lfo { .. } => {}
        }
    }
}

impl<const L: usize> Keep for Machine<L> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.bank.states.keep(ledger);
    }
}
