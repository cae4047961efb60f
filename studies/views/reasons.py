"""Why somebody may not take part, for staff, in the language they read.

The trial's own records keep the reason in English (`design/eligibility.py`); pages word it anew.
"""

from collections.abc import Iterable, Mapping

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from studies.design.eligibility import Rule
from studies.design.parts import AGE
from studies.design.protocol import Protocol
from studies.design.screening import NO, YES
from studies.models.participant import Participant, ParticipantState, Screening
from studies.services.entry.majority import agreements_missing
from studies.services.visits.assessment import baseline_facts

FACT_NAMES = {
    "age_years": gettext_lazy("Age in years"),
    "psqi_total": gettext_lazy("PSQI total"),
    "cpss_total": gettext_lazy("CPSS total"),
}
ANSWER_WORDS = {YES: pgettext_lazy("an answer", "Yes"), NO: pgettext_lazy("an answer", "No")}
BEFORE_BASELINE_ENDS = {ParticipantState.INVITED, ParticipantState.CONSENTED}


def obstacles(rules: Iterable[Rule], facts: Mapping[str, float | None]) -> list[str]:
    """Return a sentence for each rule that does not hold; a rule on no given fact is left out."""
    asked = [(rule, facts[rule.fact]) for rule in rules if rule.fact in facts]
    return [
        _sentence(rule, value) for rule, value in asked if value is None or not rule.allows(value)
    ]


def obstacles_of(participant: Participant) -> list[str]:
    """Return why a participant turned out not to be eligible; empty for everybody else."""
    if participant.state != ParticipantState.INELIGIBLE:
        return []
    attempt = Screening.objects.filter(participant=participant).first()
    if attempt is not None and attempt.reasons:
        return reasons_of_attempt(attempt, participant.study.plan)
    return obstacles(participant.study.plan.eligibility, baseline_facts(participant))


def reasons_of_attempt(attempt: Screening, plan: Protocol) -> list[str]:
    """Return why somebody was not let in at invitation or by the screening answers."""
    found = obstacles(plan.eligibility, {AGE: attempt.age_years})
    found += obstacles(plan.screening.rules, attempt.scores)
    for question in plan.screening.questions:
        if f"{question.name}: {question.excludes}" in attempt.reasons:
            answer = ANSWER_WORDS[question.excludes]
            found.append(f"{question.text_in(get_language())} {answer}")
    # What an older version of the protocol asked is told as it was kept.
    return found or list(attempt.reasons)


def not_ready(participant: Participant) -> str:
    """Return why a participant cannot be allocated now."""
    if participant.state in BEFORE_BASELINE_ENDS:
        return _("baseline is not complete")
    if participant.state == ParticipantState.BASELINE_DONE:
        return _missing_at_baseline(participant)
    return "; ".join(obstacles_of(participant)) or participant.get_state_display()


def waits_for(participant: Participant) -> str:
    """Return what somebody whose baseline is complete still waits for; empty for nothing."""
    if participant.state != ParticipantState.BASELINE_DONE:
        return ""
    if agreements_missing(participant):
        return _("Consent to the present text is missing.")
    must_be_reached = participant.study.plan.consent.verify_contact
    if must_be_reached and participant.contact_verified_at is None:
        return _("The contact is not verified yet.")
    return ""


def _missing_at_baseline(participant: Participant) -> str:
    if agreements_missing(participant):
        return _("consent to the present text is missing")
    return _("the contact is not verified")


def _sentence(rule: Rule, value: float | None) -> str:
    words = {"fact": str(FACT_NAMES.get(rule.fact, rule.fact)), "range": _range(rule)}
    if value is None:
        return _("%(fact)s: %(range)s expected, not known") % words
    return _("%(fact)s: %(range)s expected, got %(value)s") % {**words, "value": _number(value)}


def _range(rule: Rule) -> str:
    if rule.at_most is None:
        return _("%(low)s or more") % {"low": _number(rule.at_least)}
    if rule.at_least is None:
        return _("%(high)s or less") % {"high": _number(rule.at_most)}
    limits = {"low": _number(rule.at_least), "high": _number(rule.at_most)}
    return _("%(low)s to %(high)s") % limits


def _number(value: float) -> str:
    return number_format(f"{value:g}")
