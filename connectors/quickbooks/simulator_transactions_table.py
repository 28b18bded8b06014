"""The transactions of a company: bills, credits, bill payments, journal entries and purchases, and their lines.

Fields and flags follow Intuit's reference pages of each entity; where a flag is unsure there, it is granted.
"""

from connectors.quickbooks.simulator_entity import entity, words
from connectors.quickbooks.simulator_fields import (
    LINK,
    as_it_came,
    choice,
    day,
    flag,
    ignored,
    money,
    number,
    record,
    reference,
    several,
    text,
)

EXPENSE_DETAIL = {
    "ClassRef": reference,
    "CustomerRef": reference,
    "TaxCodeRef": reference,
    "TaxInclusiveAmt": money,
    "BillableStatus": choice("Billable", "NotBillable", "HasBeenBilled"),
    "MarkupInfo": ignored,
}
LINE = record(
    {
        "Id": text(50),
        "LineNum": number,
        "Description": text(4000),
        "Amount": money,
        "LinkedTxn": several(LINK),
        "ProjectRef": reference,
        "CustomField": ignored,
        "CustomExtensions": ignored,
        "Received": ignored,
        "DetailType": choice(
            "AccountBasedExpenseLineDetail",
            "ItemBasedExpenseLineDetail",
            "JournalEntryLineDetail",
            "DescriptionOnly",
            "TaxLineDetail",
        ),
        "AccountBasedExpenseLineDetail": record({**EXPENSE_DETAIL, "AccountRef": reference, "TaxAmount": money}),
        "ItemBasedExpenseLineDetail": record(
            {
                **EXPENSE_DETAIL,
                "ItemRef": reference,
                "Qty": number,
                "UnitPrice": number,
                "PriceLevelRef": reference,
                "ItemAccountRef": ignored,
            }
        ),
        "JournalEntryLineDetail": record(
            {
                "PostingType": choice("Debit", "Credit"),
                "AccountRef": reference,
                "ClassRef": reference,
                "DepartmentRef": reference,
                "TaxCodeRef": reference,
                "TaxApplicableOn": text(50),
                "TaxAmount": money,
                "BillableStatus": EXPENSE_DETAIL["BillableStatus"],
                "Entity": record({"Type": choice("Vendor", "Customer", "Employee"), "EntityRef": reference}),
            }
        ),
    }
)
PAYMENT_LINE = record(
    {
        "Amount": money,
        "LinkedTxn": several(LINK),
        "Id": ignored,
        "LineNum": ignored,
        "DetailType": ignored,
        "Description": ignored,
        "CustomField": ignored,
    }
)

TRANSACTION = {
    "TxnDate": day,
    "DocNumber": text(21),
    "PrivateNote": text(4000),
    "CurrencyRef": reference,
    "ExchangeRate": number,
    "TotalAmt": ignored,
    "Balance": ignored,
    "HomeBalance": ignored,
    "HomeTotalAmt": ignored,
    "LinkedTxn": ignored,
    "TransactionLocationType": text(50),
}
TAXED = {
    "TxnTaxDetail": as_it_came,
    "GlobalTaxCalculation": choice("TaxInclusive", "TaxExcluded", "NotApplicable"),
}
PAYABLE = {
    **TRANSACTION,
    "VendorRef": reference,
    "APAccountRef": reference,
    "DepartmentRef": reference,
    "Line": several(LINE),
    "VendorAddr": ignored,
    "IncludeInAnnualTPAR": flag,
    **TAXED,
}
PAYABLE_FILTERS = {
    **words("reference", "VendorRef", "APAccountRef"),
    **words("date", "TxnDate"),
    **words("text", "DocNumber"),
    **words("number", "TotalAmt", "Balance"),
}

TRANSACTIONS = (
    entity(
        "Bill",
        "Transactions",
        {**PAYABLE, "DueDate": day, "SalesTermRef": reference},
        {
            **PAYABLE_FILTERS,
            "DueDate": "date",
            "SalesTermRef": "reference",
        },
        listed=False,
        unsorted=("Balance",),
        required=("VendorRef", "Line"),
        repeated=("VendorRef",),
    ),
    entity(
        "VendorCredit",
        "Transactions",
        PAYABLE,
        PAYABLE_FILTERS,
        listed=False,
        required=("VendorRef", "Line"),
        repeated=("VendorRef",),
    ),
    entity(
        "BillPayment",
        "Transactions",
        {
            **TRANSACTION,
            "VendorRef": reference,
            "APAccountRef": reference,
            "DepartmentRef": reference,
            "PayType": choice("Check", "CreditCard"),
            "TotalAmt": money,
            "Line": several(PAYMENT_LINE),
            "CheckPayment": record(
                {
                    "BankAccountRef": reference,
                    "PrintStatus": choice("NotSet", "NeedToPrint", "PrintComplete"),
                }
            ),
            "CreditCardPayment": record({"CCAccountRef": reference}),
            "ProcessBillPayment": flag,
        },
        {
            **words("reference", "VendorRef", "APAccountRef"),
            "TotalAmt": "number",
            "DocNumber": "text",
            "TxnDate": "date",
        },
        listed=False,
        required=("VendorRef", "PayType", "Line"),
    ),
    entity(
        "JournalEntry",
        "Transactions",
        {
            **TRANSACTION,
            "Line": several(LINE),
            "Adjustment": flag,
            "TxnTaxDetail": ignored,
        },
        {"DocNumber": "text", "TxnDate": "date"},
        listed=False,
        required=("Line",),
    ),
    entity(
        "Purchase",
        "Transactions",
        {
            **TRANSACTION,
            "Line": several(LINE),
            "AccountRef": reference,
            "EntityRef": reference,
            "Credit": flag,
            "PaymentType": choice("Cash", "Check", "CreditCard"),
            "DepartmentRef": reference,
            "PurchaseEx": ignored,
            "PrintStatus": text(20),
            **TAXED,
            "PaymentMethodRef": reference,
        },
        {"DocNumber": "text", "TxnDate": "date", "TotalAmt": "number", "AccountRef": "reference"},
        listed=False,
        required=("PaymentType", "AccountRef", "Line"),
        repeated=("PaymentType", "AccountRef"),
    ),
)
