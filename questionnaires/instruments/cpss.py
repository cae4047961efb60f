"""Chinese Perceived Stress Scale, 14 items coded 0-4 ("never" to "very often"), total 0-56.

Higher is worse. The seven positively worded items are reversed before they are added. Two factors:
*tension* (the negatively worded items) and *control* (loss of control, the reversed items), each
0-28. There is no severity band and none is shown to participants: bands that circulate belong to
1-5 coding or to the ten-item scale.

The same answer throughout scores 28 if it is all 0, all 2 or all 4, and would pass the screen at
26: it is flagged ``straight_line``, never dropped.

Missing items: all 14 are required. If data come in otherwise, any missing item leaves the total
missing. ``total_one_imputed`` fills exactly one missing item with the person's mean in the same
factor, for sensitivity analyses only. ``total_without_item_12`` leaves out the item that loads on
both factors (Huang 2020).

References
----------
Yang TZ, Huang HT (2003). Chinese Journal of Epidemiology 24, 760-764.
Cohen S, Kamarck T, Mermelstein R (1983). Journal of Health and Social Behavior 24, 385-396.
Huang F et al. (2020). BMC Psychiatry 20:130.
"""

from questionnaires.instruments.instrument import (
    Answers,
    Instrument,
    Item,
    Kind,
    ScoreField,
    Scores,
)

CPSS14_YANG2003 = "cpss14_yang2003"

REVERSED = (4, 5, 6, 7, 9, 10, 13)
DIRECT = (1, 2, 3, 8, 11, 12, 14)
TOP_CODE = 4
HEALTH_RISK_STRESS_FROM = 26  # Yang 2003 and 2012: "above 25"
ITEM_12 = "item_12"

CPSS = Instrument(
    key="cpss",
    version="1",
    items=tuple(
        Item(
            f"item_{number}",
            Kind.CHOICE,
            choices=tuple(range(TOP_CODE + 1)),
            scale="frequency",
        )
        for number in range(1, 15)
    ),
    rule_ids=(CPSS14_YANG2003,),
    scores=(
        ScoreField("tension", "points", 0, 28),
        ScoreField("control", "points", 0, 28),
        ScoreField("total", "points", 0, 56),
        ScoreField("total_one_imputed", "points", 0, 56),
        ScoreField("total_without_item_12", "points", 0, 52),
    ),
    missing_rule=(
        "The total is missing when any item is; total_one_imputed fills exactly one missing item "
        "with the person's mean within its factor (sensitivity only)."
    ),
    source="Yang & Huang 2003, Chinese Journal of Epidemiology 24, 760-764",
)


def score_cpss14_yang2003(answers: Answers) -> Scores:
    """Return the two factors and the total of the 14-item Chinese scale.

    Parameters
    ----------
    answers : mapping of str to int or None
        ``item_1`` to ``item_14``, coded 0-4 as answered, not reversed.

    Returns
    -------
    Scores
        ``tension`` and ``control`` 0-28, ``total`` 0-56, and the two sensitivity totals.
    """
    tension = _points(answers, DIRECT, is_reversed=False)
    control = _points(answers, REVERSED, is_reversed=True)
    points = tension | control
    n_missing = sum(value is None for value in points.values())
    total = _sum(points)
    flags = []
    if n_missing == 0 and len({answers[key] for key in points}) == 1:
        flags.append("straight_line")
    if n_missing == 1:
        flags.append("one_item_missing")
    return Scores(
        rule_id=CPSS14_YANG2003,
        values={
            "tension": _sum(tension),
            "control": _sum(control),
            "total": total,
            "total_one_imputed": _one_imputed(tension, control) if n_missing == 1 else total,
            "total_without_item_12": _sum(
                {key: value for key, value in points.items() if key != ITEM_12}
            ),
        },
        n_missing=n_missing,
        flags=tuple(flags),
    )


def _points(
    answers: Answers, numbers: tuple[int, ...], *, is_reversed: bool
) -> dict[str, int | None]:
    codes = {f"item_{number}": answers.get(f"item_{number}") for number in numbers}
    if not is_reversed:
        return codes
    return {key: None if code is None else TOP_CODE - code for key, code in codes.items()}


def _sum(points: dict[str, int | None]) -> int | None:
    return None if None in points.values() else sum(points.values())


def _one_imputed(tension: dict[str, int | None], control: dict[str, int | None]) -> float:
    total = 0.0
    for factor in (tension, control):
        known = [value for value in factor.values() if value is not None]
        total += sum(known) / len(known) * len(factor)
    return total
