"""Purchase orders as documents: a small PDF, and sending it to the vendor."""

from connectors.quickbooks.simulator_company import Act
from connectors.quickbooks.simulator_entities import ENTITIES
from connectors.quickbooks.simulator_entity import Entity
from connectors.quickbooks.simulator_faults import Body, missing, unsupported_operation
from connectors.quickbooks.simulator_fields import mail

ACTIONS = ("pdf", "send")
ORDER = "PurchaseOrder"


def document(act: Act, entity: Entity, identity: str, action: str, send_to: str | None) -> Body | bytes:
    """The order as a PDF, or the order once it was sent."""
    if entity.name != ORDER:
        raise unsupported_operation(f"Operation {action} is not supported.")
    order = act.company.row(ORDER, identity)
    if action == "pdf":
        return _pdf(f"Purchase order {order.get('DocNumber', identity)}: {order['TotalAmt']}")
    address = mail("sendTo", send_to or order.get("POEmail", {}).get("Address", ""))
    if address is None:
        raise missing("sendTo")
    sent = {**order, "EmailStatus": "EmailSent", "POEmail": {"Address": address}}
    return {ORDER: act.company.replace(ENTITIES[ORDER], sent, act.now, "Emailed")}


def _pdf(line: str) -> bytes:
    """One page with one line of text."""
    drawn = f"BT /F1 12 Tf 72 720 Td ({line}) Tj ET".encode("latin-1", "replace")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    written, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return written + end % (size, table, size, len(written))
