//! How far two clocks drift apart, measured by a third: the system's.
//!
//! A device calls late at times and never early. So of each second only the call counts that was the least late; and a
//! jump, which a dropout makes, is no drift. Two clocks that have crept apart by more than can be chance are two from then
//! on: a loop of the second order keeps the fill of the ring between them where it was.

/// Seconds that a clock's position is looked at for.
const WINDOW: f64 = 1.0;

/// Windows that are let pass before anything is believed: buffers fill at first.
const FIRST: u32 = 2;

/// Frames by which the clocks must have crept apart to be two, and for how many windows in a row.
const APART: f64 = 32.0;
const IN_A_ROW: u32 = 2;

/// The most of it that they may have crept in a single window: else it was a small jump.
const SHARE: f64 = 0.6;

/// Windows until the drift is known well enough to be told.
const SURE: u32 = 10;

/// No crystal is off by so much: what moves faster has jumped.
const MOST: f64 = 2000e-6;

/// How fast the fill is brought back to where it was: the share of its error a second.
const PULL: f64 = 0.12;

/// What is measured of the fill, and what is made of it.
pub(super) struct Drift {
    rate: f64,
    /// The window's end, and the least late position of the input in it.
    until: f64,
    captured: f64,
    /// What the last window said of the difference.
    last: Option<f64>,
    /// How far the clocks have crept apart, over how many windows, and for how many of them far enough.
    crept: f64,
    windows: u32,
    apart: u32,
    /// The most that they crept in one window.
    largest: f64,
    /// The fill that is kept: what it was at first.
    fill: Option<f64>,
    /// The drift, once it is known: by how much fewer frames are to be made, as the input's clock runs faster.
    known: Option<f64>,
    /// Windows since.
    held: u32,
}

impl Drift {
    /// For about `rate` frames a second.
    pub(super) fn new(rate: f64) -> Self {
        Drift {
            rate,
            until: 0.0,
            captured: f64::NEG_INFINITY,
            last: None,
            crept: 0.0,
            windows: 0,
            apart: 0,
            largest: 0.0,
            fill: None,
            known: None,
            held: 0,
        }
    }

    /// How much faster the input's clock runs, in millionths, once that is sure. RT.
    pub(super) fn ppm(&self) -> Option<f64> {
        self.known.filter(|_| self.held >= SURE).map(|known| known / (1.0 - known) * 1e6)
    }

    /// Notes that the input is `captured` frames ahead of the nominal rate, of which `surplus` more were made; `taken` says,
    /// once in a window, how far ahead the output was. Gives how many frames are to be made of one from now on, if that is
    /// to change. RT.
    pub(super) fn note(
        &mut self,
        now: f64,
        captured: f64,
        surplus: f64,
        taken: impl FnOnce() -> Option<f64>,
    ) -> Option<f64> {
        self.captured = self.captured.max(captured);
        if now < self.until {
            return None;
        }
        // After a long silence there was no window.
        let missed = now > self.until + WINDOW;
        self.until = now + WINDOW;
        let captured = std::mem::replace(&mut self.captured, f64::NEG_INFINITY);
        let taken = taken();
        let difference = if missed { None } else { taken.map(|taken| captured - taken) };
        let moved = difference.zip(self.last).map(|(now, last)| now - last);
        self.last = difference;
        let moved = moved.filter(|moved| moved.abs() <= MOST * self.rate * WINDOW);
        let Some((moved, difference)) = moved.zip(difference) else {
            (self.crept, self.windows, self.apart, self.largest) = (0.0, 0, 0, 0.0);
            if self.known.is_none() {
                self.fill = None;
            }
            return None;
        };
        self.windows += 1;
        if self.windows <= FIRST {
            return None;
        }
        let fill = difference + surplus;
        let wanted = *self.fill.get_or_insert(fill);
        self.crept += moved;
        self.largest = self.largest.max(moved.abs());
        match self.known {
            Some(known) => {
                let error = (fill - wanted) / self.rate;
                // Critically damped: Franklin, Powell and Emami-Naeini, "Feedback Control of Dynamic Systems".
                let known = (known + PULL * PULL / 4.0 * WINDOW * error).clamp(-MOST, MOST);
                self.known = Some(known);
                self.held = self.held.saturating_add(1);
                let pull = (PULL * error).clamp(-MOST, MOST);
                Some(1.0 - known - pull)
            }
            None => {
                let crept = self.crept.abs();
                self.apart = if crept > APART && self.largest <= SHARE * crept { self.apart + 1 } else { 0 };
                if self.apart < IN_A_ROW {
                    return None;
                }
                let since = f64::from(self.windows - FIRST) * WINDOW;
                let known = self.crept / since / self.rate;
                self.known = Some(known);
                Some(1.0 - known)
            }
        }
    }
}
