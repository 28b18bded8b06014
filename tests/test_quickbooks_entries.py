"""The journal entries of payments: which are wanted, what they say, and what they and a bill payment are together."""

import dataclasses
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from connectors.base import IN_TRANSIT, REVERSED_ON, Action, Link, Write
from connectors.quickbooks import discounts, entries, memo
from connectors.quickbooks.ledger import decode_journal_entry
from connectors.records import Application, Kind, LedgerEntry, Method, Payment, Phase, Ref

KEY = "0123456789abcdef0123456789abcdef"
TOLD = {"record_key": KEY, "source": "the network"}
TRANSIT, BANK, PAYABLES = "77", "35", "33"
PAID = Decimal("100.25")
PENDING = Payment(
    id="236",
    version="0",
    vendor=Ref(Kind.VENDOR, "58"),
    amount=PAID,
    currency="USD",
    method=Method.CHECK,
    phase=Phase.PENDING,
    date=date(2026, 3, 3),
    funding_account=Ref(Kind.ACCOUNT, TRANSIT),
    applications=(Application(target=Ref(Kind.BILL, "145"), gross=PAID, net=PAID),),
    mark=KEY,
)
EXECUTED = replace(
    PENDING, phase=Phase.EXECUTED, date=date(2026, 4, 2), funding_account=Ref(Kind.ACCOUNT, BANK), reference="1042"
)
OPEN_DAY = {REVERSED_ON: "2026-04-01", IN_TRANSIT: TRANSIT}


def write(action: Action, record: Payment, **changes: Any) -> Write:
    known: dict[str, Any] = {"kind": Kind.PAYMENT, "record_key": KEY, "request_key": "r", "link": Link(id="236")}
    return Write(**known | {"action": action, "record": record} | changes)


def wanted(
    action: Action,
    asked: Payment,
    stands: Payment,
    made: entries.Made | None = None,
    context: Mapping[str, str] | None = None,
) -> entries.Wanted | None:
    return entries.wanted(write(action, asked, context=context or {}), asked, stands, made or {}, **TOLD)


def entered(wanted: entries.Wanted | None, id: str = "5", **changes: Any) -> LedgerEntry:
    """The entry as QuickBooks would show it."""
    assert wanted is not None
    body = entries.encode(wanted, KEY, None) | changes
    row = msgspec.json.Encoder(decimal_format="number").encode({**body, "Id": id, "SyncToken": "0"})
    return decode_journal_entry(row, "USD")


def test_an_entry_that_is_read_back_stands_as_it_was_wanted_and_a_changed_one_does_not() -> None:
    asked = wanted(Action.UPDATE, EXECUTED, PENDING)
    assert asked is not None
    assert (asked.debit, asked.credit, asked.date) == (TRANSIT, BANK, EXECUTED.date)
    assert asked.stands_as(entered(asked))
    assert entered(asked).key == f"{KEY}/execution"
    cleared = wanted(Action.UPDATE, replace(EXECUTED, cleared_date=date(2026, 4, 9)), PENDING)
    assert cleared is not None
    assert not cleared.stands_as(entered(asked))


def test_a_payment_with_its_execution_is_shown_as_executed() -> None:
    entry = entered(wanted(Action.UPDATE, EXECUTED, PENDING))
    shown = entries.join(PENDING, [entry])
    assert (shown.id, shown.version) == ("236+JournalEntry-5", "0+0")
    facts = (shown.phase, shown.funding_account, shown.date, shown.reference, shown.mark)
    assert facts == (Phase.EXECUTED, EXECUTED.funding_account, EXECUTED.date, "1042", KEY)
    assert entries.whole(shown.id, {"236": PENDING}, {entry.id: entry}) == shown
    lost = entries.whole(shown.id, {"236": PENDING}, {})
    assert lost is not None
    assert (lost.id, lost.mark) == (shown.id, "")


@pytest.mark.parametrize(
    "stands",
    [replace(PENDING, phase=Phase.EXECUTED), replace(PENDING, amount=Decimal("90.00")), replace(PENDING, mark="")],
)
def test_nothing_but_the_execution_of_the_same_payment_is_done_by_an_entry(stands: Payment) -> None:
    assert wanted(Action.UPDATE, EXECUTED, stands) is None


def test_a_reversal_is_made_only_where_the_engine_allows_it_and_never_with_a_discount() -> None:
    assert wanted(Action.VOID, EXECUTED, EXECUTED) is None
    assert wanted(Action.VOID, EXECUTED, EXECUTED, context=OPEN_DAY) is not None
    part = Application(target=Ref(Kind.BILL, "145"), gross=PAID + 2, discount=Decimal(2), net=PAID)
    assert wanted(Action.VOID, EXECUTED, replace(EXECUTED, applications=(part,)), context=OPEN_DAY) is None


@pytest.mark.parametrize(
    ("stands", "was_executed_by_entry", "refunded", "debit"),
    [
        (EXECUTED, False, False, TRANSIT),
        (EXECUTED, False, True, BANK),
        (PENDING, False, False, TRANSIT),
        (PENDING, False, True, TRANSIT),
        (PENDING, True, True, BANK),
    ],
)
def test_what_is_taken_back_lies_where_its_money_is(
    stands: Payment, was_executed_by_entry: bool, refunded: bool, debit: str
) -> None:
    made = {"execution": entered(wanted(Action.UPDATE, EXECUTED, PENDING))} if was_executed_by_entry else {}
    asked = wanted(Action.VOID, replace(EXECUTED, refunded=refunded), stands, made, context=OPEN_DAY)
    assert asked is not None
    assert (asked.debit, asked.date) == (debit, date(2026, 4, 1))


def test_the_line_on_the_payables_names_the_vendor_and_the_bills() -> None:
    asked = wanted(Action.VOID, EXECUTED, EXECUTED, context=OPEN_DAY)
    assert asked is not None
    body = entries.encode(dataclasses.replace(asked, credit=PAYABLES, words="Bill INV-1"), KEY, None)
    debit, credit = body["Line"]
    assert credit["JournalEntryLineDetail"] == {
        "PostingType": "Credit",
        "AccountRef": {"value": PAYABLES},
        "Entity": {"Type": "Vendor", "EntityRef": {"value": "58"}},
    }
    assert "Entity" not in debit["JournalEntryLineDetail"]
    assert (credit["Description"], body["TxnDate"]) == ("Bill INV-1", "2026-04-01")
    assert memo.piece(body["PrivateNote"]) == f"{KEY}/reversal"


@pytest.mark.parametrize("number", [discounts._number("9" * 32, place) for place in discounts.PLACES])
def test_no_number_of_a_discount_has_as_many_digits_as_a_card(number: str) -> None:
    assert sum(sign.isdigit() for sign in number) < 13


def test_a_write_is_sent_to_the_bill_payment_alone() -> None:
    link = Link(id="236+JournalEntry-5", version="3+1")
    assert entries.without_entries(write(Action.VOID, EXECUTED, link=link)).link == Link(id="236", version="3")
    in_parts = write(Action.VOID, EXECUTED, link=Link(id="236+240", version="0+0"))
    assert entries.without_entries(in_parts) is in_parts
