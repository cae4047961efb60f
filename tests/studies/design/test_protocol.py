import json
from dataclasses import replace

import pytest

from studies.design.errors import ProtocolError
from studies.design.parts import MusicProfile
from studies.design.protocol import ArmPlan, Factor, Protocol, VisitPlan, four_arms


def test_the_template_is_the_trial_of_the_paper() -> None:
    plan = four_arms()
    assert [arm.code for arm in plan.arms] == ["CBT", "LSTM-ACM", "MCMG", "GAMC"]
    assert [(visit.week, visit.window_days) for visit in plan.visits] == [(0, 0), (4, 5), (8, 5)]
    assert all(visit.instruments == ("psqi", "cpss") for visit in plan.visits)
    assert plan.block_sizes == (8, 12)


def test_a_protocol_survives_json_unchanged() -> None:
    plan = four_arms(night_minutes=45)
    again = Protocol.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert again.sha256 == plan.sha256


def test_a_protocol_from_before_nights_ahead_and_downloads_keeps_its_hash() -> None:
    plan = replace(four_arms(), music=MusicProfile(60.0, ("folk",)))
    assert plan.to_json()["music"] == {"tempo_max_bpm": 60.0, "styles": ["folk"]}
    stated = replace(plan, music=replace(plan.music, nights_ahead=2, downloads=("midi",)))
    assert stated.to_json()["music"]["nights_ahead"] == 2
    assert Protocol.from_json(stated.to_json()) == stated
    assert stated.sha256 != plan.sha256


def test_the_hash_changes_with_any_part() -> None:
    plan = four_arms()
    assert plan.sha256 != four_arms(night_minutes=31).sha256
    assert plan.sha256 != replace(plan, block_sizes=(8, 16)).sha256
    assert plan.sha256 == four_arms().sha256


def test_strata_are_the_levels_of_the_factors() -> None:
    plan = replace(
        four_arms(), factors=(Factor("sex", ("female", "male")), Factor("site", ("a", "b")))
    )
    assert plan.strata == (
        "sex=female,site=a", "sex=female,site=b", "sex=male,site=a", "sex=male,site=b",
    )  # fmt: skip
    assert plan.stratum_of({"site": "b", "sex": "male"}) == "sex=male,site=b"


def test_a_protocol_without_factors_has_one_stratum() -> None:
    plan = replace(four_arms(), factors=())
    assert plan.strata == ("",)
    assert plan.stratum_of({}) == ""


@pytest.mark.parametrize("levels", [{}, {"sex": "?"}, {"sex": "male", "site": "x"}])
def test_levels_that_do_not_fit_the_factors_are_refused(levels: dict[str, str]) -> None:
    with pytest.raises(ProtocolError):
        four_arms().stratum_of(levels)


@pytest.mark.parametrize(
    "changes",
    [
        {"arms": (ArmPlan("CBT", "cbt"),)},
        {"arms": (ArmPlan("CBT", "cbt"), ArmPlan("CBT", "cbt"))},
        {"visits": (VisitPlan(0, ("psqi",)),)},
        {"visits": (VisitPlan(4, ("psqi",)), VisitPlan(8, ("psqi",)))},
        {"visits": (VisitPlan(0, ("psqi",)), VisitPlan(8, ("psqi",)), VisitPlan(4, ("psqi",)))},
        {"block_sizes": (4,)},
        {"block_sizes": ()},
        {"night_minutes": 0},
        {"night_minutes": 61},
        {"slots_per_stratum": 0},
        {"factors": (Factor("site", tuple("abcdefg")),)},
    ],
)
def test_a_protocol_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ProtocolError, match="expected"):
        replace(four_arms(), **changes)


@pytest.mark.parametrize(
    ("part", "values"),
    [
        (ArmPlan, ("X", "surgery")),
        (ArmPlan, ("X", "music")),
        (ArmPlan, ("X", "cbt", "markov")),
        (ArmPlan, ("X", "cbt", "", 0)),
        (VisitPlan, (-1, ("psqi",))),
        (VisitPlan, (4, ())),
        (VisitPlan, (4, ("psqi", "psqi"))),
        (VisitPlan, (4, ("psqi",), 14)),
        (Factor, ("sex", ("female",))),
        (Factor, ("sex", ("female", "female"))),
    ],
)
def test_a_part_out_of_range_is_refused(part: type, values: tuple[object, ...]) -> None:
    with pytest.raises(ProtocolError, match="got"):
        part(*values)


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        "protocol",
        {},
        {**four_arms().to_json(), "surprise": 1},
        {**four_arms().to_json(), "arms": [{"code": "X"}]},
        {**four_arms().to_json(), "visits": 3},
        {**four_arms().to_json(), "night_minutes": "long"},
    ],
)
def test_json_that_is_no_protocol_is_refused_by_name(plain: object) -> None:
    with pytest.raises(ProtocolError, match="got"):
        Protocol.from_json(plain)


def test_a_visit_that_is_not_planned_is_refused() -> None:
    assert four_arms().visit_at(8).week == 8
    with pytest.raises(ProtocolError, match="got 6"):
        four_arms().visit_at(6)


def test_answers_may_be_declined_except_where_eligibility_rests_on_them() -> None:
    plan = four_arms()
    assert plan.may_decline(0, "psqi")
    assert not plan.may_decline(0, "cpss")
    assert plan.may_decline(4, "cpss")
    assert plan.may_decline_in_diaries


def test_a_protocol_from_before_declining_offers_none_and_keeps_its_hash() -> None:
    plan = four_arms()
    older = replace(plan, visits=tuple(replace(v, may_decline=False) for v in plan.visits))
    plain = older.to_json()
    assert all("may_decline" not in visit for visit in plain["visits"])
    assert Protocol.from_json(plain) == older
    assert not older.may_decline(4, "cpss")
    assert not older.may_decline_in_diaries
    assert older.sha256 != plan.sha256
