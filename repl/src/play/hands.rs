//! What controllers do to a desk that plays.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::live::Busy;
use engine::motion::EventSource;
use engine::session::Session;
use engine::transport::Move;

use super::moment::moment;
use super::{Origin, Playing, Waiting};
use crate::control::{Command, Order};
use crate::journal::Taken;
use crate::load::Loaded;

/// How long a hand's writes are gathered into one edit: less than an edit is ramped over.
const HAND: Duration = Duration::from_millis(10);

impl Playing<'_> {
    /// Takes what controllers have sent. Commands and the values of controls are heard at once; what sets a parameter is an
    /// edit, and waits until the desk is free for one: the newest value of each is written then.
    pub(super) fn controlled(&mut self) {
        let listens = |source: &EventSource| self.sources.get(source).copied();
        self.orders.extend(self.controllers.take(self.text.known(), listens));
        while let Some(order) = self.orders.pop_front() {
            if let Err(Busy) = self.obey(&order) {
                self.orders.push_front(order);
                break;
            }
        }
        let rests = self.written.is_none_or(|written| written.elapsed() >= HAND);
        // A text that waits for its moment waits alone.
        let free = self.in_flight.is_none() && self.hand.is_none() && (self.waiting.is_none() || !self.is_time());
        if free && self.controllers.has_writes() && rests {
            self.write();
        }
        self.share_time();
        self.controllers.report();
    }

    /// Passes an order of a controller on.
    fn obey(&mut self, order: &Order) -> Result<(), Busy> {
        match order {
            Order::Control(source, value) => {
                self.desk.source(source).map_or(Ok(()), |id| self.live.control(id, *value))
            }
            Order::Touch(source, touch) => self.desk.source(source).map_or(Ok(()), |id| self.live.touch(id, *touch)),
            Order::Command(Command::Start) => self.live.order(Move::Start),
            Order::Command(Command::Stop) => self.live.order(Move::Stop),
            Order::Command(Command::Panic) => self.live.order(Move::Panic),
            Order::Command(Command::Locate(bars)) => {
                let frame = self.desk.mesh().tempo.frame_of_bar(*bars);
                self.live.order(Move::Locate(frame.max(0.0) as u64))
            }
            Order::Clock(told) => self.clock_told(*told),
            Order::Meters { client, hertz } => {
                self.follow_meters(*client, *hertz);
                Ok(())
            }
            Order::Figures { client, view, path, hertz } => {
                self.follow_figures(*client, *view, path, *hertz);
                Ok(())
            }
        }
    }

    /// Makes lines of the text of what controllers and clocks have set. A hand is heard at once, whatever the grid; another
    /// tempo as soon as its frame can be said.
    fn write(&mut self) {
        self.written = Some(Instant::now());
        let at = Cell::new(None);
        let now = |session: &mut Session| {
            self.given.hold(session);
            let grid = session.quantize.take();
            let (moment, tempo) = moment(&self.desk, &self.live, session);
            session.quantize = grid;
            at.set(moment);
            tempo
        };
        let writes = self.controllers.take_writes();
        let (loaded, kept, wrong) = self.text.written(&self.library, writes, now);
        wrong.into_iter().for_each(|wrong| self.controllers.tell(wrong));
        let taken = loaded.as_ref().map(Taken::of);
        loaded.iter().for_each(|loaded| self.hand_writes(loaded));
        if let (Some(Loaded { graph: Some(graph), session: Some(mut session), .. }), Some(taken)) = (loaded, taken) {
            if session.quantize.is_some() {
                Arc::make_mut(&mut session).quantize = None;
            }
            self.controllers.was_set(kept);
            self.hand = Some(Waiting { session, graph, taken, at: at.get(), origin: Origin::Hand, is_behind: false });
            self.end_audition();
            self.end_comparison();
            self.waiting.iter_mut().for_each(|waiting| waiting.is_behind = true);
        }
    }
}
