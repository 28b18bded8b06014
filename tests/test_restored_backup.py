"""A database restored from a backup, and companies connected anew: nothing is posted, sent or forgotten twice."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from connectors.models import Connection, Tenant
from connectors.simulators import Request, Response
from syncs.integrations import activate, pair
from syncs.models import Application, Attempt, Feed, Integration, RemoteRecord, Stream, SyncRecord
from syncs.states import State
from tests.payables import (
    BILLS,
    PAYMENT_POST,
    approve,
    attempts,
    balance,
    deliver,
    edit_bill,
    execute,
    invoice,
    of_bill,
    of_payment,
    open_problems,
    postings,
    read,
    requests,
    run_until,
    verbs,
    with_bill,
    with_payment,
    with_posting,
    worker,
)
from tests.simulation.world import REALM, World, begin, sign_in

pytestmark = pytest.mark.django_db


def restore_backup(world: World, *kinds: str) -> None:
    """Our rows are as they were before anything of these kinds was seen: an hour-old database."""
    records = SyncRecord.objects.filter(stream__kind__in=kinds)
    Attempt.objects.filter(sync_record_id__in=list(records.values_list("pk", flat=True))).update(sync_record_id=0)
    records.delete()
    Application.objects.filter(payment__kind__in=kinds).delete()
    RemoteRecord.objects.filter(kind__in=kinds).delete()
    Feed.objects.update(full_after=None, stage="", cursor={}, changes_cursor={}, due_at=world.clock.now())


def test_a_restored_backup_finds_the_posted_payment_and_posts_nothing_again() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    [posted] = postings(world, bill_id)
    sent = requests(world.quickbooks, PAYMENT_POST)
    restore_backup(world, "payment")
    world.settle(days=1)
    assert [one["Id"] for one in postings(world, bill_id)] == [posted["Id"]]
    assert requests(world.quickbooks, PAYMENT_POST) <= sent + 1  # found, then brought to what is wanted
    assert (of_payment(payment_id).state, of_payment(payment_id).target_id) == (State.SYNCED, posted["Id"])
    assert "delivery_found" in verbs(of_payment(payment_id))
    assert len(world.company.bill_payments) == 1


def test_a_backup_restored_to_before_everything_doubles_nothing_on_either_side() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    restore_backup(world, "payment", "bill", "vendor", "account")
    world.settle(days=1)
    assert (len(world.network.invoices), len(world.network.vendors)) == (1, 1)
    assert len(world.company.bill_payments) == 1
    assert len(postings(world, bill_id)) == 1


def test_a_payment_taken_back_while_the_database_was_lost_is_not_left_standing() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    restore_backup(world, "payment")
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.clock.advance(timedelta(minutes=10))
    world.settle(days=1)
    assert postings(world, bill_id) == []
    assert balance(world, bill_id) == "120.50"
    assert (of_payment(payment_id).state, open_problems()) == (State.SYNCED, [])


def test_a_restored_backup_does_not_take_its_own_posting_for_somebody_elses() -> None:
    world, bill_id, payment_id = with_posting()
    restore_backup(world, "payment")
    Stream.objects.filter(kind="payment").update(paused=True)
    edit_bill(world, bill_id, PrivateNote="looked at")
    world.settle(days=1)
    assert of_bill().remote_record.balance_minor == 0
    Stream.objects.filter(kind="payment").update(paused=False)
    world.settle(days=1)
    assert (of_bill().state, invoice(world)["workflow_status"]) == (State.SYNCED, "approved")
    assert open_problems() == []


def test_connecting_the_same_company_anew_keeps_every_key() -> None:
    world, bill_id, payment_id = with_posting()
    before = (of_bill().record_key, of_payment(payment_id).record_key)
    world.person(world.quickbooks, "disconnect")
    execute(world, payment_id)
    world.settle(days=1)
    assert Connection.objects.get(provider="quickbooks").status == Connection.Status.ATTENTION
    sign_in(world)
    restore_backup(world, "payment")
    world.settle(days=1)
    assert (of_bill().record_key, of_payment(payment_id).record_key) == before
    [posted] = postings(world, bill_id)
    assert not posted["DocNumber"].startswith("PND-")
    assert len(world.network.invoices) == 1


def test_a_company_belongs_to_one_active_integration() -> None:
    world = begin()
    other = Connection.objects.create(
        tenant=world.tenant, app=world.integration.ap_network.app, provider="avidxchange", environment="simulated",
        account_id="company-2", status=Connection.Status.CONNECTED,
    )  # fmt: skip
    second = pair(erp=world.integration.erp, ap_network=other, by="test", now=world.clock.now())
    with pytest.raises(ValidationError, match="already belongs to another active integration"):
        activate(second, by="test", why="try", now=world.clock.now())
    assert Integration.objects.filter(active=True).count() == 1


def test_a_company_cannot_be_connected_twice_even_by_another_tenant() -> None:
    world = begin()
    stranger = Tenant.objects.create(name="Somebody else")
    again = Connection(
        tenant=stranger, app=world.integration.erp.app, provider="quickbooks", environment="simulated", account_id=REALM
    )
    with pytest.raises(ValidationError, match="already connected"):
        again.validate_constraints()


def test_a_change_of_a_bill_is_not_lost_with_the_doubt_about_its_balance() -> None:
    world, bill_id, payment_id = with_posting()
    restore_backup(world, "payment")
    Stream.objects.filter(kind="payment").update(paused=True)
    edit_bill(world, bill_id, DueDate="2026-04-30")
    world.settle(days=1)
    assert (of_bill().state, of_bill().code) == (State.HELD, "bill_being_paid")
    assert len(open_problems()) == 1


def test_what_stands_at_the_network_since_before_the_backup_is_not_taken_for_what_was_lost_now() -> None:
    world, bill_id = with_bill()
    restore_backup(world, "bill")
    edit_bill(world, bill_id, DueDate="2026-04-30")
    world.avidxchange.fault(BILLS, lose)
    world.settle(days=1)
    assert [attempt.outcome for attempt in attempts(of_bill())] == ["absent", "accepted"]
    assert invoice(world)["due_date"].isoformat() == "2026-04-30"
    assert len(world.network.invoices) == 1


def test_a_forgotten_bill_that_stands_as_it_is_is_linked_and_not_sent_again() -> None:
    world, bill_id = with_bill()
    approve(world)
    world.settle(days=1)
    sent = requests(world.avidxchange, BILLS)
    restore_backup(world, "bill")
    read(world, "avidxchange")
    world.settle(days=1)
    assert (of_bill().state, of_bill().target_id) == (State.SYNCED, invoice(world)["id"])
    assert (requests(world.avidxchange, BILLS), open_problems()) == (sent, [])


def test_a_forgotten_bill_that_was_deleted_meanwhile_is_withdrawn_and_not_left_out() -> None:
    world, bill_id = with_bill()
    restore_backup(world, "bill")
    read(world)
    world.person(world.quickbooks, "delete_bill", bill_id=bill_id)
    read(world)
    deliver(world, "bill")
    assert (of_bill().state, of_bill().code) == (State.OUT_OF_SCOPE, "gone_before_sent")
    world.settle(days=1)
    assert (of_bill().state, invoice(world)["workflow_status"]) == (State.SYNCED, "cancelled")


def test_a_forgotten_bill_that_was_paid_by_hand_meanwhile_is_stopped_and_not_paid_again() -> None:
    world, bill_id = with_bill()
    approve(world)
    restore_backup(world, "bill")
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    world.settle(days=1)
    assert (of_bill().state, invoice(world)["workflow_status"]) == (State.SYNCED, "cancelled")


def test_a_payment_that_is_read_before_its_forgotten_bill_is_posted_once_the_bill_is_known() -> None:
    world, bill_id, payment_id = with_payment()
    world.clock.advance(timedelta(minutes=10))
    restore_backup(world, "payment", "bill")
    read(world, "avidxchange")
    deliver(world, "payment")
    assert (of_payment(payment_id).state, of_payment(payment_id).code) == (State.HELD, "reference_unknown")
    world.settle(days=1)
    assert (of_payment(payment_id).state, len(postings(world, bill_id))) == (State.SYNCED, 1)
    assert open_problems() == []


def test_a_payment_that_was_taken_back_and_is_read_before_its_forgotten_bill_is_voided_all_the_same() -> None:
    world, bill_id, payment_id = with_posting()
    execute(world, payment_id)
    world.settle(days=1)
    world.person(world.avidxchange, "stop_payment", payment_id=payment_id)
    world.clock.advance(timedelta(minutes=10))
    restore_backup(world, "payment", "bill")
    read(world, "avidxchange")
    deliver(world, "payment")
    assert of_payment(payment_id).state == State.OUT_OF_SCOPE
    world.settle(days=1)
    assert (postings(world, bill_id), balance(world, bill_id)) == ([], "120.50")
    assert of_payment(payment_id).state == State.SYNCED


def test_an_update_after_a_restored_backup_is_not_answered_with_what_was_answered_before() -> None:
    world, bill_id, payment_id = with_posting()
    [posted] = postings(world, bill_id)
    backup = transaction.savepoint()
    execute(world, payment_id)
    world.settle(days=1)
    [executed] = postings(world, bill_id)
    transaction.savepoint_rollback(backup)
    changes = {"DocNumber": posted["DocNumber"]}
    world.person(world.quickbooks, "edit", entity="BillPayment", identity=posted["Id"], changes=changes)
    world.settle(days=1)
    assert [one["DocNumber"] for one in postings(world, bill_id)] == [executed["DocNumber"]]
    assert of_payment(payment_id).state == State.SYNCED


def test_a_reference_that_came_after_a_forgotten_posting_is_brought_to_it_although_its_worker_died() -> None:
    world, bill_id, payment_id = with_payment()
    backup = transaction.savepoint()
    late = {"to": "issued", "without_reference": True}
    world.person(world.avidxchange, "advance_payment", payment_id=payment_id, **late)
    world.settle(days=1)
    assert [one["DocNumber"][:6] for one in postings(world, bill_id)] == ["NOREF-"]
    transaction.savepoint_rollback(backup)
    world.person(world.avidxchange, "give_reference", payment_id=payment_id)
    world.clock.advance(timedelta(minutes=10))
    read(world, "avidxchange")
    run_until(worker(world, "payment"), "claimed")
    world.settle(days=1)
    reference = world.network.payments[payment_id]["check_number"]
    assert [one["DocNumber"] for one in postings(world, bill_id)] == [reference]
    assert "delivery_found" in verbs(of_payment(payment_id))


def lose(request: Request, proceed: Callable[[], Response]) -> Response:
    raise httpx.ReadTimeout("no answer")
