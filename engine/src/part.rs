//! What may be appended to an effect any number of times, such as the bands of an `eq`, and what may be said of it then.

use crate::parameter::{Parameter, Table};

/// One kind of thing appended to an effect, such as the `bell` of an `eq`.
pub struct Part {
    /// The method that appends it.
    pub word: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Names of the parameters that the method's own arguments set, in order.
    pub arguments: &'static [&'static str],
    /// Every parameter, in the order in which kernels receive them.
    pub parameters: &'static [Parameter],
    /// Methods that say more of it, once it is appended.
    pub words: &'static [PartWord],
}

impl Part {
    /// The index of a parameter by its name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|p| p.name == name)
    }
}

/// A method that says more of the part before it, such as `dynamic` of a `bell`.
#[derive(Debug)]
pub struct PartWord {
    /// The method.
    pub word: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Names of the part's parameters that its arguments set, in order. The first has to be given.
    pub arguments: &'static [&'static str],
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word)
    }
}

impl Table {
    /// Everything that can be said of one part or another, each word once.
    pub fn part_words(&self) -> Vec<&'static PartWord> {
        let mut words: Vec<&PartWord> = Vec::new();
        for word in self.parts.iter().flat_map(|part| part.words) {
            if words.iter().all(|other| other.word != word.word) {
                words.push(word);
            }
        }
        words
    }

    /// The parts that a word can be said of.
    pub fn parts_with(&self, word: &str) -> Vec<&'static Part> {
        self.parts.iter().filter(|part| part.words.iter().any(|own| own.word == word)).collect()
    }
}
