//! Keeps a journal while it plays: who plays sends what happened into a channel, a thread of its own writes it. Nothing here
//! holds up the desk, and when nothing more can be written this is told and playing goes on.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use engine::desk::Desk;
use engine::diff::Changes;
use engine::live::Report;
use engine::render;
use engine::tap::{Recording, Wanted};
use scripting::SourceFile;

use super::hashes;
use super::inputs::Inputs;
use super::kept::clock_time;
use super::lines::Lines;
use super::parts;
use super::record::{FORMAT, Header, KeptFile, Record, Stamp, Text};
use super::shadow::Shadow;
use super::store::{self, MOST_BYTES, TEXTS};
use super::trim::Trim;
use crate::arguments::JournalChoice;
use crate::ending::Failure;
use crate::load::Loaded;
use crate::safety::Programs;
use crate::status;

/// How often what was written goes to the system: a kill loses at most about so much.
const FLUSH: Duration = Duration::from_millis(200);

/// How often the system is asked to put it on the disk: a power cut loses at most about so much.
const SYNC: Duration = Duration::from_secs(1);

/// How long the end waits for what is still unknown of sound files.
const HASH_PATIENCE: Duration = Duration::from_secs(2);

/// How many times a second the writer hears how far it has come.
const REACHED: u64 = 20;

/// A text that is taken up, with everything it was made of.
#[derive(Clone, Debug)]
pub struct Taken {
    files: Vec<SourceFile>,
    lines: Vec<String>,
    crossfade: Option<f64>,
    tempo_over: f64,
    media: Vec<PathBuf>,
}

impl Taken {
    /// What a session was loaded from.
    pub fn of(loaded: &Loaded) -> Taken {
        let (lines, files): (Vec<_>, Vec<_>) = loaded.files.iter().cloned().partition(|file| file.is_line);
        let lines = lines.into_iter().map(|line| line.text).collect();
        let crossfade = loaded.session.as_ref().map(|session| session.crossfade);
        let tempo_over = loaded.session.as_ref().map_or(0.0, |session| session.tempo_over);
        Taken { files, lines, crossfade, tempo_over, media: loaded.media() }
    }

    /// The files that it was made from, the session's first; without the prompt's lines.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }
}

/// When a text was taken up, and as what.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// As the program of this number, which was meant for a frame of the transport, or for at once.
    Program {
        /// The number.
        serial: u64,
        /// The frame.
        wanted: Option<u64>,
        /// When it was.
        taken: render::Taken,
    },
    /// It changed nothing, as of a frame.
    Nothing(u64),
}

impl When {
    /// When it all begins.
    pub const BEGINNING: When =
        When::Program { serial: 0, wanted: None, taken: render::Taken { clock: 0, at: 0, heard: 0 } };
}

/// What a journal is of.
#[derive(Clone, Copy, Debug)]
pub struct Performance<'a> {
    /// The session's file.
    pub session: &'a Path,
    /// Frames a second.
    pub rate: u32,
    /// From which noise and chance are drawn.
    pub seed: u64,
    /// Channels of the master.
    pub channels: usize,
}

/// How much of a journal there may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The frames after which it goes on in a further part.
    pub part: u64,
    /// The most bytes that all journals take; without it [`MOST_BYTES`] where nobody has named a folder.
    pub most: Option<u64>,
}

/// What is to be kept of what plays, the journal's share added.
pub fn wanted(choice: Option<&JournalChoice>, others: Wanted) -> Wanted {
    let own = usize::from(choice != Some(&JournalChoice::None));
    Wanted { inputs: others.inputs + own, ..others }
}

/// What the writer is told.
enum Entry {
    Record(Record),
    Text {
        text: Taken,
        when: When,
        changes: Changes,
    },
    Reached(u64),
    /// So many reports are missing.
    Lost(u64),
    /// Nothing follows; with a frame and the length of the master if it ended as it should.
    End(Option<(u64, u64)>),
}

/// A journal that is kept; or none, to which nothing is said in vain.
pub struct Journal {
    folder: Option<PathBuf>,
    writer: Option<(Sender<Entry>, JoinHandle<()>)>,
    /// The frame that the writer last heard of.
    reached: u64,
    /// After how many frames it hears of the next.
    step: u64,
}

impl Journal {
    /// Begins a journal, unless none is wanted, of what happens and of what live inputs hear. In the user's state directory it is kept as far as that can be
    /// done; in a folder that the user named it must be.
    ///
    /// # Errors
    /// The folder that the user named does not take it.
    pub fn start(
        choice: Option<&JournalChoice>,
        of: Performance<'_>,
        heard: Option<Recording>,
        bounds: Bounds,
    ) -> Result<Journal, Failure> {
        let rate = of.rate;
        let (folder, bounds) = match choice {
            Some(JournalChoice::None) => return Ok(Journal::none(rate)),
            Some(JournalChoice::In(folder)) => (folder.clone(), bounds),
            None => match store::usual() {
                Ok(folder) => (folder, Bounds { most: bounds.most.or(Some(MOST_BYTES)), ..bounds }),
                Err(error) => {
                    status::warning(format!("no journal is kept: {error}; --journal DIR names a folder"));
                    return Ok(Journal::none(rate));
                }
            },
        };
        match Writer::start(&folder, of, heard, bounds) {
            Ok((own, to, thread)) => {
                status::say(format!(
                    "keeping a journal in {}, live inputs too; --journal none keeps nothing",
                    folder.display()
                ));
                Ok(Journal { folder: Some(own), writer: Some((to, thread)), ..Journal::none(rate) })
            }
            Err(error) if choice.is_none() => {
                status::warning(format!("no journal is kept: {}: {error}", folder.display()));
                Ok(Journal::none(rate))
            }
            Err(error) => Err(Failure::Error(format!("--journal: {}: {error}", folder.display()))),
        }
    }

    fn none(rate: u32) -> Journal {
        Journal { folder: None, writer: None, reached: 0, step: u64::from(rate) / REACHED }
    }

    /// The folder of this performance's journal, if one is kept.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// A text was taken up.
    pub fn text(&self, text: Taken, when: When, changes: Changes) {
        self.tell(Entry::Text { text, when, changes });
    }

    /// What is heard was metered from here on, or no more, with the program `serial`.
    pub fn metered(&self, serial: u64, on: bool, taken: render::Taken) {
        self.tell(Entry::Record(Record::Meter { serial, on, frame: taken.clock }));
    }

    /// What had ended by `now` was left behind, with the program `serial`.
    pub fn settled(&self, serial: u64, now: u64, taken: render::Taken) {
        self.tell(Entry::Record(Record::Settle { serial, now, frame: taken.clock }));
    }

    /// The audio side has told something; `desk` knows its sources, `programs` what its works are called. What it took up is
    /// told by who knows what that was; what follows from the rest by itself is not kept.
    pub fn report(&self, report: Report, desk: &Desk, programs: &Programs) {
        let record = match report {
            Report::Controlled { source, value, frame } => match desk.source_of(source) {
                Some(source) => Record::Control { frame, source: source.clone(), value },
                None => return,
            },
            Report::Touched { source, touch, frame } => match desk.source_of(source) {
                Some(source) => Record::Note { frame, source: source.clone(), touch },
                None => return,
            },
            Report::Moved { order, frame, transport } => Record::Move { frame, order, transport },
            Report::MediaLate { serial, frame, work } => {
                let path = programs.works(serial).get(work).cloned().unwrap_or_default();
                Record::MediaLate { frame, work, path }
            }
            Report::InputLate { frame } => Record::InputLate { frame },
            // What guards the outputs stands behind what is kept of them.
            Report::Guarded { .. } | Report::Costed { .. } => return,
            Report::TakenUp { .. } | Report::Poisoned { .. } | Report::RecordLate { .. } => return,
        };
        self.tell(Entry::Record(record));
    }

    /// So many reports of the audio side were lost.
    pub fn lost(&self, reports: u64) {
        self.tell(Entry::Lost(reports));
    }

    /// It has come as far as this frame, and of everything before it the journal was told.
    pub fn reached(&mut self, frame: u64) {
        if frame >= self.reached + self.step {
            self.reached = frame;
            self.tell(Entry::Reached(frame));
        }
    }

    /// It is over at a frame, and the master is `frames` long. Waits until that is written.
    pub fn end(mut self, frame: u64, frames: u64) {
        self.close(Some((frame, frames)));
    }

    fn close(&mut self, end: Option<(u64, u64)>) {
        self.tell(Entry::End(end));
        if let Some((to, thread)) = self.writer.take() {
            // Nothing comes from here any more: what it still waits for is what is found out of sound files.
            drop(to);
            if thread.join().is_err() {
                status::warning("the journal has no end: its thread failed");
            }
        }
    }

    fn tell(&self, entry: Entry) {
        if let Some((to, _)) = &self.writer {
            // A writer that is gone has said why.
            let _ = to.send(entry);
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close(None);
    }
}

/// Of what journals may take, a part takes no more than one of so many shares before the next begins, so that there is
/// something to remove.
const SHARES: u64 = 8;

/// The thread that writes.
struct Writer {
    folder: PathBuf,
    bounds: Bounds,
    /// The part that is written, and the frame from which on it may be followed by another.
    part: usize,
    part_end: u64,
    shadow: Shadow,
    /// Who removes what is too much, if there is such a thing.
    trim: Option<Trim>,
    /// Whether something could not be written when it was last tried.
    in_trouble: bool,
    /// Frames of live input that were lost since then.
    unheard: u64,
    /// The session's folder.
    home: PathBuf,
    lines: Lines,
    rate: u32,
    texts: Texts,
    hashes: Option<Sender<Stamp>>,
    inputs: Option<Inputs>,
    /// The last frame that a line speaks of.
    last: u64,
    /// Keeps the journal from being removed.
    _used: File,
}

impl Writer {
    fn start(
        journals: &Path,
        of: Performance<'_>,
        heard: Option<Recording>,
        bounds: Bounds,
    ) -> io::Result<(PathBuf, Sender<Entry>, JoinHandle<()>)> {
        let Performance { session, rate, seed, channels } = of;
        let now = SystemTime::now();
        let session = std::path::absolute(session)?;
        let folder = store::create(journals, &session, now)?;
        let used = store::mark_played(&folder)?;
        let header = Header {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").into(),
            session: session.clone(),
            started: store::utc(now),
            rate,
            seed,
            channels,
        };
        let (to, entries) = mpsc::channel();
        let found = to.clone();
        let mut writer = Writer {
            home: session.parent().unwrap_or(Path::new("")).to_owned(),
            lines: Lines::create(&folder)?,
            rate,
            texts: Texts { folder: folder.join(TEXTS), known: BTreeMap::new() },
            hashes: Some(hashes::start(move |stamp, blake3| {
                found.send(Entry::Record(Record::Media { stamp, blake3 })).is_ok()
            })?),
            inputs: heard.map(|heard| Inputs::new(heard, rate)),
            last: 0,
            bounds,
            part: 1,
            part_end: bounds.part,
            shadow: Shadow::new(std::path::absolute(&folder)?),
            trim: bounds.most.map(|most| Trim::start(journals.to_owned(), folder.clone(), most)).transpose()?,
            in_trouble: false,
            unheard: 0,
            folder,
            _used: used,
        };
        writer.write(&Record::Header(header))?;
        writer.lines.flush()?;
        let folder = std::path::absolute(&writer.folder)?;
        let thread = thread::Builder::new().name("gainstage-journal".into()).spawn(move || writer.run(&entries))?;
        Ok((folder, to, thread))
    }

    fn run(mut self, entries: &Receiver<Entry>) {
        match self.keep(entries) {
            Ok(true) => {}
            // It was never played: what could not begin leaves no journal.
            Ok(false) => drop(fs::remove_dir_all(&self.folder)),
            Err(error) => {
                let shown = self.folder.display();
                status::warning(format!("the journal ends here, and playing goes on: {shown}: {error}"));
            }
        }
    }

    /// Writes until the end; says whether anything was played.
    fn keep(&mut self, entries: &Receiver<Entry>) -> io::Result<bool> {
        let (mut reached, mut end) = (0, None);
        let (mut flushed, mut synced) = (Instant::now(), Instant::now());
        loop {
            let patience = if end.is_some() { HASH_PATIENCE } else { FLUSH.saturating_sub(flushed.elapsed()) };
            match entries.recv_timeout(patience) {
                Ok(Entry::Record(record)) => self.write(&record)?,
                Ok(Entry::Text { text, when, changes }) => self.text(text, when, changes)?,
                Ok(Entry::Reached(frame)) => reached = frame,
                Ok(Entry::Lost(reports)) => self.write(&Record::ReportsLost { frame: self.last, reports })?,
                Ok(Entry::End(how)) => {
                    // What is being found out of sound files still comes before the last line.
                    self.hashes = None;
                    end = Some(how);
                }
                Err(RecvTimeoutError::Timeout) if end.is_none() => {}
                Err(_) => break,
            }
            if flushed.elapsed() >= FLUSH {
                let put = self.put(reached);
                let begun = if put.is_ok() && self.is_part_full() { self.begin_part() } else { Ok(()) };
                // Trouble is over once everything can be done again, not only what costs nothing.
                let is_due = self.in_trouble || synced.elapsed() >= SYNC;
                let done = put.and(begun).and(if is_due { self.lines.sync() } else { Ok(()) });
                if is_due {
                    synced = Instant::now();
                }
                self.note(done);
                self.hold_bound()?;
                self.follow();
                flushed = Instant::now();
            }
        }
        // The end is kept also when what was heard last cannot be: then it says from where on that is missing.
        if let Err(error) = self.listen() {
            self.stop_listening()?;
            let shown = self.folder.display();
            status::warning(format!("the journal lacks what live inputs heard last: {shown}: {error}"));
        }
        if let Some(Some((frame, frames))) = end {
            self.write(&Record::End { frame: frame.max(self.last), frames })?;
        }
        self.lines.flush()?;
        self.lines.sync()?;
        Ok(self.last > 0)
    }

    /// Keeps no more live input where there is no room for it; lines and texts are small, and go on.
    fn hold_bound(&mut self) -> io::Result<()> {
        if self.trim.as_ref().is_some_and(Trim::is_full) && self.stop_listening()? {
            status::warning(
                "live inputs are not kept from here on: journals take all that they may, and what is left of this performance \
                 is needed to play it again",
            );
        }
        Ok(())
    }

    /// Keeps no more live input, and says so in a line; whether there was any to be kept.
    fn stop_listening(&mut self) -> io::Result<bool> {
        let Some(frame) = self.inputs.as_mut().and_then(Inputs::stop) else { return Ok(false) };
        self.write(&Record::InputsEnd { frame }).map(|()| true)
    }

    /// Writes everything that there is to be written, and that it has come as far as a frame.
    fn put(&mut self, reached: u64) -> io::Result<()> {
        // What was heard before a frame comes before the line that says it has been reached.
        let heard = self.listen();
        if heard.is_ok() && reached > self.last {
            self.write(&Record::Tick { frame: reached })?;
        }
        self.lines.flush().and(heard)
    }

    /// Tells when nothing can be written, and when it can again. Until then what happens waits.
    fn note(&mut self, done: io::Result<()>) {
        let shown = self.folder.display();
        match done {
            Err(error) if !self.in_trouble => {
                self.in_trouble = true;
                status::warning(format!(
                    "the journal cannot be written for now: {shown}: {error}; what happens waits until it can, and playing \
                     goes on"
                ));
            }
            Ok(()) if self.in_trouble => {
                self.in_trouble = false;
                let (lines, frames) = (self.lines.take_lost(), std::mem::take(&mut self.unheard));
                let missing = match (lines, frames) {
                    (0, 0) => "nothing is missing".to_owned(),
                    (0, frames) => format!("{} of live input are missing", clock_time(frames, self.rate)),
                    (lines, _) => format!("{lines} lines are missing: what follows may not be what was heard"),
                };
                status::say(format!("the journal goes on: {shown}: {missing}"));
                if lines > 0 {
                    // It has just been written to: what cannot be said now is said of the next trouble.
                    let _ = self.write(&Record::ReportsLost { frame: self.last, reports: lines });
                }
            }
            _ => {}
        }
    }

    /// Whether it should go on in a further part.
    fn is_part_full(&self) -> bool {
        let heard = self.inputs.as_ref().map_or(0, Inputs::bytes);
        self.last >= self.part_end || self.bounds.most.is_some_and(|most| heard > most / SHARES)
    }

    /// Goes on in a further part, when everything that was told or heard is in this one. Until that can be begun this one
    /// goes on.
    fn begin_part(&mut self) -> io::Result<()> {
        self.lines.sync()?;
        let folder = parts::create(&self.folder, self.part + 1)?;
        self.lines.go_on_in(&folder)?;
        let (heard, stopped) =
            self.inputs.as_mut().map_or((0, false), |inputs| (inputs.go_on_elsewhere(), inputs.is_stopped()));
        self.part += 1;
        self.part_end = self.last + self.bounds.part;
        let frame = heard.max(self.last);
        self.write(&Record::Part { number: self.part, frame })?;
        if stopped {
            // The part that says so may be removed before this one.
            self.write(&Record::InputsEnd { frame })?;
        }
        self.shadow.begins(self.part);
        self.trim.iter().for_each(Trim::look);
        self.lines.flush()
    }

    /// Looks after the checkpoints.
    fn follow(&mut self) {
        match self.shadow.look() {
            Ok(true) => self.trim.iter().for_each(Trim::look),
            Ok(false) => {}
            Err(error) => status::warning(format!("the journal gets no checkpoint for now: {error}")),
        }
    }

    fn listen(&mut self) -> io::Result<()> {
        let part = parts::folder(&self.folder, self.part);
        let mut told = Vec::new();
        let taken = self.inputs.as_mut().map_or(Ok(()), |inputs| inputs.take(&part, &mut told));
        for record in told {
            if let Record::InputLost { frames, .. } = record {
                self.unheard += frames;
            }
            self.write(&record)?;
        }
        taken
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        self.last = record.frame().unwrap_or(self.last);
        self.lines.push(record)
    }

    fn text(&mut self, text: Taken, when: When, changes: Changes) -> io::Result<()> {
        let mut files = Vec::new();
        for file in text.files {
            let whole = std::path::absolute(&file.path)?;
            let path = whole.strip_prefix(&self.home).map_or(whole.clone(), Path::to_owned);
            let blake3 = Some(hashes::of_text(&file.text));
            files.push(KeptFile { text: self.texts.keep(&path, file.text, &mut self.lines), path, blake3 });
        }
        let mut media = Vec::new();
        for path in text.media {
            media.push(Stamp::of(std::path::absolute(path)?));
        }
        // Who asks no more has all it wants.
        media.iter().for_each(|stamp| drop(self.hashes.as_ref().map(|hashes| hashes.send(stamp.clone()))));
        let (serial, wanted, taken) = match when {
            When::Program { serial, wanted, taken } => (Some(serial), wanted, taken),
            // Looked at meanwhile, it may come behind what happened later.
            When::Nothing(frame) => {
                let frame = frame.max(self.last);
                (None, None, render::Taken { clock: frame, at: frame, heard: frame })
            }
        };
        let render::Taken { clock: frame, at, heard } = taken;
        let (lines, crossfade, tempo_over) = (text.lines, text.crossfade, text.tempo_over);
        let text = Text { serial, frame, wanted, at, heard, files, lines, crossfade, tempo_over, media, changes };
        self.write(&Record::Text(text))
    }
}

/// The files that texts are made of, each content once.
struct Texts {
    folder: PathBuf,
    known: BTreeMap<(PathBuf, String), String>,
}

impl Texts {
    /// Keeps a file, with the lines that will speak of it; gives its name.
    fn keep(&mut self, path: &Path, text: String, lines: &mut Lines) -> String {
        let count = self.known.len() + 1;
        let key = (path.to_owned(), text);
        if let Some(name) = self.known.get(&key) {
            return name.clone();
        }
        let name = format!("{count:04}-{}", path.file_name().unwrap_or_default().to_string_lossy());
        lines.text(self.folder.join(&name), key.1.clone());
        self.known.insert(key, name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::super::inputs::Stretch;
    use super::*;
    use engine::live::{Listener, Player, Setup, start};
    use engine::media::Library;
    use engine::playback::{Capture, Playback};

    /// A performance that hears something, with parts of a tenth of a second; who plays it, and what it hears with.
    struct Stage {
        place: tempfile::TempDir,
        player: Player,
        listener: Listener,
        journal: Option<(Sender<Entry>, JoinHandle<()>)>,
        now: u64,
        _live: engine::live::Live,
    }

    impl Stage {
        fn new(most: Option<u64>) -> Self {
            let evaluated = scripting::evaluate_text(Path::new("a.rhai"), "input(\"a\", device(1)) >> master;");
            let prepared = engine::graph::prepare(evaluated.session.expect("it is right"), &Library::new());
            let (_, program) = Desk::open(&prepared.graph.expect("it is right"), None).expect("the plan proves right");
            let keep = Wanted { inputs: 1, ..Wanted::default() };
            let (_live, player, listener, mut recordings) =
                start(program, Setup { rate: 48_000, keep, inputs: 1, cushion: 64 });
            let place = tempfile::tempdir().expect("there is room");
            let of = Performance { session: Path::new("a.rhai"), rate: 48_000, seed: 0, channels: 1 };
            let bounds = Bounds { part: 4800, most };
            let (_, to, thread) =
                Writer::start(place.path(), of, recordings.inputs.pop(), bounds).expect("there is room");
            Stage { place, player, listener, journal: Some((to, thread)), now: 0, _live }
        }

        fn folder(&self) -> PathBuf {
            store::find(Some(self.place.path())).expect("it is there")
        }

        fn tell(&self, entry: Entry) {
            self.journal.as_ref().expect("it has not ended").0.send(entry).expect("it is kept");
        }

        /// Plays and hears on until something is so.
        fn play_until(&mut self, mut is_so: impl FnMut(&Path) -> bool) {
            let (begun, folder) = (Instant::now(), self.folder());
            while !is_so(&folder) {
                assert!(begun.elapsed() < Duration::from_secs(20), "it does not come to that");
                self.listener.take(&[0.5; 480], 1);
                self.player.fill(&mut [0.0; 480], 1);
                self.now += 480;
                // Of the last quantum all is told only with the next.
                self.tell(Entry::Reached(self.now / 64 * 64 - 64));
                thread::sleep(Duration::from_millis(5));
            }
        }

        /// Ends it; gives its lines, part by part.
        fn end(&mut self) -> Vec<Vec<Record>> {
            self.tell(Entry::End(Some((self.now, self.now))));
            let (to, thread) = self.journal.take().expect("it has not ended");
            drop(to);
            thread.join().expect("it ends");
            let folder = self.folder();
            let lines = |number: usize| {
                let text = fs::read_to_string(parts::folder(&folder, number).join(store::LINES)).expect("it is there");
                text.lines().map(|line| serde_json::from_str(line).expect("it is a line")).collect()
            };
            std::iter::once(1).chain(parts::further(&folder)).map(lines).collect()
        }
    }

    #[test]
    fn a_part_that_cannot_be_begun_costs_no_live_input_and_is_begun_when_it_can() {
        let mut stage = Stage::new(None);
        let obstacle = parts::folder(&stage.folder(), 2);
        fs::write(&obstacle, "").expect("there is room");
        let sounds = |folder: &Path| fs::metadata(folder.join("inputs.wav")).map_or(0, |about| about.len());
        // A tenth of a second is 19200 bytes: four of them can only be there if it went on.
        stage.play_until(|folder| sounds(folder) > 4 * 19_200);
        fs::remove_file(&obstacle).expect("it is there");
        stage.play_until(|folder| sounds(&parts::folder(folder, 2)) > 4800);
        let parts = stage.end();
        let of_all: Vec<&Record> = parts.iter().flatten().collect();
        let lost = |record: &&&Record| matches!(record, Record::InputLost { .. } | Record::InputsEnd { .. });
        assert_eq!(of_all.iter().find(lost), None);
        assert!(matches!(parts[1][0], Record::Part { number: 2, .. }), "{:?}", parts[1]);
        assert!(matches!(of_all.last(), Some(Record::End { .. })), "{:?}", of_all.last());
        // What is heard in one part ends where what is heard in the next begins.
        let (mut begins, mut ends) = (Vec::new(), Vec::new());
        for (records, number) in parts.iter().zip(1..) {
            for record in records {
                let Record::Inputs { frame, channels } = *record else { continue };
                let stretch = Stretch { folder: parts::folder(&stage.folder(), number), frame, channels };
                begins.push(frame);
                ends.push(stretch.end().expect("it is there"));
            }
        }
        assert!(begins.len() >= 2 && ends[..ends.len() - 1] == begins[1..], "{begins:?} {ends:?}");
    }

    #[test]
    fn an_end_is_kept_also_when_what_was_heard_last_cannot_be() {
        let mut stage = Stage::new(None);
        let sounds = stage.folder().join("inputs.wav");
        fs::create_dir(&sounds).expect("there is room");
        stage.play_until(|folder| {
            fs::read_to_string(folder.join(store::LINES)).is_ok_and(|text| text.contains("input_lost"))
        });
        let parts = stage.end();
        let [.., Record::InputsEnd { frame: 0..640 }, Record::End { .. }] = parts.last().expect("one is there")[..]
        else {
            panic!("{parts:?}")
        };
    }

    #[test]
    fn where_there_is_no_room_live_inputs_are_not_kept_any_more_and_what_happens_is() {
        let mut stage = Stage::new(Some(60_000));
        let sounds = |folder: &Path| -> u64 {
            let of =
                |number| fs::metadata(parts::folder(folder, number).join("inputs.wav")).map_or(0, |about| about.len());
            (1..100).map(of).sum()
        };
        let last = |folder: &Path| parts::folder(folder, parts::further(folder).last().copied().unwrap_or(1));
        let has_ended = |folder: &Path| {
            fs::read_to_string(last(folder).join(store::LINES)).is_ok_and(|text| text.contains("inputs_end"))
        };
        stage.play_until(has_ended);
        let (kept, before) = (sounds(&stage.folder()), parts::further(&stage.folder()).len());
        stage.play_until(|folder| parts::further(folder).len() > before + 1);
        let parts = stage.end();
        assert!(kept > 40_000 && sounds(&stage.folder()) == kept, "{kept} of {}", sounds(&stage.folder()));
        let [Record::Part { .. }, Record::InputsEnd { .. }, .., Record::End { .. }] =
            parts.last().expect("one is there")[..]
        else {
            panic!("{parts:?}")
        };
        assert!(matches!(parts[0][0], Record::Header(_)) && parts[0].len() > 1, "its beginning is needed and stays");
    }
}
