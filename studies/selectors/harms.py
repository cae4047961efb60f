"""What is known of harms in a study, as the statistics take it; no words, and no arm.

An event counts from the day of allocation on, by the calendar of the participant's place.
"""

import csv
import io
from collections import Counter
from collections.abc import Collection
from datetime import date
from zoneinfo import ZoneInfo

from studies.models.harms import HarmsInquiry
from studies.models.participant import Participant
from studies.models.safety import AdverseEvent
from studies.models.study import Study
from studies.selectors.outcomes import allocation_times
from studies.stats.analysis.harms import Event, Harms

COLUMNS = ("participant", "severity", "relation", "criteria", "is_expected", "is_before")


def harms_of(study: Study, codes: Collection[str]) -> Harms:
    """Return the events of these participants, all allocated, and how often they were asked."""
    days = _days_of_allocation(study, codes)
    asked = HarmsInquiry.objects.filter(visit__participant__study=study)
    counts = Counter(asked.values_list("visit__participant__code", flat=True))
    rows = AdverseEvent.objects.filter(participant__study=study).select_related("participant")
    events = tuple(
        Event(
            person=event.participant.code,
            severity=event.severity,
            relation=event.relation,
            criteria=tuple(event.criteria),
            is_expected=event.is_expected,
            is_before=event.began_on < days[event.participant.code],
        )
        for event in rows.order_by("participant__code", "began_on", "pk")
        if event.participant.code in days
    )
    return Harms(events, {code: counts[code] for code in sorted(counts) if code in days})


def harms_csv(harms: Harms) -> str:
    """Return the events as a CSV text, so that anybody can count again."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for event in harms.events:
        writer.writerow([
            event.person, event.severity, event.relation, " ".join(event.criteria),
            int(event.is_expected), int(event.is_before),
        ])  # fmt: skip
    return out.getvalue()


def _days_of_allocation(study: Study, codes: Collection[str]) -> dict[str, date]:
    times = allocation_times(study)
    zones = dict(Participant.objects.filter(study=study).values_list("code", "zone"))
    return {code: times[code].astimezone(ZoneInfo(zones[code])).date() for code in codes}
