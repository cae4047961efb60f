"""What a night is like, in numbers that can be set against outcomes.

Tempo, density, pitch and touch come from the score and its performance, which are exact; only the
colour and the loudness of the sound are measured on the sound.

Conventions
-----------
tempo           quarter notes a minute as played, i.e. with the performance's stretch
per minute      note onsets, chords counted note by note, over the minutes until the music has ended
slope           change an hour of the straight line through all values (least squares)

References
----------
Krumhansl (1990), Cognitive Foundations of Musical Pitch: the key profiles behind `key_clarity`.
EBU Tech 3342 (2016): loudness range, here from momentary loudness averaged over three seconds.
"""

import numpy as np

from generator.engine.audio.loudness import HOP_S
from generator.engine.audio.notation import repetition
from generator.engine.audio.performance import Performance
from generator.engine.audio.profile import SAMPLE_RATE_HZ, Timeline
from generator.engine.audio.quality import Measurements, spectral_features
from generator.engine.metrics.melody import interval_shares
from generator.engine.metrics.pitch import pitch_class_entropy
from generator.engine.score.clock import Clock
from generator.engine.score.notes import Role, Score
from generator.engine.score.scales import key_clarity

_MIDDLE_C = 60
_SHORT_TERM_S = 3.0
_RANGE_GATE_LU = -20.0


def features(
    score: Score,
    performance: Performance,
    measured: Measurements,
    timeline: Timeline,
    gain_db: float,
) -> dict[str, float]:
    """Return the features of one rendering by name; levels are those of the finished file."""
    values = {
        **_tempo(score, performance, timeline),
        **_notes(score, performance, timeline),
        **_melody(score, performance),
        **_harmony(performance),
        **spectral_features(measured),
        **_loudness(measured, timeline, gain_db),
        "spectral_flux": measured.flux,
        "stereo_correlation": measured.stereo_correlation,
    }
    return {name: round(float(value), 4) for name, value in values.items()}


def loudness_curve(measured: Measurements, gain_db: float) -> list[float]:
    """Return the mean loudness of each minute of the finished file, LUFS, one decimal."""
    size = round(60.0 / HOP_S)
    minutes = range(0, len(measured.momentary_lufs), size)
    return [
        round(_mean_lufs(measured.momentary_lufs[start : start + size]) + gain_db, 1)
        for start in minutes
    ]


def _tempo(score: Score, performance: Performance, timeline: Timeline) -> dict[str, float]:
    clock = Clock(score.tempo)
    end_s = timeline.music_end / SAMPLE_RATE_HZ / performance.stretch
    starts_s = np.array([min(clock.seconds(mark.onset), end_s) for mark in score.tempo] + [end_s])
    lengths_s = np.diff(starts_s)
    bpm = np.array([mark.bpm for mark in score.tempo]) / performance.stretch
    middles_s = (starts_s[:-1] + lengths_s / 2) * performance.stretch
    return {
        "tempo_mean_bpm": np.average(bpm, weights=lengths_s),
        "tempo_start_bpm": bpm[0],
        "tempo_end_bpm": bpm[lengths_s > 0][-1],
        "tempo_slope_bpm_per_h": _slope_per_h(middles_s, bpm, lengths_s),
    }


def _notes(score: Score, performance: Performance, timeline: Timeline) -> dict[str, float]:
    minutes = timeline.music_end / SAMPLE_RATE_HZ / 60
    pitches = np.array([note.pitch for note in performance.notes])
    onsets_s = np.array([note.onset_s for note in performance.notes])
    lengths_s = np.array([note.offset_s - note.onset_s for note in performance.notes])
    velocities = 127 * np.array([note.loudness for note in performance.notes])
    melody = sum(len(part.notes) for part in score.parts if part.role is Role.MELODY)
    a_minute, _ = np.histogram(onsets_s, bins=max(int(minutes), 1), range=(0.0, 60 * minutes))
    middles_s = (np.arange(len(a_minute)) + 0.5) * 60 * minutes / len(a_minute)
    return {
        "notes_per_minute": len(pitches) / minutes,
        "density_slope_per_h": _slope_per_h(middles_s, a_minute * len(a_minute) / minutes),
        "melody_share": melody / score.n_notes,
        "pitch_mean": np.average(pitches, weights=lengths_s),
        "pitch_p5": np.percentile(pitches, 5),
        "pitch_p95": np.percentile(pitches, 95),
        "share_below_c4": np.average(pitches < _MIDDLE_C, weights=lengths_s),
        "velocity_mean": velocities.mean(),
        "velocity_sd": velocities.std(),
        "velocity_slope_per_h": _slope_per_h(onsets_s, velocities),
        "note_length_median_s": np.median(lengths_s),
        "polyphony": lengths_s.sum() / (60 * minutes),
    }


def _melody(score: Score, performance: Performance) -> dict[str, float]:
    notes = sorted(
        (note for part in score.parts if part.role is Role.MELODY for note in part.notes),
        key=lambda note: (note.onset, note.pitch),
    )
    if len(notes) < 2:
        return {}
    clock = Clock(score.tempo)
    pitches = np.array([note.pitch for note in notes])
    onsets_s = performance.stretch * np.array([clock.seconds(note.onset) for note in notes])
    apart = np.maximum(np.diff([note.onset for note in notes]), 1)
    shares = interval_shares(pitches)
    return {
        "melody_step_share": shares["steps"],
        "melody_leap_share": shares["leaps"],
        "melody_interval_mean": np.abs(np.diff(pitches)).mean(),
        "melody_ioi_median_s": np.median(np.diff(onsets_s)),
        "melody_articulation": np.median([note.duration for note in notes[:-1]] / apart),
        "repetition_4": repetition(np.diff(pitches), 4),
    }


def _harmony(performance: Performance) -> dict[str, float]:
    pitches = np.array([note.pitch for note in performance.notes])
    lengths_s = np.array([note.offset_s - note.onset_s for note in performance.notes])
    sounding = np.bincount(pitches % 12, weights=lengths_s, minlength=12)
    return {
        "pitch_class_entropy_bit": pitch_class_entropy(pitches),
        "key_clarity": key_clarity(sounding),
    }


def _loudness(measured: Measurements, timeline: Timeline, gain_db: float) -> dict[str, float]:
    curve = measured.momentary_lufs[: round(timeline.fade_out_start / SAMPLE_RATE_HZ / HOP_S)]
    ninth = max(round(timeline.n_samples / SAMPLE_RATE_HZ / HOP_S) // 9, 1)
    return {
        "loudness_lufs": measured.integrated_lufs + gain_db,
        "loudness_range_lu": _loudness_range(curve),
        "decline_lu": _mean_lufs(curve[:ninth]) - _mean_lufs(curve[-ninth:]),
    }


def _loudness_range(momentary_lufs: np.ndarray) -> float:
    size = round(_SHORT_TERM_S / HOP_S)
    if len(momentary_lufs) < size:
        return 0.0
    powers = np.convolve(10 ** (momentary_lufs / 10), np.full(size, 1 / size), mode="valid")
    short_lufs = 10 * np.log10(np.maximum(powers, 1e-12))
    gate = 10 * np.log10(max(powers.mean(), 1e-12)) + _RANGE_GATE_LU
    low, high = np.percentile(short_lufs[short_lufs >= gate], [10, 95])
    return float(high - low)


def _mean_lufs(momentary_lufs: np.ndarray) -> float:
    return (
        float(10 * np.log10(np.mean(10 ** (momentary_lufs / 10)))) if len(momentary_lufs) else 0.0
    )


def _slope_per_h(
    times_s: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None
) -> float:
    weights = np.ones(len(values)) if weights is None else weights
    centred = times_s - np.average(times_s, weights=weights)
    spread = float((weights * centred**2).sum())
    return 3600.0 * float((weights * centred * values).sum()) / spread if spread else 0.0
