"""The books of one company: tables of plain values, numbering, time stamps, and what happened to tell others of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.quickbooks.simulator_entities import ENTITIES, REFERENCES
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import Body, deleted, inactive
from connectors.quickbooks.simulator_switches import Switches
from connectors.quickbooks.simulator_tables import Table

USER_ID = "9341450000000001"
CURRENCIES = {
    "USD": "United States Dollar",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
    "CAD": "Canadian Dollar",
}

FIRST_IDS = {"attachable": 5000000000000010341}  # Intuit's are beyond 64 bits of a float


@dataclass(frozen=True)
class Event:
    """Something that happened to an object, as webhooks tell it; a merge names the object that was merged away."""

    entity: str
    identity: str
    operation: str
    at: datetime
    merged: str = ""


class Company:
    """One QuickBooks company."""

    def __init__(self, realm_id: str, info: Body, preferences: Body, zone: str) -> None:
        self.realm_id = realm_id
        self.info = info
        self.preferences = preferences
        self.zone = ZoneInfo(zone)
        self.subscription = "PAID"
        self.rates: dict[tuple[str, str], Body] = {}
        self.received: dict[tuple[str, str], Decimal] = {}
        self.files: dict[str, bytes] = {}
        self.events: list[Event] = []
        self.tables: Mapping[str, Table] = {name: Table(entity) for name, entity in ENTITIES.items()}
        self.answered: dict[str, tuple[int, bytes]] = {}
        self.answered_at: dict[str, datetime] = {}
        self.found: dict[tuple[Any, ...], tuple[int, list[str]]] = {}
        self.metered: dict[str, int] = {}
        self._last_ids = {sequence: first - 1 for sequence, first in FIRST_IDS.items()}

    # What tests look at.

    @property
    def vendors(self) -> dict[str, Body]:
        """Vendors by id."""
        return self.tables["Vendor"].rows

    @property
    def accounts(self) -> dict[str, Body]:
        """Accounts by id."""
        return self.tables["Account"].rows

    @property
    def bills(self) -> dict[str, Body]:
        """Bills by id."""
        return self.tables["Bill"].rows

    @property
    def bill_payments(self) -> dict[str, Body]:
        """Bill payments by id, voided ones too."""
        return self.tables["BillPayment"].rows

    def payments_of_bill(self, bill_id: str) -> list[Body]:
        """The bill payments with a line that pays this bill."""
        link = {"TxnId": bill_id, "TxnType": "Bill"}
        return [
            payment
            for payment in self.bill_payments.values()
            if any(
                link == {key: linked.get(key) for key in link}
                for line in payment["Line"]
                for linked in line["LinkedTxn"]
            )
        ]

    @property
    def core_plus_calls(self) -> int:
        """How many metered reads there were, in all months."""
        return sum(self.metered.values())

    def count_read(self, now: datetime) -> None:
        """One more metered read in this month."""
        month = self.today(now).isoformat()[:7]
        self.metered[month] = self.metered.get(month, 0) + 1

    def reads_in_month(self, now: datetime) -> int:
        """How many metered reads there were in the month of this day."""
        return self.metered.get(self.today(now).isoformat()[:7], 0)

    # Finding.

    def row(self, entity: str, identity: str) -> Body:
        """One object, or the refusal that says it is not there."""
        table = self.tables[entity]
        if identity in table.tombstones:
            raise deleted()
        if identity not in table.rows:
            raise inactive()
        return table.rows[identity]

    def warns(self, preference: str) -> bool:
        """Whether a preference among the other ones is on."""
        return any(
            entry["Name"].endswith(preference) and entry["Value"] == "true"
            for entry in self.preferences["OtherPrefs"]["NameValue"]
        )

    @property
    def home_currency(self) -> str:
        """The currency of the books."""
        return str(self.preferences["CurrencyPrefs"]["HomeCurrency"]["value"])

    @property
    def has_many_currencies(self) -> bool:
        """Whether multicurrency is on."""
        return bool(self.preferences["CurrencyPrefs"]["MultiCurrencyEnabled"])

    @property
    def closed_through(self) -> str:
        """The last day of the closed period, or an empty text."""
        return str(self.preferences["AccountingInfoPrefs"].get("BookCloseDate", ""))

    # Time.

    def stamp(self, now: datetime) -> str:
        """A time as objects carry it: seconds and an offset."""
        return now.astimezone(self.zone).isoformat(timespec="seconds")

    def moment(self, now: datetime) -> str:
        """A time as envelopes carry it: milliseconds and an offset."""
        return now.astimezone(self.zone).isoformat(timespec="milliseconds")

    def today(self, now: datetime) -> date:
        """The day it is in the company's zone."""
        return now.astimezone(self.zone).date()

    # Changing.

    def next_id(self, entity: Entity) -> str:
        """A number that no object of this sequence had before."""
        self._last_ids[entity.sequence] = self._last_ids.get(entity.sequence, 0) + 1
        return str(self._last_ids[entity.sequence])

    def insert(self, entity: Entity, body: Body, now: datetime, identity: str = "") -> Body:
        """A new object."""
        if identity:
            self._last_ids[entity.sequence] = int(identity)
        stamp = self.stamp(now)
        identity = identity or self.next_id(entity)
        user = {"LastModifiedByRef": {"value": USER_ID}} if entity.name == "Bill" else {}
        created = {
            **body,
            "domain": "QBO",
            "sparse": False,
            "Id": identity,
            "SyncToken": "0",
            "MetaData": {"CreateTime": stamp, **user, "LastUpdatedTime": stamp},
        }
        self.tables[entity.name].put(created, now.replace(microsecond=0))
        self.events.append(Event(entity.name, identity, "Create", now))
        return created

    def replace(self, entity: Entity, body: Body, now: datetime, operation: str = "Update") -> Body:
        """A new value of an object, under the next SyncToken."""
        table = self.tables[entity.name]
        old = table.rows[body["Id"]]
        replaced = {
            **body,
            "SyncToken": str(int(body["SyncToken"]) + 1),
            "MetaData": {**body["MetaData"], "LastUpdatedTime": self.stamp(now)},
        }
        table.put(replaced, now.replace(microsecond=0))
        if entity.listed and shown_name(old) != shown_name(replaced):
            self._rename(entity, replaced)
        self.events.append(Event(entity.name, body["Id"], operation, now))
        return replaced

    def remove(self, entity: Entity, identity: str, now: datetime) -> None:
        """An object is gone; a tombstone stays."""
        self.tables[entity.name].remove(identity, now.replace(microsecond=0))
        self.events.append(Event(entity.name, identity, "Delete", now))

    def set_info(self, now: datetime, **changes: Any) -> None:
        """Other facts about the company."""
        meta = {**self.info["MetaData"], "LastUpdatedTime": self.stamp(now)}
        token = str(int(self.info["SyncToken"]) + 1)
        self.info = {**self.info, **changes, "SyncToken": token, "MetaData": meta}

    def set_preferences(self, now: datetime, group: str, **changes: Any) -> None:
        """Other preferences of one group; None takes one away."""
        changed = {**self.preferences.get(group, {}), **changes}
        self.preferences = {
            **self.preferences,
            group: {name: value for name, value in changed.items() if value is not None},
            "SyncToken": str(int(self.preferences["SyncToken"]) + 1),
            "MetaData": {**self.preferences["MetaData"], "LastUpdatedTime": self.stamp(now)},
        }
        self.events.append(Event("Preferences", self.preferences["Id"], "Update", now))

    def adjust(self, entity: str, identity: str, **changes: Any) -> None:
        """Figures that follow from other objects: no new SyncToken, no change for CDC."""
        table = self.tables[entity]
        table.put({**table.rows[identity], **changes})

    def _rename(self, entity: Entity, named: Body) -> None:
        """References show the present name, so every object that points here is written anew."""
        keys = {key for key, target in REFERENCES.items() if target == entity.name}
        for table in self.tables.values():
            for row in list(table.rows.values()):
                renamed = _with_name(row, keys, named["Id"], shown_name(named))
                if renamed is not row:
                    table.put(renamed)


def shown_name(body: Body) -> str:
    """What a reference to this object calls it."""
    return str(body.get("FullyQualifiedName") or body.get("DisplayName") or body.get("Name", ""))


def _with_name(value: Any, keys: set[str], identity: str, name: str) -> Any:
    if isinstance(value, list):
        parts = [_with_name(part, keys, identity, name) for part in value]
        return parts if any(new is not old for new, old in zip(parts, value, strict=True)) else value
    if not isinstance(value, dict):
        return value
    changed = {}
    for key, part in value.items():
        if key in keys and part.get("value") == identity:
            new = {**part, "name": name}
        else:
            new = _with_name(part, keys, identity, name)
        if new is not part:
            changed[key] = new
    return {**value, **changed} if changed else value


@dataclass(frozen=True, kw_only=True)
class Act:
    """One thing that is done to a company's books: where, when, under which assumptions and with which allowances."""

    company: Company
    now: datetime
    switches: Switches
    base_url: str = ""
    may_repeat_numbers: bool = False
    by_person: bool = False
