"""What must hold of payments: each stands in the ERP once, to the cent as the network has it, and nothing else does."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from connectors.records import Kind
from syncs.keys import record_key
from tests.simulation.looks import OURS, PIECE, code_of, is_decided
from tests.simulation.world import COMPANY, OLDER, REALM, World

Body = dict[str, Any]
REFERENCES = {"check": "check_number", "ach": "ach_trace", "virtual_card": "card_last4"}
CHECKING, IN_TRANSIT = "Checking", "Payments in transit"
EXECUTION = re.compile(r"ml-connector:\w{32}/execution; ")
# What these problems say is that another thing stands in the ERP than the network has.
STANDS_OTHERWISE = ("applications_changed", "posting_gone", "payment_shape", "ignored")


def payments(world: World) -> Iterator[str]:
    """Each payment of the network stands once, in as many parts as its bills have AP accounts, or not at all."""
    standing = standing_payments(world)
    for payment in world.avidxchange.books()[COMPANY]["payments"]:
        posted, phase = standing.get(payment["id"], []), payment["phase"]
        known = is_decided(world, payment["id"], Kind.PAYMENT)
        name = f"payment {payment['id']} ({phase})"
        accounts = [one["APAccountRef"]["value"] for one in posted]
        if len(set(accounts)) != len(accounts):
            yield f"{name} stands {len(posted)} times in QuickBooks"
        if phase in ("pending", "executed") and not posted and not known and not _left_pending(world, payment):
            yield f"{name} is lost: not in QuickBooks, and no problem names it"
        if phase in ("reversed", "none") and posted and not known:
            yield f"{name} still stands in QuickBooks"
        if posted:
            yield from _content(world, name, payment, posted, known)


def discounts(world: World) -> Iterator[str]:
    """A vendor credit of ours stands for exactly the discounts of a payment that stands, and is used up by it."""
    standing, theirs = standing_payments(world), world.avidxchange.books()[COMPANY]["payments"]
    by_payment: dict[str, list[Body]] = {}
    for credit in world.company.tables["VendorCredit"].rows.values():
        if PIECE.search(credit.get("PrivateNote", "")):
            [payment_id] = [one["id"] for one in theirs if f"payment {one['id']};" in credit["PrivateNote"]]
            by_payment.setdefault(payment_id, []).append(credit)
            key = record_key("quickbooks", REALM, Kind.CREDIT, credit["Id"])
            if any(one["external_id"] == key for one in world.network.invoices.values()):
                yield f"the discount of payment {payment_id} was sent to the network as a credit"
    for payment in theirs:
        credits, posted = by_payment.get(payment["id"], []), standing.get(payment["id"], [])
        taken, name = _discount(payment), f"payment {payment['id']} ({payment['phase']})"
        if len(credits) > max(1, len(posted)):  # each part has one of its own
            yield f"{name} has {len(credits)} credits for its discount"
        if is_decided(world, payment["id"], Kind.PAYMENT):
            continue
        if sum(Decimal(one["TotalAmt"]) for one in credits) != (taken if posted else 0):
            yield f"{name} takes {taken}, its credits are of {[str(one['TotalAmt']) for one in credits]}"
        for one in credits:
            if one["Balance"]:
                yield f"{name} leaves {one['Balance']} of the credit for its discount"


def entries(world: World) -> Iterator[str]:
    """An entry of ours moves the money of an executed payment once, and of none whose posting does so itself."""
    standing, made = standing_payments(world), executions(world)
    for payment in world.avidxchange.books()[COMPANY]["payments"]:
        posted, moved = standing.get(payment["id"], []), made.get(payment["id"], [])
        name = f"payment {payment['id']} ({payment['phase']})"
        if len(moved) > 1:
            yield f"{name} is executed by {len(moved)} entries"
        if moved and any(_bank(one) == CHECKING for one in posted):
            yield f"{name} is paid from {CHECKING} by itself and by an entry"
        is_out = payment["phase"] == "executed" and posted
        if moved and not is_out and not is_decided(world, payment["id"], Kind.PAYMENT):
            yield f"{name} is executed by an entry"


def executions(world: World) -> dict[str, list[Body]]:
    """The entries by which we execute payments, by the id of the network's payment that their memo names."""
    made: dict[str, list[Body]] = {}
    for entry in world.company.tables["JournalEntry"].rows.values():
        for payment_id in world.network.payments:
            if EXECUTION.search(note := entry.get("PrivateNote", "")) and f"payment {payment_id};" in note:
                made.setdefault(payment_id, []).append(entry)
    return made


def standing_payments(world: World) -> dict[str, list[Body]]:
    """QuickBooks' payments of ours that are not voided, by the id of the network's payment that their memo names."""
    standing: dict[str, list[Body]] = {}
    for posted in world.company.bill_payments.values():
        note = posted.get("PrivateNote", "")
        if note.startswith("Voided") or not posted["Line"] or OURS not in note:
            continue
        for payment_id in world.network.payments:
            if f"payment {payment_id};" in note:
                standing.setdefault(payment_id, []).append(posted)
    return standing


def has_discount(world: World, posted: list[Body]) -> bool:
    """Whether this posting uses up a credit of ours for a discount."""
    return any(_is_discount(world, line["LinkedTxn"][0]["TxnId"]) for one in posted for line in one["Line"])


def _content(world: World, name: str, payment: Body, posted: list[Body], known: bool) -> Iterator[str]:
    otherwise = code_of(world, payment["id"], Kind.PAYMENT) in STANDS_OTHERWISE
    if known and (otherwise or payment["id"] in world.meddled):
        return
    wanted = {
        bill_of(world, application["invoice_external_id"]): Decimal(application["gross_amount"])
        for application in payment["applications"]
    }
    lines = [line for one in posted for line in one["Line"]]
    got = {line["LinkedTxn"][0]["TxnId"]: _taken(line) for line in lines}
    ours = {id for id in got.keys() - wanted.keys() if _is_discount(world, id)}
    off = -sum((got.pop(id) for id in ours), Decimal(0))
    if (wanted, _discount(payment)) != (got, off):
        yield f"{name} settles {got} with {off} off in QuickBooks, and {wanted} with {_discount(payment)} off there"
    total = sum(Decimal(one["TotalAmt"]) for one in posted)
    if total != payment["amount"]:
        yield f"{name} is {total} in QuickBooks, and {payment['amount']} at the network"
    if known:
        return
    if payment["phase"] == "executed" and (made := executions(world).get(payment["id"])):
        yield from _executed_by_an_entry(world, name, payment, posted, made[0])
        return
    for one in posted:
        yield from _words(world, name, payment, one, len(posted) > 1)


def _executed_by_an_entry(world: World, name: str, payment: Body, posted: list[Body], entry: Body) -> Iterator[str]:
    """What is pending in closed books stays so, and an entry says the rest."""
    total, moved = sum(Decimal(one["TotalAmt"]) for one in posted), set()
    for line in entry["Line"]:
        detail = line["JournalEntryLineDetail"]
        moved.add((detail["PostingType"], detail["AccountRef"]["name"], Decimal(line["Amount"])))
    if moved != {("Debit", IN_TRANSIT, total), ("Credit", CHECKING, total)}:
        yield f"{name} is {total} in QuickBooks, and its entry moves {sorted(moved)}"
    if entry["TxnDate"] != str(payment["payment_date"]) and not _is_moved(world, payment, entry):
        yield f"{name} is executed on {entry['TxnDate']} by an entry, and on {payment['payment_date']}"
    if (reference := _reference(world, payment)) and f"; reference {reference};" not in entry["PrivateNote"]:
        yield f"{name} is executed by {entry['PrivateNote']} in QuickBooks, and {reference}"
    for one in posted:
        if not one["DocNumber"].startswith("PND-") or _bank(one) != IN_TRANSIT:
            yield f"{name} has number {one['DocNumber']} and is paid from {_bank(one)} beside its entry"
        if not any(closed_through >= one["TxnDate"] for closed_through in world.closings):
            yield f"{name} is executed by an entry, and the books were never closed on {one['TxnDate']}"


def _bank(posted: Body) -> str:
    return str(posted["CheckPayment"]["BankAccountRef"]["name"])


def _words(world: World, name: str, payment: Body, posted: Body, in_parts: bool) -> Iterator[str]:
    number, bank = posted.get("DocNumber", ""), _bank(posted)
    if in_parts:
        number = number.rpartition("-")[0]
    if payment["phase"] == "executed":
        reference = _reference(world, payment)
        without = number.startswith("NOREF-") and (not reference or _came_too_late(world, payment, posted))
        if number != reference and not without:
            yield f"{name} has number {number} in QuickBooks, and {reference}"
        if posted["TxnDate"] != str(payment["payment_date"]) and not _is_moved(world, payment, posted):
            yield f"{name} is of {posted['TxnDate']} in QuickBooks, and of {payment['payment_date']}"
        if bank != CHECKING:
            yield f"{name} is paid from {bank}"
    if payment["phase"] in ("pending", "executed") and number.startswith("PND-") != (payment["phase"] == "pending"):
        yield f"{name} is marked {number} in QuickBooks"


def _came_too_late(world: World, payment: Body, posted: Body) -> bool:
    """Whether its reference came when the books were closed for its day, which leaves everything as it was posted."""
    left = code_of(world, payment["id"], Kind.PAYMENT) == "left_as_posted"
    return left and any(posted["TxnDate"] <= day for day in world.closings)


def _left_pending(world: World, payment: Body) -> bool:
    """Whether a policy leaves it until it is executed."""
    by_policy = code_of(world, payment["id"], Kind.PAYMENT) == "payment_not_executed"
    return payment["phase"] == "pending" and by_policy


def _reference(world: World, payment: Body) -> str:
    """What its check, transfer or card is known by; the older interface tells only of checks."""
    if payment["method"] != "check" and world.avidxchange.profile.profile_id == OLDER:
        return ""
    told = payment[REFERENCES[payment["method"]]] or ""
    return f"VC-{told}" if told and payment["method"] == "virtual_card" else told


def _is_moved(world: World, payment: Body, posted: Body) -> bool:
    """Whether it stands on the first open day after books that were closed, by policy, and says when it was paid."""
    after = str(date.fromisoformat(posted["TxnDate"]) - timedelta(days=1))
    by_policy = ("closed_period", "first_open_day") in world.policies
    says = f"; paid {payment['payment_date']};" in posted["PrivateNote"]
    return after in world.closings and by_policy and says


def _discount(payment: Body) -> Decimal:
    return sum((Decimal(part["discount_amount"]) for part in payment["applications"]), Decimal(0))


def _is_discount(world: World, credit_id: str) -> bool:
    credit = world.company.tables["VendorCredit"].rows.get(credit_id)
    return credit is not None and PIECE.search(credit.get("PrivateNote", "")) is not None


def _taken(line: Body) -> Decimal:
    """What a line settles of a bill, or takes of a credit, which is less than nothing."""
    amount = Decimal(line["Amount"])
    return -amount if line["LinkedTxn"][0]["TxnType"] == "VendorCredit" else amount


def bill_of(world: World, external_id: str) -> str:
    """The id of the bill or credit that has this external id at the network."""
    bills = [*world.company.bills, *world.deleted_bills]
    credits = [*world.company.tables["VendorCredit"].rows, *world.deleted("VendorCredit")]
    for kind, id in [*((Kind.BILL, id) for id in bills), *((Kind.CREDIT, id) for id in credits)]:
        if record_key("quickbooks", REALM, kind, id) == external_id:
            return str(id)
    return f"no bill for {external_id}"
