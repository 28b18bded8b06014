"""What people do in QuickBooks itself, outside of the API: work in the books, and look after the company's settings.

A person sees what is there, so their acts name an object by its id and always act on its present value; a warning about
a repeated number does not stop them.
"""

from abc import abstractmethod
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from connectors.quickbooks.simulator_books import create, delete, update, void
from connectors.quickbooks.simulator_chart import open_company
from connectors.quickbooks.simulator_company import Act, Company
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_faults import Body
from connectors.quickbooks.simulator_oauth import SignIn
from connectors.quickbooks.simulator_seed import seed
from connectors.quickbooks.simulator_switches import Switches
from connectors.quickbooks.simulator_tokens import RegisteredApp, Tokens
from connectors.simulators import Simulator


class PeopleInQuickBooks(Simulator):
    """The acts of people: each `person_*` method is called by `person(...)` and replayed from the journal."""

    switches: Switches
    tokens: Tokens
    sign_in: SignIn
    companies: dict[str, Company]

    @abstractmethod
    def company(self, realm_id: str) -> Company:
        """One company's books."""

    def _act(self, realm_id: str) -> Act:
        return Act(
            company=self.company(realm_id),
            now=self.now(),
            switches=self.switches,
            may_repeat_numbers=True,
            by_person=True,
        )

    # Outside of any company.

    def person_register_app(self, client_id: str, client_secret: str, redirect_uris: list[str]) -> None:
        """A developer registers an app, or changes its secret and addresses."""
        self.tokens.apps[client_id] = RegisteredApp(client_id, client_secret, redirect_uris)

    def person_create_company(
        self,
        realm_id: str,
        name: str,
        home_currency: str = "USD",
        multicurrency: bool = False,
        country: str = "US",
        time_zone: str = "America/Los_Angeles",
        switched_on: Iterable[str] = ("WarnDuplicateCheckNumber",),
    ) -> Body:
        """An owner opens a company; what is switched on are names of its other preferences."""
        self.companies[realm_id] = open_company(
            realm_id,
            name,
            self.now(),
            home_currency=home_currency,
            multicurrency=multicurrency,
            country=country,
            zone=time_zone,
            switched_on=switched_on,
        )
        return self.companies[realm_id].info

    def person_consent_automatically(self, realm_id: str | None) -> None:
        """From now on the consent page chooses this company by itself; with None it asks again."""
        self.sign_in.consents_to = realm_id

    # Settings of a company.

    def person_disconnect(self, realm_id: str, client_id: str | None = None) -> None:
        """The owner disconnects an app, or all apps."""
        self.tokens.end(realm_id, client_id)

    def person_set_subscription(self, realm_id: str, status: str) -> None:
        """Intuit changes what the company may do: PAID, TRIAL, or anything else for ended."""
        self.company(realm_id).subscription = status

    def person_close_books(self, realm_id: str, through: str | None) -> None:
        """The accountant closes the books through a day, or opens them again."""
        preferences = self.company(realm_id).preferences["AccountingInfoPrefs"]
        preferences.pop("BookCloseDate", None)
        if through is not None:
            preferences["BookCloseDate"] = through

    def person_warn_of_repeated_numbers(self, realm_id: str, preference: str, on: bool) -> None:
        """The owner switches WarnDuplicateBillNumber or WarnDuplicateCheckNumber."""
        for entry in self.company(realm_id).preferences["OtherPrefs"]["NameValue"]:
            if entry["Name"].endswith(preference):
                entry["Value"] = str(on).lower()

    def person_set_exchange_rate(self, realm_id: str, currency: str, rate: str) -> None:
        """The company's rate of a currency from now on."""
        self.company(realm_id).rates[currency] = Decimal(rate)

    # Work in the books.

    def person_create(self, realm_id: str, entity: str, body: Body) -> Body:
        """Enter any object, written as the API would have it."""
        return create(self._act(realm_id), ENTITIES[entity], body)

    def person_edit(self, realm_id: str, entity: str, identity: str, changes: Body) -> Body:
        """Change some fields of any object."""
        old = self.company(realm_id).row(entity, identity)
        change = {**changes, "Id": identity, "SyncToken": old["SyncToken"], "sparse": True}
        return update(self._act(realm_id), ENTITIES[entity], change)

    def person_delete(self, realm_id: str, entity: str, identity: str) -> Body:
        """Delete a transaction."""
        return delete(self._act(realm_id), ENTITIES[entity], self.company(realm_id).row(entity, identity))

    def person_deactivate(self, realm_id: str, entity: str, identity: str) -> Body:
        """Make an object of a list inactive."""
        return self.person_edit(realm_id, entity, identity, {"Active": False})

    def person_create_vendor(self, realm_id: str, name: str, **fields: Any) -> Body:
        """Enter a vendor."""
        return self.person_create(realm_id, "Vendor", {"DisplayName": name, **fields})

    def person_create_account(self, realm_id: str, name: str, account_type: str, **fields: Any) -> Body:
        """Open an account."""
        return self.person_create(realm_id, "Account", {"Name": name, "AccountType": account_type, **fields})

    def person_create_bill(self, realm_id: str, vendor_id: str, lines: list[tuple[str, str]], **fields: Any) -> Body:
        """Enter a bill; each line is an account and an amount."""
        return self.person_create(
            realm_id,
            "Bill",
            {
                "VendorRef": {"value": vendor_id},
                "Line": [expense_line(*line) for line in lines],
                **fields,
            },
        )

    def person_edit_bill(self, realm_id: str, bill_id: str, changes: Body) -> Body:
        """Change some fields of a bill."""
        return self.person_edit(realm_id, "Bill", bill_id, changes)

    def person_delete_bill(self, realm_id: str, bill_id: str) -> Body:
        """Delete a bill that nothing is linked to."""
        return self.person_delete(realm_id, "Bill", bill_id)

    def person_pay_bill(
        self,
        realm_id: str,
        bill_id: str,
        amount: Decimal | str | None = None,
        bank_account_id: str = "35",
        **fields: Any,
    ) -> Body:
        """Write a check for a bill: for all that is open, or for less."""
        bill = self.company(realm_id).row("Bill", bill_id)
        paid = Decimal(amount) if amount is not None else bill["Balance"]
        return self.person_create(
            realm_id,
            "BillPayment",
            {
                "VendorRef": {"value": bill["VendorRef"]["value"]},
                "PayType": "Check",
                "TotalAmt": paid,
                "APAccountRef": {"value": bill["APAccountRef"]["value"]},
                "CurrencyRef": {"value": bill["CurrencyRef"]["value"]},
                "CheckPayment": {"BankAccountRef": {"value": bank_account_id}},
                "Line": [{"Amount": paid, "LinkedTxn": [{"TxnId": bill_id, "TxnType": "Bill"}]}],
                **fields,
            },
        )

    def person_void_payment(self, realm_id: str, payment_id: str) -> Body:
        """Void a bill payment."""
        return void(self._act(realm_id), ENTITIES["BillPayment"], self.company(realm_id).row("BillPayment", payment_id))

    def person_delete_payment(self, realm_id: str, payment_id: str) -> Body:
        """Delete a bill payment."""
        return self.person_delete(realm_id, "BillPayment", payment_id)

    def person_seed_many(self, realm_id: str, vendors: int, bills: int, lines_per_bill: int = 2) -> None:
        """Years of work in no time: vendors, and bills spread over them."""
        seed(self.company(realm_id), self.now(), vendors, bills, lines_per_bill)


def expense_line(account_id: str, amount: Decimal | str, description: str = "") -> Body:
    """A line of a bill as a request has it."""
    return {
        "Amount": str(amount),
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account_id}},
        **({"Description": description} if description else {}),
    }
