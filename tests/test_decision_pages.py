"""Pages on which a person links, has posted anyway, or leaves what is held: from the problem to the act and back."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from syncs.models import Decision, Problem, SyncRecord
from syncs.states import State
from tests.connecting import staff
from tests.payables import of_payment, open_problems, postings, with_payment
from tests.populated import share_time, story_of
from tests.simulation.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(client: Client, settings: Settings, tmp_path: Path) -> tuple[World, str, str]:
    """A payment that is held, since somebody has paid the bill by hand: the world, the payment, and the bill."""
    client.force_login(staff())
    world, bill_id, payment_id = with_payment()
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    world.settle(days=1)
    share_time(world, settings, tmp_path)
    return world, payment_id, bill_id


def shown(client: Client, address: str) -> str:
    page = client.get(address)
    assert page.status_code == 200, address
    return page.content.decode()


def address_of(record: SyncRecord, act: str) -> str:
    return reverse(f"admin:syncs_syncrecord_{act}", args=[record.pk])


def page_of_problem(client: Client, record: SyncRecord) -> str:
    return shown(client, reverse("admin:syncs_problem_change", args=[record.problem_id]))


def hidden(text: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="(seen|confirms)" value="([^"]*)"', text)
    return dict(fields)


def test_from_the_problem_to_the_link_both_payments_are_shown_and_nothing_is_written(
    client: Client, paid: tuple[World, str, str]
) -> None:
    world, payment_id, bill_id = paid
    record = of_payment(payment_id)
    assert address_of(record, "link") in page_of_problem(client, record)
    text = shown(client, address_of(record, "link"))
    [by_hand] = postings(world, bill_id)
    assert text.count("120.50 USD") >= 3
    assert "QuickBooks Online: payment" in text
    assert "AvidXchange: payment" in text
    unsaid = client.post(address_of(record, "link"), {"target_id": by_hand["Id"], "why": ""})
    assert (unsaid.status_code, of_payment(payment_id).state) == (200, State.HELD)
    done = client.post(address_of(record, "link"), {"target_id": by_hand["Id"], "why": "one and the same"}, follow=True)
    assert "never touched" in done.content.decode()
    assert (of_payment(payment_id).state, of_payment(payment_id).target_id) == (State.SYNCED, by_hand["Id"])
    again = client.post(address_of(record, "link"), {"target_id": by_hand["Id"], "why": "once more"})
    assert "Only what is held can be linked" in again.content.decode()
    assert Decision.objects.count() == 1
    assert "one and the same" in shown(client, reverse("admin:syncs_syncrecord_change", args=[record.pk]))
    assert "linked to what stands in QuickBooks Online" in shown(client, f"/bills/{story_of('INV-1')}/")


def test_posting_anyway_takes_two_persons_and_what_each_of_them_saw(
    client: Client, paid: tuple[World, str, str]
) -> None:
    _, payment_id, _ = paid
    record = of_payment(payment_id)
    address = address_of(record, "post_anyway")
    first = hidden(shown(client, address))
    client.post(address, {**first, "why": "another one"})
    assert Decision.objects.get().confirmed_at is None
    same = client.post(address, {**hidden(shown(client, address)), "why": "I insist"})
    assert "somebody else has to confirm" in same.content.decode()
    client.force_login(User.objects.create_user("peter", is_staff=True))
    asks_too = client.post(address, {**first, "why": "I did not see that somebody had asked"})
    assert "has asked for it already" in asks_too.content.decode()
    assert "Confirm that it is posted anyway" in page_of_problem(client, record)
    text = shown(client, address)
    assert "another one" in text
    client.post(address, {**hidden(text), "why": "I have seen both"})
    assert Decision.objects.get().confirmed_by == "peter"
    assert of_payment(payment_id).state == State.PENDING


def test_a_problem_is_left_from_its_page_and_says_who_left_it_and_why(
    client: Client, paid: tuple[World, str, str]
) -> None:
    _, payment_id, _ = paid
    record = of_payment(payment_id)
    address = reverse("admin:syncs_problem_leave", args=[record.problem_id])
    assert address in page_of_problem(client, record)
    done = client.post(address, {"why": "the vendor sorts it out"}, follow=True).content.decode()
    assert "the vendor sorts it out" in done
    assert address not in done
    assert "already, by" in client.post(address, {"why": "again"}).content.decode()
    listed = shown(client, f"{reverse('admin:syncs_problem_changelist')}?left_at__isempty=0")
    assert record.problem is not None
    assert record.problem.headline in listed
    assert record.problem in open_problems()
    assert "left as it is by" in shown(client, f"/bills/{story_of('INV-1')}/")


def test_the_problem_of_a_rejected_invoice_leads_to_the_story_of_its_bill(
    client: Client, paid: tuple[World, str, str]
) -> None:
    world, _, _ = paid
    vendor = next(iter(world.company.vendors))
    world.person(world.quickbooks, "create_bill", vendor_id=vendor, lines=[["8", "75.00"]], DocNumber="INV-2")
    world.settle(days=1)
    [invoice] = [one for one in world.network.invoices.values() if one["invoice_number"] == "INV-2"]
    for act in ("put_in_workflow", "reject_invoice"):
        world.person(world.avidxchange, act, invoice_id=invoice["id"])
    world.settle(days=1)
    problem = Problem.objects.get(code="invoice_rejected")
    text = shown(client, reverse("admin:syncs_problem_change", args=[problem.pk]))
    assert "75.00 USD" in text
    assert "Story of its bill" in text
    link = re.search(r'href="(/bills/\d+/)"', text)
    assert link is not None
    story = client.get(link[1], follow=True).content.decode()
    assert "INV-2" in story
    assert "Not ours" in story
