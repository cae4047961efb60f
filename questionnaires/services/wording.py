"""Load a site's own wording of an instrument."""

from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import is_naive

from questionnaires.exceptions import NaiveMoment, WordingInUse
from questionnaires.instruments.errors import WordingMismatch
from questionnaires.instruments.instrument import Instrument
from questionnaires.instruments.site_wording import site_content
from questionnaires.instruments.wording import content_hash
from questionnaires.models import Response, SiteWording
from questionnaires.selectors import wording_of


def load_wording(
    *,
    instrument: Instrument,
    language: str,
    file: Path,
    licence: str,
    by: str,
    at: datetime,
    replace: bool = False,
) -> tuple[SiteWording, bool]:
    """Put a site's words into force from its file; the same words again change nothing.

    Returns the row in force and whether it is new. Raises WordingMismatch with everything that is
    wrong with the file, and WordingInUse where people have answered to other words and `replace`
    was not asked for.
    """
    data = _read(file)
    content = site_content(
        data, name=file.name, instrument=instrument, language=language, licence=licence
    )
    return keep_words(
        instrument=instrument, language=language, content=content, by=by, at=at, replace=replace
    )


@transaction.atomic
def keep_words(
    *,
    instrument: Instrument,
    language: str,
    content: dict[str, object],
    by: str,
    at: datetime,
    replace: bool = False,
) -> tuple[SiteWording, bool]:
    """Put checked words into force; see `load_wording`."""
    if is_naive(at):
        raise NaiveMoment(at)
    sha256 = content_hash(content)
    identity = {
        "instrument": instrument.key, "version": instrument.version, "language": language
    }  # fmt: skip
    in_force = SiteWording.objects.filter(**identity).order_by("-id").first()
    if in_force is not None and in_force.sha256 == sha256:
        return in_force, False
    if not replace:
        _refuse_if_in_use(instrument, language)
    row = SiteWording.objects.create(
        **identity,
        content=content,
        sha256=sha256,
        licence=content["licence"],
        loaded_at=at,
        loaded_by=by,
    )
    return row, True


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise WordingMismatch(f"expected a wording file, got {error}.") from error


def _refuse_if_in_use(instrument: Instrument, language: str) -> None:
    try:
        in_force = wording_of(instrument.key, language)
    except WordingMismatch:
        return
    if in_force.language != language:
        return
    sha256 = in_force.sha256
    shown = Q(wording_hash=sha256) | Q(answers__wording_hash=sha256)
    begun = Response.objects.filter(shown, instrument=instrument.key).distinct().count()
    if begun:
        raise WordingInUse(instrument.key, language, begun)
