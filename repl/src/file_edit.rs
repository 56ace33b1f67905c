//! A file to be written anew with the lines of the prompt in it: what it would say, how that differs from what it says, and the
//! writing, which is done as a whole or not at all.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use similar::{ChangeTag, TextDiff};
use tempfile::NamedTempFile;

use crate::last_good::home;
use crate::paint::Paint;
use crate::text::Snapshot;

/// What some editors put before a text.
const MARK: &str = "\u{feff}";

/// The largest file that is looked at, as large as a session can be.
const MOST_BYTES: u64 = 1 << 20;

/// How long the way from one text to the other may be looked for: then it is told less briefly.
const PATIENCE: Duration = Duration::from_millis(500);

/// Lines that are shown around those that change.
const AROUND: usize = 1;

/// What is wanted of a `:save`.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The session's file.
    pub session: PathBuf,
    /// Another file, as it was typed.
    pub to: Option<String>,
    /// What is to be written.
    pub text: Snapshot,
    /// Whether the session needs files beside its own.
    pub needs_folder: bool,
}

/// What a file would be.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What was wanted.
    pub wanted: Wanted,
    /// The file, links followed.
    pub path: PathBuf,
    /// Whether that is the session's own.
    pub is_own: bool,
    /// What it would say.
    pub text: String,
    /// What it holds now; nothing if it is not there.
    holds: Option<Vec<u8>>,
    /// The lines that would change, `-` before those that go and `+` before those that come; empty if none does.
    pub difference: String,
}

impl Wanted {
    /// Thinks out what would be written, and whether it may be.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn draft(self) -> Result<Draft, String> {
        let own = self.session.canonicalize().ok();
        let target = self.to.as_ref().map(PathBuf::from);
        let path = match &target {
            None => own.clone().ok_or_else(|| format!("{} is not there any more", self.session.display()))?,
            Some(file) => followed(file)?,
        };
        let is_own = own.is_some_and(|own| own == path);
        let holds = holds(&path)?;
        let shown = path.display();
        if is_own {
            let now = holds.as_deref().and_then(|bytes| str::from_utf8(bytes).ok());
            if now.map(|text| text.strip_prefix(MARK).unwrap_or(text)) != Some(self.text.file()) {
                return Err(format!(
                    "{shown} holds another text than the one that plays, newer or wrong: mend it, or save elsewhere with `:save FILE`"
                ));
            }
        } else if self.needs_folder {
            let folder = |file: &Path| home(file).canonicalize();
            let (own, other) = (folder(&self.session), folder(&path));
            if own.is_err() || own.ok() != other.ok() {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                return Err(format!(
                    "sound files and imports are looked for beside the session: save to {}",
                    home(&self.session).join(&*name).display()
                ));
            }
        }
        let text = scripting::fold(&self.text.files, &self.text.lines)?;
        let now = holds.as_deref().map(str::from_utf8).transpose();
        let now = now.map_err(|_| format!("{shown} is no text: save to another file"))?.unwrap_or_default();
        let difference = difference(now.strip_prefix(MARK).unwrap_or(now), &text, Paint::stderr());
        Ok(Draft { path, is_own, text, difference, wanted: self, holds })
    }
}

/// What a file holds; nothing if it is not there.
fn holds(path: &Path) -> Result<Option<Vec<u8>>, String> {
    if fs::metadata(path).is_ok_and(|about| about.len() > MOST_BYTES || !about.is_file()) {
        return Err(format!("{} is no session: save to another file", path.display()));
    }
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// A file as it was typed, from the folder that the shell is in, with links followed.
fn followed(file: &Path) -> Result<PathBuf, String> {
    match file.canonicalize() {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if file.symlink_metadata().is_ok() {
                return Err(format!("{} is a link that leads nowhere", file.display()));
            }
            if file.file_name().is_none() || file.as_os_str().to_string_lossy().ends_with(std::path::MAIN_SEPARATOR) {
                return Err(format!("{} is no name for a file", file.display()));
            }
            Ok(file.to_owned())
        }
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

/// The lines in which a text differs from what is there.
fn difference(now: &str, then: &str, paint: Paint) -> String {
    let difference = TextDiff::configure().timeout(PATIENCE).diff_lines(now, then);
    let mut shown = String::new();
    for (number, group) in difference.grouped_ops(AROUND).iter().enumerate() {
        if number > 0 {
            shown += "  ...\n";
        }
        for change in group.iter().flat_map(|op| difference.iter_changes(op)) {
            let line = change.value().trim_end_matches(['\r', '\n']);
            shown += &match change.tag() {
                ChangeTag::Delete => paint.red(format!("- {line}")),
                ChangeTag::Insert => paint.green(format!("+ {line}")),
                ChangeTag::Equal => format!("  {line}"),
            };
            shown.push('\n');
        }
    }
    shown
}

impl Draft {
    /// Whether nothing is there yet.
    pub fn is_new(&self) -> bool {
        self.holds.is_none()
    }

    /// What it would hold.
    pub fn bytes(&self) -> Vec<u8> {
        let marked = self.is_own && self.holds.as_ref().is_some_and(|bytes| bytes.starts_with(MARK.as_bytes()));
        format!("{}{}", if marked { MARK } else { "" }, self.text).into_bytes()
    }

    /// Writes it: beside its name first, which it is given when it is whole and on the disk. Who may read it stays as it is.
    ///
    /// # Errors
    /// Why it cannot be, in words; what was there is there.
    pub fn write(&self) -> Result<(), String> {
        let shown = self.path.display();
        if holds(&self.path)? != self.holds {
            return Err(format!("{shown} has changed since it was shown: type :save again"));
        }
        let failed = |error: std::io::Error| format!("{shown} cannot be written: {error}");
        let mut file = beside(&self.path).map_err(failed)?;
        if self.holds.is_some() {
            let permissions: Permissions = fs::metadata(&self.path).map_err(failed)?.permissions();
            if permissions.readonly() {
                return Err(format!("{shown} may not be written: it is read-only"));
            }
            file.as_file().set_permissions(permissions).map_err(failed)?;
        }
        file.write_all(&self.bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        match self.holds {
            Some(_) => file.persist(&self.path),
            None => file.persist_noclobber(&self.path),
        }
        .map(drop)
        .map_err(|error| failed(error.error))
    }
}

/// A file beside another's name, to be given that name when it is whole; who may read it is as the user has it of new files.
pub fn beside(file: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(home(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scripting::SourceFile;
    use tempfile::TempDir;

    const TEXT: &str = "let a = input(\"a\", sine(220));\na >> fader(-6) >> master; // loud\n";

    fn wanted(session: &Path, to: Option<&Path>, lines: &[&str]) -> Wanted {
        let files = vec![SourceFile { path: session.to_owned(), text: TEXT.into(), is_line: false }];
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let to = to.map(|to| to.to_str().unwrap().to_owned());
        Wanted { session: session.to_owned(), to, text: Snapshot { files, lines }, needs_folder: false }
    }

    fn place() -> (TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let session = place.path().join("s.rhai");
        fs::write(&session, TEXT).unwrap();
        (place, session)
    }

    #[test]
    fn what_would_change_is_shown_and_then_written() {
        let (_place, session) = place();
        let draft = wanted(&session, None, &["set(\"a/fader.gain\", -3)", "mute(a)"]).draft().unwrap();
        assert_eq!(
            draft.difference,
            "  let a = input(\"a\", sine(220));\n- a >> fader(-6) >> master; // loud\n+ a >> fader(-3) >> master; // loud\n+ mute(a);\n"
        );
        assert_eq!(fs::read_to_string(&session).unwrap(), TEXT);
        draft.write().unwrap();
        assert_eq!(fs::read_to_string(&session).unwrap(), TEXT.replace("-6", "-3") + "mute(a);\n");
    }

    #[test]
    fn a_mark_at_the_beginning_stays() {
        let (_place, session) = place();
        fs::write(&session, format!("{MARK}{TEXT}")).unwrap();
        wanted(&session, None, &["mute(a)"]).draft().unwrap().write().unwrap();
        assert_eq!(fs::read_to_string(&session).unwrap(), format!("{MARK}{TEXT}mute(a);\n"));
    }

    #[test]
    fn a_file_that_is_not_what_plays_is_not_written() {
        let (_place, session) = place();
        let draft = wanted(&session, None, &["mute(a)"]).draft().unwrap();
        fs::write(&session, "// newer\n").unwrap();
        assert!(draft.write().unwrap_err().contains("has changed since it was shown"));
        assert!(wanted(&session, None, &["mute(a)"]).draft().unwrap_err().contains("newer or wrong"));
        assert_eq!(fs::read_to_string(&session).unwrap(), "// newer\n");
        fs::remove_file(&session).unwrap();
        assert!(wanted(&session, None, &["mute(a)"]).draft().is_err());
        assert!(draft.write().is_err() && !session.exists());
    }

    #[test]
    fn another_file_is_new_or_shown_and_may_not_lie_where_its_sounds_are_not() {
        let (place, session) = place();
        let other = place.path().join("other.rhai");
        let draft = wanted(&session, Some(&other), &["mute(a)"]).draft().unwrap();
        assert!(draft.is_new() && !draft.is_own);
        draft.write().unwrap();
        assert!(draft.write().unwrap_err().contains("has changed"), "by now there is one");
        let again = wanted(&session, Some(&other), &["mute(a)", "tempo(90)"]).draft().unwrap();
        assert!(!again.is_new() && again.difference.contains("+ tempo(90);"));
        assert_eq!(fs::read_to_string(&session).unwrap(), TEXT);
        assert!(wanted(&session, Some(&place.path().join("./s.rhai")), &[]).draft().unwrap().is_own);

        fs::create_dir(place.path().join("sub")).unwrap();
        let below = place.path().join("sub/other.rhai");
        let needs = Wanted { needs_folder: true, ..wanted(&session, Some(&below), &[]) };
        assert!(needs.draft().unwrap_err().contains("beside the session"));
        assert!(wanted(&session, Some(&below), &[]).draft().is_ok());
        for wrong in ["sub", "sub/", "nowhere/", "nowhere/x.rhai"] {
            let draft = wanted(&session, Some(&place.path().join(wrong)), &[]).draft();
            assert!(draft.and_then(|draft| draft.write()).is_err(), "{wrong}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (place, session) = place();
        fs::set_permissions(&session, Permissions::from_mode(0o640)).unwrap();
        let link = place.path().join("link.rhai");
        symlink(&session, &link).unwrap();
        wanted(&link, None, &["mute(a)"]).draft().unwrap().write().unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&session).unwrap(), format!("{TEXT}mute(a);\n"));
        assert_eq!(fs::metadata(&session).unwrap().permissions().mode() & 0o777, 0o640);
        fs::write(&session, TEXT).unwrap();
        fs::set_permissions(&session, Permissions::from_mode(0o440)).unwrap();
        assert!(wanted(&link, None, &["mute(a)"]).draft().unwrap().write().unwrap_err().contains("read-only"));
        assert_eq!(fs::read_to_string(&session).unwrap(), TEXT);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2, "nothing is left behind");
    }
}
