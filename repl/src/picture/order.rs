//! In which order things are listed: as sound flows, what it comes from first.

/// So many things, each behind those from which something leads to it; where several may come next, the one that stands first by
/// `rank`, then by its number. What leads round in a circle is taken as it is numbered.
pub fn as_sound_flows<R: Ord>(count: usize, leads: &[(usize, usize)], rank: impl Fn(usize) -> R) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(count);
    let mut left: Vec<usize> = (0..count).collect();
    left.sort_by_key(|one| (rank(*one), *one));
    while !left.is_empty() {
        let waits = |one: usize| leads.iter().any(|(from, to)| *to == one && *from != one && left.contains(from));
        let next = left.iter().position(|one| !waits(*one)).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}
