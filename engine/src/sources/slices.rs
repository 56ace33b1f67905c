//! `slices`, which `clip(path).slice(n)` makes: equal slices of a sound file, or of a part of it, played by a pattern.
//!
//! A slice is played from its beginning to its end, or until the next one is struck: from silence with the bits of the file,
//! and nothing of what follows it there. Those that lie side by side and follow each other in time are the sound that they were
//! cut from.

use std::sync::Arc;

use super::clip::{self, Wanted};
use super::instrument::{PATTERN, VELOCITY};
use crate::effects::no_latency;
use crate::keep::keep;
use crate::kernel::{Io, Kernel, QUANTUM};
use crate::media::{Library, Media};
use crate::parameter::{Memory, Parameter, Recipe, Table};
use crate::sampler::{EDGE, Sampler, Settings, Sound, Stroke};
use crate::score::Reads;
use crate::tempo::Tempo;
use crate::units::Unit;

/// `slices(path, slice)`.
pub static SLICES: Table = Table {
    word: "slices",
    summary: "Equal slices of a sound file, an instrument whose numbers choose them, from 0 and wrapping round; also written \
              `clip(path).slice(8)`. Each sounds to its end or until the next is struck.",
    example: "play(\"0 1 [2 3] 7\", slices(\"audio/drums.wav\", 8))",
    arguments: &["path", "slice"],
    parameters: &[
        PATTERN,
        Parameter {
            help: "how hard slices are struck, from 0 to 1: a number, or a pattern of numbers; 1 unless said, which is \
                           as loud as the file",
            ..VELOCITY
        },
        clip::PATH,
        Parameter::number("slice", Unit::Plain, 8.0, 1.0, 1024.0, "how many there are").fixed(),
        clip::FROM,
        clip::TO,
        clip::CHANNELS_OF,
        clip::BARS_LONG,
        clip::PITCHED,
        clip::SPED,
        clip::LEVEL,
    ],
    parts: &[],
    mix: 100.0,
    channels: |recipe| {
        let count = recipe.values[COUNT];
        if count.fract() != 0.0 {
            return Err(format!("`slice` is {count}: there are whole slices only"));
        }
        let media = clip::file(recipe)?;
        Ok(clip::channels_of(&recipe.settings[CHANNELS], media)?.len())
    },
    latency: no_latency,
    tail,
    memory: Memory::Brief,
    kernel,
};

const COUNT: usize = 3;
const FROM: usize = 4;
const TO: usize = 5;
const CHANNELS: usize = 6;
const BARS: usize = 7;
const PITCH: usize = 8;
const SPEED: usize = 9;
const GAIN: usize = 10;

/// Numbers, wrapping round.
pub(super) fn reads(recipe: &Recipe) -> Reads {
    Reads::Slices(recipe.values[COUNT].max(1.0) as u32)
}

/// Orders what its settings want made of its file; one that is streamed is brought into memory.
pub(super) fn make_media(recipe: &mut Recipe, tempo: &Tempo, library: &Library) -> Result<(), String> {
    let [from, to, bars, semitones, speed] = [FROM, TO, BARS, PITCH, SPEED].map(|index| recipe.values[index]);
    let in_memory = clip::file(recipe)?.whole().is_none();
    clip::make(recipe, Wanted { from, to, bars, semitones, speed, looped: false, in_memory }, tempo, library)
}

/// As long as its longest slice.
fn tail(recipe: &Recipe) -> u64 {
    Plan::new(recipe).map_or(0, |plan| plan.longest) + (EDGE * recipe.rate()) as u64
}

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    // A recipe is checked before it is built; one that was not has no sound.
    let plan = Plan::new(recipe).unwrap_or_default();
    let all: Arc<[usize]> = plan.channels.clone().into();
    // All choke each other.
    let sounds = plan.media.iter().map(|media| Sound::lent(media.clone(), all.clone(), Some(0))).collect();
    let settings = Settings { rate: recipe.rate(), touch: 0.0, cut: EDGE };
    Box::new(Slices { sampler: Sampler::new(sounds, settings), plan })
}

/// Slices as their recipe has them.
#[derive(Default)]
struct Plan {
    /// What is cut: one sound for each stretch of the tempo, or one for all of it.
    media: Vec<Arc<Media>>,
    /// Where those stretches begin, and how fast their sounds are played: where the tempo is on its way they are for one
    /// near to it.
    begins: Vec<(i64, f64)>,
    /// The frames of each that are cut.
    from: f64,
    to: f64,
    count: f64,
    /// How many frames of the session a slice lasts at most.
    longest: u64,
    /// Counted from 0.
    channels: Vec<usize>,
}

impl Plan {
    fn new(recipe: &Recipe) -> Result<Plan, String> {
        let file = clip::file(recipe)?;
        let (from, to) = clip::part(recipe, file, recipe.values[FROM], recipe.values[TO])?;
        let made = &recipe.media[1..];
        let (media, (from, to)) = match made.first() {
            Some(first) => (made.to_vec(), (0, first.frames())),
            None => (vec![file.clone()], (from, to)),
        };
        let begins = recipe.tempo.iter().flat_map(|tempo| {
            tempo.stretches().zip(&media).map(|(begin, media)| {
                let exact = recipe.values[BARS] * tempo.bar_length(begin);
                (begin, if tempo.glides_at(begin) { media.frames() as f64 / exact } else { 1.0 })
            })
        });
        let begins: Vec<(i64, f64)> = begins.collect();
        let count = recipe.values[COUNT].max(1.0);
        let lasts = |(media, (_, speed)): (&Arc<Media>, &(i64, f64))| media.frames() as f64 / speed;
        let whole = media.iter().zip(&begins).map(lasts).fold((to - from) as f64, f64::max);
        Ok(Plan {
            begins,
            media,
            from: from as f64,
            to: to as f64,
            count,
            longest: (whole / count).ceil() as u64,
            channels: clip::channels_of(&recipe.settings[CHANNELS], file)?,
        })
    }

    /// Which sound is for a frame of the transport. RT.
    fn sound(&self, frame: u64) -> usize {
        self.begins.iter().rposition(|(begin, _)| *begin <= frame as i64).unwrap_or(0)
    }

    /// The stroke of a slice at a frame of the transport, of which so many frames are gone. RT.
    fn stroke(&self, slice: u32, frame: u64, gone: u64) -> Option<Stroke> {
        let sound = self.sound(frame);
        // Sounds for other tempos have other lengths.
        let to = if self.begins.is_empty() { self.to } else { self.media.get(sound)?.frames() as f64 };
        let place = |slice: f64| (self.from + slice / self.count * (to - self.from)).round();
        let speed = self.begins.get(sound).map_or(1.0, |(_, speed)| *speed);
        let (from, to) = (place(f64::from(slice)) + gone as f64 * speed, place(f64::from(slice) + 1.0));
        (from < to).then(|| Stroke { sound, speed, from, to, late: gone > 0, ..Stroke::default() })
    }
}

struct Slices {
    sampler: Sampler,
    plan: Plan,
}

keep!(Slices: sampler);

impl Kernel for Slices {
    fn process(&mut self, io: &mut Io<'_>) {
        if io.moved && io.frames.start == 0 {
            self.sampler.reset();
        }
        while let Some((at, note)) = io.next_note() {
            // One that has begun before is entered in the middle.
            let gone = io.frame(at).saturating_sub(note.begin);
            if let Some(stroke) = self.plan.stroke(note.sound, note.begin, gone) {
                // What cannot be played (more strokes than hands) is silent.
                let _ = self.sampler.start(at, Stroke { velocity: note.velocity, ..stroke });
            }
        }
        self.sampler.process(io.frames.clone(), &io.values[GAIN..=GAIN], io.audio);
    }

    fn reset(&mut self) {
        self.sampler.reset();
    }

    fn is_ready(&self, transport: u64) -> bool {
        let plan = &self.plan;
        // From the first that may still sound on; the next that is to be made is now asked for too.
        let (first, last) =
            (plan.sound(transport.saturating_sub(plan.longest)), plan.sound(transport + QUANTUM as u64));
        let _ = plan.media.iter().skip(last + 1).find(|media| !media.is_at_hand());
        let wanted = plan.media.get(first..=last).unwrap_or_default();
        wanted.iter().filter(|media| !media.is_at_hand()).count() == 0
    }
}
