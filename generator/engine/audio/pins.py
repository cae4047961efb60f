"""The pin of the built-in voices, free of torch, so that pages can write it down too."""

from dataclasses import replace

from generator.engine.audio.encoders import built_in
from generator.engine.audio.profile import CHUNK_SAMPLES, PROFILE
from generator.engine.brief import RendererPin

RENDERER, VERSION = "built-in", "2"


def voices_pin(device: str = "cpu") -> RendererPin:
    """Return the pin of the voices alone, whatever writes the MP3."""
    return RendererPin(
        renderer=RENDERER,
        version=VERSION,
        profile=PROFILE,
        chunk_samples=CHUNK_SAMPLES,
        device=device,
    )


def built_in_pin(device: str = "cpu") -> RendererPin:
    """Return what a study gets that chose nothing: the built-in voices and encoder."""
    return replace(voices_pin(device), encoder=built_in().name)
