"""One record of each kind, as a connector would have decoded it."""

from datetime import UTC, date, datetime
from decimal import Decimal

from connectors.records import Account, Application, Bill, Kind, Line, Method, Payment, Phase, Ref, Vendor

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
BILL = Bill(
    id="145",
    version="3",
    modified_at=NOW,
    number="INV-1",
    vendor=Ref(Kind.VENDOR, "7"),
    date=date(2026, 3, 2),
    currency="USD",
    amount=Decimal("120.50"),
    balance=Decimal("120.50"),
    lines=(Line(number=1, amount=Decimal("120.50"), account=Ref(Kind.ACCOUNT, "8")),),
)
PAYMENT = Payment(
    id="pay_1",
    version="2",
    vendor=Ref(Kind.VENDOR, "ven_1"),
    amount=Decimal("120.50"),
    currency="USD",
    method=Method.CHECK,
    phase=Phase.EXECUTED,
    status="Issued",
    date=date(2026, 3, 4),
    reference="0004100231",
    applications=(
        Application(target=Ref(Kind.BILL, "inv_1"), number="INV-1", gross=Decimal("120.50"), net=Decimal("120.50")),
    ),
)
VENDOR = Vendor(id="7", name="Acme Paper", version="1", modified_at=NOW)
ACCOUNT = Account(id="8", code="6000", name="Supplies", version="1")
