"""Which of QuickBooks' entities are which kind of ours, what their ids are, and how their rows are read. Pure.

A kind may be several entities, whose ids are counted apart: then the id of a record begins with the entity's name. The
order is the one of reading. How payments are written is in `posting.py`, what our memo says in `memo.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

from connectors.quickbooks import documents, ledger, lists
from connectors.quickbooks.documents import Row
from connectors.quickbooks.values import glimpse, prefixed
from connectors.records import AnyRecord, Kind

Decode = Callable[[Row, str], AnyRecord | tuple[AnyRecord, ...]]


@dataclass(frozen=True)
class Source:
    """One entity of QuickBooks' that records of a kind are read from, and what people call its objects.

    `listed` ones are shown with those that are inactive only if one asks for them. `optional` ones belong to a feature
    that a company may not have. A `single` one is no list. `shared` ids are counted apart in several entities of a
    kind. `images` are several records for one row.
    """

    entity: str
    kind: Kind
    plural: str
    read: Decode
    _: KW_ONLY
    listed: bool = False
    optional: bool = False
    single: bool = False
    shared: bool = False
    images: bool = False

    def decode(self, row: Row, home_currency: str) -> tuple[AnyRecord, ...]:
        """The records of this row."""
        found = self.read(row, home_currency)
        return found if isinstance(found, tuple) else (found,)

    def ids(self, row: Row) -> list[str]:
        """The ids of the records that this row would be if it could be read, as far as they can be told."""
        images = documents.image_ids(row) if self.images else []
        return images or [self.record_id(id) for id in (glimpse(row).id,) if id]

    def record_id(self, id: str) -> str:
        """Our id of an object of this entity."""
        return prefixed(self.entity if self.shared else "", id)

    def row_ids(self, ids: Sequence[str]) -> list[str]:
        """QuickBooks' ids of the rows that these ids of ours may come from; those of other entities are left out."""
        if self.images:
            return [id.partition("-")[0] for id in ids]
        prefix = self.record_id("")
        return [id.removeprefix(prefix) for id in ids if id.startswith(prefix)]


SOURCES = (
    Source("Vendor", Kind.VENDOR, "vendors", lists.decode_vendor, listed=True),
    Source("Account", Kind.ACCOUNT, "accounts", lists.decode_account, listed=True),
    Source("Department", Kind.DIMENSION, "locations", lists.decode_department, listed=True, optional=True, shared=True),
    Source("Class", Kind.DIMENSION, "classes", lists.decode_class, listed=True, optional=True, shared=True),
    Source("Item", Kind.ITEM, "items", lists.decode_item, listed=True),
    Source("Term", Kind.TERM, "terms", lists.decode_term, listed=True),
    Source("CompanyCurrency", Kind.CURRENCY, "currencies", lists.decode_currency, listed=True, optional=True),
    Source("Preferences", Kind.COMPANY, "preferences", lists.decode_company, single=True),
    Source("PurchaseOrder", Kind.PURCHASE_ORDER, "purchase orders", documents.decode_order, optional=True),
    Source("Bill", Kind.BILL, "bills", documents.decode_bill),
    Source("VendorCredit", Kind.CREDIT, "vendor credits", documents.decode_credit),
    Source("Attachable", Kind.IMAGE, "attachments", documents.decode_images, images=True),
    Source("BillPayment", Kind.PAYMENT, "bill payments", ledger.decode_payment),
    Source("JournalEntry", Kind.LEDGER_ENTRY, "journal entries", ledger.decode_journal_entry, shared=True),
    Source("Purchase", Kind.LEDGER_ENTRY, "checks and expenses", ledger.decode_purchase, shared=True),
    Source("Deposit", Kind.LEDGER_ENTRY, "deposits", ledger.decode_deposit, shared=True),
)
BY_ENTITY: Mapping[str, Source] = {source.entity: source for source in SOURCES}
OF_KIND: Mapping[Kind, Sequence[Source]] = {
    kind: [source for source in SOURCES if source.kind is kind] for kind in {source.kind: None for source in SOURCES}
}
