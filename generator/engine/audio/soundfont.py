"""Sampled instruments: timed notes through FluidSynth, streamed in the same chunks as the voices.

Every instrument of a SoundFont has a loudness of its own. Before the first note each pitch in use
is struck once and heard for a second, and the hands make up for what differs from the built-in
voices; so the balance of a score, its decline and its evenness (see `balance`) hold here too.

Conventions
-----------
FluidSynth's amplitude grows with the square of the velocity (SoundFont 2.04, section 8.4.2).
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pretty_midi
from scipy.signal import butter, sosfilt

from generator.engine.audio import fluidsynth
from generator.engine.audio.loudness import k_weighting
from generator.engine.audio.performance import TimedNote
from generator.engine.audio.profile import CHUNK_SAMPLES, PROFILE, SAMPLE_RATE_HZ
from generator.engine.audio.refusals import PinUnmet
from generator.engine.audio.synthesis import HEADROOM
from generator.engine.audio.voices import voice_for_program
from generator.engine.brief import RendererPin

RENDERER = "fluidsynth"
FOLDERS = (
    Path("/usr/share/sounds/sf2"),
    Path("/usr/share/sounds/sf3"),
    Path("/usr/share/soundfonts"),
    Path.home() / ".local/share/soundfonts",
)
# The small one that comes with pretty_midi: a last resort, not a sound to plan a study with.
BUNDLED = Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"

_TRIAL_VELOCITY, _TRIAL_S = 80, 1.0
_TYPICAL_VELOCITY = 64
_SETTLE_S = 0.05
# By 6 dB an octave, nights of FluidR3_GM with piano, guitar or vibraphone were too bright for the
# line of the profile's tilt (-5.3 to -6.0 dB an octave, at most -6); by 24, they have -7.3 or less.
_FELT_HZ, _FELT_ORDER = 2500.0, 4
# Goes up when the samples are treated otherwise than before, like the built-in renderer's version.
_TREATMENT = 2


class SoundFontRenderer:
    """FluidSynth with one SoundFont.

    Parameters
    ----------
    path : Path
        An .sf2 or .sf3 file.

    Raises
    ------
    PinUnmet
        The file is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pin = RendererPin(
            renderer=RENDERER,
            version=f"{fluidsynth.version()}+{_TREATMENT}",
            profile=PROFILE,
            chunk_samples=CHUNK_SAMPLES,
            soundfont_sha256=soundfont_sha256(path),
        )

    def synthesise(self, notes: Sequence[TimedNote], n_samples: int) -> Iterator[np.ndarray]:
        """Yield the dry sound in chunks of five seconds, float32, shape (n, 2).

        Raises
        ------
        PinUnmet
            FluidSynth is missing or cannot read the SoundFont.
        """
        programs = sorted({note.program for note in notes})
        with fluidsynth.Synth(self.path, programs) as synth:
            for program in programs:
                pans = [note.pan for note in notes if note.program == program]
                synth.place(program, float(np.mean(pans)))
            velocities, scale = _velocities(synth, notes)
            events = _events(notes, velocities)
            yield from _felted(_played(synth, events, n_samples, scale))


def _felted(chunks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the chunks through a low-pass: samples hiss, and their hammers are hard."""
    felt = butter(_FELT_ORDER, _FELT_HZ, fs=SAMPLE_RATE_HZ, output="sos")
    state = np.zeros((len(felt), 2, 2))
    for chunk in chunks:
        softened, state = sosfilt(felt, chunk, axis=0, zi=state)
        yield softened.astype(np.float32)


def usable_soundfonts() -> list[Path]:
    """Return the SoundFonts of this machine, the bundled one last; none without FluidSynth."""
    if fluidsynth.library() is None:
        return []
    found: dict[Path, None] = {}
    for folder in FOLDERS:
        for path in sorted([*folder.glob("*.sf2"), *folder.glob("*.sf3")]):
            found[path.resolve()] = None
    found[BUNDLED] = None
    return [path for path in found if path.is_file()]


def soundfont_by_hash(sha256: str) -> Path:
    """Return the SoundFont of this machine with a SHA-256.

    Raises
    ------
    PinUnmet
        None has it, or there is no FluidSynth to play it.
    """
    paths = usable_soundfonts()
    for path in paths:
        if soundfont_sha256(path) == sha256:
            return path
    found = ", ".join(path.name for path in paths) or "none, or no FluidSynth to play it"
    raise PinUnmet(
        f"the SoundFont with SHA-256 {sha256} was expected, got {found}. Copy it to one of "
        f"{', '.join(map(str, FOLDERS))}, or run this study's nights elsewhere."
    )


def soundfont_sha256(path: Path) -> str:
    """Return the SHA-256 of a SoundFont, computed once for each state of the file."""
    try:
        state = path.stat()
    except OSError as error:
        raise PinUnmet(
            f"a SoundFont was expected at {path}, got {error.strerror}. Install it, or pin another."
        ) from error
    return _sha256(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=16)
def _sha256(path: Path, _size: int, _changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _velocities(synth: fluidsynth.Synth, notes: Sequence[TimedNote]) -> tuple[list[int], float]:
    """Return the velocity of each note, and the scale that brings the sound to the voices' level.

    A tone's amplitude is `scale * trial amplitude * (velocity / trial velocity) ** 2`.
    """
    trials = {key: _trial(synth, *key) for key in {(n.program, n.pitch) for n in notes}}
    synth.hush()
    wanted = [
        HEADROOM
        * note.gain
        * 10 ** (voice_for_program(note.program).level_db / 20)
        / max(trials[note.program, note.pitch], 1e-6)
        for note in notes
    ]
    if not wanted:
        return [], 1.0
    scale = float(np.median(wanted)) * (_TRIAL_VELOCITY / _TYPICAL_VELOCITY) ** 2
    velocities = _TRIAL_VELOCITY * np.sqrt(np.array(wanted) / scale)
    return [int(v) for v in np.clip(np.rint(velocities), 1, 127)], scale


def _trial(synth: fluidsynth.Synth, program: int, pitch: int) -> float:
    """Return the K-weighted amplitude of a tone's first second."""
    synth.strike(program, pitch, _TRIAL_VELOCITY)
    heard = synth.sound(round(_TRIAL_S * SAMPLE_RATE_HZ))
    synth.let_go(program, pitch)
    synth.hush()
    synth.sound(round(_SETTLE_S * SAMPLE_RATE_HZ))
    weighted = sosfilt(k_weighting(SAMPLE_RATE_HZ), heard, axis=0)
    return math.sqrt(float((weighted**2).sum()) / len(heard))


# When, end before beginning, program, pitch, velocity (0 ends the note).
_Event = tuple[int, int, int, int, int]


def _events(notes: Sequence[TimedNote], velocities: Sequence[int]) -> list[_Event]:
    """Return what the hands do, in order; a key is let go before it is struck again."""
    next_strikes: dict[tuple[int, int], int] = {}
    events: list[_Event] = []
    for note, velocity in zip(reversed(notes), reversed(velocities), strict=True):
        key = (note.program, note.pitch)
        strike = max(0, round(note.onset_s * SAMPLE_RATE_HZ))
        until_s = note.offset_s + voice_for_program(note.program).ring_s
        end = max(strike + 1, round(until_s * SAMPLE_RATE_HZ))
        end = min(end, next_strikes.get(key, end))
        next_strikes[key] = strike
        events.append((strike, 1, *key, velocity))
        events.append((end, 0, *key, 0))
    return sorted(events)


def _played(
    synth: fluidsynth.Synth, events: list[_Event], n_samples: int, scale: float
) -> Iterator[np.ndarray]:
    upcoming = 0
    for start in range(0, n_samples, CHUNK_SAMPLES):
        stop = min(start + CHUNK_SAMPLES, n_samples)
        position, pieces = start, []
        while upcoming < len(events) and events[upcoming][0] < stop:
            at, _, program, pitch, velocity = events[upcoming]
            pieces.append(synth.sound(at - position))
            position = at
            if velocity:
                synth.strike(program, pitch, velocity)
            else:
                synth.let_go(program, pitch)
            upcoming += 1
        pieces.append(synth.sound(stop - position))
        yield np.float32(scale) * np.concatenate(pieces)
