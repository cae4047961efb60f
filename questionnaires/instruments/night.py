"""How long a night was by somebody's answers: said back to them before they hand it in."""

from dataclasses import dataclass

from questionnaires.instruments.clock import MINUTES_IN_HOUR, minute_of_day, minutes_between
from questionnaires.instruments.instrument import Answers, Instrument
from questionnaires.instruments.psqi import PSQI
from questionnaires.instruments.sleep_diary import SLEEP_DIARY, score_diary_core_2012


@dataclass(frozen=True, slots=True)
class Night:
    """Minutes in bed, and minutes asleep where they are known."""

    in_bed_min: int
    asleep_min: int | None


def night_in(instrument: Instrument, answers: Answers) -> Night | None:
    """Return the night that these answers describe.

    Parameters
    ----------
    instrument : Instrument
        The PSQI (a usual night) or the sleep diary (last night); any other describes none.
    answers : mapping of str to value
        By item key.

    Returns
    -------
    Night or None
        None where the times are missing or contradict each other.
    """
    if instrument.key == PSQI.key:
        return _usual_night(answers)
    if instrument.key == SLEEP_DIARY.key:
        return _last_night(answers)
    return None


def _usual_night(answers: Answers) -> Night | None:
    bed, rise, sleep_h = (answers.get(key) for key in ("bed", "rise", "sleep_h"))
    if bed is None or rise is None or bed == rise:
        return None
    in_bed = minutes_between(minute_of_day(bed), minute_of_day(rise))
    return Night(in_bed, None if sleep_h is None else round(sleep_h * MINUTES_IN_HOUR))


def _last_night(answers: Answers) -> Night | None:
    values = score_diary_core_2012(answers).values
    in_bed, asleep = values["tib_min"], values["tst_min"]
    if not in_bed:
        return None
    return Night(round(in_bed), None if asleep is None else round(asleep))
