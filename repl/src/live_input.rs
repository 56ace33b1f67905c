//! What live inputs hear in a render: sound files, or silence.

use std::path::Path;

use engine::diagnostic::Position;
use engine::graph::{Graph, prepare};
use engine::kernel::{Buffer, QUANTUM};
use engine::media::Library;
use engine::offline::{Offline, natural_end};
use engine::parameter::Value;
use engine::session::{Cable, CableKind, MASTER, Place, PlaceId, PlaceKind, Session, Source, Tap};
use engine::sources::clip::CLIP;

use crate::arguments::LiveInput;
use crate::ending::Failure;
use crate::load;

/// A file that plays into some of the device's channels.
struct Take {
    playing: Offline,
    /// Channels of the device, from 1.
    channels: Vec<u16>,
}

/// Everything that live inputs hear.
pub struct LiveInputs {
    takes: Vec<Take>,
    channels: usize,
    end: Option<u64>,
}

impl LiveInputs {
    /// Finds a file or silence for every live input of a session.
    ///
    /// # Errors
    /// An input without either, a name that no input has, a file that cannot be played.
    pub fn new(session: &Session, choices: &[LiveInput], library: &Library) -> Result<Self, Failure> {
        let heard = load::live_inputs(session);
        for choice in choices {
            let name = match choice {
                LiveInput::Silence(Some(name)) | LiveInput::File { name, .. } => name,
                LiveInput::Silence(None) => continue,
            };
            if !heard.iter().any(|(input, _)| input == name) {
                return Err(Failure::Misuse(format!("--input: the session has no live input \"{name}\"")));
            }
        }
        let mut inputs = LiveInputs { takes: Vec::new(), channels: 0, end: None };
        for (name, channels) in &heard {
            let choice = choices.iter().find(|choice| match choice {
                LiveInput::Silence(of) => of.as_ref().is_none_or(|of| of == name),
                LiveInput::File { name: of, .. } => of == name,
            });
            inputs.channels = inputs.channels.max(channels.iter().copied().max().map_or(0, usize::from));
            match choice {
                Some(LiveInput::Silence(_)) => {}
                Some(LiveInput::File { file, .. }) => inputs.add(name, channels, file, session, library)?,
                None => {
                    return Err(Failure::Error(format!(
                        "\"{name}\" is a live input: say what it hears with --input {name}=FILE or --input silence"
                    )));
                }
            }
        }
        Ok(inputs)
    }

    /// The frame at which the last file has ended.
    pub fn end(&self) -> Option<u64> {
        self.end
    }

    /// Fills the device's channels for the next quantum.
    pub fn fill(&mut self, live: &mut Vec<Buffer>) {
        live.clear();
        live.resize(self.channels, [0.0; QUANTUM]);
        for take in &mut self.takes {
            let sound = take.playing.step(&[]);
            for (channel, buffer) in take.channels.iter().zip(sound) {
                if let Some(into) = live.get_mut(usize::from(*channel) - 1) {
                    *into = *buffer;
                }
            }
        }
    }

    /// A file is a session of its own: one clip, played to as many channels as the input has.
    fn add(
        &mut self,
        name: &str,
        channels: &[u16],
        file: &Path,
        session: &Session,
        library: &Library,
    ) -> Result<(), Failure> {
        let at = Position::default();
        let failed = |why: String| Failure::Error(format!("--input {name}: {why}"));
        let whole = std::path::absolute(file).map_err(|error| failed(error.to_string()))?;
        let mut clip = Source::new(&CLIP, at);
        let width = channels.len() as u16;
        for (parameter, setting) in CLIP.parameters.iter().zip(&mut clip.settings) {
            match parameter.name {
                "path" => setting.value = Value::Path(whole.to_string_lossy().into_owned()),
                "channels" => setting.value = Value::Channels((1..=width).collect()),
                _ => {}
            }
        }
        let mut alone = Session::new(session.folder.clone());
        alone.sample_rate = session.sample_rate;
        alone.places[MASTER.0].kind = PlaceKind::Bus { channels: channels.len() };
        alone.places.push(Place::new(name, PlaceKind::Input(vec![clip]), at));
        alone.places.push(Place::new("output", PlaceKind::Output((1..=width).collect()), at));
        for (from, to) in [(PlaceId(1), MASTER), (MASTER, PlaceId(2))] {
            alone.cables.push(Cable::new(Tap::Place(from), to, CableKind::Plug, at));
        }
        let prepared = prepare(alone, library);
        let graph: Graph = prepared.graph.ok_or_else(|| {
            let told = prepared.diagnostics.iter().find(|diagnostic| diagnostic.is_error());
            failed(told.map_or_else(String::new, |told| told.message.clone()))
        })?;
        self.end = self.end.max(natural_end(&graph, None).map(|extent| extent.most));
        let playing = Offline::new(&graph, None).map_err(|flaw| failed(flaw.to_string()))?;
        self.takes.push(Take { playing, channels: channels.to_vec() });
        Ok(())
    }
}
