"""A database with something of everything: one bill posted, one held, one ignored; a canary in every credential."""

from pathlib import Path
from typing import Any

from connectors.clock import write_shift
from connectors.models import App, Token
from connectors.reality import present
from syncs import services
from syncs.models import Mapping, SyncRecord
from tests.simulation.world import ADDRESS, REALM, World, begin, sign_in

CANARY = "canary-51c0ffee"


def populate() -> World:
    """A month of accounts payable in small."""
    world = begin()
    plant_canaries(world)
    acme, harbor = (
        world.person(world.quickbooks, "create_vendor", name=name, BillAddr=ADDRESS)["Id"]
        for name in ("Acme Paper", "Harbor Freight & Co")
    )
    enter(world, "INV-1", acme, "1120.50")
    enter(world, "INV-2", harbor, "75.00")
    enter(world, "INV-3", harbor, "310.10")
    bill = enter(world, "INV-4", acme, "99.99")
    world.person(world.quickbooks, "pay_bill", bill_id=bill, amount="9.99")
    world.settle()
    approve_and_pay(world, "INV-1")
    approve_and_pay(world, "INV-3", to="void", reason="Wrong vendor")
    Mapping.objects.filter(subject="funding_account").delete()
    approve_and_pay(world, "INV-2")
    services.set_policy(
        integration=world.integration, key="currencies", value=["USD"], by="olivia", why="as agreed",
        now=world.clock.now(),
    )  # fmt: skip
    return world


def enter(world: World, number: str, vendor_id: str, amount: str) -> str:
    """A bill over this amount."""
    bill = world.person(
        world.quickbooks, "create_bill", vendor_id=vendor_id, lines=[["8", amount]], DocNumber=number,
        TxnDate="2026-03-02", DueDate="2026-04-01",
    )  # fmt: skip
    return str(bill["Id"])


def approve_and_pay(world: World, number: str, to: str = "issued", reason: str = "") -> str:
    """The bill is approved and paid by check, which is delivered and read back in between."""
    [invoice] = [one for one in world.network.invoices.values() if one["invoice_number"] == number]
    world.person(world.avidxchange, "approve_invoice", invoice_id=invoice["id"])
    world.settle()
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice["id"]: None})
    world.settle()
    if to == "void":
        world.person(world.avidxchange, "void_payment", payment_id=payment_id, reason=reason)
    else:
        world.person(world.avidxchange, "advance_payment", payment_id=payment_id, to=to)
    world.settle()
    return str(payment_id)


def pay_by_hand_too(world: World, number: str) -> str:
    """A check is made for the approved bill, and at the same time somebody pays it in the ERP."""
    [invoice] = [one for one in world.network.invoices.values() if one["invoice_number"] == number]
    world.person(world.avidxchange, "approve_invoice", invoice_id=invoice["id"])
    world.settle()
    payment_id = world.person(world.avidxchange, "pay", invoices={invoice["id"]: None})
    [bill] = [one for one in world.company.bills.values() if one["DocNumber"] == number]
    world.person(world.quickbooks, "pay_bill", bill_id=bill["Id"])
    world.settle()
    world.person(world.avidxchange, "advance_payment", payment_id=payment_id, to="issued")
    world.settle()
    return str(payment_id)


def plant_canaries(world: World) -> None:
    """Secrets that can be recognised wherever they turn up, and that still work."""
    secret = f"{CANARY}-secret"
    world.quickbooks.person(
        "register_app", client_id="qb-app", client_secret=secret,
        redirect_uris=list(world.quickbooks.tokens.apps["qb-app"].redirect_uris),
    )  # fmt: skip
    world.avidxchange.person("register_app", client_id="partner-app", client_secret=secret)
    for app in App.objects.all():
        app.credentials = {**app.credentials, "client_secret": secret}
        if app.provider == "quickbooks":
            app.credentials["webhook_verifier"] = f"{CANARY}-verifier"
        app.save()
    world.quickbooks.person("disconnect", realm_id=REALM)
    sign_in(world)


def share_time(world: World, settings: Any, folder: Path) -> None:
    """From now on pages and commands live in the world's time."""
    settings.CLOCK_SHIFT_FILE = None
    shift = world.clock.now() - present().now()
    settings.CLOCK_SHIFT_FILE = folder / "clock_shift.json"
    write_shift(settings.CLOCK_SHIFT_FILE, shift)


def secrets() -> list[str]:
    """Everything that must not be seen anywhere."""
    tokens = [value for token in Token.objects.all() for value in token.secrets.values() if value]
    assert len(tokens) >= 3
    return [CANARY, *tokens]


def story_of(number: str) -> int:
    """The id of the bill of this number."""
    return SyncRecord.objects.get(stream__kind="bill", remote_record__number=number).remote_record_id
