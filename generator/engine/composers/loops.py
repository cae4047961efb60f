"""What would close a circle: free streams that copy what they just said would go on for ever.

A figure of two to eight melody notes (pitches and gaps) is not said a fourth time on end, and so a
note not an eighth time: `metrics.melody.is_looping` calls more a loop. The pitch that would
complete it is forbidden; what comes instead is the network's own choice. An accompaniment may go
round.
"""

from generator.engine.score.notes import Role
from generator.engine.tokens.vocabulary import ROLES

_MELODY = ROLES.index(Role.MELODY)
_FIGURES = range(2, 9)
_TIMES = 3


class LoopWatch:
    """Hears one stream event by event and knows which pitches may not come next."""

    def __init__(self) -> None:
        self._notes: list[tuple[int, int]] = []
        self._gap = 0
        # How many notes on end were the same as the one so many notes before them; the same before
        # the last note.
        self._alike = self._alike_before = dict.fromkeys(_FIGURES, 0)

    def hear(self, shift: int, role: int, pitch: int) -> None:
        """Remember one more event; of melody notes that begin together the last, the highest."""
        self._gap += shift
        if role != _MELODY:
            return
        if self._notes and not self._gap:
            self._gap, _ = self._notes.pop()
            self._alike = self._alike_before
        self._push((self._gap, pitch))
        self._gap = 0

    def _push(self, note: tuple[int, int]) -> None:
        self._notes.append(note)
        self._alike_before = self._alike
        self._alike = {
            period: alike + 1 if self._is_again(period) else 0
            for period, alike in self._alike_before.items()
        }

    def _is_again(self, period: int) -> bool:
        return len(self._notes) > period and self._notes[-1 - period] == self._notes[-1]

    def closing(self) -> set[int]:
        """Return the pitches with which the next note could close a circle."""
        return {
            self._notes[-period][1]
            for period, alike in self._alike.items()
            if alike >= period * _TIMES - 1
        }
