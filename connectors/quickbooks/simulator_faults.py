"""How QuickBooks Online says no: the faults of the accounting service and the ones of the gateway before it.

The two have different shapes on the wire (Intuit: error codes; shapes and texts seen in live captures). Texts that no
source gives are marked as assumed.
"""

from datetime import datetime
from html import escape
from typing import Any

Body = dict[str, Any]

OTHER_USER = "Jo Doe"
BUSINESS = "A business validation error has occurred while processing your request"
DUPLICATE_NAME = "Duplicate Name Exists Error"
NOT_ON_ONE_LINE = "Names must have at least one character, must be on one line, and cannot include colons or tabbing."


class Refusal(ValueError):
    """The accounting service refuses a request, or one item of a batch, with one fault."""

    def __init__(
        self,
        code: str,
        message: str,
        detail: str,
        element: str = "",
        *,
        status: int = 400,
        kind: str = "ValidationFault",
    ) -> None:
        super().__init__(f"{code} {message}: {detail}")
        self.code, self.message, self.detail, self.element = code, message, detail, element
        self.status, self.kind = status, kind

    def body(self) -> Body:
        """The value of the `Fault` key."""
        error = {"Message": self.message, "Detail": self.detail, "code": self.code, "element": self.element}
        return {"Error": [error], "type": self.kind}


class GatewayRefusal(Exception):
    """The gateway refuses a request before the accounting service sees it."""

    def __init__(self, status: int, code: str, reason: str, detail: str | None, kind: str) -> None:
        super().__init__(reason)
        self.status, self.code, self.detail, self.kind = status, code, detail, kind
        self.message = f"message={reason}; errorCode={code.zfill(6)}; statusCode={status}"

    def body(self, now: datetime) -> Body:
        """The whole answer, in the gateway's lower case; a 401 carries every empty member of its class."""
        error = {"message": self.message, "detail": self.detail, "code": self.code, "element": None}
        fault = {"error": [error], "type": self.kind}
        if self.status != 401:
            return {"fault": fault}
        return {
            "warnings": None,
            "intuitObject": None,
            "fault": fault,
            "report": None,
            "queryResponse": None,
            "batchItemResponse": [],
            "attachableResponse": [],
            "syncErrorResponse": None,
            "requestId": None,
            "time": int(now.timestamp() * 1000),
            "status": None,
            "cdcresponse": [],
        }


def as_xml(refusal: Refusal | GatewayRefusal, now: datetime) -> bytes:
    """The same fault for a caller who did not ask for JSON."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<IntuitResponse xmlns="http://schema.intuit.com/finance/v3" time="{now.isoformat(timespec="milliseconds")}">'
        f'<Fault type="{escape(refusal.kind)}"><Error code="{escape(refusal.code)}">'
        f"<Message>{escape(refusal.message)}</Message><Detail>{escape(refusal.detail or '')}</Detail>"
        "</Error></Fault></IntuitResponse>"
    ).encode()


# The gateway.


def unauthorized(detail: str) -> GatewayRefusal:
    """The access token is missing, malformed, expired or revoked."""
    return GatewayRefusal(401, "3200", "AuthenticationFailed", detail, "AUTHENTICATION")


def forbidden() -> GatewayRefusal:
    """The token is alive and not for this company."""
    return GatewayRefusal(403, "3100", "ApplicationAuthorizationFailed", None, "SERVICE")


def throttled() -> Refusal:
    """Too many requests; the upper-case shape, without Retry-After."""
    return Refusal(
        "3001",
        "message=ThrottleExceeded; errorCode=003001; statusCode=429",
        "The request limit was reached.  Try again later",
        status=429,
        kind="SERVICE",
    )


# The request.


def unsupported_property() -> Refusal:
    """An unknown field, a wrong JSON type or a bad enumeration value: one text for all, naming nothing."""
    return Refusal(
        "2010",
        "Request has invalid or unsupported property",
        "Property Name:failed to parse json object; a property specified is unsupported or invalid",
    )


def missing(name: str) -> Refusal:
    """A required parameter is not there."""
    return Refusal(
        "2020",
        "Required param missing, need to supply the required value for the API",
        f"Required parameter {name} is missing in the request",
        name,
    )


def too_long(name: str, longest: int, length: int) -> Refusal:
    """A text is longer than its field (wording assumed)."""
    return Refusal(
        "2050",
        "String length is either shorter or longer than supported by specification",
        f"String length specified does not match the supported length. Min:0 Max:{longest} supported. "
        f"Supplied length:{length}",
        name,
    )


def bad_date(name: str, value: object) -> Refusal:
    """A date that is none (wording assumed)."""
    return Refusal("2070", "Invalid Date", f"Invalid Date : {value} is not a date of the form yyyy-mm-dd", name)


def bad_currency(name: str, code: str) -> Refusal:
    """A currency that is none, or none of this company's (wording assumed)."""
    return Refusal("2220", "Invalid Currency", f"Invalid Currency : {code} is not a currency to use here", name)


def still_under_way() -> Refusal:
    """The request of this requestid is not answered yet (its use and wording are assumed)."""
    return Refusal("600", "Duplicate Request ID", "Duplicate Request ID : The first request is still being processed.")


def not_acceptable() -> Refusal:
    """The caller wants XML, which is out of scope here; Intuit would answer with it."""
    return Refusal("1050", "Invalid content type", "Ask for application/json.", status=406)


def wrong_content_type() -> Refusal:
    """The body is not declared as JSON (status assumed)."""
    return Refusal("1050", "Invalid content type", "Send application/json.", status=415)


def unsupported_operation(detail: str) -> Refusal:
    """The object has no such operation."""
    return Refusal("500", "Unsupported Operation", detail, "Operation")


def system_failure() -> Refusal:
    """Something broke on their side, and says so under status 200."""
    return Refusal(
        "10000",
        "An application error has occurred while processing your request",
        "System Failure Error: java.lang.UnsupportedOperationException",
        "SystemFailureError",
        status=200,
        kind="SystemFault",
    )


# Objects.


def inactive() -> Refusal:
    """The object is not there, or a reference to it has been made inactive."""
    return Refusal(
        "610",
        "Object Not Found",
        "Object Not Found : Something you're trying to use has been made inactive. "
        "Check the fields with accounts, customers, items, vendors or employees.",
    )


def deleted() -> Refusal:
    """The transaction was there once."""
    return Refusal("610", "Object Not Found", "Object Not Found : Another user has deleted this transaction.")


def invalid_reference(noun: str, identity: str) -> Refusal:
    """A reference to an object that never was."""
    return Refusal(
        "2500",
        "Invalid Reference Id",
        f"Invalid Reference Id : {noun} element id {identity} not found",
    )


def stale(user: str) -> Refusal:
    """The SyncToken is not the current one."""
    return Refusal(
        "5010",
        "Stale Object Error",
        f"Stale Object Error : You and {user} were working on this at the same time. "
        f"{user} finished before you did, so your work was not saved.",
    )


def business(text: str) -> Refusal:
    """A rule of the books is broken."""
    return Refusal("6000", BUSINESS, f"Business Validation Error: {text}")


def duplicate_name(detail: str) -> Refusal:
    """The name is taken."""
    return Refusal("6240", DUPLICATE_NAME, f"The name supplied already exists. : {detail}")


def duplicate_number(number: str, entity: str, identity: str) -> Refusal:
    """The document number is taken, and the company wants to be warned."""
    return Refusal(
        "6140",
        "Duplicate Document Number Error",
        "Duplicate Document Number Error : You must specify a different number. This number has already been used. "
        f"DocNumber={number} is assigned to TxnType={entity} with TxnId={identity}",
    )


def bad_name() -> Refusal:
    """A name holds a character that it must not."""
    return Refusal("2180", "Invalid Enumeration", NOT_ON_ONE_LINE)


def period_closed(code: str) -> Refusal:
    """The transaction's date lies in a closed period."""
    return Refusal(
        code,
        "Account Period Closed, Cannot Update Through Services API",
        "The account period has closed and the account books cannot be updated through through the QBO Services API. "
        "Please use the QBO website to make these changes.",
    )


def feature_off(feature: str) -> Refusal:
    """The company has not switched on what this needs (wording assumed)."""
    return Refusal("5030", "Feature Not Supported Error", f"Feature Not Supported Error : {feature} is turned off.")


def wrong_account_type() -> Refusal:
    """The account is of another type than this field takes (wording assumed)."""
    return Refusal(
        "6430",
        "Invalid account type",
        "Invalid account type : You need to select a different type of account for this transaction.",
    )


def cannot_be_linked(reason: str) -> Refusal:
    """The transactions do not belong together (wording assumed)."""
    return Refusal("620", "Transaction cannot be linked", f"Transaction cannot be linked : {reason}")


def has_dependencies() -> Refusal:
    """Other transactions are linked to the one to be deleted (code and wording assumed)."""
    return Refusal(
        "800",
        "Object cannot be deleted",
        "Object cannot be deleted : Remove the transactions that are linked to it first.",
    )


def subscription_ended() -> Refusal:
    """The company does not pay Intuit any more: a fault under status 200, reported by users."""
    return Refusal(
        "6190",
        "Invalid Company Status",
        "Subscription period has ended or canceled or there was a billing problem : You can only view data because "
        "your trial or subscription ended or there was a problem billing you.",
        status=200,
    )
