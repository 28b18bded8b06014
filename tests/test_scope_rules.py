"""Which records go, stay, are stopped or need a person: every rule of scope, and what no row of ours can hold."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.records import Application, Bill, Kind, Line, Phase, Ref
from syncs.delivery.scope import Circumstances, Ruling, Wish, rule
from syncs.mirror.columns import columns
from syncs.problems.catalogue import UNKNOWN, fault
from tests.records import ACCOUNT, BILL, PAYMENT, VENDOR

POLICIES = {"currencies": ["USD"], "pending_payments": True, "post_on": "executed"}


def ruling(
    record: Any, *, linked: bool = False, gone: bool = False, explained: str = "0", **policies: object
) -> Ruling:
    around = Circumstances(linked=linked, gone=gone, explained=Decimal(explained), policies={**POLICIES, **policies})
    return rule(record, around)


# Rulings: what goes, what stays, what needs a person.


def without_lines_that_tie(bill: Bill) -> Bill:
    return replace(bill, lines=(Line(number=1, amount=Decimal("120.49")),))


def part(gross: str, net: str, discount: str = "0") -> Application:
    return Application(
        target=Ref(Kind.BILL, "inv_1"), gross=Decimal(gross), discount=Decimal(discount), net=Decimal(net)
    )


BILL_RULES: dict[str, tuple[Bill, dict[str, Any], Wish, str]] = {
    "an open bill is sent": (BILL, {}, Wish.SEND, ""),
    "one in a currency that is not paid stays": (
        replace(BILL, currency="EUR"), {}, Wish.OUT_OF_SCOPE, "currency_not_paid",
    ),
    "one that was sent and is not paid any more is stopped": (
        BILL, {"linked": True, "currencies": ["CAD"]}, Wish.STOP, "currency_not_paid",
    ),
    "one in a currency that is paid by policy is sent": (
        replace(BILL, currency="CAD"), {"currencies": ["USD", "CAD"]}, Wish.SEND, "",
    ),
    "lines that do not sum are held": (without_lines_that_tie(BILL), {}, Wish.HOLD, "bill_does_not_tie"),
    "also of one that was sent": (without_lines_that_tie(BILL), {"linked": True}, Wish.HOLD, "bill_does_not_tie"),
    "one partly settled is held": (replace(BILL, balance=Decimal("20.50")), {}, Wish.HOLD, "partly_settled"),
    "one settled before it was sent stays": (
        replace(BILL, balance=Decimal("0.00")), {}, Wish.OUT_OF_SCOPE, "settled_before_sent",
    ),
    "one over nothing stays": (
        replace(BILL, amount=Decimal(0), balance=Decimal(0), lines=()), {}, Wish.OUT_OF_SCOPE, "nothing_to_pay",
    ),
    "one deleted before it was sent stays": (BILL, {"gone": True}, Wish.OUT_OF_SCOPE, "gone_before_sent"),
    "one deleted afterwards is stopped": (BILL, {"gone": True, "linked": True}, Wish.STOP, "bill_gone"),
    "one settled by others is stopped": (
        replace(BILL, balance=Decimal("0.00")), {"linked": True}, Wish.STOP, "settled_elsewhere",
    ),
    "one settled by us goes on": (
        replace(BILL, balance=Decimal("0.00")), {"linked": True, "explained": "120.50"}, Wish.SEND, "",
    ),
    "one settled by us and by others is stopped": (
        replace(BILL, balance=Decimal("0.00")), {"linked": True, "explained": "120.49"}, Wish.STOP, "settled_elsewhere",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BILL_RULES)
def test_of_bills(name: str) -> None:
    bill, around, wish, code = BILL_RULES[name]
    found = ruling(bill, **around)
    assert (found.wish, found.code) == (wish, code)
    assert bool(found.reason) == bool(code)


def test_a_bill_held_for_its_figures_says_both_of_them() -> None:
    assert "120.50" in (reason := ruling(replace(BILL, balance=Decimal("20.50"))).reason)
    assert "20.50" in reason.replace("120.50", "")
    reason = ruling(without_lines_that_tie(BILL)).reason
    assert "120.49" in reason
    assert "120.50" in reason


PAYMENT_RULES: dict[str, tuple[dict[str, Any], dict[str, Any], Wish, str]] = {
    "an executed payment is posted": ({}, {}, Wish.SEND, ""),
    "a pending one too": ({"phase": Phase.PENDING}, {}, Wish.SEND, ""),
    "unless policy says no": (
        {"phase": Phase.PENDING}, {"pending_payments": False}, Wish.OUT_OF_SCOPE, "payment_not_executed",
    ),
    "a posted one follows whatever policy says now": (
        {"phase": Phase.PENDING}, {"pending_payments": False, "linked": True}, Wish.SEND, "",
    ),
    "one not released stays": ({"phase": Phase.NONE}, {}, Wish.OUT_OF_SCOPE, "payment_not_released"),
    "one that went back is held": ({"phase": Phase.NONE}, {"linked": True}, Wish.HOLD, "payment_taken_back"),
    "an unknown word is held": ({"phase": Phase.UNKNOWN}, {}, Wish.HOLD, "payment_status_unknown"),
    "also of a posted one": ({"phase": Phase.UNKNOWN}, {"linked": True}, Wish.HOLD, "payment_status_unknown"),
    "one reversed is voided": ({"phase": Phase.REVERSED}, {"linked": True}, Wish.STOP, "payment_reversed"),
    "one reversed before anything was posted is looked for": (
        {"phase": Phase.REVERSED}, {}, Wish.STOP, "payment_reversed_before_posting",
    ),
    "a total that does not tie is held": ({"amount": Decimal("120.51")}, {}, Wish.HOLD, "payment_does_not_tie"),
    "no bill is held": ({"applications": ()}, {}, Wish.HOLD, "payment_does_not_tie"),
    "a part that does not tie is held": (
        {"applications": (part("130.00", "120.50"),)}, {}, Wish.HOLD, "payment_does_not_tie",
    ),
    "a discount is posted": ({"applications": (part("121.00", "120.50", "0.50"),)}, {}, Wish.SEND, ""),
    "a discount of less than nothing is held": (
        {"applications": (part("120.00", "120.50", "-0.50"),)}, {}, Wish.HOLD, "payment_shape",
    ),
    "a credit is held": (
        {"applications": (part("140.50", "140.50"), part("-20.00", "-20.00"))}, {}, Wish.HOLD, "payment_shape",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAYMENT_RULES)
def test_of_payments(name: str) -> None:
    change, around, wish, code = PAYMENT_RULES[name]
    found = ruling(replace(PAYMENT, **change), **around)
    assert (found.wish, found.code) == (wish, code)
    assert bool(found.reason) == bool(code)


def test_vendors_and_accounts_are_sent_unless_they_are_inactive_or_gone_and_never_were() -> None:
    for record in (VENDOR, ACCOUNT):
        assert ruling(record).wish is Wish.SEND
        assert ruling(replace(record, active=False)).code == "inactive"
        assert ruling(replace(record, active=False), linked=True).wish is Wish.SEND
        assert ruling(record, gone=True).code == "gone_before_sent"


def test_vendors_and_accounts_that_were_sent_and_are_gone_stay_as_they_are_over_there() -> None:
    for record in (VENDOR, ACCOUNT, replace(VENDOR, active=False)):
        found = ruling(record, gone=True, linked=True)
        assert (found.wish, found.code) == (Wish.OUT_OF_SCOPE, "gone")
        assert "stays" in found.reason


def test_every_code_that_holds_a_record_says_who_can_do_what() -> None:
    held = [code for _, _, wish, code in [*BILL_RULES.values(), *PAYMENT_RULES.values()] if wish is Wish.HOLD]
    ours = ("tried_too_often", "recorded_by_hand", "posting_gone", "posted_twice", "unmapped_funding_account")
    assert [code for code in (*held, *ours) if fault(code) is UNKNOWN] == []


# What a row of ours can hold.


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal("1.001")},
        {"currency": "DOLLARS"},
        {"amount": Decimal("1e30")},
    ],
)
def test_a_record_that_our_rows_cannot_hold_is_refused_before_it_reaches_them(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="."):
        columns(replace(BILL, **change))
