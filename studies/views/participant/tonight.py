"""Tonight: the mix on its way, then one button; or the lessons, for those who learn skills."""

from datetime import timedelta
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generator.engine.errors import ScoreError
from generator.engine.score.musicxml import MIME_TYPE as MUSICXML_TYPE
from generator.models.playlist import Playlist, PlaylistState, Track
from generator.selectors import playlist_progress
from generator.services.sheets import sheet_music
from generator.services.storage import audio_path, check_path, midi_path
from generator.views import ranged_file
from studies.design.parts import Download
from studies.exceptions import NightUnknown, NoMusicInThisArm, NotInTreatment, StudyError
from studies.forms.participant import HeardForm, RatingForm
from studies.models.listening import PlaylistAssignment, ratings
from studies.models.participant import Participant
from studies.services.music.listening import record_listening
from studies.services.music.nights import STUCK
from studies.services.music.playlists import request_tonight, serve_tonight
from studies.services.music.ratings import night_to_rate, rate_night
from studies.services.treatment import tonight
from studies.views.participant.session import night_data, night_page

STAGES = {
    PlaylistState.QUEUED: gettext_lazy("Your music is next in line"),
    PlaylistState.COMPOSING: gettext_lazy("Writing the notes"),
    PlaylistState.RENDERING: gettext_lazy("Playing them"),
    PlaylistState.CHECKING: gettext_lazy("Listening once more"),
    PlaylistState.READY: gettext_lazy("Ready"),
}
QUEUE_IS_LONG = gettext_lazy("Your music is in the queue")
AUDIO_TYPE, MIDI_TYPE = "audio/mpeg", "audio/midi"
SUFFIXES = {Download.MP3: "mp3", Download.MIDI: "mid", Download.MUSICXML: "musicxml"}
DOWNLOAD_NAMES = {
    Download.MP3: gettext_lazy("Sound (MP3)"),
    Download.MIDI: gettext_lazy("Notes (MIDI)"),
    Download.MUSICXML: gettext_lazy("Sheet music (MusicXML)"),
}


@require_safe
@night_page
def page(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Show tonight's mix, asked for now unless it was before."""
    try:
        night = serve_tonight(participant=participant)
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
        "downloads": _downloads(participant),
        "rating": rating_part(night_to_rate(participant, before=night.night_on)),
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
    own = _own_track(participant, track)
    return ranged_file(request, audio_path(own), AUDIO_TYPE, own.audio_sha256)


@require_http_methods(["GET", "HEAD"])
@night_data
def volume(request: HttpRequest, participant: Participant, track: str) -> HttpResponseBase:
    """Send the short piece by which the volume is set."""
    own = _own_track(participant, track)
    path = check_path(own)
    if path is None:
        raise Http404
    return ranged_file(request, path, AUDIO_TYPE, f"{own.audio_sha256}-check")


@require_http_methods(["GET", "HEAD"])
@night_data
def keep(request: HttpRequest, participant: Participant, track: str, form: str) -> HttpResponseBase:
    """Send the participant's own music to keep, in the forms that the protocol allows."""
    if form not in participant.study.plan.music.downloads:
        raise Http404
    own = _own_track(participant, track)
    night = participant.nights.filter(playlist=own.playlist_id).latest("night_on")
    name = f"music-{night.night_on}.{SUFFIXES[form]}"
    if form == Download.MUSICXML:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(_sheet(own), content_type=MUSICXML_TYPE, headers=headers)
    path, kind = audio_path(own), AUDIO_TYPE
    if form == Download.MIDI:
        path, kind = midi_path(own), MIDI_TYPE
    return ranged_file(request, path, kind, f"{own.audio_sha256}-{form}", save_as=name)


@require_POST
@night_page
def rate(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Keep what is said of a night's music, and lead back to where it was said."""
    form = RatingForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    said = form.cleaned_data
    try:
        rate_night(participant=participant, night_on=said["night_on"], rating=said["rating"])
    except NightUnknown as error:
        raise Http404 from error
    if request.POST.get("back") == "morning":
        return redirect("studies:morning_check", said["night_on"] + timedelta(days=1))
    return redirect("studies:tonight")


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


def rating_part(night: PlaylistAssignment | None) -> dict[str, object] | None:
    """Return what the rating of a night shows; None for none."""
    if night is None:
        return None
    kept = getattr(night, "rating", None)
    return {
        "night_on": night.night_on,
        "choices": ratings(),
        "said": kept.rating if kept else "",
    }


def _own_track(participant: Participant, track: str) -> Track:
    return get_object_or_404(Track, pk=track, playlist__in=participant.nights.values("playlist"))


def _sheet(track: Track) -> str:
    try:
        return sheet_music(track)
    except ScoreError as error:
        raise Http404 from error


def _downloads(participant: Participant) -> list[tuple[str, object]]:
    allowed = participant.study.plan.music.downloads
    return [(form, DOWNLOAD_NAMES[Download(form)]) for form in allowed]


def _progress(playlist: Playlist) -> dict[str, object]:
    """Return how far the mix is, in words for its listener."""
    known = playlist_progress(playlist)
    return {
        "percent": round(100 * known["progress"]),
        "stage": str(QUEUE_IS_LONG if known["n_ahead"] else STAGES.get(playlist.state, "")),
        "remaining": _remaining(known["remaining_s"]),
        "is_final": known["is_final"],
    }


def _remaining(seconds: int | None) -> str:
    if seconds is None:
        return _("This takes a few minutes.")
    minutes = max(1, round(seconds / 60))
    return ngettext("About %(n)d minute", "About %(n)d minutes", minutes) % {"n": minutes}
