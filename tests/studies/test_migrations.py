"""What data migrations make of rows from before."""

from importlib import import_module

import pytest
from django.apps import apps

from studies.models.protocol import ProtocolVersion, VersionState
from studies.models.study import Membership, Site, Study
from tests.factories import clinician_of, make_participant, make_staff, make_study

pytestmark = pytest.mark.django_db

PLACES = import_module("studies.migrations.0004_people_belong_to_sites")
VERSIONS = import_module("studies.migrations.0011_studies_get_their_first_version")


def test_clinicians_become_investigators_and_everybody_has_a_site() -> None:
    study = make_study(is_open=False)
    researcher = make_staff("researcher", study=study)
    Membership.objects.filter(user=clinician_of(study)).update(role="clinician")
    Site.objects.filter(study=study).delete()
    PLACES.settle(apps, None)
    roles = set(study.memberships.values_list("role", flat=True))
    assert roles == {"principal_investigator", "researcher"}
    assert researcher.memberships.get().site is None
    assert study.sites.get().code == "MAIN"


def test_a_study_from_before_versions_gets_its_protocol_as_the_first() -> None:
    draft, opened = make_study(is_open=False), make_study(is_open=False)
    ProtocolVersion.objects.all().delete()
    now = draft.created_at
    Study.objects.filter(pk=opened.pk).update(
        state="open", opened_at=now, protocol_sha256=opened.plan.sha256
    )
    Membership.objects.update(is_on_call=False)
    VERSIONS.first_versions(apps, None)
    first, second = draft.protocol_versions.get(), opened.protocol_versions.get()
    assert (first.state, second.state) == (VersionState.DRAFT, VersionState.ACTIVE)
    assert first.sha256 == draft.plan.sha256 == second.sha256
    assert second.plan == opened.plan
    assert draft.memberships.get().is_on_call


def test_people_who_were_there_are_still_seen() -> None:
    participant = make_participant()
    clinician = clinician_of(participant.study)
    visible = type(participant).objects.visible_to(clinician)
    assert participant in visible
