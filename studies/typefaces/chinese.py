"""Chinese letters on paper and in pixels: a font that this machine has, cut down to what is used.

None is shipped and none is fetched. reportlab embeds TrueType outlines only; a font with PostScript
outlines (Noto, Source Han) is converted by fontTools, which matplotlib brings along.
"""

import io
import logging
from functools import cache
from threading import Lock

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.filterPen import DecomposingFilterPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph
from matplotlib.font_manager import FontEntry, fontManager

# It tells of every glyph.
logging.getLogger("fontTools").setLevel(logging.WARNING)
# Sans-serif fonts of simplified Chinese on Linux, Windows and macOS, the best first.
FAMILIES = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN",
    "Microsoft YaHei", "PingFang SC", "Hiragino Sans GB", "Heiti SC", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Droid Sans Fallback", "SimHei", "Noto Serif CJK SC", "SimSun",
)  # fmt: skip
FIRST = "\u2e80"
NORMAL, BOLD = 400, 700
# Half a unit of a thousand: nobody sees the difference on paper.
GREATEST_ERROR = 0.5
EMPTY_BOX, POSTSCRIPT_NAME = ".notdef", 6
OS2 = (
    "usWeightClass", "usWidthClass", "fsType", "sTypoAscender", "sTypoDescender", "sTypoLineGap",
    "usWinAscent", "usWinDescent", "sxHeight", "sCapHeight",
)  # fmt: skip


def is_chinese(text: str) -> bool:
    """Return whether a text needs such a font."""
    return any(letter >= FIRST for letter in text)


@cache
def installed(weight: int = NORMAL) -> FontEntry | None:
    """Return the best font of this machine that has Chinese letters, if there is one."""
    places = {name: place for place, name in enumerate(FAMILIES)}
    found = [
        font
        for font in fontManager.ttflist
        if font.name in places and font.style == "normal" and isinstance(font.weight, int)
    ]
    return min(
        found,
        key=lambda font: (places[font.name], abs(font.weight - weight), font.fname),
        default=None,
    )


class _Source:
    """A font that stays open, with the letters that were drawn from it so far."""

    def __init__(self, path: str, index: int) -> None:
        self.lock = Lock()
        self.font = TTFont(path, fontNumber=index, lazy=True)
        self.names: dict[int, str] = self.font.getBestCmap()
        self._outlines = self.font.getGlyphSet()
        self._drawn: dict[str, Glyph] = {}

    def glyph(self, name: str) -> Glyph:
        """Return a glyph in quadratic curves, its components drawn out."""
        if name not in self._drawn:
            pen = TTGlyphPen(None)
            # PostScript outlines run the other way round.
            turned = Cu2QuPen(pen, GREATEST_ERROR, reverse_direction="glyf" not in self.font)
            self._outlines[name].draw(DecomposingFilterPen(turned, self._outlines))
            self._drawn[name] = pen.glyph()
        return self._drawn[name]

    def width(self, name: str) -> int:
        """Return how far a glyph moves on, in the font's own units."""
        return self.font["hmtx"][name][0]


@cache
def _opened(path: str, index: int) -> _Source:
    return _Source(path, index)


def cut_down(entry: FontEntry, letters: str) -> bytes:
    """Return a TrueType font with these letters of an installed font; twice the same bytes.

    The installed font stays open and a letter is drawn once in the life of a process: to read all
    its tens of thousands takes half a second of processor time, and every signed copy needs some.

    Parameters
    ----------
    entry : FontEntry
        As `installed` found it.
    letters : str
        What the font must have; a letter that it lacks becomes an empty box.
    """
    source = _opened(entry.fname, entry.index)
    with source.lock:
        return _built(source, letters)


def _built(source: _Source, letters: str) -> bytes:
    known = {
        ord(letter): source.names[ord(letter)]
        for letter in sorted(set(letters))
        if ord(letter) in source.names
    }
    order = [EMPTY_BOX, *dict.fromkeys(known.values())]
    glyphs = {name: source.glyph(name) for name in order}
    head, across = source.font["head"], source.font["hhea"]
    made = FontBuilder(head.unitsPerEm, isTTF=True)
    made.setupGlyphOrder(order)
    made.setupCharacterMap(known)
    made.setupGlyf(glyphs)
    made.setupHorizontalMetrics({name: (source.width(name), _left(glyphs[name])) for name in order})
    made.setupHorizontalHeader(ascent=across.ascent, descent=across.descent)
    made.setupNameTable({"psName": source.font["name"].getDebugName(POSTSCRIPT_NAME)})
    made.setupOS2(**{name: getattr(source.font["OS/2"], name) for name in OS2})
    made.setupPost(keepGlyphNames=False)
    # No time of making: the same letters are the same bytes.
    made.font["head"].created = made.font["head"].modified = head.created
    made.font.recalcTimestamp = False
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def _left(glyph: Glyph) -> int:
    return glyph.xMin if glyph.numberOfContours else 0
