//! Scenes: lists of prompt lines kept beside a session, `first.scenes/chorus.rhai` for `first.rhai`, one statement after another
//! as a person would write them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use engine::delivery::Whole;
use engine::names::nearest;
use scripting::{SourceFile, typing};

use crate::paint::Paint;

/// The longest scene, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// A scene as its file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Its name.
    pub name: String,
    /// The file, as it is told of.
    pub file: PathBuf,
    /// Its statements, each with its line in the file.
    pub statements: Vec<(u32, String)>,
}

/// The folder of a session's scenes.
pub fn folder(session: &Path) -> PathBuf {
    session.with_extension("scenes")
}

/// The file of a scene.
///
/// # Errors
/// The name is none: as names of inputs and buses are, it has letters, digits, `_`, `-` and spaces between them.
fn file(session: &Path, name: &str) -> Result<PathBuf, String> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    match name.trim() == name && !name.is_empty() && name.chars().all(fits) {
        true => Ok(folder(session).join(format!("{name}.rhai"))),
        false => {
            Err(format!("`{name}` is no name for a scene: it has letters, digits, `_`, `-` and spaces between them"))
        }
    }
}

/// The names of a session's scenes, in order.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let scripts = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "rhai"));
    let mut names: Vec<String> = scripts
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|n| !n.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// Keeps lines under a name, whole or not at all; what to say of it.
///
/// # Errors
/// The name is none, or the file cannot be written: in words.
pub fn keep(session: &Path, name: &str, lines: &[String]) -> Result<String, String> {
    let file = file(session, name)?;
    let statements = |line: &String| match typing::statements(line) {
        Some(statements) => statements.into_iter().map(|(_, statement)| statement + ";\n").collect(),
        None => format!("{line}\n"),
    };
    let text: String = lines.iter().map(statements).collect();
    let failed = |why: String| format!("the scene `{name}` is not kept: {why}");
    let there = file.exists();
    fs::create_dir_all(folder(session)).map_err(|error| failed(format!("{}: {error}", folder(session).display())))?;
    Whole::of_bytes(&file, text.as_bytes()).and_then(Whole::publish).map_err(|error| failed(error.to_string()))?;
    let count = match lines.len() {
        0 => "no lines: the file alone".into(),
        1 => "1 line".into(),
        count => format!("{count} lines"),
    };
    let instead = if there { ", in place of what it was" } else { "" };
    Ok(format!("scene `{name}` is kept in {}: {count}{instead}", file.display()))
}

/// The scenes there are, in words.
pub fn list(session: &Path) -> String {
    match names(&folder(session)).as_slice() {
        [] => "there are no scenes yet: `:scene NAME` keeps the lines of the prompt as one".into(),
        names => names.join("\n"),
    }
}

/// Reads a scene.
///
/// # Errors
/// There is none of that name, or what its file says does not end: in words, with the place.
pub fn read(session: &Path, name: &str) -> Result<Scene, String> {
    let file = file(session, name)?;
    let shown = file.display();
    let about = fs::metadata(&file).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let names = names(&folder(session));
            let near = nearest(name, names.iter().map(String::as_str));
            let help = near.map_or("`:scene` lists those there are".into(), |near| format!("did you mean `{near}`?"));
            format!("there is no scene `{name}`; {help}")
        }
        _ => format!("{shown}: {error}"),
    })?;
    if !about.is_file() || about.len() > MOST_BYTES {
        return Err(format!("{shown} is no scene: a scene is a file of at most 1 MiB"));
    }
    let text = fs::read_to_string(&file).map_err(|error| format!("{shown}: {error}"))?;
    match typing::statements(&text) {
        Some(statements) => Ok(Scene { name: name.to_owned(), file, statements }),
        None => {
            let files = [SourceFile { path: file.clone(), text: text.clone(), is_line: false }];
            let told = scripting::evaluate_text(&file, &text).diagnostics;
            let wrong = told.iter().find(|one| one.is_error());
            let wrong = wrong.map(|one| scripting::report::render(one, &files, Paint::stderr().is_on()));
            Err(format!("{shown} does not end by itself\n{}", wrong.unwrap_or_default().trim_end()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_listed() {
        let place = tempfile::tempdir().unwrap();
        let session = place.path().join("first.rhai");
        assert!(list(&session).contains("no scenes yet"));
        let lines =
            ["voice >> fader(-3) >> band", "mute(\"x\"); // for now", "a >>\n b", "solo(a); tempo(90) // and this"];
        let lines = lines.map(str::to_owned);
        assert!(keep(&session, "big chorus", &lines).unwrap().ends_with("first.scenes/big chorus.rhai: 4 lines"));
        assert!(keep(&session, "verse_2", &[]).unwrap().ends_with("no lines: the file alone"));
        assert!(keep(&session, "verse_2", &lines[..1]).unwrap().ends_with("1 line, in place of what it was"));
        assert_eq!(list(&session), "big chorus\nverse_2");
        let scene = read(&session, "big chorus").unwrap();
        let said: Vec<&str> = scene.statements.iter().map(|(_, said)| said.as_str()).collect();
        assert_eq!(said, ["voice >> fader(-3) >> band", "mute(\"x\")", "a >>\n b", "solo(a)", "tempo(90)"]);
        assert_eq!(scene.statements.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 3, 5, 6]);
    }

    #[test]
    fn a_name_that_is_none_a_scene_that_is_not_there_and_one_that_does_not_end_are_told() {
        let place = tempfile::tempdir().unwrap();
        let session = place.path().join("first.rhai");
        for name in ["../up", "a/b", "", ".hidden", "a.b", " a"] {
            assert!(keep(&session, name, &[]).unwrap_err().contains("is no name for a scene"), "{name}");
            assert!(read(&session, name).is_err());
        }
        assert!(!folder(&session).exists());
        keep(&session, "verse", &[]).unwrap();
        assert!(read(&session, "vers").unwrap_err().contains("did you mean `verse`?"));
        fs::write(folder(&session).join("verse.rhai"), "tempo(90);\na >> fader(\n").unwrap();
        let why = read(&session, "verse").unwrap_err();
        assert!(why.contains("verse.rhai") && why.contains(":2:"), "{why}");
        fs::write(folder(&session).join("verse.rhai"), [0xff, 0xfe]).unwrap();
        assert!(read(&session, "verse").unwrap_err().contains("verse.rhai"));
    }

    #[cfg(unix)]
    #[test]
    fn a_scene_that_cannot_be_kept_leaves_what_was_there() {
        let place = tempfile::tempdir().unwrap();
        let session = place.path().join("first.rhai");
        fs::write(folder(&session), "a file where the folder should be").unwrap();
        assert!(keep(&session, "verse", &[]).unwrap_err().contains("is not kept"));
    }
}
