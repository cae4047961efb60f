"""The answers as sentences, and what to ask back, for the page before submission."""

import math
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy, ngettext

from questionnaires.instruments.clock import MINUTES_IN_HOUR
from questionnaires.instruments.instrument import Answers, Instrument, Item, Kind, Value
from questionnaires.instruments.night import night_in
from questionnaires.instruments.plausibility import Question, implausible
from questionnaires.instruments.reading import is_range
from questionnaires.instruments.spoken_time import spoken_time
from questionnaires.instruments.wording import Wording
from questionnaires.models import Response
from questionnaires.selectors import answers_of, declined_items, wording_for

QUESTIONS = {
    "half_day_slip": gettext_lazy("You wrote %(typed)s. Is that right, or is it %(suggested)s?"),
    "time_in_bed": gettext_lazy(
        "From going to bed to getting up it is %(tib)s (hours:minutes). Is that right?"
    ),
    "same_time": gettext_lazy("You wrote %(time)s for both times. Look at them again."),
    "sleep_exceeds_tib": gettext_lazy(
        "You wrote %(sleep)s of sleep and %(tib)s in bed (hours:minutes). Is that right?"
    ),
    "latency_exceeds_tib": gettext_lazy(
        "You wrote %(latency)s until asleep and %(tib)s in bed (hours:minutes). Is that right?"
    ),
    "times_out_of_order": gettext_lazy(
        "You wrote %(typed)s, and the times do not follow one another. Is that right?"
    ),
    "awake_exceeds_night": gettext_lazy(
        "The minutes awake are more than the whole night. Is that right?"
    ),
}


@dataclass(frozen=True, slots=True)
class AskedBack:
    """A question about one item, worded; the answer stays as it is unless it is changed."""

    item_key: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One line of the check page."""

    item_key: str
    label: str
    answer: str
    is_answered: bool
    is_declined: bool
    question: str


def plausibility(instrument: Instrument, answers: Answers) -> list[AskedBack]:
    """Return what to ask back before submission; it never refuses an answer."""
    return [
        AskedBack(question.item_key, question.code, _question_text(question))
        for question in implausible(instrument, answers)
    ]


def review_rows(response: Response, language: str) -> list[ReviewRow]:
    """Return a line for every item that applies, with its answer in words."""
    instrument, answers = response.definition, answers_of(response)
    wording = wording_for(response, language)
    asked_back = {asked.item_key: asked.text for asked in plausibility(instrument, answers)}
    declined = declined_items(response)
    typed = dict(response.answers.values_list("item_key", "raw"))
    return [
        ReviewRow(
            item_key=item.key,
            label=wording.items[item.key].label,
            answer=_in_words(item, answers.get(item.key), typed.get(item.key, ""), wording),
            is_answered=item.key in answers,
            is_declined=item.key in declined,
            question=asked_back.get(item.key, ""),
        )
        for item in instrument.asked_items(answers)
    ]


def night_words(response: Response) -> str:
    """Return how long the night was that a response describes; empty where it describes none."""
    night = night_in(response.definition, answers_of(response))
    if night is None:
        return ""
    if night.asleep_min is None:
        return gettext("That is %(bed)s in bed.") % {"bed": _duration(night.in_bed_min)}
    return gettext("That is %(bed)s in bed and %(asleep)s asleep.") % {
        "bed": _duration(night.in_bed_min),
        "asleep": _duration(night.asleep_min),
    }


def read_back(item: Item, value: Value, wording: Wording) -> str:
    """Return a time as a sentence, such as "You go to bed at 00:30: half past midnight."."""
    if item.kind is not Kind.TIME or value is None:
        return ""
    sentence = wording.items[item.key].read_back
    return sentence.format(time=value, spoken=spoken_time(value, wording.language))


def answer_text(item: Item, value: Value, wording: Wording) -> str:
    """Return an answer in words."""
    if value is None:
        return gettext("No answer")
    if item.kind is Kind.CHOICE:
        return wording.scales[item.scale][value]
    if item.kind is Kind.HOURS_MINUTES:
        return _duration(round(value * MINUTES_IN_HOUR))
    if item.kind is Kind.MINUTES:
        text = ngettext("%(n)s minute", "%(n)s minutes", math.ceil(value))
        return text % {"n": number_format(value)}
    if item.kind is Kind.COUNT:
        return ngettext("%(n)d time", "%(n)d times", value) % {"n": value}
    return str(value)


def _in_words(item: Item, value: Value, typed: str, wording: Wording) -> str:
    words = read_back(item, value, wording) or answer_text(item, value, wording)
    if is_range(item, typed):
        return gettext("%(typed)s, counted as %(answer)s") % {"typed": typed, "answer": words}
    return words


def _duration(minutes: int) -> str:
    hours, rest = divmod(minutes, MINUTES_IN_HOUR)
    return gettext("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}


def _question_text(question: Question) -> str:
    return QUESTIONS[question.code] % question.params
