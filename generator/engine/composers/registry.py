"""The one place that knows all composers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from generator.engine.brief import ComposerName
from generator.engine.composers import genetic, markov
from generator.engine.composers.composer import Composer
from generator.engine.composers.engines import Engine
from generator.engine.composers.genetic import load_genetic
from generator.engine.composers.lstm_acm import Fusion, Settings, load_lstm_acm
from generator.engine.composers.markov import load_markov
from generator.engine.composers.releases import WEIGHTS
from generator.engine.errors import BriefError

_LOADERS: Mapping[ComposerName, Callable[[Path, Engine], Composer]] = MappingProxyType(
    {
        ComposerName.LSTM_ACM: lambda weights, engine: load_lstm_acm(
            weights, Settings(engine=engine)
        ),
        ComposerName.MARKOV: lambda weights, _engine: load_markov(weights),
        ComposerName.GENETIC: lambda weights, _engine: load_genetic(weights),
        ComposerName.FUSION: lambda weights, engine: load_lstm_acm(
            weights, Settings(fusion=Fusion.TWO_PHASE, engine=engine), ComposerName.FUSION
        ),
    }
)
_PLAIN: Mapping[str, Callable[[Path], Composer]] = MappingProxyType(
    {
        "markov, plain": lambda weights: load_markov(weights, markov.PLAIN),
        "genetic, plain": lambda weights: load_genetic(weights, genetic.PLAIN),
    }
)


def plain_composers(weights: Path = WEIGHTS) -> dict[str, Composer]:
    """Return the paper's comparators as it has them; they are measured and never serve a listener.

    Raises
    ------
    CheckpointError
        A release is missing, damaged, or belongs to another vocabulary.
    """
    return {name: loader(weights) for name, loader in _PLAIN.items()}


def composer_for(
    name: ComposerName, weights: Path = WEIGHTS, engine: Engine = Engine.NUMPY
) -> Composer:
    """Return the composer of that name, its release verified; loaded once a process.

    The engine is what runs its network, where it has one.

    Raises
    ------
    BriefError
        No composer has that name.
    CheckpointError
        Its release is missing, damaged, or belongs to another vocabulary.
    EngineUnavailable
        The engine is not installed.
    """
    loader = _LOADERS.get(name)
    if loader is None:
        raise BriefError(
            f"one of {', '.join(_LOADERS)} was expected, got {name!r}. Correct the brief."
        )
    return loader(weights, engine)
