"""What a company has switched on, and what it can do nothing with while that is off.

The code is of Intuit's published table, its use and wording here are assumed.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.quickbooks.simulator_company import Act, Company
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import OTHER_USER, Body, feature_off, stale

# Each feature: where its preference stands, and the name that people know it by.
PREFERENCES = {
    "classes": ("AccountingInfoPrefs", "ClassTrackingPerTxnLine", "Class tracking"),
    "departments": ("AccountingInfoPrefs", "TrackDepartments", "Location tracking"),
    "account_numbers": ("AccountingInfoPrefs", "UseAccountNumbers", "Account numbers"),
    "multicurrency": ("CurrencyPrefs", "MultiCurrencyEnabled", "Multicurrency"),
}
PURCHASE_ORDERS = "PurchaseOrderEnabled"
NEEDED = {
    "Class": "classes",
    "Department": "departments",
    "PurchaseOrder": "purchase_orders",
    "CompanyCurrency": "multicurrency",
}
REFERENCES = {"ClassRef": "classes", "DepartmentRef": "departments"}
WRITABLE = {
    "AccountingInfoPrefs": (
        *("UseAccountNumbers", "TrackDepartments"),
        *("ClassTrackingPerTxn", "ClassTrackingPerTxnLine"),
    ),
    "SalesFormsPrefs": ("CustomTxnNumbers",),
    "VendorAndPurchasesPrefs": ("BillableExpenseTracking", "TrackingByCustomer"),
}
SKUS: Mapping[str, tuple[str, ...]] = {
    "QuickBooks Online Simple Start": (),
    "QuickBooks Online Essentials": ("multicurrency",),
    "QuickBooks Online Plus": ("multicurrency", "classes", "departments", "purchase_orders"),
    "QuickBooks Online Advanced": ("multicurrency", "classes", "departments", "purchase_orders"),
}


def has(company: Company, feature: str) -> bool:
    """Whether a feature is on."""
    if feature == "purchase_orders":
        return company.warns(PURCHASE_ORDERS)
    group, name, _ = PREFERENCES[feature]
    on = bool(company.preferences[group][name])
    return on or (feature == "classes" and bool(company.preferences[group]["ClassTrackingPerTxn"]))


def switch(company: Company, feature: str, on: bool, now: datetime) -> None:
    """Turn a feature on or off."""
    if feature == "purchase_orders":
        set_other(company, PURCHASE_ORDERS, str(on).lower(), now)
        return
    if feature == "multicurrency" and has(company, feature) and not on:
        raise ValueError("Once on, several currencies cannot be switched off.")
    group, name, _ = PREFERENCES[feature]
    also: dict[str, Any] = {"ClassTrackingPerTxn": False} if feature == "classes" else {}
    company.set_preferences(now, group, **also, **{name: on})


def set_other(company: Company, preference: str, value: str, now: datetime) -> None:
    """One of the other preferences, which are pairs of a name and a text."""
    pairs = company.preferences["OtherPrefs"]["NameValue"]
    changed = [{**pair, "Value": value} if pair["Name"].endswith(preference) else pair for pair in pairs]
    company.set_preferences(now, "OtherPrefs", NameValue=changed)


def subscribe(company: Company, status: str, sku: str | None, now: datetime) -> None:
    """Another subscription: what it does not contain is off (several currencies, once on, stay on)."""
    if sku is not None and sku not in SKUS:
        raise ValueError(f"{sku} is none of {', '.join(SKUS)}.")
    company.subscription = status
    changed = {"SubscriptionStatus": status, **({"OfferingSku": sku} if sku else {})}
    pairs = [{**pair, "Value": changed.get(pair["Name"], pair["Value"])} for pair in company.info["NameValue"]]
    company.set_info(now, NameValue=pairs)
    for feature in sorted(set(NEEDED.values()) - set(SKUS[sku]) - {"multicurrency"}) if sku else ():
        switch(company, feature, on=False, now=now)


def update_preferences(act: Act, body: Body) -> Body:
    """The few preferences that may be written; everything else in the body is passed over (Intuit: Preferences)."""
    company = act.company
    if str(body.get("SyncToken", "")) != company.preferences["SyncToken"]:
        raise stale(OTHER_USER)
    for group, names in WRITABLE.items():
        sent: Any = body.get(group)
        if not isinstance(sent, dict):
            continue
        changes = {name: sent[name] for name in names if isinstance(sent.get(name), bool)}
        if any(company.preferences[group].get(name) != value for name, value in changes.items()):
            company.set_preferences(act.now, group, **changes)
    return company.preferences


def refuse_unreadable(act: Act, entity: Entity) -> None:
    """Reading objects of a feature that is off, where that is switched to be a fault."""
    if act.switches.reads_need_features and entity.name in NEEDED:
        refuse_without(act.company, NEEDED[entity.name])


def refuse_switched_off(act: Act, entity: Entity, fields: Body) -> None:
    """An object, or a reference in a request, of a feature that is off."""
    needed = {NEEDED[entity.name]} if entity.name in NEEDED else set()
    for feature in sorted(needed | set(_features_of(fields))):
        refuse_without(act.company, feature)


def refuse_without(company: Company, feature: str) -> None:
    """The fault of a feature that is off."""
    if not has(company, feature):
        raise feature_off("Purchase orders" if feature == "purchase_orders" else PREFERENCES[feature][2])


def _features_of(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:
            yield from _features_of(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key in REFERENCES and part is not None:
                yield REFERENCES[key]
            else:
                yield from _features_of(part)
