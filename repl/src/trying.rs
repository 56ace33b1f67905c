//! The example of a word as a line that fits the text: what an effect does is heard behind the first input, a source is plugged
//! into the master, quietly.

use engine::effects;
use engine::nest;
use engine::session::{PlaceKind, Session};
use scripting::words::{Group, WordEntry, reference};

/// The line that shows what a word does in a session.
///
/// # Errors
/// There is no such word, or it can only be seen in a text of its own: why.
pub fn line(word: &str, session: &Session) -> Result<String, String> {
    let all = reference();
    let sought = word.trim_start_matches('.');
    let entry = all.iter().find(|entry| entry.word == sought);
    let entry = entry.ok_or_else(|| format!("there is no word `{word}`; `:words` lists them all"))?;
    made(entry, session).ok_or_else(|| format!("the example of `{word}` needs a text of its own: {}", entry.example))
}

/// The same of an entry of the reference.
fn made(entry: &WordEntry, session: &Session) -> Option<String> {
    let input = session.places.iter().find(|place| matches!(place.kind, PlaceKind::Input(_)))?;
    let name = &input.name;
    // A microphone that is heard howls, and hardware is sent what nobody expects there.
    if ["device", "insert", "midi_out"].contains(&entry.word.as_str()) {
        return None;
    }
    let example = entry.example.trim_end_matches(';');
    let behind = |effect: &str| Some(format!("after(\"{name}\", {effect})"));
    let played = |source: &str| {
        let own = (1..).map(|i| format!("try {i}")).find(|own| session.places.iter().all(|p| p.name != *own))?;
        Some(format!("input(\"{own}\", {source}) >> fader(-12) >> master"))
    };
    match entry.group {
        // What others stand in has a way of its own.
        Group::Effects if effects::find(&entry.word).is_some_and(|table| nest::of(table).is_some()) => {
            Some(format!("{} >> cable(\"try\") >> master", example.replacen('x', &format!("at(\"{name}\")"), 1)))
        }
        Group::Circuits if example.starts_with("play(") => played(example),
        Group::Effects | Group::Methods | Group::Circuits => behind(example.strip_prefix("x >> ")?),
        Group::Controls => behind(&example.replace("follow(x)", &format!("follow(\"{name}\")"))),
        Group::Sources | Group::Patterns | Group::Variations => played(example),
        Group::Changes if ["mute", "solo"].contains(&entry.word.as_str()) => {
            Some(format!("{}(\"{name}\")", entry.word))
        }
        Group::Session if !["sample_rate", "seed", "import"].contains(&entry.word.as_str()) => {
            Some(example.replace("mute(\"bass\")", &format!("mute(\"{name}\")")))
        }
        Group::Quantities | Group::Numbers if !example.contains("x >>") => Some(example.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> (scripting::Evaluated, Session) {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/first.rhai");
        let evaluated = scripting::evaluate_file(&file);
        let session = evaluated.session.clone().expect("the example is right");
        (evaluated, session)
    }

    #[test]
    fn every_line_that_is_offered_is_right_behind_the_first_example() {
        let (evaluated, session) = first();
        let (library, mut offered) = (engine::media::Library::new(), 0);
        for entry in reference() {
            let Some(line) = made(&entry, &session) else { continue };
            offered += 1;
            let text = &evaluated.files[0];
            let with = scripting::evaluate_text_with(&text.path, &text.text, std::slice::from_ref(&line));
            let loaded =
                crate::load::prepare_evaluated(with, &library, |session| engine::tempo::Tempo::new(session.pace()));
            // Some examples name files that the reader has to have.
            let names_a_file = line.contains("audio/");
            assert!(loaded.graph.is_some() || names_a_file, "{line}: {}", loaded.why());
        }
        assert!(offered > 80, "only {offered}");
    }

    #[test]
    fn what_cannot_be_tried_shows_its_example() {
        let (_, session) = first();
        assert_eq!(line("fader", &session).as_deref(), Ok("after(\"drums\", fader(-6))"));
        assert_eq!(line(".bypass", &session).as_deref(), Ok("after(\"drums\", gain(6).bypass())"));
        assert!(line("master", &session).unwrap_err().contains("band >> master;"));
        assert!(line("fadre", &session).unwrap_err().contains("there is no word `fadre`"));
    }
}
