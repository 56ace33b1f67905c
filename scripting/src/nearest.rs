//! The nearest name to one that is not known.

/// The known name that a slip of the fingers would turn into this one.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let most = (wanted.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// "did you mean ...?", if some name is near.
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|candidate| format!("did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["compressor", "fader", "reverb", "ms"];
        assert_eq!(nearest("compresser", known), Some("compressor"));
        assert_eq!(nearest("fadre", known), Some("fader"));
        assert_eq!(nearest("MS", known), Some("ms"));
        assert_eq!(nearest("chorus", known), None);
    }
}
