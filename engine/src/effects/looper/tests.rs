//! What a looper must hold, to the frame.

use super::*;
use crate::kernel::{Buffer, Glide, QUANTUM};
use crate::test_signals::{Bench, noise};
use crate::units::Clock;

/// Frames a second, a bar at 120 beats a minute, and a seam.
const RATE: f64 = 8000.0;
const BAR: usize = 16_000;
const EDGE: usize = 40;

/// A looper on a transport that can be told where to go.
struct Rig {
    recipe: Recipe,
    kernel: Box<dyn Kernel>,
    values: Vec<f64>,
    tempo: Tempo,
    frame: u64,
    rolling: bool,
    moved: bool,
}

impl Rig {
    /// On one channel, at so many beats a minute, heard without what flows in.
    fn new(tempo: f64) -> Rig {
        let clock = Clock { rate: RATE, tempo, beats_per_bar: 4.0 };
        let recipe = Recipe { clock, ..Bench::new(&LOOPER, 1).recipe().clone() };
        let (kernel, values) = ((LOOPER.kernel)(&recipe), recipe.values.clone());
        let rig = Rig { recipe, kernel, values, tempo: Tempo::new(clock), frame: 0, rolling: true, moved: false };
        rig.with("through", 0.0)
    }

    fn set(&mut self, name: &str, value: f64) {
        self.values[LOOPER.index(name).unwrap()] = value;
    }

    fn with(mut self, name: &str, value: f64) -> Rig {
        self.set(name, value);
        self
    }

    /// The frame of a bar's line.
    fn line(&self, bar: usize) -> usize {
        (self.tempo.frame_of_bar(bar as f64) + 0.5).floor() as usize
    }

    fn go_to(&mut self, frame: u64) {
        (self.frame, self.moved) = (frame, true);
    }

    /// Runs a sound, allocating nothing.
    fn run(&mut self, input: &[f64]) -> Vec<f64> {
        let mut output = Vec::with_capacity(input.len());
        let values: Vec<Glide> = self.values.iter().map(|value| Glide::still(*value)).collect();
        let mut done = 0;
        while done < input.len() {
            let within = (self.frame % QUANTUM as u64) as usize;
            let count = (QUANTUM - within).min(input.len() - done);
            let mut audio: [Buffer; 1] = [[0.0; QUANTUM]];
            audio[0][within..within + count].copy_from_slice(&input[done..done + count]);
            let mut io = Io {
                audio: &mut audio,
                channels_in: 1,
                key: &[],
                live: &[],
                frames: within..within + count,
                values: &values,
                settled: false,
                transport: self.frame - within as u64,
                rolling: self.rolling,
                moved: std::mem::take(&mut self.moved),
                tempo: &self.tempo,
                score: None,
                reduced: 0.0,
            };
            assert_no_alloc::assert_no_alloc(|| self.kernel.process(&mut io));
            output.extend_from_slice(&audio[0][within..within + count]);
            done += count;
            if self.rolling {
                self.frame += count as u64;
            }
        }
        output
    }

    /// Runs the part of a sound from where the transport is to a frame of it.
    fn to(&mut self, sound: &[f64], end: usize) -> Vec<f64> {
        self.run(&sound[self.frame as usize..end])
    }

    /// One built anew that has taken up what this one kept.
    fn again(&mut self) -> Rig {
        let mut kept = Ledger::writing();
        self.kernel.keep(&mut kept);
        let mut kept = Ledger::reading(kept.finish().expect("what is written fits"));
        let mut kernel = (LOOPER.kernel)(&self.recipe);
        kernel.keep(&mut kept);
        kept.finish().expect("it is taken up to the last byte");
        let (recipe, values, tempo) = (self.recipe.clone(), self.values.clone(), self.tempo.clone());
        Rig { recipe, kernel, values, tempo, frame: self.frame, rolling: self.rolling, moved: self.moved }
    }

    /// Has recorded a phrase of so many bars of a sound, from bar 0 on, and stands behind it.
    fn recorded(mut self, sound: &[f64], bars: usize) -> Rig {
        self.set("bars", bars as f64);
        self.set("record", 1.0);
        let end = self.line(bars);
        self.to(sound, end);
        self.set("record", 0.0);
        self
    }
}

fn silence(frames: usize) -> Vec<f64> {
    vec![0.0; frames]
}

#[test]
fn a_phrase_is_recorded_and_played_from_bar_line_to_bar_line_to_the_frame() {
    for (tempo, bars) in [(120.0, 1), (113.0, 2), (97.3, 3)] {
        let mut rig = Rig::new(tempo);
        let line: Vec<usize> = (0..9).map(|bar| rig.line(bar)).collect();
        let sound = noise(1, line[8]);
        rig.set("bars", bars as f64);
        let mut heard = rig.to(&sound, 100);
        rig.set("record", 1.0);
        heard.extend(rig.to(&sound, line[8]));
        let (from, to) = (line[1], line[1 + bars]);
        assert!(heard[..to - EDGE].iter().all(|x| *x == 0.0), "nothing is played before it is there");
        for lap in 0..(7 / bars - 1) {
            let (begin, end) = (line[1 + bars * (lap + 1)], line[1 + bars * (lap + 2)]);
            let count = (end - begin).min(to - from) - EDGE;
            assert_eq!(heard[begin..begin + count], sound[from..from + count], "lap {lap} at {tempo}");
        }
    }
}

#[test]
fn what_is_even_stays_even_over_every_seam_and_the_downbeat_is_heard_whole() {
    let mut rig = Rig::new(113.0).with("bars", 1.0);
    let line: Vec<usize> = (0..5).map(|bar| rig.line(bar)).collect();
    let mut sound = vec![0.25; line[4]];
    sound[line[1]] = 1.0;
    rig.to(&sound, 1000);
    rig.set("record", 1.0);
    let heard = [silence(1000), rig.to(&sound, line[4])].concat();
    // From the first of its laps on, which are led into by what sounded before.
    for (i, x) in heard.iter().enumerate().skip(line[2]) {
        let wanted = if line[2..4].contains(&i) { 1.0 } else { 0.25 };
        assert!((x - wanted).abs() < 1e-12, "{x} at {i}");
    }
    assert!(heard[line[2] - EDGE - 1] == 0.0 && heard[line[2] - 1] > 0.24);
    let rises = &heard[line[2] - EDGE..line[2]];
    assert!(rises.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn switched_off_it_records_to_the_end_of_the_bar_and_before_it_has_begun_not_at_all() {
    for (bars, off, wanted) in [(FREE, 22_400, 2), (4.0, 22_400, 2), (4.0, 16_000, 1), (2.0, 47_000, 2), (FREE, 100, 1)]
    {
        let sound = noise(2, 12 * BAR);
        let mut rig = Rig::new(120.0).with("bars", bars).with("record", 1.0);
        rig.to(&sound, off);
        rig.set("record", 0.0);
        rig.to(&sound, 8 * BAR);
        let heard = rig.to(&sound, 12 * BAR);
        let count = wanted * BAR - EDGE;
        assert_eq!(heard[..count], sound[..count], "off at {off} of {bars}");
        let next = wanted * BAR..wanted * BAR + count;
        assert_eq!(heard[next], sound[..count], "off at {off} of {bars}");
    }
    let mut rig = Rig::new(120.0);
    let sound = noise(2, 4 * BAR);
    rig.to(&sound, 100);
    rig.set("record", 1.0);
    rig.to(&sound, 9000);
    rig.set("record", 0.0);
    assert_eq!(rig.to(&sound, 4 * BAR), silence(4 * BAR - 9000));
}

#[test]
fn it_begins_and_ends_to_play_on_bar_lines() {
    let sound = noise(3, 2 * BAR);
    let mut rig = Rig::new(120.0).recorded(&sound, 2);
    rig.run(&silence(1000));
    rig.set("play", 0.0);
    let ends = rig.run(&silence(BAR - 1000));
    assert_eq!(ends[..BAR - 1000 - EDGE], sound[1000..BAR - EDGE]);
    assert_eq!(rig.run(&silence(500)), silence(500));
    rig.set("play", 1.0);
    assert_eq!(rig.run(&silence(BAR - 500 - EDGE)), silence(BAR - 500 - EDGE));
    rig.run(&silence(EDGE));
    assert_eq!(rig.run(&silence(BAR)), sound[..BAR]);
}

#[test]
fn what_is_laid_over_adds_up_and_of_the_old_stays_what_is_said() {
    for feedback in [100.0, 50.0, 0.0] {
        let (sound, more) = (noise(4, BAR), noise(5, BAR));
        let mut rig = Rig::new(120.0).recorded(&sound, 1).with("feedback", feedback).with("overdub", 1.0);
        rig.run(&more);
        rig.set("overdub", 0.0);
        rig.run(&silence(BAR));
        let heard = rig.run(&silence(BAR));
        for i in 2 * EDGE..BAR - EDGE {
            let wanted = feedback / 100.0 * sound[i] + more[i];
            assert!((heard[i] - wanted).abs() < 1e-15, "{} and not {wanted} at {i}", heard[i]);
        }
    }
    // What is even stays so over the seam that it was laid across.
    let mut rig = Rig::new(120.0).with("bars", 1.0);
    rig.run(&[0.25; BAR]);
    rig.set("record", 1.0);
    rig.run(&[0.25; BAR]);
    rig.set("overdub", 1.0);
    rig.run(&[0.5; BAR + BAR / 2]);
    rig.set("overdub", 0.0);
    rig.run(&silence(BAR / 2));
    let heard = rig.run(&silence(BAR));
    assert!(heard[BAR / 2 + EDGE..].iter().all(|x| (x - 0.75).abs() < 1e-12));
}

#[test]
fn where_the_phrase_is_follows_from_the_transport_and_nothing_clicks_on_the_way() {
    let sound = noise(6, 2 * BAR);
    let mut rig = Rig::new(120.0).recorded(&sound, 2);
    rig.run(&silence(640));
    for frame in [64 * 1111, 5 * BAR, 0, 64] {
        rig.go_to(frame as u64);
        let heard = rig.run(&silence(1000));
        let place = frame % (2 * BAR);
        assert_eq!(heard[EDGE..], sound[place + EDGE..place + 1000], "at {frame}");
    }
    rig.rolling = false;
    assert!(rig.run(&silence(QUANTUM))[EDGE..].iter().all(|x| *x == 0.0));
    assert_eq!(rig.run(&silence(QUANTUM)), silence(QUANTUM));
    rig.rolling = true;
    assert_eq!(rig.run(&silence(QUANTUM))[EDGE..], sound[1064 + EDGE..1064 + QUANTUM]);

    let mut rig = Rig::new(120.0).recorded(&[0.5; BAR], 1);
    let mut heard = rig.run(&silence(640));
    rig.go_to(64_000);
    heard.extend(rig.run(&silence(640)));
    rig.rolling = false;
    heard.extend(rig.run(&silence(640)));
    rig.rolling = true;
    heard.extend(rig.run(&silence(640)));
    rig.set("erase", 1.0);
    heard.extend(rig.run(&silence(640)));
    // The steepest of a fade is one and a half times as steep as an even one.
    let step = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
    assert!(step < 0.5 * 1.6 / EDGE as f64, "{step}");
    assert_eq!(heard[4 * 640 + EDGE..], silence(640 - EDGE));
}

#[test]
fn a_recording_that_the_transport_leaves_has_its_whole_bars() {
    let sound = noise(7, 8 * BAR);
    let mut rig = Rig::new(120.0).with("record", 1.0).with("bars", FREE);
    rig.to(&sound, 2 * BAR + 640);
    rig.go_to(4 * BAR as u64);
    assert_eq!(rig.to(&sound, 6 * BAR)[EDGE..2 * BAR - EDGE], sound[EDGE..2 * BAR - EDGE]);
    let mut rig = Rig::new(120.0).with("record", 1.0);
    rig.to(&sound, BAR / 2);
    rig.go_to(4 * BAR as u64);
    rig.run(&silence(EDGE));
    assert_eq!(rig.run(&silence(BAR)), silence(BAR), "no bar was whole");
}

#[test]
fn at_another_tempo_it_begins_anew_on_the_lines_and_its_sound_is_what_it_was() {
    for tempo in [150.0, 100.0] {
        let sound = noise(8, BAR);
        let mut rig = Rig::new(120.0).recorded(&sound, 1);
        rig.tempo.change(BAR as i64, Clock { tempo, ..rig.recipe.clock });
        let line: Vec<usize> = (1..5).map(|bar| rig.line(bar)).collect();
        let heard = rig.run(&silence(line[3] - BAR));
        for bar in 0..3 {
            let (begin, length) = (line[bar] - BAR, line[bar + 1] - line[bar]);
            let count = length.min(BAR) - EDGE;
            assert_eq!(heard[begin..begin + count], sound[..count], "bar {bar} at {tempo}");
            if length > BAR {
                let over = begin + BAR + EDGE..begin + length - EDGE;
                assert!(heard[over].iter().all(|x| *x == 0.0), "it is over before the line");
            }
        }
    }
}

#[test]
fn a_new_phrase_takes_the_place_of_the_old_one_on_its_line() {
    let (old, new) = (noise(9, 2 * BAR), noise(10, BAR));
    let mut rig = Rig::new(120.0).recorded(&old, 2).with("bars", 1.0);
    let before = rig.run(&silence(1000));
    assert_eq!(before, old[..1000]);
    rig.set("record", 1.0);
    let before = rig.run(&silence(BAR - 1000));
    assert_eq!(before[..BAR - 1000 - EDGE], old[1000..BAR - EDGE]);
    let while_recorded = rig.run(&new);
    assert!(while_recorded[..BAR - EDGE].iter().all(|x| *x == 0.0));
    assert_eq!(rig.run(&silence(BAR - EDGE)), new[..BAR - EDGE]);
}

#[test]
fn what_flows_in_passes_as_it_is_and_the_phrase_is_as_loud_as_is_said() {
    let sound = noise(11, 3 * BAR);
    let mut rig = Rig::new(120.0).with("through", 1.0).with("record", 1.0).with("bars", 1.0).with("level", 0.5);
    assert_eq!(rig.to(&sound, BAR)[..BAR - EDGE], sound[..BAR - EDGE]);
    let heard = rig.to(&sound, 2 * BAR);
    assert!((0..BAR - EDGE).all(|i| heard[i] == sound[BAR + i] + 0.5 * sound[i]));
}

#[test]
fn it_goes_on_from_what_was_kept_in_the_middle_of_everything() {
    let sound = noise(12, 6 * BAR);
    let mut rig = Rig::new(113.0).with("bars", 1.0).with("through", 1.0);
    let line: Vec<usize> = (0..6).map(|bar| rig.line(bar)).collect();
    rig.to(&sound, 5000);
    rig.set("record", 1.0);
    // While it waits, records, has just ended, plays, lays over, and fades out.
    for (at, what) in
        [(9000, "record"), (line[1] + 3000, "record"), (line[2] + 17, "record"), (line[2] + 5000, "overdub")]
            .into_iter()
            .chain([(line[3] + 20, "overdub"), (line[4] - 20, "erase")])
    {
        rig.to(&sound, at);
        rig.set(what, 1.0);
        rig.run(&sound[at..at + 7]);
        let mut again = rig.again();
        let next = (at + 2000).min(sound.len());
        assert_eq!(again.to(&sound, next), rig.to(&sound, next), "{what} at {at}");
    }
}

#[test]
fn a_looper_with_nothing_on_it_rests_and_one_with_a_phrase_never_does() {
    let sound = noise(13, BAR);
    let mut empty = Rig::new(120.0);
    empty.run(&silence(QUANTUM * 10));
    let noted = |rig: &mut Rig| Ledger::noting(|ledger| rig.kernel.keep(ledger)).note(|ledger| rig.kernel.keep(ledger));
    assert!(noted(&mut empty));
    let mut rig = Rig::new(120.0).recorded(&sound, 1);
    assert!(!noted(&mut rig));
    rig.set("play", 0.0);
    rig.run(&silence(2 * BAR));
    assert!(!noted(&mut rig));
    rig.set("erase", 1.0);
    rig.run(&silence(QUANTUM * 10));
    assert!(noted(&mut rig));
}

#[test]
fn a_phrase_that_has_no_room_is_refused_with_the_figures() {
    let refused = |tempo: f64, bars: f64| {
        let mut recipe = Rig::new(tempo).recipe;
        recipe.values[LOOPER.index("bars").unwrap()] = bars;
        (LOOPER.channels)(&recipe)
    };
    assert_eq!(refused(120.0, 60.0), Ok(1));
    let why = refused(120.0, 64.0).unwrap_err();
    assert!(why.contains("64 bars is 128.0 s at 120 bpm") && why.contains("60 bars have room"), "{why}");
    assert_eq!(refused(120.0, 2.5).unwrap_err(), "`bars` is 2.5: a phrase has whole bars");
    assert_eq!(refused(20.0, FREE), Ok(1));
}
