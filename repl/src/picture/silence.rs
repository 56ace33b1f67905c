//! What is declared and silent whatever is played: places that nothing flows into, and what leads to no output, which is then
//! no part of what is compiled.

use std::collections::BTreeSet;

use engine::graph::Graph;
use engine::names::Names;
use engine::session::{CableId, InstanceId, PlaceId, PlaceKind, Session};

/// Why places are silent, as a picture says it.
pub const NOTHING_IN: &str = "nothing flows in";
pub const NO_OUTPUT: &str = "leads to no output";

/// What of a session is silent.
pub struct Silence<'a> {
    session: &'a Session,
    names: &'a Names,
    /// The paths of all that is compiled, or sent to MIDI ports.
    heard: BTreeSet<&'a str>,
}

impl<'a> Silence<'a> {
    pub fn of(session: &'a Session, graph: &'a Graph, names: &'a Names) -> Self {
        let nodes = graph.nodes.iter().flat_map(|node| node.names.iter().map(String::as_str).chain([&*node.path]));
        let heard = nodes.chain(graph.sent.iter().map(|sent| &*sent.path)).collect();
        Silence { session, names, heard }
    }

    /// Why a place is silent, if it is.
    pub fn of_place(&self, id: PlaceId) -> Option<&'static str> {
        if !self.is_place_heard(id) {
            return Some(NO_OUTPUT);
        }
        let adds = matches!(self.session.places[id.0].kind, PlaceKind::Bus { .. });
        (adds && self.session.cables.iter().all(|cable| cable.to != id)).then_some(NOTHING_IN)
    }

    /// Whether a cable carries nothing, since it leads nowhere or comes from where nothing is.
    pub fn of_cable(&self, id: CableId) -> bool {
        let cable = &self.session.cables[id.0];
        self.of_place(self.session.origin(cable.from)).is_some() || !self.is_place_heard(cable.to)
    }

    /// Whether an effect leads to no output.
    pub fn of_effect(&self, id: InstanceId) -> bool {
        !self.names.instance(id).iter().any(|name| self.heard.contains(&**name))
    }

    fn is_place_heard(&self, id: PlaceId) -> bool {
        let name = self.names.place(id);
        let regions = match &self.session.places[id.0].kind {
            PlaceKind::Input(sources) => sources.len(),
            _ => 0,
        };
        self.heard.contains(name) || (1..=regions).any(|n| self.heard.contains(&*format!("{name}#{n}")))
    }
}
