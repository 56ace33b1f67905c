//! `high_pass`, `low_pass`, `band_pass`, `notch`: one resonant filter that may be swept at audio rate.

use super::{no_latency, same_channels};
use crate::abreast::{Abreast, Shape};
use crate::filters::Section;
use crate::filters::cascade::{Cascade, Design};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::units::Unit;

const Q: Parameter =
    Parameter::number("q", Unit::Plain, 0.71, 0.1, 40.0, "resonance; 0.71 has none, above it the edge rings")
        .law(Law::Octaves);

const fn freq(default: f64, help: &'static str) -> Parameter {
    Parameter::number("freq", Unit::Hertz, default, 10.0, 20_000.0, help)
}

/// `high_pass(freq)`.
pub static HIGH_PASS: Table = Table {
    word: "high_pass",
    summary: "Takes away what is below a frequency, 12 dB an octave; may be swept.",
    example: "x >> high_pass(90)",
    arguments: &["freq", "q"],
    parameters: &[freq(80.0, "the corner"), Q],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: |recipe| cascade(recipe, high_pass).ring(),
    memory: Memory::Brief,
    kernel: |recipe| kernel(recipe, high_pass),
};

/// `low_pass(freq)`.
pub static LOW_PASS: Table = Table {
    word: "low_pass",
    summary: "Takes away what is above a frequency, 12 dB an octave; may be swept.",
    example: "x >> low_pass(2.kHz)",
    parameters: &[freq(8000.0, "the corner"), Q],
    tail: |recipe| cascade(recipe, low_pass).ring(),
    memory: Memory::Brief,
    kernel: |recipe| kernel(recipe, low_pass),
    ..HIGH_PASS
};

/// `band_pass(freq)`.
pub static BAND_PASS: Table = Table {
    word: "band_pass",
    summary: "Leaves what is round a frequency; may be swept.",
    example: "x >> band_pass(1.kHz, 2)",
    parameters: &[freq(1000.0, "the centre"), Q],
    tail: |recipe| cascade(recipe, band_pass).ring(),
    memory: Memory::Brief,
    kernel: |recipe| kernel(recipe, band_pass),
    ..HIGH_PASS
};

/// `notch(freq)`.
pub static NOTCH: Table = Table {
    word: "notch",
    summary: "Takes away what is at a frequency; may be swept.",
    example: "x >> notch(50, 10)",
    parameters: &[freq(1000.0, "the centre"), Q],
    tail: |recipe| cascade(recipe, notch).ring(),
    memory: Memory::Brief,
    kernel: |recipe| kernel(recipe, notch),
    ..HIGH_PASS
};

fn high_pass(values: &[f64], rate: f64, sections: &mut [Section]) {
    sections.fill(Section::high_pass(values[0], values[1], rate));
}

fn low_pass(values: &[f64], rate: f64, sections: &mut [Section]) {
    sections.fill(Section::low_pass(values[0], values[1], rate));
}

fn band_pass(values: &[f64], rate: f64, sections: &mut [Section]) {
    sections.fill(Section::band_pass(values[0], values[1], rate));
}

fn notch(values: &[f64], rate: f64, sections: &mut [Section]) {
    sections.fill(Section::notch(values[0], values[1], rate));
}

fn cascade(recipe: &Recipe, design: Design) -> Cascade {
    Cascade::new(design, &recipe.values, 1, recipe.channels, recipe.rate())
}

fn kernel(recipe: &Recipe, design: Design) -> Box<dyn Kernel> {
    Box::new(Swept(cascade(recipe, design)))
}

struct Swept(Cascade);

keep!(Swept: 0);

/// What may go abreast: one section.
pub(super) fn shape(recipe: &Recipe) -> Shape {
    Shape::Sections { count: 1, channels: recipe.channels }
}

impl Kernel for Swept {
    fn process(&mut self, io: &mut Io<'_>) {
        self.0.process(io.values, io.audio, io.frames.clone());
    }

    fn fall_in(&mut self, io: &Io<'_>, abreast: &mut Abreast, lane: usize) -> bool {
        let stands = self.0.stands_at(io.values);
        if stands {
            abreast.put_rows(lane, &mut self.0);
        }
        stands
    }

    fn fall_out(&mut self, abreast: &Abreast, lane: usize) {
        abreast.take_rows(lane, &mut self.0);
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, level_at, noise, peak, sine};

    fn level(table: &'static Table, freq: f64, q: f64, tone: f64) -> f64 {
        let out = Bench::new(table, 1).set("freq", freq).set("q", q).run_mono(&sine(tone, 0.0, RATE, 48_000));
        level_at(&out[24_000..], tone, RATE)
    }

    #[test]
    fn a_tone_at_the_corner_or_centre_leaves_at_q() {
        for (table, q, expected) in [
            (&HIGH_PASS, std::f64::consts::FRAC_1_SQRT_2, -3.0103),
            (&LOW_PASS, std::f64::consts::FRAC_1_SQRT_2, -3.0103),
            (&HIGH_PASS, 10.0, 20.0),
            (&LOW_PASS, 10.0, 20.0),
            (&BAND_PASS, 5.0, 0.0),
        ] {
            let found = level(table, 1000.0, q, 1000.0);
            assert!((found - expected).abs() < 1e-3, "{table:?} Q {q}: {found} dB");
        }
        assert!(level(&NOTCH, 1000.0, 5.0, 1000.0) < -120.0);
    }

    #[test]
    fn a_decade_away_a_pass_has_fallen_by_40_db() {
        assert!((level(&HIGH_PASS, 1000.0, 0.71, 100.0) + 40.0).abs() < 0.1);
        assert!((level(&LOW_PASS, 200.0, 0.71, 2000.0) + 40.0).abs() < 0.2);
    }

    #[test]
    fn it_stays_bounded_when_swept_from_20_hz_to_20_khz_frame_by_frame() {
        for table in [&HIGH_PASS, &LOW_PASS, &BAND_PASS, &NOTCH] {
            for q in [0.71, 40.0] {
                let mut bench = Bench::new(table, 1).set("freq", 20.0).set("q", q).stretch(1);
                let mut most = f64::NEG_INFINITY;
                for turn in 0..20 {
                    bench.edit(0, if turn % 2 == 0 { 20_000.0 } else { 20.0 });
                    most = most.max(peak(&bench.run_mono(&noise(turn, 1000))));
                }
                assert!(most < 40.0, "{table:?} at Q {q} peaks at {most} dBFS");
            }
        }
    }

    #[test]
    fn a_sweep_is_the_same_in_stretches_of_any_length_where_nothing_moves() {
        let run = |frames| Bench::new(&LOW_PASS, 1).stretch(frames).run_mono(&noise(1, 1000));
        assert_eq!(run(1), run(64));
        assert_eq!(run(17), run(64));
    }

    #[test]
    fn an_edit_of_frequency_or_resonance_does_not_click() {
        for table in [&HIGH_PASS, &LOW_PASS, &BAND_PASS, &NOTCH] {
            for (index, to) in [(0, 20.0), (0, 200.0), (0, 4000.0), (1, 10.0)] {
                let mut bench = Bench::new(table, 2).set("freq", 90.0);
                let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
                assert!(click < -80.0, "{table:?}, value {index} to {to}: {click} dBFS");
            }
        }
    }

    #[test]
    fn the_highest_frequency_is_stable_at_the_lowest_rate() {
        let mut bench = Bench::new(&LOW_PASS, 1).rate(22_050.0).set("freq", 20_000.0).set("q", 40.0);
        assert!(peak(&bench.run_mono(&noise(1, 22_050))) < 40.0);
    }
}
