//! Effects on trial: they hear what they are given, offline, as in a session of their own.

use std::convert::Infallible;
use std::path::Path;

use engine::graph::{Graph, Role, parameters_of};
use engine::kernel::{Buffer, QUANTUM};
use engine::media::Library;
use engine::offline::{Offline, Stream};
use engine::session::Session;
use engine::tempo::Tempo;

use crate::ending::Failure;
use crate::load;

/// Frames a second.
pub const RATE: f64 = 48_000.0;

/// What is heard of both sides.
pub type Sound = [Vec<f64>; 2];

/// Effects in a session of their own.
pub struct Trial {
    graph: Graph,
    session: Session,
}

impl Trial {
    /// Effects as a session says them.
    ///
    /// # Errors
    /// When they are not right, which has then been shown.
    pub fn new(chain: &str) -> Result<Trial, Failure> {
        let text = format!("let x = input(\"x\", device(1, 2));\nx >> {chain} >> master;\n");
        let evaluated = scripting::evaluate_text(Path::new("what is drawn"), &text);
        let loaded = load::prepare_evaluated(evaluated, &Library::new(), |session| Tempo::new(session.pace()));
        if loaded.is_wrong() {
            loaded.show();
        }
        match (loaded.graph, loaded.session) {
            (Some(graph), Some(session)) => Ok(Trial { graph, session }),
            _ => Err(Failure::Shown),
        }
    }

    /// Whether sound leaves for hardware and comes back.
    pub fn is_hardware(&self) -> bool {
        !load::inserts(&self.session).is_empty()
    }

    /// What comes out of what goes in: left and right of each frame.
    ///
    /// # Errors
    /// When the plan does not prove right.
    pub fn hear(&self, frames: usize, sound: impl Fn(usize) -> [f64; 2]) -> Result<Sound, Failure> {
        let mut offline = Offline::new(&self.graph, None).map_err(|flaw| Failure::Error(flaw.to_string()))?;
        let (mut now, mut heard) = (0, [Vec::with_capacity(frames), Vec::with_capacity(frames)]);
        let played = offline.render(
            frames as u64,
            |live| {
                let (mut left, mut right): (Buffer, Buffer) = ([0.0; QUANTUM], [0.0; QUANTUM]);
                for (i, (left, right)) in left.iter_mut().zip(&mut right).enumerate() {
                    [*left, *right] = sound(now + i);
                }
                now += QUANTUM;
                live.clear();
                live.extend([left, right]);
            },
            |stream, sound| {
                if stream == Stream::Output(0) {
                    heard.iter_mut().zip(sound).for_each(|(all, sound)| all.extend_from_slice(sound));
                }
                Ok::<(), Infallible>(())
            },
        );
        let Ok(()) = played;
        Ok(heard)
    }

    /// The largest number that any of its effects has for a parameter of a name, in that parameter's unit.
    pub fn most(&self, name: &str) -> Option<f64> {
        let works = self.graph.nodes.iter().filter_map(|node| match &node.role {
            Role::Work { table, recipe, .. } => Some((table, recipe)),
            _ => None,
        });
        let values = works.flat_map(|(table, recipe)| {
            let named = parameters_of(table.0, &recipe.parts).zip(&recipe.settings);
            let named = named.filter(|(parameter, _)| parameter.name == name);
            named.map(|(parameter, setting)| parameter.plain(setting, &self.graph.clock))
        });
        values.reduce(f64::max)
    }
}
