//! Delays of many frames, in lanes.

use super::{Circuit, Node};
use crate::keep::{Keep, Ledger};

/// The frames of memory of a delay.
fn frames(most: usize) -> usize {
    (most + 2).next_power_of_two()
}

impl Circuit {
    /// The frames of memory that all its delays have, for each of what is worked on side by side.
    pub(crate) fn remembers(&self) -> usize {
        let of = |node: &Node| if let Node::Delay { most, .. } = node { frames(*most) } else { 0 };
        self.nodes.iter().map(of).sum()
    }
}

/// One delay line in each of `L` lanes.
#[derive(Clone)]
pub(super) struct Delay<const L: usize> {
    most: f64,
    /// A power of two of frames.
    ring: Box<[[f64; L]]>,
    at: usize,
    /// Frames since each lane began: older ones are another note's.
    filled: [u64; L],
}

impl<const L: usize> Delay<L> {
    /// Silent. Not RT.
    pub(super) fn new(most: usize) -> Self {
        let ring = vec![[0.0; L]; frames(most)].into_boxed_slice();
        Delay { most: most as f64, ring, at: 0, filled: [0; L] }
    }

    /// Begins a note. RT.
    pub(super) fn reset(&mut self, lane: usize) {
        self.filled[lane] = 0;
    }

    /// A stretch of frames. RT.
    pub(super) fn run(&mut self, out: &mut [[f64; L]], of: &[[f64; L]], frames: &[[f64; L]]) {
        let mask = self.ring.len() - 1;
        for ((out, x), frames) in out.iter_mut().zip(of).zip(frames) {
            self.ring[self.at & mask] = *x;
            for lane in 0..L {
                let back = if frames[lane] > self.most { self.most } else { frames[lane] };
                // No number counts as 0.
                let back = if back > 0.0 { back } else { 0.0 };
                let whole = back as usize;
                let part = back - whole as f64;
                let ago = |frames: usize| {
                    let x = self.ring[self.at.wrapping_sub(frames) & mask][lane];
                    if frames as u64 <= self.filled[lane] { x } else { 0.0 }
                };
                let newer = ago(whole);
                out[lane] = if part == 0.0 { newer } else { newer + (ago(whole + 1) - newer) * part };
                self.filled[lane] += 1;
            }
            self.at = self.at.wrapping_add(1) & mask;
        }
    }
}

impl<const L: usize> Keep for Delay<L> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.ring.keep(ledger);
        let length = self.ring.len();
        ledger.index(&mut self.at, length);
        self.filled.keep(ledger);
    }
}
