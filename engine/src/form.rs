//! The form of a piece: sections one behind another, and what holds during each of them. [`lay_out`] writes it into what sounds:
//! a source has the spans in which it does, a number that sections set moves from one to the next.
//!
//! Bars are those of the transport. A session without sections has no form, and all in it goes on for ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::audible;
use crate::control::{Control, Way};
use crate::diagnostic::{Diagnostic, Position};
use crate::names::{Found, Owner, Which};
use crate::parameter::Value;
use crate::session::{PlaceKind, Session};
use crate::sources;
use crate::tempo::Tempo;

/// Sections, and the order that they come in.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Form {
    /// Each once, in the order in which they are written.
    pub sections: Vec<Section>,
    /// The order that they are played in, each an index into `sections`, any of them any number of times.
    pub order: Vec<usize>,
}

/// A part of a piece.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// How many bars it has, above 0.
    pub bars: f64,
    /// What holds as long as it is on, once the amendments are applied.
    pub holds: Vec<Hold>,
    /// Where it is written.
    pub at: Position,
}

/// Something that holds as long as a section is on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hold {
    /// The path of what it holds for.
    pub path: String,
    /// What that is.
    #[serde(skip)]
    pub of: Found,
    /// What holds.
    pub what: Held,
    /// Where it is written.
    pub at: Position,
}

/// What may hold during a section.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Held {
    /// A place or a cable is silent, or is not.
    Mute(bool),
    /// A place or a cable is soloed, or is not.
    Solo(bool),
    /// A parameter has another value.
    Set(Value),
}

/// A stretch of the transport, in bars from bar 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Span {
    /// Where it begins.
    pub begin: f64,
    /// Where it ends.
    pub end: f64,
}

/// A span with its place on the transport.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// In bars: what a pattern counts from.
    pub span: Span,
    /// Its first frame.
    pub begin: u64,
    /// The frame behind its last.
    pub end: u64,
}

/// A section where it is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// Which section, as an index into [`Form::sections`].
    pub section: usize,
    /// When.
    pub span: Span,
}

impl Form {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Every section where it is played, in order.
    pub fn slots(&self) -> Vec<Slot> {
        let mut bar = 0.0;
        let slot = |&section: &usize| {
            let begin = bar;
            bar += self.sections[section].bars;
            Slot { section, span: Span { begin, end: bar } }
        };
        self.order.iter().map(slot).collect()
    }

    /// The bar at which the piece is over.
    pub fn bars(&self) -> f64 {
        self.slots().last().map_or(0.0, |slot| slot.span.end)
    }

    /// Something that has one value in each section, as steps in bars: the first from the beginning on, then wherever it becomes
    /// another. The last section's holds for what rings behind it.
    fn steps<T: PartialEq>(&self, in_section: impl Fn(usize) -> T) -> Vec<(f64, T)> {
        let slots = self.slots().into_iter().map(|slot| (slot.span.begin, in_section(slot.section)));
        let mut steps: Vec<(f64, T)> = slots.collect();
        steps.dedup_by(|next, last| next.1 == last.1);
        steps
    }
}

/// The frame nearest to where a bar begins.
pub fn frame_of(bar: f64, tempo: &Tempo) -> u64 {
    (tempo.frame_of_bar(bar) + 0.5).max(0.0) as u64
}

impl Span {
    /// The span with its place.
    pub fn placed(self, tempo: &Tempo) -> Placed {
        Placed { span: self, begin: frame_of(self.begin, tempo), end: frame_of(self.end, tempo) }
    }
}

/// Of spans in order the first that ends behind a frame. RT.
pub fn first_behind(spans: &[Placed], frame: u64) -> Option<&Placed> {
    spans.get(spans.partition_point(|span| span.end <= frame))
}

/// Of spans in order the one that a frame lies in. RT.
pub fn around(spans: &[Placed], frame: u64) -> Option<&Placed> {
    first_behind(spans, frame).filter(|span| span.begin <= frame)
}

/// Gives every source of a session its spans, and what sections set to what moves it there. Tells of sections that are never
/// played.
pub fn lay_out(session: &mut Session) -> Vec<Diagnostic> {
    if session.form.sections.is_empty() {
        return Vec::new();
    }
    place_sources(session);
    move_parameters(session);
    let form = &session.form;
    let unplayed = (0..form.sections.len()).filter(|section| !form.order.contains(section));
    let told = unplayed.map(|section| {
        let Section { name, at, .. } = &form.sections[section];
        let warning = Diagnostic::warning("never-played", *at, format!("the section \"{name}\" is never played"));
        warning.help(format!("give it a place in the order: `arrange([..., \"{name}\"])`"))
    });
    told.collect()
}

/// A source of a section sounds where that is played, one of no section throughout.
fn place_sources(session: &mut Session) {
    let (slots, bars) = (session.form.slots(), session.form.bars());
    let whole: Arc<[Span]> = Arc::new([Span { begin: 0.0, end: bars }]);
    for place in &mut session.places {
        let PlaceKind::Input(sources) = &mut place.kind else { continue };
        for source in sources {
            let Some(section) = source.section else {
                source.spans = Some(whole.clone());
                continue;
            };
            let mut spans: Vec<Span> = Vec::new();
            for slot in slots.iter().filter(|slot| slot.section == section) {
                match spans.last_mut().filter(|last| last.end == slot.span.begin) {
                    // What has no beginning of its own goes on.
                    Some(last) if !sources::begins(source.table.0) => last.end = slot.span.end,
                    _ => spans.push(slot.span),
                }
            }
            source.spans = Some(spans.into());
        }
    }
}

/// A parameter that sections set is moved by what they say.
fn move_parameters(session: &mut Session) {
    let mut set: BTreeMap<(Owner, Which), BTreeMap<usize, &Value>> = BTreeMap::new();
    for (number, section) in session.form.sections.iter().enumerate() {
        for hold in &section.holds {
            if let (Found::Parameter(owner, which), Held::Set(value)) = (hold.of, &hold.what) {
                set.entry((owner, which)).or_default().insert(number, value);
            }
        }
    }
    let mut moved = Vec::new();
    for ((owner, which), values) in set {
        let setting = session.setting(owner, which).1;
        let value = |section| (*values.get(&section).unwrap_or(&&setting.value)).clone();
        let steps = session.form.steps(value);
        let way = Way::Sections { steps, fade: session.crossfade };
        moved.push((owner, which, Control { way, at: setting.at }));
    }
    for (owner, which, control) in moved {
        session.setting_mut(owner, which).value = Value::Control(Box::new(control));
    }
}

/// What steps in bars are at a bar.
pub fn at<T>(steps: &[(f64, T)], bar: f64) -> Option<&T> {
    steps.iter().rev().find(|step| step.0 <= bar).or(steps.first()).map(|step| &step.1)
}

/// For every cable, whether it is silent: as steps in bars, of which the first holds from the beginning on.
pub fn silences(session: &Session) -> Vec<Vec<(f64, bool)>> {
    let always = audible::silent_cables(session);
    let mut within: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
    for &number in &session.form.order {
        let holds = &session.form.sections[number].holds;
        if !within.contains_key(&number) && holds.iter().any(|hold| !matches!(hold.what, Held::Set(_))) {
            within.insert(number, audible::silent_cables(&held(session, holds)));
        }
    }
    let steps = |cable: usize| {
        let silent = |section: usize| within.get(&section).map_or(always[cable], |silent| silent[cable]);
        let steps = session.form.steps(silent);
        if steps.is_empty() { vec![(0.0, always[cable])] } else { steps }
    };
    (0..session.cables.len()).map(steps).collect()
}

/// The session as it is heard while mutes and solos hold.
fn held(session: &Session, holds: &[Hold]) -> Session {
    let mut session = session.clone();
    for hold in holds {
        let (muted, soloed) = match hold.of {
            Found::Place(id) => {
                let state = &mut session.places[id.0].state;
                (&mut state.muted, &mut state.soloed)
            }
            Found::Cable(id) => {
                let cable = &mut session.cables[id.0];
                (&mut cable.muted, &mut cable.soloed)
            }
            Found::Instance(_) | Found::Parameter(..) => continue,
        };
        match hold.what {
            Held::Mute(on) => *muted = on,
            Held::Solo(on) => *soloed = on,
            Held::Set(_) => {}
        }
    }
    session
}
