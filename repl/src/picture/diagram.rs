//! What a picture shows, before anything has a place: cards with rows, and cables between them.

use super::letters::{self, Font};
use super::wording;

/// The signal flow of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagram {
    /// Its title.
    pub title: String,
    /// Tempo and rate.
    pub about: String,
    /// Its sections in their order: name and bars.
    pub sections: Vec<(String, f64)>,
    /// Inputs, buses, what branches off them, outputs.
    pub cards: Vec<Card>,
    /// What flows from one to another.
    pub cables: Vec<Cable>,
    /// Whether it is for who sits far away.
    pub is_large: bool,
}

impl Diagram {
    /// The same for who sits far away: in larger letters and closer together, without what belongs to a row above.
    pub fn large(mut self) -> Diagram {
        self.is_large = true;
        for (number, card) in self.cards.iter_mut().enumerate() {
            // Where each row is then: what belongs to another is there.
            let mut kept = 0;
            let places = card.rows.iter().map(|row| {
                kept += usize::from(!row.is_lesser());
                kept.checked_sub(1)
            });
            let places: Vec<Option<usize>> = places.collect();
            let ends = self.cables.iter_mut().flat_map(|cable| [&mut cable.from, &mut cable.to]);
            for end in ends.filter(|end| end.card == number) {
                end.row = end.row.and_then(|row| places.get(row).copied().flatten());
            }
            card.is_large = true;
            card.rows.retain(|row| !row.is_lesser());
            card.rows.iter_mut().for_each(|row| row.is_large = true);
            // What is folded is known by what stands below its name.
            if card.paths.len() == 1 {
                card.about.clear();
            }
        }
        self
    }
}

/// What a card stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CardKind {
    /// Where sound comes from.
    Input,
    /// Where signals add.
    Bus,
    /// The bus that always exists.
    Master,
    /// An anonymous place where signals add.
    Sum,
    /// Effects behind a point where a signal goes several ways.
    Way,
    /// Where sound leaves.
    Output,
}

/// One box of the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// The path of what it stands for; of several that are folded, each.
    pub paths: Vec<String>,
    /// What that is.
    pub kind: CardKind,
    /// What stands at its head.
    pub name: String,
    /// Lines below the name.
    pub about: Vec<String>,
    /// Muted, soloed, or silent whatever is played.
    pub badge: Option<&'static str>,
    /// What its signal passes, in order.
    pub rows: Vec<Row>,
    /// Channels that leave it.
    pub channels: usize,
    /// Whether it is written large.
    pub is_large: bool,
}

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKind {
    /// An effect.
    Effect,
    /// A part of the effect above, or what stands in it.
    Detail,
    /// What moves a number of the thing above.
    Control,
    /// A send, which passes the signal on.
    Send,
    /// The beginning of a way back.
    Feedback,
}

/// One line of a card.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The path that a person would type.
    pub path: String,
    /// The path that the compiled graph has, where it is another.
    pub full: String,
    /// What it stands for.
    pub kind: RowKind,
    /// What it is, at the left.
    pub word: String,
    /// The word by which it is told what it is like, whatever name it has.
    pub sort: String,
    /// Its main figures, at the right.
    pub figures: String,
    /// All that is said of it.
    pub title: String,
    /// Whether it does nothing: it is bypassed, or a send that is off.
    pub is_idle: bool,
    /// Whether it is written large.
    pub is_large: bool,
}

/// What flows in a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CableKind {
    /// The signal.
    Plug,
    /// A part of it.
    Send,
    /// What steers an effect without being heard.
    Key,
    /// What a control follows.
    Follow,
    /// What comes round again.
    Feedback,
}

/// One end of a cable: a card, and the row of it; its head without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// An index into [`Diagram::cards`].
    pub card: usize,
    /// An index into [`Card::rows`].
    pub row: Option<usize>,
}

/// A line of the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Cable {
    /// Its path; of several that are folded, each.
    pub paths: Vec<String>,
    /// What flows.
    pub kind: CableKind,
    /// Where it begins.
    pub from: End,
    /// Where it ends.
    pub to: End,
    /// Whether nothing comes through.
    pub is_silent: bool,
    /// How many channels.
    pub channels: usize,
    /// All that is said of it.
    pub title: String,
}

/// The letters of names, of what stands below them, of rows, and of lesser rows.
pub const NAME: Font = Font { size: 13.0, is_bold: true };
pub const ABOUT: Font = Font { size: 10.5, is_bold: false };
pub const ROW: Font = Font { size: 11.5, is_bold: false };
pub const DETAIL: Font = Font { size: 10.5, is_bold: false };

/// How much larger they are for who sits far away, and how high a row is then.
const LARGER: f64 = 1.4;
const LARGE_ROW: f64 = 23.0;

/// Letters, larger if that is wanted.
fn sized(font: Font, is_large: bool) -> Font {
    if is_large { Font { size: font.size * LARGER, ..font } } else { font }
}

/// Room between a card's edge and what is written in it.
pub const PADDING: f64 = 11.0;

/// Room between what stands at the left of a row and what stands at the right.
const BETWEEN: f64 = 14.0;

/// How far what belongs to the row above is set in.
const INSET: f64 = 11.0;

const LEAST_WIDTH: f64 = 96.0;
const MOST_WIDTH: f64 = 250.0;

/// How much wider a card may be that stands for several strips, each row of which says how many have it.
const WIDER: f64 = 1.4;
const NAME_HEIGHT: f64 = 27.0;
const ABOUT_HEIGHT: f64 = 14.5;

/// Something written in a card.
pub struct Label<'a> {
    /// As much of the text as there is room for.
    pub text: String,
    /// What it is written with.
    pub font: Font,
    /// Its left end, and its right end, from the left of the card.
    pub span: (f64, f64),
    /// Its middle, from the top of the card.
    pub middle: f64,
    /// What it is of: the head of the card without a row.
    pub row: Option<&'a Row>,
    /// What it is.
    pub role: Role,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The name of a card.
    Name,
    /// What stands below it, or beside it.
    About,
    /// What a row is.
    Word,
    /// Its figures.
    Figures,
}

impl Row {
    /// How high it is.
    pub fn height(&self) -> f64 {
        match (self.is_large, self.is_lesser()) {
            (true, _) => LARGE_ROW,
            (false, true) => 15.5,
            (false, false) => 20.0,
        }
    }

    /// Whether it belongs to the row above.
    pub fn is_lesser(&self) -> bool {
        matches!(self.kind, RowKind::Detail | RowKind::Control)
    }

    fn font(&self) -> Font {
        sized(if self.is_lesser() { DETAIL } else { ROW }, self.is_large)
    }

    /// How far it is set in.
    fn inset(&self) -> f64 {
        if self.is_lesser() { INSET } else { 0.0 }
    }

    fn width(&self) -> f64 {
        let of = |text: &str| letters::width(text, self.font());
        let figures = if self.figures.is_empty() { 0.0 } else { BETWEEN + of(&self.figures) };
        self.inset() + of(&self.word) + figures
    }
}

impl Card {
    /// The letters of its name, and of what stands below it.
    fn fonts(&self) -> (Font, Font) {
        (sized(NAME, self.is_large), sized(ABOUT, self.is_large))
    }

    /// How high a line below its name is.
    fn about_height(&self) -> f64 {
        if self.is_large { ABOUT_HEIGHT * LARGER } else { ABOUT_HEIGHT }
    }

    /// How wide and how high it is.
    pub fn size(&self) -> (f64, f64) {
        let (of_name, of_about) = self.fonts();
        let badge = self.badge.map_or(0.0, |badge| BETWEEN + letters::width(badge, of_about));
        let head = letters::width(&self.name, of_name) + badge;
        let about = self.about.iter().map(|line| letters::width(line, of_about));
        let widest = self.rows.iter().map(Row::width).chain(about).fold(head, f64::max);
        // A pixel for what rounding takes.
        let width = (widest + 2.0 * PADDING + 1.0).ceil();
        let most = MOST_WIDTH * if self.paths.len() > 1 { WIDER } else { 1.0 };
        let width = width.clamp(LEAST_WIDTH, if self.is_large { most * LARGER } else { most });
        (width, self.head() + self.rows.iter().map(Row::height).sum::<f64>() + self.foot())
    }

    /// How high what stands above the rows is.
    pub fn head(&self) -> f64 {
        let about = self.about.len() as f64 * self.about_height();
        NAME_HEIGHT + about + if self.rows.is_empty() && self.about.is_empty() { 0.0 } else { 4.0 }
    }

    fn foot(&self) -> f64 {
        if self.rows.is_empty() { 0.0 } else { 5.0 }
    }

    /// The middle of where a cable ends, from the top.
    pub fn middle(&self, row: Option<usize>) -> f64 {
        match row.and_then(|row| Some((row, self.rows.get(row)?))) {
            Some((index, row)) => self.top(index) + row.height() / 2.0,
            None => NAME_HEIGHT / 2.0,
        }
    }

    /// The top of a row, from the top.
    pub fn top(&self, row: usize) -> f64 {
        let above: f64 = self.rows.iter().take(row).map(Row::height).sum();
        self.head() + 2.0 + above
    }

    /// All that is written in it.
    pub fn labels(&self) -> Vec<Label<'_>> {
        let (left, right) = (PADDING, self.size().0 - PADDING);
        let (of_name, of_about) = self.fonts();
        let mut labels = Vec::new();
        let mut end = right;
        if let Some(badge) = self.badge {
            end = right - letters::width(badge, of_about);
            let text = badge.to_owned();
            let (span, role) = ((end, right), Role::About);
            labels.push(Label { text, font: of_about, span, middle: NAME_HEIGHT / 2.0, row: None, role });
            end -= BETWEEN;
        }
        let text = letters::fitted(&self.name, of_name, end - left);
        let (span, role) = ((left, end), Role::Name);
        labels.push(Label { text, font: of_name, span, middle: NAME_HEIGHT / 2.0, row: None, role });
        for (i, line) in self.about.iter().enumerate() {
            let middle = NAME_HEIGHT + (i as f64 + 0.4) * self.about_height();
            let text = letters::fitted(line, of_about, right - left);
            let (span, role) = ((left, right), Role::About);
            labels.push(Label { text, font: of_about, span, middle, row: None, role });
        }
        for (i, row) in self.rows.iter().enumerate() {
            let (middle, font, left) = (self.middle(Some(i)), row.font(), left + row.inset());
            let room = right - left;
            let whole = letters::width(&row.word, font) + BETWEEN + letters::width(&row.figures, font) <= room;
            // Figures give way first, but not wholly.
            let share = if whole || row.figures.is_empty() { room } else { 0.6 * room };
            let word = letters::fitted(&row.word, font, share);
            let begin = left + letters::width(&word, font) + BETWEEN;
            let figures = whole_figures(&row.figures, font, right - begin);
            let (row, end) = (Some(row), if figures.is_empty() { right } else { begin - BETWEEN });
            labels.push(Label { text: word, font, span: (left, end), middle, row, role: Role::Word });
            if !figures.is_empty() {
                let span = (right - letters::width(&figures, font), right);
                labels.push(Label { text: figures, font, span, middle, row, role: Role::Figures });
            }
        }
        labels
    }
}

/// As many figures as there is room for; of the first as much of it.
fn whole_figures(figures: &str, font: Font, room: f64) -> String {
    let mut shown = figures;
    while letters::width(shown, font) > room {
        match shown.rsplit_once(wording::BETWEEN) {
            Some((before, _)) => shown = before,
            None => return letters::fitted(shown, font, room),
        }
    }
    shown.to_owned()
}
