"""Each attempt to enter a study: decided by the protocol's rules, kept with its reasons."""

from studies import clock
from studies.design.eligibility import decide_known
from studies.design.parts import AGE
from studies.models.participant import Screening
from studies.models.study import Site, Study
from studies.services.entry.identity import contact_indexes
from studies.services.trail.audit import Actor, record


def screen(*, study: Study, site: Site, contact: str, age_years: int, actor: Actor) -> Screening:
    """Return the attempt, kept with its verdict; one with a contact seen before is flagged.

    Brothers and sisters may share a contact: a repeat is told, not refused.
    """
    indexes = contact_indexes(contact)
    earlier = Screening.objects.filter(study=study, blind_index__in=indexes)
    verdict = decide_known(study.plan.eligibility, {AGE: age_years})
    screening = Screening.objects.create(
        study=study,
        site=site,
        screened_at=clock.now(),
        age_years=age_years,
        reasons=list(verdict.reasons),
        repeats=earlier.count(),
        refused_before=any(not before.is_eligible for before in earlier),
        blind_index=indexes[0],
    )
    record(
        actor=actor,
        action="screen",
        subject=screening,
        new={
            "reasons": screening.reasons,
            "repeats": screening.repeats,
            "refused_before": screening.refused_before,
        },
    )
    return screening
