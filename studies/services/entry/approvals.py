"""Approvals by site: nobody is invited at a site before its committee approved the protocol.

After an amendment a site goes on recruiting when it has approved that version too; whoever takes
part already goes on meanwhile. A demonstration and synthetic people need no approval.
"""

from datetime import date

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from studies import clock
from studies.exceptions import ApprovalRefused, SiteNotApproved
from studies.models.approval import SiteApproval
from studies.models.protocol import ProtocolVersion, VersionState
from studies.models.study import Site, Study
from studies.services.trail.audit import Actor, record


@transaction.atomic
def approve_site(*, site: Site, approved_on: date, reference: str, actor: Actor) -> SiteApproval:
    """Record that a site approved the version in force or in hand; the same one again is kept.

    Raises ApprovalRefused for a day to come, without a reference, or where no version was
    submitted.
    """
    site = Site.objects.select_for_update(of=("self",)).select_related("study").get(pk=site.pk)
    version = version_to_approve(site.study)
    if version is None:
        raise ApprovalRefused("a study whose protocol was not submitted")
    if not reference.strip():
        raise ApprovalRefused("one without a reference")
    if approved_on > clock.today(site.study.zone):
        raise ApprovalRefused(f"one on {approved_on}, which is to come")
    known = site.approvals.filter(version=version).first()
    if known is not None:
        return known
    approval = SiteApproval.objects.create(
        site=site,
        version=version,
        approved_on=approved_on,
        reference=reference.strip(),
        recorded_by=actor.name,
        recorded_at=clock.now(),
    )
    record(
        actor=actor,
        action="approve_site",
        subject=approval,
        new={"site": site.code, "version": version.number, "approved_on": approved_on},
        reason=approval.reference,
    )
    return approval


def version_to_approve(study: Study) -> ProtocolVersion | None:
    """Return the version that sites approve next: the submitted one, else the one in force."""
    versions = study.protocol_versions.order_by("-number")
    states = (VersionState.SUBMITTED, VersionState.ACTIVE)
    return versions.filter(state__in=states).first()


def sites_to_approve(study: Study) -> QuerySet[Site]:
    """Return the sites at which nobody can be invited before their approval is recorded."""
    sites = study.sites.order_by("position")
    if not _needs_approvals(study):
        return sites.none()
    version = version_to_approve(study)
    return sites if version is None else sites.exclude(approvals__version=version)


def require_approval(site: Site) -> None:
    """Return nothing if people may be invited at this site now; raises SiteNotApproved."""
    study = site.study
    if not _needs_approvals(study):
        return
    version = study.protocol_versions.get(state=VersionState.ACTIVE)
    if not site.approvals.filter(version=version).exists():
        raise SiteNotApproved(site.code, version.number)


def _needs_approvals(study: Study) -> bool:
    return settings.NOCTURNE_MODE == "real" and not study.is_synthetic
