"""Which music a participant likes, and in which language they are spoken to.

Both steer what somebody meets, never the allocation.
"""

import math
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction

from generator.engine.brief import TEMPO_MAX_BPM, TEMPO_MIN_BPM, Bed, Instrument, Mode, Style
from studies import clock
from studies.exceptions import NotInTreatment, PreferenceRefused
from studies.models.participant import MusicPreference, Participant, ParticipantState
from studies.services.music.playlists import renew_nights
from studies.services.trail.audit import participant_actor, record

STATES_TASTE = (
    ParticipantState.CONSENTED,
    ParticipantState.BASELINE_DONE,
    ParticipantState.ALLOCATED,
)


@transaction.atomic
def state_preferences(
    *,
    participant: Participant,
    styles: Mapping[str, float],
    instrument: str,
    tempo_bpm: float,
    mode: str,
    bed: str = Bed.NONE,
) -> MusicPreference:
    """Keep a taste; stating it again replaces it. Weights are scaled to sum to 1.

    Raises NotInTreatment before consent, when nothing of somebody may be kept, and after the end.

    Nights that nobody has begun to make follow it at once; those that are made stay as they are.
    """
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    if participant.state not in STATES_TASTE:
        raise NotInTreatment(participant.code, participant.state)
    stated = {
        "styles": _weights(styles),
        "instrument": _one_of(Instrument, instrument),
        "tempo_bpm": _tempo(tempo_bpm),
        "mode": _one_of(Mode, mode),
        "bed": _one_of(Bed, bed),
    }
    before = MusicPreference.objects.filter(participant=participant).first()
    old = {name: getattr(before, name) for name in stated} if before else None
    preference, _created = MusicPreference.objects.update_or_create(
        participant=participant, defaults={**stated, "stated_at": clock.now()}
    )
    actor = participant_actor(participant)
    record(actor=actor, action="state_preferences", subject=preference, old=old, new=stated)
    renew_nights(participant=participant, actor=actor, because="taste")
    return preference


@transaction.atomic
def choose_language(*, participant: Participant, language: str) -> None:
    """Speak to the participant in `language` from now on, also in the middle of a questionnaire."""
    if language not in dict(settings.LANGUAGES):
        raise PreferenceRefused(f"one of {', '.join(dict(settings.LANGUAGES))}", language)
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    if participant.language == language:
        return
    old, participant.language = participant.language, language
    participant.save(update_fields=["language"])
    record(
        actor=participant_actor(participant),
        action="choose_language",
        subject=participant,
        old={"language": old},
        new={"language": language},
    )


def _weights(styles: Mapping[str, float]) -> dict[str, float]:
    known = {_one_of(Style, name): float(weight) for name, weight in styles.items()}
    total = sum(known.values())
    if not all(math.isfinite(w) and w >= 0 for w in known.values()) or not total > 0:
        raise PreferenceRefused("style weights of 0 or more, at least one above 0", dict(styles))
    return {name: weight / total for name, weight in known.items() if weight}


def _one_of(names: type[Bed] | type[Instrument] | type[Mode] | type[Style], value: str) -> str:
    try:
        return names(value).value
    except ValueError:
        raise PreferenceRefused(f"one of {', '.join(names)}", value) from None


def _tempo(value: float) -> float:
    if not TEMPO_MIN_BPM <= value <= TEMPO_MAX_BPM:
        raise PreferenceRefused(f"a tempo of {TEMPO_MIN_BPM:g} to {TEMPO_MAX_BPM:g}", value)
    return float(value)
