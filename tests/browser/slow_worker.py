"""A worker that takes its time, so that tonight's page can be looked at while it waits.

Apart from `people`, because whatever claims a playlist loads the whole engine with it.
"""

from django.db import transaction

from generator.services.rendering import claim
from studies.models.participant import Participant
from studies.services.music.playlists import request_tonight


def hold_tonight(code: str) -> None:
    """Ask for somebody's mix of tonight and take it on; its lease says for how long."""
    # In one transaction, so that no other worker hears of it before it is taken.
    with transaction.atomic():
        night = request_tonight(participant=Participant.objects.get(code=code))
        claim(worker="a slow worker", playlist_id=night.playlist_id)
