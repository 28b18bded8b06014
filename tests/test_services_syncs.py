"""What people decide about deliveries: mappings, policies, sending again, ignoring, pausing, reading."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from audit.models import Event
from connectors.records import Kind
from syncs import services
from syncs.models import Attempt, Feed, Integration, Mapping, Policy, Problem, RemoteRecord, Stream, SyncRecord
from syncs.selectors import accounts_to_map
from syncs.states import State
from tests.simulation.world import ADDRESS, World, bank, begin

pytestmark = pytest.mark.django_db
WHO = {"by": "olivia", "why": "the controller said so"}


def map_account(world: World, target: str, subject: str = "funding_account", source: str = "*", **who: str) -> int:
    return services.set_mapping(
        integration=world.integration,
        subject=subject,
        source=source,
        target=target,
        now=world.clock.now(),
        **{**WHO, **who},
    ).released


def unmap(subject: str) -> None:
    Mapping.objects.filter(subject=subject).delete()


def bill_of(world: World, number: str = "INV-1", days: float = 1) -> str:
    """A vendor with a bill in the ERP, read and delivered."""
    vendor = world.person(world.quickbooks, "create_vendor", name=f"Vendor of {number}", BillAddr=ADDRESS)
    bill = world.person(
        world.quickbooks,
        "create_bill",
        vendor_id=vendor["Id"],
        lines=[["8", "120.50"]],
        DocNumber=number,
        TxnDate="2026-03-02",
    )
    world.settle(days=days)
    return str(bill["Id"])


def held_payment(world: World) -> SyncRecord:
    """A payment that is held because no bank account is mapped for it."""
    unmap("funding_account")
    bill_of(world)
    [invoice] = world.network.invoices.values()
    world.person(world.avidxchange, "approve_invoice", invoice_id=invoice["id"])
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice["id"]: None})
    world.person(world.avidxchange, "advance_payment", payment_id=payment_id, to="issued")
    world.settle()
    return SyncRecord.objects.get(stream__kind="payment")


def problem_of(record: SyncRecord) -> Problem:
    assert record.problem_id is not None
    return Problem.objects.get(pk=record.problem_id)


def delivery(number: str = "INV-1") -> SyncRecord:
    return SyncRecord.objects.get(stream__kind="bill", remote_record__number=number)


def test_mapping_an_account_releases_what_waited_for_it_and_it_is_posted_under_a_new_key() -> None:
    world = begin()
    held = held_payment(world)
    assert (held.state, held.code) == (State.HELD, "unmapped_funding_account")
    assert map_account(world, bank(world, "Checking"), source="check") == 1
    released = SyncRecord.objects.get(pk=held.pk)
    assert (released.state, released.wanted, released.attempts) == (State.PENDING, held.wanted + 1, 0)
    world.settle()
    posted = SyncRecord.objects.get(pk=held.pk)
    assert posted.state == State.SYNCED
    assert problem_of(held).resolved_at is not None
    [payment] = world.company.bill_payments.values()
    assert payment["TotalAmt"] == Decimal("120.50")
    event = Event.objects.get(verb="mapping_changed")
    assert (event.actor, event.why) == ("olivia", "the controller said so")


def test_mapping_another_way_of_paying_releases_nothing() -> None:
    world = begin()
    held = held_payment(world)
    assert map_account(world, bank(world, "Checking"), source="ach") == 0
    assert SyncRecord.objects.get(pk=held.pk).state == State.HELD


def test_a_mapping_is_ended_and_never_changed() -> None:
    world = begin()
    world.settle()
    first, second = bank(world, "Checking"), bank(world, "Savings")
    began = world.clock.now()
    map_account(world, first, source="card")
    world.clock.advance(timedelta(days=1))
    map_account(world, second, source="card")
    rows = Mapping.objects.filter(source="card").order_by("valid_from").values_list("target", "valid_from", "valid_to")
    assert list(rows) == [(first, began, world.clock.now()), (second, world.clock.now(), None)]


def test_an_account_must_be_known_active_and_of_type_bank() -> None:
    world = begin()
    world.person(world.quickbooks, "deactivate", entity="Account", identity="36")
    world.settle()
    before = Mapping.objects.count()
    for target, sentence in (("999", "no account"), ("36", "inactive"), ("8", "type Bank"), ("41", "type Bank")):
        with pytest.raises(ValidationError) as error:
            map_account(world, target, subject="in_transit")
        assert sentence in error.value.message_dict["target"][0]
    assert Mapping.objects.count() == before
    assert not Event.objects.filter(verb="mapping_changed").exists()


def test_tax_is_booked_where_neither_money_nor_payables_are() -> None:
    world = begin()
    kinds = ("Other Current Asset", "Other Current Liability", "Expense", "Bank", "Credit Card", "Accounts Payable")
    accounts = {
        kind: world.person(world.quickbooks, "create_account", name=f"Tax {kind}", account_type=kind)["Id"]
        for kind in (*kinds, "Income")
    }
    world.settle()
    offered = {account.id for account in accounts_to_map(world.integration)}
    for kind in kinds[:3]:
        assert accounts[kind] in offered
        map_account(world, accounts[kind], subject="tax")
    for kind in (*kinds[3:], "Income"):
        with pytest.raises(ValidationError) as error:
            map_account(world, accounts[kind], subject="tax")
        assert "tax is booked" in error.value.message_dict["target"][0]
    map_account(world, accounts["Expense"], subject="discount")
    [tax] = Mapping.objects.filter(subject="tax", valid_to=None)
    assert tax.target == accounts["Expense"]


def test_bad_input_for_a_mapping_is_named_by_field() -> None:
    world = begin()
    world.settle()
    with pytest.raises(ValidationError) as error:
        map_account(world, bank(world, "Checking"), subject="in_transit", source="check", why=" ")
    assert set(error.value.message_dict) == {"source", "why"}
    with pytest.raises(ValidationError) as error:
        map_account(world, bank(world, "Checking"), subject="petty_cash")
    assert set(error.value.message_dict) == {"subject"}
    for subject in ("petty_cash", "code"):
        with pytest.raises(ValidationError) as error:
            map_account(world, "8", subject=subject)
        assert set(error.value.message_dict) == {"subject"}


def test_turning_pending_payments_off_releases_those_that_waited_for_the_account_in_transit() -> None:
    world = begin()
    unmap("in_transit")
    bill_of(world)
    [invoice] = world.network.invoices.values()
    world.person(world.avidxchange, "approve_invoice", invoice_id=invoice["id"])
    world.person(world.avidxchange, "pay", invoices={invoice["id"]: None})
    world.settle()
    assert SyncRecord.objects.get(stream__kind="payment").code == "unmapped_in_transit"
    decided = services.set_policy(
        integration=world.integration, key="pending_payments", value=False, now=world.clock.now(), **WHO
    )
    assert decided.released == 1
    world.settle()
    record = SyncRecord.objects.get(stream__kind="payment")
    assert (record.state, record.code) == (State.OUT_OF_SCOPE, "payment_not_executed")
    assert not Problem.objects.filter(resolved_at=None).exists()
    services.set_policy(integration=world.integration, key="pending_payments", value=True, now=world.clock.now(), **WHO)
    world.settle()
    assert SyncRecord.objects.get(stream__kind="payment").code == "unmapped_in_transit"
    assert Policy.objects.filter(valid_to=None).count() == 1


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("pending_payments", "maybe", "value"),
        ("currencies", [], "value"),
        ("currencies", ["dollars"], "value"),
        ("colour", True, "key"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(key: str, value: object, field: str) -> None:
    world = begin()
    with pytest.raises(ValidationError) as error:
        services.set_policy(integration=world.integration, key=key, value=value, now=world.clock.now(), **WHO)
    assert field in error.value.message_dict
    assert not Policy.objects.exists()


def test_only_what_is_held_can_be_sent_again() -> None:
    world = begin()
    bill_of(world)
    with pytest.raises(ValidationError, match="in step"):
        services.replay(sync_record=delivery(), now=world.clock.now(), **WHO)
    assert delivery().state == State.SYNCED


def test_what_is_sent_again_goes_out_under_another_request_key() -> None:
    world = begin()
    held = held_payment(world)
    # Somebody maps the account behind the product's back: only sending again by hand can help.
    Mapping.objects.create(
        tenant=world.tenant, integration=world.integration, subject="funding_account", source="*",
        target=bank(world, "Checking"), valid_from=world.clock.now(), changed_by="test", why="test",
    )  # fmt: skip
    with pytest.raises(ValidationError):
        services.replay(sync_record=held, by="olivia", why="", now=world.clock.now())
    services.replay(sync_record=held, now=world.clock.now(), **WHO)
    world.settle()
    assert SyncRecord.objects.get(pk=held.pk).state == State.SYNCED
    assert Attempt.objects.get(sync_record_id=held.pk).revision == held.wanted + 1
    assert Event.objects.get(verb="record_replayed").why == WHO["why"]


def test_an_ignored_record_is_never_sent_whatever_changes_until_somebody_stops_ignoring_it() -> None:
    world = begin()
    held = held_payment(world)
    services.ignore(sync_record=held, now=world.clock.now(), **WHO)
    ignored = SyncRecord.objects.get(pk=held.pk)
    assert (ignored.state, ignored.problem_id) == (State.IGNORED, None)
    assert "olivia" in ignored.reason
    assert problem_of(held).resolved_at is not None
    map_account(world, bank(world, "Checking"))
    world.settle()
    assert not world.company.bill_payments
    services.stop_ignoring(sync_record=ignored, now=world.clock.now(), **WHO)
    world.settle()
    assert len(world.company.bill_payments) == 1


@pytest.mark.parametrize("state", [State.SENDING, State.IN_DOUBT])
def test_what_may_be_on_its_way_cannot_be_ignored(state: State) -> None:
    world = begin()
    bill_of(world)
    SyncRecord.objects.filter(pk=delivery().pk).update(state=state)
    with pytest.raises(ValidationError, match="wait until"):
        services.ignore(sync_record=delivery(), now=world.clock.now(), **WHO)
    assert delivery().state == state


def test_a_bill_whose_vendor_is_ignored_is_held_with_that_reason_and_goes_on_when_it_no_longer_is() -> None:
    world = begin()
    vendor = world.person(world.quickbooks, "create_vendor", name="Acme Paper", BillAddr=ADDRESS)
    Stream.objects.filter(kind="vendor").update(paused=True)
    world.person(world.quickbooks, "create_bill", vendor_id=vendor["Id"], lines=[["8", "10.00"]], DocNumber="INV-1")
    world.settle(days=0.02)
    assert delivery().state == State.WAITING
    record = SyncRecord.objects.get(stream__kind="vendor", remote_record__name="Acme Paper")
    services.ignore(sync_record=record, now=world.clock.now(), **WHO)
    world.settle(days=0.02)
    assert (delivery().state, delivery().code) == (State.HELD, "reference_left_out")
    services.stop_ignoring(sync_record=record, now=world.clock.now(), **WHO)
    stream = Stream.objects.get(kind="vendor")
    services.resume(row=stream, now=world.clock.now(), **WHO)
    world.settle()
    assert delivery().state == State.SYNCED
    assert not Problem.objects.filter(resolved_at=None).exists()


def test_a_paused_stream_sends_nothing_until_it_is_resumed() -> None:
    world = begin()
    stream = Stream.objects.get(kind="bill")
    with pytest.raises(ValidationError):
        services.pause(row=stream, by="olivia", why="", now=world.clock.now())
    services.pause(row=stream, now=world.clock.now(), **WHO)
    bill_of(world, days=0.02)
    assert not world.network.invoices
    services.resume(row=stream, now=world.clock.now(), **WHO)
    world.settle()
    assert len(world.network.invoices) == 1
    assert set(Event.objects.filter(subject_kind="stream").values_list("verb", flat=True)) == {
        "stream_paused",
        "stream_resumed",
    }


def test_reading_in_full_begins_a_new_sweep_and_reading_now_does_not() -> None:
    world = begin()
    world.settle()
    feed = Feed.objects.get(connection=world.integration.erp)
    later = world.clock.now() - timedelta(seconds=1)
    services.read_now(feed=feed, by="olivia", now=later)
    world.work()
    assert Feed.objects.get(pk=feed.pk).sweep == feed.sweep
    services.read_in_full(feed=feed, by="olivia", now=world.clock.now())
    world.settle()
    assert Feed.objects.get(pk=feed.pk).sweep == feed.sweep + 1
    assert RemoteRecord.objects.filter(connection=world.integration.erp, kind=Kind.ACCOUNT).exists()


def test_a_stopped_integration_delivers_nothing() -> None:
    world = begin()
    services.deactivate(integration=world.integration, now=world.clock.now(), **WHO)
    bill_of(world, days=0.02)
    assert not world.network.invoices
    assert not Integration.objects.get().active
