//! Sections that stand still, one behind the other on some channels: a section waits for its own frame before and for the section in
//! front of it, and gone through frame by frame those two do not add up; two channels are filtered side by side.

use std::array;
use std::ops::Range;

use super::{Filter, Section, Step};
use crate::kernel::Buffer;
use crate::wide::each;

/// How many sections are gone through at once.
const ROW: usize = 6;

/// Channels that all go through the same sections.
pub trait Rows {
    /// How many channels there are.
    fn channels(&self) -> usize;

    /// The sections in order, each with its state on C channels from `first` on. RT.
    fn row<const C: usize>(&mut self, first: usize) -> impl Iterator<Item = (&Step, &mut [Filter; C])>;

    /// Filters these frames of each channel, as [`Filter::run`] does section by section. RT.
    fn run_rows(&mut self, audio: &mut [Buffer], frames: Range<usize>) {
        let channels = self.channels().min(audio.len());
        let (pairs, left) = audio[..channels].as_chunks_mut::<2>();
        for (pair, first) in pairs.iter_mut().zip((0..).step_by(2)) {
            run(self.row(first), pair.each_mut().map(|channel| &mut channel[frames.clone()]));
        }
        if let [last] = left {
            run(self.row(channels - 1), [&mut last[frames]]);
        }
    }
}

/// RT.
fn run<'a, const C: usize>(
    sections: impl Iterator<Item = (&'a Step, &'a mut [Filter; C])>,
    mut sound: [&mut [f64]; C],
) {
    let mut steps = [Section::THROUGH.step(); ROW];
    let mut filters: [Option<&mut [Filter; C]>; ROW] = [const { None }; ROW];
    let mut count = 0;
    let mut sections = sections.peekable();
    while let Some((step, filter)) = sections.next() {
        (steps[count], filters[count]) = (*step, Some(filter));
        count += 1;
        if count == ROW || sections.peek().is_none() {
            match count {
                1 => run_through::<1, C>(&steps, &mut filters, &mut sound),
                2 => run_through::<2, C>(&steps, &mut filters, &mut sound),
                3 => run_through::<3, C>(&steps, &mut filters, &mut sound),
                4 => run_through::<4, C>(&steps, &mut filters, &mut sound),
                5 => run_through::<5, C>(&steps, &mut filters, &mut sound),
                _ => run_through::<ROW, C>(&steps, &mut filters, &mut sound),
            }
            count = 0;
        }
    }
}

/// Runs a stretch through N sections. RT.
fn run_through<const N: usize, const C: usize>(
    steps: &[Step; ROW],
    filters: &mut [Option<&mut [Filter; C]>; ROW],
    sound: &mut [&mut [f64]; C],
) {
    let steps: [Step; N] = array::from_fn(|n| steps[n]);
    let state = |n: usize, of: fn(&Filter) -> f64| filters[n].as_ref().map_or([0.0; C], |all| each(|c| of(&all[c])));
    let mut s1: [[f64; C]; N] = array::from_fn(|n| state(n, |filter| filter.s1));
    let mut s2: [[f64; C]; N] = array::from_fn(|n| state(n, |filter| filter.s2));
    let count = sound.iter().map(|channel| channel.len()).min().unwrap_or(0);
    let mut sound = sound.each_mut().map(|channel| &mut channel[..count]);
    for i in 0..count {
        let mut x: [f64; C] = each(|c| sound[c][i]);
        for n in 0..N {
            x = steps[n].tick(&mut s1[n], &mut s2[n], x);
        }
        for (channel, x) in sound.iter_mut().zip(x) {
            channel[i] = x;
        }
    }
    for (filters, (s1, s2)) in filters.iter_mut().flatten().zip(s1.into_iter().zip(s2)) {
        for (filter, (s1, s2)) in filters.iter_mut().zip(s1.into_iter().zip(s2)) {
            *filter = Filter::left_in([s1, s2]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::QUANTUM;
    use crate::test_signals::{RATE, noise};

    /// Sections on some channels, all states of a section together.
    struct Bells {
        steps: Vec<Step>,
        state: Vec<Filter>,
        channels: usize,
    }

    impl Rows for Bells {
        fn channels(&self) -> usize {
            self.channels
        }

        fn row<const C: usize>(&mut self, first: usize) -> impl Iterator<Item = (&Step, &mut [Filter; C])> {
            let states = self.state.chunks_exact_mut(self.channels);
            self.steps.iter().zip(states.map(move |all| all[first..].first_chunk_mut().unwrap()))
        }
    }

    #[test]
    fn sections_in_a_row_give_the_bits_of_one_after_the_other_and_channels_those_of_each_alone() {
        let sections: Vec<Section> = (1..=11).map(|i| Section::bell(f64::from(i) * 700.0, 3.0, 2.0, RATE)).collect();
        for (count, channels) in (0..=sections.len()).flat_map(|count| (1..=5).map(move |channels| (count, channels))) {
            let sections = &sections[..count];
            let steps = sections.iter().map(Section::step).collect();
            let mut rows = Bells { steps, state: vec![Filter::default(); count * channels], channels };
            let mut alone = rows.state.clone();
            for turn in 0..16 {
                let frames = 3 * turn % 5..QUANTUM - turn;
                let sound = |channel| noise((100 * turn + channel) as u64 + 1, QUANTUM).try_into().unwrap();
                let mut in_a_row: Vec<Buffer> = (0..channels).map(sound).collect();
                let mut one_by_one = in_a_row.clone();
                // What is more than it has channels for stays as it is.
                in_a_row.push([0.5; QUANTUM]);
                rows.run_rows(&mut in_a_row, frames.clone());
                assert_eq!(in_a_row.pop(), Some([0.5; QUANTUM]));
                for (section, filters) in sections.iter().zip(alone.chunks_exact_mut(channels)) {
                    for (filter, channel) in filters.iter_mut().zip(&mut one_by_one) {
                        filter.run(section, section, &mut channel[frames.clone()]);
                    }
                }
                let bits = |sound: &[Buffer]| sound.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&in_a_row), bits(&one_by_one), "{count} sections, {channels} channels");
                assert_eq!(rows.state, alone, "{count} sections, {channels} channels");
            }
        }
    }
}
