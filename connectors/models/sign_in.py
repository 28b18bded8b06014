"""SignIn: one journey to a provider's consent page and back."""

from django.conf import settings
from django.db import models

from connectors.models.connection import Connection
from connectors.models.tenant import Tenant


class SignIn(models.Model):
    """The `state` of one authorization request: bound to a user and a connection, short-lived, usable once.

    Only the hash of the state is kept. The company found waits on the connection for the person's confirmation.
    """

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="sign_ins")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    state_hash = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant", "state_hash"), name="one_sign_in_of_a_state"),)

    def __str__(self) -> str:
        return f"sign-in for {self.connection}"
