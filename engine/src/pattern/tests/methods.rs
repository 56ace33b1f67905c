//! What methods and generators make.

use super::super::generate::{self, Rule, Walk};
use super::super::*;
use super::{line, pattern, told};

fn recorded(change: impl FnOnce(Pattern) -> Result<Pattern, PatternError>) -> Changes {
    Changes::record(change).unwrap()
}

fn same(made: Result<Pattern, PatternError>, text: &str) {
    let made = made.unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(told(&made, 0..6), told(&pattern(text), 0..6), "{text}");
}

#[test]
fn time_is_changed_as_the_notation_does_it() {
    same(pattern("a b").fast(2.0), "[a b]*2");
    same(pattern("a b c").fast(&pattern("<1 2>")), "[a b c]*<1 2>");
    same(pattern("a b c").slow(1.5), "[a b c]/1.5");
    same(pattern("a b").fast(0.0), "~");
    same(pattern("a b c d").shift(0.25), "d a b c");
    same(pattern("a b c d").shift(-0.25), "b c d a");
    same(pattern("a [b c]").rev(), "[c b] a");
    same(pattern("<a [b c] d>").rev(), "<a [c b] d>");
    same(pattern("[c,e,g] [g,c]/2").arp("up"), "[c e g] [c g]/2");
    same(pattern("[c,e,g] a").arp("updown"), "[c e g e] a");
    same(pattern("[c,e,g] [c,e]").arp("downup"), "[g e c e] [e c]");
    same(pattern("[c,e,g]").arp("down"), "g e c");
    let swung = pattern("a*8").swing(1.0 / 6.0, 4).unwrap();
    let begins: Vec<String> = swung.onsets(0, 1).unwrap().iter().map(|e| e.whole.begin.to_string()).collect();
    assert_eq!(begins, ["1", "7/6", "5/4", "17/12", "3/2", "5/3", "7/4", "23/12"]);
    same(pattern("a b").palindrome(), "<[a b] [b a]>");
    same(pattern("a b c d").iter(4), "<[a b c d] [b c d a] [c d a b] [d a b c]>");
    same(pattern("a b c").iter_back(3), "<[a b c] [c a b] [b c a]>");
    same(pattern("a b").ply(2.0), "a a b b");
    same(pattern("a b@3").ply(3.0), "a*3 [b*3]@3");
    same(pattern("a b").ply(&pattern("<1 1 3>")), "<[a b] [a b] [a*3 b*3]>");
    same(pattern("a b").ply(&pattern("1 2")), "a b*2");
    same(Pattern::stack([pattern("a b"), pattern("c")]), "a b, c");
    same(Pattern::cat([pattern("a b"), pattern("c"), pattern("d")]), "<[a b] c d>");
}

#[test]
fn recorded_changes_are_done_where_they_are_wanted() {
    same(pattern("a b").every(3, 0, &recorded(|p| p.rev())), "<[b a] [a b] [a b]>");
    same(pattern("a b").every(3, 2, &recorded(|p| p.rev()?.fast(2.0))), "<[a b] [a b] [[b a]*2]>");
    let off = pattern("0 1").off(0.25, &recorded(|p| p.plus(12.0))).unwrap();
    assert_eq!(line(&off, 0), "0 1/2 0, 1/4 3/4 12, 1/2 1 1, 3/4 5/4 13");
    same(pattern("0 1").off(0.5, &recorded(|p| p.plus(12.0))), "0 1, 13 12");
    same(pattern("<a b c d>").respond(2, &recorded(|p| p.fast(2.0))), "<a b [a b] [c d] c d>");
    let nested = recorded(|p| p.every(2, 0, &recorded(|p| p.ply(2.0))));
    same(pattern("a b").every(2, 0, &nested), "<[a a b b] [a b]>");
    same(pattern("a b").every(2, 1, &recorded(|_| Ok(pattern("c*2")))), "<[a b] [c c]>");
    same(pattern("a b").every(2, 1, &recorded(|p| Pattern::stack([p.rev()?, pattern("c")]))), "<[a b] [b a, c]>");
    same(pattern("a b").every(2, 1, &recorded(|p| Pattern::stack([p, pattern("c")])?.fast(2.0))), "<[a b] [a b, c]*2>");
    let within = |p| Pattern::cat([p, pattern("c")]);
    assert!(Changes::record(within).unwrap_err().message.contains("has to change"));
}

#[test]
fn an_answer_has_the_cycles_of_its_call() {
    let answered = pattern("<a b c d e f g h>").respond(2, &recorded(|p| p.fast(1.0))).unwrap();
    let values: String = (0..8).map(|c| answered.onsets(0, c).unwrap()[0].value.to_string()).collect();
    assert_eq!(values, "ababcdcd");
}

#[test]
fn rhythm_and_values_are_taken_from_two_patterns() {
    same(pattern("a b").structure(&pattern("t*4")), "a a b b");
    same(pattern("a b").structure(&pattern("t f t 0")), "a ~ b ~");
    same(pattern("<a b>").structure(&pattern("t(3,8)")), "<a b>(3,8)");
    same(pattern("a b c d").mask(&pattern("t f")), "a b ~ ~");
    same(pattern("a b c d").mask(&pattern("<1 0>")), "<[a b c d] ~>");
    same(pattern("a b").segment(4), "a a b b");
    same(pattern("a b c d").euclid(3.0, 8.0, 0.0), "a ~ ~ b ~ ~ d ~");
    same(pattern("a").euclid(&pattern("<3 5>"), 8.0, &pattern("<0 2>")), "a(<3 5>,8,<0 2>)");
}

#[test]
fn notes_scales_and_chords_are_numbers() {
    same(pattern("c4 e4 60").plus(12.0), "72 76 72");
    same(pattern("0 [1 2]").plus(&pattern("<0 10>")), "<[0 [1 2]] [10 [11 12]]>");
    same(pattern("0").plus(&pattern("[0,4,7]")), "[0,4,7]");
    same(pattern("0 2 4 -1 7").scale("minor"), "60 63 67 58 72");
    same(pattern("0 1").scale("d3:dorian"), "50 52");
    same(pattern("c4 <a3 f3>").chord("m"), "[60,63,67] <[57,60,64] [53,56,60]>");
    same(pattern("0 3 4").plus(&pattern("[0,2,4]")).unwrap().scale("c major"), "[60,64,67] [65,69,72] [67,71,74]");
    for (made, message) in [
        (pattern("bd c4").plus(1.0), "the name of a note"),
        (pattern("0 sn").scale("minor"), "the degree of a scale"),
        (pattern("bd").chord("m"), "the name of a note"),
        (pattern("0").scale("minr"), "nearest is `minor`"),
        (pattern("0").chord("mjor"), "nearest is `major`"),
    ] {
        let error = made.unwrap_err();
        assert!(error.message.contains(message), "{error}");
    }
    assert_eq!(pattern("bd c4").plus(1.0).unwrap_err().at, Place { origin: 0, begin: 0, end: 2 });
}

#[test]
fn arguments_out_of_range_are_refused() {
    let none = Changes::default();
    for made in [
        pattern("a").fast(-1.0),
        pattern("a").fast(f64::NAN),
        pattern("a").slow(0.0),
        pattern("a").shift(f64::INFINITY),
        pattern("a").shift(1e-300),
        pattern("a").swing(0.5, 4),
        pattern("a").arp("sideways"),
        pattern("a").ply(0.0),
        pattern("a").ply(10_000.0),
        pattern("a").ply(2.5),
        pattern("a").ply(&pattern("2 x")),
        pattern("a").iter(0),
        pattern("a").every(0, 0, &none),
        pattern("a").every(2, 2, &none),
        pattern("a").degrade(1.5),
        pattern("a").degrade(f64::NAN),
        pattern("a").sometimes(-0.1, &none),
        pattern("a").respond(0, &none),
        pattern("a").euclid(9.0, 8.0, 0.0),
        pattern("a").euclid(2.5, 8.0, 0.0),
        pattern("a").euclid(3.0, 0.0, 0.0),
        pattern("a*64").unwrap_fast(),
    ] {
        assert!(!made.unwrap_err().message.is_empty());
    }
    for number in [1e300, 1e-300, f64::NEG_INFINITY] {
        let error = pattern("a").shift(number).unwrap_err();
        assert!(error.message.contains(&format!("not {number:e}")) && error.message.len() < 100, "{error}");
    }
    let mut deep = Ok(pattern("a b"));
    for _ in 0..200 {
        deep = deep.and_then(|p| p.rev());
    }
    assert!(deep.unwrap_err().message.contains("within each other"));
    let doubled = (0..40).try_fold(pattern("a"), |p, _| p.off(0.125, &none));
    assert!(doubled.unwrap_err().message.contains("at most 4096"));
}

impl Pattern {
    /// Far too much.
    fn unwrap_fast(self) -> Result<Pattern, PatternError> {
        self.fast(100_000.0)
    }
}

#[test]
fn what_changes_make_of_numbers_is_checked_as_well_as_what_is_written() {
    let number = |text: &str, by: f64| pattern(text).plus(by).unwrap();
    for (made, message) in [
        (pattern("bd").euclid(&number("3", -1e300), 8.0, 0.0), "from -256 to 256 is wanted here, not -1e300"),
        (pattern("bd").euclid(&number("3", 0.5), 8.0, 0.0), "from -256 to 256 is wanted here, not 3.5"),
        (pattern("bd").euclid(3.0, &number("8", 1000.0), 0.0), "from 1 to 256 is wanted here, not 1008"),
        (pattern("bd").euclid(3.0, 8.0, &number("1", 0.25)), "from -65536 to 65536 is wanted here, not 1.25"),
        (pattern("bd").ply(&number("2", -2.0)), "from 1 to 256 is wanted here, not 0"),
    ] {
        let error = made.expect_err(message);
        assert!(error.message.contains(message), "{error}");
        assert_eq!((error.at.begin, error.at.end), (0, 1), "{error}");
    }
    same(pattern("bd").euclid(&number("<1 3>", 2.0), 8.0, 0.0), "bd(<3 5>,8)");
    assert!(generate::euclid("bd", i64::MIN, 8, 0).is_err());
}

#[test]
fn changes_by_chance_divide_the_values() {
    let before = pattern("0*16");
    let changed = before.clone().sometimes(0.3, &recorded(|p| p.plus(1.0))).unwrap();
    let (mut ones, mut all) = (0, 0);
    for cycle in 0..200 {
        let events = changed.onsets(4, cycle).unwrap();
        assert_eq!(events.len(), 16);
        ones += events.iter().filter(|event| event.value == Value::Number(1.0)).count();
        all += events.len();
    }
    let share = f64::from(ones as u32) / f64::from(all as u32);
    assert!((share - 0.3).abs() < 0.033, "{share}");
    let twice = before.clone().degrade(0.5).unwrap().degrade(0.5).unwrap();
    let count: usize = (0..200).map(|cycle| twice.onsets(4, cycle).unwrap().len()).sum();
    assert!((count as f64 / f64::from(all as u32) - 0.25).abs() < 0.031, "{count}");
    let other = before.clone().degrade(0.5).unwrap();
    assert_ne!(told(&other, 0..4), told(&other.clone().seed(1).unwrap(), 0..4));
}

#[test]
fn generators_follow_their_rules() {
    same(generate::euclid("bd", 3, 8, 2), "bd(3,8,2)");
    for value in ["a b", "bd,sn", "bd!2", "bd@3", "bd . sn", "0..3", "c'maj"] {
        same(generate::euclid(value, 3, 8, 0), &format!("[{value}](3,8)"));
        same(generate::cellular(value, 90, 4, 2, None), &format!("<[[{value}] ~!3] [~ [{value}] ~ [{value}]]>"));
    }
    assert_eq!(generate::euclid("a|b", 3, 8, 0).unwrap().onsets(0, 0).unwrap().len(), 3);
    // Rule 90 is Pascal's triangle modulo 2.
    same(generate::cellular("x", 90, 8, 3, None), "<[x ~!7] [~ x ~!5 x] [~ ~ x ~!3 x ~]>");
    let rules = [("a".to_owned(), "ab".to_owned()), ("b".to_owned(), "a".to_owned())];
    // Fibonacci's word.
    same(generate::lsystem("a", &rules, 5, 13, &[]), "a b a a b a b a a b a a b");
    let sounds = [("a".to_owned(), "c4".to_owned()), ("b".to_owned(), "~".to_owned())];
    same(generate::lsystem("a", &rules, 3, 5, &sounds), "c4 ~ c4 c4 ~");
    let words = [("bd".to_owned(), "bd sn".to_owned()), ("sn".to_owned(), "hh".to_owned())];
    same(generate::lsystem("bd", &words, 2, 3, &[]), "bd sn hh");
    assert!(generate::lsystem("a", &[("a".into(), "aa".into())], 40, 4, &[]).unwrap_err().message.contains("4000"));
    assert!(generate::lsystem("F+", &[], 1, 4, &[]).unwrap_err().message.contains("`+`"));
}

#[test]
fn what_generators_would_make_too_much_of_is_refused_with_a_figure() {
    let of = |text: &str| [("a".to_owned(), text.to_owned())];
    let grown = |sound: &str| generate::lsystem("a", &of("aa"), 11, 16, &of(sound));
    for (made, figure) in [
        (generate::markov(&pattern("bd*4000"), 1, 16, 256, 1), "more than 16384 values in 256 bars"),
        (generate::markov(&pattern("bd*4000"), 2, 16, 1, 1), "more than 4096 moments"),
        (generate::markov(&pattern("~ [~ ~]*4000"), 256, 1, 1, 1), "more than 1048576 steps"),
        (grown("bd*4000"), "at most 4096"),
        (grown("bd!8000"), "more than 8192 parts"),
        (grown(&format!("bd{}", " ".repeat(1000))), "more than 262144 letters"),
        (generate::cellular(&format!("[bd{}]", " ".repeat(10_000)), 255, 256, 2, None), "more than 262144 letters"),
    ] {
        let error = made.expect_err(figure);
        assert!(error.message.contains(figure), "{error}");
    }
    let long = pattern("<0 ~@255> [~ ~]*4000").to_text(0, 256).unwrap_err();
    assert!(long.message.contains("more than 1048576 steps"), "{long}");
}

#[test]
fn a_chain_knows_only_what_it_has_heard() {
    // With one way on from each moment it says again what it heard.
    same(generate::markov(&pattern("a b [c d] e"), 1, 1, 2, 9), "a b [c d] e");
    same(generate::markov(&pattern("~ a [b,c]/2"), 2, 2, 4, 9), "~ a [b,c]/2");
    let heard = pattern("<[a b a c] [a c [b d] a]>");
    let pairs = |pattern: &Pattern, cycles: i64| -> std::collections::BTreeSet<(String, String)> {
        let all: Vec<String> =
            (0..cycles).flat_map(|c| pattern.onsets(0, c).unwrap()).map(|e| e.value.to_string()).collect();
        all.windows(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    };
    let made = generate::markov(&heard, 2, 1, 16, 3).unwrap();
    assert!(pairs(&made, 16).is_subset(&pairs(&heard, 3)));
    assert_ne!(told(&made, 0..16), told(&generate::markov(&heard, 2, 1, 16, 4).unwrap(), 0..16));
    assert!(generate::markov(&pattern("~"), 4, 1, 4, 0).is_err());
}

#[test]
fn a_walk_stays_in_its_scale_and_span() {
    let how = Walk { steps: 8, bars: 32, span: 5, leap: 3 };
    let made = generate::walk("d4 minor", how, 11).unwrap();
    let scale = scales::Scale::named("d4 minor").unwrap();
    let degrees: Vec<i64> = (0..32)
        .flat_map(|cycle| made.onsets(0, cycle).unwrap())
        .map(|e| (-5..=5).find(|d| Some(scale.note(*d as f64)) == e.value.note()).expect("a degree of the span"))
        .collect();
    assert_eq!((degrees.len(), degrees[0]), (256, 0));
    assert!(degrees.windows(2).all(|pair| (1..=3).contains(&(pair[1] - pair[0]).abs())));
    assert!(degrees.contains(&5) && degrees.contains(&-5));
    assert_eq!(made, generate::walk("d4 minor", how, 11).unwrap());
    assert!(generate::walk("minor", Walk { span: 0, ..how }, 1).is_err());
}

#[test]
fn progressions_follow_their_rules() {
    let classes = |pattern: &Pattern, bar: i64| -> Vec<i64> {
        let mut notes: Vec<i64> =
            pattern.onsets(0, bar).unwrap().iter().map(|e| e.value.note().unwrap() as i64 % 12).collect();
        notes.sort_unstable();
        notes
    };
    let fifths = generate::progression("c major", Rule::Fifths, 8, 0, None).unwrap();
    let expected: [[i64; 3]; 8] =
        [[0, 4, 7], [0, 5, 9], [2, 5, 11], [4, 7, 11], [0, 4, 9], [2, 5, 9], [2, 7, 11], [0, 4, 7]];
    for (bar, chord) in expected.iter().enumerate() {
        assert_eq!(classes(&fifths, bar as i64), chord, "bar {bar}");
    }
    let of = |size: i64| generate::progression("c major", Rule::Fifths, 2, 0, Some(size));
    assert_eq!(classes(&of(4).unwrap(), 0), [0, 4, 7, 11]);
    assert_eq!(classes(&of(4).unwrap(), 1), [0, 4, 5, 9]);
    assert_eq!(classes(&of(5).unwrap(), 0), [0, 2, 4, 7, 11]);
    assert!(of(6).unwrap_err().message.contains("notes of a chord"), "{:?}", of(6));
    let blues = generate::progression("c minor", Rule::Blues, 12, 0, None).unwrap();
    assert_eq!(classes(&blues, 0), [0, 4, 7, 10]);
    assert_eq!(classes(&blues, 4), [0, 3, 5, 9]);
    for seed in 0..40 {
        let functional = generate::progression("a3 minor", Rule::Functional, 8, seed, None).unwrap();
        assert_eq!(classes(&functional, 0), [0, 4, 9]);
        assert_eq!(classes(&functional, 7), [4, 7, 11], "seed {seed}");
        // No voice goes further than a tritone from a chord to the next.
        let mut last: Option<Vec<f64>> = None;
        for bar in 0..8 {
            let mut notes: Vec<f64> =
                functional.onsets(0, bar).unwrap().iter().map(|e| e.value.note().unwrap()).collect();
            notes.sort_by(f64::total_cmp);
            if let Some(last) = last {
                assert!(notes.iter().zip(&last).all(|(a, b)| (a - b).abs() <= 6.0), "seed {seed}: {last:?} {notes:?}");
            }
            last = Some(notes);
        }
    }
    assert_eq!(Rule::named("pop").unwrap(), Rule::Pop);
    assert!(Rule::named("blue").unwrap_err().help.unwrap().contains("`blues`"));
    assert!(generate::progression("pentatonic", Rule::Pop, 4, 0, None).unwrap_err().message.contains("seven"));
    assert_eq!(
        line(&generate::progression("c major", Rule::Blues, 1, 0, None).unwrap(), 0),
        "0 1 60, 0 1 64, 0 1 67, 0 1 70"
    );
}
