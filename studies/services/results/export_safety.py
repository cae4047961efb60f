"""What happened to people beside the outcomes: adverse events, deviations from the protocol.

The words are withheld, because people write names into them; the codes are given.
"""

from collections.abc import Iterator, Mapping

from studies.design.export_tables import MASKED
from studies.models.deviation import TELLS_THE_ARM, Deviation
from studies.models.safety import AdverseEvent
from studies.models.study import Study
from studies.services.results.export_skills import Row


def event_rows(study: Study, arms: Mapping[str, str]) -> Iterator[Row]:
    """Yield every adverse event of the participants, with its grades."""
    events = AdverseEvent.objects.filter(participant__study=study)
    rows = events.select_related("participant").order_by("participant__code", "began_on", "pk")
    for event in rows:
        code = event.participant.code
        if code not in arms:
            continue
        yield (
            code, arms[code], event.began_on, event.ended_on, event.severity, event.relation,
            int(event.is_expected), int(event.is_serious), " ".join(event.criteria), event.state,
            event.learned_at.isoformat(),
        )  # fmt: skip


def deviation_rows(study: Study, arms: Mapping[str, str]) -> Iterator[Row]:
    """Yield every deviation; a kind that tells the arm names nobody while the study is blinded."""
    found = Deviation.objects.filter(participant__study=study)
    rows = found.select_related("participant", "visit").order_by("happened_at", "pk")
    for deviation in rows:
        code = deviation.participant.code
        if code not in arms:
            continue
        is_masked = study.is_blinded and deviation.kind in TELLS_THE_ARM
        yield (
            MASKED if is_masked else code, arms[code],
            deviation.visit.week if deviation.visit and not is_masked else None,
            deviation.kind, deviation.happened_at.isoformat(), deviation.impact or None,
            deviation.state,
        )  # fmt: skip
