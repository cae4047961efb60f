"""Deviations from the protocol, and queries about answers."""

from datetime import datetime, time
from functools import partial
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from questionnaires.selectors import wording_for
from studies.exceptions import MoveRefused, QueryRefused, SentAlready
from studies.forms.conduct import AskForm, AssessDeviationForm, DeviationForm, QueryStepForm
from studies.models.deviation import DeviationState
from studies.models.participant import Participant
from studies.models.query import DataQuery, QueryState
from studies.models.study import Study
from studies.models.visit import Assessment, AssessmentState
from studies.permissions import Ability, abilities_in, requires
from studies.selectors.conduct import deviations_of, people_of, queries_in
from studies.services.conduct.deviations import assess_deviation, note_deviation
from studies.services.conduct.queries import answer_query, ask_about, ask_again, close_query
from studies.templatetags.charts import week_name
from studies.views.editing import edits_data, locked
from studies.views.once import SENT, once
from studies.views.posting import posted

STEPS = {
    QueryState.OPEN: {"answer": Ability.CORRECT, "close": Ability.QUERY},
    QueryState.ANSWERED: {"close": Ability.QUERY, "again": Ability.QUERY},
    QueryState.CLOSED: {},
}
ACTS = {"answer": answer_query, "again": ask_again, "close": close_query}


@require_safe
@requires(Ability.SEE_PARTICIPANTS)
def deviations(request: HttpRequest, study: Study) -> HttpResponse:
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "rows": deviations_of(study, request.user).order_by("state", "-happened_at"),
    }
    return render(request, "studies/clinic/deviations.html", context)


@requires(Ability.CORRECT)
@edits_data
def new_deviation(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    people = people_of(study, request.user, Ability.CORRECT)
    participant = get_object_or_404(people, code=code)
    form = DeviationForm(posted(request))
    if form.is_valid():
        day = form.cleaned_data["happened_on"]
        note = partial(
            note_deviation,
            participant=participant,
            words=form.cleaned_data["words"],
            happened_at=datetime.combine(day, time(12), tzinfo=ZoneInfo(participant.zone)),
            user=request.user,
        )
        try:
            once(request, form, note)
            messages.success(request, _("Noted."))
        except SentAlready:
            messages.info(request, SENT)
        return redirect("studies:deviations", study.code)
    context = {"study": study, "participant": participant, "form": form}
    return render(request, "studies/clinic/deviation_new.html", context)


@requires(Ability.CORRECT)
def deviation(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    visible = deviations_of(study, request.user, Ability.CORRECT)
    found = get_object_or_404(visible, pk=pk)
    if request.method == "POST" and study.is_locked:
        return locked(request, study)
    form = AssessDeviationForm(posted(request))
    if form.is_valid():
        try:
            assess_deviation(deviation=found, user=request.user, **form.cleaned_data)
        except MoveRefused:
            messages.error(request, _("Somebody was here before you. Nothing was changed."))
        return redirect("studies:deviations", study.code)
    is_open = found.state == DeviationState.NOTED and not study.is_locked
    context = {"study": study, "deviation": found, "form": form if is_open else None}
    return render(request, "studies/clinic/deviation.html", context)


@require_safe
@requires(Ability.SEE_PARTICIPANTS)
def queries(request: HttpRequest, study: Study) -> HttpResponse:
    context = {
        "study": study,
        "abilities": abilities_in(request.user, study),
        "rows": queries_in(study, request.user),
    }
    return render(request, "studies/clinic/queries.html", context)


@requires(Ability.SEE_PARTICIPANTS)
def query(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    found = get_object_or_404(queries_in(study, request.user), pk=pk)
    if request.method == "POST" and study.is_locked:
        return locked(request, study)
    able = abilities_in(request.user, study)
    steps = [step for step, ability in STEPS[found.state].items() if ability in able]
    steps = [] if study.is_locked else steps
    form = QueryStepForm(posted(request), steps=steps)
    if steps and form.is_valid():
        _take(request, found, form)
        return redirect("studies:query", study.code, pk)
    context = {
        "study": study,
        "abilities": able,
        "query": found,
        "label": _label(found.assessment, found.item_key),
        "notes": found.notes.select_related("noted_by"),
        "form": form if steps else None,
    }
    return render(request, "studies/clinic/query.html", context)


@requires(Ability.QUERY)
@edits_data
def ask(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    people = people_of(study, request.user, Ability.QUERY)
    participant = get_object_or_404(people, code=code)
    form = AskForm(posted(request), answers=_answers(participant))
    if form.is_valid():
        key, _colon, item_key = form.cleaned_data["answer"].partition(":")
        try:
            made = ask_about(
                assessment=Assessment.objects.get(pk=int(key)),
                item_key=item_key,
                question=form.cleaned_data["question"],
                user=request.user,
            )
            return redirect("studies:query", study.code, made.pk)
        except QueryRefused:
            form.add_error("answer", _("There is an open query about this answer"))
    context = {"study": study, "participant": participant, "form": form}
    return render(request, "studies/clinic/ask.html", context)


def _take(request: HttpRequest, found: DataQuery, form: QueryStepForm) -> None:
    try:
        act = ACTS[form.cleaned_data["step"]]
        act(query=found, words=form.cleaned_data["words"], user=request.user)
    except MoveRefused:
        messages.error(request, _("Somebody was here before you. Nothing was changed."))


def _answers(participant: Participant) -> list[tuple[str, str]]:
    """Return every answer that can be asked about, the own participant's only."""
    done = Assessment.objects.filter(
        visit__participant=participant, state=AssessmentState.SUBMITTED
    ).select_related("visit", "response")
    return [
        (f"{row.pk}:{item.key}", _label(row, item.key))
        for row in done.order_by("visit__week", "position")
        for item in row.response.definition.items
    ]


def _label(assessment: Assessment, item_key: str) -> str:
    wording = wording_for(assessment.response, get_language())
    return _("%(week)s, %(name)s: %(item)s") % {
        "week": week_name(assessment.visit.week),
        "name": assessment.instrument.upper(),
        "item": wording.items[item_key].label,
    }
