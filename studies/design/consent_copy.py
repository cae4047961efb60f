"""A signed consent as a PDF: the whole text, then who agreed to it, when and how.

The same content makes the same bytes on the same machine, and looks the same to every reader: its
fonts are in the file, Chinese ones where the machine has one (`studies/typefaces/`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer

from studies.typefaces.chinese import is_chinese
from studies.typefaces.embedded import Faces, faces_for

MARGIN = 25 * mm
DIGITS = "0123456789"


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
    with faces_for(f"{copy!r}{DIGITS}") as faces:
        return _set(copy, faces)


def _set(copy: ConsentCopy, faces: Faces) -> bytes:
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
        initialFontName=faces.of(copy.title),
    )
    numbered = partial(_number, copy.foot, faces)
    document.build(_story(copy, faces), onFirstPage=numbered, onLaterPages=numbered)
    return file.getvalue()


def _story(copy: ConsentCopy, faces: Faces) -> list[Flowable]:
    line: Callable[..., Paragraph] = partial(_line, faces)
    story = [line(copy.title, 18, is_bold=True), line(copy.subtitle, 10), Spacer(0, 6 * mm)]
    for title, body in copy.pages:
        heading = line(title, 13, is_bold=True)
        # No heading ends a page.
        heading.keepWithNext = 1
        story.append(heading)
        story += [line(text, 11) for text in body.splitlines() if text.strip()]
        story.append(Spacer(0, 3 * mm))
    signed = [Spacer(0, 4 * mm), line(copy.agreed, 12, is_bold=True)]
    signed += [line(f"{name}: {value}", 11) for name, value in copy.signature]
    return [*story, KeepTogether(signed)]


def _line(faces: Faces, text: str, size: int, *, is_bold: bool = False) -> Paragraph:
    font = faces.of(text, bold=is_bold)
    style = ParagraphStyle(
        font,
        fontName=font,
        fontSize=size,
        leading=1.45 * size,
        spaceAfter=2 * mm,
        # Chinese may break between any two characters, and Latin between words only.
        wordWrap="CJK" if is_chinese(text) else None,
    )
    return Paragraph(escape(text), style)


def _number(words: str, faces: Faces, canvas: Canvas, _document: SimpleDocTemplate) -> None:
    text = words % {"n": canvas.getPageNumber()}
    canvas.setFont(faces.of(text), 9)
    canvas.drawCentredString(A4[0] / 2, 12 * mm, text)
