//! Tempo and beat shared over the protocol of Ableton Link: with every peer that is on the network, none of which leads.
//!
//! [`wire`] is what is sent, [`session`] what a peer makes of it; here are the sockets and the thread that they live on.
//! Written from a document of the format (*link-wire-spec*, CC-BY-4.0): no source under another licence was read.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

pub use lead::{Lead, Turn};
use session::{Peer, Send};

mod lead;
mod session;
mod wire;

/// Where all peers listen.
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 76, 78, 75);
const PORT: u16 = 20_808;

/// How often what is due is looked for, and how soon a socket is let go of at the end.
const LOOK: Duration = Duration::from_millis(10);

/// How a session is at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Beats a minute.
    pub tempo: f64,
    /// The beat: bars begin where it can be divided by their beats.
    pub beat: f64,
    /// How many others there are.
    pub company: usize,
}

/// A peer on the network. Dropping it says goodbye.
pub struct Link {
    peer: Arc<Mutex<Peer>>,
    epoch: Instant,
    closing: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Link {
    /// Comes in on the interface by which others are reached, at a tempo.
    ///
    /// # Errors
    /// There is no network, or others on this machine keep it to themselves.
    pub fn start(bpm: f64) -> io::Result<Link> {
        Link::on(way_out().unwrap_or(Ipv4Addr::LOCALHOST), bpm)
    }

    /// The same on an interface.
    fn on(interface: Ipv4Addr, bpm: f64) -> io::Result<Link> {
        let sockets = Sockets::open(interface)?;
        let epoch = Instant::now();
        let chance = RandomState::new();
        let mut count = 0u64;
        let names = move || {
            count += 1;
            let mut hasher = chance.build_hasher();
            hasher.write_u64(count);
            hasher.finish().to_be_bytes()
        };
        let peer = Arc::new(Mutex::new(Peer::new(sockets.asked_at, bpm, 0, names)));
        let closing = Arc::new(AtomicBool::new(false));
        let life = Arc::new(Life { sockets, peer: peer.clone(), epoch, closing: closing.clone() });
        let mut link = Link { peer, epoch, closing, threads: Vec::new() };
        // A thread for each socket: the time at which something comes is what counts.
        for hears in [Hears::Time, Hears::Answers, Hears::All] {
            let life = life.clone();
            let thread = thread::Builder::new().name("gainstage-link".into()).spawn(move || life.live(hears))?;
            link.threads.push(thread);
        }
        Ok(link)
    }

    /// How its session is at a time.
    pub fn at(&self, time: Instant) -> Standing {
        let (peer, now) = (self.peer(), micros(self.epoch, time));
        Standing { tempo: peer.tempo(), beat: peer.beat(now), company: peer.company() }
    }

    /// Gives the session a tempo from a time on.
    pub fn change_tempo(&self, bpm: f64, time: Instant) {
        let now = micros(self.epoch, time);
        self.peer().change_tempo(bpm, now);
    }

    /// Puts the beat of its session where it is heard at a time, as long as nobody else is there.
    pub fn hold(&self, beat: f64, time: Instant) {
        let now = micros(self.epoch, time);
        self.peer().hold(beat, now);
    }

    fn peer(&self) -> MutexGuard<'_, Peer> {
        lock(&self.peer)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        // A panic there has been shown there.
        self.threads.drain(..).for_each(|thread| _ = thread.join());
    }
}

fn lock(peer: &Mutex<Peer>) -> MutexGuard<'_, Peer> {
    peer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Microseconds since the peer came in.
fn micros(epoch: Instant, time: Instant) -> i64 {
    let since = |later: Instant, earlier: Instant| later.saturating_duration_since(earlier).as_micros() as i64;
    since(time, epoch) - since(epoch, time)
}

/// The address that others on the network see.
fn way_out() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((GROUP, PORT)).ok()?;
    match socket.local_addr().ok()? {
        SocketAddr::V4(own) if !own.ip().is_unspecified() => Some(*own.ip()),
        _ => None,
    }
}

/// What a peer listens to and speaks by.
struct Sockets {
    /// Hears what is said to all.
    all: UdpSocket,
    /// Speaks, and hears what is answered.
    own: UdpSocket,
    /// Asks for the time, and is asked.
    time: UdpSocket,
    asked_at: SocketAddrV4,
}

impl Sockets {
    fn open(interface: Ipv4Addr) -> io::Result<Sockets> {
        let all = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        // Peers on one machine share the port.
        all.set_reuse_address(true)?;
        #[cfg(unix)]
        all.set_reuse_port(true)?;
        all.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
        all.join_multicast_v4(&GROUP, &interface)?;
        let own = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        own.set_multicast_if_v4(&interface)?;
        own.set_multicast_loop_v4(true)?;
        own.bind(&SocketAddr::from((interface, 0)).into())?;
        let (all, own) = (UdpSocket::from(all), UdpSocket::from(own));
        let time = UdpSocket::bind((interface, 0))?;
        [&all, &own, &time].into_iter().try_for_each(|socket| socket.set_read_timeout(Some(LOOK)))?;
        let asked_at = SocketAddrV4::new(interface, time.local_addr()?.port());
        Ok(Sockets { all, own, time, asked_at })
    }

    /// Sends; what cannot be sent is as if it had been lost on the way, which others are prepared for.
    fn send(&self, send: Send) {
        let _ = match send {
            Send::All(bytes) => self.own.send_to(&bytes, (GROUP, PORT)),
            Send::To(to, bytes) => self.own.send_to(&bytes, to),
            Send::Time(to, bytes) => self.time.send_to(&bytes, to),
        };
    }
}

/// What a thread listens to.
#[derive(Clone, Copy, PartialEq)]
enum Hears {
    /// Questions for the time, and their answers.
    Time,
    /// What is told to this peer alone.
    Answers,
    /// What is told to all; it also says what is due.
    All,
}

impl Hears {
    /// Passes on what was heard, and gives what is answered.
    fn pass(self, peer: &mut Peer, message: &[u8], from: SocketAddrV4, now: i64) -> Vec<Send> {
        match self {
            Hears::Time => peer.hear_time(message, from, now),
            Hears::Answers | Hears::All => peer.hear(message, from, now),
        }
    }
}

/// What the threads of a peer share.
struct Life {
    sockets: Sockets,
    peer: Arc<Mutex<Peer>>,
    epoch: Instant,
    closing: Arc<AtomicBool>,
}

impl Life {
    fn live(&self, hears: Hears) {
        let socket = match hears {
            Hears::Time => &self.sockets.time,
            Hears::Answers => &self.sockets.own,
            Hears::All => &self.sockets.all,
        };
        // The end of a message that is too long is cut off, which makes it none.
        let mut bytes = [0; wire::MOST + 1];
        while !self.closing.load(Ordering::Relaxed) {
            match socket.recv_from(&mut bytes) {
                Ok((length, SocketAddr::V4(from))) => {
                    let now = self.now();
                    let answer = hears.pass(&mut lock(&self.peer), &bytes[..length], from, now);
                    answer.into_iter().for_each(|send| self.sockets.send(send));
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                // A broken socket is silent, and must not be asked in vain for ever.
                Ok(_) | Err(_) => thread::sleep(LOOK),
            }
            if hears == Hears::All {
                let due = lock(&self.peer).due(self.now());
                due.into_iter().for_each(|send| self.sockets.send(send));
            }
        }
        if hears == Hears::All {
            self.sockets.send(lock(&self.peer).bye());
        }
    }

    fn now(&self) -> i64 {
        micros(self.epoch, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer at an address of its own, that came in at a time.
    fn comes_in(number: u16, bpm: f64, epoch: Instant) -> (Link, SocketAddrV4) {
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, number);
        let peer = Arc::new(Mutex::new(Peer::new(address, bpm, 0, move || [number as u8; 8])));
        (Link { peer, epoch, closing: Arc::new(AtomicBool::new(false)), threads: Vec::new() }, address)
    }

    /// Lets what is due and what is answered come to everybody at once, from a time on, every millisecond.
    fn talk(links: &[(Link, SocketAddrV4)], from: Instant, milliseconds: u64) -> Instant {
        let mut now = from;
        for _ in 0..milliseconds {
            now += Duration::from_millis(1);
            let due = |(link, own): &(Link, SocketAddrV4)| {
                link.peer().due(micros(link.epoch, now)).into_iter().map(|send| (*own, send)).collect::<Vec<_>>()
            };
            let mut flying: std::collections::VecDeque<_> = links.iter().flat_map(due).collect();
            while let Some((sender, send)) = flying.pop_front() {
                let (hears, to, bytes) = match send {
                    Send::All(bytes) => (Hears::All, None, bytes),
                    Send::To(to, bytes) => (Hears::Answers, Some(to), bytes),
                    Send::Time(to, bytes) => (Hears::Time, Some(to), bytes),
                };
                for (link, own) in links.iter().filter(|(_, own)| to.is_none_or(|to| to == *own)) {
                    let answer = hears.pass(&mut link.peer(), &bytes, sender, micros(link.epoch, now));
                    flying.extend(answer.into_iter().map(|send| (*own, send)));
                }
            }
        }
        now
    }

    #[test]
    fn two_peers_on_one_machine_agree_on_tempo_and_beat() {
        let begun = Instant::now();
        // One is older by more than what counts as one age.
        let links = [comes_in(1, 123.0, begun), comes_in(2, 90.0, begun + Duration::from_millis(700))];
        let agree = |now: Instant, bpm: f64| {
            let [one, other] = [0, 1].map(|number: usize| links[number].0.at(now));
            assert!(
                [one, other].iter().all(|at| at.company == 1 && (at.tempo - bpm).abs() < 0.01),
                "{one:?}, {other:?}"
            );
            assert!((one.beat - other.beat).abs() * 60.0 / bpm < 0.002, "{one:?}, {other:?}");
        };
        let now = talk(&links, begun + Duration::from_millis(700), 2000);
        agree(now, 123.0);
        assert!((links[0].0.at(now).beat - 2.7 * 123.0 / 60.0).abs() < 0.002, "the beat of the first went on");
        links[1].0.change_tempo(141.5, now);
        agree(talk(&links, now, 300), 60e6 / (60e6f64 / 141.5).round());
    }

    #[test]
    fn what_is_said_to_all_is_heard_by_all_on_one_machine() {
        let [one, other] = [0, 1].map(|_| Sockets::open(Ipv4Addr::LOCALHOST).expect("there is room for two"));
        let mut bytes = [0; wire::MOST + 1];
        // What is lost is said again. Others may be on this machine too.
        let mut hears = |socket: &UdpSocket| {
            (0..1000).any(|_| {
                one.send(Send::All(b"to all".to_vec()));
                socket.recv_from(&mut bytes).is_ok_and(|(length, _)| bytes[..length] == *b"to all")
            })
        };
        assert!(hears(&one.all) && hears(&other.all));
    }
}
