"""What a study is to the writers: visits, strata, instruments with their words, the moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from questionnaires.instruments.instrument import Instrument, Item, Kind
from questionnaires.instruments.wording import Wording


@dataclass(frozen=True, slots=True)
class InstrumentSheet:
    """An instrument with its words in one language or several; the first names its variables."""

    instrument: Instrument
    wordings: tuple[Wording, ...]

    @property
    def key(self) -> str:
        """The instrument's key."""
        return self.instrument.key

    @property
    def wording(self) -> Wording:
        """The words that name variables."""
        return self.wordings[0]

    @property
    def told_items(self) -> tuple[Item, ...]:
        """The items whose values are handed on: all but free text."""
        return tuple(item for item in self.instrument.items if item.kind is not Kind.TEXT)


@dataclass(frozen=True, slots=True)
class VisitSheet:
    """A planned visit."""

    week: int
    instruments: tuple[str, ...]
    window_days: int

    @property
    def name(self) -> str:
        """What it is called."""
        return f"Week {self.week}"


@dataclass(frozen=True, slots=True)
class FactorSheet:
    """A stratification factor with its levels."""

    name: str
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StudySheet:
    """A study at the moment of its export.

    Parameters
    ----------
    arms : tuple of str
        What the column `arm` can say: the arms, or the one mask while the study is blinded.
    """

    code: str
    title: str
    protocol_name: str
    protocol_sha256: str
    is_synthetic: bool
    is_blinded: bool
    arms: tuple[str, ...]
    factors: tuple[FactorSheet, ...]
    visits: tuple[VisitSheet, ...]
    instruments: tuple[InstrumentSheet, ...]
    cut_at: datetime

    def instrument(self, key: str) -> InstrumentSheet:
        """Return one instrument."""
        return next(sheet for sheet in self.instruments if sheet.key == key)

    def at_week(self, week: int) -> Iterator[InstrumentSheet]:
        """Yield the instruments of a planned visit, in order."""
        for visit in self.visits:
            if visit.week == week:
                yield from map(self.instrument, visit.instruments)
