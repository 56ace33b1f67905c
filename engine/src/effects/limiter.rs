//! `limiter`: nothing leaves above a ceiling.
//!
//! The gain that the loudest channel needs is held at its lowest over a window (a sliding minimum), released, and
//! smoothed by two boxes of equal odd length; the sound waits for it. Every gain that is averaged for a frame is at most
//! the one that frame needs, so that no sample passes. With `true_peak` the sound between samples is looked at too, eight
//! times as often; for what lies between those points it works 0.2 dB inside its ceiling.

use super::{no_tail, same_channels};
use crate::delay_line::DelayLine;
use crate::dynamics::SlidingMinimum;
use crate::keep::{Keep, Ledger, keep};
use crate::kernel::{Io, Kernel, QUANTUM};
use crate::math;
use crate::one_pole::{OnePole, pole};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::true_peak::{self, History, Interpolator, SIDE};
use crate::units::Unit;

/// `limiter(ceiling)`.
pub static LIMITER: Table = Table {
    word: "limiter",
    summary: "Lets nothing above its ceiling; with true_peak it works 0.2 dB below, so that what lies between samples holds \
              too, of sound up to 20 kHz. What is quieter passes untouched; all channels together.",
    example: "x >> limiter(-1)",
    arguments: &["ceiling"],
    parameters: &[
        Parameter::number("ceiling", Unit::DecibelsTruePeak, -1.0, -40.0, 0.0, "what nothing leaves above")
            .law(Law::Amplitude),
        Parameter::number("gain", Unit::Decibels, 0.0, -24.0, 48.0, "gain before it").law(Law::Amplitude),
        Parameter::number("lookahead", Unit::Milliseconds, 1.5, 0.5, 10.0, "how early it begins to turn down").fixed(),
        Parameter::number(
            "release",
            Unit::Milliseconds,
            50.0,
            1.0,
            2000.0,
            "to 63.2 % of a recovery; \"auto\": by programme",
        )
        .or("auto", AUTO)
        .law(Law::Own),
        Parameter::flag("true_peak", true, "watches what lies between samples, 0.2 dB inside the ceiling"),
    ],
    parts: &[],
    mix: 100.0,
    channels: same_channels,
    latency: |recipe| DETECTOR_DELAY + window(recipe) - 1,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe| Box::new(Limiter::new(recipe)),
};

/// What stands for a release by programme.
const AUTO: f64 = 0.0;

/// How far inside its ceiling it works, with `true_peak`.
const INSIDE_DB: f64 = 0.2;

/// Frames by which what is known of the peaks lags; without `true_peak` too, so that to switch it moves nothing.
const DETECTOR_DELAY: usize = true_peak::DELAY;

/// Gains are counted in this part of one, so that their sums are exact and a gain of one comes back as one.
const GRAIN: f64 = (1u64 << 40) as f64;

/// Nearer to the goal than this a release is over.
const THERE: f64 = 1e-7;

/// The length of one box: odd.
fn box_length(recipe: &Recipe) -> usize {
    let frames = recipe.clock.frames(LIMITER.value(recipe, "lookahead")) as usize;
    (frames / 2) | 1
}

/// Frames over which a peak is felt: both boxes.
fn window(recipe: &Recipe) -> usize {
    2 * box_length(recipe) - 1
}

struct Limiter {
    channels: Vec<Channel>,
    ceiling: f64,
    between: Option<Interpolator>,
    lowest: SlidingMinimum,
    release: Release,
    first: SlidingSum,
    second: SlidingSum,
    /// What a gain of one is after both sums.
    unity: f64,
    latency: usize,
}

struct Channel {
    line: DelayLine,
    history: History,
}

impl Limiter {
    fn new(recipe: &Recipe) -> Self {
        let (length, latency) = (box_length(recipe), (LIMITER.latency)(recipe));
        let true_peak = LIMITER.value(recipe, "true_peak") == 1.0;
        let channel = || Channel { line: DelayLine::new(latency + QUANTUM), history: History::default() };
        Limiter {
            channels: (0..recipe.channels).map(|_| channel()).collect(),
            ceiling: if true_peak { math::gain_from_db(-INSIDE_DB) } else { 1.0 },
            between: true_peak.then(Interpolator::new),
            // One more than both boxes feel: a peak between two frames turns both of them down.
            lowest: SlidingMinimum::new(window(recipe) + 1),
            release: Release::new(recipe.rate()),
            first: SlidingSum::new(length, GRAIN as u64),
            second: SlidingSum::new(length, length as u64 * GRAIN as u64),
            unity: (length * length) as f64 * GRAIN,
            latency,
        }
    }
}

keep!(Channel: line, history);
keep!(Release: gain, busy, hold);
keep!(Limiter: channels, lowest, release, first, second);

impl Kernel for Limiter {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[ceiling, gain, _, release, _] = io.values else { return };
        let count = io.frames.len();
        let mut peaks = [0.0_f64; QUANTUM];
        let lowest = ceiling.from.min(ceiling.to) * self.ceiling;
        for (channel, sound) in self.channels.iter_mut().zip(io.audio.iter_mut()) {
            let sound = &mut sound[io.frames.clone()];
            gain.scale(sound);
            let followed = channel.history.follow(sound);
            let mut here = [0.0_f64; QUANTUM];
            match &self.between {
                // What is below the ceiling changes nothing.
                Some(between) => between.peaks_above(lowest, &followed, &mut here[..count]),
                None => here.iter_mut().zip(&followed[SIDE - 1..]).for_each(|(peak, x)| *peak = x.abs()),
            }
            peaks.iter_mut().zip(&here).for_each(|(most, peak)| *most = most.max(*peak));
            channel.line.delay_run(sound, self.latency);
        }
        self.release.set(release.to);
        let mut least = 1.0_f64;
        for (n, i) in io.frames.clone().enumerate() {
            let ceiling = ceiling.at(n, count) * self.ceiling;
            let needed = if peaks[n] > ceiling { ceiling / peaks[n] } else { 1.0 };
            let held = self.release.step(self.lowest.step(needed));
            let summed = self.second.step(self.first.step((held * GRAIN) as u64));
            let gain = summed as f64 / self.unity;
            least = least.min(gain);
            io.audio.iter_mut().for_each(|channel| channel[i] *= gain);
        }
        if least < 1.0 {
            io.reduced = io.reduced.max(-math::db_from_gain(least));
        }
    }

    fn reset(&mut self) {
        for channel in &mut self.channels {
            channel.line.clear();
            channel.history = History::default();
        }
        self.lowest.reset();
        self.release.reset();
        self.first.reset();
        self.second.reset();
    }
}

/// The sum of the last so many values, exact since they are whole.
struct SlidingSum {
    /// A ring.
    values: Box<[u64]>,
    /// What every value is at first.
    rest: u64,
    oldest: usize,
    sum: u64,
}

impl SlidingSum {
    /// Not RT.
    fn new(length: usize, rest: u64) -> Self {
        SlidingSum { values: vec![rest; length].into_boxed_slice(), rest, oldest: 0, sum: rest * length as u64 }
    }

    /// Takes a value and gives the sum. RT.
    fn step(&mut self, value: u64) -> u64 {
        if let Some(slot) = self.values.get_mut(self.oldest) {
            self.sum = self.sum - *slot + value;
            *slot = value;
        }
        self.oldest = if self.oldest + 1 == self.values.len() { 0 } else { self.oldest + 1 };
        self.sum
    }

    fn reset(&mut self) {
        self.values.fill(self.rest);
        self.sum = self.rest * self.values.len() as u64;
    }
}

impl Keep for SlidingSum {
    fn keep(&mut self, ledger: &mut Ledger) {
        // Oldest first: where the ring begins is nobody's business.
        self.values.rotate_left(self.oldest);
        self.oldest = 0;
        self.values.keep(ledger);
        self.sum = self.values.iter().fold(0, |sum, value| sum.wrapping_add(*value));
    }
}

/// How the gain comes back.
struct Release {
    rate: f64,
    gain: f64,
    /// The pole of the recovery; `None` by programme.
    pole: Option<f64>,
    /// By programme: how much of the last half second was turned down, from 0 to 1.
    busy: OnePole,
    /// By programme: frames for which the gain still stays.
    hold: u32,
}

/// By programme, a gain stays for half a period of a low note, so that it does not follow the wave, ...
const HOLD_MS: f64 = 15.0;
/// ... as long as peaks come that need as much, to 0.5 dB, ...
const AS_MUCH: f64 = 1.06;
/// ... then recovers, quickly after a single peak, slowly where much is turned down, ...
const QUICK_MS: f64 = 30.0;
const SLOW_MS: f64 = 400.0;
/// ... of which this is the memory.
const BUSY_MS: f64 = 500.0;

impl Release {
    fn new(rate: f64) -> Self {
        Release { rate, gain: 1.0, pole: None, busy: OnePole::default(), hold: 0 }
    }

    /// Sets its time; [`AUTO`] is by programme. RT.
    fn set(&mut self, ms: f64) {
        self.pole = (ms != AUTO).then(|| pole(ms, self.rate));
    }

    /// Steps on by one frame towards a gain that must not be passed. RT.
    fn step(&mut self, most: f64) -> f64 {
        let pole = self.pole.unwrap_or_else(|| self.by_programme(most));
        self.gain = if most - self.gain < THERE { most } else { most - pole * (most - self.gain) };
        self.gain
    }

    /// The pole by programme: 1 while it holds. RT.
    fn by_programme(&mut self, most: f64) -> f64 {
        let busy = self.busy.low(1000.0 / (BUSY_MS * self.rate), f64::from(u8::from(most < 1.0)));
        if most <= self.gain * AS_MUCH && most < 1.0 {
            self.hold = (HOLD_MS * self.rate / 1000.0) as u32;
        }
        if self.hold > 0 {
            self.hold -= 1;
            return 1.0;
        }
        1.0 - 1000.0 / ((QUICK_MS + (SLOW_MS - QUICK_MS) * busy) * self.rate)
    }

    fn reset(&mut self) {
        self.gain = 1.0;
        self.busy.reset();
        self.hold = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::test_signals::{Bench, RATE, click_of_edit, impulse, level_at, noise, peak, sine};

    const SECOND: usize = 48_000;

    /// A signal of a second with everything from 20 kHz taken away.
    fn below_20_khz(signal: &[f64]) -> Vec<f64> {
        resampled(signal, 1, 20_000)
    }

    /// A periodic second at `times` the rate, what lies at or above `limit` Hz taken away: ideal interpolation.
    fn resampled(signal: &[f64], times: usize, limit: usize) -> Vec<f64> {
        let mut planner = realfft::RealFftPlanner::<f64>::new();
        let forward = planner.plan_fft_forward(SECOND);
        let mut bins = forward.make_output_vec();
        forward.process(&mut signal.to_vec(), &mut bins).unwrap();
        let back = planner.plan_fft_inverse(SECOND * times);
        let mut wider = back.make_input_vec();
        wider[..limit].copy_from_slice(&bins[..limit]);
        let mut output = back.make_output_vec();
        back.process(&mut wider, &mut output).unwrap();
        output.iter().map(|x| x / SECOND as f64).collect()
    }

    /// The true peak in dBTP, sixteen times as often as there are frames.
    fn true_peak(signal: &[f64]) -> f64 {
        peak(&resampled(signal, 16, SECOND / 2))
    }

    /// The true peak in dBTP as a meter has it that interpolates sixteen times with 64 frames a side.
    fn metered(signal: &[f64]) -> f64 {
        let peaks = (1..16).map(|phase| {
            let weight = |k: usize| {
                let t = k as f64 - 63.0 - f64::from(phase) / 16.0;
                math::sin(PI * t) / (PI * t) * math::kaiser(t / 64.0, 6.0)
            };
            let taps: Vec<f64> = (0..128).map(weight).collect();
            let points =
                signal.windows(128).map(|frames| frames.iter().zip(&taps).map(|(x, tap)| x * tap).sum::<f64>());
            points.fold(0.0_f64, |most, x| most.max(x.abs()))
        });
        math::db_from_gain(peaks.fold(0.0, f64::max)).max(peak(signal))
    }

    /// At a peak in dBFS, silent for 30 ms at both ends and faded over 10.
    fn trimmed(signal: &[f64], to: f64) -> Vec<f64> {
        let gain = math::gain_from_db(to - peak(signal));
        let edge = |i: usize| ((i.min(SECOND - 1 - i) as f64 - 1440.0) / 480.0).clamp(0.0, 1.0);
        signal.iter().enumerate().map(|(i, x)| x * gain * math::ease(edge(i))).collect()
    }

    /// White noise at -3 dB an octave, by six one-poles a factor of four apart.
    fn pink() -> Vec<f64> {
        let white = noise(1, SECOND);
        let mut poles = [OnePole::default(); 6];
        let mut step = |x: f64| (0..6).map(|i| poles[i].low(0.5_f64.powi(2 * i as i32), x) * f64::from(1 << i)).sum();
        white.iter().map(|x| step(*x)).collect()
    }

    fn kicks() -> Vec<f64> {
        let noise = noise(2, SECOND);
        let kick = |i: usize| {
            let t = (i % 12_000) as f64 / RATE;
            math::exp(-12.0 * t) * math::sin(2.0 * PI * (55.0 * t + 4.0 * (1.0 - math::exp(-40.0 * t))))
        };
        (0..SECOND).map(|i| kick(i) + 0.1 * noise[i]).collect()
    }

    /// The programme that a limiter is tried with.
    fn suite() -> [(&'static str, Vec<f64>); 5] {
        let square: Vec<f64> = sine(997.0, 0.0, RATE, SECOND).iter().map(|x| 1.0_f64.copysign(*x)).collect();
        let bursts = sine(10_990.0, 0.0, RATE, SECOND);
        let bursts: Vec<f64> =
            bursts.iter().enumerate().map(|(i, x)| if i / 240 % 2 == 0 { *x } else { 0.0 }).collect();
        [
            ("pink", trimmed(&below_20_khz(&pink()), 7.0)),
            ("kicks and noise", trimmed(&below_20_khz(&kicks()), 7.0)),
            ("square", trimmed(&below_20_khz(&square), 7.0)),
            ("bursts", trimmed(&below_20_khz(&bursts), 7.0)),
            ("white", trimmed(&below_20_khz(&noise(3, SECOND)), 7.0)),
        ]
    }

    #[test]
    fn no_true_peak_of_programme_below_20_khz_passes_the_ceiling() {
        for (name, input) in suite() {
            let output = Bench::new(&LIMITER, 1).run_mono(&input);
            let (sample, between) = (peak(&output), true_peak(&output));
            assert!(sample <= -1.2 + 1e-6 && between <= -1.0, "{name}: {sample} dBFS, {between} dBTP");
            assert!(between > -1.6, "{name}: turned down to {between}");
        }
    }

    #[test]
    fn white_noise_to_half_the_rate_passes_the_ceiling_by_less_than_a_third_of_a_db() {
        let output = Bench::new(&LIMITER, 1).run_mono(&trimmed(&noise(3, SECOND), 7.0));
        assert!(metered(&output) <= -0.7, "{}", metered(&output));
    }

    #[test]
    fn no_sample_passes_the_ceiling_at_any_setting() {
        for (rate, lookahead) in [(44_100.0, 0.5), (48_000.0, 1.5), (96_000.0, 10.0)] {
            let mut bench = Bench::new(&LIMITER, 1).rate(rate).set("true_peak", 0.0).set("lookahead", lookahead);
            let output = bench.run_mono(&trimmed(&kicks(), 12.0));
            assert!((-1.1..=-1.0 + 1e-6).contains(&peak(&output)), "{rate}: {}", peak(&output));
        }
    }

    #[test]
    fn what_is_below_the_ceiling_is_an_exact_copy_delayed_by_the_latency() {
        for true_peak in [0.0, 1.0] {
            let mut bench = Bench::new(&LIMITER, 1).set("true_peak", true_peak);
            let input = trimmed(&below_20_khz(&noise(5, SECOND)), -3.0);
            let (output, latency) = (bench.run_mono(&input), bench.latency());
            assert_eq!(latency, 104);
            assert!(output[latency..] == input[..SECOND - latency]);
        }
    }

    #[test]
    fn it_is_exact_again_after_it_has_worked() {
        for release in [50.0, AUTO] {
            let mut input = sine(100.0, 6.0, RATE, SECOND);
            input.resize(4 * SECOND, 0.0);
            input[2 * SECOND..].copy_from_slice(&sine(300.0, -6.0, RATE, 2 * SECOND));
            let mut bench = Bench::new(&LIMITER, 1);
            bench = if release == AUTO { bench.special("release") } else { bench.set("release", release) };
            let (output, latency) = (bench.run_mono(&input), bench.latency());
            assert!(output[3 * SECOND + latency..] == input[3 * SECOND..4 * SECOND - latency], "release {release}");
        }
    }

    #[test]
    fn the_latency_is_the_one_declared() {
        for (rate, lookahead) in [(44_100.0, 0.5), (48_000.0, 1.5), (96_000.0, 10.0)] {
            let mut bench = Bench::new(&LIMITER, 1).rate(rate).set("lookahead", lookahead);
            let output = bench.run_mono(&impulse(4000));
            assert_eq!(output.iter().position(|x| *x != 0.0), Some(bench.latency()));
        }
    }

    #[test]
    fn all_channels_are_turned_down_together() {
        let output = Bench::new(&LIMITER, 2).run(&[sine(100.0, 6.0, RATE, SECOND), vec![0.5; SECOND]]);
        let gain = output[1][20_000] / 0.5;
        let ceiling = math::gain_from_db(-1.2) / math::gain_from_db(6.0);
        assert!((gain / ceiling - 1.0).abs() < 0.1, "{gain}");
    }

    /// The harmonics of a 50 Hz tone driven 7 dB over, against the tone, in dB.
    fn distortion(bench: Bench) -> f64 {
        let mut bench = bench;
        let output = bench.run_mono(&sine(50.0, 6.0, RATE, 2 * SECOND));
        let steady = &output[SECOND..];
        let harmonic = |n: u32| math::gain_from_db(level_at(steady, 50.0 * f64::from(n), RATE));
        let sum: f64 = (2..20).map(|n| harmonic(n) * harmonic(n)).sum();
        math::db_from_gain(math::sqrt(sum) / harmonic(1))
    }

    #[test]
    fn a_release_by_programme_does_not_follow_a_low_wave() {
        // With true_peak off it works 7 dB over, as in the figures: 10, 50, 200 ms give -24, -34, -44 dB.
        let bench = || Bench::new(&LIMITER, 1).set("true_peak", 0.0);
        for (release, expected) in [(10.0, -24.0), (50.0, -34.0), (200.0, -44.0)] {
            let got = distortion(bench().set("release", release));
            assert!((got - expected).abs() < 3.0, "{release} ms: {got}");
        }
        let auto = distortion(bench().special("release"));
        assert!(auto < -60.0, "{auto}");
    }

    #[test]
    fn edits_leave_no_click() {
        for (name, to) in [("ceiling", -20.0), ("gain", 18.0), ("release", 500.0)] {
            let index = LIMITER.index(name).unwrap();
            let click = click_of_edit(&mut Bench::new(&LIMITER, 2), |bench| bench.edit(index, to));
            assert!(click < -80.0, "{name}: {click}");
        }
    }
}
