//! The text against the session as it was in a git revision: both are measured ahead, and then heard in turn, as loud.

use std::cell::Cell;

use engine::graph::Graph;
use engine::math::gain_from_db;
use engine::measure::{Layout, Measurement};
use engine::offline::{Offline, Stream};
use scripting::SourceFile;

use super::typed::{Timed, in_time};
use super::{Origin, Playing};
use crate::load;
use crate::paint::Paint;
use crate::{revisions, status};

/// Seconds of sound, from where the transport is, whose loudness is compared.
const SECONDS: f64 = 15.0;

/// What it is compared with unless it is said.
const NEWEST: &str = "HEAD";

/// Another text beside the one that plays.
pub(super) struct Comparing {
    revision: String,
    files: Vec<SourceFile>,
    /// By how much it is turned in the monitor, in dB.
    trim: f64,
    /// Whether it is the one that is heard.
    is_heard: bool,
}

/// What was found of another text.
struct Measured {
    revision: String,
    files: Vec<SourceFile>,
    /// The loudness of the text that plays, and of the other, in LUFS; none where they are silent.
    loudness: [Option<f64>; 2],
}

impl Playing<'_> {
    /// Begins to compare with a revision, goes to and fro, or ends that.
    pub(super) fn compare(&mut self, revision: Option<String>) {
        match (revision.as_deref(), self.comparing.take()) {
            (Some("off"), None) => status::say("nothing is compared"),
            (Some("off"), Some(comparing)) => {
                if comparing.is_heard {
                    self.hear_text();
                }
                status::say("nothing is compared any more; the text plays");
            }
            (None, Some(comparing)) => {
                let to_other = !comparing.is_heard;
                self.comparing = Some(comparing);
                if to_other { self.hear_other() } else { self.hear_text() }
            }
            (revision, before) => {
                if before.is_some_and(|before| before.is_heard) {
                    self.hear_text();
                }
                self.measure(revision.unwrap_or(NEWEST).to_owned());
            }
        }
    }

    /// Measures the text of a revision beside the one that plays, on a thread of its own.
    fn measure(&mut self, revision: String) {
        let tempo = self.desk.mesh().tempo.clone();
        let own = self.text.again(&self.library, |session| {
            self.given.hold(session);
            tempo.clone()
        });
        let Some(own) = own.and_then(|loaded| loaded.graph) else {
            return status::error("the text that plays does not go together with its lines: nothing is compared");
        };
        let (library, given) = (self.library.clone(), self.given.clone());
        let (session, from) = (self.arguments.session.clone(), self.live.transport());
        status::say(format!("measuring {revision} beside the text, {SECONDS} s from here"));
        let work = move || {
            let files = revisions::texts_at(&session, &revision)?;
            let loaded = load::prepare_evaluated(scripting::evaluate_kept(&files), &library, |session| {
                given.hold(session);
                tempo
            });
            let told = loaded.told(Paint::stderr());
            let other = loaded.graph.ok_or_else(|| format!("the session of {revision} is not right:\n{told}"))?;
            let loudness = [loudness(&own, from)?, loudness(&other, from)?];
            Ok(Measured { revision, files, loudness })
        };
        self.aside(work, |playing, measured| playing.compared(measured));
    }

    /// Another text was measured: it is heard from now on.
    fn compared(&mut self, measured: Result<Measured, String>) {
        let Measured { revision, files, loudness } = match measured {
            Ok(measured) => measured,
            Err(why) => return status::error(format!("{why}; the text plays on")),
        };
        let trim = match loudness {
            [Some(own), Some(other)] => {
                let trim = own - other;
                let turned = if trim < 0.0 { "down" } else { "up" };
                status::say(format!(
                    "the text has {own:.1} LUFS here, {revision} {other:.1}: it is turned {turned} by {:.1} dB in the monitor",
                    trim.abs()
                ));
                trim
            }
            _ => {
                status::warning("one of them is silent here: they are compared as they are, not as loud as each other");
                0.0
            }
        };
        self.comparing = Some(Comparing { revision, files, trim, is_heard: false });
        self.hear_other();
    }

    /// Lets the other text be heard.
    fn hear_other(&mut self) {
        let Some(comparing) = &mut self.comparing else { return };
        let (at, now) = (Cell::new(None), Timed::default());
        let change = in_time(&self.given, &self.desk, &self.live, &now, &at);
        let loaded = load::prepare_evaluated(scripting::evaluate_kept(&comparing.files), &self.library, change);
        if loaded.graph.is_none() {
            let told = loaded.told(Paint::stderr());
            return status::error(format!(
                "{} cannot be heard any more: {told}; the text plays on",
                comparing.revision
            ));
        }
        comparing.is_heard = true;
        status::say(format!("{} is heard, and kept in the journal; `:ab` goes back to the text", comparing.revision));
        self.take_up(loaded, at.get(), Origin::Comparison);
    }

    /// Lets the text be heard again.
    fn hear_text(&mut self) {
        let (at, now) = (Cell::new(None), Timed::default());
        let change = in_time(&self.given, &self.desk, &self.live, &now, &at);
        let Some(loaded) = self.text.again(&self.library, change) else { return };
        self.comparing.iter_mut().for_each(|comparing| comparing.is_heard = false);
        status::say("the text is heard");
        self.take_up(loaded, at.get(), Origin::Text);
    }

    /// The text has changed, and is what is heard from now on.
    pub(super) fn end_comparison(&mut self) {
        if let Some(comparing) = self.comparing.as_mut().filter(|comparing| comparing.is_heard) {
            comparing.is_heard = false;
            status::say(format!("back from {} to the text", comparing.revision));
        }
    }

    /// By how much the monitor is turned for a text, linear.
    pub(super) fn trim(&self, origin: Origin) -> f64 {
        let trim = self.comparing.as_ref().map(|comparing| comparing.trim).filter(|_| origin == Origin::Comparison);
        gain_from_db(trim.unwrap_or(0.0))
    }
}

/// The integrated loudness of what a graph delivers from a frame of the transport on.
fn loudness(graph: &Graph, from: u64) -> Result<Option<f64>, String> {
    let mut offline = Offline::new(graph, None).map_err(|flaw| flaw.to_string())?;
    offline.locate(from);
    let channels = offline.outputs().first().copied().unwrap_or(0);
    let rate = graph.clock.rate;
    let mut measurement = Measurement::new(rate as u32, Layout::of(channels));
    let rendered = offline.render::<std::convert::Infallible>(
        (SECONDS * rate) as u64,
        |_| {},
        |stream, sound| {
            if stream == Stream::Output(0) {
                measurement.take(sound);
            }
            Ok(())
        },
    );
    let Ok(()) = rendered;
    Ok(measurement.figures().integrated)
}
