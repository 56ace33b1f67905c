<CsoundSynthesizer>
<CsInstruments>
sr = 48000
ksmps = 64
nchnls = 2
0dbfs = 1
instr 1
  Sfile sprintf "in-%d.wav", p4
  ax soundin Sfile
  ax rbjeq ax, 80, 1, 0.7071, 1, 2
  ax rbjeq ax, 100, ampdb(2), 0.7071, 1, 10
  ax rbjeq ax, 300 + 2 * p4, ampdb(-3), 1.2, 1, 8
  ax rbjeq ax, 2500, ampdb(2), 1, 1, 8
  ax rbjeq ax, 8000, ampdb(1.5), 0.7071, 1, 12
  ax compress2 ax, ax, -120, -32.4, -32.4, 3, 0.01, 0.2, 0.001
  al, ar pan2 ax * @linear@, (p4 - 0.5) / @strips@
  outs al, ar
endin
</CsInstruments>
<CsScore>
{ @strips@ N
i 1 0 @seconds@ [$N + 1]
}
</CsScore>
</CsoundSynthesizer>
