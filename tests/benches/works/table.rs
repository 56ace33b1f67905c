//! What is told of a race, for a terminal or for a page.

use std::fs;
use std::process::Command;

use crate::race::Row;

/// When and where.
pub fn head(markdown: bool, turns: usize) {
    let date = Command::new("date")
        .arg("+%F")
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of_one = |name: &str| cpus.lines().find(|line| line.starts_with(name)).and_then(|line| line.split(": ").nth(1));
    let model = of_one("model name").unwrap_or("an unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let date = date.unwrap_or_default();
    println!("{date}, {model}, {cores} cores, {turns} turns: processor time, and how many times ours it is");
    if markdown {
        println!();
    }
}

/// A table of those who ran, and who was left out.
pub fn show(markdown: bool, title: &str, rows: &[Row], left: &[(String, String)]) {
    if markdown {
        println!("| {title} | processor, s | times ours (least to most) | clock, s | memory, MB | unlike ours, dB | |");
        println!("|---|---:|---:|---:|---:|---:|---|");
    } else {
        println!(
            "\n{title:<26} {:>11} {:>24} {:>9} {:>10} {:>9}",
            "processor", "times ours", "clock", "memory", "unlike"
        );
    }
    for Row { name, note, processor, clock, ratios: [least, median, most], memory, unlike } in rows {
        let ratios = format!("{median:.2} ({least:.2} to {most:.2})");
        let unlike = unlike.map(|decibels| format!("{decibels:.2}")).unwrap_or_default();
        if markdown {
            println!("| {name} | {processor:.2} | {ratios} | {clock:.2} | {memory:.0} | {unlike} | {note} |");
        } else {
            let unlike = if unlike.is_empty() { unlike } else { unlike + " dB" };
            println!("{name:<26} {processor:>9.2} s {ratios:>24} {clock:>7.2} s {memory:>7.0} MB {unlike:>9}  {note}");
        }
    }
    if markdown {
        println!();
    }
    for (name, why) in left {
        println!("without {name}: {why}");
    }
    if markdown && !left.is_empty() {
        println!();
    }
}
