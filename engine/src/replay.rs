//! Playing again what was played: the same calls to the same desk and renderer, at the same frames, and so the same bits.
//!
//! Who plays live keeps what the desk was asked and at which frame the audio side took each answer up. Here it is asked
//! the same again. That an answer is another program than it was is an error, never another sound.

use std::fmt;

use crate::compile::Program;
use crate::desk::Desk;
use crate::graph::Graph;
use crate::keep::{Keep, Ledger, Misfit};
use crate::kernel::Buffer;
use crate::keyboard::Touch;
use crate::listen::Looks;
use crate::motion::EventSource;
use crate::offline::wait_for_media;
use crate::render::{Moment, Renderer, Taken};
use crate::tap;
use crate::tempo::Tempo;
use crate::transport::Move;
use crate::units::Clock;
use crate::verify::Flaw;

/// A desk that plays again, as fast as the machine does. Not RT.
pub struct Replay {
    desk: Desk,
    renderer: Renderer,
    /// Frames by which the master was late when it began.
    late: u64,
    /// The same of the stems, once there are any.
    stems_late: Option<u64>,
}

impl Replay {
    /// Begins with a graph; with `stems_of`, the cables into that place come out too.
    ///
    /// # Errors
    /// When the compiled plan does not prove right.
    pub fn open(graph: &Graph, stems_of: Option<&str>) -> Result<Replay, Departure> {
        let (desk, program) = Desk::open(graph, stems_of)?;
        let late = program.plan.outputs.first().map_or(0, |output| output.late as u64);
        let stems_late = program.plan.captures.first().map(|capture| capture.late as u64);
        Ok(Replay { desk, renderer: Renderer::new(program), late, stems_late })
    }

    /// All that it takes to go on from here, between two quanta; none while anything fades in or out or rings on, or a
    /// control is yet to be left behind.
    pub fn checkpoint(&mut self) -> Option<Vec<u8>> {
        let mut kept = Ledger::writing();
        self.desk.mesh().is_steady().then(|| self.renderer.moment().keep(&mut kept))?;
        self.desk.keep(&mut kept);
        self.keep(&mut kept);
        kept.finish().ok()
    }

    /// Goes on from a checkpoint, with the graph that ran there, in the musical time that was there ([`moment`]).
    ///
    /// # Errors
    /// When the compiled plan does not prove right, or the checkpoint is not of this graph.
    pub fn resume(graph: &Graph, stems_of: Option<&str>, checkpoint: Vec<u8>) -> Result<Replay, Departure> {
        let mut kept = Ledger::reading(checkpoint);
        let mut there = Moment::beginning(graph.tempo.clone());
        there.keep(&mut kept);
        if there.tempo != graph.tempo {
            return Err(Departure::Misfit);
        }
        let (desk, program) = Desk::resume(graph, stems_of, &mut kept)?;
        let captures = program.plan.captures.first().map(|capture| capture.late as u64);
        let mut replay = Replay { desk, renderer: Renderer::new(program), late: 0, stems_late: None };
        replay.keep(&mut kept);
        replay.stems_late = replay.stems_late.or(captures);
        kept.finish().map_err(|_| Departure::Misfit)?;
        Ok(replay)
    }

    /// The musical time that the graph that runs lives in.
    pub fn tempo(&self) -> &Tempo {
        &self.desk.mesh().tempo
    }

    /// The frame that comes next.
    pub fn frame(&self) -> u64 {
        self.renderer.clock()
    }

    /// Frames at its beginning that a recording leaves out, so that it begins with the transport.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// The same of the stems; none as long as there have been none.
    pub fn stems_late(&self) -> Option<u64> {
        self.stems_late
    }

    /// A graph was taken up here, as the program `serial`, meant for the frame `wanted` of the transport or for at once;
    /// gives when it is heard.
    ///
    /// # Errors
    /// It comes out as another program, or as none.
    pub fn edit(&mut self, graph: &Graph, serial: u64, wanted: Option<u64>) -> Result<Taken, Departure> {
        let (program, _) = self.desk.edit(graph, wanted)?.ok_or(Departure::Nothing { serial })?;
        self.take_up(program, serial)
    }

    /// What had ended by `now` was left behind here, by the program `serial`.
    ///
    /// # Errors
    /// It comes out as another program, or as none.
    pub fn settle(&mut self, now: u64, serial: u64) -> Result<(), Departure> {
        let program = self.desk.settle(now)?.ok_or(Departure::Nothing { serial })?;
        self.take_up(program, serial).map(drop)
    }

    /// What is heard was metered from here on, or no more, by the program `serial`.
    ///
    /// # Errors
    /// It comes out as another program.
    pub fn meter(&mut self, on: bool, serial: u64) -> Result<(), Departure> {
        let program = self.desk.observe(Looks { meters: on, ..Looks::default() })?;
        self.take_up(program, serial).map(drop)
    }

    /// Something from outside reached the controls that listen to it.
    pub fn control(&mut self, source: &EventSource, value: f64) {
        // Of what nothing has listened to yet, nothing is heard.
        if let Some(source) = self.desk.source(source) {
            self.renderer.hear(source, value);
        }
    }

    /// Something was done to a keyboard, for the instruments that it plays.
    pub fn touch(&mut self, source: &EventSource, touch: Touch) {
        if let Some(source) = self.desk.source(source) {
            self.renderer.touch(source, touch);
        }
    }

    /// The transport took an order.
    pub fn order(&mut self, order: Move) {
        self.renderer.order(order);
    }

    /// What follows the moment and the desk.
    fn keep(&mut self, kept: &mut Ledger) {
        self.late.keep(kept);
        self.stems_late.keep(kept);
        self.renderer.keep(kept);
    }

    fn take_up(&mut self, mut program: Box<Program>, serial: u64) -> Result<Taken, Departure> {
        if program.serial != serial {
            return Err(Departure::Another { serial, found: program.serial });
        }
        let taken = self.renderer.exchange(&mut program);
        self.desk.taken_up(taken);
        let captures = &self.renderer.program().plan.captures;
        self.stems_late = self.stems_late.or(captures.first().map(|capture| capture.late as u64));
        Ok(taken)
    }

    /// Renders a quantum from this live input, a buffer a channel; the works whose sound had not come in time are silent,
    /// for all others it is waited.
    pub fn quantum(&mut self, live: &[Buffer], silent: &[usize]) {
        wait_for_media(&self.renderer);
        self.renderer.quantum_without(live, silent);
    }

    /// What a recording takes of the quantum: `channels` channels of the output with the lowest, rounded to 32 bits.
    pub fn master(&self, channels: usize) -> Vec<Buffer> {
        let channel = |channel: usize| std::array::from_fn(|i| f64::from(tap::output(&self.renderer, channel, i)));
        (0..channels).map(channel).collect()
    }

    /// The path and the sound of each stem of the quantum, in path order. Those of one path belong together: one comes as
    /// the other goes.
    pub fn stems(&self) -> impl Iterator<Item = (&str, &[Buffer])> {
        let paths = self.renderer.program().plan.captures.iter().map(|capture| capture.path.as_str());
        paths.zip(self.renderer.captures())
    }
}

/// Where the desk of a checkpoint was, whose rate was this.
///
/// # Errors
/// It is no checkpoint.
pub fn moment(checkpoint: &[u8], rate: f64) -> Result<Moment, Misfit> {
    let mut moment = Moment::beginning(Tempo::new(Clock { rate, tempo: 120.0, beats_per_bar: 4.0 }));
    // What follows is not looked at, and so it does not end here.
    let mut kept = Ledger::reading(checkpoint.to_vec());
    moment.keep(&mut kept);
    if kept.has_failed() { Err(Misfit) } else { Ok(moment) }
}

/// Why a performance cannot be played again.
#[derive(Debug)]
pub enum Departure {
    /// A plan does not prove right.
    Flaw(Flaw),
    /// Where a program was taken up the desk has none to give.
    Nothing {
        /// The number of the program.
        serial: u64,
    },
    /// A checkpoint is of something else.
    Misfit,
    /// Another program comes next.
    Another {
        /// The number that it should have.
        serial: u64,
        /// The number that it has.
        found: u64,
    },
}

impl From<Flaw> for Departure {
    fn from(flaw: Flaw) -> Self {
        Departure::Flaw(flaw)
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Departure::Flaw(flaw) => flaw.fmt(f),
            Departure::Misfit => Misfit.fmt(f),
            Departure::Nothing { serial } => {
                write!(f, "program {serial} comes out as what played already, and it was another")
            }
            Departure::Another { serial, found } => write!(f, "program {found} comes where program {serial} was"),
        }
    }
}

impl std::error::Error for Departure {}
