//! The signal flow of a session as a picture: of the graph that is compiled, so that it cannot differ from what is heard.
//!
//! A [`Diagram`] is what there is to show, without a place: a card for each input, bus and output, with a row for each effect
//! and each send where it is written, and the cables between them. [`Drawing::of`] gives everything its place; `svg`, `dot`
//! and `mermaid` write it down.

mod diagram;
mod dot;
mod drawing;
mod flow;
mod fold;
mod layout;
pub mod letters;
mod mermaid;
pub mod order;
mod palette;
mod ranges;
pub mod silence;
mod summary;
mod svg;
mod wording;

pub use diagram::Diagram;
pub use drawing::Drawing;
pub use palette::Theme;

use engine::graph::Graph;
use engine::session::{Effect, PartUse, Session};

/// What there is to show of a session and the graph that was made of it; `unfold` shows each strip by itself, however many there
/// are.
pub fn diagram(session: &Session, graph: &Graph, unfold: bool) -> Diagram {
    let whole = flow::diagram(session, graph);
    if unfold { whole } else { fold::folded(whole) }
}

/// A part of an effect in words, such as a band of an equaliser: `bell 400 Hz -3 dB`.
pub fn part(effect: &Effect, used: &PartUse) -> String {
    let (word, figures) = wording::part(effect, used);
    format!("{word} {}", figures.replace(wording::BETWEEN, " ")).trim_end().to_owned()
}

/// The picture as SVG. Each box and cable has its path as `data-path`.
pub fn svg(drawing: &Drawing, theme: Theme) -> String {
    svg::text(drawing, theme)
}

/// The style sheet that the picture brings along, for a page that shows it as a part of itself.
pub fn style(theme: Theme) -> String {
    svg::style(theme)
}

/// The diagram for Graphviz.
pub fn dot(diagram: &Diagram) -> String {
    dot::text(diagram)
}

/// The diagram for Mermaid.
pub fn mermaid(diagram: &Diagram) -> String {
    mermaid::text(diagram)
}

#[cfg(test)]
mod tests;
