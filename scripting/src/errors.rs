//! Rhai's errors in our words: each says what is wrong, where, what was expected, and the nearest name.

use engine::diagnostic::{Diagnostic, Position};
use engine::figure::Figure;
use engine::units::Unit;
use rhai::{EvalAltResult, LexError, ParseErrorType};

use crate::call::Told;
use crate::desk::Desk;
use crate::effect;
use crate::grammar;
use crate::machine::{MOST_CHARACTERS, MOST_ELEMENTS, OutOfTime};
use crate::text::Text;
use crate::words;

/// What stands for sound while a function is traced.
const TRACED: &str = "signal of a voice or a dsp";

/// Tells an error that Rhai ended with; `ran` is the file that it ran, or the place in it, for errors without one.
pub fn tell(desk: &mut Desk, error: &EvalAltResult, ran: Position) {
    let (mut error, mut file) = (error, ran.file);
    let mut callers = Vec::new();
    loop {
        match error {
            EvalAltResult::ErrorInFunctionCall(_, source, inner, at) => {
                callers.push(desk.place(file, *at));
                file = source.parse().unwrap_or(file);
                error = inner;
            }
            EvalAltResult::ErrorInModule(_, inner, _) => error = inner,
            _ => break,
        }
    }
    let told = matches!(error, EvalAltResult::ErrorTerminated(mark, _) if mark.is::<Told>());
    if told {
        let at = desk.place(file, error.position());
        if let Some(last) = desk.diagnostics.last_mut()
            && at.line > 0
            && (last.at.file, last.at.line) != (at.file, at.line)
            && last.also.is_empty()
        {
            last.also.push((at, "called from here".into()));
        }
        return;
    }
    let known = Some(desk.place(file, error.position())).filter(|at| at.line > 0);
    // The only one that Rhai gives no place.
    let races = matches!(error, EvalAltResult::ErrorDataRace(..));
    let searched = || desk.file(Position { file, ..ran }).given_to_itself().filter(|_| races);
    let at = known.or_else(searched).unwrap_or(ran);
    let text = desk.file(at);
    let mut diagnostic = explain(desk, text, error, at);
    for caller in callers.into_iter().rev().take(3) {
        diagnostic.also.push((caller, "called from here".into()));
    }
    desk.tell(diagnostic);
}

fn explain(desk: &Desk, text: &Text, error: &EvalAltResult, at: Position) -> Diagnostic {
    use EvalAltResult as E;
    let plain = |code, message: &str| Diagnostic::error(code, at, message);
    match error {
        E::ErrorParsing(kind, _) => parse(desk, text, kind, at),
        E::ErrorVariableNotFound(name, _) => unknown(desk, text, name, at),
        E::ErrorFunctionNotFound(signature, _) => unknown_function(desk, text, signature, at),
        E::ErrorDotExpr(said, _) => property(text, said, at),
        E::ErrorPropertyNotFound(name, _) => plain("unknown-word", &format!("there is no `{name}` in this map")),
        E::ErrorIndexingType(..) | E::ErrorIndexNotFound(..) => {
            plain("wrong-type", "this cannot be indexed with `[ ]`").help("only lists, maps and texts can")
        }
        E::ErrorModuleNotFound(name, _) => unknown_import(text, name, at),
        E::ErrorArrayBounds(length, index, _) => {
            plain("out-of-range", &format!("a list of {length} has no element {index}")).help("elements count from 0")
        }
        E::ErrorStringBounds(length, index, _) => {
            plain("out-of-range", &format!("a text of {length} characters has no character {index}"))
        }
        E::ErrorBitFieldBounds(..) => plain("out-of-range", "a number has no such bit"),
        E::ErrorFor(_) => plain("wrong-type", "`for` cannot go through this")
            .help("it goes through lists and ranges: `for i in 0..4`"),
        E::ErrorArithmetic(..) => {
            plain("not-finite", "this number cannot be worked out: too large, or a division by zero")
        }
        E::ErrorMismatchDataType(_, found, _) if type_name(found) == TRACED => plain(
            "bad-circuit",
            "what a signal is will be known only when it sounds: nothing can be decided by it here",
        )
        .help("write `select(condition, a, b)` for an `if`, and `and(a, b)`, `or(a, b)` for `&&`, `||`"),
        E::ErrorMismatchDataType(wanted, found, _) | E::ErrorMismatchOutputType(wanted, found, _) => {
            plain("wrong-type", &format!("expected {}, found {}", type_name(wanted), type_name(found)))
        }
        E::ErrorAssignmentToConstant(name, _) => {
            plain("constant", &format!("`{name}` is a constant and cannot be given another value"))
        }
        E::ErrorNonPureMethodCallOnConstant(..) => plain("constant", "a constant cannot be changed"),
        E::ErrorVariableExists(name, _) | E::ErrorForbiddenVariable(name, _) => {
            plain("word-redefined", &format!("`{name}` cannot be the name of a variable here"))
        }
        E::ErrorUnboundThis(_) => {
            plain("unknown-word", "there is no `this` here").help("`this` exists in methods alone")
        }
        E::ErrorDataRace(..) => plain("wrong-type", "a value cannot be given to itself")
            .help("within the function use what it is given, not the name outside: `p.every(2, |x| x.rev())`"),
        E::ErrorRuntime(value, _) => plain("thrown", &thrown(value)).help("the text itself throws this"),
        E::ErrorTerminated(mark, _) if mark.is::<OutOfTime>() => endless(at),
        E::ErrorTooManyOperations(_) => endless(at),
        E::ErrorStackOverflow(_) => plain("too-deep", "functions call each other too deep")
            .help("a function that calls itself has to end some time"),
        E::ErrorDataTooLarge(what, _) => plain("too-large", &format!("this makes a {} too large", type_name(what)))
            .help(format!("a list has at most {MOST_ELEMENTS} elements, a text {MOST_CHARACTERS} characters")),
        E::ErrorTooManyVariables(_) => plain("too-large", "there are too many variables"),
        E::ErrorTooManyModules(_) => plain("too-large", "there are too many imports"),
        E::LoopBreak(..) => plain("syntax", "this stands in a loop only"),
        E::ErrorInFunctionCall(_, _, inner, _) | E::ErrorInModule(_, inner, _) => explain(desk, text, inner, at),
        _ => plain("syntax", "this cannot be evaluated"),
    }
}

fn endless(at: Position) -> Diagnostic {
    Diagnostic::error("endless", at, "the session does not come to an end: it was stopped here")
        .help("a session declares sound in a moment; look for a loop that never ends")
}

fn thrown(value: &rhai::Dynamic) -> String {
    if value.is_unit() { "the session stops here by itself".into() } else { value.to_string() }
}

fn type_name(name: &str) -> &str {
    match name {
        "i64" | "f64" | "INT" | "FLOAT" => "number",
        "string" | "&str" | "ImmutableString" | "Length of string" => "text",
        "array" | "Size of array/BLOB" => "list",
        "bool" => "on or off",
        "()" | "" => "nothing",
        // Values of the desk's own have the names that Rust gives them.
        other => match other.rsplit([' ', ':']).next().unwrap_or(other) {
            "Signal" => "signal",
            "EffectValue" => "effect",
            "SourceValue" => "source",
            "ControlValue" => "control",
            "TracedValue" => TRACED,
            "StageValue" => "filter",
            "NoteValue" => "note",
            "PatternValue" => "pattern",
            "TrackValue" => "track",
            "TracksValue" => "list of tracks",
            "Quantity" => "quantity",
            name => name,
        },
    }
}

fn with_article(name: &str) -> String {
    match type_name(name) {
        name @ ("on or off" | "nothing") => name.into(),
        name if name.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {name}"),
        name => format!("a {name}"),
    }
}

fn parse(desk: &Desk, text: &Text, kind: &ParseErrorType, at: Position) -> Diagnostic {
    use ParseErrorType as P;
    let plain = |code, message: String| Diagnostic::error(code, at, message);
    let syntax = |message: String| plain("syntax", message);
    match kind {
        P::MissingToken(token, _) if token == ";" && text.closes_nothing(at) => {
            syntax(format!("this `{}` closes nothing", text.word_at(at)))
        }
        P::MissingToken(_, _) if text.is_token(at, ";") && text.open_at(at).is_some() => not_closed(text, at),
        P::MissingToken(token, _) if token == ";" => grammar::semicolon_after(text, before(text, at)),
        P::UnexpectedEOF => unfinished(text),
        P::MissingToken(token, _) if at.line == 0 || is_behind(text, at) => {
            let error = unfinished(text);
            if error.also.is_empty() {
                Diagnostic { message: format!("expected `{token}` before the text ends"), ..error }
            } else {
                error
            }
        }
        P::MissingToken(token, _) => syntax(format!("expected `{token}` here{}", instead(text, at))),
        P::MissingSymbol(_) => syntax(format!("a symbol is missing here{}", instead(text, at))),
        P::BadInput(error) => lexical(text, error, at),
        P::UnknownOperator(symbol) => syntax(format!("`{symbol}` is no operator of a session")),
        P::MalformedIndexExpr(_) => syntax("this is no index: write `list[0]`".into()),
        P::MalformedCapture(_) => syntax("`!` cannot stand in this call".into()),
        P::DuplicatedProperty(name) => syntax(format!("`{name}` stands in this map twice")),
        P::DuplicatedVariable(name) => syntax(format!("`{name}` stands here twice")),
        P::PropertyExpected => syntax(format!("a name is expected after the point{}", instead(text, at))),
        P::VariableExpected => syntax(format!("a name is expected here{}", instead(text, at)))
            .help("a name begins with a letter and has letters, digits and `_` in it"),
        P::Reserved(word) => syntax(format!("`{word}` is kept back by the language")).help("choose another name"),
        P::VariableUndefined(name) => unknown(desk, text, name, at),
        P::ModuleUndefined(name) => unknown_import(text, name, at),
        P::ExprExpected(_) => syntax(format!("a value is expected here{}", instead(text, at))),
        P::MismatchedType(wanted, found) => {
            plain("wrong-type", format!("expected {}, found {}", type_name(wanted), type_name(found)))
        }
        P::WrongFnDefinition => syntax("a function is defined outside of blocks and other functions".into()),
        P::FnDuplicatedDefinition(name, _) => plain("name-twice", format!("the function `{name}` is defined twice")),
        P::FnMissingName => syntax("the function has no name".into()).help("write `fn name(parameter) { ... }`"),
        P::FnMissingParams(name) => {
            syntax(format!("the function `{name}` has no parameters")).help(format!("write `fn {name}() {{ ... }}`"))
        }
        P::FnDuplicatedParam(name, parameter) => {
            plain("name-twice", format!("the function `{name}` has two parameters named `{parameter}`"))
        }
        P::FnMissingBody(name) => {
            syntax(format!("the function `{name}` has no body")).help("write it in braces: `{ ... }`")
        }
        P::WrongDocComment => syntax("`///` stands before a function only".into()).help("write a comment as `//`"),
        P::WrongExport => syntax("`export` stands outside of blocks and functions only".into()),
        P::AssignmentToConstant(name) => {
            plain("constant", format!("`{name}` is a constant and cannot be given another value"))
        }
        P::AssignmentToInvalidLHS(_) => syntax("nothing can be assigned to what stands left of `=`".into())
            .help("write `let name = value;`, or `==` to compare"),
        P::VariableExists(name) | P::ForbiddenVariable(name) => {
            plain("word-redefined", format!("`{name}` cannot be the name of a variable here"))
        }
        P::ExprTooDeep => plain("too-deep", "brackets and operators are nested too deep here".into())
            .help("give a part of it a name: `let part = ...;`"),
        P::TooManyFunctions => plain("too-large", "there are too many functions".into()),
        P::LiteralTooLarge(what, most) => {
            plain("too-large", format!("this {} is too large: at most {most}", type_name(what)))
        }
        P::LoopBreak => syntax("`break` and `continue` stand in a loop only".into()),
        P::WrongSwitchDefaultCase | P::WrongSwitchIntegerCase | P::WrongSwitchCaseCondition => {
            syntax("this case cannot stand here in a `switch`".into())
        }
        _ => syntax(format!("this cannot be read{}", instead(text, at))),
    }
}

fn lexical(text: &Text, error: &LexError, at: Position) -> Diagnostic {
    let syntax = |message: String| Diagnostic::error("syntax", at, message);
    match error {
        LexError::UnterminatedString => syntax("this text has no closing quote".into()),
        LexError::MalformedNumber(number) => syntax(format!("`{number}` is no number")),
        LexError::MalformedEscapeSequence(sequence) => {
            syntax(format!("`{sequence}` has no meaning in a text")).help("for a backslash write `\\\\`")
        }
        LexError::MalformedChar(_) => {
            syntax("single quotes hold one character".into()).help("write texts in double quotes: \"...\"")
        }
        LexError::MalformedIdentifier(name) => syntax(format!("`{name}` is no name")),
        LexError::StringTooLong(most) => {
            Diagnostic::error("too-large", at, format!("this text is too long: at most {most}"))
        }
        LexError::UnexpectedInput(what) if what.contains(['“', '”', '„', '‘', '’']) => {
            syntax(format!("`{what}` is a typographic quote")).help("write plain quotes: \"...\"")
        }
        LexError::UnexpectedInput(what) => syntax(format!("`{}` has no meaning here", what.escape_debug())),
        LexError::ImproperSymbol(symbol, _) => {
            let symbol = if symbol.is_empty() { text.word_at(at) } else { symbol };
            match symbol {
                ">>" => syntax("a value is expected here, not `>>`".into()),
                "->" | "<-" | "=>" | "|>" => {
                    syntax(format!("`{symbol}` has no meaning here")).help("sound flows with `>>`")
                }
                _ => syntax(format!("`{symbol}` has no meaning here")),
            }
        }
        LexError::Runtime(_) => syntax("this cannot be read".into()),
        _ => syntax("this cannot be read".into()),
    }
}

/// The token before a place; the last one if the place is behind the end.
fn before(text: &Text, at: Position) -> usize {
    match text.token_at(at) {
        Some(index) if at.line > 0 && text.start(index) == at => index.saturating_sub(1),
        Some(index) if at.line > 0 => index,
        _ => text.len().saturating_sub(1),
    }
}

fn is_behind(text: &Text, at: Position) -> bool {
    text.len() > 0 && at > text.end(text.len() - 1)
}

fn instead(text: &Text, at: Position) -> String {
    match text.token_at(at) {
        Some(index) if text.start(index) == at => format!(", not `{}`", text.written(index)),
        _ => String::new(),
    }
}

/// A statement ends while a bracket in it is still open.
fn not_closed(text: &Text, at: Position) -> Diagnostic {
    let open = text.open_at(at).unwrap_or(0);
    let wanted = match text.written(open) {
        "(" => ")",
        "[" | "?[" => "]",
        _ => "}",
    };
    Diagnostic::error("syntax", at, format!("expected `{wanted}` before the `;`"))
        .also(text.start(open), format!("this `{}` is never closed", text.written(open)))
}

/// The text ends within a bracket: the innermost one that is still open is shown.
fn unfinished(text: &Text) -> Diagnostic {
    let mut open: Vec<usize> = Vec::new();
    for index in 0..text.len() {
        if text.opens(index) {
            open.push(index);
        } else if text.closes(index) {
            open.pop();
        }
    }
    let at = text.end(text.len().saturating_sub(1));
    match open.last() {
        Some(&index) => {
            Diagnostic::error("syntax", text.start(index), format!("this `{}` is never closed", text.written(index)))
                .also(at, "the text ends here")
        }
        None => Diagnostic::error("syntax", at, "the text ends in the middle of a statement"),
    }
}

/// What a text declares, and with a part of the session's own text what the other parts do: each with its place.
fn declared_in<'a>(desk: &'a Desk, text: &'a Text, of: fn(&Text) -> Vec<usize>) -> Vec<(&'a str, Position)> {
    let parts = &desk.files[..desk.parts()];
    let texts = if parts.iter().any(|part| std::ptr::eq(part, text)) { parts } else { std::slice::from_ref(text) };
    texts.iter().flat_map(|text| of(text).into_iter().map(|i| (text.written(i), text.start(i)))).collect()
}

/// A name that nothing has.
fn unknown(desk: &Desk, text: &Text, name: &str, at: Position) -> Diagnostic {
    let error = Diagnostic::error("unknown-word", at, format!("there is no `{name}` here"));
    let declared = declared_in(desk, text, grammar::variables);
    if let Some((_, elsewhere)) = declared.iter().copied().find(|(other, _)| *other == name) {
        let error = error.also(elsewhere, format!("this `{name}` is declared where it cannot be seen from there"));
        return if elsewhere < at {
            error.help("functions and blocks do not share their variables: give it as a parameter, or use the name of a place, `at(\"name\")`")
        } else {
            error.help("declare it before it is used")
        };
    }
    if let Some(signature) = words::signature(name) {
        return error.help(format!("it is a word that is called: write `{signature}`"));
    }
    if words::is_method(name) {
        return error.help(format!("`{name}` is set on an effect or a source: `effect.{name}(value)`"));
    }
    match words::suggest(name, declared.into_iter().map(|(other, _)| other).chain(words::functions())) {
        Some(help) => error.help(help),
        None => error.help(format!("declare it: `let {name} = ...;`")),
    }
}

fn unknown_import(text: &Text, name: &str, at: Position) -> Diagnostic {
    let name = name.trim_end_matches(':');
    Diagnostic::error(
        "unknown-word",
        at,
        format!("nothing is imported as `{}`", if name.is_empty() { text.word_at(at) } else { name }),
    )
    .help(format!("write `import \"file\" as {name};` above"))
}

/// A call of a function that does not exist with these arguments; the signature is `name (types)`.
fn unknown_function(desk: &Desk, text: &Text, signature: &str, at: Position) -> Diagnostic {
    let name = signature.split(" (").next().unwrap_or(signature).rsplit("::").next().unwrap_or(signature);
    let name = name.trim();
    if name.starts_with("anon$") {
        return Diagnostic::error(
            "wrong-arguments",
            at,
            "this function takes another number of values than it is given",
        )
        .help("`|x| ...` takes one, `|l, r| ...` two");
    }
    let functions = declared_in(desk, text, grammar::functions);
    if let Some((_, defined)) = functions.iter().find(|(other, _)| *other == name) {
        return Diagnostic::error(
            "wrong-arguments",
            at,
            format!("`{name}` is called with another number of arguments than it has"),
        )
        .also(*defined, "here it is defined");
    }
    let qualifier = text.token_at(at).and_then(|word| word.checked_sub(2)).filter(|&i| text.is(i + 1, "::"));
    if let Some(module) = qualifier.map(|index| text.written(index)) {
        let all = desk.files.iter().flat_map(|file| {
            grammar::functions(file)
                .into_iter()
                .map(|index| (file.written(index), file.start(index)))
                .collect::<Vec<_>>()
        });
        let all: Vec<(&str, Position)> = all.collect();
        if let Some((_, defined)) = all.iter().find(|(other, _)| *other == name) {
            let message = format!("`{module}::{name}` is called with another number of arguments than it has");
            return Diagnostic::error("wrong-arguments", at, message).also(*defined, "here it is defined");
        }
        let error = Diagnostic::error("unknown-word", at, format!("`{module}` has no function `{name}`"));
        return match words::suggest(name, all.iter().map(|(other, _)| *other)) {
            Some(help) => error.help(help),
            None => error,
        };
    }
    if words::callable().contains(name) {
        let error = Diagnostic::error("wrong-arguments", at, format!("`{name}` is given too many arguments"));
        return match words::signature(name) {
            Some(signature) => error.help(format!("write `{signature}`")),
            None => error,
        };
    }
    if text.is_method(at) {
        let root = text.chain_root(at);
        if let Some(table) = root.and_then(|root| words::tables().find(|table| table.word == text.written(root))) {
            return effect::unknown_method(table, name, at);
        }
        let error = Diagnostic::error("unknown-parameter", at, format!("nothing has a `.{name}`"));
        let known = words::callable();
        return match words::suggest(name, known.iter().copied()) {
            Some(help) => error.help(help),
            None => error,
        };
    }
    let error = Diagnostic::error("unknown-word", at, format!("there is no word `{name}`"));
    match words::suggest(name, functions.into_iter().map(|(other, _)| other).chain(words::functions())) {
        Some(help) => error.help(help),
        None => error.help("`gainstage words` lists them all"),
    }
}

/// A property: `3.db`, `effect.attack = 8`, `effect.attack`.
fn property(text: &Text, said: &str, at: Position) -> Diagnostic {
    let name = said.split('\'').nth(1).unwrap_or("");
    let index = text.token_at(at).unwrap_or(0);
    let index = (index..text.len()).find(|&i| text.written(i) == name).unwrap_or(index);
    let at = text.start(index);
    let object = text.written(index.saturating_sub(2)).to_string();
    let of = said.split('\'').nth(3).unwrap_or("");
    let assigned = said.starts_with("No writable");
    if assigned && !matches!(of, "effect" | "source") {
        return Diagnostic::error("syntax", at, format!("nothing of {} can be assigned to", with_article(of)));
    }
    if assigned {
        let value = text.rest_of_statement(index + 2);
        return Diagnostic::error("assigned-setter", at, format!("`.{name}` is not assigned to: it is called"))
            .help(format!("write `{object} = {object}.{name}({value})`"));
    }
    if matches!(of, "i64" | "f64") {
        let error = Diagnostic::error("unknown-unit", at, format!("there is no unit `{name}`"));
        let units = Unit::ALL.map(Unit::suffix);
        return match words::suggest(name, units) {
            Some(help) => error.help(help),
            None => error.help(format!("the units are {}", units.join(", "))),
        };
    }
    let error = Diagnostic::error("unknown-parameter", at, format!("{} has no `.{name}` to be read", with_article(of)));
    let figures = Figure::ALL.map(Figure::word);
    let figure = words::suggest(name, figures).filter(|_| matches!(of, "signal" | "handle" | "what comes in"));
    if let Some(help) = figure {
        error.help(help)
    } else if words::is_method(name) {
        error.help(format!("it is called: `{object}.{name}(value)`"))
    } else if Unit::ALL.iter().any(|unit| unit.suffix() == name) {
        error.help(format!("units follow bare numbers: `3.{name}`"))
    } else {
        match words::suggest(name, words::callable()) {
            Some(help) => error.help(help),
            None => error,
        }
    }
}
