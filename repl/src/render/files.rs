//! The files of a rendering: the whole, its stems, its tracks and their cue sheet, each at the rate and depth that was asked
//! for.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use engine::album::{self, Layout};
use engine::credits::Credits;
use engine::delivery::{Delivered, DeliveryError, Dither, FileWriter, Kind, Loudness, Mark, Measured, Shape, Tags};
use engine::measure::{self, Measurement};
use engine::offline::{Offline, Stream};
use engine::resample::Resampler;
use engine::session::Session;

use super::{format, stem_name};
use crate::arguments::{Depth, DitherChoice, Render};
use crate::ending::{Failure, Outcome};
use crate::status;
use crate::text_file::TextFile;

/// The longest title in the name of a file, in bytes: systems allow 255, numbers and ending included.
const LONGEST_NAME: usize = 120;

/// Every file to be written.
pub struct Files {
    targets: Vec<Target>,
    cue: Option<(TextFile, String)>,
}

/// What is written of one stream.
struct Target {
    stream: Stream,
    resampler: Option<Resampler>,
    /// What the resampler gave and is not yet written.
    ready: Vec<Vec<f64>>,
    sink: Sink,
}

/// One file, or one after the other.
struct Sink {
    /// What is whole.
    done: Vec<Written>,
    /// What is being written.
    now: Written,
    /// What follows: where it begins, its name and its tags.
    next: VecDeque<(u64, PathBuf, Tags)>,
    /// Frames so far, and how many there are a second.
    frames: u64,
    rate: u32,
}

/// A file, and what is measured of it.
struct Written {
    path: PathBuf,
    writer: FileWriter,
    /// Of a stem nothing is.
    meter: Option<Measurement>,
}

/// What is asked for, and of what.
struct Plan<'a> {
    arguments: &'a Render,
    session: &'a Session,
    rate: u32,
    layout: Option<Layout>,
    /// To how many bits the last effect before the output has dithered already.
    dithered: Option<u32>,
}

impl Files {
    /// Begins the files. `frames` is the length of the rendering; `dithered` is how many bits the text itself dithers to.
    ///
    /// # Errors
    /// They cannot be written; there are no stems, no tracks, or not so many outputs.
    pub fn create(
        arguments: &Render,
        session: &Session,
        offline: &Offline,
        frames: u64,
        dithered: Option<u32>,
    ) -> Result<Self, Failure> {
        let rate = arguments.rate.unwrap_or(session.sample_rate);
        let layout = Layout::of(session, rate, arguments.cue.is_some());
        let plan = Plan { arguments, session, rate, layout, dithered };
        plan.check_tracks(frames)?;
        let mut files = Files { targets: Vec::new(), cue: plan.cue()? };
        let number = arguments.output as usize - 1;
        let outputs = offline.outputs();
        let channels = || {
            let count = outputs.len();
            let why = || Failure::Misuse(format!("--output {}: the session has {count} of them", arguments.output));
            outputs.get(number).copied().ok_or_else(why)
        };
        if let Some(path) = &arguments.file {
            files.targets.push(plan.whole(number, path, channels()?)?);
        }
        if let Some(dir) = &arguments.tracks {
            files.targets.push(plan.tracks(number, dir, channels()?)?);
        }
        if let Some(dir) = &arguments.stems {
            plan.stems(dir, offline, &mut files.targets)?;
        }
        Ok(files)
    }

    /// Appends sound to every file of a stream.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, stream: Stream, sound: &[&[f64]]) -> Outcome {
        for target in self.targets.iter_mut().filter(|target| target.stream == stream) {
            match &mut target.resampler {
                None => target.sink.write(sound)?,
                Some(resampler) => {
                    resampler.push(sound, &mut target.ready);
                    target.write_ready()?;
                }
            }
        }
        Ok(())
    }

    /// Ends the files and gives them their names.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn finish(mut self) -> Result<Vec<(PathBuf, Delivered)>, Failure> {
        for target in &mut self.targets {
            if let Some(resampler) = &mut target.resampler {
                resampler.finish(&mut target.ready);
                target.write_ready()?;
            }
        }
        if let Some((file, text)) = &self.cue {
            file.write(text)?;
        }
        let mut written = Vec::new();
        for target in self.targets {
            target.sink.finish(&mut written)?;
        }
        if let Some((file, _)) = self.cue {
            status::say(file.finish()?.display().to_string());
        }
        Ok(written)
    }
}

impl Plan<'_> {
    /// Tracks can only be written if there are some, and if all of them are rendered.
    fn check_tracks(&self, frames: u64) -> Outcome {
        let Some(option) = [(self.arguments.tracks.is_some(), "--tracks"), (self.arguments.cue.is_some(), "--cue")]
            .into_iter()
            .find_map(|(asked, option)| asked.then_some(option))
        else {
            return Ok(());
        };
        let Some(layout) = &self.layout else {
            let why = "the session has no album: give an input `tracks([track(\"Title\", \"file.wav\"), ...])`";
            return Err(Failure::Error(format!("{option}: {why}")));
        };
        if let Some(pair) = layout.marks.windows(2).find(|pair| pair[0].frame == pair[1].frame) {
            let title = pair[0].credits.title.as_deref().unwrap_or_default();
            return Err(Failure::Error(format!("{option}: \"{title}\" is shorter than a frame of the CD")));
        }
        let end = (u128::from(frames) * u128::from(self.rate) / u128::from(self.session.sample_rate)) as u64;
        for (mark, moved) in layout.marks.iter().zip(&layout.moved) {
            let title = mark.credits.title.as_deref().unwrap_or_default();
            if mark.frame >= end {
                let why = format!("\"{title}\" begins after the end of what is rendered: give a longer --length");
                return Err(Failure::Error(format!("{option}: {why}")));
            }
            if *moved > 0 {
                let ms = *moved as f64 * 1000.0 / f64::from(self.rate);
                status::say(format!(
                    "\"{title}\" is marked {ms:.1} ms earlier, on a frame of the CD; the sound is not moved"
                ));
            }
        }
        Ok(())
    }

    fn cue(&self) -> Result<Option<(TextFile, String)>, Failure> {
        let (Some(path), Some(file), Some(layout)) = (&self.arguments.cue, &self.arguments.file, &self.layout) else {
            return Ok(None);
        };
        // Beside the sheet its name will do.
        let beside = path.parent() == file.parent();
        let name = if beside { file.file_name().unwrap_or_default().to_string_lossy() } else { file.to_string_lossy() };
        let sheet = album::cue_sheet(&name, &self.session.credits, &layout.marks, self.rate);
        Ok(Some((TextFile::create(path.clone())?, sheet)))
    }

    fn whole(&self, number: usize, path: &Path, channels: usize) -> Result<Target, Failure> {
        let marks = self.layout.as_ref().map(|layout| layout.marks.clone()).unwrap_or_default();
        let tags = Tags { credits: self.session.credits.clone(), track: None, marks };
        self.target(Stream::Output(number), path.to_owned(), &tags, channels, Depth::Int24)
    }

    fn tracks(&self, number: usize, dir: &Path, channels: usize) -> Result<Target, Failure> {
        fs::create_dir_all(dir).map_err(|error| Failure::Error(format!("{}: {error}", dir.display())))?;
        let kind = match &self.arguments.file {
            Some(file) => Kind::of(file),
            None => (self.arguments.bits == Some(Depth::Float32)).then_some(Kind::Wav),
        };
        let ending = if kind == Some(Kind::Wav) { "wav" } else { "flac" };
        let marks: &[Mark] = self.layout.as_ref().map_or(&[], |layout| &layout.marks);
        let mut files: VecDeque<(u64, PathBuf, Tags)> = (1u32..)
            .zip(marks)
            .map(|(number, mark)| {
                let title = mark.credits.title.as_deref().unwrap_or_default();
                let path = dir.join(format!("{number:02} {}.{ending}", file_name(title)));
                (mark.frame, path, Tags { credits: mark.credits.clone(), track: Some(number), marks: Vec::new() })
            })
            .collect();
        // What comes before the first is its own.
        let Some((_, path, tags)) = files.pop_front() else {
            return Err(Failure::Error("the album has no tracks".into()));
        };
        let mut target = self.target(Stream::Output(number), path, &tags, channels, Depth::Int24)?;
        target.sink.next = files;
        Ok(target)
    }

    fn stems(&self, dir: &Path, offline: &Offline, targets: &mut Vec<Target>) -> Outcome {
        let of = self.arguments.stems_of.as_deref().unwrap_or("master");
        let stems = offline.stems();
        if stems.is_empty() {
            return Err(Failure::Error(format!("nothing is plugged into \"{of}\", so there are no stems of it")));
        }
        fs::create_dir_all(dir).map_err(|error| Failure::Error(format!("{}: {error}", dir.display())))?;
        let name = self.arguments.session.file_stem().unwrap_or_default().to_string_lossy();
        for (i, (path, channels)) in stems.iter().enumerate() {
            let file = dir.join(stem_name(&name, path, of));
            if targets.iter().any(|target| target.sink.now.path == file) {
                let shown = file.display();
                return Err(Failure::Error(format!("two stems would be called {shown}: name their cables apart")));
            }
            // The code is that of the whole recording.
            let credits = Credits { title: Some(path.clone()), isrc: None, ..self.session.credits.clone() };
            let tags = Tags { credits, ..Tags::default() };
            targets.push(self.target(Stream::Stem(i), file, &tags, *channels, Depth::Float32)?);
        }
        Ok(())
    }

    fn target(
        &self,
        stream: Stream,
        path: PathBuf,
        tags: &Tags,
        channels: usize,
        depth: Depth,
    ) -> Result<Target, Failure> {
        let depth = self.arguments.bits.unwrap_or(depth);
        let dithered = self.dithered == Some(u32::from(depth.engine().bits()));
        let dither = match (stream, self.arguments.dither) {
            // Another dither on what lies on the steps already would be noise alone.
            (Stream::Output(_), _) if dithered => Dither::None,
            (_, DitherChoice::None) => Dither::None,
            (_, DitherChoice::Tpdf) => Dither::Tpdf(Shape::Flat),
            (_, DitherChoice::Shaped) => Dither::Tpdf(Shape::Hearing),
        };
        let format = format(depth, self.rate, channels, self.session.seed, dither);
        let writer = FileWriter::create(&path, format, tags).map_err(failed)?;
        Kind::of(&path).iter().flat_map(|kind| tags.remarks(*kind)).for_each(|remark| {
            status::say(format!("{}: {remark}", path.display()));
        });
        let resampler = (self.rate != self.session.sample_rate)
            .then(|| Resampler::new(self.session.sample_rate, self.rate, channels))
            .transpose()
            .map_err(|error| Failure::Misuse(format!("--rate: {error}")))?;
        let meter = match stream {
            Stream::Output(_) => Some(Measurement::new(self.rate, measure::Layout::of(channels))),
            Stream::Stem(_) | Stream::Heard(_) | Stream::Reduced(_) => None,
        };
        let now = Written { path, writer, meter };
        let sink = Sink { done: Vec::new(), now, next: VecDeque::new(), frames: 0, rate: self.rate };
        Ok(Target { stream, resampler, ready: vec![Vec::new(); channels], sink })
    }
}

impl Target {
    fn write_ready(&mut self) -> Outcome {
        self.sink.write(&self.ready)?;
        self.ready.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}

impl Sink {
    fn write<C: AsRef<[f64]>>(&mut self, sound: &[C]) -> Outcome {
        let count = sound.first().map_or(0, |channel| channel.as_ref().len());
        let mut from = 0;
        while from < count {
            let room = match self.next.front() {
                Some((begin, ..)) => begin - self.frames,
                None => u64::MAX,
            };
            if room == 0 {
                self.go_on()?;
                continue;
            }
            let to = count.min(from.saturating_add(usize::try_from(room).unwrap_or(usize::MAX)));
            let part: Vec<&[f64]> = sound.iter().map(|channel| &channel.as_ref()[from..to]).collect();
            self.now.writer.write(&part).map_err(failed)?;
            self.now.meter.iter_mut().for_each(|meter| meter.take(&part));
            self.frames += (to - from) as u64;
            from = to;
        }
        Ok(())
    }

    /// Goes on in the next file.
    fn go_on(&mut self) -> Outcome {
        if let Some((_, path, tags)) = self.next.pop_front() {
            let writer = self.now.writer.go_on(&path, &tags).map_err(failed)?;
            let meter = self.now.meter.as_ref().map(|meter| Measurement::new(self.rate, meter.layout().clone()));
            self.done.push(std::mem::replace(&mut self.now, Written { path, writer, meter }));
        }
        Ok(())
    }

    /// Ends its files, each with what was measured of it, and of all of them where there are several.
    fn finish(self, written: &mut Vec<(PathBuf, Delivered)>) -> Outcome {
        let mut files = self.done;
        files.push(self.now);
        let meters: Vec<&Measurement> = files.iter().filter_map(|file| file.meter.as_ref()).collect();
        let several = (files.len() > 1).then(|| measure::album(&meters)).flatten();
        let album = several.as_ref().map(Loudness::from);
        for Written { path, writer, meter } in files {
            let own = meter.map_or_else(Loudness::default, |meter| Loudness::from(&meter.figures()));
            written.push((path, writer.finish(&Measured { own, album }).map_err(failed)?));
        }
        Ok(())
    }
}

fn failed(error: DeliveryError) -> Failure {
    Failure::Error(error.to_string())
}

/// A title as the name of a file: what some system does not allow there is `_`.
fn file_name(title: &str) -> String {
    let allowed = |c: char| if r#"/\:*?"<>|"#.contains(c) { '_' } else { c };
    let mut name: String = title.chars().map(allowed).collect();
    while name.len() > LONGEST_NAME {
        name.pop();
    }
    name.trim_end_matches(['.', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_name_that_every_system_allows() {
        assert_eq!(file_name("AC/DC: \"Live\"?"), "AC_DC_ _Live__");
        assert_eq!(file_name("Frühling..."), "Frühling");
        assert_eq!(file_name(&"ä".repeat(200)), "ä".repeat(60));
    }
}
