//! How things are called: the path of every place, cable, effect and parameter of a session, and the way back from a
//! path to the thing.
//!
//! A cable is `voice>band`, or `voice>band:dry` when named. An effect has one full name for each cable that passes it,
//! `voice>band/eq.2`, its ordinal counted among its kind from the source along that cable, and the short form `voice/eq.2`
//! while that means one instance. A parameter is `voice/compressor.threshold`, a band's `voice/eq#2.gain`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::nest;
use crate::parameter::{Kind, Parameter};
use crate::session::{Cable, CableId, CableKind, InstanceId, PlaceId, PlaceKind, Session, Setting, Tap, Work};
use crate::words;

mod parameters;

/// Something a path can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// An input, a bus, a sum or an output.
    Place(PlaceId),
    /// A cable or a send.
    Cable(CableId),
    /// An effect on a signal.
    Instance(InstanceId),
    /// A parameter of one of them.
    Parameter(Owner, Which),
}

/// What a parameter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A region of an input.
    Source(PlaceId, usize),
    /// A send or a feedback.
    Cable(CableId),
    /// An effect.
    Instance(InstanceId),
    /// A part of an effect, from 0.
    Part(InstanceId, usize),
}

/// Which parameter of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// By its index in the owner's table.
    Own(usize),
    /// `mix`.
    Mix,
    /// `bypass`.
    Bypass,
}

/// A path that means nothing, or more than one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound {
    /// What is wrong with it.
    pub message: String,
    /// The nearest name, or the full names it could mean.
    pub help: Option<String>,
}

/// In one line, the help behind a semicolon.
impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}

/// The names of one session.
#[derive(Clone, Debug, Default)]
pub struct Names {
    places: Vec<String>,
    cables: Vec<String>,
    instances: Vec<Vec<String>>,
    index: BTreeMap<String, Found>,
    shorts: BTreeMap<String, Vec<InstanceId>>,
}

impl Names {
    /// Names everything in a session. Where two things would have one name the first keeps it; the check refuses the
    /// second.
    pub fn of(session: &Session) -> Names {
        let mut names = Names { places: place_names(session), ..Names::default() };
        for (i, name) in names.places.iter().enumerate() {
            names.index.entry(name.clone()).or_insert(Found::Place(PlaceId(i)));
        }
        names.instances = vec![Vec::new(); session.instances.len()];
        for (i, cable) in session.cables.iter().enumerate() {
            let path = names.cable_path(session, i);
            names.index.entry(path.clone()).or_insert(Found::Cable(CableId(i)));
            names.add(chain_names(session, &path, cable.from));
            names.cables.push(path);
        }
        names.add_branches(session);
        for (i, instance) in session.instances.iter().enumerate() {
            let Some(effect) = instance.work.effect() else { continue };
            if let Some((key, _)) = effect.key {
                let keyed = names.instances[i].first().cloned().unwrap_or_default();
                let path = format!("{}>{keyed}.key", names.places[session.origin(key).0]);
                names.add(chain_names(session, &path, key));
            }
        }
        for (owner, which, tap) in session.followed() {
            let path = format!("{}>{}", names.places[session.origin(tap).0], names.parameter(session, owner, which));
            names.add(chain_names(session, &path, tap));
        }
        for i in 0..session.instances.len() {
            if names.instances[i].is_empty() {
                let tap = Tap::Instance(InstanceId(i));
                let path = format!("{}>", names.places[session.origin(tap).0]);
                // What it continues from keeps to the names that cables give it.
                let unnamed = |(id, _): &(InstanceId, String)| names.instances[id.0].is_empty();
                let chain: Vec<_> = chain_names(session, &path, tap).into_iter().filter(unnamed).collect();
                names.add(chain);
            }
        }
        for list in &mut names.instances {
            list.sort();
            list.dedup();
        }
        for (i, list) in names.instances.iter().enumerate() {
            for full in list {
                names.index.entry(full.clone()).or_insert(Found::Instance(InstanceId(i)));
                let short = short_form(full);
                let meant = names.shorts.entry(short).or_default();
                if meant.last() != Some(&InstanceId(i)) {
                    meant.push(InstanceId(i));
                }
            }
        }
        names
    }

    /// Whether no two things have one name.
    pub fn all_differ(&self) -> bool {
        let effects: usize = self.instances.iter().map(Vec::len).sum();
        self.index.len() == self.places.len() + self.cables.len() + effects
    }

    /// The name of a place.
    pub fn place(&self, id: PlaceId) -> &str {
        &self.places[id.0]
    }

    /// The path of a cable.
    pub fn cable(&self, id: CableId) -> &str {
        &self.cables[id.0]
    }

    /// Every full name of an instance, in path order.
    pub fn instance(&self, id: InstanceId) -> &[String] {
        &self.instances[id.0]
    }

    /// The name of an instance that a person would type: the short form while it means one thing.
    pub fn call(&self, id: InstanceId) -> String {
        let Some(full) = self.instances[id.0].first() else { return String::new() };
        let short = short_form(full);
        match self.shorts.get(&short).map(Vec::len) {
            Some(1) => short,
            _ => full.clone(),
        }
    }

    /// The full path of a parameter.
    pub fn parameter(&self, session: &Session, owner: Owner, which: Which) -> String {
        let first = |id: InstanceId| self.instances[id.0].first().map_or("", String::as_str);
        let thing = match owner {
            Owner::Source(id, region) => match &session.places[id.0].kind {
                PlaceKind::Input(sources) if sources.len() > 1 => format!("{}#{}", self.place(id), region + 1),
                _ => self.place(id).to_owned(),
            },
            Owner::Cable(id) => self.cable(id).to_owned(),
            Owner::Instance(id) => first(id).to_owned(),
            Owner::Part(id, part) => format!("{}#{}", first(id), part + 1),
        };
        format!("{thing}.{}", session.setting(owner, which).0.name)
    }

    /// The path of a parameter that a person would type: see [`Names::call`].
    ///
    /// # Panics
    /// When owner and parameter are not of this session.
    pub fn call_parameter(&self, session: &Session, owner: Owner, which: Which) -> String {
        let part_of = |id: InstanceId, part: usize| match &session.instances[id.0].work {
            Work::Effect(effect) => effect.parts[part].name.clone().unwrap_or_else(|| (part + 1).to_string()),
            Work::Blend { .. } | Work::Branch { .. } => unreachable!("only an effect has parts"),
        };
        let thing = match owner {
            Owner::Source(place, 0) => self.place(place).to_owned(),
            Owner::Source(place, region) => format!("{}#{}", self.place(place), region + 1),
            Owner::Cable(id) => self.cable(id).to_owned(),
            Owner::Instance(id) => self.call(id),
            Owner::Part(id, part) => format!("{}#{}", self.call(id), part_of(id, part)),
        };
        format!("{thing}.{}", session.setting(owner, which).0.name)
    }

    /// Everything that has a path, as a person would type it: inputs, buses, cables, effects, and the parameters of effects and
    /// sends.
    pub fn called(&self, session: &Session) -> Vec<String> {
        let places = self.index.iter().filter(|(_, found)| matches!(found, Found::Place(_) | Found::Cable(_)));
        let mut all: Vec<String> = places.map(|(path, _)| path.clone()).collect();
        for (i, instance) in session.instances.iter().enumerate() {
            let path = self.call(InstanceId(i));
            if let Some(effect) = instance.work.effect() {
                all.extend(effect.table.0.parameters.iter().map(|parameter| format!("{path}.{}", parameter.name)));
            }
            all.push(path);
        }
        all.sort();
        all
    }

    /// What a path means.
    ///
    /// # Errors
    /// When it means nothing, with the nearest name; when a short form means several effects, with their full names.
    pub fn find(&self, session: &Session, path: &str) -> Result<Found, NotFound> {
        if let Some(found) = self.seek(session, path)? {
            return Ok(found);
        }
        let help = nearest(path, self.all()).map(|near| format!("the nearest name is `{near}`"));
        Err(NotFound { message: format!("nothing is called `{path}`"), help })
    }

    /// Every name of a thing.
    fn all(&self) -> impl Iterator<Item = &str> {
        self.index.keys().chain(self.shorts.keys()).map(String::as_str)
    }

    /// The same without a look at all names for the nearest one: nothing when there is no such thing at all.
    ///
    /// # Errors
    /// When there is such a thing without such a parameter or part, or several are meant.
    pub fn seek(&self, session: &Session, path: &str) -> Result<Option<Found>, NotFound> {
        if let Some(found) = self.thing(path)? {
            return Ok(Some(found));
        }
        if let Some((thing, name)) = path.rsplit_once('.') {
            let (thing, part) = match thing.rsplit_once('#') {
                Some((thing, part)) if !part.contains('/') => (thing, Some(part)),
                _ => (thing, None),
            };
            if let Some(found) = self.thing(thing)? {
                return parameter_of(session, found, thing, part, name).map(Some);
            }
        }
        Ok(None)
    }

    /// Everything whose whole name a glob matches: `drums-*`. Without a `*` the same as [`Names::find`].
    ///
    /// # Errors
    /// When nothing matches.
    pub fn matching(&self, session: &Session, glob: &str) -> Result<Vec<Found>, NotFound> {
        if !glob.contains('*') {
            return Ok(vec![self.find(session, glob)?]);
        }
        let of = |names: &str| glob_matches(glob, names);
        let mut found: Vec<Found> = self.index.iter().filter(|(name, _)| of(name)).map(|(_, found)| *found).collect();
        found.extend(
            self.shorts.iter().filter(|(name, _)| of(name)).flat_map(|(_, ids)| ids).map(|id| Found::Instance(*id)),
        );
        found.sort();
        found.dedup();
        match found.is_empty() {
            true => Err(NotFound { message: format!("no name matches `{glob}`"), help: None }),
            false => Ok(found),
        }
    }

    fn thing(&self, path: &str) -> Result<Option<Found>, NotFound> {
        if let Some(found) = self.index.get(path) {
            return Ok(Some(*found));
        }
        match self.shorts.get(path).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([one]) => Ok(Some(Found::Instance(*one))),
            Some(several) => {
                let full: Vec<String> = several.iter().map(|id| format!("`{}`", self.instances[id.0][0])).collect();
                Err(NotFound {
                    message: format!("`{path}` means more than one effect"),
                    help: Some(format!("say which: {}", full.join(" or "))),
                })
            }
        }
    }

    fn cable_path(&self, session: &Session, i: usize) -> String {
        let cable = &session.cables[i];
        let origin = session.origin(cable.from);
        let (from, to) = (&self.places[origin.0], &self.places[cable.to.0]);
        let plain = format!("{from}>{to}");
        match &cable.name {
            Some(name) => format!("{plain}:{name}"),
            None if session.places[cable.to.0].kind == PlaceKind::Sum => {
                // Nobody names the cables into a sum, and one thing may be added to itself.
                let same = |other: &Cable| other.to == cable.to && session.origin(other.from) == origin;
                match session.cables[..i].iter().filter(|other| same(other)).count() {
                    0 => plain,
                    before => format!("{plain}:{}", before + 1),
                }
            }
            None => plain,
        }
    }

    /// What tells a cable from others between the same places; empty for most.
    pub fn label(&self, id: CableId) -> &str {
        let path = self.cable(id);
        path.rsplit_once('>').and_then(|(_, to)| to.split_once(':')).map_or("", |(_, label)| label)
    }

    fn add(&mut self, chain: Vec<(InstanceId, String)>) {
        chain.into_iter().for_each(|(id, name)| self.instances[id.0].push(name));
    }

    /// What stands in a branch is named by the effect that the branch is of: `voice>band/multiband#2/compressor`.
    fn add_branches(&mut self, session: &Session) {
        // What stands within another comes before it.
        for (i, instance) in session.instances.iter().enumerate().rev() {
            let Some(effect) = instance.work.effect() else { continue };
            for owner in self.instances[i].clone() {
                for end in &effect.branches {
                    let branch = session.branch(InstanceId(i), *end);
                    let Some((first, rest)) = branch.split_first() else { continue };
                    let path = format!("{owner}#{}", session.branch_name(*first));
                    self.add(steps(session, &path, rest));
                    self.instances[first.0].push(path);
                }
            }
        }
    }
}

/// What the instances that a signal has passed are called along a cable.
fn chain_names(session: &Session, path: &str, end: Tap) -> Vec<(InstanceId, String)> {
    steps(session, path, &session.chain(end))
}

/// What instances in a row are called behind a path.
fn steps(session: &Session, path: &str, chain: &[InstanceId]) -> Vec<(InstanceId, String)> {
    let mut ordinals: BTreeMap<Cow<'static, str>, usize> = BTreeMap::new();
    let named = chain.iter().map(|id| {
        let (word, name) = match &session.instances[id.0].work {
            Work::Effect(effect) => (Cow::Borrowed(effect.table.0.word), effect.name.as_deref()),
            Work::Branch { of, .. } => {
                let word = session.instances[of.0].work.effect().map_or("", |effect| effect.table.0.word);
                (Cow::Owned(format!("{word}#{}", session.branch_name(*id))), None)
            }
            Work::Blend { name, .. } => (Cow::Borrowed("blend"), name.as_deref()),
        };
        let full = match name {
            Some(name) => format!("{path}/{name}"),
            None => {
                let ordinal = ordinals.entry(word.clone()).or_default();
                *ordinal += 1;
                if *ordinal == 1 { format!("{path}/{word}") } else { format!("{path}/{word}.{ordinal}") }
            }
        };
        (*id, full)
    });
    named.collect()
}

impl Session {
    /// The place that a signal started from.
    pub fn origin(&self, tap: Tap) -> PlaceId {
        let mut tap = tap;
        loop {
            match tap {
                Tap::Place(place) => return place,
                Tap::Instance(id) => tap = self.instances[id.0].from,
            }
        }
    }

    /// The instances that a signal has passed, from its place on.
    pub fn chain(&self, end: Tap) -> Vec<InstanceId> {
        let mut chain = Vec::new();
        let mut tap = end;
        while let Tap::Instance(id) = tap {
            chain.push(id);
            tap = self.instances[id.0].from;
        }
        chain.reverse();
        chain
    }

    /// The instances of the branch of an effect that ends at a tap, from the one that begins it.
    pub fn branch(&self, of: InstanceId, end: Tap) -> Vec<InstanceId> {
        let chain = self.chain(end);
        let begins =
            |id: &InstanceId| matches!(self.instances[id.0].work, Work::Branch { of: owner, .. } if owner == of);
        chain.iter().rposition(begins).map_or_else(Vec::new, |begin| chain[begin..].to_vec())
    }

    /// What the branch that an instance begins is called: `mid`, `2`. Nothing for any other instance.
    pub fn branch_name(&self, id: InstanceId) -> String {
        let Work::Branch { of, number } = self.instances[id.0].work else { return String::new() };
        let nest = self.instances[of.0].work.effect().and_then(|effect| nest::of(effect.table.0));
        nest.map_or_else(String::new, |nest| nest.name(number))
    }

    /// A parameter and its value.
    ///
    /// # Panics
    /// When owner and parameter are not of this session.
    pub fn setting(&self, owner: Owner, which: Which) -> (&'static Parameter, &Setting) {
        match (owner, which) {
            (Owner::Source(place, region), Which::Own(i)) => match &self.places[place.0].kind {
                PlaceKind::Input(sources) => (&sources[region].table.0.parameters[i], &sources[region].settings[i]),
                other => unreachable!("{other:?} has no sources"),
            },
            (Owner::Cable(cable), _) => match &self.cables[cable.0].kind {
                CableKind::Send { gain } => (&words::SEND_GAIN, gain),
                CableKind::Feedback { time } => (&words::FEEDBACK_TIME, time),
                CableKind::Plug => unreachable!("a plain cable has no parameter"),
            },
            (Owner::Instance(id) | Owner::Part(id, _), _) => match (&self.instances[id.0].work, owner, which) {
                (Work::Effect(effect), Owner::Part(_, part), Which::Own(i)) => {
                    let part = &effect.parts[part];
                    (&effect.table.0.parts[part.part].parameters[i], &part.settings[i])
                }
                (Work::Effect(effect), _, Which::Own(i)) => (&effect.table.0.parameters[i], &effect.settings[i]),
                (Work::Effect(effect), _, Which::Mix) => (&words::MIX, &effect.mix),
                (Work::Effect(effect), _, Which::Bypass) => (&words::BYPASS, &effect.bypass),
                (Work::Blend { mix, .. }, _, Which::Mix) => (&words::MIX, mix),
                (Work::Blend { bypass, .. }, ..) => (&words::BYPASS, bypass),
                (Work::Branch { .. }, ..) => unreachable!("a branch has no parameters"),
            },
            (Owner::Source(..), other) => unreachable!("a source has no {other:?}"),
        }
    }

    /// The value of a parameter, to be changed.
    ///
    /// # Panics
    /// When owner and parameter are not of this session.
    pub fn setting_mut(&mut self, owner: Owner, which: Which) -> &mut Setting {
        match (owner, which) {
            (Owner::Source(place, region), Which::Own(i)) => match &mut self.places[place.0].kind {
                PlaceKind::Input(sources) => &mut sources[region].settings[i],
                other => unreachable!("{other:?} has no sources"),
            },
            (Owner::Cable(cable), _) => match &mut self.cables[cable.0].kind {
                CableKind::Send { gain: setting } | CableKind::Feedback { time: setting } => setting,
                CableKind::Plug => unreachable!("a plain cable has no parameter"),
            },
            (Owner::Instance(id) | Owner::Part(id, _), _) => match (&mut self.instances[id.0].work, owner, which) {
                (Work::Effect(effect), Owner::Part(_, part), Which::Own(i)) => &mut effect.parts[part].settings[i],
                (Work::Effect(effect), _, Which::Own(i)) => &mut effect.settings[i],
                (Work::Effect(effect), _, Which::Mix) => &mut effect.mix,
                (Work::Effect(effect), _, Which::Bypass) => &mut effect.bypass,
                (Work::Blend { mix, .. }, _, Which::Mix) => mix,
                (Work::Blend { bypass, .. }, ..) => bypass,
                (Work::Branch { .. }, ..) => unreachable!("a branch has no parameters"),
            },
            (Owner::Source(..), other) => unreachable!("a source has no {other:?}"),
        }
    }
}

/// The nearest of some names, if a slip or two of the fingers would turn it into the word; capitals do not matter.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let most = (word.chars().count() / 3).clamp(1, 3);
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&word, &name.to_lowercase()), name))
        .filter(|(slips, _)| *slips <= most)
        .min()
        .map(|(_, name)| name)
}

fn short_form(full: &str) -> String {
    let (cable, step) = full.split_once('/').unwrap_or(("", full));
    let from = cable.split('>').next().unwrap_or("");
    format!("{from}/{step}")
}

fn glob_matches(glob: &str, name: &str) -> bool {
    match glob.split_once('*') {
        None => glob == name,
        Some((head, rest)) => match name.strip_prefix(head) {
            None => false,
            Some(tail) => {
                (0..=tail.len()).filter(|i| tail.is_char_boundary(*i)).any(|i| glob_matches(rest, &tail[i..]))
            }
        },
    }
}

/// Names of all places. A sum is named by its members in path order, a second one of the same members by a number too;
/// one that is left with a single member keeps the sign.
fn place_names(session: &Session) -> Vec<String> {
    let mut names: Vec<Option<String>> =
        session.places.iter().map(|place| (place.kind != PlaceKind::Sum).then(|| place.name.clone())).collect();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for (i, name) in names.iter_mut().enumerate().filter(|(_, name)| name.is_none()) {
        let mut members = Vec::new();
        sum_members(session, PlaceId(i), &mut members, 0);
        members.sort();
        let joined = if members.len() == 1 { format!("{}+", members[0]) } else { members.join("+") };
        let count = taken.entry(joined.clone()).or_default();
        *count += 1;
        *name = Some(if *count == 1 { joined } else { format!("{joined}.{count}") });
    }
    names.into_iter().flatten().collect()
}

/// How deep sums may lie in sums before their names stop being spelled out.
const SUM_DEPTH: usize = 32;

fn sum_members(session: &Session, sum: PlaceId, members: &mut Vec<String>, depth: usize) {
    for cable in session.cables.iter().filter(|cable| cable.to == sum) {
        let origin = session.origin(cable.from);
        match session.places[origin.0].kind {
            PlaceKind::Sum if depth < SUM_DEPTH => sum_members(session, origin, members, depth + 1),
            _ => members.push(session.places[origin.0].name.clone()),
        }
    }
}

fn parameter_of(
    session: &Session,
    found: Found,
    thing: &str,
    part: Option<&str>,
    name: &str,
) -> Result<Found, NotFound> {
    let (owner, parameters): (Owner, Vec<&'static Parameter>) = match found {
        Found::Place(id) => match &session.places[id.0].kind {
            PlaceKind::Input(sources) => {
                let region = part.map_or(Some(0), |part| numbered(part, sources.len()));
                let region = region.ok_or_else(|| no_part(thing, part.unwrap_or_default()))?;
                (Owner::Source(id, region), sources[region].table.0.parameters.iter().collect())
            }
            _ => return Err(NotFound { message: format!("`{thing}` has no parameters"), help: None }),
        },
        Found::Cable(id) => match session.cables[id.0].kind {
            CableKind::Send { .. } => (Owner::Cable(id), vec![&words::SEND_GAIN]),
            CableKind::Feedback { .. } => (Owner::Cable(id), vec![&words::FEEDBACK_TIME]),
            CableKind::Plug => {
                return Err(NotFound {
                    message: format!("the cable `{thing}` has no parameters"),
                    help: Some("a cable is at unity; a send has a `gain`, a `fader` on the cable too".into()),
                });
            }
        },
        Found::Instance(id) => match (&session.instances[id.0].work, part) {
            (Work::Effect(effect), Some(part)) => {
                let index = effect.parts.iter().position(|p| p.name.as_deref() == Some(part));
                let index = index.or_else(|| numbered(part, effect.parts.len()));
                let index = index.ok_or_else(|| no_part(thing, part))?;
                let table = &effect.table.0.parts[effect.parts[index].part];
                (Owner::Part(id, index), table.parameters.iter().collect())
            }
            (Work::Effect(effect), None) => (Owner::Instance(id), effect.table.0.parameters.iter().collect()),
            (Work::Blend { .. }, _) => (Owner::Instance(id), Vec::new()),
            (Work::Branch { .. }, _) => {
                return Err(NotFound { message: format!("`{thing}` has no parameters"), help: None });
            }
        },
        Found::Parameter(..) => (Owner::Cable(CableId(0)), Vec::new()),
    };
    if let Some(i) = parameters.iter().position(|p| p.name == name && !matches!(p.kind, Kind::Signal)) {
        return Ok(Found::Parameter(owner, Which::Own(i)));
    }
    let common = matches!(owner, Owner::Instance(_));
    match name {
        "mix" if common => Ok(Found::Parameter(owner, Which::Mix)),
        "bypass" if common => Ok(Found::Parameter(owner, Which::Bypass)),
        _ => {
            let own = parameters.iter().map(|p| p.name);
            let common = if common { &["mix", "bypass"][..] } else { &[] };
            let all: Vec<&str> = own.chain(common.iter().copied()).collect();
            let help = match nearest(name, all.iter().copied()) {
                Some(near) => format!("the nearest is `{near}`"),
                None => format!("it has {}", all.join(", ")),
            };
            Err(NotFound { message: format!("`{thing}` has no parameter `{name}`"), help: Some(help) })
        }
    }
}

fn numbered(part: &str, count: usize) -> Option<usize> {
    part.parse::<usize>().ok().filter(|n| (1..=count).contains(n)).map(|n| n - 1)
}

fn no_part(thing: &str, part: &str) -> NotFound {
    NotFound { message: format!("`{thing}` has no part `#{part}`"), help: Some("parts count from 1".into()) }
}
