"""Writing a payment in parts: each is made in a fixed order, found again by its mark, and never made a second time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connectors.base import JOINT, Action, Link, Receipt, Write, ids_of_pieces
from connectors.errors import RecordRejected
from connectors.quickbooks import parts, posting
from connectors.quickbooks.documents import decode_bill
from connectors.quickbooks.faults import error_of
from connectors.quickbooks.reading import clean_row
from connectors.records import Kind, Payment, Phase

if TYPE_CHECKING:
    from connectors.quickbooks.payments import Payments


def is_in_parts(write: Write) -> bool:
    """Whether this payment stands, or is to stand, in parts."""
    return JOINT in write.context.get("ap_account", "") or bool(write.link and JOINT in write.link.id)


@dataclass(frozen=True)
class Parting:
    """The payments of one company that settle bills on several AP accounts."""

    payments: "Payments"

    def write(self, write: Write, asked: Payment) -> Receipt:
        """Bring each part to what is wanted; of a new payment all parts are posted, or none where one is refused."""
        standing = self._standing(write)
        if write.action is Action.VOID:
            return self._void(write, asked, standing)
        posting.refuse_what_is_not_posted(asked)
        wanted = parts.split(asked, self._ap_accounts(asked))
        if standing and len(standing) != len(wanted) or any(one and one.phase is Phase.REVERSED for one in standing):
            raise posting.by_hand("Its bills lie on other AP accounts than when it was posted, or a part is voided.")
        ids: list[str] = []
        try:
            for number, (account, part) in enumerate(wanted.items(), 1):
                there = standing[number - 1] if standing else None
                context = {"ap_account": account, "part": f"{number} of {len(wanted)}"}
                ids.append(self._bring(_of_part(write, number, part, there, **context), there))
        except RecordRejected:
            if write.action is Action.CREATE:
                self._take_back(write, ids)
                self.payments.discounts.take_back(write)
            raise
        return self._stands(ids)

    def _void(self, write: Write, asked: Payment, standing: parts.Places) -> Receipt:
        for number, one in enumerate(standing, 1):
            if one is not None and one.phase is not Phase.REVERSED:
                self.payments.void(_of_part(write, number, asked, one))
        self.payments.discounts.take_back(write)
        if not standing:
            return Receipt(id=write.link.id if write.link else "")
        return self._stands([one.id for one in standing if one])

    def _bring(self, write: Write, there: Payment | None) -> str:
        """Make one part stand as it is wanted; its id."""
        as_it_is = there is not None and self.payments.is_as_asked(write, there)
        return there.id if there and as_it_is else self.payments.bring(write).id

    def _take_back(self, write: Write, ids: Sequence[str]) -> None:
        for place, one in enumerate(self.payments.by_id(ids, []).values()):
            body = {"Id": one.id, "SyncToken": one.version}
            self.payments.client.post(
                "BillPayment", body, request_key=f"{write.request_key}-x{place}", operation="delete"
            )

    def _standing(self, write: Write) -> parts.Places:
        """The parts of this payment that stand there, each in its place; nothing if there is none."""
        unreadable: list[bytes] = []
        found = self.payments.standing(write, unreadable)
        if unreadable:
            raise error_of("unexpected", "What stands of the payment, or beside it, cannot be read.")
        if any(parts.place_of(one) == (0, 0) for one in found):
            raise posting.by_hand("Its bills lie on other AP accounts than when it was posted.")
        return parts.in_places(found)[0] if found else []

    def _stands(self, ids: Sequence[str]) -> Receipt:
        """What stands there now, read once more: a repeated key may answer for a part that was deleted meanwhile."""
        found = list(self.payments.by_id(ids, []).values())
        if len(found) < len(ids):
            raise error_of("not_as_sent", "Not every part of the payment stands.")
        return parts.receipt_of(found)

    def _ap_accounts(self, payment: Payment) -> dict[str, str]:
        """The AP account of each bill and credit, by id."""
        accounts: dict[str, str] = {}
        for kind in (Kind.BILL, Kind.CREDIT):
            ids = [part.target.id for part in payment.applications if part.target.kind is kind]
            rows = self.payments.client.by_ids(posting.ENTITIES[kind], ids)
            bills = [decode_bill(clean_row(row), self.payments.home_currency) for row in rows]
            accounts |= {bill.id: bill.ap_account.id for bill in bills if bill.ap_account}
        return accounts


def _of_part(write: Write, number: int, record: Payment, there: Payment | None, **context: str) -> Write:
    """The write of one part."""
    action = write.action if write.action is Action.VOID else Action.UPDATE if there else Action.CREATE
    return replace(
        write,
        action=action,
        record=record,
        request_key=f"{write.request_key}-{number}",
        link=Link(id=there.id, version=there.version) if there else None,
        context={**write.context, **context, "memo": there.memo if there else ""},
    )


def ids_known(write: Write) -> list[str]:
    """The ids of the pieces that this write is linked to."""
    return ids_of_pieces(write.link.id) if write.link else []


def is_linked(write: Write) -> bool:
    """Whether every piece that the payment stands in is known."""
    return write.link is not None and all(write.link.id.split(JOINT))
