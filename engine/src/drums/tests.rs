//! Drums, measured: pitches, times, spectra, levels.

use super::*;
use crate::math;
use crate::test_signals::{db_of_power, peak, pitches, rms, spectrum};

/// Every sound of the kit at a rate, with its name.
fn kit(rate: u32) -> Vec<(String, &'static Drum, usize, Sound)> {
    let mut drums = Drums::new(rate).expect("sound may have the rate");
    let variants = DRUMS.iter().flat_map(|drum| (0..drum.variants.len()).map(move |variant| (drum, variant)));
    let made = |(drum, variant): (&'static Drum, usize)| {
        let sound = drums.make(drum, variant, &Voicing::default());
        (format!("{}:{variant}", drum.name), drum, variant, sound)
    };
    variants.map(made).collect()
}

fn wide(channel: &[f32]) -> Vec<f64> {
    channel.iter().map(|x| f64::from(*x)).collect()
}

fn made(name: &str, variant: usize, rate: u32, voicing: &Voicing) -> Sound {
    drum(name, variant, rate, voicing).expect("sound may have the rate").expect("there is such a drum")
}

/// The first channel, at 48 kHz.
fn first(name: &str, variant: usize, voicing: &Voicing) -> Vec<f64> {
    wide(&made(name, variant, 48_000, voicing).channels()[0])
}

/// The pitch in Hz about a time in seconds.
fn pitch(sound: &[f64], rate: f64, time: f64) -> f64 {
    let near = |(at, _): &&(f64, f64)| (at - time).abs() < 0.03;
    let found: Vec<f64> = pitches(sound, rate).iter().filter(near).map(|(_, pitch)| *pitch).collect();
    found.iter().sum::<f64>() / found.len() as f64
}

/// The T60 in seconds that the level between two times, over 40 ms at each, tells of.
fn t60(sound: &[f64], from: f64, to: f64) -> f64 {
    let level = |time: f64| rms(&sound[(time * 48_000.0) as usize..][..1920]);
    60.0 * (to - from) / (level(from) - level(to))
}

/// The spectrum of a sound over 2.5 seconds, in bins of 0.4 Hz.
struct Spectrum(Vec<f64>);

impl Spectrum {
    fn of(sound: &[f64], rate: u32) -> Spectrum {
        let mut padded = sound.to_vec();
        padded.resize(rate as usize * 5 / 2, 0.0);
        Spectrum(spectrum(&padded))
    }

    /// The power between two frequencies in Hz.
    fn power(&self, from: f64, to: f64) -> f64 {
        let bin = |freq: f64| ((freq / 0.4) as usize).min(self.0.len());
        self.0[bin(from)..bin(to)].iter().sum()
    }

    /// In dB, what of its power lies between two frequencies in Hz.
    fn share(&self, from: f64, to: f64) -> f64 {
        db_of_power(self.power(from, to) / self.power(0.0, f64::MAX))
    }
}

#[test]
fn every_sound_has_its_level_no_offset_and_ends_in_silence() {
    for (name, drum, variant, sound) in kit(48_000) {
        let most = sound.channels().iter().map(|channel| peak(&wide(channel))).fold(f64::MIN, f64::max);
        let stated = drum.variants[variant].peak;
        assert!((most - stated).abs() < 1e-3 && most <= -5.99, "{name} peaks at {most} dBFS");
        for channel in sound.channels().iter().map(|channel| wide(channel)) {
            let mean = channel.iter().sum::<f64>() / channel.len() as f64;
            assert!(math::db_from_gain(mean.abs()) < most - 74.0, "{name}: an offset of {mean}");
            assert_eq!(channel.last(), Some(&0.0), "{name}");
            assert!(channel[0].abs() < 0.02 * math::gain_from_db(most), "{name} begins at {}", channel[0]);
            let tail = peak(&channel[channel.len() - 240..]);
            assert!(tail < most - 79.9, "{name} ends at {tail} dBFS");
        }
        let length = sound.frames() as f64 / 48_000.0;
        assert!((0.03..2.5).contains(&length), "{name} lasts {length} s");
    }
}

#[test]
fn there_are_three_variants_of_each_and_all_differ() {
    let kit = kit(48_000);
    for (i, (name, drum, ..)) in kit.iter().enumerate() {
        assert!(drum.variants.len() >= 3, "{name}");
        for (other, .., sound) in &kit[..i] {
            assert!(sound.channels() != kit[i].3.channels(), "{name} is {other}");
        }
    }
    let spoken: Vec<&str> = DRUMS.iter().flat_map(|drum| [&[drum.name], drum.aliases].concat()).collect();
    for (i, name) in spoken.iter().enumerate() {
        assert!(!spoken[..i].contains(name) && find(name).is_some(), "{name}");
    }
    for name in "bd sn hh oh cp rim lt mt ht cb".split(' ') {
        assert!(find(name).is_some_and(|drum| drum.name == name));
    }
    assert!(find("xx").is_none());
}

#[test]
fn kicks_come_to_rest_where_they_are_tuned_to_and_begin_higher() {
    for (variant, freq) in [52.0, 45.0, 50.0, 56.0].into_iter().enumerate() {
        let kick = first("bd", variant, &Voicing::default());
        let settled = pitch(&kick, 48_000.0, 0.25);
        assert!((settled / freq - 1.0).abs() < 0.02 && (40.0..65.0).contains(&settled), "{variant}: {settled} Hz");
        let (_, early) = pitches(&kick, 48_000.0)[0];
        assert!(early > 1.4 * settled, "{variant}: {early} Hz at first");
    }
}

#[test]
fn toms_come_to_rest_a_tritone_apart() {
    for (name, freq) in [("lt", 92.0), ("mt", 131.0), ("ht", 185.0)] {
        for variant in 0..3 {
            let settled = pitch(&first(name, variant, &Voicing::default()), 48_000.0, 0.22);
            assert!((settled / freq - 1.0).abs() < 0.04, "{name}:{variant}: {settled} Hz");
        }
    }
}

#[test]
fn sounds_die_away_in_the_times_that_are_written() {
    for (name, variant, from, to, expected) in [
        ("bd", 0, 0.15, 0.35, 0.42),
        ("bd", 1, 0.5, 1.2, 1.5),
        ("mt", 0, 0.15, 0.4, 0.55),
        ("hh", 0, 0.01, 0.06, 0.11),
        ("oh", 0, 0.1, 0.5, 0.75),
        ("cb", 0, 0.15, 0.35, 0.45),
        ("cp", 0, 0.15, 0.4, 0.42),
        ("lt", 0, 0.15, 0.4, 0.66),
    ] {
        let found = t60(&first(name, variant, &Voicing::default()), from, to);
        assert!((found / expected - 1.0).abs() < 0.13, "{name}:{variant}: {found} s");
        let halved = Voicing::new(0.0, 50.0, 0.0).expect("it fits");
        let found = t60(&first(name, variant, &halved), from / 2.0, to / 2.0);
        assert!((found / expected - 0.5).abs() < 0.1, "{name}:{variant} at 50 %: {found} s");
    }
}

#[test]
fn hats_have_nothing_below_2_khz_and_no_kick_is_heard_in_the_highs() {
    for (name, variants) in [("hh", 4), ("oh", 3)] {
        for variant in 0..variants {
            let hat = first(name, variant, &Voicing::default());
            let below = Spectrum::of(&hat, 48_000).share(0.0, 2000.0);
            assert!(below < -40.0, "{name}:{variant}: {below} dB below 2 kHz");
        }
    }
    for variant in 0..4 {
        let kick = first("bd", variant, &Voicing::default());
        let above = Spectrum::of(&kick, 48_000).share(1000.0, 24_000.0);
        assert!((-65.0..-20.0).contains(&above), "bd:{variant}: {above} dB above 1 kHz");
    }
}

#[test]
fn a_sound_is_the_same_at_every_rate() {
    let spectra = |rate: u32| -> Vec<(String, Spectrum)> {
        let first = |sound: Sound| Spectrum::of(&wide(&sound.channels()[0]), rate);
        kit(rate).into_iter().map(|(name, .., sound)| (name, first(sound))).collect()
    };
    let reference = spectra(48_000);
    for (rate, highest) in [(44_100, 15_000.0), (96_000, 15_000.0)] {
        for ((name, sound), (_, other)) in reference.iter().zip(spectra(rate)) {
            let mut centre = 31.25;
            while centre * 1.13 < highest {
                let (low, high) = (centre / 1.1225, centre * 1.1225);
                let apart = db_of_power(other.power(low, high) / sound.power(low, high));
                let is_heard = sound.share(low, high) > -50.0;
                assert!(!is_heard || apart.abs() < 0.1, "{name} at {rate} Hz: {apart} dB at {centre} Hz");
                centre *= math::pow(2.0, 1.0 / 3.0);
            }
        }
    }
    for rate in [8000, 22_050, 192_000] {
        let mut drums = Drums::new(rate).expect("sound may have the rate");
        for drum in DRUMS {
            let sound = drums.make(drum, 0, &Voicing::default());
            let most = sound.channels().iter().map(|channel| peak(&wide(channel))).fold(f64::MIN, f64::max);
            // Between the frames of 48 kHz it may be a little higher.
            assert!(most < drum.variants[0].peak + 1.5, "{} at {rate} Hz: {most} dBFS", drum.name);
        }
    }
    assert!(Drums::new(10).is_err());
}

#[test]
fn a_sound_does_not_depend_on_what_was_made_before() {
    for (name, drum, variant, sound) in kit(44_100) {
        if variant == 1 {
            assert!(made(drum.name, variant, 44_100, &Voicing::default()) == sound, "{name}");
            let beyond = made(drum.name, variant + drum.variants.len(), 44_100, &Voicing::default());
            assert!(beyond == sound, "{name}");
        }
    }
}

#[test]
fn voicing_tunes_and_tilts_and_leaves_the_peak() {
    let high = Voicing::new(12.0, 100.0, 0.0).expect("it fits");
    for name in ["bd", "mt"] {
        let plain = pitch(&first(name, 0, &Voicing::default()), 48_000.0, 0.25);
        let tuned = pitch(&first(name, 0, &high), 48_000.0, 0.25);
        assert!((tuned / plain - 2.0).abs() < 0.01, "{name}: {plain} to {tuned} Hz");
    }
    let share = |tone: f64| {
        let snare = first("sn", 0, &Voicing::new(0.0, 100.0, tone).expect("it fits"));
        assert!((peak(&snare) + 6.5).abs() < 1e-3);
        let spectrum = Spectrum::of(&snare, 48_000);
        spectrum.share(6000.0, 7000.0) - spectrum.share(150.0, 250.0)
    };
    let (dark, plain, bright) = (share(-6.0), share(0.0), share(6.0));
    assert!((bright - plain - 12.0).abs() < 1.0 && (plain - dark - 12.0).abs() < 1.0, "{dark} {plain} {bright}");
    for (tune, decay, tone) in [(25.0, 100.0, 0.0), (0.0, 5.0, 0.0), (0.0, 100.0, -7.0), (f64::NAN, 100.0, 0.0)] {
        assert_eq!(Voicing::new(tune, decay, tone), None);
    }
    assert_ne!(high.key(), Voicing::default().key());
    assert_eq!(Voicing::new(-0.0, 100.0, 0.0).map(|voicing| voicing.key()), Some(Voicing::default().key()));
}

#[test]
fn wide_sounds_lose_little_in_mono_and_low_ones_are_mono() {
    for (name, drum, _, sound) in kit(48_000) {
        if ["bd", "sn", "lt", "mt", "ht", "rim", "cb", "rd"].contains(&drum.name) {
            assert_eq!(sound.channels().len(), 1, "{name}");
            continue;
        }
        let [left, right] = sound.channels() else { panic!("{name} is not stereo") };
        let sum = |of: &dyn Fn(f64, f64) -> f64| {
            let squares = left.iter().zip(right).map(|(l, r)| of(f64::from(*l), f64::from(*r)).powi(2));
            squares.sum::<f64>()
        };
        let (middle, sides, even) = (sum(&|l, r| (l + r) / 2.0), sum(&|l, _| l), sum(&|_, r| r));
        let lost = db_of_power(2.0 * middle / (sides + even));
        assert!(lost > -2.5, "{name} loses {lost} dB");
        assert!(db_of_power(sides / even).abs() < 1.0, "{name} leans to one side");
    }
}

#[test]
fn what_is_square_does_not_alias() {
    // 1 second: bins of 1 Hz. Whatever is not an odd harmonic is an alias, or of an edge that is not quite in its place.
    let sound = parts::squares(&[541.0], 1, 48_000);
    let bins = spectrum(&sound);
    let is_harmonic = |i: usize| (i as i64 + 270).rem_euclid(1082) - 811 == 0;
    let part = |harmonic: bool| -> f64 {
        bins.iter().enumerate().filter(|(i, _)| is_harmonic(*i) == harmonic).map(|(_, power)| power).sum()
    };
    let aliases = db_of_power(part(false) / part(true));
    assert!(aliases < -65.0, "{aliases} dB");
    let fundamental = db_of_power(bins[541]);
    assert!((fundamental - math::db_from_gain(4.0 / std::f64::consts::PI)).abs() < 0.01, "{fundamental} dB");
}

#[test]
fn what_is_driven_does_not_alias() {
    let mut sound: Vec<f64> = crate::test_signals::sine(997.0, 0.0, 48_000.0, 48_000);
    parts::bend(&mut sound, 2.4);
    let bins = spectrum(&sound);
    assert!(db_of_power(bins[3 * 997]) > -20.0);
    let alias = bins.iter().enumerate().filter(|(i, _)| i % 997 != 0).map(|(_, power)| *power).fold(0.0, f64::max);
    assert!(db_of_power(alias) < -110.0, "{} dB", db_of_power(alias));
}

#[test]
fn no_drum_is_longer_than_the_longest() {
    let mut drums = Drums::new(48_000).expect("sound may have the rate");
    for (decay, tune) in [(DECAYS.0, 0.0), (100.0, MOST_TUNE), (DECAYS.1, -MOST_TUNE)] {
        let voicing = Voicing::new(tune, decay, 0.0).expect("it lies within what a kit may be");
        for drum in DRUMS {
            for variant in 0..drum.variants.len() {
                let seconds = drums.make(drum, variant, &voicing).frames() as f64 / 48_000.0;
                assert!(seconds <= longest(decay), "{}:{variant} lasts {seconds} s at {decay} %", drum.name);
            }
        }
    }
}
