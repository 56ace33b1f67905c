//! `gainstage words`: the reference, from the tables. As a list, as one word in full, for programs, and as a page.

use std::io::{self, Write};

use scripting::words::suggest;
use scripting::words::{Cost, Group, ParameterEntry, WordEntry, reference};

use crate::arguments::Words;
use crate::ending::{Failure, Outcome};
use crate::paint::Paint;
use crate::portrait;
use crate::prompt::COMMANDS;

/// Signatures longer than this do not push the summaries of all others to the right.
const WIDEST: usize = 32;

/// What every effect takes beside its own parameters.
const OF_EVERY_EFFECT: &str = "Each effect also takes `.mix(percent)`, `.bypass(on)` and `.named(name)`.";

/// The heading over the commands of the prompt.
const AT_THE_PROMPT: &str = "At the prompt";

/// Prints the words, or the one that is asked for.
pub fn run(arguments: &Words) -> Outcome {
    let word = arguments.word.as_deref();
    if let (Some(said), Some(file)) = (word, &arguments.plot) {
        if said.chars().all(|c| c.is_alphanumeric() || c == '_') {
            named(reference(), said).map_err(Failure::Error)?;
        }
        let file = file.clone().unwrap_or_else(|| portrait::usual_file(said));
        return portrait::draw(said, &file, arguments.theme.into());
    }
    let words = match word {
        None => reference(),
        Some(name) => named(reference(), name).map_err(Failure::Error)?,
    };
    let mut out = io::stdout().lock();
    let text = if arguments.json {
        serde_json::to_string_pretty(&words).map_err(io::Error::from)? + "\n"
    } else if arguments.markdown {
        page(&words, word.is_none())
    } else {
        shown(word, Paint::stdout()).map_err(Failure::Error)?
    };
    Ok(out.write_all(text.as_bytes())?)
}

/// The reference as a person reads it: all words in a line each, or one in full.
///
/// # Errors
/// There is no such word: with the nearest one.
pub fn shown(word: Option<&str>, paint: Paint) -> Result<String, String> {
    let Some(name) = word else { return Ok(list(&reference(), paint)) };
    let words = named(reference(), name)?;
    Ok(words.iter().map(|word| in_full(word, paint)).collect::<Vec<_>>().join("\n") + also(&words).as_str())
}

/// The words of a name, or of a setter's or part's name the words that have it.
fn named(all: Vec<WordEntry>, name: &str) -> Result<Vec<WordEntry>, String> {
    let sought = name.trim_start_matches('.');
    let found: Vec<WordEntry> = all.iter().filter(|entry| entry.word == sought).cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let owners = owners(&all, sought);
    let help = if owners.is_empty() {
        suggest(sought, all.iter().map(|entry| entry.word.as_str()))
            .unwrap_or_else(|| "`gainstage words` lists them all".into())
    } else {
        format!("`.{sought}` belongs to {}", owners.join(", "))
    };
    Err(format!("there is no word `{sought}`; {help}"))
}

/// The words on whose effects or sources a method can be called.
fn owners<'a>(all: &'a [WordEntry], method: &str) -> Vec<&'a str> {
    all.iter().filter(|entry| methods(entry).any(|own| own == method)).map(|entry| entry.word.as_str()).collect()
}

/// What else is called like a word: the methods of others.
fn also(words: &[WordEntry]) -> String {
    let Some(WordEntry { word, .. }) = words.first() else { return String::new() };
    let all = reference();
    let mut owners = owners(&all, word);
    owners.retain(|owner| owner != word);
    match owners.is_empty() {
        true => String::new(),
        false => format!("\n`.{word}` is also said of {}.\n", owners.join(", ")),
    }
}

/// What can be called on an effect or source: its setters and parts.
pub fn methods(entry: &WordEntry) -> impl Iterator<Item = &str> {
    let parts = entry.parts.iter().filter_map(|part| part.signature.strip_prefix('.')?.split('(').next());
    entry.parameters.iter().map(|parameter| parameter.name.as_str()).chain(parts)
}

/// The groups in order, each with its words.
fn groups(words: &[WordEntry]) -> impl Iterator<Item = (Group, &[WordEntry])> {
    words.chunk_by(|a, b| a.group == b.group).filter_map(|chunk| Some((chunk.first()?.group, chunk)))
}

fn title(group: Group) -> &'static str {
    match group {
        Group::Session => "The session",
        Group::Places => "Places",
        Group::Flow => "Flow",
        Group::Changes => "Changes to what is declared",
        Group::Figures => "Figures, for `expect`",
        Group::Sources => "Sources",
        Group::Effects => "Effects",
        Group::Patterns => "Patterns",
        Group::Variations => "What can be done to patterns",
        Group::Circuits => "Voices and effects of your own",
        Group::Controls => "Controls of any parameter",
        Group::Methods => "Of every effect",
        Group::Quantities => "Quantities",
        Group::Numbers => "Numbers",
    }
}

fn list(words: &[WordEntry], paint: Paint) -> String {
    let mut text = String::new();
    for (group, words) in groups(words) {
        let gap = if text.is_empty() { "" } else { "\n" };
        text += &format!("{gap}{}\n", paint.bold(title(group)));
        let width =
            words.iter().map(|word| length(&word.signature)).filter(|&width| width <= WIDEST).max().unwrap_or(0);
        for word in words {
            text += &format!("  {}  {}\n", padded(&word.signature, width), paint.dim(&word.summary));
        }
    }
    text += "\n`gainstage words WORD` shows one in full.\n";
    text
}

fn in_full(word: &WordEntry, paint: Paint) -> String {
    let mut text = format!("{}\n{}\n", paint.bold(&word.signature), word.summary);
    text += &rows(&word.parameters, "  ", paint);
    for part in &word.parts {
        text += &format!("\n  {}  {}\n", paint.bold(&part.signature), part.summary);
        text += &rows(&part.parameters, "    ", paint);
    }
    if word.group == Group::Effects {
        text += &format!("\n{}\n", OF_EVERY_EFFECT.replace('`', ""));
        text += &word.cost.as_ref().map_or_else(String::new, |cost| cost_line(cost).replace('`', "") + "\n");
    }
    text += &format!("\n  {}\n", word.example);
    text
}

/// What an effect costs.
fn cost_line(cost: &Cost) -> String {
    format!(
        "Costs {} times a `high_pass`: {} % of a core for one channel where it was measured.",
        cost.ratio, cost.percent
    )
}

/// A line for each parameter: name, what it takes, default, help.
fn rows(parameters: &[ParameterEntry], indent: &str, paint: Paint) -> String {
    let width = |of: fn(&ParameterEntry) -> &str| parameters.iter().map(|p| length(of(p))).max().unwrap_or(0);
    let (names, takes) = (width(|p| &p.name), width(|p| &p.takes).min(WIDEST));
    let defaults = width(default);
    let mut text = String::new();
    for p in parameters {
        let fixed = if p.fixed { paint.dim(" (fixed)") } else { String::new() };
        text += &format!(
            "{indent}{}  {}  {}  {}{fixed}\n",
            padded(&p.name, names),
            padded(&p.takes, takes),
            padded(default(p), defaults),
            p.help,
        );
    }
    text
}

fn default(parameter: &ParameterEntry) -> &str {
    parameter.default.as_deref().unwrap_or("-")
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn padded(text: &str, width: usize) -> String {
    format!("{text:width$}")
}

/// The reference page: of some words, or as a whole, with what it holds and the commands of the prompt.
fn page(words: &[WordEntry], whole: bool) -> String {
    let mut text = String::from(
        "# The words of gainstage\n\nMade by `gainstage words --markdown` from the tables that the program itself reads.\n\
         A bare number is in the parameter's own unit; *fixed* parameters are crossfaded when they change.\n",
    );
    if whole {
        text.push('\n');
        for title in groups(words).map(|(group, _)| title(group)).chain([AT_THE_PROMPT]) {
            text += &format!("- [{}](#{})\n", title.replace('`', ""), anchor(title));
        }
    }
    for (group, words) in groups(words) {
        text += &format!("\n## {}\n\n", title(group));
        let tall = words.iter().any(|word| !word.parameters.is_empty() || !word.parts.is_empty());
        if !tall {
            text += "| word | meaning | example |\n|---|---|---|\n";
            for word in words {
                let (signature, example) = (code_cell(&word.signature), code_cell(&word.example));
                text += &format!("| {signature} | {} | {example} |\n", cell(&word.summary));
            }
            continue;
        }
        if group == Group::Effects {
            text += &format!("{OF_EVERY_EFFECT}\n\n");
        }
        for word in words {
            text += &format!("### `{}`\n\n{}\n", word.signature, prose(&word.summary));
            text += &format!("\n```rhai\n{}\n```\n", word.example);
            text += &table(&word.parameters);
            if let Some(cost) = &word.cost {
                text += &format!("\n{}\n", cost_line(cost));
            }
            for part in &word.parts {
                text += &format!("\n`{}` {}\n", part.signature, prose(&part.summary));
                text += &table(&part.parameters);
            }
            text += "\n";
        }
    }
    if whole {
        text += &format!("\n## {AT_THE_PROMPT}\n\n| command | what it does |\n|---|---|\n");
        for entry in COMMANDS {
            text += &format!("| {} | {} |\n", code_cell(entry.signature), cell(entry.summary));
        }
    }
    text
}

/// How a heading is linked to: its letters and digits in small, with `-` between words.
fn anchor(title: &str) -> String {
    let letters = title.chars().filter(|c| c.is_alphanumeric() || *c == ' ');
    letters.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn table(parameters: &[ParameterEntry]) -> String {
    if parameters.is_empty() {
        return String::new();
    }
    let mut text = String::from("\n| parameter | takes | default | |\n|---|---|---|---|\n");
    for p in parameters {
        let fixed = if p.fixed { " *Fixed.*" } else { "" };
        text += &format!("| `{}` | {} | {} | {}{fixed} |\n", p.name, cell(&p.takes), cell(default(p)), cell(&p.help));
    }
    text
}

/// Text in Markdown: what stands between backticks is as it is.
fn prose(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let escaped = pieces.map(|(i, piece)| if i % 2 == 0 { piece.replace('<', "&lt;") } else { piece.to_owned() });
    escaped.collect::<Vec<_>>().join("`")
}

/// Text within a table of Markdown, where a bar is escaped in code as well.
fn cell(text: &str) -> String {
    prose(text).replace('|', "\\|")
}

/// Code within a table of Markdown.
fn code_cell(text: &str) -> String {
    cell(&format!("`{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Paint {
        // Tests write to no terminal.
        Paint::stdout()
    }

    #[test]
    fn every_word_has_one_line_under_its_group() {
        let words = reference();
        let list = list(&words, plain());
        for word in &words {
            let lines = list.lines().filter(|l| l.contains(&word.summary) && l.trim().starts_with(&word.signature));
            assert_eq!(lines.count(), 1, "{}", word.word);
        }
        assert!(list.starts_with("The session\n"));
    }

    #[test]
    fn a_word_in_full_shows_unit_range_default_help_and_example() {
        let fader = named(reference(), "fader").unwrap();
        let text = in_full(&fader[0], plain());
        let gain = text.lines().find(|line| line.trim().starts_with("gain")).unwrap();
        for expected in ["-120 to 24 dB, or off", "0 dB", "level; off is silence"] {
            assert!(gain.contains(expected), "{gain}");
        }
        assert!(text.ends_with("  x >> fader(-6)\n"), "{text}");
    }

    #[test]
    fn an_unknown_word_suggests_the_nearest() {
        assert_eq!(named(reference(), "fadre").unwrap_err(), "there is no word `fadre`; did you mean `fader`?");
        assert!(named(reference(), "xylophone").unwrap_err().contains("lists them all"));
    }

    #[test]
    fn a_setters_name_leads_to_its_words() {
        let groups = named(reference(), ".gain").map(|words| words.iter().map(|word| word.group).collect());
        assert_eq!(groups, Ok(vec![Group::Effects, Group::Circuits]), "words of that name come first");
    }

    #[test]
    fn a_word_that_is_also_a_method_says_of_what() {
        let on = named(reference(), "on").expect("it is a word");
        assert_eq!(also(&on), "\n`.on` is also said of eq.\n");
        assert_eq!(also(&named(reference(), "tempo").expect("it is a word")), "");
    }

    #[test]
    fn the_page_has_a_heading_for_every_effect_and_whole_tables() {
        let words = reference();
        let page = page(&words, true);
        for word in &words {
            let (heading, row) = (format!("### `{}`", word.signature), format!("| {} |", code_cell(&word.signature)));
            assert!(page.contains(&heading) || page.contains(&row), "{}", word.word);
            let (example, row) = (format!("```rhai\n{}\n```", word.example), code_cell(&word.example));
            assert!(page.contains(&example) || page.contains(&row), "{}", word.word);
            for parameter in &word.parameters {
                assert!(
                    page.contains(&format!("| `{}` | {} |", parameter.name, cell(&parameter.takes))),
                    "{}",
                    word.word
                );
            }
        }
        let headings: Vec<String> = page.lines().filter_map(|line| line.strip_prefix("## ")).map(anchor).collect();
        let links = page.lines().filter(|line| line.starts_with("- [")).filter_map(|line| line.split("](#").nth(1));
        assert_eq!(links.map(|link| link.trim_end_matches(')').to_owned()).collect::<Vec<_>>(), headings);
        assert!(COMMANDS.iter().all(|entry| page.contains(&code_cell(entry.signature))));
        for line in page.lines().filter(|line| line.starts_with('|')) {
            let bars = line.replace("\\|", "").matches('|').count();
            assert!((3..=5).contains(&bars), "{line}");
        }
    }
}
