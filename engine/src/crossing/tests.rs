//! Two devices whose clocks are apart, in pretended time.

use std::collections::BTreeSet;

use super::*;
use crate::math;
use crate::test_signals::{Tone, tone_in};
use assert_no_alloc::assert_no_alloc;

const RATE: f64 = 48_000.0;
const CUSHION: usize = 1024;

/// A pair of devices: the input's clock is `ppm` millionths fast, and either may call late.
struct Pair {
    listener: Listener,
    ear: Ear,
    watch: Watch,
    ppm: f64,
    /// The most that a call is late, in seconds.
    jitter: f64,
    random: u64,
    in_frames: u64,
    out_frames: u64,
    /// What the input hears at its own frame.
    sound: fn(f64) -> f64,
    given: Vec<f64>,
    late: usize,
    left: usize,
    live: Vec<Buffer>,
}

const IN: usize = 512;
const OUT: usize = 480;

impl Pair {
    fn new(ppm: f64, jitter: f64, sound: fn(f64) -> f64) -> Self {
        let (listener, ear, watch) = crossing(1, RATE as u32, CUSHION);
        let live = vec![[0.0; QUANTUM]];
        let (in_frames, out_frames, late, left) = (0, 0, 0, 0);
        let given = Vec::new();
        Pair { listener, ear, watch, ppm, jitter, random: 1, in_frames, out_frames, sound, given, late, left, live }
    }

    fn lateness(&mut self) -> f64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.jitter * (self.random >> 40) as f64 / (1 << 24) as f64
    }

    /// Lets both run until a moment. What is given is kept from `keep` on.
    fn run(&mut self, until: f64, keep: f64) {
        let fast = RATE * (1.0 + self.ppm * 1e-6);
        loop {
            let heard = (self.in_frames + IN as u64) as f64 / fast;
            let played = (self.out_frames + OUT as u64) as f64 / RATE;
            if heard.min(played) > until {
                return;
            }
            if heard <= played {
                let block: [f32; IN] = std::array::from_fn(|i| (self.sound)((self.in_frames + i as u64) as f64) as f32);
                let now = heard + self.lateness();
                assert_no_alloc(|| self.listener.take_at(now, &block, 1));
                self.in_frames += IN as u64;
            } else {
                let now = played + self.lateness();
                self.play(OUT, now, played >= keep);
                self.out_frames += OUT as u64;
            }
        }
    }

    /// A block of the output, at a moment.
    fn play(&mut self, mut frames: usize, now: f64, is_kept: bool) {
        while frames > 0 {
            if self.left == 0 {
                self.late += usize::from(!assert_no_alloc(|| self.ear.give(&mut self.live)));
                self.left = QUANTUM;
            }
            let some = frames.min(self.left);
            let begin = QUANTUM - self.left;
            if is_kept {
                self.given.extend_from_slice(&self.live[0][begin..begin + some]);
            }
            (frames, self.left) = (frames - some, self.left - some);
        }
        self.ear.note_at(now, self.left);
    }

    fn fill(&self) -> usize {
        self.ear.input.slots()
    }
}

/// 1 kHz by the input's clock.
fn tone(frame: f64) -> f64 {
    0.5 * math::sin(std::f64::consts::TAU * (frame / 48.0).fract())
}

/// What is beside a tone of about 1 kHz, whatever its exact frequency, in dB of it.
fn rest(sound: &[f64]) -> f64 {
    // Where a sine is, of whichever frequency: x[n-1] + x[n+1] = 2 cos(w) x[n], in the least squares.
    let (mut cross, mut square) = (0.0, 0.0);
    for x in sound.windows(3) {
        cross += (x[0] + x[2]) * x[1];
        square += x[1] * x[1];
    }
    let cosine = (cross / square / 2.0).clamp(-1.0, 1.0);
    // From its cosine by Newton, near 1 kHz.
    let mut w = std::f64::consts::TAU / 48.0;
    for _ in 0..20 {
        w += (math::cos(w) - cosine) / math::sin(w);
    }
    // And then by thirds, as what is beside the tone leads it a little astray.
    let (mut low, mut high) = (w * (1.0 - 1e-5), w * (1.0 + 1e-5));
    for _ in 0..40 {
        let third = (high - low) / 3.0;
        match beside(sound, low + third) < beside(sound, high - third) {
            true => high -= third,
            false => low += third,
        }
    }
    math::db_from_gain(math::sqrt(beside(sound, low)))
}

/// The share of a sound's power that is beside a tone of `w` radians a frame.
fn beside(sound: &[f64], w: f64) -> f64 {
    let Tone { energy, .. } = tone_in(sound, w);
    let whole: f64 = sound.iter().map(|x| x * x).sum();
    (whole - energy).max(1e-30) / energy
}

#[test]
fn clocks_that_are_apart_break_nothing_and_keep_a_sine_a_sine() {
    for (ppm, jitter) in [(1000.0, 0.0), (-1000.0, 0.0), (-300.0, 0.001), (100.0, 0.003)] {
        let mut pair = Pair::new(ppm, jitter, tone);
        pair.run(100.0, f64::INFINITY);
        let settled = pair.fill();
        pair.run(180.0, 179.0);
        assert_eq!(pair.late, 0, "{ppm} ppm");
        let measured = pair.watch.drift_ppm().expect("they are apart");
        assert!((measured - ppm).abs() < 3.0 + 4000.0 * jitter, "{ppm} ppm measured as {measured}");
        let moved = settled.abs_diff(pair.fill());
        assert!(moved <= IN + 64, "{ppm} ppm: the fill moved by {moved}");
        let beside = rest(&pair.given[..RATE as usize / 2]);
        assert!(beside < if jitter == 0.0 { -100.0 } else { -60.0 }, "{ppm} ppm: {beside} dB beside the tone");
    }
}

#[test]
fn one_clock_passes_every_bit_however_late_it_calls() {
    let noise = |frame: f64| f64::from(((frame as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32) / 2e7 + 0.1;
    let mut pair = Pair::new(0.0, 0.004, noise);
    pair.run(60.0, 0.0);
    assert_eq!((pair.late, pair.watch.drift_ppm()), (0, None));
    let silent = pair.given.iter().position(|x| *x != 0.0).expect("it sounds");
    let heard = |frame: usize| f64::from(noise(frame as f64) as f32);
    let first = (0..silent).find(|frame| heard(*frame) == pair.given[silent]).expect("it is of what came");
    for (i, x) in pair.given[silent..].iter().enumerate() {
        assert_eq!(*x, heard(first + i), "frame {i}");
    }
}

#[test]
fn what_is_heard_is_as_late_after_every_start_and_every_break() {
    // Each frame says its own number.
    let counted = |frame: f64| (frame + 1.0) / f64::from(1 << 20);
    for block in [64, 480, 512] {
        // How many blocks have come before any is asked for, and how many frames have been played before any came.
        let mut late = BTreeSet::new();
        for (before, ahead) in [(0, 0), (1, 64), (3, 0), (4, 17), (7, 1000), (20, 63)] {
            let mut pair = Pair::new(0.0, 0.0, counted);
            let hear = |pair: &mut Pair| {
                let numbers = pair.in_frames..pair.in_frames + block as u64;
                let frames: Vec<f32> = numbers.map(|frame| counted(frame as f64) as f32).collect();
                pair.listener.take_at(pair.in_frames as f64 / RATE, &frames, 1);
                pair.in_frames += block as u64;
            };
            pair.play(ahead, 0.0, false);
            (0..before).for_each(|_| hear(&mut pair));
            for breaks in 0..2 {
                for _ in 0..6000 / block {
                    hear(&mut pair);
                    pair.given.clear();
                    pair.play(block, pair.in_frames as f64 / RATE, true);
                }
                let number = pair.given[0] * f64::from(1 << 20) - 1.0;
                late.insert((pair.in_frames as f64 - number) as i64);
                // Nothing comes for a while, and what comes then does not at once.
                pair.play(CUSHION + 4 * block + breaks, pair.in_frames as f64 / RATE, false);
            }
        }
        assert_eq!(late.len(), 1, "{block} frames at a time: as late as {late:?} frames");
    }
}

#[test]
fn a_jump_is_no_drift() {
    for dropout in [48, 64, 144, 960] {
        let mut pair = Pair::new(0.0, 0.0, tone);
        pair.run(10.0, f64::INFINITY);
        // The output's time goes by without a call.
        pair.out_frames += dropout;
        pair.run(40.0, f64::INFINITY);
        assert_eq!((pair.late, pair.watch.drift_ppm()), (0, None), "a dropout of {dropout} frames");
    }
}

#[test]
fn where_input_breaks_off_and_returns_there_is_no_step() {
    let mut pair = Pair::new(0.0, 0.0, |_| 0.5);
    pair.run(2.0, 1.0);
    // The input calls no more for a while.
    let until = 3.0;
    while (pair.out_frames as f64) / RATE < until {
        pair.late += usize::from(!pair.ear.give(&mut pair.live));
        pair.given.extend_from_slice(&pair.live[0]);
        pair.out_frames += QUANTUM as u64;
    }
    assert_eq!((pair.late, pair.given.last()), (1, Some(&0.0)), "told once, and silent");
    pair.in_frames = pair.out_frames;
    pair.run(4.0, 0.0);
    assert_eq!(pair.given.last(), Some(&0.5), "it is back");
    let step = pair.given.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
    assert!(step <= 0.5 / FADE as f64 + 1e-9, "a step of {step}");
}

#[test]
fn input_that_has_piled_up_is_skipped() {
    let mut pair = Pair::new(0.0, 0.0, |_| 0.5);
    pair.run(1.0, f64::INFINITY);
    // The output stood still for half a second.
    pair.out_frames += 24_000;
    pair.run(5.0, 1.5);
    assert!(pair.fill() <= CUSHION + IN + 4 * QUANTUM, "{} frames wait", pair.fill());
    let step = pair.given.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
    assert!(step <= 0.5 / FADE as f64 + 1e-9, "a step of {step}");
}
