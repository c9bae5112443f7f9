"""Our copy of what Xero knows: organisation, accounts, tax rates, items, tracking categories and contacts.

Small lists are read whole; contacts once whole, then what changed. Everything is upserted in one statement a batch and
never deleted by hand, but for what a full read no longer shows.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from django.db import models, transaction

from provender.basics import clock
from provender.basics.texts import one_line
from provender.sync.failpoints import Failpoint, reach
from provender.sync.models import (
    Account,
    Connection,
    Contact,
    Item,
    Link,
    TaxRate,
    TrackingCategory,
    TrackingOption,
)
from provender.sync.session import Session
from provender.sync.terms import keep_terms
from provender.sync.tracking import bind_by_name, tagged_properties
from provender.xero import wire

CHART_STALE = timedelta(hours=1)
TRACKING_STALE = timedelta(minutes=10)
OVERLAP = timedelta(minutes=5)  # Xero doesn't say whether If-Modified-Since is inclusive
PAGE = 1000
AT_ONCE = 150  # contacts in one transaction, which must be short
ADDRESSES = ("STREET", "DELIVERY", "POBOX")  # where goods go comes before where letters do
PHONES = ("DEFAULT", "MOBILE", "DDI", "OFFICE")

Row = TypeVar("Row", bound=models.Model)


def clean_name(name: str) -> str:
    """A contact's name as Xero takes it: no leading, trailing or repeated spaces, no angle brackets."""
    return " ".join(name.replace("<", "(").replace(">", ")").split())[:255]


def fold_name(name: str) -> str:
    """A name as Xero takes and compares it: without case and accents, inner spaces as one."""
    bare = unicodedata.normalize("NFKD", clean_name(name))
    return "".join(mark for mark in bare if not unicodedata.combining(mark)).casefold()


def read_chart(session: Session) -> None:
    """Read organisation, accounts, tax rates, items and tracking categories: five calls. Raises the client's faults."""
    client, connection = session.client, session.connection
    organisation, accounts, rates, items = client.organisation(), client.accounts(), client.tax_rates(), client.items()
    categories = client.tracking_categories()
    reach(Failpoint.MIRROR_READ)
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(
            organisation=organisation.name or connection.organisation,
            country=organisation.country_code or "",
            currency=organisation.base_currency or "",
            short_code=organisation.short_code or "",
            period_lock_date=organisation.period_lock_date,
            end_of_year_lock_date=organisation.end_of_year_lock_date,
            chart_read_at=clock.database_now(),
        )
        _note_accounts(connection, accounts, rates)
        _replace(Item, "item_id", [_item(connection, one) for one in items], connection)
        _note_tracking(connection, categories)
    reach(Failpoint.MIRRORED)
    connection.refresh_from_db()


def read_accounts(session: Session) -> None:
    """Read accounts and tax rates alone, for a person: two calls. Raises the client's faults."""
    accounts, rates = session.client.accounts(person=True), session.client.tax_rates(person=True)
    reach(Failpoint.MIRROR_READ)
    with transaction.atomic():
        _note_accounts(session.connection, accounts, rates)
    reach(Failpoint.MIRRORED)


def _note_accounts(connection: Connection, accounts: Iterable[wire.Account], rates: Iterable[wire.TaxRate]) -> None:
    _replace(Account, "account_id", [_account(connection, one) for one in accounts], connection)
    _replace(TaxRate, "tax_type", [_tax_rate(connection, one) for one in rates], connection)


def read_tracking(session: Session, *, person: bool = False) -> None:
    """Read the tracking categories alone: one call. Raises the client's faults."""
    categories = session.client.tracking_categories(person=person)
    reach(Failpoint.MIRROR_READ)
    with transaction.atomic():
        _note_tracking(session.connection, categories)
    reach(Failpoint.MIRRORED)


def _note_tracking(connection: Connection, categories: Sequence[wire.TrackingCategory]) -> None:
    connection.tracking_read_at = clock.database_now()
    Connection.objects.filter(pk=connection.pk).update(tracking_read_at=connection.tracking_read_at)
    rows = [_category(connection, one) for one in categories]
    options = [_option(connection, one, option) for one in categories for option in one.options]
    _replace(TrackingCategory, "category_id", rows, connection)
    _replace(TrackingOption, "option_id", options, connection)
    bind_by_name(connection)


def freshen_chart(session: Session) -> None:
    """`read_chart` unless it was read within the last hour."""
    read_at = session.connection.chart_read_at
    if read_at is None or clock.database_now() - read_at > CHART_STALE:
        read_chart(session)


def tracking_is_stale(connection: Connection) -> bool:
    """Whether something is tracked, and an option may have been archived since the categories were read."""
    read_at = connection.tracking_read_at
    stale = read_at is None or clock.database_now() - read_at > TRACKING_STALE
    return stale and (connection.category_bindings.exists() or tagged_properties(connection).exists())


def freshen_tracking(session: Session) -> None:
    """`read_tracking` when something is tracked and it wasn't read within the last minutes."""
    if tracking_is_stale(session.connection):
        read_tracking(session)


def read_contacts(session: Session, *, all_for_a_person: bool = False) -> None:
    """Bring the contacts up to date: the first time all of them, 1,000 a call; then what changed since.

    Pages of changes are counted from the same moment, and the moment is kept only when all are in. Who waits for them
    gets all: whether one is a customer or a supplier moves no time stamp. Then terms that are followed are kept.
    """
    connection = session.connection
    asked_at = clock.database_now()
    read_at = None if all_for_a_person else connection.contacts_read_at
    since = read_at - OVERLAP if read_at else None
    page = 1
    while True:
        answer = session.client.contacts(page, modified_since=since, page_size=PAGE, person=all_for_a_person)
        reach(Failpoint.MIRROR_READ)
        for start in range(0, len(answer.items), AT_ONCE):
            some = answer.items[start : start + AT_ONCE]
            rows = [_contact(connection, one) for one in some if one.contact_id]
            with transaction.atomic():
                _save(Contact, "contact_id", rows)
                _follow_merged(connection, some)
            reach(Failpoint.MIRRORED)
        if page >= answer.page_count or not answer.items:
            break
        page += 1
    Connection.objects.filter(pk=connection.pk).update(contacts_read_at=asked_at)
    reach(Failpoint.MIRRORED)
    connection.contacts_read_at = asked_at
    keep_terms(connection)


def note_contacts(connection: Connection, contacts: Iterable[wire.Contact]) -> None:
    """Put contacts that an answer showed into the mirror."""
    _save(Contact, "contact_id", [_contact(connection, one) for one in contacts if one.contact_id])


def keep_items(connection: Connection, items: Iterable[wire.Item]) -> None:
    """Put a full read of the items in the place of the one before."""
    with transaction.atomic():
        _replace(Item, "item_id", [_item(connection, one) for one in items], connection)


def mark_chart_stale(connection: Connection) -> None:
    """A refusal shows that our copy is old: the next drain reads it again."""
    Connection.objects.filter(pk=connection.pk).update(chart_read_at=None)


def _follow_merged(connection: Connection, contacts: Iterable[wire.Contact]) -> None:
    """A linked contact that was merged into another: the link follows, unless that one is a customer's already."""
    for merged in (one for one in contacts if one.merged_to_contact_id):
        taken = Link.objects.filter(connection=connection, kind="contact", xero_id=merged.merged_to_contact_id)
        if not taken.exists():
            Link.objects.filter(connection=connection, kind="contact", xero_id=merged.contact_id).update(
                xero_id=merged.merged_to_contact_id
            )


def _save(model: type[Row], key: str, rows: list[Row]) -> None:
    names = [f.name for f in model._meta.concrete_fields if not f.primary_key]  # noqa: SLF001
    fields = [name for name in names if name not in {"connection", key}]
    unique = {getattr(row, key): row for row in rows}  # one statement can't touch a row twice
    model._default_manager.bulk_create(  # noqa: SLF001
        unique.values(), update_conflicts=True, unique_fields=["connection", key], update_fields=fields, batch_size=200
    )


def _replace(model: Any, key: str, rows: list[Any], connection: Connection) -> None:
    _save(model, key, rows)
    seen = {getattr(row, key) for row in rows}
    there = model.objects.filter(connection=connection)
    gone = [pk for pk, value in there.values_list("pk", key) if value not in seen]
    if gone:
        there.filter(pk__in=gone).delete()


def _account(connection: Connection, one: wire.Account) -> Account:
    return Account(
        connection=connection,
        account_id=one.account_id or "",
        code=one.code or "",
        name=one.name or "",
        type=one.type or "",
        account_class=one.class_ or "",
        tax_type=one.tax_type or "",
        status=one.status or "",
        system_account=one.system_account or "",
        takes_payments=bool(one.enable_payments_to_account),
    )


def _tax_rate(connection: Connection, one: wire.TaxRate) -> TaxRate:
    flags = {
        "ASSET": one.can_apply_to_assets,
        "EQUITY": one.can_apply_to_equity,
        "EXPENSE": one.can_apply_to_expenses,
        "LIABILITY": one.can_apply_to_liabilities,
        "REVENUE": one.can_apply_to_revenue,
    }
    return TaxRate(
        connection=connection,
        tax_type=one.tax_type or one.name or "",
        name=one.name or "",
        rate=one.effective_rate or 0,
        applies_to=[name for name, yes in flags.items() if yes],
        status=one.status or "",
    )


def _item(connection: Connection, one: wire.Item) -> Item:
    return Item(
        connection=connection,
        item_id=one.item_id or "",
        code=(one.code or "").replace("\0", "")[:30],
        name=(one.name or "")[:100],
        sold=one.is_sold is not False,
        tracked=bool(one.is_tracked_as_inventory),
    )


def _category(connection: Connection, one: wire.TrackingCategory) -> TrackingCategory:
    status = one.status or "ACTIVE"
    return TrackingCategory(
        connection=connection, category_id=one.tracking_category_id or "", name=one.name or "", status=status
    )


def _option(connection: Connection, its: wire.TrackingCategory, one: wire.TrackingOption) -> TrackingOption:
    return TrackingOption(
        connection=connection,
        category_id=its.tracking_category_id or "",
        option_id=one.tracking_option_id or "",
        name=one.name or "",
        status=one.status or "ACTIVE",
    )


def _contact(connection: Connection, one: wire.Contact) -> Contact:
    name = _text(one.name)
    sales = (one.payment_terms and one.payment_terms.sales) or wire.Term()
    return Contact(
        connection=connection,
        contact_id=one.contact_id or "",
        name=name[:500],
        folded_name=fold_name(name)[:500],
        number=_text(one.contact_number)[:50],
        status=one.contact_status or "ACTIVE",
        merged_to=one.merged_to_contact_id or "",
        is_customer=bool(one.is_customer),
        is_supplier=bool(one.is_supplier),
        email=_text(one.email_address)[:255],
        tax_number=_text(one.tax_number)[:50],
        phone=_phone(one.phones),
        addresses=_addresses(one.addresses),
        terms=(sales.type or "")[:30],
        terms_day=sales.day,
    )


def _text(text: str | None) -> str:
    """As a customer of ours would have it."""
    return one_line(text or "")


def _phone(phones: Sequence[wire.Phone]) -> str:
    """The first that has a number, the ordinary one before the mobile one, as it is dialled."""
    said = {(phone.type or "DEFAULT"): phone for phone in phones if _text(phone.number)}
    found = next((said[kind] for kind in PHONES if kind in said), None)
    parts = (found.country_code, found.area_code, found.number) if found else ()
    return " ".join(filter(None, map(_text, parts)))[:60]


def _addresses(addresses: Sequence[wire.Address]) -> list[dict[str, str]]:
    kinds = {kind: place for place, kind in enumerate(ADDRESSES)}
    ordered = sorted(addresses, key=lambda address: kinds.get(address.type or "", len(kinds)))
    return [said for address in ordered if (said := _address(address))]


def _address(address: wire.Address) -> dict[str, str]:
    lines = (address.line_1, address.line_2, address.line_3, address.line_4)
    parts = {
        "street": ", ".join(filter(None, map(_text, lines))),
        "city": _text(address.city),
        "region": _text(address.region),
        "postcode": _text(address.postal_code),
        "country": _text(address.country),
    }
    return {name: text for name, text in parts.items() if text}
