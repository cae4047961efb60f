"""A look of the monitoring board: frozen, hashed, and by letters that tell no arm."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from studies.exceptions import InterimRefused, ReasonMissing
from studies.models.audit import AuditEntry
from studies.models.interim import InterimLook
from studies.services.allocation import arm_of
from studies.services.closing.interim import content_sha256, take_look
from studies.services.protocol.setup import close_study
from studies.services.trail.audit import SYSTEM
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import short_plan
from tests.studies.views.test_blinding import ARM_WORDS

pytestmark = pytest.mark.django_db

WHY = {"reason": "the planned look", "actor": SYSTEM}


def test_a_look_is_frozen_and_hashed_and_in_the_trail() -> None:
    study = make_study(protocol=short_plan())
    make_participant("week4", study=study)
    look = take_look(study=study, **WHY)
    assert look.sha256 == content_sha256(InterimLook.objects.get().content)
    entry = AuditEntry.objects.get(chain=study.code, action="take_interim_look")
    assert entry.new == {"number": 1, "sha256": look.sha256}
    for change in (InterimLook.objects.all().delete, lambda: InterimLook.objects.update(number=9)):
        with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
            change()


def test_the_letters_tell_no_arm_and_stay_the_same() -> None:
    study = make_study(protocol=short_plan())
    person = make_participant("week4", study=study)
    looks = [take_look(study=study, **WHY) for _again in range(2)]
    for look in looks:
        told = json.dumps(look.content)
        assert not ARM_WORDS.search(told)
        assert not any(word in told for word in (arm_of(person).code, person.code))
        assert [row["arm"] for row in look.content["arms"]] == list("ABCD")
        assert sum(row["analysed"] for row in look.content["arms"]) == 1
    first, second = (look.content["arms"] for look in looks)
    assert first == second


def test_a_mean_of_one_person_is_not_told(tmp_path: Path) -> None:
    study = make_study(protocol=short_plan())
    make_participant("week4", study=study)
    out = tmp_path / "look.json"
    call_command("interim_look", study.code, reason="the planned look", out=out)
    scores = [s for row in json.loads(out.read_text("utf-8"))["arms"] for s in row["scores"]]
    assert {score["mean"] for score in scores} == {None}
    assert sum(score["n"] for score in scores) == 2
    with pytest.raises(CommandError, match="does not exist was expected"):
        call_command("interim_look", study.code, reason="again", out=out)


def test_no_look_without_a_reason_or_before_the_opening() -> None:
    draft, study = make_study(is_open=False), make_study()
    with pytest.raises(InterimRefused, match="got one that is draft"):
        take_look(study=draft, **WHY)
    with pytest.raises(ReasonMissing):
        take_look(study=study, reason=" ", actor=SYSTEM)
    close_study(study=study, actor=SYSTEM)
    assert take_look(study=study, **WHY).number == 1
