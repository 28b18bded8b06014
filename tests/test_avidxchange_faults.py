"""Every answer of AvidXchange's gateway and of its own services means one thing for the work."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from connectors.avidxchange.contract import Profile, named_profile
from connectors.avidxchange.faults import FAULTS, ROWS, classify, classify_sign_in, fault, record_error, remedy
from connectors.avidxchange.results import decode_results
from connectors.avidxchange.wire import Row
from connectors.base import Fault, Outcome, Receipt
from connectors.errors import (
    AuthError,
    ConnectorError,
    MappingError,
    OutcomeUnknown,
    RateLimited,
    RecordRejected,
    StaleVersion,
    TokenExpired,
    TransientError,
    UnexpectedResponse,
)
from connectors.http import Answer
from tests.avidxchange_partner import PROFILES

DATE = "Sat, 21 Nov 2026 05:33:30 GMT"
SIGN_IN = {"app_credentials", "sign_in_address"}
OUR_OWN = {
    "foreign_link", "address_missing", "contract_profile", "row_unreadable", "tokens_refused", "credentials_incomplete",
    "image_locked", "image_damaged", "image_empty", "not_offered", "field_missing", "field_too_long", "field_too_short",
    "reference_missing", "currency_not_paid", "amount_not_positive", "amount_too_fine", "too_many_lines",
    "status_unknown", "credit_line_above_zero",
}  # fmt: skip
SECRET = "hunter2-of-the-partner"
CARD = "4111111111111111"
ASSUMED = named_profile("assumed-v1")


def answer(status: int, body: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status=status, headers={"date": DATE, **(headers or {})}, body=body.encode())


def meaning(status: int, body: str, *, write: bool = True, headers: Mapping[str, str] | None = None) -> ConnectorError:
    error = classify(ASSUMED, write=write)(answer(status, body, headers))
    assert error is not None
    return error


def dialects(code: int, **more: str) -> list[str]:
    """A refusal of the gateway in each of its forms."""
    said: dict[str, object] = {"message": "No", "description": "Because", **more}
    inner = "".join(f"<ams:{name}>{value}</ams:{name}>" for name, value in {"code": code, **said}.items())
    return [
        msgspec.json.encode({"fault": {"code": code, **said}}).decode(),
        msgspec.json.encode({"code": str(code), **said}).decode(),
        f'<?xml version="1.0"?>\n<ams:fault xmlns:ams="http://wso2.org/apimanager/security">{inner}</ams:fault>',
    ]


def reached(row: Fault) -> Outcome | MappingError | None:
    """What the row's raw answer becomes."""
    assert row.sample is not None
    status, body = row.sample
    if row.code in SIGN_IN:
        return classify_sign_in(answer(status, body))
    if row.code == "answer_lost":
        with pytest.raises(UnexpectedResponse):
            answer(status, body).json()
        return fault("answer_lost", write=True)
    if status != 200:
        return meaning(status, body)
    return decode_results(ASSUMED, "invoice", ["k"], answer(status, body).json())["k"]


@pytest.mark.parametrize("row", [row for row in FAULTS if row.code not in OUR_OWN], ids=lambda row: row.code)
def test_the_raw_answer_of_each_row_reaches_it(row: Fault) -> None:
    error = reached(row)
    assert isinstance(error, ConnectorError)
    assert (error.code, error.message, error.provider) == (row.code, row.cause, "avidxchange")


def test_a_row_without_a_raw_answer_is_one_of_our_own() -> None:
    assert {row.code for row in FAULTS if row.sample is None} == OUR_OWN
    assert remedy("bill_locked").startswith("Undo")


def test_every_error_word_of_the_contract_has_a_row_or_concerns_what_we_do_not_send() -> None:
    known = {code for row in ROWS for code in row.codes}
    assert set(ASSUMED.enums["error_code"]) - known == {"remit_to_incomplete"}  # a warning, which refuses nothing


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, 900901, TokenExpired), (401, 900903, TokenExpired), (401, 900904, TokenExpired),
        (401, 900902, UnexpectedResponse), (401, 900905, AuthError), (401, 900907, AuthError), (401, 900909, AuthError),
        (403, 900906, UnexpectedResponse), (403, 900908, AuthError), (403, 900910, AuthError),
        (429, 900800, RateLimited), (429, 900802, RateLimited), (429, 900803, RateLimited), (429, 900804, RateLimited),
        (429, 900806, RateLimited), (429, 900807, RateLimited), (503, 900801, RateLimited), (429, 900805, AuthError),
        (503, 700700, TransientError), (400, 102511, TransientError), (500, 900900, OutcomeUnknown),
        (503, 101503, OutcomeUnknown), (504, 101504, OutcomeUnknown), (502, 101599, OutcomeUnknown),
    ],
)  # fmt: skip
def test_the_gateway_is_understood_in_all_its_dialects(status: int, code: int, expected: type[ConnectorError]) -> None:
    for body in dialects(code):
        assert type(meaning(status, body)) is expected
        assert str(code) in meaning(status, body).detail


@pytest.mark.parametrize("profile", [named_profile(name) for name in PROFILES], ids=PROFILES)
def test_the_applications_own_refusals_are_understood_by_any_profiles_names(profile: Profile) -> None:
    expected = {
        "invoice_locked": RecordRejected, "invoice_has_payments": RecordRejected, "conflict": StaleVersion,
        "company_not_linked": AuthError, "window_too_large": UnexpectedResponse, "maintenance": OutcomeUnknown,
    }  # fmt: skip
    for code, error in expected.items():
        body: dict[str, Any] = {}
        for field, value in (("code", profile.word("error_code", code)), ("message", "Why."), ("correlation", "c-7")):
            profile.put("error_reply", body, field, value)
        found = classify(profile, write=True)(answer(418, msgspec.json.encode(body).decode()))
        assert found is not None
        assert type(found) is error
        assert found.request_id == "c-7"
        assert "Why." in found.detail


@pytest.mark.parametrize("body", ["", "<html><body>502</body></html>", "upstream gone", "null", "[1]", "{", "\xff"])
def test_a_server_that_fails_in_any_form_leaves_a_write_in_doubt_and_a_read_to_be_tried_again(body: str) -> None:
    for status in (408, 500, 502, 503, 504, 520):
        assert type(meaning(status, body)) is OutcomeUnknown
        assert type(meaning(status, body, write=False)) is TransientError


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, UnexpectedResponse), (400, UnexpectedResponse), (401, TokenExpired), (403, AuthError),
        (404, UnexpectedResponse), (405, UnexpectedResponse), (409, StaleVersion), (413, RecordRejected),
        (415, UnexpectedResponse), (429, RateLimited),
    ],
)  # fmt: skip
def test_an_answer_without_a_known_code_is_understood_by_its_status(
    status: int, expected: type[ConnectorError]
) -> None:
    for body in ("", "<html>no</html>", '{"exception":{"reason":"x","detail":"y"}}', '{"error":{"code":"NEVER_SEEN"}}'):
        assert type(meaning(status, body)) is expected


def test_the_older_forms_of_refusal_are_told() -> None:
    assert meaning(401, '{"exception":{"reason":"Expired","detail":"User token"}}').detail == "Expired User token"
    assert meaning(400, '{"error_description":"bad"}').detail == "bad"


def test_nothing_can_be_refused_over_a_read() -> None:
    for status, body in (
        (413, ""),
        (409, '{"error":{"code":"INVOICE_LOCKED"}}'),
        (404, '{"error":{"code":"NOT_FOUND"}}'),
    ):
        assert type(meaning(status, body, write=False)) is UnexpectedResponse


def test_a_success_is_no_fault() -> None:
    assert classify(ASSUMED, write=True)(answer(200, '{"code":"900901"}')) is None
    assert classify_sign_in(answer(200, "{}")) is None


# Waiting.


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (dialects(900803, nextAccessTime="2026-Nov-21 05:34:00+0000 UTC")[0], {}, 31),
        (dialects(900803, nextAccessTime="2026-Nov-21 05:34:00+0000 UTC")[1], {"retry-after": "600"}, 31),
        (dialects(900803, nextAccessTime="2026-Nov-21 05:34:00+0000 UTC")[2], {}, 31),
        (dialects(900803)[0], {"retry-after": "Sat, 21 Nov 2026 05:34:30 GMT"}, 61),
        (dialects(900803)[0], {"retry-after": "7"}, 7),
        (dialects(900803)[0], {"retry-after": "0"}, 1),
        (dialects(900803)[0], {"retry-after": "9" * 4000}, 900),
        (dialects(900803)[0], {"retry-after": "Sun, 22 Nov 2026 05:34:30 GMT"}, 900),
        (dialects(900803)[0], {"retry-after": "Fri, 20 Nov 2026 05:34:30 GMT"}, 1),
        (dialects(900803)[0], {"retry-after": "soon", "date": "today"}, 15),
        (dialects(900803, nextAccessTime="later")[0], {}, 15),
        (dialects(900807)[0], {}, 1),
        ("", {}, 15),
    ],
)
def test_the_wait_is_what_they_ask_for_by_their_own_clock(body: str, headers: dict[str, str], seconds: int) -> None:
    error = meaning(429, body, headers=headers)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_a_hard_limit_waits_like_a_throttle_in_each_dialect_and_a_block_is_not_waited_for() -> None:
    until = "2026-Nov-21 05:34:00+0000 UTC"
    throttling = [body.replace("ams:", "amt:").replace("/security", "/throttling") for body in dialects(900801)]
    for body in (*dialects(900801, nextAccessTime=until), *throttling):
        error = meaning(503, body, headers={"retry-after": "Sat, 21 Nov 2026 05:34:00 GMT"})
        assert isinstance(error, RateLimited)
        assert (error.retry_after, error.scope) == (31, "app")
    for body in dialects(900805, nextAccessTime=until):
        assert type(meaning(429, body, headers={"retry-after": "60"})) is AuthError


def test_a_company_that_signs_by_its_own_tokens_is_asked_for_new_ones_and_any_other_fault_is_as_ever() -> None:
    by_tokens = classify(ASSUMED, write=False, by_tokens=True)
    for code in (900901, 900903, 900904):
        for body in dialects(code):
            error = by_tokens(answer(401, body))
            assert type(error) is AuthError
            assert error.code == "tokens_refused"
    for status, code in ((401, 900902), (401, 900905), (401, 900907), (403, 900908), (429, 900803)):
        for body in dialects(code):
            same = by_tokens(answer(status, body))
            assert same is not None
            assert same.code == meaning(status, body, write=False).code


def test_a_throttle_of_the_application_stops_all_its_customers_and_one_of_a_resource_does_not() -> None:
    scopes = {}
    for code in (900803, 900802):
        error = meaning(429, dialects(code)[0])
        assert isinstance(error, RateLimited)
        scopes[code] = error.scope
    assert scopes == {900803: "app", 900802: "account"}


# Secrets.


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 418, 429, 500, 503])
def test_nothing_of_a_token_calls_answer_is_in_its_error(status: int) -> None:
    error = classify_sign_in(
        answer(status, f'{{"error_description":"{SECRET}","error":"{SECRET}","password":"{SECRET}"}}')
    )
    assert error is not None
    assert SECRET not in f"{error} {error.detail} {error.code} {error.request_id} {error.args} {vars(error)}"


def test_a_refused_application_needs_its_keys_corrected() -> None:
    for status in (400, 401, 403):
        error = classify_sign_in(answer(status, ""))
        assert type(error) is AuthError
        assert error.code == "app_credentials"
    assert type(classify_sign_in(answer(503, ""))) is TransientError
    assert type(classify_sign_in(answer(429, ""))) is RateLimited


def test_a_card_number_in_their_words_is_taken_out() -> None:
    for body in (
        f"Card {CARD}",
        f'{{"error":{{"code":"NEVER_SEEN","message":"Card {CARD}"}}}}',
        *dialects(1, message=CARD),
    ):
        assert CARD not in str(meaning(400, body))
    words = Row(ASSUMED, "record_error", {"code": "FIELD_INVALID", "field": "name", "message": f"Card {CARD}"})
    error = record_error(ASSUMED, "vendor", [words])
    assert isinstance(error, RecordRejected)
    assert CARD not in f"{error} {error.fields}"


# Results of a batch.


def result(**fields: Any) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, value in fields.items():
        ASSUMED.put("batch_result", written, name, value)
    return written


def refused(code: str, *, retryable: bool | str | None = None, field: str = "lines[0].amount") -> dict[str, Any]:
    error = {"code": code, "field": field, "message": "Why.", "retryable": retryable, "existingId": "inv_7"}
    return result(external_id="a", successful=False, errors=[error])


def outcomes(*results: Any, keys: tuple[str, ...] = ("a", "b")) -> list[Outcome]:
    return list(decode_results(ASSUMED, "invoice", keys, {"results": list(results)}).values())


def test_results_are_matched_by_external_id_in_any_order() -> None:
    first, second = outcomes(
        result(external_id="b", successful=True, id="2", version=4), result(external_id="a", successful=True, id="1")
    )
    assert (first, second) == (Receipt(id="1"), Receipt(id="2", version="4"))


def test_results_without_external_id_are_matched_by_index_and_then_by_place() -> None:
    by_index = outcomes(result(index=1, successful=True, id="2"), result(index=0, successful=True, id="1"))
    by_place = outcomes(result(successful="True", id="1"), result(successful="TRUE", id="2"))
    assert by_index == by_place == [Receipt(id="1"), Receipt(id="2")]


@pytest.mark.parametrize(
    "results",
    [
        [], ["nonsense"], [{"externalId": "a"}], [{"externalId": "a", "successful": True}],
        [{"externalId": "a", "successful": "maybe", "id": "1"}], [{"externalId": "z", "successful": True, "id": "1"}],
        [{"index": 7, "successful": True, "id": "1"}], [{"externalId": "a", "successful": True, "id": {"x": 1}}],
    ],
)  # fmt: skip
def test_a_record_of_which_the_reply_does_not_speak_clearly_is_in_doubt(results: list[Any]) -> None:
    for outcome in outcomes(*results):
        assert type(outcome) is OutcomeUnknown
        assert outcome.code == "answer_lost"


def test_a_reply_without_results_leaves_every_record_in_doubt() -> None:
    replies: list[Any] = [None, {}, [], "ok", {"results": None}]
    for reply in replies:
        assert [type(each) for each in decode_results(ASSUMED, "invoice", ["a"], reply).values()] == [OutcomeUnknown]


def test_one_result_and_one_error_alone_are_read_like_lists() -> None:
    error = {"code": "INVOICE_LOCKED", "message": "Locked."}
    reply = {"results": {"externalId": "a", "successful": "false", "errors": error}}
    outcome = decode_results(ASSUMED, "invoice", ["a"], reply)["a"]
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "bill_locked"


def test_a_refusal_names_our_field_and_their_words() -> None:
    outcome = outcomes(refused("DUPLICATE_INVOICE", field="invoiceNumber"))[0]
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "bill_duplicate"
    assert outcome.fields == {"invoice_number": "Why."}
    assert "DUPLICATE_INVOICE" in outcome.detail
    assert "inv_7" in outcome.detail


@pytest.mark.parametrize("code", ["VENDOR_NOT_FOUND", "GL_ACCOUNT_NOT_FOUND"])
def test_what_is_not_there_yet_is_tried_again_only_where_they_say_that_it_may_help(code: str) -> None:
    assert type(outcomes(refused(code, retryable=True))[0]) is TransientError
    assert type(outcomes(refused(code, retryable="true"))[0]) is TransientError
    assert type(outcomes(refused(code, retryable=False))[0]) is RecordRejected
    assert type(outcomes(refused(code))[0]) is RecordRejected


def test_a_refusal_that_cannot_cure_itself_outweighs_one_that_can() -> None:
    codes = ("VENDOR_NOT_FOUND", True), ("DUPLICATE_INVOICE", False)
    errors = [{"code": code, "retryable": retryable, "message": code} for code, retryable in codes]
    outcome = outcomes(result(external_id="a", successful=False, errors=errors))[0]
    assert type(outcome) is RecordRejected
    assert "DUPLICATE_INVOICE" in outcome.detail


def test_a_refusal_without_any_reason_is_one_all_the_same() -> None:
    outcome = outcomes(result(external_id="a", successful=False, errors=[]))[0]
    assert isinstance(outcome, RecordRejected)
    assert outcome.code == "refused"
