//! The files of the session: those that change, and those that hold nothing for a while: what was heard plays on, and that is said.

use std::path::PathBuf;

use super::Playing;
use crate::arguments::Play;
use crate::load::Loaded;
use crate::status;
use crate::watch::News;

/// The files that are watched of a text that was loaded.
pub(super) fn watched(arguments: &Play, loaded: &Loaded) -> Vec<PathBuf> {
    let mut files = vec![arguments.session.clone()];
    files.extend(loaded.watched());
    files.sort();
    files.dedup();
    files
}

impl Playing<'_> {
    /// Something became of a file.
    pub(super) fn noticed(&mut self, news: News) {
        match news {
            News::Changed(changed) => {
                self.edited(&changed);
                self.showing.absent.retain(|file, _| self.watched.contains(file));
            }
            News::Gone { file, is_empty } => {
                let what = if is_empty { "is empty" } else { "is gone" };
                let said = format!("{} {what}: what played plays on", file.display());
                status::warning(&said);
                self.showing.absent.insert(file, said);
            }
            News::Back(file) => {
                status::say(format!("{} is back", file.display()));
                self.showing.absent.remove(&file);
            }
        }
    }
}
