"""Tenants, apps and connections as people make and change them: bad input is named by field and saves nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection as database

from audit.models import Event
from connectors import services
from connectors.models import App, Connection, Tenant, Token
from tests.connecting import (
    CANARY,
    COMPANY,
    PARTNER_APP,
    QUICKBOOKS_APP,
    START,
    app,
    connected,
    connection,
    open_providers,
    staff,
    tenant,
)

pytestmark = pytest.mark.django_db


def errors(error: pytest.ExceptionInfo[ValidationError]) -> dict[str, list[str]]:
    return error.value.message_dict


def test_every_missing_credential_is_named_at_once_and_nothing_is_saved() -> None:
    with pytest.raises(ValidationError) as error:
        app(values={"client_id": " ", "surprise": "x"})
    assert errors(error) == {
        "client_id": ["Fill this in."],
        "client_secret": ["Fill this in."],
        "surprise": ["This is not asked for here."],
    }
    assert not App.objects.exists()
    assert not Event.objects.exists()


def test_a_wrong_value_is_answered_with_what_is_wanted_and_never_repeated() -> None:
    with pytest.raises(ValidationError) as error:
        app("avidxchange", values={**PARTNER_APP, "token_url": f"ftp://{CANARY}"})
    assert "Token address" not in str(errors(error))
    assert "AvidXchange gave it" in errors(error)["token_url"][0]
    assert CANARY not in str(error.value)


def test_an_app_without_the_addresses_that_its_environment_needs_is_refused() -> None:
    with pytest.raises(ValidationError, match="(?i)address"):
        app("avidxchange", environment="production")
    assert not App.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"provider": "sage"}, "provider"), ({"environment": "staging"}, "environment"), ({"name": ""}, "name")],
)
def test_an_app_needs_a_known_provider_an_environment_and_a_name(changed: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as error:
        app(**changed)
    assert field in errors(error)
    assert not App.objects.exists()


def test_a_secret_left_empty_stays_what_it_was() -> None:
    made = app()
    services.change_app_credentials(
        app=made, values={"client_id": "other", "client_secret": ""}, by="olivia", now=START
    )
    made.refresh_from_db()
    assert made.credentials == {
        "client_id": "other",
        "client_secret": QUICKBOOKS_APP["client_secret"],
        "webhook_verifier": "",
        "app_id": "",
    }
    assert Event.objects.filter(verb="credentials_changed", actor="olivia").count() == 1


def test_events_about_credentials_do_not_contain_them() -> None:
    services.change_app_credentials(app=app(), values=QUICKBOOKS_APP, by="olivia", now=START)
    assert not [event for event in Event.objects.all() if CANARY in event.data]


@pytest.mark.parametrize(
    ("name", "zone", "field"), [("", "America/Chicago", "name"), ("Acme", "Mars/Crater", "time_zone")]
)
def test_a_tenant_needs_a_name_and_a_real_time_zone(name: str, zone: str, field: str) -> None:
    with pytest.raises(ValidationError) as error:
        services.create_tenant(name=name, time_zone=zone, by="olivia", now=START)
    assert field in errors(error)
    assert not Tenant.objects.exists()


def test_a_tenant_is_stopped_with_a_reason_only() -> None:
    made = tenant()
    kept = {
        "tenant": made,
        "name": made.name,
        "time_zone": made.time_zone,
        "active": False,
        "by": "olivia",
        "now": START,
    }
    with pytest.raises(ValidationError):
        services.change_tenant(**kept, why=" ")  # type: ignore[arg-type]
    assert Tenant.objects.get().active
    services.change_tenant(**kept, why="left us")  # type: ignore[arg-type]
    assert not Tenant.objects.get().active
    assert Event.objects.get(verb="tenant_changed").why == "left us"


def test_an_app_of_another_tenant_cannot_be_used() -> None:
    owner, other = tenant("Owner"), tenant("Other")
    with pytest.raises(ValidationError) as error:
        services.create_connection(
            tenant=other, app=app(tenant=owner), credentials={}, settings={}, by="olivia", now=START
        )
    assert "app" in errors(error)
    assert not Connection.objects.exists()


def test_settings_are_checked_by_the_provider_and_a_refusal_saves_nothing() -> None:
    made = connection()
    with pytest.raises(ValidationError) as error:
        services.change_settings(connection=made, values={"home_currency": "dollars"}, by="olivia", now=START)
    assert "home_currency" in errors(error)
    assert Connection.objects.get().settings == {"home_currency": "USD"}
    assert not Event.objects.filter(verb="settings_changed").exists()


def test_a_contract_profile_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError):
        services.create_connection(
            tenant=tenant(),
            app=app("avidxchange"),
            credentials={"company_id": COMPANY},
            settings={"profile": "no-such-profile"},
            by="olivia",
            now=START,
        )
    assert not Connection.objects.exists()


def test_checking_connects_a_company_that_is_found() -> None:
    providers, made = open_providers(), connection(provider="avidxchange")
    findings = services.check_connection(connection=made, by="olivia", effects=providers.effects)
    assert any("Blue Ridge Wholesale" in finding.text for finding in findings)
    assert (made.status, made.account_id, made.account_name) == ("connected", COMPANY, "Blue Ridge Wholesale")
    assert made.checked_at == START
    assert [finding["text"] for finding in made.findings] == [finding.text for finding in findings]
    assert Event.objects.get(verb="connection_connected").actor == "olivia"


def test_checking_a_company_that_is_not_linked_says_what_to_do_and_connects_nothing() -> None:
    providers, made = open_providers(), connection(provider="avidxchange", company_id="company-9")
    findings = services.check_connection(connection=made, by="olivia", effects=providers.effects)
    [first] = [finding for finding in findings if finding.level == "missing"]
    assert first.remedy
    assert (made.status, made.account_id) == ("new", "")


def test_a_provider_that_answers_for_another_company_stops_the_connection() -> None:
    providers, made = open_providers(), connection(provider="avidxchange")
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    providers.avidxchange.person(
        "link_company", company_id="company-2", name="Harbor Foods", client_id=PARTNER_APP["client_id"]
    )
    made.credentials = {"company_id": "company-2"}
    made.save()
    findings = services.check_connection(connection=made, by="olivia", effects=providers.effects)
    assert "Blue Ridge Wholesale" in findings[0].text
    assert "Harbor Foods" in findings[0].text
    assert (made.status, made.account_id) == ("attention", COMPANY)


def test_a_company_belongs_to_one_connection() -> None:
    providers = open_providers()
    services.check_connection(connection=connection(provider="avidxchange"), by="olivia", effects=providers.effects)
    second = connection(tenant("Second"), provider="avidxchange")
    findings = services.check_connection(connection=second, by="olivia", effects=providers.effects)
    assert "already connected for Blue Ridge Wholesale" in findings[0].text
    assert second.status == "new"


def test_wrong_credentials_pause_a_connection_and_the_right_ones_with_a_check_start_it_again() -> None:
    providers, made = open_providers(), connection(provider="avidxchange")
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    providers.avidxchange.person("register_app", client_id=PARTNER_APP["client_id"], client_secret="new")
    providers.clock.advance(timedelta(hours=2))
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    assert made.status == "attention"
    services.change_app_credentials(
        app=made.app, values={**PARTNER_APP, "client_secret": "new"}, by="olivia", now=START
    )
    made = Connection.objects.select_related("app").get()
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    assert (made.status, made.attention) == ("connected", "")


def test_a_provider_that_cannot_be_reached_changes_nothing() -> None:
    providers, made = open_providers(), connection(provider="avidxchange")
    providers.avidxchange.drop_request("*", times=99)
    providers.avidxchange.drop_request("/", times=99)
    with pytest.raises(ValidationError, match="could not be asked just now"):
        services.check_connection(connection=made, by="olivia", effects=providers.effects)
    made.refresh_from_db()
    assert (made.status, made.checked_at) == ("new", None)


def test_the_company_of_a_connection_cannot_be_changed_behind_its_back() -> None:
    providers, made = open_providers(), connection(provider="avidxchange")
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    with pytest.raises(ValidationError) as error:
        services.change_connection_credentials(
            connection=made, values={"company_id": "company-2"}, by="olivia", now=START
        )
    assert "company_id" in errors(error)
    assert Connection.objects.get().credentials == {"company_id": COMPANY, "company_token": "", "user_token": ""}


def test_pausing_needs_a_reason_and_resuming_goes_back_to_where_it_was() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    with pytest.raises(ValidationError):
        services.pause_connection(connection=made, by="olivia", why="", now=START)
    services.pause_connection(connection=made, by="olivia", why="audit", now=START)
    assert Connection.objects.get().status == "paused"
    services.resume_connection(connection=made, by="olivia", now=START)
    assert Connection.objects.get().status == "connected"
    assert Event.objects.get(verb="connection_paused").why == "audit"


def test_a_quickbooks_check_tells_who_we_are_and_what_is_there() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    findings = services.check_connection(connection=made, by="olivia", effects=providers.effects)
    text = " ".join(finding.text for finding in findings)
    assert "Blue Ridge Wholesale" in text
    assert "vendors" in text
    assert made.status == "connected"


Changes = dict[str, Callable[[Connection], None]]
CHANGES: Changes = {
    "settings": lambda made: services.change_settings(
        connection=made, values={"profile": "renamed-v1"}, by="olivia", now=START
    ),
    "credentials": lambda made: services.change_connection_credentials(
        connection=made, values={"company_id": COMPANY}, by="olivia", now=START
    ),
    "app": lambda made: services.change_app_credentials(app=made.app, values=PARTNER_APP, by="olivia", now=START),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_found_before_a_change_is_forgotten_until_it_is_checked_again(what: str) -> None:
    providers, made = open_providers(), connection(provider="avidxchange")
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    assert Connection.objects.get().findings
    CHANGES[what](made)
    now = Connection.objects.get()
    assert (now.findings, now.checked_at, now.status) == ([], None, "connected")


def test_a_person_who_checks_again_and_again_waits_a_little_and_is_not_sent_away() -> None:
    providers, made = open_providers(), connection(provider="avidxchange")
    for _ in range(4):
        assert services.check_connection(connection=made, by="olivia", effects=providers.effects)
    assert timedelta(0) < providers.clock.now() - START < timedelta(minutes=1)


def test_settings_saved_as_they_were_leave_what_was_found() -> None:
    providers, made = open_providers(), connection(provider="avidxchange")
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    services.change_settings(connection=made, values=made.settings, by="olivia", now=START)
    assert Connection.objects.get().findings


def test_checking_before_anybody_signed_in_says_so() -> None:
    providers, made = open_providers(), connection()
    [finding] = services.check_connection(connection=made, by="olivia", effects=providers.effects)
    assert finding.level == "missing"
    assert finding.remedy
    assert made.status == "new"


def test_credentials_are_encrypted_again_by_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    connected(open_providers(), staff())
    before = Token.objects.get(owner__startswith="connection").secrets
    call_command("rotate_credentials", by="olivia")
    assert "3 secrets" in capsys.readouterr().out
    assert Token.objects.get(owner__startswith="connection").secrets == before
    event = Event.objects.get(verb="credentials_rotated")
    assert (event.tenant_id, event.actor) == (None, "olivia")


def test_a_secret_that_no_key_reads_stops_the_rotation_with_plain_words() -> None:
    made = app()
    with database.cursor() as cursor:
        cursor.execute("UPDATE connectors_app SET credentials = %s WHERE id = %s", [b"gAAAAA-not-ours", made.pk])
    with pytest.raises(CommandError, match="FERNET_KEYS"):
        call_command("rotate_credentials", by="olivia")
    assert not Event.objects.filter(verb="credentials_rotated").exists()
