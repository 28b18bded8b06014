"""Merging two of a list, which only people can: one takes over everything of the other, who is gone or inactive after.

That the loser stays as an inactive object, and that what pointed to it gets a new version, is assumed; both are
switches. Assumed too, from what QuickBooks' own pages tell people: what has to be alike before two can be merged.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.quickbooks.simulator_company import Act, Event, shown_name
from connectors.quickbooks.simulator_entities import ENTITIES, REFERENCES
from connectors.quickbooks.simulator_faults import Body, business
from connectors.quickbooks.simulator_lists import DELETED, refuse_circle, rename_children
from connectors.quickbooks.simulator_references import target_of

ALIKE = {
    "Vendor": ("CurrencyRef",),
    "Account": ("CurrencyRef", "AccountType", "AccountSubType", "SubAccount"),
    "Item": ("Type",),
    "Class": ("SubClass",),
    "Department": ("SubDepartment",),
}
FIGURES = ("Balance", "CurrentBalance", "CurrentBalanceWithSubAccounts", "QtyOnHand")


def merge_listed(act: Act, entity: str, survivor_id: str, loser_id: str) -> Body:
    """The one that is left of two vendors, accounts, items, classes or departments."""
    company, listed = act.company, ENTITIES[entity]
    survivor, loser = (company.row(entity, identity) for identity in (survivor_id, loser_id))
    if entity not in ALIKE or survivor_id == loser_id or not (survivor["Active"] and loser["Active"]):
        raise business("Choose two different active objects of a list that can be merged.")
    if differ := [name for name in ALIKE[entity] if survivor.get(name) != loser.get(name)]:
        raise business(f"Objects with different {differ[0]} can't be merged.")
    refuse_circle(act, listed, {**survivor, "Id": loser_id})
    _move_everything(act, entity, loser_id, survivor)
    rows = company.tables[entity].rows
    rename_children(act, listed, rows[survivor_id])
    figures = {name: Decimal(survivor[name]) + Decimal(loser.get(name, 0)) for name in FIGURES if name in survivor}
    company.adjust(entity, survivor_id, **figures)
    if act.switches.merged_vendor_disappears:
        company.remove(listed, loser_id, act.now)
    else:
        nothing = {name: 0 for name in FIGURES if name in loser}
        names = {name: loser[name] + DELETED for name in (listed.unique, "FullyQualifiedName") if name in loser}
        company.replace(listed, {**rows[loser_id], **names, **nothing, "Active": False}, act.now)
    company.events.pop()  # the merge says it
    company.replace(listed, rows[survivor_id], act.now)
    company.events[-1] = Event(entity, survivor_id, "Merge", act.now, merged=loser_id)
    return rows[survivor_id]


def _move_everything(act: Act, entity: str, loser_id: str, survivor: Body) -> None:
    for table in act.company.tables.values():
        targets = {**REFERENCES, "ParentRef": table.entity.name}
        for row in list(table.rows.values()):
            moved = _moved(row, targets, (entity, loser_id), survivor)
            if moved == row:
                continue
            if act.switches.merge_touches_transactions:
                act.company.replace(table.entity, moved, act.now)
            else:
                table.put(moved)


def _moved(value: Any, targets: Mapping[str, str], loser: tuple[str, str], survivor: Body) -> Any:
    if isinstance(value, list):
        return [_moved(part, targets, loser, survivor) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {**part, "value": survivor["Id"], "name": shown_name(survivor)}
        if isinstance(part, dict) and "value" in part and (target_of(key, part, targets), part["value"]) == loser
        else _moved(part, targets, loser, survivor)
        for key, part in value.items()
    }
