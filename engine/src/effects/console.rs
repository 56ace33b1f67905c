//! `console` and `console_sum`: the pair that has a bus add up as an analogue desk does. Each strip is encoded by a sine, the
//! bus decodes the sum by the arc sine (Johnson, "Console", Airwindows, 2007 and later): one strip alone comes out as it
//! went in, and several at once press on each other as in a summing amplifier, by what `asin(sin x + sin y)` is more than
//! `x + y`.
//!
//! Neither is oversampled, since filters between the two would keep the one from undoing the other.

use std::f64::consts::FRAC_PI_2;

use super::{no_latency, no_tail, same_channels};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::parameter::{Law, Memory, Parameter, Table};
use crate::units::Unit;

const DRIVE: Parameter = Parameter::number(
    "drive",
    Unit::Decibels,
    0.0,
    -24.0,
    24.0,
    "level into the curve, the same on strips and bus; at 0 all adds up to +3.9 dBFS at the most",
)
.law(Law::Amplitude);

/// `console(drive)`.
pub static CONSOLE: Table = Table {
    word: "console",
    summary: "On a strip: encodes it for a bus that ends its chain with console_sum, or begins it.",
    example: "x >> console()",
    arguments: &["drive"],
    parameters: &[DRIVE],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |_| Box::new(Half(encode)),
};

/// `console_sum(drive)`.
pub static CONSOLE_SUM: Table = Table {
    word: "console_sum",
    summary: "On a bus, before all else: decodes the sum of strips that end with console, which then add up as in a desk.",
    example: "x >> console_sum()",
    kernel: |_| Box::new(Half(decode)),
    ..CONSOLE
};

/// What of an encoder is above its range is held at its end. RT.
fn encode(x: f64) -> f64 {
    math::sin(x.clamp(-FRAC_PI_2, FRAC_PI_2))
}

/// What more than one strip at its end adds up to is held there. RT.
fn decode(x: f64) -> f64 {
    math::asin(x.clamp(-1.0, 1.0))
}

/// One half of the pair, which is but a curve.
struct Half(fn(f64) -> f64);

keep!(Half);

impl Kernel for Half {
    fn process(&mut self, io: &mut Io<'_>) {
        let (drive, count) = (io.values[0], io.frames.len());
        for buffer in io.audio.iter_mut() {
            for (n, x) in buffer[io.frames.clone()].iter_mut().enumerate() {
                let drive = drive.at(n, count);
                *x = (self.0)(drive * *x) / drive;
            }
        }
    }

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, noise, sine, spectrum};

    fn strip(drive: f64, input: &[f64]) -> Vec<f64> {
        Bench::new(&CONSOLE, 1).set("drive", drive).run_mono(input)
    }

    fn bus(drive: f64, strips: &[&[f64]]) -> Vec<f64> {
        let encoded: Vec<Vec<f64>> = strips.iter().map(|input| strip(drive, input)).collect();
        let sum: Vec<f64> = (0..encoded[0].len()).map(|i| encoded.iter().map(|strip| strip[i]).sum()).collect();
        Bench::new(&CONSOLE_SUM, 1).set("drive", drive).run_mono(&sum)
    }

    #[test]
    fn one_strip_alone_leaves_as_it_came() {
        // As far as full scale at 0 dB; near the very end of the curve the arc sine is steep and makes much of rounding.
        for drive in [-24.0, 0.0, 3.0] {
            let input = noise(1, 48_000);
            let off = bus(drive, &[&input]).iter().zip(&input).map(|(y, x)| (y - x).abs()).fold(0.0, f64::max);
            assert!(off < 1e-13, "{drive} dB: {off}");
        }
    }

    #[test]
    fn small_signals_add_up_as_they_are() {
        let (a, b) = (sine(300.0, -80.0, RATE, 4800), sine(700.0, -80.0, RATE, 4800));
        let off =
            bus(0.0, &[&a, &b]).iter().zip(a.iter().zip(&b)).map(|(y, (a, b))| (y - a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-11, "{off}");
    }

    #[test]
    fn two_strips_make_the_tones_between_them_that_the_curves_do() {
        // asin(sin x + sin y) = x + y + (x²y + xy²)/2 + terms of fifth order: for tones a and b at peaks of p, x²y gives
        // p³/4 at b and p³/8 at 2a - b, at 2a + b, and likewise the other way round.
        let peak = 0.02;
        let level = 20.0 * f64::log10(peak);
        let (a, b) = (sine(1000.0, level, RATE, 48_000), sine(1300.0, level, RATE, 48_000));
        let bins = spectrum(&bus(0.0, &[&a, &b]));
        for between in [700, 1600, 3300, 3600] {
            let (found, expected) = (math::sqrt(bins[between]), peak * peak * peak / 8.0);
            assert!((found / expected - 1.0).abs() < 0.01, "{between} Hz: {found}, not {expected}");
        }
        for none in [3000, 3900, 2300] {
            assert!(math::sqrt(bins[none]) < 1e-9, "{none} Hz: no tone by itself is bent");
        }
        let loud = bus(6.0, &[&a, &b]);
        let drive = math::gain_from_db(6.0);
        for (i, y) in loud.iter().enumerate() {
            let expected = math::asin(math::sin(drive * a[i]) + math::sin(drive * b[i])) / drive;
            assert!((y - expected).abs() < 1e-13);
        }
    }

    #[test]
    fn however_many_strips_the_sum_stays_below_its_end() {
        for drive in [-12.0, 0.0, 12.0] {
            let input = noise(1, 4800);
            let output = bus(drive, &[&input, &input, &input, &input, &input]);
            let end = FRAC_PI_2 / math::gain_from_db(drive);
            assert!(output.iter().all(|y| y.abs() <= end + 1e-12), "{drive} dB");
        }
    }

    #[test]
    fn an_edit_does_not_click() {
        for table in [&CONSOLE, &CONSOLE_SUM] {
            for to in [-24.0, 9.0] {
                let click = click_of_edit(&mut Bench::new(table, 2), |bench| bench.edit(0, to));
                assert!(click < -80.0, "{table:?} to {to}: {click} dBFS");
            }
        }
    }
}
