"""Pittsburgh Sleep Quality Index: 18 scored answers and one reason, 7 components, total 0-21.

Higher is worse. Recall is one month. Items have semantic keys: ``d_a`` to ``d_j`` are the ten
disturbances, ``d_j_reason`` says what the tenth one was.

Rules
-----
``pitt2005`` (default): the University of Pittsburgh's administration instructions, with the rule
of 20 May 2005 for ``d_j``. Seven hours score 0, an efficiency of 85 % scores 0.
``buysse1989``: the boundaries as the paper prints them; only more than seven hours and more than
85 % score 0. On whole-hour answers it rates people slightly worse.

Numbered deviations from the source
-----------------------------------
1. ``d_j`` is set to 0 for a missing reason only where the reason was asked (the key
   ``d_j_reason`` is there); tables without that column keep their ``d_j``. Direction: total up by
   at most 1.
2. Efficiency is never capped at 100 %: the component is 0 either way, a cap would hide the error.
3. Bed and rise at the same minute are 0 or 24 hours; neither is assumed, efficiency is missing.

References
----------
Buysse DJ, Reynolds CF, Monk TH, Berman SR, Kupfer DJ (1989). Psychiatry Research 28, 193-213.
University of Pittsburgh, PSQI Form Administration Instructions (rule of 20 May 2005 for 5j).
"""

from bisect import bisect_left

from questionnaires.instruments.clock import minute_of_day, minutes_between
from questionnaires.instruments.instrument import (
    Answers,
    Instrument,
    Item,
    Kind,
    ScoreField,
    Scores,
)

PITT2005 = "pitt2005"
BUYSSE1989 = "buysse1989"

POOR_SLEEP_ABOVE = 5  # Buysse 1989: a total above 5 tells poor sleepers from good ones
SHORTEST_LIKELY_TIB_H = 3
LONGEST_LIKELY_TIB_H = 14

MINUTES_IN_HOUR = 60
# Boundaries are compared in whole micro-minutes: 391 / 60 hours has no exact binary form.
MICROMINUTES = 1_000_000
MICROMINUTES_IN_HOUR = MINUTES_IN_HOUR * MICROMINUTES

LATENCY_UPPER_BOUNDS_MIN = (15, 30, 60)
DURATION_LOWER_BOUNDS = tuple(hours * MICROMINUTES_IN_HOUR for hours in (7, 6, 5))
EFFICIENCY_LOWER_BOUNDS_PCT = (85, 75, 65)
DISTURBANCE_UPPER_BOUNDS = (0, 9, 18)
PAIR_UPPER_BOUNDS = (0, 2, 4)

FROM_0_TO_3 = (0, 1, 2, 3)
DISTURBANCES = tuple(f"d_{letter}" for letter in "bcdefghi")
CODED = ("d_a", *DISTURBANCES, "quality", "meds", "awake", "enthusiasm")
COMPONENTS = (
    "quality",
    "latency",
    "duration",
    "efficiency",
    "disturbance",
    "medication",
    "dysfunction",
)


def _frequency(key: str, **options: object) -> Item:
    return Item(key, Kind.CHOICE, choices=FROM_0_TO_3, scale="frequency", **options)


PSQI = Instrument(
    key="psqi",
    version="1",
    items=(
        Item("bed", Kind.TIME),
        Item("latency_min", Kind.MINUTES, low=0, high=720),
        Item("rise", Kind.TIME),
        Item("sleep_h", Kind.HOURS_MINUTES, low=0, high=24),
        _frequency("d_a"),
        *(_frequency(key) for key in DISTURBANCES),
        Item("d_j_reason", Kind.TEXT, low=0, high=500, required=False),
        _frequency("d_j", required=False, asked_if="d_j_reason"),
        Item("quality", Kind.CHOICE, choices=FROM_0_TO_3, scale="quality"),
        _frequency("meds"),
        _frequency("awake"),
        Item("enthusiasm", Kind.CHOICE, choices=FROM_0_TO_3, scale="problem"),
    ),
    rule_ids=(PITT2005, BUYSSE1989),
    scores=(
        *(ScoreField(f"component_{name}", "points", 0, 3) for name in COMPONENTS),
        ScoreField("total", "points", 0, 21),
        ScoreField("tib_h", "h", 0, 24),
        ScoreField("se_pct", "%", 0),
    ),
    missing_rule=(
        "A component is missing when an item of it is missing, the total when a component is; "
        "d_j counts 0 when it or its reason is missing."
    ),
    source="Buysse et al. 1989, Psychiatry Research 28, 193-213; Pittsburgh instructions 2005",
)


def score_pitt2005(answers: Answers) -> Scores:
    """Return PSQI scores by the Pittsburgh instructions; see ``score_psqi``."""
    return score_psqi(answers, rule_id=PITT2005)


def score_buysse1989(answers: Answers) -> Scores:
    """Return PSQI scores by the boundaries printed in 1989; see ``score_psqi``."""
    return score_psqi(answers, rule_id=BUYSSE1989)


def score_psqi(answers: Answers, *, rule_id: str) -> Scores:
    """Return the seven components, the total, hours in bed and sleep efficiency.

    Parameters
    ----------
    answers : mapping of str to value
        Values as ``read_answer`` gives them, by item key: times ``HH:MM``, ``latency_min`` in
        minutes, ``sleep_h`` in hours, codes 0-3. An absent key is a missing answer, except that
        an absent ``d_j_reason`` says that no reason was asked for.
    rule_id : {"pitt2005", "buysse1989"}
        Which boundaries apply.

    Returns
    -------
    Scores
        ``component_*`` 0-3, ``total`` 0-21 (above 5: poor sleep), ``tib_h`` hours in bed,
        ``se_pct`` efficiency in per cent, not rounded and not capped.
    """
    tib_min = time_in_bed_min(answers)
    asleep = _asleep_micromin(answers)
    se_pct = None if tib_min is None or asleep is None else asleep / (tib_min * MICROMINUTES / 100)
    is_open = rule_id == BUYSSE1989
    components = {
        "quality": answers.get("quality"),
        "latency": _latency(answers),
        "duration": _points_below(asleep, DURATION_LOWER_BOUNDS, is_open=is_open),
        "efficiency": _points_below(se_pct, EFFICIENCY_LOWER_BOUNDS_PCT, is_open=is_open),
        "disturbance": _disturbance(answers),
        "medication": answers.get("meds"),
        "dysfunction": _pair(answers.get("awake"), answers.get("enthusiasm")),
    }
    is_complete = None not in components.values()
    return Scores(
        rule_id=rule_id,
        values={
            **{f"component_{name}": points for name, points in components.items()},
            "total": sum(components.values()) if is_complete else None,
            "tib_h": None if tib_min is None else tib_min / MINUTES_IN_HOUR,
            "se_pct": se_pct,
        },
        n_missing=len(PSQI.missing_keys(answers)),
        flags=_flags(answers, tib_min, asleep),
    )


def time_in_bed_min(answers: Answers) -> int | None:
    """Return minutes from going to bed to getting up; ``None`` where they cannot be told."""
    bed, rise = answers.get("bed"), answers.get("rise")
    if bed is None or rise is None or bed == rise:
        return None
    return minutes_between(minute_of_day(bed), minute_of_day(rise))


def other_reason_counts(answers: Answers) -> bool:
    """Return whether ``d_j`` counts: it has a value and, where one was asked for, a reason."""
    if answers.get("d_j") is None:
        return False
    return "d_j_reason" not in answers or bool(str(answers["d_j_reason"] or "").strip())


def _asleep_micromin(answers: Answers) -> int | None:
    hours = answers.get("sleep_h")
    return None if hours is None else round(hours * MICROMINUTES_IN_HOUR)


def _latency(answers: Answers) -> int | None:
    minutes = answers.get("latency_min")
    if minutes is None:
        return None
    return _pair(bisect_left(LATENCY_UPPER_BOUNDS_MIN, minutes), answers.get("d_a"))


def _disturbance(answers: Answers) -> int | None:
    counted = [answers.get(key) for key in DISTURBANCES]
    if None in counted:
        return None
    other = answers["d_j"] if other_reason_counts(answers) else 0
    return bisect_left(DISTURBANCE_UPPER_BOUNDS, sum(counted) + other)


def _pair(first: int | None, second: int | None) -> int | None:
    if first is None or second is None:
        return None
    return bisect_left(PAIR_UPPER_BOUNDS, first + second)


def _points_below(
    value: float | None, lower_bounds: tuple[int, ...], *, is_open: bool
) -> int | None:
    """Return how many of the falling bounds lie above the value.

    With ``is_open`` the first bound itself is not good enough (the paper prints "> 7 hours" and
    "> 85 %"); the other bounds read the same under both rules.
    """
    if value is None:
        return None
    points = sum(value < bound for bound in lower_bounds)
    return 1 if is_open and value == lower_bounds[0] else points


def _is_straight_line(answers: Answers) -> bool:
    """Return whether one code above 0 answers everything; a good sleeper says 0 throughout."""
    codes = {answers.get(key) for key in CODED}
    return len(codes) == 1 and codes.isdisjoint({None, 0})


def _flags(answers: Answers, tib_min: int | None, asleep: int | None) -> tuple[str, ...]:
    claims = {
        "other_reason_missing": answers.get("d_j") not in (None, 0)
        and not other_reason_counts(answers),
        "tib_not_derivable": answers.get("bed") is not None
        and answers.get("bed") == answers.get("rise"),
        "straight_line": _is_straight_line(answers),
    }
    if tib_min is not None:
        latency_min = answers.get("latency_min")
        claims |= {
            "tib_under_3_h": tib_min < SHORTEST_LIKELY_TIB_H * MINUTES_IN_HOUR,
            "tib_over_14_h": tib_min > LONGEST_LIKELY_TIB_H * MINUTES_IN_HOUR,
            "sleep_exceeds_tib": asleep is not None and asleep > tib_min * MICROMINUTES,
            "latency_exceeds_tib": latency_min is not None and latency_min > tib_min,
        }
    return tuple(name for name, holds in claims.items() if holds)
