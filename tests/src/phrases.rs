//! What is cut into slices, and what a looper records: through texts, edits, controls and checkpoints.

use std::path::Path;

use engine::graph::Graph;
use engine::kernel::QUANTUM;
use engine::motion::EventSource;
use engine::replay::Replay;
use tempfile::TempDir;

use crate::rehearsal::{Rehearsal, cold};
use crate::sessions::{graph, try_graph};

/// A bar at 120 beats a minute.
const BAR: usize = 96_000;

/// Frames over which slices go out.
const EDGE: usize = 48;

/// A bar of noise in two channels, and its file.
fn bar_of_noise(folder: &Path) -> (Vec<Vec<f64>>, String) {
    let path = folder.join("bar.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(&path, spec).expect("it can be written");
    let (mut sound, mut state) = (vec![Vec::new(); 2], 1u64);
    for i in 0..2 * BAR {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let x = ((state >> 40) as f64 / f64::from(1 << 24) - 0.5) as f32;
        writer.write_sample(x).expect("it can be written");
        sound[i % 2].push(f64::from(x));
    }
    writer.finalize().expect("it can be written");
    (sound, format!("\"{}\"", path.display()))
}

/// What a source gives, alone.
fn heard(source: &str, frames: usize) -> Vec<Vec<f64>> {
    cold(&format!("input(\"a\", {source}) >> master;"), frames)
}

fn largest_difference(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.iter().zip(b));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn slices_in_their_order_are_the_clip_that_they_were_cut_from() {
    let folder = TempDir::new().expect("there is room");
    let (_, path) = bar_of_noise(folder.path());
    for (pattern, made, slices, frames) in [
        ("\"0 1 2 3 4 5 6 7\"", "", 8, BAR),
        ("\"0 1 2 3 4 5 6\"", "", 7, BAR),
        ("\"0 1 2 3\"", ".pitch(3)", 4, BAR),
        ("\"0 1 2 3\"", ".speed(-1)", 4, BAR),
        ("\"0 1 2 3 4 5 6 7\".slow(2)", ".bars(2)", 8, 2 * BAR),
        ("\"8 9 -6 11\"", ".channels(2)", 4, BAR),
    ] {
        let clip = heard(&format!("clip({path}){made}"), frames);
        let ways = [format!("clip({path}){made}.slice({slices})"), format!("clip({path}).slice({slices}){made}")];
        // What takes long to make is made once.
        for sliced in ways.into_iter().take(if made.starts_with(".speed") { 2 } else { 1 }) {
            let played = heard(&format!("play({pattern}, {sliced})"), frames);
            let difference = largest_difference(&clip, &played);
            assert!(difference < 1e-12, "{pattern} of {sliced}: {difference}");
        }
    }
}

#[test]
fn a_slice_has_the_bits_of_the_file_to_its_end_or_until_the_next_one_is_struck() {
    let folder = TempDir::new().expect("there is room");
    let (file, path) = bar_of_noise(folder.path());
    let part = BAR / 4;
    let played = heard(&format!("play(\"3 1\", clip({path}).slice(4))"), BAR);
    for (channel, file) in played.iter().zip(&file) {
        assert_eq!(channel[..part], file[3 * part..]);
        assert!(channel[part..2 * part].iter().all(|x| *x == 0.0));
        assert_eq!(channel[2 * part..3 * part], file[part..2 * part]);
        assert!(channel[3 * part + EDGE..].iter().all(|x| *x == 0.0));
        let behind = channel[3 * part..3 * part + EDGE].iter().zip(file[..2 * part].iter().rev());
        assert!(behind.clone().all(|(x, own)| x.abs() <= own.abs()), "it fades over what is its own");
    }
    let cut = heard(&format!("play(\"0 1\", clip({path}).slice(1))"), BAR);
    for (channel, file) in cut.iter().zip(&file) {
        assert_eq!(channel[..2 * part], file[..2 * part]);
        assert_eq!(channel[2 * part + EDGE..], file[EDGE..2 * part]);
    }
    let soft = heard(&format!("play(\"0\", clip({path}).slice(1)).velocity(0.5)"), 1000);
    assert!(soft[0].iter().zip(&file[0]).all(|(soft, x)| (soft - x / 4.0).abs() < 1e-12));
}

#[test]
fn slices_of_a_part_lie_within_it() {
    let folder = TempDir::new().expect("there is room");
    let (file, path) = bar_of_noise(folder.path());
    let played = heard(&format!("play(\"1\", clip({path}).from(500.ms).to(1.s).slice(2))"), BAR);
    assert_eq!(played[0][EDGE..12_000], file[0][36_000 + EDGE..48_000]);
    assert!(played[0][12_000 + EDGE..].iter().all(|x| *x == 0.0));
}

/// A session with a looper through which a source flows.
fn looped(settings: &str) -> String {
    format!("let a = input(\"a\", noise(\"pink\")); a >> looper(\"riff\").through(off){settings} >> master;")
}

#[test]
fn its_switches_are_thrown_by_lines_and_by_every_control() {
    let source = cold("input(\"a\", noise(\"pink\")) >> master;", BAR);
    for settings in [
        ".bars(1).record()",
        ".bars(1).record(automate([[0, on], [2, off]]).hold())",
        ".bars(1).record(steps(\"1 0\")).play(midi_cc(20).start(on))",
        ".bars(1).record(lfo(1.bars).shape(\"square\"))",
    ] {
        let heard = cold(&looped(settings), 2 * BAR);
        assert_eq!(heard[0][BAR..2 * BAR - 240], source[0][..BAR - 240], "{settings}");
        assert!(heard[0][..BAR - 240].iter().all(|x| *x == 0.0), "{settings}");
    }
    // On a line it is on that line.
    let late = cold(&looped(".bars(4).record(automate([[0, off], [4, on], [8, off]]).hold())"), 4 * BAR);
    let source = cold("input(\"a\", noise(\"pink\")) >> master;", 2 * BAR);
    for bar in [2, 3] {
        assert_eq!(late[0][bar * BAR..(bar + 1) * BAR - 240], source[0][BAR..2 * BAR - 240], "in bar {bar}");
    }
    assert!(late[0][..2 * BAR - 240].iter().all(|x| *x == 0.0));
    let told = try_graph(&looped(".record(3)")).expect_err("a switch is on or off");
    assert!(told.contains("expected true or false"), "{told}");
}

#[test]
fn edits_of_other_things_and_of_its_numbers_leave_the_phrase_alone() {
    let mut rehearsal = Rehearsal::new(&looped(".bars(1).record()"));
    rehearsal.run(BAR + 6400);
    rehearsal.edit(&format!("{} input(\"b\", sine(100).level(off)) >> master;", looped(".bars(1).record()")));
    rehearsal.run(6400);
    rehearsal.edit(&looped(".bars(4).record().feedback(50).level(-6)"));
    rehearsal.run(2 * BAR - 12_800);
    let sound = &rehearsal.sound[0];
    let (first, gain) = (&sound[BAR..BAR + 12_000], 10f64.powf(-6.0 / 20.0));
    let later = &sound[2 * BAR..2 * BAR + 12_000];
    assert!(first.iter().any(|x| x.abs() > 0.01));
    assert!(first.iter().zip(later).all(|(a, b)| (gain * a - b).abs() < 1e-12));
}

#[test]
fn a_loop_goes_on_from_a_checkpoint_in_the_middle_bit_for_bit() {
    let stage = |settings: &str| {
        graph(&format!(
            "tempo(300); let a = input(\"a\", noise(\"pink\"));
            a >> looper(\"riff\").bars(1).play(midi_cc(20).start(on)){settings} >> master;"
        ))
    };
    let graphs: [Graph; 4] =
        [stage(""), stage(".record()"), stage(".overdub().feedback(70)"), stage(".through(off).level(-3)")];
    let edits = [60u64, 900, 1400];
    let now = |quantum: u64| edits.iter().filter(|edit| **edit <= quantum).count();
    let happens = |replay: &mut Replay| {
        let quantum = replay.frame() / QUANTUM as u64;
        if edits.contains(&quantum) {
            let serial = now(quantum);
            replay.edit(&graphs[serial], serial as u64, None).expect("it is another");
        }
        let pad = EventSource::Midi { channel: None, controller: 20 };
        match quantum {
            1900 => replay.control(&pad, 0.0),
            2450 => replay.control(&pad, 1.0),
            _ => {}
        }
    };
    let bits = |replay: &Replay| replay.master(1)[0].map(f64::to_bits);
    let mut replay = Replay::open(&graphs[0], None).expect("the plan proves right");
    let (mut whole, mut checkpoints) = (Vec::new(), Vec::new());
    for quantum in 0..3100u64 {
        happens(&mut replay);
        replay.quantum(&[], &[]);
        whole.push(bits(&replay));
        // While it waits, records, has just ended, lays over, plays on and is silent.
        if [300, 800, 1201, 1300, 1850, 2200, 2500].contains(&quantum) {
            checkpoints.push((now(quantum), replay.frame(), replay.checkpoint().expect("nothing fades")));
        }
    }
    let differing = |from: usize, to: usize| whole[from..from + 100] != whole[to..to + 100];
    assert!(differing(1250, 1850) && differing(1850, 2450), "it is heard, and changes");
    for (serial, frame, kept) in checkpoints {
        let mut replay = Replay::resume(&graphs[serial], None, kept).expect("it is of this graph");
        let begun = frame as usize / QUANTUM;
        for wanted in &whole[begun..(begun + 700).min(whole.len())] {
            happens(&mut replay);
            replay.quantum(&[], &[]);
            assert!(bits(&replay) == *wanted, "from frame {frame} at {}", replay.frame());
        }
    }
}
