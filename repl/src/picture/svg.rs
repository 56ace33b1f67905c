//! A drawing as SVG. Whatever has a path has it as `data-path`, and as `data-full` where the compiled graph calls it otherwise; what
//! is folded has all of its paths as a JSON array in `data-paths`. So a page that shows the picture can light what sounds.

use std::collections::BTreeMap;

use super::diagram::{Cable, CableKind, Card, CardKind, Label, Role, RowKind};
use super::drawing::{Drawing, Entry, Point, SAMPLE, SMALL, Step, TITLE, Way};
use super::layout::Area;
use super::letters::{self, Font};
use super::palette::{CABLES, CARDS, DARK, LIGHT, Palette, Theme, cable_name, card_name};

/// How round the corners of a card are.
const ROUND: f64 = 7.0;

/// How long and how wide the point of a cable is.
const POINT: (f64, f64) = (7.0, 3.6);

const FAMILY: &str = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Verdana, sans-serif";

/// The drawing as text.
pub fn text(drawing: &Drawing, theme: Theme) -> String {
    let mut svg = String::new();
    let mut ids = Ids::default();
    let (width, height) = drawing.size;
    let title = escaped(&drawing.diagram.title);
    svg += &format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flow\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" aria-labelledby=\"flow-title flow-about\">\n\
         <title id=\"flow-title\">Signal flow of {title}</title>\n<desc id=\"flow-about\">{}</desc>\n<style>{}</style>\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n",
        escaped(&in_words(drawing)),
        style(theme),
    );
    head(&mut svg, drawing);
    svg += "<g class=\"cables\">\n";
    for (cable, way) in drawing.diagram.cables.iter().zip(&drawing.ways) {
        add_cable(&mut svg, &mut ids, cable, way);
    }
    svg += "</g>\n<g class=\"cards\">\n";
    for (card, area) in drawing.diagram.cards.iter().zip(&drawing.cards) {
        add_card(&mut svg, &mut ids, card, area);
    }
    svg += "</g>\n";
    legend(&mut svg, drawing);
    svg + "</svg>\n"
}

/// The picture for who does not see it.
fn in_words(drawing: &Drawing) -> String {
    let cables = drawing.diagram.cables.iter().map(|cable| cable.title.clone());
    cables.collect::<Vec<_>>().join("; ")
}

/// Title, tempo and sections.
fn head(svg: &mut String, drawing: &Drawing) {
    let (x, y) = drawing.title;
    let (shown, end) = drawing.headline();
    *svg += &written(&shown, (x, y), TITLE, "name", "start");
    *svg += &written(&drawing.diagram.about, (end + 16.0, y + 1.5), SMALL, "dim", "start");
    for (i, (area, (name, bars))) in drawing.sections.iter().zip(&drawing.diagram.sections).enumerate() {
        let Area { x, y, width, height } = area;
        let (name, title) = (letters::fitted(name, SMALL, width - 10.0), escaped(name));
        let shade = if i % 2 == 0 { "section" } else { "section odd" };
        *svg += &format!(
            "<g class=\"{shade}\" data-section=\"{title}\"><title>{title}, {} bars</title>\
             <rect x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{height}\" rx=\"3\"/>{}</g>\n",
            (bars * 1000.0).round() / 1000.0,
            round(x + 0.5),
            round((width - 1.0).max(0.5)),
            written(&name, (x + 6.0, y + height / 2.0), SMALL, "dim", "start"),
        );
    }
}

fn add_cable(svg: &mut String, ids: &mut Ids, cable: &Cable, way: &Way) {
    let state = if cable.is_silent { " silent" } else { "" };
    let mono = if cable.channels == 1 { " mono" } else { "" };
    *svg += &format!(
        "<g class=\"cable {}{state}{mono}\" {}><title>{}</title><path class=\"line\" d=\"{}\"/>",
        cable_name(cable.kind),
        ids.attributes("cable", &cable.paths, ""),
        escaped(&cable.title),
        run(way),
    );
    let (x, y) = way.begin;
    *svg += &format!("<circle class=\"jack\" cx=\"{}\" cy=\"{}\" r=\"2.4\"/>", round(x), round(y));
    if let Some((x, y)) = way.points().last() {
        *svg += &format!("<path class=\"point\" d=\"{}\"/>", point(x, y, way.heading()));
    }
    *svg += "</g>\n";
}

/// The point of a cable that ends here, to the right or, with -1, to the left.
fn point(x: f64, y: f64, heading: f64) -> String {
    let (long, wide) = (heading * POINT.0, POINT.1);
    format!(
        "M{} {}L{} {}L{} {}Z",
        round(x - long),
        round(y - wide),
        round(x),
        round(y),
        round(x - long),
        round(y + wide)
    )
}

/// Where a cable runs, up to its point.
fn run(way: &Way) -> String {
    let mut at = way.begin;
    let mut path = format!("M{} {}", round(at.0), round(at.1));
    let last = way.steps.len().saturating_sub(1);
    for (i, step) in way.steps.iter().enumerate() {
        let short = |(x, y): Point| if i == last { (x - way.heading() * (POINT.0 - 1.0), y) } else { (x, y) };
        match *step {
            Step::Line(to) => {
                let to = short(to);
                path += &format!("L{} {}", round(to.0), round(to.1));
                at = to;
            }
            Step::Bend(to) => {
                let to = short(to);
                let middle = round((at.0 + to.0) / 2.0);
                path += &format!("C{middle} {} {middle} {} {} {}", round(at.1), round(to.1), round(to.0), round(to.1));
                at = to;
            }
            Step::Corner(corner, to) => {
                let to = short(to);
                path += &format!("Q{} {} {} {}", round(corner.0), round(corner.1), round(to.0), round(to.1));
                at = to;
            }
        }
    }
    path
}

fn add_card(svg: &mut String, ids: &mut Ids, card: &Card, area: &Area) {
    let Area { x, y, width, height } = *area;
    let badge = card.badge.map(|badge| format!(", {badge}")).unwrap_or_default();
    let about = card.about.iter().map(|line| format!("; {line}")).collect::<String>();
    let dim = if card.badge == Some("muted") { " idle" } else { "" };
    *svg += &format!(
        "<g class=\"card {}{dim}\" {}><title>{}</title>\
         <rect class=\"body\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{ROUND}\"/>",
        card_name(card.kind),
        ids.attributes("card", &card.paths, ""),
        escaped(&format!("{}{about}{badge}", called(card))),
    );
    let head = if card.rows.is_empty() { height } else { card.head() };
    *svg += &format!("<path class=\"head\" d=\"{}\"/>", head_outline(area, head));
    for label in card.labels().iter().filter(|label| label.row.is_none()) {
        *svg += &shown(label, area);
    }
    for (i, row) in card.rows.iter().enumerate() {
        let (idle, kind) = (if row.is_idle { " idle" } else { "" }, row_name(row.kind));
        let full = if row.full == row.path { "" } else { &row.full };
        *svg += &format!(
            "<g class=\"row {kind}{idle}\" {}><title>{}</title>\
             <rect class=\"field\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\"/>",
            ids.attributes("row", std::slice::from_ref(&row.path), full),
            escaped(&row.title),
            x + 3.0,
            round(y + card.top(i)),
            width - 6.0,
            row.height(),
        );
        for label in card.labels().iter().filter(|label| label.row.is_some_and(|of| std::ptr::eq(of, row))) {
            *svg += &shown(label, area);
        }
        *svg += "</g>";
    }
    *svg += "</g>\n";
}

/// What a card is, and its name, unless that says it.
fn called(card: &Card) -> String {
    let (kind, paths) = (card_name(card.kind), card.paths.join(", "));
    if paths.split(' ').next() == Some(kind) { paths } else { format!("{kind} {paths}") }
}

/// The outline of the head of a card: round above, and below if it is all of it.
fn head_outline(area: &Area, head: f64) -> String {
    let Area { x, y, width, .. } = *area;
    let (right, bottom) = (x + width, y + head);
    let below = if head >= area.height { ROUND } else { 0.0 };
    format!(
        "M{x} {}Q{x} {y} {} {y}H{}Q{right} {y} {right} {}V{}Q{right} {bottom} {} {bottom}H{}Q{x} {bottom} {x} {}Z",
        y + ROUND,
        x + ROUND,
        right - ROUND,
        y + ROUND,
        bottom - below,
        right - below,
        x + below,
        bottom - below,
    )
}

fn row_name(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Effect => "effect",
        RowKind::Detail => "detail",
        RowKind::Control => "control",
        RowKind::Send => "send",
        RowKind::Feedback => "feedback",
    }
}

/// What is written in a card.
fn shown(label: &Label<'_>, area: &Area) -> String {
    let right = label.role == Role::Figures;
    let x = area.x + if right { label.span.1 } else { label.span.0 };
    let class = match label.role {
        Role::Name => "name",
        Role::About => "dim",
        Role::Word => "word",
        Role::Figures => "figures",
    };
    written(&label.text, (x, area.y + label.middle), label.font, class, if right { "end" } else { "start" })
}

fn written(text: &str, (x, middle): Point, font: Font, class: &str, anchor: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let (weight, y) = (if font.is_bold { " font-weight=\"600\"" } else { "" }, round(middle + font.size * 0.36));
    let anchor = if anchor == "start" { String::new() } else { format!(" text-anchor=\"{anchor}\"") };
    let size = font.size;
    format!(
        "<text class=\"{class}\" x=\"{}\" y=\"{y}\" font-size=\"{size}\"{weight}{anchor}>{}</text>",
        round(x),
        escaped(text)
    )
}

fn legend(svg: &mut String, drawing: &Drawing) {
    *svg += "<g class=\"legend\">\n";
    for (entry, (x, y)) in &drawing.legend {
        let class = match entry {
            Entry::Cable(kind) => cable_name(*kind).to_owned(),
            Entry::Mono => "plug mono".into(),
            Entry::Silent => "plug silent".into(),
        };
        let end = x + SAMPLE;
        *svg += &format!(
            "<g class=\"cable {class}\"><path class=\"line\" d=\"M{x} {y}H{}\"/><path class=\"point\" d=\"{}\"/>{}</g>\n",
            end - POINT.0 + 1.0,
            point(end, *y, 1.0),
            written(entry.name(), (end + 8.0, *y), SMALL, "dim", "start"),
        );
    }
    *svg += "</g>\n";
}

/// The ids that are taken.
#[derive(Default)]
struct Ids(BTreeMap<String, usize>);

impl Ids {
    /// The id and the paths of something.
    fn attributes(&mut self, of: &str, paths: &[String], full: &str) -> String {
        let mut id = format!("{of}-");
        for character in paths.first().map_or("", String::as_str).chars() {
            match character {
                'a'..='z' | 'A'..='Z' | '0'..='9' => id.push(character),
                other => id += &format!("_{:x}_", u32::from(other)),
            }
        }
        let taken = self.0.entry(id.clone()).or_default();
        *taken += 1;
        if *taken > 1 {
            id += &format!("-{taken}");
        }
        let paths = match paths {
            [path] => format!("data-path=\"{}\"", escaped(path)),
            several => {
                format!("data-paths=\"{}\"", escaped(&serde_json::to_string(several).unwrap_or_default()))
            }
        };
        let full = if full.is_empty() { String::new() } else { format!(" data-full=\"{}\"", escaped(full)) };
        format!("id=\"{id}\" {paths}{full}")
    }
}

/// Text as XML may hold it.
pub fn escaped(text: &str) -> String {
    let allowed = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let plain: String = text.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c }).filter(allowed).collect();
    quick_xml::escape::escape(plain).into_owned()
}

/// A number with as many digits as are seen.
fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// The style sheet.
pub fn style(theme: Theme) -> String {
    let strokes = format!(
        ".flow text{{font-family:{FAMILY}}}.flow .line{{fill:none;stroke-width:2}}.flow .mono .line{{stroke-width:1.1}}\
         .flow .body,.flow .head{{stroke-width:1}}.flow .head{{stroke:none}}.flow .field{{fill:none;pointer-events:all}}\
         .flow .send .line{{stroke-dasharray:7 3}}.flow .key .line{{stroke-dasharray:0.1 4.5;stroke-linecap:round;stroke-width:2.4}}\
         .flow .follow .line{{stroke-dasharray:8 3 2 3;stroke-width:1.5}}.flow .feedback .line{{stroke-dasharray:13 4}}\
         .flow .silent .line{{stroke-dasharray:2 4}}"
    );
    match theme {
        Theme::Light => format!("{strokes}{}", colours(&LIGHT)),
        Theme::Dark => format!("{strokes}{}", colours(&DARK)),
        Theme::Auto => format!("{strokes}{}@media (prefers-color-scheme:dark){{{}}}", colours(&LIGHT), colours(&DARK)),
    }
}

fn colours(palette: &Palette) -> String {
    let Palette { ground, card, edge, ink, dim, silent, .. } = palette;
    let mut css = format!(
        ".flow .ground{{fill:{ground}}}.flow .body{{fill:{card};stroke:{edge}}}.flow text{{fill:{ink}}}\
         .flow .dim,.flow .figures,.flow .detail .word{{fill:{dim}}}.flow .section rect{{fill:{}}}\
         .flow .section.odd rect{{fill:{edge};fill-opacity:.45}}",
        palette.of_card(CardKind::Way),
    );
    for kind in CARDS {
        css += &format!(".flow .{} .head{{fill:{}}}", card_name(kind), palette.of_card(kind));
    }
    for kind in CABLES {
        let (name, colour) = (cable_name(kind), palette.of_cable(kind));
        css +=
            &format!(".flow .{name} .line{{stroke:{colour}}}.flow .{name} .jack,.flow .{name} .point{{fill:{colour}}}");
    }
    for (row, kind) in [("send", CableKind::Send), ("feedback", CableKind::Feedback), ("control", CableKind::Follow)] {
        css += &format!(".flow .{row} .word{{fill:{}}}", palette.of_cable(kind));
    }
    css += &format!(
        ".flow .silent .line{{stroke:{silent}}}.flow .silent .jack,.flow .silent .point{{fill:{silent}}}\
         .flow .idle .word,.flow .idle .name{{fill:{dim};text-decoration:line-through}}"
    );
    css
}
