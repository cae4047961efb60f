"""The report as PDF, by reportlab: a wheel, so a fresh machine prints without system packages.

Figures are drawn as vectors straight onto the page: matplotlib draws on `PaperRenderer`, which
hands lines, areas and texts on to the PDF. Its fonts are in the file (`studies/typefaces/`).
"""

import io
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import matplotlib as mpl
from matplotlib.backend_bases import FigureCanvasBase, GraphicsContextBase, RendererBase
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Line
from matplotlib.transforms import Transform
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)
from reportlab.platypus import Paragraph as Text
from reportlab.platypus import Table as Grid

from studies.stats.report.blocks import Block, Facts, Figure, Heading, Paragraph, Report, Table
from studies.stats.report.drawing import GRID, INK, QUIET, STYLE
from studies.stats.report.wording import Words
from studies.typefaces.chinese import is_chinese
from studies.typefaces.embedded import READERS_OWN, Faces, faces_for

MARGIN = 1.7 * cm
TEXT_WIDTH = A4[0] - 2 * MARGIN
ASCENT, DESCENT = 0.76, 0.22
# STSong looks smaller than DejaVu of the same size.
READERS_OWN_SCALE = 1.1
# The fonts of the report that is being written.
_faces: ContextVar[Faces] = ContextVar("_faces")
NARROWEST = 1.4 * cm


def to_pdf(report: Report, words: Words) -> bytes:
    """Return the report as the bytes of a PDF; the same report gives the same bytes."""
    # The texts of a report are in its blocks, those of its figures among the words and in tables.
    with faces_for(f"{report!r}{words.table!r}") as faces:
        before = _faces.set(faces)
        try:
            return _set(report, words)
        finally:
            _faces.reset(before)


def _set(report: Report, words: Words) -> bytes:
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN,
        bottomMargin=MARGIN, title=report.title, author="", lang=words.tag, invariant=1,
        initialFontName=_font(report.title),
    )  # fmt: skip
    story: list[Flowable] = [_text(report.title, 17, leading=21, bold=True), Spacer(1, 8)]
    for block in report.blocks:
        story += _flowables(block)

    def foot(canvas: Canvas, template: SimpleDocTemplate) -> None:
        canvas.setFillColor(HexColor(QUIET))
        canvas.setFont(_font(report.stamp), 7.5)
        canvas.drawString(MARGIN, 1.0 * cm, report.stamp)
        number = words("page", number=template.page)
        canvas.setFont(_font(number), 7.5)
        canvas.drawRightString(A4[0] - MARGIN, 1.0 * cm, number)

    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


class Drawing(Flowable):
    """A figure on the page, at most as wide as the text."""

    def __init__(self, figure: Figure) -> None:
        super().__init__()
        self._drawing = figure.draw()
        width, height = (72 * side for side in self._drawing.get_size_inches())
        self._scale = min(1.0, TEXT_WIDTH / width)
        self._size = width, height
        self.width, self.height = width * self._scale, height * self._scale

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """Return the size on the page."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw at the place that the page gives it."""
        self.canv.saveState()
        self.canv.scale(self._scale, self._scale)
        FigureCanvasBase(self._drawing)
        with mpl.rc_context(STYLE):
            self._drawing.draw(PaperRenderer(self.canv, *self._size))
        self.canv.restoreState()


class PaperRenderer(RendererBase):
    """Draws what matplotlib draws on a PDF page; one unit is a point, the origin lower left."""

    def __init__(self, canvas: Canvas, width: float, height: float) -> None:
        super().__init__()
        self._canvas, self._width, self._height = canvas, width, height
        self.dpi = 72

    def flipy(self) -> bool:
        """Return that y grows upwards."""
        return False

    def get_canvas_width_height(self) -> tuple[float, float]:
        """Return the size in points."""
        return self._width, self._height

    def draw_path(
        self,
        gc: GraphicsContextBase,
        path: Line,
        transform: Transform,
        rgbFace: Any = None,  # noqa: N803 -- matplotlib's own name
    ) -> None:
        """Stroke a path, and fill it where it has a face."""
        canvas = self._canvas
        canvas.saveState()
        self._clip(gc)
        drawn = canvas.beginPath()
        for points, code in path.iter_segments(transform, simplify=False, curves=True):
            _segment(drawn, points, code)
        if rgbFace is not None:
            alpha = rgbFace[3] if len(rgbFace) > 3 else 1.0
            canvas.setFillColorRGB(*rgbFace[:3], alpha=gc.get_alpha() if gc.get_forced_alpha()
                                   else alpha)  # fmt: skip
        width = gc.get_linewidth()
        if width:
            red, green, blue, *alpha = gc.get_rgb()
            canvas.setStrokeColorRGB(red, green, blue, alpha=alpha[0] if alpha else 1.0)
            canvas.setLineWidth(width)
            offset, dashes = gc.get_dashes()
            if dashes is not None:
                canvas.setDash(list(map(float, dashes)), offset or 0)
        canvas.drawPath(drawn, stroke=int(bool(width)), fill=int(rgbFace is not None))
        canvas.restoreState()

    def draw_text(
        self, gc: GraphicsContextBase, x: float, y: float, s: str, prop: FontProperties,
        angle: float, *_math_and_owner: object, **_more: object,
    ) -> None:  # fmt: skip
        """Write a text from its base line."""
        canvas = self._canvas
        canvas.saveState()
        canvas.translate(x, y)
        canvas.rotate(angle)
        canvas.setFillColorRGB(*gc.get_rgb()[:3])
        canvas.setFont(_font(s, bold=_is_bold(prop)), prop.get_size_in_points())
        canvas.drawString(0, 0, s)
        canvas.restoreState()

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, *_is_math: object
    ) -> tuple[float, float, float]:
        """Return how much room a text takes."""
        size = prop.get_size_in_points()
        width = pdfmetrics.stringWidth(s, _font(s, bold=_is_bold(prop)), size)
        return width, (ASCENT + DESCENT) * size, DESCENT * size

    def _clip(self, gc: GraphicsContextBase) -> None:
        bounds = gc.get_clip_rectangle()
        if bounds is not None:
            clip = self._canvas.beginPath()
            clip.rect(*bounds.bounds)
            self._canvas.clipPath(clip, stroke=0, fill=0)


def _segment(drawn: Any, points: Any, code: int) -> None:
    p = [float(value) for value in points]
    if code == Line.MOVETO:
        drawn.moveTo(*p)
    elif code == Line.LINETO:
        drawn.lineTo(*p)
    elif code == Line.CURVE4:
        drawn.curveTo(*p)
    elif code == Line.CLOSEPOLY:
        drawn.close()
    else:
        raise ValueError(f"lines and cubic curves were expected, got code {code}.")


def _font(text: str, *, bold: bool = False) -> str:
    return _faces.get().of(text, bold=bold)


def _is_bold(prop: FontProperties) -> bool:
    return prop.get_weight() in ("bold", 700)


def _flowables(block: Block) -> list[Flowable]:
    if isinstance(block, Heading):
        heading = _text(block.text, 12.5, leading=16, bold=True, before=14, after=5)
        heading.keepWithNext = 1
        return [heading]
    if isinstance(block, Paragraph):
        return [_paragraph(block)]
    if isinstance(block, Facts):
        return [_facts(block), Spacer(1, 6)]
    if isinstance(block, Table):
        return list(_table(block))
    caption = _text(block.title, 9, leading=12, bold=True, after=1)
    about = _text(block.description, 8, leading=10.5, colour=QUIET, after=3)
    # One chain from the heading down to the drawing, so that none of them ends a page alone.
    caption.keepWithNext = about.keepWithNext = 1
    figure: list[Flowable] = [caption, about, Drawing(block), Spacer(1, 5)]
    return figure + (list(_table(block.table)) if block.table else [])


def _paragraph(block: Paragraph) -> Flowable:
    if block.tone == "notice":
        inner = _text(block.text, 9, leading=12.5, bold=True)
        box = Grid([[inner]], colWidths=[TEXT_WIDTH])
        box.setStyle(
            _rules(
                ("BACKGROUND", (0, 0), (-1, -1), HexColor("#fff6e0")),
                ("LINEBEFORE", (0, 0), (0, -1), 3, HexColor("#b45f06")),
            )
        )
        return KeepTogether([box, Spacer(1, 5)])
    if block.tone == "quiet":
        return _text(block.text, 7.5, leading=10, colour=QUIET, after=2)
    return _text(block.text, 9, leading=13, after=4)


def _facts(block: Facts) -> Flowable:
    rows = [[_text(label, 8.5, colour=QUIET), _text(value, 8.5)] for label, value in block.rows]
    grid = Grid(rows, colWidths=[4.6 * cm, TEXT_WIDTH - 4.6 * cm])
    grid.setStyle(_rules(("VALIGN", (0, 0), (-1, -1), "TOP"), *_padding(1.2, 0)))
    return grid


def _table(table: Table) -> Iterator[Flowable]:
    caption = _text(table.caption, 8.5, leading=11.5, bold=True, before=4, after=3)
    caption.keepWithNext = 1
    yield caption
    size = 7.2 if len(table.header) > 6 else 7.8
    widths = _widths(table, size)
    cells = [[_cell(text, place, table, size, bold=True) for place, text in
              enumerate(table.header)]]  # fmt: skip
    cells += [
        [_cell(text, place, table, size) for place, text in enumerate(row)] for row in table.rows
    ]
    grid = Grid(cells, colWidths=widths, repeatRows=1, hAlign="LEFT")
    grid.setStyle(
        _rules(
            ("VALIGN", (0, 0), (-1, -1), "TOP"), ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.9, HexColor(QUIET)),
            ("LINEBELOW", (0, 1), (-1, -1), 0.35, HexColor(GRID)), *_padding(1.6, 3),
        )
    )  # fmt: skip
    yield grid
    yield Spacer(1, 9)


def _widths(table: Table, size: float) -> list[float]:
    """Return widths that give every column what its longest text needs, as far as there is room.

    Where there is not, columns of words wrap, and no word is broken that fits into a line.
    """
    columns = list(zip(table.header, *table.rows, strict=True))
    wanted = [max(_width(text, size) for text in (_word(t[0]), *t[1:])) for t in columns]
    if sum(wanted) <= TEXT_WIDTH:
        return wanted
    least = [max(_width(_word(text), size) for text in texts) for texts in columns]
    n_words = table.n_labels
    room = TEXT_WIDTH - sum(wanted[n_words:])
    if room < max(0.22 * TEXT_WIDTH, sum(least[:n_words])):
        return _shared(least, wanted, TEXT_WIDTH)
    return _shared(least[:n_words], wanted[:n_words], room) + wanted[n_words:]


def _width(text: str, size: float) -> float:
    return max(NARROWEST, pdfmetrics.stringWidth(text, _font(text, bold=True), size) + 8)


def _word(text: str) -> str:
    """Return the longest word; Chinese may break between any two characters."""
    return "" if is_chinese(text) else max(text.split(" "), key=len)


def _shared(least: Sequence[float], wanted: Sequence[float], room: float) -> list[float]:
    """Return the least widths with what is left of the room, in proportion to what is wanted."""
    left = room - sum(least)
    if left < 0:
        return [width * room / sum(least) for width in least]
    # A long reason in a cell of its own must not take the room of all others.
    more = [min(want, room / 2) - low for low, want in zip(least, wanted, strict=True)]
    more = [max(0.0, one) for one in more]
    return [low + one * left / (sum(more) or 1) for low, one in zip(least, more, strict=True)]


def _cell(text: str, place: int, table: Table, size: float, *, bold: bool = False) -> Flowable:
    indent = 8 if text.startswith("  ") else 0
    return _text(
        text.strip(), size, leading=1.32 * size, bold=bold, indent=indent,
        to_right=place >= table.n_labels,
    )  # fmt: skip


def _text(
    text: str, size: float, *, leading: float = 0, bold: bool = False, colour: str = INK,
    before: float = 0, after: float = 0, indent: float = 0, to_right: bool = False,
) -> Text:  # fmt: skip
    font = _font(text, bold=bold)
    size *= READERS_OWN_SCALE if font == READERS_OWN else 1
    style = ParagraphStyle(
        "text", fontName=font, fontSize=size, leading=leading or 1.3 * size,
        textColor=HexColor(colour), spaceBefore=before, spaceAfter=after, leftIndent=indent,
        alignment=2 if to_right else 0, wordWrap="CJK" if is_chinese(text) else None,
        splitLongWords=1,
    )  # fmt: skip
    return Text(_escaped(text), style)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _rules(*rules: tuple) -> TableStyle:
    """Return the style of a grid; reportlab would name a font outside the file for its cells."""
    return TableStyle([("FONTNAME", (0, 0), (-1, -1), _font("")), *rules])


def _padding(upright: float, across: float) -> Sequence[tuple]:
    whole = ((0, 0), (-1, -1))
    return [
        ("TOPPADDING", *whole, upright), ("BOTTOMPADDING", *whole, upright),
        ("LEFTPADDING", *whole, across), ("RIGHTPADDING", *whole, across),
    ]  # fmt: skip
