//! `clip`: a sound file, or a part of it, on the transport, as it is or warped.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::PI;
use std::ops::Range;
use std::sync::Arc;

use super::{gate, rise};
use crate::effects::{no_latency, no_tail};
use crate::form::{Placed, Span};
use crate::keep::keep;
use crate::kernel::{Buffer, Io, Kernel, QUANTUM};
use crate::math;
use crate::media::{Library, Media, Order, Reader, Region};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table, Value};
use crate::tempo::Tempo;
use crate::units::Unit;
use crate::warp::{Warp, frames_at};

mod bars;

use bars::Bars;

/// The longest time that may be given: 100 hours.
const LONGEST: f64 = 360_000_000.0;

/// The longest sound that is warped, in seconds, before and after: it lies in memory.
const LONGEST_WARPED: f64 = 600.0;

/// How far apart the tempos are, as a part of them, for which a clip is warped where the tempo is on its way from one to
/// another: what lies between two is at most 17 cents off.
const NEAR: f64 = 0.02;

/// The most megabytes that what is made for such a way takes.
const MOST_MEGABYTES: u64 = 1024;

/// How many times as long or as short a sound may become.
const MOST: f64 = 16.0;

const fn time(name: &'static str, help: &'static str) -> Parameter {
    Parameter::number(name, Unit::Milliseconds, 0.0, 0.0, LONGEST, help).fixed()
}

/// What clips and their slices have in common: the file,
pub(super) const PATH: Parameter = Parameter::path("path", "the file, relative to the session's folder");

/// where in it they begin,
pub(super) const FROM: Parameter = time("from", "where in the file it begins");

/// where in it they end,
pub(super) const TO: Parameter = time("to", "where in the file it ends").or("end", f64::INFINITY).special_by_default();

/// how loud they are,
pub(super) const LEVEL: Parameter =
    Parameter::number("gain", Unit::Decibels, 0.0, -120.0, 24.0, "level; off is silence")
        .or("off", 0.0)
        .law(Law::Amplitude);

/// which channels they have,
pub(super) const CHANNELS_OF: Parameter =
    Parameter::channels("channels", "which of the file's channels, from 1; all of them if none is given");

/// and what is made of it before it is heard.
pub(super) const BARS_LONG: Parameter = Parameter::number(
    "bars",
    Unit::Plain,
    0.0,
    1.0 / 64.0,
    10_000.0,
    "lasts so many bars at any tempo, its pitch kept",
)
.or("off", 0.0)
.special_by_default()
.fixed();

/// The same.
pub(super) const PITCHED: Parameter =
    Parameter::number("pitch", Unit::Semitones, 0.0, -36.0, 36.0, "higher or lower by this, its length kept").fixed();

/// The same.
pub(super) const SPED: Parameter = Parameter::number(
    "speed",
    Unit::Plain,
    1.0,
    -MOST,
    MOST,
    "as a tape, pitch and length together; below 0 backwards",
)
.fixed();

/// `clip(path)`.
pub static CLIP: Table = Table {
    word: "clip",
    summary: "A sound file (WAV, FLAC, MP3, OGG, AAC in MP4, AIFF), or a part of it, placed on the transport; \
              `.slice(n)` makes an instrument of it, see `slices`.",
    example: "clip(\"audio/drums.wav\").looped()",
    arguments: &["path"],
    parameters: &[
        PATH,
        Parameter::flag("looped", false, "begins anew, without a gap, each time it ends"),
        FROM,
        TO,
        time("start", "where on the transport it begins").on_transport(),
        time("fade_in", "fades in over this time"),
        time("fade_out", "fades out over this time"),
        LEVEL,
        CHANNELS_OF,
        Parameter::choice(
            "curve",
            &["cosine", "power"],
            "the course of its fades: half a cosine, or of equal power, for clips that fade into each other",
        ),
        BARS_LONG,
        PITCHED,
        SPED,
    ],
    parts: &[],
    mix: 100.0,
    channels: |recipe| Ok(Plan::new(recipe)?.channels.len()),
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel,
};

const GAIN: usize = 7;
const CHANNELS: usize = 8;
const CURVE: usize = 9;
const BARS: usize = 10;
const PITCH: usize = 11;
const SPEED: usize = 12;

/// The option of `curve` with which a clip that fades out and one that fades in have the power of one.
pub const EQUAL_POWER: usize = 1;

/// A clip as its recipe has it.
struct Plan {
    /// Where it lies on the transport, and what of the sound it plays.
    region: Region,
    course: Course,
    fade_in: u64,
    fade_out: u64,
    /// Over so many frames it fades where a span cuts it off.
    cut: u64,
    equal_power: bool,
    /// Counted from 0.
    channels: Vec<usize>,
}

/// How a clip runs through its sound.
enum Course {
    Straight(Arc<Media>),
    /// By bars: in each of its spans, if it has any.
    Bars(Arc<[Bars]>),
}

impl Plan {
    fn new(recipe: &Recipe) -> Result<Plan, String> {
        let media = file(recipe)?;
        let frames = |index: usize| recipe.clock.frames(recipe.values[index]);
        let seconds = |frames: u64| frames as f64 / recipe.rate();
        let looped = is_looped(recipe);
        let (start, fade_in, fade_out) = (frames(4), frames(5), frames(6));
        let (from, to) = part(recipe, media, recipe.values[2], recipe.values[3])?;
        let spans = recipe.spans.clone();
        let (region, course) = match (&recipe.tempo, recipe.media.get(1)) {
            (Some(tempo), _) => {
                let begins = spans.as_ref().map_or(vec![0], |spans| spans.iter().map(|span| span.begin).collect());
                let count = recipe.values[BARS];
                let bars = |begin| Bars::new(tempo.clone(), start + begin, count, looped, &recipe.media[1..]);
                let bars: Arc<[Bars]> = begins.into_iter().map(bars).collect();
                let to = bars.first().map_or(0, Bars::length);
                (Region { start, from: 0, to, looped, spans }, Course::Bars(bars))
            }
            (None, Some(made)) => {
                let to = made.frames();
                (Region { start, from: 0, to, looped, spans }, Course::Straight(made.clone()))
            }
            (None, None) => (Region { start, from, to, looped, spans }, Course::Straight(media.clone())),
        };
        let length = region.length();
        for (name, fade) in [("fade_in", fade_in), ("fade_out", fade_out)] {
            if fade > 0 && looped {
                return Err(format!("`{name}` is for a clip that ends, and this one is looped"));
            }
            if fade > length {
                let (fade, clip) = (seconds(fade), seconds(length));
                return Err(format!("`{name}` is {fade:.3} s, longer than the clip's {clip:.3} s"));
            }
        }
        let channels = channels_of(&recipe.settings[CHANNELS], media)?;
        let equal_power = recipe.values[CURVE] == EQUAL_POWER as f64;
        Ok(Plan { region, course, fade_in, fade_out, cut: gate::fade(&recipe.clock), equal_power, channels })
    }
}

impl Plan {
    /// Which frames of a stretch each of its laps by bars has. RT.
    fn on<'a>(
        &'a self,
        bars: &'a [Bars],
        transport: u64,
        stretch: Range<usize>,
    ) -> impl Iterator<Item = (&'a Bars, Range<usize>)> {
        let whole = Placed { begin: 0, end: u64::MAX, span: Span { begin: 0.0, end: f64::INFINITY } };
        let spans = self.region.spans.as_deref().unwrap_or_default().iter().copied();
        let spans = spans.chain(self.region.spans.is_none().then_some(whole));
        let within = move |span: Placed| {
            let place = |frame: u64| frame.saturating_sub(transport).min(stretch.end as u64) as usize;
            place(span.begin).max(stretch.start)..place(span.end)
        };
        bars.iter().zip(spans.map(within)).filter(|(_, frames)| !frames.is_empty())
    }
}

pub(super) fn file(recipe: &Recipe) -> Result<&Arc<Media>, String> {
    recipe.media.first().ok_or_else(|| "its file is not open".into())
}

fn is_looped(recipe: &Recipe) -> bool {
    recipe.values[1] != 0.0
}

/// Which channels of a file a setting means, counted from 0.
pub(super) fn channels_of(setting: &Value, media: &Media) -> Result<Vec<usize>, String> {
    let channels = match setting {
        Value::Channels(list) if !list.is_empty() => list.iter().map(|&channel| usize::from(channel)).collect(),
        _ => (1..=media.channels()).collect::<Vec<_>>(),
    };
    if let Some(none) = channels.iter().find(|&&channel| channel == 0 || channel > media.channels()) {
        let count = media.channels();
        let (noun, verb) = if count == 1 { ("channel", "is") } else { ("channels", "are") };
        return Err(format!("there is no channel {none} in it: {count} {noun} {verb} there"));
    }
    Ok(channels.into_iter().map(|channel| channel - 1).collect())
}

/// The frames of the file between two times in milliseconds, of which the second may be its end: the first, and the one
/// after the last.
pub(super) fn part(recipe: &Recipe, media: &Media, from: f64, to: f64) -> Result<(u64, u64), String> {
    let seconds = |frames: u64| frames as f64 / recipe.rate();
    let from = recipe.clock.frames(from);
    let to = if to.is_finite() { recipe.clock.frames(to) } else { media.frames() };
    let whole = seconds(media.frames());
    for (name, frame) in [("from", from), ("to", to)] {
        if frame > media.frames() {
            return Err(format!("`{name}` is {:.3} s, and the file ends at {whole:.3} s", seconds(frame)));
        }
    }
    if from >= to {
        return Err(format!(
            "nothing is left of it: `from` is {:.3} s and `to` is {:.3} s",
            seconds(from),
            seconds(to)
        ));
    }
    Ok((from, to))
}

/// Orders what a clip's settings want made of its file.
pub(super) fn make_media(recipe: &mut Recipe, tempo: &Tempo, library: &Library) -> Result<(), String> {
    let [from, to, bars, semitones, speed] = [2, 3, BARS, PITCH, SPEED].map(|index| recipe.values[index]);
    let wanted = Wanted { from, to, bars, semitones, speed, looped: is_looped(recipe), in_memory: false };
    make(recipe, wanted, tempo, library)
}

/// What is wanted made of a file, as its parameters say it.
pub(super) struct Wanted {
    pub from: f64,
    pub to: f64,
    pub bars: f64,
    pub semitones: f64,
    pub speed: f64,
    pub looped: bool,
    /// Even what is played as it is, so that it lies in memory.
    pub in_memory: bool,
}

/// Orders for `bars` a sound for each tempo, else one; nothing for what is played as it is.
pub(super) fn make(recipe: &mut Recipe, wanted: Wanted, tempo: &Tempo, library: &Library) -> Result<(), String> {
    let Wanted { from, to, bars, semitones, speed, looped, in_memory } = wanted;
    let media = file(recipe)?.clone();
    let (from, to) = part(recipe, &media, from, to)?;
    if speed.abs() < 1.0 / MOST {
        let least = 1.0 / MOST;
        return Err(format!(
            "`speed` is {speed}: it goes from {least} to {MOST}, or from -{least} to -{MOST} backwards"
        ));
    }
    if bars > 0.0 && speed != 1.0 {
        return Err(
            "`bars` and `speed` both say how long it lasts: leave one of them out; `pitch` goes with either".into()
        );
    }
    let lengths: Vec<u64> = match () {
        () if bars > 0.0 => by_bars(bars, tempo, media.channels())?,
        () if (semitones, speed) == (0.0, 1.0) && !in_memory => Vec::new(),
        () => vec![frames_at(speed, to - from)],
    };
    let mut made: BTreeMap<u64, Arc<Media>> = BTreeMap::new();
    for frames in lengths {
        let media = match made.get(&frames) {
            Some(known) => known.clone(),
            None => {
                bearable(to - from, frames, semitones, recipe.rate())?;
                let warp = Warp { speed, frames: frames as usize, semitones, looped };
                library.make(&media, Order { from, to, warp }).map_err(|error| error.to_string())?
            }
        };
        made.insert(frames, media.clone());
        recipe.media.push(media);
    }
    recipe.tempo = (bars > 0.0).then(|| tempo.clone());
    Ok(())
}

/// How long what lasts so many bars becomes for each stretch of the tempo: where that is on its way from one to another, as long
/// as for the nearest of a few.
fn by_bars(bars: f64, tempo: &Tempo, channels: usize) -> Result<Vec<u64>, String> {
    let near = |length: f64| math::exp((math::ln(length) / NEAR).round() * NEAR);
    let mut on_the_way = BTreeSet::new();
    let length = |frame: i64| {
        let bar = tempo.bar_length(frame);
        if !tempo.glides_at(frame) {
            return bars::frames(bars, bar);
        }
        let frames = bars::frames(bars, near(bar));
        on_the_way.insert(frames);
        frames
    };
    let lengths = tempo.stretches().map(length).collect();
    let megabytes = (on_the_way.iter().sum::<u64>() * (channels * size_of::<f32>()) as u64) >> 20;
    if megabytes > MOST_MEGABYTES {
        let count = on_the_way.len();
        return Err(format!(
            "while the tempo is on its way it is warped to {count} tempos, which take {megabytes} MB: {MOST_MEGABYTES} MB are \
             the most; take a part of it with `from` and `to`, and fewer `bars`"
        ));
    }
    Ok(lengths)
}

/// Refuses what would become too long or too different, on its way too: what is to be higher is made longer first.
fn bearable(before: u64, after: u64, semitones: f64, rate: f64) -> Result<(), String> {
    let seconds = |frames: u64| frames as f64 / rate;
    let ratio = after as f64 / before as f64;
    if !(1.0 / MOST * 0.999..=MOST * 1.001).contains(&ratio) {
        let (before, after) = (seconds(before), seconds(after));
        return Err(format!("{before:.3} s cannot become {after:.3} s: {MOST} times as long or as short is the most"));
    }
    let between = (after as f64 * math::pow(2.0, semitones / 12.0)) as u64;
    if let Some(frames) = [before.max(after), between].into_iter().find(|frames| seconds(*frames) > LONGEST_WARPED) {
        let (longest, minutes) = (seconds(frames) / 60.0, LONGEST_WARPED / 60.0);
        return Err(format!(
            "{longest:.1} minutes are too long to be warped, which is done in memory: {minutes} minutes are the most; \
             take a part of it with `from` and `to`"
        ));
    }
    Ok(())
}

/// The frame at which a clip begins, and how many it has, if it ends; one that cannot be played has none.
pub(super) fn extent(recipe: &Recipe) -> (u64, Option<u64>) {
    match Plan::new(recipe) {
        Ok(Plan { region, .. }) => (region.start, (!region.looped).then(|| region.length())),
        Err(_) => (0, Some(0)),
    }
}

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    // A recipe is checked by `channels` before it is built; one that was not gives a clip without channels.
    let Ok(plan) = Plan::new(recipe) else { return Box::new(Nothing) };
    let run = match &plan.course {
        Course::Straight(media) => Running::Straight(Reader::new(media.clone(), plan.region.clone())),
        Course::Bars(bars) => Running::Bars(bars.clone()),
    };
    Box::new(Clip { run, plan })
}

/// What reads a clip's sound.
enum Running {
    Straight(Reader),
    Bars(Arc<[Bars]>),
}

impl Running {
    /// Fills `stretch` of each buffer with a channel of the sound. RT.
    fn read(&mut self, plan: &Plan, transport: u64, stretch: Range<usize>, audio: &mut [Buffer]) {
        match self {
            Running::Straight(reader) => {
                reader.read(transport, stretch, &plan.channels, audio);
            }
            Running::Bars(bars) => {
                for (bars, within) in plan.on(bars, transport, stretch) {
                    bars.read(transport, within, &plan.channels, audio);
                }
            }
        }
    }
}

struct Clip {
    run: Running,
    plan: Plan,
}

impl Clip {
    /// What the fades leave at a frame of the transport: half a cosine, or a quarter of a sine, from silence at the first or
    /// last frame. RT.
    fn fade(&self, frame: u64) -> f64 {
        let Plan { region, fade_in, fade_out, cut, equal_power, .. } = &self.plan;
        let rise = |gone: u64, over: u64| match equal_power {
            true if gone < over => math::sin(0.5 * PI * (gone as f64 / over as f64)),
            _ => rise(gone, over),
        };
        let (begin, within) = region.beginning(frame);
        let gone = frame.saturating_sub(begin);
        let left = (region.length() - 1).saturating_sub(gone);
        let own = rise(gone, *fade_in) * rise(left, *fade_out);
        match within.map(|span| (gate::cut(&span, frame, *cut), span)) {
            Some((cut, span)) if cut < 1.0 && region.is_cut_by(&span) => own * cut,
            _ => own,
        }
    }
}

// What it reads is a matter of the transport alone.
keep!(Clip);

impl Kernel for Clip {
    fn process(&mut self, io: &mut Io<'_>) {
        let Clip { run, plan } = self;
        run.read(plan, io.transport, io.frames.clone(), io.audio);
        let plan = &self.plan;
        let fades = plan.fade_in > 0 || plan.fade_out > 0 || plan.region.spans.is_some();
        let first = io.frame(io.frames.start);
        for channel in io.audio.iter_mut() {
            let frames = &mut channel[io.frames.clone()];
            io.values[GAIN].scale(frames);
            if fades {
                frames.iter_mut().enumerate().for_each(|(i, x)| *x *= self.fade(first + i as u64));
            }
        }
    }

    fn reset(&mut self) {}

    fn is_ready(&self, transport: u64) -> bool {
        match &self.run {
            Running::Straight(reader) => reader.is_ready(transport),
            Running::Bars(bars) => {
                self.plan.on(bars, transport, 0..QUANTUM).filter(|(bars, _)| !bars.is_ready(transport)).count() == 0
            }
        }
    }
}

/// A clip that has no sound.
struct Nothing;

keep!(Nothing);

impl Kernel for Nothing {
    fn process(&mut self, _: &mut Io<'_>) {}

    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests;
