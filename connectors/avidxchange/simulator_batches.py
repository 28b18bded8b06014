"""Batches of the simulated network: one result per record, in order; a refused record never takes others with it.

Assumed: a record is an upsert on its external id and replaces all that may be sent (what is absent becomes null);
a field that the contract does not name is refused; an acknowledgement says the same as often as it likes.
AvidXchange's older batches, public: HTTP 200 also where every record failed, per-record results with errors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connectors.avidxchange.simulator_books import (
    Company,
    Problem,
    Record,
    RecordRefused,
    RequestRefused,
    Upserted,
    replace,
)
from connectors.avidxchange.simulator_coding import upsert_dimension, upsert_dimension_value, upsert_gl_account
from connectors.avidxchange.simulator_invoices import submit_invoice
from connectors.avidxchange.simulator_orders import upsert_purchase_order
from connectors.avidxchange.simulator_shapes import REMIT_FIELDS
from connectors.avidxchange.simulator_wire import EXTERNAL_ID, Wire, read_body


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One kind of batch: what its records are, which field tells them apart, and what happens to each."""

    kind: str
    upsert: Callable[..., Upserted]
    key: str = "external_id"


def run_batch(
    company: Company, operation: str, slots: Mapping[str, str], wire: Wire, body: bytes, now: datetime
) -> Record:
    """The reply to a batch, in canonical names; `slots` are the ids in its path."""
    profile = wire.profile
    offered = profile.operation(operation)
    sent = read_body(body)
    items = sent.get(str(offered.items))
    if not isinstance(items, list):
        raise RequestRefused(400, "malformed_request", "A list of records is expected.", offered.items)
    images = 2 * profile.limits.image_bytes if profile.strategies.image == "base64InInvoice" else 0
    if len(items) > (offered.max_items or len(items)) or len(body) > profile.limits.body_bytes + images:
        raise RequestRefused(413, "batch_too_large", f"At most {offered.max_items} records.", offered.items)
    seen: set[str] = set()
    batch = BATCHES[operation]

    def upsert(record: Record) -> Upserted:
        return batch.upsert(company, record, wire, now, **slots)

    results = [run_item(batch, upsert, wire, item, index, seen) for index, item in enumerate(items)]
    actions = [result["action"] for result in results]
    return {
        "batch_id": company.serial.id("bat"),
        "batch_external_id": profile.get("batch_request", sent, "batch_external_id"),
        "received": len(items),
        "created": actions.count("created"),
        "updated": actions.count("updated"),
        "unchanged": actions.count("unchanged"),
        "failed": actions.count("rejected"),
        "results": results,
    }


def run_item(
    batch: Batch, upsert: Callable[[Record], Upserted], wire: Wire, item: Any, index: int, seen: set[str]
) -> Record:
    """The result of one record of a batch."""
    external_id = wire.profile.get(batch.kind, item, batch.key)
    external_id = external_id if isinstance(external_id, str) else None
    try:
        if external_id in seen:
            place = wire.profile.name(batch.kind, batch.key)
            raise RecordRefused(Problem(code="duplicate_in_batch", field=place, message="It is in the batch twice."))
        if external_id and EXTERNAL_ID.fullmatch(external_id):
            seen.add(external_id)
        done = upsert(wire.read(batch.kind, item))
    except RecordRefused as refused:
        problems = [_as_error(problem) for problem in refused.problems]
        result: Record = {"id": None, "successful": False, "action": "rejected", "version": None, "errors": problems}
        return {"index": index, "external_id": external_id, **result, "warnings": []}
    return {
        "index": index,
        "external_id": external_id,
        "id": done.record["id"],
        "successful": True,
        "action": done.action,
        "version": done.record["version"],
        "errors": [],
        "warnings": [_as_error(warning) for warning in done.warnings],
    }


def _as_error(problem: Problem) -> Record:
    return {
        "code": problem.code,
        "field": problem.field,
        "message": problem.message,
        "retryable": problem.code.endswith("_not_found"),
        "existing_id": problem.existing_id,
    }


def upsert_vendor(company: Company, sent: Record, wire: Wire, now: datetime) -> Upserted:
    """A vendor; one that the network knows without our external id is linked only when told which."""
    link_to = sent.pop("link_to_id")
    existing = company.vendors.external(sent["external_id"])
    if existing is None and link_to is not None:
        existing = company.vendors.get(link_to)
        if existing is None or existing["external_id"] is not None:
            place = wire.profile.name("vendor", "link_to_id")
            raise RecordRefused(Problem(code="field_invalid", field=place, message="No unlinked vendor has this id."))
        company.unlinked_vendors.pop(existing["name"].casefold(), None)
    twin = company.unlinked_vendors.get(sent["name"].casefold())
    if existing is None and twin is not None:
        raise RecordRefused(
            Problem(
                code="vendor_possible_duplicate",
                field=wire.profile.name("vendor", "name"),
                message="A vendor of this name exists without an external id.",
                existing_id=twin,
            )
        )
    sent["is_active"] = sent["is_active"] is not False
    new = {"network_status": "not_enrolled", "preferred_payment_method": None}
    record, action = replace(company.vendors, existing, sent, new, now)
    warnings = []
    if not can_be_mailed(record):
        place = wire.profile.name("vendor", "remit_to")
        warnings = [Problem(code="remit_to_incomplete", field=place, message="It cannot be paid by check.")]
    return Upserted(record=record, action=action, warnings=warnings)


def can_be_mailed(vendor: Record) -> bool:
    """Whether a check finds its way: every part of the address but the second line."""
    return all(vendor[name] for name in REMIT_FIELDS if name != "remit_line2")


def acknowledge_payment(company: Company, sent: Record, wire: Wire, now: datetime) -> Upserted:
    """The customer says under which id a payment stands in its ERP; the payment itself does not change."""
    payment = company.payments.get(sent["payment_id"])
    if payment is None:
        place = wire.profile.name("acknowledgement", "payment_id")
        raise RecordRefused(Problem(code="not_found", field=place, message="There is no such payment."))
    before = company.acknowledgements.get(payment["id"])
    company.acknowledgements[payment["id"]] = sent
    action = "created" if before is None else "unchanged" if before == sent else "updated"
    return Upserted(record=payment, action=action)


BATCHES: Final[Mapping[str, Batch]] = {
    "upsert_vendors": Batch(kind="vendor", upsert=upsert_vendor),
    "upsert_gl_accounts": Batch(kind="gl_account", upsert=upsert_gl_account),
    "upsert_dimensions": Batch(kind="dimension", upsert=upsert_dimension),
    "upsert_dimension_values": Batch(kind="dimension_value", upsert=upsert_dimension_value),
    "upsert_purchase_orders": Batch(kind="purchase_order", upsert=upsert_purchase_order),
    "submit_invoices": Batch(kind="invoice", upsert=submit_invoice),
    "acknowledge_payments": Batch(kind="acknowledgement", upsert=acknowledge_payment, key="payment_id"),
}
