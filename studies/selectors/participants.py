"""Participants as a clinician sees them: who needs somebody, and what happened when.

Nothing here tells an arm, and nothing that would give it away (nights, lessons, diary) is shown.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies import clock
from studies.models.access import PrivateLink
from studies.models.audit import AuditEntry
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Study, StudyState
from studies.models.user import User
from studies.models.visit import AssessmentState, Visit

OPEN_STATES = {AssessmentState.OPEN, AssessmentState.IN_PROGRESS, AssessmentState.LATE}
SETTLED = {AssessmentState.SUBMITTED, AssessmentState.CANCELLED}


class Attention(models.TextChoices):
    """Why a participant needs somebody, the most urgent first."""

    ALLOCATE = "allocate", _("Ready to be allocated")
    LATE = "late", _("Visit is late")
    MISSED = "missed", _("Missed a visit")
    LINK = "link", _("Link was not used in time")
    OPEN = "open", _("Visit is open")
    WAITING = "waiting", _("Waiting for the participant")
    NONE = "none", _("Nothing to do")


class Happening(models.TextChoices):
    """What a line of the timeline tells."""

    INVITED = "invite_participant", _("Invited")
    LINK = "issue_link", _("Private link issued")
    LINK_REVOKED = "revoke_link", _("Private link revoked")
    PIN = "set_pin", _("PIN set")
    CONSENTED = "give_consent", _("Consent given")
    DECLINED = "refuse_consent", _("Consent refused")
    SUBMITTED = "submit_assessment", _("Questionnaire handed in")
    CORRECTED = "correct_answer", _("Answer corrected")
    ELIGIBLE = "find_eligible", _("Baseline complete, eligible")
    NOT_ELIGIBLE = "find_not_eligible", _("Not eligible")
    ALLOCATED = "allocate", _("Allocated")
    COMPLETED = "complete_participant", _("Study completed")
    WITHDRAWN = "withdraw_participant", _("Withdrawal")
    REVEALED = "reveal_contact", _("Contact was read")


ABOUT_A_SHEET = {Happening.SUBMITTED, Happening.CORRECTED}
ATTENTION_ORDER = {attention.value: place for place, attention in enumerate(Attention)}
ENDED = {
    ParticipantState.COMPLETED,
    ParticipantState.DECLINED,
    ParticipantState.INELIGIBLE,
    ParticipantState.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class WorklistRow:
    """One participant in the worklist."""

    participant: Participant
    attention: Attention
    visit: Visit | None
    n_done: int
    n_planned: int


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One line of a participant's timeline."""

    at: datetime
    what: str
    detail: str
    actor: str


def worklist(study: Study, seen_by: User) -> list[WorklistRow]:
    """Return the participants somebody may see, whoever needs them first; four queries."""
    visible = Participant.objects.visible_to(seen_by).filter(study=study)
    participants = visible.prefetch_related("visits__assessments", "links")
    is_over = study.state not in {StudyState.DRAFT, StudyState.OPEN}
    rows = [_row(participant, is_over=is_over) for participant in participants]
    return sorted(rows, key=lambda row: ATTENTION_ORDER[row.attention])


def timeline(participant: Participant) -> list[TimelineRow]:
    """Return what happened to a participant, oldest first, from the audit trail."""
    labels = dict(Happening.choices)
    weeks = _weeks(participant)
    return [
        TimelineRow(
            at=entry.at,
            what=str(labels[entry.action]),
            detail=weeks.get(entry.subject_id, "") if entry.action in ABOUT_A_SHEET else "",
            actor=entry.actor,
        )
        for entry in _entries(participant)
    ]


def live_link(participant: Participant) -> PrivateLink | None:
    """Return the link that works now, if there is one."""
    return participant.links.filter(revoked_at=None).first()


def planned_visits(participant: Participant) -> list[Visit]:
    """Return the participant's visits with their assessments, by week."""
    return list(participant.visits.prefetch_related("assessments").order_by("week"))


def _row(participant: Participant, *, is_over: bool) -> WorklistRow:
    visits = sorted(participant.visits.all(), key=lambda visit: visit.week)
    states = [a.state for visit in visits for a in visit.assessments.all()]
    attention, visit = (Attention.NONE, None) if is_over else _attention(participant, visits)
    return WorklistRow(
        participant=participant,
        attention=attention,
        visit=visit,
        n_done=states.count(AssessmentState.SUBMITTED),
        n_planned=len(states),
    )


def _attention(participant: Participant, visits: list[Visit]) -> tuple[Attention, Visit | None]:
    if participant.state in ENDED:
        return Attention.NONE, None
    if participant.state == ParticipantState.BASELINE_DONE:
        return Attention.ALLOCATE, None
    if participant.state == ParticipantState.INVITED:
        return (Attention.LINK if _link_expired(participant) else Attention.WAITING), None
    for wanted, attention in (
        ({AssessmentState.LATE}, Attention.LATE),
        ({AssessmentState.MISSED}, Attention.MISSED),
        (OPEN_STATES, Attention.OPEN),
    ):
        for visit in visits:
            if wanted & {a.state for a in visit.assessments.all()}:
                return attention, visit
    return Attention.NONE, _next(visits)


def _next(visits: list[Visit]) -> Visit | None:
    return next((v for v in visits if {a.state for a in v.assessments.all()} - SETTLED), None)


def _link_expired(participant: Participant) -> bool:
    now = clock.now()
    live = [link for link in participant.links.all() if link.revoked_at is None]
    return not any(link.pin_hash or link.pin_due_at >= now for link in live)


def _entries(participant: Participant) -> models.QuerySet[AuditEntry]:
    entries = AuditEntry.objects.filter(chain=participant.study.code, action__in=Happening.values)
    return entries.filter(_subjects(participant)).order_by("number")


def _subjects(participant: Participant) -> models.Q:
    own = {
        "studies.participant": [participant.pk],
        "studies.privatelink": participant.links.values_list("pk", flat=True),
        "studies.consent": participant.consents.values_list("pk", flat=True),
        "studies.assessment": participant.visits.values_list("assessments__pk", flat=True),
    }
    subjects = models.Q(pk=None)
    for kind, keys in own.items():
        subjects |= models.Q(subject_type=kind, subject_id__in=[str(key) for key in keys])
    return subjects


def _weeks(participant: Participant) -> dict[str, str]:
    visits = participant.visits.filter(assessments__isnull=False)
    rows = visits.values_list("assessments__pk", "week", "assessments__instrument")
    words = _("%(instrument)s, week %(week)d")
    return {
        str(pk): str(words % {"instrument": name.upper(), "week": week}) for pk, week, name in rows
    }
