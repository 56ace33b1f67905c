//! What whoever plays hears beyond what the text says: the level of the monitor, mono, a click, and what is listened to ahead.
//! It comes after everything that is recorded, measured or rendered, and before the [`crate::guard`].

use crate::fade::{Ramp, fade_frames};
use crate::kernel::{Buffer, QUANTUM};
use crate::math;
use crate::plan::PlanOutput;
use crate::render::Renderer;
use crate::tempo::Tempo;
use crate::transport::Quantum;

/// How long a change of the monitor takes, in milliseconds.
const FADE_MS: f64 = 20.0;

/// The most channels that one output has.
const CHANNELS: usize = 64;

/// The click: its level at most, in dBFS, how fast it dies away, and its pitch, on a beat and on a bar's first.
const CLICK_DB: f64 = -12.0;
const CLICK_DECAY_MS: f64 = 8.0;
const CLICK_MS: f64 = 80.0;
const BEAT_HZ: f64 = 1000.0;
const BAR_HZ: f64 = 1500.0;

/// What the monitor is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wish {
    /// This level, linear.
    Level(f64),
    /// Every channel of an output as the mean of all of them, or as they are.
    Mono(bool),
    /// A click on every beat, or none.
    Click(bool),
    /// The transport starts after so many frames, which are clicked; none gives that up.
    CountIn(Option<u64>),
}

/// A text that is heard ahead, on channels of its own: a second desk beside the one that plays.
pub struct Audition {
    renderer: Renderer,
    channels: Vec<u16>,
}

impl Audition {
    /// What a program sounds like, on channels of the device, from 1. Not RT.
    pub fn new(program: Box<crate::compile::Program>, channels: Vec<u16>) -> Self {
        Audition { renderer: Renderer::new(program), channels }
    }

    /// Its renderer. RT.
    pub fn renderer(&mut self) -> &mut Renderer {
        &mut self.renderer
    }

    /// Its channels, and what it delivered last. RT.
    fn sound(&self) -> (&[u16], &[Buffer]) {
        let delivered = self.renderer.outputs().find(|(output, _)| output.send.is_none());
        (&self.channels, delivered.map_or(&[], |(_, sound)| sound))
    }
}

/// The monitor of a desk.
pub struct Monitor {
    rate: f64,
    level: Ramp,
    trim: Ramp,
    mono: Ramp,
    fade: u32,
    cue: Cue,
    click: Click,
    /// How loud and how narrow this quantum is.
    gain: Quantum,
    narrow: Quantum,
    /// One output as it is heard.
    heard: Box<[Buffer]>,
    /// What is heard ahead.
    ahead: Box<[Buffer]>,
}

impl Monitor {
    /// A monitor that changes nothing, at a rate. Not RT.
    pub fn new(rate: f64) -> Self {
        let room = || vec![[0.0; QUANTUM]; CHANNELS].into_boxed_slice();
        let still = |value| Quantum::of(&mut Ramp::still(value));
        Monitor {
            rate,
            level: Ramp::still(1.0),
            trim: Ramp::still(1.0),
            mono: Ramp::still(0.0),
            fade: fade_frames(FADE_MS, rate),
            cue: Cue::new(rate),
            click: Click::default(),
            gain: still(1.0),
            narrow: still(0.0),
            heard: room(),
            ahead: room(),
        }
    }

    /// Takes a wish, at the edge of a quantum. RT.
    pub fn wish(&mut self, wish: Wish) {
        match wish {
            Wish::Level(gain) => self.level.aim(gain, 0, self.fade),
            Wish::Mono(on) => self.mono.aim(f64::from(u8::from(on)), 0, self.fade),
            Wish::Click(on) => self.click.on = on,
            Wish::CountIn(frames) => self.click.count_in = frames,
        }
    }

    /// Turns it with a program that is heard `wait` frames from now, and takes `fade` frames to be. RT.
    pub fn turn(&mut self, trim: f64, wait: u32, fade: u32) {
        self.trim.aim(trim, wait, fade);
    }

    /// Something else is heard ahead from the next quantum on: what was ends without a click. RT.
    pub fn cue_changes(&mut self) {
        self.cue.change();
    }

    /// Goes on by the quantum that was computed last. True when a count-in is over, and the transport is to start. RT.
    pub fn advance(&mut self, renderer: &Renderer, audition: Option<&Audition>) -> bool {
        let (level, trim) = (Quantum::of(&mut self.level), Quantum::of(&mut self.trim));
        let mut both = [1.0; QUANTUM];
        level.scale(&mut both);
        trim.scale(&mut both);
        self.gain = match (level.still(), trim.still()) {
            (Some(a), Some(b)) => Quantum::of(&mut Ramp::still(a * b)),
            _ => Quantum::moving(both),
        };
        self.narrow = Quantum::of(&mut self.mono);
        let over = self.click.advance(renderer, self.rate);
        let cue = renderer.program().plan.cue.as_ref();
        let (channels, sound) = match audition {
            Some(audition) => audition.sound(),
            None => (cue.map_or(&[][..], |cue| &cue.channels), renderer.ahead()),
        };
        for (channel, buffer) in self.ahead.iter_mut().take(channels.len()).enumerate() {
            *buffer = sound.get(if sound.len() == 1 { 0 } else { channel }).copied().unwrap_or([0.0; QUANTUM]);
        }
        self.cue.smooth(self.ahead.get_mut(..channels.len()).unwrap_or_default());
        over
    }

    /// Gives what is heard of the quantum to `into`: for each output its channels and its sound, and what is heard ahead. What
    /// goes to hardware is left as it is. RT.
    pub fn hear(&mut self, renderer: &Renderer, audition: Option<&Audition>, mut into: impl FnMut(&[u16], &[Buffer])) {
        let cue = renderer.program().plan.cue.as_ref().map(|cue| &cue.channels[..]);
        let ahead = audition.map(|audition| &audition.channels[..]).or(cue);
        let mut clicked = ahead.is_some();
        for (output, sound) in renderer.outputs() {
            let is_first = output.send.is_none() && !std::mem::replace(&mut clicked, true);
            into(&output.channels, self.shaped(output, sound, is_first));
        }
        if let Some(channels) = ahead {
            let sound = self.ahead.get_mut(..channels.len()).unwrap_or_default();
            self.click.add(sound);
            into(channels, sound);
        }
    }

    /// An output as it is heard, with the click in it or without. RT.
    fn shaped<'a>(&'a mut self, output: &PlanOutput, sound: &'a [Buffer], clicked: bool) -> &'a [Buffer] {
        let neutral = self.gain.is_unity() && self.narrow.still() == Some(0.0) && !(clicked && self.click.sounds());
        let Some(heard) = self.heard.get_mut(..sound.len()).filter(|_| output.send.is_none() && !neutral) else {
            return sound;
        };
        heard.copy_from_slice(sound);
        if self.narrow.still() != Some(0.0) {
            let share = 1.0 / sound.len().max(1) as f64;
            let mut mean = [0.0; QUANTUM];
            sound.iter().for_each(|buffer| mean.iter_mut().zip(buffer).for_each(|(sum, x)| *sum += share * x));
            let mut narrow = [1.0; QUANTUM];
            self.narrow.scale(&mut narrow);
            for buffer in heard.iter_mut() {
                let mixed = buffer.iter_mut().zip(mean.iter().zip(&narrow));
                mixed.for_each(|(x, (mean, narrow))| *x = (1.0 - narrow) * *x + narrow * mean);
            }
        }
        heard.iter_mut().for_each(|buffer| self.gain.scale(buffer));
        if clicked {
            self.click.add(heard);
        }
        heard
    }
}

/// What is heard ahead, from one thing to another without a click.
struct Cue {
    /// The last sample of each channel, and how much of the one that a change has left is still heard.
    last: [f64; CHANNELS],
    left: [f64; CHANNELS],
    leaving: Ramp,
    entering: Ramp,
    fade: u32,
}

impl Cue {
    fn new(rate: f64) -> Self {
        let fade = fade_frames(FADE_MS, rate);
        let (leaving, entering) = (Ramp::still(0.0), Ramp::still(1.0));
        Cue { last: [0.0; CHANNELS], left: [0.0; CHANNELS], leaving, entering, fade }
    }

    /// RT.
    fn change(&mut self) {
        self.left = self.last;
        self.leaving = Ramp::still(1.0);
        self.leaving.aim(0.0, 0, self.fade);
        self.entering = Ramp::still(0.0);
        self.entering.aim(1.0, 0, self.fade);
    }

    /// RT.
    fn smooth(&mut self, sound: &mut [Buffer]) {
        let (leaving, entering) = (Quantum::of(&mut self.leaving), Quantum::of(&mut self.entering));
        let channels = sound.iter_mut().zip(self.left.iter().zip(&mut self.last));
        for (buffer, (left, last)) in channels {
            entering.scale(buffer);
            if leaving.still() != Some(0.0) {
                let mut rest = [*left; QUANTUM];
                leaving.scale(&mut rest);
                buffer.iter_mut().zip(rest).for_each(|(x, rest)| *x += rest);
            }
            *last = buffer[QUANTUM - 1];
        }
        self.last.iter_mut().skip(sound.len()).for_each(|last| *last = 0.0);
    }
}

/// A click on every beat.
#[derive(Default)]
struct Click {
    on: bool,
    /// Frames until the transport starts, while they are counted in.
    count_in: Option<u64>,
    /// Of the click that sounds, its pitch in Hz, and the frames since it began.
    sounding: Option<(f64, u32)>,
    /// This quantum of it.
    sound: Option<Buffer>,
}

impl Click {
    /// Goes on by a quantum; whether a count-in is over. RT.
    fn advance(&mut self, renderer: &Renderer, rate: f64) -> bool {
        let quantum = QUANTUM as u64;
        let plan = &renderer.program().plan;
        let late = plan.outputs.first().map_or(0, |output| output.late) as i64;
        // What is heard now is what the transport played before.
        let next = renderer.transport() as i64;
        let (at, begins, counted) = match self.count_in {
            Some(left) => {
                let left = left.saturating_sub(quantum);
                self.count_in = Some(left).filter(|left| *left > 0);
                (next - late - quantum as i64 - left as i64, true, left == 0)
            }
            None => (next - late - quantum as i64, self.on && renderer.is_rolling(), false),
        };
        let begun = begins.then(|| beat_within(&plan.tempo, at)).flatten();
        self.sound = (begun.is_some() || self.sounding.is_some()).then(|| self.play(begun, rate));
        counted
    }

    /// A quantum of the click that sounds, and of one that begins in it, as a frame and a pitch. RT.
    fn play(&mut self, begun: Option<(usize, f64)>, rate: f64) -> Buffer {
        let (level, decay) = (math::gain_from_db(CLICK_DB), 1000.0 / (CLICK_DECAY_MS * rate));
        let length = (CLICK_MS * rate / 1000.0) as u32;
        let mut sound = [0.0; QUANTUM];
        for (i, x) in sound.iter_mut().enumerate() {
            if let Some((_, hertz)) = begun.filter(|(frame, _)| *frame == i) {
                self.sounding = Some((hertz, 0));
            }
            if let Some((hertz, frame)) = &mut self.sounding {
                let t = f64::from(*frame);
                *x = level * math::exp(-t * decay) * math::sin(core::f64::consts::TAU * *hertz * t / rate);
                *frame += 1;
            }
            self.sounding = self.sounding.filter(|(_, frame)| *frame < length);
        }
        sound
    }

    /// RT.
    fn sounds(&self) -> bool {
        self.sound.is_some()
    }

    /// RT.
    fn add(&self, sound: &mut [Buffer]) {
        if let Some(click) = &self.sound {
            sound.iter_mut().for_each(|buffer| buffer.iter_mut().zip(click).for_each(|(x, click)| *x += click));
        }
    }
}

/// The beat that lies in the quantum from a frame of the transport on, counted from the bar's first: its frame there, and its
/// pitch. RT.
fn beat_within(tempo: &Tempo, at: i64) -> Option<(usize, f64)> {
    let (bar, beats) = (tempo.bar_at(at), tempo.bar_length(at) / tempo.beat_length(at));
    let first = bar.floor();
    // A line may lie a little before the frame that is nearest to it.
    let beat = ((bar - first) * beats - 0.5 / tempo.beat_length(at)).ceil().max(0.0);
    let (place, hertz) = match beat {
        0.0 => (first, BAR_HZ),
        beat if beat < beats => (first + beat / beats, BEAT_HZ),
        _ => (first + 1.0, BAR_HZ),
    };
    let frame = (tempo.frame_of_bar(place) + 0.5).floor() as i64 - at;
    (0..QUANTUM as i64).contains(&frame).then_some((frame as usize, hertz))
}
