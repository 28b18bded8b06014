"""A few histories under faults, and what their rules notice; the many run in a step of their own."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.payables import postings
from tests.scenarios.test_closed_books import executed_in_closed_month, journal
from tests.simulation import postings as rules
from tests.simulation.history import History
from tests.simulation.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", range(6))
def test_a_history_with_faults_keeps_every_promise(seed: int) -> None:
    assert History(seed).run() == []


def broken(world: World) -> list[str]:
    return [sentence for tell in (rules.payments, rules.entries) for sentence in tell(world)]


def stand_twice(world: World, entry: dict[str, Any], posted: dict[str, Any]) -> None:
    world.company.tables["JournalEntry"].rows["99"] = {**entry, "Id": "99"}


def move_another_amount(world: World, entry: dict[str, Any], posted: dict[str, Any]) -> None:
    entry["Line"][1]["Amount"] -= 1


def move_it_back(world: World, entry: dict[str, Any], posted: dict[str, Any]) -> None:
    for line, side in zip(entry["Line"], ("Credit", "Debit"), strict=True):
        line["JournalEntryLineDetail"]["PostingType"] = side


def stand_on_another_day(world: World, entry: dict[str, Any], posted: dict[str, Any]) -> None:
    entry["TxnDate"] = "2026-04-20"


def forget_the_reference(world: World, entry: dict[str, Any], posted: dict[str, Any]) -> None:
    entry["PrivateNote"] = entry["PrivateNote"].replace("reference", "number")


def pay_from_the_bank_as_well(world: World, entry: dict[str, Any], posted: dict[str, Any]) -> None:
    posted["CheckPayment"]["BankAccountRef"]["name"] = "Checking"


def be_posted_as_executed_as_well(world: World, entry: dict[str, Any], posted: dict[str, Any]) -> None:
    posted["DocNumber"] = "1001"


def stand_in_open_books(world: World, entry: dict[str, Any], posted: dict[str, Any]) -> None:
    world.closings.clear()


def outlive_its_payment(world: World, entry: dict[str, Any], posted: dict[str, Any]) -> None:
    del world.company.bill_payments[posted["Id"]]


@pytest.mark.parametrize(
    "go_wrong",
    [
        stand_twice,
        move_another_amount,
        move_it_back,
        stand_on_another_day,
        forget_the_reference,
        pay_from_the_bank_as_well,
        be_posted_as_executed_as_well,
        stand_in_open_books,
        outlive_its_payment,
    ],
)
def test_the_rules_know_a_payment_that_an_entry_executes_and_notice_what_is_wrong_with_it(
    go_wrong: Callable[[World, dict[str, Any], dict[str, Any]], None],
) -> None:
    world, bill_id, _ = executed_in_closed_month()
    world.closings.append("2026-03-31")
    assert broken(world) == []
    [entry], [posted] = journal(world), postings(world, bill_id)
    go_wrong(world, entry, posted)
    assert broken(world) != []
