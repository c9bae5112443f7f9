"""What changes a wholesaler's own record."""

from collections.abc import Callable, Collection, Iterable

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from provender.basics import clock
from provender.basics.rows import delete_leaves
from provender.suppliers.errors import SupplierExists, SupplierGoing
from provender.suppliers.models import COUNTRY_DEFAULTS, Counter, Supplier


@transaction.atomic
def create_supplier(*, slug: str, name: str, country: str) -> Supplier:
    """A new tenant, with its country's currency, time zone and tax rate. Raises SupplierExists, ValidationError."""
    if country not in COUNTRY_DEFAULTS:
        raise ValidationError({"country": f"Choose one of {', '.join(COUNTRY_DEFAULTS)}."})
    currency, zone, rate, _ = COUNTRY_DEFAULTS[country]
    supplier = Supplier(slug=slug, name=name, country=country, currency=currency, time_zone=zone, tax_rate=rate)
    supplier.full_clean(validate_unique=False)
    if Supplier.objects.filter(slug=slug).exists():
        raise SupplierExists(slug)
    supplier.save(force_insert=True)
    return supplier


def save_supplier(supplier: Supplier, names: Iterable[str]) -> None:
    """Keep what was changed in those columns of a wholesaler's own record (other names are passed over), so that who
    saves another page at the same moment loses nothing. Documents issued before stay as they are.

    Raises ValidationError.
    """
    supplier.full_clean(validate_unique=False)
    columns = {field.name for field in Supplier._meta.concrete_fields}  # noqa: SLF001 -- the public way to its columns
    supplier.save(update_fields=columns.intersection(names))


def close_supplier(supplier: Supplier) -> None:
    """Let nobody work with it any more; all of it stays, and it can be opened again. Twice is once."""
    Supplier.objects.filter(pk=supplier.pk, closed_at=None).update(closed_at=clock.now())
    supplier.refresh_from_db(fields=["closed_at"])


def reopen_supplier(supplier: Supplier) -> None:
    """Let people work with it again. Raises SupplierGoing once its deletion has begun."""
    if not Supplier.objects.filter(pk=supplier.pk, deletion_began_at=None).update(closed_at=None):
        raise SupplierGoing(supplier.name, supplier.slug)
    supplier.refresh_from_db(fields=["closed_at"])


def remove_supplier(supplier: Supplier) -> None:
    """The last row of a deletion (`leaving`), when nothing names it any more."""
    delete_leaves(Supplier.objects.filter(pk=supplier.pk, deletion_began_at__isnull=False))


def take_numbers(supplier: Supplier, kind: str, count: int = 1) -> range:
    """The next `count` numbers of that kind; call it inside the transaction that uses them.

    One statement, so that two processes never get the same number and a rolled-back transaction leaves no hole.
    """
    table = Counter._meta.db_table  # noqa: SLF001 -- the public way to a table's name
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (supplier_id, kind, next) VALUES (%s, %s, %s)"  # noqa: S608 -- our own table's name
            f" ON CONFLICT (supplier_id, kind) DO UPDATE SET next = {table}.next + %s RETURNING next",
            [Counter._meta.get_field("supplier").get_db_prep_value(supplier.pk, connection), kind, 1 + count, count],  # noqa: SLF001
        )
        after = int(cursor.fetchone()[0])
    return range(after - count, after)


def skip_numbers_to(supplier: Supplier, kind: str, first: int) -> None:
    """Make `first` the next number of that kind, unless numbers beyond it were given out already."""
    take_numbers(supplier, kind, 0)
    Counter.objects.filter(supplier=supplier, kind=kind, next__lt=first).update(next=first)


def take_free_number(supplier: Supplier, kind: str, prefix: str, taken: Callable[[list[str]], Collection[str]]) -> str:
    """The next document number, prefix first, that no document has; call it inside the transaction that uses it.

    `taken` tells which of the given numbers are in use: an import keeps numbers that the counter knows nothing of.
    """
    first = take_numbers(supplier, kind).start
    width = 1
    while True:
        ahead = {f"{prefix}{number}": number for number in range(first, first + width)}
        in_use = set(taken(list(ahead)))
        free = next((text for text in ahead if text not in in_use), None)
        if free is not None:
            if width > 1:
                skip_numbers_to(supplier, kind, ahead[free] + 1)
            return free
        first, width = first + width, 500  # a run of imported numbers: look at many in one query


def hold_numbers(supplier: Supplier, kind: str) -> None:
    """Let nobody else take a number of that kind before this transaction ends; for documents that bring their own."""
    take_numbers(supplier, kind, 0)
