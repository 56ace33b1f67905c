//! What controllers have sent and the desk has not taken yet. Of one controller or address only the newest is kept, so that
//! a fader is never behind the hand, however fast it moves.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine::keyboard::Touch;

use crate::clock::Told;

/// What the addresses of commands begin with.
pub const RESERVED: &str = "/:";

/// How many addresses and controllers may wait.
const ROOM: usize = 4096;

/// One thing that came in.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// An OSC message.
    Osc {
        /// Its address, with the leading slash.
        address: String,
        /// Its arguments.
        said: Vec<Said>,
        /// Who sent it.
        from: SocketAddr,
    },
    /// A MIDI controller.
    Midi {
        /// The channel, from 1.
        channel: u8,
        /// The controller's number.
        controller: u8,
        /// 0 to 127.
        value: u8,
    },
    /// A MIDI keyboard.
    Keys {
        /// The channel, from 1.
        channel: u8,
        /// What was done to it.
        touch: Touch,
    },
    /// The clock that is followed.
    Clock(Told),
}

/// An argument of an OSC message.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// What no parameter takes, described: `a blob`.
    Other(&'static str),
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Command(u64),
    Osc(String),
    Midi(u8, u8),
    Clock,
}

impl Heard {
    /// What it replaces the last one of; `place` is its own place in the order.
    fn key(&self, place: u64) -> Key {
        match self {
            // A button that is pressed and let go is pressed.
            Heard::Osc { address, .. } if address.starts_with(RESERVED) => Key::Command(place),
            Heard::Osc { address, .. } => Key::Osc(address.clone()),
            Heard::Midi { channel, controller, .. } => Key::Midi(*channel, *controller),
            Heard::Clock(Told::Beat(_)) => Key::Clock,
            // What starts and stops does so in order, and so do notes.
            Heard::Clock(_) | Heard::Keys { .. } => Key::Command(place),
        }
    }
}

#[derive(Default)]
struct Waiting {
    /// In the order in which they came.
    heard: BTreeMap<u64, Heard>,
    places: HashMap<Key, u64>,
    next: u64,
    lost: u64,
    woken: bool,
}

/// The inbox, between the threads that listen and the one that plays.
pub struct Inbox {
    waiting: Mutex<Waiting>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Inbox {
    /// An empty one; `wake` is called when something comes in, and not again before it is taken.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Inbox { waiting: Mutex::default(), wake: Box::new(wake) }
    }

    /// Puts in what came together, to be taken together.
    pub fn put(&self, heard: impl IntoIterator<Item = Heard>) {
        let mut waiting = self.waiting();
        for one in heard {
            let key = one.key(waiting.next);
            if let Some(old) = waiting.places.get(&key).copied() {
                waiting.heard.remove(&old);
            } else if waiting.places.len() == ROOM {
                waiting.lost += 1;
                continue;
            }
            let place = waiting.next;
            waiting.next += 1;
            waiting.places.insert(key, place);
            waiting.heard.insert(place, one);
        }
        let asleep = !std::mem::replace(&mut waiting.woken, true);
        drop(waiting);
        if asleep {
            (self.wake)();
        }
    }

    /// What has come since last asked, in order, and how many messages found no room.
    pub fn take(&self) -> (Vec<Heard>, u64) {
        let taken = std::mem::take(&mut *self.waiting());
        (taken.heard.into_values().collect(), taken.lost)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing is left half done by whoever panicked.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn midi(controller: u8, value: u8) -> Heard {
        Heard::Midi { channel: 1, controller, value }
    }

    fn osc(address: String) -> Heard {
        Heard::Osc { address, said: Vec::new(), from: ([127, 0, 0, 1], 9000).into() }
    }

    #[test]
    fn of_each_controller_the_newest_is_taken_in_the_order_of_the_newest() {
        let woken = Arc::new(AtomicU32::new(0));
        let wakes = woken.clone();
        let inbox = Inbox::new(move || _ = wakes.fetch_add(1, Ordering::Relaxed));
        for value in 0..100 {
            inbox.put([midi(1, value), midi(2, value / 2)]);
        }
        inbox.put([midi(1, 7)]);
        assert_eq!(inbox.take(), (vec![midi(2, 49), midi(1, 7)], 0));
        assert_eq!(woken.load(Ordering::Relaxed), 1);
        inbox.put([midi(3, 1)]);
        assert_eq!((inbox.take().0, woken.load(Ordering::Relaxed)), (vec![midi(3, 1)], 2));
    }

    #[test]
    fn what_finds_no_room_is_counted_and_what_waits_still_moves() {
        let inbox = Inbox::new(|| ());
        inbox.put((0..ROOM + 10).map(|i| osc(format!("/{i}"))));
        inbox.put([osc("/0".into())]);
        let (heard, lost) = inbox.take();
        assert_eq!((heard.len(), lost), (ROOM, 10));
        assert_eq!(heard.last(), Some(&osc("/0".into())));
    }
}
