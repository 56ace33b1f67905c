//! Words that are something else within `synth(|note| ...)` and `dsp("name", |x| ...)` than outside: how each is written there.

/// What is called otherwise in a circuit than elsewhere: the word, how it is written there, what it is, an example.
pub const FORMS: [(&str, &str, &str, &str); 15] = [
    (
        "sine",
        "sine(freq, phase)",
        "In a voice or a dsp: a sine from -1 to 1; the phase in cycles, 0 unless said.",
        "x >> dsp(\"ring\", |x| x * sine(200))",
    ),
    (
        "saw",
        "saw(freq, phase)",
        "In a voice or a dsp: a saw from -1 to 1, band-limited.",
        "play(\"c2\", synth(|note| saw(note.freq) * 0.5 + saw(note.freq * 1.01) * 0.5))",
    ),
    (
        "square",
        "square(freq, phase)",
        "In a voice or a dsp: a square from -1 to 1, band-limited.",
        "play(\"c3\", synth(|note| square(note.freq)))",
    ),
    (
        "triangle",
        "triangle(freq, phase)",
        "In a voice or a dsp: a triangle from -1 to 1, band-limited.",
        "play(\"c4\", synth(|note| triangle(note.freq)))",
    ),
    (
        "pulse",
        "pulse(freq, width, phase)",
        "In a voice or a dsp: a pulse from -1 to 1, band-limited; its width from 0 to 1.",
        "play(\"c2\", synth(|note| pulse(note.freq, 0.5 + 0.3 * lfo(0.5))))",
    ),
    (
        "noise",
        "noise(colour)",
        "In a voice or a dsp: noise from -1 to 1, \"white\" unless said, or \"pink\".",
        "play(\"c4*8\", synth(|note| noise() >> high_pass(6000)))",
    ),
    (
        "lfo",
        "lfo(rate, shape)",
        "In a voice or a dsp: to and fro between -1 and 1, at a rate in Hz that does not move; \"sine\" unless said, \"triangle\", \"saw\" or \"square\".",
        "play(\"c3\", synth(|note| saw(note.freq * (1 + 0.01 * lfo(5)))))",
    ),
    (
        "low_pass",
        "signal >> low_pass(freq, q)",
        "In a voice or a dsp: what is above `freq` falls by 12 dB an octave; `q` is 0.71 unless said. Both may be signals.",
        "play(\"c2\", synth(|note| saw(note.freq) >> low_pass(300 + 4000 * decay(300), 3)))",
    ),
    (
        "high_pass",
        "signal >> high_pass(freq, q)",
        "In a voice or a dsp: as low_pass, for what is below.",
        "x >> dsp(\"thin\", |x| x >> high_pass(400))",
    ),
    (
        "band_pass",
        "signal >> band_pass(freq, q)",
        "In a voice or a dsp: what is around `freq`.",
        "x >> dsp(\"telephone\", |x| x >> band_pass(1200, 1))",
    ),
    (
        "notch",
        "signal >> notch(freq, q)",
        "In a voice or a dsp: all but what is at `freq`.",
        "x >> dsp(\"hole\", |x| x >> notch(1000, 4))",
    ),
    (
        "gain",
        "signal >> gain(level)",
        "In a voice or a dsp: a level in dB, which may be a signal.",
        "x >> dsp(\"half\", |x| x >> gain(-6))",
    ),
    (
        "delay",
        "delay(signal, frames, most)",
        "In a voice or a dsp: so many frames ago, parts of a frame in between; `most` is the most that it will ever be, and does not move.",
        "x >> dsp(\"comb\", |x| x + 0.5 * delay(x, 100, 200))",
    ),
    (
        "feedback",
        "feedback(|y| ...)",
        "In a voice or a dsp: what the function gives, handed to it again as `y` a frame later.",
        "x >> dsp(\"pole\", |x| feedback(|y| 0.9 * y + 0.1 * x))",
    ),
    (
        "note",
        "note.freq",
        "In a voice: the note's `freq` in Hz, `pitch` as a MIDI number, `velocity` from 0 to 1, `gate` while it is held, `age` in seconds, and `random` from 0 to 1, another for each note.",
        "play(\"c3 e3\", synth(|note| sine(note.freq) * note.velocity))",
    ),
];
