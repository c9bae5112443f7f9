"""Finding the wholesaler."""

from provender.suppliers.errors import SupplierUnknown
from provender.suppliers.models import Counter, Supplier


def find_supplier(slug: str) -> Supplier:
    """The wholesaler with that short name. Raises SupplierUnknown, naming those that are there."""
    try:
        return Supplier.objects.get(slug=slug)
    except Supplier.DoesNotExist:
        raise SupplierUnknown(slug, list(Supplier.objects.order_by("slug").values_list("slug", flat=True))) from None


def next_number(supplier: Supplier, kind: str) -> int:
    """The number that the next document of that kind gets."""
    return Counter.objects.filter(supplier=supplier, kind=kind).values_list("next", flat=True).first() or 1
