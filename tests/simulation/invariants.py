"""What must hold when a history has come to rest, read from both providers' own books and then from our rows."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from audit.seal import EVERYTHING, seal
from audit.verify import verify
from connectors.base import JOINT
from connectors.models import Hint, WebhookDelivery
from connectors.records import Kind
from syncs.keys import record_key
from syncs.models import Problem, RemoteRecord, StoppedInvoice, SyncRecord
from syncs.states import State
from tests.simulation import postings, tracks
from tests.simulation.looks import OURS, PIECE, code_of, is_decided, is_out_of_scope
from tests.simulation.world import OLDER, REALM, World

Body = dict[str, Any]
AT_REST = (State.SYNCED, State.OUT_OF_SCOPE, State.IGNORED)


def broken(world: World) -> list[str]:
    """Every promise that does not hold, in a sentence each."""
    money = (postings.payments, postings.discounts, postings.entries)
    books = (*money, _bills, _credits, _orders, _deleted_orders, _images, _vendors)
    told = (*books, _records, _problems, _mirror, _webhooks, tracks.attempts, tracks.wire, _audit)
    return [sentence for tell in told for sentence in tell(world)]


def _bills(world: World) -> Iterator[str]:
    by_key: dict[str, list[Body]] = {}
    for invoice in world.network.invoices.values():
        by_key.setdefault(invoice["external_id"], []).append(invoice)
    for key, invoices in by_key.items():
        if len(invoices) > 1:
            yield f"{len(invoices)} invoices carry the key {key}"
    for bill in world.company.bills.values():
        name = f"bill {bill.get('DocNumber')} ({bill['Id']})"
        [invoice] = by_key.get(record_key("quickbooks", REALM, Kind.BILL, bill["Id"]), [None])
        yield from _stopped(world, name, bill, invoice)
        if is_decided(world, bill["Id"], Kind.BILL):
            paid = world.company.payments_of_bill(bill["Id"])
            by_us = all(OURS in one.get("PrivateNote", "") for one in paid)
            if code_of(world, bill["Id"], Kind.BILL) == "bill_being_paid" and by_us and _same_terms(bill, invoice):
                yield f"{name} is a problem, and nobody but us has settled it"
            continue
        if invoice is None:
            if not is_out_of_scope(world, bill["Id"], Kind.BILL):
                yield f"{name} is not at the network, and no problem names it"
        elif invoice["workflow_status"] == "cancelled":
            if bill["Balance"] == bill["TotalAmt"]:
                yield f"{name} is open, its invoice is cancelled, and no problem names it"
        else:
            if Decimal(invoice["amount"]) != Decimal(bill["TotalAmt"]):
                yield f"{name} is {invoice['amount']} at the network, and {bill['TotalAmt']} in QuickBooks"
            if str(invoice["due_date"]) != bill["DueDate"]:
                yield f"{name} is due {invoice['due_date']} at the network, and {bill['DueDate']} in QuickBooks"
            payees = world.payees(bill["VendorRef"]["value"])
            if invoice["vendor_external_id"] not in {
                record_key("quickbooks", REALM, Kind.VENDOR, payee) for payee in payees
            }:
                yield f"{name} is of another vendor at the network than in QuickBooks"
    for bill_id in world.deleted_bills:
        for invoice in by_key.get(record_key("quickbooks", REALM, Kind.BILL, bill_id), []):
            if invoice["workflow_status"] != "cancelled" and not is_decided(world, bill_id, Kind.BILL):
                yield f"bill {bill_id} was deleted, and its invoice is {invoice['workflow_status']}"


def _stopped(world: World, name: str, bill: Body, invoice: Body | None) -> Iterator[str]:
    """An invoice that was turned down stands in a problem as long as its bill is open."""
    if invoice is None or invoice["workflow_status"] not in ("rejected", "error") or not bill["Balance"]:
        return
    told = StoppedInvoice.objects.filter(remote_record__remote_id=invoice["id"], problem__resolved_at=None)
    if not told.exclude(problem=None).exists() and not is_decided(world, bill["Id"], Kind.BILL):
        yield f"{name} is open, its invoice is {invoice['workflow_status']}, and no problem names it"


def _same_terms(bill: Body, invoice: Body | None) -> bool:
    """Whether the network has the bill's terms, so that nothing but a payment of somebody else could stop it."""
    if invoice is None:
        return False
    there = (str(invoice["due_date"]), Decimal(invoice["amount"]), invoice["vendor_external_id"])
    return there == (bill["DueDate"], Decimal(bill["TotalAmt"]), _payee(bill))


def _payee(bill: Body) -> str:
    return record_key("quickbooks", REALM, Kind.VENDOR, bill["VendorRef"]["value"])


def _vendors(world: World) -> Iterator[str]:
    theirs = {vendor["external_id"]: vendor for vendor in world.network.vendors.values()}
    for vendor in world.company.vendors.values():
        there = theirs.get(record_key("quickbooks", REALM, Kind.VENDOR, vendor["Id"]))
        if is_decided(world, vendor["Id"], Kind.VENDOR):
            continue
        if there is None and is_out_of_scope(world, vendor["Id"], Kind.VENDOR) and not vendor["Active"]:
            continue
        if there is None or (there["legal_name"] or "") != vendor.get("CompanyName", ""):
            yield f"vendor {vendor['DisplayName']} is {there and there['legal_name']} at the network"
        elif there["is_active"] != vendor["Active"]:
            yield f"vendor {vendor['DisplayName']} is active there: {there['is_active']}, here: {vendor['Active']}"


def _credits(world: World) -> Iterator[str]:
    rows = world.company.tables["VendorCredit"].rows
    for credit in rows.values():
        if PIECE.search(credit.get("PrivateNote", "")) or is_decided(world, credit["Id"], Kind.CREDIT):
            continue
        there = _sent_as(world, credit["Id"])
        name = f"credit {credit['DocNumber']}"
        if len(there) != 1:
            if there or not is_out_of_scope(world, credit["Id"], Kind.CREDIT):
                yield f"{name} stands {len(there)} times at the network"
        elif Decimal(there[0]["amount"]) != -Decimal(credit["TotalAmt"]):
            yield f"{name} is {there[0]['amount']} at the network, and {credit['TotalAmt']} in QuickBooks"
    for id in world.deleted("VendorCredit"):
        for one in _sent_as(world, id):
            if one["workflow_status"] != "cancelled" and not is_decided(world, id, Kind.CREDIT):
                yield f"credit {id} was deleted, and is {one['workflow_status']} at the network"


def _sent_as(world: World, credit_id: str) -> list[Body]:
    key = record_key("quickbooks", REALM, Kind.CREDIT, credit_id)
    return [one for one in world.network.invoices.values() if one["external_id"] == key]


def _orders(world: World) -> Iterator[str]:
    for order in world.company.tables["PurchaseOrder"].rows.values():
        key = record_key("quickbooks", REALM, Kind.PURCHASE_ORDER, order["Id"])
        there = [one for one in world.network.purchase_orders.values() if one["external_id"] == key]
        name = f"order {order['DocNumber']}"
        if is_decided(world, order["Id"], Kind.PURCHASE_ORDER):
            continue
        if len(there) > 1 or (not there and order["POStatus"] == "Open"):
            yield f"{name} stands {len(there)} times at the network"
        elif there and there[0]["status"] != order["POStatus"].lower() and not _bills_to_come(world, order):
            yield f"{name} is {there[0]['status']} at the network, and {order['POStatus']} in QuickBooks"


def _deleted_orders(world: World) -> Iterator[str]:
    keys = {record_key("quickbooks", REALM, Kind.PURCHASE_ORDER, id): id for id in world.deleted("PurchaseOrder")}
    for order in world.network.purchase_orders.values():
        id = keys.get(order["external_id"])
        if id and order["status"] == "open" and not is_decided(world, id, Kind.PURCHASE_ORDER):
            yield f"order {id} was deleted, and is open at the network"


def _bills_to_come(world: World, order: Body) -> bool:
    """Whether a bill for the order waits for a person, so that the order is not closed yet."""
    return any(is_decided(world, link["TxnId"], Kind.BILL) for link in order["LinkedTxn"])


def _images(world: World) -> Iterator[str]:
    """The newest file of each bill that the network has stands there with it, unless a problem names it."""
    newest: dict[str, Body] = {}
    for attached in sorted(world.company.tables["Attachable"].rows.values(), key=_put_there):
        newest |= {pointer["EntityRef"]["value"]: attached for pointer in attached["AttachableRef"]}
    for bill_id, attached in newest.items():
        key = record_key("quickbooks", REALM, Kind.BILL, bill_id)
        image_id = f"{attached['Id']}-Bill-{bill_id}"
        for invoice in world.network.invoices.values():
            if invoice["external_id"] != key or invoice["workflow_status"] == "cancelled":
                continue
            if is_decided(world, image_id, Kind.IMAGE) or is_decided(world, bill_id, Kind.BILL):
                continue
            if (size := invoice.get("image_size")) != attached["Size"]:
                yield f"{attached['FileName']} of bill {bill_id} is not what the network shows: {size}"


def _put_there(attached: Body) -> tuple[datetime, int]:
    """When the file was attached, or another put in its place."""
    return datetime.fromisoformat(attached["MetaData"]["LastUpdatedTime"]), int(attached["Id"])


def _mirror(world: World) -> Iterator[str]:
    """What we show of both companies is what they show."""
    erp, network = world.integration.erp_id, world.integration.ap_network_id
    for connection, kind, version, rows in (
        (erp, Kind.VENDOR, "SyncToken", world.company.vendors),
        (erp, Kind.BILL, "SyncToken", world.company.bills),
        (erp, Kind.PAYMENT, "SyncToken", world.company.bill_payments),
        (erp, Kind.CREDIT, "SyncToken", world.company.tables["VendorCredit"].rows),
        (erp, Kind.PURCHASE_ORDER, "SyncToken", world.company.tables["PurchaseOrder"].rows),
        (network, Kind.BILL, "version", _documents(world, "invoice")),
        (network, Kind.CREDIT, "version", _documents(world, "credit")),
        (network, Kind.PAYMENT, "version", world.network.payments),
    ):
        shown = RemoteRecord.objects.filter(connection=connection, kind=kind, gone="")
        known_as = shown.values_list("remote_id", "version")
        ours = {id: token for ids, tokens in known_as for id, token in _pieces(ids, tokens)}
        theirs = {id: str(row[version]) for id, row in rows.items()}
        if connection == network and world.avidxchange.profile.profile_id == OLDER:  # nothing has a version there
            ours, theirs = dict.fromkeys(ours, ""), dict.fromkeys(theirs, "")
        if ours != theirs:
            known, real = sorted(ours.items() - theirs.items()), sorted(theirs.items() - ours.items())
            yield f"{kind}s as we know them: {known}, as they are: {real}"


def _pieces(ids: str, versions: str) -> Iterator[tuple[str, str]]:
    """A payment that stands in parts is one record to us."""
    return ((id, version) for id, version in zip(ids.split(JOINT), versions.split(JOINT), strict=True) if id)


def _documents(world: World, type_name: str) -> dict[str, Body]:
    return {id: row for id, row in world.network.invoices.items() if row["document_type"] == type_name}


def _problems(world: World) -> Iterator[str]:
    for problem in Problem.objects.filter(tenant=world.tenant, resolved_at=None):
        blocked = problem.sync_records.count() + problem.stopped_invoices.count()
        if not blocked:
            yield f"problem {problem.code} ({problem.cause_key}) is open and blocks nothing"
        elif problem.records != blocked:
            yield f"problem {problem.code} counts {problem.records} records and blocks {blocked}"


def _records(world: World) -> Iterator[str]:
    for record in SyncRecord.objects.exclude(state__in=AT_REST).select_related("remote_record", "problem", "stream"):
        name = f"{record.remote_record} ({record.record_key})"
        if record.state not in (State.HELD, State.WAITING):
            yield f"{name} is still {record.state}: {record.code} {record.reason}"
        elif record.problem is None or record.problem.resolved_at is not None:
            yield f"{name} is {record.state}, and no open problem names it: {record.reason}"
    for record in SyncRecord.objects.filter(state=State.SYNCED):
        if record.settled != record.wanted:
            yield f"{record} is synced at revision {record.settled}, wanted is {record.wanted}"


def _webhooks(world: World) -> Iterator[str]:
    """All that was said of our company has been looked at, and nothing of another one has come to us."""
    left = Hint.objects.filter(tenant=world.tenant, connection__isnull=False, settled_at=None).count()
    if left:
        yield f"{left} announcements were never looked at"
    for delivery in WebhookDelivery.objects.filter(outcome=WebhookDelivery.Outcome.UNREADABLE):
        yield f"a webhook could not be read: {delivery.why}"


def _audit(world: World) -> Iterator[str]:
    seal(now=world.clock.now(), holder="invariants", horizon=EVERYTHING)
    for finding in verify(world.tenant.pk, now=world.clock.now()):
        yield f"audit: {finding}"
