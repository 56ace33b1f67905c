//! A pattern as plain data: a tree of what is written, and lists of what is done to it.

use serde::Serialize;

use super::event::{Place, Value};
use super::ratio::{Ratio, TooFine};
use super::scales::Scale;

/// A part of a pattern. It has cycles of its own, which whatever it stands in speeds up, slows down and moves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) enum Node {
    Silence,
    /// What a function is given while it is recorded; silent.
    Given,
    /// One value a cycle.
    Atom(Value, Place),
    /// Parts that share each cycle.
    Sequence(Vec<Step>),
    /// Parts at once.
    Stack(Vec<Node>),
    /// One of these for each cycle, drawn.
    Choose(Vec<Node>, Salt),
    /// Something changed, the first change first.
    Changed(Box<Node>, Vec<Change>),
}

/// Tells one place where chance is asked for from the others.
pub(super) type Salt = u64;

/// A part of a sequence, and the part of the cycle that it has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Step {
    pub begin: Ratio,
    pub end: Ratio,
    /// Which of the copies that `!` makes, so that each has its own chances.
    pub copy: u32,
    pub node: Node,
}

/// Something done to a pattern.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) enum Change {
    /// So many cycles in one; 0 is silence.
    Fast(Ratio),
    /// The same by a pattern of numbers; slower instead if `slow`.
    FastBy { by: Box<Node>, slow: bool },
    /// The pattern once in each beat of a Euclidean rhythm.
    Euclid(Box<Euclid>),
    /// Later by so many cycles.
    Shift(Ratio),
    /// Each cycle backwards.
    Rev,
    /// Further changes in each cycle that has the remainder `at` when divided by `of`.
    Every { of: i64, at: i64, with: Vec<Change> },
    /// So many cycles as they are, then the same cycles again with changes.
    Respond { cycles: i64, with: Vec<Change> },
    /// Each cycle `n` times, beginning 0, 1/n, 2/n, ... of a cycle further on, or further back.
    Iter { n: i64, back: bool },
    /// Each value so many times in its time.
    Ply(Box<Node>),
    /// The notes of each chord one after the other in its time.
    Arp(Order),
    /// What begins in the second half of each `n`th of a cycle so much later.
    Swing { by: Ratio, n: i64 },
    /// The pattern, and a changed one with it.
    Also(Vec<Change>),
    /// Values left out by chance; those are all that stay if `keep`.
    Degrade { chance: f64, salt: Salt, keep: bool },
    /// Changes for some of the values, by chance.
    Sometimes { chance: f64, salt: Salt, with: Vec<Change> },
    /// The values at the times of a rhythm.
    Struct(Box<Node>),
    /// The values while a rhythm holds.
    Mask(Box<Node>),
    /// Numbers added.
    Add(Box<Node>),
    /// The number of the sample of each word.
    Sample(Box<Node>),
    /// Degrees of a scale made notes.
    Scale(Scale),
    /// A chord on each note, in semitones above it.
    Chord(Vec<i8>),
    /// Other chances than before.
    Seed(u64),
    /// Another pattern in its place.
    Instead(Box<Node>),
    /// Another pattern with it.
    With(Box<Node>),
}

/// In which order the notes of a chord are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Order {
    /// From the lowest to the highest.
    Up,
    /// From the highest to the lowest.
    Down,
    /// Up, and down again; the highest and the lowest once.
    UpDown,
    /// Down, and up again; the lowest and the highest once.
    DownUp,
}

/// The arguments of a Euclidean rhythm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Euclid {
    pub beats: Node,
    pub steps: Node,
    pub rotation: Node,
}

impl Node {
    /// One number, the same in each cycle.
    pub fn number(number: f64) -> Node {
        Node::Atom(Value::Number(number), Place::default())
    }

    /// Parts that share a cycle by their weights.
    pub fn sequence(parts: Vec<(Node, Ratio, u32)>) -> Result<Node, TooFine> {
        if parts.is_empty() {
            return Ok(Node::Silence);
        }
        let whole = parts.iter().try_fold(Ratio::ZERO, |sum, (_, weight, _)| sum.plus(*weight))?;
        if parts.len() == 1 {
            return Ok(parts.into_iter().map(|(node, ..)| node).next().unwrap_or(Node::Silence));
        }
        let mut steps = Vec::with_capacity(parts.len());
        let mut sum = Ratio::ZERO;
        for (node, weight, copy) in parts {
            let begin = sum.divided(whole)?;
            sum = sum.plus(weight)?;
            steps.push(Step { begin, end: sum.divided(whole)?, copy, node });
        }
        Ok(Node::Sequence(steps))
    }

    /// Parts that share a cycle evenly.
    pub fn even(parts: Vec<Node>) -> Result<Node, TooFine> {
        Node::sequence(parts.into_iter().map(|node| (node, Ratio::ONE, 0)).collect())
    }

    /// Parts at once.
    pub fn stack(mut parts: Vec<Node>) -> Node {
        match parts.pop() {
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Node::Stack(parts)
            }
            None => Node::Silence,
        }
    }

    /// The same with one more change.
    pub fn changed(self, change: Change) -> Node {
        match (self, change) {
            (node, Change::Fast(Ratio::ONE)) => node,
            (Node::Changed(node, mut changes), change) => {
                changes.push(change);
                Node::Changed(node, changes)
            }
            (node, change) => Node::Changed(Box::new(node), vec![change]),
        }
    }

    /// Whether it has in it what a function is given.
    pub fn has_given(&self) -> bool {
        match self {
            Node::Given => true,
            Node::Silence | Node::Atom(..) => false,
            Node::Sequence(steps) => steps.iter().any(|step| step.node.has_given()),
            Node::Stack(parts) | Node::Choose(parts, _) => parts.iter().any(Node::has_given),
            Node::Changed(node, changes) => {
                node.has_given() || changes.iter().flat_map(Change::arguments).any(Node::has_given)
            }
        }
    }

    /// Calls something with each value that is written, arguments left out.
    pub fn atoms<'a>(&'a self, each: &mut dyn FnMut(&'a Value, Place)) {
        match self {
            Node::Silence | Node::Given => {}
            Node::Atom(value, place) => each(value, *place),
            Node::Sequence(steps) => steps.iter().for_each(|step| step.node.atoms(each)),
            Node::Stack(parts) | Node::Choose(parts, _) => parts.iter().for_each(|part| part.atoms(each)),
            Node::Changed(node, changes) => {
                node.atoms(each);
                changes.iter().for_each(|change| change.atoms(each));
            }
        }
    }

    /// Forgets where everything is written.
    pub fn forget_places(&mut self) {
        match self {
            Node::Silence | Node::Given => {}
            Node::Atom(_, place) => *place = Place::default(),
            Node::Sequence(steps) => steps.iter_mut().for_each(|step| step.node.forget_places()),
            Node::Stack(parts) | Node::Choose(parts, _) => parts.iter_mut().for_each(Node::forget_places),
            Node::Changed(node, changes) => {
                node.forget_places();
                changes.iter_mut().for_each(Change::forget_places);
            }
        }
    }

    /// How deep it is: what it takes to work it out is within each other so often.
    pub fn depth(&self) -> usize {
        let deepest = |parts: &[Node]| parts.iter().map(Node::depth).max().unwrap_or(0);
        match self {
            Node::Silence | Node::Given | Node::Atom(..) => 1,
            Node::Sequence(steps) => 1 + steps.iter().map(|step| step.node.depth()).max().unwrap_or(0),
            Node::Stack(parts) | Node::Choose(parts, _) => 1 + deepest(parts),
            Node::Changed(node, changes) => node.depth() + depth(changes),
        }
    }

    /// How much it is: the parts and changes in it.
    pub fn size(&self) -> usize {
        match self {
            Node::Silence | Node::Given | Node::Atom(..) => 1,
            Node::Sequence(steps) => 1 + steps.iter().map(|step| step.node.size()).sum::<usize>(),
            Node::Stack(parts) | Node::Choose(parts, _) => 1 + parts.iter().map(Node::size).sum::<usize>(),
            Node::Changed(node, changes) => node.size() + size(changes),
        }
    }

    /// About how many values a cycle has, on average.
    pub fn density(&self) -> f64 {
        match self {
            Node::Silence | Node::Given => 0.0,
            Node::Atom(..) => 1.0,
            Node::Sequence(steps) => steps.iter().map(|step| step.node.density()).sum(),
            Node::Stack(parts) => parts.iter().map(Node::density).sum(),
            Node::Choose(parts, _) => parts.iter().map(Node::density).fold(0.0, f64::max),
            Node::Changed(node, changes) => density(node.density(), changes),
        }
    }

    /// The largest number written in it; 0 if there is none.
    fn largest(&self) -> f64 {
        let mut largest: f64 = 0.0;
        self.atoms(&mut |value, _| {
            if let Value::Number(number) = value {
                largest = largest.max(number.abs());
            }
        });
        largest
    }
}

impl Change {
    /// Forgets where everything in it is written.
    fn forget_places(&mut self) {
        match self {
            Change::FastBy { by: node, .. }
            | Change::Ply(node)
            | Change::Struct(node)
            | Change::Mask(node)
            | Change::Add(node)
            | Change::Sample(node)
            | Change::Instead(node)
            | Change::With(node) => node.forget_places(),
            Change::Euclid(euclid) => {
                let Euclid { beats, steps, rotation } = &mut **euclid;
                [beats, steps, rotation].into_iter().for_each(Node::forget_places);
            }
            Change::Every { with, .. } | Change::Respond { with, .. } | Change::Also(with) => {
                with.iter_mut().for_each(Change::forget_places);
            }
            Change::Sometimes { with, .. } => with.iter_mut().for_each(Change::forget_places),
            Change::Fast(_) | Change::Shift(_) | Change::Rev | Change::Iter { .. } | Change::Arp(_) => {}
            Change::Swing { .. } | Change::Degrade { .. } | Change::Scale(_) | Change::Chord(_) | Change::Seed(_) => {}
        }
    }
}

/// How deep changes are, after each other.
fn depth(changes: &[Change]) -> usize {
    changes.iter().map(|change| 1 + change.arguments().map(Node::depth).max().unwrap_or(0) + depth(change.with())).sum()
}

/// How much changes are.
fn size(changes: &[Change]) -> usize {
    changes.iter().map(|change| 1 + change.arguments().map(Node::size).sum::<usize>() + size(change.with())).sum()
}

/// About how many values a cycle has after changes.
fn density(before: f64, changes: &[Change]) -> f64 {
    changes.iter().fold(before, |now, change| match change {
        Change::Fast(by) => now * by.number(),
        Change::FastBy { by, slow: false } => now * by.largest(),
        Change::Euclid(euclid) => now * euclid.beats.largest(),
        Change::Ply(times) => now * times.largest(),
        Change::Chord(tones) => now * tones.len() as f64,
        Change::Also(with) => now + density(now, with),
        Change::Every { with, .. } | Change::Respond { with, .. } | Change::Sometimes { with, .. } => {
            now.max(density(now, with))
        }
        Change::Struct(node) | Change::Instead(node) => node.density(),
        Change::With(node) => now + node.density(),
        Change::Mask(node) | Change::Add(node) | Change::Sample(node) => now.max(node.density()),
        _ => now,
    })
}

impl Change {
    /// Calls something with each value that is written in what it plays beside, or instead of, what it changes.
    fn atoms<'a>(&'a self, each: &mut dyn FnMut(&'a Value, Place)) {
        if let Change::Instead(node) | Change::With(node) = self {
            node.atoms(each);
        }
        self.with().iter().for_each(|change| change.atoms(each));
    }

    /// The changes within it.
    pub fn with(&self) -> &[Change] {
        match self {
            Change::Every { with, .. }
            | Change::Respond { with, .. }
            | Change::Sometimes { with, .. }
            | Change::Also(with) => with,
            _ => &[],
        }
    }

    /// The patterns that it takes.
    fn arguments(&self) -> impl Iterator<Item = &Node> {
        let three = match self {
            Change::FastBy { by: node, .. }
            | Change::Ply(node)
            | Change::Struct(node)
            | Change::Mask(node)
            | Change::Add(node)
            | Change::Sample(node)
            | Change::Instead(node)
            | Change::With(node) => [Some(&**node), None, None],
            Change::Euclid(euclid) => [Some(&euclid.beats), Some(&euclid.steps), Some(&euclid.rotation)],
            _ => [None, None, None],
        };
        three.into_iter().flatten()
    }

    /// Whether chance is in it.
    pub fn is_drawn(&self) -> bool {
        matches!(self, Change::Degrade { .. } | Change::Sometimes { .. }) || self.with().iter().any(Change::is_drawn)
    }

    /// The same with chances of its own.
    pub fn salted(mut self, by: Salt) -> Change {
        match &mut self {
            Change::Degrade { salt, .. } | Change::Sometimes { salt, .. } => *salt = crate::random::mix(*salt ^ by),
            _ => {}
        }
        match &mut self {
            Change::Every { with, .. }
            | Change::Respond { with, .. }
            | Change::Sometimes { with, .. }
            | Change::Also(with) => *with = std::mem::take(with).into_iter().map(|change| change.salted(by)).collect(),
            _ => {}
        }
        self
    }
}
