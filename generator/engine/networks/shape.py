"""The sizes of an LSTM-ACM network: what a checkpoint's config.json says."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

from generator.engine.tokens.conditions import N_CONDITIONS
from generator.engine.tokens.copying import N_MATCH_CLASSES

SCALE_NAMES = ("note", "beat", "bar")
HEADS_PER_SCALE = 2
# Releases of the first form do not name these sizes: they have no pointer and five match classes.
_FIRST_FORM = MappingProxyType({"pointer_size": 0, "pointer_memory": 0, "match_classes": 5})


@dataclass(frozen=True)
class NetworkShape:
    """Sizes of the network; the defaults are Li (2025), section 4.1, where the paper states one.

    `hidden` and `layers` 256 and 4 (paper); heads 2 x 3 scales = 6 (paper), of size `head_size`,
    since 256 is not divisible by 6; `memory` is how many past segments each scale can look back on,
    `pointer_memory` how many past events the pointer of the copy head can (0: it has none).
    """

    hidden: int = 256
    layers: int = 4
    bottleneck: int = 64
    head_size: int = 48
    memory: int = 64
    field_hidden: int = 128
    conditions: int = N_CONDITIONS
    pointer_size: int = 64
    pointer_memory: int = 512
    match_classes: int = N_MATCH_CLASSES

    def as_dict(self) -> dict[str, int]:
        """Return the sizes by name."""
        return asdict(self)

    @classmethod
    def of_release(cls, described: Mapping[str, int]) -> "NetworkShape":
        """Return the sizes that a release of this or an older form describes."""
        return cls(**{**_FIRST_FORM, **described})
