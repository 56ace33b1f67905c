//! The form of a session as a picture for a terminal: bars across, sections, and a row for each input with what of it is heard.

use std::io::IsTerminal;

use engine::form::{self, Held, Slot};
use engine::graph::{Graph, Role};
use engine::names::{Found, Names};
use engine::session::{PlaceId, PlaceKind, Session};
use engine::sources;
use ratatui::crossterm::terminal;

use crate::changes::rounded;
use crate::status;

/// How wide a picture is where no terminal says.
const COLUMNS: usize = 80;

/// No picture is narrower.
const LEAST: usize = 30;

/// What is shown of a session that never ends, in bars.
const ENDLESS: f64 = 16.0;

/// The most columns that a bar takes.
const MOST_A_BAR: f64 = 8.0;

/// How wide the picture may be: as the terminal, if standard output is one.
pub fn columns() -> usize {
    let wide = terminal::size().ok().filter(|_| std::io::stdout().is_terminal());
    wide.map_or(COLUMNS, |(columns, _)| usize::from(columns)).max(LEAST)
}

/// The picture, in lines that are no longer than `columns`.
pub fn text(session: &Session, graph: &Graph, columns: usize) -> String {
    let mut picture = Picture::new(session, graph);
    picture.add_inputs();
    picture.add_holds();
    picture.drawn(columns)
}

/// What is drawn, before it is known how wide.
struct Picture<'a> {
    session: &'a Session,
    graph: &'a Graph,
    names: Names,
    slots: Vec<Slot>,
    /// How many bars are shown.
    bars: f64,
    rows: Vec<(String, Row)>,
}

/// A row of the picture; places are in bars.
enum Row {
    /// When something sounds, and when it is not heard all the same.
    Sound { spans: Vec<(f64, f64)>, silent: Vec<(f64, f64)> },
    /// When something holds.
    Marks(Vec<(f64, f64)>),
    /// What something is, and from when to when.
    Values(Vec<(f64, f64, String)>),
}

impl<'a> Picture<'a> {
    fn new(session: &'a Session, graph: &'a Graph) -> Self {
        let bar = |frame: u64| graph.tempo.bar_at(frame as i64);
        let works = graph.nodes.iter().filter_map(|node| match &node.role {
            Role::Work { table, recipe, .. } if recipe.channels == 0 => Some(sources::stretches(table.0, recipe)),
            _ => None,
        });
        let ends = works.flatten().filter_map(|(_, end)| end).max().map(bar);
        let bars = if session.form.is_empty() { ends.unwrap_or(ENDLESS) } else { session.form.bars() };
        Picture { session, graph, names: Names::of(session), slots: session.form.slots(), bars, rows: Vec::new() }
    }

    /// A row for each input.
    fn add_inputs(&mut self) {
        let silences = form::silences(self.session);
        for (i, place) in self.session.places.iter().enumerate() {
            let PlaceKind::Input(all) = &place.kind else { continue };
            let name = self.names.place(PlaceId(i)).to_owned();
            let path = |n: usize| if all.len() == 1 { name.clone() } else { format!("{name}#{}", n + 1) };
            let mut spans: Vec<(f64, f64)> = (0..all.len()).flat_map(|n| self.stretches(&path(n))).collect();
            spans.sort_by(|a, b| a.0.total_cmp(&b.0));
            let cables = self.session.cables.iter().zip(&silences);
            let leaving = cables.filter(|(cable, _)| self.session.origin(cable.from) == PlaceId(i)).map(|(_, s)| s);
            let silent = self.silent(&leaving.collect::<Vec<_>>());
            self.rows.push((name, Row::Sound { spans, silent }));
        }
    }

    /// When a source sounds, in bars; never if it leads to no output.
    fn stretches(&self, path: &str) -> Vec<(f64, f64)> {
        let bar = |frame: u64| self.graph.tempo.bar_at(frame as i64);
        let node = self.graph.nodes.iter().find(|node| node.path == path);
        match node.map(|node| &node.role) {
            Some(Role::Work { table, recipe, .. }) => {
                let all = sources::stretches(table.0, recipe).into_iter();
                all.map(|(begin, end)| (bar(begin), end.map_or(self.bars, bar))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// When none of some cables is heard.
    fn silent(&self, cables: &[&Vec<(f64, bool)>]) -> Vec<(f64, f64)> {
        let mut edges: Vec<f64> = self.slots.iter().map(|slot| slot.span.begin).chain([0.0]).collect();
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        let ends = edges.iter().skip(1).copied().chain([self.bars]);
        let silent = |bar: f64| {
            let at = |steps: &&Vec<(f64, bool)>| form::at(steps, bar).is_some_and(|silent| *silent);
            !cables.is_empty() && cables.iter().all(at)
        };
        edges.iter().copied().zip(ends).filter(|(begin, _)| silent(*begin)).collect()
    }

    /// A row for each thing, other than an input, that sections mute, and for each parameter that they set.
    fn add_holds(&mut self) {
        let form = &self.session.form;
        let mut rows: Vec<(String, Row)> = Vec::new();
        for Slot { section, span } in &self.slots {
            for hold in &form.sections[*section].holds {
                let input = |id: PlaceId| matches!(self.session.places[id.0].kind, PlaceKind::Input(_));
                let label = match (&hold.what, hold.of) {
                    (Held::Mute(true), Found::Place(id)) if input(id) => continue,
                    (Held::Mute(true), _) => format!("mute {}", hold.path),
                    (Held::Mute(false), _) => format!("unmute {}", hold.path),
                    (Held::Solo(true), _) => format!("solo {}", hold.path),
                    (Held::Solo(false), _) => format!("unsolo {}", hold.path),
                    (Held::Set(_), _) => hold.path.clone(),
                };
                let row = match rows.iter().position(|(other, _)| *other == label) {
                    Some(row) => row,
                    None => {
                        let empty = match hold.what {
                            Held::Set(_) => Row::Values(Vec::new()),
                            _ => Row::Marks(Vec::new()),
                        };
                        rows.push((label, empty));
                        rows.len() - 1
                    }
                };
                match (&mut rows[row].1, &hold.what, hold.of) {
                    (Row::Values(values), Held::Set(value), Found::Parameter(owner, which)) => {
                        // What is said last holds.
                        values.retain(|(begin, ..)| *begin != span.begin);
                        values.push((span.begin, span.end, self.session.setting(owner, which).0.show(value)));
                    }
                    (Row::Marks(marks), ..) => marks.push((span.begin, span.end)),
                    _ => {}
                }
            }
        }
        self.rows.extend(rows);
    }

    fn drawn(&self, columns: usize) -> String {
        let labels = self.rows.iter().map(|(label, _)| label.chars().count()).chain([4]);
        let label = labels.max().unwrap_or(0).min(columns / 3);
        let field = columns - label - 2;
        let scale = (field as f64 / self.bars.max(1e-9)).min(MOST_A_BAR);
        // A whole number of columns a bar, or of bars a column, where that fits: lines then stand where they are expected.
        let scale = if scale >= 1.0 { scale.floor() } else { 1.0 / (1.0 / scale).ceil() };
        let width = ((self.bars * scale).ceil() as usize).clamp(1, field);
        let column = |bar: f64| ((bar * scale).round() as usize).min(width);
        let mut text = format!("{}\n\n", self.summary());
        let mut line = |name: &str, row: String| {
            let name = shortened(name, label);
            text += format!("{name:label$}  {row}").trim_end();
            text += "\n";
        };
        let slots = &self.slots;
        let begins: Vec<f64> = match slots.is_empty() {
            false => slots.iter().map(|slot| slot.span.begin).collect(),
            true => (0..).map(|n| f64::from(n) * 4.0).take_while(|bar| *bar < self.bars).collect(),
        };
        let numbers = begins.iter().map(|bar| (column(*bar), width, rounded(*bar).to_string()));
        line("bar", written(width, numbers, true));
        if !slots.is_empty() {
            let named = slots.iter().map(|slot| {
                let name = &self.session.form.sections[slot.section].name;
                (column(slot.span.begin), column(slot.span.end), format!("|{name}"))
            });
            line("", written(width, named, false));
        }
        for (name, row) in &self.rows {
            let drawn = match row {
                Row::Sound { spans, silent } => {
                    let mut cells = vec![' '; width];
                    spans.iter().for_each(|(begin, end)| span(&mut cells, column(*begin), column(*end), '='));
                    for (begin, end) in silent {
                        let hidden = cells[column(*begin)..column(*end)].iter_mut().filter(|cell| **cell != ' ');
                        hidden.for_each(|cell| *cell = '-');
                    }
                    cells.into_iter().collect()
                }
                Row::Marks(marks) => {
                    let mut cells = vec![' '; width];
                    for (begin, end) in marks {
                        cells[column(*begin)..column(*end).max(column(*begin) + 1).min(width)].fill('x');
                    }
                    cells.into_iter().collect()
                }
                Row::Values(values) => {
                    let values = values.iter();
                    let values = values.map(|(begin, end, value)| (column(*begin), column(*end), format!("|{value}")));
                    written(width, values, false)
                }
            };
            line(name, drawn);
        }
        text
    }

    /// How long it is.
    fn summary(&self) -> String {
        let Session { tempo, time_signature: (beats, note), .. } = self.session;
        let seconds = self.graph.tempo.frame_of_bar(self.bars) / self.graph.tempo.rate();
        let bars = rounded(self.bars);
        let ends = self.session.form.is_empty() && engine::offline::natural_end(self.graph, None).is_none();
        let endless = if ends { ", and goes on for ever" } else { "" };
        let plural = if bars == 1.0 { "bar" } else { "bars" };
        let end = self.graph.tempo.frame_of_bar(self.bars) as i64;
        let (first, last) = (self.graph.tempo.bpm_at(0), self.graph.tempo.bpm_at(end));
        let pace = match rounded(first) == rounded(last) {
            true => tempo.to_string(),
            false => format!("from {} to {}", rounded(first), rounded(last)),
        };
        format!("{bars} {plural}, {}{endless}; {pace} bpm, {beats}/{note}", status::minutes(seconds))
    }
}

/// A stretch that sounds, with its beginning and its end.
fn span(cells: &mut [char], begin: usize, end: usize, inside: char) {
    let end = end.max(begin + 1).min(cells.len());
    let Some(cells) = cells.get_mut(begin.min(end)..end) else { return };
    cells.fill(inside);
    if let [first, .., last] = cells {
        (*first, *last) = ('[', ']');
    }
}

/// Texts in a row, each from a column on and up to another. Where the one before runs into it, a text is left out or the one
/// before cut.
fn written(width: usize, texts: impl Iterator<Item = (usize, usize, String)>, whole: bool) -> String {
    let mut cells = vec![' '; width];
    let mut free = 0;
    for (begin, end, text) in texts {
        let length = text.chars().count();
        if whole && (begin < free || begin + length > width) {
            continue;
        }
        let end = if whole { begin + length } else { end.max(begin + 1).min(width) };
        for (cell, c) in cells.iter_mut().take(end).skip(begin).zip(text.chars()) {
            *cell = c;
        }
        free = begin + length + 1;
    }
    cells.into_iter().collect()
}

/// A name in so many columns.
fn shortened(name: &str, width: usize) -> String {
    match name.chars().count() > width {
        true => name.chars().take(width.saturating_sub(1)).chain(['~']).collect(),
        false => name.to_owned(),
    }
}
