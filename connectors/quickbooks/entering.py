"""Writing the journal entries of payments: each is looked for by its number before it is made, and read back after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connectors.base import Action, Receipt, Write
from connectors.errors import MappingError, RecordRejected
from connectors.quickbooks import entries, memo
from connectors.quickbooks.documents import decode_bill
from connectors.quickbooks.entries import NOT_OURS, NUMBERS, REFUSALS, Made
from connectors.quickbooks.faults import error_of
from connectors.quickbooks.ledger import decode_journal_entry
from connectors.quickbooks.memo import EXECUTION, REVERSAL
from connectors.quickbooks.reading import clean_row
from connectors.records import Kind, LedgerEntry, Payment, Phase

if TYPE_CHECKING:
    from connectors.quickbooks.payments import Payments

MOST_WORDS = 1000


@dataclass(frozen=True)
class Entering:
    """The journal entries of one company's payments."""

    payments: "Payments"

    def standing(self, writes: Sequence[Write], unreadable: list[bytes]) -> Mapping[str, Made]:
        """The entries that stand for these payments, by record key: those that they are linked to under whatever number
        they have by now, and as none of ours if their memo no longer says what they are."""
        known = {id: write.record_key for write in writes for id in entries.ids_known(write)}
        numbers = [entries.number(write.record_key, piece) for write in writes for piece in NUMBERS]
        rows = self.payments.client.by_ids(entries.ENTITY, numbers, name="DocNumber")
        rows += self.payments.client.by_ids(entries.ENTITY, [entries.id_there(id) for id in known])
        found: dict[str, dict[str, LedgerEntry]] = {}
        for row in rows:
            try:
                entry = decode_journal_entry(clean_row(row), self.payments.home_currency)
            except MappingError:
                unreadable.append(bytes(row))
                continue
            mark, _, piece = entry.key.partition("/")
            key = known.get(entry.id, mark)
            found.setdefault(key, {})[piece if mark == key else NOT_OURS] = entry
        return found

    def write(self, write: Write, asked: Payment, told: dict[str, str]) -> Receipt:
        """Bring the bill payment itself to what is wanted; where that is refused since the books are closed, or was
        before, an entry does it."""
        made, alone = self._made(write), entries.without_entries(write)
        piece = REVERSAL if write.action is Action.VOID else EXECUTION
        refused: RecordRejected | None = None
        if piece not in made:
            try:
                receipt = self.payments.bring(alone)
            except RecordRejected as error:
                if error.code not in REFUSALS[piece]:
                    raise
                refused = error
            else:
                self._take_back(write, made)
                return receipt
        return self._bring(write, asked, made, told, refused)

    def _bring(
        self, write: Write, asked: Payment, made: Made, told: dict[str, str], refused: RecordRejected | None
    ) -> Receipt:
        """Make the entry stand as it is wanted, beside the bill payment as it is."""
        stands = self._payment(entries.without_entries(write))
        wanted = entries.wanted(write, asked, stands, made, **told)
        if wanted is None:
            if refused:
                raise refused
            return entries.receipt_of(stands, made)
        standing = made.get(wanted.piece)
        if standing is None or not wanted.stands_as(standing):
            if wanted.piece == REVERSAL:
                account, words = self._owed_on(stands)
                wanted = replace(wanted, credit=account, words=words)
            rate = {} if standing else self.payments.rates.on(wanted.date, wanted.currency)
            body = entries.encode(wanted, write.record_key, standing) | rate
            self.payments.client.post(entries.ENTITY, body, request_key=f"{write.request_key}-j")
            made = self._made(write)
            standing = made.get(wanted.piece)
            if standing is None or not wanted.stands_as(standing):  # a repeated key may answer for one that was deleted
                raise error_of("not_as_sent", f"The journal entry {body['DocNumber']} does not stand as sent.")
        return entries.receipt_of(stands, made)

    def _take_back(self, write: Write, made: Made) -> None:
        """Delete the entry of a payment that is voided; QuickBooks voids no journal entry."""
        for entry in made.values():
            gone = {"Id": entries.id_there(entry.id), "SyncToken": entry.version}
            self.payments.client.post(entries.ENTITY, gone, request_key=f"{write.request_key}-jx", operation="delete")

    def _made(self, write: Write) -> Made:
        unreadable: list[bytes] = []
        found = self.standing([write], unreadable).get(write.record_key, {})
        if unreadable:
            raise error_of("unexpected", "A journal entry of the payment cannot be read.")
        lost = set(entries.ids_known(write)) - {one.id for one in found.values()}
        if NOT_OURS in found or lost and write.action is not Action.VOID:
            raise MappingError("A journal entry of this payment is no longer what we posted.", code="posting_gone")
        return found

    def _payment(self, write: Write) -> Payment:
        unreadable: list[bytes] = []
        found = self.payments.by_id([write.link.id] if write.link else [], unreadable)
        if not found:
            raise error_of("unexpected", "The bill payment that a journal entry is for cannot be read.")
        return next(iter(found.values()))

    def _owed_on(self, stands: Payment) -> tuple[str, str]:
        """The AP account that the bills of a payment lie on, and their numbers."""
        ids = [part.target.id for part in stands.applications if part.target.kind is Kind.BILL]
        rows = self.payments.client.by_ids("Bill", ids)
        bills = [decode_bill(clean_row(row), self.payments.home_currency) for row in rows]
        accounts = {bill.ap_account.id for bill in bills if bill.ap_account}
        if len(accounts) != 1:
            raise error_of("unexpected", "The AP account of the payment's bills cannot be told.")
        return accounts.pop(), f"Bill {', '.join(bill.number for bill in bills)}"[:MOST_WORDS]


def may_need_one(write: Write) -> bool:
    """Whether an entry may stand, or come to stand, beside the bill payment: it is executed after it was pending, or
    taken back."""
    if write.link is None or not isinstance(write.record, Payment):
        return False
    executed = write.record.phase is Phase.EXECUTED and memo.read(write.context.get("memo", "")).pending
    return write.action is Action.VOID or write.action is Action.UPDATE and executed
