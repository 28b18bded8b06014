"""What people do with tenants, apps and connections; admin, views and later the API call these and add no rule.

Everything takes keyword arguments, writes an audit event with who did it, and refuses by a ValidationError in plain
words, by field where there are fields. `by` is the person's user name.
"""

from connectors.services.apps import change_allowance, change_app_credentials, create_app
from connectors.services.check import check_connection, forget_check
from connectors.services.connections import (
    change_connection_credentials,
    change_settings,
    create_connection,
    pause_connection,
    resume_connection,
)
from connectors.services.reconnect import SignedIn
from connectors.services.sign_in import (
    begin_sign_in,
    complete_sign_in,
    confirm_company,
    decline_company,
    redirect_uri,
    sign_in_address,
)
from connectors.services.tenants import change_tenant, create_tenant
from connectors.services.webhooks import forget_old_hints, receive_webhook

__all__ = [
    "SignedIn",
    "begin_sign_in",
    "change_allowance",
    "change_app_credentials",
    "change_connection_credentials",
    "change_settings",
    "change_tenant",
    "check_connection",
    "complete_sign_in",
    "confirm_company",
    "create_app",
    "create_connection",
    "create_tenant",
    "decline_company",
    "forget_check",
    "forget_old_hints",
    "pause_connection",
    "receive_webhook",
    "redirect_uri",
    "resume_connection",
    "sign_in_address",
]
