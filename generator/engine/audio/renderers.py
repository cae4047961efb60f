"""What turns notes into samples: the built-in voices, or a SoundFont; one interface, pinned.

A study pins its renderer (docs/sound.md): nights rendered by different ones would tell arms or
months apart by their timbre. A worker that cannot meet the pin refuses; it never falls back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch

from generator.engine.audio import soundfont
from generator.engine.audio.performance import TimedNote
from generator.engine.audio.pins import voices_pin
from generator.engine.audio.refusals import PinUnmet
from generator.engine.audio.synthesis import synthesise
from generator.engine.brief import RendererPin


class Renderer(Protocol):
    """Dry sound from timed notes."""

    pin: RendererPin

    def synthesise(self, notes: Sequence[TimedNote], n_samples: int) -> Iterator[np.ndarray]:
        """Yield the dry sound in chunks of five seconds, float32, shape (n, 2)."""


class BuiltInRenderer:
    """The voices of `voices`, computed by torch on a CPU or a GPU; needs nothing but this code."""

    def __init__(self, device: str = "cpu") -> None:
        self._device = device
        self.pin = voices_pin(device)

    def synthesise(self, notes: Sequence[TimedNote], n_samples: int) -> Iterator[np.ndarray]:
        """Yield the dry sound in chunks of five seconds, float32, shape (n, 2)."""
        return synthesise(notes, n_samples, device=self._device)


def renderer_for(pin: RendererPin | None) -> Renderer:
    """Return the renderer that a pin names; the built-in one on the CPU for no pin.

    Raises
    ------
    PinUnmet
        This machine has no such renderer, another version of it, or another SoundFont.
    """
    if pin is None:
        return BuiltInRenderer()
    if pin.renderer == soundfont.RENDERER:
        renderer = soundfont.SoundFontRenderer(soundfont.soundfont_by_hash(pin.soundfont_sha256))
    elif pin.device not in _devices():
        raise _unmet(pin, f"no device but {', '.join(_devices())}")
    else:
        renderer = BuiltInRenderer(pin.device)
    if renderer.pin != replace(pin, encoder="", engine="", composers=""):
        raise _unmet(pin, f"{renderer.pin}")
    return renderer


def available_renderers() -> list[Renderer]:
    """Return every renderer of this machine, the built-in one first."""
    built_in = [BuiltInRenderer(device) for device in _devices()]
    return [*built_in, *map(soundfont.SoundFontRenderer, soundfont.usable_soundfonts())]


def _devices() -> list[str]:
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def _unmet(pin: RendererPin, got: str) -> PinUnmet:
    return PinUnmet(
        f"the pinned renderer {pin} was expected, got {got}. Run this study's nights on a machine "
        "that has it (manage.py audio_doctor lists what a machine has)."
    )
