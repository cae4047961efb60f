"""CDISC ODM 1.3.2: the study's structure and everybody's answers, as one XML snapshot.

Every visit is a study event, every instrument a form of one item group with its items and scores.
The arm stands in the event "Enrolment", masked while the study is blinded. An answer that is absent
for a known reason is null with the reason as a flag. Who handed a form in is a role, not a name.

References
----------
CDISC, Operational Data Model 1.3.2 (2013).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from xml.sax.saxutils import escape, quoteattr

from questionnaires.instruments.instrument import Item, Kind, ScoreField
from studies.interop.flat import factor_name
from studies.interop.people import Form, Person, VisitRecord
from studies.interop.study_sheet import InstrumentSheet, StudySheet
from studies.interop.variables import Absent

NAMESPACE = "http://www.cdisc.org/ns/odm/v1.3"
ENROLMENT = "ENROLMENT"
SYNTHETIC = "I.IS_SYNTHETIC"
REASONS = "CL.ABSENT"
PARTICIPANT, STAFF = "U.PARTICIPANT", "U.STAFF"
PLATFORM = "L.PLATFORM"
TYPES = {
    Kind.CHOICE: "integer", Kind.TIME: "partialTime", Kind.MINUTES: "float",
    Kind.HOURS_MINUTES: "float", Kind.COUNT: "integer", Kind.NUMBER: "float",
    Kind.WHOLE_NUMBER: "integer", Kind.DATE: "date",
}  # fmt: skip
TEXT_LENGTH, NUMBER_LENGTH, NUMBER_DIGITS = 255, 16, 10


def odm(sheet: StudySheet, people: Iterable[Person]) -> Iterator[str]:
    """Yield the document piece by piece."""
    study = f"S.{sheet.code}"
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield _open(
        "ODM",
        {
            "xmlns": NAMESPACE,
            "ODMVersion": "1.3.2",
            "FileType": "Snapshot",
            "Granularity": "All",
            "FileOID": f"{sheet.code}.{sheet.cut_at:%Y%m%dT%H%M%SZ}",
            "CreationDateTime": sheet.cut_at.isoformat(),
            "SourceSystem": "Nocturne",
        },
    )
    yield from _study(sheet, study)
    yield from _administration(sheet, study)
    version = _version(sheet)
    yield _open("ClinicalData", {"StudyOID": study, "MetaDataVersionOID": version})
    for person in people:
        yield "".join(_subject(sheet, person))
    yield "</ClinicalData>\n</ODM>\n"


def _study(sheet: StudySheet, study: str) -> Iterator[str]:
    yield _open("Study", {"OID": study})
    yield "<GlobalVariables>"
    yield _element("StudyName", {}, escape(sheet.code))
    label = "Synthetic data: no person stands behind any row. " if sheet.is_synthetic else ""
    yield _element("StudyDescription", {}, escape(f"{label}{sheet.title}"))
    yield _element("ProtocolName", {}, escape(sheet.protocol_name or sheet.code))
    yield "</GlobalVariables>"
    if units := _units(sheet):
        yield "<BasicDefinitions>"
        for unit, oid in units.items():
            symbol = _element("Symbol", {}, _translated([("en", unit)]))
            yield _element("MeasurementUnit", {"OID": oid, "Name": unit}, symbol)
        yield "</BasicDefinitions>"
    yield _open("MetaDataVersion", {"OID": _version(sheet), "Name": sheet.protocol_name or "1"})
    yield from _protocol(sheet)
    yield from _definitions(sheet, units)
    yield "</MetaDataVersion></Study>\n"


def _protocol(sheet: StudySheet) -> Iterator[str]:
    events = [ENROLMENT, *(f"W{visit.week}" for visit in sheet.visits)]
    yield "<Protocol>"
    for place, event in enumerate(events, start=1):
        yield _element("StudyEventRef", _ref("StudyEventOID", f"SE.{event}", place))
    yield "</Protocol>"
    yield _event("SE.ENROLMENT", "Enrolment", ["F.ENROLMENT"])
    for visit in sheet.visits:
        yield _event(f"SE.W{visit.week}", visit.name, [f"F.{key}" for key in visit.instruments])


def _event(oid: str, name: str, forms: Iterable[str]) -> str:
    refs = [
        _element("FormRef", _ref("FormOID", form, place))
        for place, form in enumerate(forms, start=1)
    ]
    about = {"OID": oid, "Name": name, "Repeating": "No", "Type": "Scheduled"}
    return _element("StudyEventDef", about, "".join(refs))


def _definitions(sheet: StudySheet, units: Mapping[str, str]) -> Iterator[str]:
    forms = [ENROLMENT, *(form.key for form in sheet.instruments)]
    for form in forms:
        group = _element("ItemGroupRef", {"ItemGroupOID": f"IG.{form}", "Mandatory": "Yes"})
        yield _element("FormDef", {"OID": f"F.{form}", "Name": form, "Repeating": "No"}, group)
    factors = [f"I.STRATUM.{factor_name(factor)}" for factor in sheet.factors]
    yield _group(ENROLMENT, ["I.ARM", *factors, SYNTHETIC])
    for form in sheet.instruments:
        items = [_item_oid(form, item.key) for item in form.told_items]
        scores = [_score_oid(form, score.name) for score in form.instrument.scores]
        yield _group(form.key, [*items, *scores, SYNTHETIC])
    yield _text_item("I.ARM", "arm", "Arm, or its mask")
    for oid, factor in zip(factors, sheet.factors, strict=True):
        yield _text_item(oid, factor_name(factor), f"Stratum: {factor.name}")
    yield _element(
        "ItemDef",
        {"OID": SYNTHETIC, "Name": "is_synthetic", "DataType": "integer", "Length": "1"},
        _question([("en", "1: no person stands behind this row")]),
    )
    for form in sheet.instruments:
        for item in form.told_items:
            yield _item(form, item, units)
        for score in form.instrument.scores:
            yield _score(form, score, units)
    yield from _code_lists(sheet)


def _group(form: str, items: Iterable[str]) -> str:
    refs = [
        _element("ItemRef", _ref("ItemOID", item, place, mandatory="No"))
        for place, item in enumerate(items, start=1)
    ]
    about = {"OID": f"IG.{form}", "Name": form, "Repeating": "No"}
    return _element("ItemGroupDef", about, "".join(refs))


def _text_item(oid: str, name: str, label: str) -> str:
    about = {"OID": oid, "Name": name, "DataType": "text", "Length": str(TEXT_LENGTH)}
    return _element("ItemDef", about, _question([("en", label)]))


def _item(form: InstrumentSheet, item: Item, units: Mapping[str, str]) -> str:
    parts = [_question([(w.language, w.items[item.key].label) for w in form.wordings])]
    parts += [_unit_ref(item.unit, units), _range(item.low, item.high)]
    if item.choices:
        parts.append(_element("CodeListRef", {"CodeListOID": _codes_oid(form, item.scale)}))
    about = {"OID": _item_oid(form, item.key), "Name": f"{form.key}_{item.key}"}
    return _element("ItemDef", about | _type(TYPES[item.kind]), "".join(parts))


def _score(form: InstrumentSheet, score: ScoreField, units: Mapping[str, str]) -> str:
    about = {"OID": _score_oid(form, score.name), "Name": f"{form.key}_{score.name}"}
    label = f"{form.key.upper()} {score.name.replace('_', ' ')}"
    parts = [_question([("en", label)]), _unit_ref(score.unit, units)]
    parts.append(_range(score.low, score.high))
    return _element("ItemDef", about | _type("float"), "".join(parts))


def _type(data_type: str) -> dict[str, str]:
    about = {"DataType": data_type}
    if data_type in ("integer", "float"):
        about["Length"] = str(NUMBER_LENGTH)
    if data_type == "float":
        about["SignificantDigits"] = str(NUMBER_DIGITS)
    return about


def _range(low: float | None, high: float | None) -> str:
    bounds = (("GE", low), ("LE", high))
    return "".join(
        _element(
            "RangeCheck",
            {"Comparator": comparator, "SoftHard": "Soft"},
            _element("CheckValue", {}, f"{bound:.15g}"),
        )
        for comparator, bound in bounds
        if bound is not None
    )


def _code_lists(sheet: StudySheet) -> Iterator[str]:
    for form in sheet.instruments:
        for scale, codes in form.instrument.scales.items():
            items = [
                (str(code), [(w.language, w.scales[scale][code]) for w in form.wordings])
                for code in codes
            ]
            yield _code_list(_codes_oid(form, scale), f"{form.key} {scale}", "integer", items)
    reasons = [(str(reason), [("en", str(reason))]) for reason in Absent]
    yield _code_list(REASONS, "Why there is no value", "text", reasons)


def _code_list(
    oid: str, name: str, data_type: str, items: Iterable[tuple[str, list[tuple[str, str]]]]
) -> str:
    content = "".join(
        _element("CodeListItem", {"CodedValue": code}, _element("Decode", {}, _translated(labels)))
        for code, labels in items
    )
    return _element("CodeList", {"OID": oid, "Name": name, "DataType": data_type}, content)


def _administration(sheet: StudySheet, study: str) -> Iterator[str]:
    yield _open("AdminData", {"StudyOID": study})
    for oid, role in ((PARTICIPANT, "participant"), (STAFF, "staff")):
        yield _element("User", {"OID": oid, "UserType": "Other"}, _element("FullName", {}, role))
    version = {
        "StudyOID": study,
        "MetaDataVersionOID": _version(sheet),
        "EffectiveDate": f"{sheet.cut_at:%Y-%m-%d}",
    }
    about = {"OID": PLATFORM, "Name": "Nocturne", "LocationType": "Other"}
    yield _element("Location", about, _element("MetaDataVersionRef", version))
    yield "</AdminData>\n"


def _subject(sheet: StudySheet, person: Person) -> Iterator[str]:
    yield _open("SubjectData", {"SubjectKey": person.code})
    synthetic = _data(SYNTHETIC, int(sheet.is_synthetic))
    values = [_data("I.ARM", person.arm)]
    for factor in sheet.factors:
        if level := person.strata.get(factor.name):
            values.append(_data(f"I.STRATUM.{factor_name(factor)}", level))
    yield _open("StudyEventData", {"StudyEventOID": "SE.ENROLMENT"})
    yield _form_data(ENROLMENT, "", [*values, synthetic])
    yield "</StudyEventData>"
    for visit in person.visits:
        if visit.forms:
            yield from _visit(sheet, visit, synthetic)
    yield "</SubjectData>\n"


def _visit(sheet: StudySheet, visit: VisitRecord, synthetic: str) -> Iterator[str]:
    yield _open("StudyEventData", {"StudyEventOID": f"SE.W{visit.week}"})
    for form in sheet.at_week(visit.week):
        filled = visit.form(form.key)
        if filled is not None:
            values = [*_answers(form, filled), *_scores(form, filled), synthetic]
            yield _form_data(form.key, _audit(filled), values)
    yield "</StudyEventData>"


def _form_data(form: str, audit: str, values: Iterable[str]) -> str:
    group = _element("ItemGroupData", {"ItemGroupOID": f"IG.{form}"}, "".join(values))
    return _element("FormData", {"FormOID": f"F.{form}"}, audit + group)


def _audit(filled: Form) -> str:
    user = PARTICIPANT if filled.revision == 1 else STAFF
    parts = [
        _element("UserRef", {"UserOID": user}),
        _element("LocationRef", {"LocationOID": PLATFORM}),
        _element("DateTimeStamp", {}, filled.submitted_at),
    ]
    return _element("AuditRecord", {}, "".join(parts))


def _answers(form: InstrumentSheet, filled: Form) -> Iterator[str]:
    for place, item in enumerate(form.told_items, start=1):
        cell = filled.cell(item.key)
        oid = _item_oid(form, item.key)
        if isinstance(cell, Absent):
            flag = _element("FlagValue", {"CodeListOID": REASONS}, str(cell))
            note = _element("Annotation", {"SeqNum": str(place)}, _element("Flag", {}, flag))
            yield _element("ItemData", {"ItemOID": oid, "IsNull": "Yes"}, note)
        elif cell is not None:
            yield _data(oid, cell)


def _scores(form: InstrumentSheet, filled: Form) -> Iterator[str]:
    for score in form.instrument.scores:
        value = filled.scores.get(score.name)
        if value is not None:
            yield _data(_score_oid(form, score.name), value)


def _data(oid: str, value: str | float | date) -> str:
    return _element("ItemData", {"ItemOID": oid, "Value": str(value)})


def _item_oid(form: InstrumentSheet, key: str) -> str:
    return f"I.{form.key}.{key}"


def _score_oid(form: InstrumentSheet, name: str) -> str:
    return f"I.{form.key}.SCORE.{name}"


def _codes_oid(form: InstrumentSheet, scale: str) -> str:
    return f"CL.{form.key}.{scale}"


def _units(sheet: StudySheet) -> dict[str, str]:
    """Return the identities of the units; a notation of time is no unit of measurement."""
    found = [
        part.unit
        for form in sheet.instruments
        for part in (*form.told_items, *form.instrument.scores)
        if part.unit and TYPES.get(getattr(part, "kind", None)) not in ("partialTime", "date")
    ]
    return {unit: f"MU.{place}" for place, unit in enumerate(dict.fromkeys(found), start=1)}


def _unit_ref(unit: str, units: Mapping[str, str]) -> str:
    if unit not in units:
        return ""
    return _element("MeasurementUnitRef", {"MeasurementUnitOID": units[unit]})


def _version(sheet: StudySheet) -> str:
    return f"MDV.{sheet.protocol_sha256[:12]}"


def _ref(name: str, oid: str, place: int, *, mandatory: str = "Yes") -> dict[str, str]:
    return {name: oid, "OrderNumber": str(place), "Mandatory": mandatory}


def _question(texts: list[tuple[str, str]]) -> str:
    return _element("Question", {}, _translated(texts))


def _translated(texts: Iterable[tuple[str, str]]) -> str:
    return "".join(
        _element("TranslatedText", {"xml:lang": language}, escape(text)) for language, text in texts
    )


def _open(name: str, attributes: Mapping[str, str]) -> str:
    return f"<{name}{_attributes(attributes)}>"


def _element(name: str, attributes: Mapping[str, str], content: str = "") -> str:
    inside = f">{content}</{name}>" if content else "/>"
    return f"<{name}{_attributes(attributes)}{inside}"


def _attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
