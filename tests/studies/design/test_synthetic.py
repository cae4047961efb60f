import numpy as np
import pytest

from questionnaires.instruments import instrument_named, score_answers
from questionnaires.instruments.reading import read_answer
from studies.design.synthetic import Person, person, relief_at

N = 120


def _total(someone: Person, instrument: str, relief: float) -> float:
    definition = instrument_named(instrument)
    typed = someone.answers(instrument, relief)
    read = {
        item.key: None if typed[item.key] is None else read_answer(item, typed[item.key])
        for item in definition.items
    }
    return score_answers(definition, read).values["total"]


def _people(seed: int) -> list[Person]:
    random = np.random.default_rng(seed)
    return [person(random) for _ in range(N)]


def test_synthetic_people_are_stressed_sleep_badly_and_differ() -> None:
    people = _people(1)
    psqi = [_total(someone, "psqi", 0.0) for someone in people]
    cpss = [_total(someone, "cpss", 0.0) for someone in people]
    assert 7 < np.mean(psqi) < 12
    assert 29 < np.mean(cpss) < 40
    assert np.std(psqi) > 2
    assert np.corrcoef(psqi, cpss)[0, 1] > 0.2


def test_relief_lowers_the_scores() -> None:
    people = _people(2)
    before = np.mean([_total(someone, "psqi", 0.0) for someone in people])
    after = np.mean([_total(someone, "psqi", relief_at("CBT", 8)) for someone in people])
    assert 1 < before - after < 5


def test_the_same_seed_gives_the_same_answers() -> None:
    first, second = ([someone.answers("psqi", 0.0) for someone in _people(3)] for _ in range(2))
    assert first == second


def test_a_calm_person_is_not_eligible() -> None:
    random = np.random.default_rng(4)
    totals = [_total(person(random, is_calm=True), "cpss", 0.0) for _ in range(20)]
    assert max(totals) < 26


def test_the_diary_of_a_synthetic_person_gives_an_efficiency() -> None:
    definition = instrument_named("sleep_diary")
    for someone in _people(5)[:20]:
        typed = someone.answers("sleep_diary", 0.0)
        read = {i.key: read_answer(i, typed[i.key]) for i in definition.items}
        assert 40 < score_answers(definition, read).values["se_pct"] < 100


def test_who_sleeps_badly_says_so_in_the_six_taps() -> None:
    definition = instrument_named("morning_diary")
    slept = {}
    for someone in _people(6):
        typed = someone.answers("morning_diary", 0.0)
        read = {i.key: read_answer(i, typed[i.key]) for i in definition.items}
        slept[someone.sleep] = score_answers(definition, read).values["sleep_at_least_h"]
    worst, best = (sorted(slept, reverse=bad)[:30] for bad in (True, False))
    assert np.mean([slept[level] for level in worst]) < np.mean([slept[level] for level in best])


@pytest.mark.parametrize(("arm", "week", "relief"), [("CBT", 0, 0), (None, 8, 0.05)])
def test_relief_begins_at_nothing(arm: str | None, week: int, relief: float) -> None:
    assert relief_at(arm, week) == relief
    assert 0 < relief_at("GAMC", 4) < relief_at("GAMC", 8) < 0.5
