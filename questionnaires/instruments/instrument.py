"""What an instrument is: items with keys, kinds and ranges, and the scores that come out.

Conventions: a time of day is the text ``HH:MM`` on the 24-hour clock, minutes are a number of
minutes, a duration (``hours_minutes``) is a number of hours, a choice is its whole-number code and
an answer that was left blank is ``None``. Items have semantic keys, never numbers: two orders of
the PSQI circulate.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from questionnaires.instruments.branching import Condition
from questionnaires.instruments.errors import InstrumentContradiction, UnknownItem

Value = str | int | float | None
Answers = Mapping[str, Value]


class Kind(StrEnum):
    """How an item is answered."""

    CHOICE = "choice"
    TIME = "time"
    MINUTES = "minutes"
    HOURS_MINUTES = "hours_minutes"
    COUNT = "count"
    TEXT = "text"
    NUMBER = "number"
    WHOLE_NUMBER = "whole_number"
    DATE = "date"


RANGED_KINDS = frozenset(
    {
        Kind.MINUTES,
        Kind.HOURS_MINUTES,
        Kind.COUNT,
        Kind.TEXT,
        Kind.NUMBER,
        Kind.WHOLE_NUMBER,
    }
)

UNITS = {
    Kind.CHOICE: "",
    Kind.TIME: "HH:MM",
    Kind.MINUTES: "min",
    Kind.HOURS_MINUTES: "h",
    Kind.COUNT: "times",
    Kind.TEXT: "",
    Kind.NUMBER: "",
    Kind.WHOLE_NUMBER: "",
    Kind.DATE: "YYYY-MM-DD",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One question of an instrument.

    Parameters
    ----------
    key : str
        Semantic key, unique within the instrument and for ever.
    kind : Kind
        How it is answered.
    choices : tuple of int
        The codes of a choice item, in the order shown.
    scale : str
        Name of the choice labels in the wording files; items of one scale share their labels.
    low, high : float or None
        Range of a number in the item's unit; for a text, the least and most characters.
    required : bool
        Whether a submitted response must answer it.
    asked_if : str or None
        Key of an earlier item; this one is asked only when that answer is neither blank nor zero.
    asked_when : Condition or None
        Of earlier items; this one is asked only when it holds.
    is_slider : bool
        Whether a whole number was a mark on a line where it came from, and goes out as one.
    """

    key: str
    kind: Kind
    choices: tuple[int, ...] = ()
    scale: str = ""
    low: float | None = None
    high: float | None = None
    required: bool = True
    asked_if: str | None = None
    asked_when: Condition | None = None
    is_slider: bool = False

    def __post_init__(self) -> None:
        if (self.kind is Kind.CHOICE) != bool(self.choices and self.scale):
            raise InstrumentContradiction(
                f"{self.key}: expected choices and a scale on choice items and on no others, got "
                f"kind {self.kind} with choices {self.choices} and scale {self.scale!r}."
            )
        if len(set(self.choices)) != len(self.choices):
            raise InstrumentContradiction(
                f"{self.key}: expected distinct choices, got {self.choices}."
            )
        has_range = self.low is not None and self.high is not None and self.low < self.high
        if (self.kind in RANGED_KINDS) != has_range:
            raise InstrumentContradiction(
                f"{self.key}: expected low < high on numbers and texts and on no others, got "
                f"kind {self.kind} with {self.low} to {self.high}."
            )

        if self.is_slider and self.kind is not Kind.WHOLE_NUMBER:
            raise InstrumentContradiction(
                f"{self.key}: expected a slider to give a whole number, got kind {self.kind}."
            )

    @property
    def depends_on(self) -> frozenset[str]:
        """The items whose answers decide whether this one is asked."""
        keys = self.asked_when.keys if self.asked_when else frozenset()
        return keys | ({self.asked_if} if self.asked_if else frozenset())

    def is_asked(self, answers: Answers) -> bool:
        """Return whether the item applies; while that is not known yet, it counts as asked."""
        if not self.depends_on <= answers.keys():
            return True
        if self.asked_if is not None and not answers[self.asked_if]:
            return False
        return self.asked_when is None or self.asked_when.holds(answers)

    @property
    def unit(self) -> str:
        """The unit of the stored value; empty for choices and texts."""
        return UNITS[self.kind]


@dataclass(frozen=True, slots=True)
class ScoreField:
    """One number that a scoring rule gives: its name, unit and possible range."""

    name: str
    unit: str
    low: float
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ScaleScore:
    """One declared score: the sum or the mean of items, some of them reversed.

    ``missing_allowed`` items may be missing; the mean of the known ones stands for each.
    """

    name: str
    method: str
    items: tuple[str, ...]
    reversed: tuple[str, ...] = ()
    missing_allowed: int = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """What a scoring rule made of one set of answers.

    ``values`` has every score field of the instrument; ``None`` says "not derivable".
    ``n_missing`` counts required items without an answer. ``flags`` are listed in
    docs/instruments.md; they never change a value.
    """

    rule_id: str
    values: Mapping[str, float | None]
    n_missing: int
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Instrument:
    """A scale: its items in the order they are asked, and the rules that score them.

    Parameters
    ----------
    key, version : str
        Identity of the definition; a change of items or coding is a new version.
    items : tuple of Item
        In the order asked.
    rule_ids : tuple of str
        The scoring rules that apply; the first is the default.
    scores : tuple of ScoreField
        What every rule of this instrument gives.
    missing_rule : str
        One English sentence for the data dictionary.
    source : str
        Where the scoring was published.
    declared : tuple of ScaleScore
        The scores that a file declares, where it is no rule of ours that scores.
    """

    key: str
    version: str
    items: tuple[Item, ...]
    rule_ids: tuple[str, ...]
    scores: tuple[ScoreField, ...]
    missing_rule: str
    source: str
    declared: tuple[ScaleScore, ...] = ()
    _by_key: Mapping[str, Item] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.items or not self.rule_ids:
            raise InstrumentContradiction(f"{self.key}: expected items and a scoring rule.")
        seen: set[str] = set()
        for item in self.items:
            if item.key in seen:
                raise InstrumentContradiction(
                    f"{self.key}: expected one item {item.key}, got two. Rename one."
                )
            if later := item.depends_on - seen:
                raise InstrumentContradiction(
                    f"{self.key}: expected {item.key} to depend on an earlier item, got "
                    f"{', '.join(map(repr, sorted(later)))}. Move it, or correct the key."
                )
            seen.add(item.key)
        object.__setattr__(self, "_by_key", {item.key: item for item in self.items})
        self._refuse_scales_of_two_lengths()

    @property
    def default_rule(self) -> str:
        """The scoring rule that applies where a study chooses none."""
        return self.rule_ids[0]

    @property
    def scales(self) -> Mapping[str, tuple[int, ...]]:
        """The codes of each answer scale by its name."""
        return {item.scale: item.choices for item in self.items if item.scale}

    def item(self, key: str) -> Item:
        """Return the item with this key.

        Raises
        ------
        UnknownItem
            If the instrument has none.
        """
        try:
            return self._by_key[key]
        except KeyError:
            raise UnknownItem(self.key, key) from None

    def asked_items(self, answers: Answers) -> tuple[Item, ...]:
        """Return the items that apply, given the answers so far.

        An item whose condition is not answered yet counts as asked, so that a total shown to a
        participant can only become smaller on the way.
        """
        return tuple(self._asked(answers))

    def missing_keys(self, answers: Answers) -> tuple[str, ...]:
        """Return the required items that apply and have no answer, in the order asked."""
        return tuple(
            item.key
            for item in self._asked(answers)
            if item.required and answers.get(item.key) is None
        )

    def _asked(self, answers: Answers) -> Iterator[Item]:
        return (item for item in self.items if item.is_asked(answers))

    def _refuse_scales_of_two_lengths(self) -> None:
        pairs = {(item.scale, item.choices) for item in self.items if item.scale}
        doubled = [name for name, n in Counter(name for name, _ in pairs).items() if n > 1]
        if doubled:
            raise InstrumentContradiction(
                f"{self.key}: expected one set of choices for each scale, got several for "
                f"{', '.join(sorted(doubled))}. Give the scales different names."
            )
