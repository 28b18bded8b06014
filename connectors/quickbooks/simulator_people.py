"""What people do in QuickBooks itself, outside of the API: look after a company's settings and its objects in general.

A person sees what is there, so their acts name an object by its id and always act on its present value; a warning about
a repeated number does not stop them.
"""

from abc import abstractmethod
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from connectors.quickbooks.simulator_books import create, delete, update
from connectors.quickbooks.simulator_chart import open_company
from connectors.quickbooks.simulator_company import Act, Company
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_faults import Body
from connectors.quickbooks.simulator_features import set_other, subscribe, switch
from connectors.quickbooks.simulator_merging import merge_listed
from connectors.quickbooks.simulator_oauth import SignIn
from connectors.quickbooks.simulator_rates import set_rate
from connectors.quickbooks.simulator_seed import seed
from connectors.quickbooks.simulator_switches import Switches
from connectors.quickbooks.simulator_taxes import open_tax
from connectors.quickbooks.simulator_tokens import RegisteredApp, Tokens
from connectors.quickbooks.simulator_webhooks import Endpoint, Webhooks
from connectors.simulators import Simulator


class PeopleInQuickBooks(Simulator):
    """The acts of people: each `person_*` method is called by `person(...)` and replayed from the journal."""

    switches: Switches
    tokens: Tokens
    sign_in: SignIn
    webhooks: Webhooks
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
        switched_on: Iterable[str] = ("WarnDuplicateCheckNumber", "PurchaseOrderEnabled"),
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

    def person_register_webhook(self, client_id: str, url: str, verifier: str, **settings: Any) -> None:
        """A developer says where an app wants to be told of events, with which verifier token, in which format."""
        self.webhooks.register(Endpoint(client_id, url, verifier, **settings))

    # Settings of a company.

    def person_disconnect(self, realm_id: str, client_id: str | None = None) -> None:
        """The owner disconnects an app, or all apps."""
        self.tokens.end(realm_id, client_id)

    def person_set_subscription(self, realm_id: str, status: str, sku: str | None = None) -> None:
        """The owner changes the subscription: PAID, TRIAL, or anything else for ended, and what it contains."""
        subscribe(self.company(realm_id), status, sku, self.now())

    def person_read_usage(self, realm_id: str) -> dict[str, int]:
        """How many metered reads there were in each month."""
        return dict(self.company(realm_id).metered)

    def person_create_tax(self, realm_id: str, name: str, percent: str) -> Body:
        """A tax code of one rate, for companies outside of the US."""
        return open_tax(self._act(realm_id), name, Decimal(percent))

    def person_merge_vendors(self, realm_id: str, survivor_id: str, loser_id: str) -> Body:
        """One vendor takes over all that another one has."""
        return self.person_merge(realm_id, "Vendor", survivor_id, loser_id)

    def person_merge(self, realm_id: str, entity: str, survivor_id: str, loser_id: str) -> Body:
        """A vendor, account, item, class or department takes over all that another one has."""
        return merge_listed(self._act(realm_id), entity, survivor_id, loser_id)

    def person_close_books(self, realm_id: str, through: str | None) -> None:
        """The accountant closes the books through a day, or opens them again."""
        self.company(realm_id).set_preferences(self.now(), "AccountingInfoPrefs", BookCloseDate=through)

    def person_warn_of_repeated_numbers(self, realm_id: str, preference: str, on: bool) -> None:
        """The owner switches WarnDuplicateBillNumber or WarnDuplicateCheckNumber."""
        set_other(self.company(realm_id), preference, str(on).lower(), self.now())

    def person_switch_feature(self, realm_id: str, feature: str, on: bool) -> None:
        """The owner switches classes, departments, account_numbers, purchase_orders, or multicurrency (on only)."""
        switch(self.company(realm_id), feature, on, self.now())

    def person_set_exchange_rate(self, realm_id: str, currency: str, rate: str, on: str | None = None) -> Body:
        """The company's rate of a currency from a day on, today if none is named."""
        company = self.company(realm_id)
        day = on or company.today(self.now()).isoformat()
        return set_rate(company, currency, Decimal(rate), day, self.now())

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
