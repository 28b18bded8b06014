"""Posting anew: what was posted of a payment is taken back first, and the row says how far that has come. Pure.

    linked, and not in `taken_back`     it stands
    linked, and in `taken_back`         it is being taken back: voided, however many tries that takes
    not linked, and in `taken_back`     proved to be taken back: the payment is posted anew, unless something objects

What is in `taken_back` and voided is never taken for the posting that is looked for, whatever mark it carries.
"""

from dataclasses import replace
from datetime import datetime

from connectors.base import JOINT, Action, Write, ids_of_pieces
from connectors.records import AnyRecord, Payment, Phase
from syncs.delivery.objections import takes
from syncs.delivery.verdict import Verdict
from syncs.states import State

POSTED_ANEW = "posted_anew"
POLICY = "changed_applications"
POST_ANEW = "post_anew"


def is_being_taken_back(target_id: str, taken_back: str) -> bool:
    """Whether what it is linked to is to be gone, so that it is posted anew."""
    return bool(target_id) and set(ids_of_pieces(target_id)) <= set(ids_of_pieces(taken_back))


def added(taken_back: str, *ids: str) -> str:
    """What is taken back, with these ids as well."""
    pieces = [piece for id in (taken_back, *ids) for piece in ids_of_pieces(id)]
    return JOINT.join(dict.fromkeys(pieces))


def is_first_half(write: Write) -> bool:
    """Whether this takes a posting back so that its payment, which lives, is posted anew."""
    payment = write.record
    return write.action is Action.VOID and isinstance(payment, Payment) and payment.phase is not Phase.REVERSED


def to_be_posted_anew(verdict: Verdict, *, at: datetime) -> Verdict:
    """The verdict on a posting that is proved to be taken back: nothing stands there, and it is due at once."""
    return replace(
        verdict,
        state=State.PENDING,
        next_attempt_at=at,
        verb="delivery_taken_back",
        code=POSTED_ANEW,
        reason="What we had posted of it is taken back in the ERP: it is posted anew, with what it settles now.",
        unlinks=True,
        unsettles=True,
        uncount=True,
    )


def is_alive(posting: AnyRecord | None) -> bool:
    """Whether this is a posting that stands."""
    return isinstance(posting, Payment) and posting.phase is not Phase.REVERSED


def is_to_be_posted_anew(payment: Payment, posting: Payment) -> bool:
    """Whether what stands settles something else and cannot be changed: amount and bills of a pending one follow the
    payment in place, its discounts do not. One of which a piece is still to be made is completed."""
    if not all(posting.id.split(JOINT)):
        return False
    if posting.phase is not Phase.EXECUTED:
        return posting.discounts != payment.discounts
    return (posting.amount, takes(posting)) != (payment.amount, takes(payment))
