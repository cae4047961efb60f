"""The sleep diary as nights: what follows from each morning's answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from questionnaires.models import ResponseState
from questionnaires.selectors import answers_of, flag_table, score_table
from studies import clock
from studies.design.sleep_window import DiaryNight
from studies.design.windows import morning_of
from studies.models.cbt import DiaryEntry
from studies.models.participant import Participant

TIMES = ("into_bed", "tried_to_sleep", "final_waking", "out_of_bed")


@dataclass(frozen=True, slots=True)
class DiaryRow:
    """One night of somebody's diary; a value is `None` where it cannot be derived."""

    code: str
    morning_on: date
    values: dict[str, float | None]
    flags: tuple[str, ...]
    days_late: int

    @property
    def night(self) -> DiaryNight | None:
        """The night as the sleep window counts it; `None` where it is not valid."""
        in_bed, asleep = self.values.get("tib_min"), self.values.get("tst_min")
        if self.flags_against or not in_bed or asleep is None:
            return None
        return DiaryNight(round(in_bed), round(asleep))

    @property
    def flags_against(self) -> tuple[str, ...]:
        """The flags that say that a night's times contradict each other."""
        return tuple(flag for flag in self.flags if flag in CONTRADICTIONS)


CONTRADICTIONS = frozenset({"times_out_of_order", "awake_exceeds_night"})


def mornings_open(participant: Participant) -> list[date]:
    """Return the mornings whose diary can be written now, the latest first; alike in every arm."""
    latest = morning_of(clock.now(), participant.zone)
    days_back = participant.study.plan.skills.diary_days_back
    return [latest - timedelta(days=back) for back in range(days_back + 1)]


def diary_rows(participants: Iterable[Participant]) -> list[DiaryRow]:
    """Return every night that these participants handed in, by code and date; three queries."""
    handed_in = DiaryEntry.objects.filter(
        participant__in=participants, response__state=ResponseState.SUBMITTED
    ).order_by("participant__code", "morning_on")
    found = list(
        handed_in.values_list(
            "response_id", "participant__code", "participant__zone", "morning_on",
            "response__submitted_at",
        )
    )  # fmt: skip
    responses = [response for response, *_rest in found]
    scores, flags = score_table(responses), flag_table(responses)
    return [
        DiaryRow(
            code=code,
            morning_on=morning_on,
            values=scores[response],
            flags=tuple(flags[response]),
            days_late=(morning_of(submitted_at, zone) - morning_on).days,
        )
        for response, code, zone, morning_on, submitted_at in found
    ]


def diary_of(participant: Participant) -> list[DiaryRow]:
    """Return a participant's nights, oldest first."""
    return diary_rows([participant])


def written_mornings(participant: Participant) -> list[date]:
    """Return the mornings whose diary was handed in, oldest first."""
    entries = DiaryEntry.objects.filter(
        participant=participant, response__state=ResponseState.SUBMITTED
    )
    return list(entries.order_by("morning_on").values_list("morning_on", flat=True))


def usual_times(participant: Participant, before: date) -> dict[str, str]:
    """Return the times of the latest earlier diary, to be confirmed; empty where there is none."""
    entries = DiaryEntry.objects.select_related("response").filter(
        participant=participant,
        morning_on__lt=before,
        response__state=ResponseState.SUBMITTED,
    )
    latest = entries.order_by("-morning_on").first()
    if latest is None:
        return {}
    answers = answers_of(latest.response)
    times = {key: answers.get(key) for key in TIMES}
    return times if all(times.values()) else {}
