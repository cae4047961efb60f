"""The fonts of one PDF: DejaVu Sans, and for Chinese a font of this machine, both in the file.

Where the machine has no font of Chinese letters they are set in STSong, which is not in the file:
some PDF readers have it by themselves, others replace it by a font of theirs.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from threading import RLock

import matplotlib as mpl
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

from studies.typefaces.chinese import BOLD, NORMAL, cut_down, installed, is_chinese

LATIN = {NORMAL: "DejaVuSans", BOLD: "DejaVuSans-Bold"}
CHINESE = {NORMAL: "Chinese", BOLD: "Chinese-Bold"}
READERS_OWN = "STSong-Light"
# Another report in the same language, or another signature under the same text by the same name.
FEW = 4
# reportlab knows fonts by name, for all threads: a document with Chinese letters has them alone.
_lock = RLock()


@dataclass(frozen=True, slots=True)
class Faces:
    """The fonts of one document; `has_chinese` says whether its Chinese letters are in the file."""

    has_chinese: bool

    def of(self, text: str, *, bold: bool = False) -> str:
        """Return the name of the font that has the letters of a text."""
        weight = BOLD if bold else NORMAL
        if not is_chinese(text):
            return LATIN[weight]
        return CHINESE[weight] if self.has_chinese else READERS_OWN


@contextmanager
def faces_for(text: str) -> Iterator[Faces]:
    """Lend the fonts of a document that has no other letters than this text.

    Parameters
    ----------
    text : str
        Every letter of the document, in any order and number.

    Yields
    ------
    Faces
        To be used until the document's bytes are there, and no longer.
    """
    _register_latin()
    letters = "".join(sorted({letter for letter in text if letter.isprintable()}))
    if not is_chinese(letters) or installed() is None:
        yield Faces(has_chinese=False)
        return
    with _lock:
        fonts = [
            TTFont(name, io.BytesIO(_cut(letters, weight))) for weight, name in CHINESE.items()
        ]
        for font in fonts:
            pdfmetrics.registerFont(font)
        try:
            yield Faces(has_chinese=True)
        finally:
            # reportlab keeps the first font of a name, and of a face, whatever comes after.
            for font in fonts:
                font.unregister()


@cache
def _register_latin() -> None:
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for name in LATIN.values():
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    pdfmetrics.registerFont(UnicodeCIDFont(READERS_OWN))


@lru_cache(maxsize=FEW)
def _cut(letters: str, weight: int) -> bytes:
    return cut_down(installed(weight), letters)
