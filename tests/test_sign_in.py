"""Connecting by redirect: the real flow against the simulated consent page and token endpoint."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.test import Client

from audit.models import Event
from connectors import reality, services
from connectors.attention import needs_attention
from connectors.conversation import Conversation, finish
from connectors.errors import AuthError
from connectors.http import READ_TRIES
from connectors.models import Connection, Exchange, SignIn, Token
from connectors.simulators import Request, Response
from tests.connecting import (
    CANARY,
    OTHER_REALM,
    REALM,
    Providers,
    connected,
    connection,
    open_providers,
    staff,
    tenant,
)

pytestmark = pytest.mark.django_db


def refused(providers: Providers, answer: dict[str, str], user: object) -> str:
    """What the person reads whose way back is refused."""
    with pytest.raises(ValidationError) as error:
        services.complete_sign_in(answer=answer, user=user, effects=providers.effects)  # type: ignore[arg-type]
    return " ".join(error.value.messages)


def begun(providers: Providers, made: Connection, user: object, realm: str | None = REALM) -> dict[str, str]:
    """What the browser comes back with from a sign-in begun by this user."""
    url = services.begin_sign_in(connection=made, user=user, effects=providers.effects)  # type: ignore[arg-type]
    return providers.consent(url, realm)


def test_a_company_is_connected_once_a_person_has_confirmed_it() -> None:
    providers, user, made = open_providers(), staff(), connection()
    signed_in = services.complete_sign_in(answer=begun(providers, made, user), user=user, effects=providers.effects)
    made.refresh_from_db()
    assert signed_in.needs_confirmation
    assert (made.status, made.account_id, made.account_name) == ("new", REALM, "Blue Ridge Wholesale")
    services.confirm_company(connection=made, company_id=REALM, by="olivia", now=providers.clock.now())
    made.refresh_from_db()
    assert made.status == Connection.Status.CONNECTED
    talk = Conversation(connection=made, effects=providers.effects, trace_id="test")
    assert finish(talk.call(lambda connector: connector.account())).name == "Blue Ridge Wholesale"
    verbs = Event.objects.filter(subject_kind="connection").order_by("id").values_list("verb", "actor")
    assert list(verbs) == [
        ("connection_created", "olivia"),
        ("sign_in_begun", "olivia"),
        ("connection_connected", "olivia"),
    ]


def test_only_the_hash_of_the_state_is_kept() -> None:
    providers, user, made = open_providers(), staff(), connection()
    state = begun(providers, made, user)["state"]
    [kept] = SignIn.objects.all()
    assert len(state) >= 43
    assert state not in (kept.state_hash, str(vars(kept)))


def test_the_company_is_shown_before_anything_is_read_and_may_be_declined() -> None:
    providers, user, made = open_providers(), staff(), connection()
    services.complete_sign_in(answer=begun(providers, made, user, OTHER_REALM), user=user, effects=providers.effects)
    services.decline_company(connection=made, by="olivia", now=providers.clock.now())
    made.refresh_from_db()
    assert (made.status, made.account_id, made.account_name) == ("new", "", "")
    assert not Token.objects.filter(owner=f"connection:{made.pk}").exists()


def test_a_company_that_was_not_shown_is_not_confirmed() -> None:
    providers, user, made = open_providers(), staff(), connection()
    services.complete_sign_in(answer=begun(providers, made, user, OTHER_REALM), user=user, effects=providers.effects)
    with pytest.raises(ValidationError, match="Harbor Foods"):
        services.confirm_company(connection=made, company_id=REALM, by="olivia", now=providers.clock.now())


def test_a_made_up_state_is_refused_and_nothing_is_asked_of_the_provider() -> None:
    providers, user, made = open_providers(), staff(), connection()
    answer = begun(providers, made, user)
    before = len(providers.quickbooks.requests)
    assert "not begun here" in refused(providers, {**answer, "state": "made-up"}, user)
    assert "not begun here" in refused(providers, {"code": answer["code"], "realmId": REALM}, user)
    assert len(providers.quickbooks.requests) == before


def test_a_state_is_good_for_one_way_back() -> None:
    providers, user, made = open_providers(), staff(), connection()
    answer = begun(providers, made, user)
    services.complete_sign_in(answer=answer, user=user, effects=providers.effects)
    tokens = Token.objects.get(owner=f"connection:{made.pk}").generation
    assert "used already" in refused(providers, answer, user)
    assert Token.objects.get(owner=f"connection:{made.pk}").generation == tokens


def test_a_state_belongs_to_the_user_who_began() -> None:
    providers, user, made = open_providers(), staff(), connection()
    answer = begun(providers, made, user)
    assert "another user" in refused(providers, answer, staff("mallory"))
    services.complete_sign_in(answer=answer, user=user, effects=providers.effects)


def test_a_state_lives_for_ten_minutes() -> None:
    providers, user, made = open_providers(), staff(), connection()
    answer = begun(providers, made, user)
    providers.clock.advance(timedelta(minutes=10))
    assert "ten minutes" in refused(providers, answer, user)
    made.refresh_from_db()
    assert made.account_id == ""


def test_a_person_who_declines_changes_nothing() -> None:
    providers, user, made = open_providers(), staff(), connection()
    assert "consent" in refused(providers, begun(providers, made, user, None), user)
    made.refresh_from_db()
    assert (made.status, made.account_id) == ("new", "")
    assert Event.objects.get(verb="sign_in_refused").actor == "olivia"


def test_a_code_that_the_provider_does_not_know_is_refused_in_plain_words() -> None:
    providers, user, made = open_providers(), staff(), connection()
    answer = {**begun(providers, made, user), "code": "forged"}
    said = refused(providers, answer, user)
    assert "did not accept this sign-in attempt" in said
    assert "Nothing is connected yet." in said
    assert not Token.objects.filter(owner=f"connection:{made.pk}").exclude(generation=0).exists()


def test_a_code_that_is_refused_says_that_the_connection_goes_on_as_before() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    said = refused(providers, {**begun(providers, made, user), "code": "forged"}, user)
    assert "did not accept this sign-in attempt" in said
    assert "The connection goes on as before." in said
    assert "no longer accepts our authorisation" not in said
    made.refresh_from_db()
    assert made.status == "connected"
    assert who(made, providers) == "Blue Ridge Wholesale"
    needs_attention(made, AuthError("The sign-in has ended."), now=providers.clock.now())
    said = refused(providers, {**begun(providers, made, user), "code": "forged"}, user)
    assert "The connection is as it was before." in said


def test_a_sign_in_whose_answer_is_lost_says_that_the_old_one_may_have_ended() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    providers.quickbooks.drop_answer("POST /tokens/bearer")
    assert "The old one may have ended" in refused(providers, begun(providers, made, user), user)


# Signing in again to a company whose old tokens end with it.


def who(made: Connection, providers: Providers) -> str:
    """Who the provider says we are, with the tokens that are kept."""
    talk = Conversation(connection=made, effects=providers.effects, trace_id="test")
    return finish(talk.call(lambda connector: connector.account())).name


@pytest.mark.parametrize("status", ["connected", "attention", "paused"])
def test_new_tokens_of_the_same_company_are_kept_although_the_company_cannot_be_asked(status: str) -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    Connection.objects.update(status=status, attention="It has ended." if status == "attention" else "")
    providers.quickbooks.refuse("GET /companyinfo", Response(status=500), times=99)
    signed_in = services.complete_sign_in(answer=begun(providers, made, user), user=user, effects=providers.effects)
    assert signed_in.unchecked
    made.refresh_from_db()
    assert (made.status, made.attention) == ("paused" if status == "paused" else "connected", "")
    assert (made.account_id, made.account_name) == (REALM, "Blue Ridge Wholesale")
    providers.quickbooks.clear_faults()
    assert who(made, providers) == "Blue Ridge Wholesale"


def test_new_tokens_are_kept_although_the_worker_is_stopped_while_it_asks_with_them() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)

    def stop(request: Request, proceed: Callable[[], Response]) -> Response:
        raise SystemExit

    answer = begun(providers, made, user)
    providers.quickbooks.fault("GET /companyinfo", stop)
    with pytest.raises(SystemExit):
        services.complete_sign_in(answer=answer, user=user, effects=providers.effects)
    newest = providers.quickbooks.tokens.grants[-1].refresh_token
    assert Token.objects.get(owner=f"connection:{made.pk}").secrets["refresh"] == newest
    assert who(made, providers) == "Blue Ridge Wholesale"


def test_the_company_is_asked_a_second_time_before_the_check_is_left_for_later() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    answer = begun(providers, made, user)
    providers.quickbooks.refuse("GET /companyinfo", Response(status=503), times=READ_TRIES)
    signed_in = services.complete_sign_in(answer=answer, user=user, effects=providers.effects)
    assert not signed_in.unchecked


def test_the_person_reads_that_the_sign_in_is_kept_and_that_the_check_follows(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    monkeypatch.setattr(reality, "effects", lambda: providers.effects)
    providers.quickbooks.refuse("GET /companyinfo", Response(status=500), times=99)
    client.force_login(user)
    page = client.get("/connect/callback/", begun(providers, made, user), follow=True).content.decode()
    assert "is kept and everything goes on" in page
    assert "The check follows with the next reading." in page


@pytest.mark.parametrize("answers", [True, False])
def test_a_sign_in_that_works_again_leaves_nothing_of_what_was_missing_before(
    client: Client, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    monkeypatch.setattr(reality, "effects", lambda: providers.effects)
    providers.quickbooks.person("disconnect", realm_id=REALM)
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    assert [finding["level"] for finding in made.findings][0] == "missing"
    if not answers:
        providers.quickbooks.refuse("GET /companyinfo", Response(status=500), times=99)
    client.force_login(user)
    client.get("/connect/callback/", begun(providers, made, user))
    made.refresh_from_db()
    assert made.status == "connected"
    assert not [finding for finding in made.findings if "no longer accepts" in finding["text"]]
    assert bool(made.findings) is answers
    assert (made.checked_at is not None) is answers


def test_a_forged_company_in_the_way_back_costs_a_working_connection_nothing() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    held = Token.objects.get(owner=f"connection:{made.pk}").secrets
    answer = {**begun(providers, made, user, OTHER_REALM), "realmId": REALM}
    assert "The connection goes on as before." in refused(providers, answer, user)
    assert Token.objects.get(owner=f"connection:{made.pk}").secrets == held
    assert who(made, providers) == "Blue Ridge Wholesale"


def test_a_forged_company_costs_a_connection_nothing_whose_access_token_has_run_out() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    services.pause_connection(connection=made, by="olivia", why="year end", now=providers.clock.now())
    providers.clock.advance(timedelta(hours=2))
    answer = {**begun(providers, made, user, OTHER_REALM), "realmId": REALM}
    assert "The connection is as it was before." in refused(providers, answer, user)
    services.resume_connection(connection=made, by="olivia", now=providers.clock.now())
    assert who(made, providers) == "Blue Ridge Wholesale"


def test_a_forged_company_loses_no_token_that_a_worker_is_fetching_meanwhile() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    providers.quickbooks.switches = replace(providers.quickbooks.switches, rotate_each_refresh=True)
    providers.clock.advance(timedelta(hours=2))
    answer = {**begun(providers, made, user, OTHER_REALM), "realmId": REALM}
    worker = Conversation(connection=made, effects=providers.effects, trace_id="worker").token()
    while next(worker) != "refresh answered":
        pass
    refused(providers, answer, user)
    finish(worker)
    providers.clock.advance(timedelta(hours=2))
    assert who(made, providers) == "Blue Ridge Wholesale"


def test_a_company_that_is_closed_to_us_keeps_the_sign_in_and_says_what_to_do() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    closed = b'{"Fault":{"Error":[{"Message":"Invalid Company Status","code":"6190"}],"type":"ValidationFault"}}'
    providers.quickbooks.refuse("GET /companyinfo", Response(status=200, body=closed))
    said = refused(providers, begun(providers, made, user), user)
    assert "Your sign-in is kept" in said
    assert "then press Check connection" in said
    assert who(made, providers) == "Blue Ridge Wholesale"


def test_signing_in_again_replaces_tokens_that_no_key_reads() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    answer = begun(providers, made, user)
    with database.cursor() as cursor:
        cursor.execute("UPDATE connectors_token SET secrets = 'not ours'::bytea")
    services.complete_sign_in(answer=answer, user=user, effects=providers.effects)
    assert who(made, providers) == "Blue Ridge Wholesale"


def test_a_way_back_that_names_a_company_the_token_is_not_for_is_refused() -> None:
    providers, user, made = open_providers(), staff(), connection()
    answer = {**begun(providers, made, user), "realmId": OTHER_REALM}
    assert "did not accept this sign-in" in refused(providers, answer, user)
    made.refresh_from_db()
    assert made.account_id == ""


def test_reconnecting_the_same_company_keeps_every_setting_and_needs_no_confirmation() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    services.change_settings(connection=made, values={"home_currency": "USD"}, by="olivia", now=providers.clock.now())
    settings = made.settings
    providers.quickbooks.person("disconnect", realm_id=REALM)
    needs_attention(made, AuthError("The sign-in has ended."), now=providers.clock.now())
    signed_in = services.complete_sign_in(answer=begun(providers, made, user), user=user, effects=providers.effects)
    made.refresh_from_db()
    assert not signed_in.needs_confirmation
    assert (made.status, made.attention, made.settings) == ("connected", "", settings)
    assert Event.objects.filter(verb="connection_reconnected", actor="olivia").count() == 1


def test_a_paused_connection_stays_paused_when_somebody_signs_in_again() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    services.pause_connection(connection=made, by="olivia", why="year end", now=providers.clock.now())
    services.complete_sign_in(answer=begun(providers, made, user), user=user, effects=providers.effects)
    made.refresh_from_db()
    assert made.status == Connection.Status.PAUSED


def test_reconnecting_another_company_is_refused_before_its_code_is_used() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    token = Token.objects.get(owner=f"connection:{made.pk}").secrets
    answer = begun(providers, made, user, OTHER_REALM)
    asked = len(providers.quickbooks.requests)
    said = refused(providers, answer, user)
    assert "Blue Ridge Wholesale" in said
    assert OTHER_REALM in said
    assert len(providers.quickbooks.requests) == asked
    made.refresh_from_db()
    assert (made.account_id, made.account_name) == (REALM, "Blue Ridge Wholesale")
    assert Token.objects.get(owner=f"connection:{made.pk}").secrets == token


def test_a_company_that_another_tenant_has_connected_is_refused_before_its_tokens_die() -> None:
    providers, user = open_providers(), staff()
    first = connected(providers, user)
    second = connection(tenant("Second"))
    assert "already connected for Blue Ridge Wholesale" in refused(providers, begun(providers, second, user), user)
    talk = Conversation(connection=first, effects=providers.effects, trace_id="test")
    assert finish(talk.call(lambda connector: connector.account())).id == REALM


def test_a_provider_without_a_redirect_cannot_be_signed_in_to() -> None:
    providers, user = open_providers(), staff()
    with pytest.raises(ValidationError, match="not signed in to"):
        services.begin_sign_in(connection=connection(provider="avidxchange"), user=user, effects=providers.effects)


def test_exchanges_of_a_sign_in_are_kept_without_its_secrets() -> None:
    providers, user = open_providers(), staff()
    connected(providers, user)
    rows = [str(vars(row)) for row in Exchange.objects.all()]
    assert len(rows) == 2
    assert not any(CANARY in row or "eyJ" in row or "AB11" in row for row in rows)


def test_the_way_back_is_for_staff_and_answers_nonsense_with_a_page(client: Client) -> None:
    assert client.get("/connect/callback/", {"state": "x", "code": "y"}).headers["location"].startswith("/admin/login/")
    client.force_login(staff())
    for query in ({}, {"state": "x"}, {"state": "\0", "code": "\0", "realmId": "\0"}, {"error": "access_denied"}):
        page = client.get("/connect/callback/", query)
        assert page.status_code == 400
        assert "Start again from the connection" in page.content.decode()
    assert client.post("/connect/callback/").status_code == 405


def test_a_company_id_that_cannot_be_one_is_refused_before_anything_is_asked() -> None:
    providers, user, made = open_providers(), staff(), connection()
    for nonsense in ("\0", "9" * 101, ""):
        answer = {**begun(providers, made, user), "realmId": nonsense}
        assert "without saying for which company" in refused(providers, answer, user)


def test_looking_at_the_connect_page_begins_nothing(client: Client) -> None:
    made = connection()
    client.force_login(staff())
    page = client.get(f"/connect/{made.pk}/")
    assert page.status_code == 200
    assert "http://127.0.0.1:9300" in page.headers["content-security-policy"]
    assert not SignIn.objects.exists()
    assert client.post(f"/connect/{made.pk}/").headers["location"].startswith("http://127.0.0.1:9300/quickbooks/")
    assert client.get("/connect/999/").status_code == 404


def test_credentials_that_no_key_reads_are_said_in_plain_words(client: Client) -> None:
    made = connection()
    with database.cursor() as cursor:
        cursor.execute("UPDATE connectors_app SET credentials = 'not ours'::bytea")
    client.force_login(staff())
    page = client.get(f"/connect/{made.pk}/")
    assert page.status_code == 400
    assert "enter them again" in page.content.decode()
