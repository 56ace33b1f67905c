//! What is heard of a step: sound above the highest that was played.

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
