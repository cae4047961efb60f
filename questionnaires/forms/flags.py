"""Flags in plain words, for whoever looks after the data; a flag never changes a score."""

from django.utils.translation import gettext, gettext_lazy

from questionnaires.instruments.instrument import Instrument
from questionnaires.instruments.wording import Wording

FLAG_WORDS = {
    "other_reason_missing": gettext_lazy("another reason for bad sleep was not named: counted 0"),
    "tib_not_derivable": gettext_lazy("the same time for going to bed and getting up"),
    "tib_under_3_h": gettext_lazy("less than 3 hours in bed: perhaps a slip of twelve hours"),
    "tib_over_14_h": gettext_lazy("more than 14 hours in bed: perhaps a slip of twelve hours"),
    "sleep_exceeds_tib": gettext_lazy("more sleep than time in bed"),
    "latency_exceeds_tib": gettext_lazy("longer until asleep than in bed"),
    "straight_line": gettext_lazy("the same answer throughout"),
    "one_item_missing": gettext_lazy("one answer is missing"),
    "times_out_of_order": gettext_lazy("times do not follow one another"),
    "awake_exceeds_night": gettext_lazy("more minutes awake than the night has"),
    "fast": gettext_lazy("answered faster than most people read"),
}
MIDPOINT = "_midpoint"


def flag_texts(instrument: Instrument, flags: tuple[str, ...], wording: Wording) -> list[str]:
    """Return each flag in words; one that has none yet is shown by its name."""
    return [_text(instrument, flag, wording) for flag in flags]


def _text(instrument: Instrument, flag: str, wording: Wording) -> str:
    if flag in FLAG_WORDS:
        return str(FLAG_WORDS[flag])
    key = flag.removesuffix(MIDPOINT)
    if key != flag and key in {item.key for item in instrument.items}:
        label = {"item": wording.items[key].label}
        return gettext("a range was typed, its middle counts: %(item)s") % label
    return flag.replace("_", " ")
