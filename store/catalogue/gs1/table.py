"""Every GS1 application identifier: its format, its companions and its place in a Digital Link.

Facts of the GS1 General Specifications (section 3, "Application Identifier definitions", and
section 4.14, "Data relationships") and of the GS1 Digital Link Standard: URI Syntax 1.6 (section 4,
which keys exist and which qualifiers follow them in which order).

A line reads: identifiers, flags, components, companions | data title.

- `310[0-5]` stands for 3100 to 3105.
- Flags: f = predefined length, no separator follows; a = may be an attribute in a Digital Link's
  query; s = only one of its series (310n) may appear; - = none of them.
- Components: character set (N digits, X set 82, Y set 39, Z file-safe base 64), then the length or
  `..` and the longest; after colons the rules of lints.py; a final `?` marks an optional component.
- `!` lists what may not appear beside it; `>` marks a key of Digital Links and its qualifiers in
  order, alternatives after a bar.
- A line `needs` holds for the lines below it: one of the listed groups must be present too.
"""

from __future__ import annotations

__all__ = ["TABLE"]

TABLE = """\
needs nothing
00 fa N18:csum:gcppos2 > | SSCC
01 fa N14:csum:gcppos2 !255,37 >22,10,21|235 | GTIN
03 f N14:csum:gcppos2 !01,02,37,235 | MTO GTIN
253 a N13:csum:gcppos1 X..17? > | GDTI
255 a N13:csum:gcppos1 N..12? !01,02,415,8006,8020,8026 > | GCN
400 a X..30 | ORDER NUMBER
401 a X..30:gcppos1 > | GINC
402 a N17:csum:gcppos1 > | GSIN
410 fa N13:csum:gcppos1 | SHIP TO LOC
411 fa N13:csum:gcppos1 | BILL TO
412 fa N13:csum:gcppos1 | PURCHASE FROM
413 fa N13:csum:gcppos1 | SHIP FOR LOC
414 fa N13:csum:gcppos1 >254|7040 | LOC No.
416 fa N13:csum:gcppos1 | PROD/SERV LOC
417 fa N13:csum:gcppos1 >7040 | PARTY
420 a X..20 !421 | SHIP TO POST
421 a N3:iso3166 X..9 !4307 | SHIP TO POST
7023 a X..30:gcppos1 | GIAI - ASSEMBLY
7040 - N1 X1 X1 X1:importeridx | UIC+EXT
8002 a X..20 | CMT No.
8003 a N1:zero N13:csum:gcppos1 X..16? > | GRAI
8004 a X..30:gcppos1 >7040 | GIAI
8006 a N14:csum:gcppos2 N4:pieceoftotal !01,03,37 >22,10,21 | ITIP
8010 a Y..30:gcppos1 >8011 | CPID
8013 a X..25:csumalpha:gcppos1 > | GMN
8017 a N18:csum:gcppos1 !8018 >8019 | GSRN - PROVIDER
8018 a N18:csum:gcppos1 !8017 >8019 | GSRN - RECIPIENT
8110 a X..70:couponcode |
8112 a X..70:couponposoffer |
90 a X..30 | INTERNAL
9[1-9] a X..90 | INTERNAL
needs 37
02 fa N14:csum:gcppos2 !01,03 | CONTENT
8026 a N14:csum:gcppos2 N4:pieceoftotal !02,03,8006 | ITIP CONTENT
needs 01,02,03,8006,8026
10 a X..20 | BATCH/LOT
11 fa N6:yymmd0 | PROD DATE
13 fa N6:yymmd0 | PACK DATE
15 fa N6:yymmd0 | BEST BEFORE or BEST BY
16 fa N6:yymmd0 | SELL BY
20 fa N2 | VARIANT
240 a X..30 | ADDITIONAL ID
241 a X..30 | CUST. PART No.
422 a N3:iso3166 !426 | ORIGIN
needs 8020
12 fa N6:yymmd0 | DUE DATE
391[0-9] as N3:iso4217 N..15 | AMOUNT
415 fa N13:csum:gcppos1 >8020 | PAY TO
needs 01,02,03,255,8006,8026
17 fa N6:yymmd0 | USE BY or EXPIRY
needs 01,03,8006
21 - X..20 !235 | SERIAL
251 a X..30 | REF. TO SOURCE
7021 a X..20 | FUNC STAT
8012 a X..20 | VERSION
needs 01
22 - X..20 | CPV
235 - X..28 | TPX
337[0-5] fas N6 | KG PER m²
710 a X..20 | NHRN PZN
711 a X..20 | NHRN CIP
712 a X..20 | NHRN CN
713 a X..20 | NHRN DRN
714 a X..20 | NHRN AIM
715 a X..20 | NHRN NDC
716 a X..20 | NHRN AIC
717 a X..20 | NHRN SRN
8001 a N4:nonzero N5:nonzero N3:nonzero N1:winding N1 | DIMENSIONS
8014 - X..25:csumalpha:gcppos1:hasnondigit | MUDI
8200 - X..70 | PRODUCT URL
needs 01,02,8006,8026
242 a N..6 | MTO VARIANT
7001 a N13 | NSN
needs 01,03
243 a X..20 | PCN
needs 01+21,03+21,8006+21
250 a X..30 | SECONDARY SERIAL
needs 414
254 - X..20 | GLN EXTENSION COMPONENT
needs 01,02
30 a N..8 | VAR. COUNT
310[0-5] fas N6 | NET WEIGHT (kg)
311[0-5] fas N6 | LENGTH (m)
312[0-5] fas N6 | WIDTH (m)
313[0-5] fas N6 | HEIGHT (m)
314[0-5] fas N6 | AREA (m²)
315[0-5] fas N6 | NET VOLUME (l)
316[0-5] fas N6 | NET VOLUME (m³)
320[0-5] fas N6 | NET WEIGHT (lb)
321[0-5] fas N6 | LENGTH (in)
322[0-5] fas N6 | LENGTH (ft)
323[0-5] fas N6 | LENGTH (yd)
324[0-5] fas N6 | WIDTH (in)
325[0-5] fas N6 | WIDTH (ft)
326[0-5] fas N6 | WIDTH (yd)
327[0-5] fas N6 | HEIGHT (in)
328[0-5] fas N6 | HEIGHT (ft)
329[0-5] fas N6 | HEIGHT (yd)
350[0-5] fas N6 | AREA (in²)
351[0-5] fas N6 | AREA (ft²)
352[0-5] fas N6 | AREA (yd²)
356[0-5] fas N6 | NET WEIGHT (tr oz)
357[0-5] fas N6 | NET VOLUME (oz)
360[0-5] fas N6 | NET VOLUME (qt (US))
361[0-5] fas N6 | NET VOLUME (gal.)
364[0-5] fas N6 | NET VOLUME (in³)
365[0-5] fas N6 | NET VOLUME (ft³)
366[0-5] fas N6 | NET VOLUME (yd³)
7002 a X..30 | MEAT CUT
7005 a X..12 | CATCH AREA
7006 a N6:yymmdd | FIRST FREEZE DATE
7007 a N6:yymmdd N6:yymmdd? | HARVEST DATE
7008 a X..3 | AQUATIC SPECIES
7009 a X..10 | FISHING GEAR TYPE
7030 a N3:iso3166999 X..27 | PROCESSOR # 0
7031 a N3:iso3166999 X..27 | PROCESSOR # 1
7032 a N3:iso3166999 X..27 | PROCESSOR # 2
7033 a N3:iso3166999 X..27 | PROCESSOR # 3
7034 a N3:iso3166999 X..27 | PROCESSOR # 4
7035 a N3:iso3166999 X..27 | PROCESSOR # 5
7036 a N3:iso3166999 X..27 | PROCESSOR # 6
7037 a N3:iso3166999 X..27 | PROCESSOR # 7
7038 a N3:iso3166999 X..27 | PROCESSOR # 8
7039 a N3:iso3166999 X..27 | PROCESSOR # 9
8005 a N6 | PRICE PER UNIT
needs 00,01
330[0-5] fas N6 | GROSS WEIGHT (kg)
331[0-5] fas N6 | LENGTH (m), log
332[0-5] fas N6 | WIDTH (m), log
333[0-5] fas N6 | HEIGHT (m), log
334[0-5] fas N6 | AREA (m²), log
335[0-5] fas N6 | VOLUME (l), log
336[0-5] fas N6 | VOLUME (m³), log
340[0-5] fas N6 | GROSS WEIGHT (lb)
341[0-5] fas N6 | LENGTH (in), log
342[0-5] fas N6 | LENGTH (ft), log
343[0-5] fas N6 | LENGTH (yd), log
344[0-5] fas N6 | WIDTH (in), log
345[0-5] fas N6 | WIDTH (ft), log
346[0-5] fas N6 | WIDTH (yd), log
347[0-5] fas N6 | HEIGHT (in), log
348[0-5] fas N6 | HEIGHT (ft), log
349[0-5] fas N6 | HEIGHT (yd), log
353[0-5] fas N6 | AREA (in²), log
354[0-5] fas N6 | AREA (ft²), log
355[0-5] fas N6 | AREA (yd²), log
362[0-5] fas N6 | VOLUME (qt (US)), log
363[0-5] fas N6 | VOLUME (gal (US)), log
367[0-5] fas N6 | VOLUME (in³), log
368[0-5] fas N6 | VOLUME (ft³), log
369[0-5] fas N6 | VOLUME (yd³), log
needs 00+02,00+8026
37 a N..8 | COUNT
needs 255,8020
390[0-9] as N..15 !391n,394n,8111 | AMOUNT
needs 01+30,01+31nn,01+32nn,01+35nn,01+36nn
392[0-9] as N..15 !393n | PRICE
needs 30,31nn,32nn,35nn,36nn
393[0-9] as N3:iso4217 N..15 | PRICE
395[0-5] as N6 !392n,393n,8005 | PRICE/UoM
needs 255
394[0-3] as N4 !8111 | PRCNT OFF
8111 a N4 | POINTS
needs 00
403 a X..30 | ROUTE
4300 a X..35:pcenc | SHIP TO COMP
4301 a X..35:pcenc | SHIP TO NAME
4302 a X..70:pcenc | SHIP TO ADD1
4304 a X..70:pcenc | SHIP TO SUB
4305 a X..70:pcenc | SHIP TO LOC
4306 a X..70:pcenc | SHIP TO REG
4307 a X2:iso3166alpha2 | SHIP TO COUNTRY
4308 a X..30 | SHIP TO PHONE
4309 a N10:latitude N10:longitude | SHIP TO GEO
4310 a X..35:pcenc | RTN TO COMP
4311 a X..35:pcenc | RTN TO NAME
4312 a X..70:pcenc | RTN TO ADD1
4314 a X..70:pcenc | RTN TO SUB
4315 a X..70:pcenc | RTN TO LOC
4316 a X..70:pcenc | RTN TO REG
4317 a X2:iso3166alpha2 | RTN TO COUNTRY
4318 a X..20 | RTN TO POST
4319 a X..30 | RTN TO PHONE
4320 a X..35:pcenc | SRV DESCRIPTION
4321 a N1:yesno | DANGEROUS GOODS
4322 a N1:yesno | AUTH TO LEAVE
4323 a N1:yesno | SIG REQUIRED
4324 a N6:yymmd0 N4:hhmi | NOT BEF DEL DT
4325 a N6:yymmd0 N4:hhmi | NOT AFT DEL DT
4326 a N6:yymmdd | REL DATE
4330 a N6 X1:hyphen? !4331 | MAX TEMP F.
4331 a N6 X1:hyphen? !4330 | MAX TEMP C.
4332 a N6 X1:hyphen? !4333 | MIN TEMP F.
4333 a N6 X1:hyphen? !4332 | MIN TEMP C.
7041 - X..4:packagetype | UFRGT UNIT TYPE
needs 01,02,03
423 a N3:iso3166 N3:iso3166? N3:iso3166? N3:iso3166? N3:iso3166? !426 | COUNTRY - INITIAL PROCESS
424 a N3:iso3166 !426 | COUNTRY - PROCESS
425 a N3:iso3166 N3:iso3166? N3:iso3166? N3:iso3166? N3:iso3166? !426 | COUNTRY - DISASSEMBLY
426 a N3:iso3166 | COUNTRY - FULL PROCESS
7003 a N6:yymmdd N4:hhmi | EXPIRY TIME
7010 a X..2 | PROD METHOD
7011 a N6:yymmdd N4:hhmi? | TEST BY DATE
8008 a N6:yymmdd N2:hh N2:mi? N2:ss? | PROD TIME
needs 01+422,02+422,03+422
427 a X..3 | ORIGIN SUBDIVISION
needs 4302
4303 a X..70:pcenc | SHIP TO ADD2
needs 4312
4313 a X..70:pcenc | RTN TO ADD2
needs 01+10,03+10
7004 a N..4 | ACTIVE POTENCY
needs 01+416,03+416,8006+416
7020 a X..20 | REFURB LOT
needs 01+7021,03+7021,8006+7021
7022 a X..20 | REV STAT
needs 01,8004
7230 a X2 X..28 | CERT # 1
7231 a X2 X..28 | CERT # 2
7232 a X2 X..28 | CERT # 3
7233 a X2 X..28 | CERT # 4
7234 a X2 X..28 | CERT # 5
7235 a X2 X..28 | CERT # 6
7236 a X2 X..28 | CERT # 7
7237 a X2 X..28 | CERT # 8
7238 a X2 X..28 | CERT # 9
7239 a X2 X..28 | CERT # 10
needs 01,8006
7240 a X..20 !03 | PROTOCOL
needs 8017,8018
7241 a N2:mediatype | AIDC MEDIA TYPE
7242 a X..25 | VCN
7253 a X..40:pcenc !7256,7259 | FAMILY NAME
7254 a X..40:pcenc !7256,7259 | GIVEN NAME
7255 a X..10 !7256,7259 | SUFFIX
7256 a X..90:pcenc | FULL NAME
8019 - N..10 | SRIN
needs 8018
7250 a N8:yyyymmdd !7251 | DOB
7251 a N8:yyyymmdd N4:hhmi !7250 | DOB TIME
7252 a N1:iso5218 | BIO SEX
7257 a X..70:pcenc | PERSON ADDR
7259 a X..40:pcenc !7256 | BABY
needs 8018+7259
7258 a X3:posinseqslash | BIRTH SEQUENCE
needs 415
8007 a X..34:iban | IBAN
8020 - X..25 | REF No.
needs 00,01,03
8009 a X..50 | OPTSEN
needs 8010
8011 - N..12:nozeroprefix | CPID SERIAL
needs 00,01+21,03+21,253,255,8003,8004,8006+21,8010+8011,8017,8018
8030 a Z..90 | DIGSIG
needs 01+21
8040 - N15 | IMEI
needs 01+21+8040
8041 - N15 | IMEI2
8042 - N32 | ESIM
8043 - N18 N..2? | PSIM
"""
