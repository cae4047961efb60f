"""What a participant says of a night's music, and what follows from it."""

from datetime import date

from django.db import transaction

from studies import clock
from studies.design.taste import Rating
from studies.exceptions import NightUnknown, PreferenceRefused
from studies.models.listening import NightRating, PlaylistAssignment
from studies.models.participant import Participant
from studies.services.music.playlists import renew_nights
from studies.services.trail.audit import participant_actor, record


def night_to_rate(
    participant: Participant, *, before: date | None = None
) -> PlaylistAssignment | None:
    """Return the last night that the participant heard something of; None if there is none.

    With `before`, the last one before that evening: nobody is asked about a night in its middle.
    """
    heard = PlaylistAssignment.objects.filter(participant=participant, sessions__heard_s__gt=0)
    if before is not None:
        heard = heard.filter(night_on__lt=before)
    return heard.select_related("rating").order_by("-night_on").first()


@transaction.atomic
def rate_night(*, participant: Participant, night_on: date, rating: str) -> NightRating:
    """Keep what is said of a night that was heard; saying it again replaces it.

    The nights that nobody has begun to make follow at once, and after *never again* also those that
    are made and not played (`playlists.renew_nights`).

    Raises NightUnknown for a night of which nothing was heard.
    """
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    night = PlaylistAssignment.objects.filter(
        participant=participant, night_on=night_on, sessions__heard_s__gt=0
    ).first()
    if night is None:
        raise NightUnknown
    said = _known(rating)
    before = NightRating.objects.filter(assignment=night).first()
    kept, _created = NightRating.objects.update_or_create(
        assignment=night, defaults={"rating": said, "rated_at": clock.now()}
    )
    actor = participant_actor(participant)
    record(
        actor=actor,
        action="rate_night",
        subject=kept,
        old={"rating": before.rating} if before else None,
        new={"night_on": night_on, "rating": said},
    )
    because = Rating.NEVER_AGAIN.value if said == Rating.NEVER_AGAIN else "taste"
    renew_nights(participant=participant, actor=actor, because=because)
    return kept


def _known(rating: str) -> str:
    try:
        return Rating(rating).value
    except ValueError:
        raise PreferenceRefused(f"one of {', '.join(Rating)}", rating) from None
