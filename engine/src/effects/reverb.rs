//! `reverb`: a room.
//!
//! What comes in waits for the predelay, is heard as early reflections, and after an onset passes all-passes (Schroeder
//! 1962) into a network of sixteen delay lines that feed each other through a Hadamard matrix (Jot and Chaigne 1991;
//! Stautner and Puckette 1982). Each line loses what its length asks for, so that all of them fall by 60 dB in one
//! time, and in a third of it far above the damping frequency; that time is chosen so that the whole (T30 of ISO 3382 over
//! all frequencies) falls as asked. Some lines sway by a few frames, as a function of the transport that goes straight on
//! between its quanta, so that no resonance stands out.

mod still;

use std::f64::consts::{LN_10, TAU};

use super::{no_latency, widened};
use crate::delay_line::{Crossfade, DelayLine};
use crate::filters::cascade::{Cascade, high_pass, low_pass};
use crate::keep::keep;
use crate::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use crate::math;
use crate::one_pole::{OnePole, shares};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table};
use crate::rest::spent;
use crate::units::Unit;
use still::{Room, Still};

/// `reverb()`.
pub static REVERB: Table = Table {
    word: "reverb",
    summary: "A room: early reflections and a tail; makes stereo.",
    example: "x >> reverb().decay(1.8.s).mix(20)",
    arguments: &["decay"],
    parameters: &[
        Parameter::number(
            "decay",
            Unit::Seconds,
            1.5,
            0.1,
            30.0,
            "until the tail as a whole has fallen by 60 dB; lows take up to a fifth longer, and below 0.4 s its walls do not \
             let it fall so soon: at 0.1 s a hall takes 0.3 s, a chamber 0.27, a plate 0.2, a room 0.16",
        ),
        Parameter::number("predelay", Unit::Milliseconds, 20.0, 0.0, LONGEST_PREDELAY, "before the room answers")
            .law(Law::Own),
        Parameter::number("size", Unit::Percent, 60.0, 0.0, 100.0, "how far its walls are apart").law(Law::Own),
        Parameter::number(
            "damping",
            Unit::Hertz,
            5000.0,
            200.0,
            20_000.0,
            "above it the tail falls up to three times as fast",
        )
        .or("off", NO_HIGH_CUT),
        Parameter::number("diffusion", Unit::Percent, 80.0, 0.0, 100.0, "how soon single echoes become a wash"),
        Parameter::number("low_cut", Unit::Hertz, 80.0, 10.0, 2000.0, "keeps lows out, 12 dB/octave")
            .or("off", NO_LOW_CUT),
        Parameter::number("high_cut", Unit::Hertz, 10_000.0, 500.0, 20_000.0, "keeps highs out, 12 dB/octave")
            .or("off", NO_HIGH_CUT),
        Parameter::number("width", Unit::Percent, 100.0, 0.0, 200.0, "of the stereo picture: 0 is mono"),
        Parameter::flag("freeze", false, "holds the tail for ever and lets nothing new in").live(),
        Parameter::choice("kind", &["hall", "room", "plate", "chamber"], "how it is built"),
    ],
    parts: &[],
    mix: 100.0,
    channels: |recipe| match recipe.channels {
        1 | 2 => Ok(2),
        count => Err(format!("a reverb takes one or two channels, not {count}")),
    },
    latency: no_latency,
    tail,
    memory: Memory::Echoes,
    kernel: |recipe| Box::new(Reverb::new(recipe)),
};

const LONGEST_PREDELAY: f64 = 500.0;

/// What stand for no filters: frequencies that can be glided to.
const NO_LOW_CUT: f64 = 1.0;
const NO_HIGH_CUT: f64 = 96_000.0;

/// How long it takes to move to another size or predelay.
const FADE_MS: f64 = 60.0;

/// Lines in the network: a power of two.
const LINES: usize = 16;

/// Every so many lines one sways, by so much at most, ...
const SWAYING: usize = 4;
const SWAY_MS: f64 = 0.12;
/// ... each at its own pace in Hz.
const SWAY_HZ: [f64; LINES / SWAYING] = [0.31, 0.47, 0.59, 0.73];

/// Highs fall so many times as fast as the rest.
const DAMPED: usize = 3;

/// Since highs fall faster, lows are given longer than the decay asked for, so that the whole takes that time: by this
/// part with strong damping, by half of it with damping at the frequency.
const LONGER: f64 = 0.29;
const LONGER_AT: f64 = 5000.0;

/// How much of itself an all-pass feeds back at full diffusion.
const DIFFUSED: f64 = 0.75;

/// How a room is built. Times in ms, of the largest size.
struct Kind {
    /// The shortest and the longest line of the network.
    lines: (f64, f64),
    /// When the network begins to answer.
    onset: f64,
    /// The all-passes before it; these do not change with the size.
    diffusers: [f64; 4],
    /// Early reflections, of the left and of the right side: when, and how loud.
    early: [&'static [(f64, f64)]; 2],
    /// The level of the network, so that all kinds are about as loud as what comes in.
    late: f64,
}

const KINDS: [Kind; 4] = [
    // Hall: few reflections, far apart, then a tail that builds up.
    Kind {
        lines: (41.0, 113.0),
        onset: 42.0,
        diffusers: [7.3, 5.1, 13.9, 10.7],
        early: [
            &[(19.1, 0.24), (31.7, -0.19), (46.3, 0.17), (61.9, 0.14), (83.1, -0.11)],
            &[(22.9, 0.22), (28.3, 0.19), (52.1, -0.17), (67.3, 0.13), (78.7, 0.12)],
        ],
        late: 0.29,
    },
    // Room: many strong reflections at once, and a tail that follows closely.
    Kind {
        lines: (13.0, 39.0),
        onset: 9.0,
        diffusers: [3.1, 2.3, 6.1, 4.7],
        early: [
            &[(3.1, 0.27), (5.3, -0.23), (8.9, 0.21), (11.3, 0.19), (14.9, -0.16), (19.7, 0.14), (24.1, 0.11)],
            &[(3.7, 0.26), (6.1, 0.24), (7.9, -0.21), (12.7, 0.19), (16.3, 0.16), (18.1, -0.15), (25.3, 0.11)],
        ],
        late: 0.145,
    },
    // Plate: no reflections, dense from the first moment.
    Kind { lines: (17.0, 61.0), onset: 0.0, diffusers: [4.77, 3.6, 12.73, 9.31], early: [&[], &[]], late: 0.21 },
    // Chamber: a few near reflections, smooth and even.
    Kind {
        lines: (23.0, 71.0),
        onset: 26.0,
        diffusers: [5.3, 3.7, 9.7, 7.9],
        early: [
            &[(7.1, 0.24), (13.7, 0.2), (21.1, -0.17), (29.3, 0.14)],
            &[(8.3, 0.23), (11.9, -0.21), (23.7, 0.16), (27.1, 0.14)],
        ],
        late: 0.205,
    },
];

/// The most early reflections of a side.
const REFLECTIONS: usize = 7;

fn kind(recipe: &Recipe) -> &'static Kind {
    KINDS.get(REVERB.value(recipe, "kind") as usize).unwrap_or(&KINDS[0])
}

/// Until it has fallen by 100 dB; at most 10 s.
fn tail(recipe: &Recipe) -> u64 {
    let kind = kind(recipe);
    let before = REVERB.value(recipe, "predelay") + kind.onset + kind.lines.1 + kind.diffusers.iter().sum::<f64>();
    let falling = REVERB.value(recipe, "decay") * 1000.0 * 100.0 / 60.0;
    let ms = if REVERB.value(recipe, "freeze") > 0.0 { f64::INFINITY } else { before + falling };
    recipe.clock.frames(ms.min(10_000.0))
}

/// Where everything lies at one size, in frames.
#[derive(Clone, Copy)]
struct Layout {
    size: f64,
    lines: [usize; LINES],
    onset: usize,
    early: [[usize; REFLECTIONS]; 2],
}

impl Layout {
    /// RT.
    fn new(kind: &Kind, size: f64, rate: f64) -> Self {
        let scale = 0.25 + 0.75 * size / 100.0;
        let frames = |ms: f64| (ms * scale * rate / 1000.0) as usize;
        let (shortest, longest) = kind.lines;
        let mut layout = Layout { size, lines: [0; LINES], onset: frames(kind.onset), early: [[0; REFLECTIONS]; 2] };
        for (index, line) in layout.lines.iter_mut().enumerate() {
            let part = index as f64 / (LINES - 1) as f64;
            *line = prime(frames(shortest * math::pow(longest / shortest, part)));
        }
        for (places, reflections) in layout.early.iter_mut().zip(kind.early) {
            places.iter_mut().zip(reflections).for_each(|(place, (ms, _))| *place = frames(*ms));
        }
        layout
    }
}

/// The first prime from a number on, so that no two lines ring together. RT.
fn prime(from: usize) -> usize {
    let divides = |n: usize| (2..).take_while(|d| d * d <= n).any(|d| n.is_multiple_of(d));
    (from.max(2)..).find(|n| !divides(*n)).unwrap_or(from)
}

/// What losses are computed from.
#[derive(Clone, Copy, PartialEq)]
struct Setting {
    /// In seconds.
    decay: f64,
    /// In Hz.
    damping: f64,
    /// From 0 to 1: frozen, nothing is lost.
    frozen: f64,
    /// The sizes of two layouts, and the part of the way between them.
    sizes: (f64, f64),
    part: f64,
}

/// What each line passes on: of the lows, and of the highs.
#[derive(Clone, Copy)]
struct Losses {
    low: [f64; LINES],
    high: [f64; LINES],
    /// What they were computed from.
    of: Setting,
}

impl Losses {
    /// RT.
    fn new(of: Setting, layouts: &(Layout, Layout), rate: f64) -> Self {
        let mut losses = Losses { low: [1.0; LINES], high: [1.0; LINES], of };
        let (part, frozen) = (of.part, of.frozen);
        let decay = of.decay * (1.0 + LONGER / (1.0 + of.damping / LONGER_AT));
        for index in 0..LINES {
            let (old, new) = (layouts.0.lines[index] as f64, layouts.1.lines[index] as f64);
            let low = math::exp(-3.0 * LN_10 * (old + (new - old) * part) / (rate * decay));
            losses.low[index] = low + (1.0 - low) * frozen;
            let high: f64 = [low; DAMPED].iter().product();
            losses.high[index] = high + (1.0 - high) * frozen;
        }
        losses
    }
}

impl Losses {
    /// The losses of a line part of the way to others. RT.
    #[inline]
    fn towards(&self, goal: &Losses, line: usize, part: f64) -> (f64, f64) {
        let mix = |from: f64, to: f64| from + (to - from) * part;
        (mix(self.low[line], goal.low[line]), mix(self.high[line], goal.high[line]))
    }
}

/// One line of the network.
struct Line {
    sound: DelayLine,
    lows: OnePole,
}

impl Line {
    /// What is left of what it gives, after its losses. RT.
    #[inline]
    fn lose(&mut self, x: f64, low: f64, high: f64, share: f64) -> f64 {
        high * x + (low - high) * self.lows.low(share, x)
    }
}

/// An all-pass.
struct Diffuser {
    sound: DelayLine,
    frames: usize,
}

impl Diffuser {
    fn new(ms: f64, rate: f64) -> Self {
        let frames = prime((ms * rate / 1000.0) as usize);
        Diffuser { sound: DelayLine::new(frames), frames }
    }

    /// RT.
    #[inline]
    fn step(&mut self, x: f64, amount: f64) -> f64 {
        let y = self.sound.read(self.frames - 1) - amount * x;
        self.sound.write(spent(x + amount * y));
        y
    }
}

/// What one side passes before the network.
struct Side {
    predelay: DelayLine,
    early: DelayLine,
    diffusers: [Diffuser; 4],
}

struct Reverb {
    kind: &'static Kind,
    rate: f64,
    /// Of both sides.
    low_cut: Cascade,
    high_cut: Cascade,
    sides: [Side; 2],
    lines: [Line; LINES],
    predelay: Crossfade<usize>,
    size: Crossfade<f64>,
    layouts: (Layout, Layout),
    /// The part of the way between the layouts at the last frame.
    part: f64,
    losses: Losses,
    room: Room,
}

impl Reverb {
    fn new(recipe: &Recipe) -> Self {
        let (kind, rate, clock) = (kind(recipe), recipe.rate(), recipe.clock);
        let frames = |ms: f64| clock.frames(ms) as usize;
        let (size, fade) = (REVERB.value(recipe, "size"), frames(FADE_MS));
        let reach = kind.early.iter().flat_map(|side| side.iter()).fold(kind.onset, |most, (ms, _)| most.max(*ms));
        // The right side's all-passes are a little longer, so that one channel becomes two different ones.
        let side = |stretch: f64| Side {
            // A stretch is written before it is read.
            predelay: DelayLine::new(frames(LONGEST_PREDELAY) + QUANTUM),
            early: DelayLine::new(frames(reach) + QUANTUM),
            diffusers: kind.diffusers.map(|ms| Diffuser::new(ms * stretch, rate)),
        };
        let cut = |design, name| Cascade::new(design, &[REVERB.value(recipe, name)], 1, 2, rate);
        // A prime is never far.
        let longest = frames(kind.lines.1 + SWAY_MS) + 200;
        let layout = Layout::new(kind, size, rate);
        let (decay, damping, frozen) =
            (REVERB.value(recipe, "decay"), REVERB.value(recipe, "damping"), REVERB.value(recipe, "freeze"));
        let of = Setting { decay, damping, frozen, sizes: (size, size), part: 0.0 };
        Reverb {
            kind,
            rate,
            low_cut: cut(high_pass, "low_cut"),
            high_cut: cut(low_pass, "high_cut"),
            sides: [side(1.0), side(1.083)],
            lines: std::array::from_fn(|_| Line { sound: DelayLine::new(longest), lows: OnePole::default() }),
            predelay: Crossfade::new(frames(REVERB.value(recipe, "predelay")), fade),
            size: Crossfade::new(size, fade),
            layouts: (layout, layout),
            part: 0.0,
            losses: Losses::new(of, &(layout, layout), rate),
            room: Room::default(),
        }
    }

    /// What comes in, filtered, one buffer a side. RT.
    fn filtered(&mut self, io: &Io<'_>, low_cut: Glide, high_cut: Glide) -> [Buffer; 2] {
        let (mut input, last) = ([[0.0; QUANTUM]; 2], io.channels_in.saturating_sub(1));
        for (index, side) in input.iter_mut().enumerate() {
            if let Some(channel) = io.audio.get(index.min(last)) {
                side[io.frames.clone()].copy_from_slice(&channel[io.frames.clone()]);
            }
        }
        let cuts = [(&mut self.low_cut, low_cut, NO_LOW_CUT), (&mut self.high_cut, high_cut, NO_HIGH_CUT)];
        for (cut, freq, none) in cuts {
            if freq == Glide::still(none) {
                cut.reset();
            } else {
                cut.process(&[freq], &mut input, io.frames.clone());
            }
        }
        input
    }

    /// Whether nothing in it moves to another place, and it loses as much as it shall. RT.
    fn is_still(&self, goal: &Losses) -> bool {
        self.size.is_settled() && self.predelay.is_settled() && self.part == 0.0 && self.losses.of == goal.of
    }

    /// The layouts of two sizes, computed when they are new. RT.
    fn lay_out(&mut self, now: f64, next: f64) {
        if self.layouts.0.size != now {
            self.layouts.0 = Layout::new(self.kind, now, self.rate);
        }
        if self.layouts.1.size != next {
            self.layouts.1 = Layout::new(self.kind, next, self.rate);
        }
    }
}

keep!(Layout: size, lines, onset, early);
keep!(Setting: decay, damping, frozen, sizes, part);
keep!(Losses: low, high, of);
keep!(Line: sound, lows);
keep!(Diffuser: sound);
keep!(Side: predelay, early, diffusers);
keep!(Reverb: low_cut, high_cut, sides, lines, predelay, size, layouts, part, losses);

impl Kernel for Reverb {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[decay, predelay, size, damping, diffusion, low_cut, high_cut, width, freeze, _] = io.values else {
            return;
        };
        let input = self.filtered(io, low_cut, high_cut);
        self.predelay.go_to((predelay.to * self.rate / 1000.0 + 0.5) as usize);
        self.size.go_to(size.to);
        // The losses follow the size a stretch later.
        let sizes = (self.layouts.0.size, self.layouts.1.size);
        let of = Setting { decay: decay.to, damping: damping.to, frozen: freeze.to, sizes, part: self.part };
        let goal = if of == self.losses.of { self.losses } else { Losses::new(of, &self.layouts, self.rate) };
        let damping = shares(damping, self.rate);
        let sways = Sways::new(io.frame(0), self.rate);
        if self.is_still(&goal) && [damping, diffusion, width, freeze].iter().all(Glide::is_still) {
            self.lay_out(self.size.wanted(), self.size.wanted());
            let (open, before) = (1.0 - freeze.to, self.predelay.wanted());
            let amount = DIFFUSED * diffusion.to / 100.0;
            let still = Still { open, before, amount, damping: damping.to, width: width.to, sways: &sways };
            if self.run_still(io, &input, &still) {
                return;
            }
        }
        let count = io.frames.len();
        for (n, i) in io.frames.clone().enumerate() {
            let (now, next, part) = self.size.step();
            self.lay_out(now, next);
            self.part = part;
            let losses_part = (n + 1) as f64 / count as f64;
            let open = 1.0 - freeze.at(n, count);
            let before = self.predelay.step();
            let amount = DIFFUSED * diffusion.at(n, count) / 100.0;
            let (layouts, kind) = (&self.layouts, self.kind);

            let (mut wet, mut late) = ([0.0; 2], [0.0; 2]);
            for (index, side) in self.sides.iter_mut().enumerate() {
                side.predelay.write(input[index][i]);
                let x = open * side.predelay.read_moved(before.0, before.1, before.2);
                side.early.write(x);
                for (place, (_, gain)) in kind.early[index].iter().enumerate() {
                    let (old, new) = (layouts.0.early[index][place], layouts.1.early[index][place]);
                    wet[index] += gain * side.early.read_moved(old, new, part);
                }
                let x = kind.late * side.early.read_moved(layouts.0.onset, layouts.1.onset, part);
                late[index] = side.diffusers.iter_mut().fold(x, |x, diffuser| diffuser.step(x, amount));
            }

            let mut given = [0.0; LINES];
            for (index, line) in self.lines.iter_mut().enumerate() {
                // Each line is read before its next frame is written: one frame less.
                let (old, new) = (layouts.0.lines[index], layouts.1.lines[index]);
                let x = match sways.at(index, io.frame(i)) {
                    None => line.sound.read_moved(old - 1, new - 1, part),
                    Some(sway) => {
                        let sway = open * sway - 1.0;
                        line.sound.read_faded(old as f64 + sway, new as f64 + sway, part)
                    }
                };
                let (low, high) = self.losses.towards(&goal, index, losses_part);
                given[index] = line.lose(x, low, high, damping.at(n, count));
                wet[index % 2] += sign(index, 2) * given[index];
            }
            mix(&mut given);
            for (index, (line, x)) in self.lines.iter_mut().zip(given).enumerate() {
                line.sound.write(spent(x + sign(index, 1) * late[index % 2]));
            }

            if let [left, right] = &mut *io.audio {
                (left[i], right[i]) = widened(wet[0], wet[1], width.at(n, count));
            }
        }
        self.losses = goal;
    }

    fn reset(&mut self) {
        self.low_cut.reset();
        self.high_cut.reset();
        for side in &mut self.sides {
            side.predelay.clear();
            side.early.clear();
            side.diffusers.iter_mut().for_each(|diffuser| diffuser.sound.clear());
        }
        for line in &mut self.lines {
            line.sound.clear();
            line.lows.reset();
        }
        self.predelay.settle();
        self.size.settle();
    }
}

/// How the lines that sway do in a buffer: straight on between moments [`QUANTUM`] frames of the transport apart.
struct Sways {
    /// The first of three moments.
    first: u64,
    /// By how many frames each line sways at each of them.
    lines: [[f64; 3]; LINES / SWAYING],
}

impl Sways {
    /// In a buffer that begins at a transport frame. RT.
    fn new(frame: u64, rate: f64) -> Self {
        let quantum = QUANTUM as u64;
        let first = frame / quantum * quantum;
        // Before the transport's start the count is what is missing to 0.
        let moment = |n: u64| first.wrapping_add(n * quantum) as i64 as f64;
        let by = |frame: f64, pace: f64| SWAY_MS / 1000.0 * rate * math::sin(TAU * (frame * pace / rate).fract());
        Sways { first, lines: SWAY_HZ.map(|pace| [0, 1, 2].map(|n| by(moment(n), pace))) }
    }

    /// By how many frames a line sways at a transport frame, if it does at all. RT.
    #[inline]
    fn at(&self, line: usize, frame: u64) -> Option<f64> {
        let moments = self.lines.get(line / SWAYING).filter(|_| line.is_multiple_of(SWAYING))?;
        let since = frame.wrapping_sub(self.first) as usize;
        let (from, to) = if since < QUANTUM { (moments[0], moments[1]) } else { (moments[1], moments[2]) };
        Some(from + (to - from) * ((since % QUANTUM) as f64 / QUANTUM as f64))
    }
}

/// The sign with which a line is fed (`with` 1) or heard (2): bent functions, as unlike every row of the matrix as can
/// be, so that what enters spreads over all lines at once. RT.
fn sign(line: usize, with: usize) -> f64 {
    let bit = |n: usize| line >> (n % 4) & 1;
    let (a, b) = if with == 1 { (bit(0) & bit(1), bit(2) & bit(3)) } else { (bit(0) & bit(2), bit(1) & bit(3)) };
    if a == b { 1.0 } else { -1.0 }
}

/// The Hadamard matrix of [`LINES`], scaled so that it keeps the energy. RT.
fn mix(x: &mut [f64; LINES]) {
    hadamard(x, |a, b| (*a, *b) = (*a + *b, *a - *b));
    let scale = 1.0 / math::sqrt(LINES as f64);
    x.iter_mut().for_each(|x| *x *= scale);
}

/// The Hadamard matrix of lines by sums and differences: `cross` gives two their sum and their difference. RT.
#[inline(always)]
fn hadamard<T>(lines: &mut [T; LINES], cross: impl Fn(&mut T, &mut T)) {
    let mut apart = 1;
    while apart < LINES {
        for pairs in lines.chunks_exact_mut(2 * apart) {
            let (front, back) = pairs.split_at_mut(apart);
            for (a, b) in front.iter_mut().zip(back) {
                cross(a, b);
            }
        }
        apart *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filters::{Filter, Section};
    use crate::test_signals::{Bench, RATE, click_of_edit, impulse, noise, peak, rms};

    /// The energy that is still to come at each frame, in dB of the whole: Schroeder (1965).
    fn falling(response: &[f64]) -> Vec<f64> {
        let mut energy: Vec<f64> = response
            .iter()
            .rev()
            .scan(0.0, |sum, x| {
                Some({
                    *sum += x * x;
                    *sum
                })
            })
            .collect();
        energy.reverse();
        let whole = energy[0];
        energy.iter().map(|left| 10.0 * (left / whole).log10()).collect()
    }

    /// T30 of ISO 3382 in seconds, and how straight the line is (r squared).
    fn decay(response: &[f64]) -> (f64, f64) {
        let falling = falling(response);
        let line: Vec<(f64, f64)> = falling
            .iter()
            .enumerate()
            .filter(|(_, level)| (-35.0..=-5.0).contains(*level))
            .map(|(i, level)| (i as f64 / RATE, *level))
            .collect();
        let mean = |of: fn(&(f64, f64)) -> f64| line.iter().map(of).sum::<f64>() / line.len() as f64;
        let (t, y, tt, ty, yy) =
            (mean(|p| p.0), mean(|p| p.1), mean(|p| p.0 * p.0), mean(|p| p.0 * p.1), mean(|p| p.1 * p.1));
        let slope = (ty - t * y) / (tt - t * t);
        (-60.0 / slope, (ty - t * y).powi(2) / ((tt - t * t) * (yy - y * y)))
    }

    #[test]
    fn how_a_line_sways_is_told_by_the_frame_alone_and_is_nearly_a_sine() {
        // Buffers that begin within a quantum of the transport too, and before its start.
        for begin in [0, 24, 40, 6400, u64::MAX - 39, u64::MAX - 100] {
            let sways = Sways::new(begin, RATE);
            for (line, n) in (0..LINES).flat_map(|line| (0..QUANTUM as u64).map(move |n| (line, n))) {
                let frame = begin.wrapping_add(n);
                let by = sways.at(line, frame);
                assert_eq!(by, Sways::new(frame, RATE).at(line, frame), "line {line}, frame {frame}");
                assert_eq!(by.is_some(), line.is_multiple_of(SWAYING));
                if let Some(by) = by {
                    let turns = frame as i64 as f64 * SWAY_HZ[line / SWAYING] / RATE;
                    let sine = SWAY_MS / 1000.0 * RATE * math::sin(TAU * turns);
                    assert!((by - sine).abs() < 1e-4, "line {line}, frame {frame}: {by} for {sine}");
                }
            }
        }
    }

    #[test]
    fn a_tail_is_the_same_stretch_by_stretch_and_frame_by_frame() {
        // While the predelay moves, it is gone through frame by frame; in silence that is not heard.
        let index = REVERB.index("predelay").unwrap();
        for (kind, rate) in [(0.0, RATE), (1.0, 8000.0), (2.0, 192_000.0), (3.0, RATE)] {
            let bench = || Bench::new(&REVERB, 2).rate(rate).set("kind", kind).set("decay", 8.0).set("size", 40.0);
            let (mut at_once, mut by_frames) = (bench(), bench());
            let input = [noise(1, 2000), noise(2, 2000)];
            assert!(at_once.run(&input) == by_frames.run(&input));
            let silence = vec![vec![0.0; (0.6 * rate) as usize]; 2];
            at_once.run(&silence);
            by_frames.run(&silence);
            for ms in [100.0, 0.0, 250.0] {
                by_frames.edit(index, ms);
                let (expected, found) = (by_frames.run(&silence), at_once.run(&silence));
                assert!(found.iter().flatten().any(|x| x.abs() > 1e-6), "kind {kind} is over");
                assert!(found == expected, "kind {kind} at {rate} Hz");
            }
        }
    }

    #[test]
    fn the_tail_falls_in_the_time_asked_for() {
        for kind in 0..4 {
            for (asked, straight) in [(0.4, 0.99), (0.5, 0.99), (1.5, 0.995), (3.0, 0.995)] {
                let mut bench = Bench::new(&REVERB, 1).set("kind", f64::from(kind)).set("decay", asked);
                let output = bench.run(&[impulse((RATE * (asked * 1.5 + 0.2)) as usize)]);
                for side in &output {
                    let (got, square) = decay(side);
                    assert!(
                        (got / asked - 1.0).abs() < 0.05 && square >= straight,
                        "{kind}, {asked} s: {got} s, {square}"
                    );
                }
            }
        }
    }

    #[test]
    fn without_damping_too() {
        for asked in [0.5, 1.5, 3.0] {
            let mut bench = Bench::new(&REVERB, 1).set("decay", asked).special("damping").special("high_cut");
            let (got, square) = decay(&bench.run(&[impulse((RATE * (asked * 1.5 + 0.2)) as usize)])[0]);
            assert!((got / asked - 1.0).abs() < 0.05 && square >= 0.995, "{asked} s: {got} s, {square}");
        }
    }

    /// When half of the energy has come, in ms, and how much of it has come after 25 ms.
    fn structure(kind: usize) -> (f64, f64) {
        let mut bench = Bench::new(&REVERB, 1).set("kind", kind as f64).set("predelay", 0.0);
        let falling = falling(&bench.run(&[impulse(144_000)])[0]);
        let half = falling.iter().position(|level| *level <= -3.0103).unwrap() as f64 / 48.0;
        (half, 1.0 - 10.0_f64.powf(falling[1200] / 10.0))
    }

    #[test]
    fn the_kinds_are_built_differently() {
        let [hall, room, plate, chamber] = [0, 1, 2, 3].map(structure);
        // A hall builds up last; a room has most of its early reflections at once, a hall nearly none.
        assert!(hall.0 > 1.2 * chamber.0 && chamber.0 > 1.2 * room.0, "{hall:?} {room:?} {plate:?} {chamber:?}");
        assert!(room.1 > 1.5 * chamber.1 && chamber.1 > 1.5 * hall.1, "{hall:?} {room:?} {plate:?} {chamber:?}");
        assert!((plate.0 / chamber.0 - 1.0).abs() > 0.1 || (plate.1 / chamber.1 - 1.0).abs() > 0.3);
    }

    #[test]
    fn all_kinds_are_about_as_loud_as_what_comes_in() {
        // Noise within what the cuts let through.
        let mut low_pass = Filter::default();
        let step = Section::low_pass(5000.0, 0.7, RATE).step();
        let input: Vec<f64> = noise(1, 192_000).iter().map(|x| low_pass.tick(&step, *x)).collect();
        for kind in 0..4 {
            let output = Bench::new(&REVERB, 1).set("kind", f64::from(kind)).run(std::slice::from_ref(&input));
            let gain = rms(&output[0][96_000..]) - rms(&input);
            assert!(gain.abs() < 2.0, "{kind}: {gain} dB");
        }
    }

    #[test]
    fn one_channel_becomes_two_different_ones() {
        let output = Bench::new(&REVERB, 1).run(&[noise(1, 96_000)]);
        let product: f64 = output[0].iter().zip(&output[1]).map(|(left, right)| left * right).sum();
        let power = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let correlation = product / math::sqrt(power(&output[0]) * power(&output[1]));
        assert!(correlation.abs() < 0.3, "{correlation}");
    }

    #[test]
    fn frozen_it_holds_its_level_and_lets_nothing_in() {
        let freeze = REVERB.index("freeze").unwrap();
        let mut bench = Bench::new(&REVERB, 1).set("decay", 3.0);
        bench.run(&[noise(1, 96_000)]);
        bench.edit(freeze, 1.0);
        let held = bench.run(&[noise(2, 480_000)]);
        let (early, late) = (rms(&held[0][24_000..72_000]), rms(&held[0][432_000..]));
        assert!((early - late).abs() < 0.5, "{early} {late}");
        bench.edit(freeze, 0.0);
        let thawed = bench.run(&[vec![0.0; 240_000]]);
        assert!(rms(&thawed[0][192_000..]) < late - 60.0);
    }

    #[test]
    fn after_the_tail_it_is_100_db_down() {
        for (decay, kind) in [(0.5, 0.0), (1.5, 1.0)] {
            let mut bench = Bench::new(&REVERB, 1).set("decay", decay).set("kind", kind);
            let tail = (REVERB.tail)(bench.recipe()) as usize;
            let output = bench.run(&[impulse(tail + 24_000)]);
            assert!(peak(&output[0][tail..]) < peak(&output[0]) - 100.0);
        }
        assert_eq!((REVERB.tail)(Bench::new(&REVERB, 1).set("freeze", 1.0).recipe()), 480_000);
    }

    #[test]
    fn edits_leave_no_click() {
        let times = [("decay", 3.0), ("predelay", 90.0), ("size", 100.0), ("damping", 1500.0), ("diffusion", 20.0)];
        let rest = [("low_cut", 300.0), ("high_cut", 2000.0), ("width", 0.0), ("freeze", 1.0)];
        for (name, to) in times.into_iter().chain(rest) {
            let index = REVERB.index(name).unwrap();
            let click = click_of_edit(&mut Bench::new(&REVERB, 2), |bench| bench.edit(index, to));
            assert!(click < -80.0, "{name}: {click}");
        }
    }

    #[test]
    fn after_an_edit_it_is_what_it_would_be_from_the_start() {
        let values = [("decay", 0.4), ("predelay", 5.0), ("size", 20.0), ("damping", 9000.0)];
        let mut edited = Bench::new(&REVERB, 1).set("decay", 0.3);
        let silence = vec![0.0; 48_000];
        edited.run(&[noise(1, 48_000)]);
        let mut fresh = Bench::new(&REVERB, 1);
        for (name, to) in values {
            edited.edit(REVERB.index(name).unwrap(), to);
            fresh = fresh.set(name, to);
        }
        // Until what came before has gone, to the last bit of it.
        edited.run(&[vec![0.0; 192_000]]);
        (0..5).for_each(|_| {
            fresh.run(std::slice::from_ref(&silence));
        });
        let input = [noise(2, 48_000)];
        let (edited, fresh) = (edited.run(&input), fresh.run(&input));
        let apart = edited[0].iter().zip(&fresh[0]).map(|(a, b)| a - b).collect::<Vec<_>>();
        assert!(peak(&apart) < -200.0, "{}", peak(&apart));
    }
}
