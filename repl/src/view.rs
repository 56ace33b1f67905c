//! The meters as a picture that fills a terminal: figures above, a row for each strip, what was told last below. Every number
//! and mark is there without colours too.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::levels::{Picture, SILENT, Strip, shown};

/// The least that it fits into.
pub const LEAST: (u16, u16) = (40, 10);

/// The level at which a bar begins, in dBFS; it ends at full scale.
const LOWEST: f64 = -60.0;

/// Levels from which on a bar is yellow, and red.
const HIGH: (f64, f64) = (-9.0, -1.0);

/// The widths of columns: marks, and a number.
const MARKS: u16 = 4;
const NUMBER: u16 = 7;

/// The most lines that figures take, and that what was told takes.
const FIGURES: usize = 4;
const TOLD: usize = 3;

/// How it is to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether there are colours.
    pub colour: bool,
    /// The first strip that is shown.
    pub first: usize,
}

impl Look {
    fn style(self, colour: Color) -> Style {
        if self.colour { Style::default().fg(colour) } else { Style::default() }
    }

    fn strong(self) -> Style {
        if self.colour { Style::default().add_modifier(Modifier::BOLD) } else { Style::default() }
    }
}

/// How many strips are seen at once, and the place for each part of the picture.
struct Parts {
    figures: Vec<String>,
    strips: u16,
    told: u16,
}

impl Parts {
    fn of(picture: &Picture, area: Rect) -> Parts {
        let figures = flowed(&figures(picture), usize::from(area.width));
        let told = if area.height >= 16 { TOLD as u16 } else { 1 };
        // The heads of the columns, the master, and the last line.
        let strips = area.height.saturating_sub(figures.len() as u16 + told + 3);
        Parts { figures, strips, told }
    }
}

/// The first strip to be shown when one would like that to be `first`: the last page is full.
pub fn held(picture: &Picture, area: Rect, first: usize) -> usize {
    first.min(picture.strips.len().saturating_sub(page(picture, area)))
}

/// How many strips are shown at once.
pub fn page(picture: &Picture, area: Rect) -> usize {
    usize::from(Parts::of(picture, area).strips)
}

/// Draws it all, over what was there; `told` is what was told last, a line each.
pub fn draw(picture: &Picture, told: &[String], look: Look, buffer: &mut Buffer) {
    let area = buffer.area;
    buffer.reset();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let small = format!("q leaves; too small: {} x {} at least", LEAST.0, LEAST.1);
        put(buffer, 0, 0, &small, Style::default());
        return;
    }
    let parts = Parts::of(picture, area);
    let mut row = 0;
    for figures in &parts.figures {
        put(buffer, 0, row, figures, look.strong());
        row += 1;
    }
    let columns = Columns::of(picture, area.width);
    columns.heads(buffer, row, look);
    columns.strip(buffer, row + 1, &picture.master, look);
    row += 2;
    let first = held(picture, area, look.first);
    for (strip, row) in picture.strips.iter().skip(first).take(usize::from(parts.strips)).zip(row..) {
        columns.strip(buffer, row, strip, look);
    }
    row += parts.strips;
    let newest = told.len().saturating_sub(usize::from(parts.told));
    for (line, row) in told[newest..].iter().zip(row..) {
        put(buffer, 0, row, line, Style::default());
    }
    let (all, shown) = (picture.strips.len(), page(picture, area));
    let where_ = match all > shown {
        true => format!("{} to {} of {all}, arrows scroll; ", first + 1, (first + shown).min(all)),
        false => String::new(),
    };
    put(buffer, 0, area.height - 1, &format!("{where_}q leaves"), look.style(Color::DarkGray));
}

/// Text in a row, as far as it goes.
fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, style: Style) {
    let width = usize::from(buffer.area.width.saturating_sub(x));
    if y < buffer.area.height {
        buffer.set_stringn(x, y, text, width, style);
    }
}

/// What is said of the whole, in pieces that stay together.
fn figures(picture: &Picture) -> Vec<String> {
    let lufs = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.1}"));
    let [momentary, short, whole] = picture.loudness;
    let mut all = vec![
        picture.position(),
        format!("{:.0} bpm", picture.tempo),
        format!("load {:.0} % (worst {:.0} %)", picture.load.0, picture.load.1),
        format!("LUFS M {} S {} I {}", lufs(momentary), lufs(short), lufs(whole)),
        format!("true peak {}", lufs(picture.true_peak)),
    ];
    all.extend(picture.target.clone());
    all
}

/// Pieces side by side, as many as there is room for, over at most so many lines.
fn flowed(pieces: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 3 + piece.chars().count() <= width => {
                line.push_str("   ");
                line.push_str(piece);
            }
            _ => lines.push(piece.clone()),
        }
    }
    lines.truncate(FIGURES);
    lines
}

/// Where what stands in the row of a strip.
struct Columns {
    name: u16,
    bar: u16,
    reduced: bool,
}

impl Columns {
    fn of(picture: &Picture, width: u16) -> Columns {
        let longest = picture.strips.iter().map(|strip| strip.name.chars().count()).max().unwrap_or(0).max(6);
        let name = (longest as u16).min((width / 4).min(24));
        let reduced = picture.strips.iter().chain([&picture.master]).any(|strip| strip.reduced.is_some());
        let numbers = NUMBER * if reduced { 3 } else { 2 };
        Columns { name, bar: width.saturating_sub(name + 1 + MARKS + numbers + 1), reduced }
    }

    /// Where the first number begins.
    fn numbers(&self) -> u16 {
        self.name + 1 + MARKS + self.bar
    }

    fn heads(&self, buffer: &mut Buffer, row: u16, look: Look) {
        let style = look.style(Color::DarkGray);
        let scale = [(-60.0, "-60"), (-40.0, "-40"), (-20.0, "-20")];
        for (level, text) in scale {
            put(buffer, self.name + 1 + MARKS + self.cell(level), row, text, style);
        }
        let heads: &[&str] = if self.reduced { &["peak", "RMS", "down"] } else { &["peak", "RMS"] };
        for (head, i) in heads.iter().zip(0u16..) {
            put(buffer, self.numbers() + i * NUMBER, row, &format!("{head:>w$}", w = usize::from(NUMBER)), style);
        }
    }

    /// Which cell of the bar a level reaches.
    fn cell(&self, level: f64) -> u16 {
        (((level - LOWEST) / -LOWEST).clamp(0.0, 1.0) * f64::from(self.bar)) as u16
    }

    fn strip(&self, buffer: &mut Buffer, row: u16, strip: &Strip, look: Look) {
        buffer.set_stringn(0, row, &strip.name, usize::from(self.name), look.strong());
        let mark = |is: bool, mark: &'static str| if is { mark } else { " " };
        let silenced = if strip.muted { "M" } else { mark(strip.left_out, "m") };
        put(buffer, self.name + 1, row, mark(strip.clipped, "!"), look.style(Color::Red));
        put(buffer, self.name + 2, row, silenced, look.style(Color::Yellow));
        put(buffer, self.name + 3, row, mark(strip.soloed, "S"), look.style(Color::Cyan));
        let begin = self.name + 1 + MARKS;
        let reach = |level: Option<f64>| level.filter(|level| *level > LOWEST).map_or(0, |level| self.cell(level));
        let (rms, peak, held) = (reach(strip.rms), reach(strip.peak), reach(strip.held));
        for cell in 0..self.bar {
            let glyph = match cell {
                cell if cell < rms => "█",
                cell if cell < peak => "▒",
                cell if cell + 1 == held => "|",
                _ => continue,
            };
            let level = LOWEST - LOWEST * f64::from(cell + 1) / f64::from(self.bar.max(1));
            let colour = match level {
                level if level > HIGH.1 => Color::Red,
                level if level > HIGH.0 => Color::Yellow,
                _ => Color::Green,
            };
            put(buffer, begin + cell, row, glyph, look.style(colour));
        }
        let level = |level: Option<f64>| match level {
            Some(level) if level > SILENT => shown(Some(level)),
            _ => "-".into(),
        };
        let down = strip.reduced.map_or(String::new(), |by| format!("{by:.1}"));
        let numbers = [level(strip.peak), level(strip.rms), down];
        for (number, i) in numbers.iter().take(2 + usize::from(self.reduced)).zip(0u16..) {
            let text = format!("{number:>w$}", w = usize::from(NUMBER));
            put(buffer, self.numbers() + i * NUMBER, row, &text, Style::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn strip(name: &str, peak: f64) -> Strip {
        Strip { name: name.into(), peak: Some(peak), rms: Some(peak - 8.0), held: Some(peak + 2.0), ..Strip::default() }
    }

    fn picture(strips: usize) -> Picture {
        let mut all: Vec<Strip> = (0..strips).map(|i| strip(&format!("strip {i}"), -12.0 - i as f64)).collect();
        if let Some(first) = all.first_mut() {
            (first.muted, first.clipped, first.reduced) = (true, true, Some(3.2));
        }
        if let Some(second) = all.get_mut(1) {
            second.soloed = true;
        }
        Picture {
            strips: all,
            master: strip("master", -1.4),
            loudness: [Some(-12.3), Some(-14.0), Some(-14.6)],
            true_peak: Some(-1.1),
            load: (3.2, 12.0),
            bar: (13, 2),
            seconds: 75.0,
            rolling: true,
            tempo: 96.0,
            target: Some("streaming: 0.6 LU below".into()),
        }
    }

    fn drawn(picture: &Picture, told: &[String], look: Look, size: (u16, u16)) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("it is only memory");
        terminal.draw(|frame| draw(picture, told, look, frame.buffer_mut())).expect("it is only memory");
        terminal.backend().buffer().clone()
    }

    fn rows(buffer: &Buffer) -> Vec<String> {
        let width = usize::from(buffer.area.width);
        buffer.content.chunks(width).map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>()).collect()
    }

    const PLAIN: Look = Look { colour: false, first: 0 };

    #[test]
    fn everything_is_in_it_at_every_size_from_the_least_on() {
        for size in [LEAST, (60, 12), (80, 24), (120, 40), (250, 70)] {
            let rows = rows(&drawn(&picture(3), &["changed voice>band/fader".into()], PLAIN, size));
            let all = rows.join("\n");
            for part in ["bar 13:2  1:15.0", "96 bpm", "load 3 % (worst 12 %)", "M -12.3 S -14.0 I -14.6", "master"] {
                assert!(all.contains(part), "{part} is not in\n{all}");
            }
            for part in ["strip 0", "-1.4", "-12.0", "-20.0", "3.2", "changed voice>band/fader", "q leaves"] {
                assert!(all.contains(part), "{size:?}: {part} is not in\n{all}");
            }
            let first = rows.iter().find(|row| row.starts_with("strip 0")).expect("it is there");
            assert!(first.contains("!M ") && first.contains('█'), "{first}");
            let roomy = size.1 > LEAST.1;
            assert!(all.contains("true peak -1.1"), "{all}");
            assert!(!roomy || all.contains("streaming"), "{all}");
        }
    }

    #[test]
    fn any_size_at_all_is_drawn_and_one_that_is_too_small_says_so() {
        let told: Vec<String> = (0..9).map(|i| format!("{i} {}", "long ".repeat(90))).collect();
        for width in [1, 5, 39, 40, 41, 77, 300] {
            for height in [1, 2, 9, 10, 11, 15, 16, 90] {
                for strips in [0, 1, 200] {
                    for first in [0, 150, usize::MAX] {
                        let buffer = drawn(&picture(strips), &told, Look { first, ..PLAIN }, (width, height));
                        assert_eq!(buffer.content.len(), usize::from(width) * usize::from(height));
                    }
                }
            }
        }
        assert!(rows(&drawn(&picture(3), &[], PLAIN, (39, 10)))[0].starts_with("q leaves; too small: 40 x 10"));
    }

    #[test]
    fn bars_reach_as_far_as_their_levels() {
        let mut one = picture(1);
        one.strips[0] = Strip { peak: Some(-30.0), rms: Some(-45.0), held: Some(-6.0), ..strip("voice", 0.0) };
        let rows = rows(&drawn(&one, &[], PLAIN, (120, 20)));
        let row = rows.iter().find(|row| row.starts_with("voice")).expect("it is there");
        let columns = Columns::of(&one, 120);
        let bar: Vec<char> = row.chars().skip(usize::from(columns.name + 1 + MARKS)).take(columns.bar.into()).collect();
        let count = |glyph| bar.iter().filter(|c| **c == glyph).count() as f64 / f64::from(columns.bar);
        let cell = 1.0 / f64::from(columns.bar);
        assert!((count('█') - 0.25).abs() <= cell && (count('▒') - 0.25).abs() <= cell, "{row}");
        let held = bar.iter().position(|c| *c == '|').expect("it is there") as f64 * cell;
        assert!((held - 0.9).abs() <= 2.0 * cell, "{held}");
    }

    #[test]
    fn strips_scroll_and_stop_at_the_last() {
        let many = picture(100);
        let area = Rect::new(0, 0, 80, 24);
        let shown = page(&many, area);
        let all = |first| rows(&drawn(&many, &[], Look { first, ..PLAIN }, (80, 24))).join("\n");
        assert!(all(0).contains(&format!("1 to {shown} of 100")) && all(0).contains("strip 0 "));
        assert!(all(50).contains("strip 50 ") && !all(50).contains("strip 49 "));
        assert!(all(1000).contains("strip 99 ") && all(1000).contains("to 100 of 100"));
        assert_eq!(held(&many, area, 1000), 100 - shown);
    }

    #[test]
    fn without_colours_no_cell_has_one() {
        let styled = |colour| {
            let buffer = drawn(&picture(3), &["told".into()], Look { colour, first: 0 }, (80, 24));
            buffer.content.iter().filter(|cell| cell.style() != ratatui::buffer::Cell::EMPTY.style()).count()
        };
        assert_eq!(styled(false), 0);
        assert!(styled(true) > 20);
    }
}
