"""A figure as a picture of its own: PNG for slides and word processors, SVG for print."""

import io
from collections.abc import Iterator

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from studies.stats.report.blocks import Figure, Report
from studies.stats.report.drawing import LATIN, STYLE
from studies.stats.report.page import to_svg
from studies.typefaces.chinese import installed, is_chinese

DOTS_PER_INCH = 200


def pictures(report: Report) -> Iterator[tuple[str, bytes]]:
    """Yield every figure of a report as SVG and PNG, with its file's name."""
    for block in report.blocks:
        if isinstance(block, Figure):
            yield f"{block.key}.svg", to_svg(block).encode()
            pixels = to_png(block)
            if pixels is not None:
                yield f"{block.key}.png", pixels


def to_png(figure: Figure) -> bytes | None:
    """Return a figure as PNG that carries its title and description; twice the same bytes.

    None where it has Chinese letters and this machine has no font for them: an empty box tells
    nobody anything, and the SVG is set in a font of whoever reads it.
    """
    drawing = figure.draw()
    texts = drawing.findobj(Text)
    chinese = installed()
    if chinese is None and any(is_chinese(text.get_text()) for text in texts):
        return None
    for text in texts:
        text.set_fontfamily([LATIN, *([chinese.name] if chinese else [])])
    drawing.set_dpi(DOTS_PER_INCH)
    about = {"Title": figure.title, "Description": figure.description, "Software": None}
    file = io.BytesIO()
    with mpl.rc_context(STYLE):
        FigureCanvasAgg(drawing).print_png(file, metadata=about)
    return file.getvalue()
