//! `gainstage measure`: the figures of sound files, as a table or as JSON, against what media want, and as a picture.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use engine::measure::{Layout, Measurement, album};
use engine::media::Track;

use crate::arguments::{Length, Measure};
use crate::ending::{Failure, Outcome};
use crate::render::interruption;
use crate::status::{self, Progress};

mod picture;
mod pipe;
mod report;

use picture::Sketch;
use pipe::Pipe;
use report::Report;

/// The name under which standard input is measured.
const STANDARD_INPUT: &str = "-";

/// A file that was measured.
struct Measured {
    measurement: Measurement,
    /// What a picture is drawn from, if one is.
    sketch: Option<Sketch>,
    /// What is worth a warning.
    warnings: Vec<String>,
}

/// Measures the files, several at a time, and tells of them in their order. A file with an error does not stop the others.
pub fn run(arguments: &Measure) -> Outcome {
    let Measure { files, plot, .. } = arguments;
    if arguments.targets {
        return report::tell_targets(arguments.json);
    }
    if plot.is_some() && files.len() > 1 {
        return Err(Failure::Misuse("--plot draws one file".into()));
    }
    if files.iter().filter(|file| file.as_path() == Path::new(STANDARD_INPUT)).count() > 1 {
        return Err(Failure::Misuse("standard input can be read once".into()));
    }
    if let Some(Length::Bars(_)) = arguments.length {
        return Err(Failure::Misuse("a file has no bars: --length 30s, 480000f".into()));
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
    if let (Some(plot), [Ok(measured)]) = (plot, &measured[..])
        && let Some(sketch) = &measured.sketch
    {
        sketch.draw(plot, &measured.measurement, &arguments.target, &files[0].display().to_string())?;
    }
    report.tell(arguments.json)
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

/// Measures every file, with as many threads as there are processors, at most.
fn all(arguments: &Measure, interrupted: &Arc<AtomicBool>) -> Vec<Result<Measured, String>> {
    let files = &arguments.files;
    let threads = thread::available_parallelism().map_or(1, usize::from).min(files.len());
    let next = AtomicUsize::new(0);
    let measured: Vec<_> = files.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((file, place)) = {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    files.get(n).zip(measured.get(n))
                } {
                    let one = measure(file, arguments, interrupted);
                    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(one);
                }
            });
        }
    });
    let taken = |place: Mutex<Option<_>>| place.into_inner().unwrap_or_else(PoisonError::into_inner);
    let lost = || Err("measuring was given up".to_owned());
    measured.into_iter().map(|place| taken(place).unwrap_or_else(lost)).collect()
}

/// Measures one file.
fn measure(file: &Path, arguments: &Measure, interrupted: &Arc<AtomicBool>) -> Result<Measured, String> {
    let mut track = if file == Path::new(STANDARD_INPUT) {
        let pipe = Pipe::new(interrupted.clone()).map_err(|error| format!("{STANDARD_INPUT}: {error}"))?;
        Track::stream(pipe, file)
    } else {
        Track::open(file)
    }
    .map_err(|error| error.to_string())?;
    let (rate, channels) = (track.rate(), track.channels());
    let layout = match &arguments.layout {
        Some(layout) if layout.channels() != channels => {
            let (name, wanted) = (layout.name().unwrap_or_default(), layout.channels());
            return Err(format!("{}: has {channels} channels, and {name} has {wanted}", file.display()));
        }
        Some(layout) => layout.clone(),
        None => Layout::masked(track.mask(), channels),
    };
    let layout = if arguments.dual_mono { layout.dual_mono() } else { layout };
    let mut warnings = Vec::new();
    if layout.weights().is_none() {
        let why = "where its channels stand is not known, so it has no loudness";
        warnings.push(format!("{why}: say so with --layout if you know"));
    }
    let mut sketch = arguments.plot.as_ref().map(|_| Sketch::new(rate, channels));
    let mut measurement = Measurement::new(rate, layout).full_scale(track.full_scale());
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
        measurement.take(&sound);
        if let Some(sketch) = &mut sketch {
            sketch.take(&sound);
        }
        left -= count as u64;
        if let Some(progress) = &progress {
            progress.at(measurement.frames());
        }
    }
    if let Some(progress) = progress {
        progress.finish(measurement.frames());
    }
    if measurement.frames() == 0 {
        return Err(format!("{}: has no frames", file.display()));
    }
    if interrupted.load(Ordering::Relaxed) {
        let seconds = measurement.frames() as f64 / f64::from(rate);
        warnings.push(format!("interrupted: the figures are of the first {seconds:.1} s"));
    }
    Ok(Measured { measurement, sketch, warnings })
}
