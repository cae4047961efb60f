"""Tonight: the mix on its way, then one button; or the lessons, for those who learn skills."""

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generator.models.playlist import Playlist, PlaylistState, Track
from generator.selectors import playlist_progress
from generator.services.storage import audio_path
from generator.views import ranged_file
from studies.exceptions import NightUnknown, NoMusicInThisArm, NotInTreatment, StudyError
from studies.forms.participant import HeardForm
from studies.models.listening import PlaylistAssignment
from studies.models.participant import Participant
from studies.services.music.listening import record_listening
from studies.services.music.playlists import request_tonight, tonight
from studies.views.participant.session import night_data, night_page

STAGES = {
    PlaylistState.QUEUED: gettext_lazy("Your music is next in line"),
    PlaylistState.COMPOSING: gettext_lazy("Writing the notes"),
    PlaylistState.RENDERING: gettext_lazy("Playing them"),
    PlaylistState.CHECKING: gettext_lazy("Listening once more"),
    PlaylistState.READY: gettext_lazy("Ready"),
}
STUCK = {PlaylistState.FAILED, PlaylistState.CANCELLED}
AUDIO_TYPE = "audio/mpeg"


@require_safe
@night_page
def page(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Show tonight's mix, asked for now unless it was before."""
    try:
        night = _stuck_night(participant) or request_tonight(participant=participant)
    except NoMusicInThisArm:
        return redirect("studies:lessons")
    except NotInTreatment:
        return redirect("studies:today")
    playlist = night.playlist
    track = Track.objects.filter(playlist=playlist).first()
    context = {
        "participant": participant,
        "night": night,
        "night_on": night.night_on,
        "track": track,
        "minutes": round(track.duration_s / 60) if track else None,
        "is_stuck": playlist.state in STUCK,
        "progress": _progress(playlist),
    }
    return render(request, "studies/participant/tonight.html", context)


@require_POST
@night_page
def again(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Ask once more for a mix that failed: a button, so that a reload does not ask for ever."""
    try:
        request_tonight(participant=participant)
    except (NoMusicInThisArm, NotInTreatment):
        return redirect("studies:today")
    return redirect("studies:tonight")


@require_safe
@night_data
def status(request: HttpRequest, participant: Participant) -> JsonResponse:
    nights = participant.nights.select_related("playlist")
    night = get_object_or_404(nights, night_on=tonight(participant))
    return JsonResponse(_progress(night.playlist))


@require_http_methods(["GET", "HEAD"])
@night_data
def audio(request: HttpRequest, participant: Participant, track: str) -> HttpResponseBase:
    """Send the participant's own music, in ranges; anybody else's does not exist."""
    own = get_object_or_404(Track, pk=track, playlist__in=participant.nights.values("playlist"))
    return ranged_file(request, audio_path(own), AUDIO_TYPE, own.audio_sha256)


@require_POST
@night_data
def heard(request: HttpRequest, participant: Participant) -> HttpResponse:
    form = HeardForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    try:
        record_listening(
            participant=participant,
            night_id=form.cleaned_data["night"],
            client_id=form.cleaned_data["client_id"],
            intervals=form.cleaned_data["intervals"],
        )
    except NightUnknown as error:
        raise Http404 from error
    except StudyError:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _stuck_night(participant: Participant) -> PlaylistAssignment | None:
    nights = participant.nights.select_related("playlist")
    return nights.filter(night_on=tonight(participant), playlist__state__in=STUCK).first()


def _progress(playlist: Playlist) -> dict[str, object]:
    """Return how far the mix is, in words for its listener."""
    known = playlist_progress(playlist)
    return {
        "percent": round(100 * known["progress"]),
        "stage": str(STAGES.get(playlist.state, "")),
        "remaining": _remaining(known["remaining_s"]),
        "is_final": known["is_final"],
    }


def _remaining(seconds: int | None) -> str:
    if seconds is None:
        return _("This takes a few minutes.")
    minutes = max(1, round(seconds / 60))
    return ngettext("About %(n)d minute", "About %(n)d minutes", minutes) % {"n": minutes}
