//! `looper`: records a phrase from what flows in, plays it by the bar, and lays more over it.
//!
//! A phrase begins and ends on bar lines of the transport, and each of its laps begins on one: lap 0 where it was recorded,
//! the others every so many bars before and behind. So where it is follows from the transport alone, and it stays on the
//! beat wherever that goes. Its sound is never stretched: at a faster tempo a lap is cut off by the next one, at a slower one
//! it is over before that begins.
//!
//! What sounded just before a phrase is kept with it, and is what the lap before fades into: on the line itself the
//! phrase is heard whole, downbeat and all. What sounded just behind it is what it fades out with where nothing follows.

use crate::delay_line::DelayLine;
use crate::keep::{Keep, Ledger, keep};
use crate::kernel::{Io, Kernel};
use crate::math;
use crate::parameter::{Law, Memory, NAME, Parameter, Recipe, Table};
use crate::tempo::{Grid, Laps, Tempo};
use crate::units::Unit;

use super::{no_latency, no_tail};
use tape::{Lap, Tape};

mod tape;
#[cfg(test)]
mod tests;

/// `looper(name)`.
pub static LOOPER: Table = Table {
    word: "looper",
    summary: "Records a phrase from what flows in, plays it by the bar, and lays more over it; each of its switches may be \
              thrown by a line, `set(path, on)`, or a control.",
    example: "x >> looper(\"voice-looper\").bars(2)",
    arguments: &[NAME],
    parameters: &[
        switch(
            "record",
            false,
            "on: from the next bar line a new phrase is recorded; off: to the end of the bar, or not at all if none has begun",
        ),
        switch("overdub", false, "while it plays, what flows in is laid over the phrase, at once"),
        switch("play", true, "the phrase is heard; on and off take effect on the next bar line"),
        Parameter::number(
            "bars",
            Unit::Plain,
            4.0,
            1.0,
            MOST_BARS,
            "how long the next phrase will be, if `record` is not off before; \"free\": as long as that is on, to 64 bars or 120 s",
        )
        .or("free", FREE)
        .law(Law::Own),
        switch("erase", false, "forgets the phrase; while it is on nothing is recorded"),
        Parameter::number(
            "feedback",
            Unit::Percent,
            100.0,
            0.0,
            100.0,
            "how much of what is there already stays each time that is laid over it",
        ),
        Parameter::number("level", Unit::Decibels, 0.0, -120.0, 24.0, "of the phrase; off is silence")
            .or("off", 0.0)
            .law(Law::Amplitude),
        switch("through", true, "what flows in is heard too"),
    ],
    parts: &[],
    mix: 100.0,
    channels,
    latency: no_latency,
    tail: no_tail,
    memory: Memory::Brief,
    kernel: |recipe| Box::new(Looper::new(recipe)),
};

const fn switch(name: &'static str, default: bool, help: &'static str) -> Parameter {
    Parameter::flag(name, default, help).switch()
}

/// The most bars of a phrase.
const MOST_BARS: f64 = 64.0;

/// The longest phrase, in seconds: it lies in memory.
const LONGEST_S: f64 = 120.0;

/// Where among its numbers they are.
const BARS: usize = 3;

/// What stands for bars that nobody has counted.
const FREE: f64 = 0.0;

/// How long seams and switches take, in milliseconds.
const EDGE_MS: f64 = 5.0;

fn channels(recipe: &Recipe) -> Result<usize, String> {
    let bars = LOOPER.value(recipe, "bars");
    let is_moved = recipe.settings.get(BARS).is_some_and(|bars| bars.control().is_some());
    // A control's way leads through halves as well: it means the nearest.
    if bars.fract() != 0.0 && !is_moved {
        return Err(format!("`bars` is {bars}: a phrase has whole bars"));
    }
    let clock = &recipe.clock;
    let bar = clock.beats_per_bar * clock.beat_ms() / 1000.0;
    let seconds = bars.max(1.0) * bar;
    if seconds > LONGEST_S {
        let most = (LONGEST_S / bar).floor();
        return Err(format!(
            "a phrase of {} bars is {seconds:.1} s at {} bpm, and {LONGEST_S} s are the most, since it lies in memory: \
             {most} bars have room",
            bars.max(1.0),
            clock.tempo
        ));
    }
    Ok(recipe.channels)
}

/// What its switches say.
struct Says {
    record: bool,
    overdub: bool,
    play: bool,
    erase: bool,
    through: bool,
    /// How many bars, or [`FREE`].
    bars: f64,
}

/// A phrase that is being recorded.
#[derive(Clone, Copy, Debug, Default)]
struct Taking {
    /// Its first frame on the transport.
    begin: i64,
    /// As many bars as it will have as things are.
    laps: Laps,
    /// As many as it will have if `record` stays on.
    most: f64,
    /// Frames that have been written.
    frames: usize,
}

keep!(Taking: begin, laps, most, frames);

/// A phrase that is there.
#[derive(Clone, Copy, Debug, Default)]
struct Phrase {
    laps: Laps,
    frames: usize,
}

keep!(Phrase: laps, frames);

/// What fades between off and on.
#[derive(Clone, Copy, Debug, Default)]
struct Fader {
    /// Frames that it is away from off.
    at: usize,
}

keep!(Fader: at);

impl Fader {
    /// A frame further, of so many for the whole way. RT.
    fn step(&mut self, on: bool, over: usize) -> f64 {
        self.at = if on { (self.at + 1).min(over) } else { self.at.saturating_sub(1) };
        self.gain(over)
    }

    /// RT.
    fn gain(&self, over: usize) -> f64 {
        math::ease(self.at as f64 / over as f64)
    }
}

struct Looper {
    tapes: Vec<Tape>,
    /// What flowed in last, a line a channel.
    before: Vec<DelayLine>,
    /// Frames of a seam, and of the longest phrase.
    edge: usize,
    longest: usize,
    /// No frame has been worked on: switches are where they are.
    is_new: bool,
    /// Whether `record` was on.
    was_on: bool,
    /// At the next line a phrase begins.
    armed: bool,
    taking: Option<Taking>,
    phrase: Option<Phrase>,
    /// Frames still to be written behind the phrase's end.
    closing: usize,
    /// Whether it is to be heard, as the last line had it.
    playing: bool,
    heard: Fader,
    laying: Fader,
    through: Fader,
    /// Frames that are left of what fades out on its own.
    fading: usize,
    /// The frame that comes next, while the transport goes on.
    next: Option<i64>,
}

impl Looper {
    fn new(recipe: &Recipe) -> Self {
        let edge = (recipe.clock.frames(EDGE_MS) as usize).max(1);
        let longest = (LONGEST_S * recipe.rate()) as usize;
        Looper {
            tapes: (0..recipe.channels).map(|_| Tape::new(longest, edge)).collect(),
            before: (0..recipe.channels).map(|_| DelayLine::new(edge)).collect(),
            edge,
            longest,
            is_new: true,
            was_on: false,
            armed: false,
            taking: None,
            phrase: None,
            closing: 0,
            playing: false,
            heard: Fader::default(),
            laying: Fader::default(),
            through: Fader::default(),
            fading: 0,
            next: None,
        }
    }

    /// The lap that is on at a frame; of a phrase that is still recorded the one that comes next leads in. RT.
    fn lap(&self, frame: i64, tempo: &Tempo) -> Option<Lap> {
        let (laps, frames, sounds) = match (&self.taking, &self.phrase) {
            (Some(taking), _) => (taking.laps, taking.frames, false),
            (None, Some(phrase)) => (phrase.laps, phrase.frames, true),
            (None, None) => return None,
        };
        let lap = if sounds { laps.lap(tempo, frame) } else { 0.0 };
        Some(Lap { begin: laps.line(tempo, lap), end: laps.line(tempo, lap + 1.0), frames, sounds })
    }

    /// Does what is due at a frame of the transport, and gives the next at which something may be. RT.
    fn turn(&mut self, frame: i64, says: &Says, tempo: &Tempo) -> i64 {
        let (line, edge) = (tempo.next_line(Grid::Bars(1.0), frame), self.edge as i64);
        if says.erase {
            self.armed = false;
            if self.taking.is_some() || self.phrase.is_some() {
                self.fade_out(frame, tempo);
                (self.taking, self.phrase, self.closing) = (None, None, 0);
            }
        }
        self.obey(says, line, tempo);
        let mut until = if frame < line - edge { line - edge } else { line.max(frame + 1) };
        if let Some(taking) = self.taking {
            let end = taking.laps.line(tempo, 1.0);
            if frame >= end {
                self.end(Phrase { laps: taking.laps, frames: taking.frames });
            } else if taking.frames >= self.longest {
                self.break_off(frame, tempo);
            } else {
                until = until.min(end);
            }
        }
        if frame >= line - edge {
            if self.armed && self.phrase.is_some() {
                self.fade_out(frame, tempo);
                (self.phrase, self.closing) = (None, 0);
            }
            self.playing = says.play;
        }
        if self.armed && frame == line {
            self.begin(frame, says.bars, tempo);
        }
        until
    }

    /// What `record` says, where `line` is the next bar line. RT.
    fn obey(&mut self, says: &Says, line: i64, tempo: &Tempo) {
        match (says.record, std::mem::replace(&mut self.was_on, says.record), &mut self.taking) {
            // It goes on as if it had not been off.
            (true, false, Some(taking)) => taking.laps.bars = taking.most,
            (true, false, None) => self.armed = !says.erase,
            (false, true, taking) => {
                self.armed = false;
                if let Some(taking) = taking {
                    let bars = (tempo.bar_at(line) - taking.laps.start).round().max(1.0);
                    taking.laps.bars = taking.laps.bars.min(bars);
                }
            }
            _ => {}
        }
    }

    /// Begins a phrase on a bar line, with what sounded just before. RT.
    fn begin(&mut self, frame: i64, bars: f64, tempo: &Tempo) {
        self.armed = false;
        let wanted = if bars == FREE { MOST_BARS } else { bars.round().clamp(1.0, MOST_BARS) };
        let mut laps = Laps { start: tempo.bar_at(frame).round(), bars: wanted };
        // The tempo may have changed since somebody saw to it that there is room.
        while laps.bars > 0.0 && laps.line(tempo, 1.0) - frame > self.longest as i64 {
            laps.bars -= 1.0;
        }
        if laps.bars > 0.0 {
            self.taking = Some(Taking { begin: frame, laps, most: laps.bars, frames: 0 });
            self.tapes.iter_mut().zip(&self.before).for_each(|(tape, before)| tape.begin(before));
        }
    }

    /// What was recorded is a phrase. What lies on the tapes behind it is the sound that followed, as far as there is any. RT.
    fn end(&mut self, phrase: Phrase) {
        let written = self.taking.map_or(phrase.frames, |taking| taking.frames);
        let behind = (written - phrase.frames).min(self.edge);
        self.tapes.iter_mut().for_each(|tape| tape.end(phrase.frames + behind, self.edge - behind));
        self.closing = self.edge - behind;
        (self.taking, self.phrase) = (None, Some(phrase));
    }

    /// Ends a recording before its time: its whole bars are the phrase, if there are any. RT.
    fn break_off(&mut self, frame: i64, tempo: &Tempo) {
        let Some(Taking { begin, laps, frames, .. }) = self.taking else { return };
        let mut laps = Laps { bars: (tempo.bar_at(frame) - laps.start).round(), ..laps };
        while laps.bars > 0.0 && laps.line(tempo, 1.0) - begin > frames as i64 {
            laps.bars -= 1.0;
        }
        if laps.bars > 0.0 {
            self.end(Phrase { laps, frames: (laps.line(tempo, 1.0) - begin).max(0) as usize });
        } else {
            self.taking = None;
        }
    }

    /// The transport is elsewhere, or stands still: what was heard until `frame` fades out as if it went on. RT.
    fn leave(&mut self, frame: i64, tempo: &Tempo) {
        self.fade_out(frame, tempo);
        self.heard = Fader::default();
        self.break_off(frame, tempo);
    }

    /// What would be heard from a frame on fades out on its own. RT.
    fn fade_out(&mut self, frame: i64, tempo: &Tempo) {
        let (edge, gain) = (self.edge, self.heard.gain(self.edge));
        let mut lap = self.lap(frame, tempo);
        for i in 0..edge {
            let at = frame + i as i64;
            if lap.is_some_and(|lap| lap.sounds && at >= lap.end) {
                lap = self.lap(at, tempo);
            }
            let share = gain * math::ease((edge - i) as f64 / (edge + 1) as f64);
            for tape in &mut self.tapes {
                let more = lap.map_or(0.0, |lap| share * tape.read(&lap, at));
                tape.let_go(i, edge - self.fading, more);
            }
        }
        self.fading = edge;
    }

    /// The frames of a stretch in which nothing is due; `rolling` says whether the transport goes on. RT.
    fn run(&mut self, io: &mut Io<'_>, stretch: std::ops::Range<usize>, says: &Says, rolling: bool) {
        let &[_, _, _, _, _, feedback, level, _] = io.values else { return };
        let (first, count, edge) = (io.frames.start, io.frames.len(), self.edge);
        let lap = self.lap(io.frame(stretch.start) as i64, io.tempo).filter(|_| rolling);
        let lays = says.overdub && self.playing && lap.is_some_and(|lap| lap.sounds);
        for i in stretch {
            let frame = io.frame(i) as i64;
            let heard = self.heard.step(self.playing && rolling, edge);
            let laying = self.laying.step(lays, edge);
            let through = self.through.step(says.through, edge);
            let level = level.at(i - first, count);
            let stays = 1.0 - laying * (1.0 - feedback.at(i - first, count) / 100.0);
            let faded = self.fading.checked_sub(1);
            // Where what flows in is recorded.
            let goes_to = match (&self.taking, &self.phrase) {
                (Some(taking), _) if rolling => Some(taking.frames),
                (None, Some(phrase)) if self.closing > 0 => Some(phrase.frames + edge - self.closing),
                _ => None,
            };
            for ((tape, before), channel) in self.tapes.iter_mut().zip(&mut self.before).zip(io.audio.iter_mut()) {
                let x = channel[i];
                let mut sound = lap.map_or(0.0, |lap| heard * tape.read(&lap, frame));
                sound += faded.map_or(0.0, |left| tape.left(left));
                channel[i] = through * x + level * sound;
                before.write(x);
                if let Some(place) = goes_to {
                    tape.write(place, x);
                }
                if let Some(lap) = lap.filter(|lap| lap.sounds && laying > 0.0) {
                    tape.lay(&lap, frame, stays, laying * x, self.closing == 0);
                }
            }
            self.fading = faded.unwrap_or(0);
            match &mut self.taking {
                Some(taking) if rolling => taking.frames += 1,
                Some(_) => {}
                None => self.closing = self.closing.saturating_sub(1),
            }
        }
    }

    /// Whether nothing has been recorded, and nothing is going to be. RT.
    fn is_empty(&self) -> bool {
        let idle = !self.armed && self.fading == 0 && self.closing == 0;
        idle && self.taking.is_none() && self.phrase.is_none()
    }

    /// Frames that are on the tapes.
    fn recorded(&self) -> usize {
        match (&self.taking, &self.phrase) {
            (Some(taking), _) => taking.frames,
            (None, Some(phrase)) => phrase.frames + self.edge,
            (None, None) => 0,
        }
    }
}

impl Keep for Looper {
    /// Of the tapes, what has been recorded.
    fn keep(&mut self, ledger: &mut Ledger) {
        if ledger.is_noting() {
            // What is there will be heard again.
            if !self.is_empty() {
                ledger.fail();
                return;
            }
        } else {
            // The frame that comes is one that never comes again.
            self.next.keep(ledger);
        }
        self.is_new.keep(ledger);
        self.was_on.keep(ledger);
        self.armed.keep(ledger);
        self.taking.keep(ledger);
        self.phrase.keep(ledger);
        self.closing.keep(ledger);
        self.playing.keep(ledger);
        self.heard.keep(ledger);
        self.laying.keep(ledger);
        self.through.keep(ledger);
        self.fading.keep(ledger);
        let too_long = self.recorded() > self.longest + self.edge;
        if too_long || self.closing > self.edge || self.fading > self.edge {
            (self.taking, self.phrase, self.closing, self.fading) = (None, None, 0, 0);
            ledger.fail();
        }
        let recorded = self.recorded();
        self.tapes.iter_mut().for_each(|tape| tape.keep(recorded, ledger));
        self.before.keep(ledger);
    }
}

impl Kernel for Looper {
    fn process(&mut self, io: &mut Io<'_>) {
        let &[record, overdub, play, bars, erase, _, _, through] = io.values else { return };
        let [record, overdub, play, erase, through] =
            [record, overdub, play, erase, through].map(|switch| switch.to >= 0.5);
        let says = Says { record, overdub, play, erase, through, bars: bars.to };
        if std::mem::take(&mut self.is_new) {
            self.playing = play;
            self.heard.at = if play { self.edge } else { 0 };
            self.through.at = if through { self.edge } else { 0 };
        }
        let elsewhere = !io.rolling || io.moved && io.frames.start == 0;
        if let Some(frame) = self.next.filter(|_| elsewhere) {
            self.leave(frame, io.tempo);
        }
        self.next = io.rolling.then(|| io.frame(io.frames.end) as i64);
        let mut at = io.frames.start;
        if !io.rolling {
            let all = io.frames.clone();
            return self.run(io, all, &says, false);
        }
        while at < io.frames.end {
            let frame = io.frame(at) as i64;
            let next = self.turn(frame, &says, io.tempo) - frame;
            let end = at.saturating_add(next.max(1) as usize).min(io.frames.end);
            self.run(io, at..end, &says, true);
            at = end;
        }
    }

    fn reset(&mut self) {
        self.tapes.iter_mut().for_each(Tape::clear);
        self.before.iter_mut().for_each(DelayLine::clear);
        (self.is_new, self.was_on, self.armed) = (true, false, false);
        (self.taking, self.phrase, self.closing, self.fading) = (None, None, 0, 0);
        (self.heard, self.laying, self.through) = (Fader::default(), Fader::default(), Fader::default());
        self.playing = false;
        self.next = None;
    }
}
