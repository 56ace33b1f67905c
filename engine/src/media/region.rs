//! Which frame of a file sounds at which frame of the transport.

use std::ops::Range;

use crate::kernel::QUANTUM;

/// A stretch of a file, placed on the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The transport frame at which it starts.
    pub start: u64,
    /// The first frame of the file.
    pub from: u64,
    /// The frame of the file after the last.
    pub to: u64,
    /// Begins anew each time it ends.
    pub looped: bool,
}

/// Frames that follow each other in the file and on the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Where they go, counted from the beginning of the buffer.
    pub at: usize,
    /// The first of them, in the file.
    pub frame: u64,
    /// How many.
    pub count: usize,
}

impl Region {
    /// How many frames it has.
    pub fn length(&self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    /// The transport frame after its last; `None` if it is looped.
    pub fn end(&self) -> Option<u64> {
        (!self.looped).then(|| self.start.saturating_add(self.length()))
    }

    /// The first quantum, counted from 0, in which it sounds.
    pub(super) fn first_quantum(&self) -> u64 {
        self.start / QUANTUM as u64
    }

    /// The last quantum in which it sounds.
    pub(super) fn last_quantum(&self) -> Option<u64> {
        self.end().map(|end| end.saturating_sub(1) / QUANTUM as u64)
    }

    /// The runs of file frames that fall on the frames `stretch` of a buffer whose first frame is `transport`; where
    /// there is none it is silent. RT.
    pub(super) fn runs(self, transport: u64, stretch: Range<usize>) -> impl Iterator<Item = Run> {
        let mut at = stretch.start;
        std::iter::from_fn(move || {
            let length = self.length();
            let wait = self.start.saturating_sub(transport.saturating_add(at as u64));
            at = at.saturating_add(wait.min(usize::MAX as u64) as usize);
            if at >= stretch.end || length == 0 {
                return None;
            }
            let gone = transport + at as u64 - self.start;
            if !self.looped && gone >= length {
                return None;
            }
            let gone = gone % length;
            let count = (length - gone).min((stretch.end - at) as u64) as usize;
            let run = Run { at, frame: self.from + gone, count };
            at += count;
            Some(run)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(region: Region, transport: u64, stretch: Range<usize>) -> Vec<Option<u64>> {
        let mut found = vec![None; QUANTUM];
        for run in region.runs(transport, stretch) {
            for i in 0..run.count {
                found[run.at + i] = Some(run.frame + i as u64);
            }
        }
        found
    }

    #[test]
    fn every_frame_is_a_function_of_the_transport_whatever_the_stretch() {
        let regions = [
            Region { start: 100, from: 10, to: 300, looped: false },
            Region { start: 70, from: 5, to: 12, looped: true },
            Region { start: 0, from: 0, to: 1, looped: true },
        ];
        for region in regions {
            for transport in (0..640).step_by(QUANTUM) {
                for stretch in [0..64, 0..17, 17..63, 63..64, 5..5] {
                    let expected: Vec<Option<u64>> = (0..QUANTUM)
                        .map(|i| {
                            let gone = (transport + i as u64).checked_sub(region.start)?;
                            let sounds = stretch.contains(&i) && (region.looped || gone < region.length());
                            sounds.then(|| region.from + gone % region.length())
                        })
                        .collect();
                    assert_eq!(frames(region, transport, stretch), expected, "{region:?} at {transport}");
                }
            }
        }
    }
}
