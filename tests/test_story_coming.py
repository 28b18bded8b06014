"""What a bill's story says has to be done next: by whom, and never what would pay a bill again."""

import pytest
from django.test import Client

from syncs import services
from syncs.models import Feed, RemoteRecord, Stream, SyncRecord
from tests.connecting import staff
from tests.payables import with_payment
from tests.populated import approve_and_pay, pay_by_hand_too, story_of
from tests.simulation.world import World
from tests.test_story import one_bill, story

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("act", "word"), [("void_payment", "voided"), ("delete_payment", "deleted")])
def test_a_check_that_cleared_is_not_to_be_paid_again_when_its_posting_was_taken_out_of_the_erp(
    act: str, word: str
) -> None:
    world = one_bill()
    payment = approve_and_pay(world, "INV-1")
    world.person(world.avidxchange, "advance_payment", payment_id=payment, to="cleared")
    world.settle()
    [posting] = world.company.bill_payments.values()
    if act == "delete_payment":
        RemoteRecord.objects.filter(kind="payment", remote_id=posting["Id"]).update(gone="deleted")
    else:
        world.person(world.quickbooks, act, payment_id=posting["Id"])
        world.settle()
    told = story(world, "INV-1")
    assert told.coming.tone == "bad"
    assert "The check 0004100231 has been paid and has cleared" in told.coming.words
    assert f"its posting was {word} in QuickBooks Online by somebody" in told.coming.words
    assert "do not pay the bill again" in told.coming.words
    assert "waits to be paid" not in told.coming.words


def test_the_rest_of_a_bill_is_told_only_where_the_network_has_a_rest_to_pay() -> None:
    world = one_bill()
    approve_and_pay(world, "INV-1")
    RemoteRecord.objects.filter(pk=story_of("INV-1")).update(balance_minor=112050)
    told = story(world, "INV-1")
    assert "waits to be paid" not in told.coming.words
    assert "do not pay it by hand" in told.coming.words


def ignored(world: World, kind: str, why: str) -> None:
    services.ignore(sync_record=SyncRecord.objects.get(stream__kind=kind), by="olivia", why=why, now=world.clock.now())


def test_a_bill_that_was_sent_and_is_ignored_still_stands_at_the_network_and_goes_on_there() -> None:
    world = one_bill()
    SyncRecord.objects.filter(stream__kind="bill").update(state="held", reason="Locked.")
    ignored(world, "bill", "we correct it there")
    words = story(world, "INV-1").coming.words
    assert "not sent" not in words.replace("not sent any more", "")
    assert "Changes of the bill are not sent any more; it stands at AvidXchange as it is." in words
    assert "Ignored by olivia: we correct it there" in words
    assert "approvers" in words


def test_a_bill_that_was_never_sent_and_is_ignored_is_told_as_not_sent() -> None:
    world = one_bill()
    SyncRecord.objects.filter(stream__kind="bill").update(state="held", target_id="", settled=0)
    ignored(world, "bill", "not ours")
    assert "The bill is not sent. Ignored by olivia: not ours" in story(world, "INV-1").coming.words


def test_a_bill_that_was_deleted_and_ignored_is_to_be_cancelled_at_the_network_by_hand() -> None:
    world = one_bill()
    SyncRecord.objects.filter(stream__kind="bill").update(state="held", reason="Locked.")
    ignored(world, "bill", "we know")
    world.person(world.quickbooks, "delete_bill", bill_id="1")
    world.settle()
    words = story(world, "INV-1").coming.words
    assert "it is taken back" not in words
    assert "Cancel it there" in words


def test_money_that_was_paid_twice_is_asked_back_also_when_only_the_payment_is_ignored() -> None:
    world = one_bill()
    payment = pay_by_hand_too(world, "INV-1")
    world.person(world.avidxchange, "advance_payment", payment_id=payment, to="cleared")
    world.settle()
    asked = "The check 0004100231 has cleared: ask the vendor to pay the money back"
    assert asked in story(world, "INV-1").coming.words
    ignored(world, "payment", "we look into it")
    told = story(world, "INV-1")
    assert asked in told.coming.words
    assert [problem.code for problem in told.coming.problems] == ["bill_being_paid"]
    assert told.coming.instead_of_remedies
    ignored(world, "bill", "both are one payment")
    assert asked not in story(world, "INV-1").coming.words


def test_a_remedy_that_came_too_late_is_not_shown(client: Client) -> None:
    world = one_bill()
    payment = pay_by_hand_too(world, "INV-1")
    client.force_login(staff())
    assert "Have the payment stopped" in client.get(f"/bills/{story_of('INV-1')}/").content.decode()
    world.person(world.avidxchange, "advance_payment", payment_id=payment, to="cleared")
    world.settle()
    page = client.get(f"/bills/{story_of('INV-1')}/").content.decode()
    assert "Have the payment stopped" not in page
    assert "ask the vendor to pay the money back" in page


@pytest.mark.parametrize(
    ("act", "said"),
    [
        ("hold_invoice", "On hold at AvidXchange: somebody there has to release it or reject it"),
        ("reject_invoice", "Rejected at AvidXchange (Not ours): it is not paid there"),
        ("fail_invoice", "Found unusable at AvidXchange: it is not paid there"),
    ],
)
def test_a_bill_that_was_stopped_at_the_network_says_who_has_to_do_what(act: str, said: str) -> None:
    world = one_bill()
    [invoice] = world.network.invoices
    if act == "hold_invoice":
        world.person(world.avidxchange, "put_in_workflow", invoice_id=invoice)
    if act == "reject_invoice":
        world.person(world.avidxchange, "put_in_workflow", invoice_id=invoice)
    world.person(world.avidxchange, act, invoice_id=invoice)
    world.settle()
    told = story(world, "INV-1")
    assert told.coming.tone == "warn"
    assert said in told.coming.words
    assert "approvers" not in told.coming.words or "goes to its approvers again" in told.coming.words
    assert "Somebody decides" not in told.coming.words
    if act != "hold_invoice":
        assert "Correct the bill in QuickBooks Online" in told.coming.words


def test_a_story_says_what_is_paused_by_whom_and_what_that_means() -> None:
    world, _, _ = with_payment()
    now = world.clock.now()
    payments, erp = Stream.objects.get(kind="payment"), Feed.objects.get(connection=world.integration.erp)
    network = Feed.objects.get(connection=world.integration.ap_network)
    for row in (payments, erp):
        services.pause(row=row, by="olivia", why="month end", now=now)
    world.settle(days=0.05)
    coming = story(world, "INV-1").coming
    assert "The delivery of payments is paused by olivia: month end." in coming.words
    assert (
        "Reading QuickBooks Online is paused by olivia: month end. What changes there is not noticed." in coming.words
    )
    services.resume(row=payments, by="olivia", why="done", now=world.clock.now())
    services.pause(row=network, by="olivia", why="month end", now=now)
    world.settle(days=0.05)
    assert "But reading there is paused by olivia" in story(world, "INV-1").coming.words
