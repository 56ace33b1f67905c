//! `reverb`: a room.
//!
//! What comes in waits for the predelay, is heard as early reflections, and after an onset passes all-passes (Schroeder
//! 1962) into a network of sixteen delay lines that feed each other through a Hadamard matrix (Jot and Chaigne 1991;
//! Stautner and Puckette 1982). Each line loses what its length asks for, so that all of them fall by 60 dB in the decay
//! time, and in a third of it far above the damping frequency. Some lines sway by a few frames, as a function of the
//! transport, so that no resonance stands out.

use std::f64::consts::{LN_10, TAU};

use super::{no_latency, widened};
use crate::delay_line::{Crossfade, DelayLine};
use crate::filters::{Filter, Section, butterworth_q};
use crate::kernel::{Buffer, Glide, Io, Kernel, QUANTUM};
use crate::math;
use crate::one_pole::{OnePole, shares};
use crate::parameter::{Law, Parameter, Recipe, Table};
use crate::units::Unit;

/// `reverb()`.
pub static REVERB: Table = Table {
    word: "reverb",
    summary: "A room: early reflections and a tail; makes stereo.",
    example: "x >> reverb().decay(1.8.s).mix(20)",
    arguments: &["decay"],
    parameters: &[
        Parameter::number("decay", Unit::Seconds, 1.5, 0.1, 30.0, "until the tail has fallen by 60 dB"),
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
        Parameter::number("high_cut", Unit::Hertz, 12_000.0, 500.0, 20_000.0, "keeps highs out, 12 dB/octave")
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
const DAMPED: i32 = 3;

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
            &[(19.1, 0.35), (31.7, -0.28), (46.3, 0.26), (61.9, 0.2), (83.1, -0.16)],
            &[(22.9, 0.33), (28.3, 0.27), (52.1, -0.24), (67.3, 0.19), (78.7, 0.17)],
        ],
        late: 0.62,
    },
    // Room: many strong reflections at once, and a tail that follows closely.
    Kind {
        lines: (13.0, 39.0),
        onset: 9.0,
        diffusers: [3.1, 2.3, 6.1, 4.7],
        early: [
            &[(3.1, 0.5), (5.3, -0.42), (8.9, 0.4), (11.3, 0.36), (14.9, -0.3), (19.7, 0.26), (24.1, 0.2)],
            &[(3.7, 0.48), (6.1, 0.43), (7.9, -0.4), (12.7, 0.35), (16.3, 0.3), (18.1, -0.27), (25.3, 0.19)],
        ],
        late: 0.33,
    },
    // Plate: no reflections, dense from the first moment.
    Kind { lines: (17.0, 61.0), onset: 0.0, diffusers: [4.77, 3.6, 12.73, 9.31], early: [&[], &[]], late: 0.48 },
    // Chamber: a few near reflections, smooth and even.
    Kind {
        lines: (23.0, 71.0),
        onset: 15.0,
        diffusers: [5.3, 3.7, 9.7, 7.9],
        early: [
            &[(7.1, 0.32), (13.7, 0.27), (21.1, -0.22), (29.3, 0.18)],
            &[(8.3, 0.31), (11.9, -0.28), (23.7, 0.21), (27.1, 0.19)],
        ],
        late: 0.5,
    },
];

/// The most early reflections of a side.
const REFLECTIONS: usize = 7;

fn value(recipe: &Recipe, name: &str) -> f64 {
    REVERB.index(name).and_then(|index| recipe.values.get(index)).copied().unwrap_or(0.0)
}

fn kind(recipe: &Recipe) -> &'static Kind {
    KINDS.get(value(recipe, "kind") as usize).unwrap_or(&KINDS[0])
}

/// Until it has fallen by 100 dB; at most 10 s.
fn tail(recipe: &Recipe) -> u64 {
    let kind = kind(recipe);
    let before = value(recipe, "predelay") + kind.onset + kind.lines.1 + kind.diffusers.iter().sum::<f64>();
    let falling = value(recipe, "decay") * 1000.0 * 100.0 / 60.0;
    let ms = if value(recipe, "freeze") > 0.0 { f64::INFINITY } else { before + falling };
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
    let divides = |n: usize| (2..).take_while(|d| d * d <= n).any(|d| n % d == 0);
    (from.max(2)..).find(|n| !divides(*n)).unwrap_or(from)
}

/// What each line passes on: of the lows, and of the highs.
#[derive(Clone, Copy)]
struct Losses {
    low: [f64; LINES],
    high: [f64; LINES],
    /// What they were computed from.
    of: (f64, f64, f64, f64, f64),
}

impl Losses {
    /// For a decay in seconds and a part of the way between two layouts; frozen, nothing is lost. RT.
    fn new(decay: f64, frozen: f64, now: &Layout, next: &Layout, part: f64, rate: f64) -> Self {
        let of = (decay, frozen, now.size, next.size, part);
        let mut losses = Losses { low: [1.0; LINES], high: [1.0; LINES], of };
        for index in 0..LINES {
            let (old, new) = (now.lines[index] as f64, next.lines[index] as f64);
            let low = math::exp(-3.0 * LN_10 * (old + (new - old) * part) / (rate * decay));
            losses.low[index] = low + (1.0 - low) * frozen;
            let high = low.powi(DAMPED);
            losses.high[index] = high + (1.0 - high) * frozen;
        }
        losses
    }
}

impl Losses {
    /// What they shall be, these if nothing they are computed from has changed. RT.
    fn glide_to(&self, decay: f64, frozen: f64, layouts: &(Layout, Layout), part: f64, rate: f64) -> Self {
        if self.of == (decay, frozen, layouts.0.size, layouts.1.size, part) {
            *self
        } else {
            Losses::new(decay, frozen, &layouts.0, &layouts.1, part, rate)
        }
    }

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
    /// What it gives at this frame, after its losses. RT.
    #[inline]
    fn give(&mut self, at: (f64, f64, f64), low: f64, high: f64, share: f64) -> f64 {
        let x = self.sound.read_faded(at.0, at.1, at.2);
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
        self.sound.write(x + amount * y);
        y
    }
}

/// What one side passes before the network.
struct Side {
    low_cut: Filter,
    high_cut: Filter,
    predelay: DelayLine,
    early: DelayLine,
    diffusers: [Diffuser; 4],
}

struct Reverb {
    kind: &'static Kind,
    rate: f64,
    sides: [Side; 2],
    lines: [Line; LINES],
    predelay: Crossfade<usize>,
    size: Crossfade<f64>,
    layouts: (Layout, Layout),
    /// The part of the way between the layouts at the last frame.
    part: f64,
    losses: Losses,
}

impl Reverb {
    fn new(recipe: &Recipe) -> Self {
        let (kind, rate, clock) = (kind(recipe), recipe.rate(), recipe.clock);
        let frames = |ms: f64| clock.frames(ms) as usize;
        let (size, fade) = (value(recipe, "size"), frames(FADE_MS));
        let reach = kind.early.iter().flat_map(|side| side.iter()).fold(kind.onset, |most, (ms, _)| most.max(*ms));
        // The right side's all-passes are a little longer, so that one channel becomes two different ones.
        let side = |stretch: f64| Side {
            low_cut: Filter::default(),
            high_cut: Filter::default(),
            predelay: DelayLine::new(frames(LONGEST_PREDELAY)),
            early: DelayLine::new(frames(reach)),
            diffusers: kind.diffusers.map(|ms| Diffuser::new(ms * stretch, rate)),
        };
        // A prime is never far.
        let longest = frames(kind.lines.1 + SWAY_MS) + 200;
        let layout = Layout::new(kind, size, rate);
        let (decay, frozen) = (value(recipe, "decay"), value(recipe, "freeze"));
        Reverb {
            kind,
            rate,
            sides: [side(1.0), side(1.083)],
            lines: std::array::from_fn(|_| Line { sound: DelayLine::new(longest), lows: OnePole::default() }),
            predelay: Crossfade::new(frames(value(recipe, "predelay")), fade),
            size: Crossfade::new(size, fade),
            layouts: (layout, layout),
            part: 0.0,
            losses: Losses::new(decay, frozen, &layout, &layout, 0.0, rate),
        }
    }

    /// What comes in, filtered, one buffer a side. RT.
    fn filtered(&mut self, io: &Io<'_>, low_cut: Glide, high_cut: Glide) -> [Buffer; 2] {
        let rate = self.rate;
        let ends = |freq: Glide, of: fn(f64, f64, f64) -> Section| {
            let section = |freq| of(freq, butterworth_q(2, 0), rate);
            (section(freq.from), section(freq.to))
        };
        let (low, high) = (ends(low_cut, Section::high_pass), ends(high_cut, Section::low_pass));
        let mut input = [[0.0; QUANTUM]; 2];
        let last = io.channels_in.saturating_sub(1);
        for (index, (input, side)) in input.iter_mut().zip(&mut self.sides).enumerate() {
            let Some(channel) = io.audio.get(index.min(last)) else { continue };
            let frames = &mut input[io.frames.clone()];
            frames.copy_from_slice(&channel[io.frames.clone()]);
            if low_cut == Glide::still(NO_LOW_CUT) {
                side.low_cut.reset();
            } else {
                side.low_cut.run(&low.0, &low.1, frames);
            }
            if high_cut == Glide::still(NO_HIGH_CUT) {
                side.high_cut.reset();
            } else {
                side.high_cut.run(&high.0, &high.1, frames);
            }
        }
        input
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

impl Kernel for Reverb {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[decay, predelay, size, damping, diffusion, low_cut, high_cut, width, freeze, _] = io.values else {
            return;
        };
        let input = self.filtered(io, low_cut, high_cut);
        self.predelay.go_to((predelay.to * self.rate / 1000.0 + 0.5) as usize);
        self.size.go_to(size.to);
        // The losses follow the size a stretch later.
        let goal = self.losses.glide_to(decay.to, freeze.to, &self.layouts, self.part, self.rate);
        let damping = shares(damping, self.rate);
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
                let x = open * side.predelay.read_faded(before.0 as f64, before.1 as f64, before.2);
                side.early.write(x);
                for (place, (_, gain)) in kind.early[index].iter().enumerate() {
                    let (old, new) = (layouts.0.early[index][place], layouts.1.early[index][place]);
                    wet[index] += gain * side.early.read_faded(old as f64, new as f64, part);
                }
                let x = kind.late * side.early.read_faded(layouts.0.onset as f64, layouts.1.onset as f64, part);
                late[index] = side.diffusers.iter_mut().fold(x, |x, diffuser| diffuser.step(x, amount));
            }

            let mut given = [0.0; LINES];
            for (index, line) in self.lines.iter_mut().enumerate() {
                // Each line is read before its next frame is written: one frame less.
                let sway = open * sway(index, io.transport + i as u64, self.rate) - 1.0;
                let (old, new) = (layouts.0.lines[index] as f64 + sway, layouts.1.lines[index] as f64 + sway);
                let (low, high) = self.losses.towards(&goal, index, losses_part);
                given[index] = line.give((old, new, part), low, high, damping.at(n, count));
                wet[index % 2] += sign(index, 2) * given[index];
            }
            mix(&mut given);
            for (index, (line, x)) in self.lines.iter_mut().zip(given).enumerate() {
                line.sound.write(x + sign(index, 1) * late[index % 2]);
            }

            if let [left, right] = &mut *io.audio {
                (left[i], right[i]) = widened(wet[0], wet[1], width.at(n, count));
            }
        }
        self.losses = goal;
    }

    fn reset(&mut self) {
        for side in &mut self.sides {
            side.low_cut.reset();
            side.high_cut.reset();
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

/// By how many frames a line sways at a transport frame. RT.
fn sway(line: usize, frame: u64, rate: f64) -> f64 {
    match SWAY_HZ.get(line / SWAYING) {
        Some(pace) if line % SWAYING == 0 => {
            SWAY_MS / 1000.0 * rate * math::sin(TAU * (frame as f64 * pace / rate).fract())
        }
        _ => 0.0,
    }
}

/// The sign with which a line is fed (`with` 1) or heard (2): bent functions, as unlike every row of the matrix as can
/// be, so that what enters spreads over all lines at once. RT.
fn sign(line: usize, with: usize) -> f64 {
    let bit = |n: usize| line >> (n % 4) & 1;
    let (a, b) = if with == 1 { (bit(0) & bit(1), bit(2) & bit(3)) } else { (bit(0) & bit(2), bit(1) & bit(3)) };
    if a == b { 1.0 } else { -1.0 }
}

/// The Hadamard matrix of [`LINES`], scaled so that it keeps the energy: by sums and differences. RT.
fn mix(x: &mut [f64; LINES]) {
    let mut apart = 1;
    while apart < LINES {
        for pairs in x.chunks_exact_mut(2 * apart) {
            let (front, back) = pairs.split_at_mut(apart);
            for (a, b) in front.iter_mut().zip(back) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        apart *= 2;
    }
    let scale = 1.0 / math::sqrt(LINES as f64);
    x.iter_mut().for_each(|x| *x *= scale);
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn figures() {
        for kind in 0..4 {
            for (dname, damp) in [("5k", 5000.0), ("off", 0.0)] {
                for asked in [0.5, 1.5, 3.0] {
                    let mut bench = Bench::new(&REVERB, 1).set("kind", f64::from(kind)).set("decay", asked);
                    if damp == 0.0 {
                        bench = bench.special("damping");
                    }
                    let output = bench.run(&[impulse((RATE * (asked * 1.5 + 0.3)) as usize)]);
                    let energy: f64 = output[0].iter().map(|x| x * x).sum();
                    let (l, r) = (decay(&output[0]), decay(&output[1]));
                    eprintln!(
                        "kind {kind} damp {dname} asked {asked}: {:.3} {:.5} | {:.3} {:.5} energy {:.3}",
                        l.0, l.1, r.0, r.1, energy
                    );
                }
            }
        }
    }
}
