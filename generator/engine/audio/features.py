"""What a night is like, in numbers that can be set against outcomes.

Tempo, density, pitch and touch come from the score and its performance, which are exact; only the
colour of the sound is measured on the sound.

Conventions
-----------
tempo           quarter notes a minute as played, i.e. with the performance's stretch
per minute      note onsets, chords counted note by note, over the minutes until the music has ended
"""

import numpy as np

from generator.engine.audio.performance import Performance
from generator.engine.audio.profile import SAMPLE_RATE_HZ, Timeline
from generator.engine.audio.quality import Measurements, spectral_features
from generator.engine.score.clock import Clock
from generator.engine.score.notes import Role, Score


def features(
    score: Score, performance: Performance, measured: Measurements, timeline: Timeline
) -> dict[str, float]:
    """Return the features of one rendering by name."""
    values = {
        **_tempo(score, performance, timeline),
        **_notes(score, performance, timeline),
        **spectral_features(measured),
        "stereo_correlation": measured.stereo_correlation,
    }
    return {name: round(float(value), 4) for name, value in values.items()}


def _tempo(score: Score, performance: Performance, timeline: Timeline) -> dict[str, float]:
    clock = Clock(score.tempo)
    end_s = timeline.music_end / SAMPLE_RATE_HZ / performance.stretch
    starts_s = np.array([min(clock.seconds(mark.onset), end_s) for mark in score.tempo] + [end_s])
    lengths_s = np.diff(starts_s)
    bpm = np.array([mark.bpm for mark in score.tempo]) / performance.stretch
    return {
        "tempo_mean_bpm": np.average(bpm, weights=lengths_s),
        "tempo_start_bpm": bpm[0],
        "tempo_end_bpm": bpm[lengths_s > 0][-1],
    }


def _notes(score: Score, performance: Performance, timeline: Timeline) -> dict[str, float]:
    minutes = timeline.music_end / SAMPLE_RATE_HZ / 60
    pitches = np.array([note.pitch for note in performance.notes])
    lengths_s = np.array([note.offset_s - note.onset_s for note in performance.notes])
    melody = sum(len(part.notes) for part in score.parts if part.role is Role.MELODY)
    return {
        "notes_per_minute": len(pitches) / minutes,
        "melody_share": melody / score.n_notes,
        "pitch_mean": np.average(pitches, weights=lengths_s),
        "pitch_p5": np.percentile(pitches, 5),
        "pitch_p95": np.percentile(pitches, 95),
        "velocity_mean": 127 * np.mean([note.loudness for note in performance.notes]),
        "velocity_sd": 127 * np.std([note.loudness for note in performance.notes]),
        "note_length_median_s": np.median(lengths_s),
    }
