//! `eq`: any number of bands in a row, each a part of its own.
//!
//! Bells, shelves and tilts are matched to the analogue curve up to 20 kHz: those at 10 kHz or below lie within 1 dB of it
//! whatever their gain (shelves: for a Q of 1 or less), a bell of 12 dB and Q 1 at 16 kHz within 1.3 dB.

use super::{no_latency, same_channels};
use crate::filters::cascade::{Cascade, Design};
use crate::filters::{Section, butterworth_q};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Law, Parameter, Part, Recipe, Table};
use crate::units::Unit;

const GAIN: Parameter = Parameter::number("gain", Unit::Decibels, 0.0, -24.0, 24.0, "level of the band");
const Q: Parameter =
    Parameter::number("q", Unit::Plain, 0.71, 0.1, 40.0, "above 1 is narrow, below 0.5 is wide").law(Law::Octaves);
const SLOPE: Parameter = Parameter::steps(
    "slope",
    Unit::Decibels,
    12.0,
    &[6.0, 12.0, 18.0, 24.0, 30.0, 36.0, 42.0, 48.0, 54.0, 60.0, 66.0, 72.0, 78.0, 84.0, 90.0, 96.0],
    "steepness, in dB an octave",
);

const fn freq(default: f64, help: &'static str) -> Parameter {
    Parameter::number("freq", Unit::Hertz, default, 10.0, 20_000.0, help)
}

/// `eq()`.
pub static EQ: Table = Table {
    word: "eq",
    summary: "An equaliser of any number of bands, each appended to it.",
    example: "x >> eq().high_pass(40).bell(350, -4, 1.2).high_shelf(10.kHz, 2)",
    arguments: &[],
    parameters: &[],
    parts: &[
        Part {
            word: "bell",
            summary: "Raises or lowers what is round a frequency.",
            parameters: &[freq(1000.0, "the centre"), GAIN, Q],
        },
        Part {
            word: "low_shelf",
            summary: "Raises or lowers what is below a frequency.",
            parameters: &[freq(100.0, "where half of the gain is reached"), GAIN, Q],
        },
        Part {
            word: "high_shelf",
            summary: "Raises or lowers what is above a frequency.",
            parameters: &[freq(8000.0, "where half of the gain is reached"), GAIN, Q],
        },
        Part {
            word: "high_pass",
            summary: "Takes away what is below a frequency, flat above it (Butterworth).",
            parameters: &[freq(80.0, "the corner, 3 dB down"), SLOPE],
        },
        Part {
            word: "low_pass",
            summary: "Takes away what is above a frequency, flat below it (Butterworth).",
            parameters: &[freq(12_000.0, "the corner, 3 dB down"), SLOPE],
        },
        Part {
            word: "notch",
            summary: "Takes away what is at a frequency.",
            parameters: &[freq(1000.0, "the centre, which is silent"), Q],
        },
        Part {
            word: "band_pass",
            summary: "Leaves what is round a frequency.",
            parameters: &[freq(1000.0, "the centre, at 0 dB"), Q],
        },
        Part {
            word: "tilt",
            summary: "Raises what is above a frequency by the gain and lowers what is below by as much.",
            parameters: &[freq(1000.0, "where the level stays"), GAIN],
        },
        Part {
            word: "all_pass",
            summary: "Turns the phase round a frequency and leaves every level.",
            parameters: &[freq(1000.0, "where the phase is opposite"), Q],
        },
    ],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: |recipe| Eq::new(recipe).bands.iter().map(|band| band.cascade.ring()).sum(),
    echoes: false,
    kernel: |recipe| Box::new(Eq::new(recipe)),
};

/// What designs each part, in the order of the table.
const DESIGNS: [Design; 9] = [
    |v, rate, out| out.fill(Section::bell(v[0], v[1], v[2], rate)),
    |v, rate, out| out.fill(Section::low_shelf(v[0], v[1], v[2], rate)),
    |v, rate, out| out.fill(Section::high_shelf(v[0], v[1], v[2], rate)),
    |v, rate, out| slope(out, v[1], Section::high_pass_6(v[0], rate), |q| Section::high_pass(v[0], q, rate)),
    |v, rate, out| slope(out, v[1], Section::low_pass_6(v[0], rate), |q| Section::low_pass(v[0], q, rate)),
    |v, rate, out| out.fill(Section::notch(v[0], v[1], rate)),
    |v, rate, out| out.fill(Section::band_pass(v[0], v[1], rate)),
    |v, rate, out| out.fill(Section::tilt(v[0], v[1], rate)),
    |v, rate, out| out.fill(Section::all_pass(v[0], v[1], rate)),
];

/// As many sections as a slope takes. RT.
fn slope(sections: &mut [Section], slope: f64, odd: Section, at: impl Fn(f64) -> Section) {
    let order = order(slope);
    for (stage, section) in sections.iter_mut().enumerate() {
        *section = if stage < order / 2 { at(butterworth_q(order, stage)) } else { odd };
    }
}

/// The order of a Butterworth filter of a slope in dB an octave. RT.
fn order(slope: f64) -> usize {
    (slope / 6.0) as usize
}

struct Eq {
    bands: Vec<Band>,
}

struct Band {
    /// Where its values begin among all of the effect's.
    first: usize,
    count: usize,
    cascade: Cascade,
}

impl Eq {
    fn new(recipe: &Recipe) -> Self {
        let mut first = 0;
        let bands = recipe.parts.iter().map(|&part| {
            let parameters = EQ.parts[part].parameters;
            let count = parameters.len();
            let values = &recipe.values[first..first + count];
            let slope = parameters.iter().position(|p| p.name == SLOPE.name);
            let sections = slope.map_or(1, |i| order(values[i]).div_ceil(2));
            let cascade = Cascade::new(DESIGNS[part], values, sections, recipe.channels, recipe.rate());
            first += count;
            Band { first: first - count, count, cascade }
        });
        Eq { bands: bands.collect() }
    }
}

keep!(Band: cascade);
keep!(Eq: bands);

impl Kernel for Eq {
    fn process(&mut self, io: &mut Io<'_>) {
        for band in &mut self.bands {
            let values = &io.values[band.first..band.first + band.count];
            band.cascade.process(values, io.audio, io.frames.clone());
        }
    }

    fn reset(&mut self) {
        self.bands.iter_mut().for_each(|band| band.cascade.reset());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::test_signals::{Bench, RATE, click_of_edit, db_of_power, level_at, noise, peak, sine};

    /// The level at which a tone leaves an eq of one band.
    fn level(part: &str, numbers: &[f64], tone: f64) -> f64 {
        let out = Bench::new(&EQ, 1).part(part, numbers).run_mono(&sine(tone, 0.0, RATE, 48_000));
        level_at(&out[24_000..], tone, RATE)
    }

    fn holds(part: &str, numbers: &[f64], tone: f64, expected: f64, tolerance: f64) {
        let found = level(part, numbers, tone);
        assert!((found - expected).abs() < tolerance, "{part} {numbers:?} at {tone} Hz: {found} dB for {expected}");
    }

    #[test]
    fn an_eq_without_bands_or_gains_passes_the_input_on_exactly() {
        let input = vec![noise(1, 500), noise(2, 500)];
        assert_eq!(Bench::new(&EQ, 2).run(&input), input);
        let mut flat = Bench::new(&EQ, 2).part("bell", &[]).part("low_shelf", &[]).part("tilt", &[]);
        assert_eq!(flat.run(&input), input);
    }

    #[test]
    fn a_bell_has_its_gain_at_its_centre_and_none_far_away() {
        for gain in [-24.0, -4.0, 12.0] {
            holds("bell", &[1000.0, gain, 2.0], 1000.0, gain, 1e-3);
            holds("bell", &[1000.0, gain, 2.0], 20.0, 0.0, 0.02);
        }
    }

    #[test]
    fn a_matched_bell_of_12_db_at_10_khz_is_within_0_7_db_of_the_analogue_curve() {
        for tone in [1000.0, 5000.0, 8000.0, 10_000.0, 12_000.0, 15_000.0, 18_000.0, 20_000.0] {
            let (a, x) = (math::gain_from_db(6.0), tone / 10_000.0);
            let flat = (1.0 - x * x) * (1.0 - x * x);
            let analogue = db_of_power((flat + x * x * a * a) / (flat + x * x / (a * a)));
            holds("bell", &[10_000.0, 12.0, 1.0], tone, analogue, 0.7);
        }
    }

    #[test]
    fn shelves_reach_their_gain_and_half_of_it_at_their_frequency() {
        for gain in [-12.0, 6.0] {
            holds("low_shelf", &[500.0, gain], 20.0, gain, 0.05);
            holds("low_shelf", &[500.0, gain], 500.0, gain / 2.0, 1e-3);
            holds("low_shelf", &[500.0, gain], 15_000.0, 0.0, 0.05);
            holds("high_shelf", &[2000.0, gain], 20.0, 0.0, 0.05);
            holds("high_shelf", &[2000.0, gain], 2000.0, gain / 2.0, 1e-3);
            holds("high_shelf", &[2000.0, gain], 20_000.0, gain, 0.05);
        }
    }

    #[test]
    fn passes_are_3_01_db_down_at_their_corner_and_fall_by_their_slope() {
        for slope in [6.0, 12.0, 18.0, 24.0, 48.0, 96.0] {
            holds("high_pass", &[1000.0, slope], 1000.0, -3.0103, 1e-3);
            holds("low_pass", &[1000.0, slope], 1000.0, -3.0103, 1e-3);
            // An octave away a Butterworth filter of order n is 10 log10(1 + 4^n) dB down.
            let fallen = -db_of_power(1.0 + math::pow(4.0, slope / 6.0));
            holds("high_pass", &[200.0, slope], 100.0, fallen, 0.05);
            holds("low_pass", &[100.0, slope], 200.0, fallen, 0.05);
        }
    }

    #[test]
    fn notch_band_pass_and_all_pass_do_at_their_centre_what_they_are_named_for() {
        assert!(level("notch", &[1000.0, 4.0], 1000.0) < -120.0);
        holds("notch", &[1000.0, 4.0], 100.0, 0.0, 0.05);
        holds("band_pass", &[1000.0, 4.0], 1000.0, 0.0, 1e-3);
        assert!(level("band_pass", &[1000.0, 4.0], 100.0) < -30.0);
        for tone in [100.0, 1000.0, 9000.0] {
            holds("all_pass", &[1000.0, 4.0], tone, 0.0, 1e-6);
        }
        let out = Bench::new(&EQ, 1).part("all_pass", &[1000.0, 4.0]).run_mono(&sine(1000.0, 0.0, RATE, 9600));
        let sum: Vec<f64> = out.iter().zip(sine(1000.0, 0.0, RATE, 9600)).map(|(y, x)| x + y).collect();
        assert!(level_at(&sum[4800..], 1000.0, RATE) < -100.0);
    }

    #[test]
    fn a_tilt_lifts_one_side_as_much_as_it_lowers_the_other() {
        holds("tilt", &[1000.0, 6.0], 1000.0, 0.0, 1e-3);
        holds("tilt", &[1000.0, 6.0], 20.0, -6.0, 0.05);
        holds("tilt", &[1000.0, 6.0], 20_000.0, 6.0, 0.05);
    }

    #[test]
    fn bands_work_in_a_row_and_on_every_channel() {
        let mut bench = Bench::new(&EQ, 2).part("bell", &[1000.0, 6.0, 1.0]).part("bell", &[1000.0, -2.0, 1.0]);
        let out = bench.run(&vec![sine(1000.0, -20.0, RATE, 9600); 2]);
        assert!((level_at(&out[0][4800..], 1000.0, RATE) + 16.0).abs() < 1e-3);
        assert_eq!(out[0], out[1]);
    }

    #[test]
    fn an_edit_of_any_band_does_not_click() {
        for (part, numbers, index, to) in [
            ("bell", [100.0, 0.0, 1.0], 1, 12.0),
            ("bell", [100.0, 0.0, 1.0], 1, -24.0),
            ("bell", [100.0, 12.0, 1.0], 0, 10_000.0),
            ("bell", [10_000.0, 12.0, 1.0], 0, 60.0),
            ("bell", [100.0, 12.0, 0.3], 2, 20.0),
            ("low_shelf", [200.0, 0.0, 0.71], 1, 12.0),
            ("low_shelf", [200.0, 12.0, 0.71], 0, 2000.0),
            ("high_shelf", [80.0, 0.0, 0.71], 1, -12.0),
            ("high_shelf", [8000.0, 12.0, 0.71], 0, 80.0),
            ("notch", [100.0, 1.0, 0.0], 0, 1000.0),
            ("band_pass", [100.0, 1.0, 0.0], 0, 1000.0),
            ("tilt", [1000.0, 0.0, 0.0], 1, 12.0),
            ("all_pass", [100.0, 1.0, 0.0], 0, 5000.0),
        ] {
            let count = EQ.parts.iter().find(|p| p.word == part).map_or(0, |p| p.parameters.len());
            let mut bench = Bench::new(&EQ, 2).part(part, &numbers[..count]);
            let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
            assert!(click < -80.0, "{part} {numbers:?}, value {index} to {to}: {click} dBFS");
        }
        for (part, slope, to) in [("high_pass", 96.0, 400.0), ("high_pass", 24.0, 20.0), ("low_pass", 48.0, 50.0)] {
            let mut bench = Bench::new(&EQ, 1).part(part, &[90.0, slope]);
            let click = click_of_edit(&mut bench, |bench| bench.edit(0, to));
            assert!(click < -80.0, "{part} of {slope} dB to {to} Hz: {click} dBFS");
        }
    }

    #[test]
    fn every_band_is_stable_at_20_khz_in_a_session_of_22_050_hz() {
        for part in EQ.parts {
            for gain in [-24.0, 24.0] {
                let gained = part.parameters[1].name == GAIN.name;
                let numbers = if gained { vec![20_000.0, gain] } else { vec![20_000.0] };
                let mut bench = Bench::new(&EQ, 1).rate(22_050.0).part(part.word, &numbers);
                let most = peak(&bench.run_mono(&noise(1, 22_050)));
                assert!(most < 36.0, "{} peaks at {most} dBFS", part.word);
            }
        }
    }

    #[test]
    fn a_tail_is_as_long_as_the_narrowest_band_rings() {
        let tail = |part: &str, numbers: &[f64]| (EQ.tail)(Bench::new(&EQ, 1).part(part, numbers).recipe());
        assert_eq!((EQ.tail)(Bench::new(&EQ, 1).recipe()), 0);
        // A pole pair falls by 96 dB in ln(10^4.8) 2Q / w.
        let expected = 11.05 * 2.0 * 20.0 / (std::f64::consts::TAU * 100.0) * RATE;
        let found = tail("band_pass", &[100.0, 20.0]) as f64;
        assert!((found / expected - 1.0).abs() < 0.01, "{found} frames for {expected}");
    }
}
