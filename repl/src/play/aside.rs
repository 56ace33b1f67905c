//! Work that must not hold up what plays, such as that of a disk: done on a thread of its own, and then heard of.

use super::{Event, Playing};
use crate::status;

/// What is done at the desk once such work is over.
pub type Then = Box<dyn FnOnce(&mut Playing<'_>) + Send>;

impl Playing<'_> {
    /// Has something done aside; `then` hears of it, in the order in which such work ends.
    pub(super) fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(&mut Playing<'_>, T) + Send + 'static,
    ) {
        let events = self.events.clone();
        let worker = std::thread::Builder::new().name("gainstage-aside".into()).spawn(move || {
            let done = work();
            // Nobody waits for it any more if what played has ended.
            let _ = events.send(Event::Done(Box::new(move |playing| then(playing, done))));
        });
        if let Err(error) = worker {
            status::error(format!("the system has no thread to give: {error}"));
        }
    }
}
