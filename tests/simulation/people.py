"""Everybody who acts in a history, and who does what next."""

from collections.abc import Callable
from dataclasses import dataclass

from connectors.avidxchange.simulator_books import ActRefused
from connectors.quickbooks.simulator_faults import Refusal
from tests.simulation.clerks import Clerks
from tests.simulation.operators import Operators
from tests.simulation.payers import Payers
from tests.simulation.world import ADDRESS


@dataclass
class People(Clerks, Payers, Operators):
    """All of them."""

    def begin(self, vendors: int) -> None:
        """The books as they are found: vendors and accounts, and the first bills."""
        qb = self.world.quickbooks
        for number in range(vendors):
            self.world.person(qb, "create_vendor", name=f"Vendor {number}", BillAddr=ADDRESS)
        for name in ("Supplies", "Freight"):
            account = self.world.person(qb, "create_account", name=name, account_type="Expense")
            self.expenses.append(account["Id"])
        if self.features.tokens and not self.features.older:
            self.enter_new_tokens()
        if self.features.ap_accounts:
            for name in ("Payables of the shops", "Payables of the warehouse"):
                account = self.world.person(qb, "create_account", name=name, account_type="Accounts Payable")
                self.payables.append(account["Id"])
        self.class_id = self.world.person(qb, "create", entity="Class", body={"Name": "Retail"})["Id"]
        for _ in range(self.bills_left // 2):
            self.enter_a_bill()

    def act(self) -> str:
        """Somebody does one thing, whatever there is to be done; what it was."""
        acts = self._acts()
        for act in self.chance.sample(acts, len(acts)):
            try:
                if act():
                    return act.__name__.replace("_", " ")
            except (ActRefused, Refusal):
                continue
        return ""

    def _acts(self) -> list[Callable[[], bool]]:
        """What can be done in this history, the more often the more usual it is."""
        acts: list[Callable[[], bool]] = [
            *[self.enter_a_bill] * 2,
            *[self.approve] * 2,
            *[self.pay] * 3,
            *[self.advance] * 4,
            self.take_back,
            self.edit_a_bill,
            self.order_goods,
            self.bill_an_order,
            self.enter_a_credit,
            self.attach_a_file,
            self.delete_a_bill,
            self.pay_by_hand,
            self.void_a_posting,
            self.rename_a_vendor,
            self.disconnect,
        ]
        on, lists = self.features, [self.merge_vendors, self.switch_a_vendor, self.switch_an_account]
        lists += [self.delete_something, self.change_an_amount, self.replace_a_file]
        back = [*[self.go_back] * 2, self.give_a_reference, self.change_what_is_paid, self.stop_an_invoice]
        ours = [self.pause_or_resume, self.run_now, self.change_a_schedule, self.decide_on_pending_payments]
        ours += [self.send_again, self.leave_it, self.ignore_something, self.link_a_payment, self.post_anyway]
        further: list[tuple[bool, list[Callable[[], bool]]]] = [
            (on.discounts, [self.map_discounts]),
            (on.closed_books, [self.close_the_books, self.decide_on_closed_periods]),
            (on.ways_back, [*back, self.recode_an_invoice]),
            (on.operators, ours),
            (on.lists, lists),
        ]
        return [*acts, self.revoke_a_token, *(act for wanted, more in further if wanted for act in more)]
