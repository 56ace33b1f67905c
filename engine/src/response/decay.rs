//! How long a room rings on, octave by octave, after ISO 3382-1 (2009) and 3382-2 (2008).
//!
//! Each band is integrated backwards (Schroeder 1965), from where it meets the noise on, with what would have come after that
//! point added (Lundeby, Vigran, Bietz and Vorländer 1995, "Uncertainties of measurements in room acoustics"). A line is laid
//! through the part of the curve that each figure is named after. A figure that the noise does not allow, or that is so short
//! that the band's own filter rings as long, does not exist.

use std::f64::consts::{LN_10, PI};

use super::{Bin, transformed};
use crate::math;

/// The centres of the octave bands, in Hz (IEC 61260-1).
pub const BANDS: [f64; 9] = [31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0];

/// Half the width of a band's edges, in octaves.
const EDGE: f64 = 1.0 / 6.0;

/// By how much the noise must lie below the end of the line that is laid, in dB (ISO 3382-1).
const CLEAR_OF_NOISE: f64 = 10.0;

/// The least product of a band's width in Hz and a decay in seconds: below it the filter is heard (ISO 3382-1).
const LEAST_PRODUCT: f64 = 16.0;

/// Seconds over which levels are smoothed while the noise is looked for.
const SMOOTHED: f64 = 0.01;

/// How often the noise and where the decay meets it are found from each other.
const ROUNDS: usize = 5;

/// A decay, as the time that 60 dB would take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// The time in seconds.
    pub seconds: f64,
    /// How well the line fits the curve, the square of their correlation: 1 is a straight decay; below 0.995 it is bent.
    pub r2: f64,
}

/// How one band dies away.
#[derive(Clone, Debug, PartialEq)]
pub struct Decay {
    /// The centre of the band, in Hz.
    pub band: f64,
    /// By how much the response is louder than the noise, in dB; infinite where there is none.
    pub range: f64,
    /// Early decay time: 0 to -10 dB.
    pub edt: Option<Fit>,
    /// -5 to -25 dB.
    pub t20: Option<Fit>,
    /// -5 to -35 dB.
    pub t30: Option<Fit>,
}

/// The decay of a response that begins at frame `onset`, in each octave band that lies between two frequencies.
pub fn by_octaves(response: &[f64], onset: usize, rate: f64, from: f64, to: f64) -> Vec<Decay> {
    // What a band rings beyond the end must not come round the circle.
    let (back, bins) = transformed(response, (response.len() + response.len() / 8).next_power_of_two());
    let half = math::sqrt(2.0);
    let within = BANDS.into_iter().filter(|band| band / half >= from * 0.99 && band * half <= to * 1.01);
    within
        .map(|band| {
            let mut own = octave(&bins, band, rate);
            back.process(&mut own);
            let sound: Vec<f64> = own[onset.min(response.len())..response.len()].iter().map(|bin| bin.re).collect();
            of(&sound, band, rate)
        })
        .collect()
}

/// An octave band of a spectrum: of half the power at its edges, and without a delay.
fn octave(bins: &[Bin], centre: f64, rate: f64) -> Vec<Bin> {
    let mut own = vec![Bin::default(); bins.len()];
    let (step, reach) = (rate / bins.len() as f64, math::pow(2.0, 0.5 + EDGE));
    let (first, last) = ((centre / reach / step) as usize, (centre * reach / step) as usize);
    for k in first.max(1)..=last.min(bins.len() / 2 - 1) {
        let octaves = math::ln(k as f64 * step / centre).abs() / math::ln(2.0);
        let inside = ((0.5 - octaves) / EDGE).clamp(-1.0, 1.0);
        // One side of the spectrum stands for both.
        own[k] = bins[k] * (2.0 * math::sin(PI / 4.0 * (1.0 + inside)) / bins.len() as f64);
    }
    own
}

/// The decay of one band that begins with the first frame.
pub(super) fn of(sound: &[f64], band: f64, rate: f64) -> Decay {
    let energy: Vec<f64> = sound.iter().map(|x| x * x).collect();
    let Some(knee) = Knee::find(&energy, rate) else {
        return Decay { band, range: 0.0, edt: None, t20: None, t30: None };
    };
    let curve = schroeder(&energy[..knee.frame], knee.rest);
    let width = band * (math::sqrt(2.0) - math::sqrt(0.5));
    let fit = |from: f64, to: f64| {
        let clear = knee.range >= CLEAR_OF_NOISE - to;
        let fit = clear.then(|| line(&curve, from, to, rate)).flatten();
        fit.filter(|fit| fit.seconds * width >= LEAST_PRODUCT)
    };
    let (edt, t20, t30) = (fit(0.0, -10.0), fit(-5.0, -25.0), fit(-5.0, -35.0));
    Decay { band, range: knee.range, edt, t20, t30 }
}

/// Schroeder's curve in dB below its beginning; `rest` is the energy of what comes after.
pub fn schroeder(energy: &[f64], rest: f64) -> Vec<f64> {
    let mut sum = rest;
    let mut curve: Vec<f64> = energy
        .iter()
        .rev()
        .map(|energy| {
            sum += energy;
            sum
        })
        .collect();
    curve.reverse();
    curve.iter_mut().for_each(|level| *level = math::db_from_gain(*level / sum) / 2.0);
    curve
}

/// The time of 60 dB along a line through a curve between two levels.
fn line(curve: &[f64], from: f64, to: f64, rate: f64) -> Option<Fit> {
    let first = curve.iter().position(|level| *level <= from)?;
    let last = curve.iter().position(|level| *level <= to)?;
    let (slope, r2) = regression(&curve[first..last])?;
    (slope < 0.0).then(|| Fit { seconds: -60.0 / (slope * rate), r2 })
}

/// The slope of the line through evenly spaced points, for a step of one, and the square of the correlation.
fn regression(points: &[f64]) -> Option<(f64, f64)> {
    if points.len() < 3 {
        return None;
    }
    let count = points.len() as f64;
    let (middle, mean) = ((count - 1.0) / 2.0, points.iter().sum::<f64>() / count);
    let [mut xx, mut xy, mut yy] = [0.0; 3];
    for (i, y) in points.iter().enumerate() {
        let (x, y) = (i as f64 - middle, y - mean);
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    (yy > 0.0).then(|| (xy / xx, xy * xy / (xx * yy)))
}

/// Where a decay meets the noise.
struct Knee {
    frame: usize,
    /// The energy that would have come after it without the noise.
    rest: f64,
    /// By how much the decay begins above the noise, in dB.
    range: f64,
}

impl Knee {
    fn find(energy: &[f64], rate: f64) -> Option<Knee> {
        let block = ((SMOOTHED * rate) as usize).max(1);
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
        let blocks: Vec<f64> = energy.chunks_exact(block).map(mean).collect();
        let level = |power: f64| math::db_from_gain(power) / 2.0;
        let loudest = (0..blocks.len()).max_by(|a, b| blocks[*a].total_cmp(&blocks[*b]))?;
        let mut noise = mean(&energy[energy.len() - energy.len() / 10..]);
        let mut knee = None;
        for _ in 0..ROUNDS {
            let above = |power: &f64| *power > 0.0 && level(*power) > level(noise) + CLEAR_OF_NOISE;
            let length = blocks[loudest..].iter().take_while(|power| above(power)).count();
            let levels: Vec<f64> = blocks[loudest..loudest + length].iter().map(|power| level(*power)).collect();
            let Some((slope, _)) = regression(&levels).filter(|(slope, _)| *slope < 0.0) else { break };
            let start = levels.iter().sum::<f64>() / length as f64 - slope * (length as f64 - 1.0) / 2.0;
            // In blocks from the loudest on.
            let meets = (start - level(noise)) / -slope;
            let frame = (((loudest as f64 + 0.5 + meets) * block as f64).min(energy.len() as f64)) as usize;
            let ends = start + slope * (frame as f64 / block as f64 - 0.5 - loudest as f64);
            // An exponential of so many dB a frame lasts for this many frames of its first.
            let lasts = 10.0 / LN_10 / (-slope / block as f64);
            let rest = math::gain_from_db(2.0 * ends) * lasts;
            knee = Some(Knee { frame, rest, range: level(blocks[loudest]) - level(noise) });
            let behind = frame + (CLEAR_OF_NOISE / -slope * block as f64) as usize;
            if behind >= energy.len() - energy.len() / 20 {
                break;
            }
            noise = mean(&energy[behind..]);
        }
        knee
    }
}
