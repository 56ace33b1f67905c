//! Meters out: what OSC clients have asked for, sent to each at its own pace until it asks no more.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use engine::meter::Reading;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder::encode};

/// How long a client is sent meters before it has to ask again.
pub const LEASE: Duration = Duration::from_secs(10);

/// How many clients are served.
const MOST: usize = 16;

/// How many meters a packet holds, so that it fits a network's frame.
const TOGETHER: usize = 24;

/// What is told of silence, in dB.
const SILENCE: f32 = -200.0;

/// A client.
struct Client {
    every: Duration,
    next: Instant,
    until: Instant,
    /// By name: the peak and the sum of mean squares since it was sent last, and how many they are.
    seen: BTreeMap<String, (f64, f64, u32)>,
}

/// Everyone who has asked for meters.
#[derive(Default)]
pub struct Clients {
    clients: BTreeMap<SocketAddr, Client>,
    /// The names of the meters of each program that may still tell of them.
    names: BTreeMap<u64, Vec<String>>,
}

impl Clients {
    /// Takes a request: readings a second, 1 to 60, or 0 for no more.
    ///
    /// # Errors
    /// Another number, or too many clients.
    pub fn ask(&mut self, client: SocketAddr, hertz: f64, now: Instant) -> Result<(), String> {
        if hertz == 0.0 {
            self.clients.remove(&client);
            return Ok(());
        }
        if !(1.0..=60.0).contains(&hertz) {
            return Err("it takes readings a second: 1 to 60, or 0 for no more".into());
        }
        if !self.clients.contains_key(&client) && self.clients.len() == MOST {
            return Err(format!("{MOST} others are sent meters already"));
        }
        let every = Duration::from_secs_f64(1.0 / hertz);
        let new = || Client { every, next: now + every, until: now, seen: BTreeMap::new() };
        let asked = self.clients.entry(client).or_insert_with(new);
        (asked.every, asked.until) = (every, now + LEASE);
        Ok(())
    }

    /// Whether anybody is to be sent meters; who has not asked for long is forgotten.
    pub fn any(&mut self, now: Instant) -> bool {
        self.clients.retain(|_, client| client.until > now);
        !self.clients.is_empty()
    }

    /// Learns the names of the meters of a program.
    pub fn name(&mut self, serial: u64, names: Vec<String>) {
        self.names.insert(serial, names);
        // Only the one that runs and the one that follows it tell anything.
        while self.names.len() > 2 {
            self.names.pop_first();
        }
    }

    /// Takes a reading.
    pub fn read(&mut self, reading: &Reading) {
        let Some(name) = self.names.get(&reading.serial).and_then(|names| names.get(reading.meter)) else { return };
        for client in self.clients.values_mut() {
            let (peak, square, count) = client.seen.entry(name.clone()).or_default();
            (*peak, *square, *count) = (peak.max(reading.peak), *square + reading.square, *count + 1);
        }
    }

    /// The packets that are due, each with whom it is for.
    pub fn due(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut packets = Vec::new();
        for (address, client) in
            self.clients.iter_mut().filter(|(_, client)| client.next <= now && !client.seen.is_empty())
        {
            client.next = (client.next + client.every).max(now);
            let messages: Vec<OscPacket> = std::mem::take(&mut client.seen)
                .into_iter()
                .map(|(name, (peak, square, count))| {
                    let rms = (square / f64::from(count)).sqrt();
                    let args = [peak, rms].map(|gain| OscType::Float(decibels(gain))).to_vec();
                    OscPacket::Message(OscMessage { addr: format!("/meter/{}", name.replace(' ', "%20")), args })
                })
                .collect();
            for content in messages.chunks(TOGETHER) {
                let timetag = OscTime { seconds: 0, fractional: 1 };
                let bundle = OscPacket::Bundle(OscBundle { timetag, content: content.to_vec() });
                packets.extend(encode(&bundle).map(|packet| (*address, packet)));
            }
        }
        packets
    }

    /// How long until something is due.
    pub fn pause(&self, now: Instant) -> Option<Duration> {
        self.clients.values().map(|client| client.next.saturating_duration_since(now)).min()
    }
}

fn decibels(gain: f64) -> f32 {
    let decibels = 20.0 * gain.log10();
    if decibels.is_finite() { (decibels as f32).max(SILENCE) } else { SILENCE }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    fn told(packet: &[u8]) -> Vec<(String, Vec<f32>)> {
        let OscPacket::Bundle(bundle) = rosc::decoder::decode_udp(packet).unwrap().1 else { panic!("no bundle") };
        let message = |packet| match packet {
            OscPacket::Message(OscMessage { addr, args }) => {
                (addr, args.into_iter().filter_map(OscType::float).collect())
            }
            OscPacket::Bundle(_) => panic!("a bundle in a bundle"),
        };
        bundle.content.into_iter().map(message).collect()
    }

    fn reading(serial: u64, meter: usize, peak: f64, square: f64) -> Reading {
        Reading { serial, meter, peak, square, reduced: 0.0 }
    }

    #[test]
    fn each_client_is_sent_peak_and_power_of_its_own_time() {
        let (mut clients, now) = (Clients::default(), Instant::now());
        let at = |ms: u64| now + Duration::from_millis(ms);
        clients.ask(client(1), 10.0, now).unwrap();
        clients.ask(client(2), 1.0, now).unwrap();
        clients.name(7, vec!["master".into(), "lead voice".into()]);
        for one in
            [reading(7, 0, 0.5, 0.01), reading(7, 0, 0.1, 0.03), reading(7, 1, 0.0, 0.0), reading(6, 0, 9.0, 9.0)]
        {
            clients.read(&one);
        }
        assert_eq!(clients.due(at(99)), []);
        let packets = clients.due(at(100));
        assert_eq!(packets.len(), 1);
        assert_eq!(packets[0].0, client(1));
        let told = told(&packets[0].1);
        assert_eq!(told[0], ("/meter/lead%20voice".into(), vec![SILENCE, SILENCE]));
        assert!((told[1].1[0] + 6.0206).abs() < 1e-3 && (told[1].1[1] + 16.9897).abs() < 1e-3, "{told:?}");
        assert_eq!(clients.due(at(200)), [], "nothing is told of no readings");
        assert_eq!(clients.due(at(1000)).len(), 1);
    }

    #[test]
    fn who_does_not_ask_again_is_sent_no_more() {
        let (mut clients, now) = (Clients::default(), Instant::now());
        clients.ask(client(1), 60.0, now).unwrap();
        assert!(clients.any(now + LEASE / 2));
        clients.ask(client(1), 60.0, now + LEASE / 2).unwrap();
        assert!(clients.any(now + LEASE));
        assert!(!clients.any(now + LEASE * 2));
        clients.ask(client(1), 1.0, now).unwrap();
        clients.ask(client(1), 0.0, now).unwrap();
        assert!(!clients.any(now));
    }

    #[test]
    fn wrong_rates_and_too_many_are_refused() {
        let (mut clients, now) = (Clients::default(), Instant::now());
        for wrong in [-1.0, 0.5, 61.0, f64::NAN, f64::INFINITY] {
            assert!(clients.ask(client(1), wrong, now).is_err(), "{wrong}");
        }
        assert!((0..MOST).all(|port| clients.ask(client(port as u16), 1.0, now).is_ok()));
        assert!(clients.ask(client(999), 1.0, now).is_err());
        assert!(clients.ask(client(0), 2.0, now).is_ok());
    }
}
