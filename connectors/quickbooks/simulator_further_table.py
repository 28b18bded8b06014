"""What else a company has: purchase orders, deposits, attachments, its currencies and taxes.

Fields and flags follow Intuit's reference pages of each entity; where a flag is unsure there, it is granted.
"""

from connectors.quickbooks.simulator_entity import entity, words
from connectors.quickbooks.simulator_fields import (
    ADDRESS,
    LINK,
    choice,
    day,
    flag,
    ignored,
    mail,
    money,
    number,
    record,
    reference,
    several,
    text,
)
from connectors.quickbooks.simulator_transactions_table import PAYABLE, TRANSACTION

DEPOSIT_LINE = record(
    {
        "Id": text(50),
        "LineNum": number,
        "Description": text(4000),
        "Amount": money,
        "LinkedTxn": several(LINK),
        "CustomField": ignored,
        "CustomExtensions": ignored,
        "DetailType": choice("DepositLineDetail"),
        "DepositLineDetail": record(
            {
                "AccountRef": reference,
                "Entity": reference,
                "ClassRef": reference,
                "PaymentMethodRef": reference,
                "CheckNum": text(21),
                "TxnType": text(50),
                "TaxCodeRef": reference,
                "TaxApplicableOn": text(50),
            }
        ),
    }
)
ATTACHED_TO = record(
    {
        "EntityRef": reference,
        "IncludeOnSend": flag,
        "LineInfo": text(50),
        "NoRefOnly": flag,
        "Inactive": flag,
        "CustomField": ignored,
    }
)

FURTHER = (
    entity(
        "PurchaseOrder",
        "Transactions",
        {
            **PAYABLE,
            "DueDate": day,
            "POStatus": choice("Open", "Closed"),
            "EmailStatus": choice("NotSet", "NeedToSend", "EmailSent"),
            "POEmail": record({"Address": mail}),
            "Memo": text(4000),
            "SalesTermRef": reference,
            "ClassRef": reference,
            "ShipMethodRef": reference,
            "ShipTo": reference,
            "ShipAddr": ADDRESS,
            "VendorAddr": ADDRESS,
            "TaxCodeRef": reference,
        },
        {
            **words("date", "TxnDate", "DueDate"),
            **words("text", "DocNumber", "POStatus"),
            **words("reference", "VendorRef"),
            "TotalAmt": "number",
        },
        listed=False,
        required=("VendorRef", "Line"),
        repeated=("VendorRef",),
    ),
    entity(
        "Deposit",
        "Transactions",
        {
            **TRANSACTION,
            "DepositToAccountRef": reference,
            "DepartmentRef": reference,
            "Line": several(DEPOSIT_LINE),
            "CashBack": record({"AccountRef": reference, "Amount": money, "Memo": text(4000)}),
            "TxnStatus": ignored,
            "TxnSource": ignored,
            "TxnTaxDetail": ignored,
            "GlobalTaxCalculation": choice("TaxInclusive", "TaxExcluded", "NotApplicable"),
        },
        {
            **words("date", "TxnDate"),
            **words("text", "DocNumber"),
            **words("reference", "DepositToAccountRef", "DepartmentRef"),
            "TotalAmt": "number",
        },
        listed=False,
        required=("DepositToAccountRef", "Line"),
        repeated=("DepositToAccountRef",),
    ),
    entity(
        "Attachable",
        "Attachables",
        {
            "FileName": text(1000),
            "Note": text(2000),
            "Category": choice("Contact Photo", "Document", "Image", "Receipt", "Signature", "Sound", "Other"),
            "ContentType": text(100),
            "PlaceName": text(2000),
            "Tag": text(2000),
            "Lat": text(100),
            "Long": text(100),
            "AttachableRef": several(ATTACHED_TO),
            "Size": ignored,
            "FileAccessUri": ignored,
            "TempDownloadUri": ignored,
            "ThumbnailFileAccessUri": ignored,
            "ThumbnailTempDownloadUri": ignored,
            "documentId": ignored,
        },
        {
            **words("text", "FileName", "Note", "Category", "ContentType", "Tag"),
            "Size": "number",
            "AttachableRef.EntityRef.Type": "attached",
            "AttachableRef.EntityRef.value": "attached",
        },
        listed=False,
        dated=False,
        unsorted=("AttachableRef.EntityRef.Type", "AttachableRef.EntityRef.value"),
        unique="FileName",
        sequence="attachable",
    ),
    entity(
        "CompanyCurrency",
        "Currencies",
        {"Code": text(3), "Name": text(100), "Active": flag},
        {"Active": "flag", "Code": "text", "Name": "text"},
        listed=True,
        required=("Code",),
        unique="Code",
    ),
    entity(
        "TaxRate",
        "TaxRates",
        {"Name": text(100), "Description": text(100), "Active": flag, "RateValue": number},
        {"Name": "text", "Active": "flag"},
        listed=True,
        required=("Name",),
    ),
    entity(
        "TaxCode",
        "TaxCodes",
        {
            "Name": text(100),
            "Description": text(100),
            "Active": flag,
            "Taxable": flag,
            "TaxGroup": flag,
            "PurchaseTaxRateList": record({"TaxRateDetail": several(record({"TaxRateRef": reference}))}),
            "SalesTaxRateList": record({"TaxRateDetail": several(record({"TaxRateRef": reference}))}),
        },
        {"Name": "text", "Active": "flag", "Description": "text"},
        listed=True,
        required=("Name",),
    ),
)
