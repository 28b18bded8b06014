"""What the stories of deliveries share: acts of people by the names a reader knows, steps of workers, looks at rows."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import httpx

from audit.models import Event
from connectors.conversation import Steps, finish
from syncs import services
from syncs.models import Attempt, Feed, Problem, Stream, SyncRecord
from tests.simulation.world import ADDRESS, REALM, Engine, World, begin

EXPENSE = "8"
BILLS, CANCEL, VENDORS = "POST /invoices/batch", "POST /cancel", "POST /vendors/batch"
PAYMENT_POST = "POST /billpayment"
DEADLINE = timedelta(seconds=20)
ATTEMPT_AND_TIMEOUT = {"quickbooks": timedelta(seconds=140), "avidxchange": timedelta(seconds=80)}
MOMENT = timedelta(seconds=1)


def enter_vendor(world: World, name: str = "Acme Paper", **fields: Any) -> str:
    """A vendor in the ERP."""
    fields = {"BillAddr": ADDRESS, **fields}
    return str(world.person(world.quickbooks, "create_vendor", name=name, **fields)["Id"])


def enter_bill(world: World, vendor_id: str, amount: str = "120.50", number: str = "INV-1", **fields: Any) -> str:
    """A bill in the ERP, of one line."""
    fields = {"DocNumber": number, "TxnDate": "2026-03-02", **fields}
    lines = [[EXPENSE, amount]]
    return str(world.person(world.quickbooks, "create_bill", vendor_id=vendor_id, lines=lines, **fields)["Id"])


def with_bill(amount: str = "120.50", **world: Any) -> tuple[World, str]:
    """A world with one bill, read and delivered; the bill's id in the ERP."""
    made = begin(**world)
    bill_id = enter_bill(made, enter_vendor(made), amount)
    made.settle(days=1)
    return made, bill_id


def with_payment(amount: str = "120.50", **world: Any) -> tuple[World, str, str]:
    """A world with one bill that is approved and whose payment is released; nothing of the payment is read yet."""
    made, bill_id = with_bill(amount, **world)
    return made, bill_id, release(made, "INV-1")


def with_posting(amount: str = "120.50", **world: Any) -> tuple[World, str, str]:
    """A world in which the pending payment of one bill is posted."""
    made, bill_id, payment_id = with_payment(amount, **world)
    made.settle(days=1)
    return made, bill_id, payment_id


def map_discounts(world: World) -> str:
    """Finance chooses the account that discounts are booked on; its id."""
    account = world.person(world.quickbooks, "create_account", name="Discounts", account_type="Other Income")["Id"]
    world.settle(days=1)
    integration, now = world.integration, world.clock.now()
    services.set_mapping(
        integration=integration, subject="discount", source="*", target=account, by="Ann", why="our chart", now=now
    )
    return str(account)


def by_policy(world: World, key: str, value: object) -> None:
    """Finance chooses a policy."""
    services.set_policy(
        integration=world.integration, key=key, value=value, by="Ann", why="our books", now=world.clock.now()
    )


def invoice(world: World, number: str = "INV-1") -> dict[str, Any]:
    """The invoice of this number in the network's books."""
    [found] = [one for one in world.network.invoices.values() if one["invoice_number"] == number]
    return dict(found)


def approve(world: World, number: str = "INV-1") -> str:
    """The approver approves; the invoice's id."""
    invoice_id = str(invoice(world, number)["id"])
    world.person(world.avidxchange, "approve_invoice", invoice_id=invoice_id)
    return invoice_id


def release(world: World, *numbers: str, **more: Any) -> str:
    """The payer releases one payment for these invoices, approved just before; the payment's id."""
    ids = [approve(world, number) for number in numbers]
    return str(world.person(world.avidxchange, "pay", invoices=dict.fromkeys(ids), **more))


def execute(world: World, payment_id: str, to: str = "issued") -> None:
    """The network makes the payment, step by step."""
    world.person(world.avidxchange, "advance_payment", payment_id=payment_id, to=to)


def edit_bill(world: World, bill_id: str, **changes: Any) -> None:
    """Somebody edits a bill in the ERP."""
    world.person(world.quickbooks, "edit_bill", bill_id=bill_id, changes=changes)


def balance(world: World, bill_id: str) -> str:
    """What is open of a bill in the ERP's books."""
    return str(world.company.bills[bill_id]["Balance"])


def postings(world: World, bill_id: str) -> list[dict[str, Any]]:
    """The payments that settle this bill in the ERP's books."""
    return list(world.quickbooks.payments_of_bill(REALM, bill_id))


def of_bill(number: str = "INV-1") -> SyncRecord:
    """The delivery of the bill of this number."""
    return SyncRecord.objects.select_related("problem").get(stream__kind="bill", remote_record__number=number)


def of_vendor(name: str = "Acme Paper") -> SyncRecord:
    """The delivery of the vendor of this name."""
    return SyncRecord.objects.select_related("problem").get(stream__kind="vendor", remote_record__name=name)


def of_payment(payment_id: str) -> SyncRecord:
    """The delivery of this payment."""
    return SyncRecord.objects.select_related("problem").get(stream__kind="payment", remote_record__remote_id=payment_id)


def attempts(record: SyncRecord) -> list[Attempt]:
    """Every try of this delivery, the first first."""
    return list(Attempt.objects.filter(sync_record_id=record.pk).order_by("id"))


def open_problems() -> list[Problem]:
    """The problems that somebody has to clear."""
    return list(Problem.objects.filter(resolved_at=None).order_by("id"))


def verbs(record: SyncRecord) -> list[str]:
    """What happened to this delivery, in order."""
    events = Event.objects.filter(subject_kind="sync_record", subject_id=str(record.pk)).order_by("id")
    return list(events.values_list("verb", flat=True))


def feed_id(world: Engine, provider: str = "quickbooks") -> int:
    """The feed of this provider's connection."""
    return int(Feed.objects.get(connection__provider=provider).pk)


def stream_id(kind: str) -> int:
    """The stream of this kind."""
    return int(Stream.objects.get(kind=kind).pk)


def read(world: Engine, provider: str = "quickbooks") -> None:
    """One slice of reading, whether it is due or not."""
    finish(world.steps("feed", feed_id(world, provider)))


def deliver(world: Engine, kind: str, holder: str = "worker") -> None:
    """One slice of delivering, whether it is due or not."""
    finish(world.steps("stream", stream_id(kind), holder))


def worker(world: World, kind: str, holder: str = "worker") -> Steps[None]:
    """One slice of delivering, to be made step by step."""
    return world.steps("stream", stream_id(kind), holder)


def run_until(steps: Iterable[str], name: str) -> None:
    """Make the steps up to this one; what comes after is for later, or never if the worker dies here."""
    for step in steps:
        if step == name:
            return
    raise AssertionError(f"the slice ended before it was {name}")


def requests(simulator: Any, match: str) -> int:
    """How many requests like `POST /bill` were answered."""
    method, _, part = match.partition(" ")
    return sum(1 for asked, path, _ in simulator.requests if asked == method and part in path)


class Damaged(httpx.BaseTransport):
    """A wire on which one object of the ERP comes without one of its fields, wherever it is shown."""

    def __init__(self, world: World, id: str, field: str) -> None:
        self._inner, self._id, self._field = world.wire, id, field
        self.repaired = False
        world.wire = self

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if self.repaired or request.method != "GET" or b'"QueryResponse"' not in answer.read():
            return answer
        body = json.loads(answer.content)
        self._damage(body)
        return httpx.Response(answer.status_code, json=body, request=request)

    def _damage(self, part: Any) -> None:
        if isinstance(part, dict) and part.get("Id") == self._id and "TotalAmt" in part:
            part.pop(self._field, None)
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            self._damage(inner)
