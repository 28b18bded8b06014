"""What flows which way, in which order, and what of a record is sent. Pure: data and one function per kind.

GL accounts and dimensions never flow into an ERP; the table refuses such a row at import.
"""

from dataclasses import dataclass
from decimal import Decimal

from msgspec.structs import replace

from connectors.records import AnyRecord, Bill, Kind, Payment, canonical
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
        Flow(kind=Kind.BILL, source="erp", target="ap_network", rank=3),
        Flow(kind=Kind.PAYMENT, source="ap_network", target="erp", rank=4),
    )
}


def delivery_fingerprint(record: AnyRecord, *, gone: bool = False, unexplained: Decimal = Decimal(0)) -> str:
    """What changes exactly when the other side would have to be told something new.

    `unexplained` is how much of a bill somebody else has settled: our own postings change nothing.
    """
    return fingerprint(canonical(what_we_send(record)), f"{gone} {unexplained.normalize()}")


def what_we_send(record: AnyRecord) -> AnyRecord:
    """The record without what never leaves: versions, times, private notes, and what our own postings move."""
    if isinstance(record, Bill):
        return replace(
            record,
            version="",
            modified_at=None,
            key="",
            balance=Decimal(0),
            settlements=(),
            status="",
            payment_status="",
            memo="",
        )
    if isinstance(record, Payment):
        return replace(record, version="", modified_at=None, key="", status="", memo="", mark="")
    return replace(record, version="", modified_at=None, key="")
