"""What can be wrong with products and prices."""

from datetime import date

from provender.basics.clock import in_words
from provender.basics.errors import ProvenderError


class SkuTaken(ProvenderError):
    """Another product has that SKU."""

    code = "sku-taken"

    def __init__(self, sku: str, name: str) -> None:
        super().__init__(f"The SKU {sku} belongs to “{name}” already. Give this product a SKU of its own.")


class CategoryNameTaken(ProvenderError):
    """Another category has that name."""

    code = "category-name-taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a category “{name}” already. Use it, or choose another name.")


class PriceListNameTaken(ProvenderError):
    """Another price list has that name."""

    code = "price-list-name-taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a price list “{name}” already. Use it, or choose another name.")


class NegativePrice(ProvenderError):
    """A price below zero."""

    code = "negative-price"

    def __init__(self, sku: str) -> None:
        super().__init__(f"The price of {sku} is below zero. Write a price of zero or more.")


class EndsBeforeItBegins(ProvenderError):
    """The last day of a price, a percentage or a list is before its first."""

    code = "ends-before-it-begins"

    def __init__(self, what: str, first: date, last: date) -> None:
        super().__init__(
            f"{what} would count from {in_words(first)} until {in_words(last)}, which is before. Change one of the"
            " days."
        )


class AnotherWholesalersCatalogue(ProvenderError):
    """A product, category or price list of another tenant was named."""

    code = "another-wholesalers-catalogue"

    def __init__(self, what: str) -> None:
        super().__init__(f"“{what}” is not in this wholesaler's catalogue. Choose one from its own lists.")


class CategoryInUse(ProvenderError):
    """Products from Xero land in it, and some are in it still."""

    code = "category-in-use"

    def __init__(self, name: str, count: int) -> None:
        super().__init__(f"{count:,} products are in “{name}”. Move them to another category first.")


class ChangeGone(ProvenderError):
    """A change of many products can't be undone any more."""

    code = "change-gone"

    def __init__(self) -> None:
        super().__init__("That change was undone already, or another change of many products came after it.")
