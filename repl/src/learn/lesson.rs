//! A lesson: a session whose comments teach it. One text is what is played, what is read as a page, and what an edit is held to.
//!
//! ```text
//! // 2. Level: how loud, in decibels         number, title, and what it is about
//! //
//! // Prose.
//!
//! session
//!
//! // Step: bring the voice forward           what to try
//! // Prose: why, where, and what to listen for.
//! // Goal: the voice stands ... over the keys
//! //     expect(at("voice>master").rms - at("keys>master").rms).within(4, 1);
//!
//! // Answer 1: `fader(-20)` -> `fader(-9)`   an edit that gets there: one of many
//! ```
//!
//! The dots of a goal are where the figure is said that was found. A step may have several
//! goals, and an answer several edits.

use engine::figure::Figure;

/// A lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// The name of its file, without the ending: `02-level`.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// What it is about, in a few words.
    pub about: String,
    /// The whole text.
    pub text: String,
    /// What to try, in order.
    pub steps: Vec<Step>,
}

/// Something to try.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// What, in a few words.
    pub title: String,
    /// Its prose, in the lines that it is written in.
    pub prose: Vec<String>,
    /// What holds once it is done.
    pub goals: Vec<Goal>,
    /// Edits that do it: what stands there, and what stands there then.
    pub answer: Vec<(String, String)>,
}

/// What holds of a figure once a step is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goal {
    /// What it says, with dots where the figure belongs.
    pub says: String,
    /// The expectation.
    pub expects: String,
}

impl Goal {
    /// The goal with the figures that are wanted: where the dots are, or behind it where they stand within.
    pub fn told(&self) -> String {
        let wanted = self.wanted().unwrap_or_default();
        match self.says.strip_suffix("...") {
            Some(says) => format!("{says}{wanted}"),
            None => format!("{}: {wanted}", self.says),
        }
    }

    /// The figures that are wanted: `3 to 5 dB`, `-1 dBTP or less`. None where the expectation is written otherwise.
    pub fn wanted(&self) -> Option<String> {
        let (of, bound) = self.expects.strip_suffix(')')?.rsplit_once(").")?;
        let (kind, numbers) = bound.split_once('(')?;
        let numbers: Option<Vec<f64>> = numbers.split(',').map(|number| number.trim().parse().ok()).collect();
        let figure = Figure::ALL.into_iter().find(|figure| of.rsplit('.').next() == Some(figure.word()))?;
        let unit = if of.contains(" - ") { figure.difference() } else { figure.sign() };
        let shown = |value: f64| ((value * 1000.0).round() / 1000.0).to_string();
        let (wanted, more) = match (kind, &numbers?[..]) {
            ("above", [least]) => (shown(*least), "or more"),
            ("below", [most]) => (shown(*most), "or less"),
            ("within", [middle, off]) => (format!("{} to {}", shown(middle - off), shown(middle + off)), ""),
            _ => return None,
        };
        Some([&wanted, unit, more].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
    }
}

/// A stretch of a lesson's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Prose, line by line; an empty one between paragraphs.
    Prose(Vec<&'a str>),
    /// The session's own lines.
    Code(Vec<&'a str>),
    /// A step, by its place.
    Step(usize),
}

/// What of a lesson's text is read.
#[derive(Clone, Copy, PartialEq)]
enum Reading {
    Text,
    Step,
    Goal,
}

impl Lesson {
    /// Reads the text of a lesson.
    ///
    /// # Errors
    /// It is not written as one: in words, with the line.
    pub fn read(name: &str, text: &str) -> Result<Lesson, String> {
        let wrong = |line: usize, what: &str| format!("{name}.rhai:{}: {what}", line + 1);
        let heading = text.lines().next().and_then(|line| line.strip_prefix("// "));
        let heading = heading.and_then(|line| line.split_once(". ")?.1.split_once(": "));
        let (title, about) = heading.ok_or_else(|| wrong(0, "a lesson begins with `// 1. Title: what about`"))?;
        let (mut steps, mut reading): (Vec<Step>, Reading) = (Vec::new(), Reading::Text);
        for (i, line) in text.lines().enumerate() {
            let Some(said) = line.strip_prefix("//") else {
                reading = Reading::Text;
                continue;
            };
            let said = said.strip_prefix(' ').unwrap_or(said);
            if let Some(title) = said.strip_prefix("Step: ") {
                steps.push(Step { title: title.to_owned(), ..Step::default() });
                reading = Reading::Step;
            } else if let Some(answer) = said.strip_prefix("Answer ") {
                let (number, edit) = edit(answer).ok_or_else(|| wrong(i, "write ``Answer 1: `old` -> `new` ``"))?;
                let step = number.checked_sub(1).and_then(|at| steps.get_mut(at));
                step.ok_or_else(|| wrong(i, "there is no such step"))?.answer.push(edit);
            } else if let (Some(step), true) = (steps.last_mut(), reading != Reading::Text) {
                match (said.strip_prefix("Goal: "), step.goals.last_mut(), reading) {
                    (Some(says), ..) => {
                        step.goals.push(Goal { says: says.to_owned(), expects: String::new() });
                        reading = Reading::Goal;
                    }
                    (None, Some(goal), Reading::Goal) if goal.expects.is_empty() => {
                        said.trim().trim_end_matches(';').clone_into(&mut goal.expects);
                    }
                    (None, _, Reading::Goal) => return Err(wrong(i, "a goal has one line of expectation")),
                    (None, ..) => step.prose.push(said.to_owned()),
                }
            }
        }
        let is_whole = |step: &Step| {
            !step.goals.is_empty() && !step.answer.is_empty() && step.goals.iter().all(|goal| !goal.expects.is_empty())
        };
        if let Some(step) = steps.iter().find(|step| !is_whole(step)) {
            return Err(format!(
                "{name}.rhai: the step \"{}\" wants a goal, its expectation, and an answer",
                step.title
            ));
        }
        let unknown = steps.iter().flat_map(|step| &step.goals).find(|goal| goal.wanted().is_none());
        if let Some(goal) = unknown {
            return Err(format!("{name}.rhai: nobody can tell which figure is wanted by {}", goal.expects));
        }
        let (title, about) = (title.to_owned(), about.to_owned());
        Ok(Lesson { name: name.to_owned(), title, about, text: text.to_owned(), steps })
    }

    /// Its file.
    pub fn file(&self) -> String {
        format!("{}.rhai", self.name)
    }

    /// Its text in stretches, heading and answers aside.
    pub fn parts(&self) -> Vec<Part<'_>> {
        let mut parts: Vec<Part> = Vec::new();
        let (mut steps, mut in_step) = (0, false);
        for line in self.text.lines().skip(1) {
            let prose = line.strip_prefix("//").map(|said| said.strip_prefix(' ').unwrap_or(said));
            let Some(said) = prose else {
                in_step = false;
                match parts.last_mut() {
                    Some(Part::Code(lines)) => lines.push(line),
                    _ if line.is_empty() => {}
                    _ => parts.push(Part::Code(vec![line])),
                }
                continue;
            };
            in_step |= said.starts_with("Step: ");
            match parts.last_mut() {
                _ if said.starts_with("Step: ") => {
                    parts.push(Part::Step(steps));
                    steps += 1;
                }
                _ if in_step || said.starts_with("Answer ") => {}
                Some(Part::Prose(lines)) => lines.push(said),
                _ if said.is_empty() => {}
                _ => parts.push(Part::Prose(vec![said])),
            }
        }
        for part in &mut parts {
            if let Part::Prose(lines) | Part::Code(lines) = part {
                let last = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
                lines.truncate(last);
            }
        }
        parts
    }
}

/// ``2: `old` -> `new` ``.
fn edit(text: &str) -> Option<(usize, (String, String))> {
    let (number, rest) = text.split_once(": `")?;
    let (old, new) = rest.strip_suffix('`')?.split_once("` -> `")?;
    Some((number.parse().ok()?, (old.to_owned(), new.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LESSON: &str = "// 3. Pan: where\n//\n// First.\n// Second.\n\nlet x = 1;\n\n// A remark.\nlet y = 2; // here\n\n\
                          // Step: move it\n// Take it.\n// Goal: it is ... off\n//     expect(master.rms).above(-30);\n\n\
                          // Answer 1: `x = 1` -> `x = 3`\n// Answer 1: `y = 2` -> `y = 4`\n";

    #[test]
    fn a_lesson_is_read_with_its_steps_goals_and_answers() {
        let lesson = Lesson::read("03-pan", LESSON).unwrap();
        assert_eq!((lesson.title.as_str(), lesson.about.as_str()), ("Pan", "where"));
        let goal = Goal { says: "it is ... off".into(), expects: "expect(master.rms).above(-30)".into() };
        let answer = vec![("x = 1".into(), "x = 3".into()), ("y = 2".into(), "y = 4".into())];
        let step = Step { title: "move it".into(), prose: vec!["Take it.".into()], goals: vec![goal], answer };
        assert_eq!(lesson.steps, [step]);
    }

    #[test]
    fn its_parts_are_prose_and_code_and_steps_and_nothing_is_left_out() {
        let lesson = Lesson::read("03-pan", LESSON).unwrap();
        let expected = [
            Part::Prose(vec!["First.", "Second."]),
            Part::Code(vec!["let x = 1;"]),
            Part::Prose(vec!["A remark."]),
            Part::Code(vec!["let y = 2; // here"]),
            Part::Step(0),
        ];
        assert_eq!(lesson.parts(), expected);
    }

    #[test]
    fn a_goal_says_the_figures_that_are_wanted() {
        let told = |says: &str, expects: &str| Goal { says: says.into(), expects: expects.into() }.told();
        let over = "expect(at(\"a>master\").rms - b.rms).within(4, 1.5)";
        assert_eq!(told("a stands ... over b", over), "a stands ... over b: 2.5 to 5.5 dB");
        assert_eq!(told("the peak is at ...", "expect(master.true_peak).below(-1)"), "the peak is at -1 dBTP or less");
        let alike = "expect(master.correlation).within(0, 0.3)";
        assert_eq!(told("alike by ...", alike), "alike by -0.3 to 0.3");
        assert_eq!(told("it has ...", "expect(x.lufs).above(-20)"), "it has -20 LUFS or more");
    }

    #[test]
    fn what_is_not_written_as_a_lesson_is_told_with_its_line() {
        let wrong = |text: &str| Lesson::read("x", text).unwrap_err();
        assert!(wrong("let x = 1;").starts_with("x.rhai:1: a lesson begins with"));
        assert!(wrong("// 1. A: b\n// Answer 1: `a` -> `b`").starts_with("x.rhai:2: there is no such step"));
        assert!(wrong("// 1. A: b\n// Step: c\n// Answer 1: a").starts_with("x.rhai:3: write"));
        assert!(wrong("// 1. A: b\n// Step: c").contains("\"c\" wants a goal"));
        let odd = "// 1. A: b\n// Step: c\n// Goal: d\n//     expect(master.rms);\n// Answer 1: `f` -> `g`";
        assert!(wrong(odd).contains("which figure is wanted by expect(master.rms)"));
        let twice = "// 1. A: b\n// Step: c\n// Goal: d\n//     expect(e);\n//     expect(f);";
        assert!(wrong(twice).starts_with("x.rhai:5: a goal has one line"));
    }
}
