//! The synthesiser: many voices of one circuit, in packs of [`LANES`] that are worked on side by side.
//!
//! Notes begin and end on their frames: a stretch is cut wherever one does. A note that finds no voice takes one: of those
//! that were let go the one let go first, else the quietest; what is taken fades out in a lane kept for that. Packs without
//! a voice cost nothing. What a voice gives depends neither on its lane nor on the stretches that are asked for.

mod pack;
pub mod presets;
mod voice;

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::circuit::machine::{Around, Bench, Machine};
use crate::circuit::{Circuit, Split};
use crate::keep::{Keep, Ledger, keep};
use crate::kernel::{Buffer, Glide, QUANTUM};
use crate::math;
use pack::{Given, Pack, Shared};
use voice::{Held, Stage, Voice};

/// How many voices are worked on side by side.
pub const LANES: usize = 8;

/// One setting that may move: its place among the values is its place in [`SETTINGS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// What it is called.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: &'static str,
    /// What it is unless it is set.
    pub default: f64,
    /// The least it may be.
    pub least: f64,
    /// The most it may be.
    pub most: f64,
    /// One line of help.
    pub help: &'static str,
}

const fn setting(
    name: &'static str,
    unit: &'static str,
    (default, least, most): (f64, f64, f64),
    help: &'static str,
) -> Setting {
    Setting { name, unit, default, least, most, help }
}

/// The settings that may move, in the order of their values. Those of the circuit's own parameters follow.
pub const SETTINGS: [Setting; 9] = [
    setting("attack", "ms", (5.0, 0.0, 60_000.0), "time to full level"),
    setting("decay", "ms", (200.0, 0.0, 60_000.0), "time from there to the sustain"),
    setting("sustain", "%", (70.0, 0.0, 100.0), "level that is held"),
    setting("release", "ms", (200.0, 0.0, 60_000.0), "time to silence once a note is let go"),
    setting("glide", "ms", (0.0, 0.0, 10_000.0), "time from the pitch of the last note"),
    setting("detune", "cents", (10.0, 0.0, 100.0), "by how much copies differ at most"),
    setting("spread", "%", (50.0, 0.0, 100.0), "how far copies lie apart in the stereo field"),
    // Its value is the gain: 0 dB is 1.
    setting("level", "dB", (0.0, -120.0, 24.0), "louder or softer; off is silence"),
    setting("touch", "%", (70.0, 0.0, 100.0), "how much the velocity says of the level"),
];

const ATTACK: usize = 0;
const DECAY: usize = 1;
const SUSTAIN: usize = 2;
const RELEASE: usize = 3;
const GLIDE: usize = 4;
const DETUNE: usize = 5;
const SPREAD: usize = 6;
const LEVEL: usize = 7;
const VELOCITY: usize = 8;

/// What a level of 0 dB stands for: a single saw at full velocity then peaks at -18 dBFS, as generators do.
const UNITY: f64 = 0.125_892_541_179_416_73;

/// The settings that are built in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fixed {
    /// Notes at a time, 1 to 128. With 1 the last note is heard, and the one before again when it ends.
    pub voices: usize,
    /// Of one voice: whether a note that begins while another is held only moves the pitch.
    pub legato: bool,
    /// How many detuned copies each note has, 1 to 16.
    pub unison: usize,
}

impl Default for Fixed {
    fn default() -> Self {
        Fixed { voices: 16, legato: false, unison: 1 }
    }
}

/// A note that begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// By which it is ended; what is random in it is made of this, and of the seed.
    pub id: u64,
    /// The number of its pitch: 69 is 440 Hz.
    pub pitch: f64,
    /// From 0 to 1, or a little above.
    pub velocity: f64,
    /// How long it lasts; none while its key is held.
    pub frames: Option<u64>,
}

/// What happens at a frame of the quantum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Event {
    at: usize,
    what: What,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum What {
    Start(Note),
    Stop(u64),
    #[default]
    StopAll,
}

/// How many events wait at most.
const MOST_EVENTS: usize = 256;

/// How many keys one voice remembers.
const MOST_HELD: usize = 32;

/// How long a voice that is taken takes to fade out, in ms.
const FADE_MS: f64 = 3.0;

/// Voices of a circuit. Built off the audio thread.
pub struct Synth {
    rate: f64,
    seed: u64,
    fixed: Fixed,
    stereo: bool,
    voices: Vec<Voice>,
    packs: Vec<Pack>,
    bench: Bench<LANES>,
    events: Vec<Event>,
    /// Of one voice: the keys that are held, the last one last.
    held: Vec<Held>,
    /// Frames since it was built, at index 0 of the quantum.
    clock: u64,
    /// Notes so far.
    count: u64,
    dropped: u64,
    /// The pitch of the last note, from which the next one glides.
    last_pitch: Option<f64>,
    /// What all voices have in common.
    common: Machine<1>,
    /// The circuit's parameters, then what `common` gives.
    knobs: Vec<Buffer>,
    shared: Shared,
}

impl Synth {
    /// Of a circuit without inputs, at `rate` frames a second. Not RT.
    ///
    /// # Errors
    /// A circuit with inputs; voices or unison out of range.
    pub fn new(circuit: &Circuit, fixed: Fixed, rate: f64, seed: u64) -> Result<Synth, String> {
        if circuit.inputs > 0 {
            return Err("a synth plays voices, which have no input; what has one is a dsp".into());
        }
        if !(1..=128).contains(&fixed.voices) {
            return Err(format!("a synth has 1 to 128 voices, not {}", fixed.voices));
        }
        if !(1..=16).contains(&fixed.unison) {
            return Err(format!("unison is 1 to 16 copies of each note, not {}", fixed.unison));
        }
        let (slots, packs) = (slots(fixed), packs(fixed));
        let Split { common, each } = Split::new(circuit);
        let bench = Bench::new(&each, rate);
        Ok(Synth {
            rate,
            seed,
            fixed,
            stereo: channels(circuit, fixed) == 2,
            voices: vec![Voice::default(); slots],
            packs: (0..packs).map(|_| Pack::new(bench.states(), rate)).collect(),
            bench,
            events: Vec::with_capacity(MOST_EVENTS),
            held: Vec::with_capacity(MOST_HELD),
            clock: 0,
            count: 0,
            dropped: 0,
            last_pitch: None,
            common: Machine::new(&common, rate),
            knobs: vec![[0.0; QUANTUM]; circuit.parameters.len() + common.outputs.len()],
            shared: Shared::new(),
        })
    }

    /// Begins a note at a frame of the coming quantum. What does not fit among those that wait is dropped and counted. RT.
    pub fn start(&mut self, at: usize, note: Note) {
        self.push(Event { at, what: What::Start(note) });
    }

    /// Ends a note. RT.
    pub fn stop(&mut self, at: usize, id: u64) {
        self.push(Event { at, what: What::Stop(id) });
    }

    /// Ends all notes. RT.
    pub fn stop_all(&mut self, at: usize) {
        self.push(Event { at, what: What::StopAll });
    }

    /// Ends the notes that would end by themselves. RT.
    pub fn stop_timed(&mut self) {
        self.held.retain(|held| held.ends.is_none());
        for slot in 0..self.voices.len() {
            let Voice { stage, id, ends, .. } = self.voices[slot];
            if stage == Stage::On && ends.is_some() {
                self.stop(0, id);
            }
        }
    }

    /// How many events were dropped so far. RT.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether nothing sounds and nothing waits. RT.
    pub fn is_at_rest(&self) -> bool {
        self.events.is_empty() && self.voices.iter().all(|voice| voice.stage == Stage::Free)
    }

    /// Forgets all sound and all notes. RT.
    pub fn reset(&mut self) {
        self.voices.fill(Voice::default());
        self.packs.iter_mut().for_each(Pack::reset);
        self.events.clear();
        self.held.clear();
        self.last_pitch = None;
    }

    /// Adds some frames of a quantum, whose index 0 lies at the transport frame `transport`, to `out`: one channel or two, as
    /// [`channels`] says. `values` are those of [`SETTINGS`] and of the circuit's parameters over these frames. The stretch
    /// that ends a quantum goes on to the next. RT.
    pub fn process(&mut self, frames: Range<usize>, transport: u64, values: &[Glide], out: &mut [Buffer]) {
        if !self.is_at_rest() {
            let (own, others) = values.split_at(SETTINGS.len());
            for (knob, value) in self.knobs.iter_mut().zip(others) {
                let count = frames.len();
                knob[frames.clone()].iter_mut().enumerate().for_each(|(i, x)| *x = value.at(i, count));
            }
            self.work_in_common(&frames, transport);
            self.shared.clear(&frames);
            let mut at = frames.start;
            while at < frames.end {
                self.happen(at, own, &frames);
                let end = self.next(at, frames.end);
                self.run(at..end, transport, own, &frames);
                at = end;
            }
            self.shared.give(&frames, own[LEVEL], self.stereo, out);
        }
        if frames.end == QUANTUM && !frames.is_empty() {
            self.clock = self.clock.wrapping_add(QUANTUM as u64);
            self.events.iter_mut().for_each(|event| event.at = event.at.saturating_sub(QUANTUM));
        }
    }

    /// RT.
    fn push(&mut self, event: Event) {
        if self.events.len() < MOST_EVENTS {
            self.events.push(event);
        } else {
            self.dropped += 1;
        }
    }

    /// Works out what all voices have in common. RT.
    fn work_in_common(&mut self, frames: &Range<usize>, transport: u64) {
        let own = self.knobs.len() - self.common.outputs();
        let (own, given) = self.knobs.split_at_mut(own);
        self.common.run(frames.clone(), &Around::effect(transport, own, 0));
        for (channel, knob) in given.iter_mut().enumerate() {
            knob[frames.clone()].copy_from_slice(self.common.output(channel)[frames.clone()].as_flattened());
        }
    }

    /// Works on the packs that sound. RT.
    fn run(&mut self, stretch: Range<usize>, transport: u64, values: &[Glide], all: &Range<usize>) {
        let (unison, detune) = (self.fixed.unison, values[DETUNE].to / 100.0);
        for (slot, voice) in self.voices.iter_mut().enumerate().filter(|(_, voice)| voice.stage != Stage::Free) {
            for i in stretch.clone() {
                let moves = voice.pitch.moves();
                let pitch = voice.pitch.step();
                for copy in 0..unison {
                    let detuned = pitch + detune * place(copy, unison);
                    let (pack, lane) = at(slot * unison + copy);
                    if moves {
                        self.packs[pack].tune(lane, i..i + 1, detuned);
                    } else if i == stretch.start {
                        self.packs[pack].stay(lane, detuned);
                    } else {
                        self.packs[pack].tune(lane, i..stretch.end, detuned);
                    }
                }
                // It stays for the rest of the stretch.
                if !moves {
                    break;
                }
            }
        }
        self.bench.begin();
        let Self { clock, stereo, .. } = *self;
        let given = Given { transport, clock, knobs: &self.knobs, values, all, stereo };
        for pack in self.packs.iter_mut().filter(|pack| pack.is_used()) {
            pack.run(&stretch, &mut self.bench, &given, &mut self.shared);
        }
        for (slot, voice) in self.voices.iter_mut().enumerate().filter(|(_, voice)| voice.stage != Stage::Free) {
            let (pack, lane) = at(slot * unison);
            if self.packs[pack].is_over(lane) {
                voice.stage = Stage::Free;
                (0..unison).map(|copy| at(slot * unison + copy)).for_each(|(pack, lane)| self.packs[pack].free(lane));
            }
        }
    }

    /// The next frame at which something happens. RT.
    fn next(&self, at: usize, end: usize) -> usize {
        let now = self.clock.wrapping_add(at as u64);
        let ends = self.voices.iter().filter(|voice| voice.stage == Stage::On).filter_map(|voice| voice.ends);
        let ends = ends.map(|ends| at.saturating_add((ends.wrapping_sub(now)) as usize));
        let events = self.events.iter().map(|event| event.at);
        ends.chain(events).filter(|next| *next > at).fold(end, usize::min)
    }

    /// What happens at a frame: first notes end, then what was asked for, in this order. RT.
    fn happen(&mut self, at: usize, values: &[Glide], all: &Range<usize>) {
        let now = self.clock.wrapping_add(at as u64);
        for slot in 0..self.voices.len() {
            if self.voices[slot].stage == Stage::On && self.voices[slot].ends == Some(now) {
                self.end(self.voices[slot].id, now, values);
            }
        }
        let mut i = 0;
        while i < self.events.len() {
            if self.events[i].at > at {
                i += 1;
                continue;
            }
            match self.events.remove(i).what {
                What::Start(note) => self.begin(note, now, values, at - all.start, all.len()),
                What::Stop(id) => self.end(id, now, values),
                What::StopAll => {
                    self.held.clear();
                    (0..self.voices.len()).for_each(|slot| self.release(slot));
                }
            }
        }
    }

    /// RT.
    fn begin(&mut self, note: Note, now: u64, values: &[Glide], index: usize, count: usize) {
        let glide = values[GLIDE].at(index, count) * self.rate / 1000.0;
        let ends = note.frames.map(|frames| now.wrapping_add(frames.max(1)));
        self.count += 1;
        let (seed, unison) = (self.seed, self.fixed.unison);
        let gain = gain(note.velocity, values[VELOCITY].at(index, count)) / math::sqrt(unison as f64);
        if self.fixed.voices == 1 {
            if self.held.len() < MOST_HELD {
                self.held.push(Held { id: note.id, pitch: note.pitch, ends });
            }
            if let Some(slot) = self.voices.iter().position(|voice| matches!(voice.stage, Stage::On | Stage::Released))
            {
                let legato = self.fixed.legato && self.voices[slot].stage == Stage::On;
                self.voices[slot].follow(note.id, note.pitch, ends, glide);
                self.last_pitch = Some(note.pitch);
                if !legato {
                    self.voices[slot].stage = Stage::On;
                    self.lanes(slot, |pack, lane, _| pack.again(lane, note.velocity, gain));
                }
                return;
            }
        }
        let slot = self.free_slot();
        let from = if glide >= 1.0 { self.last_pitch.unwrap_or(note.pitch) } else { note.pitch };
        self.voices[slot] = Voice::new(note.id, self.count, ends, from, note.pitch, glide);
        self.last_pitch = Some(note.pitch);
        let spread = values[SPREAD].at(index, count) / 100.0;
        self.lanes(slot, |pack, lane, copy| {
            let seed = crate::random::mix(crate::random::mix(seed ^ note.id.rotate_left(17)) ^ copy as u64);
            pack.begin(lane, now, seed, note.velocity, gain, spread * place(copy, unison));
        });
    }

    /// Does something with all lanes of a voice. RT.
    fn lanes(&mut self, slot: usize, mut with: impl FnMut(&mut Pack, usize, usize)) {
        let unison = self.fixed.unison;
        for copy in 0..unison {
            let (pack, lane) = at(slot * unison + copy);
            with(&mut self.packs[pack], lane, copy);
        }
    }

    /// Ends the notes of an id; one voice goes back to the key held before. RT.
    fn end(&mut self, id: u64, now: u64, values: &[Glide]) {
        let lasts = |ends: u64| (ends.wrapping_sub(now) as i64) > 0;
        self.held.retain(|held| held.id != id && held.ends.is_none_or(lasts));
        for slot in 0..self.voices.len() {
            if self.voices[slot].stage != Stage::On || self.voices[slot].id != id {
                continue;
            }
            match self.held.last() {
                Some(held) if self.fixed.voices == 1 => {
                    self.voices[slot].follow(held.id, held.pitch, held.ends, values[GLIDE].to * self.rate / 1000.0);
                    self.last_pitch = Some(held.pitch);
                }
                _ => self.release(slot),
            }
        }
    }

    /// RT.
    fn release(&mut self, slot: usize) {
        if self.voices[slot].stage == Stage::On {
            self.count += 1;
            (self.voices[slot].stage, self.voices[slot].released) = (Stage::Released, self.count);
            self.lanes(slot, |pack, lane, _| pack.release(lane));
        }
    }

    /// A slot for a new note: a free one, if need be after a voice was taken. RT.
    fn free_slot(&mut self) -> usize {
        let sounding = self.voices.iter().filter(|voice| matches!(voice.stage, Stage::On | Stage::Released)).count();
        if sounding >= self.fixed.voices
            && let Some(slot) = self.least()
        {
            self.voices[slot].stage = Stage::Fading;
            let step = 1000.0 / (FADE_MS * self.rate);
            self.lanes(slot, |pack, lane, _| pack.fade(lane, step));
        }
        let free = self.voices.iter().position(|voice| voice.stage == Stage::Free);
        free.or_else(|| {
            // More were taken within 3 ms than there are voices: the one that has faded most.
            let fading = self.voices.iter().enumerate().filter(|(_, voice)| voice.stage == Stage::Fading);
            fading.min_by(|(a, _), (b, _)| self.loudness(*a).total_cmp(&self.loudness(*b))).map(|(slot, _)| slot)
        })
        .unwrap_or(0)
    }

    /// The voice to be taken. RT.
    fn least(&self) -> Option<usize> {
        let of = |stage: Stage| self.voices.iter().enumerate().filter(move |(_, voice)| voice.stage == stage);
        let released = of(Stage::Released).min_by_key(|(_, voice)| voice.released);
        let quietest = || {
            of(Stage::On).min_by(|(a, one), (b, other)| {
                self.loudness(*a).total_cmp(&self.loudness(*b)).then(one.count.cmp(&other.count))
            })
        };
        released.or_else(quietest).map(|(slot, _)| slot)
    }

    /// RT.
    fn loudness(&self, slot: usize) -> f64 {
        let (pack, lane) = at(slot * self.fixed.unison);
        self.packs[pack].loudness(lane)
    }
}

/// How many channels a synth gives: two if its circuit does, or if it has copies to spread.
pub fn channels(circuit: &Circuit, fixed: Fixed) -> usize {
    circuit.outputs.len().max(if fixed.unison > 1 { 2 } else { 1 })
}

/// The bytes that the delays of all voices take.
pub fn memory(circuit: &Circuit, fixed: Fixed) -> usize {
    packs(fixed) * LANES * Split::new(circuit).each.remembers() * size_of::<f64>()
}

/// The notes that sound at a time: as many again fade out.
fn slots(fixed: Fixed) -> usize {
    2 * fixed.voices
}

/// Packs for all copies of these.
fn packs(fixed: Fixed) -> usize {
    (slots(fixed) * fixed.unison).div_ceil(LANES)
}

/// The pack and the lane of the lane of this number. RT.
fn at(lane: usize) -> (usize, usize) {
    (lane / LANES, lane % LANES)
}

/// Where a copy lies among all, from -1 to 1. RT.
fn place(copy: usize, unison: usize) -> f64 {
    if unison == 1 { 0.0 } else { 2.0 * copy as f64 / (unison - 1) as f64 - 1.0 }
}

/// What a note's velocity makes of its amplitude, `sensitivity` percent of its square. RT.
fn gain(velocity: f64, sensitivity: f64) -> f64 {
    let part = sensitivity / 100.0;
    (1.0 - part) + part * velocity * velocity
}

impl Keep for Synth {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.voices.keep(ledger);
        self.packs.keep(ledger);
        let waiting = ledger.count(self.events.len(), MOST_EVENTS);
        self.events.resize(waiting, Event::default());
        self.events.iter_mut().for_each(|event| event.keep(ledger));
        let held = ledger.count(self.held.len(), MOST_HELD);
        self.held.resize(held, Held::default());
        self.held.iter_mut().for_each(|held| held.keep(ledger));
        self.clock.keep(ledger);
        self.count.keep(ledger);
        self.dropped.keep(ledger);
        self.last_pitch.keep(ledger);
    }
}

impl Keep for Event {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.at.keep(ledger);
        let (mut kind, mut note) = match self.what {
            What::Start(note) => (0u8, note),
            What::Stop(id) => (1, Note { id, ..Note::NONE }),
            What::StopAll => (2, Note::NONE),
        };
        kind.keep(ledger);
        note.keep(ledger);
        self.what = match kind {
            0 => What::Start(note),
            1 => What::Stop(note.id),
            2 => What::StopAll,
            _ => return ledger.fail(),
        };
    }
}

keep!(Note: id, pitch, velocity, frames);

impl Note {
    const NONE: Note = Note { id: 0, pitch: 0.0, velocity: 0.0, frames: None };
}
