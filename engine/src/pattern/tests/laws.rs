//! Laws that hold for every pattern.

use super::super::*;
use super::{Maker, line, pattern, told};

/// Random patterns, in words and read; those that are too much are left out.
fn patterns(count: u64, drawn: bool) -> impl Iterator<Item = (String, Pattern)> {
    (0..count).filter_map(move |seed| {
        let text = Maker::new(seed, drawn).sequence(1 + seed as usize % 3);
        Pattern::parse(&text, 0).ok().map(|pattern| (text, pattern))
    })
}

fn ratio(over: i64, under: i64) -> Ratio {
    Ratio::new(over, under).unwrap()
}

fn all(pattern: &Pattern, from: Ratio, to: Ratio) -> Vec<Event> {
    let mut events = pattern.query(5, from, to).unwrap();
    events.sort_by_key(|e| (e.whole.begin, e.part.begin, e.whole.end, e.part.end, e.at.begin, e.value.to_string()));
    events
}

/// The same without where it is written.
fn placeless(mut events: Vec<Event>) -> Vec<Event> {
    events.iter_mut().for_each(|event| event.at = Place::default());
    events.sort_by_key(|e| (e.whole.begin, e.part.begin, e.whole.end, e.part.end, e.value.to_string()));
    events
}

#[test]
fn a_span_has_what_its_two_parts_have() {
    let mut count = 0;
    for (text, pattern) in patterns(300, true) {
        let (from, to) = (ratio(-1, 3), ratio(9, 4));
        // How much of which value, since a seam cuts; and what begins.
        let measured = |events: &[Event]| {
            let mut sums = std::collections::BTreeMap::new();
            for e in events {
                let key = (e.whole.begin, e.whole.end, e.value.to_string(), e.at.begin);
                let sum = sums.entry(key).or_insert((Ratio::ZERO, 0));
                let length = e.part.end.minus(e.part.begin).unwrap();
                *sum = (sum.0.plus(length).unwrap(), sum.1 + usize::from(e.begins()));
            }
            sums
        };
        let whole = measured(&all(&pattern, from, to));
        for seam in [ratio(0, 1), ratio(2, 7), ratio(5, 3)] {
            let parts = [all(&pattern, from, seam), all(&pattern, seam, to)].concat();
            assert_eq!(measured(&parts), whole, "{text} at {seam}");
        }
        count += 1;
    }
    assert!(count > 250, "{count}");
}

#[test]
fn every_part_lies_within_its_whole_and_what_was_asked_for() {
    for (text, pattern) in patterns(200, true) {
        let asked = Span::new(ratio(1, 5), ratio(7, 3));
        for event in all(&pattern, asked.begin, asked.end) {
            assert_eq!(event.part.within(event.whole), Some(event.part), "{text}");
            assert_eq!(event.part.within(asked), Some(event.part), "{text}");
            assert!(event.whole.begin < event.whole.end, "{text}");
            let written: String =
                text.chars().skip(event.at.begin as usize).take((event.at.end - event.at.begin) as usize).collect();
            assert_eq!(
                written.parse::<f64>().map_or(written.clone(), |n| n.to_string()),
                event.value.to_string(),
                "{text}"
            );
        }
    }
}

#[test]
fn any_cycle_can_be_asked_for_in_any_order() {
    for (text, pattern) in patterns(200, true) {
        let forth = told(&pattern, 0..6);
        let back: Vec<String> = (0..6).rev().map(|cycle| line(&pattern, cycle)).collect();
        assert_eq!(forth, back.into_iter().rev().collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn faster_and_slower_by_as_much_is_nothing_and_so_is_backwards_twice() {
    for (text, pattern) in patterns(100, true) {
        let before = all(&pattern, Ratio::ZERO, Ratio::whole(3));
        for by in [2.0, 1.5, 3.0] {
            let same = pattern.clone().fast(by).unwrap().slow(by).unwrap();
            assert_eq!(told(&same, 0..3), told(&pattern, 0..3), "{text} by {by}");
        }
        let twice = pattern.clone().rev().unwrap().rev().unwrap();
        assert_eq!(all(&twice, Ratio::ZERO, Ratio::whole(3)), before, "{text}");
        let there = pattern.clone().shift(0.375).unwrap().shift(-0.375).unwrap();
        assert_eq!(told(&there, 0..3), told(&pattern, 0..3), "{text}");
    }
}

#[test]
fn a_pattern_written_back_is_the_same() {
    let mut count = 0;
    for (text, pattern) in patterns(300, true) {
        let Ok(frozen) = pattern.to_text(5, 3) else { continue };
        count += 1;
        let again = Pattern::parse(&frozen, 0).unwrap_or_else(|error| panic!("{text} as {frozen}: {error}"));
        let cut = |cycle: i64| {
            let mut events = pattern.onsets(5, cycle).unwrap();
            events.iter_mut().for_each(|e| e.whole.end = e.whole.end.min(Ratio::whole(3)));
            events.iter_mut().for_each(|e| e.part = e.whole);
            placeless(events)
        };
        for cycle in 0..3 {
            let mut found = again.onsets(5, cycle).unwrap();
            found.iter_mut().for_each(|e| e.part = e.whole);
            assert_eq!(placeless(found), cut(cycle), "{text} as {frozen}, cycle {cycle}");
        }
        let later: Vec<String> = again.onsets(5, 3).unwrap().iter().map(|e| e.value.to_string()).collect();
        let first: Vec<String> = again.onsets(5, 0).unwrap().iter().map(|e| e.value.to_string()).collect();
        assert_eq!(later, first, "{text} as {frozen}");
    }
    assert!(count > 250, "{count}");
}

#[test]
fn what_is_written_back_can_be_read_by_people() {
    for (text, cycles, frozen) in [
        ("bd sn", 2, "bd sn"),
        ("bd(3,8)", 1, "bd ~ ~ bd ~ ~ bd ~"),
        ("bd [hh hh] sn", 4, "bd@2 hh hh sn@2"),
        ("<bd!3 sn>", 4, "<bd!3 sn>"),
        ("<[a b] c>", 2, "<[a b] c>"),
        ("bd*2, hh*4", 1, "hh hh hh hh, bd bd"),
        ("[a,b] c:2", 1, "[a,b] c:2"),
        ("~", 3, "~"),
        ("a/2", 2, "[a]/2"),
        ("<a b>/2", 4, "[a b]/4"),
    ] {
        let found = pattern(text).to_text(0, cycles).unwrap();
        assert_eq!(found, frozen, "{text}");
    }
}

#[test]
fn chance_is_as_likely_as_it_is_written() {
    for (text, each, likely) in
        [("a*16?", 16, 0.5), ("a*16?0.25", 16, 0.75), ("a?0.9*16", 16, 0.1), ("a?(8,16)", 8, 0.5), ("a!16?", 16, 0.5)]
    {
        let pattern = pattern(text);
        let count: usize = (0..500).map(|cycle| pattern.onsets(3, cycle).unwrap().len()).sum();
        let share = count as f64 / f64::from(500 * each);
        // Four deviations of the mean.
        let deviation = (likely * (1.0 - likely) / f64::from(500 * each)).sqrt();
        assert!((share - likely).abs() < 4.0 * deviation, "{text}: {share}");
    }
    let pattern = pattern("[a|b|c]");
    for value in ["a", "b", "c"] {
        let count = (0..3000).filter(|cycle| line(&pattern, *cycle).ends_with(value)).count();
        assert!((900..1100).contains(&count), "{value}: {count}");
    }
    assert_eq!(told(&super::pattern("a?0 b?1"), 0..2), ["0 1/2 a", "1 3/2 a"]);
}

#[test]
fn copies_have_chances_of_their_own() {
    for text in ["a?!8", "a? ! ! ! ! ! ! !", "a?(8,8)", "a? a? a? a? a? a? a? a?", "[a|b]!8", "a?*8"] {
        let pattern = pattern(text);
        let mixed = (0..20).filter(|cycle| {
            let values: Vec<String> = pattern.onsets(1, *cycle).unwrap().iter().map(|e| e.value.to_string()).collect();
            let same = values.iter().all(|value| value == "a")
                && (values.len() == 8 || text.starts_with("[a|b") && values.is_empty());
            !(same || values.is_empty())
        });
        assert!(mixed.count() > 15, "{text}");
    }
}

#[test]
fn chances_stay_when_something_is_written_elsewhere() {
    let chosen = |text: &str, value: &str| -> Vec<bool> {
        let pattern = pattern(text);
        (0..200).map(|cycle| pattern.onsets(9, cycle).unwrap().iter().any(|e| e.value.to_string() == value)).collect()
    };
    let before = chosen("bd? sn", "bd");
    for text in ["hh bd? sn", "bd? sn*2", "[hh? bd?] sn", "cp?0.3 bd? [x|y]", "<bd?>", "bd?, cp?"] {
        assert_eq!(chosen(text, "bd"), before, "{text}");
    }
    assert_eq!(chosen("bd*1?", "bd"), before);
    // What is more likely left out leaves no others; faster, the old ones stay.
    let begins = |text: &str| -> Vec<Ratio> {
        let pattern = pattern(text);
        (0..20).flat_map(|cycle| pattern.onsets(2, cycle).unwrap()).map(|event| event.whole.begin).collect()
    };
    let (few, many) = (begins("a*16?0.7"), begins("a*16?0.2"));
    assert!(few.iter().all(|begin| many.contains(begin)) && few.len() < many.len());
    let (slow, fast) = (begins("a!8?"), begins("a!8?0.4"));
    assert!(slow.iter().all(|begin| fast.contains(begin)));
    let other: Vec<bool> = (0..200).map(|cycle| !pattern("bd? sn").onsets(10, cycle).unwrap().is_empty()).collect();
    assert_ne!(other, before);
}

#[test]
fn a_pattern_is_plain_data() {
    let pattern = pattern("bd*<2 3>? [sn:1|c4'maj](3,8)").every(3, 0, &Changes::record(|p| p.rev()).unwrap()).unwrap();
    fn is_plain<T: Clone + PartialEq + std::fmt::Debug + serde::Serialize + Send + Sync + 'static>(_: &T) {}
    is_plain(&pattern);
    is_plain(&pattern.onsets(0, 1).unwrap());
    assert_eq!(pattern, pattern.clone());
    assert_ne!(pattern, pattern.clone().rev().unwrap());
}

#[test]
fn the_values_of_a_pattern_are_those_written() {
    let pattern = pattern("bd*<2 3> [sn:1, ~ c4'min](3,8)").rev().unwrap();
    let values: Vec<(String, u32, u32)> =
        pattern.values().into_iter().map(|(value, at)| (value.to_string(), at.begin, at.end)).collect();
    let expected = [("bd", 0, 2), ("sn:1", 10, 14), ("60", 18, 24), ("63", 18, 24), ("67", 18, 24)];
    assert_eq!(values, expected.map(|(value, begin, end)| (value.to_owned(), begin, end)));
    assert_eq!(told(&Pattern::silence(), 0..2), ["", ""]);
    assert_eq!(told(&Pattern::value(Value::word("bd")), 0..2), ["0 1 bd", "1 2 bd"]);
}
