//! How wide text is, before it is known which letters will be there to write it with: as wide as in DejaVu Sans and Verdana, the
//! widest that are common, so that what fits here fits everywhere.

/// What text is written with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Font {
    /// In pixels.
    pub size: f64,
    /// Whether it is bold.
    pub is_bold: bool,
}

/// How wide a text is at most, in pixels.
pub fn width(text: &str, font: Font) -> f64 {
    let bold = if font.is_bold { 1.13 } else { 1.0 };
    text.chars().map(letter).sum::<f64>() * font.size * bold
}

/// A text, or as much of its beginning as there is room for.
pub fn fitted(text: &str, font: Font, room: f64) -> String {
    if width(text, font) <= room {
        return text.to_owned();
    }
    let mut fitted = String::new();
    for character in text.chars() {
        fitted.push(character);
        if width(&fitted, font) + width("…", font) > room {
            fitted.pop();
            break;
        }
    }
    if fitted.is_empty() { fitted } else { fitted + "…" }
}

/// How wide a letter is, in parts of the size.
fn letter(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '\'' | '|' | 'I' => 0.38,
        '\u{2002}' => 0.55,
        '.' | ',' | ':' | ';' | ' ' | '!' => 0.37,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' | '\\' | '`' => 0.46,
        's' | 'c' | 'k' | 'v' | 'x' | 'y' | 'z' | '"' | '*' | '?' => 0.61,
        'm' | 'M' | 'W' | '@' | '%' => 1.02,
        'w' | '+' | '<' | '>' | '=' | '~' | '#' | '^' => 0.86,
        'A'..='Z' | '&' => 0.8,
        ' '..='~' => 0.66,
        // What stands on the letter before.
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        '\u{80}'..='\u{2ff}' | '\u{370}'..='\u{5ff}' => 0.86,
        '\u{1f000}'.. => 1.4,
        _ => 1.1,
    }
}
