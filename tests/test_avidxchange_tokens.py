"""A connection by company token and user token: on every request, asked for nowhere, and over at once when revoked."""

from typing import Any

import msgspec
import pytest

from audit.models import Event
from connectors import services
from connectors.avidxchange.connector import App, AvidXchangeConnector, Credentials
from connectors.base import Receipt
from connectors.conversation import Conversation, finish
from connectors.errors import AuthError, UnexpectedResponse
from connectors.models import Connection, Token
from connectors.records import Kind
from syncs.models import Feed, Problem
from tests.avidxchange_partner import APP, COMPANY, PROFILES, Partner, bill, image, key_of, write
from tests.payables import enter_bill, enter_vendor, invoice
from tests.simulation.world import World, begin

ADDRESSES_ONLY = App()


@pytest.fixture(params=PROFILES)
def partner(request: pytest.FixtureRequest) -> Partner:
    return Partner(request.param)


def tokens_of(partner: Partner) -> Credentials:
    return Credentials(**partner.act("issue_tokens"))


def test_both_tokens_are_on_every_request_and_nothing_is_asked_of_the_token_endpoint(partner: Partner) -> None:
    partner.with_bills(1)
    credentials = tokens_of(partner)
    sign_in = partner.profile.tokens
    assert sign_in is not None
    expected = {header.name.lower(): header.fill(getattr(credentials, header.slot())) for header in sign_in.headers}
    seen: list[bool] = []

    def look(request: Any, proceed: Any) -> Any:
        seen.append(expected.items() <= request.headers.items())
        return proceed()

    for method in ("GET", "POST", "PUT"):
        partner.sim.fault(method, look, times=100)
    before = len(partner.sim.requests)
    connector = partner.signed_in(ADDRESSES_ONLY, credentials)
    assert connector.account().id == COMPANY
    assert isinstance(connector.write([write(bill(2))])[0], Receipt)
    sent = write(image(1, partner.books.invoice(external_id=key_of("bill 1"))["id"]), content=b"%PDF-1")
    assert isinstance(connector.write([sent])[0], Receipt)
    partner.later(minutes=5)
    assert len(connector.read(Kind.VENDOR, None).records) == 1
    asked = partner.sim.requests[before:]
    assert len(seen) == len(asked) == 4
    assert all(seen)
    assert not [path for _, path, _ in asked if "token" in path]


def test_a_revoked_token_asks_for_new_ones_and_nothing_is_tried_again(partner: Partner) -> None:
    credentials = tokens_of(partner)
    partner.sim.person("revoke_token", token=credentials.user_token)
    connector = partner.signed_in(ADDRESSES_ONLY, credentials)
    for call in (
        connector.account,
        lambda: connector.write([write(bill())]),
        lambda: connector.read(Kind.VENDOR, None),
    ):
        before = len(partner.sim.requests)
        with pytest.raises(AuthError) as refused:
            call()
        assert type(refused.value) is AuthError
        assert refused.value.code == "tokens_refused"
        assert len(partner.sim.requests) - before == 1
    assert connector.check()[0].remedy.startswith("Issue new tokens in AvidSuite")


def test_tokens_of_two_companies_are_a_fault_of_their_own(partner: Partner) -> None:
    first = tokens_of(partner)
    partner.sim.person("link_company", company_id="C-2", name="Other")
    second = partner.sim.person("issue_tokens", company_id="C-2")
    mixed = Credentials(company_token=first.company_token, user_token=second["user_token"])
    with pytest.raises(AuthError) as refused:
        partner.signed_in(ADDRESSES_ONLY, mixed).account()
    assert refused.value.code == "token_company_mismatch"


@pytest.mark.parametrize(
    ("app", "entered"),
    [
        (APP, {}),
        (APP, {"company_token": "c"}),
        (APP, {"user_token": "u"}),
        (APP, {"company_id": COMPANY, "user_token": "u"}),
        (APP, {"company_id": COMPANY, "company_token": "c", "user_token": "u"}),
        (App(), {"company_id": COMPANY}),
        (App(client_id="partner-app"), {"company_id": COMPANY}),
    ],
)
def test_exactly_one_whole_sign_in_has_to_be_filled_in(app: App, entered: dict[str, str]) -> None:
    with pytest.raises(UnexpectedResponse) as refused:
        Partner().signed_in(app, Credentials(**entered))
    assert refused.value.code == "credentials_incomplete"


def test_the_tokens_are_secrets_and_no_text_shows_them() -> None:
    credentials = Credentials(company_token="canary-c", user_token="canary-u")
    assert "canary" not in f"{credentials!r} {credentials}"
    marked = {
        field.name
        for field in msgspec.inspect.type_info(Credentials).fields  # type: ignore[attr-defined]
        if getattr(field.type, "extra", None) == {"secret": True}
    }
    assert marked == {"company_token", "user_token"}


def test_what_is_kept_of_the_exchanges_has_no_token(partner: Partner) -> None:
    credentials = tokens_of(partner)
    partner.signed_in(ADDRESSES_ONLY, credentials).account()
    kept = f"{partner.http.exchanged}"
    assert credentials.company_token not in kept
    assert credentials.user_token not in kept


# In the engine.


@pytest.fixture
def world(db: None) -> World:
    return by_tokens(begin())


def network(world: World) -> Connection:
    return Connection.objects.select_related("app").get(pk=world.integration.ap_network_id)


def by_tokens(world: World) -> World:
    """The same world, whose AvidXchange connection signs in with two tokens."""
    connection = network(world)
    connection.credentials = {"company_id": "", **world.person(world.avidxchange, "issue_tokens")}
    connection.save(update_fields=["credentials"])
    Token.objects.filter(owner__startswith="app:").delete()
    world.avidxchange.requests.clear()
    return world


@pytest.mark.django_db
def test_a_bill_arrives_through_a_connection_that_never_fetches_a_token(world: World) -> None:
    enter_bill(world, enter_vendor(world))
    world.settle(days=1)
    assert invoice(world)["invoice_number"] == "INV-1"
    assert not Token.objects.filter(owner__startswith="app:").exists()
    assert not [path for _, path, _ in world.avidxchange.requests if "token" in path]
    talk = Conversation(connection=network(world), effects=world.effects(), trace_id="test")
    assert finish(talk.token()) == ""


@pytest.mark.django_db
def test_a_revoked_token_suspends_at_once_and_new_ones_go_on_from_where_it_stood(world: World) -> None:
    world.settle(days=1)
    world.person(world.avidxchange, "issue_tokens")  # the customer issues new ones: the old are gone
    old = network(world).credentials
    for name in ("company_token", "user_token"):
        world.avidxchange.person("revoke_token", token=old[name])
    enter_bill(world, enter_vendor(world))
    world.avidxchange.requests.clear()
    world.settle(days=1)
    assert [status for _, _, status in world.avidxchange.requests].count(401) == 1
    assert network(world).status == Connection.Status.ATTENTION
    assert [problem.code for problem in Problem.objects.filter(resolved_at=None)] == ["tokens_refused"]
    assert Event.objects.filter(verb="connection_paused").count() == 1
    now = world.clock.now()
    values = {"company_id": "", **world.person(world.avidxchange, "issue_tokens")}
    services.change_connection_credentials(connection=network(world), values=values, by="olivia", now=now)
    services.check_connection(connection=network(world), by="olivia", effects=world.effects())
    world.settle(days=1)
    assert network(world).status == Connection.Status.CONNECTED
    assert invoice(world)["invoice_number"] == "INV-1"
    assert Feed.objects.get(connection=network(world)).read_at is not None
    assert not Problem.objects.filter(resolved_at=None).exists()


@pytest.mark.django_db
def test_tokens_of_another_company_are_refused_for_a_connection_that_has_one(world: World) -> None:
    world.settle(days=1)
    world.avidxchange.person("link_company", company_id="C-9", name="Other", client_id="partner-app")
    values = {"company_id": "", **world.avidxchange.person("issue_tokens", company_id="C-9")}
    services.change_connection_credentials(connection=network(world), values=values, by="olivia", now=world.clock.now())
    findings = services.check_connection(connection=network(world), by="olivia", effects=world.effects())
    assert findings[0].level == "missing"
    assert "Other (C-9)" in findings[0].text
    assert network(world).status == Connection.Status.ATTENTION


def test_the_connector_says_whether_it_uses_an_access_token() -> None:
    partner = Partner()
    connectors: list[AvidXchangeConnector] = [partner.connector(), partner.signed_in(App(), tokens_of(partner))]
    assert [connector.uses_access_token for connector in connectors] == [True, False]
