//! A quantum of sound in each lane, frame by frame.

use super::{LANES, Mask, NONE, Wide, lanes_that};
use crate::kernel::{Buffer, QUANTUM};
use crate::wide::{Square, each, turn_squares, wide};

/// Channels that are brought in and out together, so many frames at a time: half of the lanes, and what one of the widest registers
/// holds.
const BLOCK: usize = LANES / 2;

/// Which buffer belongs to each lane, if any does.
pub type Places = [Option<usize>; LANES];

/// A quantum of sound in each lane.
pub struct Interleaved {
    frames: Box<[Wide; QUANTUM]>,
}

impl Default for Interleaved {
    /// Silence. Not RT.
    fn default() -> Self {
        Interleaved { frames: Box::new([NONE; QUANTUM]) }
    }
}

impl Interleaved {
    /// All frames, one after the other. RT.
    #[inline(always)]
    pub fn frames(&mut self) -> impl Iterator<Item = &mut [f64; LANES]> {
        self.frames.iter_mut().map(
            #[inline(always)]
            |frame| &mut frame.0,
        )
    }

    /// Brings a channel into a lane. RT.
    pub fn take(&mut self, lane: usize, channel: &Buffer) {
        self.frames.iter_mut().zip(channel).for_each(|(frame, x)| frame[lane] = *x);
    }

    /// What is in a lane. RT.
    pub fn give(&self, lane: usize, channel: &mut Buffer) {
        channel.iter_mut().zip(self.frames.iter()).for_each(|(x, frame)| *x = frame[lane]);
    }

    /// Brings buffers into their lanes. RT.
    pub fn take_all(&mut self, places: &Places, buffers: &[Buffer]) {
        for (block, places) in places.as_chunks::<BLOCK>().0.iter().enumerate() {
            let first = block * BLOCK;
            let channels = places.map(|place| place.and_then(|place| buffers.get(place)));
            if channels.iter().all(Option::is_some) {
                let channels = channels.map(|channel| channel.unwrap_or(&[0.0; QUANTUM]));
                if block == 0 { self.take_half::<0>(channels) } else { self.take_half::<1>(channels) }
            } else {
                let taken = (first..).zip(channels).filter_map(|(lane, channel)| Some((lane, channel?)));
                taken.for_each(|(lane, channel)| self.take(lane, channel));
            }
        }
    }

    /// Brings channels into neighbouring lanes, the first or the second half of them. RT.
    fn take_half<const HALF: usize>(&mut self, channels: [&Buffer; BLOCK]) {
        let (frames, _) = self.frames.as_chunks_mut::<BLOCK>();
        turn_squares(
            frames.len(),
            #[inline(always)]
            |at| {
                let mut rows = Square::default();
                for (row, channel) in rows.iter_mut().zip(channels) {
                    *row = part(channel, at);
                }
                rows
            },
            #[inline(always)]
            |at, columns| {
                for (frame, column) in frames[at].iter_mut().zip(columns) {
                    set_part(&mut frame.0, HALF, column);
                }
            },
        );
    }

    /// What is in lanes goes into their buffers. RT.
    pub fn give_all(&self, places: &Places, buffers: &mut [Buffer]) {
        for (block, places) in places.as_chunks::<BLOCK>().0.iter().enumerate() {
            let first = block * BLOCK;
            let channels = places.iter().all(Option::is_some).then(|| places.map(Option::unwrap_or_default));
            match channels.and_then(|channels| buffers.get_disjoint_mut(channels).ok()) {
                Some(channels) if block == 0 => self.give_half::<0>(channels),
                Some(channels) => self.give_half::<1>(channels),
                None => {
                    for (lane, place) in (first..).zip(places) {
                        if let Some(channel) = place.and_then(|place| buffers.get_mut(place)) {
                            self.give(lane, channel);
                        }
                    }
                }
            }
        }
    }

    /// What is in neighbouring lanes, the first or the second half of them, goes into channels. RT.
    fn give_half<const HALF: usize>(&self, mut channels: [&mut Buffer; BLOCK]) {
        let (frames, _) = self.frames.as_chunks::<BLOCK>();
        turn_squares(
            frames.len(),
            #[inline(always)]
            |at| {
                let mut rows = Square::default();
                for (row, frame) in rows.iter_mut().zip(&frames[at]) {
                    *row = part(&frame.0, HALF);
                }
                rows
            },
            #[inline(always)]
            |at, columns| {
                for (channel, column) in channels.iter_mut().zip(columns) {
                    set_part(*channel, at, column);
                }
            },
        );
    }

    /// Leaves silence in some lanes. RT.
    pub fn silence(&mut self, lanes: Mask) {
        for lane in (0..LANES).filter(|lane| lanes & 1 << lane != 0) {
            self.frames.iter_mut().for_each(|frame| frame[lane] = 0.0);
        }
    }

    /// The lanes in which there is nothing, to the last bit. RT.
    pub fn silent(&self) -> Mask {
        // Sound tells itself soon.
        let begins = lanes_that(|lane| self.frames[0][lane].to_bits() == 0);
        if begins == 0 {
            return 0;
        }
        let bits = self.fold(
            #[inline(always)]
            |x| x.to_bits(),
        );
        lanes_that(|lane| bits[lane] == 0)
    }

    /// The lanes in which there is nothing, or nothing with a sign. RT.
    pub fn zero(&self) -> Mask {
        let bits = self.fold(
            #[inline(always)]
            |x| x.to_bits(),
        );
        lanes_that(|lane| bits[lane] << 1 == 0)
    }

    /// The lanes in which all is finite numbers: nothing is left of those when they are multiplied by 0. RT.
    pub fn finite(&self) -> Mask {
        let nothing: [f64; LANES] = wide(
            #[inline(always)]
            || {
                const { assert!(QUANTUM.is_multiple_of(4)) };
                let mut sum = [0.0; LANES];
                // A sum, which has an order: bits that are joined in any would be gathered lane by lane. Four frames at a time, so
                // that few additions wait for each other.
                for [a, b, c, d] in self.frames.as_chunks::<4>().0 {
                    sum = each(
                        #[inline(always)]
                        |lane| sum[lane] + ((a[lane] * 0.0 + b[lane] * 0.0) + (c[lane] * 0.0 + d[lane] * 0.0)),
                    );
                }
                sum
            },
        );
        lanes_that(|lane| nothing[lane] == 0.0)
    }

    /// All bits that any frame has, by lane. RT.
    #[inline(always)]
    fn fold(&self, of: impl Fn(f64) -> u64) -> [u64; LANES] {
        wide(
            #[inline(always)]
            || {
                let mut bits = [0; LANES];
                for frame in self.frames.iter() {
                    for lane in 0..LANES {
                        bits[lane] |= of(frame[lane]);
                    }
                }
                bits
            },
        )
    }
}

/// One of the stretches that a block has. RT.
#[inline(always)]
fn part(all: &[f64], at: usize) -> [f64; BLOCK] {
    all.as_chunks::<BLOCK>().0.get(at).copied().unwrap_or_default()
}

/// RT.
#[inline(always)]
fn set_part(all: &mut [f64], at: usize, to: [f64; BLOCK]) {
    if let Some(part) = all.as_chunks_mut::<BLOCK>().0.get_mut(at) {
        *part = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_signals::noise;

    fn channels(count: usize) -> Vec<Buffer> {
        let of = |channel| {
            let mut sound = [0.0; QUANTUM];
            sound.copy_from_slice(&noise(channel as u64 + 1, QUANTUM));
            sound
        };
        (0..count).map(of).collect()
    }

    #[test]
    fn what_is_brought_into_lanes_lies_there_frame_by_frame_and_comes_out_the_same() {
        let buffers = channels(2 * LANES);
        // All lanes, all but some, and some of each block.
        for missing in [None, Some(3), Some(1)] {
            let has = |lane: usize| missing.is_none_or(|every| lane % (every + 1) != every);
            let places: Places = std::array::from_fn(|lane| has(lane).then_some(2 * LANES - 1 - 2 * lane));
            let mut sound = Interleaved::default();
            sound.take_all(&places, &buffers);
            for (frame, lanes) in sound.frames().enumerate() {
                for (lane, x) in lanes.iter().enumerate() {
                    assert_eq!(*x, places[lane].map_or(0.0, |place| buffers[place][frame]), "lane {lane}");
                }
            }
            let mut given = vec![[7.0; QUANTUM]; 2 * LANES];
            sound.give_all(&places, &mut given);
            for (place, (given, buffer)) in given.iter().zip(&buffers).enumerate() {
                let expected = if places.contains(&Some(place)) { *buffer } else { [7.0; QUANTUM] };
                assert_eq!(*given, expected, "buffer {place}");
            }
        }
    }

    #[test]
    fn lanes_tell_silence_from_what_has_but_a_sign_and_numbers_from_what_is_none() {
        let mut sound = Interleaved::default();
        let one = |at: usize, x: f64| {
            let mut channel = [0.0; QUANTUM];
            channel[at] = x;
            channel
        };
        for (lane, channel) in
            [one(0, 1.0), one(63, -0.0), one(0, -0.0), one(17, f64::NAN), one(63, f64::INFINITY)].iter().enumerate()
        {
            sound.take(lane, channel);
        }
        let all = (1 << LANES) - 1;
        assert_eq!(sound.silent(), all & !0b11111);
        assert_eq!(sound.zero(), all & !0b11001);
        assert_eq!(sound.finite(), all & !0b11000);
        sound.silence(0b11000);
        assert_eq!((sound.silent(), sound.finite()), (all & !0b111, all));
    }
}
