//! Figures and spectra out: what OSC clients follow of points of the desk, sent to each at its own pace until it asks no more.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use engine::figure;
use engine::measure::ballistics::KScale;
use rosc::{OscMessage, OscPacket, OscType, encoder::encode};

use crate::measuring::Reading;
use crate::meters::LEASE;

/// How many points are followed at most, by all clients.
const MOST: usize = 64;

/// What is followed of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// Every figure.
    Figures,
    /// The levels of thirds of an octave.
    Spectrum,
}

/// Who follows what of which point, by its path.
type Who = (SocketAddr, View, String);

/// How one of them does.
struct Follower {
    /// From which piece on it is to be told.
    from: u64,
    every: Duration,
    next: Instant,
    until: Instant,
}

/// Everyone who follows figures.
#[derive(Default)]
pub struct Followers {
    followers: BTreeMap<Who, Follower>,
}

impl Followers {
    /// Takes a request for a point: so many times a second, 0.1 to 20.
    ///
    /// # Errors
    /// Another number, or too many points.
    pub fn ask(&mut self, client: SocketAddr, view: View, point: &str, hertz: f64, now: Instant) -> Result<(), String> {
        let who = (client, view, point.to_owned());
        if !(0.1..=20.0).contains(&hertz) {
            return Err("it takes readings a second: 0.1 to 20, or 0 for no more".into());
        }
        if !self.followers.contains_key(&who) && self.followers.len() == MOST {
            return Err(format!("{MOST} points are followed already"));
        }
        let every = Duration::from_secs_f64(1.0 / hertz);
        let new = || Follower { from: 0, every, next: now + every, until: now };
        let follower = self.followers.entry(who).or_insert_with(new);
        (follower.every, follower.until) = (every, now + LEASE.max(2 * every));
        Ok(())
    }

    /// Sends a client no more of a point.
    pub fn forget(&mut self, client: SocketAddr, view: View, point: &str) {
        self.followers.remove(&(client, view, point.to_owned()));
    }

    /// The points that somebody follows; who has not asked for long is forgotten.
    pub fn points(&mut self, now: Instant) -> BTreeSet<String> {
        self.followers.retain(|_, follower| follower.until > now);
        self.followers.keys().map(|(.., point)| point.clone()).collect()
    }

    /// The packets that are due, each with whom it is for.
    pub fn due(
        &mut self,
        now: Instant,
        read: impl Fn(View, &str, u64) -> Option<(Vec<Figure>, u64)>,
    ) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut packets = Vec::new();
        for ((client, view, point), follower) in self.followers.iter_mut().filter(|(_, follower)| follower.next <= now)
        {
            follower.next = (follower.next + follower.every).max(now);
            if let Some((all, next)) = read(*view, point, follower.from) {
                follower.from = next;
                packets.extend(packet(*view, point, &all).map(|packet| (*client, packet)));
            }
        }
        packets
    }

    /// How long until something is due.
    pub fn pause(&self, now: Instant) -> Option<Duration> {
        self.followers.values().map(|follower| follower.next.saturating_duration_since(now)).min()
    }
}

/// A figure, if there is one.
type Figure = Option<f64>;

/// What is told of a point's figures, in this order: of now, of what came since it was told last, and of the whole.
pub fn told(reading: &Reading) -> Vec<Figure> {
    let Reading { figures, momentary, short_term, since, vu, ppm } = reading;
    let needle = |level: f64| Some(level).filter(|level| level.is_finite());
    let of = |figure: figure::Figure| figures.as_ref()?.get(figure).map(|(value, _)| value);
    let whole = [
        figure::Figure::Lufs,
        figure::Figure::LoudnessRange,
        figure::Figure::TruePeak,
        figure::Figure::Plr,
        figure::Figure::Psr,
        figure::Figure::DcOffset,
        figure::Figure::ClippedSamples,
    ];
    let now = [*momentary, *short_term, needle(*vu), needle(*ppm)];
    let newest = [
        since.sample_peak(),
        since.rms(),
        since.correlation(),
        Some(since.reduced),
        since.rms().map(|rms| KScale::K20.reading(rms)),
    ];
    now.into_iter().chain(newest).chain(whole.map(of)).collect()
}

/// A message of numbers; what does not exist is nil.
fn packet(view: View, point: &str, all: &[Figure]) -> Option<Vec<u8>> {
    let args = all.iter().map(|figure| figure.map_or(OscType::Nil, |value| OscType::Float(value as f32))).collect();
    let of = match view {
        View::Figures => "figures",
        View::Spectrum => "spectrum",
    };
    let addr = format!("/{of}/{}", point.replace(' ', "%20"));
    encode(&OscPacket::Message(OscMessage { addr, args })).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measuring::Since;
    use engine::measure::{Layout, Measurement};

    fn client(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    fn reading(level: f64) -> (Vec<Figure>, u64) {
        let mut measurement = Measurement::new(48_000, Layout::of(2));
        measurement.take(&[vec![level; 48_000], vec![level; 48_000]]);
        let (figures, since) = (Some(measurement.figures()), Since { peak: level, reduced: 3.5, ..Since::default() });
        let (vu, ppm) = (-10.0, f64::NEG_INFINITY);
        (told(&Reading { figures, momentary: None, short_term: Some(-20.0), since, vu, ppm }), 1)
    }

    #[test]
    fn each_client_is_sent_what_it_follows_at_its_own_pace() {
        let (mut followers, now) = (Followers::default(), Instant::now());
        let at = |ms: u64| now + Duration::from_millis(ms);
        followers.ask(client(1), View::Figures, "lead voice", 10.0, now).unwrap();
        followers.ask(client(2), View::Spectrum, "master", 1.0, now).unwrap();
        assert_eq!(followers.points(now), BTreeSet::from(["lead voice".into(), "master".into()]));
        assert!(followers.due(at(99), |_, _, _| Some(reading(0.5))).is_empty());
        let packets = followers.due(at(100), |_, _, _| Some(reading(0.5)));
        assert_eq!(packets.len(), 1);
        assert_eq!(packets[0].0, client(1));
        let OscPacket::Message(OscMessage { addr, args }) = rosc::decoder::decode_udp(&packets[0].1).unwrap().1 else {
            panic!("no message")
        };
        assert_eq!(addr, "/figures/lead%20voice");
        assert_eq!(args.len(), 16);
        let float = |i: usize| args[i].clone().float().unwrap();
        assert_eq!((&args[0], float(1), float(2), &args[3]), (&OscType::Nil, -20.0, -10.0, &OscType::Nil));
        assert!((float(4) + 6.0206).abs() < 1e-3 && float(7) == 3.5 && (float(14) - 0.5).abs() < 1e-6, "{args:?}");
        assert_eq!(followers.due(at(1000), |_, _, _| Some(reading(0.5))).len(), 2);
        assert!(followers.due(at(3000), |_, _, _| None).is_empty(), "nothing is told of what is not heard");
    }

    #[test]
    fn what_is_silent_has_no_loudness() {
        let packet = packet(View::Figures, "x", &reading(0.0).0).unwrap();
        let OscPacket::Message(message) = rosc::decoder::decode_udp(&packet).unwrap().1 else { panic!("no message") };
        assert_eq!(message.args[0], OscType::Nil);
    }

    #[test]
    fn who_asks_wrongly_is_told_and_who_asks_no_more_is_forgotten() {
        let (mut followers, now) = (Followers::default(), Instant::now());
        for wrong in [-1.0, 0.05, 21.0, f64::NAN] {
            assert!(followers.ask(client(1), View::Figures, "x", wrong, now).is_err(), "{wrong}");
        }
        assert!((0..MOST).all(|port| followers.ask(client(port as u16), View::Figures, "x", 1.0, now).is_ok()));
        assert!(followers.ask(client(999), View::Figures, "x", 1.0, now).is_err());
        assert!(followers.ask(client(0), View::Figures, "x", 2.0, now + LEASE / 2).is_ok());
        assert_eq!(followers.points(now + LEASE).len(), 1);
        assert!(followers.points(now + 2 * LEASE).is_empty());
    }
}
