"""A renderer of real but tiny files, for tests of everything around the engine."""

import hashlib
from pathlib import Path

from generator.engine.brief import Brief, ComposerName, Rendering, Style
from generator.engine.pipeline import CHECKING, COMPOSING, RENDERING, Progress


def brief(seed: int = 1) -> Brief:
    """Return the shortest brief there is."""
    return Brief(
        composer=ComposerName.MARKOV, minutes=0.5, styles={Style.CLASSICAL: 1.0}, seed=seed
    )


def quick_render(
    brief: Brief, *, directory: Path, stem: str, progress: Progress | None
) -> Rendering:
    """Write two small files under the pipeline's names, reporting each stage as it does."""
    progress(0.1, COMPOSING)
    midi = directory / f"{stem}.mid"
    midi.write_bytes(b"MThd" + brief.to_json().encode())
    progress(0.5, RENDERING)
    audio = directory / f"{stem}.mp3"
    audio.write_bytes(b"ID3" + brief.to_json().encode())
    progress(1.0, CHECKING)
    return Rendering(
        audio_path=audio,
        midi_path=midi,
        duration_s=60 * brief.minutes,
        loudness_lufs=-24.0,
        true_peak_dbtp=-6.0,
        audio_sha256=hashlib.sha256(audio.read_bytes()).hexdigest(),
        midi_sha256=hashlib.sha256(midi.read_bytes()).hexdigest(),
        n_notes=1,
        composer_release="quick",
        renderer="quick",
    )
