//! A peer of Link without its sockets: what it hears, when, and what it says then. Times are microseconds of one clock.
//!
//! Every peer is in one session at any time, at first its own. It measures how far the time of another session is from its
//! clock, and goes over to that which has lasted longer; within a session the timeline with the later beat counts.
//! After *link-wire-spec* 0.4.0 (CC-BY-4.0), chapters 1 and 2.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;

use super::wire::{self, Id, Playing, State, Time, Timeline, VALID, Word};

/// How often it says that it is there; how soon after a change at the earliest.
const PERIOD: i64 = 1_000_000 * VALID as i64 / 20;
const SPACING: i64 = 50_000;

/// How long an answer is waited for, and how often in a measurement that may be in vain.
const PATIENCE: i64 = 50_000;
const RETRIES: u32 = 5;

/// How many estimates make a measurement, and how soon the session one is in is measured again.
const ENOUGH: usize = 101;
const AGAIN: i64 = 30_000_000;

/// How long a peer that was asked the time in vain is not asked again.
const ASIDE: i64 = 5_000_000;

/// Sessions that began within so many microseconds of each other are as old.
const AS_OLD: i64 = 500_000;

/// The tempos of a session, in beats a minute.
pub const TEMPOS: std::ops::RangeInclusive<f64> = 20.0..=999.0;

/// The most peers, and the most other sessions, that are kept in mind: more is nobody's network.
const MOST: usize = 256;

/// Something to be sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Send {
    /// A message of discovery, to all.
    All(Vec<u8>),
    /// A message of discovery, to where one came from.
    To(SocketAddrV4, Vec<u8>),
    /// A message of measurement.
    Time(SocketAddrV4, Vec<u8>),
}

/// What is known of another peer.
struct Other {
    state: State,
    until: i64,
    /// When it came.
    came: i64,
    /// When it was last asked the time in vain.
    vain: Option<i64>,
}

/// A measurement that is under way.
struct Measurement {
    session: Id,
    /// Who is asked, and where.
    of: Id,
    at: SocketAddrV4,
    estimates: Vec<f64>,
    /// When the last question was asked, and how often one was in vain.
    asked: i64,
    retries: u32,
}

/// A peer.
pub struct Peer {
    id: Id,
    /// Where it can be asked the time.
    asked_at: SocketAddrV4,
    session: Id,
    /// What its clock is to be put forward by to be the session's time.
    offset: i64,
    timeline: Timeline,
    playing: Option<Playing>,
    others: BTreeMap<Id, Other>,
    /// How far other sessions' times are from its clock, as measured.
    offsets: BTreeMap<Id, i64>,
    measurement: Option<Measurement>,
    /// When its own session is measured again.
    again: i64,
    said: i64,
    changed: bool,
    /// Names for further sessions of its own.
    names: Box<dyn FnMut() -> Id + std::marker::Send>,
}

impl Peer {
    /// A peer that is there from now on, at a tempo, and is asked the time at an address. `names` gives chance.
    pub fn new(
        asked_at: SocketAddrV4,
        bpm: f64,
        now: i64,
        mut names: impl FnMut() -> Id + std::marker::Send + 'static,
    ) -> Peer {
        let id = names();
        let timeline = Timeline { period: period(bpm), beat: 0, time: 0 };
        Peer {
            id,
            asked_at,
            session: id,
            offset: -now,
            timeline,
            playing: None,
            others: BTreeMap::new(),
            offsets: BTreeMap::new(),
            measurement: None,
            again: now + AGAIN,
            said: now - PERIOD,
            changed: true,
            names: Box::new(names),
        }
    }

    /// How many others are in its session.
    pub fn company(&self) -> usize {
        self.others.values().filter(|other| other.state.session == self.session).count()
    }

    /// Beats a minute of its session.
    pub fn tempo(&self) -> f64 {
        60e6 / self.timeline.period as f64
    }

    /// The beat of its session at a time.
    pub fn beat(&self, now: i64) -> f64 {
        (self.timeline.beat as f64
            + (now + self.offset - self.timeline.time) as f64 * 1e6 / self.timeline.period as f64)
            / 1e6
    }

    /// Gives its session a tempo from a time on; the beat is kept.
    pub fn change_tempo(&mut self, bpm: f64, now: i64) {
        let time = now + self.offset;
        let Timeline { period: before, beat, .. } = self.timeline;
        let next = (self.beat(now) * 1e6).round() as i64;
        // The timeline that comes later is the one that counts.
        let lifted = next.max(beat + 1);
        let time = time + ((lifted - next) as i128 * i128::from(before) / 1_000_000) as i64;
        self.timeline = Timeline { period: period(bpm), beat: lifted, time };
        self.changed = true;
    }

    /// Puts the beat of its session where it is heard, as long as nobody else goes by it: who comes then comes to what is heard.
    pub fn hold(&mut self, beat: f64, now: i64) {
        if self.company() == 0 {
            (self.timeline.beat, self.timeline.time) = ((beat * 1e6).round() as i64, now + self.offset);
        }
    }

    /// What is due.
    pub fn due(&mut self, now: i64) -> Vec<Send> {
        let mut due = Vec::new();
        let gone = |other: &mut Other| other.until > now;
        let company = self.company();
        self.others.retain(|_, other| gone(other));
        self.is_left(company, now);
        match &mut self.measurement {
            Some(measurement) if now - measurement.asked >= PATIENCE => {
                if measurement.retries == RETRIES {
                    self.is_in_vain(now);
                } else {
                    measurement.retries += 1;
                    measurement.asked = now;
                    due.push(Send::Time(measurement.at, wire::ping(now, None)));
                }
            }
            Some(_) => {}
            None => due.extend(self.measure(now)),
        }
        let pause = if self.changed { SPACING } else { PERIOD };
        if now - self.said >= pause {
            (self.said, self.changed) = (now, false);
            due.push(Send::All(wire::discovery(self.id, &Word::Alive(self.state()))));
        }
        due
    }

    /// What is said at the end.
    pub fn bye(&self) -> Send {
        Send::All(wire::discovery(self.id, &Word::Bye))
    }

    /// Hears a message of discovery.
    pub fn hear(&mut self, bytes: &[u8], from: SocketAddrV4, now: i64) -> Vec<Send> {
        let mut answer = Vec::new();
        if wire::is_call(bytes, self.id) {
            answer.push(Send::To(from, wire::discovery(self.id, &Word::Response(self.state()))));
        }
        match wire::read_discovery(bytes) {
            Some((id, ..)) if id == self.id => {}
            Some((id, valid, Word::Alive(state) | Word::Response(state))) => self.meet(id, valid, state, now),
            Some((id, _, Word::Bye)) => {
                let company = self.company();
                self.others.remove(&id);
                self.is_left(company, now);
            }
            None => {}
        }
        answer
    }

    /// Hears a message of measurement.
    pub fn hear_time(&mut self, bytes: &[u8], from: SocketAddrV4, now: i64) -> Vec<Send> {
        match wire::read_time(bytes) {
            Some(Time::Ping(asked)) => vec![Send::Time(from, wire::pong(self.session, now + self.offset, &asked))],
            Some(Time::Pong { session, there, asked, before }) => {
                let Some(measurement) = self.measurement.as_mut().filter(|one| one.at == from) else {
                    return Vec::new();
                };
                if measurement.session != session {
                    self.is_in_vain(now);
                    return Vec::new();
                }
                // Both ways are taken to be as long: the middle of one clock is the middle of the other.
                measurement.estimates.push(there as f64 - (now as f64 + asked as f64) / 2.0);
                let second = before.map(|before| (there as f64 + before as f64) / 2.0 - asked as f64);
                measurement.estimates.extend(second);
                if measurement.estimates.len() < ENOUGH {
                    measurement.asked = now;
                    return vec![Send::Time(from, wire::ping(now, Some(there)))];
                }
                let offset = median(&mut measurement.estimates);
                self.measurement = None;
                self.is_measured(session, offset, now);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn state(&self) -> State {
        State { session: self.session, timeline: self.timeline, playing: self.playing, asked_at: Some(self.asked_at) }
    }

    /// Takes note of what another peer tells.
    fn meet(&mut self, id: Id, valid: u8, state: State, now: i64) {
        let company = self.company();
        if self.others.len() < MOST || self.others.contains_key(&id) {
            let until = now + i64::from(valid) * 1_000_000;
            let other = self.others.entry(id).or_insert(Other { state, until, came: now, vain: None });
            (other.state, other.until) = (state, until);
        }
        if state.session == self.session {
            self.follow(state);
        }
        self.is_left(company, now);
    }

    /// Takes what counts of what a peer of its session tells.
    fn follow(&mut self, state: State) {
        if state.timeline.beat > self.timeline.beat && state.timeline.period > 0 {
            self.timeline = within(state.timeline);
            self.changed = true;
        }
        if let Some(playing) = state.playing
            && playing.time > self.playing.unwrap_or_default().time
        {
            self.playing = Some(playing);
            self.changed = true;
        }
    }

    /// The question that begins a measurement, if one is wanted: of a session that nothing is known of, or of its own
    /// after a while, if another peer has founded that.
    fn measure(&mut self, now: i64) -> Option<Send> {
        let own = self.session;
        let wanted = |session: Id| {
            if session == own { own != self.id && now >= self.again } else { !self.offsets.contains_key(&session) }
        };
        let others = self.others.iter().filter(|(_, other)| wanted(other.state.session));
        let asked = others.filter_map(|(id, other)| Some((*id, other.state.asked_at?, other)));
        let rested = asked.filter(|(_, _, other)| other.vain.is_none_or(|vain| now - vain >= ASIDE));
        // Who has founded it knows best, and who has waited longest comes first.
        let turn = |(id, _, other): &(Id, SocketAddrV4, &Other)| (other.vain, *id != other.state.session, other.came);
        let (of, at, other) = rested.min_by_key(turn)?;
        let session = other.state.session;
        if session == own {
            self.again = now + AGAIN;
        }
        self.measurement = Some(Measurement { session, of, at, estimates: Vec::new(), asked: now, retries: 0 });
        Some(Send::Time(at, wire::ping(now, None)))
    }

    /// Who is asked the time does not know it: others are asked first.
    fn is_in_vain(&mut self, now: i64) {
        let other = self.measurement.take().and_then(|measurement| self.others.get_mut(&measurement.of));
        other.into_iter().for_each(|other| other.vain = Some(now));
    }

    /// A session's time is known: it goes over to it if that has lasted longer.
    fn is_measured(&mut self, session: Id, offset: i64, now: i64) {
        if session == self.session {
            self.offset = offset;
            return;
        }
        let older = offset - self.offset;
        let is_older = older > AS_OLD || (older.abs() < AS_OLD && session < self.session);
        let told: Vec<State> = self.others.values().map(|other| other.state).collect();
        let mut told = told.into_iter().filter(|state| state.session == session && state.timeline.period > 0);
        if let Some(first) = told.next().filter(|_| is_older) {
            self.offsets.insert(self.session, self.offset);
            self.offsets.remove(&session);
            (self.session, self.offset) = (session, offset);
            (self.timeline, self.playing, self.changed) = (within(first.timeline), first.playing, true);
            self.again = now + AGAIN;
            told.for_each(|state| self.follow(state));
        } else {
            // There is room for all of whom anybody tells.
            if self.offsets.len() >= MOST {
                let told: BTreeSet<Id> = self.others.values().map(|other| other.state.session).collect();
                self.offsets.retain(|session, _| told.contains(session));
            }
            self.offsets.insert(session, offset);
        }
    }

    /// Founds a session when the others of the one that it was in have gone: tempo and beat stay.
    fn is_left(&mut self, company: usize, now: i64) {
        if company == 0 || self.company() > 0 {
            return;
        }
        let beat = (self.beat(now) * 1e6).round() as i64;
        self.id = (self.names)();
        self.session = self.id;
        self.offset = -now;
        self.timeline = Timeline { beat, time: 0, ..self.timeline };
        self.playing = None;
        self.offsets.clear();
        (self.measurement, self.changed) = (None, true);
    }
}

/// Microseconds a beat.
fn period(bpm: f64) -> i64 {
    (60e6 / bpm.clamp(*TEMPOS.start(), *TEMPOS.end())).round() as i64
}

/// A timeline whose tempo is within what tempos can be.
fn within(timeline: Timeline) -> Timeline {
    Timeline { period: timeline.period.clamp(period(*TEMPOS.end()), period(*TEMPOS.start())), ..timeline }
}

fn median(estimates: &mut [f64]) -> i64 {
    estimates.sort_by(f64::total_cmp);
    let middle = estimates.len() / 2;
    estimates.get(middle).map_or(0, |middle| middle.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    /// Peers on one network, whose clocks are apart, with a way that takes time.
    struct Network {
        peers: Vec<(Peer, i64)>,
        /// When it arrives, at whom, from where, whether it is of measurement, and the bytes.
        flying: Vec<(i64, usize, SocketAddrV4, bool, Vec<u8>)>,
        now: i64,
        chance: u64,
    }

    fn address(peer: usize, time: bool) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1000 + 2 * peer as u16 + u16::from(time))
    }

    impl Network {
        fn new() -> Network {
            Network { peers: Vec::new(), flying: Vec::new(), now: 0, chance: 1 }
        }

        fn join(&mut self, bpm: f64, clock: i64) -> usize {
            let number = self.peers.len();
            let mut next = number as u8;
            let names = move || {
                next += 100;
                [next; 8]
            };
            self.peers.push((Peer::new(address(number, true), bpm, self.now + clock, names), clock));
            number
        }

        fn send(&mut self, from: usize, sends: Vec<Send>) {
            for send in sends {
                self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = self.now + 200 + (self.chance >> 54) as i64;
                let port = |to: SocketAddrV4| usize::from(to.port() - 1000) / 2;
                let (time, bytes, to) = match send {
                    Send::All(bytes) => (false, bytes, None),
                    Send::To(to, bytes) => (false, bytes, Some(port(to))),
                    Send::Time(to, bytes) => (true, bytes, Some(port(to))),
                };
                assert!(bytes.len() <= wire::MOST);
                for peer in (0..self.peers.len()).filter(|peer| to.is_none_or(|to| to == *peer)) {
                    self.flying.push((at, peer, address(from, time), time, bytes.clone()));
                }
            }
        }

        fn run(&mut self, seconds: f64) {
            let end = self.now + (seconds * 1e6) as i64;
            while self.now < end {
                self.now += 250;
                let due: Vec<_> = self.flying.extract_if(.., |(at, ..)| *at <= self.now).collect();
                for (_, to, from, time, bytes) in due {
                    let (peer, clock) = &mut self.peers[to];
                    let now = self.now + *clock;
                    let answer = if time { peer.hear_time(&bytes, from, now) } else { peer.hear(&bytes, from, now) };
                    self.send(to, answer);
                }
                for number in 0..self.peers.len() {
                    let (peer, clock) = &mut self.peers[number];
                    let due = peer.due(self.now + *clock);
                    self.send(number, due);
                }
            }
        }

        fn beat(&self, peer: usize) -> f64 {
            let (peer, clock) = &self.peers[peer];
            peer.beat(self.now + clock)
        }
    }

    #[test]
    fn who_comes_later_takes_the_tempo_and_the_beat_of_who_is_there() {
        let mut network = Network::new();
        network.join(117.5, 5_000_000_000);
        network.run(3.0);
        network.join(90.0, -77_000_000);
        network.join(140.0, 123);
        network.run(3.0);
        for peer in 0..3 {
            assert_eq!(network.peers[peer].0.company(), 2);
            assert!((network.peers[peer].0.tempo() - 117.5).abs() < 1e-3);
            let off = (network.beat(peer) - network.beat(0)) * 60_000.0 / 117.5;
            assert!(off.abs() < 0.6, "peer {peer} is off by {off} ms");
        }
        assert!((network.beat(0) - 6.0 * 117.5 / 60.0).abs() < 1e-2, "the beat of the first went on");
    }

    #[test]
    fn who_is_alone_holds_the_beat_that_is_heard_and_keeps_it_when_another_comes() {
        let mut network = Network::new();
        network.join(120.0, 9_000_000);
        network.run(3.0);
        let hold = |network: &mut Network, beat| {
            let now = network.now + network.peers[0].1;
            network.peers[0].0.hold(beat, now);
        };
        hold(&mut network, 41.25);
        network.join(90.0, -5_000);
        // What is heard before they have met goes on at the tempo that there is.
        for looked in 0..20 {
            hold(&mut network, 41.25 + f64::from(looked) * 0.1);
            network.run(0.05);
        }
        assert_eq!([0, 1].map(|peer| network.peers[peer].0.company()), [1, 1]);
        // It is no longer for one to say.
        hold(&mut network, 7.0);
        for peer in 0..2 {
            let off = (network.beat(peer) - 43.25) * 500.0;
            assert!(off.abs() < 1.0, "peer {peer} is off by {off} ms");
        }
    }

    #[test]
    fn anybody_changes_the_tempo_and_all_keep_the_beat() {
        let mut network = Network::new();
        network.join(120.0, 0);
        network.run(1.0);
        network.join(120.0, 1_000_000);
        network.run(2.0);
        for (who, bpm) in [(1, 124.0), (0, 60.0), (1, 999.0), (0, 20.0)] {
            let before = network.beat(0);
            let now = network.now + network.peers[who].1;
            network.peers[who].0.change_tempo(bpm, now);
            assert!((network.beat(who) - before).abs() < 1e-2);
            network.run(0.5);
            for peer in 0..2 {
                assert!((network.peers[peer].0.tempo() / bpm - 1.0).abs() < 1e-4);
                let off = (network.beat(peer) - before - 0.5 * bpm / 60.0) * 60_000.0 / bpm;
                assert!(off.abs() < 5.0, "peer {peer} is off by {off} ms");
            }
            assert!((network.beat(0) - network.beat(1)).abs() * 60_000.0 / bpm < 1.0);
        }
    }

    #[test]
    fn who_is_left_alone_goes_on_in_a_session_of_its_own() {
        let mut network = Network::new();
        network.join(100.0, 0);
        network.run(1.0);
        network.join(80.0, 0);
        network.run(2.0);
        let (session, beat) = (network.peers[1].0.session, network.beat(1));
        assert_eq!(session, network.peers[0].0.session);
        let bye = network.peers[0].0.bye();
        network.send(0, vec![bye]);
        network.peers[0].1 = 0;
        let gone = std::mem::replace(&mut network.peers[0].0, Peer::new(address(9, true), 1.0, 0, || [9; 8]));
        network.peers[0].0.said = i64::MAX / 2;
        network.run(1.0);
        let left = &network.peers[1].0;
        assert!(left.company() == 0 && left.session != session && left.session == left.id);
        assert!((left.tempo() - gone.tempo()).abs() < 1e-9);
        assert!((network.beat(1) - beat - 100.0 / 60.0).abs() < 1e-3, "its beat went on");
    }

    #[test]
    fn who_gives_no_address_or_never_answers_keeps_nobody_from_meeting() {
        let mut network = Network::new();
        network.join(117.5, 0);
        network.run(1.0);
        network.join(90.0, 123);
        // Their ids come before all others: one has no address, nobody is at that of the second, the third is an address
        // at which somebody tells the time of another session.
        let addresses = [None, Some(address(7, true)), Some(address(0, true))];
        let told = |id: Id, asked_at| {
            let timeline = Timeline { period: 500_000, beat: 0, time: 0 };
            wire::discovery(id, &Word::Alive(State { session: id, timeline, playing: None, asked_at }))
        };
        for _ in 0..12 {
            for (number, at) in addresses.into_iter().enumerate() {
                network.send(6, vec![Send::All(told([number as u8 + 1; 8], at))]);
            }
            network.run(0.25);
        }
        let (first, second) = (&network.peers[0].0, &network.peers[1].0);
        assert_eq!([first.company(), second.company()], [1, 1]);
        assert!((second.tempo() - 117.5).abs() < 1e-3);
    }

    #[test]
    fn a_member_is_asked_where_a_founder_does_not_answer_and_the_founder_again_after_a_while() {
        let mut peer = Peer::new(address(0, true), 120.0, 0, || [9; 8]);
        let state = |number| State { session: [1; 8], asked_at: Some(address(number, true)), ..State::default() };
        let mut asked = Vec::new();
        for now in (0..12_000_000).step_by(10_000) {
            for number in [1, 2] {
                peer.hear(
                    &wire::discovery([number as u8; 8], &Word::Alive(state(number))),
                    address(number, false),
                    now,
                );
            }
            let due = peer.due(now).into_iter();
            asked.extend(due.filter_map(|send| if let Send::Time(at, _) = send { Some(at) } else { None }));
        }
        asked.dedup();
        assert_eq!(asked, [1, 2, 1, 2, 1, 2].map(|number| address(number, true)));
    }

    #[test]
    fn however_many_sessions_came_and_went_the_next_is_measured_once() {
        let mut peer = Peer::new(address(0, true), 120.0, 0, || [0; 8]);
        for round in 1..=MOST as i64 + 9 {
            let (now, session) = (10_000_000 * round, [(round >> 8) as u8, round as u8, 1, 1, 1, 1, 1, 1]);
            let state = State { session, asked_at: Some(address(1, true)), ..State::default() };
            peer.hear(&wire::discovery(session, &Word::Alive(state)), address(1, false), now);
            let is_asked = |due: Vec<Send>| due.iter().any(|send| matches!(send, Send::Time(..)));
            assert!(is_asked(peer.due(now)));
            // Younger than its own.
            let asked = wire::ping(now, None)[9..].to_vec();
            for _ in 0..ENOUGH {
                peer.hear_time(&wire::pong(session, 0, &asked), address(1, true), now);
            }
            assert!(!is_asked(peer.due(now + 1)), "round {round}");
        }
    }

    #[test]
    fn whoever_says_nothing_for_longer_than_it_is_valid_is_gone() {
        let mut peer = Peer::new(address(0, true), 120.0, 0, || [1; 8]);
        let state = State { session: [1; 8], ..State::default() };
        peer.hear(&wire::discovery([7; 8], &Word::Alive(state)), address(1, false), 1_000);
        assert_eq!(peer.company(), 1);
        peer.due(4_900_000);
        assert_eq!(peer.company(), 1);
        peer.due(5_100_000);
        assert_eq!(peer.company(), 0);
    }

    #[test]
    fn whatever_comes_it_stays_a_peer() {
        let mut peer = Peer::new(address(0, true), 120.0, 0, || [1; 8]);
        let mut state = 7u64;
        for round in 0..2000i64 {
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) as i64
            };
            let edge = [0, 1, -1, i64::MAX, i64::MIN, 500_000];
            let mut pick = || edge[(next() % 6) as usize];
            let told = State {
                session: [(round % 3) as u8 + 1; 8],
                timeline: Timeline { period: pick(), beat: pick(), time: pick() },
                playing: Some(Playing { on: true, beat: pick(), time: pick() }),
                asked_at: Some(address(1, true)),
            };
            let (there, asked, before) = (pick(), pick(), pick());
            let now = round * 20_000;
            peer.hear(&wire::discovery([(round % 5) as u8 + 2; 8], &Word::Alive(told)), address(1, false), now);
            peer.due(now);
            let asked = wire::ping(asked, Some(before))[9..].to_vec();
            peer.hear_time(&wire::pong(told.session, there, &asked), address(1, true), now);
            assert!(TEMPOS.contains(&peer.tempo().round()) && peer.beat(now).is_finite());
            peer.change_tempo(f64::from(round as u16), now);
        }
    }
}
