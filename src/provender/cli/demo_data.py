"""The demonstration wholesaler: its goods, its venues and its last weeks, made by the same actions that people use.

Everything follows from a fixed seed and today's date, so two demonstrations begun on one day are alike. All names are
made up; telephone numbers are from the range that is kept for fiction.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import transaction

from provender.basics import clock
from provender.basics.money import round_amount
from provender.catalogue import actions as catalogue
from provender.catalogue.models import Category, PriceList, Product
from provender.catalogue.offers import Offer, Offers
from provender.customers import actions as customers
from provender.customers.models import Customer, FreightGroup
from provender.customers.tax_numbers import ABN_WEIGHTS
from provender.invoicing.models import LineKind
from provender.invoicing.totals import LineDraft
from provender.invoicing.totals import draft_of as draft_of_line
from provender.ordering import actions as ordering
from provender.ordering.lines import OrderLineDraft, draft_of
from provender.ordering.models import Order
from provender.payments.actions import record_payment
from provender.payments.credits import give_credit
from provender.payments.payouts import PayoutEntry, close_payout, enter_payout
from provender.payments.queries import open_invoices
from provender.people.models import Membership, User
from provender.people.roles import Role
from provender.suppliers.actions import create_supplier
from provender.suppliers.models import Supplier, TaxKind

Happening = Callable[[dict[int, Order]], object]

SLUG = "larkfield"
OWNER = "owner@larkfield.example"
SEED = 20_101_201
DAYS = 42

# SKU, name, unit, price without tax, tax kind (AU: basic food is GST-free), usual quantity.
GOODS: dict[str, list[tuple[str, str, str, str, str, int]]] = {
    "Coffee & tea": [
        ("ESP-1KG", "House espresso blend 1 kg", "bag", "31.50", "free", 6),
        ("ESP-5KG", "House espresso blend 5 kg", "box", "148.00", "free", 2),
        ("DEC-1KG", "Decaf blend 1 kg", "bag", "35.00", "free", 1),
        ("FIL-250", "Single origin filter 250 g", "bag", "14.20", "free", 4),
        ("TEA-BRK", "Breakfast tea loose 500 g", "tin", "22.40", "free", 1),
        ("CHAI-1KG", "Sticky chai 1 kg", "tub", "28.90", "free", 2),
        ("CHOC-2KG", "Drinking chocolate 2 kg", "tub", "27.60", "free", 1),
    ],
    "Dairy & alternatives": [
        ("MILK-2L", "Full cream milk 2 L", "bottle", "3.45", "free", 24),
        ("SKIM-2L", "Skim milk 2 L", "bottle", "3.45", "free", 8),
        ("OAT-1L", "Barista oat milk 1 L", "carton", "3.85", "free", 18),
        ("ALM-1L", "Almond milk 1 L", "carton", "3.60", "free", 8),
        ("CRM-1L", "Thickened cream 1 L", "carton", "7.20", "free", 3),
        ("BUT-500", "Unsalted butter 500 g", "block", "6.90", "free", 6),
        ("HAL-1KG", "Halloumi 1 kg", "pack", "19.80", "free", 3),
    ],
    "Bakery": [
        ("SOUR-900", "Sourdough loaf 900 g", "loaf", "5.60", "free", 12),
        ("RYE-800", "Dark rye loaf 800 g", "loaf", "6.10", "free", 4),
        ("BUN-6", "Milk buns, pack of 6", "pack", "5.40", "free", 8),
        ("CROI-12", "Butter croissants, tray of 12", "tray", "26.40", "gst", 2),
        ("MUF-6", "Blueberry muffins, tray of 6", "tray", "15.90", "gst", 2),
        ("BAN-1", "Banana bread loaf", "loaf", "13.50", "gst", 3),
        ("TART-12", "Lemon tarts, tray of 12", "tray", "31.20", "gst", 1),
    ],
    "Produce": [
        ("AVO-20", "Hass avocados, tray of 20", "tray", "38.00", "free", 2),
        ("TOM-5KG", "Roma tomatoes 5 kg", "box", "21.50", "free", 2),
        ("SPN-1KG", "Baby spinach 1 kg", "bag", "11.80", "free", 3),
        ("LEM-5KG", "Lemons 5 kg", "box", "17.40", "free", 1),
        ("EGG-15D", "Free-range eggs, 15 dozen", "box", "82.50", "free", 1),
        ("MSH-2KG", "Flat mushrooms 2 kg", "box", "19.90", "free", 2),
    ],
    "Drinks": [
        ("SPK-12", "Sparkling water 750 ml, 12 pack", "carton", "18.60", "free", 3),
        ("OJ-2L", "Orange juice 2 L", "bottle", "7.90", "free", 6),
        ("COLA-24", "Craft cola 330 ml, 24 pack", "carton", "33.60", "gst", 2),
        ("LMN-24", "Cloudy lemonade 330 ml, 24 pack", "carton", "31.20", "gst", 2),
        ("GNG-12", "Ginger beer 330 ml, 12 pack", "carton", "22.80", "gst", 2),
        ("KOM-12", "Kombucha 330 ml, 12 pack", "carton", "32.40", "gst", 1),
    ],
    "Pantry & packaging": [
        ("FLR-12", "Bakers flour 12.5 kg", "bag", "17.90", "free", 2),
        ("OIL-4L", "Extra virgin olive oil 4 L", "tin", "46.00", "free", 1),
        ("RICE-5", "Jasmine rice 5 kg", "bag", "13.20", "free", 2),
        ("SUG-2K", "Raw sugar sticks, box of 2,000", "box", "19.50", "free", 1),
        ("VAN-750", "Vanilla syrup 750 ml", "bottle", "11.95", "gst", 3),
        ("CUP-8", "Paper cups 8 oz, box of 1,000", "box", "98.00", "gst", 1),
        ("STR-EA", "Paper straw", "each", "0.0375", "gst", 500),
    ],
}
NOT_AN_ITEM = frozenset({"STR-EA"})  # what the bookkeeper has not added to Xero

# List → category → percent off the base price.
LISTS: dict[str, dict[str, int]] = {
    "Cafés": {"Coffee & tea": 6, "Dairy & alternatives": 4, "Bakery": 3},
    "Restaurants": {"Produce": 6, "Pantry & packaging": 4, "Drinks": 5},
    "Groups": {"Coffee & tea": 10, "Dairy & alternatives": 8, "Produce": 8, "Pantry & packaging": 6},
}
FREIGHT = (("Inner city", "12.00", "250.00"), ("Suburbs", "18.00", "400.00"), ("Coast", "35.00", None))
COMMENTS = (
    "Leave with the kitchen, side door.",
    "Ring on arrival, no loading after 7.",
    "Please swap short-dated milk.",
    "Coolroom key is with the bakery next door.",
)


@dataclass(frozen=True)
class Venue:
    """A customer: where it is, what it is given, and how often and what it orders."""

    name: str
    street: str
    suburb: str
    postcode: str
    price_list: str
    freight: str
    a_week: float
    likes: str  # first letters of the categories, the favourite first
    days: int = 14
    terms_from: str = "order"
    invoice_at: str = "placing"
    purchase_orders: bool = False


VENUES = (
    Venue("Second Crack", "18 Station Street", "Newtown", "2042", "Cafés", "Inner city", 2.6, "CDB"),
    Venue("The Tin Kettle", "4 Harris Street", "Ultimo", "2007", "Cafés", "Inner city", 2.2, "CDBP"),
    Venue("Moth & Flame", "92 Glebe Point Road", "Glebe", "2037", "Cafés", "Inner city", 1.8, "CDB", days=7),
    Venue("Paper Lantern Coffee", "3 Lord Street", "Erskineville", "2043", "Cafés", "Inner city", 2.0, "CDB"),
    Venue("Corner Window", "121 Booth Street", "Annandale", "2038", "Cafés", "Inner city", 1.6, "CDBR"),
    Venue("Early Doors", "77 Illawarra Road", "Marrickville", "2204", "Cafés", "Suburbs", 2.4, "CDBP", days=7),
    Venue("Half Moon Espresso", "5 Beach Street", "Coogee", "2034", "Cafés", "Coast", 1.7, "CDB"),
    Venue("Salt & Crumb", "210 Campbell Parade", "Bondi", "2026", "Cafés", "Coast", 2.1, "BDCR"),
    Venue("Low Tide Kiosk", "1 The Esplanade", "Manly", "2095", "Cafés", "Coast", 1.3, "RCD"),
    Venue("Fig Tree Canteen", "40 Norton Street", "Leichhardt", "2040", "Cafés", "Suburbs", 1.5, "DPBC"),
    Venue("Copper Pan", "66 Crown Street", "Surry Hills", "2010", "Restaurants", "Inner city", 2.0, "PKD", days=21),
    Venue("Nonna Bruna", "12 Ramsay Street", "Haberfield", "2045", "Restaurants", "Suburbs", 1.8, "PKRD", days=30),
    Venue("Ember Room", "31 Enmore Road", "Enmore", "2042", "Restaurants", "Inner city", 1.4, "PKR", days=21),
    Venue(
        "Saltbush Dining", "8 Hickson Road", "Barangaroo", "2000", "Restaurants", "Inner city", 1.6, "PKRD",
        days=30, terms_from="delivery", invoice_at="delivery", purchase_orders=True,
    ),
    Venue("Blue Door Taverna", "59 Kingsway", "Cronulla", "2230", "Restaurants", "Coast", 1.2, "PKR", days=21),
    Venue("Little Juniper", "14 Bay Road", "Waverton", "2060", "Restaurants", "Suburbs", 1.1, "PDK"),
    Venue(
        "Harbour Steps Hotel", "2 Circular Walk", "Millers Point", "2000", "Groups", "Inner city", 2.5, "DPBRK",
        days=30, terms_from="delivery", invoice_at="delivery", purchase_orders=True,
    ),
    Venue(
        "Quayside Events", "19 Pirrama Road", "Pyrmont", "2009", "Groups", "Inner city", 1.0, "RBPK",
        days=30, purchase_orders=True,
    ),
    Venue(
        "Bright Hours Childcare Kitchens", "7 Foundry Lane", "Alexandria", "2015", "Groups", "Suburbs", 1.4, "PDBK",
        days=30, purchase_orders=True,
    ),
    Venue("Ridgeway Golf Club", "300 Ridge Road", "Northbridge", "2063", "Groups", "Suburbs", 1.2, "RDBK", days=21),
    Venue("Station Master's", "1 Platform Lane", "Summer Hill", "2130", "", "Suburbs", 1.3, "CDB", days=7),
    Venue("Wattle & Rye", "88 Darling Street", "Balmain", "2041", "", "Inner city", 1.6, "BDC"),
    Venue("The Milk Bar Revival", "23 Oxford Street", "Paddington", "2021", "", "Inner city", 1.1, "RBD"),
    Venue("Green Ladle Soups", "6 Regent Street", "Redfern", "2016", "", "", 1.2, "PKD"),
    Venue("Sunday School Brunch", "15 King Street", "Rockdale", "2216", "", "Suburbs", 0.9, "BDCP"),
)  # fmt: skip
LETTERS = {
    "C": "Coffee & tea",
    "D": "Dairy & alternatives",
    "B": "Bakery",
    "P": "Produce",
    "R": "Drinks",
    "K": "Pantry & packaging",
}


@dataclass
class _Shop:
    """What has been made, to make orders from."""

    supplier: Supplier
    owner: User
    goods: dict[str, list[tuple[Product, int]]] = field(default_factory=dict)
    venues: list[tuple[Venue, Customer]] = field(default_factory=list)


@transaction.atomic
def make_wholesaler(password: str, told: Callable[[int, int], None]) -> Supplier:
    """Make it all, or nothing: the wholesaler, its owner, goods, venues, and the weeks up to this hour.

    `told` hears how many of how many events are done. Nothing is sent anywhere: that is the link to Xero's to do.
    """
    opened = clock.now() - timedelta(days=DAYS + 5)
    with clock.moved(opened - clock.now()):
        shop = _open_shop(password)
    events = sorted(_plan(shop), key=lambda event: event.at)
    orders: dict[int, Order] = {}
    for count, event in enumerate(events, start=1):
        with clock.moved(event.at - clock.now()):
            event.happen(orders)
        told(count, len(events))
    return shop.supplier


def goods_for_xero() -> list[tuple[str, str, Decimal]]:
    """The items that the bookkeeper has in Xero: code, name, price."""
    rows = [row for category in GOODS.values() for row in category]
    return [(sku, name, Decimal(price)) for sku, name, _, price, _, _ in rows if sku not in NOT_AN_ITEM]


def _open_shop(password: str) -> _Shop:
    supplier = create_supplier(slug=SLUG, name="Larkfield Provisions", country="AU")
    supplier.legal_name, supplier.tax_number = "Larkfield Provisions Pty Ltd", _made_up_abn(0)
    supplier.address, supplier.phone = "Unit 4, 27 Mill Lane\nAlexandria NSW 2015", "(02) 5550 0100"
    supplier.email = "orders@larkfield.example"
    supplier.payment_details = "Larkfield Provisions Pty Ltd\nBSB 000-000, account 1234 5678"
    supplier.save()
    owner = User.objects.create_user(OWNER, password, name="Robin Larkfield")
    Membership.objects.create(supplier=supplier, user=owner, role=Role.OWNER)
    shop = _Shop(supplier, owner)
    for position, (name, rows) in enumerate(GOODS.items(), start=1):
        category = catalogue.save_category(Category(supplier=supplier, name=name, position=position), by=owner)
        shop.goods[name] = [(_stock(shop, category, row), row[-1]) for row in rows]
    lists = {name: _price(shop, name, discounts) for name, discounts in LISTS.items()}
    freight = {name: _freight(shop, name, charge, free_from) for name, charge, free_from in FREIGHT}
    shop.venues = [
        (venue, _welcome(shop, number, venue, lists, freight)) for number, venue in enumerate(VENUES, start=1)
    ]
    _agree(shop, shop.venues[0][1])
    return shop


def _stock(shop: _Shop, category: Category, row: tuple[str, str, str, str, str, int]) -> Product:
    sku, name, unit, price, tax_kind, _ = row
    product = Product(
        supplier=shop.supplier,
        sku=sku,
        name=name,
        unit=unit,
        price=Decimal(price),
        tax_kind=tax_kind,
        category=category,
    )
    return catalogue.save_product(product, by=shop.owner)


def _price(shop: _Shop, name: str, discounts: dict[str, int]) -> PriceList:
    price_list = catalogue.save_price_list(PriceList(supplier=shop.supplier, name=name), by=shop.owner)
    for category, percent in discounts.items():
        for product, _ in shop.goods[category]:
            if product.price >= 1:
                price = round_amount(product.price * (100 - percent) / 100)
                catalogue.set_list_price(price_list, product, price, by=shop.owner)
    return price_list


def _freight(shop: _Shop, name: str, charge: str, free_from: str | None) -> FreightGroup:
    group = FreightGroup(supplier=shop.supplier, name=name, charge=Decimal(charge))
    group.free_from = Decimal(free_from) if free_from else None
    return customers.save_freight_group(group, by=shop.owner)


def _welcome(
    shop: _Shop, number: int, venue: Venue, lists: dict[str, PriceList], freight: dict[str, FreightGroup]
) -> Customer:
    mailbox = "".join(letter for letter in venue.name.lower() if letter.isascii() and letter.isalpha())
    customer = Customer(
        supplier=shop.supplier,
        number=f"C{number:03d}",
        trading_name=venue.name,
        legal_name=f"{venue.name} Pty Ltd",
        tax_number=_made_up_abn(number),
        email=f"accounts@{mailbox}.example",
        phone=f"(02) 5550 {number + 100:04d}",
        street=venue.street,
        city=venue.suburb,
        region="NSW",
        postcode=venue.postcode,
        country="AU",
        terms_days=venue.days,
        terms_from=venue.terms_from,
        invoice_at=venue.invoice_at,
        price_list=lists.get(venue.price_list),
        freight_group=freight.get(venue.freight),
    )
    return customers.save_customer(customer, by=shop.owner)


def _agree(shop: _Shop, customer: Customer) -> None:
    """Own prices for one customer, the second for a year; a rise of the others' list price is announced."""
    begin = clock.today(shop.supplier.time_zone)
    (one, _), (other, _), (third, _) = shop.goods["Coffee & tea"][:3]
    own = {
        (one, None): Offer(round_amount(one.price * Decimal("0.8"))),
        (other, begin): Offer(round_amount(other.price * Decimal("0.85")), begin + timedelta(365)),
    }
    customers.set_own_prices(customer, own, by=shop.owner)
    if customer.price_list:
        rise: Offers = {(third, begin + timedelta(90)): Offer(round_amount(third.price * Decimal("0.97")))}
        catalogue.set_list_prices(customer.price_list, rise, by=shop.owner)


def _made_up_abn(number: int) -> str:
    """An ABN whose check digits fit, so that nothing doubts it."""
    body = f"{990_000_000 + 10 * number}"
    weighed = sum(weight * int(digit) for weight, digit in zip(ABN_WEIGHTS[2:], body, strict=True))
    check = next(check for check in range(11, 100) if (weighed + 10 * (check // 10 - 1) + check % 10) % 89 == 0)
    return f"{check} {body[:3]} {body[3:6]} {body[6:]}"


# --- the weeks ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Event:
    """Something that happened at an instant, to the order of that key."""

    at: datetime
    happen: Happening


def _plan(shop: _Shop) -> Sequence[_Event]:
    """All that happens: each venue orders on some days, most orders arrive on the next working day."""
    chance = random.Random(SEED)  # noqa: S311 -- the same demonstration each time, not a secret
    now, today = clock.now(), clock.today(shop.supplier.time_zone)
    events: list[_Event] = []
    key = 0
    for offset in range(-DAYS, 1):
        day = today + timedelta(days=offset)
        for venue, customer in shop.venues:
            if chance.random() < venue.a_week / 7 * (1.25 if day.weekday() < 5 else 0.4):
                key += 1
                events += _order(shop, chance, key, venue, customer, day, now)
    for venue, customer in shop.venues[1:4]:  # being typed right now
        key += 1
        events.append(
            _Event(now - timedelta(minutes=key % 50 + 1), _writing(shop, chance, key, venue, customer, today))
        )
    return [*events, *_money(shop, today, now)]


def _order(
    shop: _Shop, chance: random.Random, key: int, venue: Venue, customer: Customer, day: date, now: datetime
) -> list[_Event]:
    zone = ZoneInfo(shop.supplier.time_zone)
    placed_at = datetime.combine(day, time(5 + chance.randrange(11), chance.randrange(60)), zone)
    placed_at = min(placed_at, now - timedelta(minutes=3 + chance.randrange(40)))
    events = [_Event(placed_at, _placing(shop, chance, key, venue, customer, day))]
    delivery = datetime.combine(_next_working_day(day), time(6 + chance.randrange(6), chance.randrange(60)), zone)
    fate = chance.random()
    if fate < 0.05:
        events.append(_Event(placed_at + timedelta(minutes=2), _editing(shop, chance, key)))
    elif fate > 0.98 and placed_at < now - timedelta(days=1):
        return [*events, _Event(placed_at + timedelta(hours=1), _cancelling(shop, key))]
    if delivery < now:
        events.append(_Event(delivery, _delivering(shop, key, delivery.date())))
    return events


def _next_working_day(day: date) -> date:
    following = day + timedelta(days=1)
    return following + timedelta(days=1) if following.weekday() == 6 else following  # no van on Sundays


def _writing(shop: _Shop, chance: random.Random, key: int, venue: Venue, customer: Customer, day: date) -> Happening:
    lines = _basket(shop, chance, venue)
    purchase_order = f"PO-{4400 + key}" if venue.purchase_orders else ""
    comment = chance.choice(COMMENTS) if chance.random() < 0.08 else ""

    def happen(orders: dict[int, Order]) -> None:
        orders[key] = ordering.create_order(
            shop.supplier,
            customer,
            lines=lines,
            order_date=day,
            delivery_date=_next_working_day(day),
            purchase_order=purchase_order,
            comment=comment,
            by=shop.owner,
        )

    return happen


def _placing(shop: _Shop, chance: random.Random, key: int, venue: Venue, customer: Customer, day: date) -> Happening:
    write = _writing(shop, chance, key, venue, customer, day)

    def happen(orders: dict[int, Order]) -> None:
        write(orders)
        ordering.place_order(orders[key], by=shop.owner)

    return happen


def _editing(shop: _Shop, chance: random.Random, key: int) -> Happening:
    more = chance.randrange(1, 4)

    def happen(orders: dict[int, Order]) -> None:
        lines = [draft_of(line) for line in orders[key].lines.select_related("product")]
        first = lines[0]
        changed = OrderLineDraft(first.quantity + more, first.product, kind=first.kind, key=first.key)
        ordering.edit_order(orders[key], lines=[changed, *lines[1:]], by=shop.owner)

    return happen


def _cancelling(shop: _Shop, key: int) -> Happening:
    return lambda orders: ordering.cancel_order(orders[key], by=shop.owner, why="The venue called it off")


def _delivering(shop: _Shop, key: int, day: date) -> Happening:
    return lambda orders: ordering.deliver_order(orders[key], delivered_on=day, by=shop.owner)


# --- what came back -----------------------------------------------------------------------------------------------

PAYS_EACH_WEEK = ("Moth & Flame", "Early Doors", "Station Master's")
PAYS_IN_PART, PAYS_BY_CARD = "Copper Pan", "Second Crack"
HAD_A_BROKEN_BOX, IS_OWED_A_FAVOUR = "Salt & Crumb", "Harbour Steps Hotel"
CARD_FEE = Decimal("0.0175")


def _money(shop: _Shop, today: date, now: datetime) -> list[_Event]:
    """Transfers on Mondays, one part payment, a payout of a card provider, and two credit notes: one used, one not."""
    by_name = {venue.name: customer for venue, customer in shop.venues}
    mondays = [day for ago in range(DAYS, 0, -1) if (day := today - timedelta(days=ago)).weekday() == 0]
    happenings = [(monday, name, _pay_what_is_due) for monday in mondays for name in PAYS_EACH_WEEK]
    day = today - timedelta(days=2)
    happenings += [
        (day, PAYS_IN_PART, _pay_in_part),
        (day, HAD_A_BROKEN_BOX, _credit_a_broken_box),
        (day + timedelta(days=1), PAYS_BY_CARD, _pay_out),
    ]
    zone = ZoneInfo(shop.supplier.time_zone)
    last = _Event(now, partial(_credit_a_favour, shop, by_name[IS_OWED_A_FAVOUR], today))  # no order comes to use it
    return [last] + [
        _Event(min(datetime.combine(day, time(12), zone), now), partial(happen, shop, by_name[name], day))
        for day, name, happen in happenings
    ]


def _pay_what_is_due(shop: _Shop, customer: Customer, day: date, _orders: object) -> None:
    for invoice in open_invoices(shop.supplier, customer).filter(due_date__lte=day):
        record_payment(invoice, amount=invoice.due, date=day, reference=f"Transfer {day:%d%m}", by=shop.owner)


def _pay_in_part(shop: _Shop, customer: Customer, day: date, _orders: object) -> None:
    invoice = open_invoices(shop.supplier, customer)[0]
    record_payment(invoice, amount=round_amount(invoice.due / 2), date=day, reference="Half, as agreed", by=shop.owner)


def _pay_out(shop: _Shop, customer: Customer, day: date, _orders: object) -> None:
    """What a provider collected by card and sent to the bank in one go, less its fee."""
    entries = [
        PayoutEntry(invoice.due, fee=round_amount(invoice.due * CARD_FEE), invoice_number=invoice.number)
        for invoice in open_invoices(shop.supplier, customer)[:6]
    ]
    reference = f"LARK-{day:%y%m%d}"
    payout = enter_payout(
        shop.supplier, provider="Tapwell", reference=reference, date=day, entries=entries, by=shop.owner
    )
    close_payout(payout, by=shop.owner)


def _credit_a_broken_box(shop: _Shop, customer: Customer, day: date, _orders: object) -> None:
    """One of the first line of its oldest open invoice, which it is set against."""
    invoice = open_invoices(shop.supplier, customer)[0]
    line = replace(draft_of_line(invoice.lines.all()[0]), quantity=Decimal(1), key=uuid4())
    give_credit(
        shop.supplier, customer, lines=[line], date=day, invoice=invoice, reason="Arrived broken.", by=shop.owner
    )


def _credit_a_favour(shop: _Shop, customer: Customer, day: date, _orders: object) -> None:
    """A free credit that waits to be used."""
    line = LineDraft(LineKind.OTHER, "For the late delivery on Sunday", Decimal(1), Decimal(40), TaxKind.GST)
    give_credit(shop.supplier, customer, lines=[line], date=day, reason="With our apologies.", by=shop.owner)


def _basket(shop: _Shop, chance: random.Random, venue: Venue) -> list[OrderLineDraft]:
    """Some of what the venue likes, in about the usual quantities; and its freight."""
    likes = [LETTERS[letter] for letter in venue.likes]
    chosen: dict[str, tuple[Product, int]] = {}
    for category in (*likes, likes[0]):
        for product, usual in chance.sample(shop.goods[category], chance.randrange(1, 4)):
            chosen[product.sku] = (product, usual)
    size = 1.6 if venue.price_list == "Groups" else 1.0
    lines = [
        OrderLineDraft(Decimal(max(1, round(usual * size * chance.uniform(0.6, 1.4)))), product)
        for product, usual in chosen.values()
    ]
    freight = [OrderLineDraft(kind=LineKind.FREIGHT)] if venue.freight else []
    return lines + freight
