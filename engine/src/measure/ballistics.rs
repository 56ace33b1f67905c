//! Meters with a needle: what a VU meter, a peak programme meter and a K-system meter show of one channel.
//!
//! They are for eyes that know them. Each takes frames and tells where its needle stands.

use crate::math;

/// The VU meter of IEC 60268-17: a needle, driven by the rectified sound, that reaches 99 % of a steady tone after 300 ms and
/// goes beyond it by 1 to 1.5 %.
///
/// The needle is a damped oscillator of second order, as the mechanics of one are. Its overshoot e^(-πζ/√(1-ζ²)) gives the
/// damping ζ, and the time in which its response to a step reaches 99 % gives its frequency.
#[derive(Clone, Debug)]
pub struct Vu {
    /// Radians and damping of each frame.
    step: f64,
    damping: f64,
    needle: f64,
    speed: f64,
}

/// How far a VU meter's needle goes beyond a steady tone.
const VU_OVERSHOOT: f64 = 0.0125;

/// Its frequency, in radians a second, times the seconds to 99 % at that overshoot.
const VU_TURN: f64 = 4.053_574;

/// The seconds to 99 %.
const VU_RISE: f64 = 0.3;

impl Vu {
    /// A meter at a rate in Hz.
    pub fn new(rate: f64) -> Vu {
        let ln = math::ln(VU_OVERSHOOT);
        let damping = -ln / math::sqrt(std::f64::consts::PI * std::f64::consts::PI + ln * ln);
        Vu { step: VU_TURN / (VU_RISE * rate), damping, needle: 0.0, speed: 0.0 }
    }

    /// Takes frames.
    pub fn take(&mut self, sound: &[f64]) {
        for x in sound {
            // The mean of a rectified sine is 2/π of its peak.
            let drive = x.abs() * std::f64::consts::FRAC_PI_2;
            self.speed += self.step * (drive - self.needle - 2.0 * self.damping * self.speed);
            self.needle += self.step * self.speed;
        }
    }

    /// Where the needle stands: the peak in dBFS of a steady sine that it stands at. What 0 VU is, is the studio's choice.
    pub fn reading(&self) -> f64 {
        math::db_from_gain(self.needle.max(0.0))
    }
}

/// The peak programme meter of type II (IEC 60268-10), as broadcasters in Britain read it: quick to rise and slow to fall, so
/// that a burst of 10 ms reads 2 dB below a steady tone, and with 4 dB between its marks.
///
/// Two charges fill up as long as the rectified sound is above them, one in a fifth of the other's time, and the needle shows
/// the mean of both: their times are fitted to what bursts of 0.5 to 10 ms have to read.
#[derive(Clone, Debug)]
pub struct Ppm {
    /// What remains of both after each frame.
    fall: f64,
    /// The share of what is missing that comes with each frame.
    rise: [f64; 2],
    charges: [f64; 2],
}

/// The time constants of both charges, in seconds.
const PPM_RISE: [f64; 2] = [0.001_05, 0.005_6];

/// It falls by 24 dB in this many seconds.
const PPM_FALL: f64 = 2.8;

/// What makes up for the 0.25 dB that a steady sine is short of its peak, since the charges fall between its crests and are
/// never full at them.
const PPM_SCALE: f64 = 1.029;

/// The level of mark 4 in dBFS: the alignment level of EBU R 68.
const PPM_4: f64 = -18.0;

impl Ppm {
    /// A meter at a rate in Hz.
    pub fn new(rate: f64) -> Ppm {
        let rise = PPM_RISE.map(|seconds| 1.0 - math::exp(-1.0 / (seconds * rate)));
        Ppm { fall: math::gain_from_db(-24.0 / (PPM_FALL * rate)), rise, charges: [0.0; 2] }
    }

    /// Takes frames.
    pub fn take(&mut self, sound: &[f64]) {
        for x in sound {
            let drive = x.abs();
            for (charge, rise) in self.charges.iter_mut().zip(self.rise) {
                *charge *= self.fall;
                if drive > *charge {
                    *charge += rise * (drive - *charge);
                }
            }
        }
    }

    /// Where the needle stands: the peak in dBFS of a steady sine that it stands at.
    pub fn reading(&self) -> f64 {
        math::db_from_gain((self.charges[0] + self.charges[1]) / 2.0 * PPM_SCALE)
    }

    /// The same on the scale with marks from 1 to 7.
    pub fn mark(&self) -> f64 {
        4.0 + (self.reading() - PPM_4) / 4.0
    }
}

/// The scales of the K-system (Katz, 2000): how far below full scale their 0 stands, which a loudspeaker plays at 83 dB SPL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KScale {
    /// For music with a wide range, and films.
    K20,
    /// For most music.
    K14,
    /// For broadcast.
    K12,
}

impl KScale {
    /// What an RMS in dBFS reads, where a full-scale sine is -3.01 dBFS RMS: here a sine reads its peak.
    pub fn reading(self, rms: f64) -> f64 {
        let zero = match self {
            KScale::K20 => -20.0,
            KScale::K14 => -14.0,
            KScale::K12 => -12.0,
        };
        rms + 10.0 * std::f64::consts::LOG10_2 - zero
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::sine;

    const RATES: [f64; 4] = [44_100.0, 48_000.0, 96_000.0, 192_000.0];

    #[test]
    fn a_vu_meter_takes_300_ms_to_a_steady_tone_and_goes_a_little_beyond() {
        for rate in RATES {
            let mut meter = Vu::new(rate);
            let tone = sine(1_000.0, -10.0, rate, (2.0 * rate) as usize);
            let readings: Vec<f64> = tone
                .chunks((rate / 1000.0) as usize)
                .map(|period| {
                    meter.take(period);
                    math::gain_from_db(meter.reading() + 10.0)
                })
                .collect();
            let rise = readings.iter().position(|reading| *reading >= 0.99).unwrap();
            let most = readings.iter().copied().fold(0.0, f64::max);
            assert!((290..=310).contains(&rise), "{rate}: {rise} ms");
            assert!((1.01..=1.015).contains(&most), "{rate}: {most}");
            // A few samples of each crest have a little less than the mean of the whole curve.
            assert!((readings[1_900] - 1.0).abs() < 0.002);
        }
    }

    #[test]
    fn a_ppm_reads_bursts_as_it_has_to_and_falls_24_db_in_2_8_s() {
        for rate in RATES {
            let frames = |ms: f64| (ms * rate / 1000.0).round() as usize;
            let reading = |ms: f64| {
                let mut meter = Ppm::new(rate);
                meter.take(&sine(5_000.0, -6.0, rate, frames(ms)));
                meter.reading() + 6.0
            };
            for (ms, level, off) in [
                (1_000.0, 0.0, 0.02),
                (100.0, 0.0, 0.1),
                (10.0, -2.25, 0.5),
                (5.0, -4.0, 0.5),
                (1.5, -9.0, 1.0),
                (0.5, -17.0, 2.0),
            ] {
                assert!((reading(ms) - level).abs() <= off, "{rate}, {ms} ms: {}", reading(ms));
            }
            let mut meter = Ppm::new(rate);
            meter.take(&sine(1_000.0, -18.0, rate, frames(1_000.0)));
            assert!((meter.mark() - 4.0).abs() < 0.05, "{rate}: {}", meter.mark());
            let before = meter.reading();
            meter.take(&vec![0.0; frames(2_800.0)]);
            assert!((before - meter.reading() - 24.0).abs() < 0.01, "{rate}");
        }
    }

    #[test]
    fn a_sine_reads_its_peak_on_the_k_scales() {
        for (scale, zero) in [(KScale::K20, -20.0), (KScale::K14, -14.0), (KScale::K12, -12.0)] {
            let level = crate::test_signals::rms(&sine(1_000.0, zero, 48_000.0, 48_000));
            assert!(scale.reading(level).abs() < 1e-9);
        }
    }
}
