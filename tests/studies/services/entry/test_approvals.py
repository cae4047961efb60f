"""Nobody is invited at a site whose approval of the protocol in force is not on record."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.urls import reverse
from pytest_django import Settings

from studies import clock
from studies.exceptions import ApprovalRefused, SiteNotApproved
from studies.models.approval import SiteApproval
from studies.models.study import Study
from studies.services.entry.approvals import approve_site, sites_to_approve
from studies.services.protocol.members import add_site
from studies.services.protocol.versions import activate_version, save_draft, submit_version
from studies.services.trail.audit import SYSTEM, staff
from tests.factories import clinician_of, invite, make_staff, make_study
from tests.studies.views.browsers import clinician_in

pytestmark = pytest.mark.django_db

LETTER = {"approved_on": date(2026, 1, 15), "reference": "REC 26/001", "actor": SYSTEM}


@pytest.fixture
def study(settings: Settings) -> Study:
    """Return an open study of a real installation."""
    study = make_study()
    settings.NOCTURNE_MODE = "real"
    return study


def amend(study: Study) -> None:
    """Bring an amendment into force, by two people as a real study does."""
    asker, other = staff(clinician_of(study)), staff(make_staff(study=study))
    save_draft(study=study, protocol=replace(study.plan, night_minutes=2), actor=asker)
    submit_version(study=study, actor=asker, reason="longer nights")
    activate_version(study=study, actor=other, approved_on=date(2026, 2, 1))


def test_the_dry_run_says_at_which_sites_nobody_can_be_invited_yet(settings: Settings) -> None:
    study = make_study(is_open=False)
    page = reverse("studies:rehearsal", args=[study.code])
    client, words = clinician_in(study), "approve the submitted protocol"
    assert words not in client.get(page).content.decode()
    settings.NOCTURNE_MODE = "real"
    assert words in client.get(page).content.decode()
    assert [site.code for site in sites_to_approve(study)] == ["MAIN"]
    submit_version(study=study, actor=SYSTEM)
    assert sites_to_approve(study).exists()
    approve_site(site=study.sites.get(), **LETTER)
    assert not sites_to_approve(study).exists()


def test_a_site_recruits_only_when_its_approval_is_recorded(study: Study) -> None:
    north = add_site(study=study, code="NORTH", name="North", actor=SYSTEM)
    approve_site(site=study.sites.get(code="MAIN"), **LETTER)
    assert invite(study).participant.site.code == "MAIN"
    with pytest.raises(SiteNotApproved, match="NORTH's approval of version 1 was expected"):
        invite(study, site=north)
    approve_site(site=north, **LETTER)
    assert invite(study, site=north).participant.site == north


def test_an_amendment_goes_live_by_site(study: Study) -> None:
    main = study.sites.get()
    approve_site(site=main, **LETTER)
    amend(study)
    with pytest.raises(SiteNotApproved, match="version 2"):
        invite(study)
    approve_site(site=main, **LETTER)
    assert invite(study).participant.site == main
    assert [approval.version.number for approval in main.approvals.all()] == [1, 2]


def test_a_demonstration_needs_no_approval(study: Study, settings: Settings) -> None:
    settings.NOCTURNE_MODE = "demo"
    assert invite(study)
    settings.NOCTURNE_MODE = "real"
    Study.objects.filter(pk=study.pk).update(is_synthetic=True)
    assert invite(Study.objects.get(pk=study.pk))


def test_an_approval_has_a_past_day_a_reference_and_a_submitted_protocol(study: Study) -> None:
    main = study.sites.get()
    tomorrow = clock.today(study.zone) + timedelta(days=1)
    draft = make_study(is_open=False).sites.get()
    for site, wrong in (
        (main, {"approved_on": tomorrow}), (main, {"reference": " "}), (draft, {}),
    ):  # fmt: skip
        with pytest.raises(ApprovalRefused):
            approve_site(site=site, **{**LETTER, **wrong})
    first = approve_site(site=main, **LETTER)
    assert approve_site(site=main, **LETTER) == first


def test_the_page_of_sites_records_an_approval_and_inviting_says_what_is_missing(
    study: Study,
) -> None:
    desk, main = clinician_in(study), study.sites.get()
    who = {"name": "Ada", "contact": "ada@example.org", "age_years": 15, "language": "en"}
    page = desk.post(reverse("studies:invite", args=[study.code]), {**who, "sex": "female"})
    assert "has not approved this version of the protocol" in page.content.decode()
    assert "records the approval on the page of sites" in page.content.decode()
    sites = reverse("studies:sites", args=[study.code])
    assert "not recorded" in desk.get(sites).content.decode()
    address = reverse("studies:site_approval", args=[study.code, main.pk])
    assert desk.post(address, {"approved_on": "", "reference": "x"}).status_code == 200
    right = {"approved_on": "2026-01-15", "reference": "REC 26/001"}
    assert desk.post(address, right).url == sites
    assert SiteApproval.objects.get().reference == "REC 26/001"
    assert "REC 26/001" in desk.get(sites).content.decode()
