//! After how many cycles a pattern comes round.

use super::Pattern;
use super::event::Value;
use super::node::{Change, Euclid, Node};
use super::ratio::{Ratio, gcd};

/// The longest period, in cycles.
const LONGEST: u64 = 4096;

/// Why a pattern does not come round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endless {
    /// There is chance in it.
    Drawn,
    /// It does so after more than 4096 cycles only, or that cannot be foreseen.
    TooLong,
}

type Period = Result<u64, Endless>;

impl Pattern {
    /// After how many cycles it has the same again, as far as that is written. The cycles may be alike sooner.
    ///
    /// # Errors
    /// It does not come round, or not within 4096 cycles.
    pub fn period(&self) -> Result<i64, Endless> {
        self.root.period().map(|period| period as i64)
    }
}

fn within_bounds(period: Option<u64>) -> Period {
    period.filter(|period| *period <= LONGEST).ok_or(Endless::TooLong)
}

/// The least that both go into.
fn both(a: u64, b: u64) -> Period {
    within_bounds((a / gcd(a, b)).checked_mul(b))
}

fn all(mut periods: impl Iterator<Item = Period>) -> Period {
    periods.try_fold(1, |all, period| both(all, period?))
}

/// That of something of a period at another speed.
fn sped(period: u64, by: Ratio) -> Period {
    let (over, under) = (by.over().unsigned_abs(), by.under() as u64);
    match over {
        0 => Ok(1),
        _ => within_bounds(period.checked_mul(under).map(|cycles| cycles / gcd(cycles, over))),
    }
}

impl Node {
    fn period(&self) -> Period {
        match self {
            Node::Silence | Node::Given | Node::Atom(..) => Ok(1),
            Node::Sequence(steps) => all(steps.iter().map(|step| step.node.period())),
            Node::Stack(parts) => all(parts.iter().map(Node::period)),
            Node::Choose(..) => Err(Endless::Drawn),
            Node::Changed(node, changes) => after(node.period()?, changes),
        }
    }

    /// The numbers that it has, as they are written; none if it has others, too.
    fn speeds(&self) -> Option<Vec<Ratio>> {
        let of_all = |nodes: &mut dyn Iterator<Item = &Node>| -> Option<Vec<Ratio>> {
            nodes.map(Node::speeds).collect::<Option<Vec<_>>>().map(|all| all.concat())
        };
        match self {
            Node::Silence | Node::Given => Some(Vec::new()),
            Node::Atom(Value::Number(number), _) => Some(vec![Ratio::simplest(*number).ok()?]),
            Node::Atom(Value::Word { .. }, _) => None,
            Node::Sequence(steps) => of_all(&mut steps.iter().map(|step| &step.node)),
            Node::Stack(parts) | Node::Choose(parts, _) => of_all(&mut parts.iter()),
            Node::Changed(node, changes) => {
                let plain = changes.iter().all(|change| matches!(change, Change::Fast(_)));
                node.speeds().filter(|_| plain)
            }
        }
    }
}

/// The period of something of one after changes.
fn after(period: u64, changes: &[Change]) -> Period {
    changes.iter().try_fold(period, |now, change| match change {
        Change::Fast(by) => sped(now, *by),
        Change::FastBy { by, slow } => {
            let mut whole = both(now, by.period()?)?;
            for number in by.speeds().ok_or(Endless::TooLong)? {
                let by = if *slow { number.turned().map_err(|_| Endless::TooLong)? } else { number };
                whole = both(whole, sped(now, by)?)?;
            }
            Ok(whole)
        }
        Change::Euclid(euclid) => {
            let Euclid { beats, steps, rotation } = &**euclid;
            all([Ok(now), beats.period(), steps.period(), rotation.period()].into_iter())
        }
        Change::Every { of, with, .. } => all([Ok(now), Ok(*of as u64), after(now, with)].into_iter()),
        Change::Respond { cycles, with } => {
            let phrases = |period: u64| within_bounds(both(period, *cycles as u64)?.checked_mul(2));
            both(phrases(now)?, phrases(after(now, with)?)?)
        }
        Change::Iter { n, .. } => within_bounds(now.checked_mul(*n as u64)),
        Change::Also(with) => both(now, after(now, with)?),
        Change::Struct(node) | Change::Mask(node) | Change::Add(node) | Change::Sample(node) => {
            both(now, node.period()?)
        }
        Change::Ply(node) | Change::With(node) => both(now, node.period()?),
        Change::Instead(node) => node.period(),
        Change::Degrade { .. } | Change::Sometimes { .. } => Err(Endless::Drawn),
        Change::Shift(_) | Change::Rev | Change::Arp(_) | Change::Swing { .. } => Ok(now),
        Change::Scale(_) | Change::Chord(_) | Change::Seed(_) => Ok(now),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Changes;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text, 0).unwrap()
    }

    /// What a cycle has, counted from its own beginning.
    fn cycle(pattern: &Pattern, number: i64) -> Vec<(Ratio, Ratio, String)> {
        let since = |time: Ratio| time.minus(Ratio::whole(number)).unwrap();
        let events = pattern.query(0, Ratio::whole(number), Ratio::whole(number + 1)).unwrap();
        events
            .into_iter()
            .map(|event| (since(event.whole.begin), since(event.whole.end), event.value.to_string()))
            .collect()
    }

    #[test]
    fn a_pattern_has_the_same_again_after_its_period_and_not_before() {
        let rev = Changes::record(|p| p.rev()).unwrap();
        for (pattern, period) in [
            (pattern("a b"), 1),
            (pattern("<a b c>"), 3),
            (pattern("<a b> <c d e>"), 6),
            (pattern("<a <b c>>"), 4),
            (pattern("[a b c]/4"), 4),
            (pattern("<a b c>*2"), 3),
            (pattern("[a b c d]*1.5"), 2),
            (pattern("{a b c}%4"), 3),
            (pattern("a(<3 5>,8)"), 2),
            (pattern("a b").every(4, 0, &rev).unwrap(), 4),
            (pattern("<[a b] [c d]>").respond(2, &rev).unwrap(), 4),
            (pattern("a b c d").iter(4).unwrap(), 4),
            (pattern("0 1").fast(&pattern("<1 2>")).unwrap(), 2),
            (pattern("0 1").ply(&pattern("<1 1 3>")).unwrap(), 3),
            (pattern("<0 1>").ply(&pattern("<1 1 3>")).unwrap(), 6),
            (pattern("0 1").plus(&pattern("<0 5 7>")).unwrap(), 3),
        ] {
            assert_eq!(pattern.period(), Ok(period), "{pattern:?}");
            for number in 0..8 {
                assert_eq!(cycle(&pattern, number), cycle(&pattern, number + period), "{pattern:?}");
            }
            let sooner = (1..period).find(|sooner| {
                (0..2 * period).all(|number| cycle(&pattern, number) == cycle(&pattern, number + sooner))
            });
            assert_eq!(sooner, None, "{pattern:?}");
        }
    }

    #[test]
    fn chance_and_what_takes_too_long_have_none() {
        assert_eq!(pattern("a b?").period(), Err(Endless::Drawn));
        assert_eq!(pattern("a | b").period(), Err(Endless::Drawn));
        assert_eq!(pattern("<a!101> <b!103 c> <d!107 e>").period(), Err(Endless::TooLong));
    }
}
