"""Batches of the simulated network: one result per record, in order; a refused record never takes others with it.

Assumed: a record is an upsert on its external id and replaces all that may be sent (what is absent becomes null);
a field that the contract does not name is refused; a GL account's code may be used by one active account only.
AvidXchange's older batches, public: HTTP 200 also where every record failed, per-record results with errors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from connectors.avidxchange.simulator_books import Company, Problem, Record, RecordRefused, RequestRefused, Shelf
from connectors.avidxchange.simulator_invoices import upsert_invoice
from connectors.avidxchange.simulator_shapes import REMIT_FIELDS
from connectors.avidxchange.simulator_wire import EXTERNAL_ID, Wire, read_body


@dataclass(frozen=True, kw_only=True)
class Upserted:
    """What became of one record."""

    record: Record
    action: str
    warnings: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One kind of batch: what its records are, and what happens to each."""

    kind: str
    upsert: Callable[[Company, Record, Wire, datetime], Upserted]


def run_batch(company: Company, operation: str, wire: Wire, body: bytes, now: datetime) -> Record:
    """The reply to a batch, in canonical names."""
    profile = wire.profile
    offered = profile.operation(operation)
    sent = read_body(body)
    items = sent.get(str(offered.items))
    if not isinstance(items, list):
        raise RequestRefused(400, "malformed_request", "A list of records is expected.", offered.items)
    if len(items) > (offered.max_items or 0) or len(body) > profile.limits.body_bytes:
        raise RequestRefused(413, "batch_too_large", f"At most {offered.max_items} records.", offered.items)
    seen: set[str] = set()
    results = [run_item(company, BATCHES[operation], wire, item, index, seen, now) for index, item in enumerate(items)]
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
    company: Company, batch: Batch, wire: Wire, item: Any, index: int, seen: set[str], now: datetime
) -> Record:
    """The result of one record of a batch."""
    external_id = wire.profile.get(batch.kind, item, "external_id")
    external_id = external_id if isinstance(external_id, str) else None
    try:
        if external_id in seen:
            place = wire.profile.name(batch.kind, "external_id")
            raise RecordRefused(Problem(code="duplicate_in_batch", field=place, message="It is in the batch twice."))
        if external_id and EXTERNAL_ID.fullmatch(external_id):
            seen.add(external_id)
        done = batch.upsert(company, wire.read(batch.kind, item), wire, now)
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


def replace(shelf: Shelf, existing: Record | None, values: Record, new: Record, now: datetime) -> tuple[Record, str]:
    """Create, change or leave a record; `new` are the values that only a new one gets."""
    if existing is None:
        return shelf.add({**values, **new}, now), "created"
    if all(existing.get(name) == value for name, value in values.items()):
        return existing, "unchanged"
    shelf.change(existing, values, now)
    return existing, "updated"


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


def upsert_gl_account(company: Company, sent: Record, wire: Wire, now: datetime) -> Upserted:
    """A GL account; its code is free or its own, its parent is known."""
    sent["is_active"] = sent["is_active"] is not False
    holder = company.gl_codes.get(sent["code"])
    if sent["is_active"] and holder not in (None, sent["external_id"]):
        place = wire.profile.name("gl_account", "code")
        raise RecordRefused(Problem(code="field_invalid", field=place, message="Another active account has this code."))
    parent = sent["parent_external_id"]
    if parent is not None and company.gl_accounts.external(parent) is None:
        place = wire.profile.name("gl_account", "parent_external_id")
        raise RecordRefused(Problem(code="gl_account_not_found", field=place, message="There is no such account."))
    existing = company.gl_accounts.external(sent["external_id"])
    if existing is not None and company.gl_codes.get(existing["code"]) == sent["external_id"]:
        del company.gl_codes[existing["code"]]
    if sent["is_active"]:
        company.gl_codes[sent["code"]] = sent["external_id"]
    record, action = replace(company.gl_accounts, existing, sent, {}, now)
    return Upserted(record=record, action=action)


def _submit_invoice(company: Company, sent: Record, wire: Wire, now: datetime) -> Upserted:
    record, action = upsert_invoice(company, sent, wire.profile, now)
    return Upserted(record=record, action=action)


BATCHES: Final[Mapping[str, Batch]] = {
    "upsert_vendors": Batch(kind="vendor", upsert=upsert_vendor),
    "upsert_gl_accounts": Batch(kind="gl_account", upsert=upsert_gl_account),
    "submit_invoices": Batch(kind="invoice", upsert=_submit_invoice),
}
