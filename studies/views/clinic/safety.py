"""The safety inbox: action items with their clocks, and adverse events from report to close."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from studies import clock
from studies.exceptions import (
    EventRefused,
    HarmsRefused,
    MoveRefused,
    SecondPersonMissing,
    SentAlready,
)
from studies.forms.conduct import CRITERIA_NAMES, EventForm, EventStepForm, HarmsForm, NoteForm
from studies.models.safety import ActionItem, AdverseEvent
from studies.models.study import Study
from studies.permissions import Ability, abilities_in, requires
from studies.selectors.conduct import (
    done_items,
    events_of,
    items_of,
    people_of,
    waiting_items,
)
from studies.services.conduct.events import (
    close_event,
    follow_event,
    report_event,
    resolve_event,
    triage_event,
)
from studies.services.conduct.harms import record_harms_inquiry, visits_to_ask
from studies.services.conduct.items import acknowledge_item, finish_item, words_of
from studies.services.trail.audit import record, staff
from studies.views.editing import edits_data, locked
from studies.views.once import SENT, once
from studies.views.posting import posted


@require_safe
@requires(Ability.HANDLE_SAFETY)
def inbox(request: HttpRequest, study: Study) -> HttpResponse:
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "items": waiting_items(study, request.user),
        "done": done_items(study, request.user),
        "events": events_of(study, request.user),
        "now": clock.now(),
    }
    return render(request, "studies/clinic/safety.html", context)


@requires(Ability.HANDLE_SAFETY)
def item(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    """Show one item; seen with one button, done with a note. Reading its words is recorded."""
    found = get_object_or_404(items_of(study, request.user), pk=pk)
    if "seen" in request.POST:
        _act(request, acknowledge_item, item=found)
        return redirect("studies:item", study.code, pk)
    form = NoteForm(posted(request))
    if form.is_valid():
        _act(request, finish_item, item=found, note=form.cleaned_data["words"])
        return redirect("studies:safety", study.code)
    context = {"study": study, "item": found, "form": form, "words": _read(request, found)}
    return render(request, "studies/clinic/item.html", context)


@requires(Ability.HANDLE_SAFETY)
@edits_data
def harms(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Ask about harms at the first visit at which nobody did; a yes is reported next."""
    people = people_of(study, request.user, Ability.HANDLE_SAFETY)
    participant = get_object_or_404(people.select_related("study"), code=code)
    visit = next(iter(visits_to_ask(participant)), None)
    form = HarmsForm(posted(request))
    if visit is not None and form.is_valid():
        found = {"was_untoward": form.cleaned_data["was_untoward"] == "yes"}
        # Somebody who asked at the same time has answered it: theirs stands.
        with suppress(HarmsRefused):
            record_harms_inquiry(visit=visit, actor=staff(request.user), **found)
        after = "event_new" if found["was_untoward"] else "participant"
        return redirect(f"studies:{after}", study.code, code)
    context = {"study": study, "participant": participant, "visit": visit, "form": form}
    return render(request, "studies/clinic/harms.html", context)


@requires(Ability.HANDLE_SAFETY)
@edits_data
def new_event(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    people = people_of(study, request.user, Ability.HANDLE_SAFETY)
    participant = get_object_or_404(people, code=code)
    form = EventForm(posted(request))
    if form.is_valid():
        try:
            report = partial(
                report_event, participant=participant, account=form.account, user=request.user
            )
            made = once(request, form, report)
        except SentAlready:
            messages.info(request, SENT)
            return redirect("studies:safety", study.code)
        except EventRefused:
            form.add_error("began_on", _("Enter a day up to today"))
        else:
            return redirect("studies:event", study.code, made.pk)
    context = {"study": study, "participant": participant, "form": form}
    return render(request, "studies/clinic/event_new.html", context)


@requires(Ability.HANDLE_SAFETY)
def event(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    found = get_object_or_404(events_of(study, request.user), pk=pk)
    if request.method == "POST" and study.is_locked:
        return locked(request, study)
    form = EventStepForm(posted(request), state=found.state)
    if form.is_valid() and _step(request, found, form):
        return redirect("studies:event", study.code, pk)
    context = {
        "study": study,
        "event": found,
        "criteria": [CRITERIA_NAMES[name] for name in found.criteria],
        "notes": found.notes.select_related("noted_by"),
        "items": found.items.select_related("owner"),
        "form": form if EventStepForm.STEPS[found.state] and not study.is_locked else None,
    }
    return render(request, "studies/clinic/event.html", context)


def _act(request: HttpRequest, act: Callable[..., ActionItem], **told: object) -> None:
    try:
        act(user=request.user, **told)
        messages.success(request, _("Saved."))
    except MoveRefused:
        messages.error(request, _("Somebody was here before you. Nothing was changed."))


def _read(request: HttpRequest, found: ActionItem) -> str:
    words = words_of(found)
    if words:
        record(actor=staff(request.user), action="read_item", subject=found)
    return words


def _step(request: HttpRequest, found: AdverseEvent, form: EventStepForm) -> bool:
    """Take the step; what stands in the way is said at its field."""
    stated = form.cleaned_data
    told = {"event": found, "words": stated["words"], "user": request.user}
    try:
        if stated["step"] == "triage":
            triage_event(**told, criteria=stated["criteria"])
        elif stated["step"] == "resolve":
            resolve_event(**told, ended_on=stated["ended_on"])
        else:
            {"follow": follow_event, "close": close_event}[stated["step"]](**told)
    except SecondPersonMissing:
        form.add_error("step", _("A serious event is closed by somebody else than who resolved it"))
    except EventRefused:
        form.add_error(
            "ended_on" if stated["step"] == "resolve" else "step",
            _("Not possible like this: see what is still to be done, and the dates"),
        )
    except MoveRefused:
        form.add_error("step", _("Somebody was here before you. Look again"))
    return not form.errors
