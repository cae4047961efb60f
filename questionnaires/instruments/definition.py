"""An instrument as plain data, the way a database keeps it, and back."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from questionnaires.instruments.branching import compiled
from questionnaires.instruments.instrument import (
    Instrument,
    Item,
    Kind,
    ScaleScore,
    ScoreField,
)


def as_data(instrument: Instrument) -> dict[str, Any]:
    """Return an instrument as JSON can hold it; ``from_data`` gives it back."""
    return {
        "key": instrument.key,
        "version": instrument.version,
        "items": [_item_data(item) for item in instrument.items],
        "rule_ids": list(instrument.rule_ids),
        "scores": [[field.name, field.unit, field.low, field.high] for field in instrument.scores],
        "declared": [
            {
                "name": scale.name,
                "method": scale.method,
                "items": list(scale.items),
                "reversed": list(scale.reversed),
                "missing_allowed": scale.missing_allowed,
            }
            for scale in instrument.declared
        ],
        "missing_rule": instrument.missing_rule,
        "source": instrument.source,
    }


def from_data(data: Mapping[str, Any]) -> Instrument:
    """Return the instrument that ``as_data`` described.

    Raises
    ------
    InstrumentContradiction
        If the data were changed into a contradiction.
    """
    return Instrument(
        key=data["key"],
        version=data["version"],
        items=tuple(_item(item) for item in data["items"]),
        rule_ids=tuple(data["rule_ids"]),
        scores=tuple(ScoreField(*field) for field in data["scores"]),
        missing_rule=data["missing_rule"],
        source=data["source"],
        declared=tuple(
            ScaleScore(
                name=scale["name"],
                method=scale["method"],
                items=tuple(scale["items"]),
                reversed=tuple(scale["reversed"]),
                missing_allowed=scale["missing_allowed"],
            )
            for scale in data["declared"]
        ),
    )


def definition_hash(data: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a definition, its version left out."""
    rest = {key: value for key, value in data.items() if key != "version"}
    canonical = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _item_data(item: Item) -> dict[str, Any]:
    return {
        "key": item.key,
        "kind": str(item.kind),
        "choices": list(item.choices),
        "scale": item.scale,
        "low": item.low,
        "high": item.high,
        "required": item.required,
        "asked_if": item.asked_if,
        "asked_when": str(item.asked_when) if item.asked_when else None,
        # Only where it is one: definitions kept before there were any keep their hash.
        **({"is_slider": True} if item.is_slider else {}),
    }


def _item(data: Mapping[str, Any]) -> Item:
    return Item(
        key=data["key"],
        kind=Kind(data["kind"]),
        choices=tuple(data["choices"]),
        scale=data["scale"],
        low=data["low"],
        high=data["high"],
        required=data["required"],
        asked_if=data["asked_if"],
        asked_when=compiled(data["asked_when"]) if data["asked_when"] else None,
        is_slider=data.get("is_slider", False),
    )
