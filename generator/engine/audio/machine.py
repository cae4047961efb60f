"""What this machine can make sound with: encoders, devices, SoundFonts, and how fast.

`manage.py audio_doctor` shows it; a study's pin is chosen from it and checked against it.
"""

import os
import time
from dataclasses import asdict, dataclass, replace

import numpy as np
import soundfile
import torch

from generator.engine.audio import ffmpeg, fluidsynth, soundfont
from generator.engine.audio.encoders import available_encoders, built_in
from generator.engine.audio.mastering import Master
from generator.engine.audio.performance import TimedNote
from generator.engine.audio.profile import SAMPLE_RATE_HZ, Profile, timeline
from generator.engine.audio.quality import SoundMeasurer
from generator.engine.audio.renderers import Renderer, available_renderers
from generator.engine.audio.soundfont import SoundFontRenderer

_TRIAL_S = 20.0
# About as dense as the first minutes of a night: 110 notes a minute of melody, bass and chords.
_TRIAL_NOTES_PER_S = 1.9


@dataclass(frozen=True)
class RendererFacts:
    """One renderer of this machine: its pin, where its samples lie, seconds of sound a second."""

    pin: dict[str, object]
    soundfont: str
    times_real_time: float


@dataclass(frozen=True)
class AudioFacts:
    """What was found on this machine; `encoders` is empty where MP3 cannot be written."""

    encoders: tuple[str, ...]
    libsndfile: str
    ffmpeg: str
    torch: str
    cuda: str
    n_cores: int
    fluidsynth: str
    soundfonts: tuple[str, ...]
    renderers: tuple[RendererFacts, ...]


def audio_facts() -> AudioFacts:
    """Return what this machine can render with; takes some seconds, for it measures the speed."""
    return AudioFacts(
        encoders=_encoders(),
        libsndfile=soundfile.__libsndfile_version__,
        ffmpeg=ffmpeg.found(),
        torch=torch.__version__,
        cuda=torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        n_cores=len(os.sched_getaffinity(0)),
        fluidsynth=fluidsynth.version(),
        soundfonts=tuple(map(str, soundfont.usable_soundfonts())),
        renderers=tuple(map(_facts, available_renderers())),
    )


def _encoders() -> tuple[str, ...]:
    names = tuple(encoder.name for encoder in available_encoders())
    return names if "MP3" in soundfile.available_formats() else names[1:]


def _facts(renderer: Renderer) -> RendererFacts:
    path = str(renderer.path) if isinstance(renderer, SoundFontRenderer) else ""
    pin = replace(renderer.pin, encoder=built_in().name)
    return RendererFacts(asdict(pin), path, round(_speed(renderer), 1))


def _speed(renderer: Renderer) -> float:
    """Return the seconds of sound synthesised, mastered and measured in a second of computing."""
    n_samples = round(_TRIAL_S * SAMPLE_RATE_HZ)
    notes = _trial_notes()
    # Once before the clock runs: tables and samples are loaded for a whole night.
    for _ in renderer.synthesise(notes, n_samples):
        pass
    master, measurer = Master(timeline(_TRIAL_S), Profile()), SoundMeasurer()
    began = time.process_time()
    for chunk in renderer.synthesise(notes, n_samples):
        measurer.add(master.process(chunk))
    return _TRIAL_S / max(time.process_time() - began, 1e-6)


def _trial_notes() -> list[TimedNote]:
    rng = np.random.default_rng(1)
    onsets_s = np.sort(rng.uniform(0, _TRIAL_S - 2, round(_TRIAL_S * _TRIAL_NOTES_PER_S)))
    return [
        TimedNote(
            onset_s=float(onset_s),
            offset_s=float(onset_s) + 2.0,
            pitch=int(rng.integers(48, 76)),
            gain=0.2,
            loudness=0.35,
            program=(0, 0, 0, 42, 89)[index % 5],
            pan=0.0,
        )
        for index, onset_s in enumerate(onsets_s)
    ]
