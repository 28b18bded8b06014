"""The demo's approvers and payers at AvidXchange, and what becomes of the payments."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from mlconnector.demo.company import NETWORK_COMPANY
from mlconnector.demo.lists import Row
from mlconnector.demo.plan import Act
from mlconnector.demo.simulated import NETWORK, Simulated
from mlconnector.demo.story import Entry
from mlconnector.demo.vendors import VENDORS

ON_ITS_WAY = (
    "processing", "debit_requested", "funds_received", "sent_to_printer", "card_processing", "issued", "cleared",
)  # fmt: skip
NO_ACCOUNT = "R03"  # the bank's words for an ACH credit that found no account


class Approvers:
    """Each act looks at the books first and does only what has not been done."""

    def __init__(self, simulated: Simulated) -> None:
        self._simulated = simulated

    def enroll(self, act: Act) -> None:
        """A vendor joins the network and says how it wants its money."""
        vendor, wanted = self._vendor(act.subject), VENDORS[act.subject].pays_by
        if vendor["preferred_payment_method"] != wanted:
            self._do("enroll_vendor", vendor_id=vendor["id"], method=wanted)

    def approve(self, act: Act) -> None:
        self._decide(act.entries[0], "approve_invoice", "approved")

    def reject(self, act: Act) -> None:
        self._decide(act.entries[0], "put_in_workflow", "in_workflow", unless="rejected")
        self._decide(act.entries[0], "reject_invoice", "rejected", reason="The price is not what we agreed")

    def put_on_hold(self, act: Act) -> None:
        self._decide(act.entries[0], "put_in_workflow", "in_workflow", unless="on_hold")
        self._decide(act.entries[0], "hold_invoice", "on_hold")

    def pay(self, act: Act) -> None:
        """All that is open of these, in the way that the vendor wants."""
        self._pay(act, dict.fromkeys(self._ids(act)))

    def pay_half(self, act: Act) -> None:
        amount = (act.entries[0].amount / 2).quantize(Decimal("0.01"))
        self._pay(act, {id: str(amount) for id in self._ids(act)})

    def advance(self, act: Act) -> None:
        payment = self._payments(act)[act.which - 1]
        if ON_ITS_WAY.index(payment["status"]) < ON_ITS_WAY.index(act.subject):
            self._do("advance_payment", payment_id=payment["id"], to=act.subject)

    def void_payment(self, act: Act) -> None:
        self._turn(act, "void_payment", "void", reason="Wrong remittance address")

    def stop_check(self, act: Act) -> None:
        self._turn(act, "stop_payment", "stopped")

    def return_ach(self, act: Act) -> None:
        self._turn(act, "return_payment", "returned", code=NO_ACCOUNT)

    def convert_card(self, act: Act) -> None:
        """The vendor does not take the card after all: a check goes out."""
        self._turn(act, "change_method", "reissued", method="check")

    def reissue(self, act: Act) -> None:
        self._turn(act, "reissue_payment", "reissued", method="check")

    def _pay(self, act: Act, invoices: dict[str, str | None]) -> None:
        if len(self._payments(act)) < act.which:
            self._do("pay", invoices=invoices, method=act.entries[0].vendor.pays_by)

    def _turn(self, act: Act, way: str, to: str, **arguments: str) -> None:
        payment = self._payments(act)[0]
        if payment["status"] != to:
            self._do(way, payment_id=payment["id"], **arguments)

    def _decide(self, entry: Entry, act: str, to: str, unless: str = "", **arguments: str) -> None:
        invoice = self._invoice(entry)
        if invoice["workflow_status"] not in (to, unless):
            self._do(act, invoice_id=invoice["id"], **arguments)

    def _ids(self, act: Act) -> list[str]:
        return [self._invoice(entry)["id"] for entry in act.entries]

    def _invoice(self, entry: Entry) -> Row:
        """The invoice that is meant, found as a person finds it: by vendor and number."""
        vendor_id = self._vendor(entry.vendor.name)["id"]
        invoice: Row = _only(
            row
            for row in self._books()["invoices"]
            if row["invoice_number"] == entry.number and row["vendor_id"] == vendor_id
        )
        return invoice

    def _vendor(self, name: str) -> Row:
        vendor: Row = _only(row for row in self._books()["vendors"] if row["name"] == name)
        return vendor

    def _payments(self, act: Act) -> list[Row]:
        """The payments of exactly these, in the order in which they were made."""
        invoices = sorted(self._ids(act))
        found = (
            payment
            for payment in self._books()["payments"]
            if sorted(application["invoice_id"] for application in payment["applications"]) == invoices
        )
        return sorted(found, key=lambda payment: str(payment["id"]))

    def _books(self) -> dict[str, list[Row]]:
        books: dict[str, list[Row]] = self._simulated.books(NETWORK)[NETWORK_COMPANY]
        return books

    def _do(self, act: str, **arguments: Any) -> None:
        self._simulated.act(NETWORK, act, company_id=NETWORK_COMPANY, **arguments)


def _only(found: Iterable[Any]) -> Any:
    (one,) = found
    return one
