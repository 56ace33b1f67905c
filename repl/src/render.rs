//! `gainstage render`: the same session, offline, to the same bits.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::audible;
use engine::delivery::{self, Delivered, FileWriter, Format};
use engine::graph::{Graph, Role};
use engine::media::Library;
use engine::offline::{Offline, Stream, natural_end};
use engine::resample::Resampler;
use engine::session::Session;

use crate::arguments::{Depth, Render};
use crate::ending::{Failure, Outcome};
use crate::live_input::LiveInputs;
use crate::load;
use crate::status::{self, Progress};

/// Renders a session to the files that were asked for. All of them appear when all of them are whole.
pub fn run(arguments: &Render) -> Outcome {
    let library = Library::new();
    let mut loaded = load::load(&arguments.session, &library);
    if let Some(session) = &loaded.session {
        loaded.diagnostics.extend(audible::render_warnings(session));
    }
    loaded.show();
    let (Some(graph), Some(session)) = (&loaded.graph, &loaded.session) else {
        return Err(Failure::Shown);
    };
    let mut inputs = LiveInputs::new(session, &arguments.input, &library)?;
    let frames = length(arguments, graph, session, &inputs)?;
    let stems_of = arguments.stems.is_some().then(|| arguments.stems_of.as_deref().unwrap_or("master"));
    let mut offline = Offline::new(graph, stems_of).map_err(|flaw| Failure::Error(flaw.to_string()))?;
    let interrupted = interruption()?;
    let mut files = Files::create(arguments, session, &offline)?;
    let progress = Progress::new("rendering", frames, graph.clock.rate);
    let mut done = 0;
    offline.render(
        frames,
        |live| inputs.fill(live),
        |stream, sound| {
            if interrupted.load(Ordering::Relaxed) {
                return Err(Failure::Error("interrupted; nothing is written".into()));
            }
            if stream == Stream::Output(0) {
                done += sound.first().map_or(0, |channel| channel.len() as u64);
                progress.at(done);
            }
            files.write(stream, sound)
        },
    )?;
    media_faults(graph)?;
    let written = files.finish()?;
    let speed = progress.finish(frames);
    written.iter().for_each(|(path, delivered)| tell(path, *delivered));
    status::say(format!("rendered at {speed:.1} times real time"));
    Ok(())
}

/// What a file is to hold: dithered, if it holds integers.
pub fn format(depth: Depth, rate: u32, channels: usize, seed: u64) -> Format {
    let depth = match depth {
        Depth::Int16 => delivery::Depth::Int16,
        Depth::Int24 => delivery::Depth::Int24,
        Depth::Float32 => delivery::Depth::Float32,
    };
    Format { depth, rate, channels, dither: depth != delivery::Depth::Float32, seed }
}

/// Says what was written.
pub fn tell(path: &Path, delivered: Delivered) {
    let clipped = match delivered.clipped {
        0 => String::new(),
        n => format!(", {n} samples clipped"),
    };
    status::say(format!("{}: {} frames{clipped}", path.display(), delivered.frames));
}

/// Set by Ctrl-C, so that a rendering ends by itself and takes its unfinished files along.
pub fn interruption() -> Result<Arc<AtomicBool>, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let set = interrupted.clone();
    ctrlc::set_handler(move || set.store(true, Ordering::Relaxed))
        .map_err(|error| Failure::Error(format!("Ctrl-C cannot be caught: {error}")))?;
    Ok(interrupted)
}

fn length(arguments: &Render, graph: &Graph, session: &Session, inputs: &LiveInputs) -> Result<u64, Failure> {
    if let Some(length) = arguments.length {
        return Ok(length.frames(&session.clock()));
    }
    natural_end(graph, inputs.end()).filter(|frames| *frames > 0).ok_or_else(|| {
        let why = "nothing in this session ever ends: say how much to render";
        Failure::Error(format!("{}: {why} with --length 30s, 16bars or 480000f", arguments.session.display()))
    })
}

/// Whether a file turned out to be damaged while it was streamed.
fn media_faults(graph: &Graph) -> Outcome {
    for node in &graph.nodes {
        if let Role::Work { recipe, .. } = &node.role
            && let Some(fault) = recipe.media.iter().find_map(|media| media.fault())
        {
            return Err(Failure::Error(format!("{}: {fault}", node.path)));
        }
    }
    Ok(())
}

/// One file to be written.
struct Target {
    stream: Stream,
    path: PathBuf,
    writer: FileWriter,
    resampler: Option<Resampler>,
    /// What the resampler gave and is not yet written.
    ready: Vec<Vec<f64>>,
}

/// Every file to be written.
struct Files {
    targets: Vec<Target>,
}

impl Files {
    fn create(arguments: &Render, session: &Session, offline: &Offline) -> Result<Self, Failure> {
        let mut files = Files { targets: Vec::new() };
        if let Some(path) = &arguments.file {
            let number = arguments.output as usize - 1;
            let outputs = offline.outputs();
            let channels = *outputs.get(number).ok_or_else(|| {
                let count = outputs.len();
                Failure::Misuse(format!("--output {}: the session has {count} of them", arguments.output))
            })?;
            let depth = arguments.bits.unwrap_or(Depth::Int24);
            files.add(arguments, session, Stream::Output(number), path.clone(), channels, depth)?;
        }
        if let Some(dir) = &arguments.stems {
            let of = arguments.stems_of.as_deref().unwrap_or("master");
            let stems = offline.stems();
            if stems.is_empty() {
                return Err(Failure::Error(format!("nothing is plugged into \"{of}\", so there are no stems of it")));
            }
            fs::create_dir_all(dir).map_err(|error| Failure::Error(format!("{}: {error}", dir.display())))?;
            let depth = arguments.bits.unwrap_or(Depth::Float32);
            let name = arguments.session.file_stem().unwrap_or_default().to_string_lossy();
            for (i, (path, channels)) in stems.iter().enumerate() {
                let file = dir.join(stem_name(&name, path, of));
                if files.targets.iter().any(|target| target.path == file) {
                    let shown = file.display();
                    return Err(Failure::Error(format!("two stems would be called {shown}: name their cables apart")));
                }
                files.add(arguments, session, Stream::Stem(i), file, *channels, depth)?;
            }
        }
        Ok(files)
    }

    fn add(
        &mut self,
        arguments: &Render,
        session: &Session,
        stream: Stream,
        path: PathBuf,
        channels: usize,
        depth: Depth,
    ) -> Outcome {
        let rate = arguments.rate.unwrap_or(session.sample_rate);
        let format = format(depth, rate, channels, session.seed);
        let writer = FileWriter::create(&path, format).map_err(|error| Failure::Error(error.to_string()))?;
        let resampler = (rate != session.sample_rate)
            .then(|| Resampler::new(session.sample_rate, rate, channels))
            .transpose()
            .map_err(|error| Failure::Misuse(format!("--rate: {error}")))?;
        self.targets.push(Target { stream, path, writer, resampler, ready: vec![Vec::new(); channels] });
        Ok(())
    }

    fn write(&mut self, stream: Stream, sound: &[&[f64]]) -> Outcome {
        for target in self.targets.iter_mut().filter(|target| target.stream == stream) {
            let written = match &mut target.resampler {
                None => target.writer.write(sound),
                Some(resampler) => {
                    resampler.push(sound, &mut target.ready);
                    target.write_ready()
                }
            };
            written.map_err(|error| Failure::Error(error.to_string()))?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<(PathBuf, Delivered)>, Failure> {
        let failed = |error: delivery::DeliveryError| Failure::Error(error.to_string());
        for target in &mut self.targets {
            if let Some(resampler) = &mut target.resampler {
                resampler.finish(&mut target.ready);
                target.write_ready().map_err(failed)?;
            }
        }
        let whole = self.targets.into_iter().map(|target| target.writer.end()).collect::<Result<_, _>>();
        delivery::Whole::publish_all(whole.map_err(failed)?).map_err(failed)
    }
}

impl Target {
    fn write_ready(&mut self) -> Result<(), delivery::DeliveryError> {
        self.writer.write(&self.ready)?;
        self.ready.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}

/// `SESSION-voice.wav` for the cable `voice>master`, `SESSION-voice-dry.wav` for `voice>master:dry`.
pub fn stem_name(session: &str, cable: &str, of: &str) -> String {
    let (from, to) = cable.split_once('>').unwrap_or((cable, ""));
    match to.strip_prefix(of).and_then(|rest| rest.strip_prefix(':')) {
        Some(name) => format!("{session}-{from}-{name}.wav"),
        None => format!("{session}-{from}.wav"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_is_named_after_what_is_plugged_in() {
        assert_eq!(stem_name("night", "voice>master", "master"), "night-voice.wav");
        assert_eq!(stem_name("night", "voice>master:dry", "master"), "night-voice-dry.wav");
        assert_eq!(stem_name("night", "kick+snare>drums", "drums"), "night-kick+snare.wav");
    }
}
