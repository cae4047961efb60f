"""The report as one HTML page: nothing beside it, no script, readable on a phone and on paper."""

import io
import logging
import re
import warnings
from html import escape

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG

from studies.stats.report.blocks import Block, Facts, Figure, Heading, Paragraph, Report, Table
from studies.stats.report.drawing import STYLE
from studies.stats.report.wording import Words

STYLE_SHEET = """
:root{--ink:#1b2430;--quiet:#5b6675;--line:#d9dee5;--soft:#f4f6f9;--notice:#fff6e0}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:56rem;color:var(--ink);background:#fff;
font:1rem/1.55 system-ui,-apple-system,"Segoe UI","Noto Sans","Noto Sans SC","PingFang SC",
"Microsoft YaHei",sans-serif;overflow-wrap:break-word}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 1rem}
h2{font-size:1.25rem;margin:2.4rem 0 .8rem;padding-top:.8rem;border-top:1px solid var(--line)}
p{margin:.6rem 0;max-width:44rem}
.quiet{color:var(--quiet);font-size:.9rem}
.notice{background:var(--notice);border-left:4px solid #b45f06;padding:.7rem 1rem;font-weight:600}
dl{display:grid;grid-template-columns:minmax(8rem,auto) 1fr;gap:.3rem 1.2rem;margin:1rem 0}
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
figure{margin:1.4rem 0}
figcaption{font-weight:600;margin-bottom:.3rem}
figcaption span{display:block;font-weight:400;color:var(--quiet);font-size:.9rem}
.drawing{overflow-x:auto}
.drawing svg{display:block;width:100%;height:auto;min-width:28rem;max-width:40rem}
.drawing.wide svg{min-width:38rem;max-width:52rem}
svg text{font-family:system-ui,"Noto Sans","Noto Sans SC","PingFang SC","Microsoft YaHei",
sans-serif!important}
.table{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.875rem;min-width:100%}
caption{text-align:left;font-weight:600;padding-bottom:.4rem}
caption span{display:block;position:sticky;left:0;max-width:min(44rem,calc(100vw - 2.2rem))}
th,td{padding:.28rem .6rem;border-bottom:1px solid var(--line);text-align:left;
vertical-align:top}
thead th{border-bottom:2px solid var(--quiet);background:var(--soft);vertical-align:bottom}
tbody th{font-weight:400}
tbody th,tbody td{white-space:nowrap}
.words th,.words td{white-space:normal}
.number{text-align:right;font-variant-numeric:tabular-nums}
thead .number{white-space:normal}
.step{padding-left:1.6rem}
footer{margin-top:3rem;color:var(--quiet);font-size:.85rem}
@media(max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}
th,td{padding:.28rem .4rem}.words td{min-width:9rem}tbody th{white-space:normal}
tbody th span{display:block;width:max-content;max-width:8.5rem}}
@page{size:A4;margin:16mm 15mm}
@media print{body{padding:0;max-width:none;font-size:9.5pt}h2{break-after:avoid}
figure,tr{break-inside:avoid}.table,.drawing{overflow:visible}table{font-size:8pt}
.drawing svg{min-width:0;max-width:15cm}.drawing.wide svg{min-width:0;max-width:100%}
tbody th,tbody td{white-space:normal}}
"""


def to_html(report: Report, words: Words) -> str:
    """Return the report as a page of its own."""
    body = "\n".join(_block(block) for block in report.blocks)
    title = escape(report.title)
    return (
        f'<!doctype html>\n<html lang="{words.tag}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE_SHEET}</style>\n</head>\n<body>\n"
        f"<main>\n<h1>{title}</h1>\n{body}\n</main>\n"
        f"<footer>{escape(report.stamp)}</footer>\n</body>\n</html>\n"
    )


def to_svg(figure: Figure) -> str:
    """Return a figure as SVG that carries its title and description, without fixed size."""
    file = io.StringIO()
    drawing = figure.draw()
    # Measured with a font that lacks Chinese, shown with one that has it.
    silenced = logging.getLogger("matplotlib.font_manager")
    level = silenced.level
    with warnings.catch_warnings(), mpl.rc_context(STYLE):
        warnings.filterwarnings("ignore", message="Glyph")
        silenced.setLevel(logging.ERROR)
        FigureCanvasSVG(drawing).print_svg(file, metadata={"Date": None, "Creator": None})
        silenced.setLevel(level)
    return _named(file.getvalue(), figure)


def _named(svg: str, figure: Figure) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Several figures share a page: every id gets the figure's name in front.
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{figure.key}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{figure.key}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{figure.key}-\1)", svg)
    svg = re.sub(r'^<svg([^>]*?) width="[^"]*"', r"<svg\1", svg, count=1)
    svg = re.sub(r'^<svg([^>]*?) height="[^"]*"', r"<svg\1", svg, count=1)
    title, about = f"{figure.key}-title", f"{figure.key}-about"
    head = f'<svg role="img" aria-labelledby="{title} {about}"'
    names = (
        f'<title id="{title}">{escape(figure.title)}</title>'
        f'<desc id="{about}">{escape(figure.description)}</desc>'
    )
    svg = re.sub(r"^<svg", head, svg, count=1)
    return re.sub(r"^(<svg[^>]*>)", lambda m: m.group(1) + names, svg, count=1).strip()


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h2>{escape(block.text)}</h2>"
    if isinstance(block, Paragraph):
        kind = "" if block.tone == "plain" else f' class="{block.tone}"'
        return f"<p{kind}>{escape(block.text)}</p>"
    if isinstance(block, Facts):
        rows = "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in block.rows)
        return f"<dl>{rows}</dl>"
    if isinstance(block, Table):
        return _table(block)
    wide = " wide" if block.is_wide else ""
    about = f"<span>{escape(block.description)}</span>"
    drawing = f'<div class="drawing{wide}" tabindex="0">{to_svg(block)}</div>'
    table = _table(block.table) if block.table else ""
    return f"<figure><figcaption>{escape(block.title)}{about}</figcaption>{drawing}{table}</figure>"


def _table(table: Table) -> str:
    head = "".join(
        f'<th scope="col"{_kind(place, table)}>{escape(text)}</th>'
        for place, text in enumerate(table.header)
    )
    rows = "".join(f"<tr>{_row(row, table)}</tr>" for row in table.rows)
    label = escape(table.caption, quote=True)
    words = " words" if table.n_labels == len(table.header) else ""
    return (
        f'<div class="table{words}" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<caption><span>{escape(table.caption)}</span></caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(row: tuple[str, ...], table: Table) -> str:
    first, *rest = row
    step = ' class="step"' if first.startswith("  ") else ""
    cells = "".join(
        f"<td{_kind(place, table)}>{escape(text)}</td>" for place, text in enumerate(rest, start=1)
    )
    # A name of its own may be told how wide to grow; a cell may not.
    return f'<th scope="row"{step}><span>{escape(first.strip())}</span></th>{cells}'


def _kind(place: int, table: Table) -> str:
    return "" if place < table.n_labels else ' class="number"'
