"""Canaries planted in every credential are found nowhere: database, queue, logs, errors, audit, pages."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection as database
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from audit.models import Event
from connectors import services
from connectors.base import Tokens
from connectors.http import Answer
from connectors.models import App, Connection, Exchange, Token
from connectors.oauth import HeldTokens
from connectors.operations import StaffAdmin
from connectors.tokens import StoredTokens
from syncs import scheduler
from syncs.models import Attempt, Feed, Problem, SyncRecord, SyncRun, UnreadableRow
from syncs.states import State
from tests.canaries import (
    CANARY,
    QUICKBOOKS_APP,
    Planted,
    avidxchange_fault,
    echo,
    everything_in,
    failing,
    logged,
    places,
    planted,
    quickbooks_fault,
    stored,
    with_a_row_that_cannot_be_read,
)
from tests.populated import share_time
from tests.test_tokens import enter_bill, pay

pytestmark = pytest.mark.django_db
TOKEN_CALL, READ, POST_PAYMENT = "POST /token", "GET /v3/company", "POST /billpayment"


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every logger says all that it can, queries with their values included."""
    silent = [logger for logger in map(logging.getLogger, logging.root.manager.loggerDict) if not logger.propagate]
    for name in ("", *logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name or None)
    for logger in silent:
        logger.addHandler(caplog.handler)
    database.force_debug_cursor = True
    yield caplog
    database.force_debug_cursor = False
    for logger in silent:
        logger.removeHandler(caplog.handler)


@pytest.fixture
def world(db: None) -> Iterator[Planted]:
    with planted() as world:
        yield world


def live_through_everything(world: Planted, user: User) -> None:
    """Connect, read, deliver, pay; and every kind of failure in which a provider says our secrets back to us."""
    world.connect(user)
    for number in (1, 2, 3):
        enter_bill(world, f"INV-{number}", f"{number}0.00")
    world.settle()
    refuse_and_break(world)
    pay(world)
    world.live_for(minutes=30)
    lose_the_sign_in(world)
    world.connect(user)
    world.settle()
    services.check_connection(connection=world.network_connection(), by="olivia", effects=world.effects())
    with failing(world.quickbooks, "GET /preferences", echo(lambda asked: quickbooks_fault(asked, "5020"), 400)):
        services.check_connection(connection=world.erp(), by="olivia", effects=world.effects())


def refuse_and_break(world: Planted) -> None:
    qb, network = world.quickbooks, world.avidxchange
    with failing(qb, READ, echo(lambda asked: quickbooks_fault(asked, "10000"), 500)):
        world.fail(world.erp(), lambda connector: connector.account())
        world.live_for(minutes=40)
    with failing(qb, READ, echo(everything_in, 200)):
        world.fail(world.erp(), lambda connector: connector.account())
        world.live_for(minutes=10)
    with failing(qb, "GET /cdc", with_a_row_that_cannot_be_read):
        world.live_for(minutes=10)
    with failing(network, "GET /avidconnect", echo(everything_in, 500)):
        world.fail(world.network_connection(), lambda connector: connector.account())
        world.live_for(minutes=10)
    with failing(network, "POST /invoices", echo(avidxchange_fault, 422)):
        enter_bill(world, "INV-4", "40.00")
        world.live_for(minutes=20)
    qb.fault(POST_PAYMENT, echo(lambda asked: quickbooks_fault(asked, "620"), 400))
    qb.fault(POST_PAYMENT, echo(everything_in, 500))


def lose_the_sign_in(world: Planted) -> None:
    StoredTokens.of(world.network_connection()).forget()
    with failing(world.avidxchange, TOKEN_CALL, echo(lambda asked: {"error_description": everything_in(asked)}, 401)):
        world.fail(world.network_connection(), lambda connector: connector.account())
    Token.objects.update(expires_at=world.clock.now())
    with failing(world.quickbooks, TOKEN_CALL, echo(everything_in, 500)):
        world.fail(world.erp(), lambda connector: connector.account())
        world.live_for(minutes=10)
    dead = echo(lambda asked: {"error": "invalid_grant", "error_description": everything_in(asked)}, 400)
    with failing(world.quickbooks, TOKEN_CALL, dead):
        world.fail(world.erp(), lambda connector: connector.account())
        world.live_for(minutes=10)
    assert world.erp().status == Connection.Status.ATTENTION


def queue_tasks(world: Planted, settings: Any, folder: Path) -> None:
    """Real tasks in the queue, and the result of one that ran."""
    share_time(world, settings, folder)
    settings.SIMULATOR_URL = world.address
    Feed.objects.update(due_at=world.clock.now(), woken_until=None)
    assert scheduler.tick(world.clock.now(), wake=scheduler.enqueue) >= 2
    async_task("syncs.tasks.read", Feed.objects.get(connection=world.erp()).pk, sync=True)
    assert Task.objects.get().success


def test_no_secret_is_stored_logged_or_said_whatever_goes_wrong(
    world: Planted, everything_logged: pytest.LogCaptureFixture, settings: Any, tmp_path: Path, client: Client
) -> None:
    user = User.objects.create_superuser("olivia", password="a long pass phrase")
    client.force_login(user)
    live_through_everything(world, user)
    queue_tasks(world, settings, tmp_path)

    said = [("errors", text) for text in world.said]
    texts = [*stored(), *logged(everything_logged.records), *said]
    assert places(world.hidden, texts) == set()
    went_through_it(world)
    searched = {place for place, _ in texts}
    assert {"log of httpx", "log of httpcore", "log of django", "errors", "queue", "results", "sessions"} <= searched
    assert {"audit_event", "connectors_exchange", "connectors_token", "syncs_attempt", "django_q_ormq"} <= searched


def went_through_it(world: Planted) -> None:
    """The failures have left their traces: without them the search would prove nothing."""
    assert len(world.hidden) > 15
    assert {500, 422, 401, 400} <= set(Exchange.objects.values_list("status", flat=True))
    assert Exchange.objects.filter(answer_body__contains="(redacted)").count() > 10
    assert Exchange.objects.filter(url__contains="?").count() > 20  # what was asked is kept, and searched for secrets
    assert UnreadableRow.objects.filter(raw__contains="(redacted)").exists()
    assert SyncRun.objects.filter(error__contains="(redacted)").exists()
    assert Problem.objects.filter(cause__contains="(redacted)").count() >= 2
    assert SyncRecord.objects.filter(state=State.HELD, reason__contains="(redacted)").exists()
    assert Attempt.objects.filter(message__contains="(redacted)").exists()
    assert any("(redacted)" in str(finding) for finding in world.erp().findings)
    assert any("(redacted)" in text for text in world.said)


def addresses() -> Iterator[str]:
    """Lists, first rows and acts of every model in the admin."""
    for model, page in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        for row in model._default_manager.order_by("-pk")[:25]:
            yield reverse(f"{name}_change", args=[row.pk])
            if isinstance(page, StaffAdmin) and model in (App, Connection):
                yield from (page.address(row, act) for act, _ in page.acts() if act != "check")
    yield from (
        reverse("syncs:bill", args=[id])
        for id in SyncRecord.objects.filter(stream__kind="bill").values_list("remote_record_id", flat=True)
    )


def test_no_page_shows_a_secret(world: Planted, client: Client) -> None:
    user = User.objects.create_superuser("olivia", password="a long pass phrase")
    client.force_login(user)
    live_through_everything(world, user)
    pages = [(address, client.get(address)) for address in addresses()]
    assert {page.status_code for _, page in pages} == {200}
    assert len(pages) > 100
    assert places(world.hidden, [(address, page.content.decode()) for address, page in pages]) == set()
    assert any("(redacted)" in page.content.decode() for _, page in pages)


@pytest.mark.parametrize("place", ["connectors_exchange", "audit_event", "connectors_token", "queue", "sessions"])
def test_the_search_finds_what_is_there(world: Planted, client: Client, place: str) -> None:
    assert places(world.hidden, stored()) == set()
    if place == "connectors_exchange":
        row = {"tenant_id": 1, "connection_id": 1, "at": world.clock.now(), "trace_id": "", "method": "", "seconds": 0}
        Exchange.objects.create(**row, url="", request_id="", request_body="", answer_body=f"<{CANARY}>", error="")
    elif place == "audit_event":
        Event.objects.create(tenant_id=None, at=world.clock.now(), verb="x", data=json.dumps(QUICKBOOKS_APP))
    elif place == "connectors_token":
        with database.cursor() as cursor:
            cursor.execute("UPDATE connectors_token SET secrets = %s", [f"plain {CANARY}".encode()])
    elif place == "queue":
        async_task("syncs.tasks.read", CANARY)
        assert OrmQ.objects.count() == 1
    else:
        client.force_login(User.objects.create_superuser("olivia"))
        session = client.session
        session["typed"] = CANARY
        session.save()
        assert Session.objects.count() == 1
    assert place in places(world.hidden, stored())


def test_no_repr_shows_a_secret() -> None:
    shown = [
        repr(Tokens(access_token=CANARY, expires_in=1, refresh_token=CANARY)),
        repr(HeldTokens(access_token=CANARY, refresh_token=CANARY)),
        repr(Answer(status=200, headers={"set-cookie": CANARY}, body=CANARY.encode())),
        repr(Token(secrets={"access": CANARY}, owner="app:1")),
        repr(App(name="app", credentials={"client_secret": CANARY})),
        repr(Connection(credentials={"user_token": CANARY})),
    ]
    assert not [text for text in shown if CANARY in text]
