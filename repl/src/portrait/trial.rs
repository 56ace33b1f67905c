//! Effects on trial: they hear what they are given, offline, as in a session of their own.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use engine::diagnostic::{Diagnostic, Position};
use engine::effects::multiband::MULTIBAND;
use engine::graph::{Graph, Role, parameters_of};
use engine::kernel::{Buffer, QUANTUM};
use engine::media::Library;
use engine::offline::{Offline, Stream};
use engine::parameter::{Recipe, Table};
use engine::session::Session;
use engine::tempo::Tempo;
use scripting::SourceFile;

use crate::ending::Failure;
use crate::load::{self, Loaded};

/// Frames a second.
pub const RATE: f64 = 48_000.0;

/// What stands where the name of a file does.
const CALLED: &str = "what is drawn";

/// What stands before the effects that are meant, in lines of its own; and where they hear one channel.
const BEFORE: &str = "let x = input(\"x\", device(1, 2));\nx >>\n";
const BEFORE_MONO: &str = "let x = input(\"x\", device(1));\nx >>\n";

/// The parameter of what makes two channels of one: how loud that is in the middle.
const LAW: &str = "law";

/// What is heard of both sides.
pub type Sound = [Vec<f64>; 2];

/// Effects in a session of their own.
pub struct Trial {
    chain: String,
    graph: Graph,
    session: Session,
}

impl Trial {
    /// Effects as a session says them.
    ///
    /// # Errors
    /// When they are not right, which has then been shown: in what was said, whatever was put round it.
    pub fn new(chain: &str) -> Result<Trial, Failure> {
        // Alone first: where it is broken off nothing that follows is taken for a part of it.
        let alone = scripting::evaluate_text(Path::new(CALLED), chain);
        let is_broken = alone.diagnostics.iter().any(Diagnostic::is_error);
        let mut loaded = match is_broken {
            true => load::prepare_evaluated(alone, &Library::new(), |session| Tempo::new(session.pace())),
            false => loaded(BEFORE, chain),
        };
        if loaded.is_wrong() {
            if is_broken {
                // Alone it is of no use, which is no news.
                loaded.diagnostics.retain(Diagnostic::is_error);
            } else {
                loaded.diagnostics.iter_mut().for_each(|one| within(one, chain));
                loaded.files = vec![SourceFile { path: CALLED.into(), text: chain.to_owned(), is_line: false }];
            }
            loaded.show();
            return Err(Failure::Shown);
        }
        Trial::of(chain, loaded)
    }

    fn of(chain: &str, loaded: Loaded) -> Result<Trial, Failure> {
        match (loaded.graph, loaded.session) {
            (Some(graph), Some(session)) => {
                Ok(Trial { chain: chain.to_owned(), graph, session: Arc::unwrap_or_clone(session) })
            }
            _ => Err(Failure::Shown),
        }
    }

    /// The same effects where what comes in is mono; nothing where none of them makes two channels of one.
    ///
    /// # Errors
    /// They cannot be compiled for that.
    pub fn of_mono(&self) -> Result<Option<Trial>, Failure> {
        match self.most(LAW) {
            Some(_) => Trial::of(&self.chain, loaded(BEFORE_MONO, &self.chain)).map(Some),
            None => Ok(None),
        }
    }

    /// Whether sound leaves for hardware and comes back.
    pub fn is_hardware(&self) -> bool {
        !load::inserts(&self.session).is_empty()
    }

    /// Whether one of its effects is called so.
    pub fn has(&self, word: &str) -> bool {
        self.works().any(|(table, _)| table.word == word)
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
        self.all(name).reduce(f64::max)
    }

    /// The levels above or below which its effects do something, in dBFS.
    pub fn thresholds(&self) -> Vec<f64> {
        self.all("threshold").chain(self.all("ceiling")).collect()
    }

    /// Where the bands end that one of its effects takes a signal apart into, in Hz.
    pub fn crossings(&self) -> &[f64] {
        let apart = self.works().find_map(|(table, recipe)| {
            let branch = recipe.branch.filter(|_| table.word == MULTIBAND.word)?;
            recipe.values.get(..branch.count - 1)
        });
        apart.unwrap_or_default()
    }

    fn works(&self) -> impl Iterator<Item = (&'static Table, &Recipe)> {
        self.graph.nodes.iter().filter_map(|node| match &node.role {
            Role::Work { table, recipe, .. } => Some((table.0, &**recipe)),
            _ => None,
        })
    }

    /// The numbers that its effects have for a parameter of a name, in that parameter's unit.
    fn all(&self, name: &str) -> impl Iterator<Item = f64> {
        self.works().flat_map(move |(table, recipe)| {
            let named = parameters_of(table, &recipe.parts).zip(&recipe.settings);
            let named = named.filter(move |(parameter, _)| parameter.name == name);
            named.map(|(parameter, setting)| parameter.plain(setting, &self.graph.clock))
        })
    }
}

/// A session of effects and what stands before them.
fn loaded(before: &str, chain: &str) -> Loaded {
    let evaluated = scripting::evaluate_text(Path::new(CALLED), &format!("{before}{chain}\n>> master;\n"));
    load::prepare_evaluated(evaluated, &Library::new(), |session| Tempo::new(session.pace()))
}

/// Lets a diagnostic of the whole text speak of what was said: what stands behind that is its end.
fn within(diagnostic: &mut Diagnostic, said: &str) {
    let before = BEFORE.matches('\n').count() as u32;
    let lines = said.lines().count() as u32;
    let end =
        Position { file: 0, line: lines, column: said.lines().last().map_or(1, |last| last.chars().count() as u32) };
    let moved = |at: &mut Position| match at.line.checked_sub(before) {
        None | Some(0) => *at = Position::default(),
        Some(line) if line > lines => *at = end,
        Some(line) => at.line = line,
    };
    moved(&mut diagnostic.at);
    diagnostic.also.iter_mut().for_each(|(at, _)| moved(at));
}
