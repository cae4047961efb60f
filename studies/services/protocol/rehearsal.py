"""The dry run of a study's protocol, and its findings in words."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from questionnaires.selectors import definition_keys, definition_named
from studies import clock
from studies.design.dry_run import WALKERS, DryRun, Finding, dry_run
from studies.models.study import Study

WORDS = {
    "text_missing": _("there is no consent text in %(language)s"),
    "screening_text_missing": _("the screening question %(question)s has no words in %(language)s"),
    "instrument_unknown": _("week %(week)s asks for %(instrument)s, which is not installed"),
    "composer_unknown": _("%(arm)s needs the composer %(composer)s, which is not installed"),
    "sites_differ": _("strata by site name %(levels)s, and the study's sites are %(sites)s"),
    "safety_unknown": _("no questionnaire of a visit tells %(fact)s, which a safety rule asks for"),
    "score_unknown": _("no questionnaire at baseline gives %(fact)s"),
    "recall_overlaps": _(
        "%(instrument)s asks about a month, and at week %(week)s it may come %(days)s days after "
        "the time before (%(least)s are needed)"
    ),
    "nobody_eligible": _("none of %(n)s synthetic people was eligible"),
    "few_eligible": _("only %(eligible)s of %(n)s synthetic people were eligible"),
    "windows_overlap": _("windows of two visits overlap for who joins on %(joined_on)s"),
    "slots_few": _("the sequences have %(slots)s slots for %(planned)s planned participants"),
    "strata_thin": _("a stratum gets about %(n)s people; fewer than %(least)s balance badly"),
    "arm_unmet": _("nobody was allocated to %(arms)s"),
}


def rehearse(study: Study, *, n_walkers: int = WALKERS) -> DryRun:
    """Return how synthetic people fare in the study as it stands; nothing is kept."""
    return dry_run(
        study.plan,
        zone=study.zone,
        sites=tuple(study.sites.order_by("position").values_list("code", flat=True)),
        languages=tuple(code for code, _name in settings.LANGUAGES),
        starts_on=clock.today(study.zone),
        n_walkers=n_walkers,
        instruments={key: definition_named(key) for key in definition_keys()},
    )


def in_words(finding: Finding) -> str:
    """Return a finding as a sentence without its full stop, in the reader's language."""
    instrument = str(finding.values.get("instrument", "")).upper()
    return str(WORDS[finding.code]) % {**finding.values, "instrument": instrument}
