//! What moves the numbers of a plan: which state each control goes on with, and what moved them before.

use super::{Compiler, ControlId};
use crate::graph::{Controlled, NodeControl};
use crate::mesh::{Id, Phase};
use crate::motion::{EventSource, Motion, State};
use crate::plan::{PlanControl, PlanMotion, Slots, SourceId};

impl Compiler<'_> {
    /// A control at work, following what is in `heard`.
    pub(super) fn control(&mut self, control: &NodeControl, heard: Option<Slots>) -> PlanControl {
        let id: ControlId = (control.path.clone(), control.motion.kind());
        let motion = match self.layout.motions.get(&id) {
            Some((motion, ..)) => *motion,
            None => self.motion(id, control),
        };
        PlanControl { of: control.of, motion: Some(motion), before: None, heard, followed: None }
    }

    /// Lets what moved the numbers of a node or an edge go on to move them until the program's frame has come, wherever the
    /// text now has another control or a plain number. What followed a signal stays where it is: it is not heard any more.
    pub(super) fn with_what_moved(&mut self, id: Id, mut controls: Vec<PlanControl>) -> Vec<PlanControl> {
        let running = self.running;
        let moved = running.moved.range((id, Controlled::Value(0))..).take_while(|((of, _), _)| *of == id);
        for (&(_, of), control_id) in moved {
            let Some((old, before, version)) = running.motions.get(control_id) else { continue };
            let now = controls.iter().position(|control| control.of == of);
            let motion = now.and_then(|n| controls[n].motion);
            if motion.is_some_and(|n| self.plan.motions[n].version == *version) {
                continue;
            }
            let leaving = self.add_motion(control_id.0.clone(), before.clone(), *version);
            self.carry.motions.push((*old, leaving));
            match now {
                Some(n) => controls[n].before = Some(leaving),
                None => {
                    controls.push(PlanControl { of, motion: None, before: Some(leaving), heard: None, followed: None })
                }
            }
        }
        for control in &controls {
            if let Some(PlanMotion { path, motion, .. }) = control.motion.map(|n| &self.plan.motions[n]) {
                self.layout.moved.insert((id, control.of), (path.clone(), motion.kind()));
            }
        }
        controls
    }

    /// What the text has now decides how a control moves, also where something older still goes along with it.
    pub(super) fn motions_of_the_text(&mut self) {
        let mesh = self.mesh;
        let nodes = mesh.nodes.iter().filter(|node| node.current).flat_map(|node| &node.node.controls);
        let edges =
            mesh.edges.iter().filter(|edge| !matches!(edge.phase, Phase::Leaving(_))).flat_map(|edge| &edge.control);
        for control in nodes.chain(edges) {
            self.control(control, None);
        }
    }

    fn motion(&mut self, id: ControlId, control: &NodeControl) -> usize {
        let motion = self.plan.motions.len();
        let version = match self.running.motions.get(&id) {
            Some((old, before, version)) => {
                self.carry.motions.push((*old, motion));
                (*before == control.motion).then_some(*version)
            }
            None => None,
        };
        let version = version.unwrap_or_else(|| {
            self.layout.fresh += 1;
            self.layout.fresh
        });
        self.layout.motions.insert(id, (motion, control.motion.clone(), version));
        self.add_motion(control.path.clone(), control.motion.clone(), version)
    }

    fn add_motion(&mut self, path: String, motion: Motion, version: u64) -> usize {
        let source = match &motion {
            Motion::Event { source, .. } => Some(self.source(source)),
            _ => None,
        };
        self.plan.motions.push(PlanMotion { path, motion, version, source });
        self.bank.motions.push(State { frame: 0, value: 0.0 });
        self.plan.motions.len() - 1
    }

    /// The number of what is listened to outside.
    pub(super) fn source(&mut self, source: &EventSource) -> SourceId {
        self.layout.source(source).unwrap_or_else(|| {
            self.layout.sources.push(source.clone());
            SourceId(self.layout.sources.len() as u32 - 1)
        })
    }

    /// The controls of a node, with what they follow.
    pub(super) fn controls(&mut self, i: usize) -> Vec<PlanControl> {
        let node = &self.node(i).node;
        let mut following = 0;
        let controls = node.controls.iter().enumerate().map(|(k, control)| {
            let heard = self.followed[i].iter().find(|(n, _)| *n == k).map(|(_, slots)| *slots);
            let mut planned = self.control(control, heard);
            if heard.is_some() {
                planned.followed = Some(following);
                following += 1;
            }
            planned
        });
        let controls = controls.collect();
        self.plan.followed = self.plan.followed.max(following);
        self.with_what_moved(self.node(i).id, controls)
    }
}
