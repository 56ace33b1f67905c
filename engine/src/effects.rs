//! The list of effects. Each is one file: its table, its kernel, its tests. To add one is to add a file and a line here.

use crate::abreast::Shape;
use crate::math;
use crate::parameter::{Law, Parameter, Recipe, Table};
use crate::units::Unit;

pub mod align;
pub mod auto_pan;
pub mod chorus;
pub mod compressor;
pub mod console;
pub mod convolve;
pub mod crush;
pub mod dc_block;
pub mod deesser;
pub mod delay;
pub mod dither;
pub mod eq;
pub mod filter;
pub mod flanger;
pub mod gain;
pub mod gate;
pub mod haas;
pub mod insert;
pub mod limiter;
pub mod looper;
pub mod mid_side;
pub mod mono;
pub mod multiband;
pub mod pan;
pub mod phaser;
pub mod polarity;
pub mod reverb;
pub mod ring_mod;
pub mod saturate;
pub mod swap;
pub mod tape;
pub mod transient;
pub mod tremolo;
pub mod tube;
pub mod vibrato;
pub mod width;

/// Whether an effect tells by how much it turns down.
pub fn turns_down(table: &Table) -> bool {
    let dynamics: [&Table; 5] =
        [&compressor::COMPRESSOR, &gate::GATE, &gate::EXPANDER, &deesser::DEESSER, &limiter::LIMITER];
    dynamics.into_iter().any(|other| std::ptr::eq(table, other))
}

/// Every effect, in the order in which the reference shows them.
pub static EFFECTS: &[&Table] = &[
    &gain::FADER,
    &gain::GAIN,
    &pan::PAN,
    &width::WIDTH,
    &polarity::POLARITY,
    &mono::MONO,
    &swap::SWAP,
    &haas::HAAS,
    &align::ALIGN,
    &mid_side::MID_SIDE,
    &eq::EQ,
    &filter::HIGH_PASS,
    &filter::LOW_PASS,
    &filter::BAND_PASS,
    &filter::NOTCH,
    &compressor::COMPRESSOR,
    &gate::GATE,
    &gate::EXPANDER,
    &deesser::DEESSER,
    &transient::TRANSIENT,
    &multiband::MULTIBAND,
    &saturate::SATURATE,
    &tape::TAPE,
    &tube::TUBE,
    &crush::CRUSH,
    &console::CONSOLE,
    &console::CONSOLE_SUM,
    &chorus::CHORUS,
    &flanger::FLANGER,
    &phaser::PHASER,
    &tremolo::TREMOLO,
    &auto_pan::AUTO_PAN,
    &vibrato::VIBRATO,
    &ring_mod::RING_MOD,
    &delay::DELAY,
    &reverb::REVERB,
    &convolve::CONVOLVE,
    &looper::LOOPER,
    &limiter::LIMITER,
    &dc_block::DC_BLOCK,
    &dither::DITHER,
    &insert::INSERT,
];

/// The effect of a name.
pub fn find(word: &str) -> Option<&'static Table> {
    EFFECTS.iter().copied().find(|table| table.word == word)
}

/// What several works of a table do side by side, if they may go abreast. They take no more lanes than there are.
pub fn shape(table: &Table, recipe: &Recipe) -> Option<Shape> {
    let shape = match table.word {
        "eq" => eq::shape(recipe),
        "high_pass" | "low_pass" | "band_pass" | "notch" => Some(filter::shape(recipe)),
        "compressor" => compressor::shape(recipe),
        "fader" | "gain" => Some(gain::shape(recipe)),
        "pan" => Some(pan::shape(recipe)),
        _ => None,
    };
    shape.filter(|shape| shape.fits())
}

/// For [`Table::channels`]: as many leave as come in.
pub(crate) fn same_channels(recipe: &Recipe) -> Result<usize, String> {
    Ok(recipe.channels)
}

/// For [`Table::channels`]: two leave; one or two may come in. `word` is the effect's own.
pub(crate) fn stereo(recipe: &Recipe, word: &str) -> Result<usize, String> {
    match recipe.channels {
        1 | 2 => Ok(2),
        other => Err(format!("`{word}` takes one channel or two, not {other}")),
    }
}

/// How fast something turns, for [`crate::wheel::Wheel::turn`]: in Hz, or the length of a cycle.
pub(crate) const fn pace(default: f64, least: f64, most: f64) -> Parameter {
    Parameter::number(
        "rate",
        Unit::Hertz,
        default,
        least,
        most,
        "cycles a second; or a cycle's length, locked to the transport",
    )
    .law(Law::Pace)
}

/// How far channels are apart in what turns; see [`apart`].
pub(crate) const fn spread(default: f64) -> Parameter {
    Parameter::number(
        "stereo",
        Unit::Percent,
        default,
        0.0,
        100.0,
        "how far channels move apart: left and right up to opposite",
    )
}

/// By how many cycles a channel of so many is ahead of the first, for a [`spread`] in percent: two are opposite at 100. RT.
pub(crate) fn apart(channel: usize, count: usize, spread: f64) -> f64 {
    spread / 100.0 * channel as f64 / count.max(1) as f64
}

/// How many frames further than its place what is read between frames reaches.
pub(crate) const CUBIC: u64 = 2;

/// Frames until what comes back every `ms` with this much of itself, in percent, has fallen by 100 dB.
pub(crate) fn ringing(ms: f64, percent: f64, recipe: &Recipe) -> u64 {
    let loss = -math::db_from_gain((percent / 100.0).abs());
    recipe.clock.frames(ms * (1.0 + (100.0 / loss).ceil())) + CUBIC
}

/// For [`Table::latency`]: none.
pub(crate) fn no_latency(_: &Recipe) -> usize {
    0
}

/// For [`Table::tail`]: none worth hearing out.
pub(crate) fn no_tail(_: &Recipe) -> u64 {
    0
}

/// A stereo frame with its picture as wide as said, in percent: 100 leaves it as it is, 0 makes it mono. RT.
pub(crate) fn widened(left: f64, right: f64, width: f64) -> (f64, f64) {
    let across = (1.0 - width / 100.0) / 2.0 * (right - left);
    (left + across, right - across)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::Kind;
    use crate::random;
    use crate::test_signals::{Bench, noise};

    fn whole(table: &&&Table) -> bool {
        !table.parameters.iter().any(|p| matches!(p.kind, Kind::Path))
    }

    /// Every effect that needs no file, as its table has it, on one channel and on two.
    fn benches(rate: f64) -> impl Iterator<Item = (&'static str, usize, Bench)> {
        EFFECTS.iter().filter(whole).flat_map(move |table| {
            [1, 2].map(|channels| (table.word, channels, Bench::new(table, channels).rate(rate)))
        })
    }

    fn input(channels: usize, frames: usize) -> Vec<Vec<f64>> {
        (0..channels).map(|channel| noise(channel as u64, frames)).collect()
    }

    #[test]
    fn every_effect_is_finite_at_every_rate_for_sound_and_silence() {
        for rate in [8000.0, 22_050.0, 44_100.0, 192_000.0] {
            for (word, channels, mut bench) in benches(rate) {
                let sound = bench.run(&input(channels, 2000));
                let silence = bench.run(&vec![vec![0.0; 2000]; channels]);
                let all = sound.iter().chain(&silence).flatten();
                assert!(all.clone().all(|x| x.is_finite()), "{word} at {rate} Hz");
                assert!(all.fold(0.0f64, |most, x| most.max(x.abs())) < 10.0, "{word} at {rate} Hz");
            }
        }
    }

    #[test]
    fn every_effect_is_as_new_after_a_reset_even_from_what_is_no_number() {
        for (word, channels, mut bench) in benches(48_000.0) {
            let fresh = bench.run(&input(channels, 2000));
            for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let mut poisoned = input(channels, 100);
                poisoned.iter_mut().for_each(|channel| channel[50] = poison);
                bench.run(&poisoned);
                bench.reset();
                assert!(bench.run(&input(channels, 2000)) == fresh, "{word} on {channels} channels after {poison}");
            }
        }
    }

    /// Every effect as its table has it, with each of its choices and flags, on one channel and on two, with a key and
    /// without; and an equaliser with all its parts.
    fn variants() -> Vec<(String, usize, Bench)> {
        let mut all = Vec::new();
        for table in EFFECTS.iter().filter(whole).chain([&&crate::follow::FOLLOW]) {
            for (channels, key) in [(1, 0), (2, 0), (2, 1)] {
                let plain = || Bench::new(table, channels).key(key);
                all.push((table.word.to_owned(), key, plain()));
                for parameter in table.parameters {
                    let numbers = match parameter.kind {
                        Kind::Choice { options, .. } => (0..options.len()).map(|n| n as f64).collect(),
                        Kind::Flag { .. } => vec![0.0, 1.0],
                        Kind::Steps { options, .. } => options.to_vec(),
                        _ => Vec::new(),
                    };
                    let called = |how: String| format!("{} with {} {how}", table.word, parameter.name);
                    let set = |n: f64| (called(n.to_string()), key, plain().set(parameter.name, n));
                    all.extend(numbers.into_iter().map(set));
                    if matches!(parameter.kind, Kind::Number { special: Some(_), .. }) {
                        all.push((called("special".into()), key, plain().special(parameter.name)));
                    }
                }
            }
        }
        let parts = eq::EQ.parts.iter().fold(Bench::new(&eq::EQ, 2), |bench, part| bench.part(part.word, &[]));
        all.push(("eq with every part".into(), 0, parts));
        all
    }

    #[test]
    fn every_effect_goes_on_from_what_was_kept_bit_for_bit() {
        for (word, keys, mut bench) in variants() {
            let channels = bench.recipe().channels;
            let (sound, key) = (input(channels, 6000), input(keys, 6000));
            let cut = |from: usize, to: usize| {
                let part = |all: &[Vec<f64>]| all.iter().map(|x| x[from..to].to_vec()).collect::<Vec<_>>();
                (part(&sound), part(&key))
            };
            let run = |bench: &mut Bench, (sound, key): &(Vec<Vec<f64>>, Vec<Vec<f64>>)| bench.run_keyed(sound, key);
            run(&mut bench, &cut(0, 3000));
            // Its numbers are moving, so that crossfades and glides are under way.
            for index in 0..bench.recipe().values.len() {
                let middle = bench.recipe().values[index] * 0.7 + 0.01;
                if bench.is_free(index) {
                    bench.edit(index, middle);
                }
            }
            run(&mut bench, &cut(3000, 3200));
            let mut again = bench.again();
            let rest = cut(3200, 6000);
            assert!(run(&mut bench, &rest) == run(&mut again, &rest), "{word} on {channels} channels, {keys} of a key");
        }
    }

    #[test]
    fn every_effect_gives_silence_for_silence() {
        for (word, channels, mut bench) in benches(48_000.0) {
            let output = bench.run(&vec![vec![0.0; 2000]; channels]);
            assert!(output.iter().flatten().all(|x| *x == 0.0), "{word} on {channels} channels");
        }
    }

    /// Some value that a parameter takes; frequencies evenly in octaves.
    fn any_value(parameter: &Parameter, part: f64) -> Option<f64> {
        let one_of = |count: usize| ((part * count as f64) as usize).min(count - 1);
        match parameter.kind {
            Kind::Number { unit: Unit::Hertz, least, most, .. } if least > 0.0 => {
                Some((least * math::exp(part * math::ln(most / least))).clamp(least, most))
            }
            Kind::Number { least, most, .. } => Some(least + (most - least) * part),
            Kind::Choice { options, .. } => Some(one_of(options.len()) as f64),
            Kind::Steps { options, .. } => Some(options[one_of(options.len())]),
            Kind::Flag { .. } => Some(one_of(2) as f64),
            Kind::Channels | Kind::Path | Kind::Folder | Kind::Signal | Kind::Pattern => None,
            Kind::Circuit | Kind::Keyboard | Kind::Port => None,
        }
    }

    /// An effect with settings drawn from a seed, if it can be set so.
    fn any_settings(table: &'static Table, channels: usize, seed: u64) -> Option<Bench> {
        let mut bench = Bench::new(table, channels);
        for (i, parameter) in table.parameters.iter().enumerate() {
            if let Some(value) = any_value(parameter, random::even(seed, i as u64) + 0.5) {
                bench = bench.set(parameter.name, value);
            }
        }
        (table.channels)(bench.recipe()).is_ok().then_some(bench)
    }

    #[test]
    fn whatever_is_set_moved_and_heard_every_effect_stays_finite_and_bounded_and_recovers() {
        const SETTINGS: u64 = 12;
        // The loudest that any of them may be: 24 dB of gain behind a resonance of 32 dB, and something to spare.
        const BOUND: f64 = 10_000.0;
        type Sound = fn(u64) -> Vec<f64>;
        let sounds: [(&str, Sound); 5] = [
            ("silence", |_| vec![0.0; 1500]),
            ("noise", |seed| noise(seed, 1500)),
            ("an offset", |_| vec![1.0; 1500]),
            ("what is nearly nothing", |seed| noise(seed, 1500).iter().map(|x| x * 1e-310).collect()),
            ("one frame", |_| (0..1500).map(|i| if i == 700 { 1.0 } else { 0.0 }).collect()),
        ];
        let mut tried = 0;
        for table in EFFECTS.iter().filter(whole) {
            for (seed, channels) in (0..SETTINGS).flat_map(|seed| [(seed, 1), (seed, 2)]) {
                let Some(mut bench) = any_settings(table, channels, seed) else { continue };
                let called = || format!("{} on {channels} channels, settings {seed}", table.word);
                let check = |sound: &[Vec<f64>], what: &str| {
                    let all = || sound.iter().flatten();
                    assert!(all().all(|x| x.is_finite()), "{} under {what}", called());
                    let peak = all().fold(0.0f64, |most, x| most.max(x.abs()));
                    assert!(peak < BOUND, "{} under {what}: {peak}", called());
                };
                for (step, (what, sound)) in sounds.iter().enumerate() {
                    let input: Vec<Vec<f64>> = (0..channels).map(|channel| sound(channel as u64)).collect();
                    check(&bench.run(&input), what);
                    for (i, parameter) in table.parameters.iter().enumerate().filter(|(_, p)| !p.fixed) {
                        let part = random::even(seed + 1000, (step * 100 + i) as u64) + 0.5;
                        if let Some(value) = any_value(parameter, part).filter(|_| bench.is_free(i)) {
                            bench.edit(i, value);
                        }
                    }
                    check(&bench.run(&input), what);
                }
                for poison in [f64::NAN, f64::INFINITY] {
                    let mut input = input(channels, 300);
                    input.iter_mut().for_each(|channel| channel[150] = poison);
                    bench.run(&input);
                    bench.reset();
                    check(&bench.run(&self::input(channels, 300)), "what comes after no number");
                }
                tried += 1;
            }
        }
        assert!(tried > 700, "{tried} settings");
    }

    #[test]
    fn every_effect_gives_the_same_for_stretches_of_any_length() {
        for (word, channels, mut bench) in benches(48_000.0) {
            let output = bench.run(&input(channels, 2000));
            let mut other = Bench::new(find(word).unwrap(), channels).stretch(17);
            assert!(output == other.run(&input(channels, 2000)), "{word} on {channels} channels");
        }
    }
}
