//! What editors and other terminals tell the desk: each thing is done as if it was typed, and what is told meanwhile is its
//! answer.

use std::collections::VecDeque;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::{Event, Playing};
use crate::arguments::Play;
use crate::prompt::Typed;
use crate::status;
use crate::tell::{Asked, Ears};

/// How long an answer waits for what it has changed to be heard.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most letters of what was told that are shown.
const SHOWN: usize = 120;

/// Those who tell the desk something.
#[derive(Default)]
pub(super) struct Editors {
    /// Where they are listened to.
    _ears: Option<Ears>,
    waiting: VecDeque<Asked>,
    /// What was done, and is answered when it is heard.
    done: Option<Done>,
}

/// Something that was done, when, and the frame by which the audio side has reported what it was ordered.
struct Done {
    asked: Asked,
    since: Instant,
    frame: u64,
}

impl Editors {
    /// Those who are listened to from now on. Without a place to listen at the desk plays all the same.
    pub(super) fn listening(arguments: &Play, events: &Sender<Event>) -> Self {
        let events = events.clone();
        let ears = Ears::open(&arguments.session, move |asked| drop(events.send(Event::Told(asked))));
        let ears = ears.inspect_err(|error| status::warning(format!("`gainstage tell` is not heard: {error}"))).ok();
        Editors { _ears: ears.flatten(), ..Editors::default() }
    }

    /// Whether somebody waits for an answer.
    pub(super) fn wait(&self) -> bool {
        self.done.is_some()
    }

    /// Takes something to be done.
    pub(super) fn take(&mut self, asked: Asked) {
        self.waiting.push_back(asked);
    }
}

impl Playing<'_> {
    /// Does what was told, one after another, and answers; whether that is the end.
    pub(super) fn heed(&mut self) -> bool {
        loop {
            if let Some(done) = self.editors.done.take() {
                let is_heard = self.is_at_rest() && self.live.clock() >= done.frame;
                if !is_heard && done.since.elapsed() < PATIENCE {
                    self.editors.done = Some(done);
                    return false;
                }
                done.asked.answer(status::heard());
            }
            let Some(asked) = self.editors.waiting.pop_front() else { return false };
            if !asked.take() {
                continue;
            }
            status::say(format!("told: {}", shown(&asked.text)));
            status::listen();
            if self.typed(&Typed::Line(asked.text.clone())) {
                asked.answer(status::heard());
                return true;
            }
            self.go_on();
            // The block that is being made may have been begun before.
            let frame = self.live.clock() + 2 * u64::from(self.arguments.buffer);
            self.editors.done = Some(Done { asked, since: Instant::now(), frame });
        }
    }

    /// Whether nothing is on its way to be heard now.
    fn is_at_rest(&self) -> bool {
        let asks = self.is_done_aside() || self.looking.is_asked();
        !asks && self.in_flight.is_none() && self.hand.is_none() && (self.waiting.is_none() || !self.is_time())
    }
}

/// What was told, in one line.
fn shown(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first: String = lines.next().unwrap_or_default().chars().take(SHOWN).collect();
    match lines.count() {
        0 => first,
        1 => format!("{first} (and a line more)"),
        more => format!("{first} (and {more} lines more)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_shown_as_its_first_line_and_a_count() {
        assert_eq!(shown("\n  voice >> band;\n"), "voice >> band;");
        assert_eq!(shown("a;\n\nb;"), "a; (and a line more)");
        assert_eq!(shown("a;\nb;\nc;"), "a; (and 2 lines more)");
        assert_eq!(shown(&"x".repeat(1000)).len(), SHOWN);
    }
}
