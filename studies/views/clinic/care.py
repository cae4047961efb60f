"""A therapist's pages: the people who have lessons, their diary, window, answers, messages.

These pages tell an arm by being there, so they exist for nobody but therapists (`Ability.TREAT`).
"""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from studies.design.lessons import course_sha256
from studies.exceptions import AmendmentRefused, ReasonMissing, WindowRefused
from studies.forms.skills import (
    AmendCourseForm,
    DropCourseForm,
    MessageForm,
    ScreeningForm,
    WindowForm,
)
from studies.models.participant import Participant
from studies.models.sleep_window import SleepWindow
from studies.models.study import Study
from studies.permissions import Ability, abilities_in, requires
from studies.selectors.diary import diary_of
from studies.services.allocation import skills_participants
from studies.services.cbt.caseload import caseload, module_reports
from studies.services.cbt.course import is_course_changed
from studies.services.cbt.lessons import contact_minutes
from studies.services.cbt.messages import n_unread, read_thread, send_message
from studies.services.cbt.sleep_window import (
    bed_at,
    confirm_window,
    exclusions_of,
    screen_for_window,
    waiting_window,
)
from studies.services.protocol.changed_course import change_course, drop_course, waiting_course
from studies.services.trail.audit import staff
from studies.views.office_hours import office_hours
from studies.views.posting import posted

RECORDED = gettext_lazy("Recorded. The changed course is given from now on.")
ASKED = gettext_lazy("Asked. A second person has to confirm it now.")


@require_safe
@requires(Ability.TREAT)
def listing(request: HttpRequest, study: Study) -> HttpResponse:
    mine = _mine(request, study).order_by("code")
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "cases": caseload(list(mine)),
        "is_changed": is_course_changed(study),
    }
    return render(request, "studies/care/listing.html", context)


@require_safe
@requires(Ability.TREAT)
def page(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    participant = get_object_or_404(_mine(request, study), code=code)
    context = {
        "study": study,
        "participant": participant,
        "rows": diary_of(participant),
        "modules": module_reports(participant, get_language()),
        "windows": [(window, bed_at(window)) for window in _history(participant)],
        "waiting": waiting_window(participant),
        "exclusions": exclusions_of(participant),
        "contact_minutes": contact_minutes(participant),
        "n_unread": n_unread(participant, by_staff=True),
    }
    return render(request, "studies/care/page.html", context)


@requires(Ability.TREAT)
def screening(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Ask for reasons against a sleep window; what is found blocks it until it is asked again."""
    participant = get_object_or_404(_mine(request, study), code=code)
    found = exclusions_of(participant)
    form = ScreeningForm(posted(request), initial={"exclusions": found or []})
    if form.is_valid():
        exclusions = form.cleaned_data["exclusions"]
        screen_for_window(participant=participant, exclusions=exclusions, user=request.user)
        waits = waiting_window(participant) is not None and not exclusions
        return redirect("studies:care_window" if waits else "studies:care", study.code, code)
    context = {"study": study, "participant": participant, "form": form}
    return render(request, "studies/care/screening.html", context)


@requires(Ability.TREAT)
def window(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Confirm or adjust the window that waits."""
    participant = get_object_or_404(_mine(request, study), code=code)
    waiting = waiting_window(participant)
    if waiting is None:
        return redirect("studies:care", study.code, code)
    if exclusions_of(participant) != []:
        return redirect("studies:care_screening", study.code, code)
    form = WindowForm(posted(request), window=waiting)
    if form.is_valid() and _is_confirmed(request, form, waiting):
        messages.success(request, _("The sleep window holds from tonight."))
        return redirect("studies:care", study.code, code)
    context = {
        "study": study,
        "participant": participant,
        "form": form,
        "window": waiting,
        "bed_at": bed_at(waiting),
    }
    return render(request, "studies/care/window.html", context)


@requires(Ability.TREAT)
def thread(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    participant = get_object_or_404(_mine(request, study), code=code)
    form = MessageForm(posted(request))
    if form.is_valid():
        text = form.cleaned_data["text"]
        send_message(participant=participant, text=text, user=request.user)
        return redirect("studies:care_messages", study.code, code)
    context = {
        "study": study,
        "participant": participant,
        "form": form,
        "lines": read_thread(participant=participant, user=request.user),
        "hours": office_hours(study),
    }
    return render(request, "studies/care/messages.html", context)


@requires(Ability.TREAT)
def course(request: HttpRequest, study: Study) -> HttpResponse:
    """Show which course the study gives, and record that it is another one from now on."""
    form = AmendCourseForm(posted(request))
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        asked = change_course(study=study, actor=staff(request.user), reason=reason)
        messages.success(request, RECORDED if asked is None else ASKED)
        return redirect("studies:care_course", study.code)
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "form": form,
        "sha256": course_sha256(),
        "is_changed": is_course_changed(study),
        "waiting": waiting_course(study),
        "give_up": DropCourseForm(),
        "history": study.courses.all(),
    }
    return render(request, "studies/care/course.html", context)


@require_POST
@requires(Ability.TREAT)
def drop_changed_course(request: HttpRequest, study: Study) -> HttpResponse:
    """Give up a changed course that waits for a second person."""
    form = DropCourseForm(posted(request))
    if not form.is_valid():
        messages.error(request, _("Enter a reason"))
        return redirect("studies:care_course", study.code)
    try:
        drop_course(study=study, actor=staff(request.user), reason=form.cleaned_data["reason"])
        messages.success(request, _("Given up. The study goes on with the lessons it has."))
    except AmendmentRefused:
        messages.error(request, _("Nothing waits any more. Nothing was changed."))
    return redirect("studies:care_course", study.code)


def _mine(request: HttpRequest, study: Study) -> QuerySet[Participant]:
    visible = Participant.objects.visible_to(request.user, Ability.TREAT).filter(study=study)
    return visible.filter(pk__in=skills_participants().values("pk")).select_related("study")


def _history(participant: Participant) -> list[SleepWindow]:
    windows = participant.sleep_windows.select_related("confirmed_by").order_by("-week")
    return list(windows)


def _is_confirmed(request: HttpRequest, form: WindowForm, waiting: SleepWindow) -> bool:
    """Confirm the window as the form says; what stands in the way is said at its field."""
    try:
        confirm_window(window=waiting, user=request.user, **form.cleaned_data)
    except ReasonMissing:
        form.add_error("reason", _("Enter a reason for the change"))
    except WindowRefused:
        floor = {"minutes": waiting.floor_min}
        text = _("Below the floor of %(minutes)d minutes: tick your approval, or choose longer")
        form.add_error("window_min", text % floor)
    return not form.errors
