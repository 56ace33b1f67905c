//! What can be done to patterns: each method returns a new one.

use super::euclid::{FARTHEST, MOST_STEPS};
use super::event::{Place, Value};
use super::node::{Change, Euclid, Node, Order};
use super::query;
use super::ratio::Ratio;
use super::scales::{self, Scale};
use super::{MOST_TIMES, Pattern, PatternError, short};
use crate::random;

/// A number for a method, or a pattern of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument(Node);

impl From<f64> for Argument {
    fn from(number: f64) -> Self {
        Argument(Node::number(number))
    }
}

impl From<&Pattern> for Argument {
    fn from(pattern: &Pattern) -> Self {
        Argument(pattern.root.clone())
    }
}

/// A list of changes, recorded, to be done to some cycles or values of a pattern.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes(Vec<Change>);

impl Changes {
    /// Records what a function does to the pattern it is given.
    ///
    /// # Errors
    /// Those of the function, and a function that puts that pattern into the middle of another.
    pub fn record<E: From<PatternError>>(change: impl FnOnce(Pattern) -> Result<Pattern, E>) -> Result<Changes, E> {
        let changed = change(Pattern { root: Node::Given })?.root;
        recorded(changed).map(Changes).ok_or_else(|| {
            wrong("the function has to change the pattern that it is given, play another with it, or another instead")
                .help("write `|p| p.fast(2)`, `|p| stack([p, \"cp*4\"])` or `|p| \"cp*4\"`")
                .into()
        })
    }
}

/// What a function has done to what it was given.
fn recorded(node: Node) -> Option<Vec<Change>> {
    match node {
        Node::Given => Some(Vec::new()),
        node if !node.has_given() => Some(vec![Change::Instead(Box::new(node))]),
        Node::Changed(node, changes) => {
            let mut all = recorded(*node)?;
            all.extend(changes);
            Some(all)
        }
        Node::Stack(parts) => {
            let (mut given, others): (Vec<Node>, Vec<Node>) = parts.into_iter().partition(Node::has_given);
            let mut all = recorded(given.pop().filter(|_| given.is_empty())?)?;
            all.push(Change::With(Box::new(Node::stack(others))));
            Some(all)
        }
        _ => None,
    }
}

type Made = Result<Pattern, PatternError>;

fn wrong(message: impl Into<String>) -> PatternError {
    PatternError::new(Place::default(), message)
}

/// A whole number from one to another.
fn count(what: &str, number: i64, least: i64, most: i64) -> Result<i64, PatternError> {
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(wrong(format!("`{what}` wants a whole number from {least} to {most}, not {number}")))
}

fn chance(what: &str, number: f64) -> Result<f64, PatternError> {
    if (0.0..=1.0).contains(&number) {
        return Ok(number);
    }
    Err(wrong(format!("`{what}` wants a chance from 0 to 1, not {}", short(number))))
}

/// An argument whose numbers are whole ones from one to another, as far as they are written.
fn whole(what: &str, by: impl Into<Argument>, least: i64, most: i64) -> Result<Node, PatternError> {
    let node = by.into().0;
    let mut found = Ok(());
    node.atoms(&mut |value, place| {
        let written = match value {
            Value::Number(number) if query::whole(*number, least, most, place).is_ok() => return,
            Value::Number(number) => short(*number),
            word => format!("`{word}`"),
        };
        if found.is_ok() {
            let message = format!("`{what}` wants whole numbers from {least} to {most} here, not {written}");
            found = Err(PatternError::new(place, message));
        }
    });
    found.map(|()| node)
}

/// A time or a speed as the fraction that was meant.
fn exact(what: &str, number: f64) -> Result<Ratio, PatternError> {
    Ratio::simplest(number)
        .ok()
        .filter(|ratio| ratio.number().abs() <= 1e6 && ratio.under() <= 1_000_000_000)
        .ok_or_else(|| {
            let given = short(number);
            wrong(format!("`{what}` wants a number of cycles that is not beyond 1000000, not {given}"))
        })
}

impl Pattern {
    /// Nothing.
    pub fn silence() -> Pattern {
        Pattern { root: Node::Silence }
    }

    /// One value a cycle.
    pub fn value(value: Value) -> Pattern {
        Pattern { root: Node::Atom(value, Place::default()) }
    }

    /// Patterns at once.
    ///
    /// # Errors
    /// They are too much together.
    pub fn stack(patterns: impl IntoIterator<Item = Pattern>) -> Made {
        Pattern { root: Node::stack(patterns.into_iter().map(|pattern| pattern.root).collect()) }
            .tried(Place::default())
    }

    /// Patterns in turn, a cycle of each.
    ///
    /// # Errors
    /// They are too much together.
    pub fn cat(patterns: impl IntoIterator<Item = Pattern>) -> Made {
        let nodes: Vec<Node> = patterns.into_iter().map(|pattern| pattern.root).collect();
        let slower = Ratio::new(1, nodes.len().max(1) as i64);
        match (Node::even(nodes), slower) {
            (Ok(node), Ok(slower)) => Pattern { root: node.changed(Change::Fast(slower)) }.tried(Place::default()),
            _ => Err(wrong("these are too many patterns")),
        }
    }

    /// The same with one more change; chance in it is that of no other change.
    fn with(self, change: Change) -> Made {
        let before = match &self.root {
            Node::Changed(_, changes) => changes.iter().filter(|change| change.is_drawn()).count(),
            _ => 0,
        };
        let change = if change.is_drawn() { change.salted(random::mix(before as u64 + 1)) } else { change };
        Pattern { root: self.root.changed(change) }.tried(Place::default())
    }

    /// So many cycles in the time of one; 0 is silence. Of a pattern of numbers, each holds while it lasts.
    ///
    /// # Errors
    /// It is below 0, or the pattern becomes too much.
    pub fn fast(self, by: impl Into<Argument>) -> Made {
        self.speed("fast", by.into(), false)
    }

    /// One cycle in the time of so many.
    ///
    /// # Errors
    /// It is not above 0, or too much.
    pub fn slow(self, by: impl Into<Argument>) -> Made {
        self.speed("slow", by.into(), true)
    }

    fn speed(self, what: &str, by: Argument, slow: bool) -> Made {
        let Argument(Node::Atom(Value::Number(number), _)) = by else {
            return self.with(Change::FastBy { by: Box::new(by.0), slow });
        };
        let ratio = exact(what, number)?;
        match ratio.turned() {
            Ok(turned) if ratio > Ratio::ZERO => self.with(Change::Fast(if slow { turned } else { ratio })),
            Err(_) if !slow => self.with(Change::Fast(Ratio::ZERO)),
            _ if slow => Err(wrong(format!("`slow` wants a number above 0, not {}", short(number)))),
            _ => Err(wrong(format!("`{what}` wants a number that is not below 0, not {}", short(number)))
                .help("to play backwards: `.rev()`")),
        }
    }

    /// Later by so many cycles; earlier if below 0. (Tidal: `t ~> p`, and `t <~ p` for `shift(-t)`.)
    ///
    /// # Errors
    /// It is too far or too fine.
    pub fn shift(self, by: f64) -> Made {
        self.with(Change::Shift(exact("shift", by)?))
    }

    /// Each cycle backwards.
    ///
    /// # Errors
    /// The pattern becomes too deep.
    pub fn rev(self) -> Made {
        self.with(Change::Rev)
    }

    /// Every second cycle backwards.
    ///
    /// # Errors
    /// The pattern becomes too deep.
    pub fn palindrome(self) -> Made {
        self.with(Change::Every { of: 2, at: 1, with: vec![Change::Rev] })
    }

    /// Changes in every `n`th cycle, the first of them being `offset` (0 for the first of all).
    ///
    /// # Errors
    /// The numbers are out of range, or the pattern becomes too much.
    pub fn every(self, n: i64, offset: i64, changes: &Changes) -> Made {
        let of = count("every", n, 1, 65_536)?;
        let at = count("every", offset, 0, of - 1)?;
        self.with(Change::Every { of, at, with: changes.0.clone() })
    }

    /// Call and response: so many cycles as they are, then the same cycles changed, and on to the next.
    ///
    /// # Errors
    /// The number is out of range, or the pattern becomes too much.
    pub fn respond(self, cycles: i64, changes: &Changes) -> Made {
        let cycles = count("respond", cycles, 1, 1024)?;
        self.with(Change::Respond { cycles, with: changes.0.clone() })
    }

    /// Each cycle `n` times, beginning one `n`th further on each time.
    ///
    /// # Errors
    /// The number is out of range.
    pub fn iter(self, n: i64) -> Made {
        let n = count("iter", n, 1, MOST_TIMES)?;
        self.with(Change::Iter { n, back: false })
    }

    /// Each cycle `n` times, beginning one `n`th further back each time.
    ///
    /// # Errors
    /// The number is out of range.
    pub fn iter_back(self, n: i64) -> Made {
        let n = count("iter_back", n, 1, MOST_TIMES)?;
        self.with(Change::Iter { n, back: true })
    }

    /// Each value so many times within its time. Of a pattern of numbers, each holds while it lasts.
    ///
    /// # Errors
    /// A number is out of range, or the pattern becomes too much.
    pub fn ply(self, times: impl Into<Argument>) -> Made {
        let times = whole("ply", times, 1, MOST_TIMES)?;
        self.with(Change::Ply(Box::new(times)))
    }

    /// The notes of each chord one after the other within its time: `up`, `down`, `updown` or `downup`.
    ///
    /// # Errors
    /// There is no such order.
    pub fn arp(self, order: &str) -> Made {
        let order = match order {
            "up" => Order::Up,
            "down" => Order::Down,
            "updown" => Order::UpDown,
            "downup" => Order::DownUp,
            _ => return Err(wrong(format!("`arp` goes `up`, `down`, `updown` or `downup`, not `{order}`"))),
        };
        self.with(Change::Arp(order))
    }

    /// What begins in the second half of each `n`th of a cycle later by that part of it: `swing(1/3, 4)` plays eighths
    /// as triplets.
    ///
    /// # Errors
    /// The part is not from 0 to below 1/2, or `n` is out of range.
    pub fn swing(self, part: f64, n: i64) -> Made {
        let n = count("swing", n, 1, MOST_TIMES)?;
        let part_of = exact("swing", part)?;
        if !(0.0..0.5).contains(&part) {
            return Err(wrong(format!("`swing` wants a part from 0 to below 0.5, not {}", short(part))));
        }
        let by = part_of.divided(Ratio::whole(n)).map_err(|_| wrong("`swing` by too fine a part"))?;
        self.with(Change::Swing { by, n })
    }

    /// The pattern, and with it the changed pattern, so many cycles later.
    ///
    /// # Errors
    /// The pattern becomes too much.
    pub fn off(self, by: f64, changes: &Changes) -> Made {
        let mut with = vec![Change::Shift(exact("off", by)?)];
        with.extend(changes.0.iter().cloned());
        self.with(Change::Also(with))
    }

    /// Changes for some of the values, by chance.
    ///
    /// # Errors
    /// The chance is not from 0 to 1, or the pattern becomes too much.
    pub fn sometimes(self, likely: f64, changes: &Changes) -> Made {
        let chance = chance("sometimes", likely)?;
        self.with(Change::Sometimes { chance, salt: 0x736f_6d65, with: changes.0.clone() })
    }

    /// Values left out by chance: this is how likely each is.
    ///
    /// # Errors
    /// The chance is not from 0 to 1.
    pub fn degrade(self, likely: f64) -> Made {
        let chance = chance("degrade", likely)?;
        self.with(Change::Degrade { chance, salt: 0x6465_6772, keep: false })
    }

    /// Other chances, for `?`, `|` and the methods before this.
    ///
    /// # Errors
    /// The pattern becomes too deep.
    pub fn seed(self, seed: u64) -> Made {
        self.with(Change::Seed(seed))
    }

    /// The values of the pattern at the times of a rhythm: at each of its values but `0`, `f` and `false`.
    ///
    /// # Errors
    /// The pattern becomes too much.
    pub fn structure(self, rhythm: &Pattern) -> Made {
        self.with(Change::Struct(Box::new(rhythm.root.clone())))
    }

    /// The pattern while a rhythm holds: while it has a value but `0`, `f` and `false`.
    ///
    /// # Errors
    /// The pattern becomes too much.
    pub fn mask(self, rhythm: &Pattern) -> Made {
        self.with(Change::Mask(Box::new(rhythm.root.clone())))
    }

    /// The values of the pattern so many times a cycle.
    ///
    /// # Errors
    /// The number is out of range, or the pattern becomes too much.
    pub fn segment(self, n: i64) -> Made {
        let n = count("segment", n, 1, MOST_TIMES)?;
        self.structure(&Pattern::value(Value::word("t")).fast(n as f64)?)
    }

    /// The values of the pattern at the beats of a Euclidean rhythm, rotated to the left. (In the notation `[a b](3,8)`
    /// has the whole group in each beat; this has what the pattern has at the time of each.)
    ///
    /// # Errors
    /// There are more beats than steps, or the numbers are no whole ones.
    pub fn euclid(self, beats: impl Into<Argument>, steps: impl Into<Argument>, rotation: impl Into<Argument>) -> Made {
        let beats = whole("euclid", beats, -MOST_STEPS, MOST_STEPS)?;
        let steps = whole("euclid", steps, 1, MOST_STEPS)?;
        let rotation = whole("euclid", rotation, -FARTHEST, FARTHEST)?;
        let beat = Node::Atom(Value::word("t"), Place::default());
        let rhythm = beat.changed(Change::Euclid(Box::new(Euclid { beats, steps, rotation })));
        self.with(Change::Struct(Box::new(rhythm)))
    }

    /// Numbers added to each: to a number, or to the MIDI note that a name means.
    ///
    /// # Errors
    /// The pattern has words that are no notes, or becomes too much.
    pub fn plus(self, by: impl Into<Argument>) -> Made {
        self.with(Change::Add(Box::new(by.into().0)))
    }

    /// Numbers taken as degrees of a scale, 0 for its root, and made MIDI notes: see [`Scale::named`].
    ///
    /// # Errors
    /// There is no such scale, or the pattern has words.
    pub fn scale(self, name: &str) -> Made {
        let scale = Scale::named(name).map_err(wrong)?;
        self.with(Change::Scale(scale))
    }

    /// A chord on each note, by its name: see [`scales::CHORDS`].
    ///
    /// # Errors
    /// There is no such chord, or the pattern has words that are no notes.
    pub fn chord(self, name: &str) -> Made {
        let tones = scales::chord(name).map_err(wrong)?;
        self.with(Change::Chord(tones))
    }
}
