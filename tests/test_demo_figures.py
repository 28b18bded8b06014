"""The demo's figures notice what is planted in the books."""

from dataclasses import replace
from decimal import Decimal

from mlconnector.demo.figures import (
    Books,
    ErpBill,
    ErpPayment,
    Explained,
    Figures,
    NetworkBill,
    NetworkPayment,
    complaints,
    figures,
    lost,
)

HUNDRED, FORTY = Decimal("100.00"), Decimal("40.00")


def erp_bill(number: int, amount: Decimal = HUNDRED) -> ErpBill:
    return ErpBill(id=str(number), mark=f"bill {number}", amount=amount)


def network_bill(number: int, amount: Decimal = HUNDRED, *, approved: bool = True) -> NetworkBill:
    return NetworkBill(mark=f"bill {number}", amount=amount, approved=approved)


def paid(number: int, phase: str, *bills: int) -> NetworkPayment:
    parts = {f"bill {bill}": HUNDRED for bill in bills}
    return NetworkPayment(id=str(number), mark=f"payment {number}", phase=phase, parts=parts)


def posted(number: int, *bills: int) -> ErpPayment:
    return ErpPayment(id=f"9{number}", mark=f"payment {number}", parts={str(bill): HUNDRED for bill in bills})


# Six bills: three paid (two by one check), one in approval, one held, one out of scope; a payment was taken back.
SOUND = Books(
    vendors_in_network=3,
    erp_bills=[erp_bill(number) for number in range(1, 7)],
    network_bills=[*(network_bill(number) for number in (1, 2, 3)), network_bill(4, approved=False)],
    network_payments=[paid(1, "executed", 1, 2), paid(2, "reversed", 3), paid(3, "pending", 3), paid(4, "none", 1)],
    erp_payments=[posted(1, 1, 2), posted(3, 3)],
    explained=Explained(bills_held={"bill 5": "partly_settled"}, bills_out_of_scope={"bill 6": "currency_not_paid"}),
)


def of(**changed: object) -> Figures:
    return figures(replace(SOUND, **changed))  # type: ignore[arg-type]


def test_books_that_agree_give_these_figures_and_no_complaint() -> None:
    assert figures(SOUND) == {
        "vendors_in_ap": 3,
        "bills_in_erp": 6,
        "bills_in_ap": 4,
        "payments_pending": 1,
        "payments_executed": 1,
        "payments_reversed": 1,
        "payments_posted_in_erp": 2,
        "duplicates": 0,
        "lost": 0,
        "amount_difference": Decimal("0.00"),
        "bills_held": {"partly_settled": 1},
        "payments_held": {},
        "payments_ignored": {},
        "out_of_scope": {"currency_not_paid": 1},
        "credits_in_erp": 0,
        "credits_in_ap": 0,
        "credits_held": {},
        "credits_out_of_scope": {},
        "orders_in_ap": 0,
        "images_in_ap": 0,
        "amounts_held": {"partly_settled": {"USD": HUNDRED}},
        "amounts_out_of_scope": {"currency_not_paid": {"USD": HUNDRED}},
        "amounts_of_payments_held": {},
    }
    assert complaints(figures(SOUND)) == []
    assert lost(SOUND) == []


def test_an_executed_payment_without_a_posting_is_lost() -> None:
    found = of(erp_payments=[posted(3, 3)])
    assert (found["lost"], found["payments_posted_in_erp"]) == (1, 1)
    assert complaints(found) == ["1 bills or payments were lost"]


def test_a_payment_that_is_held_is_not_lost() -> None:
    explained = replace(SOUND.explained, payments_held={"payment 1": "recorded_by_hand"})
    found = of(erp_payments=[posted(3, 3)], explained=explained)
    assert (found["lost"], found["payments_held"], complaints(found)) == (0, {"recorded_by_hand": 1}, [])


def test_a_payment_that_somebody_ignores_is_not_lost_and_listed_with_the_reason() -> None:
    explained = replace(SOUND.explained, payments_ignored={"payment 1": "Ignored by olivia: paid by wire"})
    found = of(erp_payments=[posted(3, 3)], explained=explained)
    assert (found["lost"], complaints(found)) == (0, [])
    assert found["payments_ignored"] == {"Ignored by olivia: paid by wire": 1}


def test_a_second_posting_of_a_payment_is_a_duplicate_for_each_of_its_bills() -> None:
    found = of(erp_payments=[*SOUND.erp_payments, replace(posted(1, 1, 2), id="99")])
    assert found["duplicates"] == 2
    assert found["amount_difference"] == 2 * HUNDRED
    assert len(complaints(found)) == 2


def test_a_posting_of_another_amount_is_a_difference() -> None:
    found = of(erp_payments=[replace(posted(1, 1, 2), parts={"1": HUNDRED, "2": FORTY}), posted(3, 3)])
    assert found["amount_difference"] == HUNDRED - FORTY
    assert complaints(found) == ["amounts differ by 60.00"]


def test_a_posting_on_the_wrong_bill_differs_on_both_bills() -> None:
    assert of(erp_payments=[posted(1, 1, 2), posted(3, 4)])["amount_difference"] == 2 * HUNDRED


def test_a_posting_of_a_payment_that_was_taken_back_is_a_difference() -> None:
    assert of(erp_payments=[*SOUND.erp_payments, posted(2, 3)])["amount_difference"] == HUNDRED


def test_a_posting_for_no_payment_at_all_is_a_difference() -> None:
    assert of(erp_payments=[*SOUND.erp_payments, posted(77, 4)])["amount_difference"] == HUNDRED


def test_a_bill_that_has_not_arrived_and_is_not_explained_is_lost() -> None:
    found = of(network_bills=SOUND.network_bills[:3])
    assert found["lost"] == 1
    assert len(complaints(found)) == 2


def test_an_approved_bill_that_the_erp_does_not_have_is_lost() -> None:
    found = of(network_bills=[*SOUND.network_bills, network_bill(8)])
    assert found["lost"] == 1
    assert "6 bills in the ERP are not 5 at the network and 2 held or out of scope" in complaints(found)


def test_a_bill_of_another_amount_is_a_difference() -> None:
    assert of(erp_bills=[erp_bill(1, FORTY), *SOUND.erp_bills[1:]])["amount_difference"] == HUNDRED - FORTY


def test_what_is_explained_counts_only_while_the_bill_stands_in_the_erp_and_not_at_the_network() -> None:
    explained = Explained(
        bills_held={"bill 5": "partly_settled", "bill 1": "invoice_locked"},
        bills_out_of_scope={"bill 6": "currency_not_paid", "bill 9": "withdrawn"},
    )
    assert figures(SOUND) == of(explained=explained)


def test_each_bill_and_payment_that_is_lost_is_named() -> None:
    bills = [replace(erp_bill(4), number="INV-4"), *(bill for bill in SOUND.erp_bills if bill.id != "4")]
    books = replace(
        SOUND,
        erp_bills=bills,
        network_bills=[*SOUND.network_bills[:3], replace(network_bill(8), number="INV-8")],
        erp_payments=[posted(3, 3)],
    )
    assert lost(books) == [
        "bill INV-4 over 100.00 is in the ERP, but not at the network",
        "bill INV-8 over 100.00 is approved at the network, but not in the ERP",
        "payment 1 over 200.00 was executed, but is not in the ERP",
    ]
    assert figures(books)["lost"] == 3


def test_a_credit_that_a_payment_takes_along_is_compared_like_a_bill() -> None:
    credit = ErpBill(id="credit 7", mark="credit 7", amount=FORTY)
    copy = NetworkBill(mark="credit 7", amount=FORTY, approved=True)
    with_credit = replace(SOUND.network_payments[0], parts={"bill 1": HUNDRED, "bill 2": HUNDRED, "credit 7": -FORTY})
    taken = replace(posted(1, 1, 2), parts={"1": HUNDRED, "2": HUNDRED, "credit 7": -FORTY})
    changed = {
        "erp_credits": [credit],
        "network_credits": [copy],
        "network_payments": [with_credit, *SOUND.network_payments[1:]],
    }
    found = of(**changed, erp_payments=[taken, posted(3, 3)])
    assert (found["credits_in_ap"], found["amount_difference"], complaints(found)) == (1, 0, [])
    assert of(**changed)["amount_difference"] == FORTY
    assert complaints(of(erp_credits=[credit]))


def test_a_posting_whose_payment_came_back_is_no_difference_only_while_a_person_is_told_that_it_stands() -> None:
    standing = {"erp_payments": [*SOUND.erp_payments, posted(2, 3)]}
    told = replace(SOUND.explained, payments_held={"payment 2": "period_closed"})
    found = of(**standing, explained=told)
    assert (found["amount_difference"], found["payments_held"]) == (0, {"period_closed": 1})
    assert found["amounts_of_payments_held"] == {"period_closed": {"USD": HUNDRED}}
    assert of(**standing)["amount_difference"] == HUNDRED
