//! What processors of dynamics have in common: the gain computer, its smoothing, the ear that they listen with, and the
//! lowest of what was lately.

use std::collections::VecDeque;

use crate::keep::{Keep, Ledger, keep};
use crate::kernel::{Buffer, Glide, Io, QUANTUM};
use crate::math;
use crate::parameter::Recipe;
use crate::wide::wide;

/// By how many dB a level is turned down: the static curve of Giannoulis, Massberg and Reiss (2012), with a quadratic
/// knee of `knee` dB centred on the threshold. Levels in dB; `ratio` from 1. RT.
#[inline(always)]
pub fn reduction(level: f64, threshold: f64, ratio: f64, knee: f64) -> f64 {
    let over = level - threshold;
    let slope = 1.0 - 1.0 / ratio;
    let into = over + knee / 2.0;
    let bent = slope * into * into / (2.0 * knee);
    let down = if 2.0 * over < knee { bent } else { slope * over };
    if 2.0 * over <= -knee { 0.0 } else { down }
}

/// The same without a knee, for which nothing needs to be divided. RT.
#[inline(always)]
fn hard_reduction(level: f64, threshold: f64, ratio: f64) -> f64 {
    let over = level - threshold;
    let slope = 1.0 - 1.0 / ratio;
    if over <= 0.0 { 0.0 } else { slope * over }
}

/// The same of a linear amplitude; one up to `quiet` lies below the bend. Without a branch, so that several can be worked out side by
/// side; `is_hard` says that there is no knee, and is to be the same for all of them. RT.
#[inline(always)]
pub fn reduction_of(level: f64, threshold: f64, ratio: f64, knee: f64, quiet: f64, is_hard: bool) -> f64 {
    let loud = math::ln_within(level) * math::DECIBEL;
    let down = if is_hard { hard_reduction(loud, threshold, ratio) } else { reduction(loud, threshold, ratio, knee) };
    if level > quiet { down } else { 0.0 }
}

/// What something is multiplied by that is turned down by so many dB; likewise without a branch. RT.
#[inline(always)]
pub fn gain_of(down: f64) -> f64 {
    let x = -down * math::NEPER;
    let gain = math::exp_within(if x < math::EXP_LEAST { math::EXP_LEAST } else { x });
    if down == 0.0 { 1.0 } else { gain }
}

/// The static curve of a stretch.
#[derive(Clone, Copy, Debug)]
pub struct Curve {
    /// In dB.
    pub threshold: Glide,
    /// dB of input for one of output.
    pub ratio: Glide,
    /// In dB.
    pub knee: Glide,
}

impl Curve {
    /// Turns levels, as linear amplitudes, into the dB by which they are turned down. RT.
    pub fn reductions(&self, levels: &mut [f64]) {
        let Curve { threshold, ratio, knee } = *self;
        // What is not above the bend has no need of a logarithm.
        let quiet = math::gain_from_db(bend(threshold.from, knee.from).min(bend(threshold.to, knee.to)));
        if levels.iter().all(|level| *level <= quiet) {
            levels.fill(0.0);
            return;
        }
        if [threshold, ratio, knee].iter().all(Glide::is_still) {
            let (threshold, ratio, knee) = (threshold.to, ratio.to, knee.to);
            wide(
                #[inline(always)]
                || match knee == 0.0 {
                    true => levels.iter_mut().for_each(|x| *x = reduction_of(*x, threshold, ratio, knee, quiet, true)),
                    false => {
                        levels.iter_mut().for_each(|x| *x = reduction_of(*x, threshold, ratio, knee, quiet, false))
                    }
                },
            );
        } else {
            let count = levels.len();
            let at = |glide: Glide, n| glide.at(n, count);
            let down = |level: f64, threshold, ratio, knee| reduction_of(level, threshold, ratio, knee, quiet, false);
            let moving = |(n, x): (usize, &mut f64)| *x = down(*x, at(threshold, n), at(ratio, n), at(knee, n));
            levels.iter_mut().enumerate().for_each(moving);
        }
    }
}

/// Where the bend of a curve begins, in dB. RT.
pub fn bend(threshold: f64, knee: f64) -> f64 {
    threshold - knee / 2.0
}

/// Turns dB by which something is turned down into gains. RT.
pub fn gains(down: &mut [f64]) {
    if down.iter().all(|down| *down == 0.0) {
        down.fill(1.0);
        return;
    }
    wide(
        #[inline(always)]
        || down.iter_mut().for_each(|x| *x = gain_of(*x)),
    );
}

/// Reductions below this many dB are none: so that what recovers becomes exact again.
pub const NOTHING: f64 = 1e-9;

/// Gain reduction in dB, smoothed: the decoupled detector of Giannoulis, Massberg and Reiss (2012). Times are 63.2 %
/// constants; a release that follows an attack lags by about the attack's time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ballistics {
    held: f64,
    smooth: f64,
}

keep!(Ballistics: held, smooth);

impl Ballistics {
    /// At rest at a reduction that has been asked for long enough. RT.
    pub const fn at(reduction: f64) -> Self {
        Ballistics { held: reduction, smooth: reduction }
    }

    /// Steps on by one frame towards the reduction `wanted`, with the poles of attack and release. RT.
    #[inline]
    pub fn step(&mut self, wanted: f64, attack: f64, release: f64) -> f64 {
        (self.held, self.smooth) = Ballistics::stepped(self.state(), wanted, attack, release);
        self.smooth
    }

    /// What is held and what is smooth, a frame later: without a branch, so that it can be worked out side by side. RT.
    #[inline(always)]
    pub fn stepped((held, smooth): (f64, f64), wanted: f64, attack: f64, release: f64) -> (f64, f64) {
        let held = Ballistics::holding(held, wanted, release);
        let smooth = Ballistics::smoothed(smooth, held, attack);
        let is_over = (wanted == 0.0) & (held < NOTHING) & (smooth < NOTHING);
        if is_over { (0.0, 0.0) } else { (held, smooth) }
    }

    /// What is held a frame later, if that is not over. RT.
    #[inline(always)]
    pub fn holding(held: f64, wanted: f64, release: f64) -> f64 {
        let falls = release * held + (1.0 - release) * wanted;
        if falls > wanted { falls } else { wanted }
    }

    /// What is smooth a frame later. RT.
    #[inline(always)]
    pub fn smoothed(smooth: f64, held: f64, attack: f64) -> f64 {
        attack * smooth + (1.0 - attack) * held
    }

    /// What is held, and what is smooth. RT.
    pub fn state(&self) -> (f64, f64) {
        (self.held, self.smooth)
    }

    /// In the state that others were in. RT.
    pub fn left_in((held, smooth): (f64, f64)) -> Self {
        Ballistics { held, smooth }
    }

    /// Steps on by a stretch, of which each frame is replaced by what it comes to. RT.
    pub fn run(&mut self, wanted: &mut [f64], attack: f64, release: f64) {
        if self.is_idle() && wanted.iter().all(|x| *x == 0.0) {
            return;
        }
        let mut own = *self;
        wanted.iter_mut().for_each(|x| *x = own.step(*x, attack, release));
        *self = own;
    }

    /// Whether nothing is reduced, nor about to be. RT.
    pub fn is_idle(&self) -> bool {
        self.held == 0.0 && self.smooth == 0.0
    }
}

/// The lowest of the last so many values.
#[derive(Clone, Debug)]
pub struct SlidingMinimum {
    /// Values that may yet be the lowest, each with its frame; they rise from front to back.
    rising: VecDeque<(u64, f64)>,
    /// The next frame, at least `length`.
    frame: u64,
    length: u64,
}

impl SlidingMinimum {
    /// Of so many values. Not RT.
    pub fn new(length: usize) -> Self {
        SlidingMinimum { rising: VecDeque::with_capacity(length + 1), frame: length as u64, length: length as u64 }
    }

    /// Takes a value and gives the lowest. RT: there are never more values than there is room for.
    pub fn step(&mut self, value: f64) -> f64 {
        while self.rising.back().is_some_and(|(_, last)| *last >= value) {
            self.rising.pop_back();
        }
        self.rising.push_back((self.frame, value));
        self.frame += 1;
        while self.rising.front().is_some_and(|(frame, _)| frame + self.length < self.frame) {
            self.rising.pop_front();
        }
        self.rising.front().map_or(value, |(_, lowest)| *lowest)
    }

    /// Forgets all values. RT.
    pub fn reset(&mut self) {
        self.rising.clear();
    }
}

impl Keep for SlidingMinimum {
    /// Frames are reckoned anew: how long it has run is nobody's business.
    fn keep(&mut self, ledger: &mut Ledger) {
        let before = self.frame - self.length;
        self.rising.iter_mut().for_each(|(frame, _)| *frame -= before);
        self.frame = self.length;
        self.rising.keep(ledger);
        if self.rising.iter().any(|(frame, _)| *frame >= self.length) {
            ledger.fail();
        }
    }
}

/// What a processor of dynamics listens to: its key if it has one, else its input.
#[derive(Clone, Debug)]
pub struct Ear {
    /// Levels of the channels listened to, as linear amplitudes.
    levels: Vec<Buffer>,
    /// The largest of them at each frame.
    loudest: Buffer,
    channels: usize,
    keyed: bool,
}

impl Ear {
    /// An ear for an effect. Not RT.
    pub fn new(recipe: &Recipe) -> Self {
        let keyed = recipe.key_channels > 0;
        let heard = if keyed { recipe.key_channels } else { recipe.channels };
        Ear { levels: vec![[0.0; QUANTUM]; heard], loudest: [0.0; QUANTUM], channels: recipe.channels, keyed }
    }

    /// How many channels it listens to.
    pub fn heard(&self) -> usize {
        self.levels.len()
    }

    /// Listens to the frames of `io`; `measure` turns the sound of a channel into its level, in place. RT.
    pub fn listen(&mut self, io: &Io<'_>, mut measure: impl FnMut(usize, &mut [f64])) {
        let heard = if self.keyed { io.key } else { &io.audio[..] };
        let loudest = &mut self.loudest[io.frames.clone()];
        loudest.fill(0.0);
        for (channel, (levels, sound)) in self.levels.iter_mut().zip(heard).enumerate() {
            let levels = &mut levels[io.frames.clone()];
            levels.copy_from_slice(&sound[io.frames.clone()]);
            measure(channel, levels);
            let more = |(most, level): (&mut f64, &mut f64)| *most = if *level > *most { *level } else { *most };
            loudest.iter_mut().zip(levels).for_each(more);
        }
    }

    /// The largest level of any channel, by frame. RT.
    pub fn loudest(&self) -> &Buffer {
        &self.loudest
    }

    /// The level that belongs to an audio channel: its own where there is one for each, else the largest. RT.
    pub fn own(&self, channel: usize) -> &Buffer {
        match self.levels.get(channel) {
            Some(own) if self.levels.len() == self.channels => own,
            _ => &self.loudest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::one_pole::pole;
    use crate::test_signals::noise;

    #[test]
    fn the_static_curve_is_the_published_one() {
        for (level, out) in [(-23.0, -23.0), (-20.0, -20.5625), (-17.0, -19.25), (-10.0, -17.5), (0.0, -15.0)] {
            let got = level - reduction(level, -20.0, 4.0, 6.0);
            assert!((got - out).abs() < 1e-12, "{level} gave {got}, not {out}");
        }
    }

    #[test]
    fn without_a_knee_the_curve_bends_at_the_threshold() {
        assert_eq!(reduction(-20.0, -20.0, 4.0, 0.0), 0.0);
        assert_eq!(reduction(-16.0, -20.0, 4.0, 0.0), 3.0);
        assert_eq!(reduction(f64::NEG_INFINITY, -20.0, 4.0, 0.0), 0.0);
    }

    #[test]
    fn a_stretch_is_worked_out_to_the_bits_of_its_frames_one_by_one() {
        let levels: Vec<f64> = noise(7, 2000).iter().map(|x| x.abs() * x.abs()).collect();
        for curve in [(-18.0, 4.0, 6.0), (-30.0, 100.0, 0.0), (-6.0, 1.0, 24.0)]
            .map(|(threshold, ratio, knee)| {
                [0.0, 3.0].map(|more| Curve {
                    threshold: Glide { from: threshold, to: threshold - more },
                    ratio: Glide { from: ratio, to: ratio + more },
                    knee: Glide { from: knee, to: knee + more },
                })
            })
            .as_flattened()
        {
            for levels in levels.chunks(QUANTUM - 1) {
                let mut done = levels.to_vec();
                curve.reductions(&mut done);
                let count = levels.len();
                let at = |glide: Glide, n| glide.at(n, count);
                for (n, (level, done)) in levels.iter().zip(&done).enumerate() {
                    let [threshold, ratio, knee] = [curve.threshold, curve.ratio, curve.knee].map(|glide| at(glide, n));
                    let expected = reduction(math::db_from_gain(*level), threshold, ratio, knee);
                    // At the very bend it may be the last bit of nothing.
                    assert!(*done == expected || expected < 1e-9, "{done}, not {expected} of {level}");
                }
                let expected: Vec<f64> = done.iter().map(|down| math::gain_from_db(-down)).collect();
                gains(&mut done);
                assert_eq!(done, expected);
            }
        }
        let mut far = [0.0, 20_000.0, f64::INFINITY];
        gains(&mut far);
        assert!(far[0] == 1.0 && far[1..].iter().all(|gain| (0.0..1e-300).contains(gain)), "{far:?}");
    }

    #[test]
    fn a_release_after_a_full_attack_lags_by_the_attack() {
        // 10 ms attack, 100 ms release: 36.8 % are left after 110.5 ms.
        let (attack, release) = (pole(10.0, 48_000.0), pole(100.0, 48_000.0));
        let mut ballistics = Ballistics::default();
        (0..48_000).for_each(|_| {
            ballistics.step(10.0, attack, release);
        });
        let frames = (0..).find(|_| ballistics.step(0.0, attack, release) <= 10.0 * math::exp(-1.0)).unwrap();
        assert!((f64::from(frames) / 48.0 - 110.5).abs() < 0.2, "{frames} frames");
    }

    #[test]
    fn the_lowest_of_the_last_values_is_found() {
        let values: Vec<f64> = (0..500).map(|n| math::sin(f64::from(n * n))).collect();
        let mut lowest = SlidingMinimum::new(37);
        for n in 0..values.len() {
            let expected = values[n.saturating_sub(36)..=n].iter().fold(f64::INFINITY, |a, b| a.min(*b));
            assert_eq!(lowest.step(values[n]), expected, "frame {n}");
        }
    }
}
