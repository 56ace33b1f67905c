//! A session as plain data: what a text declares, each thing with the position that declared it.
//!
//! Signals form a forest: every [`Tap`] is a place or an instance of an effect, every instance continues from one tap,
//! and [`Cable`]s plug taps into places. Nothing here plays.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::album::Album;
use crate::credits::Credits;
use crate::diagnostic::Position;
use crate::effects::insert::INSERT;
use crate::expect::{Bound, Expectation};
use crate::figure::Figure;
use crate::form::{Form, Span};
use crate::parameter::{Part, Spoken, Table, Value};
use crate::tempo::{Glide, Grid, Pace};
use crate::units::Clock;

/// How long changes take unless the text says otherwise, in milliseconds.
pub const CROSSFADE_MS: f64 = 20.0;

/// Everything that a text declares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Session {
    /// The session's file and every file it imports, in the order of [`Position::file`].
    pub files: Vec<PathBuf>,
    /// The folder that media paths are relative to.
    pub folder: PathBuf,
    /// What it says of itself.
    pub credits: Credits,
    /// The album whose tracks one of its inputs plays, if it is one.
    pub album: Option<Album>,
    /// Beats a minute: where it ends, if it moves.
    pub tempo: f64,
    /// How it moves.
    pub glide: Option<Glide>,
    /// How long a change of the tempo takes, in milliseconds, which a line may be given beside what it says.
    pub tempo_over: f64,
    /// Beats a bar, and the note that is a beat.
    pub time_signature: (u32, u32),
    /// Frames a second.
    pub sample_rate: u32,
    /// Seed of everything random.
    pub seed: u64,
    /// Its sections and their order, if it has any.
    pub form: Form,
    /// The grid on which edits take effect; at once without one.
    pub quantize: Option<Grid>,
    /// How long changes take to be made, in milliseconds.
    pub crossfade: f64,
    /// Inputs, buses, sums and outputs. The first is always `master`.
    pub places: Vec<Place>,
    /// Effects applied to signals. An instance continues only from places and from earlier instances.
    pub instances: Vec<Instance>,
    /// What is plugged into what, in text order.
    pub cables: Vec<Cable>,
    /// The medium that it is meant for.
    pub target: Option<(String, Position)>,
    /// The device channels that whoever plays listens ahead on, from 1.
    pub cue_output: Option<(Vec<u16>, Position)>,
    /// With whom it shares its time while it plays.
    pub company: Company,
    /// What applies after everything else is declared, in text order.
    pub amendments: Vec<Amendment>,
    /// Texts that patterns were read from: what [`crate::pattern::Place::origin`] counts.
    #[serde(skip)]
    pub texts: Vec<Written>,
    /// What is expected of figures, once that is applied.
    pub expectations: Vec<Expectation>,
}

/// Where a text is written that a pattern is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it begins; where it is used if it is not written in quotes there.
    pub at: Position,
    /// Of one in quotes: characters by their numbers, with where they stand. Those behind one stand side by side, up to the next.
    pub anchors: Vec<(u32, Position)>,
}

impl Written {
    /// Where one of its characters stands.
    pub fn character(&self, number: u32) -> Position {
        let behind = self.anchors.partition_point(|(first, _)| *first <= number);
        match behind.checked_sub(1).and_then(|last| self.anchors.get(last)) {
            Some((first, at)) => Position { column: at.column + number - first, ..*at },
            None => self.at,
        }
    }
}

impl Session {
    /// A session with nothing in it but `master`.
    pub fn new(folder: PathBuf) -> Self {
        let master = Place::new("master", PlaceKind::Bus { channels: 2 }, Position::default());
        Session {
            files: Vec::new(),
            folder,
            credits: Credits::default(),
            album: None,
            tempo: 120.0,
            glide: None,
            tempo_over: 0.0,
            time_signature: (4, 4),
            sample_rate: 48_000,
            seed: 0,
            form: Form::default(),
            quantize: None,
            crossfade: CROSSFADE_MS,
            places: vec![master],
            instances: Vec::new(),
            cables: Vec::new(),
            target: None,
            cue_output: None,
            company: Company::default(),
            amendments: Vec::new(),
            texts: Vec::new(),
            expectations: Vec::new(),
        }
    }

    /// The effects that send to hardware and hear it.
    pub fn inserts(&self) -> impl Iterator<Item = (InstanceId, &Effect)> {
        let effects = self
            .instances
            .iter()
            .enumerate()
            .filter_map(|(i, instance)| Some((InstanceId(i), instance.work.effect()?)));
        effects.filter(|(_, effect)| std::ptr::eq(effect.table.0, &INSERT))
    }

    /// What it says of musical time, for the map of the transport.
    pub fn pace(&self) -> Pace {
        let clock = self.clock();
        Pace { clock, course: self.glide.as_ref().map(|glide| glide.course(&clock)), over: self.tempo_over }
    }

    /// What turns musical time into frames: where the tempo ends, if it moves.
    pub fn clock(&self) -> Clock {
        Clock {
            rate: f64::from(self.sample_rate),
            tempo: self.tempo,
            beats_per_bar: f64::from(self.time_signature.0) * 4.0 / f64::from(self.time_signature.1),
        }
    }
}

/// With whom a session shares tempo and beat while it plays; none of it is a part of a render.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Company {
    /// The MIDI port whose clock it follows.
    pub clock_in: Option<(String, Position)>,
    /// The MIDI ports that follow its clock, each with how much later it is sent than heard, in milliseconds.
    pub clock_out: Vec<(String, f64, Position)>,
    /// Whether it is a peer of Link.
    pub link: Option<Position>,
}

/// An index into [`Session::places`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PlaceId(pub usize);

/// An index into [`Session::instances`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct InstanceId(pub usize);

/// An index into [`Session::cables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CableId(pub usize);

/// The one bus that always exists.
pub const MASTER: PlaceId = PlaceId(0);

/// A point at which a signal can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Tap {
    /// What a place gives.
    Place(PlaceId),
    /// What an instance gives.
    Instance(InstanceId),
}

/// Where sound comes from, meets, or leaves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// Its name; for a sum and an output the engine makes one.
    pub name: String,
    /// What it is.
    pub kind: PlaceKind,
    /// What takes its sound away without changing anything declared.
    pub state: Audible,
    /// Where it is declared.
    pub at: Position,
}

impl Place {
    /// A place that nothing has been said of.
    pub fn new(name: impl Into<String>, kind: PlaceKind, at: Position) -> Self {
        Place { name: name.into(), kind, state: Audible::default(), at }
    }
}

/// What `mute`, `solo` and `safe` have said of a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audible {
    /// Its outgoing cables are silent.
    pub muted: bool,
    /// Inputs with no way through a soloed thing are silent.
    pub soloed: bool,
    /// Exempt from the solo of others.
    pub safe: bool,
}

/// What a place is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum PlaceKind {
    /// A source of sound: several regions add up.
    Input(Vec<Source>),
    /// A named place where signals add, `master` among them.
    Bus {
        /// How many channels it has.
        channels: usize,
    },
    /// An anonymous place where signals add, `a + b`. Its members are the cables into it.
    Sum,
    /// Channels of the device or the file, from 1.
    Output(Vec<u16>),
}

/// One source: a word of [`crate::sources::SOURCES`] with its settings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    /// The word's table.
    pub table: TableRef,
    /// A value for every parameter of the table, in its order.
    pub settings: Vec<Setting>,
    /// The section that it belongs to, as an index into [`Form::sections`].
    pub section: Option<usize>,
    /// When it sounds: in order, and apart from each other unless it begins anew in each; throughout without any.
    #[serde(skip)]
    pub spans: Option<Arc<[Span]>>,
    /// Where it is written.
    pub at: Position,
}

impl Source {
    /// The source as its table has it when nothing is said.
    pub fn new(table: &'static Table, at: Position) -> Self {
        let settings = Setting::defaults(table.parameters, at);
        Source { table: TableRef(table), settings, section: None, spans: None, at }
    }
}

/// An effect: a word of [`crate::effects::EFFECTS`] with its settings. A value; applied to a signal it becomes an
/// [`Instance`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// The word's table.
    pub table: TableRef,
    /// The name that replaces kind and ordinal in its path.
    pub name: Option<String>,
    /// A value for every parameter of the table, in its order.
    pub settings: Vec<Setting>,
    /// Bands and the like, in written order.
    pub parts: Vec<PartUse>,
    /// Wet against dry, in percent.
    pub mix: Setting,
    /// Passes its input on, at unchanged latency.
    pub bypass: Setting,
    /// What steers it, if it takes a key.
    pub key: Option<(Tap, Position)>,
    /// Of an effect that others stand in, once it is applied: what each of its branches ends with, in order.
    pub branches: Vec<Tap>,
    /// Where it is written.
    pub at: Position,
}

impl Effect {
    /// The effect as its table has it when nothing is said.
    pub fn new(table: &'static Table, at: Position) -> Self {
        Effect {
            table: TableRef(table),
            name: None,
            settings: Setting::defaults(table.parameters, at),
            parts: Vec::new(),
            mix: Setting { value: Value::Number(table.mix), at },
            bypass: Setting { value: Value::Flag(false), at },
            key: None,
            branches: Vec::new(),
            at,
        }
    }
}

impl Work {
    /// The effect, if it is one.
    pub fn effect(&self) -> Option<&Effect> {
        match self {
            Work::Effect(effect) => Some(effect),
            Work::Branch { .. } | Work::Blend { .. } => None,
        }
    }
}

/// A part appended to an effect, such as one band of an `eq`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartUse {
    /// An index into [`Table::parts`].
    pub part: usize,
    /// Its name in paths, beside its number.
    pub name: Option<String>,
    /// A value for every parameter of the part, in its order.
    pub settings: Vec<Setting>,
    /// Where it is written.
    pub at: Position,
}

impl PartUse {
    /// The part as its table has it when nothing is said.
    pub fn new(part: usize, table: &'static Part, at: Position) -> Self {
        PartUse { part, name: None, settings: Setting::defaults(table.parameters, at), at }
    }
}

/// A value with the position that said it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// The value.
    pub value: Value,
    /// Where it is said, or where the thing it belongs to is written.
    pub at: Position,
}

impl Setting {
    fn defaults(parameters: &[crate::parameter::Parameter], at: Position) -> Vec<Setting> {
        parameters.iter().map(|p| Setting { value: p.default(), at }).collect()
    }
}

/// An effect in a signal's way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Instance {
    /// What it does.
    pub work: Work,
    /// What flows in.
    pub from: Tap,
    /// Where it is applied.
    pub at: Position,
}

/// What an instance does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Work {
    /// One effect.
    Effect(Effect),
    /// One of the signals that a later instance takes apart what flows into both: the beginning of a branch of it.
    Branch {
        /// The effect that the branch belongs to.
        of: InstanceId,
        /// Which branch, from 0.
        number: usize,
    },
    /// The end of a composed effect that has a mix, a bypass or a name of its own: `from` is its wet end.
    Blend {
        /// The signal as it was before the composed effect.
        dry: Tap,
        /// Its name in paths, in place of `blend`.
        name: Option<String>,
        /// Wet against dry, in percent.
        mix: Setting,
        /// Gives the dry signal.
        bypass: Setting,
    },
}

/// A signal plugged into a place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cable {
    /// What flows.
    pub from: Tap,
    /// Where to.
    pub to: PlaceId,
    /// The name that tells two cables between the same places apart.
    pub name: Option<String>,
    /// What kind of cable.
    pub kind: CableKind,
    /// For a send or a feedback: the cable of the statement it is written in, once there is one.
    pub owner: Option<CableId>,
    /// Takes the place of an earlier cable of the same path instead of being an error.
    pub replaces: bool,
    /// Silent.
    pub muted: bool,
    /// Inputs with no way through it, or through another soloed thing, are silent.
    pub soloed: bool,
    /// Where it is plugged in.
    pub at: Position,
}

impl Cable {
    /// A cable that nothing more has been said of.
    pub fn new(from: Tap, to: PlaceId, kind: CableKind, at: Position) -> Self {
        Cable { from, to, name: None, kind, owner: None, replaces: false, muted: false, soloed: false, at }
    }
}

/// The kinds of cable.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum CableKind {
    /// `signal >> bus`, at unity.
    Plug,
    /// `send(bus, gain)`.
    Send {
        /// Its level: see [`crate::words::SEND_GAIN`].
        gain: Setting,
    },
    /// `feedback(bus, time)`: closes a loop.
    Feedback {
        /// The loop's period: see [`crate::words::FEEDBACK_TIME`].
        time: Setting,
    },
}

/// Something said of the whole, applied after everything is declared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Amendment {
    /// What.
    pub what: Amend,
    /// The section during which alone it holds, as an index into [`Form::sections`].
    pub section: Option<usize>,
    /// Where it is written.
    pub at: Position,
}

/// What an [`Amendment`] does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Amend {
    /// `mute(x)`, or with `off` no longer.
    Mute(Target, bool),
    /// `solo(x)`, or with `off` no longer.
    Solo(Target, bool),
    /// `safe(x)`.
    Safe(Target),
    /// `set(path, value)`.
    Set(String, #[serde(skip)] Spoken),
    /// `unplug(path)`.
    Unplug(Target),
    /// `remove(path)`.
    Remove(Target),
    /// `before(path, effect)`: the effects in order.
    Before(Target, Vec<Effect>),
    /// `after(path, effect)`: the effects in order.
    After(Target, Vec<Effect>),
    /// `expect(figure).below(x)`.
    Expect {
        /// Of what.
        of: Target,
        /// Whether of what comes into it.
        input: bool,
        /// Over the same figure of what, as the two of these; without it the figure itself is meant.
        over: Option<(Target, bool)>,
        /// Of which of its figures.
        figure: Figure,
        /// What.
        bound: Bound,
    },
}

/// What an amendment speaks of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Target {
    /// A place by its handle.
    Place(PlaceId),
    /// A cable by its handle.
    Cable(CableId),
    /// An effect by its handle.
    Instance(InstanceId),
    /// A path, or a glob of names.
    Path(String),
    /// What an earlier amendment took away.
    Gone,
}

/// A table, compared by identity and written as its word.
#[derive(Clone, Copy, Debug)]
pub struct TableRef(pub &'static Table);

impl PartialEq for TableRef {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl std::ops::Deref for TableRef {
    type Target = Table;

    fn deref(&self) -> &Table {
        self.0
    }
}

impl Serialize for TableRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word)
    }
}
