"""The company that the stories are about: a wholesaler that keeps departments and classes, orders, and attaches images.

Acts of people by the names that a reader knows, and looks at both companies' books; what deliveries share is in
`tests.payables`.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.records import Kind
from syncs.keys import record_key
from syncs.models import SyncRecord
from syncs.states import State
from tests.payables import EXPENSE, enter_vendor, invoice, open_problems
from tests.simulation.world import REALM, World, begin

PROFILES = ("assumed-v1", "renamed-v1")  # the contracts by which everything flows
PDF, OTHER_PDF = b"%PDF-1.7 the invoice", b"%PDF-1.7 the invoice, signed"
AT_REST = (State.SYNCED, State.OUT_OF_SCOPE)


@dataclass(frozen=True, kw_only=True)
class Books:
    """The ids of what the wholesaler has in QuickBooks before anything is bought."""

    vendor: str
    department: str
    trade: str  # the class, which Python has the word for
    toner: str
    stock: str  # the asset account of the toner
    delivery: str
    freight: str  # the account of the delivery


def open_books(profile: str = "assumed-v1", **options: Any) -> tuple[World, Books]:
    """A connected company with its lists; nothing is read yet."""
    world = begin(profile=profile, **options)
    for feature in ("classes", "departments"):
        world.person(world.quickbooks, "switch_feature", feature=feature, on=True)
    stock, cost, freight, sales = (
        enter(world, "Account", Name=name, AccountType=sort)
        for name, sort in (
            ("Stock", "Other Current Asset"),
            ("Cost of goods", "Cost of Goods Sold"),
            ("Freight", "Expense"),
            ("Sales", "Income"),
        )
    )
    toner = enter(
        world, "Item", Name="Toner", Type="Inventory", TrackQtyOnHand=True, QtyOnHand=0, InvStartDate="2026-01-01",
        AssetAccountRef=value(stock), ExpenseAccountRef=value(cost), IncomeAccountRef=value(sales),
    )  # fmt: skip
    return world, Books(
        vendor=enter_vendor(world),
        department=enter(world, "Department", Name="Berlin"),
        trade=enter(world, "Class", Name="Wholesale"),
        toner=toner,
        stock=stock,
        delivery=enter(world, "Item", Name="Delivery", Type="Service", ExpenseAccountRef=value(freight)),
        freight=freight,
    )


def enter(world: World, entity: str, **body: Any) -> str:
    """Something that a person enters in QuickBooks; its id."""
    return str(world.person(world.quickbooks, "create", entity=entity, body=body)["Id"])


def edit(world: World, entity: str, identity: str, **changes: Any) -> None:
    """A person changes something in QuickBooks."""
    world.person(world.quickbooks, "edit", entity=entity, identity=identity, changes=changes)


def remove(world: World, entity: str, identity: str) -> None:
    """A person deletes something in QuickBooks."""
    world.person(world.quickbooks, "delete", entity=entity, identity=identity)


def value(identity: str) -> dict[str, str]:
    """A reference as QuickBooks writes it."""
    return {"value": identity}


def item_line(books: Books, item: str, quantity: str, price: str) -> dict[str, Any]:
    """A line for something of stock, of the wholesale trade."""
    detail = {"ItemRef": value(item), "Qty": quantity, "UnitPrice": price, "ClassRef": value(books.trade)}
    amount = str(Decimal(quantity) * Decimal(price))
    return {"Amount": amount, "DetailType": "ItemBasedExpenseLineDetail", "ItemBasedExpenseLineDetail": detail}


def account_line(amount: str, account: str = EXPENSE, trade: str | None = None) -> dict[str, Any]:
    """A line on an account, of a class if one is named."""
    detail: dict[str, Any] = {"AccountRef": value(account)}
    if trade is not None:
        detail["ClassRef"] = value(trade)
    return {"Amount": amount, "DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": detail}


def order(world: World, books: Books, number: str = "PO-1") -> dict[str, Any]:
    """An order of ten toners and their delivery."""
    lines = [item_line(books, books.toner, "10", "12.50"), item_line(books, books.delivery, "1", "15.00")]
    made: dict[str, Any] = world.person(
        world.quickbooks, "order", vendor_id=books.vendor, lines=lines, DocNumber=number,
        DepartmentRef=value(books.department),
    )  # fmt: skip
    return made


def bill_order(world: World, order_id: str, number: str = "INV-1", **fields: Any) -> str:
    """The vendor bills the order, or so much of each line; the bill's id."""
    made = world.person(world.quickbooks, "bill_order", order_id=order_id, DocNumber=number, **fields)
    return str(made["Id"])


def enter_credit(world: World, vendor_id: str, amount: str = "20.00", number: str = "CM-1", **fields: Any) -> str:
    """A vendor's credit, of one line; its id."""
    return enter(
        world, "VendorCredit", VendorRef=value(vendor_id), DocNumber=number, Line=[account_line(amount)], **fields
    )  # fmt: skip


def attach(world: World, entity: str, identity: str, content: bytes = PDF, file_name: str = "invoice.pdf") -> str:
    """A person attaches a document; the attachment's id."""
    made = world.person(
        world.quickbooks, "attach", entity=entity, identity=identity, file_name=file_name,
        content=b64encode(content).decode(), content_type="application/pdf",
    )  # fmt: skip
    return str(made["Id"])


def key_of(kind: Kind, identity: str) -> str:
    """The external id under which something of the company's stands at the network."""
    return record_key("quickbooks", REALM, kind, identity)


def there(world: World, shelf: str, kind: Kind, identity: str) -> dict[str, Any]:
    """What the network has of something in QuickBooks."""
    found = world.network.shelf(shelf).external(key_of(kind, identity))
    assert found is not None, f"{kind} {identity} is not at the network"
    return dict(found)


def values_there(world: World, dimension: str) -> dict[str, dict[str, Any]]:
    """The values of a dimension at the network, by their external ids."""
    [found] = [one for one in world.network.dimensions.values() if one["code"].casefold() == dimension]
    return {one["external_id"]: one for one in world.network.values_of(found).values()}


def image_there(world: World, number: str = "INV-1") -> bytes | None:
    """The document that the network keeps with an invoice."""
    image = world.network.images.get(invoice(world, number)["id"])
    return image.content if image else None


def applied(posted: Mapping[str, Any]) -> dict[tuple[str, str], Decimal]:
    """What a posting settles: kind and id, with its amount."""
    return {
        (link["TxnType"], link["TxnId"]): Decimal(line["Amount"])
        for line in posted["Line"]
        for link in line["LinkedTxn"]
    }


def assert_at_rest() -> None:
    """Everything is delivered or left out by a rule, and nobody has anything to clear."""
    restless = [
        f"{record.remote_record} is {record.state}: {record.code} {record.reason}"
        for record in SyncRecord.objects.exclude(state__in=AT_REST).select_related("remote_record")
    ]
    assert restless == []
    assert open_problems() == []
