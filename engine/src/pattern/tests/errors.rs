//! What is refused, and how.

use super::super::*;

#[test]
fn what_cannot_be_read_is_told_with_its_place_and_a_way_out() {
    for (text, column, message, help) in [
        ("", 0, "empty", "`~`"),
        ("   ", 0, "empty", "`~`"),
        ("bd [sn hh", 3, "never closed", "`]`"),
        ("bd <sn [hh>", 10, "expected `]`, not `>`", "column 8"),
        ("bd sn]", 5, "closes nothing", ""),
        ("bd)", 2, "closes nothing", ""),
        ("bd []", 3, "nothing stands", "`~`"),
        ("<>", 0, "nothing stands", "`~`"),
        ("bd*", 3, "`*` wants a number", "`bd*2`"),
        ("bd*x", 3, "`*` wants a number", "`bd*2`"),
        ("bd/0", 3, "above 0", "`bd/2`"),
        ("bd*-1", 3, "not below 0", "`.rev()`"),
        ("bd*<2 x>", 6, "`x` has no place", ""),
        ("bd/<2 0>", 6, "above 0", ""),
        ("bd * 2", 3, "`*` has no place", "right behind"),
        ("_ bd", 0, "nothing does", ""),
        ("! bd", 0, "nothing does", ""),
        ("@3 bd", 0, "nothing does", ""),
        ("bd !3", 3, "stand apart", "`a!3`"),
        ("bd @3", 3, "stands apart", "`a@3`"),
        ("bd@0 sn", 3, "above 0", "`bd@2`"),
        ("bd!1.5", 3, "whole number", ""),
        ("bd?2", 3, "from 0 to 1", "`bd?0.3`"),
        ("bd(3)", 2, "beats, steps", "`bd(3,8)`"),
        ("bd(3,8,1,2)", 2, "not 4 numbers", "`bd(3,8)`"),
        ("bd(3,)", 5, "missing", "`bd(3,8)`"),
        ("bd(3,8", 2, "never closed", ""),
        ("bd(x,8)", 3, "`x` is no whole number", ""),
        ("bd(2.5,8)", 3, "no whole number", ""),
        ("bd(9,8)", 3, "at most 8 beats, not 9", "beats, then steps"),
        ("bd(3,<8 0>)", 8, "from 1 to 256", ""),
        ("bd (3,8)", 3, "no place", "without a blank"),
        ("bd:x", 3, "`:` wants the number", "`bd:3`"),
        ("c'maj:1", 0, "a word, whose sample `:`", ""),
        ("-3dB 2", 0, "`-3dB` is no number", "without a unit"),
        ("1.2.3", 0, "no number", "`0.5`"),
        ("2. 3", 0, "no number", "`0.5`"),
        ("a.b", 1, "stands alone", "`a b . c d`"),
        ("a . . b", 4, "nothing stands", "`~`"),
        (". a", 0, "nothing stands", "`~`"),
        ("a .", 2, "nothing stands", "`~`"),
        ("a .. b", 2, "between two numbers", "`0 .. 3`"),
        ("0 .. 3*2", 5, "between two numbers", "`[0 .. 3]*2`"),
        ("0.5 .. 3", 4, "whole number", ""),
        ("<a | b>", 3, "no place in `<`", "`[a|b]`"),
        ("[a | b, c]", 6, "not clear", "`[a|b]`"),
        ("a,,b", 1, "nothing stands beside", "`~`"),
        ("a|", 1, "nothing stands beside", "`~`"),
        ("{a b}%", 6, "above 0", "`{a b c}%4`"),
        ("bd%4", 2, "no place", "behind `}`"),
        ("c'majj", 2, "nearest is `maj`", ""),
        ("bd'maj", 0, "no note", "`c4'maj`"),
        ("c'maj'x", 5, "says nothing", "`'i` inverted"),
        ("#4", 0, "no place", "`c#4`"),
        ("bd $ sn", 3, "`$` has no place", ""),
        ("é♭", 1, "no place", ""),
        ("99999999999", 0, "beyond", ""),
    ] {
        let error = Pattern::parse(text, 3).expect_err(text);
        assert_eq!(error.at.begin, column, "{text}: {error}");
        assert_eq!(error.at.origin, 3, "{text}: {error}");
        assert!(error.message.contains(message), "{text}: {error}");
        assert!(error.help.as_deref().unwrap_or("").contains(help), "{text}: {error}");
    }
}

#[test]
fn what_is_too_much_is_refused_with_a_figure() {
    for (text, figure) in [
        ("bd*1000000", "about 1000000 values in a cycle, and at most 4096"),
        ("[bd*1000 sn*1000]*500", "about 1000000 values"),
        ("[[bd*1000]*1000]*1000", "about 1000000000 values"),
        ("bd*<2 9000>", "about 9000 values"),
        ("[~ ~]*1000000", "65536 steps"),
        ("bd(0,8)*1000000000", "65536 steps"),
        ("{bd?1}%4000!1000", "about 4000000 values"),
        ("~*999999999 [bd? | sn]*999999999", "about 999999999 values"),
        ("bd!9000", "more than 8192 parts"),
        ("0 .. 100000", "more than 8192 parts"),
        ("[[bd!1000]!1000]!1000", "more than 8192 parts"),
        (&"bd ".repeat(50_000), "more than 8192 parts"),
        (&"[".repeat(100_000), "more than 24 deep"),
        (&format!("bd{}", "*1.001".repeat(90)), "too fine"),
        (&format!("bd{}", "*<1 2>".repeat(2000)), "more than 100 groups"),
    ] {
        let error = Pattern::parse(text, 0).expect_err(&text[..text.len().min(40)]);
        assert!(error.message.contains(figure), "{}: {error}", &text[..text.len().min(40)]);
    }
    let mut pattern = Pattern::parse("bd*4000", 0).unwrap();
    assert_eq!(pattern.onsets(0, 5).unwrap().len(), 4000);
    pattern = Pattern::parse("bd*1000000", 0).unwrap_or_else(|_| Pattern::parse("bd/1000000", 0).unwrap());
    assert_eq!(pattern.onsets(0, 1_000_000).unwrap().len(), 1);
}

#[test]
fn what_is_rarely_too_much_is_refused_when_it_comes() {
    let pattern = Pattern::parse("<bd!20 bd*5000>", 0).unwrap();
    assert_eq!(pattern.onsets(0, 19).unwrap().len(), 1);
    assert!(pattern.onsets(0, 20).unwrap_err().message.contains("at most 4096"));
    assert_eq!(pattern.onsets(0, 21).unwrap().len(), 1);
}

#[test]
fn times_out_of_reach_are_refused() {
    let pattern = Pattern::parse("<a b>/7", 0).unwrap();
    assert!(pattern.query(0, Ratio::ZERO, Ratio::whole(5000)).is_err());
    assert!(pattern.query(0, Ratio::whole(i64::MAX - 1), Ratio::whole(i64::MAX)).is_err());
    assert!(pattern.query(0, Ratio::whole(-i64::MAX), Ratio::whole(0)).is_err());
    assert_eq!(pattern.query(0, Ratio::ONE, Ratio::ZERO).unwrap(), []);
}

#[test]
fn random_texts_neither_panic_nor_hang() {
    let letters: Vec<char> = "abcdes 0123456789.~-_@!?*/:,|[]<>{}()%'#+é\t ".chars().collect();
    let words = [
        "bd",
        "[",
        "]",
        "<",
        ">",
        "{",
        "}",
        "(3,8)",
        "*2",
        "/3",
        "!",
        "?",
        "@2",
        " ",
        " . ",
        "..",
        ":1",
        "%4",
        ",",
        "|",
        "c'maj",
        "*<",
        "999999999",
        "0.001",
    ];
    let mut read = 0;
    for seed in 0..20_000u64 {
        let mut maker = super::Maker::new(seed, true);
        let count = 1 + maker.below(24);
        let text: String = if seed % 2 == 0 {
            (0..count).map(|_| letters[maker.below(letters.len())]).collect()
        } else {
            (0..count).map(|_| maker.one(&words)).collect()
        };
        match Pattern::parse(&text, 0) {
            Ok(pattern) => {
                read += 1;
                let _ = pattern.query(seed, Ratio::whole(-3), Ratio::whole(2));
            }
            Err(error) => {
                assert!(error.at.begin as usize <= text.chars().count() && !error.message.is_empty(), "{text}")
            }
        }
    }
    assert!(read > 400, "{read} of the texts are patterns");
}

#[test]
fn what_is_nested_deepest_fits_on_a_small_stack() {
    let groups = format!("{}bd(3,8)*2{}", "[~ <".repeat(12), ">]".repeat(12));
    let mut pattern = Pattern::parse(&groups, 0).unwrap();
    while let Ok(next) = pattern.clone().every(1, 0, &Changes::record(|p| p.rev()).unwrap()) {
        pattern = next;
    }
    let asked = move || pattern.onsets(0, 3).map(|events| events.len());
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(asked).unwrap();
    assert!(thread.join().unwrap().is_ok());
}
