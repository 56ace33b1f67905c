//! Which frame of a file sounds at which frame of the transport.

use std::ops::Range;
use std::sync::Arc;

use crate::form::{self, Placed};
use crate::kernel::QUANTUM;

/// A stretch of a file, placed on the transport.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The transport frame at which it starts; within spans, counted from the beginning of each.
    pub start: u64,
    /// The first frame of the file.
    pub from: u64,
    /// The frame of the file after the last.
    pub to: u64,
    /// Begins anew each time it ends.
    pub looped: bool,
    /// When it sounds, in order, anew each time; throughout without any.
    pub spans: Option<Arc<[Placed]>>,
}

/// Frames that follow each other in the file and on the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
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

    /// The transport frame after its last; `None` if it is looped and no span ends it.
    pub fn end(&self) -> Option<u64> {
        let whole = (!self.looped).then(|| self.start.saturating_add(self.length()));
        match &self.spans {
            None => whole,
            Some(spans) => {
                let end =
                    |span: &Placed| whole.map_or(span.end, |whole| span.end.min(span.begin.saturating_add(whole)));
                Some(spans.iter().map(end).max().unwrap_or(0))
            }
        }
    }

    /// Where it begins that sounds at a frame of the transport or will sound next, and the span that this is in. RT.
    pub fn beginning(&self, frame: u64) -> (u64, Option<Placed>) {
        match self.spans.as_ref().map(|spans| form::first_behind(spans, frame).copied()) {
            None => (self.start, None),
            Some(None) => (u64::MAX, None),
            Some(Some(span)) => (span.begin.saturating_add(self.start), Some(span)),
        }
    }

    /// Whether more would follow where a span ends: not where a loop goes on without a seam. RT.
    pub fn is_cut_by(&self, span: &Placed) -> bool {
        let sounds = span.end.saturating_sub(span.begin.saturating_add(self.start));
        let goes_on = || {
            let next = self.spans.as_ref().and_then(|spans| form::around(spans, span.end));
            self.start == 0 && sounds.is_multiple_of(self.length().max(1)) && next.is_some()
        };
        if self.looped { !goes_on() } else { sounds < self.length() }
    }

    /// The first quantum, counted from 0, in which it sounds.
    pub(super) fn first_quantum(&self) -> u64 {
        let begin = self.spans.as_ref().map_or(0, |spans| spans.first().map_or(0, |span| span.begin));
        begin.saturating_add(self.start) / QUANTUM as u64
    }

    /// The last quantum in which it sounds.
    pub(super) fn last_quantum(&self) -> Option<u64> {
        self.end().map(|end| end.saturating_sub(1) / QUANTUM as u64)
    }

    /// The runs of file frames that fall on the frames `stretch` of a buffer whose first frame is `transport`; where
    /// there is none it is silent. RT.
    pub(super) fn runs(&self, transport: u64, stretch: Range<usize>) -> impl Iterator<Item = Run> {
        let mut at = stretch.start;
        std::iter::from_fn(move || {
            let length = self.length();
            loop {
                let frame = transport.saturating_add(at as u64);
                let (begin, span) = self.beginning(frame);
                let end = span.map_or(u64::MAX, |span| span.end);
                at = at.saturating_add(begin.saturating_sub(frame).min(usize::MAX as u64) as usize);
                if at >= stretch.end || length == 0 {
                    return None;
                }
                let frame = transport + at as u64;
                let gone = frame - begin;
                if frame >= end || !self.looped && gone >= length {
                    // The next span has it from its beginning.
                    span?;
                    at = at.max((end - transport) as usize);
                    continue;
                }
                let gone = gone % length;
                let count = (length - gone).min((stretch.end - at) as u64).min(end - frame) as usize;
                let run = Run { at, frame: self.from + gone, count };
                at += count;
                return Some(run);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(region: &Region, transport: u64, stretch: Range<usize>) -> Vec<Option<u64>> {
        let mut found = vec![None; QUANTUM];
        for run in region.runs(transport, stretch) {
            for i in 0..run.count {
                found[run.at + i] = Some(run.frame + i as u64);
            }
        }
        found
    }

    #[test]
    fn within_spans_every_frame_counts_from_the_beginning_of_its_span() {
        let placed = |&(begin, end): &(u64, u64)| Placed { span: form::Span { begin: 0.0, end: 1.0 }, begin, end };
        let all: [&[(u64, u64)]; 5] = [
            &[(0, 90), (90, 120), (300, 500)],
            &[(70, 71)],
            &[(5, 5), (6, 400)],
            &[(10, 250), (260, 261), (261, 640)],
            &[],
        ];
        for spans in all {
            for (start, length, looped) in
                [(0, 100, false), (30, 40, false), (0, 7, true), (50, 33, true), (600, 5, true)]
            {
                let placed: Arc<[Placed]> = spans.iter().map(placed).collect();
                let region = Region { start, from: 10, to: 10 + length, looped, spans: Some(placed) };
                let at = |frame: u64| {
                    let (begin, _) = spans.iter().find(|(begin, end)| (*begin..*end).contains(&frame))?;
                    let gone = frame.checked_sub(begin + start)?;
                    (looped || gone < length).then_some(10 + gone % length)
                };
                let last = (0..640).filter(|frame| at(*frame).is_some()).max().map_or(0, |last| last + 1);
                assert!(region.end().is_some_and(|end| end >= last), "{region:?}");
                for transport in (0..640).step_by(QUANTUM) {
                    for stretch in [0..64, 0..17, 17..63] {
                        let sounds = |i: usize| at(transport + i as u64).filter(|_| stretch.contains(&i));
                        let expected: Vec<Option<u64>> = (0..QUANTUM).map(sounds).collect();
                        assert_eq!(frames(&region, transport, stretch), expected, "{region:?} at {transport}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_frame_is_a_function_of_the_transport_whatever_the_stretch() {
        let regions = [
            Region { start: 100, from: 10, to: 300, looped: false, spans: None },
            Region { start: 70, from: 5, to: 12, looped: true, spans: None },
            Region { start: 0, from: 0, to: 1, looped: true, spans: None },
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
                    assert_eq!(frames(&region, transport, stretch), expected, "{region:?} at {transport}");
                }
            }
        }
    }
}
