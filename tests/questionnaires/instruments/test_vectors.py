import json
from pathlib import Path

import pytest

from questionnaires.instruments import CATALOGUE, score_answers

VECTORS = Path(__file__).parents[3] / "questionnaires" / "instruments" / "vectors"
BY_RULE = [
    (key, case)
    for key in ("sleep_diary", "credibility_expectancy")
    for case in json.loads((VECTORS / f"{key}.json").read_text("utf-8"))["cases"]
]


@pytest.mark.parametrize(("key", "case"), BY_RULE, ids=lambda part: str(part)[:40])
def test_every_published_case_pins_its_rule(key, case):
    instrument = CATALOGUE[key]
    scores = score_answers(instrument, case["answers"], case["rule_id"])
    assert {name: _rounded(value) for name, value in scores.values.items()} == {
        score.name: _rounded(case[score.name]) for score in instrument.scores
    }
    assert scores.n_missing == case["n_missing"]
    assert list(scores.flags) == case["flags"]


def test_every_file_of_vectors_names_its_source_and_its_instrument():
    files = sorted(VECTORS.glob("*.json"))
    assert {file.stem for file in files} == {
        "psqi",
        "cpss",
        "sleep_diary",
        "credibility_expectancy",
    }
    for file in files:
        assert "free to use" in json.loads(file.read_text("utf-8"))["source"]


def _rounded(value):
    return None if value is None else round(value, 9)
