//! `eq`: any number of bands in a row, each a part of its own.
//!
//! Bells, shelves and tilts are matched to the analogue curve up to 20 kHz: those at 10 kHz or below lie within 1 dB of it
//! whatever their gain (shelves of a Q above 1 within 1.6 dB, at 10 kHz up to a Q of 3), a bell of 12 dB and Q 1 at 16 kHz
//! within 1.3 dB. Passes are Butterworth filters.
//!
//! By default the bands are filters one behind the other, without latency: `eq/band.rs`. With `.phase("linear")` they are one
//! filter of linear phase instead, made from the same curves: `eq/linear.rs`.

mod band;
pub(super) mod linear;
#[cfg(test)]
mod responses;

use super::same_channels;
use crate::abreast::{Abreast, Shape};
use crate::filters::cascade::Design;
use crate::filters::row::Rows;
use crate::filters::{Filter, Section, Step, butterworth_q};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Law, Memory, Parameter, Part, PartWord, Recipe, Table};
use crate::units::Unit;
use band::Band;
use linear::Linear;

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

const ON: Parameter = Parameter::choice(
    "on",
    &["all", "mid", "side", "left", "right"],
    "what of a stereo signal the band works on: mid is the half sum of both sides, side their half difference",
);
const THRESHOLD: Parameter = Parameter::number(
    "threshold",
    Unit::Decibels,
    -24.0,
    -80.0,
    0.0,
    "the level, within the band's own region, above which it works; off: it always does",
)
.or("off", ALWAYS)
.special_by_default();
const RATIO: Parameter =
    Parameter::number("ratio", Unit::Plain, 2.0, 1.0, 100.0, "how soon above the threshold it has its gain");

/// What stands for a threshold that is always passed.
const ALWAYS: f64 = -1000.0;

const ON_WORD: PartWord = PartWord {
    word: "on",
    summary: "Has the band before it work on the middle, the sides, the left or the right of a stereo signal alone.",
    arguments: &["on"],
};
const DYNAMIC_WORD: PartWord = PartWord {
    word: "dynamic",
    summary: "Has the band before it work only while it is loud there: flat at rest, it goes towards its gain by 1 - 1/ratio dB \
              for each dB above the threshold, and never beyond it (10 ms there, 100 ms back; the loudest channel counts).",
    arguments: &["threshold", "ratio"],
};

/// What may be said of a band that has a gain.
const GAINED: &[PartWord] = &[ON_WORD, DYNAMIC_WORD];

/// `eq()`.
pub static EQ: Table = Table {
    word: "eq",
    summary: "An equaliser of any number of bands, each appended to it.",
    example: "x >> eq().high_pass(40).bell(350, -4, 1.2).high_shelf(10.kHz, 2)",
    arguments: &[],
    parameters: &[Parameter::choice(
        "phase",
        &["zero", "linear"],
        "zero: no latency; linear: every frequency is 42.7 ms late, what is narrower than 25 Hz gets wider, and every \
         number is fixed",
    )
    .fixes_all(LINEAR)],
    parts: &[
        Part {
            word: "bell",
            summary: "Raises or lowers what is round a frequency.",
            arguments: &["freq", "gain", "q"],
            parameters: &[freq(1000.0, "the centre"), GAIN, Q, ON, THRESHOLD, RATIO],
            words: GAINED,
        },
        Part {
            word: "low_shelf",
            summary: "Raises or lowers what is below a frequency.",
            arguments: &["freq", "gain", "q"],
            parameters: &[freq(100.0, "where half of the gain is reached"), GAIN, Q, ON, THRESHOLD, RATIO],
            words: GAINED,
        },
        Part {
            word: "high_shelf",
            summary: "Raises or lowers what is above a frequency.",
            arguments: &["freq", "gain", "q"],
            parameters: &[freq(8000.0, "where half of the gain is reached"), GAIN, Q, ON, THRESHOLD, RATIO],
            words: GAINED,
        },
        Part {
            word: "high_pass",
            summary: "Takes away what is below a frequency, flat above it (Butterworth).",
            arguments: &["freq", "slope"],
            parameters: &[freq(80.0, "the corner, 3 dB down"), SLOPE, ON],
            words: &[ON_WORD],
        },
        Part {
            word: "low_pass",
            summary: "Takes away what is above a frequency, flat below it (Butterworth).",
            arguments: &["freq", "slope"],
            parameters: &[freq(12_000.0, "the corner, 3 dB down"), SLOPE, ON],
            words: &[ON_WORD],
        },
        Part {
            word: "notch",
            summary: "Takes away what is at a frequency.",
            arguments: &["freq", "q"],
            parameters: &[freq(1000.0, "the centre, which is silent"), Q, ON],
            words: &[ON_WORD],
        },
        Part {
            word: "band_pass",
            summary: "Leaves what is round a frequency.",
            arguments: &["freq", "q"],
            parameters: &[freq(1000.0, "the centre, at 0 dB"), Q, ON],
            words: &[ON_WORD],
        },
        Part {
            word: "tilt",
            summary: "Raises what is above a frequency by the gain and lowers what is below by as much.",
            arguments: &["freq", "gain"],
            parameters: &[freq(1000.0, "where the level stays"), GAIN, ON],
            words: &[ON_WORD],
        },
        Part {
            word: "all_pass",
            summary: "Turns the phase round a frequency and leaves every level.",
            arguments: &["freq", "q"],
            parameters: &[freq(1000.0, "where the phase is opposite"), Q, ON],
            words: &[ON_WORD],
        },
    ],
    mix: 100.0,
    channels,
    latency: |recipe| if is_linear(recipe) { linear::latency(recipe.rate()) } else { 0 },
    tail: |recipe| match is_linear(recipe) {
        true => linear::latency(recipe.rate()) as u64,
        false => declared(recipe).flat_map(|band| band.sections(recipe.rate())).map(|section| section.ring()).sum(),
    },
    memory: Memory::Brief,
    kernel: |recipe| match is_linear(recipe) {
        true => Box::new(Linear::new(recipe)),
        false => {
            let bands = declared(recipe).map(|band| Band::new(&band, recipe)).collect();
            Box::new(Eq { bands, channels: recipe.channels, is_plain: false })
        }
    },
};

/// The index of `linear` among the phases.
const LINEAR: usize = 1;

fn is_linear(recipe: &Recipe) -> bool {
    EQ.value(recipe, "phase") == LINEAR as f64
}

/// Bands that cannot be as narrow as they are said to be, in words, each with its number from 1: those of linear phase may be.
pub fn shallow(recipe: &Recipe) -> Vec<(usize, String)> {
    if !is_linear(recipe) {
        return Vec::new();
    }
    let told = |(band, has, wanted): (usize, f64, f64)| {
        let wanted = if wanted < -200.0 { "silence".to_owned() } else { format!("{wanted:.1} dB") };
        (band, format!("has {has:.1} dB at its centre, not {wanted}: it is narrower than linear phase can be here"))
    };
    linear::shallow(recipe).into_iter().map(told).collect()
}

fn channels(recipe: &Recipe) -> Result<usize, String> {
    if recipe.channels != 2 && declared(recipe).any(|band| band.on != On::All) {
        let have = recipe.channels;
        return Err(format!(
            "`.on` takes a stereo signal, and this one has {have}; `>> pan(0)` before it makes one of mono"
        ));
    }
    if is_linear(recipe) && declared(recipe).any(|band| band.is_dynamic()) {
        return Err("a band cannot be `.dynamic` while `.phase` is \"linear\": its curve is made beforehand".into());
    }
    same_channels(recipe)
}

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

/// What of a signal a band works on: as [`ON`] has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    All,
    Mid,
    Side,
    Left,
    Right,
}

/// A band as a recipe has it.
struct Declared<'a> {
    part: &'static Part,
    design: Design,
    /// Where its values begin among all of the effect's.
    first: usize,
    values: &'a [f64],
    on: On,
}

/// The bands of a recipe, in order.
fn declared(recipe: &Recipe) -> impl Iterator<Item = Declared<'_>> {
    let mut next = EQ.parameters.len();
    recipe.parts.iter().map(move |&index| {
        let (part, first) = (&EQ.parts[index], next);
        next += part.parameters.len();
        let values = &recipe.values[first..next];
        let on = [On::All, On::Mid, On::Side, On::Left, On::Right];
        let on = part.index(ON.name).map_or(On::All, |i| on[values[i] as usize]);
        Declared { part, design: DESIGNS[index], first, values, on }
    })
}

impl Declared<'_> {
    /// The values that its filter is designed from.
    fn designed(&self) -> &[f64] {
        &self.values[..self.part.arguments.len()]
    }

    /// How many sections its filter takes.
    fn count(&self) -> usize {
        self.part.index(SLOPE.name).map_or(1, |i| order(self.values[i]).div_ceil(2))
    }

    /// Its filter.
    fn sections(&self, rate: f64) -> Vec<Section> {
        let mut sections = vec![Section::THROUGH; self.count()];
        (self.design)(self.designed(), rate, &mut sections);
        sections
    }

    fn is_dynamic(&self) -> bool {
        self.part.index(THRESHOLD.name).is_some_and(|i| self.values[i] != ALWAYS)
    }
}

/// What may go abreast: bands that all work on all of the sound.
pub(super) fn shape(recipe: &Recipe) -> Option<Shape> {
    if is_linear(recipe) || declared(recipe).any(|band| band.on != On::All) {
        return None;
    }
    Some(Shape::Sections { count: declared(recipe).map(|band| band.count()).sum(), channels: recipe.channels })
}

/// Bands one behind the other.
struct Eq {
    bands: Vec<Band>,
    channels: usize,
    /// Whether all of them were plain when that was last looked at.
    is_plain: bool,
}

impl Eq {
    /// Whether all bands filter all of the sound, and by numbers that stay. RT.
    fn is_plain(&mut self, io: &Io<'_>) -> bool {
        if !(io.settled && self.is_plain) {
            self.is_plain = self.bands.iter().all(|band| band.is_plain(io.values));
        }
        self.is_plain
    }
}

/// As long as all bands are plain.
impl Rows for Eq {
    fn channels(&self) -> usize {
        self.channels
    }

    fn row<const C: usize>(&mut self, first: usize) -> impl Iterator<Item = (&Step, &mut [Filter; C])> {
        self.bands.iter_mut().flat_map(move |band| band.row(first))
    }
}

keep!(Eq: bands);

impl Kernel for Eq {
    fn process(&mut self, io: &mut Io<'_>) {
        if !self.is_plain(io) {
            self.bands.iter_mut().for_each(|band| band.process(io));
            return;
        }
        self.run_rows(io.audio, io.frames.clone());
    }

    fn fall_in(&mut self, io: &Io<'_>, abreast: &mut Abreast, lane: usize) -> bool {
        let is_plain = self.is_plain(io);
        if is_plain {
            abreast.put_rows(lane, self);
        }
        is_plain
    }

    fn fall_out(&mut self, abreast: &Abreast, lane: usize) {
        abreast.take_rows(lane, self);
    }

    fn reset(&mut self) {
        self.is_plain = false;
        self.bands.iter_mut().for_each(Band::reset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::test_signals::{Bench, RATE, click_of_edit, db_of_power, impulse, level_at, noise, peak, sine};

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
            let count = EQ.parts.iter().find(|p| p.word == part).map_or(0, |p| p.arguments.len());
            let mut bench = Bench::new(&EQ, 2).part(part, &numbers[..count]);
            let click = click_of_edit(&mut bench, |bench| bench.edit(1 + index, to));
            assert!(click < -80.0, "{part} {numbers:?}, value {index} to {to}: {click} dBFS");
        }
        for (part, slope, to) in [("high_pass", 96.0, 400.0), ("high_pass", 24.0, 20.0), ("low_pass", 48.0, 50.0)] {
            let mut bench = Bench::new(&EQ, 1).part(part, &[90.0, slope]);
            let click = click_of_edit(&mut bench, |bench| bench.edit(1, to));
            assert!(click < -80.0, "{part} of {slope} dB to {to} Hz: {click} dBFS");
        }
    }

    #[test]
    fn every_band_is_stable_at_20_khz_in_a_session_of_22_050_hz() {
        for part in EQ.parts {
            for gain in [-24.0, 24.0] {
                let gained = part.arguments[1] == GAIN.name;
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

    /// The level at which a tone of `level` dBFS leaves a band that is dynamic.
    fn dynamic_level(part: &str, numbers: &[f64; 6], tone: f64, level: f64) -> f64 {
        let out = Bench::new(&EQ, 1).part(part, numbers).run_mono(&sine(tone, level, RATE, 48_000));
        level_at(&out[24_000..], tone, RATE)
    }

    #[test]
    fn a_dynamic_band_goes_towards_its_gain_by_its_ratio_and_not_beyond() {
        for (part, freq, tone) in
            [("bell", 1000.0, 1000.0), ("low_shelf", 10_000.0, 500.0), ("high_shelf", 500.0, 9000.0)]
        {
            for gain in [-12.0f64, -3.0, 6.0] {
                for (threshold, ratio) in [(-30.0, 4.0), (-40.0, 1.5), (-20.0, 100.0)] {
                    for level in [-50.0, -36.0, -26.0, -18.0, -6.0] {
                        let over = f64::max(level - threshold, 0.0);
                        let expected = level + gain.signum() * (over * (1.0 - 1.0 / ratio)).min(gain.abs());
                        let numbers = [freq, gain, 0.71, 0.0, threshold, ratio];
                        let found = dynamic_level(part, &numbers, tone, level);
                        assert!(
                            (found - expected).abs() < 0.1,
                            "{part} {numbers:?} at {level} dBFS: {found}, not {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_dynamic_band_at_rest_passes_the_input_on_exactly_and_hears_its_own_region_alone() {
        let quiet: Vec<f64> = noise(1, 5000).iter().map(|x| 1e-4 * x).collect();
        let numbers = [1000.0, -12.0, 2.0, 0.0, -40.0, 10.0];
        assert_eq!(Bench::new(&EQ, 1).part("bell", &numbers).run_mono(&quiet), quiet);
        // Six octaves away a band-pass of Q 2 lets through -42 dB of a tone.
        let found = dynamic_level("bell", &[8000.0, -12.0, 2.0, 0.0, -40.0, 10.0], 125.0, -6.0);
        assert!((found + 6.0).abs() < 1e-3, "{found}");
    }

    #[test]
    fn a_dynamic_band_takes_up_its_gain_in_10_ms_and_leaves_it_in_100() {
        // Half of 12 dB are reached at once by a level that asks for six: 63.2 % of them after 10 ms.
        let part = |ms: usize| {
            let frames = RATE as usize + 48 * ms;
            let mut sound = vec![0.0; RATE as usize];
            sound.extend(sine(6000.0, -20.0, RATE, 48_000));
            let out = Bench::new(&EQ, 1).part("bell", &[6000.0, -12.0, 0.1, 0.0, -28.0, 4.0]).run_mono(&sound);
            (level_at(&out[frames - 12..frames + 12], 6000.0, RATE) + 20.0) / -6.0
        };
        assert!((part(10) - (1.0 - math::exp(-1.0))).abs() < 0.04, "{}", part(10));
        assert!((part(100) - 1.0).abs() < 0.01, "{}", part(100));
    }

    #[test]
    fn a_threshold_that_is_turned_off_or_on_does_not_click_and_ends_in_the_band_without_it() {
        let numbers = [100.0, -12.0, 0.71, 0.0, -6.0, 4.0];
        let mut bench = Bench::new(&EQ, 2).part("bell", &numbers);
        let click = click_of_edit(&mut bench, |bench| bench.edit(5, ALWAYS));
        assert!(click < -80.0, "off: {click} dBFS");
        // As soon as it has all of its gain it is the band itself, to the last bit.
        let input = noise(5, 48_000);
        let mut plain = Bench::new(&EQ, 2).part("bell", &numbers[..3]);
        let heard = [&mut bench, &mut plain].map(|bench| bench.run(&vec![input.clone(); 2])[0][40_000..].to_vec());
        let off = heard[0].iter().zip(&heard[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-12, "{off}");
        let click = click_of_edit(&mut bench, |bench| bench.edit(5, -6.0));
        assert!(click < -80.0, "on: {click} dBFS");
    }

    #[test]
    fn a_band_works_on_what_it_is_put_on_and_leaves_the_rest_alone_exactly() {
        let (mid, side) = (sine(1000.0, -20.0, RATE, 9600), sine(1700.0, -30.0, RATE, 9600));
        let input: Vec<Vec<f64>> =
            [1.0, -1.0].iter().map(|sign| mid.iter().zip(&side).map(|(m, s)| m + sign * s).collect()).collect();
        let on = |index: f64| Bench::new(&EQ, 2).part("bell", &[1300.0, 12.0, 0.3, index]).run(&input);
        let pairs = |sound: &[Vec<f64>], sign: f64| -> Vec<f64> {
            sound[0].iter().zip(&sound[1]).map(|(l, r)| 0.5 * (l + sign * r)).collect()
        };
        let (of_mid, of_side) = (on(1.0), on(2.0));
        let gain = |tone| level("bell", &[1300.0, 12.0, 0.3], tone);
        let heard = |sound: &[f64], tone| level_at(&sound[4800..], tone, RATE);
        assert!((heard(&pairs(&of_mid, 1.0), 1000.0) + 20.0 - gain(1000.0)).abs() < 1e-3);
        assert!((heard(&pairs(&of_side, -1.0), 1700.0) + 30.0 - gain(1700.0)).abs() < 1e-3);
        for (left, right) in [(pairs(&of_mid, -1.0), side), (pairs(&of_side, 1.0), mid)] {
            assert!(left.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-15));
        }
        let (of_left, of_right) = (on(3.0), on(4.0));
        assert!(of_left[1] == input[1] && of_right[0] == input[0]);
        assert!(of_left[0] == on(0.0)[0] && of_right[1] == on(0.0)[1]);
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        let refused = |bench: &Bench| (EQ.channels)(bench.recipe()).expect_err("it cannot be");
        assert!(refused(&Bench::new(&EQ, 1).part("bell", &[100.0, 1.0, 1.0, 2.0])).contains("stereo"));
        let linear = Bench::new(&EQ, 2).set("phase", 1.0).part("bell", &[100.0, 1.0, 1.0, 0.0, -20.0]);
        assert!(refused(&linear).contains("dynamic"));
    }

    #[test]
    fn stretches_of_any_length_give_the_same_bits() {
        let bench = |linear: f64| {
            let bench = Bench::new(&EQ, 2).set("phase", linear).part("high_pass", &[90.0, 42.0]);
            let dynamic: &[f64] =
                if linear == 0.0 { &[300.0, -9.0, 2.0, 1.0, -30.0, 3.0] } else { &[300.0, -9.0, 2.0, 1.0] };
            bench.part("bell", dynamic).part("tilt", &[900.0, 2.0, 2.0]).part("low_shelf", &[80.0, 4.0, 1.0, 3.0])
        };
        let input = vec![noise(1, 6000), noise(2, 6000)];
        for linear in [0.0, 1.0] {
            let whole = bench(linear).run(&input);
            assert!([1, 17].iter().all(|frames| bench(linear).stretch(*frames).run(&input) == whole), "phase {linear}");
        }
    }

    #[test]
    fn an_impulse_through_linear_phase_is_symmetric_to_1e_9_about_the_latency_at_every_rate() {
        for rate in [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0] {
            let bench = Bench::new(&EQ, 1).rate(rate).set("phase", 1.0);
            let bench = bench.part("high_pass", &[80.0, 48.0]).part("bell", &[700.0, -6.0, 3.0]);
            let mut bench = bench.part("high_shelf", &[9000.0, 5.0]);
            let late = bench.latency();
            assert_eq!(late, (2048.0 * rate / 48_000.0).round() as usize);
            let sound = bench.run_mono(&impulse(3 * late));
            let crest = sound.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
            assert_eq!(crest.map(|(i, _)| i), Some(late));
            let most = (1..=late).map(|i| (sound[late - i] - sound[late + i]).abs()).fold(0.0, f64::max);
            assert!(most < 1e-9, "{most} at {rate} Hz");
            assert!(sound[2 * late + 1..].iter().all(|x| x.abs() < 1e-15), "it ends where its tail does");
            assert_eq!((EQ.tail)(bench.recipe()), late as u64);
        }
    }

    /// The worst difference in level between linear phase and none, of tones that are not below -40 dB.
    fn apart(part: &str, numbers: &[f64]) -> f64 {
        let sound = Bench::new(&EQ, 1).set("phase", 1.0).part(part, numbers).run_mono(&impulse(4097));
        let bench = Bench::new(&EQ, 1).part(part, numbers);
        let sections: Vec<Section> = declared(bench.recipe()).flat_map(|band| band.sections(RATE)).collect();
        let tones = (0..=100).map(|i| 20.0 * math::pow(1000.0, f64::from(i) / 100.0));
        tones
            .map(|tone| {
                let expected: f64 = sections.iter().map(|section| section.gain(tone, RATE)).product();
                let w = std::f64::consts::TAU * tone / RATE;
                // It is symmetric: what it does to a tone is a sum of cosines.
                let found: f64 = sound.iter().enumerate().map(|(i, x)| x * math::cos(w * (i as f64 - 2048.0))).sum();
                if expected < 0.01 { 0.0 } else { math::db_from_gain(found.abs() / expected).abs() }
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn linear_phase_has_the_curve_of_none_but_for_what_is_narrower_than_it_can_tell() {
        for (part, numbers, most) in [
            ("bell", &[8000.0, 6.0, 1.0][..], 1e-4),
            ("bell", &[1000.0, 12.0, 10.0], 0.05),
            ("bell", &[100.0, 6.0, 1.0], 0.05),
            ("low_shelf", &[100.0, 6.0], 0.01),
            ("high_shelf", &[4000.0, -24.0], 1e-4),
            ("tilt", &[1000.0, 6.0], 0.01),
            ("high_pass", &[200.0, 24.0], 0.01),
            ("high_pass", &[40.0, 12.0], 1.0),
            ("low_pass", &[8000.0, 96.0], 0.01),
            ("all_pass", &[300.0, 4.0], 1e-9),
        ] {
            let off = apart(part, numbers);
            assert!(off < most, "{part} {numbers:?} is off by {off} dB");
        }
    }

    #[test]
    fn bands_on_the_middle_and_on_one_side_have_the_same_levels_in_linear_phase() {
        let (left, right) = (sine(1000.0, -20.0, RATE, 24_000), sine(2500.0, -26.0, RATE, 24_000));
        let run = |linear: f64| {
            let bench = Bench::new(&EQ, 2).set("phase", linear).part("bell", &[1000.0, 9.0, 1.0, 1.0]);
            bench.part("low_shelf", &[1500.0, -6.0, 0.71, 3.0]).run(&[left.clone(), right.clone()])
        };
        // A real matrix of gains at each frequency: with no phase between them, the middle's 9 dB at its centre give
        // left (1 + g) / 2 of itself and right (g - 1) / 2.
        let g = math::gain_from_db(9.0);
        let shelf = level("low_shelf", &[1500.0, -6.0], 1000.0);
        let heard = run(1.0);
        let expected =
            [-20.0 + math::db_from_gain((1.0 + g) / 2.0) + shelf, -20.0 + math::db_from_gain((g - 1.0) / 2.0)];
        for (channel, expected) in heard.iter().zip(expected) {
            let found = level_at(&channel[12_000..], 1000.0, RATE);
            assert!((found - expected).abs() < 0.01, "{found} for {expected}");
        }
        assert!((level_at(&run(0.0)[1][12_000..], 1000.0, RATE) - expected[1]).abs() < 0.01);
    }

    #[test]
    fn bands_of_either_phase_go_on_from_what_was_kept_of_them_to_the_last_bit() {
        let input = [noise(1, 9000), noise(2, 9000)];
        let cut = |from: usize, to: usize| -> Vec<Vec<f64>> { input.iter().map(|x| x[from..to].to_vec()).collect() };
        for linear in [0.0, 1.0] {
            let threshold = if linear == 0.0 { -30.0 } else { ALWAYS };
            let bench = Bench::new(&EQ, 2).set("phase", linear).part("low_shelf", &[300.0, -9.0, 2.0, 1.0, threshold]);
            let mut bench = bench.part("high_pass", &[90.0, 30.0]);
            bench.run(&cut(0, 5056));
            let mut again = bench.again();
            let rest = cut(5056, 9000);
            assert!(again.run(&rest) == bench.run(&rest), "phase {linear}");
        }
    }

    #[test]
    fn a_band_that_is_dynamic_again_has_forgotten_what_it_heard_when_it_was() {
        let threshold = 1 + 4;
        let dynamic = || Bench::new(&EQ, 1).part("bell", &[40.0, -12.0, 20.0, 0.0, -40.0, 100.0]);
        let mut bench = dynamic();
        bench.run_mono(&sine(40.0, 0.0, RATE, 48_000));
        bench.edit(threshold, ALWAYS);
        // All of its gain takes it two seconds; then it listens no more.
        bench.run_mono(&vec![0.0; 240_000]);
        bench.edit(threshold, -40.0);
        let back = bench.run_mono(&noise(1, 4800).iter().map(|x| 1e-3 * x).collect::<Vec<_>>());
        let mut other = dynamic();
        other.edit(threshold, ALWAYS);
        other.run_mono(&vec![0.0; 240_000]);
        other.edit(threshold, -40.0);
        let fresh = other.run_mono(&noise(1, 4800).iter().map(|x| 1e-3 * x).collect::<Vec<_>>());
        assert!(back == fresh);
    }
}
