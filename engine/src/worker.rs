//! A thread that keeps things ahead of whoever reads them: streams of files, scores.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

/// What is worked out ahead of its reader.
pub(crate) trait Ahead {
    /// Whether nobody reads it any more.
    fn is_abandoned(&self) -> bool;

    /// Works ahead for a while; true if there is more to do at once.
    fn go_on(&mut self) -> bool;
}

/// Takes things in and keeps them ahead of their readers, until nobody can send any more; rests for so long when all of them are far
/// enough ahead.
pub(crate) fn keep_ahead<T: Ahead>(jobs: &Receiver<T>, rest: Duration) {
    let mut all: Vec<T> = Vec::new();
    loop {
        let next = if all.is_empty() { jobs.recv().map_err(|_| TryRecvError::Disconnected) } else { jobs.try_recv() };
        match next {
            Ok(one) => all.push(one),
            Err(TryRecvError::Disconnected) if all.is_empty() => return,
            Err(_) => {
                all.retain(|one| !one.is_abandoned());
                let mut busy = false;
                for one in &mut all {
                    busy |= one.go_on();
                }
                if !busy && !all.is_empty() {
                    match jobs.recv_timeout(rest) {
                        Ok(one) => all.push(one),
                        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
                    }
                }
            }
        }
    }
}
