"""Several listeners that hear one piece, each asked for another style, and speak as one.

What each foretells is mixed geometrically by weight, ``log p = sum_s w_s log p_s - log Z``: a note
must please every style in its measure. One listener alone is passed through untouched, so that the
corners of a blend are the single styles, to the bit.
"""

from collections.abc import Callable, Sequence

import numpy as np

from generator.engine.networks.incremental import Listener

Chain = tuple[np.ndarray, ...]


class BlendedListener:
    """Hears a piece once for each style; the methods are those of `Listener`.

    Parameters
    ----------
    new_listener : callable
        Makes a listener that is asked for nothing.
    weights : sequence of float
        One for each style, summing to 1.
    """

    def __init__(self, new_listener: Callable[[], Listener], weights: Sequence[float]) -> None:
        self._listeners = [new_listener() for _ in weights]
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
        shares = (listener.copy_share(match, familiarity) for listener in self._listeners)
        return sum(w * share for w, share in zip(self._weights, shares, strict=True))

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
            listener.log_distribution(own, chosen, guess, match, familiarity)
            for listener, own in zip(self._listeners, chain, strict=True)
        ]
        if len(told) == 1:
            return told[0]
        mixed = sum(w * log_p for w, log_p in zip(self._weights, told, strict=True))
        return mixed - np.logaddexp.reduce(mixed)
