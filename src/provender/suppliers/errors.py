"""What can be wrong with a wholesaler's own record."""

from provender.basics.errors import ProvenderError


class SupplierUnknown(ProvenderError):
    """No wholesaler has that short name."""

    code = "supplier-unknown"

    def __init__(self, slug: str, known: list[str]) -> None:
        none = "There is none yet; make one with “provender supplier create”."
        there = f"There are: {', '.join(known)}." if known else none
        super().__init__(f"There is no wholesaler “{slug}”. {there}")


class SupplierClosed(ProvenderError):
    """Nobody works with a closed wholesaler."""

    code = "supplier-closed"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is closed. Whoever runs this Provender can open it again (“provender supplier reopen”)."
        )


class SupplierOpen(ProvenderError):
    """Only a closed wholesaler can be deleted."""

    code = "supplier-open"

    def __init__(self, name: str, slug: str) -> None:
        super().__init__(f"{name} is open. Close it first: provender supplier close {slug}")


class SupplierGoing(ProvenderError):
    """Its deletion has begun, and some of it is gone."""

    code = "supplier-going"

    def __init__(self, name: str, slug: str) -> None:
        super().__init__(f"The deletion of {name} has begun. Finish it: provender supplier delete {slug}")


class SupplierNotNamed(ProvenderError):
    """What was typed isn't the wholesaler's name."""

    code = "supplier-not-named"

    def __init__(self, name: str) -> None:
        super().__init__(f"That isn't its name, so nothing was done. It is called “{name}”.")


class SupplierExists(ProvenderError):
    """The short name is in use."""

    code = "supplier-exists"

    def __init__(self, slug: str) -> None:
        super().__init__(f"A wholesaler with the short name “{slug}” is there already. Choose another short name.")
