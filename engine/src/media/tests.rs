//! What opening and reading sound files must hold.

use std::f64::consts::TAU;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::kernel::{Buffer, QUANTUM};
use crate::math;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/media/fixtures").join(name)
}

/// A WAV file of 16 bits: each channel a sine of its own frequency, at half scale.
fn tones(folder: &TempDir, name: &str, rate: u32, frames: u32, frequencies: &[f64]) -> PathBuf {
    let path = folder.path().join(name);
    let channels = frequencies.len() as u16;
    let spec =
        hound::WavSpec { channels, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for frame in 0..frames {
        for frequency in frequencies {
            let x = 0.5 * math::sin(TAU * frequency * f64::from(frame) / f64::from(rate));
            writer.write_sample((x * 32768.0).round() as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
    path
}

/// A WAV file of floats, one channel at half scale, of which one is no number.
fn no_number(folder: &TempDir, frames: usize, at: usize) -> PathBuf {
    let path = folder.path().join("nan.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    (0..frames).for_each(|i| writer.write_sample(if i == at { f32::NAN } else { 0.5 }).unwrap());
    writer.finalize().unwrap();
    path
}

/// A FLAC file of 16 bits and one channel of noise.
fn flac(folder: &TempDir, rate: u32, frames: u64) -> PathBuf {
    use crate::delivery::{Depth, Dither, FileWriter, Format, Measured, Tags};
    let path = folder.path().join("a.flac");
    let format = Format { depth: Depth::Int16, rate, channels: 1, dither: Dither::None, seed: 0 };
    let mut writer = FileWriter::create(&path, format, &Tags::default()).unwrap();
    writer.write(&[(0..frames).map(|i| 0.8 * crate::random::even(1, i)).collect::<Vec<f64>>()]).unwrap();
    writer.finish(&Measured::default()).unwrap();
    path
}

/// The whole of a file, read on the transport from `first` on, as a streamed file that is waited for or one in memory.
fn read(media: &Arc<Media>, region: Region, first: u64, quanta: u64) -> Vec<Vec<f64>> {
    let mut reader = Reader::new(media.clone(), region);
    let channels: Vec<usize> = (0..media.channels()).collect();
    let mut sound = vec![Vec::new(); channels.len()];
    for quantum in 0..quanta {
        let transport = (first + quantum) * QUANTUM as u64;
        let mut waited = 0;
        while !reader.is_ready(transport) {
            std::thread::sleep(std::time::Duration::from_millis(1));
            waited += 1;
            assert!(waited < 20_000, "the stream never came");
        }
        let mut audio: Vec<Buffer> = vec![[0.0; QUANTUM]; channels.len()];
        // In two stretches, as a breakpoint within the quantum would have it.
        assert!(reader.read(transport, 0..23, &channels, &mut audio));
        assert!(reader.read(transport, 23..QUANTUM, &channels, &mut audio));
        sound.iter_mut().zip(&audio).for_each(|(all, buffer)| all.extend_from_slice(buffer));
    }
    sound
}

fn whole(media: &Arc<Media>) -> Region {
    Region { start: 0, from: 0, to: media.frames(), looped: false, spans: None }
}

/// How much of a sine and of a cosine of a frequency, both beginning with the file, a stretch of it holds.
fn parts(sound: &[f32], stretch: std::ops::Range<usize>, frequency: f64, rate: f64) -> (f64, f64) {
    let part = |of: fn(f64) -> f64| -> f64 {
        let term = |i: usize| f64::from(sound[i]) * of(TAU * frequency * i as f64 / rate);
        stretch.clone().map(term).sum::<f64>() * 2.0 / stretch.len() as f64
    };
    (part(math::sin), part(math::cos))
}

#[test]
fn every_kind_of_file_gives_its_tone_at_its_level_and_length() {
    let library = Library::new();
    // Lossy coders are given a tenth of a decibel; LAME scales what it encodes by 0.95. The length is kept because what
    // they put in front and behind is taken off.
    let files: [(&str, u64, &[f64]); 4] = [
        ("tone.aiff", 8820, &[0.5]),
        ("tone.mp3", 13230, &[0.475, 0.2375]),
        ("tone.ogg", 13230, &[0.5, 0.25]),
        ("tone.m4a", 13230, &[0.5, 0.25]),
    ];
    for (name, frames, levels) in files {
        let media = library.open(&fixture(name), 44_100).unwrap();
        assert_eq!((media.channels(), media.frames()), (levels.len(), frames), "{name}");
        let memory = media.memory().unwrap();
        for (sound, level) in memory.iter().zip(levels) {
            assert_eq!(sound.len() as u64, frames, "{name}");
            // Fifty periods.
            let (sine, cosine) = parts(sound, 2000..7011, 440.0, 44_100.0);
            assert!(math::db_from_gain(sine / level).abs() < 0.1, "{name}: {sine} for {level}");
            // The tone begins with the file: a shift of one frame would be a cosine of 6 %.
            assert!((cosine / sine).abs() < 0.01, "{name}: out of phase by {}", cosine / sine);
        }
    }
}

#[test]
fn wav_and_flac_of_the_same_samples_give_the_same_sound_exactly() {
    use crate::delivery::{Depth, Dither, FileWriter, Format, Measured, Tags};
    let folder = TempDir::new().unwrap();
    let frames = 10_000;
    let sound: Vec<Vec<f64>> = (0..2)
        .map(|channel| (0..frames).map(|i| (crate::random::even(channel, i) * 65536.0).floor() / 65536.0).collect())
        .collect();
    let library = Library::new();
    let mut decoded = Vec::new();
    for name in ["a.wav", "a.flac"] {
        let path = folder.path().join(name);
        let format = Format { depth: Depth::Int24, rate: 48_000, channels: 2, dither: Dither::None, seed: 0 };
        let mut writer = FileWriter::create(&path, format, &Tags::default()).unwrap();
        writer.write(&sound).unwrap();
        writer.finish(&Measured::default()).unwrap();
        let media = library.open(&path, 48_000).unwrap();
        decoded.push(media.memory().unwrap().to_vec());
    }
    assert_eq!(decoded[0], decoded[1]);
    let expected: Vec<Vec<f32>> = sound.iter().map(|channel| channel.iter().map(|&x| x as f32).collect()).collect();
    assert_eq!(decoded[0], expected);
}

#[test]
fn a_file_at_another_rate_is_as_long_in_time_and_in_phase() {
    let folder = TempDir::new().unwrap();
    let path = tones(&folder, "a.wav", 44_100, 44_100, &[440.0, 997.0]);
    let media = Library::new().open(&path, 48_000).unwrap();
    assert_eq!(media.frames(), 48_000);
    for (sound, frequency) in media.memory().unwrap().iter().zip([440.0, 997.0]) {
        for (i, &x) in sound.iter().enumerate().skip(5000).take(38_000) {
            let expected = 0.5 * math::sin(TAU * frequency * i as f64 / 48_000.0);
            assert!((f64::from(x) - expected).abs() < 3e-5, "frame {i}: {x} for {expected}");
        }
    }
}

#[test]
fn a_streamed_file_has_the_bits_of_one_in_memory_from_any_start() {
    let folder = TempDir::new().unwrap();
    let wav = tones(&folder, "a.wav", 44_100, 300_000, &[440.0, 997.0]);
    let flac = flac(&folder, 44_100, 200_000);
    let files = [
        (wav.clone(), 44_100),
        (wav, 48_000),
        (flac.clone(), 44_100),
        (flac, 96_000),
        (fixture("tone.mp3"), 44_100),
        (fixture("tone.ogg"), 48_000),
        (fixture("tone.m4a"), 32_000),
    ];
    for (path, rate) in files {
        let memory = Library::new().open(&path, rate).unwrap();
        let library = Library::with_bound(0);
        let streamed = library.open(&path, rate).unwrap();
        assert!(streamed.is_streamed() && !memory.is_streamed());
        assert_eq!(streamed.frames(), memory.frames(), "{}", path.display());
        let quanta = memory.frames().div_ceil(QUANTUM as u64) + 1;
        let all = read(&memory, whole(&memory), 0, quanta);
        assert_eq!(read(&streamed, whole(&streamed), 0, quanta), all, "{}", path.display());
        for first in [1, quanta / 2, quanta - 3] {
            let later = read(&streamed, whole(&streamed), first, 3);
            let at = first as usize * QUANTUM;
            let expected: Vec<Vec<f64>> =
                all.iter().map(|channel| channel[at..(at + 3 * QUANTUM).min(channel.len())].to_vec()).collect();
            let found: Vec<Vec<f64>> = later.iter().zip(&expected).map(|(l, e)| l[..e.len()].to_vec()).collect();
            assert_eq!(found, expected, "{} from quantum {first}", path.display());
        }
        assert_eq!(streamed.fault(), None);
    }
}

#[test]
fn a_file_that_is_read_in_place_has_the_bits_of_one_in_memory_from_any_start() {
    let folder = TempDir::new().unwrap();
    for (name, channels) in [("one.wav", &[440.0][..]), ("two.wav", &[440.0, 997.0]), ("three.wav", &[1.0, 2.0, 3.0])] {
        let path = tones(&folder, name, 48_000, 300_000, channels);
        let memory = Library::new().open(&path, 48_000).unwrap();
        let library = Library { bound: 0, ..Library::rendering() };
        let in_place = library.open(&path, 48_000).unwrap();
        assert!(matches!(in_place.held, Held::Disk { way: Way::InPlace, .. }));
        assert_eq!(in_place.frames(), memory.frames());
        let quanta = memory.frames().div_ceil(QUANTUM as u64) + 1;
        assert!(read(&in_place, whole(&in_place), 0, quanta) == read(&memory, whole(&memory), 0, quanta), "{name}");
        // Forwards and backwards, and over the seams of loops, of which the first is kept.
        let looped = |from, to| Region { start: 1000, from, to, looped: true, spans: None };
        for region in [whole(&memory), looped(150_000, 150_007), looped(0, memory.frames()), looped(7, 104_800)] {
            let mut readers = [&memory, &in_place].map(|media| Reader::new(media.clone(), region.clone()));
            for quantum in [0, 1, 2, 4000, 4001, 3, 4690, 100, quanta - 1, 3, 12_345] {
                let [expected, found] = readers.each_mut().map(|reader| {
                    let mut audio = vec![[7.0; QUANTUM]; channels.len()];
                    let listed: Vec<usize> = (0..channels.len()).rev().collect();
                    assert!(reader.is_ready(quantum * QUANTUM as u64));
                    assert!(reader.read(quantum * QUANTUM as u64, 0..QUANTUM, &listed, &mut audio));
                    audio
                });
                assert_eq!(found, expected, "{name}, quantum {quantum} of {region:?}");
            }
        }
        assert_eq!(in_place.fault(), None);
    }
}

#[test]
fn damage_in_the_middle_of_a_file_that_is_read_in_place_is_silence_and_told() {
    let folder = TempDir::new().unwrap();
    let path = no_number(&folder, 400_000, 300_040);
    let media = Library::rendering().open(&path, 48_000).unwrap();
    let mut reader = Reader::new(media.clone(), whole(&media));
    for (transport, expected) in [(200_000, Some([0.5; QUANTUM])), (300_032, None), (200_000, None)] {
        let mut audio = [[0.0; QUANTUM]];
        reader.read(transport, 0..QUANTUM, &[0], &mut audio);
        assert_eq!(audio, [expected.unwrap_or([0.0; QUANTUM])], "{transport}");
        assert_eq!(media.fault().is_some(), expected.is_none(), "{transport}");
    }
    assert!(matches!(media.fault().unwrap().fault, Fault::Corrupt(_)));
}

#[test]
fn a_streamed_reader_follows_jumps_forwards_and_backwards() {
    let folder = TempDir::new().unwrap();
    let path = tones(&folder, "a.wav", 48_000, 400_000, &[440.0]);
    let memory = Library::new().open(&path, 48_000).unwrap();
    let library = Library::with_bound(0);
    let media = library.open(&path, 48_000).unwrap();
    let mut reader = Reader::new(media.clone(), whole(&media));
    let expected = &memory.memory().unwrap()[0];
    for quantum in [0u64, 1, 2, 5000, 5001, 3, 4, 6000, 100, 5999] {
        let transport = quantum * QUANTUM as u64;
        while !reader.is_ready(transport) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let mut audio = [[0.0; QUANTUM]];
        assert!(reader.read(transport, 0..QUANTUM, &[0], &mut audio));
        let frames = &expected[transport as usize..transport as usize + QUANTUM];
        assert!(audio[0].iter().zip(frames).all(|(a, b)| *a == f64::from(*b)), "quantum {quantum}");
    }
}

#[test]
fn a_streamed_loop_of_any_length_wraps_as_in_memory() {
    let folder = TempDir::new().unwrap();
    let path = tones(&folder, "a.wav", 44_100, 200_000, &[441.0]);
    let memory = Library::new().open(&path, 48_000).unwrap();
    // The first keeps no loop, and goes back in the file for each round; the second keeps all but the longest.
    for (bound, quanta) in [(0, 40), (100_000, 4000)] {
        let library = Library::with_bound(bound);
        let streamed = library.open(&path, 48_000).unwrap();
        for (from, to) in [(150_000, 150_007), (100_000, 104_800), (0, memory.frames())] {
            let region = Region { start: 1000, from, to, looped: true, spans: None };
            let expected = read(&memory, region.clone(), 0, quanta);
            assert_eq!(read(&streamed, region.clone(), 0, quanta), expected, "{from} to {to}, {bound} bytes kept");
        }
    }
}

#[test]
fn what_is_not_at_hand_leaves_the_buffer_alone() {
    let folder = TempDir::new().unwrap();
    let path = tones(&folder, "a.wav", 48_000, 200_000, &[440.0]);
    let library = Library::with_bound(0);
    let media = library.open(&path, 48_000).unwrap();
    let mut reader = Reader::new(media.clone(), whole(&media));
    let mut audio = [[7.0; QUANTUM]; 2];
    while !reader.is_ready(0) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let far = 150_000 / QUANTUM as u64 * QUANTUM as u64;
    assert!(!reader.read(far, 0..QUANTUM, &[0], &mut audio));
    assert_eq!(audio, [[7.0; QUANTUM]; 2]);
}

#[test]
fn an_open_file_is_remembered_until_it_changes() {
    let folder = TempDir::new().unwrap();
    let path = tones(&folder, "a.wav", 48_000, 1000, &[440.0]);
    let library = Library::new();
    let first = library.open(&path, 48_000).unwrap();
    assert!(Arc::ptr_eq(&first, &library.open(&path, 48_000).unwrap()));
    let other_rate = library.open(&path, 44_100).unwrap();
    assert!(!Arc::ptr_eq(&first, &other_rate));
    assert_eq!(first.identity(), other_rate.identity());
    tones(&folder, "a.wav", 48_000, 1001, &[440.0]);
    let changed = library.open(&path, 48_000).unwrap();
    assert_ne!(first.identity(), changed.identity());
    assert_eq!(changed.frames(), 1001);
}

#[test]
fn files_that_nobody_holds_are_forgotten_the_longest_unused_first() {
    let folder = TempDir::new().unwrap();
    let library = Library::new();
    let held = library.open(&tones(&folder, "held.wav", 48_000, 1000, &[440.0]), 48_000).unwrap();
    for name in ["first.wav", "second.wav"] {
        library.open(&tones(&folder, name, 48_000, 1000, &[440.0]), 48_000).unwrap();
    }
    let mut open = lock(&library.open);
    let names = |open: &[(Key, Arc<Media>)]| -> Vec<String> {
        open.iter().map(|(_, media)| media.path().file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    forget_idle(&mut open, 8000);
    assert_eq!(names(&open), ["held.wav", "first.wav", "second.wav"]);
    forget_idle(&mut open, 7999);
    assert_eq!(names(&open), ["held.wav", "second.wav"]);
    forget_idle(&mut open, 0);
    assert_eq!(names(&open), ["held.wav"]);
    drop(held);
}

#[test]
fn a_streamed_file_that_changes_is_silent_and_says_so() {
    let folder = TempDir::new().unwrap();
    let path = tones(&folder, "a.wav", 48_000, 200_000, &[440.0]);
    let library = Library::with_bound(0);
    let media = library.open(&path, 48_000).unwrap();
    tones(&folder, "a.wav", 48_000, 100, &[440.0]);
    let sound = read(&media, whole(&media), 1000, 2);
    assert!(sound[0].iter().all(|x| *x == 0.0));
    assert_eq!(media.fault().unwrap().fault, Fault::Changed);
}

fn fault(path: &Path) -> Fault {
    Library::new().open(path, 48_000).unwrap_err().fault
}

#[test]
fn what_gives_no_sound_is_an_error_of_one_line_that_names_the_file() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    assert_eq!(fault(&folder.path().join("none.wav")), Fault::Missing);
    assert_eq!(fault(folder.path()), Fault::NotAFile);
    assert_eq!(fault(&write("empty.wav", b"")), Fault::Empty);
    assert_eq!(fault(&write("text.wav", b"let drums = input(\"drums\");\n".repeat(100).as_slice())), Fault::NotSound);
    assert_eq!(fault(&tones(&folder, "no-frames.wav", 48_000, 0, &[440.0])), Fault::Empty);
    let shown = Library::new().open(&folder.path().join("none.wav"), 48_000).unwrap_err().to_string();
    assert!(shown.ends_with("none.wav: no such file") && !shown.contains('\n'), "{shown}");
}

#[test]
fn a_header_that_promises_more_than_is_there_is_an_error_in_memory_and_streamed() {
    let folder = TempDir::new().unwrap();
    let path = tones(&folder, "a.wav", 48_000, 100_000, &[440.0, 441.0]);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4..8].copy_from_slice(&0xF000_0000u32.to_le_bytes());
    bytes[40..44].copy_from_slice(&0xEFFF_FFD0u32.to_le_bytes());
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(fault(&path), Fault::CutShort { promised: 1_006_632_948, .. }), "{:?}", fault(&path));
    let good = tones(&folder, "b.wav", 48_000, 100_000, &[440.0]);
    let bytes = std::fs::read(&good).unwrap();
    std::fs::write(&good, &bytes[..120_000]).unwrap();
    assert!(matches!(fault(&good), Fault::CutShort { promised: 100_000, .. }));
    let streamed = Library::with_bound(0).open(&good, 48_000).unwrap_err().fault;
    assert!(matches!(streamed, Fault::CutShort { promised: 100_000, .. }), "{streamed:?}");
}

#[test]
fn a_wav_file_of_unknown_length_is_refused_rather_than_played_in_part() {
    let folder = TempDir::new().unwrap();
    let path = tones(&folder, "piped.wav", 48_000, 5000, &[440.0]);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4..8].fill(0xFF);
    bytes[40..44].fill(0xFF);
    std::fs::write(&path, &bytes).unwrap();
    assert!(fault(&path).to_string().contains("how long it is"), "{}", fault(&path));
}

#[test]
fn samples_that_are_not_numbers_are_damage() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(fault(&no_number(&folder, 5000, 4000)), Fault::Corrupt(_)));
}

#[test]
fn no_damage_to_a_file_makes_it_panic_or_hang() {
    let folder = TempDir::new().unwrap();
    let flac = flac(&folder, 44_100, 6000);
    let wav = tones(&folder, "a.wav", 44_100, 4000, &[440.0]);
    let library = Library::new();
    let mut refused = 0;
    for source in [flac, wav, fixture("tone.aiff"), fixture("tone.mp3"), fixture("tone.ogg"), fixture("tone.m4a")] {
        let whole = std::fs::read(&source).unwrap();
        for round in 0..60u64 {
            let mut bytes = whole.clone();
            let draw = |n: u64| (crate::random::mix(round * 100 + n) % bytes.len() as u64) as usize;
            let places: Vec<usize> = (0..8).map(draw).collect();
            match round % 3 {
                0 => bytes.truncate(places[0]),
                1 => places.iter().for_each(|&at| bytes[at % 400] ^= 1 << (at % 8)),
                _ => places.iter().for_each(|&at| bytes[at] = !bytes[at]),
            }
            let path = folder.path().join(format!("{round}-{}", source.file_name().unwrap().to_str().unwrap()));
            std::fs::write(&path, &bytes).unwrap();
            refused += usize::from(library.open(&path, 48_000).is_err());
        }
    }
    // Some damage is only heard, but cutting a file in the middle of its header or its samples is not.
    assert!(refused > 100, "{refused} of 360 were refused");
}

#[test]
fn damage_in_the_middle_of_a_flac_is_found_when_it_is_opened() {
    let folder = TempDir::new().unwrap();
    let path = flac(&folder, 48_000, 60_000);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(fault(&path), Fault::Corrupt(_) | Fault::CutShort { .. }));
}

#[test]
fn files_that_are_in_use_and_together_too_long_are_streamed_and_sound_the_same() {
    let folder = TempDir::new().unwrap();
    let paths = ["a.wav", "b.wav", "c.wav"].map(|name| tones(&folder, name, 48_000, 10_000, &[440.0]));
    // Room for two of them.
    let library = Library { room: 90_000, ..Library::rendering() };
    let [a, b, c] = paths.each_ref().map(|path| library.open(path, 48_000).unwrap());
    assert_eq!([&a, &b, &c].map(|media| media.is_streamed()), [false, false, true]);
    assert_eq!(read(&c, whole(&c), 0, 200), read(&a, whole(&a), 0, 200));
    // What has to be whole is, and serves everybody from then on who asks for that.
    let convolved = library.open_whole(&paths[2], 48_000).unwrap();
    assert!(!convolved.is_streamed() && Arc::ptr_eq(&convolved, &library.open_whole(&paths[2], 48_000).unwrap()));
    // What is in use no more takes no room.
    drop((a, b, c, convolved));
    let d = tones(&folder, "d.wav", 48_000, 10_000, &[220.0]);
    assert!(!library.open(&d, 48_000).unwrap().is_streamed());
}
