//! What a text says of the bars of a section alone: what is muted, soloed and set there.

use super::One;
use crate::diagnostic::Diagnostic;
use crate::form::{Held, Hold};
use crate::names::{Found, Which};
use crate::parameter::{Kind, Spoken};
use crate::session::Amend;

impl One<'_, '_> {
    /// Something holds as long as a section is on.
    pub(super) fn hold(&mut self, section: usize, what: Amend) -> Result<(), Diagnostic> {
        let (target, what) = match what {
            Amend::Mute(target, on) => (target, Held::Mute(on)),
            Amend::Solo(target, on) => (target, Held::Solo(on)),
            Amend::Set(path, spoken) => return self.hold_value(section, &path, &spoken),
            _ => return Err(self.refuse("a section mutes, solos and sets; all else is written outside of it")),
        };
        let found = self.resolve(&target)?.into_iter();
        let found: Vec<Found> = found.filter(|found| matches!(found, Found::Place(_) | Found::Cable(_))).collect();
        if found.is_empty() {
            return Err(
                self.refuse("inputs, buses and cables can be muted and soloed; of an effect set its `mix` to 0")
            );
        }
        for of in found {
            let names = self.all.names().0;
            let path = match of {
                Found::Place(id) => names.place(id),
                Found::Cable(id) => names.cable(id),
                Found::Instance(_) | Found::Parameter(..) => continue,
            };
            let hold = Hold { path: path.to_owned(), of, what: what.clone(), at: self.at };
            self.all.session.form.sections[section].holds.push(hold);
        }
        Ok(())
    }

    /// A parameter has another value as long as a section is on.
    fn hold_value(&mut self, section: usize, path: &str, spoken: &Spoken) -> Result<(), Diagnostic> {
        let at = self.at;
        let (names, session) = self.all.names();
        let (owner, which) = names.find_parameter(session, path).map_err(|missing| self.missing(missing))?;
        let (names, session) = self.all.names();
        let path = names.call_parameter(session, owner, which);
        let (parameter, setting) = session.setting(owner, which);
        let fixed = |why: String, help: String| Err(Diagnostic::error("fixed", at, why).help(help));
        if let Some(control) = setting.value.control() {
            let (why, help) = (
                format!("`{path}` is moved by `{}`: a section cannot set it", control.word()),
                "let the control say it, `automate([[beat, value], ...])`, or set a fader behind it".to_owned(),
            );
            return fixed(why, help);
        }
        if which == Which::Bypass {
            let mix = path.replace(".bypass", ".mix");
            return fixed(format!("`{path}` does not change within a piece"), format!("write `set(\"{mix}\", 0)`"));
        }
        if !matches!(parameter.kind, Kind::Number { .. }) || !parameter.moves {
            let help = match parameter.kind {
                Kind::Pattern => {
                    "write `input(\"name\", play(...))` in each section: it is heard as long as that is on"
                }
                _ => {
                    "build it twice, each on a cable of its own, `x >> ... >> cable(\"b\") >> bus`, and mute one of them"
                }
            };
            return fixed(format!("`{path}` is fixed: it does not change within a piece"), help.to_owned());
        }
        if let Spoken::Control(control) = spoken {
            let (word, help) = (control.word(), "write the control where the effect is, and numbers in sections");
            return Err(Diagnostic::error("wrong-type", at, format!("a section sets numbers, not `{word}`")).help(help));
        }
        let accepted = parameter.accept(spoken, &session.clock()).map_err(|refusal| refusal.diagnostic(at))?;
        if let Some(warning) = accepted.warning {
            self.all.told.push(Diagnostic::warning("percent-fraction", at, warning));
        }
        let hold = Hold { path, of: Found::Parameter(owner, which), what: Held::Set(accepted.value), at };
        self.all.session.form.sections[section].holds.push(hold);
        Ok(())
    }
}
