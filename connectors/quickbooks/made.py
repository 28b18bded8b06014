"""Whether what stands there of a payment is what a write has made."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from connectors.base import PAID_ON, REPLACES, Action, Receipt, Write, ids_of_pieces
from connectors.quickbooks import entries, parts, posting
from connectors.quickbooks.discounts import SOURCE
from connectors.quickbooks.parting import ids_known, is_linked
from connectors.records import Payment, Phase


def made_with(write: Write, ours: list[Payment], beside: entries.Made) -> Receipt | None:
    """The same as `_made_by` of a payment that entries of ours may stand beside."""
    if not beside:
        return _made_by(write, ours)
    if entries.NOT_OURS in beside:
        return None
    wanted = entries.wanted(write, payment_of(write), ours[0], beside, **told_of(write))
    standing = beside.get(wanted.piece) if wanted else None
    return entries.receipt_of(ours[0], beside) if wanted and standing and wanted.stands_as(standing) else None


def _made_by(write: Write, ours: list[Payment]) -> Receipt | None:
    """The receipt of what stands there, if this write has made it what it is; the oldest not voided first."""
    standing = [one for one in ours if one.phase is not Phase.REVERSED]
    if any(parts.place_of(one) != (0, 0) for one in standing or ours):
        return _parts_made_by(write, ours)
    first, *others = sorted(ours, key=lambda one: (one.phase is Phase.REVERSED, len(one.id), one.id))
    twice = tuple(one.id for one in others if one.phase is not Phase.REVERSED)
    asked = payment_of(write)
    made = first.phase is Phase.REVERSED if write.action is Action.VOID else write.action is Action.CREATE
    if write.action is Action.UPDATE:
        made = posting.is_as_asked(asked, first, **told_of(write))
    return Receipt(id=first.id, version=first.version, record=first, duplicate_of=twice) if made else None


def _parts_made_by(write: Write, ours: list[Payment]) -> Receipt | None:
    """The same for a payment that stands in parts, or of which some stand."""
    receipt, asked = parts.receipt_of(ours), payment_of(write)
    shown = receipt.record
    assert isinstance(shown, Payment)
    made = shown.phase is Phase.REVERSED if write.action is Action.VOID else write.action is Action.CREATE
    if write.action is Action.UPDATE:
        differ = posting.differences(asked, shown, write.record_key)
        made = not differ and all(_is_part_of(asked, one, write) for one in ours)
    return receipt if made else None


def _is_part_of(asked: Payment, part: Payment, write: Write) -> bool:
    number, of = parts.place_of(part)
    told = {**told_of(write), "part": f"{number} of {of}"}
    of_it = msgspec.structs.replace(asked, applications=part.applications, amount=part.amount)
    return posting.is_as_asked(of_it, part, **told)


def ours_of(write: Write, by_id: Mapping[str, Payment], candidates: Sequence[Payment]) -> list[Payment]:
    """What stands there of this payment: what it is linked to, and what carries its mark while that is not all."""
    known = [by_id[id] for id in ids_known(write) if id in by_id]
    replaced = ids_of_pieces(write.context.get(REPLACES, ""))
    wanted = [one for one in candidates if one.phase is not Phase.REVERSED or one.id not in replaced]
    marked = [] if is_linked(write) else [one for one in wanted if one.mark == write.record_key]
    return list({one.id: one for one in (*known, *marked)}.values())


def may_concern(rows: Iterable[bytes], write: Write) -> bool:
    """Whether a row that we cannot read carries this write's mark or names its payment or one of its bills."""
    ids = ids_known(write) or [part.target.id for part in payment_of(write).applications]
    return any(write.record_key.encode() in row or any(f'"{id}"'.encode() in row for id in ids) for row in rows)


def told_of(write: Write) -> dict[str, str]:
    """What the memo says beside the payment."""
    source, paid_on = write.context.get("source", SOURCE), write.context.get(PAID_ON, "")
    part = write.context.get("part", "")
    return {"record_key": write.record_key, "source": source, "paid_on": paid_on, "part": part}


def payment_of(write: Write) -> Payment:
    """The payment that is written."""
    assert isinstance(write.record, Payment), "nothing but payments is written to QuickBooks"
    return write.record
