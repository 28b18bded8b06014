"""Setting the demo up as a person would: the same services, the same sign-in, the same audit events."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from connectors import reality, services
from connectors.models import App, Connection, Tenant
from connectors.services import redirect_uri
from mlconnector.demo.bookkeeper import Bookkeeper
from mlconnector.demo.company import CHECKING, COMPANY, IN_TRANSIT, NETWORK_COMPANY, REALM, TIME_ZONE
from mlconnector.demo.simulated import ERP, NETWORK, Simulated
from syncs.integrations import activate, pair
from syncs.mapping.dimensions import REQUIRED
from syncs.models import Feed, Integration, Mapping, Policy
from syncs.services import set_mapping, set_policy

APP = {"client_id": "blue-ridge-demo", "client_secret": "only-a-simulator-accepts-this"}
NAME = "Simulators of the demo"
WHY = "Set up by the demo."
SLOW, LIVELY = 4 * 3600, 60  # seconds between two readings: while the story is told, and afterwards


def prepare_providers(simulated: Simulated) -> None:
    """The company at both providers, and our registration with each; the way back has today's address."""
    Bookkeeper(simulated).open_company()
    simulated.act(ERP, "register_app", **APP, redirect_uris=[redirect_uri()])
    simulated.act(NETWORK, "register_app", **APP)
    if NETWORK_COMPANY not in simulated.books(NETWORK):
        simulated.act(
            NETWORK, "link_company", company_id=NETWORK_COMPANY, name=COMPANY, client_id=APP["client_id"]
        )  # fmt: skip


def connect(simulated: Simulated, user: User) -> Integration:
    """The tenant with both connections and their integration, active; what is there already is kept."""
    by = user.get_username()
    tenant = Tenant.objects.filter(name=COMPANY).first() or services.create_tenant(
        name=COMPANY, time_zone=TIME_ZONE, by=by, now=_now()
    )
    erp = _connection(tenant, ERP, {}, by)
    if erp.status == Connection.Status.NEW:
        _sign_in(simulated, erp, user)
    network = _connection(tenant, NETWORK, {"company_id": NETWORK_COMPANY}, by)
    for connection in (erp, network):
        if connection.checked_at is None:
            services.check_connection(connection=connection, by=by, effects=reality.effects())
    integration = Integration.objects.filter(erp=erp, ap_network=network).first() or pair(
        erp=erp, ap_network=network, by=by, now=_now()
    )
    read_every(SLOW)
    if not Policy.objects.filter(integration=integration, key=REQUIRED).exists():
        set_policy(integration=integration, key=REQUIRED, value=["department"], by=by, why=WHY, now=_now())
    if not integration.active:
        activate(integration, by=by, why=WHY, now=_now())
    return integration


def map_accounts(simulated: Simulated, integration: Integration, by: str) -> None:
    """Say which account payments are posted to, once the ERP's accounts have been read."""
    bookkeeper = Bookkeeper(simulated)
    for subject, account in ((Mapping.Subject.FUNDING_ACCOUNT, CHECKING), (Mapping.Subject.IN_TRANSIT, IN_TRANSIT)):
        if not Mapping.objects.filter(integration=integration, subject=subject, valid_to=None).exists():
            set_mapping(
                integration=integration,
                subject=subject,
                source="*",
                target=bookkeeper.account_id(account),
                by=by,
                why=WHY,
                now=_now(),
            )


def compare_in_full(after: datetime) -> None:
    """The next full comparison of both sides begins at this moment; the first reading is not put off."""
    Feed.objects.filter(tenant__name=COMPANY, full_after__isnull=False).update(full_after=after)


def read_every(seconds: int) -> None:
    """How long the connections wait between two readings: nothing is to be read while people are still acting."""
    feeds, soon = Feed.objects.filter(tenant__name=COMPANY), _now() + timedelta(seconds=seconds)
    feeds.update(interval_seconds=seconds)
    feeds.filter(due_at__gt=soon).update(due_at=soon)


def _connection(tenant: Tenant, provider: str, credentials: dict[str, str], by: str) -> Connection:
    found = Connection.objects.select_related("app", "tenant").filter(tenant=tenant, provider=provider).first()
    if found is not None:
        return found
    registered = App.objects.filter(tenant=tenant, provider=provider, environment="simulated", name=NAME).first()
    app = registered or services.create_app(
        provider=provider, environment="simulated", name=NAME, tenant=tenant, values=APP, by=by, now=_now()
    )
    return services.create_connection(
        tenant=tenant, app=app, credentials=credentials, settings={}, by=by, now=_now()
    )  # fmt: skip


def _sign_in(simulated: Simulated, connection: Connection, user: User) -> None:
    """Out to the provider's page, back with a code, and a person's word that it is the right company."""
    simulated.act(ERP, "consent_automatically", realm_id=REALM)
    try:
        url = services.begin_sign_in(connection=connection, user=user, effects=reality.effects())
        answer = simulated.consent(url)
    finally:
        simulated.act(ERP, "consent_automatically", realm_id=None)
    signed_in = services.complete_sign_in(answer=answer, user=user, effects=reality.effects())
    if signed_in.needs_confirmation:
        services.confirm_company(connection=signed_in.connection, company_id=REALM, by=user.username, now=_now())
    connection.refresh_from_db()


def _now() -> datetime:
    return reality.present().now()
