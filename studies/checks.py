"""Checks that guard open studies before the site starts: studies.E001 and on."""

from collections.abc import Iterator

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError

from questionnaires.selectors import definition_keys
from studies.design.errors import DesignError
from studies.design.lessons import differences
from studies.design.methods import sequence_labels
from studies.models.study import Study, StudyState
from studies.services.allocation import commitments_of
from studies.services.cbt.course import is_course_changed
from studies.services.entry.consent import missing_consent_languages
from studies.services.music.renderer import are_composers_changed, are_composers_pinned
from studies.typefaces.chinese import installed


@register(Tags.database)
def open_studies_are_whole(
    databases: list[str] | None = None, **_options: object
) -> list[CheckMessage]:
    """Return what an open study lacks; asked by `check --database default` and by `migrate`."""
    if not databases:
        return []
    try:
        return [message for study in _open_studies() for message in _faults(study)]
    except DatabaseError:
        # The tables are not there before the first migration.
        return []


@register()
def lessons_agree(**_options: object) -> list[CheckMessage]:
    """Return where the lessons' languages disagree, card by card; no database is asked."""
    hint = "Make the files in studies/cbt/ hold the same keys; docs/cbt.md says how."
    try:
        return [_error("E006", f"The lessons disagree: {line}.", hint) for line in differences()]
    except DesignError as error:
        return [_error("E006", f"The lessons cannot be read: {error}", hint)]


@register(deploy=True)
def chinese_letters_have_a_font(**_options: object) -> list[CheckMessage]:
    """Return that PDFs cannot carry their Chinese letters; asked by `check --deploy`."""
    if installed() is not None:
        return []
    warning = Warning(
        "This machine has no font of Chinese letters: copies of consents and reports name one that "
        "is not in the file, and look as each reader's program chooses.",
        hint="Install one where the site and the workers run (Debian: apt install fonts-noto-cjk).",
        id="studies.W008",
    )
    return [warning]


def _open_studies() -> list[Study]:
    return list(Study.objects.filter(state=StudyState.OPEN))


def _faults(study: Study) -> Iterator[CheckMessage]:
    try:
        plan = study.plan
    except DesignError as error:
        yield _error("E001", f"Study {study.code} is open but its protocol fails: {error}", "")
        return
    if plan.sha256 != study.protocol_sha256:
        yield _error(
            "E002",
            f"Study {study.code} is open and its protocol is not the one that was frozen.",
            "Restore the protocol from a backup; the audit trail tells who opened it when.",
        )
    if without := missing_consent_languages(study):
        yield _error(
            "E003",
            f"Study {study.code} is open but has no consent text in {', '.join(without)}.",
            "Restore the consent texts from a backup.",
        )
    if set(commitments_of(study)) != set(sequence_labels(plan)):
        yield _error(
            "E004",
            f"Study {study.code} is open but not every stratum has an allocation sequence.",
            "Restore the allocation streams from a backup.",
        )
    unknown = {name for visit in plan.visits for name in visit.instruments} - set(definition_keys())
    if unknown:
        yield _error(
            "E005",
            f"Study {study.code} is open but this build lacks {', '.join(sorted(unknown))}.",
            "Install the release that the study was opened with.",
        )
    if is_course_changed(study):
        yield Warning(
            f"Study {study.code} is open and gives other lessons than this build has.",
            hint="No new lesson opens until a therapist records the amendment (docs/cbt.md).",
            id="studies.W007",
        )
    yield from _worries_of_music(study)


def _worries_of_music(study: Study) -> Iterator[CheckMessage]:
    if are_composers_changed(study):
        yield Warning(
            f"Study {study.code} is open and fixed other composers than this build has.",
            hint="Its music is not made, in any arm, until the build that it was opened with is "
            "back, or the new composers are fixed for a reason: manage.py pin_renderer "
            f"{study.code} --composers-only --reason WHY --user NAME (docs/sound.md).",
            id="studies.W009",
        )
    if not are_composers_pinned(study):
        yield Warning(
            f"Study {study.code} is open and has fixed no composers: another build changes its "
            "music without a word.",
            hint="Fix those of this build: manage.py pin_renderer "
            f"{study.code} --composers-only --reason WHY --user NAME (docs/sound.md).",
            id="studies.W010",
        )


def _error(number: str, message: str, hint: str) -> CheckMessage:
    return Error(message, hint=hint, id=f"studies.{number}")
