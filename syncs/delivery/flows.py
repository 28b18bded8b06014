"""What flows which way, in which order, and what of a record is sent. Pure: data and one function per kind.

GL accounts and dimensions never flow into an ERP; the table refuses such a row at import.
"""

from dataclasses import dataclass
from decimal import Decimal

from msgspec import UNSET
from msgspec.structs import replace

from connectors.records import AnyRecord, Image, Kind, Payable, Payment, PurchaseOrder, canonical
from syncs.keys import fingerprint

NEVER_INTO_AN_ERP = frozenset({Kind.ACCOUNT, Kind.DIMENSION})


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One kind, from the connection of one role to that of the other; `rank` is its place in the order of kinds."""

    kind: Kind
    source: str
    target: str
    rank: int

    def __post_init__(self) -> None:
        if self.target == "erp" and self.kind in NEVER_INTO_AN_ERP:
            raise ValueError(f"{self.kind} is never written into an ERP.")


FLOWS = {
    flow.kind: flow
    for flow in (
        Flow(kind=Kind.VENDOR, source="erp", target="ap_network", rank=1),
        Flow(kind=Kind.ACCOUNT, source="erp", target="ap_network", rank=2),
        Flow(kind=Kind.DIMENSION, source="erp", target="ap_network", rank=3),
        Flow(kind=Kind.PURCHASE_ORDER, source="erp", target="ap_network", rank=4),
        Flow(kind=Kind.BILL, source="erp", target="ap_network", rank=5),
        Flow(kind=Kind.CREDIT, source="erp", target="ap_network", rank=6),
        Flow(kind=Kind.IMAGE, source="erp", target="ap_network", rank=7),
        Flow(kind=Kind.PAYMENT, source="ap_network", target="erp", rank=8),
    )
}


def delivery_fingerprint(record: AnyRecord, *, gone: bool = False, unexplained: Decimal = Decimal(0)) -> str:
    """What changes exactly when the other side would have to be told something new.

    `unexplained` is how much of a bill or credit somebody else has settled: our own postings change nothing.
    """
    return fingerprint(canonical(what_we_send(record)), f"{gone} {unexplained.normalize()}")


def what_we_send(record: AnyRecord) -> AnyRecord:
    """The record without what never leaves: versions, times, private notes, and what our own postings move."""
    # An image is told by its version: a file of the same size may have been put in its place.
    version = record.version if isinstance(record, Image) else ""
    bare = replace(record, version=version, modified_at=None, key="")
    if isinstance(bare, Payable):
        shown = {"status": "", "status_reason": "", "status_at": None, "payment_status": "", "image": UNSET}
        return replace(bare, balance=Decimal(0), settlements=(), memo="", **shown)
    if isinstance(bare, Payment):
        return replace(bare, status="", memo="", mark="", returned=UNSET, in_error=UNSET)
    return replace(bare, memo="", bills=()) if isinstance(bare, PurchaseOrder) else bare
