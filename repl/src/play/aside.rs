//! Work that must not hold up what plays, such as that of a disk: done on a thread of its own, and then heard of.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;

use super::{Event, Playing};
use crate::prompt::Typed;
use crate::status;

/// What is done at the desk once such work is over.
pub type Then = Box<dyn FnOnce(&mut Playing<'_>) + Send>;

/// What is done aside, and what waits for it.
pub struct Aside {
    /// Where it is heard of.
    pub(super) events: Sender<Event>,
    /// How much is under way.
    running: usize,
    /// How much of that the next lines follow upon.
    under_way: usize,
    /// What was typed meanwhile.
    later: VecDeque<Typed>,
    /// Whether the end was among that.
    is_over: bool,
}

impl Aside {
    /// Nothing yet; what is done is sent there.
    pub fn new(events: Sender<Event>) -> Self {
        Aside { events, running: 0, under_way: 0, later: VecDeque::new(), is_over: false }
    }
}

impl Playing<'_> {
    /// Has something done aside; `then` hears of it, unless it has failed. Whether the system has a thread for it.
    pub(super) fn aside<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(&mut Playing<'_>, T) + Send + 'static,
    ) -> bool {
        self.aside_in_any_case(work, |playing, done| {
            if let Some(done) = done {
                then(playing, done);
            }
        })
    }

    /// The same; `then` is told nothing of what has failed.
    pub(super) fn aside_in_any_case<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(&mut Playing<'_>, Option<T>) + Send + 'static,
    ) -> bool {
        let events = self.aside.events.clone();
        let worker = std::thread::Builder::new().name("gainstage-aside".into()).spawn(move || {
            // A fault of ours in there must not keep the prompt waiting for ever.
            let done = catch_unwind(AssertUnwindSafe(work)).ok();
            // Nobody waits for it any more if what played has ended.
            let _ = events.send(Event::Done(Box::new(move |playing| {
                playing.aside.running -= 1;
                if done.is_none() {
                    status::error(
                        "this failed by a fault of gainstage itself; what plays goes on, and nothing was changed",
                    );
                }
                then(playing, done);
            })));
        });
        let begun = worker.map_err(|error| status::error(format!("the system has no thread to give: {error}"))).is_ok();
        self.aside.running += usize::from(begun);
        begun
    }

    /// Whether something is done aside.
    pub(super) fn is_done_aside(&self) -> bool {
        self.aside.running > 0
    }

    /// The same where what is typed next follows upon it: lines wait until it is done.
    pub(super) fn aside_in_order<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(&mut Playing<'_>, T) + Send + 'static,
    ) -> bool {
        self.aside.under_way += 1;
        let begun = self.aside_in_any_case(work, |playing, done| {
            playing.aside.under_way -= 1;
            if let Some(done) = done {
                then(playing, done);
            }
            while playing.aside.under_way == 0
                && let Some(typed) = playing.aside.later.pop_front()
            {
                playing.aside.is_over |= playing.typed(&typed);
            }
        });
        self.aside.under_way -= usize::from(!begun);
        begun
    }

    /// Whether what was done aside came before the end, which has come by now.
    pub(super) fn is_over_aside(&self) -> bool {
        self.aside.is_over
    }

    /// Whether what was typed waits for what is under way. A panic does not.
    pub(super) fn waits_its_turn(&mut self, typed: &Typed) -> bool {
        let urgent = match typed {
            Typed::Beat(_) => true,
            Typed::End => false,
            Typed::Line(line) => {
                let last = line.trim().lines().next_back().unwrap_or_default();
                matches!(last.trim(), ":panic" | ":stop")
            }
        };
        let waits = self.aside.under_way > 0 && !urgent;
        if waits {
            self.aside.later.push_back(typed.clone());
        }
        waits
    }
}
