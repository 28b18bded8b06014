"""The page of a problem: what is wrong, said once; the money in words; and what can be done, from there."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from syncs.models import Problem, SyncRecord
from syncs.states import State
from tests.connecting import staff
from tests.payables import release
from tests.populated import enter, pay_by_hand_too, populate, share_time, story_of
from tests.simulation.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(client: Client, settings: Settings, tmp_path: Path) -> World:
    """A held bill, a held payment, seen by somebody of staff."""
    client.force_login(staff())
    populated = populate()
    share_time(populated, settings, tmp_path)
    return populated


def page_of(client: Client, problem: Problem) -> str:
    page = client.get(reverse("admin:syncs_problem_change", args=[problem.pk]))
    assert page.status_code == 200
    return page.content.decode()


def words(text: str) -> str:
    """What is read on a page below its navigation."""
    main = text[text.index('aria-label="The problem"') :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", "", main, flags=re.DOTALL)))


def button(text: str, label: str) -> str:
    """Where a button leads to."""
    found = re.search(rf'href="([^"]+)"[^>]*>\s*{label}', text)
    assert found, label
    return found[1].replace("&amp;", "&")


def test_a_problem_says_everything_once_and_its_money_in_words(client: Client, world: World) -> None:
    problem = Problem.objects.get(code="partly_settled")
    shown = words(page_of(client, problem))
    assert "99.99 USD" in shown
    assert "{" not in shown
    for once in (problem.headline, problem.detail, problem.remedy, "What to do", "Who acts"):
        assert shown.count(once) == 1, once
    assert not re.search(r"\b(Remedy|Cause|Actor|Records|Money)\b(?! blocked)", shown)


def test_a_problem_does_not_repeat_what_the_provider_says_again() -> None:
    problem = Problem(cause="The vendor is inactive. The vendor is inactive. VENDOR_INACTIVE Since 1.5. It is so.")
    assert str(problem) == "The vendor is inactive."
    assert problem.detail == "VENDOR_INACTIVE Since 1.5. It is so."
    assert Problem(cause="No end").detail == ""


def test_a_held_bill_is_ignored_from_its_problem_and_its_money_is_released(client: Client, world: World) -> None:
    problem = Problem.objects.get(code="partly_settled")
    address = button(page_of(client, problem), "Ignore for good")
    assert "INV-4" in client.get(address).content.decode()
    assert SyncRecord.objects.get(problem=problem).state == State.HELD
    assert "required" in client.post(address, {"why": ""}).content.decode()
    said = client.post(address, {"why": "settled by card"}, follow=True)
    assert said.redirect_chain[-1][0] == reverse("admin:syncs_problem_change", args=[problem.pk])
    assert "done for 1 of 1" in said.content.decode()
    assert SyncRecord.objects.get(stream__kind="bill", remote_record__number="INV-4").state == State.IGNORED
    assert "resolved" in words(said.content.decode())


def test_a_payment_without_a_mapped_account_offers_the_mapping_and_sending_again(client: Client, world: World) -> None:
    problem = Problem.objects.get(code="unmapped_funding_account")
    text = page_of(client, problem)
    assert "Map an account" in client.get(button(text, "Map an account")).content.decode()
    client.post(button(text, "Send again"), {"why": "mapped by now"})
    assert SyncRecord.objects.get(problem=problem).state == State.PENDING
    assert "Send again …" not in page_of(client, problem)


def test_a_held_payment_leads_to_the_story_of_its_bill(client: Client, world: World) -> None:
    problem = Problem.objects.get(code="unmapped_funding_account")
    story = client.get(button(page_of(client, problem), "Story"), follow=True)
    assert story.redirect_chain[-1][0] == reverse("syncs:bill", args=[story_of("INV-2")])


def test_a_payment_recorded_by_hand_too_says_to_stop_the_check(client: Client, world: World) -> None:
    vendor = next(iter(world.company.vendors.values()))["Id"]
    enter(world, "INV-5", vendor, "12.00")
    world.settle()
    pay_by_hand_too(world, "INV-5")
    assert "stop the check" in words(page_of(client, Problem.objects.get(code="recorded_by_hand")))


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ("", "No record was chosen"),
        ("x", "“x” is no record&#x27;s number"),
        ("{held},x", "“x” is no record&#x27;s number"),
        ("{held},999999", "There is no record 999999"),
        ("-1", "“-1” is no record&#x27;s number"),
        ("9" * 40, "is no record&#x27;s number"),
        (",".join(map(str, range(1, 300))), "choose at most 200 at a time"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_ids_that_are_none_are_named_and_nothing_is_done(
    client: Client, world: World, ids: str, said: str, method: str
) -> None:
    held = SyncRecord.objects.get(code="partly_settled")
    address = f"{reverse('admin:syncs_syncrecord_decide', args=['ignore'])}?ids={ids.format(held=held.pk)}"
    page = getattr(client, method)(address, {"why": "x"} if method == "post" else {})
    assert page.status_code == 400
    assert said in page.content.decode()
    assert "INV-4" not in page.content.decode()
    assert SyncRecord.objects.get(pk=held.pk).state == State.HELD


def test_there_are_no_other_acts(client: Client, world: World) -> None:
    assert client.get(reverse("admin:syncs_syncrecord_decide", args=["delete"]) + "?ids=1").status_code == 404


def test_a_payment_that_stands_still_is_named_and_leads_to_the_story_of_its_bill(client: Client, world: World) -> None:
    vendor = next(iter(world.company.bills.values()))["VendorRef"]["value"]
    enter(world, "INV-9", vendor, "77.00")
    world.settle(days=1)
    payment_id = release(world, "INV-9")
    world.person(world.avidxchange, "fail_payment", payment_id=payment_id)
    world.settle(days=1)
    page = page_of(client, Problem.objects.get(code="payment_in_error"))
    shown = words(page)
    assert "77.00 USD" in shown
    assert "in error" in shown.partition("What stands still")[2]
    assert payment_id in shown.partition("What stands still")[2]
    story = client.get(button(page, "Story of its bill"), follow=True)
    assert (story.status_code, story.redirect_chain[-1][0]) == (200, f"/bills/{story_of('INV-9')}/")
