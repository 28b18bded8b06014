"""A discount taken, as a vendor credit of ours: made before the payment that uses it up, deleted after that is voided.

Intuit: a bill payment has no field for a discount. A vendor credit can be deleted, though never voided.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.base import Write
from connectors.errors import MappingError
from connectors.quickbooks import memo, wire
from connectors.quickbooks.client import Client
from connectors.quickbooks.documents import decode_bill, decode_credit
from connectors.quickbooks.faults import error_of
from connectors.quickbooks.parts import MOST_PARTS
from connectors.quickbooks.rates import Rates
from connectors.quickbooks.reading import clean_row
from connectors.quickbooks.values import read_row
from connectors.records import Bill, Credit, Payment

PIECE = "discount"
PLACES = ("", *(str(place) for place in range(1, MOST_PARTS + 1)))  # of the whole payment, or of one of its parts
SOURCE = "the AP network"
WITHOUT_TAX = "NotApplicable"  # Intuit: outside of the US every credit says how its tax is worked out, in it none may


@dataclass(frozen=True)
class Discounts:
    """The discount credits of one company; each is found by its number and is ours by the mark in its memo."""

    client: Client
    home_currency: str

    def standing(self, keys: Iterable[str], unreadable: list[bytes]) -> dict[str, list[Credit]]:
        """The discount credits of the payments with these record keys, and of their parts, by record key."""
        found: dict[str, list[Credit]] = {}
        numbers = [_number(key, place) for key in keys for place in PLACES]
        for row in self.client.by_ids("VendorCredit", numbers, name="DocNumber"):
            try:
                credit = decode_credit(clean_row(row), self.home_currency)
            except MappingError:
                unreadable.append(bytes(row))
                continue
            key, _, piece = credit.key.partition("/")
            if piece.partition("-")[0] == PIECE:
                found.setdefault(key, []).append(credit)
        return found

    def bring(self, write: Write, payment: Payment) -> str:
        """Make the discount credit of this payment, or part, stand as it is wanted before that uses it up; its id."""
        standing = self._one(write)
        total = sum(payment.discounts.values(), Decimal(0))
        if standing and (standing.amount, standing.date) == (total, payment.date or standing.date):
            return standing.id
        body = self._encoded(write, payment)
        if standing is None or payment.date and payment.date != standing.date:
            body |= Rates(self.client, self.home_currency).on(payment.date, payment.currency)
        if standing:
            body |= {"Id": standing.id, "SyncToken": standing.version, "sparse": True}
        self.client.post("VendorCredit", body, request_key=f"{write.request_key}-d")
        stands = self._one(write)
        if stands is None or stands.amount != total:  # a repeated key may answer for one that was deleted meanwhile
            raise error_of("not_as_sent", f"The vendor credit for the discount of {total} does not stand as sent.")
        return stands.id

    def take_back(self, write: Write) -> None:
        """Delete the discount credits of this payment, or part, that stand: nothing uses them any more."""
        for credit in self._all(write):
            piece = credit.key.partition("/")[2]
            if piece == _piece(write) or not _place(write):
                gone = {"Id": credit.id, "SyncToken": credit.version}
                key = f"{write.request_key}-x{piece.removeprefix(PIECE)}"
                self.client.post("VendorCredit", gone, request_key=key, operation="delete")

    def _one(self, write: Write) -> Credit | None:
        own = f"{write.record_key}/{_piece(write)}"
        return next((credit for credit in self._all(write) if credit.key == own), None)

    def _all(self, write: Write) -> list[Credit]:
        unreadable: list[bytes] = []
        found = self.standing([write.record_key], unreadable).get(write.record_key, [])
        if unreadable:
            raise error_of("unexpected", "The vendor credit of the discount cannot be read.")
        return found

    def _encoded(self, write: Write, payment: Payment) -> dict[str, Any]:
        """One line for each discount, with the class of its bill's first line; the location is the first bill's."""
        discounts = payment.discounts
        rows = [clean_row(row) for row in self.client.by_ids("Bill", list(discounts))]
        bills = {bill.id: bill for bill in (decode_bill(row, self.home_currency) for row in rows)}
        taxed = any(read_row(wire.Payable, row).global_tax_calculation for row in rows)
        coded = {id: _coded(bills[id]) if id in bills else {} for id in discounts}
        account = {"AccountRef": {"value": write.context["discount_account"]}}
        optional = {"CurrencyRef": payment.currency, "APAccountRef": write.context.get("ap_account", "")}
        optional["DepartmentRef"] = next((one["Department"] for one in coded.values() if "Department" in one), "")
        return {
            "VendorRef": {"value": payment.vendor.id},
            "DocNumber": _number(write.record_key, _place(write)),
            "PrivateNote": memo.write_piece(
                _piece(write), payment, record_key=write.record_key, source=write.context.get("source", SOURCE)
            ),
            "Line": [
                {
                    "DetailType": "AccountBasedExpenseLineDetail",
                    "Amount": amount,
                    "Description": "Discount taken",
                    "AccountBasedExpenseLineDetail": account
                    | ({"ClassRef": {"value": coded[id]["Class"]}} if "Class" in coded[id] else {}),
                }
                for id, amount in discounts.items()
            ],
            **{name: {"value": value} for name, value in optional.items() if value},
            **({"TxnDate": payment.date.isoformat()} if payment.date else {}),
            **({"GlobalTaxCalculation": WITHOUT_TAX} if taxed else {}),
        }


def _coded(bill: Bill) -> dict[str, str]:
    """The class and the location of the bill's first line, by entity."""
    on_first = (ref.id.partition("-") for line in bill.lines[:1] for ref in line.dimensions)
    return {entity: id for entity, _, id in on_first}


def _place(write: Write) -> str:
    """Which part this is of; empty for a whole payment."""
    return write.context.get("part", "").partition(" ")[0]


def _piece(write: Write) -> str:
    return "-".join(filter(None, (PIECE, _place(write))))


def _number(record_key: str, place: str) -> str:
    """Short of the thirteen digits that a card number has at least."""
    return f"DSC-{record_key[:11]}-{place}" if place else f"DSC-{record_key[:12]}"
