//! The page: what it is made of, as the program brings it along.

use std::borrow::Cow;

use crate::picture::{self, Theme};

/// Its files: what each is called, of which kind it is, and what is in it.
const FILES: [(&str, &str, &str); 10] = [
    ("", "text/html; charset=utf-8", include_str!("page/page.html")),
    ("page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("page/page.js")),
    ("picture.js", "text/javascript; charset=utf-8", include_str!("page/picture.js")),
    ("lights.js", "text/javascript; charset=utf-8", include_str!("page/lights.js")),
    ("finder.js", "text/javascript; charset=utf-8", include_str!("page/finder.js")),
    ("round.js", "text/javascript; charset=utf-8", include_str!("page/round.js")),
    ("scopes.js", "text/javascript; charset=utf-8", include_str!("page/scopes.js")),
    ("text.js", "text/javascript; charset=utf-8", include_str!("page/text.js")),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// A file by its name: its kind, and what is in it. The colours of the picture are those that it has elsewhere.
pub fn file(name: &str) -> Option<(&'static str, Cow<'static, str>)> {
    let theme = match name {
        "picture.css" => Some(Theme::Light),
        "picture-dark.css" => Some(Theme::Dark),
        _ => None,
    };
    if let Some(theme) = theme {
        return Some(("text/css; charset=utf-8", picture::style(theme).into()));
    }
    FILES.iter().find(|(own, ..)| *own == name).map(|(_, kind, text)| (*kind, (*text).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_no_other_place_and_brings_nothing_that_its_policy_forbids() {
        for (name, _, text) in FILES {
            for forbidden in ["https://", "//cdn", " style=", "onclick=", "onload=", "innerHTML", "eval(", "<script>"] {
                assert!(!text.contains(forbidden), "{name}: {forbidden}");
            }
            let foreign = text.matches("http://").count() - text.matches("http://www.w3.org/2000/svg").count();
            assert_eq!(foreign, 0, "{name}");
        }
    }

    #[test]
    fn what_the_page_asks_for_is_there() {
        let html = file("").expect("there is a page").1;
        let named = html
            .split(['"', '\''])
            .filter(|part| part.ends_with(".js") || part.ends_with(".css") || part.ends_with(".svg"));
        let scripts = FILES.iter().flat_map(|(.., text)| text.split('"').filter(|part| part.starts_with("./")));
        for name in named.chain(scripts.map(|name| &name[2..])) {
            assert!(file(name).is_some(), "{name}");
        }
    }
}
