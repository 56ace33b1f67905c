//! One pass through a plan: the ops of a quantum, one after the other, and abreast where the plan says that they may.

use std::ops::Range;

use super::Missing;
use crate::abreast::Abreast;
use crate::bank::{BlendCell, EdgeCell, LoopCell, WorkCell, WorkIo, split};
use crate::kernel::Buffer;
use crate::lane::Steering;
use crate::plan::{Op, Plan, PlanControl, PlanEdge, Rank, Slots};
use crate::score::ScoreCell;
use crate::transport::Quantum;
use crate::wide::wide;

/// What the ops of a quantum work on, and what they know of it.
pub(super) struct Pass<'a> {
    pub plan: &'a Plan,
    /// Of what is not late.
    pub steering: Steering<'a>,
    /// Whether sources sound.
    pub is_open: bool,
    /// What they are faded by.
    pub gate: Quantum,
    /// Where the transport is about to go.
    pub leaves_for: Option<u64>,
    pub live: &'a [Buffer],
    /// Sources that are silent, by their works.
    pub silent: &'a [usize],
    pub restless: bool,
    pub works: &'a mut [Option<Box<WorkCell>>],
    pub scores: &'a mut [Option<Box<ScoreCell>>],
    pub edges: &'a mut [Option<Box<EdgeCell>>],
    pub blends: &'a mut [Option<Box<BlendCell>>],
    pub loops: &'a mut [Option<Box<LoopCell>>],
    pub followed: &'a mut [Buffer],
    pub slots: &'a mut [Buffer],
    pub abreast: &'a mut Abreast,
    pub missing: &'a mut Missing,
    pub poisoned: &'a mut Option<usize>,
}

impl Pass<'_> {
    /// Does one op. RT.
    pub fn op(&mut self, op: &Op) {
        match *op {
            Op::LoopRead { cell, out } => {
                if let Some(Some(cell)) = self.loops.get(cell) {
                    cell.read(self.slots.get_mut(out.range()).unwrap_or_default());
                }
            }
            Op::LoopWrite { cell, from } => {
                if let Some(Some(cell)) = self.loops.get_mut(cell) {
                    cell.write(self.slots.get(from.range()).unwrap_or_default());
                }
            }
            Op::Mix { first, last, out } => self.mix(first..last, out),
            Op::Work { cell, input, key, out } => {
                place_input(self.slots, input, out);
                self.work(cell, key, out);
            }
            Op::Blend { cell, dry, out } => {
                if let (Some(Some(running)), Some(blend)) = (self.blends.get_mut(cell), self.plan.blends.get(cell)) {
                    follow(self.slots, self.followed, &blend.controls);
                    let steering = self.steering.later(blend.late);
                    let (wet, dry) = split(self.slots, out, dry);
                    running.process(wet, dry, blend.controls.first(), self.followed, &steering);
                }
            }
        }
    }

    /// Does the ops of a rank, abreast as far as they can. RT.
    pub fn rank(&mut self, rank: &Rank) {
        self.abreast.clear();
        let ops = self.plan.ops.get(rank.ops.clone()).unwrap_or_default();
        for op in ops {
            if let Op::Work { cell, input, key, out } = *op {
                place_input(self.slots, input, out);
                if let Some(work) = self.plan.works.get(cell) {
                    follow(self.slots, self.followed, &work.controls);
                }
                self.each(cell, key, out, |running, io, abreast| running.fall_in(io, abreast));
            }
        }
        if self.abreast.used() == 0 {
            return;
        }
        self.abreast.run(rank.shape);
        for op in ops {
            if let Op::Work { cell, key, out, .. } = *op {
                self.each(cell, key, out, |running, io, abreast| running.fall_out(io, abreast));
            }
        }
    }

    /// Has the work of an effect in a rank do its part; that says whether it came out as finite numbers. RT.
    fn each(
        &mut self,
        cell: usize,
        key: Slots,
        out: Slots,
        does: impl FnOnce(&mut WorkCell, &mut WorkIo<'_>, &mut Abreast) -> bool,
    ) {
        let (Some(work), Some(Some(running))) = (self.plan.works.get(cell), self.works.get_mut(cell)) else { return };
        let steering = self.steering.later(work.late);
        let (audio, key) = split(self.slots, out, key);
        let mut io = WorkIo {
            audio,
            key,
            score: None,
            live: self.live,
            transport: steering.frame as u64,
            controls: &work.controls,
            followed: self.followed,
            steering,
            restless: self.restless,
        };
        if !does(running, &mut io, self.abreast) {
            *self.poisoned = Some(cell);
        }
    }

    /// Does what a work does, and what is to be done round it. RT.
    fn work(&mut self, cell: usize, key: Slots, out: Slots) {
        let (Some(work), Some(Some(running))) = (self.plan.works.get(cell), self.works.get_mut(cell)) else { return };
        let steering = self.steering.later(work.late);
        let transport = steering.frame as u64;
        let mut score = work.score.and_then(|score| self.scores.get_mut(score)?.as_deref_mut());
        if let Some(score) = score.as_deref_mut().filter(|_| steering.moved) {
            score.jump(transport);
        }
        let plays = self.is_open && !self.silent.contains(&cell);
        // What was placed is silence: nothing flows into a source.
        if work.on_transport && !plays {
            return;
        }
        // Asked for while it stands still as well, so that it is at hand when it goes on.
        let is_ready = score.as_ref().is_none_or(|score| score.is_ready(transport));
        if let (Some(score), Some(frame)) = (&score, self.leaves_for) {
            score.make_ready(frame);
        }
        score = score.filter(|_| plays);
        if work.on_transport && !running.is_ready(transport) || plays && !is_ready {
            if let Some(free) = self.missing.iter_mut().find(|missing| missing.is_none()) {
                *free = Some(cell);
            }
            // What hands play goes on.
            score = None;
            if work.on_transport {
                return;
            }
        }
        follow(self.slots, self.followed, &work.controls);
        let (audio, key) = split(self.slots, out, key);
        let mut io = WorkIo {
            audio,
            key,
            score: score.map(|score| score.turned(transport)),
            live: self.live,
            transport,
            controls: &work.controls,
            followed: self.followed,
            steering,
            restless: self.restless,
        };
        if !running.process(&mut io) {
            *self.poisoned = Some(cell);
        }
        if work.on_transport && !self.gate.is_unity() {
            io.audio.iter_mut().for_each(|buffer| self.gate.scale(buffer));
        }
    }

    /// Adds up some edges. RT.
    fn mix(&mut self, edges: Range<usize>, out: Slots) {
        self.slots.get_mut(out.range()).unwrap_or_default().iter_mut().for_each(|buffer| buffer.fill(0.0));
        let edges = self.plan.edges.get(edges).unwrap_or_default();
        if edges.iter().all(PlanEdge::is_plain) {
            let slots = &mut *self.slots;
            return wide(
                #[inline(always)]
                || edges.iter().for_each(|edge| add_plain(slots, edge, out)),
            );
        }
        for edge in edges {
            let passed = edge.cell.and_then(|index| {
                let cell = self.edges.get_mut(index)?.as_deref_mut()?;
                let planned = self.plan.gains.get(index)?;
                Some((cell.advance(planned.controls.first(), &self.steering.later(planned.late)), cell))
            });
            add(self.slots, edge, passed, out);
        }
    }
}

/// Keeps what controls follow where the op that they steer does not write. RT.
fn follow(slots: &[Buffer], followed: &mut [Buffer], controls: &[PlanControl]) {
    for control in controls {
        if let (Some(heard), Some(at)) = (control.heard, control.followed)
            && let (Some(buffer), Some(kept)) = (slots.get(heard.first), followed.get_mut(at))
        {
            *kept = *buffer;
        }
    }
}

/// Adds what an edge carries to `out`; one channel goes into all of them. RT.
fn add(slots: &mut [Buffer], edge: &PlanEdge, mut passed: Option<(Quantum, &mut EdgeCell)>, out: Slots) {
    for channel in 0..edge.from.count {
        let Some(mut sound) = slots.get(edge.from.first + channel).copied() else { continue };
        if let Some((gain, cell)) = &mut passed {
            cell.delay(channel, &mut sound);
            gain.scale(&mut sound);
        }
        let into = if edge.from.count == 1 { 0..out.count } else { channel..channel + 1 };
        for channel in into {
            if let Some(kept) = edge.capture.and_then(|capture| slots.get_mut(capture.first + channel)) {
                *kept = sound;
            }
            if let Some(sum) = slots.get_mut(out.first + channel) {
                sum.iter_mut().zip(&sound).for_each(|(sum, x)| *sum += x);
            }
        }
    }
}

/// Adds what an edge carries as it is. RT.
#[inline(always)]
fn add_plain(slots: &mut [Buffer], edge: &PlanEdge, out: Slots) {
    for channel in 0..out.count {
        let from = edge.from.first + if edge.from.count == 1 { 0 } else { channel };
        if let Ok([sound, sum]) = slots.get_disjoint_mut([from, out.first + channel]) {
            sum.iter_mut().zip(sound).for_each(|(sum, x)| *sum += *x);
        }
    }
}

/// Brings an op's input to where it works; what is there beyond it is cleared. RT.
fn place_input(slots: &mut [Buffer], input: Slots, out: Slots) {
    for channel in 0..out.count {
        let (from, to) = (input.first + channel, out.first + channel);
        if channel >= input.count {
            if let Some(buffer) = slots.get_mut(to) {
                buffer.fill(0.0);
            }
        } else if from != to {
            slots.copy_within(from..from + 1, to);
        }
    }
}
