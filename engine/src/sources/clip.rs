//! `clip`: a sound file, or a part of it, on the transport.

use std::f64::consts::PI;

use super::End;
use crate::effects::{no_latency, no_tail};
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::media::{Reader, Region};
use crate::parameter::{Law, Memory, Parameter, Recipe, Table, Value};
use crate::units::Unit;

/// The longest time that may be given: 100 hours.
const LONGEST: f64 = 360_000_000.0;

const fn time(name: &'static str, help: &'static str) -> Parameter {
    Parameter::number(name, Unit::Milliseconds, 0.0, 0.0, LONGEST, help).fixed()
}

/// `clip(path)`.
pub static CLIP: Table = Table {
    word: "clip",
    summary: "A sound file (WAV, FLAC, MP3, OGG, AAC in MP4, AIFF), or a part of it, placed on the transport.",
    example: "clip(\"audio/drums.wav\").looped()",
    arguments: &["path"],
    parameters: &[
        Parameter::path("path", "the file, relative to the session's folder"),
        Parameter::flag("looped", false, "begins anew, without a gap, each time it ends"),
        time("from", "where in the file it begins"),
        time("to", "where in the file it ends").or("end", f64::INFINITY).special_by_default(),
        time("start", "where on the transport it begins").on_transport(),
        time("fade_in", "fades in over this time"),
        time("fade_out", "fades out over this time"),
        Parameter::number("gain", Unit::Decibels, 0.0, -120.0, 24.0, "level; off is silence")
            .or("off", 0.0)
            .law(Law::Amplitude),
        Parameter::channels("channels", "which of the file's channels, from 1; all of them if none is given"),
        Parameter::choice(
            "curve",
            &["cosine", "power"],
            "the course of its fades: half a cosine, or of equal power, for clips that fade into each other",
        ),
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

/// The option of `curve` with which a clip that fades out and one that fades in have the power of one.
pub const EQUAL_POWER: usize = 1;

/// A clip as its recipe has it.
struct Plan {
    region: Region,
    fade_in: u64,
    fade_out: u64,
    equal_power: bool,
    /// Counted from 0.
    channels: Vec<usize>,
}

impl Plan {
    fn new(recipe: &Recipe) -> Result<Plan, String> {
        let Some(media) = recipe.media.first() else { return Err("its file is not open".into()) };
        let frames = |index: usize| recipe.clock.frames(recipe.values[index]);
        let seconds = |frames: u64| frames as f64 / recipe.rate();
        let looped = recipe.values[1] != 0.0;
        let (from, start, fade_in, fade_out) = (frames(2), frames(4), frames(5), frames(6));
        let to = if recipe.values[3].is_finite() { frames(3) } else { media.frames() };
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
        for (name, fade) in [("fade_in", fade_in), ("fade_out", fade_out)] {
            if fade > 0 && looped {
                return Err(format!("`{name}` is for a clip that ends, and this one is looped"));
            }
            if fade > to - from {
                let (fade, clip) = (seconds(fade), seconds(to - from));
                return Err(format!("`{name}` is {fade:.3} s, longer than the clip's {clip:.3} s"));
            }
        }
        let channels = match &recipe.settings[CHANNELS] {
            Value::Channels(list) if !list.is_empty() => list.iter().map(|&channel| usize::from(channel)).collect(),
            _ => (1..=media.channels()).collect::<Vec<_>>(),
        };
        if let Some(none) = channels.iter().find(|&&channel| channel == 0 || channel > media.channels()) {
            let count = media.channels();
            let (noun, verb) = if count == 1 { ("channel", "is") } else { ("channels", "are") };
            return Err(format!("there is no channel {none} in it: {count} {noun} {verb} there"));
        }
        let channels = channels.into_iter().map(|channel| channel - 1).collect();
        let equal_power = recipe.values[CURVE] == EQUAL_POWER as f64;
        Ok(Plan { region: Region { start, from, to, looped }, fade_in, fade_out, equal_power, channels })
    }
}

/// When a clip ends; one that cannot be played ends at once.
pub(super) fn end(recipe: &Recipe) -> End {
    match Plan::new(recipe) {
        Ok(plan) => plan.region.end().map_or(End::Never, End::At),
        Err(_) => End::At(0),
    }
}

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    // A recipe is checked by `channels` before it is built; one that was not gives a clip without channels.
    let media = recipe.media.first().cloned();
    let clip =
        Plan::new(recipe).ok().zip(media).map(|(plan, media)| Clip { reader: Reader::new(media, plan.region), plan });
    match clip {
        Some(clip) => Box::new(clip),
        None => Box::new(Nothing),
    }
}

struct Clip {
    plan: Plan,
    reader: Reader,
}

impl Clip {
    /// What the fades leave at a frame of the clip: half a cosine, or a quarter of a sine, from silence at the first or
    /// last frame. RT.
    fn fade(&self, frame: u64) -> f64 {
        let rise = |gone: u64, over: u64| match gone as f64 / over as f64 {
            _ if gone >= over => 1.0,
            part if self.plan.equal_power => math::sin(0.5 * PI * part),
            part => 0.5 - 0.5 * math::cos(PI * part),
        };
        let left = (self.plan.region.length() - 1).saturating_sub(frame);
        rise(frame, self.plan.fade_in) * rise(left, self.plan.fade_out)
    }
}

// What it reads is a matter of the transport alone.
keep!(Clip);

impl Kernel for Clip {
    fn process(&mut self, io: &mut Io<'_>) {
        self.reader.read(io.transport, io.frames.clone(), &self.plan.channels, io.audio);
        let fades = self.plan.fade_in > 0 || self.plan.fade_out > 0;
        let first = io.frame(io.frames.start);
        for channel in io.audio.iter_mut() {
            let frames = &mut channel[io.frames.clone()];
            io.values[GAIN].scale(frames);
            if fades {
                let begin = self.plan.region.start;
                let place = |i: usize| (first + i as u64).saturating_sub(begin);
                frames.iter_mut().enumerate().for_each(|(i, x)| *x *= self.fade(place(i)));
            }
        }
    }

    fn reset(&mut self) {}

    fn is_ready(&self, transport: u64) -> bool {
        self.reader.is_ready(transport)
    }
}

/// A clip that has no sound.
struct Nothing;

keep!(Nothing);

impl Kernel for Nothing {
    fn process(&mut self, _: &mut Io<'_>) {}

    fn reset(&mut self) {}
}
