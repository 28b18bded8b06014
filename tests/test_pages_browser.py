"""Pages in a real browser: logging in, connecting QuickBooks by its consent page, and a bill's story."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from connectors import services
from connectors.clock import machine_clock
from connectors.models import Connection, Exchange
from connectors.quickbooks.simulator import QuickBooksSimulator
from connectors.simulator_server import SimulatorServer
from syncs.models import Problem, Stream
from tests import connecting
from tests.populated import populate, share_time, story_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SHOTS = os.environ.get("SCREENSHOTS")  # a folder to look at the pages in
PASSWORD = "a long pass phrase"


@dataclass
class Seen:
    """A page, and everything that the browser asked for and complained about."""

    page: Page
    base: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def log_in(self) -> None:
        self.go("/admin/login/")
        self.page.fill("#id_username", "olivia")
        self.page.fill("#id_password", PASSWORD)
        self.page.click("button[type=submit]")
        expect(self.page).to_have_url(f"{self.base}/admin/")

    def complain(self, said: ConsoleMessage) -> None:
        """What goes wrong on pages of ours; a provider's are not ours."""
        if said.type == "error" and said.location.get("url", self.base).startswith(self.base):
            self.complaints.append(f"{said.text} {said.location}")

    def shot(self, name: str) -> None:
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "Install chromium or google-chrome: pages are tested in a real browser."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def seen(browser: Browser, live_server: LiveServer, settings: Settings) -> Iterator[Seen]:
    """A fresh browser of somebody of staff; in the end nothing must have left this machine."""
    settings.PUBLIC_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    User.objects.create_user("olivia", password=PASSWORD, is_staff=True)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    one = Seen(context.new_page(), live_server.url)

    def note(request: Request) -> None:
        one.requests.append(request.url)

    one.page.on("request", note)
    one.page.on("console", lambda said: one.complain(said))
    one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
    yield one
    context.close()
    assert {urlsplit(url).hostname for url in one.requests if url.startswith("http")} <= {"127.0.0.1", "localhost"}


@pytest.fixture
def quickbooks(settings: Settings, live_server: LiveServer) -> Iterator[QuickBooksSimulator]:
    """QuickBooks on a port of its own, with two companies and our app."""
    simulator = QuickBooksSimulator(machine_clock())
    simulator.throttled = False
    settings.PUBLIC_URL = live_server.url
    simulator.person("register_app", **connecting.QUICKBOOKS_APP, redirect_uris=[services.redirect_uri()])
    simulator.create_company(connecting.REALM, "Blue Ridge Wholesale")
    simulator.create_company(connecting.OTHER_REALM, "Harbor Foods")
    with SimulatorServer({"quickbooks": simulator}) as server:
        settings.SIMULATOR_URL = server.address
        yield simulator


def test_staff_log_in_and_find_their_work(seen: Seen) -> None:
    seen.go("/")
    expect(seen.page).to_have_url(f"{seen.base}/admin/login/?next=/admin/")
    seen.shot("login")
    seen.page.fill("#id_username", "olivia")
    seen.page.fill("#id_password", "wrong")
    seen.page.click("button[type=submit]")
    expect(seen.page.locator("body")).to_contain_text("Please enter the correct username and password")
    seen.log_in()
    for group in ("Work", "What moved", "Set-up", "Audit and people"):
        expect(seen.page.get_by_role("heading", name=group)).to_be_visible()
    seen.shot("admin")
    expect(seen.page.locator("#content")).to_contain_text("Nothing is set up yet")
    seen.page.get_by_role("link", name="error Problems").click()
    expect(seen.page.locator("body")).to_contain_text("No problem")
    seen.shot("no-problems")
    assert seen.complaints == []


def test_a_tenant_is_set_up_and_quickbooks_connected_by_clicking_through_its_consent_page(
    seen: Seen, quickbooks: QuickBooksSimulator
) -> None:
    page = seen.page
    seen.log_in()
    seen.go("/admin/connectors/tenant/add/")
    page.get_by_label("Name").fill("Blue Ridge Wholesale")
    seen.shot("add-tenant")
    page.get_by_role("button", name="Add tenant").click()
    seen.go("/admin/connectors/app/add/")
    page.get_by_label("Environment").select_option("simulated")
    page.get_by_label("Provider").select_option("quickbooks")
    page.get_by_label("Name").fill("Our app")
    seen.shot("add-app-1")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Client ID").fill(connecting.QUICKBOOKS_APP["client_id"])
    page.get_by_role("button", name="Add app").click()
    expect(page.locator("body")).to_contain_text("This field is required")
    page.get_by_label("Client secret").fill(connecting.QUICKBOOKS_APP["client_secret"])
    seen.shot("add-app-2")
    page.get_by_role("button", name="Add app").click()
    seen.go("/admin/connectors/connection/add/")
    page.get_by_label("Tenant").select_option(label="Blue Ridge Wholesale")
    page.get_by_label("App").select_option(label="Our app (quickbooks, simulated)")
    page.get_by_role("button", name="Next").click()
    seen.shot("add-connection")
    page.get_by_role("button", name="Add").click()
    seen.shot("connection-new")
    page.get_by_role("link", name="Connect", exact=True).click()
    seen.shot("connect")
    page.get_by_role("button", name="Go to QuickBooks Online").click()
    expect(page.get_by_role("heading", name="Connect qb-app to QuickBooks")).to_be_visible()
    page.get_by_label("Company").select_option(label="Blue Ridge Wholesale")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_role("heading", name="Is this the right company?")).to_be_visible()
    seen.shot("confirm")
    page.get_by_role("button", name="Yes, connect Blue Ridge Wholesale").click()
    expect(page.locator("body")).to_contain_text("Blue Ridge Wholesale is connected")
    expect(page.locator(".findings")).to_contain_text("We can read vendors")
    seen.shot("connection-connected")
    page.get_by_role("button", name="Check connection").click()
    expect(page.locator("body")).to_contain_text("Checked: nothing missing")
    assert Connection.objects.get().status == "connected"
    assert Exchange.objects.count() > 3
    reconnect_elsewhere(seen)
    assert seen.complaints == []


def reconnect_elsewhere(seen: Seen) -> None:
    """Signing in again to another company is refused and says to which, and declining changes nothing."""
    page = seen.page
    connect = f"/connect/{Connection.objects.get().pk}/"
    seen.go(connect)
    page.get_by_role("button", name="Go to QuickBooks Online").click()
    page.get_by_label("Company").select_option(label="Harbor Foods")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_role("heading", name="This sign-in did not work")).to_be_visible()
    expect(page.locator("main")).to_contain_text(connecting.OTHER_REALM)
    seen.shot("refused")
    page.reload()
    expect(page.locator("main")).to_contain_text("used already")
    seen.go(connect)
    page.get_by_role("button", name="Go to QuickBooks Online").click()
    page.get_by_role("button", name="No, thanks").click()
    expect(page.locator("main")).to_contain_text("did not give")
    seen.complaints[:] = [said for said in seen.complaints if "400 (Bad Request)" not in said]
    assert Connection.objects.get().account_id == connecting.REALM


def test_a_bills_story_is_found_and_read(seen: Seen, settings: Settings, tmp_path: Path) -> None:
    world = populate()
    share_time(world, settings, tmp_path)
    page = seen.page
    seen.log_in()
    seen.go("/bills/")
    seen.shot("bills")
    page.get_by_label("Bill number, vendor, check number or amount, in full").fill("0004100231")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="INV-1").click()
    expect(page.get_by_role("heading", name="Bill INV-1 of Acme Paper")).to_be_visible()
    expect(page.locator(".stages li.done")).to_have_count(6)
    expect(page.locator(".timeline > li").first).to_contain_text("Seen in QuickBooks Online")
    expect(page.locator(".timeline > li").last).to_contain_text("posted in QuickBooks Online")
    exchange = page.locator(".timeline details").first
    exchange.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(exchange.locator("pre").first).to_be_visible()
    seen.shot("story")
    for number in ("INV-2", "INV-3", "INV-4"):
        seen.go(f"/bills/{story_of(number)}/")
        seen.shot(f"story-{number}")
    page.set_viewport_size({"width": 390, "height": 844})
    seen.go(f"/bills/{story_of('INV-2')}/")
    seen.shot("story-phone")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    seen.go("/bills/")
    seen.shot("bills-phone")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for width in (1280, 1360):
        page.set_viewport_size({"width": width, "height": 900})
        seen.go("/bills/")
        assert page.evaluate("(table => table.scrollWidth <= table.clientWidth)(document.querySelector('.table'))")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(media="print")
    seen.go(f"/bills/{story_of('INV-1')}/")
    seen.shot("story-print")
    page.emulate_media(media="screen", color_scheme="dark")
    seen.shot("story-dark")
    assert seen.complaints == []


def schedule_and_pause(seen: Seen, stream: int) -> None:
    """An AP cycle is chosen for payments, then they are paused: both are shown with who and why."""
    page = seen.page
    seen.go(f"/admin/syncs/stream/{stream}/schedule/")
    page.locator("#id_way").select_option(label="certain weekdays or days of the month, at certain times")
    page.locator("#id_times").fill("14:00")
    page.get_by_label("Tuesdays").check()
    page.get_by_label("Fridays").check()
    page.get_by_label("Why").fill("AP pays on these days")
    seen.shot("schedule")
    page.get_by_role("button", name="From now on").click()
    expect(page.locator("#content")).to_contain_text("Tuesdays and Fridays at 14:00")
    seen.shot("stream-scheduled")
    page.get_by_role("link", name="Pause …").click()
    page.get_by_label("Why").fill("Month end")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#content")).to_contain_text("Paused by olivia")
    seen.shot("stream-paused")
    seen.go("/admin/")
    seen.shot("admin-paused")


def test_the_lists_of_operations_open_in_the_browser(seen: Seen, settings: Settings, tmp_path: Path) -> None:
    world = populate()
    share_time(world, settings, tmp_path)
    seen.log_in()
    integration = world.integration.pk
    for name, path in {
        "problems": "/admin/syncs/problem/?resolved_at__isempty=1",
        "problem": f"/admin/syncs/problem/{Problem.objects.get(code='partly_settled').pk}/change/",
        "held": "/admin/syncs/syncrecord/?state__exact=held",
        "integration": f"/admin/syncs/integration/{integration}/change/",
        "map-account": f"/admin/syncs/integration/{integration}/mapping/",
        "connections": "/admin/connectors/connection/",
        "records": "/admin/syncs/remoterecord/",
        "attempts": "/admin/syncs/attempt/",
        "exchanges": "/admin/connectors/exchange/",
        "feed": f"/admin/syncs/feed/{world.integration.erp.feed.pk}/change/",
        "feeds": "/admin/syncs/feed/",
        "streams": "/admin/syncs/stream/",
        "runs": "/admin/syncs/syncrun/",
        "holidays": f"/admin/syncs/holiday/{world.tenant.pk}/set/",
    }.items():
        seen.go(path)
        expect(seen.page.locator("#content")).to_be_visible()
        seen.shot(name)
    schedule_and_pause(seen, Stream.objects.get(kind="payment").pk)
    seen.go(f"/admin/syncs/problem/{Problem.objects.get(code='partly_settled').pk}/replay/")
    seen.shot("send-again")
    seen.go("/admin/syncs/syncrecord/?state__exact=held")
    seen.page.locator("input.action-select").first.check()
    seen.page.get_by_role("combobox").select_option(label="Send again …")
    seen.shot("held-chosen")
    assert seen.complaints == []
