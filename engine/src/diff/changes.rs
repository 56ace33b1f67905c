//! What an edit does, as people are told of it: by what stands in the text, whatever that is made of.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::graph::Node;

/// What an edit does, by path, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// What is new.
    pub added: Vec<String>,
    /// What is gone, or going.
    pub removed: Vec<String>,
    /// What glides to new values.
    pub changed: Vec<String>,
    /// What is called as before but is another thing now, and starts anew.
    pub restarted: Vec<String>,
    /// Paths that now wait longer or shorter for others, and by how many frames.
    pub realigned: Vec<(String, i64)>,
}

impl Changes {
    /// A node that is new. A new piece of something is a change of that, unless that is new as well.
    pub(super) fn added(&mut self, node: &Node) {
        self.told(node, |changes| &mut changes.added);
    }

    /// A node that is gone.
    pub(super) fn removed(&mut self, node: &Node) {
        self.told(node, |changes| &mut changes.removed);
    }

    /// A node that is another thing now.
    pub(super) fn restarted(&mut self, node: &Node) {
        self.told(node, |changes| &mut changes.restarted);
    }

    /// A node whose numbers are others.
    pub(super) fn changed(&mut self, node: &Node) {
        self.told(node, |changes| &mut changes.changed);
    }

    /// What leaves a node by a path waits longer for others, by so many frames.
    pub(super) fn realigned(&mut self, path: &str, from: &Node, by: i64) {
        let whole = from.piece_of.as_deref().filter(|_| path == from.path);
        self.realigned.push((whole.unwrap_or(path).to_owned(), by));
    }

    /// What the text has is told of; a piece of it that comes or goes is a change of it.
    fn told(&mut self, node: &Node, list: fn(&mut Changes) -> &mut Vec<String>) {
        match &node.piece_of {
            Some(whole) => self.changed.push(whole.clone()),
            None => list(self).push(node.path.clone()),
        }
    }

    /// Tells of each thing once: what has come, gone or begun anew has not changed beside that.
    pub(super) fn tidy(&mut self) {
        let mut told = BTreeSet::new();
        for paths in [&mut self.added, &mut self.removed, &mut self.restarted, &mut self.changed] {
            paths.retain(|path| told.insert(path.clone()));
        }
        let mut told = BTreeSet::new();
        self.realigned.retain(|one| told.insert(one.clone()));
    }

    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        *self == Changes::default()
    }
}
