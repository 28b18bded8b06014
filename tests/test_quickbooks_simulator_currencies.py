"""Currencies and exchange rates of the simulated company."""

from decimal import Decimal

from tests.quickbooks_company import REALM, Caller, bill_body, code_of, open_books


def with_rates() -> Caller:
    caller = open_books(multicurrency=True)
    for rate, day in (("1.10", "2026-10-01"), ("1.20", "2026-11-01")):
        caller.simulator.person("set_exchange_rate", realm_id=REALM, currency="EUR", rate=rate, on=day)
    return caller


def test_a_rate_holds_from_its_day_until_the_next() -> None:
    caller = with_rates()
    for day, rate in (("2026-09-01", "1.10"), ("2026-10-31", "1.10"), ("2026-11-02", "1.20")):
        read = caller.get("exchangerate", sourcecurrencycode="EUR", asofdate=day)["ExchangeRate"]
        assert (read["Rate"], read["AsOfDate"], "Id" in read) == (Decimal(rate), day, False)
    assert caller.get("exchangerate", sourcecurrencycode="USD")["ExchangeRate"]["Rate"] == 1
    assert code_of(caller.get("exchangerate", sourcecurrencycode="GBP")) == "2220"
    vendor = caller.vendor(CurrencyRef={"value": "EUR"})
    old = caller.bill(vendor, "10.00", CurrencyRef={"value": "EUR"}, TxnDate="2026-10-15")
    assert (old["ExchangeRate"], old["HomeBalance"]) == (Decimal("1.10"), 11)


def test_rates_are_queried_for_a_day() -> None:
    caller = with_rates()
    found = caller.query(
        "select * from exchangerate where sourcecurrencycode in ('EUR','GBP') and asofdate = '2026-10-05'"
    )
    assert [(row["SourceCurrencyCode"], row["Rate"]) for row in found["ExchangeRate"]] == [("EUR", Decimal("1.10"))]
    assert caller.query("select * from exchangerate")["ExchangeRate"][0]["Rate"] == Decimal("1.20")


def test_a_rate_is_written_and_its_version_counts() -> None:
    caller = with_rates()
    body = {"SourceCurrencyCode": "GBP", "Rate": "1.30", "AsOfDate": "2026-11-02"}
    assert caller.post("exchangerate", body)["ExchangeRate"]["SyncToken"] == "0"
    again = caller.post("exchangerate", {**body, "Rate": "1.31", "SyncToken": "0"})["ExchangeRate"]
    assert (again["SyncToken"], again["Rate"]) == ("1", Decimal("1.31"))
    assert code_of(caller.post("exchangerate", {**body, "SyncToken": "0"})) == "5010"
    assert code_of(caller.post("exchangerate", {**body, "SourceCurrencyCode": "USD"})) == "6000"
    assert code_of(open_books().post("exchangerate", body)) == "5030"


def test_currencies_are_listed_deactivated_and_opened_by_their_first_use() -> None:
    caller = open_books(multicurrency=True)
    made = caller.post("companycurrency", {"Code": "gbp"})["CompanyCurrency"]
    assert (made["Code"], made["Name"], made["Active"]) == ("GBP", "British Pound Sterling", True)
    assert code_of(caller.post("companycurrency", {"Code": "GBP"})) == "6240"
    assert code_of(caller.post("companycurrency", {"Code": "USD"})) == "2220"
    caller.vendor(CurrencyRef={"value": "EUR"})
    assert [row["Code"] for row in caller.query("select * from CompanyCurrency")["CompanyCurrency"]] == ["GBP", "EUR"]
    caller.simulator.person("deactivate", realm_id=REALM, entity="CompanyCurrency", identity=made["Id"])
    assert [row["Code"] for row in caller.query("select * from CompanyCurrency")["CompanyCurrency"]] == ["EUR"]
    assert code_of(open_books().post("companycurrency", {"Code": "GBP"})) == "5030"


def test_several_currencies_are_switched_on_once() -> None:
    caller = open_books()
    caller.simulator.person("switch_feature", realm_id=REALM, feature="multicurrency", on=True)
    vendor = caller.vendor(CurrencyRef={"value": "EUR"})
    assert "Bill" in caller.post("bill", bill_body(vendor, "1.00", CurrencyRef={"value": "EUR"}))
