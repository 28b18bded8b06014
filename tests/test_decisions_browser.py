"""The pages of decisions and of an invoice's status in a real browser: readable, and nothing is complained about."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django.fixtures import Settings

from tests.payables import enter_bill, invoice, of_payment, with_payment
from tests.populated import share_time, story_of
from tests.test_pages_browser import Seen, browser, seen

__all__ = ["browser", "seen"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_held_payment_is_linked_and_a_recoded_invoice_is_read(seen: Seen, settings: Settings, tmp_path: Path) -> None:
    world, bill_id, payment_id = with_payment()
    world.person(world.quickbooks, "pay_bill", bill_id=bill_id)
    enter_bill(world, next(iter(world.company.vendors)), "75.00", "INV-2")
    world.settle(days=1)
    invoice_id = str(invoice(world, "INV-2")["id"])
    other = list(world.network.gl_accounts.values())[-1]["external_id"]
    world.person(world.avidxchange, "put_in_workflow", invoice_id=invoice_id)
    world.person(world.avidxchange, "recode_line", invoice_id=invoice_id, line=0, account=other)
    world.settle(days=1)
    world.person(world.avidxchange, "reject_invoice", invoice_id=invoice_id, reason="Wrong cost centre")
    world.settle(days=1)
    share_time(world, settings, tmp_path)
    page, record = seen.page, of_payment(payment_id)
    seen.log_in()
    seen.go(f"/bills/{story_of('INV-2')}/")
    expect(page.locator("#invoice + section")).to_contain_text("Wrong cost centre")
    expect(page.locator("table.lines")).to_contain_text("75.00")
    page.locator("#invoice + section summary").click()
    seen.shot("invoice-rejected")
    page.set_viewport_size({"width": 390, "height": 844})
    seen.shot("invoice-rejected-phone")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    seen.go(f"/admin/syncs/problem/{record.problem_id}/change/")
    seen.shot("decide-problem")
    for name, path in {
        "decide-record": f"/admin/syncs/syncrecord/{record.pk}/change/",
        "decide-post": f"/admin/syncs/syncrecord/{record.pk}/post_anyway/",
        "decide-invoice": f"/admin/syncs/syncrecord/{record.pk}/link_invoice/",
        "decide-vendor": f"/admin/syncs/syncrecord/{record.pk}/link_vendor/",
        "decide-leave": f"/admin/syncs/problem/{record.problem_id}/leave/",
    }.items():
        seen.go(path)
        expect(page.locator("#content")).to_be_visible()
        seen.shot(name)
    seen.go(f"/admin/syncs/problem/{record.problem_id}/change/")
    page.get_by_role("link", name="Link to a payment that stands in the ERP").click()
    seen.shot("decide-link")
    page.get_by_label("Why").fill("one and the same")
    page.get_by_role("button", name="Link").click()
    expect(page.locator("#content")).to_contain_text("What people decided")
    seen.shot("decide-linked")
    assert of_payment(payment_id).code == "linked"
    assert seen.complaints == []
