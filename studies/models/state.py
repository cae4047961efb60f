"""Rows that move from state to state by a transition table (`design/states.py`)."""

from typing import ClassVar

from django.db import models

from studies.design.errors import ForbiddenTransition
from studies.design.states import require_move
from studies.exceptions import MoveRefused


class StateMachine(models.Model):
    """A row whose `state` changes only along its machine's moves; call it under the row's lock."""

    machine: ClassVar[str]

    class Meta:
        abstract = True

    def move_to(self, state: str, **changes: object) -> None:
        """Save the new state, and `changes` to other fields with it."""
        try:
            require_move(self.machine, self.state, state)
        except ForbiddenTransition as error:
            raise MoveRefused(str(error)) from error
        self.state = state
        for name, value in changes.items():
            setattr(self, name, value)
        self.save(update_fields=["state", *changes])
