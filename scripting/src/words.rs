//! The table of words that are neither effects nor sources, and the reference that all tables make together.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use engine::figure::Figure;
use engine::names::nearest;
use engine::nest;
use engine::parameter::{Kind, Parameter, Part, Table};
use engine::sources::synth::SYNTH;
use engine::units::Unit;
use engine::{effects, sources};
use serde::Serialize;

use crate::call::{Call, Outcome};
use crate::{album, amend, company, control, expect, form, nested, pattern, place, setup, trace};

/// A word of the language.
pub struct Word {
    /// The word itself.
    pub word: &'static str,
    /// How it is written.
    pub signature: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// A line that shows it.
    pub example: &'static str,
    /// Which part of the reference it stands in.
    pub group: Group,
    /// What it does when called; none for what is not a function.
    pub(crate) run: Option<fn(&Call) -> Outcome>,
}

impl Word {
    /// Whether it is called on something: `x.mix(50)`.
    fn is_method(&self) -> bool {
        matches!(self.group, Methods | Figures | Variations)
    }
}

/// The parts of the reference, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Of the session as a whole.
    Session,
    /// Inputs, buses, outputs.
    Places,
    /// How sound is led.
    Flow,
    /// What applies after everything is declared.
    Changes,
    /// What can be said of a sound in one number.
    Figures,
    /// What makes sound.
    Sources,
    /// What changes sound.
    Effects,
    /// What is played, and by what rule it is made.
    Patterns,
    /// What can be done to patterns.
    Variations,
    /// What stands in a function that becomes sound.
    Circuits,
    /// What moves parameters.
    Controls,
    /// What every effect has.
    Methods,
    /// Numbers with units.
    Quantities,
    /// Arithmetic.
    Numbers,
}

const fn word(
    word: &'static str,
    group: Group,
    signature: &'static str,
    summary: &'static str,
    example: &'static str,
    run: fn(&Call) -> Outcome,
) -> Word {
    Word { word, signature, summary, example, group, run: Some(run) }
}

const fn thing(
    word: &'static str,
    group: Group,
    signature: &'static str,
    summary: &'static str,
    example: &'static str,
) -> Word {
    Word { word, signature, summary, example, group, run: None }
}

use Group::{Changes, Circuits, Controls, Figures, Flow, Methods, Numbers, Patterns, Places, Session, Variations};

/// Every word that is neither an effect nor a source, in the order in which the reference shows them.
#[rustfmt::skip]
pub static WORDS: &[Word] = &[
    word("title", Session, "title(text)", "The title of the session.", "title(\"First light\");", setup::title),
    word("artist", Session, "artist(text)", "Who made it; files that are rendered say so.", "artist(\"Ada\");", setup::artist),
    word("album", Session, "album(text)", "The album that it is a part of, or that it is; the title unless said.", "album(\"First light\");", setup::album),
    word("date", Session, "date(text)", "The day that its files bear; none unless said, for no clock is read.", "date(\"2026-11-21\");", setup::date),
    word("isrc", Session, "isrc(text)", "Its International Standard Recording Code.", "isrc(\"GB-ABC-26-00001\");", setup::isrc),
    word("comment", Session, "comment(text)", "What else its files say.", "comment(\"for vinyl\");", setup::comment),
    word("tempo", Session, "tempo(bpm)", "Beats a minute, 1 to 999; 120 unless said. A change keeps the beat, and bars gone by keep their length. It may move: with `ramp(from, to, time)`, straight in beats and from where it is first heard or from `.start(time)`, or with `automate([[beat, bpm], ...])`.", "tempo(96);", setup::tempo),
    word("time_signature", Session, "time_signature(beats, note)", "Beats a bar, and the note that is a beat; 4, 4 unless said.", "time_signature(3, 4);", setup::time_signature),
    word("quantize", Session, "quantize(time)", "The grid on which edits take effect, in bars, beats, notes or ms; at once unless said, or with off.", "quantize(1.bars);", setup::quantize),
    word("crossfade", Session, "crossfade(time)", "How long edits take to be made, 1 ms to 60 s; 20 ms unless said.", "crossfade(50.ms);", setup::crossfade),
    word("sample_rate", Session, "sample_rate(hz)", "Frames a second, 8 000 to 384 000 Hz; 48 000 unless said. Takes effect at the next start.", "sample_rate(44100);", setup::sample_rate),
    word("seed", Session, "seed(number)", "The seed of everything random; 0 unless said. Takes effect at the next start.", "seed(7);", setup::seed),
    word("clock_in", Session, "clock_in(port)", "Follows the MIDI clock that comes from a port while it plays: its tempo is the tempo, as if it were typed, and what starts, stops and goes elsewhere does so with it. A part of no render.", "clock_in(\"Drum machine MIDI 1\");", company::clock_in),
    word("clock_out", Session, "clock_out(port, delay)", "Sends MIDI clock to a port while it plays: ticks, start, stop and position, each with what is heard, or `delay` later (-500 to 500 ms, 0 unless said). A part of no render.", "clock_out(\"Drum machine MIDI 1\");", company::clock_out),
    word("link", Session, "link()", "Shares tempo and bars with all who are on the network over Ableton Link's protocol while it plays; whoever changes the tempo changes it for all. A part of no render.", "link();", company::link),
    word("target", Session, "target(name)", "The medium that it is meant for, by a name that `gainstage measure --targets` lists: what meters and checks compare with; it changes no level.", "target(\"streaming\");", setup::target),
    word("expect", Session, "expect(figure)", "A test of the mix, held by `check --render`: `.below(x)`, `.above(x)` or `.within(x, tolerance)` of a figure of an input, a bus, a cable or an effect, or of how much it is over the same figure of another: `expect(voice.rms - band.rms).above(3)`.", "expect(master.true_peak).below(-1.dBTP);", expect::expect),
    thing("section", Session, "section(name, bars, || { ... })", "A part of the piece, and what holds during it alone: `input(name, source)` is heard, from its beginning, as long as it is on, `mute(x)`, `solo(x)` and `set(path, value)` hold. Sections come in the order in which they are written, and with the last the piece is over.", "let verse = section(\"verse\", 8, || { input(\"pad\", saw(110)); mute(\"bass\"); });"),
    word("arrange", Session, "arrange([section, ...])", "The order of the sections, by handle or by name, each as often as it is played.", "arrange([section(\"verse\", 8, || {}), section(\"chorus\", 8, || {}), \"verse\"]);", form::arrange),
    thing("import", Session, "import \"file\" as name;", "Another file of the session's folder; its functions are `name::function(...)`.", "import \"strips\" as strips;"),

    word("input", Places, "input(name, source)", "A named source of sound; several sources as a list add up.", "let voice = input(\"voice\", device(1));", place::input),
    word("bus", Places, "bus(name, channels)", "A named place where signals add, at unity; stereo unless it says otherwise, 1 to 64 channels.", "let band = bus(\"band\");", place::bus),
    word("track", Places, "track(title, path)", "One track of an album.", "track(\"Dawn\", \"audio/voice.flac\").gap(3.s)", album::track),
    word("tracks", Places, "tracks([track, ...])", "An album, for an input: its tracks one behind another.", "input(\"album\", tracks([track(\"Dawn\", \"audio/voice.flac\"), track(\"Noon\", \"audio/bass.flac\")])) >> master;", album::tracks),
    thing("master", Places, "master", "The one bus that always exists.", "band >> master;"),
    word("output", Places, "output(left, right)", "Channels of the device or the file, from 1.", "master >> output(1, 2);", place::output),
    word("cue_output", Places, "cue_output(left, right)", "Channels of the device, from 1, that whoever plays listens ahead on with `:cue`; the audience does not hear them, and they are a part of no render.", "cue_output(3, 4);", place::cue_output),

    thing(">>", Flow, "signal >> effect, signal >> bus", "Flows into: an effect gives a signal, a bus is plugged in.", "voice >> fader(-3) >> band;"),
    thing("+", Flow, "signal + signal", "Both signals added.", "kick + snare >> drums;"),
    thing("-", Flow, "signal - signal", "The first signal less the second; `-signal` inverts.", "left - right >> sides;"),
    thing("*", Flow, "signal * factor", "A signal scaled; a negative factor inverts as well.", "room * 0.5 >> master;"),
    word("send", Flow, "send(bus, gain)", "Taps the signal where it stands, and passes it on; `gain` is -120 to 24 dB, or off; 0 dB unless said.", "voice >> send(room, -14) >> band;", place::send),
    word("feedback", Flow, "feedback(bus, time)", "A send that closes a loop; `time`, once round, is in ms (or a note length) up to 10 000, and at least a quantum of 64 frames.", "echo >> gain(-6) >> feedback(echo, 250);", place::feedback),
    word("cable", Flow, "cable(name)", "Names the cable that follows, to have two between the same places.", "voice >> cable(\"dry\") >> band;", place::cable),

    word("mute", Changes, "mute(x, on)", "Silences what leaves an input, a bus or a cable; x is a signal, a path or a list, and `off` behind it takes back what was said above.", "mute(\"drums-*\");", amend::mute),
    word("solo", Changes, "solo(x, on)", "Silences every input that has no way through a soloed thing; `off` takes back what was said above.", "solo(voice);", amend::solo),
    word("safe", Changes, "safe(x)", "Exempts an input, or all that leads through a bus, from the solo of others.", "safe(room);", amend::safe),
    word("set", Changes, "set(path, value)", "Gives a parameter another value.", "set(\"voice/compressor.threshold\", -24);", amend::set),
    word("get", Changes, "get(path)", "Reads a parameter.", "get(\"voice/compressor.threshold\")", amend::get),
    word("at", Changes, "at(path)", "What has this path: an input, a bus, a cable or an effect.", "voice >> at(\"band\");", amend::at),
    word("replace", Changes, "replace(signal >> ... >> bus)", "Means it: the cable takes the place of the one that was there.", "replace(voice >> fader(-6) >> band);", amend::replace),
    word("unplug", Changes, "unplug(path)", "Takes a cable away.", "unplug(\"voice>band\");", amend::unplug),
    word("remove", Changes, "remove(path)", "Takes an effect away.", "remove(\"voice/gate\");", amend::remove),
    word("before", Changes, "before(path, effect)", "Puts an effect before another.", "before(\"voice/compressor\", gate(-45));", amend::before),
    word("after", Changes, "after(path, effect)", "Puts an effect behind another.", "after(\"voice/compressor\", eq());", amend::after),

    word("play", Patterns, "play(pattern, instrument)", "A pattern in the mini-notation, played by an instrument; one cycle is one bar.", "play(\"bd ~ sn ~\", kit())", pattern::play),
    word("stack", Patterns, "stack([pattern, ...])", "Patterns at once.", "play(stack([\"bd*4\", \"~ cp\"]), kit())", pattern::stack),
    word("cat", Patterns, "cat([pattern, ...])", "Patterns in turn, a bar of each.", "play(cat([\"bd*4\", \"bd sn\"]), kit())", pattern::cat),
    word("euclid", Patterns, "euclid(value, beats, steps, rotation)", "Beats spread over steps as evenly as can be, of a value or, without one, for `.struct`.", "play(euclid(\"rim\", 5, 8), kit())", pattern::euclid),
    word("markov", Patterns, "markov(training, order, bars, seed)", "Bars in the manner of a pattern: each moment follows those before it, `order` of them, as it does somewhere in the pattern, which may be the notes of a MIDI file: `markov(\"song.mid\", 2)`.", "play(markov(\"bd sn bd [sn cp]\", 1, 8), kit())", pattern::markov),
    word("cellular", Patterns, "cellular(value, rule, cells, bars, seed)", "A value at each living cell of a ring, a generation a bar, by one of Wolfram's rules 0 to 255; one living cell at first, or drawn ones with a seed.", "play(cellular(\"hh\", 90), kit())", pattern::cellular),
    word("lsystem", Patterns, "lsystem(axiom, rules, times, steps, sounds)", "A sequence that grows from an axiom: each symbol is replaced by what its rule says, so many times, and so many steps make a bar.", "play(lsystem(\"a\", #{a: \"ab\", b: \"a\"}, 5, 8, #{a: \"bd\", b: \"sn\"}), kit())", pattern::lsystem),
    word("walk", Patterns, "walk(scale, steps, bars, span, leap, seed)", "Notes that wander up and down a scale, at most `leap` degrees a step and `span` degrees from its root.", "play(walk(\"a4 minor pentatonic\"), pluck())", pattern::walk),
    word("progression", Patterns, "progression(scale, rule, bars, seed, notes)", "A chord a bar by a rule: \"functional\", \"pop\", \"fifths\" or \"blues\"; of 3 notes, or of 4 or 5.", "play(progression(\"c major\", \"pop\", 4, 0, 4), keys())", pattern::progression),

    thing("fast", Variations, ".fast(n)", "So many cycles in the time of one; a number or a pattern of numbers.", "play(\"bd sn\".fast(2), kit())"),
    thing("slow", Variations, ".slow(n)", "One cycle in the time of so many.", "play(\"bd sn\".slow(2), kit())"),
    thing("shift", Variations, ".shift(cycles)", "Later; earlier if below 0.", "play(\"cp\".shift(0.25), kit())"),
    thing("rev", Variations, ".rev()", "Each cycle backwards.", "play(\"bd sn hh\".rev(), kit())"),
    thing("palindrome", Variations, ".palindrome()", "Every second cycle backwards.", "play(\"bd sn hh\".palindrome(), kit())"),
    thing("every", Variations, ".every(n, |p| ...)", "Changed in every nth cycle, beginning with the first; `.every(n, offset, |p| ...)` with another.", "play(\"bd sn\".every(4, |p| p.fast(2)), kit())"),
    thing("respond", Variations, ".respond(cycles, |p| ...)", "Call and response: so many cycles as they are, then the same ones changed.", "play(\"c4 e4 g4 ~\".respond(1, |p| p.rev()), pluck())"),
    thing("iter", Variations, ".iter(n)", "Each cycle n times, beginning one nth further on each time.", "play(\"bd sn hh cp\".iter(4), kit())"),
    thing("iter_back", Variations, ".iter_back(n)", "Each cycle n times, beginning one nth further back each time.", "play(\"bd sn hh cp\".iter_back(4), kit())"),
    thing("ply", Variations, ".ply(n)", "Each value so many times in its own time; `n` may be a pattern.", "play(\"bd sn\".ply(2), kit())"),
    thing("arp", Variations, ".arp(order)", "The notes of each chord one after the other: \"up\", \"down\", \"updown\" or \"downup\".", "play(\"c4'maj a3'min\".arp(\"up\"), pluck())"),
    thing("swing", Variations, ".swing(part, n)", "What begins in the second half of each nth of a cycle later by that part of it; n is 4 unless said.", "play(\"hh*8\".swing(1 / 3), kit())"),
    thing("off", Variations, ".off(cycles, |p| ...)", "With it the same, changed and so much later.", "play(\"c4 e4\".off(0.125, |p| p.add(12)), pluck())"),
    thing("sometimes", Variations, ".sometimes(chance, |p| ...)", "Changed here and there by chance, 0 to 1; 0.5 unless said.", "play(\"hh*8\".sometimes(0.3, |p| p.ply(2)), kit())"),
    thing("degrade", Variations, ".degrade(chance)", "Values left out by chance, 0 to 1; 0.5 unless said.", "play(\"hh*16\".degrade(0.3), kit())"),
    thing("seed", Variations, ".seed(number)", "Other chances.", "play(\"hh*16?\".seed(3), kit())"),
    thing("struct", Variations, ".struct(rhythm)", "The values at the times of a rhythm.", "play(\"<c4 e4>\".struct(\"t ~ t t\"), pluck())"),
    thing("mask", Variations, ".mask(rhythm)", "Heard while a rhythm holds.", "play(\"hh*8\".mask(\"1 0 1 1\"), kit())"),
    thing("segment", Variations, ".segment(n)", "The values so many times a cycle.", "play(\"<c4 e4>\".segment(4), pluck())"),
    thing("euclid", Variations, ".euclid(beats, steps, rotation)", "The values at the beats of a Euclidean rhythm.", "play(\"bd\".euclid(3, 8), kit())"),
    thing("add", Variations, ".add(n)", "Semitones, or degrees before `.scale`, added; a number or a pattern of numbers.", "play(\"c4 e4\".add(\"<0 5>\"), pluck())"),
    thing("scale", Variations, ".scale(name)", "Numbers taken as degrees of a scale, 0 for its root.", "play(\"0 2 4 <7 9>\".scale(\"d minor\"), pluck())"),
    thing("chord", Variations, ".chord(name)", "A chord on each note.", "play(\"c4 f4\".chord(\"maj7\"), keys())"),

    word("synth", Circuits, "synth(|note| ...)", "An instrument whose voice is what the function makes of `note.freq`, `.pitch`, `.velocity`, `.gate`, `.age` and `.random`.", "play(\"c3 e3 g3\", synth(|note| saw(note.freq) >> low_pass(800, 2)))", trace::synth),
    word("dsp", Circuits, "dsp(name, |x| ...)", "An effect that does to each frame what the function says; `|l, r|` takes a pair of channels and may give `[l, r]`.", "x >> dsp(\"fold\", |x| select(abs(x) > 0.5, sign(x) - x, x))", trace::dsp),
    word("param", Circuits, "param(name, default, least, most)", "A parameter of the synth or dsp: it has a path, and takes controls.", "x >> dsp(\"drive\", |x| tanh(x * param(\"amount\", 2, 1, 20)))", trace::astray),
    word("envelope", Circuits, "envelope(attack, decay, sustain, release)", "From 0 to 1 as a note begins, to its sustain in percent, and to 0 after its end; times in ms.", "play(\"c3\", synth(|note| saw(note.freq) >> low_pass(200 + 3000 * envelope(5, 300, 20, 200))))", trace::astray),
    word("decay", Circuits, "decay(time)", "From 1 as a note begins, falling by 60 dB in a time.", "play(\"c2*4\", synth(|note| sine(note.freq * (1 + 3 * decay(80))) * decay(400)))", trace::astray),
    word("select", Circuits, "select(condition, a, b)", "`a` where the condition is true, else `b`.", "x >> dsp(\"half_wave\", |x| select(x > 0, x, 0))", trace::astray),
    word("clamp", Circuits, "clamp(x, least, most)", "At least so much, and at most.", "x >> dsp(\"flat_top\", |x| clamp(x * 4, -0.5, 0.5))", trace::astray),
    word("and", Circuits, "and(a, b)", "1 where both are true, else 0.", "x >> dsp(\"window\", |x| x * and(x > -0.1, x < 0.1))", trace::astray),
    word("or", Circuits, "or(a, b)", "1 where one is true, else 0.", "x >> dsp(\"core\", |x| x * or(x > 0.1, x < -0.1))", trace::astray),
    word("sign", Circuits, "sign(x)", "-1, 0 or 1.", "x >> dsp(\"squared\", |x| sign(x) * 0.1)", trace::astray),
    word("delay1", Circuits, "delay1(x)", "A signal one frame ago.", "x >> dsp(\"slope\", |x| x - delay1(x))", trace::astray),
    word("smooth", Circuits, "smooth(x, time)", "Goes after a signal, 63.2 % of the way in a time.", "x >> dsp(\"duck\", |x| x / (1 + 8 * smooth(abs(x), 50)))", trace::astray),
    word("hold", Circuits, "hold(x, when)", "A signal as it was when another last rose above 0.", "x >> dsp(\"stair\", |x| hold(x, sine(2000)))", trace::astray),

    word("lfo", Controls, "lfo(rate)", "To and fro for ever; a rate in beats, bars or as a note is locked to the transport.", "fader(lfo(1.bars).range(-12, 0))", control::lfo),
    word("ramp", Controls, "ramp(from, to, time)", "From one value to another, once: from when the line is first heard, or from `.start(time)`.", "low_pass(ramp(200, 8.kHz, 8.bars).curve(\"exp\"))", control::ramp),
    word("automate", Controls, "automate([[beat, value], ...])", "Through points on the transport.", "fader(automate([[0, -60], [16, 0]]))", control::automate),
    word("steps", Controls, "steps(pattern)", "Through a pattern of numbers, each held until the next; a cycle is a bar.", "fader(steps(\"0 -6 [-12 -3]\"))", control::steps),
    word("follow", Controls, "follow(signal)", "With the envelope of a signal, in a straight line from silence to full scale.", "fader(follow(x).range(0, -12))", control::follow),
    word("midi_cc", Controls, "midi_cc(n)", "With a MIDI controller.", "fader(midi_cc(7).range(-60, 0))", control::midi_cc),
    word("osc", Controls, "osc(path)", "With what comes to an OSC address: 0 to 1 over the range, or without one the value itself.", "pan(osc(\"/desk/pan\").range(-1, 1))", control::osc),

    thing("named", Methods, ".named(name)", "Gives an effect, or the part before it, a name for good.", "x >> gain(3).named(\"trim\")"),
    thing("mix", Methods, ".mix(percent)", "Wet against dry: 0 is exactly the input.", "x >> gain(6).mix(50)"),
    thing("bypass", Methods, ".bypass(on)", "Passes the input on, at unchanged latency.", "x >> gain(6).bypass()"),

    thing("above", Figures, ".above(value)", "Expects a figure to be at least so much.", "expect(master.correlation).above(0)"),
    thing("below", Figures, ".below(value)", "Expects a figure to be at most so much.", "expect(master.true_peak).below(-1)"),
    thing("within", Figures, ".within(value, tolerance)", "Expects a figure to be so much, give or take.", "expect(master.lufs).within(-14, 0.5)"),

    thing("on", Numbers, "on", "Yes.", "x >> gain(6).bypass(on)"),
    thing("off", Numbers, "off", "No; for a level, silence.", "x >> fader(off)"),
];

/// A function of numbers, as the reference shows it.
pub(crate) const FUNCTIONS: &[(&str, &str)] = &[
    ("abs(x)", "The size of a number."),
    ("min(a, b)", "The smaller of two numbers."),
    ("max(a, b)", "The larger of two numbers."),
    ("floor(x)", "The whole number below."),
    ("ceil(x)", "The whole number above."),
    ("round(x)", "The nearest whole number."),
    ("sqrt(x)", "The square root."),
    ("sin(x)", "The sine of an angle in radians."),
    ("cos(x)", "The cosine of an angle in radians."),
    ("tan(x)", "The tangent of an angle in radians."),
    ("tanh(x)", "The hyperbolic tangent."),
    ("exp(x)", "The exponential."),
    ("log(x)", "The natural logarithm."),
    ("pow(x, y)", "x to the power y."),
];

/// What a unit is for.
fn unit_summary(unit: Unit) -> &'static str {
    match unit {
        Unit::Plain => "A bare number.",
        Unit::Decibels => "A difference of level.",
        Unit::DecibelsFullScale => "A level against full scale.",
        Unit::DecibelsTruePeak => "A true peak against full scale.",
        Unit::Lufs => "A loudness.",
        Unit::Milliseconds => "Milliseconds.",
        Unit::Seconds => "Seconds.",
        Unit::Samples => "Samples at the session's rate.",
        Unit::Hertz => "Hertz.",
        Unit::Kilohertz => "Kilohertz.",
        Unit::Beats => "Beats of the tempo.",
        Unit::Bars => "Bars of the tempo and the time signature.",
        Unit::BeatsPerMinute => "Beats a minute.",
        Unit::Percent => "Parts of a hundred.",
        Unit::Degrees => "Degrees of an angle.",
        Unit::Semitones => "Semitones.",
        Unit::Cents => "Hundredths of a semitone.",
    }
}

/// The entry of a word that is neither an effect nor a source.
pub fn find(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|w| w.word == name)
}

/// The entry of what can be done to a pattern.
pub fn variation(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|w| w.group == Variations && w.word == name)
}

/// Whether a name is taken by the language: an effect, a source, a function or a constant.
pub fn is_word(name: &str) -> bool {
    static NAMES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
        let own = WORDS.iter().filter(|w| !w.is_method()).map(|w| w.word);
        own.chain(tables().map(|t| t.word)).collect()
    });
    NAMES.contains(name)
}

/// Whether a variable may have the name of a word: where things are commonly called what makes them. An input of drums is `kit`,
/// the bass is `bass`, a part of a piece is `chorus`; the word is still known by its brackets.
pub fn is_shared(name: &str) -> bool {
    sources::find(name).is_some_and(Table::plays) || name == "chorus"
}

/// Whether a name is that of a method: of a parameter, a part, or what every effect has.
pub fn is_method(name: &str) -> bool {
    static NAMES: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
        let own = WORDS.iter().filter(|w| w.is_method()).map(|w| w.word);
        own.chain(control::methods(None)).chain(album::methods()).chain(tables().flat_map(methods)).collect()
    });
    NAMES.contains(name)
}

/// How a word is written.
pub fn signature(name: &str) -> Option<String> {
    find(name).map(|w| w.signature.to_string()).or_else(|| {
        effects::find(name).or_else(|| sources::find(name)).map(|t| format!("{name}({})", t.arguments.join(", ")))
    })
}

/// Every effect and source.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    effects::EFFECTS.iter().chain(sources::SOURCES.iter()).copied()
}

/// The names of a table's own setters and parts.
pub fn methods(table: &'static Table) -> impl Iterator<Item = &'static str> {
    let nest = nest::of(table).into_iter().flat_map(nested::methods);
    let own = table.parameters.iter().map(|p| p.name).chain(table.parts.iter().map(|p| p.word));
    own.chain(table.part_words().into_iter().map(|word| word.word)).chain(nest)
}

/// Every name that is called as a function or a method, sorted.
pub fn callable() -> BTreeSet<&'static str> {
    let own = WORDS.iter().filter(|w| w.run.is_some() || w.is_method()).map(|w| w.word);
    let methods = control::methods(None).chain(album::methods()).chain(tables().flat_map(methods));
    own.chain(methods).chain(tables().map(|t| t.word)).collect()
}

/// Every name that can stand alone or be called as a function.
pub fn functions<'a>() -> impl Iterator<Item = &'a str> {
    WORDS
        .iter()
        .filter(|w| !w.is_method() && w.word.starts_with(char::is_alphabetic))
        .map(|w| w.word)
        .chain(tables().map(|t| t.word))
        .chain(FUNCTIONS.iter().map(|(signature, _)| function_name(signature)))
}

/// "did you mean ...?", if some name is near.
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known.into_iter().filter(|other| *other != name)).map(|near| format!("did you mean `{near}`?"))
}

fn function_name(signature: &'static str) -> &'static str {
    signature.split('(').next().unwrap_or(signature)
}

/// One word as the reference shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WordEntry {
    /// The word itself.
    pub word: String,
    /// How it is written.
    pub signature: String,
    /// What it does, in one sentence.
    pub summary: String,
    /// A line that shows it.
    pub example: String,
    /// Which part of the reference it stands in.
    pub group: Group,
    /// Its parameters, each with a setter of its own name.
    pub parameters: Vec<ParameterEntry>,
    /// What may be appended to it any number of times.
    pub parts: Vec<PartEntry>,
    /// Of an effect: what it costs.
    pub cost: Option<Cost>,
}

/// What an effect costs with the settings of its example, as the bench of effects measured it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Percent of one core, for one channel in real time.
    pub percent: String,
    /// How many times what a `high_pass` took beside it.
    pub ratio: String,
}

/// What the bench of effects has written.
const COSTS: &str = include_str!("costs.tsv");

impl Cost {
    fn of(word: &str) -> Option<Cost> {
        let row = COSTS.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix('\t'))?;
        let (percent, ratio) = row.split_once('\t')?;
        Some(Cost { percent: percent.into(), ratio: ratio.into() })
    }
}

/// One parameter as the reference shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParameterEntry {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub takes: String,
    /// Its default; none if it has to be given, or if nothing is the default.
    pub default: Option<String>,
    /// Whether no control may move it, and a change of it builds the effect anew, crossfaded.
    pub fixed: bool,
    /// One line of help.
    pub help: String,
}

/// One part as the reference shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartEntry {
    /// How it is appended.
    pub signature: String,
    /// What it does, in one sentence.
    pub summary: String,
    /// Its parameters.
    pub parameters: Vec<ParameterEntry>,
}

impl ParameterEntry {
    pub(crate) fn new(parameter: &Parameter) -> Self {
        let default = match parameter.kind {
            Kind::Path | Kind::Folder | Kind::Signal | Kind::Channels | Kind::Pattern => None,
            Kind::Circuit | Kind::Port => None,
            _ => Some(parameter.show(&parameter.default())),
        };
        ParameterEntry {
            name: parameter.name.into(),
            takes: parameter.expected(),
            default,
            fixed: !parameter.moves && !matches!(parameter.kind, Kind::Pattern | Kind::Keyboard | Kind::Port),
            help: parameter.help.into(),
        }
    }
}

/// The mini-notation in short.
const NOTATION: &str = "A pattern in quotes, one cycle a bar: steps one after another; `~` a rest; `[a b]` a step of several, `a b . c d` the same \
    without brackets; `<a b>` another each cycle; `a,b` at once; `a|b` one of them, drawn; `a*2` `a/2` faster, slower; `a!3` again, `a@3` or \
    `a _ _` longer; `a?` by chance, `a?0.2` left out so often; `a(3,8,2)` three beats over eight steps, turned by two; `{a b c}%4` so many steps \
    a cycle; `0 .. 3` counts; `bd:2` another of a kind; `c4'maj` a chord, `c4'min7'i` its inversion. A number is a MIDI note, `c4` is 60.";

/// The whole reference: every word of every table, by group, in the order of the tables.
pub fn reference() -> Vec<WordEntry> {
    let plain = |word: &str, signature: &str, summary: &str, example: &str, group| WordEntry {
        word: word.into(),
        signature: signature.into(),
        summary: summary.into(),
        example: example.into(),
        group,
        parameters: Vec::new(),
        parts: Vec::new(),
        cost: None,
    };
    let of_synth = |word: &'static str| {
        SYNTH.parameters.iter().filter(move |p| word == SYNTH.word && !matches!(p.kind, Kind::Circuit))
    };
    let own = WORDS.iter().map(|w| WordEntry {
        parameters: control::parameters(w.word)
            .into_iter()
            .chain(album::parameters(w.word))
            .chain(of_synth(w.word).map(ParameterEntry::new))
            .collect(),
        ..plain(w.word, w.signature, w.summary, w.example, w.group)
    });
    let units = Unit::ALL.into_iter().map(|unit| {
        let suffix = unit.suffix();
        plain(suffix, &format!("number.{suffix}"), unit_summary(unit), &format!("3.{suffix}"), Group::Quantities)
    });
    let figures = Figure::ALL.into_iter().map(|figure| {
        let word = figure.word();
        let of = if figure == Figure::GainReduction { "at(\"voice/compressor\")" } else { "master" };
        plain(word, &format!("x.{word}"), figure.summary(), &format!("expect({of}.{word})"), Figures)
    });
    let comes_in = "What comes into an input or a bus, before what it passes through; figures of the thing itself are of what leaves it behind its chain.";
    let input = plain("input", "x.input", comes_in, "expect(at(\"band\").input.lufs)", Figures);
    let numbers = FUNCTIONS.iter().map(|(signature, summary)| {
        let name = function_name(signature);
        let example = if signature.contains(',') { format!("{name}(2, 3)") } else { format!("{name}(2)") };
        plain(name, signature, summary, &example, Numbers)
    });
    let tables = |list: &'static [&'static Table], group| list.iter().map(move |table| table_entry(table, group));
    let forms = trace::FORMS
        .iter()
        .map(|(word, signature, summary, example)| plain(word, signature, summary, example, Group::Circuits));
    let notation = plain(
        "pattern",
        "\"bd [sn hh]*2\"",
        NOTATION,
        "play(\"bd*2 <sn cp> [~ hh]!2 oh(3,8)?\", kit())",
        Group::Patterns,
    );
    let mut all: Vec<WordEntry> = own
        .chain([notation])
        .chain(forms)
        .chain(units)
        .chain(figures)
        .chain([input])
        .chain(numbers)
        .chain(tables(&sources::SOURCES, Group::Sources))
        .chain(tables(effects::EFFECTS, Group::Effects))
        .collect();
    all.sort_by_key(|entry| entry.group);
    all
}

fn table_entry(table: &'static Table, group: Group) -> WordEntry {
    let entry = |part: &Part, word: &str, summary: String, arguments: &[&str]| {
        let parameters = arguments.iter().filter_map(|name| part.index(name)).map(|i| &part.parameters[i]);
        PartEntry {
            signature: format!(".{word}({})", arguments.join(", ")),
            summary,
            parameters: parameters.map(ParameterEntry::new).collect(),
        }
    };
    let appended = table.parts.iter().map(|part| entry(part, part.word, part.summary.into(), part.arguments));
    let said = table.part_words().into_iter().map(|word| {
        let of = table.parts_with(word.word);
        let summary = match of.len() == table.parts.len() {
            true => word.summary.to_owned(),
            false => {
                let owners: Vec<String> = of.iter().map(|part| format!("`.{}`", part.word)).collect();
                format!("After {}: {}", owners.join(", "), word.summary)
            }
        };
        entry(of[0], word.word, summary, word.arguments)
    });
    let nested = nest::of(table).into_iter().flat_map(|nest| nest.methods).map(|(signature, summary)| PartEntry {
        signature: (*signature).into(),
        summary: (*summary).into(),
        parameters: Vec::new(),
    });
    WordEntry {
        word: table.word.into(),
        signature: format!("{}({})", table.word, table.arguments.join(", ")),
        summary: table.summary.into(),
        example: table.example.into(),
        group,
        parameters: table.parameters.iter().map(ParameterEntry::new).collect(),
        parts: appended.chain(said).chain(nested).collect(),
        cost: Cost::of(table.word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_stands_once_in_the_reference() {
        let mut seen = BTreeSet::new();
        for entry in reference() {
            assert!(!entry.summary.is_empty() && !entry.example.is_empty(), "{}", entry.word);
            assert!(seen.insert((entry.group, entry.word.clone())), "{} stands twice", entry.word);
        }
        assert!(seen.contains(&(Group::Effects, "fader".into())));
        assert!(seen.contains(&(Group::Quantities, "dB".into())));
    }

    #[test]
    fn every_effect_says_what_it_costs() {
        // But for what only leads to a device and back, and what does nothing until it has recorded something.
        let own =
            |entry: &WordEntry| entry.group == Group::Effects && !["insert", "looper"].contains(&entry.word.as_str());
        for entry in reference().into_iter().filter(own) {
            let cost =
                entry.cost.unwrap_or_else(|| panic!("run the bench of effects: `{}` is not in its table", entry.word));
            assert!(cost.percent.parse::<f64>().is_ok_and(|percent| percent >= 0.0), "{}: {cost:?}", entry.word);
            assert!(cost.ratio.parse::<f64>().is_ok_and(|ratio| ratio >= 0.0), "{}: {cost:?}", entry.word);
        }
    }

    #[test]
    fn methods_are_not_taken_from_variables_but_words_are() {
        assert!(is_word("fader") && is_word("master") && is_word("send"));
        assert!(!is_word("mix") && is_method("mix"));
    }
}
