//! A second meter: what ffmpeg's `ebur128` reads of real programme, our figures agree with.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{done_in, examples};

/// What ffmpeg reads: integrated loudness, loudness range, true peak; none where it is not installed, which it must be in CI.
fn ffmpeg(folder: &Path, file: &str) -> Option<[f64; 3]> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-nostats", "-hide_banner", "-i", file, "-af", "ebur128=peak=true", "-f", "null", "-"]);
    let ran = match command.current_dir(folder).stdin(Stdio::null()).output() {
        Ok(ran) => ran,
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("ffmpeg cannot be asked: {error}");
            return None;
        }
        Err(error) => panic!("ffmpeg cannot be asked: {error}"),
    };
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    let summary = told.split("Summary:").nth(1).unwrap_or_else(|| panic!("it gives no summary: {told}"));
    let value = |name: &str| {
        let line = summary.lines().find_map(|line| line.trim().strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.unwrap_or_else(|| panic!("{name} is not told: {summary}"))
    };
    Some([value("I:"), value("LRA:"), value("Peak:")])
}

#[test]
fn figures_of_the_examples_agree_with_a_second_meter() {
    let folder = TempDir::new().expect("there is room");
    for example in ["first", "dynamics", "routing"] {
        let session = examples().join(format!("{example}.rhai"));
        let file = format!("{example}.wav");
        done_in(folder.path(), &["render", &session.display().to_string(), "-o", &file, "--length", "12s"]);
        let Some([integrated, range, peak]) = ffmpeg(folder.path(), &file) else { return };
        let ours: Value =
            serde_json::from_str(&done_in(folder.path(), &["measure", "--json", &file]).out).expect("JSON");
        let figure = |name: &str| ours[0][name].as_f64().unwrap_or_else(|| panic!("{name} of {example} is told"));
        // What it tells is rounded to a tenth.
        for (name, theirs, most) in
            [("integrated_lufs", integrated, 0.1), ("loudness_range_lu", range, 0.2), ("true_peak_dbtp", peak, 0.2)]
        {
            let off = figure(name) - theirs;
            assert!(off.abs() <= most, "{name} of {example}: {} and {theirs}", figure(name));
        }
    }
}
