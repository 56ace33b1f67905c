//! What is delivered to which medium: the master as it is, or turned up or down as a whole to what targets want. A target that
//! cannot be reached is told of, with what would help, and nothing is written.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use engine::figure::Figure;
use engine::measure::{Figures, Layout, Measurement};
use engine::session::Session;
use engine::target::{self, Target};

use crate::arguments::{Depth, Render};
use crate::ending::{Failure, Outcome};
use crate::status;

/// How far the loudness of what is delivered may be from what was aimed at, in LU.
const LOUDNESS_OFF: f64 = 0.05;

/// By how much the peaks of a master may be over the ceiling once it is turned up, in dB: what a meter does not show.
const MASTER_OVER: f64 = 0.05;

/// By how much the true peak of what is delivered may be over the ceiling: another rate has other peaks between its samples.
const PEAK_OVER: f64 = 0.1;

/// Frames that are read back at a time.
const BLOCK: usize = 4096;

/// What is delivered to one medium.
#[derive(Clone, Debug)]
pub struct Medium {
    /// The file of the whole.
    pub file: Option<PathBuf>,
    /// The folder of its tracks.
    pub tracks: Option<PathBuf>,
    /// Its cue sheet.
    pub cue: Option<PathBuf>,
    /// Frames a second.
    pub rate: u32,
    /// The form of samples, if it is not that of what is written.
    pub depth: Option<Depth>,
    /// By how many dB the master is turned up.
    pub gain: f64,
    /// What it is to reach.
    pub target: Option<&'static Target>,
}

impl Medium {
    /// The master as it is.
    pub fn plain(arguments: &Render, session: &Session) -> Medium {
        Medium {
            file: arguments.file.clone(),
            tracks: arguments.tracks.clone(),
            cue: arguments.cue.clone(),
            rate: arguments.rate.unwrap_or(session.sample_rate),
            depth: arguments.bits,
            gain: 0.0,
            target: None,
        }
    }

    fn of(target: &'static Target, arguments: &Render, session: &Session, gain: f64) -> Medium {
        let named = |path: &Option<PathBuf>| match arguments.target.len() {
            1 => path.clone(),
            _ => path.as_ref().map(|path| with_name(path, target.name)),
        };
        let depth = match target.bits {
            16 => Depth::Int16,
            _ => Depth::Int24,
        };
        Medium {
            file: named(&arguments.file),
            tracks: arguments.tracks.as_ref().map(|folder| match arguments.target.len() {
                1 => folder.clone(),
                _ => folder.with_file_name(format!(
                    "{}-{}",
                    folder.file_name().unwrap_or_default().to_string_lossy(),
                    target.name
                )),
            }),
            cue: named(&arguments.cue),
            rate: arguments.rate.or(target.rate).unwrap_or(session.sample_rate),
            depth: arguments.bits.or(Some(depth)),
            gain,
            target: Some(target),
        }
    }

    /// Whether what was delivered is what was aimed at.
    ///
    /// # Errors
    /// What is not, in words.
    pub fn check(&self, delivered: &Figures) -> Result<(), String> {
        let Some(target) = self.target else { return Ok(()) };
        if let (Some((lufs, ..)), Some(measured)) = (target.loudness, delivered.integrated)
            && (measured - lufs).abs() > LOUDNESS_OFF
        {
            return Err(format!("{}: the file reads {measured:.2} LUFS, not {lufs}", target.name));
        }
        match target.over(delivered, 0.0) {
            Some(over) if over > PEAK_OVER => Err(format!(
                "{}: at its rate and depth the peaks of the file are {over:.1} dB over the ceiling; lower that of the limiter",
                target.name
            )),
            _ => Ok(()),
        }
    }
}

/// `mix.wav` for a medium is `mix-cd.wav`.
fn with_name(path: &Path, name: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match path.extension() {
        Some(ending) => path.with_file_name(format!("{stem}-{name}.{}", ending.to_string_lossy())),
        None => path.with_file_name(format!("{stem}-{name}")),
    }
}

/// The media of the targets that were asked for, for a master with these figures.
///
/// # Errors
/// A target that cannot be reached: by how much, and what would help. Not when it is forced.
pub fn media(arguments: &Render, session: &Session, master: &Figures) -> Result<Vec<Medium>, Failure> {
    let (mut media, mut refused) = (Vec::new(), Vec::new());
    for (i, target) in arguments.target.iter().enumerate() {
        if arguments.target[..i].contains(target) {
            return Err(Failure::Misuse(format!("--target: {} is there twice", target.name)));
        }
        let Some(gain) = target.gain(master) else {
            let why = match Layout::of(master.channels).weights() {
                None => format!("where its {} channels stand is not known, and so no loudness", master.channels),
                Some(_) => "what has no loudness cannot be brought to one: it is silent, or too short".into(),
            };
            return Err(Failure::Error(format!("{}: {why}; nothing is written", target.name)));
        };
        if let Some(over) = target.over(master, gain).filter(|over| *over > MASTER_OVER) {
            refused.push(unreachable(target, master, gain, over));
        }
        media.push(Medium::of(target, arguments, session, gain));
    }
    match (refused.is_empty(), arguments.force) {
        (true, _) => Ok(media),
        (false, true) => {
            refused.iter().for_each(status::warning);
            Ok(media)
        }
        (false, false) => {
            refused.iter().for_each(status::error);
            Err(Failure::Error("nothing is written; --force writes it all the same".into()))
        }
    }
}

/// Why a target cannot be reached, and what would help.
fn unreachable(target: &Target, master: &Figures, gain: f64, over: f64) -> String {
    let shown = |figure: Figure| master.get(figure).map_or("none".into(), |(value, _)| figure.shown(value));
    let name = target.name;
    let Some((lufs, ..)) = target.loudness else {
        return match gain > 0.0 {
            true => format!(
                "{name}: turned up by {gain:.1} dB for its RMS, the peaks of the master would be {over:.1} dB over the ceiling; \
                 raise `gain` of the limiter by {over:.1} dB or more, or compress it"
            ),
            false => format!(
                "{name}: the peaks of the master are {over:.1} dB over the ceiling; lower the ceiling of the limiter by as \
                 much, or the level before it"
            ),
        };
    };
    // As loud as it can be without passing its own ceiling.
    let most = lufs - over;
    let quieter: Vec<&str> = target::all()
        .iter()
        .filter(|other| other.loudness.is_some_and(|(lufs, ..)| lufs <= most))
        .filter(|other| {
            other.gain(master).is_some_and(|gain| other.over(master, gain).is_none_or(|over| over <= MASTER_OVER))
        })
        .map(|other| other.name)
        .take(4)
        .collect();
    let quieter = match quieter.as_slice() {
        [] => format!("choose a target of at most {most:.1} LUFS"),
        names => format!("choose a quieter target, at most {most:.1} LUFS: {}", names.join(", ")),
    };
    format!(
        "{name}: the master reads {} with a true peak of {}; {gain:+.1} dB would bring it to {lufs} LUFS, and its peaks {over:.1} dB \
         over the ceiling. Raise `gain` of the limiter by {over:.1} dB or more, or {quieter}",
        shown(Figure::Lufs),
        shown(Figure::TruePeak)
    )
}

/// How the channels of the output stand.
pub fn layout(arguments: &Render, channels: usize) -> Layout {
    let layout = Layout::of(channels);
    if arguments.dual_mono { layout.dual_mono() } else { layout }
}

/// A master that waits, measured, to be delivered: in a file without a name.
pub struct Master {
    file: BufWriter<File>,
    channels: usize,
    measurement: Measurement,
}

impl Master {
    /// An empty one, which takes room where what is asked for is written.
    ///
    /// # Errors
    /// There is no room.
    pub fn create(arguments: &Render, rate: u32, channels: usize) -> Result<Master, Failure> {
        let beside = arguments.file.as_deref().or(arguments.tracks.as_deref()).and_then(Path::parent);
        let folder = beside.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file =
            tempfile::tempfile_in(folder).map_err(|error| Failure::Error(format!("{}: {error}", folder.display())))?;
        let measurement = Measurement::new(rate, layout(arguments, channels));
        Ok(Master { file: BufWriter::new(file), channels, measurement })
    }

    /// Takes sound.
    ///
    /// # Errors
    /// There is no room.
    pub fn write(&mut self, sound: &[&[f64]]) -> Outcome {
        self.measurement.take(sound);
        let frames = sound.first().map_or(0, |channel| channel.len());
        for frame in 0..frames {
            for channel in sound {
                self.file.write_all(&channel[frame].to_le_bytes()).map_err(full)?;
            }
        }
        Ok(())
    }

    /// What was measured.
    pub fn figures(&self) -> Figures {
        self.measurement.figures()
    }

    /// Gives the whole to `take`, in pieces.
    ///
    /// # Errors
    /// It cannot be read, or what `take` answers.
    pub fn read(&mut self, mut take: impl FnMut(&[&[f64]]) -> Outcome) -> Outcome {
        self.file.flush().map_err(full)?;
        let mut file = self.file.get_ref().try_clone().map_err(full)?;
        file.seek(SeekFrom::Start(0)).map_err(full)?;
        let mut file = BufReader::new(file);
        let mut left = self.measurement.frames();
        let mut sound = vec![Vec::with_capacity(BLOCK); self.channels];
        let mut bytes = [0; size_of::<f64>()];
        while left > 0 {
            let frames = left.min(BLOCK as u64);
            sound.iter_mut().for_each(Vec::clear);
            for _ in 0..frames {
                for channel in &mut sound {
                    file.read_exact(&mut bytes).map_err(full)?;
                    channel.push(f64::from_le_bytes(bytes));
                }
            }
            let channels: Vec<&[f64]> = sound.iter().map(Vec::as_slice).collect();
            take(&channels)?;
            left -= frames;
        }
        Ok(())
    }
}

fn full(error: io::Error) -> Failure {
    Failure::Error(format!("the master cannot be kept while it is measured: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_for_several_media_are_told_apart_by_their_names() {
        assert_eq!(with_name(Path::new("out/mix.wav"), "cd"), Path::new("out/mix-cd.wav"));
        assert_eq!(with_name(Path::new("tracks"), "cd"), Path::new("tracks-cd"));
    }

    #[test]
    fn a_master_that_waits_comes_back_whole() {
        let arguments = <Render as clap::FromArgMatches>::from_arg_matches(
            &<Render as clap::Args>::augment_args(clap::Command::new("render")).get_matches_from([
                "render",
                "session.rhai",
                "-o",
                "mix.wav",
            ]),
        )
        .expect("they are right");
        let mut master = Master::create(&arguments, 48_000, 2).expect("there is room");
        let sound: Vec<f64> = (0..10_000).map(|i| f64::from(i) * 1e-5).collect();
        for piece in sound.chunks(777) {
            master.write(&[piece, piece]).expect("there is room");
        }
        let mut back = [Vec::new(), Vec::new()];
        let read = master.read(|sound| {
            back.iter_mut().zip(sound).for_each(|(all, piece)| all.extend_from_slice(piece));
            Ok(())
        });
        assert!(read.is_ok() && back == [sound.clone(), sound]);
    }
}
