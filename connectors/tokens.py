"""Where tokens are kept: the store of `connectors.oauth` on our rows. Every method commits before it returns."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.log import NewEvent, record
from connectors.base import Tokens
from connectors.errors import TransientError
from connectors.models import Connection, Token
from connectors.oauth import HeldTokens
from connectors.registry import connector_class
from connectors.vault import UNREADABLE, Undecryptable

ON_ITS_WAY = timedelta(minutes=10)  # an end that is told in seconds left moves with each answer by this or less


@dataclass
class StoredTokens:
    """The tokens of one connection, or of the app whose customers share them."""

    tenant_id: int | None
    owner: str
    _refreshing_until: datetime | None = None
    _generation: int = 0

    @classmethod
    def of(cls, connection: Connection) -> "StoredTokens":
        """The store that this connection signs in with."""
        if connector_class(connection.provider).token_owner == "app":
            return cls(connection.app.tenant_id, f"app:{connection.app_id}")
        return cls(connection.tenant_id, f"connection:{connection.pk}")

    def load(self) -> HeldTokens:
        """What is held now; nothing where nobody has signed in yet."""
        token = self.row().first() or self._made()
        if isinstance(token.secrets, Undecryptable):
            raise TransientError(UNREADABLE, code="credentials_unreadable")
        return HeldTokens(
            access_token=token.secrets.get("access", ""),
            refresh_token=token.secrets.get("refresh", ""),
            expires_at=token.expires_at,
            lifetime=timedelta(seconds=token.lifetime_seconds),
            generation=token.generation,
        )

    def begin_refresh(self, generation: int, *, now: datetime, until: datetime) -> bool:
        """Take the right to refresh this generation, unless somebody else has it."""
        free = Q(refreshing_until=None) | Q(refreshing_until__lte=now)
        taken = self.row().filter(free, generation=generation).update(refreshing_until=until)
        self._refreshing_until, self._generation = (until if taken else None), generation
        return bool(taken)

    def save(self, tokens: Tokens, *, now: datetime) -> None:
        """Keep new tokens and give the right back; TransientError if somebody else has kept newer ones.

        A right that ran out does no harm, even if somebody has taken it since: what came may be the only living refresh
        token. Whoever took the right last has asked last, and replaces what was kept meanwhile.
        """
        with transaction.atomic():
            token = self.row().select_for_update().get()
            asked_last = token.refreshing_until == self._refreshing_until
            if token.generation != self._generation and not asked_last:
                raise TransientError("Another worker has fetched a newer access token.", code="token_in_flight")
            keep(token, tokens, now=now, right_until=None if asked_last else token.refreshing_until)
            record(
                [
                    NewEvent(
                        tenant_id=self.tenant_id,
                        at=now,
                        verb="token_refreshed",
                        subject_kind="token",
                        subject_id=self.owner,
                        data={"generation": token.generation},
                    )
                ]
            )

    def give_up(self) -> None:
        """Give the right back without new tokens."""
        self.row().filter(refreshing_until=self._refreshing_until).update(refreshing_until=None)

    def replace(self, tokens: Tokens, *, now: datetime) -> None:
        """Keep what a person's new sign-in brought, whoever may be refreshing the old ones."""
        with transaction.atomic():
            self._made()
            token = self.row().select_for_update().get()
            token.refresh_expires_at = token.hard_expires_at = None  # what was told of the former sign-in
            keep(token, tokens, now=now)

    def forget(self) -> None:
        """Hold nothing any more."""
        self.row().delete()

    def _made(self) -> Token:
        with transaction.atomic():
            Token.objects.bulk_create([Token(tenant_id=self.tenant_id, owner=self.owner)], ignore_conflicts=True)
        return self.row().get()

    def row(self) -> QuerySet[Token]:
        """The row of these tokens, if there is one."""
        return Token.objects.filter(Q(tenant_id=self.tenant_id) if self.tenant_id else Q(tenant=None), owner=self.owner)


def token_of(connection: Connection) -> Token | None:
    """What is known of its tokens, without the tokens themselves."""
    store = StoredTokens.of(connection)
    return store.row().defer("secrets").first()


def keep(token: Token, tokens: Tokens, *, now: datetime, right_until: datetime | None = None) -> None:
    """Write new tokens into a row that the caller has locked; nobody has the right to refresh unless it is said."""
    known = {} if isinstance(token.secrets, Undecryptable) else token.secrets
    token.secrets = {"access": tokens.access_token, "refresh": tokens.refresh_token or known.get("refresh", "")}
    token.generation += 1
    token.lifetime_seconds = tokens.expires_in
    token.obtained_at = now
    token.expires_at = now + timedelta(seconds=tokens.expires_in)
    token.refresh_expires_at = _end(token.refresh_expires_at, tokens.refresh_expires_in, now)
    token.hard_expires_at = _end(token.hard_expires_at, tokens.hard_expires_in, now)
    token.refreshing_until = right_until
    token.save()


def _end(known: datetime | None, seconds: int | None, now: datetime) -> datetime | None:
    """When something ends; what is known stays where the answer says nothing, or the same but for its way to us."""
    if seconds is None:
        return known
    told = now + timedelta(seconds=seconds)
    return known if known is not None and abs(told - known) < ON_ITS_WAY else told
