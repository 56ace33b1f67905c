//! What is heard of a step: sound above the highest that was played.

use std::f64::consts::PI;

use realfft::RealFftPlanner;

/// Frames a second of all rehearsals.
pub const RATE: f64 = 48_000.0;

/// The loudest amplitude above a frequency, in dBFS, within any window of 2048 frames (Hann).
pub fn loudest_above(sound: &[f64], hertz: f64) -> f64 {
    const WINDOW: usize = 2048;
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(WINDOW);
    let mut spectrum = fft.make_output_vec();
    let first = (hertz / RATE * WINDOW as f64).ceil() as usize;
    let hann = |i: usize| 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / WINDOW as f64).cos();
    let mut loudest = 0.0f64;
    for start in (0..sound.len().saturating_sub(WINDOW)).step_by(WINDOW / 4) {
        let mut window: Vec<f64> = (0..WINDOW).map(|i| sound[start + i] * hann(i)).collect();
        fft.process(&mut window, &mut spectrum).unwrap();
        // All that is above, as one amplitude: the noise bandwidth of the window is 1.5 bins, its gain a half.
        let power: f64 = spectrum[first..].iter().map(|bin| bin.norm_sqr()).sum::<f64>() / 1.5;
        loudest = loudest.max(power.sqrt() * 4.0 / WINDOW as f64);
    }
    20.0 * loudest.log10()
}

/// The true peak of a sound in dBTP as a reference has it: looked at 16 times as finely, with 128 frames round each point, wherever
/// frames reach half of the largest one.
pub fn true_peak(sound: &[f64]) -> f64 {
    const SIDE: usize = 64;
    const POINTS: usize = 16;
    let weights: Vec<Vec<f64>> = (1..POINTS)
        .map(|point| {
            let at = |k: usize| k as f64 - (SIDE as f64 - 1.0) - point as f64 / POINTS as f64;
            let weight = |t: f64| {
                let window = (PI * t / (2.0 * SIDE as f64)).cos().powi(2);
                (PI * t).sin() / (PI * t) * window
            };
            (0..2 * SIDE).map(|k| weight(at(k))).collect()
        })
        .collect();
    let top = sound.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let mut peak = top;
    for (i, _) in sound.iter().enumerate().filter(|(_, x)| x.abs() >= 0.5 * top) {
        // A peak lies beside the frame on either side.
        for from in [i, i.saturating_sub(1)] {
            let Some(frames) = from.checked_sub(SIDE - 1).and_then(|first| sound.get(first..first + 2 * SIDE)) else {
                continue;
            };
            for weights in &weights {
                let between: f64 = frames.iter().zip(weights).map(|(x, weight)| x * weight).sum();
                peak = peak.max(between.abs());
            }
        }
    }
    20.0 * peak.log10()
}
