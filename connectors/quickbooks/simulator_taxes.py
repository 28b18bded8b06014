"""Tax on purchases: none is computed in the US; elsewhere every line has a tax code, and the tax is added or taken out.

Intuit: GlobalTaxCalculation and TxnTaxDetail. Assumed: the wording of the faults, that an inclusive line without its
inclusive amount has it as its amount, and rounding once for each rate.
"""

from collections import defaultdict
from decimal import Decimal

from connectors.quickbooks.simulator_chart import account_body
from connectors.quickbooks.simulator_company import Act, Company
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_faults import Body, Refusal, missing
from connectors.quickbooks.simulator_fields import cents
from connectors.quickbooks.simulator_ledger import TAX_ACCOUNT

TAXED_LINES = ("AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail")
INCLUSIVE, WITHOUT = "TaxInclusive", "NotApplicable"
HUNDRED = Decimal(100)


def settle_tax(act: Act, draft: Body, old: Body | None) -> Decimal:
    """Work out a transaction's tax, in place; the amount that comes on top of its lines."""
    sent = draft.pop("TxnTaxDetail", None)
    if act.company.info["Country"] == "US":
        return Decimal(0)
    if "GlobalTaxCalculation" not in draft:
        raise missing("GlobalTaxCalculation")
    if draft["GlobalTaxCalculation"] == WITHOUT:
        if sent and sent != (old or {}).get("TxnTaxDetail"):
            raise Refusal("6170", "TxnTaxDetail not applicable", "TxnTaxDetail can't be used with NotApplicable.")
        return Decimal(0)
    nets: defaultdict[str, Decimal] = defaultdict(Decimal)
    taxes: defaultdict[str, Decimal] = defaultdict(Decimal)
    is_inclusive = draft["GlobalTaxCalculation"] == INCLUSIVE
    for line in draft["Line"]:
        if line["DetailType"] in TAXED_LINES:
            rate = _rate_of(act.company, line[line["DetailType"]])
            if is_inclusive:
                taxes[rate["Id"]] += _take_out(line, rate["RateValue"])
            nets[rate["Id"]] += line["Amount"]
    rates = act.company.tables["TaxRate"].rows
    if not is_inclusive:
        taxes |= {identity: cents(net * rates[identity]["RateValue"] / HUNDRED) for identity, net in nets.items()}
    total = sum(taxes.values(), Decimal(0))
    lines = [_tax_line(rates[identity], taxes[identity], net) for identity, net in nets.items()]
    draft["TxnTaxDetail"] = {"TotalTax": total, "TaxLine": lines}
    return total


def _rate_of(company: Company, detail: Body) -> Body:
    code = company.tables["TaxCode"].rows.get(detail.get("TaxCodeRef", {}).get("value", ""))
    if code is None or not code["Active"]:
        raise Refusal("6160", "Invalid tax code", "Invalid tax code : Each line needs a tax code of this company.")
    rate_id = code["PurchaseTaxRateList"]["TaxRateDetail"][0]["TaxRateRef"]["value"]
    return company.tables["TaxRate"].rows[rate_id]


def _take_out(line: Body, percent: Decimal) -> Decimal:
    detail = line[line["DetailType"]]
    gross = detail.get("TaxInclusiveAmt", line["Amount"])
    line["Amount"] = cents(gross * HUNDRED / (HUNDRED + percent))
    line[line["DetailType"]] = {**detail, "TaxInclusiveAmt": gross}
    return Decimal(gross - line["Amount"])


def _tax_line(rate: Body, amount: Decimal, net: Decimal) -> Body:
    detail = {
        "TaxRateRef": {"value": rate["Id"]},
        "PercentBased": True,
        "TaxPercent": rate["RateValue"],
        "NetAmountTaxable": net,
    }
    return {"Amount": amount, "DetailType": "TaxLineDetail", "TaxLineDetail": detail}


def open_tax(act: Act, name: str, percent: Decimal) -> Body:
    """A tax code with one rate, and the account that taxes are booked on."""
    company = act.company
    if not any(account["AccountSubType"] == TAX_ACCOUNT for account in company.accounts.values()):
        body = account_body("Sales tax", "Other Current Liability", TAX_ACCOUNT, "", company.home_currency)
        company.insert(ENTITIES["Account"], body, act.now)
    rate = company.insert(ENTITIES["TaxRate"], {"Name": name, "Active": True, "RateValue": percent}, act.now)
    rates = {"TaxRateDetail": [{"TaxRateRef": {"value": rate["Id"], "name": name}}]}
    code = {"Name": name, "Description": name, "Active": True, "Taxable": True, "TaxGroup": True}
    return company.insert(ENTITIES["TaxCode"], {**code, "PurchaseTaxRateList": rates}, act.now)
