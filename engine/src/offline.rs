//! Rendering as fast as the machine does: the same renderer as live, driven by nothing but the length asked for.

use std::thread;
use std::time::Duration;

use crate::desk::Desk;
use crate::effects::dither;
use crate::graph::{Graph, Role};
use crate::kernel::{Buffer, QUANTUM};
use crate::listen::Point;
use crate::render::Renderer;
use crate::sources::{self, End};
use crate::verify::Flaw;

mod held;
mod overlap;
mod relay;

use held::Held;
use relay::{Measuring, Relay};

pub use relay::Threads;

/// How long to wait before asking again whether media are at hand.
const MEDIA_WAIT: Duration = Duration::from_micros(200);

/// Waits until a renderer has the sound of all media that its next quantum needs. Not RT.
pub(crate) fn wait_for_media(renderer: &Renderer) {
    while !renderer.is_ready() {
        thread::sleep(MEDIA_WAIT);
    }
}

/// The longest tail that is waited for round a feedback loop, whose gain nobody knows, in seconds.
const LOOP_TAIL_SECONDS: f64 = 10.0;

/// How much is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// At least the frames before this one;
    pub least: u64,
    /// on from there as long as anything above -150 dBFS is still to come, but none from this one on.
    pub most: u64,
}

impl From<u64> for Extent {
    fn from(frames: u64) -> Self {
        Extent { least: frames, most: frames }
    }
}

/// Up to where everything has ended: all that plays, and behind it what lets go and rings; `None` when nothing in it ever
/// ends. What goes on for ever beside what ends is not waited for. Live inputs end at `live`; a piece with sections does so
/// behind the last at the earliest.
pub fn natural_end(graph: &Graph, live: Option<u64>) -> Option<Extent> {
    let mut least = graph.end.unwrap_or(0);
    let mut ends: Vec<Option<u64>> = vec![None; graph.nodes.len()];
    for &i in &graph.order {
        let node = &graph.nodes[i];
        let arriving = graph.edges.iter().filter(|edge| edge.to == i && edge.feedback.is_none());
        let heard = arriving.filter_map(|edge| ends[edge.from]).max();
        ends[i] = match &node.role {
            Role::Work { table, recipe, .. } if recipe.channels == 0 => match sources::end(table.0, recipe) {
                End::At(frame) => {
                    least = least.max(frame);
                    Some(frame + if frame > 0 { node.tail } else { 0 })
                }
                End::Live => {
                    least = least.max(live.unwrap_or(0));
                    live
                }
                End::Never => None,
            },
            // Tails are told down to -100 dB, and more of that is heard out.
            _ => heard.map(|frame| frame + node.tail + node.tail / 2),
        };
    }
    let looped = graph.edges.iter().any(|edge| edge.feedback.is_some());
    let rest = if looped { (LOOP_TAIL_SECONDS * graph.clock.rate) as u64 } else { 0 };
    ends.into_iter().flatten().chain(graph.end).max().map(|end| Extent { least, most: end + rest })
}

/// What comes out of a rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// An output, counted from the one with the lowest channels.
    Output(usize),
    /// A stem, in path order.
    Stem(usize),
    /// A point that is listened to.
    Heard(usize),
    /// By how many dB the effect at a point turned down: one number for a quantum or what is rendered of it.
    Reduced(usize),
}

/// Renders a graph from frame 0 of the transport on.
pub struct Offline {
    renderer: Renderer,
    /// What gave no numbers, and the frame of the rendering in whose quantum it first did.
    ill: Vec<(String, u64)>,
    /// For each output that is written the level up to which it counts as silent.
    floors: Vec<f64>,
    threads: Threads,
    measuring: Option<Measuring>,
    /// What does the first ops of the plan, if several threads share them.
    relay: Option<Relay>,
}

/// Shorter renderings are done before several threads have begun.
const SHORT: u64 = 400 * QUANTUM as u64;

impl Offline {
    /// Prepares a rendering; with `stems_of`, the cables into that place come out too.
    ///
    /// # Errors
    /// When the compiled plan does not prove right.
    pub fn new(graph: &Graph, stems_of: Option<&str>) -> Result<Self, Flaw> {
        Offline::listening(graph, stems_of, Vec::new())
    }

    /// The same where somebody listens at points as well. A point that leads to no output is not heard.
    ///
    /// # Errors
    /// When the compiled plan does not prove right.
    pub fn listening(graph: &Graph, stems_of: Option<&str>, points: Vec<Point>) -> Result<Self, Flaw> {
        let (_, program) = Desk::open_listening(graph, stems_of, points)?;
        let renderer = Renderer::new(program);
        let outputs = renderer.program().plan.outputs.iter().filter(|output| output.send.is_none()).count();
        let floors = (0..outputs).map(|output| held::floor(dither::delivered_bits(graph, output))).collect();
        let (threads, measuring, relay) = (Threads::AsManyAsPay, None, None);
        Ok(Offline { renderer, ill: Vec::new(), floors, threads, measuring, relay })
    }

    /// Says how many threads [`Offline::render`] may use: as many as pay, unless it is said.
    pub fn share(&mut self, threads: Threads) {
        self.threads = threads;
    }

    /// How many threads share the work just now.
    pub fn threads(&self) -> usize {
        1 + self.relay.as_ref().map_or(0, Relay::workers)
    }

    /// How many times as fast each of these numbers of threads would render as one, each on a core of its own: a model, by what the first
    /// quanta cost, which are rendered for it. Empty where all is done on one thread.
    pub fn growth(&mut self, threads: &[usize]) -> Vec<f64> {
        let Some(mut measuring) = Measuring::begin(&mut self.renderer, Threads::Exactly(2)) else { return Vec::new() };
        loop {
            self.step(&[]);
            if measuring.is_done(&mut self.renderer) {
                Measuring::forget(&mut self.renderer);
                let plan = &self.renderer.program().plan;
                return threads.iter().map(|count| measuring.growth(plan, *count)).collect();
            }
        }
    }

    /// Begins at a frame of the transport, to the quantum.
    pub fn locate(&mut self, frame: u64) {
        self.renderer.locate(frame);
    }

    /// The points that are heard, in the order of [`Stream::Heard`]: their names, and how many channels they have.
    pub fn heard(&self) -> Vec<(String, usize)> {
        self.renderer.program().plan.heard.iter().map(|point| (point.name.clone(), point.slots.count)).collect()
    }

    /// How many channels each output has. What goes to hardware is none.
    pub fn outputs(&self) -> Vec<usize> {
        let outputs = self.renderer.program().plan.outputs.iter().filter(|output| output.send.is_none());
        outputs.map(|output| output.slots.count).collect()
    }

    /// The path of every stem, and how many channels it has.
    pub fn stems(&self) -> Vec<(String, usize)> {
        self.renderer.program().plan.captures.iter().map(|c| (c.path.clone(), c.slots.count)).collect()
    }

    /// What gave something that is no number so far, with the first frame of the quantum in which it first did: from there on
    /// it is passed by.
    pub fn ill(&self) -> &[(String, u64)] {
        &self.ill
    }

    /// Renders one quantum, waiting for media, and gives the first output.
    pub fn step(&mut self, live: &[Buffer]) -> &[Buffer] {
        let Offline { renderer, ill, relay, .. } = self;
        let mut fell_ill = |renderer: &Renderer, work: usize, at: u64| {
            let path = &renderer.program().plan.paths[work];
            if ill.iter().all(|(known, _)| known != path) {
                ill.push((path.clone(), at));
            }
        };
        if let Some(relay) = relay {
            relay.bring(renderer).iter().for_each(|(work, at)| fell_ill(renderer, *work, *at));
        }
        wait_for_media(renderer);
        let now = renderer.clock();
        renderer.quantum(live);
        if let Some(work) = renderer.take_poisoned() {
            fell_ill(renderer, work, now);
        }
        if let Some(measured) = self.measuring.take_if(|measuring| measuring.is_done(&mut self.renderer)) {
            self.relay = measured.end(&mut self.renderer, self.threads);
        }
        self.renderer.outputs().next().map_or(&[], |(_, sound)| sound)
    }

    /// Renders equally many frames of each stream, from the transport's frame 0: latencies are left out. So many are exactly
    /// so many; of an [`Extent`] the end is where no output and no stem has any sound left.
    ///
    /// `live` fills the device's inputs of each quantum. `sink` is given what comes out in order, a slice a channel, all
    /// of one length; what it answers ends the rendering if it is an error.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn render<E>(
        &mut self,
        extent: impl Into<Extent>,
        mut live: impl FnMut(&mut Vec<Buffer>),
        mut sink: impl FnMut(Stream, &[&[f64]]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Extent { least, most: frames } = extent.into();
        let mut held = Held::new(least);
        let plan = &self.renderer.program().plan;
        let delivered = plan.outputs.iter().filter(|output| output.send.is_none());
        let longest = delivered.map(|output| output.late).chain(plan.captures.iter().map(|c| c.late));
        let longest = longest.chain(plan.heard.iter().map(|point| point.late)).max();
        let end = frames + longest.unwrap_or(0) as u64;
        let mut inputs: Vec<Buffer> = Vec::new();
        if self.relay.is_none() && (end > SHORT || self.threads != Threads::AsManyAsPay) {
            self.measuring = Measuring::begin(&mut self.renderer, self.threads);
        }
        let mut now = 0u64;
        while now < end {
            live(&mut inputs);
            self.step(&inputs);
            let outputs = self.renderer.outputs().filter(|(output, _)| output.send.is_none()).enumerate();
            let outputs = outputs.map(|(i, (output, sound))| (Stream::Output(i), output.late, sound));
            let captures = self.renderer.captures().zip(&self.renderer.program().plan.captures).enumerate();
            let stems = captures.map(|(i, (sound, capture))| (Stream::Stem(i), capture.late, sound));
            let heard = self.renderer.heard().enumerate();
            let points = heard.map(|(i, (point, sound, _))| (Stream::Heard(i), point.late, sound));
            let rendered = |late: usize| {
                let (late, quantum) = (late as u64, QUANTUM as u64);
                let first = late.saturating_sub(now).min(quantum) as usize;
                let last = (late + frames).saturating_sub(now).min(quantum) as usize;
                first..last
            };
            for (stream, late, sound) in outputs.chain(stems).chain(points) {
                let frames = rendered(late);
                if !frames.is_empty() {
                    let channels: Vec<&[f64]> = sound.iter().map(|buffer| &buffer[frames.clone()]).collect();
                    let floor = match stream {
                        Stream::Output(number) => self.floors.get(number).copied().unwrap_or(held::SILENCE),
                        Stream::Stem(_) => held::SILENCE,
                        Stream::Heard(_) | Stream::Reduced(_) => f64::INFINITY,
                    };
                    let begin = now + frames.start as u64 - late as u64;
                    held.pass(held::Block { stream, begin, sound: &channels }, floor, &mut sink)?;
                }
            }
            for (i, (point, _, down)) in self.renderer.heard().enumerate() {
                if point.work.is_some() && !rendered(point.late).is_empty() {
                    sink(Stream::Reduced(i), &[&[down]])?;
                }
            }
            now += QUANTUM as u64;
        }
        Ok(())
    }
}
