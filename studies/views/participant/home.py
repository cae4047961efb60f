"""A participant's own page, taste in music, group, and the way out."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from studies import clock
from studies.design.windows import local_day
from studies.forms.participant import MusicForm, StopForm
from studies.models.participant import TAKES_PART, MusicPreference, Participant, ParticipantState
from studies.models.study import StudyState
from studies.selectors.schedule import today_of
from studies.services.allocation import arm_kind_of
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.entry.screening import screening_waits
from studies.services.music.preferences import state_preferences
from studies.services.trail.audit import participant_actor
from studies.services.visits.scheduling import keep_calendar
from studies.views.participant.consenting import is_asked
from studies.views.participant.session import consent_page, participant_page
from studies.views.participant.today_page import today_page
from studies.views.posting import posted

# The group is told once a device and in the first week; then the page of the day comes first.
GROUP_SEEN = "group_seen"
GROUP_IS_NEWS_DAYS = 7


@require_safe
@participant_page
def today(request: HttpRequest, participant: Participant) -> HttpResponse:
    if screening_waits(participant):
        return redirect("studies:my_screening")
    is_open = participant.study.state == StudyState.OPEN
    if participant.state == ParticipantState.INVITED and is_open:
        return redirect("studies:consent" if is_asked(participant) else "studies:waiting")
    keep_calendar(participant=participant)
    if is_open and _group_is_news(request, participant):
        return redirect("studies:group")
    context = {"participant": participant, "page": today_page(participant)}
    return render(request, "studies/participant/today.html", context)


@participant_page
def music(request: HttpRequest, participant: Participant) -> HttpResponse:
    if participant.state not in TAKES_PART:
        return redirect("studies:today")
    stated = MusicPreference.objects.filter(participant=participant).first()
    form = MusicForm(posted(request), initial=MusicForm.initial_of(stated))
    if form.is_valid():
        state_preferences(participant=participant, **form.preferences())
        return redirect("studies:today")
    context = {"participant": participant, "form": form}
    return render(request, "studies/participant/music.html", context)


@require_safe
@participant_page
def group(request: HttpRequest, participant: Participant) -> HttpResponse:
    kind = arm_kind_of(participant)
    if kind is None:
        return redirect("studies:today")
    request.session[GROUP_SEEN] = True
    context = {"participant": participant, "kind": kind}
    return render(request, "studies/participant/group.html", context)


@consent_page
def stop(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Ask what to stop, ask once more, stop; without a word of blame."""
    if participant.study.is_locked:
        return render(request, "studies/participant/study_ended.html")
    form = StopForm(posted(request), has_evenings=arm_kind_of(participant) is not None)
    if form.is_valid() and "confirmed" in request.POST:
        withdraw_participant(
            participant=participant,
            scope=form.cleaned_data["scope"],
            reason=form.cleaned_data["reason"],
            actor=participant_actor(participant),
        )
        return render(request, "studies/participant/stopped.html", {"form": form})
    template = "stop_check.html" if form.is_valid() else "stop.html"
    context = {"participant": participant, "form": form}
    return render(request, f"studies/participant/{template}", context)


def _group_is_news(request: HttpRequest, participant: Participant) -> bool:
    is_allocated = participant.state == ParticipantState.ALLOCATED
    has_seen_it = GROUP_SEEN in request.session
    if not is_allocated or has_seen_it or today_of(participant).due:
        return False
    follow_up = participant.visits.filter(week__gt=0).order_by("week").first()
    if follow_up is None:
        return True
    allocated_on = follow_up.target_on - timedelta(weeks=follow_up.week)
    news_until = allocated_on + timedelta(days=GROUP_IS_NEWS_DAYS)
    return local_day(clock.now(), participant.zone) < news_until
