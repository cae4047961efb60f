"""Morning diary of the music arms: six taps about one night, under a minute, nothing to type.

Bands instead of minutes: nobody in these arms needs an exact time, and a number that is typed half
asleep is not better than a band. What comes out are the lower bounds of the bands and the ratings.
There is no time in bed and therefore no sleep efficiency: only the full diary (``sleep_diary``)
yields one.

Written for this project; it is not a published scale and has no total.
"""

from questionnaires.instruments.instrument import (
    Answers,
    Instrument,
    Item,
    Kind,
    ScoreField,
    Scores,
)

MORNING_DIARY_BANDS = "morning_diary_bands"

LATENCY_FROM_MIN = (0, 15, 30, 60)
AWAKENINGS_FROM = (0, 1, 2, 3)
SLEEP_FROM_H = (0, 5, 6, 7, 8, 9)
FROM_1_TO_5 = (1, 2, 3, 4, 5)


def _bands(key: str, bounds: tuple[int, ...]) -> Item:
    return Item(key, Kind.CHOICE, choices=tuple(range(len(bounds))), scale=key)


MORNING_DIARY = Instrument(
    key="morning_diary",
    version="1",
    items=(
        _bands("latency_band", LATENCY_FROM_MIN),
        _bands("awakenings_band", AWAKENINGS_FROM),
        _bands("sleep_band", SLEEP_FROM_H),
        Item("quality", Kind.CHOICE, choices=FROM_1_TO_5, scale="quality"),
        Item("rested", Kind.CHOICE, choices=FROM_1_TO_5, scale="rested"),
        Item("music", Kind.CHOICE, choices=(0, 1, 2), scale="music"),
    ),
    rule_ids=(MORNING_DIARY_BANDS,),
    scores=(
        ScoreField("latency_at_least_min", "min", 0, LATENCY_FROM_MIN[-1]),
        ScoreField("awakenings_at_least", "times", 0, AWAKENINGS_FROM[-1]),
        ScoreField("sleep_at_least_h", "h", 0, SLEEP_FROM_H[-1]),
        ScoreField("quality_points", "points", 1, 5),
        ScoreField("rested_points", "points", 1, 5),
    ),
    missing_rule="A value is missing when its answer is.",
    source="Written for this project",
)


def score_morning_diary_bands(answers: Answers) -> Scores:
    """Return the lower bounds of the bands and the two ratings of one night.

    Parameters
    ----------
    answers : mapping of str to int or None
        ``latency_band`` 0-3, ``awakenings_band`` 0-3, ``sleep_band`` 0-5, ``quality`` and
        ``rested`` 1-5, ``music`` 0-2.

    Returns
    -------
    Scores
        ``latency_at_least_min`` in minutes, ``awakenings_at_least``, ``sleep_at_least_h`` in
        hours, ``quality_points`` and ``rested_points`` 1-5, higher is better.
    """
    return Scores(
        rule_id=MORNING_DIARY_BANDS,
        values={
            "latency_at_least_min": _bound(answers.get("latency_band"), LATENCY_FROM_MIN),
            "awakenings_at_least": _bound(answers.get("awakenings_band"), AWAKENINGS_FROM),
            "sleep_at_least_h": _bound(answers.get("sleep_band"), SLEEP_FROM_H),
            "quality_points": answers.get("quality"),
            "rested_points": answers.get("rested"),
        },
        n_missing=len(MORNING_DIARY.missing_keys(answers)),
    )


def _bound(band: int | None, bounds: tuple[int, ...]) -> int | None:
    return None if band is None else bounds[band]
