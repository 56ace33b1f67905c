//! The lessons and the sounds that they play, in the program itself: one that was installed has them too.

use engine::names::nearest;

use super::lesson::Lesson;

/// Sounds, by their names.
pub const AUDIO: &[(&str, &[u8])] = &[
    ("bass.flac", include_bytes!("../../../examples/audio/bass.flac")),
    ("drums.flac", include_bytes!("../../../examples/audio/drums.flac")),
    ("keys.flac", include_bytes!("../../../examples/audio/keys.flac")),
    ("room.flac", include_bytes!("../../../examples/audio/room.flac")),
    ("voice.flac", include_bytes!("../../../examples/audio/voice.flac")),
];

/// The name and the text of each lesson, in order.
macro_rules! texts {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../../examples/lessons/", $name, ".rhai")))),*]
    };
}

/// All of them.
const TEXTS: &[(&str, &str)] = texts![
    "01-a-cable"
    "02-level"
    "03-pan"
    "04-buses"
    "05-sends"
    "06-gain-staging"
    "07-eq"
    "08-compressor"
    "09-parallel"
    "10-sidechain"
    "11-delay"
    "12-reverb"
    "13-phase"
    "14-automation"
    "15-mastering"
    "16-feedback"
];

/// Every lesson, in order, as it is in a learner's folder: with its sounds beside it.
///
/// # Errors
/// One is not written as a lesson: a fault of ours.
pub fn lessons() -> Result<Vec<Lesson>, String> {
    TEXTS.iter().map(|(name, text)| Lesson::read(name, &text.replace("\"../audio/", "\"audio/"))).collect()
}

/// The place of the lesson that somebody means: by its number, its name, or the name without the number.
///
/// # Errors
/// There is none: with the nearest one.
pub fn find(lessons: &[Lesson], said: &str) -> Result<usize, String> {
    let sought = said.trim().trim_end_matches(".rhai").to_lowercase();
    let plain = |lesson: &Lesson| lesson.name.split_once('-').map_or(lesson.name.clone(), |(_, name)| name.to_owned());
    let is_it = |(at, lesson): (usize, &Lesson)| {
        sought.parse() == Ok(at + 1) || [lesson.name.clone(), plain(lesson)].contains(&sought)
    };
    lessons.iter().enumerate().position(is_it).ok_or_else(|| {
        let names: Vec<String> = lessons.iter().map(plain).collect();
        let near = nearest(&sought, names.iter().map(String::as_str));
        let help = near.map_or("`gainstage learn --list` lists them".into(), |near| format!("did you mean `{near}`?"));
        format!("there is no lesson `{said}`; {help}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_is_found_by_its_number_and_its_name_and_else_the_nearest_is_named() {
        let lessons = lessons().unwrap();
        for said in ["1", "01", "01-a-cable", "a-cable", "A-Cable", "01-a-cable.rhai"] {
            assert_eq!(find(&lessons, said), Ok(0), "{said}");
        }
        assert!(find(&lessons, "a-cabel").unwrap_err().contains("did you mean `a-cable`?"));
        for none in ["0", "99", "xylophone", ""] {
            assert!(find(&lessons, none).unwrap_err().contains("--list"), "{none}");
        }
    }
}
