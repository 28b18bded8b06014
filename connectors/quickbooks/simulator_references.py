"""References in a request: what they point to must be there and active, and the server fills in its name.

Intuit: not that of terms, in every published answer.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.quickbooks.simulator_chart import currency
from connectors.quickbooks.simulator_company import Act, shown_name
from connectors.quickbooks.simulator_entities import ENTITIES, REFERENCES
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import Body, inactive, invalid_reference

WITHOUT_NAMES = ("Term",)


def resolve(act: Act, entity: Entity, fields: Body, old: Body | None) -> Body:
    """The same fields with every reference named; an inactive object may only stay where it stood before."""
    targets = {**REFERENCES, "ParentRef": entity.name}
    before = set(_pointed_to(old or {}, targets))
    return {key: _resolved(act, key, value, targets, before) for key, value in fields.items()}


def _resolved(act: Act, key: str, value: Any, targets: dict[str, str], before: set[tuple[str, str]]) -> Any:
    if isinstance(value, list):
        return [_resolved(act, key, part, targets, before) for part in value]
    if not isinstance(value, dict):
        return value
    if key == "CurrencyRef":
        return currency(value["value"])
    if target := target_of(key, value, targets):
        name = _name(act, target, value["value"], before)
        return {**value, "name": name} if name and target not in WITHOUT_NAMES else value
    if key == "Entity" and "EntityRef" in value:
        person = {**value["EntityRef"], "type": value.get("Type", "Vendor")}
        return {**value, "EntityRef": _resolved(act, "EntityRef", person, targets, before)}
    return {inner: _resolved(act, inner, part, targets, before) for inner, part in value.items()}


def target_of(key: str, value: Body, targets: Mapping[str, str]) -> str | None:
    """The entity of what this reference points to, if it is known."""
    if key in ("EntityRef", "Entity") and "value" in value:
        kind = str(value.get("type", "Vendor")).title()
        return kind if kind in ENTITIES else None
    return targets.get(key)


def _name(act: Act, target: str, identity: str, before: set[tuple[str, str]]) -> str:
    row = act.company.tables[target].rows.get(identity)
    if row is None:
        raise invalid_reference(ENTITIES[target].noun, identity)
    if not row.get("Active", True) and (target, identity) not in before:
        raise inactive()
    return shown_name(row)


def _pointed_to(value: Any, targets: dict[str, str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for part in value:
            yield from _pointed_to(part, targets)
    elif isinstance(value, dict):
        for key, part in value.items():
            target = target_of(key, part, targets) if isinstance(part, dict) and "value" in part else None
            if target:
                yield target, part["value"]
            else:
                yield from _pointed_to(part, targets)
