"""The shape of a profile's data file, section by section; what does not fit is refused while it is read."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=1)]
Names = Text | Annotated[list[Text], Meta(min_length=1)] | None
Environment = Literal["production", "sandbox", "simulated"]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A part of a profile: nothing missing, nothing unknown, never changed."""


class Address(Section, frozen=True):
    """Where one environment answers; `{root}` stands for the place a simulator is mounted at."""

    base_url: Text
    token_url: Text | None
    revoke_url: Text | None


class Header(Section, frozen=True):
    """A request header and its value with one slot for a secret or an id, such as `Bearer {access_token}`."""

    name: Text
    value: Text

    def slot(self) -> str:
        """The name between the braces."""
        return self.value.partition("{")[2].partition("}")[0]

    def fill(self, secret: str) -> str:
        """The value to send."""
        return self.value.replace("{" + self.slot() + "}", secret)

    def read(self, sent: str) -> str | None:
        """What stood in the slot of a value that was sent; None if the value has another form."""
        before, _, after = self.value.partition("{" + self.slot() + "}")
        if not (sent.startswith(before) and sent.endswith(after)):
            return None
        return sent[len(before) : len(sent) - len(after)] or None


class OAuth(Section, frozen=True):
    """Sign-in of a partner application: client credentials."""

    grant: Text
    client_auth: Literal["basic"]
    scope: str | None
    expiry_skew_seconds: Annotated[int, Meta(ge=0)]
    headers: list[Header]


class Tokens(Section, frozen=True):
    """Sign-in of one customer: two tokens on every request."""

    headers: list[Header]


class Auth(Section, frozen=True):
    """Which sign-ins are offered."""

    oauth: OAuth | None
    tokens: Tokens | None


class Operation(Section, frozen=True):
    """One request: verb, path below the base URL, for a batch the list's name and largest size, and for a list the
    arguments that it names otherwise than the rest or, by null, does not have."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: Annotated[str, Meta(pattern="^/")]
    items: Text | None = None
    max_items: Count | None = None
    query: dict[str, Text | None] = {}


class ChangeFeed(Section, frozen=True):
    """How changes are asked for."""

    granularity: Literal["timestamp", "date", "none"]
    upper_bound_inclusive: bool
    max_window_days: Count
    overlap_seconds: Annotated[int, Meta(ge=0)]
    safety_lag_seconds: Annotated[int, Meta(ge=0)]
    assume_zone: Literal["UTC"]


class Paging(Section, frozen=True):
    """How the next page is found; the names in a page are fields of the kind `page`."""

    strategy: Literal["linkThenPage", "page", "cursor", "none"]
    next_rel: Text | None


class GatewayFaults(Section, frozen=True):
    """The forms in which the gateway refuses; the first is the usual one."""

    dialects: Annotated[list[Literal["jsonWrapped", "jsonFlat", "xml"]], Meta(min_length=1)]


class Encoding(Section, frozen=True):
    """How values are written, and which irregularities are to be expected."""

    money: Literal["number", "string", "cents"]
    timestamps: Literal["iso8601z"]
    tolerate_string_booleans: bool
    tolerate_single_object_for_array: bool


class Strategies(Section, frozen=True):
    """Differences of kind, not of name: closed sets."""

    upsert: Literal["batch", "single", "singleByExternalId"]
    identifier: Literal["string", "valueObject"]
    coding: Literal["split", "unified"]
    applications: Literal["embedded", "subresource"]
    versioning: Literal["version", "changeTime", "contentHash"]
    image: Literal["rawBody", "multipart", "base64InInvoice", "unsupported"]


class Limits(Section, frozen=True):
    """The largest of everything; `lengths` are the shortest and longest text per field."""

    page_size: Count
    max_page_size: Count
    ids_per_query: Count
    body_bytes: Count
    image_bytes: Count
    requests_per_minute: Count
    requests_per_second: Count
    image_types: Annotated[list[Text], Meta(min_length=1)]
    invoice_lines: Count
    quantity_decimals: Annotated[int, Meta(ge=0)]
    dimensions: Count
    currencies: Annotated[list[Annotated[str, Meta(pattern="^[A-Z]{3}$")]], Meta(min_length=1)]
    lengths: dict[str, dict[str, tuple[Annotated[int, Meta(ge=0)], Count]]]


class Capabilities(Section, frozen=True):
    """What the other side can do beyond the least."""

    payment_void: bool
    payment_ack: bool
    idempotency_header: bool
    purchase_orders: bool
    invoice_image: bool


class Policy(Section, frozen=True):
    """Defaults of ours that hang on this contract."""

    post_on: Literal["executed", "cleared"]
    import_avid_originated_invoices: bool


class StatusRow(Section, frozen=True):
    """One payment status: their word, ours, and what it means for money."""

    word: Text | None
    canonical: str
    live: bool
    executed: Literal["yes", "no", "reversed"]
    phase: Literal["none", "pending", "executed", "reversed"]
    method: str | None = None


class Sections(Section, frozen=True):
    """The whole file."""

    profile_id: Text
    profile_version: Text
    confirmed_by: str | None
    addresses: dict[Environment, Address | None]
    auth: Auth
    headers: dict[str, Text | None]
    operations: dict[str, Operation | None]
    query: dict[str, Text | None]
    change_feed: ChangeFeed
    paging: Paging
    gateway_faults: GatewayFaults
    encoding: Encoding
    strategies: Strategies
    limits: Limits
    capabilities: Capabilities
    policy: Policy
    fields: dict[str, dict[str, Names]]
    enums: dict[str, dict[str, Names]]
    payment_statuses: list[StatusRow]
