"""What a note event can say: the five fields, their sizes, and the hash that binds a checkpoint.

An event is one note: ``(shift, role, pitch, duration, velocity)``, five small whole numbers.

shift      0-32 steps since the onset of the event before
role       index into `ROLES`
pitch      0-87, MIDI pitch minus 21, after the piece was moved to a tonic of C by -5 ... +6
duration   index into `DURATION_STEPS`: every length up to 16 steps, then widening bins to 64
velocity   index into `VELOCITY_CENTRES`

Metrical position and bar in phrase are computed from the shifts, not told.
"""

import hashlib
import json
from typing import NamedTuple

import numpy as np

from generator.engine.score.notes import Role

FIELDS = ("shift", "role", "pitch", "duration", "velocity")
ROLES = (Role.MELODY, Role.INNER, Role.BASS, Role.PAD)
SHIFT_MAX = 32
PITCH_LOWEST, N_PITCHES = 21, 88
DURATION_STEPS = np.array([*range(1, 17), 20, 24, 28, 32, 40, 48, 56, 64])
VELOCITY_CENTRES = np.array([8, 24, 40, 56, 72, 88, 104, 120])
SIZES = (SHIFT_MAX + 1, len(ROLES), N_PITCHES, len(DURATION_STEPS), len(VELOCITY_CENTRES))
BARS_PER_PHRASE = 8


class Metre(NamedTuple):
    """A bar of `steps` sixteenths in which `beat` sixteenths make one felt beat."""

    steps: int
    beat: int


METRES = (
    Metre(16, 4),
    Metre(12, 4),
    Metre(8, 4),
    Metre(12, 6),
    Metre(6, 6),
    Metre(18, 6),
    Metre(24, 6),
    Metre(24, 4),
)
_FIRST_POSITION = dict(zip(METRES, np.cumsum([0, *(m.steps for m in METRES)])[:-1], strict=True))
N_POSITIONS = sum(metre.steps for metre in METRES)


def position_ids(onsets: np.ndarray, metre: Metre) -> np.ndarray:
    """Return the metrical position of each onset as one id per (metre, step in the bar)."""
    return _FIRST_POSITION[metre] + np.asarray(onsets) % metre.steps


def landing_ids(metre: Metre) -> np.ndarray:
    """Return the position id that each shift leads to from each step, shape (steps, 33)."""
    steps = np.arange(metre.steps)[:, None]
    return position_ids(steps + np.arange(SHIFT_MAX + 1), metre)


def phrase_ids(onsets: np.ndarray, metre: Metre) -> np.ndarray:
    """Return which of the eight bars of its phrase each onset lies in."""
    return np.asarray(onsets) // metre.steps % BARS_PER_PHRASE


def vocabulary_hash() -> str:
    """Return 16 hex digits that change whenever a token would mean something else."""
    described = {
        "fields": FIELDS,
        "sizes": SIZES,
        "roles": [role.value for role in ROLES],
        "pitch_lowest": PITCH_LOWEST,
        "durations": DURATION_STEPS.tolist(),
        "velocities": VELOCITY_CENTRES.tolist(),
        "metres": METRES,
        "bars_per_phrase": BARS_PER_PHRASE,
    }
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
