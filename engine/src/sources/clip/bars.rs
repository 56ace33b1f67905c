//! A clip that lasts a number of bars, whatever the tempo: each stretch of one tempo has a sound of its own, warped to it.
//!
//! The lines between which it goes once are those of the transport. Where the tempo changes between two of them it goes on, at
//! the same place of the music, in the sound for the new one. Where the tempo is on its way from one to another there are
//! sounds for a few tempos only: the nearest is read as fast as the music goes, and the next one is faded into.

use std::ops::Range;
use std::sync::Arc;

use crate::kernel::{Buffer, QUANTUM};
use crate::media::{Media, Run, lay};
use crate::sampler::sinc::{Kernel, Sinc, TAPS};
use crate::tempo::{Laps, Tempo};

/// Seconds in which a sound for another tempo comes in while the tempo is on its way.
const CROSSING: f64 = 0.005;

/// Where such a clip lies on the transport.
pub(super) struct Bars {
    tempo: Tempo,
    /// The bar it starts at, and how many it lasts.
    laps: Laps,
    looped: bool,
    stretches: Vec<Stretch>,
    /// Reads between frames.
    between: &'static Kernel,
}

/// A stretch of the transport with one tempo, or with one near to that for which its sound is, and that sound.
struct Stretch {
    begin: i64,
    end: i64,
    media: Arc<Media>,
    /// Whether the tempo moves in it, so that the sound is read at the place of the music.
    glides: bool,
}

/// A run of the sound of a stretch.
struct Found<'a> {
    media: &'a Media,
    frame: i64,
    count: i64,
}

/// How many frames a number of bars of a length has at most: where the lines lie between frames it is one less at times.
pub(super) fn frames(bars: f64, bar: f64) -> u64 {
    (bars * bar - 1e-6).ceil().max(1.0) as u64
}

impl Bars {
    /// A clip from a frame on; `media` are the sounds for the tempo's stretches, in order. Not RT.
    pub(super) fn new(tempo: Tempo, start: u64, bars: f64, looped: bool, media: &[Arc<Media>]) -> Bars {
        let bar = tempo.bar_at(start as i64);
        // The frame nearest to a bar's line is that line.
        let is_line = (bar - bar.round()).abs() * tempo.bar_length(start as i64) < 1.0;
        let begins: Vec<i64> = tempo.stretches().collect();
        let ends = begins.iter().skip(1).copied().chain([i64::MAX]);
        let mut stretches: Vec<Stretch> = Vec::new();
        for ((&begin, end), media) in begins.iter().zip(ends).zip(media) {
            let glides = tempo.glides_at(begin);
            match stretches.last_mut() {
                Some(last) if last.glides && glides && Arc::ptr_eq(&last.media, media) => last.end = end,
                _ => stretches.push(Stretch { begin, end, media: media.clone(), glides }),
            }
        }
        let laps = Laps { start: if is_line { bar.round() } else { bar }, bars };
        Bars { laps, looped, stretches, tempo, between: Sinc::tables().at(1.0) }
    }

    /// The frame at which it starts for the so-manieth time, the first being 0. RT.
    fn line(&self, time: f64) -> i64 {
        self.laps.line(&self.tempo, time)
    }

    /// How many frames it lasts the first time. RT.
    pub(super) fn length(&self) -> u64 {
        u64::try_from(self.line(1.0) - self.line(0.0)).unwrap_or(0)
    }

    /// Which stretch a frame lies in. RT.
    fn stretch(&self, frame: i64) -> Option<usize> {
        let index = self.stretches.iter().rposition(|stretch| stretch.begin <= frame);
        index.or((!self.stretches.is_empty()).then_some(0))
    }

    /// What sounds from a frame on that is not before the first; nothing after the end. RT.
    fn find(&self, frame: i64) -> Option<Found<'_>> {
        let Stretch { begin, end, media, .. } = self.stretches.get(self.stretch(frame)?)?;
        let time = self.laps.lap(&self.tempo, frame);
        if !self.looped && time >= 1.0 {
            return None;
        }
        let (first, last) = (self.line(time), self.line(time + 1.0));
        let length = media.frames() as i64;
        let place = match () {
            () if first >= *begin => frame - first,
            () if last <= *end => length - (last - frame),
            () => {
                let gone = (self.tempo.bar_at(*begin) - self.laps.start) / self.laps.bars - time;
                (gone * length as f64 + 0.5) as i64 + frame - begin
            }
        };
        Some(Found { media, frame: place.clamp(0, length - 1), count: last.min(*end) - frame })
    }

    /// The stretch before one, while the sound of that comes in at a frame, and how far it has come. RT.
    fn crossing(&self, index: usize, frame: i64) -> Option<(&Stretch, f64)> {
        let (here, before) = (self.stretches.get(index)?, self.stretches.get(index.checked_sub(1)?)?);
        let come = (frame - here.begin) as f64 / (CROSSING * self.tempo.rate());
        (here.glides && (0.0..1.0).contains(&come)).then_some((before, come))
    }

    /// A channel of a sound at the place of the music that a frame of a lap has. RT.
    fn sample(&self, media: &Media, channel: usize, frame: i64, lap: f64) -> f64 {
        let Some(channel) = media.memory().and_then(|memory| memory.get(channel)) else { return 0.0 };
        let gone = (self.tempo.bar_at(frame) - self.laps.start) / self.laps.bars - lap;
        let place = gone * channel.len() as f64;
        let first = place.floor() as i64 - TAPS as i64 / 2;
        let is_inside = first >= 0 && channel.len() as i64 > first + TAPS as i64;
        if is_inside {
            return self.between.read(channel, place);
        }
        let mut around = [0.0; TAPS + 1];
        for (x, at) in around.iter_mut().zip(first..) {
            let at = if self.looped { at.checked_rem_euclid(channel.len() as i64).unwrap_or(0) } else { at };
            *x = usize::try_from(at).ok().and_then(|at| channel.get(at)).copied().unwrap_or(0.0);
        }
        self.between.read(&around, place - first as f64)
    }

    /// Fills so many frames of each buffer, from the one at `at` on, which is a frame of the transport in a stretch that
    /// glides. RT.
    fn glide(&self, index: usize, (at, frame): (usize, i64), count: usize, channels: &[usize], audio: &mut [Buffer]) {
        let Some(here) = self.stretches.get(index) else { return };
        let lap = self.laps.lap(&self.tempo, frame);
        for (i, frame) in (at..at + count).zip(frame..) {
            let crossing = self.crossing(index, frame);
            for (buffer, &channel) in audio.iter_mut().zip(channels) {
                let mut x = self.sample(&here.media, channel, frame, lap);
                if let Some((before, come)) = crossing {
                    let old = self.sample(&before.media, channel, frame, lap);
                    x = old + (x - old) * come;
                }
                if let Some(out) = buffer.get_mut(i) {
                    *out = x;
                }
            }
        }
    }

    /// Whether the sound for the quantum at a transport frame is at hand; that of the next stretch is now asked for too. RT.
    pub(super) fn is_ready(&self, transport: u64) -> bool {
        let first = (transport as i64).max(self.line(0.0));
        let last = first.saturating_add(QUANTUM as i64 - 1);
        let (Some(here), Some(there)) = (self.stretch(first), self.stretch(last)) else { return true };
        if let Some(next) = self.stretches.get(there + 1) {
            next.media.is_at_hand();
        }
        let before = self.crossing(here, first).map(|(before, _)| before);
        let wanted = self.stretches[here..=there].iter().chain(before);
        wanted.filter(|stretch| !stretch.media.is_at_hand()).count() == 0
    }

    /// Fills `stretch` of each buffer with a channel of the sound, as `channels` lists them, counted from 0; `transport` is the
    /// frame of the buffers' first. RT.
    pub(super) fn read(&self, transport: u64, stretch: Range<usize>, channels: &[usize], audio: &mut [Buffer]) {
        let mut at = stretch.start;
        while at < stretch.end {
            let frame = (transport as i64).wrapping_add(at as i64);
            let wait = self.line(0.0).saturating_sub(frame);
            if wait > 0 {
                at = at.saturating_add(wait as usize);
                continue;
            }
            let Some(found) = self.find(frame) else { return };
            let count = found.count.clamp(1, (stretch.end - at) as i64) as usize;
            if let Some(index) = self.stretch(frame).filter(|index| self.stretches[*index].glides) {
                self.glide(index, (at, frame), count, channels, audio);
                at += count;
                continue;
            }
            let room = (found.media.frames() as i64 - found.frame).max(0) as usize;
            lay(found.media, Run { at, frame: found.frame as u64, count: count.min(room) }, channels, audio);
            at += count;
        }
    }
}
