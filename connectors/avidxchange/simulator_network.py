"""One day of the whole network, as a function of state and time: for the demo, and for runs in virtual time.

Whatever looks like chance is drawn from a record's id, so that the same books always have the same month. Assumed, as
good practice of others has it: one card per invoice, everything else of a vendor in one payment, and a credit always
along with invoices.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from connectors.avidxchange.simulator_allocations import open_amount, pay
from connectors.avidxchange.simulator_batches import can_be_mailed
from connectors.avidxchange.simulator_books import ZERO, ActRefused, Company, Record
from connectors.avidxchange.simulator_invoices import move_invoice, recode_line
from connectors.avidxchange.simulator_payments import advance_payment, move_payment, reissue_payment

MOVING = frozenset({"processing", "debit_requested", "funds_received", "sent_to_printer", "card_processing"})
BACK = frozenset({"stopped", "returned", "expired"})  # the money is with the network, for a new payment or a refund
REASONS = ("Not ours", "The price is not what we agreed", "The goods have not come", "It is a duplicate")


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long things take, in days, and how many of a hundred go otherwise than usual.

    A spread is how many days longer it takes at most. Vendors that are to be paid by ACH or card enroll for it.
    """

    approval_days: int = 2
    approval_spread: int = 0
    clearing_days: int = 3
    clearing_spread: int = 0
    patience_days: int = 3
    pay_every_days: int = 1
    ach_share: int = 0
    card_share: int = 0
    rejected_share: int = 0
    held_share: int = 0
    recoded_share: int = 0
    trouble_share: int = 0


def run_network(company: Company, now: datetime, **pace: int) -> dict[str, int]:
    """Every vendor, invoice and payment moves at most one step; answers how many moved, by what happened.

    Received goes to workflow, an approver takes the time of the pace, what is approved is paid by the vendor's method,
    a payment goes from status to status, and what comes back is paid anew by check.
    """
    day = _Day(company, now, Pace(**pace))
    day.enroll()
    for payment in list(company.payments.values()):
        day.move(payment)
    if now.toordinal() % day.pace.pay_every_days == 0:
        day.pay()
    for invoice in list(company.invoices.values()):
        day.route(invoice)
    usual = dict.fromkeys(("in_workflow", "approved", "payments_created", "payments_moved"), 0)
    return {**usual, **day.counts}


class _Day:
    def __init__(self, company: Company, now: datetime, pace: Pace) -> None:
        self.company, self.now, self.pace = company, now, pace
        self.counts: Counter[str] = Counter()

    def draw(self, record: Record, about: str, of: int = 100) -> int:
        """A number from 0 up to, not including, `of`: always the same for this record and question."""
        digest = hashlib.sha256(f"{self.company.id} {record['id']} {about}".encode()).hexdigest()
        return int(digest[:12], 16) % of

    def _is_over(self, since: datetime, days: int) -> bool:
        return self.now - since >= timedelta(days=days)

    # Vendors.

    def enroll(self) -> None:
        """Vendors join the network, a step a day, if any are to be paid otherwise than by check."""
        if not (self.pace.ach_share or self.pace.card_share):
            return
        for vendor in self.company.vendors.values():
            if vendor["network_status"] == "not_enrolled":
                self.company.vendors.change(vendor, {"network_status": "pending"}, self.now)
            elif vendor["network_status"] == "pending":
                joined = {"network_status": "enrolled", "preferred_payment_method": self._method(vendor)}
                self.company.vendors.change(vendor, joined, self.now)

    def _method(self, vendor: Record) -> str:
        drawn = self.draw(vendor, "method")
        if drawn < self.pace.ach_share or not can_be_mailed(vendor):
            return "ach"
        return "virtual_card" if drawn < self.pace.ach_share + self.pace.card_share else "check"

    # Invoices.

    def route(self, invoice: Record) -> None:
        """An invoice goes on towards its approval, or is held, coded otherwise or turned down on the way."""
        if invoice["workflow_status"] == "received":
            self._to(invoice, "in_workflow")
        elif invoice["workflow_status"] == "on_hold" and invoice["approved_at"] is None:
            if self._is_over(invoice["on_hold_at"], self.pace.patience_days):
                self._to(invoice, "in_workflow")
        elif invoice["workflow_status"] == "in_workflow":
            days = self.pace.approval_days + self.draw(invoice, "approver", self.pace.approval_spread + 1)
            if self._is_over(invoice["in_workflow_at"], days):
                self._decide(invoice)

    def _decide(self, invoice: Record) -> None:
        if not invoice["rejected_before"] and self.draw(invoice, "reject") < self.pace.rejected_share:
            self._to(invoice, "rejected", REASONS[self.draw(invoice, "reason", len(REASONS))])
        elif invoice["on_hold_at"] is None and self.draw(invoice, "hold") < self.pace.held_share:
            self._to(invoice, "on_hold")
        else:
            if self.draw(invoice, "recode") < self.pace.recoded_share:
                self._recode(invoice)
            self._to(invoice, "approved")

    def _to(self, invoice: Record, status: str, reason: str | None = None) -> None:
        move_invoice(self.company, invoice, status, self.now, reason)
        self.counts[status] += 1

    def _recode(self, invoice: Record) -> None:
        now = invoice["lines"][0]["gl_account_external_id"]
        others = [
            account["external_id"]
            for account in self.company.gl_accounts.values()
            if account["is_active"] and account["external_id"] != now
        ]
        if others:
            account = others[self.draw(invoice, "account", len(others))]
            recode_line(self.company, invoice, 0, {"gl_account_external_id": account}, self.now)
            self.counts["recoded"] += 1

    # Payments.

    def move(self, payment: Record) -> None:
        """A payment goes on; what waits for a person stays."""
        troubled = payment["reissue_of"] is None and self.draw(payment, "trouble") < self.pace.trouble_share
        if self._goes_another_way(payment, troubled):
            self._pay_anew(payment)
        elif payment["status"] in MOVING:
            advance_payment(self.company, payment, self.now)
            self.counts["payments_moved"] += 1
        elif payment["status"] == "stop_requested":
            self._arrive(payment, "stopped")
        elif payment["status"] == "issued":
            days = self.pace.clearing_days + self.draw(payment, "clearing", self.pace.clearing_spread + 1)
            if self.now.date() - payment["issued_date"] >= timedelta(days=days):
                fails = "expired" if payment["method"] == "virtual_card" else "returned"
                self._arrive(payment, fails if troubled else "cleared")

    def _goes_another_way(self, payment: Record, troubled: bool) -> bool:
        """Whether money that came back has waited long enough, or a card is to become a check."""
        if payment["status"] in BACK:
            return self._is_over(payment["updated_at"], self.pace.patience_days)
        return payment["status"] == "card_processing" and troubled and not self.draw(payment, "convert", 2)

    def _arrive(self, payment: Record, status: str) -> None:
        move_payment(self.company, payment, status, self.now)
        self.counts["payments_moved"] += 1

    def _pay_anew(self, payment: Record) -> None:
        """By check; where that cannot be, money that came back goes to the payer, and a card on its way."""
        try:
            reissue_payment(self.company, payment, "check", self.now)
        except ActRefused:
            self._arrive(payment, "refunded" if payment["status"] in BACK else "issued")
        else:
            self.counts["payments_reissued"] += 1

    def pay(self) -> None:
        """All that is approved and that nobody pays yet; a vendor that cannot be paid waits."""
        by_vendor: dict[str, list[Record]] = defaultdict(list)
        for invoice in self.company.invoices.values():
            if invoice["workflow_status"] == "approved" and not self._waits(invoice):
                by_vendor[invoice["vendor_id"]].append(invoice)
        for vendor_id, invoices in by_vendor.items():
            method = self.company.vendors[vendor_id]["preferred_payment_method"] or "check"
            for amounts in self._payments(invoices, method):
                discounts = {id: str(off) for id in amounts if (off := self._discount(self.company.invoices[id]))}
                try:
                    pay(self.company, amounts, method, self.now, discounts)
                except ActRefused:
                    continue
                self.counts["payments_created"] += 1

    def _waits(self, invoice: Record) -> bool:
        """Whether an invoice is settled, or its last money came back and its fate is open, or a person's to decide."""
        last = invoice["payment_ids"][-1:]
        back = any(self.company.payments[id]["status"] in BACK | {"refunded"} for id in last)
        return back or open_amount(self.company, invoice) == 0

    def _payments(self, invoices: list[Record], method: str) -> Iterator[dict[str, str | None]]:
        """What each payment of a vendor settles: a card one invoice, all else everything; credits where they fit."""
        owed = [invoice for invoice in invoices if invoice["amount"] > 0]
        credits = [invoice for invoice in invoices if invoice["amount"] < 0]
        for group in [[invoice] for invoice in owed] if method == "virtual_card" else [owed] if owed else []:
            total = sum((self._net(invoice) for invoice in group), ZERO)
            chosen = [invoice["id"] for invoice in group]
            for credit in list(credits):
                if total + self._net(credit) > 0:
                    total += self._net(credit)
                    chosen.append(credit["id"])
                    credits.remove(credit)
            yield dict.fromkeys(chosen)

    def _net(self, invoice: Record) -> Decimal:
        return open_amount(self.company, invoice) - self._discount(invoice)

    def _discount(self, invoice: Record) -> Decimal:
        """The discount of an invoice that is paid whole and in time."""
        whole = open_amount(self.company, invoice) == invoice["amount"]
        day = self.now.date() + timedelta(days=1)
        if (
            not invoice["discount_amount"]
            or not invoice["discount_date"]
            or not whole
            or day > invoice["discount_date"]
        ):
            return ZERO
        return Decimal(invoice["discount_amount"])
