"""What each side showed of a bill's payments: the network's, our postings of them, and those of somebody else."""

from collections.abc import Iterator

from connectors.base import Action, ids_of_pieces
from connectors.records import Kind, Payment, Phase, from_minor_units
from syncs.story.entries import Entry, Rank
from syncs.story.facts import Facts, Paid, Seen
from syncs.story.sides import Names, Shown, pointer, shown

WAYS = {"check": "check", "ach": "ACH", "card": "virtual card"}


def payment_entries(facts: Facts, names: Names) -> Iterator[Entry]:
    """Everything that was seen of payments on either side."""
    for paid in facts.payments:
        yield from _payment(paid, names)
        if paid.posting is not None and not _voided_by_us(facts, paid.posting):
            yield from _posting(paid.posting, names)
    for seen, minor in facts.elsewhere:
        yield from _paid_elsewhere(seen, minor, names)


def method_of(payment: Payment) -> str:
    """A payment as people name it: by which way, under which reference."""
    return f"{WAYS.get(payment.method, 'an unknown way')} {payment.reference}".strip()


def _payment(paid: Paid, names: Names) -> Iterator[Entry]:
    phase: Phase | None = None
    cleared = refunded = False
    for state in shown(paid.payment, Kind.PAYMENT):
        payment = state.record
        assert isinstance(payment, Payment)
        if payment.phase is not phase:
            phase = payment.phase
            yield _reached(paid, state, payment, names)
        if payment.refunded and not refunded:
            refunded = True
            yield Entry(
                at=state.changed_at,
                rank=state.rank,
                tone="info",
                title=f"Refunded by {names.network}",
                words=[f"The {payment.amount:,} {payment.currency} of the {method_of(payment)} are the payer's again."],
                pointers=[pointer(paid.payment, "payment", Kind.PAYMENT)],
            )
        if payment.cleared_date and payment.phase is Phase.EXECUTED and not cleared:
            cleared = True
            words = method_of(payment)
            yield Entry(
                at=state.changed_at,
                rank=state.rank,
                stage="cleared" if paid.stands else "",
                tone="good",
                title=f"{words[:1].upper()}{words[1:]} cleared",
                words=[f"{names.network} dates it {payment.cleared_date:%-d %b %Y}."],
                pointers=[pointer(paid.payment, "payment", Kind.PAYMENT)],
            )


def _reached(paid: Paid, state: Shown, payment: Payment, names: Names) -> Entry:
    titles = {
        Phase.NONE: ("Payment prepared", "none"),
        Phase.PENDING: ("Payment released, not executed yet", "info"),
        Phase.EXECUTED: (f"Paid by {method_of(payment)}", "good"),
        Phase.REVERSED: (f"Payment by {method_of(payment)} taken back", "bad"),
        Phase.UNKNOWN: (f'Payment has the unknown status "{payment.status}"', "warn"),
    }
    title, tone = titles[payment.phase]
    returned = payment.returned is True
    money = [f"Its money is at {names.network} until it is refunded or paid anew."] if returned else []
    return Entry(
        at=state.changed_at,
        rank=state.rank,
        stage="paid" if payment.phase is Phase.EXECUTED and paid.stands else "",
        tone=tone,
        title=f"{title} at {names.network}",
        words=[_part(paid.applied_minor, paid.payment, payment), f'Their word is "{payment.status}".', *money],
        pointers=[pointer(paid.payment, "payment", Kind.PAYMENT)],
    )


def _part(applied_minor: int, seen: Seen, payment: Payment) -> str:
    applied = from_minor_units(applied_minor, seen.record.currency)
    if applied == payment.amount:
        return f"{payment.amount:,} {payment.currency}, all of it on this bill."
    return f"{applied:,} {payment.currency} of this bill, within a payment over {payment.amount:,} {payment.currency}."


def _voided_by_us(facts: Facts, posting: Seen) -> bool:
    voids = (one for one in facts.attempts.values() if one.action == Action.VOID)
    return any(posting.record.remote_id in ids_of_pieces(one.link_id) for one in voids)


def _posting(posting: Seen, names: Names) -> Iterator[Entry]:
    """What became of our posting in the ERP, when it was not us: only an end of it means something here."""
    for state in shown(posting, Kind.PAYMENT):
        assert isinstance(state.record, Payment)
        if state.gone or state.record.phase is Phase.REVERSED:
            word = state.gone or "voided"
            yield Entry(
                at=state.changed_at,
                rank=Rank.EFFECT,
                tone="warn",
                title=f"The bill payment is {word} in {names.erp}",
                pointers=[pointer(posting, "bill payment", Kind.PAYMENT)],
            )
            return


def _paid_elsewhere(seen: Seen, minor: int, names: Names) -> Iterator[Entry]:
    state = shown(seen, Kind.PAYMENT)[-1]
    payment = state.record
    assert isinstance(payment, Payment)
    if state.gone or payment.phase is Phase.REVERSED:
        return
    yield Entry(
        at=state.changed_at,
        rank=state.rank,
        tone="warn",
        title=f"Paid in {names.erp} by somebody else",
        words=[_part(minor, seen, payment)],
        pointers=[pointer(seen, "bill payment", Kind.PAYMENT)],
    )
