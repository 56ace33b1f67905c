//! An effect as a picture, drawn from what comes out of the engine: its response if it is linear, level against level if it is not,
//! and what it does over time if it moves or rings. Which of them is found out by trying it.

use std::path::{Path, PathBuf};

use engine::effects::EFFECTS;

use crate::chart::{Curve, Failed, chart, drawn, publish, titled};
use crate::ending::{Failure, Outcome};
use crate::picture::Theme;

mod character;
mod curves;
mod fields;
#[cfg(test)]
mod tests;
mod trial;

use fields::Field;
use trial::Trial;

/// How wide a picture is, and how high each of its fields.
const WIDTH: u32 = 1080;
const HEIGHT: u32 = 430;
const TITLE_HEIGHT: u32 = 52;

/// What plays what was recorded by hand: by itself it does nothing.
const BY_HAND: &str = "looper";

/// Draws an effect, as its word alone or as a session says it, and writes the picture.
pub fn draw(said: &str, file: &Path, theme: Theme) -> Outcome {
    let fields = fields_of(said)?;
    publish(file, picture(&fields, &chain(said).unwrap_or_default(), theme))
}

/// What there is to draw of an effect.
fn fields_of(said: &str) -> Result<Vec<Field>, Failure> {
    let cannot = |why: String| Failure::Error(format!("`{said}` has no curve: {why}"));
    if said.contains(BY_HAND) {
        return Err(cannot("it plays what has been recorded into it, and nothing has".into()));
    }
    let trial = Trial::new(&chain(said).map_err(cannot)?)?;
    if trial.is_hardware() {
        return Err(cannot("what hardware does nobody knows here; `gainstage sweep` measures it".into()));
    }
    fields::of(&trial).map_err(|why| match why {
        Failure::Error(why) => cannot(why),
        other => other,
    })
}

/// The file that a picture is written to unless another is said: that of the first word, in the folder one is in.
pub fn usual_file(said: &str) -> PathBuf {
    let chain = chain(said).unwrap_or_else(|_| said.to_owned());
    let letters = chain.chars().skip_while(|c| !c.is_ascii_alphabetic());
    let word: String = letters.take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    PathBuf::from(if word.is_empty() { "effect".into() } else { word }).with_extension("svg")
}

/// The effects that are meant, as a session says them behind `x >>`: those of the word's example, or what is said.
fn chain(said: &str) -> Result<String, String> {
    let plain = |text: &str| text.trim().trim_end_matches(';').trim_start_matches("x >> ").to_owned();
    if said.contains(['(', '>']) {
        return Ok(plain(said));
    }
    match EFFECTS.iter().find(|table| table.word == said) {
        Some(table) => Ok(plain(table.example)),
        None => {
            Err("only an effect has one; say it as a session does, `gainstage words \"eq().bell(1.kHz, 6)\" --plot`"
                .into())
        }
    }
}

fn picture(fields: &[Field], title: &str, theme: Theme) -> Result<String, Failed> {
    drawn((WIDTH, TITLE_HEIGHT + HEIGHT * fields.len() as u32), theme, |root| {
        let areas = titled(root, title)?.split_evenly((fields.len(), 1));
        for (area, field) in areas.iter().zip(fields) {
            let curves: Vec<Curve> = field.curves().collect();
            chart(
                area,
                &field.name,
                (field.along.0, field.along.1.clone()),
                (field.up.0, field.up.1.clone()),
                &curves,
            )?;
        }
        Ok(())
    })
}
