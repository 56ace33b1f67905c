//! What a pattern has in a stretch of time. Each part is asked for its own time and what it gives is led back.

use super::change::Source;
use super::event::{Event, Place, Span, Value};
use super::node::{Node, Salt};
use super::ratio::{Ratio, TooFine};
use super::{MOST_EVENTS, MOST_WORK};
use crate::random;

/// Why a pattern cannot be worked out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Refusal {
    /// More values than can be played.
    Events,
    /// More to be done than is allowed.
    Work,
    /// A fraction of a cycle that cannot be held.
    TooFine,
    /// More beats than steps.
    Beats(i64, i64, Place),
    /// A number that is not what its place wants.
    Wants(&'static str, Place),
    /// A number that is not a whole one from one to another.
    Whole { number: f64, least: i64, most: i64, at: Place },
}

impl From<TooFine> for Refusal {
    fn from(_: TooFine) -> Self {
        Refusal::TooFine
    }
}

/// What has been found so far.
#[derive(Default)]
pub(super) struct Found {
    pub events: Vec<Event>,
    /// How much was done.
    pub work: usize,
}

impl Found {
    /// Counts something done.
    pub fn work(&mut self) -> Result<(), Refusal> {
        self.works(1)
    }

    /// Counts so many things done.
    pub fn works(&mut self, count: usize) -> Result<(), Refusal> {
        self.work += count;
        if self.work > MOST_WORK { Err(Refusal::Work) } else { Ok(()) }
    }

    pub fn push(&mut self, event: Event) -> Result<(), Refusal> {
        if self.events.len() >= MOST_EVENTS {
            return Err(Refusal::Events);
        }
        self.events.push(event);
        self.work()
    }

    /// Takes back what was found since there were so many.
    pub fn taken(&mut self, since: usize) -> Vec<Event> {
        self.events.split_off(since)
    }

    /// Changes what was found since there were so many, and leaves out what is not wanted.
    pub fn revise(
        &mut self,
        since: usize,
        mut each: impl FnMut(&mut Event) -> Result<bool, Refusal>,
    ) -> Result<(), Refusal> {
        let mut kept = since;
        for i in since..self.events.len() {
            if each(&mut self.events[i])? {
                self.events.swap(kept, i);
                kept += 1;
            }
        }
        self.events.truncate(kept);
        Ok(())
    }

    /// Leads what was found since there were so many to other times.
    pub fn lead(&mut self, since: usize, map: impl Fn(Ratio) -> Result<Ratio, TooFine>) -> Result<(), Refusal> {
        for event in &mut self.events[since..] {
            let same = event.part == event.whole;
            event.whole = event.whole.mapped(&map)?;
            event.part = if same { event.whole } else { event.part.mapped(&map)? };
        }
        Ok(())
    }
}

/// What is done with each number of an argument: the number, where it is written, and the span that it holds for.
pub(super) type Each<'a> = dyn FnMut(f64, Place, Span, &mut Found) -> Result<(), Refusal> + 'a;

/// A number as a whole one from one to another.
pub(super) fn whole(number: f64, least: i64, most: i64, at: Place) -> Result<i64, Refusal> {
    match number.fract() == 0.0 && (least as f64..=most as f64).contains(&number) {
        true => Ok(number as i64),
        false => Err(Refusal::Whole { number, least, most, at }),
    }
}

/// The cycles that a span passes, each with the part of it.
pub(super) fn cycles(span: Span) -> impl Iterator<Item = (i64, Span)> {
    (span.begin.floor()..span.end.ceil()).map(move |cycle| {
        let own = Span::cycle(cycle);
        (cycle, Span::new(own.begin.max(span.begin), own.end.min(span.end)))
    })
}

/// A number from 0 to 1 (not 1) for a moment and a place where chance is asked for.
pub(super) fn draw(seed: u64, salt: Salt, moment: Ratio) -> f64 {
    let counter = random::mix(moment.over() as u64) ^ moment.under() as u64;
    random::even(seed ^ salt, counter) + 0.5
}

/// The chances of one of several copies.
pub(super) fn copied(seed: u64, copy: u32) -> u64 {
    if copy == 0 { seed } else { random::mix(seed ^ (u64::from(copy) << 32)) }
}

impl Node {
    /// Finds what it has in a span.
    pub fn query(&self, seed: u64, span: Span, found: &mut Found) -> Result<(), Refusal> {
        found.work()?;
        match self {
            Node::Silence | Node::Given => {}
            Node::Atom(value, at) => {
                for (cycle, part) in cycles(span) {
                    let whole = Span::cycle(cycle);
                    found.push(Event { whole, part, value: value.clone(), at: *at })?;
                }
            }
            Node::Sequence(steps) => {
                for (cycle, part) in cycles(span) {
                    found.work()?;
                    let local = part.later(Ratio::whole(-cycle))?;
                    let first = steps.partition_point(|step| step.end <= local.begin);
                    for step in steps[first..].iter().take_while(|step| step.begin < local.end) {
                        let (source, slot) = (Source::Node(&step.node), Span::new(step.begin, step.end));
                        squeezed(&source, copied(seed, step.copy), cycle, slot, local, found)?;
                    }
                }
            }
            Node::Stack(parts) => {
                for part in parts {
                    part.query(seed, span, found)?;
                }
            }
            Node::Choose(parts, salt) => {
                for (cycle, part) in cycles(span) {
                    let drawn = draw(seed, *salt, Ratio::whole(cycle)) * parts.len() as f64;
                    if let Some(node) = parts.get(drawn as usize) {
                        node.query(seed, part, found)?;
                    }
                }
            }
            Node::Changed(node, changes) => Source::Changed(&Source::Node(node), changes).query(seed, span, found)?,
        }
        Ok(())
    }

    /// Calls something with each number that a pattern of arguments has in a span, and the part of the span
    /// that it has.
    pub fn numbers(&self, seed: u64, span: Span, found: &mut Found, each: &mut Each<'_>) -> Result<(), Refusal> {
        if let Node::Atom(Value::Number(number), at) = self {
            return each(*number, *at, span, found);
        }
        let since = found.events.len();
        self.query(argued(seed), span, found)?;
        for event in found.taken(since) {
            match event.value {
                Value::Number(number) => each(number, event.at, event.part, found)?,
                Value::Word { .. } => return Err(Refusal::Wants("a number", event.at)),
            }
        }
        Ok(())
    }
}

/// The chances within an argument.
pub(super) fn argued(seed: u64) -> u64 {
    random::mix(seed ^ 0x6172_6775)
}

/// Finds what a source has in one of its cycles when that is squeezed into a slot of a cycle of its whole. `slot` and
/// the part that is asked for, `local`, count from the beginning of the cycle.
pub(super) fn squeezed(
    source: &Source<'_>,
    seed: u64,
    cycle: i64,
    slot: Span,
    local: Span,
    found: &mut Found,
) -> Result<(), Refusal> {
    let since = found.events.len();
    let length = slot.end.minus(slot.begin)?;
    let first = Ratio::whole(cycle);
    let inside = |time: Ratio| time.minus(slot.begin)?.divided(length)?.plus(first);
    let begin = if local.begin <= slot.begin { first } else { inside(local.begin)? };
    let end = if local.end >= slot.end { first.plus(Ratio::ONE)? } else { inside(local.end)? };
    source.query(seed, Span::new(begin, end), found)?;
    if found.events.len() == since {
        return Ok(());
    }
    let (last, outer) = (first.plus(Ratio::ONE)?, slot.later(first)?);
    found.lead(since, |time| {
        if time == first {
            Ok(outer.begin)
        } else if time == last {
            Ok(outer.end)
        } else {
            time.minus(first)?.times(length)?.plus(outer.begin)
        }
    })
}
