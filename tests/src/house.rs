//! The rules of the house that a search through the sources can hold, and those of the tables.

use std::fs;
use std::path::{Path, PathBuf};

use engine::effects::EFFECTS;
use engine::nest;
use engine::parameter::{NAME, Parameter, Table};
use engine::sources::SOURCES;

use crate::sessions::{graph, of_every_word};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The sources of a crate: name from the crate's folder on, and text.
fn files(of: &str) -> Vec<(String, String)> {
    let (top, mut files) = (root().join(of), Vec::new());
    let mut folders = vec![top.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a crate has sources") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&top).unwrap_or(&path).to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path).expect("a text")));
            }
        }
    }
    files.sort();
    assert!(files.len() > 5, "{of}");
    files
}

/// The same without what is compiled for tests alone.
fn code(of: &str) -> Vec<(String, String)> {
    let for_tests = |name: &str| name.ends_with("tests.rs") || name.ends_with("test_signals.rs");
    files(of)
        .into_iter()
        .filter(|(name, _)| !for_tests(name))
        .map(|(name, text)| (name, text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()))
        .collect()
}

/// The lines of code that have a text in them, comments aside, with their files.
fn lines_with(of: &str, wanted: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, text) in code(of) {
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            if wanted.iter().any(|wanted| line.contains(wanted)) {
                found.push((name.clone(), line.trim().to_owned()));
            }
        }
    }
    found
}

fn files_with(of: &str, wanted: &str) -> Vec<String> {
    let mut names: Vec<String> = lines_with(of, &[wanted]).into_iter().map(|(name, _)| name).collect();
    names.dedup();
    names
}

#[test]
fn one_file_knows_the_sound_cards_and_one_the_events_of_files() {
    assert_eq!(files_with("engine", "cpal::"), ["src/device.rs"]);
    assert_eq!(files_with("repl", "notify::"), ["src/watch.rs"]);
    for (of, other) in [("engine", "notify::"), ("scripting", "notify::"), ("scripting", "cpal::"), ("repl", "cpal::")]
    {
        assert_eq!(files_with(of, other), Vec::<String>::new(), "{other} in {of}");
    }
}

#[test]
fn the_arrows_between_the_crates_point_one_way() {
    let manifest = |of: &str| fs::read_to_string(root().join(of).join("Cargo.toml")).expect("a crate has a manifest");
    for word in ["rhai", "scripting", "notify", "clap"] {
        assert!(!manifest("engine").lines().any(|line| line.starts_with(word)), "{word} in the engine's manifest");
    }
    for word in ["repl", "notify", "cpal", "clap"] {
        assert!(!manifest("scripting").lines().any(|line| line.starts_with(word)), "{word} in scripting's manifest");
    }
    assert_eq!(lines_with("engine", &["rhai::", "scripting::"]), []);
}

#[test]
fn engine_and_scripting_print_nothing() {
    for of in ["engine", "scripting"] {
        assert_eq!(lines_with(of, &["println!", "eprintln!", "print!(", "dbg!"]), [], "{of}");
    }
}

#[test]
fn functions_of_analysis_come_from_one_module() {
    let platform = [
        "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "exp", "exp2", "exp_m1", "ln",
        "ln_1p", "log", "log2", "log10", "powf", "powi", "cbrt", "hypot", "mul_add", "sin_cos",
    ];
    for (name, line) in lines_with("engine", &["."]) {
        let called = platform.iter().find(|function| {
            [format!(".{function}("), format!("f64::{function}("), format!("f32::{function}(")]
                .iter()
                .any(|call| line.contains(call))
        });
        assert!(name == "src/math.rs" || called.is_none(), "{name}: {line}");
    }
}

#[test]
fn unsafe_code_is_in_one_file() {
    for of in ["engine", "scripting", "repl", "tests"] {
        for (name, line) in lines_with(of, &["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe_code"]) {
            let quoted = name == "src/house.rs";
            assert!(quoted || (of, name.as_str()) == ("engine", "src/denormals.rs"), "{of}/{name}: {line}");
        }
    }
}

/// The functions of a file whose documentation ends with `RT.`, from their first line to their last.
fn real_time_functions(text: &str) -> Vec<String> {
    let mut functions = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let documented = line.trim_start().starts_with("///") && line.trim_end().ends_with("RT.");
        if !documented || line.contains("Not RT.") || line.trim() == "/// Not RT." {
            continue;
        }
        let Some(first) = lines.find(|line| !line.trim_start().starts_with(['/', '#'])) else { break };
        let indent = first.len() - first.trim_start().len();
        let mut function = first.to_owned();
        let ends = |line: &str| line.trim_end().ends_with('}') || line.trim_end().ends_with(';');
        if !ends(first) || first.trim_end().ends_with('{') {
            for line in lines.by_ref() {
                function.push('\n');
                function.push_str(line);
                if line.len() - line.trim_start().len() == indent && line.trim_start().starts_with('}') {
                    break;
                }
            }
        }
        functions.push(function);
    }
    functions
}

#[test]
fn what_runs_on_the_audio_thread_takes_no_memory_no_lock_and_says_nothing() {
    let forbidden = [
        "Vec::new",
        "Vec::with_capacity",
        "vec![",
        "Box::new",
        "Arc::new",
        "String::",
        "format!",
        "to_owned()",
        "to_string()",
        "to_vec()",
        ".collect",
        ".lock()",
        "println!",
        "thread::sleep",
        "panic!",
        "unwrap()",
        ".expect(",
        "unreachable!",
        "fs::",
        "Instant::now",
    ];
    let mut seen = 0;
    for (name, text) in code("engine") {
        // What is marked so, and every kernel's work.
        let kernels =
            text.split("impl Kernel for").skip(1).map(|rest| rest.split("\n}\n").next().unwrap_or(rest).to_owned());
        for function in real_time_functions(&text).into_iter().chain(kernels) {
            seen += 1;
            for line in function.lines().filter(|line| !line.trim_start().starts_with("//")) {
                let found = forbidden.iter().find(|word| line.contains(*word));
                // The load of a callback, and the costs of works, are what they measure.
                let measures = ["src/playback.rs", "src/costs.rs"].contains(&name.as_str());
                let measured = measures && found == Some(&"Instant::now");
                assert!(found.is_none() || measured, "{name}: {}", line.trim());
            }
        }
    }
    assert!(seen > 80, "{seen} functions were looked at");
}

#[test]
fn files_are_short_enough_to_be_read() {
    for of in ["engine", "scripting", "repl", "tests"] {
        for (name, text) in code(of) {
            let lines = text.lines().count();
            assert!(lines <= 600, "{of}/{name} has {lines} lines besides its tests");
        }
    }
}

#[test]
fn every_module_says_first_what_it_is_for() {
    for of in ["engine", "scripting", "repl", "tests"] {
        for (name, text) in files(of) {
            assert!(text.starts_with("//! ") && text.len() > 10, "{of}/{name}");
        }
    }
}

#[test]
fn nothing_is_left_to_be_done_later() {
    for of in ["engine", "scripting", "repl"] {
        for (name, text) in files(of) {
            let found =
                ["TODO", "FIXME", "XXX", "todo!(", "unimplemented!("].into_iter().find(|word| text.contains(word));
            assert_eq!(found, None, "{of}/{name}");
        }
    }
}

fn parameters(table: &'static Table) -> impl Iterator<Item = &'static Parameter> {
    table.parameters.iter().chain(table.parts.iter().flat_map(|part| part.parameters))
}

#[test]
fn tables_explain_every_parameter_once_and_their_arguments_name_some() {
    for table in EFFECTS.iter().chain(SOURCES.iter()) {
        assert!(table.summary.ends_with('.') && !table.example.is_empty(), "{}", table.word);
        for parameter in parameters(table) {
            assert!(!parameter.help.is_empty(), "{}.{}", table.word, parameter.name);
        }
        for lists in [table.parameters].into_iter().chain(table.parts.iter().map(|part| part.parameters)) {
            let mut names: Vec<&str> = lists.iter().map(|parameter| parameter.name).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{}: {names:?}", table.word);
        }
        // Those of an effect that others stand in may be these others.
        let nested = nest::of(table).is_some_and(|nest| nest.names.len() == table.arguments.len());
        for argument in table.arguments.iter().filter(|argument| !nested && **argument != NAME) {
            assert!(table.index(argument).is_some(), "{} has no parameter `{argument}`", table.word);
        }
    }
}

#[test]
fn no_word_is_both_an_effect_and_a_source() {
    let mut words: Vec<&str> = EFFECTS.iter().chain(SOURCES.iter()).map(|table| table.word).collect();
    words.sort_unstable();
    assert!(words.windows(2).all(|pair| pair[0] != pair[1]), "{words:?}");
}

#[test]
fn every_example_of_a_table_is_right_as_it_stands() {
    for (word, text) in of_every_word("") {
        let sounds = graph(&text).nodes.iter().any(|node| node.path.contains(&word) || node.path == "s");
        assert!(sounds, "{word}: {text}");
    }
}
