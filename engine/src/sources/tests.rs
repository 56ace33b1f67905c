//! What sources must hold.

use std::f64::consts::PI;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::control::{Control, Way};
use crate::diagnostic::Position;
use crate::form::Span;
use crate::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use crate::math;
use crate::media::Library;
use crate::parameter::Value;
use crate::tempo::Tempo;
use crate::test_signals::{Bench, RATE, db_of_power, level_at, peak, rms, spectrum};

/// A generator at its defaults but for its level, 0 dBFS, and what is set.
fn bench(word: &str, settings: &[(&str, f64)]) -> Bench {
    let bench = Bench::new(find(word).unwrap(), 0).set("level", 0.0);
    settings.iter().fold(bench, |bench, (name, number)| bench.set(name, *number))
}

fn run(bench: &mut Bench, frames: usize) -> Vec<f64> {
    bench.run_mono(&vec![0.0; frames])
}

/// Quanta of a kernel's first channel, the first at a transport frame.
pub(super) fn from(
    kernel: &mut dyn Kernel,
    recipe: &Recipe,
    channels: usize,
    transport: u64,
    quanta: u64,
) -> Vec<Vec<f64>> {
    let values: Vec<Glide> = recipe.values.iter().map(|&value| Glide::still(value)).collect();
    let mut sound = vec![Vec::new(); channels];
    for quantum in 0..quanta {
        let mut audio: Vec<Buffer> = vec![[0.0; QUANTUM]; channels];
        let transport = transport + quantum * QUANTUM as u64;
        while !kernel.is_ready(transport) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let io = &mut Io {
            audio: &mut audio,
            channels_in: 0,
            key: &[],
            live: &[],
            frames: 0..QUANTUM,
            values: &values,
            settled: false,
            transport,
            rolling: true,
            moved: false,
            score: None,
            tempo: &Tempo::new(recipe.clock),
            reduced: 0.0,
        };
        kernel.process(io);
        sound.iter_mut().zip(&audio).for_each(|(all, buffer)| all.extend_from_slice(buffer));
    }
    sound
}

const PERIODIC: [&str; 5] = ["sine", "saw", "square", "triangle", "pulse"];

#[test]
fn a_generator_located_anywhere_gives_the_bits_of_one_that_ran_from_the_start() {
    let far = 1000 * QUANTUM as u64;
    for word in ["sine", "saw", "square", "triangle", "pulse", "noise", "impulse", "sweep"] {
        for colour in 0..if word == "noise" { 3 } else { 1 } {
            let bench = if word == "noise" { bench(word, &[("colour", f64::from(colour))]) } else { bench(word, &[]) };
            let recipe = bench.recipe();
            let build = || (find(word).unwrap().kernel)(recipe);
            let whole = from(&mut *build(), recipe, 1, 0, 1010).remove(0);
            let located = from(&mut *build(), recipe, 1, far, 10).remove(0);
            assert_eq!(located, whole[far as usize..], "{word}");
            assert!(whole.iter().any(|x| *x != 0.0), "{word}");
        }
    }
}

#[test]
fn stretches_of_any_length_give_the_same_bits() {
    for word in ["saw", "noise", "impulse", "sweep"] {
        let whole = run(&mut bench(word, &[]), 1000);
        for stretch in [1, 17] {
            assert_eq!(run(&mut bench(word, &[]).stretch(stretch), 1000), whole, "{word}");
        }
    }
}

#[test]
fn levels_are_the_peak_of_periodic_waves_and_sweeps_and_the_rms_of_noise() {
    for word in PERIODIC.into_iter().chain(["sweep"]) {
        let default = run(&mut Bench::new(find(word).unwrap(), 0), 48_000);
        // A band-limited edge overshoots: what is limited is the naive waveform.
        let over = if matches!(word, "sine" | "sweep" | "triangle") { 0.001 } else { 1.7 };
        assert!((-18.1..-18.0 + over).contains(&peak(&default)), "{word}: {}", peak(&default));
    }
    for (colour, tolerance) in [(0.0, 0.05), (1.0, 0.3), (2.0, 0.8)] {
        let noise = run(&mut Bench::new(find("noise").unwrap(), 0).set("colour", colour), 1 << 20);
        assert!((rms(&noise) + 18.0).abs() < tolerance, "noise {colour}: {}", rms(&noise));
    }
    let impulse = run(&mut Bench::new(find("impulse").unwrap(), 0), 48_001);
    assert_eq!(impulse.iter().filter(|x| **x != 0.0).count(), 2);
    assert_eq!((impulse[0], impulse[48_000]), (1.0, 1.0));
    let off = run(&mut Bench::new(find("saw").unwrap(), 0).special("level"), 1000);
    assert!(off.iter().all(|x| *x == 0.0));
}

/// Runs a generator whose first number goes evenly from one value to another, by a control.
fn glided(word: &str, from: f64, to: f64, frames: usize) -> Vec<f64> {
    let mut recipe = bench(word, &[]).recipe().clone();
    let control = Control { way: Way::Automate { points: Vec::new(), hold: false }, at: Position::default() };
    recipe.settings[0] = Value::Control(Box::new(control));
    let mut kernel = (find(word).unwrap().kernel)(&recipe);
    let at = |frame: usize| from + (to - from) * frame as f64 / frames as f64;
    let mut sound = Vec::new();
    for begin in (0..frames).step_by(QUANTUM) {
        let mut values: Vec<Glide> = recipe.values.iter().map(|&value| Glide::still(value)).collect();
        values[0] = Glide { from: at(begin), to: at(begin + QUANTUM) };
        let mut audio = [[0.0; QUANTUM]];
        kernel.process(&mut Io {
            audio: &mut audio,
            channels_in: 0,
            key: &[],
            live: &[],
            frames: 0..QUANTUM,
            values: &values,
            settled: false,
            transport: begin as u64,
            rolling: true,
            moved: false,
            score: None,
            tempo: &Tempo::new(recipe.clock),
            reduced: 0.0,
        });
        sound.extend_from_slice(&audio[0]);
    }
    sound
}

#[test]
fn a_frequency_that_a_control_moves_gives_the_phase_of_its_integral() {
    let frames = 750 * QUANTUM;
    let sound = glided("sine", 200.0, 800.0, frames);
    let worst = sound.iter().enumerate().map(|(i, x)| {
        // Each frame goes on by the frequency at that frame.
        let (i, n) = (i as f64, frames as f64);
        let cycles = (200.0 * i + 600.0 / n * i * (i + 1.0) / 2.0) / RATE;
        (x - math::sin(2.0 * PI * cycles.fract())).abs()
    });
    let worst = worst.fold(0.0, f64::max);
    assert!(worst < 1e-9, "{worst}");
    for word in PERIODIC {
        let (held, still) = (glided(word, 300.0, 300.0, 6400), run(&mut bench(word, &[("freq", 300.0)]), 6400));
        let apart = held.iter().zip(&still).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-6, "{word} under a control that stays is the same: {apart}");
    }
    let impulses = glided("impulse", 1000.0, 3000.0, frames);
    let count = impulses.iter().filter(|x| **x != 0.0).count();
    assert_eq!(count, 2000, "so many cycles begin within {frames} frames");
}

#[test]
fn a_sine_reads_its_frequency_and_level() {
    let sound = run(&mut bench("sine", &[("freq", 997.0)]), 48_000);
    assert!(level_at(&sound, 997.0, RATE).abs() < 1e-9);
    assert!((rms(&sound) + 3.0103).abs() < 0.001);
}

#[test]
fn aliases_of_every_waveform_lie_below_60_db_of_its_fundamental() {
    // Frequencies that divide no multiple of the rate, so that an alias never falls on a harmonic.
    for word in PERIODIC {
        for freq in [101usize, 1009, 5003, 9001, 17_011] {
            let power = spectrum(&run(&mut bench(word, &[("freq", freq as f64)]), 48_000));
            let harmonic = |bin: usize| bin.is_multiple_of(freq);
            let worst = (1..24_000).filter(|&bin| !harmonic(bin)).map(|bin| power[bin]).fold(0.0, f64::max);
            let ratio = db_of_power(worst) - db_of_power(power[freq]);
            assert!(ratio < -70.0, "{word} at {freq} Hz: aliases at {ratio:.1} dB");
        }
    }
}

#[test]
fn harmonics_follow_the_fourier_series_up_to_18_khz() {
    let freq = 499usize;
    let odd = |k: usize| if k % 2 == 1 { 4.0 / (PI * k as f64) } else { 0.0 };
    let amplitude = |word: &str, k: usize| match word {
        "saw" => 2.0 / (PI * k as f64),
        "square" => odd(k),
        "triangle" => odd(k) * 2.0 / (PI * k as f64),
        _ => (4.0 / (PI * k as f64) * math::sin(PI * k as f64 * 0.25)).abs(),
    };
    for word in ["saw", "square", "triangle", "pulse"] {
        let mut bench = bench(word, &[("freq", freq as f64)]);
        if word == "pulse" {
            bench = bench.set("width", 25.0);
        }
        let power = spectrum(&run(&mut bench, 48_000));
        for k in 1..=18_000 / freq {
            let (found, expected) = (math::sqrt(power[k * freq]), amplitude(word, k));
            if expected > 1e-9 {
                let error = math::db_from_gain(found / expected);
                assert!(error.abs() < 0.05, "{word}: harmonic {k} is off by {error} dB");
            } else {
                assert!(found < 1e-5, "{word}: harmonic {k} should not be there: {found}");
            }
        }
    }
}

#[test]
fn noise_falls_by_its_slope_within_a_decibel_from_40_hz_to_16_khz() {
    for (colour, slope) in [(0.0, 0.0), (1.0, 3.0103), (2.0, 6.0206)] {
        let frames = 1 << 16;
        let mut bench = bench("noise", &[("colour", colour)]);
        let mut power = vec![0.0; frames / 2 + 1];
        for _ in 0..24 {
            let piece = run(&mut bench, frames);
            // A window keeps brown noise's lows from leaking upwards.
            let faded: Vec<f64> = piece
                .iter()
                .enumerate()
                .map(|(i, x)| x * (0.5 - 0.5 * math::cos(2.0 * PI * i as f64 / frames as f64)))
                .collect();
            power.iter_mut().zip(spectrum(&faded)).for_each(|(sum, power)| *sum += power);
        }
        // Thirds of an octave, as density, against the slope through 1 kHz.
        let density = |centre: f64| {
            let bin = |freq: f64| (freq * frames as f64 / RATE).round() as usize;
            let bins = bin(centre / 1.1225)..bin(centre * 1.1225);
            db_of_power(power[bins.clone()].iter().sum::<f64>() / bins.len() as f64)
        };
        let offsets: Vec<f64> = (-14..=12)
            .map(|third| {
                let octaves = f64::from(third) / 3.0;
                density(1000.0 * math::pow(2.0, octaves)) + slope * octaves
            })
            .collect();
        let mean = offsets.iter().sum::<f64>() / offsets.len() as f64;
        for (offset, third) in offsets.iter().zip(-14..) {
            assert!((offset - mean).abs() < 1.0, "noise {colour}: {:.2} dB off at third {third}", offset - mean);
        }
    }
}

#[test]
fn impulses_fall_on_the_first_frame_at_or_after_their_time() {
    for rate in [0.3f64, 7.0, 11.5, 1000.0, 20_000.0] {
        let sound = run(&mut bench("impulse", &[("rate", rate)]), 200_000);
        let found: Vec<usize> = (0..sound.len()).filter(|&i| sound[i] != 0.0).collect();
        let expected: Vec<usize> =
            (0..).map(|k| (f64::from(k) * RATE / rate).ceil() as usize).take_while(|&i| i < sound.len()).collect();
        assert_eq!(found, expected, "{rate} a second");
    }
}

#[test]
fn a_sweep_passes_each_frequency_when_farina_says_and_then_ends() {
    let bench = &mut bench("sweep", &[("from", 100.0), ("to", 10_000.0), ("time", 1000.0)]);
    let sound = run(bench, 60_000);
    // Between the ends the frequency is 100 * 100^t: count the rising zero crossings up to the half.
    let rising = sound[1..24_000].iter().zip(&sound[..23_999]).filter(|(b, a)| **a < 0.0 && **b >= 0.0).count();
    let cycles = 100.0 / math::ln(100.0) * (10.0 - 1.0);
    assert!((rising as f64 - cycles).abs() <= 1.0, "{rising} cycles for {cycles}");
    assert!(sound[48_000..].iter().all(|x| *x == 0.0));
    assert_eq!(end(find("sweep").unwrap(), bench.recipe()), End::At(48_000));
}

#[test]
fn what_the_sample_rate_has_no_room_for_is_refused() {
    for (word, name) in [("saw", "freq"), ("sweep", "to"), ("impulse", "rate")] {
        let bench = Bench::new(find(word).unwrap(), 0).rate(32_000.0).set(name, 17_000.0);
        let error = (find(word).unwrap().channels)(bench.recipe()).unwrap_err();
        assert!(error.contains(name) && error.contains("17000"), "{error}");
    }
}

#[test]
fn a_device_gives_the_channels_asked_for_and_silence_for_those_that_are_not_there() {
    let bench = Bench::new(&device::DEVICE, 0).set("gain", 6.0).set("polarity", 1.0);
    let mut recipe = bench.recipe().clone();
    recipe.settings[0] = Value::Channels(vec![2, 9]);
    assert_eq!((device::DEVICE.channels)(&recipe), Ok(2));
    let live = [[0.1; QUANTUM], [0.2; QUANTUM]];
    let mut audio = [[0.0; QUANTUM]; 2];
    let values: Vec<Glide> = recipe.values.iter().map(|&value| Glide::still(value)).collect();
    (device::DEVICE.kernel)(&recipe).process(&mut Io {
        audio: &mut audio,
        channels_in: 0,
        key: &[],
        live: &live,
        frames: 8..QUANTUM,
        values: &values,
        settled: false,
        transport: 0,
        rolling: true,
        moved: false,
        score: None,
        tempo: &Tempo::new(recipe.clock),
        reduced: 0.0,
    });
    assert_eq!(audio[0][7], 0.0);
    assert!(audio[0][8..].iter().all(|x| (x + 0.2 * math::gain_from_db(6.0)).abs() < 1e-12));
    assert_eq!(audio[1], [0.0; QUANTUM]);
    assert_eq!(end(&device::DEVICE, &recipe), End::Live);
}

/// A clip of a file in which channel `c` of frame `i` is `(i + 1 + 10000 c) / 2^23`, and what is set.
fn clip(folder: &TempDir, bound: u64, settings: &[(&str, Value)]) -> Recipe {
    let path = folder.path().join("count.wav");
    if !path.exists() {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 48_000,
            bits_per_sample: 24,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        (0..5000).for_each(|i| [i + 1, i + 10_001].into_iter().for_each(|x| writer.write_sample(x).unwrap()));
        writer.finalize().unwrap();
    }
    let mut recipe = Bench::new(&clip::CLIP, 0).recipe().clone();
    recipe.media = vec![Library::with_bound(bound).open(&path, 48_000).unwrap()];
    for (name, value) in settings {
        let index = clip::CLIP.index(name).unwrap();
        recipe.values[index] = clip::CLIP.parameters[index].resolve(value, &recipe.clock);
        recipe.settings[index] = value.clone();
    }
    recipe
}

/// What a clip gives from a transport frame on, as the numbers of the file.
fn counted(recipe: &Recipe, transport: u64, quanta: u64) -> Vec<Vec<f64>> {
    let channels = (clip::CLIP.channels)(recipe).unwrap();
    let mut sound = from(&mut *(clip::CLIP.kernel)(recipe), recipe, channels, transport, quanta);
    sound.iter_mut().flatten().for_each(|x| *x *= 8_388_608.0);
    sound
}

#[test]
fn a_clip_sounds_where_it_is_placed_and_nowhere_else() {
    let folder = TempDir::new().unwrap();
    for bound in [u64::MAX, 0] {
        let placed = [("start", Value::Samples(100.0)), ("from", Value::Samples(10.0)), ("to", Value::Samples(400.0))];
        let recipe = clip(&folder, bound, &placed);
        let sound = counted(&recipe, 0, 10);
        for (channel, offset) in sound.iter().zip([0.0, 10_000.0]) {
            for (i, &x) in channel.iter().enumerate() {
                let expected = if (100..490).contains(&i) { (i - 100 + 10 + 1) as f64 + offset } else { 0.0 };
                assert_eq!(x, expected, "frame {i}");
            }
        }
        assert_eq!(end(&clip::CLIP, &recipe), End::At(490));
        assert_eq!(counted(&recipe, 256, 2)[0], sound[0][256..384]);
    }
    assert_eq!(end(&clip::CLIP, &clip(&folder, u64::MAX, &[])), End::At(5000));
}

#[test]
fn a_looped_clip_wraps_without_a_gap_for_ever() {
    let folder = TempDir::new().unwrap();
    for bound in [u64::MAX, 0] {
        let looped = [("looped", Value::Flag(true)), ("from", Value::Samples(1000.0)), ("to", Value::Samples(1777.0))];
        let recipe = clip(&folder, bound, &looped);
        let first = 1_000_000 / 64 * 64;
        for (i, x) in counted(&recipe, first, 50)[0].iter().enumerate() {
            assert_eq!(*x, (1001 + (first + i as u64) % 777) as f64, "frame {i}");
        }
        assert_eq!(end(&clip::CLIP, &recipe), End::Never);
    }
}

#[test]
fn channels_are_picked_in_the_order_asked_for() {
    let folder = TempDir::new().unwrap();
    let picked = |list: &[u16]| clip(&folder, u64::MAX, &[("channels", Value::Channels(list.to_vec()))]);
    assert_eq!(counted(&picked(&[2]), 0, 1)[0][0], 10_001.0);
    let swapped = counted(&picked(&[2, 1]), 0, 1);
    assert_eq!((swapped[0][5], swapped[1][5]), (10_006.0, 6.0));
    let error = (clip::CLIP.channels)(&picked(&[1, 3])).unwrap_err();
    assert_eq!(error, "there is no channel 3 in it: 2 channels are there");
}

#[test]
fn fades_rise_from_silence_and_fall_to_it_at_the_edges_of_the_clip() {
    let folder = TempDir::new().unwrap();
    let faded =
        [("start", Value::Samples(50.0)), ("fade_in", Value::Samples(200.0)), ("fade_out", Value::Samples(1000.0))];
    let recipe = clip(&folder, u64::MAX, &faded);
    let plain = clip(&folder, u64::MAX, &faded[..1]);
    let (faded, plain) = (counted(&recipe, 0, 80), counted(&plain, 0, 80));
    let part = |i: usize| faded[0][i] / plain[0][i];
    assert_eq!((faded[0][50], faded[0][5049]), (0.0, 0.0));
    assert!((part(150) - 0.5).abs() < 1e-12 && (part(5049 - 500) - 0.5).abs() < 1e-12);
    assert_eq!(faded[0][250..4000], plain[0][250..4000]);
    assert!((51..250).all(|i| part(i) > part(i - 1) || i == 51) && (4050..5049).all(|i| part(i) > part(i + 1)));
}

#[test]
fn a_clip_that_makes_no_sense_is_refused_with_its_figures() {
    let folder = TempDir::new().unwrap();
    let refused = |settings: &[(&str, Value)]| (clip::CLIP.channels)(&clip(&folder, u64::MAX, settings)).unwrap_err();
    let samples = |x: f64| Value::Samples(x);
    assert!(refused(&[("from", samples(300.0)), ("to", samples(300.0))]).starts_with("nothing is left of it"));
    assert_eq!(refused(&[("to", Value::Number(200.0))]), "`to` is 0.200 s, and the file ends at 0.104 s");
    assert!(refused(&[("from", samples(5001.0))]).contains("the file ends at"));
    assert!(refused(&[("fade_in", samples(5001.0))]).contains("longer than the clip"));
    assert!(refused(&[("fade_out", samples(10.0)), ("looped", Value::Flag(true))]).contains("looped"));
    let mut recipe = clip(&folder, u64::MAX, &[]);
    recipe.media = Vec::<Arc<_>>::new();
    assert_eq!((clip::CLIP.channels)(&recipe).unwrap_err(), "its file is not open");
}

#[test]
fn every_word_is_found_and_every_table_is_in_order() {
    for table in SOURCES.iter() {
        assert!(std::ptr::eq(find(table.word).unwrap(), *table));
        assert!(table.arguments.iter().all(|name| table.index(name).is_some()), "{}", table.word);
        assert!(table.example.contains(table.word));
    }
}

#[test]
fn a_gated_source_gives_its_own_bits_between_the_fades_at_the_ends_of_its_spans() {
    let span = Span { begin: 0.0, end: 1.0 };
    let spans = [(0, 1000), (2000, 5000), (5000, 5100)].map(|(begin, end)| Placed { span, begin, end });
    for word in ["saw", "noise", "impulse", "sweep"] {
        let mut recipe = bench(word, &[]).recipe().clone();
        let whole = from(&mut *kernel(find(word).unwrap(), &recipe), &recipe, 1, 0, 90).remove(0);
        recipe.spans = Some(Arc::new(spans));
        let gated = from(&mut *kernel(find(word).unwrap(), &recipe), &recipe, 1, 0, 90).remove(0);
        // A sweep begins anew in each, with nothing to fade in.
        let begins = begins(find(word).unwrap());
        for (frame, x) in (0u64..).zip(gated) {
            let Some(&Placed { begin, end, .. }) = spans.iter().find(|span| (span.begin..span.end).contains(&frame))
            else {
                assert_eq!(x, 0.0, "{word} at {frame}");
                continue;
            };
            let fade = 240.min((end - begin) / 2);
            let own = whole[if begins { frame - begin } else { frame } as usize];
            let ends = [if begins || begin == 0 { fade } else { frame - begin }, end - 1 - frame];
            let gain = |gone: u64| 0.5 - 0.5 * (PI * gone.min(fade) as f64 / fade as f64).cos();
            if ends.iter().all(|gone| *gone >= fade) {
                assert_eq!(x.to_bits(), own.to_bits(), "{word} at {frame}");
            } else {
                let wanted = own * gain(ends[0]) * gain(ends[1]);
                assert!((x - wanted).abs() < 1e-12, "{word} at {frame}: {x}, not {wanted}");
            }
        }
        assert_eq!(end(find(word).unwrap(), &recipe), End::At(5100));
    }
}
