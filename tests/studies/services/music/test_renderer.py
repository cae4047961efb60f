import json
from dataclasses import asdict, replace

import pytest
from pytest_django import Settings

from generator.engine.audio.pins import built_in_pin
from generator.engine.composers import engines
from generator.engine.composers.releases import composers_name
from generator.services.rendering import refusal_of
from studies.exceptions import EngineMissing, ReasonMissing, RendererUnreadable, StudyNotReady
from studies.models.audit import AuditEntry
from studies.models.study import ArmKind, Study
from studies.services.music.playlists import request_tonight
from studies.services.music.renderer import (
    are_composers_changed,
    chosen_pin,
    pin_of,
    pin_renderer,
)
from studies.services.protocol.setup import open_study
from studies.services.trail.audit import SYSTEM
from tests.factories import make_study
from tests.studies.services.evenings import someone_with, upgrade

pytestmark = pytest.mark.django_db

BUILT_IN = replace(built_in_pin(), composers=composers_name())
OTHER = replace(BUILT_IN, version="0")


def test_a_study_fixes_its_renderer_when_it_opens_and_every_night_carries_it() -> None:
    assert make_study(is_open=False).renderer_pin == {}
    study = make_study()
    assert pin_of(study) == BUILT_IN
    participant = someone_with(ArmKind.MUSIC, study=study)
    brief = request_tonight(participant=participant).playlist.brief
    assert brief["pin"] == asdict(BUILT_IN)
    assert refusal_of(brief) == ""
    assert AuditEntry.objects.get(action="pin_renderer").new == study.renderer_pin


def test_the_installation_may_name_another(settings: Settings) -> None:
    settings.NOCTURNE_RENDERER_PIN = json.dumps(asdict(OTHER))
    study = make_study()
    assert pin_of(study) == OTHER
    brief = request_tonight(participant=someone_with(ArmKind.MUSIC, study=study)).playlist.brief
    assert "the pinned renderer" in refusal_of(brief)


def test_the_composers_are_those_installed_whatever_the_installations_pin_says(settings) -> None:
    for said in ({"composers": "0-feed"}, {"composers": ""}):
        settings.NOCTURNE_RENDERER_PIN = json.dumps(asdict(OTHER) | said)
        assert chosen_pin() == OTHER


def test_a_study_keeps_its_composers_when_others_are_installed(monkeypatch) -> None:
    study = make_study()
    participant = someone_with(ArmKind.MUSIC, study=study)
    assert not are_composers_changed(study)
    upgrade(monkeypatch)
    assert are_composers_changed(study)
    brief = request_tonight(participant=participant).playlist.brief
    assert "the pinned composers" in refusal_of(brief)
    Study.objects.update(renderer_pin=asdict(replace(BUILT_IN, composers="")))
    study.refresh_from_db()
    assert not are_composers_changed(study)


def test_a_study_keeps_its_renderer_when_the_installations_changes(settings: Settings) -> None:
    study = make_study()
    settings.NOCTURNE_RENDERER_PIN = json.dumps(asdict(OTHER))
    study.refresh_from_db()
    assert pin_of(study) == BUILT_IN


def test_another_renderer_needs_a_reason(settings: Settings) -> None:
    study = make_study()
    settings.NOCTURNE_RENDERER_PIN = json.dumps(asdict(OTHER))
    with pytest.raises(ReasonMissing):
        pin_renderer(study=study, actor=SYSTEM)
    pin_renderer(study=study, actor=SYSTEM, reason="the old machine is gone")
    study.refresh_from_db()
    assert pin_of(study) == OTHER
    entry = AuditEntry.objects.filter(action="pin_renderer").latest("number")
    assert entry.old["version"] == built_in_pin().version


@pytest.mark.parametrize("text", ["built-in", "[]", '{"renderer": "built-in"}', '{"of": 1}'])
def test_a_pin_that_nobody_can_read_stands_in_the_way_of_opening(settings, text) -> None:
    draft = make_study(is_open=False)
    settings.NOCTURNE_RENDERER_PIN = text
    with pytest.raises(RendererUnreadable, match="NOCTURNE_RENDERER_PIN as a pin"):
        chosen_pin()
    with pytest.raises(StudyNotReady, match="NOCTURNE_RENDERER_PIN"):
        open_study(study=draft, actor=SYSTEM)


def test_the_installation_may_have_its_studies_composed_by_int8(settings, monkeypatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda _name: "found")
    monkeypatch.setattr(engines, "version", lambda _name: "1.2.3")
    settings.NOCTURNE_ENGINE = "int8"
    assert pin_of(make_study()) == replace(BUILT_IN, engine="int8 onnxruntime 1.2.3")
    settings.NOCTURNE_RENDERER_PIN = json.dumps(asdict(OTHER) | {"engine": "int8 onnxruntime 9"})
    assert chosen_pin().engine == "int8 onnxruntime 9"


def test_an_engine_that_is_not_there_stands_in_the_way_of_opening(settings, monkeypatch) -> None:
    draft = make_study(is_open=False)
    monkeypatch.setattr(engines, "find_spec", lambda _name: None)
    settings.NOCTURNE_ENGINE = "int8"
    with pytest.raises(EngineMissing, match="NOCTURNE_ENGINE"):
        chosen_pin()
    with pytest.raises(StudyNotReady, match=r"requirements-fast\.txt"):
        open_study(study=draft, actor=SYSTEM)


def test_a_study_from_before_there_were_pins_has_none() -> None:
    study = make_study()
    Study.objects.update(renderer_pin={})
    study.refresh_from_db()
    assert pin_of(study) is None
    brief = request_tonight(participant=someone_with(ArmKind.MUSIC, study=study)).playlist.brief
    assert brief["pin"] is None
