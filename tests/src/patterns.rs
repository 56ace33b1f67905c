//! Patterns from the text to the sound: on which frame each note begins, and that no edit loses or doubles one.

use engine::pattern::{Pattern, Ratio};
use engine::random;
use engine::transport::Move;

use crate::rehearsal::{Rehearsal, cold, first_difference};
use crate::sessions::graph;

/// An instrument whose notes are one sample each.
const CLICK: &str = "synth(|note| select(note.age < 0.00001, 1, 0)).attack(0).sustain(100).touch(0)";

fn clicks(bpm: u64, pattern: &str) -> String {
    format!("tempo({bpm});\ninput(\"click\", play(\"{pattern}\", {CLICK})) >> master;")
}

/// The frames at which something is heard, each as often as notes begin there: they are all equally loud.
fn onsets(sound: &[f64]) -> Vec<u64> {
    let one = sound.iter().copied().filter(|x| *x != 0.0).fold(f64::INFINITY, f64::min);
    let times = |(frame, x): (usize, &f64)| std::iter::repeat_n(frame as u64, (x / one + 0.5) as usize);
    sound.iter().enumerate().flat_map(times).collect()
}

/// The frames of a pattern's onsets in some cycles, from their exact fractions: half-way the later one.
fn wanted(pattern: &str, bpm: u64, cycles: i64) -> Vec<u64> {
    let pattern = Pattern::parse(pattern, 0).expect("it is right");
    let frame = |time: Ratio| {
        let (frames, parts) = (i128::from(time.over()) * 48_000 * 240, i128::from(time.under()) * i128::from(bpm));
        (2 * frames + parts).div_euclid(2 * parts) as u64
    };
    let events = (0..cycles).flat_map(|cycle| pattern.onsets(0, cycle).expect("it is not too much"));
    let mut frames: Vec<u64> = events.map(|event| frame(event.whole.begin)).collect();
    frames.sort_unstable();
    frames
}

/// A number below `of`, drawn.
fn drawn(seed: u64, counter: u64, of: u64) -> u64 {
    random::mix(random::mix(seed) ^ counter) % of
}

/// Some pattern without chance in it.
fn any_pattern(seed: u64) -> String {
    fn part(seed: u64, depth: u64) -> String {
        let inner = |n: u64| part(random::mix(seed ^ n), depth + 1);
        let count = 1 + drawn(seed, 1, 4);
        let row = |open: &str, close: &str, joint: &str| {
            format!("{open}{}{close}", (0..count).map(inner).collect::<Vec<_>>().join(joint))
        };
        match drawn(seed, 2, if depth > 2 { 4 } else { 9 }) {
            0..=2 => "c4".into(),
            3 => "~".into(),
            4 => row("[", "]", " "),
            5 => row("<", ">", " "),
            6 => row("[", "]", ","),
            7 => format!("c4({},{})", 1 + drawn(seed, 3, 5), 5 + drawn(seed, 4, 8)),
            _ => format!("{}*{}", row("[", "]", " "), 2 + drawn(seed, 3, 3)),
        }
    }
    format!("c4 {} {}", part(seed, 0), part(seed ^ 1, 0))
}

#[test]
fn each_note_begins_on_the_frame_nearest_to_its_fraction_of_the_bar() {
    let mut heard = 0;
    for seed in 0..1000 {
        let (pattern, bpm) = (any_pattern(seed), 500 + drawn(seed, 9, 500));
        let frames = 2 * 48_000 * 240 / bpm - 64;
        let sound = cold(&clicks(bpm, &pattern), frames as usize);
        let found: Vec<u64> = onsets(&sound[0]).into_iter().filter(|frame| *frame < frames).collect();
        let mut wanted = wanted(&pattern, bpm, 2);
        wanted.retain(|frame| *frame < frames);
        assert_eq!(found, wanted, "{pattern} at {bpm}");
        heard += found.len();
    }
    assert!(heard > 8_000, "{heard}");
}

#[test]
fn edits_of_a_pattern_at_any_moment_lose_and_double_no_note() {
    for seed in 0..40 {
        let bpm = 300 + drawn(seed, 20, 300);
        let texts: Vec<String> = (0..6).map(|n| any_pattern(random::mix(seed) ^ n)).collect();
        let mut rehearsal = Rehearsal::new(&clicks(bpm, &texts[0]));
        let mut edits = vec![(0, texts[0].as_str())];
        for (n, text) in texts.iter().enumerate().skip(1) {
            rehearsal.run(drawn(seed, n as u64, 20_000) as usize);
            let at = rehearsal.now() + drawn(seed, 10 + n as u64, 3000);
            if rehearsal.edit_at(&graph(&clicks(bpm, text)), Some(at)).is_some() {
                edits.push((at, text));
            }
        }
        rehearsal.run(30_000);
        let end = rehearsal.now() - 64;
        let mut expected = Vec::new();
        for (n, (from, text)) in edits.iter().enumerate() {
            let until = edits.get(n + 1).map_or(end, |next| next.0);
            let cycles = (end * bpm / (48_000 * 240)) as i64 + 1;
            expected.extend(wanted(text, bpm, cycles).into_iter().filter(|frame| (*from..until).contains(frame)));
        }
        let found: Vec<u64> = onsets(&rehearsal.sound[0]).into_iter().filter(|frame| *frame < end).collect();
        assert_eq!(found, expected, "{edits:?} at {bpm}");
    }
}

#[test]
fn an_edit_of_a_pattern_leaves_what_sounds_to_ring() {
    let text = |pattern: &str| {
        format!(
            "tempo(60);\ninput(\"tone\", play(\"{pattern}\", synth(|note| sine(note.freq)).release(800))) >> master;"
        )
    };
    let mut edited = Rehearsal::new(&text("c4 ~ ~ ~"));
    edited.run(9600);
    edited.edit(&text("~ ~ ~ ~"));
    edited.run(100_000);
    let untouched = cold(&text("c4 ~ ~ ~"), edited.now() as usize);
    assert_eq!(first_difference(&edited.sound, &untouched), None, "the note goes on to its end, and its release");
}

#[test]
fn a_changed_tempo_moves_the_notes_that_are_to_come_and_no_other() {
    let mut rehearsal = Rehearsal::new(&clicks(240, "c4*4"));
    rehearsal.run(20_000);
    rehearsal.edit_at(&graph(&clicks(480, "c4*4")), Some(24_000)).expect("it changes something");
    rehearsal.run(30_000);
    let found = onsets(&rehearsal.sound[0]);
    assert_eq!(found[..8], [0, 12_000, 24_000, 30_000, 36_000, 42_000, 48_000, 54_000][..found.len().min(8)]);
}

#[test]
fn from_elsewhere_on_the_transport_a_long_note_is_heard_and_a_drum_is_not() {
    let text = "tempo(240);\n\
        input(\"pad\", play(\"c4/4\", synth(|note| sine(note.freq)).attack(0))) >> master;\n\
        input(\"drum\", play(\"bd/4\", kit())) >> cable(\"d\") >> master;";
    let mut rehearsal = Rehearsal::with_stems(text, Some("master"));
    rehearsal.run(4_800);
    let before = rehearsal.now() as usize;
    rehearsal.order(Move::Locate(96_000));
    rehearsal.run(24_000);
    let peak = |of: &str| {
        let (_, sound) = rehearsal.stems.iter().find(|(path, _)| path.starts_with(of)).expect("it is there");
        sound[0][before + 9600..].iter().fold(0.0f64, |most, x| most.max(x.abs()))
    };
    assert!(peak("pad") > 0.05, "{}", peak("pad"));
    assert_eq!(peak("drum"), 0.0);
}

#[test]
fn of_two_notes_that_begin_alike_each_is_held_as_long_as_it_is_written() {
    let sound = |pattern: &str| {
        let voice = "synth(|note| sine(note.freq)).attack(0).sustain(100).release(1)";
        cold(&format!("tempo(120); input(\"two\", play(\"{pattern}\", {voice})) >> master;"), 96_000)
    };
    let (both, long) = (sound("c4, c4 ~"), sound("c4"));
    let behind = |sound: &[Vec<f64>]| sound[0][60_000..90_000].to_vec();
    assert!(long[0][60_000..90_000].iter().any(|x| x.abs() > 0.05));
    assert_eq!(behind(&both), behind(&long));
}

#[test]
fn two_equal_patterns_on_two_instruments_leave_out_different_notes() {
    let text = |name: &str| format!("input(\"{name}\", play(\"c4*16?\", {CLICK})) >> master;");
    let notes = |name: &str| onsets(&cold(&text(name), 8 * 96_000)[0]);
    assert_ne!(notes("left"), notes("right"));
    assert_eq!(notes("left"), notes("left"));
}
