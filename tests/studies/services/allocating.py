"""A process that allocates whomever it is told to, until it is done or killed.

Arguments: the participants' keys. It writes a line when it is ready and one for each allocation
that was committed, so that whoever kills it knows that it was in the middle of its work.
"""

import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
django.setup()

from studies.exceptions import AlreadyAllocated  # noqa: E402 -- after Django is set up
from studies.models.participant import Participant  # noqa: E402 -- after Django is set up
from studies.services.allocation import allocate_participant  # noqa: E402 -- after Django is set up
from studies.services.trail.audit import SYSTEM  # noqa: E402 -- after Django is set up


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


say("ready")
for key in map(int, sys.argv[1:]):
    try:
        allocate_participant(participant=Participant.objects.get(pk=key), actor=SYSTEM)
        say(str(key))
    except AlreadyAllocated:
        continue
