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
use crate::{costing, revisions, status};

/// Seconds of sound, from where the transport is, whose loudness is compared.
const SECONDS: f64 = 15.0;

/// What it is compared with unless it is said.
const NEWEST: &str = "HEAD";

/// The text beside another one.
#[derive(Default)]
pub(super) struct Comparing {
    /// Counts what was asked for: what is measured of an earlier wish is not wanted any more.
    asked: u64,
    is_measured: bool,
    other: Option<Other>,
}

/// Another text beside the one that plays.
struct Other {
    revision: String,
    files: Vec<SourceFile>,
    /// By how much the text and this one are turned down in the monitor, in dB: one of them not at all.
    trims: [f64; 2],
    /// Whether it is the one that is heard.
    is_heard: bool,
    /// Whether the text is another by now than the one that was measured.
    is_stale: bool,
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
        let comparing = &mut self.comparing;
        let measured = std::mem::take(&mut comparing.is_measured);
        comparing.asked += 1;
        let known = comparing.other.as_ref().map(|other| (other.is_heard, other.is_stale, other.revision.clone()));
        match (revision.as_deref(), known) {
            (Some("off"), None) if measured => status::say("it is not compared"),
            (Some("off"), None) => status::say("nothing is compared"),
            (Some("off"), Some((is_heard, ..))) => {
                comparing.other = None;
                if is_heard {
                    self.hear_text();
                }
                status::say("nothing is compared any more");
            }
            (None, Some((true, ..))) => self.hear_text(),
            (None, Some((false, false, _))) => self.hear_other(),
            (None, Some((false, true, revision))) => self.measure(revision),
            (revision, known) => {
                if known.is_some_and(|(is_heard, ..)| is_heard) {
                    self.hear_text();
                }
                self.measure(revision.unwrap_or(NEWEST).to_owned());
            }
        }
    }

    /// Measures the text of a revision beside the one that plays, on a thread of its own.
    fn measure(&mut self, revision: String) {
        let Some(own) = self.as_it_stands().and_then(|loaded| loaded.graph) else {
            return status::error("the text that plays does not go together with its lines: nothing is compared");
        };
        let (library, given, tempo) = (self.library.clone(), self.given.clone(), self.desk.mesh().tempo.clone());
        let (session, from) = (self.arguments.session.clone(), self.live.transport());
        status::say(format!("measuring {revision} beside the text, {SECONDS} s from here"));
        let work = move || {
            let files = revisions::texts_at(&session, &revision)?;
            costing::step_back();
            let loaded = load::load_played(&files, &library, |session| {
                given.hold(session);
                tempo
            });
            let told = loaded.told(Paint::stderr());
            let other = loaded.graph.ok_or_else(|| format!("the session of {revision} is not right:\n{told}"))?;
            let loudness = [loudness(&own, from)?, loudness(&other, from)?];
            Ok(Measured { revision, files, loudness })
        };
        let asked = self.comparing.asked;
        self.comparing.is_measured = self.aside(work, move |playing, measured| {
            if playing.comparing.asked == asked {
                playing.compared(measured);
            }
        });
    }

    /// Another text was measured: it is heard from now on.
    fn compared(&mut self, measured: Result<Measured, String>) {
        self.comparing.is_measured = false;
        let Measured { revision, files, loudness } = match measured {
            Ok(measured) => measured,
            Err(why) => return status::error(format!("{why}; the text plays on")),
        };
        let trims = match loudness {
            [Some(own), Some(other)] => {
                // Nothing is turned up: what is loud already would meet the ceiling.
                let trims = [(other - own).min(0.0), (own - other).min(0.0)];
                let turned = if trims[1] < 0.0 { revision.as_str() } else { "the text" };
                status::say(format!(
                    "the text has {own:.1} LUFS here, {revision} {other:.1}: {turned} is turned down by {:.1} dB in the monitor",
                    (own - other).abs()
                ));
                trims
            }
            _ => {
                status::warning("one of them is silent here: they are compared as they are, not as loud as each other");
                [0.0; 2]
            }
        };
        self.comparing.other = Some(Other { revision, files, trims, is_heard: false, is_stale: false });
        self.hear_other();
    }

    /// Lets the other text be heard.
    fn hear_other(&mut self) {
        if self.waiting.is_some() {
            return status::say("an edit waits for its moment: type `:ab` when it is heard");
        }
        let Some(comparing) = &mut self.comparing.other else { return };
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
        self.comparing.other.iter_mut().for_each(|other| other.is_heard = false);
        status::say("the text is heard");
        self.take_up(loaded, at.get(), Origin::Text);
    }

    /// The text has changed, and is what is heard from now on, as loud as it is.
    pub(super) fn end_comparison(&mut self) {
        if std::mem::take(&mut self.comparing.is_measured) {
            self.comparing.asked += 1;
            status::say("the text has changed while it was measured: type `:ab` again");
        }
        self.waiting.take_if(|waiting| waiting.origin == Origin::Comparison);
        let Some(other) = &mut self.comparing.other else { return };
        other.is_stale = true;
        if std::mem::take(&mut other.is_heard) {
            status::say(format!("back from {} to the text", other.revision));
        }
    }

    /// By how much the monitor is turned for a text, linear.
    pub(super) fn trim(&self, origin: Origin) -> f64 {
        let other = self.comparing.other.as_ref().filter(|other| !other.is_stale);
        gain_from_db(other.map_or(0.0, |other| other.trims[usize::from(origin == Origin::Comparison)]))
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
