//! Ranks: works that may go abreast. Where those of one rank hear those of another and nobody else does, what the first one makes
//! stays in the lanes for the second.

use crate::abreast::{self, Shape};
use crate::plan::{Op, Plan, Rank, Slots};
use crate::verify::{leaving, reads, writes};

/// Ranks being formed, as the ops of a stage go by.
#[derive(Default)]
pub struct Forming {
    /// Those that are.
    pub formed: Vec<Rank>,
    shape: Option<Shape>,
    first: usize,
    lanes: usize,
}

impl Forming {
    /// The next op has a shape, or ends the stage.
    pub fn next(&mut self, shape: Option<Shape>, op: usize) {
        let lanes = shape.map_or(0, Shape::lanes);
        if shape == self.shape && self.lanes + lanes <= abreast::LANES {
            self.lanes += lanes;
            return;
        }
        if let Some(shape) = self.shape.filter(|_| self.lanes >= abreast::FEWEST) {
            self.formed.push(Rank { ops: self.first..op, shape, sound: 0, from: None, into: None });
        }
        (self.shape, self.first, self.lanes) = (shape, op, lanes);
    }
}

/// Finds out which ranks of a plan hand their sound on to which, and on what each works. Buffers that are `given` are read by
/// somebody behind the plan. Not RT.
pub fn link(plan: &mut Plan, given: &[usize]) {
    // For each buffer the rank that has written it last, and which of its ops, unless somebody has read it since.
    let mut made_by: Vec<Option<(usize, usize)>> = vec![None; plan.slots];
    // For each buffer that a rank need not write, the rank that takes up its sound.
    let mut left_for: Vec<Option<usize>> = vec![None; plan.slots];
    let mut from: Vec<Option<usize>> = Vec::new();
    let mut ranks = plan.ranks.iter().enumerate().peekable();
    let mut next = 0;
    while let Some(op) = plan.ops.get(next) {
        let rank = ranks.next_if(|(_, rank)| rank.ops.start == next);
        let ops = rank.map_or(next..next + 1, |(_, rank)| rank.ops.clone());
        let all = plan.ops.get(ops.clone()).unwrap_or(std::slice::from_ref(op));
        if let Some((_, rank)) = rank {
            from.push(hears_only(plan, rank, all, &made_by));
        }
        for (place, op) in all.iter().enumerate() {
            for slots in reads(plan, op).unwrap_or_default() {
                // What is read once more has to be written after all.
                left_for[slots.range()].iter().flatten().for_each(|rank| from[*rank] = None);
                set(&mut made_by, slots, None);
            }
            if let (Some((at, _)), Op::Work { input, .. }) = (rank, op) {
                set(&mut left_for, *input, from[at].map(|_| at));
            }
            let maker = rank.map(|(at, _)| (at, place));
            for slots in writes(plan, op) {
                set(&mut left_for, slots, None);
                set(&mut made_by, slots, maker);
            }
        }
        next = ops.end.max(next + 1);
    }
    for slots in leaving(plan).chain(given.iter().map(|slot| Slots { first: *slot, count: 1 })) {
        left_for[slots.range()].iter().flatten().for_each(|rank| from[*rank] = None);
    }
    let mut sounds = 0;
    for (at, before) in from.into_iter().enumerate() {
        let sound = before.map_or(sounds, |before| plan.ranks[before].sound);
        sounds = sounds.max(sound + 1);
        (plan.ranks[at].from, plan.ranks[at].into, plan.ranks[at].sound) = (before, None, sound);
        if let Some(before) = before {
            plan.ranks[before].into = Some(at);
        }
    }
}

/// The rank whose works are heard by those of another one, each by the one in its place and by nobody else.
fn hears_only(plan: &Plan, rank: &Rank, ops: &[Op], made_by: &[Option<(usize, usize)>]) -> Option<usize> {
    let mut from = None;
    for (place, op) in ops.iter().enumerate() {
        let Op::Work { input, .. } = *op else { return None };
        let (before, its_place) = (*made_by.get(input.first)?)?;
        let is_same = *from.get_or_insert(before) == before && its_place == place;
        if !is_same || input.count != rank.shape.lanes() {
            return None;
        }
    }
    let before = plan.ranks.get(from?)?;
    let fits = before.ops.len() == ops.len() && before.shape.leaving() == rank.shape.lanes();
    (fits && before.shape.lanes() == rank.shape.lanes()).then_some(from?)
}

fn set<T: Copy>(of: &mut [T], slots: Slots, to: T) {
    of.get_mut(slots.range()).unwrap_or_default().fill(to);
}
