//! What the figures say of an edit: the text is rendered for a few seconds, and held to what a step wants.

use std::collections::BTreeMap;

use engine::diagnostic::Position;
use engine::expect::{Bound, Expectation};
use engine::media::Library;
use engine::tempo::Tempo;

use super::lesson::Goal;
use crate::arguments::LiveInput;
use crate::expectations::{Verdict, judge};
use crate::live_input::LiveInputs;
use crate::load;
use crate::text::Snapshot;

/// How much of a text is listened to, in bars.
pub const LISTENED: f64 = 2.0;

/// What may follow a figure, and what follows it where that is less than nothing.
const OPPOSITES: [(&str, &str); 3] = [(" over ", " under "), (" under ", " over "), (" louder than ", " softer than ")];

/// What was found of a goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In words.
    pub told: String,
    /// Whether it is reached.
    pub reached: bool,
}

/// Holds a text to goals, and tells how far it is from each.
///
/// # Errors
/// The text cannot be rendered, or has nothing any more that a goal speaks of: in words.
pub fn look(text: &Snapshot, goals: &[Goal], library: &Library) -> Result<Vec<Found>, String> {
    let wanted: Vec<String> = goals.iter().map(|goal| goal.expects.clone()).collect();
    let before = text.lines.len();
    let loaded = load::prepare_evaluated(text.followed_by(&wanted), library, |session| Tempo::new(session.pace()));
    let own = |at: Position| usize::from(at.file).checked_sub(before + 1).filter(|goal| *goal < goals.len());
    let (Some(graph), Some(session)) = (&loaded.graph, &loaded.session) else {
        let errors = loaded.diagnostics.iter().filter(|one| one.is_error());
        let missing: Option<BTreeMap<usize, &str>> =
            errors.map(|error| Some((own(error.at)?, error.message.as_str()))).collect();
        let missing = missing.filter(|missing| !missing.is_empty()).ok_or_else(|| loaded.why())?;
        return without(text, goals, &missing, library);
    };
    let expectations: Vec<Expectation> =
        session.expectations.iter().filter(|expected| own(expected.at).is_some()).cloned().collect();
    let frames = graph.tempo.frame_of_bar(LISTENED).round() as u64;
    let judged = LiveInputs::new(session, &[LiveInput::Silence(None)], library)
        .and_then(|mut inputs| judge(graph, &expectations, &mut inputs, frames.into(), |_| Ok(())));
    let verdicts = judged.map_err(|failure| failure.to_string())?;
    Ok(verdicts.iter().filter_map(|verdict| Some(goals[own(verdict.expected.at)?].found(verdict))).collect())
}

/// The same for a text that does not have what some goals speak of.
fn without(
    text: &Snapshot,
    goals: &[Goal],
    missing: &BTreeMap<usize, &str>,
    library: &Library,
) -> Result<Vec<Found>, String> {
    let rest = goals.iter().enumerate().filter(|(i, _)| !missing.contains_key(i));
    let rest: Vec<Goal> = rest.map(|(_, goal)| goal.clone()).collect();
    let found = if rest.is_empty() { Vec::new() } else { look(text, &rest, library)? };
    let mut found = found.into_iter();
    let one = |(i, goal): (usize, &Goal)| match missing.get(&i) {
        Some(why) => Some(goal.is_missing(why)),
        None => found.next(),
    };
    Ok(goals.iter().enumerate().filter_map(one).collect())
}

impl Goal {
    /// What is said while the text does not have what it speaks of.
    fn is_missing(&self, why: &str) -> Found {
        Found { told: format!("{}: not yet, {why}", self.plain()), reached: false }
    }

    /// What it says without a figure.
    fn plain(&self) -> String {
        self.says.split(" ...").next().unwrap_or(&self.says).trim_end_matches(" at").to_owned()
    }

    /// The word behind its figure, and the one of the opposite, if a figure is less than nothing: so much over is so much less under.
    fn turned(&self, figure: &str) -> Option<(&'static str, &'static str)> {
        let (_, after) = self.says.split_once("...")?;
        let is_less = figure.starts_with('-') && figure.contains(|letter: char| ('1'..='9').contains(&letter));
        OPPOSITES.into_iter().find(|(word, _)| is_less && after.starts_with(word))
    }

    /// What it says with a figure.
    fn says_with(&self, figure: &str) -> String {
        let Some((before, after)) = self.says.split_once("...") else { return format!("{}: {figure}", self.says) };
        match self.turned(figure) {
            Some((word, opposite)) => {
                format!("{before}{}{opposite}{}", figure.trim_start_matches('-'), &after[word.len()..])
            }
            None => format!("{before}{figure}{after}"),
        }
    }

    /// What is said of it once it was measured.
    fn found(&self, verdict: &Verdict) -> Found {
        let (expected, reached) = (&verdict.expected, verdict.holds());
        let told = match verdict.measured {
            None => format!("{}: {}", self.plain(), verdict.found()),
            Some(_) if reached => format!("{}: that is it", self.says_with(&verdict.found())),
            Some(value) => {
                let missed = expected.bound.missed_by(value);
                let places = if missed < 0.1 { 1000.0 } else { 10.0 };
                let missed = format!("{} {}", (missed * places).round() / places, expected.figure.difference());
                let short = match expected.bound {
                    Bound::Above(_) => true,
                    Bound::Below(_) => false,
                    Bound::Within { value: middle, .. } => value < middle,
                };
                let missed = format!("{} {}", missed.trim_end(), if short { "to go" } else { "too much" });
                let wanted = self.wanted().unwrap_or_else(|| expected.expected());
                // Where the figure is told the other way round, what is wanted says which way it is meant.
                let way =
                    self.turned(&verdict.found()).map_or("", |(word, _)| word.trim_end().trim_end_matches(" than"));
                format!("{}: {missed} (wanted: {wanted}{way})", self.says_with(&verdict.found()))
            }
        };
        Found { told, reached }
    }
}
