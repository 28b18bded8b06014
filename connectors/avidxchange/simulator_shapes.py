"""What every record consists of: the type of each field that is read back, and of each that may be sent.

A star marks a field that must be sent.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final


def _fields(text: str) -> dict[str, str]:
    return dict(entry.split("=") for entry in text.split())


def _sent(text: str) -> dict[str, tuple[str, bool]]:
    return {name: (type_name.rstrip("*"), type_name.endswith("*")) for name, type_name in _fields(text).items()}


_KEPT = "id=text external_id=text version=integer updated_at=timestamp"
_REMIT = "remit_line1=text remit_line2=text remit_city=text remit_state=text remit_postal_code=text remit_country=text"
_VENDOR = f"""
    legal_name=text vendor_number=text is_active=boolean customer_account_number=text tax_id_last4=text
    is_1099=boolean email=text phone=text payment_terms=text {_REMIT}
"""
_CODE = "parent_external_id=text is_active=boolean"
_LINE = "description=text quantity=decimal unit_price=decimal po_line_external_id=text dimensions=list:line_dimension"
_ORDER = "po_number=text vendor_external_id=text order_date=date currency=text"
_ORDER_LINE = """
    line_number=integer external_id=external_id description=text quantity=decimal unit_price=decimal
    quantity_received=decimal gl_account_external_id=text dimensions=list:line_dimension
"""
_INVOICE = """
    due_date=date discount_amount=money discount_date=date po_number=text po_external_id=text
    customer_account_number=text description=text entity_external_id=text
"""

SENT: Final[Mapping[str, Mapping[str, tuple[str, bool]]]] = {
    "vendor": _sent(f"external_id=external_id* name=text* link_to_id=text {_VENDOR}"),
    "gl_account": _sent(f"external_id=external_id* code=text* name=text* type=text {_CODE}"),
    "dimension": _sent("external_id=external_id* code=text* name=text* is_required_on_line=boolean is_active=boolean"),
    "dimension_value": _sent(f"external_id=external_id* code=text* name=text* {_CODE}"),
    "line_dimension": _sent("dimension_code=text* value_external_id=text*"),
    "purchase_order_line": _sent(f"amount=money* {_ORDER_LINE}"),
    "purchase_order": _sent(
        f"""
        external_id=external_id* status=enum:purchase_order_status* total_amount=money*
        lines=list:purchase_order_line* {" ".join(f"{field}*" for field in _ORDER.split())}
        """
    ),
    "invoice_line": _sent(f"line_number=integer amount=money* gl_account_external_id=text* {_LINE}"),
    "invoice": _sent(
        f"""
        external_id=external_id* document_type=enum:document_type* invoice_number=text* vendor_external_id=text*
        invoice_date=date* currency=text* amount=money* lines=list:invoice_line* {_INVOICE}
        image_content=base64 image_content_type=text image_file_name=text image_sha256=text
        """
    ),
    "cancel_request": _sent("reason=text"),
    "void_request": _sent("reason=text request_external_id=external_id*"),
    "acknowledgement": _sent("payment_id=text* erp_id=text* recorded_at=timestamp"),
}

SHAPES: Final[Mapping[str, Mapping[str, str]]] = {
    "company": _fields(
        """
        id=text name=text accounting_system_id=text environment=enum:company_environment time_zone=text
        capabilities=enums:capability
        """
    ),
    "vendor": _fields(
        f"""
        {_KEPT} name=text remit_to=envelope {_VENDOR} network_status=enum:network_status
        preferred_payment_method=enum:payment_method
        """
    ),
    "gl_account": _fields(f"{_KEPT} code=text name=text type=text {_CODE}"),
    "dimension": _fields(f"{_KEPT} code=text name=text is_required_on_line=boolean is_active=boolean"),
    "dimension_value": _fields(f"{_KEPT} code=text name=text {_CODE}"),
    "line_dimension": _fields("dimension_code=text value_external_id=text"),
    "purchase_order_line": _fields(f"amount=money {_ORDER_LINE.replace('=external_id', '=text')}"),
    "purchase_order": _fields(
        f"{_KEPT} {_ORDER} status=enum:purchase_order_status total_amount=money lines=list:purchase_order_line"
    ),
    "invoice_line": _fields(f"line_number=integer amount=money gl_account_external_id=text {_LINE}"),
    "invoice": _fields(
        f"""
        {_KEPT} origin=enum:origin document_type=enum:document_type invoice_number=text vendor_id=text
        vendor_external_id=text invoice_date=date currency=text amount=money {_INVOICE}
        lines=list:invoice_line discount_taken=money amount_scheduled=money amount_paid=money amount_credited=money
        balance=money workflow_status=enum:workflow_status payment_status=enum:invoice_payment_status
        approved_at=timestamp rejected_at=timestamp rejection_reason=text image_status=enum:image_status
        image_sha256=text image_content_type=text image_size=integer payment_ids=texts errors=list:record_error
        """
    ),
    "payment": _fields(
        """
        id=text external_payment_id=text version=integer updated_at=timestamp created_at=timestamp batch_id=text
        vendor_id=text vendor_external_id=text payee_name=text funding_account_id=text funding_external_id=text
        funding_last4=text currency=text amount=money method=enum:payment_method status=payment_status
        status_reason=text payment_date=date issued_date=date cleared_date=date voided_date=date refunded_date=date
        check_detail=envelope check_number=text check_mailed_date=date check_delivery=enum:delivery_method
        check_tracking=text ach_detail=envelope ach_trace=text ach_effective_date=date ach_return_code=text
        ach_returned_date=date card_detail=envelope card_last4=text card_network=enum:card_network
        card_delivery=enum:card_delivery card_sent_date=date card_expires_date=date card_charged_date=date
        card_authorization=text reissue_of=text replaced_by=text applications=list:application
        exceptions=list:payment_exception
        """
    ),
    "application": _fields(
        """
        invoice_id=text invoice_external_id=text invoice_number=text gross_amount=money discount_amount=money
        net_amount=money
        """
    ),
    "payment_exception": _fields("code=text message=text fixable=boolean"),
    "history_event": _fields("id=text at=timestamp status=payment_status description=text comment=text"),
    "bank_account": _fields(
        "id=text external_id=text name=text last4=text currency=text status=enum:bank_account_status"
    ),
    "batch_reply": _fields(
        """
        batch_id=text batch_external_id=text received=integer created=integer updated=integer unchanged=integer
        failed=integer results=list:batch_result
        """
    ),
    "batch_result": _fields(
        """
        index=integer external_id=text id=text successful=boolean action=enum:batch_action version=integer
        errors=list:record_error warnings=list:record_error
        """
    ),
    "record_error": _fields("code=enum:error_code field=text message=text retryable=boolean existing_id=text"),
    "error_reply": _fields("code=enum:error_code message=text field=text correlation=text details=list:record_error"),
    "page": _fields(
        """
        as_of=timestamp items=raw page_number=integer page_size=integer page_count=integer total_items=integer
        links=list:link next_cursor=text
        """
    ),
    "link": _fields("rel=text href=text"),
}

REMIT_FIELDS: Final = tuple(_fields(_REMIT))

ENVELOPES: Final[Mapping[tuple[str, str], Callable[[Mapping[str, Any]], bool]]] = {
    ("vendor", "remit_to"): lambda vendor: any(vendor.get(name) for name in REMIT_FIELDS),
    ("payment", "check_detail"): lambda payment: bool(payment["method"] == "check"),
    ("payment", "ach_detail"): lambda payment: bool(payment["method"] == "ach"),
    ("payment", "card_detail"): lambda payment: bool(payment["method"] == "virtual_card"),
}

# Fields that stand within an envelope, which is null when it does not stand.
INSIDE: Final[Mapping[tuple[str, str], Callable[[Mapping[str, Any]], bool]]] = {
    (kind, field): stands
    for (kind, envelope), stands in ENVELOPES.items()
    for field in SHAPES[kind]
    if field != envelope and field.startswith(envelope.partition("_")[0] + "_")
}
