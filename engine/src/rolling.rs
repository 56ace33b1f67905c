//! Sound files that are whole at every moment while they grow, and go on in a further file before one is full:
//! `take.wav`, `take-2.wav`, `take-3.wav`; and how such a series is read again.
//!
//! Samples are 32-bit float WAV. They are only ever appended, and the header speaks of them once they are there:
//! whatever ends the program, the files open in any other and hold all but what was taken since the last
//! [`Rolling::flush`].

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

/// The most bytes a file may have: a little less than WAV's sizes can say.
pub const MOST: u64 = u32::MAX as u64 & !0xffff;

/// Bytes of a sample.
const SAMPLE: usize = size_of::<f32>();

/// A series of sound files that grows.
///
/// Sound that is taken waits in memory for the next flush. A flush that fails, because the disk is full, keeps what
/// waits, and the next one goes on where it ended.
#[derive(Debug)]
pub struct Rolling {
    /// The files so far: the last is being written.
    parts: Vec<PathBuf>,
    file: File,
    /// What stands before the samples, with the sizes of none. The last four bytes are the size of the samples.
    header: Vec<u8>,
    /// Bytes of a frame.
    frame: usize,
    /// Bytes of samples that a file may hold: whole frames.
    most: u64,
    /// Bytes of samples in the file; after a failure not always whole frames.
    placed: u64,
    /// Bytes of samples that its header tells of.
    told: u64,
    /// Bytes of samples in the files before it.
    before: u64,
    waiting: VecDeque<Piece>,
    taken: u64,
}

/// What waits to be written.
#[derive(Debug)]
enum Piece {
    /// Bytes of samples, from the first that is not written yet.
    Sound(Vec<u8>, usize),
    /// So many bytes of silence. Where the file system knows holes, they take no room.
    Silence(u64),
}

impl Rolling {
    /// Begins a series with a file of this name. A file has at most `limit` bytes, [`MOST`] if that is less, and at
    /// least one frame.
    ///
    /// # Errors
    /// A file of this name is there already ([`ErrorKind::AlreadyExists`]): nothing is overwritten. It cannot be made. A WAV
    /// file cannot have such a rate or so many channels.
    pub fn create(path: &Path, rate: u32, channels: usize, limit: u64) -> io::Result<Rolling> {
        let header = header(rate, channels)?;
        let frame = SAMPLE * channels;
        let room = limit.min(MOST).saturating_sub(header.len() as u64);
        let most = (room - room % frame as u64).max(frame as u64);
        let mut rolling = Rolling {
            parts: vec![path.to_owned()],
            file: new_file(path)?,
            header,
            frame,
            most,
            placed: 0,
            told: u64::MAX,
            before: 0,
            waiting: VecDeque::new(),
            taken: 0,
        };
        if let Err(error) = rolling.write_header() {
            // It is of no use. Whoever cannot be rid of it hears why it came to be.
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        Ok(rolling)
    }

    /// Takes whole frames, channels interleaved, full scale being 1.
    ///
    /// # Panics
    /// When the last frame is not whole.
    pub fn write(&mut self, samples: &[f32]) {
        assert!((samples.len() * SAMPLE).is_multiple_of(self.frame), "frames are whole");
        if samples.is_empty() {
            return;
        }
        if !matches!(self.waiting.back(), Some(Piece::Sound(..))) {
            self.waiting.push_back(Piece::Sound(Vec::new(), 0));
        }
        if let Some(Piece::Sound(bytes, _)) = self.waiting.back_mut() {
            bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        }
        self.taken += (samples.len() * SAMPLE / self.frame) as u64;
    }

    /// Takes so many frames of silence, however many, at no cost of memory.
    pub fn silence(&mut self, frames: u64) {
        if frames > 0 {
            self.waiting.push_back(Piece::Silence(frames * self.frame as u64));
            self.taken += frames;
        }
    }

    /// Hands what was taken to the system, and brings the header up to date.
    ///
    /// # Errors
    /// Something of it could not be written. The rest waits for the next flush, and what is written counts.
    pub fn flush(&mut self) -> io::Result<()> {
        let written = self.write_waiting();
        written.and(self.write_header())
    }

    /// The same for the last time; gives the frames of the whole series.
    ///
    /// # Errors
    /// Those of [`Rolling::flush`]: what still waits is lost.
    pub fn finish(mut self) -> io::Result<u64> {
        self.flush().map(|()| self.kept())
    }

    /// Frames that were taken.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Frames that are in the files.
    pub fn kept(&self) -> u64 {
        (self.before + self.placed) / self.frame as u64
    }

    /// Bytes of memory that what waits takes.
    pub fn waiting(&self) -> usize {
        let bytes = self.waiting.iter().map(|piece| if let Piece::Sound(bytes, _) = piece { bytes.len() } else { 0 });
        bytes.sum()
    }

    /// The files so far, in order.
    pub fn parts(&self) -> &[PathBuf] {
        &self.parts
    }

    fn write_waiting(&mut self) -> io::Result<()> {
        while let Some(mut piece) = self.waiting.pop_front() {
            let done = self.write_piece(&mut piece);
            let rest = match &piece {
                Piece::Sound(bytes, from) => *from < bytes.len(),
                Piece::Silence(bytes) => *bytes > 0,
            };
            if rest {
                self.waiting.push_front(piece);
            }
            match done {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes some of a piece: as much as the file takes.
    fn write_piece(&mut self, piece: &mut Piece) -> io::Result<()> {
        if self.placed == self.most {
            self.roll()?;
        }
        let (end, room) = (self.header.len() as u64 + self.placed, self.most - self.placed);
        match piece {
            Piece::Silence(bytes) => {
                let some = room.min(*bytes);
                self.file.set_len(end + some)?;
                *bytes -= some;
                self.placed += some;
            }
            Piece::Sound(bytes, from) => {
                self.file.seek(SeekFrom::Start(end))?;
                let last = bytes.len().min(from.saturating_add(usize::try_from(room).unwrap_or(usize::MAX)));
                let some = self.file.write(&bytes[*from..last])?;
                if some == 0 {
                    return Err(ErrorKind::WriteZero.into());
                }
                *from += some;
                self.placed += some as u64;
            }
        }
        Ok(())
    }

    /// Goes on in the next file. A name that something else has is passed over.
    fn roll(&mut self) -> io::Result<()> {
        self.write_header()?;
        let mut number = self.parts.len() + 1;
        let (file, path) = loop {
            let path = part(&self.parts[0], number);
            match new_file(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
                Ok(file) => break (file, path),
            }
        };
        self.file = file;
        self.parts.push(path);
        self.before += self.placed;
        (self.placed, self.told) = (0, u64::MAX);
        self.write_header()
    }

    /// Makes the header tell of every whole frame that is there.
    fn write_header(&mut self) -> io::Result<()> {
        let samples = self.placed - self.placed % self.frame as u64;
        if samples == self.told {
            return Ok(());
        }
        let mut header = self.header.clone();
        let size = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
        let end = header.len();
        header[4..8].copy_from_slice(&size(end as u64 - 8 + samples));
        header[end - 4..].copy_from_slice(&size(samples));
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header)?;
        self.told = samples;
        Ok(())
    }
}

/// The header of a file without samples.
fn header(rate: u32, channels: usize) -> io::Result<Vec<u8>> {
    let wrong = |why: String| io::Error::new(ErrorKind::InvalidInput, why);
    let count = u16::try_from(channels).ok().filter(|count| *count > 0 && rate > 0);
    let channels = count.ok_or_else(|| wrong(format!("a WAV file cannot have {channels} channels at {rate} Hz")))?;
    let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: 32, sample_format: SampleFormat::Float };
    let mut bytes = Vec::new();
    let writer = WavWriter::new(Cursor::new(&mut bytes), spec).and_then(WavWriter::finalize);
    writer.map_err(|error| wrong(error.to_string()))?;
    Ok(bytes)
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// The name of a file of a series, counted from 1.
pub fn part(first: &Path, number: usize) -> PathBuf {
    let Some(name) = first.file_stem().filter(|_| number > 1) else { return first.to_owned() };
    let mut name = name.to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = first.extension() {
        name.push(".");
        name.push(extension);
    }
    first.with_file_name(name)
}

/// A series of sound files, read as one, up to the last whole frame there is: also of a series whose writer was killed.
#[derive(Debug)]
pub struct Series {
    first: PathBuf,
    number: usize,
    file: BufReader<File>,
    spec: WavSpec,
    /// Bytes that are left in the file: whole frames.
    left: u64,
    bytes: Vec<u8>,
}

impl Series {
    /// Opens the series whose first file has this name.
    ///
    /// # Errors
    /// It cannot be read, or is no file of 32-bit float samples ([`ErrorKind::InvalidData`]).
    pub fn open(first: &Path) -> io::Result<Series> {
        let (file, spec, left) = open_part(first)?;
        Ok(Series { first: first.to_owned(), number: 1, file, spec, left, bytes: Vec::new() })
    }

    /// How many whole frames there are in a series, from its first file on.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn frames(first: &Path) -> io::Result<u64> {
        let mut frames = 0;
        for number in 1.. {
            let file = part(first, number);
            if number > 1 && !file.exists() {
                break;
            }
            let (_, spec, left) = open_part(&file)?;
            frames += left / (SAMPLE as u64 * u64::from(spec.channels));
        }
        Ok(frames)
    }

    /// Frames a second.
    pub fn rate(&self) -> u32 {
        self.spec.sample_rate
    }

    /// Samples of a frame.
    pub fn channels(&self) -> usize {
        usize::from(self.spec.channels)
    }

    /// Reads whole frames, channels interleaved, as many as there are and fit; gives their number, 0 at the end.
    ///
    /// # Errors
    /// A file cannot be read, or is of another kind than the first.
    pub fn read(&mut self, into: &mut [f32]) -> io::Result<usize> {
        let frame = SAMPLE * self.channels();
        let wanted = into.len() * SAMPLE / frame * frame;
        let mut done = 0;
        while done < wanted && (self.left > 0 || self.next_part()?) {
            let some = usize::try_from(self.left).unwrap_or(usize::MAX).min(wanted - done);
            self.bytes.resize(some, 0);
            self.file.read_exact(&mut self.bytes)?;
            let samples = self.bytes.chunks_exact(SAMPLE).filter_map(|bytes| bytes.try_into().ok());
            into[done / SAMPLE..].iter_mut().zip(samples).for_each(|(into, bytes)| *into = f32::from_le_bytes(bytes));
            self.left -= some as u64;
            done += some;
        }
        Ok(done / frame)
    }

    /// Passes over so many frames, or what there is.
    ///
    /// # Errors
    /// A file cannot be read, or is of another kind than the first.
    pub fn skip(&mut self, frames: u64) -> io::Result<()> {
        let mut bytes = frames.saturating_mul((SAMPLE * self.channels()) as u64);
        while bytes > 0 && (self.left > 0 || self.next_part()?) {
            let some = self.left.min(bytes);
            // Parts are smaller than that.
            self.file.seek_relative(i64::try_from(some).unwrap_or(i64::MAX))?;
            self.left -= some;
            bytes -= some;
        }
        Ok(())
    }

    /// Goes on to the next file; says whether there is one. One that was cut off within its header has nothing in it.
    fn next_part(&mut self) -> io::Result<bool> {
        let path = part(&self.first, self.number + 1);
        match open_part(&path) {
            Ok((file, spec, left)) if spec == self.spec => {
                (self.file, self.left) = (file, left);
                self.number += 1;
                Ok(true)
            }
            Ok(_) => Err(io::Error::new(ErrorKind::InvalidData, format!("{} has another format", path.display()))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A file at its first sample, what its samples are, and how many bytes of whole frames there are, whatever it says
/// itself.
fn open_part(path: &Path) -> io::Result<(BufReader<File>, WavSpec, u64)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let reader = WavReader::new(BufReader::new(file)).map_err(|error| match error {
        // Not of the system, but that there was too little to read.
        hound::Error::IoError(error) if error.raw_os_error().is_none() => {
            io::Error::new(ErrorKind::UnexpectedEof, "its header is cut off")
        }
        hound::Error::IoError(error) => error,
        error => io::Error::new(ErrorKind::InvalidData, error.to_string()),
    })?;
    let spec = reader.spec();
    if (spec.sample_format, spec.bits_per_sample) != (SampleFormat::Float, 32) {
        return Err(io::Error::new(ErrorKind::InvalidData, "its samples are not 32-bit float"));
    }
    let mut file = reader.into_inner();
    let left = length - file.stream_position()?;
    Ok((file, spec, left - left % (SAMPLE as u64 * u64::from(spec.channels))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// Frames of two channels, no two samples alike.
    fn sound(frames: std::ops::Range<u64>) -> Vec<f32> {
        frames.flat_map(|i| [i as f32, -(i as f32) - 0.5]).collect()
    }

    fn place() -> (TempDir, PathBuf) {
        let folder = TempDir::new().expect("there is room");
        let path = folder.path().join("take.wav");
        (folder, path)
    }

    /// What another program reads of a file.
    fn heard(path: &Path) -> Vec<f32> {
        let reader = WavReader::open(path).expect("it opens");
        reader.into_samples().collect::<Result<_, _>>().expect("it is whole")
    }

    /// All of a series, a few frames at a time.
    fn series(path: &Path) -> Vec<f32> {
        let mut series = Series::open(path).expect("it opens");
        let mut all = Vec::new();
        let mut some = [0.0; 14];
        loop {
            let frames = series.read(&mut some).expect("it can be read");
            all.extend(&some[..2 * frames]);
            if frames == 0 {
                return all;
            }
        }
    }

    #[test]
    fn after_each_flush_the_file_is_whole_although_nobody_closes_it() {
        let (_folder, path) = place();
        let mut rolling = Rolling::create(&path, 48_000, 2, MOST).expect("it can be made");
        assert_eq!(heard(&path), []);
        for n in 1..=5 {
            rolling.write(&sound(100 * (n - 1)..100 * n));
            rolling.flush().expect("it can be written");
            assert_eq!(heard(&path), sound(0..100 * n));
            let size = std::fs::metadata(&path).expect("it is there").len();
            let header = std::fs::read(&path).expect("it is there");
            assert_eq!(u64::from(u32::from_le_bytes(header[4..8].try_into().unwrap())), size - 8);
        }
        assert_eq!(rolling.finish().expect("it can be written"), 500);
    }

    #[test]
    fn the_parts_of_a_series_are_the_whole_bit_for_bit() {
        for (limit, parts) in [(MOST, 1), (68 + 8 * 1000, 1), (68 + 8 * 999, 2), (68 + 8 * 101 + 5, 10), (0, 1000)] {
            let (folder, path) = place();
            let mut rolling = Rolling::create(&path, 44_100, 2, limit).expect("it can be made");
            for n in 0..40 {
                rolling.write(&sound(25 * n..25 * n + 25));
                if n % 3 == 0 {
                    rolling.flush().expect("it can be written");
                }
            }
            rolling.flush().expect("it can be written");
            let files = rolling.parts().to_vec();
            assert_eq!(files.len(), parts, "limit {limit}");
            let together: Vec<f32> = files.iter().flat_map(|path| heard(path)).collect();
            assert_eq!(together, sound(0..1000), "limit {limit}");
            assert_eq!(series(&path), sound(0..1000), "limit {limit}");
            assert_eq!(std::fs::read_dir(folder.path()).expect("it can be listed").count(), parts);
            let longest = files.iter().map(|path| std::fs::metadata(path).expect("it is there").len()).max();
            assert!(longest <= Some(limit.max(68 + 8)), "limit {limit}");
        }
    }

    #[test]
    fn parts_are_counted_from_the_second_and_pass_over_what_is_there() {
        let (folder, path) = place();
        std::fs::write(folder.path().join("take-3.wav"), "precious").expect("it can be written");
        let mut rolling = Rolling::create(&path, 48_000, 2, 68 + 80).expect("it can be made");
        rolling.write(&sound(0..30));
        rolling.flush().expect("it can be written");
        let names = rolling.parts().iter().filter_map(|path| path.file_name()?.to_str());
        assert_eq!(names.collect::<Vec<_>>(), ["take.wav", "take-2.wav", "take-4.wav"]);
        assert_eq!(std::fs::read(folder.path().join("take-3.wav")).expect("it is there"), b"precious");
    }

    #[test]
    fn what_is_there_is_not_overwritten() {
        let (_folder, path) = place();
        std::fs::write(&path, "precious").expect("it can be written");
        let refused = Rolling::create(&path, 48_000, 2, MOST).expect_err("it is there");
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).expect("it is there"), b"precious");
    }

    #[test]
    fn silence_takes_its_time_and_no_memory() {
        let (_folder, path) = place();
        let mut rolling = Rolling::create(&path, 48_000, 2, 68 + 8 * 700).expect("it can be made");
        rolling.silence(1000);
        rolling.write(&sound(1000..1010));
        rolling.silence(5);
        assert_eq!((rolling.taken(), rolling.kept(), rolling.waiting()), (1015, 0, 80));
        rolling.flush().expect("it can be written");
        assert_eq!((rolling.kept(), rolling.waiting()), (1015, 0));
        assert_eq!(series(&path), [vec![0.0; 2000], sound(1000..1010), vec![0.0; 10]].concat());
        assert_eq!(heard(&rolling.parts()[1]).len(), 2 * 315);
    }

    #[test]
    fn after_a_failure_it_goes_on_where_it_ended() {
        let (_folder, path) = place();
        let mut rolling = Rolling::create(&path, 48_000, 2, 68 + 8 * 150).expect("it can be made");
        rolling.write(&sound(0..100));
        rolling.flush().expect("it can be written");
        // A file that takes nothing, as one on a full disk.
        let written = std::mem::replace(&mut rolling.file, File::open(&path).expect("it is there"));
        for n in 1..4 {
            rolling.write(&sound(100 * n..100 * n + 100));
            rolling.flush().expect_err("it cannot be written");
            assert_eq!((rolling.kept(), rolling.taken()), (100, 100 * n + 100));
            assert_eq!(heard(&path), sound(0..100));
        }
        rolling.file = written;
        assert_eq!(rolling.finish().expect("it can be written"), 400);
        assert_eq!(series(&path), sound(0..400));
    }

    #[test]
    fn a_series_cut_at_any_byte_is_read_up_to_its_last_whole_frame() {
        let (folder, path) = place();
        let mut rolling = Rolling::create(&path, 48_000, 2, 68 + 80).expect("it can be made");
        rolling.write(&sound(0..15));
        rolling.finish().expect("it can be written");
        let last = folder.path().join("take-2.wav");
        let whole = std::fs::read(&last).expect("it is there");
        for end in (0..=whole.len()).rev() {
            std::fs::write(&last, &whole[..end]).expect("it can be written");
            let frames = 10 + end.saturating_sub(68) as u64 / 8;
            assert_eq!(series(&path), sound(0..frames), "cut at {end}");
        }
        // Killed between the samples and the header: what is there counts.
        let mut stale = whole;
        stale[64..68].copy_from_slice(&[0; 4]);
        std::fs::write(&last, stale).expect("it can be written");
        assert_eq!(series(&path), sound(0..15));
    }

    #[test]
    fn what_a_wav_file_cannot_be_is_refused() {
        for (rate, channels) in [(48_000, 0), (48_000, 65_536), (0, 2)] {
            let (_folder, path) = place();
            let refused = Rolling::create(&path, rate, channels, MOST).expect_err("no such file");
            assert_eq!(refused.kind(), ErrorKind::InvalidInput);
            assert!(!path.exists());
        }
    }
}
