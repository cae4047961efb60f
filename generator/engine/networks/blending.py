"""Several listeners that hear one piece, each asked for another style, and speak as one.

What each foretells is mixed geometrically by weight, ``log p = sum_s w_s log p_s - log Z``: a note
must please every style in its measure. One voice alone is passed through untouched, so that the
corners of a blend are the single styles, to the bit. Who has no weight hears and is silent.
"""

from collections.abc import Callable, Sequence

import numpy as np

from generator.engine.networks.incremental import Listener

Chain = tuple[np.ndarray, ...]


class BlendedListener:
    """Hears a piece with each listener; the methods are those of `Listener`.

    Parameters
    ----------
    makers : sequence of callable
        Each makes a listener that is asked for nothing.
    weights : sequence of float
        One for each listener, summing to 1.

    Attributes
    ----------
    voices : tuple of int
        Which listeners speak.
    """

    def __init__(self, makers: Sequence[Callable[[], Listener]], weights: Sequence[float]) -> None:
        self._listeners = [new_listener() for new_listener in makers]
        self.weigh(weights)

    def weigh(self, weights: Sequence[float]) -> None:
        """Change how much each listener says from the next event on."""
        pairs = zip(self._listeners, weights, strict=True)
        self.voices = tuple(index for index, (_, weight) in enumerate(pairs) if weight > 0)
        self._weights = list(weights)

    @property
    def state(self) -> Chain:
        """What each listener foretells the next event from."""
        return tuple(listener.state for listener in self._listeners)

    def ask_for(self, conditions: Sequence[np.ndarray]) -> None:
        """Change what is asked of each listener from the next event on."""
        for listener, asked in zip(self._listeners, conditions, strict=True):
            listener.ask_for(asked)

    def hear(
        self,
        event: tuple[int, ...],
        position: int,
        phrase: int,
        *,
        opens_beat: bool,
        opens_bar: bool,
    ) -> None:
        """Let all take in one event."""
        for listener in self._listeners:
            listener.hear(event, position, phrase, opens_beat=opens_beat, opens_bar=opens_bar)

    def chained(self, field: int, chain: Chain, value: int, position: int | None = None) -> Chain:
        """Return the chain after a field has been chosen."""
        return tuple(
            listener.chained(field, own, value, position)
            for listener, own in zip(self._listeners, chain, strict=True)
        )

    def copy_share(self, match: int, familiarity: float = 0.0) -> np.ndarray:
        """Return the share of the copy head for each field, the mean by weight."""
        return sum(
            self._weights[voice] * self._listeners[voice].copy_share(match, familiarity)
            for voice in self.voices
        )

    def log_distribution(
        self,
        chain: Chain,
        chosen: tuple[int, ...],
        guess: tuple[int, ...] | None = None,
        match: int = 0,
        familiarity: float = 0.0,
    ) -> np.ndarray:
        """Return log p of each value of the next field of the event to come."""
        told = [
            self._listeners[voice].log_distribution(chain[voice], chosen, guess, match, familiarity)
            for voice in self.voices
        ]
        if len(told) == 1:
            return told[0]
        weights = [self._weights[voice] for voice in self.voices]
        mixed = sum(w * log_p for w, log_p in zip(weights, told, strict=True))
        return mixed - np.logaddexp.reduce(mixed)
