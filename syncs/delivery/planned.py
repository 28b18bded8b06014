"""What was claimed, and what is planned with it. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from connectors.base import Action, Write
from connectors.records import AnyRecord, Payable
from syncs.delivery.scope import NOT_PAID, Ruling
from syncs.delivery.verdict import Verdict
from syncs.states import State

LOCKED = "bill_locked"  # the network takes no change of it any more: the next try withdraws it
NOT_FOUND = "not_found"  # what it names was there a moment ago: everything that it rests on is looked at once more
PERIOD_CLOSED = "period_closed"
LEFT_AS_POSTED = "left_as_posted"
NOT_CLEARED = "payment_not_cleared"
LEFT_AS_IT_STANDS = (
    "The books are closed for its day. Only its reference, cleared date or memo would change, so it is left as it is."
)
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
    waits_to_clear: bool = False  # by policy it is delivered as a pending one, although it is executed
    refunded_by: str = ""  # the payment that replaced it, and of which its money came back

    @property
    def settled_by_us(self) -> Decimal:
        """What the ERP has just said that we settled of a bill or credit."""
        bill = self.record
        return bill.amount - bill.balance if isinstance(bill, Payable) and self.code == SETTLED_BY_US else Decimal(0)

    def verdict(self, state: State, **details: object) -> Verdict:
        """Where this delivery stands now."""
        if self.waits_to_clear and state is State.SYNCED:
            reason = "By policy it is posted as paid once it has cleared: until then it stands as pending."
            details = {"code": NOT_CLEARED, "reason": reason, **details}
        return Verdict(id=self.id, revision=self.wanted, state=state, trace_id=self.trace_id, **details)  # type: ignore[arg-type]

    def left_out(self, ruling: Ruling) -> Verdict:
        """It is out of scope; a file whose place another takes has to be sent anew should it come back."""
        replaced = ruling.code == "image_not_sent"
        return self.verdict(State.OUT_OF_SCOPE, code=ruling.code, reason=ruling.reason, unsettles=replaced)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One delivery that is about to be sent: what was claimed, why, the write, and its attempt."""

    claim: Claim
    ruling: Ruling
    write: Write
    explained: Decimal = Decimal(0)
    attempt_id: int = 0
    only_told: bool = False  # what stands is the same money: nothing but what is said of it is to change

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

    def left_as_it_stands(self, **details: object) -> Verdict:
        """In step: the money stands as wanted, and what is said of it cannot be changed any more."""
        why = {"code": LEFT_AS_POSTED, "reason": LEFT_AS_IT_STANDS}
        return self.stands(**why, **details, verb="delivery_left")

    def goes_on(self, **details: object) -> Verdict:
        """It is not stopped after all: the other side holds what is wanted, and nothing is sent."""
        held = {"settles": True, "fingerprint": self.claim.wanted_fingerprint, "outcome": "not needed"}
        return self.verdict(State.SYNCED, **{**held, "verb": "delivery_skipped", **details})

    def stands(self, **details: object) -> Verdict:
        """The other side holds what is wanted; a bill that it no longer pays is not in step while any of it is open."""
        said = {"settles": True, "fingerprint": self.claim.wanted_fingerprint, **details}
        bill, gone = self.claim.record, self.claim.gone
        if self.write.action is not Action.WITHDRAW or not isinstance(bill, Payable) or gone or bill.balance <= 0:
            return self.verdict(State.SYNCED, **said)
        why = {"code": self.ruling.code, "reason": self.ruling.reason}
        if self.ruling.code == NOT_PAID:
            return self.verdict(State.OUT_OF_SCOPE, **said, **why)
        why = {"code": "withdrawn_open", "reason": f"{why['reason']} {bill.balance} of it is open."}
        return self.verdict(State.HELD, **said, **why, needs_somebody=True)
