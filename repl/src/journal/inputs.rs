//! What live inputs heard, as the engine took it: from the first sound on, to the file `inputs.wav` and its parts.

use std::io;
use std::path::{Path, PathBuf};

use engine::kernel::{Buffer, QUANTUM};
use engine::rolling::{MOST, Rolling, Series, part};
use engine::tap::Recording;

use super::record::Record;

/// What the first file is called.
const FILE: &str = "inputs.wav";

/// The most bytes that wait to be written: what is heard beyond them is lost.
const MOST_WAITING: usize = 64 << 20;

/// Writes what comes.
pub struct Inputs {
    recording: Recording,
    rate: u32,
    channels: usize,
    /// What is written, and the frame it begins with.
    file: Option<(u64, Rolling)>,
    /// Whether anything has been heard.
    heard: bool,
    /// Whether nothing is kept any more.
    stopped: bool,
    /// Without a file, the frame up to which everything is kept that was heard.
    kept: u64,
    /// The frame that comes next.
    next: u64,
    samples: Vec<f32>,
}

impl Inputs {
    /// Of a desk that has just begun.
    pub fn new(recording: Recording, rate: u32) -> Self {
        let (heard, stopped) = (false, false);
        Inputs { recording, rate, channels: 0, file: None, heard, stopped, kept: 0, next: 0, samples: Vec::new() }
    }

    /// Writes what has come since, to the folder of the journal; what is to be told of it comes to `told`.
    ///
    /// # Errors
    /// It cannot be written. As much of it as there is room for waits for the next time.
    pub fn take(&mut self, folder: &Path, told: &mut Vec<Record>) -> io::Result<()> {
        while self.file.as_ref().is_none_or(|(_, file)| file.waiting() < MOST_WAITING) {
            let Some(quantum) = self.recording.next(&mut self.samples) else { break };
            if self.stopped {
                continue;
            }
            let channels = self.samples.len() / QUANTUM;
            self.channels = channels;
            if quantum.frame > self.next {
                let (frame, frames) = (self.next, quantum.frame - self.next);
                told.push(Record::InputLost { frame, frames });
                self.file.iter_mut().for_each(|(_, file)| file.silence(frames));
            }
            self.next = quantum.frame + QUANTUM as u64;
            // As long as nothing is heard there is nothing to keep.
            self.heard |= self.samples.iter().any(|x| *x != 0.0);
            if !self.heard {
                self.kept = self.next;
            } else if self.file.is_none() {
                let file = Rolling::create(&folder.join(FILE), self.rate, channels, MOST);
                // It is lost unless there is a file for it.
                self.file = Some((quantum.frame, file.inspect_err(|_| self.next = quantum.frame)?));
                told.push(Record::Inputs { frame: quantum.frame, channels });
            }
            self.file.iter_mut().for_each(|(_, file)| file.write(&self.samples));
        }
        self.file.iter_mut().try_for_each(|(_, file)| file.flush())
    }

    /// Bytes of sound that lie in the folder they are written to.
    pub fn bytes(&self) -> u64 {
        self.file.as_ref().map_or(0, |(_, file)| file.kept() * (self.channels * size_of::<f32>()) as u64)
    }

    /// Has what comes go to another folder, in files of their own, when all that was taken has been written; gives the frame
    /// that comes next.
    pub fn go_on_elsewhere(&mut self) -> u64 {
        if self.file.take().is_some() {
            self.kept = self.next;
        }
        self.next
    }

    /// Keeps nothing that comes; gives the frame up to which it was kept. None as long as nothing has been heard, and when it
    /// has been stopped before.
    pub fn stop(&mut self) -> Option<u64> {
        if self.stopped || !self.heard {
            return None;
        }
        self.stopped = true;
        let quantum = QUANTUM as u64;
        Some(self.file.take().map_or(self.kept, |(begin, file)| begin + file.kept() / quantum * quantum))
    }

    /// Whether nothing is kept any more.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }
}

/// The files of live inputs in the folder of a part.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    (1..).map(|number| part(&folder.join(FILE), number)).take_while(|file| file.exists()).collect()
}

/// Live inputs that are kept in one part of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The folder of the part.
    pub folder: PathBuf,
    /// The frame at which they begin.
    pub frame: u64,
    /// Their channels.
    pub channels: usize,
}

impl Stretch {
    /// The frame up to which they are kept, in whole quanta.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn end(&self) -> io::Result<u64> {
        let quantum = QUANTUM as u64;
        Ok(self.frame + Series::frames(&self.folder.join(FILE))? / quantum * quantum)
    }

    fn open(&self) -> io::Result<Series> {
        let series = Series::open(&self.folder.join(FILE))?;
        match series.channels() == self.channels {
            true => Ok(series),
            false => Err(io::Error::other("it does not have the channels that were kept")),
        }
    }
}

/// What was heard, again.
pub struct Heard {
    stretches: Vec<Stretch>,
    /// The frame from which on nothing was kept any more, if there is one.
    end: Option<u64>,
    /// The stretch that is read, and its number.
    series: Option<(usize, Series)>,
    samples: Vec<f32>,
}

impl Heard {
    /// From a frame on; none if nothing is kept. What was not kept any more, from the frame `end` on, is silent.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(stretches: &[Stretch], end: Option<u64>, from: u64) -> io::Result<Option<Heard>> {
        if stretches.is_empty() {
            return Ok(None);
        }
        let begun = stretches.iter().rposition(|stretch| stretch.frame <= from);
        let skipped = |n: usize| {
            let mut series = stretches[n].open()?;
            // Beyond the end there is nothing to skip to.
            series.skip(from.min(end.unwrap_or(from)).saturating_sub(stretches[n].frame))?;
            Ok::<_, io::Error>((n, series))
        };
        let series = begun.map(skipped).transpose()?;
        Ok(Some(Heard { stretches: stretches.to_vec(), end, series, samples: Vec::new() }))
    }

    /// The quantum at a frame, a buffer a channel. Asked for one after another.
    ///
    /// # Errors
    /// It cannot be read, or ends before.
    pub fn next(&mut self, frame: u64) -> io::Result<Vec<Buffer>> {
        let next = self.series.as_ref().map_or(0, |(n, _)| n + 1);
        let coming = self.stretches.get(next);
        if let Some(stretch) = coming.filter(|stretch| stretch.frame <= frame) {
            self.series = Some((next, stretch.open()?));
        }
        let coming = self.stretches.get(self.series.as_ref().map_or(0, |(n, _)| n + 1));
        let silence = |channels: usize| Ok(vec![[0.0; QUANTUM]; channels]);
        let Some((_, series)) = &mut self.series else {
            return silence(self.stretches.first().map_or(0, |stretch| stretch.channels));
        };
        let channels = series.channels();
        self.samples.resize(channels * QUANTUM, 0.0);
        if series.read(&mut self.samples)? < QUANTUM {
            // What could not be kept just before a part is told of where that was.
            return match coming {
                _ if self.end.is_some_and(|end| end <= frame) => silence(channels),
                Some(_) => silence(channels),
                None => Err(io::Error::other("it ends before the performance does")),
            };
        }
        let channel = |channel: usize| std::array::from_fn(|i| f64::from(self.samples[i * channels + channel]));
        Ok((0..channels).map(channel).collect())
    }

    /// What it is called, for errors.
    pub const FILE: &'static str = FILE;
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::desk::Desk;
    use engine::graph::prepare;
    use engine::live::{Setup, start};
    use engine::media::Library;
    use engine::playback::{Capture, Playback};
    use engine::tap::Wanted;

    #[test]
    fn what_live_inputs_heard_comes_back_from_the_first_sound_on() {
        let evaluated = scripting::evaluate_text(Path::new("a.rhai"), "input(\"a\", device(1)) >> master;");
        let prepared = prepare(evaluated.session.expect("it is right"), &Library::new());
        let (_, program) = Desk::open(&prepared.graph.expect("it is right"), None).expect("the plan proves right");
        let keep = Wanted { inputs: 2, ..Wanted::default() };
        let setup = Setup { rate: 48_000, keep, inputs: 2, cushion: 64 };
        let (_live, mut player, mut listener, mut recordings) = start(program, setup);
        let mut wanted = recordings.inputs.pop().expect("it was wanted");
        let folder = tempfile::tempdir().expect("there is room");
        let mut inputs = Inputs::new(recordings.inputs.pop().expect("twice"), 48_000);
        let mut told = Vec::new();
        for block in 0..40 {
            // Silence at first.
            let sound = |i: usize| if block < 10 { 0.0 } else { ((block * 320 + i) % 997) as f32 / 1000.0 };
            listener.take(&(0..320).map(sound).collect::<Vec<f32>>(), 2);
            player.fill(&mut [0.0; 320], 2);
            if block == 25 {
                inputs.go_on_elsewhere();
            }
            let part = folder.path().join("part");
            std::fs::create_dir_all(&part).expect("there is room");
            inputs.take(if block < 25 { folder.path() } else { &part }, &mut told).expect("there is room");
        }
        let [Record::Inputs { frame: first, channels: 2 }, Record::Inputs { frame: second, channels: 2 }] = told[..]
        else {
            panic!("{told:?}")
        };
        assert!(first > 0 && second > first + 640);
        let stretch = |number: usize, frame: u64| {
            let folder = if number == 1 { folder.path().to_owned() } else { folder.path().join("part") };
            Stretch { folder, frame, channels: 2 }
        };
        let stretches = [stretch(1, first), stretch(2, second)];
        let mut heard = Heard::open(&stretches, None, 0).expect("it is there").expect("something was heard");
        let mut later = Heard::open(&stretches, None, second - 640).expect("it is there").expect("something was heard");
        let mut latest =
            Heard::open(&stretches, None, second + 640).expect("it is there").expect("something was heard");
        let (mut samples, mut sounding) = (Vec::new(), 0);
        while let Some(quantum) = wanted.next(&mut samples) {
            let again = heard.next(quantum.frame).expect("it is kept");
            for (other, from) in [(&mut later, second - 640), (&mut latest, second + 640)] {
                if quantum.frame >= from {
                    assert_eq!(other.next(quantum.frame).expect("it is kept"), again, "from frame {from}");
                }
            }
            for (i, x) in samples.iter().enumerate() {
                assert_eq!(again[i % 2][i / 2], f64::from(*x), "frame {}", quantum.frame + i as u64 / 2);
                sounding += usize::from(*x != 0.0);
            }
        }
        assert!(sounding > 5000, "{sounding}");
        assert!(heard.next(1 << 20).is_err(), "that is all");
        // Once no more is kept what comes is silent, and nothing is written.
        let end = inputs.stop().expect("something was heard");
        assert_eq!((end, inputs.stop()), (stretches[1].end().expect("it is there"), None));
        listener.take(&[0.5; 1280], 2);
        player.fill(&mut [0.0; 1280], 2);
        inputs.take(&folder.path().join("part"), &mut told).expect("nothing is written");
        assert_eq!((told.len(), stretches[1].end().expect("it is there")), (2, end));
        for from in [end - 64, end, end + 6400] {
            let mut heard =
                Heard::open(&stretches, Some(end), from).expect("it is there").expect("something was heard");
            let quantum = heard.next(from).expect("it is silent, which is no fault");
            assert_eq!(quantum.iter().flatten().any(|x| *x != 0.0), from < end, "from frame {from}");
            assert!(heard.next(end + 6400).expect("so is this").iter().flatten().all(|x| *x == 0.0) || from < end);
        }
    }
}
