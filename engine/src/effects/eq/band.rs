//! One band of an `eq` without latency: its filter, what it works on, and how loud it has to be there.

use std::ops::Range;

use super::{ALWAYS, Declared, On, RATIO, THRESHOLD};
use crate::dynamics::{Ballistics, reduction};
use crate::filters::cascade::{Cascade, Design};
use crate::filters::row::Rows;
use crate::filters::{Filter, Section, Step};
use crate::keep::{Keep, Ledger, keep};
use crate::kernel::{Buffer, Glide, Io, QUANTUM};
use crate::math;
use crate::one_pole::pole;
use crate::parameter::Recipe;

/// How fast a dynamic band takes up its gain, and leaves it: 63.2 % constants in ms.
const ATTACK: f64 = 10.0;
const RELEASE: f64 = 100.0;

/// Nearer than this to all of its gain, a band whose threshold is off has it all.
const THERE: f64 = 1e-9;

/// Gains below this many dB are as good as their own logarithm.
const SLIGHT: f64 = 1e-6;

/// A band at work.
pub struct Band {
    /// Where its values lie among all of the effect's.
    values: Range<usize>,
    /// How many of them its filter is designed from.
    designed: usize,
    on: On,
    filter: Cascade,
    dynamics: Option<Dynamics>,
}

impl Band {
    /// A band at rest. Not RT.
    pub fn new(declared: &Declared<'_>, recipe: &Recipe) -> Self {
        let (channels, rate) = (if declared.on == On::All { recipe.channels } else { 1 }, recipe.rate());
        Band {
            values: declared.first..declared.first + declared.values.len(),
            designed: declared.designed().len(),
            on: declared.on,
            filter: Cascade::new(declared.design, declared.designed(), declared.count(), channels, rate),
            dynamics: Dynamics::new(declared, channels, rate),
        }
    }

    /// Works on a stretch. RT.
    pub fn process(&mut self, io: &mut Io<'_>) {
        let (values, frames) = (&io.values[self.values.clone()], io.frames.clone());
        match (self.on, &mut *io.audio) {
            (On::All, all) => self.work(values, all, frames),
            (On::Left, [left, ..]) => self.work(values, std::slice::from_mut(left), frames),
            (On::Right, [_, right, ..]) => self.work(values, std::slice::from_mut(right), frames),
            (on, [left, right, ..]) => {
                let sign = if on == On::Mid { 1.0 } else { -1.0 };
                let mut coded = [[0.0; QUANTUM]];
                for i in frames.clone() {
                    coded[0][i] = 0.5 * (left[i] + sign * right[i]);
                }
                let before = coded;
                self.work(values, &mut coded, frames.clone());
                for i in frames {
                    // What is added is exactly nothing where the band does nothing.
                    let added = coded[0][i] - before[0][i];
                    left[i] += added;
                    right[i] += sign * added;
                }
            }
            _ => {}
        }
    }

    /// Whether it filters all of the sound, and by numbers that stay. RT.
    pub fn is_plain(&self, values: &[Glide]) -> bool {
        let values = &values[self.values.clone()];
        self.on == On::All
            && self.dynamics.as_ref().is_none_or(|dynamics| !dynamics.is_needed(values))
            && self.filter.stands_at(&values[..self.designed])
    }

    /// The sections of a plain one on C channels from `first` on. RT.
    pub fn row<const C: usize>(&mut self, first: usize) -> impl Iterator<Item = (&Step, &mut [Filter; C])> {
        self.filter.row(first)
    }

    /// Filters what it works on. RT.
    fn work(&mut self, values: &[Glide], audio: &mut [Buffer], frames: Range<usize>) {
        let dynamics = self.dynamics.as_mut().filter(|dynamics| dynamics.is_needed(values));
        let designed = &values[..self.designed];
        match dynamics {
            None => self.filter.process(designed, audio, frames),
            Some(dynamics) => {
                dynamics.listen(values, audio, frames.clone());
                self.filter.process(designed, audio, frames.clone());
                dynamics.blend(audio, frames);
            }
        }
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        self.filter.reset();
        self.dynamics.iter_mut().for_each(Dynamics::reset);
    }
}

impl Keep for Band {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.filter.keep(ledger);
        self.dynamics.iter_mut().for_each(|dynamics| dynamics.keep(ledger));
    }
}

/// What makes a band work as far as it is loud there: the filtered sound against the sound as it was.
///
/// Between none and all of its gain a band is a blend of both, whose gain at the centre of a bell, or far out on a shelf,
/// is exactly the part of it (in dB) that is wanted.
struct Dynamics {
    /// How many of the band's values the filter and the region are designed from; where its gain, threshold and ratio lie.
    designed: usize,
    gain: usize,
    threshold: usize,
    ratio: usize,
    /// Leaves what is in the band's own region.
    region: Cascade,
    heard: Vec<Buffer>,
    dry: Vec<Buffer>,
    /// Which part of its gain the band has, 0 to 1.
    ballistics: Ballistics,
    /// Where that begins.
    rest: Ballistics,
    has_all: bool,
    attack: f64,
    release: f64,
    share: Buffer,
}

keep!(Dynamics: region, ballistics, has_all);

impl Dynamics {
    /// Those of a band that may have any.
    fn new(declared: &Declared<'_>, channels: usize, rate: f64) -> Option<Self> {
        let index = |name: &str| declared.part.index(name);
        let region: Design = match declared.part.word {
            "low_shelf" => |v, rate, out| out.fill(Section::low_pass(v[0], std::f64::consts::FRAC_1_SQRT_2, rate)),
            "high_shelf" => |v, rate, out| out.fill(Section::high_pass(v[0], std::f64::consts::FRAC_1_SQRT_2, rate)),
            _ => |v, rate, out| out.fill(Section::band_pass(v[0], v[2], rate)),
        };
        let rest = Ballistics::at(if declared.is_dynamic() { 0.0 } else { 1.0 });
        Some(Dynamics {
            designed: declared.designed().len(),
            gain: index("gain")?,
            threshold: index(THRESHOLD.name)?,
            ratio: index(RATIO.name)?,
            region: Cascade::new(region, declared.designed(), 1, channels, rate),
            heard: vec![[0.0; QUANTUM]; channels],
            dry: vec![[0.0; QUANTUM]; channels],
            ballistics: rest,
            rest,
            has_all: !declared.is_dynamic(),
            attack: pole(ATTACK, rate),
            release: pole(RELEASE, rate),
            share: [0.0; QUANTUM],
        })
    }

    /// Whether the band does anything but all that it can. RT.
    fn is_needed(&self, values: &[Glide]) -> bool {
        !self.has_all || values[self.threshold] != Glide::still(ALWAYS)
    }

    /// Finds the share of the filtered sound from what is there before it is filtered. RT.
    fn listen(&mut self, values: &[Glide], audio: &[Buffer], frames: Range<usize>) {
        for (copies, sound) in self.heard.iter_mut().zip(&mut self.dry).zip(audio) {
            copies.0[frames.clone()].copy_from_slice(&sound[frames.clone()]);
            copies.1[frames.clone()].copy_from_slice(&sound[frames.clone()]);
        }
        self.has_all = false;
        self.region.process(&values[..self.designed], &mut self.heard, frames.clone());
        let (gains, thresholds, ratios) = (values[self.gain], values[self.threshold], values[self.ratio]);
        let count = frames.len();
        for (n, i) in frames.enumerate() {
            let (gain, threshold) = (gains.at(n, count), thresholds.at(n, count));
            let level = self.heard.iter().fold(0.0, |most: f64, heard| most.max(heard[i].abs()));
            let over = reduction(math::db_from_gain(level), threshold, ratios.at(n, count), 0.0);
            let wanted = if threshold == ALWAYS {
                1.0
            } else if over == 0.0 {
                0.0
            } else {
                (over / gain.abs()).min(1.0)
            };
            let mut part = self.ballistics.step(wanted, self.attack, self.release);
            if threshold == ALWAYS && part > 1.0 - THERE {
                (self.ballistics, self.has_all, part) = (Ballistics::at(1.0), true, 1.0);
                // It listens no more; when it does again, what it heard before is over.
                self.region.reset();
            }
            self.share[i] = share(part, gain);
        }
    }

    /// Gives each frame its share of the filtered sound, and the rest of what was there before. RT.
    fn blend(&mut self, audio: &mut [Buffer], frames: Range<usize>) {
        for (sound, dry) in audio.iter_mut().zip(&self.dry) {
            for i in frames.clone() {
                if self.share[i] != 1.0 {
                    sound[i] = dry[i] + self.share[i] * (sound[i] - dry[i]);
                }
            }
        }
    }

    fn reset(&mut self) {
        self.region.reset();
        self.ballistics = self.rest;
        self.has_all = self.rest == Ballistics::at(1.0);
    }
}

/// How much of a filter of `gain` dB it takes for a `part` of it, in dB. RT.
fn share(part: f64, gain: f64) -> f64 {
    if part == 0.0 || part == 1.0 || gain.abs() < SLIGHT {
        part
    } else {
        (math::gain_from_db(part * gain) - 1.0) / (math::gain_from_db(gain) - 1.0)
    }
}
