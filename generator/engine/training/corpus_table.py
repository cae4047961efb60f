"""Li's Table 2 for any corpus: files, notes, duration, metre, tempo, pitch, instruments, styles.

Metre and tempo are what the files say; of performances they are nominal (4/4 at 120) and mean
nothing.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from generator.engine.errors import ScoreError
from generator.engine.training.reading import FileFacts
from generator.engine.training.store import FILES

_PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_SHOWN = 4


def facts_of_store(directory: Path) -> tuple[list[FileFacts], list[str]]:
    """Return the facts of every file of an imported corpus, and its style.

    Raises
    ------
    ScoreError
        There is no imported corpus.
    """
    try:
        with (directory / FILES).open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        return [_facts(row) for row in rows], [row["style"] for row in rows]
    except (OSError, ValueError, KeyError) as error:
        raise ScoreError(
            f"an imported corpus was expected in {directory.name}, got {error!r}. Import the files "
            "first: `manage.py import_corpus`."
        ) from error


def corpus_table(facts: Sequence[FileFacts], styles: Sequence[str]) -> dict[str, str]:
    """Return the rows of the table, as text.

    Raises
    ------
    ScoreError
        There is no file.
    """
    if not facts:
        raise ScoreError("a corpus of one file or more was expected, got none. Import files first.")
    tempos = np.array([fact.tempo_bpm for fact in facts])
    tempos = tempos[np.isfinite(tempos)]
    low, high = (min(f.pitch_lowest for f in facts), max(f.pitch_highest for f in facts))
    return {
        "MIDI files": f"{len(facts):,}",
        "Average notes a piece": f"{np.mean([fact.n_notes for fact in facts]):,.0f}",
        "Average duration (s)": f"{np.mean([fact.duration_s for fact in facts]):.0f}",
        "Duration, 5th to 95th percentile (s)": _span([fact.duration_s for fact in facts]),
        "Time signature": _shares([fact.time_signature for fact in facts]),
        "Tempo, 5th to 95th percentile (BPM)": _span(tempos) if len(tempos) else "not stated",
        "Pitch range": f"{pitch_name(low)} to {pitch_name(high)}",
        "Instrumentation": _shares([fact.texture for fact in facts]),
        "Style distribution": _shares(styles, len(styles)),
    }


def pitch_name(pitch: int) -> str:
    """Return a MIDI pitch as a name; 60 is C4."""
    return f"{_PITCH_NAMES[pitch % 12]}{pitch // 12 - 1}"


def _facts(row: dict[str, str]) -> FileFacts:
    return FileFacts(
        int(row["n_notes"]),
        float(row["duration_s"]),
        row["time_signature"],
        float(row["tempo_bpm"]),
        int(row["pitch_lowest"]),
        int(row["pitch_highest"]),
        row["texture"],
    )


def _span(values: Sequence[float]) -> str:
    low, high = np.percentile(values, (5, 95))
    return f"{low:.0f} to {high:.0f}"


def _shares(values: Sequence[str], shown: int = _SHOWN) -> str:
    common = Counter(values).most_common(shown)
    return ", ".join(f"{name} {100 * count / len(values):.0f} %" for name, count in common)
