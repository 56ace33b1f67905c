//! The control side of the swap: knows what runs, and makes the program that takes it to the newest text.
//!
//! Bridge, then clean: an edit gives a program in which old and new sound side by side and everything that differs is
//! ramped; once the ramps are over, [`Desk::settle`] gives the one without what has ended, whose swap changes no bit.

use std::mem;

use crate::bank::Carry;
use crate::compile::{Keep, Layout, Program, compile};
use crate::diff::{self, Changes};
use crate::graph::Graph;
use crate::keep::{self, Ledger};
use crate::listen::{Looks, Point};
use crate::mesh::Mesh;
use crate::motion::EventSource;
use crate::plan::SourceId;
use crate::render::Taken;
use crate::verify::Flaw;

/// What runs, and what has been sent to run next.
pub struct Desk {
    mesh: Mesh,
    layout: Layout,
    /// Those of the program before, until the last is taken up: taking them apart takes a while.
    before: Option<(Mesh, Layout)>,
    serial: u64,
    keep: Keep,
}

keep::keep!(Desk: serial, keep, mesh, layout);

impl Desk {
    /// A desk with its first program. `stems_of` names a place whose cables are captured on their way in.
    ///
    /// # Errors
    /// When the compiled plan does not prove right.
    pub fn open(graph: &Graph, stems_of: Option<&str>) -> Result<(Desk, Box<Program>), Flaw> {
        Desk::open_listening(graph, stems_of, Vec::new())
    }

    /// The same where somebody listens at points from the first frame on.
    ///
    /// # Errors
    /// When the compiled plan does not prove right.
    pub fn open_listening(
        graph: &Graph,
        stems_of: Option<&str>,
        points: Vec<Point>,
    ) -> Result<(Desk, Box<Program>), Flaw> {
        let mesh = diff::first(graph, 0);
        let keep = Keep { stems_of: stems_of.map(str::to_owned), looks: Looks { points, ..Looks::default() } };
        let (program, layout) = compile(&mesh, &Layout::default(), &keep, 0)?;
        Ok((Desk { mesh, layout, before: None, serial: 0, keep }, Box::new(program)))
    }

    /// A desk that goes on from what another kept while it was steady and this graph ran on it, with its program: what is
    /// kept of the state behind that is for a renderer to take up.
    ///
    /// # Errors
    /// When the compiled plan does not prove right.
    pub fn resume(graph: &Graph, stems_of: Option<&str>, kept: &mut Ledger) -> Result<(Desk, Box<Program>), Flaw> {
        let (mut desk, _) = Desk::open(graph, stems_of)?;
        keep::Keep::keep(&mut desk, kept);
        let (mut program, layout) = compile(&desk.mesh, &desk.layout.numbers(), &desk.keep, desk.serial)?;
        program.carry = Carry::default();
        desk.layout = layout;
        Ok((desk, Box::new(program)))
    }

    /// The program that goes from what runs to a graph, and what it changes; `None` when that is what runs. It is heard from
    /// frame `at` of the transport on, or at once.
    ///
    /// The program made before must have been taken up: [`Desk::taken_up`].
    ///
    /// # Errors
    /// When the compiled plan does not prove right; nothing is changed then.
    pub fn edit(&mut self, graph: &Graph, at: Option<u64>) -> Result<Option<(Box<Program>, Changes)>, Flaw> {
        let Some((mesh, changes)) = diff::edit(&self.mesh, graph) else { return Ok(None) };
        let mut program = self.go_on(mesh)?;
        program.at = at;
        Ok(Some((program, changes)))
    }

    /// What an edit to a graph would change; nothing when that is what runs.
    pub fn preview(&self, graph: &Graph) -> Option<Changes> {
        diff::edit(&self.mesh, graph).map(|(_, changes)| changes)
    }

    /// The program without what has ended by frame `now` of the renderer's clock; `None` while nothing has.
    ///
    /// # Errors
    /// When the compiled plan does not prove right; nothing is changed then.
    pub fn settle(&mut self, now: u64) -> Result<Option<Box<Program>>, Flaw> {
        match self.mesh.settled(now) {
            None => Ok(None),
            Some(mesh) => self.go_on(mesh).map(Some),
        }
    }

    /// The program that runs, looked at otherwise: its sound is the same.
    ///
    /// # Errors
    /// When the compiled plan does not prove right; nothing is changed then.
    pub fn observe(&mut self, looks: Looks) -> Result<Box<Program>, Flaw> {
        let keep = Keep { stems_of: self.keep.stems_of.clone(), looks };
        let before = std::mem::replace(&mut self.keep, keep);
        let program = self.go_on(self.mesh.clone());
        if program.is_err() {
            self.keep = before;
        }
        program
    }

    /// How the last program made is looked at.
    pub fn looks(&self) -> &Looks {
        &self.keep.looks
    }

    /// Turns the monitor, linear, from the next program on.
    pub fn turn(&mut self, trim: f64) {
        self.keep.looks.trim = trim;
    }

    /// A desk beside this one that begins with a graph, with its program: what it sounds like can be heard ahead.
    ///
    /// # Errors
    /// When the compiled plan does not prove right.
    pub fn beside(&self, graph: &Graph) -> Result<Box<Program>, Flaw> {
        let running = self.layout.of_sources();
        let (program, _) = compile(&diff::first(graph, 0), &running, &Keep::default(), 0)?;
        Ok(Box::new(program))
    }

    /// Learns when the last program was taken up.
    pub fn taken_up(&mut self, taken: Taken) {
        self.mesh.taken_up(taken.clock, taken.heard);
        self.before = None;
    }

    /// The number of something that controls listen to outside, if any does or did.
    pub fn source(&self, source: &EventSource) -> Option<SourceId> {
        self.layout.source(source)
    }

    /// What such a number stands for.
    pub fn source_of(&self, id: SourceId) -> Option<&EventSource> {
        self.layout.source_of(id)
    }

    /// What runs, or is about to.
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// The number of the last program made.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    fn go_on(&mut self, mesh: Mesh) -> Result<Box<Program>, Flaw> {
        let (program, layout) = compile(&mesh, &self.layout, &self.keep, self.serial + 1)?;
        self.serial += 1;
        self.before = Some((mem::replace(&mut self.mesh, mesh), mem::replace(&mut self.layout, layout)));
        Ok(Box::new(program))
    }
}
