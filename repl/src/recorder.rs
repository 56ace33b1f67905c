//! Writes what is played to files while it plays: the output, what flows into the master, the live inputs.
//!
//! The audio thread only fills rings; each of the three has a thread of its own that empties its ring. Files have their
//! names from the start, and nothing that is there already is overwritten.

mod keeper;

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use engine::compile::Program;
use engine::rolling::{MOST, part};
use engine::tap::{Recording, Recordings, Wanted, What};

use self::keeper::{Job, Keeper, Layout};
use crate::arguments::Play;
use crate::ending::Failure;
use crate::render::stem_name;
use crate::status;

/// The place whose cables are the stems.
pub const STEMS_OF: &str = "master";

/// The most bytes that may wait for a disk that takes nothing: minutes of stereo.
const PATIENCE: usize = 64 << 20;

/// What `play` is asked to record.
pub fn wanted(arguments: &Play) -> Wanted {
    Wanted {
        master: arguments.record.is_some(),
        stems: arguments.record_stems.is_some(),
        inputs: usize::from(arguments.record_inputs.is_some()),
    }
}

/// What a program will give to be recorded.
#[derive(Clone)]
pub struct Expected {
    serial: u64,
    master: Layout,
    stems: Layout,
    inputs: Layout,
}

impl Expected {
    /// Of a program, and the device channels that each live input of its session hears.
    pub fn of(program: &Program, live: &[(String, Vec<u16>)]) -> Self {
        let (mut master, mut stems, mut inputs) = (Layout::default(), Layout::default(), Layout::default());
        let output = program.plan.outputs.first();
        master.add(STEMS_OF, 0..output.map_or(2, |output| output.slots.count));
        let mut first = 0;
        for capture in &program.plan.captures {
            let end = first + capture.slots.count;
            stems.add(&capture.path, first..end);
            first = end;
        }
        for (name, channels) in live {
            // Without a word of them it is the first.
            let channels = if channels.is_empty() { &[1][..] } else { channels };
            inputs.add(name, channels.iter().map(|channel| usize::from(*channel).saturating_sub(1)));
        }
        Expected { serial: program.serial, master, stems, inputs }
    }
}

/// Every recording that is under way.
#[derive(Default)]
pub struct Recorders {
    master: Option<Keeper>,
    stems: Option<Keeper>,
    inputs: Option<Keeper>,
    /// Recordings that were ended and are being closed.
    closing: Vec<JoinHandle<Result<u64, Failure>>>,
    /// What the newest programs give: the one that runs, and the one on its way.
    expected: VecDeque<Expected>,
}

impl Recorders {
    /// Makes the files and begins to write; with `frames`, exactly so many and no more. `first` is what the desk begins
    /// with.
    ///
    /// # Errors
    /// A file cannot be made.
    pub fn start(
        arguments: &Play,
        mut recordings: Recordings,
        first: Expected,
        rate: u32,
        frames: Option<u64>,
    ) -> Result<Self, Failure> {
        // All names before any file, so that what one recording makes is not in another's way.
        let master = arguments.record.as_deref().map(|wanted| free_name(wanted, |_| false));
        let session = arguments.session.file_stem().unwrap_or_default().to_string_lossy();
        let within = |dir: &Option<PathBuf>| match dir {
            Some(dir) => free_prefix(dir, &session).map(|prefix| Some((dir.clone(), prefix))),
            None => Ok(None),
        };
        let (stems, inputs) = (within(&arguments.record_stems)?, within(&arguments.record_inputs)?);
        let frames = frames.unwrap_or(u64::MAX);
        let job = |recording, name| Job { recording, name, rate, frames, whole: true, limit: MOST, patience: PATIENCE };
        let mut recorders = Recorders { expected: [first.clone()].into(), ..Recorders::default() };
        if let (Some(path), Some(recording)) = (master, recordings.master.take()) {
            let job = job(recording, Box::new(move |_: &str| Ok(path.clone())));
            recorders.master = Some(Keeper::start(job, first.serial, first.master)?);
        }
        if let (Some((dir, prefix)), Some(recording)) = (stems, recordings.stems.take()) {
            let job = job(recording, Box::new(move |cable: &str| Ok(dir.join(stem_name(&prefix, cable, STEMS_OF)))));
            recorders.stems = Some(Keeper::start(job, first.serial, first.stems)?);
        }
        if let (Some((dir, prefix)), Some(recording)) = (inputs, recordings.inputs.pop()) {
            let job = job(recording, Box::new(move |input: &str| Ok(dir.join(input_name(&prefix, input)))));
            recorders.inputs = Some(Keeper::start(job, first.serial, first.inputs)?);
        }
        Ok(recorders)
    }

    /// Learns what a program will give, before it is sent.
    pub fn expect(&mut self, next: Expected) {
        self.expected.push_back(next.clone());
        self.expected.drain(..self.expected.len().saturating_sub(2));
        if let Some(stems) = &self.stems {
            stems.expect(next.serial, next.stems);
        }
        if let Some(inputs) = &self.inputs {
            inputs.expect(next.serial, next.inputs);
        }
    }

    /// How many channels the stems have that the newest program gives.
    pub fn stem_channels(&self) -> usize {
        self.expected.back().map_or(0, |expected| expected.stems.channels())
    }

    /// Begins a recording while the desk plays, of what comes from here on; `in_flight` is whether the newest program is still
    /// on its way. Files are made meanwhile: what comes of that is told.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn begin(
        &mut self,
        what: What,
        recording: Recording,
        name: Name,
        rate: u32,
        in_flight: bool,
    ) -> Result<(), Failure> {
        let layout = |expected: &Expected| match what {
            What::Master => (expected.serial, expected.master.clone()),
            What::Stems(_) => (expected.serial, expected.stems.clone()),
        };
        let known = self.expected.len().saturating_sub(1 + usize::from(in_flight));
        let mut layouts = self.expected.iter().skip(known).map(layout);
        let (serial, first) = layouts.next().unwrap_or_default();
        let job = Job { recording, name, rate, frames: u64::MAX, whole: false, limit: MOST, patience: PATIENCE };
        let keeper = Keeper::begin(job, serial, first)?;
        layouts.for_each(|(serial, layout)| keeper.expect(serial, layout));
        *self.of(what) = Some(keeper);
        Ok(())
    }

    /// Ends a recording that is under way, whenever it began; whether there was one. Its files are closed meanwhile, and told
    /// of.
    pub fn end(&mut self, what: What) -> bool {
        self.closing.retain(|closing| !closing.is_finished());
        let Some(keeper) = self.of(what).take() else { return false };
        if keeper.has_ended() {
            // Why has been told.
            return false;
        }
        let name = thread::Builder::new().name("gainstage-close".into());
        // Without a thread it is closed when it is dropped.
        self.closing.extend(name.spawn(move || keeper.finish()));
        true
    }

    /// Whether something is being recorded.
    pub fn is_under_way(&mut self, what: What) -> bool {
        self.of(what).as_ref().is_some_and(|keeper| !keeper.has_ended())
    }

    fn of(&mut self, what: What) -> &mut Option<Keeper> {
        match what {
            What::Master => &mut self.master,
            What::Stems(_) => &mut self.stems,
        }
    }

    /// Whether anything is recorded since the performance began.
    pub fn any(&self) -> bool {
        self.all().any(Keeper::is_whole)
    }

    /// Whether all has come that was asked for when the performance began.
    pub fn is_done(&self) -> bool {
        self.all().filter(|keeper| keeper.is_whole()).all(Keeper::is_done)
    }

    /// Writes what has come so far and closes the files, telling of each; gives the frames that were recorded since the
    /// performance began.
    ///
    /// # Errors
    /// Something could not be written, which has been told.
    pub fn finish(self) -> Result<Option<u64>, Failure> {
        let counted = |(whole, frames): (bool, Result<u64, Failure>)| frames.map(|frames| whole.then_some(frames));
        let keepers = [self.master, self.stems, self.inputs].into_iter().flatten();
        // All are closed, whatever becomes of one.
        let mut frames: Vec<Result<Option<u64>, Failure>> =
            keepers.map(|keeper| (keeper.is_whole(), keeper.finish())).map(counted).collect();
        let closed = self.closing.into_iter().map(|closing| closing.join().unwrap_or(Err(Failure::Shown)));
        frames.extend(closed.map(|frames| frames.map(|_| None)));
        frames.into_iter().try_fold(None, |most, frames| Ok(most.max(frames?)))
    }

    fn all(&self) -> impl Iterator<Item = &Keeper> {
        self.master.iter().chain(&self.stems).chain(&self.inputs)
    }
}

/// What a file of a recording is called.
pub type Name = Box<dyn Fn(&str) -> Result<PathBuf, String> + Send>;

/// The name of a recording of the master, found when it is made.
pub fn take_name(wanted: PathBuf) -> Name {
    let name = OnceCell::new();
    Box::new(move |_| Ok(name.get_or_init(|| free_name(&wanted, |_| false)).clone()))
}

/// The names of recordings of stems in a folder, found when the first is made.
pub fn stem_names(dir: PathBuf, session: String) -> Name {
    let prefix = OnceCell::new();
    Box::new(move |cable| {
        let prefix = prefix.get_or_init(|| free_prefix(&dir, &session).map_err(|error| error.to_string()));
        prefix.clone().map(|prefix| dir.join(stem_name(&prefix, cable, STEMS_OF)))
    })
}

/// `night-voice-in.wav` for the input `voice`; what comes back from hardware is called after its effect.
fn input_name(prefix: &str, input: &str) -> String {
    format!("{prefix}-{}-in.wav", input.replace(['/', '>', ':', '#'], "-"))
}

/// The name for a new recording: the one that was asked for, or if that is taken, also by a part of a longer one, the
/// first of `take.2.wav`, `take.3.wav`... that is not; `is_taken` says which are besides.
pub fn free_name(wanted: &Path, is_taken: impl Fn(&Path) -> bool) -> PathBuf {
    let free = |path: &PathBuf| !is_taken(path) && !path.exists() && !part(path, 2).exists();
    let name = (1..).map(|n| numbered(wanted, n)).find(free).unwrap_or_else(|| wanted.to_owned());
    if name != wanted {
        let (wanted, name) = (wanted.display(), name.display());
        status::warning(format!("{wanted} is there already and stays as it is: this is recorded to {name}"));
    }
    name
}

/// `take.wav`, `take.2.wav`, `take.3.wav`...
fn numbered(path: &Path, n: u64) -> PathBuf {
    if n == 1 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{n}."));
    name.push(path.extension().unwrap_or(OsStr::new("wav")));
    path.with_file_name(name)
}

/// What the names of new files in a folder, made if it is not there, begin with: `SESSION`, or if there are files whose
/// names begin with `SESSION-`, the first of `SESSION.2`, `SESSION.3`... of which there are none.
fn free_prefix(dir: &Path, session: &str) -> Result<String, Failure> {
    let names = || -> io::Result<Vec<String>> {
        fs::create_dir_all(dir)?;
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let names = names().map_err(|error| Failure::Error(format!("{}: {error}", dir.display())))?;
    let free = |prefix: &String| !names.iter().any(|name| name.starts_with(&format!("{prefix}-")));
    let prefixes = (1_u64..).map(|n| if n == 1 { session.to_owned() } else { format!("{session}.{n}") });
    let prefix = prefixes.into_iter().find(free).unwrap_or_default();
    if prefix != session {
        let dir = dir.display();
        status::warning(format!(
            "{dir} has files of {session} already, which stay as they are: these are {prefix}-..."
        ));
    }
    Ok(prefix)
}
