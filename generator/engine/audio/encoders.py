"""Which program writes the MP3: the built-in LAME, always there, or ffmpeg where it is found.

Both write 112 kb/s without tags, yet not the same bytes, so the encoder is part of a study's pin.
Without a pin, and with a pin that names none, the built-in one writes, also where ffmpeg is found.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from generator.engine.audio import encoding, ffmpeg
from generator.engine.audio.refusals import PinUnmet
from generator.engine.brief import RendererPin


@dataclass(frozen=True)
class Encoder:
    """A program with its version, as a pin names it, and how it writes stereo chunks to a file."""

    name: str
    write: Callable[[Iterable[np.ndarray], Path], None]


def built_in() -> Encoder:
    """Return the encoder inside soundfile's wheel."""
    return Encoder(f"libsndfile {soundfile.__libsndfile_version__}", encoding.write_mp3)


def available_encoders() -> list[Encoder]:
    """Return every encoder of this machine, the built-in one first."""
    version = ffmpeg.version(ffmpeg.found()) if ffmpeg.found() else ""
    by_ffmpeg = [Encoder(f"ffmpeg {version}", ffmpeg.write_mp3)] if version else []
    return [built_in(), *by_ffmpeg]


def encoder_for(pin: RendererPin | None) -> Encoder:
    """Return the encoder that a pin names; the built-in one where it names none.

    Raises
    ------
    PinUnmet
        This machine has no such encoder, or another version of it.
    """
    if pin is None or not pin.encoder:
        return built_in()
    encoders = {encoder.name: encoder for encoder in available_encoders()}
    if pin.encoder not in encoders:
        raise PinUnmet(
            f"the pinned encoder {pin.encoder} was expected, got {', '.join(encoders)}. Run this "
            "study's nights on a machine that has it (manage.py audio_doctor lists what a machine "
            "has)."
        )
    return encoders[pin.encoder]
