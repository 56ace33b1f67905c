//! `tube`: a valve stage. Its curve bends one half of the wave sooner than the other, which makes even harmonics beside odd
//! ones; its supply sags while it draws current, so that what is loud is held down for a moment after; and a capacitor lets
//! what stands still not pass.

use super::no_tail;
use crate::curves::{Bender, Curve, Makeup, Place};
use crate::filters::{Filter, Section, Step};
use crate::keep::keep;
use crate::kernel::{Glide, Io, Kernel, QUANTUM};
use crate::one_pole::pole;
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::units::Unit;

const DRIVE: usize = 0;
const BIAS: usize = 1;
const SAG: usize = 2;

const CURVE: Curve = Curve::Tube;

/// Times the sample rate at which it is bent, by means.
const TIMES: usize = 4;

/// How far the supply falls under full current at a sag of 100 %.
const FALLS: f64 = 0.5;

/// How soon the supply falls and recovers: what its resistance and its capacitors make of it.
const SUPPLY_MS: f64 = 80.0;

/// What the capacitor at the output lets pass begins here, in Hz.
const COUPLING_HZ: f64 = 5.0;

/// `tube()`.
pub static TUBE: Table = Table {
    word: "tube",
    summary: "A valve stage: even harmonics beside odd ones, and a supply that sags under what is loud.",
    example: "x >> tube().drive(12).sag(40)",
    arguments: &[],
    parameters: &[
        Parameter::number(
            "drive",
            Unit::Decibels,
            6.0,
            0.0,
            48.0,
            "level into the valve; a sine at -18 dBFS stays as loud but for what the supply sags",
        )
        .law(Law::Amplitude),
        Parameter::number(
            "bias",
            Unit::Plain,
            0.0,
            -1.0,
            1.0,
            "moves its rest along the curve: above 0 more even harmonics, at -0.16 none",
        ),
        Parameter::number("sag", Unit::Percent, 20.0, 0.0, 100.0, "how far its supply falls: 100 is by half, in 80 ms"),
    ],
    parts: &[],
    mix: 100.0,
    channels: super::same_channels,
    latency: |_| Bender::latency(TIMES, true),
    tail: no_tail,
    memory: Memory::Brief,
    kernel,
};

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let channel = || Channel { bender: Bender::new(CURVE, TIMES, true), current: 0.0, coupling: Filter::default() };
    Box::new(Tube {
        makeup: Makeup::new(CURVE, recipe.values[DRIVE], -recipe.values[BIAS]),
        channels: (0..recipe.channels).map(|_| channel()).collect(),
        supply: 1.0 - pole(SUPPLY_MS, recipe.rate()),
        coupling: Section::high_pass_6(COUPLING_HZ, recipe.rate()).step(),
    })
}

struct Tube {
    makeup: Makeup,
    channels: Vec<Channel>,
    supply: f64,
    coupling: Step,
}

/// One valve: every channel has its own supply.
struct Channel {
    bender: Bender,
    /// What it draws of late, from 0 to 1.
    current: f64,
    coupling: Filter,
}

/// What a current below this would do to the supply nobody can tell: it has recovered.
const RECOVERED: f64 = 1e-12;

keep!(Channel: bender, current, coupling);
keep!(Tube: channels);

impl Kernel for Tube {
    fn process(&mut self, io: &mut Io<'_>) {
        let (drive, bias, sag) = (io.values[DRIVE], io.values[BIAS], io.values[SAG]);
        // The lower half of the curve is the one that bends sooner.
        let bias = Glide { from: -bias.from, to: -bias.to };
        let raised = self.makeup.follow(drive, bias);
        let count = io.frames.len();
        for (channel, buffer) in self.channels.iter_mut().zip(io.audio.iter_mut()) {
            let mut supplies = [1.0; QUANTUM];
            for ((n, i), supply) in io.frames.clone().enumerate().zip(&mut supplies) {
                *supply = 1.0 - FALLS * sag.at(n, count) / 100.0 * channel.current;
                let bias = bias.at(n, count);
                let drawn = (CURVE.bend(drive.at(n, count) * buffer[i] / *supply + bias) - CURVE.bend(bias)).abs();
                channel.current += self.supply * (drawn.min(1.0) - channel.current);
                if drawn == 0.0 && channel.current < RECOVERED {
                    channel.current = 0.0;
                }
            }
            let frames = &mut buffer[io.frames.clone()];
            channel.bender.process(frames, |i, high, x| {
                let (bias, supply) = (bias.at(i, high), supplies[i * count / high]);
                let x = drive.at(i, high) * x / supply + bias;
                Place { x, rest: CURVE.bend(bias), gain: supply, raised: raised.at(i, high) }
            });
            frames.iter_mut().for_each(|x| *x = channel.coupling.tick(&self.coupling, *x));
        }
    }

    fn reset(&mut self) {
        for channel in &mut self.channels {
            channel.bender.reset();
            channel.current = 0.0;
            channel.coupling.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math;
    use crate::test_signals::{Bench, RATE, click_of_edit, db_of_power, level_at, rms, sine, spectrum};

    /// The amplitudes of the first harmonics of a sine bent by the curve, by sums over a cycle.
    fn harmonics(drive: f64, bias: f64, peak: f64) -> Vec<f64> {
        const POINTS: usize = 4096;
        let phases = (0..POINTS).map(|i| std::f64::consts::TAU * i as f64 / POINTS as f64);
        let bent: Vec<f64> = phases.map(|w| CURVE.bend(drive * peak * math::sin(w) - bias)).collect();
        spectrum(&bent).iter().take(8).map(|power| math::sqrt(*power)).collect()
    }

    #[test]
    fn even_and_odd_harmonics_are_those_of_the_curve() {
        for (drive, bias) in [(6.0, 0.0), (12.0, 0.2), (18.0, -0.5), (24.0, 1.0)] {
            let bench = Bench::new(&TUBE, 1).set("drive", drive).set("bias", bias).set("sag", 0.0);
            let bins = spectrum(&{ bench }.run_mono(&sine(1000.0, -6.0, RATE, 96_000))[48_000..]);
            let gain = math::gain_from_db(drive);
            let expected = harmonics(gain, bias, math::gain_from_db(-6.0));
            for n in 1..8 {
                let found = math::sqrt(bins[1000 * n]) * CURVE.raises(gain, -bias);
                // Between two frames a wave is taken as straight, which makes that much of a difference.
                assert!((found - expected[n]).abs() < 5e-4, "{drive} dB, {bias}, number {n}: {found}, {}", expected[n]);
            }
            assert!(expected[2] > 0.01 && expected[3] > 0.003, "there are both: {expected:?}");
        }
    }

    #[test]
    fn bias_moves_harmonics_from_odd_to_even() {
        let part = |bias| {
            let found = harmonics(2.0, bias, 0.5);
            found[2] / found[3]
        };
        assert!(part(-0.16) < 0.02, "{}", part(-0.16));
        assert!(part(0.2) > 1.3 * part(0.0), "{} {}", part(0.2), part(0.0));
    }

    #[test]
    fn what_it_leaves_of_aliases_is_below_80_db_at_12_db() {
        let mut bench = Bench::new(&TUBE, 1).set("drive", 12.0).set("sag", 0.0);
        let bins = spectrum(&bench.run_mono(&sine(4187.0, 0.0, RATE, 96_000))[48_000..]);
        let power: f64 = (20..=20_000).filter(|bin| bin % 4187 != 0).map(|bin| bins[bin]).sum();
        assert!(db_of_power(power / bins[4187]) < -80.0, "{} dB", db_of_power(power / bins[4187]));
    }

    #[test]
    fn a_sine_at_18_dbfs_stays_as_loud() {
        for (drive, bias) in [(0.0, 0.0), (12.0, 0.2), (30.0, -0.3)] {
            let mut bench = Bench::new(&TUBE, 1).set("drive", drive).set("bias", bias).set("sag", 0.0);
            let level = rms(&bench.run_mono(&sine(1000.0, -18.0, RATE, 48_000))[24_000..]);
            assert!((level + 21.0103).abs() < 0.02, "{drive} dB, {bias}: {level} dB");
        }
    }

    #[test]
    fn under_full_current_the_supply_falls_by_the_sag_in_its_time() {
        // Driven far, the upper half is flat at the supply, the lower at two thirds: drawn is 5/6 in the mean.
        for sag in [20.0, 60.0, 100.0] {
            let run = |sag| {
                let bench = Bench::new(&TUBE, 1).set("drive", 48.0).set("bias", 0.0).set("sag", sag);
                { bench }.run_mono(&sine(990.0, 0.0, RATE, 48_000))
            };
            let (sagged, stiff) = (run(sag), run(0.0));
            let lag = Bender::latency(TIMES, true);
            let fallen = |from: usize, count: usize| {
                1.0 - math::gain_from_db(rms(&sagged[from + lag..][..count]) - rms(&stiff[from + lag..][..count]))
            };
            let whole = FALLS * sag / 100.0 * 5.0 / 6.0;
            assert!((fallen(40_000, 4800) - whole).abs() < 0.01 * whole, "{sag} %: {}", fallen(40_000, 4800));
            // Over the cycle about 80 ms it has come 63.2 % of the way.
            let on_the_way = fallen(3816, 48);
            assert!((on_the_way / whole - 0.632).abs() < 0.01, "{sag} %: {}", on_the_way / whole);
        }
    }

    #[test]
    fn a_small_signal_is_the_input_delayed_by_the_declared_latency() {
        let mut bench = Bench::new(&TUBE, 1).set("drive", 0.0).set("bias", 0.0);
        let (input, lag) = (sine(8000.0, -100.0, RATE, 48_000), bench.latency());
        let output = bench.run_mono(&input);
        // What is left is the capacitor's turn of the phase, 5 Hz against 8 kHz, and what the make-up is off unity.
        let gain = 1.0 / CURVE.raises(1.0, 0.0);
        let left: Vec<f64> = (24_000..48_000).map(|i| output[i] / gain - input[i - lag]).collect();
        let level = level_at(&left, 8000.0, RATE) + 100.0;
        assert!(level < -60.0, "{level} dB");
    }

    #[test]
    fn what_stands_still_does_not_pass() {
        let mut bench = Bench::new(&TUBE, 1).set("drive", 18.0).set("sag", 0.0);
        let output = bench.run_mono(&sine(1000.0, 0.0, RATE, 96_000));
        let offset = output[48_000..].iter().sum::<f64>() / 48_000.0;
        assert!(offset.abs() < 1e-4, "{offset}");
    }

    #[test]
    fn an_edit_does_not_click() {
        for (index, to) in [(DRIVE, 12.0), (DRIVE, 0.0), (BIAS, 0.6), (BIAS, -0.4), (SAG, 100.0), (SAG, 0.0)] {
            let mut bench = Bench::new(&TUBE, 1).set("drive", 3.0);
            let click = click_of_edit(&mut bench, |bench| bench.edit(index, to));
            assert!(click < -80.0, "value {index} to {to}: {click} dBFS");
        }
    }
}
