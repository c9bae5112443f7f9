"""What can be wrong with a customer's record."""

from provender.basics.errors import ProvenderError


class CustomerNumberTaken(ProvenderError):
    """Another customer has that number."""

    code = "customer-number-taken"

    def __init__(self, number: str, name: str) -> None:
        super().__init__(f"Customer number {number} belongs to “{name}” already. Leave it empty or choose another.")


class FreightGroupNameTaken(ProvenderError):
    """Another freight group has that name."""

    code = "freight-group-name-taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a freight group “{name}” already. Use it, or choose another name.")


class AnotherWholesalersTerms(ProvenderError):
    """A price list or freight group of another tenant was chosen."""

    code = "another-wholesalers-terms"

    def __init__(self, name: str) -> None:
        super().__init__(f"“{name}” belongs to another wholesaler. Choose one from this wholesaler's own lists.")


class TaxNumberUnreadable(ProvenderError):
    """What stands for a tax number can't be one."""

    code = "tax-number-unreadable"

    def __init__(self, text: str) -> None:
        super().__init__(f"“{text}” can’t be a tax number: those are digits. Write the number, or leave it empty.")
