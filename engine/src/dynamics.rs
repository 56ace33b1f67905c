//! What compressors and gates have in common: the gain computer, its smoothing, and the ear that they listen with.

use crate::keep::keep;
use crate::kernel::{Buffer, Io, QUANTUM};
use crate::parameter::Recipe;

/// By how many dB a level is turned down: the static curve of Giannoulis, Massberg and Reiss (2012), with a quadratic
/// knee of `knee` dB centred on the threshold. Levels in dB; `ratio` from 1. RT.
pub fn reduction(level: f64, threshold: f64, ratio: f64, knee: f64) -> f64 {
    let over = level - threshold;
    let slope = 1.0 - 1.0 / ratio;
    if 2.0 * over <= -knee {
        0.0
    } else if 2.0 * over < knee {
        let into = over + knee / 2.0;
        slope * into * into / (2.0 * knee)
    } else {
        slope * over
    }
}

/// Reductions below this many dB are none: so that what recovers becomes exact again.
const NOTHING: f64 = 1e-9;

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
        self.held = wanted.max(release * self.held + (1.0 - release) * wanted);
        self.smooth = attack * self.smooth + (1.0 - attack) * self.held;
        if wanted == 0.0 && self.held < NOTHING && self.smooth < NOTHING {
            *self = Ballistics::default();
        }
        self.smooth
    }

    /// Whether nothing is reduced, nor about to be. RT.
    pub fn is_idle(&self) -> bool {
        self.held == 0.0 && self.smooth == 0.0
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
            loudest.iter_mut().zip(levels).for_each(|(most, level)| *most = most.max(*level));
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
    use crate::math;
    use crate::one_pole::pole;

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
}
