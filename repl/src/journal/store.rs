//! Where journals lie: a folder of folders, each called after its beginning and its session. What is too much is removed,
//! whole journals, the oldest first, but none that is played or read.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::ending::Failure;
use crate::state_dir;

/// The file of what happened.
pub const LINES: &str = "journal.jsonl";

/// The folder of what was written.
pub const TEXTS: &str = "texts";

/// What the names of folders begin with that are being removed.
const GONE: &str = ".gone-";

/// The file that is locked while a journal is read.
const IN_USE: &str = "in-use";

/// The file that is locked while a journal is played.
const PLAYING: &str = "playing";

/// The most bytes that the journals in the user's state directory take together, but for a part of the newest: 8 GiB,
/// about six hours of two live inputs beside any number of hours without.
pub const MOST_BYTES: u64 = 8 << 30;

/// Where journals lie unless the user says so.
///
/// # Errors
/// The system has no home for them.
pub fn usual() -> io::Result<PathBuf> {
    state_dir::folder("journals")
}

/// Makes the folder of a new journal.
///
/// # Errors
/// It cannot be made.
pub fn create(journals: &Path, session: &Path, started: SystemTime) -> io::Result<PathBuf> {
    fs::create_dir_all(journals)?;
    let session = session.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{}-{session}", utc(started).replace(':', "-"));
    let mut tries = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}-{n}") });
    loop {
        let folder = journals.join(tries.next().unwrap_or_default());
        match fs::create_dir(&folder) {
            Ok(()) => {
                fs::create_dir(folder.join(TEXTS))?;
                sync_folder(&folder)?;
                return sync_folder(journals).map(|()| folder);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Marks a journal as read, until the file is dropped. Any number may read it.
///
/// # Errors
/// The mark cannot be made.
pub fn mark_read(folder: &Path) -> io::Result<File> {
    mark(folder, IN_USE)
}

/// Marks a journal as played, until the file is dropped.
///
/// # Errors
/// The mark cannot be made.
pub fn mark_played(folder: &Path) -> io::Result<File> {
    mark(folder, PLAYING)
}

fn mark(folder: &Path, name: &str) -> io::Result<File> {
    let mark = File::create(folder.join(name))?;
    mark.lock_shared()?;
    Ok(mark)
}

/// Keeps a journal from being read, until the file is dropped: who wants to waits. None while somebody reads it.
pub fn lock_unread(folder: &Path) -> Option<File> {
    locked(folder, IN_USE)
}

/// A mark that nobody else has, if nobody has it.
fn locked(folder: &Path, name: &str) -> Option<File> {
    let mark = File::options().write(true).create(true).truncate(false).open(folder.join(name)).ok()?;
    // Where the system knows no locks nobody has any.
    (!matches!(mark.try_lock(), Err(TryLockError::WouldBlock))).then_some(mark)
}

/// Whether a journal is played now.
pub fn is_played(folder: &Path) -> bool {
    let mark = File::open(folder.join(PLAYING));
    mark.is_ok_and(|mark| matches!(mark.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Writes a file out of pieces: whole, or not at all, and on the disk before it has its name. Until then it is called as
/// [`unfinished`] says, so that what somebody who was killed has left is overwritten.
///
/// # Errors
/// It cannot be written.
pub fn write_whole(path: &Path, pieces: &[&[u8]]) -> io::Result<()> {
    let beside = unfinished(path);
    let written = (|| {
        let mut file = File::create(&beside)?;
        pieces.iter().try_for_each(|piece| file.write_all(piece))?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        // What cannot be removed either is overwritten the next time.
        let _ = fs::remove_file(&beside);
    }
    written.and_then(|()| sync_folder(path.parent().unwrap_or(Path::new(""))))
}

/// What a file is called until it is whole.
pub fn unfinished(path: &Path) -> PathBuf {
    path.with_file_name(format!(".{}.part", path.file_name().unwrap_or_default().to_string_lossy()))
}

/// Puts the names in a folder on the disk, where the system can be asked to.
///
/// # Errors
/// It cannot be done.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all() {
        // Some file systems know of no such thing: they do it by themselves, or nobody can.
        Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput) => {}
        done => done?,
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Removes a folder: as a whole first, under a name that means nothing, and then from the disk.
///
/// # Errors
/// It cannot be removed. What is left then goes with the next that does.
pub fn remove(folder: &Path) -> io::Result<()> {
    let aside = folder.with_file_name(format!("{GONE}{}", folder.file_name().unwrap_or_default().to_string_lossy()));
    fs::rename(folder, &aside)?;
    fs::remove_dir_all(aside)
}

/// Removes what a removal that was broken off has left in a folder.
pub fn sweep(within: &Path) {
    for entry in fs::read_dir(within).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(GONE) {
            // What cannot be removed now is tried again.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The bytes that all journals in a folder take together.
pub fn taken(journals: &Path) -> u64 {
    all(journals).iter().map(|folder| size(folder)).sum()
}

/// Removes the oldest journals in a folder until they take at most `most` bytes; gives how many went.
pub fn make_room(journals: &Path, most: u64) -> usize {
    sweep(journals);
    let mut found: Vec<(PathBuf, u64)> =
        all(journals).into_iter().map(|folder| (size(&folder), folder)).map(|(size, folder)| (folder, size)).collect();
    found.sort();
    let mut sum: u64 = found.iter().map(|(_, size)| size).sum();
    let mut gone = 0;
    for (folder, size) in found {
        if sum <= most {
            break;
        }
        // Held until it is gone: who wants to read it meanwhile finds it gone.
        let (Some(_unread), Some(_unplayed)) = (lock_unread(&folder), locked(&folder, PLAYING)) else { continue };
        if remove(&folder).is_ok() {
            sum -= size;
            gone += 1;
        }
    }
    gone
}

/// The journal that a path means: itself, or the newest of the journals in it.
///
/// # Errors
/// There is none.
pub fn find(path: Option<&Path>) -> Result<PathBuf, Failure> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => usual().map_err(|error| Failure::Error(format!("no journal is found: {error}; name one")))?,
    };
    if path.join(LINES).is_file() {
        return Ok(path);
    }
    let why = match fs::metadata(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => error.to_string(),
        Err(_) => "there is no journal: it does not exist".into(),
        Ok(about) if !about.is_dir() => "is a file; a journal is a folder".into(),
        Ok(_) => match all(&path).into_iter().max() {
            Some(newest) => return Ok(newest),
            None => "there is no journal in it".into(),
        },
    };
    Err(Failure::Error(format!("{}: {why}", path.display())))
}

/// Every journal in a folder.
fn all(journals: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(journals).into_iter().flatten().filter_map(Result::ok);
    let entries = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with(GONE));
    entries.map(|entry| entry.path()).filter(|folder| folder.join(LINES).is_file()).collect()
}

/// The bytes that a folder's files take.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => size(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}

/// A time as `2026-11-21T20:15:00Z`. Days to a date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013.
pub fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, of_day) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// A journal of so many bytes.
    fn journal(journals: &Path, seconds: u64, bytes: usize) -> PathBuf {
        let folder = create(journals, Path::new("songs/night.rhai"), at(seconds)).expect("it can be made");
        fs::write(folder.join(LINES), vec![b' '; bytes]).expect("there is room");
        folder
    }

    #[test]
    fn times_are_written_in_universal_time() {
        assert_eq!(utc(at(0)), "1970-01-01T00:00:00Z");
        assert_eq!(utc(at(951_782_400)), "2000-02-29T00:00:00Z");
        assert_eq!(utc(at(1_795_292_102)), "2026-11-21T20:15:02Z");
        assert_eq!(utc(at(4_107_542_399)), "2100-02-28T23:59:59Z");
    }

    #[test]
    fn a_journal_is_called_after_its_beginning_and_two_of_one_second_are_two() {
        let place = tempfile::tempdir().expect("there is room");
        let names: Vec<String> = [0, 0, 1]
            .map(|seconds| journal(place.path(), seconds, 1))
            .iter()
            .map(|folder| folder.file_name().expect("it has one").to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["1970-01-01T00-00-00Z-night", "1970-01-01T00-00-00Z-night-2", "1970-01-01T00-00-01Z-night"]);
        assert_eq!(find(Some(place.path())).expect("there are some"), place.path().join(&names[2]));
        let first = place.path().join(&names[0]);
        assert_eq!(find(Some(&first)).expect("it is one"), first);
    }

    #[test]
    fn room_is_made_by_removing_the_oldest_that_nobody_uses() {
        let place = tempfile::tempdir().expect("there is room");
        let folders = [3, 1, 4, 2].map(|seconds| journal(place.path(), seconds, 1000));
        let stranger = place.path().join("my own");
        fs::create_dir(&stranger).expect("there is room");
        let used = mark_read(&folders[1]).expect("it can be marked");
        assert!(lock_unread(&folders[1]).is_none() && !is_played(&folders[1]) && lock_unread(&folders[0]).is_some());
        assert_eq!(make_room(place.path(), 2000), 2);
        assert_eq!(folders.each_ref().map(|folder| folder.exists()), [false, true, true, false]);
        drop(used);
        let played = mark_played(&folders[1]).expect("it can be marked");
        assert_eq!((is_played(&folders[1]), make_room(place.path(), 1000)), (true, 1));
        assert!(folders[1].exists(), "what is played stays, whatever its age");
        drop(played);
        assert_eq!(make_room(place.path(), 0), 1);
        assert_eq!(folders.map(|folder| folder.exists()), [false; 4]);
        assert!(stranger.exists(), "what is no journal stays");
    }

    #[test]
    fn a_removal_that_is_broken_off_leaves_no_journal_and_is_ended_by_the_next() {
        let place = tempfile::tempdir().expect("there is room");
        let folder = journal(place.path(), 1, 1000);
        let aside = place.path().join(format!("{GONE}{}", folder.file_name().expect("it has one").display()));
        fs::rename(&folder, &aside).expect("it can be renamed");
        assert!(all(place.path()).is_empty() && find(Some(place.path())).is_err());
        make_room(place.path(), 1 << 20);
        assert!(!aside.exists());
    }

    #[test]
    fn a_file_appears_whole_and_leaves_nothing_beside_it() {
        let place = tempfile::tempdir().expect("there is room");
        let path = place.path().join("a");
        fs::write(unfinished(&path), "what somebody left").expect("there is room");
        write_whole(&path, &[b"one", b"two"]).expect("there is room");
        assert_eq!(fs::read(&path).expect("it is there"), b"onetwo");
        fs::remove_file(&path).expect("it is there");
        fs::create_dir(&path).expect("there is room");
        assert!(write_whole(&path, &[b"one"]).is_err());
        assert!(!unfinished(&path).exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_its_file_system_cannot_put_on_the_disk_is_no_fault() {
        let unable = File::open("/proc").and_then(|folder| folder.sync_all()).expect_err("it lies on no disk");
        assert_eq!(unable.kind(), io::ErrorKind::InvalidInput);
        sync_folder(Path::new("/proc")).expect("that is no fault");
        assert!(sync_folder(Path::new("/proc/nowhere")).is_err(), "but this is one");
    }

    #[test]
    fn where_no_journal_is_this_is_said() {
        let place = tempfile::tempdir().expect("there is room");
        let file = place.path().join("a.txt");
        fs::write(&file, "a").expect("there is room");
        for (path, told) in [
            (place.path(), "there is no journal in it"),
            (&place.path().join("nowhere"), "does not exist"),
            (&file, "is a file"),
        ] {
            let Err(failure) = find(Some(path)) else { panic!("{} is none", path.display()) };
            assert!(failure.to_string().contains(told), "{failure}");
        }
    }
}
