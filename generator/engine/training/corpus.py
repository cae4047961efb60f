"""What is learnt from: pieces as note events, and the files they come from."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from generator.engine.brief import Style
from generator.engine.tokens.vocabulary import Metre

SPLITS = ("train", "valid", "test")


@dataclass
class Piece:
    """One stretch of music in one metre.

    `events` uint8 (n, 5); `predicted` and `match` as `copy_predictions` gives them; `tempo_bpm` is
    NaN where the source states no tempo.
    """

    name: str
    style: Style
    split: str
    metre: Metre
    mode: str
    tempo_bpm: float
    events: np.ndarray
    predicted: np.ndarray
    match: np.ndarray
    calm: bool = False

    @property
    def onsets(self) -> np.ndarray:
        """The onset of each event in steps."""
        return np.cumsum(self.events[:, 0], dtype=np.int64)

    def role(self, index: int) -> np.ndarray:
        """Return (onset, pitch, duration bin) rows of one role."""
        chosen = self.events[:, 1] == index
        return np.column_stack([self.onsets, self.events[:, 2], self.events[:, 3]])[chosen]


@dataclass
class Corpus:
    """All pieces that could be read, and how many files could not, by reason."""

    pieces: list[Piece]
    dropped: Counter[str] = field(default_factory=Counter)
    n_files: int = 0

    def split(self, name: str) -> list[Piece]:
        """Return the pieces of one split: train, valid or test."""
        return [piece for piece in self.pieces if piece.split == name]


@dataclass(frozen=True)
class Source:
    """One file to read, with what its collection says of it.

    `work` names the music, so that other versions of it fall into the same split; `split` is empty
    where the collection has none; `beats` is an annotation of beats; `performed` says that ticks
    may not be beats, so that beats may be looked for.
    """

    path: Path
    style: Style
    split: str
    tempo_bpm: float
    calm: bool
    work: str = ""
    beats: Path | None = None
    performed: bool = False
