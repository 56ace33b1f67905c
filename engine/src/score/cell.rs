//! A score on the audio thread: what is to be played, note by note, and what an edit makes of that.

use std::cell::RefCell;
use std::sync::Arc;

use super::ahead::{self, Feed, Place};
use super::{Note, Score};
use crate::keep::{Keep, Ledger};
use crate::kernel::QUANTUM;
use crate::tempo::Tempo;

/// Gives an instrument its notes as the transport moves.
///
/// Each note is given once: in the quantum in which it begins, or, where the transport comes from elsewhere into the middle
/// of a long one, as soon as it does.
pub struct ScoreCell {
    now: Option<Line>,
    /// What was played before the newest edit, until its frame has come.
    before: Option<Line>,
    /// The frame from which on the newest is played.
    from: u64,
    /// All that begins before this frame has been given, or never will be.
    given: u64,
    /// The first frame of this quantum.
    here: u64,
    /// Whether the transport has gone elsewhere, and nothing has been played there yet.
    jumped: bool,
    /// Whether it had when this quantum began.
    moved: bool,
}

/// One score on its way here.
struct Line {
    /// In a cell, since to ask whether all is at hand is to say where one is.
    feed: RefCell<Feed>,
}

impl ScoreCell {
    /// A score that is played from wherever the transport is. Not RT.
    pub fn new(score: Arc<Score>, tempo: &Tempo) -> Self {
        let now = Some(Line { feed: RefCell::new(ahead::follow(score, tempo.clone())) });
        ScoreCell { now, before: None, from: 0, given: 0, here: 0, jumped: false, moved: false }
    }

    /// Takes the place of another, which was played until now, from a frame of the transport on. What is still to come of that
    /// keeps its place in time. RT.
    pub fn succeed(&mut self, old: &mut ScoreCell, at: u64) {
        let waits = old.before.is_some() && old.from > old.here;
        let (line, from) = if waits { (&mut old.before, old.from.min(at)) } else { (&mut old.now, at) };
        std::mem::swap(line, &mut self.before);
        self.from = from;
        (self.given, self.jumped) = (old.given, old.jumped);
    }

    /// Whether all that begins in the quantum at a frame of the transport is at hand; it is asked for if not. RT.
    pub fn is_ready(&self, frame: u64) -> bool {
        let quantum = frame / QUANTUM as u64;
        let of_before = self.from <= frame || self.before.as_ref().is_none_or(|line| line.is_ready(quantum));
        let of_now = self.now.as_ref().is_none_or(|line| line.is_ready(quantum));
        of_before && of_now
    }

    /// Whether all that begins at a frame that the transport will go to next is at hand; it is asked for if not. RT.
    pub fn will_be_ready(&self, frame: u64) -> bool {
        let quantum = frame / QUANTUM as u64;
        self.now.as_ref().is_none_or(|line| line.feed.try_borrow().is_ok_and(|feed| feed.request(quantum)))
    }

    /// The transport is on its way to a frame: what begins there is asked for in time. RT.
    pub fn make_ready(&self, frame: u64) {
        let can_leave = |line: &Line| line.feed.try_borrow().is_ok_and(|feed| feed.can_leave());
        if self.now.as_ref().is_some_and(can_leave) {
            self.will_be_ready(frame);
        }
    }

    /// The transport has gone to a frame from elsewhere: from the next quantum that is played on, what is held there is
    /// given. RT.
    pub fn jump(&mut self, frame: u64) {
        (self.from, self.given, self.jumped) = (0, 0, true);
        if let Some(line) = &mut self.now {
            line.feed.get_mut().arrive(frame / QUANTUM as u64);
        }
    }

    /// Comes to the quantum at a frame of the transport. RT.
    pub fn turned(&mut self, frame: u64) -> &mut Self {
        self.here = frame;
        self.moved = std::mem::take(&mut self.jumped);
        self
    }

    /// Whether the transport has come from elsewhere since the last quantum that was played. RT.
    pub fn has_moved(&self) -> bool {
        self.moved
    }

    /// The next note that begins before a frame of this quantum and is still to be given. RT.
    pub fn next(&mut self, until: u64) -> Option<Note> {
        let ScoreCell { now, before, from, given, here, .. } = self;
        if let Some(line) = before.as_mut().filter(|_| *given < *from) {
            let until = until.min(*from);
            if let Some(note) = line.next(*given, until, *here) {
                return Some(note);
            }
            *given = (*given).max(until);
        }
        let line = now.as_mut().filter(|_| until > *from)?;
        let note = line.next((*given).max(*from), until, *here);
        if note.is_none() {
            *given = (*given).max(until);
        }
        note
    }
}

impl Line {
    /// RT.
    fn is_ready(&self, quantum: u64) -> bool {
        self.feed.try_borrow_mut().is_ok_and(|mut feed| feed.come_to(quantum))
    }

    /// The next note that begins from one frame to another without that, or before it if it is still held at `here`. RT.
    fn next(&mut self, given: u64, until: u64, here: u64) -> Option<Note> {
        let feed = self.feed.get_mut();
        let (turn, wanted) = (feed.here.turn, Place::load(&feed.wanted).turn);
        while let Ok(&(of, note)) = feed.notes.peek() {
            if of == turn && note.begin >= until || of != turn && of == wanted {
                return None;
            }
            // It was looked at: it is there.
            let _ = feed.notes.pop();
            if of == turn && note.begin >= given && !note.is_over(here) {
                return Some(note);
            }
        }
        None
    }
}

impl Feed {
    /// Goes on to a quantum; whether all that begins in it is at hand. RT.
    fn come_to(&mut self, quantum: u64) -> bool {
        self.look();
        let follows = self.here.turn > 0 && (self.here.quantum..self.here.quantum + FURTHEST).contains(&quantum);
        let wanted = Place::load(&self.wanted);
        let leaves = wanted.turn != self.here.turn;
        // What was left too early is asked for anew as well.
        if !follows || leaves && quantum >= self.until {
            self.ask(wanted.next(quantum));
        } else {
            self.here.quantum = quantum;
            if !leaves {
                self.here.store(&self.wanted);
            }
        }
        self.clear();
        self.until > quantum
    }

    /// Asks for what begins at a quantum that will be gone to; whether that is at hand. RT.
    fn request(&self, quantum: u64) -> bool {
        let (wanted, written) = (Place::load(&self.wanted), Place::load(&self.written));
        if wanted.turn == self.here.turn || wanted.quantum != quantum {
            wanted.next(quantum).store(&self.wanted);
            return false;
        }
        written.turn == wanted.turn && written.quantum > quantum
    }

    /// Whether enough is at hand to leave for elsewhere.
    fn can_leave(&self) -> bool {
        self.until > self.here.quantum + LEAVING
    }

    /// Comes from elsewhere to a quantum. RT.
    fn arrive(&mut self, quantum: u64) {
        self.request(quantum);
        self.here = Place::load(&self.wanted);
        self.until = 0;
        self.look();
        self.clear();
    }

    /// Is in another turn, which nothing has been written of. RT.
    fn ask(&mut self, place: Place) {
        place.store(&self.wanted);
        (self.here, self.until) = (place, 0);
    }

    /// Sees how far the stream has come. RT.
    fn look(&mut self) {
        let written = Place::load(&self.written);
        if written.turn == self.here.turn {
            self.until = written.quantum;
        }
    }

    /// Makes room for what is waited for: what is over goes. RT.
    fn clear(&mut self) {
        let (turn, frame) = (self.here.turn, self.here.quantum * QUANTUM as u64);
        let wanted = Place::load(&self.wanted).turn;
        let is_old = |of: u16, note: &Note| if of == turn { note.is_over(frame) } else { of != wanted };
        while self.notes.peek().is_ok_and(|(of, note)| is_old(*of, note)) {
            let _ = self.notes.pop();
        }
    }
}

/// Quanta that are waited for rather than asked for anew: about a second.
const FURTHEST: u64 = 750;

/// Quanta that leaving for elsewhere takes at most: 20 ms at 192 kHz.
const LEAVING: u64 = 64;

/// What was given is all that is kept: what is to come is worked out anew.
impl Keep for ScoreCell {
    fn keep(&mut self, ledger: &mut Ledger) {
        // What waits goes on with what the text has no more, and that cannot be taken up.
        if !ledger.is_reading() && self.before.is_some() && self.given < self.from {
            ledger.fail();
        }
        self.given.keep(ledger);
        self.jumped.keep(ledger);
    }
}
