from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from generator.models.playlist import Playlist
from studies import clock
from studies.design.synthetic import person
from studies.models.audit import AuditEntry
from studies.models.listening import ListeningSession
from studies.models.participant import ParticipantState
from studies.models.study import Study
from studies.models.visit import AssessmentState
from studies.selectors.diary import written_mornings
from studies.services.allocation import rederive
from studies.services.demonstration.trial import Mixes, Script, carry
from studies.services.trail.audit import staff, verify_chain
from tests.factories import clinician_of, make_study
from tests.studies.services.evenings import make_ready

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(settings: Settings, tmp_path: Path) -> Study:
    settings.NOCTURNE_NIGHTS = tmp_path / "nights"
    settings.NOCTURNE_NIGHTS.mkdir()
    with clock.at(clock.now() - timedelta(weeks=11)):
        return make_study()


def test_synthetic_people_live_through_the_study_by_its_own_services(study: Study) -> None:
    random, now = np.random.default_rng(7), clock.now()
    joins_at = now - timedelta(weeks=10)
    quirks = [
        {"stops_at": "invited"},
        {"stops_at": "declined"},
        {"stops_at": "consented"},
        {"stops_at": "baseline_done"},
        {"stops_at": "withdrawn"},
        {"misses_week": 8},
        {},
        {},
    ]
    scripts = [Script(person(random), joins_at, **quirk) for quirk in quirks]
    scripts.append(Script(person(random, is_calm=True), joins_at))
    carried = carry(
        study=study,
        scripts=scripts,
        actor=staff(clinician_of(study)),
        mixes=Mixes(render=make_ready),
        until=now,
    )
    for one in carried:
        one.participant.refresh_from_db()
    state = ParticipantState
    assert [one.participant.state for one in carried] == [
        state.INVITED, state.DECLINED, state.CONSENTED, state.BASELINE_DONE, state.WITHDRAWN,
        state.ALLOCATED, state.COMPLETED, state.COMPLETED, state.INELIGIBLE,
    ]  # fmt: skip
    missed = carried[5].participant.visits.get(week=8).assessments
    assert set(missed.values_list("state", flat=True)) == {AssessmentState.MISSED}
    assert Playlist.objects.count() <= 3
    assert ListeningSession.objects.exists()
    # In every arm: who counts mornings cannot tell the arms apart.
    treated = [one.participant for one in carried[4:8]]
    assert all(written_mornings(one) for one in treated)
    assert verify_chain(study.code) == []
    assert rederive(study) == []


def test_the_trail_is_in_the_order_of_time(study: Study) -> None:
    random, now = np.random.default_rng(8), clock.now()
    scripts = [
        Script(person(random), now - timedelta(days=10 - place), stops_at="baseline_done")
        for place in range(4)
    ]
    carry(
        study=study,
        scripts=scripts,
        actor=staff(clinician_of(study)),
        mixes=Mixes(render=make_ready),
        until=now,
    )
    entries = AuditEntry.objects.filter(chain=study.code).order_by("number")
    moments = list(entries.values_list("at", flat=True))
    assert moments == sorted(moments)
