//! What a text says of the whole (`mute`, `set`, `remove`, ...), applied in text order once everything is declared.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;

use crate::diagnostic::{Diagnostic, Position};
use crate::expect::Expectation;
use crate::figure::Figure;
use crate::listen::Point;
use crate::names::{Found, Names, NotFound, Owner};
use crate::parameter::{Kind, Spoken};
use crate::session::{
    Amend, Amendment, CableId, Effect, Instance, InstanceId, MASTER, PlaceId, PlaceKind, Session, Setting, Tap, Target,
    Work,
};

mod hold;

/// Why a branch is neither taken out nor has anything before it.
const BRANCH: &str = "a branch is there as long as its effect; give an effect that stands in it, or the whole";

/// Lets replaced cables go, then applies every amendment and leaves the list empty. Each one sees what those before it have
/// made of the session.
pub fn apply(session: &mut Session) -> Vec<Diagnostic> {
    // What holds in a section, and what is expected, is said of what there is in the end.
    let mut all = mem::take(&mut session.amendments);
    all.sort_by_key(|Amendment { what, section, .. }| match what {
        Amend::Expect { .. } => 2,
        _ => i32::from(section.is_some()),
    });
    let mut amending = Amending { rest: all.into(), session, names: None, told: Vec::new() };
    amending.replace_cables();
    while let Some(Amendment { what, section, at }) = amending.rest.pop_front() {
        let mut one = One { all: &mut amending, at };
        let done = match section {
            None => one.apply(what),
            Some(section) => one.hold(section, what),
        };
        if let Err(refused) = done {
            amending.told.push(refused);
        }
    }
    amending.told
}

/// A session that is being amended.
struct Amending<'a> {
    session: &'a mut Session,
    /// What is still to be applied.
    rest: VecDeque<Amendment>,
    /// The session's names, until its structure changes.
    names: Option<Names>,
    told: Vec<Diagnostic>,
}

impl Amending<'_> {
    fn names(&mut self) -> (&Names, &Session) {
        let session = &*self.session;
        (self.names.get_or_insert_with(|| Names::of(session)), session)
    }

    /// A cable that is meant to replace an earlier one of the same path does so, and takes that one's sends with it.
    fn replace_cables(&mut self) {
        if !self.session.cables.iter().any(|cable| cable.replaces) {
            return;
        }
        let (names, session) = self.names();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut gone = Gone::default();
        for (i, cable) in session.cables.iter().enumerate() {
            match seen.insert(names.cable(CableId(i)), i) {
                Some(earlier) if cable.replaces => gone.unplug(session, CableId(earlier)),
                _ => {}
            }
        }
        self.take_out(gone);
    }

    /// Takes things out of the session, and with them what served nothing else. What is left, and what is still to be
    /// applied, is numbered anew.
    fn take_out(&mut self, gone: Gone) {
        if gone != Gone::default() {
            gone.sweep(self.session, self.rest.make_contiguous());
        }
        self.names = None;
    }
}

/// What is to be taken out.
#[derive(Default, PartialEq)]
struct Gone {
    cables: BTreeSet<CableId>,
    instances: BTreeSet<InstanceId>,
    places: BTreeSet<PlaceId>,
}

/// The amendment that is being applied.
struct One<'a, 's> {
    all: &'a mut Amending<'s>,
    at: Position,
}

impl One<'_, '_> {
    fn apply(&mut self, what: Amend) -> Result<(), Diagnostic> {
        match what {
            Amend::Mute(target, on) => self.flag(
                &target,
                on,
                "inputs, buses and cables can be muted; an effect is bypassed",
                |session, found| match found {
                    Found::Place(id) => Some(&mut session.places[id.0].state.muted),
                    Found::Cable(id) => Some(&mut session.cables[id.0].muted),
                    _ => None,
                },
            ),
            Amend::Solo(target, on) => {
                self.flag(&target, on, "inputs, buses and cables can be soloed", |session, found| match found {
                    Found::Place(id) => Some(&mut session.places[id.0].state.soloed),
                    Found::Cable(id) => Some(&mut session.cables[id.0].soloed),
                    _ => None,
                })
            }
            Amend::Safe(target) => {
                self.flag(&target, true, "inputs and buses can be safe", |session, found| match found {
                    Found::Place(id) => Some(&mut session.places[id.0].state.safe),
                    _ => None,
                })
            }
            Amend::Set(path, spoken) => self.set(&path, &spoken),
            Amend::Unplug(target) => {
                let mut gone = Gone::default();
                for found in self.resolve(&target)? {
                    if let Found::Cable(id) = found {
                        gone.unplug(self.all.session, id);
                    }
                }
                if gone == Gone::default() {
                    return Err(self.refuse("cables and sends can be unplugged: `unplug(\"voice>band\")`"));
                }
                self.all.take_out(gone);
                Ok(())
            }
            Amend::Remove(target) => {
                let mut gone = Gone::default();
                for found in self.resolve(&target)? {
                    match found {
                        Found::Instance(id) if self.is_branch(id) => return Err(self.refuse(BRANCH)),
                        Found::Instance(id) => gone.remove_instance(self.all.session, id),
                        Found::Cable(id) => gone.unplug(self.all.session, id),
                        Found::Place(MASTER) => return Err(self.refuse("`master` always exists")),
                        Found::Place(id) => gone.remove_place(self.all.session, id),
                        Found::Parameter(..) => return Err(self.refuse("a parameter cannot be removed, only set")),
                    }
                }
                self.all.take_out(gone);
                Ok(())
            }
            Amend::Before(target, effects) => match self.resolve_one(&target)? {
                Found::Instance(id) if self.is_branch(id) => Err(self.refuse(BRANCH)),
                Found::Instance(id) if matches!(self.all.session.instances[id.0].work, Work::Blend { .. }) => {
                    Err(self.refuse("put it before an effect inside the composed one"))
                }
                Found::Instance(id) => {
                    let from = self.all.session.instances[id.0].from;
                    let last = self.insert(from, effects);
                    for (i, instance) in self.all.session.instances.iter_mut().enumerate() {
                        // What is taken apart is the same as what flows by.
                        let branch = matches!(instance.work, Work::Branch { of, .. } if of == id);
                        if branch || i == id.0 {
                            instance.from = last;
                        }
                    }
                    Ok(())
                }
                Found::Cable(id) => {
                    let from = self.all.session.cables[id.0].from;
                    self.all.session.cables[id.0].from = self.insert(from, effects);
                    Ok(())
                }
                Found::Place(_) => Err(self.refuse("give an effect or a cable; what leaves a bus follows `after`")),
                Found::Parameter(..) => Err(self.refuse("give an effect or a cable")),
            },
            Amend::Expect { of, input, over, figure, bound } => {
                let point = self.point(&of, input, figure)?;
                let over = over.map(|(of, input)| self.point(&of, input, figure)).transpose()?;
                self.all.session.expectations.push(Expectation { point, over, figure, bound, at: self.at });
                Ok(())
            }
            Amend::After(target, effects) => {
                let tap = match self.resolve_one(&target)? {
                    Found::Instance(id) => Tap::Instance(id),
                    Found::Place(id) => Tap::Place(id),
                    _ => {
                        return Err(
                            self.refuse("give an effect, an input or a bus; what ends a cable goes `before` it")
                        );
                    }
                };
                let first = self.all.session.instances.len();
                let last = self.insert(tap, effects);
                self.all.session.redirect(tap, last, first);
                Ok(())
            }
        }
    }

    /// Where something is expected of a figure.
    fn point(&mut self, of: &Target, input: bool, figure: Figure) -> Result<Point, Diagnostic> {
        let found = self.resolve_one(of)?;
        let (names, session) = self.all.names();
        let no_figure = |message: String| Diagnostic::error("no-figure", self.at, message);
        let point = Point::of(session, names, found, input)
            .ok_or_else(|| no_figure(format!("a parameter has no {}", figure.title())))?;
        if figure == Figure::GainReduction && !point.reduces {
            let error = no_figure(format!("`{}` does not tell how much it turns down", point.name));
            return Err(error.help("compressor, gate, expander, deesser and limiter do: `at(\"voice/compressor\")`"));
        }
        Ok(point)
    }

    fn set(&mut self, path: &str, spoken: &Spoken) -> Result<(), Diagnostic> {
        let (names, session) = self.all.names();
        match names.find_parameter(session, path) {
            Err(missing) => Err(self.missing(missing)),
            Ok((owner, which)) => {
                let clock = session.clock();
                let (parameter, _) = session.setting(owner, which);
                if let Kind::Signal = parameter.kind {
                    return Err(self.refuse("a key is plugged in where the effect is written"));
                }
                let accepted = parameter.accept(spoken, &clock);
                let accepted = accepted.map_err(|refusal| refusal.diagnostic(self.at))?;
                if let Some(warning) = accepted.warning {
                    self.all.told.push(Diagnostic::warning("percent-fraction", self.at, warning));
                }
                *self.all.session.setting_mut(owner, which) = Setting { value: accepted.value, at: self.at };
                Ok(())
            }
        }
    }

    /// Sets the flag of everything that is meant and has one; `otherwise` says what does.
    fn flag(
        &mut self,
        target: &Target,
        on: bool,
        otherwise: &str,
        flag: impl Fn(&mut Session, Found) -> Option<&mut bool>,
    ) -> Result<(), Diagnostic> {
        let mut any = false;
        for found in self.resolve(target)? {
            if let Some(flag) = flag(self.all.session, found) {
                (*flag, any) = (on, true);
            }
        }
        if any { Ok(()) } else { Err(self.refuse(otherwise)) }
    }

    fn resolve(&mut self, target: &Target) -> Result<Vec<Found>, Diagnostic> {
        match target {
            Target::Place(id) => Ok(vec![Found::Place(*id)]),
            Target::Cable(id) => Ok(vec![Found::Cable(*id)]),
            Target::Instance(id) => Ok(vec![Found::Instance(*id)]),
            Target::Gone => Err(self.refuse("it was taken away further up")),
            Target::Path(path) => {
                let (names, session) = self.all.names();
                names.matching(session, path).map_err(|missing| self.missing(missing))
            }
        }
    }

    fn resolve_one(&mut self, target: &Target) -> Result<Found, Diagnostic> {
        match self.resolve(target)?.as_slice() {
            [one] => Ok(*one),
            _ => Err(self.refuse("this matches several; give one path")),
        }
    }

    fn insert(&mut self, from: Tap, effects: Vec<Effect>) -> Tap {
        self.all.names = None;
        let instances = &mut self.all.session.instances;
        effects.into_iter().fold(from, |from, effect| {
            instances.push(Instance { at: effect.at, work: Work::Effect(effect), from });
            Tap::Instance(InstanceId(instances.len() - 1))
        })
    }

    fn is_branch(&self, id: InstanceId) -> bool {
        matches!(self.all.session.instances[id.0].work, Work::Branch { .. })
    }

    fn refuse(&self, why: &str) -> Diagnostic {
        Diagnostic::error("cannot-amend", self.at, why)
    }

    fn missing(&self, missing: NotFound) -> Diagnostic {
        Diagnostic { help: missing.help, ..Diagnostic::error("unknown-path", self.at, missing.message) }
    }
}

impl Session {
    /// Lets everything that took `old` take `new` instead, but for instances numbered `except` and up.
    fn redirect(&mut self, old: Tap, new: Tap, except: usize) {
        let swap = |tap: &mut Tap| {
            if *tap == old {
                *tap = new;
            }
        };
        self.cables.iter_mut().for_each(|cable| swap(&mut cable.from));
        self.followed_mut().flatten().for_each(swap);
        for (i, instance) in self.instances.iter_mut().enumerate() {
            if i < except {
                swap(&mut instance.from);
                instance.side_taps(swap);
            }
        }
    }
}

impl Gone {
    /// A cable, and the sends that belong to its statement.
    fn unplug(&mut self, session: &Session, id: CableId) {
        let owned = session.cables.iter().enumerate().filter(|(_, cable)| cable.owner == Some(id));
        self.cables.extend(owned.map(|(i, _)| CableId(i)).chain([id]));
    }

    /// An effect: what it was given flows on. Of a composed one all that is in it goes.
    fn remove_instance(&mut self, session: &mut Session, id: InstanceId) {
        let from = match &session.instances[id.0].work {
            Work::Blend { dry, .. } => *dry,
            Work::Effect(_) | Work::Branch { .. } => session.instances[id.0].from,
        };
        session.redirect(Tap::Instance(id), from, usize::MAX);
        self.instances.insert(id);
    }

    /// An input or a bus, with every cable to and from it and the effects on the latter.
    fn remove_place(&mut self, session: &Session, id: PlaceId) {
        for (i, cable) in session.cables.iter().enumerate() {
            if cable.to == id || session.origin(cable.from) == id {
                self.unplug(session, CableId(i));
            }
        }
        let all = (0..session.instances.len()).map(InstanceId);
        self.instances.extend(all.filter(|i| session.origin(Tap::Instance(*i)) == id));
        self.places.insert(id);
    }

    fn sweep(mut self, session: &mut Session, rest: &mut [Amendment]) {
        self.take_empty_sums(session);
        self.take_what_served(session);
        while self.take_what_leaves_branches(session) {
            self.take_what_served(session);
        }
        // A key that came from something removed is no key any more, and what followed it follows silence.
        for instance in &mut session.instances {
            match &mut instance.work {
                Work::Effect(effect) => self.take_from(effect),
                Work::Branch { .. } => {}
                Work::Blend { mix, .. } => {
                    mix.value.followed_mut().and_then(|signal| signal.take_if(|tap| self.has(*tap)));
                }
            }
        }
        for signal in session.followed_mut() {
            signal.take_if(|tap| self.has(*tap));
        }
        let places = renumber(session.places.len(), |i| self.places.contains(&PlaceId(i)));
        let instances = renumber(session.instances.len(), |i| self.instances.contains(&InstanceId(i)));
        let cables = renumber(session.cables.len(), |i| self.cables.contains(&CableId(i)));
        retain(&mut session.places, &places);
        retain(&mut session.instances, &instances);
        retain(&mut session.cables, &cables);
        // What is left continues from nothing that is gone.
        let tap = |tap: &mut Tap| match tap {
            Tap::Place(id) => id.0 = places[id.0].expect("its place is left"),
            Tap::Instance(id) => id.0 = instances[id.0].expect("its instance is left"),
        };
        for instance in &mut session.instances {
            tap(&mut instance.from);
            instance.side_taps(tap);
            if let Work::Branch { of, .. } = &mut instance.work {
                of.0 = instances[of.0].expect("a branch goes with what it is of");
            }
        }
        session.followed_mut().flatten().for_each(tap);
        for cable in &mut session.cables {
            tap(&mut cable.from);
            cable.to.0 = places[cable.to.0].expect("its place is left");
            cable.owner = cable.owner.and_then(|owner| cables[owner.0]).map(CableId);
        }
        for amendment in rest {
            amendment.what.targets(|target| {
                let left = match *target {
                    Target::Place(id) => places[id.0].map(|i| Target::Place(PlaceId(i))),
                    Target::Cable(id) => cables[id.0].map(|i| Target::Cable(CableId(i))),
                    Target::Instance(id) => instances[id.0].map(|i| Target::Instance(InstanceId(i))),
                    Target::Path(_) | Target::Gone => return,
                };
                *target = left.unwrap_or(Target::Gone);
            });
            for effect in amendment.what.effects() {
                self.take_from(effect);
                effect.side_taps(tap);
            }
            if let Amend::Set(_, Spoken::Control(control)) = &mut amendment.what
                && let Some(signal) = control.signal_mut()
            {
                signal.take_if(|tap| self.has(*tap));
                signal.iter_mut().for_each(tap);
            }
        }
    }

    /// Takes away what an effect is steered by that is gone.
    fn take_from(&self, effect: &mut Effect) {
        effect.key.take_if(|(tap, _)| self.has(*tap));
        for signal in effect.followed_mut() {
            signal.take_if(|tap| self.has(*tap));
        }
    }

    fn has(&self, tap: Tap) -> bool {
        match tap {
            Tap::Place(id) => self.places.contains(&id),
            Tap::Instance(id) => self.instances.contains(&id),
        }
    }

    fn takes(&self, owner: Owner) -> bool {
        match owner {
            Owner::Source(id, _) => self.places.contains(&id),
            Owner::Cable(id) => self.cables.contains(&id),
            Owner::Instance(id) | Owner::Part(id, _) => self.instances.contains(&id),
        }
    }

    /// A sum that lost its last member is none.
    fn take_empty_sums(&mut self, session: &Session) {
        loop {
            let fed = |id: PlaceId| {
                session.cables.iter().enumerate().any(|(i, c)| c.to == id && !self.cables.contains(&CableId(i)))
            };
            let mut sums = (0..session.places.len()).map(PlaceId);
            let empty =
                sums.find(|id| session.places[id.0].kind == PlaceKind::Sum && !self.places.contains(id) && !fed(*id));
            match empty {
                Some(id) => self.remove_place(session, id),
                None => return,
            }
        }
    }

    /// What leaves a branch on the way has no sound any more once the effect is gone that the branch is of. Whether there was
    /// any such cable.
    fn take_what_leaves_branches(&mut self, session: &Session) -> bool {
        let gone = |id: &InstanceId| match session.instances[id.0].work {
            Work::Branch { of, .. } => self.instances.contains(&of),
            _ => false,
        };
        let leaves =
            |i: &usize| !self.cables.contains(&CableId(*i)) && session.chain(session.cables[*i].from).iter().any(gone);
        let cables: Vec<usize> = (0..session.cables.len()).filter(leaves).collect();
        cables.iter().for_each(|i| self.unplug(session, CableId(*i)));
        !cables.is_empty()
    }

    /// Effects that served only what is gone are gone too. Those that served nothing before stay, to be told of.
    fn take_what_served(&mut self, session: &Session) {
        loop {
            let mut served = BTreeSet::new();
            let mut serves = BTreeSet::new();
            for (i, cable) in session.cables.iter().enumerate() {
                served.insert(cable.from);
                if !self.cables.contains(&CableId(i)) {
                    serves.insert(cable.from);
                }
            }
            for (i, instance) in session.instances.iter().enumerate() {
                for tap in instance.taps() {
                    served.insert(tap);
                    if !self.instances.contains(&InstanceId(i)) {
                        serves.insert(tap);
                    }
                }
            }
            for (owner, _, tap) in session.followed() {
                served.insert(tap);
                if !self.takes(owner) {
                    serves.insert(tap);
                }
            }
            let all = (0..session.instances.len()).map(InstanceId).filter(|id| !self.instances.contains(id));
            let idle: Vec<InstanceId> = all
                .filter(|id| served.contains(&Tap::Instance(*id)) && !serves.contains(&Tap::Instance(*id)))
                .collect();
            if idle.is_empty() {
                return;
            }
            self.instances.extend(idle);
        }
    }
}

impl Instance {
    /// Every tap it continues from or is keyed by.
    fn taps(&self) -> impl Iterator<Item = Tap> {
        let (side, branches) = match &self.work {
            Work::Effect(effect) => (effect.key.map(|(tap, _)| tap), &effect.branches[..]),
            Work::Blend { dry, .. } => (Some(*dry), &[][..]),
            Work::Branch { .. } => (None, &[][..]),
        };
        branches.iter().copied().chain(side).chain([self.from])
    }

    fn side_taps(&mut self, change: impl Fn(&mut Tap)) {
        match &mut self.work {
            Work::Effect(effect) => effect.side_taps(change),
            Work::Branch { .. } => {}
            Work::Blend { dry, mix, .. } => {
                change(dry);
                mix.value.followed_mut().into_iter().flatten().for_each(change);
            }
        }
    }
}

impl Effect {
    /// Every tap it is steered by, and those that its branches end with.
    fn side_taps(&mut self, change: impl Fn(&mut Tap)) {
        self.key.iter_mut().for_each(|(key, _)| change(key));
        self.branches.iter_mut().for_each(&change);
        self.followed_mut().flatten().for_each(change);
    }
}

impl Amend {
    fn targets(&mut self, mut change: impl FnMut(&mut Target)) {
        match self {
            Amend::Mute(target, _)
            | Amend::Solo(target, _)
            | Amend::Safe(target)
            | Amend::Unplug(target)
            | Amend::Remove(target)
            | Amend::Before(target, _)
            | Amend::After(target, _) => change(target),
            Amend::Expect { of, over, .. } => {
                change(of);
                over.iter_mut().for_each(|(target, _)| change(target));
            }
            Amend::Set(..) => {}
        }
    }

    fn effects(&mut self) -> &mut [Effect] {
        match self {
            Amend::Before(_, effects) | Amend::After(_, effects) => effects,
            _ => &mut [],
        }
    }
}

fn renumber(count: usize, gone: impl Fn(usize) -> bool) -> Vec<Option<usize>> {
    let mut next = 0;
    (0..count)
        .map(|i| {
            (!gone(i)).then(|| {
                next += 1;
                next - 1
            })
        })
        .collect()
}

fn retain<T>(list: &mut Vec<T>, kept: &[Option<usize>]) {
    let mut i = 0;
    list.retain(|_| {
        i += 1;
        kept[i - 1].is_some()
    });
}
