SawOsc s[100]; LPF f[100]; Pan2 p[100]; SinOsc l => blackhole; 0.2 => l.freq;
for (0 => int i; i < 100; i++) { s[i] => f[i] => p[i] => dac; 55 * Math.pow(2, i * 0.051) => s[i].freq; 0.005 => s[i].gain; 4 => f[i].Q; i / 50.0 - 1 => p[i].pan; }
WvOut2 w => blackhole; dac => w; "chuck.wav" => w.wavFilename;
now + @seconds@::second => time end;
while (now < end) { for (0 => int i; i < 100; i++) 1650 + 1350 * l.last() => f[i].freq; 64::samp => now; }
w.closeFile();
