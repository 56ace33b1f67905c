//! Whose tempo a session of Link has: the desk's from when somebody says one there until it holds, that of all otherwise.

use engine::tempo::Tempo;

/// A tempo that differs by less is the same, in beats a minute.
const SAME: f64 = 1e-3;

/// What a desk does about the tempo of its session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turn {
    /// It gives the session this one.
    Give(f64),
    /// It has given its own, and minds no other.
    Lead,
    /// It does as the others do.
    Follow,
}

/// A desk that leads now and then.
#[derive(Debug)]
pub struct Lead {
    /// The tempo with which the desk was last seen to end.
    seen: f64,
    /// The tempo that was taken from others last, or given to them.
    shared: f64,
    /// Whether its own is still on the way to where it holds.
    leads: bool,
}

impl Lead {
    /// One that has come in at a tempo.
    pub fn new(tempo: &Tempo, bpm: f64) -> Lead {
        Lead { seen: tempo.clock().tempo, shared: bpm, leads: false }
    }

    /// It takes this tempo from others.
    pub fn took(&mut self, bpm: f64) {
        self.shared = bpm;
    }

    /// Whether it leads.
    pub fn leads(&self) -> bool {
        self.leads
    }

    /// Whether it has to be looked at soon.
    pub fn is_news(&self, tempo: &Tempo) -> bool {
        self.leads || tempo.clock().tempo != self.seen
    }

    /// Looks at the musical time of the desk, of which a frame is heard, and so many more before it is looked at again. What
    /// others have set is the desk's own no more, even where it goes back to before that.
    pub fn look(&mut self, tempo: &Tempo, heard: f64, ahead: f64) -> Turn {
        let clock = tempo.clock();
        let is_typed = std::mem::replace(&mut self.seen, clock.tempo) != clock.tempo && self.shared != clock.tempo;
        let (here, ahead) = (heard.max(0.0).round() as i64, ahead.round() as i64);
        let moves = tempo.change_from(here + 1).is_some();
        let is_course = !tempo.keeps(&clock.into());
        let led = self.leads;
        self.leads = moves && (led || is_typed || is_course);
        let bpm = match (self.leads, ahead > 0) {
            // Until then, beats go on as many in the session as here.
            (true, true) => (tempo.beat_at(here + ahead) - tempo.beat_at(here)) * 60.0 * clock.rate / ahead as f64,
            (true, false) => tempo.bpm_at(here),
            (false, _) if is_typed || led => clock.tempo,
            (false, _) => return Turn::Follow,
        };
        if (bpm - self.shared).abs() < SAME {
            return if self.leads { Turn::Lead } else { Turn::Follow };
        }
        self.shared = bpm;
        Turn::Give(bpm)
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::Peer;
    use super::*;
    use engine::parameter::Value;
    use engine::tempo::{Glide, Pace};
    use engine::units::Clock;
    use std::net::{Ipv4Addr, SocketAddrV4};

    const RATE: f64 = 48_000.0;
    const CLOCK: Clock = Clock { rate: RATE, tempo: 120.0, beats_per_bar: 4.0 };
    /// How often it is looked at, in milliseconds.
    const LOOK: i64 = 50;

    /// A desk and the session that it is in.
    struct Stage {
        tempo: Tempo,
        lead: Lead,
        peer: Peer,
        /// Milliseconds, and the frame at 0.
        now: i64,
        begin: f64,
    }

    impl Stage {
        fn new() -> Stage {
            let tempo = Tempo::new(CLOCK);
            let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
            let (lead, peer) = (Lead::new(&tempo, 120.0), Peer::new(address, 120.0, 0, || [1; 8]));
            Stage { tempo, lead, peer, now: 0, begin: 0.0 }
        }

        fn heard(&self) -> f64 {
            self.begin + self.now as f64 * RATE / 1000.0
        }

        /// The beats by which the session is ahead.
        fn ahead(&self) -> f64 {
            self.peer.beat(self.now * 1000) - self.tempo.beat_at(self.heard() as i64)
        }

        fn look(&mut self) -> Turn {
            let turn = self.lead.look(&self.tempo, self.heard(), LOOK as f64 * RATE / 1000.0);
            if let Turn::Give(bpm) = turn {
                self.peer.change_tempo(bpm, self.now * 1000);
            }
            turn
        }

        /// Looks until it follows, and what is given until then.
        fn led(&mut self) -> Vec<f64> {
            let mut given = Vec::new();
            loop {
                let turn = self.look();
                assert!((self.ahead() * 500.0).abs() < 1.0, "{} beats at {} ms", self.ahead(), self.now);
                match turn {
                    Turn::Give(bpm) => given.push(bpm),
                    Turn::Lead => {}
                    Turn::Follow => return given,
                }
                self.now += LOOK;
            }
        }
    }

    #[test]
    fn a_tempo_that_moves_is_shared_as_it_is_heard_and_nobody_is_followed_meanwhile() {
        let mut stage = Stage::new();
        assert_eq!(stage.look(), Turn::Follow);
        stage.now = 990;
        let glide = Glide::Ramp { from: 150.0, to: 100.0, time: Value::Bars(8.0), start: None };
        let clock = Clock { tempo: glide.end(), ..CLOCK };
        stage.tempo.change(48_000, Pace { clock, course: Some(glide.course(&clock)), over: 0.0 });
        assert!(stage.lead.is_news(&stage.tempo));
        let given = stage.led();
        assert!(given[1] > 148.0 && given[1..].is_sorted_by(|a, b| a > b), "{given:?}");
        let end = stage.tempo.stretches().last().unwrap() as f64;
        assert!((stage.heard() - end) / RATE < 0.2 && stage.heard() > end);
        assert_eq!(given.last(), Some(&100.0));
        assert!(!stage.lead.is_news(&stage.tempo) && stage.look() == Turn::Follow);
    }

    #[test]
    fn a_tempo_that_is_typed_is_for_all_and_one_that_was_taken_is_not_given_back() {
        let mut stage = Stage::new();
        stage.now = 990;
        stage.tempo.change(50_000, Clock { tempo: 133.0, ..CLOCK });
        assert_eq!(stage.led().last(), Some(&133.0));
        stage.lead.took(140.0);
        stage.tempo.change(stage.heard() as i64 + 960, Clock { tempo: 140.0, ..CLOCK });
        assert_eq!(stage.look(), Turn::Follow);
        // Where it was slower.
        stage.begin = -stage.heard();
        assert_eq!(stage.look(), Turn::Follow);
    }

    #[test]
    fn where_a_moving_tempo_stands_still_it_is_that_of_there() {
        let mut stage = Stage::new();
        let glide = Glide::Automate { points: vec![(0.0, 90.0), (4.0, 90.0), (8.0, 180.0)], hold: false };
        let clock = Clock { tempo: glide.end(), ..CLOCK };
        stage.tempo = Tempo::new(Pace { clock, course: Some(glide.course(&clock)), over: 0.0 });
        let turns = [0; 2].map(|_| stage.lead.look(&stage.tempo, 100.0, 0.0));
        assert_eq!(turns, [Turn::Give(90.0), Turn::Lead]);
    }
}
