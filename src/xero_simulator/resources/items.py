"""Items: all of them at once, since this endpoint has no pages."""

from decimal import Decimal

from xero_simulator import messages
from xero_simulator.books import Books, new_id
from xero_simulator.calls import Call, Listing, Route, Saving, Shown, answer_list, moment_of, replaced, save_each
from xero_simulator.errors import BadRequest, Invalid, NotFound, placed
from xero_simulator.records import CLASS_OF_TYPE, Item, Prices, Wire
from xero_simulator.rounding import ZERO, unit_price
from xero_simulator.wire import Answer, envelope, guid_or_none, json_text, ms_time, present, read_guid, read_number

LONGEST = {"Name": 50, "Description": 4000, "PurchaseDescription": 4000}
LONGEST_CODE = 30
MOST_AT_ONCE = 500


class ItemIn(Wire, frozen=True):
    item_id: str | None = None
    code: str | None = None
    name: str | None = None
    description: str | None = None
    purchase_description: str | None = None
    is_sold: bool | None = None
    is_purchased: bool | None = None
    sales_details: Prices | None = None
    purchase_details: Prices | None = None
    inventory_asset_account_code: str | None = None


def show(call: Call | None, item: Item) -> Shown:
    places = call.places if call else 4
    return present(
        ItemID=item.id,
        Code=item.code,
        Name=item.name,
        Description=item.description,
        PurchaseDescription=item.purchase_description,
        UpdatedDateUTC=ms_time(item.updated, ""),
        PurchaseDetails=_prices(item.purchase, places),
        SalesDetails=_prices(item.sales, places),
        IsTrackedAsInventory=item.is_tracked,
        InventoryAssetAccountCode=item.inventory_account,
        TotalCostPool=item.total_cost_pool,
        QuantityOnHand=item.quantity_on_hand,
        IsSold=item.is_sold,
        IsPurchased=item.is_purchased,
    )


def _prices(prices: Prices | None, places: int) -> Shown:
    if prices is None:
        return {}
    price = prices.unit_price
    return present(
        UnitPrice=price.quantize(Decimal(10) ** -places) if price is not None else None,
        AccountCode=prices.account_code,
        COGSAccountCode=prices.cogs_account_code,
        TaxType=prices.tax_type,
    )


FIELDS = {
    "ItemID": lambda i: i.id,
    "Code": lambda i: i.code,
    "Name": lambda i: i.name,
    "Description": lambda i: i.description,
    "IsSold": lambda i: i.is_sold,
    "IsPurchased": lambda i: i.is_purchased,
    "IsTrackedAsInventory": lambda i: i.is_tracked,
    "SalesDetails.UnitPrice": lambda i: i.sales.unit_price if i.sales else None,
    "PurchaseDetails.UnitPrice": lambda i: i.purchase.unit_price if i.purchase else None,
    "UpdatedDateUTC": moment_of,
}
LISTING = Listing("Items", FIELDS, show)
SAVING = Saving("Items", "ItemID", show, flags=())


def get_all(call: Call) -> Answer:
    return answer_list(call, LISTING, call.books.items)


def _find(call: Call) -> Item:
    item = call.books.items.get(guid_or_none(call.ids[0]))
    if item is None and (call.method != "GET" or call.switches["find_by_number_in_path"]):
        item = call.books.items.first("code", call.ids[0].casefold())
    if item is None:
        raise NotFound(messages.NOT_FOUND)
    return item


def get_one(call: Call) -> Answer:
    return envelope("Items", [show(call, _find(call))], call.books.now())


def put(call: Call) -> Answer:
    return save_each(call, SAVING, _elements(call), create)


def post(call: Call) -> Answer:
    return save_each(call, SAVING, _elements(call), save)


def _elements(call: Call) -> list[ItemIn]:
    found = call.elements("Items", ItemIn)
    if len(found) > MOST_AT_ONCE:
        raise BadRequest(messages.TOO_MANY_ITEMS)
    return found


def post_one(call: Call) -> Answer:
    item = _find(call)
    elements = call.elements("Items", ItemIn)[:1]
    return save_each(call, SAVING, elements, lambda call, sent: update(call, item, sent))


def delete(call: Call) -> Answer:
    item = _find(call)
    if call.books.is_used_item(item.code):
        return save_each(call, SAVING, [ItemIn(item_id=item.id, code=item.code)], _refuse_delete)
    call.books.drop(item)
    return Answer(204)


def _refuse_delete(_call: Call, _sent: ItemIn) -> Item:
    raise Invalid(messages.ITEM_IN_USE)


def save(call: Call, sent: ItemIn) -> Item:
    """Create or update: found by id, then code."""
    old = call.books.items.get(read_guid(sent.item_id))
    if old is None and sent.code:
        old = call.books.items.first("code", sent.code.casefold())
    return update(call, old, sent) if old else create(call, sent)


def create(call: Call, sent: ItemIn) -> Item:
    if not sent.code:
        raise Invalid(messages.ITEM_CODE_REQUIRED)
    if texts := _check(call.books, sent, None):
        raise Invalid(*texts)
    item = _with_details(call, Item(id=new_id(), updated=0, code=sent.code), sent)
    if item.is_tracked:
        item = replaced(item, quantity_on_hand=Decimal("0.0000"), total_cost_pool=ZERO)
    call.books.put(item)
    return item


def update(call: Call, old: Item, sent: ItemIn) -> Item:
    texts = _check(call.books, sent, old)
    inventory = sent.inventory_asset_account_code
    if inventory is not None and (inventory or None) != old.inventory_account and call.books.is_used_item(old.code):
        texts.append(messages.ITEM_TRACKING_FIXED)
    if texts:
        raise Invalid(*texts)
    item = _with_details(call, old, sent)
    call.books.put(item)
    if item.code != old.code:
        call.books.rewrite_lines(f'"ItemCode":{json_text(old.code)}', f'"ItemCode":{json_text(item.code)}')
    return item


def _with_details(call: Call, old: Item, sent: ItemIn) -> Item:
    """Taking an item off sale takes its sales details away, and likewise for purchases."""
    is_sold = old.is_sold if sent.is_sold is None else sent.is_sold
    is_purchased = old.is_purchased if sent.is_purchased is None else sent.is_purchased
    sales = _merge(old.sales, sent.sales_details, call.places)
    purchase = _merge(old.purchase, sent.purchase_details, call.places)
    inventory = sent.inventory_asset_account_code
    return replaced(
        old,
        updated=call.books.now(),
        code=sent.code or old.code,
        name=_first(sent.name, old.name),
        description=_first(sent.description, old.description),
        purchase_description=_first(sent.purchase_description, old.purchase_description),
        is_sold=is_sold,
        is_purchased=is_purchased,
        sales=sales if is_sold else None,
        purchase=purchase if is_purchased else None,
        inventory_account=old.inventory_account if inventory is None else inventory or None,
    )


def _first(sent: str | None, old: str | None) -> str | None:
    return old if sent is None else sent or None


def _merge(old: Prices | None, sent: Prices | None, places: int) -> Prices | None:
    if sent is None:
        return old
    price = read_number(sent.unit_price)
    base = old or Prices()
    return Prices(
        unit_price=unit_price(price, places) if price is not None else base.unit_price,
        account_code=sent.account_code or base.account_code,
        cogs_account_code=sent.cogs_account_code or base.cogs_account_code,
        tax_type=(sent.tax_type or "").upper() or base.tax_type,
    )


def _check(books: Books, sent: ItemIn, old: Item | None) -> list[str]:
    texts = []
    if sent.code and len(sent.code) > LONGEST_CODE:
        texts.append(messages.ITEM_CODE_TOO_LONG)
    if sent.code and any(i.id != (old.id if old else None) for i in books.items.find("code", sent.code.casefold())):
        texts.append(messages.item_code_taken(sent.code))
    lengths = {"Name": sent.name, "Description": sent.description, "PurchaseDescription": sent.purchase_description}
    texts += [messages.too_long(n, LONGEST[n]) for n, text in lengths.items() if text and len(text) > LONGEST[n]]
    for part, prices in (("SalesDetails", sent.sales_details), ("PurchaseDetails", sent.purchase_details)):
        if prices is not None:
            texts += placed(_check_prices(books, prices), part)
    return texts


def _check_prices(books: Books, prices: Prices) -> list[str]:
    read_number(prices.unit_price)
    texts = []
    code = prices.account_code or prices.cogs_account_code
    account = books.accounts.first("code", code.upper()) if code else None
    if code and (account is None or account.status != "ACTIVE"):
        texts.append(messages.ACCOUNT_MUST_BE_VALID)
    rate = books.tax_rates.get((prices.tax_type or "").upper())
    if prices.tax_type and (rate is None or rate.status != "ACTIVE"):
        texts.append(messages.TAX_RATE_MUST_BE_VALID)
    elif rate and account and CLASS_OF_TYPE[account.type] not in rate.applies:
        texts.append(messages.tax_type_not_for_account(rate.id, str(account.code)))
    return texts


ROUTES = [
    Route("GET", ("Items",), get_all),
    Route("GET", ("Items", None), get_one),
    Route("PUT", ("Items",), put),
    Route("POST", ("Items",), post),
    Route("POST", ("Items", None), post_one),
    Route("DELETE", ("Items", None), delete),
]
