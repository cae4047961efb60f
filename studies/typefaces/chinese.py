"""Chinese letters on paper and in pixels: a font that this machine has, cut down to what is used.

None is shipped and none is fetched. reportlab embeds TrueType outlines only; a font with PostScript
outlines (Noto, Source Han) is converted by fontTools, which matplotlib brings along.
"""

import io
import logging
from functools import cache
from typing import Any

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
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
NEEDLESS = ("GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG", "STAT", "meta")
PROFILE = (
    "maxPoints", "maxContours", "maxCompositePoints", "maxCompositeContours", "maxTwilightPoints",
    "maxStorage", "maxFunctionDefs", "maxInstructionDefs", "maxStackElements",
    "maxSizeOfInstructions", "maxComponentElements", "maxComponentDepth",
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


def cut_down(entry: FontEntry, letters: str) -> bytes:
    """Return a TrueType font with these letters of an installed font; twice the same bytes.

    Parameters
    ----------
    entry : FontEntry
        As `installed` found it.
    letters : str
        What the font must have; a letter that it lacks becomes an empty box.
    """
    with TTFont(entry.fname, fontNumber=entry.index, lazy=True, recalcTimestamp=False) as font:
        options = subset.Options(
            layout_features=[], hinting=False, notdef_outline=True, glyph_names=False
        )
        options.drop_tables = [*options.drop_tables, *NEEDLESS]
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=letters)
        subsetter.subset(font)
        if "glyf" not in font:
            _to_true_type(font)
        file = io.BytesIO()
        font.save(file)
    return file.getvalue()


def _to_true_type(font: Any) -> None:
    """Turn PostScript outlines (cubic curves) into TrueType ones (quadratic)."""
    drawn, order = font.getGlyphSet(), font.getGlyphOrder()
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(drawn)
        drawn[name].draw(Cu2QuPen(pen, GREATEST_ERROR, reverse_direction=True))
        glyphs[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, glyphs
    del font["CFF "]
    profile = font["maxp"]
    profile.tableVersion, profile.maxZones = 0x00010000, 1
    for name in PROFILE:
        setattr(profile, name, 0)
    font["post"].formatType = 3.0
    font.sfntVersion = "\0\1\0\0"
