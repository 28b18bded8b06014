"""The simulated sign-in: consent, codes, tokens with their lives, revocation, and the gateway that checks them."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from connectors.quickbooks.simulator_switches import Switches
from tests.quickbooks_company import ACCOUNTING, CALLBACK, CREDENTIALS, REALM, Caller, code_of, open_books

ASKED = {
    "client_id": CREDENTIALS[0],
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": ACCOUNTING,
    "state": "s-1",
}


def returned(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@pytest.mark.parametrize("path", ["openid_sandbox_configuration", "openid_configuration/"])
def test_discovery_names_addresses_below_the_one_it_was_asked_at(path: str) -> None:
    found = open_books().http.get(f"/.well-known/{path}").json()
    assert found["token_endpoint"] == "http://intuit.test/quickbooks/oauth2/v1/tokens/bearer"
    assert found["authorization_endpoint"] == "http://intuit.test/quickbooks/connect/oauth2"


def test_a_person_chooses_the_company_or_declines() -> None:
    caller = open_books()
    caller.simulator.person("consent_automatically", realm_id=None)
    page = caller.http.get("/connect/oauth2", params=ASKED)
    assert (page.status_code, page.headers["x-frame-options"]) == (200, "DENY")
    assert "Sandbox Company" in page.text
    chosen = caller.http.post("/connect/oauth2", params=ASKED, data={"realm_id": REALM, "decision": "connect"})
    assert returned(chosen.headers["location"]).keys() == {"code", "state", "realmId"}
    declined = caller.http.post("/connect/oauth2", params=ASKED, data={"realm_id": REALM, "decision": "deny"})
    assert returned(declined.headers["location"]) == {"error": "access_denied", "state": "s-1"}


@pytest.mark.parametrize("change", [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example/"}, {"state": ""}])
def test_a_request_that_cannot_be_trusted_is_not_sent_back(change: dict[str, str]) -> None:
    answer = open_books().http.get("/connect/oauth2", params={**ASKED, **change})
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_an_unknown_scope_is_sent_back_as_an_error() -> None:
    answer = open_books().http.get("/connect/oauth2", params={**ASKED, "scope": "everything"})
    assert returned(answer.headers["location"]) == {"error": "invalid_scope", "state": "s-1"}


def test_a_code_works_once_and_ten_minutes_and_its_second_use_ends_the_connection() -> None:
    caller = open_books()
    old = caller.code()
    caller.clock.advance(timedelta(minutes=10, seconds=1))
    refused = caller.exchange(old)
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})
    code = caller.code()
    caller.tokens = caller.exchange(code).json()
    assert caller.tokens["expires_in"] == 3600
    assert caller.exchange(code).status_code == 400
    assert caller.send("GET", "preferences").status_code == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({}, 400, "invalid_request"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "AB11unknown"}, 400, "invalid_grant"),
    ],
)
def test_the_token_endpoint_refuses(form: dict[str, str], status: int, error: str) -> None:
    answer = open_books().token(form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert "intuit_tid" in answer.headers


def test_a_wrong_secret_is_an_invalid_client() -> None:
    answer = open_books().http.post("/oauth2/v1/tokens/bearer", data={}, auth=(CREDENTIALS[0], "wrong"))
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_the_refresh_token_stays_for_a_day_and_then_the_older_of_two_workers_loses() -> None:
    caller = open_books()
    first = caller.tokens["refresh_token"]
    caller.clock.advance(timedelta(hours=23))
    assert caller.refresh().json()["refresh_token"] == first
    caller.clock.advance(timedelta(hours=2))
    second = caller.refresh().json()
    assert second["refresh_token"] != first
    late = caller.refresh()
    assert (late.status_code, late.json()["error"]) == (400, "invalid_grant")
    caller.tokens = second
    assert caller.refresh().status_code == 200


def test_a_grace_period_gives_the_late_worker_the_new_token() -> None:
    caller = open_books(Switches(refresh_grace=timedelta(seconds=60)))
    caller.clock.advance(timedelta(hours=25))
    second = caller.refresh().json()["refresh_token"]
    assert caller.refresh().json()["refresh_token"] == second
    caller.clock.advance(timedelta(seconds=61))
    assert caller.refresh().status_code == 400


def test_reuse_may_end_the_whole_connection() -> None:
    caller = open_books(Switches(rotate_each_refresh=True, revoke_on_reuse=True))
    second = caller.refresh().json()
    assert caller.refresh().status_code == 400
    caller.tokens = second
    assert caller.refresh().status_code == 400


def test_an_unused_refresh_token_lapses_and_five_years_end_even_a_used_one() -> None:
    caller = open_books()
    hard = {"x-include-refresh-token-hard-expires-in": "true"}
    for days in range(0, 1800, 100):
        caller.clock.advance(timedelta(days=100))
        caller.tokens = caller.refresh(hard).json()
        assert caller.tokens["x_refresh_token_hard_expires_in"] == (1825 - days - 100) * 86400
    caller.clock.advance(timedelta(days=26))
    assert caller.refresh().status_code == 400
    caller.sign_in()
    caller.clock.advance(timedelta(days=102))
    assert caller.refresh().status_code == 400


def test_the_gateway_tells_an_expired_token_from_a_malformed_one() -> None:
    caller = open_books()
    caller.clock.advance(timedelta(minutes=60))
    expired = caller.send("GET", "vendor/1")
    assert expired.status_code == 401
    assert expired.json()["fault"]["error"][0]["detail"] == "Token expired"
    assert isinstance(expired.json()["time"], int)
    malformed = caller.send("GET", "vendor/1", headers={"Authorization": "Bearer nonsense"}).json()["fault"]
    assert malformed["error"][0]["detail"] == "Malformed bearer token: too short or too long"
    assert malformed["type"] == "AUTHENTICATION"


def test_a_token_for_another_company_is_forbidden() -> None:
    caller = open_books()
    caller.simulator.create_company("77", "Other")
    answer = Caller(caller.simulator, caller.clock, "77", caller.tokens).send("GET", "preferences")
    assert (answer.status_code, answer.json()["fault"]["error"][0]["code"]) == (403, "3100")


def test_disconnecting_and_revoking_end_both_tokens() -> None:
    caller = open_books()
    caller.simulator.person("disconnect", realm_id=REALM)
    assert caller.send("GET", "preferences").status_code == 401
    assert caller.refresh().json()["error"] == "invalid_grant"
    caller.sign_in()
    token = {"token": caller.tokens["refresh_token"]}
    revoked = caller.http.post("/v2/oauth2/tokens/revoke", json=token, auth=CREDENTIALS)
    assert (revoked.status_code, revoked.content) == (200, b"")
    assert caller.http.post("/v2/oauth2/tokens/revoke", data=token, auth=CREDENTIALS).status_code == 400
    assert caller.send("GET", "preferences").status_code == 401


def test_a_new_sign_in_ends_the_older_tokens() -> None:
    caller = open_books()
    older = Caller(caller.simulator, caller.clock, tokens=caller.tokens)
    caller.sign_in()
    assert older.refresh().status_code == 400
    assert caller.refresh().status_code == 200


def test_openid_gives_a_signed_token_and_the_user() -> None:
    caller = open_books().sign_in(f"{ACCOUNTING} openid email")
    keys = jwt.PyJWKSet.from_dict(caller.http.get("/op/v1/jwks").json())
    claims = jwt.decode(
        caller.tokens["id_token"],
        keys["simulator"].key,
        algorithms=["RS256"],
        audience=CREDENTIALS[0],
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["realmid"] == REALM
    bearer = {"Authorization": f"Bearer {caller.tokens['access_token']}"}
    assert caller.http.get("/v1/openid_connect/userinfo", headers=bearer).json()["sub"] == claims["sub"]


def test_whoever_wants_xml_is_refused_in_xml() -> None:
    caller = open_books()
    answer = caller.send("GET", "vendor/1", headers={"Accept": "*/*"})
    assert (answer.status_code, answer.headers["content-type"]) == (406, "application/xml")
    caller.tokens["access_token"] = "x"
    assert b'type="AUTHENTICATION"' in caller.send("GET", "vendor/1", headers={"Accept": "text/xml"}).content


def test_a_company_that_does_not_pay_is_refused_under_status_200() -> None:
    caller = open_books()
    caller.simulator.person("set_subscription", realm_id=REALM, status="SUSPENDED")
    answer = caller.send("GET", "preferences")
    assert (answer.status_code, code_of(answer.json())) == (200, "6190")


def test_the_eleventh_request_of_a_second_waits_and_was_never_made() -> None:
    caller = open_books()
    caller.simulator.throttled = True
    for number in range(10):
        caller.vendor(f"Vendor {number}")
    refused = caller.send("POST", "vendor", json={"DisplayName": "One too many"})
    assert (refused.status_code, code_of(refused.json()), "retry-after" in refused.headers) == (429, "3001", False)
    assert len(caller.simulator.company(REALM).vendors) == 10
    caller.clock.advance(timedelta(seconds=1))
    assert caller.vendor("In time")["Id"] == "11"


def test_forty_batches_a_minute_are_the_most() -> None:
    caller = open_books()
    caller.simulator.throttled = True
    batch = {"BatchItemRequest": [{"bId": "1", "Query": "select * from Term"}]}
    answers = []
    for _ in range(60):
        answers.append(caller.send("POST", "batch", json=batch).status_code)
        caller.clock.advance(timedelta(milliseconds=100))
    assert answers[:40] == [200] * 40
    assert answers.count(429) >= 15


def test_metered_reads_are_counted_and_may_run_out() -> None:
    caller = open_books(Switches(core_plus_allowance=3))
    caller.vendor()
    assert caller.simulator.company(REALM).core_plus_calls == 0
    statuses = [caller.send("GET", "vendor/1").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
