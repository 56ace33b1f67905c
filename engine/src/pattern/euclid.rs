//! Rhythms whose beats are spread as evenly as steps allow: Bjorklund (2003), as music by Toussaint (2005).

/// The most steps of such a rhythm.
pub(super) const MOST_STEPS: i64 = 256;

/// How far one is rotated at most, either way.
pub(super) const FARTHEST: i64 = 65_536;

/// Which of the steps are beats, the first moved so many steps to the left. Where `beats` is negative, the beats are
/// the steps that so many would leave out. None if there are more beats than steps, or no steps, or very many.
pub(super) fn rhythm(beats: i64, steps: i64, rotation: i64) -> Option<Vec<bool>> {
    if !(1..=MOST_STEPS).contains(&steps) || beats.unsigned_abs() > steps as u64 {
        return None;
    }
    let count = beats.unsigned_abs() as usize;
    // Two kinds of groups, so many of each; the fewer are appended to as many of the others, until one kind is single.
    let (mut first, mut firsts) = (vec![true], count);
    let (mut second, mut seconds) = (vec![false], steps as usize - count);
    while firsts.min(seconds) > 1 {
        let longer = [first.as_slice(), second.as_slice()].concat();
        let pairs = firsts.min(seconds);
        if firsts > seconds {
            second = first;
        }
        (first, firsts, seconds) = (longer, pairs, firsts.max(seconds) - pairs);
    }
    let mut rhythm = [first.repeat(firsts), second.repeat(seconds)].concat();
    rhythm.rotate_left(rotation.rem_euclid(steps) as usize);
    if beats < 0 {
        rhythm.iter_mut().for_each(|beat| *beat = !*beat);
    }
    Some(rhythm)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(beats: i64, steps: i64, rotation: i64) -> String {
        let rhythm = rhythm(beats, steps, rotation).unwrap();
        rhythm.iter().map(|beat| if *beat { 'x' } else { '.' }).collect()
    }

    /// The table of Toussaint, "The Euclidean algorithm generates traditional musical rhythms" (2005). Where but one
    /// beat is left out, Tidal's rhythm is his rotated: the rest stands last.
    #[test]
    fn rhythms_are_those_of_toussaints_table() {
        for (beats, steps, rhythm) in [
            (2, 3, "xx."),
            (2, 5, "x.x.."),
            (3, 4, "xxx."),
            (3, 5, "x.x.x"),
            (3, 7, "x.x.x.."),
            (3, 8, "x..x..x."),
            (4, 7, "x.x.x.x"),
            (4, 9, "x.x.x.x.."),
            (4, 11, "x..x..x..x."),
            (5, 6, "xxxxx."),
            (5, 7, "x.xx.xx"),
            (5, 8, "x.xx.xx."),
            (5, 9, "x.x.x.x.x"),
            (5, 11, "x.x.x.x.x.."),
            (5, 12, "x..x.x..x.x."),
            (5, 16, "x..x..x..x..x..."),
            (7, 8, "xxxxxxx."),
            (7, 12, "x.xx.x.xx.x."),
            (7, 16, "x..x.x.x..x.x.x."),
            (9, 16, "x.xx.x.x.xx.x.x."),
            (11, 24, "x..x.x.x.x.x..x.x.x.x.x."),
            (13, 24, "x.xx.x.x.x.x.xx.x.x.x.x."),
        ] {
            assert_eq!(drawn(beats, steps, 0), rhythm, "({beats},{steps})");
        }
    }

    #[test]
    fn every_rhythm_has_its_beats_spread_evenly() {
        for steps in 1..=40 {
            for beats in 1..=steps {
                let rhythm = rhythm(beats, steps, 0).unwrap();
                assert_eq!(rhythm.iter().filter(|beat| **beat).count() as i64, beats);
                assert!(rhythm[0]);
                let at: Vec<i64> = (0..steps).filter(|i| rhythm[*i as usize]).collect();
                let gaps = (0..at.len()).map(|i| (at[(i + 1) % at.len()] - at[i] - 1).rem_euclid(steps) + 1);
                assert!(gaps.clone().max().unwrap() - gaps.min().unwrap() <= 1, "({beats},{steps})");
            }
        }
    }

    #[test]
    fn rhythms_are_rotated_and_turned_round() {
        assert_eq!(drawn(3, 8, 2), ".x..x.x.");
        assert_eq!(drawn(3, 8, -6), drawn(3, 8, 2));
        assert_eq!(drawn(-3, 8, 0), ".xx.xx.x");
        assert_eq!(drawn(0, 4, 0), "....");
        assert_eq!(drawn(-4, 4, 0), "....");
        assert_eq!((rhythm(9, 8, 0), rhythm(1, 0, 0), rhythm(-9, 8, 0)), (None, None, None));
        assert_eq!((rhythm(i64::MIN, 8, 0), rhythm(i64::MIN, i64::MIN, i64::MIN)), (None, None));
    }
}
