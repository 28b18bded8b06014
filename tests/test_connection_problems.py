"""A connection that needs somebody is one problem, from whoever noticed until its credentials are accepted again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connections, transaction

from connectors import services
from connectors.attention import needs_attention, works_again
from connectors.conversation import finish
from connectors.errors import AuthError
from connectors.models import Connection
from syncs.mirror.failure import reading_succeeded
from syncs.mirror.pull import read_feed
from syncs.models import Feed, Problem
from syncs.problems.connections import stop_for_sign_in
from tests.connecting import PARTNER_APP, REALM, connected, connection, open_providers, staff
from tests.payables import feed_id, open_problems, postings, with_payment
from tests.simulation.world import BEGINNING, sign_in

pytestmark = pytest.mark.django_db


def test_a_problem_that_the_engine_opened_closes_with_the_sign_in_and_not_only_with_the_next_reading() -> None:
    world, bill_id, _ = with_payment()
    world.person(world.quickbooks, "disconnect")
    world.settle(days=1)
    [problem] = open_problems()
    assert problem.code == "reauthorise"
    sign_in(world)
    Connection.objects.filter(pk=world.integration.erp_id).update(status=Connection.Status.ATTENTION)
    works_again(Connection.objects.get(pk=world.integration.erp_id), now=world.clock.now())
    assert open_problems() == []
    assert Connection.objects.get(pk=world.integration.erp_id).status == Connection.Status.CONNECTED
    world.settle(days=1)
    assert len(postings(world, bill_id)) == 1


def test_a_check_that_is_refused_opens_the_problem_and_one_that_goes_well_closes_it() -> None:
    providers, made = open_providers(), connection(provider="avidxchange")
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    providers.avidxchange.person("register_app", client_id=PARTNER_APP["client_id"], client_secret="new")
    providers.clock.advance(timedelta(hours=2))
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    [problem] = open_problems()
    assert (problem.connection_id, made.status) == (made.pk, "attention")
    assert problem.remedy
    values = {**PARTNER_APP, "client_secret": "new"}
    services.change_app_credentials(app=made.app, values=values, by="olivia", now=providers.clock.now())
    made = Connection.objects.select_related("app").get()
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    assert (open_problems(), made.status) == ([], "connected")


def test_reconnecting_closes_the_problem() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    stop_for_sign_in(made, AuthError("The sign-in has ended.", code="reauthorise"), now=providers.clock.now())
    assert len(open_problems()) == 1
    url = services.begin_sign_in(connection=made, user=user, effects=providers.effects)
    services.complete_sign_in(answer=providers.consent(url, REALM), user=user, effects=providers.effects)
    assert open_problems() == []


@pytest.mark.parametrize("status", ["connected", "paused"])
def test_a_check_closes_what_a_late_worker_opened_although_nothing_has_to_be_resumed(status: str) -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    stop_for_sign_in(made, AuthError("The sign-in has ended.", code="reauthorise"), now=providers.clock.now())
    Connection.objects.update(status=status)
    made.refresh_from_db()
    services.check_connection(connection=made, by="olivia", effects=providers.effects)
    made.refresh_from_db()
    assert (open_problems(), made.status, made.attention == "" or status == "connected") == ([], status, True)


def test_a_refusal_that_is_not_in_the_catalogue_is_told_as_a_sign_in_with_its_own_words() -> None:
    providers, user = open_providers(), staff()
    made = connected(providers, user)
    needs_attention(made, AuthError("It answers for Harbor Foods.", code="other_company"), now=providers.clock.now())
    [problem] = open_problems()
    assert problem.code == "sign_in_again"
    assert "It answers for Harbor Foods." in problem.cause
    assert Problem.objects.count() == 1


def test_a_reading_that_waits_after_failures_is_due_at_once() -> None:
    world, _, _ = with_payment()
    later = world.clock.now() + timedelta(minutes=15)
    erp = world.integration.erp
    Feed.objects.filter(connection=erp).update(failures=5, due_at=later)
    Connection.objects.filter(pk=erp.pk).update(status=Connection.Status.ATTENTION)
    works_again(erp, now=world.clock.now())
    assert Feed.objects.get(connection=erp).due_at == world.clock.now()


def test_a_page_that_was_under_way_when_the_sign_in_died_does_not_close_its_problem() -> None:
    world, _, _ = with_payment()
    erp = world.integration.erp
    Feed.objects.filter(connection=erp).update(due_at=world.clock.now())
    steps = read_feed(feed_id(world), world.effects())
    while next(steps) != "page read":
        pass
    stop_for_sign_in(erp, AuthError("The sign-in has ended.", code="reauthorise"), now=world.clock.now())
    finish(steps)
    assert Connection.objects.get(pk=erp.pk).status == Connection.Status.ATTENTION
    assert [problem.code for problem in open_problems()] == ["reauthorise"]


def connected_again() -> tuple[Feed, Connection]:
    """The feed and the connection of an ERP that was stopped for its sign-in and is connected again."""
    world, _, _ = with_payment()
    erp = world.integration.erp
    stop_for_sign_in(erp, AuthError("The sign-in has ended.", code="reauthorise"), now=world.clock.now())
    Connection.objects.filter(pk=erp.pk).update(status=Connection.Status.CONNECTED)
    return Feed.objects.get(connection=erp), erp


@contextmanager
def somebody_else(statement: str, row_id: int) -> Iterator[None]:
    """Another session has done this to a row and has not committed it; in the end it takes it back."""
    other = connections["default"].copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(statement, [row_id])
        yield
        other.rollback()
    finally:
        other.close()


def keep_a_page(feed: Feed) -> None:
    """What a page says of the connection's problems when it is kept."""
    with transaction.atomic():
        reading_succeeded(feed, BEGINNING)


@pytest.mark.django_db(transaction=True)
def test_a_page_that_is_kept_while_somebody_stops_the_connection_neither_waits_nor_closes_the_problem() -> None:
    feed, erp = connected_again()
    with somebody_else("UPDATE connectors_connection SET status = 'attention' WHERE id = %s", erp.pk):
        keep_a_page(feed)
        assert len(open_problems()) == 1
    keep_a_page(feed)
    assert open_problems() == []


@pytest.mark.django_db(transaction=True)
def test_a_page_closes_the_problem_of_its_connection_although_somebody_holds_the_row_of_the_tenant() -> None:
    feed, erp = connected_again()
    with somebody_else("SELECT 1 FROM connectors_tenant WHERE id = %s FOR NO KEY UPDATE", erp.tenant_id):
        keep_a_page(feed)
        assert open_problems() == []
