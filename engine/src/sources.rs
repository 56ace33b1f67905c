//! The list of sources, and what they are made of: generators, clips, device inputs. Each is one file.

use crate::parameter::Table;

/// Every source, in the order in which the reference shows them.
pub static SOURCES: &[&Table] = &[];

/// The source of a name.
pub fn find(word: &str) -> Option<&'static Table> {
    SOURCES.iter().copied().find(|table| table.word == word)
}
