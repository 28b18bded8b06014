"""What was claimed, and what is planned with it. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from connectors.base import Write
from connectors.records import AnyRecord, Payable
from syncs.delivery.scope import Ruling
from syncs.delivery.verdict import Verdict
from syncs.states import State

LOCKED = "bill_locked"  # the network takes no change of it any more: the next try withdraws it
NOT_FOUND = "not_found"  # what it names was there a moment ago: everything that it rests on is looked at once more
SETTLED_BY_US = "settled_by_us"  # the ERP said so a moment ago: the next try takes its word for it


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One due delivery as it was locked."""

    id: int
    record_key: str
    wanted: int
    wanted_fingerprint: str
    settled: int
    settled_fingerprint: str
    target_id: str
    target_version: str
    taken_back: str
    trace_id: str
    attempts: int
    code: str
    remote_id: str
    gone: str
    target_status: str
    target_date: date | None
    waits_for: tuple[str, str, int | None]
    record: AnyRecord
    decided: Mapping[str, str] = field(default_factory=dict)  # by a person: what a create has to know

    @property
    def settled_by_us(self) -> Decimal:
        """What the ERP has just said that we settled of a bill or credit."""
        bill = self.record
        return bill.amount - bill.balance if isinstance(bill, Payable) and self.code == SETTLED_BY_US else Decimal(0)

    def verdict(self, state: State, **details: object) -> Verdict:
        """Where this delivery stands now."""
        return Verdict(id=self.id, revision=self.wanted, state=state, trace_id=self.trace_id, **details)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One delivery that is about to be sent: what was claimed, why, the write, and its attempt."""

    claim: Claim
    ruling: Ruling
    write: Write
    explained: Decimal = Decimal(0)
    attempt_id: int = 0

    def verdict(self, state: State, **details: object) -> Verdict:
        """Where this delivery stands now, ending its attempt."""
        return self.claim.verdict(state, attempt_id=self.attempt_id, **details)

    def put_back(self, at: datetime | None = None, **details: object) -> Verdict:
        """Nothing was sent: it is due again, at once unless said otherwise, and the try does not count."""
        again = {"outcome": "not sent", "uncount": True, "next_attempt_at": at or self.write.sent_at}
        return self.verdict(State.PENDING, **{**again, **details})

    def left_out(self) -> Verdict:
        """The other side holds nothing of it, and nothing is wanted there."""
        why = {"code": self.ruling.code, "reason": self.ruling.reason}
        return self.verdict(State.OUT_OF_SCOPE, outcome="not needed", **why)

    def stands(self, **details: object) -> Verdict:
        """The other side holds what is wanted."""
        held = {"settles": True, "fingerprint": self.claim.wanted_fingerprint}
        return self.verdict(State.SYNCED, **{**held, **details})
