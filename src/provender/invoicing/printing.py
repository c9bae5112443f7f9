"""The printed invoice and credit note: what stands on the paper, word for word, and the PDF of it.

Everything is text by then: amounts are written out here, so that the template draws and works nothing out.
"""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from django.utils import formats, timezone

from provender.basics.money import ZERO, show_amount, show_price, show_quantity
from provender.customers.tax_numbers import show_tax_number, tax_number_word
from provender.invoicing.errors import PaperNotPrinted
from provender.invoicing.models import CreditNote, Invoice, InvoiceVersion
from provender.invoicing.versions import Document, freeze_line, names_of
from provender.suppliers.models import Country, TaxKind

Page = dict[str, Any]
Row = tuple[str, str, str]  # how it is drawn (plain, strong, grand), the word, the amount

PRESS = Path(__file__).with_name("press.py")
LONGEST = 60  # seconds that a document may take; one of 675 lines takes about one
_presses = BoundedSemaphore(2)  # each takes 50 to 120 MB while it works

log = logging.getLogger(__name__)


def print_invoice(invoice: Invoice, version: InvoiceVersion) -> bytes:
    """The PDF of one version of the invoice; the newest says what is paid and left to pay. Raises PaperNotPrinted."""
    return _print(invoice.number, page_of_invoice(invoice, version))


def print_credit_note(credit_note: CreditNote) -> bytes:
    """The PDF of the credit note as it was issued, and how much of it is used by now. Raises PaperNotPrinted."""
    return _print(credit_note.number, page_of_credit_note(credit_note))


def file_name(number: str, version: int | None = None) -> str:
    """What the file is called when it is saved: "INV-1001.pdf"; signs that file systems refuse become hyphens."""
    which = f" version {version}" if version else ""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]+', "-", f"{number}{which}") + ".pdf"


def title_of(seller: Document) -> str:
    """What the law of the seller's country calls its invoices; without a tax number it may not use those words."""
    if not seller["tax_number"]:
        return "Invoice"
    return f"{seller['tax_word']} invoice" if seller["country"] == Country.GB else "Tax invoice"


def _print(number: str, page: Page) -> bytes:
    command = [sys.executable, "-P", str(PRESS)]
    with _presses:
        try:
            done = subprocess.run(
                command, input=json.dumps(page).encode(), capture_output=True, timeout=LONGEST, check=True
            )
        except (subprocess.SubprocessError, OSError) as error:
            log.error("%s could not be printed: %r %s", number, error, getattr(error, "stderr", b""))  # noqa: TRY400 -- what the press said is what helps
            raise PaperNotPrinted(number) from error
    return done.stdout


# --- the pages ----------------------------------------------------------------------------------------------------


def page_of_invoice(invoice: Invoice, version: InvoiceVersion) -> Page:
    """All that stands on the invoice: names, lines and sums of the version, and how much of it is paid by now."""
    document = version.document
    newest = version.version == invoice.version
    due_date, number = date.fromisoformat(document["due_date"]), document["number"]
    facts = [
        ("Number", number),
        ("Date", _day(date.fromisoformat(document["date"]))),
        ("Due", _day(due_date)),
        ("Order", document["order_numbers"]),
        ("Your order", document["purchase_order"]),
    ]
    page = _page(title_of(document["supplier"]), number, document["currency"], document, facts)
    page["comment"], page["comment_heading"] = document["comment"], "Comment"
    page["note"] = _which_version(invoice, version)
    if invoice.status == Invoice.Status.VOID:
        page |= _voided("Void", invoice.voided_at)
    elif newest:
        page["sums"] += _balance(invoice)
        page |= _how_to_pay(invoice, due_date)
    return page


def page_of_credit_note(credit_note: CreditNote) -> Page:
    """All that stands on the credit note, and how much of it is used by now."""
    # One that was issued before its names were kept has those of now.
    document = (credit_note.names or names_of(credit_note.supplier, credit_note.customer)) | {
        "lines": [freeze_line(line) for line in credit_note.lines.all()],
        **{name: str(getattr(credit_note, name)) for name in ("subtotal", "tax", "total")},
    }
    facts = [
        ("Number", credit_note.number),
        ("Date", _day(credit_note.date)),
        ("For invoice", credit_note.invoice.number if credit_note.invoice else ""),
    ]
    page = _page("Credit note", credit_note.number, credit_note.currency, document, facts)
    seller = document["supplier"]
    if seller["country"] == Country.AU and seller["tax_number"] and credit_note.tax:
        page["subtitle"] = "Adjustment note"  # the Australian tax office's word for it
    page["comment"], page["comment_heading"] = credit_note.reason, "Reason"
    if credit_note.status == CreditNote.Status.VOID:
        page |= _voided("Cancelled", credit_note.voided_at)
    elif credit_note.used:
        left = f"Left {credit_note.currency}"
        page["sums"] += _rows(("plain", "Used", -credit_note.used), ("grand", left, credit_note.remaining))
    return page


def _page(title: str, number: str, currency: str, document: Document, facts: Iterable[tuple[str, str]]) -> Page:
    """What both documents have in common; the words that only one has are empty."""
    seller, lines, tax = document["supplier"], document["lines"], document["supplier"]["tax_word"]
    sums = [Decimal(document[name]) for name in ("subtotal", "tax", "total")]
    its_number = _tax_number(seller["tax_number"], seller["country"])
    return {
        "title": title,
        "subtitle": "",
        "number": number,
        "region": seller["country"],
        "from": {"name": seller["name"], "lines": _seller(seller, its_number)},
        "to": {"label": "To", **_buyer(document["customer"], seller["country"])},
        "facts": [fact for fact in facts if fact[1]],
        "tax": tax,
        "currency": currency,
        "has_codes": any(line["sku"] for line in lines),
        "lines": [_line(line) for line in lines],
        "taxes": _taxes(lines, tax),
        "sums": _rows(
            ("plain", "Subtotal", sums[0]), ("plain", tax, sums[1]), ("strong", f"Total {currency}", sums[2])
        ),
        "stamp": "",
        "void": "",
        "pay_heading": "",
        "pay": [],
        "comment": "",
        "comment_heading": "",
        "note": "",
        "foot": " · ".join(filter(None, (seller["legal_name"] or seller["name"], its_number))),
    }


def _seller(seller: Document, its_number: str) -> list[str]:
    legal = seller["legal_name"] if seller["legal_name"] != seller["name"] else ""
    reach = " · ".join(filter(None, (seller["email"], seller["phone"])))
    return list(filter(None, (legal, its_number, *seller["address"].splitlines(), reach)))


def _buyer(buyer: Document, home: str) -> Page:
    trading, legal = buyer["trading_name"], buyer["legal_name"]
    place = " ".join(filter(None, (buyer["city"], buyer["region"], buyer["postcode"])))
    country = buyer["country"] or home
    texts = (
        f"trading as {trading}" if legal and legal != trading else "",
        buyer["street"],
        place,
        Country(country).label if country != home else "",
        _tax_number(buyer["tax_number"], country),
    )
    return {"name": legal or trading, "lines": list(filter(None, texts))}


def _tax_number(text: str, country: str) -> str:
    return f"{tax_number_word(country)} {show_tax_number(text, country)}" if text else ""


def _line(line: Document) -> dict[str, str]:
    return {
        "code": line["sku"],
        "item": line["description"],
        "quantity": _thousands(show_quantity(Decimal(line["quantity"]))),
        "price": show_price(Decimal(line["unit_price"])),
        "tax": _percent(line) if Decimal(line["tax_rate"]) else "free",
        "amount": show_amount(Decimal(line["amount"])),
    }


def _thousands(number: str) -> str:
    return f"{Decimal(number):,f}"


def _percent(line: Document) -> str:
    return f"{show_quantity(Decimal(line['tax_rate']))}%"


def _taxes(lines: Sequence[Document], word: str) -> list[list[str]]:
    """For each rate, highest first: its name, what it is on, and what it comes to."""
    sums: dict[tuple[Decimal, str], list[Decimal]] = {}
    for line in lines:
        taxed = line["tax_kind"] == TaxKind.GST
        name = f"{word} {_percent(line)}" if taxed else f"{word}-free"
        sum_ = sums.setdefault((-Decimal(line["tax_rate"]), name), [ZERO, ZERO])
        sum_[0] += Decimal(line["amount"])
        sum_[1] += Decimal(line["tax"])
    return [[name, *map(show_amount, sum_)] for (_, name), sum_ in sorted(sums.items())]


def _rows(*rows: tuple[str, str, Decimal]) -> list[Row]:
    return [(kind, word, show_amount(amount)) for kind, word, amount in rows]


# --- what became of it --------------------------------------------------------------------------------------------


def _balance(invoice: Invoice) -> list[Row]:
    parts = (("plain", "Paid", -invoice.paid), ("plain", "Credited", -invoice.credited))
    too_much = invoice.due < 0
    word = f"{'Paid too much' if too_much else 'To pay'} {invoice.currency}"
    return _rows(*(part for part in parts if part[2]), ("grand", word, abs(invoice.due)))


def _how_to_pay(invoice: Invoice, due_date: date) -> Page:
    if invoice.settled_on:
        return {"pay_heading": f"Settled on {_day(invoice.settled_on)}", "pay": ["Thank you."]}
    if invoice.due <= 0:
        return {"pay_heading": "Nothing is to be paid", "pay": []}
    ask = f"Please pay {invoice.currency} {show_amount(invoice.due)} by {_day(due_date)}, naming {invoice.number}."
    return {"pay_heading": "How to pay", "pay": [ask, *invoice.supplier.payment_details.splitlines()]}


def _voided(word: str, since: datetime | None) -> Page:
    return {"stamp": word, "void": f"{word} since {_day(timezone.localtime(since).date())}" if since else word}


def _which_version(invoice: Invoice, version: InvoiceVersion) -> str:
    issued = formats.date_format(timezone.localtime(version.made_at), "j M Y, g:i a")
    if version.version != invoice.version:
        return f"This is version {version.version}, issued {issued}. A later version has taken its place."
    if version.version == 1:
        return ""
    return f"Version {version.version}, issued {issued}. It takes the place of the earlier ones."


def _day(day: date) -> str:
    return formats.date_format(day, "j M Y")
