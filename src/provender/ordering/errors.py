"""What can be wrong with an order."""

from decimal import Decimal

from provender.basics.errors import ProvenderError
from provender.basics.money import show_amount
from provender.catalogue.models import Product
from provender.customers.models import Customer
from provender.ordering.models import Order


class EmptyOrder(ProvenderError):
    """An order is placed with at least one line of goods or charges; freight by the group alone is none."""

    code = "empty-order"

    def __init__(self) -> None:
        super().__init__("This order has no lines, freight aside. Add what the customer wants, then place it.")


class ProductSwitchedOff(ProvenderError):
    """An inactive product was ordered."""

    code = "product-switched-off"

    def __init__(self, product: Product) -> None:
        super().__init__(
            f"{product.sku} {product.name} is switched off. Take it off the order, or switch the product on again."
        )


class CustomerSwitchedOff(ProvenderError):
    """An inactive customer orders."""

    code = "customer-switched-off"

    def __init__(self, customer: Customer) -> None:
        super().__init__(f"{customer.trading_name} is switched off. Switch the customer on again to take its orders.")


class QuantityNotPositive(ProvenderError):
    """A quantity of zero or less."""

    code = "quantity-not-positive"

    def __init__(self, name: str, quantity: object) -> None:
        super().__init__(
            f"The quantity of {name} is {quantity}. Order more than zero; what comes back needs a credit note."
        )


class LineNamesNothing(ProvenderError):
    """A line has neither a product nor a description."""

    code = "line-names-nothing"

    def __init__(self, position: int) -> None:
        super().__init__(f"Line {position} has no product and no description. Choose a product, or write what it is.")


class LineWithoutPrice(ProvenderError):
    """A line without a product has no price list to look in."""

    code = "line-without-price"

    def __init__(self, description: str) -> None:
        super().__init__(f"“{description}” has no price. Write one; only products have prices of their own.")


class NegativeOrder(ProvenderError):
    """The lines come to less than zero."""

    code = "negative-order"

    def __init__(self, total: Decimal) -> None:
        super().__init__(f"This order would come to {show_amount(total)}. What is given back needs a credit note.")


class WrongStatus(ProvenderError):
    """The order is not in a status where that can be done."""

    code = "wrong-order-status"

    def __init__(self, order: Order, doing: str) -> None:
        super().__init__(f"Order {order.number} is {order.get_status_display().lower()} and can't be {doing} any more.")


class AnotherWholesalersGoods(ProvenderError):
    """A customer or product of another tenant was named."""

    code = "another-wholesalers-goods"

    def __init__(self, name: str) -> None:
        super().__init__(f"“{name}” belongs to another wholesaler. Choose from this wholesaler's own lists.")
