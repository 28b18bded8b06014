"""What the demo has to come to, however often it was interrupted."""

FIGURES = {
    "vendors_in_ap": 20,
    "bills_in_erp": 59,
    "bills_in_ap": 53,
    "payments_pending": 10,
    "payments_executed": 34,
    "payments_reversed": 2,
    "payments_posted_in_erp": 43,
    "duplicates": 0,
    "lost": 0,
    "amount_difference": 0,
    "bills_held": {"bill_duplicate": 1, "partly_settled": 1, "vendor_inactive": 1},
    "payments_held": {"recorded_by_hand": 1},
    "payments_ignored": {},
    "out_of_scope": {"currency_not_paid": 1, "settled_before_sent": 1, "withdrawn": 1},
}
