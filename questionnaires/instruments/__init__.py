"""The catalogue of instruments and the one entry point that scores any of them.

No Django below this line. An instrument is a definition (``Instrument``); what scores it is a pure
function from answers to ``Scores``, found by its rule id.
"""

from collections.abc import Callable

from questionnaires.instruments.cpss import CPSS, CPSS14_YANG2003, score_cpss14_yang2003
from questionnaires.instruments.credibility import (
    CEQ_DEVILLY2000,
    CREDIBILITY_EXPECTANCY,
    score_ceq_devilly2000,
)
from questionnaires.instruments.declared import score_declared
from questionnaires.instruments.errors import UnknownInstrument, UnknownRule
from questionnaires.instruments.instrument import Answers, Instrument, Scores
from questionnaires.instruments.morning_diary import (
    MORNING_DIARY,
    MORNING_DIARY_BANDS,
    score_morning_diary_bands,
)
from questionnaires.instruments.psqi import (
    BUYSSE1989,
    PITT2005,
    PSQI,
    score_buysse1989,
    score_pitt2005,
)
from questionnaires.instruments.sleep_diary import (
    DIARY_CORE_2012,
    SLEEP_DIARY,
    score_diary_core_2012,
)
from questionnaires.instruments.track_rating import (
    TRACK_RATING,
    TRACK_RATING_1,
    score_track_rating_1,
)

CATALOGUE: dict[str, Instrument] = {
    instrument.key: instrument
    for instrument in (
        PSQI,
        CPSS,
        SLEEP_DIARY,
        MORNING_DIARY,
        CREDIBILITY_EXPECTANCY,
        TRACK_RATING,
    )
}

# The name that the field uses for a key of ours.
ALIASES = {"cpss14": CPSS.key}

RULES: dict[str, Callable[[Answers], Scores]] = {
    PITT2005: score_pitt2005,
    BUYSSE1989: score_buysse1989,
    CPSS14_YANG2003: score_cpss14_yang2003,
    DIARY_CORE_2012: score_diary_core_2012,
    MORNING_DIARY_BANDS: score_morning_diary_bands,
    CEQ_DEVILLY2000: score_ceq_devilly2000,
    TRACK_RATING_1: score_track_rating_1,
}


def instrument_named(key: str) -> Instrument:
    """Return the instrument with this key, or with the name the field uses for it.

    Raises
    ------
    UnknownInstrument
        If the catalogue has none.
    """
    try:
        return CATALOGUE[ALIASES.get(key, key)]
    except KeyError:
        raise UnknownInstrument(key, CATALOGUE) from None


def instrument_choices() -> list[tuple[str, str]]:
    """Return the instruments as (key, key) pairs for a choice field."""
    return [(key, key) for key in CATALOGUE]


def score_answers(instrument: Instrument, answers: Answers, rule_id: str = "") -> Scores:
    """Return the scores of one set of answers by one rule.

    Parameters
    ----------
    instrument : Instrument
        The scale that was answered.
    answers : mapping of str to value
        Values as ``read_answer`` gives them.
    rule_id : str
        A rule of the instrument; empty for its default.

    Raises
    ------
    UnknownRule
        If the instrument is not scored by this rule.
    """
    rule_id = rule_id or instrument.default_rule
    if rule_id not in instrument.rule_ids:
        raise UnknownRule(instrument.key, rule_id, instrument.rule_ids)
    if instrument.key in CATALOGUE:
        return RULES[rule_id](answers)
    return score_declared(instrument, answers)
