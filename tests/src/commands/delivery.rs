//! What `gainstage render` delivers: tags, tracks, cue sheets, dither; read back by programs that others wrote.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use engine::credits::Credits;
use engine::delivery::{Depth, Dither, FileWriter, Format, Loudness, Measured, Tags};
use engine::media::Library;
use hound::WavReader;
use serde_json::Value;
use tempfile::TempDir;

use super::{folder, write};
use crate::program::{Ran, done_in, run_in};

/// What another program says of a file; nothing where it is not installed, but on a machine that checks everything.
fn tool(folder: &Path, name: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(name).args(arguments).current_dir(folder).output() {
        Ok(output) => {
            let ran = Ran::from(output);
            assert_eq!(ran.status, 0, "{name} {arguments:?}: {ran:?}");
            Some(ran.out)
        }
        Err(error) => {
            assert!(error.kind() == ErrorKind::NotFound && env::var_os("CI").is_none(), "{name}: {error}");
            None
        }
    }
}

/// That a program, if it is there, says all of this.
fn says(folder: &Path, name: &str, arguments: &[&str], expected: &[&str]) {
    let Some(told) = tool(folder, name, arguments) else { return };
    // However they are set out.
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in expected {
        assert!(told.contains(expected), "{name} does not say {expected:?}:\n{told}");
    }
}

const CREDITS: &str = r#"
sample_rate(44100);
title("First light"); artist("Ada & Bo"); album("First light"); date("2026-11-21");
isrc("GB-ABC-26-00001"); comment("a mastering");
"#;

/// Three tracks: the second begins after its own gap, which is no whole number of a CD's frames, the third fades in.
const ALBUM: &str = r#"
input("songs", tracks([
    track("Dawn", "a.wav").isrc("GB-ABC-26-00001"),
    track("Noon/Day", "b.wav").gap(1000.samples).artist("Bo"),
    track("Night", "a.wav").crossfade(100.ms),
])) >> fader(-3) >> master;
"#;

fn tone(path: &Path, freq: f64, frames: u32) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).expect("it can be written");
    for frame in 0..frames {
        let x = (8000.0 * engine::math::sin(f64::from(frame) * freq * std::f64::consts::TAU / 44_100.0)) as i16;
        (0..2).for_each(|_| file.write_sample(x).expect("it is written"));
    }
    file.finalize().expect("it is whole");
}

fn album(more: &str) -> TempDir {
    let folder = folder(&format!("{CREDITS}{ALBUM}{more}"));
    tone(&folder.path().join("a.wav"), 440.0, 30_000);
    tone(&folder.path().join("b.wav"), 660.0, 25_000);
    folder
}

fn render(folder: &TempDir, options: &str) -> Ran {
    let arguments: Vec<&str> = ["render", "session.rhai"].into_iter().chain(options.split(' ')).collect();
    done_in(folder.path(), &arguments)
}

/// Every sample of a file, channel by channel, as it is there.
fn sound(path: &Path) -> Vec<Vec<f32>> {
    let rate = if path.extension().is_some_and(|ending| ending == "wav") {
        WavReader::open(path).expect("it is WAV").spec().sample_rate
    } else {
        44_100
    };
    Library::new().open(path, rate).expect("it is sound").memory().expect("it is short").to_vec()
}

#[test]
fn tracks_end_to_end_are_the_album() {
    let folder = album("");
    for (options, ending) in [
        ("-o whole.wav --tracks tracks --bits 16", "wav"),
        ("-o whole.flac --tracks tracks", "flac"),
        ("-o whole.flac --tracks tracks --cue whole.cue --bits 16 --dither shaped", "flac"),
        ("-o whole.wav --tracks tracks --bits 32f", "wav"),
    ] {
        render(&folder, options);
        let names = ["01 Dawn", "02 Noon_Day", "03 Night"].map(|name| format!("tracks/{name}.{ending}"));
        let tracks = names.map(|name| sound(&folder.path().join(name)));
        let whole = sound(&folder.path().join(format!("whole.{ending}")));
        assert_eq!(whole[0].len(), 30_000 + 1000 + 25_000 + 30_000 - 4410, "{options}");
        // The second begins at frame 31 000, or at 30 576, the last frame of a CD before it.
        let begins = if options.contains("--cue") { 30_576 } else { 31_000 };
        assert_eq!(tracks[0][0].len(), begins, "{options}");
        for (channel, whole) in whole.iter().enumerate() {
            assert!(tracks.iter().flat_map(|track| &track[channel]).eq(whole), "{options}, channel {channel}");
        }
        fs::remove_dir_all(folder.path().join("tracks")).expect("it is there");
    }
}

#[test]
fn tracks_at_another_rate_are_cut_where_the_album_has_them() {
    let folder = album("");
    render(&folder, "-o whole.wav --tracks tracks --bits 32f --rate 48000");
    let frames = |name: &str| WavReader::open(folder.path().join(name)).expect("it is WAV").duration();
    let cut = frames("tracks/01 Dawn.wav");
    assert_eq!(cut, 33_741, "31 000 frames of 44.1 kHz");
    let rest = frames("tracks/02 Noon_Day.wav") + frames("tracks/03 Night.wav");
    assert_eq!(cut + rest, frames("whole.wav"));
}

#[test]
fn a_crossfade_keeps_the_power_and_a_gap_is_silent() {
    let folder = album("");
    render(&folder, "-o whole.wav --bits 32f");
    let whole = &sound(&folder.path().join("whole.wav"))[0];
    assert!(whole[30_000..31_000].iter().all(|x| *x == 0.0));
    let power = |from: usize| whole[from..from + 441].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 441.0;
    let steady = power(40_000);
    // Tones of 440 and 660 Hz are unrelated over ten milliseconds, but for what their beat leaves.
    let fade: Vec<f64> = (0..10).map(|n| power(51_590 + n * 441) / steady).collect();
    let mean = fade.iter().sum::<f64>() / 10.0;
    assert!((mean - 1.0).abs() < 0.05, "{fade:?}");
}

#[test]
fn a_cue_sheet_lies_beside_its_file_and_says_what_it_moved() {
    let folder = album("");
    let ran = render(&folder, "-o whole.wav --cue whole.cue --bits 16");
    assert!(ran.err.contains("\"Noon/Day\" is marked 9.6 ms earlier"), "{ran:?}");
    let sheet = fs::read_to_string(folder.path().join("whole.cue")).expect("it is written");
    let expected = [
        "REM DATE 2026-11-21",
        "PERFORMER \"Ada & Bo\"",
        "TITLE \"First light\"",
        "FILE \"whole.wav\" WAVE",
        "  TRACK 01 AUDIO",
        "    TITLE \"Dawn\"",
        "    PERFORMER \"Ada & Bo\"",
        "    ISRC GBABC2600001",
        "    INDEX 01 00:00:00",
        "  TRACK 02 AUDIO",
        "    TITLE \"Noon/Day\"",
        "    PERFORMER \"Bo\"",
        "    INDEX 00 00:00:51",
        "    INDEX 01 00:00:52",
        "  TRACK 03 AUDIO",
        "    TITLE \"Night\"",
        "    PERFORMER \"Ada & Bo\"",
        "    INDEX 01 00:01:12",
    ];
    assert_eq!(sheet.lines().collect::<Vec<_>>(), expected);
    // The sound is not moved.
    render(&folder, "-o plain.wav --bits 16");
    assert_eq!(sound(&folder.path().join("whole.wav")), sound(&folder.path().join("plain.wav")));
}

#[test]
fn tracks_that_are_not_there_are_refused() {
    let folder = album("");
    let refused = |options: &str, why: &str| {
        let arguments: Vec<&str> = ["render", "session.rhai"].into_iter().chain(options.split(' ')).collect();
        let ran = run_in(folder.path(), &arguments);
        assert!(ran.status != 0 && ran.err.contains(why), "{ran:?}");
        assert!(!folder.path().join("x.wav").exists() && !folder.path().join("x.cue").exists());
    };
    refused("-o x.wav --cue x.cue --length 1.1s", "\"Night\" begins after the end");
    refused("--cue x.cue", "-o");
    refused("-o x.wav --cue x.txt", ".cue");
    refused("-o x.wav --dither blue", "shaped");
    write(folder.path(), &ALBUM.replace("100.ms", "1.s"));
    refused("-o x.wav", "a crossfade of 1.000 s is longer than what \"Noon/Day\" has for it");
    write(folder.path(), "input(\"a\", clip(\"a.wav\")) >> master;");
    refused("-o x.wav --tracks tracks", "the session has no album");
}

#[test]
fn wav_is_read_by_others_with_all_that_it_says() {
    let folder = album("");
    for bits in ["16", "24", "32f"] {
        render(&folder, &format!("-o whole.wav --bits {bits} --tracks tracks"));
        let at = folder.path();
        let probe = ["-v", "error", "-show_entries", "format:stream", "-of", "json", "whole.wav"];
        if let Some(told) = tool(at, "ffprobe", &probe) {
            let told: Value = serde_json::from_str(&told).expect("it is JSON");
            let (tags, stream) = (&told["format"]["tags"], &told["streams"][0]);
            for (tag, expected) in [
                ("title", "First light"),
                ("artist", "Ada & Bo"),
                ("album", "First light"),
                ("date", "2026-11-21"),
                ("comment", "a mastering"),
                ("encoded_by", "gainstage"),
                ("time_reference", "0"),
            ] {
                assert_eq!(tags[tag].as_str(), Some(expected), "{tag} in {told:#}");
            }
            assert_eq!((stream["sample_rate"].as_str(), stream["channels"].as_u64()), (Some("44100"), Some(2)));
        }
        let depth = if bits == "32f" { "32-bit Floating Point PCM" } else { "Signed Integer PCM" };
        says(at, "soxi", &["whole.wav"], &["Channels : 2", "Sample Rate : 44100", "= 81590 samples", depth]);
        // What comes out of a decoder, which takes floats for 25 bits, is what we read ourselves.
        if tool(at, "sox", &["whole.wav", "-t", "f32", "decoded.raw"]).is_some() {
            let decoded = fs::read(at.join("decoded.raw")).expect("it is written");
            let decoded = decoded.chunks(4).map(|x| f32::from_le_bytes([x[0], x[1], x[2], x[3]]));
            let ours = sound(&at.join("whole.wav"));
            let ours = (0..ours[0].len()).flat_map(|i| [ours[0][i], ours[1][i]]);
            assert_eq!(decoded.len(), 2 * 81_590);
            assert!(ours.zip(decoded).all(|(a, b)| (a - b).abs() < 1e-7), "{bits} bits");
        }
        let cues = ["labl : 1 : Dawn", "labl : 2 : Noon/Day", "Offset : 31000", "Offset : 51590", "bext : "];
        says(at, "sndfile-info", &["whole.wav"], &cues);
        says(at, "sndfile-info", &["tracks/02 Noon_Day.wav"], &["INAM : Noon/Day", "IART : Bo", "ITRK : 2"]);
    }
}

#[test]
fn flac_is_read_by_others_with_all_that_it_says() {
    let folder = album("");
    render(&folder, "-o whole.flac --bits 16 --cue whole.cue --tracks tracks");
    let at = folder.path();
    for name in ["whole.flac", "tracks/01 Dawn.flac", "tracks/02 Noon_Day.flac", "tracks/03 Night.flac"] {
        // Decodes it, and compares what comes out with the checksum in its header.
        says(at, "flac", &["--test", "--silent", name], &[]);
    }
    let comments =
        ["TITLE=First light", "ARTIST=Ada & Bo", "ALBUM=First light", "DATE=2026-11-21", "ISRC=GBABC2600001"];
    says(at, "metaflac", &["--export-tags-to=-", "whole.flac"], &comments);
    let sheet =
        ["TRACK 01 AUDIO", "ISRC GBABC2600001", "INDEX 01 0 ", "INDEX 00 29988", "INDEX 01 30576", "INDEX 01 51156"];
    says(at, "metaflac", &["--export-cuesheet-to=-", "whole.flac"], &sheet);
    says(at, "soxi", &["whole.flac"], &["Channels : 2", "Precision : 16-bit", "= 81590 samples"]);
    let comments = ["TITLE=Noon/Day", "ARTIST=Bo", "ALBUM=First light", "TRACKNUMBER=2"];
    says(at, "metaflac", &["--export-tags-to=-", "tracks/02 Noon_Day.flac"], &comments);
    let probe = ["-v", "error", "-show_entries", "format_tags", "-of", "default=nw=1", "tracks/02 Noon_Day.flac"];
    says(at, "ffprobe", &probe, &["TAG:TITLE=Noon/Day", "TAG:track=2"]);
}

#[test]
fn a_broadcast_extension_is_read_by_others() {
    let folder = TempDir::new().expect("there is room");
    let path = folder.path().join("a.wav");
    let format = Format { depth: Depth::Int24, rate: 48_000, channels: 2, dither: Dither::None, seed: 0 };
    let credits = Credits { title: Some("First light".into()), date: Some("2026-11-21".into()), ..Credits::default() };
    let mut writer =
        FileWriter::create(&path, format, &Tags { credits, ..Tags::default() }).expect("it can be written");
    writer.write(&[[0.25; 100]; 2]).expect("there is room");
    let own = Loudness {
        integrated: Some(-23.04),
        range: Some(7.5),
        true_peak: Some(-1.25),
        momentary: Some(-18.3),
        short_term: None,
    };
    writer.finish(&Measured { own, album: None }).expect("it is whole");
    for (figure, expected) in [
        ("description", "First light"),
        ("originator", "gainstage"),
        ("orig-date", "2026-11-21"),
        ("loudness-value", "-23.04"),
        ("loudness-range", "7.5"),
        ("max-truepeak", "-1.25"),
        ("max-momentary", "-18.3"),
        ("max-shortterm", "327.67"),
        ("coding-hist", "A=PCM,F=48000,W=24,M=stereo,T=gainstage"),
    ] {
        says(folder.path(), "sndfile-metadata-get", &[&format!("--bext-{figure}"), "a.wav"], &[expected]);
    }
}

#[test]
fn files_bear_their_own_loudness_and_tracks_that_of_the_album() {
    // 997 Hz at -20 dBFS in both channels is -20 LUFS; half of the tracks' sound is 6 dB below that.
    let folder = folder(
        r#"
        sample_rate(48000);
        input("a", tracks([track("Loud", "loud.wav"), track("Low", "loud.wav").gap(0).gain(-6)])) >> master;
        "#,
    );
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut file = hound::WavWriter::create(folder.path().join("loud.wav"), spec).expect("it can be written");
    for frame in 0..96_000 {
        let x = 0.1 * engine::math::sin(f64::from(frame) * 997.0 * std::f64::consts::TAU / 48_000.0);
        (0..2).for_each(|_| file.write_sample(x as f32).expect("it is written"));
    }
    file.finalize().expect("it is whole");
    render(&folder, "-o whole.wav --tracks tracks --bits 24");
    let figures = |name: &str| {
        let bytes = fs::read(folder.path().join(name)).expect("it is written");
        let bext = bytes.windows(4).position(|kind| kind == b"bext").expect("it has one") + 8 + 412;
        [0, 2, 4].map(|at| f64::from(i16::from_le_bytes([bytes[bext + at], bytes[bext + at + 1]])) / 100.0)
    };
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 0.05, "{found}, not {expected}");
    let [loud, _, peak] = figures("tracks/01 Loud.wav");
    near(loud, -20.0);
    near(peak, -20.0);
    near(figures("tracks/02 Low.wav")[0], -26.0);
    // The mean of the two powers; the relative gate is at 10 dB below it.
    let mean = 10.0 * ((0.01 + 0.002_512) / 2.0f64).log10();
    near(figures("whole.wav")[0], mean);
    render(&folder, "--tracks flac");
    for name in ["flac/01 Loud.flac", "flac/02 Low.flac"] {
        let gains = ["REPLAYGAIN_TRACK_GAIN=", "REPLAYGAIN_TRACK_PEAK=0.", "REPLAYGAIN_ALBUM_GAIN=4.0"];
        says(folder.path(), "metaflac", &["--export-tags-to=-", name], &gains);
    }
}

/// Frames a block, all of them silent.
const BLOCK: usize = 1 << 16;

#[test]
fn a_file_of_any_length_is_read_by_others_rf64() {
    // Of another length in GiB when the environment says so.
    let gib: u64 = env::var("GAINSTAGE_GIB").ok().and_then(|gib| gib.parse().ok()).unwrap_or(0);
    let blocks = (gib << 30) / (BLOCK as u64 * 8) + 2;
    let frames = blocks * BLOCK as u64;
    let folder = TempDir::new().expect("there is room");
    let path = folder.path().join("long.wav");
    let format = Format { depth: Depth::Float32, rate: 48_000, channels: 2, dither: Dither::None, seed: 0 };
    let mut writer = FileWriter::create(&path, format, &Tags::default()).expect("it can be written");
    let silence = vec![vec![0.0; BLOCK]; 2];
    (0..blocks).for_each(|_| writer.write(&silence).expect("there is room"));
    let own = Loudness { integrated: Some(-23.0), ..Loudness::default() };
    writer.finish(&Measured { own, album: None }).expect("it is whole");
    let head = fs::File::open(&path).and_then(|mut file| {
        let mut head = [0; 4];
        std::io::Read::read_exact(&mut file, &mut head).map(|()| head)
    });
    let kind = if gib >= 4 { b"RF64" } else { b"RIFF" };
    assert_eq!(&head.expect("it is there"), kind);
    says(folder.path(), "soxi", &["-s", "long.wav"], &[&frames.to_string()]);
    says(folder.path(), "sndfile-info", &["long.wav"], &[&format!("Frames : {frames}")]);
    let probe = ["-v", "error", "-show_entries", "stream=duration_ts", "-of", "default=nw=1:nk=1", "long.wav"];
    says(folder.path(), "ffprobe", &probe, &[&frames.to_string()]);
}

#[test]
fn what_the_text_dithers_is_not_dithered_again() {
    let tone = "input(\"a\", sine(997).level(-60)) >> master; master";
    let folder = folder(&format!("{tone} >> dither(16) >> output(1, 2);"));
    render(&folder, "-o float.wav --bits 32f --length 0.5s");
    render(&folder, "-o int.wav --bits 16 --length 0.5s");
    let whole = |name: &str| sound(&folder.path().join(name));
    assert_eq!(whole("float.wav"), whole("int.wav"), "what the text gives is what the file holds");
    let again = render(&folder, "-o long.wav --length 0.5s");
    assert!(again.err.contains("dithers to 16 bits, and the file has 24"), "{again:?}");
    write(folder.path(), &format!("{tone} >> dither(16) >> fader(-1) >> output(1, 2);"));
    let elsewhere = done_in(folder.path(), &["check", "session.rhai"]);
    assert!(
        elsewhere.out.contains("warning") && elsewhere.out.contains("what comes after it rounds anew"),
        "{elsewhere:?}"
    );
}

#[test]
fn dither_is_flat_shaped_or_none() {
    let folder = folder("input(\"a\", sine(997).level(-120)) >> master;");
    let noise = |dither: &str| {
        render(&folder, &format!("-o {dither}.wav --bits 16 --length 1s --dither {dither}"));
        let all = sound(&folder.path().join(format!("{dither}.wav")));
        let power = all[0].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / all[0].len() as f64;
        10.0 * power.log10()
    };
    // The total error of a flat dither; 9.74 dB more of it where the ear hears least, at 48 kHz.
    assert!((noise("tpdf") + 96.33).abs() < 0.3, "{}", noise("tpdf"));
    assert!((noise("shaped") + 96.33 - 9.74).abs() < 0.3, "{}", noise("shaped"));
    assert_eq!(noise("none"), f64::NEG_INFINITY, "it is below the last bit");
    let default = render(&folder, "-o unsaid.wav --bits 16 --length 1s");
    assert_eq!(default.out, "");
    assert_eq!(sound(&folder.path().join("unsaid.wav")), sound(&folder.path().join("tpdf.wav")));
}
