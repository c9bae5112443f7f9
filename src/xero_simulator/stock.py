"""Tracked stock: bills and credit to customers bring it in, sales and credit from suppliers take it out."""

from decimal import Decimal
from typing import NamedTuple

from xero_simulator import documents, messages
from xero_simulator.books import Books
from xero_simulator.calls import replaced
from xero_simulator.errors import Invalid
from xero_simulator.records import Document, Item, Line
from xero_simulator.rounding import ZERO, cents, four_places

HOLDS = {"AUTHORISED", "PAID"}
BRINGS = {"ACCPAY": 1, "SPEND": 1, "ACCRECCREDIT": 1, "ACCREC": -1, "RECEIVE": -1, "ACCPAYCREDIT": -1}
AT_COST = {"ACCPAY", "SPEND", "ACCPAYCREDIT"}  # the others move at the average of what is there


class Move(NamedTuple):
    """How much comes in (or, negative, goes out); `cost` is known for `at_cost` of it."""

    quantity: Decimal = ZERO
    at_cost: Decimal = ZERO
    cost: Decimal = ZERO

    def with_line(self, line: Line, direction: int, document: Document) -> "Move":
        quantity = direction * (line.quantity or ZERO)
        if document.type not in AT_COST:
            return Move(self.quantity + quantity, self.at_cost, self.cost)
        inclusive = document.line_amount_types == "Inclusive"
        net = (line.line_amount or ZERO) - ((line.tax_amount or ZERO) if inclusive else ZERO)
        cost = cents(net / document.currency_rate)
        return Move(self.quantity + quantity, self.at_cost + quantity, self.cost + direction * cost)


def move(books: Books, before: Document | None, after: Document) -> None:
    """What changes in stock when a document changes. Raises Invalid when more would go out than is there."""
    moves: dict[str, Move] = {}
    for document, sign in ((before, -1), (after, 1)):
        if document is None or document.status not in HOLDS or b'"ItemCode"' not in document.lines:
            continue
        for line in documents.unpack_lines(document.lines):
            if line.item_code and line.quantity:
                code = line.item_code.casefold()
                so_far = moves.get(code, Move())
                direction = sign * BRINGS.get(document.type, 0)
                moves[code] = so_far.with_line(line, direction, document)
    for code, one in moves.items():
        item = books.items.first("code", code)
        if item is not None and item.is_tracked and (one.quantity or one.cost):
            books.put(_moved(item, one, sells=BRINGS.get(after.type, 0) < 0 and after.status in HOLDS))


def _moved(item: Item, one: Move, *, sells: bool) -> Item:
    on_hand, pool = item.quantity_on_hand or ZERO, item.total_cost_pool or ZERO
    left = on_hand + one.quantity
    if one.quantity < 0 and left < 0:
        raise Invalid(messages.NO_STOCK if sells else messages.STOCK_SOLD)
    price = item.purchase.unit_price if item.purchase and item.purchase.unit_price else ZERO
    average = pool / on_hand if on_hand else price
    worth = cents(pool + one.cost + average * (one.quantity - one.at_cost))
    return replaced(item, quantity_on_hand=four_places(left), total_cost_pool=max(worth, ZERO) if left else ZERO)
