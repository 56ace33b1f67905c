//! What delivered files must hold.

use tempfile::TempDir;

use super::*;
use crate::math;
use crate::media::Library;
use crate::random;
use crate::test_signals::{db_of_power, rms, sine, spectrum};

const FORMAT: Format =
    Format { depth: Depth::Int16, rate: 48_000, channels: 1, dither: Dither::Tpdf(Shape::Flat), seed: 3 };

/// What a file holds after sound was written to it in pieces of 1000 frames.
fn deliver(name: &str, format: Format, sound: &[Vec<f64>]) -> (Vec<Vec<f64>>, Delivered) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    let mut writer = FileWriter::create(&path, format, &Tags::default()).unwrap();
    for start in (0..sound[0].len()).step_by(1000) {
        let end = (start + 1000).min(sound[0].len());
        let piece: Vec<&[f64]> = sound.iter().map(|channel| &channel[start..end]).collect();
        writer.write(&piece).unwrap();
    }
    let delivered = writer.finish(&Measured::default()).unwrap();
    let media = Library::new().open(&path, format.rate).unwrap();
    let memory = media.memory().unwrap();
    (memory.iter().map(|channel| channel.iter().map(|&x| f64::from(x)).collect()).collect(), delivered)
}

#[test]
fn dithered_rounding_has_the_published_total_error_whatever_the_signal() {
    for (depth, expected) in [(Depth::Int16, -96.33), (Depth::Int24, -144.49)] {
        for level in [-200.0, -60.0, -3.0] {
            let sound = sine(997.0, level, 48_000.0, 1 << 17);
            let mut quantiser = Quantiser::new(Format { depth, ..FORMAT }).unwrap();
            let scale = if depth == Depth::Int16 { 32_768.0 } else { 8_388_608.0 };
            let mut integers = Vec::new();
            sound.iter().for_each(|&x| quantiser.quantise(std::iter::once(x), &mut integers));
            let error: Vec<f64> = integers.iter().zip(&sound).map(|(&n, x)| f64::from(n) / scale - x).collect();
            assert!((rms(&error) - expected).abs() < 0.1, "{depth:?} at {level}: {}", rms(&error));
        }
    }
}

#[test]
fn rounding_without_dither_has_the_published_error() {
    let sound = sine(997.0, -3.0, 48_000.0, 1 << 16);
    let (file, _) = deliver("a.wav", Format { dither: Dither::None, ..FORMAT }, std::slice::from_ref(&sound));
    let error: Vec<f64> = file[0].iter().zip(&sound).map(|(a, b)| a - b).collect();
    assert!((rms(&error) + 101.10).abs() < 0.1, "{}", rms(&error));
}

#[test]
fn a_tone_far_below_the_last_bit_survives_dither_undistorted_and_vanishes_without() {
    let frames = 1 << 19;
    let bin = 10_000;
    let sound = vec![sine(bin as f64 * 48_000.0 / frames as f64, -100.0, 48_000.0, frames)];
    for name in ["a.wav", "a.flac"] {
        let (file, _) = deliver(name, FORMAT, &sound);
        let power = spectrum(&file[0]);
        let level = |bin: usize| db_of_power(power[bin]);
        assert!((level(bin) + 100.0).abs() < 0.1, "{name}: {}", level(bin));
        assert!(level(3 * bin) < -130.0, "{name}: third harmonic {}", level(3 * bin));
        let (plain, _) = deliver(name, Format { dither: Dither::None, ..FORMAT }, &sound);
        assert!(plain[0].iter().all(|x| *x == 0.0), "{name}");
    }
}

#[test]
fn float_files_hold_the_nearest_float_of_every_sample_even_above_full_scale() {
    let sound: Vec<Vec<f64>> = (0..2).map(|c| (0..5000).map(|i| 3.0 * random::even(c, i)).collect()).collect();
    let (file, delivered) = deliver("a.wav", Format { depth: Depth::Float32, channels: 2, ..FORMAT }, &sound);
    let expected: Vec<Vec<f64>> = sound.iter().map(|c| c.iter().map(|&x| f64::from(x as f32)).collect()).collect();
    assert_eq!(file, expected);
    assert_eq!(delivered, Delivered { frames: 5000, clipped: 0 });
}

#[test]
fn flac_holds_the_samples_of_wav_whatever_the_length() {
    for depth in [Depth::Int16, Depth::Int24] {
        for (channels, frames) in [(1, 1), (2, 7), (2, 63), (1, 4096), (2, 4097), (3, 10_000), (8, 300)] {
            let sound: Vec<Vec<f64>> = (0..channels)
                .map(|c| {
                    (0..frames).map(|i| 0.4 * random::even(c as u64, i) + 0.5 * math::sin(i as f64 * 0.05)).collect()
                })
                .collect();
            let format = Format { depth, channels, ..FORMAT };
            let (wav, flac) = (deliver("a.wav", format, &sound), deliver("a.flac", format, &sound));
            assert_eq!(wav, flac, "{depth:?}, {channels} channels, {frames} frames");
            assert_eq!(wav.0[0].len(), frames as usize);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_file_and_another_seed_another() {
    let sound = vec![sine(997.0, -30.0, 48_000.0, 3000)];
    let first = deliver("a.wav", FORMAT, &sound);
    assert_eq!(first, deliver("a.wav", FORMAT, &sound));
    assert_ne!(first, deliver("a.wav", Format { seed: 4, ..FORMAT }, &sound));
}

#[test]
fn files_in_which_sound_goes_on_are_end_to_end_the_one_it_would_have_been() {
    let sound = sine(997.0, -60.0, 48_000.0, 9000);
    for dither in [Dither::Tpdf(Shape::Flat), Dither::Tpdf(Shape::Hearing)] {
        let format = Format { dither, ..FORMAT };
        let (whole, _) = deliver("a.wav", format, std::slice::from_ref(&sound));
        let folder = TempDir::new().unwrap();
        let paths = ["1.wav", "2.flac"].map(|name| folder.path().join(name));
        let mut first = FileWriter::create(&paths[0], format, &Tags::default()).unwrap();
        first.write(&[&sound[..4321]]).unwrap();
        let mut second = first.go_on(&paths[1], &Tags::default()).unwrap();
        second.write(&[&sound[4321..]]).unwrap();
        assert_eq!(first.finish(&Measured::default()).unwrap().frames, 4321);
        assert_eq!(second.finish(&Measured::default()).unwrap().frames, 9000 - 4321);
        let media = paths.map(|path| Library::new().open(&path, 48_000).unwrap());
        let both = media.iter().flat_map(|media| &media.memory().unwrap()[0]).map(|&x| f64::from(x));
        assert!(both.eq(whole[0].iter().copied()), "{dither:?}");
    }
}

#[test]
fn a_tone_far_below_the_last_bit_survives_shaped_dither_undistorted() {
    let frames = 1 << 19;
    let bin = 10_000;
    let sound = vec![sine(bin as f64 * 48_000.0 / frames as f64, -100.0, 48_000.0, frames)];
    for shape in [Shape::Hearing, Shape::Wannamaker] {
        let (file, _) = deliver("a.wav", Format { dither: Dither::Tpdf(shape), ..FORMAT }, &sound);
        let power = spectrum(&file[0]);
        assert!((db_of_power(power[bin]) + 100.0).abs() < 0.1, "{shape:?}: {}", db_of_power(power[bin]));
        assert!(db_of_power(power[3 * bin]) < -130.0, "{shape:?}: {}", db_of_power(power[3 * bin]));
    }
}

#[test]
fn what_an_integer_cannot_hold_is_clipped_and_counted() {
    let sound = vec![vec![0.0, 1.5, -1.0, -1.5, 1.0, 0.999]];
    let (file, delivered) = deliver("a.wav", Format { dither: Dither::None, ..FORMAT }, &sound);
    assert_eq!(delivered, Delivered { frames: 6, clipped: 3 });
    let most = 32_767.0 / 32_768.0;
    assert_eq!(&file[0][..5], &[0.0, most, -1.0, -1.0, most]);
}

#[test]
fn a_file_appears_when_it_is_whole_and_not_before() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.wav");
    std::fs::write(&path, "what was there").unwrap();
    let mut writer = FileWriter::create(&path, FORMAT, &Tags::default()).unwrap();
    writer.write(&[[0.1; 100]]).unwrap();
    drop(writer);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "what was there");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let mut writer = FileWriter::create(&path, FORMAT, &Tags::default()).unwrap();
    writer.write(&[[0.1; 100]]).unwrap();
    assert_eq!(writer.finish(&Measured::default()).unwrap().frames, 100);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(Library::new().open(&path, 48_000).unwrap().frames(), 100);
}

#[cfg(unix)]
#[test]
fn a_file_has_the_rights_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let (plain, path) = (folder.path().join("plain"), folder.path().join("a.wav"));
    std::fs::write(&plain, "").unwrap();
    FileWriter::create(&path, FORMAT, &Tags::default()).unwrap().finish(&Measured::default()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain));
}

#[test]
fn a_write_of_no_frames_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for depth in [Depth::Int16, Depth::Int24, Depth::Float32] {
        let written = [false, true].map(|with_nothing| {
            let path = folder.path().join(format!("{with_nothing}.wav"));
            let format = Format { depth, channels: 2, ..FORMAT };
            let mut writer = FileWriter::create(&path, format, &Tags::default()).unwrap();
            for sound in [&[[0.25, -0.5], [0.125, 0.75]].map(Vec::from), &[vec![], vec![]]] {
                if with_nothing || !sound[0].is_empty() {
                    writer.write(sound).unwrap();
                }
            }
            assert_eq!(writer.finish(&Measured::default()).unwrap().frames, 2);
            std::fs::read(path).unwrap()
        });
        assert!(written[0] == written[1], "{depth:?}");
    }
}

#[test]
fn what_cannot_be_written_is_refused_with_its_reason() {
    let folder = TempDir::new().unwrap();
    let problem = |name: &str, format: Format| {
        FileWriter::create(&folder.path().join(name), format, &Tags::default()).err().unwrap().problem
    };
    assert_eq!(problem("a.mp3", FORMAT), Problem::Name);
    assert_eq!(problem("a", FORMAT), Problem::Name);
    assert!(matches!(problem("none/a.wav", FORMAT), Problem::System(_)));
    assert!(matches!(problem("a.flac", Format { depth: Depth::Float32, ..FORMAT }), Problem::Format(_)));
    assert!(matches!(problem("a.flac", Format { channels: 9, ..FORMAT }), Problem::Format(_)));
    assert!(matches!(problem("a.flac", Format { rate: 192_000, ..FORMAT }), Problem::Format(_)));
    let wannamaker = Format { dither: Dither::Tpdf(Shape::Wannamaker), rate: 96_000, ..FORMAT };
    assert!(matches!(problem("a.wav", wannamaker), Problem::Format(_)));
    assert!(matches!(problem("a.wav", Format { channels: 40_000, ..FORMAT }), Problem::Format(_)));
    assert!(matches!(problem("a.wav", Format { channels: 0, ..FORMAT }), Problem::Format(_)));
    let mut writer = FileWriter::create(&folder.path().join("a.wav"), FORMAT, &Tags::default()).unwrap();
    assert_eq!(writer.write(&[[0.0, f64::NAN]]).unwrap_err().problem, Problem::NotANumber(1));
    assert!(matches!(writer.write(&[[0.0], [0.0]]).unwrap_err().problem, Problem::Format(_)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "only the one that is open");
}
