//! `kit()`: drums, calculated ([`crate::drums`]) or from a folder of sound files ([`super::folder`]), played by a pattern.

use std::sync::{Arc, Mutex, PoisonError};

use super::folder::{self, Contents};
use super::instrument::{KEYBOARD, PATTERN, VELOCITY};
use crate::drums::{self, DECAYS, DRUMS, Drums, MOST_TONE, MOST_TUNE, Voicing};
use crate::effects::no_latency;
use crate::keep::keep;
use crate::kernel::{Io, Kernel};
use crate::keyboard::Touch;
use crate::parameter::{Law, Memory, Parameter, Recipe, Table, Value};
use crate::sampler::{CHOKE, Sampler, Settings, Sound, Stroke};
use crate::score::{Named, Reads};
use crate::units::Unit;

/// `kit()`, `kit(folder)`.
pub static KIT: Table = Table {
    word: "kit",
    summary: "Drums: a calculated kit (`bd sn hh oh cp rim lt mt ht cb cr rd sh`, each in several kinds: `bd:1`), or the sound files of a folder.",
    example: "play(\"bd hh sn hh\", kit())",
    arguments: &["folder"],
    parameters: &[
        PATTERN,
        VELOCITY,
        Parameter::folder("folder", "sound files, one a sound, `bd.wav`, or a folder of them for each name, `bd/`"),
        Parameter::number("tune", Unit::Semitones, 0.0, -MOST_TUNE, MOST_TUNE, "higher or lower").fixed(),
        Parameter::number("decay", Unit::Percent, 100.0, DECAYS.0, DECAYS.1, "how long calculated drums ring").fixed(),
        Parameter::number("tone", Unit::Decibels, 0.0, -MOST_TONE, MOST_TONE, "calculated drums brighter or duller")
            .fixed(),
        Parameter::number(
            "touch",
            Unit::Decibels,
            12.0,
            0.0,
            40.0,
            "by how much soft strokes are duller than hard ones",
        )
        .fixed(),
        Parameter::number("level", Unit::Decibels, 0.0, -120.0, 24.0, "louder or softer; off is silence")
            .or("off", 0.0)
            .law(Law::Amplitude),
        KEYBOARD,
    ],
    parts: &[],
    mix: 100.0,
    channels: |_| Ok(2),
    latency: no_latency,
    tail,
    memory: Memory::Brief,
    kernel,
};

const FOLDER: usize = 2;
const TUNE: usize = 3;
const DECAY: usize = 4;
const TONE: usize = 5;
const TOUCH: usize = 6;
const LEVEL: usize = 7;

/// The sounds of a kit by their names.
pub(super) fn reads(recipe: &Recipe) -> Reads {
    let mut names = Vec::new();
    let mut first = 0;
    match contents(recipe) {
        Some(contents) => {
            for sound in contents.sounds {
                let count = sound.files.len() as u32;
                names.push(Named { name: sound.name, first, count });
                first += count;
            }
        }
        None => {
            for drum in DRUMS {
                let count = drum.variants.len() as u32;
                let all = std::iter::once(&drum.name).chain(drum.aliases);
                names.extend(all.map(|name| Named { name: (*name).to_owned(), first, count }));
                first += count;
            }
        }
    }
    Reads::Sounds(names.into())
}

/// What its folder holds, if it is one of files.
fn contents(recipe: &Recipe) -> Option<Contents> {
    let Some(Value::Path(_)) = recipe.settings.get(FOLDER) else { return None };
    Some(folder::sounds_of(&recipe.files))
}

/// As long as its longest sound.
fn tail(recipe: &Recipe) -> u64 {
    match recipe.media.iter().map(|media| media.frames()).max() {
        Some(frames) => (frames as f64 / speed(recipe)).ceil() as u64,
        None => recipe.clock.frames(1000.0 * drums::longest(recipe.values[DECAY])),
    }
}

/// How fast its sounds are played: files are tuned by that.
fn speed(recipe: &Recipe) -> f64 {
    let semitones = if recipe.media.is_empty() { 0.0 } else { recipe.values[TUNE] };
    crate::math::pow(2.0, semitones / 12.0)
}

fn kernel(recipe: &Recipe) -> Box<dyn Kernel> {
    let sounds = match contents(recipe) {
        Some(contents) => sampled(recipe, &contents),
        None => calculated(recipe),
    };
    let settings = Settings { rate: recipe.rate(), touch: recipe.values[TOUCH], cut: CHOKE };
    Box::new(Kit {
        sampler: Sampler::new(sounds, settings),
        speed: speed(recipe),
        keys: keys(&reads(recipe)),
        by_hand: false,
    })
}

/// Which sounds the keys of a keyboard play, as General MIDI has its drums; a key whose sound a kit does not have is silent.
const GENERAL_MIDI: [(u8, &str); 16] = [
    (36, "bd"),
    (37, "rim"),
    (38, "sn"),
    (39, "cp"),
    (41, "lt"),
    (42, "hh"),
    (43, "lt"),
    (45, "mt"),
    (46, "oh"),
    (47, "mt"),
    (48, "ht"),
    (49, "cr"),
    (50, "ht"),
    (51, "rd"),
    (56, "cb"),
    (70, "sh"),
];

/// The sound of each key.
fn keys(reads: &Reads) -> [Option<u32>; 128] {
    let mut keys = [None; 128];
    let Reads::Sounds(names) = reads else { return keys };
    for (key, sound) in GENERAL_MIDI {
        keys[usize::from(key)] = names.iter().find(|named| named.name == sound).map(|named| named.first);
    }
    keys
}

/// The files of a folder, in the order of their names.
fn sampled(recipe: &Recipe, contents: &Contents) -> Arc<[Sound]> {
    let mut sounds = Vec::new();
    for (named, file) in contents.sounds.iter().flat_map(|named| named.files.iter().map(move |file| (named, file))) {
        let opened = recipe.files.iter().position(|known| known == file).and_then(|number| recipe.media.get(number));
        let channels = opened.and_then(|media| media.whole()).map(<[_]>::to_vec).unwrap_or_default();
        sounds.push(Sound::new(channels, named.choke, recipe.rate()));
    }
    sounds.into()
}

/// The calculated kit, which takes a while to make and so is remembered.
fn calculated(recipe: &Recipe) -> Arc<[Sound]> {
    type Made = ((u32, [u64; 3]), Arc<[Sound]>);
    /// Kits that are remembered.
    const REMEMBERED: usize = 8;
    static MADE: Mutex<Vec<Made>> = Mutex::new(Vec::new());
    let rate = recipe.rate() as u32;
    let [tune, decay, tone] = [TUNE, DECAY, TONE].map(|index| recipe.values[index]);
    let voicing = Voicing::new(tune, decay, tone).unwrap_or_default();
    let key = (rate, voicing.key());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, sounds)) = made.iter().find(|(known, _)| *known == key) {
        return sounds.clone();
    }
    let Ok(mut drums) = Drums::new(rate) else { return Arc::new([]) };
    let all = DRUMS.iter().flat_map(|drum| (0..drum.variants.len()).map(move |variant| (drum, variant)));
    let sounds: Arc<[Sound]> = all.map(|(drum, variant)| drums.make(drum, variant, &voicing)).collect();
    if made.len() == REMEMBERED {
        made.remove(0);
    }
    made.push((key, sounds.clone()));
    sounds
}

struct Kit {
    sampler: Sampler,
    speed: f64,
    /// The sound of each key of a keyboard.
    keys: [Option<u32>; 128],
    by_hand: bool,
}

keep!(Kit: sampler);

impl Kernel for Kit {
    fn process(&mut self, io: &mut Io<'_>) {
        // What hands have struck rings out wherever the transport goes.
        if io.moved && io.frames.start == 0 && !self.by_hand {
            self.sampler.reset();
        }
        while let Some((at, note)) = io.next_note() {
            // A drum is struck when it is struck: what began before is over.
            if note.begin >= io.frame(io.frames.start) {
                let stroke = Stroke {
                    sound: note.sound as usize,
                    velocity: note.velocity,
                    speed: self.speed,
                    ..Stroke::default()
                };
                // What cannot be played (a file without sound, more strokes than hands) is silent.
                let _ = self.sampler.start(at, stroke);
            }
        }
        self.sampler.process(io.frames.clone(), &io.values[LEVEL..=LEVEL], io.audio);
    }

    fn reset(&mut self) {
        self.sampler.reset();
    }

    fn hand(&mut self, plays: bool) {
        self.by_hand = plays;
    }

    fn touch(&mut self, touch: Touch) {
        let Touch::Press { key, velocity } = touch else { return };
        if let Some(sound) = self.keys.get(usize::from(key)).copied().flatten() {
            let velocity = f64::from(velocity) / 127.0;
            let stroke = Stroke { sound: sound as usize, velocity, speed: self.speed, ..Stroke::default() };
            // As in a pattern, what cannot be played is silent.
            let _ = self.sampler.start(0, stroke);
        }
    }
}
