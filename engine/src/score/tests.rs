//! Scores: on which frames notes lie, and that each is given once.

use super::*;
use crate::keep::{Keep, Ledger};
use crate::kernel::QUANTUM;
use crate::random;
use crate::units::Clock;

const CLOCK: Clock = Clock { rate: 48_000.0, tempo: 120.0, beats_per_bar: 4.0 };
/// Frames a bar.
const BAR: u64 = 96_000;

fn tempo() -> Tempo {
    Tempo::new(CLOCK)
}

fn score(pattern: &str) -> Score {
    Score {
        pattern: Pattern::parse(pattern, 0).expect("it is right").unplaced(),
        velocity: None,
        hold: None,
        seed: 7,
        reads: Reads::Notes,
        spans: None,
    }
}

fn patterned(pattern: &str) -> Option<Pattern> {
    Some(Pattern::parse(pattern, 0).expect("it is right"))
}

/// The notes of the first bars.
fn bars(score: &Score, count: usize, tempo: &Tempo) -> Vec<Note> {
    let cycles = std::iter::successors(score.cycle_at(0.0), |cycle| score.cycle_after(*cycle));
    cycles.take(count).flat_map(|cycle| score.begun_in(cycle, tempo).expect("it is not too much")).collect()
}

/// What a cell gives in the quanta from a frame to another.
fn played(cell: &mut ScoreCell, frames: std::ops::Range<u64>) -> Vec<Note> {
    let mut notes = Vec::new();
    for (i, frame) in frames.step_by(QUANTUM).enumerate() {
        wait(cell, frame);
        let cell = cell.turned(frame);
        for stretch in [1, 17, 64] {
            while let Some(note) = cell.next(frame + stretch) {
                assert!(note.begin < frame + stretch, "it is not given before its time");
                assert!(note.begin >= frame || i == 0, "it is not given after it");
                notes.push(note);
            }
        }
    }
    notes
}

fn wait(cell: &ScoreCell, frame: u64) {
    let begun = std::time::Instant::now();
    while !cell.is_ready(frame) {
        assert!(begun.elapsed().as_secs() < 60, "it never comes");
        std::thread::yield_now();
    }
}

fn cell(pattern: &str) -> ScoreCell {
    ScoreCell::new(Arc::new(score(pattern)), &tempo())
}

fn begins(notes: &[Note]) -> Vec<u64> {
    notes.iter().map(|note| note.begin).collect()
}

#[test]
fn a_note_begins_on_the_frame_nearest_to_its_fraction_of_the_bar() {
    let shapes =
        ["a4 [b4 c4] d4", "a4(3,8) b4*5", "[c4 d4 e4]*7", "<a4 b4>/3 c4@3 d4", "a4*11 . b4 c4", "[c4 ~ [e4 f4 g4]]!3"];
    let mut checked = 0;
    for seed in 0..1000u64 {
        let drawn = |counter: u64, of: u64| random::mix(seed * 8 + counter) % of;
        let (text, bpm, rate) =
            (shapes[drawn(0, 6) as usize], 30 + drawn(1, 270), [44_100, 48_000, 96_000][drawn(2, 3) as usize]);
        let speed = 1 + drawn(3, 7);
        let score =
            Score { pattern: score(text).pattern.fast(speed as f64).expect("it is not too much"), ..score(text) };
        let time = Tempo::new(Clock { rate: rate as f64, tempo: bpm as f64, beats_per_bar: 4.0 });
        let cycle = score.cycle_at(drawn(4, 5000) as f64).expect("it never ends");
        let notes = score.begun_in(cycle, &time).expect("it is not too much");
        let events = score.pattern.onsets(score.seed, cycle.number).expect("it is not too much");
        let mut wanted: Vec<i128> = events
            .iter()
            .map(|event| {
                let (over, under) = (event.whole.begin.over() as i128, event.whole.begin.under() as i128);
                let (frames, parts) = (over * rate as i128 * 240, under * bpm as i128);
                (2 * frames + parts).div_euclid(2 * parts)
            })
            .collect();
        wanted.sort_unstable();
        assert_eq!(
            begins(&notes),
            wanted.iter().map(|frame| *frame as u64).collect::<Vec<_>>(),
            "{text} at {bpm}, {rate}"
        );
        checked += notes.len();
    }
    assert!(checked > 5_000, "{checked}");
}

#[test]
fn a_note_lasts_as_long_as_its_part_of_the_pattern_and_its_hold_say() {
    let whole = bars(&score("a4 b4 ~ [c5 d5]"), 1, &tempo());
    let ends: Vec<u64> = whole.iter().map(|note| note.end).collect();
    assert_eq!(ends, [BAR / 4, BAR / 2, BAR * 7 / 8, BAR]);
    let short = Score { hold: patterned("50 <100 25>"), ..score("a4 b4 ~ [c5 d5]") };
    let lengths: Vec<u64> = bars(&short, 2, &tempo()).iter().map(|note| note.end - note.begin).collect();
    assert_eq!(lengths, [12_000, 12_000, 12_000, 12_000, 12_000, 12_000, 3_000, 3_000]);
}

#[test]
fn velocity_is_what_holds_where_a_note_begins_and_none_is_no_note() {
    let score = Score { velocity: patterned("1 0.5 0 <0.25 1>"), ..score("a4*8") };
    let hard: Vec<f64> = bars(&score, 2, &tempo()).iter().map(|note| note.velocity).collect();
    assert_eq!(hard, [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 1.0, 1.0, 0.5, 0.5, 1.0, 1.0]);
}

#[test]
fn what_arithmetic_brings_beyond_a_range_counts_as_its_end() {
    let moved = |pattern: &str, by: f64| patterned(pattern).map(|pattern| pattern.plus(by).expect("numbers add up"));
    let score = Score { velocity: moved("0.25 1", 0.5), hold: moved("0 400", 100.0), ..score("a4*2") };
    let notes = bars(&score, 1, &tempo());
    let told: Vec<(f64, u64)> = notes.iter().map(|note| (note.velocity, note.end - note.begin)).collect();
    assert_eq!(told, [(0.75, BAR / 2), (1.0, 2 * BAR)]);
}

#[test]
fn the_number_of_a_sound_wraps_round() {
    let named = |name: &str, first, count| Named { name: name.into(), first, count };
    let reads = Reads::Sounds([named("bd", 0, 2), named("sn", 2, 3)].into());
    let word = |name: &str, sample| Value::Word { name: name.into(), sample };
    let sound = |name, sample| reads.read(&word(name, sample)).map(|(_, sound)| sound);
    assert_eq!([sound("bd", None), sound("bd", Some(1)), sound("bd", Some(2))], [Some(0), Some(1), Some(0)]);
    assert_eq!([sound("sn", None), sound("sn", Some(2)), sound("cp", None)], [Some(2), Some(4), None]);
}

#[test]
fn in_spans_cycles_count_from_each_beginning_and_notes_end_with_them() {
    let bar = Ratio::whole;
    let half = |n| Ratio::new(n, 2).expect("it fits");
    let spans = [Bars { begin: bar(1), end: half(5) }, Bars { begin: bar(4), end: bar(5) }];
    let score = Score { spans: Some(spans.into()), ..score("<a4 b4 c4>") };
    let notes = bars(&score, 10, &tempo());
    let found: Vec<(u64, u64, f64)> = notes.iter().map(|note| (note.begin, note.end, note.pitch)).collect();
    assert_eq!(found, [(BAR, 2 * BAR, 69.0), (2 * BAR, BAR * 5 / 2, 71.0), (4 * BAR, 5 * BAR, 69.0)]);
    let mut cell = ScoreCell::new(Arc::new(score), &tempo());
    assert_eq!(played(&mut cell, 0..6 * BAR), notes);
}

#[test]
fn a_long_note_is_held_to_its_end_or_that_of_its_span() {
    let spans = [Bars { begin: Ratio::whole(2), end: Ratio::whole(5) }];
    for (pattern, ends) in [("a4/2", vec![4, 5]), ("<a4@2 b4>", vec![4, 5]), ("a4/4", vec![5])] {
        let score = Score { spans: Some(spans.into()), ..score(pattern) };
        let found: Vec<u64> = bars(&score, 3, &tempo()).iter().map(|note| note.end / BAR).collect();
        assert_eq!(found, ends, "{pattern}");
    }
    let held = Score { spans: Some(spans.into()), hold: patterned("400"), ..score("a4") };
    let found: Vec<u64> = bars(&held, 3, &tempo()).iter().map(|note| note.end / BAR).collect();
    assert_eq!(found, [5, 5, 5]);
}

#[test]
fn what_another_time_signature_cuts_off_a_bar_is_not_played() {
    let mut time = tempo();
    time.change(BAR as i64 + 48_000, Clock { beats_per_bar: 3.0, ..CLOCK });
    let found = begins(&bars(&score("a4*4"), 3, &time));
    assert_eq!(found, [0, 24_000, 48_000, 72_000, 96_000, 120_000, 144_000, 162_000, 180_000, 198_000]);
}

#[test]
fn every_note_is_given_once_and_in_its_time() {
    let text = "[a4 b4*3]*4 <c4 ~ [d4,e4,f4]>?0.5";
    let wanted = bars(&score(text), 6, &tempo());
    assert!(wanted.len() > 60);
    assert_eq!(played(&mut cell(text), 0..6 * BAR), wanted);
}

#[test]
fn an_edit_at_any_moment_neither_loses_nor_doubles_a_note() {
    for seed in 0..60u64 {
        let drawn = |counter: u64, of: u64| random::mix(seed * 8 + counter) % of;
        let texts = ["a4*16", "b4(3,8) c4*5", "<d4 e4*7>", "[f4 g4 a4]*3"];
        let (first, second) = (texts[drawn(0, 4) as usize], texts[drawn(1, 4) as usize]);
        let at = 20_000 + drawn(2, BAR);
        let swap = (at - drawn(3, 20_000)) / QUANTUM as u64 * QUANTUM as u64;
        let mut old = cell(first);
        let mut heard = played(&mut old, 0..swap);
        let mut new = cell(second);
        new.succeed(&mut old, at);
        heard.extend(played(&mut new, swap..3 * BAR));
        let mut wanted = bars(&score(first), 3, &tempo());
        wanted.retain(|note| note.begin < at);
        wanted.extend(bars(&score(second), 3, &tempo()).into_iter().filter(|note| note.begin >= at));
        assert_eq!(heard, wanted, "{first} then {second} from {at}, given at {swap}");
    }
}

#[test]
fn an_edit_that_waits_keeps_its_place_when_another_comes() {
    let (mut first, mut second, mut third) = (cell("a4*8"), cell("b4*8"), cell("c4*8"));
    let mut heard = played(&mut first, 0..12_800);
    second.succeed(&mut first, 36_000);
    heard.extend(played(&mut second, 12_800..25_600));
    third.succeed(&mut second, 48_000);
    heard.extend(played(&mut third, 25_600..BAR));
    let found: Vec<(u64, f64)> = heard.iter().map(|note| (note.begin, note.pitch)).collect();
    let wanted = [(0, 69.0), (12_000, 69.0), (24_000, 69.0), (36_000, 60.0), (48_000, 60.0), (60_000, 60.0)];
    assert_eq!(found[..6], wanted);
    assert_eq!(found.len(), 8);
}

#[test]
fn a_transport_that_comes_from_elsewhere_finds_the_notes_that_are_held_there() {
    let mut cell = cell("[c4 e4, g3]/4");
    played(&mut cell, 0..QUANTUM as u64 * 10);
    let there = 3 * BAR;
    cell.jump(there);
    wait(&cell, there);
    let cell = cell.turned(there);
    let mut held = Vec::new();
    while let Some(note) = cell.next(there + 64) {
        held.push((note.begin, note.end, note.pitch));
    }
    held.sort_by_key(|note| note.0);
    assert_eq!(held, [(0, 4 * BAR, 55.0), (2 * BAR, 4 * BAR, 64.0)]);
}

#[test]
fn wherever_the_transport_comes_to_it_finds_what_a_score_has_on_there() {
    for shape in ["[c4 e4, g3]/4", "c4/8", "<c4 e4>*3 . g4@3 a4", "[c4/3 e4]*2"] {
        let score = score(shape);
        let all = score.notes(0, 8 * BAR, &tempo()).expect("it is not too much");
        for draw in 0..300 {
            let frame = random::mix(draw) % (8 * BAR);
            let mut held = score.held_over(frame, &tempo()).expect("it is not too much");
            let on = |note: &&Note| note.begin < frame && note.end > frame;
            let mut wanted: Vec<Note> = all.iter().filter(on).copied().collect();
            for list in [&mut held, &mut wanted] {
                list.sort_by(|a, b| (a.begin, a.pitch).partial_cmp(&(b.begin, b.pitch)).expect("they are numbers"));
            }
            assert_eq!(held, wanted, "{shape} at {frame}");
        }
    }
}

#[test]
fn what_is_left_for_is_at_hand_on_arrival_and_what_is_played_until_then_as_well() {
    let mut cell = cell("c4*8 d4/4");
    for there in [3 * BAR, BAR / 2, 20 * BAR] {
        let mut heard = played(&mut cell, 0..6400).len();
        let begun = std::time::Instant::now();
        while !cell.will_be_ready(there) {
            cell.make_ready(there);
            assert!(begun.elapsed().as_secs() < 60, "it never comes");
            std::thread::yield_now();
        }
        heard += played(&mut cell, 6400..QUANTUM as u64 * 200).len();
        assert_eq!(heard, 3, "none of the notes at 0, 6000 and 12000 is lost or doubled");
        cell.jump(there);
        assert!(cell.is_ready(there));
        cell.jump(0);
        wait(&cell, 0);
    }
}

#[test]
fn a_checkpoint_gives_no_note_again() {
    let mut cell_before = cell("c4/2 e4*8");
    let wanted = played(&mut cell("c4/2 e4*8"), 0..2 * BAR);
    let mut heard = played(&mut cell_before, 0..640 * 64);
    let mut ledger = Ledger::writing();
    cell_before.keep(&mut ledger);
    let mut after = cell("c4/2 e4*8");
    after.keep(&mut Ledger::reading(ledger.finish().expect("it can be kept")));
    heard.extend(played(&mut after, 640 * 64..2 * BAR));
    assert_eq!(heard, wanted);
}

#[test]
fn where_a_score_was_written_makes_no_other_score() {
    let here = Pattern::parse("bd [sn sn]*2 . hh(<3 5>,8)", 3).expect("it is right");
    let there = Pattern::parse("  bd  [sn sn]*2 .  hh(<3 5>,8)", 9).expect("it is right");
    assert_ne!(here, there);
    assert_eq!(here.unplaced(), there.unplaced());
}
