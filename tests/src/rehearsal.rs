//! A desk without a device: texts in, sound out, every edit at a chosen frame.

use std::time::{Duration, Instant};

use engine::desk::Desk;
use engine::diff::Changes;
use engine::graph::Graph;
use engine::kernel::{Buffer, QUANTUM};
use engine::render::Renderer;
use engine::transport::Move;

use crate::sessions::graph;

/// How long what an instrument plays may take to be worked out before it is taken for lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// A desk that plays into memory.
pub struct Rehearsal {
    desk: Desk,
    renderer: Renderer,
    /// What the first output gave, a list a channel, latency included.
    pub sound: Vec<Vec<f64>>,
    /// What each stem gave, by path.
    pub stems: Vec<(String, Vec<Vec<f64>>)>,
}

impl Rehearsal {
    /// Starts with a text.
    pub fn new(text: &str) -> Self {
        Self::with_stems(text, None)
    }

    /// Starts with a graph.
    pub fn of(graph: &Graph) -> Self {
        Self::open(graph, None)
    }

    /// Starts with a text, the cables into a place kept as well. Only for texts whose cables into it stay the same.
    pub fn with_stems(text: &str, stems_of: Option<&str>) -> Self {
        Self::open(&graph(text), stems_of)
    }

    fn open(graph: &Graph, stems_of: Option<&str>) -> Self {
        let (desk, program) = Desk::open(graph, stems_of).expect("the plan proves right");
        Rehearsal { desk, renderer: Renderer::new(program), sound: Vec::new(), stems: Vec::new() }
    }

    /// The frames that were played.
    pub fn now(&self) -> u64 {
        self.renderer.clock()
    }

    /// Whether nothing fades or rings any more.
    pub fn is_settled(&self) -> bool {
        self.desk.mesh().next_end().is_none()
    }

    /// Frames by which the first output is late against the transport.
    pub fn outputs_late(&self) -> usize {
        self.renderer.program().plan.outputs[0].late
    }

    /// Gives the transport an order.
    pub fn order(&mut self, order: Move) {
        self.renderer.order(order);
    }

    /// Where the transport is.
    pub fn transport(&self) -> u64 {
        self.renderer.transport()
    }

    /// Takes up a text at once; `None` when it changes nothing.
    pub fn edit(&mut self, text: &str) -> Option<Changes> {
        self.edit_graph(&graph(text))
    }

    /// Takes up a graph at once; `None` when it changes nothing.
    pub fn edit_graph(&mut self, graph: &Graph) -> Option<Changes> {
        self.edit_at(graph, None)
    }

    /// Plays on until a program for frame `at` of the transport is due, and takes it up.
    pub fn edit_at(&mut self, graph: &Graph, at: Option<u64>) -> Option<Changes> {
        let (mut program, changes) = self.desk.edit(graph, at).expect("the plan proves right")?;
        while !self.renderer.is_due(&program) {
            self.quantum();
        }
        let taken = self.renderer.exchange(&mut program);
        self.desk.taken_up(taken);
        Some(changes)
    }

    /// What runs.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Plays on for at least so many frames, in whole quanta.
    pub fn run(&mut self, frames: usize) -> &mut Self {
        for _ in 0..frames.div_ceil(QUANTUM) {
            let settled = self.desk.settle(self.renderer.clock()).expect("the plan proves right");
            if let Some(mut program) = settled {
                let taken = self.renderer.exchange(&mut program);
                self.desk.taken_up(taken);
            }
            self.quantum();
        }
        self
    }

    fn quantum(&mut self) {
        let asked = Instant::now();
        while !self.renderer.is_ready() {
            assert!(asked.elapsed() < PATIENCE, "what is to be played never comes");
            std::thread::yield_now();
        }
        self.renderer.quantum(&[]);
        if let Some(work) = self.renderer.take_poisoned() {
            panic!("{} gave what is no number", self.renderer.program().plan.paths[work]);
        }
        let (_, sound) = self.renderer.outputs().next().expect("there is an output");
        append(&mut self.sound, sound);
        let captures = self.renderer.captures().zip(&self.renderer.program().plan.captures);
        for (sound, capture) in captures {
            let at = self.stems.iter().position(|(path, _)| *path == capture.path).unwrap_or_else(|| {
                self.stems.push((capture.path.clone(), Vec::new()));
                self.stems.len() - 1
            });
            append(&mut self.stems[at].1, sound);
        }
    }
}

fn append(to: &mut Vec<Vec<f64>>, sound: &[Buffer]) {
    to.resize(sound.len().max(to.len()), Vec::new());
    to.iter_mut().zip(sound).for_each(|(channel, buffer)| channel.extend_from_slice(buffer));
}

/// What a text gives from a cold start, one list a channel.
pub fn cold(text: &str, frames: usize) -> Vec<Vec<f64>> {
    let mut rehearsal = Rehearsal::new(text);
    rehearsal.run(frames);
    rehearsal.sound
}

/// The first frame in which two sounds differ, if any does.
pub fn first_difference(a: &[Vec<f64>], b: &[Vec<f64>]) -> Option<usize> {
    a.iter().zip(b).filter_map(|(a, b)| a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits())).min()
}
