"""A payment of bills on several AP accounts: one bill payment on each of them, shown as one payment. Pure.

Intuit: all that a bill payment settles lies on one AP account. The memo of a part says which of how many it is. The id
and the version of the whole are theirs, joined; the place of a part that was not made yet is empty.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec.structs import replace

from connectors.base import JOINT, Receipt
from connectors.quickbooks import memo
from connectors.quickbooks.posting import by_hand
from connectors.records import Payment, Phase

Places = Sequence[Payment | None]
MOST_PARTS = 9  # one figure says which part a number is of


def place_of(payment: Payment) -> tuple[int, int]:
    """Which part of how many this is; zeros for a payment that is a whole."""
    return memo.read(payment.memo).part


def split(payment: Payment, accounts: Mapping[str, str]) -> dict[str, Payment]:
    """The part of the payment on each AP account, by account; MappingError where one of them would be below zero."""
    parts: dict[str, Payment] = {}
    for account in sorted(set(accounts.values())):
        applications = tuple(part for part in payment.applications if accounts.get(part.target.id) == account)
        amount = sum((part.net for part in applications), Decimal(0))
        if amount < 0:
            raise by_hand("The credits that this payment takes are more than its bills on the same AP account.")
        parts[account] = replace(payment, applications=applications, amount=amount)
    if sum((part.amount for part in parts.values()), Decimal(0)) != payment.amount:
        raise by_hand("The AP account of a bill of this payment is not known.")
    if len(parts) > MOST_PARTS:
        raise by_hand(f"The bills of this payment lie on more than {MOST_PARTS} AP accounts.")
    return parts


def in_places(found: Sequence[Payment]) -> tuple[Places, list[str]]:
    """Each part in its place, one that is not voided before one that is; and the ids of what stands there twice."""
    _, of = max(place_of(one) for one in found)
    places: list[Payment | None] = [None] * of
    twice = []
    for one in sorted(found, key=lambda one: one.phase is Phase.REVERSED):
        number, its = place_of(one)
        if its == of and 0 < number <= of and places[number - 1] is None:
            places[number - 1] = one
        elif one.phase is not Phase.REVERSED:
            twice.append(one.id)
    return places, twice


def join(places: Places, *, lost: bool = False) -> Payment:
    """The whole payment that stands in these places; not ours any more if one of them was `lost`."""
    present = [one for one in places if one is not None]
    living = [one for one in present if one.phase is not Phase.REVERSED]
    first, complete = (living or present)[0], lost or len(present) == len(places)
    return replace(
        first,
        id=JOINT.join(one.id if one else "" for one in places),
        version=JOINT.join(one.version if one else "" for one in places),
        amount=sum((one.amount for one in living), Decimal(0)),
        phase=first.phase if complete or not living else Phase.PENDING,  # what is not complete can still be made so
        status=next((one.status for one in living if one.status), ""),
        funding_account=first.funding_account if len({one.funding_account for one in living}) < 2 else None,
        applications=tuple(application for one in living for application in one.applications),
        mark="" if lost else first.mark,
    )


def whole(id: str, found: Mapping[str, Payment]) -> Payment | None:
    """The payment of this joined id; None if nothing of it is there."""
    ids = id.split(JOINT)
    places = [found.get(one) for one in ids]
    if not any(places):
        return None
    return replace(join(places, lost=any(one and one not in found for one in ids)), id=id)


def receipt_of(found: Sequence[Payment]) -> Receipt:
    """The receipt of what these parts are together."""
    places, twice = in_places(found)
    shown, pieces = join(places), [one for one in places if one is not None]
    return Receipt(id=shown.id, version=shown.version, record=shown, duplicate_of=tuple(twice), pieces=pieces)
