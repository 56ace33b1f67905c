//! The language of gainstage: the text of a session, a Rhai script, evaluated into plain data.
//!
//! ```text
//! text -> grammar (what tokens tell) -> Rhai on the machine -> words write into the desk -> Session
//!                                          any error -> Diagnostic -> report
//! ```
//!
//! The text of a session is its file and the lines that were typed or written since, in order: they are evaluated as one.
//!
//! - `tokens`, `text` and `grammar` read what Rhai does not tell: where arguments begin, where a `;` is missing.
//! - `machine` is the one Rhai engine; every word and setter in it is made from a table: [`words`] here, and the
//!   engine's effects and sources.
//! - `desk` is the session that is being written; `value` what variables hold; `flow`, `place`, `effect`, `control`,
//!   `pattern`, `trace`, `album`, `amend`, `form`, `setup` and `number` what the words do.
//! - [`fold()`] writes the lines into the file.
//! - `errors` turns Rhai's errors into ours, [`report`] shows them.
//!
//! What must hold: evaluation depends on the texts alone, never on a clock or on an order of hashing; it ends within a
//! second whatever the text; it never panics and never prints; any error at all means that there is no session.

mod album;
mod amend;
mod call;
mod company;
mod control;
mod desk;
mod effect;
mod errors;
mod evaluate;
mod expect;
mod flow;
mod fold;
mod form;
mod grammar;
mod import;
mod machine;
mod nested;
mod number;
mod pattern;
mod place;
pub mod report;
mod setup;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod trace;
pub mod typing;
mod value;
pub mod words;

pub use evaluate::{
    Evaluated, SourceFile, evaluate_file, evaluate_file_with, evaluate_kept, evaluate_played, evaluate_text,
    evaluate_text_with, with_room,
};
pub use fold::fold;
pub use words::{WordEntry, reference};
