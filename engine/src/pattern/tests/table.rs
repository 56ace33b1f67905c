//! The notation means what the table says.

use super::super::{Changes, Pattern};
use super::{line, pattern, told};

/// Compares the first four cycles of each pattern of a table, which `made` makes of its first columns.
fn agrees(table: &'static str, least: usize, made: impl Fn(&mut std::str::Split<'static, char>) -> (String, Pattern)) {
    let rows: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(rows.len() >= least, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let mut columns = row.split('\t');
        let (text, pattern) = made(&mut columns);
        for cycle in 0..4 {
            let (expected, found) = (columns.next().unwrap(), line(&pattern, cycle));
            if expected != found {
                wrong.push(format!("{text}, cycle {cycle}\n  expected {expected}\n  found    {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cycles are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_notation_means_what_tidal_documents() {
    agrees(include_str!("../table.tsv"), 150, |columns| {
        let text = columns.next().unwrap();
        (text.into(), pattern(text))
    });
}

#[test]
fn methods_do_what_strudel_does() {
    let rev = Changes::record(|p| p.rev()).unwrap();
    let fast = Changes::record(|p| p.fast(2.0)).unwrap();
    agrees(include_str!("../methods.tsv"), 100, |columns| {
        let (text, name) = (columns.next().unwrap(), columns.next().unwrap());
        let p = pattern(text);
        let made = match name {
            "rev" => p.rev(),
            "every3rev" => p.every(3, 0, &rev),
            "every2fast" => p.every(2, 0, &fast),
            "iter4" => p.iter(4),
            "iterback3" => p.iter_back(3),
            "palindrome" => p.palindrome(),
            "ply2" => p.ply(2.0),
            "ply3" => p.ply(3.0),
            "off" => p.off(0.125, &rev),
            "struct" => p.structure(&pattern("t f [t t] <t f>")),
            "mask" => p.mask(&pattern("<t f> [t f]")),
            "segment4" => p.segment(4),
            "euclid" => p.euclid(3.0, 8.0, 0.0),
            "late" => p.shift(0.375),
            "early" => p.shift(-0.25),
            "fast15" => p.fast(1.5),
            "slow3" => p.slow(3.0),
            "fastp" => p.fast(&pattern("<1 2 1.5>")),
            _ => panic!("no method {name}"),
        };
        (format!("{text} {name}"), made.unwrap())
    });
}

/// The examples of <https://tidalcycles.org/docs/reference/mini_notation> with what each is said to be the same as.
#[test]
fn tidals_own_examples_are_what_they_are_said_to_be() {
    for (example, equivalent) in [
        ("[bd sd] hh", "[[bd sd]] [hh]"),
        ("bd sd . hh hh hh", "[bd sd] [hh hh hh]"),
        ("[bd sd, hh hh hh]", "bd sd, hh hh hh"),
        ("bd*2 sd", "[bd bd] sd"),
        ("bd <sd hh cp>", "[bd sd bd hh bd cp]/3"),
        ("bd!3 sd", "bd bd bd sd"),
        ("superpiano@3 superpiano", "superpiano _ _ superpiano"),
        ("bd(3,8)", "bd ~ ~ bd ~ ~ bd ~"),
    ] {
        assert_eq!(told(&pattern(example), 0..6), told(&pattern(equivalent), 0..6), "{example}");
    }
    let slow = pattern("bd").slow(2.0).unwrap();
    assert_eq!(told(&pattern("bd/2"), 0..6), told(&slow, 0..6));
    assert_eq!(line(&pattern("bd _ _ ~ sd _"), 0), "0 1/2 bd, 2/3 1 sd");
}
