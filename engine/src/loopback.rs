//! A sweep sent out through a desk and what comes back of it: how a room, a piece of gear, or the way there and back is
//! measured. It goes through all that a session goes through that plays, so that what is late here is as late there.
//!
//! ```text
//! frame 0        lead                      lead + sweep         + tail
//!   │ silence     │ the sweep               │ silence            │
//!   └ noise floor ┘                         └ what is late, what rings
//! ```

use crate::desk::Desk;
use crate::diagnostic::Position;
use crate::graph::{Graph, prepare};
use crate::kernel::QUANTUM;
use crate::live::{Listener, Live, Player, Report, Setup, start};
use crate::media::Library;
use crate::offline::Offline;
use crate::parameter::Value;
use crate::response::Swept;
use crate::session::{Cable, CableKind, Place, PlaceId, PlaceKind, Session, Source, Tap};
use crate::sources::sweep::SWEEP;
use crate::tap::{Recording, Wanted};

/// What the sweep is called where it comes up.
const NAME: &str = "sweep";

/// A sweep to be sent, and what is to be heard of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Errand {
    /// The sweep. Its rate is a whole number.
    pub swept: Swept,
    /// Its peak in dBFS, from -120 to 0.
    pub level: f64,
    /// Frames of silence before it.
    pub lead: usize,
    /// Frames after it.
    pub tail: usize,
}

/// What was heard of an errand.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The sweep as it was sent.
    pub sent: Vec<f64>,
    /// What was heard while nothing had been sent yet, from when the way was open: one vector a channel.
    pub silence: Vec<Vec<f64>>,
    /// What was heard from the first frame of the sweep on, to the end of the tail: one vector a channel.
    pub answer: Vec<Vec<f64>>,
}

impl Errand {
    /// How many frames it takes.
    pub fn frames(&self) -> usize {
        self.lead + self.swept.frames() + self.tail
    }

    /// The session that sends it to channels of the device.
    ///
    /// # Errors
    /// A sweep that the word `sweep` does not make, in words.
    pub fn graph(&self, outputs: &[u16]) -> Result<Graph, String> {
        let Swept { from, to, seconds, rate } = self.swept;
        let at = Position::default();
        let mut sweep = Source::new(&SWEEP, at);
        for (parameter, setting) in SWEEP.parameters.iter().zip(&mut sweep.settings) {
            let number = match parameter.name {
                "from" => from,
                "to" => to,
                "time" => seconds * 1000.0,
                "level" => self.level,
                _ => self.lead as f64 * 1000.0 / rate,
            };
            setting.value = Value::Number(number);
        }
        let mut session = Session::new(".".into());
        session.sample_rate = rate as u32;
        session.places.push(Place::new(NAME, PlaceKind::Input(vec![sweep]), at));
        session.places.push(Place::new("output", PlaceKind::Output(outputs.to_vec()), at));
        session.cables.push(Cable::new(Tap::Place(PlaceId(1)), PlaceId(2), CableKind::Plug, at));
        let prepared = prepare(session, &Library::new());
        let why = || prepared.diagnostics.iter().find(|one| one.is_error()).map(|one| one.message.clone());
        prepared.graph.ok_or_else(|| why().unwrap_or_default())
    }

    /// The whole errand as it leaves, a quantum at a time.
    ///
    /// # Errors
    /// As [`Errand::graph`].
    pub fn playing(&self) -> Result<Offline, String> {
        Offline::new(&self.graph(&[1])?, None).map_err(|flaw| flaw.to_string())
    }

    /// Sets out: what a device calls for sound, what takes its input, and what waits for the answer. The device has
    /// `inputs` channels of input, and `cushion` frames of it are at hand before any are used, as in [`Setup`].
    ///
    /// # Errors
    /// As [`Errand::graph`].
    pub fn set_out(
        &self,
        outputs: &[u16],
        inputs: usize,
        cushion: usize,
    ) -> Result<(Waiting, Player, Listener), String> {
        let (_, program) = Desk::open(&self.graph(outputs)?, None).map_err(|flaw| flaw.to_string())?;
        let keep = Wanted { inputs: 1, ..Wanted::default() };
        let (live, player, listener, mut kept) =
            start(program, Setup { rate: self.swept.rate as u32, keep, inputs, cushion });
        let recording = kept.inputs.pop().unwrap_or_else(|| unreachable!("it was asked for"));
        let waiting = Waiting { errand: self.clone(), live, recording, all: vec![Vec::new(); inputs], missing: 0 };
        Ok((waiting, player, listener))
    }

    /// What was heard, out of all that came from frame 0 on, one vector a channel.
    ///
    /// # Errors
    /// As [`Errand::graph`].
    pub fn heard(&self, all: &[Vec<f64>]) -> Result<Heard, String> {
        let mut playing = self.playing()?;
        let mut sent = Vec::with_capacity(self.frames());
        while sent.len() < self.lead + self.swept.frames() {
            let quantum = playing.step(&[]).first().copied().unwrap_or([0.0; QUANTUM]);
            // What leaves is rounded as devices take it.
            sent.extend(quantum.iter().map(|x| f64::from(*x as f32)));
        }
        let sent = sent[self.lead..self.lead + self.swept.frames()].to_vec();
        // The way opens some time after the start.
        let part = |from: usize, to: usize| {
            all.iter().map(|channel| channel[from.min(channel.len())..to.min(channel.len())].to_vec()).collect()
        };
        Ok(Heard { sent, silence: part(self.lead / 2, self.lead), answer: part(self.lead, self.frames()) })
    }
}

/// An errand that is under way.
pub struct Waiting {
    errand: Errand,
    live: Live,
    recording: Recording,
    all: Vec<Vec<f64>>,
    missing: usize,
}

impl Waiting {
    /// Takes what has come, at least once a second; says whether that is all.
    pub fn look(&mut self) -> bool {
        let (channels, mut samples) = (self.all.len().max(1), Vec::new());
        while let Some(quantum) = self.recording.next(&mut samples) {
            let have = self.all.first().map_or(0, Vec::len);
            // What found no room is missing from between.
            let gap = (quantum.frame as usize).saturating_sub(have);
            self.missing += usize::from(gap > 0);
            for (channel, all) in self.all.iter_mut().enumerate() {
                all.resize(have + gap, 0.0);
                all.extend(samples.iter().skip(channel).step_by(channels).map(|x| f64::from(*x)));
            }
        }
        let opens = (self.errand.lead / 2) as u64;
        let late = |report: &Report| matches!(report, Report::InputLate { frame } if *frame >= opens);
        self.missing += self.live.reports().filter(late).count();
        self.frames() >= self.errand.frames()
    }

    /// Breaks it off: what sounds is faded out. Says whether it is silent.
    pub fn break_off(&self) -> bool {
        self.live.stop();
        self.live.has_stopped()
    }

    /// Frames that have come so far.
    pub fn frames(&self) -> usize {
        self.all.first().map_or(0, Vec::len)
    }

    /// How often something was missing from what came, since it was under way.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// By how many millionths the clocks of the two devices were found to differ; what came was resampled for it.
    pub fn drift_ppm(&self) -> Option<f64> {
        self.live.input_drift_ppm()
    }

    /// What was heard.
    ///
    /// # Errors
    /// As [`Errand::graph`].
    pub fn heard(&self) -> Result<Heard, String> {
        self.errand.heard(&self.all)
    }
}
