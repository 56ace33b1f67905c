//! What is told of the guard before the device, and of a machine that cannot keep up, in words.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use engine::compile::Program;
use engine::guard::Deed;
use engine::inspect::Origin;

/// How many programs are remembered: what is told of one may come when the next already plays.
const REMEMBERED: usize = 8;

/// A load from which on the machine cannot be said to keep up: what comes on top soon makes a block late.
const HEAVY: f64 = 0.8;

/// So many late blocks within a second are no accident.
const LATE: u64 = 3;

/// How long after saying so it is not said again.
const PAUSE: Duration = Duration::from_secs(30);

/// How many strips are named.
const NAMED: usize = 5;

/// What the indices in reports mean.
#[derive(Default)]
pub struct Programs(VecDeque<Names>);

struct Names {
    serial: u64,
    works: Vec<String>,
    loops: Vec<String>,
    outputs: Vec<(Vec<u16>, Option<String>)>,
}

impl Programs {
    /// Learns the names in a program, before it is sent.
    pub fn remember(&mut self, program: &Program) {
        let outputs =
            program.plan.outputs.iter().map(|output| (output.channels.clone(), output.send.clone())).collect();
        let loops = program.plan.loops.iter().map(|one| one.path.clone()).collect();
        self.0.push_back(Names { serial: program.serial, works: program.plan.paths.clone(), loops, outputs });
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }

    /// The paths of a program's works.
    pub fn works(&self, serial: u64) -> &[String] {
        self.of(serial).map_or(&[], |names| &names.works)
    }

    /// An output as the text has it, `output(1, 2)`; of hardware, what it is sent by.
    fn output(&self, serial: u64, channel: u16) -> String {
        let outputs = self.of(serial).map_or(&[][..], |names| &names.outputs);
        let found = outputs.iter().find(|(channels, _)| channels.contains(&channel));
        match found {
            Some((_, Some(send))) => format!("the send of {send}"),
            found => {
                let channels = found.map_or(vec![channel], |(channels, _)| channels.clone());
                format!("output({})", channels.iter().map(u16::to_string).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// What the guard does, in a line. The level is in tenths of a dB.
    pub fn deed(&self, serial: u64, deed: Deed, channel: u16, level: i32, origin: Origin) -> String {
        let output = self.output(serial, channel);
        let level = f64::from(level) / 10.0;
        let what = match deed {
            Deed::Holds => format!("{output} reaches {level:+.1} dBFS: it is held at the ceiling"),
            Deed::Shuts => format!("{output} has run away, to {level:+.0} dBFS: it is silent until that is over"),
            Deed::ShutsNoNumber => {
                format!("what {output} gets is no number: it is silent until that is over")
            }
            Deed::TakesOutDc => format!("{output} has a DC offset of {level:.0} dBFS: it is taken out"),
            Deed::Opens => format!("{output} is sane again, and heard"),
        };
        let from = match origin {
            Origin::Work(work) => self.works(serial).get(work).map(|path| format!("it comes from {path}")),
            Origin::Loop(one) => self
                .of(serial)
                .and_then(|names| names.loops.get(one))
                .map(|path| format!("it comes from the loop {path}, which gives back more than it gets")),
            Origin::Sum => Some("nothing in it is too much by itself, but the sum is".into()),
            Origin::Unknown => None,
        };
        from.map_or(what.clone(), |from| format!("{what}; {from}"))
    }

    fn of(&self, serial: u64) -> Option<&Names> {
        self.0.iter().find(|names| names.serial == serial)
    }
}

/// Whether the machine keeps up, watched over time.
#[derive(Default)]
pub struct Overload {
    /// When the present second began, and how many blocks had been late by then.
    second: Option<(Instant, u64)>,
    told: Option<Instant>,
}

impl Overload {
    /// Takes note of the load and of the count of late blocks: whether it must be found out what is costly.
    pub fn look(&mut self, load: f64, late: u64, now: Instant) -> bool {
        let (begun, before) = *self.second.get_or_insert((now, late));
        let over = load > HEAVY || late >= before + LATE;
        if now.duration_since(begun) >= Duration::from_secs(1) {
            self.second = Some((now, late));
        }
        let news = over && self.told.is_none_or(|told| now.duration_since(told) >= PAUSE);
        if news {
            self.told = Some(now);
        }
        news
    }
}

/// Which strips cost most, in a line. A strip is what a path begins with: its input's or its bus's name.
pub fn costs(works: &[String], shares: &[f64]) -> String {
    let mut strips: BTreeMap<&str, f64> = BTreeMap::new();
    for (path, share) in works.iter().zip(shares) {
        *strips.entry(path.split(['/', '>']).next().unwrap_or(path)).or_default() += share;
    }
    let mut strips: Vec<(&str, f64)> = strips.into_iter().filter(|(_, share)| *share >= 0.005).collect();
    strips.sort_by(|a, b| b.1.total_cmp(&a.1));
    let told: Vec<String> = strips
        .iter()
        .take(NAMED)
        .enumerate()
        .map(|(n, (strip, share))| {
            let takes = if n == 0 { " takes" } else { "" };
            format!("{strip}{takes} {:.0} %", share * 100.0)
        })
        .collect();
    match told.is_empty() {
        true => "the machine cannot keep up, and no strip is to blame: something else takes its time".into(),
        false => format!("the machine cannot keep up: {} of the time there is", told.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(list: &[&str]) -> Vec<String> {
        list.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn costs_are_summed_by_strip_and_the_dearest_come_first() {
        let works = paths(&["drums", "drums>band/eq", "room>band/reverb", "voice", "voice>band/gate", "tick"]);
        let told = costs(&works, &[0.04, 0.05, 0.22, 0.01, 0.30, 0.0001]);
        assert_eq!(told, "the machine cannot keep up: voice takes 31 %, room 22 %, drums 9 % of the time there is");
        assert!(costs(&works, &[0.0; 6]).ends_with("something else takes its time"));
    }

    #[test]
    fn what_is_too_much_is_told_rarely() {
        let (mut overload, begun) = (Overload::default(), Instant::now());
        let at = |ms: u64| begun + Duration::from_millis(ms);
        assert!(!overload.look(0.79, 100, at(0)), "what was late before counts no more");
        assert!(!overload.look(0.5, 102, at(900)));
        assert!(!overload.look(0.5, 102, at(1000)));
        assert!(!overload.look(0.5, 104, at(1500)), "two in this second");
        assert!(overload.look(0.5, 105, at(1600)));
        assert!(!overload.look(0.9, 105, at(20_000)));
        assert!(overload.look(0.9, 105, at(31_601)));
    }

    #[test]
    fn the_guards_deeds_are_told_with_output_and_path() {
        let mut programs = Programs::default();
        let (works, loops) = (paths(&["a", "a>master/gain"]), paths(&["room>room"]));
        let outputs = vec![(vec![1, 2], None), (vec![3, 4], None), (vec![5], Some("a>master/insert".into()))];
        let names = Names { serial: 3, works, loops, outputs };
        programs.0.push_back(names);
        assert_eq!(
            programs.deed(3, Deed::Shuts, 4, 1823, Origin::Work(1)),
            "output(3, 4) has run away, to +182 dBFS: it is silent until that is over; it comes from a>master/gain"
        );
        assert_eq!(
            programs.deed(3, Deed::Holds, 1, 32, Origin::Sum),
            "output(1, 2) reaches +3.2 dBFS: it is held at the ceiling; nothing in it is too much by itself, but the sum is"
        );
        let told = programs.deed(3, Deed::Shuts, 5, 300, Origin::Unknown);
        assert_eq!(told, "the send of a>master/insert has run away, to +30 dBFS: it is silent until that is over");
        let told = programs.deed(3, Deed::Shuts, 1, 300, Origin::Loop(0));
        assert!(told.ends_with("; it comes from the loop room>room, which gives back more than it gets"), "{told}");
        assert_eq!(programs.deed(3, Deed::Opens, 1, 0, Origin::Unknown), "output(1, 2) is sane again, and heard");
    }
}
