//! Markov chains: what might have come next in a pattern that was heard.

use std::collections::BTreeMap;

use super::{Event, MOST_BARS, Pattern, PatternError, count, drawn, of_events, wrong};
use crate::pattern::event::{Span, Value};
use crate::pattern::ratio::Ratio;

/// The most moments of a pattern that is learnt from.
const MOST_MOMENTS: usize = 4096;

/// The most values that are made.
const MOST_MADE: usize = 1 << 14;

/// What is heard at one moment: the values that begin, with how long each lasts, and the time to the next.
#[derive(Clone, PartialEq)]
struct Moment {
    values: Vec<(Value, Ratio)>,
    gap: Ratio,
}

/// Bars in the manner of a pattern: each moment follows the `order` moments before it as it does somewhere in the first
/// `cycles` cycles of the pattern, drawn among those places. Rhythm and values are learnt together. What is learnt from
/// is taken to go round, so that each moment has one that follows.
///
/// # Errors
/// The pattern has nothing in these cycles, or cannot be worked out; a number is out of range; more than 16384 values
/// would be made.
pub fn markov(training: &Pattern, cycles: i64, order: i64, bars: i64, seed: u64) -> Result<Pattern, PatternError> {
    let (order, _) = (count("orders", order, 1, 16)?, count("bars", bars, 1, MOST_BARS)?);
    count("cycles to learn from", cycles, 1, MOST_BARS)?;
    let too_fine = |_| wrong("its times are too fine");
    let mut events = Vec::new();
    let mut heard = 0;
    for onsets in training.first_onsets(seed, cycles) {
        let onsets = onsets?;
        heard += onsets.chunk_by(|a, b| a.whole.begin == b.whole.begin).count();
        if heard > MOST_MOMENTS {
            return Err(wrong(format!("there is too much to learn from: more than {MOST_MOMENTS} moments")));
        }
        events.extend(onsets);
    }
    let groups: Vec<&[Event]> = events.chunk_by(|a, b| a.whole.begin == b.whole.begin).collect();
    let Some(first) = groups.first().map(|group| group[0].whole.begin) else {
        return Err(wrong("there is nothing to learn from in these cycles"));
    };
    let mut moments: Vec<Moment> = Vec::with_capacity(groups.len());
    for (i, group) in groups.iter().enumerate() {
        let begin = group[0].whole.begin;
        let next = match groups.get(i + 1) {
            Some(next) => next[0].whole.begin,
            None => first.plus(Ratio::whole(cycles)).map_err(too_fine)?,
        };
        let length = |event: &Event| event.whole.end.minus(begin).map(|length| (event.value.clone(), length));
        let values = group.iter().map(length).collect::<Result<_, _>>().map_err(too_fine)?;
        moments.push(Moment { values, gap: next.minus(begin).map_err(too_fine)? });
    }
    let count = moments.len();
    // Equal moments have equal numbers.
    let kinds: Vec<usize> =
        moments.iter().map(|moment| moments.iter().position(|other| other == moment).unwrap_or(0)).collect();
    // What comes before each place, and the places that it comes before.
    let before =
        |place: usize| -> Vec<usize> { (0..order).map(|i| kinds[(place + order * (count - 1) + i) % count]).collect() };
    let mut places: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
    for place in 0..count {
        places.entry(before(place)).or_default().push(place);
    }
    let mut past = before(0);
    let (mut now, mut made, mut counter) = (first, Vec::new(), 0);
    while now < Ratio::whole(bars) {
        let follow = places.get(&past).map_or(&[][..], Vec::as_slice);
        let place = follow.get(drawn(seed, counter, follow.len())).copied().unwrap_or(0);
        let moment = &moments[place];
        for (value, length) in &moment.values {
            let whole = Span::new(now, now.plus(*length).map_err(too_fine)?);
            made.push(Event { whole, part: whole, value: value.clone(), at: Default::default() });
        }
        if made.len() > MOST_MADE {
            let message = format!("there is too much to make: more than {MOST_MADE} values in {bars} bars");
            return Err(wrong(message));
        }
        now = now.plus(moment.gap).map_err(too_fine)?;
        past.rotate_left(1);
        past[order - 1] = kinds[place];
        counter += 1;
    }
    of_events(&made, bars)
}
