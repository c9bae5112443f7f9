"""Every call to Xero of the last 90 days: when, what for, how many, how it went, how long it took."""

import re
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django_filters import CharFilter, ChoiceFilter, FilterSet

from provender.desk.frame import DeskRequest, member
from provender.desk.lists import Badge, Column, Empty, List, Tone, show
from provender.people.roles import Doing
from provender.suppliers.models import Supplier
from provender.sync.connections import last_connection
from provender.sync.models import Call
from provender.sync.queries import calls_of

OUTCOMES: dict[str, tuple[str, Tone]] = {
    "ok": ("Done", "ok"),
    "refused": ("Refused", "danger"),
    "try-later": ("Try later", "warn"),
    "unknown": ("In doubt", "warn"),
    "not-connected": ("Not let in", "danger"),
}
VERBS = {"GET": "Read", "PUT": "Create", "POST": "Change", "DELETE": "Delete"}
THINGS = {
    "Organisation": "the organisation",
    "Accounts": "the chart of accounts",
    "TaxRates": "tax rates",
    "Items": "items",
    "TrackingCategories": "tracking categories",
    "Contacts": "contacts",
    "Invoices": "invoices",
    "CreditNotes": "credit notes",
    "Payments": "payments",
    "BatchPayments": "payouts",
    "BankTransactions": "fees of payouts",
    "Overpayments": "overpayments",
    "Prepayments": "prepayments",
}
LOOKED_UP = re.compile(r"\b(IDs|InvoiceNumbers|where)=")  # some documents by name, not a whole list
NUMBERS_SHOWN = 4


def in_plain_words(call: Call) -> str:
    """What a call was for: "Create invoices"."""
    thing = re.split(r"[/?]", call.path.removeprefix("/api.xro/2.0/"))[0]
    verb = VERBS.get(call.method, call.method)
    if call.method == "GET" and LOOKED_UP.search(call.query):
        verb = "Look up"
    return f"{verb} {THINGS.get(thing, thing)}"


def documents_in(call: Call) -> str:
    """The numbers of the documents in a call, the first few by name."""
    numbers = call.about.splitlines()
    rest = len(numbers) - NUMBERS_SHOWN
    return ", ".join(numbers[:NUMBERS_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def how_long(call: Call) -> str:
    return f"{call.seconds:.1f} s" if call.seconds >= 1 else f"{call.seconds * 1000:.0f} ms"


def outcome(call: Call) -> Badge:
    text, tone = OUTCOMES.get(call.outcome, (call.outcome, "mute"))
    return Badge(text, tone)


class CallFilter(FilterSet):  # type: ignore[misc]
    q = CharFilter(label="Document number", field_name="about", lookup_expr="icontains")
    outcome = ChoiceFilter(
        label="Outcome", choices=[(key, text) for key, (text, _) in OUTCOMES.items()], empty_label="Any outcome"
    )
    method = ChoiceFilter(label="What", choices=list(VERBS.items()), empty_label="Any call")

    class Meta:
        model = Call
        fields: list[str] = []


class CallList(List[Call]):
    title, one, many = "Activity", "call", "calls"
    sentence = "Each call to Xero of the last 90 days."
    filters = CallFilter
    sort = "-at"
    template = "desk/xero/activity.html"
    empty = Empty(
        "No call to Xero yet",
        "Once Xero is connected, every call stands here: when, what for, how many documents, how it went.",
        "Go to Xero",
        "desk:xero",
        Doing.LOOK,
    )
    columns = (
        Column("at", "When", lambda call: call.at, kind="moment", sort="at", phone="meta"),
        Column("what", "What", in_plain_words, note=lambda call: f"{call.method} {call.path}", phone="title"),
        Column("about", "Documents", documents_in, phone="meta"),
        Column("count", "How many", lambda call: call.count, kind="number", sort="count", phone="meta"),
        Column("outcome", "Outcome", outcome, kind="badge", sort="outcome", phone="badge"),
        Column("seconds", "Took", how_long, kind="number", sort="seconds", phone="side"),
    )

    def rows(self) -> QuerySet[Call]:
        connection = last_connection(self.supplier)
        return calls_of(connection) if connection else Call.objects.none()

    def extra_context(self) -> dict[str, Any]:
        return {"connection": last_connection(self.supplier)}


@member(Doing.LOOK)
def activity(request: DeskRequest, supplier: Supplier) -> HttpResponseBase:
    return show(request, CallList(request))
