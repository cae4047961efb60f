"""The few functions of the FluidSynth library that a night needs, by ctypes.

No Python package is needed: where the system has libfluidsynth (2.x), its SoundFont player is used
as it is, without its own reverb and chorus, for one room is enough.

References
----------
FluidSynth developer documentation, 2.3: synth.h, settings.h.
"""

import ctypes
import ctypes.util
from functools import lru_cache
from pathlib import Path

import numpy as np

from generator.engine.audio.profile import SAMPLE_RATE_HZ
from generator.engine.audio.refusals import PinUnmet

_PERCUSSION_CHANNEL = 9
_CHANNELS = [channel for channel in range(16) if channel != _PERCUSSION_CHANNEL]
_POLYPHONY = 256
_GAIN = 0.5
_PAN_CONTROLLER = 10
_FAILED = -1
_POINTERS = ("new_fluid_settings", "new_fluid_synth")


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL | None:
    """Return the system's libfluidsynth, or None where it has none."""
    name = ctypes.util.find_library("fluidsynth")
    if name is None:
        return None
    try:
        loaded = ctypes.CDLL(name)
    except OSError:
        return None
    for function in _POINTERS:
        getattr(loaded, function).restype = ctypes.c_void_p
    loaded.fluid_version_str.restype = ctypes.c_char_p
    # The library talks to stderr by itself; what matters comes back as a result.
    loaded.fluid_set_log_function(0, None, None)
    for level in range(1, 5):
        loaded.fluid_set_log_function(level, None, None)
    return loaded


def version() -> str:
    """Return the library's version, such as 2.3.1; empty where there is none."""
    loaded = library()
    return loaded.fluid_version_str().decode() if loaded else ""


class Synth:
    """One SoundFont in one synthesiser; each General MIDI program has a channel of its own.

    Parameters
    ----------
    soundfont : Path
    programs : sequence of int
        At most 15 of them, each 0-127.

    Raises
    ------
    PinUnmet
        There is no libfluidsynth, or the file is no SoundFont it can read.
    """

    def __init__(self, soundfont: Path, programs: list[int]) -> None:
        self._library = library()
        if self._library is None:
            raise PinUnmet(
                "the FluidSynth library was expected on this machine, got none. Install it "
                "(Debian: libfluidsynth3), or pin the built-in renderer."
            )
        if len(programs) > len(_CHANNELS):
            raise PinUnmet(
                f"at most {len(_CHANNELS)} instruments were expected, got {len(programs)}. "
                "Write the score for fewer."
            )
        self._settings = ctypes.c_void_p(self._library.new_fluid_settings())
        self._set_up()
        self._synth = ctypes.c_void_p(self._library.new_fluid_synth(self._settings))
        self._channels = dict(zip(programs, _CHANNELS, strict=False))
        self._load(soundfont)

    def close(self) -> None:
        """Give the samples' memory back."""
        if self._synth:
            self._library.delete_fluid_synth(self._synth)
            self._library.delete_fluid_settings(self._settings)
            self._synth = None

    def __enter__(self) -> "Synth":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def strike(self, program: int, pitch: int, velocity: int) -> None:
        """Begin a note."""
        self._library.fluid_synth_noteon(self._synth, self._channels[program], pitch, velocity)

    def let_go(self, program: int, pitch: int) -> None:
        """End a note; it fades as its instrument does."""
        self._library.fluid_synth_noteoff(self._synth, self._channels[program], pitch)

    def place(self, program: int, pan: float) -> None:
        """Put an instrument between left (-1) and right (1)."""
        value = round(63.5 + 63.5 * min(max(pan, -1.0), 1.0))
        self._library.fluid_synth_cc(self._synth, self._channels[program], _PAN_CONTROLLER, value)

    def hush(self) -> None:
        """Silence everything at once."""
        self._library.fluid_synth_all_sounds_off(self._synth, -1)

    def sound(self, n_samples: int) -> np.ndarray:
        """Return the next samples, float32, shape (n_samples, 2)."""
        samples = np.zeros((n_samples, 2), dtype=np.float32)
        if n_samples:
            start = samples.ctypes.data_as(ctypes.c_void_p)
            self._library.fluid_synth_write_float(self._synth, n_samples, start, 0, 2, start, 1, 2)
        return samples

    def _set_up(self) -> None:
        numbers = {"synth.sample-rate": float(SAMPLE_RATE_HZ), "synth.gain": _GAIN}
        integers = {
            "synth.reverb.active": 0,
            "synth.chorus.active": 0,
            "synth.polyphony": _POLYPHONY,
            "synth.cpu-cores": 1,
            "synth.lock-memory": 0,
            # Only the presets in use are read: a large SoundFont then costs little memory.
            "synth.dynamic-sample-loading": 1,
        }
        for name, value in numbers.items():
            self._library.fluid_settings_setnum(
                self._settings, name.encode(), ctypes.c_double(value)
            )
        for name, value in integers.items():
            self._library.fluid_settings_setint(self._settings, name.encode(), value)

    def _load(self, soundfont: Path) -> None:
        loaded = self._library.fluid_synth_sfload(self._synth, str(soundfont).encode(), 1)
        if loaded == _FAILED:
            self.close()
            raise PinUnmet(
                f"a SoundFont that FluidSynth {version()} can read was expected, got {soundfont}. "
                "Install it again, or pin another."
            )
        for program, channel in self._channels.items():
            self._library.fluid_synth_program_change(self._synth, channel, program)
