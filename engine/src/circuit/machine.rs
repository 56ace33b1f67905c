//! Runs a circuit, in `L` lanes side by side: as many voices, or channels, of the same circuit.
//!
//! Lanes lie next to each other in memory, so that the compiler makes one instruction of several of them. Nothing passes
//! from lane to lane, and what a lane gives depends neither on its place nor on the stretches in which it is asked for.

use std::ops::Range;

use super::delay::Delay;
use super::envelope::{Envelope, Times};
use super::filter::{Filter, Shape};
use super::functions::{self, cos, exp, floor, sin, tanh, truth, with_binary, with_pair, with_unary};
use super::noise::Noise;
use super::oscillator::Oscillator;
use super::pass::Pass;
use super::plan::{Alike, Arg, Memory, Op, Plan, Span, Step};
use super::round::Chain;
use super::slow::{Cell, lfo};
use super::{Binary, Circuit, Clock, Figure, Node, Unary, Wave};
use crate::keep::{Keep, Ledger};
use crate::kernel::{Buffer, QUANTUM};
use crate::math;
use crate::one_pole;
use crate::wide::{self, Aligned, wide};

/// One number in each lane, for each frame of a quantum.
pub type Block<const L: usize> = [[f64; L]; QUANTUM];

/// A block in memory.
pub type Slot<const L: usize> = Box<Aligned<Block<L>>>;

/// One that is silent. Not RT.
pub fn slot<const L: usize>() -> Slot<L> {
    Box::new(Aligned([[0.0; L]; QUANTUM]))
}

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
    /// Whether pitches stay as they are over the stretch.
    pub still: bool,
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
            still: true,
        }
    }

    /// How old all notes are, if they are of an age. RT.
    fn one_age(&self) -> Option<u64> {
        self.age.iter().all(|age| *age == self.age[0]).then_some(self.age[0])
    }
}

/// A circuit that runs, in `L` lanes.
#[derive(Clone)]
pub struct Machine<const L: usize> {
    bench: Bench<L>,
    states: States<L>,
}

/// Where a circuit is worked off: once for all that work on it in turn, each with states of its own, so that what is
/// between lies near the processor.
#[derive(Clone)]
pub struct Bench<const L: usize> {
    plan: Plan,
    rate: f64,
    slots: Vec<Slot<L>>,
    /// One slot more, to be changed for another.
    spare: Slot<L>,
    /// The age of the lanes that were worked on last, if it was one: what goes by age only is in its slots.
    age: Option<u64>,
}

/// All that goes on from frame to frame, in the order of a plan's memories.
#[derive(Clone)]
pub struct States<const L: usize>(Vec<State<L>>);

impl Machine<1> {
    /// Runs some frames of a quantum of one channel, in place. RT.
    pub fn work(&mut self, sound: &mut [f64], frames: &Range<usize>, around: &Around<'_, 1>) {
        self.input(0)[frames.clone()].as_flattened_mut().copy_from_slice(sound);
        self.bench.begin();
        let (plan, mut worker) = self.bench.worker(&mut self.states, around);
        // What comes last is written where it goes.
        if let Some((Step::Op { pass: Some(pass), to, .. }, steps)) = plan.steps.split_last()
            && *to == plan.outputs[0]
        {
            worker.run(steps, frames, around);
            pass.run(sound, |slot| worker.slots[slot][frames.clone()].as_flattened());
        } else {
            worker.run(&plan.steps, frames, around);
            sound.copy_from_slice(worker.slots[plan.outputs[0]][frames.clone()].as_flattened());
        }
    }
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
        let bench = Bench::new(circuit, rate);
        let states = bench.states();
        Machine { bench, states }
    }

    /// Where a channel of what comes in is to be written, frame by frame of a quantum. RT.
    pub fn input(&mut self, channel: usize) -> &mut [[f64; L]] {
        let slot = self.bench.plan.inputs[channel];
        &mut self.bench.slots[slot][..]
    }

    /// What leaves by a channel, for the frames that were run last. RT.
    pub fn output(&self, channel: usize) -> &[[f64; L]] {
        self.bench.output(channel)
    }

    /// How many channels leave. RT.
    pub fn outputs(&self) -> usize {
        self.bench.outputs()
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        self.states.reset();
    }

    /// Runs some frames of a quantum. RT.
    pub fn run(&mut self, frames: Range<usize>, around: &Around<'_, L>) {
        self.bench.begin();
        self.bench.run(&mut self.states, &frames, around);
    }
}

impl<const L: usize> States<L> {
    /// Begins a note in a lane: forgets all that was. RT.
    pub fn begin(&mut self, lane: usize) {
        self.0.iter_mut().for_each(|state| state.begin(lane));
    }

    /// Begins a note in a lane that goes on sounding: envelopes rise from where they are. RT.
    pub fn again(&mut self, lane: usize) {
        for state in &mut self.0 {
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

    /// What the state of a loop, or of a frame before, holds. RT.
    fn held(&self, state: usize) -> [f64; L] {
        match &self.0[state] {
            State::Loop(cell) | State::Delay1(cell) => cell.held(),
            _ => [0.0; L],
        }
    }

    /// RT.
    fn hold(&mut self, state: usize, x: [f64; L]) {
        if let State::Loop(cell) | State::Delay1(cell) = &mut self.0[state] {
            cell.hold(x);
        }
    }
}

impl<const L: usize> Bench<L> {
    /// At `rate` frames a second. Not RT.
    pub fn new(circuit: &Circuit, rate: f64) -> Self {
        wide::prepare();
        let plan = Plan::new(circuit);
        let mut slots = vec![slot(); plan.slots];
        for (slot, value) in &plan.numbers {
            slots[*slot].fill([*value; L]);
        }
        Bench { plan, rate, slots, spare: slot(), age: None }
    }

    /// What one that works here keeps. Not RT.
    pub fn states(&self) -> States<L> {
        States(self.plan.memories.iter().map(|memory| State::new(memory, self.rate)).collect())
    }

    /// What leaves by a channel, for the frames that were run last. RT.
    pub fn output(&self, channel: usize) -> &[[f64; L]] {
        &self.slots[self.plan.outputs[channel]][..]
    }

    /// How many channels leave. RT.
    pub fn outputs(&self) -> usize {
        self.plan.outputs.len()
    }

    /// Begins a stretch, over which all that work here are given the same frames, transport and parameters. RT.
    pub fn begin(&mut self) {
        self.age = None;
    }

    /// Runs some frames of a quantum. RT.
    pub fn run(&mut self, states: &mut States<L>, frames: &Range<usize>, around: &Around<'_, L>) {
        let (plan, mut worker) = self.worker(states, around);
        worker.run(&plan.steps, frames, around);
    }

    /// RT.
    fn worker<'a>(&'a mut self, states: &'a mut States<L>, around: &Around<'_, L>) -> (&'a Plan, Worker<'a, L>) {
        let age = around.one_age();
        let knows = age.is_some() && self.age == age;
        self.age = age;
        let Bench { plan, rate, slots, spare, .. } = self;
        (plan, Worker { rate: *rate, slots, spare, memories: &plan.memories, knows, states })
    }
}

/// One that works off a stretch.
struct Worker<'a, const L: usize> {
    rate: f64,
    slots: &'a mut [Slot<L>],
    spare: &'a mut Slot<L>,
    memories: &'a [Memory],
    /// Whether what goes by age is in its slots.
    knows: bool,
    states: &'a mut States<L>,
}

// What is called is not drawn into what calls it: the compiler would do the beginning of each kind of step before every step.
impl<const L: usize> Worker<'_, L> {
    /// RT.
    fn run(&mut self, steps: &[Step], frames: &Range<usize>, around: &Around<'_, L>) {
        for step in steps {
            match step {
                Step::Op { pass: Some(pass), to, span: Span::Whole, .. } => self.pass(pass, *to, frames),
                Step::Op { op, to, pass, span } => match *span {
                    Span::OfAnAge if self.knows => {}
                    Span::Still { is_read } if around.still => {
                        self.step(op, pass.as_ref(), *to, &(frames.start..frames.start + 1), around);
                        if is_read {
                            let slot = &mut self.slots[*to][frames.clone()];
                            wide(
                                #[inline(always)]
                                || slot.fill(slot[0]),
                            );
                        }
                    }
                    _ => self.step(op, pass.as_ref(), *to, frames, around),
                },
                Step::Loop { state, back, result, body, chain } => {
                    let mut given = self.states.held(*state);
                    if let Some(chain) = chain {
                        self.go_round(chain, *result, &mut given, frames);
                    } else {
                        for i in frames.clone() {
                            self.slots[*back][i] = given;
                            self.tick(body, i, around);
                            given = self.slots[*result][i];
                        }
                    }
                    self.states.hold(*state, given);
                }
            }
        }
    }

    /// RT.
    fn step(&mut self, op: &Op, pass: Option<&Pass>, to: usize, frames: &Range<usize>, around: &Around<'_, L>) {
        match pass {
            Some(pass) => self.pass(pass, to, frames),
            None => self.op(op, to, frames, around),
        }
    }

    /// A loop that is a chain. RT.
    #[inline(never)]
    fn go_round(&mut self, chain: &Chain, result: usize, given: &mut [f64; L], frames: &Range<usize>) {
        let mut before = chain.memory.map_or([0.0; L], |state| self.states.held(state));
        chain.run(&mut self.spare[frames.clone()], self.slots, frames.start, given, &mut before);
        // The result's slot may be among those that were read.
        std::mem::swap(self.spare, &mut self.slots[result]);
        if let Some(state) = chain.memory {
            self.states.hold(state, before);
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
                Op::State(state, [a, ..]) if let State::Delay1(cell) = &mut self.states.0[state] => {
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
    #[inline(always)]
    fn pass(&mut self, pass: &Pass, to: usize, frames: &Range<usize>) {
        std::mem::swap(self.spare, &mut self.slots[to]);
        let out = self.spare[frames.clone()].as_flattened_mut();
        pass.run(out, |slot| self.slots[slot][frames.clone()].as_flattened());
        std::mem::swap(self.spare, &mut self.slots[to]);
    }

    /// One step over a stretch of frames. RT.
    #[inline(never)]
    fn op(&mut self, op: &Op, to: usize, frames: &Range<usize>, around: &Around<'_, L>) {
        std::mem::swap(self.spare, &mut self.slots[to]);
        let out = &mut self.spare[frames.clone()];
        let slots = &*self.slots;
        match *op {
            Op::Note(figure) => note(figure, out, frames.start, around, self.rate),
            Op::Parameter(index) => {
                for (out, x) in out.iter_mut().zip(&around.knobs[index][frames.clone()]) {
                    *out = [*x; L];
                }
            }
            Op::State(state, args) => {
                let Memory { alike, still, .. } = self.memories[state];
                // There are fewer than four of most.
                let args = std::array::from_fn(|n| match slots.get(args[n]) {
                    Some(slot) if still[n] && around.still => &slot[frames.start..frames.start + 1],
                    Some(slot) => &slot[frames.clone()],
                    None => &[],
                });
                let together = L == 1
                    || match alike {
                        Alike::All => true,
                        Alike::OfAnAge => around.one_age().is_some(),
                        Alike::None => false,
                    };
                with_state(&mut self.states.0[state], out, args, together, frames.start, around, self.rate);
            }
            // What has no state is a pass.
            _ => {}
        }
        std::mem::swap(self.spare, &mut self.slots[to]);
    }
}

/// What has a state, over a stretch from `start` on. RT.
pub(super) fn with_state<const L: usize>(
    state: &mut State<L>,
    out: &mut [[f64; L]],
    [a, b, c, d]: [&[[f64; L]]; 4],
    together: bool,
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
            || filter.run(out, a, Shape { freq: b, q: c, together }),
        ),
        State::Envelope(envelope) => envelope.run(out, &around.gate, &[1.0; L], |i, lane| Times {
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
    let one = match clock {
        Clock::Transport => Some(around.transport),
        Clock::Age => around.one_age(),
    };
    if let Some(frame) = one {
        let mut once = [0.0; QUANTUM];
        let once = &mut once[..out.len()];
        once.iter_mut().enumerate().for_each(|(i, cycles)| *cycles = after(frame, i));
        lfo(wave, once);
        out.iter_mut().zip(once).for_each(|(out, x)| *out = [*x; L]);
    } else {
        out.iter_mut().enumerate().for_each(|(i, out)| *out = around.age.map(|age| after(age, i)));
        lfo(wave, out.as_flattened_mut());
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
            Node::Filter { pass, .. } => State::Filter(Filter::new(pass, rate)),
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

impl<const L: usize> Keep for States<L> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.0.keep(ledger);
    }
}

impl<const L: usize> Keep for Machine<L> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.states.keep(ledger);
    }
}
