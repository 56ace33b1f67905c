//! Work that must not hold up what plays, such as that of a disk: done on a thread of its own, and then heard of.

use std::collections::VecDeque;
use std::sync::mpsc::Sender;

use super::{Event, Playing};
use crate::prompt::Typed;
use crate::status;

/// What is done at the desk once such work is over.
pub type Then = Box<dyn FnOnce(&mut Playing<'_>) + Send>;

/// What is done aside, and what waits for it.
pub struct Aside {
    /// Where it is heard of.
    events: Sender<Event>,
    /// How much is under way that the next lines follow upon.
    under_way: usize,
    /// What was typed meanwhile.
    later: VecDeque<Typed>,
}

impl Aside {
    /// Nothing yet; what is done is sent there.
    pub fn new(events: Sender<Event>) -> Self {
        Aside { events, under_way: 0, later: VecDeque::new() }
    }
}

impl Playing<'_> {
    /// Has something done aside; `then` hears of it. Whether the system has a thread for it.
    pub(super) fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(&mut Playing<'_>, T) + Send + 'static,
    ) -> bool {
        let events = self.aside.events.clone();
        let worker = std::thread::Builder::new().name("gainstage-aside".into()).spawn(move || {
            let done = work();
            // Nobody waits for it any more if what played has ended.
            let _ = events.send(Event::Done(Box::new(move |playing| then(playing, done))));
        });
        worker.map_err(|error| status::error(format!("the system has no thread to give: {error}"))).is_ok()
    }

    /// The same where what is typed next follows upon it: lines wait until it is done.
    pub(super) fn aside_in_order<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(&mut Playing<'_>, T) + Send + 'static,
    ) {
        self.aside.under_way += 1;
        let begun = self.aside(work, |playing, done| {
            playing.aside.under_way -= 1;
            then(playing, done);
            while playing.aside.under_way == 0
                && let Some(typed) = playing.aside.later.pop_front()
            {
                playing.typed(&typed);
            }
        });
        self.aside.under_way -= usize::from(!begun);
    }

    /// Whether what was typed waits for what is under way. A panic does not, nor does the end.
    pub(super) fn waits_its_turn(&mut self, typed: &Typed) -> bool {
        let Typed::Line(line) = typed else { return false };
        let urgent = matches!(line.trim(), ":panic" | ":stop" | ":quit");
        let waits = self.aside.under_way > 0 && !urgent;
        if waits {
            self.aside.later.push_back(typed.clone());
        }
        waits
    }
}
