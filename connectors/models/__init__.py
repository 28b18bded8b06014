"""Tenants, and what links them to providers: one module per concept."""

from connectors.models.app import App
from connectors.models.budget import Budget
from connectors.models.connection import Connection
from connectors.models.exchange import Exchange
from connectors.models.sign_in import SignIn
from connectors.models.tenant import Tenant
from connectors.models.token import Token

__all__ = ["App", "Budget", "Connection", "Exchange", "SignIn", "Tenant", "Token"]
