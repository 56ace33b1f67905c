//! A session as it was in a git revision: what `git` says of its file, and of all that it imports.

use std::path::Path;
use std::process::Command;

use scripting::SourceFile;

/// The most files that a session is made from.
const MOST_FILES: usize = 200;

/// The texts of a session as they were in a revision, its own file first. Sound files are not looked at: they are as they are now.
///
/// # Errors
/// There is no git, no repository, no such revision, or the file was not in it: in words.
pub fn texts_at(session: &Path, revision: &str) -> Result<Vec<SourceFile>, String> {
    let folder = session.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let commit = commit(folder, revision)?;
    let read = |path: &Path| {
        let within = path.strip_prefix(folder).unwrap_or(path);
        let object = format!("{commit}:./{}", within.to_string_lossy());
        let text =
            git(folder, &["show", &object]).map_err(|_| format!("{} was not in {revision}", within.display()))?;
        Ok::<SourceFile, String>(SourceFile { path: path.to_owned(), text, is_line: false })
    };
    let mut files = vec![read(session)?];
    while files.len() < MOST_FILES {
        // What it imports and could not find yet is told among its files.
        let tried = scripting::evaluate_kept(&files).files;
        let missing = tried.iter().find(|file| files.iter().all(|known| known.path != file.path));
        let Some(missing) = missing else { break };
        files.push(read(&missing.path)?);
    }
    Ok(files)
}

/// The commit that a revision means.
fn commit(folder: &Path, revision: &str) -> Result<String, String> {
    let wanted = format!("{revision}^{{commit}}");
    let found = git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]);
    let hash = found.map_err(|error| match error {
        Git::Absent(why) => format!("git cannot be run: {why}"),
        Git::Refused if git(folder, &["rev-parse", "--git-dir"]).is_err() => {
            format!("{} is in no git repository", folder.display())
        }
        Git::Refused => format!("git knows no revision `{revision}`"),
    })?;
    Ok(hash.trim().to_owned())
}

/// Why git gave nothing.
enum Git {
    Absent(std::io::Error),
    Refused,
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, Git> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().map_err(Git::Absent)?;
    match output.status.success() {
        true => String::from_utf8(output.stdout).map_err(|_| Git::Refused),
        false => Err(Git::Refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn run(folder: &Path, arguments: &[&str]) {
        let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let all: Vec<&str> = who.into_iter().chain(arguments.iter().copied()).collect();
        assert!(git(folder, &all).is_ok(), "{arguments:?}");
    }

    #[test]
    fn a_session_comes_with_all_that_it_imported_then() {
        let folder = tempfile::tempdir().expect("there is room");
        let (path, session) = (folder.path(), folder.path().join("session.rhai"));
        let write = |name: &str, text: &str| fs::write(path.join(name), text).expect("there is room");
        let texts =
            |revision: &str| texts_at(&session, revision).map(|files| files.into_iter().map(|f| f.text).collect());
        write("session.rhai", "import \"strips\" as strips;\ninput(\"a\", sine(1)) >> strips::s() >> master;");
        write("strips.rhai", "import \"deep\" as deep; fn s() { fader(deep::level()) }");
        write("deep.rhai", "fn level() { -3 }");
        assert!(texts("HEAD").is_err_and(|why: String| why.contains("no git repository")));
        run(path, &["init", "-q"]);
        run(path, &["add", "."]);
        run(path, &["commit", "-q", "-m", "one"]);
        write("deep.rhai", "fn level() { -6 }");
        fs::remove_file(path.join("strips.rhai")).expect("it was there");
        run(path, &["add", "-A"]);
        run(path, &["commit", "-q", "-m", "two"]);
        let before: Vec<String> = texts("HEAD~1").expect("it is there");
        assert_eq!(before.len(), 3);
        assert_eq!(before[2], "fn level() { -3 }");
        assert!(texts("HEAD").is_err_and(|why: String| why.contains("strips.rhai was not in HEAD")));
        assert!(texts("nothing").is_err_and(|why: String| why.contains("no revision `nothing`")));
        assert!(texts("--all").is_err());
        assert!(
            texts_at(&path.join("other.rhai"), "HEAD").is_err_and(|why| why.contains("other.rhai was not in HEAD"))
        );
    }
}
