//! The reverb while its numbers stand still and nothing in it moves to another place: what its lines give in a stretch was written
//! before it, so that a stretch goes through the network at once, to the bits of its frames one by one.

use std::ops::Range;

use super::{LINES, Reverb, SWAY_MS, SWAYING, Sways, hadamard, sign};
use crate::abreast::{Interleaved, LANES};
use crate::delay_line::{DelayLine, between};
use crate::effects::widened;
use crate::kernel::{Buffer, Io, QUANTUM};
use crate::math;
use crate::one_pole::OnePole;
use crate::rest::spent;
use crate::wide::wide;

// The lines of the network are the lanes.
const _: () = assert!(LINES == LANES);

/// The numbers that it stands at.
pub(super) struct Still<'a> {
    /// How much of what comes in gets in.
    pub open: f64,
    /// The frames of the predelay.
    pub before: usize,
    /// How much of itself an all-pass feeds back.
    pub amount: f64,
    /// The share of the lows' filters.
    pub damping: f64,
    /// In percent.
    pub width: f64,
    /// How lines sway in this buffer.
    pub sways: &'a Sways,
}

/// Where a stretch is worked on. Nothing is kept in it.
pub(super) struct Room {
    lines: Box<[Buffer; LINES]>,
    lanes: Interleaved,
}

impl Default for Room {
    fn default() -> Self {
        Room { lines: Box::new([[0.0; QUANTUM]; LINES]), lanes: Interleaved::default() }
    }
}

/// Frames of a line that a stretch of one that sways is read from, at most: at the highest rate as many more as it sways.
const WINDOW: usize = 2 * QUANTUM;

/// As many frames more than a stretch has does a line that sways need before and behind it.
fn margin(rate: f64) -> usize {
    (SWAY_MS / 1000.0 * rate) as usize + 3
}

impl Reverb {
    /// The longest stretch that goes through at once: what comes back in it has to be written before it.
    fn longest(&self) -> usize {
        let diffusers = self.sides.iter().flat_map(|side| &side.diffusers).map(|diffuser| diffuser.frames);
        let margin = margin(self.rate);
        let lines = self.layouts.0.lines.iter().map(|line| line.saturating_sub(margin));
        diffusers.chain(lines).min().unwrap_or(1).min(QUANTUM).min(WINDOW.saturating_sub(2 * margin))
    }

    /// A stretch of frames; says false, and has done nothing, if they have to be gone through one by one. RT.
    pub(super) fn run_still(&mut self, io: &mut Io<'_>, input: &[Buffer; 2], still: &Still<'_>) -> bool {
        let longest = self.longest();
        if longest == 0 {
            return false;
        }
        let Range { start, end } = io.frames.clone();
        for start in (start..end).step_by(longest) {
            self.stretch(io, input, still, start..end.min(start + longest));
        }
        true
    }

    /// RT.
    fn stretch(&mut self, io: &mut Io<'_>, input: &[Buffer; 2], still: &Still<'_>, frames: Range<usize>) {
        let (mut wet, mut late) = ([[0.0; QUANTUM]; 2], [[0.0; QUANTUM]; 2]);
        for ((input, wet), (index, late)) in input.iter().zip(&mut wet).zip(late.iter_mut().enumerate()) {
            self.reflect(index, &input[frames.clone()], still, wet, late);
        }
        let count = frames.len();
        self.listen(io.frame(frames.start), still, count);
        self.lose(still.damping, count);
        let [signs_in, signs_out] = [1, 2].map(|with| std::array::from_fn(|line| sign(line, with)));
        let lines = &mut self.room.lines;
        wide(
            #[inline(always)]
            || network(lines, &mut wet, &late, &signs_in, &signs_out),
        );
        for (line, written) in self.lines.iter_mut().zip(lines.iter()) {
            line.sound.write_run(&written[..count]);
        }
        if let [left, right] = &mut *io.audio {
            for (n, i) in frames.enumerate() {
                (left[i], right[i]) = widened(wet[0][n], wet[1][n], still.width);
            }
        }
    }

    /// What comes back early on a side, and what the network gets of it. RT.
    fn reflect(&mut self, index: usize, input: &[f64], still: &Still<'_>, wet: &mut Buffer, late: &mut Buffer) {
        let (layout, kind, side, count) = (&self.layouts.0, self.kind, &mut self.sides[index], input.len());
        let (mut heard, mut echo) = ([0.0; QUANTUM], [0.0; QUANTUM]);
        let (heard, echo, late) = (&mut heard[..count], &mut echo[..count], &mut late[..count]);
        heard.copy_from_slice(input);
        side.predelay.delay_run(heard, still.before);
        heard.iter_mut().for_each(|x| *x *= still.open);
        side.early.write_run(heard);
        for (place, (_, gain)) in layout.early[index].iter().zip(kind.early[index]) {
            side.early.read_run(place + count - 1, echo);
            wet.iter_mut().zip(&*echo).for_each(|(wet, echo)| *wet += gain * echo);
        }
        side.early.read_run(layout.onset + count - 1, late);
        late.iter_mut().for_each(|x| *x *= kind.late);
        for diffuser in &mut side.diffusers {
            diffuser.sound.read_run(diffuser.frames - 1, echo);
            for (x, back) in late.iter_mut().zip(&mut *echo) {
                let y = *back - still.amount * *x;
                *back = spent(*x + still.amount * y);
                *x = y;
            }
            diffuser.sound.write_run(echo);
        }
    }

    /// What the lines of the network give. RT.
    fn listen(&mut self, frame: u64, still: &Still<'_>, count: usize) {
        let (layout, rate) = (&self.layouts.0, self.rate);
        for (index, (line, given)) in self.lines.iter().zip(self.room.lines.iter_mut()).enumerate() {
            let length = layout.lines[index];
            let given = &mut given[..count];
            if index.is_multiple_of(SWAYING) {
                let mut places = [0.0; QUANTUM];
                for (n, place) in places[..count].iter_mut().enumerate() {
                    let sway = still.sways.at(index, frame.wrapping_add(n as u64)).unwrap_or_default();
                    *place = length as f64 + (still.open * sway - 1.0);
                }
                read_swaying(&line.sound, length + margin(rate), &places[..count], given);
            } else {
                line.sound.read_run(length - 1, given);
            }
        }
    }

    /// Takes from what the lines give what they lose. RT.
    fn lose(&mut self, damping: f64, count: usize) {
        let places = std::array::from_fn(Some);
        let Room { lines, lanes } = &mut self.room;
        lanes.take_all(&places, &lines[..]);
        let (low, high) = (&self.losses.low, &self.losses.high);
        let mut lows: [OnePole; LINES] = std::array::from_fn(|index| self.lines[index].lows);
        wide(
            #[inline(always)]
            || {
                for frame in lanes.frames().take(count) {
                    for index in 0..LINES {
                        let x = frame[index];
                        frame[index] = high[index] * x + (low[index] - high[index]) * lows[index].low(damping, x);
                    }
                }
            },
        );
        self.lines.iter_mut().zip(lows).for_each(|(line, lows)| line.lows = lows);
        lanes.give_all(&places, &mut lines[..]);
    }
}

/// What the network gives to each side, and what goes into its lines. RT.
#[inline(always)]
fn network(
    lines: &mut [Buffer; LINES],
    wet: &mut [Buffer; 2],
    late: &[Buffer; 2],
    signs_in: &[f64; LINES],
    signs_out: &[f64; LINES],
) {
    for (index, line) in lines.iter().enumerate() {
        for (wet, x) in wet[index % 2].iter_mut().zip(line) {
            *wet += signs_out[index] * x;
        }
    }
    hadamard(
        lines,
        #[inline(always)]
        |front, back| {
            for (a, b) in front.iter_mut().zip(back) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        },
    );
    let scale = 1.0 / math::sqrt(LINES as f64);
    for (index, line) in lines.iter_mut().enumerate() {
        for (x, late) in line.iter_mut().zip(&late[index % 2]) {
            *x = spent(*x * scale + signs_in[index] * late);
        }
    }
}

/// What a line gives at places that sway, each as [`DelayLine::read_between`] has it when as many frames more are written; `back`
/// is further than any place. RT.
fn read_swaying(line: &DelayLine, back: usize, places: &[f64], given: &mut [f64]) {
    let mut window = [0.0; WINDOW];
    line.read_run(back, &mut window);
    let mut n = 0;
    // As long as places lie between the same two frames, from frame to frame, what is read moves on by a frame.
    for places in places.chunk_by(|place, next| *place as usize == *next as usize) {
        let whole = places[0] as usize;
        // The two before the frame `whole` back when `n` more are written: its neighbours, the older ones.
        let frames = &window[back + n - whole - 2..][..places.len() + 3];
        let given = &mut given[n..][..places.len()];
        n += places.len();
        wide(
            #[inline(always)]
            || {
                for (i, (x, place)) in given.iter_mut().zip(places).enumerate() {
                    *x = between(place - whole as f64, [frames[i + 3], frames[i + 2], frames[i + 1], frames[i]]);
                }
            },
        );
    }
}
