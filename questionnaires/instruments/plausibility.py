"""Questions worth asking back before a response is handed in; none of them refuses an answer.

The commonest mistake with a 24-hour clock is the half-day slip: 11:30 typed for half past eleven at
night turns seven hours of sleep into an efficiency of 36 % and a component of 3 instead of 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from questionnaires.instruments.clock import minute_of_day, minutes_between, time_of_day
from questionnaires.instruments.instrument import Answers, Instrument
from questionnaires.instruments.psqi import (
    LONGEST_LIKELY_TIB_H,
    PSQI,
    SHORTEST_LIKELY_TIB_H,
)
from questionnaires.instruments.sleep_diary import SLEEP_DIARY, score_diary_core_2012

MINUTES_IN_HOUR = 60
HALF_DAY_MIN = 720
SHORTEST_LIKELY_MIN = SHORTEST_LIKELY_TIB_H * MINUTES_IN_HOUR
LONGEST_LIKELY_MIN = LONGEST_LIKELY_TIB_H * MINUTES_IN_HOUR
EVENING_FROM_MIN = 18 * MINUTES_IN_HOUR
NIGHT_UNTIL_MIN = 6 * MINUTES_IN_HOUR


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask back: which item to look at again, which question, with which numbers."""

    item_key: str
    code: str
    params: Mapping[str, str] = field(default_factory=dict)


def implausible(instrument: Instrument, answers: Answers) -> list[Question]:
    """Return what to ask back about these answers; an empty list for most.

    Parameters
    ----------
    instrument : Instrument
        Whose answers they are; only the PSQI and the diary have such questions.
    answers : mapping of str to value
        Missing answers raise no question.
    """
    ask = ASKERS.get(instrument.key)
    return ask(answers) if ask else []


def _about_psqi(answers: Answers) -> list[Question]:
    bed, rise = answers.get("bed"), answers.get("rise")
    if bed is None or rise is None:
        return []
    if bed == rise:
        return [Question("rise", "same_time", {"time": rise})]
    tib = minutes_between(minute_of_day(bed), minute_of_day(rise))
    questions = _about_time_in_bed("bed", bed, "rise", rise)
    latency_min, sleep_h = answers.get("latency_min"), answers.get("sleep_h")
    if sleep_h is not None and round(sleep_h * MINUTES_IN_HOUR, 6) > tib:
        minutes = round(sleep_h * MINUTES_IN_HOUR)
        questions.append(
            Question(
                "sleep_h",
                "sleep_exceeds_tib",
                {"sleep": hours_and_minutes(minutes), "tib": hours_and_minutes(tib)},
            )
        )
    if latency_min is not None and latency_min > tib:
        questions.append(_latency_question(latency_min, tib))
    return questions


def _about_diary(answers: Answers) -> list[Question]:
    bed, out = answers.get("into_bed"), answers.get("out_of_bed")
    if bed is None or out is None:
        return []
    if bed == out:
        return [Question("out_of_bed", "same_time", {"time": out})]
    flags = score_diary_core_2012(answers).flags
    questions = _about_time_in_bed("into_bed", bed, "out_of_bed", out)
    if "times_out_of_order" in flags and not questions:
        questions.append(Question("tried_to_sleep", "times_out_of_order"))
    if "awake_exceeds_night" in flags:
        questions.append(Question("latency_min", "awake_exceeds_night"))
    return questions


def _about_time_in_bed(bed_key: str, bed: str, rise_key: str, rise: str) -> list[Question]:
    bed_min, rise_min = minute_of_day(bed), minute_of_day(rise)
    tib = minutes_between(bed_min, rise_min)
    if SHORTEST_LIKELY_MIN <= tib <= LONGEST_LIKELY_MIN:
        return []
    if tib - HALF_DAY_MIN < SHORTEST_LIKELY_MIN:
        return [Question(bed_key, "time_in_bed", {"tib": hours_and_minutes(tib)})]
    # Either clock may have slipped: whoever goes to bed by daylight most likely meant the night.
    key, typed, minute = (
        (rise_key, rise, rise_min) if _is_night(bed_min) else (bed_key, bed, bed_min)
    )
    suggested = time_of_day(minute + HALF_DAY_MIN)
    params = {"typed": typed, "suggested": suggested, "tib": hours_and_minutes(tib)}
    return [Question(key, "half_day_slip", params)]


def _is_night(minute: int) -> bool:
    return minute >= EVENING_FROM_MIN or minute < NIGHT_UNTIL_MIN


def _latency_question(latency_min: float, tib: int) -> Question:
    return Question(
        "latency_min",
        "latency_exceeds_tib",
        {"latency": hours_and_minutes(round(latency_min)), "tib": hours_and_minutes(tib)},
    )


def hours_and_minutes(minutes: int) -> str:
    """Return a duration as ``H:MM``.

    Examples
    --------
    >>> hours_and_minutes(1170)
    '19:30'
    """
    hours, rest = divmod(minutes, MINUTES_IN_HOUR)
    return f"{hours}:{rest:02d}"


ASKERS: dict[str, Callable[[Answers], list[Question]]] = {
    PSQI.key: _about_psqi,
    SLEEP_DIARY.key: _about_diary,
}
