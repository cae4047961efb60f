"""Morning sleep diary: eight answers about one night, and the times that follow from them.

The core of the Consensus Sleep Diary: into bed B, tried to sleep S, latency L, number of
awakenings, minutes awake W, final waking F, out of bed O, quality 1-5. All derived values are in
minutes, clock times are taken modulo 24 hours and must follow one another, B <= S <= F <= O, within
18 hours.

    TIB = O - B          time in bed
    SOL = L              sleep onset latency
    WASO = W             awake after sleep onset, the final waking not counted
    TWAK = O - F         awake in bed after the final waking
    TST = F - S - L - W  total sleep time, never below 0
    SE = 100 TST / TIB
    SE_DSE = 100 TST / (SOL + TST + WASO)

Numbered deviations from the source
-----------------------------------
1. Reed & Sacco's denominator also has the time spent trying to sleep after the final waking; the
   core diary does not ask it and it counts 0 here. Direction: SE_DSE slightly up.

References
----------
Carney CE et al. (2012). Sleep 35, 287-302.
Reed DL, Sacco WP (2016). Journal of Clinical Sleep Medicine 12, 263-266.
"""

from questionnaires.instruments.clock import minute_of_day, minutes_between
from questionnaires.instruments.instrument import (
    Answers,
    Instrument,
    Item,
    Kind,
    ScoreField,
    Scores,
)

DIARY_CORE_2012 = "diary_core_2012"
LONGEST_NIGHT_MIN = 18 * 60
CLOCK_KEYS = ("into_bed", "tried_to_sleep", "final_waking", "out_of_bed")

SLEEP_DIARY = Instrument(
    key="sleep_diary",
    version="1",
    items=(
        Item("into_bed", Kind.TIME),
        Item("tried_to_sleep", Kind.TIME),
        Item("latency_min", Kind.MINUTES, low=0, high=720),
        Item("awakenings", Kind.COUNT, low=0, high=50),
        Item("wake_min", Kind.MINUTES, low=0, high=720, asked_if="awakenings"),
        Item("final_waking", Kind.TIME),
        Item("out_of_bed", Kind.TIME),
        Item("quality", Kind.CHOICE, choices=(1, 2, 3, 4, 5), scale="quality"),
    ),
    rule_ids=(DIARY_CORE_2012,),
    scores=(
        ScoreField("tib_min", "min", 0, LONGEST_NIGHT_MIN),
        ScoreField("sol_min", "min", 0, 720),
        ScoreField("waso_min", "min", 0, 720),
        ScoreField("twak_min", "min", 0, LONGEST_NIGHT_MIN),
        ScoreField("tst_min", "min", 0, LONGEST_NIGHT_MIN),
        ScoreField("se_pct", "%", 0, 100),
        ScoreField("se_dse_pct", "%", 0, 100),
    ),
    missing_rule="A derived time is missing when an answer that it needs is missing or impossible.",
    source="Carney et al. 2012, Sleep 35, 287-302; Reed & Sacco 2016",
)


def score_diary_core_2012(answers: Answers) -> Scores:
    """Return the times that follow from one night's diary.

    Parameters
    ----------
    answers : mapping of str to value
        By item key; times ``HH:MM``, the rest in minutes. ``wake_min`` is 0 where ``awakenings``
        is 0.

    Returns
    -------
    Scores
        Minutes and per cents as the module's table defines them. Times that do not follow one
        another give no time in bed and the flag ``times_out_of_order``; more time awake than
        asleep time allows gives no total sleep time and the flag ``awake_exceeds_night``.
    """
    gaps = _gaps(answers)
    in_order = gaps is not None and sum(gaps) <= LONGEST_NIGHT_MIN
    sol, waso = answers.get("latency_min"), _waso(answers)
    tib = sum(gaps) if in_order else None
    tst = _total_sleep(gaps[1], sol, waso) if in_order else None
    is_negative = tst is not None and tst < 0
    tst = None if is_negative else tst
    return Scores(
        rule_id=DIARY_CORE_2012,
        values={
            "tib_min": tib,
            "sol_min": sol,
            "waso_min": waso,
            "twak_min": gaps[2] if in_order else None,
            "tst_min": tst,
            "se_pct": _percentage(tst, tib),
            "se_dse_pct": None if tst is None else _percentage(tst, sol + tst + waso),
        },
        n_missing=len(SLEEP_DIARY.missing_keys(answers)),
        flags=_flags(has_clock=gaps is not None, in_order=in_order, is_negative=is_negative),
    )


def _gaps(answers: Answers) -> tuple[int, int, int] | None:
    """Return the minutes B to S, S to F and F to O; ``None`` where a time is missing."""
    times = [answers.get(key) for key in CLOCK_KEYS]
    if None in times:
        return None
    bed, tried, waking, out = map(minute_of_day, times)
    return minutes_between(bed, tried), minutes_between(tried, waking), minutes_between(waking, out)


def _waso(answers: Answers) -> float | None:
    return 0 if answers.get("awakenings") == 0 else answers.get("wake_min")


def _total_sleep(asleep_window: int, sol: float | None, waso: float | None) -> float | None:
    return None if sol is None or waso is None else asleep_window - sol - waso


def _percentage(part: float | None, whole: float | None) -> float | None:
    return 100 * part / whole if part is not None and whole else None


def _flags(*, has_clock: bool, in_order: bool, is_negative: bool) -> tuple[str, ...]:
    claims = {
        "times_out_of_order": has_clock and not in_order,
        "awake_exceeds_night": is_negative,
    }
    return tuple(name for name, holds in claims.items() if holds)
