//! Listening: a copy of the sound at points of the desk, for whoever measures it. The audio thread copies and passes on, no
//! more, and nothing where nobody listens.

use rtrb::{Consumer, Producer, RingBuffer};
use serde::Serialize;

use crate::effects::{self, gain::FADER};
use crate::keep::keep;
use crate::kernel::QUANTUM;
use crate::names::{Found, Names, NotFound};
use crate::plan::Slots;
use crate::render::Renderer;
use crate::session::{CableKind, InstanceId, MASTER, PlaceId, Session, Tap, Work};

/// Seconds of sound that may wait to be taken.
const SECONDS: f64 = 1.0;

/// What is said behind a bus or an input whose sound is meant as it comes in, before anything it passes through.
const INPUT: &str = ".input";

/// What of a desk is looked at, and heard by whoever plays it alone. The sound that leaves is the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Looks {
    /// Whether inputs, buses and the first output are metered.
    pub meters: bool,
    /// What else is metered.
    pub levels: Vec<Point>,
    /// Where somebody listens.
    pub points: Vec<Point>,
    /// What is heard ahead, if there are channels for it.
    pub cue: Option<Cue>,
    /// By how much the monitor is turned, linear.
    pub trim: f64,
}

// What is heard of a performance does not depend on the rest.
keep!(Looks: meters);

impl Default for Looks {
    fn default() -> Self {
        Looks { meters: false, levels: Vec::new(), points: Vec::new(), cue: None, trim: 1.0 }
    }
}

/// What is heard ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// The device's channels, from 1.
    pub channels: Vec<u16>,
    /// What is heard there; nothing yet without one.
    pub point: Option<Point>,
}

/// A point at which sound can be listened to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Point {
    /// What it is called: the path of an input, a bus, a cable or an effect.
    pub name: String,
    /// Where that is.
    pub(crate) spot: Spot,
    /// Whether an effect stands there that tells how much it turns down.
    pub reduces: bool,
}

/// Where a point lies, by the paths of a graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Spot {
    /// The output with the lowest channels.
    Delivered,
    /// What leaves a node.
    Node(String),
    /// What a cable carries into its place.
    Cable(String),
}

impl Spot {
    /// The path of the cable, if it is one.
    pub(crate) fn cable(&self) -> Option<&String> {
        match self {
            Spot::Cable(path) => Some(path),
            Spot::Delivered | Spot::Node(_) => None,
        }
    }
}

impl Point {
    /// The point of a path: of an input or a bus what leaves it behind its chain, and with `.input` what comes in; of `master`
    /// what is delivered.
    ///
    /// # Errors
    /// When the path means nothing, several things, or a parameter.
    pub fn find(session: &Session, names: &Names, path: &str) -> Result<Point, NotFound> {
        let (thing, input) = match path.strip_suffix(INPUT) {
            Some(place) => (place, true),
            None => (path, false),
        };
        let found = names.find(session, thing)?;
        Point::of(session, names, found, input).ok_or_else(|| NotFound {
            message: format!("`{path}` is nothing that can be listened to"),
            help: Some("give an input, a bus, a cable or an effect; `.input` of an input or a bus".into()),
        })
    }

    /// What is delivered: the output with the lowest channels.
    pub fn delivered() -> Point {
        Point { name: "master".into(), spot: Spot::Delivered, reduces: false }
    }

    /// The point at which a path is listened to ahead: before its fader. Of an input, a bus or a cable that is what has passed
    /// its effects up to the first `fader`, whether it is muted or not; of anything else what [`Point::find`] says.
    ///
    /// # Errors
    /// Those of [`Point::find`].
    pub fn ahead(session: &Session, names: &Names, path: &str) -> Result<Point, NotFound> {
        let (tap, path) = match names.find(session, path) {
            Ok(Found::Place(id)) if id != MASTER => (session.end_of_chain(id), names.place(id)),
            Ok(Found::Cable(id)) => (session.cables[id.0].from, names.cable(id)),
            _ => return Point::find(session, names, path),
        };
        let is_fader = |id: &InstanceId| {
            session.instances[id.0].work.effect().is_some_and(|effect| std::ptr::eq(effect.table.0, &FADER))
        };
        let chain = session.chain(tap);
        let before = chain.iter().take_while(|id| !is_fader(id)).last();
        let from = before.map_or(Tap::Place(session.origin(tap)), |id| Tap::Instance(*id));
        let node = match from {
            Tap::Place(id) => names.place(id).to_owned(),
            Tap::Instance(id) => names.instance(id).first().cloned().unwrap_or_default(),
        };
        Ok(Point { name: path.to_owned(), spot: Spot::Node(node), reduces: false })
    }

    /// The point at something that was found; `input` asks for what comes into a place. A parameter has none, and only a place
    /// has an input.
    pub fn of(session: &Session, names: &Names, found: Found, input: bool) -> Option<Point> {
        let node = |tap: Tap| match tap {
            Tap::Place(id) => names.place(id).to_owned(),
            Tap::Instance(id) => names.instance(id).first().cloned().unwrap_or_default(),
        };
        let point = |name: String, spot, reduces| Some(Point { name, spot, reduces });
        match found {
            Found::Place(id) if input => {
                point(format!("{}{INPUT}", names.place(id)), Spot::Node(node(Tap::Place(id))), false)
            }
            Found::Place(MASTER) => Some(Point::delivered()),
            Found::Place(id) => point(names.place(id).into(), Spot::Node(node(session.end_of_chain(id))), false),
            Found::Cable(id) if !input => {
                let path = names.cable(id).to_owned();
                point(path.clone(), Spot::Cable(path), false)
            }
            Found::Instance(id) if !input => {
                let reduces = match &session.instances[id.0].work {
                    Work::Effect(effect) => effects::turns_down(effect.table.0),
                    Work::Blend { .. } | Work::Branch { .. } => false,
                };
                point(names.call(id), Spot::Node(node(Tap::Instance(id))), reduces)
            }
            Found::Cable(_) | Found::Instance(_) | Found::Parameter(..) => None,
        }
    }
}

impl Session {
    /// The last effect behind an input or a bus that all of its cables have passed, or the place itself. Sends on the way
    /// take nothing off it.
    fn end_of_chain(&self, place: PlaceId) -> Tap {
        let plugs = self.cables.iter().filter(|cable| cable.kind == CableKind::Plug);
        let mut chains = plugs.filter(|cable| self.origin(cable.from) == place).map(|cable| self.chain(cable.from));
        let Some(mut common): Option<Vec<InstanceId>> = chains.next() else { return Tap::Place(place) };
        for chain in chains {
            let same = common.iter().zip(&chain).take_while(|(a, b)| a == b).count();
            common.truncate(same);
        }
        common.last().map_or(Tap::Place(place), |id| Tap::Instance(*id))
    }
}

/// A point of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// What it is called.
    pub name: String,
    /// Its sound, kept to the end of the quantum.
    pub slots: Slots,
    /// Frames by which that is late against the transport.
    pub late: usize,
    /// The effect that stands there, if it tells how much it turns down: an index among the plan's works.
    pub work: Option<usize>,
}

/// The near end: what the audio thread copies into.
pub struct Copier {
    quanta: Producer<u64>,
    samples: Producer<f64>,
}

/// The far end: what was heard at the points of one program, a quantum at a time.
pub struct Hearing {
    /// The points, in the order in which they come.
    pub points: Vec<Heard>,
    quanta: Consumer<u64>,
    samples: Consumer<f64>,
    sound: Vec<f64>,
}

/// Both ends of what is heard at these points at a rate. Not RT.
pub fn hearing(points: &[Heard], rate: f64) -> (Copier, Hearing) {
    let quanta = (SECONDS * rate) as usize / QUANTUM + 1;
    let samples = points.iter().map(samples).sum::<usize>();
    let (frames, quanta_come) = RingBuffer::new(quanta);
    let (copies, sound) = RingBuffer::new(quanta * samples);
    let hearing =
        Hearing { points: points.to_vec(), quanta: quanta_come, samples: sound, sound: Vec::with_capacity(samples) };
    (Copier { quanta: frames, samples: copies }, hearing)
}

/// How many numbers a point gives in a quantum: its sound, and by how much it is turned down.
fn samples(point: &Heard) -> usize {
    point.slots.count * QUANTUM + 1
}

impl Copier {
    /// Copies the quantum that was computed last. When nobody takes it away fast enough, a quantum is missing. RT.
    pub fn take(&mut self, frame: u64, renderer: &Renderer) {
        let count = renderer.heard().map(|(point, ..)| samples(point)).sum();
        if self.quanta.slots() == 0 {
            return;
        }
        let Ok(mut room) = self.samples.write_chunk(count) else { return };
        // What is copied at once lies in one piece: the ring holds so many of it and no part of one more.
        let (mut rest, _) = room.as_mut_slices();
        for (point, sound, down) in renderer.heard() {
            let Some((own, others)) = rest.split_at_mut_checked(samples(point)) else { return };
            let (numbers, reduced) = own.split_at_mut(own.len() - 1);
            numbers.chunks_exact_mut(QUANTUM).zip(sound).for_each(|(copy, channel)| copy.copy_from_slice(channel));
            reduced.fill(down);
            rest = others;
        }
        room.commit_all();
        // There is room: nobody else pushes.
        let _ = self.quanta.push(frame);
    }
}

impl Hearing {
    /// The next quantum, if it has come: each point with its sound, a slice a channel, and by how many dB it was turned down
    /// at most. Gives the frame of the renderer's clock at which it began.
    pub fn next(&mut self, mut take: impl FnMut(&Heard, &[&[f64]], f64)) -> Option<u64> {
        let frame = self.quanta.pop().ok()?;
        self.sound.clear();
        // They were there before it.
        let count = self.points.iter().map(samples).sum();
        self.sound.extend(self.samples.read_chunk(count).ok()?);
        let mut rest = &self.sound[..];
        for point in &self.points {
            let (own, others) = rest.split_at(samples(point));
            let (down, sound) = own.split_last().map_or((0.0, own), |(down, sound)| (*down, sound));
            let channels: Vec<&[f64]> = sound.chunks_exact(QUANTUM).collect();
            take(point, &channels, down);
            rest = others;
        }
        Some(frame)
    }

    /// Whether the program is gone that this was heard of, and all of it has been taken.
    pub fn is_over(&self) -> bool {
        self.quanta.is_abandoned() && self.quanta.is_empty()
    }
}
