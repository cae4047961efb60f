"""People in a given kind of arm, and mixes made in no time."""

import pytest

from generator.engine.composers import releases
from generator.models.playlist import Playlist
from generator.services.rendering import render_next
from studies.models.participant import Participant
from studies.models.study import ArmKind, Study
from studies.services.allocation import arm_kind_of
from tests.factories import make_participant, make_study
from tests.generator.quick import quick_render


def someone_with(kind: ArmKind, *, study: Study | None = None) -> Participant:
    """Return a freshly allocated participant whose arm is of this kind; two blocks hold both."""
    study = study or make_study()
    while True:
        participant = make_participant("allocated", study=study)
        if arm_kind_of(participant) == kind:
            return participant


def make_ready(playlist: Playlist) -> None:
    """Let a worker finish this mix at once."""
    render_next(worker="test", playlist_id=playlist.pk, render=quick_render)
    playlist.refresh_from_db()


def upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a build whose composers make other notes."""
    monkeypatch.setattr(releases, "COMPOSING", releases.COMPOSING + 1)
