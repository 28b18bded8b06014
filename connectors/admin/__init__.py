"""Tenants, apps and connections in the admin: seen here, changed through services only."""

from connectors.admin import connections, people, tenants, upkeep, webhooks

__all__ = ["connections", "people", "tenants", "upkeep", "webhooks"]
