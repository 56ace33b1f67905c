//! What goes on from one quantum to the next, written down and taken up again: the same lines do both, so that what is
//! written is what is read.
//!
//! State is taken up by something built anew from the same recipe: sizes, coefficients and tables are not kept, and neither
//! is what each quantum writes before it reads it. Bits are kept exactly, low bytes first.

use std::collections::VecDeque;

/// Something with state that sound depends on. Not RT: it may be large.
pub trait Keep {
    /// Writes its state to the ledger, or takes up what is in it. What does not fit makes the ledger failed and leaves the
    /// state anyhow: it is for the caller to drop.
    fn keep(&mut self, ledger: &mut Ledger);
}

/// Implements [`Keep`] for a type without type parameters: by its fields in this order, or with none for what is the same
/// at every quantum.
macro_rules! keep {
    ($kind:ty) => {
        impl $crate::keep::Keep for $kind {
            fn keep(&mut self, _: &mut $crate::keep::Ledger) {}
        }
    };
    ($kind:ty: $($field:tt),+) => {
        impl $crate::keep::Keep for $kind {
            fn keep(&mut self, ledger: &mut $crate::keep::Ledger) {
                $($crate::keep::Keep::keep(&mut self.$field, ledger);)+
            }
        }
    };
}
pub(crate) use keep;

/// Bytes that state is written to, or read from, or compared with.
#[derive(Debug)]
pub struct Ledger {
    bytes: Vec<u8>,
    way: Way,
    failed: bool,
}

/// What is done with a ledger, from which byte on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Write,
    Read(usize),
    /// Written, if there is room.
    Note,
    Compare(usize),
}

/// The most bytes that are noted: so many are soon compared.
const MOST_NOTED: usize = 1 << 16;

/// Bytes that a state may grow by from when it is new.
const ROOM_TO_GROW: usize = 256;

impl Ledger {
    /// An empty one, to write to.
    pub fn writing() -> Self {
        Ledger { bytes: Vec::new(), way: Way::Write, failed: false }
    }

    /// One to read from.
    pub fn reading(bytes: Vec<u8>) -> Self {
        Ledger { bytes, way: Way::Read(0), failed: false }
    }

    /// One to note a state in that is about as large as what `state` keeps now, but for sound in delay lines and the like,
    /// which are only asked whether they are silent.
    pub fn noting(state: impl FnOnce(&mut Ledger)) -> Self {
        let mut ledger = Ledger { bytes: Vec::with_capacity(MOST_NOTED), way: Way::Note, failed: false };
        let room = if ledger.note(state) { ledger.bytes.len() + ROOM_TO_GROW } else { 0 };
        Ledger { bytes: Vec::with_capacity(room), ..ledger }
    }

    /// Notes the state that `state` keeps; says whether there was room for it, and all its lines were silent. RT.
    pub fn note(&mut self, state: impl FnOnce(&mut Ledger)) -> bool {
        self.bytes.clear();
        (self.way, self.failed) = (Way::Note, false);
        state(self);
        !self.failed
    }

    /// Whether the state that `state` keeps is what was noted, to the last bit. RT.
    pub fn is_as_noted(&mut self, state: impl FnOnce(&mut Ledger)) -> bool {
        (self.way, self.failed) = (Way::Compare(0), false);
        state(self);
        !self.failed && self.way == Way::Compare(self.bytes.len())
    }

    /// Whether it is read from.
    pub fn is_reading(&self) -> bool {
        matches!(self.way, Way::Read(_))
    }

    /// Whether a state is noted in it, or compared with it: then sound is only asked whether it is silence. RT.
    pub fn is_noting(&self) -> bool {
        matches!(self.way, Way::Note | Way::Compare(_))
    }

    /// What was written. Of one that was read: whether all of it fitted, to the last byte.
    ///
    /// # Errors
    /// What was read is of something else.
    pub fn finish(self) -> Result<Vec<u8>, Misfit> {
        let rest = matches!(self.way, Way::Read(at) if at != self.bytes.len());
        if self.failed || rest { Err(Misfit) } else { Ok(self.bytes) }
    }

    /// Whether what was read so far is of something else.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// What is read is of something else.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    /// Keeps a number of bytes. Those that there are no more of stay as they are.
    pub fn bytes<const N: usize>(&mut self, bytes: &mut [u8; N]) {
        match &mut self.way {
            Way::Write => self.bytes.extend_from_slice(bytes),
            Way::Note if self.bytes.capacity() - self.bytes.len() < N => self.failed = true,
            Way::Note => self.bytes.extend_from_slice(bytes),
            Way::Read(at) => match self.bytes.get(*at..).and_then(|rest| rest.first_chunk()) {
                Some(found) if !self.failed => {
                    *bytes = *found;
                    *at += N;
                }
                _ => self.failed = true,
            },
            Way::Compare(at) => {
                self.failed |= self.bytes.get(*at..).and_then(|rest| rest.first_chunk()) != Some(bytes);
                *at += N;
            }
        }
    }

    /// Keeps how many things there are: at most `most`. Gives that number, 0 when it does not fit.
    pub fn count(&mut self, mut count: usize, most: usize) -> usize {
        count.keep(self);
        if self.failed || count > most {
            self.failed = true;
            return 0;
        }
        count
    }

    /// That there are so many things here: another number does not fit.
    pub fn exactly(&mut self, count: usize) {
        if self.count(count, count) != count {
            self.failed = true;
        }
    }

    /// That this is called so: what is called otherwise does not fit.
    pub fn called(&mut self, name: &str) {
        let mut kept = name.to_owned();
        kept.keep(self);
        if kept != name {
            self.failed = true;
        }
    }

    /// Keeps a list of any length.
    pub fn list<T: Keep + Default>(&mut self, list: &mut Vec<T>) {
        let mut count = list.len();
        count.keep(self);
        if self.is_reading() {
            list.clear();
            // One after another: what is said to be there need not be.
            while list.len() < count && !self.failed {
                let mut item = T::default();
                item.keep(self);
                list.push(item);
            }
        } else {
            list.iter_mut().for_each(|item| item.keep(self));
        }
    }

    /// Keeps an index, which is below `bound`.
    pub fn index(&mut self, index: &mut usize, bound: usize) {
        let mut kept = *index;
        kept.keep(self);
        if kept < bound {
            *index = kept;
        } else {
            self.failed = true;
        }
    }
}

/// What was kept is of something else than what it was to be taken up by, or is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit;

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("what was kept is not of this desk")
    }
}

impl std::error::Error for Misfit {}

/// Numbers, by their bytes.
macro_rules! numbers {
    ($($number:ty)+) => {
        $(impl Keep for $number {
            fn keep(&mut self, ledger: &mut Ledger) {
                let mut bytes = self.to_le_bytes();
                ledger.bytes(&mut bytes);
                *self = <$number>::from_le_bytes(bytes);
            }
        })+
    };
}
numbers!(u8 u32 u64 i64 f32 f64);

impl Keep for usize {
    fn keep(&mut self, ledger: &mut Ledger) {
        let mut wide = *self as u64;
        wide.keep(ledger);
        match usize::try_from(wide) {
            Ok(own) => *self = own,
            Err(_) => ledger.fail(),
        }
    }
}

impl Keep for bool {
    fn keep(&mut self, ledger: &mut Ledger) {
        let mut byte = u8::from(*self);
        byte.keep(ledger);
        match byte {
            0 | 1 => *self = byte == 1,
            _ => ledger.fail(),
        }
    }
}

impl Keep for String {
    fn keep(&mut self, ledger: &mut Ledger) {
        let mut bytes = std::mem::take(self).into_bytes();
        ledger.list(&mut bytes);
        match String::from_utf8(bytes) {
            Ok(text) => *self = text,
            Err(_) => ledger.fail(),
        }
    }
}

impl<T: Keep + Default> Keep for Option<T> {
    fn keep(&mut self, ledger: &mut Ledger) {
        let mut is_some = self.is_some();
        is_some.keep(ledger);
        if is_some {
            self.get_or_insert_default().keep(ledger);
        } else {
            *self = None;
        }
    }
}

impl<A: Keep, B: Keep> Keep for (A, B) {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.0.keep(ledger);
        self.1.keep(ledger);
    }
}

/// As many as there are: another number does not fit.
impl<T: Keep> Keep for [T] {
    fn keep(&mut self, ledger: &mut Ledger) {
        ledger.exactly(self.len());
        self.iter_mut().for_each(|item| item.keep(ledger));
    }
}

impl<T: Keep, const N: usize> Keep for [T; N] {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.iter_mut().for_each(|item| item.keep(ledger));
    }
}

impl<T: Keep> Keep for Vec<T> {
    fn keep(&mut self, ledger: &mut Ledger) {
        self.as_mut_slice().keep(ledger);
    }
}

impl<T: Keep + ?Sized> Keep for Box<T> {
    fn keep(&mut self, ledger: &mut Ledger) {
        (**self).keep(ledger);
    }
}

/// Any number for which there is room without asking for more.
impl<T: Keep + Default> Keep for VecDeque<T> {
    fn keep(&mut self, ledger: &mut Ledger) {
        let count = ledger.count(self.len(), self.capacity());
        if ledger.is_reading() {
            self.clear();
            self.resize_with(count, T::default);
        }
        self.iter_mut().for_each(|item| item.keep(ledger));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq)]
    struct Thing {
        number: f64,
        small: Option<u32>,
        list: Vec<i64>,
        queue: VecDeque<(usize, bool)>,
        name: String,
    }
    keep!(Thing: number, small, list, queue, name);

    fn written(thing: &mut Thing) -> Vec<u8> {
        let mut ledger = Ledger::writing();
        thing.keep(&mut ledger);
        ledger.finish().expect("what is written fits")
    }

    fn read(into: &mut Thing, bytes: &[u8]) -> Result<(), Misfit> {
        let mut ledger = Ledger::reading(bytes.to_vec());
        into.keep(&mut ledger);
        ledger.finish().map(drop)
    }

    fn example() -> Thing {
        let queue = [(7, true), (usize::MAX, false)].into();
        Thing { number: -0.0, small: Some(9), list: vec![i64::MIN, 3], queue, name: "drø".into() }
    }

    /// Like the example in its sizes, and nothing else.
    fn fresh() -> Thing {
        Thing { list: vec![0; 2], queue: VecDeque::with_capacity(2), ..Thing::default() }
    }

    #[test]
    fn what_is_written_is_read_to_the_last_bit() {
        let mut thing = example();
        thing.number = f64::from_bits(0x7ff8_0000_dead_beef);
        let bytes = written(&mut thing);
        let mut other = fresh();
        assert_eq!(read(&mut other, &bytes), Ok(()));
        assert_eq!(other.number.to_bits(), thing.number.to_bits());
        let rest = |thing: Thing| (thing.small, thing.list, thing.queue, thing.name);
        assert_eq!(rest(other), rest(thing));
    }

    #[test]
    fn what_is_cut_off_too_long_or_of_another_size_is_refused() {
        let bytes = written(&mut example());
        for end in 0..bytes.len() {
            assert_eq!(read(&mut fresh(), &bytes[..end]), Err(Misfit), "cut off at {end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(read(&mut fresh(), &longer), Err(Misfit));
        assert_eq!(read(&mut Thing { list: vec![0; 3], ..fresh() }, &bytes), Err(Misfit));
        assert_eq!(read(&mut Thing { queue: VecDeque::new(), ..fresh() }, &bytes), Err(Misfit));
    }

    #[test]
    fn a_length_beyond_all_measure_is_refused_before_anything_is_made_of_it() {
        let bytes = written(&mut example());
        // Each byte in turn: a length that became huge, an option or a truth that is neither.
        let mut refused = 0;
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] = 0xff;
            let mut other = fresh();
            refused += usize::from(read(&mut other, &damaged).is_err());
            assert!(other.list.len() == 2 && other.queue.capacity() < 100);
        }
        assert!(refused >= 8 + 8 + 3, "{refused}");
    }
}
