//! Works abreast: where each frame waits for the one before, as in a filter or in the smoothing of a reduction, several
//! channels are worked on side by side, each in a lane of wide registers.
//!
//! Alone, a processor spends most of the time of such a loop waiting. A lane does what its channel would do alone, in the same
//! order, and no lane hears of another: the bits are the same. The plan says which works may go abreast
//! ([`crate::plan::Plan::ranks`]): those of a stage that have one [`Shape`]. Before the loop and behind it each works alone.

use crate::dynamics::{Ballistics, gain_of, reduction_of};
use crate::filters::{Filter, Step};
use crate::kernel::{Buffer, QUANTUM};
use crate::wide::{Aligned, each, wide};

/// Channels that are worked on side by side.
pub const LANES: usize = 8;

/// Fewer lanes than this are as soon done alone.
pub const FEWEST: usize = 3;

/// The most sections that go abreast.
pub const MOST_SECTIONS: usize = 24;

/// What is done in a lane: works of one shape may go abreast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// So many sections of filters that stand still, one behind the other, on so many channels.
    Sections {
        /// At most [`MOST_SECTIONS`].
        count: usize,
        /// As many lanes.
        channels: usize,
    },
    /// A compressor that listens to the loudest of its own channels, one or two.
    Dynamics {
        /// As many lanes.
        channels: usize,
    },
}

impl Shape {
    /// The lanes that a work takes.
    pub fn lanes(self) -> usize {
        match self {
            Shape::Sections { channels, .. } | Shape::Dynamics { channels } => channels,
        }
    }

    /// Whether there is anything to do, and room for it.
    pub fn fits(self) -> bool {
        let has_room = (1..=LANES).contains(&self.lanes());
        has_room && !matches!(self, Shape::Sections { count, .. } if !(1..=MOST_SECTIONS).contains(&count))
    }
}

/// One number for each lane.
type Wide = Aligned<[f64; LANES]>;

/// A section in each lane.
#[derive(Clone)]
struct Sections {
    step: [Wide; 9],
    state: [Wide; 2],
}

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

/// A compressor in each lane.
#[derive(Clone)]
struct Turns {
    /// In the order of [`Turn`].
    numbers: [Wide; 7],
    held: Wide,
    smooth: Wide,
    /// The most that was turned down in the quantum, in dB.
    most: Wide,
}

/// What works that go abreast have in common while they do: a quantum of sound in each lane, and what it is passed through.
/// Nothing is kept in it from one quantum to the next.
pub struct Abreast {
    used: usize,
    frames: Box<[Wide; QUANTUM]>,
    sections: Box<[Sections]>,
    turns: Turns,
}

const NONE: Wide = Aligned([0.0; LANES]);

impl Default for Abreast {
    /// Empty lanes. Not RT.
    fn default() -> Self {
        let section = Sections { step: [NONE; 9], state: [NONE; 2] };
        Abreast {
            used: 0,
            frames: Box::new([NONE; QUANTUM]),
            sections: vec![section; MOST_SECTIONS].into_boxed_slice(),
            turns: Turns { numbers: [NONE; 7], held: NONE, smooth: NONE, most: NONE },
        }
    }
}

impl Abreast {
    /// Leaves all lanes free. RT.
    pub fn clear(&mut self) {
        self.used = 0;
    }

    /// How many lanes are taken. RT.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Takes a lane for a quantum of sound; gives its number. There is one: a plan's ranks take no more than there are. RT.
    fn take(&mut self, sound: &Buffer) -> usize {
        let lane = self.used.min(LANES - 1);
        self.used = lane + 1;
        self.frames.iter_mut().zip(sound).for_each(|(frame, x)| frame[lane] = *x);
        lane
    }

    /// What has become of a lane's sound. RT.
    fn give(&self, lane: usize, sound: &mut Buffer) {
        sound.iter_mut().zip(self.frames.iter()).for_each(|(x, frame)| *x = frame[lane]);
    }

    /// Takes a lane for a quantum of sound that goes through a row of sections. RT.
    pub fn take_row<'a>(&mut self, sound: &Buffer, row: impl Iterator<Item = (&'a Step, &'a mut Filter)>) {
        let lane = self.take(sound);
        for (sections, (step, filter)) in self.sections.iter_mut().zip(row) {
            sections.step.iter_mut().zip(step.numbers()).for_each(|(wide, number)| wide[lane] = number);
            sections.state.iter_mut().zip(filter.state()).for_each(|(wide, number)| wide[lane] = number);
        }
    }

    /// What has become of a lane's sound, and of the row that it went through. RT.
    pub fn give_row<'a>(&self, lane: usize, sound: &mut Buffer, row: impl Iterator<Item = (&'a Step, &'a mut Filter)>) {
        self.give(lane, sound);
        for (sections, (_, filter)) in self.sections.iter().zip(row) {
            *filter = Filter::left_in([sections.state[0][lane], sections.state[1][lane]]);
        }
    }

    /// Takes a lane for a quantum of sound that a compressor turns down. RT.
    pub fn take_turn(&mut self, sound: &Buffer, turn: &Turn, ballistics: Ballistics) {
        let lane = self.take(sound);
        let Turn { threshold, ratio, knee, quiet, attack, release, makeup } = *turn;
        let numbers = [threshold, ratio, knee, quiet, attack, release, makeup];
        self.turns.numbers.iter_mut().zip(numbers).for_each(|(wide, number)| wide[lane] = number);
        (self.turns.held[lane], self.turns.smooth[lane]) = ballistics.state();
    }

    /// What has become of a lane's sound; what its smoothing is left in, and the most dB by which it was turned down. RT.
    pub fn give_turn(&self, lane: usize, sound: &mut Buffer) -> (Ballistics, f64) {
        self.give(lane, sound);
        (Ballistics::left_in((self.turns.held[lane], self.turns.smooth[lane])), self.turns.most[lane])
    }

    /// Does the work of a shape in all lanes. RT.
    pub fn run(&mut self, shape: Shape) {
        let Abreast { frames, sections, turns, .. } = self;
        match shape {
            Shape::Sections { count, .. } => {
                let sections = &mut sections[..count.min(MOST_SECTIONS)];
                wide(
                    #[inline(always)]
                    || {
                        for section in sections {
                            section.run(frames);
                        }
                    },
                );
            }
            Shape::Dynamics { channels: 1 } => wide(
                #[inline(always)]
                || turns.run(frames, |lane| lane),
            ),
            // The lanes of both channels are neighbours.
            Shape::Dynamics { .. } => wide(
                #[inline(always)]
                || turns.run(frames, |lane| lane ^ 1),
            ),
        }
    }
}

impl Turns {
    /// Turns all frames down in each lane, as loud as the louder one of itself and another is. RT.
    #[inline(always)]
    fn run(&mut self, frames: &mut [Wide; QUANTUM], other: impl Fn(usize) -> usize) {
        let [threshold, ratio, knee, quiet, attack, release, makeup] = self.numbers.each_ref().map(|wide| wide.0);
        let (mut held, mut smooth, mut most) = (self.held.0, self.smooth.0, [0.0; LANES]);
        for frame in frames.iter_mut() {
            let sound = frame.0;
            let own: [f64; LANES] = each(
                #[inline(always)]
                |i| sound[i].abs(),
            );
            let wanted: [f64; LANES] = each(
                #[inline(always)]
                |i| {
                    let (own, other) = (own[i], own[other(i)]);
                    let level = if own > 0.0 { own } else { 0.0 };
                    let level = if other > level { other } else { level };
                    reduction_of(level, threshold[i], ratio[i], knee[i], quiet[i])
                },
            );
            let stepped: [(f64, f64); LANES] = each(
                #[inline(always)]
                |i| Ballistics::stepped((held[i], smooth[i]), wanted[i], attack[i], release[i]),
            );
            for i in 0..LANES {
                (held[i], smooth[i]) = stepped[i];
                most[i] = if smooth[i] > most[i] { smooth[i] } else { most[i] };
            }
            frame.0 = each(
                #[inline(always)]
                |i| sound[i] * (gain_of(smooth[i]) * makeup[i]),
            );
        }
        (self.held.0, self.smooth.0, self.most.0) = (held, smooth, most);
    }
}

impl Sections {
    /// Runs all frames through a section in each lane. RT.
    #[inline(always)]
    fn run(&mut self, frames: &mut [Wide; QUANTUM]) {
        let [s11, s12, s21, s22, x1, x2, y1, y2, through] = self.step.each_ref().map(|wide| wide.0);
        let [mut s1, mut s2] = self.state.each_ref().map(|wide| wide.0);
        for frame in frames.iter_mut() {
            let x = frame.0;
            frame.0 = each(
                #[inline(always)]
                |i| through[i] * x[i] + (y1[i] * s1[i] + y2[i] * s2[i]),
            );
            let next: [f64; LANES] = each(
                #[inline(always)]
                |i| s11[i] * s1[i] + (s12[i] * s2[i] + x1[i] * x[i]),
            );
            s2 = each(
                #[inline(always)]
                |i| s22[i] * s2[i] + (s21[i] * s1[i] + x2[i] * x[i]),
            );
            s1 = next;
        }
        (self.state[0].0, self.state[1].0) = (s1, s2);
    }
}
