"""Which account of the ERP a payment is posted to, and discounts and taxes are booked on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from connectors.errors import MappingError
from connectors.models import Connection
from connectors.records import Kind, Payment, Phase, Ref
from syncs.models import Integration, RemoteRecord
from syncs.models import Mapping as Mapped

EVERY_OTHER = "*"
MOST_MERGES = 10  # of one account into the next


@dataclass(frozen=True)
class AccountMappings:
    """The mappings of one integration that are in force; `closed` names those of their accounts that are no more."""

    by_subject: dict[tuple[str, str], str]
    closed: Mapping[str, str] = field(default_factory=dict)

    def account_for(self, payment: Payment) -> Ref:
        """Payments in transit while it is pending, then the bank account of its method; MappingError if unmapped."""
        if payment.phase is Phase.PENDING:
            return self._target(Mapped.Subject.IN_TRANSIT, EVERY_OTHER, "unmapped_in_transit", "payments in transit")
        return self._target(
            Mapped.Subject.FUNDING_ACCOUNT,
            str(payment.method),
            "unmapped_funding_account",
            f"payments by {payment.method}",
        )

    def in_transit(self) -> str:
        """The account of payments in transit; empty if none is mapped that can be booked on."""
        target = self.by_subject.get((Mapped.Subject.IN_TRANSIT, EVERY_OTHER), "")
        return "" if target in self.closed else target

    def discount_account(self) -> str:
        """What discounts are booked on; MappingError if unmapped."""
        return self._target(Mapped.Subject.DISCOUNT, EVERY_OTHER, "unmapped_discount", "discounts taken").id

    @property
    def taxes(self) -> Ref | None:
        """What tax on bills is booked on, if that is mapped."""
        target = self.by_subject.get((Mapped.Subject.TAX, EVERY_OTHER))
        return Ref(Kind.ACCOUNT, target) if target else None

    def tax_account(self) -> Ref:
        """What tax on bills is booked on; MappingError if unmapped."""
        return self._target(Mapped.Subject.TAX, EVERY_OTHER, "unmapped_tax", "the tax on bills and credits")

    def _target(self, subject: Mapped.Subject, source: str, code: str, words: str) -> Ref:
        target = self.by_subject.get((subject, source)) or self.by_subject.get((subject, EVERY_OTHER))
        if not target:
            raise MappingError(
                f"No account of the ERP is mapped for {words}.", code=code, missing=f"{subject}:{source}"
            )
        if target in self.closed:
            why = f"{self.closed[target]}, which is mapped for {words}, is inactive or gone in the ERP."
            raise MappingError(f"{why} Map another account.", code=code, missing=f"{subject}:{source}")
        return Ref(Kind.ACCOUNT, target)


def mappings_in_force(integration: Integration, *, at: datetime) -> AccountMappings:
    """The mappings of this integration at this time; an account that was merged into another stands for that one."""
    rows = Mapped.objects.order_by("subject", "source", "-valid_from").filter(
        Q(valid_to=None) | Q(valid_to__gt=at), integration=integration, valid_from__lte=at
    )
    mapped = {(row.subject, row.source): row.target for row in rows if row.subject != Mapped.Subject.CODE}
    for _ in range(MOST_MERGES):
        closed = closed_accounts(integration.erp, mapped.values())
        merged = {one.remote_id: one.merged_into for one in closed if one.merged_into}
        if not merged:
            break
        mapped = {subject: merged.get(target, target) for subject, target in mapped.items()}
    return AccountMappings(mapped, {one.remote_id: one.name for one in closed})


def closed_accounts(erp: Connection, ids: Iterable[str]) -> list[RemoteRecord]:
    """Which of these accounts are inactive or gone, as the ERP last showed them: nothing can be booked on them."""
    accounts = RemoteRecord.objects.filter(tenant_id=erp.tenant_id, connection=erp, kind=Kind.ACCOUNT)
    return list(accounts.filter(remote_id__in=set(ids)).exclude(gone="", status="active"))
