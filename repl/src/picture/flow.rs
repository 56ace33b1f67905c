//! From a session and its graph to a diagram. A card is what a signal passes until it goes several ways: rows are effects and
//! sends in the order in which they are passed, so that what is tapped before the fader stands above it.

use std::collections::BTreeMap;

use engine::control::Way;
use engine::graph::{Edge, Graph, Role};
use engine::names::{Names, Owner, Which};
use engine::parameter::Value;
use engine::session::{
    Cable as Plugged, CableId, CableKind as Plugging, Effect, InstanceId, MASTER, Place, PlaceId, PlaceKind, Session,
    Tap, Work,
};
use engine::words::{FEEDBACK_TIME, MIX, SEND_GAIN};

use super::diagram::{Cable, CableKind, Card, CardKind, Diagram, End, Row, RowKind};
use super::silence::Silence;
use super::wording;

/// How many bands of an equaliser are shown, and how many lines of what an input plays.
const MOST_PARTS: usize = 4;
const MOST_SOURCES: usize = 2;

/// What there is to show.
pub fn diagram(session: &Session, graph: &Graph) -> Diagram {
    let names = Names::of(session);
    let mut building = Building::new(session, graph, &names);
    building.add_places();
    building.add_cables();
    building.add_steering();
    let slots = session.form.slots();
    let section =
        |slot: &engine::form::Slot| (session.form.sections[slot.section].name.clone(), slot.span.end - slot.span.begin);
    let (beats, note) = session.time_signature;
    let title = session.credits.title.clone().or_else(|| {
        let file = session.files.first()?.file_stem()?;
        Some(file.to_string_lossy().into_owned())
    });
    Diagram {
        title: title.unwrap_or_default(),
        about: format!("{} bpm, {beats}/{note}, {} kHz", session.tempo, f64::from(session.sample_rate) / 1000.0),
        sections: slots.iter().map(section).collect(),
        cards: building.cards,
        cables: building.cables,
        is_large: false,
    }
}

struct Building<'a> {
    session: &'a Session,
    graph: &'a Graph,
    names: &'a Names,
    silence: Silence<'a>,
    /// The effects that go on from a tap, those within others aside.
    onward: BTreeMap<Tap, Vec<InstanceId>>,
    /// The sends and feedbacks that are written at a tap.
    tapped: BTreeMap<Tap, Vec<CableId>>,
    cards: Vec<Card>,
    cables: Vec<Cable>,
    of_place: BTreeMap<PlaceId, usize>,
    /// Where a signal leaves its card.
    ends: BTreeMap<Tap, End>,
    /// The rows of sends and feedbacks.
    sends: BTreeMap<CableId, End>,
    /// The rows of what moves parameters.
    moved: BTreeMap<(Owner, Which), End>,
}

impl<'a> Building<'a> {
    fn new(session: &'a Session, graph: &'a Graph, names: &'a Names) -> Self {
        let mut onward: BTreeMap<Tap, Vec<InstanceId>> = BTreeMap::new();
        for (i, instance) in session.instances.iter().enumerate() {
            if !matches!(instance.work, Work::Branch { .. }) {
                onward.entry(instance.from).or_default().push(InstanceId(i));
            }
        }
        let mut tapped: BTreeMap<Tap, Vec<CableId>> = BTreeMap::new();
        for (i, cable) in session.cables.iter().enumerate() {
            if !matches!(cable.kind, Plugging::Plug) {
                tapped.entry(cable.from).or_default().push(CableId(i));
            }
        }
        let silence = Silence::of(session, graph, names);
        let (ends, sends, moved) = Default::default();
        let (cards, cables, of_place) = Default::default();
        Building { session, graph, names, silence, onward, tapped, cards, cables, of_place, ends, sends, moved }
    }

    fn add_places(&mut self) {
        for (i, place) in self.session.places.iter().enumerate() {
            let id = PlaceId(i);
            let name = self.names.place(id).to_owned();
            let card = self.cards.len();
            self.of_place.insert(id, card);
            let made = self.card_of(id, place, name);
            self.cards.push(made);
            if let PlaceKind::Input(sources) = &place.kind {
                for (region, source) in sources.iter().enumerate() {
                    for which in 0..source.settings.len() {
                        self.add_control(card, Owner::Source(id, region), Which::Own(which));
                    }
                }
            }
            self.follow(Tap::Place(id), card);
        }
    }

    fn card_of(&self, id: PlaceId, place: &Place, name: String) -> Card {
        let node = self.graph.nodes.iter().find(|node| node.path == name);
        let (kind, shown, mut about) = match &place.kind {
            PlaceKind::Input(_) => (CardKind::Input, name.clone(), self.about(place, &name)),
            PlaceKind::Bus { .. } if id == MASTER => (CardKind::Master, name.clone(), Vec::new()),
            PlaceKind::Bus { .. } => (CardKind::Bus, name.clone(), Vec::new()),
            PlaceKind::Sum => (CardKind::Sum, "+".into(), vec![name.replace('+', " + ")]),
            PlaceKind::Output(channels) => {
                let numbers: Vec<String> = channels.iter().map(u16::to_string).collect();
                let late = node.map(|node| node.late).filter(|late| *late > 0);
                let late = late.map(|late| format!("{} ms late", ms(late, self.graph.clock.rate)));
                (CardKind::Output, format!("output {}", numbers.join(", ")), late.into_iter().collect())
            }
        };
        let silent = self.silence.of_place(id);
        about.extend(silent.map(str::to_owned));
        let badge = match (place.state.muted, place.state.soloed) {
            (true, _) => Some("muted"),
            (_, true) => Some("soloed"),
            _ => silent.map(|_| "silent"),
        };
        let channels = node.map_or(0, |node| node.channels);
        Card { paths: vec![name], kind, name: shown, about, badge, rows: Vec::new(), channels, is_large: false }
    }

    /// What an input plays, and in which sections.
    fn about(&self, place: &Place, name: &str) -> Vec<String> {
        let PlaceKind::Input(sources) = &place.kind else { return Vec::new() };
        if let Some(album) = self.session.album.as_ref().filter(|album| album.input == name) {
            return vec![format!("{} tracks", album.tracks.len())];
        }
        let mut kinds: Vec<String> = Vec::new();
        let mut sections: Vec<&str> = Vec::new();
        for source in sources {
            let said = wording::source(source);
            if !kinds.contains(&said) {
                kinds.push(said);
            }
            let section = source.section.map(|section| &*self.session.form.sections[section].name);
            sections.extend(section.filter(|section| !sections.contains(section)));
        }
        let more = kinds.len().saturating_sub(MOST_SOURCES);
        if more > 0 {
            kinds.truncate(MOST_SOURCES - 1);
            kinds.push(format!("and {} more", more + 1));
        }
        if !sections.is_empty() {
            kinds.push(format!("in {}", sections.join(", ")));
        }
        kinds
    }

    /// Adds what a signal passes from a tap on to a card, and to cards of their own where it goes several ways.
    fn follow(&mut self, tap: Tap, card: usize) {
        let mut open = vec![(tap, card, None)];
        while let Some((tap, card, row)) = open.pop() {
            self.ends.insert(tap, End { card, row });
            for send in self.tapped.get(&tap).cloned().unwrap_or_default() {
                self.add_send(card, send);
            }
            match self.onward.get(&tap).cloned().unwrap_or_default()[..] {
                [] => {}
                [next] => {
                    let row = self.add_effect(card, next);
                    open.push((Tap::Instance(next), card, Some(row)));
                }
                ref several => {
                    for next in several.iter().rev() {
                        let way = self.add_way(tap, *next);
                        let row = self.add_effect(way, *next);
                        open.push((Tap::Instance(*next), way, Some(row)));
                    }
                }
            }
        }
    }

    /// A card for one of the ways that a signal goes, and the cable to it.
    fn add_way(&mut self, tap: Tap, first: InstanceId) -> usize {
        let full = self.names.instance(first).first().map_or("", String::as_str);
        let path = full.rsplit_once('/').map_or(full, |(path, _)| path).to_owned();
        let (from, to) = path.split_once('>').unwrap_or((&path, ""));
        let name = match self.keyed_by(first) {
            Some(keyed) => format!("key of {keyed}"),
            None if to.is_empty() => from.to_owned(),
            None => format!("{from} > {to}"),
        };
        let way = self.cards.len();
        let channels = self.channels(tap);
        self.cards.push(Card {
            paths: vec![path.clone()],
            kind: CardKind::Way,
            name,
            about: Vec::new(),
            badge: None,
            rows: Vec::new(),
            channels,
            is_large: false,
        });
        let (from, to) = (self.ends[&tap], End { card: way, row: None });
        let title = format!("{path}, from {}", self.called(tap));
        let paths = vec![path];
        self.cables.push(Cable { paths, kind: CableKind::Plug, from, to, is_silent: false, channels, title });
        way
    }

    /// What an effect is on the way to, if that is the key of another alone.
    fn keyed_by(&self, id: InstanceId) -> Option<String> {
        let passes = |tap: Tap| self.session.chain(tap).contains(&id);
        if self.session.cables.iter().any(|cable| passes(cable.from)) {
            return None;
        }
        let key = |of: &usize| self.session.instances[*of].work.effect().and_then(|effect| effect.key);
        let keyed = (0..self.session.instances.len()).find(|of| key(of).is_some_and(|(tap, _)| passes(tap)))?;
        Some(self.names.call(InstanceId(keyed)))
    }

    fn add_row(&mut self, card: usize, row: Row) -> usize {
        self.cards[card].rows.push(row);
        self.cards[card].rows.len() - 1
    }

    /// Adds an effect with its parts, what stands in it, and what moves it; the number of its own row.
    fn add_effect(&mut self, card: usize, id: InstanceId) -> usize {
        let work = &self.session.instances[id.0].work;
        let (path, full) = self.paths(id);
        let title = format!("{path}: {}", wording::in_full(work));
        let row = |word: String, figures: String, is_idle: bool| Row {
            path: path.clone(),
            full: full.clone(),
            kind: RowKind::Effect,
            sort: word.clone(),
            word,
            figures,
            title: title.clone(),
            is_idle,
            is_large: false,
        };
        let effect = match work {
            Work::Effect(effect) => effect,
            Work::Branch { .. } => return self.add_row(card, row(String::new(), String::new(), false)),
            Work::Blend { dry, name, mix, bypass } => {
                let is_idle = bypass.value == Value::Flag(true);
                let within = self.session.chain(Tap::Instance(id)).len() - self.session.chain(*dry).len() - 1;
                let figures = match mix.value.control() {
                    _ if is_idle => "bypassed".into(),
                    Some(_) => format!("of the {within} above"),
                    None => format!("mix {} of the {within} above", MIX.show(&mix.value)),
                };
                let word = name.clone().unwrap_or_else(|| "blend".into());
                let at = self.add_row(card, row(word, figures, is_idle));
                self.add_control(card, Owner::Instance(id), Which::Mix);
                return at;
            }
        };
        let is_idle = effect.bypass.value == Value::Flag(true) || self.silence.of_effect(id);
        let sort = effect.table.word.to_owned();
        let own = Row { sort, ..row(wording::word(effect), wording::figures(effect), is_idle) };
        let at = self.add_row(card, own);
        let detail = |word: String, figures: String| Row { kind: RowKind::Detail, ..row(word, figures, is_idle) };
        let more = effect.parts.len().saturating_sub(MOST_PARTS);
        let shown = match effect.parts.len() {
            1 => 0,
            _ if more > 0 => MOST_PARTS - 1,
            all => all,
        };
        for used in &effect.parts[..shown] {
            let (word, figures) = wording::part(effect, used);
            self.add_row(card, detail(word, figures));
        }
        if more > 0 {
            self.add_row(card, detail(format!("and {} more", more + 1), String::new()));
        }
        self.add_inside(card, id, effect);
        for which in 0..effect.settings.len() {
            self.add_control(card, Owner::Instance(id), Which::Own(which));
        }
        for (part, used) in effect.parts.iter().enumerate() {
            for which in 0..used.settings.len() {
                self.add_control(card, Owner::Part(id, part), Which::Own(which));
            }
        }
        self.add_control(card, Owner::Instance(id), Which::Mix);
        at
    }

    /// Adds what stands in an effect, each behind the name of its branch.
    fn add_inside(&mut self, card: usize, id: InstanceId, effect: &Effect) {
        for (branch, inside) in wording::inside(self.session, id, effect) {
            for (n, inner) in inside.into_iter().enumerate() {
                let at = self.add_effect(card, inner);
                let row = &mut self.cards[card].rows[at];
                row.kind = RowKind::Detail;
                row.word = if n == 0 { format!("{branch}: {}", row.word) } else { format!("then {}", row.word) };
                row.sort.clone_from(&row.word);
                self.ends.insert(Tap::Instance(inner), End { card, row: Some(at) });
                for send in self.tapped.get(&Tap::Instance(inner)).cloned().unwrap_or_default() {
                    self.add_send(card, send);
                }
            }
        }
    }

    fn add_send(&mut self, card: usize, id: CableId) {
        let cable = &self.session.cables[id.0];
        let (to, path) = (self.names.place(cable.to), self.names.cable(id).to_owned());
        let (kind, word, figures) = match &cable.kind {
            Plugging::Feedback { time } => {
                (RowKind::Feedback, format!("back to {to}"), FEEDBACK_TIME.show(&time.value))
            }
            Plugging::Send { gain } if gain.value.control().is_some() => {
                (RowKind::Send, format!("send {to}"), String::new())
            }
            Plugging::Send { gain } => (RowKind::Send, format!("send {to}"), SEND_GAIN.show(&gain.value)),
            Plugging::Plug => return,
        };
        let title = self.told(id, cable);
        let (full, sort, is_idle) = (path.clone(), word.clone(), self.is_silent(id));
        let row = self.add_row(card, Row { path, full, kind, word, sort, figures, title, is_idle, is_large: false });
        self.sends.insert(id, End { card, row: Some(row) });
        if matches!(cable.kind, Plugging::Send { .. }) {
            self.add_control(card, Owner::Cable(id), Which::Own(0));
        }
    }

    /// Adds what moves a parameter, if anything does.
    fn add_control(&mut self, card: usize, owner: Owner, which: Which) {
        let (parameter, setting) = self.session.setting(owner, which);
        let Some(control) = setting.value.control() else { return };
        let path = self.names.call_parameter(self.session, owner, which);
        let full = self.names.parameter(self.session, owner, which);
        let number = match owner {
            Owner::Part(_, part) => format!("{} of {}", parameter.name, part + 1),
            _ => parameter.name.to_owned(),
        };
        let figures = match &control.way {
            Way::Sections { .. } => "set by sections".to_owned(),
            _ => control.to_string(),
        };
        let title = format!("{path}: moved by {figures}");
        let (kind, word, is_idle) = (RowKind::Control, number.replace('_', " "), false);
        let sort = word.clone();
        let row = self.add_row(card, Row { path, full, kind, word, sort, figures, title, is_idle, is_large: false });
        self.moved.insert((owner, which), End { card, row: Some(row) });
    }

    fn add_cables(&mut self) {
        for (i, cable) in self.session.cables.iter().enumerate() {
            let id = CableId(i);
            let Some(to) = self.of_place.get(&cable.to).map(|card| End { card: *card, row: None }) else { continue };
            let from = self.sends.get(&id).or_else(|| self.ends.get(&cable.from)).copied();
            let Some(from) = from else { continue };
            let path = self.names.cable(id).to_owned();
            let kind = match cable.kind {
                Plugging::Plug => CableKind::Plug,
                Plugging::Send { .. } => CableKind::Send,
                Plugging::Feedback { .. } => CableKind::Feedback,
            };
            let (is_silent, channels) = (self.is_silent(id), self.channels(cable.from));
            let title = self.told(id, cable);
            self.cables.push(Cable { paths: vec![path], kind, from, to, is_silent, channels, title });
        }
    }

    /// A cable in words.
    fn told(&self, id: CableId, cable: &Plugged) -> String {
        let path = self.names.cable(id);
        let mut said = match &cable.kind {
            Plugging::Plug => path.to_owned(),
            Plugging::Send { gain } => format!("{path}: send {}", SEND_GAIN.show(&gain.value)),
            Plugging::Feedback { time } => format!("{path}: feedback {}", FEEDBACK_TIME.show(&time.value)),
        };
        if self.is_silent(id) {
            said += ", silent";
        }
        if let Some(delay) = self.edge(id).map(|edge| edge.delay).filter(|delay| *delay > 0) {
            said += &format!(", waits {} ms for slower ones", ms(delay, self.graph.clock.rate));
        }
        said
    }

    /// What the graph has for a cable.
    fn edge(&self, id: CableId) -> Option<&'a Edge> {
        let path = self.names.cable(id);
        let plugged = |edge: &&Edge| edge.path == path && !matches!(self.graph.nodes[edge.to].role, Role::Work { .. });
        self.graph.edges.iter().find(plugged)
    }

    fn is_silent(&self, id: CableId) -> bool {
        let is_off = self.edge(id).is_some_and(|edge| edge.gain == 0.0 && edge.control.is_none());
        is_off || self.silence.of_cable(id)
    }

    /// Adds what steers effects: keys, and what controls follow.
    fn add_steering(&mut self) {
        for (i, instance) in self.session.instances.iter().enumerate() {
            let Some((key, _)) = instance.work.effect().and_then(|effect| effect.key) else { continue };
            let to = self.ends.get(&Tap::Instance(InstanceId(i))).copied();
            let (path, _) = self.paths(InstanceId(i));
            self.steer(CableKind::Key, key, to, format!("{path}.key"));
        }
        for (owner, which, tap) in self.session.followed() {
            let to = self.moved.get(&(owner, which)).copied();
            let path = self.names.call_parameter(self.session, owner, which);
            self.steer(CableKind::Follow, tap, to, path);
        }
    }

    fn steer(&mut self, kind: CableKind, tap: Tap, to: Option<End>, path: String) {
        let (Some(from), Some(to)) = (self.ends.get(&tap).copied(), to) else { return };
        let how = if kind == CableKind::Key { "keyed by" } else { "follows" };
        let title = format!("{path}: {how} {}", self.called(tap));
        let channels = self.channels(tap);
        self.cables.push(Cable { paths: vec![path], kind, from, to, is_silent: false, channels, title });
    }

    /// The path that a person would type for an effect, and the compiled one where that is another.
    fn paths(&self, id: InstanceId) -> (String, String) {
        (self.names.call(id), self.names.instance(id).first().cloned().unwrap_or_default())
    }

    fn called(&self, tap: Tap) -> String {
        match tap {
            Tap::Place(id) => self.names.place(id).to_owned(),
            Tap::Instance(id) => self.names.call(id),
        }
    }

    /// How many channels a tap has.
    fn channels(&self, tap: Tap) -> usize {
        let path = match tap {
            Tap::Place(id) => self.names.place(id),
            Tap::Instance(id) => self.names.instance(id).first().map_or("", String::as_str),
        };
        self.graph.nodes.iter().find(|node| node.path == path).map_or(0, |node| node.channels)
    }
}

fn ms(frames: usize, rate: f64) -> f64 {
    (frames as f64 / rate * 1e5).round() / 100.0
}
