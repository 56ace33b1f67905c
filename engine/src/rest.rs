//! Rest: works that take silence, give silence and would go on so for ever cost nothing until something comes.
//!
//! What a kernel gives is a function of its state, its input, its numbers and the transport; the state is what it keeps (see
//! [`crate::keep`]). So if a quantum of silence came out as silence, left every bit of the state as it was and nothing
//! moves, the next one will do the same, and to pass the work by changes no bit. That is found out by looking: the state is
//! noted, and compared a quantum later. The transport sways only what kernels read from their lines, and a line at rest is
//! silent at every place: it counts how long silence has been written, so that to ask costs nothing. What turns with the
//! transport ([`crate::wheel`]) rests while that goes on, once it is in its place, and is put there again when it wakes.
//!
//! What rings would take minutes to fall to the smallest number there is; loops take what is below `SPENT` as nothing.

use crate::keep::Ledger;

/// What rings below this amplitude, -400 dBFS, is over.
const SPENT: f64 = 1e-20;

/// What goes on ringing: nothing, once it is over. RT.
#[inline(always)]
pub fn spent(x: f64) -> f64 {
    if x.abs() < SPENT { 0.0 } else { x }
}

/// Whether there is nothing in it, to the last bit. RT.
pub fn is_silent(frames: &[f64]) -> bool {
    // Sound tells itself soon.
    let begins = frames.first().is_none_or(|x| x.to_bits() == 0);
    begins && frames.chunks(64).all(|chunk| chunk.iter().fold(0, |bits, x| bits | x.to_bits()) == 0)
}

/// Every so many quanta of silence the state is looked at: seldom enough that to look costs nothing, however large it is.
const PATIENCE: u32 = 128;

/// Whether one work rests, and what is known of its state.
pub struct Rest {
    noted: Ledger,
    /// Quanta of silence in a row.
    quiet: u32,
    is_noted: bool,
    rests: bool,
}

impl Rest {
    /// Awake; `state` writes the state down. Not RT.
    pub fn new(state: impl FnOnce(&mut Ledger)) -> Self {
        Rest { noted: Ledger::noting(state), quiet: 0, is_noted: false, rests: false }
    }

    /// Whether the next quantum of silence will come out as silence and change nothing. RT.
    pub fn rests(&self) -> bool {
        self.rests
    }

    /// Something has come in or gone out, or has changed. RT.
    pub fn wake(&mut self) {
        (self.quiet, self.is_noted, self.rests) = (0, false, false);
    }

    /// A quantum of silence was worked on and came out as silence, with nothing moving. RT.
    pub fn watch(&mut self, state: impl FnOnce(&mut Ledger)) {
        self.quiet = self.quiet.saturating_add(1);
        if self.is_noted {
            self.rests = self.noted.is_as_noted(state);
            self.is_noted = false;
        } else if !self.rests && self.quiet.is_multiple_of(PATIENCE) {
            self.is_noted = self.noted.note(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delay_line::DelayLine;
    use crate::keep::Keep;

    /// Quanta of silence until something rests, of at most so many; `step` is what it does in each.
    fn until_rest<T: Keep>(mut thing: T, most: usize, mut step: impl FnMut(&mut T)) -> Option<usize> {
        let mut rest = Rest::new(|ledger| thing.keep(ledger));
        (1..=most).find(|_| {
            step(&mut thing);
            assert_no_alloc::assert_no_alloc(|| rest.watch(|ledger| thing.keep(ledger)));
            rest.rests()
        })
    }

    #[test]
    fn what_stays_rests_and_what_changes_does_not() {
        assert_eq!(until_rest((1.0, -0.0), 1000, |_| {}), Some(129));
        assert_eq!(until_rest((1.0, 0u64), 1000, |(_, n)| *n += 1), None);
        // Counted down to 0 in the 200th quantum: noted in the 256th.
        assert_eq!(until_rest((1.0, 200u64), 1000, |(_, n)| *n = n.saturating_sub(1)), Some(257));
    }

    #[test]
    fn a_line_rests_when_it_is_silent_everywhere() {
        let mut line = DelayLine::new(40_000);
        line.write(1.0);
        let rests = until_rest(line, 5000, |line| (0..64).for_each(|_| line.write(0.0)));
        // 65 536 frames until the one is gone: in quantum 1024, in which it was just noted.
        assert_eq!(rests, Some(1025));
        assert_eq!(until_rest(DelayLine::new(40_000), 1000, |line| line.write(0.0)), Some(129));
    }

    #[test]
    fn what_grows_beyond_its_room_never_rests() {
        let list = std::collections::VecDeque::<f64>::with_capacity(100_000);
        let grown = until_rest(list, 1000, |list| {
            if list.len() < 100_000 {
                list.resize(100_000, 0.0);
            }
        });
        assert_eq!(grown, None);
        assert_eq!(until_rest(vec![0.0; 100_000], 1000, |_| {}), None);
    }
}
