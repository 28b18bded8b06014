"""What may be done with an object: read, create, update fully or sparsely, delete, void; and what follows in the books.

Nothing is changed before everything is checked, so a refusal leaves no trace.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.quickbooks.simulator_attachments import detach, has_all, prepare_attachment, shown
from connectors.quickbooks.simulator_bills import prepare_payable, refuse_taken_number
from connectors.quickbooks.simulator_company import Act
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_entries import prepare_deposit, prepare_journal_entry, prepare_purchase
from connectors.quickbooks.simulator_faults import (
    OTHER_USER,
    Body,
    Refusal,
    has_dependencies,
    missing,
    period_closed,
    stale,
    system_failure,
    unsupported_operation,
)
from connectors.quickbooks.simulator_features import refuse_switched_off
from connectors.quickbooks.simulator_fields import decode_fields, ignored
from connectors.quickbooks.simulator_ledger import post, sum_sub_accounts
from connectors.quickbooks.simulator_lists import prepare_listed, rename_children
from connectors.quickbooks.simulator_orders import link_lines, prepare_order, settle_orders
from connectors.quickbooks.simulator_payments import prepare_bill_payment, settle_links
from connectors.quickbooks.simulator_references import resolve

NON_POSTING = ("PurchaseOrder",)
READ_ONLY = ("TaxCode", "TaxRate")
VOIDS_ARE_TOLD = ("BillPayment", "Purchase")


def _prepare_bill(act: Act, entity: Entity, draft: Body, old: Body | None) -> None:
    requested = draft["Line"]
    prepare_payable(act, entity, draft, old)
    link_lines(act, draft, requested, old)


PREPARE: Mapping[str, Callable[[Act, Entity, Body, Body | None], None]] = {
    "Bill": _prepare_bill,
    "VendorCredit": prepare_payable,
    "BillPayment": prepare_bill_payment,
    "Purchase": prepare_purchase,
    "JournalEntry": prepare_journal_entry,
    "Deposit": prepare_deposit,
    "PurchaseOrder": prepare_order,
    "Attachable": prepare_attachment,
}


def write(act: Act, entity: Entity, body: Body, operation: str = "", voids: bool = False) -> Body:
    """What a POST to an entity's folder does, by its operation and by whether the object has an id: the envelope."""
    if operation == "void":
        return _refuse_void(entity)
    if operation == "delete":
        return {entity.name: delete(act, entity, body)}
    if operation == "update" and voids and entity.name == "BillPayment":
        return {entity.name: void(act, entity, body)}
    if operation not in ("", "create", "update") or (entity.name in READ_ONLY and not act.by_person):
        raise unsupported_operation(f"Operation {operation or 'create'} is not supported.")
    is_update = operation == "update" or (not operation and body.get("Id"))
    return {entity.name: update(act, entity, body) if is_update else create(act, entity, body)}


def create(act: Act, entity: Entity, body: Body) -> Body:
    """A new object."""
    fields = resolve(act, entity, decode_fields(entity.fields, body), None)
    refuse_switched_off(act, entity, fields)
    draft = _complete(act, entity, fields, None)
    created = act.company.insert(entity, draft, act.now)
    _follow(act, entity, None, created)
    created = shown(act, entity, act.company.tables[entity.name].rows[created["Id"]])
    if entity.name == "Account":  # seen live: a fresh account's answer has no time of its last update
        return {**created, "MetaData": {"CreateTime": created["MetaData"]["CreateTime"]}}
    return created


def update(act: Act, entity: Entity, body: Body) -> Body:
    """A new value: a full update clears every writable field that is missing, a sparse one keeps it."""
    old = _current(act, entity, body)
    fields = resolve(act, entity, decode_fields(entity.fields, body), old)
    refuse_switched_off(act, entity, fields)
    is_sparse = body.get("sparse") in (True, "true")
    for name in entity.repeated:
        if is_sparse and name not in body and not act.by_person:
            raise missing(name)
    base = {name: value for name, value in old.items() if is_sparse or _is_kept(entity, name)}
    if act.switches.rate_follows_date and fields.get("TxnDate", old.get("TxnDate")) != old.get("TxnDate"):
        base.pop("ExchangeRate", None)
    draft = _complete(act, entity, {**base, **fields}, old)
    is_deactivated = entity.listed and old["Active"] and not draft["Active"]
    replaced = _replace(act, entity, old, draft, act.switches.deactivation_event if is_deactivated else "Update")
    if "FullyQualifiedName" in replaced:
        rename_children(act, entity, replaced)
    if entity.name == "Account" and old.get("ParentRef") != replaced.get("ParentRef"):
        sum_sub_accounts(act.company)
    return shown(act, entity, act.company.tables[entity.name].rows[replaced["Id"]])


def delete(act: Act, entity: Entity, body: Body) -> Body:
    """A transaction or attachment is gone, a tombstone stays."""
    if entity.listed:
        raise unsupported_operation("Operation Delete is not supported.")
    old = _current(act, entity, body)
    if entity.name == "Attachable" and not has_all(act, body):
        raise missing("AttachableRef")
    _refuse_closed(act, entity, old)
    if entity.name != "BillPayment" and old.get("LinkedTxn"):
        raise has_dependencies()
    _follow(act, entity, old, None)
    act.company.remove(entity, old["Id"], act.now)
    detach(act, entity, old["Id"])
    return {"status": "Deleted", "domain": "QBO", "Id": old["Id"]}


def void(act: Act, entity: Entity, body: Body) -> Body:
    """A transaction stays with no amounts, a payment with no lines, and what it paid or billed is open again."""
    old = _current(act, entity, body)
    if entity.name != "BillPayment" and any(link["TxnType"] != "PurchaseOrder" for link in old.get("LinkedTxn", [])):
        raise has_dependencies()
    note = f"Voided - {old['PrivateNote']}" if old.get("PrivateNote") else "Voided"
    amounts: Body = {name: Decimal(0) for name in ("TotalAmt", "Balance", "HomeBalance") if name in old}
    lines = [] if entity.name == "BillPayment" else [_without_amounts(line) for line in old["Line"]]
    draft = {**old, **amounts, "Line": lines, "PrivateNote": note[:4000]}
    if "LinkedTxn" in old:
        draft["LinkedTxn"] = []
    if act.by_person:
        draft["status"] = "Voided"
    _refuse_closed(act, entity, old)
    return _replace(act, entity, old, draft, "Void" if entity.name in VOIDS_ARE_TOLD else "Update")


def _without_amounts(line: Body) -> Body:
    kind = "ItemBasedExpenseLineDetail"
    changed = {**line, "LinkedTxn": []}
    if "Amount" in line:
        changed["Amount"] = Decimal(0)
    if kind in line:
        changed[kind] = {**line[kind], "Qty": Decimal(0)}
    return changed


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
    if entity.dated:
        draft.setdefault("TxnDate", act.company.today(act.now).isoformat())
    for dated in (old, draft):
        _refuse_closed(act, entity, dated)
    PREPARE[entity.name](act, entity, draft, old)
    refuse_taken_number(act, entity, draft)
    return draft


def _refuse_closed(act: Act, entity: Entity, body: Body | None) -> None:
    if not entity.dated or entity.name in NON_POSTING:
        return
    if body is not None and body["TxnDate"] <= act.company.closed_through:
        raise period_closed(act.switches.closed_period_code)


def _replace(act: Act, entity: Entity, old: Body, draft: Body, operation: str = "Update") -> Body:
    _follow(act, entity, old, draft)
    return act.company.replace(entity, draft, act.now, operation)


def _follow(act: Act, entity: Entity, old: Body | None, new: Body | None) -> None:
    """Balances and links follow a transaction from its old value to its new one."""
    if not entity.dated:
        return
    if old is not None:
        post(act.company, entity, old, -1)
    if new is not None:
        post(act.company, entity, new, 1)
    if entity.name == "BillPayment":
        settle_links(act, old, new)
    elif entity.name == "Bill":
        settle_orders(act, old, new)


def read(act: Act, entity: Entity, identity: str) -> Any:
    """One object as JSON."""
    if not identity.isdecimal():
        raise Refusal("2030", "Invalid ID", f"Invalid ID : {identity} is not an id", "Id")
    row = act.company.row(entity.name, identity)
    return shown(act, entity, row) if entity.name == "Attachable" else act.company.tables[entity.name].written(identity)
