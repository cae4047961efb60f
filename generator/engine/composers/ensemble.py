"""Who plays a piece: one network that is asked for a blend, or one for each style, and who speaks.

Lee (2023) trains a network a genre, and a second that fuses what they propose with the listener's
weights, drawing by chance in both. Here the second is the network of all genres, asked for the
blend; it hears the motifs as all that was composed.

References
----------
Lee, M. (2023). Supervised fusion music composition through long short-term memory and stochastic
modelling. Journal of Student Research 12(4).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from generator.engine.brief import Style
from generator.engine.networks.blending import BlendedListener
from generator.engine.networks.incremental import Listener

NewListener = Callable[[], Listener]
Conditions = Callable[[Mapping[Style, float]], np.ndarray]


class Fusion(StrEnum):
    """How several styles become one music.

    `embedding` asks one stream for the blend; `logit` mixes one stream a style, exact where one
    style has all the weight, at so many times the cost; `two_phase`, as Lee has it, lets each new
    theme begin with a motif of one style, drawn by weight, and the blend go on from it.
    """

    EMBEDDING = "embedding"
    LOGIT = "logit"
    TWO_PHASE = "two_phase"


@dataclass(frozen=True)
class Players:
    """The networks there are: one of all styles, and those of one style each, made when needed.

    A style without a network of its own is played by that of all styles, asked for it.
    """

    fusing: NewListener
    genres: Mapping[Style, NewListener] = field(default_factory=dict)

    def of(self, style: Style) -> NewListener:
        """Return what makes a listener of a style."""
        return self.genres.get(style, self.fusing)


class Ensemble:
    """The listeners of one piece: all hear it, and in each phrase those with weight speak.

    Parameters
    ----------
    players : Players
    styles : mapping of Style to float
        The listener's weights; styles without weight are left out.
    fusion : Fusion
    """

    def __init__(self, players: Players, styles: Mapping[Style, float], fusion: Fusion) -> None:
        self._fusion = fusion
        self._styles = {style: weight for style, weight in styles.items() if weight > 0}
        alone = [{style: 1.0} for style in self._styles]
        makers, self._asked = [players.fusing], [dict(self._styles)]
        if fusion is Fusion.LOGIT:
            makers, self._asked = [players.of(style) for style in self._styles], alone
        elif fusion is Fusion.TWO_PHASE:
            makers += [players.of(style) for style in self._styles]
            self._asked += alone
        self.listener = BlendedListener(makers, self._shares())

    def enter(
        self, conditions: Conditions, rng: np.random.Generator, *, begins_theme: bool
    ) -> None:
        """Ask for what a phrase shall be, and say who speaks in it.

        Parameters
        ----------
        conditions : callable
            Makes the condition vector of the phrase from style weights.
        rng : numpy.random.Generator
            Draws the style of a motif.
        begins_theme : bool
        """
        self.listener.ask_for([conditions(styles) for styles in self._asked])
        if self._fusion is not Fusion.TWO_PHASE:
            return
        shares = self._shares()
        if begins_theme:
            p = np.array(list(self._styles.values()))
            shares = [0.0] * len(shares)
            shares[1 + int(rng.choice(len(p), p=p / p.sum()))] = 1.0
        self.listener.weigh(shares)

    def _shares(self) -> list[float]:
        """Return who speaks where no motif is drawn."""
        if self._fusion is Fusion.LOGIT:
            return list(self._styles.values())
        return [1.0] + [0.0] * (len(self._asked) - 1)
