"""Which account of the ERP a payment is posted to, and discounts and taxes are booked on."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from connectors.errors import MappingError
from connectors.records import Kind, Payment, Phase, Ref
from syncs.models import Mapping

EVERY_OTHER = "*"


@dataclass(frozen=True)
class AccountMappings:
    """The mappings of one integration that are in force."""

    by_subject: dict[tuple[str, str], str]

    def account_for(self, payment: Payment) -> Ref:
        """Payments in transit while it is pending, then the bank account of its method; MappingError if unmapped."""
        if payment.phase is Phase.PENDING:
            return self._target(Mapping.Subject.IN_TRANSIT, EVERY_OTHER, "unmapped_in_transit", "payments in transit")
        return self._target(
            Mapping.Subject.FUNDING_ACCOUNT,
            str(payment.method),
            "unmapped_funding_account",
            f"payments by {payment.method}",
        )

    def in_transit(self) -> str:
        """The account of payments in transit; empty if none is mapped."""
        return self.by_subject.get((Mapping.Subject.IN_TRANSIT, EVERY_OTHER), "")

    def discount_account(self) -> str:
        """What discounts are booked on; MappingError if unmapped."""
        return self._target(Mapping.Subject.DISCOUNT, EVERY_OTHER, "unmapped_discount", "discounts taken").id

    @property
    def taxes(self) -> Ref | None:
        """What tax on bills is booked on, if that is mapped."""
        target = self.by_subject.get((Mapping.Subject.TAX, EVERY_OTHER))
        return Ref(Kind.ACCOUNT, target) if target else None

    def tax_account(self) -> Ref:
        """What tax on bills is booked on; MappingError if unmapped."""
        return self._target(Mapping.Subject.TAX, EVERY_OTHER, "unmapped_tax", "the tax on bills and credits")

    def _target(self, subject: Mapping.Subject, source: str, code: str, words: str) -> Ref:
        target = self.by_subject.get((subject, source)) or self.by_subject.get((subject, EVERY_OTHER))
        if not target:
            raise MappingError(
                f"No account of the ERP is mapped for {words}.", code=code, missing=f"{subject}:{source}"
            )
        return Ref(Kind.ACCOUNT, target)


def mappings_in_force(integration_id: int, *, at: datetime) -> AccountMappings:
    """The mappings of this integration at this time."""
    rows = Mapping.objects.order_by("subject", "source", "-valid_from").filter(
        Q(valid_to=None) | Q(valid_to__gt=at), integration_id=integration_id, valid_from__lte=at
    )
    return AccountMappings({(row.subject, row.source): row.target for row in rows})
