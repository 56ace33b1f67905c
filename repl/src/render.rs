//! `gainstage render`: the same session, offline, to the same bits.

mod files;
mod media;

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, OnceLock};
use std::thread;

use engine::audible;
use engine::delivery::{self, Delivered, Dither, Format, Whole};
use engine::effects::dither;
use engine::figure::Figure;
use engine::graph::{Graph, Role};
use engine::measure::Figures;
use engine::media::Library;
use engine::offline::{Extent, Offline, Stream, natural_end};
use engine::session::Session;

use crate::arguments::{Depth, Length, Render};
use crate::ending::{Failure, Outcome};
use crate::live_input::LiveInputs;
use crate::load;
use crate::status::{self, Progress};
use files::Files;
use media::{Master, Medium, media};

/// Blocks of a master that have been read and are not yet in the files of a medium.
const BLOCKS_AHEAD: usize = 4;

/// Renders a session to the files that were asked for. All of them appear when all of them are whole.
pub fn run(arguments: &Render) -> Outcome {
    let library = Library::rendering();
    let mut loaded = load::load(&arguments.session, &library);
    if let Some(session) = &loaded.session {
        loaded.diagnostics.extend(audible::render_warnings(session));
    }
    loaded.show();
    let (Some(graph), Some(session)) = (&loaded.graph, &loaded.session) else {
        return Err(Failure::Shown);
    };
    if !graph.sent.is_empty() {
        status::say("what is sent to MIDI ports is silent in what is rendered");
    }
    let mut inputs = LiveInputs::new(session, &arguments.input, &library)?;
    let extent = length(&arguments.session, arguments.length, graph, session, &inputs)?;
    let stems_of = arguments.stems.is_some().then(|| arguments.stems_of.as_deref().unwrap_or("master"));
    let mut offline = Offline::new(graph, stems_of).map_err(|flaw| Failure::Error(flaw.to_string()))?;
    let outlets = Outlets { outputs: offline.outputs(), stems: offline.stems() };
    let interrupted = interruption()?;
    let begin = |medium: &Medium| {
        let dithered = dithered(medium, arguments, session, graph);
        Files::create(arguments, medium, session, &outlets, extent.least, dithered)
    };
    let number = arguments.output as usize - 1;
    let mut rendered = match arguments.target.is_empty() {
        true => Rendered::Files(begin(&Medium::plain(arguments, session))?),
        false => {
            Rendered::Master(Box::new(Master::create(arguments, session.sample_rate, outlets.channels(arguments)?)?))
        }
    };
    let progress = Progress::new("rendering", extent.most, graph.clock.rate);
    let mut done = 0;
    offline.render_ahead(
        extent,
        |live| inputs.fill(live),
        |stream, sound| {
            go_on(&interrupted)?;
            if stream == Stream::Output(0) {
                done += sound.first().map_or(0, |channel| channel.len() as u64);
                progress.at(done);
            }
            match &mut rendered {
                Rendered::Files(files) => files.write(stream, sound),
                Rendered::Master(master) if stream == Stream::Output(number) => master.write(sound),
                Rendered::Master(_) => Ok(()),
            }
        },
    )?;
    media_faults(graph)?;
    let speed = progress.finish(done);
    offline.ill().iter().for_each(|(path, frame)| status::warning(fell_ill(path, *frame, graph)));
    let files = match rendered {
        Rendered::Files(mut files) => {
            files.complete()?;
            vec![files]
        }
        Rendered::Master(mut master) => {
            let media = media(arguments, session, &master.figures())?;
            deliver(&mut master, &media, arguments, begin, &interrupted)?
        }
    };
    let mut ended = Vec::new();
    for files in files {
        ended.extend(files.end()?);
    }
    let (whole, figures): (Vec<Whole>, Vec<Option<Figures>>) = ended.into_iter().unzip();
    go_on(&interrupted)?;
    let written = Whole::publish_all(whole).map_err(|error| Failure::Error(error.to_string()))?;
    for ((path, delivered), figures) in written.iter().zip(&figures) {
        match delivered.frames {
            0 => status::say(path.display()),
            _ => tell(path, *delivered, figures.as_ref()),
        }
    }
    status::say(format!("rendered at {speed:.1} times real time"));
    Ok(())
}

/// What is said of an effect or an instrument that gave what is no number.
pub fn fell_ill(path: &str, frame: u64, graph: &Graph) -> String {
    let at = status::minutes(frame as f64 / graph.clock.rate);
    format!("{path} gave what is no number at {at}: it is passed by from there on")
}

/// What becomes of what is rendered: files at once, or a master that is measured first.
enum Rendered {
    Files(Files),
    Master(Box<Master>),
}

/// Writes a master for each medium, all at the same time, and looks at what is in the files before any has its name.
fn deliver(
    master: &mut Master,
    media: &[Medium],
    arguments: &Render,
    begin: impl Fn(&Medium) -> Result<Files, Failure>,
    interrupted: &AtomicBool,
) -> Result<Vec<Files>, Failure> {
    let mut all = media.iter().map(begin).collect::<Result<Vec<Files>, Failure>>()?;
    let stream = Stream::Output(arguments.output as usize - 1);
    let write_all = |files: &mut Files, sound: Receiver<Arc<[Vec<f64>]>>| {
        for sound in sound {
            files.write(stream, &sound.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        }
        files.complete()
    };
    thread::scope(|scope| {
        let (mut ways, mut written) = (Vec::new(), Vec::new());
        for files in &mut all {
            let (way, sound) = mpsc::sync_channel(BLOCKS_AHEAD);
            ways.push(way);
            written.push(scope.spawn(move || write_all(files, sound)));
        }
        let read = master.read(|sound| {
            go_on(interrupted)?;
            let sound: Arc<[Vec<f64>]> = sound.iter().map(|channel| channel.to_vec()).collect();
            // Who takes no more has an error of its own, which is told below.
            let sent = ways.iter().try_for_each(|way| way.send(sound.clone()));
            sent.map_err(|_| Failure::Shown)
        });
        drop(ways);
        let written = written.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)));
        written.collect::<Vec<Outcome>>().into_iter().collect::<Outcome>().and(read)
    })?;
    for (medium, files) in media.iter().zip(&all) {
        if let Some(target) = medium.target {
            status::say(format!("{}: {:+.1} dB", target.name, medium.gain));
        }
        for figures in files.figures() {
            match medium.check(&figures) {
                Err(why) if !arguments.force => return Err(Failure::Error(format!("{why}; nothing is written"))),
                Err(why) => status::warning(why),
                Ok(()) => {}
            }
        }
    }
    Ok(all)
}

/// What comes out of a rendering.
struct Outlets {
    /// How many channels each output has.
    outputs: Vec<usize>,
    /// The path of every stem, and how many channels it has.
    stems: Vec<(String, usize)>,
}

impl Outlets {
    /// How many channels the output has that is written.
    fn channels(&self, arguments: &Render) -> Result<usize, Failure> {
        let count = self.outputs.len();
        let why = || Failure::Misuse(format!("--output {}: the session has {count} of them", arguments.output));
        self.outputs.get(arguments.output as usize - 1).copied().ok_or_else(why)
    }
}

/// The depth that the text dithers to itself, as the last before the output that is written, if the file holds just that.
fn dithered(medium: &Medium, arguments: &Render, session: &Session, graph: &Graph) -> Option<u32> {
    let bits = dither::delivered_bits(graph, arguments.output as usize - 1)?;
    let (rate, depth) = (medium.rate, medium.depth.unwrap_or(Depth::Int24).engine());
    let why = match depth {
        delivery::Depth::Float32 => return None,
        _ if rate != session.sample_rate => format!("the file is resampled to {rate} Hz"),
        _ if medium.gain != 0.0 => format!("the master is turned by {:+.1} dB", medium.gain),
        _ if u32::from(depth.bits()) != bits => format!("the file has {}", depth.bits()),
        _ => return Some(bits),
    };
    status::say(format!("the text dithers to {bits} bits, and {why}: it is dithered again"));
    None
}

/// What a file is to hold.
pub fn format(depth: Depth, rate: u32, channels: usize, seed: u64, dither: Dither) -> Format {
    let depth = depth.engine();
    Format { depth, rate, channels, dither, seed }
}

/// Says what was written, and what it reads.
pub fn tell(path: &Path, delivered: Delivered, figures: Option<&Figures>) {
    let shown = |figure: Figure| {
        let value = figures.and_then(|figures| figures.get(figure));
        value.map_or(String::new(), |(value, _)| format!(", {}", figure.shown(value)))
    };
    let figures = [shown(Figure::Lufs), shown(Figure::TruePeak)].concat();
    let clipped = match delivered.clipped {
        0 => String::new(),
        n => format!(", {n} samples clipped"),
    };
    status::say(format!("{}: {} frames{figures}{clipped}", path.display(), delivered.frames));
}

/// Set by Ctrl-C, so that a rendering ends by itself and takes its unfinished files along. The same for all that ask.
pub fn interruption() -> Result<Arc<AtomicBool>, Failure> {
    static CAUGHT: OnceLock<Result<Arc<AtomicBool>, String>> = OnceLock::new();
    let caught = CAUGHT.get_or_init(|| {
        let interrupted = Arc::new(AtomicBool::new(false));
        let set = interrupted.clone();
        let handled = ctrlc::set_handler(move || set.store(true, Ordering::Relaxed));
        handled.map(|()| interrupted).map_err(|error| format!("Ctrl-C cannot be caught: {error}"))
    });
    caught.clone().map_err(Failure::Error)
}

/// Ends a job that was interrupted.
///
/// # Errors
/// It was.
pub fn go_on(interrupted: &AtomicBool) -> Outcome {
    match interrupted.load(Ordering::Relaxed) {
        true => Err(Failure::Error("interrupted; nothing is written".into())),
        false => Ok(()),
    }
}

/// How much of the session in a file is rendered: what was asked for, or up to where everything has ended and died away.
///
/// # Errors
/// Nothing was asked for, and nothing ever ends.
pub fn length(
    file: &Path,
    asked: Option<Length>,
    graph: &Graph,
    session: &Session,
    inputs: &LiveInputs,
) -> Result<Extent, Failure> {
    match asked {
        // From the beginning, at the tempo that each bar has.
        Some(Length::Bars(bars)) => return Ok((graph.tempo.frame_of_bar(bars).round() as u64).into()),
        Some(length) => return Ok(length.frames(&session.clock()).into()),
        None => {}
    }
    natural_end(graph, inputs.end()).filter(|extent| extent.most > 0).ok_or_else(|| {
        let why = "nothing in this session ever ends: say how much to render";
        Failure::Error(format!("{}: {why} with --length 30s, 16bars or 480000f", file.display()))
    })
}

/// Whether a file turned out to be damaged while it was streamed.
///
/// # Errors
/// One was.
pub fn media_faults(graph: &Graph) -> Outcome {
    for node in &graph.nodes {
        if let Role::Work { recipe, .. } = &node.role
            && let Some(fault) = recipe.media.iter().find_map(|media| media.fault())
        {
            return Err(Failure::Error(format!("{}: {fault}", node.path)));
        }
    }
    Ok(())
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
