"""Reading pulls of products: what the screen and the command show of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet

from provender.basics.money import HUNDRED, round_amount, show_price
from provender.suppliers.models import Supplier, TaxKind
from provender.sync.items import COLUMNS, LABELS, NOT_SOLD
from provender.sync.models import Pull, PullRow

State = PullRow.State
PRICES = "prices"  # a view of the changed rows: those whose price moves
# What can be taken, as the command calls it and as the screen does.
PARTS = {
    "new": ("new", "New products"),
    "names": ("name", "Names"),
    "descriptions": ("description", "Descriptions"),
    "prices": ("price", "Prices"),
    "accounts": ("sales_account", "Sales accounts"),
    "gst": ("tax_kind", "GST status"),
}


@dataclass(frozen=True)
class Tally:
    """How many rows of each state; what is chosen of them; how many are refused though they are sold."""

    states: Mapping[str, int]
    prices: int
    new_chosen: int
    changed_chosen: int
    faulty: int

    @property
    def chosen(self) -> int:
        return self.new_chosen + self.changed_chosen


@dataclass(frozen=True)
class Cell:
    """One column of a row: its label, ours and Xero's as people read them, and whether it is chosen."""

    column: str
    label: str
    old: str
    new: str
    chosen: bool
    applied: bool
    percent: str = ""


def tally(pull: Pull) -> Tally:
    """Counts of a pull; those by state add up to its items and the products whose item is gone."""
    counted = dict(pull.rows.order_by().values_list("state").annotate(count=Count("pk")))
    chosen = pull.rows.exclude(chosen=[])
    return Tally(
        states={state.value: counted.get(state.value, 0) for state in State},
        prices=pull.rows.filter(price_moves=True).count(),
        new_chosen=chosen.filter(state=State.NEW).count(),
        changed_chosen=chosen.filter(state=State.CHANGED).count(),
        faulty=pull.rows.filter(state=State.REFUSED).exclude(reason=NOT_SOLD).count(),
    )


def rows_of(pull: Pull, view: str = "", search: str = "") -> QuerySet[PullRow]:
    """The rows in Xero's order: all, those of a state, or those whose price moves; with a search for code or name."""
    rows = pull.rows.all()
    if view == PRICES:
        rows = rows.filter(price_moves=True)
    elif view:
        rows = rows.filter(state=view)
    return rows.filter(Q(code__icontains=search) | Q(name__icontains=search)) if search else rows


def cells_of(row: PullRow, supplier: Supplier) -> list[Cell]:
    """What differs, in the columns' order; of a new product all that it brings."""
    labels = {kind.value: supplier.tax_kind_label(kind) for kind in TaxKind}
    names = LABELS | {"tax_kind": f"{supplier.tax_word} status"}
    return [
        Cell(
            column,
            names[column],
            _shown(column, row.before[column], labels) if column in row.before else "",
            _shown(column, row.after[column], labels),
            column in row.chosen,
            column in row.applied,
            _percent(row) if column == "price" else "",
        )
        for column in COLUMNS
        if row.after.get(column) or column in row.before
    ]


def _shown(column: str, text: str, labels: Mapping[str, str]) -> str:
    if column == "price":
        return show_price(Decimal(text))
    return labels.get(text, text) if column == "tax_kind" else text


def _percent(row: PullRow) -> str:
    """How much the price moves: "+4.17 %"; nothing where there was none."""
    before = Decimal(row.before.get("price", 0))
    return f"{round_amount((Decimal(row.after['price']) - before) * HUNDRED / before):+} %" if before else ""


def as_json(pull: Pull) -> dict[str, Any]:
    """The preview for scripts; unchanged rows are only counted."""
    found = tally(pull)
    return {
        "items": pull.items,
        **found.states,
        "price_changes": found.prices,
        "chosen": found.chosen,
        "rows": [
            {
                "code": row.code,
                "name": row.name,
                "state": row.state,
                "tracked": row.tracked,
                "reason": row.reason,
                "hints": row.hints,
                "before": row.before,
                "after": row.after,
                "chosen": row.chosen,
            }
            for row in pull.rows.exclude(state=State.UNCHANGED)
        ],
    }
