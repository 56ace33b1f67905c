//! Sessions out of a small grammar, and edits of them. Low and soft sines alone sound in them and everything in them
//! forgets soon, so that a step can be heard and a cold start be caught up with.

use std::fmt::Write;

/// Four numbers that say what to do: each is taken modulo what there is to choose from.
pub type Step = (u8, u8, u8, u8);

/// A session that can be changed a step at a time. What comes of steps need not be valid.
#[derive(Clone, Default)]
pub struct Draft {
    lines: Vec<Line>,
    amendments: Vec<String>,
    named: usize,
}

/// An input or a bus, and where it goes.
#[derive(Clone)]
struct Line {
    name: String,
    bus: bool,
    pitch: u8,
    level: u8,
    chain: Vec<Insert>,
    into: String,
    with: Option<String>,
    also: Option<String>,
    loops: Option<u8>,
}

#[derive(Clone)]
struct Insert {
    kind: u8,
    value: u8,
    key: Option<String>,
    target: Option<String>,
    mix: Option<u8>,
    bypass: bool,
}

const KINDS: u8 = 20;

impl Insert {
    fn text(&self) -> String {
        let v = u32::from(self.value);
        let key = self.key.as_ref().map(|key| format!(".key(at(\"{key}\"))")).unwrap_or_default();
        let bell = format!("bell({}, {}, 1)", 100 + v, v as i32 % 9 - 4);
        let effect = match self.kind % KINDS {
            0 => format!("fader(-{})", v % 12),
            1 => format!("gain({})", v as i32 % 7 - 4),
            2 => format!("pan({})", (v as i32 % 21 - 10) as f64 / 10.0),
            3 => format!("eq().{bell}"),
            4 => format!("high_pass({})", 20 + v),
            5 => format!("low_pass({})", 500 + 10 * v),
            6 => format!("compressor(-{}, {}).attack(10).release(40){key}", 30 + v % 10, 2 + v % 3),
            7 => format!("delay({}).feedback(20).mix(30)", 5 + v % 40),
            8 => "limiter(-1)".to_owned(),
            9 => format!("saturate({})", v % 6),
            10 => format!("width({})", 50 + v % 100),
            11 => "polarity()".to_owned(),
            12 => "mono()".to_owned(),
            13 => "reverb().decay(0.2.s).mix(20)".to_owned(),
            14 => "dc_block()".to_owned(),
            15 => format!("gate(-70).attack(20).release(30){key}"),
            16 => format!("(high_pass({}) >> fader(-3)).mix({})", 30 + v, v % 100),
            17 => format!("(compressor(-40, 2).release(40){key} >> saturate({})).mix(50).named(\"both\")", v % 5),
            18 => format!("eq().low_shelf(80, {}).{bell}", v % 4),
            _ => match &self.target {
                Some(bus) => return format!("send(\"{bus}\", -{})", 10 + v % 10),
                None => "gain(0)".to_owned(),
            },
        };
        let mix = self.mix.map(|mix| format!(".mix({mix})")).unwrap_or_default();
        let bypass = if self.bypass { ".bypass(on)" } else { "" };
        format!("{effect}{mix}{bypass}")
    }
}

impl Draft {
    /// Takes a step.
    pub fn step(&mut self, (what, a, b, c): Step) {
        let count = self.lines.len();
        let index = usize::from(a) % count.max(1);
        match what % 24 {
            _ if count == 0 => self.add(false, a, b, c),
            0 | 1 if count < 8 => self.add(false, a, b, c),
            2 if count < 8 => self.add(true, a, b, c),
            3 if count > 1 => self.remove(index),
            4..=6 => {
                let insert = self.insert(b, c);
                let chain = &mut self.lines[index].chain;
                if chain.len() < 4 {
                    chain.insert(usize::from(c) % (chain.len() + 1), insert);
                }
            }
            7 | 8 => self.with_insert(index, b, |chain, i| {
                chain.remove(i);
            }),
            9..=11 => self.with_insert(index, b, |chain, i| chain[i].value = c),
            12 => self.with_insert(index, b, |chain, i| chain[i].bypass = !chain[i].bypass),
            13 => self.with_insert(index, b, |chain, i| chain[i].mix = (c % 3 > 0).then_some(c % 101)),
            14 => self.lines[index].chain.reverse(),
            15 => self.lines[index].into = self.place(b, if c < 32 { 0 } else { index }),
            16 => self.lines[index].with = (c % 3 > 0).then(|| self.lines[usize::from(b) % count].name.clone()),
            17 => self.lines[index].also = (c % 3 > 0).then(|| self.place(b, if c < 32 { 0 } else { index })),
            18 => self.lines[index].loops = (c % 3 > 0).then_some(b),
            19 => (self.lines[index].pitch, self.lines[index].level) = (b, c),
            20 => {
                let name = self.new_name();
                let old = std::mem::replace(&mut self.lines[index].name, name.clone());
                self.rename(&old, &name);
            }
            21 => self.lines.rotate_left(index),
            22 if self.amendments.len() < 3 => {
                let amendment = self.amendment(index, b, c);
                self.amendments.push(amendment);
            }
            _ => drop(self.amendments.pop()),
        }
    }

    fn new_name(&mut self) -> String {
        self.named += 1;
        format!("p{}", self.named)
    }

    fn add(&mut self, bus: bool, a: u8, b: u8, c: u8) {
        let insert = self.insert(b, c);
        // What is declared later leads to nothing declared earlier, so that there is no way round.
        let line = Line {
            name: self.new_name(),
            bus,
            pitch: a,
            level: c,
            chain: vec![insert],
            into: "master".to_owned(),
            with: None,
            also: None,
            loops: None,
        };
        self.lines.push(line);
        let last = self.lines.len() - 1;
        if !bus {
            self.lines[last].into = self.place(b, 0);
        }
    }

    fn insert(&self, kind: u8, value: u8) -> Insert {
        let key =
            (value.is_multiple_of(4)).then(|| self.lines.get(usize::from(value / 4)).map(|line| line.name.clone()));
        let target = Some(self.place(value, 0)).filter(|bus| bus != "master");
        Insert { kind, value, key: key.flatten(), target, mix: None, bypass: false }
    }

    /// A bus declared behind a line, or master.
    fn place(&self, choice: u8, behind: usize) -> String {
        let buses: Vec<&Line> = self.lines.iter().skip(behind).filter(|line| line.bus).collect();
        let chosen = usize::from(choice) % (buses.len() + 1);
        buses.get(chosen).map_or("master".to_owned(), |bus| bus.name.clone())
    }

    fn with_insert(&mut self, index: usize, choice: u8, change: impl FnOnce(&mut Vec<Insert>, usize)) {
        let chain = &mut self.lines[index].chain;
        if !chain.is_empty() {
            let chosen = usize::from(choice) % chain.len();
            change(chain, chosen);
        }
    }

    fn remove(&mut self, index: usize) {
        let name = self.lines.remove(index).name;
        self.rename(&name, "master");
        for line in &mut self.lines {
            line.with.take_if(|with| with == "master");
            for insert in &mut line.chain {
                insert.key.take_if(|key| key == "master");
                insert.target.take_if(|target| target == "master");
            }
        }
    }

    fn rename(&mut self, old: &str, new: &str) {
        let change = |name: &mut String| {
            if name == old {
                *name = new.to_owned();
            }
        };
        for line in &mut self.lines {
            change(&mut line.into);
            line.with.iter_mut().chain(&mut line.also).for_each(change);
            line.chain.iter_mut().for_each(|insert| {
                insert.key.iter_mut().chain(&mut insert.target).for_each(change);
            });
        }
    }

    /// Not every one finds what it speaks of.
    fn amendment(&self, index: usize, b: u8, c: u8) -> String {
        let Line { name, into, .. } = &self.lines[index];
        let effect = ["fader", "pan", "eq", "compressor", "delay", "limiter"][usize::from(c) % 6];
        match b % 9 {
            0 => format!("mute(\"{name}\");"),
            1 => format!("solo(\"{name}\");"),
            2 => format!("safe(\"{name}\");"),
            3 => format!("set(\"{name}/fader.gain\", -{});", c % 20),
            4 => format!("remove(\"{name}/{effect}\");"),
            5 => format!("before(\"{name}>{into}\", gain(-{}));", c % 6),
            6 => format!("after(\"{name}/{effect}\", high_pass({}));", 20 + c),
            7 => format!("unplug(\"{name}>{into}\");"),
            _ => format!("mute(\"{name}>{into}\");"),
        }
    }

    /// The session's text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut put = |line: String| writeln!(text, "{line}").expect("a string takes everything");
        for Line { name, bus, pitch, level, .. } in &self.lines {
            match bus {
                true => put(format!("let {name} = bus(\"{name}\");")),
                false => put(format!(
                    "let {name} = input(\"{name}\", sine({}).level(-{}));",
                    40 + u32::from(*pitch) / 3,
                    24 + level % 20
                )),
            }
        }
        for Line { name, chain, into, with, also, loops, .. } in &self.lines {
            let head = with.as_ref().map_or(name.clone(), |with| format!("{name} + {with}"));
            let inserts: String = chain.iter().map(|insert| format!(" >> {}", insert.text())).collect();
            put(format!("{head}{inserts} >> at(\"{into}\");"));
            if let Some(also) = also {
                put(format!("{name} >> fader(-9) >> cable(\"also\") >> at(\"{also}\");"));
            }
            if let Some(time) = loops {
                put(format!("{name} >> low_pass(300) >> gain(-18) >> feedback(\"{name}\", {}.ms);", time % 50));
            }
        }
        self.amendments.iter().for_each(|amendment| put(amendment.clone()));
        text
    }
}

/// Spoils a text, so that it should be refused; now and then it is as good as before.
pub fn spoilt(text: &str, how: u8) -> String {
    match how % 6 {
        0 => format!("{text}let = ;\n"),
        1 => text[..text.len() * usize::from(how) / 256].to_owned(),
        2 => format!("{text}at(\"master\") >> fadr(-3) >> at(\"master\");\n"),
        3 => format!("let x = bus(\"x\"); let y = bus(\"y\"); x >> y; y >> x; x >> master;\n{text}"),
        4 => text.replacen("fader(-", "fader(-1000", 1),
        _ => text.replacen(';', "", 1),
    }
}
