"""A night between its two passes: mastered, measured and judged, not yet encoded.

All that is judged is judged here, the peaks as they will be included, so that nothing but the disk
can stand in the way of the encoder: whoever holds the scratch file and these facts can finish the
night, on the spot or in another process, to the same bytes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from generator.engine.audio.encoding import Scratch, mp3_duration_s
from generator.engine.audio.loudness import TruePeakMeter
from generator.engine.audio.mastering import soften_peaks
from generator.engine.audio.profile import SAMPLE_RATE_HZ, Profile, Timeline
from generator.engine.audio.quality import Measurements
from generator.engine.audio.refusals import MasterLost
from generator.engine.errors import SynthesisError


@dataclass(frozen=True)
class Mastered:
    """What a night's encoder needs beside the samples; plain JSON values but for the two paths.

    `gain_db` is the static gain that is still to be applied; with `softens`, peaks are bent below
    the profile's true peak on the way. The rest is as in `brief.Rendering`.
    """

    scratch_path: Path
    midi_path: Path
    gain_db: float
    softens: bool
    loudness_lufs: float
    true_peak_dbtp: float
    n_notes: int
    composer_release: str
    renderer: str
    pin: Mapping[str, object] = field(default_factory=dict)
    features: Mapping[str, float] = field(default_factory=dict)
    quality: Mapping[str, object] = field(default_factory=dict)

    def facts(self) -> dict[str, object]:
        """Return everything but the paths, as `with_files` takes it."""
        return {"gain_db": self.gain_db, "softens": self.softens, **self.figures()}

    def figures(self) -> dict[str, object]:
        """Return what the finished rendering says too."""
        rest = asdict(self)
        for name in ("scratch_path", "midi_path", "gain_db", "softens"):
            del rest[name]
        return rest

    @classmethod
    def with_files(
        cls, facts: Mapping[str, object], *, scratch_path: Path, midi_path: Path
    ) -> "Mastered":
        """Return what `facts` described, with its files where they are now.

        Raises
        ------
        MasterLost
            The facts are of another version.
        """
        try:
            return cls(scratch_path=scratch_path, midi_path=midi_path, **facts)
        except TypeError as error:
            raise MasterLost(
                f"the facts of a mastered night were expected, got {', '.join(facts)} ({error}). "
                "Render the night again."
            ) from error

    def require_files(self, timeline: Timeline) -> None:
        """Raise MasterLost unless the scratch file is there, whole, and the MIDI beside it."""
        scratch = Scratch(self.scratch_path)
        if scratch.n_samples != timeline.n_samples or not self.midi_path.is_file():
            raise MasterLost(
                f"{timeline.n_samples} mastered samples were expected in {self.scratch_path.name} "
                f"and the notes in {self.midi_path.name}, got {scratch.n_samples} and "
                f"{'some' if self.midi_path.is_file() else 'none'}. Render the night again."
            )


class Level:
    """The final gain; softens the peaks of a file whose true peak would come out too high."""

    def __init__(self, gain_db: float, profile: Profile, *, softens: bool) -> None:
        self._gain = np.float32(10 ** (gain_db / 20))
        self._profile = profile
        self._softens = softens

    def apply(self, chunk: np.ndarray) -> np.ndarray:
        """Return the next chunk at its final level."""
        amplified = self._gain * chunk
        return soften_peaks(amplified, self._profile) if self._softens else amplified


def softens(measured: Measurements, gain_db: float, profile: Profile) -> bool:
    """Return whether the peaks of a file would come out too high by the gain alone."""
    return measured.true_peak_dbtp + gain_db > profile.true_peak_max_dbtp


def as_finished(
    measured: Measurements, scratch: Scratch, gain_db: float, profile: Profile
) -> Measurements:
    """Return the measurements with the peaks that the finished file will have."""
    if not softens(measured, gain_db, profile):
        return measured
    level, peaks = Level(gain_db, profile, softens=True), TruePeakMeter()
    for chunk in scratch.chunks():
        peaks.add(level.apply(chunk))
    peak_dbtp = peaks.dbtp() - gain_db
    return replace(measured, true_peak_dbtp=peak_dbtp, sample_peak=10 ** (peak_dbtp / 20))


def finished_sound(
    mastered: Mastered, timeline: Timeline, profile: Profile, report: Callable[[float], None]
) -> Iterator[np.ndarray]:
    """Yield the samples at their final level; `report` is told the share that is done."""
    level = Level(mastered.gain_db, profile, softens=mastered.softens)
    n_done = 0
    for chunk in Scratch(mastered.scratch_path).chunks():
        yield level.apply(chunk)
        n_done += len(chunk)
        report(n_done / timeline.n_samples)


def require_length(audio: Path, timeline: Timeline) -> None:
    """Trust the written file, not the intention; raises SynthesisError if it plays too short."""
    expected_s, got_s = timeline.n_samples / SAMPLE_RATE_HZ, mp3_duration_s(audio)
    if abs(got_s - expected_s) > 1.0:
        raise SynthesisError(
            f"an MP3 of {expected_s:.1f} s was expected, got {got_s:.1f} s. Check the disk and the "
            "installed soundfile, then try again."
        )
