"""Credibility and expectancy of a treatment: six items, two factors.

Asked once the treatment is known and before it can have worked. Three items say how believable the
treatment is (*credibility*), three how much improvement somebody expects (*expectancy*); a
difference between arms is a rival explanation of a difference in outcome.

Four items are answered 1-9 and two in steps of ten per cent. The two are brought to 1-9 before
they are added, so that each item weighs the same: 1 + 8 x per cent / 100.

Numbered deviations from the source
-----------------------------------
1. The source standardises items of unlike scales over the sample. A fixed rescaling gives the same
   score to the same answers in every sample. Direction: none on the order within an item.

References
----------
Devilly GJ, Borkovec TD (2000). Journal of Behavior Therapy and Experimental Psychiatry 31, 73-86.
"""

from questionnaires.instruments.instrument import (
    Answers,
    Instrument,
    Item,
    Kind,
    ScoreField,
    Scores,
    Value,
)

CEQ_DEVILLY2000 = "ceq_devilly2000"

FROM_1_TO_9 = tuple(range(1, 10))
PER_CENT = tuple(range(0, 101, 10))
CREDIBILITY_KEYS = ("logical", "useful", "recommend")
EXPECTANCY_KEYS = ("improvement_thought", "help_felt", "improvement_felt")
ITEM_KEYS = (*CREDIBILITY_KEYS, *EXPECTANCY_KEYS)


def _item(key: str) -> Item:
    if key.startswith("improvement"):
        return Item(key, Kind.CHOICE, choices=PER_CENT, scale="improvement")
    return Item(key, Kind.CHOICE, choices=FROM_1_TO_9, scale="agreement")


CREDIBILITY_EXPECTANCY = Instrument(
    key="credibility_expectancy",
    version="1",
    items=tuple(_item(key) for key in ITEM_KEYS),
    rule_ids=(CEQ_DEVILLY2000,),
    scores=(
        ScoreField("credibility", "points", 3, 27),
        ScoreField("expectancy", "points", 3, 27),
    ),
    missing_rule="A factor is missing when any of its three items is.",
    source="Devilly & Borkovec 2000, J Behav Ther Exp Psychiatry 31, 73-86",
)


def score_ceq_devilly2000(answers: Answers) -> Scores:
    """Return the two factors.

    Parameters
    ----------
    answers : mapping of str to int or None
        ``logical``, ``useful``, ``recommend`` and ``help_felt`` 1-9; ``improvement_thought`` and
        ``improvement_felt`` in per cent, 0-100.

    Returns
    -------
    Scores
        ``credibility`` and ``expectancy``, each 3-27; higher is more. The flag ``straight_line``
        says that the four items answered 1-9 got one answer and both percentages another.
    """
    points = {item.key: _points(item, answers.get(item.key)) for item in _ITEMS}
    is_complete = None not in points.values()
    return Scores(
        rule_id=CEQ_DEVILLY2000,
        values={
            "credibility": _sum([points[key] for key in CREDIBILITY_KEYS]),
            "expectancy": _sum([points[key] for key in EXPECTANCY_KEYS]),
        },
        n_missing=sum(value is None for value in points.values()),
        flags=("straight_line",) if is_complete and _is_straight_line(answers) else (),
    )


_ITEMS = CREDIBILITY_EXPECTANCY.items


def _points(item: Item, value: Value) -> float | None:
    if value is None or item.choices == FROM_1_TO_9:
        return value
    return 1 + 8 * value / 100


def _sum(points: list[float | None]) -> float | None:
    return None if None in points else sum(points)


def _is_straight_line(answers: Answers) -> bool:
    by_scale = {(item.scale, answers[item.key]) for item in _ITEMS}
    return len(by_scale) == len(CREDIBILITY_EXPECTANCY.scales)
