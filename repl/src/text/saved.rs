//! The text once its lines are in its file.

use engine::media::Library;
use engine::session::Session;
use engine::tempo::Tempo;
use scripting::SourceFile;

use super::{Text, evaluated, with_lines, without_lines};
use crate::load::{self, Loaded};

/// A text as it was at a moment: its files, the session's first, and the lines behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The files.
    pub files: Vec<SourceFile>,
    /// The lines.
    pub lines: Vec<String>,
}

impl Snapshot {
    /// The session's file as it was taken.
    pub fn file(&self) -> &str {
        self.files.first().map_or("", |file| &file.text)
    }

    /// What it declares with more lines behind it, however busy the machine is: it has played.
    pub fn followed_by(&self, more: &[String]) -> scripting::Evaluated {
        let lines: Vec<String> = self.lines.iter().chain(more).cloned().collect();
        scripting::evaluate_played(&with_lines(&self.files, &lines))
    }

    /// The same with another text in the session's file, and without lines.
    ///
    /// # Errors
    /// What is wrong with that.
    pub fn holding(
        &self,
        text: &str,
        library: &Library,
        change: &dyn Fn(&mut Session) -> Tempo,
    ) -> Result<Loaded, Box<Loaded>> {
        let mut files = self.files.clone();
        files.iter_mut().take(1).for_each(|file| text.clone_into(&mut file.text));
        let loaded = load::prepare_evaluated(evaluated(&files, &[]), library, change);
        if loaded.graph.is_some() { Ok(loaded) } else { Err(Box::new(loaded)) }
    }
}

impl Text {
    /// The text as it stands.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { files: self.files.clone(), lines: self.lines.as_slice().to_vec() }
    }

    /// Whether it needs files beside its own: imports, or sounds.
    pub fn needs_folder(&self) -> bool {
        self.files.len() > 1 || !load::media_of(self.known.session().0).is_empty()
    }

    /// Whether an edit of the file waits for its moment.
    pub fn waits(&self) -> bool {
        self.heard.as_ref().is_some_and(|(files, _)| *files != self.files)
    }

    /// The lines of a snapshot are in the file by now, which says `text`. What was typed before cannot be taken back any more.
    pub fn saved(
        &mut self,
        lines: &[String],
        text: &str,
        library: &Library,
        change: &dyn Fn(&mut Session) -> Tempo,
    ) -> Loaded {
        self.files.iter_mut().take(1).for_each(|file| text.clone_into(&mut file.text));
        self.lines.take_out(lines);
        self.past.clear();
        self.future.clear();
        let loaded = self.anew(library, change);
        if loaded.graph.is_some() {
            self.files = without_lines(&loaded);
        }
        loaded
    }
}
