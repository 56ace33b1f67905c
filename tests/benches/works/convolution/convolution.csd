<CsoundSynthesizer>
<CsInstruments>
sr = 48000
ksmps = 64
nchnls = 2
0dbfs = 1
gileft ftgen 1, 0, 0, -1, "response.wav", 0, 0, 1
giright ftgen 2, 0, 0, -1, "response.wav", 0, 0, 2
instr 1
  al, ar soundin "programme.wav"
  al ftconv al, gileft, 8192
  ar ftconv ar, giright, 8192
  outs al, ar
endin
</CsInstruments>
<CsScore>
i 1 0 @seconds@
</CsScore>
</CsoundSynthesizer>
