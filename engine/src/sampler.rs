//! Plays sounds from memory: drums that were calculated, files of a folder, slices of a loop.
//!
//! A stroke begins on its very frame. At full velocity, at its own speed and from its beginning a sound leaves with the bits
//! it has; at other speeds it is read between its frames. What ends before its sound does, because it was told
//! to, because a sound of its group was struck, or because too many sound at once, is faded. A slice that is followed at its
//! end by the next one goes on in it; else it is faded over its own last frames, read backwards.

pub(crate) mod sinc;
mod voice;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::keep::{Keep, Ledger, keep};
use crate::kernel::{Buffer, Glide, QUANTUM};
use crate::math;
use crate::media::Media;
use sinc::Sinc;
use voice::{Line, Voice};

/// Voices that sound; those that are fading come on top, up to as many again.
const VOICES: usize = 32;

/// Strokes that may wait: more than a player has hands for in one quantum.
const WAITING: usize = 128;

/// Seconds in which a drum is choked.
pub const CHOKE: f64 = 0.003;

/// Seconds in which a slice goes out behind its end, and comes in where it cuts off another, each evenly.
pub const EDGE: f64 = 0.001;

/// The slowest and the fastest a sound is played, either way.
pub const SPEEDS: (f64, f64) = (1.0 / 1024.0, 1024.0);

/// A sound in memory, at the session's rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    samples: Samples,
    choke: Option<u32>,
    edge: f64,
}

/// Where the samples of a sound lie.
#[derive(Clone, Debug)]
enum Samples {
    Own(Vec<Vec<f32>>),
    /// These channels of a file, counted from 0, or of what is still being made of one: silent until it is there.
    Lent(Arc<Media>, Arc<[usize]>),
}

impl PartialEq for Samples {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Samples::Own(a), Samples::Own(b)) => a == b,
            (Samples::Lent(a, of_a), Samples::Lent(b, of_b)) => a.identity() == b.identity() && of_a == of_b,
            _ => false,
        }
    }
}

impl Sound {
    /// A sound of these channels at `rate`, which ends with the shortest of them. A stroke of a sound with a `choke` ends
    /// all earlier ones of sounds with the same.
    pub fn new(channels: Vec<Vec<f32>>, choke: Option<u32>, rate: f64) -> Sound {
        let edge = mean_frequency(&channels, rate) / 2.0;
        Sound { samples: Samples::Own(channels), choke, edge }
    }

    /// The sound of these channels of a file, counted from 0, which stays where it is and may still have to be made; with
    /// a `choke` as [`Sound::new`] has it. Soft strokes of it are no duller than hard ones.
    pub fn lent(media: Arc<Media>, channels: Arc<[usize]>, choke: Option<u32>) -> Sound {
        Sound { samples: Samples::Lent(media, channels), choke, edge: 0.0 }
    }

    /// Its samples, one vector a channel; none of one that is lent.
    pub fn channels(&self) -> &[Vec<f32>] {
        match &self.samples {
            Samples::Own(channels) => channels,
            Samples::Lent(..) => &[],
        }
    }

    /// How many channels it has. RT.
    pub fn count(&self) -> usize {
        match &self.samples {
            Samples::Own(channels) => channels.len(),
            Samples::Lent(_, channels) => channels.len(),
        }
    }

    /// The samples of a channel, counted from 0; none of one that is not there. RT.
    pub fn channel(&self, number: usize) -> &[f32] {
        let found = match &self.samples {
            Samples::Own(channels) => channels.get(number),
            Samples::Lent(media, channels) => {
                channels.get(number).and_then(|channel| media.memory().and_then(|sound| sound.get(*channel)))
            }
        };
        found.map(Vec::as_slice).unwrap_or_default()
    }

    /// Its group; see [`Sound::new`].
    pub fn choke(&self) -> Option<u32> {
        self.choke
    }

    /// How many frames it has. RT.
    pub fn frames(&self) -> usize {
        match &self.samples {
            Samples::Own(channels) => channels.iter().map(Vec::len).min().unwrap_or(0),
            Samples::Lent(media, _) => media.frames() as usize,
        }
    }

    /// The frequency in Hz above which a soft stroke is duller: half of the mean over its spectrum, weighted by power.
    pub fn edge(&self) -> f64 {
        self.edge
    }
}

/// The root of the mean square of the frequencies in a sound, from the power of its slope: no transform is needed.
fn mean_frequency(channels: &[Vec<f32>], rate: f64) -> f64 {
    let (mut power, mut slope) = (0.0, 0.0);
    for channel in channels {
        let mut before = 0.0;
        for x in channel.iter().map(|x| f64::from(*x)) {
            power += x * x;
            slope += (x - before) * (x - before);
            before = x;
        }
    }
    // A sine of w radians a frame has a slope of 2 sin(w / 2) times its own size.
    let half = if power > 0.0 { (math::sqrt(slope / power) / 2.0).min(1.0) } else { 1.0 };
    math::asin(half) * rate / std::f64::consts::PI
}

/// One stroke of a sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Which one, from 0.
    pub sound: usize,
    /// How hard: 1 is as the sound is, 0 silence. The gain is its square (-12 dB at a half), and below 1 the highs fall
    /// besides, by the sampler's `touch`.
    pub velocity: f64,
    /// 1 as it is, 2 an octave up in half the time, -1 backwards; within [`SPEEDS`] either way.
    pub speed: f64,
    /// The frames of the sound that are played, rounded to whole ones: from this one,
    pub from: f64,
    /// to before this one; infinity is the end. Backwards it is here that it begins.
    pub to: f64,
    /// Whether it is entered in the middle, and so comes in over 1 ms, as it does where it cuts off another of its group.
    pub late: bool,
    /// After so many frames of the session it is faded, if it still sounds.
    pub frames: Option<u64>,
}

impl Default for Stroke {
    fn default() -> Self {
        Stroke { sound: 0, velocity: 1.0, speed: 1.0, from: 0.0, to: f64::INFINITY, late: false, frames: None }
    }
}

keep!(Stroke: sound, velocity, speed, from, to, late, frames);

/// Why a stroke will not be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no sound of that number.
    NoSuchSound,
    /// The velocity is no number from 0 up.
    Velocity,
    /// The speed lies outside [`SPEEDS`].
    Speed,
    /// No frame of the sound lies between `from` and `to`, or `from` lies before its first.
    NothingThere,
    /// The quantum has no such frame.
    Frame,
    /// Too many wait for this quantum already.
    TooMany,
}

/// What holds for all strokes of a sampler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Frames a second.
    pub rate: f64,
    /// By how many dB the softest stroke's highs fall more than its lows; 0 has velocity be level alone.
    pub touch: f64,
    /// Seconds in which what another stroke ends is faded.
    pub cut: f64,
}

/// What waits for its frame.
#[derive(Clone, Copy, Debug, Default)]
struct Event {
    /// The frame of the quantum.
    at: usize,
    /// Without one, all that sounds is faded.
    stroke: Option<Stroke>,
}

keep!(Event: at, stroke);

/// Plays strokes of its sounds.
pub struct Sampler {
    sounds: Arc<[Sound]>,
    settings: Settings,
    sinc: &'static Sinc,
    waiting: VecDeque<Event>,
    voices: Vec<Voice>,
    /// Strokes so far: the age of voices is told by it.
    struck: u64,
    line: Line,
}

// Sounds, settings and tables are what it is built from, and the line is written before it is read.
impl Keep for Sampler {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.waiting.keep(ledger);
        self.struck.keep(ledger);
        self.voices.keep(ledger);
        // What is kept may be of another set of sounds: then it does not fit.
        if self.voices.iter().any(|voice| voice.sounds() && voice.sound() >= self.sounds.len()) {
            self.voices.iter_mut().for_each(Voice::silence);
            ledger.fail();
        }
    }
}

impl Sampler {
    /// One that plays these sounds, which have the rate of the settings. Not RT.
    pub fn new(sounds: Arc<[Sound]>, settings: Settings) -> Sampler {
        let most = sounds.iter().map(Sound::count).max().unwrap_or(0);
        Sampler {
            sounds,
            settings,
            sinc: Sinc::tables(),
            waiting: VecDeque::with_capacity(WAITING),
            voices: (0..2 * VOICES).map(|_| Voice::new(most)).collect(),
            struck: 0,
            line: Line::default(),
        }
    }

    /// Plays a stroke from frame `at` of the quantum that is processed next, or that is under way. What lies behind already
    /// begins at once. RT.
    ///
    /// # Errors
    /// What cannot be played is not, and says why.
    pub fn start(&mut self, at: usize, stroke: Stroke) -> Result<(), Refused> {
        let Some(sound) = self.sounds.get(stroke.sound) else { return Err(Refused::NoSuchSound) };
        if !(stroke.velocity >= 0.0 && stroke.velocity.is_finite()) {
            return Err(Refused::Velocity);
        }
        if !(SPEEDS.0..=SPEEDS.1).contains(&stroke.speed.abs()) {
            return Err(Refused::Speed);
        }
        let (from, to) = voice::stretch(&stroke, sound.frames());
        if from >= to || stroke.from.is_nan() || stroke.from < 0.0 {
            return Err(Refused::NothingThere);
        }
        self.wait(Event { at, stroke: Some(stroke) })
    }

    /// Fades all that sounds from frame `at` on. RT.
    ///
    /// # Errors
    /// The quantum has no such frame, or too much waits already.
    pub fn stop_all(&mut self, at: usize) -> Result<(), Refused> {
        self.wait(Event { at, stroke: None })
    }

    /// Whether it is silent and stays so until something is struck. RT.
    pub fn is_at_rest(&self) -> bool {
        self.waiting.is_empty() && !self.voices.iter().any(Voice::sounds)
    }

    /// Adds what sounds to these frames of `out`, one buffer a channel; `values` holds one, the linear gain of it all, which
    /// is 1 where there is none. A sound of one channel goes to each, one of several adds up to a single channel by
    /// its mean; otherwise channel goes to channel. RT.
    pub fn process(&mut self, frames: Range<usize>, values: &[Glide], out: &mut [Buffer]) {
        if self.is_at_rest() {
            return;
        }
        let gain = values.first().copied().unwrap_or(Glide::still(1.0));
        let (first, end) = (frames.start, frames.end.min(QUANTUM));
        let count = end.saturating_sub(first);
        for i in 0..count {
            self.line.gains[first + i] = gain.at(i, count);
        }
        let mut at = first;
        while at < end {
            while let Some(event) = self.waiting.front().copied().filter(|event| event.at <= at) {
                self.waiting.pop_front();
                match event.stroke {
                    Some(stroke) => self.strike(&stroke),
                    None => {
                        self.fade(|_| true);
                    }
                }
            }
            let next = self.waiting.front().map_or(end, |event| event.at.min(end));
            for voice in self.voices.iter_mut().filter(|voice| voice.sounds()) {
                match self.sounds.get(voice.sound()) {
                    Some(sound) => voice.add(sound, self.sinc, at..next, &mut self.line, out),
                    None => voice.silence(),
                }
            }
            at = next;
        }
    }

    /// Forgets all sound. RT.
    pub fn reset(&mut self) {
        self.waiting.clear();
        self.voices.iter_mut().for_each(Voice::silence);
        self.struck = 0;
    }

    /// In order of frames, and in the order in which they came. RT.
    fn wait(&mut self, event: Event) -> Result<(), Refused> {
        if event.at >= QUANTUM {
            return Err(Refused::Frame);
        }
        if self.waiting.len() >= WAITING {
            return Err(Refused::TooMany);
        }
        let place = self.waiting.iter().take_while(|other| other.at <= event.at).count();
        self.waiting.insert(place, event);
        Ok(())
    }

    /// RT.
    fn strike(&mut self, stroke: &Stroke) {
        let Some(choke) = self.sounds.get(stroke.sound).map(Sound::choke) else { return };
        let edge = frames(EDGE, self.settings.rate);
        let cuts = choke.is_some() && self.fade(|other| other == choke);
        if let Some(sound) = self.sounds.get(stroke.sound)
            && let Some(voice) = self.voices.iter_mut().find(|voice| voice.leads_to(stroke, sound))
        {
            self.struck += 1;
            return voice.go_on(stroke, sound, self.struck, edge);
        }
        let (sounding, oldest) = self.voices.iter().enumerate().filter(|(_, voice)| voice.is_held()).fold(
            (0, None::<(u64, usize)>),
            |(count, oldest), (index, voice)| {
                let older = oldest.is_none_or(|(age, _)| voice.age() < age);
                (count + 1, if older { Some((voice.age(), index)) } else { oldest })
            },
        );
        let fade = frames(self.settings.cut, self.settings.rate);
        if sounding >= VOICES
            && let Some((_, oldest)) = oldest
        {
            self.voices[oldest].fade(fade);
        }
        // One that is free; or, with that many fading at once, the one that is nearest to its end.
        let free = self.voices.iter().enumerate().min_by_key(|(_, voice)| voice.left());
        if let Some(index) = free.map(|(index, _)| index)
            && let Some(sound) = self.sounds.get(stroke.sound)
        {
            self.struck += 1;
            self.voices[index].strike(stroke, sound, self.struck, (edge, cuts || stroke.late), &self.settings);
        }
    }

    /// Fades what sounds since an earlier frame, of these groups; gives whether there is any. RT.
    fn fade(&mut self, of: impl Fn(Option<u32>) -> bool) -> bool {
        let fade = frames(self.settings.cut, self.settings.rate);
        let mut any = false;
        for voice in self.voices.iter_mut().filter(|voice| voice.sounds() && voice.has_begun()) {
            if of(self.sounds.get(voice.sound()).and_then(Sound::choke)) {
                voice.fade(fade);
                any = true;
            }
        }
        any
    }
}

/// Frames of so many seconds, at least one. RT.
fn frames(seconds: f64, rate: f64) -> u64 {
    ((seconds * rate).round() as u64).max(1)
}

#[cfg(test)]
mod tests;
