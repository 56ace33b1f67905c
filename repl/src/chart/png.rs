//! A picture drawn in points, as a PNG.

use std::collections::BTreeSet;
use std::sync::Arc;

use epaint_default_fonts::UBUNTU_LIGHT;
use resvg::usvg::fontdb::{Database, ID};
use resvg::usvg::{FontResolver, Group, Node, Options, Tree};
use resvg::{tiny_skia, usvg};

use super::{Failed, fonts};
use crate::status;

/// Draws a picture. Letters that nobody here has are told of.
///
/// # Errors
/// What the library says.
pub fn encoded(picture: &str) -> Result<Vec<u8>, Failed> {
    let mut tree = laid_out(picture, Vec::new())?;
    let mut missing = missing(&tree);
    if !missing.is_empty() {
        tree = laid_out(picture, fonts::of_system(&missing))?;
        missing = self::missing(&tree);
    }
    if !missing.is_empty() {
        let letters: Vec<String> = missing.iter().map(char::to_string).collect();
        status::warning(format!(
            "no font of this machine has {}: an empty box stands for each; an SVG shows them wherever there is one",
            letters.join(" ")
        ));
    }
    let size = tree.size().to_int_size();
    let mut points = tiny_skia::Pixmap::new(size.width(), size.height()).ok_or("it has no size")?;
    resvg::render(&tree, tiny_skia::Transform::default(), &mut points.as_mut());
    Ok(points.encode_png()?)
}

/// A picture with its letters: our own, which every machine has, and others where those lack one.
fn laid_out(picture: &str, others: Vec<Vec<u8>>) -> Result<Tree, Failed> {
    let mut fonts = Database::new();
    fonts.load_font_data(UBUNTU_LIGHT.to_vec());
    let own = fonts.faces().next().map(|face| face.id);
    others.into_iter().for_each(|font| fonts.load_font_data(font));
    let select_font = Box::new(move |_: &usvg::Font, _: &mut Arc<Database>| own);
    // The others one after another, so that a letter that none has keeps no other from its own.
    let select_fallback = Box::new(|_, used: &[ID], fonts: &mut Arc<Database>| {
        fonts.faces().map(|face| face.id).find(|id| !used.contains(id))
    });
    let font_resolver = FontResolver { select_font, select_fallback };
    let options = Options { fontdb: Arc::new(fonts), font_resolver, ..Options::default() };
    Ok(Tree::from_str(picture, &options)?)
}

/// The letters that no font has.
fn missing(tree: &Tree) -> BTreeSet<char> {
    let mut missing = BTreeSet::new();
    let mut open: Vec<&Group> = vec![tree.root()];
    while let Some(group) = open.pop() {
        for node in group.children() {
            match node {
                Node::Group(group) => open.push(group),
                Node::Text(text) => {
                    let glyphs = text.layouted().iter().flat_map(|span| &span.positioned_glyphs);
                    let boxes = glyphs.filter(|glyph| glyph.id.0 == 0);
                    missing.extend(boxes.flat_map(|glyph| glyph.text.chars()).filter(|c| !c.is_whitespace()));
                }
                _ => {}
            }
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use epaint_default_fonts::HACK_REGULAR;

    #[test]
    fn letters_that_no_font_has_are_known_and_others_are_taken_from_the_next_font() {
        let picture = |text: &str| {
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"99\" height=\"20\"><g><text y=\"15\">{text}</text></g></svg>"
            )
        };
        let lacking = |text: &str, others: Vec<Vec<u8>>| -> String {
            missing(&laid_out(&picture(text), others).unwrap()).into_iter().collect()
        };
        assert_eq!(lacking("Größe -3 dB\u{2002}µ", Vec::new()), "");
        assert_eq!(lacking("a \u{21dd}", Vec::new()), "\u{21dd}");
        assert_eq!(lacking("a \u{21dd}", vec![HACK_REGULAR.to_vec()]), "");
        assert_eq!(lacking("\u{10fffd} \u{21dd}", vec![HACK_REGULAR.to_vec()]), "\u{10fffd}");
    }
}
