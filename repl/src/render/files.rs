//! The files of a rendering: the whole, its stems, its tracks and their cue sheet, each at the rate and depth that was asked
//! for.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use engine::album::{self, Layout};
use engine::credits::Credits;
use engine::delivery::{DeliveryError, Dither, FileWriter, Kind, Loudness, Mark, Measured, Shape, Tags, Whole};
use engine::math::gain_from_db;
use engine::measure::{Figures, Measurement};
use engine::offline::Stream;
use engine::random;
use engine::resample::Resampler;
use engine::session::Session;

use super::media::{Medium, layout};
use super::{Outlets, format, stem_name};
use crate::arguments::{Depth, DitherChoice, Render};
use crate::ending::{Failure, Outcome};
use crate::status;

/// The longest title in the name of a file, in bytes: systems allow 255, numbers and ending included.
const LONGEST_NAME: usize = 120;

/// Every file to be written.
pub struct Files {
    targets: Vec<Target>,
    cue: Option<Whole>,
}

/// What is written of one stream.
struct Target {
    stream: Stream,
    /// By which all samples are multiplied.
    gain: f64,
    resampler: Option<Resampler>,
    /// What the resampler gave and is not yet written.
    ready: Vec<Vec<f64>>,
    sink: Sink,
}

/// One file, or one after the other.
struct Sink {
    /// What is whole.
    done: Vec<FileWriter>,
    /// What is being written.
    path: PathBuf,
    writer: FileWriter,
    /// What follows: where it begins, its name and its tags.
    next: VecDeque<(u64, PathBuf, Tags)>,
    /// Frames so far.
    frames: u64,
}

/// What is asked for, and of what.
struct Plan<'a> {
    arguments: &'a Render,
    medium: &'a Medium,
    session: &'a Session,
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
        medium: &Medium,
        session: &Session,
        outlets: &Outlets,
        frames: u64,
        dithered: Option<u32>,
    ) -> Result<Self, Failure> {
        let layout = Layout::of(session, medium.rate, medium.cue.is_some());
        let plan = Plan { arguments, medium, session, layout, dithered };
        plan.check_tracks(frames)?;
        let mut files = Files { targets: Vec::new(), cue: plan.cue()? };
        let number = arguments.output as usize - 1;
        if let Some(path) = &medium.file {
            files.targets.push(plan.whole(number, path, outlets.channels(arguments)?)?);
        }
        if let Some(dir) = &medium.tracks {
            files.targets.push(plan.tracks(number, dir, outlets.channels(arguments)?)?);
        }
        if let Some(dir) = &arguments.stems {
            plan.stems(dir, &outlets.stems, &mut files.targets)?;
        }
        Ok(files)
    }

    /// Appends sound to every file of a stream.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, stream: Stream, sound: &[&[f64]]) -> Outcome {
        for target in self.targets.iter_mut().filter(|target| target.stream == stream) {
            let turned: Vec<Vec<f64>>;
            let mut turned_slices: Vec<&[f64]> = Vec::new();
            let sound = match target.gain {
                1.0 => sound,
                gain => {
                    turned = sound.iter().map(|channel| channel.iter().map(|x| x * gain).collect()).collect();
                    turned_slices.extend(turned.iter().map(Vec::as_slice));
                    &turned_slices
                }
            };
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

    /// Writes what the resamplers still hold: all of the sound is there then, still under other names.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn complete(&mut self) -> Outcome {
        for target in &mut self.targets {
            if let Some(resampler) = &mut target.resampler {
                resampler.finish(&mut target.ready);
                target.write_ready()?;
            }
        }
        Ok(())
    }

    /// The figures of each whole output that was written, as it is in its files.
    pub fn figures(&self) -> impl Iterator<Item = Figures> {
        self.targets.iter().filter_map(|target| target.sink.whole())
    }

    /// Ends the files, still under other names, each with what it reads.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn end(self) -> Result<Vec<(Whole, Option<Figures>)>, Failure> {
        let mut all = Vec::new();
        for sink in self.targets.into_iter().map(|target| target.sink) {
            let album = (!sink.done.is_empty()).then(|| sink.whole()).flatten().map(|figures| Loudness::from(&figures));
            for mut writer in sink.all() {
                let figures = writer.take_figures();
                let own = figures.as_ref().map(Loudness::from).unwrap_or_default();
                all.push((writer.end(&Measured { own, album }).map_err(failed)?, figures));
            }
        }
        all.extend(self.cue.map(|cue| (cue, None)));
        Ok(all)
    }
}

impl Plan<'_> {
    /// Tracks can only be written if there are some, and if all of them are rendered.
    fn check_tracks(&self, frames: u64) -> Outcome {
        let Some(option) = [(self.medium.tracks.is_some(), "--tracks"), (self.medium.cue.is_some(), "--cue")]
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
        let end = (u128::from(frames) * u128::from(self.medium.rate) / u128::from(self.session.sample_rate)) as u64;
        for (mark, moved) in layout.marks.iter().zip(&layout.moved) {
            let title = mark.credits.title.as_deref().unwrap_or_default();
            if mark.frame >= end {
                let why = format!("\"{title}\" begins after the end of what is rendered: give a longer --length");
                return Err(Failure::Error(format!("{option}: {why}")));
            }
            if *moved > 0 {
                let ms = *moved as f64 * 1000.0 / f64::from(self.medium.rate);
                status::say(format!(
                    "\"{title}\" is marked {ms:.1} ms earlier, on a frame of the CD; the sound is not moved"
                ));
            }
        }
        Ok(())
    }

    fn cue(&self) -> Result<Option<Whole>, Failure> {
        let (Some(path), Some(file), Some(layout)) = (&self.medium.cue, &self.medium.file, &self.layout) else {
            return Ok(None);
        };
        // Beside the sheet its name will do.
        let beside = path.parent() == file.parent();
        let name = if beside { file.file_name().unwrap_or_default().to_string_lossy() } else { file.to_string_lossy() };
        let sheet = album::cue_sheet(&name, &self.session.credits, &layout.marks, self.medium.rate);
        Whole::of_bytes(path, sheet.as_bytes()).map(Some).map_err(failed)
    }

    fn whole(&self, number: usize, path: &Path, channels: usize) -> Result<Target, Failure> {
        let marks = self.layout.as_ref().map(|layout| layout.marks.clone()).unwrap_or_default();
        let tags = Tags { credits: self.session.credits.clone(), track: None, marks };
        self.target(Stream::Output(number), path.to_owned(), &tags, channels, Depth::Int24)
    }

    fn tracks(&self, number: usize, dir: &Path, channels: usize) -> Result<Target, Failure> {
        fs::create_dir_all(dir).map_err(|error| Failure::Error(format!("{}: {error}", dir.display())))?;
        let kind = match &self.medium.file {
            Some(file) => Kind::of(file),
            None => (self.medium.depth == Some(Depth::Float32)).then_some(Kind::Wav),
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

    fn stems(&self, dir: &Path, stems: &[(String, usize)], targets: &mut Vec<Target>) -> Outcome {
        let of = self.arguments.stems_of.as_deref().unwrap_or("master");
        if stems.is_empty() {
            return Err(Failure::Error(format!("nothing is plugged into \"{of}\", so there are no stems of it")));
        }
        fs::create_dir_all(dir).map_err(|error| Failure::Error(format!("{}: {error}", dir.display())))?;
        let name = self.arguments.session.file_stem().unwrap_or_default().to_string_lossy();
        for (i, (path, channels)) in stems.iter().enumerate() {
            let file = dir.join(stem_name(&name, path, of));
            if targets.iter().any(|target| target.sink.path == file) {
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
        let Medium { rate, gain, .. } = *self.medium;
        let depth = self.medium.depth.unwrap_or(depth);
        let dithered = self.dithered == Some(u32::from(depth.engine().bits()));
        let dither = match (stream, self.arguments.dither) {
            // Another dither on what lies on the steps already would be noise alone.
            (Stream::Output(_), _) if dithered => Dither::None,
            (_, DitherChoice::None) => Dither::None,
            (_, DitherChoice::Tpdf) => Dither::Tpdf(Shape::Flat),
            (_, DitherChoice::Shaped) => Dither::Tpdf(Shape::Hearing),
        };
        let seed = match stream {
            // Stems add up: each has noise of its own.
            Stream::Stem(number) => random::mix(self.session.seed ^ random::mix(number as u64 + 1)),
            _ => self.session.seed,
        };
        let format = format(depth, rate, channels, seed, dither);
        let writer = FileWriter::create(&path, format, tags).map_err(failed)?;
        let writer = match stream {
            Stream::Output(_) => writer.measured(layout(self.arguments, channels)),
            _ => writer,
        };
        Kind::of(&path).iter().flat_map(|kind| tags.remarks(*kind)).for_each(|remark| {
            status::say(format!("{}: {remark}", path.display()));
        });
        let resampler = (rate != self.session.sample_rate)
            .then(|| Resampler::new(self.session.sample_rate, rate, channels))
            .transpose()
            .map_err(|error| Failure::Misuse(format!("--rate: {error}")))?;
        let sink = Sink { done: Vec::new(), path, writer, next: VecDeque::new(), frames: 0 };
        Ok(Target { stream, gain: gain_from_db(gain), resampler, ready: vec![Vec::new(); channels], sink })
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
            self.writer.write(&part).map_err(failed)?;
            self.frames += (to - from) as u64;
            from = to;
        }
        Ok(())
    }

    /// Goes on in the next file.
    fn go_on(&mut self) -> Outcome {
        if let Some((_, path, tags)) = self.next.pop_front() {
            let writer = self.writer.go_on(&path, &tags).map_err(failed)?;
            self.path = path;
            self.done.push(std::mem::replace(&mut self.writer, writer));
        }
        Ok(())
    }

    /// The figures of all its files as one.
    fn whole(&self) -> Option<Figures> {
        self.writer.whole().map(Measurement::figures)
    }

    /// Its files in order.
    fn all(self) -> impl Iterator<Item = FileWriter> {
        self.done.into_iter().chain([self.writer])
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
