//! Loudness: the K-weighted power of all channels in hops of 10 ms, and what ITU-R BS.1770-5, EBU Tech 3341 and 3342 make of
//! it.
//!
//! Momentary and short-term loudness are taken anew with each hop of 10 ms, so that their maxima do not depend on
//! where a programme begins. The blocks that are gated lie 100 ms apart as the standards say, and of each 100 ms one number is kept: 288 kB for an hour.

use std::ops::Range;

use super::blocks::Blocks;
use super::layout::Layout;
use super::weighting::{Memory, Weighting};
use super::{Extreme, louder};
use crate::math;

/// Hops a second.
const HOPS: u64 = 100;

/// The lowest rate, in Hz, at which loudness can be told.
const LOWEST_RATE: u32 = 8_000;

/// Hops in a tenth of a second; tenths in what momentary and short-term loudness are taken from.
const TENTH: u64 = 10;
const MOMENTARY: usize = 4;
pub(super) const SHORT: usize = 30;

/// Hops of which the sums are remembered: those of [`SHORT`] tenths.
const REMEMBERED: usize = SHORT * TENTH as usize;

/// Where absolute loudness is gated, in LUFS, and by how much what is quieter than the rest is, in LU.
const ABSOLUTE: f64 = -70.0;
const RELATIVE: f64 = -10.0;
const RELATIVE_OF_RANGE: f64 = -20.0;

/// What the standard adds to 10 lg of the power.
const OFFSET: f64 = -0.691;

/// The loudness of a mean power in LUFS.
pub(super) fn lufs(power: f64) -> f64 {
    OFFSET + math::db_from_gain(power) / 2.0
}

/// The mean power that has this loudness.
fn power(lufs: f64) -> f64 {
    math::gain_from_db(2.0 * (lufs - OFFSET))
}

/// The mean power at which the absolute gate stands.
pub(super) fn gate() -> f64 {
    power(ABSOLUTE)
}

/// The loudness of a sound so far.
#[derive(Clone, Debug)]
pub(super) struct Loudness {
    rate: u64,
    weighting: Weighting,
    pairs: Vec<Group<2>>,
    last: Option<Group<1>>,
    /// The frame that is next, and the hop that it is in.
    frames: u64,
    hops: u64,
    /// The hops that count: all, but for a part of a sound.
    counted: Range<u64>,
    /// Of the last hops: the power of each, and of the ten that end with it.
    hop: [f64; TENTH as usize],
    tenth: Vec<f64>,
    /// The sum of powers in each tenth of a second from the first that is known on.
    first: usize,
    tenths: Vec<f64>,
    momentary: Option<Extreme>,
    short_term: Option<Extreme>,
}

/// Channels that are filtered side by side.
#[derive(Clone, Debug)]
struct Group<const N: usize> {
    channels: [usize; N],
    weights: [f64; N],
    memory: Memory<N>,
    sums: [f64; N],
}

impl<const N: usize> Group<N> {
    fn new(members: [(usize, f64); N]) -> Self {
        let (channels, weights) = (members.map(|member| member.0), members.map(|member| member.1));
        Group { channels, weights, memory: Memory::default(), sums: [0.0; N] }
    }

    fn run(&mut self, weighting: &Weighting, (blocks, block): (&Blocks, u64), stretch: Range<usize>) {
        let sound = self.channels.map(|channel| &blocks.get(channel, block)[stretch.clone()]);
        weighting.run(&mut self.memory, sound, &mut self.sums);
    }

    /// The weighted sum, which begins again.
    fn end(&mut self) -> f64 {
        let weighted = self.sums.iter().zip(&self.weights).map(|(sum, weight)| sum * weight).sum();
        self.sums = [0.0; N];
        weighted
    }
}

impl Loudness {
    /// None for a layout whose weights nobody knows, and at a rate that has no room for the weighting.
    /// The first frame to come has this number, and the maxima are those of these seconds.
    pub(super) fn new(rate: u32, layout: &Layout, frames: u64, seconds: &Range<u64>) -> Option<Loudness> {
        if rate < LOWEST_RATE {
            return None;
        }
        let weights = layout.weights()?.iter().copied().enumerate();
        let heard: Vec<(usize, f64)> = weights.filter(|(_, weight)| *weight > 0.0).collect();
        let (pairs, last) = heard.as_chunks::<2>();
        let hops = ((frames + 1) * HOPS).div_ceil(rate.into()) - 1;
        Some(Loudness {
            rate: rate.into(),
            weighting: Weighting::new(rate.into()),
            pairs: pairs.iter().map(|pair| Group::new(*pair)).collect(),
            last: last.first().map(|one| Group::new([*one])),
            frames,
            hops,
            counted: seconds.start * HOPS..seconds.end.saturating_mul(HOPS),
            hop: [0.0; TENTH as usize],
            tenth: vec![0.0; REMEMBERED],
            first: (hops / TENTH) as usize,
            tenths: Vec::new(),
            momentary: None,
            short_term: None,
        })
    }

    /// The frame with which a hop begins.
    fn start(&self, hop: u64) -> u64 {
        hop * self.rate / HOPS
    }

    /// The frame with which a tenth of a second begins.
    pub(super) fn start_of_tenth(&self, tenth: usize) -> u64 {
        self.start(tenth as u64 * TENTH)
    }

    /// Takes the first frames of a block.
    pub(super) fn take(&mut self, blocks: &Blocks, block: u64, length: usize) {
        let mut at = 0;
        while at < length {
            let until = self.start(self.hops + 1);
            let count = (length - at).min((until - self.frames) as usize);
            for pair in &mut self.pairs {
                pair.run(&self.weighting, (blocks, block), at..at + count);
            }
            if let Some(last) = &mut self.last {
                last.run(&self.weighting, (blocks, block), at..at + count);
            }
            at += count;
            self.frames += count as u64;
            if self.frames == until {
                self.end_hop();
            }
        }
    }

    fn end_hop(&mut self) {
        let pairs: f64 = self.pairs.iter_mut().map(Group::end).sum();
        let sum = pairs + self.last.as_mut().map_or(0.0, Group::end);
        let hop = self.hops;
        self.hop[(hop % TENTH) as usize] = sum * self.weighting.power();
        self.tenth[hop as usize % REMEMBERED] = self.hop.iter().sum();
        self.hops += 1;
        if self.hops.is_multiple_of(TENTH) {
            self.tenths.push(self.tenth[hop as usize % REMEMBERED]);
        }
        if self.hops <= self.counted.start || self.hops > self.counted.end {
            return;
        }
        for (tenths, most) in [(MOMENTARY, 0), (SHORT, 1)] {
            let Some((power, frame)) = self.now(tenths) else { continue };
            let most = if most == 0 { &mut self.momentary } else { &mut self.short_term };
            if most.is_none_or(|most| power > most.value) {
                *most = Some(Extreme { value: power, frame });
            }
        }
    }

    /// The mean power of the tenths that end with the last whole hop, and where they began.
    fn now(&self, tenths: usize) -> Option<(f64, u64)> {
        let first = self.hops.checked_sub(tenths as u64 * TENTH)?;
        let ends = (0..tenths as u64).map(|n| first + (n + 1) * TENTH - 1);
        let sum: f64 = ends.map(|hop| self.tenth[hop as usize % REMEMBERED]).sum();
        let from = self.start(first);
        Some((sum / (self.start(self.hops) - from) as f64, from))
    }

    /// Momentary and short-term loudness at this moment, of which the last may be unheard.
    pub(super) fn readings(&self) -> [Option<f64>; 2] {
        [MOMENTARY, SHORT].map(|tenths| self.now(tenths).and_then(|(power, _)| audible(power)))
    }

    /// The largest momentary and short-term loudness.
    pub(super) fn maxima(&self) -> [Option<Extreme>; 2] {
        [self.momentary, self.short_term]
            .map(|most| most.and_then(|Extreme { value, frame }| Some(Extreme { value: audible(value)?, frame })))
    }

    /// Whole tenths of a second so far.
    pub(super) fn count(&self) -> usize {
        self.first + self.tenths.len()
    }

    /// Whether three seconds that end before this tenth count.
    pub(super) fn counts(&self, end: usize) -> bool {
        let hop = end as u64 * TENTH;
        hop > self.counted.start && hop <= self.counted.end
    }

    /// Takes what another has found of the part before.
    pub(super) fn after(&mut self, before: &mut Loudness) {
        let joint = (self.counted.start / TENTH) as usize;
        let mut tenths = std::mem::take(&mut before.tenths);
        tenths.truncate(joint.saturating_sub(before.first));
        tenths.extend_from_slice(self.tenths.get(joint.saturating_sub(self.first)..).unwrap_or_default());
        (self.first, self.tenths) = (before.first, tenths);
        self.counted.start = before.counted.start;
        self.momentary = louder(before.momentary, self.momentary);
        self.short_term = louder(before.short_term, self.short_term);
    }

    /// The mean power of so many tenths that end before this one.
    pub(super) fn mean(&self, tenths: usize, end: usize) -> Option<f64> {
        let first = end.checked_sub(tenths)?;
        let sum: f64 = self.tenths.get(first.checked_sub(self.first)?..end - self.first)?.iter().sum();
        Some(sum / (self.start_of_tenth(end) - self.start_of_tenth(first)) as f64)
    }

    /// The mean powers of all so many neighbouring tenths.
    fn means(&self, tenths: usize) -> impl Iterator<Item = f64> {
        (tenths..=self.count()).filter_map(move |end| self.mean(tenths, end))
    }

    /// Momentary and short-term loudness at the end of each tenth of a second.
    pub(super) fn history(&self) -> impl Iterator<Item = [Option<f64>; 2]> {
        (1..=self.count()).map(|end| [MOMENTARY, SHORT].map(|tenths| self.mean(tenths, end).and_then(audible)))
    }
}

/// The loudness of a mean power that is not silence.
fn audible(power: f64) -> Option<f64> {
    (power > 0.0).then(|| lufs(power))
}

/// Integrated loudness of several sounds as one, in LUFS: none where nothing is above the gates.
pub(super) fn integrated(sounds: &[&Loudness]) -> Option<f64> {
    let above: Vec<f64> =
        sounds.iter().flat_map(|sound| sound.means(MOMENTARY)).filter(|block| *block > gate()).collect();
    let gate = mean(above.iter().copied())? * math::gain_from_db(2.0 * RELATIVE);
    mean(above.into_iter().filter(|block| *block > gate)).map(lufs)
}

/// The loudness range of several sounds as one, in LU. No silence is added at the end.
pub(super) fn range(sounds: &[&Loudness]) -> Option<f64> {
    let mut blocks: Vec<f64> =
        sounds.iter().flat_map(|sound| sound.means(SHORT)).filter(|block| *block >= gate()).collect();
    let gate = mean(blocks.iter().copied())? * math::gain_from_db(2.0 * RELATIVE_OF_RANGE);
    blocks.retain(|block| *block >= gate);
    blocks.sort_by(f64::total_cmp);
    let at = |part: f64| blocks.get(((blocks.len() - 1) as f64 * part).round() as usize);
    Some(lufs(*at(0.95)?) - lufs(*at(0.1)?))
}

fn mean(powers: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = powers.fold((0_u64, 0.0), |(count, sum), power| (count + 1, sum + power));
    (count > 0).then(|| sum / count as f64)
}
