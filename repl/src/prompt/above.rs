//! What is told while a line is typed waits for its moment above that line, in order; whoever tells it does not wait.
//!
//! While somebody searches in what was typed, or answers how many completions to show, nothing can be put above the line. The
//! desk plays and follows its files meanwhile.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long what is still to be told at the end may wait for its place above the line.
const PATIENCE: Duration = Duration::from_millis(300);

/// Tells what it is given, above the line that is being typed. Dropped, it has told everything.
pub(super) struct Above {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    texts: Mutex<Texts>,
    changed: Condvar,
}

#[derive(Default)]
struct Texts {
    /// The first is being told.
    waiting: VecDeque<String>,
    is_over: bool,
}

impl Queue {
    fn texts(&self) -> MutexGuard<'_, Texts> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Above {
    /// Tells through `print`, which may take its time and says whether it could.
    pub(super) fn start(mut print: impl FnMut(String) -> bool + Send + 'static) -> Self {
        let queue = Arc::new(Queue::default());
        let texts = queue.clone();
        thread::spawn(move || {
            let mut now = texts.texts();
            loop {
                let waited = texts.changed.wait_while(now, |now| now.waiting.is_empty() && !now.is_over);
                now = waited.unwrap_or_else(PoisonError::into_inner);
                let Some(text) = now.waiting.front().cloned().filter(|_| !now.is_over) else { return };
                drop(now);
                if !print(text.clone()) {
                    plainly(&text);
                }
                now = texts.texts();
                now.waiting.pop_front();
                texts.changed.notify_all();
            }
        });
        Above { queue }
    }

    /// Tells a text in its turn.
    pub(super) fn tell(&self, text: String) {
        self.queue.texts().waiting.push_back(text);
        self.queue.changed.notify_all();
    }
}

impl Drop for Above {
    fn drop(&mut self) {
        let texts = self.queue.texts();
        let waited = self.queue.changed.wait_timeout_while(texts, PATIENCE, |texts| !texts.waiting.is_empty());
        let (mut texts, _) = waited.unwrap_or_else(PoisonError::into_inner);
        texts.is_over = true;
        texts.waiting.drain(..).for_each(|text| plainly(&text));
        self.queue.changed.notify_all();
    }
}

/// Where there is no line to go above.
fn plainly(text: &str) {
    // Nobody can be told that standard error is gone.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn whoever_tells_does_not_wait_and_everything_is_told_in_order() {
        let (open, closed) = mpsc::channel::<()>();
        let (to, told) = mpsc::channel();
        let above = Above::start(move |text| {
            // Nothing goes above the line until somebody lets it.
            let _ = closed.recv();
            to.send(text).is_ok()
        });
        (0..1000).for_each(|i| above.tell(i.to_string()));
        drop(open);
        drop(above);
        let told: Vec<String> = told.try_iter().collect();
        assert_eq!(told, (0..1000).map(|i| i.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn what_cannot_be_put_above_keeps_nobody_from_ending() {
        let (_open, closed) = mpsc::channel::<()>();
        let above = Above::start(move |_| closed.recv().is_ok());
        (0..3).for_each(|_| above.tell(String::new()));
        drop(above);
    }
}
