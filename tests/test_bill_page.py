"""A bill's page: its lines in words, what approvers coded beside them, and its files with where each stands."""

from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from msgspec.structs import replace

from connectors.records import Bill, Kind, Line, canonical, restore
from syncs.models import RemoteRecord
from syncs.story import Story, facts_of, tell
from tests.connecting import staff
from tests.payables import of_bill
from tests.scenarios.wholesaler import (
    OTHER_PDF,
    attach,
    bill_order,
    open_books,
    order,
    value,
)
from tests.simulation.world import World

pytestmark = pytest.mark.django_db


def told(world: World) -> Story:
    bill = RemoteRecord.objects.select_related("tenant", "connection__app").get(pk=of_bill().remote_record_id)
    return tell(facts_of(bill), now=world.clock.now(), address=lambda *asked: "")


def ordered_and_billed() -> tuple[World, Any]:
    """A bill of items for an order, with a department and classes."""
    world, books = open_books()
    ordered = order(world, books)
    world.settle(days=1)
    bill_id = bill_order(world, ordered["Id"], "INV-1", DepartmentRef=value(books.department))
    return world, bill_id


def test_lines_are_told_in_the_words_of_finance() -> None:
    world, _ = ordered_and_billed()
    world.settle(days=1)
    toner, delivery = told(world).lines.rows
    assert (toner.title, toner.quantity, toner.amount) == ("Toner", "10 × 12.50", "125.00")
    assert toner.account == "Stock"
    assert ("Class", "Wholesale") in toner.dimensions
    assert ("Department", "Berlin") in toner.dimensions
    assert toner.order == "PO-1, line 1"
    assert (delivery.title, delivery.account, delivery.order) == ("Delivery", "Freight", "PO-1, line 2")
    lines = told(world).lines
    assert (lines.total, lines.tax, lines.ties, lines.recoded) == ("140.00", "", True, 0)


def test_tax_is_told_as_tax_and_a_sum_that_is_not_the_bills_is_told() -> None:
    world, _ = ordered_and_billed()
    world.settle(days=1)
    facts = told(world).facts
    bill = restore(Kind.BILL, facts.bill.record.body)
    assert isinstance(bill, Bill)
    tax = Line(number=3, amount=Decimal("11.55"), description="Tax", is_tax=True)
    facts.bill.record.body = canonical(replace(bill, lines=(*bill.lines, tax))).decode()
    lines = tell(facts, now=world.clock.now(), address=lambda *asked: "").lines
    assert [(row.title, row.is_tax, row.amount) for row in lines.rows][-1] == ("Tax", True, "11.55")
    assert (lines.tax, lines.total, lines.ties) == ("11.55", "151.55", False)


def test_what_approvers_coded_stands_beside_the_line() -> None:
    world, _ = ordered_and_billed()
    world.settle(days=1)
    [invoice] = world.network.invoices.values()
    sales = next(one for one in world.network.gl_accounts.values() if one["name"] == "Sales")
    world.person(
        world.avidxchange, "recode_line", invoice_id=invoice["id"], line=1, account=sales["external_id"]
    )  # fmt: skip
    world.settle(days=1)
    toner, delivery = told(world).lines.rows
    assert toner.coded == ""
    assert "Sales" in delivery.coded
    assert delivery.account == "Freight"
    assert told(world).lines.recoded == 1


def test_files_are_told_with_where_they_stand_and_which_one_the_network_has() -> None:
    world, bill_id = ordered_and_billed()
    attach(world, "Bill", bill_id)
    world.settle(days=1)
    [file] = told(world).facts.files
    assert (file.name, file.type, file.size, file.there) == ("invoice.pdf", "PDF", "20 bytes", True)
    assert file.words == "Sent"
    attach(world, "Bill", bill_id, OTHER_PDF, "signed.pdf")
    world.settle(days=1)
    newer, older = told(world).facts.files
    assert (newer.name, newer.words, newer.there) == ("signed.pdf", "Sent", True)
    assert (older.name, older.there) == ("invoice.pdf", False)


def test_the_page_shows_lines_and_files_and_no_provider_is_asked(client: Client) -> None:
    world, bill_id = ordered_and_billed()
    attach(world, "Bill", bill_id)
    world.settle(days=1)
    client.force_login(staff())
    with CaptureQueriesContext(database) as captured:
        page = unescape(client.get(f"/bills/{of_bill().remote_record_id}/").content.decode())
    for words in ("Toner", "10 × 12.50", "Class: Wholesale", "Purchase order PO-1, line 1", "invoice.pdf", "140.00"):
        assert words in page
    assert "AvidXchange has this one" in page
    assert len(captured) <= 28
