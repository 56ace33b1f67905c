//! Compressors side by side.

use super::{Interleaved, LANES, NONE, Wide, first, firsts};
use crate::dynamics::{Ballistics, NOTHING, gain_of, reduction_of};
use crate::kernel::QUANTUM;
use crate::wide::each;

/// The numbers of a compressor that stands still.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// In dB.
    pub threshold: f64,
    /// dB of input for one of output.
    pub ratio: f64,
    /// In dB.
    pub knee: f64,
    /// The amplitude where the bend of its curve begins.
    pub quiet: f64,
    /// The pole of its attack.
    pub attack: f64,
    /// The pole of its release.
    pub release: f64,
    /// What is multiplied by afterwards.
    pub makeup: f64,
}

// The places of a turn's numbers.
const KNEE: usize = 2;
const QUIET: usize = 3;
const ATTACK: usize = 4;
const RELEASE: usize = 5;
const MAKEUP: usize = 6;

/// In an empty lane nothing is loud.
const IDLE: Turn =
    Turn { threshold: 0.0, ratio: 1.0, knee: 0.0, quiet: f64::INFINITY, attack: 0.0, release: 0.0, makeup: 1.0 };

/// A compressor in each lane.
pub(super) struct Turns {
    /// In the order of [`Turn`].
    numbers: [Wide; 7],
    held: Wide,
    smooth: Wide,
    /// The most that was turned down in the quantum, in dB.
    most: Wide,
}

impl Default for Turns {
    fn default() -> Self {
        let mut turns = Turns { numbers: [NONE; 7], held: NONE, smooth: NONE, most: NONE };
        (0..LANES).for_each(|lane| turns.clear(lane));
        turns
    }
}

impl Turns {
    /// RT.
    pub fn put(&mut self, lane: usize, turn: &Turn, ballistics: Ballistics) {
        let Turn { threshold, ratio, knee, quiet, attack, release, makeup } = *turn;
        let numbers = [threshold, ratio, knee, quiet, attack, release, makeup];
        self.numbers.iter_mut().zip(numbers).for_each(|(wide, number)| wide[lane] = number);
        (self.held[lane], self.smooth[lane]) = ballistics.state();
        self.most[lane] = 0.0;
    }

    /// RT.
    pub fn clear(&mut self, lane: usize) {
        self.put(lane, &IDLE, Ballistics::default());
    }

    /// RT.
    pub fn ballistics(&self, lane: usize) -> Ballistics {
        Ballistics::left_in((self.held[lane], self.smooth[lane]))
    }

    /// RT.
    pub fn most(&self, lane: usize) -> f64 {
        self.most[lane]
    }

    /// Turns all frames down in each of the first lanes, as loud as the louder one of itself and another is.
    ///
    /// One step after the other for all frames, so that what does not wait for the frame before is done many at a time; what is
    /// between the steps is in `spare`. RT.
    #[inline(always)]
    pub fn run<const USED: usize>(
        &mut self,
        sound: &mut Interleaved,
        spare: &mut Interleaved,
        other: impl Fn(usize) -> usize,
    ) {
        let loudest: [f64; USED] = levels(sound, spare, other);
        let is_loud = |turns: &Turns, lane: usize| loudest[lane] > turns.numbers[QUIET][lane];
        let is_idle =
            |turns: &Turns, lane: usize| !is_loud(turns, lane) && turns.held[lane] == 0.0 && turns.smooth[lane] == 0.0;
        let makeup = self.numbers[MAKEUP].0;
        if (0..USED).all(|lane| is_idle(self, lane)) {
            self.most = NONE;
            for frame in sound.frames() {
                for lane in 0..USED {
                    frame[lane] *= makeup[lane];
                }
            }
            return;
        }
        if (0..USED).any(|lane| is_loud(self, lane)) {
            match (0..USED).all(|lane| self.numbers[KNEE][lane] == 0.0) {
                true => self.want::<USED, true>(spare),
                false => self.want::<USED, false>(spare),
            }
        } else {
            for frame in spare.frames() {
                *frame = [0.0; LANES];
            }
        }
        if (0..USED).all(|lane| is_idle(self, lane) || self.goes_on(lane)) {
            self.smoothen::<USED>(spare);
        } else {
            self.smoothen_to_the_end::<USED>(spare);
        }
        for (frame, down) in sound.frames().zip(spare.frames()) {
            let turned: [f64; USED] = each(
                #[inline(always)]
                |i| frame[i] * (gain_of(down[i]) * makeup[i]),
            );
            frame[..USED].copy_from_slice(&turned);
        }
    }

    /// Turns levels into the dB by which they are to be turned down; HARD says that none has a knee. RT.
    #[inline(always)]
    fn want<const USED: usize, const HARD: bool>(&self, levels: &mut Interleaved) {
        let [threshold, ratio, knee, quiet, ..]: [[f64; USED]; 7] = firsts(&self.numbers);
        for down in levels.frames() {
            let wanted: [f64; USED] = each(
                #[inline(always)]
                |i| reduction_of(down[i], threshold[i], ratio[i], knee[i], quiet[i], HARD),
            );
            down[..USED].copy_from_slice(&wanted);
        }
    }

    /// Whether what is held in a lane falls for longer than the quantum before it is nothing. RT.
    #[inline(always)]
    fn goes_on(&self, lane: usize) -> bool {
        let mut left = self.numbers[RELEASE][lane];
        for _ in 0..QUANTUM.ilog2() {
            left *= left;
        }
        // By less than half if what is rounded on the way is reckoned with.
        self.held[lane] * left > 2.0 * NOTHING
    }

    /// [`Ballistics::stepped`] where nothing is over. RT.
    #[inline(always)]
    fn smoothen<const USED: usize>(&mut self, wanted: &mut Interleaved) {
        let (attack, release) = (self.numbers[ATTACK].0, self.numbers[RELEASE].0);
        let [mut held, mut smooth] = [first::<USED>(&self.held), first::<USED>(&self.smooth)];
        let mut most = [0.0; USED];
        for down in wanted.frames() {
            held = each(
                #[inline(always)]
                |i| Ballistics::holding(held[i], down[i], release[i]),
            );
            smooth = each(
                #[inline(always)]
                |i| Ballistics::smoothed(smooth[i], held[i], attack[i]),
            );
            most = each(
                #[inline(always)]
                |i| if smooth[i] > most[i] { smooth[i] } else { most[i] },
            );
            down[..USED].copy_from_slice(&smooth);
        }
        self.leave(held, smooth, most);
    }

    /// The same where something may be over. RT.
    #[inline(always)]
    fn smoothen_to_the_end<const USED: usize>(&mut self, wanted: &mut Interleaved) {
        let (attack, release) = (self.numbers[ATTACK].0, self.numbers[RELEASE].0);
        let [mut held, mut smooth] = [first::<USED>(&self.held), first::<USED>(&self.smooth)];
        let mut most = [0.0; USED];
        for down in wanted.frames() {
            for i in 0..USED {
                (held[i], smooth[i]) = Ballistics::stepped((held[i], smooth[i]), down[i], attack[i], release[i]);
                most[i] = if smooth[i] > most[i] { smooth[i] } else { most[i] };
            }
            down[..USED].copy_from_slice(&smooth);
        }
        self.leave(held, smooth, most);
    }

    /// RT.
    #[inline(always)]
    fn leave<const USED: usize>(&mut self, held: [f64; USED], smooth: [f64; USED], most: [f64; USED]) {
        self.held[..USED].copy_from_slice(&held);
        self.smooth[..USED].copy_from_slice(&smooth);
        self.most[..USED].copy_from_slice(&most);
    }
}

/// Measures the level of each frame; gives the largest of each lane. RT.
#[inline(always)]
fn levels<const USED: usize>(
    sound: &mut Interleaved,
    levels: &mut Interleaved,
    other: impl Fn(usize) -> usize,
) -> [f64; USED] {
    let mut loudest = [0.0; USED];
    for (frame, level) in sound.frames().zip(levels.frames()) {
        let levels: [f64; USED] = each(
            #[inline(always)]
            |i| {
                let (own, other) = (frame[i].abs(), frame[other(i)].abs());
                let level = if own > 0.0 { own } else { 0.0 };
                if other > level { other } else { level }
            },
        );
        level[..USED].copy_from_slice(&levels);
        loudest = each(
            #[inline(always)]
            |i| if levels[i] > loudest[i] { levels[i] } else { loudest[i] },
        );
    }
    loudest
}
