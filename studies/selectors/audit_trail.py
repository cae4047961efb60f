"""The audit trail as its readers ask for it: by person, actor, action, day; what changed after."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.audit import AuditEntry
from studies.models.deviation import NOTE_UNBLINDING
from studies.models.participant import Participant
from studies.models.study import Study
from studies.selectors.participants import subjects_of

# While a study is blinded: nights, lessons and diaries would tell who gets what.
TELLS_NO_ARM = (
    "studies.study",
    "studies.site",
    "studies.siteapproval",
    "studies.membership",
    "studies.protocolversion",
    "studies.consenttext",
    "studies.participant",
    "studies.privatelink",
    "studies.consent",
    "studies.visit",
    "studies.assessment",
    "studies.adverseevent",
    "studies.harmsinquiry",
    "studies.actionitem",
    "studies.dataquery",
    "studies.deviation",
    "studies.reminder",
    "studies.reminderchoice",
    "studies.auditreview",
)
# What changes, or tries to change, something that was handed in already.
AFTER_SUBMISSION = ("correct_answer", "leave_out_late_answer", "change_diary")
UNBLINDS = ("unblind_participant", "unblind_study")


class Part(models.TextChoices):
    """Which part of the trail somebody wants to see."""

    ALL = "all", _("Everything")
    UNREVIEWED = "unreviewed", _("Since the last review")
    AFTER_SUBMISSION = "after_submission", _("Changes after an answer was handed in")
    AFTER_UNBLINDING = "after_unblinding", _("Since somebody was first unblinded")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks for; what is empty leaves nothing out."""

    part: str = Part.ALL
    code: str = ""
    actor: str = ""
    action: str = ""
    since: date | None = None
    until: date | None = None


def entries_of(study: Study, wanted: Wanted) -> models.QuerySet[AuditEntry]:
    """Return the entries of a study's trail that a reader wants and may see, newest first."""
    entries = AuditEntry.objects.filter(chain=study.code)
    if study.is_blinded:
        entries = entries.filter(subject_type__in=TELLS_NO_ARM)
        # Only the arm with lessons has sleep windows that wait.
        entries = entries.exclude(action=NOTE_UNBLINDING)
    entries = entries.filter(_of_part(study, wanted.part), _of_days(study, wanted))
    if wanted.code:
        person = Participant.objects.filter(study=study, code=wanted.code).first()
        entries = entries.filter(subjects_of(person)) if person else entries.none()
    named = {name: getattr(wanted, name) for name in ("actor", "action")}
    return entries.filter(**{k: v for k, v in named.items() if v}).order_by("-number")


def last_reviewed(study: Study) -> int:
    """Return the number of the last entry that somebody reviewed; 0 where nobody did."""
    last = study.audit_reviews.order_by("-up_to").values_list("up_to", flat=True).first()
    return last or 0


def _of_part(study: Study, part: str) -> models.Q:
    if part == Part.UNREVIEWED:
        return models.Q(number__gt=last_reviewed(study))
    if part == Part.AFTER_SUBMISSION:
        return models.Q(action__in=AFTER_SUBMISSION)
    if part == Part.AFTER_UNBLINDING:
        unblindings = AuditEntry.objects.filter(chain=study.code, action__in=UNBLINDS)
        first = unblindings.aggregate(first=models.Min("number"))["first"]
        return models.Q(pk=None) if first is None else models.Q(number__gte=first)
    return models.Q()


def _of_days(study: Study, wanted: Wanted) -> models.Q:
    """Return the entries of whole days on the study's own clock."""
    found = models.Q()
    if wanted.since:
        found &= models.Q(at__gte=_midnight(wanted.since, study.zone))
    if wanted.until:
        found &= models.Q(at__lt=_midnight(wanted.until + timedelta(days=1), study.zone))
    return found


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone))
