"""From staging tables into the books, in short transactions that may each die: what is in is marked in the same one."""

from collections.abc import Iterator, Sequence

from django.db.models import F

from provender.basics import clock
from provender.basics.transactions import short_transaction
from provender.catalogue.actions import import_products
from provender.customers.actions import import_customers
from provender.importing.errors import ImportOutOfBalance
from provender.importing.holding import Hold
from provender.importing.judging import draft_line, due_of, judge, reason_of
from provender.importing.known import Here, Known, load_expected, load_here
from provender.importing.mapping import Line
from provender.importing.models import Import, StagedDocument
from provender.importing.staging import Told, check_balance, lines_of
from provender.invoicing.actions import InvoiceDraft, ReadyInvoices, prepare_invoices
from provender.invoicing.credit_notes import CreditNoteDraft, ReadyCreditNotes, prepare_credit_notes
from provender.invoicing.errors import CreditNoteNumberTaken, InvoiceNumberTaken
from provender.invoicing.models import CreditNote, Invoice

LINES_A_TRANSACTION = 250  # SQLite has one writer: nobody at a screen should feel the import
DOCUMENTS_A_TRANSACTION = 25

State, Kind = StagedDocument.State, StagedDocument.Kind
JUDGED = ("kind", "state", "code", "column", "reason", "tax", "total")


def apply_documents(source: Import, hold: Hold, told: Told) -> None:
    """Import every document that is ready. Raises ImportOutOfBalance when one comes out other than it was staged."""
    known = load_expected(source)
    ready = sum(source.documents.filter(state=State.READY).values_list("lines", flat=True))
    done = 0
    for batch in _ready_batches(source):
        try:
            _apply_batch(source, batch, known, hold)
        except (InvoiceNumberTaken, CreditNoteNumberTaken):  # by somebody since it was judged, so it is judged again
            continue
        done += sum(document.lines for document in batch)
        told("Importing", done, ready)
    _drop_unchanged(source)
    check_balance(source)
    source.refresh_from_db(fields=["customers_created", "products_created"])


def _ready_batches(source: Import) -> Iterator[list[StagedDocument]]:
    """In the file's order, a few hundred lines at a time (a longer document alone).

    Credit notes come after all invoices, since they may name one, and never with them.
    """
    while first := list(source.documents.filter(state=State.READY).order_by("-kind", "line")[:DOCUMENTS_A_TRANSACTION]):
        lines = 0
        batch: list[StagedDocument] = []
        for document in first:
            if batch and (lines + document.lines > LINES_A_TRANSACTION or document.kind != batch[0].kind):
                break
            batch.append(document)
            lines += document.lines
        yield batch


def _apply_batch(source: Import, batch: Sequence[StagedDocument], known: Known, hold: Hold) -> None:
    """Judge once more, as the books are now; import what still can be; mark all; drop their staged lines.

    All is made ready before the transaction that imports and marks. Raises InvoiceNumberTaken or CreditNoteNumberTaken,
    having imported nothing.
    """
    by_number = {lines[0].number: lines for lines in lines_of(source, [document.number for document in batch])}
    here = load_here(source.supplier, list(by_number.values()))
    changed = [
        document for document in batch if _judge_again(source, document, by_number[document.number], known, here)
    ]
    fresh = [document for document in batch if document.state == State.READY]
    _create_missing(source, [line for document in fresh for line in by_number[document.number]], known, hold)
    ready = _prepare(source, fresh, by_number, known, here)
    done = [document.number for document in batch if document.state != State.REJECTED]
    with short_transaction():
        hold.renew()
        for document in changed:
            document.save(update_fields=JUDGED)
        for each in ready:
            each.insert()
        source.documents.filter(pk__in=[document.pk for document in fresh]).update(state=State.IMPORTED)
        source.runs.filter(number__in=done).delete()


def _judge_again(source: Import, document: StagedDocument, lines: Sequence[Line], known: Known, here: Here) -> bool:
    """Whether that changed what was said of it."""
    now = judge(source, lines, known, here)
    changed = [name for name in JUDGED if getattr(document, name) != getattr(now, name)]
    for name in changed:
        setattr(document, name, getattr(now, name))
    return bool(changed)


def _prepare(
    source: Import, fresh: Sequence[StagedDocument], lines: dict[str, list[Line]], known: Known, here: Here
) -> list[ReadyInvoices | ReadyCreditNotes]:
    """What these become, by kind, with the sums that were staged."""
    invoices = [_draft(source, lines[one.number], known) for one in fresh if one.kind == Kind.INVOICE]
    credits_ = [_draft_credit(source, lines[one.number], known, here) for one in fresh if one.kind == Kind.CREDIT_NOTE]
    ready: list[ReadyInvoices | ReadyCreditNotes] = []
    made: dict[str, Invoice | CreditNote] = {}  # matched by number, never by position
    if invoices:
        ready.append(some := prepare_invoices(source.supplier, invoices, by=source.by))
        made |= {invoice.number: invoice for invoice in some.invoices}
    if credits_:
        ready.append(others := prepare_credit_notes(source.supplier, credits_, by=source.by))
        made |= {credit_note.number: credit_note for credit_note in others.credit_notes}
    for document in fresh:
        one, given_back = made[document.number], document.kind == Kind.CREDIT_NOTE
        subtotal, total = (-one.subtotal, -one.total) if given_back else (one.subtotal, one.total)
        if total != document.total or subtotal != document.subtotal:
            what = f"the total of {document.get_kind_display().lower()} {one.number}"
            raise ImportOutOfBalance(source.file_name, what, document.total, total)
    return ready


def _draft(source: Import, lines: Sequence[Line], known: Known) -> InvoiceDraft:
    first = lines[0]
    customer = known.customers[first.customer]
    return InvoiceDraft(
        number=first.number, customer_id=customer.pk, date=first.date, due_date=due_of(first, customer),
        lines=[draft_line(source, Kind.INVOICE, line, known) for line in lines], purchase_order=first.purchase_order,
        currency=source.supplier.currency,
    )  # fmt: skip


def _draft_credit(source: Import, lines: Sequence[Line], known: Known, here: Here) -> CreditNoteDraft:
    first = lines[0]
    return CreditNoteDraft(
        number=first.number, customer_id=known.customers[first.customer].pk, date=first.date,
        lines=[draft_line(source, Kind.CREDIT_NOTE, line, known) for line in lines], reason=reason_of(first),
        invoice_id=here.credited[first.credited_invoice].id if first.credited_invoice else None,
    )  # fmt: skip


def _create_missing(source: Import, lines: Sequence[Line], known: Known, hold: Hold) -> None:
    """The customers and products that these lines need first, in one transaction; the rest waits for its own batch."""
    customers = known.take_customers(line.customer for line in lines)
    products = known.take_products(line.sku for line in lines)
    if not customers and not products:
        return
    with short_transaction():
        hold.renew()
        import_customers(source.supplier, customers, by=source.by)
        import_products(source.supplier, products, by=source.by)
        Import.objects.filter(pk=source.pk).update(
            customers_created=F("customers_created") + len(customers),
            products_created=F("products_created") + len(products),
        )


def _drop_unchanged(source: Import) -> None:
    numbers = list(source.documents.filter(state=State.UNCHANGED).values_list("number", flat=True))
    for start in range(0, len(numbers), DOCUMENTS_A_TRANSACTION):
        source.runs.filter(number__in=numbers[start : start + DOCUMENTS_A_TRANSACTION]).delete()


def finish(source: Import) -> None:
    """It is in; the uploaded file isn't needed any more."""
    source.state, source.finished_at = Import.State.DONE, clock.now()
    if source.file:
        source.file.delete(save=False)
    source.save(update_fields=["state", "finished_at", "file"])
