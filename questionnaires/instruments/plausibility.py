"""Questions worth asking back before a response is handed in; none of them refuses an answer.

The commonest mistake with a 24-hour clock is the half-day slip: 11:30 typed for half past eleven at
night turns seven hours of sleep into an efficiency of 36 % and a component of 3 instead of 0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, starmap

from questionnaires.instruments.clock import (
    MINUTES_IN_DAY,
    minute_of_day,
    minutes_between,
    time_of_day,
)
from questionnaires.instruments.instrument import Answers, Instrument
from questionnaires.instruments.psqi import (
    LONGEST_LIKELY_TIB_H,
    PSQI,
    SHORTEST_LIKELY_TIB_H,
)
from questionnaires.instruments.sleep_diary import (
    CLOCK_KEYS,
    LONGEST_NIGHT_MIN,
    SLEEP_DIARY,
    score_diary_core_2012,
)

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
    if "times_out_of_order" in flags:
        return _about_order([answers[key] for key in CLOCK_KEYS])
    questions = _about_time_in_bed("into_bed", bed, "out_of_bed", out)
    if "awake_exceeds_night" in flags:
        questions.append(Question("latency_min", "awake_exceeds_night"))
    return questions


def _about_order(times: list[str]) -> list[Question]:
    """Return what to ask about four times of one night that do not follow one another.

    The time to look at again is the one without which the others make a likely night; where that
    is true of two, such as neighbours that changed places, the one that breaks the order.
    """
    minutes = [minute_of_day(time) for time in times]
    places = range(len(times))
    breaking = [at for at in places if at and _is_before(minutes[at], minutes[at - 1])]
    alone = [at for at in places if _is_likely([*minutes[:at], *minutes[at + 1 :]])]
    if not alone:
        # Two times or more are wrong. Bed and rise say most about which.
        ends = _about_time_in_bed(CLOCK_KEYS[0], times[0], CLOCK_KEYS[-1], times[-1])
        return ends or [_out_of_order(times, (breaking or [1])[0])]
    place = next((at for at in alone if at in breaking), alone[0])
    slipped = (minutes[place] + HALF_DAY_MIN) % MINUTES_IN_DAY
    if not _is_likely([*minutes[:place], slipped, *minutes[place + 1 :]]):
        return [_out_of_order(times, place)]
    params = {"typed": times[place], "suggested": time_of_day(slipped)}
    return [Question(CLOCK_KEYS[place], "half_day_slip", params)]


def _out_of_order(times: list[str], place: int) -> Question:
    return Question(CLOCK_KEYS[place], "times_out_of_order", {"typed": times[place]})


def _is_before(minute: int, other: int) -> bool:
    """Return whether the clock is rather before another time of the same night than after it."""
    return minutes_between(other, minute) > LONGEST_NIGHT_MIN


def _is_likely(minutes: list[int]) -> bool:
    """Return whether times follow one another within a night of a likely length."""
    night = sum(starmap(minutes_between, pairwise(minutes)))
    return SHORTEST_LIKELY_MIN <= night <= LONGEST_LIKELY_MIN


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
