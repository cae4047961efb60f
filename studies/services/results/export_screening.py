"""Who was screened, and what decided it: one row an attempt, never a baseline.

Who was not allocated has no code here and no score: they did not join, so the row says what the
flow of people needs and no more. Who took their data back is in no row.
"""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from studies.design.screening import CPSS_TOTAL
from studies.models.consent import WithdrawalScope
from studies.models.participant import Screening
from studies.models.study import Study
from studies.services.results.export_skills import Row


def screening_rows(study: Study, arms: Mapping[str, str]) -> Iterator[Row]:
    """Yield every attempt to enter the study, in the order of time."""
    zone = ZoneInfo(study.zone)
    attempts = Screening.objects.filter(study=study).exclude(
        participant__withdrawals__scope=WithdrawalScope.DATA
    )
    for attempt in attempts.select_related("participant").order_by("screened_at", "pk"):
        code = attempt.participant.code if attempt.participant else ""
        is_told = code in arms
        yield (
            code if is_told else None, attempt.screened_at.astimezone(zone).date(),
            int(attempt.is_eligible), _rules(attempt), attempt.repeats, attempt.answered_by or None,
            attempt.scores.get(CPSS_TOTAL) if is_told else None,
            " ".join(attempt.flags) if is_told else None,
        )  # fmt: skip


def _rules(attempt: Screening) -> str | None:
    """Return the names of what stood in the way; the sentences that are kept also tell answers."""
    return " ".join(reason.replace(":", " ").split()[0] for reason in attempt.reasons) or None
