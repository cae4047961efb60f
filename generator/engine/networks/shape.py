"""The sizes of an LSTM-ACM network: what a checkpoint's config.json says."""

from dataclasses import asdict, dataclass

from generator.engine.tokens.conditions import N_CONDITIONS

SCALE_NAMES = ("note", "beat", "bar")
HEADS_PER_SCALE = 2


@dataclass(frozen=True)
class NetworkShape:
    """Sizes of the network; the defaults are Li (2025), section 4.1, where the paper states one.

    `hidden` and `layers` 256 and 4 (paper); heads 2 x 3 scales = 6 (paper), of size `head_size`,
    since 256 is not divisible by 6; `memory` is how many past segments each scale can look back on.
    """

    hidden: int = 256
    layers: int = 4
    bottleneck: int = 64
    head_size: int = 48
    memory: int = 64
    field_hidden: int = 128
    conditions: int = N_CONDITIONS

    def as_dict(self) -> dict[str, int]:
        """Return the sizes by name."""
        return asdict(self)
