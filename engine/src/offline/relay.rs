//! Rendering on several threads: a quantum goes from one to the next, and each does its part of the plan's ops while the others are
//! at those of the quanta before and behind it.
//!
//! The first quanta are rendered on one thread, and what each work costs is measured there; then the list of ops is cut so that every
//! part has about as much to do. What is measured decides how soon it is done, and no bit of what comes out.

use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use super::wait_for_media;
use crate::costs::{self, Costs};
use crate::kernel::Buffer;
use crate::plan::{Op, Plan, PlanWork};
use crate::probe::Probe;
use crate::render::{Part, Renderer, places, widths};
use crate::sources;

/// Quanta that go over at a time: 21 ms at 48 kHz, beside which it costs nothing to wake somebody.
const BATCH: usize = 16;

/// Batches between two parts: one is filled, one is emptied, and the others even out what differs.
const BATCHES: usize = 4;

/// The most threads that are of use: parts become smaller than what it costs to hand things over.
const MOST_THREADS: usize = 16;

/// What a quantum has to cost in all, in shares of its own time, before more than one thread pays.
const WORTH_IT: f64 = 0.01;

/// What it costs to add a channel of one edge to a sum, in seconds for each frame: measured, about.
const EDGE: f64 = 0.3e-9;

/// What it costs to hand a buffer over, the same: it is copied twice, and the second time from another core's cache.
const BUFFER: f64 = 1.5e-9;

/// How many threads a rendering may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// As many as the machine runs at a time, where it pays.
    AsManyAsPay,
    /// So many, whether or not it pays, as far as the session can be cut.
    Exactly(usize),
}

/// What is handed over: some quanta of the buffers that cross from one part to the next, and what was found to give no numbers.
#[derive(Default)]
struct Batch {
    buffers: Vec<Buffer>,
    /// Works, and the first frame of the quantum in which each was found.
    ill: Vec<(usize, u64)>,
}

/// One end of what goes from a part to the next: what is full goes one way, what is empty the other.
struct Inlet {
    full: Receiver<Batch>,
    empty: Sender<Batch>,
}

/// The other end.
struct Outlet {
    full: Sender<Batch>,
    empty: Receiver<Batch>,
}

fn way() -> (Outlet, Inlet) {
    let (full, to_empty) = mpsc::channel();
    let (emptied, empty) = mpsc::channel();
    for _ in 0..BATCHES {
        let _ = emptied.send(Batch::default());
    }
    (Outlet { full, empty }, Inlet { full: to_empty, empty: emptied })
}

/// Quanta before anything is measured: the first ones open files and find all caches empty.
const WARM_UP: u32 = 32;

/// Who measures what works cost, until it is known.
pub(super) struct Measuring {
    costs: Costs,
    /// Quanta so far.
    quanta: u32,
}

/// All parts but the last, at work, and what they give to that.
pub(super) struct Relay {
    inlet: Option<Inlet>,
    batch: Batch,
    /// The next quantum of the batch.
    next: usize,
    /// The buffers of each.
    takes: Vec<usize>,
    workers: Vec<JoinHandle<()>>,
}

impl Threads {
    fn count(self) -> usize {
        match self {
            Threads::AsManyAsPay => thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MOST_THREADS),
            Threads::Exactly(count) => count,
        }
    }
}

/// Whether a plan may be rendered on several threads: nothing comes in while it is, and nobody asks works of other parts
/// what they did.
fn may_be_cut(plan: &Plan) -> bool {
    let comes_back = |work: &PlanWork| work.channels.0 > 0 && work.table.0.names_channels();
    let live = plan.works.iter().any(|work| sources::is_live(work.table.0) || comes_back(work));
    !live && plan.heard.iter().all(|point| point.work.is_none())
}

impl Measuring {
    /// Has a renderer measured, if its plan may be cut. Nothing rests meanwhile: it is to be known what it will cost when it sounds.
    pub fn begin(renderer: &mut Renderer, threads: Threads) -> Option<Measuring> {
        if threads.count() < 2 || !may_be_cut(&renderer.program().plan) {
            return None;
        }
        let (costs, meter) = costs::costs();
        renderer.ask(Some(Probe::new(meter)));
        renderer.be_restless(true);
        Some(Measuring { costs, quanta: 0 })
    }

    /// After each quantum: whether it was the last to be measured.
    pub fn is_done(&mut self, renderer: &mut Renderer) -> bool {
        self.quanta += 1;
        if self.quanta == WARM_UP {
            self.costs.ask();
        }
        renderer.probe().is_some_and(|probe| probe.is_costed())
    }

    /// Cuts the renderer by what was measured, and has all parts but the last begin, which stays with it.
    pub fn end(&self, renderer: &mut Renderer, threads: Threads) -> Option<Relay> {
        Measuring::forget(renderer);
        let cuts = self.cuts(&renderer.program().plan, threads);
        let (parts, takes) = renderer.cut(&cuts);
        let mut inlet = None;
        let mut workers = Vec::new();
        for part in parts {
            let (outlet, next) = way();
            let before = inlet.replace(next);
            workers.push(thread::spawn(move || work(part, before, &outlet)));
        }
        inlet.map(|inlet| Relay { inlet: Some(inlet), batch: Batch::default(), next: BATCH, takes, workers })
    }

    /// Has a renderer measured no more.
    pub fn forget(renderer: &mut Renderer) {
        renderer.ask(None);
        renderer.be_restless(false);
    }

    /// What the ops cost that stand before each one, and all of them, in shares of their sound's own time.
    fn costs(&self, plan: &Plan) -> Vec<f64> {
        let rate = plan.tempo.clock().rate;
        let shares = self.costs.shares(plan.works.len(), rate as u32);
        let cost = |op: &Op| match *op {
            Op::Work { cell, .. } => shares.get(cell).copied().unwrap_or(0.0),
            Op::Mix { first, last, out, .. } => (last - first) as f64 * out.count as f64 * EDGE * rate,
            _ => 0.0,
        };
        let mut before = vec![0.0];
        for op in &plan.ops {
            before.push(before[before.len() - 1] + cost(op));
        }
        before
    }

    /// Where the ops are cut: into as many parts as there are threads, of about the same cost, where little crosses.
    fn cuts(&self, plan: &Plan, threads: Threads) -> Vec<usize> {
        let before = self.costs(plan);
        let all = before[plan.ops.len()];
        if threads == Threads::AsManyAsPay && all < WORTH_IT {
            return Vec::new();
        }
        let (places, widths, count) = (places(plan), widths(plan), threads.count());
        let buffer = BUFFER * plan.tempo.clock().rate;
        let nearest = |goal: f64| {
            let away = |place: &&usize| (before[**place] - goal).abs() + widths[**place] as f64 * buffer;
            places.iter().min_by(|a, b| away(a).total_cmp(&away(b))).copied()
        };
        let mut cuts: Vec<usize> = (1..count).filter_map(|n| nearest(all * n as f64 / count as f64)).collect();
        cuts.dedup();
        cuts
    }

    /// How many times as fast so many threads are as one, by what was measured, if each had a core of its own and nothing to wait for:
    /// as many as all parts cost of the dearest.
    pub fn growth(&self, plan: &Plan, threads: usize) -> f64 {
        let before = self.costs(plan);
        let cuts = self.cuts(plan, Threads::Exactly(threads));
        let ends = cuts.iter().copied().chain([plan.ops.len()]);
        let parts = [0].into_iter().chain(cuts.iter().copied()).zip(ends).map(|(a, b)| before[b] - before[a]);
        before[plan.ops.len()] / parts.fold(f64::MIN_POSITIVE, f64::max)
    }
}

/// Does the work of a part until nobody takes what it gives.
fn work(mut part: Part, inlet: Option<Inlet>, outlet: &Outlet) {
    let count = part.takes.len();
    while let Ok(mut batch) = outlet.empty.recv() {
        let given = match &inlet {
            None => Batch::default(),
            Some(inlet) => match inlet.full.recv() {
                Ok(given) => given,
                Err(_) => return,
            },
        };
        batch.buffers.clear();
        batch.ill.clone_from(&given.ill);
        for quantum in 0..BATCH {
            let renderer = &mut part.renderer;
            renderer.bring(&part.takes, &given.buffers[quantum * count..(quantum + 1) * count]);
            wait_for_media(renderer);
            let now = renderer.clock();
            renderer.quantum(&[]);
            batch.ill.extend(renderer.take_poisoned().map(|work| (work, now)));
            batch.buffers.extend(part.give());
        }
        if let Some(inlet) = &inlet {
            // Whoever is done wants nothing back.
            let _ = inlet.empty.send(given);
        }
        if outlet.full.send(batch).is_err() {
            return;
        }
    }
}

impl Relay {
    /// Brings the next quantum to the last part; says what has given no numbers on the way, and since when.
    pub fn bring(&mut self, last: &mut Renderer) -> &[(usize, u64)] {
        let mut is_new = false;
        if self.next == BATCH {
            let Some(full) = self.inlet.as_ref().and_then(|inlet| inlet.full.recv().ok()) else {
                self.end();
                return &[];
            };
            let empty = std::mem::replace(&mut self.batch, full);
            // Whoever is done wants nothing back.
            let _ = self.inlet.as_ref().map(|inlet| inlet.empty.send(empty));
            (self.next, is_new) = (0, true);
        }
        let count = self.takes.len();
        last.bring(&self.takes, &self.batch.buffers[self.next * count..(self.next + 1) * count]);
        self.next += 1;
        if is_new { &self.batch.ill } else { &[] }
    }

    /// How many parts there are besides the last.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Lets all parts go home. One that has panicked panics here.
    fn end(&mut self) {
        self.inlet = None;
        for worker in self.workers.drain(..) {
            if let Err(panic) = worker.join()
                && !thread::panicking()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.end();
    }
}
