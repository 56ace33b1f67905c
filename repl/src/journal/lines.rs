//! The lines of a journal on their way to the disk, and with them the texts that they speak of. What finds no room waits, and
//! goes out when there is some again: no line is torn, and none is lost.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::record::Record;
use super::store::{self, LINES};

/// The most bytes that wait: beyond them lines are lost.
const MOST_WAITING: usize = 64 << 20;

/// The file of lines of a part, and what is yet to be written.
pub struct Lines {
    file: File,
    /// Bytes of whole lines that are in the file.
    placed: u64,
    waiting: Vec<u8>,
    /// Files of texts, each with what is in it.
    texts: Vec<(PathBuf, String)>,
    /// Lines that found no room to wait.
    lost: u64,
}

impl Lines {
    /// Begins the file in the folder of a part.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(folder: &Path) -> io::Result<Lines> {
        let path = folder.join(LINES);
        let file = File::create_new(&path)?;
        // One without a line would be taken for a part.
        store::sync_folder(folder).inspect_err(|_| drop(fs::remove_file(&path)))?;
        Ok(Lines { file, placed: 0, waiting: Vec::new(), texts: Vec::new(), lost: 0 })
    }

    /// Goes on in the folder of a further part, when everything has been written.
    ///
    /// # Errors
    /// Its file cannot be made: it goes on where it is.
    pub fn go_on_in(&mut self, folder: &Path) -> io::Result<()> {
        let next = Lines::create(folder)?;
        (self.file, self.placed) = (next.file, 0);
        Ok(())
    }

    /// Takes a line.
    ///
    /// # Errors
    /// It cannot be said in a line.
    pub fn push(&mut self, record: &Record) -> io::Result<()> {
        if self.waiting.len() > MOST_WAITING {
            self.lost += 1;
            return Ok(());
        }
        serde_json::to_writer(&mut self.waiting, record)?;
        self.waiting.push(b'\n');
        Ok(())
    }

    /// Takes a text that lines to come speak of.
    pub fn text(&mut self, path: PathBuf, text: String) {
        self.texts.push((path, text));
    }

    /// How many lines have been lost since this was last asked.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Hands everything to the system: texts go to the disk before lines speak of them.
    ///
    /// # Errors
    /// Something could not be written: what is not waits for the next time.
    pub fn flush(&mut self) -> io::Result<()> {
        while let Some((path, text)) = self.texts.first() {
            store::write_whole(path, &[text.as_bytes()])?;
            self.texts.remove(0);
        }
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(self.placed))?;
        if let Err(error) = self.file.write_all(&self.waiting) {
            // Half a line would be taken for the end. Where even that cannot be helped, it is overwritten later.
            let _ = self.file.set_len(self.placed);
            return Err(error);
        }
        self.placed += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Asks the system to put it on the disk.
    ///
    /// # Errors
    /// It cannot.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_written_is_written_when_it_can_and_no_line_is_torn() {
        let place = tempfile::tempdir().expect("there is room");
        let mut lines = Lines::create(place.path()).expect("there is room");
        let tick = |frame| Record::Tick { frame };
        lines.push(&tick(1)).expect("it is a line");
        lines.flush().expect("there is room");
        let whole = std::mem::replace(&mut lines.file, File::open(place.path().join(LINES)).expect("it is there"));
        lines.push(&tick(2)).expect("it is a line");
        lines.text(place.path().join("nowhere/a.rhai"), "text".into());
        assert!(lines.flush().is_err(), "there is no such folder");
        fs::create_dir(place.path().join("nowhere")).expect("there is room");
        assert!(lines.flush().is_err(), "a file that is only read takes nothing");
        lines.push(&tick(3)).expect("it is a line");
        lines.file = whole;
        lines.flush().expect("there is room");
        let kept = fs::read_to_string(place.path().join(LINES)).expect("it is there");
        let wanted: Vec<String> =
            (1..4).map(|n| serde_json::to_string(&tick(n)).expect("it is a line") + "\n").collect();
        assert_eq!(kept, wanted.concat());
        assert_eq!(fs::read_to_string(place.path().join("nowhere/a.rhai")).expect("it is there"), "text");
        assert_eq!(lines.take_lost(), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_loses_nothing_as_long_as_there_is_room_to_wait() {
        let place = tempfile::tempdir().expect("there is room");
        let mut lines = Lines::create(place.path()).expect("there is room");
        let full = File::options().write(true).open("/dev/full").expect("it is always there");
        let file = std::mem::replace(&mut lines.file, full);
        for frame in 0..3 {
            lines.push(&Record::Tick { frame }).expect("it is a line");
            assert_eq!(lines.flush().expect_err("it is full").kind(), io::ErrorKind::StorageFull);
        }
        lines.waiting.resize(MOST_WAITING + 1, b' ');
        lines.push(&Record::Tick { frame: 3 }).expect("it is a line");
        assert_eq!((lines.take_lost(), lines.take_lost()), (1, 0));
        lines.file = file;
        lines.flush().expect("there is room");
        assert_eq!(fs::metadata(place.path().join(LINES)).expect("it is there").len(), MOST_WAITING as u64 + 1);
    }
}
