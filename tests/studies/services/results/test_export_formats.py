"""Every format of an export, read by a program that is not ours; docs/interop.md names them."""

import csv
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pandas as pd
import pyreadstat
import pytest
import redcap
import xmlschema
from django.core.management import call_command
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from fhir.resources.R4B.researchstudy import ResearchStudy
from fhir.resources.R4B.researchsubject import ResearchSubject
from frictionless import Package, validate
from jsonschema import Draft6Validator

from questionnaires.instruments import instrument_named
from questionnaires.models import ImportedInstrument, definition_named
from studies.models.study import Study
from tests.studies.services.results.exported import (
    DECLINED_ITEM,
    FREE_TEXT,
    WORDS,
    study_to_export,
    unblinded,
    unpacked,
)

pytestmark = pytest.mark.django_db
SCHEMAS = Path(__file__).parents[5] / "shared" / "references" / "schemas"
ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
ARMS = {"CBT", "LSTM-ACM", "MCMG", "GAMC"}
FHIR_TYPES = {
    kind.__name__: kind
    for kind in (
        Observation, Patient, Questionnaire, QuestionnaireResponse, ResearchStudy, ResearchSubject,
    )
}  # fmt: skip


@pytest.fixture
def study() -> Study:
    return study_to_export()


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _lines(folder: Path, name: str) -> list[dict]:
    path = folder / "fhir" / f"{name}.ndjson"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_long_table_has_a_row_a_visit_and_the_wide_one_a_row_a_person(
    study: Study, tmp_path: Path
) -> None:
    folder = unpacked(study, tmp_path)
    long, wide = _rows(folder / "long.csv"), _rows(folder / "wide.csv")
    assert len(wide) == 3
    assert [row["week"] for row in long] == ["0", "4", "8"] * 3
    scores = {
        (row["participant"], row["week"]): row["value"]
        for row in _rows(folder / "scores.csv")
        if (row["instrument"], row["score"]) == ("cpss", "total")
    }
    assert len(scores) == 7
    for row in long:
        assert row["cpss_total"] == scores.get((row["participant"], row["week"]), "")
    for row in wide:
        assert row["cpss_total_w8"] == scores.get((row["participant"], "8"), "")
    assert {row["sex"] for row in wide} == {"female", "male"}
    assert {row["is_synthetic"] for row in long} == {"0"}
    assert f"psqi_{FREE_TEXT}" not in long[0]


def test_frictionless_finds_every_table_valid(study: Study, tmp_path: Path) -> None:
    folder = unpacked(study, tmp_path)
    report = validate(folder / "datapackage.json")
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "message"])
    assert len(report.tasks) == len(Package(folder / "datapackage.json").resources) == 13


def test_frictionless_finds_a_value_out_of_range_and_a_row_twice(
    study: Study, tmp_path: Path
) -> None:
    folder = unpacked(study, tmp_path)
    lines = (folder / "long.csv").read_text("utf-8").splitlines()
    place = lines[0].split(",").index("psqi_quality")
    cells = lines[1].split(",")
    cells[place] = "9"
    (folder / "long.csv").write_text("\n".join([*lines, ",".join(cells)]) + "\n", "utf-8")
    kinds = {row[0] for row in validate(folder / "datapackage.json").flatten(["type"])}
    assert {"constraint-error", "primary-key", "hash-count"} <= kinds


@pytest.mark.parametrize("shape", ["long", "wide"])
def test_spss_and_stata_files_hold_what_the_csv_holds(
    study: Study, tmp_path: Path, shape: str
) -> None:
    folder = unpacked(study, tmp_path)
    table = pd.read_csv(folder / f"{shape}.csv")
    spss, about = pyreadstat.read_sav(folder / "spss" / f"{shape}.sav")
    stata, _about = pyreadstat.read_dta(folder / "stata" / f"{shape}.dta")
    assert list(spss.columns) == list(table.columns)
    stata.columns = list(table.columns)
    for name in table.columns:
        for other in (spss, stata):
            if pd.api.types.is_numeric_dtype(table[name]):
                pd.testing.assert_series_equal(
                    table[name].astype(float), other[name].astype(float), check_names=False
                )
            else:
                text = other[name].map(lambda cell: "" if pd.isna(cell) else str(cell))
                assert text.tolist() == table[name].fillna("").astype(str).tolist()
    name = "psqi_quality" if shape == "long" else "psqi_quality_w0"
    assert set(about.variable_value_labels[name]) == {0, 1, 2, 3, -99, -98}


def test_who_declined_is_told_apart_in_spss_and_stata(study: Study, tmp_path: Path) -> None:
    folder = unpacked(study, tmp_path)
    spss, _about = pyreadstat.read_sav(folder / "spss" / "long.sav", user_missing=True)
    stata, _about = pyreadstat.read_dta(folder / "stata" / "long.dta", user_missing=True)
    assert (spss[f"psqi_{DECLINED_ITEM}"] == -99).sum() == 1
    assert (stata[f"psqi_{DECLINED_ITEM}"] == "d").sum() == 1


def test_the_odm_is_valid_by_cdiscs_schema(study: Study, tmp_path: Path) -> None:
    if not SCHEMAS.is_dir():
        pytest.skip("the schemas of ../shared/references are not here")
    folder = unpacked(study, tmp_path)
    schema = xmlschema.XMLSchema(SCHEMAS / "odm-1.3.2" / "ODM1-3-2.xsd")
    schema.validate(folder / "odm.xml")
    text = (folder / "odm.xml").read_text("utf-8")
    damaged = text.replace('FileType="Snapshot"', 'FileType="Photograph"')
    assert not schema.is_valid(damaged)


def test_every_reference_of_the_odm_leads_somewhere(study: Study, tmp_path: Path) -> None:
    root = ET.parse(unpacked(study, tmp_path) / "odm.xml").getroot()  # noqa: S314 -- our own file
    defined = {element.get("OID") for element in root.iter() if element.get("OID")}
    used = {
        value
        for element in root.iter()
        for name, value in element.attrib.items()
        if name.endswith("OID") and name not in ("OID", "FileOID")
    }
    assert len(used) > 60
    assert used <= defined
    groups = {
        group.get("OID"): {ref.get("ItemOID") for ref in group.iter(f"{ODM}ItemRef")}
        for group in root.iter(f"{ODM}ItemGroupDef")
    }
    for data in root.iter(f"{ODM}ItemGroupData"):
        found = {item.get("ItemOID") for item in data.iter(f"{ODM}ItemData")}
        assert found <= groups[data.get("ItemGroupOID")]


def test_the_odm_holds_everybodys_answers_scores_and_refusals(study: Study, tmp_path: Path) -> None:
    folder = unpacked(study, tmp_path)
    root = ET.parse(folder / "odm.xml").getroot()  # noqa: S314 -- our own file
    found = {}
    for subject in root.iter(f"{ODM}SubjectData"):
        for event in subject.iter(f"{ODM}StudyEventData"):
            week = event.get("StudyEventOID").removeprefix("SE.W")
            for item in event.iter(f"{ODM}ItemData"):
                found[subject.get("SubjectKey"), week, item.get("ItemOID")] = item.get("Value")
    for row in _rows(folder / "long.csv"):
        place = (row["participant"], row["week"])
        assert found.get((*place, "I.psqi.SCORE.total"), "") == row["psqi_total"]
        assert found.get((*place, "I.psqi.bed"), "") == row["psqi_bed"]
    nulls = [item for item in root.iter(f"{ODM}ItemData") if item.get("IsNull") == "Yes"]
    (declined,) = [item for item in nulls if item.get("ItemOID") == f"I.psqi.{DECLINED_ITEM}"]
    assert declined.find(f".//{ODM}FlagValue").text == "declined"
    assert {word.get("{http://www.w3.org/XML/1998/namespace}lang")
            for word in root.iter(f"{ODM}TranslatedText")} == {"en", "zh-hans"}  # fmt: skip


def test_every_fhir_resource_is_valid_by_two_validators(study: Study, tmp_path: Path) -> None:
    folder = unpacked(study, tmp_path)
    checked = _schema_validator()
    for name, kind in FHIR_TYPES.items():
        resources = _lines(folder, name)
        assert resources, name
        for resource in resources:
            assert resource["resourceType"] == name
            kind.model_validate(resource)
            if checked is not None:
                assert [error.message for error in checked.iter_errors(resource)] == []
    if checked is not None:
        broken = _lines(folder, "Observation")[0] | {"status": "done"}
        assert list(checked.iter_errors(broken))


def _schema_validator() -> Draft6Validator | None:
    if not SCHEMAS.is_dir():
        return None
    schema = json.loads((SCHEMAS / "fhir-r4.schema.json").read_text("utf-8"))
    return Draft6Validator(schema)


def test_fhir_ids_are_once_and_references_lead_somewhere(study: Study, tmp_path: Path) -> None:
    folder = unpacked(study, tmp_path)
    ids = [f"{name}/{one['id']}" for name in FHIR_TYPES for one in _lines(folder, name)]
    assert len(set(ids)) == len(ids)
    text = "".join((folder / "fhir" / f"{name}.ndjson").read_text("utf-8") for name in FHIR_TYPES)
    references = {part.split('"')[0] for part in text.split('"reference":"')[1:]}
    assert references <= set(ids)
    links = {
        (f"{one['url']}|{one['version']}", item["linkId"])
        for one in _lines(folder, "Questionnaire")
        for item in one["item"]
    }
    for response in _lines(folder, "QuestionnaireResponse"):
        assert {(response["questionnaire"], item["linkId"]) for item in response["item"]} <= links


def test_fhir_says_why_there_is_no_answer_and_gives_no_free_text(
    study: Study, tmp_path: Path
) -> None:
    folder = unpacked(study, tmp_path)
    reasons = {
        (item["linkId"], item["extension"][0]["valueCode"])
        for response in _lines(folder, "QuestionnaireResponse")
        for item in response["item"]
        if "extension" in item
    }
    assert (DECLINED_ITEM, "asked-declined") in reasons
    assert (FREE_TEXT, "masked") in reasons
    for path in folder.rglob("*"):
        assert path.is_dir() or WORDS.encode() not in path.read_bytes()


@pytest.mark.parametrize("key", ["psqi", "cpss"])
def test_the_redcap_dictionary_can_be_imported_again(
    study: Study, tmp_path: Path, key: str
) -> None:
    folder = unpacked(study, tmp_path)
    call_command(
        "import_instrument", f"again_{key}", folder / "redcap" / "dictionary.csv", form=key,
        licence="test",
    )  # fmt: skip
    assert ImportedInstrument.objects.get().key == f"again_{key}"
    again, first = definition_named(f"again_{key}"), instrument_named(key)
    assert [item.key for item in again.items] == [f"{key}_{item.key}" for item in first.items]
    assert [item.choices for item in again.items] == [item.choices for item in first.items]
    assert [item.required for item in again.items] == [item.required for item in first.items]


class _Redcap(BaseHTTPRequestHandler):
    """Answers as a REDCap server would, from the files of an export."""

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        body = json.dumps(self._content(asked["content"][0])).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def _content(self, what: str) -> list[dict[str, str]]:
        folder = self.server.folder
        if what == "metadata":
            return [self._field(row) for row in _rows(folder / "dictionary.csv")]
        names = {"record": "records", "arm": "arms", "event": "events",
                 "formEventMapping": "event_mapping"}  # fmt: skip
        return _rows(folder / f"{names[what]}.csv")

    @staticmethod
    def _field(row: dict[str, str]) -> dict[str, str]:
        values = list(row.values())
        names = ("field_name", "form_name", "section_header", "field_type", "field_label",
                 "select_choices_or_calculations", "field_note")  # fmt: skip
        return dict(zip(names, values[:7], strict=True))

    def log_message(self, *_about: object) -> None:
        """Say nothing."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Redcap)
    server.folder = folder
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_redcap_client_reads_the_project(study: Study, tmp_path: Path) -> None:
    folder = unpacked(study, tmp_path)
    with _served(folder / "redcap") as address:
        project = redcap.Project(address, "A" * 32)
        assert project.def_field == "record_id"
        assert {"psqi_bed", "psqi_s_total", "cpss_item_1"} <= set(project.field_names)
        records = project.export_records()
        events = {event["unique_event_name"] for event in project.export_events()}
        mapping = project.export_instrument_event_mappings()
        arms = project.export_arms()
    assert len(arms) == 1
    assert events == {"week_0_arm_1", "week_4_arm_1", "week_8_arm_1"}
    assert {row["unique_event_name"] for row in mapping} == events
    assert {row["form"] for row in mapping} <= set(project.forms)
    known = {*project.field_names, *(f"{form}_complete" for form in project.forms)}
    assert set(records[0]) - {"redcap_event_name"} <= known
    long = {(row["participant"], row["week"]): row for row in _rows(folder / "long.csv")}
    for record in records:
        week = record["redcap_event_name"].split("_")[1]
        row = long[record["record_id"], week]
        assert record["psqi_bed"] == row["psqi_bed"]
        assert record["psqi_s_total"] == row["psqi_total"]
        assert record["psqi_complete"] == ("2" if row["psqi_bed"] else "")


def test_no_format_tells_an_arm_before_unblinding_and_each_does_after(
    study: Study, tmp_path: Path
) -> None:
    blinded = unpacked(study, tmp_path / "blinded")
    assert not (blinded / "redcap" / "allocation.csv").exists()
    assert {row["arm"] for row in _rows(blinded / "wide.csv")} == {"masked"}
    assert {one["assignedArm"] for one in _lines(blinded, "ResearchSubject")} == {"masked"}
    named = unpacked(unblinded(study), tmp_path / "named")
    arms = {row["participant"]: row["arm"] for row in _rows(named / "wide.csv")}
    assert set(arms.values()) <= ARMS
    assert {row["record_id"]: row["arm"] for row in _rows(named / "redcap" / "allocation.csv")} == (
        arms
    )
    found, _about = pyreadstat.read_sav(named / "spss" / "wide.sav")
    assert dict(zip(found["participant"], found["arm"], strict=True)) == arms
    fhir = {one["individual"]["reference"][8:]: one["assignedArm"]
            for one in _lines(named, "ResearchSubject")}  # fmt: skip
    assert fhir == arms


def test_synthetic_people_are_labelled_in_every_format(tmp_path: Path) -> None:
    folder = unpacked(study_to_export(n_complete=1, is_synthetic=True), tmp_path)
    for name in ("long.csv", "wide.csv", "redcap/records.csv"):
        assert {row["is_synthetic"] for row in _rows(folder / name)} == {"1"}
    for name in ("Patient", "QuestionnaireResponse", "Observation", "ResearchSubject"):
        tags = {one["meta"]["tag"][0]["code"] for one in _lines(folder, name)}
        assert tags == {"HTEST"}
    for path in ("spss/long.sav", "spss/wide.sav"):
        frame, _about = pyreadstat.read_sav(folder / path)
        assert set(frame["is_synthetic"]) == {1}
    root = ET.parse(folder / "odm.xml").getroot()  # noqa: S314 -- our own file
    for group in root.iter(f"{ODM}ItemGroupData"):
        values = {item.get("ItemOID"): item.get("Value") for item in group}
        assert values["I.IS_SYNTHETIC"] == "1"


def test_a_study_without_people_is_still_a_valid_export(tmp_path: Path) -> None:
    folder = unpacked(study_to_export(n_complete=0), tmp_path / "one")
    assert len(_rows(folder / "wide.csv")) == 1
    assert validate(folder / "datapackage.json").valid
