//! What is told of a line before it is heard, and of how late what is played on a device is: by how much the desk becomes later,
//! and what it costs.

use engine::graph::Graph;

use super::Playing;
use crate::latency::{self, Late, milliseconds};
use crate::{costing, load, status};

impl Playing<'_> {
    /// By how much a text makes the master later, in words; nothing if it does not.
    pub(super) fn later(&self, planned: &Graph) -> Option<String> {
        let now = self.master_late();
        let then = latency::delivered(planned);
        let by = milliseconds(then as i64 - now as i64, self.given.rate);
        (now != then).then(|| format!("latency {by}, {} in all", milliseconds(then as i64, self.given.rate)))
    }

    /// By how many frames the master is late against the transport.
    pub(super) fn master_late(&self) -> usize {
        let nodes = self.desk.mesh().nodes.iter().filter(|node| node.current);
        let outputs = nodes.filter_map(|node| Some((latency::lowest(&node.node.role)?, node.node.late)));
        outputs.min().map_or(0, |(_, late)| late)
    }

    /// Measures what a text costs against the one that plays, beside all else, and tells of it then.
    pub(super) fn weigh(&mut self, planned: &Graph) {
        let Some(now) = self.as_it_stands().and_then(|loaded| loaded.graph) else { return };
        let planned = planned.clone();
        let work = move || {
            costing::step_back();
            costing::shares(&now, &planned)
        };
        self.aside(work, |_, shares| match shares {
            Ok(shares) => status::say(format!("plan: {}", costing::said(shares))),
            Err(flaw) => status::warning(format!("what it costs cannot be told: {flaw}")),
        });
    }

    /// How late the live inputs of the text are heard.
    pub(super) fn late_inputs(&self) -> Vec<Late> {
        if load::live_inputs(self.text.known().alone()).is_empty() {
            return Vec::new();
        }
        let graph = self.as_it_stands().and_then(|loaded| loaded.graph);
        graph.map_or_else(Vec::new, |graph| latency::of_inputs(&graph, self.arguments.buffer))
    }

    /// Says how late they are.
    pub(super) fn tell_latency(&self) {
        let late = self.late_inputs();
        if late.is_empty() {
            return status::say(
                "no live input is heard, so that nothing is late: `input(\"voice\", device(1))` is one",
            );
        }
        late.iter().for_each(|late| status::say(late.said(self.given.rate)));
        let more = match self.input {
            Some(_) => "the devices add what `gainstage ping` measures",
            None => "that would be so with a device: none is open to listen to",
        };
        status::say(more);
    }
}
