//! A journal that is read back, as far as it goes: a line that was cut off, and whatever a damaged one would have led to,
//! is not in it.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use scripting::SourceFile;

use super::checkpoint::Checkpoint;
use super::hashes;
use super::inputs::Stretch;
use super::parts;
use super::record::{FORMAT, Header, Record, Text};
use super::store::{self, LINES, TEXTS};
use crate::ending::Failure;

/// How a journal ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it should: the master has so many frames.
    Whole(u64),
    /// It is still played.
    Playing,
    /// The program that wrote it was stopped.
    Cut,
    /// A line cannot be understood, and what follows it is not taken.
    Damaged {
        /// In which part, counted from 1.
        part: usize,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// A journal.
pub struct Kept {
    /// Where it lies.
    pub folder: PathBuf,
    /// How it began.
    pub header: Header,
    /// What happened, in order, as far back as it is known.
    pub records: Vec<Record>,
    /// Whether its beginning is there: of a long performance it may have been removed.
    pub begins: bool,
    /// The number of each further part that is there, with the frame after which it begins.
    pub parts: Vec<(usize, u64)>,
    /// What live inputs heard.
    pub inputs: Vec<Stretch>,
    /// The frame from which on live inputs were not kept any more, if there is one.
    pub inputs_end: Option<u64>,
    /// The frame before which nothing is missing.
    pub reached: u64,
    /// How it ends.
    pub ending: Ending,
    /// Whether it is what follows on damage: see [`Kept::after_damage`].
    pub is_rest: bool,
    at: At,
    /// Keeps it from being removed while it is read.
    used: Option<File>,
}

/// How far a journal has been read.
#[derive(Clone, Copy, Debug, Default)]
struct At {
    part: usize,
    /// The lines of that part that were taken, and their bytes.
    line: usize,
    offset: u64,
    /// The last frame that any of them speaks of.
    reached: u64,
}

impl Kept {
    /// Reads the journal that a path means; without one, the newest there is.
    ///
    /// # Errors
    /// There is none, it cannot be read, or it is of a form that this program does not know.
    pub fn open(path: Option<&Path>) -> Result<Kept, Failure> {
        let folder = store::find(path)?;
        let used = store::mark_read(&folder).ok();
        Kept::read(folder, used)
    }

    /// The same for who follows a performance that is played: what it has read may be removed behind it.
    ///
    /// # Errors
    /// As [`Kept::open`].
    pub fn follow(path: Option<&Path>) -> Result<Kept, Failure> {
        Kept::read(store::find(path)?, None)
    }

    fn read(folder: PathBuf, used: Option<File>) -> Result<Kept, Failure> {
        let playing = store::is_played(&folder);
        // Whatever is followed by something else when this is asked is whole by now.
        let further = last_run(&parts::further(&folder));
        let mut parsed = parse(&lines(&folder, 0)?, &folder).map_err(|why| failed(&folder, why))?;
        let is_first = |record: &Record| matches!(record, Record::Text(Text { serial: Some(0), .. }));
        let begins = parsed.records.iter().any(is_first) && further.first().is_none_or(|first| *first == 2);
        if !begins && !further.is_empty() {
            parsed = Parsed::new(parsed.header);
        }
        parsed.go_through(&folder, &further)?;
        Kept::of(folder, begins, parsed, playing, used)
    }

    fn of(folder: PathBuf, begins: bool, parsed: Parsed, playing: bool, used: Option<File>) -> Result<Kept, Failure> {
        let Parsed { header, records, ending, parts, inputs, inputs_end, at, .. } = parsed;
        let mut reached = at.reached;
        if let (Ending::Cut, Some(last), None) = (&ending, inputs.last(), inputs_end) {
            // What was heard is kept in a file of its own, which may have been cut off a little earlier.
            reached = reached.min(last.end().map_err(|error| failed(&last.folder, error))?);
        }
        let ending = if playing && ending == Ending::Cut { Ending::Playing } else { ending };
        let is_rest = false;
        Ok(Kept { folder, header, records, begins, parts, inputs, inputs_end, reached, ending, is_rest, at, used })
    }

    /// The same with what has been added to it since it was read.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn go_on(self) -> Result<Kept, Failure> {
        let playing = store::is_played(&self.folder);
        let Kept { folder, header, records, begins, parts, inputs, inputs_end, at, used, .. } = self;
        let mut parsed = Parsed { records, parts, inputs, inputs_end, at, ..Parsed::new(header) };
        loop {
            let next = parts::folder(&folder, parsed.at.part + 1);
            let is_followed = next.join(LINES).is_file();
            let here = parts::folder(&folder, parsed.at.part);
            parsed.torn = None;
            parsed.take(&lines(&here, parsed.at.offset)?, &here);
            if !is_followed || parsed.ending != Ending::Cut {
                return Kept::of(folder, begins, parsed, playing, used);
            }
            parsed.go_on(&[], parsed.at.part + 1, &next);
        }
    }

    /// What follows in further parts on a line that cannot be understood, if there are any: a performance whose beginning is
    /// not known.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn after_damage(&self) -> Result<Option<Kept>, Failure> {
        let Ending::Damaged { part, .. } = self.ending else { return Ok(None) };
        let further = last_run(&parts::further(&self.folder));
        let further: Vec<usize> = further.into_iter().filter(|number| *number > part).collect();
        if further.is_empty() {
            return Ok(None);
        }
        let playing = store::is_played(&self.folder);
        let mut parsed = Parsed::new(self.header.clone());
        // What is known of sound files is known of them everywhere.
        let media = self.records.iter().filter(|record| matches!(record, Record::Media { .. }));
        parsed.records.extend(media.cloned());
        parsed.go_through(&self.folder, &further)?;
        let used = store::mark_read(&self.folder).ok();
        let rest = Kept::of(self.folder.clone(), false, parsed, playing, used)?;
        Ok(Some(Kept { is_rest: true, ..rest }))
    }

    /// The checkpoints up to a frame that can be read, in order, each read when it is asked for. Of one that cannot `told`
    /// hears why.
    pub fn checkpoints(&self, until: u64, told: impl Fn(String)) -> impl DoubleEndedIterator<Item = Checkpoint> {
        let parts = self.parts.iter().filter(move |(_, frame)| *frame <= until);
        let read = move |(number, _): &(usize, u64)| {
            let folder = parts::folder(&self.folder, *number);
            Checkpoint::read(&folder).unwrap_or_else(|why| {
                let shown = folder.join(super::checkpoint::FILE);
                told(format!("{}: this checkpoint is of no use: {why}", shown.display()));
                None
            })
        };
        parts.filter_map(read).filter(move |checkpoint| checkpoint.about.frame <= until)
    }

    /// The files of a text as they were, the session's first, each said to lie where it lay; then its lines.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn files(&self, text: &Text) -> Result<Vec<SourceFile>, Failure> {
        let home = self.header.session.parent().unwrap_or(Path::new(""));
        let read = |kept: &super::record::KeptFile| {
            // A name and nothing else: a journal may come from anybody.
            let name = Path::new(&kept.text).file_name().unwrap_or_default();
            let from = self.folder.join(TEXTS).join(name);
            let failed = |why: String| Failure::Error(format!("{}: {why}", from.display()));
            let text = fs::read_to_string(&from).map_err(|error| failed(error.to_string()))?;
            if kept.blake3.as_ref().is_some_and(|played| *played != hashes::of_text(&text)) {
                return Err(failed("is not the text that was played: it was changed in the journal".into()));
            }
            Ok(SourceFile { path: home.join(&kept.path), text, is_line: false })
        };
        let lines =
            text.lines.iter().map(|line| Ok(SourceFile { path: PathBuf::new(), text: line.clone(), is_line: true }));
        text.files.iter().map(read).chain(lines).collect()
    }

    /// What is damaged, if anything is.
    pub fn damage(&self) -> Option<String> {
        let Ending::Damaged { part, line, why } = &self.ending else { return None };
        let file = parts::folder(&self.folder, *part).join(LINES);
        Some(format!("line {line} of {} cannot be understood ({why})", file.display()))
    }

    /// What there is to tell of its end, unless that is as it should be.
    pub fn told_end(&self) -> Option<String> {
        let until = clock_time(self.reached, self.header.rate);
        match &self.ending {
            Ending::Whole(_) => None,
            Ending::Playing => Some(format!("still being played: so far it goes to {until}")),
            Ending::Cut => {
                Some(format!("cut off at {until}: it has no end, and what was heard after that is not in it"))
            }
            Ending::Damaged { part, .. } => {
                let more = parts::further(&self.folder).last().is_some_and(|last| last > part);
                let more = if more { ", unless --from lies in a further part" } else { "" };
                let damage = self.damage().unwrap_or_default();
                Some(format!("cut off at {until}: {damage}, and what follows is not taken{more}"))
            }
        }
    }
}

fn failed(folder: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::Error(format!("{}: {why}", folder.join(LINES).display()))
}

/// The lines in the folder of a part, from a byte on.
fn lines(folder: &Path, from: u64) -> Result<Vec<u8>, Failure> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(folder.join(LINES))?;
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map(|_| bytes)
    };
    read().map_err(|error| failed(folder, error))
}

/// What the lines of a journal say.
struct Parsed {
    header: Header,
    records: Vec<Record>,
    ending: Ending,
    /// The last line is one that is not whole: its number.
    torn: Option<usize>,
    parts: Vec<(usize, u64)>,
    inputs: Vec<Stretch>,
    inputs_end: Option<u64>,
    at: At,
}

/// Understands the lines of the first part, which lies in a folder, as far as they go.
fn parse(bytes: &[u8], folder: &Path) -> Result<Parsed, String> {
    let first = bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    let header = match serde_json::from_slice(first) {
        Ok(Record::Header(header)) => header,
        Ok(_) => return Err("is no journal: it begins with another line".into()),
        Err(error) => {
            let newer = serde_json::from_slice::<serde_json::Value>(first);
            return Err(match newer.ok().and_then(|line| line.get("format")?.as_u64()) {
                Some(format) if format != u64::from(FORMAT) => unknown(format),
                _ => format!("is no journal, or was cut off in its first line: {error}"),
            });
        }
    };
    if header.format != FORMAT {
        return Err(unknown(header.format.into()));
    }
    if header.rate == 0 || header.channels == 0 {
        return Err("is no journal: it has no rate or no channels".into());
    }
    let mut parsed = Parsed::new(header);
    (parsed.at.line, parsed.at.offset) = (1, first.len() as u64);
    parsed.take(&bytes[first.len()..], folder);
    Ok(parsed)
}

impl Parsed {
    /// Nothing yet.
    fn new(header: Header) -> Self {
        let (records, parts, inputs) = (Vec::new(), Vec::new(), Vec::new());
        let at = At { part: 1, ..At::default() };
        Parsed { header, records, ending: Ending::Cut, torn: None, parts, inputs, inputs_end: None, at }
    }

    /// Further parts, one after another.
    fn go_through(&mut self, journal: &Path, further: &[usize]) -> Result<(), Failure> {
        for number in further {
            let folder = parts::folder(journal, *number);
            self.go_on(&lines(&folder, 0)?, *number, &folder);
        }
        Ok(())
    }

    /// A further part, if everything before it could be understood.
    fn go_on(&mut self, bytes: &[u8], part: usize, folder: &Path) {
        if let Some(line) = self.torn.take() {
            self.damaged(line, "it is not whole".into());
        }
        if self.ending == Ending::Cut {
            self.at = At { part, line: 0, offset: 0, ..self.at };
            self.take(bytes, folder);
        }
    }

    fn damaged(&mut self, line: usize, why: String) {
        self.ending = Ending::Damaged { part: self.at.part, line, why };
    }

    /// Lines that follow on those that were taken.
    fn take(&mut self, bytes: &[u8], folder: &Path) {
        // A line that was whole but for its end has been taken.
        let end = if self.at.offset > 0 && bytes.first() == Some(&b'\n') { 1 } else { 0 };
        self.at.offset += end as u64;
        for line in bytes[end..].split_inclusive(|byte| *byte == b'\n') {
            let torn = line.last() != Some(&b'\n');
            let index = self.at.line;
            let record = match serde_json::from_slice::<Record>(line) {
                Err(_) if torn => {
                    self.torn = Some(index + 1);
                    return;
                }
                Err(error) => return self.damaged(index + 1, error.to_string()),
                Ok(record) => record,
            };
            if record.frame().is_some_and(|frame| frame < self.at.reached) {
                return self.damaged(index + 1, "it goes back in time".into());
            }
            self.at.reached = record.frame().unwrap_or(self.at.reached);
            (self.at.line, self.at.offset) = (index + 1, self.at.offset + line.len() as u64);
            match record {
                Record::Header(_) => return self.damaged(index + 1, "another journal begins there".into()),
                Record::Part { number, frame } => self.parts.push((number, frame)),
                Record::End { frames, .. } => {
                    self.ending = Ending::Whole(frames);
                    return;
                }
                Record::Inputs { frame, channels } => {
                    self.inputs.push(Stretch { folder: folder.to_owned(), frame, channels });
                    self.records.push(record);
                }
                Record::InputsEnd { frame } if self.inputs_end.is_none() => {
                    self.inputs_end = Some(frame);
                    self.records.push(record);
                }
                // Said again.
                Record::InputsEnd { .. } => {}
                record => self.records.push(record),
            }
        }
    }
}

/// The last of some numbers in order: as many as follow each other.
fn last_run(numbers: &[usize]) -> Vec<usize> {
    let gap = numbers.windows(2).rposition(|pair| pair[0] + 1 != pair[1]);
    numbers[gap.map_or(0, |gap| gap + 1)..].to_vec()
}

fn unknown(format: u64) -> String {
    format!("is a journal of form {format}, and this gainstage reads form {FORMAT}")
}

/// A moment as people write it: `00:01:12.250`.
pub fn clock_time(frame: u64, rate: u32) -> String {
    let rate = u64::from(rate);
    let (seconds, rest) = (frame / rate, frame % rate);
    let thousandths = rest * 1000 / rate;
    format!("{:02}:{:02}:{:02}.{thousandths:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::diff::Changes;
    use engine::keyboard::Touch;
    use engine::motion::EventSource;
    use engine::transport::Move;

    use crate::journal::record::Stamp;

    fn header() -> Header {
        Header {
            format: FORMAT,
            program: "1.2.3".into(),
            session: "/songs/night.rhai".into(),
            started: "2026-11-21T20:15:02Z".into(),
            rate: 48_000,
            seed: 7,
            channels: 2,
        }
    }

    fn records() -> Vec<Record> {
        let stamp = Stamp { path: "/songs/é \"x\".wav".into(), length: 12, modified: 1_795_292_102_123_456_789 };
        let text = |serial, frame| Text {
            serial,
            frame,
            wanted: serial,
            at: frame + 7,
            heard: frame + 9,
            files: Vec::new(),
            crossfade: Some(70.25),
            tempo_over: 0.0,
            lines: vec!["a\nb".into()],
            media: vec![stamp.clone()],
            changes: Changes { changed: vec!["a>b/fader".into()], ..Changes::default() },
        };
        vec![
            Record::Text(text(Some(0), 0)),
            Record::Media { stamp: stamp.clone(), blake3: "af13".into() },
            Record::Tick { frame: 4800 },
            Record::Text(text(Some(1), 6400)),
            Record::Settle { serial: 2, now: 7360, frame: 7424 },
            Record::Control {
                frame: 7424,
                source: EventSource::Midi { channel: None, controller: 7 },
                value: 0.1 + 0.2,
            },
            Record::Control { frame: 7424, source: EventSource::Osc { address: "/a".into() }, value: 1.0 / 3.0 },
            Record::Note {
                frame: 7424,
                source: EventSource::Notes { channel: Some(10) },
                touch: Touch::Press { key: 36, velocity: 127 },
            },
            Record::Note { frame: 7488, source: EventSource::Notes { channel: None }, touch: Touch::Pedal(false) },
            Record::Note { frame: 7488, source: EventSource::Notes { channel: None }, touch: Touch::LetGo },
            Record::Move { frame: 8000, order: Move::Locate(96_000), transport: 7900 },
            Record::Move { frame: 8064, order: Move::Panic, transport: 7964 },
            Record::MediaLate { frame: 9600, work: 3, path: "voice".into() },
            Record::InputLate { frame: 9600 },
            Record::ReportsLost { frame: 9600, reports: 3 },
            Record::Text(text(None, 9700)),
        ]
    }

    fn parse_alone(bytes: &[u8]) -> Result<Parsed, String> {
        parse(bytes, Path::new("kept"))
    }

    fn written(records: &[Record]) -> Vec<u8> {
        let lines = records.iter().map(|record| serde_json::to_string(record).expect("it can be written") + "\n");
        lines.collect::<String>().into_bytes()
    }

    #[test]
    fn a_journal_reads_back_as_it_was_written() {
        let mut all = vec![Record::Header(header())];
        all.extend(records());
        all.push(Record::End { frame: 10_000, frames: 9_950 });
        let parsed = parse_alone(&written(&all)).expect("it is one");
        assert_eq!((parsed.header, parsed.records), (header(), records()));
        assert_eq!((parsed.at.reached, parsed.ending), (10_000, Ending::Whole(9_950)));
    }

    #[test]
    fn a_journal_cut_at_any_byte_goes_as_far_as_its_whole_lines() {
        let first = written(&[Record::Header(header())]);
        let mut bytes = first.clone();
        bytes.extend(written(&records()));
        let mut lengths: Vec<usize> = vec![];
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' {
                lengths.push(at);
            }
        }
        for cut in 0..=bytes.len() {
            let parsed = parse_alone(&bytes[..cut]);
            // A line is whole with its last brace: its end adds nothing.
            let whole = lengths.iter().filter(|end| **end <= cut).count();
            let Some(count) = whole.checked_sub(1) else {
                assert!(parsed.is_err(), "cut at {cut}");
                continue;
            };
            let parsed = parsed.unwrap_or_else(|why| panic!("cut at {cut}: {why}"));
            assert_eq!(parsed.records, records()[..count], "cut at {cut}");
            let reached = parsed.records.iter().filter_map(Record::frame).max().unwrap_or(0);
            assert_eq!((parsed.at.reached, parsed.ending), (reached, Ending::Cut), "cut at {cut}");
        }
    }

    #[test]
    fn what_follows_a_damaged_line_is_not_taken() {
        let (first, rest) = (written(&[Record::Header(header())]), records());
        let good = written(&rest[..3]);
        for damage in ["{\"is\":\"tick\"}\n", "{\"is\":\"tick\",\"frame\":10}\n", "\u{0}\n", "{\"is\":\"dance\"}\n"] {
            let bytes = [&first[..], &good, damage.as_bytes(), &written(&rest[3..])].concat();
            let parsed = parse_alone(&bytes).expect("its beginning is whole");
            assert_eq!((parsed.records.len(), parsed.at.reached), (3, 4800), "{damage}");
            assert!(matches!(parsed.ending, Ending::Damaged { line: 5, .. }), "{damage}: {:?}", parsed.ending);
        }
        let twice = [&first[..], &first].concat();
        assert!(matches!(parse_alone(&twice).expect("it begins").ending, Ending::Damaged { line: 2, .. }));
    }

    #[test]
    fn what_is_no_journal_or_a_newer_one_is_refused_with_the_reason() {
        let newer = String::from_utf8(written(&[Record::Header(Header { format: 9, ..header() })])).expect("text");
        for (text, told) in [
            ("", "is no journal"),
            ("a song\n", "is no journal"),
            ("{\"is\":\"tick\",\"frame\":1}\n", "begins with another line"),
            (&newer, "form 9"),
            ("{\"is\":\"overture\",\"format\":9}\n", "form 9"),
        ] {
            let Err(why) = parse_alone(text.as_bytes()) else { panic!("{text}") };
            assert!(why.contains(told), "{text}: {why}");
        }
    }

    #[test]
    fn moments_are_written_to_the_thousandth() {
        assert_eq!(clock_time(0, 48_000), "00:00:00.000");
        assert_eq!(clock_time(3_468_000, 48_000), "00:01:12.250");
        assert_eq!(clock_time(48_000 * 36_000 + 47_999, 48_000), "10:00:00.999");
    }

    #[test]
    fn a_journal_that_grows_is_the_same_read_in_pieces_as_at_once() {
        let place = tempfile::tempdir().expect("there is room");
        let first = written(&[&[Record::Header(header())], &records()[..6]].concat());
        let second = written(&[&[Record::Part { number: 2, frame: 4800 }], &records()[6..]].concat());
        let write = |folder: &Path, bytes: &[u8]| fs::write(folder.join(LINES), bytes).expect("there is room");
        let header_end = first.iter().position(|byte| *byte == b'\n').expect("it has lines") + 1;
        write(place.path(), &first[..header_end]);
        let mut kept = Kept::follow(Some(place.path())).expect("it begins");
        let part = parts::folder(place.path(), 2);
        for cut in (header_end..=first.len()).step_by(7).chain([first.len()]) {
            write(place.path(), &first[..cut]);
            kept = kept.go_on().expect("it can be read");
        }
        fs::create_dir(&part).expect("there is room");
        for cut in (0..=second.len()).step_by(7).chain([second.len()]) {
            write(&part, &second[..cut]);
            kept = kept.go_on().expect("it can be read");
            assert_eq!(kept.ending, Ending::Cut, "cut at {cut}");
        }
        let once = Kept::follow(Some(place.path())).expect("it can be read");
        assert_eq!((&kept.records, &kept.parts, kept.reached), (&records(), &vec![(2, 4800)], 9700));
        assert_eq!((&once.records, &once.parts, once.reached), (&kept.records, &kept.parts, kept.reached));
    }

    #[test]
    fn parts_are_read_on_as_long_as_nothing_before_them_is_damaged() {
        let first = written(&[&[Record::Header(header())], &records()[..3]].concat());
        let second = written(&[&[Record::Part { number: 2, frame: 4800 }], &records()[3..]].concat());
        let parsed_from = |first: &[u8]| {
            let mut parsed = parse_alone(first).expect("it begins");
            parsed.go_on(&second, 2, Path::new("kept/part-2"));
            parsed
        };
        let parsed = parsed_from(&first);
        assert_eq!((parsed.records, parsed.parts, parsed.ending), (records(), vec![(2, 4800)], Ending::Cut));
        let torn = parsed_from(&first[..first.len() - 3]);
        assert_eq!(torn.records, records()[..2]);
        assert!(matches!(torn.ending, Ending::Damaged { part: 1, line: 4, .. }), "{:?}", torn.ending);
        assert_eq!((last_run(&[2, 3, 5, 6]), last_run(&[4]), last_run(&[])), (vec![5, 6], vec![4], vec![]));
    }
}
