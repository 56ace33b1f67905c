//! Effects that others stand in: what flows in is taken apart into branches, each goes through effects of its own, and what
//! they give is added up again. The table of such an effect is also that of its branches: its kernel gives one of them, as
//! [`crate::parameter::Recipe::branch`] says.

use crate::effects::{mid_side, multiband};
use crate::parameter::{Recipe, Table};

/// How an effect takes a signal apart and puts it together.
pub struct Nest {
    /// The effect.
    pub table: &'static Table,
    /// What it has beside its parameters: how it is written, and what it does.
    pub methods: &'static [(&'static str, &'static str)],
    /// What its branches are called if they have names; otherwise they are numbered from 1.
    pub names: &'static [&'static str],
    /// How many branches it has unless the text says otherwise.
    pub branches: usize,
    /// What brings the sound of a branch back to how it came in, if anything needs to. Branches count from 0.
    pub back: fn(usize) -> Option<&'static Table>,
    /// Whether branches that do nothing add up to the signal with its phase turned: then what they are mixed with in part is
    /// turned as well, by one more branch, numbered after them.
    pub turns: fn(&Recipe) -> bool,
}

/// All of them.
pub static NESTS: &[&Nest] = &[&mid_side::NEST, &multiband::NEST];

/// The nest of a table, if it is one.
pub fn of(table: &Table) -> Option<&'static Nest> {
    NESTS.iter().copied().find(|nest| std::ptr::eq(nest.table, table))
}

impl Nest {
    /// What a branch is called, counted from 0: `mid`, `1`.
    pub fn name(&self, branch: usize) -> String {
        self.names.get(branch).map_or_else(|| (branch + 1).to_string(), |name| (*name).to_owned())
    }
}
