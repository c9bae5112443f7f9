"""What can be wrong with a wholesaler's own record."""

from provender.basics.errors import ProvenderError


class SupplierUnknown(ProvenderError):
    """No wholesaler has that short name."""

    code = "supplier-unknown"

    def __init__(self, slug: str, known: list[str]) -> None:
        none = "There is none yet; make one with “provender supplier create”."
        there = f"There are: {', '.join(known)}." if known else none
        super().__init__(f"There is no wholesaler “{slug}”. {there}")


class SupplierExists(ProvenderError):
    """The short name is in use."""

    code = "supplier-exists"

    def __init__(self, slug: str) -> None:
        super().__init__(f"A wholesaler with the short name “{slug}” is there already. Choose another short name.")
