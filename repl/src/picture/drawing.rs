//! A diagram in which everything has its place, in pixels: what is drawn, independent of how it is written down.

use super::diagram::{Cable, CableKind, Diagram, End};
use super::layout::{self, Area, Course, LANE, Places};
use super::letters::{self, Font};

/// Room around the picture.
const MARGIN: f64 = 28.0;

/// How far a cable goes straight on before it bends.
const STRAIGHT: f64 = 14.0;

/// How far what steers begins from what sounds.
const ASIDE: f64 = 5.0;

/// How far from the cards the first way in front of them runs.
const FRONT: f64 = 10.0;

/// The letters of the title and of what stands beside and below.
pub const TITLE: Font = Font { size: 19.0, is_bold: true };
pub const SMALL: Font = Font { size: 11.0, is_bold: false };

const TITLE_HEIGHT: f64 = 46.0;
const STRIP_HEIGHT: f64 = 22.0;
const LEGEND_HEIGHT: f64 = 34.0;

/// How long a line in the legend is, and what lies between its entries.
pub const SAMPLE: f64 = 30.0;
const BETWEEN_ENTRIES: f64 = 26.0;

/// How wide the picture is at least, so that its title has room.
const LEAST_WIDTH: f64 = 360.0;

/// A point.
pub type Point = (f64, f64);

/// How a cable goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Straight.
    Line(Point),
    /// In a bend that begins and ends level.
    Bend(Point),
    /// Round a corner: the corner and where it ends.
    Corner(Point, Point),
}

/// Where a cable runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// Where it begins.
    pub begin: Point,
    /// How it goes on.
    pub steps: Vec<Step>,
}

/// What the legend explains: only what occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// What flows in a cable.
    Cable(CableKind),
    /// A cable of one channel.
    Mono,
    /// A cable that nothing comes through.
    Silent,
}

impl Entry {
    /// What the legend says.
    pub fn name(self) -> &'static str {
        match self {
            Entry::Cable(CableKind::Plug) => "cable",
            Entry::Cable(CableKind::Send) => "send",
            Entry::Cable(CableKind::Key) => "key: steers, is not heard",
            Entry::Cable(CableKind::Follow) => "follow: moves a number",
            Entry::Cable(CableKind::Feedback) => "feedback",
            Entry::Mono => "one channel",
            Entry::Silent => "silent",
        }
    }
}

/// A picture of the signal flow.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// What it shows.
    pub diagram: Diagram,
    /// Its size.
    pub size: (f64, f64),
    /// Where each of the diagram's cards stands.
    pub cards: Vec<Area>,
    /// Where each of the diagram's cables runs.
    pub ways: Vec<Way>,
    /// Where the title begins, on its line.
    pub title: Point,
    /// Where each section stands.
    pub sections: Vec<Area>,
    /// What the legend explains, each with where it begins.
    pub legend: Vec<(Entry, Point)>,
}

impl Drawing {
    /// Gives everything its place.
    pub fn of(diagram: Diagram) -> Drawing {
        let Places { mut cards, passes } = layout::places(&diagram);
        let strip = if diagram.sections.is_empty() { 0.0 } else { STRIP_HEIGHT + 14.0 };
        let top = MARGIN + TITLE_HEIGHT + strip;
        let in_front = diagram.cables.iter().filter(|cable| layout::course(&diagram, cable) == Course::Beside).count();
        let left = MARGIN + if in_front > 0 { in_front as f64 * LANE + FRONT } else { 0.0 };
        cards.iter_mut().for_each(|card| (card.x, card.y) = (card.x + left, card.y + top));
        let (columns, taken) = (columns(&cards), vec![0; cards.len()]);
        let mut cables = Cables { diagram: &diagram, cards: &cards, columns, taken, beside: 0 };
        let ways: Vec<Way> = diagram
            .cables
            .iter()
            .zip(&passes)
            .map(|(cable, passes)| {
                let passes: Vec<Point> = passes.iter().map(|(x, y)| (x + left, y + top)).collect();
                cables.way(cable, &passes)
            })
            .collect();
        let most = |of: &dyn Fn(Point) -> f64| ways.iter().flat_map(Way::points).map(of).fold(0.0, f64::max);
        let right = cards.iter().map(Area::right).fold(most(&|(x, _)| x), f64::max);
        let bottom = cards.iter().map(Area::bottom).fold(most(&|(_, y)| y), f64::max).max(top);
        let head = letters::width(&diagram.title, TITLE) + letters::width(&diagram.about, SMALL) + 20.0;
        let width = (right + MARGIN).max(LEAST_WIDTH).max((head + 2.0 * MARGIN).min(1200.0)).ceil();
        let (legend, below) = legend(&diagram, width, bottom + LEGEND_HEIGHT);
        let sections = sections(&diagram, width);
        let size = (width, (below + MARGIN).ceil());
        Drawing { size, cards, ways, title: (MARGIN, MARGIN + 14.0), sections, legend, diagram }
    }

    /// As much of the title as there is room for, and where it ends.
    pub fn headline(&self) -> (String, f64) {
        let room = self.size.0 - 2.0 * MARGIN - letters::width(&self.diagram.about, SMALL) - 20.0;
        let shown = letters::fitted(&self.diagram.title, TITLE, room);
        let end = self.title.0 + letters::width(&shown, TITLE);
        (shown, end)
    }

    /// What the legend shows a cable as.
    pub fn entry(cable: &Cable) -> Entry {
        if cable.is_silent { Entry::Silent } else { Entry::Cable(cable.kind) }
    }
}

impl Way {
    /// 1 where it ends to the right, -1 where it ends to the left.
    pub fn heading(&self) -> f64 {
        let mut points: Vec<Point> = self.points().collect();
        points.dedup();
        match points[..] {
            [.., (before, _), (last, _)] if last < before => -1.0,
            _ => 1.0,
        }
    }

    /// All the points that it is drawn by.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        let steps = self.steps.iter().flat_map(|step| match *step {
            Step::Line(to) | Step::Bend(to) => [to, to],
            Step::Corner(corner, to) => [corner, to],
        });
        [self.begin].into_iter().chain(steps)
    }
}

/// The columns of cards: those that begin at one place along, as wide as the widest of them.
fn columns(cards: &[Area]) -> Vec<(f64, f64)> {
    let mut columns: Vec<(f64, f64)> = Vec::new();
    for card in cards {
        match columns.iter_mut().find(|(left, _)| (left - card.x).abs() < 1.0) {
            Some((_, right)) => *right = right.max(card.right()),
            None => columns.push((card.x, card.right())),
        }
    }
    columns
}

/// The sections side by side, each as wide as it is long.
fn sections(diagram: &Diagram, width: f64) -> Vec<Area> {
    let bars: f64 = diagram.sections.iter().map(|(_, bars)| bars).sum();
    let scale = (width - 2.0 * MARGIN) / bars.max(1e-9);
    let mut x = MARGIN;
    let slots = diagram.sections.iter().map(|(_, bars)| {
        let area = Area { x, y: MARGIN + TITLE_HEIGHT - 12.0, width: bars * scale, height: STRIP_HEIGHT };
        x += area.width;
        area
    });
    slots.collect()
}

/// The entries of the legend, in as many lines as they need, and where the last ends.
fn legend(diagram: &Diagram, width: f64, top: f64) -> (Vec<(Entry, Point)>, f64) {
    let mut entries: Vec<Entry> = diagram.cables.iter().map(Drawing::entry).collect();
    let of_one = |cable: &Cable| cable.channels == 1;
    if diagram.cables.iter().any(of_one) && diagram.cables.iter().any(|cable| cable.channels > 1) {
        entries.push(Entry::Mono);
    }
    entries.sort();
    entries.dedup();
    // A picture with nothing but cables explains itself.
    if entries == [Entry::Cable(CableKind::Plug)] {
        entries.clear();
    }
    let (mut x, mut y) = (MARGIN, top);
    let placed = entries.iter().map(|entry| {
        let long = SAMPLE + 8.0 + letters::width(entry.name(), SMALL);
        if x > MARGIN && x + long > width - MARGIN {
            (x, y) = (MARGIN, y + 20.0);
        }
        let at = (x, y);
        x += long + BETWEEN_ENTRIES;
        (*entry, at)
    });
    let placed: Vec<(Entry, Point)> = placed.collect();
    let below = placed.last().map_or(top - LEGEND_HEIGHT, |(_, (_, y))| y + 4.0);
    (placed, below)
}

/// Cables on their way.
struct Cables<'a> {
    diagram: &'a Diagram,
    cards: &'a [Area],
    /// The left and the right edge of each column of cards.
    columns: Vec<(f64, f64)>,
    /// How many ways back already run below each card.
    taken: Vec<usize>,
    /// How many cables already run in front of the first column.
    beside: usize,
}

impl Cables<'_> {
    fn way(&mut self, cable: &Cable, passes: &[Point]) -> Way {
        match layout::course(self.diagram, cable) {
            Course::On => self.way_on(cable, passes),
            Course::Back => self.way_back(cable, passes),
            Course::Against => self.way_against(cable, passes),
            Course::Beside => self.way_beside(cable),
        }
    }

    /// Where a cable leaves a card, and where it comes to one.
    fn begin(&self, end: End) -> Point {
        let area = self.cards[end.card];
        (area.right(), area.y + self.diagram.cards[end.card].middle(end.row))
    }

    fn end(&self, end: End) -> Point {
        let area = self.cards[end.card];
        (area.x, area.y + self.diagram.cards[end.card].middle(end.row))
    }

    /// The next free way below a card.
    fn below(&mut self, card: usize) -> f64 {
        self.taken[card] += 1;
        self.cards[card].bottom() + self.taken[card] as f64 * LANE
    }

    /// The left and the right edge of the column of cards that a place along lies in.
    fn column(&self, x: f64) -> Option<(f64, f64)> {
        let within = self.columns.iter().filter(|(left, right)| left - 1.0 <= x && x <= right + 1.0);
        within.copied().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// From left to right: level past what stands between, in bends from column to column.
    fn way_on(&self, cable: &Cable, passes: &[Point]) -> Way {
        let (mut begin, end) = (self.begin(cable.from), self.end(cable.to));
        // Beside what sounds, where both leave from one place.
        if matches!(cable.kind, CableKind::Key | CableKind::Follow) {
            begin.1 += ASIDE;
        }
        let mut steps = Vec::new();
        let last = self.column(begin.0).map_or(begin.0, |(_, right)| right);
        steps.extend((last > begin.0).then_some(Step::Line((last, begin.1))));
        for &(x, y) in passes {
            let Some((left, right)) = self.column(x).filter(|(left, right)| *left > last && *right < end.0) else {
                continue;
            };
            steps.push(Step::Bend((left, y)));
            steps.push(Step::Line((right, y)));
        }
        steps.push(Step::Bend(end));
        Way { begin, steps }
    }

    /// From right to left between the cards: from the front of one to the back of the other.
    fn way_against(&self, cable: &Cable, passes: &[Point]) -> Way {
        let (from, to) = (self.end(cable.from), self.begin(cable.to));
        let mut steps = Vec::new();
        let edge = self.column(to.0).map_or(to.0, |(_, right)| right);
        for &(x, y) in passes.iter().rev() {
            let Some((left, right)) = self.column(x).filter(|(left, right)| *right < from.0 && *left > edge) else {
                continue;
            };
            steps.extend([Step::Bend((right, y)), Step::Line((left, y))]);
        }
        steps.push(Step::Bend((edge, to.1)));
        steps.push(Step::Line(to));
        Way { begin: from, steps }
    }

    /// In front of the cards of a column: out, up or down, and in again.
    fn way_beside(&mut self, cable: &Cable) -> Way {
        let (begin, end) = (self.end(cable.from), self.end(cable.to));
        self.beside += 1;
        let lane = begin.0.min(end.0) - FRONT - self.beside as f64 * LANE;
        let round = if end.1 < begin.1 { -STRAIGHT } else { STRAIGHT };
        let steps = vec![
            Step::Line((lane + STRAIGHT, begin.1)),
            Step::Corner((lane, begin.1), (lane, begin.1 + round)),
            Step::Line((lane, end.1 - round)),
            Step::Corner((lane, end.1), (lane + STRAIGHT, end.1)),
            Step::Line(end),
        ];
        Way { begin, steps }
    }

    /// From right to left: round below the card that it leaves, past what stands between, and round below the card it comes to.
    fn way_back(&mut self, cable: &Cable, passes: &[Point]) -> Way {
        let (begin, end) = (self.begin(cable.from), self.end(cable.to));
        let (near, far) = (self.cards[cable.from.card], self.cards[cable.to.card]);
        let mut level = self.below(cable.from.card);
        let turn = near.right() + STRAIGHT;
        let mut steps = vec![
            Step::Corner((turn, begin.1), (turn, (begin.1 + level) / 2.0)),
            Step::Corner((turn, level), (near.right(), level)),
        ];
        if cable.from.card != cable.to.card {
            steps.push(Step::Line((near.x, level)));
            for &(x, y) in passes.iter().rev() {
                let Some((left, right)) = self.column(x).filter(|(left, right)| *right < near.x && *left > far.right())
                else {
                    continue;
                };
                steps.push(Step::Bend((right, y)));
                steps.push(Step::Line((left, y)));
            }
            level = self.below(cable.to.card);
            let edge = self.column(far.x).map_or(far.right(), |(_, right)| right);
            steps.push(Step::Bend((edge, level)));
        }
        let turn = far.x - STRAIGHT;
        steps.push(Step::Line((far.x, level)));
        steps.push(Step::Corner((turn, level), (turn, (level + end.1) / 2.0)));
        steps.push(Step::Corner((turn, end.1), end));
        Way { begin, steps }
    }
}
