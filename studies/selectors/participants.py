"""A participant as a clinician sees them: their visits, and what happened when.

Nothing here tells an arm, and nothing that would give it away (nights, lessons, diary) is shown.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.access import Holder, PrivateLink
from studies.models.audit import AuditEntry
from studies.models.consent import Consent, Guardian
from studies.models.deviation import Deviation
from studies.models.participant import Participant
from studies.models.query import DataQuery
from studies.models.reminder import Reminder, ReminderChoice
from studies.models.safety import ActionItem, AdverseEvent
from studies.models.visit import Assessment, Visit


class Happening(models.TextChoices):
    """What a line of the timeline tells."""

    INVITED = "invite_participant", _("Invited")
    LINK = "issue_link", _("Private link issued")
    LINK_REVOKED = "revoke_link", _("Private link revoked")
    PIN = "set_pin", _("PIN set")
    CONSENTED = "give_consent", _("Consent or assent given")
    DECLINED = "refuse_consent", _("Consent or assent refused")
    APPOINTED = "appoint_guardian", _("Parent or guardian named")
    PERMITTED = "give_permission", _("Permission of the guardian given")
    FORBIDDEN = "refuse_permission", _("Permission of the guardian refused")
    OUTDATED = "supersede_consent", _("Consent replaced by a newer one")
    REVOKED = "revoke_consent", _("Consent taken back")
    SUBMITTED = "submit_assessment", _("Questionnaire handed in")
    FROM_PAPER = "enter_from_paper", _("Entered from a form on paper")
    CORRECTED = "correct_answer", _("Answer corrected")
    ELIGIBLE = "find_eligible", _("Baseline complete, eligible")
    NOT_ELIGIBLE = "find_not_eligible", _("Not eligible")
    ALLOCATED = "allocate", _("Allocated")
    COMPLETED = "complete_participant", _("Study completed")
    WITHDRAWN = "withdraw_participant", _("Withdrawal")
    CONTACT_CORRECTED = "correct_contact", _("Contact corrected")
    REVEALED = "reveal_contact", _("Contact was read")
    FORGOTTEN = "erase_identity", _("Name and contact erased")
    REMINDED = "reminder_sent", _("Reminder sent")
    REMINDERS_STOPPED = "stop_reminders", _("Reminders stopped by the participant")
    REMINDERS_STARTED = "start_reminders", _("Reminders turned on again")
    MOVED = "change_zone", _("Time zone changed")
    ITEM_OPENED = "open_item", _("Safety: item opened")
    ITEM_ESCALATED = "escalate_item", _("Safety: overdue, passed on")
    ITEM_DONE = "finish_item", _("Safety: item done")
    EVENT = "report_event", _("Adverse event reported")
    EVENT_CLOSED = "close_event", _("Adverse event closed")
    DEVIATION = "note_deviation", _("Deviation noted")
    ASKED = "ask_query", _("Query asked")
    QUERY_CLOSED = "close_query", _("Query closed")


ABOUT_A_SHEET = {Happening.SUBMITTED, Happening.FROM_PAPER, Happening.CORRECTED}


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One line of a participant's timeline."""

    at: datetime
    what: str
    detail: str
    actor: str
    role: str


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
            role=entry.role,
        )
        for entry in _entries(participant)
    ]


def live_link(participant: Participant, holder: str = Holder.PARTICIPANT) -> PrivateLink | None:
    """Return the holder's link that works now, if there is one."""
    return participant.links.filter(revoked_at=None, holder=holder).first()


def planned_visits(participant: Participant) -> list[Visit]:
    """Return the participant's visits with their assessments, by week."""
    return list(participant.visits.prefetch_related("assessments").order_by("week"))


def _entries(participant: Participant) -> models.QuerySet[AuditEntry]:
    entries = AuditEntry.objects.filter(chain=participant.study.code, action__in=Happening.values)
    return entries.filter(subjects_of(participant)).order_by("number")


def subjects_of(participant: Participant) -> models.Q:
    """Return which entries are about a participant, by the rows they name."""
    own: dict[str, list[str]] = {"studies.participant": [str(participant.pk)]}
    for kind, key in _rows_of(participant):
        own.setdefault(kind, []).append(str(key))
    subjects = models.Q(pk=None)
    for kind, keys in own.items():
        subjects |= models.Q(subject_type=kind, subject_id__in=keys)
    return subjects


def _rows_of(participant: Participant) -> models.QuerySet:
    """Return kind and key of every row of a participant that entries may name; one query."""
    by_kind = {
        "studies.privatelink": PrivateLink.objects.filter(participant=participant),
        "studies.guardian": Guardian.objects.filter(participant=participant),
        "studies.consent": Consent.objects.filter(participant=participant),
        "studies.assessment": Assessment.objects.filter(visit__participant=participant),
        "studies.reminder": Reminder.objects.filter(participant=participant),
        "studies.reminderchoice": ReminderChoice.objects.filter(participant=participant),
        "studies.actionitem": ActionItem.objects.filter(participant=participant),
        "studies.adverseevent": AdverseEvent.objects.filter(participant=participant),
        "studies.deviation": Deviation.objects.filter(participant=participant),
        "studies.dataquery": DataQuery.objects.filter(assessment__visit__participant=participant),
    }
    first, *others = (
        rows.order_by()
        .annotate(named_as=models.Value(kind, models.CharField()))
        .values_list("named_as", "pk")
        for kind, rows in by_kind.items()
    )
    return first.union(*others, all=True)


def _weeks(participant: Participant) -> dict[str, str]:
    visits = participant.visits.filter(assessments__isnull=False)
    rows = visits.values_list("assessments__pk", "week", "assessments__instrument")
    words = _("%(instrument)s, week %(week)d")
    return {
        str(pk): str(words % {"instrument": name.upper(), "week": week}) for pk, week, name in rows
    }
