"""History notes on documents: added and read, never changed."""

from xero_simulator import messages
from xero_simulator.books import new_id
from xero_simulator.calls import Call, Route, Saving, Shown, save_whole
from xero_simulator.clock import from_ms
from xero_simulator.errors import Invalid
from xero_simulator.records import HistoryNote, Record, Wire
from xero_simulator.wire import Answer, envelope, guid_or_none, ms_time

TABLES = {
    "Invoices": "Invoice",
    "CreditNotes": "CreditNote",
    "Contacts": "Contact",
    "Items": "Item",
    "Payments": "Payment",
    "BatchPayments": "BatchPayment",
    "Overpayments": "Overpayment",
    "BankTransactions": "BankTransaction",
}
LONG, SHORT = 2500, 450


class NoteIn(Wire, frozen=True):
    details: str | None = None


def show(_call: Call | None, note: HistoryNote) -> Shown:
    return {
        "Changes": note.changes,
        "DateUTCString": from_ms(note.updated).strftime("%Y-%m-%dT%H:%M:%S"),
        "DateUTC": ms_time(note.updated),
        "User": note.user,
        "Details": note.details,
    }


SAVING = Saving("HistoryRecords", "HistoryRecordID", show, flags=(), has_status=False)


def _document(call: Call, table: str) -> Record:
    document: Record | None = call.books.tables[table].get(guid_or_none(call.ids[0]))
    if document is None:
        raise Invalid(messages.HISTORY_DOCUMENT_UNKNOWN)
    return document


def _get(call: Call, table: str) -> Answer:
    document = call.books.tables[table].get(guid_or_none(call.ids[0]))
    if document is None:
        return save_whole(call, SAVING, NoteIn(), lambda call, _sent: _document(call, table))
    notes = sorted(call.books.history.find("document", document.id), key=lambda note: note.updated, reverse=True)
    return envelope("HistoryRecords", [show(call, note) for note in notes], call.books.now())


def _put(call: Call, table: str) -> Answer:
    element = call.elements("HistoryRecords", NoteIn)[0]
    return save_whole(call, SAVING, element, lambda call, sent: _add(call, _document(call, table), sent))


def _add(call: Call, document: Record, sent: NoteIn) -> HistoryNote:
    longest = LONG if call.switches["history_details_long"] else SHORT
    if not sent.details or len(sent.details) > longest:
        raise Invalid(messages.HISTORY_DETAILS_INVALID)
    note = HistoryNote(
        id=new_id(),
        updated=call.books.now(),
        document_id=document.id,
        changes="Note",
        details=sent.details,
        user=call.user,
    )
    call.books.put(note)
    return note


def _routes(resource: str, table: str) -> list[Route]:
    path = (resource, None, "History")
    return [
        Route("GET", path, lambda call: _get(call, table)),
        Route("PUT", path, lambda call: _put(call, table)),
    ]


ROUTES = [route for resource, table in TABLES.items() for route in _routes(resource, table)]
