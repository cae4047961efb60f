from datetime import date
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from studies.selectors.listening import Night
from studies.stats.estimate import Estimate
from studies.templatetags.charts import (
    Series,
    arm_name,
    night_bars,
    rates,
    ticks,
    trend,
    week_name,
    with_interval,
)


def estimate(value, low=None, high=None) -> Estimate:
    return Estimate("mean", value, low, high, 3, "t", "lower is better", "points")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 100, [0, 25, 50, 75, 100]),
        (7.3, 12.1, [6, 8, 10, 12, 14]),
        (-20, 40, [-20, 0, 20, 40]),
        (5, 5, [4.5, 4.75, 5, 5.25, 5.5]),
        (0, 0.003, [0, 0.001, 0.002, 0.003]),
    ],
)
def test_ticks_are_round_and_enclose_the_values(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_higher_means_higher_up_and_an_interval_encloses_its_mean():
    series = [Series("All", (estimate(10, 8, 12), estimate(6, 5, 7)))]
    marks = trend(series, [0, 4], title="t", unit="u", key="k")["lines"][0]["marks"]
    first, second = marks
    assert float(first["y"]) < float(second["y"])
    assert float(first["high"]) < float(first["y"]) < float(first["low"])
    assert float(first["x"]) < float(second["x"])


def test_a_visit_without_an_estimate_has_no_mark():
    series = [Series("All", (estimate(10, 8, 12), estimate(None)))]
    assert len(trend(series, [0, 4], title="t", unit="u", key="k")["lines"][0]["marks"]) == 1
    assert len(rates(series, [4, 8], title="t", unit="u", key="k")["bars"]) == 1


def test_the_interval_of_two_people_leaves_the_chart_instead_of_blowing_it_up():
    series = [Series("All", (estimate(10, -40, 60), estimate(8, 6, 11)))]
    drawn = trend(series, [0, 4], title="t", unit="u", key="k", limits=(0, 21))
    wide, narrow = drawn["lines"][0]["marks"]
    assert [line["label"] for line in drawn["grid"]] == ["0", "10", "20", "30"]
    assert (wide["caps"], len(narrow["caps"])) == ([], 2)
    drawn = rates([Series("All", (estimate(20, -900, 940),))], [4], title="t", unit="u", key="k")
    assert (drawn["grid"][0]["label"], drawn["grid"][-1]["label"]) == ("-100", "100")


def test_a_value_beyond_the_limits_is_still_shown():
    drawn = rates([Series("All", (estimate(-180, -300, -60),))], [4], title="t", unit="u", key="k")
    assert float(drawn["grid"][0]["label"]) <= -180
    assert len(drawn["bars"][0]["caps"]) == 1


def test_a_value_that_rounds_to_zero_has_no_minus() -> None:
    assert with_interval(estimate(-0.04, -0.049, 0.02)) == "0.0 (0.0 to 0.0)"


def test_a_negative_rate_hangs_below_zero():
    series = [Series("All", (estimate(20), estimate(-10)))]
    drawn = rates(series, [4, 8], title="t", unit="u", key="k")
    zero = float(drawn["zero"])
    up, down = drawn["bars"]
    assert float(up["top"]) + float(up["height"]) == pytest.approx(zero, abs=0.11)
    assert float(down["top"]) == pytest.approx(zero, abs=0.11)
    assert float(up["height"]) == pytest.approx(2 * float(down["height"]), abs=0.2)


def test_bars_of_four_arms_do_not_overlap():
    series = [Series(str(n), (estimate(n + 1.0), estimate(n + 2.0))) for n in range(4)]
    bars = rates(series, [4, 8], title="t", unit="u", key="k")["bars"]
    edges = sorted((float(bar["left"]), float(bar["left"]) + float(bar["width"])) for bar in bars)
    assert all(end <= start for (_, end), (start, _) in pairwise(edges))


@pytest.mark.parametrize("language", ["en", "zh-hans", "de"])
def test_a_chart_is_well_formed_with_title_and_description_in_any_language(language):
    series = [Series("A", (estimate(10.5, 8, 12),)), Series("B", (estimate(9.5, 7, 11),))]
    with translation.override(language):
        context = trend(series, [0], title="Mean", unit="points", key="k")
        html = render_to_string("studies/charts/trend.html", context)
    drawing = html[html.index("<svg") : html.index("</svg>") + 6]
    svg = ElementTree.fromstring(drawing)  # noqa: S314 -- our own chart
    assert svg.find("title").text == "Mean"
    assert "95" in svg.find("desc").text
    assert "," not in svg.find("g/circle").get("cx")


def test_nights_are_bars_with_the_same_numbers_in_a_table():
    nights = [Night("A1", date(2026, 3, 1), 30.0), Night("A1", date(2026, 3, 2), 0.0)]
    html = render_to_string("studies/charts/nights.html", night_bars(nights))
    assert html.count('class="block"') == 2
    assert "1 Mar 2026" in html
    assert night_bars([])["bars"] == []


def test_numbers_are_written_with_their_interval():
    assert with_interval(estimate(3.44, -1.2, 5.6)) == "3.4 (\N{MINUS SIGN}1.2 to 5.6)"
    assert with_interval(estimate(3.44)) == "3.4"
    assert with_interval(estimate(None)) == with_interval("") == "\N{EN DASH}"


def test_visits_and_pools_have_names():
    assert [week_name(0), week_name(4)] == ["Baseline", "Week 4"]
    assert [arm_name("all"), arm_name("MCMG")] == ["All together", "MCMG"]
