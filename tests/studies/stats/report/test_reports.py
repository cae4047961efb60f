"""The report as a page and on paper: whole, the same twice, named for those who do not see it."""

import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studies.stats.analysis.harms import Event, Harms, harm_records
from studies.stats.analysis.pooled import describe_together
from studies.stats.analysis.running import Results
from studies.stats.plan.trial_table import TrialTable
from studies.stats.report.blocks import Figure, Heading, Paragraph, Report, Table
from studies.stats.report.composing import About, compose
from studies.stats.report.counts import ArmFlow, Flow
from studies.stats.report.figures import People, Point, Series, over_visits, rates, spaghetti
from studies.stats.report.page import to_html, to_svg
from studies.stats.report.paper import to_pdf
from studies.stats.report.picture import pictures, to_png
from studies.stats.report.wording import LANGUAGES, words_in
from studies.typefaces.chinese import installed
from tests.studies.stats.analysis.test_running import analysed, made_rows
from tests.studies.stats.analysis.test_supplements import SUPPLEMENTS, rich_rows

WHEN = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
FLOW = Flow(
    130, (("declined", 4), ("ineligible", 6)),
    tuple(ArmFlow(name, 40, 38, 1, 2, 0, (("4", 37), ("8", 36))) for name in
          ("CBT", "LSTM_ACM", "MCMG")),
)  # fmt: skip


@pytest.fixture(scope="module")
def results() -> Results:
    asked = SUPPLEMENTS | {"sensitivity": {"strategies": ["J2R"], "deltas": [0, 2]},
                           "adherence": "minutes"}  # fmt: skip
    rows = [row | {"minutes": 0 if row["arm"] == "CBT" else 600} for row in rich_rows()]
    return analysed(rows, **asked)


def report_of(results: Results, language: str = "en", **about: Any) -> Report:
    known = {"study": "SLEEP-24", "title": "Sleep <music>", "cut_at": WHEN, "flow": FLOW}
    return compose(results, About(**known | about), words_in(language))


class Reader(HTMLParser):
    """Collects what a page holds; a tag that is closed in the wrong order is a fault."""

    VOID = ("meta", "use", "path", "rect", "image")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_whole_needs_nothing_else_and_runs_no_script(results, language):
    page = to_html(report_of(results, language), words_in(language))
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert "script" not in reader.tags
    assert "link" not in reader.tags
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert "Sleep &lt;music&gt;" in page
    assert f'lang="{words_in(language).tag}"' in page


def test_every_figure_has_a_title_a_description_and_words_that_stay_words(results):
    figures = [block for block in report_of(results).blocks if isinstance(block, Figure)]
    keys = [figure.key for figure in figures]
    assert {"flow", "retention", "forest", "means-psqi", "rates-psqi", "spaghetti", "raincloud",
            "cumulative-psqi", "tipping"} <= set(keys)  # fmt: skip
    assert len(keys) == len(set(keys))
    for figure in figures:
        svg = to_svg(figure)
        assert f'<title id="{figure.key}-title">' in svg
        assert f'<desc id="{figure.key}-about">' in svg
        assert 'role="img"' in svg
    assert ">Week 4</text>" in to_svg(next(f for f in figures if f.key == "means-psqi"))


def test_the_same_results_give_the_same_page_and_paper_twice(results):
    words = words_in("zh_hans")
    pages = [to_html(report_of(results, "zh_hans"), words) for _ in range(2)]
    papers = [to_pdf(report_of(results, "zh_hans"), words) for _ in range(2)]
    assert pages[0] == pages[1]
    assert papers[0] == papers[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_paper_is_a_pdf_of_several_pages(results, language):
    paper = to_pdf(report_of(results, language), words_in(language))
    assert paper.startswith(b"%PDF-1.")
    assert paper.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b", paper)) > 5


@pytest.mark.skipif(installed() is None, reason="this machine has no font of Chinese letters")
def test_chinese_letters_are_embedded_and_only_those_that_are_used(results):
    paper = to_pdf(report_of(results, "zh_hans"), words_in("zh_hans"))
    fonts = {name.decode() for name in re.findall(rb"/BaseFont /([^ /]+)", paper)}
    # A part of a font, in the file, has six letters and a plus before its name.
    assert all(re.match(r"[A-Z]{6}\+", font) for font in fonts), fonts
    assert len({font[7:] for font in fonts} - {"DejaVuSans", "DejaVuSans-Bold"}) == 2, fonts
    assert len(paper) < 600_000


def test_without_a_chinese_font_the_reader_brings_one_and_no_box_is_drawn(results, monkeypatch):
    for module in ("typefaces.embedded", "stats.report.picture"):
        monkeypatch.setattr(f"studies.{module}.installed", lambda *_weight: None)
    report = report_of(results, "zh_hans")
    assert b"STSong" in to_pdf(report, words_in("zh_hans"))
    figure = next(block for block in report.blocks if isinstance(block, Figure))
    assert to_png(figure) is None
    assert to_png(next(b for b in report_of(results).blocks if isinstance(b, Figure)))


def test_pictures_are_named_by_figure_and_the_same_twice(results):
    report = report_of(results)
    keys = [block.key for block in report.blocks if isinstance(block, Figure)]
    first = next(block for block in report.blocks if isinstance(block, Figure))
    few = Report(report.title, report.stamp, (first,))
    found = dict(pictures(few))
    assert list(found) == [f"{keys[0]}.svg", f"{keys[0]}.png"]
    assert found == dict(pictures(few))
    with Image.open(io.BytesIO(found[f"{keys[0]}.png"])) as picture:
        assert picture.width > 1000
        assert picture.info["Title"] == first.title
        assert picture.info["Description"] == first.description
    assert b'xmlns="http://www.w3.org/2000/svg"' in found[f"{keys[0]}.svg"][:2000]


def test_every_section_that_the_plan_asks_for_is_there(results):
    headings = [b.text for b in report_of(results).blocks if isinstance(b, Heading)]
    assert headings == [
        "Flow of participants", "Participants at baseline", "Who has scores", "Primary analysis",
        "Means over the visits", "Change and change rates", "Responders", "Person by person",
        "All contrasts of the models", "Under other assumptions", "Listening",
        "Through another outcome", "Music and outcome", "Reliability of the scales",
        "Looks before the end", "Methods", "Notes",
    ]  # fmt: skip


def test_a_blinded_report_compares_nothing_and_names_no_arm_beside_the_plan(results):
    together = describe_together(results.plan, results.table)
    pool = Flow(130, (), (ArmFlow("all", 120),))
    report = report_of(together, is_blinded=True, flow=pool)
    headings = [b.text for b in report.blocks if isinstance(b, Heading)]
    assert "Primary analysis" not in headings
    assert "All contrasts of the models" not in headings
    tables = [b for b in report.blocks if isinstance(b, Table)]
    tables += [b.table for b in report.blocks if isinstance(b, Figure) and b.table]
    cells = " ".join(
        cell for table in tables for row in (table.header, *table.rows) for cell in row
    )
    assert not [arm for arm in ("CBT", "LSTM", "MCMG") if arm in cells]
    assert "All together" in cells
    figures = [b for b in report.blocks if isinstance(b, Figure)]
    said = " ".join(f"{b.title} {b.description}" for b in figures)
    assert " arm" not in said.replace("all arms together", "")
    assert "above 0 more respond than in the reference arm" not in cells + " ".join(
        table.caption for table in tables
    )


HARMS = Harms(
    (Event("P000", "mild", "possible"), Event("P000", "severe", "none", ("hospital",)),
     Event("P001", "mild", "none", is_before=True)),
    {"P000": 1},
)  # fmt: skip


def harm_tables(report: Report) -> list[Table]:
    tables = [block for block in report.blocks if isinstance(block, Table)]
    return [table for table in tables if table.header[0] == "Adverse event"]


def test_harms_stand_by_arm_with_differences_and_without_p_values(results):
    records = harm_records(results.plan, results.table, HARMS)
    report = report_of(results, harms=records)
    counted, compared = harm_tables(report)
    n = int((results.table.arms == 0).sum())
    rows = {row[0]: row[1:] for row in counted.rows}
    assert counted.header[1] == f"CBT (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{n})"
    assert rows["Any"] == (f"1 ({100 / n:.0f} %); 2", "0 (0 %); 0", "0 (0 %); 0")
    assert rows["  death"][0] == "0 (0 %); 0"
    assert rows["  hospital stay, or a longer one"][0].endswith("; 1")
    assert "  life-threatening" not in rows
    assert rows["Begun before allocation, not counted above"][1].endswith("; 1")
    assert compared.header == ("Adverse event", "Contrast", "Risk difference", "95 % interval")
    assert len(compared.rows) == 4 * 2
    assert "Harms" in to_html(report, words_in("en"))
    # Silence is not absence: without a study nothing is said of harms.
    assert harm_tables(report_of(results)) == []


def test_a_blinded_report_has_harms_of_everybody_together_and_a_quiet_trial_noughts(results):
    together = describe_together(results.plan, results.table)
    for harms in (HARMS, Harms()):
        records = harm_records(together.plan, together.table, harms)
        report = report_of(together, is_blinded=True, harms=records)
        (table,) = harm_tables(report)
        assert len(table.header) == 2
        assert table.header[1].startswith("All together")
        rows = dict(table.rows)
        assert rows["Any"].endswith("; 2" if harms.events else "0 (0 %); 0")


def test_departures_from_the_locked_plan_stand_at_the_top(results):
    departures = (
        {"part": "level", "planned": 0.95, "analysed": 0.9, "reason": "asked"},
        {"part": "primary", "planned": {"visit": "8", "method": "mmrm", "adjust": "holm"},
         "analysed": {"visit": "8", "method": "ancova", "adjust": "bonferroni"}, "reason": "asked"},
        {"part": "outcomes", "planned": {"psqi": {"responder": {"score_at_most": 5}}},
         "analysed": {"psqi": {"responder": {"score_at_most": 6}, "margin": 2}}, "reason": "asked"},
        {"part": "interim", "planned": None, "analysed": {"now": 1}, "reason": "asked"},
    )  # fmt: skip
    report = report_of(
        results, plan_number=2, plan_locked_at=WHEN, is_before_unblinding=False,
        deviations=departures,
    )  # fmt: skip
    first = [b for b in report.blocks[:6] if isinstance(b, Table)]
    assert [row[:3] for row in first[0].rows] == [
        ("Level of intervals", "0.95", "0.9"),
        ("Primary analysis: method", "Mixed model", "Covariance analysis"),
        ("Primary analysis: adjustment", "Holm", "Bonferroni"),
        ("Outcomes: PSQI: responders", "score of 5 or less", "score of 6 or less"),
        ("Outcomes: PSQI: margin, points", "\N{EN DASH}", "2"),
        ("Looks before the end", "\N{EN DASH}", "now: 1"),
    ]
    assert {row[3] for row in first[0].rows} == {"asked"}
    page = to_html(report, words_in("en"))
    assert "The analysis plan was locked after unblinding." in page


def test_counts_that_nobody_knows_stay_blank(results):
    flow = Flow(None, (), (ArmFlow("CBT", 40), ArmFlow("MCMG", 41, started=3)))
    table = next(b for b in report_of(results, flow=flow).blocks if isinstance(b, Figure)).table
    begun = next(row for row in table.rows if row[0] == "Treatment begun")
    assert begun == ("Treatment begun", "", "\N{EN DASH}", "3")
    assert "Invited" not in [row[0] for row in table.rows]


def test_nothing_is_ever_written_as_nan_or_infinity(results):
    page = to_html(report_of(results), words_in("en"))
    assert not re.search(">\\s*[-\N{MINUS SIGN}]?(nan|inf)\\b", page, re.IGNORECASE)


def test_what_decides_stands_with_its_error_degrees_of_freedom_and_level(results):
    tables = [block for block in report_of(results).blocks if isinstance(block, Table)]
    deciding = next(table for table in tables if "each arm against" in table.caption)
    assert deciding.header[1:5] == ("Estimate", "SE", "df", "95 % interval")
    record = results.primary()[-1].estimate
    assert f"{record.se:.2f}" in [row[2] for row in deciding.rows]
    captions = [
        f.table.caption for f in report_of(results).blocks if isinstance(f, Figure) and f.table
    ]
    assert [c for c in captions if "change rates" in c and "95 %" not in c] == []


def test_a_reason_is_told_once_with_all_that_it_kept_from_being_estimated():
    rows = [row | ({"psqi": ""} if row["visit"] else {}) for row in made_rows(6)]
    blocks = report_of(analysed(rows), flow=None).blocks
    notes = [
        block.text for block in blocks if isinstance(block, Paragraph) and block.tone == "quiet"
    ]
    reasons = [note.partition(": ")[2] for note in notes if "Week" in note]
    assert len(reasons) == len(set(reasons)) > 0
    assert any(note.count("; ") > 3 for note in notes)


@pytest.mark.parametrize("trouble", ["one_person", "constant", "nobody_came"])
def test_a_poor_trial_has_a_report_all_the_same(trouble):
    rows = made_rows(6)
    if trouble == "one_person":
        rows = [row for row in rows if row["id"] in ("P000", "P001")]
    elif trouble == "constant":
        rows = [row | {"psqi": 9} for row in rows]
    else:
        rows = [row | ({"psqi": ""} if row["visit"] else {}) for row in rows]
    poor = analysed(rows)
    report = report_of(poor, flow=None)
    page = to_html(report, words_in("en"))
    assert "not estimable" in page
    assert to_pdf(report, words_in("en")).startswith(b"%PDF")


def test_figures_leave_a_gap_for_what_could_not_be_estimated():
    series = [Series("A", (Point(3.0, 2.0, 4.0), Point(None))), Series("B", (Point(None),) * 2)]
    for draw in (over_visits, rates):
        found = draw(series, ["Week 4", "Week 8"], "points").axes[0]
        drawn = [line for line in found.lines if line.get_label() in ("A", "B")]
        assert [len(line.get_xdata()) for line in drawn] == [1, 0]


def test_the_lowest_panel_of_each_column_names_the_visits():
    people = [People(name, np.array([[12.0, 9.0], [10.0, 8.0]])) for name in ("A", "B", "C")]
    panels = [panel for panel in spaghetti(people, ["Week 0", "Week 8"], "points").axes
              if panel.get_visible()]  # fmt: skip
    named = [panel.xaxis.get_tick_params()["labelbottom"] for panel in panels]
    assert named == [False, True, True]


def test_a_formula_in_a_name_is_written_not_run(results):
    table = results.table
    hostile = TrialTable(
        table.ids, table.arms, ("CBT", "<b>$x$</b>", "MCMG"), table.outcomes, table.strata,
        table.covariates, table.digest, (), table.varying,
    )  # fmt: skip
    poor = Results(results.plan, hostile, (), (), (), ("<script>alert(1)</script>",))
    page = to_html(report_of(poor, flow=None), words_in("en"))
    assert "<script>" not in page
    assert "<b>" not in page
    assert np.isfinite(len(to_pdf(report_of(poor, flow=None), words_in("en"))))
