"""Every fault that we know: the engine's own here, each provider's in its folder. Pure.

An unknown code is shown as unknown, with the provider's own words.
"""

from connectors.base import Actor, Fault
from connectors.registry import connectors

ENGINE = (
    Fault(
        code="image_rejected",
        actor=Actor.CUSTOMER_AP,
        cause="The AP network has rejected a bill's file after checking it: for a virus, or since it cannot be opened.",
        remedy="Look at the file, and attach a clean one to the bill in the ERP. The bill itself goes on without it.",
    ),
    Fault(
        code="bill_does_not_tie",
        actor=Actor.CUSTOMER_AP,
        cause="The lines and tax of the bill do not sum to its total.",
        remedy="Correct the bill in the ERP.",
    ),
    Fault(
        code="partly_settled",
        actor=Actor.CUSTOMER_AP,
        cause="The bill was partly settled in the ERP before it was sent.",
        remedy="Undo the part that was settled: then it is sent. Or settle the rest by hand: then it is out of scope.",
    ),
    Fault(
        code="dimension_missing",
        actor=Actor.CUSTOMER_AP,
        cause="A line carries no value of a dimension that every line must carry.",
        remedy="Enter the value on the line in the ERP, or change the policy on required dimensions.",
    ),
    Fault(
        code="reference_unknown",
        actor=Actor.OPERATIONS,
        cause="The record names another that we have never seen.",
        remedy="Read the connection in full again. If it stays, look it up there, or link the invoice to its bill.",
    ),
    Fault(
        code="reference_left_out",
        actor=Actor.CUSTOMER_AP,
        cause="The record names another that is out of scope or ignored.",
        remedy="Bring the other record into scope (make it active, or stop ignoring it), or correct this one.",
    ),
    Fault(
        code="unmapped_funding_account",
        actor=Actor.OPERATIONS,
        cause="No bank account is mapped for this way of paying.",
        remedy="Map the bank account; what waits is released.",
    ),
    Fault(
        code="unmapped_in_transit",
        actor=Actor.OPERATIONS,
        cause="No account for payments in transit is mapped.",
        remedy="Map the account, or turn off pending payments.",
    ),
    Fault(
        code="unmapped_discount",
        actor=Actor.OPERATIONS,
        cause="No account for discounts taken is mapped.",
        remedy="Map the account that finance books discounts on; what waits is released.",
    ),
    Fault(
        code="unmapped_tax",
        actor=Actor.OPERATIONS,
        cause="A bill or credit carries tax, and no account for tax is mapped.",
        remedy="Map the account that finance books the tax of bills on; what waits is released.",
    ),
    Fault(
        code="payment_status_unknown",
        actor=Actor.US,
        cause="The payment has a status that the contract does not know.",
        remedy="We add the status to the contract profile; nothing is posted before.",
    ),
    Fault(
        code="payment_taken_back",
        actor=Actor.OPERATIONS,
        cause="A posted payment went back to an earlier status.",
        remedy="Ask the AP network what became of it, then void the posting by hand and ignore this.",
    ),
    Fault(
        code="reversal_refused",
        actor=Actor.CUSTOMER_AP,
        cause="A payment was taken back at the AP network, and the ERP refuses the void: its bills look paid.",
        remedy="Are the books closed: open them and send it again, or choose the policy of a journal entry.",
    ),
    Fault(
        code="refund_refused",
        actor=Actor.CUSTOMER_AP,
        cause="A payment that was taken back by an entry is refunded, and the ERP refuses to change that entry.",
        remedy="Open the books and send it again, or move the money to the bank account by hand and ignore this.",
    ),
    Fault(
        code="payment_does_not_tie",
        actor=Actor.US,
        cause="The bills that the payment names do not sum to its amount.",
        remedy="Ask the AP network for the right figures; nothing is posted before.",
    ),
    Fault(
        code="payment_shape",
        actor=Actor.CUSTOMER_AP,
        cause="The payment has a part that is neither a bill with its discount nor a credit.",
        remedy="Enter the payment in the ERP by hand, then ignore this record.",
    ),
    Fault(
        code="payment_several_accounts",
        actor=Actor.CUSTOMER_AP,
        cause="The bills that the payment names are of different vendors or currencies.",
        remedy="Enter the payment in the ERP by hand, then ignore this record.",
    ),
    Fault(
        code="payee_differs",
        actor=Actor.CUSTOMER_AP,
        cause="The network paid one vendor, and in the ERP the bills of the payment are another's now.",
        remedy="If both are one, merge them in the ERP and send this again. If not, give the bills back to the other.",
    ),
    Fault(
        code="perhaps_merged",
        actor=Actor.CUSTOMER_AP,
        cause="What a bill names that the network has locked was merged in the ERP, or the bill was changed by hand.",
        remedy="If it was merged, ignore this record. If not, have the invoice rejected and enter the bill anew.",
    ),
    Fault(
        code="recorded_by_hand",
        actor=Actor.CUSTOMER_AP,
        cause="A bill of this payment is already settled in the ERP, or carries a payment that looks like this one.",
        remedy="If both are one payment, link it to that one; if not, stop the check or have two persons post it.",
    ),
    Fault(
        code="earlier_posting_stands",
        actor=Actor.CUSTOMER_AP,
        cause="An earlier payment that we posted still settles a bill of this one, and has not been taken back.",
        remedy="Look at the earlier payment; when it is voided or ignored, send this one again.",
    ),
    Fault(
        code="withdrawn_open",
        actor=Actor.CUSTOMER_AP,
        cause="The bill was withdrawn or cancelled at the AP network, and it is open in the ERP.",
        remedy="Enter it in the ERP as a new bill, or have it paid otherwise and ignore this record.",
    ),
    Fault(
        code="invoice_rejected",
        actor=Actor.CUSTOMER_AP,
        cause="The AP network has turned down an invoice and does not pay it.",
        remedy="Correct the bill in the ERP: it is sent again. Or settle or delete it there. This closes by itself.",
    ),
    Fault(
        code="invoice_on_hold_long",
        actor=Actor.CUSTOMER_AP,
        cause="An invoice is on hold at the AP network for longer than the policy allows.",
        remedy="Have it released or rejected there; then this closes by itself.",
    ),
    Fault(
        code="payment_pending_long",
        actor=Actor.CUSTOMER_AP,
        cause="A payment has been released and is still not executed at the AP network after 10 business days.",
        remedy="Ask the AP network why, and have it executed or voided there; then this closes by itself.",
    ),
    Fault(
        code="payment_not_cleared_long",
        actor=Actor.CUSTOMER_AP,
        cause="By policy a payment is posted as paid once it has cleared, and one has not within 20 business days.",
        remedy="Ask its vendor, or have it stopped at the AP network. Or choose to post what is executed.",
    ),
    Fault(
        code="payment_in_error",
        actor=Actor.CUSTOMER_AP,
        cause="The AP network cannot execute a payment before somebody mends what is wrong with it.",
        remedy="Have it mended or voided at the AP network; then this closes by itself.",
    ),
    Fault(
        code="posting_gone",
        actor=Actor.CUSTOMER_AP,
        cause="The payment that we posted was voided, deleted or changed in the ERP by somebody else.",
        remedy="Do not pay the bill again. Link this to what was entered instead, or two persons have it posted anew. "
        "Where ours still stands and was only changed, send this again: it is changed back.",
    ),
    Fault(
        code="applications_changed",
        actor=Actor.CUSTOMER_AP,
        cause="The bills, the amount or the discounts of a payment changed after it was posted.",
        remedy="Choose by policy to have it posted anew, or void ours, enter it by hand and link it.",
    ),
    Fault(
        code="linked_taken_back",
        actor=Actor.CUSTOMER_AP,
        cause="A payment that a person linked to one of the ERP was taken back at the AP network.",
        remedy="The ERP's payment is not ours. Void it there if the money came back, then send this one again.",
    ),
    Fault(
        code="linked_gone",
        actor=Actor.CUSTOMER_AP,
        cause="The payment of the ERP to which a person linked one of the AP network is gone.",
        remedy="Do not pay the bill again. Link it to what stands there now, or have it posted by two persons.",
    ),
    Fault(
        code="linked_changed",
        actor=Actor.CUSTOMER_AP,
        cause="A payment that a person linked to one of the ERP has another amount or other bills now.",
        remedy="Compare both. Correct the ERP's payment by hand, then link it anew or ignore this.",
    ),
    Fault(
        code="posted_twice",
        actor=Actor.US,
        cause="The ERP holds more than one payment with our mark for one payment.",
        remedy="Void all but one in the ERP and tell us.",
    ),
    Fault(
        code="long_in_doubt",
        actor=Actor.OPERATIONS,
        cause="It was sent, its answer was lost, and looking it up has not worked for a long time.",
        remedy="Look at the last exchange. It is neither sent again nor given up before it has been looked up.",
    ),
    Fault(
        code="tried_too_often",
        actor=Actor.OPERATIONS,
        cause="The provider has not taken the record after many tries.",
        remedy="Nothing has to be done while it is down; otherwise look at the last exchange.",
    ),
    Fault(
        code="unreadable_row",
        actor=Actor.US,
        cause="A row that the provider showed could not be read.",
        remedy="Look at the raw row; correct it at the provider or tell us.",
    ),
    Fault(
        code="sign_in_again",
        actor=Actor.CUSTOMER_ADMIN,
        cause="The provider no longer accepts our sign-in; everything of this connection waits where it stands.",
        remedy="Connect it again; it goes on by itself.",
    ),
    Fault(
        code="sign_in_ends",
        actor=Actor.CUSTOMER_ADMIN,
        cause="The sign-in to a provider ends soon.",
        remedy="Connect it again from the connection's page, by somebody whom the provider lets do that.",
    ),
    Fault(
        code="unexpected_answer",
        actor=Actor.US,
        cause="The provider answered in a way that is not documented; what was sent is looked up and tried again.",
        remedy="Look at the exchange; correct the address or the contract profile, or tell us.",
    ),
    Fault(
        code="credentials_unreadable",
        actor=Actor.OPERATIONS,
        cause="Credentials cannot be decrypted with today's keys.",
        remedy="Put the missing key back into FERNET_KEYS and restart; everything goes on by itself.",
    ),
    Fault(
        code="host_not_allowed",
        actor=Actor.US,
        cause="A request would have gone to a host that is not the provider's.",
        remedy="Check the addresses of the app.",
    ),
)
UNKNOWN = Fault(
    code="unknown",
    actor=Actor.US,
    cause="The provider answered with something that we do not know.",
    remedy="Look at its words and the exchange; tell us its request id.",
)


def fault(code: str, provider: str = "") -> Fault:
    """What is known of this code: the provider's own row first, then the engine's, then unknown."""
    rows = [row for row in connectors()[provider].faults if row.code == code] if provider in connectors() else []
    rows += [row for row in ENGINE if row.code == code]
    return rows[0] if rows else UNKNOWN
