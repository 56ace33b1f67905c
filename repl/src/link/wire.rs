//! The messages of Link, as bytes: who is there and in which session (discovery), and what time it is there (measurement).
//!
//! After *link-wire-spec* 0.4.0 (github.com/structuresound/link-wire-spec, CC-BY-4.0), chapters 0 to 2, and F. Goltz,
//! *Ableton Link: a technology to synchronize music software* (Linux Audio Conference 2018).

use std::net::{Ipv4Addr, SocketAddrV4};

/// What a message of discovery begins with, and one of measurement.
const DISCOVERY: &[u8; 8] = b"_asdp_v\x01";
const MEASUREMENT: &[u8; 8] = b"_link_v\x01";

/// The most bytes of a message.
pub const MOST: usize = 511;

/// Further than this, in millionths, no clock and no beat goes: it is a hundred years.
const FURTHEST: u64 = 1 << 52;

/// The most bytes of the body of a question that is answered.
const MOST_ASKED: usize = 32;

/// How long what is told is valid, in seconds.
pub const VALID: u8 = 5;

/// A peer, or the session that it has founded.
pub type Id = [u8; 8];

/// Where the beats of a session are in its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Microseconds a beat.
    pub period: i64,
    /// A beat, in millionths: of two timelines of a session, the one with the later counts.
    pub beat: i64,
    /// When that is, in microseconds of the session's time.
    pub time: i64,
}

/// Whether a session plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Playing {
    /// Whether it does.
    pub on: bool,
    /// From or until which beat, in millionths.
    pub beat: i64,
    /// When somebody said so, in microseconds of the session's time.
    pub time: i64,
}

/// What a peer tells of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Its session.
    pub session: Id,
    /// The timeline of that, as it knows it.
    pub timeline: Timeline,
    /// Whether that plays, as it knows.
    pub playing: Option<Playing>,
    /// Where it can be asked the time.
    pub asked_at: Option<SocketAddrV4>,
}

/// A message of discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// To all: a peer is there.
    Alive(State),
    /// To one who is there: so is another.
    Response(State),
    /// It goes.
    Bye,
}

/// A message of measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Time {
    /// What time is it in your session? With all that is to come back.
    Ping(Vec<u8>),
    /// It is so late.
    Pong {
        /// In which session.
        session: Id,
        /// Its time, in microseconds.
        there: i64,
        /// When it was asked, by the clock of who asked.
        asked: i64,
        /// The time that it said before, if it was asked before.
        before: Option<i64>,
    },
}

/// Writes a message of discovery.
pub fn discovery(from: Id, word: &Word) -> Vec<u8> {
    let (kind, valid) = match word {
        Word::Alive(_) => (1, VALID),
        Word::Response(_) => (2, VALID),
        Word::Bye => (3, 0),
    };
    let mut bytes = DISCOVERY.to_vec();
    bytes.extend([kind, valid, 0, 0]);
    bytes.extend(from);
    if let Word::Alive(state) | Word::Response(state) = word {
        let Timeline { period, beat, time } = state.timeline;
        entry(&mut bytes, b"tmln", &[period.to_be_bytes(), beat.to_be_bytes(), time.to_be_bytes()].concat());
        entry(&mut bytes, b"sess", &state.session);
        let Playing { on, beat, time } = state.playing.unwrap_or_default();
        entry(&mut bytes, b"stst", &[&[u8::from(on)][..], &beat.to_be_bytes(), &time.to_be_bytes()].concat());
        if let Some(at) = state.asked_at {
            entry(&mut bytes, b"mep4", &[&at.ip().octets()[..], &at.port().to_be_bytes()].concat());
        }
    }
    bytes
}

/// Reads a message of discovery: who sent it, and for how many seconds it is valid. None of what is no such message.
pub fn read_discovery(bytes: &[u8]) -> Option<(Id, u8, Word)> {
    let (kind, valid) = match bytes.strip_prefix(DISCOVERY)? {
        [kind, valid, 0, 0, ..] => (*kind, *valid),
        _ => return None,
    };
    let (from, body) = bytes.get(12..)?.split_first_chunk::<8>()?;
    let word = match kind {
        1 => Word::Alive(state(body)?),
        2 => Word::Response(state(body)?),
        3 => Word::Bye,
        _ => return None,
    };
    Some((*from, valid, word))
}

/// Whether bytes are a call of somebody else to whom one answers, whatever they tell.
pub fn is_call(bytes: &[u8], own: Id) -> bool {
    let call = bytes.strip_prefix(DISCOVERY).is_some_and(|rest| matches!(rest, [1, _, 0, 0, ..]));
    call && bytes.get(12..20).is_some_and(|from| from != own)
}

fn state(body: &[u8]) -> Option<State> {
    let mut state = State::default();
    for found in Entries(body) {
        let (key, value) = found.ok()?;
        match &key {
            b"tmln" => {
                let [period, beat, time] = whole(value)?;
                state.timeline = Timeline { period, beat, time };
            }
            b"sess" => state.session = value.try_into().ok()?,
            b"stst" => {
                let (on, rest) = value.split_first()?;
                let [beat, time] = whole(rest)?;
                state.playing = Some(Playing { on: *on != 0, beat, time });
            }
            b"mep4" => {
                let [a, b, c, d, high, low] = value.try_into().ok()?;
                state.asked_at = Some(SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])));
            }
            _ => {}
        }
    }
    Some(state)
}

/// Writes a question for the time: when it is asked, and what the answer was before.
pub fn ping(now: i64, before: Option<i64>) -> Vec<u8> {
    let mut bytes = MEASUREMENT.to_vec();
    bytes.push(1);
    entry(&mut bytes, b"__ht", &now.to_be_bytes());
    before.iter().for_each(|before| entry(&mut bytes, b"_pgt", &before.to_be_bytes()));
    bytes
}

/// Writes the answer to a question: all that came with it goes back.
pub fn pong(session: Id, there: i64, asked: &[u8]) -> Vec<u8> {
    let mut bytes = MEASUREMENT.to_vec();
    bytes.push(2);
    entry(&mut bytes, b"sess", &session);
    entry(&mut bytes, b"__gt", &there.to_be_bytes());
    bytes.extend(asked);
    bytes
}

/// Reads a message of measurement. None of what is no such message, or asks for too much.
pub fn read_time(bytes: &[u8]) -> Option<Time> {
    let (kind, body) = bytes.strip_prefix(MEASUREMENT)?.split_first()?;
    match kind {
        1 if body.len() <= MOST_ASKED => Some(Time::Ping(body.to_vec())),
        2 => {
            let (mut session, mut there, mut asked, mut before) = (None, None, None, None);
            for found in Entries(body) {
                let (key, value) = found.ok()?;
                match &key {
                    b"sess" => session = Some(value.try_into().ok()?),
                    b"__gt" => there = Some(whole::<1>(value)?[0]),
                    b"__ht" => asked = Some(whole::<1>(value)?[0]),
                    b"_pgt" => before = Some(whole::<1>(value)?[0]),
                    _ => {}
                }
            }
            Some(Time::Pong { session: session?, there: there?, asked: asked?, before })
        }
        _ => None,
    }
}

fn entry(bytes: &mut Vec<u8>, key: &[u8; 4], value: &[u8]) {
    bytes.extend(key);
    bytes.extend((value.len() as u32).to_be_bytes());
    bytes.extend(value);
}

/// Exactly so many numbers, as clocks show them.
fn whole<const N: usize>(value: &[u8]) -> Option<[i64; N]> {
    let (numbers, rest) = value.as_chunks::<8>();
    let numbers: &[[u8; 8]; N] = numbers.try_into().ok()?;
    let numbers = numbers.map(i64::from_be_bytes);
    (rest.is_empty() && numbers.iter().all(|number| number.unsigned_abs() <= FURTHEST)).then_some(numbers)
}

/// What a body is made of: names of four letters, each with its value.
struct Entries<'a>(&'a [u8]);

/// An entry says that it is longer than the message.
struct Cut;

impl<'a> Iterator for Entries<'a> {
    type Item = Result<([u8; 4], &'a [u8]), Cut>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let cut = |bytes: &'a [u8]| {
            let (key, rest) = bytes.split_first_chunk::<4>()?;
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            Some(((*key, value), rest))
        };
        let found = cut(self.0);
        self.0 = found.map_or(&[], |(_, rest)| rest);
        Some(found.map(|(entry, _)| entry).ok_or(Cut))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Id = *b"peer-one";

    fn told() -> State {
        State {
            session: *b"founder!",
            timeline: Timeline { period: 500_000, beat: 1_000_178, time: 123_456_789 },
            playing: Some(Playing { on: true, beat: 4_000_000, time: 99 }),
            asked_at: Some(SocketAddrV4::new(Ipv4Addr::new(10, 0, 1, 33), 64_244)),
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for word in [Word::Alive(told()), Word::Response(told()), Word::Bye] {
            let valid = if word == Word::Bye { 0 } else { 5 };
            assert_eq!(read_discovery(&discovery(ID, &word)), Some((ID, valid, word)));
        }
        let Some(Time::Ping(asked)) = read_time(&ping(17, Some(-5))) else { panic!("a ping is one") };
        let answer = Time::Pong { session: ID, there: 44, asked: 17, before: Some(-5) };
        assert_eq!(read_time(&pong(ID, 44, &asked)), Some(answer));
    }

    #[test]
    fn messages_have_the_sizes_that_were_observed() {
        // link-wire-spec, 01-discovery 6.1 and 02-sync 4.1.
        assert_eq!(discovery(ID, &Word::Alive(told())).len(), 107);
        assert_eq!(discovery(ID, &Word::Bye).len(), 20);
        assert_eq!([ping(1, None).len(), ping(1, Some(2)).len()], [25, 41]);
        let asked = |ping: Vec<u8>| ping[9..].to_vec();
        let sizes = [pong(ID, 1, &asked(ping(1, None))).len(), pong(ID, 1, &asked(ping(1, Some(2)))).len()];
        assert_eq!(sizes, [57, 73]);
    }

    #[test]
    fn a_message_that_was_captured_in_2015_is_understood() {
        // Of an early peer, from the notes at github.com/westhom/AbletonLinkProtocol.
        let hex = "5f617364705f7601010500005 27b4627654 5533a746d6c6e00000018000 00000000c3500000000004f149930000000 \
                   00062c36f4736573730000000 8527b46276545533a6d6570340000000 60a000121faf4";
        let digits: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
        let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        let Some((from, 5, Word::Alive(state))) = read_discovery(&bytes) else { panic!("it is not understood") };
        assert_eq!((from, state.session, state.timeline.period), (*b"R{F'eES:", from, 800_000), "75 BPM");
        assert_eq!(state.asked_at, Some(SocketAddrV4::new(Ipv4Addr::new(10, 0, 1, 33), 64_244)));
    }

    #[test]
    fn what_is_damaged_is_no_message_and_what_is_unknown_is_passed_over() {
        let whole = discovery(ID, &Word::Alive(told()));
        for length in (0..20).chain(21..28) {
            assert_eq!(read_discovery(&whole[..length]), None, "{length}");
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 2, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                let read = read_discovery(&bytes);
                assert!(at >= 8 || byte == whole[at] || read.is_none());
            }
        }
        let mut more = whole.clone();
        entry(&mut more, b"aep4", &[1; 6]);
        assert_eq!(read_discovery(&more), read_discovery(&whole));
        entry(&mut more, b"sess", &[1; 7]);
        assert_eq!(read_discovery(&more), None);
        let mut group = whole;
        group[10] = 1;
        assert_eq!((read_discovery(&group), is_call(&group, *b"somebody")), (None, false));
        assert_eq!(read_time(&[&ping(1, None)[..], &[0; 40]].concat()), None, "it asks for too much to come back");
    }
}
