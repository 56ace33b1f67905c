//! `:save`: the lines of the prompt written into the session's file, or with it into another. What would be written is shown first,
//! and written when `:save` is typed once more.

use super::Playing;
use crate::file_edit::{Draft, Wanted};
use crate::status;
use crate::watch::Changed;

/// How far a `:save` is.
#[derive(Default)]
pub struct Saving {
    /// What was shown last.
    shown: Option<Draft>,
    /// Whether something is being written. The file that changes by that is not an edit.
    writing: bool,
    /// What has changed meanwhile.
    meanwhile: Vec<Changed>,
    /// What was written into the session's file, until it is heard that this has changed.
    written: Option<Vec<u8>>,
}

impl Playing<'_> {
    /// Shows what would be written, or writes what was shown.
    pub(super) fn save(&mut self, to: Option<String>) {
        let text = self.text.snapshot();
        if self.saving.writing {
            return status::say("it is being written already");
        }
        if to.is_none() && text.lines.is_empty() {
            return status::say("there are no lines to save: the file is the text");
        }
        let shown = self.saving.shown.take();
        if let Some(draft) = shown.filter(|draft| draft.wanted.to == to && draft.wanted.text == text) {
            return self.write_down(draft);
        }
        let session = self.arguments.session.clone();
        let wanted = Wanted { session, to, text, needs_folder: self.text.needs_folder() };
        self.aside_in_order(move || wanted.draft(), |playing, draft| playing.drafted(draft));
    }

    /// Shows what would be written, once that is thought out. What takes no other's place is written at once.
    fn drafted(&mut self, draft: Result<Draft, String>) {
        let draft = match draft {
            Ok(draft) => draft,
            Err(why) => return status::error(format!("not saved: {why}")),
        };
        if self.text.snapshot() != draft.wanted.text {
            return status::say("not saved: the text has changed meanwhile; type :save again");
        }
        if let Err(wrong) = draft.wanted.text.holding(&draft.text, &self.library, &self.given.in_time_of(&self.desk)) {
            wrong.show();
            return status::error("not saved: the lines cannot be said in a file");
        }
        if draft.is_new() {
            return self.write_down(draft);
        }
        let again = match &draft.wanted.to {
            Some(file) => format!(":save {file}"),
            None => ":save".into(),
        };
        let shown = draft.path.display();
        match &draft.difference {
            same if same.is_empty() && !draft.is_own => {
                return status::say(format!("{shown} says all that already: there is nothing to write"));
            }
            same if same.is_empty() => {
                status::say(format!("{shown} says all that already; {again} once more forgets the lines"))
            }
            difference => {
                status::show(difference);
                status::say(format!("{again} once more writes this into {shown}"));
            }
        }
        self.saving.shown = Some(draft);
    }

    fn write_down(&mut self, draft: Draft) {
        if draft.is_own && self.text.waits() {
            status::say("not saved: an edit of the file waits for its moment; type :save when it is heard");
            return;
        }
        let work = move || {
            let written = draft.write();
            (draft, written)
        };
        self.saving.writing = self.aside_in_order(work, |playing, (draft, written)| playing.wrote(&draft, written));
    }

    /// Something was written, or not.
    fn wrote(&mut self, draft: &Draft, written: Result<(), String>) {
        self.saving.writing = false;
        let shown = draft.path.display();
        match written {
            Err(why) => status::error(format!("not saved: {why}; nothing is lost, and what played plays on")),
            Ok(()) if draft.is_own => {
                self.saving.written = Some(draft.bytes());
                self.is_in_the_file(draft);
                status::say(format!("saved: the lines are in {shown} now, and cannot be taken back with :undo"));
            }
            Ok(()) => status::say(format!(
                "saved to {shown}; the lines stay, since {} plays",
                self.arguments.session.display()
            )),
        }
        for changed in std::mem::take(&mut self.saving.meanwhile) {
            self.edited(&changed);
        }
    }

    /// The lines are in the session's file: the text goes on without them, and sounds as it did.
    fn is_in_the_file(&mut self, draft: &Draft) {
        let loaded =
            self.text.saved(&draft.wanted.text.lines, &draft.text, &self.library, &self.given.in_time_of(&self.desk));
        // What waits for its moment is the same, said otherwise.
        if self.waiting.is_none() {
            self.accept(loaded, None);
        }
    }

    /// Whether a change of a file is no edit, but what was saved here; one that comes while something is written is looked at
    /// thereafter.
    pub(super) fn is_saved_here(&mut self, changed: &Changed) -> bool {
        if self.saving.writing {
            self.saving.meanwhile.push(changed.clone());
            return true;
        }
        let own = changed.file == self.arguments.session;
        let written = if own { self.saving.written.take() } else { None };
        written.is_some() && written == changed.content
    }
}
