//! A text that is written as a file: it appears under its name when it is whole, in place of what had it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::ending::Failure;

/// A text to be written. Dropped before that, it leaves nothing behind.
pub struct TextFile {
    path: PathBuf,
    file: NamedTempFile,
}

impl TextFile {
    /// Makes sure that it can be written.
    ///
    /// # Errors
    /// It cannot.
    pub fn create(path: PathBuf) -> Result<TextFile, Failure> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if path.is_dir() {
            return Err(failed(&path, "it is a folder"));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".").suffix(".part");
        // As any new file has it: the user's mask takes off what they do not want to share.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(|error| failed(&path, &error.to_string()))?;
        Ok(TextFile { path, file })
    }

    /// Writes the text, still under another name.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, text: &str) -> Result<(), Failure> {
        fs::write(self.file.path(), text).map_err(|error| failed(&self.path, &error.to_string()))
    }

    /// Gives it its name, and tells it.
    ///
    /// # Errors
    /// The name cannot be given.
    pub fn finish(self) -> Result<PathBuf, Failure> {
        let TextFile { path, file } = self;
        file.persist(&path).map_err(|error| failed(&path, &error.error.to_string()))?;
        Ok(path)
    }
}

fn failed(path: &Path, why: &str) -> Failure {
    Failure::Error(format!("{}: cannot be written: {why}", path.display()))
}
