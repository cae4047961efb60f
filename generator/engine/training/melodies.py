"""Melodies alone: the corpus on which published figures of next-note prediction stand.

The melody of each piece becomes a piece of its own: one role, shifts counted from melody note to
melody note, long rests closed by whole bars, the copy memory's guesses made anew.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from generator.engine.tokens.copying import copy_predictions
from generator.engine.tokens.quantisation import close_gaps
from generator.engine.training.corpus import Corpus, Piece

FEWEST_NOTES = 32
_MELODY = 0


def melody_alone(piece: Piece) -> Piece:
    """Return the melody of a piece as a piece; of notes that begin together, the highest."""
    chosen = piece.events[:, 1] == _MELODY
    events, onsets = piece.events[chosen], piece.onsets[chosen]
    # Events lie in order of pitch where they begin together.
    highest = np.diff(onsets, append=np.iinfo(np.int64).max) > 0
    events, onsets = events[highest].copy(), onsets[highest]
    if len(onsets):
        onsets = close_gaps(onsets, piece.metre.steps)
        onsets -= onsets[0] // piece.metre.steps * piece.metre.steps
    events[:, 0] = np.diff(onsets, prepend=0)
    predicted, match = copy_predictions(events)
    return replace(piece, events=events, predicted=predicted, match=match)


def melodies_of(corpus: Corpus) -> Corpus:
    """Return the corpus of the melodies that have 32 notes or more."""
    return Corpus(_long_enough(map(melody_alone, corpus.pieces)), corpus.dropped, corpus.n_files)


def _long_enough(pieces: Iterable[Piece]) -> list[Piece]:
    return [piece for piece in pieces if len(piece.events) >= FEWEST_NOTES]
