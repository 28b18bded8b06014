"""Every page of the admin on a database with something of everything: it opens, and shows no secret."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from audit.models import Event
from connectors.models import App, Connection, Tenant
from connectors.operations import StaffAdmin
from syncs.models import Integration, Mapping, Policy, Problem, Stream, SyncRecord
from syncs.states import State
from tests.connecting import CANARY as TYPED
from tests.connecting import COMPANY, staff
from tests.populated import populate, secrets, share_time, story_of
from tests.simulation.world import World

pytestmark = pytest.mark.django_db
OURS = [model for model in admin.site._registry if model._meta.app_label in ("connectors", "syncs", "audit")]


@pytest.fixture
def world(client: Client, settings: Settings, tmp_path: Path) -> World:
    """Something of everything, seen by somebody of staff who is no superuser."""
    client.force_login(staff())
    populated = populate()
    share_time(populated, settings, tmp_path)
    return populated


def addresses() -> Iterator[str]:
    """Every page of every model: lists, searches, first rows, and what can be done with them."""
    for model in OURS:
        name, page = f"admin:{model._meta.app_label}_{model._meta.model_name}", admin.site._registry[model]
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_changelist") + "?q=INV-1"
        if (
            getattr(page, "add_view", None)
            and "has_add_permission" in vars(type(page))
            or hasattr(page, "list_address")
        ):
            yield reverse(f"{name}_add")
        for row in model._default_manager.order_by("-pk")[:3]:
            yield reverse(f"{name}_change", args=[row.pk])
            if isinstance(page, StaffAdmin):
                yield from (page.address(row, act) for act, _ in page.acts() if act not in ("check", "read"))
    for app in App.objects.all():
        first = f"provider={app.provider}&environment=simulated&name=x&tenant="
        yield f"{reverse('admin:connectors_app_add')}?{first}"
        yield f"{reverse('admin:connectors_connection_add')}?tenant={Tenant.objects.get().pk}&app={app.pk}"
    for act in ("replay", "ignore", "stop_ignoring"):
        some = ",".join(str(id) for id in SyncRecord.objects.values_list("pk", flat=True)[:3])
        yield f"{reverse('admin:syncs_syncrecord_decide', args=[act])}?ids={some}"
    for made in Connection.objects.all():
        yield from (f"/connect/{made.pk}/", f"/connect/{made.pk}/confirm/")
    yield from (
        "/admin/",
        "/bills/",
        *(f"/bills/{story_of(number)}/" for number in ("INV-1", "INV-2", "INV-3", "INV-4")),
    )


def test_every_page_opens_for_staff_and_shows_no_secret(client: Client, world: World) -> None:
    hidden, visited = secrets(), 0
    for address in addresses():
        page = client.get(address)
        refused = "/connect/" in address and page.status_code == 400
        assert page.status_code == 200 or refused, f"{address}: {page.status_code}"
        text = page.content.decode()
        assert not [secret for secret in hidden if secret in text], address
        visited += 1
    assert visited > 90


def test_pages_are_for_staff_only(client: Client) -> None:
    client.force_login(User.objects.create_user("visitor", password="a long pass phrase"))
    for model in OURS:
        page = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        assert page.status_code == 302
        assert "login" in page.headers["location"]


def test_every_empty_list_says_what_to_do(client: Client) -> None:
    client.force_login(staff())
    for model in OURS:
        page = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        empty = getattr(admin.site._registry[model], "empty_text", "Nothing here yet.")
        assert empty in page.content.decode()


def test_lists_take_the_same_number_of_queries_however_long_they_are(client: Client, world: World) -> None:
    for model in (SyncRecord, Problem, Connection, Integration, Mapping):
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        client.get(address)
        with CaptureQueriesContext(database) as captured:
            client.get(address)
        assert len(captured) <= 16, model


def test_the_pages_of_bills_have_no_inline_script_or_style(client: Client, world: World) -> None:
    for address in ("/bills/", f"/bills/{story_of('INV-1')}/", f"/connect/{Connection.objects.first().pk}/"):  # type: ignore[union-attr]
        page = client.get(address)
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page.content.decode())
        assert "unsafe" not in page.headers["content-security-policy"]


def post(client: Client, view: str, *args: object, query: str = "", **data: str | list[str]) -> str:
    """What the page says after its form was sent."""
    page = client.post(reverse(view, args=args) + query, data, follow=True)
    assert page.status_code == 200
    return page.content.decode()


def test_a_tenant_an_app_and_a_connection_are_added_step_by_step(client: Client) -> None:
    client.force_login(staff())
    post(client, "admin:connectors_tenant_add", name="Acme", time_zone="America/Chicago")
    tenant = Tenant.objects.get()
    first = {"provider": "avidxchange", "environment": "simulated", "name": "Partner", "tenant": ""}
    page = client.post(reverse("admin:connectors_app_add"), first)
    assert page.status_code == 302
    credentials = {"client_id": "partner", "client_secret": f"{TYPED}-secret"}
    said = client.post(page.headers["location"], credentials, follow=True).content.decode()
    assert "Partner was added" in said
    assert TYPED not in said
    app = App.objects.get()
    page = client.post(reverse("admin:connectors_connection_add"), {"tenant": tenant.pk, "app": app.pk})
    entered = {"credentials-company_id": COMPANY, "settings-profile": "assumed-v1"}
    client.post(page.headers["location"], entered)
    made = Connection.objects.get()
    kept = {"company_id": COMPANY, "company_token": "", "user_token": ""}
    assert (made.tenant, made.credentials, made.status) == (tenant, kept, "new")
    assert set(Event.objects.values_list("actor", flat=True)) == {"olivia"}


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(client: Client) -> None:
    client.force_login(staff())
    said = post(client, "admin:connectors_tenant_add", name="Acme", time_zone="Mars")
    assert "There is no such time zone" in said
    query = "?provider=quickbooks&environment=simulated&name=Ours&tenant="
    said = post(client, "admin:connectors_app_add", query=query, client_id="", client_secret=TYPED)
    assert "This field is required" in said
    assert TYPED not in said
    assert not Tenant.objects.exists()
    assert not App.objects.exists()


def test_a_connection_with_wrong_settings_is_not_added(client: Client, world: World) -> None:
    app, count = App.objects.get(provider="quickbooks"), Connection.objects.count()
    query = f"?tenant={world.tenant.pk}&app={app.pk}"
    said = post(client, "admin:connectors_connection_add", query=query, **{"settings-home_currency": "dollars"})
    assert "This cannot be right" in said
    assert Connection.objects.count() == count


def test_settings_are_changed_and_a_connection_is_paused_with_a_reason(client: Client, world: World) -> None:
    made = world.integration.erp
    post(client, "admin:connectors_connection_settings", made.pk, home_currency="CAD")
    assert Connection.objects.get(pk=made.pk).settings == {"home_currency": "CAD"}
    assert "required" in post(client, "admin:connectors_connection_pause", made.pk, why="")
    post(client, "admin:connectors_connection_pause", made.pk, why="books are being moved")
    assert Connection.objects.get(pk=made.pk).status == "paused"
    post(client, "admin:connectors_connection_resume", made.pk)
    assert Connection.objects.get(pk=made.pk).status == "connected"


def test_nothing_is_done_by_looking(client: Client, world: World) -> None:
    before = Event.objects.count()
    assert client.get(reverse("admin:connectors_connection_check", args=[world.integration.erp_id])).status_code == 405
    for act in ("read", "read_in_full", "pause", "schedule"):
        page = client.get(reverse(f"admin:syncs_feed_{act}", args=[world.integration.erp.feed.pk]))
        assert "Why" in page.content.decode()
    client.get(reverse("admin:connectors_connection_resume", args=[world.integration.erp_id]))
    assert Event.objects.count() == before


def test_a_held_payment_is_mapped_and_sent_again_from_the_admin(client: Client, world: World) -> None:
    held = SyncRecord.objects.get(code="unmapped_funding_account")
    chosen = {"action": "replay", "_selected_action": str(held.pk)}
    page = client.post(reverse("admin:syncs_syncrecord_changelist"), chosen)
    assert page.status_code == 302
    said = client.post(page.headers["location"], {"why": "mapped by now"}, follow=True).content.decode()
    assert "done for 1 of 1" in said
    assert SyncRecord.objects.get(pk=held.pk).state == State.PENDING
    world.settle()
    said = post(
        client,
        "admin:syncs_integration_mapping",
        world.integration.pk,
        subject="funding_account",
        source="*",
        target="35",
        why="the operating account",
    )
    assert "Released: 1" in said
    world.settle()
    assert SyncRecord.objects.get(pk=held.pk).state == State.SYNCED


def test_what_cannot_be_done_is_said_and_stops_none_of_the_others(client: Client, world: World) -> None:
    ids = ",".join(str(id) for id in SyncRecord.objects.filter(stream__kind="bill").values_list("pk", flat=True))
    address = reverse("admin:syncs_syncrecord_decide", args=["replay"])
    said = client.post(f"{address}?ids={ids}", {"why": "try"}, follow=True).content.decode()
    assert "Only what is held can be sent again" in said
    assert "done for 1 of 4" in said


def explanation(client: Client, record: SyncRecord) -> str:
    address = f"{reverse('admin:syncs_syncrecord_decide', args=['ignore'])}?ids={record.pk}"
    return " ".join(client.get(address).content.decode().split())


def test_ignoring_says_what_becomes_of_what_was_sent_already(client: Client, world: World) -> None:
    bill = SyncRecord.objects.get(stream__kind="bill", remote_record__number="INV-2")
    assert "stays on the other side as it is" in explanation(client, bill)
    assert "ever sent" not in explanation(client, bill)
    bill = SyncRecord.objects.get(stream__kind="bill", remote_record__number="INV-4")
    assert "Never sent, whatever changes" in explanation(client, bill)
    assert "stays on the other side" not in explanation(client, bill)


def test_the_policies_of_an_integration_say_what_their_values_mean(client: Client, world: World) -> None:
    page = client.get(reverse("admin:syncs_integration_change", args=[world.integration.pk])).content.decode()
    assert "<td>yes, against payments in transit</td>" in page
    assert "<td>USD</td>" in page


def test_times_in_operations_have_their_zone(client: Client, world: World) -> None:
    problem = Problem.objects.get(code="partly_settled")
    erp = world.integration.erp
    Connection.objects.filter(pk=erp.pk).update(checked_at=world.clock.now())
    for address in (
        "/admin/",
        reverse("admin:syncs_problem_change", args=[problem.pk]),
        reverse("admin:syncs_problem_changelist"),
        reverse("admin:syncs_integration_change", args=[world.integration.pk]),
        reverse("admin:connectors_connection_change", args=[erp.pk]),
    ):
        text = client.get(address).content.decode()
        times = re.findall(r"\d{1,2} Mar 2026 \d\d:\d\d(?::\d\d)?(.{4})", text)
        assert times, address
        assert set(times) == {" UTC"}, address


def test_a_connection_that_is_dead_does_not_promise_to_renew_itself(client: Client, world: World) -> None:
    erp = world.integration.erp
    address = reverse("admin:connectors_connection_change", args=[erp.pk])
    assert "renewed by itself" in client.get(address).content.decode()
    Connection.objects.filter(pk=erp.pk).update(status=Connection.Status.ATTENTION, attention="It has ended.")
    assert "renewed by itself" not in client.get(address).content.decode()


def test_streams_and_policies_are_changed_from_the_admin(client: Client, world: World) -> None:
    stream = Stream.objects.get(kind="bill")
    post(client, "admin:syncs_stream_pause", stream.pk, why="month end")
    assert Stream.objects.get(pk=stream.pk).paused
    post(client, "admin:syncs_stream_resume", stream.pk, why="month end is over")
    assert not Stream.objects.get(pk=stream.pk).paused
    post(client, "admin:syncs_integration_policy_pending_payments", world.integration.pk, value="no", why="controller")
    assert Policy.objects.get(key="pending_payments", valid_to=None).value is False
    said = post(client, "admin:syncs_integration_policy_currencies", world.integration.pk, value="dollars", why="x")
    assert "List currencies by their codes" in said


def test_an_integration_is_paired_from_two_connections_that_fit(client: Client, world: World) -> None:
    erp, network = world.integration.erp, world.integration.ap_network
    said = post(client, "admin:syncs_integration_add", erp=str(erp.pk), ap_network=str(erp.pk))
    assert "Select a valid choice" in said
    post(client, "admin:syncs_integration_deactivate", world.integration.pk, why="being replaced")
    post(client, "admin:syncs_integration_add", erp=str(erp.pk), ap_network=str(network.pk))
    made = Integration.objects.order_by("pk").last()
    assert made is not None
    post(client, "admin:syncs_integration_activate", made.pk, why="replaces the other")
    assert list(Integration.objects.filter(active=True)) == [made]


def test_users_are_looked_after_by_superusers_only(client: Client) -> None:
    somebody = staff()
    client.force_login(somebody)
    assert client.get(reverse("admin:auth_user_changelist")).status_code == 403
    assert "Users" not in client.get("/admin/").content.decode()
    client.force_login(User.objects.create_superuser("root", password="a long pass phrase"))
    for address in ("changelist", "add"):
        assert client.get(reverse(f"admin:auth_user_{address}")).status_code == 200
    page = client.get(reverse("admin:auth_user_change", args=[somebody.pk]))
    assert page.status_code == 200
    assert somebody.password not in page.content.decode()


def test_schedules_and_holidays_are_kept_from_the_admin_and_shown_in_the_tenants_time(
    client: Client, world: World
) -> None:
    stream = Stream.objects.get(kind="payment")
    act = "admin:syncs_stream_schedule"
    said = post(client, act, stream.pk, way="cycle", times="", weekdays=["1", "4"], month_days="", why="AP runs then")
    assert "Say at what time" in said
    said = post(client, act, stream.pk, way="cycle", times="14:00", weekdays=["1", "4"], month_days="", why="AP runs")
    assert "From now on: Tuesdays and Fridays at 14:00." in said
    assert "14:00 EST" in said
    said = post(client, "admin:syncs_holiday_set", world.tenant.pk, days="2026-12-25 Christmas\nsoon", why="new list")
    assert "does not begin with a date" in said
    post(client, "admin:syncs_holiday_set", world.tenant.pk, days="2026-12-25 Christmas", why="new list")
    assert [str(one) for one in world.tenant.holidays.all()] == ["Fri 25 Dec 2026 Christmas"]
    assert "Christmas" in client.get(reverse("admin:syncs_holiday_set", args=[world.tenant.pk])).content.decode()
    assert "Tuesdays and Fridays" in client.get(reverse("admin:syncs_stream_changelist")).content.decode()
    page = client.get(reverse("admin:syncs_integration_change", args=[world.integration.pk])).content.decode()
    assert "Tuesdays and Fridays at 14:00" in page
    post(client, act, stream.pk, way="default", why="no longer")
    assert "at once" in client.get(reverse("admin:syncs_stream_change", args=[stream.pk])).content.decode()


def test_who_paused_it_and_why_is_shown_where_people_look(client: Client, world: World) -> None:
    feed, stream = world.integration.erp.feed, Stream.objects.get(kind="bill")
    assert "It was running already" in post(client, "admin:syncs_feed_resume", feed.pk, why="twice")
    for row, kind in ((feed, "feed"), (stream, "stream")):
        post(client, f"admin:syncs_{kind}_pause", row.pk, why="stock taking")
        assert "It was paused already" in post(client, f"admin:syncs_{kind}_pause", row.pk, why="again")
        assert "stock taking" in client.get(reverse(f"admin:syncs_{kind}_change", args=[row.pk])).content.decode()
        assert "paused by" in client.get(reverse(f"admin:syncs_{kind}_changelist")).content.decode()
    page = client.get(reverse("admin:syncs_integration_change", args=[world.integration.pk])).content.decode()
    assert page.count("stock taking") == 2
    assert "stock taking" in client.get("/admin/").content.decode()
    assert (
        "(paused)"
        in client.get(reverse("admin:connectors_connection_change", args=[world.integration.erp_id])).content.decode()
    )
