"""How many people came how far: what the diagram and table of the flow show.

A count that nobody knows is `None` and stays blank; none is ever made up.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ArmFlow:
    """One arm after allocation; `handed_in` holds visit and count."""

    name: str
    allocated: int
    started: int | None = None
    stopped: int | None = None
    left: int | None = None
    took_back: int | None = None
    handed_in: tuple[tuple[str, int], ...] = ()
    analysed: int | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """Before allocation, and each arm after it; `lost` names why somebody was not randomised."""

    invited: int | None = None
    lost: tuple[tuple[str, int], ...] = ()
    arms: tuple[ArmFlow, ...] = field(default_factory=tuple)

    @property
    def randomised(self) -> int:
        """Everybody who was allocated."""
        return sum(arm.allocated for arm in self.arms)
