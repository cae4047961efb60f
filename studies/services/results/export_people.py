"""The study and its people as the writers of formats take them, read from the database once.

Everybody is written to a temporary file, one line a person, and read again by each format: a large
study needs no more memory than a small one, and all formats tell of the same moment.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self
from uuid import UUID

from questionnaires.instruments.instrument import Instrument, Kind, Value
from questionnaires.models import Answer
from questionnaires.selectors import definition_named, score_table
from questionnaires.selectors.wording import variable_words
from studies.design.texts import LANGUAGES
from studies.interop.people import Form, Person, VisitRecord, from_line, to_line
from studies.interop.study_sheet import FactorSheet, InstrumentSheet, StudySheet, VisitSheet
from studies.interop.variables import Absent
from studies.models.participant import Participant
from studies.models.study import Study
from studies.models.visit import Assessment, AssessmentState, Visit

PEOPLE_AT_ONCE = 100

Given = tuple[str, Value, bool]


def sheet_of(study: Study, arms: Sequence[str], cut_at: datetime) -> StudySheet:
    """Return what a study is to the writers; `arms` is what the column of that name may say."""
    plan = study.plan
    keys = dict.fromkeys(key for visit in plan.visits for key in visit.instruments)
    return StudySheet(
        code=study.code,
        title=study.title,
        protocol_name=plan.name,
        protocol_sha256=study.protocol_sha256 or plan.sha256,
        is_synthetic=study.is_synthetic,
        is_blinded=study.is_blinded,
        arms=tuple(arms),
        factors=tuple(FactorSheet(factor.name, factor.levels) for factor in plan.factors),
        visits=tuple(
            VisitSheet(visit.week, visit.instruments, visit.window_days) for visit in plan.visits
        ),
        instruments=tuple(_instrument(key) for key in keys),
        cut_at=cut_at,
    )


class People:
    """Everybody of an export, in the order of their codes; may be iterated again and again.

    Parameters
    ----------
    study : Study
    arms : mapping
        Participant code to arm, or to its mask.
    tell : callable, optional
        Called with the number of people read so far; what it raises ends the reading.
    """

    def __init__(
        self, study: Study, arms: Mapping[str, str], tell: Callable[[int], None] | None = None
    ) -> None:
        self.n_people = self.n_visits = self.n_characters = 0
        self._file = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 -- closed by __exit__
        try:
            for person in _people(study, arms):
                self.n_people += 1
                self.n_visits += len(person.visits)
                self.n_characters += self._file.write(to_line(person))
                if tell:
                    tell(self.n_people)
        except BaseException:
            self._file.close()
            raise

    def __iter__(self) -> Iterator[Person]:
        self._file.seek(0)
        yield from map(from_line, self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _instrument(key: str) -> InstrumentSheet:
    instrument = definition_named(key)
    found = {}
    for language in LANGUAGES:
        wording = variable_words(instrument, language)
        found.setdefault(wording.language, wording)
    return InstrumentSheet(instrument, tuple(found.values()))


def _people(study: Study, arms: Mapping[str, str]) -> Iterator[Person]:
    weeks = [visit.week for visit in study.plan.visits]
    codes = sorted(arms)
    for start in range(0, len(codes), PEOPLE_AT_ONCE):
        batch = codes[start : start + PEOPLE_AT_ONCE]
        chosen = Participant.objects.filter(study=study, code__in=batch)
        strata = dict(chosen.values_list("code", "strata"))
        visits = _visits(study, batch, weeks)
        for code in batch:
            yield Person(code, arms[code], strata[code], tuple(visits[code]))


def _visits(
    study: Study, codes: Sequence[str], weeks: Sequence[int]
) -> Mapping[str, list[VisitRecord]]:
    planned = Visit.objects.filter(
        participant__study=study, participant__code__in=codes, week__in=weeks
    ).order_by("participant__code", "week")
    forms = _forms(study, codes)
    found: dict[str, list[VisitRecord]] = defaultdict(list)
    for pk, code, week, target_on in planned.values_list(
        "pk", "participant__code", "week", "target_on"
    ):
        found[code].append(VisitRecord(week, target_on, tuple(forms[pk])))
    return found


def _forms(study: Study, codes: Sequence[str]) -> Mapping[int, list[Form]]:
    """Return the forms that were handed in, by visit."""
    submitted = Assessment.objects.filter(
        state=AssessmentState.SUBMITTED,
        visit__participant__study=study,
        visit__participant__code__in=codes,
    ).order_by("visit", "position")
    rows = list(
        submitted.values_list(
            "visit", "instrument", "response_id", "response__version", "response__language",
            "response__revision", "response__submitted_at", "response__rule_id",
        )
    )  # fmt: skip
    responses = [row[2] for row in rows]
    scores, answers = score_table(responses), _answers(responses)
    found: dict[int, list[Form]] = defaultdict(list)
    for visit, instrument, pk, version, language, revision, submitted_at, rule in rows:
        form = Form(
            instrument=instrument,
            version=version,
            language=language,
            response=str(pk),
            revision=revision,
            submitted_at=submitted_at.isoformat(),
            rule=rule,
            scores=scores[pk],
            **_told(definition_named(instrument, version), answers[pk]),
        )
        found[visit].append(form)
    return found


def _answers(responses: Sequence[UUID]) -> Mapping[UUID, list[Given]]:
    """Return item key, value and whether it was declined, by response."""
    rows = Answer.objects.filter(response_id__in=responses)
    found: dict[UUID, list[Given]] = defaultdict(list)
    for response, *given in rows.values_list("response_id", "item_key", "value", "is_declined"):
        found[response].append(tuple(given))
    return found


def _told(instrument: Instrument, given: Sequence[Given]) -> dict[str, object]:
    texts = {item.key for item in instrument.items if item.kind is Kind.TEXT}
    answers, absent, withheld = {}, {}, []
    for key, value, is_declined in given:
        if is_declined or value is None:
            absent[key] = Absent.DECLINED if is_declined else Absent.SKIPPED
        elif key in texts:
            withheld.append(key)
        else:
            answers[key] = value
    return {"answers": answers, "absent": absent, "withheld": tuple(withheld)}
