import csv
import hashlib
import io
from datetime import timedelta
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import pytest
from pytest_django import Settings

from questionnaires.instruments import instrument_named
from studies import clock
from studies.design.export_tables import TABLES
from studies.design.taste import Rating
from studies.models.audit import AuditEntry
from studies.models.participant import Participant
from studies.models.study import ArmKind, Study
from studies.models.visit import Assessment
from studies.services.allocation import allocate_participant, arm_of
from studies.services.closing.locks import lock_database
from studies.services.music.listening import record_listening
from studies.services.music.playlists import request_tonight
from studies.services.music.ratings import rate_night
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.results.export import export_study
from studies.services.trail.audit import SYSTEM
from studies.services.visits.assessment import decline_answer, save_answer, submit_assessment
from studies.services.visits.correction import correct_assessment
from studies.services.visits.paper import enter_from_paper
from tests.factories import answer, answers, make_participant, make_study
from tests.studies.services.evenings import make_ready, someone_with

pytestmark = pytest.mark.django_db
ARMS = ("CBT", "LSTM-ACM", "MCMG", "GAMC", "lstm_acm", "markov", "genetic")


def _files(study: Study) -> dict[str, str]:
    with export_study(study=study, actor=SYSTEM).file as file, ZipFile(file) as archive:
        # Latin-1 has a character for every byte: in it .sav and .dta can be searched like texts.
        names = [(name, name.split("/", 1)[1]) for name in archive.namelist()]
        return {
            inner: archive.read(name).decode("latin-1" if _is_binary(inner) else "utf-8")
            for name, inner in names
        }


def _is_binary(name: str) -> bool:
    return name.endswith((".sav", ".dta"))


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def listener(settings: Settings, tmp_path: Path) -> Participant:
    settings.NOCTURNE_NIGHTS = tmp_path / "nights"
    settings.NOCTURNE_NIGHTS.mkdir()
    participant = someone_with(ArmKind.MUSIC)
    night = request_tonight(participant=participant)
    make_ready(night.playlist)
    record_listening(
        participant=participant, night_id=night.pk, client_id=uuid4(), intervals=[[0, 30]]
    )
    rate_night(participant=participant, night_on=night.night_on, rating=Rating.LIKED)
    return participant


def test_a_blinded_export_tells_no_arm_and_not_who_listened(listener: Participant) -> None:
    files = _files(listener.study)
    for name, text in files.items():
        # The protocol and its plan say which arms there are, and not who is in which.
        is_silent = name not in ("README.txt", "analysis/plan.json")
        assert not [arm for arm in ARMS if arm in text and is_silent], name
    nights = _rows(files["listening.csv"])
    assert [(row["participant"], row["arm"]) for row in nights] == [("masked", "masked")]
    assert [(row["rating"], row["from_pool"]) for row in nights] == [("liked", "0")]
    assert {row["arm"] for row in _rows(files["items.csv"])} == {"masked"}
    assert {row["arm"] for row in _rows(files["results.csv"])} == {"all"}


def test_an_unblinded_export_names_the_arms(listener: Participant) -> None:
    study = close_study(study=listener.study, actor=SYSTEM, reason="test")
    lock_database(study=study, actor=SYSTEM)
    study = unblind_study(study=study, actor=SYSTEM, reason="test")
    files = _files(study)
    night = _rows(files["listening.csv"])[0]
    assert (night["participant"], night["arm"]) == (listener.code, arm_of(listener).code)
    assert float(night["minutes_heard"]) == 0.5


def test_nobodys_name_contact_or_free_text_is_in_an_export() -> None:
    participant = make_participant("consented")
    for assessment in participant.visits.get().assessments.all():
        answer(assessment)
        if assessment.instrument == "psqi":
            save_answer(assessment=assessment, item_key="d_j_reason", raw="My name is Ada")
            save_answer(assessment=assessment, item_key="d_j", raw="2")
        submit_assessment(assessment=assessment)
    study = participant.study
    make_participant("allocated", study=study)
    files = _files(study)
    everything = "".join(files.values())
    for secret in ("Ada", "ada@example.org"):
        assert secret not in everything


def test_every_answer_and_score_of_the_analysed_is_there_once() -> None:
    participant = make_participant("allocated")
    make_participant("baseline_done", study=participant.study)
    files = _files(participant.study)
    items = _rows(files["items.csv"])
    required = sum(
        item.required for key in ("psqi", "cpss") for item in instrument_named(key).items
    )
    assert len(items) == required
    assert {row["participant"] for row in items} == {participant.code}
    scores = {(row["instrument"], row["score"]): row["value"] for row in _rows(files["scores.csv"])}
    assert scores["cpss", "total"] == "42.0"
    assert ("psqi", "component_quality") in scores


def test_scores_of_a_form_on_paper_say_its_day() -> None:
    participant = make_participant("allocated")
    sheet = Assessment.objects.get(visit__participant=participant, visit__week=4, instrument="cpss")
    day = sheet.visit.target_on
    with clock.at(sheet.visit.opens_at + timedelta(days=6)):
        enter_from_paper(
            assessment=sheet, answers=answers("cpss"), blank=(), filled_on=day, actor=SYSTEM
        )
        rows = _rows(_files(participant.study)["scores.csv"])
    assert {(row["week"], row["paper_on"]) for row in rows} == {("0", ""), ("4", day.isoformat())}


def test_the_checksums_hold_and_the_columns_are_the_dictionarys() -> None:
    files = _files(make_participant("allocated").study)
    sums = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].splitlines())
    assert set(sums) == set(files) - {"SHA256SUMS"}
    for name, digest in sums.items():
        content = files[name].encode("latin-1" if _is_binary(name) else "utf-8")
        assert hashlib.sha256(content).hexdigest() == digest
    for name, columns in TABLES.items():
        assert files[name].splitlines()[0].split(",") == [column.name for column in columns]
    described = {(row["file"], row["column"]) for row in _rows(files["data_dictionary.csv"])}
    assert ("items.csv", "elapsed_ms") in described
    assert {row["variable"] for row in _rows(files["codebook.csv"])} >= {"bed", "item_14", "total"}


def test_a_synthetic_study_says_so_first_and_on_every_row() -> None:
    study = make_participant("allocated").study
    assert {row["is_synthetic"] for row in _rows(_files(study)["items.csv"])} == {"0"}
    Study.objects.filter(pk=study.pk).update(is_synthetic=True)
    study.refresh_from_db()
    files = _files(study)
    assert files["README.txt"].startswith("SYNTHETIC DATA")
    for name in TABLES:
        assert {row["is_synthetic"] for row in _rows(files[name])} <= {"1"}
    assert {row["is_synthetic"] for row in _rows(files["items.csv"])} == {"1"}
    assert "SYNTHETIC" not in _files(make_study())["README.txt"]


def test_the_trail_keeps_what_was_exported() -> None:
    study = make_study()
    export = export_study(study=study, actor=SYSTEM)
    with export.file as file:
        assert hashlib.sha256(file.read()).hexdigest() == export.sha256
    assert AuditEntry.objects.get(action="export_study").new["sha256"] == export.sha256


def test_an_answer_declined_by_choice_has_a_missing_code_of_its_own() -> None:
    participant = make_participant("consented")
    for assessment in participant.visits.get().assessments.all():
        answer(assessment)
        if assessment.instrument == "psqi":
            save_answer(assessment=assessment, item_key="d_j_reason", raw="")
            decline_answer(assessment=assessment, item_key="quality", language="zh-hans")
        submit_assessment(assessment=assessment)
    allocate_participant(participant=participant, actor=SYSTEM)
    rows = {row["item"]: row for row in _rows(_files(participant.study)["items.csv"])}
    missing = {key: row["missing"] for key, row in rows.items() if row["missing"]}
    assert missing == {"quality": "declined", "d_j_reason": "skipped"}
    assert (rows["quality"]["value"], rows["quality"]["language"]) == ("", "zh-hans")


def test_every_revision_is_exported_and_the_scores_are_those_of_the_newest() -> None:
    participant = make_participant("allocated")
    sheet = participant.visits.get(week=0).assessments.get(instrument="cpss")
    correct_assessment(
        assessment=sheet, item_key="item_1", raw="0", reason="test", seen_revision=1, actor=SYSTEM
    )
    files = _files(participant.study)
    rows = [row for row in _rows(files["items.csv"]) if row["item"] == "item_1"]
    found = {row["revision"]: (row["value"], row["is_newest"]) for row in rows}
    assert found == {"1": ("3", "0"), "2": ("0", "1")}
    totals = [
        row["value"]
        for row in _rows(files["scores.csv"])
        if (row["instrument"], row["score"]) == ("cpss", "total")
    ]
    assert totals == ["39.0"]
