//! A loop that locks on to moments which come evenly and are heard unevenly: the ticks of a clock, the blocks of a device.
//!
//! Of second order: it follows the time of the newest place and the time that one place takes. At first each moment weighs as
//! in the line of least squares through all that came, which is a filter of growing memory; from a length of memory on the
//! weights stay, and what is older fades. When moments keep coming early or late, the memory is cut, so that another tempo
//! is found soon. After R. G. Brown, *Smoothing, Forecasting and Prediction of Discrete Time Series* (1963), and the weights of
//! E. Brookner, *Tracking and Kalman Filtering Made Easy* (1998), 1.2.10.

/// How far a moment may be off, in seconds, before all is begun anew.
const LOST: f64 = 0.25;

/// How far moments may be off together, in seconds, before the memory is cut.
const OFF: f64 = 0.003;

/// How many moments that is looked at over, and how many are remembered at least.
const TOGETHER: f64 = 6.0;
const FEWEST: f64 = 12.0;

/// The loop. Times are seconds of any clock, places any even count.
#[derive(Clone, Debug)]
pub struct Lock {
    /// How long it remembers, in seconds.
    memory: f64,
    /// The seconds that a place is thought to take before any came, and how many moments that thought weighs.
    guess: (f64, f64),
    /// The newest place; none as long as nothing came.
    place: Option<f64>,
    /// Its time.
    time: f64,
    /// Seconds from one place to the next.
    period: f64,
    /// How many moments are remembered.
    seen: f64,
    /// How far the newest were off together.
    off: f64,
}

impl Lock {
    /// One that knows nothing yet, and remembers so many seconds.
    pub fn new(memory: f64) -> Self {
        Lock::guessing(memory, 0.0, 0.0)
    }

    /// One that thinks a place takes so many seconds, which weighs as much as so many moments.
    pub fn guessing(memory: f64, period: f64, weight: f64) -> Self {
        Lock { memory, guess: (period, weight), place: None, time: 0.0, period, seen: weight, off: 0.0 }
    }

    /// Takes a place and the time at which it was heard. Places only grow, but where all is begun anew.
    pub fn take(&mut self, place: f64, time: f64) {
        let Some(last) = self.place else { return self.begin(place, time) };
        let step = place - last;
        let early = time - (self.time + step * self.period);
        let knows_tempo = self.seen >= 2.0;
        if step <= 0.0 || (knows_tempo && early.abs() > LOST) || (!knows_tempo && early > 4.0 * LOST) {
            return self.begin(place, time);
        }
        let most = (self.memory / (step * self.period.max(1e-9))).max(FEWEST);
        self.seen = (self.seen + 1.0).min(if knows_tempo { most } else { 2.0 });
        let n = self.seen;
        self.time += step * self.period + 2.0 * (2.0 * n - 1.0) / (n * (n + 1.0)) * early;
        self.period += 6.0 / (n * (n + 1.0)) * early / step;
        self.place = Some(place);
        self.off += (early - self.off) / TOGETHER;
        if self.off.abs() > OFF && n >= 2.0 * FEWEST {
            (self.seen, self.off) = (n / 2.0, 0.0);
        }
    }

    fn begin(&mut self, place: f64, time: f64) {
        let (period, weight) = self.guess;
        *self = Lock { place: Some(place), time, seen: weight.max(1.0), ..Lock::guessing(self.memory, period, weight) };
    }

    /// Seconds from one place to the next, once that is known.
    pub fn period(&self) -> Option<f64> {
        (self.place.is_some() && self.seen >= 2.0 && self.period > 0.0).then_some(self.period)
    }

    /// How many moments are remembered.
    pub fn seen(&self) -> f64 {
        self.seen
    }

    /// When a place is, once that is known.
    pub fn time_of(&self, place: f64) -> Option<f64> {
        Some(self.time + (place - self.place?) * self.period()?)
    }

    /// Which place is at a time, fractions included.
    pub fn place_at(&self, time: f64) -> Option<f64> {
        Some(self.place? + (time - self.time) / self.period()?)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Even chances between -1 and 1.
    pub(crate) struct Chance(pub u64);

    impl Chance {
        pub(crate) fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        }
    }

    #[test]
    fn at_first_it_is_the_line_of_least_squares() {
        let mut chance = Chance(1);
        let times: Vec<f64> = (0..10).map(|i| f64::from(i) * 0.02 + 0.002 * chance.next()).collect();
        let mut lock = Lock::new(4.0);
        times.iter().enumerate().for_each(|(i, time)| lock.take(i as f64, *time));
        let (middle, mean) = (4.5, times.iter().sum::<f64>() / 10.0);
        let apart = |i: usize| i as f64 - middle;
        let slope = times.iter().enumerate().map(|(i, t)| apart(i) * t).sum::<f64>() / 82.5;
        assert!((lock.period().unwrap() - slope).abs() < 1e-12);
        assert!((lock.place_at(mean).unwrap() - middle).abs() < 1e-9);
    }

    #[test]
    fn even_moments_are_followed_exactly_and_a_leap_begins_anew() {
        let mut lock = Lock::new(1.0);
        (0..2000).for_each(|i| lock.take(f64::from(i), 5.0 + f64::from(i) * 0.0125));
        assert!((lock.period().unwrap() - 0.0125).abs() < 1e-12);
        assert!((lock.place_at(5.0 + 25.0).unwrap() - 2000.0).abs() < 1e-7);
        lock.take(2000.0, 100.0);
        assert_eq!((lock.period(), lock.seen()), (None, 1.0));
    }

    #[test]
    fn a_guess_is_corrected_slowly() {
        let mut chance = Chance(3);
        let rate = 48_000.0 * 1.0001;
        let mut lock = Lock::guessing(10.0, 1.0 / 48_000.0, 200.0);
        for block in 0..10_000 {
            let frames = f64::from(block) * 512.0;
            lock.take(frames, frames / rate + 0.001 * chance.next());
            let off = lock.place_at(frames / rate).unwrap() - frames;
            assert!(off.abs() < 0.0015 * rate, "block {block}: {off} frames");
        }
        assert!((1.0 / lock.period().unwrap() / rate - 1.0).abs() < 2e-5);
    }
}
