"""Token: the access and refresh token of one connection, or of one app that its customers share."""

from django.db import models

from connectors.models.tenant import Tenant
from connectors.vault import EncryptedJSONField


class Token(models.Model):
    """Tokens and the right to refresh them; `owner` is `connection:<id>` or `app:<id>`.

    `generation` rises with every save; `refreshing_until` is the lease of who is refreshing it at this moment.
    """

    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, related_name="tokens")
    owner = models.CharField(max_length=60)
    secrets = EncryptedJSONField(default=dict)
    generation = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    lifetime_seconds = models.IntegerField(default=0)
    obtained_at = models.DateTimeField(null=True)
    refresh_expires_at = models.DateTimeField(null=True)
    hard_expires_at = models.DateTimeField(null=True)
    refreshing_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "owner"), nulls_distinct=False, name="one_token_of_an_owner"),
        )

    def __str__(self) -> str:
        return self.owner
