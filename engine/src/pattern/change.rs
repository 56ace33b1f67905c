//! What changes make of what they are done to.

use super::MOST_TIMES;
use super::euclid::{self, FARTHEST, MOST_STEPS};
use super::event::{Event, Place, Span, Value};
use super::node::{Change, Euclid, Node, Order};
use super::query::{Found, Refusal, argued, cycles, draw, squeezed, whole};
use super::ratio::Ratio;

/// Something that can be asked for what it has: a part of a pattern, or such a thing changed.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Node(&'a Node),
    Changed(&'a Source<'a>, &'a [Change]),
}

impl Source<'_> {
    /// Finds what it has in a span.
    pub fn query(&self, seed: u64, span: Span, found: &mut Found) -> Result<(), Refusal> {
        match *self {
            Source::Node(node) => node.query(seed, span, found),
            Source::Changed(source, changes) => match changes.split_last() {
                None => source.query(seed, span, found),
                Some((last, before)) => {
                    found.work()?;
                    last.query(&Source::Changed(source, before), seed, span, found)
                }
            },
        }
    }

    fn moved(&self, by: Ratio, seed: u64, span: Span, found: &mut Found) -> Result<(), Refusal> {
        let since = found.events.len();
        self.query(seed, span.later(by.negated())?, found)?;
        found.lead(since, |time| time.plus(by))
    }

    fn sped(&self, by: Ratio, seed: u64, span: Span, found: &mut Found) -> Result<(), Refusal> {
        let since = found.events.len();
        let slower = by.turned()?;
        self.query(seed, span.mapped(|time| time.times(by))?, found)?;
        found.lead(since, |time| time.times(slower))
    }

    /// What it has, each value combined with those that an argument has at its time. Times are the source's.
    fn joined(
        &self,
        argument: &Node,
        seed: u64,
        span: Span,
        found: &mut Found,
        combine: impl Fn(&Event, &Value, Place) -> Result<Option<Value>, Refusal>,
    ) -> Result<(), Refusal> {
        let since = found.events.len();
        self.query(seed, span, found)?;
        if let Node::Atom(value, at) = argument {
            return found.revise(since, |event| {
                let combined = combine(event, value, *at)?;
                Ok(combined.map(|value| event.value = value).is_some())
            });
        }
        for event in found.taken(since) {
            let since = found.events.len();
            argument.query(argued(seed), event.whole, found)?;
            found.revise(since, |other| {
                let Some(part) = event.part.within(other.part) else { return Ok(false) };
                let Some(value) = combine(&event, &other.value, other.at)? else { return Ok(false) };
                *other = Event { whole: event.whole, part, value, at: event.at };
                Ok(true)
            })?;
        }
        Ok(())
    }
}

impl Change {
    fn query(&self, source: &Source<'_>, seed: u64, span: Span, found: &mut Found) -> Result<(), Refusal> {
        let since = found.events.len();
        match self {
            Change::Fast(Ratio::ZERO) => Ok(()),
            Change::Fast(by) => source.sped(*by, seed, span, found),
            Change::FastBy { by, slow } => by.numbers(seed, span, found, &mut |number, at, span, found| {
                let by = Ratio::simplest(number)?;
                match (by.cmp(&Ratio::ZERO), slow) {
                    (std::cmp::Ordering::Greater, true) => source.sped(by.turned()?, seed, span, found),
                    (std::cmp::Ordering::Greater, false) => source.sped(by, seed, span, found),
                    (std::cmp::Ordering::Equal, false) => Ok(()),
                    (_, true) => Err(Refusal::Wants("a number above 0", at)),
                    (_, false) => Err(Refusal::Wants("a number that is not negative", at)),
                }
            }),
            Change::Euclid(euclid) => euclid.query(source, seed, span, found),
            Change::Shift(by) => source.moved(*by, seed, span, found),
            Change::Rev => reversed(source, seed, span, found),
            Change::Every { of, at, with } => cycles(span).try_for_each(|(cycle, part)| {
                if cycle.rem_euclid(*of) == *at {
                    Source::Changed(source, with).query(seed, part, found)
                } else {
                    source.query(seed, part, found)
                }
            }),
            Change::Respond { cycles: count, with } => cycles(span).try_for_each(|(cycle, part)| {
                let (phrase, answers) = (cycle.div_euclid(*count), cycle.div_euclid(*count).rem_euclid(2) == 1);
                // A phrase and its answer are two of the player's, and one of the source's after the one before.
                let by = Ratio::whole((phrase - phrase.div_euclid(2)).checked_mul(*count).ok_or(Refusal::TooFine)?);
                let with = if answers { with.as_slice() } else { &[] };
                Source::Changed(source, with).moved(by, seed, part, found)
            }),
            Change::Iter { n, back } => cycles(span).try_for_each(|(cycle, part)| {
                // One cycle of the source goes through all its beginnings before the next one does.
                let held = Ratio::whole(cycle - cycle.div_euclid(*n));
                let on = Ratio::new(cycle.rem_euclid(*n), *n)?;
                source.moved(held.plus(if *back { on } else { on.negated() })?, seed, part, found)
            }),
            Change::Ply(times) => times.numbers(seed, span, found, &mut |times, at, span, found| {
                let (times, since) = (whole(times, 1, MOST_TIMES, at)?, found.events.len());
                source.query(seed, span, found)?;
                found.taken(since).iter().try_for_each(|event| plied(event, times, found))
            }),
            Change::Arp(order) => {
                source.query(seed, span, found)?;
                let mut events = found.taken(since);
                let note = |event: &Event| event.value.note().unwrap_or(0.0);
                events.sort_by(|a, b| {
                    (a.whole.begin, a.whole.end).cmp(&(b.whole.begin, b.whole.end)).then(note(a).total_cmp(&note(b)))
                });
                events.chunk_by(|a, b| a.whole == b.whole).try_for_each(|chord| order.played(chord, found))
            }
            Change::Swing { by, n } => {
                let late = |event: &Event| -> Result<bool, Refusal> {
                    let place = event.whole.begin.times(Ratio::whole(*n))?;
                    Ok(place.minus(Ratio::whole(place.floor()))? >= Ratio::new(1, 2)?)
                };
                source.query(seed, span, found)?;
                found.revise(since, |event| Ok(!late(event)?))?;
                let since = found.events.len();
                source.query(seed, span.later(by.negated())?, found)?;
                found.revise(since, |event| late(event))?;
                found.lead(since, |time| time.plus(*by))
            }
            Change::Also(with) => {
                source.query(seed, span, found)?;
                Source::Changed(source, with).query(seed, span, found)
            }
            Change::Degrade { chance, salt, keep } => {
                source.query(seed, span, found)?;
                found.revise(since, |event| Ok((draw(seed, *salt, event.whole.begin) < *chance) == *keep))
            }
            Change::Sometimes { chance, salt, with } => {
                let drawn = |keep| [Change::Degrade { chance: *chance, salt: *salt, keep }];
                Source::Changed(source, &drawn(false)).query(seed, span, found)?;
                Source::Changed(&Source::Changed(source, &drawn(true)), with).query(seed, span, found)
            }
            Change::Struct(rhythm) => {
                rhythm.query(argued(seed), span, found)?;
                for beat in found.taken(since).into_iter().filter(|beat| beat.value.holds()) {
                    let since = found.events.len();
                    source.query(seed, beat.whole, found)?;
                    found.revise(since, |event| {
                        let Some(part) = event.part.within(beat.part) else { return Ok(false) };
                        (event.whole, event.part) = (beat.whole, part);
                        Ok(true)
                    })?;
                }
                Ok(())
            }
            Change::Mask(rhythm) => source.joined(rhythm, seed, span, found, |event, value, _| {
                Ok(Some(&event.value).filter(|_| value.holds()).cloned())
            }),
            Change::Add(by) => source.joined(by, seed, span, found, |event, value, at| {
                let note = event.value.note().ok_or(Refusal::Wants("a number or the name of a note", event.at))?;
                let by = value.note().ok_or(Refusal::Wants("a number", at))?;
                Ok(Some(Value::Number(note + by)))
            }),
            Change::Sample(by) => source.joined(by, seed, span, found, |event, value, at| {
                let Value::Word { name, .. } = &event.value else {
                    return Err(Refusal::Wants("a word, whose sample `:` chooses,", event.at));
                };
                match value {
                    Value::Number(n) if n.fract() == 0.0 && (0.0..=65_535.0).contains(n) => {
                        Ok(Some(Value::Word { name: name.clone(), sample: Some(*n as u32) }))
                    }
                    _ => Err(Refusal::Wants("the number of a sample, from 0", at)),
                }
            }),
            Change::Scale(scale) => {
                source.query(seed, span, found)?;
                found.revise(since, |event| match event.value {
                    Value::Number(degree) => {
                        event.value = Value::Number(scale.note(degree));
                        Ok(true)
                    }
                    Value::Word { .. } => Err(Refusal::Wants("a number, the degree of a scale,", event.at)),
                })
            }
            Change::Chord(tones) => {
                source.query(seed, span, found)?;
                for event in found.taken(since) {
                    let root = event.value.note();
                    let root = root.ok_or(Refusal::Wants("a number or the name of a note", event.at))?;
                    for tone in tones {
                        found.push(Event { value: Value::Number(root + f64::from(*tone)), ..event })?;
                    }
                }
                Ok(())
            }
            Change::Instead(node) => node.query(seed, span, found),
            Change::With(node) => {
                source.query(seed, span, found)?;
                node.query(seed, span, found)
            }
            Change::Seed(own) => source.query(crate::random::mix(seed ^ *own), span, found),
        }
    }
}

/// Each cycle from its end to its beginning.
fn reversed(source: &Source<'_>, seed: u64, span: Span, found: &mut Found) -> Result<(), Refusal> {
    for (cycle, part) in cycles(span) {
        let since = found.events.len();
        let both = Ratio::whole(cycle).plus(Ratio::whole(cycle + 1))?;
        let turned =
            |span: Span| -> Result<Span, Refusal> { Ok(Span::new(both.minus(span.end)?, both.minus(span.begin)?)) };
        source.query(seed, turned(part)?, found)?;
        found.revise(since, |event| {
            (event.whole, event.part) = (turned(event.whole)?, turned(event.part)?);
            Ok(true)
        })?;
    }
    Ok(())
}

/// A value several times in its time.
fn plied(event: &Event, times: i64, found: &mut Found) -> Result<(), Refusal> {
    let length = event.whole.end.minus(event.whole.begin)?.divided(Ratio::whole(times))?;
    for i in 0..times {
        found.work()?;
        let begin = event.whole.begin.plus(length.times(Ratio::whole(i))?)?;
        let whole = Span::new(begin, begin.plus(length)?);
        if let Some(part) = whole.within(event.part) {
            found.push(Event { whole, part, value: event.value.clone(), at: event.at })?;
        }
    }
    Ok(())
}

impl Order {
    /// The notes of a chord, ascending, one after the other.
    fn played(self, chord: &[Event], found: &mut Found) -> Result<(), Refusal> {
        let count = chord.len();
        let (up, down) = (0..count, (0..count).rev());
        let order: Vec<usize> = match self {
            Order::Up => up.collect(),
            Order::Down => down.collect(),
            Order::UpDown => up.chain((1..count.saturating_sub(1)).rev()).collect(),
            Order::DownUp => down.chain(1..count.saturating_sub(1)).collect(),
        };
        let slots = Ratio::whole(order.len() as i64);
        for (i, note) in order.into_iter().enumerate() {
            let event = &chord[note];
            let length = event.whole.end.minus(event.whole.begin)?.divided(slots)?;
            let begin = event.whole.begin.plus(length.times(Ratio::whole(i as i64))?)?;
            let whole = Span::new(begin, begin.plus(length)?);
            if let Some(part) = whole.within(event.part) {
                found.push(Event { whole, part, value: event.value.clone(), at: event.at })?;
            }
        }
        Ok(())
    }
}

impl Euclid {
    /// The source once in each beat. Of arguments that are patterns, each lasts as long as it is written.
    fn query(&self, source: &Source<'_>, seed: u64, span: Span, found: &mut Found) -> Result<(), Refusal> {
        self.beats.numbers(seed, span, found, &mut |beats, at, span, found| {
            let beats = whole(beats, -MOST_STEPS, MOST_STEPS, at)?;
            self.steps.numbers(seed, span, found, &mut |steps, at_steps, span, found| {
                let steps = whole(steps, 1, MOST_STEPS, at_steps)?;
                self.rotation.numbers(seed, span, found, &mut |rotation, at_rotation, span, found| {
                    let rotation = whole(rotation, -FARTHEST, FARTHEST, at_rotation)?;
                    let rhythm = euclid::rhythm(beats, steps, rotation).ok_or(Refusal::Beats(beats, steps, at))?;
                    for (cycle, part) in cycles(span) {
                        found.works(rhythm.len())?;
                        let local = part.later(Ratio::whole(-cycle))?;
                        for (i, _) in rhythm.iter().enumerate().filter(|(_, beat)| **beat) {
                            let slot = Span::new(Ratio::new(i as i64, steps)?, Ratio::new(i as i64 + 1, steps)?);
                            if slot.begin < local.end && slot.end > local.begin {
                                let seed = super::query::copied(seed, i as u32 + 1);
                                squeezed(source, seed, cycle, slot, local, found)?;
                            }
                        }
                    }
                    Ok(())
                })
            })
        })
    }
}
