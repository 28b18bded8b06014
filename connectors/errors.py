"""What can go wrong with a provider, named by what happens next.

    ConnectorError(message, *, detail, provider, status, code, request_id)
    ├── TransientError         try again later               -> backoff with full jitter
    │   └── RateLimited        not before retry_after        -> the whole budget waits; not counted as an attempt
    ├── OutcomeUnknown         it may have happened          -> in doubt; find() before anything else
    ├── AuthError              sign in again                 -> the connection needs attention, nothing is lost
    │   └── TokenExpired       the access token died         -> one fresh token and one more try, then AuthError
    ├── RecordRejected         they refused this record      -> held, with field errors; the others go on
    │   └── StaleVersion       theirs is newer than ours     -> read it again, then plan again
    ├── TooLate                its time to be sent is over   -> nothing was sent; it is planned again
    └── UnexpectedResponse     not as documented             -> stop this feed or stream, tell us
    MappingError               we cannot express this record -> held, naming what is missing

`code` is a key of the catalogue: a provider's own table (`faults.py` in its folder) or the engine's.
"""

from collections.abc import Mapping


class ConnectorError(Exception):
    """A provider could not do what was asked."""

    def __init__(
        self,
        message: str,
        *,
        detail: str = "",
        provider: str = "",
        status: int | None = None,
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail.replace("\x00", "\ufffd")  # a provider's own words, which have to fit into our rows
        self.provider = provider
        self.status = status
        self.code = code
        self.request_id = request_id

    def __str__(self) -> str:
        parts = [self.message, self.detail, f"(their request {self.request_id})" if self.request_id else ""]
        return " ".join(part for part in parts if part)


class TransientError(ConnectorError):
    """It did not happen, and the same request may succeed later."""


class RateLimited(TransientError):
    """Too many requests: nothing more on this budget before `retry_after` seconds have passed."""

    def __init__(self, message: str, *, retry_after: float, scope: str = "account", **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.retry_after = retry_after
        self.scope = scope


class OutcomeUnknown(ConnectorError):
    """The request was sent and its answer lost: it may or may not have happened."""


class AuthError(ConnectorError):
    """The provider no longer accepts our credentials: a person has to sign in again."""


class TokenExpired(AuthError):
    """The access token is not accepted; a fresh one may be."""


class RecordRejected(ConnectorError):
    """They refused this one record and would refuse it again: a person has to change something."""

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.fields = dict(fields or {})


class StaleVersion(RecordRejected):
    """The version that we sent is not the current one: the record has to be read again."""


class TooLate(ConnectorError):
    """The time in which it may be sent was over before its first byte: nothing was sent."""


class UnexpectedResponse(ConnectorError):
    """The answer is not as documented: stop and tell us."""


class MappingError(Exception):
    """We cannot express this record on the other side; the message names what is missing."""

    def __init__(self, message: str, *, code: str = "mapping_missing", missing: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.missing = missing
