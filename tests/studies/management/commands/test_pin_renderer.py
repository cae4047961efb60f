import json
from dataclasses import asdict, replace

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from generator.engine.composers.releases import composers_name
from studies.models.audit import AuditEntry
from studies.models.study import Role, Study
from studies.services.music.renderer import chosen_pin
from tests.factories import make_staff, make_study
from tests.studies.services.evenings import upgrade

pytestmark = pytest.mark.django_db


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("pin_renderer", *arguments)
    return capsys.readouterr().out


def test_it_prints_the_studys_pin_as_audio_doctor_takes_it(capsys) -> None:
    study = make_study()
    assert json.loads(told(capsys, study.code)) == asdict(chosen_pin())
    Study.objects.update(renderer_pin={})
    assert "not pinned" in told(capsys, study.code)


def test_another_renderer_is_fixed_by_somebody_for_a_reason(capsys, settings: Settings) -> None:
    study = make_study()
    other = replace(chosen_pin(), version="0")
    settings.NOCTURNE_RENDERER_PIN = json.dumps(asdict(other))
    user = make_staff(Role.PRINCIPAL_INVESTIGATOR, study=study)
    said = told(capsys, study.code, "--reason", "new machines", "--user", user.username)
    assert json.loads(said) == asdict(other)
    entry = AuditEntry.objects.filter(action="pin_renderer").latest("number")
    assert (entry.reason, entry.actor) == ("new machines", user.username)


def test_new_composers_can_be_fixed_alone(capsys, settings: Settings, monkeypatch) -> None:
    study = make_study()
    before = study.renderer_pin
    settings.NOCTURNE_RENDERER_PIN = json.dumps(asdict(replace(chosen_pin(), version="0")))
    upgrade(monkeypatch)
    user = make_staff(Role.PRINCIPAL_INVESTIGATOR, study=study)
    said = told(
        capsys, study.code, "--composers-only", "--reason", "upgrade", "--user", user.username
    )
    assert json.loads(said) == {**before, "composers": composers_name()}
    assert composers_name() != before["composers"]


def test_it_says_what_is_missing() -> None:
    study = make_study()
    with pytest.raises(CommandError, match="A study's code was expected, got 'NONE'"):
        call_command("pin_renderer", "NONE")
    with pytest.raises(CommandError, match="--user with the name"):
        call_command("pin_renderer", study.code, "--reason", "because", "--user", "nobody")
