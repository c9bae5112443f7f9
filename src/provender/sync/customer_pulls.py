"""Reading pulls of customers: what the screen and the command show of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from provender.basics.wording import counted
from provender.customers.models import Customer
from provender.customers.tax_numbers import show_tax_number
from provender.suppliers.models import Country, Supplier
from provender.sync.contacts import KIND
from provender.sync.likeness import WEIGHTS, WHY
from provender.sync.models import CustomerPull, CustomerPullRow, Link

State, Choice = CustomerPullRow.State, CustomerPullRow.Choice
CHOSEN = "chosen"  # a view of the rows that something is chosen for
STRENGTHS = ((WEIGHTS["tax"], "Strong"), (WEIGHTS["name"], "Good"), (0, "Weak"))


@dataclass(frozen=True)
class Tally:
    """How many rows of each state; how many suggestions each sign speaks for; how many rows each choice is made for."""

    states: Mapping[str, int]
    signs: Mapping[str, int]
    choices: Mapping[str, int]

    @property
    def chosen(self) -> int:
        return sum(self.choices.values())


@dataclass(frozen=True)
class Offer:
    """A customer that a contact may be: its key and name, in what they are alike, and how much that says."""

    customer: str
    name: str
    why: str
    strength: str


def tally(pull: CustomerPull) -> Tally:
    """Counts of a pull; those by state add up to its contacts and the customers that are only here."""
    states = dict(pull.rows.order_by().values_list("state").annotate(count=Count("pk")))
    choices = dict(pull.rows.order_by().exclude(choice="").values_list("choice").annotate(count=Count("pk")))
    signs = pull.rows.order_by().exclude(signs="").values_list("signs").annotate(count=Count("pk"))
    counted = list(signs)
    return Tally(
        {state.value: states.get(state.value, 0) for state in State},
        {sign: sum(count for signs, count in counted if sign in signs.split()) for sign in WHY},
        {choice.value: choices.get(choice.value, 0) for choice in Choice},
    )


def rows_of(pull: CustomerPull, view: str = "", search: str = "") -> QuerySet[CustomerPullRow]:
    """The rows by name: all, those of a state or with a choice; with a search for name, e-mail, tax number or place."""
    rows = pull.rows.all()
    if view == CHOSEN:
        rows = rows.exclude(choice="")
    elif view:
        rows = rows.filter(state=view)
    return rows.filter(Q(name__icontains=search) | Q(about__icontains=search)) if search else rows


def offers_of(row: CustomerPullRow) -> list[Offer]:
    """Who a contact may be, likeliest first."""
    return [
        Offer(
            offer["customer"],
            offer["name"],
            ", ".join(WHY[why] for why in offer["why"]),
            next(word for least, word in STRENGTHS if offer["weight"] >= least),
        )
        for offer in row.likely
    ]


def as_customer(row: CustomerPullRow, supplier: Supplier) -> list[str]:
    """What the customer would have that the contact becomes, in short texts; its name stands elsewhere."""
    after = row.after
    if not after:
        return []
    country = after.get("country", "")
    place = " ".join(filter(None, (after.get(column) for column in ("city", "region", "postcode"))))
    elsewhere = str(Country(country).label) if country and country != supplier.country else ""
    days = after["terms_days"]
    return [
        text
        for text in (
            after.get("email", ""),
            show_tax_number(after.get("tax_number", ""), country or supplier.country),
            after.get("phone", ""),
            ", ".join(filter(None, (after.get("street"), place, elsewhere))),
            "due on the day" if days == 0 else f"due after {counted(days, 'day')}",
        )
        if text
    ]


def customers_of(pull: CustomerPull, rows: Iterable[CustomerPullRow]) -> dict[str, UUID]:
    """Contact id → the customer that it is by now, for these rows."""
    contacts = [row.contact_id for row in rows if row.contact_id]
    links = Link.objects.filter(connection=pull.connection_id, kind=KIND, xero_id__in=contacts)
    return dict(links.values_list("xero_id", "document"))


def names_of(supplier: Supplier, customers: Iterable[UUID]) -> dict[UUID, str]:
    """The trading names of those customers that are there."""
    rows = Customer.objects.filter(supplier=supplier, pk__in=list(customers))
    return dict(rows.values_list("pk", "trading_name"))


def as_json(pull: CustomerPull) -> dict[str, Any]:
    """The preview for scripts; linked contacts are only counted."""
    found = tally(pull)
    return {
        "contacts": pull.contacts,
        **found.states,
        "chosen": found.chosen,
        "rows": [_row_as_json(row) for row in pull.rows.exclude(state=State.LINKED)],
    }


def _row_as_json(row: CustomerPullRow) -> dict[str, Any]:
    likely: Sequence[dict[str, Any]] = row.likely
    return {
        "contact": row.contact_id,
        "name": row.name,
        "state": row.state,
        "likely": [{"customer": offer["customer"], "name": offer["name"], "why": offer["why"]} for offer in likely],
        "reason": row.reason,
        "hints": row.hints,
        "after": row.after,
        "choice": row.choice,
    }
