"""Who read the trail signs how far; the signature holds while the trail is what was read."""

import pytest

from studies.exceptions import ReasonMissing, ReviewRefused
from studies.models.audit import AuditEntry, AuditHead
from studies.models.review import AuditReview
from studies.models.study import Role
from studies.services.trail.audit import staff
from studies.services.trail.reviews import reviews_of, sign_review
from tests.factories import make_staff, make_study

pytestmark = pytest.mark.django_db


def test_a_review_is_bound_to_the_entry_up_to_which_it_goes() -> None:
    study = make_study()
    monitor = staff(make_staff(Role.MONITOR, study=study))
    up_to = AuditHead.objects.get(chain=study.code).length
    review = sign_review(study=study, up_to=up_to, note="nothing to query", actor=monitor)
    entry = AuditEntry.objects.get(chain=study.code, action="review_audit")
    assert (entry.role, entry.new["up_to"]) == ("monitor", up_to)
    assert [row.holds for row in reviews_of(study)] == [True]
    assert review.entry_hash == AuditEntry.objects.get(chain=study.code, number=up_to).hash
    AuditReview.objects.filter(pk=review.pk).update(entry_hash="0" * 64)
    assert [row.holds for row in reviews_of(study)] == [False]


def test_nothing_is_reviewed_twice_or_ahead_or_without_a_word() -> None:
    study = make_study()
    monitor = staff(make_staff(Role.MONITOR, study=study))
    sign_review(study=study, up_to=2, note="nothing to query", actor=monitor)
    for up_to in (1, 2, 10_000):
        with pytest.raises(ReviewRefused, match="after number 2"):
            sign_review(study=study, up_to=up_to, note="again", actor=monitor)
    with pytest.raises(ReasonMissing):
        sign_review(study=study, up_to=3, note=" ", actor=monitor)
