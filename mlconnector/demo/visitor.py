"""Who looks at the demo: a login made once, and where there is something to see."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse

from connectors.clock import unguessable
from connectors.records import Kind
from mlconnector.demo.company import COMPANY
from mlconnector.demo.figures import Figures
from mlconnector.demo.premises import folder
from mlconnector.demo.telling import Telling
from mlconnector.demo.trouble import BILLS
from syncs.models import SyncRecord

NAME = "demo"
SHOWN = {
    "Paid": next(bill.number for bill in BILLS if bill.fate == "paid" and bill.order),
    "Held": next(bill.number for bill in BILLS if bill.fate == "partly paid"),
}


@dataclass(frozen=True)
class Visitor:
    """A user who may see and do everything, and the password, which stays the same at every start."""

    user: User
    password: str

    @classmethod
    def welcome(cls) -> "Visitor":
        """The user, made at the first start."""
        note = folder() / "password"
        if not note.exists():
            note.touch(mode=0o600)
            note.write_text(unguessable()[:16])
        password = note.read_text()
        user = User.objects.filter(username=NAME).first() or User.objects.create_superuser(NAME, password=password)
        return cls(user, password)

    def sum_up(self, telling: Telling, found: Figures, lost: Sequence[str]) -> None:
        """What has come of the month, and what was lost, by name."""
        telling.heading("\nThe month is over")
        telling.say(
            f"  {found['bills_in_erp']} bills stand in QuickBooks, {found['bills_in_ap']} of them at AvidXchange; "
            f"{_reasons(found['bills_held'])} held, {_reasons(found['out_of_scope'])} out of scope"
        )
        telling.say(
            f"  with {found['credits_in_ap']} credits, {found['orders_in_ap']} purchase orders and "
            f"{found['images_in_ap']} images"
        )
        telling.say(
            f"  {found['payments_executed']} payments were executed, {found['payments_pending']} are on their way, "
            f"{found['payments_reversed']} were taken back; {found['payments_posted_in_erp']} stand in QuickBooks, "
            f"{_reasons(found['payments_held'])} held, {_reasons(found['payments_ignored'])} ignored"
        )
        telling.say(
            f"  posted twice: {found['duplicates']}, lost: {found['lost']}, "
            f"difference of amounts: {found['amount_difference']}"
        )
        for what in ("amounts_held", "amounts_out_of_scope", "amounts_of_payments_held"):
            for words in _amounts(found[what]):
                telling.say(f"  {what.removeprefix('amounts_').replace('_', ' ')}: {words}")
        for words in lost:
            telling.say(f"  lost: {words}")

    def show_around(self, telling: Telling, simulators: str) -> None:
        """Where to look, and with which login."""
        known = self.user.check_password(self.password)
        telling.heading("\nHave a look")
        telling.say(f"  Admin       {settings.PUBLIC_URL}{reverse('admin:index')}")
        telling.say(f"  Login       {NAME} / {self.password if known else 'the password that you have set'}")
        telling.say(f"  All bills   {settings.PUBLIC_URL}{reverse('syncs:bills')}")
        for words, number in SHOWN.items():
            if (address := story_address(number)) is not None:
                telling.say(f"  {words} bill   {address}")
        telling.say(f"  Simulators  {simulators}")
        telling.say("\nCtrl-C ends everything; the next start goes on with the same books.")


def story_address(number: str) -> str | None:
    """Where the story of the bill of this number is told; None while it has not been read."""
    delivered = SyncRecord.objects.filter(tenant__name=COMPANY, stream__kind=Kind.BILL, remote_record__number=number)
    bill_id = delivered.values_list("remote_record_id", flat=True).first()
    return None if bill_id is None else f"{settings.PUBLIC_URL}{reverse('syncs:bill', args=[bill_id])}"


def _reasons(counted: object) -> str:
    assert isinstance(counted, dict)
    return f"{sum(counted.values())} ({', '.join(counted)})" if counted else "none"


def _amounts(sums: object) -> list[str]:
    assert isinstance(sums, dict)
    return [
        f"{reason.replace('_', ' ')}, {', '.join(f'{amount:,.2f} {currency}' for currency, amount in by.items())}"
        for reason, by in sums.items()
    ]
