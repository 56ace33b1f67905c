//! Lessons as pages to read, in Markdown: prose as text, the session as code, each step under a heading. Put together, the code
//! of a page is the lesson.

use super::lesson::{Lesson, Part, Step};

/// All lessons, one after another, behind a list of them.
pub fn book(lessons: &[Lesson]) -> String {
    let mut text = String::from(
        "# The lessons of gainstage\n\nMade by `gainstage learn --markdown` from the lessons themselves. `gainstage learn` plays \
         them, and tells how far an edit is from what a step wants.\n\n",
    );
    for (number, lesson) in (1..).zip(lessons) {
        text += &format!("{number}. {}: {}\n", lesson.title, lesson.about);
    }
    lessons.iter().for_each(|lesson| text += &format!("\n{}", page(lesson)));
    text
}

/// One lesson.
pub fn page(lesson: &Lesson) -> String {
    let mut text = format!("## {}\n\n*{}*\n", lesson.title, capital(&lesson.about));
    for part in lesson.parts() {
        text.push('\n');
        text += &match part {
            Part::Prose(lines) => lines.join("\n") + "\n",
            Part::Code(lines) => format!("```rhai\n{}\n```\n", lines.join("\n")),
            Part::Step(at) => lesson.steps.get(at).map(step).unwrap_or_default(),
        };
    }
    text += "\n### Answers\n\n";
    for (number, step) in (1..).zip(&lesson.steps) {
        let edits: Vec<String> = step.answer.iter().map(|(old, new)| format!("`{old}` becomes `{new}`")).collect();
        text += &format!("{number}. {}\n", edits.join("; "));
    }
    text
}

fn step(step: &Step) -> String {
    let mut text = format!("### {}\n\n{}\n", capital(&step.title), step.prose.join("\n"));
    for goal in &step.goals {
        text += &format!("\n> Goal: {}. `{}`\n", goal.told(), goal.expects);
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
