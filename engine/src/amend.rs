//! What a text says of the whole (`mute`, `set`, `remove`, ...), applied in text order once everything is declared.

use std::mem;

use crate::diagnostic::{Diagnostic, Position};
use crate::names::{Found, Names, NotFound};
use crate::parameter::{Kind, Spoken};
use crate::session::{
    Amend, CableId, Effect, Instance, InstanceId, PlaceId, PlaceKind, Session, Setting, Tap, Target, Work,
};

/// Applies every amendment and leaves the list empty. Each one sees what those before it have made of the session.
/// Handles in the list stay good: nothing is renumbered before all is done.
pub fn apply(session: &mut Session) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut gone = Gone::default();
    for amendment in mem::take(&mut session.amendments) {
        let mut one = One { session, gone: &mut gone, diagnostics: &mut diagnostics, at: amendment.at };
        if let Err(refused) = one.apply(amendment.what) {
            diagnostics.push(refused);
        }
    }
    gone.sweep(session);
    diagnostics
}

/// What has been taken away but still has its number.
#[derive(Default)]
struct Gone {
    cables: Vec<CableId>,
    instances: Vec<InstanceId>,
    places: Vec<PlaceId>,
}

struct One<'a> {
    session: &'a mut Session,
    gone: &'a mut Gone,
    diagnostics: &'a mut Vec<Diagnostic>,
    at: Position,
}

impl One<'_> {
    fn apply(&mut self, what: Amend) -> Result<(), Diagnostic> {
        match what {
            Amend::Mute(target) => self.each(&target, |session, found| match found {
                Found::Place(id) => Ok(&mut session.places[id.0].state.muted),
                Found::Cable(id) => Ok(&mut session.cables[id.0].muted),
                _ => Err("inputs, buses and cables can be muted; an effect is bypassed"),
            }),
            Amend::Solo(target) => self.each(&target, |session, found| match found {
                Found::Place(id) => Ok(&mut session.places[id.0].state.soloed),
                Found::Cable(id) => Ok(&mut session.cables[id.0].soloed),
                _ => Err("inputs, buses and cables can be soloed"),
            }),
            Amend::Safe(target) => self.each(&target, |session, found| match found {
                Found::Place(id) => Ok(&mut session.places[id.0].state.safe),
                _ => Err("inputs and buses can be safe"),
            }),
            Amend::Set(path, spoken) => self.set(&path, &spoken),
            Amend::Unplug(target) => {
                for found in self.resolve(&target)? {
                    match found {
                        Found::Cable(id) => self.unplug(id),
                        _ => return Err(self.refuse("cables and sends can be unplugged: `unplug(\"voice>band\")`")),
                    }
                }
                Ok(())
            }
            Amend::Remove(target) => {
                for found in self.resolve(&target)? {
                    match found {
                        Found::Instance(id) => self.remove_instance(id),
                        Found::Cable(id) => self.unplug(id),
                        Found::Place(PlaceId(0)) => return Err(self.refuse("`master` always exists")),
                        Found::Place(id) => self.remove_place(id),
                        Found::Parameter(..) => return Err(self.refuse("a parameter cannot be removed, only set")),
                    }
                }
                Ok(())
            }
            Amend::Before(target, effects) => match self.resolve_one(&target)? {
                Found::Instance(id) if matches!(self.session.instances[id.0].work, Work::Blend { .. }) => {
                    Err(self.refuse("put it before an effect inside the composed one"))
                }
                Found::Instance(id) => {
                    let from = self.session.instances[id.0].from;
                    self.session.instances[id.0].from = self.insert(from, effects);
                    Ok(())
                }
                Found::Cable(id) => {
                    let from = self.session.cables[id.0].from;
                    self.session.cables[id.0].from = self.insert(from, effects);
                    Ok(())
                }
                Found::Place(_) => Err(self.refuse("give an effect or a cable; what leaves a bus follows `after`")),
                Found::Parameter(..) => Err(self.refuse("give an effect or a cable")),
            },
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
                let first = self.session.instances.len();
                let last = self.insert(tap, effects);
                self.session.redirect(tap, last, first);
                Ok(())
            }
        }
    }

    fn set(&mut self, path: &str, spoken: &Spoken) -> Result<(), Diagnostic> {
        let names = Names::of(self.session);
        match names.find(self.session, path).map_err(|missing| self.missing(missing))? {
            Found::Parameter(owner, which) => {
                let clock = self.session.clock();
                let (parameter, _) = self.session.setting(owner, which);
                let accepted = match (parameter.kind, spoken) {
                    (Kind::Signal, _) => return Err(self.refuse("a key is plugged in where the effect is written")),
                    _ => parameter.accept(spoken, &clock),
                };
                let accepted =
                    accepted.map_err(|no| Diagnostic::error(no.code, self.at, no.message).help(no.expected))?;
                if let Some(warning) = accepted.warning {
                    self.diagnostics.push(Diagnostic::warning("percent-fraction", self.at, warning));
                }
                *self.session.setting_mut(owner, which) = Setting { value: accepted.value, at: self.at };
                Ok(())
            }
            _ => Err(self.refuse(&format!("`{path}` is no parameter; give one of its parameters: `{path}.NAME`"))),
        }
    }

    /// Sets the flag of everything that is meant; a glob passes over what has none.
    fn each(
        &mut self,
        target: &Target,
        flag: impl Fn(&mut Session, Found) -> Result<&mut bool, &'static str>,
    ) -> Result<(), Diagnostic> {
        let glob = matches!(target, Target::Path(path) if path.contains('*'));
        for found in self.resolve(target)? {
            match flag(self.session, found) {
                Ok(flag) => *flag = true,
                Err(why) if !glob => return Err(self.refuse(why)),
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn resolve(&self, target: &Target) -> Result<Vec<Found>, Diagnostic> {
        let found = match target {
            Target::Place(id) => vec![Found::Place(*id)],
            Target::Cable(id) => vec![Found::Cable(*id)],
            Target::Instance(id) => vec![Found::Instance(*id)],
            Target::Path(path) => {
                Names::of(self.session).matching(self.session, path).map_err(|missing| self.missing(missing))?
            }
        };
        let gone = |found: &Found| match found {
            Found::Place(id) => self.gone.places.contains(id),
            Found::Cable(id) => self.gone.cables.contains(id),
            Found::Instance(id) => self.gone.instances.contains(id),
            Found::Parameter(..) => false,
        };
        let left: Vec<Found> = found.into_iter().filter(|found| !gone(found)).collect();
        match left.is_empty() {
            true => Err(self.refuse("it was taken away further up")),
            false => Ok(left),
        }
    }

    fn resolve_one(&self, target: &Target) -> Result<Found, Diagnostic> {
        match self.resolve(target)?.as_slice() {
            [one] => Ok(*one),
            _ => Err(self.refuse("this matches several; give one path")),
        }
    }

    fn insert(&mut self, from: Tap, effects: Vec<Effect>) -> Tap {
        effects.into_iter().fold(from, |from, effect| {
            self.session.instances.push(Instance { at: effect.at, work: Work::Effect(effect), from });
            Tap::Instance(InstanceId(self.session.instances.len() - 1))
        })
    }

    fn unplug(&mut self, id: CableId) {
        for (i, cable) in self.session.cables.iter().enumerate() {
            if i == id.0 || cable.owner == Some(id) {
                self.gone.cables.push(CableId(i));
            }
        }
    }

    fn remove_instance(&mut self, id: InstanceId) {
        let from = match &self.session.instances[id.0].work {
            Work::Blend { dry, .. } => *dry,
            Work::Effect(_) => self.session.instances[id.0].from,
        };
        self.session.redirect(Tap::Instance(id), from, usize::MAX);
        self.gone.instances.push(id);
    }

    fn remove_place(&mut self, id: PlaceId) {
        for i in 0..self.session.cables.len() {
            let cable = &self.session.cables[i];
            if cable.to == id || self.session.origin(cable.from) == id {
                self.unplug(CableId(i));
            }
        }
        for i in 0..self.session.instances.len() {
            if self.session.origin(Tap::Instance(InstanceId(i))) == id {
                self.gone.instances.push(InstanceId(i));
            }
        }
        self.gone.places.push(id);
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
        for (i, instance) in self.instances.iter_mut().enumerate() {
            if i < except {
                swap(&mut instance.from);
            }
            match &mut instance.work {
                Work::Effect(effect) => effect.key.iter_mut().for_each(|(tap, _)| swap(tap)),
                Work::Blend { dry, .. } => swap(dry),
            }
        }
    }
}

impl Gone {
    /// Takes the dead out and renumbers the living.
    fn sweep(mut self, session: &mut Session) {
        self.take_keys_of_gone(session);
        let places = renumber(session.places.len(), |i| self.places.contains(&PlaceId(i)));
        let instances = renumber(session.instances.len(), |i| self.instances.contains(&InstanceId(i)));
        let cables = renumber(session.cables.len(), |i| self.cables.contains(&CableId(i)));
        let tap = |tap: &mut Tap| match tap {
            Tap::Place(id) => id.0 = places[id.0].unwrap_or(id.0),
            Tap::Instance(id) => id.0 = instances[id.0].unwrap_or(id.0),
        };
        retain(&mut session.places, &places);
        retain(&mut session.instances, &instances);
        retain(&mut session.cables, &cables);
        for instance in &mut session.instances {
            tap(&mut instance.from);
            match &mut instance.work {
                Work::Effect(effect) => effect.key.iter_mut().for_each(|(key, _)| tap(key)),
                Work::Blend { dry, .. } => tap(dry),
            }
        }
        for cable in &mut session.cables {
            tap(&mut cable.from);
            cable.to.0 = places[cable.to.0].unwrap_or(cable.to.0);
            cable.owner = cable.owner.and_then(|owner| cables[owner.0]).map(CableId);
        }
    }

    /// A key that came from something removed is no key any more; a sum that lost its last member is none.
    fn take_keys_of_gone(&mut self, session: &mut Session) {
        for instance in &mut session.instances {
            if let Work::Effect(effect) = &mut instance.work {
                effect.key.take_if(|(tap, _)| match tap {
                    Tap::Place(id) => self.places.contains(id),
                    Tap::Instance(id) => self.instances.contains(id),
                });
            }
        }
        loop {
            let empty: Vec<PlaceId> = (0..session.places.len())
                .map(PlaceId)
                .filter(|id| session.places[id.0].kind == PlaceKind::Sum && !self.places.contains(id))
                .filter(|id| {
                    let fed =
                        |(i, c): (usize, &crate::session::Cable)| c.to == *id && !self.cables.contains(&CableId(i));
                    !session.cables.iter().enumerate().any(fed)
                })
                .collect();
            if empty.is_empty() {
                return;
            }
            for id in empty {
                for (i, cable) in session.cables.iter().enumerate() {
                    if session.origin(cable.from) == id {
                        self.cables.push(CableId(i));
                    }
                }
                for i in 0..session.instances.len() {
                    if session.origin(Tap::Instance(InstanceId(i))) == id {
                        self.instances.push(InstanceId(i));
                    }
                }
                self.places.push(id);
            }
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
