"""What came out otherwise than it was sent, or twice, stays visible until somebody has looked at it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.core.exceptions import ValidationError

from connectors.base import Tokens
from connectors.models import Connection
from connectors.tokens import StoredTokens
from syncs import scheduler
from syncs.delivery.objections import objection
from syncs.integrations import pair
from syncs.leases import LeaseLost, lost
from syncs.models import Attempt, Feed, Problem, RemoteRecord, Stream, SyncRecord
from syncs.services import read_in_full
from syncs.states import State
from tests.simulation.world import ADDRESS, REALM, World, bank, begin
from tests.test_one_bill import one_bill

pytestmark = pytest.mark.django_db


class Changed(httpx.BaseTransport):
    """A wire on which something happens to requests before they arrive."""

    def __init__(self, inner: httpx.BaseTransport, change: Callable[[httpx.Request], httpx.Request]) -> None:
        self._inner, self._change = inner, change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return self._inner.handle_request(self._change(request))


def approved(world: World, amount: str = "100.00") -> tuple[str, str]:
    bill_id, invoice_id = one_bill(world, amount)
    world.person(world.avidxchange, "approve_invoice", invoice_id=invoice_id)
    return bill_id, invoice_id


def payment_record() -> SyncRecord:
    return SyncRecord.objects.get(stream__kind="payment")


def test_a_posting_on_another_bank_account_than_was_sent_is_not_called_done() -> None:
    world = begin()
    bill_id, invoice_id = approved(world)
    wrong = world.person(world.quickbooks, "create_account", name="Wrong bank", account_type="Bank")["Id"]
    right = bank(world, "Payments in transit")
    first: list[httpx.Request] = []

    def misled(request: httpx.Request) -> httpx.Request:
        if request.method != "POST" or "/billpayment" not in request.url.path or first:
            return request
        first.append(request)
        body = request.content.replace(f'"value":"{right}"'.encode(), f'"value":"{wrong}"'.encode())
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        return httpx.Request(request.method, request.url, headers=headers, content=body)

    world.wire = Changed(world.wire, misled)
    world.person(world.avidxchange, "pay", invoices={invoice_id: None})
    world.settle()

    [posted] = world.quickbooks.payments_of_bill(REALM, bill_id)
    assert first
    assert posted["CheckPayment"]["BankAccountRef"]["value"] == right
    assert payment_record().state == State.SYNCED


def test_two_postings_with_our_mark_stay_held_whatever_the_network_says_next() -> None:
    world = begin()
    bill_id, invoice_id = approved(world)
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice_id: "50.00"})
    world.settle()
    [posted] = world.quickbooks.payments_of_bill(REALM, bill_id)
    names = ("VendorRef", "PayType", "CheckPayment", "TotalAmt", "PrivateNote", "Line", "TxnDate")
    copy = {name: posted[name] for name in names if name in posted}
    world.person(world.quickbooks, "create", entity="BillPayment", body={**copy, "DocNumber": "COPY"})
    SyncRecord.objects.filter(stream__kind="payment").update(
        target_id="", settled=0, settled_fingerprint="", state=State.PENDING, next_attempt_at=world.clock.now()
    )
    Stream.objects.update(due_at=world.clock.now())
    world.settle()
    assert (payment_record().state, payment_record().code) == (State.HELD, "posted_twice")

    world.person(world.avidxchange, "advance_payment", payment_id=payment_id, to="issued")
    world.settle()

    assert (payment_record().state, payment_record().code) == (State.HELD, "posted_twice")
    assert Problem.objects.get(code="posted_twice").resolved_at is None


def test_two_connections_are_paired_once() -> None:
    world = begin()
    with pytest.raises(ValidationError, match="paired already"):
        pair(erp=world.integration.erp, ap_network=world.integration.ap_network, by="olivia", now=world.clock.now())


def test_a_lost_submission_over_an_older_invoice_is_not_called_done() -> None:
    world = begin()
    bill_id, invoice_id = one_bill(world, "100.00")
    SyncRecord.objects.filter(stream__kind="bill").update(
        target_id="", target_version="", settled=0, settled_fingerprint=""
    )
    [line] = world.company.bills[bill_id]["Line"]
    lines = [{**line, "Amount": Decimal("120.00")}]
    world.person(world.quickbooks, "edit_bill", bill_id=bill_id, changes={"Line": lines})
    dropped: list[str] = []

    def drop(request: httpx.Request) -> httpx.Request:
        if request.method == "POST" and "invoices" in request.url.path and not dropped:
            dropped.append(str(request.url))
            raise httpx.ReadTimeout("lost on its way")
        return request

    world.wire = Changed(world.wire, drop)
    world.settle()

    assert dropped
    assert world.network.invoices[invoice_id]["amount"] == Decimal("120.00")


def test_of_two_payments_that_a_bill_cannot_bear_together_only_one_is_posted() -> None:
    world = begin()
    bill_id, invoice_id = approved(world)
    stream = Stream.objects.get(kind="payment")
    Stream.objects.filter(pk=stream.pk).update(paused=True)
    for amount in ("60.00", "40.00"):
        world.person(world.avidxchange, "pay", invoices={invoice_id: amount})
        world.settle(days=0.01)
    too_much = list(world.network.payments)[1]
    pretend(world, too_much, "60.00")
    Stream.objects.filter(pk=stream.pk).update(paused=False)
    world.settle(days=0.02)

    posts = Attempt.objects.filter(
        outcome="accepted", record_key__in=SyncRecord.objects.filter(stream=stream).values("record_key")
    )
    assert posts.count() == 1
    assert world.company.bills[bill_id]["Balance"] == Decimal("40.00")


def test_an_executed_payment_whose_amount_changes_is_held_and_the_posting_left_alone() -> None:
    world = begin()
    bill_id, invoice_id = approved(world)
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice_id: "40.00"})
    world.settle()
    world.person(world.avidxchange, "advance_payment", payment_id=payment_id, to="issued")
    world.settle()
    pretend(world, payment_id, "70.00")
    world.settle()

    [posted] = world.quickbooks.payments_of_bill(REALM, bill_id)
    assert posted["TotalAmt"] == Decimal("40.00")
    assert payment_record().code == "applications_changed"


def pretend(world: World, payment_id: str, amount: str) -> None:
    """The network says another amount from now on, and everything is read again."""
    payment = world.network.payments[payment_id]
    part = {**payment["applications"][0], "gross_amount": Decimal(amount), "net_amount": Decimal(amount)}
    world.network.payments.change(payment, {"amount": Decimal(amount), "applications": [part]}, world.clock.now())
    for feed in Feed.objects.all():
        read_in_full(feed=feed, by="olivia", now=world.clock.now())
    world.settle(days=0.01)


def test_what_cannot_be_checked_is_asked_for_ever_more_rarely_and_then_told() -> None:
    world = begin()
    _, invoice_id = approved(world)
    asked: list[str] = []
    inner = world.wire

    class Refusing(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.read()
            if "CreateTime" in str(request.url):
                asked.append(str(request.url))
                return httpx.Response(503, json={})
            return inner.handle_request(request)

    world.wire = Refusing()
    world.person(world.avidxchange, "pay", invoices={invoice_id: None})
    world.settle(days=0.1)

    assert 0 < len(asked) < 200
    assert Problem.objects.filter(code="tried_too_often", resolved_at=None).exists()


def test_a_provider_that_answers_slower_than_a_lease_is_read_all_the_same() -> None:
    world = begin()
    for number in range(3):
        world.person(world.quickbooks, "create_vendor", name=f"Vendor {number}", BillAddr=ADDRESS)
    world.wire = Slow(world)
    slices: list[tuple[str, int, Any]] = world.wire.slices
    for _ in range(400):
        if not slices:
            world.wire.tick()
            world.clock.advance(timedelta(seconds=1))
            continue
        what, row_id, steps = slices.pop(0)
        try:
            next(steps)
            slices.insert(0, (what, row_id, steps))
        except StopIteration:
            pass
        except LeaseLost:
            lost(Feed if what == "feed" else Stream, row_id)

    assert RemoteRecord.objects.filter(kind="vendor").count() == 3


class Slow(httpx.BaseTransport):
    """Every answer takes twelve seconds, and meanwhile a scheduler lets other workers begin what is due."""

    def __init__(self, world: World) -> None:
        self._world, self._inner = world, world.wire
        self.slices: list[tuple[str, int, Any]] = []

    def tick(self) -> None:
        def begin_slice(what: str, row_id: int) -> None:
            steps = self._world.steps(what, row_id)
            if next(steps, None) is not None:
                self.slices.append((what, row_id, steps))

        scheduler.tick(self._world.clock.now(), wake=begin_slice)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self._world.clock.advance(timedelta(seconds=10.2))
        self.tick()
        self._world.clock.advance(timedelta(seconds=1.8))
        return self._inner.handle_request(request)


def test_a_refresh_that_took_too_long_is_kept_while_nothing_newer_is() -> None:
    world = begin()
    connection = Connection.objects.get(pk=world.integration.erp_id)
    slow, other = StoredTokens.of(connection), StoredTokens.of(connection)
    now, generation = world.clock.now(), slow.load().generation
    assert slow.begin_refresh(generation, now=now, until=now + timedelta(seconds=75))
    later = now + timedelta(seconds=76)
    assert other.begin_refresh(generation, now=later, until=later + timedelta(seconds=75))

    slow.save(Tokens(access_token="new", refresh_token="the only living one", expires_in=3600), now=later)

    assert StoredTokens.of(connection).load().refresh_token == "the only living one"


def test_the_objection_counts_all_parts_of_a_payment_on_one_bill(one_payment_twice_on_a_bill: Any) -> None:
    payment, bills = one_payment_twice_on_a_bill
    found = objection(payment, bills, {})
    assert found is not None
    assert found.code == "recorded_by_hand"


@pytest.fixture
def one_payment_twice_on_a_bill() -> Any:
    from datetime import date

    from connectors.records import Application, Bill, Kind, Method, Payment, Phase, Ref

    vendor = Ref(Kind.VENDOR, "58")
    bill = Bill(
        id="1",
        number="B-1",
        vendor=vendor,
        date=date(2026, 3, 2),
        currency="USD",
        amount=Decimal(100),
        balance=Decimal(100),
    )
    part = Application(target=Ref(Kind.BILL, "1"), gross=Decimal(60), net=Decimal(60))
    payment = Payment(
        id="pay_1",
        vendor=vendor,
        amount=Decimal(120),
        currency="USD",
        method=Method.CHECK,
        phase=Phase.EXECUTED,
        applications=(part, part),
    )
    return payment, {"1": bill}
