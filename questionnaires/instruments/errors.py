"""Errors of the measuring instruments.

Every error has a stable ``code``, keeps its parameters and builds its own English sentence in the
house's grammar: what was expected, what came, what to do. A web page shows its own translated
sentence for the code, so that a participant never reads this one.
"""

from collections.abc import Iterable

LONGEST_QUOTE = 40


class InstrumentError(ValueError):
    """Everything that goes wrong between a scale and an answer."""

    code = "instrument_error"


class AnswerRefused(InstrumentError):
    """The raw answer does not fit its item; nothing was read.

    Parameters
    ----------
    code : str
        ``missing``, ``wrong_type``, ``garbled``, ``not_a_choice``, ``not_a_number``,
        ``not_a_whole_number``, ``not_a_time``, ``not_a_duration``, ``not_a_date``,
        ``out_of_range`` or ``too_long``.
    item_key : str
        The item that was answered.
    expected : str
        What the item takes, in English.
    got : object
        What came. Quoted in the sentence, cut to 40 characters: never write it to a log.
    advice : str
        What to do.
    **params
        Numbers for a translated sentence, such as ``low`` and ``high``.
    """

    def __init__(
        self, code: str, *, item_key: str, expected: str, got: object, advice: str, **params: object
    ) -> None:
        self.code = code
        self.item_key = item_key
        self.params = params
        super().__init__(f"{item_key}: expected {expected}, got {_quoted(got)}. {advice}")


class UnknownInstrument(InstrumentError):
    """No instrument of the catalogue has this key."""

    code = "unknown_instrument"

    def __init__(self, key: str, known: Iterable[str]) -> None:
        super().__init__(f"expected one of {', '.join(sorted(known))}, got {_quoted(key)}.")


class UnknownItem(InstrumentError):
    """The instrument has no item with this key."""

    code = "unknown_item"

    def __init__(self, instrument_key: str, item_key: str) -> None:
        super().__init__(
            f"expected an item of {instrument_key}, got {_quoted(item_key)}. "
            "The item keys are listed in docs/instruments.md."
        )


class UnknownRule(InstrumentError):
    """The instrument is not scored by this rule."""

    code = "unknown_rule"

    def __init__(self, instrument_key: str, rule_id: str, known: Iterable[str]) -> None:
        super().__init__(
            f"expected a scoring rule of {instrument_key} ({', '.join(known)}), "
            f"got {_quoted(rule_id)}."
        )


class InstrumentContradiction(InstrumentError):
    """The definition of an instrument contradicts itself."""

    code = "instrument_contradiction"


class WordingMismatch(InstrumentError):
    """A wording file is absent, damaged, or does not match its instrument key by key."""

    code = "wording_mismatch"


class WordsNotLoaded(WordingMismatch):
    """No words with this hash were ever loaded."""

    def __init__(self, instrument: str, language: str, sha256: str) -> None:
        super().__init__(
            f"expected words of {instrument} in {language} with SHA-256 {sha256}, got none. "
            "Restore them from a backup."
        )


class BranchingRefused(InstrumentError):
    """A branching logic is outside the subset that can be compiled."""

    code = "branching_refused"

    def __init__(self, logic: str, got: str) -> None:
        super().__init__(
            f"expected comparisons like [item] = '1' joined by and, or and brackets, got {got} in "
            f"{_quoted(logic)}. Write it with those."
        )


class DictionaryRefused(InstrumentError):
    """A data dictionary or its scoring file does not make an instrument."""

    code = "dictionary_refused"


class TableRefused(InstrumentError):
    """A table of answers cannot be read as a whole; no row of it was scored."""

    code = "table_refused"


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."
