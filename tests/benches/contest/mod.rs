//! What a contest with other programs needs: sounds, the scripts of each, and how those programs are found and made ready.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

pub mod material;

/// Copies the scripts of a work into a folder, where words between two @ stand for values.
pub fn scripts(work: &str, folder: &Path, values: &[(&str, String)]) {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/works").join(work);
    for file in fs::read_dir(&scripts).expect("they are there").flatten() {
        let mut text = fs::read_to_string(file.path()).expect("it is a text");
        for (name, value) in values {
            text = text.replace(&format!("@{name}@"), value);
        }
        fs::write(folder.join(file.file_name()), text).expect("there is room");
    }
}

/// Copies the scripts of so many strips, and gives the factor of their gain: the sum is about as loud, however many there are.
pub fn strips(folder: &Path, strips: usize, seconds: usize) -> String {
    let gain = -6.0 - 10.0 * (strips as f64).log10();
    let linear = format!("{:.6}", 10_f64.powf(gain / 20.0));
    let values = [
        ("strips", strips.to_string()),
        ("seconds", seconds.to_string()),
        ("gain", format!("{gain:.3}")),
        ("linear", linear.clone()),
    ];
    scripts("strips", folder, &values);
    linear
}

/// Has SuperCollider's language write the score `NAME.osc` that `NAME.scd` makes.
pub fn score(folder: &Path, name: &str) -> Result<(), String> {
    let mut language = Command::new("sclang");
    language.arg(format!("{name}.scd")).current_dir(folder);
    // It wants a screen, and root's browser no sandbox.
    language.envs([("QT_QPA_PLATFORM", "offscreen"), ("QTWEBENGINE_DISABLE_SANDBOX", "1")]);
    done(&mut language)
}

/// Whether a program is installed.
pub fn there(program: &str) -> Result<(), String> {
    let places = std::env::var_os("PATH").unwrap_or_default();
    let found = Path::new(program).exists() || std::env::split_paths(&places).any(|place| place.join(program).exists());
    if found { Ok(()) } else { Err(format!("{program} is not installed")) }
}

/// Runs what must be done before.
pub fn done(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    there(&program)?;
    let output = command.stdin(Stdio::null()).output().map_err(|why| why.to_string())?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if output.status.success() { Ok(()) } else { Err(format!("{program} fails: {}", last_words(&said))) }
}

/// The last lines of what was said.
pub fn last_words(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join(" / ")
}
