//! The parts of a long journal. The first lies in the journal's folder itself, each further one in a folder of its own in
//! it: `part-2`, `part-3`. Once a checkpoint in a later part is there, the parts before it are not needed any more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint;
use super::inputs;
use super::store::{self, LINES};

/// What the folders of parts are called, before their numbers.
const PART: &str = "part-";

/// The folder of a part, counted from 1.
pub fn folder(journal: &Path, number: usize) -> PathBuf {
    if number == 1 { journal.to_owned() } else { journal.join(format!("{PART}{number}")) }
}

/// Makes the folder of a further part. One that is there with nothing of a part in it is taken as one that was begun before.
///
/// # Errors
/// It cannot be made, or is that of a part.
pub fn create(journal: &Path, number: usize) -> io::Result<PathBuf> {
    let folder = folder(journal, number);
    let is_begun = || folder.is_dir() && !folder.join(LINES).exists() && inputs::files(&folder).is_empty();
    match fs::create_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_begun() => {}
        made => made?,
    }
    store::sync_folder(journal).map(|()| folder)
}

/// The last further part that begins with a checkpoint, or 1: it and those after it are what it takes to go on playing a
/// performance again.
pub fn needed(journal: &Path) -> usize {
    let has_checkpoint = |number: &usize| folder(journal, *number).join(checkpoint::FILE).is_file();
    further(journal).into_iter().rfind(has_checkpoint).unwrap_or(1)
}

/// The numbers of the further parts that are there, in order.
pub fn further(journal: &Path) -> Vec<usize> {
    let entries = fs::read_dir(journal).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut numbers: Vec<usize> = names.filter_map(|name| name.strip_prefix(PART)?.parse().ok()).collect();
    numbers.retain(|number| *number > 1 && folder(journal, *number).join(LINES).is_file());
    numbers.sort_unstable();
    numbers
}

/// Removes the oldest part that is there, if it is one before `needed`; says whether one went. Of the first the line stays
/// by which a journal is known.
///
/// # Errors
/// It cannot be removed.
pub fn remove_oldest(journal: &Path, needed: usize) -> io::Result<bool> {
    store::sweep(journal);
    if needed <= 1 {
        return Ok(false);
    }
    let lines = fs::read(journal.join(LINES))?;
    let first = lines.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    let inputs = inputs::files(journal);
    if first.len() < lines.len() || !inputs.is_empty() {
        store::write_whole(&journal.join(LINES), &[first])?;
        return inputs.iter().try_for_each(fs::remove_file).map(|()| true);
    }
    match further(journal).first() {
        Some(oldest) if *oldest < needed => store::remove(&folder(journal, *oldest)).map(|()| true),
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_was_only_begun_can_be_begun_again() {
        let place = tempfile::tempdir().expect("there is room");
        let begun = create(place.path(), 2).expect("there is room");
        assert_eq!(create(place.path(), 2).expect("nothing is in it"), begun);
        for file in ["inputs.wav", LINES] {
            fs::write(begun.join(file), "").expect("there is room");
            assert_eq!(create(place.path(), 2).expect_err("it is one").kind(), io::ErrorKind::AlreadyExists);
            fs::remove_file(begun.join(file)).expect("it is there");
        }
        fs::remove_dir(&begun).expect("it is empty");
        fs::write(&begun, "").expect("there is room");
        assert_eq!(create(place.path(), 2).expect_err("it is a file").kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn the_oldest_parts_go_and_of_the_first_the_line_that_says_what_it_is_stays() {
        let place = tempfile::tempdir().expect("there is room");
        let journal = place.path();
        fs::write(journal.join(LINES), "header\nfirst\n").expect("there is room");
        fs::write(journal.join("inputs.wav"), "sound").expect("there is room");
        for number in 2..5 {
            let folder = create(journal, number).expect("there is room");
            fs::write(folder.join(LINES), "more\n").expect("there is room");
        }
        assert_eq!(further(journal), [2, 3, 4]);
        assert!(!remove_oldest(journal, 1).expect("nothing is to go"));
        assert!(remove_oldest(journal, 4).expect("the first goes"));
        assert_eq!(fs::read_to_string(journal.join(LINES)).expect("it is there"), "header\n");
        assert!(!journal.join("inputs.wav").exists() && further(journal) == [2, 3, 4]);
        assert!(remove_oldest(journal, 4).expect("the second goes") && further(journal) == [3, 4]);
        assert!(remove_oldest(journal, 4).expect("the third goes") && further(journal) == [4]);
        assert!(!remove_oldest(journal, 4).expect("the fourth is needed") && further(journal) == [4]);
    }
}
