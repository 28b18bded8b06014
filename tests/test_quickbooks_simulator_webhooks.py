"""Webhooks of the simulated company: what is told, in which form, and how often it is tried."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from connectors.clock import machine_clock
from connectors.quickbooks.simulator_switches import Switches
from connectors.quickbooks.simulator_webhooks import Endpoint
from connectors.simulator_server import SimulatorServer
from tests.quickbooks_company import CREDENTIALS, REALM, Caller, line, open_books
from tests.quickbooks_company import Caller as SignedIn

OTHER = "9130347000000002"
URL, VERIFIER = "https://ours.example/webhooks", "verifier-1"


def wait_until_tried(endpoint: Endpoint) -> None:
    """At most five seconds."""
    for _ in range(100):
        if any(post.tries for post in endpoint.posts):
            return
        machine_clock().sleep(0.05)
    raise AssertionError("nothing was sent")


@dataclass
class Receiver:
    """What our side got; it answers with the statuses it was given, and then always with 200."""

    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        assert url == URL
        self.bodies.append(body)
        self.headers.append(headers)
        return self.statuses.pop(0) if self.statuses else 200

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in json.loads(body)]

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(event["type"], event["intuitentityid"]) for event in self.events]


def told_to(switches: Switches | None = None, **settings: Any) -> Caller:
    caller = open_books(switches)
    caller.simulator.person("register_webhook", client_id=CREDENTIALS[0], url=URL, verifier=VERIFIER, **settings)
    return caller


def test_every_write_by_anybody_is_told_and_signed() -> None:
    caller, receiver = told_to(), Receiver()
    vendor = caller.vendor()
    bill = caller.bill(vendor, "10.00")
    caller.simulator.person("pay_bill", realm_id=REALM, bill_id=bill["Id"])
    assert caller.simulator.deliver(receiver) == 1
    assert receiver.told == [
        ("qbo.vendor.created.v1", "1"),
        ("qbo.bill.created.v1", "1"),
        ("qbo.billpayment.created.v1", "2"),
        ("qbo.bill.updated.v1", "1"),
    ]
    (event,) = receiver.events[:1]
    assert (event["specversion"], event["intuitaccountid"], event["data"]) == ("1.0", REALM, {})
    assert event["time"] == "2026-11-02T18:00:00.000000333Z"
    assert len({event["id"] for event in receiver.events}) == 4
    signature = hmac.new(VERIFIER.encode(), receiver.bodies[0], hashlib.sha256).digest()
    assert base64.b64decode(receiver.headers[0]["intuit-signature"]) == signature
    assert caller.simulator.deliver(receiver) == 0


def test_the_older_format_says_the_same() -> None:
    caller, receiver = told_to(format="legacy"), Receiver()
    caller.vendor()
    caller.simulator.deliver(receiver)
    (group,) = json.loads(receiver.bodies[0])["eventNotifications"]
    told = {"name": "Vendor", "id": "1", "operation": "Create", "lastUpdated": "2026-11-02T18:00:00.000Z"}
    assert group == {"realmId": REALM, "dataChangeEvent": {"entities": [told]}}


def do_void(caller: Caller) -> None:
    bill = caller.bill(caller.vendor(), "10.00")
    payment = caller.pay("10.00", (bill, "10.00"))["BillPayment"]
    caller.simulator.person("void_payment", realm_id=REALM, payment_id=payment["Id"])


def do_delete(caller: Caller) -> None:
    caller.bill(caller.vendor(), "10.00")
    caller.simulator.person("delete_bill", realm_id=REALM, bill_id="1")


def do_deactivate(caller: Caller) -> None:
    caller.simulator.person("deactivate", realm_id=REALM, entity="Vendor", identity=caller.vendor()["Id"])


def do_preferences(caller: Caller) -> None:
    caller.simulator.person("close_books", realm_id=REALM, through="2026-10-31")


@pytest.mark.parametrize(
    ("act", "switches", "settings", "last"),
    [
        (do_void, Switches(), {}, "qbo.billpayment.void.v1"),
        (do_void, Switches(), {"void_word": "voided"}, "qbo.billpayment.voided.v1"),
        (do_delete, Switches(), {}, "qbo.bill.deleted.v1"),
        (do_deactivate, Switches(), {}, "qbo.vendor.updated.v1"),
        (do_deactivate, Switches(deactivation_event="Delete"), {}, "qbo.vendor.deleted.v1"),
        (do_preferences, Switches(), {}, "qbo.preferences.updated.v1"),
    ],
)
def test_what_happened_has_a_word(
    act: Callable[[Caller], None], switches: Switches, settings: dict[str, Any], last: str
) -> None:
    caller, receiver = told_to(switches, **settings), Receiver()
    act(caller)
    caller.simulator.deliver(receiver)
    assert last in [kind for kind, _ in receiver.told]


def test_attachments_and_rates_are_told_to_nobody() -> None:
    caller, receiver = told_to(), Receiver()
    caller.bill(caller.vendor(), "10.00")
    caller.simulator.deliver(Receiver())
    caller.post("attachable", {"Note": "x", "AttachableRef": [{"EntityRef": {"type": "Bill", "value": "1"}}]})
    assert caller.simulator.deliver(receiver) == 0


def test_a_post_that_is_not_taken_is_tried_again_and_holds_up_the_others() -> None:
    caller, receiver = told_to(), Receiver([500, 0, 503, 400])
    caller.vendor("First")
    caller.simulator.deliver(receiver)
    caller.vendor("Second")
    for wait in (10, 20, 30):
        caller.clock.advance(timedelta(seconds=wait - 1))
        assert caller.simulator.deliver(receiver) == 0
        caller.clock.advance(timedelta(seconds=1))
        assert caller.simulator.deliver(receiver) == 1
    assert len(set(receiver.bodies)) == 1
    caller.clock.advance(timedelta(minutes=5))
    assert caller.simulator.deliver(receiver) == 2
    assert receiver.told[-1] == ("qbo.vendor.created.v1", "2")


def test_the_older_schedule_gives_an_endpoint_up() -> None:
    caller = told_to(Switches(webhook_retries=(1200, 1800, 3000), webhook_gives_up=True))
    receiver = Receiver([500] * 9)
    caller.vendor("First")
    for minutes in (0, 20, 30, 50, 600):
        caller.clock.advance(timedelta(minutes=minutes))
        caller.simulator.deliver(receiver)
    caller.sign_in()
    caller.vendor("Second")
    assert (caller.simulator.deliver(receiver), len(receiver.bodies)) == (0, 4)
    caller.simulator.person("register_webhook", client_id=CREDENTIALS[0], url=URL, verifier=VERIFIER)
    receiver.statuses.clear()
    caller.vendor("Third")
    assert caller.simulator.deliver(receiver) == 1


def test_posts_come_late_twice_and_turned_around() -> None:
    caller = told_to(delay_seconds=300, duplicates=1, newest_first=True, together=2)
    receiver = Receiver()
    for name in ("First", "Second", "Third"):
        caller.vendor(name)
    assert caller.simulator.deliver(receiver) == 0
    caller.clock.advance(timedelta(minutes=5))
    assert caller.simulator.deliver(receiver) == 4
    assert [identity for _, identity in receiver.told] == ["3", "2", "3", "2", "1", "1"]
    assert receiver.bodies[0] == receiver.bodies[1]


def test_one_post_mixes_companies_and_a_disconnected_one_falls_silent() -> None:
    caller, receiver = told_to(), Receiver()
    caller.simulator.create_company(OTHER, "Second Company")
    caller.simulator.person("consent_automatically", realm_id=OTHER)
    second = SignedIn(caller.simulator, caller.clock, OTHER).sign_in()
    caller.vendor()
    second.vendor()
    assert caller.simulator.deliver(receiver) == 1
    assert [event["intuitaccountid"] for event in receiver.events] == [REALM, OTHER]
    second.vendor("Told after the end")
    caller.simulator.person("disconnect", realm_id=OTHER)
    caller.simulator.person("create_vendor", realm_id=OTHER, name="Never told")
    assert caller.simulator.deliver(receiver) == 1
    assert [event["intuitaccountid"] for event in receiver.events] == [REALM, OTHER, OTHER]


@pytest.mark.parametrize("echo", [True, False])
def test_whether_an_app_hears_of_itself_is_a_switch(echo: bool) -> None:
    caller, receiver = told_to(Switches(webhook_echo=echo)), Receiver()
    caller.vendor()
    caller.simulator.person("create_vendor", realm_id=REALM, name="By hand")
    caller.simulator.deliver(receiver)
    assert [identity for _, identity in receiver.told] == (["1", "2"] if echo else ["2"])


def test_an_order_that_is_sent_is_told_as_emailed() -> None:
    caller, receiver = told_to(), Receiver()
    vendor = caller.vendor()
    caller.post("purchaseorder", {"VendorRef": {"value": vendor["Id"]}, "Line": [line("1.00")]})
    caller.send("POST", "purchaseorder/1/send", params={"sendTo": "a@b.example"})
    caller.simulator.deliver(receiver)
    assert receiver.told[-1] == ("qbo.purchaseorder.emailed.v1", "1")
    order = caller.get("purchaseorder/1")["PurchaseOrder"]
    assert (order["EmailStatus"], order["POEmail"]["Address"]) == ("EmailSent", "a@b.example")
    assert caller.send("GET", "purchaseorder/1/pdf", headers={"Accept": "application/pdf"}).content[:5] == b"%PDF-"


def test_a_served_simulator_carries_its_posts_to_this_machine_only() -> None:
    caller = open_books()
    listener = open_books()
    with SimulatorServer({"listener": listener.simulator}) as other:
        for url in (f"{other.address}/listener/hook", "http://192.0.2.1/hook"):
            caller.simulator.person("register_webhook", client_id=CREDENTIALS[0], url=url, verifier="v")
            caller.vendor(url.replace(":", ""))
            endpoint = caller.simulator.webhooks.endpoints[CREDENTIALS[0]]
            with SimulatorServer({"quickbooks": caller.simulator}):
                wait_until_tried(endpoint)
            endpoint.posts.clear()
    assert listener.simulator.requests[-1] == ("POST", "/hook", 404)
