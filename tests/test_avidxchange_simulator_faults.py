"""What goes wrong in the simulated AvidXchange on purpose, and who it lets in, under every profile that writes."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from connectors.avidxchange.contract import FOLDER, load_profile
from connectors.avidxchange.simulator import AvidXchangeSimulator
from connectors.avidxchange.simulator_books import ActRefused
from connectors.clock import VirtualClock
from connectors.simulators import SimulatorTransport
from tests.avidxchange_network import COMPANY, START, WRITING_PROFILES, Network, decode


@pytest.fixture(params=WRITING_PROFILES, ids=lambda profile: str(profile.profile_id))
def network(request: pytest.FixtureRequest) -> Network:
    return Network(request.param)


def fault(network: Network, action: str, operation: str = "read_company", **options: Any) -> None:
    """Put a fault in the way of an operation, as somebody outside would."""
    offered = network.profile.operation(operation)
    network.person("add_fault", match=f"{offered.method} {offered.path}", action=action, **options)


# In the way of the next requests.


@pytest.mark.parametrize("dialect", ["jsonWrapped", "jsonFlat", "xml"])
def test_the_gateway_refuses_in_each_dialect(network: Network, dialect: str) -> None:
    fault(network, "gateway", code=900800, dialect=dialect, wait_seconds=90)
    refused = network.call("read_company")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "Mon, 02 Mar 2026 09:01:30 GMT")
    assert "900800" in refused.text
    assert "2026-Mar-02 09:01:30+0000 UTC" in refused.text
    begins = {"jsonWrapped": '{"fault": {"code": 900800', "jsonFlat": '{"code": "900800"', "xml": "<amt:fault "}
    assert refused.text.startswith(begins[dialect])
    assert network.call("read_company").status_code == 200


@pytest.mark.parametrize(
    ("retry_after", "said"), [("date", "Mon, 02 Mar 2026 09:01:30 GMT"), ("seconds", "90"), ("absent", None)]
)
def test_how_long_to_wait_is_said_in_each_form(network: Network, retry_after: str, said: str | None) -> None:
    fault(network, "gateway", code=900803, wait_seconds=90, retry_after=retry_after)
    refused = network.call("read_company")
    assert refused.headers.get("retry-after") == said
    assert refused.headers["date"] == "Mon, 02 Mar 2026 09:00:00 GMT"


def test_the_application_a_proxy_and_a_slow_line_answer_instead(network: Network) -> None:
    fault(network, "application", status=503, code="maintenance")
    fault(network, "proxy_page")
    fault(network, "delay", seconds=40)
    assert network.refusal(network.call("read_company")) == (503, "maintenance")
    page = network.call("read_company")
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
    assert network.call("read_company").status_code == 200
    assert network.clock.now() == START + timedelta(seconds=40)


def test_a_401_comes_once_or_always(network: Network) -> None:
    fault(network, "gateway", code=900901)
    assert [network.call("read_company").status_code for _ in range(2)] == [401, 200]
    fault(network, "gateway", code=900901, times=1000)
    assert [network.call("read_company").status_code for _ in range(3)] == [401] * 3
    network.person("clear_faults")
    assert network.call("read_company").status_code == 200


def test_a_write_is_lost_before_or_after_it_happens_or_its_answer_is_cut(network: Network) -> None:
    fault(network, "drop_request", "upsert_vendors")
    with pytest.raises(httpx.ConnectError):
        network.batch("upsert_vendors", network.vendor(1))
    assert network.books.vendors == {}
    fault(network, "drop_answer", "upsert_vendors")
    with pytest.raises(httpx.ReadTimeout):
        network.batch("upsert_vendors", network.vendor(1))
    assert len(network.books.vendors) == 1
    fault(network, "truncate", "upsert_vendors")
    items = str(network.profile.operation("upsert_vendors").items)
    cut = network.call("upsert_vendors", {items: [network.vendor(2)]})
    with pytest.raises(ValueError, match="truncated"):
        decode(cut.content)
    assert len(network.books.vendors) == 2


def test_a_fault_that_does_not_exist_is_refused(network: Network) -> None:
    with pytest.raises(ActRefused, match="choose from"):
        fault(network, "earthquake")


def test_a_restart_keeps_the_books_and_forgets_the_faults(network: Network, tmp_path: Any) -> None:
    first = Network(network.profile, journal=tmp_path / "journal").with_received()
    first.person("skew_clock", minutes=10)
    fault(first, "gateway", code=900901, times=1000)
    first.act("recode_line", external_id="bill:1", description="Recoded")
    again = AvidXchangeSimulator(VirtualClock(first.clock.now()), tmp_path / "journal", profile=first.profile)
    assert again.books() == first.sim.books()
    assert again.now() == START + timedelta(minutes=10)
    first.http = httpx.Client(transport=SimulatorTransport({"avidxchange": again}))
    assert first.call("read_company").status_code == 200


# Irregular replies.


@pytest.mark.parametrize("minutes", [10, -10])
def test_the_networks_clock_may_be_wrong_and_its_answers_say_so(network: Network, minutes: int) -> None:
    network.person("skew_clock", minutes=minutes)
    network.with_reference_data()
    wrong = START + timedelta(minutes=minutes)
    assert network.books.vendors.external("vendor:1")["updated_at"] == wrong
    answer = network.call("list_vendors")
    assert parsedate_to_datetime(answer.headers["date"]) == wrong
    assert datetime.fromisoformat(network.read("page", decode(answer.content))["as_of"]) == wrong


def test_booleans_come_as_texts_everywhere_and_stop_when_told(network: Network) -> None:
    network.with_reference_data()
    network.batch("upsert_gl_accounts", network.account(2, is_active=False))
    network.later(seconds=1)
    network.person("garble_replies", faults=["text_booleans"])
    assert [row["is_active"] for row in network.rows("list_gl_accounts", "gl_account")] == ["true", "false"]
    assert network.result("upsert_vendors", network.vendor())["successful"] == "true"
    network.person("garble_replies", faults=[])
    assert [row["is_active"] for row in network.rows("list_gl_accounts", "gl_account")] == [True, False]


def test_a_record_comes_again_on_the_next_page(network: Network) -> None:
    network.batch("upsert_vendors", *[network.vendor(number) for number in range(4)])
    network.later(seconds=1)
    network.person("garble_replies", faults=["repeated_records"])
    first = network.page("list_vendors", page_size=2)
    if first["next_cursor"]:
        second = network.page("list_vendors", cursor=first["next_cursor"])
    else:
        second = network.page("list_vendors", page_size=2, page_number=2)
    shown = [network.read("vendor", row)["external_id"] for row in [*first["items"], *second["items"]]]
    assert shown == ["vendor:0", "vendor:0", "vendor:1", "vendor:1", "vendor:2", "vendor:3"]


# Who is let in.


def test_both_sign_ins_open_the_same_books_side_by_side(network: Network) -> None:
    network.with_reference_data()
    network.later(seconds=1)
    tokens = network.profile.sign_in_headers("tokens", **network.act("issue_tokens"))
    rows = [decode(network.call("list_vendors", headers=sent).content) for sent in (tokens, network.headers())]
    assert [network.read("page", page)["items"] for page in rows] == [network.read("page", rows[0])["items"]] * 2
    vendors = {str(network.profile.operation("upsert_vendors").items): [network.vendor(2)]}
    assert network.call("upsert_vendors", vendors, headers=tokens).status_code == 200
    assert len(network.books.vendors) == 2


def test_new_tokens_kill_the_old_ones_and_unknown_ones_never_lived(network: Network) -> None:
    sign = network.profile.sign_in_headers
    old = network.act("issue_tokens")
    network.act("issue_tokens")
    for tokens in (old, {"company_token": "guess", "user_token": "guess"}):
        refused = network.call("read_company", headers=sign("tokens", **tokens))
        assert (refused.status_code, "900901" in refused.text) == (401, True)
    for half in old:
        (header,) = [header for header in network.profile.tokens.headers if header.slot() == half]  # type: ignore[union-attr]
        alone = {header.name: header.fill(old[half])}
        refused = network.call("read_company", headers=alone)
        assert (refused.status_code, "900902" in refused.text) == (401, True)


def test_a_user_without_the_right_to_send_may_still_look(network: Network) -> None:
    tokens = network.profile.sign_in_headers("tokens", **network.act("issue_tokens"))
    network.act("limit_user")
    assert network.call("list_vendors", headers=tokens).status_code == 200
    vendors = {str(network.profile.operation("upsert_vendors").items): [network.vendor()]}
    refused = network.call("upsert_vendors", vendors, headers=tokens)
    assert network.refusal(refused) == (403, "user_not_permitted")
    network.act("limit_user", may_write=True)
    assert network.call("upsert_vendors", vendors, headers=tokens).status_code == 200


def test_a_resource_and_everybody_together_may_have_limits_of_their_own(network: Network) -> None:
    network.person("limit_requests", per_resource=2)
    headers = network.headers()
    network.sim.throttled = True
    answers = [network.call("read_company", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "900802" in answers[-1].text
    assert network.call("list_vendors", headers=headers).status_code == 200
    network.later(minutes=1)
    network.person("limit_requests", hard=1)
    network.person("link_company", company_id="C-2", name="Other")
    tokens = network.profile.sign_in_headers("tokens", **network.person("issue_tokens", company_id="C-2"))
    answers = [network.call("list_vendors", headers=sent) for sent in (headers, tokens)]
    assert [answer.status_code for answer in answers] == [200, 503]
    assert "900801" in answers[-1].text


# Approvers.


def test_an_approver_codes_a_line_otherwise_and_what_was_sent_stays_unchanged(network: Network) -> None:
    network.with_received().with_dimension()
    network.batch("upsert_gl_accounts", network.account(2))
    network.act("put_in_workflow", external_id="bill:1")
    network.act("recode_line", external_id="bill:1", account="account:2", dimensions={"DIM-1": "value:2"})
    read = network.one("get_invoice", "invoice", network.invoice()["id"])
    line = network.read("invoice_line", read["lines"][0])
    assert line["gl_account_external_id"] == "account:2"
    assert network.read("line_dimension", line["dimensions"][0])["value_external_id"] == "value:2"
    assert network.result("submit_invoices", network.bill())["action"] == "unchanged"
    network.act("approve_invoice", external_id="bill:1")
    assert network.result("submit_invoices", network.bill())["action"] == "unchanged"
    with pytest.raises(ActRefused, match="not coded"):
        network.act("recode_line", external_id="bill:1", description="Too late")
    assert network.sim.books()[COMPANY]["invoices"][0]["lines"][0]["gl_account_external_id"] == "account:2"


def test_an_invoice_in_error_says_why_until_it_is_corrected(network: Network) -> None:
    network.with_received()
    network.act("fail_invoice", external_id="bill:1", reason="The number is unreadable")
    (error,) = network.one("get_invoice", "invoice", network.invoice()["id"])["errors"]
    assert network.read("record_error", error)["message"] == "The number is unreadable"
    network.batch("submit_invoices", network.bill(description="Corrected"))
    assert network.one("get_invoice", "invoice", network.invoice()["id"])["errors"] == []


# Repeated requests.


def test_a_repeated_key_is_answered_as_before_for_a_day_and_never_for_another_request(network: Network) -> None:
    override = {"capabilities": {"idempotencyHeader": True}, "headers": {"idempotency_key": "Once"}}
    able = Network(load_profile(FOLDER / f"{network.profile.profile_id}.json", override))
    items = str(able.profile.operation("upsert_vendors").items)

    def send(name: str, key: str = "run:1") -> httpx.Response:
        body = {items: [able.vendor(name=name)]}
        return able.call("upsert_vendors", body, headers={**able.headers(), "Once": key})

    first, again = send("One"), send("One")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert able.refusal(send("Two")) == (422, "idempotency_key_reused")
    assert able.read("batch_reply", send("One", "run:2").json())["unchanged"] == 1
    able.later(hours=24)
    assert able.read("batch_reply", send("Two").json())["updated"] == 1
    network.call("upsert_vendors", {items: [network.vendor()]}, headers={**network.headers(), "Once": "run:1"})
    plain = network.call("upsert_vendors", {items: [network.vendor()]}, headers={**network.headers(), "Once": "run:1"})
    assert network.read("batch_reply", plain.json())["unchanged"] == 1
