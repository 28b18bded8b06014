"""Merging vendors, which only people can: one takes over everything of the other, who is gone or inactive afterwards.

That the loser stays as an inactive vendor, and that its transactions get new versions, is assumed; both are switches.
"""

from typing import Any

from connectors.quickbooks.simulator_company import Act, Event
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_faults import Body, business
from connectors.quickbooks.simulator_lists import DELETED

VENDOR = ENTITIES["Vendor"]
POINTERS = ("VendorRef", "PrefVendorRef", "EntityRef", "Entity")


def merge_vendors(act: Act, survivor_id: str, loser_id: str) -> Body:
    """The vendor who is left."""
    company = act.company
    survivor, loser = (company.row("Vendor", identity) for identity in (survivor_id, loser_id))
    if survivor_id == loser_id or not (survivor["Active"] and loser["Active"]):
        raise business("Choose two different active vendors to merge.")
    if survivor["CurrencyRef"]["value"] != loser["CurrencyRef"]["value"]:
        raise business("Vendors of different currencies can't be merged.")
    _move_everything(act, loser_id, survivor)
    company.adjust("Vendor", survivor_id, Balance=survivor["Balance"] + loser["Balance"])
    if act.switches.merged_vendor_disappears:
        company.remove(VENDOR, loser_id, act.now)
    else:
        name = {"DisplayName": loser["DisplayName"] + DELETED, "Active": False, "Balance": 0}
        company.replace(VENDOR, {**loser, **name}, act.now)
    company.events.pop()  # the merge says it
    company.replace(VENDOR, company.vendors[survivor_id], act.now)
    company.events[-1] = Event("Vendor", survivor_id, "Merge", act.now, merged=loser_id)
    return company.vendors[survivor_id]


def _move_everything(act: Act, loser_id: str, survivor: Body) -> None:
    for table in act.company.tables.values():
        for row in list(table.rows.values()):
            moved = _moved(row, loser_id, survivor)
            if moved == row:
                continue
            if act.switches.merge_touches_transactions:
                act.company.replace(table.entity, moved, act.now)
            else:
                table.put(moved)


def _moved(value: Any, loser_id: str, survivor: Body) -> Any:
    if isinstance(value, list):
        return [_moved(part, loser_id, survivor) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {**part, "value": survivor["Id"], "name": survivor["DisplayName"]}
        if key in POINTERS and _is(part, loser_id, key)
        else _moved(part, loser_id, survivor)
        for key, part in value.items()
    }


def _is(pointer: Any, vendor_id: str, key: str) -> bool:
    if not isinstance(pointer, dict) or pointer.get("value") != vendor_id:
        return False
    return key.endswith("VendorRef") or str(pointer.get("type", "Vendor")).title() == "Vendor"
