"""Secrets at rest: nothing of them can be read in the database, and their keys can be changed at any time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.db import transaction
from django.db.models import F, Value
from django.test import Client, override_settings
from django.urls import reverse

from audit.models import Event
from connectors.conversation import Conversation, finish
from connectors.errors import TransientError
from connectors.models import App, Connection, Token
from connectors.vault import EncryptedJSONField, Undecryptable, rotate
from tests.connecting import PARTNER_APP, QUICKBOOKS_APP, app, connected, open_providers, staff
from tests.simulation.faults import WorkerKilled

pytestmark = pytest.mark.django_db
CANARY = "canary-3d1e5c"
K1, K2, K3 = (Fernet.generate_key().decode() for _ in range(3))
SECRETS = {"client_id": "qb", "client_secret": CANARY}


@contextmanager
def keys(*listed: str) -> Iterator[None]:
    """What a process sees that was started with these keys."""
    with override_settings(FERNET_KEYS=list(listed)):
        _forget_keys()
        yield
    _forget_keys()


def _forget_keys() -> None:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedJSONField):
                for name in ("keys", "fernet_keys", "fernet"):
                    field.__dict__.pop(name, None)


def raw() -> dict[str, bytes]:
    """Every secret as the database has it."""
    found: dict[str, bytes] = {}
    for table, column in (
        ("connectors_app", "credentials"),
        ("connectors_connection", "credentials"),
        ("connectors_token", "secrets"),
    ):
        with database.cursor() as cursor:
            cursor.execute(f"SELECT id, {column} FROM {table}")
            found |= {f"{table} {id}": bytes(secret) for id, secret in cursor.fetchall()}
    return found


def shown() -> list[Any]:
    """Every secret as our rows show it."""
    return [
        *App.objects.order_by("id").values_list("credentials", flat=True),
        *Connection.objects.order_by("id").values_list("credentials", flat=True),
        *Token.objects.order_by("id").values_list("secrets", flat=True),
    ]


def several() -> list[Any]:
    """A connected tenant, and an app more."""
    connected(open_providers(), staff())
    app("avidxchange")
    assert len(raw()) == 4
    return shown()


@contextmanager
def killed_at(which: int) -> Iterator[None]:
    """The process dies before this UPDATE."""
    updates = 0

    def execute(run: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        nonlocal updates
        if str(sql).startswith("UPDATE"):
            updates += 1
            if updates == which:
                raise WorkerKilled
        return run(sql, params, many, context)

    with database.execute_wrapper(execute), pytest.raises(WorkerKilled):
        yield


def test_the_database_has_no_plain_text_and_no_two_alike() -> None:
    made = [App.objects.create(provider="quickbooks", name=name, credentials=SECRETS) for name in ("first", "second")]
    texts = list(raw().values())
    assert len(set(texts)) == 2
    assert not any(word.encode() in text for text in texts for word in (CANARY, "client_secret"))
    assert [App.objects.get(pk=one.pk).credentials for one in made] == [SECRETS, SECRETS]


def test_a_plain_value_is_encrypted_whichever_way_it_is_written() -> None:
    App.objects.bulk_create([App(provider="quickbooks", name="many", credentials=SECRETS)])
    one = App.objects.create(provider="quickbooks", name="one")
    App.objects.filter(pk=one.pk).update(credentials=SECRETS)
    assert shown() == [SECRETS, SECRETS]
    assert not any(CANARY.encode() in text for text in raw().values())


def _bulk_update(made: App) -> None:
    made.credentials = {"client_secret": "another"}
    App.objects.bulk_update([made], ["credentials"])


def _save(expression: Any) -> Callable[[App], None]:
    def save(made: App) -> None:
        made.credentials = expression
        made.save()

    return save


@pytest.mark.parametrize(
    "write",
    [
        _bulk_update,
        lambda made: App.objects.filter(pk=made.pk).update(credentials=F("name")),
        lambda made: App.objects.filter(pk=made.pk).update(credentials=Value("plain")),
        _save(F("name")),
        _save(Value("plain")),
        lambda made: App.objects.create(provider="x", name="y", credentials=Value("plain")),
        lambda made: App.objects.bulk_create([App(provider="x", name="y", credentials=Value(b"plain"))]),
    ],
)
def test_an_expression_is_refused_since_the_database_would_store_it_as_it_is(write: Callable[[App], None]) -> None:
    made = App.objects.create(provider="quickbooks", name="app", credentials=SECRETS)
    before = raw()
    with pytest.raises(FieldError, match="encrypted"), transaction.atomic():
        write(made)
    assert raw() == before


@pytest.mark.parametrize("lookup", ["credentials", "credentials__contains", "credentials__gt"])
def test_nobody_searches_by_a_secret(lookup: str) -> None:
    with pytest.raises(FieldError):
        list(App.objects.filter(**{lookup: SECRETS}))


@pytest.mark.parametrize(
    "found",
    [b"", b"\x00\xff", b"gAAAAA-not-ours", Fernet(K3).encrypt(b'{"a": 1}')],
    ids=["empty", "bytes", "no token", "another key"],
)
def test_a_row_that_cannot_be_read_breaks_no_list_and_is_not_written_over(client: Client, found: bytes) -> None:
    several()
    with database.cursor() as cursor:
        cursor.execute("UPDATE connectors_app SET credentials = %s WHERE provider = 'quickbooks'", [found])
    broken, whole = App.objects.order_by("-provider")
    assert isinstance(broken.credentials, Undecryptable)
    assert whole.credentials["client_secret"] == PARTNER_APP["client_secret"]
    client.force_login(staff("otto"))
    for page in (reverse("admin:connectors_app_changelist"), reverse("admin:connectors_app_change", args=[broken.pk])):
        assert client.get(page).status_code == 200
    broken.name = "renamed"
    broken.save()
    assert raw()[f"connectors_app {broken.pk}"] == found


def test_work_waits_with_plain_words_while_a_key_is_missing_and_goes_on_when_it_is_back() -> None:
    providers = open_providers()

    def token() -> str:
        stored = Connection.objects.select_related("app").get()
        return finish(Conversation(connection=stored, effects=providers.effects, trace_id="test").token())

    with keys(K1):
        connected(providers, staff())
        before = token()
    asked = len(providers.quickbooks.requests)
    with keys(K2):
        with pytest.raises(TransientError, match="put the old key back into FERNET_KEYS"):
            token()
        App.objects.update(credentials=QUICKBOOKS_APP)
        Connection.objects.update(credentials={})  # from here on the tokens alone are under a key that is missing
        with pytest.raises(TransientError, match="put the old key back into FERNET_KEYS"):
            token()
    assert len(providers.quickbooks.requests) == asked
    with keys(K2, K1):
        assert token() == before
        assert Token.objects.get().generation == 1


def test_a_key_is_changed_in_three_steps_and_everything_is_readable_at_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with keys(K1):
        wanted = several()
    with keys(K2, K1):
        assert shown() == wanted
        call_command("rotate_credentials", by="olivia")
        assert "4 secrets" in capsys.readouterr().out
        assert shown() == wanted
    with keys(K2):
        assert shown() == wanted
    with keys(K1):
        assert all(isinstance(secret, Undecryptable) for secret in shown())
    assert Event.objects.get(verb="credentials_rotated").actor == "olivia"


def test_a_command_that_is_interrupted_changes_nothing_and_can_be_given_again() -> None:
    with keys(K1):
        wanted, before = several(), raw()
    with keys(K2, K1):
        with killed_at(3):
            call_command("rotate_credentials", by="olivia")
        assert raw() == before
        call_command("rotate_credentials", by="olivia")
    with keys(K2):
        assert shown() == wanted


def test_a_rotation_that_stopped_half_way_leaves_everything_readable_and_goes_on() -> None:
    with keys(K1):
        wanted, before = several(), raw()
    with keys(K2, K1):
        with killed_at(3):
            rotate()
        assert sum(raw()[row] != secret for row, secret in before.items()) == 2
        assert shown() == wanted
        assert rotate() == 4
    with keys(K2):
        assert shown() == wanted


def test_a_secret_that_changes_while_it_is_rotated_keeps_its_new_value() -> None:
    with keys(K1):
        several()
    newer = {"access": "newer", "refresh": "newer still"}

    def execute(run: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        if str(sql).startswith('UPDATE "connectors_token" SET "secrets" = %s WHERE id'):
            run('UPDATE "connectors_token" SET "secrets" = %s', [other_worker], many, context)
        return run(sql, params, many, context)

    with keys(K2, K1):
        other_worker = EncryptedJSONField().get_db_prep_save(newer, database)
        with database.execute_wrapper(execute):
            rotate()
    with keys(K2):
        assert Token.objects.get().secrets == newer


@pytest.mark.parametrize("wrong", [(K3,), (K3, K2)])
def test_a_wrong_key_is_said_in_plain_words_and_nothing_is_changed(wrong: tuple[str, ...]) -> None:
    with keys(K2):
        App.objects.create(provider="quickbooks", name="under the second key", credentials=SECRETS)
    with keys(K1):
        App.objects.create(provider="quickbooks", name="under the first key", credentials=SECRETS)
    before = raw()
    with keys(*wrong), pytest.raises(CommandError, match="nothing was changed. Put the key that it was encrypted with"):
        call_command("rotate_credentials", by="olivia")
    assert raw() == before
    assert not Event.objects.filter(verb="credentials_rotated").exists()
