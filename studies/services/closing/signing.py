"""Electronic signatures: bound to what was signed, so that any later edit shows as a break.

Nothing has to remember to break a signature. Whether it still holds is found by hashing the
content again, so an edit past every service breaks it too.
"""

import hashlib
import json
from dataclasses import dataclass

from django.db import transaction

from questionnaires.models import Response
from studies import clock
from studies.exceptions import NothingToSign
from studies.models.participant import Participant
from studies.models.signature import Meaning, Signature
from studies.models.visit import Assessment, AssessmentState
from studies.services.trail.audit import Actor, record
from studies.services.visits.assessment import answers_sha256


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature, and whether what it stands for is as it was."""

    signature: Signature
    holds: bool


@transaction.atomic
def sign_casebook(*, participant: Participant, meaning: str, actor: Actor) -> Signature:
    """Sign everything that a participant handed in, as it stands now.

    The caller has asked for password and second factor just before (`views/clinic/closing.py`).
    """
    participant = Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    if not _handed_in(participant):
        raise NothingToSign(participant.code)
    signature = Signature.objects.create(
        participant=participant,
        meaning=Meaning(meaning),
        user=actor.user,
        name=actor.user.get_full_name() or actor.name,
        role=", ".join(_roles(participant, actor)),
        signed_at=clock.now(),
        content_sha256=casebook_sha256(participant),
    )
    record(
        actor=actor,
        action="sign_casebook",
        subject=signature,
        new={"meaning": signature.meaning, "content_sha256": signature.content_sha256},
    )
    return signature


def signatures_of(participant: Participant) -> list[Signed]:
    """Return a participant's signatures, oldest first, each with whether it still holds."""
    signatures = list(participant.signatures.order_by("signed_at"))
    if not signatures:
        return []
    now = casebook_sha256(participant)
    return [Signed(signature, signature.content_sha256 == now) for signature in signatures]


def casebook_sha256(participant: Participant) -> str:
    """Return the SHA-256 of everything that a participant handed in: answers, revisions, states."""
    sheets = [
        {
            "week": assessment.visit.week,
            "instrument": assessment.instrument,
            "state": assessment.state,
            "answers": _content(assessment.response),
        }
        for assessment in _assessments(participant)
    ]
    content = {"participant": participant.code, "sheets": sheets}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _content(response: Response | None) -> dict[str, object] | None:
    if response is None:
        return None
    return {
        "revision": response.revision,
        "rule": response.rule_id,
        "sha256": answers_sha256(response),
    }


def _assessments(participant: Participant) -> list[Assessment]:
    rows = Assessment.objects.filter(visit__participant=participant)
    return list(rows.select_related("visit", "response").order_by("visit__week", "position"))


def _handed_in(participant: Participant) -> bool:
    return any(a.state == AssessmentState.SUBMITTED for a in _assessments(participant))


def _roles(participant: Participant, actor: Actor) -> list[str]:
    roles = participant.study.memberships.live().filter(user=actor.user)
    return sorted({str(member.get_role_display()) for member in roles})
