//! `gainstage render`: what is in the files, and what is left when there is none.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use engine::media::Library;
use hound::{SampleFormat, WavReader, WavSpec};
use tempfile::TempDir;

use super::{BAD, folder};
use crate::program::{Running, done_in, examples, run_in};

/// A mono session of a full second's worth of everything, without an end.
const TONE: &str = r#"tempo(120); input("a", sine(1000).level(-6)) >> saturate(3) >> fader(-3) >> master;"#;

/// Two strips, one of them late, and a master that does something.
const MIX: &str = r#"
let a = input("a", sine(220));
let b = input("b", saw(330));
let room = bus("room");
b >> pan(-0.3) >> saturate(6) >> send(room, -9) >> fader(-4) >> master;
a >> fader(-4) >> master;
a >> polarity() >> pan(0.5) >> fader(-20) >> cable("back") >> master;
room >> reverb().decay(0.4.s) >> master;
"#;
const MASTER: &str = "master >> eq().bell(300, 4, 1) >> limiter(-1);";

/// The samples of a float WAV file, interleaved.
pub fn wav(path: &Path) -> Vec<f32> {
    let mut file = WavReader::open(path).expect("it is a WAV file");
    assert_eq!(file.spec().sample_format, SampleFormat::Float);
    file.samples().collect::<Result<_, _>>().expect("it is whole")
}

/// The samples of an integer WAV file as fractions of full scale, interleaved.
fn integers(path: &Path, bits: u16) -> Vec<f64> {
    let mut file = WavReader::open(path).expect("it is a WAV file");
    assert_eq!((file.spec().sample_format, file.spec().bits_per_sample), (SampleFormat::Int, bits));
    let scale = f64::from(1 << (bits - 1));
    file.samples::<i32>().map(|x| f64::from(x.expect("it is whole")) / scale).collect()
}

fn form(path: &Path) -> (WavSpec, u32) {
    let file = WavReader::open(path).expect("it is a WAV file");
    (file.spec(), file.duration())
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("it can be listed");
    entries.map(|entry| entry.expect("it is there").file_name().into_string().expect("it is text")).collect()
}

/// Renders a session with these options, each parted from the next by a space.
fn render(folder: &TempDir, options: &str) {
    let arguments: Vec<&str> = ["render", "session.rhai"].into_iter().chain(options.split(' ')).collect();
    let ran = done_in(folder.path(), &arguments);
    assert_eq!(ran.out, "", "files are the result");
}

fn differ(folder: &TempDir, one: &str, other: &str) -> bool {
    fs::read(folder.path().join(one)).expect("it is written") != fs::read(folder.path().join(other)).expect("so is it")
}

#[test]
fn two_renders_are_the_same_file() {
    for options in ["--bits 16", "--bits 24", "--bits 32f", "--rate 44100"] {
        let folder = folder(&format!("{MIX}{MASTER}"));
        for name in ["one", "two"] {
            render(&folder, &format!("-o {name}.wav --length 0.3s {options}"));
        }
        assert!(!differ(&folder, "one.wav", "two.wav"), "{options}");
    }
    let folder = folder(TONE);
    for name in ["one", "two"] {
        render(&folder, &format!("-o {name}.flac --length 0.3s"));
    }
    assert!(!differ(&folder, "one.flac", "two.flac"));
}

#[test]
fn integers_hold_the_float_to_within_the_dither() {
    let folder = folder(TONE);
    render(&folder, "-o float.wav --length 0.2s --bits 32f");
    let float = wav(&folder.path().join("float.wav"));
    for bits in [16u16, 24] {
        render(&folder, &format!("-o int.wav --length 0.2s --bits {bits}"));
        render(&folder, &format!("-o int.flac --length 0.2s --bits {bits}"));
        let int = integers(&folder.path().join("int.wav"), bits);
        assert_eq!(int.len(), float.len());
        // Rounding is half a step, triangular dither reaches one; a float of 24 bits is exact to a quarter of one here.
        let step = 1.0 / f64::from(1 << (bits - 1));
        let worst = int.iter().zip(&float).map(|(a, b)| (a - f64::from(*b)).abs()).fold(0.0, f64::max);
        assert!(worst <= 1.75 * step, "{bits} bits are off by {} steps", worst / step);
        assert!(worst >= 0.5 * step, "{bits} bits have no dither: off by {} steps", worst / step);

        let flac = Library::new().open(&folder.path().join("int.flac"), 48_000).expect("it is a FLAC file");
        let channels = flac.memory().expect("it is short");
        let flac = (0..channels[0].len()).flat_map(|i| channels.iter().map(move |channel| f64::from(channel[i])));
        assert!(int.iter().copied().eq(flac), "FLAC and WAV of {bits} bits differ");
    }
    render(&folder, "-o unsaid.wav --length 0.2s");
    assert!(!differ(&folder, "unsaid.wav", "int.wav"), "24 bits unless said");
}

#[test]
fn a_length_is_seconds_bars_or_frames() {
    let folder = folder(TONE);
    for (length, frames) in [("0.25s", 12_000), ("0.5bars", 48_000), ("1bar", 96_000), ("1000f", 1000), ("1f", 1)] {
        render(&folder, &format!("-o mix.wav --length {length}"));
        assert_eq!(form(&folder.path().join("mix.wav")).1, frames, "{length}");
    }
}

#[test]
fn another_rate_is_the_same_sound() {
    let folder = folder(TONE);
    render(&folder, "-o mix.wav --length 1s --rate 44100 --bits 32f");
    let path = folder.path().join("mix.wav");
    let (spec, frames) = form(&path);
    assert_eq!((spec.sample_rate, frames), (44_100, 44_100));
    let left: Vec<f32> = wav(&path).into_iter().step_by(usize::from(spec.channels)).collect();
    let rising = left[441..].windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    assert!((989..=991).contains(&rising), "0.99 s of 1 kHz has {rising} periods");
}

/// A second's tenth of noise, as a file of one channel.
fn burst(folder: &TempDir) {
    let spec = WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut file = hound::WavWriter::create(folder.path().join("burst.wav"), spec).expect("it can be written");
    let mut state = 1u32;
    for _ in 0..4800 {
        // A linear congruential generator (Numerical Recipes).
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        file.write_sample((state >> 18) as i16).expect("it can be written");
    }
    file.finalize().expect("it can be written");
}

#[test]
fn what_ends_is_rendered_to_the_end_of_its_tail() {
    let folder = folder(r#"input("a", clip("burst.wav")) >> reverb().decay(0.3.s).predelay(0) >> master;"#);
    burst(&folder);
    render(&folder, "-o whole.wav --bits 32f");
    render(&folder, "-o more.wav --bits 32f --length 2s");
    let (whole, more) = (wav(&folder.path().join("whole.wav")), wav(&folder.path().join("more.wav")));
    assert!(whole.len() > 2 * (4800 + 14_400), "the clip and 60 dB of decay are {} frames", whole.len() / 2);
    assert!(whole.len() < more.len());
    assert_eq!(whole[..], more[..whole.len()]);
    let peak = |sound: &[f32]| sound.iter().fold(0.0, |peak: f32, x| peak.max(x.abs()));
    assert!(peak(&more[whole.len()..]) <= peak(&whole) * 1e-3, "more than -60 dB is cut off");
}

#[test]
fn what_never_ends_must_be_told_how_long() {
    let folder = folder(TONE);
    let ran = run_in(folder.path(), &["render", "session.rhai", "-o", "mix.wav"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("nothing in this session ever ends") && ran.err.contains("--length 30s"), "{ran:?}");
    assert_eq!(names(folder.path()), BTreeSet::from(["session.rhai".into()]));
}

/// That the stems of a place, in path order, add up to what a file holds.
fn adds_up(folder: &TempDir, stems: &[&str], mix: &str) {
    let mix = wav(&folder.path().join(mix));
    let mut sum = vec![0.0; mix.len()];
    for stem in stems {
        let path = folder.path().join("stems").join(stem);
        let channels = form(&path).0.channels;
        assert_eq!(channels, 2, "{stem}");
        let stem = wav(&path);
        assert_eq!(stem.len(), sum.len());
        sum.iter_mut().zip(stem).for_each(|(sum, x)| *sum += f64::from(x));
    }
    let worst = sum.iter().zip(&mix).map(|(a, b)| (a - f64::from(*b)).abs()).fold(0.0, f64::max);
    assert!(worst <= 4.0 * f64::from(f32::EPSILON), "they are off by {worst}");
    assert!(mix.iter().any(|x| x.abs() > 0.1), "it sounds");
}

#[test]
fn stems_add_up_to_the_mix_before_the_masters_own_effects() {
    let folder = folder(&format!("{MIX}{MASTER}"));
    render(&folder, "--stems stems --length 0.5s");
    let stems = ["session-a.wav", "session-a-back.wav", "session-b.wav", "session-room.wav"];
    assert_eq!(names(&folder.path().join("stems")), stems.map(String::from).into());
    super::write(folder.path(), MIX);
    render(&folder, "-o mix.wav --bits 32f --length 0.5s");
    adds_up(&folder, &stems, "mix.wav");
}

#[test]
fn stems_of_a_bus_add_up_to_what_is_plugged_into_it() {
    let strips = r#"
    let band = bus("band");
    input("a", sine(220)) >> pan(0.2) >> fader(-3) >> band;
    input("b", saw(330)) >> saturate(6) >> pan(-0.2) >> band;
    band >> BAND master;
    "#;
    let folder = folder(&strips.replace("BAND", "eq().bell(300, 6, 1) >>"));
    render(&folder, "--stems stems --stems-of band --length 0.2s");
    let stems = ["session-a.wav", "session-b.wav"];
    assert_eq!(names(&folder.path().join("stems")), stems.map(String::from).into());
    super::write(folder.path(), &strips.replace("BAND", ""));
    render(&folder, "-o mix.wav --bits 32f --length 0.2s");
    adds_up(&folder, &stems, "mix.wav");
    let unknown =
        run_in(folder.path(), &["render", "session.rhai", "--stems", "s", "--stems-of", "bnad", "--length", "1s"]);
    assert_eq!(unknown.status, 1);
    assert!(unknown.err.contains("bnad"), "{unknown:?}");
}

#[test]
fn outputs_are_counted_from_the_lowest_channels() {
    let folder = folder(
        r#"
        let a = input("a", sine(220).level(-6));
        a >> fader(-6) >> master;
        let cans = bus("cans");
        a >> fader(-12) >> cans;
        cans >> output(3, 4);
        master >> output(1, 2);
        "#,
    );
    let peak = |name: &str| wav(&folder.path().join(name)).into_iter().fold(0.0, |peak: f32, x| peak.max(x.abs()));
    render(&folder, "-o one.wav --bits 32f --length 0.1s");
    render(&folder, "-o two.wav --bits 32f --length 0.1s --output 2");
    let db = |gain: f32| 20.0 * gain.log10();
    assert!((db(peak("one.wav")) + 12.0).abs() < 0.01, "{}", db(peak("one.wav")));
    assert!((db(peak("two.wav")) + 18.0).abs() < 0.01, "{}", db(peak("two.wav")));
    let ran = run_in(folder.path(), &["render", "session.rhai", "-o", "x.wav", "--output", "3", "--length", "1s"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("--output 3"), "{ran:?}");
}

#[test]
fn a_live_input_hears_a_file_or_silence_and_nothing_unsaid() {
    let folder = folder(r#"input("voice", device(1)) >> gain(-6) >> master;"#);
    burst(&folder);
    let unsaid = run_in(folder.path(), &["render", "session.rhai", "-o", "mix.wav", "--length", "0.1s"]);
    assert_eq!(unsaid.status, 1);
    assert!(unsaid.err.contains("--input voice=FILE"), "{unsaid:?}");
    let nobody =
        run_in(folder.path(), &["render", "session.rhai", "-o", "mix.wav", "--input", "vox=silence", "--length", "1s"]);
    assert_eq!(nobody.status, 2);
    assert!(nobody.err.contains("no live input \"vox\""), "{nobody:?}");
    assert!(!folder.path().join("mix.wav").exists());

    for silence in ["silence", "voice=silence"] {
        render(&folder, &format!("-o mix.wav --bits 32f --length 0.1s --input {silence}"));
        assert!(wav(&folder.path().join("mix.wav")).iter().all(|x| *x == 0.0));
    }
    render(&folder, "-o mix.wav --bits 32f --input voice=burst.wav");
    let heard = wav(&folder.path().join("mix.wav"));
    let burst = integers(&folder.path().join("burst.wav"), 16);
    assert_eq!(heard.len(), 2 * burst.len(), "it ends when the file does");
    let gain = engine::math::gain_from_db(-6.0);
    for (i, x) in burst.iter().enumerate() {
        assert_eq!((heard[2 * i], heard[2 * i + 1]), ((x * gain) as f32, (x * gain) as f32), "frame {i}");
    }
}

#[test]
fn a_solo_or_mute_left_on_is_a_warning_and_holds() {
    let both = r#"
    let a = input("a", sine(220).level(-6));
    let b = input("b", sine(220).level(-6));
    [a, b] >> master;
    "#;
    for (left_on, told) in [("solo(a);", "`a` is soloed"), ("mute(b);", "`b` is muted")] {
        let folder = folder(&format!("{both}{left_on}"));
        let ran =
            done_in(folder.path(), &["render", "session.rhai", "-o", "mix.wav", "--bits", "32f", "--length", "0.1s"]);
        assert!(ran.err.contains("warning") && ran.err.contains(told), "{ran:?}");
        let peak = wav(&folder.path().join("mix.wav")).into_iter().fold(0.0, |peak: f32, x| peak.max(x.abs()));
        let one = engine::math::gain_from_db(-6.0);
        assert!((f64::from(peak) - one).abs() < 1e-3, "{left_on} leaves a peak of {peak}");
    }
}

#[test]
fn a_render_that_is_refused_leaves_everything_as_it_was() {
    let folder = folder(BAD);
    fs::write(folder.path().join("mix.wav"), "precious").expect("it can be written");
    fs::create_dir(folder.path().join("folder.wav")).expect("it can be made");
    let before = names(folder.path());
    let unchanged = |arguments: &[&str], status: i32| {
        let ran = run_in(folder.path(), arguments);
        assert_eq!((ran.status, ran.out.as_str()), (status, ""), "{arguments:?}: {ran:?}");
        assert_eq!(names(folder.path()), before, "{arguments:?}");
        assert_eq!(fs::read(folder.path().join("mix.wav")).expect("it is there"), b"precious", "{arguments:?}");
    };
    unchanged(&["render", "session.rhai", "-o", "mix.wav", "--length", "1s"], 1);
    unchanged(&["render", "no session.rhai", "-o", "mix.wav", "--length", "1s"], 1);
    super::write(folder.path(), TONE);
    unchanged(&["render", "session.rhai", "-o", "mix.wav"], 1);
    unchanged(&["render", "session.rhai", "-o", "mix.wav", "--length", "1s", "--output", "2"], 2);
    unchanged(&["render", "session.rhai", "-o", "mix.flac", "--length", "1s", "--bits", "32f"], 1);
    unchanged(&["render", "session.rhai", "-o", "no folder/mix.wav", "--length", "1s"], 1);
    unchanged(&["render", "session.rhai", "-o", "folder.wav", "--length", "1s"], 1);
    unchanged(&["render", "session.rhai", "-o", "mix.wav", "--stems", "session.rhai", "--length", "1s"], 1);
}

#[test]
fn a_render_that_is_interrupted_leaves_everything_as_it_was() {
    let folder = folder(TONE);
    fs::write(folder.path().join("mix.wav"), "precious").expect("it can be written");
    let before = names(folder.path());
    let mut rendering =
        Running::start(folder.path(), &["render", "session.rhai", "-o", "mix.wav", "--length", "10000s"]);
    let begun = Instant::now();
    while names(folder.path()) == before && begun.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(5));
    }
    assert!(names(folder.path()) != before, "it writes beside its name");
    rendering.interrupt();
    assert_eq!(rendering.end(), 1);
    assert!(rendering.told.iter().any(|line| line.contains("interrupted")), "{:?}", rendering.told);
    assert_eq!(names(folder.path()), before);
    assert_eq!(fs::read(folder.path().join("mix.wav")).expect("it is there"), b"precious");
}

#[test]
fn every_example_renders_to_sound_below_full_scale() {
    let place = TempDir::new().expect("there is room");
    for example in ["first", "routing", "dynamics", "live-input"] {
        let session = examples().join(format!("{example}.rhai"));
        let session = session.to_str().expect("it is text");
        let out = place.path().join("mix.wav");
        let out = out.to_str().expect("it is text");
        let mut arguments = vec!["render", session, "-o", out, "--length", "1s", "--bits", "32f"];
        if example == "live-input" {
            arguments.extend(["--input", "silence"]);
        }
        done_in(place.path(), &arguments);
        let peak = wav(Path::new(out)).into_iter().fold(0.0, |peak: f32, x| peak.max(x.abs()));
        assert!((0.1..1.0).contains(&peak), "{example} peaks at {peak}");
    }
}

#[test]
fn what_gives_no_numbers_is_told_of_and_fails_a_check() {
    for effect in ["dsp(\"bad\", |x| log(x - 5))", "dsp(\"bad\", |x| feedback(|y| y * y + x + 1))"] {
        let folder =
            folder(&format!("input(\"a\", sine(220)) >> {effect} >> master;\nexpect(master.lufs).below(0);\n"));
        let ran = run_in(folder.path(), &["render", "session.rhai", "-o", "a.wav", "--length", "0.2s"]);
        assert!(ran.status == 0 && ran.err.contains("a>master/bad gave what is no number"), "{effect}: {ran:?}");
        let ran = run_in(folder.path(), &["check", "--render", "session.rhai", "--length", "0.2s"]);
        assert!(ran.status == 1 && ran.out.contains("a>master/bad gave what is no number"), "{effect}: {ran:?}");
    }
    let folder = folder("input(\"a\", play(\"c4\", synth(|note| log(sine(note.freq) - 5)))) >> master;\n");
    let ran = run_in(folder.path(), &["render", "session.rhai", "-o", "a.wav", "--length", "0.2s"]);
    assert!(ran.err.contains("gave what is no number"), "{ran:?}");
}
