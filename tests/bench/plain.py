"""The plain loops that the engine is compared with: what one writes first, on the same tables and the same providers.

They promise nothing: no history of changes, no fingerprints, no attempt that outlives a crash, no events.
"""

import json
from decimal import Decimal
from typing import Any

import httpx
from django.db import transaction
from msgspec.structs import replace

from connectors.base import Action, Connector, Receipt, Write
from connectors.conversation import Conversation, Effects, finish
from connectors.models import Connection
from connectors.quickbooks.client import PAGE
from connectors.records import AnyRecord, Bill, Kind, Payment, Ref, minor_units, restore
from syncs.models import Mapping, RemoteRecord, SyncRecord
from syncs.states import State
from tests.bench.company import Company
from tests.bench.race import Job


def read_plainly(company: Company) -> Job:
    """Query page by page, `json.loads`, `update_or_create` for each bill."""

    def read(effects: Effects) -> None:
        connection = company.integration.erp
        url = f"{effects.simulator_url}/quickbooks/v3/company/{connection.account_id}/query"
        token = finish(Conversation(connection=connection, effects=effects, trace_id="plain").token())
        with httpx.Client(headers={"Authorization": f"Bearer {token}", "Accept": "application/json"}) as client:
            for start in range(1, company.bills + 1, PAGE):
                query = f"select * from Bill orderby Id startposition {start} maxresults {PAGE}"
                answer = client.get(url, params={"query": query, "minorversion": "75"})
                for row in json.loads(answer.content, parse_float=Decimal)["QueryResponse"]["Bill"]:
                    _keep(connection, row)

    return read


def _keep(connection: Connection, row: dict[str, Any]) -> None:
    RemoteRecord.objects.update_or_create(
        tenant_id=connection.tenant_id,
        connection=connection,
        kind=Kind.BILL,
        remote_id=row["Id"],
        defaults={
            "version": row["SyncToken"],
            "number": row.get("DocNumber", ""),
            "party_id": row["VendorRef"]["value"],
            "date": row["TxnDate"],
            "due_date": row.get("DueDate"),
            "currency": row["CurrencyRef"]["value"],
            "amount_minor": minor_units(Decimal(row["TotalAmt"]), "USD"),
            "balance_minor": minor_units(Decimal(row["Balance"]), "USD"),
            "seen_at": row["MetaData"]["LastUpdatedTime"],
            "fingerprint": "",
            "body": json.dumps(row, default=str),
        },
    )


def deliver_plainly(company: Company, kind: Kind, count: int) -> Job:
    """Claim one record by the ORM, look up what it refers to, send it by itself, save it."""

    def deliver(effects: Effects) -> None:
        integration = company.integration
        target = integration.erp if kind is Kind.PAYMENT else integration.ap_network
        talk = Conversation(connection=target, effects=effects, trace_id="plain")
        connector = talk.connector(finish(talk.token()))
        for _ in range(count):
            _deliver_one(company, connector, kind)

    return deliver


def _deliver_one(company: Company, connector: Connector, kind: Kind) -> None:
    due = SyncRecord.objects.filter(stream=company.stream(kind), state=State.PENDING).order_by("id")
    with transaction.atomic():
        row = due.select_related("remote_record").select_for_update(skip_locked=True, of=("self",))[0]
        row.state = State.SENDING
        row.save()
    record = _resolve(company, restore(kind, row.remote_record.body))
    write = Write(kind=kind, action=Action.CREATE, record=record, record_key=row.record_key, request_key=row.record_key)
    [outcome] = connector.write([write])
    if not isinstance(outcome, Receipt):
        raise outcome
    row.state, row.target_id, row.target_version = State.SYNCED, outcome.id, outcome.version
    row.settled, row.sent, row.settled_fingerprint = row.wanted, row.wanted, row.wanted_fingerprint
    row.save()


def _resolve(company: Company, record: AnyRecord) -> AnyRecord:
    if isinstance(record, Bill):
        lines = tuple(replace(line, account=_there(company, line.account)) for line in record.lines if line.account)
        return replace(record, vendor=_there(company, record.vendor), lines=lines)
    assert isinstance(record, Payment)
    bank = Mapping.objects.get(integration=company.integration, subject=Mapping.Subject.FUNDING_ACCOUNT)
    return replace(
        record,
        vendor=_here(company, record.vendor),
        applications=tuple(replace(part, target=_here(company, part.target)) for part in record.applications),
        funding_account=Ref(Kind.ACCOUNT, bank.target),
    )


def _there(company: Company, ref: Ref) -> Ref:
    """The AP network's id of what the ERP knows by this one."""
    row = SyncRecord.objects.get(stream=company.stream(ref.kind), remote_record__remote_id=ref.id)
    return Ref(ref.kind, row.target_id, row.record_key)


def _here(company: Company, ref: Ref) -> Ref:
    """The ERP's id of what the AP network knows by this one."""
    row = SyncRecord.objects.select_related("remote_record").get(stream=company.stream(ref.kind), target_id=ref.id)
    return Ref(ref.kind, row.remote_record.remote_id, row.record_key)
