"""What a composer is asked for, as the vector that steers the network.

The vector holds style weights (5), mode (major, minor), tempo with a flag that it is known,
calmness, density, a flag that anything is asked at all, register, and familiarity; the zero vector
asks for nothing, which is how held-out likelihood is measured and how 15 % of the training
stretches are shown. New conditions come last: a network of an older release reads the first ones.
"""

from collections.abc import Mapping

import numpy as np

from generator.engine.brief import Style

_STYLES = tuple(Style)
N_CONDITIONS = len(_STYLES) + 9
MIDDLE_REGISTER = 72.0
# How much further than the middle a network is asked to go: it follows by less than it is asked.
_CALM_GAIN = 1.6


def condition_vector(
    styles: Mapping[Style, float],
    mode: str,
    tempo_bpm: float,
    calmness: float,
    density: float,
    register: float = MIDDLE_REGISTER,
    familiarity: float = 0.5,
) -> np.ndarray:
    """Return the condition vector, float32, shape (14,).

    Parameters
    ----------
    styles : mapping of Style to float
        Weights that sum to 1; several styles at once ask for a blend.
    mode : str
        "major" or "minor".
    tempo_bpm : float
        NaN where the tempo is unknown.
    calmness : float
        0-1, rank among the training stretches.
    density : float
        Onsets per quarter note.
    register : float
        Mean MIDI pitch of the melody, the tonic moved to C.
    familiarity : float
        0-1, share of the notes that the piece's own past foretells.
    """
    vector = np.zeros(N_CONDITIONS, dtype=np.float32)
    for index, style in enumerate(_STYLES):
        vector[index] = styles.get(style, 0.0)
    at = len(_STYLES)
    vector[at + (mode == "minor")] = 1.0
    if np.isfinite(tempo_bpm):
        vector[at + 2], vector[at + 3] = (tempo_bpm - 90.0) / 60.0, 1.0
    vector[at + 4] = 2.0 * calmness - 1.0
    vector[at + 5] = np.log2(max(density, 0.1)) / 2.0
    vector[at + 6] = 1.0
    vector[at + 7] = (register - MIDDLE_REGISTER) / 12.0
    vector[at + 8] = 2.0 * familiarity - 1.0
    return vector


def asked_calmness(calmness: float) -> float:
    """Return the calmness to ask a network for, so that what is heard ranks as what is wanted.

    Music that is asked for the calmness of a stretch comes out nearer to the middle than the
    stretch was. The value may lie a little outside 0-1.
    """
    return 0.5 + _CALM_GAIN * (calmness - 0.5)
