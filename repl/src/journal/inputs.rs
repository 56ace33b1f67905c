//! What live inputs heard, as the engine took it: from the first sound on, to the file `inputs.wav` and its parts.

use std::io;
use std::path::Path;

use engine::kernel::{Buffer, QUANTUM};
use engine::rolling::{MOST, Rolling, Series};
use engine::tap::Recording;

use super::record::Record;

/// What the first file is called.
const FILE: &str = "inputs.wav";

/// Writes what comes.
pub struct Inputs {
    recording: Recording,
    rate: u32,
    file: Option<Rolling>,
    /// The frame that comes next.
    next: u64,
    samples: Vec<f32>,
}

impl Inputs {
    /// Of a desk that has just begun.
    pub fn new(recording: Recording, rate: u32) -> Self {
        Inputs { recording, rate, file: None, next: 0, samples: Vec::new() }
    }

    /// Writes what has come since, to the folder of the journal; gives what is to be told of it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn take(&mut self, folder: &Path) -> io::Result<Vec<Record>> {
        let mut told = Vec::new();
        while let Some(quantum) = self.recording.next(&mut self.samples) {
            let channels = self.samples.len() / QUANTUM;
            if quantum.frame > self.next {
                let (frame, frames) = (self.next, quantum.frame - self.next);
                told.push(Record::InputLost { frame, frames });
                self.file.iter_mut().for_each(|file| file.silence(frames));
            }
            self.next = quantum.frame + QUANTUM as u64;
            // As long as nothing is heard there is nothing to keep.
            if self.file.is_none() && self.samples.iter().any(|x| *x != 0.0) {
                self.file = Some(Rolling::create(&folder.join(FILE), self.rate, channels, MOST)?);
                told.push(Record::Inputs { frame: quantum.frame, channels });
            }
            self.file.iter_mut().for_each(|file| file.write(&self.samples));
        }
        self.file.iter_mut().try_for_each(Rolling::flush)?;
        Ok(told)
    }
}

/// The frame up to which live inputs are kept in a journal's folder, in whole quanta; none if they never heard anything.
///
/// # Errors
/// It cannot be read.
pub fn end(folder: &Path, records: &[Record]) -> io::Result<Option<u64>> {
    let begin = records.iter().find_map(|record| match record {
        Record::Inputs { frame, .. } => Some(*frame),
        _ => None,
    });
    let quantum = QUANTUM as u64;
    begin.map(|begin| Ok(begin + Series::frames(&folder.join(FILE))? / quantum * quantum)).transpose()
}

/// What was heard, again.
pub struct Heard {
    series: Series,
    /// The frame at which it begins.
    begin: u64,
    samples: Vec<f32>,
}

impl Heard {
    /// Of the journal in a folder, whose inputs begin at a frame.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(folder: &Path, begin: u64, channels: usize) -> io::Result<Heard> {
        let series = Series::open(&folder.join(FILE))?;
        match series.channels() == channels {
            true => Ok(Heard { series, begin, samples: vec![0.0; channels * QUANTUM] }),
            false => Err(io::Error::other("it does not have the channels that were kept")),
        }
    }

    /// The quantum at a frame, a buffer a channel. Asked for one after another.
    ///
    /// # Errors
    /// It cannot be read, or ends before.
    pub fn next(&mut self, frame: u64) -> io::Result<Vec<Buffer>> {
        let channels = self.series.channels();
        if frame < self.begin {
            return Ok(vec![[0.0; QUANTUM]; channels]);
        }
        if self.series.read(&mut self.samples)? < QUANTUM {
            return Err(io::Error::other("it ends before the performance does"));
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
            told.extend(inputs.take(folder.path()).expect("there is room"));
        }
        let [Record::Inputs { frame, channels: 2 }] = told[..] else { panic!("{told:?}") };
        assert!(frame > 0);
        let mut heard = Heard::open(folder.path(), frame, 2).expect("it is there");
        let (mut samples, mut sounding) = (Vec::new(), 0);
        while let Some(quantum) = wanted.next(&mut samples) {
            let again = heard.next(quantum.frame).expect("it is kept");
            for (i, x) in samples.iter().enumerate() {
                assert_eq!(again[i % 2][i / 2], f64::from(*x), "frame {}", quantum.frame + i as u64 / 2);
                sounding += usize::from(*x != 0.0);
            }
        }
        assert!(sounding > 5000, "{sounding}");
        assert!(heard.next(1 << 20).is_err(), "that is all");
    }
}
