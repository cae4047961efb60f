"""Reminders: decided when they are sent, from what is true then; each goes out once.

Nothing is queued ahead. The scheduler asks the pure rule (`design/reminders.py`) about every step
of everybody who takes part, and the page that says why asks the same rule. A row is claimed under
the participant's lock before a mail leaves, so that two schedulers, or one that runs twice, send
one. A mail server that is down or silent costs nothing: the row stays and is tried again, later
each time, for as long as its reason lasts.
"""

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core.mail import get_connection
from django.db import transaction

from questionnaires.models import ResponseState
from studies import clock
from studies.design.reminders import (
    ReminderPlan,
    Standing,
    Step,
    Subject,
    Why,
    diary_step,
    evening_step,
    first_moment,
    visit_steps,
    why,
)
from studies.models.cbt import DiaryEntry
from studies.models.listening import ListeningSession
from studies.models.participant import Participant, ParticipantState
from studies.models.reminder import Reminder, ReminderChoice, ReminderState
from studies.models.study import ArmKind, StudyState
from studies.selectors.schedule import ANSWERABLE
from studies.services.allocation import arm_kind_of
from studies.services.cbt.lessons import lessons_for
from studies.services.conduct.reminder_mail import address_of, compose
from studies.services.trail.audit import SYSTEM, Actor, record
from studies.services.treatment import is_in_treatment

CHANNEL = "email"
# How long a sender may be silent before its claim goes to another one.
LEASE = timedelta(minutes=10)
RETRY, RETRY_AT_MOST = timedelta(minutes=5), timedelta(hours=4)
AWAY = timedelta(days=3)
REMINDED = (ParticipantState.CONSENTED, ParticipantState.ALLOCATED)
# Reasons that a row is kept for, besides those of the rule: what stood in the mail's own way.
NO_SERVER, SERVER_DOWN, REFUSED = "no_server", "server_down", "refused"
KEPT = {Why.STOPPED, Why.NO_ADDRESS, Why.CAPPED, Why.NOTHING_WAITS}


class Outcome(StrEnum):
    """What became of one try."""

    SENT = "sent"
    NOT_NOW = "not_now"
    WAITS = "waits"
    REFUSED = REFUSED
    SERVER_DOWN = SERVER_DOWN


@dataclass(frozen=True, slots=True)
class Round:
    """How many mails left, and how many could not."""

    sent: int
    failed: int


@dataclass(frozen=True, slots=True)
class Prospect:
    """A step, what becomes of it, when it may go out first, and its row if there is one."""

    step: Step
    why: Why
    at: datetime
    row: Reminder | None


def send_due_reminders() -> Round:
    """Send what is due now; a server that does not answer ends the round, the next one goes on."""
    sent = failed = 0
    plans: dict[int, ReminderPlan] = {}
    people = Participant.objects.filter(study__state=StudyState.OPEN, state__in=REMINDED)
    for participant in people.select_related("study").prefetch_related("visits__assessments"):
        study = participant.study
        # A protocol is read once a round, not once a person.
        plan = plans.get(study.pk) or plans.setdefault(study.pk, study.plan.reminders)
        for step in _steps_now(participant, plan):
            outcome = _remind(participant, step, plan)
            sent += outcome == Outcome.SENT
            failed += outcome in {Outcome.REFUSED, Outcome.SERVER_DOWN}
            if outcome == Outcome.SERVER_DOWN:
                return Round(sent, failed)
            if outcome == Outcome.WAITS:
                # A lesser one must not take the day of a more important one that is tried again.
                break
    return Round(sent, failed)


def steps_of(participant: Participant, plan: ReminderPlan) -> Iterator[Step]:
    """Give the steps of a participant, the most important first; alike in every arm."""
    visits = list(participant.visits.all())
    for visit in visits:
        yield from visit_steps(str(visit.pk), visit.target_on, plan, is_baseline=visit.week == 0)
    began_on = _began_on(participant)
    today = clock.today(participant.zone)
    if participant.state != ParticipantState.ALLOCATED or began_on is None or today <= began_on:
        return
    if plan.evening:
        yield evening_step(str(participant.pk), began_on, today)
    if plan.diary:
        yield diary_step(str(participant.pk), today)


def outlook(participant: Participant) -> list[Prospect]:
    """Return every step that can be told of: what went out, what will, and why one did not."""
    rows = {row.key: row for row in Reminder.objects.filter(participant=participant)}
    plan, found = participant.study.plan.reminders, []
    for step in steps_of(participant, plan):
        row = rows.pop(_key(step), None)
        verdict = _why(participant, step, plan)
        found.append(Prospect(step, verdict, first_moment(step, participant.zone, plan), row))
    found += [_past(row, participant, plan) for row in rows.values()]
    return sorted(found, key=lambda one: (one.step.on, one.step.key))


@transaction.atomic
def choose_reminders(*, participant: Participant, is_stopped: bool, actor: Actor) -> None:
    """Stop or start somebody's reminders; the same again changes nothing."""
    Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    before = ReminderChoice.objects.filter(participant=participant).first()
    if (before is not None and before.is_stopped) == is_stopped:
        return
    choice, _is_new = ReminderChoice.objects.update_or_create(
        participant=participant,
        defaults={"is_stopped": is_stopped, "changed_at": clock.now()},
    )
    record(
        actor=actor,
        action="stop_reminders" if is_stopped else "start_reminders",
        subject=choice,
        new={"is_stopped": is_stopped},
    )


def wants_none(participant: Participant) -> bool:
    """Return whether somebody stopped their reminders."""
    return ReminderChoice.objects.filter(participant=participant, is_stopped=True).exists()


def _steps_now(participant: Participant, plan: ReminderPlan) -> Iterator[Step]:
    """Give the steps whose days and hours have come; the clock alone tells, nothing is read."""
    now, here = clock.now(), Standing(participant.zone)
    for step in steps_of(participant, plan):
        if why(step, now, here, plan, waits=True) == Why.DUE:
            yield step


def _remind(participant: Participant, step: Step, plan: ReminderPlan) -> Outcome:
    if Reminder.objects.filter(key=_key(step), state=ReminderState.SENT).exists():
        return Outcome.NOT_NOW
    verdict = _why(participant, step, plan)
    if verdict in KEPT and _is_worth_a_row(step, verdict):
        _hold(participant, step, verdict)
    if verdict != Why.DUE:
        return Outcome.NOT_NOW
    if not settings.NOCTURNE_SENDS_MAIL:
        _hold(participant, step, NO_SERVER)
        return Outcome.NOT_NOW
    row = _claim(participant, step, plan)
    return Outcome.WAITS if row is None else _send(participant, step, row)


def _is_worth_a_row(step: Step, verdict: Why) -> bool:
    # A morning that is written would leave a row a day: that it is written says enough.
    return step.subject == Subject.VISIT or verdict != Why.NOTHING_WAITS


def _why(participant: Participant, step: Step, plan: ReminderPlan) -> Why:
    """Ask the rule; what waits, and where to send it, is looked up only where it counts."""
    now, standing = clock.now(), _standing(participant)
    verdict = why(step, now, standing, plan, waits=True)
    if verdict not in {Why.DUE, Why.QUIET, Why.CAPPED}:
        return verdict
    if not _waits(participant, step):
        return why(step, now, standing, plan, waits=False)
    if verdict != Why.DUE:
        return verdict
    standing = replace(standing, has_address=bool(address_of(participant)))
    return why(step, now, standing, plan, waits=True)


def _standing(participant: Participant) -> Standing:
    lately = clock.now() - timedelta(days=7)
    sent = Reminder.objects.filter(participant=participant, sent_at__gt=lately)
    is_open = participant.study.state == StudyState.OPEN
    return Standing(
        zone=participant.zone,
        takes_part=is_open and participant.state in REMINDED,
        is_stopped=wants_none(participant),
        sent_at=tuple(sent.values_list("sent_at", flat=True)),
    )


def _waits(participant: Participant, step: Step) -> bool:
    if step.subject == Subject.VISIT:
        pk = int(step.key.split(":")[1])
        visit = next(visit for visit in participant.visits.all() if visit.pk == pk)
        return any(assessment.state in ANSWERABLE for assessment in visit.assessments.all())
    if not is_in_treatment(participant):
        return False
    if step.subject == Subject.DIARY:
        return not DiaryEntry.objects.filter(
            participant=participant,
            morning_on=step.on,
            response__state=ResponseState.SUBMITTED,
        ).exists()
    return _is_away(participant)


def _is_away(participant: Participant) -> bool:
    """Return whether somebody has not taken part lately, in what their arm gives."""
    if arm_kind_of(participant) == ArmKind.CBT:
        return any(row.is_open and not row.is_done for row in lessons_for(participant))
    since = clock.now() - AWAY
    return not ListeningSession.objects.filter(
        assignment__participant=participant, last_beat_at__gt=since
    ).exists()


@transaction.atomic
def _claim(participant: Participant, step: Step, plan: ReminderPlan) -> Reminder | None:
    """Return the row of a step that is to be sent now; `None` where another has it or it waits."""
    people = Participant.objects.select_for_update(of=("self",)).select_related("study")
    fresh = people.get(pk=participant.pk)
    if _why(fresh, step, plan) != Why.DUE:
        return None
    now, row = clock.now(), _row(fresh, step)
    is_new = row.pk is None
    if row.state == ReminderState.SENT or (row.next_try_at is not None and row.next_try_at > now):
        return None
    row.state, row.reason, row.attempts = ReminderState.SENDING, "", row.attempts + 1
    row.next_try_at, row.changed_at = now + LEASE, now
    row.save()
    if is_new or row.attempts == 1:
        _record(row, "send_reminder")
    return row


def _send(participant: Participant, step: Step, row: Reminder) -> Outcome:
    # No transaction is open here: a server that hangs holds nobody up.
    message = compose(
        participant=participant, subject=step.subject, key=row.key, to=address_of(participant)
    )
    try:
        get_connection(fail_silently=False).send_messages([message])
    except smtplib.SMTPRecipientsRefused:
        _retry_later(row, REFUSED)
        return Outcome.REFUSED
    except (OSError, smtplib.SMTPException):
        _retry_later(row, SERVER_DOWN)
        return Outcome.SERVER_DOWN
    with transaction.atomic():
        row.state, row.sent_at, row.changed_at = ReminderState.SENT, clock.now(), clock.now()
        row.next_try_at = None
        row.save()
        _record(row, "reminder_sent")
    return Outcome.SENT


@transaction.atomic
def _retry_later(row: Reminder, reason: str) -> None:
    row.state, row.reason, row.changed_at = ReminderState.HELD, reason, clock.now()
    row.next_try_at = clock.now() + min(RETRY * 2 ** (row.attempts - 1), RETRY_AT_MOST)
    row.save()
    _record(row, "hold_reminder")


@transaction.atomic
def _hold(participant: Participant, step: Step, reason: str) -> None:
    """Keep why a step does not go out; the same reason again writes nothing."""
    Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    row = _row(participant, step)
    if row.state != ReminderState.HELD or row.reason == reason:
        return
    row.reason, row.changed_at = reason, clock.now()
    row.save()
    _record(row, "hold_reminder")


def _row(participant: Participant, step: Step) -> Reminder:
    found = Reminder.objects.select_for_update().filter(key=_key(step)).first()
    return found or Reminder(
        participant=participant,
        key=_key(step),
        planned_on=step.on,
        state=ReminderState.HELD,
        changed_at=clock.now(),
    )


def _past(row: Reminder, participant: Participant, plan: ReminderPlan) -> Prospect:
    subject, _rest = row.key.split(":", 1)
    step = Step(row.key, Subject(subject), row.planned_on, row.planned_on)
    return Prospect(step, Why.PAST, first_moment(step, participant.zone, plan), row)


def _began_on(participant: Participant) -> date | None:
    """Return the day of allocation, from which the follow-up visits are counted."""
    follow_up = [visit for visit in participant.visits.all() if visit.week]
    if not follow_up:
        return None
    return follow_up[0].target_on - timedelta(weeks=follow_up[0].week)


def _key(step: Step) -> str:
    return f"{step.key}:{CHANNEL}"


def _record(row: Reminder, action: str) -> None:
    record(
        actor=SYSTEM,
        action=action,
        subject=row,
        new={
            "key": row.key,
            "state": row.state,
            "reason": row.reason,
            "attempts": row.attempts,
        },
    )
