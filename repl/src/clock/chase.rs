//! The tempo that a desk takes to be with somebody else: theirs, and a little more or less as long as it is behind or ahead.
//! One that is far away goes to where they are, once.

use engine::tempo::Tempo;

use super::follower::Outside;

/// Beats in which what a desk is off by is made up for.
const BEATS: f64 = 4.0;

/// By how much the tempo may differ from theirs for that.
const MOST: f64 = 0.04;

/// What is not chased: seconds, and beats a minute.
const NEAR: f64 = 0.001;
const SAME: f64 = 0.02;

/// From how many seconds on a desk goes to where they are, instead of running after them.
const FAR: f64 = 0.15;

/// How long after a leap the next may come, and how long what was asked for may take to be in place, in seconds.
const LEAP: f64 = 3.0;
const SETTLES: f64 = 0.3;

/// How long a transport goes on before it goes elsewhere, in seconds.
const FADE: f64 = 0.02;

/// By how much a tempo is another one to a text.
const OTHER: f64 = 0.001;

/// The range of a tempo.
const TEMPOS: std::ops::RangeInclusive<f64> = 1.0..=999.0;

/// What a desk would do to be with somebody.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// Nothing: it is.
    Stay,
    /// It takes this tempo.
    Tempo(f64),
    /// It goes so many beats on, or back, to where they are.
    Leap(f64),
}

/// What a desk at a beat and a tempo does about others who are where they are at the same time.
fn step(outside: &Outside, beat: f64, tempo: f64) -> Step {
    if !TEMPOS.contains(&outside.tempo) {
        return Step::Stay;
    }
    let off = match outside.wrap {
        Some(wrap) => (outside.beat - beat + wrap / 2.0).rem_euclid(wrap) - wrap / 2.0,
        None => outside.beat - beat,
    };
    let late = off * 60.0 / outside.tempo;
    if late.abs() > FAR {
        return Step::Leap(off);
    }
    let more = if late.abs() < NEAR { 0.0 } else { (off / BEATS).clamp(-MOST, MOST) };
    let wanted = (outside.tempo * (1.0 + more)).clamp(*TEMPOS.start(), *TEMPOS.end());
    let wanted = (wanted * 1000.0).round() / 1000.0;
    if (wanted - tempo).abs() < SAME { Step::Stay } else { Step::Tempo(wanted) }
}

/// What a desk does to be with somebody.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    /// It takes this tempo.
    Tempo(f64),
    /// It goes to this frame.
    Locate(u64),
}

/// Where a desk is.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// Its musical time.
    pub tempo: &'a Tempo,
    /// The frame that is heard when others are where they are; none while it stands still.
    pub heard: Option<f64>,
    /// The frame that is computed next.
    pub next: u64,
    /// How late what is computed is heard, in seconds.
    pub late: f64,
}

/// A desk on its way to others.
#[derive(Debug, Default)]
pub struct Chase {
    /// When something was asked for last, and a leap, in seconds.
    asked: Option<f64>,
    leapt: Option<f64>,
}

impl Chase {
    /// What a desk does at a time about others, if anything. Their tempo is taken before it goes to where they are: a change
    /// lies at a frame, and where it would go to that frame might be still to come.
    pub fn next(&mut self, outside: &Outside, here: &Here, now: f64) -> Option<Deed> {
        if self.asked.is_some_and(|asked| now - asked < SETTLES + here.late) {
            return None;
        }
        let soon = here.next + (SETTLES * here.tempo.rate()) as u64;
        let tempo = here.tempo.bpm_at(soon as i64);
        let alone = step(outside, outside.beat, tempo);
        let wanted = here.heard.map_or(alone, |frame| step(outside, here.tempo.beat_at(frame.round() as i64), tempo));
        let deed = match (wanted, alone) {
            (Step::Tempo(bpm), _) | (Step::Leap(_), Step::Tempo(bpm)) => Deed::Tempo(told(bpm, here.tempo)),
            (Step::Leap(beats), _) if self.leapt.is_none_or(|leapt| now - leapt > LEAP) => {
                self.leapt = Some(now);
                Deed::Locate(goal(outside, here, beats, soon))
            }
            (Step::Leap(_) | Step::Stay, _) => return None,
        };
        self.asked = Some(now);
        Some(deed)
    }
}

/// A tempo as a text is to say it. What it says already would change nothing where another one holds, since before that the
/// transport went elsewhere.
fn told(bpm: f64, tempo: &Tempo) -> f64 {
    if tempo.clock().tempo != bpm {
        return bpm;
    }
    let other = if bpm + OTHER > *TEMPOS.end() { bpm - OTHER } else { bpm + OTHER };
    (other * 1000.0).round() / 1000.0
}

/// The frame to which a desk goes that is so many beats behind: from where it is by then, since what plays fades before. Where
/// beats repeat, it is after the change of tempo that has been made for it.
fn goal(outside: &Outside, here: &Here, beats: f64, soon: u64) -> u64 {
    let tempo = here.tempo;
    let there = tempo.beat_at(here.next as i64) + FADE * outside.tempo / 60.0 + beats;
    let changed = tempo.stretches().take_while(|frame| *frame <= soon as i64).last();
    let least = changed.map_or(0.0, |frame| tempo.beat_at(frame)).max(0.0);
    let there = match outside.wrap {
        Some(wrap) if there < least => there + wrap * ((least - there) / wrap).ceil(),
        _ => there,
    };
    tempo.frame_of_beat(there).max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::super::follower::{Follower, TICKS, Told, Word};
    use super::super::lock::tests::Chance;
    use super::*;
    use engine::units::Clock;

    const RATE: f64 = 48_000.0;

    /// A desk beside others, at given times.
    struct Desk {
        tempo: Tempo,
        /// The frame that is computed next.
        frame: f64,
        late: f64,
        chase: Chase,
        /// What it was asked to do, and when it does.
        on_its_way: Option<(f64, Deed)>,
        deeds: Vec<Deed>,
        now: f64,
    }

    impl Desk {
        fn new(bpm: f64, late: f64) -> Desk {
            let tempo = Tempo::new(Clock { rate: RATE, tempo: bpm, beats_per_bar: 4.0 });
            let (chase, deeds) = (Chase::default(), Vec::new());
            Desk { tempo, frame: 0.0, late, chase, on_its_way: None, deeds, now: 0.0 }
        }

        /// The beat that is heard.
        fn beat(&self) -> f64 {
            self.tempo.beat_at((self.frame - self.late * RATE).round() as i64)
        }

        /// Goes on beside others at a tempo, whose beat this was at the beginning; they are looked at every so often.
        fn run(&mut self, seconds: f64, bpm: f64, begin: f64, wrap: Option<f64>) {
            for _ in 0..(seconds * 100.0) as usize {
                self.now += 0.01;
                self.frame += 0.01 * RATE;
                if let Some((_, deed)) = self.on_its_way.take_if(|(at, _)| *at <= self.now) {
                    match deed {
                        Deed::Locate(frame) => self.frame = frame as f64,
                        Deed::Tempo(_) => {}
                    }
                }
                if self.on_its_way.is_some() {
                    continue;
                }
                let outside = Outside { tempo: bpm, time: self.now, beat: begin + self.now * bpm / 60.0, wrap };
                let heard = Some(self.frame - self.late * RATE);
                let here = Here { tempo: &self.tempo, heard, next: self.frame as u64, late: self.late };
                let deed = self.chase.next(&outside, &here, self.now);
                if let Some(deed) = deed {
                    if let Deed::Tempo(bpm) = deed {
                        // What a text says is said of a frame that is still to come.
                        let clock = Clock { tempo: bpm, ..self.tempo.clock() };
                        self.tempo.change((self.frame + 0.04 * RATE) as i64, clock);
                    }
                    self.on_its_way = Some((self.now + FADE, deed));
                    self.deeds.push(deed);
                }
            }
        }

        fn leaps(&self) -> usize {
            self.deeds.iter().filter(|deed| matches!(deed, Deed::Locate(_))).count()
        }
    }

    /// Seconds by which a beat is off another, where they repeat after a bar.
    fn off(one: f64, other: f64, bpm: f64) -> f64 {
        ((one - other + 2.0).rem_euclid(4.0) - 2.0) * 60.0 / bpm
    }

    #[test]
    fn who_meets_others_at_another_tempo_leaps_once_and_is_with_them() {
        for (bpm, late) in [(150.0, 0.0), (90.0, 0.0), (150.0, 0.7), (60.0, 0.05)] {
            for begin in [0.3, 1.1, 2.0, 2.9, 3.7] {
                let mut desk = Desk::new(110.0, late);
                desk.run(1.0, 110.0, 0.0, Some(4.0));
                desk.deeds.clear();
                desk.run(12.0, bpm, begin, Some(4.0));
                let others = begin + desk.now * bpm / 60.0;
                assert!(desk.leaps() <= 1, "{bpm} from {begin}: {:?}", desk.deeds);
                let off = off(desk.beat(), others, bpm);
                assert!(off.abs() < 0.005, "{bpm} from {begin}: {off} s off after {:?}", desk.deeds);
                let there = desk.tempo.bpm_at(desk.frame as i64);
                assert!((there / bpm - 1.0).abs() < 2e-3, "{there} is not {bpm}");
            }
        }
    }

    #[test]
    fn who_goes_back_to_where_another_tempo_was_is_soon_with_others_again() {
        let mut desk = Desk::new(110.0, 0.0);
        desk.run(10.0, 150.0, 0.0, Some(4.0));
        desk.deeds.clear();
        desk.frame = 0.0;
        desk.run(8.0, 150.0, 0.0, Some(4.0));
        assert_eq!(desk.deeds[0], Deed::Tempo(150.001), "150 is what the text says");
        assert!(desk.leaps() <= 1 && desk.deeds.len() < 9, "{:?}", desk.deeds);
        assert!(off(desk.beat(), desk.now * 150.0 / 60.0, 150.0).abs() < 0.005);
    }

    fn outside(tempo: f64, beat: f64, wrap: Option<f64>) -> Outside {
        Outside { tempo, time: 0.0, beat, wrap }
    }

    #[test]
    fn what_is_near_is_left_and_what_is_far_is_gone_to() {
        assert_eq!(step(&outside(120.0, 8.001, None), 8.0, 120.01), Step::Stay);
        assert_eq!(step(&outside(120.0, 8.0, None), 8.0, 118.0), Step::Tempo(120.0));
        assert_eq!(step(&outside(120.0, 8.1, None), 8.0, 120.0), Step::Tempo(123.0));
        assert_eq!(step(&outside(120.0, 7.9, None), 8.0, 120.0), Step::Tempo(117.0));
        assert_eq!(step(&outside(120.0, 12.0, None), 8.0, 120.0), Step::Leap(4.0));
        assert_eq!(step(&outside(0.5, 12.0, None), 8.0, 120.0), Step::Stay, "no desk goes as slowly");
    }

    #[test]
    fn where_beats_repeat_the_nearest_is_run_after() {
        assert_eq!(step(&outside(120.0, 0.0, Some(4.0)), 103.9, 120.0), Step::Tempo(123.0));
        assert_eq!(step(&outside(120.0, 3.9, Some(4.0)), 104.0, 120.0), Step::Tempo(117.0));
        assert_eq!(step(&outside(60.0, 3.86, Some(4.0)), 104.0, 60.0), Step::Tempo(57.9));
        assert_eq!(step(&outside(100.0, 1.0, Some(4.0)), 104.0, 100.0), Step::Leap(1.0));
    }

    #[test]
    fn a_desk_that_chases_a_jittering_clock_is_with_it() {
        let (mut follower, mut chance) = (Follower::default(), Chance(9));
        follower.take(Word::Start, 0.0);
        // A desk that began 60 ms late at another tempo, and takes each tempo 30 ms after it was asked.
        let (mut desk, mut tempo, mut asked) = ((0.06, 0.0), 110.0, None);
        let (mut worst, mut asks) = (0.0f64, 0);
        for tick in 0..(24 * 120) {
            let time = f64::from(tick) * 2.5 / 128.0;
            let beat_at = |at: f64, desk: (f64, f64), tempo: f64| desk.1 + (at - desk.0) * tempo / 60.0;
            if let Some((at, next)) = asked.filter(|(at, _)| *at <= time) {
                desk = (at, beat_at(at, desk, tempo));
                (tempo, asked) = (next, None);
            }
            if tick > 24 * 60 {
                worst = worst.max((beat_at(time, desk, tempo) - f64::from(tick) / TICKS).abs() * 60_000.0 / 128.0);
            }
            let told = follower.take(Word::Tick, time + 0.002 * chance.next());
            let Some(Told::Beat(outside)) = told else { continue };
            match step(&outside, beat_at(outside.time, desk, tempo), tempo) {
                Step::Stay => {}
                Step::Tempo(next) => {
                    asked = Some((time + 0.03, next));
                    asks += 1;
                }
                Step::Leap(_) => {
                    desk = (time, outside.beat + (time - outside.time) * outside.tempo / 60.0);
                    tempo = outside.tempo;
                }
            }
        }
        assert!(worst < 3.0, "off by {worst} ms");
        assert!((tempo - 128.0).abs() < 0.2 && asks < 120, "{tempo} BPM after {asks} changes");
    }
}
