"""The image of a bill: one page of PDF as a vendor would send it. Pure."""

from mlconnector.demo.company import COMPANY
from mlconnector.demo.story import Bill, Line

LEFT, TOP, LEADING = 72, 720, 18


def image_of(bill: Bill) -> bytes:
    """The page, its bytes always the same for the same bill."""
    vendor = bill.vendor
    about = [vendor.name, vendor.street, f"{vendor.city}, {vendor.state} {vendor.postal_code}", ""]
    about += [f"INVOICE {bill.number}", f"To: {COMPANY}, {bill.branch}".rstrip(", ")]
    about += [f"Your order: {bill.order.number}"] if bill.order else []
    about += ["", *map(_row, bill.lines), "", f"{'Total':<44}{vendor.currency} {bill.amount:>12,.2f}", "Terms: net 30"]
    return _document("\n".join(f"({_escaped(line)}) Tj T*" for line in about))


def _row(line: Line) -> str:
    return f"{line.words[:34]:<35}{line.quantity or '':>5}{line.amount:>20,.2f}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _document(text: str) -> bytes:
    drawn = f"BT /F1 11 Tf {LEADING} TL {LEFT} {TOP} Td\n{text}\nET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Courier >> >> >> >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
    ]
    written, places = "%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{one}\nendobj\n"
    rows = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    table = f"xref\n0 {size}\n0000000000 65535 f \n{rows}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return f"{written}{table}startxref\n{len(written)}\n%%EOF\n".encode("ascii")
