"""AvidXchange's records become ours and ours become theirs, by the names of any profile."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.avidxchange.contract import Profile, named_profile
from connectors.avidxchange.decoding import decode_invoice, decode_payment
from connectors.avidxchange.mapping import encode, encode_account, encode_payable, encode_vendor, shows
from connectors.avidxchange.reading import decode_rows
from connectors.avidxchange.wire import BadRow, write_body
from connectors.errors import MappingError
from connectors.records import Address, Application, Kind, Method, Phase, Ref, canonical
from connectors.redaction import is_card_number
from tests.avidxchange_partner import PROFILES, account, bill, changed, key_of, line, sample, vendor, write

CARD = "4111 1111 1111 1111"
TRACE_LIKE_A_CARD = "053000190000121"


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> Profile:
    return named_profile(request.param)


def read_back(profile: Profile, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """What was written, by our names; what is absent is left out."""
    fields = {field: profile.get(kind, body, field) for field in profile.fields[kind]}
    return {field: value for field, value in fields.items() if value is not None and not isinstance(value, dict)}


# Theirs into ours.


def test_an_invoice_is_read_with_both_its_statuses(profile: Profile) -> None:
    read = decode_invoice(profile, sample("invoice", "invoice", profile))
    assert (read.id, read.version, read.key) == ("inv_7f31", "6", "5d41402abc4b2a76b9719d911017c592")
    assert (read.status, read.payment_status) == ("approved", "partially_paid")
    assert read.vendor == Ref(Kind.VENDOR, "ven_02", "7d793037a0760186574b0282f2f435e7")
    assert (read.number, read.date, read.due_date) == ("INV-88121", date(2026, 3, 20), date(2026, 4, 19))
    assert (read.amount, read.balance, read.currency) == (Decimal("1000.00"), Decimal("300.00"), "USD")
    assert read.modified_at == datetime(2026, 4, 2, 13, 5, 11, 482000, tzinfo=UTC)
    assert [(one.number, one.amount) for one in read.lines] == [(1, Decimal("640.00")), (2, Decimal("360.00"))]
    assert read.settlements == ("pay_1001",)


def test_an_invoice_that_came_by_email_is_read_without_a_key(profile: Profile) -> None:
    raw = sample("invoice", "invoice", profile)
    profile.put("invoice", raw, "origin", profile.word("origin", "email"))
    assert decode_invoice(profile, raw).key == ""


def test_a_check_is_read_with_its_number_and_all_that_it_pays(profile: Profile) -> None:
    read = decode_payment(profile, sample("payment_check", "payment", profile))
    assert (read.id, read.version, read.batch) == ("pay_1001", "9", "pb_77")
    assert (read.method, read.phase, read.reference) == (Method.CHECK, Phase.EXECUTED, "0004100231")
    assert (read.amount, read.currency) == (Decimal("1500.00"), "USD")
    assert (read.date, read.cleared_date) == (date(2026, 4, 2), date(2026, 4, 11))
    assert read.funding_account == Ref(Kind.FUNDING_ACCOUNT, "ba_1")
    assert read.applications[0] == Application(
        target=Ref(Kind.BILL, "inv_7f31", "5d41402abc4b2a76b9719d911017c592"), number="INV-88121",
        gross=Decimal("1000.00"), discount=Decimal("20.00"), net=Decimal("980.00"),
    )  # fmt: skip
    assert sum(part.net for part in read.applications) == read.amount
    assert (read.applications[2].gross, read.applications[2].discount) == (Decimal("-100.00"), Decimal(0))


def test_an_ach_payment_is_read_with_its_trace_one_application_and_a_time_without_zone(profile: Profile) -> None:
    read = decode_payment(profile, sample("payment_ach", "payment", profile))
    assert (read.method, read.phase, read.reference) == (Method.ACH, Phase.EXECUTED, "053000190000123")
    assert read.modified_at == datetime(2026, 4, 21, 10, tzinfo=UTC)
    assert len(read.applications) == 1
    assert (read.reissue_of, read.cleared_date, read.funding_account) == ("pay_0990", None, None)


def test_a_card_is_read_by_its_last_four(profile: Profile) -> None:
    read = decode_payment(profile, sample("payment_card", "payment", profile))
    assert (read.method, read.phase, read.reference) == (Method.CARD, Phase.PENDING, "VC-4242")


def test_why_a_payment_stands_still_is_read_as_its_memo(profile: Profile) -> None:
    raw = sample("payment_card", "payment", profile)
    exceptions: list[dict[str, Any]] = [{}, {}]
    for part, message in zip(exceptions, ("Card declined", "Call the vendor"), strict=True):
        profile.put("payment_exception", part, "message", message)
    profile.put("payment", raw, "status_reason", "Error")
    profile.put("payment", raw, "exceptions", exceptions)
    assert decode_payment(profile, raw).memo == "Error; Card declined; Call the vendor"


def test_equal_rows_give_equal_bytes_under_any_profile() -> None:
    first, second = (named_profile(name) for name in PROFILES)
    for name, kind, decode in (
        ("invoice", "invoice", decode_invoice),
        ("payment_ach", "payment", decode_payment),
    ):
        bodies = [decode(each, sample(name, kind, each)) for each in (first, second)]
        plain = [canonical(body).replace(b"AchCreditIssued", b"?") for body in bodies]
        word = second.payment_status_word("issued", "ach").encode()
        assert plain[0] == plain[1].replace(word, b"?")


@pytest.mark.parametrize("status", ["Teleported", "9", "clearedd"])
def test_a_status_that_nobody_knows_is_of_unknown_phase(profile: Profile, status: str) -> None:
    raw = sample("payment_check", "payment", profile)
    profile.put("payment", raw, "status", status)
    read = decode_payment(profile, raw)
    assert (read.phase, read.status) == (Phase.UNKNOWN, status)


def test_money_that_left_by_a_way_that_nobody_knows_is_of_unknown_phase_and_its_return_is_still_seen(
    profile: Profile,
) -> None:
    raw = sample("payment_check", "payment", profile)
    profile.put("payment", raw, "method", "Pigeon")
    assert (decode_payment(profile, raw).method, decode_payment(profile, raw).phase) == (Method.UNKNOWN, Phase.UNKNOWN)
    assert decode_payment(profile, raw).reference == ""
    profile.put("payment", raw, "status", profile.payment_status_word("returned"))
    assert decode_payment(profile, raw).phase is Phase.REVERSED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None), ("status", None), ("amount", None), ("amount", "a lot"), ("amount", True), ("amount", "1e9999"),
        ("amount", Decimal("1.005")), ("amount", "NaN"), ("amount", {"x": 1}), ("payment_date", "soon"),
        ("updated_at", "2026-13-01"), ("applications", ["x"]), ("applications", 5),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_shown_with_the_reason_and_its_neighbours_are_read(
    profile: Profile, field: str, value: Any
) -> None:
    sound, broken = (sample("payment_check", "payment", profile) for _ in range(2))
    profile.put("payment", broken, field, value)
    records, unreadable = decode_rows(profile, Kind.PAYMENT, [broken, sound])
    assert [record.id for _, record in records] == ["pay_1001"]
    assert [row.id for row in unreadable] == ["" if field == "id" else "pay_1001"]
    assert unreadable[0].why


@pytest.mark.parametrize("row", [None, 5, "text", [], {}])
def test_a_row_that_is_no_record_at_all_is_shown(profile: Profile, row: Any) -> None:
    records, unreadable = decode_rows(profile, Kind.BILL, [row])
    assert (records, len(unreadable)) == ([], 1)


def test_money_is_read_and_written_the_way_the_profile_says() -> None:
    cents, texts = (changed({"encoding": {"money": form}}) for form in ("cents", "string"))
    assert cents.get("invoice", encode_payable(cents, bill(1, "12.34"), "k"), "amount") == 1234
    assert texts.get("invoice", encode_payable(texts, bill(1, "12.30"), "k"), "amount") == "12.30"
    raw = sample("payment_card", "payment", cents) | {"amount": 7550}
    raw["applications"][0] |= {"grossAmount": 7550, "discountAmount": 0, "netAmount": 7550}
    assert decode_payment(cents, raw).amount == Decimal("75.50")


# Card numbers.


@pytest.mark.parametrize("text", ["4111111111111111", "4111-1111-1111-1111", "Invoice 12 4111 1111 1111 1111 of 9"])
def test_a_card_number_is_found_beside_other_digits(profile: Profile, text: str) -> None:
    raw = sample("payment_card", "payment", profile)
    profile.put("payment", raw, "payee_name", text)
    _, unreadable = decode_rows(profile, Kind.PAYMENT, [raw])
    assert "1111" not in unreadable[0].raw


@pytest.mark.parametrize("field", ["card_last4", "status_reason", "payee_name", "check_number", "card_authorization"])
def test_a_row_with_a_full_card_number_is_not_read_and_the_number_is_nowhere(profile: Profile, field: str) -> None:
    raw = sample("payment_card", "payment", profile)
    profile.put("payment", raw, field, CARD)
    records, unreadable = decode_rows(profile, Kind.PAYMENT, [raw])
    assert records == []
    assert unreadable[0].why.startswith("card number")
    assert not any(digit in unreadable[0].why for digit in "0123456789")
    assert "1111" not in unreadable[0].raw
    assert unreadable[0].id == "pay_1003"


def test_a_card_number_in_a_number_or_in_the_id_is_taken_out_too(profile: Profile) -> None:
    raw = sample("payment_card", "payment", profile)
    profile.put("payment", raw, "id", 4111111111111111)
    _, unreadable = decode_rows(profile, Kind.PAYMENT, [raw])
    assert "1111" not in f"{unreadable[0].id}{unreadable[0].raw}{unreadable[0].why}"


def test_a_trace_that_looks_like_a_card_number_is_none_but_sixteen_digits_in_its_place_are(profile: Profile) -> None:
    assert is_card_number(TRACE_LIKE_A_CARD)
    raw = sample("payment_ach", "payment", profile)
    profile.put("payment", raw, "ach_trace", TRACE_LIKE_A_CARD)
    records, _ = decode_rows(profile, Kind.PAYMENT, [raw])
    assert [record.reference for _, record in records if record.id == "pay_1002"] == [TRACE_LIKE_A_CARD]  # type: ignore[union-attr]
    for card in ("4111111111111111", "378282246310005"):
        profile.put("payment", raw, "ach_trace", card)
        assert decode_rows(profile, Kind.PAYMENT, [raw])[0] == []


def test_a_record_key_with_a_run_of_digits_like_a_card_number_is_none(profile: Profile) -> None:
    key = "a4111111111111111abcdefabcdefabc"
    raw = sample("invoice", "invoice", profile)
    profile.put("invoice", raw, "external_id", key)
    records, unreadable = decode_rows(profile, Kind.BILL, [raw])
    assert [record.key for _, record in records] == [key]
    assert unreadable == []


# Ours into theirs.


def test_a_vendor_is_written_under_our_key(profile: Profile) -> None:
    written = read_back(profile, "vendor", encode_vendor(profile, vendor(7, email="ar@x.example", is_1099=True), "key"))
    assert written == {
        "external_id": "key", "name": "Vendor 7", "is_active": True, "is_1099": True, "email": "ar@x.example",
        "remit_line1": "100 Main St", "remit_city": "Charlotte", "remit_state": "NC", "remit_postal_code": "28202",
        "remit_country": "US",
    }  # fmt: skip


@pytest.mark.parametrize("tax_id", ["12-3456789", "123456789"])
def test_no_more_of_a_tax_id_is_sent_than_its_last_four(profile: Profile, tax_id: str) -> None:
    assert b"3456789" not in write_body(encode_vendor(profile, vendor(tax_id_last4=tax_id), "k"))
    assert encode_vendor(profile, vendor(tax_id_last4="6789"), "k") != encode_vendor(profile, vendor(), "k")


def test_an_account_without_a_number_goes_by_its_id(profile: Profile) -> None:
    written = read_back(profile, "gl_account", encode_account(profile, account(9, code="", active=False), "key"))
    assert written == {"external_id": "key", "code": "9", "name": "Account 9", "type": "Expense", "is_active": False}


def test_a_bill_is_written_with_its_lines_and_the_keys_of_what_it_refers_to(profile: Profile) -> None:
    body = encode_payable(profile, bill(1, "640.00", "360.00", memo="March"), "key")
    written = read_back(profile, "invoice", body)
    lines = [read_back(profile, "invoice_line", one) for one in written.pop("lines")]
    assert written == {
        "external_id": "key", "document_type": profile.word("document_type", "invoice"), "invoice_number": "INV-1",
        "vendor_external_id": key_of("vendor 1"), "invoice_date": "2026-03-01", "due_date": "2026-03-31",
        "currency": "USD", "amount": Decimal("1000.00"), "description": "March",
    }  # fmt: skip
    assert lines == [
        {
            "line_number": 1,
            "amount": Decimal("640.00"),
            "gl_account_external_id": key_of("account 1"),
            "dimensions": [],
        },
        {
            "line_number": 2,
            "amount": Decimal("360.00"),
            "gl_account_external_id": key_of("account 1"),
            "dimensions": [],
        },
    ]


@pytest.mark.parametrize(
    ("amount", "digits"),
    [("0.10", b"0.10"), ("33.3", b"33.30"), ("1E+3", b"1000.00"), ("70000000000.07", b"70000000000.07")],
)
def test_money_is_a_number_digit_for_digit(profile: Profile, amount: str, digits: bytes) -> None:
    body = write_body(encode_payable(profile, bill(1, amount), "k"))
    assert body.count(b":" + digits) == 2


@pytest.mark.parametrize(
    ("record", "code", "said"),
    [
        (vendor(name=""), "field_missing", "name"),
        (vendor(name="x" * 256), "field_too_long", "255"),
        (vendor(phone="1" * 21), "field_too_long", "phone has 21 characters; AvidXchange takes 20"),
        (vendor(remit_to=Address(line1="7")), "field_too_short", "line1"),
        (vendor(remit_to=Address(country="Ruritania")), "field_too_long", "country"),
        (account(name="x" * 256), "field_too_long", "255"),
        (account(code="x" * 51), "field_too_long", "50"),
        (bill(number="x" * 51), "field_too_long", "invoice number has 51 characters; AvidXchange takes 50"),
        (bill(number=" "), "field_missing", "invoice number"),
        (bill(vendor=Ref(Kind.VENDOR, "5")), "reference_missing", "vendor"),
        (bill(amount=Decimal("99.99")), "lines_do_not_sum", "its lines sum to 100.00, its total is 99.99"),
        (bill(1, "0.00"), "amount_not_positive", "0.00"),
        (bill(1, "-5.00"), "amount_not_positive", "-5.00"),
        (bill(1, "1.005"), "amount_too_fine", "finer"),
        (bill(currency="CAD"), "currency_not_paid", "CAD"),
        (bill(1, *["1.00"] * 251), "too_many_lines", "250"),
        (bill(lines=(line(account=None),)), "reference_missing", "line 1 has no account"),
        (bill(lines=(line(is_tax=True, account=None),)), "reference_missing", "the tax line has no account"),
        (
            bill(lines=(line(dimensions=(Ref(Kind.DIMENSION, "Class-34"),)),)),
            "reference_missing",
            "line 1 has no class",
        ),
    ],
)
def test_what_cannot_be_expressed_is_refused_and_named(profile: Profile, record: Any, code: str, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        encode(profile, write(record))
    assert refused.value.code == code
    assert said in refused.value.message


def test_a_long_description_is_cut_the_same_way_each_time(profile: Profile) -> None:
    long = bill(lines=(line(description="x" * 300),))
    first, second = (encode_payable(profile, long, "k") for _ in range(2))
    lines = profile.get("invoice", first, "lines")
    assert first == second
    assert profile.get("invoice_line", lines[0], "description") == "x" * 254 + "…"


def test_what_they_hold_shows_what_was_sent_only_if_every_part_of_it_is_there() -> None:
    sent = {"a": Decimal("1.0"), "lines": [{"b": "x"}]}
    assert shows(sent, {"a": 1, "lines": [{"b": "x", "more": 1}], "more": 2})
    assert not shows(sent, {"a": 1, "lines": [{"b": "y"}]})
    assert not shows(sent, {"a": 1, "lines": []})
    assert not shows(sent, {"a": 1})


def test_a_bad_row_never_repeats_a_value(profile: Profile) -> None:
    raw = sample("payment_check", "payment", profile)
    profile.put("payment", raw, "amount", "secret text")
    with pytest.raises(BadRow) as refused:
        decode_payment(profile, raw)
    assert "secret" not in str(refused.value)
