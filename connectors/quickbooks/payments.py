"""Posting payments and finding them again: never two bill payments for one record key, whatever answer gets lost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from connectors.base import REPLACES, Action, Outcome, Receipt, Write, ids_of_pieces
from connectors.errors import ConnectorError, MappingError, OutcomeUnknown, RecordRejected, UnexpectedResponse
from connectors.quickbooks import entries, posting, wire
from connectors.quickbooks.client import Client, quoted
from connectors.quickbooks.discounts import Discounts
from connectors.quickbooks.entering import Entering, may_need_one
from connectors.quickbooks.faults import PROVIDER, error_of
from connectors.quickbooks.ledger import decode_payment
from connectors.quickbooks.made import made_with, may_concern, ours_of, payment_of, told_of
from connectors.quickbooks.parting import Parting, ids_known, is_in_parts, is_linked
from connectors.quickbooks.rates import Rates, is_of
from connectors.quickbooks.reading import clean_row
from connectors.quickbooks.values import glimpse, read_row
from connectors.records import Payment, Phase

CLOCKS_DIFFER = timedelta(minutes=15)
SAME_NUMBER = "allowduplicatedocnum"  # Intuit: posts a number that is in use already, where a company is warned of it


@dataclass(frozen=True)
class Payments:
    """The bill payments of one company."""

    client: Client
    home_currency: str

    @property
    def discounts(self) -> Discounts:
        return Discounts(self.client, self.home_currency)

    @property
    def entering(self) -> Entering:
        return Entering(self)

    @property
    def rates(self) -> Rates:
        return Rates(self.client, self.home_currency)

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """Write these one by one; raises only while nothing has been sent. What fails when a part of it has been taken
        already is in doubt, whatever failed."""
        outcomes: list[Outcome] = []
        for write in writes:
            taken = self.client.taken
            try:
                outcomes.append(self._write(write))
            except MappingError as error:
                outcomes.append(RecordRejected(error.message, provider=PROVIDER, code=error.code))
            except (RecordRejected, OutcomeUnknown, UnexpectedResponse) as error:
                outcomes.append(error)
            except ConnectorError as error:
                lost = self.client.taken > taken
                if not lost and not outcomes:
                    raise
                outcomes.append(error_of("answer_lost", str(error), write=True) if lost else error)
        return outcomes

    def find(self, writes: Sequence[Write]) -> dict[str, Receipt | None]:
        """What stands there for each write, by record key; None is proof that it does not stand there.

        A payment that was linked is read by its id. One that was being made is looked for among the payments of its
        bills and among those made since it was sent, and is ours only if its memo carries our mark. A write that a row
        which we cannot read may concern is left out.
        """
        unreadable: list[bytes] = []
        changed = [write for write in writes if write.action is not Action.CREATE]
        entered = self.entering.standing(changed, unreadable)
        writes = [entries.without_entries(write) for write in writes]
        linked = [id for write in writes for id in ids_known(write)]
        by_id = self.by_id(linked, unreadable)
        unlinked = [write for write in writes if not is_linked(write)]
        candidates = self._candidates(unlinked, unreadable) if unlinked else []
        voided = [write.record_key for write in writes if write.action is Action.VOID]
        credits = self.discounts.standing(voided, unreadable)
        found: dict[str, Receipt | None] = {}
        for write in writes:
            ours = ours_of(write, by_id, candidates)
            if not may_concern(unreadable, write):
                made = ours and write.record_key not in credits  # a void leaves no credit behind
                beside = entered.get(write.record_key, {})
                found[write.record_key] = made_with(write, ours, beside) if made else None
        return found

    def standing(self, write: Write, unreadable: list[bytes]) -> list[Payment]:
        """What stands there of this payment."""
        by_id = self.by_id(ids_known(write), unreadable)
        return ours_of(write, by_id, [] if is_linked(write) else self._candidates([write], unreadable))

    def is_as_asked(self, write: Write, stands: Payment) -> bool:
        """Whether what stands there is, in all that we write, what this write asks for."""
        return posting.is_as_asked(payment_of(write), stands, **told_of(write))

    def _write(self, write: Write) -> Receipt:
        alone = entries.without_entries(write)
        if is_in_parts(alone):
            return Parting(self).write(alone, payment_of(write))
        return (
            self.entering.write(write, payment_of(write), told_of(write)) if may_need_one(write) else self.bring(alone)
        )

    def bring(self, write: Write) -> Receipt:
        """Bring one bill payment, and the credit that its discounts are, to what is wanted."""
        if write.action is Action.VOID:
            return self._take_back(write)
        posting.refuse_what_is_not_posted(payment_of(write))
        rate = self._rate(write)
        if not payment_of(write).discounts:
            return self._post(write, rate)
        credit = self.discounts.bring(write, payment_of(write))
        try:
            return self._post(write, rate, credit)
        except RecordRejected:
            if write.action is Action.CREATE:
                self.discounts.take_back(write)
            raise

    def _rate(self, write: Write) -> dict[str, Decimal]:
        """The rate of a new posting, or of one that gets another day; what people entered stays with its day."""
        asked = payment_of(write)
        if write.action is Action.UPDATE and self.rates.is_foreign(asked.currency):
            stands = self.by_id(ids_known(write), []).values()
            if not asked.date or any(one.date == asked.date for one in stands):
                return {}
        return self.rates.on(asked.date, asked.currency)

    def _post(self, write: Write, rate: dict[str, Decimal], credit: str = "") -> Receipt:
        context = {"ap_account": write.context.get("ap_account", ""), "standing_memo": write.context.get("memo", "")}
        body = posting.encode_payment(payment_of(write), credit=credit, **context, **told_of(write)) | rate
        if write.action is not Action.CREATE:
            body = posting.encode_change(*_linked(write), **body)
        options = {"include": SAME_NUMBER} if self._is_number_of_replaced(write, body["DocNumber"]) else {}
        return self._sent(write, body, **options)

    def _is_number_of_replaced(self, write: Write, number: str) -> bool:
        """Whether nothing has this number but voided postings that this one takes the place of: over any other,
        QuickBooks is to refuse a second one."""
        replaced = ids_of_pieces(write.context.get(REPLACES, ""))
        if not replaced:
            return False
        unreadable: list[bytes] = []
        found = self._read(self.client.by_ids("BillPayment", [number], name="DocNumber"), unreadable)
        others = [one for one in found if one.id not in ids_known(write)]
        taken_back = all(one.phase is Phase.REVERSED and one.id in replaced for one in others)
        checks = self.client.by_ids("Purchase", [number], name="DocNumber")
        return bool(others) and taken_back and not unreadable and not checks

    def void(self, write: Write) -> Receipt:
        """Void one bill payment."""
        return self._sent(write, posting.encode_change(*_linked(write)), operation="update", include="void")

    def _take_back(self, write: Write) -> Receipt:
        """Void what stands, if anything still does, and then take back what discount it took: what the payment takes
        now may be another."""
        unreadable: list[bytes] = []
        stands = self.by_id([write.link.id] if write.link else [], unreadable)
        if unreadable:
            raise error_of("unexpected", "The payment to be voided cannot be read.")
        done = next(iter(stands.values()), None)
        if done is not None and done.phase is not Phase.REVERSED:
            receipt = self.void(write)
        elif done is not None:
            receipt = Receipt(id=done.id, version=done.version, record=done)
        else:
            receipt = Receipt(id=write.link.id if write.link else "")
        self.discounts.take_back(write)
        return receipt

    def _sent(self, write: Write, body: dict[str, Any], **options: str) -> Receipt:
        asked, key, is_void = payment_of(write), write.record_key, write.action is Action.VOID
        row = self.client.post("BillPayment", body, request_key=write.request_key, **options)
        try:
            stands = decode_payment(clean_row(row), self.home_currency)
        except MappingError as error:
            raise error_of("answer_lost", error.message, write=True) from error
        wrong = posting.differences(asked, stands, key)
        if not is_of(body, read_row(wire.BillPayment, row)):
            wrong.append("the exchange rate")
        if is_void:
            wrong = [] if stands.phase is Phase.REVERSED else ["it is not voided"]
        if wrong:
            raise error_of("not_as_sent", f"Payment {stands.id}: {', '.join(wrong)}.")
        return Receipt(id=stands.id, version=stands.version, record=stands)

    def by_id(self, ids: Sequence[str], unreadable: list[bytes]) -> dict[str, Payment]:
        """These bill payments as they stand, by id."""
        return {payment.id: payment for payment in self._read(self.client.by_ids("BillPayment", ids), unreadable)}

    def _candidates(self, writes: Sequence[Write], unreadable: list[bytes]) -> list[Payment]:
        bills: list[msgspec.Raw] = []
        targets = [posting.linked(part.target) for write in writes for part in payment_of(write).applications]
        for entity in posting.ENTITIES.values():
            bills += self.client.by_ids(entity, [id for kind, id in targets if kind == entity])
        unreadable += [bytes(row) for row in bills if not glimpse(row).id]
        recent = self._read(self._sent_since(writes, bills), unreadable)
        links = [link for row in bills for link in glimpse(row).linked_txn if link.txn_type.startswith("BillPayment")]
        others = {link.txn_id for link in links} - {payment.id for payment in recent}
        return recent + self._read(self.client.by_ids("BillPayment", sorted(others)), unreadable)

    def _sent_since(self, writes: Sequence[Write], bills: Sequence[msgspec.Raw]) -> list[msgspec.Raw]:
        """The payments made since the first of these was sent, of their vendor where they and their bills share it: one
        who was merged into another since has none any more."""
        times = [write.sent_at for write in writes if write.sent_at]
        if not times:
            return []
        vendors = {payment_of(write).vendor.id for write in writes if write.sent_at}
        named = [glimpse(row).vendor_ref for row in bills]
        vendors |= {str(vendor.get("value")) for vendor in named if isinstance(vendor, dict)}
        first = min(times) - CLOCKS_DIFFER
        terms = [f"MetaData.CreateTime >= {quoted(first.isoformat(timespec='seconds'))}"]
        terms += [f"VendorRef = {quoted(vendor)}" for vendor in vendors if len(vendors) == 1]
        return self.client.every("BillPayment", f"where {' and '.join(terms)}")

    def _read(self, rows: Iterable[msgspec.Raw], unreadable: list[bytes]) -> list[Payment]:
        payments = []
        for row in rows:
            try:
                payments.append(decode_payment(clean_row(row), self.home_currency))
            except MappingError:
                unreadable.append(bytes(row))
        return payments


def _linked(write: Write) -> tuple[str, str]:
    assert write.link is not None, f"to {write.action} a payment it has to be known which"
    return write.link.id, write.link.version
