"""Two reports on payables, in the shape that all of Intuit's reports have: columns, rows, and a total at the end.

Balances are the present ones, a report's date only says how old they are; what is on no bill or credit is current.
"""

from datetime import date
from decimal import Decimal

from connectors.quickbooks.simulator_company import Act, Company
from connectors.quickbooks.simulator_faults import Body, bad_date

AGES = ("Current", "1 - 30", "31 - 60", "61 - 90", "91 and over")
REPORTS = ("agedpayables", "vendorbalance")


def run_report(act: Act, name: str, report_date: str | None) -> Body | None:
    """The report of this name, or nothing where there is none."""
    if name.lower() not in REPORTS:
        return None
    try:
        day = date.fromisoformat(report_date) if report_date else act.company.today(act.now)
    except ValueError:
        raise bad_date("report_date", report_date) from None
    is_aged = name.lower() == REPORTS[0]
    rows, total = [], [Decimal(0)] * (len(AGES) + 1)
    for vendor in act.company.vendors.values():
        amounts = _aged(act.company, vendor, day)
        if any(amounts):
            amounts.append(sum(amounts, Decimal(0)))
            total = [sum_so_far + part for sum_so_far, part in zip(total, amounts, strict=True)]
            rows.append({"ColData": [{"value": vendor["DisplayName"], "id": vendor["Id"]}, *_cells(amounts, is_aged)]})
    summary = {"ColData": [{"value": "TOTAL"}, *_cells(total, is_aged)]}
    titles = [*AGES, "Total"] if is_aged else ["Total"]
    return {
        "Header": {
            "Time": act.company.stamp(act.now),
            "ReportName": "AgedPayables" if is_aged else "VendorBalance",
            "EndPeriod": day.isoformat(),
            "Currency": act.company.home_currency,
            "Option": [{"Name": "NoReportData", "Value": str(not rows).lower()}],
        },
        "Columns": {
            "Column": [
                {"ColTitle": "", "ColType": "Vendor"},
                *({"ColTitle": title, "ColType": "Money"} for title in titles),
            ]
        },
        "Rows": {"Row": [*rows, {"Summary": summary, "type": "Section", "group": "GrandTotal"}] if rows else []},
    }


def _cells(amounts: list[Decimal], is_aged: bool) -> list[Body]:
    return [{"value": f"{amount:.2f}" if amount else ""} for amount in (amounts if is_aged else amounts[-1:])]


def _aged(company: Company, vendor: Body, day: date) -> list[Decimal]:
    ages = [Decimal(0)] * len(AGES)
    for kind, dated, sign in (("Bill", "DueDate", 1), ("VendorCredit", "TxnDate", -1)):
        for row in company.tables[kind].rows.values():
            if row["VendorRef"]["value"] == vendor["Id"]:
                late = (day - date.fromisoformat(row[dated])).days
                ages[min(max(late + 29, 0) // 30, len(AGES) - 1)] += sign * row["Balance"]
    ages[0] += vendor["Balance"] - sum(ages)
    return ages
