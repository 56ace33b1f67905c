//! What a source sounds in that knows nothing of spans: it is heard within them alone, and fades at their ends.

use std::sync::Arc;

use super::rise;
use crate::form::{self, Placed};
use crate::keep::{Keep, Ledger};
use crate::kernel::{Io, Kernel};
use crate::units::Clock;

/// How long a source fades where a span cuts it off, in milliseconds.
pub const FADE_MS: f64 = 5.0;

/// What is left of a sound that a span cuts off, at a frame of it: half a cosine down to silence at the last, over [`FADE_MS`]
/// or half of a shorter span. RT.
pub(super) fn cut(span: &Placed, frame: u64, fade: u64) -> f64 {
    rise((span.end - 1).saturating_sub(frame), fade.min((span.end - span.begin) / 2))
}

/// How many frames that fade has.
pub(super) fn fade(clock: &Clock) -> u64 {
    clock.frames(FADE_MS)
}

/// A source that is heard in spans.
pub struct Gate {
    kernel: Box<dyn Kernel>,
    spans: Arc<[Placed]>,
    fade: u64,
    /// Whether it comes in with a fade: it has no beginning of its own.
    fades_in: bool,
}

impl Gate {
    /// A source in its spans, which are in order; `begins` says that it has a beginning of its own in each.
    pub fn new(kernel: Box<dyn Kernel>, spans: Arc<[Placed]>, clock: &Clock, begins: bool) -> Self {
        Gate { kernel, spans, fade: fade(clock), fades_in: !begins }
    }

    /// What is let through at a frame. Nothing goes before the transport's beginning, so that nothing has to fade in there. RT.
    fn gain(&self, frame: u64) -> f64 {
        let Some(span) = form::around(&self.spans, frame) else { return 0.0 };
        let comes_in = match self.fades_in && span.begin > 0 {
            true => rise(frame - span.begin, self.fade.min((span.end - span.begin) / 2)),
            false => 1.0,
        };
        comes_in * cut(span, frame, self.fade)
    }

    /// Whether all is let through from one frame to another. RT.
    fn is_open(&self, first: u64, last: u64) -> bool {
        let open =
            |span: &Placed| span.end - 1 - last >= self.fade && (span.begin == 0 || first - span.begin >= self.fade);
        form::around(&self.spans, first).is_some_and(|span| last < span.end && open(span))
    }
}

impl Keep for Gate {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.kernel.keep(ledger);
    }
}

impl Kernel for Gate {
    fn process(&mut self, io: &mut Io<'_>) {
        if io.frames.is_empty() {
            return;
        }
        // While the transport stands still every frame is its first.
        let (transport, rolling) = (io.transport, io.rolling);
        let place = |i: usize| if rolling { transport.wrapping_add(i as u64) } else { transport };
        let (first, last) = (place(io.frames.start), place(io.frames.end - 1));
        if form::first_behind(&self.spans, first).is_none_or(|span| span.begin > last) {
            return;
        }
        self.kernel.process(io);
        if self.is_open(first, last) {
            return;
        }
        for channel in io.audio.iter_mut() {
            let frames = &mut channel[io.frames.clone()];
            frames.iter_mut().zip(io.frames.clone()).for_each(|(x, i)| *x *= self.gain(place(i)));
        }
    }

    fn reset(&mut self) {
        self.kernel.reset();
    }

    fn is_ready(&self, transport: u64) -> bool {
        self.kernel.is_ready(transport)
    }
}
