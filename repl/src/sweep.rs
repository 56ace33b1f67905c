//! `gainstage sweep`: measures a room, a piece of gear, or a session, and writes what it found: the impulse response, the
//! figures, a picture.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use engine::delivery::{self, Dither, FileWriter, Format, Measured, Tags, Whole};
use engine::kernel::{Buffer, QUANTUM};
use engine::loopback::{Errand, Heard};
use engine::media::Library;
use engine::offline::{Offline, Stream};
use engine::response::{CLEAR_DB, Impulse, Swept};

use crate::arguments::Sweep;
use crate::ending::{Failure, Outcome};
use crate::errand::{carry, judge, unclear};
use crate::load;
use crate::render::{interruption, tell};
use crate::status::{self, Progress};

mod figures;
mod picture;

use figures::{Channel, Figures};

/// Seconds of silence before the sweep, in which the way opens and the noise is measured.
const LEAD: f64 = 1.0;

/// How much of what comes before the peak of a response is written, in milliseconds.
const BEFORE_MS: f64 = 1.0;

/// Measures, and writes the three files once all of them are whole.
pub fn run(arguments: &Sweep) -> Outcome {
    let Sweep { from, to, .. } = *arguments;
    if to < 2.0 * from {
        return Err(Failure::Misuse(format!("a sweep goes up by at least an octave, not from {from} to {to} Hz")));
    }
    let interrupted = interruption()?;
    let (heard, swept) = match &arguments.through {
        Some(session) => through(session, arguments, &interrupted)?,
        None => {
            let errand = errand(arguments, f64::from(arguments.way.rate))?;
            // What cannot be written is better told before anything sounds.
            drop(Files::create(&arguments.name, errand.swept.rate as u32, arguments.input.len())?);
            (carry(&errand, &arguments.way, &arguments.output, &arguments.input, &interrupted)?, errand.swept)
        }
    };
    let mut impulses = Vec::with_capacity(heard.answer.len());
    for (i, answer) in heard.answer.iter().enumerate() {
        let called = called(arguments, i);
        judge(&heard, i, &called)?;
        let impulse = Impulse::new(&heard.sent, answer, swept);
        if impulse.clearness() < CLEAR_DB {
            return Err(unclear(&called));
        }
        impulses.push(impulse);
    }
    let files = Files::create(&arguments.name, swept.rate as u32, impulses.len())?;
    let first = impulses.iter().map(Impulse::peak).min().unwrap_or(0);
    let before = (BEFORE_MS * swept.rate / 1000.0) as usize;
    let responses: Vec<Vec<f64>> = impulses.iter().map(|one| one.response(one.peak() - first + before)).collect();
    let channels = impulses.iter().enumerate().map(|(i, impulse)| {
        let input = if arguments.through.is_some() { i as u16 + 1 } else { arguments.input[i] };
        Channel::new(input, impulse, &heard.silence[i], &heard.answer[i], responses[i].len() - 1)
    });
    let figures = Figures::new(arguments, swept, first, before, channels.collect());
    let drawn = picture::draw(&figures, &responses, &arguments.title(), arguments.theme.into());
    let drawn = drawn.map_err(|why| Failure::Error(format!("the picture cannot be drawn: {why}")))?;
    if interrupted.load(Ordering::Relaxed) {
        return Err(Failure::Error("interrupted; nothing is written".into()));
    }
    files.finish(&responses, &figures.json()?, &drawn)?;
    io::stdout().write_all(figures.told().as_bytes())?;
    Ok(())
}

impl Sweep {
    /// What the picture is called.
    fn title(&self) -> String {
        self.name.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

fn called(arguments: &Sweep, index: usize) -> String {
    match &arguments.through {
        Some(session) => format!("channel {} of {}", index + 1, session.display()),
        None => format!("input {}", arguments.input[index]),
    }
}

fn errand(arguments: &Sweep, rate: f64) -> Result<Errand, Failure> {
    let Sweep { from, to, time: seconds, tail, level, .. } = *arguments;
    if to > 0.48 * rate {
        return Err(Failure::Misuse(format!("--to {to}: at {rate} Hz a sweep ends at {} Hz at most", 0.48 * rate)));
    }
    let swept = Swept { from, to, seconds, rate };
    Ok(Errand { swept, level, lead: (LEAD * rate) as usize, tail: (tail * rate) as usize })
}

/// What a session makes of the sweep, offline: each of its live inputs hears it.
fn through(file: &Path, arguments: &Sweep, interrupted: &AtomicBool) -> Result<(Heard, Swept), Failure> {
    let library = Library::new();
    let loaded = load::load(file, &library);
    loaded.show();
    let (Some(graph), Some(session)) = (&loaded.graph, &loaded.session) else { return Err(Failure::Shown) };
    let inputs = load::live_inputs(session).iter().flat_map(|(_, channels)| channels).copied().max();
    let Some(inputs) = inputs else {
        return Err(Failure::Error(format!(
            "{}: nothing in it hears the sweep; give it a live input: `input(\"in\", device(1))`",
            file.display()
        )));
    };
    if let Some((insert, _)) = load::inserts(session).first() {
        return Err(Failure::Error(format!(
            "\"{insert}\" is a live input: what hardware makes of the sweep nobody knows here; give it .bypass(on), or \
             measure the hardware itself, without --through"
        )));
    }
    let errand = errand(arguments, graph.clock.rate)?;
    let failed = |flaw: engine::verify::Flaw| Failure::Error(flaw.to_string());
    let mut playing = errand.playing().map_err(Failure::Misuse)?;
    let mut offline = Offline::new(graph, None).map_err(failed)?;
    let mut all = vec![Vec::with_capacity(errand.frames()); offline.outputs().first().copied().unwrap_or(0)];
    let frames = errand.frames() as u64;
    let progress = Progress::new("measuring", frames, errand.swept.rate);
    offline.render(
        frames,
        |live| {
            let sweep = playing.step(&[]).first().copied().unwrap_or([0.0; QUANTUM]);
            // As a device takes it.
            let sweep: Buffer = sweep.map(|x| f64::from(x as f32));
            live.clear();
            live.resize(usize::from(inputs), sweep);
        },
        |stream, sound| {
            if interrupted.load(Ordering::Relaxed) {
                return Err(Failure::Error("interrupted; nothing is written".into()));
            }
            if stream == Stream::Output(0) {
                all.iter_mut().zip(sound).for_each(|(all, sound)| all.extend_from_slice(sound));
                progress.at(all.first().map_or(0, Vec::len) as u64);
            }
            Ok(())
        },
    )?;
    progress.finish(frames);
    let heard = errand.heard(&all).map_err(Failure::Error)?;
    Ok((heard, errand.swept))
}

/// The files to be written.
struct Files {
    wav: FileWriter,
    figures: PathBuf,
    picture: PathBuf,
}

impl Files {
    /// That they can be written, and the beginning of the first.
    fn create(name: &Path, rate: u32, channels: usize) -> Result<Files, Failure> {
        let with = |ending: &str| {
            let mut whole = OsString::from(name);
            whole.push(ending);
            PathBuf::from(whole)
        };
        if name.file_name().is_none() {
            return Err(Failure::Misuse(format!("-o {}: the name of a file is missing", name.display())));
        }
        let format = Format { depth: delivery::Depth::Float32, rate, channels, dither: Dither::None, seed: 0 };
        let (figures, picture) = (with(".json"), with(".svg"));
        for path in [&figures, &picture] {
            Whole::of_bytes(path, &[]).map_err(failed)?;
        }
        let wav = FileWriter::create(&with(".wav"), format, &Tags::default()).map_err(failed)?;
        Ok(Files { wav, figures, picture })
    }

    /// Writes them all; then each gets its name.
    fn finish(self, responses: &[Vec<f64>], figures: &str, picture: &str) -> Outcome {
        let Files { mut wav, figures: json, picture: svg } = self;
        wav.write(responses).map_err(failed)?;
        let whole = |path: &Path, text: &str| Whole::of_bytes(path, text.as_bytes()).map_err(failed);
        let all = vec![wav.end(&Measured::default()).map_err(failed)?, whole(&json, figures)?, whole(&svg, picture)?];
        for (path, delivered) in Whole::publish_all(all).map_err(failed)? {
            match delivered.frames {
                0 => status::say(path.display()),
                _ => tell(&path, delivered, None),
            }
        }
        Ok(())
    }
}

fn failed(error: delivery::DeliveryError) -> Failure {
    Failure::Error(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_cannot_have_its_name_leaves_none_of_them() {
        for taken in ["x.json", "x.svg", "x.wav"] {
            let place = tempfile::tempdir().expect("there is room");
            let files = Files::create(&place.path().join("x"), 48_000, 1).expect("it can be written");
            fs::create_dir(place.path().join(taken)).expect("there is room");
            let refused = files.finish(&[vec![0.5; 10]], "{}", "<svg/>").expect_err("a folder has the name");
            assert!(refused.to_string().contains("it is a folder"), "{refused}");
            let left: Vec<_> =
                fs::read_dir(place.path()).expect("it is there").flatten().map(|one| one.file_name()).collect();
            assert_eq!(left, [taken]);
        }
    }
}
