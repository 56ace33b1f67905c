//! A renderer in parts: each does some of the ops and gives the next one what that needs, so that they can be at work at
//! the same time, on quanta that follow each other.
//!
//! The ops of a plan are in an order in which nothing is read before it is written, so any cut through the list will do: what is held in
//! the buffers there is all that one side needs of the other. The same ops run on the same state in the same order: the bits are
//! the same.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Renderer;
use crate::bank::Bank;
use crate::compile::Program;
use crate::kernel::Buffer;
use crate::plan::{Op, Plan, Slots};
use crate::ranks;
use crate::verify::{leaving, reads, writes};

/// A part that gives what it makes to another.
pub(crate) struct Part {
    /// What does its work.
    pub renderer: Renderer,
    /// The buffers that it needs of the part in front of it.
    pub takes: Vec<usize>,
    /// Those that the part behind it needs.
    gives: Vec<usize>,
}

impl Part {
    /// What the part behind it needs of a quantum.
    pub fn give(&self) -> impl Iterator<Item = &Buffer> {
        self.gives.iter().map(|slot| &self.renderer.program.bank.slots[*slot])
    }
}

/// The places before ops at which a plan may be cut: not within a rank, and nowhere behind what hears a loop, whose end is at
/// the end.
pub(crate) fn places(plan: &Plan) -> Vec<usize> {
    let mut looped = BTreeSet::new();
    let mut places = Vec::new();
    let loops = plan.ops.iter().take_while(|op| matches!(op, Op::LoopRead { .. })).count();
    for (index, op) in plan.ops.iter().enumerate() {
        let read = reads(plan, op).unwrap_or_default();
        match op {
            Op::LoopRead { out, .. } => looped.extend(out.range()),
            _ if read.iter().any(|slots| slots.range().any(|slot| looped.contains(&slot))) => {
                return places;
            }
            _ => {}
        }
        if index > loops && !plan.ranks.iter().any(|rank| rank.ops.start < index && index < rank.ops.end) {
            places.push(index);
        }
    }
    places
}

impl Renderer {
    /// Brings in what the part in front of this one gave for a quantum.
    pub(crate) fn bring(&mut self, takes: &[usize], given: &[Buffer]) {
        let slots = &mut self.program.bank.slots;
        takes.iter().zip(given).for_each(|(slot, buffer)| slots[*slot] = *buffer);
    }

    /// Cuts it before the ops of these numbers, each of them one of the [`places`] and above the one before. Gives all parts but the
    /// last, and the buffers that the last needs of them: that is what is left of this one, and what leaves it is what left it.
    pub(crate) fn cut(&mut self, cuts: &[usize]) -> (Vec<Part>, Vec<usize>) {
        let mut parts = Vec::new();
        self.program.bank.disband();
        let (mut begin, mut takes) = (0, Vec::new());
        for &cut in cuts {
            let gives = crossing(&self.program.plan, cut);
            let renderer = self.part(begin..cut, &gives);
            parts.push(Part { renderer, takes: std::mem::replace(&mut takes, gives.clone()), gives });
            begin = cut;
        }
        let plan = &mut self.program.plan;
        let of_loops = |op: &&Op| matches!(op, Op::LoopRead { .. });
        let loops = plan.ops.iter().filter(of_loops);
        let ops = loops.chain(plan.ops[begin..].iter().filter(|op| !of_loops(op))).copied().collect();
        let end = plan.ops.len();
        restrict(plan, ops, begin..end, &[]);
        self.program.bank.line_up(plan);
        (parts, takes)
    }

    /// One that does some of the ops and gives some buffers, with the state that it needs: it is taken from this one. Loops are none of
    /// its.
    fn part(&mut self, range: Range<usize>, gives: &[usize]) -> Renderer {
        let (plan, own) = (&self.program.plan, &mut self.program.bank);
        let ops: Vec<Op> =
            plan.ops[range.clone()].iter().filter(|op| !matches!(op, Op::LoopRead { .. })).copied().collect();
        let mut bank = Bank {
            works: own.works.iter().map(|_| None).collect(),
            edges: own.edges.iter().map(|_| None).collect(),
            blends: own.blends.iter().map(|_| None).collect(),
            loops: own.loops.iter().map(|_| None).collect(),
            scores: own.scores.iter().map(|_| None).collect(),
            motions: own.motions.clone(),
            heard: own.heard.clone(),
            followed: own.followed.clone(),
            slots: own.slots.clone(),
            restless: own.restless,
            one_by_one: own.one_by_one,
            ..Bank::default()
        };
        for op in &ops {
            match *op {
                Op::Work { cell, .. } => {
                    std::mem::swap(&mut bank.works[cell], &mut own.works[cell]);
                    if let Some(score) = plan.works[cell].score {
                        std::mem::swap(&mut bank.scores[score], &mut own.scores[score]);
                    }
                }
                Op::Mix { first, last, .. } => {
                    for cell in plan.edges[first..last].iter().filter_map(|edge| edge.cell) {
                        std::mem::swap(&mut bank.edges[cell], &mut own.edges[cell]);
                    }
                }
                Op::Blend { cell, .. } => std::mem::swap(&mut bank.blends[cell], &mut own.blends[cell]),
                Op::LoopRead { .. } | Op::LoopWrite { .. } => {}
            }
        }
        let mut plan = plan.clone();
        (plan.outputs, plan.captures, plan.meters, plan.heard, plan.cue) = Default::default();
        restrict(&mut plan, ops, range, gives);
        bank.line_up(&plan);
        let Program { serial, fade, lead, trim, .. } = *self.program;
        let program = Program {
            plan,
            bank,
            carry: Default::default(),
            serial,
            fade,
            at: None,
            lead,
            copier: None,
            hearing: None,
            meters: None,
            readings: None,
            trim,
        };
        Renderer {
            program: Box::new(program),
            transport: self.transport,
            clock: self.clock,
            poisoned: None,
            missing: self.missing,
            jump: self.jump,
            probe: None,
        }
    }
}

/// Leaves a plan with some ops, which are those of a range but for loops that are read before them, and what they give to those
/// behind them.
fn restrict(plan: &mut Plan, ops: Vec<Op>, range: Range<usize>, gives: &[usize]) {
    let shift = |index: usize| index + ops.len() - range.end;
    let ranks = plan.ranks.iter().filter(|rank| range.start <= rank.ops.start && rank.ops.end <= range.end).cloned();
    plan.ranks = ranks
        .map(|mut rank| {
            rank.ops = shift(rank.ops.start)..shift(rank.ops.end);
            rank
        })
        .collect();
    plan.stages = vec![ops.len()];
    plan.ops = ops;
    ranks::link(plan, gives);
}

/// The buffers that are written before a cut and read behind it. What loops give is none of them: they are read behind it.
fn crossing(plan: &Plan, cut: usize) -> Vec<usize> {
    let mut crossing = Vec::new();
    backwards(plan, |at, wanted, _| {
        if at == cut {
            crossing = (0..plan.slots).filter(|slot| wanted[*slot]).collect();
        }
    });
    crossing
}

/// How many buffers cross before each op of a plan.
pub(crate) fn widths(plan: &Plan) -> Vec<usize> {
    let mut widths = vec![0; plan.ops.len()];
    backwards(plan, |at, _, count| widths[at] = count);
    widths
}

/// Goes from the last op of a plan to the first, and tells before each which buffers are read from there on before they are
/// written, but for what loops give, and how many they are.
fn backwards(plan: &Plan, mut tell: impl FnMut(usize, &[bool], usize)) {
    let mut looped = vec![false; plan.slots];
    for op in &plan.ops {
        if let Op::LoopRead { out, .. } = op {
            looped[out.range()].fill(true);
        }
    }
    let (mut wanted, mut count) = (vec![false; plan.slots], 0);
    let mut set = |wanted: &mut [bool], slots: Slots, to: bool| {
        for slot in slots.range().filter(|slot| !looped[*slot]) {
            count = count + usize::from(to) - usize::from(wanted[slot]);
            wanted[slot] = to;
        }
        count
    };
    let mut width = 0;
    for slots in leaving(plan) {
        width = set(&mut wanted, slots, true);
    }
    for (at, op) in plan.ops.iter().enumerate().rev() {
        for slots in writes(plan, op) {
            width = set(&mut wanted, slots, false);
        }
        for slots in reads(plan, op).unwrap_or_default() {
            width = set(&mut wanted, slots, true);
        }
        tell(at, &wanted, width);
    }
}
