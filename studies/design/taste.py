"""What the next nights sound like: what a listener stated, and how they rated the nights they had.

The same rule for every music arm; it knows no composer. A night has a *sound*: its leading style
(the heaviest; of equals the first by name), its instrument and its mode.

The rule
--------
1. Stated weights are multiplied, rating by rating in the order of the nights, by
   ``1 + gain * share``, where ``share`` is the weight the style had on the rated night and ``gain``
   0.25 for *calming*, 0.10 for *liked*. No weight leaves the range of a quarter to four times what
   was stated; then they are scaled to sum to 1. A style that was not stated never comes in.
2. A night rated *never again* bars its sound. A night whose sound is barred takes the first that is
   not, trying in this order: another of the stated styles in the lead (its weight changes places
   with the leader's), then the next instrument, then the other mode.
3. Where everything is barred, the oldest bar falls first.

Tempo and bed are as stated: no rating speaks of them.

Numbers 1 and 2 are design decisions. Preference is what the literature agrees on (62 % of those who
use music to sleep choose their own: Trahan et al. 2018, PLOS ONE 13(11), e0206531); no study says
how fast a listener's taste should be followed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from generator.engine.brief import Instrument, Mode

GAINS = {"calming": 0.25, "liked": 0.10, "never_again": 0.0}
WEIGHT_RANGE = 4.0


class Rating(StrEnum):
    """What a listener says of a night."""

    CALMING = "calming"
    LIKED = "liked"
    NEVER_AGAIN = "never_again"


@dataclass(frozen=True, slots=True)
class Sound:
    """What a night is recognised by: leading style, instrument, mode."""

    style: str
    instrument: str
    mode: str


@dataclass(frozen=True, slots=True)
class Taste:
    """How a night shall sound; weights of styles sum to 1, tempo in quarter notes a minute."""

    styles: Mapping[str, float]
    instrument: str
    mode: str
    tempo_bpm: float
    bed: str

    @property
    def sound(self) -> Sound:
        """What this taste is recognised by."""
        leader = min(self.styles, key=lambda name: (-self.styles[name], name))
        return Sound(leader, self.instrument, self.mode)


@dataclass(frozen=True, slots=True)
class RatedNight:
    """A night that was rated, and the taste it was made for."""

    taste: Taste
    rating: Rating


def taste_of_the_next_night(stated: Taste, rated: Sequence[RatedNight]) -> Taste:
    """Return how the next night shall sound.

    Parameters
    ----------
    stated : Taste
        What the listener stated, within what the protocol lets pass.
    rated : sequence of RatedNight
        In the order of the nights.
    """
    liked = replace(stated, styles=_weighed(stated.styles, rated))
    barred = [night.taste.sound for night in rated if night.rating == Rating.NEVER_AGAIN]
    for n_fallen in range(len(barred) + 1):
        standing = set(barred[n_fallen:])
        for taste in _in_order(liked):
            if taste.sound not in standing:
                return taste
    return liked


def _weighed(stated: Mapping[str, float], rated: Sequence[RatedNight]) -> dict[str, float]:
    weights = dict(stated)
    for night in rated:
        gain = GAINS[night.rating]
        for name, share in night.taste.styles.items():
            if name in weights:
                raised = weights[name] * (1.0 + gain * share)
                highest = WEIGHT_RANGE * stated[name]
                weights[name] = min(highest, max(stated[name] / WEIGHT_RANGE, raised))
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def _in_order(taste: Taste) -> Iterator[Taste]:
    for mode in _from(Mode, taste.mode):
        for instrument in _from(Instrument, taste.instrument):
            for styles in _with_each_in_the_lead(taste.styles):
                yield replace(taste, styles=styles, instrument=instrument, mode=mode)


def _from(names: type[StrEnum], first: str) -> list[str]:
    """Return all names in their order, beginning with one of them."""
    values = [name.value for name in names]
    start = values.index(first)
    return values[start:] + values[:start]


def _with_each_in_the_lead(styles: Mapping[str, float]) -> Iterator[dict[str, float]]:
    by_weight = sorted(styles, key=lambda name: (-styles[name], name))
    leader = by_weight[0]
    for name in by_weight:
        swapped = {**styles, name: styles[leader], leader: styles[name]}
        # Equal weights have no leader but the name; a hair makes it the one that is tried.
        if name != leader and styles[name] == styles[leader]:
            swapped = _nudged(swapped, name)
        yield swapped


def _nudged(styles: Mapping[str, float], name: str) -> dict[str, float]:
    raised = {**styles, name: styles[name] * 1.05}
    total = sum(raised.values())
    return {key: weight / total for key, weight in raised.items()}
