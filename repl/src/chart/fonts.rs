//! Letters for pictures in points: our own, the same on every machine; what those lack, from the fonts that the system has.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use skrifa::{FontRef, MetadataProvider};

/// How deep folders of fonts lie in each other at most.
const DEEPEST: usize = 5;

/// A font of the system for each letter that one of them has: as few as are needed, those that come first.
pub fn of_system(letters: &BTreeSet<char>) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    folders().iter().for_each(|folder| find(folder, DEEPEST, &mut files));
    // Rather upright and of usual weight.
    files.sort_by_key(|file| is_styled(file));
    chosen(letters, files.into_iter().filter_map(|file| fs::read(file).ok()))
}

/// The fonts that have letters which none before them has.
fn chosen(letters: &BTreeSet<char>, fonts: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let (mut left, mut chosen) = (letters.clone(), Vec::new());
    for font in fonts {
        if left.is_empty() {
            break;
        }
        let before = left.len();
        FontRef::fonts(&font).flatten().for_each(|face| left.retain(|letter| face.charmap().map(*letter).is_none()));
        if left.len() < before {
            chosen.push(font);
        }
    }
    chosen
}

/// Whether the name of a font's file says that its letters lean, or are heavier than others.
fn is_styled(file: &Path) -> bool {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    ["bold", "black", "heavy", "italic", "oblique"].iter().any(|style| name.contains(style))
}

/// Where systems keep fonts.
fn folders() -> Vec<PathBuf> {
    let of = |name: &str, more: &str| env::var_os(name).map(|folder| Path::new(&folder).join(more));
    let everywhere = ["/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts"];
    let own = [
        of("XDG_DATA_HOME", "fonts"),
        of("HOME", ".local/share/fonts"),
        of("HOME", ".fonts"),
        of("HOME", "Library/Fonts"),
        of("WINDIR", "Fonts"),
    ];
    everywhere.iter().map(PathBuf::from).chain(own.into_iter().flatten()).collect()
}

/// Adds the fonts in a folder and in those within it, in the order of their names.
fn find(folder: &Path, deep: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        let ending = entry.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
        if ["ttf", "otf", "ttc", "otc"].contains(&&*ending) {
            files.push(entry);
        } else if deep > 0 && entry.is_dir() {
            find(&entry, deep - 1, files);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use epaint_default_fonts::{HACK_REGULAR, UBUNTU_LIGHT};

    #[test]
    fn a_font_is_taken_for_the_letters_that_none_before_it_has() {
        let fonts = || [b"no font".to_vec(), UBUNTU_LIGHT.to_vec(), HACK_REGULAR.to_vec()].into_iter();
        let count = |letters: &str| chosen(&letters.chars().collect(), fonts()).len();
        assert_eq!((count(""), count("aé"), count("\u{10fffd}")), (0, 1, 0));
        // Only the second has arrows of this kind.
        assert_eq!((count("\u{21dd}"), count("a\u{21dd}")), (1, 2));
    }

    #[test]
    fn fonts_are_found_in_folders_within_folders_by_their_endings() {
        let folder = tempfile::TempDir::new().unwrap();
        let deep = folder.path().join("truetype/more");
        fs::create_dir_all(&deep).unwrap();
        for name in ["b.TTF", "a.otf", "c.txt"] {
            fs::write(deep.join(name), "").unwrap();
        }
        let mut files = Vec::new();
        find(folder.path(), DEEPEST, &mut files);
        assert_eq!(files, [deep.join("a.otf"), deep.join("b.TTF")]);
        assert!(is_styled(Path::new("a/Sans-BoldItalic.ttf")) && !is_styled(Path::new("bold/Sans.ttf")));
    }
}
