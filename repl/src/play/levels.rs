//! The meters of the desk that plays: what they show, and who is shown it: the view of the prompt, the title of the terminal, and
//! whoever has asked for plain lines.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use engine::audible::silent_cables;
use engine::effects::turns_down;
use engine::figure::Figure;
use engine::listen::Point;
use engine::meter::Reading;
use engine::names::{Found, Names};
use engine::session::{InstanceId, MASTER, PlaceId, PlaceKind, Session, Tap};

use super::Playing;
use super::looking::MASTER as DELIVERED;
use crate::levels::{Meters, Picture, Strip};
use crate::prompt::{Metering, Prompt};
use crate::status;

/// How often what there is to see is put together.
const EVERY: Duration = Duration::from_millis(45);

/// How often the title changes.
const TITLE: Duration = Duration::from_millis(250);

/// How long meters listen before they are said.
const SETTLED: Duration = Duration::from_millis(700);

/// Who is shown the meters, and what they have shown.
#[derive(Default)]
pub(super) struct Shown {
    meters: Meters,
    /// When lines are due, and how often from then on.
    said: Option<(Instant, Option<Duration>)>,
    /// When the title is due.
    title: Option<Instant>,
    /// When it was all put together last.
    made: Option<Instant>,
    /// The largest share of its time that a block has taken: 1 is all of it.
    pub(super) worst: f64,
}

impl Shown {
    /// Learns the names of the meters of a program.
    pub(super) fn name(&mut self, serial: u64, names: Vec<String>) {
        self.meters.name(serial, names);
    }

    /// Takes a reading.
    pub(super) fn take(&mut self, reading: &Reading, now: Instant) {
        self.meters.take(reading, now);
    }

    /// Whether a path is metered: what leads nowhere is not.
    pub(super) fn has(&self, path: &str) -> bool {
        self.meters.has(path)
    }

    /// What the meter of a path shows.
    pub(super) fn level(&self, path: &str) -> Strip {
        self.meters.strip(path)
    }

    /// Whether anybody is to be shown anything.
    pub(super) fn any(&self, prompt: Option<&Prompt>) -> bool {
        self.said.is_some() || self.title.is_some() || prompt.is_some_and(|prompt| prompt.board.is_watched())
    }
}

/// The effects that tell by how much they turn down, each with the place it stands behind.
pub(super) fn dynamics(session: &Session, names: &Names) -> Vec<(String, PlaceId)> {
    session
        .instances
        .iter()
        .enumerate()
        .filter(|(_, instance)| instance.work.effect().is_some_and(|effect| turns_down(effect.table.0)))
        .map(|(i, _)| (names.call(InstanceId(i)), session.origin(Tap::Instance(InstanceId(i)))))
        .collect()
}

impl Playing<'_> {
    /// Shows the meters as they were asked for.
    pub(super) fn show_meters(&mut self, how: Metering) {
        let (now, shown) = (Instant::now(), &mut self.looking.shown);
        match how {
            Metering::View => shown.said = Some((now + SETTLED, None)),
            Metering::Every(seconds) => shown.said = Some((now + SETTLED, Some(Duration::from_secs_f64(seconds)))),
            Metering::Off => {
                shown.said = None;
                if shown.title.take().is_some() {
                    title(None);
                }
            }
            Metering::Line if shown.title.take().is_some() => title(None),
            Metering::Line => {
                let is_plain = self.prompt.as_ref().is_none_or(|prompt| prompt.is_plain);
                if is_plain || !io::stdout().is_terminal() {
                    return status::error(
                        "there is no title to write into here; `:meters 5` says the meters every 5 s",
                    );
                }
                shown.title = Some(now);
                status::say("the meters are in the title of this terminal; `:meters line` again takes them away");
            }
        }
    }

    /// Shows everyone who looks what there is to see.
    pub(super) fn show_levels(&mut self) {
        let now = Instant::now();
        let is_metered = self.is_metered();
        let shown = &mut self.looking.shown;
        if !is_metered {
            shown.meters.forget();
        }
        shown.worst = shown.worst.max(self.output.take_worst_load());
        if !shown.any(self.prompt.as_ref()) {
            shown.made = None;
            return;
        }
        if shown.made.is_some_and(|made| now.duration_since(made) < EVERY) {
            return;
        }
        shown.made = Some(now);
        let picture = self.picture();
        let shown = &mut self.looking.shown;
        if let Some((due, every)) = shown.said.filter(|(due, _)| *due <= now) {
            shown.said = every.map(|every| ((due + every).max(now), Some(every)));
            status::say(picture.lines());
        }
        if shown.title.is_some_and(|due| due <= now) {
            shown.title = Some(now + TITLE);
            title(Some(&picture.line()));
        }
        self.prompt.iter().for_each(|prompt| prompt.board.show(picture.clone()));
    }

    /// What there is to see.
    pub(super) fn picture(&self) -> Picture {
        let (session, names) = self.sounding.session();
        let dynamics = dynamics(session, names);
        let looking = &self.looking;
        let shown = &looking.shown;
        let reduced = |place: PlaceId| {
            let own = dynamics.iter().filter(|(_, of)| *of == place);
            own.filter_map(|(path, _)| shown.level(path).reduced).reduce(f64::max)
        };
        let silent = silent_cables(session);
        let strip = |id: PlaceId, name: &str| {
            let place = &session.places[id.0];
            let mut cables = session.cables.iter().zip(&silent).filter(|(cable, _)| session.origin(cable.from) == id);
            let left_out = |(cable, silent): (&engine::session::Cable, &bool)| *silent && !cable.muted;
            Strip {
                reduced: reduced(id),
                muted: place.state.muted,
                soloed: place.state.soloed,
                left_out: !place.state.muted && cables.any(left_out),
                ..shown.meters.strip(name)
            }
        };
        let of = |is: fn(&PlaceKind) -> bool| {
            let places = session.places.iter().enumerate().filter(move |(i, place)| *i != MASTER.0 && is(&place.kind));
            places.map(|(i, place)| strip(PlaceId(i), &place.name)).collect::<Vec<_>>()
        };
        let inputs = of(|kind| matches!(kind, PlaceKind::Input(_)));
        let buses = of(|kind| matches!(kind, PlaceKind::Bus { .. }));
        let reading = looking.measuring.as_ref().and_then(|measuring| measuring.read(DELIVERED, u64::MAX));
        let figure = |figure: Figure| reading.as_ref()?.0.figures.as_ref()?.get(figure).map(|(value, _)| value);
        let now =
            |of: fn(&crate::measuring::Reading) -> Option<f64>| reading.as_ref().and_then(|(reading, _)| of(reading));
        let (tempo, frame) = (&self.desk.mesh().tempo, self.live.transport());
        let bar = tempo.bar_at(frame as i64);
        let beats = f64::from(session.time_signature.0);
        Picture {
            strips: inputs.into_iter().chain(buses).collect(),
            master: strip(MASTER, DELIVERED),
            loudness: [now(|now| now.momentary), now(|now| now.short_term), figure(Figure::Lufs)],
            true_peak: figure(Figure::TruePeak),
            load: (self.output.smoothed_load() * 100.0, shown.worst * 100.0),
            // A hair's breadth before a beat is that beat.
            bar: ((bar + 1e-6).floor() as i64 + 1, ((bar + 1e-6).rem_euclid(1.0) * beats).floor() as i64 + 1),
            seconds: frame as f64 / f64::from(self.given.rate),
            rolling: self.live.is_rolling(),
            tempo: tempo.bpm_at(frame as i64),
            target: self.off_target(),
        }
    }

    /// Whether anybody looks at meters.
    pub(super) fn is_metered(&self) -> bool {
        self.looking.shown.any(self.prompt.as_ref()) || self.showing.is_watched()
    }

    /// What is metered beside inputs, buses and what leaves: the dynamics, and what is drawn.
    pub(super) fn metered(&mut self) -> Vec<Point> {
        let drawn = self.drawn_levels();
        if !self.is_metered() {
            return drawn;
        }
        let (session, names) = self.sounding.session();
        let dynamics = dynamics(session, names).into_iter();
        let dynamics = dynamics.filter_map(|(path, _)| match names.find(session, &path).ok()? {
            found @ Found::Instance(_) => Point::of(session, names, found, false),
            _ => None,
        });
        let mut levels: Vec<Point> = dynamics.chain(drawn).collect();
        levels.sort();
        levels.dedup();
        levels
    }
}

/// Writes the title of the terminal, beside everything that is typed; without one, what it was before.
fn title(text: Option<&str>) {
    let text = match text {
        Some(text) => format!("\u{1b}]2;gainstage: {text}\u{7}"),
        None => "\u{1b}]2;\u{7}".into(),
    };
    // A terminal that is gone has no title.
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

impl Drop for Shown {
    fn drop(&mut self) {
        if self.title.is_some() {
            title(None);
        }
    }
}
