"""Tenants, and what links them to providers: one module per concept."""

from connectors.models.app import App
from connectors.models.budget import Budget
from connectors.models.connection import Connection
from connectors.models.exchange import Exchange
from connectors.models.expiry_notice import ExpiryNotice
from connectors.models.metered_reads import MeteredReads
from connectors.models.sign_in import SignIn
from connectors.models.tenant import Tenant
from connectors.models.token import Token
from connectors.models.webhook import Hint, WebhookDelivery

__all__ = [
    "App",
    "Budget",
    "Connection",
    "Exchange",
    "ExpiryNotice",
    "Hint",
    "MeteredReads",
    "SignIn",
    "Tenant",
    "Token",
    "WebhookDelivery",
]
