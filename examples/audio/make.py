#!/usr/bin/env python3
"""Makes the sounds of the examples. Four loops: four bars at 96 beats a minute, 48 000 Hz, each exactly 480 000 frames; and
the response of a small room, which falls by 60 dB in 0.7 s.

    python3 make.py

writes drums.flac, bass.flac, keys.flac, voice.flac and room.flac beside this file. Only the standard library is needed; what is
random is seeded, so that the same script makes the same sound. What rings past the end of a loop is added to its start:
the loops have no seam.
"""

import hashlib
import math
import os
import random
import struct

RATE = 48_000
BEAT = RATE * 60 // 96
STEP = BEAT // 4
BAR = 4 * BEAT
FRAMES = 4 * BAR
TAU = 2 * math.pi


def note(name):
    """The frequency of a note such as `a2` or `f#3`."""
    semitone = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}[name[0]] + name.count("#")
    return 440.0 * 2 ** ((semitone - 9) / 12 + int(name[-1]) - 4)


def add(loop, start, sound, gain=1.0):
    """Adds a sound to a loop, round its end."""
    for i, x in enumerate(sound):
        loop[(start + i) % FRAMES] += gain * x


def decay(i, seconds):
    return math.exp(-i / (seconds * RATE))


def low_pass(sound, frequency):
    """One pole; `frequency` is a number, or a function of the frame."""
    out, y = [], 0.0
    for i, x in enumerate(sound):
        f = frequency(i) if callable(frequency) else frequency
        y += (1 - math.exp(-TAU * f / RATE)) * (x - y)
        out.append(y)
    return out


def high_pass(sound, frequency):
    return [x - y for x, y in zip(sound, low_pass(sound, frequency))]


def noise(dice, seconds):
    return [dice.uniform(-1, 1) for _ in range(int(seconds * RATE))]


def fade_out(sound, seconds=0.01):
    last = int(seconds * RATE)
    for i in range(last):
        sound[-1 - i] *= i / last
    return sound


# Drums

def kick():
    sound, phase = [], 0.0
    for i in range(int(0.4 * RATE)):
        phase += (48 + 130 * decay(i, 0.022)) / RATE
        sound.append(math.sin(TAU * phase) * decay(i, 0.11) + 0.25 * math.sin(TAU * 1800 * i / RATE) * decay(i, 0.002))
    return fade_out(sound)


def snare(dice):
    rattle = low_pass(high_pass(noise(dice, 0.3), 900), 6500)
    return fade_out([0.55 * math.sin(TAU * (186 + 50 * decay(i, 0.01)) * i / RATE) * decay(i, 0.05)
                     + 0.9 * x * decay(i, 0.065) for i, x in enumerate(rattle)])


def hat(dice, seconds):
    hiss = high_pass(high_pass(noise(dice, min(6 * seconds, 0.5)), 7500), 7500)
    return fade_out([x * decay(i, seconds) for i, x in enumerate(hiss)])


def drums():
    dice, loop = random.Random(96), [0.0] * FRAMES
    kicks = ["x.....x...x.....", "x.....x...x..x..", "x.....x...x.....", "x..x..x...x...x."]
    snares = ["....x.......x...", "....x.......x..o", "....x..o....x...", "....x.......x.oo"]
    hats = ["x.xox.x.x.xox.xo", "x.xox.x.x.xox.O.", "x.xox.x.x.xox.xo", "x.xox.xox.xoO.x."]
    for bar in range(4):
        for step in range(16):
            # Every second sixteenth comes a little late: a swing of 54 per cent.
            start = bar * BAR + step * STEP + (step % 2) * STEP * 8 // 100
            if kicks[bar][step] == "x":
                add(loop, start, kick(), 0.62)
            if snares[bar][step] != ".":
                add(loop, start, snare(dice), 0.5 if snares[bar][step] == "x" else 0.11)
            if hats[bar][step] != ".":
                long = hats[bar][step] == "O"
                level = {"x": 0.2, "o": 0.1, "O": 0.2}[hats[bar][step]] * dice.uniform(0.85, 1.0)
                add(loop, start, hat(dice, 0.09 if long else 0.022), level)
    return loop


# Bass

def bass_note(frequency, frames):
    phase, sound = 0.0, []
    for _ in range(frames):
        phase = (phase + frequency / RATE) % 1
        # A saw with its corner rounded over two frames, so that it does not alias.
        saw, edge = 2 * phase - 1, 2 * frequency / RATE
        if phase < edge:
            t = phase / edge
            saw -= t + t - t * t - 1
        elif phase > 1 - edge:
            t = (phase - 1) / edge
            saw -= t * t + t + t + 1
        sound.append(0.6 * saw + 0.5 * math.sin(TAU * phase))
    for _ in range(2):
        sound = low_pass(sound, lambda i: 140 + 900 * decay(i, 0.12))
    attack, release = int(0.004 * RATE), int(0.03 * RATE)
    return [x * min(1, i / attack, (frames - 1 - i) / release) * (0.6 + 0.4 * decay(i, 0.25))
            for i, x in enumerate(sound)]


def bass():
    loop = [0.0] * FRAMES
    bars = [
        [("a1", 0, 5), ("a1", 6, 2), ("e2", 8, 1), ("a1", 10, 3), ("g1", 14, 2)],
        [("f1", 0, 5), ("f1", 6, 2), ("c2", 8, 1), ("f1", 10, 3), ("a1", 14, 2)],
        [("c2", 0, 5), ("c2", 6, 2), ("g1", 8, 1), ("c2", 10, 3), ("b1", 14, 2)],
        [("g1", 0, 5), ("g1", 6, 2), ("d2", 8, 1), ("g1", 10, 2), ("g1", 13, 1), ("g#1", 14, 2)],
    ]
    for bar, notes in enumerate(bars):
        for name, step, length in notes:
            add(loop, bar * BAR + step * STEP, bass_note(note(name), length * STEP), 0.85)
    return loop


# Keys: an electric piano by frequency modulation (Chowning, 1973)

def key(frequency, frames, strength):
    release, sound = int(0.25 * RATE), []
    for i in range(frames + release):
        body = 1.1 * strength * decay(i, 0.9) * math.sin(TAU * frequency * i / RATE)
        tine = 0.35 * strength * decay(i, 0.12) * math.sin(TAU * 7 * frequency * i / RATE)
        level = decay(i, 1.4) * min(1, i / 60) * (1 if i < frames else decay(i - frames, 0.06))
        sound.append(level * math.sin(TAU * frequency * i / RATE + body + tine))
    return fade_out(sound)


def keys():
    dice, loop = random.Random(88), [0.0] * FRAMES
    chords = [["a3", "c4", "e4", "g4", "b4"], ["f3", "c4", "e4", "g4", "a4"],
              ["g3", "c4", "d4", "e4", "b4"], ["g3", "b3", "d4", "e4", "a4"]]
    for bar, chord in enumerate(chords):
        for step, length, strength in [(0, 5, 1.0), (6, 3, 0.6), (11, 4, 0.8)]:
            for voice, name in enumerate(chord):
                # A hand does not land all at once.
                start = bar * BAR + step * STEP + voice * 130 + dice.randrange(200)
                add(loop, start, key(note(name), length * STEP, strength * dice.uniform(0.8, 1.0)), 0.1 * strength)
    return loop


# Voice: a sung vowel, its harmonics weighed by formants

FORMANTS = {"a": [(730, 90, 1.0), (1090, 110, 0.5), (2440, 160, 0.2)],
            "o": [(500, 80, 1.0), (850, 100, 0.4), (2410, 160, 0.08)],
            "i": [(300, 70, 1.0), (2250, 140, 0.25), (2950, 180, 0.15)]}


def weight(vowel, frequency):
    return 0.03 + sum(g / (1 + ((frequency - f) / w) ** 2) for f, w, g in FORMANTS[vowel])


def voice():
    loop = [0.0] * FRAMES
    # Note, step from the start of the loop, length in steps, vowel.
    tune = [("e4", 4, 4, "a"), ("d4", 8, 2, "o"), ("c4", 10, 5, "a"),
            ("a3", 18, 3, "o"), ("c4", 21, 3, "a"), ("d4", 24, 6, "i"),
            ("e4", 34, 4, "a"), ("g4", 38, 2, "i"), ("e4", 40, 7, "o"),
            ("d4", 52, 3, "a"), ("b3", 55, 2, "o"), ("d4", 57, 5, "a")]
    dice = random.Random(4)
    for name, step, length, vowel in tune:
        target, frames = note(name), length * STEP
        harmonics = range(1, int(5000 / target))
        weights = [weight(vowel, k * target) / k ** 0.3 for k in harmonics]
        scale = 1 / math.sqrt(sum(w * w for w in weights))
        drift, phase, sound = dice.uniform(-0.002, 0.002), 0.0, []
        for i in range(frames):
            seconds = i / RATE
            # It slides up into the note, and trembles once it is there.
            slide = -0.04 * decay(i, 0.05)
            tremble = 0.008 * min(1, max(0, (seconds - 0.2) / 0.3)) * math.sin(TAU * 5.3 * seconds)
            phase += target * (1 + slide + tremble + drift) / RATE
            swell = min(1, seconds / 0.06, (frames - i) / (0.09 * RATE))
            c, s = math.cos(TAU * phase), math.sin(TAU * phase)
            # Each harmonic from the one before: two multiplications instead of a sine.
            x, re, im = 0.0, 1.0, 0.0
            for w in weights:
                re, im = re * c - im * s, re * s + im * c
                x += w * im
            sound.append(scale * x * swell * swell * (0.75 + 0.25 * decay(i, 0.5)))
        add(loop, step * STEP, sound, 0.3)
    return loop


# FLAC (RFC 9639), with fixed predictors and Rice codes

def room():
    """Reflections, then noise that falls and loses its highs; its energy is half of a single full-scale frame's."""
    dice = random.Random(5)
    length = int(0.9 * RATE)
    tail = low_pass(noise(dice, 0.9), lambda i: 400 + 9000 * decay(i, 0.12))
    sound = [x * decay(i, 0.7 / math.log(1000)) * min(1, i / (0.02 * RATE)) for i, x in enumerate(tail)]
    for ms, gain in [(2.9, 0.5), (4.7, -0.4), (7.3, 0.42), (11.1, 0.3), (13.7, -0.33), (18.9, 0.25)]:
        sound[int(ms * RATE / 1000)] += gain
    scale = math.sqrt(0.5 / sum(x * x for x in sound))
    return [scale * x for x in fade_out(sound)][:length]


def crc(data, bits, polynomial):
    value, top, mask = 0, 1 << (bits - 1), (1 << bits) - 1
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
    return value


def binary(value, bits):
    return format(value & ((1 << bits) - 1), "0%db" % bits) if bits else ""


def to_bytes(bits):
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def subframe(samples):
    """One channel of a block, as bits: the order of differences that leaves the least."""
    if all(x == samples[0] for x in samples):
        return binary(0, 8) + binary(samples[0], 16)
    differences, best = samples, None
    for order in range(5):
        if order:
            differences = [b - a for a, b in zip(differences, differences[1:])]
        cost = sum(map(abs, differences))
        if best is None or cost < best[0]:
            best = (cost, order, differences)
    _, order, residual = best
    partition_order = 4 if len(samples) % 16 == 0 else 0
    size = len(samples) >> partition_order
    bits = [binary(0b0010000 >> 1 | order, 7), "0"]
    bits += [binary(x, 16) for x in samples[:order]]
    bits += ["00", binary(partition_order, 4)]
    start = 0
    for partition in range(1 << partition_order):
        part = [2 * x if x >= 0 else -2 * x - 1 for x in residual[start:(partition + 1) * size - order]]
        start = (partition + 1) * size - order
        k = min(14, max(0, (sum(part) // max(1, len(part))).bit_length() - 1))
        bits.append(binary(k, 4))
        bits += ["0" * (x >> k) + "1" + binary(x, k) for x in part]
    return "".join(bits)


def number(n):
    """A frame's number, coded like a character in UTF-8."""
    return chr(n).encode()


def write_flac(path, loop):
    samples = [max(-32768, min(32767, round(32767 * x))) for x in loop]
    block = 4096
    info = to_bytes(binary(block, 16) * 2 + "0" * 48 + binary(RATE, 20) + binary(0, 3) + binary(15, 5)
                    + binary(len(samples), 36)) + hashlib.md5(struct.pack("<%dh" % len(samples), *samples)).digest()
    with open(path, "wb") as file:
        file.write(b"fLaC" + bytes([0x80, 0, 0, len(info)]) + info)
        for n, start in enumerate(range(0, len(samples), block)):
            part = samples[start:start + block]
            whole = len(part) == block
            header = bytes([0xFF, 0xF8, (0xCA if whole else 0x7A), 0x08]) + number(n)
            header += b"" if whole else struct.pack(">H", len(part) - 1)
            frame = header + bytes([crc(header, 8, 0x07)]) + to_bytes(subframe(part))
            file.write(frame + struct.pack(">H", crc(frame, 16, 0x8005)))


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    for name, make in [("drums", drums), ("bass", bass), ("keys", keys), ("voice", voice)]:
        loop = make()
        peak = max(map(abs, loop))
        assert len(loop) == FRAMES and peak < 1, "%s: %d frames, peak %.3f" % (name, len(loop), peak)
        path = os.path.join(folder, name + ".flac")
        write_flac(path, loop)
        rms = math.sqrt(sum(x * x for x in loop) / FRAMES)
        print("%s: peak %.1f dB, %.1f dB RMS, %d bytes"
              % (name, 20 * math.log10(peak), 20 * math.log10(rms), os.path.getsize(path)))
    path = os.path.join(folder, "room.flac")
    write_flac(path, room())
    print("room: %d bytes" % os.path.getsize(path))


if __name__ == "__main__":
    main()
