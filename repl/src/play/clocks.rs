//! Time that is shared while it plays: with a MIDI clock that is followed, those that follow, and the peers of Link; and
//! notes that are sent in that time.
//!
//! Whoever leads, their tempo is a line of the text like one that was typed, so that it is heard, shown and journalled in the
//! same way: a replay asks nobody. The transport is moved by orders like anybody's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::live::Busy;
use engine::session::Company;
use engine::sources::midi_out::Sent;
use engine::tempo::Tempo;
use engine::transport::Move;

use super::Playing;
use crate::arguments::DeviceChoice;
use crate::clock::{Chase, Deed, Here, Outs, Outside, Sends, Told, Watch};
use crate::link::{Lead, Link, Standing, Turn};
use crate::sound::Output;
use crate::status;

/// How often peers are looked at, and how often while they are led.
const PEERS: Duration = Duration::from_millis(500);
const LEADS: Duration = Duration::from_millis(50);

/// A tempo that differs by less from what was said of it is not told again, in beats a minute.
const TOLD: f64 = 0.5;

/// With whom it shares its time.
pub(super) struct Clocks {
    /// What times count from.
    epoch: Instant,
    declared: Company,
    watch: Option<Watch>,
    /// The session of Link, and who leads it.
    link: Option<(Link, Lead)>,
    /// What is sent to MIDI ports.
    notes: Arc<[Sent]>,
    /// How many peers there were, and when they were looked at last.
    company: usize,
    looked: Instant,
    /// The tempo of others that was told last.
    told: Option<f64>,
    chase: Chase,
}

impl Default for Clocks {
    fn default() -> Self {
        let now = Instant::now();
        Clocks {
            epoch: now,
            declared: Company::default(),
            watch: None,
            link: None,
            notes: Arc::new([]),
            company: 0,
            looked: now,
            told: None,
            chase: Chase::default(),
        }
    }
}

impl Clocks {
    /// What is sent to MIDI ports.
    pub(super) fn notes(&self) -> &[Sent] {
        &self.notes
    }

    /// Whether nobody is shared with.
    fn is_alone(&self) -> bool {
        let Company { clock_in, clock_out, link } = &self.declared;
        clock_in.is_none() && clock_out.is_empty() && link.is_none()
    }

    /// What a wait may not be longer than.
    pub(super) fn pause(&self) -> Option<Duration> {
        let (_, lead) = self.link.as_ref()?;
        let pause = if lead.leads() { LEADS } else { PEERS };
        Some(pause.saturating_sub(self.looked.elapsed()).max(Duration::from_millis(1)))
    }
}

/// Whether two texts share their time in the same way, wherever they say so.
fn is_alike(one: &Company, other: &Company) -> bool {
    let port = |company: &Company| company.clock_in.as_ref().map(|(port, _)| port.clone());
    (port(one), sends(one), one.link.is_some()) == (port(other), sends(other), other.link.is_some())
}

/// Where a text sends its clock.
fn sends(company: &Company) -> Sends {
    company.clock_out.iter().map(|(port, ms, _)| (port.clone(), ms / 1000.0)).collect()
}

impl Playing<'_> {
    /// Shares its time as the newest text says.
    pub(super) fn keep_company(&mut self, company: &Company) {
        if is_alike(&self.clocks.declared, company) {
            return;
        }
        let before = std::mem::replace(&mut self.clocks.declared, company.clone());
        if self.clocks.is_alone() {
            self.controllers.follow_clock(None, self.clocks.epoch);
            self.clocks.link = None;
            self.clocks.watch.iter().for_each(|watch| watch.sends(Vec::new()));
            self.clocks.watch.take_if(|_| self.clocks.notes.is_empty());
            return;
        }
        self.watch_transport();
        let no_midi = self.arguments.midi == Some(DeviceChoice::None);
        if no_midi && (company.clock_in.is_some() || !company.clock_out.is_empty()) {
            status::warning("no MIDI clock is sent or followed: leave out --midi none");
        }
        let sends = if no_midi { Sends::new() } else { sends(company) };
        self.clocks.watch.iter().for_each(|watch| watch.sends(sends.clone()));
        let port = company.clock_in.as_ref().map(|(port, _)| port.as_str()).filter(|_| !no_midi);
        if before.clock_in.as_ref().map(|(port, _)| port.as_str()) != port {
            self.controllers.follow_clock(port, self.clocks.epoch);
            self.clocks.told = None;
        }
        match (company.link.is_some(), self.clocks.link.is_some()) {
            (true, false) => self.come_in(),
            (false, true) => self.clocks.link = None,
            _ => {}
        }
    }

    /// Sends the notes of a text from a frame of the transport on, and no others.
    pub(super) fn send_notes(&mut self, notes: &[Sent], from: u64) {
        if *self.clocks.notes == *notes {
            return;
        }
        if self.arguments.midi == Some(DeviceChoice::None) {
            self.clocks.notes = notes.into();
            return status::warning("no notes are sent: leave out --midi none");
        }
        self.clocks.notes = notes.into();
        if !notes.is_empty() {
            self.watch_transport();
        }
        self.clocks.watch.iter().for_each(|watch| watch.notes(self.clocks.notes.clone(), from));
    }

    /// Watches which frame is heard when.
    fn watch_transport(&mut self) {
        if self.clocks.watch.is_some() {
            return;
        }
        // One block is heard while the next is computed.
        let held = match &self.output {
            Output::Silent(..) => 0.0,
            #[cfg(feature = "devices")]
            Output::Card(..) => 2.0 * f64::from(self.arguments.buffer),
        };
        let tempo = self.desk.mesh().tempo.clone();
        match Watch::start(self.live.dial(), tempo, held, self.clocks.epoch, Outs::default) {
            Ok(watch) => self.clocks.watch = Some(watch),
            Err(error) => status::error(format!("no time can be shared: {error}")),
        }
    }

    /// Comes into the session of Link that there is, or waits for others with one of its own.
    fn come_in(&mut self) {
        let tempo = &self.desk.mesh().tempo;
        let bpm = tempo.bpm_at(self.live.transport() as i64);
        match Link::start(bpm) {
            Ok(link) => {
                status::say("link: waiting for others on the network");
                self.clocks.link = Some((link, Lead::new(tempo, bpm)));
            }
            Err(error) => status::warning(format!("link: nobody can be met: {error}")),
        }
    }

    /// Keeps those informed with whom it shares its time, and does as they do.
    pub(super) fn share_time(&mut self) {
        let late = self.master_late();
        let tempo = &self.desk.mesh().tempo;
        self.clocks.watch.iter().for_each(|watch| watch.follow(tempo, late));
        let Clocks { link: Some((link, lead)), watch, looked, epoch, .. } = &mut self.clocks else { return };
        let pause = if lead.is_news(tempo) { LEADS } else { PEERS };
        let now = Instant::now();
        if now.duration_since(*looked) < pause {
            return;
        }
        *looked = now;
        let time = now.saturating_duration_since(*epoch).as_secs_f64();
        let heard = watch.as_ref().and_then(|watch| watch.frame_at(time));
        let ahead = if heard.is_some() { LEADS.as_secs_f64() * tempo.rate() } else { 0.0 };
        let turn = lead.look(tempo, heard.unwrap_or(self.live.transport() as f64), ahead);
        if let Turn::Give(bpm) = turn {
            link.change_tempo(bpm, now);
        }
        if let Some(frame) = heard {
            link.hold(tempo.beat_at(frame.round() as i64), now);
        }
        let wrap = Some(tempo.clock().beats_per_bar);
        let Standing { tempo, beat, company } = link.at(now);
        if company != self.clocks.company {
            self.clocks.company = company;
            status::say(match company {
                0 => "link: nobody else is there any more".to_owned(),
                1 => format!("link: with one other, at {tempo:.2} BPM"),
                more => format!("link: with {more} others, at {tempo:.2} BPM"),
            });
        }
        if company > 0 && turn == Turn::Follow {
            self.chase(&Outside { tempo, time, beat, wrap });
        }
    }

    /// Does what the clock that is followed tells.
    pub(super) fn clock_told(&mut self, told: Told) -> Result<(), Busy> {
        let frame = |tempo: &Tempo, beat: f64| tempo.frame_of_beat(beat).max(0.0) as u64;
        match told {
            Told::Beat(outside) => {
                self.chase(&outside);
                Ok(())
            }
            Told::Stop => self.live.order(Move::Stop),
            Told::Locate(beat) => self.live.order(Move::Locate(frame(&self.desk.mesh().tempo, beat))),
            Told::Start(beat) => {
                self.live.order(Move::Locate(frame(&self.desk.mesh().tempo, beat)))?;
                self.live.order(Move::Start)
            }
        }
    }

    /// Takes the tempo that it needs to be with others, or goes to where they are.
    fn chase(&mut self, outside: &Outside) {
        if self.in_flight.is_some() || self.hand.is_some() || self.controllers.has_writes() {
            return;
        }
        if self.clocks.told.is_none_or(|told| (told - outside.tempo).abs() > TOLD) {
            status::say(format!("clock: with others at {:.2} BPM", outside.tempo));
            self.clocks.told = Some(outside.tempo);
        }
        let late = self.master_late() as f64 / f64::from(self.given.rate);
        let heard = self.clocks.watch.as_ref().and_then(|watch| watch.frame_at(outside.time));
        let here = Here { tempo: &self.desk.mesh().tempo, heard, next: self.live.transport(), late };
        match self.clocks.chase.next(outside, &here, self.clocks.epoch.elapsed().as_secs_f64()) {
            Some(Deed::Tempo(bpm)) => {
                self.controllers.set_tempo(bpm);
                self.clocks.link.iter_mut().for_each(|(_, lead)| lead.took(bpm));
            }
            Some(Deed::Locate(frame)) => self.order(Move::Locate(frame)),
            None => {}
        }
    }
}
