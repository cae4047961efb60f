"""Pitch: how many notes lie in the key, how even the pitch classes are, how corpora differ."""

import numpy as np

from generator.engine.score.notes import Score
from generator.engine.score.scales import scale_mask

_ADDED = 1e-6


def in_key_rate(score: Score) -> float:
    """Return the share of notes in the score's own key and mode, all parts; NaN without notes."""
    classes = np.array([note.pitch % 12 for part in score.parts for note in part.notes])
    if not len(classes):
        return float("nan")
    return float(scale_mask(score.tonic, score.mode)[classes].mean())


def pitch_class_entropy(pitches: np.ndarray) -> float:
    """Return the entropy of the pitch classes in bits, 0 to log2(12)."""
    counts = np.bincount(np.asarray(pitches) % 12, minlength=12).astype(float)
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum())


def pitch_divergence(pitches: np.ndarray, reference: np.ndarray) -> float:
    """Return KL(pitches || reference) over 128 MIDI pitches, nats; compare equal numbers of notes.

    A single human song lies about 1.1 nats from its own corpus; two halves of a corpus 0.02.
    """
    p, q = (
        np.bincount(np.asarray(values), minlength=128) + _ADDED for values in (pitches, reference)
    )
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())
