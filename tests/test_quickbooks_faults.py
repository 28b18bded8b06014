"""Every fault of QuickBooks has its row, and every answer becomes the error that says what happens next."""

import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import errors
from connectors.errors import (
    AuthError,
    ConnectorError,
    OutcomeUnknown,
    RateLimited,
    RecordRejected,
    StaleVersion,
    TokenExpired,
    TransientError,
    UnexpectedResponse,
)
from connectors.http import Answer, Classify
from connectors.quickbooks.connector import QuickBooksConnector
from connectors.quickbooks.faults import (
    FAULTS,
    Row,
    classify_address,
    classify_file,
    classify_read,
    classify_sign_in,
    classify_write,
    error_of,
    row_of,
)

OURS_ALONE = {"sign_in_code", "not_as_sent", "unreadable_record", "payment_shape", "no_exchange_rate"}
OF_WEBHOOKS = {"webhook_unsigned", "webhook_verifier_missing", "webhook_shape"}  # which are sent to us
OF_FILES = {"file_address_over", "file_gone"}  # said by an object store, which knows no codes
AT_SIGN_IN = {"reauthorise", "app_credentials", "sign_in_request"}
NAMES = st.sampled_from(["Fault", "fault", "Error", "error", "code", "Message", "CDCResponse"])
SAMPLED = [row for row in FAULTS if row.sample]


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(status=status, headers=httpx.Headers({**headers, "intuit_tid": "1-abc"}), body=content)


def fault(code: str, detail: str = "words", element: str = "") -> dict[str, object]:
    entry = {"Message": "Message", "Detail": detail, "code": code, "element": element}
    return {"Fault": {"Error": [entry], "type": "ValidationFault"}, "time": "2026-08-16T13:45:28.123-07:00"}


def raised(error: ConnectorError | None) -> ConnectorError:
    assert error is not None
    return error


# The table


def test_every_row_names_an_error_of_ours() -> None:
    assert QuickBooksConnector.faults == FAULTS
    for row in FAULTS:
        for name in filter(None, (row.error, row.on_write)):
            assert issubclass(getattr(errors, name), ConnectorError), row.code


def test_every_row_but_our_own_has_a_raw_answer() -> None:
    assert {row.code for row in FAULTS if not row.sample} == OURS_ALONE | OF_WEBHOOKS


@pytest.mark.parametrize("row", SAMPLED, ids=lambda row: row.code)
def test_the_raw_answer_reaches_its_row(row: Row) -> None:
    assert row.sample is not None
    doors: list[Classify] = [classify_read, classify_write, classify_address]
    if row.code in AT_SIGN_IN | OF_FILES:
        doors = [classify_sign_in if row.code in AT_SIGN_IN else classify_file]
    for classify in doors:
        error = raised(classify(answer(*row.sample)))
        assert error.code == row.code
        assert error.message == row.cause
        assert (error.provider, error.status, error.request_id) == ("quickbooks", row.sample[0], "1-abc")


def test_raw_answers_that_name_a_code_are_reached_by_it() -> None:
    for row in SAMPLED:
        assert row.sample is not None
        if row.codes:
            assert any(f'"{code}"' in row.sample[1] for code in row.codes), row.code
            assert raised(classify_write(answer(418, row.sample[1]))).code == row.code
            json.loads(row.sample[1])


@pytest.mark.parametrize("row", SAMPLED, ids=lambda row: row.code)
def test_the_error_is_the_one_that_the_row_names(row: Row) -> None:
    assert row.sample is not None
    if row.code in OF_FILES:
        assert type(classify_file(answer(*row.sample))).__name__ == row.error
        return
    read, write = classify_read(answer(*row.sample)), classify_write(answer(*row.sample))
    assert type(read).__name__ == row.error
    assert type(write).__name__ == (row.on_write or row.error)


def test_no_code_of_theirs_stands_in_two_rows_without_words_that_tell_them_apart() -> None:
    seen = [(code, row.says) for row in FAULTS for code in row.codes]
    assert len(seen) == len(set(seen))


def test_a_code_that_the_table_does_not_have_is_unexpected() -> None:
    assert row_of("made_up").code == "unexpected"
    assert isinstance(error_of("made_up"), UnexpectedResponse)


# What happens next


@pytest.mark.parametrize(
    ("status", "body", "read", "write"),
    [
        (400, fault("5010"), StaleVersion, StaleVersion),
        (400, fault("6210"), RecordRejected, RecordRejected),
        (400, fault("6200"), RecordRejected, RecordRejected),
        (400, fault("6240"), RecordRejected, RecordRejected),
        (200, fault("10000"), TransientError, OutcomeUnknown),
        (500, fault("10000"), TransientError, OutcomeUnknown),
        (400, fault("600"), TransientError, OutcomeUnknown),
        (200, fault("6190"), AuthError, AuthError),
        (403, {"fault": {"error": [{"code": "3001"}]}}, RateLimited, RateLimited),
        (429, b"", RateLimited, RateLimited),
        (401, b"<IntuitResponse/>", TokenExpired, TokenExpired),
        (403, b"<html/>", AuthError, AuthError),
        (404, b"", UnexpectedResponse, UnexpectedResponse),
        (302, b"", UnexpectedResponse, UnexpectedResponse),
        (500, b"", TransientError, OutcomeUnknown),
        (504, b"gateway", TransientError, OutcomeUnknown),
        (599, b"", UnexpectedResponse, OutcomeUnknown),
        (200, b'{"BillPayment": {"Id"', TransientError, OutcomeUnknown),
        (200, b"[]", TransientError, OutcomeUnknown),
        (200, b"", TransientError, OutcomeUnknown),
        (400, fault("99999"), UnexpectedResponse, UnexpectedResponse),
        (200, fault("99999"), UnexpectedResponse, OutcomeUnknown),
        (400, {"Fault": {"Error": ["words", 7]}}, UnexpectedResponse, UnexpectedResponse),
        (400, {"fault": {"error": {"code": "5010"}}}, UnexpectedResponse, UnexpectedResponse),
        (400, {"Fault": {}}, UnexpectedResponse, UnexpectedResponse),
        (400, {"Fault": {"Error": [{"code": None, "Message": None}]}}, UnexpectedResponse, UnexpectedResponse),
    ],
)
def test_an_answer_becomes_the_error_for_what_happens_next(
    status: int, body: object, read: type[ConnectorError], write: type[ConnectorError]
) -> None:
    assert type(classify_read(answer(status, body))) is read
    assert type(classify_write(answer(status, body))) is write


def test_a_good_answer_is_no_error() -> None:
    bodies: list[object] = [
        {"Bill": {"Id": "1"}},
        {"QueryResponse": {}},
        {"CDCResponse": [{"QueryResponse": [{}]}], "time": "2026-08-16T13:45:28.123-07:00"},
    ]
    for body in bodies:
        assert classify_read(answer(200, body)) is None
        assert classify_write(answer(200, body)) is None


def test_words_about_a_fault_in_a_record_are_no_fault() -> None:
    assert classify_read(answer(200, {"QueryResponse": {"Bill": [{"PrivateNote": '"Fault"', "Fault": 1}]}})) is None


def test_a_fault_inside_an_answer_about_changes_is_seen() -> None:
    error = classify_read(answer(200, {"CDCResponse": [{"Fault": fault("10000")["Fault"]}]}))
    assert isinstance(error, TransientError)


def test_the_gateways_spelling_is_read_like_the_others() -> None:
    body = {"fault": {"error": [{"message": "M", "detail": "D", "code": "3100", "element": None}], "type": "SERVICE"}}
    error = raised(classify_read(answer(403, body)))
    assert (error.code, error.detail) == ("not_connected", "M: D")


def test_of_several_errors_the_known_one_decides_and_all_are_told() -> None:
    body = fault("99999", "first")
    body["Fault"]["Error"].append({"code": "6140", "Message": "Duplicate", "Detail": "second"})  # type: ignore[index]
    error = raised(classify_write(answer(400, body)))
    assert error.code == "duplicate_number"
    assert "first" in error.detail
    assert "second" in error.detail


def test_a_refused_field_is_named() -> None:
    error = classify_write(answer(400, fault("2020", "Required parameter Line is missing", "Line")))
    assert isinstance(error, RecordRejected)
    assert list(error.fields) == ["Line"]


@pytest.mark.parametrize(("header", "seconds"), [("", 60.0), ("7", 7.0), ("soon", 60.0), ("-5", 60.0)])
def test_the_wait_after_too_many_requests(header: str, seconds: float) -> None:
    error = classify_read(answer(429, b"", **{"retry-after": header}))
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([200, 204, 301, 400, 401, 403, 429, 500, 503]), anything | st.binary(max_size=30))
def test_whatever_comes_is_told_as_one_of_our_errors(status: int, body: object) -> None:
    got = answer(status, body)
    for classify in (classify_read, classify_write, classify_sign_in):
        assert isinstance(classify(got), ConnectorError) or status == 200


# Signing in


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"error": "invalid_grant"}, AuthError, "reauthorise"),
        (400, {"error": "invalid_client"}, AuthError, "app_credentials"),
        (401, b"", AuthError, "app_credentials"),
        (200, {"error": "invalid_grant"}, AuthError, "reauthorise"),
        (503, b"", OutcomeUnknown, "unavailable"),
        (200, b'{"access_token": "ey', OutcomeUnknown, "answer_lost"),
        (429, b"", RateLimited, "throttled"),
        (400, {"error": "surprise"}, UnexpectedResponse, "unexpected"),
    ],
)
def test_a_refusal_to_sign_in_says_who_has_to_act(
    status: int, body: object, kind: type[ConnectorError], code: str
) -> None:
    error = raised(classify_sign_in(answer(status, body)))
    assert (type(error), error.code) == (kind, code)


def test_tokens_are_no_refusal() -> None:
    assert classify_sign_in(answer(200, {"access_token": "ey", "expires_in": 3600})) is None
