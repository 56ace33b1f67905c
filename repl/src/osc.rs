//! OSC in: a socket, and what its packets say. Anybody who can reach the socket can send anything, so nothing is believed:
//! sizes are bounded, what cannot be read is told a few times and counted, and nothing here ends the program.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rosc::{OscPacket, OscType};

use crate::inbox::{Heard, Inbox, Said};
use crate::notices::{Notices, visible};
use crate::status;

/// The largest packet that is read, in bytes.
const LARGEST: usize = 16 << 10;

/// The longest address, and the longest text, in bytes.
const LONGEST: usize = 1024;

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
        socket.set_read_timeout(Some(PATIENCE))?;
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
    while !closing.load(Ordering::Relaxed) {
        let mut troubles = Vec::new();
        match socket.recv_from(&mut packet) {
            Ok((length, from)) => {
                let (heard, wrong) = understand(&packet[..length], from);
                if !heard.is_empty() {
                    inbox.put(heard);
                }
                troubles.extend(wrong);
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
        let told = troubles.into_iter().filter_map(|trouble| notices.about(trouble, now)).collect::<Vec<_>>();
        told.into_iter().chain(notices.due(now)).for_each(|line| status::warning(format!("OSC: {line}")));
    }
}

/// The messages of a packet in order, and what of it could not be read.
pub fn understand(packet: &[u8], from: SocketAddr) -> (Vec<Heard>, Vec<String>) {
    if packet.len() > LARGEST {
        return (Vec::new(), vec![format!("a packet from {from} is larger than {LARGEST} bytes: it is not read")]);
    }
    let (mut heard, mut wrong) = (Vec::new(), Vec::new());
    match rosc::decoder::decode_udp(packet) {
        Ok((rest, decoded)) => {
            if !rest.is_empty() {
                wrong.push(format!("the end of a packet from {from} cannot be read ({} bytes)", rest.len()));
            }
            // Packets in the order that they lie in, without recursion: they may lie deep.
            let mut packets = vec![decoded];
            while let Some(packet) = packets.pop() {
                match packet {
                    OscPacket::Bundle(bundle) => packets.extend(bundle.content.into_iter().rev()),
                    OscPacket::Message(message) if message.addr.len() > LONGEST => {
                        wrong.push(format!("an address from {from} is longer than {LONGEST} bytes"));
                    }
                    OscPacket::Message(message) => {
                        let said = message.args.into_iter().map(said).collect();
                        heard.push(Heard::Osc { address: message.addr, said, from });
                    }
                }
            }
        }
        Err(error) => wrong.push(visible(&format!("a packet from {from} is no OSC: {error}"))),
    }
    (heard, wrong)
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
    use rosc::{OscArray, OscBundle, OscMessage, OscTime, encoder::encode};
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
        let read = move || understand(&packet, home());
        let thread = thread::Builder::new().stack_size(STACK).spawn(read).unwrap();
        let (heard, wrong) = thread.join().unwrap();
        let plain = heard.into_iter().map(|heard| match heard {
            Heard::Osc { address, said, .. } => (address, said),
            Heard::Midi { .. } => unreachable!("OSC gives OSC"),
        });
        (plain.collect(), wrong.len())
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
            let (heard, wrong) = understand(&bytes, home());
            assert!(!heard.is_empty() || !wrong.is_empty() || bytes.len() == 16, "{bytes:?}");
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
        assert_eq!(inbox.take().0, vec![expected]);
    }
}
