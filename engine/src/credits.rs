//! What a recording says of itself: title, artist, album, date, ISRC, comment; and what such texts may be.

use serde::Serialize;

/// The longest text, in characters.
pub const LONGEST: usize = 1000;

/// What is said of a session or of a track. Every text is as [`text`], [`date`] and [`isrc`] have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Credits {
    /// Its title.
    pub title: Option<String>,
    /// Who made it.
    pub artist: Option<String>,
    /// What it is a part of.
    pub album: Option<String>,
    /// The day, as `2026-11-21`.
    pub date: Option<String>,
    /// Its International Standard Recording Code (ISO 3901), twelve characters without hyphens.
    pub isrc: Option<String>,
    /// Whatever else there is to say.
    pub comment: Option<String>,
}

impl Credits {
    /// Whether every text may stand in a file.
    ///
    /// # Errors
    /// What is wrong with the first that may not.
    pub fn check(&self) -> Result<(), String> {
        let texts = [&self.title, &self.artist, &self.album, &self.comment];
        texts.into_iter().flatten().try_for_each(|said| text(said).map(drop))?;
        self.date.iter().try_for_each(|said| date(said).map(drop))?;
        self.isrc.iter().try_for_each(|said| isrc(said).map(drop))
    }
}

/// A title, a name, a comment: any characters but those that control a terminal, at most [`LONGEST`] of them.
///
/// # Errors
/// What is wrong with it, and what was expected.
pub fn text(said: &str) -> Result<String, String> {
    if said.trim().is_empty() {
        return Err("this text is empty".into());
    }
    if let Some(control) = said.chars().find(|c| c.is_control()) {
        return Err(format!("`{}` cannot stand in this text: it has one line and no tabs", control.escape_debug()));
    }
    match said.chars().count() {
        count if count > LONGEST => Err(format!("this text has {count} characters, and at most {LONGEST} are written")),
        _ => Ok(said.to_owned()),
    }
}

/// A day of the Gregorian calendar as ISO 8601 writes it.
///
/// # Errors
/// What is wrong with it, and what was expected.
pub fn date(said: &str) -> Result<String, String> {
    let wrong = || format!("\"{}\" is no day: a date is written \"2026-11-21\"", said.escape_debug());
    let parts: Vec<&str> = said.split('-').collect();
    let [year, month, day] = parts[..] else { return Err(wrong()) };
    let number = |part: &str, digits: usize| {
        let right = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        right.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return Err(wrong());
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => 0,
    };
    if (1..=days).contains(&day) { Ok(said.to_owned()) } else { Err(wrong()) }
}

/// An ISRC with or without its hyphens, `GB-ABC-26-00001`: two letters of the country, three letters or digits of the
/// registrant, two digits of the year, five of the recording. Given back without hyphens.
///
/// # Errors
/// What is wrong with it, and what was expected.
pub fn isrc(said: &str) -> Result<String, String> {
    let wrong = || {
        let said = said.escape_debug();
        format!("\"{said}\" is no ISRC: one is written \"GB-ABC-26-00001\", in capitals, or without the hyphens")
    };
    let code: String = match said.len() {
        12 => said.to_owned(),
        15 if [2, 6, 9].into_iter().all(|i| said.as_bytes()[i] == b'-') => said.replace('-', ""),
        _ => return Err(wrong()),
    };
    let fits = code.len() == 12
        && code.bytes().enumerate().all(|(i, byte)| match i {
            0..2 => byte.is_ascii_uppercase(),
            2..5 => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            _ => byte.is_ascii_digit(),
        });
    if fits { Ok(code) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day_that_there_is() {
        for right in ["2026-11-21", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(date(right), Ok(right.to_owned()));
        }
        for wrong in
            ["2026-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-04-31", "2026-1-1", "21.11.2026", ""]
        {
            assert!(date(wrong).is_err(), "{wrong}");
        }
        assert!(date("+026-11-21").is_err() && date("２０２６-11-21").is_err());
    }

    #[test]
    fn an_isrc_has_its_twelve_characters_with_or_without_hyphens() {
        assert_eq!(isrc("GB-ABC-26-00001"), Ok("GBABC2600001".into()));
        assert_eq!(isrc("USS1Z9900001"), Ok("USS1Z9900001".into()));
        let wrong =
            ["", "gbabc2600001", "GB-ABC-26-0001", "GBA-BC-26-00001", "GBABC26O0001", "1BABC2600001", "ÄBABC260001"];
        for wrong in wrong {
            assert!(isrc(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_text_has_one_line_and_an_end() {
        assert_eq!(text("Frühling, 第1"), Ok("Frühling, 第1".into()));
        assert!(["", "  ", "a\nb", "a\tb", "a\0", "\u{1b}[31m"].into_iter().all(|wrong| text(wrong).is_err()));
        assert!(text(&"ä".repeat(LONGEST)).is_ok() && text(&"a".repeat(LONGEST + 1)).is_err());
    }
}
