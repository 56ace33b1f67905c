//! A desk that is played by hand, and what is written of it.

use std::path::Path;

use engine::desk::Desk;
use engine::graph::{Graph, prepare};
use engine::live::{Listener, Live, Player, Report, Setup, start};
use engine::media::Library;
use engine::playback::{Capture, Playback};
use engine::rolling::{MOST, Series};
use engine::session::Session;
use engine::tap::{Wanted, What};
use tempfile::TempDir;

use super::*;
use crate::load;
use crate::recorder::Expected;
use crate::render::stem_name;

const RATE: u32 = 48_000;

/// Channels of live input.
const INPUTS: usize = 2;

fn session(text: &str) -> (Graph, Session) {
    let evaluated = scripting::evaluate_text(Path::new("test.rhai"), text);
    let prepared = prepare(evaluated.session.expect("the text is right"), &Library::new());
    (prepared.graph.expect("it can sound"), prepared.session.expect("the text is right"))
}

/// A desk, and a writer for each of its recordings.
struct Stage {
    folder: TempDir,
    desk: Desk,
    live: Live,
    player: Player,
    listener: Listener,
    heard: Vec<(String, Vec<u16>)>,
    layouts: [Sender<(u64, Layout)>; 3],
    master: Writer,
    stems: Writer,
    inputs: Writer,
    /// What the device was given, interleaved.
    sound: Vec<f32>,
    /// Quanta that found no room.
    late: usize,
}

impl Stage {
    fn new(text: &str, limit: u64, patience: usize) -> Self {
        let folder = TempDir::new().expect("there is room");
        std::fs::create_dir(folder.path().join("takes")).expect("it can be made");
        let (graph, session) = session(text);
        let (desk, program) = Desk::open(&graph, Some("master")).expect("the plan proves right");
        let heard = load::live_inputs(&session);
        let first = Expected::of(&program, &heard);
        let keep = Wanted { master: true, stems: true, inputs: 1 };
        let (live, player, listener, mut recordings) =
            start(program, Setup { rate: RATE, keep, inputs: INPUTS, cushion: 0 });
        let mut channels = Vec::new();
        let mut writer = |recording: Option<Recording>, layout: Layout, name: fn(&str) -> String| {
            let (layouts, expected) = mpsc::channel();
            channels.push(layouts);
            let folder = folder.path().join("takes");
            let job = Job {
                recording: recording.expect("it is wanted"),
                name: Box::new(move |key| Ok(folder.join(name(key)))),
                rate: RATE,
                frames: u64::MAX,
                whole: true,
                limit,
                patience,
            };
            Writer::new(job, expected, first.serial, layout).expect("the files can be made")
        };
        let master = writer(recordings.master, first.master, |_| "take.wav".into());
        let stems = writer(recordings.stems, first.stems, |cable| stem_name("night", cable, "master"));
        let inputs = writer(recordings.inputs.pop(), first.inputs, |input| format!("night-{input}-in.wav"));
        let layouts = channels.try_into().expect("there are three");
        let (sound, late) = (Vec::new(), 0);
        Stage { folder, desk, live, player, listener, heard, layouts, master, stems, inputs, sound, late }
    }

    fn send(&mut self, program: Box<engine::compile::Program>) {
        let next = Expected::of(&program, &self.heard);
        let layouts = [next.master, next.stems, next.inputs];
        for (to, layout) in self.layouts.iter().zip(layouts).skip(1) {
            to.send((next.serial, layout)).expect("the writer listens");
        }
        assert!(self.live.send(program).is_ok(), "nothing is in flight");
    }

    fn edit(&mut self, text: &str) {
        let (graph, session) = session(text);
        self.heard = load::live_inputs(&session);
        let (program, _) = self.desk.edit(&graph, None).expect("the plan proves right").expect("it changes something");
        self.send(program);
    }

    /// Plays so many quanta, with a live input that is never twice the same, and nobody emptying the rings.
    fn play(&mut self, quanta: usize) {
        for _ in 0..quanta {
            let first = self.sound.len() as f32;
            let input: Vec<f32> = (0..INPUTS * QUANTUM).map(|i| (first + i as f32) / (1 << 24) as f32).collect();
            self.listener.take(&input, INPUTS);
            let mut block = [0.0; 2 * QUANTUM];
            self.player.fill(&mut block, 2);
            self.sound.extend(block);
            for report in self.live.reports() {
                match report {
                    Report::TakenUp { taken, .. } => self.desk.taken_up(taken),
                    Report::RecordLate { .. } => self.late += 1,
                    _ => {}
                }
            }
            if let Some(program) = self.desk.settle(self.live.clock()).expect("the plan proves right") {
                self.send(program);
            }
        }
    }

    /// Empties the rings.
    fn write(&mut self) {
        let mut sound = Vec::new();
        for writer in [&mut self.master, &mut self.stems, &mut self.inputs] {
            writer.drain(&mut sound);
            writer.flush();
        }
    }

    /// Plays so long that what an edit began is over.
    fn run(&mut self) {
        self.play(30);
        self.write();
        self.play(33);
    }

    /// Ends, and gives where the files are and what the device was given.
    fn end(mut self) -> (TempDir, Vec<f32>) {
        self.write();
        for writer in [self.master, self.stems, self.inputs] {
            assert_eq!(writer.close().expect("all is written"), (self.sound.len() / 2) as u64);
        }
        (self.folder, self.sound)
    }
}

/// A file, or series of them, interleaved.
fn heard(folder: &Path, name: &str) -> Vec<f32> {
    let mut series = Series::open(&folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (mut all, mut some) = (Vec::new(), vec![0.0; 4096 * series.channels()]);
    loop {
        match series.read(&mut some).expect("it can be read") {
            0 => return all,
            frames => all.extend(&some[..frames * series.channels()]),
        }
    }
}

#[test]
fn stems_add_up_to_the_master_through_edits_and_are_of_one_length() {
    let (a, b, c) =
        ("input(\"a\", sine(220)) >> fader(-6)", "input(\"b\", saw(110)) >> fader(-9)", "input(\"c\", noise())");
    // Files of a thousand frames, so that they are also put together again.
    let mut stage = Stage::new(&format!("{a} >> master; {b} >> master;"), 68 + 8 * 1000, usize::MAX);
    stage.run();
    let edit = stage.sound.len() / 2;
    stage.edit(&format!("{a} >> master; {b} >> master; {c} >> fader(-12) >> master;"));
    stage.run();
    // The cable stays and what it carries is another, so that both sound at once under one name.
    stage.edit(&format!("{b} >> master; {c} >> low_pass(900) >> fader(-3) >> master;"));
    stage.run();
    stage.edit(&format!("{a} >> master; {c} >> low_pass(900) >> fader(-3) >> pan(0.5) >> master;"));
    stage.run();
    let (folder, sound) = stage.end();
    let folder = folder.path().join("takes");

    let master = heard(&folder, "take.wav");
    assert_eq!(master.len(), sound.len());
    let differs = master.iter().zip(&sound).position(|(a, b)| a.to_bits() != b.to_bits());
    assert_eq!(differs, None, "the sample from which on it is not what was played");

    let stems = ["a", "b", "c"].map(|name| heard(&folder, &format!("night-{name}.wav")));
    assert_eq!(stems.each_ref().map(Vec::len), [sound.len(); 3]);
    for (i, played) in sound.iter().enumerate() {
        let sum: f64 = stems.iter().map(|stem| f64::from(stem[i])).sum();
        // Four roundings to single precision of what is below 2.
        assert!((sum - f64::from(*played)).abs() <= 4.0 * f64::from(f32::EPSILON), "sample {i}: {sum}, not {played}");
    }
    let begins = |stem: &[f32]| stem.iter().position(|x| *x != 0.0).expect("it sounds") / 2;
    let [_, b, c] = &stems;
    assert!((edit..edit + 2 * QUANTUM).contains(&begins(c)), "{} of {edit}", begins(c));
    assert!(b[b.len() - 2 * QUANTUM..].iter().all(|x| *x == 0.0), "what is unplugged is silent in the end");
}

#[test]
fn a_recording_that_begins_while_it_plays_is_what_was_played_from_there_on() {
    let text = "input(\"a\", sine(220)) >> fader(-6) >> master; input(\"b\", saw(110)) >> fader(-9) >> master;";
    let mut stage = Stage::new(text, MOST, usize::MAX);
    stage.play(63);
    let begin = stage.sound.len();
    let (mut master, mut stems) = (Layout::default(), Layout::default());
    master.add("master", 0..2);
    stems.add("a>master", 0..2);
    stems.add("b>master", 2..4);
    assert_eq!(stems.channels(), 4);
    let folder = stage.folder.path().join("takes");
    let mut writers = [(What::Master, master), (What::Stems(4), stems)].map(|(what, layout)| {
        let folder = folder.clone();
        let job = Job {
            recording: stage.live.record(what).expect("it can begin"),
            name: Box::new(move |name| Ok(folder.join(stem_name("later", name, "master")))),
            rate: RATE,
            frames: u64::MAX,
            whole: false,
            limit: MOST,
            patience: usize::MAX,
        };
        Writer::new(job, mpsc::channel().1, 0, layout).expect("the files can be made")
    });
    let mut sound = Vec::new();
    for _ in 0..3 {
        stage.play(21);
        writers.iter_mut().for_each(|writer| writer.drain(&mut sound));
    }
    let (played, late) = (&stage.sound[begin..], stage.late);
    let frames = (played.len() / 2) as u64;
    writers.into_iter().for_each(|writer| assert_eq!(writer.close().expect("all is written"), frames));
    assert_eq!((late, frames), (0, 63 * QUANTUM as u64));
    assert_eq!(heard(&folder, "later-master.wav"), played);
    let [a, b] = ["a", "b"].map(|name| heard(&folder, &format!("later-{name}.wav")));
    assert_eq!([a.len(), b.len()], [played.len(); 2]);
    // Three roundings to single precision of what is below 2.
    let sums = a.iter().zip(&b).map(|(a, b)| f64::from(*a) + f64::from(*b));
    assert!(sums.zip(played).all(|(sum, x)| (sum - f64::from(*x)).abs() <= 3.0 * f64::from(f32::EPSILON)));
}

#[test]
fn frame_0_of_every_file_is_transport_frame_0() {
    let text = "input(\"i\", impulse(1).level(-12)) >> limiter(-1) >> master; input(\"j\", sine(220)) >> bus(\"k\");
        master >> limiter(-1) >> output(1, 2);";
    let mut stage = Stage::new(text, MOST, usize::MAX);
    stage.play(40);
    stage.write();
    for writer in [stage.master, stage.stems, stage.inputs] {
        writer.close().expect("all is written");
    }
    let level = engine::math::gain_from_db(-12.0) as f32;
    for name in ["take.wav", "night-i.wav"] {
        let sound = heard(&stage.folder.path().join("takes"), name);
        assert_eq!(sound[..2], [level, level], "{name}");
        assert!(sound[2..].iter().all(|x| *x == 0.0), "{name}");
    }
}

#[test]
fn live_inputs_are_kept_as_they_were_used_by_their_channels() {
    let mut stage = Stage::new("input(\"voice\", device(2)) >> master;", 68 + 4 * 500, usize::MAX);
    stage.run();
    let edit = stage.sound.len() / 2;
    stage.edit(
        "input(\"voice\", device(2)) >> master; input(\"both\", device(2, 1)) >> fader(-60) >> bus(\"b\") >> master;",
    );
    stage.run();
    let (folder, sound) = stage.end();
    let folder = folder.path().join("takes");
    let (voice, both) = (heard(&folder, "night-voice-in.wav"), heard(&folder, "night-both-in.wav"));
    let played: Vec<f32> = sound[..2 * edit].iter().step_by(2).copied().collect();
    assert!(voice[..edit] == played[..], "what the voice alone gave is what came in");
    assert_eq!((voice.len(), both.len()), (sound.len() / 2, sound.len()));
    assert!(both[..2 * edit].iter().all(|x| *x == 0.0));
    for frame in edit + QUANTUM..voice.len() {
        assert_eq!(both[2 * frame].to_bits(), voice[frame].to_bits(), "frame {frame}");
        assert_eq!(both[2 * frame + 1], voice[frame] - 1.0 / (1 << 24) as f32, "frame {frame}");
    }
}

#[test]
fn what_found_no_room_is_silence_so_that_the_rest_is_in_time() {
    let mut stage = Stage::new("input(\"a\", sine(220)) >> master;", MOST, usize::MAX);
    // The rings hold 8 seconds.
    stage.play(10 * RATE as usize / QUANTUM);
    assert!(stage.late > 0, "it is told");
    stage.write();
    stage.play(QUANTUM);
    let (folder, sound) = stage.end();
    for name in ["take.wav", "night-a.wav"] {
        let kept = heard(&folder.path().join("takes"), name);
        assert_eq!(kept.len(), sound.len());
        let (whole, again) = (2 * 7 * RATE as usize, 2 * 10 * RATE as usize);
        assert!(kept[..whole] == sound[..whole] && kept[again..] == sound[again..], "{name}");
        assert!(kept[2 * 9 * RATE as usize..again].iter().all(|x| *x == 0.0), "{name}");
    }
}

#[test]
fn a_disk_that_takes_nothing_for_a_while_costs_nothing() {
    let mut stage = Stage::new("input(\"a\", sine(220)) >> master;", 68 + 8 * 500, usize::MAX);
    stage.play(20);
    stage.write();
    let (takes, moved) = (stage.folder.path().join("takes"), stage.folder.path().join("moved"));
    // Without their folder no further file can be made.
    std::fs::rename(&takes, &moved).expect("it can be moved");
    for _ in 0..3 {
        stage.play(20);
        stage.write();
        assert!(stage.master.told && stage.stems.told && !stage.master.ended);
    }
    std::fs::rename(&moved, &takes).expect("it can be moved");
    stage.play(20);
    stage.write();
    assert!(!stage.master.told && !stage.stems.told);
    let (folder, sound) = stage.end();
    for name in ["take.wav", "night-a.wav"] {
        assert!(heard(&folder.path().join("takes"), name) == sound, "{name}");
    }
}

#[test]
fn a_disk_that_stays_full_ends_the_recording_and_nothing_else() {
    let mut stage = Stage::new("input(\"a\", sine(220)) >> master;", 68 + 8 * 500, 10_000);
    let (takes, moved) = (stage.folder.path().join("takes"), stage.folder.path().join("moved"));
    std::fs::rename(&takes, &moved).expect("it can be moved");
    for _ in 0..20 {
        stage.play(10);
        stage.write();
    }
    assert!(stage.master.ended && stage.master.files.is_empty(), "nothing is held for ever");
    assert_eq!(stage.late, 0, "the ring is emptied all the same");
    assert!(stage.live.transport() > 200 * QUANTUM as u64 - 1 && stage.master.now == 200 * QUANTUM as u64);
    assert!(stage.master.close().is_err() && stage.stems.close().is_err());
    let kept = heard(&moved, "take.wav");
    assert_eq!(kept.len(), 2 * 500);
    assert!(kept[..] == stage.sound[..2 * 500], "what is written stays");
}

#[test]
fn a_recording_that_never_began_leaves_no_file() {
    let stage = Stage::new("input(\"a\", sine(220)) >> master;", MOST, usize::MAX);
    let takes = stage.folder.path().join("takes");
    assert_eq!(std::fs::read_dir(&takes).expect("it is there").count(), 2);
    for writer in [stage.master, stage.stems, stage.inputs] {
        assert_eq!(writer.close().expect("nothing failed"), 0);
    }
    assert_eq!(std::fs::read_dir(&takes).expect("it is there").count(), 0);
}

#[test]
fn exactly_the_frames_that_were_asked_for_are_kept() {
    let mut stage = Stage::new("input(\"a\", sine(220)) >> master;", MOST, usize::MAX);
    for writer in [&mut stage.master, &mut stage.stems, &mut stage.inputs] {
        writer.job.frames = 1001;
    }
    stage.play(50);
    stage.write();
    for writer in [stage.master, stage.stems, stage.inputs] {
        assert_eq!(writer.close().expect("all is written"), 1001);
    }
    for name in ["take.wav", "night-a.wav"] {
        assert!(heard(&stage.folder.path().join("takes"), name) == stage.sound[..2 * 1001], "{name}");
    }
}
