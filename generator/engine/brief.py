"""The customs office of the engine: a `Brief` goes in, a `Rendering` comes out.

Free of torch and of Django, so that models, forms and pages may use these names for choices.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from generator.engine.errors import BriefError

MINUTES_MIN, MINUTES_MAX = 0.5, 60.0
TEMPO_MIN_BPM, TEMPO_MAX_BPM = 44.0, 76.0


class ComposerName(StrEnum):
    """The composers that can be asked for; `printed` is what the papers call them.

    Fusion has a network a genre and lets LSTM-ACM's go on from what they propose (Lee 2023).
    """

    LSTM_ACM = "lstm_acm"
    MARKOV = "markov"
    GENETIC = "genetic"
    FUSION = "fusion"

    @property
    def printed(self) -> str:
        """The composer's name in papers: for those who plan a study, never for its participants."""
        return _PRINTED[self]


_PRINTED = {
    ComposerName.LSTM_ACM: "LSTM-ACM",
    ComposerName.MARKOV: "MCMG",
    ComposerName.GENETIC: "GAMC",
    ComposerName.FUSION: "Fusion",
}


class Style(StrEnum):
    """Styles a listener can weigh; each is one that the shipped training files hold."""

    CLASSICAL = "classical"
    SONG = "song"
    GUITAR = "guitar"
    FOLK = "folk"
    JAZZ = "jazz"


class Mode(StrEnum):
    """Major or minor."""

    MAJOR = "major"
    MINOR = "minor"


class Instrument(StrEnum):
    """Who plays the melody."""

    PIANO = "piano"
    HARP = "harp"
    GUITAR = "guitar"
    VIBRAPHONE = "vibraphone"


class Bed(StrEnum):
    """The sound of nature under the music."""

    NONE = "none"
    RAIN = "rain"
    WAVES = "waves"


@dataclass(frozen=True)
class RendererPin:
    """What a study fixes, so that every night of every arm sounds alike; equal pins, equal bytes.

    `renderer` and `version` name the program that turns notes into samples, `profile` the numbers
    of the mastering, `device` the kind of machine ("cpu", "cuda"), `soundfont_sha256` the samples
    it plays (empty where it needs none), `chunk_samples` the size of its steps, `encoder` the
    program that writes the MP3 (empty: the built-in one, whichever version is there), `engine` what
    runs the composers' networks (empty: numpy), `composers` the name of their releases (empty:
    those that are installed, whichever they are).
    """

    renderer: str
    version: str
    profile: str
    chunk_samples: int
    device: str = "cpu"
    soundfont_sha256: str = ""
    encoder: str = ""
    engine: str = ""
    composers: str = ""


@dataclass(frozen=True)
class Brief:
    """What to compose and render, complete: the same brief on the same engine gives the same music.

    Parameters
    ----------
    composer : ComposerName
    minutes : float
        Length of the finished file, 0.5-60.
    styles : mapping of Style to float
        Weights >= 0 that sum to 1 (tolerance 1e-6).
    seed : int
        0 <= seed < 2**63.
    tempo_bpm : float
        Tempo at the start, quarter notes a minute, 44-76; it only falls from there.
    mode : Mode
    calmness : float
        0 (still calm) to 1 (calmest).
    instrument : Instrument
    bed : Bed
        Rain or waves under the music, or nothing.
    pin : RendererPin, optional
        The renderer that the study has fixed; None asks for the built-in one as it is now.

    Raises
    ------
    BriefError
        A value is outside its range.
    """

    composer: ComposerName
    minutes: float
    styles: Mapping[Style, float]
    seed: int
    tempo_bpm: float = 66.0
    mode: Mode = Mode.MAJOR
    calmness: float = 0.8
    instrument: Instrument = Instrument.PIANO
    bed: Bed = Bed.NONE
    pin: RendererPin | None = None

    def __post_init__(self) -> None:
        _require(
            MINUTES_MIN <= self.minutes <= MINUTES_MAX, "minutes between 0.5 and 60", self.minutes
        )
        _require(
            TEMPO_MIN_BPM <= self.tempo_bpm <= TEMPO_MAX_BPM,
            "tempo_bpm between 44 and 76 quarter notes a minute",
            self.tempo_bpm,
        )
        _require(0.0 <= self.calmness <= 1.0, "calmness between 0 and 1", self.calmness)
        _require(0 <= self.seed < 2**63, "seed between 0 and 2**63 - 1", self.seed)
        weights = list(self.styles.values())
        _require(
            bool(weights)
            and all(math.isfinite(w) and w >= 0 for w in weights)
            and abs(sum(weights) - 1.0) <= 1e-6,
            "style weights that are >= 0 and sum to 1",
            dict(self.styles),
        )

    def to_json(self) -> str:
        """Return the brief as canonical JSON (sorted keys, no spaces): equal briefs, equal text."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Brief":
        """Return the brief written by `to_json`.

        Raises
        ------
        BriefError
            A field is unknown, missing, or out of range.
        """
        try:
            data = json.loads(text)
            data["composer"] = ComposerName(data["composer"])
            data["mode"] = Mode(data["mode"])
            data["instrument"] = Instrument(data["instrument"])
            data["bed"] = Bed(data.get("bed", Bed.NONE))
            data["pin"] = RendererPin(**data["pin"]) if data.get("pin") else None
            data["styles"] = {Style(name): float(w) for name, w in data["styles"].items()}
            return cls(**data)
        except (KeyError, TypeError, ValueError) as error:
            raise BriefError(
                f"a brief as written by Brief.to_json was expected, got {text[:200]!r} ({error}). "
                "Request the playlist again."
            ) from error


@dataclass(frozen=True)
class Rendering:
    """What came out: one finished audio file, the MIDI it was made from, and what was measured.

    `duration_s` seconds; `loudness_lufs` integrated loudness (ITU-R BS.1770); `true_peak_dbtp`
    4x oversampled; hashes are SHA-256 in hex; `pin` is what rendered it, as `RendererPin` has it;
    `features` and `quality` are plain JSON values; `check_path` is the short piece by which a
    listener sets the volume, where there is one.
    """

    audio_path: Path
    midi_path: Path
    duration_s: float
    loudness_lufs: float
    true_peak_dbtp: float
    audio_sha256: str
    midi_sha256: str
    n_notes: int
    composer_release: str
    renderer: str
    pin: Mapping[str, object] = field(default_factory=dict)
    features: Mapping[str, float] = field(default_factory=dict)
    quality: Mapping[str, object] = field(default_factory=dict)
    check_path: Path | None = None


def _require(condition: bool, expected: str, got: object) -> None:
    if not condition:
        raise BriefError(f"expected {expected}, got {got!r}. Correct the brief and ask again.")
