"""What other programs read: rows in, bytes out, in the formats of the field.

errors.py      what cannot be written, and what to do
variables.py   a variable once for all formats; why a cell is empty; names that fit
people.py      one participant as the writers take them
study_sheet.py what a study is to the writers: visits, instruments and their words
flat.py        the long and the wide table
spss.py        .sav            stata.py   .dta, release 118
datapackage.py Frictionless    redcap.py  dictionary, events, mapping, records
odm.py         CDISC ODM 1.3.2 fhir.py    FHIR R4, one resource a line
reproduce.R    the script that computes a trial's results again in R

No Django below this line, and no library: the formats are written from their specifications, and
the tests read every one back with a program that is not ours (docs/interop.md). Writers are
generators: a study of any size passes through a few kilobytes of memory.
"""
