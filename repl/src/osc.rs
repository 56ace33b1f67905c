//! OSC in: a socket, and what its packets say. Anybody who can reach the socket can send anything, so nothing is believed:
//! sizes are bounded, what cannot be read is told a few times and counted, and nothing here ends the program.
//!
//! A bundle whose time tag lies ahead waits for its time, at most [`LONGEST_WAIT`].

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use rosc::{OscPacket, OscTime, OscType};

use crate::inbox::{Heard, Inbox, Said};
use crate::notices::{Notices, visible};
use crate::status;

/// The largest packet that is read, in bytes.
const LARGEST: usize = 16 << 10;

/// The longest address, and the longest text, in bytes.
const LONGEST: usize = 1024;

/// The longest that a bundle waits for its time; what lies further ahead comes from a clock that is wrong.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How many messages may wait for their time.
const MOST_WAITING: usize = 4096;

/// What a time tag counts from, in seconds before 1970: the year 1900.
const EPOCH: u64 = 2_208_988_800;

/// The stack of the thread that reads: packets as deep as [`LARGEST`] allows must not reach its end.
const STACK: usize = 64 << 20;

/// How long the socket waits before it looks whether it shall go on.
const PATIENCE: Duration = Duration::from_millis(100);

/// An open socket and the thread that reads it. Dropping it closes both.
pub struct Osc {
    socket: UdpSocket,
    closing: Arc<AtomicBool>,
    reading: Option<JoinHandle<()>>,
}

impl Osc {
    /// Opens a socket; what comes in goes to the inbox.
    ///
    /// # Errors
    /// The address is taken, or not one of this machine.
    pub fn open(address: SocketAddr, inbox: Arc<Inbox>) -> io::Result<Osc> {
        let socket = UdpSocket::bind(address)?;
        let closing = Arc::new(AtomicBool::new(false));
        let (own, closed) = (socket.try_clone()?, closing.clone());
        let reading = thread::Builder::new()
            .name("gainstage-osc".into())
            .stack_size(STACK)
            .spawn(move || read(&own, &inbox, &closed))?;
        Ok(Osc { socket, closing, reading: Some(reading) })
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// The system refuses.
    pub fn send(&self, to: SocketAddr, packet: &[u8]) -> io::Result<()> {
        self.socket.send_to(packet, to).map(drop)
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not know.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

impl Drop for Osc {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        if let Some(reading) = self.reading.take() {
            // A panic there has been shown there.
            let _ = reading.join();
        }
    }
}

fn read(socket: &UdpSocket, inbox: &Inbox, closing: &AtomicBool) {
    let mut packet = vec![0; LARGEST + 1];
    let mut notices = Notices::default();
    let mut later = Later::default();
    while !closing.load(Ordering::Relaxed) {
        let mut troubles = Vec::new();
        let pause = later.next(Instant::now()).unwrap_or(PATIENCE).clamp(Duration::from_millis(1), PATIENCE);
        if let Err(error) = socket.set_read_timeout(Some(pause)) {
            troubles.push(format!("cannot be waited for: {error}"));
        }
        match socket.recv_from(&mut packet) {
            Ok((length, from)) => {
                let Understood { heard, waits, wrong } = understand(&packet[..length], from, time_tag());
                if !heard.is_empty() {
                    inbox.put(heard);
                }
                troubles.extend(wrong);
                let now = Instant::now();
                for (wait, heard) in waits {
                    if !later.put(now + wait, heard) {
                        troubles
                            .push(format!("a bundle from {from} finds no room to wait for its time: it is not taken"));
                    }
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            // On some systems the refusal of what was sent out comes back here.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::Interrupted) => {}
            Err(error) => {
                troubles.push(format!("cannot be read: {error}"));
                thread::sleep(PATIENCE);
            }
        }
        let now = Instant::now();
        while let Some(heard) = later.due(now) {
            inbox.put(heard);
        }
        let told = troubles.into_iter().filter_map(|trouble| notices.about(trouble, now)).collect::<Vec<_>>();
        told.into_iter().chain(notices.due(now)).for_each(|line| status::warning(format!("OSC: {line}")));
    }
}

/// Bundles that wait for their time, in the order of it.
#[derive(Default)]
struct Later {
    heard: BTreeMap<(Instant, u64), Vec<Heard>>,
    /// How many have come: those of one time stay in order.
    come: u64,
    messages: usize,
}

impl Later {
    /// Lets messages wait for a moment; false when there is no room for them.
    fn put(&mut self, at: Instant, heard: Vec<Heard>) -> bool {
        let fits = self.messages + heard.len() <= MOST_WAITING;
        if fits {
            self.messages += heard.len();
            self.come += 1;
            self.heard.insert((at, self.come), heard);
        }
        fits
    }

    /// How long until the next are due; none while nothing waits.
    fn next(&self, now: Instant) -> Option<Duration> {
        self.heard.first_key_value().map(|((at, _), _)| at.saturating_duration_since(now))
    }

    /// The next that are due.
    fn due(&mut self, now: Instant) -> Option<Vec<Heard>> {
        let first = self.heard.first_entry().filter(|first| first.key().0 <= now)?;
        let heard = first.remove();
        self.messages -= heard.len();
        Some(heard)
    }
}

/// The time as a tag has it: seconds since 1900 and parts of one, 32 bits each.
fn time_tag() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    ((since.as_secs() + EPOCH) << 32) | (u64::from(since.subsec_nanos()) * (1 << 32) / 1_000_000_000)
}

/// How long something with a time tag is to wait at a time; none if it is not, or for longer than a tag can say.
fn wait(tag: OscTime, now: u64) -> Duration {
    let tag = u64::from(tag.seconds) << 32 | u64::from(tag.fractional);
    // In 2036 seconds begin anew at 0: the nearer of both ways round is meant. 1, and often 0, means at once.
    let ahead = if tag <= 1 { 0 } else { tag.wrapping_sub(now).cast_signed().max(0) };
    Duration::from_secs_f64(ahead as f64 / (1u64 << 32) as f64)
}

/// What a packet says.
#[derive(Debug, Default, PartialEq)]
pub struct Understood {
    /// Its messages in order, but for those that wait.
    pub heard: Vec<Heard>,
    /// Those that wait, with how long.
    pub waits: Vec<(Duration, Vec<Heard>)>,
    /// What of it could not be read, or is not taken.
    pub wrong: Vec<String>,
}

/// Reads a packet; `now` is the time as a tag has it.
pub fn understand(packet: &[u8], from: SocketAddr, now: u64) -> Understood {
    let Understood { mut heard, mut waits, mut wrong } = Understood::default();
    if packet.len() > LARGEST {
        wrong.push(format!("a packet from {from} is larger than {LARGEST} bytes: it is not read"));
        return Understood { heard, waits, wrong };
    }
    match rosc::decoder::decode_udp(packet) {
        Ok((rest, decoded)) => {
            if !rest.is_empty() {
                wrong.push(format!("the end of a packet from {from} cannot be read ({} bytes)", rest.len()));
            }
            // Packets in the order that they lie in, without recursion: they may lie deep.
            let mut packets = vec![(decoded, Duration::ZERO)];
            while let Some((packet, outer)) = packets.pop() {
                match packet {
                    OscPacket::Bundle(bundle) => {
                        // One within another is not due before it.
                        let wait = wait(bundle.timetag, now).max(outer);
                        if wait > LONGEST_WAIT {
                            let (ahead, most) = (wait.as_secs_f64(), LONGEST_WAIT.as_secs());
                            wrong.push(format!(
                                "a bundle from {from} is for {ahead:.1} s ahead, and at most {most} s are waited for: it is not taken"
                            ));
                            continue;
                        }
                        packets.extend(bundle.content.into_iter().rev().map(|packet| (packet, wait)));
                    }
                    OscPacket::Message(message) if message.addr.len() > LONGEST => {
                        wrong.push(format!("an address from {from} is longer than {LONGEST} bytes"));
                    }
                    OscPacket::Message(message) => {
                        let said = message.args.into_iter().map(said).collect();
                        let one = Heard::Osc { address: message.addr, said, from };
                        match waits.last_mut() {
                            _ if outer.is_zero() => heard.push(one),
                            Some((wait, list)) if *wait == outer => list.push(one),
                            _ => waits.push((outer, vec![one])),
                        }
                    }
                }
            }
        }
        Err(error) => wrong.push(visible(&format!("a packet from {from} is no OSC: {error}"))),
    }
    Understood { heard, waits, wrong }
}

fn said(argument: OscType) -> Said {
    match argument {
        OscType::Int(number) => Said::Number(f64::from(number)),
        OscType::Long(number) => Said::Number(number as f64),
        OscType::Double(number) => Said::Number(number),
        // The shortest decimal that means this float, and not the digits that widening adds: 0.1 stays 0.1.
        OscType::Float(number) => Said::Number(number.to_string().parse().unwrap_or(f64::from(number))),
        OscType::Bool(flag) => Said::Flag(flag),
        OscType::String(text) if text.len() > LONGEST => Said::Other("a long text"),
        OscType::String(text) => Said::Text(text),
        OscType::Char(letter) => Said::Text(letter.into()),
        OscType::Nil => Said::Other("nothing"),
        OscType::Inf => Said::Other("an impulse"),
        OscType::Blob(_) => Said::Other("a blob"),
        OscType::Time(_) => Said::Other("a time"),
        OscType::Color(_) => Said::Other("a colour"),
        OscType::Midi(_) => Said::Other("a MIDI message"),
        OscType::Array(_) => Said::Other("a list"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rosc::{OscArray, OscBundle, OscMessage, encoder::encode};
    use std::sync::mpsc;

    fn home() -> SocketAddr {
        ([127, 0, 0, 1], 9).into()
    }

    fn message(address: &str, args: Vec<OscType>) -> OscPacket {
        OscPacket::Message(OscMessage { addr: address.into(), args })
    }

    fn bundle(content: Vec<OscPacket>) -> OscPacket {
        OscPacket::Bundle(OscBundle { timetag: OscTime { seconds: 0, fractional: 1 }, content })
    }

    /// On a stack as deep as that of the socket's own thread.
    fn understood(packet: Vec<u8>) -> (Vec<(String, Vec<Said>)>, usize) {
        let read = move || understand(&packet, home(), NOW);
        let thread = thread::Builder::new().stack_size(STACK).spawn(read).unwrap();
        let Understood { heard, waits, wrong } = thread.join().unwrap();
        assert_eq!(waits, []);
        (heard.into_iter().map(plain).collect(), wrong.len())
    }

    fn plain(heard: Heard) -> (String, Vec<Said>) {
        match heard {
            Heard::Osc { address, said, .. } => (address, said),
            Heard::Midi { .. } | Heard::Keys { .. } | Heard::Clock(_) => unreachable!("OSC gives OSC"),
        }
    }

    /// A time, as a tag has it.
    const NOW: u64 = 4_000_000_000 << 32;

    /// A bundle of one message, for so many seconds after [`NOW`].
    fn timed(address: &str, ahead: f64, more: Vec<OscPacket>) -> OscPacket {
        let tag = NOW.wrapping_add_signed((ahead * (1u64 << 32) as f64) as i64);
        let timetag = OscTime { seconds: (tag >> 32) as u32, fractional: tag as u32 };
        OscPacket::Bundle(OscBundle { timetag, content: [vec![message(address, vec![])], more].concat() })
    }

    #[test]
    fn a_bundle_waits_for_its_time_and_what_is_too_far_ahead_is_refused() {
        let read = |packet: &OscPacket, now: u64| understand(&encode(packet).unwrap(), home(), now);
        let names = |heard: &[Heard]| heard.iter().map(|one| plain(one.clone()).0).collect::<Vec<_>>().concat();
        for (ahead, expected) in [(-60.0, None), (0.0, None), (0.25, Some(0.25)), (10.0, Some(10.0))] {
            let Understood { heard, waits, wrong } = read(&timed("/a", ahead, vec![]), NOW);
            assert_eq!((heard.is_empty(), wrong.len()), (expected.is_some(), 0), "{ahead}");
            assert_eq!(waits.first().map(|(wait, _)| wait.as_secs_f64()), expected, "{ahead}");
        }
        let far = read(&timed("/a", 10.5, vec![]), NOW);
        assert!(far.heard.is_empty() && far.waits.is_empty() && far.wrong[0].contains("10.5 s ahead"), "{far:?}");
        // Within another none is due earlier than that; what follows it belongs to the outer one again.
        let inner = vec![timed("/b", 0.5, vec![]), timed("/c", 2.0, vec![]), message("/d", vec![])];
        let told: Vec<(f64, String)> = read(&timed("/a", 1.0, inner), NOW)
            .waits
            .iter()
            .map(|(at, heard)| (at.as_secs_f64(), names(heard)))
            .collect();
        assert_eq!(told, [(1.0, "/a/b".into()), (2.0, "/c".into()), (1.0, "/d".into())]);
        // Seconds begin anew in 2036: a second past that is two after one before it.
        let turn = OscPacket::Bundle(OscBundle {
            timetag: OscTime { seconds: 1, fractional: 0 },
            content: vec![message("/a", vec![])],
        });
        assert_eq!(read(&turn, u64::from(u32::MAX) << 32).waits[0].0, Duration::from_secs(2));
    }

    #[test]
    fn what_waits_comes_in_the_order_of_its_time_and_is_bounded() {
        let (mut later, now) = (Later::default(), Instant::now());
        let at = |ms: u64| now + Duration::from_millis(ms);
        let one = |name: &str| vec![Heard::Osc { address: name.into(), said: vec![], from: home() }];
        assert_eq!(later.next(now), None);
        for (ms, name) in [(20, "/3"), (10, "/1"), (10, "/2")] {
            assert!(later.put(at(ms), one(name)));
        }
        assert_eq!((later.due(at(9)), later.next(at(9))), (None, Some(Duration::from_millis(1))));
        assert_eq!(
            [10, 10, 10, 20].map(|ms| later.due(at(ms))),
            [Some(one("/1")), Some(one("/2")), None, Some(one("/3"))]
        );
        assert!(later.put(at(1), vec![one("/a").remove(0); MOST_WAITING]));
        assert!(!later.put(at(1), one("/b")));
        assert_eq!(later.due(at(1)).map(|heard| heard.len()), Some(MOST_WAITING));
        assert!(later.put(at(1), one("/b")), "there is room again");
    }

    #[test]
    fn every_type_is_read_as_what_it_means() {
        let args = vec![
            OscType::Float(-24.1),
            OscType::Int(3),
            OscType::Double(0.1),
            OscType::Long(-7),
            OscType::Bool(true),
            OscType::String("off".into()),
            OscType::Nil,
            OscType::Array(OscArray { content: vec![OscType::Int(1)] }),
        ];
        let (heard, wrong) = understood(encode(&message("/a/b", args)).unwrap());
        let expected = vec![
            Said::Number(-24.1),
            Said::Number(3.0),
            Said::Number(0.1),
            Said::Number(-7.0),
            Said::Flag(true),
            Said::Text("off".into()),
            Said::Other("nothing"),
            Said::Other("a list"),
        ];
        assert_eq!((heard, wrong), (vec![("/a/b".into(), expected)], 0));
    }

    #[test]
    fn bundles_are_read_in_order_however_they_are_nested() {
        let one = |name: &str| message(name, vec![OscType::Int(1)]);
        let packet = bundle(vec![one("/1"), bundle(vec![one("/2"), bundle(vec![]), one("/3")]), one("/4")]);
        let (heard, wrong) = understood(encode(&packet).unwrap());
        let order: Vec<&str> = heard.iter().map(|(address, _)| address.as_str()).collect();
        assert_eq!((order, wrong), (vec!["/1", "/2", "/3", "/4"], 0));
    }

    #[test]
    fn what_cannot_be_read_is_told_and_what_stands_before_it_is_taken() {
        let whole = encode(&bundle(vec![message("/1", vec![]), message("/2", vec![])])).unwrap();
        for length in 1..whole.len() {
            let (heard, wrong) = understood(whole[..length].to_vec());
            assert!(wrong == 1 || length == 16 || heard.len() == 1, "{length}: {heard:?}, {wrong}");
        }
        assert_eq!(understood(vec![0; LARGEST + 1]), (vec![], 1));
        assert_eq!(understood(b"/a\0\0,q\0\0".to_vec()), (vec![], 1));
        let long = format!("/{}", "a".repeat(LONGEST));
        assert_eq!(understood(encode(&message(&long, vec![])).unwrap()), (vec![], 1));
    }

    #[test]
    fn the_deepest_packets_stay_within_the_stack() {
        let mut nested = Vec::new();
        while nested.len() + 20 <= LARGEST {
            let size = (nested.len() as u32).to_be_bytes();
            let inner = if nested.is_empty() { Vec::new() } else { [&size[..], &nested].concat() };
            nested = [&b"#bundle\0\0\0\0\0\0\0\0\x01"[..], &inner].concat();
        }
        assert_eq!(understood(nested).0, vec![]);
        let depth = (LARGEST - 8) / 2;
        let mut tags = [b"/a\0\0,".to_vec(), vec![b'['; depth], vec![b']'; depth - 4]].concat();
        tags.resize(LARGEST, 0);
        assert_eq!(understood(tags).0.len(), 1);
    }

    #[test]
    fn whatever_the_bytes_a_packet_is_read_or_told_of() {
        for seed in 0..crate::fuzz::cases(3000) {
            let mut bytes = crate::fuzz::bytes(seed, seed as usize % 200);
            if seed % 2 == 0 {
                bytes.splice(..0, *b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x0c/a\0\0");
            }
            let Understood { heard, waits, wrong } = understand(&bytes, home(), NOW);
            assert!(!waits.is_empty() || !heard.is_empty() || !wrong.is_empty() || bytes.len() == 16, "{bytes:?}");
        }
    }

    #[test]
    fn a_socket_hears_what_is_sent_to_it_and_its_port_is_its_own() {
        let (send, woken) = mpsc::channel();
        let inbox = Arc::new(Inbox::new(move || _ = send.send(())));
        let osc = Osc::open(([127, 0, 0, 1], 0).into(), inbox.clone()).unwrap();
        let address = osc.address().unwrap();
        assert_eq!(Osc::open(address, inbox.clone()).map(drop).unwrap_err().kind(), ErrorKind::AddrInUse);
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.send_to(&encode(&message("/x", vec![OscType::Float(0.5)])).unwrap(), address).unwrap();
        woken.recv_timeout(Duration::from_secs(20)).unwrap();
        let from = sender.local_addr().unwrap();
        let expected = Heard::Osc { address: "/x".into(), said: vec![Said::Number(0.5)], from };
        assert_eq!(inbox.take().0, vec![expected.clone()]);
        // What is for a little later comes as well.
        let soon = time_tag() + (1 << 31);
        let timetag = OscTime { seconds: (soon >> 32) as u32, fractional: soon as u32 };
        let content = vec![message("/x", vec![OscType::Float(0.5)])];
        sender.send_to(&encode(&OscPacket::Bundle(OscBundle { timetag, content })).unwrap(), address).unwrap();
        woken.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(time_tag() >= soon);
        assert_eq!(inbox.take().0, vec![expected]);
    }
}
