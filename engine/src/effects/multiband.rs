//! `multiband`: takes the spectrum apart at its crossovers, each band through effects of its own.
//!
//! Crossovers are Linkwitz-Riley of fourth order ("Active Crossover Networks for Noncoincident Drivers", 1976): each two
//! Butterworth filters of second order in a row, whose low and high side add up to an all-pass of second order. A band below
//! a crossover that it does not end at goes through that all-pass, so that all bands stay in phase and add up flat. What
//! they are mixed with in part goes through all of those all-passes too, so that a mix does not comb; alone it is the input
//! as it was.
//!
//! With `.phase("linear")` each band is one symmetric filter with the same curve: what it is late by is all that it does to
//! a phase.

use std::slice;

use super::eq::linear::{self, Linear};
use super::same_channels;
use crate::filters::cascade::{Cascade, Design, high_pass, low_pass};
use crate::filters::row::Rows;
use crate::filters::{Filter, Section, Step, butterworth_q};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::nest::Nest;
use crate::parameter::{Memory, Parameter, Recipe, Table, Value};
use crate::units::Unit;

const fn crossover(name: &'static str, freq: f64) -> Parameter {
    Parameter::number(
        name,
        Unit::Hertz,
        freq,
        20.0,
        20_000.0,
        "where one band ends and the next begins; where a control moves it past the next, nothing is between them",
    )
}

/// `multiband()`.
pub static MULTIBAND: Table = Table {
    word: "multiband",
    summary: "Takes the spectrum apart into bands, each through effects of its own; flat where they do nothing.",
    example: "x >> multiband().crossovers(200, 2000).band(1, compressor(-24, 3)).band(3, gain(1))",
    arguments: &[],
    parameters: &[
        crossover("crossover_1", 120.0),
        crossover("crossover_2", 1000.0),
        crossover("crossover_3", 5000.0),
        crossover("crossover_4", 8000.0),
        crossover("crossover_5", 10_000.0),
        crossover("crossover_6", 12_000.0),
        crossover("crossover_7", 15_000.0),
        Parameter::choice(
            "phase",
            &["zero", "linear"],
            "zero: no latency, but crossovers turn phases, and comb with what does not go through them: a parallel path, one \
             half of a `mid_side`, other bands if it stands in one, what it replaces for a moment (a `.mix` does not); \
             linear: no comb anywhere, every frequency is 42.7 ms late, and crossovers are fixed",
        )
        .fixes_all(LINEAR),
    ],
    parts: &[],
    mix: 100.0,
    channels,
    latency: |recipe| if is_linear(recipe) { linear::latency(recipe.rate()) } else { 0 },
    tail: |recipe| match is_linear(recipe) {
        true => linear::latency(recipe.rate()) as u64,
        false => Band::new(recipe).filters.iter().map(Cascade::ring).sum(),
    },
    memory: Memory::Brief,
    kernel: |recipe| match is_linear(recipe) {
        true => Box::new(Linear::even(&taps(recipe), recipe.channels)),
        false => Box::new(Band::new(recipe)),
    },
};

/// How many crossovers there may be: the first of its parameters.
const CROSSOVERS: usize = 7;

/// The index of `linear` among the phases.
const LINEAR: usize = 1;

fn is_linear(recipe: &Recipe) -> bool {
    MULTIBAND.value(recipe, "phase") == LINEAR as f64
}

/// Its branches: the bands, from the lowest.
pub static NEST: Nest = Nest {
    table: &MULTIBAND,
    methods: &[
        (".crossovers(freq, ...)", "Where bands end, rising: one to seven; one band more than that."),
        (".band(number, effect)", "What a band goes through, counted from 1, the lowest."),
    ],
    names: &[],
    branches: 4,
    back: |_| None,
    turns: |recipe| !is_linear(recipe),
};

/// Which band it is, from 0, and the crossovers there are.
fn band(recipe: &Recipe) -> (usize, &[f64]) {
    let (number, count) = recipe.branch.map_or((0, NEST.branches), |branch| (branch.number, branch.count));
    (number, &recipe.values[..count - 1])
}

fn channels(recipe: &Recipe) -> Result<usize, String> {
    let (_, crossovers) = band(recipe);
    // One that a control moves may go where it likes.
    let still = |i: usize| !matches!(recipe.settings.get(i), Some(Value::Control(_)));
    let mut pairs = crossovers.windows(2).enumerate().filter(|(i, _)| still(*i) && still(i + 1));
    if let Some((_, pair)) = pairs.find(|(_, pair)| pair[0] >= pair[1]) {
        return Err(format!("its crossovers have to rise, and {} Hz is not above {} Hz", pair[1], pair[0]));
    }
    let all = MULTIBAND.parameters.iter().take(CROSSOVERS).zip(&recipe.settings);
    let unused = all.skip(crossovers.len()).find(|(parameter, value)| **value != parameter.default());
    if let Some((parameter, _)) = unused {
        let (name, bands) = (parameter.name, crossovers.len() + 1);
        return Err(format!(
            "`{name}` is set, and with {bands} bands it has {}: `.crossovers(...)` says how many there are",
            match crossovers.len() {
                1 => "one crossover".into(),
                count => format!("{count} crossovers"),
            }
        ));
    }
    same_channels(recipe)
}

/// The taps of a band of linear phase. At each crossover the gains of its two sides, squares of Butterworth's, add up to 1,
/// and so do those of all bands.
fn taps(recipe: &Recipe) -> Vec<f64> {
    let ((number, crossovers), rate) = (band(recipe), recipe.rate());
    let side = |(i, corner): (usize, &f64)| {
        let q = butterworth_q(2, 0);
        if i < number { Section::high_pass(*corner, q, rate) } else { Section::low_pass(*corner, q, rate) }
    };
    let sides: Vec<Section> = crossovers.iter().enumerate().take(number + 1).map(side).collect();
    let gain = |freq: f64| {
        sides.iter().fold(1.0, |product, side| {
            let gain = side.gain(freq, rate);
            product * gain * gain
        })
    };
    let [taps] = linear::of_curves(|freq| [gain(freq)], rate);
    taps
}

/// One band: a filter for each crossover.
struct Band {
    filters: Vec<Cascade>,
}

keep!(Band: filters);

impl Band {
    fn new(recipe: &Recipe) -> Self {
        let (number, crossovers) = band(recipe);
        let filter = |(i, freq): (usize, &f64)| {
            let (design, sections): (Design, usize) = match i {
                // One more than there are bands is what they are mixed with.
                _ if number > crossovers.len() => (all_pass, 1),
                _ if i < number => (high_pass, 2),
                _ if i == number => (low_pass, 2),
                _ => (all_pass, 1),
            };
            Cascade::new(design, &[*freq], sections, recipe.channels, recipe.rate())
        };
        Band { filters: crossovers.iter().enumerate().map(filter).collect() }
    }
}

fn all_pass(freq: &[f64], rate: f64, sections: &mut [Section]) {
    sections.fill(Section::all_pass(freq[0], butterworth_q(2, 0), rate));
}

impl Rows for Band {
    fn channels(&self) -> usize {
        self.filters.first().map_or(0, Cascade::channels)
    }

    fn row<const C: usize>(&mut self, first: usize) -> impl Iterator<Item = (&Step, &mut [Filter; C])> {
        self.filters.iter_mut().flat_map(move |filter| filter.row(first))
    }
}

impl Kernel for Band {
    fn process(&mut self, io: &mut Io<'_>) {
        if self.filters.iter().zip(io.values).all(|(filter, freq)| filter.stands_at(slice::from_ref(freq))) {
            return self.run_rows(io.audio, io.frames.clone());
        }
        for (filter, freq) in self.filters.iter_mut().zip(io.values) {
            filter.process(slice::from_ref(freq), io.audio, io.frames.clone());
        }
    }

    fn reset(&mut self) {
        self.filters.iter_mut().for_each(Cascade::reset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::parameter::Branch;
    use crate::test_signals::{Bench, RATE, impulse, level_at};

    /// What each of so many bands gives of an impulse.
    fn bands(crossovers: &[f64]) -> Vec<Vec<f64>> {
        let count = crossovers.len() + 1;
        let one = |number| {
            let bench = Bench::new(&MULTIBAND, 1).branch(Branch { number, count });
            let set = |bench: Bench, (i, freq): (usize, &f64)| bench.set(&format!("crossover_{}", i + 1), *freq);
            crossovers.iter().enumerate().fold(bench, set).run_mono(&impulse(48_000))
        };
        (0..count).map(one).collect()
    }

    /// The same of linear phase.
    fn linear_bands(crossovers: &[f64]) -> (usize, Vec<Vec<f64>>) {
        let count = crossovers.len() + 1;
        let bench = |number| {
            let bench = Bench::new(&MULTIBAND, 1).branch(Branch { number, count }).set("phase", LINEAR as f64);
            let set = |bench: Bench, (i, freq): (usize, &f64)| bench.set(&format!("crossover_{}", i + 1), *freq);
            crossovers.iter().enumerate().fold(bench, set)
        };
        (bench(0).latency(), (0..count).map(|number| bench(number).run_mono(&impulse(9600))).collect())
    }

    #[test]
    fn idle_bands_of_linear_phase_add_up_to_the_input_delayed() {
        for crossovers in [&[120.0, 1000.0, 5000.0][..], &[60.0, 90.0, 16_000.0]] {
            let (latency, bands) = linear_bands(crossovers);
            assert_eq!(latency, 2048);
            for i in 0..9600 {
                let sum: f64 = bands.iter().map(|band| band[i]).sum();
                let expected = if i == latency { 1.0 } else { 0.0 };
                assert!((sum - expected).abs() < 1e-12, "{crossovers:?}: {sum} in frame {i}");
            }
        }
    }

    #[test]
    fn a_band_of_linear_phase_is_symmetric_and_has_the_curve_of_the_other() {
        let (latency, linear) = linear_bands(&[200.0, 2000.0]);
        for (one, other) in linear.iter().zip(bands(&[200.0, 2000.0])) {
            assert!((1..=latency).all(|away| (one[latency - away] - one[latency + away]).abs() < 1e-12));
            for freq in [50.0, 200.0, 650.0, 2000.0, 7000.0] {
                let (one, other) = (response(one, freq), response(&other, freq));
                // What is cut off of the response is heard where little else is left.
                assert!((one - other).abs() < 0.01 || one.max(other) < -60.0, "{one}, not {other} at {freq} Hz");
            }
        }
    }

    #[test]
    fn idle_bands_add_up_flat() {
        for crossovers in [&[120.0, 1000.0, 5000.0][..], &[800.0, 2000.0], &[300.0, 1500.0], &[60.0, 90.0, 16_000.0]] {
            let bands = bands(crossovers);
            let sum: Vec<f64> = (0..48_000).map(|i| bands.iter().map(|band| band[i]).sum()).collect();
            for freq in [20.0, 100.0, 440.0, 1000.0, 3000.0, 10_000.0, 20_000.0] {
                let db = response(&sum, freq);
                assert!(db.abs() < 0.01, "{crossovers:?}: {db} dB at {freq} Hz");
            }
        }
    }

    #[test]
    fn a_crossover_has_the_response_of_linkwitz_and_riley() {
        let bands = bands(&[500.0]);
        for octave in [0.25, 0.5, 1.0, 2.0, 4.0] {
            // The bilinear transform bends the scale: at 500 Hz by less than is told here.
            let power = math::pow(octave, 4.0);
            let (low, high) = (1.0 / (1.0 + power), power / (1.0 + power));
            for (band, wanted) in bands.iter().zip([low, high]) {
                let db = response(band, 500.0 * octave);
                let off = db - math::db_from_gain(wanted);
                assert!(off.abs() < 0.2, "{octave} times 500 Hz: off by {off} dB");
            }
        }
        assert!((response(&bands[0], 500.0) + 6.0206).abs() < 0.001);
    }

    /// The response at a frequency, in dB, of what an impulse gave.
    fn response(sound: &[f64], freq: f64) -> f64 {
        // The level of one impulse's spectrum at a frequency, against that of the impulse itself.
        level_at(sound, freq, RATE) - level_at(&impulse(sound.len()), freq, RATE)
    }

    #[test]
    fn edits_of_a_crossover_leave_no_click() {
        let click = crate::test_signals::click_of_edit(&mut Bench::new(&MULTIBAND, 2), |bench| bench.edit(0, 400.0));
        assert!(click < -80.0, "{click}");
    }

    #[test]
    fn after_the_tail_a_band_has_fallen_by_90_db() {
        for number in 0..3 {
            let mut bench = Bench::new(&MULTIBAND, 1).branch(Branch { number, count: 3 });
            let tail = (MULTIBAND.tail)(bench.recipe()) as usize;
            let output = bench.run_mono(&impulse(tail + 4800));
            let (whole, left) = (crate::test_signals::peak(&output), crate::test_signals::peak(&output[tail..]));
            assert!((100..48_000).contains(&tail) && left < whole - 90.0, "{number}: {left} of {whole} dBFS");
        }
    }
}
