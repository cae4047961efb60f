"""Each method of allocation, from the opening to the derivation of every slot afterwards."""

import json
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from studies.design import methods
from studies.design.methods import Given
from studies.design.parts import ArmPlan, Factor, VisitPlan
from studies.design.protocol import Protocol, four_arms
from studies.exceptions import ListRefused, SequenceSealed, StudyNotReady
from studies.models.allocation import Allocation, AllocationStream
from studies.models.audit import AuditEntry
from studies.models.participant import Participant
from studies.models.study import Study
from studies.services.allocation import (
    allocate_participant,
    arm_of,
    import_list,
    rederive,
    reveal_sequences,
    usage_of,
)
from studies.services.closing.locks import lock_database
from studies.services.protocol.members import add_site
from studies.services.protocol.setup import close_study, open_study, unblind_study
from studies.services.trail.audit import SYSTEM, staff
from tests.factories import (
    answer_visit,
    clinician_of,
    consent,
    invite,
    make_participant,
    make_study,
)

pytestmark = pytest.mark.django_db

BASE = replace(
    four_arms(1),
    arms=(ArmPlan("MCMG", "music", "markov"), ArmPlan("GAMC", "music", "genetic")),
    visits=(VisitPlan(0, ("cpss",)), VisitPlan(4, ("cpss",), 5)),
    block_sizes=(4, 6),
    participants_planned=8,
)
PLANS = {
    "blocks": BASE,
    "simple": replace(BASE, method="simple", factors=()),
    "minimisation": replace(
        BASE, method="minimisation",
        factors=(*BASE.factors, Factor("stress", ("low", "high"), "band", "cpss_total", (40,))),
    ),
}  # fmt: skip
LIST_PLAN = replace(BASE, method="list", block_sizes=())


def _csv(*arms: str) -> str:
    rows = [f"sex={sex},{arm}" for sex in ("female", "male", "other") for arm in arms]
    return "stratum,arm\n" + "\n".join(rows)


SLOTS = ("MCMG", "MCMG", "GAMC", "GAMC", "GAMC", "MCMG")


def _listed() -> Study:
    study = make_study(is_open=False, protocol=LIST_PLAN)
    import_list(study=study, text=_csv(*SLOTS), actor=SYSTEM)
    return open_study(study=study, actor=SYSTEM)


def _study(method: str) -> Study:
    return _listed() if method == "list" else make_study(protocol=PLANS[method])


def _people(study: Study, n: int) -> list[Participant]:
    by_sex = "sex" in {factor.name for factor in study.plan.factors}
    make = _by_sex if by_sex else _by_nothing
    return [make(study) for _ in range(n)]


def _by_sex(study: Study) -> Participant:
    return make_participant("allocated", study=study)


def _by_nothing(study: Study) -> Participant:
    invitation = invite(study, sex=None)
    consent(invitation)
    answer_visit(invitation.participant, week=0)
    allocate_participant(participant=invitation.participant, actor=SYSTEM)
    return Participant.objects.get(pk=invitation.participant.pk)


@pytest.mark.parametrize("method", [*PLANS, "list"])
def test_every_method_gives_slots_in_order_and_can_be_derived_again(method: str) -> None:
    study = _study(method)
    people = _people(study, 5)
    assert all(arm_of(person) is not None for person in people)
    stream = AllocationStream.objects.get(study=study, next_slot=5)
    assert list(Allocation.objects.filter(stream=stream).values_list("slot", flat=True)) == [
        0, 1, 2, 3, 4,
    ]  # fmt: skip
    assert rederive(study) == []
    assert sum(used for _label, used, _n in usage_of(study)) == 5


@pytest.mark.parametrize("method", [*PLANS, "list"])
def test_an_arm_changed_by_hand_and_a_commitment_exchanged_are_found(method: str) -> None:
    study = _study(method)
    person = _people(study, 2)[0]
    allocation = Allocation.objects.get(participant=person)
    other = study.arms.exclude(pk=allocation.arm_id).get()
    Allocation.objects.filter(pk=allocation.pk).update(arm=other)
    assert any("slot 0 was not given as drawn" in line for line in rederive(study))
    Allocation.objects.filter(pk=allocation.pk).update(arm=allocation.arm)
    AllocationStream.objects.filter(study=study).update(commitment="0" * 64)
    assert any("not the one published" in line for line in rederive(study))


def test_minimisation_counts_the_levels_that_baseline_told() -> None:
    study = _study("minimisation")
    person = _people(study, 1)[0]
    assert person.strata == {"sex": "female", "stress": "high"}
    assert person.stratum == "sex=female,stress=high"
    assert Allocation.objects.get(participant=person).levels == person.strata
    entry = AuditEntry.objects.get(chain=study.code, action="invite_participant")
    assert entry.new["stratum"] == ""


def test_a_stratum_by_site_and_age_is_known_at_invitation() -> None:
    factors = (
        Factor("site", ("MAIN", "NORTH"), "site"),
        Factor("age", ("young", "old"), "band", "age_years", (15,)),
    )
    study = make_study(is_open=False, protocol=replace(BASE, factors=factors))
    north = add_site(study=study, code="NORTH", name="North", actor=SYSTEM)
    study = open_study(study=study, actor=SYSTEM)
    person = invite(study, sex=None, age_years=14, site=north).participant
    assert person.stratum == "site=NORTH,age=young"


def test_a_list_is_given_in_its_order() -> None:
    study = _listed()
    people = [make_participant("allocated", study=study) for _ in range(6)]
    assert [arm_of(person).code for person in people] == list(SLOTS)


def test_a_list_is_replaced_while_a_draft_and_never_after() -> None:
    study = make_study(is_open=False, protocol=LIST_PLAN)
    first = import_list(study=study, text=_csv(*SLOTS), actor=SYSTEM)
    second = import_list(study=study, text=_csv(*SLOTS), actor=SYSTEM)
    assert set(first) == set(second) == set(LIST_PLAN.strata)
    assert not set(first.values()) & set(second.values())
    opened = open_study(study=study, actor=SYSTEM)
    entry = AuditEntry.objects.get(chain=study.code, action="open_study")
    assert entry.new["commitments"] == second
    with pytest.raises(ListRefused, match="draft study"):
        import_list(study=opened, text=_csv(*SLOTS), actor=SYSTEM)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_csv("MCMG", "GAMC", "XYZ"), "code of an arm"),
        (_csv("MCMG", "GAMC"), "8 slots or more, got 6"),
        (_csv(*["MCMG"] * 8), "50% of the slots"),
        (_csv(*["MCMG", "GAMC"] * 4), "cannot be guessed"),
    ],
)
def test_a_list_that_will_not_do_is_refused_and_nothing_is_kept(text: str, words: str) -> None:
    study = make_study(is_open=False, protocol=LIST_PLAN)
    with pytest.raises(ListRefused, match=words):
        import_list(study=study, text=text, actor=SYSTEM)
    assert not AllocationStream.objects.filter(study=study).exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"participants_planned": 50}, "shorter than"),
        ({"factors": ()}, "other strata"),
        (
            {"arms": (ArmPlan("MCMG", "music", "markov"), ArmPlan("CBT", "cbt"))},
            "other arms",
        ),
    ],
)
def test_a_protocol_that_moved_away_from_its_list_does_not_open(
    changes: dict[str, object], words: str
) -> None:
    study = make_study(is_open=False, protocol=LIST_PLAN)
    import_list(study=study, text=_csv(*SLOTS), actor=SYSTEM)
    Study.objects.filter(pk=study.pk).update(protocol=replace(LIST_PLAN, **changes).to_json())
    with pytest.raises(StudyNotReady, match=words):
        open_study(study=Study.objects.get(pk=study.pk), actor=SYSTEM)


def _rebuild(revealed: dict[str, object]) -> Protocol:
    return replace(
        BASE,
        method=revealed["method"],
        block_sizes=tuple(revealed["block_sizes"]),
        factors=PLANS.get(revealed["method"], BASE).factors,
    )


@pytest.mark.parametrize("method", [*PLANS, "list"])
def test_whoever_gets_the_seeds_after_unblinding_derives_every_slot(method: str) -> None:
    study = _study(method)
    people = _people(study, 4)
    with pytest.raises(SequenceSealed, match="stay under seal"):
        reveal_sequences(study=study, actor=SYSTEM)
    with pytest.raises(CommandError, match="stay under seal"):
        call_command("reveal_allocation", study.code)
    actor = staff(clinician_of(study))
    study = close_study(study=study, actor=actor, reason="all in")
    lock_database(study=study, actor=actor)
    unblind_study(study=study, actor=actor, reason="all in")
    out = StringIO()
    call_command("reveal_allocation", study.code, stdout=out)
    revealed = json.loads(out.getvalue())
    plan, sequence = _rebuild(revealed), next(s for s in revealed["sequences"] if s["n_used"])
    seed = bytes.fromhex(sequence["seed"])
    given = [(person.strata, arm_of(person).code) for person in people]
    if method == "list":
        assert [arm for _levels, arm in given] == sequence["arms"][:4]
        return
    derived, before = [], []
    for slot, (levels, arm) in enumerate(given):
        derived.append(
            methods.arm_of_slot(plan, sequence["label"], seed, slot, newcomer=levels, before=before)
        )
        before.append(Given(levels, arm))
    assert derived == [arm for _levels, arm in given]
    assert (
        methods.commitment(plan, sequence["label"], seed, sequence["n_slots"])
        == (sequence["commitment"])
    )


def test_the_command_says_whether_allocations_agree() -> None:
    study = _study("blocks")
    person = _people(study, 1)[0]
    out = StringIO()
    call_command("verify_allocation", study.code, stdout=out)
    assert f"{study.code}: agrees" in out.getvalue()
    other = study.arms.exclude(pk=arm_of(person).pk).get()
    Allocation.objects.filter(participant=person).update(arm=other)
    out = StringIO()
    with pytest.raises(CommandError, match="1 studies disagree"):
        call_command("verify_allocation", stdout=out)
    assert not {"MCMG", "GAMC"} & set(out.getvalue().split())
    with pytest.raises(CommandError, match="was opened"):
        call_command("verify_allocation", "NOWHERE")


def test_the_simulation_is_printed_and_the_same_for_the_same_seed() -> None:
    study = make_study(is_open=False, protocol=BASE)
    outs = [StringIO(), StringIO()]
    for out in outs:
        call_command("simulate_allocation", study.code, "--trials", "5", "--seed", "3", stdout=out)
    assert outs[0].getvalue() == outs[1].getvalue()
    assert "5 trials of 8 people, seed 3" in outs[0].getvalue()
    assert "right guesses" in outs[0].getvalue()
    with pytest.raises(CommandError, match="1 to 5000 trials"):
        call_command("simulate_allocation", study.code, "--trials", "0")
    with pytest.raises(CommandError, match="A study was expected"):
        call_command("simulate_allocation", "NOWHERE")
