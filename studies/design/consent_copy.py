"""A signed consent as a PDF: the whole text, then who agreed to it, when and how.

The same content makes the same bytes. Chinese is set in STSong-Light, a font that every PDF reader
brings along or replaces, so that no font file is needed.
"""

from dataclasses import dataclass
from functools import partial
from io import BytesIO
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer

LATIN, LATIN_BOLD, CHINESE = "Helvetica", "Helvetica-Bold", "STSong-Light"
MARGIN = 25 * mm
pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


@dataclass(frozen=True, slots=True)
class ConsentCopy:
    """What a copy says, in the language of its text.

    Parameters
    ----------
    title, subtitle : str
        The study, and which version of its text.
    pages : tuple of (str, str)
        Title and body of each page of the text.
    signature : tuple of (str, str)
        Name and value of each line under the text.
    agreed : str
        The sentence that was signed.
    foot : str
        The page number's words, with ``%(n)s``.
    """

    title: str
    subtitle: str
    pages: tuple[tuple[str, str], ...]
    signature: tuple[tuple[str, str], ...]
    agreed: str
    foot: str


def as_pdf(copy: ConsentCopy) -> bytes:
    """Return the copy as a PDF file of A4 pages."""
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=copy.title,
        author="Nocturne",
        invariant=1,
    )
    numbered = partial(_number, copy.foot)
    document.build(_story(copy), onFirstPage=numbered, onLaterPages=numbered)
    return file.getvalue()


def _story(copy: ConsentCopy) -> list[Flowable]:
    story = [_line(copy.title, 18, is_bold=True), _line(copy.subtitle, 10), Spacer(0, 6 * mm)]
    for title, body in copy.pages:
        story.append(_line(title, 13, is_bold=True))
        story += [_line(line, 11) for line in body.splitlines() if line.strip()]
        story.append(Spacer(0, 3 * mm))
    signed = [Spacer(0, 4 * mm), _line(copy.agreed, 12, is_bold=True)]
    signed += [_line(f"{name}: {value}", 11) for name, value in copy.signature]
    return [*story, KeepTogether(signed)]


def _line(text: str, size: int, *, is_bold: bool = False) -> Paragraph:
    is_latin = _is_latin(text)
    font = (LATIN_BOLD if is_bold else LATIN) if is_latin else CHINESE
    style = ParagraphStyle(
        font,
        fontName=font,
        fontSize=size,
        leading=1.45 * size,
        spaceAfter=2 * mm,
        # Chinese may break between any two characters, and Latin between words only.
        wordWrap=None if is_latin else "CJK",
    )
    return Paragraph(escape(text), style)


def _is_latin(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _number(words: str, canvas: Canvas, _document: SimpleDocTemplate) -> None:
    text = words % {"n": canvas.getPageNumber()}
    canvas.setFont(LATIN if _is_latin(text) else CHINESE, 9)
    canvas.drawCentredString(A4[0] / 2, 12 * mm, text)
