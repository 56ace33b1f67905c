//! Who looks at the desk while it plays: OSC clients, at meters and at figures; and the program itself, at the master, where
//! the text has a target.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use engine::compile::Program;
use engine::figure::Figure;
use engine::listen::{Looks, Point};
use engine::target;

use super::Playing;
use super::levels::Shown;
use super::why::Asked;
use crate::figures::{Followers, View, told};
use crate::measuring::Measuring;
use crate::meters::Clients;
use crate::status;

/// The point that a target speaks of.
pub(super) const MASTER: &str = "master";

/// The points of which more than levels is wanted.
fn wholly(followers: &mut Followers, closely: &BTreeSet<String>, now: Instant) -> BTreeSet<String> {
    followers.points(now).iter().chain(closely).cloned().chain([MASTER.into()]).collect()
}

/// Who looks at levels and figures, and who reckons them.
#[derive(Default)]
pub(super) struct Looking {
    meters: Clients,
    followers: Followers,
    pub(super) measuring: Option<Measuring>,
    pub(super) shown: Shown,
    /// The points whose sound the page shows.
    closely: BTreeSet<String>,
    /// The question that is being looked into.
    pub(super) asked: Option<Asked>,
}

impl Looking {
    /// How long until somebody is to be told of something.
    pub(super) fn pause(&self) -> Option<Duration> {
        let now = Instant::now();
        self.meters.pause(now).into_iter().chain(self.followers.pause(now)).min()
    }

    /// Whether somebody has asked why something is not heard, and has not been answered yet.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Looks at a program that is about to be sent, at a rate.
    pub(super) fn at(&mut self, program: &mut Program, rate: u32) {
        let meters = &program.plan.meters;
        self.shown.name(program.serial, meters.iter().map(|meter| meter.path.clone()).collect());
        // Clients are sent inputs, buses and what leaves, which come first.
        let places = meters.iter().take_while(|meter| meter.place);
        self.meters.name(program.serial, places.map(|meter| meter.path.clone()).collect());
        if let Some(hearing) = program.hearing.take() {
            let measuring = self.measuring.get_or_insert_with(|| Measuring::start(rate));
            measuring.wholly(wholly(&mut self.followers, &self.closely, Instant::now()));
            measuring.hear(hearing);
        }
    }
}

impl Playing<'_> {
    /// Takes the request of a client who follows meters.
    pub(super) fn follow_meters(&mut self, client: SocketAddr, hertz: f64) {
        if let Err(why) = self.looking.meters.ask(client, hertz, Instant::now()) {
            self.controllers.tell(format!("OSC /:meters from {client}: {why}"));
        }
    }

    /// Takes the request of a client who follows the figures of a point.
    pub(super) fn follow_figures(&mut self, client: SocketAddr, view: View, path: &str, hertz: f64) {
        if hertz == 0.0 {
            // What the text has no more can be followed no more all the same.
            return self.looking.followers.forget(client, view, path);
        }
        let (session, names) = self.text.known().session();
        let found = Point::find(session, names, path).map_err(|missing| missing.to_string());
        let asked =
            found.and_then(|point| self.looking.followers.ask(client, view, &point.name, hertz, Instant::now()));
        if let Err(why) = asked {
            self.controllers.tell(format!("OSC from {client}, {path}: {why}"));
        }
    }

    /// How the desk is to be looked at now. What is heard no more is not looked at.
    pub(super) fn looked_at(&mut self) -> Looks {
        let now = Instant::now();
        let levels = self.metered();
        let mut paths = self.looking.followers.points(now);
        paths.extend(self.showing.looked_at());
        paths.extend(self.looking.asked.iter().flat_map(|asked| asked.points().map(str::to_owned)));
        // Whoever comes to the page is told how loud all of it was.
        if self.sounding.alone().target.is_some() || self.is_metered() || self.showing.is_open() {
            paths.insert(MASTER.into());
        }
        let find = |path: &String| {
            let (session, names) = self.sounding.session();
            Point::find(session, names, path).ok()
        };
        let points = paths.iter().filter_map(find).collect();
        self.looking.closely = self.showing.looked_at().iter().filter_map(find).map(|point| point.name).collect();
        let meters = self.looking.meters.any(now) || self.is_metered();
        Looks { meters, levels, points, cue: self.heard_ahead(), trim: self.trim(self.origin) }
    }

    /// Tells whoever looks what there is to see.
    pub(super) fn tell_levels(&mut self) {
        let Looking { meters, followers, measuring, shown, closely, .. } = &mut self.looking;
        let now = Instant::now();
        self.live.readings().for_each(|reading| {
            meters.read(&reading);
            shown.take(&reading, now);
        });
        let mut packets = meters.due(now);
        if let Some(measuring) = measuring {
            measuring.wholly(wholly(followers, closely, now));
            measuring.closely(closely.clone());
            packets.extend(followers.due(now, |view, point, from| match view {
                View::Figures => measuring.read(point, from).map(|(reading, next)| (told(&reading), next)),
                View::Spectrum => measuring.spectrum(point).map(|levels| (levels.to_vec(), 0)),
            }));
        }
        for (client, packet) in packets {
            self.controllers.send(client, &packet);
        }
        self.show_levels();
        self.show_page();
        self.answer();
    }

    /// Says how far what was played is from the target of the text, if it has one.
    pub(super) fn sum_up(&self) {
        self.distance().into_iter().for_each(status::say);
    }

    /// The same in few words.
    pub(super) fn off_target(&self) -> Option<String> {
        let (name, _) = self.sounding.alone().target.as_ref()?;
        let (reading, _) = self.looking.measuring.as_ref()?.read(MASTER, u64::MAX)?;
        Some(format!("{name}: {}", target::find(name)?.distance(&reading.figures?)))
    }

    /// How far the master is from the target of the text; nothing without one, or while nothing was heard.
    pub(super) fn distance(&self) -> Option<String> {
        let (name, _) = self.text.known().alone().target.as_ref()?;
        let (reading, _) = self.looking.measuring.as_ref()?.read(MASTER, 0)?;
        let (target, figures) = (target::find(name)?, reading.figures?);
        let shown = |figure: Figure| figures.get(figure).map(|(value, _)| figure.shown(value));
        let heard: Vec<String> = [Figure::Lufs, Figure::TruePeak].into_iter().filter_map(shown).collect();
        (!heard.is_empty()).then(|| format!("the master is {}; {}", heard.join(", "), target.distance(&figures)))
    }
}
