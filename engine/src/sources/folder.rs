//! Which files of a folder make which sounds of a kit, and what they are called in a pattern.
//!
//! Two ways are known, and may be mixed. A folder of folders, as Tidal has it: each folder is a name, and its files are
//! numbered from 0. And a flat folder: a file's name, less the number at its end and what separates that, is the name:
//! `bd.wav`, `bd_2.wav`, `bd 3.flac` and `bd04.wav` are `bd:0` to `bd:3`. Either way files are in the order in which one
//! counts: 2 before 10.
//!
//! A name must be speakable in a pattern. It is written small; what is neither a letter nor a digit becomes `_`, several in a
//! row one, none at its ends; and before a digit at its beginning comes an `s`. `Snare Top.wav` is `snare_top`, `808` is
//! `s808`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::drums;

/// What the name of a file that holds sound ends in: what is read by the decoders that are built in.
pub const EXTENSIONS: [&str; 12] =
    ["wav", "wave", "aif", "aiff", "aifc", "flac", "mp3", "m4a", "mp4", "aac", "ogg", "oga"];

/// A name of a kit and its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// As it is spoken.
    pub name: String,
    /// Its files from number 0 on, as they were given; there is at least one.
    pub files: Vec<PathBuf>,
    /// The group in which they choke each other: hats do, by their names.
    pub choke: Option<u32>,
}

impl Named {
    /// The file of a number: beyond the last they begin again.
    pub fn file(&self, number: i64) -> &Path {
        &self.files[number.rem_euclid(self.files.len() as i64) as usize]
    }
}

/// What a folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// In the order of their names.
    pub sounds: Vec<Named>,
    /// What one should know: files of several names under one, files that lie too deep.
    pub notes: Vec<String>,
}

/// What files make, given by their paths from the folder on. What is no sound, or hidden, is passed over.
pub fn sounds_of(paths: &[PathBuf]) -> Contents {
    let mut paths: Vec<&PathBuf> = paths.iter().filter(|path| is_sound(path)).collect();
    paths.sort_by_cached_key(|path| Counted(plain(path), path.to_string_lossy().into_owned()));
    let mut notes = Vec::new();
    // For each name its files, and what they are called where they lie.
    let mut found: BTreeMap<String, (Vec<PathBuf>, Vec<String>)> = BTreeMap::new();
    for path in paths {
        let Some(written) = written(path) else {
            notes.push(format!("{} lies deeper than one folder and is left out", path.display()));
            continue;
        };
        let Some(name) = speakable(written.trim_end_matches('/')) else {
            notes.push(format!("{} has no letter or digit in its name and is left out", path.display()));
            continue;
        };
        let (files, names) = found.entry(name).or_default();
        files.push(path.clone());
        if !names.contains(&written) {
            names.push(written);
        }
    }
    for (name, (_, names)) in found.iter().filter(|(_, (_, names))| names.len() > 1) {
        notes.push(format!("{} are all called {name}, one after the other", names.join(", ")));
    }
    let sounds = found.into_iter().map(|(name, (files, _))| Named { choke: choke(&name), name, files }).collect();
    Contents { sounds, notes }
}

/// Whether what has this path from a kit's folder on is a file that the decoders know, and not hidden.
pub fn is_sound(path: &Path) -> bool {
    let hidden = |part: Component| part.as_os_str().to_string_lossy().starts_with('.');
    let known = |extension: &std::ffi::OsStr| EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known));
    path.extension().is_some_and(known) && !path.components().any(hidden)
}

/// The name of a file before it is made speakable: its folder with a `/`, or its own name without its number; none for one
/// that lies deeper.
fn written(path: &Path) -> Option<String> {
    let mut parts = path.components().map(|part| part.as_os_str().to_string_lossy());
    let (first, second, third) = (parts.next()?, parts.next(), parts.next());
    match (second, third) {
        (_, Some(_)) => None,
        (Some(_), None) => Some(format!("{first}/")),
        (None, None) => {
            let stem = path.file_stem()?.to_string_lossy();
            let bare = stem.trim_end_matches(|c: char| c.is_ascii_digit());
            let bare = bare.trim_end_matches(|c: char| !c.is_alphanumeric());
            // A name that is a number is kept: there would be nothing left.
            Some(if bare.is_empty() { stem.into_owned() } else { bare.to_owned() })
        }
    }
}

/// A name as it is spoken in a pattern; none if nothing is left of it.
fn speakable(written: &str) -> Option<String> {
    let parts: Vec<String> =
        written.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_lowercase).collect();
    let name = parts.join("_");
    match name.chars().next() {
        None => None,
        Some(first) if first.is_alphabetic() => Some(name),
        Some(_) => Some(format!("s{name}")),
    }
}

/// The group of a name: that of the hats for those of the hats' names, alone or with more behind a `_`.
fn choke(name: &str) -> Option<u32> {
    let first = name.split('_').next().unwrap_or(name);
    let hats = ["hh", "ch", "oh", "ph", "hat", "hats", "hihat", "hc", "ho", "openhat", "closedhat"];
    let spelt = ["hi_hat", "open_hat", "closed_hat", "open_hh", "closed_hh", "pedal_hat"];
    (hats.contains(&first) || spelt.iter().any(|spelt| name.starts_with(spelt))).then_some(drums::HATS)
}

/// A path by which files are put in order: of a flat one, its name and its number with nothing between them.
fn plain(path: &Path) -> String {
    let whole = path.to_string_lossy().into_owned();
    match (written(path), path.file_stem()) {
        (Some(bare), Some(stem)) if !bare.ends_with('/') => {
            let stem = stem.to_string_lossy();
            let number = stem.len() - stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            if number == stem.len() { bare } else { format!("{bare}{}", &stem[stem.len() - number..]) }
        }
        _ => whole,
    }
}

/// A text that is compared as one counts, and by its letters where that leaves it open.
#[derive(PartialEq, Eq)]
struct Counted(String, String);

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> Ordering {
        counted(&self.0, &other.0).then_with(|| self.1.cmp(&other.1))
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order in which one counts: runs of digits by their number, all else letter by letter, small as large.
fn counted(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (number, other) = (digits(left), digits(right));
        let order = if number.is_empty() || other.is_empty() {
            let small = |text: &str| text.chars().next().map(|c| c.to_lowercase().to_string());
            let (x, y) = (small(left), small(right));
            if x.is_none() && y.is_none() {
                return Ordering::Equal;
            }
            (left, right) = (rest(left), rest(right));
            x.cmp(&y)
        } else {
            (left, right) = (&left[number.len()..], &right[other.len()..]);
            let (x, y) = (number.trim_start_matches('0'), other.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The digits that a text begins with.
fn digits(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

/// A text without its first letter.
fn rest(text: &str) -> &str {
    text.char_indices().nth(1).map_or("", |(at, _)| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(paths: &[&str]) -> Contents {
        sounds_of(&paths.iter().map(PathBuf::from).collect::<Vec<_>>())
    }

    /// Each name with its files, as text.
    fn told(contents: &Contents) -> Vec<String> {
        let files = |named: &Named| named.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>();
        contents.sounds.iter().map(|named| format!("{}: {}", named.name, files(named).join(" "))).collect()
    }

    #[test]
    fn a_folder_of_folders_is_numbered_in_the_order_one_counts_in() {
        let contents = of(&["sn/b.flac", "bd/kick10.wav", "bd/kick2.wav", "bd/Kick1.WAV", "sn/a.wav"]);
        assert_eq!(told(&contents), ["bd: bd/Kick1.WAV bd/kick2.wav bd/kick10.wav", "sn: sn/a.wav sn/b.flac"]);
        assert_eq!(contents.notes, [""; 0]);
    }

    #[test]
    fn a_flat_folder_is_named_by_what_stands_before_the_number() {
        let contents = of(&["bd 3.flac", "bd10.wav", "bd.wav", "bd_2.wav", "bd-04.wav", "oh.wav", "808.wav"]);
        let names = ["bd: bd.wav bd_2.wav bd 3.flac bd-04.wav bd10.wav", "oh: oh.wav", "s808: 808.wav"];
        assert_eq!(told(&contents), names);
        assert_eq!(contents.notes, [""; 0]);
    }

    #[test]
    fn names_that_cannot_be_spoken_become_speakable() {
        for (written, spoken) in [
            ("Snare Top.wav", "snare_top"),
            ("808 Kick (long).wav", "s808_kick_long"),
            ("__x--y__ 7.wav", "x_y"),
            ("Ä!.ogg", "ä"),
            ("1-2.wav", "s1"),
        ] {
            assert_eq!(of(&[written]).sounds[0].name, spoken, "{written}");
        }
        assert_eq!(speakable("(!)"), None);
        let contents = of(&["(!).wav"]);
        assert_eq!((contents.sounds.len(), contents.notes.len()), (0, 1));
    }

    #[test]
    fn names_that_come_to_the_same_are_one_and_that_is_said() {
        let contents = of(&["Snare Top 1.wav", "snare_top.wav", "bd.wav", "bd/a.wav"]);
        assert_eq!(told(&contents), ["bd: bd.wav bd/a.wav", "snare_top: Snare Top 1.wav snare_top.wav"]);
        assert_eq!(
            contents.notes,
            [
                "bd, bd/ are all called bd, one after the other",
                "Snare Top, snare_top are all called snare_top, one after the other"
            ]
        );
    }

    #[test]
    fn what_is_no_sound_is_passed_over_and_what_lies_too_deep_is_told() {
        let contents = of(&["README.md", "._bd.wav", ".git/x.wav", "bd/long/a.wav", "bd/a.txt", "noextension"]);
        assert_eq!(told(&contents), [""; 0]);
        assert_eq!(contents.notes, ["bd/long/a.wav lies deeper than one folder and is left out"]);
    }

    #[test]
    fn numbers_beyond_the_last_begin_again() {
        let contents = of(&["bd/a.wav", "bd/b.wav", "bd/c.wav"]);
        let bd = &contents.sounds[0];
        let files: Vec<_> = [0, 2, 3, 7, -1].iter().map(|n| bd.file(*n).display().to_string()).collect();
        assert_eq!(files, ["bd/a.wav", "bd/c.wav", "bd/a.wav", "bd/b.wav", "bd/c.wav"]);
    }

    #[test]
    fn hats_choke_each_other_by_their_names_and_nothing_else_does() {
        let contents = of(&["hh.wav", "oh.wav", "ch 1.wav", "Hi-Hat Open.wav", "hh_loose.wav", "ohm.wav", "bd.wav"]);
        let choked: Vec<_> = contents.sounds.iter().filter(|s| s.choke == Some(drums::HATS)).map(|s| &s.name).collect();
        assert_eq!(choked, ["ch", "hh", "hh_loose", "hi_hat_open", "oh"]);
    }

    #[test]
    fn the_order_does_not_depend_on_the_order_of_the_paths() {
        let mut paths: Vec<PathBuf> =
            ["b/2.wav", "b/02.wav", "b/a.wav", "b/A.wav", "B/1.wav", "b10.wav", "b9.wav"].map(PathBuf::from).into();
        let first = sounds_of(&paths);
        for _ in 0..paths.len() {
            paths.rotate_left(1);
            assert_eq!(sounds_of(&paths), first);
        }
    }
}
