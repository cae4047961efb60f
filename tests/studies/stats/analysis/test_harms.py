"""Harms by arm, counted by hand."""

from dataclasses import replace

import pytest

from studies.stats.analysis.harms import (
    COMPARED,
    KINDS,
    Event,
    Harms,
    harm_records,
)
from studies.stats.analysis.pooled import describe_together
from studies.stats.analysis.records import Record, to_json
from studies.stats.analysis.running import Results
from studies.stats.errors import StatisticsError
from tests.studies.stats.analysis.test_running import analysed, made_rows

EVENTS = (
    Event("P000", "mild", "none"),
    Event("P000", "mild", "possible"),
    Event("P000", "severe", "related", ("hospital", "important")),
    Event("P003", "moderate", "none", ("hospital",)),
    Event("P001", "mild", "related", is_expected=True),
    Event("P002", "severe", "none", ("death",), is_before=True),
)


@pytest.fixture(scope="module")
def results() -> Results:
    """Twelve people in three arms in turn: P000 and P003 are in the reference arm."""
    return analysed(made_rows(12))


def found(records: tuple[Record, ...]) -> dict[tuple[str, str, str], Record]:
    return {(r.place.outcome, r.place.method, r.place.contrast or r.place.arm): r for r in records}


def test_people_and_events_are_counted_by_arm_and_kind(results):
    arms = dict(zip(results.table.ids, results.table.arms, strict=True))
    first, second, third = results.table.levels
    assert [arms[p] for p in ("P000", "P001", "P002", "P003")] == [0, 1, 2, 0]
    numbers = found(harm_records(results.plan, results.table, Harms(EVENTS, {"P001": 2})))

    def counted(kind: str, arm: str) -> tuple[int, float]:
        people, events = numbers[kind, "participants", arm], numbers[kind, "events", arm]
        assert people.estimate.n == events.estimate.n == 4
        return round(people.estimate.value * 4), events.estimate.value

    assert counted("any", first) == (2, 4)
    assert counted("mild", first) == (1, 2)
    assert counted("relation_none", first) == (2, 2)
    assert counted("serious", first) == (2, 2)
    assert counted("hospital", first) == (2, 2)
    assert counted("serious_reaction", first) == (1, 1)
    assert counted("unexpected_serious_reaction", first) == (1, 1)
    assert counted("any", second) == (1, 1)
    assert counted("reaction", second) == (1, 1)
    assert counted("asked", second) == (1, 2)
    # What began before allocation is no harm of an arm, and is said all the same.
    assert counted("death", third) == counted("any", third) == (0, 0)
    assert counted("before", third) == (1, 1)


def test_differences_have_an_interval_and_never_a_p_value(results):
    first, second, _third = results.table.levels
    records = harm_records(results.plan, results.table, Harms(EVENTS))
    compared = [r for r in records if r.place.contrast]
    assert {r.place.outcome for r in compared} == set(COMPARED)
    difference = found(records)["any", "risk_difference", f"{second} - {first}"].estimate
    assert difference.value == 1 / 4 - 2 / 4
    assert difference.ci_low < difference.value < difference.ci_high
    assert {r.estimate.p for r in records} == {r.estimate.p_adjusted for r in records} == {None}


def test_a_trial_without_events_has_noughts_with_intervals(results):
    records = harm_records(results.plan, results.table, Harms())
    people = found(records)["any", "participants", results.table.levels[0]].estimate
    assert (people.value, people.n) == (0.0, 4)
    # Wilson's limit of nought out of four.
    assert people.ci_high == pytest.approx(0.489891, abs=1e-6)
    assert len(records) == 3 * 2 * (len(KINDS) + 2) + 2 * len(COMPARED)
    to_json({"harms": [record.as_data() for record in records]})
    assert {record.as_data()["visit"] for record in records} == {None}


def test_a_blinded_trial_is_counted_in_one_pool_and_not_compared(results):
    together = describe_together(results.plan, results.table)
    records = harm_records(results.plan, together.table, Harms(EVENTS))
    assert {record.place.arm for record in records} == {"all"}
    assert {record.place.contrast for record in records} == {None}
    people = found(records)["any", "participants", "all"].estimate
    assert (people.value, people.n) == (3 / 12, 12)


def test_an_arm_with_nobody_has_no_share(results):
    empty = replace(results.table, levels=(*results.table.levels, "LATER"))
    numbers = found(harm_records(results.plan, empty, Harms(EVENTS)))
    share = numbers["any", "participants", "LATER"]
    assert (share.estimate.value, share.as_data()["status"]) == (None, "not_estimable")


def test_an_unknown_grade_and_an_unknown_person_are_refused(results):
    for grades in (("deadly", "none"), ("mild", "maybe"), ("mild", "none", ("sad",))):
        with pytest.raises(StatisticsError, match="Grade the event again"):
            Event("P000", *grades)
    for harms in (Harms((Event("X", "mild", "none"),)), Harms(asked={"X": 1})):
        with pytest.raises(StatisticsError, match="those who are in the table, got 'X'"):
            harm_records(results.plan, results.table, harms)
