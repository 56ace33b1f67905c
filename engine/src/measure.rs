//! Measuring: takes a sound, of any length and in any pieces, and gives its [`Figures`]. Nothing here is RT: a playing desk passes
//! copies of its sound on to where there is time.
//!
//! ```text
//! frames ── Blocks ── cleaned, a block of 64 at a time ──┬── Levels    samples, sums of samples and products
//!           3 s                                          ├── Loudness  K-weighted power in hops of 10 ms
//!                                                        └── Peaks     between samples, where it can matter
//! ```
//!
//! Memory: the newest three seconds, and 288 kB for each hour of loudness, however many channels there are. What is
//! measured does not depend on the pieces in which a sound comes. [`Spectrum`] and [`ballistics`] are for looking: what they
//! tell is no figure of a whole.

pub mod ballistics;
mod blocks;
mod layout;
mod levels;
mod loudness;
mod peaks;
mod spectrum;
#[cfg(test)]
mod tests;
mod weighting;

use std::ops::Range;

use crate::denormals::flushed;
use crate::figure::Figure;
use crate::math;

use blocks::Blocks;
use levels::Levels;
use loudness::Loudness;
use peaks::Peaks;

pub use layout::Layout;
pub use spectrum::{Spectrum, THIRD_OCTAVES};

/// Seconds of each part of a sound that is measured in parts: a whole number of blocks and of hops at any rate.
const PART: u64 = 64;

/// Seconds that a part hears before.
const LEAD: u64 = 4;

/// A figure that was found at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extreme {
    /// Its value.
    pub value: f64,
    /// The frame at which what it was taken from began; that of the sample for a peak.
    pub frame: u64,
}

/// Everything that was measured of a sound. What does not exist, as the loudness of silence, is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Frames a second.
    pub rate: u32,
    /// Channels.
    pub channels: usize,
    /// Frames.
    pub frames: u64,
    /// Integrated loudness in LUFS.
    pub integrated: Option<f64>,
    /// Loudness range in LU.
    pub range: Option<f64>,
    /// The largest momentary loudness in LUFS.
    pub momentary: Option<Extreme>,
    /// The largest short-term loudness in LUFS.
    pub short_term: Option<Extreme>,
    /// The largest true peak in dBTP.
    pub true_peak: Option<Extreme>,
    /// The largest sample in dBFS.
    pub sample_peak: Option<Extreme>,
    /// In dBFS; a full-scale sine reads -3.01.
    pub rms: Option<f64>,
    /// True peak less integrated loudness, in LU.
    pub plr: Option<f64>,
    /// The smallest true peak of 3 s less their loudness, in LU.
    pub psr: Option<Extreme>,
    /// Of the first two channels, -1 to 1; none for mono, or where one of them is silent.
    pub correlation: Option<f64>,
    /// The mean of the channel that is farthest off centre.
    pub dc_offset: f64,
    /// Samples at or beyond full scale, and the frame of the first.
    pub clipped: (u64, Option<u64>),
    /// Samples that are no finite numbers, and the first: they were measured as silence.
    pub broken: (u64, Option<u64>),
}

impl Figures {
    /// The value of a figure, and the frame at which it stood if it stood at one. [`Figure::GainReduction`] is none of a
    /// sound's.
    pub fn get(&self, figure: Figure) -> Option<(f64, Option<u64>)> {
        let at = |extreme: Option<Extreme>| extreme.map(|extreme| (extreme.value, Some(extreme.frame)));
        let all = |value: Option<f64>| value.map(|value| (value, None));
        match figure {
            Figure::Lufs => all(self.integrated),
            Figure::Momentary => at(self.momentary),
            Figure::ShortTerm => at(self.short_term),
            Figure::LoudnessRange => all(self.range),
            Figure::TruePeak => at(self.true_peak),
            Figure::SamplePeak => at(self.sample_peak),
            Figure::Rms => all(self.rms),
            Figure::Plr => all(self.plr),
            Figure::Psr => at(self.psr),
            Figure::Correlation => all(self.correlation),
            Figure::DcOffset => all(Some(self.dc_offset)),
            Figure::ClippedSamples => Some((self.clipped.0 as f64, self.clipped.1)),
            Figure::GainReduction => None,
        }
    }
}

/// What a meter shows of a sound that goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Readings {
    /// Loudness of the last 0.4 s in LUFS.
    pub momentary: Option<f64>,
    /// Loudness of the last 3 s in LUFS.
    pub short_term: Option<f64>,
    /// The largest true peak since readings were last taken, in dBTP; of the last 3 s if that is longer ago.
    pub true_peak: Option<f64>,
    /// The largest sample since then, in dBFS.
    pub sample_peak: Option<f64>,
    /// RMS since then, in dBFS.
    pub rms: Option<f64>,
    /// Correlation since then.
    pub correlation: Option<f64>,
}

/// Loudness at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// The frame at whose beginning it is read.
    pub frame: u64,
    /// Momentary loudness in LUFS.
    pub momentary: Option<f64>,
    /// Short-term loudness in LUFS.
    pub short_term: Option<f64>,
}

/// A sound that is being measured.
#[derive(Clone, Debug)]
pub struct Measurement {
    rate: u32,
    layout: Layout,
    full_scale: f64,
    frames: u64,
    /// The blocks that count: all, but for a part of a sound.
    counted: Range<u64>,
    blocks: Blocks,
    levels: Levels,
    loudness: Option<Loudness>,
    peaks: Peaks,
    /// Where the peaks of a block's channels are put.
    samples: Vec<f64>,
}

impl Measurement {
    /// Measures a sound of this rate, in Hz and above 0, and layout. Loudness is none where the layout gives no weights, and
    /// below 8 kHz.
    pub fn new(rate: u32, layout: Layout) -> Measurement {
        Measurement::of_part(rate, layout, 0, 0..u64::MAX / u64::from(rate))
    }

    /// Measures a part of a sound from its seconds' beginning to their end, of which the first frame to come has this number.
    fn of_part(rate: u32, layout: Layout, frames: u64, seconds: Range<u64>) -> Measurement {
        let channels = layout.channels();
        let blocks = Blocks::new(rate, channels, frames);
        let loudness = Loudness::new(rate, &layout, frames, &seconds);
        let block = |second: u64| second.saturating_mul(rate.into()) / blocks::BLOCK as u64;
        let counted = block(seconds.start)..block(seconds.end);
        Measurement {
            rate,
            full_scale: 1.0,
            frames,
            levels: Levels::new(channels, 1.0),
            peaks: Peaks::new(&blocks, channels, counted.clone(), loudness.as_ref().map_or(0, Loudness::count) + 1),
            loudness,
            counted,
            samples: vec![0.0; channels],
            blocks,
            layout,
        }
    }

    /// From which sample on it counts as clipped, 1 unless said: sound that was held in 16 bits is full at 32 767 / 32 768.
    /// To be said before the first frame.
    pub fn full_scale(mut self, sample: f64) -> Measurement {
        self.full_scale = sample;
        self.levels = Levels::new(self.layout.channels(), sample);
        self
    }

    /// Forgets all sound.
    pub fn reset(&mut self) {
        *self = Measurement::new(self.rate, self.layout.clone()).full_scale(self.full_scale);
    }

    /// The layout that it was made with.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Frames taken so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Takes frames: as many of each channel, one after the other, as the layout has channels. Fewer channels, or of
    /// different lengths, are taken as far as all have them.
    pub fn take(&mut self, sound: &[impl AsRef<[f64]>]) {
        let channels = self.layout.channels();
        if channels == 0 || sound.len() < channels {
            return;
        }
        let sound = &sound[..channels];
        let length = sound.iter().map(|channel| channel.as_ref().len()).min().unwrap_or(0);
        flushed(|| {
            let mut at = 0;
            while at < length {
                let count = self.blocks.take(sound, at);
                at += count;
                self.frames += count as u64;
                if self.blocks.rest() == 0 {
                    self.whole(blocks::BLOCK);
                }
            }
        });
    }

    /// Measures the block that has become whole, of which so many frames are sound.
    fn whole(&mut self, frames: usize) {
        let block = self.blocks.count() - 1;
        let counts = self.counted.contains(&block);
        self.levels.take(&mut self.blocks, (block, counts), frames, &mut self.samples);
        self.peaks.take(&self.blocks, block, &self.samples);
        if let Some(loudness) = &mut self.loudness {
            loudness.take(&self.blocks, block, frames);
            self.peaks.judge(&self.blocks, loudness);
        }
    }

    /// Takes what has come of the last block, and what a converter makes of the end.
    fn end(&mut self) {
        flushed(|| {
            let rest = self.blocks.rest();
            self.blocks.fill();
            self.whole(rest);
            self.blocks.fill();
            self.whole(0);
        });
    }

    /// The same with its end.
    fn ended(&self) -> Measurement {
        let mut ended = self.clone();
        ended.end();
        ended
    }

    /// Everything that can be told of what was taken so far.
    pub fn figures(&self) -> Figures {
        figures(&[&self.ended()])
    }

    /// The same of a sound that is over, without a copy of what was kept of it.
    pub fn into_figures(mut self) -> Figures {
        self.end();
        figures(&[&self])
    }

    /// What a meter shows now.
    pub fn readings(&mut self) -> Readings {
        let [momentary, short_term] = self.loudness.as_ref().map_or([None; 2], Loudness::readings);
        let levels = &mut self.levels;
        let readings = Readings {
            momentary,
            short_term,
            true_peak: decibels(self.peaks.recent(&self.blocks).max(levels.recent_peak)),
            sample_peak: decibels(levels.recent_peak),
            rms: levels.recent.square().and_then(|square| decibels(math::sqrt(square))),
            correlation: levels.recent.correlation(),
        };
        levels.recent.clear();
        levels.recent_peak = 0.0;
        readings
    }

    /// Loudness at the end of each tenth of a second so far.
    pub fn history(&self) -> Vec<Moment> {
        let Some(loudness) = &self.loudness else { return Vec::new() };
        let moments = loudness.history().enumerate();
        moments
            .map(|(i, [momentary, short_term])| Moment { frame: loudness.start_of_tenth(i + 1), momentary, short_term })
            .collect()
    }
}

/// The parts in which a sound of so many frames may be measured side by side: each is to be given the frames of its range, and
/// all of them to [`joined`]. Where it is cut depends on its length alone, and of a sound up to 64 seconds there is one
/// part.
///
/// A part hears four seconds before those that count: three that its first short-term loudness is taken from, and one in which the filters
/// forget (what was before falls by 60 dB in 29 ms). After its end it hears so much that the points between frames are known.
pub fn parts(
    rate: u32,
    layout: &Layout,
    full_scale: f64,
    frames: u64,
) -> impl Iterator<Item = (Measurement, Range<u64>)> {
    let second = u64::from(rate);
    let count = frames.div_ceil(PART * second).max(1);
    let part = move |n: u64| {
        let is_last = n + 1 == count;
        let seconds = n * PART..if is_last { u64::MAX / second } else { (n + 1) * PART };
        let block = blocks::BLOCK as u64;
        let from = (seconds.start * second).saturating_sub(LEAD * second) / block * block;
        let to = if is_last { frames } else { (seconds.end * second + 2 * block).min(frames) };
        (Measurement::of_part(rate, layout.clone(), from, seconds).full_scale(full_scale), from..to)
    };
    (0..count).map(part)
}

/// One sound of its parts, in their order, or as many as there are yet; none of none.
pub fn joined(parts: impl IntoIterator<Item = Measurement>) -> Option<Measurement> {
    parts.into_iter().reduce(|mut before, mut part| {
        part.counted.start = before.counted.start;
        part.levels.after(&before.levels);
        part.peaks.after(&before.peaks);
        if let (Some(loudness), Some(before)) = (&mut part.loudness, &mut before.loudness) {
            loudness.after(before);
        }
        part
    })
}

/// The larger of two, the earlier if they are equal.
fn louder(before: Option<Extreme>, after: Option<Extreme>) -> Option<Extreme> {
    match (before, after) {
        (Some(before), Some(after)) => Some(if after.value > before.value { after } else { before }),
        (before, after) => before.or(after),
    }
}

/// The figures of several sounds of the same rate and number of channels as one, each gated in its own blocks: what an
/// album's loudness is. Frames are counted on from one to the next. None of no sound, or where they differ.
pub fn album(sounds: &[&Measurement]) -> Option<Figures> {
    let first = sounds.first()?;
    let same = |sound: &&Measurement| sound.rate == first.rate && sound.layout.channels() == first.layout.channels();
    let ended: Vec<Measurement> = sounds.iter().copied().filter(|sound| same(sound)).map(Measurement::ended).collect();
    (ended.len() == sounds.len()).then(|| figures(&ended.iter().collect::<Vec<_>>()))
}

/// The figures of sounds that have ended, of which there is at least one.
fn figures(sounds: &[&Measurement]) -> Figures {
    let loudness: Vec<&Loudness> = sounds.iter().filter_map(|sound| sound.loudness.as_ref()).collect();
    let starts = || {
        sounds.iter().scan(0, |next, sound| {
            let start = *next;
            *next += sound.frames;
            Some((start, *sound))
        })
    };
    let best = |of: &dyn Fn(&Measurement) -> Option<Extreme>, sign: f64| {
        let found = starts().filter_map(|(start, sound)| {
            let Extreme { value, frame } = of(sound)?;
            Some(Extreme { value, frame: start + frame })
        });
        found.reduce(|best, one| if sign * one.value > sign * best.value { one } else { best })
    };
    let counted = |of: &dyn Fn(&Measurement) -> (u64, Option<u64>)| {
        let first = starts().find_map(|(start, sound)| Some(start + of(sound).1?));
        (sounds.iter().map(|sound| of(sound).0).sum(), first)
    };
    let in_decibels = |extreme: Option<Extreme>| {
        extreme.map(|extreme| Extreme { value: math::db_from_gain(extreme.value), ..extreme })
    };
    let maximum = |which: usize| best(&|sound| sound.loudness.as_ref()?.maxima()[which], 1.0);
    let mut sums = sounds[0].levels.all.clone();
    for sound in &sounds[1..] {
        sums.add(&sound.levels.all);
    }
    let integrated = loudness::integrated(&loudness);
    let true_peak = in_decibels(best(&|sound| sound.peaks.top.or(sound.levels.peak), 1.0));
    let ratio = best(&|sound| sound.peaks.ratio, -1.0);
    Figures {
        rate: sounds[0].rate,
        channels: sounds[0].layout.channels(),
        frames: sounds.iter().map(|sound| sound.frames).sum(),
        integrated,
        range: loudness::range(&loudness),
        momentary: maximum(0),
        short_term: maximum(1),
        true_peak,
        sample_peak: in_decibels(best(&|sound| sound.levels.peak, 1.0)),
        rms: sums.square().map(|square| math::db_from_gain(square) / 2.0),
        plr: integrated.zip(true_peak).map(|(integrated, peak)| peak.value - integrated),
        psr: ratio.map(|Extreme { value, frame }| Extreme { value: -loudness::lufs(1.0 / value), frame }),
        correlation: sums.correlation(),
        dc_offset: sums.offset(),
        clipped: counted(&|sound| sound.levels.clipped),
        broken: counted(&|sound| sound.levels.broken),
    }
}

/// A level in dB of what is not silence.
fn decibels(gain: f64) -> Option<f64> {
    (gain > 0.0).then(|| math::db_from_gain(gain))
}
