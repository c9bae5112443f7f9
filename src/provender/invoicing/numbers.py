"""Numbers of invoices and credit notes: the next that is free, and which are in use."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db.models import QuerySet

from provender.suppliers.actions import take_free_number
from provender.suppliers.models import Supplier

AT_ONCE = 500  # numbers that one query asks about


def next_invoice_number(supplier: Supplier) -> str:
    """The supplier's next number that no invoice has; call it inside the transaction that uses it."""
    taken = partial(numbers_in_use, supplier.invoices.all())
    return take_free_number(supplier, "invoice", supplier.invoice_prefix, taken)


def next_credit_note_number(supplier: Supplier) -> str:
    """The same of credit notes."""
    taken = partial(numbers_in_use, supplier.credit_notes.all())
    return take_free_number(supplier, "credit_note", supplier.credit_note_prefix, taken)


def numbers_in_use(documents: QuerySet[Any], numbers: Sequence[str]) -> set[str]:
    """Which of these numbers one of these documents has already."""
    found: set[str] = set()
    for start in range(0, len(numbers), AT_ONCE):
        some = documents.filter(number__in=numbers[start : start + AT_ONCE])
        found.update(some.order_by().values_list("number", flat=True))
    return found


def refuse_taken(documents: QuerySet[Any], numbers: Sequence[str], error: Callable[[str], Exception]) -> None:
    """Raise `error` of the first of these numbers that one of these documents has already, or that comes twice."""
    seen = numbers_in_use(documents, numbers)
    for number in numbers:
        if number in seen:
            raise error(number)
        seen.add(number)
