"""Rows of QuickBooks beside the records that they are, and records beside the bodies that they are posted as.

A row's file is named after its entity; `read/<kind>/` and `write/<kind>/` are found by the contract suite.
"""

from connectors.base import Write
from connectors.quickbooks.client import write_body
from connectors.quickbooks.mapping import SOURCES
from connectors.quickbooks.posting import encode_payment
from connectors.records import AnyRecord, Kind, Payment

HOME_CURRENCY = "USD"
AP_ACCOUNTS = {"executed": "33"}  # of the bills, which are asked for before a payment is posted


def decode_sample(kind: Kind, name: str, raw: bytes) -> tuple[AnyRecord, ...]:
    """The records that a row is read as."""
    entity, *_ = name.split("_")
    [source] = [one for one in SOURCES if one.kind is kind and one.entity.lower() == entity]
    return source.decode(raw, HOME_CURRENCY)


def encode_sample(name: str, write: Write) -> bytes:
    """The body that a payment is posted as."""
    assert isinstance(write.record, Payment)
    source, account = write.context["source"], AP_ACCOUNTS.get(name, "")
    return write_body(encode_payment(write.record, record_key=write.record_key, source=source, ap_account=account))
