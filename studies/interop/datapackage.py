"""A Frictionless data package: what every CSV file of an export holds, checkable by program.

References
----------
Frictionless Data, Data Package and Table Schema, version 1.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studies.interop.study_sheet import StudySheet
from studies.interop.variables import Kind, Variable

TYPES = {
    Kind.TEXT: "string", Kind.CODE: "integer", Kind.WHOLE: "integer", Kind.NUMBER: "number",
    Kind.DATE: "date",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Resource:
    """One CSV file: its path, fields, the fields that tell its rows apart, and its SHA-256."""

    path: str
    title: str
    fields: Sequence[Mapping[str, Any]]
    key: tuple[str, ...] = ()
    sha256: str = ""


def field_of(variable: Variable) -> dict[str, Any]:
    """Return a variable as a field of a table schema."""
    limits: dict[str, Any] = {}
    if variable.choices:
        limits["enum"] = [code for code, _label in variable.choices]
    else:
        limits |= {"minimum": variable.low} if variable.low is not None else {}
        limits |= {"maximum": variable.high} if variable.high is not None else {}
    field: dict[str, Any] = {
        "name": variable.name, "type": TYPES[variable.kind], "title": variable.label,
    }  # fmt: skip
    if variable.unit:
        field["unit"] = variable.unit
    if variable.choices:
        field["labels"] = {str(code): label for code, label in variable.choices}
    return field | ({"constraints": limits} if limits else {})


def datapackage(sheet: StudySheet, resources: Iterable[Resource]) -> str:
    """Return the descriptor ``datapackage.json``."""
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in sheet.code.lower())
    return (
        json.dumps(
            {
                "profile": "data-package",
                "name": name,
                "title": sheet.title,
                "created": f"{sheet.cut_at:%Y-%m-%dT%H:%M:%SZ}",
                "is_synthetic": sheet.is_synthetic,
                "is_blinded": sheet.is_blinded,
                "resources": [_resource(resource) for resource in resources],
            },
            ensure_ascii=False,
            indent=1,
        )
        + "\n"
    )


def _resource(resource: Resource) -> dict[str, Any]:
    schema: dict[str, Any] = {"fields": list(resource.fields), "missingValues": [""]}
    if resource.key:
        schema["primaryKey"] = list(resource.key)
    described = {
        "profile": "tabular-data-resource",
        "name": resource.path.removesuffix(".csv").replace("/", "-").replace("_", "-"),
        "path": resource.path,
        "title": resource.title,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": schema,
    }
    return described | ({"hash": f"sha256:{resource.sha256}"} if resource.sha256 else {})
