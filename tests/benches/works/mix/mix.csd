<CsoundSynthesizer>
<CsInstruments>
sr = 48000
ksmps = 64
nchnls = 2
0dbfs = 1
gal[] init 4
gar[] init 4
garoom init 0
gaecho init 0
gasuml init 0
gasumr init 0

opcode Turned, aa, aaiiiii
  al, ar, ithresh, iratio, iatt, irel, ilook xin
  akey = max(abs(al), abs(ar))
  al compress2 al, akey, -120, ithresh, ithresh, iratio, iatt, irel, ilook
  ar compress2 ar, akey, -120, ithresh, ithresh, iratio, iatt, irel, ilook
  xout al, ar
endop

opcode Low, a, ai
  ax, ifreq xin
  ax butterlp ax, ifreq
  ax butterlp ax, ifreq
  xout ax
endop

opcode High, a, ai
  ax, ifreq xin
  ax butterhp ax, ifreq
  ax butterhp ax, ifreq
  xout ax
endop

opcode Apart, aaa, a
  ax xin
  alow Low ax, 200
  alow2 Low alow, 2000
  ahigh2 High alow, 2000
  ahigh High ax, 200
  amid Low ahigh, 2000
  atop High ahigh, 2000
  xout alow2 + ahigh2, amid, atop
endop

opcode Bands, a, a
  ax xin
  ax rbjeq ax, 100, ampdb(1), 0.7071, 1, 10
  ax rbjeq ax, 300, ampdb(-1), 1, 1, 8
  ax rbjeq ax, 3000, ampdb(1), 1, 1, 8
  ax rbjeq ax, 10000, ampdb(1.5), 0.7071, 1, 12
  xout ax
endop

instr 1
  Sfile sprintf "in-%d.wav", p4
  igroup = int((p4 - 1) / 8)
  ax soundin Sfile
  ax rbjeq ax, 80, 1, 0.7071, 1, 2
  ax rbjeq ax, 100, ampdb(2), 0.7071, 1, 10
  ax rbjeq ax, 300 + 2 * p4, ampdb(-3), 1.2, 1, 8
  ax rbjeq ax, 2500, ampdb(2), 1, 1, 8
  ax rbjeq ax, 8000, ampdb(1.5), 0.7071, 1, 12
  ax compress2 ax, ax, -120, -32.4, -32.4, 3, 0.01, 0.2, 0.001
  ax = ax * ampdb(-3)
  al, ar pan2 ax, (p4 - 0.5) / @strips@
  gal[igroup] = gal[igroup] + al
  gar[igroup] = gar[igroup] + ar
  garoom = garoom + ax * ampdb(-18)
  gaecho = gaecho + ax * ampdb(-20)
endin

instr 2
  al = gal[p4]
  ar = gar[p4]
  al, ar Turned al, ar, -28.5, 2, 0.02, 0.25, 0.001
  gasuml = gasuml + al
  gasumr = gasumr + ar
  azero = 0
  gal[p4] = azero
  gar[p4] = azero
endin

instr 3
  al, ar reverbsc garoom, garoom, 0.8, 10000
  aback init 0
  aecho delay gaecho + aback, 0.375
  aback = aecho * 0.35
  aback atone aback, 100
  aback tone aback, 8000
  gasuml = gasuml + al * 0.5 + aecho
  gasumr = gasumr + ar * 0.5 + aecho
  garoom = 0
  gaecho = 0
endin

instr 4
  al Bands gasuml
  ar Bands gasumr
  al1, al2, al3 Apart al
  ar1, ar2, ar3 Apart ar
  al1, ar1 Turned al1, ar1, -26.5, 2, 0.03, 0.3, 0.001
  al2, ar2 Turned al2, ar2, -26.5, 2, 0.02, 0.2, 0.001
  al3, ar3 Turned al3, ar3, -25.3, 2, 0.01, 0.1, 0.001
  al = (al1 + al2 + al3) * ampdb(1)
  ar = (ar1 + ar2 + ar3) * ampdb(1)
  al, ar Turned al, ar, -1, 100, 0.0005, 0.05, 0.0015
  outs al, ar
  gasuml = 0
  gasumr = 0
endin
</CsInstruments>
<CsScore>
{ @strips@ N
i 1 0 @seconds@ [$N + 1]
}
{ 4 N
i [2 + $N / 10] 0 @seconds@ $N
}
i 3 0 @seconds@
i 4 0 @seconds@
</CsScore>
</CsoundSynthesizer>
