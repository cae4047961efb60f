import pytest

from studies.checks import chinese_letters_have_a_font, lessons_agree, open_studies_are_whole
from studies.models.allocation import AllocationStream
from studies.models.cbt import CourseVersion
from studies.models.consent import ConsentText
from studies.models.study import Study
from tests.factories import make_study
from tests.studies.services.evenings import upgrade

pytestmark = pytest.mark.django_db


def _ids() -> list[str]:
    return [message.id for message in open_studies_are_whole(databases=["default"])]


def test_a_whole_study_passes_and_a_draft_is_not_asked() -> None:
    make_study()
    make_study(is_open=False)
    assert _ids() == []


def test_the_database_is_left_alone_unless_it_is_asked_for() -> None:
    AllocationStream.objects.filter(study=make_study()).delete()
    assert open_studies_are_whole(databases=None) == []
    assert _ids() == ["studies.E004"]


def test_what_an_open_study_lacks_is_named() -> None:
    study = make_study()
    ConsentText.objects.filter(study=study, language="en").delete()
    assert _ids() == ["studies.E003"]
    Study.objects.update(protocol={**study.protocol, "night_minutes": 5})
    assert _ids() == ["studies.E002", "studies.E003"]
    Study.objects.update(protocol={"nonsense": 1})
    assert _ids() == ["studies.E001"]


def test_an_instrument_that_this_build_lacks_is_named() -> None:
    study = make_study()
    visits = [
        {**visit, "instruments": [*visit["instruments"], "unheard_of"]}
        for visit in study.protocol["visits"]
    ]
    Study.objects.update(protocol={**study.protocol, "visits": visits})
    assert _ids() == ["studies.E002", "studies.E005"]


def test_a_course_that_the_study_did_not_pin_is_named() -> None:
    make_study()
    CourseVersion.objects.update(sha256="0" * 64)
    assert _ids() == ["studies.W007"]


def test_composers_that_the_study_did_not_pin_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study()
    upgrade(monkeypatch)
    (warning,) = open_studies_are_whole(databases=["default"])
    assert warning.id == "studies.W009"
    assert f"pin_renderer {study.code} --composers-only --reason" in warning.hint


def test_a_study_that_fixed_no_composers_is_named() -> None:
    study = make_study()
    for pin in ({}, {**study.renderer_pin, "composers": ""}):
        Study.objects.update(renderer_pin=pin)
        assert _ids() == ["studies.W010"]


def test_lessons_whose_languages_disagree_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lessons_agree() == []
    found = ["lesson worries, card 3: park in en and nothing in zh-hans"]
    monkeypatch.setattr("studies.checks.differences", lambda: found)
    (message,) = lessons_agree()
    assert (message.id, found[0] in message.msg) == ("studies.E006", True)


def test_a_machine_without_chinese_letters_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studies.checks.installed", object)
    assert chinese_letters_have_a_font() == []
    monkeypatch.setattr("studies.checks.installed", lambda: None)
    (message,) = chinese_letters_have_a_font()
    assert (message.id, "fonts-noto-cjk" in message.hint) == ("studies.W008", True)
