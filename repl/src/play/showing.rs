//! The page of `--show`: what there is to see on it, put together while somebody looks.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::diff::Changes;
use engine::figure::Figure;
use engine::graph::Graph;
use engine::listen::Point;
use engine::session::Session;
use engine::target;
use scripting::SourceFile;

use super::looking::MASTER;
use super::{Origin, Playing};
use crate::arguments::Play;
use crate::changes::describe;
use crate::load::Loaded;
use crate::show::{self, Draft, Edit, Level, Moment, Show, Sound, Spot, Strip};
use crate::status;

/// How often what moves is put together.
const EVERY: Duration = Duration::from_millis(33);

/// How often what a hand writes is shown: whoever looks reads no faster.
const HAND: Duration = Duration::from_millis(200);

/// Over how many pieces of what was measured the level and the correlation of a sound are told: a third of a second.
const PIECES: u64 = 16;

/// The page, and what has been put on it.
#[derive(Default)]
pub(super) struct Showing {
    show: Option<Show>,
    /// The text that was taken last, and where everything stands in it.
    files: Vec<SourceFile>,
    spots: Vec<Spot>,
    /// What a hand has made of its lines and is not shown yet, and when a hand's lines were shown last.
    hand: Option<Vec<SourceFile>>,
    handed: Option<Instant>,
    /// What is said of the files that hold nothing.
    pub(super) absent: BTreeMap<PathBuf, String>,
    /// What will be heard.
    next: Option<(Graph, Session)>,
    /// Where what is drawn is metered, each with its path in the picture; of which picture.
    metered: Vec<(String, Point)>,
    drawn: u64,
    made: Option<Instant>,
    /// When it was noted last how loud the master is.
    noted: Option<Instant>,
    moments: u64,
    /// Of each sound that is looked at closely, how many pieces have been measured.
    pieces: BTreeMap<String, u64>,
}

impl Showing {
    /// The page, if it is asked for. Without one the desk plays all the same.
    pub(super) fn open(arguments: &Play) -> Showing {
        let Some(choice) = arguments.show_choice() else { return Showing::default() };
        match Show::open(choice) {
            Ok(show) => {
                status::say(format!("to be seen at {}", show.address));
                Showing { show: Some(show), ..Showing::default() }
            }
            Err(error) => {
                status::warning(format!("there is no page to be seen at {choice}: {error}"));
                Showing::default()
            }
        }
    }

    /// Whether there is a page.
    pub(super) fn is_open(&self) -> bool {
        self.show.is_some()
    }

    /// Whether anybody looks.
    pub(super) fn is_watched(&self) -> bool {
        self.show.as_ref().is_some_and(Show::is_watched)
    }

    /// The paths that somebody looks at closely.
    pub(super) fn looked_at(&self) -> Vec<String> {
        self.show.iter().flat_map(Show::looked_at).collect()
    }

    /// Keeps what will be heard, to be drawn then.
    pub(super) fn will_be_seen(&mut self, graph: &Graph, session: &Session) {
        if self.show.is_some() {
            self.next = Some((graph.clone(), session.clone()));
        }
    }

    /// Draws what is heard now, and shows what the edit has done that led to it, if it did anything: ramps set out by it that take so
    /// many seconds. What only waits longer or shorter for others goes on as it was.
    pub(super) fn is_seen(&mut self, changes: &Changes, ramps: &[(String, f64)]) {
        let (Some(show), Some((graph, session))) = (&self.show, self.next.take()) else { return };
        // What is drawn is another thing now, maybe.
        self.drawn = 0;
        let edit = (!changes.is_empty()).then(|| {
            // What glides because it is another number does so for a moment.
            let ramped = |path: &String| {
                let own = ramps.iter().filter(|(ramp, _)| is_of(ramp, path));
                (path.clone(), own.map(|(_, seconds)| *seconds).fold(0.0, f64::max))
            };
            let ramped = changes.changed.iter().map(ramped).collect();
            let (added, removed, anew) = (changes.added.clone(), changes.removed.clone(), changes.restarted.clone());
            Edit { words: describe(changes), added, ramped, anew, removed }
        });
        show.draw(Draft { graph, session }, edit);
    }

    /// How long until there is something to show.
    pub(super) fn pause(&self) -> Option<Duration> {
        let left =
            |since: Option<Instant>, every: Duration| since.map_or(every, |at| every.saturating_sub(at.elapsed()));
        let moment = self.is_watched().then(|| left(self.made, EVERY));
        let hand = self.hand.as_ref().map(|_| left(self.handed, HAND));
        let noted = self.show.as_ref().map(|_| left(self.noted, show::APART));
        moment.into_iter().chain(hand).chain(noted).min()
    }
}

/// Whether a parameter is one of what has a path.
fn is_of(parameter: &str, path: &str) -> bool {
    parameter.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
}

impl Playing<'_> {
    /// Shows a text: the one that is taken, or one that is wrong.
    pub(super) fn show_text(&mut self, loaded: &Loaded) {
        self.show_hand();
        let Showing { show: Some(show), files, spots, .. } = &mut self.showing else { return };
        let is_taken = loaded.graph.is_some();
        let moved = match is_taken {
            true => {
                let (session, names) = self.text.known().session();
                *spots = show::spots(session, names);
                files.clone_from(&loaded.files);
                spots.clone()
            }
            false => show::moved(spots, files, &loaded.files),
        };
        let [text, typed] =
            [false, true].map(|typed| show::text(&loaded.files, typed, &moved, &loaded.diagnostics, is_taken));
        show.show(|seen| {
            seen.write(&text);
            seen.write_typed(&typed);
        });
    }

    /// Keeps what a hand has made of the lines: the newest of it is shown when it is time.
    pub(super) fn hand_writes(&mut self, loaded: &Loaded) {
        if self.showing.show.is_some() {
            self.showing.hand = Some(loaded.files.clone());
        }
    }

    /// Shows what a hand has made of the lines, if it has. The file stays as it is shown, which may wait for its moment.
    fn show_hand(&mut self) {
        let Some(files) = self.showing.hand.take() else { return };
        self.showing.handed = Some(Instant::now());
        let (session, names) = self.text.known().session();
        let typed = show::text(&files, true, &show::spots(session, names), &[], true);
        self.showing.show.iter().for_each(|show| show.show(|seen| seen.write_typed(&typed)));
    }

    /// Where what is drawn is metered.
    pub(super) fn drawn_levels(&mut self) -> Vec<Point> {
        let Some(show) = self.showing.show.as_ref().filter(|show| show.is_watched()) else { return Vec::new() };
        let (number, drawing) = show.picture();
        if number != self.showing.drawn {
            let (session, names) = self.sounding.session();
            let point = |path: &String| Some((path.clone(), Point::find(session, names, path).ok()?));
            self.showing.metered = drawing.paths.iter().filter_map(point).collect();
            self.showing.drawn = number;
        }
        self.showing.metered.iter().map(|(_, point)| point.clone()).collect()
    }

    /// Shows what moves, if it is time and somebody looks.
    pub(super) fn show_page(&mut self) {
        let now = Instant::now();
        if self.showing.handed.is_none_or(|handed| now.duration_since(handed) >= HAND) {
            self.show_hand();
        }
        self.note(now);
        if !self.showing.is_watched() {
            self.showing.made = None;
            return;
        }
        if self.showing.made.is_some_and(|made| now.duration_since(made) < EVERY) {
            return;
        }
        self.showing.made = Some(now);
        let moment = self.what_moves();
        if let Some(show) = &self.showing.show {
            show.show(|seen| seen.moment = Arc::new(moment));
        }
    }

    /// Notes how loud the master is, whoever looks, if it is time: whoever comes sees all of it.
    fn note(&mut self, now: Instant) {
        let Some(show) = &self.showing.show else { return };
        let begun = *self.showing.noted.get_or_insert(now);
        let missed = now.duration_since(begun).as_millis() / show::APART.as_millis();
        if missed == 0 {
            return;
        }
        self.showing.noted = Some(begun + show::APART * missed as u32);
        let reading = self.looking.measuring.as_ref().and_then(|measuring| measuring.read(MASTER, u64::MAX));
        let loudness = reading.map_or([None; 2], |(reading, _)| [reading.momentary, reading.short_term]);
        show.show(|seen| (0..missed).for_each(|_| seen.heard(loudness)));
    }

    fn what_moves(&mut self) -> Moment {
        let meters = self.picture();
        let sounds = self.sounds();
        self.showing.moments += 1;
        let session = self.sounding.alone();
        let kinds = show::kinds(session);
        let strip = |strip: &crate::levels::Strip| Strip {
            name: strip.name.clone(),
            kind: kinds.get(strip.name.as_str()).copied().unwrap_or("bus"),
            muted: strip.muted,
            soloed: strip.soloed,
            left_out: strip.left_out,
        };
        let strips = meters.strips.iter().chain([&meters.master]).map(strip).collect();
        // What has no meter has no level, which is something else than silence.
        let level = |(path, point): &(String, Point)| {
            let shown = self.looking.shown.level(&point.name);
            let level = Level { peak: shown.peak, rms: shown.rms, reduced: shown.reduced.unwrap_or(0.0) };
            self.looking.shown.has(&point.name).then(|| (path.clone(), level))
        };
        let bar = self.desk.mesh().tempo.bar_at(self.live.transport() as i64);
        let slot = session.form.slots().into_iter().find(|slot| (slot.span.begin..slot.span.end).contains(&bar));
        let wanted = |(name, _): &(String, _)| {
            let loudness = target::find(name).and_then(|target| target.loudness);
            (name.clone(), loudness.map(|(loudness, ..)| loudness))
        };
        Moment {
            number: self.showing.moments,
            strips,
            levels: self.showing.metered.iter().filter_map(level).collect(),
            beats: session.time_signature.0,
            section: slot.map(|slot| session.form.sections[slot.section].name.clone()),
            target: session.target.as_ref().map(wanted),
            rate: self.given.rate,
            absent: self.showing.absent.values().cloned().collect(),
            meters,
            sounds,
        }
    }

    /// What is looked at closely; nothing of what is not heard.
    fn sounds(&mut self) -> BTreeMap<String, Option<Sound>> {
        let (session, names) = self.sounding.session();
        let Some(measuring) = &self.looking.measuring else { return BTreeMap::new() };
        let pieces = &mut self.showing.pieces;
        let paths: Vec<String> = self.showing.show.iter().flat_map(Show::looked_at).collect();
        pieces.retain(|path, _| paths.contains(path));
        let sound = |path: String| {
            let Ok(point) = Point::find(session, names, &path) else { return Some((path, None)) };
            let channels = measuring.newest(&point.name)?;
            let before = pieces.get(&path).copied().unwrap_or(0);
            let (reading, now) = measuring.read(&point.name, before.saturating_sub(PIECES))?;
            pieces.insert(path.clone(), now);
            let figure = |figure: Figure| reading.figures.as_ref()?.get(figure).map(|(value, _)| value);
            let whole = [figure(Figure::Lufs), figure(Figure::TruePeak)];
            let loudness = [reading.momentary, reading.short_term, whole[0], whole[1]];
            let level = [reading.since.rms(), reading.since.correlation()];
            Some((path, Some(Sound { channels, loudness, level })))
        };
        paths.into_iter().filter_map(sound).collect()
    }

    /// What is compared with is heard, and not the text that is shown.
    pub(super) fn show_taken(&mut self, loaded: &Loaded, origin: Origin) {
        if origin != Origin::Comparison {
            self.show_text(loaded);
        }
    }
}
