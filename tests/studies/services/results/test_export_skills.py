import csv
import io
from datetime import timedelta
from zipfile import ZipFile

import pytest

from studies import clock
from studies.models.study import Study
from studies.services.cbt.messages import send_message
from studies.services.closing.locks import lock_database
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.results.export import export_study
from studies.services.trail.audit import SYSTEM
from tests.studies.services.learning import confirm, learner_in, reach_window, therapist_of

pytestmark = pytest.mark.django_db
WORDS = "I am so tired"


def _tables(study: Study) -> dict[str, list[dict[str, str]]]:
    with export_study(study=study, actor=SYSTEM).file as file, ZipFile(file) as archive:
        texts = {
            name.split("/", 1)[1]: archive.read(name).decode(errors="replace")
            for name in archive.namelist()
        }
    assert WORDS not in "".join(texts.values())
    assert "daylight" not in "".join(texts.values())
    names = ("cbt_adherence.csv", "diary.csv", "sleep_windows.csv")
    return {name: list(csv.DictReader(io.StringIO(texts[name].lstrip("\ufeff")))) for name in names}


def test_the_arm_with_lessons_is_exported_masked_until_the_study_is_unblinded() -> None:
    start = clock.now() - timedelta(days=10)
    with clock.at(start):
        learner = learner_in()
    reach_window(learner, start)
    confirm(learner, therapist_of(learner.study), start + timedelta(days=8))
    send_message(participant=learner, text=WORDS)
    blinded = _tables(learner.study)
    for rows in blinded.values():
        assert {row["participant"] for row in rows} == {"masked"}
        assert {row["arm"] for row in rows} == {"masked"}
    close_study(study=learner.study, actor=SYSTEM, reason="over")
    lock_database(study=learner.study, actor=SYSTEM)
    unblind_study(study=learner.study, actor=SYSTEM, reason="the data are complete")
    learner.study.refresh_from_db()
    named = _tables(learner.study)
    (adherence,) = named["cbt_adherence.csv"]
    assert adherence["participant"] == learner.code
    assert (adherence["lessons_done"], adherence["diary_nights"]) == ("2", "7")
    assert (adherence["messages_sent"], adherence["messages_received"]) == ("1", "0")
    assert len(named["diary.csv"]) == len(blinded["diary.csv"]) == 7
    assert (named["diary.csv"][0]["tst_min"], named["diary.csv"][0]["counts"]) == ("420.0", "1")
    (window,) = named["sleep_windows.csv"]
    assert (window["rule"], window["window_min"], window["bed_at"], window["confirmed_by"]) == (
        "sleep_window 1", "420", "23:45", "therapist",
    )  # fmt: skip
