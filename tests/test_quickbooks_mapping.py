"""QuickBooks' rows and our records, both ways: pure, from the samples beside the mapping and from made-up damage."""

import json
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import MappingError
from connectors.quickbooks import memo
from connectors.quickbooks.documents import decode_bill
from connectors.quickbooks.ledger import decode_payment
from connectors.quickbooks.lists import decode_account, decode_vendor
from connectors.quickbooks.mapping import SOURCES, Source
from connectors.quickbooks.posting import differences, encode_change, encode_payment, is_as_asked
from connectors.records import (
    AnyRecord,
    Application,
    Bill,
    Kind,
    Method,
    Payment,
    Phase,
    Ref,
    canonical,
    minor_units,
    restore,
)

SAMPLES = Path(__file__).parent.parent / "connectors/quickbooks/samples"
SHOWN = sorted(path.name.removesuffix(".record.json") for path in SAMPLES.glob("read/*/*.record.json"))
KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
NUMBERS = msgspec.json.Encoder(decimal_format="number")


def source_of(name: str) -> Source:
    return next(source for source in SOURCES if source.entity.lower() == name.split("_")[0])


def raw(name: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(next(SAMPLES.glob(f"read/*/{name}.json")).read_text(), parse_float=Decimal)
    return row


def bill_of(**changes: Any) -> Bill:
    return decode_bill(NUMBERS.encode(raw("bill") | changes), "USD")


def payment_of(name: str = "billpayment_by_hand_with_credit", **changes: Any) -> Payment:
    return decode_payment(NUMBERS.encode(raw(name) | changes), "USD")


# Samples


def test_there_are_samples_of_every_entity() -> None:
    assert {source_of(name).entity for name in SHOWN} == {source.entity for source in SOURCES}


# Reading


def test_equal_amounts_of_another_scale_are_equal_bytes() -> None:
    assert canonical(bill_of(TotalAmt=100, Balance=Decimal("100.0"))) == canonical(
        bill_of(TotalAmt=Decimal("100.00"), Balance=100)
    )


def test_the_same_instant_in_another_zone_is_equal_bytes() -> None:
    west, utc = ({"LastUpdatedTime": time} for time in ("2026-08-16T13:45:28-07:00", "2026-08-16T20:45:28Z"))
    assert canonical(bill_of(MetaData=west)) == canonical(bill_of(MetaData=utc))


def test_a_record_without_a_currency_is_in_the_home_currency() -> None:
    row = raw("bill")
    del row["CurrencyRef"]
    assert decode_bill(NUMBERS.encode(row), "CAD").currency == "CAD"
    assert bill_of().currency == "USD"


def test_an_amount_in_a_currency_without_cents_has_none() -> None:
    yen = bill_of(CurrencyRef={"value": "JPY"}, TotalAmt=Decimal("1200.0"), Balance=0, Line=[])
    assert str(yen.amount) == "1200"
    with pytest.raises(MappingError, match="finer"):
        bill_of(CurrencyRef={"value": "JPY"}, TotalAmt=Decimal("1200.50"), Balance=0, Line=[])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"SyncToken": None}, "SyncToken|sync_token|str"),
        ({"SyncToken": ""}, "length >= 1"),
        ({"Id": 145}, "str"),
        ({"TotalAmt": "NaN"}, "not a number that money can be"),
        ({"TotalAmt": "sNaN"}, "not a number that money can be"),
        ({"TotalAmt": Decimal("1E+40")}, "not a number that money can be"),
        ({"Balance": Decimal("0.001")}, "finer"),
        ({"TxnDate": "16.8.2026"}, "date"),
        ({"MetaData": {"LastUpdatedTime": "2026-08-16T13:45:28"}}, "timezone"),
        ({"MetaData": {"LastUpdatedTime": "0001-01-01T00:00:00+14:00"}}, "out of range"),
        ({"Line": [{"LineNum": 1, "DetailType": "AccountBasedExpenseLineDetail"}]}, "missing"),
    ],
)
def test_a_row_that_is_not_as_documented_is_unreadable_and_says_why(change: dict[str, Any], words: str) -> None:
    with pytest.raises(MappingError, match=words) as refused:
        bill_of(**change)
    assert refused.value.code == "unreadable_record"


def test_a_row_without_a_version_is_unreadable() -> None:
    for name, decode in [("vendor", decode_vendor), ("account_numbered_child", decode_account)]:
        row = raw(name)
        del row["SyncToken"]
        with pytest.raises(MappingError, match="SyncToken"):
            decode(NUMBERS.encode(row), "USD")


def test_an_active_name_that_ends_like_a_deleted_one_is_kept() -> None:
    row = raw("vendor") | {"DisplayName": "Fern (deleted)"}
    assert decode_vendor(NUMBERS.encode(row), "USD").name == "Fern (deleted)"


def test_text_that_a_database_cannot_hold_loses_only_that() -> None:
    assert bill_of(PrivateNote="a\x00b").memo == "ab"


# Payments of ours and of others


def test_a_line_linked_to_two_bills_is_unreadable() -> None:
    links = [{"TxnId": id, "TxnType": "Bill"} for id in ("145", "146")]
    with pytest.raises(MappingError, match="several"):
        payment_of(Line=[{"Amount": 5, "LinkedTxn": links}])


@pytest.mark.parametrize(
    "change",
    [
        {"status": "Voided"},
        {"PrivateNote": "Voided", "TotalAmt": 0},
        {"PrivateNote": f"Voided - ml-connector:{KEY} pending; the network payment 1", "TotalAmt": 0},
    ],
)
def test_a_voided_payment_is_reversed_and_settles_nothing(change: dict[str, Any]) -> None:
    voided = payment_of(**change)
    assert (voided.phase, voided.applications) == (Phase.REVERSED, ())


def test_a_note_about_a_void_on_a_living_payment_is_no_void() -> None:
    assert payment_of(PrivateNote="Voided check 1041 replaced by this").phase is Phase.EXECUTED


@pytest.mark.parametrize(
    "note",
    [
        "",
        f"{KEY} pending",
        f"ml-connector:{KEY[:-1]} pending",
        f"ml-connector:{KEY}0 pending",
        f"payment ml-connector: {KEY} pending",
    ],
)
def test_only_our_whole_mark_makes_a_payment_ours(note: str) -> None:
    read = payment_of(PrivateNote=note)
    assert (read.mark, read.phase) == ("", Phase.EXECUTED)


def test_what_somebody_types_about_pending_does_not_make_it_pending() -> None:
    assert payment_of(PrivateNote=f"ml-connector:{KEY}; still pending; cleared yesterday").phase is Phase.EXECUTED


# Writing

words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters=";"), min_size=1)
cents = st.integers(min_value=1, max_value=10**11).map(lambda number: Decimal(number) / 100)


@st.composite
def payments(draw: st.DrawFn) -> Payment:
    phase = draw(st.sampled_from([Phase.PENDING, Phase.EXECUTED]))
    grosses = draw(st.lists(cents, min_size=1, max_size=4))
    return Payment(
        id=draw(words),
        vendor=Ref(Kind.VENDOR, draw(words)),
        amount=sum(grosses, Decimal(0)),
        currency=draw(st.sampled_from(["USD", "EUR"])),
        method=draw(st.sampled_from([Method.CHECK, Method.ACH, Method.CARD])),
        phase=phase,
        date=draw(st.dates(min_value=date(2020, 1, 1))),
        reference=draw(st.one_of(st.just(""), words)) if phase is Phase.EXECUTED else "",
        cleared_date=draw(st.none() | st.dates(min_value=date(2020, 1, 1))),
        batch=draw(st.one_of(st.just(""), words)),
        funding_account=Ref(Kind.ACCOUNT, draw(words)),
        applications=tuple(
            Application(target=Ref(Kind.BILL, str(place)), gross=gross, net=gross)
            for place, gross in enumerate(grosses)
        ),
    )


def stored(body: dict[str, Any]) -> bytes:
    return NUMBERS.encode(body | {"Id": "9", "SyncToken": "0", "domain": "QBO", "sparse": False})


@settings(max_examples=200, deadline=None)
@given(payments(), words)
def test_what_we_write_is_what_we_read(payment: Payment, source: str) -> None:
    body = encode_payment(payment, record_key=KEY, source=source)
    read = decode_payment(stored(body), "USD")
    assert len(body["DocNumber"]) <= 21
    assert len(body["PrivateNote"]) <= 4000
    assert "ProcessBillPayment" not in body
    for name in ("vendor", "amount", "currency", "method", "phase", "date", "cleared_date", "batch", "applications"):
        assert getattr(read, name) == getattr(payment, name), name
    assert read.funding_account == payment.funding_account
    assert read.reference == payment.reference
    assert read.mark == KEY
    assert differences(payment, read, KEY) == []
    assert is_as_asked(payment, read, record_key=KEY, source=source)


def executed(**changes: Any) -> Payment:
    known = restore(Kind.PAYMENT, (SAMPLES / "write/payment/executed.record.json").read_bytes())
    assert isinstance(known, Payment)
    return msgspec.structs.replace(known, **changes)


def test_a_long_text_never_pushes_out_the_mark() -> None:
    body = encode_payment(executed(batch="b" * 9000), record_key=KEY, source="network")
    assert len(body["PrivateNote"]) == 4000
    assert memo.read(body["PrivateNote"]).mark == KEY


def test_a_payment_without_a_reference_has_a_number_of_its_own_and_none_when_read() -> None:
    body = encode_payment(executed(reference=""), record_key=KEY, source="network")
    assert body["DocNumber"] == "NOREF-0a1b2c3d4e5f60"
    assert decode_payment(stored(body), "USD").reference == ""


def test_a_number_that_somebody_typed_is_the_reference() -> None:
    body = encode_payment(executed(), record_key=KEY, source="network") | {"DocNumber": "2222"}
    assert decode_payment(stored(body), "USD").reference == "2222"


def test_parts_on_the_same_bill_become_one_line() -> None:
    part = Application(target=Ref(Kind.BILL, "145"), gross=Decimal("60.00"), net=Decimal("60.00"))
    body = encode_payment(executed(amount=Decimal("120.00"), applications=(part, part)), record_key=KEY, source="n")
    assert body["Line"] == [{"Amount": Decimal("120.00"), "LinkedTxn": [{"TxnId": "145", "TxnType": "Bill"}]}]


def test_a_change_names_the_version_and_all_lines() -> None:
    body = encode_payment(executed(), record_key=KEY, source="network")
    change = encode_change("9", "4", **body)
    assert (change["Id"], change["SyncToken"], change["sparse"]) == ("9", "4", True)
    assert len(change["Line"]) == 2
    assert encode_change("9", "4") == {"Id": "9", "SyncToken": "4", "sparse": True}


credit = Application(target=Ref(Kind.CREDIT, "150"), gross=Decimal("-20.00"), net=Decimal("-20.00"))
discounted = Application(
    target=Ref(Kind.BILL, "145"), gross=Decimal("120.25"), discount=Decimal("120.25"), net=Decimal("0.00")
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phase": Phase.REVERSED}, "reversed"),
        ({"phase": Phase.UNKNOWN}, "unknown"),
        ({"date": None}, "no date"),
        ({"applications": ()}, "add up"),
        ({"applications": (credit,)}, "credit"),
        ({"applications": (discounted,)}, "discount"),
        ({"amount": Decimal("120.24")}, "add up"),
    ],
)
def test_a_payment_that_we_do_not_post_is_to_be_entered_by_hand(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(MappingError, match=words) as refused:
        encode_payment(executed(**changes), record_key=KEY, source="network")
    assert refused.value.code == "payment_shape"
    assert "by hand" in refused.value.message


def test_a_payment_without_a_bank_account_names_what_is_missing() -> None:
    with pytest.raises(MappingError) as refused:
        encode_payment(executed(funding_account=None), record_key=KEY, source="network")
    assert refused.value.missing == "bank account"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"TotalAmt": Decimal("120.26")}, "the total"),
        ({"VendorRef": {"value": "1"}}, "the vendor"),
        ({"Line": []}, "the bills that it pays"),
        ({"CheckPayment": {"BankAccountRef": {"value": "36"}}}, "the account it is paid from"),
        ({"TxnDate": "2026-08-22"}, "the date"),
        ({"CurrencyRef": {"value": "EUR"}}, "the currency"),
        ({"PrivateNote": "something else"}, "our mark in its memo"),
        (
            {"CheckPayment": {"BankAccountRef": {"value": "35"}, "PrintStatus": "NeedToPrint"}},
            "that it must not be printed",
        ),
    ],
)
def test_a_payment_that_stands_there_otherwise_is_noticed(changes: dict[str, Any], words: str) -> None:
    body = encode_payment(executed(), record_key=KEY, source="network")
    assert differences(executed(), decode_payment(stored(body | changes), "USD"), KEY) == [words]


# Whatever comes

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_reading_a_damaged_row_gives_a_sound_record_or_the_one_error(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(SHOWN))
    row = json.loads(next(SAMPLES.glob(f"read/*/{name}.json")).read_text())
    for _ in range(data.draw(st.integers(min_value=1, max_value=3))):
        damage(row, data)
    source, records = source_of(name), tuple[AnyRecord, ...]()
    with suppress(MappingError):
        records = source.decode(json.dumps(row).encode(), "USD")
    assert all(isinstance(id, str) and id for id in source.ids(json.dumps(row).encode()))
    for record in records:
        assert restore(source.kind, canonical(record)) == record
        if isinstance(record, Bill | Payment):
            assert Decimal(minor_units(record.amount, record.currency)) == record.amount.scaleb(
                0 if record.currency == "JPY" else 2
            )


def damage(row: dict[str, Any], data: st.DataObject) -> None:
    """One field, at any depth, is replaced by anything or lost."""
    place: Any = row
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        if data.draw(st.booleans()):
            place[key] = data.draw(anything)
        else:
            del place[key]
        return


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(SOURCES))
def test_reading_any_bytes_gives_the_one_error(row: bytes, source: Source) -> None:
    with pytest.raises(MappingError):
        source.decode(row, "USD")


@given(st.text())
def test_reading_any_memo_raises_nothing(text: str) -> None:
    assert memo.read(text) == memo.Note() or memo.read(text).mark in text
    assert memo.read(f"ml-connector:{KEY}{text}").mark in (KEY, "")
