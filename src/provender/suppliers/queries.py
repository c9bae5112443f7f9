"""Finding the wholesaler."""

from provender.suppliers.errors import SupplierClosed, SupplierUnknown
from provender.suppliers.models import Counter, Supplier


def find_supplier(slug: str, *, closed: bool = False) -> Supplier:
    """The wholesaler with that short name. Raises SupplierUnknown, naming those that are there, and SupplierClosed
    unless a `closed` one will do.
    """
    try:
        supplier = Supplier.objects.get(slug=slug)
    except Supplier.DoesNotExist:
        raise SupplierUnknown(slug, list(Supplier.objects.order_by("slug").values_list("slug", flat=True))) from None
    if supplier.closed_at and not closed:
        raise SupplierClosed(supplier.name)
    return supplier


def next_number(supplier: Supplier, kind: str) -> int:
    """The number that the next document of that kind gets."""
    return Counter.objects.filter(supplier=supplier, kind=kind).values_list("next", flat=True).first() or 1
