"""What may be done with an object: read, create, update fully or sparsely, delete, void; and what follows in the books.

Nothing is changed before everything is checked, so a refusal leaves no trace.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.quickbooks.simulator_bills import (
    prepare_journal_entry,
    prepare_payable,
    prepare_purchase,
    refuse_taken_number,
)
from connectors.quickbooks.simulator_company import OTHER_USER, Act
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import (
    Body,
    Refusal,
    has_dependencies,
    missing,
    period_closed,
    stale,
    system_failure,
    unsupported_operation,
)
from connectors.quickbooks.simulator_fields import decode_fields, ignored
from connectors.quickbooks.simulator_ledger import post, sum_sub_accounts
from connectors.quickbooks.simulator_lists import prepare_listed, rename_children
from connectors.quickbooks.simulator_payments import prepare_bill_payment, settle_links
from connectors.quickbooks.simulator_references import resolve

PREPARE: Mapping[str, Callable[[Act, Entity, Body, Body | None], None]] = {
    "Bill": prepare_payable,
    "VendorCredit": prepare_payable,
    "BillPayment": prepare_bill_payment,
    "Purchase": prepare_purchase,
    "JournalEntry": prepare_journal_entry,
}


def write(act: Act, entity: Entity, body: Body, operation: str = "", voids: bool = False) -> Body:
    """What a POST to an entity's folder does, by its operation and by whether the object has an id: the envelope."""
    if operation == "void":
        return _refuse_void(entity)
    if operation == "delete":
        return {entity.name: delete(act, entity, body)}
    if operation == "update" and voids and entity.name == "BillPayment":
        return {entity.name: void(act, entity, body)}
    if operation not in ("", "create", "update"):
        raise unsupported_operation(f"Operation {operation} is not supported.")
    is_update = operation == "update" or (not operation and body.get("Id"))
    return {entity.name: update(act, entity, body) if is_update else create(act, entity, body)}


def create(act: Act, entity: Entity, body: Body) -> Body:
    """A new object."""
    fields = resolve(act, entity, decode_fields(entity.fields, body), None)
    draft = _complete(act, entity, fields, None)
    created = act.company.insert(entity, draft, act.now)
    _follow(act, entity, None, created)
    created = act.company.tables[entity.name].rows[created["Id"]]
    if entity.name == "Account":  # seen live: a fresh account's answer has no time of its last update
        return {**created, "MetaData": {"CreateTime": created["MetaData"]["CreateTime"]}}
    return created


def update(act: Act, entity: Entity, body: Body) -> Body:
    """A new value: a full update clears every writable field that is missing, a sparse one keeps it."""
    old = _current(act, entity, body)
    fields = resolve(act, entity, decode_fields(entity.fields, body), old)
    is_sparse = body.get("sparse") in (True, "true")
    for name in entity.repeated:
        if is_sparse and name not in body and not act.by_person:
            raise missing(name)
    base = {name: value for name, value in old.items() if is_sparse or _is_kept(entity, name)}
    draft = _complete(act, entity, {**base, **fields}, old)
    replaced = _replace(act, entity, old, draft)
    if "FullyQualifiedName" in replaced:
        rename_children(act, entity, replaced)
    if entity.name == "Account" and old.get("ParentRef") != replaced.get("ParentRef"):
        sum_sub_accounts(act.company)
    return act.company.tables[entity.name].rows[replaced["Id"]]


def delete(act: Act, entity: Entity, body: Body) -> Body:
    """A transaction is gone, a tombstone stays."""
    if entity.listed:
        raise unsupported_operation("Operation Delete is not supported.")
    old = _current(act, entity, body)
    _refuse_closed(act, old)
    if entity.name != "BillPayment" and old.get("LinkedTxn"):
        raise has_dependencies()
    _follow(act, entity, old, None)
    act.company.tables[entity.name].remove(old["Id"], act.now.replace(microsecond=0))
    return {"status": "Deleted", "domain": "QBO", "Id": old["Id"]}


def void(act: Act, entity: Entity, body: Body) -> Body:
    """A bill payment stays with no amount and no lines, and what it paid is open again."""
    old = _current(act, entity, body)
    note = f"Voided - {old['PrivateNote']}" if old.get("PrivateNote") else "Voided"
    draft = {**old, "TotalAmt": Decimal(0), "Line": [], "PrivateNote": note[:4000]}
    if act.by_person:
        draft["status"] = "Voided"
    _refuse_closed(act, old)
    return _replace(act, entity, old, draft)


def _refuse_void(entity: Entity) -> Body:
    """Voids that do not work, each in its own way (seen in live captures)."""
    if entity.name == "JournalEntry":
        return {"BatchItemResponse": []}
    if entity.name == "Bill":
        raise system_failure()
    raise unsupported_operation("Operation void is not supported.")


def _current(act: Act, entity: Entity, body: Body) -> Body:
    for name in ("Id", "SyncToken"):
        if body.get(name) in (None, ""):
            raise missing(name)
    old = act.company.row(entity.name, str(body["Id"]))
    if str(body["SyncToken"]) != old["SyncToken"]:
        raise stale(OTHER_USER)
    return old


def _is_kept(entity: Entity, name: str) -> bool:
    """Fields that only the server writes, and those that a full update does not clear."""
    return name in entity.kept or entity.fields.get(name, ignored) is ignored


def _complete(act: Act, entity: Entity, fields: Body, old: Body | None) -> Body:
    """The object as it would be stored, checked against every rule."""
    draft = {name: value for name, value in fields.items() if value is not None}
    for name in entity.required:
        if name not in draft:
            raise missing(name)
    if entity.listed:
        prepare_listed(act, entity, draft, old)
        return draft
    draft.setdefault("TxnDate", act.company.today(act.now).isoformat())
    for dated in (old, draft):
        _refuse_closed(act, dated)
    PREPARE[entity.name](act, entity, draft, old)
    refuse_taken_number(act, entity, draft)
    return draft


def _refuse_closed(act: Act, body: Body | None) -> None:
    if body is not None and body["TxnDate"] <= act.company.closed_through:
        raise period_closed(act.switches.closed_period_code)


def _replace(act: Act, entity: Entity, old: Body, draft: Body) -> Body:
    _follow(act, entity, old, draft)
    return act.company.replace(entity, draft, act.now)


def _follow(act: Act, entity: Entity, old: Body | None, new: Body | None) -> None:
    """Balances and links follow a transaction from its old value to its new one."""
    if entity.listed:
        return
    if old is not None:
        post(act.company, entity, old, -1)
    if new is not None:
        post(act.company, entity, new, 1)
    if entity.name == "BillPayment":
        settle_links(act, old, new)


def read(act: Act, entity: Entity, identity: str) -> Any:
    """One object as JSON."""
    if not identity.isdecimal():
        raise Refusal("2030", "Invalid ID", f"Invalid ID : {identity} is not an id", "Id")
    act.company.row(entity.name, identity)
    return act.company.tables[entity.name].written(identity)
