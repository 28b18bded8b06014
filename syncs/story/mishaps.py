"""What somebody did to a bill or its payments behind our back, and what has to be done about the money."""

from collections.abc import Sequence
from dataclasses import replace

from connectors.records import Kind, Payment, Phase, restore
from syncs.models import SyncRecord
from syncs.states import State
from syncs.story.facts import Facts, Paid, stands
from syncs.story.outlook import STOPPED, Coming
from syncs.story.paying import method_of
from syncs.story.sides import Names


def mishap(facts: Facts, names: Names) -> Coming | None:
    """What must not be overlooked whatever else is to come; None if nothing is amiss."""
    tellers = (_paid_twofold, _bill_gone, _posted_anew, _posting_gone)
    amiss = next((found for tell in tellers if (found := tell(facts, names)) is not None), None)
    returned = _returned(facts, names)
    if amiss is None or returned is None or amiss.tone == "good":
        return returned or amiss
    return replace(amiss, words=f"{amiss.words} {returned.words}")


def _returned(facts: Facts, names: Names) -> Coming | None:
    """A payment came back, and its money has neither been refunded nor paid anew."""
    known = [_payment(paid) for paid in facts.payments]
    paid_anew = {one.reissue_of for one in known}
    returned = [one for one in known if one.returned is True and one.id not in paid_anew]
    if not returned:
        return None
    what = " and the ".join(f"{method_of(one)} over {one.amount:,} {one.currency}" for one in returned)
    if any(stands(seen.record) for seen, _ in facts.elsewhere):
        words = f"Somebody entered a payment of this bill in {names.erp}, and the {what} was returned, with its money "
        words += f"still at {names.network}: have it refunded there, and not paid anew."
        return Coming(tone="bad", words=words)
    words = f"Returned, money at {names.network}: do not pay by hand. The {what} came back, and is paid anew or "
    return Coming(tone="warn", words=f"{words}refunded there.")


def _paid_twofold(facts: Facts, names: Names) -> Coming | None:
    """Somebody has paid the bill in the ERP, and the network pays it too, or may be about to."""
    if facts.delivery is None or not any(stands(seen.record) for seen, _ in facts.elsewhere):
        return None
    by_hand = f"Somebody entered a payment of this bill in {names.erp}"
    live = [paid for paid in facts.payments if paid.stands]
    unposted = [paid for paid in live if not paid.is_posted]
    if under_way := [paid for paid in unposted if not _ignored(paid.delivery)]:
        return _bad(f"{by_hand}, and {_stop(under_way, names)}", under_way)
    cleared = _cleared(unposted)
    if cleared and not _ignored(facts.delivery):
        return _bad(f"{by_hand}, and {_stop(cleared, names)} Nothing has to be done if both are one payment.", cleared)
    invoice = facts.invoice.record if facts.invoice else None
    if invoice is None or live or facts.delivery.state == State.OUT_OF_SCOPE:
        return None
    if invoice.gone or invoice.status in STOPPED:
        return Coming(tone="good", words=f"Nothing: it was paid in {names.erp}, and {names.network} does not pay it.")
    doing = f"It is taken back at {names.network}."
    if facts.delivery.state == State.HELD:
        doing = f"It could not be taken back: {facts.delivery.reason}"
    elif _ignored(facts.delivery):
        doing = f"It is not taken back. {facts.delivery.reason}"
    look = f"A check may be on its way already: look at {names.network}, and stop the check there if one was made."
    return Coming(tone="bad", words=f"{by_hand} while it was in approval. {doing} {look}")


def _bill_gone(facts: Facts, names: Names) -> Coming | None:
    """The bill is no longer in the ERP: nothing of it may be paid."""
    bill, delivery = facts.bill.record, facts.delivery
    if not bill.gone or delivery is None:
        return None
    was = f"was {bill.gone} in {names.erp}"
    live = [paid for paid in facts.payments if paid.stands and not _ignored(paid.delivery)]
    if live:
        return _bad(f"The bill {was}, and {_stop(live, names)}", live)
    if facts.invoice is None or not delivery.target_id:
        return Coming(tone="good", words=f"Nothing: it {was} before it was sent to {names.network}.")
    if facts.invoice.record.gone or facts.invoice.record.status in STOPPED:
        return Coming(tone="good", words=f"Nothing: it {was}, and {names.network} does not pay it.")
    if delivery.state == State.HELD or _ignored(delivery):
        not_back = "could not be taken" if delivery.state == State.HELD else "is not taken"
        words = f"The bill {was} and {not_back} back at {names.network}: {delivery.reason}"
        return Coming(tone="bad", words=f"{words} Cancel it there, and stop the check if one was made.")
    return Coming(tone="warn", words=f"The bill {was}; it is taken back at {names.network}.")


def _posted_anew(facts: Facts, names: Names) -> Coming | None:
    """We have taken our posting back and the next one does not stand yet: the bill looks unpaid, and is not."""
    between = [paid for paid in facts.payments if paid.is_to_be_posted_anew]
    if not between:
        return None
    words = [
        f"The {method_of(_payment(paid))} {_been(paid, names)}. What was posted of it is taken back in {names.erp}, "
        f"{_how_posted_anew(paid)}"
        for paid in between
    ]
    words.append("The bill looks unpaid there: do not pay the bill again.")
    stuck = any(paid.delivery and paid.delivery.state in (State.HELD, State.IGNORED) for paid in between)
    return Coming(tone="bad" if stuck else "warn", words=" ".join(words))


def _how_posted_anew(paid: Paid) -> str:
    delivery = paid.delivery
    if delivery is not None and delivery.state == State.HELD:
        return f"and posting it anew is held: {delivery.reason}"
    if _ignored(delivery):
        return f"and it is not posted anew. {delivery.reason if delivery else ''}"
    return "and it is posted anew with what it settles now."


def _posting_gone(facts: Facts, names: Names) -> Coming | None:
    """Somebody took our posting out of the ERP, where the bill now looks as if nobody had paid it."""
    lost = [paid for paid in facts.payments if paid.stands and paid.posting and not paid.is_posted]
    undecided = [paid for paid in lost if not _ignored(paid.delivery)]
    if not undecided and not (lost and facts.bill.record.balance_minor):
        return None
    words = [_lost(paid, names) for paid in lost]
    words.append("The bill looks unpaid there: do not pay the bill again.")
    if undecided:
        words.append(f"Enter the payment in {names.erp} again by hand, then ignore ours.")
    words += [paid.delivery.reason for paid in lost if paid.delivery and _ignored(paid.delivery)]
    return Coming(tone="bad" if undecided else "warn", words=" ".join(words), instead_of_remedies=True)


def _lost(paid: Paid, names: Names) -> str:
    payment, posting = _payment(paid), paid.posting
    been = _been(paid, names)
    word = posting.record.gone if posting and posting.record.gone else "voided"
    return f"The {method_of(payment)} {been}; its posting was {word} in {names.erp} by somebody."


def _been(paid: Paid, names: Names) -> str:
    payment = _payment(paid)
    been = "has been paid" if payment.phase is Phase.EXECUTED else f"is being paid at {names.network}"
    return f"{been} and has cleared" if payment.cleared_date else been


def _stop(payments: Sequence[Paid], names: Names) -> str:
    """What a person has to do about payments that are under way at the network, in words."""
    known = [_payment(paid) for paid in payments]
    cleared = [method_of(one) for one in known if one.cleared_date]
    under_way = [method_of(one) for one in known if not one.cleared_date]
    words = [f"{names.network} pays it too."]
    if under_way:
        late = any(one.phase is Phase.EXECUTED and not one.cleared_date for one in known)
        rest = "; what the vendor has cashed by then has to be paid back" if late else ""
        words.append(f"Stop the {' and the '.join(under_way)} at {names.network}{rest}.")
    if cleared:
        words.append(f"The {' and the '.join(cleared)} has cleared: ask the vendor to pay the money back.")
    return " ".join(words)


def _bad(words: str, payments: Sequence[Paid]) -> Coming:
    """A remedy that was written while a payment could be stopped says nothing about one that has cleared."""
    return Coming(tone="bad", words=words, instead_of_remedies=bool(_cleared(payments)))


def _cleared(payments: Sequence[Paid]) -> list[Paid]:
    return [paid for paid in payments if _payment(paid).cleared_date]


def _payment(paid: Paid) -> Payment:
    record = restore(Kind.PAYMENT, paid.payment.record.body)
    assert isinstance(record, Payment)
    return record


def _ignored(delivery: SyncRecord | None) -> bool:
    return delivery is not None and delivery.state == State.IGNORED
