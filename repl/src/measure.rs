//! `gainstage measure`: the figures of sound files and sessions, as a table or as JSON, against what media want, and as a
//! picture.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use engine::measure::{Layout, Measurement, album, joined, parts};
use engine::media::Track;
use engine::target::Target;

use crate::arguments::{Length, Measure};
use crate::ending::{Failure, Outcome};
use crate::render::interruption;
use crate::status::{self, Progress};

mod picture;
mod pipe;
mod report;
mod session;

use picture::{Sketch, Sounding};
use pipe::Pipe;
use report::Report;

/// The name under which standard input is measured.
const STANDARD_INPUT: &str = "-";

/// A file that was measured.
struct Measured {
    measurement: Measurement,
    /// What a picture is drawn from, if one is.
    sketch: Option<Sketch>,
    /// What a session is made for.
    target: Option<&'static Target>,
    /// What is worth a warning.
    warnings: Vec<String>,
}

/// Measures the files, several at a time, and tells of them in their order. A file with an error does not stop the others.
pub fn run(arguments: &Measure) -> Outcome {
    let Measure { files, plot, .. } = arguments;
    if arguments.targets {
        return report::tell_targets(arguments.json);
    }
    if plot.is_some() && files.len() > 2 {
        return Err(Failure::Misuse("--plot draws one file or session, or two over each other".into()));
    }
    if files.iter().filter(|file| file.as_path() == Path::new(STANDARD_INPUT)).count() > 1 {
        return Err(Failure::Misuse("standard input can be read once".into()));
    }
    let sessions = files.iter().filter(|file| session::is_session(file)).count();
    if let (Some(Length::Bars(_)), true) = (arguments.length, sessions < files.len()) {
        return Err(Failure::Misuse("a sound file has no bars: --length 30s, 480000f".into()));
    }
    if sessions == 0 && !arguments.input.is_empty() {
        return Err(Failure::Misuse("--input: only a session has live inputs".into()));
    }
    let interrupted = interruption()?;
    let measured = all(arguments, &interrupted);
    let mut report = Report::new(arguments);
    for (file, measured) in files.iter().zip(&measured) {
        let name = file.display().to_string();
        match measured {
            Ok(Measured { measurement, warnings, .. }) => {
                warnings.iter().for_each(|warning| status::warning(format!("{name}: {warning}")));
                report.add(&name, measurement.layout().name(), measurement.figures());
            }
            Err(why) => {
                status::error(why);
                report.add_error(&name, why);
            }
        }
    }
    if arguments.album {
        add_album(&mut report, &measured);
    }
    if let Some(plot) = plot {
        draw(plot, arguments, &measured)?;
    }
    report.tell(arguments.json)
}

/// Draws what was measured, if all of it was.
fn draw(plot: &Path, arguments: &Measure, measured: &[Result<Measured, String>]) -> Outcome {
    let mut targets = arguments.target.clone();
    for own in measured.iter().flatten().filter_map(|one| one.target) {
        if !targets.contains(&own) {
            targets.push(own);
        }
    }
    let name = |file: &Path| file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let names = match &arguments.files[..] {
        // Two of one name are told apart by their folders.
        [one, other] if name(one) != name(other) => vec![name(one), name(other)],
        files => files.iter().map(|file| file.display().to_string()).collect(),
    };
    let soundings = measured.iter().zip(names).filter_map(|(measured, name)| {
        let measured = measured.as_ref().ok()?;
        Some(Sounding { name, sketch: measured.sketch.as_ref()?, measurement: &measured.measurement })
    });
    match &soundings.collect::<Vec<_>>()[..] {
        [one] if measured.len() == 1 => picture::draw(plot, one, &targets, arguments.theme.into()),
        [before, after] => picture::draw_both(plot, [before, after], &targets, arguments.theme.into()),
        _ => Ok(()),
    }
}

/// The total of all files that have figures, if they can be told as one.
fn add_album(report: &mut Report, measured: &[Result<Measured, String>]) {
    let sounds: Vec<&Measurement> = measured.iter().flatten().map(|measured| &measured.measurement).collect();
    let why = match album(&sounds) {
        _ if sounds.len() < measured.len() => "not every file could be measured",
        None => "the files differ in rate or channels",
        Some(figures) => return report.add_album(figures),
    };
    let why = format!("album: {why}");
    status::error(&why);
    report.add_error("album", &why);
}

/// Measures every file, with as many threads as there are processors, at most; a file by itself takes them all.
fn all(arguments: &Measure, interrupted: &Arc<AtomicBool>) -> Vec<Result<Measured, String>> {
    let files = &arguments.files;
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(files.len());
    let mut measured = Vec::new();
    side_by_side(
        threads,
        files.iter(),
        |file| measure(file, arguments, processors / threads, interrupted),
        |one| measured.push(one),
    );
    measured
}

/// Does what is to be done in so many threads, and gives what came of it in order, as soon as that is possible.
fn side_by_side<T: Send, R: Send>(
    threads: usize,
    jobs: impl Iterator<Item = T> + Send,
    work: impl Fn(T) -> R + Sync,
    give: impl FnMut(R) + Send,
) {
    let jobs = Mutex::new(jobs.enumerate());
    let done = Mutex::new((0, BTreeMap::new(), give));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((n, job)) = {
                    let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
                    jobs.next()
                } {
                    let result = work(job);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    let (next, waiting, give) = &mut *done;
                    waiting.insert(n, result);
                    while let Some(result) = waiting.remove(next) {
                        give(result);
                        *next += 1;
                    }
                }
            });
        }
    });
}

/// What measures a sound while it goes by, and gathers what a picture is drawn from.
struct Taking {
    measurement: Measurement,
    sketch: Option<Sketch>,
}

impl Taking {
    fn new(rate: u32, layout: Layout, full_scale: f64, arguments: &Measure) -> Taking {
        let sketch = arguments.plot.as_ref().map(|_| Sketch::new(rate, layout.channels()));
        Taking { measurement: Measurement::new(rate, layout).full_scale(full_scale), sketch }
    }

    fn take(&mut self, sound: &[&[f64]]) {
        self.measurement.take(sound);
        if let Some(sketch) = &mut self.sketch {
            sketch.take(sound);
        }
    }
}

/// Where the loudspeakers of a sound stand: as it was said, or as is known of it; and what is to be warned of.
fn layout(file: &Path, arguments: &Measure, known: Layout) -> Result<(Layout, Vec<String>), String> {
    let channels = known.channels();
    let layout = match &arguments.layout {
        Some(layout) if layout.channels() != channels => {
            let (name, wanted) = (layout.name().unwrap_or_default(), layout.channels());
            return Err(format!("{}: has {channels} channels, and {name} has {wanted}", file.display()));
        }
        Some(layout) => layout.clone(),
        None => known,
    };
    let layout = if arguments.dual_mono { layout.dual_mono() } else { layout };
    let mut warnings = Vec::new();
    if layout.weights().is_none() {
        let why = "where its channels stand is not known, so it has no loudness";
        warnings.push(format!("{why}: say so with --layout if you know"));
    }
    Ok((layout, warnings))
}

/// What is told of a sound that was not heard to its end.
fn interrupted_after(measurement: &Measurement, rate: f64) -> String {
    format!("interrupted: the figures are of the first {:.1} s", measurement.frames() as f64 / rate)
}

/// Measures one file.
fn measure(
    file: &Path,
    arguments: &Measure,
    threads: usize,
    interrupted: &Arc<AtomicBool>,
) -> Result<Measured, String> {
    if session::is_session(file) {
        return session::measure(file, arguments, interrupted);
    }
    let mut track = if file == Path::new(STANDARD_INPUT) {
        let pipe = Pipe::new(interrupted.clone()).map_err(|error| format!("{STANDARD_INPUT}: {error}"))?;
        Track::stream(pipe, file)
    } else {
        Track::open(file)
    }
    .map_err(|error| error.to_string())?;
    let rate = track.rate();
    let (layout, mut warnings) = layout(file, arguments, Layout::masked(track.mask(), track.channels()))?;
    if arguments.plot.is_none()
        && arguments.length.is_none()
        && let Some(frames) = track.promised()
        && track.seek(0).map_err(|error| error.to_string())?
    {
        let parts = parts(rate, &layout, track.full_scale(), frames);
        let shown = arguments.files.len() == 1;
        let measurement = in_parts(file, parts, threads, shown.then_some((frames, rate)), interrupted)?;
        return Ok(Measured { measurement, sketch: None, target: None, warnings });
    }
    let mut taking = Taking::new(rate, layout, track.full_scale(), arguments);
    let mut left = match arguments.length {
        Some(Length::Seconds(seconds)) => (seconds * f64::from(rate)).round() as u64,
        Some(Length::Frames(frames)) => frames,
        Some(Length::Bars(_)) | None => u64::MAX,
    };
    let promised = track.promised().filter(|_| arguments.files.len() == 1);
    let progress = promised.map(|frames| Progress::new("measuring", frames.min(left), f64::from(rate)));
    while left > 0 && !interrupted.load(Ordering::Relaxed) {
        let sound = match track.read() {
            Ok(Some(sound)) => sound,
            Ok(None) => break,
            Err(_) if interrupted.load(Ordering::Relaxed) => break,
            Err(error) => return Err(error.to_string()),
        };
        let count = sound.first().map_or(0, Vec::len).min(usize::try_from(left).unwrap_or(usize::MAX));
        let sound: Vec<&[f64]> = sound.iter().map(|channel| &channel[..count]).collect();
        taking.take(&sound);
        left -= count as u64;
        if let Some(progress) = &progress {
            progress.at(taking.measurement.frames());
        }
    }
    let Taking { measurement, sketch } = taking;
    if let Some(progress) = progress {
        progress.finish(measurement.frames());
    }
    if measurement.frames() == 0 {
        return Err(format!("{}: has no frames", file.display()));
    }
    if interrupted.load(Ordering::Relaxed) {
        warnings.push(interrupted_after(&measurement, rate.into()));
    }
    Ok(Measured { measurement, sketch, target: None, warnings })
}

/// Measures a file that can be entered anywhere, its parts side by side; where they are cut does not depend on the threads.
fn in_parts(
    file: &Path,
    parts: impl Iterator<Item = (Measurement, Range<u64>)> + Send,
    threads: usize,
    shown: Option<(u64, u32)>,
    interrupted: &AtomicBool,
) -> Result<Measurement, String> {
    let progress = shown.map(|(frames, rate)| Progress::new("measuring", frames, f64::from(rate)));
    let (taken, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    let part = |(mut measurement, stretch): (Measurement, Range<u64>)| {
        let mut track = Track::open(file).map_err(|error| error.to_string())?;
        track.seek(stretch.start).map_err(|error| error.to_string())?;
        let mut left = usize::try_from(stretch.end - stretch.start).unwrap_or(usize::MAX);
        while left > 0 && !failed.load(Ordering::Relaxed) {
            if interrupted.load(Ordering::Relaxed) {
                return Err(format!("{}: interrupted", file.display()));
            }
            let Some(sound) = track.read().map_err(|error| error.to_string())? else { break };
            let count = sound.first().map_or(0, Vec::len).min(left);
            measurement.take(&sound.iter().map(|channel| &channel[..count]).collect::<Vec<_>>());
            left -= count;
            let done = taken.fetch_add(count as u64, Ordering::Relaxed) + count as u64;
            progress.iter().for_each(|progress| progress.at(done));
        }
        Ok(measurement)
    };
    let mut whole = Ok(None);
    side_by_side(threads, parts, part, |part: Result<Measurement, String>| {
        failed.fetch_or(part.is_err(), Ordering::Relaxed);
        whole = match (std::mem::replace(&mut whole, Ok(None)), part) {
            (Ok(before), Ok(part)) => Ok(joined(before.into_iter().chain([part]))),
            (Err(why), _) | (Ok(_), Err(why)) => Err(why),
        };
    });
    progress.into_iter().for_each(|progress| {
        progress.finish(taken.load(Ordering::Relaxed));
    });
    whole?.ok_or_else(|| format!("{}: has no frames", file.display()))
}
