"""What the next night of a participant shall sound like: taste and ratings, within the protocol.

The rule is `design/taste.py`; here it meets the rows.
"""

from collections.abc import Mapping

from generator.engine.brief import Bed, Instrument, Mode, Style
from studies.design.parts import MusicProfile
from studies.design.taste import RatedNight, Rating, Taste, taste_of_the_next_night
from studies.models.listening import NightRating
from studies.models.participant import MusicPreference, Participant

DEFAULT_STYLES = {Style.CLASSICAL.value: 1.0}
DEFAULT_TEMPO_BPM = 66.0


def next_taste(participant: Participant) -> Taste:
    """Return how the next night of this participant shall sound, whatever their arm."""
    return taste_of_the_next_night(_stated(participant), _rated(participant))


def default_taste(profile: MusicProfile) -> Taste:
    """Return how a night sounds for somebody who has said nothing."""
    return Taste(
        styles=_styles(DEFAULT_STYLES, profile),
        instrument=Instrument.PIANO.value,
        mode=Mode.MAJOR.value,
        tempo_bpm=min(DEFAULT_TEMPO_BPM, profile.tempo_max_bpm),
        bed=Bed.NONE.value,
    )


def taste_of(brief: Mapping[str, object]) -> Taste:
    """Return the taste that a stored brief was made for."""
    return Taste(
        styles=brief["styles"],
        instrument=brief["instrument"],
        mode=brief["mode"],
        tempo_bpm=brief["tempo_bpm"],
        bed=brief["bed"],
    )


def _stated(participant: Participant) -> Taste:
    profile = participant.study.plan.music
    stated = MusicPreference.objects.filter(participant=participant).first()
    if stated is None:
        return default_taste(profile)
    return Taste(
        styles=_styles(stated.styles, profile),
        instrument=stated.instrument,
        mode=stated.mode,
        tempo_bpm=min(stated.tempo_bpm, profile.tempo_max_bpm),
        bed=stated.bed,
    )


def _rated(participant: Participant) -> list[RatedNight]:
    ratings = (
        NightRating.objects.filter(assignment__participant=participant)
        .select_related("assignment__playlist")
        .order_by("assignment__night_on")
    )
    return [
        RatedNight(taste_of(rating.assignment.playlist.brief), Rating(rating.rating))
        for rating in ratings
    ]


def _styles(liked: Mapping[str, float], profile: MusicProfile) -> dict[str, float]:
    """Return what is liked and may be played; where that is nothing, what may be played."""
    playable = {name: liked[name] for name in liked if name in profile.styles and liked[name] > 0}
    chosen = playable or dict.fromkeys(profile.styles[:1], 1.0)
    if len(chosen) == len(liked):
        return dict(liked)
    total = sum(chosen.values())
    return {name: weight / total for name, weight in chosen.items()}
