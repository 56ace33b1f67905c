//! A sound made longer or shorter with its pitch kept: a phase vocoder that leaves onsets alone.
//!
//! Frames of 85 ms are taken where they are in the sound and laid where they belong in the result, eight deep. So that what
//! they share goes on evenly from one to the next, each peak of a frame's spectrum is turned by what the frame before was
//! turned by: that one as it was laid, against the sound as far before this frame as the two now lie apart (Puckette,
//! "Phase-locked vocoder", 1995). All bins around a peak turn with it (Laroche and Dolson, "Improved phase vocoder time-scale
//! modification of audio", 1999), and so do all channels, which keeps the image.
//!
//! What begins must not be smeared. From an onset on, frames are laid as far apart as they were, for a while; those before
//! it end where it begins, those after the while begin behind it; and the bins in which it is new are not turned (Röbel, "A new
//! approach to transient processing in the phase vocoder", 2003, does it bin by bin as well). So it comes out as it went in.

use std::f64::consts::TAU;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlannerScalar};

use super::onsets::onsets;
use crate::math;

/// Frames over each other at any place of the result.
const DEPTH: usize = 8;

/// Hops from an onset for which it is left alone: 21 ms at 48 kHz.
const ALONE: usize = 2;

/// The fewest frames of a spectrum.
const LEAST: usize = 64;

/// Hops before the end of a loop in which what it has been turned by is taken back: a quarter of a second at 48 kHz.
const HOMEWARD: i64 = 24;

/// The least of windows that is made up for: where hardly any lies there is hardly any sound.
const SCANTY: f32 = 0.1;

/// By how much a bin's power must grow for what is in it to be new: 6 dB.
const GROWTH: f64 = 4.0;

type Bin = Complex<f64>;

const NOTHING: Bin = Bin { re: 0.0, im: 0.0 };
const AS_IT_IS: Bin = Bin { re: 1.0, im: 0.0 };

/// A sound that may follow itself.
pub(super) struct Circle<'a> {
    pub(super) channels: &'a [Vec<f32>],
    pub(super) length: i64,
    pub(super) looped: bool,
}

impl Circle<'_> {
    /// A channel's frame: round and round if it is looped, else with silence around it.
    pub(super) fn at(&self, channel: &[f32], frame: i64) -> f64 {
        let frame = if self.looped { frame.rem_euclid(self.length) } else { frame };
        usize::try_from(frame).ok().and_then(|frame| channel.get(frame)).map_or(0.0, |x| f64::from(*x))
    }
}

/// The frames of a spectrum at a rate: a power of two of about 85 ms, less for a sound that is hardly longer.
pub(super) fn size(sound: &Circle<'_>, rate: f64) -> usize {
    let mut size = LEAST;
    while (size as f64) < 0.06 * rate && 4 * size as i64 <= sound.length {
        size *= 2;
    }
    size
}

/// Half a cosine up, half a cosine down: the window of Hann.
pub(super) fn hann(size: usize) -> Vec<f64> {
    (0..size).map(|i| 0.5 - 0.5 * math::cos(TAU * i as f64 / size as f64)).collect()
}

/// A sound, one vector a channel, made `frames` frames long; at least one each. If it is looped its end leads into its
/// beginning, before and after. Not RT.
pub(super) fn stretch(sound: &[Vec<f32>], rate: f64, frames: usize, looped: bool) -> Vec<Vec<f32>> {
    let length = sound.first().map_or(0, Vec::len) as i64;
    let sound = Circle { channels: sound, length, looped };
    let anchors = anchors(&sound, rate, frames as i64);
    let Some(&end) = anchors.last() else { return Vec::new() };
    let mut work = Work::new(sound, rate, frames, end);
    for pair in anchors.windows(2) {
        work.section(pair[0], pair[1]);
    }
    // What ends does so in its last frame, which is laid exactly at the end.
    if !looped {
        work.lay(end.from, end.to, Span { first: (-end.from).max(-end.to), last: 0, rise: 1, fall: 1 });
    }
    work.finish()
}

/// A frame of the sound and the one of the result on which it comes to lie.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    from: i64,
    to: i64,
    /// Whether something begins there.
    is_onset: bool,
}

/// The ends of the sound and every onset between, in order; of a loop, from one onset to the same a turn later.
fn anchors(sound: &Circle<'_>, rate: f64, frames: i64) -> Vec<Anchor> {
    let ratio = frames as f64 / sound.length as f64;
    let anchor = |from: i64, is_onset| Anchor { from, to: (from as f64 * ratio + 0.5) as i64, is_onset };
    let mut anchors: Vec<Anchor> = onsets(sound, rate).into_iter().map(|onset| anchor(onset, true)).collect();
    match (sound.looped, anchors.first().copied()) {
        (true, Some(first)) => {
            anchors.push(Anchor { from: first.from + sound.length, to: first.to + frames, ..first });
        }
        (false, Some(first)) if first.from == 0 => anchors.push(anchor(sound.length, false)),
        _ => {
            anchors.insert(0, anchor(0, false));
            anchors.push(anchor(sound.length, false));
        }
    }
    anchors
}

/// What of a frame's window is open, counted from its middle.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: i64,
    /// The frame after the last.
    last: i64,
    /// Frames over which it opens and closes.
    rise: i64,
    fall: i64,
}

/// The frame that was laid last.
struct Laid {
    from: i64,
    to: i64,
    span: Span,
}

struct Work<'a> {
    sound: Circle<'a>,
    forward: Arc<dyn Fft<f64>>,
    back: Arc<dyn Fft<f64>>,
    space: Vec<Bin>,
    size: usize,
    hop: i64,
    window: Vec<f64>,
    /// The window as the span leaves it, for the frame and for the one before.
    now: Vec<f64>,
    before: Vec<f64>,
    /// Of each channel: the frame's spectrum, that of the sound before it, and that of the frame that was laid last.
    spectra: Vec<Vec<Bin>>,
    earlier: Vec<Vec<Bin>>,
    done: Vec<Vec<Bin>>,
    /// By what each bin is turned.
    turns: Vec<Bin>,
    last: Option<Laid>,
    /// Where the last section ends.
    end: Anchor,
    /// The result, and how much of windows lies on each of its frames.
    result: Vec<Vec<f32>>,
    weight: Vec<f32>,
}

impl<'a> Work<'a> {
    fn new(sound: Circle<'a>, rate: f64, frames: usize, end: Anchor) -> Self {
        let size = size(&sound, rate);
        let mut planner = FftPlannerScalar::new();
        let (forward, back) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
        let space = vec![NOTHING; forward.get_inplace_scratch_len().max(back.get_inplace_scratch_len())];
        let channels = sound.channels.len();
        let spectra = vec![vec![NOTHING; size / 2 + 1]; channels];
        Work {
            forward,
            back,
            space,
            size,
            hop: (size / DEPTH) as i64,
            window: hann(size),
            now: vec![0.0; size],
            before: vec![0.0; size],
            earlier: spectra.clone(),
            done: spectra.clone(),
            spectra,
            turns: vec![AS_IT_IS; size / 2 + 1],
            last: None,
            end,
            result: vec![vec![0.0; frames]; channels],
            weight: vec![0.0; frames],
            sound,
        }
    }

    /// Lays the frames from one anchor to before the next.
    fn section(&mut self, here: Anchor, next: Anchor) {
        let (given, wanted) = (next.from - here.from, next.to - here.to);
        let alone = if here.is_onset { (ALONE as i64 * self.hop).min(given / 2).min(wanted / 2) } else { 0 };
        let slope = (given - alone) as f64 / ((wanted - alone) as f64).max(1.0);
        let mut gone = 0;
        while gone < wanted {
            let is_alone = gone <= alone;
            let from = here.from + if is_alone { gone } else { alone + ((gone - alone) as f64 * slope + 0.5) as i64 };
            let to = here.to + gone;
            let span = self.span(here, next, from, to, is_alone);
            if gone == 0 && here.is_onset {
                self.renew(from, to, span);
            } else {
                self.lay(from, to, span);
            }
            gone += self.hop;
        }
    }

    /// What may be open of a frame's window: nothing of what comes after the next anchor, and of what is left alone behind the
    /// onset it comes from only where that is left alone.
    fn span(&self, here: Anchor, next: Anchor, from: i64, to: i64, is_alone: bool) -> Span {
        let (half, soft) = (self.size as i64 / 2, self.hop / 8);
        let left = |bound: Anchor| (bound.from - from).min(bound.to - to);
        // At the ends of what is not looped there is nothing to close softly for.
        let (last, fall) = match () {
            () if next.is_onset => (left(next), soft),
            () if !self.sound.looped => (left(next), 1),
            () => (half, 1),
        };
        let behind = (here.from - from).max(here.to - to) + self.hop / 2;
        let (first, rise) = match () {
            () if here.is_onset && !is_alone => (behind, soft),
            () if !self.sound.looped => ((-from).max(-to), 1),
            () => (-half, 1),
        };
        Span { first, last, rise, fall }
    }

    /// Lays a frame in which all goes on from the frame before.
    fn lay(&mut self, from: i64, to: i64, span: Span) {
        self.analyse(from, to, span);
        let unmoved = self.last.as_ref().is_some_and(|last| to - last.to == from - last.from);
        if self.last.is_some() && !unmoved {
            self.turn(from, to);
        }
        self.synthesise(from, to, span);
    }

    /// Lays a frame in which something begins.
    fn renew(&mut self, from: i64, to: i64, span: Span) {
        self.analyse(from, to, span);
        if self.last.is_some() {
            self.turn(from, to);
            self.let_begin();
        }
        self.synthesise(from, to, span);
    }

    /// Transforms the frame, and as far before it as the last frame was laid, under that one's window.
    fn analyse(&mut self, from: i64, to: i64, span: Span) {
        shape(&self.window, span, &mut self.now);
        let earlier = match &self.last {
            Some(last) => {
                let earlier = from - (to - last.to);
                let over = (earlier - last.from).max(0);
                shape(&self.window, Span { last: last.span.last - over, ..last.span }, &mut self.before);
                earlier
            }
            None => {
                self.before.fill(0.0);
                from
            }
        };
        let half = self.size as i64 / 2;
        let mut bins = vec![NOTHING; self.size];
        for (channel, sound) in self.sound.channels.iter().enumerate() {
            for (i, bin) in bins.iter_mut().enumerate() {
                let at = |middle: i64| self.sound.at(sound, middle - half + i as i64);
                *bin = Bin::new(at(from) * self.now[i], at(earlier) * self.before[i]);
            }
            self.forward.process_with_scratch(&mut bins, &mut self.space);
            // Two real transforms in one.
            let (spectrum, earlier) = (&mut self.spectra[channel], &mut self.earlier[channel]);
            for (k, (spectrum, earlier)) in spectrum.iter_mut().zip(earlier).enumerate() {
                let (here, there) = (bins[k], bins[(self.size - k) % self.size].conj());
                *spectrum = (here + there) * 0.5;
                let difference = (here - there) * 0.5;
                *earlier = Bin::new(difference.im, -difference.re);
            }
        }
    }

    /// Finds by what each bin is turned, so that every peak goes on from the frame before.
    fn turn(&mut self, from: i64, to: i64) {
        let hop = self.last.as_ref().map_or(self.hop, |last| to - last.to);
        let powers = powers(&self.spectra);
        let peaks = peaks(&powers);
        let mut turns = vec![AS_IT_IS; self.turns.len()];
        for (i, &peak) in peaks.iter().enumerate() {
            let first = if i == 0 { 0 } else { valley(&powers, peaks[i - 1], peak) };
            let last = peaks.get(i + 1).map_or(powers.len(), |next| valley(&powers, peak, *next));
            let around = peak.saturating_sub(1)..(peak + 2).min(powers.len());
            let (mut turn, mut pace) = (NOTHING, NOTHING);
            for ((done, earlier), now) in self.done.iter().zip(&self.earlier).zip(&self.spectra) {
                for k in around.clone() {
                    turn += done[k] * earlier[k].conj();
                    pace += now[k] * earlier[k].conj();
                }
            }
            let length = math::sqrt(turn.norm_sqr());
            if length > 0.0 {
                turns[first..last].fill(self.homeward(turn / length, pace, peak, (from, to), hop));
            }
        }
        self.turns = turns;
    }

    /// A peak's turn near the end of a loop, set a little nearer to where it will not be turned when it comes round: `pace`
    /// is by what it goes on from the frame before.
    fn homeward(&self, turn: Bin, pace: Bin, peak: usize, (from, to): (i64, i64), hop: i64) -> Bin {
        let (left, given) = (self.end.to - to, self.end.from - from);
        let hops = (left + self.hop - 1) / self.hop;
        if !self.sound.looped || hops > HOMEWARD {
            return turn;
        }
        let expected = TAU * peak as f64 / self.size as f64 * hop as f64;
        let advance = expected + within(angle(pace) - expected);
        let home = within(angle(turn) + advance / hop as f64 * (left - given) as f64);
        let back = home / hops.max(1) as f64;
        turn * Bin::new(math::cos(back), -math::sin(back))
    }

    /// Leaves the bins alone in which something begins.
    fn let_begin(&mut self) {
        let (now, before) = (powers(&self.spectra), powers(&self.earlier));
        let open = |window: &[f64]| window.iter().sum::<f64>();
        let wider = open(&self.now) / open(&self.before).max(1.0);
        for (k, turn) in self.turns.iter_mut().enumerate() {
            let around = k.saturating_sub(1)..(k + 2).min(now.len());
            let (now, before): (f64, f64) = (now[around.clone()].iter().sum(), before[around].iter().sum());
            if now > GROWTH * wider * wider * before {
                *turn = AS_IT_IS;
            }
        }
    }

    /// Turns the frame and adds it to the result.
    fn synthesise(&mut self, from: i64, to: i64, span: Span) {
        for (done, spectrum) in self.done.iter_mut().zip(&self.spectra) {
            for ((done, x), turn) in done.iter_mut().zip(spectrum).zip(&self.turns) {
                *done = x * turn;
            }
            // What has no phase cannot be turned.
            let top = spectrum.len() - 1;
            (done[0], done[top]) = (spectrum[0], spectrum[top]);
        }
        let (size, frames) = (self.size, self.weight.len() as i64);
        let place = |i: usize| {
            let at = to - size as i64 / 2 + i as i64;
            let at = if self.sound.looped { at.rem_euclid(frames) } else { at };
            usize::try_from(at).ok().filter(|at| *at < frames as usize)
        };
        let scale = 1.0 / size as f64;
        let mut bins = vec![NOTHING; size];
        for (pair, result) in self.done.chunks(2).zip(self.result.chunks_mut(2)) {
            // Two channels in one.
            let turn = |x: Bin| Bin::new(-x.im, x.re);
            for k in 0..=size / 2 {
                let (a, b) = (pair[0][k], pair.get(1).map_or(NOTHING, |b| b[k]));
                bins[(size - k) % size] = a.conj() + turn(b.conj());
                bins[k] = a + turn(b);
            }
            self.back.process_with_scratch(&mut bins, &mut self.space);
            for (i, (bin, window)) in bins.iter().zip(&self.now).enumerate().filter(|(_, (_, window))| **window > 0.0) {
                let Some(at) = place(i) else { continue };
                for (result, x) in result.iter_mut().zip([bin.re, bin.im]) {
                    result[at] += (x * scale * window) as f32;
                }
            }
        }
        for (i, window) in self.now.iter().enumerate().filter(|(_, window)| **window > 0.0) {
            if let Some(at) = place(i) {
                self.weight[at] += (window * window) as f32;
            }
        }
        self.last = Some(Laid { from, to, span });
    }

    /// The result, made up for what of windows lies on each of its frames.
    fn finish(mut self) -> Vec<Vec<f32>> {
        for result in &mut self.result {
            for (x, weight) in result.iter_mut().zip(&self.weight) {
                *x /= weight.max(SCANTY);
            }
        }
        self.result
    }
}

/// The angle of a number, -π to π.
fn angle(x: Bin) -> f64 {
    let along = math::sqrt(x.norm_sqr()) + x.re;
    2.0 * math::atan(x.im / along.max(f64::MIN_POSITIVE))
}

/// An angle within half a turn of 0.
fn within(angle: f64) -> f64 {
    angle - TAU * (angle / TAU).round()
}

/// A window as a span leaves it.
fn shape(window: &[f64], span: Span, shaped: &mut [f64]) {
    let half = window.len() as i64 / 2;
    for (i, (shaped, window)) in shaped.iter_mut().zip(window).enumerate() {
        let at = i as i64 - half;
        let part = |gone: i64, over: i64| (gone as f64 / over as f64).clamp(0.0, 1.0);
        *shaped = window * part(at + 1 - span.first, span.rise) * part(span.last - at, span.fall);
    }
}

/// The power in each bin, all channels together.
fn powers(spectra: &[Vec<Bin>]) -> Vec<f64> {
    let mut powers = vec![0.0; spectra.first().map_or(0, Vec::len)];
    for spectrum in spectra {
        powers.iter_mut().zip(spectrum).for_each(|(power, bin)| *power += bin.norm_sqr());
    }
    powers
}

/// Bins with more power than the two on either side.
fn peaks(powers: &[f64]) -> Vec<usize> {
    let is_peak = |k: usize| {
        let around = k.saturating_sub(2)..(k + 3).min(powers.len());
        powers[k] > 0.0 && around.into_iter().all(|other| other == k || powers[other] < powers[k])
    };
    (0..powers.len()).filter(|k| is_peak(*k)).collect()
}

/// The bin with the least power between two peaks.
fn valley(powers: &[f64], one: usize, other: usize) -> usize {
    (one..other).min_by(|a, b| powers[*a].total_cmp(&powers[*b])).unwrap_or(other)
}
