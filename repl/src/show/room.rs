//! How many may be connected, so that nobody keeps others out: another machine has so many connections and no more, and where there
//! is no room, who has not said what it wants gives way to who comes, the oldest first. Who has passed the gate stays.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// How many may be connected at once, and how many of them from one other machine.
const MOST: usize = 160;
const MOST_OF_ONE: usize = 32;

/// Everyone who is connected.
#[derive(Default)]
pub struct Room(Mutex<All>);

#[derive(Default)]
struct All {
    next: u64,
    /// By number, the oldest first.
    places: BTreeMap<u64, Connected>,
}

struct Connected {
    from: IpAddr,
    has_passed: bool,
    /// Tells it to give way.
    tell: oneshot::Sender<()>,
}

/// The place of one connection, until it is dropped.
pub struct Place {
    room: Arc<Room>,
    number: u64,
}

impl Room {
    /// A place for one who comes, and what tells it to give way; nothing where nobody gives way to it.
    pub fn enter(self: &Arc<Self>, from: IpAddr) -> Option<(Place, oneshot::Receiver<()>)> {
        let mut all = self.lock();
        let own = all.places.values().filter(|one| one.from == from).count();
        // This machine has but one address, whoever uses it.
        if own >= MOST_OF_ONE && !from.is_loopback() {
            all.make_room(|ip| ip == from)?;
        }
        if all.places.len() >= MOST {
            all.make_room(|_| true)?;
        }
        all.next += 1;
        let (number, (tell, gives_way)) = (all.next, oneshot::channel());
        all.places.insert(number, Connected { from, has_passed: false, tell });
        Some((Place { room: self.clone(), number }, gives_way))
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    /// Has the oldest give way of those who have not passed the gate, and come from such an address; nothing without one.
    fn make_room(&mut self, is_meant: impl Fn(IpAddr) -> bool) -> Option<()> {
        let mut waiting = self.places.iter().filter(|(_, one)| !one.has_passed && is_meant(one.from));
        let oldest = *waiting.next()?.0;
        // Who has gone by itself needs to be told nothing.
        let _ = self.places.remove(&oldest)?.tell.send(());
        Some(())
    }
}

impl Place {
    /// Its owner has passed the gate, and gives way to nobody.
    pub fn keep(&self) {
        if let Some(own) = self.room.lock().places.get_mut(&self.number) {
            own.has_passed = true;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.lock().places.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn at(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 168, 1, last).into()
    }

    #[test]
    fn who_has_not_passed_the_gate_gives_way_the_oldest_first_and_who_has_stays() {
        let room = Arc::new(Room::default());
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        let mut all: Vec<_> = (0..MOST).filter_map(|_| room.enter(here)).collect();
        assert_eq!(all.len(), MOST);
        all[0].0.keep();
        let late = room.enter(here).expect("one gives way");
        let told: Vec<bool> = all.iter_mut().map(|(_, gives_way)| gives_way.try_recv().is_ok()).collect();
        assert!(told.iter().enumerate().all(|(i, told)| *told == (i == 1)), "{told:?}");
        all.iter().chain([&late]).for_each(|(place, _)| place.keep());
        assert!(room.enter(here).is_none(), "all have passed");
        all.pop();
        assert!(room.enter(here).is_some(), "who goes makes room");
    }

    #[test]
    fn another_machine_has_so_many_connections_and_takes_none_from_others() {
        let room = Arc::new(Room::default());
        let other = room.enter(at(1)).expect("there is room");
        let mut all: Vec<_> = (0..MOST_OF_ONE).filter_map(|_| room.enter(at(2))).collect();
        assert_eq!(all.len(), MOST_OF_ONE);
        let late = room.enter(at(2)).expect("one of its own gives way");
        assert!(all[0].1.try_recv().is_ok() && all[1].1.try_recv().is_err());
        all.iter().chain([&late]).for_each(|(place, _)| place.keep());
        assert!(room.enter(at(2)).is_none() && room.enter(at(1)).is_some());
        drop(other);
    }
}
