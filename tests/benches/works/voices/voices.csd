<CsoundSynthesizer>
<CsInstruments>
sr = 48000
ksmps = 64
nchnls = 2
0dbfs = 1
instr 1
  i0 = p4
  ax vco2 1, 55 * (2 ^ (i0 * 0.051))
  kcf lfo 1350, 0.2
  ay rbjeq ax, 1650 + kcf, 1, 4, 1, 0
  al, ar pan2 ay * 0.005, i0 / 100
  outs al, ar
endin
</CsInstruments>
<CsScore>
{ 100 N
i 1 0 @seconds@ $N
}
</CsScore>
</CsoundSynthesizer>
