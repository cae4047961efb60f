"""Beats of performed music: read from annotations, or found, if they can be found at all.

A performance on MIDI carries a nominal tempo that means nothing: its ticks are not beats. Where an
annotation says when each beat sounds, notes are laid on sixteenths between beats. Where there is
none, beats are tracked (Ellis 2007) and kept only if the notes fall on sixteenths between them far
more often than chance would have it.

References
----------
Ellis, D. P. W. (2007). Beat tracking by dynamic programming. Journal of New Music Research 36(1).
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generator.engine.errors import ScoreError
from generator.engine.tokens.vocabulary import METRES, Metre

CONFIDENCE_NEEDED = 0.5
_FRAMES_PER_S = 50
_SLOWEST_S, _FASTEST_S = 1.5, 0.25
_USUAL_S = 0.6
_TIGHTNESS = 100.0
_OCTAVES_OF_TEMPO = 0.9
_SUBDIVISIONS = 4
_STEADY_BARS = 0.9
_FEWEST_BEATS = 8
_MAX_LINES = 20_000
_SIGNATURE = re.compile(r"[1-9]\d?/(1|2|4|8|16|32)$")


@dataclass(frozen=True)
class Beats:
    """When each beat sounds (s), which beat opens the first bar, and the metre."""

    times_s: np.ndarray
    first_downbeat: int
    metre: Metre

    def steps_at(self, seconds: np.ndarray) -> np.ndarray:
        """Return times as whole steps; the first downbeat is step 0, earlier notes are negative."""
        return np.floor(self.positions_at(seconds) * self.metre.beat + 0.5).astype(np.int64)

    def positions_at(self, seconds: np.ndarray) -> np.ndarray:
        """Return times as beats counted from the first downbeat; beyond the ends tempo goes on."""
        times = self.times_s
        index = np.clip(np.searchsorted(times, seconds, side="right") - 1, 0, len(times) - 2)
        share = (seconds - times[index]) / (times[index + 1] - times[index])
        return index + share - self.first_downbeat


def read_beats(path: Path) -> Beats:
    """Return the beats of an annotation of ASAP (``*_annotations.txt``) or POP909 (``beat_midi``).

    Raises
    ------
    ScoreError
        The file is not such an annotation, or its metre changes.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()[:_MAX_LINES]
        rows = [line.split() for line in lines if line.strip()]
        times = np.array([float(row[0]) for row in rows])
        is_asap = rows[0][2][0] in "bd"
        downbeats = [("db" in row[2]) if is_asap else float(row[2]) > 0 for row in rows]
    except (OSError, ValueError, IndexError, UnicodeDecodeError) as error:
        raise ScoreError(
            f"beats as ASAP or POP909 annotate them were expected in {path.name}, got {error!r}. "
            "Remove the annotation, or take it as it was published."
        ) from error
    if len(times) < _FEWEST_BEATS or np.any(np.diff(times) <= 0) or not any(downbeats):
        raise ScoreError(
            f"eight rising beats with a downbeat were expected in {path.name}. Remove the "
            "annotation, or take it as it was published."
        )
    # A mark may name a metre, a key, or both: "db,4/4,-2", "b,,3".
    signatures = [
        part for row in rows if is_asap for part in row[2].split(",") if _SIGNATURE.match(part)
    ]
    return Beats(times, downbeats.index(True), _metre_of(path, downbeats, signatures))


def find_beats(onsets_s: np.ndarray) -> tuple[Beats | None, float]:
    """Return beats tracked in note onsets, in bars of four, and the confidence 0-1.

    None where the confidence is below `CONFIDENCE_NEEDED`. The bar line is a guess: the beat of
    four on which most notes begin.
    """
    if len(onsets_s) < 4 * _FEWEST_BEATS:
        return None, 0.0
    strength = np.bincount((onsets_s * _FRAMES_PER_S).astype(int)).astype(float)
    strength = np.convolve(np.sqrt(strength), np.hanning(5), mode="same")
    strength /= strength.std()
    times = _tracked(strength, _period(strength)) / _FRAMES_PER_S
    if len(times) < _FEWEST_BEATS:
        return None, 0.0
    beats = Beats(times, 0, METRES[0])
    inside = onsets_s[(onsets_s >= times[0]) & (onsets_s <= times[-1])]
    positions = beats.positions_at(inside)
    confidence = float(np.abs(np.exp(2j * np.pi * _SUBDIVISIONS * positions).mean()))
    if confidence < CONFIDENCE_NEEDED:
        return None, confidence
    on_beat = np.rint(positions[np.abs(positions - np.rint(positions)) < 0.125]).astype(int) % 4
    return Beats(times, int(np.bincount(on_beat, minlength=4).argmax()), METRES[0]), confidence


def _metre_of(path: Path, downbeats: list[bool], signatures: list[str]) -> Metre:
    """Return the metre of an annotation whose bars nearly all have the same number of beats."""
    opened = np.flatnonzero(downbeats)
    sizes = Counter(np.diff(opened).tolist())
    beats, count = sizes.most_common(1)[0] if sizes else (4, 0)
    if count < _STEADY_BARS * max(sum(sizes.values()), 1):
        raise ScoreError(
            f"one metre was expected in {path.name}, got bars of {dict(sizes)} beats. Cut the "
            "piece where the metre changes."
        )
    steps = 4 * beats
    if signatures:
        numerator, denominator = Counter(signatures).most_common(1)[0][0].split("/")
        steps = int(numerator) * 16 // int(denominator)
    metre = Metre(steps, steps // beats)
    if metre not in METRES:
        known = ", ".join(f"{m.steps} steps in beats of {m.beat}" for m in METRES)
        raise ScoreError(
            f"a bar of {known} was expected in {path.name}, got {metre}. Leave the piece out."
        )
    return metre


def _period(strength: np.ndarray) -> int:
    """Return the beat in frames: the lag of the strongest autocorrelation near a usual tempo."""
    centred = strength - strength.mean()
    size = 1 << (2 * len(centred) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(centred, size)) ** 2
    correlation = np.fft.irfft(spectrum)[: int(_SLOWEST_S * _FRAMES_PER_S) + 1]
    lags = np.arange(len(correlation))
    octaves = np.log2(np.maximum(lags, 1) / (_USUAL_S * _FRAMES_PER_S))
    weighted = correlation * np.exp(-0.5 * (octaves / _OCTAVES_OF_TEMPO) ** 2)
    weighted[: int(_FASTEST_S * _FRAMES_PER_S)] = -np.inf
    return int(weighted.argmax())


def _tracked(strength: np.ndarray, period: int) -> np.ndarray:
    """Return the frames of the beats: the chain of strong frames about one period apart."""
    lags = np.arange(period // 2, 2 * period + 1)
    penalty = -_TIGHTNESS * np.log(lags / period) ** 2
    score, before = strength.copy(), np.full(len(strength), -1)
    for frame in range(lags[0], len(strength)):
        reachable = lags[lags <= frame]
        candidates = score[frame - reachable] + penalty[: len(reachable)]
        best = int(candidates.argmax())
        if candidates[best] > 0:
            score[frame] += candidates[best]
            before[frame] = frame - reachable[best]
    frames = [int(score.argmax())]
    while before[frames[-1]] >= 0:
        frames.append(int(before[frames[-1]]))
    return np.array(frames[::-1])
