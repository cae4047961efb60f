"""What all composers stand on, from one release: chord chain, textures, guards, human scale."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generator.engine.composers.harmony import HarmonyTable
from generator.engine.composers.releases import WEIGHTS
from generator.engine.composers.textures import TextureTable
from generator.engine.metrics.grade import HumanScale
from generator.engine.metrics.originality import OriginalityFilter
from generator.engine.networks.checkpoints import load_checkpoint


@dataclass(frozen=True)
class Foundation:
    """The shared tables, verified."""

    harmony: HarmonyTable
    textures: TextureTable
    originals: OriginalityFilter
    release: str
    scale: HumanScale | None = None


@cache
def load_foundation(weights: Path = WEIGHTS) -> Foundation:
    """Return the shared tables of a folder of releases.

    Raises
    ------
    CheckpointError
        They are missing, damaged, or belong to another vocabulary.
    """
    checkpoint = load_checkpoint(weights / "foundation")
    return Foundation(
        HarmonyTable(checkpoint.arrays["harmony"]),
        TextureTable.of_arrays(checkpoint.arrays),
        OriginalityFilter(checkpoint.arrays["originality"]),
        checkpoint.release,
        HumanScale.of_arrays(checkpoint.arrays),
    )
