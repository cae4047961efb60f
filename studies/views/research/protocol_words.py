"""A protocol, and what differs between two of them, in the words of the person who reads it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

from studies.design.amendments import Change
from studies.design.eligibility import Rule
from studies.design.parts import ConsentWording, Factor, Method, Source
from studies.design.protocol import Protocol
from studies.design.reminders import ReminderPlan
from studies.design.safety import SafetyPlan
from studies.views.reasons import ANSWER_WORDS, FACT_NAMES

PARTS = {
    "name": gettext_lazy("Template"),
    "participants_planned": gettext_lazy("Planned number of participants"),
    "arms": gettext_lazy("Arm"),
    "visits": gettext_lazy("Visit in week"),
    "factors": gettext_lazy("Balanced by"),
    "block_sizes": gettext_lazy("Sizes of the blocks"),
    "slots_per_stratum": gettext_lazy("Slots in each stratum"),
    "eligibility": gettext_lazy("Who may take part"),
    "night_minutes": gettext_lazy("Minutes of music a night"),
    "method": gettext_lazy("Method of allocation"),
    "distance": gettext_lazy("Distance between the arms"),
    "chance_percent": gettext_lazy("Chance of the best arm, in per cent"),
    "music": gettext_lazy("Music"),
    "cbt": gettext_lazy("Lessons"),
    "consent": gettext_lazy("Consent"),
    "screening": gettext_lazy("Screening"),
    "reminders": gettext_lazy("Reminders"),
    "safety": gettext_lazy("Safety"),
    "texts": gettext_lazy("Consent text in"),
    "two_people_open": gettext_lazy("Two people open and amend"),
    "treatment_weeks": gettext_lazy("Music and lessons end with the visit of week"),
}
METHODS = {
    Method.SIMPLE: gettext_lazy("Simple randomisation"),
    Method.BLOCKS: gettext_lazy("Permuted blocks of random size in each stratum"),
    Method.MINIMISATION: gettext_lazy("Minimisation with a random element"),
    Method.LIST: gettext_lazy("The statistician's list"),
}
# Whoever recruits learns nothing that helps to guess the next arm.
HIDDEN_FROM_BLINDED = {"block_sizes", "chance_percent"}

Rows = list[tuple[str, str]]


def sections(plan: Protocol, *, tells_blocks: bool) -> list[tuple[str, Rows]]:
    """Return the protocol as titled lists of names and values."""
    return [
        (_("Arms"), [(arm.code, _arm(arm.kind, arm.ratio)) for arm in plan.arms]),
        (_("Allocation"), list(_allocation(plan, tells_blocks=tells_blocks))),
        (
            _("Visits"),
            [*((_week(visit.week), _visit(visit.instruments, visit.window_days))
               for visit in plan.visits),
             (_("Music and lessons end with the visit of week"), str(plan.treated_until_week))],
        ),
        (_("Who may take part"), [(_fact(rule), _range(rule)) for rule in plan.eligibility]),
        *([(_("Screening"), list(_screening(plan)))] if plan.screening.is_asked else []),
        (_("Music"), _music(plan)),
        (_("Lessons"), _lessons(plan)),
        (_("Consent"), list(_consent(plan))),
        (_("Consent texts"), [(_language(text.language), _pages(text)) for text in plan.texts]),
        (_("Reminders"), _reminders(plan.reminders)),
        (_("Safety"), list(_safety(plan.safety))),
    ]  # fmt: skip


def described(changes: Iterable[Change], *, tells_blocks: bool) -> list[dict[str, str]]:
    """Return each change as where, before and after, whole: a second person answers for it."""
    told = [c for c in changes if tells_blocks or c.part not in HIDDEN_FROM_BLINDED]
    return [
        {
            "where": " ".join(word for word in (str(PARTS[c.part]), c.entry, *place) if word),
            "before": _value(before),
            "after": _value(after),
        }
        for c in told
        for place, before, after in _told_apart((c.setting.replace("_", " "),), c.before, c.after)
    ]


def _allocation(plan: Protocol, *, tells_blocks: bool) -> Iterator[tuple[str, str]]:
    yield _("Method"), str(METHODS[plan.method])
    for factor in plan.factors:
        yield _("Balanced by %(name)s") % {"name": factor.name}, _factor(factor)
    if tells_blocks and plan.method == Method.BLOCKS:
        yield _("Sizes of the blocks"), ", ".join(map(str, plan.block_sizes))
    if plan.method == Method.MINIMISATION:
        yield _("Distance between the arms"), plan.distance
        if tells_blocks:
            yield _("Chance of the best arm, in per cent"), str(plan.chance_percent)
    if plan.participants_planned:
        yield _("Planned number of participants"), number_format(plan.participants_planned)


def _factor(factor: Factor) -> str:
    levels = ", ".join(factor.levels)
    if factor.source == Source.BAND:
        fact = str(FACT_NAMES.get(factor.fact, factor.fact))
        return _("%(levels)s (%(fact)s)") % {"levels": levels, "fact": fact}
    return levels


def _arm(kind: str, ratio: int) -> str:
    gives = _("lessons and a sleep diary") if kind == "cbt" else _("music for the night")
    return _("%(gives)s, share %(ratio)d") % {"gives": gives, "ratio": ratio}


def _week(week: int) -> str:
    return _("Week %(week)d") % {"week": week} if week else _("Baseline")


def _visit(instruments: Iterable[str], window_days: int) -> str:
    names = ", ".join(name.replace("_", " ").upper() for name in instruments)
    if not window_days:
        return names
    return _("%(names)s; %(days)d days before and after") % {"names": names, "days": window_days}


def _fact(rule: Rule) -> str:
    return str(FACT_NAMES.get(rule.fact, rule.fact))


def _range(rule: Rule) -> str:
    low, high = (None if b is None else number_format(f"{b:g}")
                 for b in (rule.at_least, rule.at_most))  # fmt: skip
    if high is None:
        return _("%(low)s or more") % {"low": low}
    if low is None:
        return _("%(high)s or less") % {"high": high}
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


def _music(plan: Protocol) -> Rows:
    return [
        (_("Minutes a night"), str(plan.night_minutes)),
        (_("Highest tempo, in beats per minute"), f"{plan.music.tempo_max_bpm:g}"),
        (_("Styles"), ", ".join(plan.music.styles)),
        (_("Nights prepared ahead"), str(plan.music.nights_ahead)),
        (_("May be kept as"), ", ".join(plan.music.downloads) or _("nothing")),
    ]


def _lessons(plan: Protocol) -> Rows:
    skills = plan.skills
    return [
        (_("Days between two lessons, at least"), str(skills.module_days)),
        (_("Diary nights before the next lesson, at least"), str(skills.module_nights)),
        (_("Shortest sleep window, in minutes"), str(skills.window.floor_min)),
    ]


def _screening(plan: Protocol) -> Iterator[tuple[str, str]]:
    for rule in plan.screening.rules:
        yield _fact(rule), _range(rule)
    for question in plan.screening.questions:
        excludes = ANSWER_WORDS[question.excludes]
        yield (
            question.text_in(get_language()),
            _("who answers %(answer)s cannot take part") % {"answer": excludes},
        )


def _consent(plan: Protocol) -> Iterator[tuple[str, str]]:
    age = plan.consent.permission_below_years
    below = _("below %(age)d years") % {"age": age} if age else _("for nobody")
    yield _("A parent or guardian has to permit it"), below
    yield _("Allocated only when reached by the contact"), _yes_no(plan.consent.verify_contact)
    yield _("Signed copies are mailed"), _yes_no(plan.consent.mail_copies)


def _reminders(plan: ReminderPlan) -> Rows:
    days = ", ".join(f"{day:+d}" if day else "0" for day in plan.visit_days)
    return [
        (_("Days from a visit's day"), days or _("nothing")),
        (_("Of a morning's diary"), _yes_no(plan.diary)),
        (_("Of who has not taken part for days"), _yes_no(plan.evening)),
        (_("Sent between"), f"{plan.send_from} - {plan.send_until}"),
        (_("In seven days, at most"), str(plan.a_week)),
    ]


def _safety(plan: SafetyPlan) -> Iterator[tuple[str, str]]:
    for rule in plan.rules:
        is_rise = rule.rises_by is not None
        value = number_format(f"{rule.rises_by if is_rise else rule.at_least:g}")
        words = {"fact": FACT_NAMES.get(rule.fact, rule.fact), "value": value}
        words["hours"] = rule.due_hours
        sentence = (
            _("%(fact)s rises by %(value)s since baseline; a look within %(hours)d hours")
            if is_rise
            else _("%(fact)s of %(value)s or more; a look within %(hours)d hours")
        )
        yield rule.name.replace("_", " "), sentence % words
    yield _("A look at “I am not OK”"), _hours(plan.not_ok_hours)
    yield _("A report on a serious event"), _hours(plan.serious_hours)
    yield _("Triage of any other event"), _hours(plan.triage_hours)
    for line in plan.help_lines:
        yield _("Help line in %(language)s") % {"language": _language(line.language)}, line.text


def _pages(text: ConsentWording) -> str:
    return _("%(n)d pages") % {"n": len(text.pages)}


def _language(code: str) -> str:
    return str(dict(settings.LANGUAGES).get(code, code))


def _hours(hours: int) -> str:
    return ngettext("within %(n)d hour", "within %(n)d hours", hours) % {"n": hours}


def _yes_no(value: bool) -> str:
    return pgettext("a setting", "yes") if value else pgettext("a setting", "no")


def _told_apart(
    place: tuple[str, ...], before: object, after: object
) -> Iterator[tuple[tuple[str, ...], object, object]]:
    """Yield what differs in a list one by one: what is the same would hide what is not."""
    if not any(_has_parts(value) for value in (before, after)):
        yield place, before, after
        return
    for number, (one, other) in enumerate(zip_longest(before or [], after or []), start=1):
        if one != other:
            yield (*place, str(number)), one, other


def _has_parts(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(part, Mapping) for part in value)


def _value(value: object) -> str:
    if value is None:
        return _("nothing")
    if isinstance(value, Mapping):
        return "\n".join(
            f"{name.replace('_', ' ')}: {_value(part)}" for name, part in value.items()
        )
    if _has_parts(value):
        return "\n\n".join(map(_value, value))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
