//! Proves each plan before it is used: that nothing is read before it is written, that ops of one stage keep out of each
//! other's way, and that every index points at something of the right kind.

use std::fmt;

use crate::abreast::LANES;
use crate::bank::{Bank, Carry};
use crate::plan::{Op, Plan, Rank, Slots};

/// What is wrong with a plan. A fault of the compiler, never of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The mesh has no order.
    Order,
    /// An op reads a buffer that nothing has written in this quantum.
    ReadBeforeWrite(usize),
    /// Two ops of one stage use a buffer that one of them writes.
    Shared(usize, usize),
    /// An index of an op, an edge or an output leads nowhere.
    Index(usize),
    /// Numbers of channels do not fit.
    Channels(usize),
    /// Ops are to go abreast that are not of one stage, or no effects, or more than there is room for.
    Rank(usize),
    /// A cell is used by two ops, or is neither built nor carried, or both.
    Cell(usize),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the compiled plan is not sound ({self:?}); this is a fault of gainstage, please report it")
    }
}

/// Proves a plan.
///
/// # Errors
/// The first flaw found.
pub fn verify(plan: &Plan, bank: &Bank, carry: &Carry) -> Result<(), Flaw> {
    cells(bank, carry)?;
    sizes(plan, bank)?;
    let used = |(at, op)| Ok(Used { reads: reads(plan, op).ok_or(Flaw::Index(at))?, writes: writes(plan, op) });
    let used: Vec<Used> = plan.ops.iter().enumerate().map(used).collect::<Result<_, _>>()?;
    ranks(plan, &used)?;
    let mut written = vec![false; plan.slots];
    // The op that has written a buffer last.
    let mut last = vec![0; plan.slots];
    // Which op of the present stage writes a buffer.
    let mut writer: Vec<Option<usize>> = vec![None; plan.slots];
    let mut first = 0;
    for &end in &plan.stages {
        let stage = first..end;
        if plan.ops.get(stage.clone()).is_none() {
            return Err(Flaw::Index(first));
        }
        for at in stage.clone() {
            for slots in &used[at].writes {
                for slot in writer.get_mut(slots.range()).ok_or(Flaw::Index(at))? {
                    if let Some(other) = slot.replace(at).filter(|other| *other != at) {
                        return Err(Flaw::Shared(other, at));
                    }
                }
            }
        }
        for at in stage.clone() {
            for slots in &used[at].reads {
                let held = written.get(slots.range()).ok_or(Flaw::Index(at))?;
                if held.contains(&false) {
                    return Err(Flaw::ReadBeforeWrite(at));
                }
                if let Some(other) = writer[slots.range()].iter().flatten().find(|other| **other != at) {
                    return Err(Flaw::Shared(*other, at));
                }
            }
            let is_begun =
                |out: Slots, slot: usize| matches!(plan.ops[last[slot]], Op::Mix { out: begun, .. } if begun == out);
            if let Op::Mix { out, adds: true, .. } = plan.ops[at]
                && !out.range().all(|slot| is_begun(out, slot))
            {
                return Err(Flaw::ReadBeforeWrite(at));
            }
        }
        for at in stage {
            for slots in &used[at].writes {
                last[slots.range()].fill(at);
                written[slots.range()].fill(true);
                writer[slots.range()].fill(None);
            }
        }
        first = end;
    }
    if first != plan.ops.len() {
        return Err(Flaw::Index(first));
    }
    for (i, slots) in leaving(plan).enumerate() {
        if written.get(slots.range()).is_none_or(|held| held.contains(&false)) {
            return Err(Flaw::ReadBeforeWrite(plan.ops.len() + i));
        }
    }
    Ok(())
}

/// What is read when all ops are done.
pub(crate) fn leaving(plan: &Plan) -> impl Iterator<Item = Slots> {
    let leaving = plan.outputs.iter().map(|output| output.slots).chain(plan.captures.iter().map(|c| c.slots));
    let leaving = leaving.chain(plan.meters.iter().map(|meter| meter.slots));
    let ahead = plan.cue.iter().flat_map(|cue| &cue.heard);
    leaving.chain(plan.heard.iter().chain(ahead).map(|heard| heard.slots))
}

/// What an op reads, of buffers that others write.
pub(crate) fn reads(plan: &Plan, op: &Op) -> Option<Vec<Slots>> {
    Some(match *op {
        Op::LoopRead { .. } => Vec::new(),
        Op::Mix { first, last, out, adds } => {
            plan.edges.get(first..last)?.iter().map(|edge| edge.from).chain(adds.then_some(out)).collect()
        }
        Op::Work { cell, input, key, .. } => {
            let controls = plan.works.get(cell).map_or(&[][..], |work| &work.controls);
            controls.iter().filter_map(|control| control.heard).chain([input, key]).collect()
        }
        Op::Blend { cell, dry, out } => {
            let controls = plan.blends.get(cell).map_or(&[][..], |blend| &blend.controls);
            controls.iter().filter_map(|control| control.heard).chain([dry, out]).collect()
        }
        Op::LoopWrite { from, .. } => vec![from],
    })
}

/// What an op writes.
pub(crate) fn writes(plan: &Plan, op: &Op) -> Vec<Slots> {
    match *op {
        Op::LoopRead { out, .. } | Op::Work { out, .. } | Op::Blend { out, .. } => vec![out],
        Op::Mix { first, last, out, .. } => {
            let edges = plan.edges.get(first..last).unwrap_or_default();
            edges.iter().filter_map(|edge| edge.capture).chain([out]).collect()
        }
        Op::LoopWrite { .. } => Vec::new(),
    }
}

fn sizes(plan: &Plan, bank: &Bank) -> Result<(), Flaw> {
    let counts = [
        (plan.works.len(), bank.works.len()),
        (plan.paths.len(), bank.works.len()),
        (plan.gains.len(), bank.edges.len()),
        (plan.blends.len(), bank.blends.len()),
        (plan.loops.len(), bank.loops.len()),
        (plan.motions.len(), bank.motions.len()),
        (plan.motions.len(), bank.heard.len()),
        (plan.followed, bank.followed.len()),
        (plan.slots, bank.slots.len()),
    ];
    if counts.iter().any(|(plan, bank)| plan != bank) {
        return Err(Flaw::Index(0));
    }
    let controls = plan.works.iter().flat_map(|work| &work.controls);
    let controls = controls.chain(plan.blends.iter().flat_map(|blend| &blend.controls));
    for control in controls.chain(plan.gains.iter().flat_map(|gain| &gain.controls)) {
        let mut motions = control.motion.into_iter().chain(control.before);
        let unknown = motions.any(|n| n >= plan.motions.len());
        if unknown || control.followed.is_some_and(|n| n >= plan.followed) {
            return Err(Flaw::Index(0));
        }
    }
    let mut used = Claims::new(bank);
    let channels = |cell: usize| plan.loops.get(cell).map(|one| one.channels);
    for (i, op) in plan.ops.iter().enumerate() {
        let fits = match *op {
            Op::LoopRead { cell, out } => used.read(cell) && channels(cell) == Some(out.count),
            Op::LoopWrite { cell, from } => used.written(cell) && channels(cell) == Some(from.count),
            Op::Blend { cell, dry, out } => used.blend(cell) && (dry.count == 1 || dry.count == out.count),
            Op::Work { cell, input, out, .. } => {
                let work = plan.works.get(cell).ok_or(Flaw::Index(i))?;
                let goals = plan.goals.get(work.goals.clone()).is_some();
                let (ins, outs) = work.channels;
                let score = work.score.is_none_or(|score| used.score(score));
                used.work(cell) && score && goals && input.count == ins && out.count == ins.max(outs)
            }
            Op::Mix { first, last, out, .. } => {
                let edges = plan.edges.get(first..last).ok_or(Flaw::Index(i))?;
                edges.iter().all(|edge| {
                    let cell = edge.cell.is_none_or(|cell| {
                        used.edge(cell) && plan.gains.get(cell).is_some_and(|gain| gain.channels == edge.from.count)
                    });
                    let capture = edge.capture.is_none_or(|slots| slots.count == out.count);
                    cell && capture && (edge.from.count == 1 || edge.from.count == out.count)
                })
            }
        };
        if !fits {
            return Err(Flaw::Channels(i));
        }
    }
    Ok(())
}

fn ranks(plan: &Plan, used: &[Used]) -> Result<(), Flaw> {
    let mut behind = 0;
    for (i, rank) in plan.ranks.iter().enumerate() {
        let stage = plan.stages.iter().find(|end| **end > rank.ops.start);
        let is_in_order = rank.ops.start >= behind && stage.is_some_and(|end| rank.ops.end <= *end);
        let works = plan.ops.get(rank.ops.clone()).ok_or(Flaw::Rank(i))?;
        let is_effect = |op: &Op| {
            let Op::Work { cell, .. } = op else { return false };
            plan.works.get(*cell).is_some_and(|work| work.channels.0 > 0 && work.score.is_none() && !work.on_transport)
        };
        let has_room = works.len() * rank.shape.lanes() <= LANES && rank.shape.fits();
        if !is_in_order || !has_room || !works.iter().all(is_effect) || !hands_on(plan, used, i, rank) {
            return Err(Flaw::Rank(i));
        }
        behind = rank.ops.end;
    }
    Ok(())
}

/// The buffers that an op reads and writes.
struct Used {
    reads: Vec<Slots>,
    writes: Vec<Slots>,
}

/// Whether a rank that leaves its sound in the lanes leaves it for the next one alone: nobody else reads the buffers that it is
/// not in, until others have written them.
fn hands_on(plan: &Plan, used: &[Used], at: usize, rank: &Rank) -> bool {
    let before = rank.from.map(|before| plan.ranks.get(before).and_then(|rank| rank.into));
    if before.is_some_and(|into| into != Some(at)) {
        return false;
    }
    let mut others = plan.ranks.iter().take(at);
    if others.rposition(|other| other.sound == rank.sound) != rank.from {
        return false;
    }
    let Some(into) = rank.into else { return true };
    let Some(next) = plan.ranks.get(into).filter(|next| into > at && next.from == Some(at)) else { return false };
    let (Some(made), Some(heard)) = (plan.ops.get(rank.ops.clone()), plan.ops.get(next.ops.clone())) else {
        return false;
    };
    let pairs = || made.iter().zip(heard);
    let is_pair = |(made, heard): (&Op, &Op)| match (made, heard) {
        (Op::Work { out, .. }, Op::Work { input, .. }) => out == input,
        _ => false,
    };
    if made.len() != heard.len() || rank.shape.lanes() != next.shape.lanes() || !pairs().all(is_pair) {
        return false;
    }
    let mut left = vec![false; plan.slots];
    let outs = made.iter().flat_map(|op| writes(plan, op));
    outs.for_each(|slots| left.get_mut(slots.range()).unwrap_or_default().fill(true));
    let is_left = |left: &[bool], slots: Slots| left.get(slots.range()).is_none_or(|left| left.contains(&true));
    for (index, used) in used.iter().enumerate().skip(rank.ops.end) {
        // Each op of the next rank reads its own input, and nobody reads anything else.
        let read = used.reads.iter().filter(|slots| is_left(&left, **slots)).count();
        let is_too_early = index < next.ops.start && used.writes.iter().any(|slots| is_left(&left, *slots));
        if read != usize::from(next.ops.contains(&index)) || is_too_early {
            return false;
        }
        used.writes.iter().for_each(|slots| left.get_mut(slots.range()).unwrap_or_default().fill(false));
    }
    !leaving(plan).any(|slots| is_left(&left, slots))
}

/// Which cells ops have claimed: each may be claimed once.
struct Claims {
    works: Vec<bool>,
    scores: Vec<bool>,
    edges: Vec<bool>,
    blends: Vec<bool>,
    reads: Vec<bool>,
    writes: Vec<bool>,
}

impl Claims {
    fn new(bank: &Bank) -> Self {
        Claims {
            works: vec![false; bank.works.len()],
            scores: vec![false; bank.scores.len()],
            edges: vec![false; bank.edges.len()],
            blends: vec![false; bank.blends.len()],
            reads: vec![false; bank.loops.len()],
            writes: vec![false; bank.loops.len()],
        }
    }

    fn claim(list: &mut [bool], cell: usize) -> bool {
        list.get_mut(cell).is_some_and(|used| !std::mem::replace(used, true))
    }

    fn work(&mut self, cell: usize) -> bool {
        Self::claim(&mut self.works, cell)
    }

    fn score(&mut self, cell: usize) -> bool {
        Self::claim(&mut self.scores, cell)
    }

    fn edge(&mut self, cell: usize) -> bool {
        Self::claim(&mut self.edges, cell)
    }

    fn blend(&mut self, cell: usize) -> bool {
        Self::claim(&mut self.blends, cell)
    }

    fn read(&mut self, cell: usize) -> bool {
        Self::claim(&mut self.reads, cell)
    }

    fn written(&mut self, cell: usize) -> bool {
        Self::claim(&mut self.writes, cell)
    }
}

fn cells(bank: &Bank, carry: &Carry) -> Result<(), Flaw> {
    each_once(&carry.works, |cell| bank.works.get(cell).map(Option::is_none), &bank.works)?;
    each_once(&carry.edges, |cell| bank.edges.get(cell).map(Option::is_none), &bank.edges)?;
    each_once(&carry.loops, |cell| bank.loops.get(cell).map(Option::is_none), &bank.loops)?;
    each_once(&carry.blends, |cell| bank.blends.get(cell).map(Option::is_none), &bank.blends)?;
    each_once(&carry.scores, |cell| bank.scores.get(cell).map(Option::is_none), &bank.scores)?;
    let succeeds = |&(_, to): &(usize, usize)| bank.scores.get(to).is_some_and(Option::is_some);
    if let Some((_, to)) = carry.succeeded.iter().find(|pair| !succeeds(pair)) {
        return Err(Flaw::Cell(*to));
    }
    Ok(())
}

/// Every empty cell is carried into, from a cell of its own; every built one is not.
fn each_once<T>(pairs: &[(usize, usize)], is_empty: impl Fn(usize) -> Option<bool>, all: &[T]) -> Result<(), Flaw> {
    let mut from: Vec<usize> = pairs.iter().map(|(from, _)| *from).collect();
    from.sort_unstable();
    if let Some(twice) = from.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Flaw::Cell(twice[0]));
    }
    let mut carried = vec![false; all.len()];
    for &(_, to) in pairs {
        let cell = carried.get_mut(to).ok_or(Flaw::Cell(to))?;
        if std::mem::replace(cell, true) {
            return Err(Flaw::Cell(to));
        }
    }
    match (0..all.len()).find(|cell| is_empty(*cell) != Some(carried[*cell])) {
        Some(cell) => Err(Flaw::Cell(cell)),
        None => Ok(()),
    }
}
