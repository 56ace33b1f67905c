//! Layouts: where the loudspeaker of each channel stands, and so how much the channel weighs in loudness (ITU-R BS.1770-5,
//! annexes 1 and 3).

/// The weight of a channel from the side: about 1.5 dB, as the standard rounds it.
const SIDE: f64 = 1.41;

/// Bits of the channel mask of WAV files for low frequencies, the back pair, and the side pair.
const LOW: u32 = 0x8;
const BACK: u32 = 0x30;
const BESIDE: u32 = 0x600;

/// How many bits of the mask name a place.
const PLACES: u32 = 18;

/// The layouts that have a name, each as the channel mask of WAV files, whose lowest bit is the first channel.
const NAMED: [(&str, u32); 10] = [
    ("mono", 0x4),
    ("stereo", 0x3),
    ("3.0", 0x7),
    ("quad", 0x33),
    ("5.0", 0x37),
    ("5.1", 0x3F),
    ("7.0", 0x637),
    ("7.1", 0x63F),
    ("5.1.4", 0x2D03F),
    ("7.1.4", 0x2D63F),
];

/// What stands for a number of channels of which nothing else is known.
const BY_NUMBER: [&str; 6] = ["mono", "stereo", "3.0", "5.0", "5.1", "7.1"];

/// How the channels of a sound are laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    name: Option<&'static str>,
    channels: usize,
    /// One for each channel; none where nobody knows.
    weights: Option<Vec<f64>>,
}

impl Layout {
    /// What so many channels are when nothing else is said: mono, stereo, 3.0, 5.0, 5.1 or 7.1 in the order of WAV files. Of
    /// any other number the layout is not known: levels can be told, loudness cannot.
    pub fn of(channels: usize) -> Layout {
        let known = BY_NUMBER.into_iter().filter_map(Layout::named).find(|layout| layout.channels == channels);
        known.unwrap_or(Layout { name: None, channels, weights: None })
    }

    /// The layout of a name, one of [`Layout::names`].
    pub fn named(name: &str) -> Option<Layout> {
        let (_, mask) = NAMED.into_iter().find(|(known, _)| *known == name)?;
        Some(Layout::masked(mask, mask.count_ones() as usize))
    }

    /// The names of all layouts that have one.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.into_iter().map(|(name, _)| name)
    }

    /// The layout that the channel mask of a WAV file gives. A mask that does not name a place for each channel says
    /// nothing.
    pub fn masked(mask: u32, channels: usize) -> Layout {
        if mask >> PLACES != 0 || mask.count_ones() as usize != channels {
            return Layout::of(channels);
        }
        // Of two pairs behind the listener, the one that is called back stands at 135°; alone it is at 110° (BS.775).
        let back = if mask & BESIDE == BESIDE { 1.0 } else { SIDE };
        let weights = (0..PLACES).map(|bit| 1 << bit).filter(|place| mask & place != 0).map(|place| match place {
            LOW => 0.0,
            place if BACK & place != 0 => back,
            place if BESIDE & place != 0 => SIDE,
            _ => 1.0,
        });
        // Wherever a file says that its one channel stands.
        let mono = (channels == 1 && mask != LOW).then_some("mono");
        let name = mono.or(NAMED.into_iter().find(|(_, known)| *known == mask).map(|(name, _)| name));
        Layout { name, channels, weights: Some(weights.collect()) }
    }

    /// Mono that will be heard from two loudspeakers: 3.01 LU more. Any other layout stays as it is.
    pub fn dual_mono(mut self) -> Layout {
        if let (1, Some(weights)) = (self.channels, &mut self.weights) {
            weights[0] = 2.0;
        }
        self
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// How many channels it has.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// What each channel's power is multiplied by; none where the places are not known.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_those_of_bs_1770() {
        let weights = |name: &str| Layout::named(name).unwrap().weights.unwrap();
        assert_eq!(weights("mono"), [1.0]);
        assert_eq!(weights("stereo"), [1.0, 1.0]);
        assert_eq!(weights("5.0"), [1.0, 1.0, 1.0, 1.41, 1.41]);
        assert_eq!(weights("5.1"), [1.0, 1.0, 1.0, 0.0, 1.41, 1.41]);
        // The rear pair at 135° weighs 1, the side pair 1.41 (annex 3); so do those above 30°.
        assert_eq!(weights("7.1"), [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.41, 1.41]);
        assert_eq!(weights("5.1.4")[6..], [1.0; 4]);
        assert_eq!(Layout::named("mono").unwrap().dual_mono().weights(), Some(&[2.0][..]));
        assert_eq!(Layout::named("stereo").unwrap().dual_mono(), Layout::named("stereo").unwrap());
    }

    #[test]
    fn a_number_of_channels_is_the_layout_that_has_it() {
        for (channels, name) in [(1, "mono"), (2, "stereo"), (3, "3.0"), (5, "5.0"), (6, "5.1"), (8, "7.1")] {
            assert_eq!(Layout::of(channels).name(), Some(name));
        }
        for channels in [0, 4, 7, 9, 24] {
            assert_eq!((Layout::of(channels).weights(), Layout::of(channels).channels()), (None, channels));
        }
    }

    #[test]
    fn a_mask_places_each_channel_or_says_nothing() {
        // 5.1 with its surrounds called side, as many programs write it.
        assert_eq!(Layout::masked(0x60F, 6).weights(), Some(&[1.0, 1.0, 1.0, 0.0, 1.41, 1.41][..]));
        assert_eq!(Layout::masked(0x33, 4).name(), Some("quad"));
        assert_eq!(Layout::masked(0, 2), Layout::of(2));
        assert_eq!(Layout::masked(0x3, 6), Layout::of(6));
        assert_eq!(Layout::masked(1 << 31, 1), Layout::of(1));
    }
}
