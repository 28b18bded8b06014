"""What must hold when a history has come to rest, read from both providers' own books and then from our rows."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from audit.seal import EVERYTHING, seal
from audit.verify import verify
from connectors.records import Kind
from syncs.keys import record_key
from syncs.models import Problem, RemoteRecord, SyncRecord
from syncs.states import State
from tests.simulation import tracks
from tests.simulation.world import COMPANY, REALM, World

AT_REST = (State.SYNCED, State.OUT_OF_SCOPE, State.IGNORED)
OURS = "ml-connector:"


def broken(world: World) -> list[str]:
    """Every promise that does not hold, in a sentence each."""
    books = (_payments, _bills, _credits, _orders, _images, _vendors)
    told = (*books, _records, _problems, _mirror, tracks.attempts, tracks.wire, _audit)
    return [sentence for tell in told for sentence in tell(world)]


def standing_payments(world: World) -> dict[str, list[dict[str, Any]]]:
    """QuickBooks' payments that are not voided, by the id of the network's payment that their memo names."""
    standing: dict[str, list[dict[str, Any]]] = {}
    for posted in world.company.bill_payments.values():
        note = posted.get("PrivateNote", "")
        if note.startswith("Voided") or not posted["Line"]:
            continue
        for payment_id in world.network.payments:
            if payment_id in note:
                standing.setdefault(payment_id, []).append(posted)
    return standing


def _payments(world: World) -> Iterator[str]:
    standing = standing_payments(world)
    for payment in world.avidxchange.books()[COMPANY]["payments"]:
        posted, phase, visible = (
            standing.get(payment["id"], []),
            payment["phase"],
            _is_visible(world, payment["id"], Kind.PAYMENT),
        )
        name = f"payment {payment['id']} ({phase})"
        if len(posted) > 1:
            yield f"{name} stands {len(posted)} times in QuickBooks"
        if phase in ("pending", "executed") and not posted and not visible:
            yield f"{name} is lost: not in QuickBooks, and no problem names it"
        if phase in ("reversed", "none") and posted and not visible:
            yield f"{name} still stands in QuickBooks"
        for one in posted:
            yield from _content(world, name, payment, one, visible)


def _content(world: World, name: str, payment: dict[str, Any], posted: dict[str, Any], visible: bool) -> Iterator[str]:
    wanted = {
        _bill_of(world, application["invoice_external_id"]): Decimal(application["gross_amount"])
        for application in payment["applications"]
    }
    got = {line["LinkedTxn"][0]["TxnId"]: _taken(line) for line in posted["Line"]}
    if wanted != got:
        yield f"{name} settles {got} in QuickBooks, and {wanted} at the network"
    if Decimal(posted["TotalAmt"]) != payment["amount"]:
        yield f"{name} is {posted['TotalAmt']} in QuickBooks, and {payment['amount']} at the network"
    if payment["phase"] == "executed" and not visible:
        if posted.get("DocNumber") != payment["check_number"]:
            yield f"{name} has number {posted.get('DocNumber')} in QuickBooks, and {payment['check_number']}"
        if posted["TxnDate"] != str(payment["payment_date"]):
            yield f"{name} is of {posted['TxnDate']} in QuickBooks, and of {payment['payment_date']}"
        if posted["CheckPayment"]["BankAccountRef"]["name"] != "Checking":
            yield f"{name} is paid from {posted['CheckPayment']['BankAccountRef']['name']}"
    pending = posted.get("DocNumber", "").startswith("PND-")
    if pending != (payment["phase"] == "pending") and payment["phase"] in ("pending", "executed") and not visible:
        yield f"{name} is marked {posted.get('DocNumber')} in QuickBooks"


def _taken(line: dict[str, Any]) -> Decimal:
    """What a line settles of a bill, or takes of a credit, which is less than nothing."""
    amount = Decimal(line["Amount"])
    return -amount if line["LinkedTxn"][0]["TxnType"] == "VendorCredit" else amount


def _bill_of(world: World, external_id: str) -> str:
    bills, credits = [*world.company.bills, *world.deleted_bills], world.company.tables["VendorCredit"].rows
    for kind, id in [*((Kind.BILL, id) for id in bills), *((Kind.CREDIT, id) for id in credits)]:
        if record_key("quickbooks", REALM, kind, id) == external_id:
            return str(id)
    return f"no bill for {external_id}"


def _bills(world: World) -> Iterator[str]:
    by_key: dict[str, list[dict[str, Any]]] = {}
    for invoice in world.network.invoices.values():
        by_key.setdefault(invoice["external_id"], []).append(invoice)
    for key, invoices in by_key.items():
        if len(invoices) > 1:
            yield f"{len(invoices)} invoices carry the key {key}"
    for bill in world.company.bills.values():
        name = f"bill {bill.get('DocNumber')} ({bill['Id']})"
        [invoice] = by_key.get(record_key("quickbooks", REALM, Kind.BILL, bill["Id"]), [None])
        if _is_visible(world, bill["Id"], Kind.BILL):
            paid = world.company.payments_of_bill(bill["Id"])
            by_us = all(OURS in one.get("PrivateNote", "") for one in paid)
            if _code(world, bill["Id"]) == "bill_being_paid" and by_us and _same_terms(bill, invoice):
                yield f"{name} is a problem, and nobody but us has settled it"
            continue
        if invoice is None:
            if not _is_out_of_scope(world, bill["Id"], Kind.BILL):
                yield f"{name} is not at the network, and no problem names it"
        elif invoice["workflow_status"] == "cancelled":
            if bill["Balance"] == bill["TotalAmt"]:
                yield f"{name} is open, its invoice is cancelled, and no problem names it"
        else:
            if Decimal(invoice["amount"]) != Decimal(bill["TotalAmt"]):
                yield f"{name} is {invoice['amount']} at the network, and {bill['TotalAmt']} in QuickBooks"
            if str(invoice["due_date"]) != bill["DueDate"]:
                yield f"{name} is due {invoice['due_date']} at the network, and {bill['DueDate']} in QuickBooks"
    for bill_id in world.deleted_bills:
        for invoice in by_key.get(record_key("quickbooks", REALM, Kind.BILL, bill_id), []):
            if invoice["workflow_status"] != "cancelled" and not _is_visible(world, bill_id, Kind.BILL):
                yield f"bill {bill_id} was deleted, and its invoice is {invoice['workflow_status']}"


def _same_terms(bill: dict[str, Any], invoice: dict[str, Any] | None) -> bool:
    """Whether the network has the bill's terms, so that nothing but a payment of somebody else could stop it."""
    return invoice is not None and str(invoice["due_date"]) == bill["DueDate"]


def _vendors(world: World) -> Iterator[str]:
    theirs = {vendor["external_id"]: vendor for vendor in world.network.vendors.values()}
    for vendor in world.company.vendors.values():
        there = theirs.get(record_key("quickbooks", REALM, Kind.VENDOR, vendor["Id"]))
        if there is None or (there["legal_name"] or "") != vendor.get("CompanyName", ""):
            yield f"vendor {vendor['DisplayName']} is {there and there['legal_name']} at the network"


def _credits(world: World) -> Iterator[str]:
    for credit in world.company.tables["VendorCredit"].rows.values():
        key = record_key("quickbooks", REALM, Kind.CREDIT, credit["Id"])
        there = [one for one in world.network.invoices.values() if one["external_id"] == key]
        name = f"credit {credit['DocNumber']}"
        if len(there) != 1:
            yield f"{name} stands {len(there)} times at the network"
        elif Decimal(there[0]["amount"]) != -Decimal(credit["TotalAmt"]):
            yield f"{name} is {there[0]['amount']} at the network, and {credit['TotalAmt']} in QuickBooks"


def _orders(world: World) -> Iterator[str]:
    for order in world.company.tables["PurchaseOrder"].rows.values():
        key = record_key("quickbooks", REALM, Kind.PURCHASE_ORDER, order["Id"])
        there = [one for one in world.network.purchase_orders.values() if one["external_id"] == key]
        name = f"order {order['DocNumber']}"
        if len(there) > 1 or (not there and order["POStatus"] == "Open"):
            yield f"{name} stands {len(there)} times at the network"
        elif there and there[0]["status"] != order["POStatus"].lower() and not _bills_to_come(world, order):
            yield f"{name} is {there[0]['status']} at the network, and {order['POStatus']} in QuickBooks"


def _bills_to_come(world: World, order: dict[str, Any]) -> bool:
    """Whether a bill for the order waits for a person, so that the order is not closed yet."""
    return any(_is_visible(world, link["TxnId"], Kind.BILL) for link in order["LinkedTxn"])


def _images(world: World) -> Iterator[str]:
    """The newest file of each bill that the network has stands there with it, unless a problem names it."""
    newest: dict[str, dict[str, Any]] = {}
    for attached in sorted(world.company.tables["Attachable"].rows.values(), key=lambda one: int(one["Id"])):
        newest |= {pointer["EntityRef"]["value"]: attached for pointer in attached["AttachableRef"]}
    for bill_id, attached in newest.items():
        key = record_key("quickbooks", REALM, Kind.BILL, bill_id)
        image_id = f"{attached['Id']}-Bill-{bill_id}"
        for invoice in world.network.invoices.values():
            if invoice["external_id"] != key or invoice["workflow_status"] == "cancelled":
                continue
            if _is_visible(world, image_id, Kind.IMAGE) or _is_visible(world, bill_id, Kind.BILL):
                continue
            if invoice["image_size"] != attached["Size"]:
                yield f"{attached['FileName']} of bill {bill_id} is not what the network shows: {invoice['image_size']}"


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
        ours = dict(shown.values_list("remote_id", "version"))
        theirs = {id: str(row[version]) for id, row in rows.items()}
        if ours != theirs:
            known, real = sorted(ours.items() - theirs.items()), sorted(theirs.items() - ours.items())
            yield f"{kind}s as we know them: {known}, as they are: {real}"


def _documents(world: World, type_name: str) -> dict[str, dict[str, Any]]:
    return {id: row for id, row in world.network.invoices.items() if row["document_type"] == type_name}


def _problems(world: World) -> Iterator[str]:
    for problem in Problem.objects.filter(tenant=world.tenant, resolved_at=None):
        blocked = problem.sync_records.count()
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


def _audit(world: World) -> Iterator[str]:
    seal(now=world.clock.now(), holder="invariants", horizon=EVERYTHING)
    for finding in verify(world.tenant.pk, now=world.clock.now()):
        yield f"audit: {finding}"


def _state(world: World, remote_id: str, kind: Kind) -> SyncRecord | None:
    return (
        SyncRecord.objects.filter(tenant=world.tenant, remote_record__kind=kind, remote_record__remote_id=remote_id)
        .select_related("problem")
        .first()
    )


def _is_visible(world: World, remote_id: str, kind: Kind) -> bool:
    record = _state(world, remote_id, kind)
    return record is not None and record.problem is not None and record.problem.resolved_at is None


def _code(world: World, bill_id: str) -> str:
    record = _state(world, bill_id, Kind.BILL)
    return record.code if record is not None else ""


def _is_out_of_scope(world: World, remote_id: str, kind: Kind) -> bool:
    record = _state(world, remote_id, kind)
    return record is not None and record.state == State.OUT_OF_SCOPE
