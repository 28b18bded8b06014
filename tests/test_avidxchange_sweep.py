"""Reading from AvidXchange: nothing that changed is missed, whatever happens between two pages."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.avidxchange.contract import Profile
from connectors.base import Page
from connectors.errors import TransientError, UnexpectedResponse
from connectors.records import Bill, Kind, Payment, Phase
from connectors.simulators import Request, Response
from tests.avidxchange_partner import PROFILES, START, Partner, bill, changed, ids, key_of, write

BILLS = [f"inv_{number:08}" for number in range(1, 8)]


def small_pages(name: str = "assumed-v1") -> Profile:
    """A profile whose pages hold two records."""
    return changed({"limits": {"pageSize": 2, "maxPageSize": 2}}, name)


def numbered_pages() -> Profile:
    return changed({"limits": {"pageSize": 2, "maxPageSize": 2}, "paging": {"strategy": "page"}})


@pytest.fixture(params=PROFILES)
def partner(request: pytest.FixtureRequest) -> Partner:
    return Partner(request.param)


def whole(partner: Partner, kind: Kind) -> list[Page]:
    """All pages of a full read."""
    pages = [partner.connector().read(kind, None)]
    while pages[-1].more:
        pages.append(partner.connector().read(kind, pages[-1].cursor))
    return pages


def pay_and_execute(partner: Partner, number: int) -> str:
    partner.act("approve_invoice", external_id=key_of(f"bill {number}"))
    id = str(partner.act("pay", invoices={key_of(f"bill {number}"): None}))
    partner.act("advance_payment", payment_id=id, to="issued")
    return id


def test_a_sweep_brings_invoices_and_then_payments_and_the_next_one_only_what_is_new(partner: Partner) -> None:
    start = partner.connector().start_of_changes(partner.clock.now())
    partner.with_bills(1, 2)
    payment = pay_and_execute(partner, 1)
    partner.later(minutes=30)
    pages, cursor = partner.sweep(start)
    assert sorted(ids(pages, Kind.BILL)) == BILLS[:2]
    assert ids(pages, Kind.PAYMENT) == [payment]
    kinds = [kind for page in pages for kind, _ in page.records]
    assert kinds == sorted(kinds, key=[Kind.BILL, Kind.PAYMENT].index)
    partner.later(days=3)
    _, cursor = partner.sweep(cursor)
    partner.act("advance_payment", payment_id=payment, to="cleared")
    partner.later(minutes=3)
    pages, _ = partner.sweep(cursor)
    assert (ids(pages, Kind.BILL), ids(pages, Kind.PAYMENT)) == ([], [payment])


def test_a_status_and_a_payment_come_through_with_their_meanings(partner: Partner) -> None:
    partner.with_bills(1, 2)
    pay_and_execute(partner, 1)
    partner.act("put_in_workflow", external_id=key_of("bill 2"))
    partner.act("reject_invoice", external_id=key_of("bill 2"), reason="Not ours")
    partner.later(minutes=5)
    records = {
        kind: record
        for kind in (Kind.BILL, Kind.PAYMENT)
        for page in whole(partner, kind)
        for _, record in page.records
    }
    payment = records[Kind.PAYMENT]
    assert isinstance(payment, Payment)
    assert (payment.phase, payment.amount) == (Phase.EXECUTED, bill(1).amount)
    assert payment.applications[0].target.key == key_of("bill 1")
    rejected = records[Kind.BILL]
    assert isinstance(rejected, Bill)
    assert (rejected.status, rejected.memo, rejected.key) == ("rejected", "Not ours", key_of("bill 2"))


def test_what_changed_long_ago_is_read_in_windows_that_they_allow(partner: Partner) -> None:
    partner.with_bills(1)
    partner.later(days=200)
    pages, cursor = partner.sweep(partner.connector().start_of_changes(START))
    assert ids(pages, Kind.BILL) == BILLS[:1]
    assert len(pages) >= 2 * 200 / 31
    partner.later(minutes=20)
    assert len(partner.sweep(cursor)[0]) == 2


def test_a_full_read_looks_back_over_a_year_and_claims_no_more(partner: Partner) -> None:
    partner.with_bills(1)
    partner.later(days=390)
    partner.connector().write([write(bill(2))])
    partner.later(minutes=5)
    pages = whole(partner, Kind.BILL)
    assert ids(pages, Kind.BILL) == BILLS[:2]
    assert all(page.complete == frozenset() for page in pages)
    partner.later(days=30)
    assert ids(whole(partner, Kind.BILL), Kind.BILL) == BILLS[1:2]


@pytest.mark.parametrize("profile", [small_pages(), numbered_pages(), small_pages("renamed-v1")])
def test_every_record_of_many_pages_is_read(profile: Profile) -> None:
    partner = Partner(profile).with_bills(*range(1, 8))
    partner.later(minutes=5)
    pages = whole(partner, Kind.BILL)
    assert sorted(ids(pages, Kind.BILL)) == BILLS
    assert max(len(page.records) for page in pages) == 2


@pytest.mark.parametrize("profile", [small_pages(), numbered_pages(), small_pages("renamed-v1")])
@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("minutes_ahead", [0, 30])
def test_nothing_is_missed_when_a_record_changes_while_the_pages_are_turned(
    profile: Profile, page: int, minutes_ahead: int
) -> None:
    partner = Partner(profile, skew=timedelta(minutes=minutes_ahead)).with_reference_data()
    for number in range(1, 8):
        partner.connector().write([write(bill(number))])
        partner.later(hours=1)
    cursor = partner.connector().start_of_changes(START)
    seen = []
    for turned in range(1, 30):
        read = partner.connector().changes(cursor)
        seen += ids([read], Kind.BILL)
        cursor = read.cursor
        if turned == page:
            partner.act("put_in_workflow", external_id=key_of("bill 1"))
        if not read.more:
            break
    assert set(seen) == set(BILLS)


def test_a_total_that_counts_only_the_rows_to_come_does_not_turn_the_pages_for_ever() -> None:
    partner = Partner(small_pages()).with_bills(*range(1, 8))
    partner.later(minutes=5)
    left = iter(range(100, 0, -1))

    def shrink(request: Request, proceed: Callable[[], Response]) -> Response:
        answer = proceed()
        total = f'"totalItems":{next(left)}'.encode()
        body = answer.body.replace(b" ", b"").replace(b'"totalItems":7', total)
        return Response(status=answer.status, headers=answer.headers, body=body)

    partner.connector()
    partner.sim.fault(partner.request("list_invoices"), shrink, times=100)
    pages = whole(partner, Kind.BILL)
    assert set(ids(pages, Kind.BILL)) == set(BILLS)
    assert next(left) > 50


@pytest.mark.parametrize("minutes", [-60, -10, -3, 3, 10, 60])
def test_a_clock_of_ours_that_is_wrong_misses_nothing(partner: Partner, minutes: int) -> None:
    partner = Partner(partner.profile, skew=timedelta(minutes=minutes)).with_reference_data()
    cursor = partner.connector().start_of_changes(START)
    seen: set[str] = set()
    for number in range(1, 8):
        partner.later(seconds=59)
        partner.connector().write([write(bill(number))])
        pages, cursor = partner.sweep(cursor)
        seen |= set(ids(pages, Kind.BILL))
        partner.later(seconds=67)
    partner.later(minutes=15)
    pages, cursor = partner.sweep(cursor)
    assert seen | set(ids(pages, Kind.BILL)) == set(BILLS)


def test_a_page_read_again_from_its_cursor_is_the_same_page(partner: Partner) -> None:
    partner.with_bills(1, 2, 3)
    partner.later(minutes=5)
    cursor = partner.connector().start_of_changes(START)
    first, second = (partner.connector().changes(cursor) for _ in range(2))
    assert (first.records, first.cursor) == (second.records, second.cursor)


def test_a_next_page_at_another_host_is_not_asked_for() -> None:
    partner = Partner(small_pages()).with_bills(1, 2, 3)
    partner.later(minutes=5)
    partner.sim.person("garble_replies", faults=["foreign_links"])
    with pytest.raises(UnexpectedResponse) as refused:
        whole(partner, Kind.BILL)
    assert refused.value.code == "foreign_link"
    assert {exchange.url.split("/")[2] for exchange in partner.http.exchanged} == {"simulator"}


@pytest.mark.parametrize("garble", ["no_paging", "repeated_records"])
def test_a_list_without_paging_or_with_a_record_twice_is_read(partner: Partner, garble: str) -> None:
    partner.with_bills(1, 2)
    partner.later(minutes=5)
    partner.sim.person("garble_replies", faults=[garble])
    assert set(ids(whole(partner, Kind.BILL), Kind.BILL)) == set(BILLS[:2])


def test_a_row_that_cannot_be_read_is_shown_and_the_sweep_goes_on(partner: Partner) -> None:
    partner.with_bills(1, 2)
    leaking, sound = (pay_and_execute(partner, number) for number in (1, 2))
    partner.act("break_promise", payment_id=leaking, promise="card_number")
    partner.later(minutes=5)
    pages, _ = partner.sweep(partner.connector().start_of_changes(START))
    shown = [row for page in pages for row in page.unreadable]
    assert [(row.kind, row.id, row.why.split(":")[0]) for row in shown] == [(Kind.PAYMENT, leaking, "card number")]
    assert ids(pages, Kind.PAYMENT) == [sound]


@pytest.mark.parametrize("promise", ["unknown_status", "unknown_method"])
def test_a_word_that_nobody_knows_is_read_as_a_payment_of_unknown_phase(partner: Partner, promise: str) -> None:
    payment = pay_and_execute(partner.with_bills(1), 1)
    partner.act("break_promise", payment_id=payment, promise=promise)
    found = partner.connector().fetch(Kind.PAYMENT, [payment])[payment]
    assert isinstance(found, Payment)
    assert found.phase is Phase.UNKNOWN


def test_records_are_fetched_by_id_and_an_id_that_does_not_exist_is_left_out(partner: Partner) -> None:
    partner.with_bills(1, 2)
    many = [f"inv_{number}" for number in range(100)]
    found = partner.connector().fetch(Kind.BILL, [*many, BILLS[1], BILLS[0]])
    assert sorted(found) == BILLS[:2]
    assert partner.counted("list_invoices") == 3


def test_a_record_that_cannot_be_read_is_not_taken_for_one_that_does_not_exist(partner: Partner) -> None:
    payment = pay_and_execute(partner.with_bills(1), 1)
    partner.act("break_promise", payment_id=payment, promise="card_number")
    with pytest.raises(UnexpectedResponse) as refused:
        partner.connector().fetch(Kind.PAYMENT, [payment])
    assert refused.value.code == "row_unreadable"


def test_a_list_that_breaks_off_is_asked_for_again_and_one_that_is_no_list_stops_the_feed(partner: Partner) -> None:
    connector = partner.with_bills(1).connector()
    cursor = connector.start_of_changes(START)
    partner.later(minutes=5)
    partner.sim.truncate(partner.request("list_invoices"))
    with pytest.raises(TransientError):
        connector.changes(cursor)
    for body in (b"<html>maintenance</html>", b"{}", b'"text"', b"[]"):
        partner.sim.refuse(partner.request("list_invoices"), Response(body=body))
        with pytest.raises(UnexpectedResponse):
            connector.changes(cursor)
    assert ids([connector.changes(cursor)], Kind.BILL) == BILLS[:1]


def test_a_read_that_fails_for_a_moment_is_tried_again_in_place(partner: Partner) -> None:
    connector = partner.with_bills(1).connector()
    partner.later(minutes=5)
    partner.sim.refuse(partner.request("list_invoices"), Response(status=502, body=b"<html>"), times=2)
    assert ids([connector.changes(connector.start_of_changes(START))], Kind.BILL) == BILLS[:1]


def test_every_page_costs_one_request(partner: Partner) -> None:
    partner.with_bills(1)
    partner.later(minutes=5)
    before = len(partner.sim.requests)
    pages, _ = partner.sweep(partner.connector().start_of_changes(START))
    assert len(partner.sim.requests) - before == len(pages)
