//! One pass through a plan: the ops of a quantum, one after the other, and abreast where the plan says that they may.

use std::ops::Range;

use super::Missing;
use crate::abreast::{Abreast, Interleaved, LANES, Mask, Places};
use crate::bank::{BlendCell, EdgeCell, Fell, LoopCell, WorkCell, WorkIo, split};
use crate::kernel::{Buffer, QUANTUM};
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
    /// The works that go abreast, and what they work on.
    pub abreast: &'a mut [Abreast],
    pub interleaved: &'a mut [Interleaved],
    pub spare: &'a mut Interleaved,
    /// Whether somebody looks at every buffer.
    pub is_looked_at: bool,
    pub missing: &'a mut Missing,
    pub poisoned: &'a mut Option<usize>,
}

/// The op of a work in a rank.
#[derive(Clone, Copy)]
struct Placed {
    cell: usize,
    input: Slots,
    key: Slots,
    out: Slots,
}

impl Placed {
    /// RT.
    fn of(op: &Op) -> Option<Placed> {
        if let Op::Work { cell, input, key, out } = *op { Some(Placed { cell, input, key, out }) } else { None }
    }
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
            Op::Mix { first, last, out, adds } => self.mix(first..last, out, adds),
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
    pub fn rank(&mut self, at: usize, rank: &Rank) {
        let (all, sounds) = (std::mem::take(&mut self.abreast), std::mem::take(&mut self.interleaved));
        let is_left =
            rank.from.and_then(|from| all.get_mut(from)).is_some_and(|from| std::mem::take(&mut from.is_left));
        if let (Some(abreast), Some(sound)) = (all.get_mut(at), sounds.get_mut(rank.sound)) {
            let ops = self.plan.ops.get(rank.ops.clone()).unwrap_or_default();
            self.abreast(rank, ops, is_left, abreast, sound);
        }
        (self.abreast, self.interleaved) = (all, sounds);
    }

    /// The ops of a rank, whose sound is in the lanes already or still in the buffers. RT.
    fn abreast(&mut self, rank: &Rank, ops: &[Op], is_left: bool, abreast: &mut Abreast, sound: &mut Interleaved) {
        let channels = rank.shape.lanes();
        let works = || ops.iter().enumerate().filter_map(|(place, op)| Some((place, Placed::of(op)?)));
        if !is_left && abreast.is_manned() {
            let mut heard: Places = [None; LANES];
            for (place, op) in works().filter(|(place, _)| abreast.is_in(*place)) {
                set(&mut heard, abreast.lane(place), op.input.range());
            }
            sound.take_all(&heard, self.slots);
        }
        let within = abreast.lanes_within();
        let silent = if within == 0 { 0 } else { sound.silent() & within };
        if within != 0 && silent == within {
            // Alone they can come to rest.
            abreast.disband(self.works);
        }
        for (place, op) in works() {
            if abreast.is_in(place) {
                continue;
            }
            place_input(self.slots, op.input, op.out);
            let lanes = abreast.lane(place)..abreast.lane(place) + channels;
            if is_left {
                let out = self.slots.get_mut(op.out.range()).unwrap_or_default();
                lanes.clone().zip(out).for_each(|(lane, buffer)| sound.give(lane, buffer));
            }
            match self.fall_in(op, abreast, place) {
                Some(Fell::In) if !is_left => {
                    let out = self.slots.get(op.out.range()).unwrap_or_default();
                    lanes.zip(out).for_each(|(lane, buffer)| sound.take(lane, buffer));
                }
                Some(Fell::Alone { is_finite: false }) => *self.poisoned = Some(op.cell),
                _ => {}
            }
        }
        if !abreast.is_manned() {
            return;
        }
        abreast.run(sound, self.spare);
        self.look_after(ops, silent, abreast, sound);
        abreast.is_left = rank.into.is_some() && !self.is_looked_at;
        let (mut made, mut right): (Places, Places) = ([None; LANES], [None; LANES]);
        // What was made in the lanes goes into the buffers, or what was made in the buffers into the lanes.
        for (place, op) in works().filter(|(place, _)| abreast.is_in(*place) != abreast.is_left) {
            let (lane, out) = (abreast.lane(place), op.out.range());
            set(&mut made, lane, out.start..out.start + channels);
            set(&mut right, lane, out.start + channels..out.end);
        }
        if abreast.is_left {
            return sound.take_all(&made, self.slots);
        }
        sound.give_all(&made, self.slots);
        if abreast.is_panned() {
            self.spare.give_all(&right, self.slots);
        }
    }

    /// What is done round the works that went abreast: what came out as no number is silenced and passed by, what came of silence has
    /// no sign if it is silence too, and by how much was turned down is told. RT.
    fn look_after(&mut self, ops: &[Op], silent: Mask, abreast: &mut Abreast, sound: &mut Interleaved) {
        let within = abreast.lanes_within();
        let is_panned = abreast.is_panned();
        let finite = sound.finite() & if is_panned { self.spare.finite() } else { Mask::MAX };
        if within & !finite != 0 {
            for (place, op) in ops.iter().enumerate().filter_map(|(place, op)| Some((place, Placed::of(op)?))) {
                let lanes = abreast.lanes(place);
                if !abreast.is_in(place) || lanes & !finite == 0 {
                    continue;
                }
                abreast.fall_out(place, self.works);
                sound.silence(lanes);
                if let Some(Some(running)) = self.works.get_mut(op.cell) {
                    let late = self.plan.works.get(op.cell).map_or(0, |work| work.late);
                    let audio = self.slots.get_mut(op.out.range()).unwrap_or_default();
                    running.fall_ill(audio, self.steering.later(late).fade);
                }
                *self.poisoned = Some(op.cell);
            }
        }
        if silent & within != 0 {
            let zero = sound.zero() & if is_panned { self.spare.zero() } else { Mask::MAX };
            for place in 0..ops.len() {
                let lanes = abreast.lanes(place);
                if abreast.is_in(place) && lanes & !(silent & zero) == 0 {
                    sound.silence(lanes);
                    if is_panned {
                        self.spare.silence(lanes);
                    }
                }
            }
        }
        for place in 0..ops.len() {
            if let (true, Some(reduced), Some(cell)) =
                (abreast.is_in(place), abreast.reduced(place), abreast.works().get(place))
                && let Some(Some(running)) = self.works.get_mut(*cell)
            {
                running.turned_down(reduced);
            }
        }
    }

    /// Has the work of an effect in a rank go abreast, or do a quantum alone. RT.
    fn fall_in(&mut self, op: Placed, abreast: &mut Abreast, place: usize) -> Option<Fell> {
        let work = self.plan.works.get(op.cell)?;
        follow(self.slots, self.followed, &work.controls);
        let running = self.works.get_mut(op.cell)?.as_mut()?;
        let (audio, key) = split(self.slots, op.out, op.key);
        let steering = self.steering.later(work.late);
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
        Some(running.fall_in(&mut io, abreast, place))
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
    fn mix(&mut self, edges: Range<usize>, out: Slots, adds: bool) {
        if !adds {
            self.slots.get_mut(out.range()).unwrap_or_default().iter_mut().for_each(|buffer| buffer.fill(0.0));
        }
        let edges = self.plan.edges.get(edges).unwrap_or_default();
        let mut steady = [(Slots::NONE, 0.0); TOGETHER];
        let mut count = 0;
        for edge in edges {
            let cell = edge.cell.and_then(|index| self.edges.get_mut(index)?.as_deref_mut());
            let gain = cell.as_ref().map_or(Some(1.0), |cell| cell.steady()).filter(|_| edge.capture.is_none());
            if count == TOGETHER || gain.is_none() {
                add_steady(self.slots, steady.get(..count).unwrap_or_default(), out);
                count = 0;
            }
            match (gain, steady.get_mut(count)) {
                (Some(gain), Some(next)) => {
                    *next = (edge.from, gain);
                    count += 1;
                }
                _ => add_moving(self.slots, edge, cell, self.plan, &self.steering, out),
            }
        }
        add_steady(self.slots, steady.get(..count).unwrap_or_default(), out);
    }
}

/// Edges that are added in one go.
const TOGETHER: usize = 16;

/// Frames of a sum that are held in registers while edges are added to them.
const PART: usize = 16;
const _: () = assert!(QUANTUM.is_multiple_of(PART));

/// Buffers belong to the lanes from one on. RT.
fn set(places: &mut Places, first: usize, buffers: Range<usize>) {
    places.iter_mut().skip(first).zip(buffers).for_each(|(place, buffer)| *place = Some(buffer));
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

/// Adds what flows, with gains, to `out`, one after the other; one channel goes into all of them. RT.
fn add_steady(slots: &mut [Buffer], flows: &[(Slots, f64)], out: Slots) {
    if flows.is_empty() {
        return;
    }
    wide(
        #[inline(always)]
        || {
            for channel in 0..out.count {
                for at in 0..QUANTUM / PART {
                    let Some(mut sum) = part(slots, out.first + channel, at).copied() else { return };
                    for (from, gain) in flows {
                        let from = from.first + if from.count == 1 { 0 } else { channel };
                        if let Some(sound) = part(slots, from, at) {
                            for frame in 0..PART {
                                sum[frame] += sound[frame] * gain;
                            }
                        }
                    }
                    if let Some(buffer) = slots.get_mut(out.first + channel)
                        && let Some(part) = buffer.as_chunks_mut::<PART>().0.get_mut(at)
                    {
                        *part = sum;
                    }
                }
            }
        },
    );
}

/// Some frames of a buffer, counted in parts. RT.
#[inline(always)]
fn part(slots: &[Buffer], buffer: usize, at: usize) -> Option<&[f64; PART]> {
    slots.get(buffer)?.as_chunks().0.get(at)
}

/// The same where the gain moves, what flows waits, or a copy is kept. RT.
fn add_moving(
    slots: &mut [Buffer],
    edge: &PlanEdge,
    cell: Option<&mut EdgeCell>,
    plan: &Plan,
    steering: &Steering<'_>,
    out: Slots,
) {
    let mut passed = edge.cell.zip(cell).and_then(|(index, cell)| {
        let planned = plan.gains.get(index)?;
        Some((cell.advance(planned.controls.first(), &steering.later(planned.late)), cell))
    });
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
