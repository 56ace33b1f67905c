//! What viewers are sent, made once for all of them: events of a stream (`text/event-stream`), each an object of JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::body::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::looks::Looks;
use super::past::Past;
use super::seen::{Drawing, Manner, Moment, Seen, tenths};
use super::sound::{self, Glass};
use crate::levels::Strip;

/// Something with a number by which it is told from what was before.
#[derive(Clone, Default)]
pub struct Numbered {
    /// Its number, from 1; 0 is nothing yet.
    pub number: u64,
    /// The event.
    pub bytes: Bytes,
}

/// Everything that there is to be sent.
#[derive(Clone, Default)]
pub struct Feed {
    /// What the desk is made of.
    pub desk: Numbered,
    /// The text.
    pub text: Numbered,
    /// The lines that were typed behind it.
    pub typed: Numbered,
    /// The picture, in each way in which it is drawn.
    pub pictures: Arc<BTreeMap<Manner, Numbered>>,
    /// Loudness up to now, for those who come, numbered by how far apart its figures are.
    pub past: Numbered,
    /// The newest of it, for those who were there.
    pub heard: Arc<[Numbered]>,
    /// What was changed last.
    pub edits: Arc<[Numbered]>,
    /// What was told last.
    pub told: Arc<[Numbered]>,
    /// What moves.
    pub moment: Numbered,
    /// What is looked at closely, by path.
    pub sounds: Arc<BTreeMap<String, Bytes>>,
    /// The picture and the text by themselves.
    pub drawing: Bytes,
    /// See above.
    pub written: Bytes,
}

/// Makes what is sent of what there is to see, until nothing will come.
pub async fn make(mut seen: watch::Receiver<Seen>, feed: watch::Sender<Feed>, looks: Arc<Looks>) {
    let mut maker = Maker::default();
    while seen.changed().await.is_ok() {
        let now = seen.borrow_and_update().clone();
        feed.send_replace(maker.make(&now, &looks.paths()));
    }
}

/// What makes it, and what it has made.
#[derive(Default)]
struct Maker {
    made: Feed,
    /// How often something of the picture had been drawn.
    drawn: u64,
    /// What the desk was made of.
    desk: Value,
    past: Arc<Past>,
    glass: Glass,
}

impl Maker {
    fn make(&mut self, seen: &Seen, looked_at: &[String]) -> Feed {
        let moment = &seen.moment;
        let paths: Vec<&String> = moment.levels.iter().map(|(path, _)| path).collect();
        let target = moment.target.as_ref().map(|(name, loudness)| json!({ "name": name, "lufs": loudness }));
        let desk = json!({
            "desk": seen.desk, "strips": moment.strips, "paths": paths, "target": target, "beats": moment.beats,
            "rate": moment.rate, "absent": moment.absent,
        });
        if moment.number > 0 && desk != self.desk {
            self.made.desk = Numbered { number: self.made.desk.number + 1, bytes: event("desk", &desk) };
            self.desk = desk;
        }
        if seen.text.0 > self.made.text.number {
            self.made.written = Bytes::copy_from_slice(seen.text.1.as_bytes());
            self.made.text = Numbered { number: seen.text.0, bytes: line("text", &seen.text.1) };
        }
        if seen.typed.0 > self.made.typed.number {
            self.made.typed = Numbered { number: seen.typed.0, bytes: line("typed", &seen.typed.1) };
        }
        if seen.picture.0 > self.drawn {
            self.drawn = seen.picture.0;
            self.draw(&seen.picture.1);
        }
        self.made.edits = renewed(&self.made.edits, seen.edits.iter(), |number, edit| {
            event("edit", &json!({ "n": number, "edit": **edit }))
        });
        self.made.told = renewed(&self.made.told, seen.told.iter(), |number, told| {
            event("told", &json!({ "n": number, "text": **told }))
        });
        if !Arc::ptr_eq(&seen.past, &self.past) {
            self.past = seen.past.clone();
            self.remember();
        }
        if moment.number > self.made.moment.number {
            self.made.moment = Numbered { number: moment.number, bytes: event("moment", &what_moves(moment)) };
            let looked_at = looked_at.iter().map(|path| {
                let known = moment.sounds.get(path);
                let sound = known.and_then(Option::as_ref).map(|sound| self.glass.look(sound, moment.rate));
                let gone = matches!(known, Some(None));
                (path.clone(), event("sound", &json!({ "path": path, "sound": sound, "gone": gone })))
            });
            self.made.sounds = Arc::new(looked_at.collect());
        }
        self.made.clone()
    }

    /// Makes what is sent of a picture in each way in which it is drawn; what was made already is taken as it is.
    fn draw(&mut self, drawing: &Drawing) {
        let before = self.made.pictures.clone();
        let picture = |(manner, (number, svg)): (&Manner, &(u64, Arc<str>))| {
            let made = before.get(manner).filter(|made| made.number == *number).cloned();
            let new = || Numbered { number: *number, bytes: event("picture", &json!({ "svg": **svg })) };
            (*manner, made.unwrap_or_else(new))
        };
        self.made.pictures = Arc::new(drawing.pictures.iter().map(picture).collect());
        if let Some((_, svg)) = drawing.pictures.get(&Manner::default()) {
            self.made.drawing = Bytes::copy_from_slice(svg.as_bytes());
        }
    }

    /// Makes what is sent of the past.
    fn remember(&mut self) {
        let past = &self.past;
        let all = json!({ "n": past.all().len(), "seconds": past.seconds(), "lufs": past.all() });
        self.made.past = Numbered { number: u64::from(past.each()), bytes: event("past", &all) };
        let newest = past.newest().map(|(number, loudness)| Numbered {
            number: *number,
            bytes: event("heard", &json!({ "n": number, "lufs": loudness })),
        });
        self.made.heard = newest.collect();
    }
}

/// What was made before, with what has come since.
fn renewed<'a, T: 'a>(
    made: &Arc<[Numbered]>,
    all: impl Iterator<Item = &'a (u64, T)> + Clone,
    event: impl Fn(u64, &T) -> Bytes,
) -> Arc<[Numbered]> {
    let newest = made.last().map_or(0, |one| one.number);
    if all.clone().last().is_none_or(|(number, _)| *number == newest) {
        return made.clone();
    }
    let before = |number: &u64| made.iter().find(|one| one.number == *number).cloned();
    all.map(|(number, what)| {
        before(number).unwrap_or_else(|| Numbered { number: *number, bytes: event(*number, what) })
    })
    .collect()
}

/// An event of a name.
pub fn event(name: &str, data: &impl Serialize) -> Bytes {
    // Plain data always becomes text.
    line(name, &serde_json::to_string(data).unwrap_or_default())
}

/// An event of a text that is one line.
fn line(name: &str, data: &str) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}

/// What moves, as it is sent: levels in tenths of dB, five numbers a strip, three for what else is drawn.
fn what_moves(moment: &Moment) -> Value {
    let meters = &moment.meters;
    let strip = |strip: &Strip| {
        let [peak, rms, held] = [strip.peak, strip.rms, strip.held].map(sound::level).map(tenths);
        [peak, rms, held, i32::from(strip.clipped), tenths(strip.reduced)]
    };
    let strips: Vec<i32> = meters.strips.iter().chain([&meters.master]).flat_map(strip).collect();
    let levels = moment.levels.iter();
    let levels: Vec<i32> = levels
        .flat_map(|(_, one)| {
            let [peak, rms] = [one.peak, one.rms].map(sound::level).map(tenths);
            [peak, rms, tenths(Some(one.reduced))]
        })
        .collect();
    json!({
        "bar": meters.bar, "seconds": rounded(meters.seconds), "rolling": meters.rolling,
        "tempo": rounded(meters.tempo), "section": moment.section, "load": [rounded(meters.load.0), rounded(meters.load.1)],
        "lufs": meters.loudness.map(sound::loudness).map(tenths), "peak": tenths(sound::level(meters.true_peak)), "far": meters.target,
        "strips": strips, "levels": levels,
    })
}

/// To the hundredth, which is as much as anybody reads.
fn rounded(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}
