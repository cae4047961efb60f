"""What a participant's own page says and lists, for each place somebody can be in the study."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from questionnaires.selectors import definition_named, wording_of
from studies.models.consent import ConsentRole, ConsentState
from studies.models.participant import MusicPreference, Participant, ParticipantState
from studies.models.study import ArmKind, StudyState
from studies.models.visit import Assessment, AssessmentState
from studies.selectors.diary import mornings_open
from studies.selectors.schedule import ANSWERABLE, Today, today_of
from studies.services.allocation import arm_kind_of
from studies.services.entry.contact_check import code_waits
from studies.services.music.morning_diary import morning_entries
from studies.services.treatment import is_in_treatment
from studies.templatetags.dates import short_day
from studies.views.participant.morning import has_open_mornings
from studies.views.participant.skills_today import reminders_of, window_tonight

INSTRUMENT_NAMES = {
    "psqi": gettext_lazy("Questions about your sleep"),
    "cpss": gettext_lazy("Questions about stress"),
}
ITEMS_A_MINUTE = 3.5


def instrument_name(key: str) -> str:
    """Return how a participant knows an instrument; one of a site's own by its title."""
    own = INSTRUMENT_NAMES.get(key)
    return str(own) if own else wording_of(key, get_language()).title


def instrument_minutes(key: str) -> int:
    """Return about how many minutes an instrument takes."""
    return max(1, math.ceil(len(definition_named(key).items) / ITEMS_A_MINUTE))


@dataclass(frozen=True, slots=True)
class Link:
    """Where a button or a line of text leads."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the task list; without an address it cannot be started now."""

    name: str
    status: str
    hint: str = ""
    url: str = ""
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class TodayPage:
    """What the page says first, what there is to do, its one button, and what comes later."""

    heading: str
    lead: str
    tasks: tuple[Task, ...] = ()
    action: Link | None = None
    links: tuple[Link, ...] = ()
    note: str = ""


def today_page(participant: Participant) -> TodayPage:
    """Return the page for where this participant is now."""
    has_ended = participant.study.state != StudyState.OPEN
    if has_ended and participant.state in NOT_STARTED:
        return _ended_first(participant)
    return PAGES[participant.state](participant)


def _before_start(participant: Participant) -> TodayPage:
    tasks = (*_baseline_tasks(participant), _music_task(participant), *_code_task(participant))
    return TodayPage(
        heading=_("Before you start"),
        lead=_("First, a few questions. You can stop after any of them and go on later."),
        tasks=tasks,
        action=_first_open(tasks),
    )


def _waiting(participant: Participant) -> TodayPage:
    taste = _music_task(participant)
    return TodayPage(
        heading=_("Thank you, that is all for now"),
        lead=_("Next, chance decides which group you are in, like rolling a die."),
        tasks=(*_baseline_tasks(participant), taste, *_code_task(participant)),
        action=_first_open((taste,)),
        note=_("The study team does this soon. You will find your group on this page."),
    )


def _under_way(participant: Participant) -> TodayPage:
    today = today_of(participant)
    tasks = tuple(_assessment_task(assessment) for assessment in today.assessments)
    kind = arm_kind_of(participant) if is_in_treatment(participant) else None
    if kind is None and not tasks and today.upcoming is None:
        return _over(participant)
    evening = _evening(kind)
    heading, lead = _greeting(kind, has_questions=bool(tasks))
    skills = _skills_tasks(participant) if kind == ArmKind.CBT else ()
    mornings = _morning_tasks(participant) if kind == ArmKind.MUSIC else ()
    window = window_tonight(participant) if kind == ArmKind.CBT else ""
    return TodayPage(
        heading=heading,
        lead=lead,
        tasks=(*tasks, *skills, *mornings),
        action=_first_open(tasks) or evening,
        links=(
            *_links(kind, evening if tasks else None),
            *_earlier(participant, kind),
            *_calendar(today),
        ),
        note=" ".join(filter(None, [window, _next_words(today)])),
    )


def _over(participant: Participant) -> TodayPage:
    """Return the words for whoever has nothing more before them, by how it came to its end."""
    if participant.withdrawals.exists():
        return _evenings_stopped()
    if participant.state == ParticipantState.COMPLETED:
        return TodayPage(
            heading=_("You have finished the study"),
            lead=_(
                "Thank you for taking part. Your answers help to find out what lets people sleep."
            ),
        )
    sheets = Assessment.objects.filter(visit__participant=participant)
    if sheets.filter(state=AssessmentState.CANCELLED).exists():
        return TodayPage(
            heading=_("The study has ended"),
            lead=_("It ended earlier than planned, and not because of you."),
            note=_("Thank you for taking part. The answers you gave still count."),
        )
    return TodayPage(
        heading=_("Your time in the study is over"),
        lead=_("Thank you for taking part. The answers you gave still count."),
    )


def _evenings_stopped() -> TodayPage:
    # Not "you stopped": a doctor or the study team may have ended them.
    return TodayPage(
        heading=_("Your time in the study is over"),
        lead=_("Your evenings ended earlier than planned, and that is all right."),
        links=(Link(_("Where to find help"), reverse("studies:help")),),
        note=_("Thank you for taking part. The answers you gave count as much as anybody's."),
    )


def _declined(participant: Participant) -> TodayPage:
    own = participant.consents.exclude(role=ConsentRole.PERMISSION)
    if not own.filter(state=ConsentState.REFUSED).exists():
        return TodayPage(
            heading=_("You are not taking part"),
            lead=_("At your age a parent or guardian has to say yes as well, and did not."),
            note=_("Nothing else changes for you. If you have questions, ask the study team."),
        )
    return TodayPage(
        heading=_("You decided not to take part"),
        lead=_("That is fine. Nothing else changes for you, and nothing more is asked."),
    )


def _not_for_you(participant: Participant) -> TodayPage:
    return TodayPage(
        heading=_("This study is not the right one for you"),
        lead=_("Thank you for your answers. This says nothing about you as a person."),
        links=(Link(_("Where to find help"), reverse("studies:help")),),
        note=_("If sleep or stress trouble you, talk to an adult whom you trust, or to a doctor."),
    )


def _stopped(participant: Participant) -> TodayPage:
    return TodayPage(
        heading=_("You stopped taking part"),
        lead=_("Thank you for the time you gave. Nothing more is asked of you."),
    )


def _too_late(_participant: Participant) -> TodayPage:
    return TodayPage(
        heading=_("The study has ended"),
        lead=_("It takes nobody in any more. Thank you for your interest."),
    )


def _ended_first(_participant: Participant) -> TodayPage:
    return TodayPage(
        heading=_("The study has ended"),
        lead=_("It ended before you could start, and not because of you."),
        note=_("Thank you for the time you gave. Nothing more is asked of you."),
    )


NOT_STARTED = (ParticipantState.CONSENTED, ParticipantState.BASELINE_DONE)
PAGES: dict[str, Callable[[Participant], TodayPage]] = {
    # While a study is open, who is invited is led to what is asked first.
    ParticipantState.INVITED: _too_late,
    ParticipantState.CONSENTED: _before_start,
    ParticipantState.BASELINE_DONE: _waiting,
    ParticipantState.ALLOCATED: _under_way,
    ParticipantState.COMPLETED: _over,
    ParticipantState.DECLINED: _declined,
    ParticipantState.INELIGIBLE: _not_for_you,
    ParticipantState.WITHDRAWN: _stopped,
}


def _code_task(participant: Participant) -> list[Task]:
    """Ask for the code, where one was sent that can still be entered."""
    if participant.contact_verified_at is not None or not code_waits(participant):
        return []
    return [Task(_("Enter your code"), _("Incomplete"), url=reverse("studies:my_contact"))]


def _baseline_tasks(participant: Participant) -> list[Task]:
    baseline = Assessment.objects.filter(visit__participant=participant, visit__week=0)
    return [_assessment_task(assessment) for assessment in baseline.order_by("position")]


def _assessment_task(assessment: Assessment) -> Task:
    name = instrument_name(assessment.instrument)
    if assessment.state in ANSWERABLE:
        minutes = instrument_minutes(assessment.instrument)
        hint = ngettext("About %(minutes)d minute", "About %(minutes)d minutes", minutes) % {
            "minutes": minutes
        }
        return Task(name, _("Incomplete"), hint, reverse("studies:assess", args=[assessment.pk]))
    is_done = assessment.state == AssessmentState.SUBMITTED
    return Task(name, _("Completed") if is_done else _("Closed"), is_done=True)


def _morning_tasks(participant: Participant) -> tuple[Task, ...]:
    """Return this morning's diary; the ones before it wait quietly behind a link."""
    today = mornings_open(participant)[0]
    entry = morning_entries(participant).get(today)
    is_done = entry is not None and entry.response.is_submitted
    task = Task(
        _("How was last night?"),
        _("Completed") if is_done else _("Incomplete"),
        "" if is_done else _("Six taps, less than a minute"),
        reverse("studies:morning", args=[today]),
        is_done=is_done,
    )
    return (task,)


def _earlier(participant: Participant, kind: str | None) -> tuple[Link, ...]:
    if kind != ArmKind.MUSIC or not has_open_mornings(participant):
        return ()
    return (Link(_("Earlier mornings"), reverse("studies:mornings")),)


def _skills_tasks(participant: Participant) -> tuple[Task, ...]:
    return tuple(Task(**reminder) for reminder in reminders_of(participant))


def _music_task(participant: Participant) -> Task:
    is_done = MusicPreference.objects.filter(participant=participant).exists()
    return Task(
        _("The music you like"),
        _("Completed") if is_done else _("Incomplete"),
        "" if is_done else _("About 2 minutes"),
        reverse("studies:music"),
        is_done=is_done,
    )


def _first_open(tasks: tuple[Task, ...]) -> Link | None:
    """Return the page's button: it leads to the first task that waits."""
    waiting = next((task for task in tasks if task.url and not task.is_done), None)
    return Link(_("Continue"), waiting.url) if waiting else None


def _greeting(kind: str | None, *, has_questions: bool) -> tuple[str, str]:
    if has_questions:
        lead = _("They are open for a few days. You can stop after any of them and go on later.")
        return _("There are questions for you"), lead
    if kind == ArmKind.MUSIC:
        return _("Good to see you"), _("There is music for tonight. Start it when you lie down.")
    if kind == ArmKind.CBT:
        lead = _("Your lessons and your sleep diary are here whenever you have a few minutes.")
        return _("Good to see you"), lead
    return _("Good to see you"), _("There is nothing to do today.")


def _evening(kind: str | None) -> Link | None:
    if kind == ArmKind.MUSIC:
        return Link(_("Music for tonight"), reverse("studies:tonight"))
    if kind == ArmKind.CBT:
        return Link(_("Lessons and diary"), reverse("studies:lessons"))
    return None


def _links(kind: str | None, evening: Link | None) -> tuple[Link, ...]:
    taste = Link(_("Change the music you like"), reverse("studies:music"))
    return tuple(filter(None, [evening, taste if kind == ArmKind.MUSIC else None]))


def _calendar(today: Today) -> tuple[Link, ...]:
    if today.upcoming is None:
        return ()
    return (Link(_("Days for your calendar"), reverse("studies:my_calendar")),)


def _next_words(today: Today) -> str:
    if today.upcoming is None:
        return ""
    opens_on = short_day(today.upcoming.opens_at)
    return _("The next questions open on %(day)s.") % {"day": opens_on}
