"""Every kind of object in the simulated books, and what references point to."""

from collections.abc import Mapping

from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_further_table import FURTHER
from connectors.quickbooks.simulator_lists_table import LISTS
from connectors.quickbooks.simulator_transactions_table import TRANSACTIONS

# Which entity a reference points to; a reference that is not named here is kept as it came.
REFERENCES = {
    "VendorRef": "Vendor",
    "AccountRef": "Account",
    "APAccountRef": "Account",
    "BankAccountRef": "Account",
    "CCAccountRef": "Account",
    "IncomeAccountRef": "Account",
    "ExpenseAccountRef": "Account",
    "AssetAccountRef": "Account",
    "ClassRef": "Class",
    "DepartmentRef": "Department",
    "TermRef": "Term",
    "SalesTermRef": "Term",
    "ItemRef": "Item",
    "CustomerRef": "Customer",
    "PrefVendorRef": "Vendor",
    "ItemAccountRef": "Account",
    "DepositToAccountRef": "Account",
    "ShipTo": "Customer",
}


ENTITIES: Mapping[str, Entity] = {entity.name: entity for entity in (*LISTS, *TRANSACTIONS, *FURTHER)}
BY_PATH = {entity.path: entity for entity in ENTITIES.values()}
