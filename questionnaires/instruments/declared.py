"""Scores that a file declares: sums and means of items, reversed ones, a missing rule.

What a scale declares is data, so a new questionnaire needs no code. An item that is *reversed*
counts ``low + high - value``. With at most ``missing_allowed`` items missing, the mean of the known
ones stands for each missing one; with more the score is not derivable.
"""

from questionnaires.instruments.instrument import (
    Answers,
    Instrument,
    Item,
    ScaleScore,
    ScoreField,
    Scores,
)

UNSCORED = "unscored"
N_ANSWERED = ScoreField("n_answered", "items", 0)


def score_declared(instrument: Instrument, answers: Answers) -> Scores:
    """Return the declared scores of an instrument that a file defined.

    Parameters
    ----------
    instrument : Instrument
        With ``declared`` scores, or with none: then only ``n_answered`` is given.
    answers : mapping of str to value
        Values as ``read_answer`` gives them.

    Returns
    -------
    Scores
        One value for each declared score, and ``n_answered``. The flag ``straight_line`` says that
        one code answered all items of a scale of four or more.
    """
    known = sum(answers.get(item.key) is not None for item in instrument.items)
    values = {scale.name: _score(instrument, scale, answers) for scale in instrument.declared}
    return Scores(
        rule_id=instrument.default_rule,
        values=values | {N_ANSWERED.name: known},
        n_missing=len(instrument.missing_keys(answers)),
        flags=("straight_line",) if _is_straight_line(instrument, answers) else (),
    )


def range_of(item: Item) -> tuple[float, float]:
    """Return the least and greatest value of an item that can be added."""
    return min(item.choices, default=item.low), max(item.choices, default=item.high)


def field_of(scale: ScaleScore, items: dict[str, Item]) -> ScoreField:
    """Return the name and range of a declared score."""
    ranges = [range_of(items[key]) for key in scale.items]
    low, high = (sum(bounds) for bounds in zip(*ranges, strict=True))
    n = len(ranges) if scale.method == "mean" else 1
    return ScoreField(scale.name, "points", low / n, high / n)


def _score(instrument: Instrument, scale: ScaleScore, answers: Answers) -> float | None:
    points = [_points(instrument.item(key), key in scale.reversed, answers) for key in scale.items]
    known = [value for value in points if value is not None]
    if not known or len(points) - len(known) > scale.missing_allowed:
        return None
    if scale.method == "mean":
        return sum(known) / len(known)
    return sum(known) if len(known) == len(points) else sum(known) / len(known) * len(points)


def _points(item: Item, is_reversed: bool, answers: Answers) -> float | None:
    value = answers.get(item.key)
    if value is None or not is_reversed:
        return value
    return sum(range_of(item)) - value


LEAST_ITEMS_OF_A_LINE = 4


def _is_straight_line(instrument: Instrument, answers: Answers) -> bool:
    by_scale: dict[str, list[object]] = {}
    for item in instrument.items:
        if item.scale:
            by_scale.setdefault(item.scale, []).append(answers.get(item.key))
    long = [given for given in by_scale.values() if len(given) >= LEAST_ITEMS_OF_A_LINE]
    return bool(long) and all(len(set(given)) == 1 and given[0] is not None for given in long)
