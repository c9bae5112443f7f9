"""Products from a file: what its columns are, how a line is judged, what applying it does.

A column that the file doesn't have is left alone. Of an empty cell: description, category, unit and sales account
become empty; name, price, tax and whether it is active stay. A new product needs a name and a price, and is taxed and
active unless the file says otherwise. Nothing is deleted, and what the file doesn't name is left alone.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

from provender.basics.errors import ProvenderError
from provender.basics.money import exact_price, read_number
from provender.catalogue import actions as catalogue
from provender.catalogue.actions import Revision
from provender.catalogue.models import Category, Product
from provender.importing import lists
from provender.importing.lists import Line, Unfit, reject
from provender.importing.mapping import field_of, plain_word, tax_words
from provender.importing.models import ListFile, ListRow
from provender.importing.reading import Binary
from provender.people.models import User
from provender.suppliers.models import Supplier, TaxKind

State = ListRow.State
FIELDS = (
    field_of("sku", "SKU", "Which product it is: exactly so, else without regard to capitals.",
             "itemcode", "stockcode", "productcode", "code", needed=True),
    field_of("name", "Name", "What it is called on documents.", "itemname", "product", "productname", longest=200),
    field_of("description", "Description", "Further words, up to 4,000 characters.",
             "itemdescription", "details", longest=4000),
    field_of("category", "Category", "By its name; one that isn’t here is made.", longest=100),
    field_of("unit", "Unit", "What one is: bottle, bag, 1 kg.", "unitofmeasure", "uom", longest=30),
    field_of("price", "Price", "The base price, without tax, up to 4 decimal places.",
             "baseprice", "unitprice", "salesprice", "salesunitprice"),
    field_of("tax_kind", "Tax", "GST, VAT or free, or the rate in percent.", "gst", "vat", "tax", "taxtype", "taxrate"),
    field_of("sales_account", "Sales account", "The account’s code in Xero.", "account", "accountcode", longest=10),
    field_of("active", "Active", "Yes or no.", "status", "canbeordered"),
)  # fmt: skip
LONGEST = {each.name: each.longest for each in FIELDS}
COLUMNS = tuple(each.name for each in FIELDS if each.name != "sku")
MAY_BE_EMPTY = frozenset({"description", "category", "unit", "sales_account"})
YES = frozenset({"yes", "y", "true", "1", "on", "active"})
NO = frozenset({"no", "n", "false", "0", "off", "inactive"})
CODE_IN_XERO = 30  # characters that an item's code may have there
DEFAULTS = {"description": "", "category": "", "unit": "", "tax_kind": TaxKind.GST.value, "sales_account": ""}
WHY = "Products from a file"


def preview_products(
    supplier: Supplier, handle: Binary, name: str, *, by: User | None, accounts: Collection[str] = ()
) -> ListFile:
    """Lay the lines of a file beside the products; nothing changes. `accounts` are those that sales can go to in Xero.

    Raises FaultyFile.
    """
    judge = Judge(supplier, frozenset(accounts))
    return lists.preview(supplier, ListFile.Kind.PRODUCTS, handle, name, FIELDS, judge.judge, by=by)


def apply_products(file: ListFile, *, by: User | None) -> None:
    """Add the new products and change the others, as the preview shows. Raises ListFileGone."""
    lists.apply(file, lambda rows: _change(file.supplier, rows, by), by=by)


# --- judging ------------------------------------------------------------------------------------------------------


@dataclass
class Judge:
    """The wholesaler's products, and what the lines before have named already."""

    supplier: Supplier
    accounts: frozenset[str]
    exact: dict[str, Product] = field(default_factory=dict)
    alike: dict[str, list[Product]] = field(default_factory=lambda: defaultdict(list))
    taken: dict[str, int] = field(default_factory=dict)  # a product's SKU, or a new one without case → its line

    def __post_init__(self) -> None:
        self.taxes = tax_words(self.supplier)
        self.categories = {each.name.casefold(): each.name for each in self.supplier.categories.all()}
        for product in self.supplier.products.select_related("category"):
            self.exact[product.sku] = product
            self.alike[product.sku.strip().casefold()].append(product)

    def judge(self, lines: Sequence[Line]) -> list[ListRow]:
        """One row for each line, in the file's order."""
        return [self._judge(line) for line in lines]

    def _judge(self, line: Line) -> ListRow:
        try:
            product = self._find(line)
            said = {name: text for name in COLUMNS if (text := self._read(line, name, product)) is not None}
        except Unfit as unfit:
            return reject(line, unfit)
        row = self._compare(product, said) if product else self._take_in(said)
        row.line, row.sku = line.number, product.sku if product else line.says("sku")
        row.name = said.get("name") or (product.name if product else "")
        row.hints = self._hints(row.sku, row.after, new=product is None)
        return row

    def _find(self, line: Line) -> Product | None:
        sku = line.says("sku")
        if not sku:
            raise Unfit("sku", "The line has no SKU, so there is no telling which product it is.")
        if len(sku) > LONGEST["sku"]:
            raise Unfit("sku", f"A SKU has at most {LONGEST['sku']} characters.")
        alike = self.alike.get(sku.casefold(), [])
        product = self.exact.get(sku) or (alike[0] if len(alike) == 1 else None)
        if product is None and alike:
            raise Unfit("sku", f"{len(alike)} products here differ from this SKU by capitals only. Write it exactly.")
        key = product.sku if product else f"new {sku.casefold()}"
        if key in self.taken:
            raise Unfit("sku", f"Line {self.taken[key]} is about the same product. Keep one of the two.")
        self.taken[key] = line.number
        return product

    def _read(self, line: Line, name: str, product: Product | None) -> str | None:
        """What the line says for that field, as a row keeps it; None when it says nothing about it."""
        text = line.says(name)
        if name not in line.texts or (not text and (product is None or name not in MAY_BE_EMPTY)):
            if product is None and name in ("name", "price"):
                raise Unfit(name, f"A new product needs a {name}. No product has this SKU yet.")
            return None
        if len(text) > LONGEST[name] and name not in ("price", "tax_kind", "active"):
            raise Unfit(name, f"It is longer than {LONGEST[name]:,} characters.")
        return self._as_kept(name, text)

    def _as_kept(self, name: str, text: str) -> str:
        if name == "price":
            return _price(text)
        if name == "tax_kind":
            if kind := self.taxes.get(plain_word(text)):
                return str(kind)
            raise Unfit(name, f"“{text[:40]}” is none of: {', '.join(self.taxes)}.")
        if name == "active":
            return _yes_or_no(text)
        return self.categories.get(text.casefold(), text) if name == "category" else text

    def _compare(self, product: Product, said: Mapping[str, str]) -> ListRow:
        here = {name: as_text(product, name) for name in said}
        after = {name: text for name, text in said.items() if text != here[name]}
        state = State.CHANGED if after else State.UNCHANGED
        return ListRow(state=state, product=product.pk, before={name: here[name] for name in after}, after=after)

    def _take_in(self, said: Mapping[str, str]) -> ListRow:
        return ListRow(state=State.NEW, product=uuid4(), after={**DEFAULTS, "active": "yes", **said})

    def _hints(self, sku: str, after: Mapping[str, str], *, new: bool) -> list[str]:
        hints = []
        if new and len(sku) > CODE_IN_XERO:
            hints.append(f"Longer than {CODE_IN_XERO} characters: its lines go to Xero without an item code")
        if (category := after.get("category", "")) and category.casefold() not in self.categories:
            hints.append(f"The category {category} will be made")
        if (account := after.get("sales_account", "")) and self.accounts and account not in self.accounts:
            hints.append(f"Xero has no account {account} that sales can go to: invoices with it would wait")
        return hints


def _price(text: str) -> str:
    try:
        price = exact_price(read_number(text, places=4, what="price"))
    except ProvenderError as error:
        raise Unfit("price", error.sentence) from error
    if price < 0:
        raise Unfit("price", "The price is below zero. Write zero or more.")
    return str(price)


def _yes_or_no(text: str) -> str:
    word = text.casefold()
    if word not in YES | NO:
        raise Unfit("active", f"“{text[:40]}” is neither yes nor no.")
    return "yes" if word in YES else "no"


def as_text(product: Product, name: str) -> str:
    """A product's field as a row keeps it."""
    value = getattr(product, name)
    if name == "price":
        return str(exact_price(value))
    if name == "active":
        return "yes" if value else "no"
    return str(value or "")


# --- applying -----------------------------------------------------------------------------------------------------


def _change(supplier: Supplier, rows: Sequence[ListRow], by: User | None) -> None:
    categories = _categories(supplier, rows)
    _add(supplier, [row for row in rows if row.state == State.NEW], categories, by)
    _revise(supplier, [row for row in rows if row.state == State.CHANGED], categories, by)


def _categories(supplier: Supplier, rows: Sequence[ListRow]) -> dict[str, Category]:
    """By name without case: those that are there, and those that the rows need, made after the others."""
    there = {each.name.casefold(): each for each in supplier.categories.all()}
    for row in rows:
        name = row.after.get("category", "")
        if name and name.casefold() not in there:
            made = Category(supplier=supplier, name=name, position=len(there))
            there[name.casefold()] = catalogue.save_category(made, by=None)
    return there


def _columns(texts: Mapping[str, str], categories: Mapping[str, Category]) -> dict[str, Any]:
    """The other way round than `as_text`; a category that is gone by now is none."""
    return {name: _value(name, text, categories) for name, text in texts.items()}


def _value(name: str, text: str, categories: Mapping[str, Category]) -> Any:
    if name == "price":
        return Decimal(text)
    if name == "active":
        return text == "yes"
    return categories.get(text.casefold()) if name == "category" else text


def _add(supplier: Supplier, rows: Sequence[ListRow], categories: Mapping[str, Category], by: User | None) -> None:
    """Products for new lines; where the SKU came up since the preview, the one that is there stays alone."""
    if not rows:
        return
    there = {sku.strip().casefold() for sku in supplier.products.values_list("sku", flat=True)}
    fresh = [row for row in rows if row.sku.casefold() not in there]
    products = [Product(id=row.product, sku=row.sku, **_columns(row.after, categories)) for row in fresh]
    catalogue.import_products(supplier, products, by=by, why=WHY)
    for row in rows:
        row.outcome = "" if row in fresh else "A product with this SKU was made here since the preview"


def _revise(supplier: Supplier, rows: Sequence[ListRow], categories: Mapping[str, Category], by: User | None) -> None:
    revisions = [
        Revision(row.product, _columns(row.before, categories), _columns(row.after, categories))
        for row in rows
        if row.product
    ]
    written = catalogue.revise_products(supplier, revisions, by=by, why=WHY)
    labels = {each.name: each.label.lower() for each in FIELDS}
    for row in rows:
        done = written[row.product] if row.product else []
        left = [labels[name] for name in row.after if name not in done]
        row.outcome = f"Changed here since the preview, so left: {', '.join(left)}" if left else ""
