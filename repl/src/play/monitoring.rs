//! What whoever plays hears beyond the text: the level of the monitor, mono, a click, and what the cue output hears ahead.

use std::cell::Cell;

use engine::compile::Program;
use engine::graph::Role;
use engine::listen::{Cue, Point};
use engine::math::gain_from_db;
use engine::monitor::{Audition, Wish};
use engine::transport::Move;

use super::Playing;
use super::typed::{Timed, in_time};
use crate::changes::{describe, rounded};
use crate::status;

/// By how much a dimmed monitor is quieter, in dB.
const DIM_DB: f64 = 20.0;

/// The least and the most that the monitor is turned, in dB.
const LEVELS: std::ops::RangeInclusive<f64> = -120.0..=12.0;

/// How whoever plays listens.
#[derive(Default)]
pub(super) struct Monitoring {
    /// In dB; silent without one. 0 at first.
    level: Level,
    dim: bool,
    mono: bool,
    click: bool,
    /// Bars that are counted in.
    count_in: f64,
    /// What the cue output hears.
    ahead: Option<String>,
    /// Whether it hears another text instead.
    audition: bool,
}

/// A level in dB, or silence.
#[derive(Clone, Copy)]
struct Level(Option<f64>);

impl Default for Level {
    fn default() -> Self {
        Level(Some(0.0))
    }
}

impl Level {
    fn read(text: &str) -> Option<Level> {
        let number = text.trim_end_matches(".dB").parse::<f64>().ok();
        match (text, number) {
            ("off", _) => Some(Level(None)),
            (_, Some(db)) if LEVELS.contains(&db) => Some(Level(Some(db))),
            _ => None,
        }
    }

    fn shown(self) -> String {
        self.0.map_or("off".into(), |db| format!("at {db} dB"))
    }
}

impl Monitoring {
    /// Linear.
    fn gain(&self) -> f64 {
        let dim = if self.dim { DIM_DB } else { 0.0 };
        self.level.0.map_or(0.0, |db| gain_from_db(db - dim))
    }

    /// Whether nothing can be heard through it.
    pub(super) fn is_off(&self) -> bool {
        self.level.0.is_none()
    }

    fn shown(&self) -> String {
        let dim = if self.dim { format!(", dimmed by {DIM_DB} dB") } else { String::new() };
        let mono = if self.mono { ", in mono" } else { "" };
        format!("the monitor is {}{dim}{mono}; what is kept and rendered is as before", self.level.shown())
    }
}

impl Playing<'_> {
    /// Tells the monitor something.
    pub(super) fn wish(&mut self, wish: Wish) {
        if self.live.monitor(wish).is_err() {
            status::error("too much is ordered at once; type it again");
        }
    }

    /// Turns the monitor, or says how it is turned.
    pub(super) fn turn_monitor(&mut self, level: Option<&str>) {
        match level.map(Level::read) {
            None => {}
            Some(Some(level)) => self.monitoring.level = level,
            Some(None) => {
                let (least, most) = (LEVELS.start(), LEVELS.end());
                return status::error(format!("the monitor goes from {least} to {most} dB, or off: write `:level -6`"));
            }
        }
        self.wish(Wish::Level(self.monitoring.gain()));
        status::say(self.monitoring.shown());
    }

    /// Turns it down by much, or back up.
    pub(super) fn dim(&mut self) {
        self.monitoring.dim ^= true;
        self.turn_monitor(None);
    }

    /// Lets it be heard in mono, or as it is.
    pub(super) fn mono(&mut self) {
        self.monitoring.mono ^= true;
        self.wish(Wish::Mono(self.monitoring.mono));
        status::say(self.monitoring.shown());
    }

    /// Lets a click be heard, or no more; with a number of bars it is heard, and so many are counted in.
    pub(super) fn click(&mut self, bars: Option<f64>) {
        let monitoring = &mut self.monitoring;
        match bars {
            Some(bars) => (monitoring.click, monitoring.count_in) = (true, bars),
            None => monitoring.click ^= true,
        }
        let (click, bars) = (monitoring.click, monitoring.count_in);
        self.wish(Wish::Click(click));
        status::say(match (click, bars) {
            (false, _) => "no click".into(),
            (true, 0.0) => "click".into(),
            (true, bars) => format!("click; `:start` counts {bars} bars in"),
        });
    }

    /// Starts the transport, once the bars that are to be counted in have gone by.
    pub(super) fn start_counted_in(&mut self) {
        let Monitoring { click, count_in: bars, .. } = self.monitoring;
        if !click || bars == 0.0 || self.live.is_rolling() {
            return self.order(Move::Start);
        }
        let frames = bars * self.desk.mesh().tempo.bar_length(self.live.transport() as i64);
        self.wish(Wish::CountIn(Some(frames.round() as u64)));
        status::say(format!("counting {bars} bars in"));
    }

    /// What is heard ahead of the text that plays, if it has channels for that.
    pub(super) fn heard_ahead(&self) -> Option<Cue> {
        let known = self.text.known();
        let (channels, _) = known.alone().cue_output.as_ref()?;
        // What plays may be another text still, in which the audience hears them.
        let mut nodes = self.desk.mesh().nodes.iter();
        let public = nodes.any(|node| match &node.node.role {
            Role::Output(used) | Role::Send(used) => used.iter().any(|channel| channels.contains(channel)),
            _ => false,
        });
        if public {
            return None;
        }
        let (session, names) = known.session();
        let point = self.monitoring.ahead.as_ref().and_then(|path| Point::ahead(session, names, path).ok());
        Some(Cue { channels: channels.clone(), point })
    }

    /// Says that what was to be heard ahead is not, in a program that is about to be sent.
    pub(super) fn tell_of_cue(&mut self, program: &Program) {
        let asked = self.desk.looks().cue.as_ref().and_then(|cue| cue.point.as_ref());
        let heard = program.plan.cue.as_ref().and_then(|cue| cue.heard.as_ref());
        if let (Some(point), None) = (asked, heard)
            && self.monitoring.ahead.take().is_some()
        {
            status::warning(format!("`{}` leads to no output: the cue output hears nothing of it", point.name));
        }
    }

    /// Lets the cue output hear a path, what a line would sound like, or nothing.
    pub(super) fn cue(&mut self, what: Option<&str>) {
        let (session, names) = self.text.known().session();
        let Some((channels, _)) = session.cue_output.clone() else {
            return status::error(
                "the text has no cue output: write `cue_output(3, 4)`, channels that the audience does not hear",
            );
        };
        let shown: Vec<String> = channels.iter().map(u16::to_string).collect();
        let shown = shown.join(", ");
        let Some(what) = what else {
            self.end_audition();
            self.monitoring.ahead = None;
            return status::say(format!("nothing is heard ahead on {shown}"));
        };
        match Point::ahead(session, names, what) {
            Ok(point) => {
                self.end_audition();
                status::say(format!("{} is heard ahead on {shown}, before its fader", point.name));
                self.monitoring.ahead = Some(what.to_owned());
            }
            Err(_) if what.contains(">>") || what.contains('(') => self.cue_line(what, channels, &shown),
            Err(missing) => status::error(missing),
        }
    }

    /// Lets the cue output hear the text with a line behind it.
    fn cue_line(&mut self, line: &str, channels: Vec<u16>, shown: &str) {
        let (at, now) = (Cell::new(None), Timed::default());
        let loaded = self.text.tried(&self.library, line, in_time(&self.given, &self.desk, &self.live, &now, &at));
        loaded.show();
        let Some(graph) = &loaded.graph else {
            return status::say("the cue output hears what it heard; what played plays on");
        };
        let changes = self.desk.preview(graph).map_or("no change to the sound".into(), |changes| describe(&changes));
        let program = match self.desk.beside(graph) {
            Ok(program) => program,
            Err(flaw) => return status::error(format!("{flaw}; what played plays on")),
        };
        self.wait_for_media(&program);
        match self.live.audition(Some(Box::new(Audition::new(program, channels)))) {
            Ok(()) => {
                self.monitoring.audition = true;
                let bar = rounded(self.desk.mesh().tempo.bar_at(self.live.transport() as i64));
                status::say(format!(
                    "heard ahead on {shown}, from {bar}.bars on: {changes}; type the line to take it up"
                ));
            }
            Err(_) => status::error("too much is ordered at once; type it again"),
        }
    }

    /// The text alone is heard from now on.
    pub(super) fn end_audition(&mut self) {
        if self.monitoring.audition && self.live.audition(None).is_ok() {
            self.monitoring.audition = false;
        }
    }
}
