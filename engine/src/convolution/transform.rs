//! The transform of a block, in steps of eight columns or eight rows, each of which takes a register's place.
//!
//! A block of B = R² is transformed in columns of R, and what comes of it in rows of R. Within both it is the radix-4 transform
//! of Sande (Gentleman and Sande 1966), forward in decimation in frequency, back in decimation in time: forward it leaves
//! frequencies in an order of its own, from which the way back begins. Nothing is ever sorted, as products ask for no order.
//!
//! All lanes take the same steps in the same order, however many of them the processor takes at once: bits agree everywhere.

use std::f64::consts::PI;

use rustfft::num_complex::Complex;

use crate::keep::{Keep, keep};
use crate::math;
use crate::wide::{Square, turn_squares, wide};

/// How many columns, or rows, go side by side.
pub const ABREAST: usize = 8;

type Bin = Complex<f64>;

/// Complex numbers side by side.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub struct Bins {
    re: [f64; ABREAST],
    im: [f64; ABREAST],
}

keep!(Bins: re, im);

/// How spectra are kept that are read again and again, which is most of what long responses cost.
pub trait Spectrum: Copy + Default + Keep + Send + Sync + 'static {
    /// As they are kept. RT.
    fn kept(bins: &Bins) -> Self;

    /// Each times its own. RT.
    fn times(&self, other: &Self) -> Bins;
}

/// As they are.
impl Spectrum for Bins {
    #[inline(always)]
    fn kept(bins: &Bins) -> Self {
        *bins
    }

    #[inline(always)]
    fn times(&self, other: &Bins) -> Bins {
        Bins::each(
            #[inline(always)]
            |i| self.at(i) * other.at(i),
        )
    }
}

/// Rounded to 24 bits, in half the room: what is wrong by that is more than 140 dB below the sound. Sound up to 1e34 times full
/// scale stays finite.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
pub struct Rounded {
    re: [f32; ABREAST],
    im: [f32; ABREAST],
}

keep!(Rounded: re, im);

impl Spectrum for Rounded {
    #[inline(always)]
    fn kept(bins: &Bins) -> Self {
        let mut rounded = Rounded::default();
        for i in 0..ABREAST {
            (rounded.re[i], rounded.im[i]) = (bins.re[i] as f32, bins.im[i] as f32);
        }
        rounded
    }

    #[inline(always)]
    fn times(&self, other: &Rounded) -> Bins {
        self.wide().times(&other.wide())
    }
}

impl Rounded {
    /// In full width. RT.
    #[inline(always)]
    fn wide(&self) -> Bins {
        Bins::each(
            #[inline(always)]
            |i| Bin { re: f64::from(self.re[i]), im: f64::from(self.im[i]) },
        )
    }
}

impl Bins {
    /// What a function gives for each. RT.
    #[inline(always)]
    fn each(of: impl Fn(usize) -> Bin) -> Self {
        let mut all = Bins::default();
        for i in 0..ABREAST {
            let bin = of(i);
            (all.re[i], all.im[i]) = (bin.re, bin.im);
        }
        all
    }

    /// One of them. RT.
    #[inline(always)]
    fn at(&self, i: usize) -> Bin {
        Bin { re: self.re[i], im: self.im[i] }
    }

    /// Each and its own. RT.
    #[inline(always)]
    pub fn plus(&self, other: &Bins) -> Self {
        Bins::each(
            #[inline(always)]
            |i| self.at(i) + other.at(i),
        )
    }

    /// Each less its own. RT.
    #[inline(always)]
    fn minus(&self, other: &Bins) -> Self {
        Bins::each(
            #[inline(always)]
            |i| self.at(i) - other.at(i),
        )
    }

    /// Each times the conjugate of its own. RT.
    #[inline(always)]
    fn times_conjugate(&self, other: &Bins) -> Self {
        Bins::each(
            #[inline(always)]
            |i| self.at(i) * other.at(i).conj(),
        )
    }

    /// All times the same. RT.
    #[inline(always)]
    fn turned(&self, by: Bin) -> Self {
        Bins::each(
            #[inline(always)]
            |i| self.at(i) * by,
        )
    }

    /// Each times a real number. RT.
    #[inline(always)]
    fn scaled(&self, by: &[f64; ABREAST]) -> Self {
        Bins::each(
            #[inline(always)]
            |i| self.at(i) * by[i],
        )
    }

    /// All times -i. RT.
    #[inline(always)]
    fn quarter_back(&self) -> Self {
        Bins::each(
            #[inline(always)]
            |i| Bin { re: self.im[i], im: -self.re[i] },
        )
    }
}

/// The transform of a block modulo `z^B - i`. A block as it comes goes row by row; transformed, it lies in groups of
/// [`ABREAST`] rows, a group's columns one after the other.
pub struct Transform {
    /// Rows, and columns: the block has as many frames as their product.
    side: usize,
    /// What the passes of a column, or a row, turn by, the longest first and the shortest left out.
    passes: Vec<Box<[[Bin; 3]]>>,
    /// What makes a cyclic product one modulo `z^B - i`, row by row.
    twist: Box<[Bins]>,
    /// What stands between columns and rows, row by row.
    twiddle: Box<[Bins]>,
}

impl Transform {
    /// The transform of blocks of as many frames; a power of 4 and at least 64. Not RT.
    pub fn new(block: usize) -> Self {
        let side = block.isqrt();
        let unit = |angle: f64| Bin { re: math::cos(angle), im: math::sin(angle) };
        let part = |i: usize, of: usize| unit(-2.0 * PI * (i % of) as f64 / of as f64);
        let pass = |length: usize| {
            (0..length / 4).map(|i| [part(i, length), part(2 * i, length), part(3 * i, length)]).collect()
        };
        // The frequency that a column leaves in a row.
        let left = |row: usize| row.reverse_bits() >> (usize::BITS - side.ilog2());
        let by_row = |of: &dyn Fn(usize, usize) -> Bin| {
            let group = |i: usize| Bins::each(|k| of(i * ABREAST / side, i * ABREAST % side + k));
            (0..block / ABREAST).map(group).collect()
        };
        Transform {
            side,
            passes: std::iter::successors(Some(side), |length| Some(length / 4))
                .take_while(|length| *length > 4)
                .map(pass)
                .collect(),
            twist: by_row(&|row, column| unit(PI * (row * side + column) as f64 / (2 * block) as f64)),
            twiddle: by_row(&|row, column| part(left(row) * column, block)),
        }
    }

    /// Frames of a block. RT.
    pub fn frames(&self) -> usize {
        self.side * self.side
    }

    /// Groups of columns, and of rows. RT.
    pub fn groups(&self) -> usize {
        self.side / ABREAST
    }

    /// Room for a step. Not RT.
    pub fn space(&self) -> Box<[Bins]> {
        vec![Bins::default(); self.side].into()
    }

    /// Where a group of rows lies in what is transformed. RT.
    pub fn row_group(&self, group: usize) -> std::ops::Range<usize> {
        group * self.side..(group + 1) * self.side
    }

    /// The first half of the way, for a group of columns of a block. RT.
    pub fn columns(&self, group: usize, block: &[f64], work: &mut [Bins], space: &mut [Bins]) {
        let (side, groups) = (self.side, self.groups());
        wide(
            #[inline(always)]
            || {
                let sound = block.as_chunks::<ABREAST>().0.iter().skip(group).step_by(groups);
                let twist = self.twist.iter().skip(group).step_by(groups);
                for ((bins, sound), twist) in space.iter_mut().zip(sound).zip(twist) {
                    *bins = twist.scaled(sound);
                }
                self.forward(space);
                for (bins, twiddle) in space.iter_mut().zip(self.twiddle.iter().skip(group).step_by(groups)) {
                    *bins = bins.times(twiddle);
                }
            },
        );
        turn(groups, (space, ABREAST), (&mut work[group * ABREAST..], side));
    }

    /// The second half of the way, for a group of rows. RT.
    pub fn rows(&self, group: usize, work: &mut [Bins]) {
        wide(
            #[inline(always)]
            || self.forward(&mut work[self.row_group(group)]),
        );
    }

    /// The first half of the way back, for a group of rows. RT.
    pub fn rows_back(&self, group: usize, work: &mut [Bins]) {
        wide(
            #[inline(always)]
            || self.back(&mut work[self.row_group(group)]),
        );
    }

    /// The second half of the way back, for a group of columns: the first half of a convolution, which is in the real parts, and
    /// what was `over` before make `next`; its second half, in the imaginary ones, is `over` then. RT.
    pub fn columns_back(&self, group: usize, work: &[Bins], space: &mut [Bins], next: &mut [f64], over: &mut [f64]) {
        let (side, groups) = (self.side, self.groups());
        turn(groups, (&work[group * ABREAST..], side), (space, ABREAST));
        wide(
            #[inline(always)]
            || {
                for (bins, twiddle) in space.iter_mut().zip(self.twiddle.iter().skip(group).step_by(groups)) {
                    *bins = bins.times_conjugate(twiddle);
                }
                self.back(space);
                let twist = self.twist.iter().skip(group).step_by(groups);
                let next = next.as_chunks_mut::<ABREAST>().0.iter_mut().skip(group).step_by(groups);
                let over = over.as_chunks_mut::<ABREAST>().0.iter_mut().skip(group).step_by(groups);
                for (((bins, twist), next), over) in space.iter().zip(twist).zip(next).zip(over) {
                    let both = bins.times_conjugate(twist);
                    for i in 0..ABREAST {
                        next[i] = both.re[i] + over[i];
                    }
                    *over = both.im;
                }
            },
        );
    }

    /// Columns or rows forward, which leaves frequencies in the order of their bits reversed. RT.
    #[inline(always)]
    fn forward(&self, all: &mut [Bins]) {
        for turns in &self.passes {
            quarters(
                all,
                turns,
                #[inline(always)]
                |four, turns| {
                    let [a, b, c, d] = forward_by_four(four);
                    [a, b.turned(turns[1]), c.turned(turns[0]), d.turned(turns[2])]
                },
            );
        }
        self.shortest(all, forward_by_four);
    }

    /// The way back, from that order; what has gone there and back is as many times as large as there are places. RT.
    #[inline(always)]
    fn back(&self, all: &mut [Bins]) {
        self.shortest(all, back_by_four);
        for turns in self.passes.iter().rev() {
            quarters(
                all,
                turns,
                #[inline(always)]
                |[a, b, c, d], turns| {
                    let turns = turns.map(|turn| turn.conj());
                    back_by_four([a, b.turned(turns[1]), c.turned(turns[0]), d.turned(turns[2])])
                },
            );
        }
    }

    /// The pass of neighbours, which turns nothing: by four, or by two where the side is no power of 4. RT.
    #[inline(always)]
    fn shortest(&self, all: &mut [Bins], by_four: impl Fn([Bins; 4]) -> [Bins; 4]) {
        if self.side.ilog2().is_multiple_of(2) {
            all.as_chunks_mut::<4>().0.iter_mut().for_each(|four| *four = by_four(*four));
        } else {
            all.as_chunks_mut::<2>().0.iter_mut().for_each(|[a, b]| (*a, *b) = (a.plus(b), a.minus(b)));
        }
    }
}

/// Works on what lies a quarter of a length apart, for each length in all, with what belongs to each place of a quarter. RT.
#[inline(always)]
fn quarters(all: &mut [Bins], turns: &[[Bin; 3]], work: impl Fn([Bins; 4], &[Bin; 3]) -> [Bins; 4]) {
    let quarter = turns.len();
    for length in all.chunks_exact_mut(4 * quarter) {
        let (front, back) = length.split_at_mut(2 * quarter);
        let ((a, b), (c, d)) = (front.split_at_mut(quarter), back.split_at_mut(quarter));
        for ((((a, b), c), d), turns) in a.iter_mut().zip(b).zip(c).zip(d).zip(turns) {
            [*a, *b, *c, *d] = work([*a, *b, *c, *d], turns);
        }
    }
}

/// The transform of four, of which the frequencies 1 and 2 change places. RT.
#[inline(always)]
fn forward_by_four([a, b, c, d]: [Bins; 4]) -> [Bins; 4] {
    let (even, odd) = (a.plus(&c), b.plus(&d));
    let (left, right) = (a.minus(&c), b.minus(&d).quarter_back());
    [even.plus(&odd), even.minus(&odd), left.plus(&right), left.minus(&right)]
}

/// The way back from there. RT.
#[inline(always)]
fn back_by_four([a, b, c, d]: [Bins; 4]) -> [Bins; 4] {
    let (even, odd) = (a.plus(&b), c.plus(&d));
    let (left, right) = (a.minus(&b), c.minus(&d).quarter_back());
    [even.plus(&odd), left.minus(&right), even.minus(&odd), left.plus(&right)]
}

/// Turns rows of bins into columns, square by square; where the first square begins, and how far from there the next one does, of
/// what is read and of what is written. RT.
#[inline(always)]
fn turn(squares: usize, (from, step): (&[Bins], usize), (to, stride): (&mut [Bins], usize)) {
    turn_squares(
        squares,
        #[inline(always)]
        |i| square(&from[i * step..], |bins| bins.re),
        #[inline(always)]
        |i, square| to[i * stride..].iter_mut().zip(square).for_each(|(bins, re)| bins.re = re),
    );
    turn_squares(
        squares,
        #[inline(always)]
        |i| square(&from[i * step..], |bins| bins.im),
        #[inline(always)]
        |i, square| to[i * stride..].iter_mut().zip(square).for_each(|(bins, im)| bins.im = im),
    );
}

/// The first rows of a part of some bins. RT.
#[inline(always)]
fn square(bins: &[Bins], part: impl Fn(&Bins) -> [f64; ABREAST]) -> Square {
    let mut square = Square::default();
    for (row, bins) in square.iter_mut().zip(bins) {
        *row = part(bins);
    }
    square
}
