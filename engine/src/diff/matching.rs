//! Which running nodes go on: those that the newest text has too, under whatever name.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::is_effect;
use crate::graph::{Graph, Role};
use crate::mesh::{Id, Mesh, MeshNode};

/// How much two effects are one: for that they can be, for what they are called, for their numbers.
const KIND: f64 = 2.0;
const NAME: f64 = 1.0;
const NUMBERS: f64 = 4.0;
const WHOLE: f64 = KIND + NAME + NUMBERS;

/// How much two are one that have been found to be: more than any two others.
const SETTLED: f64 = 1000.0;

/// For every node of the graph the running node whose state it goes on with.
pub(super) fn match_nodes(old: &Mesh, graph: &Graph, forced: &BTreeSet<Id>) -> Vec<Option<Id>> {
    let mut matching = Matching { old, graph, forced, of_new: vec![None; graph.nodes.len()], taken: BTreeSet::new() };
    matching.places();
    matching.sums();
    let renamed = matching.renamed_sums();
    matching.chains(cable_of, &renamed);
    // Most edits leave everything where it was.
    if matching.of_new.contains(&None) {
        matching.by_name(&renamed);
        matching.chains(|name| name.split('>').next().unwrap_or(name), &renamed);
    }
    matching.of_new
}

struct Matching<'a> {
    old: &'a Mesh,
    graph: &'a Graph,
    forced: &'a BTreeSet<Id>,
    of_new: Vec<Option<Id>>,
    taken: BTreeSet<Id>,
}

fn cable_of(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(cable, _)| cable)
}

impl<'a> Matching<'a> {
    fn may_match(&self, new: usize, old: &MeshNode) -> bool {
        self.of_new[new].is_none()
            && self.graph.nodes[new].channels == old.node.channels
            && self.graph.nodes[new].role.same_shape(&old.node.role)
            && !self.taken.contains(&old.id)
            && !self.forced.contains(&old.id)
    }

    fn set(&mut self, new: usize, old: Id) {
        self.of_new[new] = Some(old);
        self.taken.insert(old);
    }

    /// Old nodes, those of the text before those that only ring on.
    fn old_nodes(&self) -> impl Iterator<Item = &'a MeshNode> + use<'a> {
        let old = self.old;
        let ringing = old.nodes.iter().filter(|node| !node.current);
        old.nodes.iter().filter(|node| node.current).chain(ringing)
    }

    fn places(&mut self) {
        let mut by_path: BTreeMap<&str, Vec<&MeshNode>> = BTreeMap::new();
        for old in self.old_nodes().filter(|old| !is_effect(&old.node)) {
            by_path.entry(&old.node.path).or_default().push(old);
        }
        for i in 0..self.graph.nodes.len() {
            let new = &self.graph.nodes[i];
            if is_effect(new) {
                continue;
            }
            let named = by_path.get(new.path.as_str()).map_or(&[][..], Vec::as_slice);
            let found = named.iter().find(|old| self.may_match(i, old));
            if let Some(id) = found.map(|old| old.id) {
                self.set(i, id);
            }
        }
    }

    /// A sum whose members changed is still itself while it leads to the same place and one member stays.
    fn sums(&mut self) {
        let old_goals = |id: Id| {
            let links: Vec<(Id, Id)> = self.old.edges.iter().map(|edge| (edge.from, edge.to)).collect();
            let place =
                |id: Id| self.old.node(id).map(|node| node.node.path.as_str()).filter(|path| !path.contains('/'));
            places_reached(id, &links, place)
        };
        let new_links: Vec<(Id, Id)> = self.graph.edges.iter().map(|edge| (edge.from as Id, edge.to as Id)).collect();
        let mut found = Vec::new();
        for (i, new) in self.graph.nodes.iter().enumerate() {
            if self.of_new[i].is_some() || !new.path.contains('+') || is_effect(new) {
                continue;
            }
            let members: Vec<&str> = new.path.split('+').filter(|member| !member.is_empty()).collect();
            let place = |id: Id| Some(self.graph.nodes[id as usize].path.as_str()).filter(|path| !path.contains('/'));
            let goals = places_reached(i as Id, &new_links, place);
            let twin = self.old_nodes().find(|old| {
                old.node.path.contains('+')
                    && !is_effect(&old.node)
                    && self.may_match(i, old)
                    && !found.iter().any(|(_, id)| *id == old.id)
                    && old.node.path.split('+').any(|member| members.contains(&member))
                    && old_goals(old.id).iter().any(|place| goals.contains(place))
            });
            found.extend(twin.map(|old| (i, old.id)));
        }
        for (i, id) in found {
            self.set(i, id);
        }
    }

    /// What the sums that go on under another name were called, and are called now.
    fn renamed_sums(&self) -> BTreeMap<String, String> {
        let pairs = self.of_new.iter().enumerate().filter_map(|(i, id)| Some((i, self.old.node((*id)?)?)));
        pairs
            .map(|(i, old)| (old.node.path.clone(), self.graph.nodes[i].path.clone()))
            .filter(|(before, now)| before != now)
            .collect()
    }

    /// Aligns the effects of each chain in order, by kind and numbers, so that one put in before others of its kind
    /// disturbs none of them.
    fn chains(&mut self, key: impl Fn(&str) -> &str, renamed: &BTreeMap<String, String>) {
        let renamed_key = |name: &'a str| match rename(name, renamed) {
            Cow::Borrowed(name) => Cow::Borrowed(key(name)),
            Cow::Owned(name) => Cow::Owned(key(&name).to_owned()),
        };
        let mut old_chains: BTreeMap<Cow<'a, str>, Vec<usize>> = BTreeMap::new();
        let mut by_rank: Vec<usize> = (0..self.old.nodes.len()).filter(|i| self.old.nodes[*i].current).collect();
        by_rank.sort_by_key(|i| self.old.nodes[*i].rank);
        for i in by_rank {
            let node = &self.old.nodes[i].node;
            for name in node.names.iter().filter(|_| is_effect(node)) {
                let chain = old_chains.entry(renamed_key(name)).or_default();
                if chain.last() != Some(&i) {
                    chain.push(i);
                }
            }
        }
        let mut new_chains: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for &i in &self.graph.order {
            let node = &self.graph.nodes[i];
            for name in node.names.iter().filter(|_| is_effect(node)) {
                let chain = new_chains.entry(key(name)).or_default();
                if chain.last() != Some(&i) {
                    chain.push(i);
                }
            }
        }
        for (cable, new) in &new_chains {
            if let Some(old) = old_chains.get(*cable) {
                for (i, j) in self.align(new, old) {
                    if self.of_new[i].is_none() {
                        self.set(i, self.old.nodes[j].id);
                    }
                }
            }
        }
    }

    /// The pairing of two chains, in order, that is worth most.
    fn align(&self, new: &[usize], old: &[usize]) -> Vec<(usize, usize)> {
        let is_whole = |(i, j): &(&usize, &usize)| self.likeness(**i, &self.old.nodes[**j]) >= WHOLE;
        // Neither of two that are wholly one is worth more with another, and two pairs in their stead would cross; mostly that is all
        // of both chains.
        let mut pairs: Vec<(usize, usize)> = new.iter().zip(old).take_while(is_whole).map(|(i, j)| (*i, *j)).collect();
        let (new, old) = (&new[pairs.len()..], &old[pairs.len()..]);
        let worth = new.iter().flat_map(|i| old.iter().map(|j| self.likeness(*i, &self.old.nodes[*j])));
        let worth: Vec<f64> = worth.collect();
        let worth = |i: usize, j: usize| worth[i * old.len() + j];
        // A row and a column more than there are.
        let wide = old.len() + 1;
        let mut best = vec![0.0f64; (new.len() + 1) * wide];
        for i in (0..new.len()).rev() {
            for j in (0..old.len()).rev() {
                let both = best[(i + 1) * wide + j + 1];
                let paired = if worth(i, j) > 0.0 { worth(i, j) + both } else { 0.0 };
                best[i * wide + j] = paired.max(best[(i + 1) * wide + j]).max(best[i * wide + j + 1]);
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < new.len() && j < old.len() {
            let here = best[i * wide + j];
            if worth(i, j) > 0.0 && here == worth(i, j) + best[(i + 1) * wide + j + 1] {
                pairs.push((new[i], old[j]));
                (i, j) = (i + 1, j + 1);
            } else if here == best[(i + 1) * wide + j] {
                i += 1;
            } else {
                j += 1;
            }
        }
        pairs
    }

    /// How much two effects are one; 0 if they cannot be.
    fn likeness(&self, new: usize, old: &MeshNode) -> f64 {
        if self.of_new[new] == Some(old.id) {
            return SETTLED;
        }
        if !self.may_match(new, old) {
            return 0.0;
        }
        let [now, before] = [&self.graph.nodes[new], &old.node].map(|node| node.path.rsplit_once('/'));
        let named = if now.map(|(_, step)| step) == before.map(|(_, step)| step) { 1.0 } else { 0.0 };
        let alike = match (&self.graph.nodes[new].role, &old.node.role) {
            (Role::Work { recipe: a, .. }, Role::Work { recipe: b, .. }) if !a.values.is_empty() => {
                let equal = a.values.iter().zip(&b.values).filter(|(a, b)| a == b).count();
                equal as f64 / a.values.len() as f64
            }
            _ => 1.0,
        };
        KIND + NAME * named + NUMBERS * alike
    }

    fn by_name(&mut self, renamed: &BTreeMap<String, String>) {
        for i in (0..self.graph.nodes.len()).filter(|i| self.of_new[*i].is_none()).collect::<Vec<_>>() {
            let new = &self.graph.nodes[i];
            let shares = |name: &str| new.names.iter().any(|own| *own == rename(name, renamed));
            let shares_name = |old: &MeshNode| old.node.names.iter().any(|name| shares(name));
            let found = self.old_nodes().find(|old| self.may_match(i, old) && shares_name(old));
            if let Some(id) = found.map(|old| old.id) {
                self.set(i, id);
            }
        }
    }
}

/// The places that lie next behind a node, effects passed over.
fn places_reached<'a>(from: Id, links: &[(Id, Id)], place: impl Fn(Id) -> Option<&'a str>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        for (_, to) in links.iter().filter(|(from, _)| *from == id) {
            match place(*to) {
                Some(path) => {
                    reached.insert(path);
                }
                None if seen.insert(*to) => open.push(*to),
                None => {}
            }
        }
    }
    reached
}

fn rename<'n>(name: &'n str, renamed: &BTreeMap<String, String>) -> Cow<'n, str> {
    if renamed.is_empty() {
        return Cow::Borrowed(name);
    }
    let (cable, step) = name.rsplit_once('/').unwrap_or((name, ""));
    let parts: Vec<String> = cable
        .split('>')
        .map(|part| {
            let (place, label) = part.split_once(':').map_or((part, None), |(place, label)| (place, Some(label)));
            let place = renamed.get(place).map_or(place, String::as_str);
            label.map_or(place.to_owned(), |label| format!("{place}:{label}"))
        })
        .collect();
    Cow::Owned(format!("{}/{step}", parts.join(">")))
}
