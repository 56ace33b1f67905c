//! The tables that effects and sources are declared by: each parameter stands once, with its unit, range, default and
//! help, and everything else (setters, checks, reference, completion) is read off here.

use crate::kernel::Kernel;
use crate::math;
use crate::motion::Rate;
use crate::units::{Clock, Unit};

mod accepting;

pub use crate::part::{Part, PartWord};
pub use crate::recipe::{Branch, Recipe};
pub use crate::spoken::{Accepted, Refusal, Spoken};
pub use crate::value::Value;

/// One word that makes sound or changes it: an effect, or a source.
pub struct Table {
    /// The word itself, which is also the effect's kind in paths.
    pub word: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// A line that can be played as it stands, given a signal `x` (for an effect) or nothing (for a source).
    pub example: &'static str,
    /// Names of the parameters that the word's own arguments set, in order; [`NAME`] names the effect.
    pub arguments: &'static [&'static str],
    /// Every parameter, in the order in which kernels receive them.
    pub parameters: &'static [Parameter],
    /// What may be appended to it any number of times: the bands of an `eq`.
    pub parts: &'static [Part],
    /// The default of `.mix`, in percent.
    pub mix: f64,
    /// How many channels leave, given those that come in. An error says why such an input cannot be taken.
    pub channels: fn(&Recipe) -> Result<usize, String>,
    /// Frames by which the output lags the input.
    pub latency: fn(&Recipe) -> usize,
    /// Frames for which it sounds after its input has ended; 0 for what has no tail worth hearing out.
    pub tail: fn(&Recipe) -> u64,
    /// What it still gives of what it has heard, and so how it is put in and taken out.
    pub memory: Memory,
    /// Builds the state and code that does the work. Not RT.
    pub kernel: fn(&Recipe) -> Box<dyn Kernel>,
}

/// The argument of a word that is no parameter: what the effect is called, as `.named` says it.
pub const NAME: &str = "name";

/// What an effect still gives of what it has heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Nothing that could be told from what it hears now.
    Brief,
    /// What it hears, later by at most its tail: one that is new fills with sound for so long before it is faded in.
    Line,
    /// Echoes, or a room. What flows into one that is new is faded in; one that is taken out rings on.
    Echoes,
}

impl Table {
    /// The index of a parameter by its name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|p| p.name == name)
    }

    /// Whether it is an instrument: what plays a pattern.
    pub fn plays(&self) -> bool {
        self.parameters.iter().any(|parameter| matches!(parameter.kind, Kind::Pattern))
    }

    /// Whether it names channels: of a device, or of a file.
    pub fn names_channels(&self) -> bool {
        self.parameters.iter().any(|parameter| matches!(parameter.kind, Kind::Channels))
    }

    /// What a recipe of this table has for a parameter, by its name.
    ///
    /// # Panics
    /// If the table has no such parameter.
    pub fn value(&self, recipe: &Recipe, name: &str) -> f64 {
        let index = self.index(name).unwrap_or_else(|| panic!("`{}` has no parameter `{name}`", self.word));
        recipe.values[index]
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word)
    }
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name, and that of its setter.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Changing it builds a new kernel, crossfaded with the old.
    pub fixed: bool,
    /// Whether a control may move it.
    pub moves: bool,
    /// Whether it is a place on the transport rather than a length.
    pub on_transport: bool,
    /// For a choice, the option with which everything of its effect is fixed: what is made of it takes long to make.
    pub fixes_all: Option<usize>,
    /// Whether what it adds is drawn from the recipe's seed.
    pub random: bool,
    /// One line of help.
    pub help: &'static str,
}

/// What values a parameter takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A number within a range.
    Number {
        /// The unit of a bare number.
        unit: Unit,
        /// The default; `None` is the special value.
        default: Option<f64>,
        /// The smallest value allowed.
        least: f64,
        /// The largest value allowed.
        most: f64,
        /// A word that may stand in place of a number, and what the kernel receives for it: `("off", 0.0)`.
        special: Option<(&'static str, f64)>,
        /// How a change is glided, and what the kernel receives.
        law: Law,
    },
    /// A number out of a short list. Always fixed.
    Steps {
        /// The unit of a bare number.
        unit: Unit,
        /// The default.
        default: f64,
        /// What is allowed.
        options: &'static [f64],
    },
    /// A word out of a short list. Always fixed. Kernels receive its index.
    Choice {
        /// Which of the options is the default.
        default: usize,
        /// What is allowed.
        options: &'static [&'static str],
    },
    /// Yes or no; the setter without an argument says yes. Fixed, unless it is [`Parameter::live`] or a
    /// [`Parameter::switch`]. Kernels receive 0 or 1.
    Flag {
        /// The default.
        default: bool,
    },
    /// Numbers of channels, counted from 1. Always fixed; kernels read them from the recipe.
    Channels,
    /// A media file, relative to the session's folder. Always fixed; kernels read it from the recipe.
    Path,
    /// A folder of media files, relative to the session's folder; none by default. Always fixed; kernels read the files from
    /// the recipe.
    Folder,
    /// A signal that steers the effect without being heard: a sidechain key.
    Signal,
    /// A pattern. A change of it builds nothing anew, and no control moves it.
    Pattern,
    /// What a closure was traced into. Always fixed, and set by nothing but the word that traces it.
    Circuit,
    /// The MIDI channel of a keyboard that plays the instrument, from 1, or any of them ([`ANY_CHANNEL`]: the setter without
    /// an argument); none by default. A change of it builds nothing anew.
    Keyboard,
    /// The name of a MIDI port. A change of it builds nothing anew, and no control moves it.
    Port,
}

/// What stands for any channel of a keyboard.
pub const ANY_CHANNEL: f64 = 0.0;

/// How a changed number glides to its new value, and in which form kernels receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// Evenly in its own unit.
    Linear,
    /// A level in dB, handed to the kernel as a linear gain, which is what glides evenly.
    Amplitude,
    /// Evenly in octaves; the kernel receives the plain value. For frequencies.
    Octaves,
    /// The kernel receives the new value at once and does the gliding itself.
    Own,
    /// A frequency that may also be said as the length of a cycle in music, which is then locked to the transport. The kernel
    /// receives the [`Rate::number`] at once; what turns by it glides itself.
    Pace,
}

impl Parameter {
    /// A number with a range. Frequencies glide in octaves, everything else evenly, until [`Parameter::law`] says
    /// otherwise.
    pub const fn number(
        name: &'static str,
        unit: Unit,
        default: f64,
        least: f64,
        most: f64,
        help: &'static str,
    ) -> Self {
        let law = match unit {
            Unit::Hertz => Law::Octaves,
            _ => Law::Linear,
        };
        let kind = Kind::Number { unit, default: Some(default), least, most, special: None, law };
        Parameter::of(name, kind, help)
    }

    /// One that may be changed and moved while its kernel runs.
    const fn of(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Parameter { name, kind, fixed: false, moves: true, on_transport: false, fixes_all: None, random: false, help }
    }

    /// A number out of a list.
    pub const fn steps(
        name: &'static str,
        unit: Unit,
        default: f64,
        options: &'static [f64],
        help: &'static str,
    ) -> Self {
        Parameter::of(name, Kind::Steps { unit, default, options }, help).fixed()
    }

    /// A word out of a list; the first is the default.
    pub const fn choice(name: &'static str, options: &'static [&'static str], help: &'static str) -> Self {
        Parameter::of(name, Kind::Choice { default: 0, options }, help).fixed()
    }

    /// Yes or no.
    pub const fn flag(name: &'static str, default: bool, help: &'static str) -> Self {
        Parameter::of(name, Kind::Flag { default }, help).fixed()
    }

    /// Numbers of channels.
    pub const fn channels(name: &'static str, help: &'static str) -> Self {
        Parameter::of(name, Kind::Channels, help).fixed()
    }

    /// A media file.
    pub const fn path(name: &'static str, help: &'static str) -> Self {
        Parameter::of(name, Kind::Path, help).fixed()
    }

    /// A folder of media files.
    pub const fn folder(name: &'static str, help: &'static str) -> Self {
        Parameter::of(name, Kind::Folder, help).fixed()
    }

    /// A sidechain key.
    pub const fn signal(name: &'static str, help: &'static str) -> Self {
        Parameter::of(name, Kind::Signal, help).fixed()
    }

    /// A pattern: what is played, or numbers that go with it.
    pub const fn pattern(name: &'static str, help: &'static str) -> Self {
        let mut parameter = Parameter::of(name, Kind::Pattern, help);
        parameter.moves = false;
        parameter
    }

    /// A circuit.
    pub const fn circuit(name: &'static str, help: &'static str) -> Self {
        Parameter::of(name, Kind::Circuit, help).fixed()
    }

    /// A keyboard.
    pub const fn keyboard(name: &'static str, help: &'static str) -> Self {
        let mut parameter = Parameter::of(name, Kind::Keyboard, help);
        parameter.moves = false;
        parameter
    }

    /// A MIDI port.
    pub const fn port(name: &'static str, help: &'static str) -> Self {
        let mut parameter = Parameter::of(name, Kind::Port, help);
        parameter.moves = false;
        parameter
    }

    /// The same, but a change builds a new kernel.
    pub const fn fixed(mut self) -> Self {
        self.fixed = true;
        self.moves = false;
        self
    }

    /// The same, but a change of the number builds a new kernel, while a control moves the one there is.
    pub const fn rebuilt(mut self) -> Self {
        self.fixed = true;
        self
    }

    /// The same, but with one of its options, by its index, everything of the effect is fixed. For choices.
    pub const fn fixes_all(mut self, option: usize) -> Self {
        self.fixes_all = Some(option);
        self
    }

    /// The same for what adds something drawn from the recipe's seed: an effect that has it is another at another path.
    pub const fn random(mut self) -> Self {
        self.random = true;
        self
    }

    /// The same as a place on the transport: what is musical in it is reckoned with the tempo as it was.
    pub const fn on_transport(mut self) -> Self {
        self.on_transport = true;
        self
    }

    /// The same, but a change is handed to the kernel, evenly from 0 to 1 or back. For flags.
    pub const fn live(mut self) -> Self {
        self.fixed = false;
        self
    }

    /// The same, but a change is handed to the kernel at once, and a control may throw it: it is on from a half up. For flags.
    pub const fn switch(mut self) -> Self {
        self.fixed = false;
        self.moves = true;
        self
    }

    /// What a control takes it for: a switch is a number from 0 to 1.
    pub(crate) const fn as_moved(&self) -> Parameter {
        match self.kind {
            Kind::Flag { default } if self.moves => {
                Parameter::number(self.name, Unit::Plain, if default { 1.0 } else { 0.0 }, 0.0, 1.0, self.help)
            }
            _ => *self,
        }
    }

    /// The same with another way to glide.
    pub const fn law(mut self, to: Law) -> Self {
        if let Kind::Number { unit, default, least, most, special, .. } = self.kind {
            self.kind = Kind::Number { unit, default, least, most, special, law: to };
        }
        self
    }

    /// The same with a word that may stand in place of a number; `value` is what the kernel receives for it.
    pub const fn or(mut self, word: &'static str, value: f64) -> Self {
        if let Kind::Number { unit, default, least, most, law, .. } = self.kind {
            self.kind = Kind::Number { unit, default, least, most, special: Some((word, value)), law };
        }
        self
    }

    /// The same with another default. For numbers.
    pub const fn with_default(mut self, number: f64) -> Self {
        if let Kind::Number { unit, least, most, special, law, .. } = self.kind {
            self.kind = Kind::Number { unit, default: Some(number), least, most, special, law };
        }
        self
    }

    /// The same with the special word as its default.
    pub const fn special_by_default(mut self) -> Self {
        if let Kind::Number { unit, least, most, special, law, .. } = self.kind {
            self.kind = Kind::Number { unit, default: None, least, most, special, law };
        }
        self
    }

    /// The value it has when nothing is said. Signals, paths, folders and patterns have none and answer with [`Value::Special`].
    pub fn default(&self) -> Value {
        match self.kind {
            Kind::Number { default: Some(number), .. } | Kind::Steps { default: number, .. } => Value::Number(number),
            Kind::Number { default: None, .. }
            | Kind::Path
            | Kind::Folder
            | Kind::Signal
            | Kind::Pattern
            | Kind::Circuit
            | Kind::Keyboard
            | Kind::Port => Value::Special,
            Kind::Choice { default, .. } => Value::Choice(default),
            Kind::Flag { default } => Value::Flag(default),
            Kind::Channels => Value::Channels(Vec::new()),
        }
    }

    /// What the kernel receives for a value: a plain number in the parameter's unit, or as its law says. For a control, which
    /// has no one value, it is that of the default.
    pub fn resolve(&self, value: &Value, clock: &Clock) -> f64 {
        match (value, self.kind) {
            (Value::Special, Kind::Number { special: Some((_, number)), .. }) => number,
            (Value::Control(_), _) => self.resolve(&self.default(), clock),
            (Value::Beats(beats), Kind::Number { law: Law::Pace, .. }) => Rate::Beats(*beats).number(),
            (Value::Bars(bars), Kind::Number { law: Law::Pace, .. }) => Rate::Bars(*bars).number(),
            _ => self.by_law(self.plain(value, clock)),
        }
    }

    /// A value as a number in the parameter's own unit; `off` as a level is minus infinity. A choice is its index, a flag 0
    /// or 1; what is no number is 0.
    pub fn plain(&self, value: &Value, clock: &Clock) -> f64 {
        match (value, self.kind) {
            (Value::Number(number), _) => *number,
            (Value::Beats(beats), Kind::Number { law: Law::Pace, .. }) => 1000.0 / (beats * clock.beat_ms()),
            (Value::Bars(bars), Kind::Number { law: Law::Pace, .. }) => {
                1000.0 / (bars * clock.beats_per_bar * clock.beat_ms())
            }
            (Value::Beats(beats), _) => beats * clock.beat_ms(),
            (Value::Bars(bars), _) => bars * clock.beats_per_bar * clock.beat_ms(),
            (Value::Samples(samples), _) => samples * 1000.0 / clock.rate,
            (Value::Choice(index), _) => *index as f64,
            (Value::Flag(flag), _) => f64::from(u8::from(*flag)),
            (Value::Special, Kind::Number { special: Some((_, gain)), law: Law::Amplitude, .. }) => {
                math::db_from_gain(gain)
            }
            (Value::Special, Kind::Number { special: Some((_, number)), .. }) => number,
            (Value::Special, Kind::Keyboard) => -1.0,
            (Value::Special | Value::Channels(_) | Value::Path(_) | Value::Control(_), _) => 0.0,
            (Value::Pattern(_) | Value::Circuit(_) | Value::Port(_), _) => 0.0,
        }
    }

    /// What the kernel receives for a number in the parameter's own unit. RT.
    pub fn by_law(&self, number: f64) -> f64 {
        match self.kind {
            Kind::Number { law: Law::Amplitude, .. } => math::gain_from_db(number),
            _ => number,
        }
    }
}

pub(crate) fn show_number(number: f64, unit: Unit) -> String {
    let rounded = (number * 1e4).round() / 1e4;
    match unit {
        Unit::Plain => rounded.to_string(),
        Unit::Percent | Unit::Degrees => format!("{rounded} {}", unit.sign()),
        _ => format!("{rounded} {}", unit.suffix()),
    }
}

/// The beats of a note length such as `1/8`, `1/8.` (dotted) or `1/4t` (triplet), a beat being a quarter.
pub fn note_length(text: &str) -> Option<f64> {
    let (body, factor) = match text.as_bytes().last()? {
        b'.' => (&text[..text.len() - 1], 1.5),
        b't' => (&text[..text.len() - 1], 2.0 / 3.0),
        _ => (text, 1.0),
    };
    let (over, under) = body.split_once('/')?;
    let (over, under) = (over.trim().parse::<u32>().ok()?, under.trim().parse::<u32>().ok()?);
    (over > 0 && under > 0).then(|| 4.0 * f64::from(over) / f64::from(under) * factor)
}
