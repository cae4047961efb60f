"""Reviews of the audit trail, signed by who read it, bound to the hash of the last entry read."""

from dataclasses import dataclass

from django.db import transaction

from studies import clock
from studies.exceptions import ReasonMissing, ReviewRefused
from studies.models.audit import AuditEntry
from studies.models.review import AuditReview
from studies.models.study import Study
from studies.selectors.audit_trail import last_reviewed
from studies.services.trail.audit import Actor, record


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review, and whether the entry up to which it goes is still the one that was read."""

    review: AuditReview
    holds: bool


@transaction.atomic
def sign_review(*, study: Study, up_to: int, note: str, actor: Actor) -> AuditReview:
    """Sign that the trail was read up to this entry, and what was found.

    The caller has asked for password and second factor just before. Raises ReasonMissing without a
    note, and ReviewRefused where there is no such entry or it was reviewed already.
    """
    if not note.strip():
        raise ReasonMissing("a review of the audit trail")
    study = Study.objects.select_for_update().get(pk=study.pk)
    entry = AuditEntry.objects.filter(chain=study.code, number=up_to).first()
    last = last_reviewed(study)
    if entry is None or up_to <= last:
        raise ReviewRefused(up_to, last)
    review = AuditReview.objects.create(
        study=study,
        up_to=up_to,
        entry_hash=entry.hash,
        note=note.strip(),
        user=actor.user,
        name=actor.user.get_full_name() or actor.name,
        signed_at=clock.now(),
    )
    record(
        actor=actor,
        action="review_audit",
        subject=review,
        new={"up_to": up_to, "entry_hash": entry.hash, "after": last},
        reason=review.note,
    )
    return review


def reviews_of(study: Study) -> list[Reviewed]:
    """Return a study's reviews, the newest first, each with whether it still holds."""
    reviews = list(study.audit_reviews.order_by("-up_to"))
    entries = AuditEntry.objects.filter(
        chain=study.code, number__in=[review.up_to for review in reviews]
    )
    hashes = dict(entries.values_list("number", "hash"))
    return [Reviewed(review, hashes.get(review.up_to) == review.entry_hash) for review in reviews]
