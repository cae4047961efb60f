"""Letters on paper: which fonts a document is set in, all of them inside its file.

chinese.py   a font of this machine, cut down to the letters that are used
embedded.py  the fonts of one PDF, by name

No font is fetched, and none lies here. DejaVu Sans (Bitstream Vera's licence) comes with
matplotlib; Noto Sans CJK and Source Han Sans (SIL Open Font License) come with the system. Both
licences let a document carry them.
"""
