"""What the engine decides about deliveries, without a database: keys, flows, what is sent, what follows an error."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Action
from connectors.errors import (
    AuthError,
    ConnectorError,
    MappingError,
    OutcomeUnknown,
    RateLimited,
    RecordRejected,
    StaleVersion,
    TokenExpired,
    TransientError,
    UnexpectedResponse,
)
from connectors.records import Bill, Kind, Line, Phase, Ref
from connectors.registry import connectors
from syncs.delivery.decide import LONGEST_WAIT, TRIES_BEFORE_A_PROBLEM, Decision, backoff, decide
from syncs.delivery.flows import FLOWS, Flow, delivery_fingerprint
from syncs.keys import record_key, request_key, trace_id
from syncs.mirror.columns import version_number
from syncs.states import State
from tests.records import BILL, NOW, PAYMENT, VENDOR

DOUBT_UNTIL = NOW + timedelta(seconds=140)


def decided(error: ConnectorError | MappingError, *, attempts: int = 1, chance: float = 0.5) -> Decision:
    return decide(error, attempts=attempts, now=NOW, chance=chance, doubt_until=DOUBT_UNTIL)


# Keys.


def test_a_record_key_is_32_characters_and_never_changes_between_versions_of_the_product() -> None:
    key = record_key("quickbooks", "9130350000000001", Kind.BILL, "145")
    assert len(key) == 32
    assert key == "e596a4815b1c43ff5a7b1823d9f79366"
    assert record_key("avidxchange", "company-1", "payment", "pay_1") == "bd707fe2828d5742c4afa295133cccd4"


def test_a_request_key_is_36_characters_and_never_changes_between_versions_of_the_product() -> None:
    key = request_key("0" * 32, Action.CREATE, 1, "fingerprint")
    assert len(key) == 36
    assert key == "2044e844b90f2672c2d8d69eae833845d55e"
    assert trace_id("0" * 32, 1) == "909e1d6f63a4ca17"


def test_a_record_key_is_made_of_what_the_provider_says_and_of_nothing_else() -> None:
    parts = ("quickbooks", "realm", Kind.BILL, "145")
    keys = {record_key(*parts)}
    for place, other in enumerate(("netsuite", "other-realm", Kind.PAYMENT, "146")):
        keys.add(record_key(*(*parts[:place], other, *parts[place + 1 :])))
    assert len(keys) == 5
    assert record_key("a", "bc", "bill", "1") != record_key("ab", "c", "bill", "1")


def test_a_record_that_goes_from_a_to_b_and_back_is_sent_under_three_keys() -> None:
    key, first = record_key("quickbooks", "realm", Kind.BILL, "145"), delivery_fingerprint(BILL)
    second = delivery_fingerprint(replace(BILL, due_date=date(2026, 4, 1)))
    sent = [(1, first), (2, second), (3, first)]
    assert len({request_key(key, Action.UPDATE, revision, content) for revision, content in sent}) == 3


def test_every_try_of_one_revision_has_one_request_key_and_every_action_its_own() -> None:
    key, content = record_key("avidxchange", "company", Kind.PAYMENT, "pay_1"), delivery_fingerprint(PAYMENT)
    assert request_key(key, Action.CREATE, 1, content) == request_key(key, Action.CREATE, 1, content)
    assert len({request_key(key, action, 1, content) for action in Action}) == len(Action)


def test_a_change_of_another_version_is_another_request_though_its_revision_has_the_same_number() -> None:
    key, content = record_key("avidxchange", "company", Kind.PAYMENT, "pay_1"), delivery_fingerprint(PAYMENT)
    assert len({request_key(key, Action.UPDATE, 2, content, version) for version in ("", "0", "1")}) == 3


# Flows.


@pytest.mark.parametrize("kind", [Kind.ACCOUNT, Kind.DIMENSION])
def test_accounts_and_dimensions_cannot_be_made_to_flow_into_an_erp(kind: Kind) -> None:
    with pytest.raises(ValueError, match="never written into an ERP"):
        Flow(kind=kind, source="ap_network", target="erp", rank=1)


def test_no_erp_connector_can_write_an_account_or_a_dimension() -> None:
    erps = [one for one in connectors().values() if one.role == "erp"]
    assert erps
    for connector in erps:
        assert not connector.writes & {Kind.ACCOUNT, Kind.DIMENSION}, connector.name


def test_payments_alone_flow_into_an_erp_and_a_payee_comes_before_its_bill() -> None:
    assert [kind for kind, flow in FLOWS.items() if flow.target == "erp"] == [Kind.PAYMENT]
    ranks = [FLOWS[kind].rank for kind in (Kind.VENDOR, Kind.ACCOUNT, Kind.BILL, Kind.PAYMENT)]
    assert ranks == sorted(set(ranks))


# What of a record is sent.


@pytest.mark.parametrize(
    "moved",
    [
        replace(BILL, balance=Decimal("0.00"), settlements=("9",)),
        replace(BILL, version="4", modified_at=NOW + timedelta(days=1)),
        replace(BILL, memo="a private note"),
        replace(BILL, status="approved", payment_status="paid", key="k" * 32),
    ],
)
def test_what_our_own_postings_move_and_private_notes_make_no_new_delivery(moved: Bill) -> None:
    assert delivery_fingerprint(moved) == delivery_fingerprint(BILL)


@pytest.mark.parametrize(
    "change",
    [
        {"number": "INV-2"},
        {"date": date(2026, 3, 3)},
        {"due_date": date(2026, 4, 1)},
        {"vendor": Ref(Kind.VENDOR, "9")},
        {"currency": "CAD"},
        {"amount": Decimal("120.51")},
        {"lines": (Line(number=1, amount=Decimal("120.50"), account=Ref(Kind.ACCOUNT, "9")),)},
        {"lines": (Line(number=1, amount=Decimal("120.50"), account=Ref(Kind.ACCOUNT, "8"), description="new"),)},
    ],
)
def test_what_the_network_shows_of_a_bill_makes_a_new_delivery(change: dict[str, Any]) -> None:
    assert delivery_fingerprint(replace(BILL, **change)) != delivery_fingerprint(BILL)


def test_a_bill_that_is_gone_or_settled_by_somebody_else_makes_a_new_delivery() -> None:
    kept = delivery_fingerprint(BILL)
    assert delivery_fingerprint(BILL, gone=True) != kept
    assert delivery_fingerprint(BILL, unexplained=Decimal("20.50")) != kept
    assert delivery_fingerprint(BILL, unexplained=Decimal("0.00")) == kept


def test_a_payments_own_word_and_remarks_make_no_new_delivery_but_what_is_posted_does() -> None:
    kept = delivery_fingerprint(PAYMENT)
    assert delivery_fingerprint(replace(PAYMENT, status="Mailed", memo="on its way", version="9")) == kept
    for change in (
        {"phase": Phase.REVERSED},
        {"reference": "0004100232"},
        {"date": date(2026, 3, 5)},
        {"cleared_date": date(2026, 3, 9)},
        {"amount": Decimal("1.00")},
        {"applications": ()},
    ):
        assert delivery_fingerprint(replace(PAYMENT, **change)) != kept


def test_a_vendor_seen_again_in_a_new_version_makes_no_new_delivery() -> None:
    again = replace(VENDOR, version="2", modified_at=NOW + timedelta(days=1))
    assert delivery_fingerprint(again) == delivery_fingerprint(VENDOR)
    assert delivery_fingerprint(replace(VENDOR, legal_name="Acme Inc")) != delivery_fingerprint(VENDOR)


def test_a_version_counts_only_where_it_is_a_plain_number() -> None:
    assert version_number("12") == 12
    assert [version_number(text) for text in ("", "2026-03-02T14:00:00Z", "²", "-1", "9" * 30)] == [None] * 5


# Decisions.


STATES: list[tuple[Callable[..., ConnectorError], dict[str, Any], State, bool, bool]] = [
    (TransientError, {}, State.PENDING, True, False),
    (RateLimited, {"retry_after": 60}, State.PENDING, False, False),
    (OutcomeUnknown, {}, State.IN_DOUBT, True, False),
    (AuthError, {}, State.PENDING, False, False),
    (TokenExpired, {}, State.PENDING, False, False),
    (RecordRejected, {}, State.HELD, True, True),
    (StaleVersion, {}, State.PENDING, True, False),
    (UnexpectedResponse, {}, State.IN_DOUBT, True, True),
]


@pytest.mark.parametrize(("error", "facts", "state", "counted", "needs"), STATES)
def test_each_error_says_what_happens_next(
    error: Callable[..., ConnectorError], facts: dict[str, Any], state: State, counted: bool, needs: bool
) -> None:
    decision = decided(error("No.", code="a_code", **facts))
    assert (decision.state, decision.counted, decision.needs_somebody) == (state, counted, needs)
    assert decision.code == "a_code"
    assert "No." in decision.reason


def test_every_decision_has_a_code_that_people_are_told_about_even_where_the_provider_gives_none() -> None:
    assert all(decided(error("No.", **facts)).code for error, facts, _, _, _ in STATES)


def test_what_cannot_be_expressed_is_held_with_the_name_of_what_is_missing() -> None:
    decision = decided(MappingError("No account is mapped for checks.", code="unmapped", missing="checks"))
    assert (decision.state, decision.needs_somebody, decision.code) == (State.HELD, True, "unmapped")
    assert decision.reason == "No account is mapped for checks."


def test_a_lost_answer_is_looked_up_no_sooner_than_the_provider_can_still_be_at_work() -> None:
    assert decided(OutcomeUnknown("lost")).next_attempt_at == DOUBT_UNTIL
    undocumented = decided(UnexpectedResponse("what?")).next_attempt_at
    assert undocumented is not None
    assert undocumented >= DOUBT_UNTIL


def test_too_many_requests_wait_as_long_as_the_provider_says_and_the_whole_stream_with_them() -> None:
    decision = decided(RateLimited("slow down", retry_after=90))
    assert decision.next_attempt_at == NOW + timedelta(seconds=90)
    assert decision.backs_off == timedelta(seconds=90)


def test_a_refused_sign_in_pauses_the_connection_and_counts_against_no_record() -> None:
    decision = decided(AuthError("sign in"))
    assert decision.pauses_connection
    assert (decision.next_attempt_at, decision.backs_off) == (NOW, None)


def test_waits_have_full_jitter_double_with_every_try_and_end_at_a_quarter_of_an_hour() -> None:
    longest = [backoff(attempts, 1.0).total_seconds() for attempts in range(40)]
    assert longest[:4] == [2, 4, 8, 16]
    assert max(longest) == LONGEST_WAIT == 900
    assert longest == sorted(longest)
    assert [backoff(attempts, 0.0).total_seconds() for attempts in range(40)] == [0] * 40
    assert backoff(3, 0.25) == timedelta(seconds=4)


def test_a_record_is_never_given_up_but_somebody_is_told_after_many_tries() -> None:
    before, after = (
        decided(TransientError("down", code="unavailable"), attempts=attempts)
        for attempts in (TRIES_BEFORE_A_PROBLEM - 1, TRIES_BEFORE_A_PROBLEM)
    )
    assert (before.state, before.needs_somebody, before.code) == (State.PENDING, False, "unavailable")
    assert (after.state, after.needs_somebody, after.code) == (State.PENDING, True, "tried_too_often")
    assert after.next_attempt_at is not None
