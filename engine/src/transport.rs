//! The transport: whether time goes on, and where it is. It always goes on in whole quanta, and whatever it does is faded:
//! what plays on it is silenced before it stops or leaves for elsewhere.

use serde::{Deserialize, Serialize};

use crate::fade::{Ramp, fade_frames};
use crate::keep::keep;
use crate::kernel::{Glide, QUANTUM};

/// How long what plays on the transport takes to fade when it stops, starts or goes elsewhere, in milliseconds.
const MOVE_FADE_MS: f64 = 20.0;

/// How long all sound takes to fade in a panic, in milliseconds.
const PANIC_FADE_MS: f64 = 5.0;

/// The last frame there is to go to: beyond it, months away at any rate, nobody has anything, and frames and parts of them
/// could no longer be told apart.
pub const LAST: u64 = 1 << 40;

/// What the transport is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Move {
    /// To go on; after a panic, that all may sound again.
    Start,
    /// To stand still: what plays on it is silent, live inputs and tails are not.
    Stop,
    /// To go to the quantum with this frame.
    Locate(u64),
    /// To stand still, and everything to be silent and forgotten.
    Panic,
}

/// The transport.
#[derive(Clone, Copy, Debug)]
pub struct Transport {
    frame: u64,
    rolling: bool,
    /// Whether it stands still once all that plays on it is silent.
    stopping: bool,
    /// Where it goes then.
    to: Option<u64>,
    /// How much of what plays on it is heard.
    gate: Ramp,
    /// How much of everything is heard.
    voice: Ramp,
    /// Everything has fallen silent in a panic, and nothing is forgotten yet.
    panicked: bool,
    /// It is elsewhere than where the last quantum ended.
    moved: bool,
    move_fade: u32,
    panic_fade: u32,
}

keep!(Transport: frame, rolling, stopping, to, gate, voice, panicked, moved);

impl Transport {
    /// At frame 0, going on.
    pub fn new(rate: f64) -> Self {
        Transport {
            frame: 0,
            rolling: true,
            stopping: false,
            to: None,
            gate: Ramp::still(1.0),
            voice: Ramp::still(1.0),
            panicked: false,
            moved: false,
            move_fade: fade_frames(MOVE_FADE_MS, rate),
            panic_fade: (PANIC_FADE_MS * rate / 1000.0) as u32,
        }
    }

    /// The frame that comes next. RT.
    pub fn frame(&self) -> u64 {
        self.frame
    }

    /// Whether time goes on. RT.
    pub fn is_rolling(&self) -> bool {
        self.rolling
    }

    /// Whether this quantum does not follow on from the one before. RT.
    pub fn has_moved(&self) -> bool {
        self.moved
    }

    /// Whether anything that plays on it can be heard. RT.
    pub fn is_open(&self) -> bool {
        self.rolling && !(self.gate.is_still() && self.gate.goal() == 0.0)
    }

    /// Is where another is, and does what that does. RT.
    pub fn join(&mut self, other: &Transport) {
        *self = Transport { moved: true, ..*other };
    }

    /// Takes an order, at the edge of a quantum. RT.
    pub fn order(&mut self, order: Move) {
        match order {
            Move::Start => {
                self.voice.aim(1.0, 0, self.move_fade);
                self.stopping = false;
                self.rolling = true;
                if self.to.is_none() {
                    self.gate.aim(1.0, 0, self.move_fade);
                }
            }
            Move::Stop => {
                self.stopping = true;
                self.gate.aim(0.0, 0, self.move_fade);
            }
            Move::Locate(frame) if self.is_open() => {
                self.to = Some(frame);
                self.gate.aim(0.0, 0, self.move_fade);
            }
            Move::Locate(frame) => self.go_to(frame),
            Move::Panic => {
                self.stopping = true;
                self.gate.aim(0.0, 0, self.move_fade);
                self.voice.aim(0.0, 0, self.panic_fade);
            }
        }
    }

    /// The frame that it will go to as soon as all that plays on it is silent, if it goes anywhere. RT.
    pub fn leaves_for(&self) -> Option<u64> {
        self.to.map(start_of_quantum)
    }

    /// The frame that it will go to before the next quantum, if it goes anywhere. RT.
    pub fn goes_to(&self) -> Option<u64> {
        self.leaves_for().filter(|_| self.gate.is_still() && self.gate.goal() == 0.0)
    }

    /// Does, before a quantum, what was waiting for silence. True once in a panic, when everything is to be forgotten. RT.
    pub fn turn(&mut self) -> bool {
        if self.gate.is_still() && self.gate.goal() == 0.0 {
            let gone = self.to.take().map(|frame| self.go_to(frame));
            if std::mem::take(&mut self.stopping) {
                self.rolling = false;
            } else if gone.is_some() {
                self.gate.aim(1.0, 0, self.move_fade);
            }
        }
        let dead = self.voice.is_still() && self.voice.goal() == 0.0;
        !std::mem::replace(&mut self.panicked, dead) && dead
    }

    /// How much of what plays on it is heard in this quantum; asked once in each. RT.
    pub fn gate(&mut self) -> Quantum {
        Quantum::of(&mut self.gate)
    }

    /// How much of everything is heard in this quantum; asked once in each. RT.
    pub fn voice(&mut self) -> Quantum {
        Quantum::of(&mut self.voice)
    }

    /// A quantum is over. RT.
    pub fn advance(&mut self) {
        self.moved = false;
        if self.rolling {
            self.frame += QUANTUM as u64;
        }
    }

    /// Goes to the quantum with a frame at once. RT.
    pub(crate) fn go_to(&mut self, frame: u64) {
        self.frame = start_of_quantum(frame);
        self.moved = true;
    }
}

/// The first frame of the quantum that a frame is in, no later than [`LAST`]. RT.
fn start_of_quantum(frame: u64) -> u64 {
    frame.min(LAST) / QUANTUM as u64 * QUANTUM as u64
}

/// A gain over one quantum.
#[derive(Clone, Copy, Debug)]
pub struct Quantum {
    /// The gain, if it is the same throughout.
    still: Option<f64>,
    /// One for each frame otherwise.
    each: [f64; QUANTUM],
}

impl Quantum {
    /// Goes on by a quantum. RT.
    pub fn of(ramp: &mut Ramp) -> Quantum {
        let mut each = [0.0; QUANTUM];
        if ramp.is_still() {
            return Quantum { still: Some(ramp.goal()), each };
        }
        let mut at = 0;
        while at < QUANTUM {
            let count = ramp.straight().min(QUANTUM - at);
            let way = ramp.advance(count);
            write(&mut each[at..at + count], way);
            at += count;
        }
        Quantum::moving(each)
    }

    /// Another gain for each frame. RT.
    pub fn moving(each: [f64; QUANTUM]) -> Quantum {
        Quantum { still: None, each }
    }

    /// The gain, if it is the same throughout. RT.
    pub fn still(&self) -> Option<f64> {
        self.still
    }

    /// Whether it changes nothing. RT.
    pub fn is_unity(&self) -> bool {
        self.still == Some(1.0)
    }

    /// Multiplies a quantum by it. RT.
    pub fn scale(&self, buffer: &mut [f64; QUANTUM]) {
        match self.still {
            Some(1.0) => {}
            Some(gain) => buffer.iter_mut().for_each(|x| *x *= gain),
            None => buffer.iter_mut().zip(&self.each).for_each(|(x, gain)| *x *= gain),
        }
    }
}

/// Writes a way out, frame by frame. RT.
pub fn write(gains: &mut [f64], way: Glide) {
    let count = gains.len();
    gains.iter_mut().enumerate().for_each(|(i, gain)| *gain = way.at(i, count));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(transport: &mut Transport, quanta: usize) -> bool {
        let mut forgotten = false;
        for _ in 0..quanta {
            forgotten |= transport.turn();
            let _ = (transport.gate(), transport.voice());
            transport.advance();
        }
        forgotten
    }

    #[test]
    fn it_stops_when_all_is_silent_and_goes_on_from_there() {
        let mut transport = Transport::new(48_000.0);
        transport.order(Move::Stop);
        run(&mut transport, 100);
        assert!(!transport.is_rolling() && !transport.is_open());
        assert_eq!(transport.frame(), 960, "it went on while what plays faded");
        transport.order(Move::Start);
        run(&mut transport, 1);
        assert_eq!(transport.frame(), 1024);
        assert!(transport.is_open());
    }

    #[test]
    fn it_goes_elsewhere_in_whole_quanta_and_says_so_once() {
        let mut transport = Transport::new(48_000.0);
        transport.order(Move::Locate(480_001));
        run(&mut transport, 15);
        assert_eq!(transport.frame(), 960);
        transport.turn();
        assert!(transport.has_moved());
        assert_eq!(transport.frame(), 480_000);
        transport.advance();
        assert!(!transport.has_moved());
    }

    #[test]
    fn it_goes_elsewhere_at_once_where_nothing_plays() {
        let mut transport = Transport::new(48_000.0);
        transport.order(Move::Stop);
        run(&mut transport, 100);
        transport.order(Move::Locate(64_000));
        assert_eq!(transport.frame(), 64_000);
        assert!(!transport.is_rolling());
        transport.turn();
        assert!(transport.has_moved(), "what moves along with it is told");
    }

    #[test]
    fn orders_that_come_together_are_all_obeyed() {
        for orders in [[Move::Stop, Move::Locate(64_000)], [Move::Locate(64_000), Move::Stop]] {
            let mut transport = Transport::new(48_000.0);
            orders.into_iter().for_each(|order| transport.order(order));
            run(&mut transport, 100);
            assert_eq!((transport.frame(), transport.is_rolling()), (64_000, false), "{orders:?}");
        }
        let mut transport = Transport::new(48_000.0);
        [Move::Panic, Move::Locate(0)].into_iter().for_each(|order| transport.order(order));
        run(&mut transport, 100);
        assert_eq!((transport.frame(), transport.is_rolling()), (0, false));
        [Move::Locate(640), Move::Start].into_iter().for_each(|order| transport.order(order));
        run(&mut transport, 1);
        assert_eq!(transport.frame(), 704);
        transport.order(Move::Locate(u64::MAX));
        run(&mut transport, 100);
        assert!(transport.frame() < LAST + 6400);
    }

    #[test]
    fn a_panic_silences_everything_in_5_ms_forgets_it_once_and_ends_with_a_start() {
        let mut transport = Transport::new(48_000.0);
        transport.order(Move::Panic);
        transport.turn();
        assert_eq!(transport.voice().still(), None);
        assert!(run(&mut transport, 100), "it is forgotten");
        assert!(!run(&mut transport, 100), "once");
        assert_eq!(transport.voice().still(), Some(0.0));
        transport.order(Move::Start);
        run(&mut transport, 100);
        assert!(transport.voice().is_unity() && transport.gate().is_unity());
    }
}
