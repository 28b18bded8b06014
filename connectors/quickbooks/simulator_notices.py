"""What a webhook says: the bodies in both formats, and their signature.

Both formats, the words and the headers are Intuit's (Webhooks; CloudEvents announcement); that a merge names the
object that is gone as `deletedId` in CloudEvents too is assumed.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from connectors.quickbooks.simulator_company import Event
from connectors.quickbooks.simulator_faults import Body
from connectors.quickbooks.simulator_tables import write_json

SOURCE = "intuit." + b64encode(b"simulator-source").decode()
WORDS = {"Create": "created", "Update": "updated", "Delete": "deleted", "Merge": "merged", "Emailed": "emailed"}
LISTED, DATED = ("Create", "Update", "Delete", "Merge"), ("Create", "Update", "Delete")
TOLD: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("Vendor", "Customer", "Employee", "Account", "Item", "Class"), LISTED),
    "Department": ("Create", "Update", "Merge"),
    **dict.fromkeys(("Bill", "VendorCredit", "JournalEntry", "Deposit"), DATED),
    **dict.fromkeys(("BillPayment", "Purchase"), (*DATED, "Void")),
    "PurchaseOrder": (*DATED, "Emailed"),
    "Term": ("Create", "Update"),
    "Preferences": ("Update",),
    "CompanyCurrency": ("Create", "Update", "Delete"),
}


@dataclass(frozen=True)
class Notice:
    """One event of one company, with the id that every delivery of it has."""

    realm_id: str
    event: Event
    number: int

    @property
    def id(self) -> str:
        """A number that looks like a random one."""
        return str(UUID(bytes=hashlib.sha256(f"notice {self.number}".encode()).digest()[:16], version=4))


def is_told(event: Event) -> bool:
    """Whether webhooks exist for this kind of object and what happened to it."""
    return event.operation in TOLD.get(event.entity, ())


def as_cloud_events(notices: Iterable[Notice], void_word: str) -> bytes:
    """An array of CloudEvents, also for one."""
    return write_json([_cloud_event(notice, void_word) for notice in notices])


def _cloud_event(notice: Notice, void_word: str) -> Body:
    event = notice.event
    happened = {**WORDS, "Void": void_word}[event.operation]
    at = event.at.astimezone(UTC)
    return {
        "specversion": "1.0",
        "id": notice.id,
        "source": SOURCE,
        "type": f"qbo.{event.entity.lower()}.{happened}.v1",
        "datacontenttype": "application/json",
        "time": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}333Z",
        "intuitentityid": event.identity,
        "intuitaccountid": notice.realm_id,
        "data": {"deletedId": event.merged} if event.merged else {},
    }


def as_legacy(notices: Iterable[Notice]) -> bytes:
    """The older format, grouped by company."""
    companies: dict[str, list[Body]] = {}
    for notice in notices:
        event = notice.event
        entity = {
            "name": event.entity,
            "id": event.identity,
            "operation": event.operation,
            "lastUpdated": f"{event.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z",
        }
        companies.setdefault(notice.realm_id, []).append(
            {**entity, "deletedId": event.merged} if event.merged else entity
        )
    groups = [{"realmId": realm, "dataChangeEvent": {"entities": told}} for realm, told in companies.items()]
    return write_json({"eventNotifications": groups})


def headers_of(body: bytes, verifier: str, now: datetime) -> dict[str, str]:
    """The headers of a delivery; the signature is over the very bytes of the body."""
    digest = hmac.new(verifier.encode(), body, hashlib.sha256).digest()
    return {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "intuit_notification_server/0.1",
        "intuit-signature": b64encode(digest).decode(),
        "intuit-created-time": now.astimezone(UTC).isoformat(timespec="milliseconds"),
        "intuit-t-id": str(UUID(bytes=hashlib.sha256(body).digest()[:16], version=4)),
        "intuit-notification-schema-version": "0.1",
    }
