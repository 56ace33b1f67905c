//! What instruments play, and the sounds that they play it with.

use std::path::{Path, PathBuf};

use super::Lowering;
use crate::diagnostic::{Diagnostic, Position};
use crate::form::Span;
use crate::names::nearest;
use crate::parameter::{Recipe, Table, Value};
use crate::pattern::{self, Pattern, Place, Ratio};
use crate::score::{Bars, MOST_HOLD, Reads, Score};
use crate::session::Source;
use crate::sources;
use crate::sources::{folder, midi_out};

/// A span in exact bars; none of one that has no such bars, which are too far off.
fn bars(span: &Span) -> Option<Bars> {
    Some(Bars { begin: Ratio::simplest(span.begin).ok()?, end: Ratio::simplest(span.end).ok()? })
}

/// The most files of a kit.
const MOST_SOUNDS: usize = 1000;

impl Lowering<'_> {
    /// What a source plays, if it is an instrument that has been given something.
    pub(super) fn score(&self, source: &Source, recipe: &Recipe) -> Result<Option<Score>, Diagnostic> {
        let table = source.table.0;
        let of = |name: &str| {
            let setting = &source.settings[table.index(name)?];
            let Value::Pattern(pattern) = &setting.value else { return None };
            Some((pattern, setting.at))
        };
        let Some((pattern, at)) = of("pattern") else { return Ok(None) };
        let reads = sources::reads(table, recipe);
        let sends = midi_out::is_midi_out(source);
        for (value, place) in pattern.values() {
            let read = reads.read(value);
            if let Some((pitch, _)) = read.filter(|(pitch, _)| sends && !(0.0..=127.0).contains(pitch)) {
                let at = self.written(place).unwrap_or(at);
                let message = format!("MIDI has no note {pitch}: `{value}` cannot be sent");
                return Err(
                    Diagnostic::error("unknown-note", at, message).help("its notes are 0 to 127, `c4` being 60")
                );
            }
            if read.is_none() {
                return Err(self.unplayable(value, &reads, table, self.written(place).unwrap_or(at)));
            }
        }
        for (name, most, range) in [("velocity", 1.0, "0 to 1"), ("hold", MOST_HOLD, "0 to 400 %")] {
            let Some((numbers, at)) = of(name) else { continue };
            for (value, place) in numbers.values() {
                let at = self.written(place).unwrap_or(at);
                let pattern::Value::Number(number) = value else {
                    let message = format!("`{name}` goes by numbers, and `{value}` is none");
                    return Err(Diagnostic::error("bad-pattern", at, message));
                };
                if !(0.0..=most).contains(number) {
                    let message = format!("`{name}` is {number}, outside its range");
                    return Err(Diagnostic::error("out-of-range", at, message).help(format!("expected {range}")));
                }
            }
        }
        let plain = |name: &str| of(name).map(|(pattern, _)| (**pattern).clone().unplaced());
        let pattern = (**pattern).clone().unplaced();
        let (velocity, hold) = (plain("velocity"), plain("hold"));
        // A slice is what was cut, unless somebody says how hard it is struck.
        let whole = || matches!(reads, Reads::Slices(_)).then(|| Pattern::value(pattern::Value::Number(1.0)));
        let velocity = velocity.or_else(whole);
        let spans = source.spans.as_ref().map(|spans| spans.iter().filter_map(bars).collect());
        Ok(Some(Score { pattern, velocity, hold, seed: recipe.seed, reads, spans }))
    }

    /// Where a part of a pattern is written, if it is written anywhere.
    fn written(&self, place: Place) -> Option<Position> {
        let text = self.session.texts.get(place.origin as usize)?;
        (place.begin < place.end).then(|| text.character(place.begin))
    }

    /// The error for a value that an instrument does not have.
    fn unplayable(&self, value: &pattern::Value, reads: &Reads, table: &Table, at: Position) -> Diagnostic {
        let word = table.word;
        let names = match reads {
            Reads::Sounds(names) => names,
            Reads::Notes => {
                let message = format!("`{value}` is no note that `{word}` could play");
                return Diagnostic::error("unknown-note", at, message)
                    .help("a note is a name such as `c4` or `f#3`, or its MIDI number");
            }
            Reads::Slices(count) => {
                let (message, last) = (format!("`{value}` is no number of a slice"), count.saturating_sub(1));
                return Diagnostic::error("unknown-sound", at, message)
                    .help(format!("slices are numbered from 0 to {last}, and begin again beyond: `{count}` is `0`"));
            }
        };
        let error = Diagnostic::error("unknown-sound", at, format!("`{word}` has no sound `{value}`"));
        let all = || names.iter().map(|named| named.name.as_str());
        match value {
            pattern::Value::Word { name, .. } if let Some(near) = nearest(name, all()) => {
                error.help(format!("did you mean `{near}`?"))
            }
            _ => error.help(format!("it has {}", all().collect::<Vec<_>>().join(", "))),
        }
    }

    /// The sound files of a folder, and of the folders in it, in the order of their paths: each with its path from there on.
    pub(super) fn files_of(&self, folder: &str, at: Position) -> Result<Vec<(String, PathBuf)>, Diagnostic> {
        let whole = self.session.folder.join(folder);
        let missing = |error: std::io::Error| {
            Diagnostic::error("missing-file", at, format!("the folder \"{folder}\" cannot be read: {error}"))
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&whole).map_err(missing)?.flatten() {
            let name = PathBuf::from(entry.file_name());
            let within = |inner: std::fs::ReadDir| inner.flatten().map(|entry| name.join(entry.file_name())).collect();
            files.extend(std::fs::read_dir(entry.path()).map_or_else(|_| vec![name.clone()], within));
        }
        files.retain(|file| folder::is_sound(file));
        files.sort();
        if files.is_empty() {
            let error = Diagnostic::error("missing-file", at, format!("there are no sound files in \"{folder}\""));
            return Err(error.help("a sound is a file, `bd.wav`, or a folder of files, `bd/`"));
        }
        if files.len() > MOST_SOUNDS {
            let message = format!("\"{folder}\" has {} sound files, and a kit at most {MOST_SOUNDS}", files.len());
            return Err(Diagnostic::error("too-large", at, message));
        }
        let named = |file: PathBuf| Some((Path::new(folder).join(&file).to_str()?.to_owned(), file));
        Ok(files.into_iter().filter_map(named).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Names;
    use crate::session::Session;
    use crate::tempo::Tempo;

    #[test]
    fn a_kit_has_the_files_of_its_folder_wherever_that_lies_and_however_it_is_written() {
        let outside = tempfile::TempDir::new().unwrap();
        let inside = outside.path().join(".work").join("song");
        let drums = inside.join("kd");
        for folder in ["sn", ".git"] {
            std::fs::create_dir_all(drums.join(folder)).unwrap();
        }
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        for name in ["bd.wav", "sn/a.wav", "._bd.wav", ".git/x.wav"] {
            let mut writer = hound::WavWriter::create(drums.join(name), spec).unwrap();
            (0..100).for_each(|i| writer.write_sample(i).unwrap());
            writer.finalize().unwrap();
        }
        let table = sources::find("kit").unwrap();
        let library = crate::media::Library::new();
        for (from, folder) in [
            (inside.clone(), "kd"),
            (inside.clone(), "./kd"),
            (inside.clone(), "../song/kd/"),
            (inside.join("."), "kd"),
            (inside.join("../song"), "./kd/../kd"),
            (drums.clone(), "."),
            (PathBuf::new(), drums.to_str().unwrap()),
        ] {
            let session = Session::new(from);
            let tempo = Tempo::new(session.clock());
            let lowering = Lowering::new(&session, Names::of(&session), &library, tempo);
            let mut source = Source::new(table, Position::default());
            source.settings[table.index("folder").unwrap()].value = Value::Path(folder.into());
            let (recipe, _) = lowering.recipe("k", table, &[(None, &source.settings)], &[]).expect(folder);
            let Reads::Sounds(names) = sources::reads(table, &recipe) else { panic!("a kit has sounds") };
            assert_eq!(names.iter().map(|named| &*named.name).collect::<Vec<_>>(), ["bd", "sn"], "{folder}");
            assert_eq!(recipe.files, [Path::new("bd.wav"), Path::new("sn/a.wav")], "{folder}");
            let opened = recipe.media.iter().map(|media| media.path().file_name().unwrap().to_str().unwrap());
            assert_eq!(opened.collect::<Vec<_>>(), ["bd.wav", "a.wav"], "{folder}");
        }
    }
}
