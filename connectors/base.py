"""The contract between the engine and a provider: what a connector promises, in types.

`connectors/README.md` says it in words. A connector is made for one `Session` and keeps no state of its own. Whoever
calls it holds no database transaction. Every call is at most a few HTTP requests: pages come one at a time, writes in
one chunk of at most `limits.batch` records, so that a slice of work can be stopped between any two.

Size: the contract is read as a whole, so it stands in one place.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from connectors.errors import ConnectorError
from connectors.records import AnyRecord, Image, Kind

if TYPE_CHECKING:  # what a connector speaks through is handed to it, so the pure modules that use these types stay pure
    from connectors.http import Http

Cursor = dict[str, Any]

# What a write's context may say to every connector, beside what is between the engine and one kind of connector.
REQUIRED = "required"  # of a dimension's value: "1" if every line must carry the dimension, "0" if not
LINK_TO = "link_to"  # of a vendor: the record there that a person says is this one
PAID_ON = "paid_on"  # of a payment: the day on which it was paid, where it is posted on another since that is closed
REPLACES = "replaces"  # of a payment: the ids, joined, of postings of it that were taken back before it is posted anew
REVERSED_ON = "reversed_on"  # of a void: the day on which it may be made by an entry, where the payment's own is closed
IN_TRANSIT = "in_transit"  # of a void: the account on which the money lies until it is refunded or paid anew
JOINT = "+"  # between the ids, and the versions, of the pieces that one record of ours stands in on the other side
SHA256 = "sha256"  # of an image: the hash of its bytes, written down before they are sent, by which it is found again


class Environment(StrEnum):
    """Which of a provider's worlds a connection lives in."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
    SIMULATED = "simulated"


class Action(StrEnum):
    """What a write does on the other side."""

    CREATE = "create"
    UPDATE = "update"
    VOID = "void"
    WITHDRAW = "withdraw"


class Actor(StrEnum):
    """Who can clear a fault."""

    OPERATIONS = "operations"
    CUSTOMER_AP = "customer AP"
    CUSTOMER_ADMIN = "customer administrator"
    US = "us"
    NOBODY = "nobody, it clears by itself"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One known fault: our code, its cause in plain words, who acts and how; `sample` is an answer that reaches it."""

    code: str
    cause: str
    actor: Actor
    remedy: str
    sample: tuple[int, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the provider allows: requests a minute, a second (0 where it does not say) and at once, records in a write,
    and its own time-out in seconds; `metered_reads` where it counts, a month, reads that succeed. To learn that nothing
    has changed takes `per_poll` requests."""

    per_minute: int
    concurrency: int
    per_second: int = 0
    batch: Mapping[Kind, int] = field(default_factory=dict)
    timeout: float = 120.0
    shared_by_app: bool = False
    per_poll: int = 1
    metered_reads: bool = False


@dataclass(frozen=True, kw_only=True)
class Session:
    """All that a connector may use for one connection: addresses, credentials, a token and the way to speak HTTP."""

    environment: Environment
    account_id: str
    app: msgspec.Struct
    credentials: msgspec.Struct = field(repr=False)
    settings: msgspec.Struct
    http: "Http"
    simulator_url: str = ""
    access_token: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class AccountInfo:
    """Who the other side says we are connected to."""

    id: str
    name: str
    environment: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of *Check connection*, in plain words."""

    level: Literal["ok", "warning", "missing"]
    text: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What a token endpoint gave: lifetimes in seconds from the answer; no refresh token where the grant has none."""

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str = field(default="", repr=False)
    refresh_expires_in: int | None = None
    hard_expires_in: int | None = None


@dataclass(frozen=True, kw_only=True)
class Gone:
    """A record that the provider says is no more: deleted, or merged into another of the same kind."""

    kind: Kind
    id: str
    merged_into: str = ""


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A row that we could not decode: shown with the reason, never dropped, never stopping its page."""

    kind: Kind
    id: str
    raw: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """Records as read, the cursor to go on from, whether more follow at once, and whether the sweep has now seen all.

    `complete` names the kinds of which this sweep has shown every record that exists: only then may what it did not
    show be taken for deleted. `truncated` says that the provider cut the answer, so a full comparison is needed.
    """

    records: Sequence[tuple[Kind, AnyRecord]]
    cursor: Cursor
    more: bool
    gone: Sequence[Gone] = ()
    unreadable: Sequence[Unreadable] = ()
    complete: frozenset[Kind] = frozenset()
    truncated: bool = False


@dataclass(frozen=True, kw_only=True)
class Link:
    """The record on the other side that a sync record stands for."""

    id: str
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Write:
    """One record to be written: its refs are in the target's ids, its keys were stored before anything is sent.

    `context` holds what the engine resolved for this write beyond the record itself (bank account, memo text, ...).
    `sent_at` is when the attempt that is looked up, or sent now, was made. `content` are an image's bytes, as `open` of
    the other side gave them; they are never stored, so a write that is looked up comes without them.
    """

    kind: Kind
    action: Action
    record: AnyRecord
    record_key: str
    request_key: str
    link: Link | None = None
    place: int = 0
    sent_at: datetime | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The other side holds this record now, under this id and version; `record` is what it shows, where it shows it.

    One that stands in several `pieces` has their ids joined; an empty place says that a piece is still missing.
    """

    id: str
    version: str = ""
    record: AnyRecord | None = None
    duplicate_of: Sequence[str] = ()
    pieces: Sequence[AnyRecord] = ()


Outcome = Receipt | ConnectorError


def ids_of_pieces(id: str) -> list[str]:
    """The ids that this one joins."""
    return [piece for piece in id.split(JOINT) if piece]


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A verified webhook says that something changed: fetch it. `event` is the provider's id of the event, if any;
    `merged_into` is the record that took this one over, where people merged the two."""

    account_id: str
    kind: Kind
    id: str
    event: str = ""
    merged_into: str = ""


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """A webhook as it came: the body's very bytes, and the headers by lower-case name."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Expiry:
    """Something that ends at a known time unless somebody does what the remedy says; `what` names it for ever."""

    what: str
    text: str
    at: datetime
    remedy: str


class Connector(ABC):
    """One provider. The class says what it can do; an instance does it for one session."""

    key: ClassVar[str]
    name: ClassVar[str]
    role: ClassVar[Literal["erp", "ap_network"]]
    sign_in: ClassVar[Literal["redirect", "credentials"]]
    token_owner: ClassVar[Literal["app", "connection"]]
    company_parameter: ClassVar[str] = ""  # of the way back from a sign-in by redirect: what names the company
    reads: ClassVar[frozenset[Kind]]
    writes: ClassVar[frozenset[Kind]]
    announces: ClassVar[frozenset[Kind]] = frozenset()  # kinds whose every change its webhooks tell; none: it has none
    phases: ClassVar[frozenset[str]] = frozenset()
    compare_days: ClassVar[Mapping[Kind, int]] = {}  # a kind is read in full every so many days; 1 where none is said
    limits: ClassVar[Limits]
    faults: ClassVar[Sequence[Fault]]
    App: ClassVar[type[msgspec.Struct]]
    Credentials: ClassVar[type[msgspec.Struct]]
    Settings: ClassVar[type[msgspec.Struct]]

    def __init__(self, session: Session) -> None:
        self.session = session

    @classmethod
    @abstractmethod
    def hosts(cls, environment: Environment, app: msgspec.Struct, simulator_url: str) -> frozenset[str]:
        """The host[:port]s that requests of such a connection may go to, and no others."""

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        """Where a person is sent to sign in (only where `sign_in` is redirect)."""
        raise TypeError(f"{self.name} is not signed in to by redirect")

    def exchange(self, *, code: str, redirect_uri: str) -> Tokens:
        """Tokens for the code that a callback brought; AuthError when the code is not accepted."""
        raise TypeError(f"{self.name} is not signed in to by redirect")

    @property
    def uses_access_token(self) -> bool:
        """Whether requests of this connection carry an access token, which `obtain` fetches; else it is not called."""
        return True

    @abstractmethod
    def obtain(self, refresh_token: str) -> Tokens:
        """A fresh access token, by the refresh token if there is one. AuthError says that a person has to sign in."""

    @abstractmethod
    def account(self) -> AccountInfo:
        """Who the other side says we are."""

    @abstractmethod
    def check(self) -> list[Finding]:
        """What we may do there and what is missing, in plain words; never raises for a missing permission."""

    def url(self, kind: Kind, id: str) -> str:
        """The page of this record in the provider's own product; empty where it has none."""
        return ""

    @abstractmethod
    def read(self, kind: Kind, after: Cursor | None) -> Page:
        """One page of every record of a kind, from the start or from a page's cursor."""

    def count(self, kind: Kind) -> int | None:
        """About how many of a kind there are, by one cheap request; None where the provider cannot say."""
        return None

    @abstractmethod
    def changes(self, cursor: Cursor) -> Page:
        """One page of what changed in all kinds since a cursor; `start_of_changes` makes the first."""

    @abstractmethod
    def start_of_changes(self, present: datetime) -> Cursor:
        """The cursor for `changes` that misses nothing changed after a full read that began at this time."""

    @abstractmethod
    def fetch(self, kind: Kind, ids: Sequence[str]) -> dict[str, AnyRecord]:
        """These records as they are now; an id that does not exist is left out."""

    @property
    def images_in_bills(self) -> bool:
        """Whether an image travels inside its bill, so that a change of the bill has to bring it along again."""
        return False

    def image_refusal(self, image: Image) -> str:
        """Why this image is none that is sent there, such as its type; empty where it may be."""
        return ""

    def open(self, image: Image) -> Iterator[bytes]:
        """The bytes of an image, in chunks; RecordRejected where it is no more or may not be sent."""
        raise TypeError(f"{self.name} has no images")

    @classmethod
    def hints(cls, delivered: Delivered, app: msgspec.Struct) -> list[Hint]:
        """What a webhook says has changed, all companies of the app mixed; AuthError when it is not signed by the app's
        secret, UnexpectedResponse when nothing can be made of it."""
        raise TypeError(f"{cls.name} sends no webhooks")

    @classmethod
    def reconnect_url(cls, account_id: str, app: msgspec.Struct) -> str:
        """Where a person of the customer signs in again at the provider; empty where it has no such page."""
        return ""

    @abstractmethod
    def find(self, writes: Sequence[Write]) -> dict[str, Receipt | None]:
        """What the other side holds for each write, by record key; None where it is proved absent.

        A write whose presence cannot be told is left out: it stays in doubt.
        """

    def requests_of(self, writes: Sequence[Write]) -> int:
        """About how many requests one chunk of writes is: permits are taken for all of them before."""
        return 1

    @abstractmethod
    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """Write one chunk; one outcome for each, in order. Raises only what concerns the whole chunk."""
