"""What would close a circle: free streams that copy what they just said would go on for ever.

A figure of two to eight notes (pitches and shifts) is not said a fourth time on end, and so a note
not an eighth time: `metrics.melody.is_looping` calls more a loop. The pitch that would complete it
is forbidden; what comes instead is the network's own choice.
"""

_FIGURES = range(2, 9)
_TIMES = 3


class LoopWatch:
    """Hears one stream note by note and knows which pitches may not come next."""

    def __init__(self) -> None:
        self._notes: list[tuple[int, int]] = []
        # How many notes on end were the same as the one so many notes before them.
        self._alike = dict.fromkeys(_FIGURES, 0)

    def hear(self, shift: int, pitch: int) -> None:
        """Remember one more note."""
        self._notes.append((shift, pitch))
        for period in _FIGURES:
            again = len(self._notes) > period and self._notes[-1 - period] == (shift, pitch)
            self._alike[period] = self._alike[period] + 1 if again else 0

    def closing(self) -> set[int]:
        """Return the pitches with which the next note could close a circle."""
        return {
            self._notes[-period][1]
            for period, alike in self._alike.items()
            if alike >= period * _TIMES - 1
        }
