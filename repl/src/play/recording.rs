//! Recordings that begin and end while the desk plays.

use std::path::PathBuf;

use engine::live::Busy;
use engine::tap::What;

use super::Playing;
use crate::recorder::{Name, stem_names, take_name};
use crate::status;

impl Playing<'_> {
    /// Begins to record the master, or ends it.
    pub(super) fn record(&mut self, file: Option<PathBuf>) {
        let name = file.is_some();
        let file = file.unwrap_or_else(|| format!("{}-take.wav", self.called()).into());
        self.record_or_end(What::Master, "record", name, move |_| take_name(file));
    }

    /// Begins to record what flows into the master, or ends it.
    pub(super) fn record_stems(&mut self, dir: Option<PathBuf>) {
        let (name, what) = (dir.is_some(), What::Stems(self.recorders.stem_channels()));
        let dir = dir.unwrap_or_else(|| format!("{}-stems", self.called()).into());
        self.record_or_end(what, "stems", name, move |session| stem_names(dir, session));
    }

    fn record_or_end(&mut self, what: What, command: &str, named: bool, name: impl FnOnce(String) -> Name) {
        if named && self.recorders.is_under_way(what) {
            return status::error(format!("a recording is under way already, and goes on: `:{command}` ends it"));
        }
        if self.recorders.end(what) {
            return status::say("the recording ends here");
        }
        let recording = match self.live.record(what) {
            Ok(recording) => recording,
            Err(Busy) => return status::error("too much is recorded at once; type it again"),
        };
        let (name, rate) = (name(self.called()), self.given.rate);
        match self.recorders.begin(what, recording, name, rate, self.in_flight.is_some()) {
            Ok(()) => status::say(format!("the recording begins here; `:{command}` ends it")),
            Err(failure) => status::error(failure),
        }
    }

    /// What files of the session are called after.
    pub(super) fn called(&self) -> String {
        self.arguments.session.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}
