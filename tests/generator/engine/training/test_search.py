import csv

import pytest

from generator.engine.errors import EngineUnavailable, TrainingError
from generator.engine.training import search as searching
from generator.engine.training.plan import TrainingPlan
from generator.engine.training.search import SPACE, Trial, Way, proposed, read_trials, search

PLAN = TrainingPlan(max_steps=2, length=32, evaluate_every=2, originality_pieces=0, seed=4)


@pytest.fixture
def small_space(monkeypatch):
    space = {
        "layers": (1, 2),
        "hidden": (16,),
        "head_size": (8,),
        "learning_rate": (1e-3,),
        "lanes": (2,),
    }
    monkeypatch.setattr(searching, "SPACE", space)


def test_the_grid_proposes_every_point_once_in_an_order_of_its_seed():
    done, seen = [], set()
    for _ in range(12):
        values = proposed(Way.GRID, done, 1)
        seen.add(tuple(values.values()))
        done.append(Trial(values, 2.0))
    assert len(seen) == 12
    assert proposed(Way.GRID, [], 2) != proposed(Way.GRID, [], 1)


def test_a_search_goes_on_where_it_stood_and_ends_with_the_grid(corpus, tmp_path, small_space):
    assert len(search(corpus, tmp_path, Way.GRID, 1, PLAN)) == 1
    done = search(corpus, tmp_path, Way.GRID, 2, PLAN)
    assert {trial.values["layers"] for trial in done} == {1, 2}
    assert [t.values for t in read_trials(tmp_path / "trials.csv")] == [t.values for t in done]
    with (tmp_path / "sensitivity.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert sum(int(row["n"]) for row in rows if row["factor"] == "layers") == 2
    with pytest.raises(TrainingError, match="size of the grid"):
        search(corpus, tmp_path, Way.GRID, 3, PLAN)


def test_a_search_that_is_asked_to_end_starts_nothing(corpus, tmp_path):
    assert search(corpus, tmp_path, Way.GRID, 3, PLAN, stop=lambda: True) == []


def test_tpe_without_optuna_says_what_to_install(monkeypatch):
    monkeypatch.setattr(searching, "optuna", None)
    with pytest.raises(EngineUnavailable, match=r"requirements-search\.txt"):
        proposed(Way.TPE, [], 1)


@pytest.mark.skipif(searching.optuna is None, reason="the extra 'search' (optuna) is not installed")
def test_tpe_prefers_what_did_well_and_tries_nothing_twice():
    done = []
    for _ in range(25):
        values = proposed(Way.TPE, done, 1)
        done.append(Trial(values, abs(values["learning_rate"] - 2e-3) * 1000))
    assert set(done[0].values) == set(SPACE)
    assert len({tuple(trial.values.values()) for trial in done}) == len(done)
    late = [trial.values["learning_rate"] for trial in done[12:]]
    assert late.count(2e-3) > len(late) / 3
