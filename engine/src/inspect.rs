//! Where trouble comes from: how loud the sound of each op is, looked at while a quantum is computed, and the way back from
//! an output to the first op that is too loud. Costs nothing while nobody asks.

use crate::guard::{Act, Deed};
use crate::kernel::{Buffer, QUANTUM};
use crate::plan::{Op, Plan, Slots};

/// How many quanta a peak is looked for: it may have been a short one. A second, about.
const PEAK_QUANTA: u32 = 750;

/// Over how many quanta a mean is taken. A quarter of a second, about, so that music has none.
const MEAN_QUANTA: u32 = 188;

/// The largest plan that can be looked into, in ops and buffers. Of a larger one nothing is found.
const MOST_OPS: usize = 16_384;
const MOST_SLOTS: usize = 8192;

/// How many questions may be open.
const MOST_OPEN: usize = 8;

/// Where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// What comes out of this work is too much, and what flows into it is not: an index among the plan's works.
    Work(usize),
    /// What goes round this loop is too much, and nothing that flows into it is: an index among the plan's loops.
    Loop(usize),
    /// Nothing is too much by itself, but the sum of it is.
    Sum,
    /// It has not come again.
    Unknown,
}

/// How loud an op's sound is.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// Of this quantum.
    peak: f64,
    /// The sums of the first two channels over all quanta since the question.
    sums: [f64; 2],
}

#[derive(Clone, Copy)]
struct Open {
    act: Act,
    /// Quanta that have been looked at.
    age: u32,
}

/// Looks into the renderer's quanta for whoever asks.
pub struct Inspector {
    open: [Option<Open>; MOST_OPEN],
    looking: bool,
    anew: bool,
    /// The program that the sums are of.
    serial: u64,
    seen: Box<[Seen]>,
    /// The level from which on a buffer's content is too loud; infinite for what does not matter.
    wanted: Box<[f64]>,
}

impl Default for Inspector {
    /// One that nobody has asked. Not RT.
    fn default() -> Self {
        Inspector {
            open: [None; MOST_OPEN],
            looking: false,
            anew: false,
            serial: 0,
            seen: vec![Seen::default(); MOST_OPS].into_boxed_slice(),
            wanted: vec![f64::INFINITY; MOST_SLOTS].into_boxed_slice(),
        }
    }
}

impl Inspector {
    /// Asks where it comes from that the guard acts; false when too much is asked already. RT.
    pub fn ask(&mut self, act: Act) -> bool {
        let Some(free) = self.open.iter_mut().find(|open| open.is_none()) else { return false };
        *free = Some(Open { act, age: 0 });
        self.looking = true;
        self.anew = true;
        true
    }

    /// Before a quantum of a program. RT.
    pub fn begin(&mut self, serial: u64, plan: &Plan) {
        // With another program, and for another question, the sums begin anew.
        if self.looking && (self.anew || self.serial != serial) {
            self.seen.iter_mut().take(plan.ops.len()).for_each(|seen| *seen = Seen::default());
            self.open.iter_mut().flatten().for_each(|open| open.age = 0);
            self.anew = false;
        }
        self.serial = serial;
    }

    /// Whether it wants to see what each op makes. RT.
    pub fn is_looking(&self) -> bool {
        self.looking
    }

    /// After each op: what it made. RT.
    #[inline]
    pub fn see(&mut self, index: usize, plan: &Plan, slots: &[Buffer]) {
        if !self.looking {
            return;
        }
        let (Some(op), Some(seen)) = (plan.ops.get(index), self.seen.get_mut(index)) else { return };
        let sound = slots.get(made(op, plan).range()).unwrap_or_default();
        seen.peak = 0.0;
        for (channel, buffer) in sound.iter().enumerate() {
            // What is no number is louder than anything.
            seen.peak =
                buffer.iter().fold(seen.peak, |peak, x| peak.max(if x.is_nan() { f64::INFINITY } else { x.abs() }));
            if let Some(sum) = seen.sums.get_mut(channel) {
                *sum += buffer.iter().sum::<f64>();
            }
        }
        if sound.len() == 1 {
            seen.sums[1] = seen.sums[0];
        }
    }

    /// After a quantum: a question that has its answer. RT.
    pub fn conclude(&mut self, plan: &Plan) -> Option<(Act, Origin)> {
        if !self.looking {
            return None;
        }
        self.open.iter_mut().flatten().for_each(|open| open.age += 1);
        for i in 0..MOST_OPEN {
            let Some(Open { act, age }) = self.open[i] else { continue };
            let (last, mean) = match act.deed {
                Deed::TakesOutDc => (age >= MEAN_QUANTA, true),
                _ => (age >= PEAK_QUANTA, false),
            };
            let found = if mean && !last { None } else { self.trace(plan, act, age) };
            if let Some(origin) = found.or(last.then_some(Origin::Unknown)) {
                self.open[i] = None;
                self.looking = self.open.iter().any(Option::is_some);
                return Some((act, origin));
            }
        }
        None
    }

    /// The way back from an output through all that is too loud; the first op on it is where it comes from. RT.
    fn trace(&mut self, plan: &Plan, act: Act, quanta: u32) -> Option<Origin> {
        let Inspector { wanted, seen, .. } = self;
        if plan.ops.len() > seen.len() || plan.slots > wanted.len() {
            return Some(Origin::Unknown);
        }
        wanted.iter_mut().take(plan.slots).for_each(|limit| *limit = f64::INFINITY);
        let mut side = 0;
        for output in &plan.outputs {
            if let Some(position) = output.channels.iter().position(|channel| *channel == act.channel) {
                side = position.min(1);
                let limit = if act.deed == Deed::TakesOutDc { act.level / 2.0 } else { act.threshold };
                want(wanted, output.slots, limit);
            }
        }
        let (mut first, mut earliest): (_, Option<&Op>) = (None, None);
        for (op, seen) in plan.ops.iter().zip(seen.iter()).rev() {
            let out = made(op, plan);
            let limit = wanted.get(out.range()).unwrap_or_default().iter().fold(f64::INFINITY, |a, b| a.min(*b));
            let level = match act.deed {
                Deed::TakesOutDc => seen.sums[side].abs() / f64::from(quanta) / QUANTUM as f64,
                _ => seen.peak,
            };
            // What was in these buffers before is something else.
            wanted.get_mut(out.range()).unwrap_or_default().fill(f64::INFINITY);
            if limit == f64::INFINITY || level <= limit {
                continue;
            }
            match *op {
                Op::Work { cell, input, .. } => {
                    first = Some(Origin::Work(cell));
                    want(wanted, input, limit);
                }
                Op::Mix { first: from, last, out, adds } => {
                    first = Some(Origin::Sum);
                    if adds {
                        want(wanted, out, limit);
                    }
                    for edge in plan.edges.get(from..last).unwrap_or_default() {
                        let gain = edge.cell.and_then(|cell| plan.gains.get(cell)).map_or(1.0, |gain| gain.goal.abs());
                        want(wanted, edge.from, limit / gain);
                    }
                }
                Op::Blend { dry, out, .. } => {
                    first = first.or(Some(Origin::Sum));
                    want(wanted, dry, limit);
                    want(wanted, out, limit);
                }
                // Loops are read before all else. What is too loud without one is where it comes from.
                Op::LoopRead { cell, out } => {
                    if earliest.is_none_or(|earliest| hears(earliest, plan, out)) {
                        first = Some(Origin::Loop(cell));
                    }
                    continue;
                }
                Op::LoopWrite { .. } => continue,
            }
            earliest = Some(op);
        }
        first
    }
}

/// The buffers that hold what an op made. RT.
fn made(op: &Op, plan: &Plan) -> Slots {
    match *op {
        Op::LoopRead { out, .. } | Op::Mix { out, .. } | Op::Blend { out, .. } => out,
        // It may work on more than leave it.
        Op::Work { cell, out, .. } => {
            let leave = plan.works.get(cell).map_or(out.count, |work| work.channels.1.min(out.count));
            Slots { first: out.first, count: leave }
        }
        Op::LoopWrite { .. } => Slots::NONE,
    }
}

/// Whether an op hears what is in some buffers. RT.
fn hears(op: &Op, plan: &Plan, slots: Slots) -> bool {
    match *op {
        Op::Work { input, .. } => input.overlaps(slots),
        Op::Mix { first, last, out, adds } => {
            let mut edges = plan.edges.get(first..last).unwrap_or_default().iter();
            adds && out.overlaps(slots) || edges.any(|edge| edge.from.overlaps(slots))
        }
        Op::Blend { dry, out, .. } => dry.overlaps(slots) || out.overlaps(slots),
        Op::LoopRead { .. } | Op::LoopWrite { .. } => false,
    }
}

/// RT.
fn want(wanted: &mut [f64], slots: Slots, from: f64) {
    let limits = wanted.get_mut(slots.range()).unwrap_or_default();
    limits.iter_mut().for_each(|limit| *limit = limit.min(from));
}
