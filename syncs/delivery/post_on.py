"""When a payment is posted as paid: once it is executed, or by policy once it has cleared. Pure."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from connectors.records import Payment, Phase
from syncs.delivery.planned import Claim

POLICY = "post_on"
CLEARED = "cleared"


def waiting_to_clear(claim: Claim, policies: Mapping[str, object]) -> Claim:
    """The claim as it is delivered: by policy an executed payment is a pending one, without a day of its own, until its
    cleared date is known. What stands as executed already stays so."""
    payment = claim.record
    if policies[POLICY] != CLEARED or not isinstance(payment, Payment) or claim.target_status == Phase.EXECUTED:
        return claim
    if payment.phase is not Phase.EXECUTED or payment.cleared_date is not None:
        return claim
    pending = msgspec.structs.replace(payment, phase=Phase.PENDING, date=None)
    return replace(claim, record=pending, waits_to_clear=True)
