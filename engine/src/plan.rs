//! The plan: what is done in each quantum, in which order, on which buffers. Immutable; all that changes while it runs
//! is in the [`crate::bank::Bank`], which the plan points into by index.

use std::fmt;
use std::ops::Range;

use crate::abreast::Shape;
use crate::graph::Controlled;
use crate::listen::Heard;
use crate::mesh::Due;
use crate::meter::Meter;
use crate::motion::Motion;
use crate::session::TableRef;
use crate::tempo::Tempo;

/// Everything there is to do in one quantum.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to do, in order.
    pub ops: Vec<Op>,
    /// Where each stage of [`Plan::ops`] ends. Ops of one stage do not depend on each other.
    pub stages: Vec<usize>,
    /// Which of [`Plan::ops`] may go abreast: works of one stage and one shape, in order.
    pub ranks: Vec<Rank>,
    /// The edges that [`Op::Mix`] adds, all of one sum in path order.
    pub edges: Vec<PlanEdge>,
    /// The numbers that the works glide to, as their tables' laws say: each work's in one piece.
    pub goals: Vec<f64>,
    /// For every cell of work in the bank.
    pub works: Vec<PlanWork>,
    /// The path of every cell of work, in the same order: what is named in reports.
    pub paths: Vec<String>,
    /// How each blend's cell is to go.
    pub blends: Vec<PlanBlend>,
    /// For every control's state in the bank.
    pub motions: Vec<PlanMotion>,
    /// Where beats and bars lie.
    pub tempo: Tempo,
    /// How many buffers the controls of one op follow at most.
    pub followed: usize,
    /// How each edge's cell is to go.
    pub gains: Vec<PlanGain>,
    /// For every cell of a loop in the bank.
    pub loops: Vec<PlanLoop>,
    /// How many buffers it takes.
    pub slots: usize,
    /// What leaves: for each output its channels, from 1, and the buffers that hold them. In order of their channels, those
    /// that only fade behind the others.
    pub outputs: Vec<PlanOutput>,
    /// What is captured on its way into a place: stems.
    pub captures: Vec<Capture>,
    /// What is metered: nothing unless somebody asks.
    pub meters: Vec<Meter>,
    /// What is listened to: nothing unless somebody does.
    pub heard: Vec<Heard>,
    /// What is heard ahead, and on which channels of the device, from 1.
    pub cue: Option<PlanCue>,
}

/// What is heard ahead.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanCue {
    /// The device's channels, from 1.
    pub channels: Vec<u16>,
    /// What is heard there, if anything.
    pub heard: Option<Heard>,
}

impl Plan {
    /// A plan of nothing, in a time.
    pub fn empty(tempo: Tempo) -> Self {
        Plan {
            ops: Vec::new(),
            stages: Vec::new(),
            ranks: Vec::new(),
            edges: Vec::new(),
            goals: Vec::new(),
            works: Vec::new(),
            paths: Vec::new(),
            blends: Vec::new(),
            motions: Vec::new(),
            tempo,
            followed: 0,
            gains: Vec::new(),
            loops: Vec::new(),
            slots: 0,
            outputs: Vec::new(),
            captures: Vec::new(),
            meters: Vec::new(),
            heard: Vec::new(),
            cue: None,
        }
    }
}

impl PlanCue {
    /// The name of what is heard on which channels. RT.
    pub fn hears(&self) -> (&[u16], Option<&str>) {
        (&self.channels, self.heard.as_ref().map(|point| point.name.as_str()))
    }
}

/// A run of buffers, one a channel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// The first buffer.
    pub first: usize,
    /// How many.
    pub count: usize,
}

impl Slots {
    /// No buffers.
    pub const NONE: Slots = Slots { first: 0, count: 0 };

    /// As a range of indices. RT.
    pub const fn range(self) -> Range<usize> {
        self.first..self.first + self.count
    }

    /// Whether a buffer belongs to both.
    pub const fn overlaps(self, other: Slots) -> bool {
        self.first < other.first + other.count && other.first < self.first + self.count
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}..{}]", self.first, self.first + self.count)
    }
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// `out` is what a loop's line gives back.
    LoopRead {
        /// The loop's cell.
        cell: usize,
        /// Where to.
        out: Slots,
    },
    /// `out` is the sum of some of [`Plan::edges`], from the first to the last, or of what it was before and of them.
    Mix {
        /// The first edge.
        first: usize,
        /// Behind the last edge.
        last: usize,
        /// Where to.
        out: Slots,
        /// Whether they are added to what is there.
        adds: bool,
    },
    /// A kernel runs on `out`, after `input` is copied there if it lies elsewhere.
    Work {
        /// The work's cell.
        cell: usize,
        /// What flows in; empty for a source.
        input: Slots,
        /// What steers it; empty without a key.
        key: Slots,
        /// Where it works: as many buffers as come in or leave, whichever is more.
        out: Slots,
    },
    /// `out`, which holds the wet signal, is blended with `dry`.
    Blend {
        /// The blend's cell.
        cell: usize,
        /// The dry signal, of one channel or as many as `out`.
        dry: Slots,
        /// The wet signal, and the result.
        out: Slots,
    },
    /// A loop's line takes `from`.
    LoopWrite {
        /// The loop's cell.
        cell: usize,
        /// What it takes.
        from: Slots,
    },
}

/// Works that may go abreast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Which of [`Plan::ops`].
    pub ops: Range<usize>,
    /// What they have in common.
    pub shape: Shape,
    /// Which of [`crate::bank::Bank::interleaved`] they work on.
    pub sound: usize,
    /// The rank before that leaves its sound there for this one, and for nobody else.
    pub from: Option<usize>,
    /// The rank that takes up what this one leaves.
    pub into: Option<usize>,
}

/// An edge into a [`Op::Mix`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanEdge {
    /// What flows: one channel, or as many as the mix.
    pub from: Slots,
    /// Its gain and delay; `None` when it is at unity and waits for nothing.
    pub cell: Option<usize>,
    /// Where a copy of what it adds is kept.
    pub capture: Option<Slots>,
}

/// How one cell of work is to go.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanWork {
    /// The word.
    pub table: TableRef,
    /// Which of [`Plan::goals`] are its.
    pub goals: Range<usize>,
    /// Wet against dry, 0 to 1.
    pub wet: f64,
    /// Channels in and out.
    pub channels: (usize, usize),
    /// Frames by which what flows here is late against the transport.
    pub late: usize,
    /// Whether it is silent while the transport stands still.
    pub on_transport: bool,
    /// What it plays: an index into [`crate::bank::Bank::scores`].
    pub score: Option<usize>,
    /// The keyboard that plays it.
    pub keyboard: Option<SourceId>,
    /// The controls that move its numbers.
    pub controls: Vec<PlanControl>,
}

/// One loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanLoop {
    /// The path of the cable that closes it.
    pub path: String,
    /// Channels that flow.
    pub channels: usize,
}

/// How one blend's cell is to go.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanBlend {
    /// Wet against dry, 0 to 1.
    pub wet: f64,
    /// Frames by which what flows here is late against the transport.
    pub late: usize,
    /// The control that moves it: none or one.
    pub controls: Vec<PlanControl>,
}

/// A number that a control moves, or moved until this program's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanControl {
    /// What it moves.
    pub of: Controlled,
    /// What the text moves it by, if by anything: an index into [`Plan::motions`].
    pub motion: Option<usize>,
    /// What it goes along with until the program's frame has come: an index as well.
    pub before: Option<usize>,
    /// What it follows: one buffer.
    pub heard: Option<Slots>,
    /// Its number among those of the op that follow something.
    pub followed: Option<usize>,
}

/// A control as a program has it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanMotion {
    /// The path of the parameter it moves.
    pub path: String,
    /// How it moves.
    pub motion: Motion,
    /// Another number for each control and each change that the text makes of one.
    pub version: u64,
    /// What it listens to outside.
    pub source: Option<SourceId>,
}

/// What a control or an instrument listens to outside, as a desk numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// How one edge's cell is to go.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanGain {
    /// The linear gain that it glides to.
    pub goal: f64,
    /// The earliest that it sets out, however early the program is taken up.
    pub due: Due,
    /// Frames by which what flows here is late against the transport.
    pub late: usize,
    /// The control that moves it: none or one.
    pub controls: Vec<PlanControl>,
    /// Frames that it takes.
    pub fade: u32,
    /// Frames by which what flows is delayed.
    pub delay: usize,
    /// Channels that flow.
    pub channels: usize,
}

/// One output.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanOutput {
    /// Channels of the device or the file, from 1.
    pub channels: Vec<u16>,
    /// What is in them.
    pub slots: Slots,
    /// Frames by which it is late against the transport.
    pub late: usize,
    /// Whether the text has it no more, and it only fades.
    pub leaving: bool,
    /// The path of the effect that is hardware which the sound comes back from, if it goes to some: never what is delivered.
    pub send: Option<String>,
}

/// Something captured on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Capture {
    /// The path of the cable or send.
    pub path: String,
    /// Where it is kept to the end of the quantum.
    pub slots: Slots,
    /// Frames by which it is late against the transport.
    pub late: usize,
}
