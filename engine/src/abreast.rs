//! Works abreast: where each frame waits for the one before, as in a filter or in the smoothing of a reduction, several
//! channels are worked on side by side, each in a lane of wide registers.
//!
//! Alone, a processor spends most of the time of such a loop waiting. A lane does what its channel would do alone, in the same
//! order, and no lane hears of another: the bits are the same. The plan says which works may go abreast
//! ([`crate::plan::Plan::ranks`]): those of a stage that have one [`Shape`]. One whose numbers stand still falls in: its numbers
//! and its state stay in a lane until it falls out, so that a quantum costs it no more than its share of the loop.

mod interleaved;
mod turns;

use crate::bank::WorkCell;
use crate::dynamics::Ballistics;
use crate::filters::row::Rows;
use crate::filters::{Filter, settled};
use crate::plan::{Op, Plan, Rank};
use crate::wide::{Aligned, each, wide};
pub use interleaved::{Interleaved, Places};
pub use turns::Turn;
use turns::Turns;

/// Channels that are worked on side by side: twice what the widest registers hold, since a step takes longer to be done than
/// to be begun.
pub const LANES: usize = 16;

/// As many are as soon done alone by the narrower half.
const HALF: usize = LANES / 2;

/// Fewer lanes than this are as soon done alone.
pub const FEWEST: usize = 3;

/// The most sections that go abreast.
pub const MOST_SECTIONS: usize = 24;

/// What is done in a lane: works of one shape may go abreast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Each channel is multiplied by a number.
    Levels {
        /// As many lanes.
        channels: usize,
    },
    /// One channel becomes two, each multiplied by a number.
    Panned,
}

impl Shape {
    /// The lanes that a work takes: the channels that flow in.
    pub fn lanes(self) -> usize {
        match self {
            Shape::Sections { channels, .. } | Shape::Dynamics { channels } | Shape::Levels { channels } => channels,
            Shape::Panned => 1,
        }
    }

    /// The channels that flow out.
    pub fn leaving(self) -> usize {
        if self == Shape::Panned { 2 } else { self.lanes() }
    }

    /// Whether there is anything to do, and room for it.
    pub fn fits(self) -> bool {
        let has_room = (1..=LANES).contains(&self.lanes());
        has_room && !matches!(self, Shape::Sections { count, .. } if !(1..=MOST_SECTIONS).contains(&count))
    }
}

/// One number for each lane.
type Wide = Aligned<[f64; LANES]>;

const NONE: Wide = Aligned([0.0; LANES]);

/// Some lanes: a bit for each.
pub type Mask = u32;

/// The lanes of which something is so.
fn lanes_that(is_so: impl Fn(usize) -> bool) -> Mask {
    (0..LANES).fold(0, |mask, lane| mask | Mask::from(is_so(lane)) << lane)
}

/// A section in each lane.
#[derive(Clone)]
struct Sections {
    step: [Wide; 9],
    state: [Wide; 2],
}

/// What is done in the lanes of a rank, and what it is done with.
enum Numbers {
    Sections(Box<[Sections]>),
    Turns(Box<Turns>),
    Levels(Box<Wide>),
    /// For what is left and what is right.
    Panned(Box<[Wide; 2]>),
}

/// A rank of works that goes abreast: the numbers and states of those that have fallen in.
pub struct Abreast {
    shape: Shape,
    numbers: Numbers,
    /// The cells of the works, in the order of their lanes.
    works: Box<[usize]>,
    /// Those that have fallen in, by their place in the rank.
    within: Mask,
    /// Whether what the lanes made was left in them for the next rank.
    pub is_left: bool,
}

impl Abreast {
    /// The ranks of a plan, empty. Not RT.
    pub fn of(plan: &Plan) -> Vec<Abreast> {
        let empty = |rank: &Rank| {
            let cell = |op: &Op| if let Op::Work { cell, .. } = *op { Some(cell) } else { None };
            let works = plan.ops.get(rank.ops.clone()).unwrap_or_default().iter().filter_map(cell).collect();
            let numbers = match rank.shape {
                Shape::Sections { count, .. } => {
                    let section = Sections { step: [NONE; 9], state: [NONE; 2] };
                    Numbers::Sections(vec![section; count].into_boxed_slice())
                }
                Shape::Dynamics { .. } => Numbers::Turns(Box::default()),
                Shape::Levels { .. } => Numbers::Levels(Box::new(NONE)),
                Shape::Panned => Numbers::Panned(Box::new([NONE; 2])),
            };
            Abreast { shape: rank.shape, numbers, works, within: 0, is_left: false }
        };
        plan.ranks.iter().map(empty).collect()
    }

    /// The cells of the works, in the order of their lanes. RT.
    pub fn works(&self) -> &[usize] {
        &self.works
    }

    /// Whether any work has fallen in. RT.
    pub fn is_manned(&self) -> bool {
        self.within != 0
    }

    /// Whether the work at a place has fallen in. RT.
    pub fn is_in(&self, place: usize) -> bool {
        self.within & 1 << place != 0
    }

    /// The first lane of the work at a place. RT.
    pub fn lane(&self, place: usize) -> usize {
        place * self.shape.lanes()
    }

    /// The lanes of the work at a place. RT.
    pub fn lanes(&self, place: usize) -> Mask {
        ((1 << self.shape.lanes()) - 1) << self.lane(place)
    }

    /// The lanes of all that have fallen in. RT.
    pub fn lanes_within(&self) -> Mask {
        (0..self.works.len()).filter(|place| self.is_in(*place)).fold(0, |mask, place| mask | self.lanes(place))
    }

    /// Has the work at a place fall in, if it does: `put` brings its numbers and its state into its lanes. RT.
    pub fn fall_in(&mut self, place: usize, put: impl FnOnce(&mut Abreast, usize) -> bool) -> bool {
        let lane = self.lane(place);
        let falls_in = put(self, lane);
        self.within |= Mask::from(falls_in) << place;
        falls_in
    }

    /// The work at a place takes up its state again, if it had fallen in. RT.
    pub fn fall_out(&mut self, place: usize, works: &mut [Option<Box<WorkCell>>]) {
        if !self.is_in(place) {
            return;
        }
        self.within &= !(1 << place);
        if let Some(cell) = self.works.get(place).and_then(|cell| works.get_mut(*cell)?.as_deref_mut()) {
            cell.fall_out(self, self.lane(place));
        }
        let first = self.lane(place);
        for lane in first..first + self.shape.lanes() {
            self.clear(lane);
        }
    }

    /// All works take up their state again. RT.
    pub fn disband(&mut self, works: &mut [Option<Box<WorkCell>>]) {
        if self.is_manned() {
            (0..self.works.len()).for_each(|place| self.fall_out(place, works));
        }
    }

    /// What goes on in an empty lane comes to nothing. RT.
    fn clear(&mut self, lane: usize) {
        match &mut self.numbers {
            Numbers::Sections(sections) => {
                let all = sections.iter_mut().flat_map(|section| section.step.iter_mut().chain(&mut section.state));
                all.for_each(|wide| wide[lane] = 0.0);
            }
            Numbers::Turns(turns) => turns.clear(lane),
            Numbers::Levels(level) => level[lane] = 0.0,
            Numbers::Panned(levels) => levels.iter_mut().for_each(|wide| wide[lane] = 0.0),
        }
    }

    /// Brings the sections of each channel into the lanes from `first` on. RT.
    pub fn put_rows(&mut self, first: usize, rows: &mut impl Rows) {
        let Numbers::Sections(sections) = &mut self.numbers else { return };
        for (channel, lane) in (0..rows.channels()).zip(first..) {
            for (section, (step, [filter])) in sections.iter_mut().zip(rows.row::<1>(channel)) {
                section.step.iter_mut().zip(step.numbers()).for_each(|(wide, number)| wide[lane] = number);
                section.state.iter_mut().zip(filter.state()).for_each(|(wide, number)| wide[lane] = number);
            }
        }
    }

    /// Gives them what has become of them. RT.
    pub fn take_rows(&self, first: usize, rows: &mut impl Rows) {
        let Numbers::Sections(sections) = &self.numbers else { return };
        for (channel, lane) in (0..rows.channels()).zip(first..) {
            for (section, (_, [filter])) in sections.iter().zip(rows.row::<1>(channel)) {
                *filter = Filter::left_in([section.state[0][lane], section.state[1][lane]]);
            }
        }
    }

    /// Brings a compressor into a lane. RT.
    pub fn put_turn(&mut self, lane: usize, turn: &Turn, ballistics: Ballistics) {
        if let Numbers::Turns(turns) = &mut self.numbers {
            turns.put(lane, turn, ballistics);
        }
    }

    /// What its smoothing was left in. RT.
    pub fn take_turn(&self, lane: usize) -> Ballistics {
        let Numbers::Turns(turns) = &self.numbers else { return Ballistics::default() };
        turns.ballistics(lane)
    }

    /// By how many dB the work at a place, if it turns down, did so at most in the quantum. RT.
    pub fn reduced(&self, place: usize) -> Option<f64> {
        let Numbers::Turns(turns) = &self.numbers else { return None };
        let first = self.lane(place);
        Some((first..first + self.shape.lanes()).fold(0.0, |most: f64, lane| most.max(turns.most(lane))))
    }

    /// Brings what a lane is multiplied by into it: for what is left and right, where it becomes two. RT.
    pub fn put_levels(&mut self, lane: usize, left: f64, right: f64) {
        match &mut self.numbers {
            Numbers::Levels(level) => level[lane] = left,
            Numbers::Panned(levels) => (levels[0][lane], levels[1][lane]) = (left, right),
            _ => {}
        }
    }

    /// Whether lanes become two. RT.
    pub fn is_panned(&self) -> bool {
        self.shape == Shape::Panned
    }

    /// Does the work in all lanes. What is right where lanes become two is in `spare`. RT.
    pub fn run(&mut self, sound: &mut Interleaved, spare: &mut Interleaved) {
        let few = self.works.len() * self.shape.lanes() <= HALF;
        let is_stereo = self.shape.lanes() == 2;
        let numbers = &mut self.numbers;
        wide(
            #[inline(always)]
            || match numbers {
                Numbers::Sections(sections) => {
                    // Not by an adaptor: what that calls is compiled for every processor.
                    for section in sections.iter_mut() {
                        if few { section.run::<HALF>(sound) } else { section.run::<LANES>(sound) }
                    }
                }
                Numbers::Turns(turns) => match (few, is_stereo) {
                    (true, false) => turns.run::<HALF>(sound, spare, |lane| lane),
                    (false, false) => turns.run::<LANES>(sound, spare, |lane| lane),
                    // The lanes of both channels are neighbours.
                    (true, true) => turns.run::<HALF>(sound, spare, |lane| lane ^ 1),
                    (false, true) => turns.run::<LANES>(sound, spare, |lane| lane ^ 1),
                },
                Numbers::Levels(level) => {
                    for frame in sound.frames() {
                        *frame = times(frame, level);
                    }
                }
                Numbers::Panned(levels) => {
                    for (left, right) in sound.frames().zip(spare.frames()) {
                        *right = times(left, &levels[1]);
                        *left = times(left, &levels[0]);
                    }
                }
            },
        );
    }
}

/// RT.
#[inline(always)]
fn times(frame: &[f64; LANES], level: &Wide) -> [f64; LANES] {
    each(
        #[inline(always)]
        |i| frame[i] * level[i],
    )
}

impl Sections {
    /// Runs all frames through a section in each of the first lanes. RT.
    #[inline(always)]
    fn run<const USED: usize>(&mut self, sound: &mut Interleaved) {
        let [s11, s12, s21, s22, x1, x2, y1, y2, through]: [[f64; USED]; 9] = firsts(&self.step);
        let (mut s1, mut s2) = (first::<USED>(&self.state[0]), first::<USED>(&self.state[1]));
        for frame in sound.frames() {
            let x = first::<USED>(frame);
            let y: [f64; USED] = each(
                #[inline(always)]
                |i| through[i] * x[i] + (y1[i] * s1[i] + y2[i] * s2[i]),
            );
            let next: [f64; USED] = each(
                #[inline(always)]
                |i| s11[i] * s1[i] + (s12[i] * s2[i] + x1[i] * x[i]),
            );
            s2 = each(
                #[inline(always)]
                |i| s22[i] * s2[i] + (s21[i] * s1[i] + x2[i] * x[i]),
            );
            s1 = next;
            frame[..USED].copy_from_slice(&y);
        }
        for lane in 0..USED {
            [self.state[0][lane], self.state[1][lane]] = settled([s1[lane], s2[lane]]);
        }
    }
}

/// Some numbers in the first lanes. RT.
#[inline(always)]
fn firsts<const USED: usize, const COUNT: usize>(all: &[Wide; COUNT]) -> [[f64; USED]; COUNT] {
    let mut some = [[0.0; USED]; COUNT];
    for (some, all) in some.iter_mut().zip(all) {
        *some = first(all);
    }
    some
}

/// What is in the first lanes. RT.
#[inline(always)]
fn first<const USED: usize>(all: &[f64; LANES]) -> [f64; USED] {
    each(
        #[inline(always)]
        |i| all[i],
    )
}
